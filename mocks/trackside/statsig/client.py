"""What client SDKs ask for: every value of one user, evaluated by Statsig's own server SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trackside import catalog
from trackside.statsig.download import refused
from trackside.statsig.encodings import body_object
from trackside.statsig.errors import refusal
from trackside.statsig.evaluation import MissingExtraError
from trackside.steps import Step
from trackside.wire import Answer, Request, Route, json_answer

if TYPE_CHECKING:
    from trackside.statsig.store import Statsig

CONTRACT = "statsig/initialize-request"
HASHES = ("djb2", "sha256", "none")


def initialize(request: Request, live: Statsig) -> Answer:
    """Return ``/v1/initialize``: every gate, config and layer for the user of the body.

    js-client sends no key header, and in a browser a body that is written backwards (statsig.sdk.encodings). Its stable
    ID stands in the metadata, not in the user: it is taken into the user's custom IDs (statsig.sdk.initialize.stable-id).
    Names come back hashed as asked, with djb2 by default (statsig.sdk.initialize.hash); who has the latest values, as
    ``sinceTime`` says, gets ``{"has_updates": false}`` (statsig.sdk.initialize.no-updates). 401 for a wrong key, 400
    for a body that cannot be read, 500 without the extra (statsig.extra-missing).
    """
    if (answer := refused(request, live, ("client_key", "server_secret"))) is not None:
        return answer
    body, fault = body_object(request, "statsig.sdk.body")
    if fault is not None:
        return refusal(400, "Malformed body: a JSON object is expected", [fault])
    steps = [catalog.as_step(one) for one in catalog.faults(CONTRACT, body)]
    user, algorithm = _user(body, request), body.get("hash")
    if body.get("sinceTime") == live.time and live.time:
        return json_answer(200, {"has_updates": False}, steps=steps)
    try:
        found = live.evaluate(user, algorithm if algorithm in HASHES else "djb2")
    except MissingExtraError as error:
        step = Step("fault", "statsig.extra-missing", error.what, error.where, error.fix, "error")
        return json_answer(500, {"status": 500, "message": "Internal Server Error"}, steps=[*steps, step])
    if algorithm == "sha256":
        steps.append(_UNREADABLE)
    return json_answer(200, {**found, "generator": "trackside"}, steps=steps)


_UNREADABLE = Step(
    "info",
    "statsig.sdk.initialize.hash",
    "names are hashed with sha256, which js-client does not look up: it finds no values",
    "$.hash",
    "ask for djb2 or none",
    "warning",
)


def _user(body: Mapping[str, Any], request: Request) -> dict[str, Any]:
    """Return the user, with what the request itself tells: the stable ID of its metadata, the browser's user agent."""
    given, metadata = body.get("user"), body.get("statsigMetadata")
    user = dict(given) if isinstance(given, Mapping) else {}
    stable = metadata.get("stableID") if isinstance(metadata, Mapping) else None
    ids = user.get("customIDs")
    ids = dict(ids) if isinstance(ids, Mapping) else {}
    if isinstance(stable, str) and stable:
        ids.setdefault("stableID", stable)
    agent = request.headers.get("user-agent", "")
    return {**({"userAgent": agent} if agent else {}), **user, "customIDs": ids}


ROUTES: list[Route[Any]] = [
    Route(("POST",), "/v1/initialize", initialize, browser=True, live=True, contract=CONTRACT),
]
