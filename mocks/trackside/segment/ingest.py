"""From a request's JSON to messages: what Segment does with a call before any destination sees it.

Pure functions. `calls_in` opens a body when it arrives, `open_call` tells the whole story of one call when somebody asks
for its journey. What is discarded, and why, is in `trackside.segment.discards`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from trackside.segment.discards import (
    BATCH_EVENTS,
    PROPERTIES,
    as_text,
    discard_code,
    discarded,
    kind_of,
    merged,
)
from trackside.segment.settings import SegmentSettings
from trackside.steps import Message, Step, drop
from trackside.times import epoch_ms, in_ms, iso

SECONDS_BELOW = 100_000_000_000
"""Numbers below this were surely meant as epoch seconds: as milliseconds they lie before March 1973."""


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
        f"userId and previousId are both {as_text(user_id)}: the alias call joins nothing",
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
            f"messageId {as_text(given)} is no text; made a new one",
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
        f"timestamp {as_text(timestamp)} cannot be read; the time of receipt is used",
        at="$.timestamp",
        fix="send ISO 8601, such as 2026-01-02T03:04:05.678Z",
        level="warning",
    )


def _read_as_milliseconds(timestamp: float, text: str) -> Step:
    """Return the step of a timestamp that is a number; a warning where it must have been meant as seconds."""
    return Step(
        "assumed",
        "segment.timestamp.number",
        f"timestamp {as_text(timestamp)} is read as epoch milliseconds: {text}",
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
