"""What Split's published SDKs post in each impressions mode: all of it is taken, keeps its contract, and is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from driver import Driver

from trackside import Lab
from trackside.sdks import key_for, sdk_named

WORKSPACE = {
    "split": {
        "environments": {"production": {"sdk_key": "sdk-local", "client_key": "client-local"}},
        "flags": {"banner": {"serve": "on"}, "quiet": {"serve": "on", "track": False}},
    }
}
SDKS = {
    "py_splitio_client.py": ("PyPI:splitio_client", "python"),
    "node_splitio.cjs": ("npm:@splitsoftware/splitio", "nodejs"),
    "node_splitio_client.cjs": ("npm:@splitsoftware/splitio/client", "javascript"),
    "node_splitio_browserjs.cjs": ("npm:@splitsoftware/splitio-browserjs", "browserjs"),
}
CLIENTS = ("node_splitio_client.cjs", "node_splitio_browserjs.cjs")
EACH = pytest.mark.parametrize("script", list(SDKS))

pytestmark = [pytest.mark.node, pytest.mark.trackside(workspace=WORKSPACE)]


@pytest.fixture
def ran(trackside: Lab, driver: Callable[..., Driver]) -> Callable[[str, str], Lab]:
    """Return what lets an SDK evaluate two flags, track an event and end; gives the lab when all was posted."""

    def run(script: str, mode: str) -> Lab:
        sdk, asked = driver(script), {"kind": "flag", "user": "user-1", "default": ""}
        row = sdk_named(trackside.split.vendor.sdks, SDKS[script][0])
        key = key_for(trackside.split.keys, row.key)
        # In Python the mode stands beside the other options, in JavaScript under `sync`.
        config = {"impressionsMode": mode} if script.endswith(".py") else {"sync": {"impressionsMode": mode}}
        options = dict(row.options(trackside.split.url, key))
        told = sdk.ask("start", key=key, options=options, streaming=False, user="user-1", config=config)
        assert told["ready"]
        for flag in ("banner", "banner", "quiet"):
            assert sdk.ask("evaluate", flag=flag, **asked) == "on"
        sdk.ask("track", event="checkout", user="user-1", value=9.99)
        # Closed before its threads run, the SDK for Python forgets what it has: the first post says that they do.
        trackside.split.expect_event("checkout", key="user-1", traffic_type="user", value=9.99)
        sdk.ask("close")
        return trackside

    return run


def wrongs(lab: Lab) -> list[str]:
    return [str(finding) for finding in lab.findings()]


def kept(lab: Lab, kind: str) -> list[dict[str, Any]]:
    return [one.record for one in lab.kept("split") if one.record["kind"] == kind]


def told_of_quiet(lab: Lab) -> bool:
    """Return whether counts and unique keys have come; some SDKs post them after the rest."""
    return all(any(one["split"] == "quiet" for one in kept(lab, kind)) for kind in ("impression_count", "unique_keys"))


def told_of_itself(lab: Lab, script: str) -> bool:
    """Return whether a server SDK has posted its configuration and usage; of clients one in a thousand does."""
    paths = {"/api/v1/metrics/config", "/api/v1/metrics/usage"}
    return script in CLIENTS or paths <= {row.request.path for row in lab.exchanges("split")}


@EACH
@pytest.mark.rule("split.impressions", "split.events.source", "split.telemetry")
def test_in_the_mode_debug_every_impression_is_kept(script: str, ran: Any) -> None:
    lab = ran(script, "DEBUG")

    found = lab.split.expect_impression("banner", key="user-1", treatment="on", mode="DEBUG", count=2)
    assert (found["sdk"], found["label"]) == (SDKS[script][1], "default rule")
    assert [one["previousTime"] is None for one in lab.split.impressions(flag="banner")] == [True, False]
    assert {one["sdk"] for one in lab.split.events()} == {SDKS[script][1]}
    assert lab.journal.wait(lambda: told_of_quiet(lab), 5)  # a flag that is not tracked has none in any mode
    assert lab.split.impressions(flag="quiet") == []
    assert lab.journal.wait(lambda: told_of_itself(lab, script), 5)
    assert wrongs(lab) == []


@EACH
@pytest.mark.rule("split.impressions", "split.impressions.counts")
def test_in_the_mode_optimized_repeats_are_only_counted(script: str, ran: Any) -> None:
    lab = ran(script, "OPTIMIZED")

    assert lab.split.expect_impression("banner", count=1)["impressionsMode"] == "OPTIMIZED"
    assert lab.journal.wait(lambda: any(one["split"] == "banner" for one in kept(lab, "impression_count")), 5)
    assert wrongs(lab) == []


@EACH
@pytest.mark.rule("split.impressions.counts", "split.impressions.keys")
def test_in_the_mode_none_flags_are_counted_and_their_keys_named(script: str, ran: Any) -> None:
    lab = ran(script, "NONE")

    assert lab.journal.wait(lambda: told_of_quiet(lab), 5)
    assert {one["split"]: one["keys"] for one in kept(lab, "unique_keys")} == {
        "banner": ["user-1"],
        "quiet": ["user-1"],
    }
    assert lab.split.impressions() == []
    assert wrongs(lab) == []
