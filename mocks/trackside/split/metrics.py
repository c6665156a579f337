"""Split's metrics and experiments in the form in which its v4 API takes them, those of the workspace too. Pure functions.

A `Definition` is the body that the API takes; the workspace's short forms are written out into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from trackside.catalog import json_path
from trackside.counting.model import Filter, Measure, Metric, Period
from trackside.times import epoch_ms

if TYPE_CHECKING:
    from trackside.split.metric_settings import BaseEventType
    from trackside.split.metric_settings import Experiment as DeclaredExperiment
    from trackside.split.metric_settings import Metric as DeclaredMetric
    from trackside.split.settings import SplitSettings
    from trackside.split.store import Split

Definition: TypeAlias = dict[str, Any]

DEFAULT_RULE = "default rule"
"""The label of a flag's default rule (split.counting.rule-label)."""

MEASURES: dict[str, tuple[Measure, str]] = {
    "COUNT": ("count", "count of events per key"),
    "TOTAL": ("sum", "sum of event values per key"),
    "AVERAGE": ("mean", "average of event values per key"),
    "RATE": ("conversion", "percent of unique keys"),
}
"""By aggregation, how a key's events add up and what the vendor calls it (split.counting.metric-types)."""

OPERATORS = {
    "IN": "in",
    "NOT_IN": "not in",
    "LESS_THAN": "<",
    "LESS_THAN_OR_EQUAL_TO": "<=",
    "GREATER_THAN": ">",
    "GREATER_THAN_OR_EQUAL_TO": ">=",
    "CONTAINS": "contains",
    "NOT_CONTAINS": "not contains",
    "STARTS_WITH": "starts with",
    "ENDS_WITH": "ends with",
    "MATCHES": "matches",
    "EXISTS": "exists",
    "NOT_EXISTS": "not exists",
}
"""The operators of property filters (split.counting.filters)."""


@dataclass(frozen=True, slots=True)
class KeptMetric:
    """One metric.

    Attributes:
        definition: as the API takes it.
        place: where it is declared.
        guardrail: whether every experiment has it.
        created_at: epoch milliseconds; 0 for what the workspace declares.
    """

    definition: Definition
    place: str
    guardrail: bool = False
    created_at: int = 0


@dataclass(frozen=True, slots=True)
class KeptExperiment:
    """One experiment.

    Attributes:
        definition: as the API takes it.
        environment: where.
        place: where it is declared.
        periods: when it went on, oldest first.
        created_at: epoch milliseconds; 0 for what the workspace declares.
    """

    definition: Definition
    environment: str
    place: str
    periods: tuple[Period, ...] = ()
    created_at: int = 0


# ---- all of them


def metrics(settings: SplitSettings, live: Split | None) -> dict[str, KeptMetric]:
    """Return the metrics by name: declared ones, and what the API made, changed and deleted since."""
    declared = {name: declared_metric(name, row) for name, row in settings.metrics.items()}
    return _in_order(declared, live.admin.metrics if live is not None else {})


def experiments(settings: SplitSettings, live: Split | None) -> dict[str, KeptExperiment]:
    """Return the experiments by name: declared ones, and what the API made, changed and deleted since."""
    environment = next(iter(settings.environment_names), "")
    declared = {name: declared_experiment(name, row, environment) for name, row in settings.experiments.items()}
    return _in_order(declared, live.admin.experiments if live is not None else {})


def _in_order(declared: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: row for name, row in {**declared, **changed}.items() if row is not None}
    return dict(sorted(found.items()))


# ---- as declared


def declared_metric(name: str, row: DeclaredMetric) -> KeptMetric:
    """Return a metric of the workspace.

    >>> from trackside.split.metric_settings import Metric as Row
    >>> declared_metric("paid", Row(event_type="checkout", aggregation="TOTAL")).definition["baseEventTypes"]
    [{'eventTypeId': 'checkout', 'propertyForValue': None, 'propertyFilters': []}]
    """
    definition = {
        "name": name,
        "description": row.description,
        "trafficType": row.traffic_type,
        "format": row.format,
        "aggregation": row.aggregation,
        "isPositive": row.is_positive,
        "baseEventTypes": [_event_type(one) for one in row.events],
    }
    place = json_path(["split", "metrics", name])
    return KeptMetric(definition, place, row.category == "guardrail")


def _event_type(row: BaseEventType) -> dict[str, Any]:
    filters = [
        {"property": one.property, "operator": one.operator, "values": list(one.values)} for one in row.property_filters
    ]
    return {
        "eventTypeId": row.event_type_id,
        "propertyForValue": row.property_for_value or None,
        "propertyFilters": filters,
    }


def event_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a base event type with all of its fields, as answers have it.

    >>> event_of({"eventTypeId": "checkout"})
    {'eventTypeId': 'checkout', 'propertyForValue': None, 'propertyFilters': []}
    """
    return {
        "eventTypeId": row["eventTypeId"],
        "propertyForValue": row.get("propertyForValue") or None,
        "propertyFilters": list(row.get("propertyFilters") or ()),
    }


def declared_experiment(name: str, row: DeclaredExperiment, first: str) -> KeptExperiment:
    """Return an experiment of the workspace.

    Args:
        name: of the experiment.
        row: as declared.
        first: the environment of one that names none.
    """
    definition = {
        "name": name,
        "parent": {"type": "FEATURE_FLAG", "name": row.flag},
        "hypothesis": row.hypothesis,
        "startAt": row.start_at or None,
        "endAt": row.end_at or None,
        "baselineTreatment": row.baseline_treatment,
        "comparisonTreatments": list(row.comparison_treatments),
        "keyMetrics": list(row.key_metrics),
        "supportingMetrics": list(row.supporting_metrics),
        "rule": row.rule,
        "status": row.status,
    }
    place = json_path(["split", "experiments", name])
    return KeptExperiment(definition, row.environment or first, place, first_periods(definition))


def first_periods(definition: Definition) -> tuple[Period, ...]:
    """Return when an experiment goes on that nobody has paused yet; never where it is not active and has no end.

    >>> first_periods({"startAt": None, "endAt": None, "status": "ACTIVE"})
    (Period(start=None, end=None),)
    >>> first_periods({"startAt": None, "endAt": None, "status": "PAUSED"})
    ()
    """
    start, end = moment(definition.get("startAt")), moment(definition.get("endAt"))
    if end is None and definition.get("status", "ACTIVE") != "ACTIVE":
        return ()
    return (Period(start, end),)


def moment(text: str | None) -> int | None:
    """Return the epoch milliseconds of an ISO 8601 text; None for no text, and for what is no moment."""
    return epoch_ms(text, 0.0) if text else None


# ---- as they are counted


def counted(name: str, kept: KeptMetric) -> Metric:
    """Return a metric as it is counted (split.counting.metric-types, split.counting.filters).

    Keys without an event are left out of an average, whose data points are the keys that have one.
    """
    definition = kept.definition
    [event, *_] = definition["baseEventTypes"]
    measure, kind = MEASURES[definition["aggregation"]]
    by_value = measure in ("sum", "mean")
    named = event.get("propertyForValue")
    return Metric(
        name,
        event["eventTypeId"],
        (definition["trafficType"],),
        measure,
        kind,
        (("properties", named) if named else ("value",)) if by_value else (),
        tuple(_filter(one) for one in event.get("propertyFilters") or ()),
        leave_out=measure == "mean",
        place=kept.place,
    )


def _filter(row: Mapping[str, Any]) -> Filter:
    return Filter(("properties", row["property"]), OPERATORS[row["operator"]], tuple(row.get("values") or ()))


def attached(definition: Definition, known: Mapping[str, KeptMetric]) -> tuple[str, ...] | None:
    """Return the metrics that an experiment has: those that it names and every guardrail; None for any (split.counting.experiment)."""
    named = [*(definition.get("keyMetrics") or ()), *(definition.get("supportingMetrics") or ())]
    if not named:
        return None
    guardrails = [name for name, row in known.items() if row.guardrail]
    return tuple(name for name in dict.fromkeys([*named, *guardrails]) if name in known)


# ---- rules of a flag


def rule_of(flag: Mapping[str, Any], label: str) -> Mapping[str, Any] | None:
    """Return the rule of a flag's definition whose impressions have a label; None where there is none.

    Keys and segments that are given a treatment of their own are no rule to compare treatments by.
    """
    return next((one for one in rules(flag) if one.get("label") == label), None)


def rules(flag: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the rules of a flag's definition, the default rule first."""
    rows = [one for one in flag["conditions"] if one.get("conditionType") == "ROLLOUT"]
    return [*reversed(rows[-1:]), *rows[:-1]]


def shares(rule: Mapping[str, Any], treatments: Iterable[str] | None = None) -> dict[str, float]:
    """Return what part of a rule's keys gets each treatment, of those that are compared; those that get nothing are left out.

    >>> shares({"partitions": [{"treatment": "on", "size": 20}, {"treatment": "off", "size": 60}]}, ["on", "off"])
    {'on': 0.25, 'off': 0.75}
    """
    wanted = None if treatments is None else list(treatments)
    sizes: dict[str, int] = {}
    for one in rule["partitions"]:
        if one["size"] and (wanted is None or one["treatment"] in wanted):
            sizes[one["treatment"]] = sizes.get(one["treatment"], 0) + one["size"]
    whole = sum(sizes.values())
    return {name: size / whole for name, size in sizes.items()}
