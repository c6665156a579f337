"""Open streams: they take no thread from requests, hear every change, and leave nothing behind."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import urllib3
from waitress.trigger import trigger

from trackside.server import STREAMS as MOST
from trackside.server import THREADS, make_app
from trackside.streams import BACKLOG, KEEP_ALIVE, Streams, sse

WORKSPACE = {
    "launchdarkly": {
        "environments": {"production": {"client_side_id": "57be1db38b75bf0772d11384", "sdk_key": "sdk-local"}},
        "flags": {"new-checkout": False},
    }
}


def connected() -> bool:
    return True


def eventually(holds: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Wait for what another thread does, which tells nobody when it has ended."""
    ended = threading.Event()
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        ended.wait(0.01)
    return holds()


def listen(url: str, key: str = "sdk-local") -> socket.socket:
    """Open a stream of LaunchDarkly's and return its socket, the first event read."""
    host, _, port = url.removeprefix("http://").partition(":")
    client = socket.create_connection((host, int(port)), timeout=10)
    client.sendall(f"GET /all HTTP/1.1\r\nHost: {host}\r\nAuthorization: {key}\r\n\r\n".encode())
    read_until(client, b"event: put")
    return client


def read_until(client: socket.socket, wanted: bytes) -> bytes:
    found = b""
    while wanted not in found:
        data = client.recv(65536)
        assert data, f"the stream was closed after {found!r}"
        found += data
    return found


def server_threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith(("waitress", "trackside"))]


def test_an_event_with_several_lines_is_several_data_lines():
    assert sse("put", b"a\nb", id="7") == b"id: 7\nevent: put\ndata: a\ndata: b\n\n"


def test_a_change_reaches_the_streams_of_its_topic_and_no_other():
    streams = Streams()
    one, other = streams.open("production", b"first", bytes), streams.open("staging", b"first", bytes)
    assert streams.publish("production", b"change") == 1
    heard = one.frames(connected)
    assert [next(heard), next(heard)] == [b"first", b"change"]
    other.end()
    assert list(other.frames(connected)) == [b"first"]


def test_a_stream_without_news_stays_alive_with_a_comment():
    frames = Streams(keep_alive_seconds=0.0).open("production", b"first", bytes).frames(connected)
    assert [next(frames), next(frames)] == [b"first", KEEP_ALIVE]


def test_a_stream_whose_client_has_gone_ends_and_is_forgotten():
    streams = Streams()
    assert list(streams.open("production", b"first", bytes).frames(lambda: False)) == [b"first"]
    assert len(streams) == 0


def test_a_client_that_does_not_read_is_let_go_instead_of_filling_the_memory():
    streams = Streams()
    streams.open("production", b"", bytes)
    for _ in range(BACKLOG + 1):
        streams.publish("production", b"change")
    assert len(streams) == 0


def test_a_stream_that_is_finished_writes_what_waits_and_ends():
    streams = Streams()
    stream = streams.open("production", b"first", bytes)
    streams.publish("production", b"last")
    streams.finish()
    assert list(stream.frames(connected)) == [b"first", b"last"]
    assert len(streams) == 0


@pytest.mark.trackside(workspace=WORKSPACE)
def test_more_streams_than_threads_leave_requests_their_answers(trackside):
    with ExitStack() as stack:
        clients = [stack.enter_context(listen(trackside.launchdarkly.url)) for _ in range(3 * THREADS)]
        url = f"{trackside.segment.url}/v1/track"
        call = {"writeKey": "wk_web", "event": "Signed Up", "userId": "u-1"}
        assert urllib3.request("POST", url, json=call, timeout=5, retries=False).status == 200
        trackside.launchdarkly.set_flag("new-checkout", serve=True)
        for client in clients:
            assert b'"new-checkout"' in read_until(client, b"event: patch")


def test_clients_that_come_at_once_have_one_application_made(make_trackside, monkeypatch):
    made: list[str] = []

    def make_slowly(*arguments: Any) -> Any:
        made.append(arguments[0].name)
        threading.Event().wait(0.05)
        return make_app(*arguments)

    monkeypatch.setattr("trackside.server.make_app", make_slowly)
    lab = make_trackside(WORKSPACE)
    with ThreadPoolExecutor(THREADS) as pool, ExitStack() as stack:
        for client in pool.map(listen, [lab.launchdarkly.url] * THREADS):
            stack.enter_context(client)
    assert made == ["launchdarkly"]


@pytest.mark.trackside(workspace=WORKSPACE)
def test_the_threads_of_streams_end_with_their_clients(trackside):
    before = len(server_threads())
    clients = [listen(trackside.launchdarkly.url) for _ in range(20)]
    for client in clients:
        client.close()
    live = trackside.launchdarkly.live
    assert eventually(lambda: len(live.streams) == 0 and len(server_threads()) <= before + 1)


STOPS = """
import json, sys, threading
sys.path.insert(0, sys.argv[1])
from test_streams import WORKSPACE, eventually, listen
from trackside import Lab
lab = Lab(WORKSPACE).start()
clients = [listen(lab.launchdarkly.url) for _ in range(50)]
lab.stop()
eventually(lambda: threading.active_count() == 1)
print([one.name for one in threading.enumerate()])
print(all(client.recv(65536) is not None for client in clients))
"""


def test_stopping_ends_open_streams_and_leaves_no_thread():
    command = [sys.executable, "-W", "ignore", "-c", STOPS, str(Path(__file__).parent)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.stdout.splitlines() == ["['MainThread']", "True"], run.stderr


def test_a_server_that_is_awake_as_it_is_stopped_closes_all_the_same(make_trackside, monkeypatch):
    def pulled_twice(self: trigger) -> None:
        pull(self)
        assert eventually(lambda: self._closed)
        pull(self)

    lab = make_trackside(WORKSPACE)
    pull = trigger._physical_pull  # noqa: SLF001 - as above
    monkeypatch.setattr(trigger, "_physical_pull", pulled_twice)
    lab.stop()


@pytest.mark.trackside(workspace=WORKSPACE)
def test_a_storm_of_clients_that_come_and_go_leaves_nothing_behind(trackside):
    live = trackside.launchdarkly.live
    for _ in range(5):
        clients = [listen(trackside.launchdarkly.url) for _ in range(30)]
        for client in clients:
            client.close()
    assert eventually(lambda: len(live.streams) == 0)
    with listen(trackside.launchdarkly.url) as client:
        trackside.launchdarkly.set_flag("new-checkout", serve=True)
        read_until(client, b"event: patch")


def test_beyond_the_most_streams_a_client_is_told_to_come_later(make_trackside, monkeypatch):
    assert MOST > 200
    monkeypatch.setattr("trackside.server.STREAMS", 2)
    lab = make_trackside(WORKSPACE)
    with listen(lab.launchdarkly.url), listen(lab.launchdarkly.url):
        answer = urllib3.request(
            "GET", f"{lab.launchdarkly.url}/all", headers={"Authorization": "sdk-local"}, timeout=5, retries=False
        )
        assert answer.status == 503
    assert any("too many streams" in finding.step.text for finding in lab.findings())


@pytest.mark.trackside(workspace=WORKSPACE)
def test_a_stream_is_on_record_as_a_request(trackside):
    with listen(trackside.launchdarkly.url):
        (exchange,) = trackside.exchanges("launchdarkly")
    assert (exchange.request.path, exchange.status) == ("/all", 200)
