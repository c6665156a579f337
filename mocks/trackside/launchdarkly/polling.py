"""Data that SDKs fetch: all of it for server-side SDKs, evaluated flags for client-side ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from trackside.launchdarkly.asking import asking, environment_id, server_environment
from trackside.launchdarkly.errors import unknown_resource
from trackside.steps import Step
from trackside.wire import JSON, Answer, Request, Route

if TYPE_CHECKING:
    from trackside.launchdarkly.evaluation import Side
    from trackside.launchdarkly.model import Kind
    from trackside.launchdarkly.store import EnvironmentData, LaunchDarkly


# ---- server-side SDKs


def latest_all(request: Request, live: LaunchDarkly) -> Answer:
    """Return every flag and segment of the SDK key's environment; 304 where the SDK has just these (launchdarkly.sdk.etag).

    Both ``flags`` and ``segments`` are there, as some SDKs refuse data without one (launchdarkly.sdk.all-data).
    """
    data = server_environment(request, live)
    if isinstance(data, Answer):
        return data
    headers = {"Content-Type": JSON, "ETag": data.etag, **environment_id(data)}
    if _has(request, data.etag):
        return Answer(304, b"", headers, steps=filter_steps(request))
    return Answer(200, data.body, headers, steps=filter_steps(request))


def all_flags(request: Request, live: LaunchDarkly) -> Answer:
    """Return every flag by key, as the PHP SDK fetches them (launchdarkly.sdk.php)."""
    data = server_environment(request, live)
    return data if isinstance(data, Answer) else _json(data.flags, data)


def one_flag(request: Request, live: LaunchDarkly) -> Answer:
    """Return one flag, 404 for one that there is not (launchdarkly.sdk.php)."""
    return _one(request, live, "flags")


def one_segment(request: Request, live: LaunchDarkly) -> Answer:
    """Return one segment, 404 for one that there is not (launchdarkly.sdk.php)."""
    return _one(request, live, "segments")


def _one(request: Request, live: LaunchDarkly, kind: Kind) -> Answer:
    data = server_environment(request, live)
    if isinstance(data, Answer):
        return data
    key = request.params["key"]
    if item := live.item(data.name, kind, key):
        return _json(item, data)
    text, fix = f"{data.name} has no {kind.removesuffix('s')} {key!r}", "declare it in the workspace or its flag file"
    return unknown_resource(Step("info", "launchdarkly.sdk.php", text, request.path, fix, "note"))


def filter_steps(request: Request) -> list[Step]:
    """Return a note where an SDK asked for a part of the data: it gets all (launchdarkly.sdk.payload-filter)."""
    asked = request.query.get("filter")
    if not asked:
        return []
    text = f"the payload filter {asked!r} is not known here; all flags are served"
    fix = "nothing to do, or take the SDK's payload filter key away"
    return [Step("assumed", "launchdarkly.sdk.payload-filter", text, "the query parameter filter", fix, "note")]


def _has(request: Request, etag: str) -> bool:
    """Return whether ``If-None-Match`` names an ETag, be it weak."""
    given = request.headers.get("if-none-match", "").split(",")
    return etag in [one.strip().removeprefix("W/") for one in given]


# ---- client-side SDKs


def evaluated_flags(request: Request, live: LaunchDarkly) -> Answer:
    """Return the flags of a browser's context, evaluated by LaunchDarkly's own server SDK (launchdarkly.client.evaluation)."""
    return _evaluated(request, live, "usingEnvironmentId")


def mobile_flags(request: Request, live: LaunchDarkly) -> Answer:
    """Return the flags of a mobile SDK's context; the mobile key is in ``Authorization`` (launchdarkly.client.mobile)."""
    return _evaluated(request, live, "usingMobileKey")


def _evaluated(request: Request, live: LaunchDarkly, side: Side) -> Answer:
    asked = asking(request, live, side)
    return asked if isinstance(asked, Answer) else _json(asked.evaluated(), asked.data)


def _json(value: object, data: EnvironmentData) -> Answer:
    return Answer(200, orjson.dumps(value), {"Content-Type": JSON, **environment_id(data)})


CONTEXT = "launchdarkly/context"
"""The contract of a REPORT's body."""

ROUTES: list[Route[Any]] = [
    Route(("GET",), "/sdk/latest-all", latest_all, live=True),
    Route(("GET",), "/sdk/flags", all_flags, live=True),
    Route(("GET",), "/sdk/flags/<key>", one_flag, live=True),
    Route(("GET",), "/sdk/segments/<key>", one_segment, live=True),
    *(
        # Users are what SDKs had before contexts; pages write contexts, SDKs send context (launchdarkly.client.report-path).
        Route(("REPORT",), f"/sdk/evalx/<client_side_id>/{name}", evaluated_flags, True, True, CONTEXT)
        for name in ("context", "contexts", "user", "users")
    ),
    Route(("GET",), "/sdk/evalx/<client_side_id>/contexts/<path:context>", evaluated_flags, browser=True, live=True),
    Route(("GET",), "/sdk/evalx/<client_side_id>/users/<path:context>", evaluated_flags, browser=True, live=True),
    *(
        Route(("REPORT",), f"/msdk/evalx/{name}", mobile_flags, False, True, CONTEXT)
        for name in ("context", "contexts", "user", "users")
    ),
    Route(("GET",), "/msdk/evalx/contexts/<path:context>", mobile_flags, live=True),
    Route(("GET",), "/msdk/evalx/users/<path:context>", mobile_flags, live=True),
]
