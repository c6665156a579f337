"""Split's paths and the plain endpoint functions behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from trackside.split import (
    admin,
    admin_flags,
    admin_identities,
    admin_segments,
    endpoints,
    errors,
    events,
    impressions,
    telemetry,
)
from trackside.split.mapping import segment_call, supported
from trackside.steps import Message, Step
from trackside.wire import Answer, Request, Route, json_answer

if TYPE_CHECKING:
    from trackside.split.settings import SplitSettings

SEGMENT_DESTINATION = "/segment"
"""Where Segment's *Split* destination delivers; the vendor's own address is not published (split.in.path)."""


def segment_destination(request: Request, settings: SplitSettings) -> Answer:
    """Return the answer to one delivery of Segment's *Split* destination, with what FME keeps of it.

    The contract of Segment's partners: one call per request as JSON, the configuration's key as the user name of
    ``Authorization: Basic``. A call that FME drops is answered 200 all the same, its steps say why. Nothing is stored
    here.

    Returns:
        200 ``{}`` with records and steps; 400 for a body that is no call (split.in.malformed); 401 without a key and
        403 with a wrong one (split.in.api-key); 501 for a type that is not processed, unless the configuration ignores it
        (split.in.unsupported). Errors are ``{"message": "..."}``.
    """
    key = request.basic_user()
    if not key:
        return errors.key_missing()
    inbound = settings.configuration(key)
    if inbound is None:
        return errors.key_not_valid()
    message = _call(request)
    if isinstance(message, Step):
        return errors.bad_event(message)
    mapped = segment_call(message, inbound, settings, request.at)
    if not supported(message) and inbound.unsupported == "refuse":
        return errors.call_not_supported(message["type"], mapped.steps)
    return json_answer(200, {}, records=mapped.records, steps=mapped.steps)


def _call(request: Request) -> Message | Step:
    if request.undecodable:
        return _malformed(f"the body cannot be decoded: {request.undecodable}", "$", "send JSON, plain or gzipped")
    try:
        message = request.json()
    except orjson.JSONDecodeError as error:
        return _malformed(f"the body is not JSON: {error}", "$", "send one Segment call as JSON")
    if not isinstance(message, dict):
        return _malformed("the body is no JSON object", "$", "send one Segment call per request")
    if not isinstance(message.get("type"), str):
        return _malformed("the call has no type", "$.type", "send one Segment call with its type, such as track")
    return message


def _malformed(text: str, at: str, fix: str) -> Step:
    return Step("fault", "split.in.malformed", text, at, fix, "error")


ROUTES: list[Route[Any]] = [
    Route(("POST",), SEGMENT_DESTINATION, segment_destination),
    *endpoints.ROUTES,
    *impressions.ROUTES,
    *events.ROUTES,
    *telemetry.ROUTES,
    *admin.ROUTES,
    *admin_flags.ROUTES,
    *admin_segments.ROUTES,
    *admin_identities.ROUTES,
]
