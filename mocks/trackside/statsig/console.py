"""The Console API: what its endpoints have in common, events read back, and unit ID types.

Its changes go into the specs and ID lists that SDKs download. `console_gates`, `console_configs`, `console_experiments`
and `console_segments` hold the rest of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from trackside import catalog
from trackside.errors import TracksideError
from trackside.statsig.encodings import body_object
from trackside.statsig.values import number_text, shown
from trackside.steps import Record, Step
from trackside.times import in_ms
from trackside.wire import Answer, Request, Route, json_answer

if TYPE_CHECKING:
    from trackside.statsig.specs import Spec
    from trackside.statsig.store import Statsig

BASE = "/console/v1"
INVALID = "Invalid request. Please check the request input and try again."
PAGE_SIZE = 100
"""Rows of a page where the request does not say."""

Body: TypeAlias = dict[str, Any]
Function: TypeAlias = Callable[[Request, Any, Body], Answer]


class NotFoundError(Exception):
    """What the path names does not exist."""


def route(methods: str, path: str, function: Function, contract: str = "") -> Route[Any]:
    """Return a route of the Console API: the key is looked at, then the body, and errors have the API's shape.

    401 for a key that is no Console API key of the project, 403 without a key (statsig.console.key), 400 for a body that
    breaks its contract (statsig.console.body), 404 for what does not exist (statsig.console.not-found).

    Args:
        methods: such as ``"POST PATCH"``.
        path: after ``/console/v1``.
        function: takes the request, the live state and the body, an empty one where there is none.
        contract: of the body; a body that comes without one is not looked at.
    """

    def endpoint(request: Request, live: Statsig) -> Answer:
        if answer := _refused(request, live):
            return answer
        body, steps = _body(request, contract) if contract else ({}, [])
        if steps:
            return error(400, INVALID, steps)
        try:
            return function(request, live, body)
        except TracksideError as fault:
            step = Step("fault", "statsig.console.body", fault.what, fault.where, fault.fix, "error")
            return error(400, f"{fault.what}. {fault.fix}", [step])
        except NotFoundError:
            text, fix = (
                f"there is no {request.path.removeprefix(BASE)}",
                "make it first, or declare it in the workspace",
            )
            step = Step("info", "statsig.console.not-found", text, request.path, fix, "note")
            return error(404, "Not Found. The requested resource could not be found.", [step])

    endpoint.__doc__ = function.__doc__
    return Route(tuple(methods.split()), BASE + path, endpoint, live=True, contract=contract)


def _refused(request: Request, live: Statsig) -> Answer | None:
    key, where = request.headers.get("statsig-api-key", ""), "statsig-api-key header"
    fix = "send the console_key of the workspace"
    if not key:
        step = Step("fault", "statsig.console.key", "the request carries no key", where, fix, "error")
        return error(403, "Forbidden resource", [step])
    kind = live.key_kind(key)
    if kind == "console_key" or (live.settings.any_key and not kind):
        return None
    text = f"the key in the {where} is {'one for SDKs' if kind else 'none of the project'}"
    step = Step("fault", "statsig.console.key", text, where, fix, "error")
    told = "This endpoint only accepts an active CONSOLE key, but an invalid key was sent. Key: ***"
    return error(401, told, [step])


def _body(request: Request, contract: str) -> tuple[Body, list[Step]]:
    if not request.body and request.method != "POST":  # a body that may be left out
        return {}, []
    body, fault = body_object(request, "statsig.console.body")
    return body, [fault] if fault else [catalog.as_step(one) for one in catalog.faults(contract, body)]


def error(status: int, message: str, steps: list[Step]) -> Answer:
    """Return an error as the Console API words it: ``{"status", "message"}``."""
    return json_answer(status, {"status": status, "message": message}, steps=steps)


def told(message: str, data: Any = None, status: int = 200, **more: Any) -> Answer:
    """Return ``{"message", "data"}``, without data where there is none."""
    value = {"message": message, **({} if data is None else {"data": data}), **more}
    return json_answer(status, value)


def page(request: Request, message: str, rows: Iterable[Any], *, counted: bool = True) -> Answer:
    """Return one page of rows, as ``limit`` and ``page`` in the query ask, with ``pagination`` (statsig.console.pages).

    Args:
        request: as it came.
        message: of the answer.
        rows: all of them.
        counted: whether to count them; events are too many.

    Raises:
        TracksideError: ``limit`` or ``page`` is no whole number above 0.
    """
    limit, number = _whole(request, "limit", PAGE_SIZE), _whole(request, "page", 1)
    rows = list(rows) if counted else rows
    found = list(islice(rows, (number - 1) * limit, number * limit + 1))

    def at(other: int, there: bool) -> str | None:
        return f"{request.path}?page={other}&limit={limit}" if there else None

    pagination = {
        "itemsPerPage": limit,
        "pageNumber": number,
        **({"totalItems": len(rows)} if isinstance(rows, list) else {}),
        "nextPage": at(number + 1, len(found) > limit),
        "previousPage": at(number - 1, number > 1),
        "all": request.path,
    }
    return told(message, found[:limit], pagination=pagination)


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not text.isdecimal() or len(text) > 6 or int(text) < 1:
        raise TracksideError(f"{name} is {shown(text)}", f"?{name}=", "give a whole number above 0")
    return int(text)


# ---- what it keeps beside specs


def more_of(live: Statsig, kind: str, name: str) -> Body:
    """Return what the Console API keeps of a spec that SDKs do not read: its description, tags, times; to be changed in place."""
    kept: Body = live.console.setdefault(kind, {}).setdefault(name, {})
    return kept


def touched(live: Statsig, kind: str, name: str, request: Request, body: Body, fields: Iterable[str]) -> None:
    """Keep these fields of a body, and the moment."""
    now, kept = in_ms(request.at), more_of(live, kind, name)
    kept.setdefault("createdTime", now)
    kept["lastModifiedTime"] = now
    kept.update({field: body[field] for field in fields if field in body})


def head(live: Statsig, kind: str, spec: Spec) -> Body:
    """Return what the rows of gates, configs, experiments and layers begin with."""
    kept = live.console.get(kind, {}).get(spec["name"], {})
    return {
        "id": spec["name"],
        "name": kept.get("name", spec["name"]),
        "description": kept.get("description", ""),
        "idType": spec["idType"],
        "lastModifierID": "trackside",
        "lastModifiedTime": kept.get("lastModifiedTime", live.time),
        "lastModifierName": "CONSOLE API",
        "lastModifierEmail": None,
        "creatorID": "trackside",
        "createdTime": kept.get("createdTime", live.time),
        "creatorName": "CONSOLE API",
        "creatorEmail": kept.get("creatorEmail"),
        "targetApps": kept.get("targetApps", []),
        "holdoutIDs": [],
        "tags": kept.get("tags", []),
        "team": kept.get("team"),
        "version": spec.get("version", 1),
    }


# ---- events


def list_events(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return the custom events that Statsig keeps, the latest first; with ``eventName`` in the path only those (statsig.console.events).

    Rows are ``{"timestamp", "name", "source", "value", "userID", "metadata"}``, the first five text.
    """
    name = request.params.get("eventName")
    events = (one for one in live.records() if "kind" not in one and name in (None, one["eventName"]))
    return page(request, "Event values listed successfully.", map(_event_row, events), counted=False)


def _event_row(event: Record) -> Body:
    value = event.get("value")
    text = value if isinstance(value, str) else "" if value is None else number_text(value)
    return {
        "timestamp": str(event["time"]),
        "name": event["eventName"],
        "source": event.get("statsigMetadata", {}).get("sdkType", ""),
        "value": text,
        "userID": event["user"].get("userID") or "",
        "metadata": event["metadata"],
    }


# ---- unit ID types


def list_unit_ids(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return the ID types of the project beside ``userID`` and ``stableID`` (statsig.console.unit-id-types)."""
    return page(request, "Unit ID Types listed successfully.", _unit_ids(live).values())


def create_unit_id(_request: Request, live: Statsig, body: Body) -> Answer:
    """Make an ID type and return its row."""
    if body["name"] in _unit_ids(live):
        raise TracksideError(f"the unit ID type {shown(body['name'])} exists", "$.name", "choose another name")
    row = {"name": body["name"], "description": body.get("description", "")}
    live.console.setdefault("unit_id_types", {})[body["name"]] = row
    return told("Unit ID Type created successfully.", row, 201)


def read_unit_id(request: Request, live: Statsig, _body: Body) -> Answer:
    """Return one ID type; 400 for one that the project does not have."""
    return told("Unit ID Type read successfully.", _unit_id(request, live))


def update_unit_id(request: Request, live: Statsig, body: Body) -> Answer:
    """Change what an ID type is said to be."""
    row = {**_unit_id(request, live), "description": body["description"]}
    live.console.setdefault("unit_id_types", {})[row["name"]] = row
    return told("Unit ID Type updated successfully.", row)


def delete_unit_id(request: Request, live: Statsig, _body: Body) -> Answer:
    """Take an ID type away: nothing is joined by it any more."""
    live.console.setdefault("unit_id_types", {})[_unit_id(request, live)["name"]] = None
    return told("Unit ID Type deleted successfully.")


def _unit_id(request: Request, live: Statsig) -> Body:
    name, rows = request.params["id"], _unit_ids(live)
    if name not in rows:
        fix = f"make it first; known are: {', '.join(rows) or 'none'}"
        raise TracksideError(f"there is no unit ID type {shown(name)}", request.path, fix)
    return rows[name]


def _unit_ids(live: Statsig) -> dict[str, Body]:
    """Return the ID types beside those that every project has; one that was deleted is kept as None."""
    declared: dict[str, Body | None] = {name: {"name": name, "description": ""} for name in live.settings.id_types}
    rows = {**declared, **live.console.get("unit_id_types", {})}
    return {name: row for name, row in rows.items() if row is not None}


ROUTES: list[Route[Any]] = [
    route("GET", "/events", list_events),
    route("GET", "/events/<eventName>", list_events),
    route("GET", "/unit_id_types", list_unit_ids),
    route("POST", "/unit_id_types", create_unit_id, "statsig/console-unit-id-type"),
    route("GET", "/unit_id_types/<id>", read_unit_id),
    route("PATCH", "/unit_id_types/<id>", update_unit_id, "statsig/console-unit-id-type-update"),
    route("DELETE", "/unit_id_types/<id>", delete_unit_id),
]
