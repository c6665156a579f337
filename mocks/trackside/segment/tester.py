"""Segment's Event Tester: one real event to one destination, and everything that came of it (segment.event-tester).

The event is opened as ingest opens it, goes through every enabled mapping, and past the integrations object, the
destination's switch and its filters. It is none of Segment's messages; a vendor of the lab keeps what it got.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import orjson

from trackside import checks
from trackside.delivery import told
from trackside.errors import TracksideError
from trackside.journeys import Delivery, Journey, Sent, showable, step_json
from trackside.segment.actions import ActionResult
from trackside.segment.ingest import Envelope, open_call
from trackside.segment.routing import CompiledDestination, Routed, Sending, blocked_by_integrations
from trackside.steps import Message, Step

if TYPE_CHECKING:
    from trackside.journal import Attempt, Exchange
    from trackside.lab import Lab

WHAT = "event-tester"
"""What the journal calls a test."""

_SEGMENTS_OWN = ("sentAt", "originalTimestamp", "receivedAt")
"""What Segment sets of a message's times beside ``timestamp``; a message that went through it before has all of them."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One mapping of an Actions destination, and whether it took the event.

    Attributes:
        mapping: its name.
        action: its action's slug.
        trigger: which events it takes.
        matched: whether it took this one.
        why: why not; empty where it did.
    """

    mapping: str
    action: str
    trigger: str
    matched: bool
    why: str = ""


@dataclass(slots=True)
class Tested:
    """What the Event Tester shows.

    Attributes:
        destination: its name.
        vendor: who is there.
        message: the event as the destination gets it; None where ingest would discard it.
        steps: ingest's and the routing's, in order.
        mappings: every mapping of an Actions destination; none of one that maps by itself.
        requests: what was sent, with the answer as its attempt, and what a vendor of the lab keeps of it.
        exchange: number of the test's row in the journal.
    """

    destination: str
    vendor: str
    message: Message | None
    steps: list[Step] = field(default_factory=list)
    mappings: list[Tried] = field(default_factory=list)
    requests: list[Sent] = field(default_factory=list)
    exchange: int = 0

    @property
    def outcome(self) -> Literal["discarded", "delivered", "dropped", "failed"]:
        """How it ended: ingest discards it, else as a delivery ends, which is tried once."""
        if self.message is None:
            return "discarded"
        ended = Delivery(self.destination, self.vendor, self.steps, self.requests).outcome
        return ended if ended in ("delivered", "dropped") else "failed"

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, credentials redacted."""
        return {
            "destination": self.destination,
            "vendor": self.vendor,
            "outcome": self.outcome,
            "message": showable(self.message),
            "steps": [step_json(step) for step in self.steps],
            "mappings": [
                {"mapping": row.mapping, "action": row.action, "trigger": row.trigger, "matched": row.matched, "why": row.why}
                for row in self.mappings
            ],
            "requests": [sent.as_json() for sent in self.requests],
            "exchange": self.exchange,
        }  # fmt: skip


def send_test(lab: Lab, destination: str, event: Mapping[str, Any] | Journey) -> Tested:
    """Send one event to one destination; see `trackside.segment.mock.SegmentMock.test_event`."""
    plan = lab.workspace.plan
    if destination not in plan.destinations:
        raise unknown_destination(destination, lab)
    to = plan.destinations[destination]
    message, steps = _opened(_as_call(event), lab)
    tested = Tested(destination, to.vendor, message, steps)
    routed = Routed(destination, to.type, to.vendor)
    if message is not None:
        source = next((name for name, fed in plan.sources.items() if to in fed), "")
        routed, results = to.test(message, source, lab.clock.now())
        tested.steps += [*_passed_by(message, to), *routed.steps]
        tested.mappings = _tried(to, results)
    mapped = [step for sending in routed.sendings for step in sending.steps]
    row = lab.happened(
        "segment", WHAT, {"destination": destination, "event": showable(message)}, [*tested.steps, *mapped]
    )
    tested.exchange = row.seq
    tested.requests = [_sent(lab, to, row, number, sending) for number, sending in enumerate(routed.sendings)]
    return tested


def unknown_destination(name: str, lab: Lab) -> TracksideError:
    """Return the error of a destination that the workspace does not declare."""
    known = ", ".join(lab.workspace.segment.destinations) or "none"
    return TracksideError(f"there is no destination {name!r}", "segment.destinations", f"declared are: {known}")


def _as_call(event: Any) -> dict[str, Any]:
    """Return an event as a call for ingest; one that went through Segment before keeps its timestamp as it is.

    Raises:
        TracksideError: it is no JSON object.
    """
    if isinstance(event, Journey):
        event = event.message if event.message is not None else event.call
    if not isinstance(event, Mapping):
        fix = 'give one Segment call, such as {"type": "track", "event": "Signed Up", "userId": "u-1"}'
        raise TracksideError(f"the event is {event!r}, no JSON object", "$.event", fix)
    try:
        call: dict[str, Any] = orjson.loads(orjson.dumps(dict(event)))
    except TypeError as error:
        raise TracksideError(
            f"the event is no JSON: {error}", "$.event", "use text, numbers, lists and mappings"
        ) from error
    if "receivedAt" in call:
        call = {name: value for name, value in call.items() if name not in _SEGMENTS_OWN}
    return call


def _opened(call: dict[str, Any], lab: Lab) -> tuple[Message | None, list[Step]]:
    prefix = f"trackside-test-{lab.journal.next_seq}"
    envelope = Envelope(lab.clock.now(), "", "", prefix, outer={})
    opened = open_call(call, 0, envelope, lab.workspace.segment)
    return opened.message, opened.steps


def _passed_by(message: Message, to: CompiledDestination) -> list[Step]:
    """Return the notes of what would keep this event from the destination, were it no test."""
    steps = []
    if not to.destination.enabled:
        text = f"the destination {to.name} is switched off, and gets test events all the same"
        at, fix = f"segment.destinations.{to.name}.enabled", "switch it on for its sources' messages"
        steps.append(Step("assumed", "segment.event-tester.off", text, at, fix, "note"))
    if blocked := blocked_by_integrations(message.get("integrations"), to.type):
        text = f"{blocked.text}: a test event is sent all the same"
        steps.append(Step("assumed", "segment.event-tester.off", text, blocked.at, blocked.fix, "note"))
    if any(row.get("enabled", True) for row in to.destination.filters):
        text = f"the filters of {to.name} are not applied to test events"
        at, fix = f"segment.destinations.{to.name}.filters", "send the message through a source to see them work"
        steps.append(Step("info", "segment.event-tester", text, at, fix))
    return steps


def _tried(to: CompiledDestination, results: list[ActionResult]) -> list[Tried]:
    """Return every mapping with what became of the event there; refused settings leave only the first one tried."""
    answers = iter(results)
    rows = []
    for mapping in to.mappings:
        result = next(answers, None) if mapping.enabled else None
        why = "" if result is not None and result.matched else "its trigger does not match this event"
        if not mapping.enabled:
            why = "it is switched off"
        elif result is not None and result.steps and not result.matched:
            why = result.steps[0].text
        elif result is not None and result.outgoing is None and result.matched:
            why = f"it matched, and sent nothing: {result.cause}"
        rows.append(Tried(mapping.name, mapping.action, mapping.trigger, result is not None and result.matched, why))
    return rows


def _sent(lab: Lab, to: CompiledDestination, test: Exchange, number: int, sending: Sending) -> Sent:
    """Send one request; what its attempt tells, broken rules of the request's contract among it, is kept with the test."""
    made, row = lab.dispatch.send(to.vendor, sending.outgoing, (test.seq, number))
    sent = sent_of(lab, to.vendor, sending, made, row)
    if not any(step.rule == f"{to.vendor}.in.unsupported" for step in sent.steps):  # which says all there is to say
        faults = checks.request_faults(to.vendor, sending.outgoing.body)
        sent.attempts = [replace(sent.attempts[0], steps=(*sent.attempts[0].steps, *faults))]
    if sent.attempts[0].steps:
        lab.journal.add_attempt((test.seq, 0, to.name, number), sent.attempts[0])
    return sent


def sent_of(lab: Lab, vendor: str, sending: Sending, made: Attempt, row: Exchange | None) -> Sent:
    """Return a request of a tool's with its answer, and what the vendor made of it where it is one of the lab.

    Args:
        lab: that sent it.
        vendor: who is there.
        sending: the request.
        made: the attempt.
        row: the vendor's row of it, if there is one.
    """
    steps = list(lab.steps_of(row)) if row is not None else []
    if not made.delivered:
        known = any(step.level or step.kind == "drop" for step in steps)  # the vendor's own step says it all
        faults = told(made, None, made.at)
        made = replace(made, steps=tuple(replace(step, level=None) if known else step for step in faults))
    records = [kept.record for kept in lab.kept_of(row, vendor)] if row is not None else []
    steps += checks.record_faults(vendor, records)
    return Sent(sending.mapping, sending.outgoing, [made], [*sending.steps, *steps], records)
