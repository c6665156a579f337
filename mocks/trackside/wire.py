"""Requests and answers as the vendors' endpoint functions see them.

An endpoint is a plain function from a decoded `Request` to an `Answer`; `trackside.server` mounts these on Flask, and
`trackside.delivery` calls them directly for a delivery inside the lab. Nothing here knows Flask.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import orjson

from trackside.steps import Record, Step

if TYPE_CHECKING:
    from trackside.live import Live, Lock
    from trackside.sdks import Sdk
    from trackside.streams import Stream

JSON = "application/json"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""The names by which a machine reaches only itself."""

LEVELS = 254
"""The most levels of objects and arrays that orjson writes."""


@dataclass(slots=True)
class Request:
    """One HTTP request, body decoded from its content encoding.

    Attributes:
        method: upper case.
        path: without query string.
        headers: names in lower case.
        body: the bytes after gzip was undone; what the wire carried if undoing failed (see `undecodable`).
        query: the first value of each query parameter.
        params: the parts of the path that the route names, such as ``client_side_id``.
        at: when it was received, epoch seconds on the lab's clock.
        undecodable: why the body could not be decoded; empty when it could.
        remote: the address that the connection came from.
        payload: the body parsed, of a request that the lab makes itself and has it at hand; None else.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    query: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    at: float = 0.0
    undecodable: str = ""
    remote: str = "127.0.0.1"
    payload: Any = None

    def json(self, levels: int = LEVELS) -> Any:
        """Return the body parsed as JSON, whatever its content type says.

        Args:
            levels: that it may have at most, where what is kept or sent of it has more than the body.

        Raises:
            orjson.JSONDecodeError: the body is not JSON, or has over 254 levels, so that it could not be passed on.
        """
        value = orjson.loads(self.body)
        if self.body.count(b"{") + self.body.count(b"[") > levels:
            held = value
            for _ in range(LEVELS - levels):
                held = [held]
            try:
                orjson.dumps(held)
            except orjson.JSONEncodeError as error:
                raise orjson.JSONDecodeError(f"it has over {levels} levels", "", 0) from error
        return value

    @property
    def shown_path(self) -> str:
        """The path as logs and reports show it: a secret key that stands in it is named, not repeated.

        >>> Request("GET", "/v1/get_id_lists/s-1.json", params={"secret": "s-1"}).shown_path
        '/v1/get_id_lists/<secret>.json'
        """
        secret = self.params.get("secret")
        return self.path.replace(secret, "<secret>") if secret else self.path

    def basic_user(self) -> str | None:
        """Return the user name of ``Authorization: Basic``, also when the colon is missing; None without one."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            text = base64.b64decode(value.strip() + "=" * (-len(value.strip()) % 4), validate=True).decode()
        except ValueError:  # no base64, or no UTF-8 in it
            return None
        return text.partition(":")[0]

    def bearer(self) -> str | None:
        """Return the token of ``Authorization: Bearer``; None without one."""
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        return value.strip() if scheme.lower() == "bearer" else None


@dataclass(frozen=True, slots=True)
class Intake:
    """What Segment's ingest decided on arrival; all else about the calls is derived from the body when it is read.

    Attributes:
        source: the source that the write key belongs to; empty where no source has it.
        kind: the call type that the path names; empty for a batch.
        calls: how many calls were accepted behind the answer.
        duplicates: the positions of calls whose messageId came before.
        valid: whether the body keeps its contract.
    """

    source: str = ""
    kind: str = ""
    calls: int = 0
    duplicates: tuple[int, ...] = ()
    valid: bool = True


@dataclass(slots=True)
class Answer:
    """What an endpoint answers, and what the vendor made of the request.

    Attributes:
        status: the HTTP status.
        body: the bytes sent.
        headers: headers to send beside ``Content-Length`` and ``Date``.
        records: what the vendor keeps of this request.
        steps: each drop, cut, rename, fault or assumption on the way, with its rule id.
        intake: for Segment's ingest only.
        delay: seconds that a caller over HTTP waits for it (a fault that the lab was told to have).
        told: whether it cannot be derived from the request again: the lab was told to give it, or it depends on the
            vendor's live state. Its steps and records are then kept with it.
        stream: goes on after the body, until it is ended or the client is gone.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    intake: Intake | None = None
    delay: float = 0.0
    told: bool = False
    stream: Stream | None = None


def json_answer(status: int, value: object, **more: Any) -> Answer:
    """Return an answer whose body is ``value`` as JSON."""
    headers = {"Content-Type": JSON, **more.pop("headers", {})}
    return Answer(status, orjson.dumps(value), headers, **more)


State = TypeVar("State")
Endpoint = Callable[[Request, State], Answer]


@dataclass(frozen=True, slots=True)
class Route(Generic[State]):
    """One path of a vendor and the plain function behind it.

    Attributes:
        methods: such as ``("GET", "HEAD")``.
        path: literal, with ``<name>`` for a part that the function wants, such as ``/events/bulk/<client_side_id>``, and
            ``<path:name>`` for one that may hold slashes.
        endpoint: takes the request and the vendor's settings, and is pure: what it gives is derived again when somebody
            reads it. A live one takes the vendor's live state instead, and is called once.
        browser: whether browsers call it: it then answers CORS preflights.
        live: whether the endpoint takes the vendor's live state.
        contract: the contract of its request body, such as ``split/impressions``; findings tell where it is broken.
        plain: gives the body to hold against it, and why there is none, where SDKs encode it in a way of their own.
        after: looks at the answer of a pure endpoint with the vendor's live state; gives that answer, or in its place
            another one, which is told: to a repeat of what came before, say. The usual answer stays derived.
    """

    methods: tuple[str, ...]
    path: str
    endpoint: Endpoint[State]
    browser: bool = False
    live: bool = False
    contract: str = ""
    plain: Callable[[Request], tuple[bytes, str]] | None = None
    after: Callable[[Request, Answer, Any], Answer] | None = None


class Router(Generic[State]):
    """Finds the route of a method and path: literal paths first, then those with ``<name>`` parts."""

    def __init__(self, routes: list[Route[State]]) -> None:
        self.routes = routes
        self._literal: dict[str, list[Route[State]]] = {}
        self._patterns: list[tuple[re.Pattern[str], Route[State]]] = []
        for route in routes:
            if "<" in route.path:
                pattern = re.sub(r"<path:(\w+)>", r"(?P<\1>.+)", route.path)
                pattern = re.sub(r"(?<!\?P)<(\w+)>", r"(?P<\1>[^/]+)", pattern)
                self._patterns.append((re.compile(pattern), route))
            else:
                self._literal.setdefault(route.path, []).append(route)

    def find(self, method: str, path: str) -> tuple[Route[State], dict[str, str]] | None:
        """Return the route and its path parameters, or None where there is none for this method."""
        for route in self._literal.get(path, ()):
            if method in route.methods:
                return route, {}
        for pattern, route in self._patterns:
            if method in route.methods and (match := pattern.fullmatch(path)):
                return route, match.groupdict()
        return None

    def at(self, path: str) -> list[Route[State]]:
        """Return every route that a path has, whatever the method: for preflights and 405-like findings."""
        patterns = [route for pattern, route in self._patterns if pattern.fullmatch(path)]
        return [*self._literal.get(path, ()), *patterns]

    def paths(self) -> list[str]:
        """Return the list of paths that exist, each with its methods, for a finding on an unknown path."""
        return sorted({f"{'|'.join(route.methods)} {route.path}" for route in self.routes})


@dataclass(frozen=True)
class Vendor:
    """One vendor's registration.

    Attributes:
        name: as in the workspace.
        title: as its owner writes it.
        port: the port that ``trackside serve`` uses.
        routes: its paths.
        unknown_path: the vendor's answer to any other path; takes what an endpoint takes.
        live: makes its live state, for a vendor whose SDKs download flags.
        sdks: its published SDKs, and how each is pointed at the lab.
    """

    name: str
    title: str
    port: int
    routes: list[Route[Any]]
    unknown_path: Endpoint[Any]
    live: Callable[[Lock], Live] | None = None
    sdks: tuple[Sdk, ...] = ()


@dataclass(slots=True)
class Outgoing:
    """A request as Segment sends it to a destination, or a vendor to Segment; ``payload`` is the body before it was written."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    payload: Any = None

    def moved(self, base: str) -> Outgoing:
        """Return the same request to the same path under another base address.

        >>> Outgoing("POST", "https://events.split.io/segment", {}, b"").moved("http://127.0.0.1:8803").url
        'http://127.0.0.1:8803/segment'
        """
        return Outgoing(self.method, base.rstrip("/") + "/" + self.url.split("/", 3)[3], self.headers, self.body)
