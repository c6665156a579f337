"""FDv2, the second protocol by which SDKs get flags ("data saving mode"): the same events in a poll and on a stream.

A transfer is an intent, objects, and the state that the SDK is in after them; the SDK gives that state back as ``basis``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from trackside.launchdarkly.asking import asking, environment_id, server_environment
from trackside.launchdarkly.polling import CONTEXT, filter_steps
from trackside.launchdarkly.representation import made_id
from trackside.streams import sse
from trackside.wire import JSON, Answer, Request, Route

if TYPE_CHECKING:
    from trackside.launchdarkly.asking import Asking
    from trackside.launchdarkly.evaluation import Evaluated
    from trackside.launchdarkly.model import Item
    from trackside.launchdarkly.store import Change, EnvironmentData, LaunchDarkly

Event: TypeAlias = tuple[str, dict[str, Any]]
"""The name of an event and its data."""

RUN = secrets.token_hex(4)
"""In every state, as another process may count its versions alike: an SDK that comes from there gets everything."""


def payload_id(environment: str, *asked: object) -> str:
    """Return the id of a payload: an environment's, or that of one context's flags in it."""
    return made_id("payload", RUN, environment, *asked)


def state_of(payload: str, version: int) -> str:
    """Return the state of an SDK that has a payload at a version; only compared, never taken apart (launchdarkly.fdv2.basis)."""
    return f"(p:{payload}:{version})"


# ---- the events of a transfer


def transfer(request: Request, payload: str, version: int, objects: Callable[[], Iterable[Event]]) -> list[Event]:
    """Return what brings an SDK up to date: everything, or nothing where its ``basis`` is how things stand (launchdarkly.fdv2.transfer).

    Args:
        request: with or without ``basis``.
        payload: its id.
        version: of the environment as it stands.
        objects: gives the events of all that there is.
    """
    basis = request.query.get("basis", "")
    if basis == state_of(payload, version):
        return [_intent(payload, version, "none", "up-to-date")]
    reason = "cant-catchup" if basis else "payload-missing"
    return [_intent(payload, version, "xfer-full", reason), *objects(), transferred(payload, version)]


def _intent(payload: str, version: int, code: str, reason: str) -> Event:
    told = {"id": payload, "target": version, "intentCode": code, "reason": reason}
    return "server-intent", {"payloads": [told]}


def transferred(payload: str, version: int) -> Event:
    """Return the event that ends a transfer and puts it in force."""
    return "payload-transferred", {"state": state_of(payload, version), "version": version}


def item_events(flags: Mapping[str, Item], segments: Mapping[str, Item]) -> Iterator[Event]:
    """Yield an event for each flag and segment, segments first, as flags name them (launchdarkly.fdv2.objects)."""
    for kind, items in (("segment", segments), ("flag", flags)):
        for key, item in items.items():
            named = {"version": item["version"], "kind": kind, "key": key}
            yield ("delete-object", named) if item["deleted"] else ("put-object", {**named, "object": item})


def evaluated_events(flags: Evaluated) -> Iterator[Event]:
    """Yield an event for each evaluated flag, its version outside of the object (launchdarkly.fdv2.objects)."""
    for key, entry in flags.items():
        shown = {name: value for name, value in entry.items() if name != "version"}
        yield "put-object", {"version": entry["version"], "kind": "flag-eval", "key": key, "object": shown}


# ---- server-side SDKs


def poll(request: Request, live: LaunchDarkly) -> Answer:
    """Return a transfer to a server-side SDK; 304 where it has had this answer (launchdarkly.fdv2.poll)."""
    data = server_environment(request, live)
    if isinstance(data, Answer):
        return data
    events = _all(request, data)
    answer = _polled(request, data, events)
    answer.steps = filter_steps(request)
    return answer


def stream(request: Request, live: LaunchDarkly) -> Answer:
    """Return the stream of a server-side SDK: a transfer, then each change as it comes (launchdarkly.fdv2.stream)."""
    data = server_environment(request, live)
    if isinstance(data, Answer):
        return data
    events = _all(request, data)
    answer = _streamed(live, data, events, lambda change: change.once("fdv2", changed))
    answer.steps = filter_steps(request)
    return answer


def _all(request: Request, data: EnvironmentData) -> list[Event]:
    payload = payload_id(data.name)
    return transfer(request, payload, data.version, lambda: item_events(data.flags, data.segments))


def changed(change: Change) -> bytes:
    """Return a change as the stream of server-side SDKs has it: objects, and the state after them."""
    end = transferred(payload_id(change.environment), change.version)
    return _frames([*item_events(change.flags, change.segments), end])


# ---- client-side SDKs


def poll_eval(request: Request, live: LaunchDarkly) -> Answer:
    """Return a transfer of evaluated flags to a client-side SDK (launchdarkly.fdv2.eval)."""
    asked = _asking(request, live)
    if isinstance(asked, Answer):
        return asked
    view = EvaluatedView(asked)
    return _polled(request, asked.data, view.first(request))


def stream_eval(request: Request, live: LaunchDarkly) -> Answer:
    """Return the stream of a client-side SDK: a transfer, then what changes for its context (launchdarkly.fdv2.eval)."""
    asked = _asking(request, live)
    if isinstance(asked, Answer):
        return asked
    view = EvaluatedView(asked)
    return _streamed(live, asked.data, view.first(request), view.changes)


def _asking(request: Request, live: LaunchDarkly) -> Asking | Answer:
    """Return who asks: by the client-side ID in ``auth``, or by the mobile key in ``Authorization``."""
    body = request.method in ("POST", "REPORT")
    given = replace(request, method="REPORT" if body else request.method)
    if "auth" not in request.query:
        return asking(given, live, "usingMobileKey")
    given.params = {**request.params, "client_side_id": request.query["auth"]}
    return asking(given, live, "usingEnvironmentId")


class EvaluatedView:
    """What one client-side SDK was told, and what to tell it next.

    Its payload is its own: what it knows of another context is no basis for this one.

    Args:
        asked: its context and environment.
    """

    def __init__(self, asked: Asking) -> None:
        self._asked = asked
        self._told = asked.evaluated()
        self._version = asked.evaluator.version
        self._payload = payload_id(asked.data.name, asked.context.to_dict(), asked.with_reasons)

    def first(self, request: Request) -> list[Event]:
        """Return the transfer with which it begins."""
        return transfer(request, self._payload, self._asked.data.version, lambda: evaluated_events(self._told))

    def changes(self, change: Change) -> bytes:
        """Return the flags that are others now for this context, none where there are none; called in its own thread.

        Changes that came since are told along with it, and not again.
        """
        with self._asked.evaluator.turn:
            if change.version <= self._version:
                return b""
            now, self._version = self._asked.evaluated(), self._asked.evaluator.version
        before, self._told = self._told, now
        other = {key: one for key, one in now.items() if _but_version(one) != _but_version(before.get(key, {}))}
        gone = [key for key in before if key not in now]
        if not other and not gone:
            return b""
        deleted = (("delete-object", {"version": self._version, "kind": "flag-eval", "key": key}) for key in gone)
        return _frames([*evaluated_events(other), *deleted, transferred(self._payload, self._version)])


def _but_version(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "version"}


# ---- polls and streams


def _polled(request: Request, data: EnvironmentData, events: Iterable[Event]) -> Answer:
    body = orjson.dumps({"events": [{"event": name, "data": value} for name, value in events]})
    etag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"Content-Type": JSON, "ETag": etag, **environment_id(data)}
    if request.headers.get("if-none-match") == etag:
        return Answer(304, headers=headers)
    return Answer(200, body, headers)


def _streamed(
    live: LaunchDarkly, data: EnvironmentData, events: Iterable[Event], render: Callable[[Change], bytes]
) -> Answer:
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", **environment_id(data)}
    return Answer(200, headers=headers, stream=live.streams.open(data.name, _frames(events), render))


def _frames(events: Iterable[Event]) -> bytes:
    return b"".join(sse(name, orjson.dumps(value)) for name, value in events)


ROUTES: list[Route[Any]] = [
    Route(("GET",), "/sdk/poll", poll, live=True),
    Route(("GET",), "/sdk/stream", stream, live=True),
    Route(("GET",), "/sdk/poll/eval/<path:context>", poll_eval, browser=True, live=True),
    Route(("GET",), "/sdk/stream/eval/<path:context>", stream_eval, browser=True, live=True),
    Route(("POST", "REPORT"), "/sdk/poll/eval", poll_eval, browser=True, live=True, contract=CONTEXT),
    Route(("POST", "REPORT"), "/sdk/stream/eval", stream_eval, browser=True, live=True, contract=CONTEXT),
]
