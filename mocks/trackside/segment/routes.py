"""Segment's Tracking API, settings document, pixel and token endpoint, as plain functions.

Segment answers 200 to nearly everything and drops later: these functions answer so, and what they return beside the
answer says what was dropped and why.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl

import orjson

from trackside import catalog
from trackside.segment import (
    errors,
    oauth,
    public_api_destinations,
    public_api_filters,
    public_api_mappings,
    public_api_plans,
    public_api_sources,
)
from trackside.segment.audiences import Members
from trackside.segment.discards import BATCH_EVENTS, BATCH_KB, EVENT_KB, KINDS, discard_code
from trackside.segment.ingest import calls_in
from trackside.segment.oauth import Grants
from trackside.segment.public_api import Api
from trackside.segment.settings import SegmentSettings
from trackside.segment.store import SeenIds, Tokens
from trackside.steps import Step, drop
from trackside.wire import JSON, Answer, Intake, Request, Route, json_answer

GIF = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
TOKEN_SECONDS = 3600
SWITCHES = {"true": True, "false": False}
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(slots=True)
class Segment:
    """Segment's state behind its endpoints.

    Attributes:
        settings: its block of the workspace.
        any_key: whether an unknown write key is taken for the first source's (the demo workspace).
        strict: whether calls that break their contract are refused with 400 instead of recorded.
        seen: the window of deduplication.
        tokens: access tokens that were issued.
        sources: the name of each source by its write key; those of audiences among them.
        open_sources: the names of those that are switched on.
        members: of each audience; forgotten on a reset.
        grants: what users allowed other programs to do in the workspace.
        api: the way of the Public API into the workspace.
    """

    settings: SegmentSettings
    any_key: bool = False
    strict: bool = False
    seen: SeenIds = field(init=False)
    tokens: Tokens = field(default_factory=Tokens)
    sources: dict[str, str] = field(init=False)
    open_sources: frozenset[str] = field(init=False)
    members: dict[str, Members] = field(default_factory=dict)
    grants: Grants = field(default_factory=Grants)
    api: Api = field(default_factory=Api)

    def __post_init__(self) -> None:
        """Start with an empty deduplication window."""
        self.seen = SeenIds(self.settings.dedup)
        self.configure(self.settings, any_key=self.any_key)

    def configure(self, settings: SegmentSettings, *, any_key: bool) -> None:
        """Take new settings; ids that were seen stay seen."""
        self.settings, self.any_key = settings, any_key
        self.seen.dedup = settings.dedup
        sources = settings.with_engage()
        self.sources = {source.write_key: name for name, source in sources.items()}
        self.open_sources = frozenset(name for name, source in sources.items() if source.enabled)
        self.members = {key: held for key, held in self.members.items() if key in settings.audiences}

    def source_of(self, write_key: str) -> str:
        """Return the name of the source that a write key feeds; empty for none (segment.write-key.unknown)."""
        name = self.sources.get(write_key, "")
        if not name and self.settings.unknown_write_key != "discard":
            return self.settings.unknown_write_key
        if not name and self.any_key:
            return next(iter(self.settings.sources), "")
        return name


def payload_of(request: Request) -> Any:
    """Return a tracking request's payload: the body's JSON, whatever its content type (segment.content-type), or a pixel's query.

    Raises:
        ValueError: the body is not JSON (``orjson.JSONDecodeError`` is one), or a pixel's data is not base64 of JSON.
    """
    if request.method == "GET":
        return _pixel_payload(request.query)
    if request.payload is not None:
        return request.payload
    return orjson.loads(request.body)


def pixel_form(request: Request) -> Literal["", "data", "query"]:
    """Return how a pixel carries its call: as base64 in ``data`` or in its ``query``; empty for a POST."""
    if request.method != "GET":
        return ""
    return "data" if "data" in request.query else "query"


def _pixel_payload(query: Mapping[str, str]) -> Any:
    """Return a pixel's call; of a plain query, true and false under ``integrations`` are booleans (segment.pixel.query)."""
    if "data" in query:
        text = query["data"].replace("-", "+").replace("_", "/").replace(" ", "+").rstrip("=")
        try:
            return orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
        except binascii.Error as error:
            raise ValueError(f"it is not base64: {error}") from error
    payload: dict[str, Any] = {}
    for name, value in query.items():
        place = payload
        *parents, last = name.split(".")
        for parent in parents:
            inner = place.setdefault(parent, {})
            place = inner if isinstance(inner, dict) else {}
        place[last] = SWITCHES.get(value, value) if parents[:1] == ["integrations"] else value
    return payload


def _ingest(request: Request, segment: Segment, kind: str) -> Answer:
    """Take one tracking request: credentials, limits, contract, discards and deduplication."""
    if (refusal := _unreadable(request, segment, kind)) is not None:
        return refusal
    try:
        payload = payload_of(request)
    except ValueError as error:
        return _not_readable(request, f"is not JSON: {error}")
    if not isinstance(payload, dict):
        return _not_readable(request, "is not a JSON object")
    if not kind and _outer_is_too_deep(payload):
        return _malformed("the batch's own context or integrations are nested too deeply", "$.context", "flatten them")
    write_key, refusal = _write_key(request, payload, segment)
    if refusal is not None:
        return refusal
    source = segment.source_of(write_key)
    if not source:
        return _to_nobody(write_key)
    settings = segment.settings
    if source not in segment.open_sources:
        return _to_disabled(source)
    valid = catalog.validator(f"segment/{kind or 'batch'}").is_valid(payload)
    if segment.strict and not valid:
        return _refused_strictly(payload, kind)
    answer, calls = errors.success(), calls_in(payload, kind)
    if not valid and not kind:
        answer.steps = _batch_faults(payload)
    if not calls:
        answer.steps.append(drop("segment.discard.empty-batch", "the batch holds no messages", at="$.batch", fix="send at least one", level="error", code="empty_batch"))  # fmt: skip
        answer.intake = Intake(source, kind, 0, (), valid)
        return answer
    ids, good = [], 0
    weigh = not kind or bool(pixel_form(request))
    for position, call in enumerate(calls[:BATCH_EVENTS]):
        if not discard_code(call, kind, settings, weigh=weigh, outer=None if kind else payload):
            good += 1
            message_id = call.get("messageId")
            if isinstance(message_id, str) and message_id:
                ids.append((position, message_id))
    aged_out = segment.seen.aged_out_early
    answer.intake = Intake(source, kind, len(calls), segment.seen.repeated(ids, source, request.at), valid)
    if good < len(calls) and not kind:
        answer.steps.append(_partly_bad(good, len(calls)))
    if not aged_out and segment.seen.aged_out_early:
        answer.steps.append(_aged_out(settings))
    return answer


def _unreadable(request: Request, segment: Segment, kind: str) -> Answer | None:
    """Return the 400 of a body that cannot be decoded or is too large; None for any other."""
    if request.undecodable:
        return _malformed(request.undecodable, "the body", "send the encoding that Content-Encoding names")
    limit = (EVENT_KB if kind else BATCH_KB) * segment.settings.kilobyte
    if len(request.body) > limit:
        rule = "segment.limit.event-size" if kind else "segment.limit.batch-size"
        text = f"the request has {len(request.body)} bytes, the limit is {limit}"
        return errors.bad_request(text, Step("fault", rule, text, "$", "send less in one request", "error"))
    return None


def _malformed(text: str, at: str, fix: str) -> Answer:
    return errors.bad_request(text, Step("fault", "segment.answer.bad-request", text, at, fix, "error"))


def _not_readable(request: Request, fault: str) -> Answer:
    if request.method != "GET":
        return _malformed(f"the body {fault}", "$", "send one JSON object in UTF-8")
    text, fix = f"the pixel's data {fault}", "send one JSON object as base64, or its fields as query parameters"
    return errors.bad_request(text, Step("fault", "segment.pixel", text, "the query's data", fix, "error"))


def _outer_is_too_deep(payload: Mapping[str, Any]) -> bool:
    """Return whether what a batch gives to each of its items cannot be passed on (segment.limit.depth)."""
    outer = [payload[name] for name in ("context", "integrations") if payload.get(name)]
    try:
        return bool(outer) and not orjson.dumps(outer)
    except orjson.JSONEncodeError:
        return True


def _batch_faults(payload: Mapping[str, Any]) -> list[Step]:
    """Return the broken rules of a batch's contract outside its items, each of which is checked by its own type."""
    item = {"type": "track", "userId": "u", "event": "e"}
    return [catalog.as_step(fault) for fault in catalog.faults("segment/batch", {**payload, "batch": [item]})]


def _aged_out(settings: SegmentSettings) -> Step:
    """Return the note of the first messageId that had to go before its hours were over (segment.dedup)."""
    text = f"over {settings.dedup.ids} messageIds came within {settings.dedup.hours:g} hours: the oldest are forgotten"
    fix = "a repeat of one of them counts as new; raise segment.dedup.ids"
    return Step("info", "segment.dedup", text, "segment.dedup.ids", fix, "note")


def _write_key(request: Request, payload: Mapping[str, Any], segment: Segment) -> tuple[str, Answer | None]:
    """Return the write key by any of the three ways, or the refusal (segment.write-key)."""
    in_body = payload.get("writeKey")
    key = request.basic_user() or (in_body if isinstance(in_body, str) else "")
    token = request.bearer()
    if token is not None and (fault := segment.tokens.fault(token, request.at)):
        step = Step("fault", "segment.oauth.token", fault, "Authorization", "ask /token for a new one", "error")
        return "", errors.unauthorized(fault, step)
    if not key:
        text = "the request carries no write key"
        fix = "send it as Basic user name, as writeKey in the body, or beside a bearer token"
        step = Step("fault", "segment.write-key.missing", text, "Authorization, $.writeKey", fix, "error")
        return "", errors.bad_request(text, step)
    return key, None


def _to_nobody(write_key: str) -> Answer:
    shown = write_key if len(write_key) <= 6 else f"{write_key[:3]}…{write_key[-2:]}"
    answer = errors.success()
    answer.intake = Intake()
    answer.steps = [
        drop(
            "segment.write-key.unknown",
            f"no source has the write key {shown}; Segment answers 200 and drops the request",
            at="$.writeKey",
            fix="use the write key of a source in segment.sources, or name a source as segment.unknown_write_key",
            level="error",
            code="project_not_found",
        )
    ]
    return answer


def _to_disabled(source: str) -> Answer:
    answer = errors.success()
    answer.intake = Intake()
    text = f"the source {source} is switched off; Segment answers 200 and discards the request"
    answer.steps = [drop("segment.source.disabled", text, at=f"segment.sources.{source}.enabled", fix="switch it on", level=None, code="source_disabled")]  # fmt: skip
    return answer


def _refused_strictly(payload: Any, kind: str) -> Answer:
    name = f"segment/{kind or 'batch'}"
    faults = catalog.faults(name, payload, limit=20)
    return json_answer(
        400,
        {"code": "contract_violation", "message": "; ".join(fault.text for fault in faults)},
        steps=[catalog.as_step(fault) for fault in faults],
    )


def _partly_bad(good: int, calls: int) -> Step:
    code = "multi_user_error" if good else "empty_batch_result"
    text = f"{calls - good} of the batch's {calls} messages are discarded, {good} are taken"
    return Step("info", "segment.discard.partial-batch", text, "$.batch", code=code)


def _single(kind: str) -> Callable[[Request, Segment], Answer]:
    def endpoint(request: Request, segment: Segment) -> Answer:
        return _ingest(request, segment, kind)

    endpoint.__doc__ = f"Take one {kind} call (segment.tracking-api)."
    return endpoint


def batch(request: Request, segment: Segment) -> Answer:
    """Take a batch; each item names its own type (segment.tracking-api)."""
    return _ingest(request, segment, "")


def pixel(request: Request, segment: Segment) -> Answer:
    """Take a call from a pixel's query; always a one-pixel GIF with 200, errors on record (segment.pixel)."""
    kind = request.params["kind"]
    if kind in KINDS:
        taken = _ingest(request, segment, kind)
    else:
        text, fix = f"{kind} is no call type that Segment knows", "use one of " + ", ".join(KINDS)
        taken = Answer(404, steps=[Step("fault", "segment.pixel", text, request.path, fix, "error")])
    return Answer(200, GIF, {"Content-Type": "image/gif"}, steps=taken.steps, intake=taken.intake)


def metrics(request: Request, segment: Segment) -> Answer:  # noqa: ARG001 - every endpoint has this shape
    """Take the browser SDK's metrics about itself and drop them, as they are no events (segment.metrics)."""
    return errors.success()


def settings_document(request: Request, segment: Segment) -> Answer:
    """Return the CDN settings document of a source, pointing its events here; 404 for an unknown key (segment.cdn)."""
    write_key = request.params["write_key"]
    if not segment.source_of(write_key):
        text = f"no source has the write key {write_key}"
        step = Step("fault", "segment.cdn", text, request.path, "use the write key of a source", "error")
        return json_answer(404, {"success": False}, steps=[step])
    host = request.headers.get("host", "127.0.0.1")
    return json_answer(
        200,
        {
            "integrations": {
                "Segment.io": {
                    "apiKey": write_key,
                    "apiHost": f"{host}/v1",
                    "protocol": "http",
                    "retryQueue": True,
                    "unbundledIntegrations": [],
                    "addBundledMetadata": True,
                    "maybeBundledConfigIds": {},
                    "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
                }
            },
            "plan": {
                "track": {"__default": {"enabled": True, "integrations": {}}},
                "identify": {"__default": {"enabled": True}},
                "group": {"__default": {"enabled": True}},
            },
            "middlewareSettings": {"routingRules": []},
            "enabledMiddleware": {},
            "metrics": {"sampleRate": 0},
            "legacyVideoPluginsEnabled": False,
            "remotePlugins": [],
            "edgeFunction": {},
            "analyticsNextEnabled": True,
        },
    )


def token(request: Request, segment: Segment) -> Answer:
    """Return an access token for a JWT assertion (segment.oauth); the signature is not checked, its claims are."""
    form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return _token_fault(415, "invalid_request", "the body is not form-encoded")
    wanted = {"grant_type": "client_credentials", "client_assertion_type": JWT_BEARER}
    for name, value in wanted.items():
        if form.get(name) != value:
            return _token_fault(400, "invalid_request", f"{name} is not {value}")
    claims = _claims(form.get("client_assertion", ""))
    if claims is None:
        return _token_fault(400, "invalid_client", "client_assertion is not a JWT")
    client_id, expires = claims.get("sub"), claims.get("exp")
    if not isinstance(client_id, str) or not client_id or claims.get("iss") != client_id:
        return _token_fault(400, "invalid_client", "the assertion's iss and sub are not one OAuth app id")
    if not isinstance(expires, int | float) or expires < request.at:
        return _token_fault(401, "invalid_client", "the assertion has expired")
    answer = {
        "access_token": segment.tokens.issue(client_id, request.at + TOKEN_SECONDS),
        "expires_in": TOKEN_SECONDS,
        "token_type": "Bearer",
        "scope": form.get("scope", "tracking_api:write"),
    }
    return json_answer(200, answer)


def _claims(assertion: str) -> dict[str, Any] | None:
    parts = assertion.split(".")
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError):
        return None
    return claims if isinstance(claims, dict) and len(parts) == 3 else None


def _token_fault(status: int, code: str, text: str) -> Answer:
    step = Step("fault", "segment.oauth", text, "/token", "send what the SDK's OAuth options make", "error")
    return Answer(
        status, orjson.dumps({"error": code, "error_description": text}), {"Content-Type": JSON}, steps=[step]
    )


ROUTES: list[Route[Segment]] = [
    *(Route(("POST",), f"/v1/{kind}", _single(kind), browser=True) for kind in KINDS),
    *(Route(("POST",), f"/v1/{kind[0]}", _single(kind), browser=True) for kind in KINDS),
    *(Route(("POST",), path, batch, browser=True) for path in ("/v1/batch", "/v1/b", "/v1/import")),
    Route(("POST",), "/v1/m", metrics, browser=True),
    Route(("GET",), "/v1/pixel/<kind>", pixel, browser=True),
    Route(("GET",), "/v1/projects/<write_key>/settings", settings_document, browser=True),
    Route(("POST",), "/token", token),
    *oauth.ROUTES,
    *public_api_sources.ROUTES,
    *public_api_destinations.ROUTES,
    *public_api_mappings.ROUTES,
    *public_api_filters.ROUTES,
    *public_api_plans.ROUTES,
]
