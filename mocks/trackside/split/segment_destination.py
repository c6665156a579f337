"""Where Segment delivers: its *Split* destination with an API key, and its webhook destination with a secret."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import orjson

from trackside.split import errors
from trackside.split.mapping import segment_call, supported
from trackside.steps import Mapped, Message, Step
from trackside.wire import Answer, Request, Route, json_answer

if TYPE_CHECKING:
    from trackside.split.settings import SegmentInbound, SplitSettings

SEGMENT_DESTINATION = "/segment"
"""Where Segment's *Split* destination delivers; the vendor's own address is not published (split.in.path)."""

WEBHOOK = "/segment/webhook/<webhook>"
"""Where a webhook destination delivers, each configuration at an address of its own (split.in.webhook-url)."""


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
    payload = _payload(request)
    return errors.bad_event(payload) if isinstance(payload, Step) else _taken(payload, inbound, settings, request.at)


def segment_webhook(request: Request, settings: SplitSettings) -> Answer:
    """Return the answer to one delivery of Segment's webhook destination, with what FME keeps of it.

    The body is one call, mapped as by API key, or an array of calls, each mapped on its own (split.in.webhook.batch).
    ``X-Signature`` is not looked at.

    Returns:
        As `segment_destination`; 404 for an address that no configuration has (split.in.webhook-url), 401 without a
        secret and 403 with a wrong one (split.in.webhook-auth).
    """
    inbound = settings.webhook(request.params["webhook"])
    if inbound is None:
        return errors.no_webhook(request, [WEBHOOK.replace("<webhook>", name) for name in settings.webhooks])
    if not request.headers.get("authorization", "").strip():
        return errors.secret_missing()
    held = _held_secret(request, inbound)
    if held is None and not settings.any_key:
        return errors.secret_not_valid()
    payload = _payload(request)
    if isinstance(payload, Step):
        return errors.bad_event(payload)
    if isinstance(payload, list):
        answer = _batch(payload, inbound, settings, request.at)
    else:
        answer = _taken(payload, inbound, settings, request.at)
    answer.steps = [*(held or ()), *answer.steps]
    return answer


def _held_secret(request: Request, inbound: SegmentInbound) -> list[Step] | None:
    """Return what is to be told of the secret that a request holds; None where it is not the configuration's."""
    given = request.headers["authorization"].strip()
    if given == inbound.secret:
        return []
    scheme, _, rest = given.partition(" ")
    behind = scheme.lower() in ("bearer", "basic") and inbound.secret in (rest.strip(), request.basic_user())
    return [_SCHEME] if behind and inbound.authorization == "any" else None


_SCHEME = Step(
    "assumed",
    "split.in.webhook-auth.scheme",
    "the secret stands behind a scheme such as Bearer, and is taken all the same",
    "the Authorization header",
    "put the secret alone into the header; set authorization to bare to have it refused otherwise",
    "note",
)


def _payload(request: Request) -> Any:
    """Return the body as JSON, or why there is none."""
    if request.undecodable:
        return _malformed(f"the body cannot be decoded: {request.undecodable}", "$", "send JSON, plain or gzipped")
    try:
        return request.json()
    except orjson.JSONDecodeError as error:
        return _malformed(f"the body is not JSON: {error}", "$", "send one Segment call as JSON")


def _call(value: Any) -> Message | Step:
    if not isinstance(value, dict):
        return _malformed("the call is no JSON object", "$", "send one Segment call per request")
    if not isinstance(value.get("type"), str):
        return _malformed("the call has no type", "$.type", "send one Segment call with its type, such as track")
    return value


def _malformed(text: str, at: str, fix: str) -> Step:
    return Step("fault", "split.in.malformed", text, at, fix, "error")


def _taken(payload: Any, inbound: SegmentInbound, settings: SplitSettings, at: float) -> Answer:
    """Return the answer to one call."""
    message = _call(payload)
    if isinstance(message, Step):
        return errors.bad_event(message)
    mapped = segment_call(message, inbound, settings, at)
    if not supported(message) and inbound.unsupported == "refuse":
        return errors.call_not_supported(message["type"], mapped.steps)
    return json_answer(200, {}, records=mapped.records, steps=mapped.steps)


def _batch(calls: list[Any], inbound: SegmentInbound, settings: SplitSettings, at: float) -> Answer:
    """Return the answer to an array of calls: 200, as what becomes of each is said by steps alone (split.in.webhook.batch)."""
    answer = json_answer(200, {})
    for index, value in enumerate(calls):
        message = _call(value)
        mapped = Mapped([], [message]) if isinstance(message, Step) else segment_call(message, inbound, settings, at)
        answer.records += mapped.records
        answer.steps += [dataclasses.replace(step, at=_placed(step.at, index)) for step in mapped.steps]
    return answer


def _placed(at: str, index: int) -> str:
    return f"$[{index}]{at[1:]}" if at.startswith("$") else at


ROUTES: list[Route[SplitSettings]] = [
    Route(("POST",), SEGMENT_DESTINATION, segment_destination),
    Route(("POST",), WEBHOOK, segment_webhook),
]
