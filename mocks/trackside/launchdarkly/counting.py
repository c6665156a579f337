"""How LaunchDarkly counts: metrics, experiments, and what its records tell of exposures and metric events.

An event counts for the first variation of an experiment that its unit was seen with in the 90 days before it arrived.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from trackside.catalog import json_path
from trackside.counting.model import (
    Assigned,
    Condition,
    Event,
    Experiment,
    Exposure,
    Filter,
    Measure,
    Metric,
    Period,
    Span,
    Unmet,
    Variation,
    Words,
)
from trackside.launchdarkly.experiments import FALLTHROUGH, is_experiment, iterations_of, part_of
from trackside.launchdarkly.mapping import context_keys
from trackside.launchdarkly.metrics import operator_of, plain_filters
from trackside.launchdarkly.representation import variations_of
from trackside.launchdarkly.rest import resources
from trackside.launchdarkly.rest_experiments import experiments_in
from trackside.times import iso

if TYPE_CHECKING:
    from trackside.launchdarkly.model import Item
    from trackside.launchdarkly.representation import Representation
    from trackside.launchdarkly.settings import LaunchDarklySettings
    from trackside.launchdarkly.store import LaunchDarkly
    from trackside.steps import Record

WINDOW = 90 * 86_400_000
"""How long after an exposure an event counts, milliseconds (launchdarkly.counting.window)."""

VALUE = ("metricValue",)
_CLICKS = {"click": "clicked or tapped", "pageview": "page viewed"}


class LaunchDarklyCounting:
    """See `trackside.counting.model.Counting`."""

    words = Words("context kind", "variation", "event key", "environment", "recording")
    clock: Literal["arrived", "at"] = "arrived"  # launchdarkly.counting.arrival
    grace = 0
    auto_metric = False
    fans_out = False
    rules: Mapping[Condition, str] = {
        "dropped": "launchdarkly.events.accepted",
        "environment": "launchdarkly.counting.environment",
        "event-key-blanks": "launchdarkly.in.event-key-exact",
        "event-key-case": "launchdarkly.in.event-key-exact",
        "event-key-prefix": "launchdarkly.in.event-key-exact",
        "event-key-underscores": "launchdarkly.in.event-key-exact",
        "excluded": "launchdarkly.in.experiment",
        "flag": "launchdarkly.counting.flag",
        "id-blanks": "launchdarkly.in.context-match",
        "id-case": "launchdarkly.in.context-match",
        "id-of-other-type": "launchdarkly.counting.randomization-unit",
        "id-prefix": "launchdarkly.in.context-match",
        "id-type-unknown": "launchdarkly.counting.randomization-unit",
        "metric-attached": "launchdarkly.in.experiment",
        "metric-event": "launchdarkly.in.event-key-exact",
        "metric-filter": "launchdarkly.counting.filters",
        "metric-kind": "launchdarkly.in.metric-kinds",
        "metric-unit": "launchdarkly.counting.randomization-unit",
        "metric-value": "launchdarkly.counting.numeric-value",
        "not-exposed": "launchdarkly.in.experiment",
        "not-included": "launchdarkly.in.experiment",
        "before-exposure": "launchdarkly.counting.arrival",
        "outside-window": "launchdarkly.counting.window",
        "outside-iteration": "launchdarkly.counting.iteration",
        "recording": "launchdarkly.in.experiment",
        "switched": "launchdarkly.counting.first-variation",
        "unit-type": "launchdarkly.counting.randomization-unit",
        "unknown-id": "launchdarkly.in.context-match",
    }

    # ---- records

    def read(self, record: Record, arrived: int) -> Iterator[Exposure | Event]:
        """Yield what a record tells: exposures of each of its contexts, or a metric event (launchdarkly.in.experiment).

        ``feature`` events are exposures, ``debug`` events are none. Only who an SDK sent as a whole ``context``, or was
        evaluated for, is known; ``contextKeys`` alone, as Segment and importers send, make nobody known
        (launchdarkly.in.context-match). A ``summary`` tells which flags were evaluated, and not for whom.
        """
        kind = record["kind"]
        if kind == "feature":
            yield from _exposures(record, arrived)
        elif kind == "custom":
            if "context" in record:
                yield from _seen(record, arrived)
            yield _event(record, arrived, clicked=False)
        elif kind in _CLICKS:
            yield _event(record, arrived, clicked=True)
        elif kind in ("index", "identify"):
            yield from _seen(record, arrived)
        elif kind == "summary":
            yield from _evaluated(record, arrived)

    def posted(self, item: Mapping[str, Any]) -> tuple[str, str]:
        """Return the key of a metric event as it was posted, and one of its context keys."""
        if item.get("kind") not in ("custom", *_CLICKS):
            return "", ""
        keys = context_keys(dict(item)) or {}
        return _text(item.get("key")), next(iter(keys.values()), "")

    # ---- what is wired

    def metrics(self, settings: LaunchDarklySettings, live: LaunchDarkly) -> Sequence[Metric]:
        """Return the metrics, those that the REST API made too (launchdarkly.counting.metrics)."""
        return [_metric(one, settings) for _, one in sorted(resources(live).metrics.items())]

    def experiments(self, settings: LaunchDarklySettings, live: LaunchDarkly) -> Sequence[Experiment]:
        """Return the experiments of every environment (launchdarkly.counting.experiments)."""
        found = [
            (key, name, shown)
            for name in live.environments
            for key, shown in experiments_in(live, name, settings.project).items()
        ]
        return [_experiment(one, settings, live) for *_, one in sorted(found, key=lambda one: one[:2])]

    def unit_types(self, settings: LaunchDarklySettings, live: LaunchDarkly) -> None:
        """Return None: a context kind is there as soon as a context has it."""

    # ---- who is in which variation

    def assigned(self, experiment: Experiment, exposures: Sequence[Exposure]) -> Assigned:
        """Return when a unit's events count: for the first variation of the 90 days before them.

        (launchdarkly.counting.first-variation, launchdarkly.counting.window)
        """
        if len(exposures) == 1:  # as of most units
            (one,) = exposures
            return Assigned((Span(one.variation, one.label, one.arrived, one.arrived + WINDOW),))
        spans: list[Span] = []
        for one in exposures:
            last = spans[-1] if spans else None
            if last is None or last.end is None or one.arrived > last.end:
                spans.append(Span(one.variation, one.label, one.arrived, one.arrived + WINDOW))
            elif one.arrived + WINDOW > last.end:
                spans += _following(one, last)
        return Assigned(tuple(_joined(spans)), None, self._switched(experiment, exposures))

    def _switched(self, experiment: Experiment, exposures: Sequence[Exposure]) -> Unmet | None:
        first = exposures[0]
        other = next((one for one in exposures if one.variation != first.variation), None)
        if other is None or other.arrived > first.arrived + WINDOW:
            return None
        before, after = experiment.named(first.variation), experiment.named(other.variation)
        text = (
            f"the unit had the variation {before} first, and {after} since {iso(other.arrived)}: {after} gets no credit"
        )
        fix = "keep a unit in one variation while an iteration is running"
        return Unmet("switched", self.rules["switched"], text, "", fix)


COUNTING = LaunchDarklyCounting()
"""How LaunchDarkly counts."""


# ---- records


def _exposures(record: Record, arrived: int) -> Iterator[Exposure]:
    variation, reason = record.get("variation"), record.get("reason") or _NO_REASON
    environment, key, at = record["environment"], record["key"], int(record["creationDate"])
    number = "" if variation is None else str(variation)
    label, included = _label(reason), reason.get("inExperiment") is True
    for kind, unit in record["contextKeys"].items():
        yield Exposure(environment, key, kind, unit, number, label, included, at, arrived)


_NO_REASON: Mapping[str, Any] = {}


def _label(reason: Mapping[str, Any]) -> str:
    """Return the rule of a reason: its id, ``fallthrough``, else the kind of reason, such as ``TARGET_MATCH``."""
    if (rule := reason.get("ruleId")) is not None:
        return str(rule)
    kind = reason.get("kind", "FALLTHROUGH")
    return FALLTHROUGH if kind == "FALLTHROUGH" else str(kind)


def _seen(record: Record, arrived: int) -> Iterator[Exposure]:
    environment, at = record["environment"], int(record["creationDate"])
    for kind, unit in record["contextKeys"].items():
        yield Exposure(environment, "", kind, unit, "", "", False, at, arrived)


def _evaluated(record: Record, arrived: int) -> Iterator[Exposure]:
    """Yield each flag of a summary as an exposure of nobody."""
    features = record.get("features")
    for key in features if isinstance(features, dict) else ():
        yield Exposure(record["environment"], key, "", "", "", "", False, arrived, arrived)


def _event(record: Record, arrived: int, *, clicked: bool) -> Event:
    at, units = int(record["creationDate"]), record["contextKeys"]
    return Event(record["environment"], record["key"], units, at, arrived, record, clicked)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


# ---- metrics


def _metric(shown: Representation, settings: LaunchDarklySettings) -> Metric:
    key, kind = shown["key"], shown["kind"]
    numeric = bool(shown["isNumeric"]) and kind not in _CLICKS
    summed = shown["unitAggregationType"] == "sum"
    measure: Measure = ("sum" if summed else "mean") if numeric else ("count" if summed else "conversion")
    return Metric(
        key=key,
        event=shown.get("eventKey", "") if kind == "custom" else key if kind in _CLICKS else "",
        units=tuple(shown["randomizationUnits"]),
        measure=measure,
        kind=_kind(kind, numeric=numeric, counted=measure == "count"),
        value=VALUE if numeric else (),
        filters=tuple(map(_filter, plain_filters(shown.get("filters")))),
        leave_out=bool(shown["eventDefault"].get("disabled")) or shown["analysisType"] == "percentile",
        clicks=kind in _CLICKS,
        place=_place("metrics", key, f"/api/v2/metrics/{settings.project}/{key}", declared=key in settings.metrics),
    )


def _kind(kind: str, *, numeric: bool, counted: bool) -> str:
    """Return what LaunchDarkly calls a kind of metric (launchdarkly.in.metric-kinds)."""
    what = _CLICKS.get(kind, kind)
    return f"{what} numeric" if numeric else f"{what} conversion {'count' if counted else 'binary'}"


def _filter(shown: Mapping[str, Any]) -> Filter:
    """Return a filter on a property of an event's data, or on an attribute of its context (launchdarkly.counting.filters)."""
    attribute = shown["attribute"]
    path: tuple[str, ...] = ("data", attribute)
    elsewhere: tuple[str, ...] = ()
    if shown["type"] == "contextAttribute":
        kind = shown.get("contextKind", "user")
        if attribute == "key":
            path = ("contextKeys", kind)
        else:
            path, elsewhere = ("context", attribute), ("context", kind, attribute)
    return Filter(path, *operator_of(shown["op"], shown["values"], negate=bool(shown.get("negate"))), elsewhere)


def _place(name: str, key: str, path: str, *, declared: bool) -> str:
    return json_path(["launchdarkly", name, key]) if declared else path


# ---- experiments


def _experiment(shown: Representation, settings: LaunchDarklySettings, live: LaunchDarkly) -> Experiment:
    key, environment = shown["key"], shown["environmentKey"]
    recorded = iterations_of(shown)
    iteration = recorded[-1] if recorded else shown["draftIteration"]
    flag_key, named = next(iter(iteration["flags"].items()), ("", {"targetingRule": ""}))
    flag, rule, unit = (
        live.environments[environment].flags.get(flag_key),
        named["targetingRule"],
        iteration["randomizationUnit"],
    )
    place = _place_of(shown, flag_key, settings, live)
    running = iteration["status"] == "running"
    return Experiment(
        vendor="launchdarkly",
        key=key,
        environment=environment,
        exposed_by=flag_key,
        unit=unit,
        variations=_variations(iteration, flag, live),
        metrics=tuple(one["key"] for one in iteration["metrics"]),
        periods=tuple(_periods(recorded)),
        status=iteration["status"],
        label=rule,
        problems=tuple(_problems(key, flag_key, flag, rule, unit, place)) if running else (),
        place=place,
    )


def _place_of(shown: Representation, flag: str, settings: LaunchDarklySettings, live: LaunchDarkly) -> str:
    key, environment = shown["key"], shown["environmentKey"]
    path = f"/api/v2/projects/{settings.project}/environments/{environment}/experiments/{key}"
    if (environment, key) in resources(live).experiments:
        return _place("experiments", key, path, declared=key in settings.experiments)
    return _place("flags", flag, path, declared=flag in settings.flags)


def _variations(iteration: Representation, flag: Item | None, live: LaunchDarkly) -> tuple[Variation, ...]:
    """Return the treatments of an iteration as exposures name them, by the variation's number."""
    if flag is None:
        return ()
    about = resources(live).flags.get(flag["key"], {})
    shown = variations_of(flag["key"], flag["variations"], about.get("variations", ()))
    numbers = {one["_id"]: index for index, one in enumerate(shown)}
    whole = sum(float(one["allocationPercent"]) for one in iteration["treatments"]) or 1.0
    found = []
    for one in iteration["treatments"]:
        served = next((inner["variationId"] for inner in one["parameters"] if inner["flagKey"] == flag["key"]), "")
        if served in numbers:
            found.append(Variation(str(numbers[served]), one["name"], float(one["allocationPercent"]) / whole))
    return tuple(found)


def _periods(iterations: Sequence[Representation]) -> Iterator[Period]:
    """Yield when an experiment recorded (launchdarkly.counting.iteration); of a stopped one that says nothing, never."""
    for one in iterations:
        start, end = one.get("startedAt"), one.get("endedAt")
        if one["status"] == "running" or end is not None:
            yield Period(start or None, end)


def _problems(key: str, name: str, flag: Item | None, rule: str, unit: str, place: str) -> Iterator[Unmet]:
    """Yield why a running experiment gets no exposures from its flag (launchdarkly.counting.flag)."""
    code = COUNTING.rules["flag"]
    if flag is None:
        yield Unmet(
            "flag",
            code,
            f"there is no flag {name} any more, by which {key} is exposed",
            place,
            "make it again, or stop the experiment",
        )
        return
    part = part_of(flag, rule)
    if not flag["on"]:
        yield Unmet(
            "flag", code, f"the flag {name} is off: nobody is in the experiment {key}", place, "turn the flag on"
        )
    elif not is_experiment(part):
        text = f"{rule} of the flag {name} serves no experiment: SDKs report nobody as part of {key}"
        fix = "let it serve percentages as an experiment (rollout with kind experiment), or start the iteration again"
        yield Unmet("flag", code, text, place, fix)
    elif part is not None and (kind := part["rollout"].get("contextKind", "user")) != unit:
        text = f"{rule} of the flag {name} divides up the context kind {kind}, the experiment {key} {unit}"
        yield Unmet("unit-type", COUNTING.rules["unit-type"], text, place, f"divide up {unit} in both")


# ---- spans


def _following(one: Exposure, last: Span) -> list[Span]:
    """Return the time that an exposure adds behind the span that it lies in."""
    end = last.end if last.end is not None else one.arrived
    return [Span(one.variation, one.label, end + 1, one.arrived + WINDOW)]


def _joined(spans: Sequence[Span]) -> Iterator[Span]:
    """Yield spans, those of one variation that follow on each other as one."""
    held: Span | None = None
    for one in spans:
        if held is not None and held.end is not None and one.start == held.end + 1 and one.variation == held.variation:
            held = held._replace(end=one.end)
            continue
        if held is not None:
            yield held
        held = one
    if held is not None:
        yield held
