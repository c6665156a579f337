"""The v4 API's metrics."""

from __future__ import annotations

from typing import Any

from trackside.split import metrics
from trackside.split.admin_calls import Call, RefusedError, route, traffic_type_ref
from trackside.split.admin_state import id_of
from trackside.split.api_v4 import (
    BASES,
    asked,
    changed,
    deleted,
    found,
    merged,
    owners,
    page,
    tags,
    traffic_type,
)
from trackside.split.flag_checks import pattern_fault
from trackside.split.metrics import KeptMetric
from trackside.steps import Step
from trackside.times import iso

REQUEST, PATCH = "split/v4-metric-request", "split/v4-metric-patch"
PLACE = f"{BASES[0]}/metrics"


def _known(call: Call) -> dict[str, KeptMetric]:
    return metrics.metrics(call.live.settings, call.live)


def _shown(name: str, kept: KeptMetric) -> dict[str, Any]:
    """Return a metric as answers have it: what was left out is there with its default."""
    own = kept.definition
    return {
        "id": id_of("metric", name),
        "name": name,
        "description": own.get("description") or "",
        "trafficType": traffic_type_ref(own["trafficType"]),
        "format": own["format"],
        "aggregation": own["aggregation"],
        "isPositive": own["isPositive"] in (True, "true"),
        "spread": "PER",
        "baseEventTypes": own["baseEventTypes"],
        "cap": own.get("cap"),
        "tags": tags(own.get("tags")),
        "owners": owners(own.get("owners")),
        "status": "ACTIVE",
        "createdAt": iso(kept.created_at),
    }


def _list(call: Call) -> dict[str, Any]:
    """Every metric, with paging; ``name``, ``traffic_type_id``, ``event_type_ids``, ``tags`` and ``ids`` choose some."""
    rows = [(name, kept) for name, kept in _known(call).items() if _chosen(call, name, kept)]
    return page(call, rows, lambda row: _shown(*row))


def _chosen(call: Call, name: str, kept: KeptMetric) -> bool:
    own = kept.definition
    kind, events = own["trafficType"], [one["eventTypeId"] for one in own["baseEventTypes"]]
    labels = [one["name"] for one in own.get("tags") or ()]
    has = {
        "ids": [id_of("metric", name)],
        "traffic_type_id": [kind, id_of("trafficType", kind)],
        "event_type_ids": events,
        "tags": labels,
    }
    part = call.request.query.get("name", "").lower()
    return part in name.lower() and all(not (wanted := asked(call, by)) or set(wanted) & set(row) for by, row in has.items())  # fmt: skip


def _get(call: Call) -> dict[str, Any]:
    """One metric."""
    known = _known(call)
    name = found(call, "metric", known)
    return _shown(name, known[name])


def _create(call: Call) -> dict[str, Any]:
    """Make a metric: it is computed for what came before, too (split.v4.metrics)."""
    body, known = call.body(dict), _known(call)
    if body["name"] in known:
        raise RefusedError(409, f"the metric {body['name']!r} exists already", "$.name")
    kind = traffic_type(call, body["trafficType"], "$.trafficType")
    definition = {**body, "trafficType": kind}
    for name, kept in known.items():
        if _same(definition, kept.definition):
            raise RefusedError(409, f"the metric {name!r} has the same definition", "$", "use that one")
    return _put(call, definition, KeptMetric({}, PLACE, created_at=call.now))


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two metrics measure the same."""
    return all(one[name] == other[name] for name in ("trafficType", "aggregation")) and [
        metrics.event_of(row) for row in one["baseEventTypes"]
    ] == [metrics.event_of(row) for row in other["baseEventTypes"]]


def _update(call: Call) -> dict[str, Any]:
    """Change a metric by a JSON Merge Patch; it keeps its name and traffic type (split.v4.patch)."""
    known = _known(call)
    name = found(call, "metric", known)
    before = known[name]
    return _put(call, merged(before.definition, call.body(dict)), before)


def _put(call: Call, definition: dict[str, Any], before: KeptMetric) -> dict[str, Any]:
    """Keep a metric that can be counted (split.counting.second-event, split.counting.filters)."""
    name, events = definition["name"], definition["baseEventTypes"]
    second = next((word for word in ("filterEventType", "triggerEventType") if definition.get(word)), "")
    if second or len(events) > 1:
        fix = "measure each event by a metric of its own"
        raise RefusedError(400, "metrics of several events are not emulated", f"$.{second or 'baseEventTypes'}", fix)
    for index, row in enumerate(events[0].get("propertyFilters") or ()):
        for value in row.get("values") or () if row["operator"] == "MATCHES" else ():
            for fault in pattern_fault(str(value), f"$.baseEventTypes[0].propertyFilters[{index}].values"):
                raise fault
    if any(float(value) for word, value in (definition.get("cap") or {}).items() if word != "granularity"):
        text = f"the cap of the metric {name!r} is kept, and values are not capped here"
        call.steps.append(Step("info", "split.v4.metrics", text, "$.cap", "expect the sums without it", "note"))
    written = {**definition, "baseEventTypes": [metrics.event_of(one) for one in events]}
    if definition["aggregation"] == "RATE":
        written["format"] = "PERCENTAGE"
    kept = KeptMetric(written, before.place, before.guardrail, before.created_at)
    call.live.admin.metrics[name] = kept
    return changed(_shown(name, kept))


def _delete(call: Call) -> dict[str, Any]:
    """Delete a metric; experiments have it no longer."""
    name = found(call, "metric", _known(call))
    call.live.admin.metrics[name] = None
    return deleted()


ROUTES = [
    *route("GET", "/metrics", _list, bases=BASES),
    *route("POST", "/metrics", _create, 201, REQUEST, BASES),
    *route("GET", "/metrics/<id>", _get, bases=BASES),
    *route("PATCH", "/metrics/<id>", _update, 200, PATCH, BASES),
    *route("DELETE", "/metrics/<id>", _delete, bases=BASES),
]
