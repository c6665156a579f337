"""LaunchDarkly's SDKs in data saving mode, which is the protocol FDv2."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from trackside.lab import Lab

CLIENT_SIDE_ID = "57be1db38b75bf0772d11384"
WORKSPACE: dict[str, Any] = {
    "launchdarkly": {
        "environments": {"production": {"client_side_id": CLIENT_SIDE_ID, "sdk_key": "sdk-local"}},
        "flags": {
            "banner": {
                "variations": ["blue", "green"],
                "serve": "blue",
                "rules": [{"segment": "beta", "serve": "green"}],
            }
        },
        "segments": {"beta": ["u-9"]},
    }
}

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


def paths(lab: Lab) -> list[str]:
    """Return the start of each path that was asked for, without a context."""
    return ["/".join(row.request.path.split("/")[:4]) for row in lab.exchanges("launchdarkly")]


@pytest.mark.rule("launchdarkly.fdv2.transfer", "launchdarkly.fdv2.stream")
def test_the_python_sdk_polls_once_then_streams_and_sees_a_change(trackside: Lab) -> None:
    from ldclient import Config, Context, LDClient
    from ldclient.datasystem import default

    options = trackside.launchdarkly.python_options()
    client = LDClient(Config(**options, datasystem_config=default().build()), start_wait=5)
    changed = threading.Event()
    client.flag_tracker.add_listener(lambda _change: changed.set())
    user, beta = Context.create("u-1"), Context.create("u-9")
    try:
        assert client.is_initialized()
        assert [client.variation("banner", one, None) for one in (user, beta)] == ["blue", "green"]
        assert trackside.journal.wait(lambda: "/sdk/stream" in paths(trackside), timeout=5)
        trackside.launchdarkly.flag("banner").serve("green")
        assert changed.wait(5)
        assert client.variation("banner", user, None) == "green"
    finally:
        client.close()
    assert paths(trackside)[:2] == ["/diagnostic", "/sdk/poll"] or paths(trackside)[:2] == ["/sdk/poll", "/diagnostic"]
    trackside.expect_no_findings()


@pytest.mark.rule("launchdarkly.fdv2.poll", "launchdarkly.fdv2.basis")
def test_the_python_sdk_polls_again_with_its_basis_and_sees_a_change(trackside: Lab) -> None:
    from ldclient import Config, Context, LDClient
    from ldclient.datasystem import custom, polling_ds_builder

    mode = custom().synchronizers(polling_ds_builder().poll_interval(0.1))
    client = LDClient(Config(**trackside.launchdarkly.python_options(), datasystem_config=mode.build()), start_wait=5)
    changed = threading.Event()
    client.flag_tracker.add_listener(lambda _change: changed.set())
    try:
        assert client.variation("banner", Context.create("u-1"), None) == "blue"
        trackside.launchdarkly.flag("banner").serve("green")
        assert changed.wait(5)
        assert client.variation("banner", Context.create("u-1"), None) == "green"
    finally:
        client.close()
    asked = [row.request for row in trackside.exchanges("launchdarkly") if row.request.path == "/sdk/poll"]
    assert asked[1].query["basis"].startswith("(p:")
    trackside.expect_no_findings()


@pytest.mark.node
@pytest.mark.rule("launchdarkly.fdv2.transfer", "launchdarkly.fdv2.stream")
def test_the_node_sdk_polls_once_then_streams_and_sees_a_change(trackside: Lab, driver: Any) -> None:
    node = driver("node_launchdarkly_node_server_sdk.cjs")
    options, config = trackside.launchdarkly.node_options(), {"dataSystem": {}}
    asked = {"flag": "banner", "kind": "flag", "default": "unknown"}

    assert node.ask("start", key="sdk-local", options=options, config=config)["ready"]
    assert node.ask("evaluate", user="u-1", **asked) == "blue"
    assert node.ask("evaluate", user="u-9", **asked) == "green"
    assert trackside.journal.wait(lambda: "/sdk/stream" in paths(trackside), timeout=5)
    trackside.launchdarkly.flag("banner").serve("green")

    assert node.ask("wait", user="u-1", until="green", **asked) == "green"
    node.ask("close")
    assert not {"/all", "/sdk/latest-all"} & set(paths(trackside))
    trackside.expect_no_findings()


@pytest.mark.node
@pytest.mark.rule("launchdarkly.fdv2.eval")
@pytest.mark.parametrize("streaming", [True, False])
def test_the_browser_sdk_gets_evaluated_flags_for_each_context(trackside: Lab, driver: Any, streaming: bool) -> None:
    browser = driver("node_launchdarkly_js_client_sdk_v4.cjs")
    options = trackside.launchdarkly.options("@launchdarkly/js-client-sdk")
    asked = {"flag": "banner", "kind": "flag", "default": "unknown"}
    started = {"options": options, "config": {"dataSystem": {}}, "streaming": streaming, "user": "u-1"}

    assert browser.ask("start", key=CLIENT_SIDE_ID, **started)["ready"]
    assert browser.ask("evaluate", user="u-1", **asked) == "blue"
    if streaming:
        assert trackside.journal.wait(lambda: "/sdk/stream/eval" in paths(trackside), timeout=5)
        trackside.launchdarkly.flag("banner").serve("green")
        assert browser.ask("wait", user="u-1", until="green", **asked) == "green"
    assert browser.ask("evaluate", user="u-9", **asked) == "green"
    browser.ask("close")

    assert "/sdk/poll/eval" in paths(trackside)
    assert not [path for path in paths(trackside) if path.startswith(("/sdk/evalx", "/eval"))]
    trackside.expect_no_findings()
