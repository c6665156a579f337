"""Segment's Public API: the workspace's Segment block, read and changed by other programs.

What is here is common to its endpoints: the token, the envelope, pages, errors, and the way into the workspace. A change
puts a new workspace in force, so that routing, the control API and every later message see it; flags stay as they stand.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any

import orjson

from trackside.errors import TracksideError, WorkspaceError
from trackside.segment.ids import plan_id, stable_id
from trackside.steps import Step
from trackside.wire import JSON, Answer, Request, Route

if TYPE_CHECKING:
    from trackside.segment.routes import Segment
    from trackside.workspace import Workspace

PAGE, LARGEST_PAGE = 200, 1_000
_LEVELS_AROUND = 16
"""Levels that the workspace, or an answer, may have around what a body holds: orjson writes 254 in all."""

_MEDIA = "application/vnd.segment."
_BODIES = ("POST", "PUT", "PATCH")


def _not_wired(*_: Any) -> Any:
    raise TracksideError("no lab is behind the Public API", "segment", "call the port of a running lab")


@dataclass(slots=True)
class Api:
    """The way from the Public API into a lab's workspace; the lab sets the two functions.

    Attributes:
        workspace: gives what is in force.
        put: puts another Segment block in force.
        more: of each source by name, what the workspace has no place for: ``metadataId`` and ``settings``.
    """

    workspace: Callable[[], Workspace] = _not_wired
    put: Callable[[Mapping[str, Any]], None] = _not_wired
    more: dict[str, dict[str, Any]] = field(default_factory=dict)


class Refused(Exception):  # noqa: N818 - an answer of the API, not an error of trackside
    """What the API answers instead of data (segment.public-api.errors)."""

    def __init__(self, status: int, kind: str, message: str, where: str = "") -> None:
        super().__init__(message)
        self.status, self.kind, self.message, self.where = status, kind, message, where


def invalid(where: str, message: str) -> Refused:
    """Return the refusal of an input, naming its field."""
    return Refused(422, "input-validation", message, where)


def missing(what: str, named: str) -> Refused:
    """Return the refusal of an id that nothing has."""
    return Refused(404, "not-found", f"there is no {what} with the id {named}")


def row_with(id_: str, rows: Sequence[dict[str, Any]], what: str) -> dict[str, Any]:
    """Return the row that has an id.

    Raises:
        Refused: none has it.
    """
    for row in rows:
        if row["id"] == id_:
            return row
    raise missing(what, id_)


class Call:
    """One request to the API, with the Segment block that it reads and may change."""

    def __init__(self, request: Request, api: Api) -> None:
        self.request = request
        self.api = api
        self.params = request.params

    @cached_property
    def block(self) -> dict[str, Any]:
        """The Segment block, as a copy to change; `put` puts it in force."""
        block: dict[str, Any] = orjson.loads(orjson.dumps(self.api.workspace().document.get("segment", {})))
        for name in ("sources", "destinations", "tracking_plans"):
            block.setdefault(name, {})
        return block

    def put(self) -> None:
        """Put the changed block in force (segment.public-api.workspace).

        Raises:
            Refused: the workspace cannot be so.
        """
        try:
            self.api.put({name: value for name, value in self.block.items() if value != {}})
        except WorkspaceError as error:
            fault = error.faults[0]
            raise invalid(fault.where.rpartition(" ")[2], f"{fault.what}; {fault.fix}") from error

    @cached_property
    def body(self) -> dict[str, Any]:
        """The request's JSON object."""
        try:
            body = self.request.json()
            orjson.dumps(reduce(lambda inner, _level: [inner], range(_LEVELS_AROUND), body))
        except orjson.JSONDecodeError as error:
            raise invalid("", f"the body is not JSON: {error.msg}") from error
        except orjson.JSONEncodeError as error:
            raise invalid("", "the body is nested too deeply to be part of the workspace") from error
        if not isinstance(body, dict):
            raise invalid("", "the body is not a JSON object")
        return body

    def given(self, name: str, kind: type, otherwise: Any = None, *, needed: bool = False) -> Any:
        """Return a field of the body, checked (segment.public-api.errors)."""
        value = self.body.get(name)
        if value is None:
            if needed:
                raise invalid(name, f'"{name}" is required')
            return otherwise
        if not isinstance(value, kind) or (needed and value == ""):
            raise invalid(name, f'"{name}" must be {_KINDS[kind]}')
        return value

    def source(self, id_: str, where: str = "") -> str:
        """Return the name of the source with an id."""
        return self._named("sources", id_, "source", where, lambda name: stable_id("source", name))

    def destination(self, id_: str) -> str:
        """Return the name of the destination with an id."""
        return self._named("destinations", id_, "destination", "", lambda name: stable_id("destination", name))

    def plan(self, id_: str) -> str:
        """Return the name of the tracking plan with an id."""
        return self._named("tracking_plans", id_, "tracking plan", "", plan_id)

    def _named(self, rows: str, id_: str, what: str, where: str, id_of: Callable[[str], str]) -> str:
        for name in self.block[rows]:
            if id_of(name) == id_:
                return str(name)
        raise invalid(where, f"there is no {what} with the id {id_}") if where else missing(what, id_)

    def page(self, name: str, rows: Sequence[Any]) -> dict[str, Any]:
        """Return a page of rows as the query asks for it (segment.public-api.pages)."""
        count, cursor = self._asked("count"), self._asked("cursor")
        size = _whole(count, PAGE)
        if not 1 <= size <= LARGEST_PAGE:
            raise invalid("pagination.count", f'"pagination.count" must be a whole number from 1 to {LARGEST_PAGE}')
        start = _offset(cursor)
        told: dict[str, Any] = {"current": _cursor(start), "totalEntries": len(rows)}
        if start + size < len(rows):
            told["next"] = _cursor(start + size)
        if start:
            told["previous"] = _cursor(max(0, start - size))
        return {name: list(rows[start : start + size]), "pagination": told}

    def _asked(self, name: str) -> str:
        """Return a pagination parameter, in the documented form or in that of Segment's own client."""
        query = self.request.query
        return query.get(f"pagination.{name}") or query.get(f"pagination[{name}]") or ""


_KINDS = {str: "a string", bool: "a boolean", dict: "an object", list: "an array"}


def _whole(text: str, otherwise: int) -> int:
    """Return a text's whole number; ``otherwise`` for no text, 0 for one that is no number."""
    if not text:
        return otherwise
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0


def _cursor(offset: int) -> str:
    return base64.b64encode(str(offset).encode()).decode()


def _offset(cursor: str) -> int:
    try:
        text = base64.b64decode(cursor, validate=True).decode("ascii") or "0"
    except (binascii.Error, ValueError):
        text = "no base64"
    offset = _whole(text, 0)
    if not text.isdecimal():
        raise invalid("pagination.cursor", '"pagination.cursor" is none that a page gave')
    return offset


Handler = Callable[[Call], dict[str, Any]]


def route(method: str, path: str, handler: Handler, status: int = 200) -> Route[Segment]:
    """Return the route of an endpoint; it gives the data of the answer, or raises `Refused`."""

    def endpoint(request: Request, segment: Segment) -> Answer:
        try:
            _check_token(request, segment)
            call = Call(request, segment.api)
            if method in _BODIES:
                _ = call.body
            return _enveloped(status, {"data": handler(call)}, request)
        except Refused as refused:
            return _refusal(refused, request)

    endpoint.__doc__ = handler.__doc__
    return Route((method,), path, endpoint)


def _check_token(request: Request, segment: Segment) -> None:
    """Refuse a request without the workspace's token (segment.public-api.token)."""
    token, wanted = request.bearer(), segment.settings.public_api_token
    if not token:
        raise Refused(401, "unauthorized", "the request has no bearer token", "Authorization")
    if token != wanted and not segment.any_key:
        raise Refused(401, "unauthorized", "the token is not the workspace's", "Authorization")


def _refusal(refused: Refused, request: Request) -> Answer:
    told = {"type": refused.kind, "message": refused.message}
    if refused.status == 422 and refused.where:
        told["field"] = refused.where
    answer = _enveloped(refused.status, {"errors": [told]}, request)
    rule = "segment.public-api.token" if refused.status == 401 else "segment.public-api.errors"
    fix = _FIXES.get(refused.status, "correct it, and send it again")
    answer.steps = [Step("fault", rule, refused.message, refused.where or request.path, fix, "error", refused.kind)]
    return answer


_FIXES = {
    401: "send segment.public_api_token as bearer token",
    404: "ask the list for the ids that there are",
}


def unknown_path(request: Request) -> Answer:
    """Return the API's answer to a path that the lab does not have (segment.public-api.unknown-path)."""
    told = {"type": "not-found", "message": f"{request.method} {request.path} does not exist"}
    return _enveloped(404, {"errors": [told]}, request)


def _enveloped(status: int, value: Mapping[str, Any], request: Request) -> Answer:
    """Return JSON in the media type that was asked for (segment.public-api.envelope)."""
    accepted = [one.partition(";")[0].strip() for one in request.headers.get("accept", "").split(",")]
    media = next((one for one in accepted if one.startswith(_MEDIA) or one == JSON), JSON)
    return Answer(status, orjson.dumps(value), {"Content-Type": media})
