"""Metrics of a Statsig project, in the form that the Console API has: those of a workspace, and what counting makes of them. Pure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from trackside import catalog
from trackside.counting.model import Filter, Measure, Metric
from trackside.errors import TracksideError
from trackside.statsig.units import EVERYWHERE
from trackside.times import epoch_ms

if TYPE_CHECKING:
    from trackside.statsig.settings import StatsigSettings

Row = dict[str, Any]
"""A metric as the Console API has it: ``name``, ``type``, ``unitTypes``, ``metricEvents``, and what it is said to be for."""

AUTO = "event_count"
"""The type of the metric that each event has without being asked for (statsig.counting.auto-metrics)."""

MEASURES: dict[str, Measure] = {
    "event_count_custom": "count",
    AUTO: "count",
    "event_dau": "days",
    "event_user": "days",
    "sum": "sum",
    "mean": "mean",
}
"""What is counted per unit, by type; an ``event_user`` of the rollup mode ``max`` is a conversion (statsig.counting.event-user)."""

OF_EVENT = (AUTO, "event_dau")
"""Types of metrics that are named after their event, and have every ID type."""

VALUED = ("sum", "mean")
"""Types of metrics that read a number."""

OPERATORS = {
    "in": "in",
    "not_in": "not in",
    "=": "in",
    ">": ">",
    "<": "<",
    ">=": ">=",
    "<=": "<=",
    "is_null": "not exists",
    "non_null": "exists",
    "contains": "contains",
    "not_contains": "not contains",
    "is_true": "in",
    "is_false": "in",
}
"""Conditions of criteria, and the operator of counting; others are of Warehouse Native only."""

_FIXED: dict[str, tuple[Any, ...]] = {"is_true": (True,), "is_false": (False,), "is_null": (), "non_null": ()}


def metric_id(name: str, kind: str) -> str:
    """Return the ID of a metric, such as ``revenue::sum`` (statsig.console.metrics)."""
    return f"{name}::{kind}"


def declared_rows(settings: StatsigSettings) -> dict[str, Row]:
    """Return the metrics of a workspace by their IDs, as the Console API has them; no unit types stand for all."""
    rows = (_row(name, given) for name, given in settings.metrics.items())
    return {metric_id(row["name"], row["type"]): row for row in rows}


def _row(name: str, given: Mapping[str, Any]) -> Row:
    kind = given.get("type", "event_count_custom")
    row = {
        "name": name,
        "type": kind,
        "description": given.get("description", ""),
        "directionality": given.get("directionality", "increase"),
        "tags": list(given.get("tags", ())),
        "unitTypes": list(given.get("unit_types", () if kind in OF_EVENT else ["userID"])),
        "metricEvents": [_event(one, kind) for one in _events(name, kind, given)],
    }
    return {**row, "rollupTimeWindow": given.get("rollup_time_window", "daily")} if kind == "event_user" else row


def _events(name: str, kind: str, given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if kind in OF_EVENT:
        return [{"name": name}]
    return list(given.get("metric_events", ())) or [{"name": given.get("event", "")}]


def _event(one: Mapping[str, Any], kind: str) -> Row:
    row = {"name": one["name"], "type": one.get("type") or ("value" if kind in VALUED else "count")}
    if one.get("metadata_key"):
        row["metadataKey"] = one["metadata_key"]
    return {**row, "criteria": [dict(each) for each in one.get("criteria", ())]}


# ---- what counting makes of them


def counted(row_id: str, row: Row, place: str) -> Iterator[Metric]:
    """Yield what is counted for a metric: one for each event that it takes, all of them under its ID.

    Args:
        row_id: of the metric.
        row: of it.
        place: where it is declared.
    """
    kind, daily = row["type"], row.get("rollupTimeWindow", "daily") == "daily"
    measure: Measure = MEASURES[kind] if kind != "event_user" or daily else "conversion"
    for one in row["metricEvents"]:
        yield Metric(
            row_id,
            one["name"],
            tuple(row["unitTypes"]),
            measure,
            kind,
            value_path(one) if kind in VALUED else (),
            tuple(filter_of(each) for each in one.get("criteria") or ()),
            leave_out=kind == "mean",
            pooled=kind == "mean",
            place=place,
        )


def value_path(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Return where the number of an event is read from: its value, or a key of its metadata (statsig.counting.metric-value).

    >>> value_path({"name": "purchase", "type": "metadata", "metadataKey": "price"})
    ('metadata', 'price')
    """
    return ("metadata", event.get("metadataKey") or "") if event.get("type") == "metadata" else ("value",)


def filter_of(criterion: Mapping[str, Any]) -> Filter:
    """Return a criterion as counting reads it (statsig.counting.criteria).

    >>> filter_of({"type": "metadata", "column": "plan", "condition": "=", "values": ["gold"]})
    Filter(path=('metadata', 'plan'), operator='in', values=('gold',))
    """
    condition, column = criterion["condition"], criterion.get("column") or ""
    starts = {"value": ("value",), "user_custom": ("user", "custom", column)}
    path = starts.get(criterion["type"], (criterion["type"], column))
    return Filter(path, OPERATORS[condition], _FIXED.get(condition, tuple(criterion.get("values") or ())))


# ---- references


def resolved(asked: str, rows: Mapping[str, Row]) -> str:
    """Return the ID of the metric that is asked for by name or ID; that of an event's own metric where none is declared.

    Raises:
        TracksideError: there is none, or there are several.
    """
    if asked in rows:
        return asked
    found = [key for key, row in rows.items() if row["name"] == asked]
    if len(found) > 1:
        what, fix = f"{asked} is the name of several metrics: {', '.join(found)}", "name one of them with its type"
        raise TracksideError(what, "", fix)
    if found:
        return found[0]
    name, _, kind = asked.rpartition("::")
    if name and kind == AUTO:
        return asked
    if name and kind in MEASURES:
        raise TracksideError(f"there is no metric {asked!r}", "", f"declared are: {', '.join(rows) or 'none'}")
    return metric_id(asked, AUTO)


def named(asked: str, rows: Mapping[str, Row]) -> dict[str, str]:
    """Return the name and type of the metric that is asked for, as well as can be told: it may have been deleted."""
    with contextlib.suppress(TracksideError):
        asked = resolved(asked, rows)
    name, _, kind = asked.rpartition("::")
    return {"name": name, "type": kind} if name else {"name": asked, "type": AUTO}


# ---- faults


def metric_faults(settings: StatsigSettings) -> Iterator[TracksideError]:
    """Yield what is wrong with metrics and experiments of a workspace beyond their contract: names that lead nowhere, dates, values."""
    for name, given in settings.metrics.items():
        yield from _metric_faults(name, given, settings)
    rows = declared_rows(settings)
    for name, given in settings.experiments.items():
        yield from _experiment_faults(name, given, settings, rows)


def _metric_faults(name: str, given: Mapping[str, Any], settings: StatsigSettings) -> Iterator[TracksideError]:
    kind = given.get("type", "event_count_custom")
    if kind in OF_EVENT:
        for key in ("event", "metric_events"):
            if key in given:
                fix = "take this away, or choose event_count_custom or event_user"
                yield _fault(f"a metric of the type {kind} is named after its event", "metrics", name, fix, key)
    elif ("event" in given) == ("metric_events" in given):
        both = "event and metric_events are both given" if "event" in given else "the metric has no event"
        yield _fault(both, "metrics", name, "give event, or metric_events where it takes more than a name")
    yield from _unit_faults("metrics", name, "unit_types", given.get("unit_types", ()), settings)
    for index, one in enumerate(given.get("metric_events", ())):
        yield from _event_faults(name, kind, one, index)


def _event_faults(name: str, kind: str, one: Mapping[str, Any], index: int) -> Iterator[TracksideError]:
    at: tuple[str | int, ...] = ("metric_events", index)
    if one.get("type") == "metadata" and not one.get("metadata_key"):
        yield _fault("no key of the metadata is named", "metrics", name, "give metadata_key", *at)
    if kind in VALUED and one.get("type") == "count":
        yield _fault(f"a {kind} needs a number", "metrics", name, "choose value or metadata", *at, "type")
    for number, each in enumerate(one.get("criteria", ())):
        yield from _criterion_faults(name, each, (*at, "criteria", number))


def _criterion_faults(name: str, one: Mapping[str, Any], at: tuple[str | int, ...]) -> Iterator[TracksideError]:
    if one["type"] != "value" and not one.get("column"):
        yield _fault("no field is named", "metrics", name, "give column", *at)
    if one["condition"] not in _FIXED and not one.get("values"):
        yield _fault(f"{one['condition']} compares with nothing", "metrics", name, "give values", *at)


def _experiment_faults(
    name: str, given: Mapping[str, Any], settings: StatsigSettings, rows: Mapping[str, Row]
) -> Iterator[TracksideError]:
    yield from _unit_faults("experiments", name, "id_type", [given.get("id_type", "userID")], settings)
    for key in ("primary_metrics", "secondary_metrics"):
        for index, asked in enumerate(given.get(key, ())):
            if fault := _unresolved(asked, rows):
                yield _fault(fault.what, "experiments", name, fault.fix, key, index)
    moments = {key: epoch_ms(given[key], 0) for key in ("start_time", "end_time") if key in given}
    for key, moment in moments.items():
        if moment is None:
            fix = "write it as 2026-11-22T08:00:00Z"
            yield _fault(f"{key} is {given[key]!r}, no moment", "experiments", name, fix, key)
    start, end = moments.get("start_time"), moments.get("end_time")
    if start is not None and end is not None and end <= start:
        yield _fault("it ended before it started", "experiments", name, "give a later end_time", "end_time")


def _unresolved(asked: str, rows: Mapping[str, Row]) -> TracksideError | None:
    try:
        resolved(asked, rows)
    except TracksideError as fault:
        return fault
    return None


def _unit_faults(block: str, name: str, key: str, asked: Any, settings: StatsigSettings) -> Iterator[TracksideError]:
    known = [*EVERYWHERE, *settings.id_types]
    for index, one in enumerate(asked):
        if one not in known:
            at = (key, index) if key == "unit_types" else (key,)
            fix = f"declare it under statsig.id_types; known are: {', '.join(known)}"
            yield _fault(f"there is no ID type {one!r}", block, name, fix, *at)


def _fault(what: str, block: str, name: str, fix: str, *more: str | int) -> TracksideError:
    return TracksideError(what, catalog.json_path(["statsig", block, name, *more]), fix)
