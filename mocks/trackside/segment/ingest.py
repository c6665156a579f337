"""From a request's JSON to messages: what Segment does with a call before any destination sees it.

Pure functions. `calls_in` opens a body, `discard_code` is the quick verdict taken for every call at its arrival,
`open_call` tells the whole story of one call when somebody asks for its journey.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson

from trackside.segment.settings import SegmentSettings
from trackside.steps import Message, Step, drop
from trackside.times import epoch_ms, in_ms

KINDS = ("track", "identify", "page", "screen", "group", "alias")
EVENT_KB, BATCH_KB, BATCH_EVENTS, MESSAGE_ID_CHARACTERS, PROPERTIES = 32, 500, 2_500, 100, 10_000
CONSENT_EVENT = "Segment Consent Preference Updated"
SECONDS_BELOW = 100_000_000_000
"""Numbers below this were surely meant as epoch seconds: as milliseconds they lie before March 1973."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - both sides of every sum are UTC


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the calls of one request share.

    Attributes:
        received_at: when the server had it, epoch seconds.
        kind: the call type that the path names; empty for a batch, whose items name their own.
        source: the name of the source that the write key belongs to.
        id_prefix: start of the messageIds made for calls that come without one.
        remote: the client's address, for ``context.ip``.
        outer: the batch's own fields beside ``batch`` (``context``, ``integrations``, ``sentAt``); empty for one call.
        pixel: how a pixel carried its call: as base64 in ``data`` or in its ``query``; empty for a POST.
    """

    received_at: float
    kind: str
    source: str
    id_prefix: str = ""
    remote: str = ""
    outer: Mapping[str, Any] | None = None
    pixel: Literal["", "data", "query"] = ""


@dataclass(slots=True)
class Opened:
    """One call after ingest: the message as destinations get it, or the reason why there is none."""

    index: int
    call: Any
    message: Message | None
    steps: list[Step]


def calls_in(payload: Any, kind: str) -> list[Any]:
    """Return the calls of a parsed body: the body itself, or the items of its ``batch``."""
    if kind:
        return [payload]
    batch = payload.get("batch") if isinstance(payload, dict) else None
    return batch if isinstance(batch, list) else []


def kind_of(call: Any, kind: str) -> str:
    """Return the type of a call: the path's, else its own ``type``; empty for a type that Segment does not know."""
    named = kind or (call.get("type") if isinstance(call, dict) else None)
    return named if named in KINDS else ""


def discard_code(
    call: Any, kind: str, settings: SegmentSettings, *, weigh: bool = False, outer: Mapping[str, Any] | None = None
) -> str:
    """Return why a call is discarded behind Segment's 200, in Segment's own code; empty when it is taken.

    ``weigh`` checks the call's own size, as a batch or a pixel has no limit of one call; ``outer`` holds a batch's own
    fields.

    Codes that no document gives are assumed: ``not_an_object``, ``type_not_known``, ``event_too_large``,
    ``nested_too_deeply``, ``message_id_too_long``. Null ids and null names are absent ones: the Python SDK sends them with every call.

    >>> discard_code({"event": "Signed Up", "userId": None, "anonymousId": None}, "track", SegmentSettings())
    'no_user_anon_id'
    """
    if not isinstance(call, dict):
        return "not_an_object"
    kind = kind_of(call, kind)
    if not kind:
        return "type_not_known"
    user_id, anonymous_id = call.get("userId"), call.get("anonymousId")
    if user_id is None and anonymous_id is None:
        return "no_user_anon_id"
    if not _id_is_good(user_id) or not _id_is_good(anonymous_id):
        return "id_not_string"
    if kind == "track":
        event = call.get("event")
        if event is None or event == "":
            return "event_not_defined"
        if not isinstance(event, str):
            return "event_not_string"
        if event == CONSENT_EVENT and (code := _consent_code(call, outer or {}, settings)):
            return code
    elif kind in ("page", "screen"):
        for name in ("name", "category"):
            value = call.get(name)
            if value is not None and (not isinstance(value, str) or not value):
                return f"{name}_not_string"
    if _is_no_object(call.get("properties")):
        return "properties_not_object"
    if _is_no_object(call.get("traits")):
        return "traits_not_object"
    message_id = call.get("messageId")
    if (
        isinstance(message_id, str)
        and len(message_id) > MESSAGE_ID_CHARACTERS
        and settings.long_message_id == "discard"
    ):
        return "message_id_too_long"
    try:
        size = len(orjson.dumps(call))
    except orjson.JSONEncodeError:
        return "nested_too_deeply"
    return "event_too_large" if weigh and size > EVENT_KB * settings.kilobyte else ""


def _id_is_good(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value != "")


def _is_no_object(value: Any) -> bool:
    return value is not None and not isinstance(value, dict)


def _consent_code(call: Mapping[str, Any], outer: Mapping[str, Any], settings: SegmentSettings) -> str:
    context = merged(call.get("context"), outer.get("context"), settings)
    context = context if isinstance(context, dict) else {}
    consent, device = context.get("consent"), context.get("device")
    consent = consent if isinstance(consent, dict) else {}
    if code := _preferences_code(consent.get("categoryPreferences")):
        return code
    version = consent.get("version")
    if version is not None and (isinstance(version, bool) or not isinstance(version, int | float)):
        return "consent_version_should_be_number"
    advertising_id = device.get("advertisingId") if isinstance(device, dict) else None
    if advertising_id is not None and not isinstance(advertising_id, str):
        return "device_advertisingid_should_be_string"
    return "" if call.get("anonymousId") is not None else "consent_needs_anonymous_id_set"


def _preferences_code(preferences: Any) -> str:
    if preferences is None:
        return "consent_categoryprefences_should_exist"  # spelt so on Segment's page
    if not isinstance(preferences, dict):
        return "consent_categorypreferences_should_be_object"
    if not all(isinstance(agreed, bool) for agreed in preferences.values()):
        return "consent_categorypreferences_fields_should_be_bool"
    return ""


_REASONS: dict[str, tuple[str, str, str, str]] = {
    # code: rule, what was wrong, where, what to do
    "not_an_object": ("segment.discard.not-an-object", "a call is not a JSON object", "$", "send an object"),
    "type_not_known": (
        "segment.discard.type",
        "the call's type is none that Segment knows",
        "$.type",
        "name one of " + ", ".join(KINDS),
    ),
    "no_user_anon_id": (
        "segment.discard.no-id",
        "neither userId nor anonymousId is set",
        "$.userId",
        "set at least one of them",
    ),
    "id_not_string": (
        "segment.discard.id-not-string",
        "an id is empty or not a string",
        "$.userId",
        "send ids as non-empty strings, or leave them out",
    ),
    "event_not_defined": ("segment.discard.event", "a track call has no event", "$.event", "name the event"),
    "event_not_string": ("segment.discard.event", "the event is not a string", "$.event", "send its name as a string"),
    "properties_not_object": (
        "segment.discard.properties",
        "properties is not an object",
        "$.properties",
        "send an object, or leave it out",
    ),
    "traits_not_object": (
        "segment.discard.traits",
        "traits is not an object",
        "$.traits",
        "send an object, or leave it out",
    ),
    "name_not_string": ("segment.discard.name", "the name is empty or not a string", "$.name", "send a non-empty name"),
    "category_not_string": (
        "segment.discard.category",
        "the category is empty or not a string",
        "$.category",
        "send a non-empty category, or leave it out",
    ),
    "consent_categoryprefences_should_exist": (
        "segment.discard.consent",
        "the consent event has no category preferences",
        "$.context.consent.categoryPreferences",
        'send an object such as {"Advertising": true}',
    ),
    "consent_categorypreferences_should_be_object": (
        "segment.discard.consent",
        "the category preferences are not an object",
        "$.context.consent.categoryPreferences",
        'send an object such as {"Advertising": true}',
    ),
    "consent_categorypreferences_fields_should_be_bool": (
        "segment.discard.consent",
        "a category preference is neither true nor false",
        "$.context.consent.categoryPreferences",
        "send true or false for each category",
    ),
    "consent_needs_anonymous_id_set": (
        "segment.discard.consent",
        "the consent event has no anonymousId",
        "$.anonymousId",
        "send an anonymousId with it",
    ),
    "consent_version_should_be_number": (
        "segment.discard.consent",
        "the consent version is not a number",
        "$.context.consent.version",
        "send a number",
    ),
    "device_advertisingid_should_be_string": (
        "segment.discard.consent",
        "the advertising id is not a string",
        "$.context.device.advertisingId",
        "send a string",
    ),
    "message_id_too_long": (
        "segment.limit.message-id",
        f"the messageId has over {MESSAGE_ID_CHARACTERS} characters",
        "$.messageId",
        "shorten it, or leave it out",
    ),
    "nested_too_deeply": ("segment.limit.depth", "the call is nested too deeply", "$", "flatten it"),
    "event_too_large": (
        "segment.limit.event-size-in-batch",
        f"the call has over {EVENT_KB} KB",
        "$",
        "send less in one call",
    ),
}


def discarded(code: str, call: Any, *, by_pixel: bool = False) -> Step:
    """Return the drop that a discard code stands for, with the value where there is one."""
    rule, text, at, fix = _REASONS[code]
    if code == "event_too_large" and by_pixel:
        rule = "segment.limit.event-size-in-pixel"
    if code == "id_not_string" and isinstance(call, dict) and _id_is_good(call.get("userId")):
        at = "$.anonymousId"
    value = _short(call, at)
    return drop(rule, f"{text}{value}; Segment answers 200 and discards it", at=at, fix=fix, level="error", code=code)


def _short(call: Any, at: str) -> str:
    """Return `` (the value)`` of a top-level field, cut to 40 characters; nothing where it is absent."""
    name = at.removeprefix("$.")
    if not isinstance(call, dict) or call.get(name) is None:
        return ""
    return f" ({_text(call[name])})"


def _text(value: Any) -> str:
    """Return a value as JSON, cut to 40 characters."""
    try:
        text = orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return "a value nested too deeply"
    return text if len(text) <= 40 else text[:39] + "…"


def open_calls(payload: Any, envelope: Envelope, settings: SegmentSettings) -> Iterator[Opened]:
    """Yield every call of a parsed body, opened, in order; calls past the 2,500th are discarded."""
    outer = payload if not envelope.kind and isinstance(payload, dict) else {}
    envelope = replace(envelope, outer=outer)
    for index, call in enumerate(calls_in(payload, envelope.kind)):
        yield open_call(call, index, envelope, settings)


def open_call(call: Any, index: int, envelope: Envelope, settings: SegmentSettings) -> Opened:
    """Return one call as destinations will see it, with each step that changed or discarded it."""
    if index >= BATCH_EVENTS:
        return Opened(index, call, None, [_past_the_limit(index)])
    batched = envelope.outer is not None and not envelope.kind
    code = discard_code(call, envelope.kind, settings, weigh=batched or bool(envelope.pixel), outer=envelope.outer)
    if code:
        return Opened(index, call, None, [discarded(code, call, by_pixel=bool(envelope.pixel))])
    steps: list[Step] = []
    message = {name: value for name, value in call.items() if name != "writeKey"}
    message["type"] = kind_of(call, envelope.kind)
    _merge_outer(message, envelope.outer or {}, settings)
    _set_message_id(message, index, envelope, steps)
    _set_times(message, envelope, steps)
    _set_ip(message, envelope, settings, steps)
    _cut_properties(message, steps)
    if envelope.pixel == "query" and isinstance(message.get("integrations"), dict):
        steps.append(_INTEGRATIONS_OF_A_QUERY)
    if message["type"] == "alias" and message.get("userId") == message.get("previousId") is not None:
        steps.append(_same_id(message["userId"]))
    if settings.nulls == "strip":  # else as they came (segment.nulls)
        message = {name: value for name, value in message.items() if value is not None or name == "originalTimestamp"}
    return Opened(index, call, message, steps)


_INTEGRATIONS_OF_A_QUERY = Step(
    "assumed",
    "segment.pixel.query",
    "true and false under integrations of a plain query are read as booleans, any other value stays a text",
    "$.integrations",
    "send the call as base64 in data to say so yourself",
    "note",
)


def _same_id(user_id: Any) -> Step:
    return Step(
        "info",
        "segment.alias.same-id",
        f"userId and previousId are both {_text(user_id)}: the alias call joins nothing",
        at="$.userId",
        fix="alias from a server, or call reset() before: in a browser the user identified last takes the place of the new id",
        level="warning",
    )


def _past_the_limit(index: int) -> Step:
    return drop(
        "segment.limit.batch-events",
        f"call {index + 1} of a batch is over the limit of {BATCH_EVENTS} events",
        at=f"$.batch[{index}]",
        fix="send smaller batches",
        level="error",
    )


def _merge_outer(message: Message, outer: Mapping[str, Any], settings: SegmentSettings) -> None:
    """Merge a batch's own context and integrations into the item (segment.batch.merge)."""
    for name in ("context", "integrations"):
        if outer.get(name):
            message[name] = merged(message.get(name), outer[name], settings)


def merged(own: Any, shared: Any, settings: SegmentSettings) -> Any:
    """Return an item's object with the batch's own merged into it, key by key; the item's as it is where there is none.

    >>> merged({"ip": "203.0.113.7"}, {"ip": "192.0.2.1", "locale": "en-US"}, SegmentSettings())
    {'ip': '203.0.113.7', 'locale': 'en-US'}
    """
    if not isinstance(shared, dict) or not shared:
        return own
    own = own if isinstance(own, dict) else {}
    return {**shared, **own} if settings.batch_merge == "item" else {**own, **shared}


def _set_message_id(message: Message, index: int, envelope: Envelope, steps: list[Step]) -> None:
    given = message.get("messageId")
    if isinstance(given, str) and given:
        return
    message["messageId"] = f"{envelope.id_prefix}-{index}"
    if given is None:
        steps.append(
            Step("info", "segment.message-id", "the call has no messageId; made one on receipt", at="$.messageId")
        )
        return
    steps.append(
        Step(
            "assumed",
            "segment.message-id",
            f"messageId {_text(given)} is no text; made a new one",
            at="$.messageId",
            fix="send a string of at most 100 characters",
            level="note",
        )
    )


def _set_times(message: Message, envelope: Envelope, steps: list[Step]) -> None:
    """Set the four times of a delivered message (segment.timestamp)."""
    received = in_ms(envelope.received_at)
    original, sent = message.get("timestamp"), message.get("sentAt")
    sent = (envelope.outer or {}).get("sentAt") if sent is None else sent
    message["originalTimestamp"] = original
    message["sentAt"] = sent
    message["receivedAt"] = iso(received)
    original_ms, sent_ms = epoch_ms(original, envelope.received_at), epoch_ms(sent, envelope.received_at)
    corrected = received if original is None else original_ms
    if original is not None and original_ms is not None and sent is not None and sent_ms is not None:
        corrected = received - (sent_ms - original_ms)
        _note_skew(sent_ms, received, steps)
    text = "" if corrected is None else iso(corrected)
    if not text:
        steps.append(_unreadable(original))
    elif isinstance(original, int | float):
        steps.append(_read_as_milliseconds(original, text))
    message["timestamp"] = text or message["receivedAt"]
    message["version"] = message.get("version") or 2


def _unreadable(timestamp: Any) -> Step:
    return Step(
        "assumed",
        "segment.timestamp.unreadable",
        f"timestamp {_text(timestamp)} cannot be read; the time of receipt is used",
        at="$.timestamp",
        fix="send ISO 8601, such as 2026-01-02T03:04:05.678Z",
        level="warning",
    )


def _read_as_milliseconds(timestamp: float, text: str) -> Step:
    """Return the step of a timestamp that is a number; a warning where it must have been meant as seconds."""
    return Step(
        "assumed",
        "segment.timestamp.number",
        f"timestamp {_text(timestamp)} is read as epoch milliseconds: {text}",
        at="$.timestamp",
        fix="send ISO 8601, such as 2026-01-02T03:04:05.678Z",
        level="warning" if abs(timestamp) < SECONDS_BELOW else "note",
    )


def _note_skew(sent: int, received: int, steps: list[Step]) -> None:
    if abs(received - sent) >= 60_000:
        steps.append(
            Step(
                "rename",
                "segment.timestamp",
                f"the client's clock is {(received - sent) / 1000:+.0f} s off; timestamp was moved by as much",
                at="$.sentAt",
                fix="nothing to do if the message waited on its way; else set the client's clock",
                level="note",
            )
        )


def iso(milliseconds: int) -> str:
    """Return epoch milliseconds as ISO 8601 in UTC with three decimals; empty outside the years 1 to 9999.

    >>> iso(1704164645678)
    '2024-01-02T03:04:05.678Z'
    """
    try:
        return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds") + "Z"
    except OverflowError:
        return ""


def _set_ip(message: Message, envelope: Envelope, settings: SegmentSettings, steps: list[Step]) -> None:
    """Fill ``context.ip`` for a client-side event, or one that asks for it by ``context.direct`` (segment.context.ip)."""
    if not settings.server_ip or not envelope.remote or ":" in envelope.remote:  # Segment fills in IPv4 only
        return
    context = message.get("context")
    context = context if isinstance(context, dict) else {}
    library = context.get("library")
    name = library.get("name") if isinstance(library, dict) else ""
    if (name == "analytics.js" or context.get("direct") is True) and context.get("ip") is None:
        message["context"] = {**context, "ip": envelope.remote}
        steps.append(Step("info", "segment.context.ip", "context.ip was filled from the connection", at="$.context.ip"))


def _cut_properties(message: Message, steps: list[Step]) -> None:
    for name in ("properties", "traits"):
        value = message.get(name)
        if isinstance(value, dict) and len(value) > PROPERTIES:
            message[name] = dict(list(value.items())[:PROPERTIES])
            steps.append(
                Step(
                    "cut",
                    "segment.limit.properties",
                    f"{len(value) - PROPERTIES} of {len(value)} {name} are over the limit of {PROPERTIES} and left out",
                    at=f"$.{name}",
                    fix="send fewer",
                    level="warning",
                )
            )
