"""The live log of ``trackside serve``: each event and its outcome, told beside the lab and never in its way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trackside.cli.rows import event_row, request_row
from trackside.times import in_ms, iso

if TYPE_CHECKING:
    from trackside.journal import DeliveryKey, Exchange
    from trackside.journeys import Journey
    from trackside.lab import Lab

AT_ONCE = 250
"""Calls that are told one by one at a time; requests beyond that, the oldest first, are only counted."""

REST = 9
"""After each look the log rests for this many times the time it worked, so that it takes a tenth of a processor at most."""

_WATCHED = 1_000
_ONE_HOUR = 3600.0


class LiveLog(threading.Thread):
    """Tells what comes into a lab's journal, until `finish`.

    An event with a delivery under way is told once that has an answer, and again when a retry changed the outcome.

    Args:
        lab: whose journal is told; what it holds already is not.
        write: takes a row of `trackside.cli.rows`, or ``{"kind": "more", "events": N}`` for calls that are only counted.
            An `OSError` from it ends the log (nobody reads on), and nothing else.
    """

    def __init__(self, lab: Lab, write: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(name="trackside-log", daemon=True)
        self._lab = lab
        self._write = write
        self._ended = threading.Event()
        self._version = -1
        self._last = lab.journal.next_seq - 1
        self._watched: list[_Watched] = []

    def run(self) -> None:
        """Tell, rest, and wait for the next change."""
        try:
            while not self._ended.is_set():
                began = time.thread_time()
                self._tell()
                self._ended.wait(REST * (time.thread_time() - began))
                self._lab.journal.wait(self._news, _ONE_HOUR)
            self._tell()
        except OSError:
            return

    def finish(self, timeout: float) -> bool:
        """Tell what is left and end; return False if the reader keeps it longer than ``timeout`` seconds."""
        self._ended.set()
        self._lab.journal.poke()
        self.join(timeout)
        return not self.is_alive()

    def _news(self) -> bool:
        return self._ended.is_set() or self._lab.journal.version != self._version

    def _tell(self) -> None:
        self._version = self._lab.journal.version
        rows = self._lab.journal.since(self._last)
        if rows:
            self._last = rows[-1].seq
        chosen, left_out = _newest(rows)
        if left_out:
            self._write({"kind": "more", "events": left_out})
        for row in chosen:
            for told in self._told(row):
                self._write(told)
        for told in self._changed():
            self._write(told)

    def _told(self, row: Exchange) -> Iterator[dict[str, Any]]:
        journeys = self._lab.journeys_of.of(row)
        if not row.intake.calls:
            records = sum(1 for _ in self._lab.kept_of(row, row.vendor))
            yield request_row(row, self._lab.steps_of(row), iso(in_ms(row.request.at)), records)
        elif row.queued and sum(len(watched.told) for watched in self._watched) < _WATCHED:
            self._watched.append(_Watched(row, _keys(journeys), [""] * len(journeys)))
        else:
            yield from (event_row(journey.as_json()) for journey in journeys)

    def _changed(self) -> Iterator[dict[str, Any]]:
        """Yield each watched event whose outcome is known now and differs from what was told; forget what is over."""
        oldest = self._lab.journal.next_seq - len(self._lab.journal)
        self._watched = [watched for watched in self._watched if watched.row.seq >= oldest]
        for watched in list(self._watched):
            if watched.row.seq in self._lab.journal.opening:
                continue
            made = sum(len(self._lab.journal.attempts(key)) for key in watched.keys)
            if made == watched.attempts:
                continue
            watched.attempts = made
            yield from self._news_of(watched)

    def _news_of(self, watched: _Watched) -> Iterator[dict[str, Any]]:
        standing: set[str] = set()
        for journey in self._lab.journeys_of.of(watched.row):
            outcomes = [delivery.outcome for delivery in journey.deliveries]
            standing.update(outcomes)
            if "under_way" not in outcomes and str(outcomes) != watched.told[journey.index]:
                watched.told[journey.index] = str(outcomes)
                yield event_row(journey.as_json())
        if standing.isdisjoint(("under_way", "awaiting_retry")):
            self._watched.remove(watched)


@dataclass
class _Watched:
    """A request whose deliveries are kept as attempts: what was told of its calls, after how many attempts."""

    row: Exchange
    keys: list[DeliveryKey]
    told: list[str]
    attempts: int = -1


def _keys(journeys: list[Journey]) -> list[DeliveryKey]:
    return [
        (journey.exchange.seq, journey.index, delivery.destination, number)
        for journey in journeys
        for delivery in journey.deliveries
        for number in range(len(delivery.sent))
    ]


def _newest(rows: list[Exchange]) -> tuple[list[Exchange], int]:
    """Return the newest of the rows (the last) that hold `AT_ONCE` calls together, and how many calls the others hold."""
    chosen: list[Exchange] = []
    left = AT_ONCE
    for row in reversed(rows):
        calls = row.intake.calls or 1
        if calls <= left:
            chosen.append(row)
            left -= calls
    return chosen[::-1], sum(row.intake.calls or 1 for row in rows) - (AT_ONCE - left)
