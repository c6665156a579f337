"""What LaunchDarkly's SDKs post beyond the plain event of the matrix: every kind, goals, and what they repeat."""

from __future__ import annotations

import time
from typing import Any

import pytest
import urllib3

from trackside.lab import Lab

CLIENT_SIDE_ID = "57be1db38b75bf0772d11384"
UNTIL = int(time.time() * 1000) + 3_600_000
WORKSPACE: dict[str, Any] = {
    "launchdarkly": {
        "environments": {"production": {"client_side_id": CLIENT_SIDE_ID, "sdk_key": "sdk-local"}},
        "flags": {
            "allowed": True,
            "banner": {
                "version": 3,
                "on": True,
                "variations": ["blue"],
                "fallthrough": {"variation": 0},
                "prerequisites": [{"key": "allowed", "variation": 0}],
                "trackEvents": True,
                "debugEventsUntilDate": UNTIL,
            },
        },
    }
}
BOTH = {
    "kind": "multi",
    "user": {"key": "u-1", "name": "Ann", "_meta": {"privateAttributes": ["name"]}},
    "org": {"key": "o-1"},
}
ANONYMOUS = {"kind": "user", "key": "a-1", "anonymous": True, "country": "fr"}
CLIENTS = [
    ("launchdarkly-js-client-sdk", "node_launchdarkly_js_client_sdk.cjs", "diagnostic-combined"),
    ("@launchdarkly/js-client-sdk", "node_launchdarkly_js_client_sdk_v4.cjs", "diagnostic-init"),
    ("launchdarkly-node-client-sdk", "node_launchdarkly_node_client_sdk.cjs", "diagnostic-init"),
]

pytestmark = [pytest.mark.node, pytest.mark.trackside(workspace=WORKSPACE)]


def evaluate_and_track(sdk: Any, context: Any) -> None:
    for flag in ("banner", "nope"):
        sdk.ask("evaluate", flag=flag, kind="detail", user=context, default=None)
        sdk.ask("evaluate", flag=flag, kind="flag", user=context, default="unknown")
    sdk.ask("track", event="Order Completed", user=context, value=49.95)
    sdk.ask("track", event="plain", user=context)


@pytest.mark.rule("launchdarkly.events.kinds-kept", "launchdarkly.diagnostics.accepted")
@pytest.mark.parametrize(("package", "script", "diagnostic"), CLIENTS, ids=[package for package, _, _ in CLIENTS])
def test_what_a_client_side_sdk_posts_is_kept_without_a_finding(
    trackside: Lab, driver: Any, package: str, script: str, diagnostic: str
) -> None:
    sdk, options = driver(script), trackside.launchdarkly.options(package)
    sdk.ask("start", key=CLIENT_SIDE_ID, options=options, streaming=False, user=BOTH)
    for context in (BOTH, ANONYMOUS):
        evaluate_and_track(sdk, context)
        sdk.ask("flush")
    sdk.ask("close")

    kinds = {"identify", "feature", "debug", "custom", "summary"}
    assert trackside.journal.wait(lambda: {one["kind"] for one in trackside.launchdarkly.events()} == kinds, 5)
    assert [one["kind"] for one in trackside.launchdarkly.diagnostics()] == [diagnostic]
    trackside.launchdarkly.expect_event("Order Completed", value=49.95, context={"user": "u-1", "org": "o-1"})
    trackside.expect_no_findings(notes=True)


@pytest.mark.rule("launchdarkly.events.kinds-kept", "launchdarkly.diagnostics.accepted")
@pytest.mark.parametrize("compressed", [False, True])
def test_what_the_node_sdk_posts_is_kept_without_a_finding(trackside: Lab, driver: Any, compressed: bool) -> None:
    sdk, options = driver("node_launchdarkly_node_server_sdk.cjs"), trackside.launchdarkly.node_options()
    sdk.ask("start", key="sdk-local", options={**options, "enableEventCompression": compressed})
    for context in (BOTH, ANONYMOUS):
        evaluate_and_track(sdk, context)
    sdk.ask("flush")
    sdk.ask("close")

    kinds = {"index", "feature", "debug", "custom", "summary"}
    assert trackside.journal.wait(lambda: {one["kind"] for one in trackside.launchdarkly.events()} == kinds, 5)
    assert len(trackside.launchdarkly.diagnostics()) == 1
    trackside.expect_no_findings(notes=True)


@pytest.mark.rule("launchdarkly.events.diagnostic-at-bulk")
def test_a_diagnostic_event_that_the_node_sdk_repeats_in_the_wrong_place_is_only_noted(
    trackside: Lab, driver: Any
) -> None:
    trackside.launchdarkly.fail(503, times=1)
    sdk, options = driver("node_launchdarkly_node_server_sdk.cjs"), trackside.launchdarkly.node_options()
    sdk.ask("start", key="sdk-local", options=options)

    def answers() -> list[tuple[str, int]]:
        rows = trackside.exchanges("launchdarkly")
        return [(row.request.path, row.status) for row in rows if row.request.method == "POST"]

    assert trackside.journal.wait(lambda: answers() == [("/diagnostic", 503), ("/bulk", 400)], 5)
    sdk.ask("track", event="Order Completed", user="u-1")
    sdk.ask("flush")
    trackside.launchdarkly.expect_event("Order Completed")
    trackside.expect_no_findings()


@pytest.mark.rule("launchdarkly.events.payload-id")
def test_a_batch_that_the_node_sdk_repeats_is_kept_once(trackside: Lab, driver: Any) -> None:
    sdk, options = driver("node_launchdarkly_node_server_sdk.cjs"), trackside.launchdarkly.node_options()
    sdk.ask("start", key="sdk-local", options={**options, "diagnosticOptOut": True})
    trackside.launchdarkly.fail(503, times=1)
    sdk.ask("track", event="Order Completed", user="u-1")
    sdk.ask("flush")

    trackside.launchdarkly.expect_only("Order Completed")
    posts = [row.request for row in trackside.exchanges("launchdarkly") if row.request.path == "/bulk"]
    assert len(posts) == 2
    assert len({post.headers["x-launchdarkly-payload-id"] for post in posts}) == 1


@pytest.mark.rule("launchdarkly.rest.goals", "launchdarkly.events.kinds-kept")
@pytest.mark.parametrize(
    ("package", "script", "_diagnostic"), CLIENTS[:2], ids=[package for package, _, _ in CLIENTS[:2]]
)
def test_a_browser_reports_the_page_view_of_a_metric_that_was_created(
    trackside: Lab, driver: Any, package: str, script: str, _diagnostic: str
) -> None:
    metric = {"key": "shop", "kind": "pageview", "urls": [{"kind": "substring", "substring": "shop.example"}]}
    url = f"{trackside.launchdarkly.url}/api/v2/metrics/default"
    assert urllib3.request("POST", url, json=metric, headers={"Authorization": "api-any"}).status == 201
    sdk, options = driver(script), trackside.launchdarkly.options(package)

    sdk.ask("start", key=CLIENT_SIDE_ID, options=options, streaming=False, user="u-1")
    sdk.ask("flush")

    trackside.launchdarkly.expect_event("shop", kind="pageview", user="u-1")
    trackside.expect_no_findings()
