"""Journeys: every message with everything that came of it, derived from the journal when somebody reads it.

The functions that a request runs through when it arrives are pure, so running them again tells the same story: ingest
opens the message, the plan routes it, the destination's endpoint answers. Only attempts that were no plain success are
read from the journal.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

import orjson

from trackside import catalog, checks
from trackside.exports import Exported
from trackside.journal import NO_CAUSE, Attempt, DeliveryKey, Exchange, Journal
from trackside.redaction import is_credential
from trackside.segment.discards import KINDS
from trackside.segment.forwarding import AGENT as FORWARDING
from trackside.segment.ingest import Envelope, Opened, open_calls
from trackside.segment.protocols import Guard, Verdict
from trackside.segment.routes import payload_of, pixel_form
from trackside.segment.routing import Plan, Routed, Sending, vendor_at
from trackside.segment.settings import SegmentSettings
from trackside.steps import Message, Record, Step
from trackside.times import in_ms, iso
from trackside.wire import Answer, Outgoing, Request

Outcome = Literal["delivered", "dropped", "failed", "awaiting_retry", "under_way"]
_CACHED_CALLS = 20_000
_MADE_ID = "trackside-"
"""Start of the messageIds that are made on receipt."""

_PLAIN = re.compile(r"[A-Za-z0-9_.:@ -]+")
"""Text that every JSON writer leaves as it is, so that it can be looked for in a body that was not parsed."""


@dataclass(slots=True)
class Sent:
    """One request to a destination: what was sent, each attempt, and what the vendor kept of it.

    Attributes:
        mapping: the mapping that made it; empty for a raw message.
        outgoing: the request.
        attempts: oldest first.
        steps: the mapping's, then the vendor's own, in order.
        records: what the vendor keeps; none unless it was delivered inside the lab.
    """

    mapping: str
    outgoing: Outgoing
    attempts: list[Attempt]
    steps: list[Step]
    records: list[Record]

    @property
    def outcome(self) -> Outcome:
        """How it ended, or stands."""
        if not self.attempts:
            return "under_way"
        last = self.attempts[-1]
        if not last.delivered:
            return "failed" if last.due is None else "awaiting_retry"
        steps = (*self.steps, *last.steps)
        return "delivered" if self.records or not any(step.kind == "drop" for step in steps) else "dropped"

    def as_json(self) -> dict[str, Any]:
        """Return the request, credentials redacted, with its attempts, steps and records."""
        return {
            "outcome": self.outcome,
            "mapping": self.mapping,
            "request": {
                "method": self.outgoing.method,
                "url": self.outgoing.url,
                "headers": redacted(self.outgoing.headers),
                "body": _json_or_text(self.outgoing.body),
            },
            "attempts": [_attempt_json(attempt) for attempt in self.attempts],
            "steps": [step_json(step) for step in self.steps],
            "records": [showable(record) for record in self.records],
        }


def _attempt_json(attempt: Attempt) -> dict[str, Any]:
    return {
        "at": iso(in_ms(attempt.at)),
        "status": attempt.status,
        "error": attempt.error,
        "answer": _json_or_text(attempt.answer),
        "next": iso(in_ms(attempt.due)) if attempt.due is not None else None,
        "steps": [step_json(step) for step in attempt.steps],
    }


@dataclass(slots=True)
class Delivery:
    """A message at one destination: filtered or dropped there, or the requests that were made of it."""

    destination: str
    vendor: str
    steps: list[Step]
    sent: list[Sent]

    @property
    def outcome(self) -> Outcome:
        """The outcome of its requests: the worst of them; ``dropped`` where there are none."""
        order: tuple[Outcome, ...] = ("failed", "awaiting_retry", "under_way", "delivered", "dropped")
        outcomes = {sent.outcome for sent in self.sent}
        return next((outcome for outcome in order if outcome in outcomes), "dropped")

    def all_steps(self) -> Iterator[Step]:
        """Yield every step in order: the routing's, then each request's."""
        yield from self.steps
        for sent in self.sent:
            yield from sent.steps
            for attempt in sent.attempts:
                yield from attempt.steps

    def records(self) -> list[Record]:
        """Return what the vendor keeps of the message."""
        return [record for sent in self.sent for record in sent.records]

    def as_json(self) -> dict[str, Any]:
        """Return the delivery as JSON."""
        return {
            "destination": self.destination,
            "vendor": self.vendor,
            "outcome": self.outcome,
            "steps": [step_json(step) for step in self.steps],
            "requests": [sent.as_json() for sent in self.sent],
        }


@dataclass(frozen=True, slots=True)
class Origin:
    """What a message was made of, that a vendor exported or that Segment made itself.

    Attributes:
        exchange: number of the row.
        vendor: whose row it is.
        what: the request, such as ``POST /v1/log_event``, or what happened, such as ``config_change``.
    """

    exchange: int
    vendor: str
    what: str

    def __str__(self) -> str:
        return f"made by {self.vendor} of {self.what} (exchange {self.exchange})"


@dataclass(slots=True)
class Journey:
    """A message with everything that came of it.

    Attributes:
        exchange: the request that it came with.
        index: its position in that request's batch.
        call: as it was received.
        message: as destinations get it; None where ingest discarded it.
        steps: contract, ingest and deduplication.
        contract: the verdict on the call as it was received: ``valid``, or ``faults``, which are among the steps.
        deliveries: one per destination of its source; none for a discarded or repeated message.
        duplicate: whether its messageId came before.
        origin: what it was made of; None for a message that came from outside.
        verdict: of the source's tracking plan; None without one.
    """

    exchange: Exchange
    index: int
    call: Any
    message: Message | None
    steps: list[Step]
    contract: Literal["valid", "faults"] = "valid"
    deliveries: list[Delivery] = field(default_factory=list)
    duplicate: bool = False
    origin: Origin | None = None
    verdict: Verdict | None = None

    def get(self, name: str) -> Any:
        """Return a top-level field of the message, or of the call where there is no message."""
        shown = self.message if self.message is not None else self.call
        return shown.get(name) if isinstance(shown, dict) else None

    @property
    def outcome(self) -> Literal["accepted", "discarded", "duplicate", "blocked"]:
        """What Segment's ingest made of it, and its tracking plan: a blocked message goes to no destination."""
        if self.duplicate:
            return "duplicate"
        if self.verdict is not None and self.verdict.blocked:
            return "blocked"
        return "accepted" if self.message is not None else "discarded"

    def all_steps(self) -> Iterator[tuple[str, Step]]:
        """Yield the destination's name (empty for Segment's ingest) and the step, in order."""
        for step in self.steps:
            yield "", step
        for delivery in self.deliveries:
            for step in delivery.all_steps():
                yield delivery.destination, step

    def dropped(self, destination_or_vendor: str | None = None) -> bool:
        """Whether it was discarded or repeated (``segment``), did not arrive at a destination, or any of it (None)."""
        rows = self.deliveries if destination_or_vendor is None else self.deliveries_to(destination_or_vendor)
        by_segment = destination_or_vendor in (None, "segment") and self.outcome != "accepted"
        return by_segment or any(delivery.outcome != "delivered" for delivery in rows)

    def delivery(self, destination_or_vendor: str) -> Delivery | None:
        """Return the delivery to a destination by its name or its vendor's, the first where there are several."""
        return next(iter(self.deliveries_to(destination_or_vendor)), None)

    def deliveries_to(self, destination_or_vendor: str) -> list[Delivery]:
        """Return the deliveries to a destination by its name, or to all destinations of a vendor."""
        return [row for row in self.deliveries if destination_or_vendor in (row.destination, row.vendor)]

    def as_json(self) -> dict[str, Any]:
        """Return the whole journey as JSON."""
        return {
            "message_id": self.get("messageId"),
            "type": self.get("type") or self.exchange.intake.kind,
            "event": self.get("event"),
            "user_id": self.get("userId"),
            "anonymous_id": self.get("anonymousId"),
            "source": self.exchange.intake.source,
            "exchange": self.exchange.seq,
            "origin": asdict(self.origin) if self.origin else None,
            "received_at": iso(in_ms(self.exchange.request.at)),
            "outcome": self.outcome,
            "contract": self.contract,
            "call": showable(self.call),
            "message": showable(self.message),
            "steps": [step_json(step) for step in self.steps],
            "deliveries": [delivery.as_json() for delivery in self.deliveries],
        }


def step_json(step: Step) -> dict[str, Any]:
    """Return a step as JSON, with the source and confidence of its rule.

    >>> told = step_json(Step("drop", "segment.dedup", "messageId m-1 came before"))
    >>> told["confidence"], told["source"].partition(",")[0]
    ('documented', 'Segment: Handling Duplicate Data')
    """
    from trackside.rules import RULES  # noqa: PLC0415 - only needed where somebody reads

    rule = RULES.get(step.rule)
    return {**step.as_json(), **({"source": rule.origin, "confidence": rule.confidence} if rule else {})}


def redacted(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers with credentials cut to their scheme and first characters."""
    return {name: _cut_key(value) if is_credential(name) else value for name, value in headers.items()}


def _cut_key(value: str) -> str:
    scheme, blank, key = value.rpartition(" ")
    return f"{scheme}{blank}{key[:4]}…"


def _json_or_text(body: bytes) -> Any:
    try:
        return showable(orjson.loads(body))
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")


def showable(value: Any) -> Any:
    """Return a value, or a remark in its place where it has more levels than can be written inside a journey."""
    try:
        orjson.dumps([[[[[[[[[[[[[[[[value]]]]]]]]]]]]]]]])
    except orjson.JSONEncodeError:
        return "nested too deeply to be shown here; see the request's body"
    return value


class Derived(Protocol):
    """What deriving needs to know of one workspace: its Segment block and plan, and the vendors' answers under it."""

    segment: SegmentSettings
    plan: Plan

    def answer(self, vendor: str, request: Request) -> Answer:
        """Return what a vendor answers to a request, without its faults."""

    def exported(self, vendor: str, records: list[Record], state: Any = None) -> Exported:
        """Return what a vendor sends to Segment of records that it keeps."""


class Journeys:
    """Derives journeys from the rows of a journal, and remembers the latest.

    Args:
        journal: the rows.
        workspace: returns what was in force under a workspace's number.
        over_http: whether deliveries inside the lab go over HTTP, so that the vendor's own exchange holds the records.
    """

    def __init__(self, journal: Journal, workspace: Callable[[int], Derived], *, over_http: bool = False) -> None:
        self._journal = journal
        self._workspace = workspace
        self.over_http = over_http
        self._lock = threading.Lock()
        self._cache: OrderedDict[int, list[Journey]] = OrderedDict()
        self._cached_calls = 0

    def clear(self) -> None:
        """Forget what was derived."""
        with self._lock:
            self._cache.clear()
            self._cached_calls = 0

    def of(self, row: Exchange) -> list[Journey]:
        """Return the journeys of one exchange, in the order of its calls."""
        if row.vendor != "segment" or not row.intake.calls:
            return []
        if (cached := self._cache.get(row.seq)) is not None:
            return cached
        journeys = self._derive(row)
        if not row.queued:
            self._remember(row.seq, journeys)
        return journeys

    def once(self, row: Exchange) -> list[Journey]:
        """Return the journeys of one exchange, and remember them no longer than before: for who reads each row once."""
        cached = self._cache.get(row.seq)
        return cached if cached is not None else self._derive(row)

    def towards(self, row: Exchange, vendor: str) -> list[Journey]:
        """Return the journeys of one exchange with the deliveries to one vendor only, for who reads no others."""
        if (cached := self._cache.get(row.seq)) is not None:
            return cached
        return self._derive(row, vendor) if row.vendor == "segment" and row.intake.calls else []

    def _remember(self, seq: int, journeys: list[Journey]) -> None:
        with self._lock:
            self._cached_calls += len(journeys) - len(self._cache.pop(seq, ()))
            self._cache[seq] = journeys
            while self._cached_calls > _CACHED_CALLS and len(self._cache) > 1:
                self._cached_calls -= len(self._cache.popitem(last=False)[1])

    def _derive(self, row: Exchange, only: str = "") -> list[Journey]:
        workspace = self._workspace(row.workspace)
        payload = payload_of(row.request)
        duplicates = frozenset(row.intake.duplicates)
        origin = self._origin(row)
        guard = guard_of(workspace.plan, row)
        journeys = []
        for opened in open_calls(payload, envelope_of(row), workspace.segment):
            faults = _contract_faults(row, opened)
            journey = Journey(row, opened.index, opened.call, opened.message, [*faults, *opened.steps], origin=origin)
            journey.contract = "faults" if faults else "valid"
            if opened.index in duplicates:
                journey.duplicate = True
                journey.steps.append(_repeated(opened.call.get("messageId")))
            elif journey.message is not None and not (guard and blocks(guard, journey)):
                routed = workspace.plan.route(journey.message, row.intake.source, row.request.at, only)
                told = _told_places(faults, row)
                journey.deliveries = [self._delivery(row, opened.index, way, workspace, told) for way in routed]
            journeys.append(journey)
        return journeys

    def _origin(self, row: Exchange) -> Origin | None:
        made_of = self._journal.row(row.cause[0]) if row.cause != NO_CAUSE else None
        if made_of is None:
            return None
        what = f"{made_of.request.method} {made_of.request.shown_path}".lstrip()
        return Origin(made_of.seq, made_of.vendor, what)

    def _delivery(
        self, row: Exchange, index: int, routed: Routed, workspace: Derived, told: Collection[str]
    ) -> Delivery:
        sent = []
        for number, sending in enumerate(routed.sendings):
            faults = checks.request_faults(routed.vendor, sending.outgoing.body, told)
            checked = Sending(sending.outgoing, sending.mapping, sending.steps + faults)
            key = (row.seq, index, routed.destination, number)
            sent.append(self._sent(key, row, routed.vendor, checked, workspace))
        return Delivery(routed.destination, routed.vendor, routed.steps, sent)

    def _sent(self, key: DeliveryKey, row: Exchange, vendor: str, sending: Sending, workspace: Derived) -> Sent:
        outgoing, steps = sending.outgoing, sending.steps
        attempts = self._journal.attempts(key) if row.queued else []
        inside = vendor_at(outgoing.url) == vendor
        if row.queued and (attempts or not inside or self.over_http or row.seq in self._journal.opening):
            last = attempts[-1] if attempts else None
            answer = workspace.answer(vendor, as_request(outgoing, last.at)) if last and inside else None
            if last is None or answer is None or answer.status != last.status or last.due is not None:
                return Sent(sending.mapping, outgoing, attempts, steps, [])
            again = attempt_of(answer, last.at)
            attempts[-1] = replace(again, steps=last.steps) if last.delivered else again
            if last.delivered and last.steps:  # what the vendor's live state made of it, where alone it came to nothing
                answer.steps = [step for step in answer.steps if step.kind != "drop"]
        else:
            answer = workspace.answer(vendor, as_request(outgoing, row.request.at))
            attempts = [attempt_of(answer, row.request.at)]
        if any(step.rule == f"{vendor}.in.unsupported" for step in answer.steps):  # which says all there is to say
            steps = [step for step in steps if step.rule != f"{vendor}.contract"]
        steps = steps + answer.steps + checks.record_faults(vendor, answer.records)
        steps += workspace.exported(vendor, answer.records).steps
        return Sent(sending.mapping, outgoing, attempts, steps, answer.records)

    def all(self, *, newest_first: bool = False, containing: str = "") -> Iterator[Journey]:
        """Yield every journey; ``containing`` skips requests that cannot hold that text anywhere."""
        for row in self._journal.rows(newest_first=newest_first):
            if may_hold(row, containing):
                journeys = self.of(row)
                yield from reversed(journeys) if newest_first else journeys


def guard_of(plan: Plan, row: Exchange) -> Guard | None:
    """Return the guard that a request's messages meet; None without a tracking plan.

    What was forwarded from another source's meets none, so that nothing is forwarded for ever (segment.protocols.forwarded).
    """
    guard = plan.guards.get(row.intake.source)
    if guard is None or (row.cause != NO_CAUSE and row.request.headers.get("user-agent") == FORWARDING):
        return None
    return guard


def blocks(guard: Guard, journey: Journey) -> bool:
    """Hold a journey's message against a tracking plan, and return whether it goes no further."""
    if journey.message is None:
        return True
    journey.verdict = guard.check(journey.message)
    journey.message = journey.verdict.message
    journey.steps += journey.verdict.steps
    return bool(journey.verdict.blocked)


def may_hold(row: Exchange, text: str) -> bool:
    """Return whether the calls of a request may hold a text; False only where that is certain."""
    body = row.request.body
    if not body or text.startswith(_MADE_ID) or not _PLAIN.fullmatch(text):
        return True
    return text.encode() in body or b"\\u" in body


def envelope_of(row: Exchange) -> Envelope:
    """Return what the calls of an exchange share."""
    remote = row.request.headers.get("x-forwarded-for", row.request.remote).partition(",")[0].strip()
    prefix = f"{_MADE_ID}{row.seq}"
    return Envelope(row.request.at, row.intake.kind, row.intake.source, prefix, remote, pixel=pixel_form(row.request))


def as_request(outgoing: Outgoing, at: float) -> Request:
    """Return the request as the destination's endpoint sees it."""
    url = urlsplit(outgoing.url)
    headers = {name.lower(): value for name, value in outgoing.headers.items()}
    return Request(outgoing.method, url.path, headers, outgoing.body, at=at, payload=outgoing.payload)


def attempt_of(answer: Answer, at: float) -> Attempt:
    """Return a first attempt that got this answer; no retry follows, as a vendor without faults never asks for one."""
    steps: tuple[Step, ...] = ()
    if not 200 <= answer.status < 300:
        text = f"the destination refused the message for good: status {answer.status}"
        known = any(step.level or step.kind == "drop" for step in answer.steps)  # the vendor's own step says it all
        steps = (
            Step(
                "fault",
                "segment.delivery.refused",
                text,
                fix="see the answer's body, then its rule",
                level=None if known else "error",
                code=f"errors.discarded.{answer.status}",
            ),
        )
    return Attempt(at, answer.status, answer.body, steps=steps)


def _repeated(message_id: str) -> Step:
    return Step(
        "drop",
        "segment.dedup",
        f"messageId {message_id} came before within the deduplication window; Segment answers 200 and drops the repeat",
        "$.messageId",
        "give each call its own messageId; a retry of the same call needs nothing",
        "note",
    )


def _told_places(faults: list[Step], row: Exchange) -> set[str]:
    """Return the places in a message whose faults were told of the call or its batch: destinations get them again."""
    places = {step.at for step in (*faults, *row.steps)}
    return places | {"$.originalTimestamp"} if "$.timestamp" in places else places


def _contract_faults(row: Exchange, opened: Opened) -> list[Step]:
    """Return the broken rules of a call's contract, placed from the call; quick when the whole body kept it."""
    if row.intake.valid:
        return []
    kind = row.intake.kind or (opened.call.get("type") if isinstance(opened.call, dict) else "")
    name = f"segment/{kind}" if kind in KINDS else "segment/call"
    return [catalog.as_step(fault) for fault in catalog.faults(name, opened.call)]
