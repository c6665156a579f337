"""Segment's Replay: messages of the past, sent once more to one destination (segment.replay).

The journal is the archive. Each message keeps its messageId and its times; its ``integrations`` name the one destination,
whose filters apply. What becomes of it is in the result and not in the message's own journey.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from trackside.delivery import TIMEOUT_SECONDS, retryable
from trackside.errors import TracksideError
from trackside.journeys import Delivery, Journey, Sent, step_json
from trackside.segment.replay_choice import Asked, name_of, nothing_found, shown
from trackside.segment.routing import CompiledDestination, Sending, vendor_at
from trackside.segment.tester import sent_of
from trackside.steps import Step

if TYPE_CHECKING:
    from trackside.journal import DeliveryKey
    from trackside.lab import Lab

WHAT = "replay"
"""What the journal calls a replay."""

_AT_ONCE = 200
"""Messages to an address outside the lab that are under way at the same time."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A replayed message that was not delivered, or not yet, and why."""

    message_id: str
    type: str
    event: str
    exchange: int
    why: Step | None

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        why = step_json(self.why) if self.why is not None else None
        return {
            "message_id": self.message_id,
            "type": self.type,
            "event": self.event,
            "exchange": self.exchange,
            "why": why,
        }


@dataclass(slots=True)
class Replayed:
    """What became of a replay.

    Attributes:
        asked: which messages it was of, and where to.
        vendor: who is there.
        exchange: number of the replay's row in the journal.
        messages: how many there were.
        delivered: how many of them the destination took.
        dropped: those that came to nothing on the way or there.
        failed: those that the destination refused.
        waiting: those whose next attempt is due later, on the lab's clock, or under way.
        remarks: what a person should know of the replay as a whole.
    """

    asked: Asked
    vendor: str
    exchange: int = 0
    messages: int = 0
    delivered: int = 0
    dropped: list[Ended] = field(default_factory=list)
    failed: list[Ended] = field(default_factory=list)
    waiting: list[Ended] = field(default_factory=list)
    remarks: list[Step] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "destination": self.asked.destination,
            "vendor": self.vendor,
            "exchange": self.exchange,
            "messages": self.messages,
            "delivered": self.delivered,
            "dropped": [row.as_json() for row in self.dropped],
            "failed": [row.as_json() for row in self.failed],
            "waiting": [row.as_json() for row in self.waiting],
            "remarks": [step_json(step) for step in self.remarks],
        }


def replay(lab: Lab, asked: Asked) -> Replayed:
    """Send messages of the past to a destination; see `trackside.segment.mock.SegmentMock.replay`."""
    messages = _messages(lab, asked)
    first = next(messages, None)
    if first is None:
        raise nothing_found(lab, asked)
    to = lab.workspace.plan.destinations[asked.destination]
    replayed = Replayed(asked, to.vendor, remarks=[*_evicted(lab, asked), *_off(to)])
    row = lab.happened("segment", WHAT, asdict(asked), replayed.remarks)
    replayed.exchange = row.seq
    run = _Run(lab, to, replayed)
    for journey in chain([first], messages):
        run.take(journey)
    run.finish()
    replayed.remarks += run.unconnected()
    return replayed


def left_over(lab: Lab) -> Iterator[Step]:
    """Yield a warning of each replay whose retries ended with the process, for a lab that reads its journal again."""
    for row in lab.journal.rows():
        tries = lab.journal.attempts_of(row.seq).values() if row.vendor == "segment" and not row.is_request else ()
        if waiting := sum(made[-1].due is not None for made in tries):
            text = f"{waiting} requests of the replay {row.seq} were to be tried again when the lab was stopped"
            fix = "replay the messages again: only the deliveries of messages themselves go on"
            yield Step("fault", "segment.replay", text, "", fix, "warning")


def _messages(lab: Lab, asked: Asked) -> Iterator[Journey]:
    """Yield the messages that are asked for in the order of arrival, opened a request at a time.

    The journal's rows are taken as they are now: the replay's own requests may push them out of it meanwhile.
    """
    for row in lab.journal.rows():
        if row.vendor == "segment" and row.intake.calls and asked.takes_row(row):
            yield from filter(asked.takes, lab.journeys_of.towards(row, "segment"))


class _Run:
    """One replay under way."""

    def __init__(self, lab: Lab, to: CompiledDestination, replayed: Replayed) -> None:
        self._lab = lab
        self._to = to
        self._replayed = replayed
        self._pending: list[tuple[Journey, Delivery, list[DeliveryKey]]] = []
        self._patient = True
        self._told: Counter[str] = Counter()
        self._first: dict[str, Step] = {}
        self._sources: Counter[str] = Counter()

    def take(self, journey: Journey) -> None:
        """Send one message."""
        position = self._replayed.messages
        self._replayed.messages += 1
        self._sources[journey.exchange.intake.source] += 1
        routed = self._to.replay(journey.message or {}, journey.exchange.intake.source, self._lab.clock.now())
        if routed.sendings and (late := self._too_old(journey)) is not None:
            routed.steps.append(late)
            routed.sendings.clear()
        self._note(routed.steps)
        delivery = Delivery(self._to.name, self._to.vendor, routed.steps, [])
        keys: list[DeliveryKey] = []
        for number, sending in enumerate(routed.sendings):
            self._note(sending.steps)
            key = (self._replayed.exchange, position, self._to.name, number)
            if vendor_at(sending.outgoing.url) == self._to.vendor:
                delivery.sent.append(self._inside(journey, key, sending))
            else:
                cause = (journey.exchange.seq, journey.index)
                self._lab.dispatch.deliver(key, self._to.vendor, sending.outgoing, cause)
                delivery.sent.append(Sent(sending.mapping, sending.outgoing, [], sending.steps, []))
                keys.append(key)
        if keys:
            self._pending.append((journey, delivery, keys))
            if len(self._pending) >= _AT_ONCE:
                self._await()
        else:
            self._count(journey, delivery)

    def finish(self) -> None:
        """Wait for what is under way, and tell what the routing found, once for each rule."""
        self._await()
        for rule, step in self._first.items():
            others = self._told[rule] - 1
            more = f" (and {others} other messages of the replay)" if others else ""
            self._lab.tell(
                Step(step.kind, rule, f"{step.text}{more}", step.at, step.fix, step.level, step.code),
                self._to.vendor,
                WHAT,
            )

    def unconnected(self) -> Iterator[Step]:
        """Yield a note for each source that does not feed the destination."""
        for source in self._sources:
            if self._to not in self._lab.workspace.plan.sources.get(source, ()):
                text = (
                    f"the source {source} does not feed {self._to.name}: its messages are replayed there all the same"
                )
                at, fix = f"segment.sources.{source}.destinations", "connect them for its new messages"
                yield Step("assumed", "segment.replay.off", text, at, fix, "note")

    def _too_old(self, journey: Journey) -> Step | None:
        mock = self._lab.mocks.get(self._to.vendor)
        return mock.too_old(journey.message or {}, self._lab.clock.now()) if mock is not None else None

    def _inside(self, journey: Journey, key: DeliveryKey, sending: Sending) -> Sent:
        """Send a request to a vendor of the lab; one that failed is tried again by Segment's schedule."""
        cause = (journey.exchange.seq, journey.index)
        made, row = self._lab.dispatch.send(self._to.vendor, sending.outgoing, cause)
        sent = sent_of(self._lab, self._to.vendor, sending, made, row)
        if not made.delivered and retryable(made.status, made.error):
            self._lab.dispatch.deliver(key, self._to.vendor, sending.outgoing, cause, failed=made)
            sent.attempts = self._lab.journal.attempts(key)
        elif not made.delivered:
            self._lab.journal.add_attempt(key, sent.attempts[0])
        return sent

    def _await(self) -> None:
        """Count what was sent outside the lab; after one wait in vain, what has no answer yet counts as waiting."""
        if self._pending and self._patient:
            try:
                self._lab.settle(TIMEOUT_SECONDS + 5)
            except TracksideError:
                self._patient = False
        for journey, delivery, keys in self._pending:
            for sent, key in zip(delivery.sent, keys, strict=True):
                sent.attempts = self._lab.journal.attempts(key)
            self._count(journey, delivery)
        self._pending.clear()

    def _count(self, journey: Journey, delivery: Delivery) -> None:
        if delivery.outcome == "delivered":
            self._replayed.delivered += 1
            return
        lists = {"dropped": self._replayed.dropped, "failed": self._replayed.failed}
        why = (step for step in delivery.all_steps() if step.kind in ("drop", "fault"))
        message_id, kind = str(journey.get("messageId") or ""), str(journey.get("type") or "")
        ended = Ended(message_id, kind, name_of(journey), journey.exchange.seq, next(why, None))
        lists.get(delivery.outcome, self._replayed.waiting).append(ended)

    def _note(self, steps: list[Step]) -> None:
        for step in steps:
            if step.level in ("error", "warning"):
                self._told[step.rule] += 1
                self._first.setdefault(step.rule, step)


def _evicted(lab: Lab, asked: Asked) -> Iterator[Step]:
    """Yield a warning where the journal has let messages go that may have been asked for."""
    oldest = next(lab.journal.rows(), None)
    if not lab.journal.evicted or oldest is None or (asked.since is not None and asked.since > oldest.request.at):
        return
    text = f"{lab.journal.evicted} messages or requests before {shown(oldest.request.at)} are no longer in the journal: those asked for among them are not replayed"
    fix = f"raise the journal's limit of {lab.journal.limit}, or ask for a later time"
    yield Step("info", "segment.replay.evicted", text, "the journal", fix, "warning")


def _off(to: CompiledDestination) -> Iterator[Step]:
    if not to.destination.enabled:
        text = f"the destination {to.name} is switched off, and gets replayed messages all the same"
        at, fix = f"segment.destinations.{to.name}.enabled", "switch it on for new messages"
        yield Step("info", "segment.replay", text, at, fix, "note")
