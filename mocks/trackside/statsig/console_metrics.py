"""The Console API's metrics: listed, made, changed, deleted, and what they come to on a day; unit ID types one by one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from trackside.errors import TracksideError
from trackside.statsig.console import Body, NotFoundError, page, route, told
from trackside.statsig.counting import COUNTING, day_offset, metric_rows, unit_types
from trackside.statsig.metrics import AUTO, MEASURES, OF_EVENT, OPERATORS, VALUED, Row, metric_id
from trackside.statsig.metrics_view import values_on
from trackside.statsig.values import shown
from trackside.times import epoch_ms, in_ms
from trackside.wire import Answer, Request, Route

if TYPE_CHECKING:
    from trackside.statsig.store import Statsig

COUNTED = tuple(kind for kind in MEASURES if kind not in OF_EVENT)
"""Types of metrics that can be made."""

KEPT = ("name", "description", "directionality", "unitTypes", "isVerified", "isReadOnly", "isPermanent", "team")
"""Fields of a body that are kept as they are."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def list_metrics(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return the metrics that were made, not those that events have by themselves; ``tags`` in the query is one of their tags (statsig.console.metrics)."""
    tag = request.query.get("tags")
    rows = [_shown(key, row, live) for key, row in sorted(_made(live).items()) if tag is None or tag in row["tags"]]
    return page(request, "Metrics listed successfully.", rows)


def create_metric(request: Request, live: Statsig, body: Body) -> Answer:
    """Make a metric and return it with 201; ``dryRun`` only says whether it could be made."""
    kind = body["type"]
    if kind not in COUNTED:
        fix = f"choose one of: {', '.join(COUNTED)}"
        raise TracksideError(f"metrics of the type {kind} are not counted here", "$.type", fix)
    key = metric_id(body["name"], kind)
    if key in metric_rows(live.settings, live):
        raise TracksideError(f"the metric {shown(key)} exists", "$.name", "choose another name, or change it")
    row = {**_EMPTY, **_given(body, live), "type": kind, "metricEvents": _events(body, kind), **_window(body, kind)}
    row |= {"createdTime": in_ms(request.at), "lastModifiedTime": in_ms(request.at)}
    return told("Metric created successfully.", _kept(live, key, row, body), 201)


def read_metric(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return one metric, by its ID ``name::type`` or as ``name/type``."""
    key, row = _found(request, live)
    return told("Metric read successfully.", _shown(key, row, live))


def update_metric(request: Request, live: Statsig, body: Body) -> Answer:
    """Change what a metric is called and said to be for, or its unit types; it stays under its ID."""
    key, row = _found(request, live)
    changed = {**row, **_given(body, live), "lastModifiedTime": in_ms(request.at)}
    return told("Metric updated successfully.", _kept(live, key, changed, body))


def delete_metric(request: Request, live: Statsig, _body: Body) -> Answer:
    """Take a metric away, one of the workspace too."""
    key, _ = _found(request, live)
    live.console.setdefault("metrics", {})[key] = None
    return told("Metric deleted successfully.")


_EMPTY: Row = {"description": "", "directionality": "increase", "tags": [], "unitTypes": ["userID"]}


def _made(live: Statsig) -> dict[str, Row]:
    rows = metric_rows(live.settings, live)
    return {key: row for key, row in rows.items() if row["type"] not in OF_EVENT}


def _found(request: Request, live: Statsig) -> tuple[str, Row]:
    asked = request.params["id"]
    name, _, kind = asked.rpartition("/")
    rows = _made(live)
    for key in (asked, metric_id(name, kind)):
        if key in rows:
            return key, rows[key]
    raise NotFoundError


def _kept(live: Statsig, key: str, row: Row, body: Body) -> Body:
    if not body.get("dryRun"):
        live.console.setdefault("metrics", {})[key] = row
    return _shown(key, row, live)


def _given(body: Body, live: Statsig) -> Row:
    known = unit_types(live.settings, live)
    for index, one in enumerate(body.get("unitTypes", ())):
        if one not in known:
            fix = f"make it first; known are: {', '.join(known)}"
            raise TracksideError(f"there is no unit type {shown(one)}", f"$.unitTypes[{index}]", fix)
    row = {field: body[field] for field in KEPT if field in body}
    if "tags" in body:
        row["tags"] = body["tags"] if isinstance(body["tags"], list) else [body["tags"]]
    return row


def _window(body: Body, kind: str) -> Row:
    if kind != "event_user":
        return {}
    window = body.get("rollupTimeWindow", "daily")
    if window not in ("daily", "max"):
        raise TracksideError(
            f"the window {shown(window)} is not counted here", "$.rollupTimeWindow", "use daily or max"
        )
    return {"rollupTimeWindow": window}


def _events(body: Body, kind: str) -> list[Row]:
    rows = body.get("metricEvents") or ()
    if not rows:
        raise TracksideError("the metric has no event", "$.metricEvents", "name the event that it takes")
    return [_event(row, kind, f"$.metricEvents[{index}]") for index, row in enumerate(rows)]


def _event(given: Row, kind: str, at: str) -> Row:
    read = given.get("type") or ("value" if kind in VALUED else "count")
    if read == "count_distinct" or (kind in VALUED and read == "count"):
        raise TracksideError(f"a {kind} of {read} is not counted here", f"{at}.type", "use value or metadata")
    if read == "metadata" and not given.get("metadataKey"):
        raise TracksideError("no key of the metadata is named", f"{at}.metadataKey", "name one")
    criteria = given.get("criteria") or []
    for index, one in enumerate(criteria):
        _check(one, f"{at}.criteria[{index}]")
    return {**given, "type": read, "criteria": criteria}


def _check(one: Row, at: str) -> None:
    if one["condition"] not in OPERATORS:
        fix = f"{one['condition']} is for Warehouse Native; use one of: {', '.join(OPERATORS)}"
        raise TracksideError(f"condition is {shown(one['condition'])}", f"{at}.condition", fix)
    if one["type"] != "value" and not one.get("column"):
        raise TracksideError("no field is named", f"{at}.column", "name one")


def _shown(key: str, row: Row, live: Statsig) -> Body:
    events = list(dict.fromkeys(one["name"] for one in row["metricEvents"]))
    return {
        "id": key,
        "name": row["name"],
        "directionality": row["directionality"],
        "type": row["type"],
        "description": row["description"],
        "isPermanent": row.get("isPermanent", False),
        "isReadOnly": row.get("isReadOnly", False),
        "isHidden": False,
        "isVerified": row.get("isVerified", False),
        "tags": row["tags"],
        "creatorName": "CONSOLE API",
        "creatorEmail": None,
        "createdTime": row.get("createdTime", live.time),
        "lastModifiedTime": row.get("lastModifiedTime", live.time),
        "owner": {"ownerID": "trackside", "ownerType": "SDK_KEY", "ownerName": "CONSOLE API"},
        "lineage": {"events": events, "metrics": []},
        "team": row.get("team"),
        "unitTypes": row["unitTypes"],
        "metricEvents": row["metricEvents"],
        **({"rollupTimeWindow": row["rollupTimeWindow"]} if "rollupTimeWindow" in row else {}),
    }


# ---- values


def list_values(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return what all metrics come to on the ``date`` of the query; ``metricName`` and ``metricType`` choose some (statsig.console.metric-values)."""
    wanted = {key: request.query.get(key) for key in ("metricName", "metricType")}
    rows = [row for row in _values(request, live) if all(one in (None, row[key]) for key, one in wanted.items())]
    return page(request, "Metric values listed successfully.", rows)


def read_values(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return what the metric of the ``id`` in the query comes to on its ``date``, by unit type; 0 for a day without its events."""
    key = request.query.get("id", "")
    name, _, kind = key.rpartition("::")
    if key not in metric_rows(live.settings, live) and not (name and kind == AUTO):
        raise NotFoundError
    rows = [row for row in _values(request, live) if (row["metricName"], row["metricType"]) == (name, kind)]
    found = [{"value": row["value"], "unit_type": row["unitType"], **_of(name, kind)} for row in rows]
    return told("Metric read successfully.", found or [{"value": 0, "unit_type": "overall", **_of(name, kind)}])


def _of(name: str, kind: str) -> Body:
    return {"numerator": None, "denominator": None, "metric_name": name, "metric_type": kind}


def _values(request: Request, live: Statsig) -> list[dict[str, Any]]:
    date = request.query.get("date", "")
    if not _DATE.fullmatch(date) or epoch_ms(date, 0) is None:
        raise TracksideError(f"date is {shown(date)}", "?date=", "give a day, such as 2026-11-22")
    settings = live.settings
    metrics = COUNTING.metrics(settings, live)
    return values_on(live.records(), metrics, date, unit_types(settings, live), day_offset(settings))


ROUTES: list[Route[Any]] = [
    route("GET", "/metrics/list", list_metrics),
    route("GET", "/metrics/values", list_values),
    route("GET", "/metrics", read_values),
    route("POST", "/metrics", create_metric, "statsig/console-metric"),
    route("GET", "/metrics/<path:id>", read_metric),
    route("POST", "/metrics/<path:id>", update_metric, "statsig/console-metric-update"),
    route("DELETE", "/metrics/<path:id>", delete_metric),
]
