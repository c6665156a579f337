"""The Admin API: who may call it, where it stands, and how it answers; the calls themselves are in the other files."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import orjson

from trackside import catalog
from trackside.errors import TracksideError
from trackside.split.admin_state import WORKSPACE, id_of, named
from trackside.split.changes import Environment
from trackside.split.store import Split
from trackside.steps import Level, Record, Step
from trackside.times import in_ms
from trackside.wire import Answer, Request, Route, json_answer

BASES = ("/internal/api/v2",)
BASES_V3 = ("/internal/api/v3", "/api/v3")
"""Where flag sets are; the client's own default is the second (split.admin.path)."""

PAGE = 20
LONGEST_PAGE = 200
LIMITS = {
    "X-RateLimit-Remaining-Org": "100",
    "X-RateLimit-Remaining-IP": "100",
    "X-RateLimit-Reset-Seconds-Org": "60",
    "X-RateLimit-Reset-Seconds-IP": "60",
}
"""The headers of the vendor's rate limits, which nothing here uses up (split.admin.rate-limits)."""


Row = TypeVar("Row")


class RefusedError(Exception):
    """A call that is refused: its status, why, and where the fault is (split.admin.errors)."""

    def __init__(self, status: int, text: str, at: str = "$", fix: str = "") -> None:
        super().__init__(text)
        self.status = status
        level: Level = "note" if status in (404, 409) else "error"  # a harness looks whether something is there
        self.step = Step("fault", "split.admin.errors", text, at, fix or _FIXES[status], level)


_FIXES = {
    400: "send what the vendor's page on this call shows",
    401: "send the workspace's split.admin_key as Authorization: Bearer or as x-api-key",
    404: "list what there is, and use its id or name",
    409: "use another name, or change what is there",
}


@dataclass(slots=True)
class Call:
    """One call to the Admin API.

    Attributes:
        request: as it came.
        live: Split's live state.
        contract: of the body; empty for none.
        steps: what a person should know of.
        records: what is kept.
    """

    request: Request
    live: Split
    contract: str = ""
    steps: list[Step] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    @property
    def now(self) -> int:
        """When it was received, epoch milliseconds."""
        return in_ms(self.request.at)

    def parsed(self) -> Any:
        """Return the parsed body.

        Raises:
            RefusedError: 400, it is not JSON.
        """
        try:
            return self.request.json()
        except orjson.JSONDecodeError as error:
            raise RefusedError(400, f"the body is not JSON: {error}") from error

    def body(self, *wanted: type[Any]) -> Any:
        """Return the parsed body, of one of these types.

        Raises:
            RefusedError: 400, it is not JSON, of another type, or breaks its contract.
        """
        payload = self.parsed()
        for fault in catalog.faults(self.contract, payload, 1) if self.contract else ():
            raise RefusedError(400, fault.what, fault.at, fault.fix)
        if not isinstance(payload, wanted):
            raise RefusedError(400, "the body is of another kind than this call takes")
        return payload

    def param(self, name: str) -> str:
        """Return a part of the path."""
        return self.request.params[name]

    def workspace(self) -> str:
        """Return the workspace's id; there is only one (split.admin.workspaces).

        Raises:
            RefusedError: 404, the path names another one.
        """
        wanted = self.param("ws")
        if wanted not in (WORKSPACE, id_of("workspace", WORKSPACE)):
            raise RefusedError(404, f"there is no workspace {wanted!r}", "workspace")
        return id_of("workspace", WORKSPACE)

    def environment(self) -> Environment:
        """Return the environment that the path names by id or name.

        Raises:
            RefusedError: 404, there is none.
        """
        wanted = self.param("env")
        name = named("environment", wanted, self.live.environments)
        if name is None:
            raise RefusedError(404, f"there is no environment {wanted!r}", "environment")
        return self.live.environments[name]

    def traffic_type(self) -> str:
        """Return the name of the traffic type that the path names by id or name.

        Raises:
            RefusedError: 404, there is none.
        """
        wanted = self.param("tt")
        name = named("trafficType", wanted, traffic_types(self.live))
        if name is None:
            raise RefusedError(404, f"there is no traffic type {wanted!r}", "traffic type")
        return name

    def page(
        self, rows: Sequence[Row], show: Callable[[Row], Any], name: str = "objects", count: str = "totalCount"
    ) -> dict[str, Any]:
        """Return the part of a list that the query's ``offset`` and ``limit`` ask for (split.admin.paging).

        Args:
            rows: all of them.
            show: gives what is shown of one.
            name: of the list in the answer.
            count: the answer's name for how many there are in all.
        """
        offset, limit = self.number("offset", 0, len(rows)), self.number("limit", PAGE, LONGEST_PAGE)
        shown = [show(row) for row in rows[offset : offset + limit]]
        return {name: shown, "offset": offset, "limit": limit, count: len(rows)}

    def number(self, name: str, otherwise: int, most: int) -> int:
        """Return a whole number of the query, at most ``most``.

        Raises:
            RefusedError: 400, it is none.
        """
        written = self.request.query.get(name, "")
        if not written:
            return otherwise
        if not (written.isascii() and written.isdigit() and len(written) < 10):
            raise RefusedError(400, f"{name} is {written!r}", name, "send a whole number")
        return min(int(written), most)


Act: TypeAlias = Callable[[Call], Any]


def route(
    method: str, path: str, act: Act, status: int = 200, contract: str = "", bases: tuple[str, ...] = BASES
) -> list[Route[Split]]:
    """Return the routes of one call: its answer has the rate limits' headers and, with 204, no body.

    Args:
        method: such as ``GET``.
        path: under the base.
        act: gives the answer's body; refuses by `RefusedError`.
        status: of success.
        contract: of the request's body.
        bases: where the call stands.
    """

    @functools.wraps(act)
    def endpoint(request: Request, live: Split) -> Answer:
        call = Call(request, live, contract)
        try:
            _check_key(request, live)
            value = act(call)
        except (RefusedError, TracksideError) as error:
            refused = (
                error if isinstance(error, RefusedError) else RefusedError(400, error.what, error.where, error.fix)
            )
            told = {"code": refused.status, "message": refused.step.text, "details": refused.step.fix}
            return json_answer(refused.status, told, headers=dict(LIMITS), steps=[refused.step])
        if status == 204:
            return Answer(204, headers=dict(LIMITS), steps=call.steps, records=call.records)
        return json_answer(status, value, headers=dict(LIMITS), steps=call.steps, records=call.records)

    return [Route((method,), base + path, endpoint, live=True, contract=contract) for base in bases]


def _check_key(request: Request, live: Split) -> None:
    """Refuse a call without a key, or with another one than the workspace declares (split.admin.key)."""
    sent, declared = request.bearer() or request.headers.get("x-api-key"), live.settings.admin_key
    if not sent or (declared and sent != declared and not live.settings.any_key):
        raise RefusedError(
            401, "the Admin API key is not valid" if sent else "there is no Admin API key", "Authorization"
        )


def patched(row: dict[str, Any], call: Call, fields: dict[str, type[Any]]) -> dict[str, Any]:
    """Return what a PATCH makes of an object: JSON Patch operations, or the fields themselves (split.admin.patch).

    Args:
        row: as it stands.
        call: with its body.
        fields: those that may be changed, and of which type.

    Raises:
        RefusedError: 400, another operation, another field or another type.
    """
    found: dict[str, Any] = {}
    payload = call.body(dict, list)
    for one in payload if isinstance(payload, list) else ():
        if not isinstance(one, dict) or one.get("op") not in ("replace", "add") or "value" not in one:
            raise RefusedError(400, f"{one!r} is no operation that can be done here", "$", "send replace with a value")
        found[str(one.get("path")).removeprefix("/")] = one["value"]
    for name, value in (found if isinstance(payload, list) else payload).items():
        if not isinstance(value, fields.get(name, ())):
            raise RefusedError(
                400, f"{name} cannot be changed to {value!r}", f"$.{name}", f"change {', '.join(fields)}"
            )
        row = {**row, name: value}
    return row


# ---- what definitions name


def environment_ref(name: str) -> dict[str, str]:
    """Return an environment as definitions name it."""
    return {"id": id_of("environment", name), "name": name}


def traffic_types(live: Split) -> list[str]:
    """Return the names of the traffic types: declared, mapped, used by flags, and made by the API."""
    mapped = (name for inbound in live.settings.segment_inbound for name in inbound.identities.values())
    used = (row["trafficTypeName"] for state in live.environments.values() for row in state.flags.active())
    names = dict.fromkeys([*live.settings.traffic_types, *mapped, *used, *live.admin.traffic_types])
    return [name for name in names if name not in live.admin.gone]


def traffic_type_ref(name: str) -> dict[str, str]:
    """Return a traffic type as definitions name it."""
    return {"id": id_of("trafficType", name), "name": name}
