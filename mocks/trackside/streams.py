"""Server-sent events: the open streams of one vendor, and what goes into all of them.

A change is put into every stream's queue; each stream writes it in its own thread, so neither the request that made the
change nor ingest waits for a client that reads slowly.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Hashable, Iterator
from typing import Any

KEEP_ALIVE_SECONDS = 15.0
KEEP_ALIVE = b":\n\n"
"""A comment of the format, which every client ignores."""

BACKLOG = 1_000
"""Changes that wait for a client that does not read; then its stream ends, and the client has to connect again."""

LOOK_SECONDS = 1.0
"""How often a stream without news looks whether its client is still there."""


def sse(event: str, data: bytes, *, id: str = "") -> bytes:  # noqa: A002 - the format's own word
    r"""Return one server-sent event.

    >>> sse("put", b'{"a":1}')
    b'event: put\ndata: {"a":1}\n\n'
    """
    head = f"id: {id}\n" if id else ""
    return f"{head}event: {event}\n".encode() + b"".join(b"data: " + line + b"\n" for line in data.split(b"\n")) + b"\n"


class Stream:
    """One open stream.

    Args:
        streams: those that it is one of.
        topic: what it listens to.
        first: what is written at once.
        render: gives the bytes of a change for this client, empty ones for none; called in the stream's own thread.
    """

    def __init__(self, streams: Streams, topic: Hashable, first: bytes, render: Callable[[Any], bytes]) -> None:
        self.topic = topic
        self.first = first
        self._streams = streams
        self._render = render
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def put(self, change: Any) -> None:
        """Let the stream write a change soon."""
        if self._queue.qsize() >= BACKLOG:
            self.end()
        self._queue.put(change)

    def end(self) -> None:
        """Let the stream end, what waits unwritten."""
        self._streams.forget(self)
        self._queue.put(_END)

    def finish(self) -> None:
        """Let the stream end once what waits is written."""
        self._queue.put(_END)

    def frames(self, connected: Callable[[], bool]) -> Iterator[bytes]:
        """Yield what to write, until the stream is ended or its client is gone.

        Args:
            connected: whether the client is still there.
        """
        try:
            yield self.first or KEEP_ALIVE
            quiet = 0.0
            while self._streams.has(self):
                try:
                    change = self._queue.get(timeout=LOOK_SECONDS)
                except queue.Empty:
                    quiet += LOOK_SECONDS
                    if not connected():
                        return
                    if quiet >= self._streams.keep_alive_seconds:
                        quiet = 0.0
                        yield self._streams.keep_alive
                    continue
                if change is _END:
                    return
                if frame := self._render(change):
                    quiet = 0.0
                    yield frame
        finally:
            self._streams.forget(self)


class Streams:
    """The open streams of one vendor.

    Args:
        keep_alive: what is written to a stream that has no news.
        keep_alive_seconds: after so many seconds.
    """

    def __init__(self, keep_alive: bytes = KEEP_ALIVE, keep_alive_seconds: float = KEEP_ALIVE_SECONDS) -> None:
        self.keep_alive = keep_alive
        self.keep_alive_seconds = keep_alive_seconds
        self._lock = threading.Lock()
        self._open: dict[Stream, None] = {}

    def open(self, topic: Hashable, first: bytes, render: Callable[[Any], bytes]) -> Stream:
        """Return a new stream, which gets every change that is published from now on; see `Stream`."""
        stream = Stream(self, topic, first, render)
        with self._lock:
            self._open[stream] = None
        return stream

    def publish(self, topic: Hashable, change: Any) -> int:
        """Put a change into every stream of a topic; returns how many there are."""
        with self._lock:
            to = [stream for stream in self._open if stream.topic == topic]
        for stream in to:
            stream.put(change)
        return len(to)

    def end(self, topic: Hashable = None) -> None:
        """End every stream of a topic, or all: SDKs then connect again."""
        with self._lock:
            to = [stream for stream in self._open if topic is None or stream.topic == topic]
        for stream in to:
            stream.end()

    def finish(self) -> None:
        """End every stream once what waits is written."""
        with self._lock:
            to = list(self._open)
        for stream in to:
            stream.finish()

    def has(self, stream: Stream) -> bool:
        """Return whether a stream is open."""
        return stream in self._open

    def forget(self, stream: Stream) -> None:
        """Take a stream out; nothing more is put into it."""
        with self._lock:
            self._open.pop(stream, None)

    def __len__(self) -> int:
        return len(self._open)


_END = object()
