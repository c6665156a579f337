"""What SDKs download: definitions, segments, memberships, stream tokens and the event stream."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeAlias

import orjson

from trackside.split import errors, specs, streams
from trackside.split.changes import Environment, Filter
from trackside.split.store import Split
from trackside.steps import Step
from trackside.wire import JSON, Answer, Request, Route, json_answer

Asked: TypeAlias = Callable[[Request, Split, Environment], Answer]

BASES = ("/api", "", "/api/v1", "/v1")
"""Where SDKs of different languages look for the same endpoints (split.sdk.paths)."""

MOST_SETS = 50
ANSWERS = 200
"""Bodies that are kept for the next SDK that asks the same."""


def split_changes(request: Request, live: Split, state: Environment) -> Answer:
    """Return the flags and rule-based segments that changed (split.sdk.split-changes).

    Query: ``since`` and ``rbSince``, -1 for everything; ``s``, the spec; ``sets``, or ``names`` and ``prefixes``, which
    flags. ``till`` only keeps caches from answering.

    Returns:
        200 as `specs.split_changes` gives it; 400 for an unknown spec, after which SDKs ask for an older one
        (split.sdk.spec); 414 for too many flag sets (split.sdk.sets-limit).
    """
    version = request.query.get("s") or specs.VERSIONS[0]
    if version not in specs.VERSIONS:
        return errors.unknown_spec(version)
    ask = Filter(
        frozenset(_listed(request, "sets")), frozenset(_listed(request, "names")), tuple(_listed(request, "prefixes"))
    )
    if len(ask.sets) > MOST_SETS:
        return errors.too_many_sets(len(ask.sets))
    question = (state.name, version, _number(request, "since"), _number(request, "rbSince"), ask)
    body = live.answers.get(question)
    if body is None:
        body = orjson.dumps(specs.split_changes(state, *question[1:]))
        if len(live.answers) >= ANSWERS:
            live.answers.clear()
        live.answers[question] = body
    steps = _not_understood(state, version) if question[2] < 0 else []
    return Answer(200, body, {"Content-Type": JSON}, steps=steps)


def _not_understood(state: Environment, version: str) -> list[Step]:
    """Return the warning of flags that an older spec cannot evaluate (split.sdk.unsupported-matcher)."""
    names = [flag["name"] for flag in state.flags.active() if specs.understood(flag, version) is not flag]
    if not names:
        return []
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    text = f"spec {version} lacks a matcher of these flags, which give control to everybody: {shown}"
    fix = "use an SDK of spec 1.3; one for JavaScript that was started before the mock has to be started again"
    return [Step("cut", "split.sdk.unsupported-matcher", text, "s", fix, "warning")]


def segment_changes(request: Request, live: Split, state: Environment) -> Answer:
    """Return the keys that came into a segment and those that went (split.sdk.segment-changes).

    Returns:
        200, also for a segment that does not exist: nothing, up to -1 (split.sdk.unknown-segment); 403 for a
        client-side key (split.sdk.key-kinds).
    """
    if live.settings.client_side(request.bearer()):
        return errors.client_side_key("download segments")
    name, since = request.params["name"], _number(request, "since")
    segment = state.segments.get(name)
    if segment is None:
        return json_answer(200, {"name": name, "added": [], "removed": [], "since": -1, "till": -1})
    added, removed = segment.since(since)
    told = {"added": added, "removed": removed, "since": min(since, segment.number), "till": segment.number}
    return json_answer(200, {"name": name, **told})


def memberships(request: Request, _live: Split, state: Environment) -> Answer:
    """Return the segments and large segments that hold a key (split.sdk.memberships)."""
    key = request.params["key"]
    return json_answer(200, {"ms": _members(state, key, large=False), "ls": _members(state, key, large=True)})


def my_segments(request: Request, _live: Split, state: Environment) -> Answer:
    """Return the segments that hold a key, as older client-side SDKs ask for them (split.sdk.my-segments)."""
    names = state.members_of(request.params["key"])
    return json_answer(200, {"mySegments": [{"id": name, "name": name} for name in names]})


def _members(state: Environment, key: str, *, large: bool) -> dict[str, object]:
    names = state.members_of(key, large=large)
    return {"k": [{"n": name} for name in names], "cn": state.segments_number(large=large)}


def auth(request: Request, live: Split, state: Environment) -> Answer:
    """Return the token of the event stream, for at once (split.sdk.token).

    Returns:
        200 with an empty token where the workspace has streaming off: SDKs then poll (split.sdk.auth.push-off); 400 for
        a client-side key without ``users`` (split.sdk.key-kinds).
    """
    client = "users" in request.query
    if live.settings.client_side(request.bearer()) and not client:
        return errors.users_missing()
    if not live.settings.streaming:
        return json_answer(200, {"pushEnabled": False, "token": ""})
    token = streams.token(state.name, request.at, client=client)
    return json_answer(200, {"pushEnabled": True, "token": token, "connDelay": 0})


def event_stream(request: Request, live: Split) -> Answer:
    """Return the event stream of the token's environment (split.sdk.stream).

    The first frames come at once, as some SDKs count the stream as open only then. Query: ``accessToken`` and
    ``channels``, whose names may have ``[?occupancy=metrics.publishers]`` before them.

    Returns:
        200, and it goes on; 401 for a token that is not from here, or has run out (split.sdk.stream-token).
    """
    payload = streams.token_payload(request.query.get("accessToken", ""))
    if payload is None:
        return errors.token_refused(40140, "the token of the stream was not given out here")
    if payload["exp"] <= request.at:
        return errors.token_refused(40142, "the token of the stream has run out")
    allowed = set(orjson.loads(payload["x-ably-capability"]))
    states = (name for name in live.environments if streams.channel(name, "splits") in allowed)
    environment = next(states, None)
    if environment is None:
        return errors.token_refused(40140, "the token of the stream is of an environment that is not there")
    asked = streams.subscribed(request.query.get("channels", "")) & allowed
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    return Answer(200, headers=headers, stream=live.open_stream(environment, frozenset(asked)))


def version(_request: Request, _live: Split) -> Answer:
    """Return 200: SDKs ask whether the address is there (split.sdk.version)."""
    return json_answer(200, {})


def keyed(asked: Asked) -> Callable[[Request, Split], Answer]:
    """Return an endpoint that answers 401 to a key that no environment has (split.sdk.key)."""

    @functools.wraps(asked)
    def endpoint(request: Request, live: Split) -> Answer:
        state = live.environment_of(request.bearer())
        return errors.invalid_credentials() if state is None else asked(request, live, state)

    return endpoint


def _number(request: Request, name: str) -> int:
    """Return a change number of the query, -1 where it is none or below, as the vendor's own proxy takes it."""
    try:
        return max(int(request.query.get(name, "-1")), -1)
    except ValueError:
        return -1


def _listed(request: Request, name: str) -> list[str]:
    return [one for one in request.query.get(name, "").split(",") if one]


_DOWNLOADS: dict[str, Asked] = {
    "/splitChanges": split_changes,
    "/segmentChanges/<path:name>": segment_changes,
    "/memberships/<path:key>": memberships,
    "/mySegments/<path:key>": my_segments,
}
_AUTH = ("/api/v2/auth", "/v2/auth", "/api/v3/auth", "/v3/auth")
_STREAMS = ("/sse", "/event-stream")

ROUTES: list[Route[Split]] = [
    *(
        Route(("GET",), base + path, keyed(asked), browser=True, live=True)
        for path, asked in _DOWNLOADS.items()
        for base in BASES
    ),
    *(Route(("GET",), path, keyed(auth), browser=True, live=True) for path in _AUTH),
    *(Route(("GET",), path, event_stream, browser=True, live=True) for path in _STREAMS),
    *(Route(("GET",), f"{base}/version", version, browser=True, live=True) for base in BASES),
]
