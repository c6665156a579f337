"""Streams of server-side SDKs, and what becomes of them when flags, workspaces and labs change."""

from __future__ import annotations

import threading
import time

import pytest
from ldclient import Context
from ldclient.client import LDClient
from ldclient.config import Config

from trackside import Lab, catalog

ENVIRONMENTS = {
    "production": {"client_side_id": "57be1db38b75bf0772d11384", "sdk_key": "sdk-local"},
    "staging": {"client_side_id": "67be1db38b75bf0772d11385", "sdk_key": "sdk-staging"},
}
BLOCK = {
    "environments": ENVIRONMENTS,
    "flags": {"banner": {"variations": ["blue", "green"], "serve": "blue"}, "new-checkout": True},
    "segments": {"beta": ["user-1"]},
}

pytestmark = pytest.mark.trackside(workspace={"launchdarkly": BLOCK})


@pytest.mark.rule("launchdarkly.sdk.stream", "launchdarkly.sdk.all-data", "launchdarkly.contract")
def test_everything_is_put_at_once(listen):
    stream = listen("/all", "sdk-local")

    assert (stream.status, stream.headers["Content-Type"]) == (200, "text/event-stream")
    event, data = stream.next()
    assert event == "put"
    assert (data["path"], sorted(data["data"]), sorted(data["data"]["flags"])) == (
        "/",
        ["flags", "segments"],
        ["banner", "new-checkout"],
    )
    assert catalog.faults("launchdarkly/server-put", data) == []
    assert catalog.faults("launchdarkly/server-data", data["data"]) == []


@pytest.mark.rule("launchdarkly.sdk.stream", "launchdarkly.flags.versions", "launchdarkly.contract")
def test_a_change_is_a_patch_with_the_whole_flag_and_a_higher_version(trackside, listen):
    stream = listen("/all", "sdk-local")
    _, before = stream.next()
    trackside.launchdarkly.flag("banner").serve("green")

    event, data = stream.next()
    old = before["data"]["flags"]["banner"]
    assert (event, data["path"]) == ("patch", "/flags/banner")
    assert data["data"] == {**old, "version": data["data"]["version"], "fallthrough": {"variation": 1}}
    assert data["data"]["version"] > old["version"]
    assert catalog.faults("launchdarkly/server-patch", data) == []


@pytest.mark.rule("launchdarkly.sdk.stream", "launchdarkly.flags.versions", "launchdarkly.contract")
def test_a_deleted_flag_is_a_delete_with_a_higher_version(trackside, listen):
    stream = listen("/all", "sdk-local")
    _, before = stream.next()
    trackside.launchdarkly.flag("banner").delete()

    event, data = stream.next()
    assert (event, data["path"]) == ("delete", "/flags/banner")
    assert data["version"] > before["data"]["flags"]["banner"]["version"]
    assert catalog.faults("launchdarkly/server-delete", data) == []

    trackside.launchdarkly.flag("banner").serve("blue")
    event, patch = stream.next()
    assert event == "patch"
    assert patch["data"]["version"] > data["version"]


@pytest.mark.rule("launchdarkly.sdk.stream")
def test_a_changed_segment_is_a_patch_too(trackside, listen):
    stream = listen("/all", "sdk-local")
    stream.next()
    with trackside.lock:
        live = trackside.launchdarkly.live
        live.put("production", "segments", {**live.item("production", "segments", "beta"), "included": ["user-2"]})

    event, data = stream.next()
    assert (event, data["path"], data["data"]["included"]) == ("patch", "/segments/beta", ["user-2"])


@pytest.mark.rule("launchdarkly.sdk.stream")
def test_each_environment_hears_of_its_own_changes(trackside, listen):
    production, staging = listen("/all", "sdk-local"), listen("/all", "sdk-staging")
    production.next(), staging.next()
    trackside.launchdarkly.flag("banner", "staging").serve("green")
    trackside.launchdarkly.flag("new-checkout").serve(False)

    assert staging.next()[1]["path"] == "/flags/banner"
    assert production.next()[1]["path"] == "/flags/new-checkout"


@pytest.mark.rule("launchdarkly.sdk.flags-stream")
def test_the_older_stream_has_flags_alone(trackside, listen):
    stream = listen("/flags", "sdk-local")
    event, flags = stream.next()
    assert (event, sorted(flags)) == ("put", ["banner", "new-checkout"])

    trackside.launchdarkly.flag("banner").serve("green")
    event, data = stream.next()
    assert (event, data["path"], data["data"]["key"]) == ("patch", "/banner", "banner")

    trackside.launchdarkly.flag("banner").delete()
    assert stream.next() == ("delete", {"path": "/banner", "version": data["data"]["version"] + 1})


@pytest.mark.rule("launchdarkly.sdk.payload-filter")
def test_a_payload_filter_is_noted_on_the_stream_too(trackside, listen):
    assert listen("/all?filter=shop", "sdk-local").next()[0] == "put"
    assert [finding.step.rule for finding in trackside.findings(notes=True)] == ["launchdarkly.sdk.payload-filter"]


@pytest.mark.rule("launchdarkly.sdk.reset")
def test_a_reset_sends_what_is_to_be_taken_back(trackside, listen):
    stream = listen("/all", "sdk-local")
    _, first = stream.next()
    trackside.launchdarkly.flag("banner").serve("green")
    trackside.launchdarkly.flag("fresh").serve(True)
    stream.next(), stream.next()
    trackside.reset()

    told = [stream.next(), stream.next()]
    assert sorted((event, data["path"]) for event, data in told) == [
        ("delete", "/flags/fresh"),
        ("patch", "/flags/banner"),
    ]
    patched = next(data["data"] for event, data in told if event == "patch")
    assert {**patched, "version": 0} == {**first["data"]["flags"]["banner"], "version": 0}


@pytest.mark.rule("launchdarkly.flags.versions")
def test_another_workspace_sends_only_what_differs(trackside, listen):
    stream = listen("/all", "sdk-local")
    stream.next()
    trackside.configure({"launchdarkly": {**BLOCK, "flags": {**BLOCK["flags"], "new-checkout": False}}})

    event, data = stream.next()
    assert (event, data["path"]) == ("patch", "/flags/new-checkout")
    trackside.launchdarkly.flag("banner").serve("green")
    assert stream.next()[1]["path"] == "/flags/banner"


@pytest.mark.rule("launchdarkly.sdk.stream")
def test_the_streams_of_an_environment_that_is_gone_end(trackside, listen):
    production, staging = listen("/all", "sdk-local"), listen("/all", "sdk-staging")
    production.next(), staging.next()
    trackside.configure({"launchdarkly": {**BLOCK, "environments": {"production": ENVIRONMENTS["production"]}}})

    assert staging.next() is None
    trackside.launchdarkly.flag("banner").serve("green")
    assert production.next()[0] == "patch"


@pytest.mark.rule("launchdarkly.sdk.stream")
def test_a_stream_without_news_is_kept_alive_by_comments(trackside, ask, monkeypatch):
    monkeypatch.setattr(trackside.launchdarkly.live.streams, "keep_alive_seconds", 0.0)
    answer = ask("GET", "/all", "sdk-local", preload_content=False)
    text = b""
    while b"\n:\n" not in text:
        text += answer.read1()
    answer.close()


@pytest.mark.rule("launchdarkly.sdk.stream")
def test_a_stopped_lab_ends_its_streams_and_their_threads():
    before = set(threading.enumerate())
    lab = Lab({"launchdarkly": BLOCK}).start()
    with LDClient(Config(**lab.launchdarkly.python_options(), send_events=False)) as client:
        assert client.is_initialized()
        started = time.monotonic()
        lab.stop()
        assert time.monotonic() - started < 1
    assert [thread.name for thread in set(threading.enumerate()) - before if thread.name.startswith("trackside")] == []


# ---- SDKs in a less than perfect world


def sdk(lab, **more):
    options = {**lab.launchdarkly.python_options(), "initial_reconnect_delay": 0.05, "send_events": False, **more}
    return LDClient(Config(**options), start_wait=5)


@pytest.fixture
def becomes(soon):
    """Return a function that waits until an SDK gives a value for the flag."""
    return lambda client, value: soon(lambda: client.variation("banner", Context.create("user-1"), None) == value)


@pytest.mark.rule("launchdarkly.sdk.stream")
def test_an_sdk_that_is_started_before_the_mock_becomes_ready(becomes):
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    options = {"base_uri": url, "stream_uri": url, "events_uri": url, "initial_reconnect_delay": 0.05}
    with LDClient(Config("sdk-local", **options, send_events=False), start_wait=0.1) as client:
        assert not client.is_initialized()
        with Lab({"launchdarkly": BLOCK}, ports={"launchdarkly": port}):
            assert becomes(client, "blue")


@pytest.mark.rule("launchdarkly.sdk.reset")
def test_a_connected_sdk_sees_declared_values_after_a_reset(trackside, becomes):
    with sdk(trackside) as client:
        trackside.launchdarkly.flag("banner").serve("green")
        assert becomes(client, "green")
        trackside.reset()
        assert becomes(client, "blue")
        trackside.launchdarkly.flag("banner").serve("green")
        assert becomes(client, "green")


@pytest.mark.rule("launchdarkly.flags.versions")
def test_a_flag_that_was_deleted_and_made_again_is_seen(trackside, becomes):
    with sdk(trackside) as client:
        trackside.launchdarkly.flag("banner").delete()
        assert becomes(client, None)
        trackside.launchdarkly.flag("banner").serve("green")
        assert becomes(client, "green")


@pytest.mark.rule("launchdarkly.sdk.stream")
def test_an_sdk_comes_through_failing_answers(trackside, becomes):
    trackside.launchdarkly.fail(500, times=2)
    with sdk(trackside) as client:
        assert client.is_initialized()
        assert becomes(client, "blue")


@pytest.mark.rule("launchdarkly.sdk.stream")
def test_an_sdk_whose_stream_ended_connects_again_and_misses_nothing(trackside, becomes):
    with sdk(trackside) as client:
        trackside.launchdarkly.live.streams.end()
        trackside.launchdarkly.flag("banner").serve("green")
        assert becomes(client, "green")


@pytest.mark.rule("launchdarkly.sdk.stream")
def test_a_storm_of_reconnecting_clients_leaves_nothing_behind(trackside, listen, soon):
    for _ in range(60):
        stream = listen("/all", "sdk-local")
        assert stream.next()[0] == "put"
        stream.close()
    trackside.launchdarkly.flag("banner").serve("green")

    assert soon(lambda: len(trackside.launchdarkly.live.streams) == 0)
