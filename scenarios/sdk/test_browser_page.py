"""A page in a real Chromium: the vendors' bundles for script tags, and requests that cross origins.

Once the page is a file (its origin is ``null``), once it comes from a port of its own.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from driver import Driver
from matrix import Passed
from sdks import WORKSPACE, WRONG_KEYS

from trackside import Lab
from trackside.sdks import key_for, sdk_named

pytestmark = pytest.mark.node

HERE = Path(__file__).parent
PAGE = "drivers/browser_page.html"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing of it."""

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def served() -> Iterator[str]:
    """Return the address of this folder on a port of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(HERE))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(params=["file", "http"])
def address(request: pytest.FixtureRequest) -> str:
    base = HERE.as_uri() if request.param == "file" else request.getfixturevalue("served")
    return f"{base}/{PAGE}"


@dataclass(frozen=True, slots=True)
class Bundle:
    """One SDK of the page that has flags: what it is asked and how its vendor's flag is changed."""

    vendor: str
    package: str
    mode: str
    flag: str
    default: Any
    declared: Any
    changed: Any


BUNDLES = (
    Bundle("launchdarkly", "launchdarkly-js-client-sdk", "streaming", "banner", "unknown", "blue", "green"),
    Bundle("launchdarkly", "@launchdarkly/js-client-sdk", "streaming", "banner", "unknown", "blue", "green"),
    Bundle("statsig", "@statsig/js-client", "fetching", "new_checkout", None, True, False),
)


def serve(lab: Lab, color: str, *, gate: bool) -> None:
    lab.launchdarkly.flag("banner").serve(color)
    lab.statsig.gate("new_checkout").serve(gate)


class Page:
    """The page in Chromium."""

    def __init__(self, lab: Lab, driver: Driver) -> None:
        self.lab, self.driver, self.version = lab, driver, ""

    def start(self, bundle: Bundle, wrong_keys: Mapping[str, str] | None = None) -> bool:
        mock = self.lab.mocks[bundle.vendor]
        name = f"npm:{bundle.package}"
        key = key_for(wrong_keys or mock.keys, sdk_named(mock.vendor.sdks, name).key)
        options = {**mock.options(name), **({"streaming": True} if bundle.mode == "streaming" else {})}
        told = self.driver.ask("start", sdk=bundle.package, key=key, options=options, user="user-1")
        self.version = told["version"]
        return bool(told["ready"])

    def passed(self, bundle: Bundle, capability: str) -> None:
        package = json.loads((HERE / "node_modules" / bundle.package / "package.json").read_text(encoding="utf-8"))
        mode = f"{bundle.mode}, in Chromium"
        Passed(bundle.vendor, bundle.package, "npm", package["version"], mode, capability).write()

    def leave(self) -> dict[str, list[str]]:
        """Close every SDK and the browser; return what Chromium asked for and what its console said."""
        self.driver.ask("close")
        told = self.driver.ask("told")
        self.driver.close()
        return dict(told)


@pytest.fixture
def page(trackside: Lab, driver: Callable[..., Driver], chromium: str, address: str) -> Page:
    return Page(trackside, driver("node_browser_page.cjs", chromium, address))


def outside(requests: list[str]) -> list[str]:
    return [asked for asked in requests if not asked.split(" ")[1].startswith(("file:", "data:", "http://127.0.0.1:"))]


@pytest.mark.rule("segment.cdn", "segment.cors")
def test_the_segment_bundle_works_across_origins(trackside: Lab, page: Page) -> None:
    segment = {"sdk": "@segment/analytics-next"}
    assert page.driver.ask("start", **segment, key="wk_web", options={"cdnURL": trackside.segment.url})["ready"]
    page.driver.ask("track", **segment, event="Order Completed", value=42)
    trackside.segment.expect_event("Order Completed", properties={"value": 42})
    told = page.leave()
    assert outside(told["requests"]) == []
    assert told["errors"] == []


@pytest.mark.trackside(workspace=WORKSPACE)
@pytest.mark.rule("launchdarkly.unknown-path", "statsig.unknown-path")
def test_the_flag_bundles_work_across_origins(trackside: Lab, page: Page) -> None:
    for bundle in BUNDLES:
        assert page.start(bundle), page.driver.printed
        page.passed(bundle, "ready")
        flag = {"sdk": bundle.package, "flag": bundle.flag, "default": bundle.default}
        assert page.driver.ask("evaluate", **flag) == bundle.declared
        page.passed(bundle, "declared value")

    # LaunchDarkly's fetch once more when their streams are open: what changes after that came by the stream.
    assert trackside.journal.wait(lambda: len(trackside.launchdarkly.live.streams) == 2, timeout=5)
    for back in (False, True):
        serve(trackside, "blue" if back else "green", gate=back)
        for bundle in BUNDLES:
            flag = {"sdk": bundle.package, "flag": bundle.flag, "default": bundle.default}
            until = bundle.declared if back else bundle.changed
            assert page.driver.ask("wait", **flag, until=until) == until
    for bundle in BUNDLES:
        page.passed(bundle, "live change")

    for bundle in BUNDLES:
        event = f"Order Completed by {bundle.package}"
        page.driver.ask("track", sdk=bundle.package, event=event, value=42)
        page.driver.ask("flush", sdk=bundle.package)
        trackside.mocks[bundle.vendor].expect_event(event, value=42)
        page.passed(bundle, "event kept")

    told = page.leave()
    assert trackside.journal.wait(lambda: len(trackside.launchdarkly.events(kind="summary")) >= 2, timeout=5)
    trackside.statsig.expect_exposure("new_checkout", of="gate", user_id="user-1")
    for bundle in BUNDLES:
        page.passed(bundle, "evaluation kept")

    assert outside(told["requests"]) == []
    assert told["errors"] == []
    assert [str(finding) for finding in trackside.findings()] == []
    for bundle in BUNDLES:
        page.passed(bundle, "no finding")


@pytest.mark.trackside(workspace=WORKSPACE)
@pytest.mark.rule("launchdarkly.unknown-path", "statsig.unknown-path")
def test_the_flag_bundles_are_refused_with_a_wrong_key(trackside: Lab, page: Page) -> None:
    for bundle in BUNDLES:
        assert not page.start(bundle, WRONG_KEYS)
        assert {exchange.status for exchange in trackside.exchanges(bundle.vendor)} & {401, 403, 404}
        page.passed(bundle, "wrong key refused")
    assert outside(page.leave()["requests"]) == []
    assert [text for text in map(str, trackside.findings()) if "unknown-path" in text] == []
