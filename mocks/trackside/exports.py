"""From a vendor to a Segment source: what Statsig, Split and OwnLayer send to Segment of their own accord.

Each vendor's ``export.py`` makes the messages, purely; what is here puts them into requests and hands those to Segment's
public endpoint, after the vendor's own answer was sent. Whoever reads the lab meets only exports that are over.
"""

from __future__ import annotations

import base64
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from trackside.steps import Message, Record, Step
from trackside.wire import JSON, Outgoing

if TYPE_CHECKING:
    from trackside.lab import Lab

SEGMENT_URL = "https://api.segment.io/v1/batch"
"""Segment's public address, for which the lab stands."""

BATCH_EVENTS = 1_000
BATCH_BYTES = 400 * 1024
"""What one request holds at most; Segment takes 2,500 messages and 500 KB."""

_WAITING = 10_000
"""Records that may wait for their export; who brings more makes exports itself, so that memory stays bounded."""


@dataclass(slots=True)
class Exported:
    """What a vendor makes of some of its records for Segment. Pure data.

    Attributes:
        messages: Segment calls in their order, by the write key of the source that they go to.
        steps: each record that is not sent, and why; each assumption on the way.
        agent: the user agent of the vendor's requests.
    """

    messages: dict[str, list[Message]] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    agent: str = ""

    def add(self, write_key: str, message: Message) -> None:
        """Take on a message to the source of a write key."""
        self.messages.setdefault(write_key, []).append(message)

    def requests(self) -> Iterator[Outgoing]:
        """Yield the requests to Segment, each with as many messages as it may hold.

        >>> exported = Exported()
        >>> exported.add("wk_fme", {"type": "track", "event": "get_treatment", "userId": "u-1"})
        >>> [request] = exported.requests()
        >>> request.headers["Authorization"], request.body
        ('Basic d2tfZm1lOg==', b'{"batch":[{"type":"track","event":"get_treatment","userId":"u-1"}]}')
        """
        for write_key, messages in self.messages.items():
            key = base64.b64encode(f"{write_key}:".encode()).decode()
            sent = 0
            for part in _parts([orjson.dumps(message) for message in messages]):
                body = b'{"batch":[' + b",".join(part) + b"]}"
                payload = {"batch": messages[sent : sent + len(part)]}
                sent += len(part)
                headers = {
                    "Authorization": f"Basic {key}",
                    "Content-Length": str(len(body)),
                    "Content-Type": JSON,
                    "User-Agent": self.agent,
                }
                yield Outgoing("POST", SEGMENT_URL, headers, body, payload)


NOTHING = Exported()
"""What most vendors export."""


def _parts(messages: list[bytes]) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    size = 0
    for message in messages:
        if part and (len(part) == BATCH_EVENTS or size + len(message) > BATCH_BYTES):
            yield part
            part, size = [], 0
        part.append(message)
        size += len(message) + 1
    if part:
        yield part


@dataclass(frozen=True, slots=True)
class _Job:
    seq: int
    vendor: str
    workspace: int
    records: list[Record]


class Exporter:
    """Makes the exports of one lab, in the order in which their records came.

    A thread of its own makes them beside the SDKs' requests; `finish` makes those that wait at once.

    Args:
        lab: whose vendors export.
        send: hands over one request, with the number of the row that it is of and its own number.
    """

    def __init__(self, lab: Lab, send: Callable[[int, str, int, Outgoing], None]) -> None:
        self._lab = lab
        self._send = send
        self._jobs: deque[_Job] = deque()
        self._waiting = 0
        self._making = False
        self._wake = threading.Event()
        self._ended = False
        self._thread: threading.Thread | None = None

    def add(self, seq: int, vendor: str, workspace: int, records: list[Record]) -> None:
        """Take on the records of a row; called under the lab's lock."""
        self._jobs.append(_Job(seq, vendor, workspace, records))
        self._waiting += len(records)
        if self._waiting > _WAITING and not self._making:  # what an export brings is made after it, not within it
            self._work()
        elif self._thread is None and not self._ended:
            self._thread = threading.Thread(target=self._run, name="trackside-exports", daemon=True)
            self._thread.start()
        self._wake.set()

    def finish(self) -> None:
        """Make every export that waits; one that is being made is over on return."""
        if self._waiting:
            with self._lab.lock:
                self._work()

    def reset(self) -> None:
        """Forget what waits."""
        self._jobs.clear()
        self._waiting = 0

    def stop(self) -> None:
        """Make what waits, and end the thread."""
        self.finish()
        self._ended = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=1)

    def _run(self) -> None:
        while not self._ended:
            self._wake.wait()
            self._wake.clear()
            while self._jobs:
                with self._lab.lock:
                    self._one()

    def _work(self) -> None:
        while self._jobs:
            self._one()

    def _one(self) -> None:
        if not self._jobs:
            return
        job = self._jobs.popleft()
        self._making = True
        try:
            state = self._lab.journal.export_states.get(job.seq)
            exported = self._lab.in_force(job.workspace).exported(job.vendor, job.records, state)
            for number, request in enumerate(exported.requests()):
                self._send(job.seq, job.vendor, number, request)
        except Exception as error:  # noqa: BLE001 - the SDK's request is over, and other exports wait
            self._lab.errors.append(error)
        self._making = False
        self._waiting = max(0, self._waiting - len(job.records))
