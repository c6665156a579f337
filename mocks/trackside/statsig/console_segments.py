"""The Console API's segments, and the ID lists of those that are lists: running SDKs read them by range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackside.errors import TracksideError
from trackside.statsig.console import Body, NotFoundError, page, route, told, touched
from trackside.statsig.console_rules import as_rows, as_rules, identifier
from trackside.statsig.id_lists import IdList
from trackside.statsig.specs import SEGMENT, spec
from trackside.wire import Answer, Request, Route

if TYPE_CHECKING:
    from trackside.statsig.store import Statsig


def list_segments(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return the segments of the project (statsig.console.segments)."""
    return page(request, "Segments listed successfully.", [_row(live, name) for name in live.segments()])


def create_segment(request: Request, live: Statsig, body: Body) -> Answer:
    """Make a segment of type ``id_list`` or ``rule_based`` and return its row with 201; other types are not emulated."""
    name, id_type = str(body.get("id") or identifier(body["name"])), body.get("idType", "userID")
    if live.segment(name):
        raise TracksideError(f"the segment {name} exists", "$.name", "choose another name")
    if body["type"] == "id_list":
        live.change_list(name, id_type=id_type)
    elif body["type"] == "rule_based":
        rules = as_rules(body.get("rules", ()), "$.rules", id_type)
        live.put("gate", spec(f"{SEGMENT}{name}", "segment", False, rules, id_type))
    else:
        raise TracksideError(f"the type {body['type']} is not emulated", "$.type", "use id_list or rule_based")
    touched(live, "segment", name, request, body, ("description", "tags"))
    return told("Segment created successfully.", _row(live, name), 201)


def read_segment(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return one segment."""
    return told("Segment read successfully.", _row(live, _name(request, live)))


def delete_segment(request: Request, live: Statsig, _body: Body) -> Answer:
    """Take a segment away, with its list."""
    name = _name(request, live)
    live.remove_list(name)
    live.console.get("segment", {}).pop(name, None)
    return told("Segment deleted successfully.")


def read_ids(_request: Request, live: Statsig, _body: Body) -> Answer:
    """Return the IDs of a list: ``{"name", "count", "ids"}``."""
    held = _list(_request, live)
    return told("Segments listed successfully.", {"name": held.name, "count": len(held.ids), "ids": list(held.ids)})


def add_ids(request: Request, live: Statsig, body: Body) -> Answer:
    """Add IDs to a list (statsig.console.id-lists)."""
    live.change_list(_list(request, live).name, add=_ids(body))
    return told("IDs successfully added to Segment ID List")


def remove_ids(request: Request, live: Statsig, body: Body) -> Answer:
    """Take IDs out of a list; the document shows no body, and one with ``ids`` is asked for (statsig.console.id-lists.delete)."""
    live.change_list(_list(request, live).name, remove=_ids(body))
    return told("IDs successfully removed from Segment ID List")


def reset_ids(request: Request, live: Statsig, body: Body) -> Answer:
    """Let a list hold these IDs only; SDKs get a new file."""
    live.reset_list(_list(request, live).name, body.get("ids", ()))
    return told("Segment Reset reset successfully.")


def _ids(body: Body) -> list[str]:
    if "ids" not in body:
        raise TracksideError("ids is missing", "$.ids", 'send {"ids": [...]}')
    ids: list[str] = body["ids"]
    return ids


def _name(request: Request, live: Statsig) -> str:
    name = request.params["id"]
    if live.segment(name) is None:
        raise NotFoundError
    return name


def _list(request: Request, live: Statsig) -> IdList:
    held = live.id_list(_name(request, live))
    if held is None:
        raise TracksideError(f"the segment {request.params['id']} is no ID list", request.path, "name one that is")
    return held


def _row(live: Statsig, name: str) -> Body:
    held, one = live.id_list(name), live.segment(name) or {}
    kept = live.console.get("segment", {}).get(name, {})
    row = {
        "id": name,
        "isEnabled": one.get("enabled", True),
        "description": kept.get("description", ""),
        "idType": one.get("idType", "userID"),
        "lastModifierName": "CONSOLE API",
        "lastModifierID": "trackside",
        "lastModifiedTime": kept.get("lastModifiedTime", live.time),
        "type": "id_list" if held else "rule_based",
        "count": len(held.ids) if held else 0,
        "tags": kept.get("tags", []),
    }
    return row if held else {**row, "rules": as_rows(one)}


ROUTES: list[Route[Any]] = [
    route("GET", "/segments", list_segments),
    route("POST", "/segments", create_segment, "statsig/console-segment"),
    route("GET", "/segments/<id>", read_segment),
    route("DELETE", "/segments/<id>", delete_segment),
    route("GET", "/segments/<id>/id_list", read_ids),
    route("PATCH", "/segments/<id>/id_list", add_ids, "statsig/console-ids"),
    route("DELETE", "/segments/<id>/id_list", remove_ids, "statsig/console-ids"),
    route("POST", "/segments/<id>/id_list/reset", reset_ids, "statsig/console-ids"),
]
