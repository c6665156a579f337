"""What an experiment makes of events and of units, condition by condition. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal, NamedTuple

from trackside.counting.ledger import EventSeries, Row
from trackside.counting.model import (
    Assigned,
    Condition,
    Counting,
    Experiment,
    Exposure,
    Metric,
    Period,
    Unmet,
)
from trackside.counting.names import difference
from trackside.nearest import bare
from trackside.telling import shown
from trackside.times import iso

AUTO = "::event_count"
"""How the metric is named that Statsig makes by itself of every custom event."""


@dataclass(frozen=True, slots=True)
class Project:
    """What one vendor's project is wired to count.

    Attributes:
        vendor: whose.
        counting: how it counts.
        metrics: all of the project's.
        experiments: all of them.
        unit_types: the ID types or traffic types that it declares; None where any can be used.
    """

    vendor: str
    counting: Counting
    metrics: tuple[Metric, ...]
    experiments: tuple[Experiment, ...]
    unit_types: tuple[str, ...] | None

    @property
    def makes_metrics(self) -> bool:
        """Whether every event is a metric of itself, as at Statsig."""
        return self.counting.auto_metric


def has(experiment: Experiment, metric: Metric) -> bool:
    """Return whether a metric is attached to an experiment, or counts there by its unit."""
    attached = experiment.metrics
    return experiment.unit in metric.units if attached is None else metric.key in attached


class Fit(NamedTuple):
    """What an experiment makes of a kind of events, whoever they are of.

    Attributes:
        metrics: those that take them.
        unmet: what keeps all of them from counting.
        concerns: whether they are about this experiment: one of its metrics takes them, or nearly.
    """

    metrics: tuple[Metric, ...]
    unmet: tuple[Unmet, ...]
    concerns: bool


class View(NamedTuple):
    """What an experiment makes of a unit: each period in which it was exposed, with what follows from that."""

    periods: tuple[tuple[Period, Assigned], ...]
    seen: bool
    """Whether it was exposed at all, in a period or not."""
    first: int
    """The moment of the first exposure in a period; 0 without one."""


class Hit(NamedTuple):
    """A variation that an event counts for."""

    variation: str
    label: str


class Judge:
    """Judges events by one experiment.

    Args:
        project: whose experiment it is.
        experiment: which.
    """

    def __init__(self, project: Project, experiment: Experiment) -> None:
        self.project, self.experiment = project, experiment
        self.counting = project.counting
        self.clock: Literal["at", "arrived"] = self.counting.clock
        self.moment: Callable[[Exposure | Row], int] = attrgetter(self.clock)
        self._variations = {one.key for one in experiment.variations}
        self.metrics = tuple(one for one in project.metrics if has(experiment, one))
        self._attached = {one.key for one in self.metrics}
        self._spelt: dict[str, list[Metric]] = {}
        for one in self.metrics:
            if one.event:
                self._spelt.setdefault(bare(one.event), []).append(one)
        self._fits: dict[EventSeries, Fit] = {}

    def unmet(self, condition: Condition, text: str, at: str = "", fix: str = "") -> Unmet:
        """Return a condition that is not met, with the vendor's rule for it."""
        return Unmet(condition, self.counting.rules[condition], text, at, fix)

    # ---- a kind of events

    def fit(self, series: EventSeries) -> Fit:
        """Return what the experiment makes of a kind of events."""
        found = self._fits.get(series)
        if found is None:
            found = self._fits[series] = self._fit(series)
        return found

    def _fit(self, series: EventSeries) -> Fit:
        metrics, unmet, concerns = self._metrics_for(series)
        standing = self._not_recording()
        if (environment := self._other_environment(series.environment)) is not None:
            standing.append(environment)
        standing += self._without_id(series)
        return Fit(metrics, (*standing, *unmet), concerns)

    def standing(self) -> list[Unmet]:
        """Return what keeps everything from counting, whatever comes: it does not record, or divides up nothing known."""
        return [*self._not_recording(), *self._undeclared()]

    def _not_recording(self) -> list[Unmet]:
        one, word = self.experiment, self.counting.words.recording
        if one.periods:
            return []
        text = f"the experiment {one.key} is not {word}: it is {one.status or 'not started'}"
        return [self.unmet("recording", text, one.place, "start it before the events that are to count")]

    def _other_environment(self, environment: str) -> Unmet | None:
        wanted, word = self.experiment.environment, self.counting.words.environment
        if not wanted or environment == wanted:
            return None
        text = f"the event belongs to the {word} {shown(environment)}, the experiment to {shown(wanted)}"
        fix = f"send it with the key or {word} of {wanted}"
        return self.unmet("environment", text, "$.environment", fix)

    def _undeclared(self) -> list[Unmet]:
        unit, word, declared = self.experiment.unit, self.counting.words.unit_type, self.project.unit_types
        if declared is None or unit in declared:
            return []
        text = f"the project has no {word} {shown(unit)}, which the experiment divides up"
        fix = f"declare it; known are: {', '.join(declared)}"
        return [self.unmet("id-type-unknown", text, self.experiment.place, fix)]

    def _without_id(self, series: EventSeries) -> list[Unmet]:
        unit, word, declared = self.experiment.unit, self.counting.words.unit_type, self.project.unit_types
        found = self._undeclared()
        if unit not in series.types:
            has = ", ".join(map(shown, series.types)) or "no id at all"
            text = f"the event carries no id of the {word} {shown(unit)}, by which the experiment counts; it has {has}"
            found.append(self.unmet("unit-type", text, "", f"send the event with an id of the {word} {unit}"))
            unknown = [one for one in series.types if declared is not None and one not in declared]
            if unknown:
                text = f"the project has no {word} {', '.join(map(shown, unknown))}, and joins nothing by it"
                fix = f"declare it, or send one of: {', '.join(declared or ())}"
                found.append(self.unmet("id-type-unknown", text, "", fix))
        return found

    # ---- metrics

    def _metrics_for(self, series: EventSeries) -> tuple[tuple[Metric, ...], list[Unmet], bool]:
        """Return the metrics that take a kind of events, else why none does, and whether they are about this experiment."""
        exact = [one for one in self.project.metrics if one.event == series.name]
        taking = [one for one in exact if one.key in self._attached]
        fitting = [one for one in taking if one.clicks == series.clicked and self.experiment.unit in one.units]
        if fitting:
            return (*_different(fitting), *self._of_itself(series)), [], True
        if taking:
            return (), [self._unfit(taking[0], series)], True
        if (near := self._nearly(series)) is not None:
            return (), [near], True
        if of_itself := self._of_itself(series):
            return of_itself, [], True
        if exact:
            unfit = self._not_attached if self.experiment.metrics is not None else self._of_other_units
            return (), [unfit(exact[0])], not self.metrics or not any(map(self._elsewhere, exact))
        word = self.counting.words.event_name
        text = f"no metric takes the {word} {shown(series.name)}"
        fix = f"make a metric with this {word}, and attach it to the experiment"
        return (), [self.unmet("metric-event", text, "", fix)], False

    def _of_itself(self, series: EventSeries) -> tuple[Metric, ...]:
        """Return the metric that every event is of itself, as at Statsig."""
        if not self.project.makes_metrics or series.clicked:
            return ()
        return (Metric(f"{series.name}{AUTO}", series.name, (self.experiment.unit,), "count", "event_count"),)

    def _nearly(self, series: EventSeries) -> Unmet | None:
        word = self.counting.words.event_name
        for metric in self._spelt.get(bare(series.name), ()):
            if (how := difference(metric.event, series.name)) is not None:
                text = f"the {word} {shown(series.name)} is not {shown(metric.event)}, which the metric {metric.key} takes: they differ by {_HOW[how]}"
                return self.unmet(how, text, metric.place, f"send the event as {shown(metric.event)}, or give the metric the {word} {shown(series.name)}")  # fmt: skip
        return None

    def _unfit(self, metric: Metric, series: EventSeries) -> Unmet:
        if metric.clicks != series.clicked:
            what = "only clicks and page views of a browser SDK" if metric.clicks else "only custom events"
            text = f"the metric {metric.key} is a {metric.kind} metric and takes {what}"
            return self.unmet("metric-kind", text, metric.place, "make a custom metric with this event key")
        return self._of_other_units(metric)

    def _of_other_units(self, metric: Metric) -> Unmet:
        word = self.counting.words.unit_type
        told = ", ".join(metric.units)
        text = f"the metric {metric.key} is analysed by the {word} {told}, the experiment by {self.experiment.unit}"
        return self.unmet("metric-unit", text, metric.place, f"give the metric the {word} {self.experiment.unit} too")

    def _elsewhere(self, metric: Metric) -> bool:
        """Return whether another experiment has a metric, so that it need not be this one's.

        What the same flag is by itself in another environment has every metric, and says nothing.
        """
        flag, own = self.experiment.exposed_by, self.experiment.environment
        others = (
            one
            for one in self.project.experiments
            if one.metrics is not None or one.exposed_by != flag or one.environment == own
        )
        return any(has(one, metric) for one in others)

    def _not_attached(self, metric: Metric) -> Unmet:
        text = f"the metric {metric.key} takes the event and is not attached to the experiment {self.experiment.key}"
        return self.unmet("metric-attached", text, self.experiment.place, f"attach {metric.key} to the experiment")

    # ---- a unit

    def includes(self, one: Exposure) -> bool:
        """Return whether an exposure is to this experiment, and of one who takes part."""
        own = self.experiment
        return (
            one.name == own.exposed_by
            and one.unit_type in (own.unit, "")
            and own.environment in ("", one.environment)
            and own.label in ("", one.label)
            and one.included
            and one.variation in self._variations
        )

    def view(self, exposures: Sequence[Exposure]) -> View:
        """Return what the experiment makes of a unit's exposures to it, in the order of the vendor's clock."""
        included = [one for one in exposures if self.includes(one)]
        found: list[tuple[Period, Assigned]] = []
        first = 0
        for period in self.experiment.periods:
            inside = [one for one in included if period.holds(self.moment(one))]
            if inside:
                first = first if found else self.moment(inside[0])
                found.append((period, self.counting.assigned(self.experiment, inside)))
        return View(tuple(found), bool(included), first)

    def hits(self, view: View, moment: int) -> list[Hit]:
        """Return the variations that an event of a moment counts for."""
        return [
            Hit(span.variation, span.label)
            for period, assigned in view.periods
            if (period.start or moment) <= moment and (period.end is None or moment < period.end + self.counting.grace)
            for span in assigned.spans
            if span.start <= moment and (span.end is None or moment <= span.end)
        ]

    def missed(self, view: View, moment: int, other: int) -> Unmet:
        """Return why an event of an exposed unit counts for no variation.

        Args:
            view: of the unit.
            moment: of the event, on the vendor's clock.
            other: the same on the other clock.
        """
        one, when = self.experiment, iso(moment)
        if not view.periods:
            text = f"the unit was exposed outside the time in which {one.key} is {self.counting.words.recording}"
            return self.unmet("outside-iteration", text, one.place, "expose it while the experiment is on")
        if not any(period.holds(moment) for period in one.periods):
            text = f"the event of {when} lies outside the time in which {one.key} is {self.counting.words.recording}"
            return self.unmet("outside-iteration", text, one.place, "send it while the experiment is on")
        inside = [assigned for period, assigned in view.periods if period.holds(moment)]
        if not inside:
            text = f"at {when} another iteration of {one.key} was on than those in which the unit was exposed"
            return self.unmet("outside-iteration", text, one.place, "expose it again after the experiment is restarted")
        excluded = next((assigned.unmet for assigned in inside if assigned.unmet is not None), None)
        if excluded is not None:
            return excluded
        spans = [span for assigned in inside for span in assigned.spans]
        first, last = min(span.start for span in spans), max(span.end or span.start for span in spans)
        if moment < first:
            exposed = f"the first exposure at {iso(first)}"
            if first < view.first:  # of Split and Statsig, whose events count from shortly before it on
                exposed = (
                    f"{iso(first)}, from when on those of the unit count, by its first exposure at {iso(view.first)}"
                )
            return self._before(when, exposed, after=other >= first)
        if moment > last:
            text = f"the event of {when} lies outside the window after the exposure, which ends at {iso(last)}"
            return self.unmet("outside-window", text, "", "send it within the window, or expose the unit again")
        text = f"at {when} the unit was between two exposures that count for different {self.counting.words.variation}s"
        return self.unmet("switched", text, "", "keep a unit in one variation")

    def _before(self, when: str, exposed: str, *, after: bool) -> Unmet:
        """Return that an event came before the first exposure, though after it on the clock that does not decide."""
        own, fix = self.clock == "at", "evaluate the flag before the event is sent"
        text = f"the event of {when} came before {exposed}"
        if after and own:
            text = f"the event says that it happened at {when}, before {exposed}, and came after it"
            fix = "set the clock of who sends it; its timestamp decides, not its arrival"
        elif not own:
            fix = "evaluate the flag before the event is sent, and flush its SDK; the arrival of both decides"
        if after and not own:
            text = f"the event arrived at {when}, before {exposed}, and says that it happened after it"
        return self.unmet("before-exposure", text, "", fix)


def _different(metrics: Sequence[Metric]) -> list[Metric]:
    """Return metrics without those that say the same: a Statsig metric can name one event twice."""
    return [one for index, one in enumerate(metrics) if one not in metrics[:index]]


_HOW: dict[Condition, str] = {
    "event-key-blanks": "blanks",
    "event-key-case": "upper or lower case",
    "event-key-prefix": "the prefix segment::",
    "event-key-underscores": "underscores",
}
