"""What SDKs post, before its kind matters: whose key it is, which SDK sent it, and what the body holds. Pure functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from trackside.split.errors import invalid_credentials
from trackside.steps import Mapped, Step
from trackside.wire import Answer, Request, Route, json_answer

if TYPE_CHECKING:
    from trackside.split.settings import SplitSettings

BODY_BYTES = 1024 * 1024
"""The most bytes of a body that the vendor's page allows (split.posts.size)."""


@dataclass(slots=True)
class Post:
    """One post of an SDK or of a program that uses the Events API, its key known.

    Attributes:
        payload: the parsed body; of a beacon its ``entries``.
        environment: the environment that the key belongs to.
        sender: ``sdk``, ``sdkVersion``, ``machineName`` and ``machineIp``, null where nothing tells.
        mode: the SDK's impressions mode, such as ``OPTIMIZED``; empty where nothing tells.
        settings: the workspace's ``split`` block.
        at: when it was received, epoch seconds.
        steps: what happened so far.
    """

    payload: Any
    environment: str
    sender: dict[str, str | None]
    mode: str
    settings: SplitSettings
    at: float = 0.0
    steps: list[Step] = field(default_factory=list)


Mapping: TypeAlias = Callable[[Post], Mapped]
After: TypeAlias = Callable[[Request, Answer, Any], Answer]
Endpoint: TypeAlias = Callable[[Request, "SplitSettings"], Answer]


def posted(status: int, mapping: Mapping, wanted: type[Any] = list) -> Endpoint:
    """Return the endpoint of a kind of post: its answer has this status and no body (split.posts.status).

    It answers 401 for a key that no environment has (split.sdk.key) and 400 for a body that cannot be read
    (split.posts.malformed).

    Args:
        status: what the vendor answers when it took the post.
        mapping: gives what is kept of it.
        wanted: what the body has to be, ``list`` or ``dict``.
    """

    @functools.wraps(mapping)
    def endpoint(request: Request, settings: SplitSettings) -> Answer:
        environment = settings.environment_of(request.bearer())
        if environment is None:
            return invalid_credentials()
        payload = _body(request, wanted)
        if isinstance(payload, Step):
            return _bad_post(payload)
        mode = request.headers.get("splitsdkimpressionsmode", "")
        post = Post(payload, environment, _sender(request), mode, settings, request.at, _size(request))
        return _taken(status, mapping(post))

    return endpoint


def beaconed(mapping: Mapping, wanted: type[Any] = list) -> Endpoint:
    """Return the endpoint that a browser's beacon goes to when its page is left: 204 (split.beacons).

    A beacon cannot have headers of its own: the key is the body's ``token``, and its ``entries`` are what an ordinary
    post's body is. The content type says text.

    Args:
        mapping: gives what is kept of the entries.
        wanted: what the entries have to be, ``list`` or ``dict``.
    """

    @functools.wraps(mapping)
    def endpoint(request: Request, settings: SplitSettings) -> Answer:
        body = _body(request, dict)
        if isinstance(body, Step):
            return _bad_post(body)
        token = body.get("token")
        environment = settings.environment_of(token if isinstance(token, str) else None)
        if environment is None:
            return invalid_credentials("$.token")
        if not isinstance(body.get("entries"), wanted):
            return _bad_post(_malformed(f"the beacon's entries are no {_KINDS[wanted]}", "$.entries"))
        sender = {**_sender(request), **_sdk(str(body.get("sdk") or ""))}
        post = Post(
            body["entries"], environment, sender, str(body.get("sim") or ""), settings, request.at, _size(request)
        )
        return _taken(204, mapping(post))

    return endpoint


def routes(
    paths: tuple[str, ...], endpoint: Endpoint, contract: str = "", after: After | None = None
) -> list[Route[SplitSettings]]:
    """Return the routes of one post under each of its paths (split.posts.path); ``after`` is called when it was taken."""
    return [Route(("POST",), path, endpoint, browser=True, contract=contract, after=after) for path in paths]


def under_bases(path: str) -> tuple[str, ...]:
    """Return a path under each base that an SDK of some language has (split.posts.path).

    >>> under_bases("/events/bulk")
    ('/api/events/bulk', '/events/bulk', '/api/v1/events/bulk', '/v1/events/bulk')
    >>> under_bases("/v1/keys/ss")
    ('/api/v1/keys/ss', '/v1/keys/ss')
    """
    bases = ("/api", "") if path.startswith("/v1/") else ("/api", "", "/api/v1", "/v1")
    return tuple(base + path for base in bases)


_KINDS: dict[type[Any], str] = {list: "array", dict: "object"}


def _body(request: Request, wanted: type[Any]) -> Any:
    if request.undecodable:
        return _malformed(f"the body cannot be decoded: {request.undecodable}", "$")
    try:
        payload = request.json()
    except orjson.JSONDecodeError as error:
        return _malformed(f"the body is not JSON: {error}", "$")
    return payload if isinstance(payload, wanted) else _malformed(f"the body is no JSON {_KINDS[wanted]}", "$")


def _bad_post(step: Step) -> Answer:
    return json_answer(400, {"code": 400, "message": step.text}, steps=[step])


def _malformed(text: str, at: str) -> Step:
    return Step("fault", "split.posts.malformed", text, at, "send JSON as the vendor's SDKs do", "error")


def _size(request: Request) -> list[Step]:
    if len(request.body) <= BODY_BYTES:
        return []
    text = f"the body has {len(request.body)} bytes, and the vendor asks for less than 1 MB: it is taken all the same"
    return [Step("assumed", "split.posts.size", text, "$", "send fewer at a time", "warning")]


def _sender(request: Request) -> dict[str, str | None]:
    headers = request.headers
    machine = {"machineName": headers.get("splitsdkmachinename"), "machineIp": headers.get("splitsdkmachineip")}
    return {**_sdk(headers.get("splitsdkversion", "")), **machine}


def _sdk(told: str) -> dict[str, str | None]:
    name, _, version = told.partition("-")
    return {"sdk": name or None, "sdkVersion": version or None}


def _taken(status: int, mapped: Mapped) -> Answer:
    return Answer(status, records=mapped.records, steps=mapped.steps)
