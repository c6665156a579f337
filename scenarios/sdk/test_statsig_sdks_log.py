"""Each of Statsig's published SDKs logs its events and exposures once; each is checked and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from driver import Driver
from sdks import STATSIG_DRIVERS as DRIVERS

from trackside import Lab, catalog
from trackside.statsig.encodings import plain_body

WORKSPACE: dict[str, Any] = {
    "statsig": {
        "server_secret": "secret-local",
        "client_key": "client-local",
        "gates": {"new_checkout": True},
        "dynamic_configs": {"banner": {"color": "blue"}},
        "experiments": {
            "checkout": {
                "groups": {"control": {"title": "A"}, "test": {"title": "B"}},
                "layer": "page",
                "users": {"test": ["u-1"]},
            }
        },
        "layers": {"page": {"title": "plain"}},
    }
}
USER = {"userID": "u-1", "customIDs": {"companyID": "c-1"}, "privateAttributes": {"salary": "1"}}

pytestmark = [pytest.mark.node, pytest.mark.trackside(workspace=WORKSPACE)]


def logged(lab: Lab, driver: Callable[..., Driver], package: str, **options: Any) -> list[dict[str, Any]]:
    """Let an SDK evaluate, track and end, and return every event that it posted, as it posted it."""
    key = "client-local" if package == "@statsig/js-client" else "secret-local"
    with driver(DRIVERS[package]) as sdk:
        sdk.ask("start", key=key, options={**lab.statsig.options(package), **options}, streaming=False, user=USER)
        for kind, flag, default in (
            ("gate", "new_checkout", False),
            ("config", "banner", {}),
            ("experiment", "checkout", {}),
            ("layer", "page", {"title": ""}),
        ):
            sdk.ask("evaluate", kind=kind, flag=flag, user=USER, default=default)
        sdk.ask("track", event="purchase", user=USER, value=42.5, metadata={"sku": "s-1"})
        sdk.ask("flush")
        sdk.ask("close")
    posts = [one.request for one in lab.exchanges("statsig") if one.request.path in ("/v1/log_event", "/v1/rgstr")]
    return [event for post in posts for event in orjson.loads(plain_body(post)[0])["events"]]


@pytest.mark.rule("statsig.events.answer", "statsig.events.record", "statsig.contract")
@pytest.mark.parametrize("package", DRIVERS)
def test_each_event_and_exposure_is_posted_once_and_kept(
    trackside: Lab, driver: Callable[..., Driver], package: str
) -> None:
    posted = [one["eventName"] for one in logged(trackside, driver, package)]
    assert [posted.count(name) for name in ("purchase", "statsig::gate_exposure", "statsig::layer_exposure")] == [1] * 3
    assert posted.count("statsig::config_exposure") == 2
    purchase = trackside.statsig.expect_only("purchase", user_id="u-1", value=42.5, metadata={"sku": "s-1"})
    assert purchase["user"]["customIDs"]["companyID"] == "c-1"
    assert "salary" not in str(purchase)
    kept = [one.record for one in trackside.kept("statsig")]
    assert len(kept) == len(posted)
    assert [fault for one in kept for fault in catalog.faults(f"statsig/{one.get('kind', 'event')}", one)] == []
    trackside.expect_no_findings(notes=True)


@pytest.mark.rule("statsig.events.exposure", "statsig.events.exposure.group", "statsig.events.exposure.hash")
@pytest.mark.parametrize("package", DRIVERS)
def test_every_sdks_exposures_say_the_same(trackside: Lab, driver: Callable[..., Driver], package: str) -> None:
    logged(trackside, driver, package)
    statsig, user = trackside.statsig, {"user_id": "u-1"}
    statsig.expect_exposure("new_checkout", of="gate", value=True, count=1, **user)
    statsig.expect_exposure("banner", of="config", rule_id="default", count=1, **user)
    statsig.expect_exposure("checkout", of="config", group="test", count=1, **user)
    statsig.expect_exposure("page", of="layer", parameter="title", experiment="checkout", group="test", **user)


@pytest.mark.rule("statsig.sdk.encodings")
@pytest.mark.parametrize(
    ("package", "encoding"),
    [
        ("statsig", "gzip"),
        ("statsig-python-core", "gzip"),
        ("statsig-node", "gzip"),
        ("@statsig/statsig-node-core", "zstd"),
        ("@statsig/js-client", ""),
    ],
)
def test_each_sdk_packs_its_events_in_its_own_way(
    trackside: Lab, driver: Callable[..., Driver], package: str, encoding: str
) -> None:
    assert logged(trackside, driver, package)
    posts = [
        one.request for one in trackside.exchanges("statsig") if one.request.path in ("/v1/log_event", "/v1/rgstr")
    ]
    assert {one.headers.get("content-encoding", "") for one in posts} == {encoding}


@pytest.mark.rule("statsig.sdk.encodings")
def test_js_client_is_told_to_pack_its_events(trackside: Lab, driver: Callable[..., Driver]) -> None:
    assert logged(trackside, driver, "@statsig/js-client", logEventCompressionMode="f")
    [post] = [one.request for one in trackside.exchanges("statsig") if one.request.path == "/v1/rgstr"]
    assert post.query["gz"] == "1"
    trackside.statsig.expect_only("purchase", user_id="u-1")
    trackside.expect_no_findings(notes=True)
