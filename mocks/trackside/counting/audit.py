"""The audit: which experiments could never count anything as wired, which events nobody uses, which ids never meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from trackside.counting.conditions import ABOUT
from trackside.counting.judging import Judge, Project
from trackside.counting.ledger import EventSeries, Ledger, Lost
from trackside.counting.model import Condition, Experiment, ExperimentResult, Uncounted, Unmet
from trackside.counting.names import difference
from trackside.nearest import bare
from trackside.telling import shown
from trackside.validation.findings import Finding, Level
from trackside.validation.reports.sinks import number

CODE = "trackside.audit."
"""How the codes of an audit's findings begin; the condition's name follows."""

MUCH = 0.1
"""The part of an experiment's events from which it is worth knowing that they do not count, although others do."""

_NOBODY = {"excluded", "not-exposed", "not-included", "environment", "id-of-other-type", "recording", "flag", "outside-iteration"}  # fmt: skip
"""The conditions that tell why nobody takes part."""

FEW_UNITS = 20
"""Units of an experiment below which an empty variation may be chance."""

TEXTS = 3
"""Texts of one reason that are told each; more differ by a value, as of ids that are numbers, and are told together."""

CROSSED = 0.01
"""The part of units in several variations from which it is worth knowing; Statsig's page names it."""


@dataclass(slots=True)
class Audit:
    """What an audit found.

    Attributes:
        findings: in the order of vendors and experiments.
        results: what each experiment counted.
    """

    findings: list[Finding] = field(default_factory=list)
    results: list[ExperimentResult] = field(default_factory=list)


def audit(
    projects: Sequence[Project],
    results: Sequence[ExperimentResult],
    ledger: Ledger,
    source: str,
    refused: Mapping[tuple[str, str, int], int] | None = None,
) -> Audit:
    """Return what is wrong with how experiments are wired, by what came.

    Args:
        projects: of each vendor.
        results: of each experiment, in the order of the projects'.
        ledger: what came.
        source: what the findings name as their file: a recording, a journal's file, the lab's address.
        refused: posts that a vendor refused, by vendor, request and status.
    """
    found = Audit(results=list(results))
    left = iter(results)
    for project in projects:
        lost: dict[str, list[Lost]] = {}
        for each in ledger.lost(project.vendor):
            lost.setdefault(bare(each.name), []).append(each)
        for experiment in project.experiments:
            one = _Experiment(project, experiment, next(left), ledger, lost)
            if _elsewhere(project, experiment, ledger):
                continue
            found.findings += [_finding(each, level, source, experiment) for level, each in one.findings()]
    found.findings += _unused(projects, ledger, source)
    for (vendor, request, status), count in (refused or {}).items():
        text = f"{vendor} refused {count} of {request} with {status}, and keeps nothing of them"
        fix = "see the lab's findings for why: a wrong key, say"
        found.findings.append(Finding(f"{CODE}refused", "warn", text, request, fix, source))
    return found


def _elsewhere(project: Project, experiment: Experiment, ledger: Ledger) -> bool:
    """Return whether a flag is looked at in another environment, where it has an experiment too, and something came.

    One that a flag is by itself, as Split's are everywhere, says nothing of one that somebody declared.
    """
    flag, own = experiment.exposed_by, experiment.environment
    if not own:
        return False
    by_itself = experiment.key == flag
    alike = [one for one in project.experiments if one.exposed_by == flag and (by_itself or one.key != flag)]
    others = {one.environment for one in alike} - {own, ""}
    came = {one.environment for one in ledger.series(project.vendor)}
    came |= {name for name in {own, *others} if ledger.has_exposures(project.vendor, flag, name)}
    return own not in came and not came.isdisjoint(others)


def _finding(unmet: Unmet, level: Level, source: str, experiment: Experiment) -> Finding:
    where = f" in {experiment.environment}" if experiment.environment else ""
    text = f"{experiment.vendor} {experiment.key}{where}: {unmet.text}"
    at = unmet.at or experiment.place
    return Finding(f"{CODE}{unmet.condition}", level, text, at, unmet.fix, source, known_by=unmet.rule)


class _Experiment:
    """Looks at one experiment."""

    def __init__(
        self,
        project: Project,
        experiment: Experiment,
        result: ExperimentResult,
        ledger: Ledger,
        lost: Mapping[str, Sequence[Lost]],
    ) -> None:
        self._project, self._experiment, self._result = project, experiment, result
        self._ledger, self._lost_by_name = ledger, lost
        self._judge = Judge(project, experiment)
        self._units = sum(one.units for one in result.variations)

    def findings(self) -> Iterator[tuple[Level, Unmet]]:
        """Yield each thing that is wrong with it."""
        if self._over() and not self._result.events and not self._judge_has_exposures():
            return  # an experiment that is over, or not begun, is no fault
        for one in self._experiment.problems:  # without further exposures, what it has counts all the same
            passed = self._result.counted and one.condition in ("flag", "recording", "unit-type")
            yield "warn" if passed else "strict", one
        yield from (("strict", one) for one in self._judge.standing())
        yield from self._metrics()
        told = {one.condition for one in (*self._experiment.problems, *self._judge.standing())}
        if "flag" in told:
            told |= {"not-exposed", "not-included"}  # which follow from it
        for uncounted in self._result.uncounted.values():
            weight = self._level(uncounted)
            if weight is not None and uncounted.unmet.condition not in told:
                yield weight, _counted(uncounted)
        yield from self._lost()
        yield from self._exposures(told)
        yield from self._variations()

    def _over(self) -> bool:
        """Return whether it did not record any more when the latest request came, or not yet."""
        ends = [one.end for one in self._experiment.periods]
        return not ends or (ends[-1] is not None and ends[-1] <= self._ledger.latest)

    def _judge_has_exposures(self) -> bool:
        return self._ledger.has_exposures(self._project.vendor, self._experiment.exposed_by)

    def _level(self, one: Uncounted) -> Level | None:
        condition = one.unmet.condition
        if ABOUT[condition].weight == "wiring" or not self._result.counted:
            return "strict"
        if condition == "metric-value" and not self._has_values():
            return "strict"
        return "warn" if one.events > MUCH * self._result.events else None

    def _has_values(self) -> bool:
        """Return whether a metric that adds up numbers has any."""
        wanted = {one.key for one in self._judge.metrics if one.value}
        return any(one.metrics[key].events for one in self._result.variations for key in wanted if key in one.metrics)

    # ---- metrics

    def _metrics(self) -> Iterator[tuple[Level, Unmet]]:
        """Yield what keeps metrics from ever having an event."""
        own, word = self._experiment, self._project.counting.words.event_name
        if not self._judge.metrics and not self._project.makes_metrics:
            if "metric-attached" not in self._result.uncounted:  # which names the metrics that could be
                text, fix = f"no metric is attached to {own.key}", "attach one that takes the events"
                yield "strict", self._judge.unmet("metric-attached", text, own.place, fix)
            return
        came = {one.name for one in self._ledger.series(self._project.vendor)}
        fed = {one.key for one in self._judge.metrics if one.event in came or self._near(one.event, came)}
        silent = [one for one in self._judge.metrics if one.key not in fed]
        if not came and not self._units:
            return  # nothing came at all
        for metric in silent:
            if not metric.event:
                text = f"the metric {metric.key} names no {word}, and takes nothing"
                yield "strict", self._judge.unmet("metric-event", text, metric.place, f"give it the {word}")
            elif not self._was_lost(metric.event):
                level: Level = "strict" if len(silent) == len(self._judge.metrics) else "warn"
                text = f"no event came for the metric {metric.key}, which takes the {word} {shown(metric.event)}"
                fix = "send it, or give the metric the name of an event that is sent"
                yield level, self._judge.unmet("metric-event", text, metric.place, fix)

    def _near(self, event: str, came: set[str]) -> bool:
        return any(difference(event, name) is not None for name in came)

    # ---- messages that came to nothing

    def _was_lost(self, event: str) -> bool:
        return bare(event) in self._lost_by_name

    def _lost(self) -> Iterator[tuple[Level, Unmet]]:
        """Yield the reasons for which messages ended on their way that a metric of the experiment takes."""
        wanted = {bare(one.event) for one in self._judge.metrics if one.event}
        reasons: dict[tuple[str, str], dict[str, list[Lost]]] = {}
        for one in chain.from_iterable(several for name, several in self._lost_by_name.items() if name in wanted):
            texts = reasons.setdefault((str(one.step.get("rule", "")), str(one.step.get("at", ""))), {})
            texts.setdefault(str(one.step.get("text", "")), []).append(one)
        for texts in reasons.values():
            of_each = [*texts.values()]
            for several in of_each if len(of_each) <= TEXTS else [[*chain.from_iterable(of_each)]]:
                yield "strict", _ended(several)

    # ---- exposures and units

    def _exposures(self, told: set[Condition]) -> Iterator[tuple[Level, Unmet]]:
        """Yield why nobody takes part, where that was not told of events already."""
        conditions = {*self._result.uncounted, *told, *(self._result.excluded.keys() & {"excluded"})}
        own = self._experiment
        if self._units or conditions & _NOBODY or (len(own.periods) > 1 and not self._result.uncounted):
            return  # or the exposures are of an earlier iteration, and nothing came since
        if self._judge_has_exposures():
            text = f"{own.exposed_by} was evaluated, and nobody is part of the experiment {own.key}"
            fix = "let the rule that serves it be the experiment's, and look at its allocation"
            yield "strict", self._judge.unmet("not-included", text, own.place, fix)
        elif not self._result.uncounted and self._ledger.series(self._project.vendor):
            text = f"no exposure to {own.exposed_by} ever came"
            yield "strict", self._judge.unmet("not-exposed", text, own.place, f"evaluate {own.exposed_by} with an SDK")

    def _variations(self) -> Iterator[tuple[Level, Unmet]]:
        own, word = self._experiment, self._project.counting.words.variation
        for one in self._result.variations:
            if not one.units and one.variation.share and self._units >= FEW_UNITS:
                text = f"none of {self._units} units is in the {word} {shown(one.variation.name)}"
                yield (
                    "warn",
                    self._judge.unmet(
                        "not-included", text, own.place, "look at its allocation and the rules ahead of it"
                    ),
                )
        excluded = self._result.excluded.get("excluded", 0)
        if excluded > CROSSED * (self._units + excluded) and "excluded" not in self._result.uncounted:
            text = f"{excluded} of {self._units + excluded} units are left out of the results"
            fix = f"keep a unit in one {word}, by the same rule and without overrides"
            yield "warn", self._judge.unmet("excluded", text, own.place, fix)
        switched = self._result.switched
        if switched is not None and switched.units > CROSSED * self._units:
            yield "warn", _counted(switched)
        ratio = self._result.sample_ratio
        if ratio is not None and ratio.level != "ok":
            text = f"the units are not divided as the shares say: p = {ratio.p_value:.2g}, off by {ratio.deviation:.1%}"
            level: Level = "strict" if ratio.level == "alert" else "warn"
            yield level, Unmet("sample-ratio", "statsig.counting.sample-ratio", text, own.place, "look for units that are evaluated and not reported, or reported twice under other ids")  # fmt: skip


def _ended(several: Sequence[Lost]) -> Unmet:
    """Return why messages ended on their way, by the first of them."""
    step, count = several[0].step, sum(one.times for one in several)
    told = f"{count:,} {shown(several[0].name)} ended on the way"
    first = ", the first" if any(one.step.get("text") != step.get("text") for one in several) else ""
    fix = str(step.get("fix") or "change what ended it")
    text = f"{told}{first}: {step.get('text', '')}"
    return Unmet("dropped", str(step.get("rule", "")), text, str(step.get("at", "")), fix)


def _counted(one: Uncounted) -> Unmet:
    """Return a reason with how often it was met."""
    counts = ((one.events, "event"), (one.units, "unit"))
    told = f"{one.unmet.text}; so {' of '.join(number(count, word) for count, word in counts if count)}"
    return Unmet(one.unmet.condition, one.unmet.rule, told, one.unmet.at, one.unmet.fix)


# ---- events that nobody uses


def _unused(projects: Sequence[Project], ledger: Ledger, source: str) -> list[Finding]:
    """Return a finding for each event that no metric of any vendor takes, or nearly takes."""
    if not any(project.experiments for project in projects):
        return []
    kinds: dict[str, list[EventSeries]] = {}
    used: set[str] = set()
    for project in projects:
        wanted = {bare(one.event) for one in project.metrics if one.event}
        counts_all = project.makes_metrics and any(one.periods for one in project.experiments)
        for one in ledger.series(project.vendor):
            name = bare(one.name)
            kinds.setdefault(name, []).append(one)
            if counts_all or name in wanted:
                used.add(name)
    found = []
    for name, series in kinds.items():
        if name not in used:
            count = sum(map(ledger.count, series))
            vendors = ", ".join(dict.fromkeys(one.vendor for one in series))
            text = f"nobody uses the event {shown(series[0].name)}: {count:,} came to {vendors}, and no metric takes it"
            fix = "make a metric of it, or send it no longer"
            found.append(Finding(f"{CODE}unused-event", "warn", text, "", fix, source))
    return found
