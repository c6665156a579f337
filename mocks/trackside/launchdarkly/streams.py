"""Streams: data and changes for server-side SDKs, evaluated flags and their changes for client-side ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from trackside.launchdarkly.asking import asking, client_environment, environment_id, server_environment
from trackside.launchdarkly.polling import CONTEXT, filter_steps
from trackside.streams import sse
from trackside.wire import Answer, Request, Route

if TYPE_CHECKING:
    from trackside.launchdarkly.asking import Asking
    from trackside.launchdarkly.evaluation import Evaluated, Side
    from trackside.launchdarkly.model import Item
    from trackside.launchdarkly.store import Change, EnvironmentData, LaunchDarkly

EVENT_STREAM = "text/event-stream"

PING = sse("ping", b"{}")
"""It has data, as an EventSource never tells of an event without (launchdarkly.client.ping)."""


# ---- server-side SDKs


def all_stream(request: Request, live: LaunchDarkly) -> Answer:
    """Return the stream of flags and segments: ``put`` at once, then ``patch`` and ``delete`` (launchdarkly.sdk.stream)."""
    data = server_environment(request, live)
    if isinstance(data, Answer):
        return data
    first = sse("put", b'{"path":"/","data":%b}' % data.body)
    answer = _open(live, data, first, lambda change: change.once("all", all_changes))
    answer.steps = filter_steps(request)
    return answer


def all_changes(change: Change) -> bytes:
    """Return a change as the stream of flags and segments has it: one event for each item."""
    flags = (_changed(f"/flags/{key}", item) for key, item in change.flags.items())
    segments = (_changed(f"/segments/{key}", item) for key, item in change.segments.items())
    return b"".join((*segments, *flags))


def flags_stream(request: Request, live: LaunchDarkly) -> Answer:
    """Return the stream of flags alone, as server-side SDKs had it before segments (launchdarkly.sdk.flags-stream)."""
    data = server_environment(request, live)
    if isinstance(data, Answer):
        return data
    return _open(live, data, sse("put", orjson.dumps(data.flags)), lambda change: change.once("flags", flags_changes))


def flags_changes(change: Change) -> bytes:
    """Return a change as the stream of flags alone has it."""
    return b"".join(_changed(f"/{key}", flag) for key, flag in change.flags.items())


def _changed(path: str, item: Item) -> bytes:
    if item["deleted"]:
        return sse("delete", orjson.dumps({"path": path, "version": item["version"]}))
    return sse("patch", orjson.dumps({"path": path, "data": item}))


# ---- client-side SDKs


class ClientView:
    """What one client-side SDK was told, and what to tell it next; see `launchdarkly.client.stream`.

    Args:
        asked: its context and environment.
        told: its flags as the stream's ``put`` had them.
    """

    def __init__(self, asked: Asking, told: Evaluated) -> None:
        self._asked = asked
        self._told = told
        self._version = asked.evaluator.version

    def changes(self, change: Change) -> bytes:
        """Return ``patch`` and ``delete`` for each flag that is another one for this context; called in its own thread.

        Changes that came since are told along with it, and not again: SDKs pass over a version that is not higher.
        """
        with self._asked.evaluator.turn:
            if change.version <= self._version:
                return b""
            now, self._version = self._asked.evaluated(), self._asked.evaluator.version
        before, self._told = self._told, now
        patches = (
            sse("patch", orjson.dumps({"key": key, **entry}))
            for key, entry in now.items()
            if key not in before or _but_version(entry) != _but_version(before[key])
        )
        gone = ({"key": key, "version": self._version} for key in before if key not in now)
        return b"".join((*patches, *(sse("delete", orjson.dumps(one)) for one in gone)))


def _but_version(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {**entry, "version": 0}


def client_stream(request: Request, live: LaunchDarkly) -> Answer:
    """Return the stream of a browser's or Node client's flags (launchdarkly.client.stream)."""
    return _client_stream(request, live, "usingEnvironmentId")


def mobile_stream(request: Request, live: LaunchDarkly) -> Answer:
    """Return the stream of a mobile SDK's flags (launchdarkly.client.mobile)."""
    return _client_stream(request, live, "usingMobileKey")


def _client_stream(request: Request, live: LaunchDarkly, side: Side) -> Answer:
    asked = asking(request, live, side)
    if isinstance(asked, Answer):
        return asked
    told = asked.evaluated()
    return _open(live, asked.data, sse("put", orjson.dumps(told)), ClientView(asked, told).changes)


def ping_stream(request: Request, live: LaunchDarkly) -> Answer:
    """Return a stream that only says when to fetch again, for browsers that use REPORT (launchdarkly.client.ping).

    One ``ping`` comes at once: a change between the SDK's fetch and its stream is not lost.
    """
    return _ping_stream(client_environment(request, live, "usingEnvironmentId"), live)


def mobile_ping_stream(request: Request, live: LaunchDarkly) -> Answer:
    """Return a stream that only says when to fetch again, for mobile SDKs (launchdarkly.client.mobile)."""
    return _ping_stream(client_environment(request, live, "usingMobileKey"), live)


def _ping_stream(data: EnvironmentData | Answer, live: LaunchDarkly) -> Answer:
    return data if isinstance(data, Answer) else _open(live, data, PING, lambda _change: PING)


def _open(live: LaunchDarkly, data: EnvironmentData, first: bytes, render: Callable[[Change], bytes]) -> Answer:
    headers = {"Content-Type": EVENT_STREAM, "Cache-Control": "no-cache", **environment_id(data)}
    return Answer(200, headers=headers, stream=live.streams.open(data.name, first, render))


ROUTES: list[Route[Any]] = [
    Route(("GET",), "/all", all_stream, live=True),
    Route(("GET",), "/flags", flags_stream, live=True),
    Route(("GET",), "/eval/<client_side_id>/<path:context>", client_stream, browser=True, live=True),
    Route(("REPORT",), "/eval/<client_side_id>", client_stream, browser=True, live=True, contract=CONTEXT),
    Route(("GET",), "/ping/<client_side_id>", ping_stream, browser=True, live=True),
    Route(("GET",), "/meval/<path:context>", mobile_stream, live=True),
    Route(("REPORT",), "/meval", mobile_stream, live=True, contract=CONTEXT),
    Route(("GET",), "/mping", mobile_ping_stream, live=True),
]
