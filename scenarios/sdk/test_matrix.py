"""Every published SDK, unmodified, over real sockets: what `docs/sdk-matrix.md` says it does here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from driver import Driver
from matrix import Passed
from sdks import ASKED, SDKS, WORKSPACE, WRONG_KEYS, Row

from trackside import Lab
from trackside.sdks import key_for, sdk_named
from trackside.vendor import Mock

pytestmark = [pytest.mark.node, pytest.mark.trackside(workspace=WORKSPACE)]

RUNS = [pytest.param(row, mode, id=f"{row.script.partition('.')[0]}-{mode}") for row in SDKS for mode in row.modes]


class Run:
    """One SDK against a running lab, by its driver."""

    def __init__(self, lab: Lab, row: Row, mode: str, driver: Driver) -> None:
        self.row, self.mode, self.driver = row, mode, driver
        self.mock: Mock = lab.mocks[row.vendor]
        self.asked = ASKED[row.vendor]
        self._sdk = sdk_named(self.mock.vendor.sdks, f"{row.registry}:{row.package}")
        self.version = ""

    def start(self, **more: Any) -> bool:
        """Start the SDK with the key of the workspace; return whether it became ready."""
        options = self.mock.options(f"{self.row.registry}:{self.row.package}")
        return self._start(key_for(self.mock.keys, self._sdk.key), options, more)

    def start_with_wrong_key(self, **more: Any) -> bool:
        key = WRONG_KEYS[self._sdk.key]
        return self._start(key, self._sdk.options(self.mock.url, key), more)

    def _start(self, key: str, options: Mapping[str, Any], more: Mapping[str, Any]) -> bool:
        streaming = self.mode == "streaming"
        told = self.driver.ask("start", key=key, options=dict(options), streaming=streaming, user="user-1", **more)
        self.version = told["version"]
        return bool(told["ready"])

    def ask(self, do: str, kind: str, flag: str, default: Any, **more: Any) -> Any:
        return self.driver.ask(do, kind=kind, flag=flag, user="user-1", default=default, **more)

    def passed(self, capability: str) -> None:
        row = self.row
        Passed(row.vendor, row.package, row.registry, self.version, self.mode, capability, row.note).write()


@pytest.fixture
def run(trackside: Lab, driver: Callable[..., Driver]) -> Callable[[Row, str], Run]:
    """Return what makes ready a driver for an SDK and a mode."""
    return lambda row, mode: Run(trackside, row, mode, driver(row.script))


def change(mock: Mock, value: Any) -> None:
    """Let the flag that every SDK is asked for serve something else, the way that a test of a user does."""
    handle = mock.config if mock.name == "statsig" else mock.flag  # type: ignore[attr-defined]
    handle("banner").serve(value)


def expect_evaluation(lab: Lab, vendor: str) -> None:
    """Wait until a vendor keeps that the flag was evaluated, in the form that the vendor's SDKs report it."""
    if vendor == "launchdarkly":
        assert lab.journal.wait(lambda: bool(lab.launchdarkly.events(kind="summary")), timeout=5)
        assert "banner" in lab.launchdarkly.events(kind="summary")[0]["features"]
    elif vendor == "statsig":
        lab.statsig.expect_exposure("banner", of="config", user_id="user-1")
    else:
        lab.split.expect_impression("banner", key="user-1", treatment="blue")


def streams(mock: Mock) -> int:
    """Return how many streams to SDKs are open; Statsig's SDKs have none."""
    return len(getattr(mock.live, "streams", ()))


def findings(lab: Lab) -> list[str]:
    """Return what the lab found so far: unknown paths, broken contracts, refusals."""
    return [str(finding) for finding in lab.findings()]


def refusals(lab: Lab, vendor: str) -> bool:
    """Return whether a request was answered as one with an unknown key."""
    return any(exchange.status in (401, 403, 404) for exchange in lab.exchanges(vendor))


@pytest.mark.rule("launchdarkly.sdk.options", "statsig.sdk.options", "split.sdk.options")
@pytest.mark.parametrize(("row", "mode"), RUNS)
def test_a_published_sdk_works_unmodified(trackside: Lab, run: Callable[[Row, str], Run], row: Row, mode: str) -> None:
    sdk = run(row, mode)
    asked, flag = sdk.asked, (sdk.asked.kind, sdk.asked.flag, sdk.asked.default)

    assert sdk.start(), sdk.driver.printed
    sdk.passed("ready")

    assert sdk.ask("evaluate", *flag) == asked.declared
    for kind, name, default, value in asked.others:
        assert sdk.ask("evaluate", kind, name, default) == value
    sdk.passed("declared value")

    # An SDK that has opened its stream fetches once more: only what changes after that must have come by the stream.
    assert trackside.journal.wait(lambda: streams(sdk.mock) == (mode == "streaming"), timeout=5)
    for value in (asked.changed, asked.declared):
        change(sdk.mock, value)
        assert sdk.ask("wait", *flag, until=value, seconds=10) == value
    sdk.passed("live change")

    sdk.driver.ask("track", event="order_completed", user="user-1", value=42)
    sdk.driver.ask("flush" if row.flushes else "close")
    sdk.mock.expect_event("order_completed", value=42)
    sdk.passed("event kept")

    sdk.driver.ask("close")
    expect_evaluation(trackside, row.vendor)
    sdk.passed("evaluation kept")

    assert sdk.driver.ask("outside") == []
    sdk.driver.close()
    assert findings(trackside) == []
    sdk.passed("no finding")


@pytest.mark.rule("launchdarkly.unknown-path", "statsig.unknown-path", "split.unknown-path")
@pytest.mark.parametrize(("row", "mode"), RUNS)
def test_a_published_sdk_is_refused_with_a_wrong_key(
    trackside: Lab, run: Callable[[Row, str], Run], row: Row, mode: str
) -> None:
    sdk = run(row, mode)
    assert not sdk.start_with_wrong_key(seconds=1)
    assert trackside.journal.wait(lambda: refusals(trackside, row.vendor), timeout=5)
    sdk.driver.close()
    assert [text for text in findings(trackside) if "unknown-path" in text] == []
    sdk.passed("wrong key refused")
