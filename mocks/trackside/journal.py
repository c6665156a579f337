"""What happened, kept as it came: one row per HTTP exchange, one per delivery attempt that was no plain success.

The journal is the log from which everything else is derived: messages, deliveries, records and journeys are computed
from its rows by pure functions when somebody reads them (`trackside.journeys`). So an event is visible before its
answer is sent, costs little more memory than its own bytes, and reads the same after a restart.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Protocol, TypeAlias

import orjson

from trackside.errors import TracksideError
from trackside.steps import Step
from trackside.wire import Answer, Intake, Request

DEFAULT_LIMIT = 100_000
"""Messages kept by default; the oldest go first, and are counted."""

DEFAULT_BYTES = 512 * 1024 * 1024
"""Bytes of bodies kept by default, whatever the number of messages; the oldest go first here too."""

Cause: TypeAlias = tuple[int, int]
NO_CAUSE: Cause = (0, 0)
_HEADS = 1024
_NO_INTAKE = Intake()


@dataclass(slots=True)
class Exchange:
    """One HTTP request and its answer, as seen on the wire.

    Attributes:
        seq: its number, counted from 1; requests are numbered in the order of their answers.
        vendor: whose port it came to.
        request: the decoded request.
        status: of the answer.
        answer: the answer's body.
        workspace: number of the workspace that was in force.
        intake: what Segment's ingest decided; calls is 0 for everything else.
        steps: what happened to the request as a whole, where it cannot be derived from it.
        queued: whether deliveries of its messages are kept as attempts.
        told: whether the answer cannot be derived again; see `trackside.wire.Answer`.
        kept: the vendor's records as JSON, of an answer that cannot be derived again.
        cause: of a vendor's export, a test event or a replayed message: the row that it was made of, and its number among
            those made of that row; (0, 0) for what came from outside.
    """

    seq: int
    vendor: str
    request: Request
    status: int
    answer: bytes
    workspace: int
    intake: Intake = _NO_INTAKE
    steps: Sequence[Step] = ()
    queued: bool = False
    told: bool = False
    kept: bytes = b""
    cause: Cause = NO_CAUSE

    @property
    def is_request(self) -> bool:
        """Whether it came over the wire; else it tells what happened inside a vendor, such as a changed gate."""
        return bool(self.request.method)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to deliver a message to a destination.

    Attributes:
        at: epoch seconds on the lab's clock.
        status: of the answer; 0 where there was none.
        answer: the answer's body.
        error: why there was no answer: ``ETIMEDOUT``, ``ECONNREFUSED``, ``ECONNRESET``, ``ENOTFOUND``.
        due: when the next try falls due, epoch seconds; None after the last one.
        steps: what the fault was.
    """

    at: float
    status: int
    answer: bytes = b""
    error: str = ""
    due: float | None = None
    steps: tuple[Step, ...] = ()

    @property
    def delivered(self) -> bool:
        """Whether the destination took it."""
        return 200 <= self.status < 300


DeliveryKey = tuple[int, int, str, int]
"""Exchange, position of the call in it, destination's name, and number of the request to it (one per mapping)."""


@dataclass(frozen=True, slots=True)
class _Head:
    """What an exchange has in common with others: all but its number, time and body. An SDK repeats itself."""

    vendor: str
    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    params: Mapping[str, str]
    undecodable: str
    remote: str
    status: int
    answer: bytes
    workspace: int
    intake: Intake
    steps: Sequence[Step]
    queued: bool
    told: bool
    kept: bytes

    @classmethod
    def of(cls, row: Exchange) -> _Head:
        """Return the head of an exchange."""
        request = row.request
        return cls(
            row.vendor,
            request.method,
            request.path,
            request.headers,
            request.query,
            request.params,
            request.undecodable,
            request.remote,
            row.status,
            row.answer,
            row.workspace,
            row.intake,
            row.steps,
            row.queued,
            row.told,
            row.kept,
        )

    def key(self) -> tuple[Any, ...]:
        """Return what equal heads have equal."""
        maps = (tuple(self.headers.items()), tuple(self.query.items()), tuple(self.params.items()))
        return (
            self.vendor,
            self.method,
            self.path,
            self.undecodable,
            self.remote,
            self.status,
            self.answer,
            self.workspace,
            self.intake,
            tuple(self.steps),
            self.queued,
            self.told,
            self.kept,
            *maps,
        )

    def exchange(self, seq: int, at: float, body: bytes, cause: Cause) -> Exchange:
        """Return the exchange with this head."""
        request = Request(
            self.method,
            self.path,
            self.headers,
            body,
            self.query,
            self.params,
            at,
            undecodable=self.undecodable,
            remote=self.remote,
        )
        return Exchange(
            seq,
            self.vendor,
            request,
            self.status,
            self.answer,
            self.workspace,
            self.intake,
            self.steps,
            self.queued,
            self.told,
            self.kept,
            cause,
        )


class Keeper(Protocol):
    """Where rows are also kept, so that they survive the process; see `trackside.sqlite`."""

    def keep_exchange(self, exchange: Exchange) -> None:
        """Keep a row; on return it survives the end of the process."""

    def keep_attempt(self, key: DeliveryKey, attempt: Attempt) -> None:
        """Keep an attempt in the same way."""

    def forget(self, before: int) -> None:
        """Drop every row whose number is below ``before``."""

    def close(self) -> None:
        """Finish."""


class Journal:
    """The rows of one lab, bounded by the number of messages.

    Args:
        limit: messages (or exchanges without messages) to keep; the oldest exchange goes first.
        keeper: where rows are kept beyond the process, if anywhere.
        limit_bytes: bytes of bodies to keep, so that large requests do not fill the memory before they are many.

    Attributes:
        opening: numbers of rows whose deliveries are being handed over; until that is done they are under way.
        export_states: what a vendor's exports of a row ask of its live state, as it stood when the row came; shared by
            rows between two changes, and not kept over a restart.
        seen_live: steps that a vendor's live state added to a delivery over HTTP, until its attempt is kept with them.
    """

    def __init__(
        self, limit: int = DEFAULT_LIMIT, keeper: Keeper | None = None, limit_bytes: int = DEFAULT_BYTES
    ) -> None:
        self.limit = limit
        self.limit_bytes = limit_bytes
        self.keeper = keeper
        self.changed = threading.Condition()
        self.version = 0
        self._heads: dict[tuple[Any, ...], _Head] = {}
        self.clear()

    def clear(self) -> None:
        """Forget everything, at once; numbers go on, so that nothing old is mistaken for new."""
        with self.changed:
            # One row a position, numbered without gaps: the last one has self._seq. Three columns instead of one of
            # tuples, as a tuple a row costs a tenth of a row.
            self._rows: deque[_Head] = deque()
            self._times: deque[float] = deque()
            self._bodies: deque[bytes] = deque()
            self.opening: set[int] = set()
            self.export_states: dict[int, Any] = {}
            self.seen_live: dict[DeliveryKey, tuple[Step, ...]] = {}
            self._attempts: dict[int, dict[DeliveryKey, list[Attempt]]] = {}
            self._causes: dict[int, Cause] = {}
            self._caused: dict[int, list[int]] = {}
            self._seq = getattr(self, "_seq", 0)
            self._kept = 0
            self._bytes = 0
            self.evicted = 0
            self.accepted = 0
            if self.keeper:
                self.keeper.forget(self._seq + 1)
            self._notify()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def next_seq(self) -> int:
        """The number that the next exchange will have."""
        return self._seq + 1

    def append(
        self,
        vendor: str,
        request: Request,
        answer: Answer,
        workspace: int,
        *,
        queued: bool = False,
        cause: Cause = NO_CAUSE,
    ) -> Exchange:
        """Keep an exchange and return its row; waiting readers see it when this returns."""
        steps = answer.steps if answer.told or vendor == "segment" else ()
        row = Exchange(
            self._seq + 1,
            vendor,
            request,
            answer.status,
            answer.body,
            workspace,
            answer.intake or _NO_INTAKE,
            steps,
            queued,
            answer.told,
            orjson.dumps(answer.records) if answer.told and answer.records else b"",
            cause,
        )
        if self.keeper:
            self.keeper.keep_exchange(row)
        with self.changed:
            self._add(row)
            self._notify()
        return row

    def restore(self, row: Exchange, attempts: Mapping[DeliveryKey, list[Attempt]]) -> None:
        """Take back a row that a keeper kept."""
        self._add(row)
        if attempts:
            self._attempts[row.seq] = dict(attempts)

    def _add(self, row: Exchange) -> None:
        self._seq = row.seq
        self._rows.append(self._head(row))
        self._times.append(row.request.at)
        self._bodies.append(row.request.body)
        if row.cause != NO_CAUSE:
            self._causes[row.seq] = row.cause
            self._caused.setdefault(row.cause[0], []).append(row.seq)
        self._kept += row.intake.calls or 1
        self._bytes += len(row.request.body)
        self.accepted += row.intake.calls
        while (self._kept > self.limit or self._bytes > self.limit_bytes) and len(self._rows) > 1:
            self._evict()

    def _head(self, row: Exchange) -> _Head:
        """Return the head of a row, the same object for equal ones."""
        head = _Head.of(row)
        if len(self._heads) >= _HEADS:
            self._heads.clear()
        return self._heads.setdefault(head.key(), head)

    def _evict(self) -> None:
        seq = self._first
        head = self._rows.popleft()
        self._times.popleft()
        self._bytes -= len(self._bodies.popleft())
        self._kept -= head.intake.calls or 1
        self.evicted += head.intake.calls or 1
        self._attempts.pop(seq, None)
        self._caused.pop(seq, None)
        self.export_states.pop(seq, None)
        if (cause := self._causes.pop(seq, None)) is not None:
            self._caused.pop(cause[0], None)
        if self.keeper and seq % 256 == 0:
            self.keeper.forget(seq + 1)

    @property
    def _first(self) -> int:
        """The number of the oldest row."""
        return self._seq - len(self._rows) + 1

    def add_attempt(self, key: DeliveryKey, attempt: Attempt) -> None:
        """Keep one try of a delivery, unless its message was evicted meanwhile."""
        with self.changed:
            added = self.seen_live.pop(key, ())
            if not self._rows or key[0] < self._first:
                return
            attempt = replace(attempt, steps=added + attempt.steps) if added else attempt
            if self.keeper:
                self.keeper.keep_attempt(key, attempt)
            self._attempts.setdefault(key[0], {}).setdefault(key, []).append(attempt)
            self._notify()

    def attempts(self, key: DeliveryKey) -> list[Attempt]:
        """Return the tries of a delivery so far, oldest first; none for one that was derived as delivered."""
        return list(self._attempts.get(key[0], {}).get(key, ()))

    def attempts_of(self, seq: int) -> dict[DeliveryKey, list[Attempt]]:
        """Return the tries of every delivery of a row."""
        return {key: list(made) for key, made in self._attempts.get(seq, {}).items()}

    def caused_by(self, seq: int) -> list[Exchange]:
        """Return the rows that were made of a row, oldest first."""
        return [self._row(one) for one in self._caused.get(seq, ())]

    def row(self, seq: int) -> Exchange | None:
        """Return the row of a number; None where it was evicted."""
        with self.changed:
            return self._row(seq) if self._rows and self._first <= seq <= self._seq else None

    def _row(self, seq: int) -> Exchange:
        index = seq - self._first
        cause = self._causes.get(seq, NO_CAUSE)
        return self._rows[index].exchange(seq, self._times[index], self._bodies[index], cause)

    def rows(self, *, newest_first: bool = False) -> Iterator[Exchange]:
        """Yield the rows that are kept, oldest first unless told otherwise."""
        with self.changed:
            kept, first = list(zip(self._rows, self._times, self._bodies, strict=True)), self._first
            causes = dict(self._causes)
        order = range(len(kept) - 1, -1, -1) if newest_first else range(len(kept))
        for index in order:
            head, at, body = kept[index]
            yield head.exchange(first + index, at, body, causes.get(first + index, NO_CAUSE))

    def since(self, seq: int) -> list[Exchange]:
        """Return the rows after a number, oldest first; costs what they cost, however many are kept."""
        with self.changed:
            wanted = min(self._seq - seq, len(self._rows))
            tails = (islice(reversed(column), wanted) for column in (self._rows, self._times, self._bodies))
            newest, last = list(zip(*tails, strict=True)), self._seq
            causes = [self._causes.get(last - back, NO_CAUSE) for back in range(len(newest))]
        rows = [head.exchange(last - back, at, body, causes[back]) for back, (head, at, body) in enumerate(newest)]
        return rows[::-1]

    def wait(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Return True as soon as ``condition`` holds, False after ``timeout`` seconds; checked at each change."""
        deadline = time.monotonic() + timeout
        while True:
            with self.changed:
                seen = self.version
            if condition():
                return True
            with self.changed:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                if self.version == seen:
                    self.changed.wait(left)

    def poke(self) -> None:
        """Wake everyone who waits: something besides a row has changed."""
        with self.changed:
            self._notify()

    def require_complete(self, what: str) -> None:
        """Raise a `TracksideError` where rows were evicted that ``what`` would need."""
        if self.evicted:
            raise TracksideError(
                f"{what} would need messages that the journal no longer holds ({self.evicted} evicted)",
                f"the journal's limit is {self.limit} messages and {self.limit_bytes // 2**20} MiB of bodies",
                "raise the limit, or reset before the part that you assert on",
            )

    def stats(self) -> dict[str, Any]:
        """Return how much is kept: ``exchanges``, ``accepted`` calls, what was ``evicted``, and the ``limit``."""
        return {
            "exchanges": len(self._rows),
            "accepted": self.accepted,
            "evicted": self.evicted,
            "limit": self.limit,
        }

    def _notify(self) -> None:
        self.version += 1
        self.changed.notify_all()
