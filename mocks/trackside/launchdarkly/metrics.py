"""Metrics as the REST API shows them: of what a workspace declares, and of what is posted. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trackside.errors import TracksideError
from trackside.launchdarkly.representation import Representation, link, made_id
from trackside.launchdarkly.settings import Metric

GROUPED = "and"
"""How the filters of a group are joined."""

_OPERATORS = {
    "in": "in",
    "contains": "contains",
    "startsWith": "starts with",
    "endsWith": "ends with",
    "matches": "matches",
    "lessThan": "<",
    "lessThanOrEqual": "<=",
    "greaterThan": ">",
    "greaterThanOrEqual": ">=",
}
"""Operators of filters, as the API writes them, with how `trackside.counting.filters` does."""

OPERATORS = tuple(_OPERATORS)


def new_metric(project: str, posted: Representation, now: int) -> Representation:
    """Return a metric as the API shows it, of what was posted.

    Without ``unitAggregationType`` a unit counts once, or by its average (launchdarkly.rest.metric-defaults).

    Args:
        project: its key.
        posted: with ``key`` and ``kind``, checked.
        now: epoch milliseconds.
    """
    path = f"/api/v2/metrics/{project}/{posted['key']}"
    units = posted.get("analysisUnits") or posted.get("randomizationUnits") or ["user"]
    return {
        "name": posted["key"],
        "tags": [],
        "isNumeric": False,
        "unitAggregationType": "average",
        "analysisType": "mean",
        "eventDefault": {"disabled": False, "value": 0},
        "dataSource": {"key": "launchdarkly"},
        **posted,
        "randomizationUnits": units,
        "analysisUnits": units,
        "_id": made_id(project, "metric", posted["key"]),
        "_versionId": made_id(project, "metric", posted["key"], 1),
        "_version": 1,
        "_links": {"self": link(path), "parent": link(f"/api/v2/metrics/{project}")},
        "_creationDate": now,
        "archived": False,
        "experimentCount": 0,
    }


def declared_metrics(project: str, metrics: Mapping[str, Metric]) -> dict[str, Representation]:
    """Return the metrics of a workspace as if the API had made them (launchdarkly.counting.metrics)."""
    return {key: new_metric(project, _posted(key, metric), 0) for key, metric in metrics.items()}


def _posted(key: str, metric: Metric) -> Representation:
    """Return the body that would make a metric; what its kind does not have is left out."""
    posted: dict[str, Any] = {
        "key": key,
        "name": metric.name or key,
        "kind": metric.kind,
        "unitAggregationType": metric.unit_aggregation_type,
        "randomizationUnits": list(metric.randomization_units),
        "analysisType": metric.analysis_type,
        "eventDefault": {"disabled": metric.event_default.disabled, "value": metric.event_default.value},
        "successCriteria": metric.success_criteria,
        "percentileValue": metric.percentile_value,
        "filters": _posted_filter(metric.filters) if metric.filters else None,
    }
    if metric.kind == "custom":
        posted |= {"isNumeric": metric.is_numeric, "eventKey": metric.event_key, "unit": metric.unit}
    else:
        posted |= {"urls": list(metric.urls), "selector": metric.selector}
    return {name: value for name, value in posted.items() if value not in (None, "")}


def _posted_filter(declared: Mapping[str, Any]) -> Representation:
    """Return a filter as the API has it of one that a workspace declares."""
    named = {("contextKind" if name == "context_kind" else name): value for name, value in declared.items()}
    values = declared["values"]
    if declared["type"] == "group":
        values = [_posted_filter(one) for one in values]
    return {"op": GROUPED if declared["type"] == "group" else "in", "negate": False, **named, "values": values}


# ---- filters


def plain_filters(filters: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    """Yield the filters of a metric, all of which an event has to pass, those of groups one by one."""
    if not filters:
        return
    if filters["type"] != "group":
        yield filters
        return
    for one in filters["values"]:
        yield from plain_filters(one)


def filter_faults(filters: Mapping[str, Any] | None, at: str) -> Iterator[TracksideError]:
    """Yield what cannot be counted of a metric's filters: another operator, or a group of alternatives (launchdarkly.counting.filters).

    Args:
        filters: as the API has them, checked.
        at: their place.
    """
    if not filters:
        return
    op = filters["op"]
    if filters["type"] != "group":
        if op not in _OPERATORS:
            yield TracksideError(f"there is no operator {op!r}", f"{at}.op", f"use one of: {', '.join(_OPERATORS)}")
        return
    if op != GROUPED or filters.get("negate"):
        what = f"a group of filters is joined by {op!r}{', negated' if filters.get('negate') else ''}"
        yield TracksideError(what, f"{at}.op", "join them by and, or name several values in one filter")
    for number, one in enumerate(filters["values"]):
        yield from filter_faults(one, f"{at}.values[{number}]")


def operator_of(op: str, values: Sequence[Any], *, negate: bool) -> tuple[str, tuple[Any, ...]]:
    """Return the operator and values by which a filter is applied; a negated one as its opposite.

    >>> operator_of("lessThan", [5], negate=True), operator_of("startsWith", ["ab"], negate=True)
    (('>=', (5,)), ('matches', ('^(?!(?:ab))',)))
    """
    plain = _OPERATORS[op]
    if not negate:
        return plain, tuple(values)
    if plain in _OPPOSITE:
        return _OPPOSITE[plain], tuple(values)
    return "matches", (_NEGATED[plain]("|".join(_pattern(plain, value) for value in values)),)


def _pattern(plain: str, value: Any) -> str:
    return str(value) if plain == "matches" else re.escape(str(value))


_OPPOSITE = {"in": "not in", "contains": "not contains", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_NEGATED = {
    "starts with": "^(?!(?:{0}))".format,
    "ends with": "^(?![\\s\\S]*(?:{0})$)".format,
    "matches": "^(?![\\s\\S]*(?:{0}))".format,
}
