"""The Public API's endpoints of destination filters, and the preview of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trackside.errors import TracksideError, WorkspaceError
from trackside.segment.filters import compile_filters, parse_filters
from trackside.segment.ids import stable_id
from trackside.segment.public_api import Call, invalid, route, row_with
from trackside.segment.public_api_destinations import source_of
from trackside.times import in_ms, iso

if TYPE_CHECKING:
    from trackside.segment.routes import Segment
    from trackside.wire import Route

_NO_TIME = iso(0)
"""When a filter was made that the workspace declares."""


def _filters(call: Call, name: str) -> list[dict[str, Any]]:
    """Return a destination's filters as rows of the workspace, each with its id."""
    rows: list[dict[str, Any]] = call.block["destinations"][name].get("filters", [])
    for number, row in enumerate(rows):
        row.setdefault("id", stable_id("filter", name, str(number)))
    return rows


def _filter_row(call: Call, name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a filter as the API has it, actions in its own words (segment.public-api.filters)."""
    source = source_of(call.block, name)
    actions = [{**one, "type": one["type"].upper()} for one in row["actions"]]
    told = {
        "id": row["id"],
        "sourceId": row.get("sourceId") or (stable_id("source", source) if source else ""),
        "destinationId": stable_id("destination", name),
        "if": row["if"],
        "actions": actions,
        "title": row.get("title") or "",
        "enabled": row.get("enabled", True),
        "createdAt": row.get("createdAt") or _NO_TIME,
        "updatedAt": row.get("updatedAt") or row.get("createdAt") or _NO_TIME,
    }
    return {**told, "description": row["description"]} if row.get("description") else told


def _one_filter(call: Call) -> tuple[str, list[dict[str, Any]], dict[str, Any]]:
    name = call.destination(call.params["id"])
    rows = _filters(call, name)
    return name, rows, row_with(call.params["filter"], rows, "filter")


def list_filters(call: Call) -> dict[str, Any]:
    """Return the filters of a destination."""
    name = call.destination(call.params["id"])
    return call.page("filters", [_filter_row(call, name, row) for row in _filters(call, name)])


def create_filter(call: Call) -> dict[str, Any]:
    """Make a filter of a destination."""
    name, now = call.destination(call.params["id"]), iso(in_ms(call.request.at))
    source = call.given("sourceId", str, needed=True)
    call.source(source, "sourceId")
    rows = _filters(call, name)
    row = {
        "if": call.given("if", str, needed=True),
        "actions": call.given("actions", list, needed=True),
        "title": call.given("title", str, needed=True),
        "enabled": call.given("enabled", bool, needed=True),
        "description": call.given("description", str, ""),
        "sourceId": source,
        "createdAt": now,
        "updatedAt": now,
    }
    row["id"] = stable_id("filter", name, row["title"], now, str(len(rows)))
    call.block["destinations"][name]["filters"] = [*rows, row]
    call.put()
    return {"filter": _filter_row(call, name, row)}


def get_filter(call: Call) -> dict[str, Any]:
    """Return a filter."""
    name, _rows, row = _one_filter(call)
    return {"filter": _filter_row(call, name, row)}


def update_filter(call: Call) -> dict[str, Any]:
    """Change a filter; what is not named stays."""
    name, _rows, row = _one_filter(call)
    for field, kind in {"if": str, "actions": list, "title": str, "description": str, "enabled": bool}.items():
        if (value := call.given(field, kind)) is not None:
            row[field] = value
    row["updatedAt"] = iso(in_ms(call.request.at))
    call.put()
    return {"filter": _filter_row(call, name, row)}


def delete_filter(call: Call) -> dict[str, Any]:
    """Take a filter away."""
    name, rows, row = _one_filter(call)
    call.block["destinations"][name]["filters"] = [one for one in rows if one is not row]
    call.put()
    return {"status": "SUCCESS"}


def preview(call: Call) -> dict[str, Any]:
    """Return what a filter would leave of a payload; null where it drops it (segment.public-api.preview)."""
    row, payload = call.given("filter", dict, needed=True), call.given("payload", dict, needed=True)
    if not isinstance(row.get("if"), str):
        raise invalid("filter.if", '"filter.if" is required')
    try:
        chosen = parse_filters([{"if": row["if"], "actions": row.get("actions", [])}], "filter")
    except WorkspaceError as error:
        raise invalid(error.faults[0].where, error.faults[0].what) from error
    except TracksideError as error:
        raise invalid(error.where, error.what) from error
    result, _steps = compile_filters(chosen)(payload)
    return {"inputPayload": payload, "result": result}


ROUTES: list[Route[Segment]] = [
    route("POST", "/destination/filters/preview", preview),
    route("GET", "/destination/<id>/filters", list_filters),
    route("POST", "/destination/<id>/filters", create_filter),
    route("GET", "/destination/<id>/filters/<filter>", get_filter),
    route("PATCH", "/destination/<id>/filters/<filter>", update_filter),
    route("DELETE", "/destination/<id>/filters/<filter>", delete_filter),
]
