"""What a lab sends of its own accord: deliveries that are not derived, vendors' exports, what Segment's tools ask for.

Most deliveries are never sent: they are derived when somebody reads (`trackside.journeys`). What is here are those that
leave the lab or may fail, those that change what a vendor serves, and the way on after a restart.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from trackside.delivery import Deliverer, retryable, told
from trackside.exports import Exporter
from trackside.journal import Attempt, Cause, DeliveryKey, Exchange
from trackside.journeys import Sent, as_request
from trackside.segment.routing import vendor_at
from trackside.steps import Record
from trackside.wire import Answer, Outgoing, Request

if TYPE_CHECKING:
    from trackside.lab import InForce, Lab

CAUSE_HEADER = "x-trackside-cause"
"""Where a lab whose deliveries go over HTTP says of an export what it was made of."""

_CAUSE = re.compile(r"(\d{1,18}) (\d{1,18})", re.ASCII)

DELIVERY_HEADER = "x-trackside-delivery"
"""Where it says which delivery a request is, so that what the vendor's live state makes of it is kept with the attempt."""

_EXPORT = "(export)"
"""What stands for a destination in the keys of attempts to hand an export to Segment."""


class Dispatch:
    """Sends what a lab sends of its own accord, and keeps its attempts in the journal.

    Args:
        lab: whose journal, clock and vendors these are.
        over_http: whether requests inside the lab go over its ports too.

    Attributes:
        deliverer: makes attempts, and makes them again when they fall due.
        exporter: makes vendors' exports beside SDKs' requests.
        unfinished: rows of the lab's file whose deliveries may not be over.
    """

    def __init__(self, lab: Lab, *, over_http: bool) -> None:
        self._lab = lab
        self.over_http = over_http
        self.deliverer = Deliverer(lab.journal, lab.clock)
        self.exporter = Exporter(lab, self._send_export)
        self.unfinished: list[Exchange] = []

    # ---- deliveries

    def needs_queue(self, source: str, body: bytes) -> bool:
        """Return whether deliveries of a source cannot be derived.

        Some leave the lab, a vendor was told to fail, or a message may change what a vendor serves.
        """
        plan = self._lab.workspace.plan
        if self.over_http or plan.external(source):
            return True
        mocks = self._lab.mocks.items()
        return any(mock.faults or (mock.acts_on(body) and plan.feeds(source, name)) for name, mock in mocks)

    def enqueue(self, row: Exchange) -> None:
        """Take on every delivery of a row's messages that is not derived."""
        workspace = self._lab.in_force(row.workspace)
        for journey in self._lab.journeys_of.of(row):
            for delivery in journey.deliveries:
                for number, sent in enumerate(delivery.sent):
                    key = (row.seq, journey.index, delivery.destination, number)
                    self._push(key, delivery.vendor, sent, workspace)

    def _push(self, key: DeliveryKey, vendor: str, sent: Sent, workspace: InForce) -> None:
        """Take on one delivery, unless it is derived: inside the lab, to a vendor without faults, not yet tried."""
        made = tuple(self._lab.journal.attempts(key))
        if made and made[-1].due is None:
            return
        inside = vendor_at(sent.outgoing.url) == vendor
        if inside and not made and not self.over_http:
            mock = self._lab.mocks[vendor]
            if not mock.faults and not mock.acts_on(sent.outgoing.body):
                return
        outgoing, attempt, lane = sent.outgoing, None, ""
        if inside and self.over_http:
            outgoing = outgoing.moved(self._lab.urls[vendor])
            if self._lab.mocks[vendor].acts_on(outgoing.body):
                lane = f"to {vendor}"  # else who enters and leaves an audience might leave first
                outgoing.headers = {**outgoing.headers, DELIVERY_HEADER: json.dumps(key)}
        elif inside:

            def attempt(outgoing: Outgoing, now: float) -> Attempt:
                return self._attempt_inside(vendor, outgoing, now, workspace)

        self.deliverer.push(key, outgoing, workspace.segment.retry, attempt, made=made, lane=lane)

    def _attempt_inside(self, vendor: str, outgoing: Outgoing, now: float, workspace: InForce) -> Attempt:
        fault = self._lab.mocks[vendor].take_fault()
        if fault is not None and fault.error:
            return Attempt(now, 0, error=fault.error)
        if fault is not None:
            return Attempt(now, fault.status, fault.body)
        request = as_request(outgoing, now)
        with self._lab.lock:
            answer = workspace.answer(vendor, request)
            derived = list(answer.steps)
            answer = self._lab.mocks[vendor].after(request, answer)
        return Attempt(
            now, answer.status, answer.body, steps=tuple(step for step in answer.steps if step not in derived)
        )

    def note_live(self, vendor: str, request: Request, answer: Answer) -> None:
        """Keep for a delivery over HTTP the steps that only the vendor's live state can tell."""
        if not (self.over_http and answer.told and (told := request.headers.get(DELIVERY_HEADER))):
            return
        key = _key_of(told)
        if key is None:
            return
        derived = self._lab.in_force().answer(vendor, request).steps
        added = tuple(step for step in answer.steps if step.rule and step not in derived)
        self._lab.journal.seen_live[key] = added

    # ---- exports

    def cause_of(self, request: Request, cause: Cause) -> Cause:
        """Return what a request was made of: as its maker says, or over HTTP its header."""
        told = _CAUSE.fullmatch(request.headers.get(CAUSE_HEADER, "")) if self.over_http else None
        return (int(told[1]), int(told[2])) if told else cause

    def export(self, row: Exchange, records: list[Record]) -> None:
        """Let a vendor's records of a row go to Segment soon, where it exports."""
        mock = self._lab.mocks[row.vendor]
        if records and mock.exports(getattr(self._lab.workspace, row.vendor)):
            state = mock.export_state()
            if state is not None:
                self._lab.journal.export_states[row.seq] = state
            self.exporter.add(row.seq, row.vendor, row.workspace, records)

    def _send_export(self, seq: int, vendor: str, number: int, outgoing: Outgoing) -> None:
        """Hand one request of a vendor to Segment; it is tried again where Segment is told to fail."""
        key: DeliveryKey = (seq, 0, _EXPORT, number)

        def attempt(outgoing: Outgoing, now: float) -> Attempt:
            with self._lab.lock:
                if self._lab.segment.faults and self._lab.segment.faults[0].error:
                    return Attempt(now, 0, error=self._lab.segment.take_fault().error)  # type: ignore[union-attr]  # just seen
                answer = self._lab.receive("segment", as_request(outgoing, now), (seq, number))
            return Attempt(now, answer.status, answer.body)

        made = tuple(self._lab.journal.attempts(key))
        retry, rules = self._lab.workspace.segment.retry, f"{vendor}.out"
        if self.over_http:
            headers = {**outgoing.headers, CAUSE_HEADER: f"{seq} {number}"}
            moved = Outgoing(outgoing.method, outgoing.url, headers, outgoing.body).moved(self._lab.urls["segment"])
            self.deliverer.push(key, moved, retry, None, made=made, rules=rules, lane=f"of {vendor}")
        elif made or self._lab.segment.faults:
            self.deliverer.push(key, outgoing, retry, attempt, made=made, rules=rules)
        else:
            first = attempt(outgoing, self._lab.clock.now())
            if not first.delivered:
                self._lab.journal.add_attempt(key, replace(first, steps=told(first, None, first.at, rules)))

    def tried_exports(self, row: Exchange) -> dict[DeliveryKey, list[Attempt]]:
        """Return the tries of what was exported of a row; those of its deliveries are others."""
        return {key: made for key, made in self._lab.journal.attempts_of(row.seq).items() if key[2] == _EXPORT}

    # ---- Segment's tools

    def send(self, vendor: str, outgoing: Outgoing, cause: Cause) -> tuple[Attempt, Exchange | None]:
        """Make one attempt of a request that a tool of Segment's sends to a destination.

        Args:
            vendor: who is there.
            outgoing: the request.
            cause: what it is made of.

        Returns:
            The attempt, and the vendor's row of it; None where it left the lab, or nobody answered.
        """
        before = self._lab.journal.next_seq - 1
        made = self._sent_once(vendor, outgoing, cause, self._lab.clock.now())
        rows = (row for row in self._lab.journal.since(before) if (row.vendor, row.cause) == (vendor, cause))
        return made, next(rows, None)

    def _sent_once(self, vendor: str, outgoing: Outgoing, cause: Cause, now: float) -> Attempt:
        if vendor_at(outgoing.url) != vendor:
            return self.deliverer.once(outgoing, now)
        if self.over_http:
            headers = {**outgoing.headers, CAUSE_HEADER: f"{cause[0]} {cause[1]}"}
            moved = Outgoing(outgoing.method, outgoing.url, headers, outgoing.body).moved(self._lab.urls[vendor])
            return self.deliverer.once(moved, now)
        faults = self._lab.mocks[vendor].faults
        with self._lab.lock:
            if faults and faults[0].error:
                return Attempt(now, 0, error=self._lab.mocks[vendor].take_fault().error)  # type: ignore[union-attr]  # just seen
            request = as_request(outgoing, now)
            request.body = bytes(memoryview(request.body))  # kept, and those of orjson take 4 KB each
            answer = self._lab.receive(vendor, request, cause)
        return Attempt(now, answer.status, answer.body)

    def deliver(
        self, key: DeliveryKey, vendor: str, outgoing: Outgoing, cause: Cause, failed: Attempt | None = None
    ) -> None:
        """Hand on a request of a tool's to be delivered with retries, from the first attempt on or after one that failed."""
        attempt = None
        if vendor_at(outgoing.url) == vendor:

            def attempt(outgoing: Outgoing, now: float) -> Attempt:  # noqa: ARG001 - the clock's, which `send` reads
                return self.send(vendor, outgoing, cause)[0]

        if failed is None:
            self.deliverer.push(key, outgoing, self._lab.workspace.segment.retry, attempt)
        else:
            self.deliverer.retry(key, outgoing, self._lab.workspace.segment.retry, attempt, failed)

    # ---- after a restart

    def resume(self) -> None:
        """Go on with the deliveries and exports that were not over when the file was last written."""
        for row in self.unfinished:
            self.enqueue(row)
        self.unfinished.clear()
        if self._lab.keeps:
            self._resume_exports()

    def _resume_exports(self) -> None:
        """Make the exports that Segment has not got, and go on with those that wait for another attempt."""
        rows = list(self._lab.journal.rows())
        answered = {row.cause for row in rows if row.vendor == "segment" and not retryable(row.status)}
        for row in rows:
            workspace = self._lab.in_force(row.workspace)
            if not self._lab.mocks[row.vendor].exports(getattr(workspace.workspace, row.vendor)):
                continue
            kept = () if row.vendor == "segment" else self._lab.kept_of(row, row.vendor)
            records = self._lab.mocks[row.vendor].exportable(row, [one.record for one in kept])
            tried = self.tried_exports(row)
            for number, outgoing in enumerate(workspace.exported(row.vendor, records).requests()):
                made = tried.get((row.seq, 0, _EXPORT, number))
                if (row.seq, number) not in answered and (not made or made[-1].due is not None):
                    self._send_export(row.seq, row.vendor, number, outgoing)


def _key_of(told: str) -> DeliveryKey | None:
    """Return the delivery that a header names; None for a header that this lab did not write."""
    try:
        seq, index, destination, number = orjson.loads(told)
    except (ValueError, TypeError):
        return None
    known = all(isinstance(one, int) for one in (seq, index, number)) and isinstance(destination, str)
    return (seq, index, destination, number) if known else None
