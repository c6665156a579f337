"""What LaunchDarkly's client-side SDKs can be told beyond the matrix: REPORT, secure mode, reasons, other contexts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from driver import Driver

from trackside import Lab

CLIENT_SIDE_ID = "57be1db38b75bf0772d11384"
BOTH = {"kind": "multi", "user": {"key": "user:1"}, "organization": {"key": "org-1"}}
BLOCK = {
    "environments": {
        "production": {"client_side_id": CLIENT_SIDE_ID, "sdk_key": "sdk-local", "secure_mode": True},
    },
    "flags": {
        "banner": {
            "variations": ["blue", "green", "red"],
            "serve": "blue",
            "context_targets": {"organization": {"red": ["org-9"]}},
        }
    },
}
SDKS = {
    "launchdarkly-js-client-sdk": ("node_launchdarkly_js_client_sdk.cjs", {"evaluationReasons": True}),
    "@launchdarkly/js-client-sdk": ("node_launchdarkly_js_client_sdk_v4.cjs", {"withReasons": True}),
    "launchdarkly-node-client-sdk": ("node_launchdarkly_node_client_sdk.cjs", {"evaluationReasons": True}),
}

pytestmark = [pytest.mark.node, pytest.mark.trackside(workspace={"launchdarkly": BLOCK})]


@pytest.fixture(params=SDKS)
def start(request: pytest.FixtureRequest, trackside: Lab, driver: Callable[..., Driver]) -> Callable[..., Driver]:
    """Return what starts a client-side SDK for a context."""

    def started(context: Any, **config: Any) -> Driver:
        script, with_reasons = SDKS[request.param]
        sdk = driver(script)
        options = {**trackside.launchdarkly.options(request.param), **with_reasons, **config}
        told = sdk.ask("start", key=CLIENT_SIDE_ID, options=options, streaming=True, user=context, seconds=5)
        assert told["ready"], sdk.printed
        assert trackside.journal.wait(lambda: len(trackside.launchdarkly.live.streams) == 1, timeout=5)
        return sdk

    return started


def detail(sdk: Driver, context: Any) -> Any:
    return sdk.ask("evaluate", flag="banner", user=context, default="unknown", kind="detail")


def becomes(sdk: Driver, context: Any, value: str) -> bool:
    return bool(sdk.ask("wait", flag="banner", user=context, default="unknown", until=value) == value)


@pytest.mark.rule("launchdarkly.client.report-path", "launchdarkly.client.ping", "launchdarkly.client.secure-mode")
@pytest.mark.parametrize("report", [False, True], ids=["GET", "REPORT"])
def test_a_signed_context_is_served_and_told_of_changes(
    trackside: Lab, start: Callable[..., Driver], report: bool
) -> None:
    h = trackside.launchdarkly.secure_mode_hash(BOTH)
    sdk = start(BOTH, useReport=report, hash=h)

    assert detail(sdk, BOTH) == {"value": "blue", "variation": 0, "reason": {"kind": "FALLTHROUGH"}}
    trackside.launchdarkly.flag("banner").target("org-1", "green", kind="organization")
    assert becomes(sdk, BOTH, "green")
    assert detail(sdk, BOTH)["reason"] == {"kind": "TARGET_MATCH"}

    assert next(row.request.method for row in trackside.exchanges() if "/sdk/evalx/" in row.request.path) == (
        "REPORT" if report else "GET"
    )
    assert list(trackside.findings()) == []


@pytest.mark.rule("launchdarkly.sdk.reset", "launchdarkly.client.stream")
def test_a_reset_reaches_every_client(trackside: Lab, start: Callable[..., Driver]) -> None:
    sdk = start(BOTH, hash=trackside.launchdarkly.secure_mode_hash(BOTH))
    trackside.launchdarkly.flag("banner").serve("green")
    assert becomes(sdk, BOTH, "green")
    trackside.reset()
    assert becomes(sdk, BOTH, "blue")
    trackside.launchdarkly.flag("banner").delete()
    assert becomes(sdk, BOTH, "unknown")
    trackside.launchdarkly.flag("banner").serve("green")
    assert becomes(sdk, BOTH, "green")
