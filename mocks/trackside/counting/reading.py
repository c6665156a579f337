"""What the rows of a journal tell a ledger: exposures, metric events, and messages that came to nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from trackside.counting.filters import Fact, fact
from trackside.counting.ledger import Dropped, Ledger
from trackside.counting.model import Counting, Event, Metric
from trackside.counting.vendors import COUNTED, counting_of
from trackside.statsig.encodings import plain_body
from trackside.times import in_ms

if TYPE_CHECKING:
    from trackside.journal import Exchange
    from trackside.journeys import Delivery, Journey
    from trackside.lab import Lab
    from trackside.steps import Record, Step
    from trackside.wire import Answer

Needs = Mapping[tuple[str, str], tuple[Metric, ...]]
"""By vendor and event name, the metrics that read a value or a filter of its records."""

CALLS = ("track", "page", "screen", "group")
"""The Segment calls that become metric events."""


def needs_of(metrics: Mapping[str, Sequence[Metric]]) -> dict[tuple[str, str], tuple[Metric, ...]]:
    """Return the metrics that need more of an event than that it came, by vendor and event name."""
    found: dict[tuple[str, str], tuple[Metric, ...]] = {}
    for vendor, of_vendor in metrics.items():
        for metric in of_vendor:
            if metric.event and (metric.value or metric.filters):
                found[vendor, metric.event] = (*found.get((vendor, metric.event), ()), metric)
    return found


class Reader:
    """Reads rows of a lab's journal into a ledger.

    Args:
        lab: that derives what vendors keep of a row.
        ledger: which is written.
        needs: see `Needs`.
    """

    def __init__(self, lab: Lab, ledger: Ledger, needs: Needs) -> None:
        self._lab, self._ledger, self._needs = lab, ledger, needs
        self._countings: dict[str, Counting] = {vendor: counting_of(vendor) for vendor in COUNTED}
        self._journeys = lab.journeys_of.once

    def take(self, row: Exchange, answer: Answer | None = None) -> None:
        """Read a row; ``answer`` is its vendor's to it, where that is at hand."""
        self._ledger.latest = max(self._ledger.latest, in_ms(row.request.at))
        if row.vendor == "segment":
            if row.intake.calls:
                self._calls(row)
        elif (counting := self._countings.get(row.vendor)) is not None:
            if self._lab.is_delivery(row):
                return  # the message's own row has it
            arrived = in_ms(row.request.at)
            records, steps = (answer.records, answer.steps) if answer is not None else self._kept(row)
            for number, record in enumerate(records):
                self._record(counting, row.vendor, record, arrived, row.seq, number)
            if dropped := [step for step in steps if step.kind == "drop"]:
                self._refused(counting, row, dropped)

    def _kept(self, row: Exchange) -> tuple[Sequence[Record], Sequence[Step]]:
        """Return what a vendor keeps of its own row, and what happened to that."""
        if row.told:
            return orjson.loads(row.kept or b"[]"), row.steps
        if row.status >= 300:
            return [], []
        answer = self._lab.in_force(row.workspace).answer(row.vendor, row.request)
        return answer.records, answer.steps

    def _refused(self, counting: Counting, row: Exchange, dropped: Sequence[Step]) -> None:
        """Take events that a vendor drops of what was posted to it."""
        body = plain_body(row.request)[0] if row.vendor == "statsig" else row.request.body
        try:
            posted = orjson.loads(body)
        except orjson.JSONDecodeError:
            return
        for step in dropped:
            item = _item(posted, step.at)
            name, unit = counting.posted(item) if isinstance(item, dict) else ("", "")
            if name:
                told = Dropped(
                    row.vendor, name, unit or None, None, None, row.seq, in_ms(row.request.at), step.as_json()
                )
                self._ledger.add_dropped(told)

    def _record(
        self,
        counting: Counting,
        vendor: str,
        record: Record,
        arrived: int,
        seq: int,
        number: int,
        user: str | None = None,
        anonymous: str | None = None,
        message: str | None = None,
    ) -> None:
        ledger = self._ledger
        for told in counting.read(record, arrived):
            if isinstance(told, Event):
                wanted = self._needs.get((vendor, told.name))
                facts: list[Fact] | None = [fact(metric, record) for metric in wanted] if wanted else None
                ledger.add_event(vendor, told, seq, number, facts, user, anonymous, message)
            else:
                ledger.add_exposure(vendor, told, seq)

    def _calls(self, row: Exchange) -> None:
        number = 0
        for journey in self._journeys(row):
            if journey.outcome in ("discarded", "blocked"):
                self._discarded(row, journey)
            of = [_text(journey.get(name)) for name in ("userId", "anonymousId", "messageId")]
            for delivery in journey.deliveries:
                if delivery.vendor not in self._countings:
                    continue
                kept = 0
                for sent in delivery.sent:
                    arrived = in_ms(sent.attempts[-1].at) if sent.attempts else in_ms(row.request.at)
                    for record in sent.records:
                        counting = self._countings[delivery.vendor]
                        self._record(counting, delivery.vendor, record, arrived, row.seq, number, *of)
                        number, kept = number + 1, kept + 1
                if not kept and delivery.outcome != "delivered" and journey.get("type") in CALLS:
                    self._drop(row, journey, delivery.vendor, _why(delivery))

    def _discarded(self, row: Exchange, journey: Journey) -> None:
        if journey.get("type") in ("identify", "group", "alias"):
            return
        source = self._lab.in_force(row.workspace).segment.sources.get(row.intake.source)
        destinations = self._lab.in_force(row.workspace).segment.destinations
        told = next((one for one in journey.steps if one.kind == "drop"), None)
        told = told or next((one for one in journey.steps if one.level == "error"), None)
        for name in source.destinations if source else ():
            if (vendor := destinations[name].type.partition("-")[0]) in self._countings:
                self._drop(row, journey, vendor, told)

    def _drop(self, row: Exchange, journey: Journey, vendor: str, step: Step | None) -> None:
        name = _text(journey.get("event")) or _text(journey.get("name")) or ""
        told: dict[str, Any] = step.as_json() if step is not None else {"text": "the delivery is not over"}
        user, anonymous, message = (_as_text(journey.get(key)) for key in ("userId", "anonymousId", "messageId"))
        at = in_ms(row.request.at)
        self._ledger.add_dropped(Dropped(vendor, name, user, anonymous, message, row.seq, at, told))


_PLACE = re.compile(r"\$(?:\.events)?(?:\[(\d+)\])?")
"""How the path of an event begins in what is posted: an array, an object with one, or the event itself."""


def _item(posted: Any, at: str) -> Any:
    """Return the event that a path lies in.

    >>> _item({"events": [{"eventName": "a"}]}, "$.events[0].eventName")
    {'eventName': 'a'}
    """
    found = _PLACE.match(at)
    items = posted.get("events") if isinstance(posted, dict) and at.startswith("$.events") else posted
    if found is None or found[1] is None:
        return posted
    index = int(found[1])
    return items[index] if isinstance(items, list) and index < len(items) else None


def _why(delivery: Delivery) -> Step | None:
    """Return the step that ended a delivery: a drop, else the last fault, the vendor's own before that it was refused."""
    steps = list(delivery.all_steps())
    dropped = next((step for step in steps if step.kind == "drop"), None)
    faults = [step for step in reversed(steps) if step.kind == "fault"]
    told = next((step for step in faults if not step.rule.startswith("segment.delivery.")), None)
    return dropped or told or next(iter(faults), None)


def _as_text(value: Any) -> str | None:
    """Return an id as somebody would ask for it, one that is a number too: it may be why the message ended."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else _text(value)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
