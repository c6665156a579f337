"""From Segment to a destination when it is no plain success: attempts, retries on the lab's clock, faults, real HTTP.

A delivery inside the lab to a vendor without faults is derived when it is read (`trackside.journeys`) and never comes
here. What comes here is kept as attempts in the journal: deliveries to addresses outside the lab, and deliveries to a
vendor that was told to fail.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trackside.clock import Clock
from trackside.journal import Attempt, DeliveryKey, Journal
from trackside.segment.settings import Retry
from trackside.steps import Step
from trackside.wire import Outgoing

TIMEOUT_SECONDS = 10.0
ANSWER_BYTES = 64 * 1024
SEGMENT_RULES = "segment.delivery"
_WORKERS = 8
_SHORTEST = 0.1
"""The shortest wait between two attempts in seconds, whatever the schedule says."""

_AT_ONCE = 0.001
"""Seconds by which an attempt may be early: sums of seconds are not exact."""


@dataclass(slots=True)
class Fault:
    """What a vendor does instead of its work, for the next ``times`` requests (None: until it is taken away).

    Attributes:
        status: the status to answer with; 0 with an ``error``.
        error: ``ETIMEDOUT`` (no answer in time), ``ECONNREFUSED`` (nobody listens) or ``ECONNRESET``.
        times: how many requests it lasts.
        body: the answer's body.
        headers: further headers, such as ``Retry-After``.
        seconds: how long a caller over HTTP is left waiting by ``ETIMEDOUT``.
    """

    status: int = 500
    error: str = ""
    times: int | None = 1
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 30.0


def retryable(status: int, error: str = "") -> bool:
    """Return whether Segment tries again after a status or an error (segment.delivery.retry).

    It does after 408, 423, 429, each 5xx but 501, and where there was no answer; never for a request that cannot be made.
    """
    if error:
        return error != "EINVAL"
    return status in (408, 423, 429) or (500 <= status < 600 and status != 501)


def next_due(retry: Retry, key: DeliveryKey, attempts: int, first_at: float, now: float) -> float | None:
    """Return when the next attempt falls due, or None when the hours are over (segment.delivery.retry).

    Args:
        retry: the schedule.
        key: the delivery; its jitter is made from it, so that it is the same in every run.
        attempts: how many were made.
        first_at: when the first was made, epoch seconds.
        now: epoch seconds.
    """
    wait = min(retry.first * retry.factor ** (attempts - 1), retry.longest)
    spread = zlib.crc32(repr((key, attempts)).encode()) / 0xFFFFFFFF
    due = now + max(wait * (1 - retry.jitter * spread), _SHORTEST)
    return due if due - first_at <= retry.hours * 3600 else None


@dataclass(slots=True)
class _Pending:
    key: DeliveryKey
    outgoing: Outgoing
    retry: Retry
    inside: Callable[[Outgoing, float], Attempt] | None
    rules: str = SEGMENT_RULES
    lane: str = ""
    attempts: int = 0
    first_at: float = 0.0


class Deliverer:
    """Makes attempts, and makes them again when they fall due.

    Args:
        journal: where attempts are kept.
        clock: on which retries fall due.
    """

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._heap: list[tuple[float, int, _Pending]] = []
        self._order = itertools.count()
        self._wake = threading.Condition()
        self._in_flight = 0
        self._generation = 0
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._jobs: queue.SimpleQueue[tuple[_Pending, int] | None] = queue.SimpleQueue()
        self._workers: list[threading.Thread] = []
        self._lanes: dict[str, deque[tuple[_Pending, int]]] = {}  # busy ones, each with those that wait for their turn
        self._http: Any = None

    def push(
        self,
        key: DeliveryKey,
        outgoing: Outgoing,
        retry: Retry,
        inside: Callable[[Outgoing, float], Attempt] | None,
        *,
        made: tuple[Attempt, ...] = (),
        rules: str = SEGMENT_RULES,
        lane: str = "",
    ) -> None:
        """Take on a delivery: inside the lab its first attempt is over when this returns, outside it is under way.

        Args:
            key: which delivery.
            outgoing: the request.
            retry: the schedule of its retries.
            inside: makes one attempt inside the lab; None for a request over HTTP.
            made: attempts made before a restart.
            rules: how the ids begin of the rules that a failed attempt names, such as ``statsig.out``.
            lane: of requests over HTTP that are made one after another, in the order in which they fall due; empty for
                one that need not wait for others.
        """
        first_at = made[0].at if made else self._clock.now()
        pending = _Pending(key, outgoing, retry, inside, rules, lane, len(made), first_at)
        if made and made[-1].due is not None:
            self._schedule(made[-1].due, pending)
        elif inside is not None:
            self._try(pending, self._generation)
        else:
            self._schedule(first_at, pending)

    def retry(
        self,
        key: DeliveryKey,
        outgoing: Outgoing,
        retry: Retry,
        inside: Callable[[Outgoing, float], Attempt] | None,
        failed: Attempt,
    ) -> None:
        """Take on a delivery whose first attempt was made by the caller and failed; its retries are on the schedule.

        Args:
            key: which delivery.
            outgoing: the request.
            retry: the schedule.
            inside: as `push` takes it.
            failed: the first attempt.
        """
        self._take(_Pending(key, outgoing, retry, inside, first_at=failed.at), failed, self._generation)

    def run_due(self) -> None:
        """Start every attempt that is due by the lab's clock; those inside the lab are over when this returns."""
        while True:
            with self._wake:
                if not self._heap or self._heap[0][0] > self._clock.now() + _AT_ONCE:
                    return
                pending = heapq.heappop(self._heap)[2]
                self._in_flight += 1
                generation = self._generation
                if pending.inside is None:
                    self._hand_on(pending, generation)
                    continue
            self._finish(pending, generation)

    def settle(self, timeout: float) -> bool:
        """Return True when nothing is due and nothing is under way, False if that takes over ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            self.run_due()
            with self._wake:
                due_now = self._heap and self._heap[0][0] <= self._clock.now() + _AT_ONCE
                if not self._in_flight and not due_now:
                    return True
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._wake.wait(left)

    def waiting(self) -> int:
        """Return how many deliveries wait for their next attempt."""
        with self._wake:
            return len(self._heap)

    def next_due(self) -> float | None:
        """Return when the next attempt falls due, epoch seconds; None when none waits."""
        with self._wake:
            return self._heap[0][0] if self._heap else None

    def reset(self) -> None:
        """Forget every delivery; what is under way is not kept when it ends, and nobody waits for it."""
        with self._wake:
            self._generation += 1
            self._in_flight = 0
            self._heap.clear()
            self._lanes.clear()
            self._wake.notify_all()

    def stop(self) -> None:
        """End the threads; deliveries that wait stay in the journal."""
        with self._wake:
            self._stopped = True
            self._generation += 1
            self._wake.notify_all()
        for _ in self._workers:
            self._jobs.put(None)
        if self._thread is not None:
            self._thread.join(timeout=1)
        if self._http is not None:
            self._http.clear()

    def poke(self) -> None:
        """Look at the clock again: it was moved."""
        self.run_due()
        with self._wake:
            self._wake.notify_all()

    def _schedule(self, due: float, pending: _Pending) -> None:
        with self._wake:
            heapq.heappush(self._heap, (due, next(self._order), pending))
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(target=self._watch, name="trackside-deliveries", daemon=True)
                self._thread.start()
            self._wake.notify_all()

    def _watch(self) -> None:
        """Run what falls due, until the end."""
        while True:
            with self._wake:
                if self._stopped:
                    return
                left = self._heap[0][0] - self._clock.now() if self._heap else None
                if left is None or left > _AT_ONCE:
                    self._wake.wait(None if left is None or self._clock.frozen else left)
                    continue
            self.run_due()

    def _hand_on(self, pending: _Pending, generation: int) -> None:
        """Let a worker make an attempt, in its lane's turn; workers end with the process, whatever they wait for."""
        if pending.lane in self._lanes:
            self._lanes[pending.lane].append((pending, generation))
            return
        if pending.lane:
            self._lanes[pending.lane] = deque()
        self._jobs.put((pending, generation))
        if len(self._workers) < _WORKERS and not self._stopped:
            name = f"trackside-http-{len(self._workers)}"
            self._workers.append(threading.Thread(target=self._work, name=name, daemon=True))
            self._workers[-1].start()

    def _free(self, lane: str) -> None:
        """Let the next of a lane have its turn."""
        if waiting := self._lanes.get(lane):
            self._jobs.put(waiting.popleft())
        else:
            self._lanes.pop(lane, None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._finish(*job)

    def _finish(self, pending: _Pending, generation: int) -> None:
        try:
            self._try(pending, generation)
        finally:
            with self._wake:
                if generation == self._generation:
                    self._in_flight -= 1
                    if pending.inside is None:
                        self._free(pending.lane)
                self._wake.notify_all()

    def _try(self, pending: _Pending, generation: int) -> None:
        if generation != self._generation:
            return
        now = self._clock.now()
        self._take(pending, pending.inside(pending.outgoing, now) if pending.inside else self.once(pending.outgoing, now), generation)  # fmt: skip

    def _take(self, pending: _Pending, made: Attempt, generation: int) -> None:
        """Keep an attempt that was made, and schedule the next where one is to follow."""
        now = made.at
        pending.attempts += 1
        again = not made.delivered and retryable(made.status, made.error)
        due = next_due(pending.retry, pending.key, pending.attempts, pending.first_at, now) if again else None
        steps = made.steps + told(made, due, now, pending.rules)
        attempt = Attempt(now, made.status, made.answer, made.error, due, steps)
        with self._wake:  # so that after a stop nothing is written any more
            if generation != self._generation:
                return
            self._journal.add_attempt(pending.key, attempt)
        if due is not None:
            self._schedule(due, pending)

    def once(self, outgoing: Outgoing, now: float) -> Attempt:
        """Return one attempt over HTTP: no redirect is followed, ten seconds are allowed, also for a body that drips."""
        import urllib3  # noqa: PLC0415 - only deliveries outside the lab need it, and it is slow to import

        if self._http is None:
            self._http = urllib3.PoolManager(retries=False, timeout=TIMEOUT_SECONDS)
        headers = {
            name: value
            for name, value in outgoing.headers.items()
            if name.lower() not in ("content-length", "connection")
        }
        until = time.monotonic() + TIMEOUT_SECONDS
        try:
            answer = self._http.request(
                outgoing.method,
                outgoing.url,
                body=outgoing.body,
                headers=headers,
                redirect=False,
                preload_content=False,
            )
            body = _beginning(answer, until)
            return Attempt(now, answer.status, body) if body is not None else Attempt(now, 0, error="ETIMEDOUT")
        except urllib3.exceptions.NameResolutionError:
            error = "ENOTFOUND"
        except urllib3.exceptions.NewConnectionError:  # which urllib3 counts among timeouts
            error = "ECONNREFUSED"
        except urllib3.exceptions.TimeoutError:
            error = "ETIMEDOUT"
        except urllib3.exceptions.LocationValueError:
            error = "EINVAL"
        except urllib3.exceptions.HTTPError:
            error = "ECONNRESET"
        except ValueError:  # a header that HTTP cannot carry
            error = "EINVAL"
        return Attempt(now, 0, error=error)


def _beginning(answer: Any, until: float) -> bytes | None:
    """Return the first part of an answer's body, or None where it was not over in time.

    Its connection is used again only where that was all of it.
    """
    body, part = b"", b"-"
    while part and len(body) <= ANSWER_BYTES and time.monotonic() < until:
        part = answer.read1(ANSWER_BYTES + 1 - len(body))
        body += part
    if part:
        answer.close()
    answer.release_conn()
    return body[:ANSWER_BYTES] if not part or len(body) > ANSWER_BYTES else None


def told(made: Attempt, due: float | None, now: float, rules: str = SEGMENT_RULES) -> tuple[Step, ...]:
    """Return the finding of an attempt that was no success: the next is ``due`` then, or none is."""
    if made.delivered:
        return ()
    what = made.error or f"status {made.status}"
    if due is not None:
        text = f"the destination did not take the message: {what}; the next attempt is due in {due - now:.0f} s"
        code = f"errors.awaiting-retry.{made.error or made.status}"
        return (Step("fault", f"{rules}.retry", text, fix="see that the destination answers", level="warning", code=code),)  # fmt: skip
    code = f"errors.discarded.{made.error or made.status}"
    if 300 <= made.status < 400:
        text, fix = f"the destination answered a redirect, {what}, and redirects are not followed", "name the address that it leads to"  # fmt: skip
        return (Step("fault", "segment.delivery.redirect", text, fix=fix, level="error", code=code),)
    text = f"the destination refused the message for good: {what}"
    return (Step("fault", f"{rules}.refused", text, fix="see the answer's body, then its rule", level="error", code=code),)  # fmt: skip
