"""OwnLayer's paths and the plain endpoint function behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from trackside.ownlayer import errors, metadata, records
from trackside.steps import Step
from trackside.wire import LEVELS, Answer, Request, Route, json_answer

if TYPE_CHECKING:
    from trackside.ownlayer.store import OwnLayer

INFERENCES = "/api/v1/inferences/"
"""Where applications post; the SDK's ``OWNLAYER_API_URL`` ends with it."""


def create_inference(request: Request, live: OwnLayer) -> Answer:
    """Return the 201 of an inference that is kept, with its ``id``; nothing goes to Segment before it is evaluated.

    Returns:
        201 ``{"id": "..."}`` (ownlayer.inference); 401 without the organization's key (ownlayer.auth); 400 for a body
        that is no JSON object (ownlayer.malformed). Errors are ``{"detail": "..."}``.
    """
    settings, key = live.settings, request.bearer()
    if not key:
        return errors.no_key()
    if not settings.takes(key):
        return errors.wrong_key(settings)
    fields = _fields(request)
    if isinstance(fields, Step):
        return errors.malformed(fields)
    inference = records.inference(fields, live.new_id(), request.at)
    kept = [inference]
    if settings.evaluate != "none":  # (ownlayer.evaluation)
        event = settings.segment.name(settings.evaluate)
        kept.append(records.evaluation(inference, live.new_id(), request.at, result=settings.evaluate, event=event))
    return json_answer(201, {"id": inference["id"]}, records=kept, steps=metadata.on_arrival(inference))


def _fields(request: Request) -> dict[str, Any] | Step:
    if request.undecodable:
        return _malformed(f"the body cannot be decoded: {request.undecodable}", "send JSON, plain or gzipped")
    try:
        fields = request.json()
    except orjson.JSONDecodeError as error:
        return _malformed(f"the body is not JSON: {error}", "send one inference as a JSON object")
    if isinstance(fields, list):
        return _malformed("the body is a list, and there are no batches", "send one request per inference")
    if not isinstance(fields, dict):
        return _malformed("the body is no JSON object", "send one inference as a JSON object")
    try:
        orjson.dumps([fields])  # as it is kept
    except orjson.JSONEncodeError:
        return _malformed(f"the body has {LEVELS} levels", "send fewer")
    return fields


def _malformed(text: str, fix: str) -> Step:
    return Step("fault", "ownlayer.malformed", text, "$", fix, "error")


# Without the slash too: a redirect would make a GET of the SDK's POST (ownlayer.path).
ROUTES: list[Route[Any]] = [
    Route(("POST",), path, create_inference, live=True, contract="ownlayer/inference")
    for path in (INFERENCES, INFERENCES.rstrip("/"))
]
