"""Requests as SDKs make them, and streams read event by event."""

from __future__ import annotations

import base64
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3

Event = tuple[str, Any]


class EventStream:
    """A server-sent stream that is open: its events, in the order that they come.

    Args:
        answer: of the request, whose body is not read yet.
    """

    def __init__(self, answer: urllib3.BaseHTTPResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self._answer = answer
        self._events: queue.Queue[Event | None] = queue.Queue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def next(self, timeout: float = 5.0) -> Event | None:
        """Return the next event, its name and its data; None at the end of the stream."""
        return self._events.get(timeout=timeout)

    def close(self) -> None:
        if self._thread.is_alive():
            self._answer.shutdown()
            self._thread.join(5)
        self._answer.close()

    def _read(self) -> None:
        event, text = "", b""
        try:
            for chunk in self._answer.stream(1 << 16):
                text += chunk
                while b"\n" in text:
                    line, _, text = text.partition(b"\n")
                    if line.startswith(b"event:"):
                        event = line[6:].strip().decode()
                    elif line.startswith(b"data:"):
                        self._events.put((event, json.loads(line[5:])))
        except (urllib3.exceptions.HTTPError, OSError):
            pass
        self._events.put(None)


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=5) as pool:
        yield pool


@pytest.fixture
def ask(trackside, http) -> Callable[..., urllib3.BaseHTTPResponse]:
    """Return a function that asks LaunchDarkly of the lab: ``ask("GET", "/sdk/latest-all", "sdk-local")``."""

    def asked(method: str, path: str, key: str = "", **more: Any) -> urllib3.BaseHTTPResponse:
        headers = {**({"Authorization": key} if key else {}), **more.pop("headers", {})}
        return http.request(method, trackside.launchdarkly.url + path, headers=headers, **more)

    return asked


@pytest.fixture
def listen(ask) -> Iterator[Callable[..., EventStream]]:
    """Return a function that opens a stream, closed at the end of the test."""
    opened: list[EventStream] = []

    def open_stream(path: str, key: str = "", method: str = "GET", **more: Any) -> EventStream:
        opened.append(EventStream(ask(method, path, key, preload_content=False, **more)))
        return opened[-1]

    yield open_stream
    for stream in opened:
        stream.close()


@pytest.fixture(scope="session")
def soon() -> Callable[[Callable[[], bool]], bool]:
    """Return a function that waits for a condition, five seconds at most, and says whether it came."""

    def came(condition: Callable[[], bool]) -> bool:
        tick, end = threading.Event(), time.monotonic() + 5
        while not condition() and time.monotonic() < end:
            tick.wait(0.02)
        return condition()

    return came


@pytest.fixture(scope="session")
def b64() -> Callable[[Any], str]:
    """Return a function that puts a context into a path, as SDKs do: base64url without padding."""
    return lambda context: base64.urlsafe_b64encode(json.dumps(context).encode()).decode().rstrip("=")
