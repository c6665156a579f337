"""Statsig's published SDKs on the way out: what they log arrives at a Segment source, and joins Segment's own events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from driver import Driver
from sdks import STATSIG_DRIVERS as DRIVERS

from trackside import Lab, catalog

WORKSPACE: dict[str, Any] = {
    "segment": {
        "sources": {
            "web": {"write_key": "wk_web", "destinations": ["to-statsig"]},
            "statsig": {"write_key": "wk_statsig", "destinations": ["to-statsig"]},
        },
        "destinations": {"to-statsig": {"type": "statsig", "api_key": "secret-local"}},
    },
    "statsig": {
        "server_secret": "secret-local",
        "client_key": "client-local",
        "id_types": ["companyID", "segmentAnonymousId"],
        "segment_inbound": {"map_identifiers": {"anonymousId": "segmentAnonymousId"}},
        "segment_outbound": {"enabled": True, "write_key": "wk_statsig"},
        "gates": {"new_checkout": True},
        "dynamic_configs": {"banner": {"color": "blue"}},
        "experiments": {
            "checkout": {
                "groups": {"control": {"title": "A"}, "test": {"title": "B"}},
                "layer": "page",
                "users": {"test": ["u-1"]},
            },
            "landing": {"groups": {"control": {"n": 1}, "test": {"n": 2}}, "id_type": "segmentAnonymousId"},
        },
        "layers": {"page": {"title": "plain"}},
    },
}
USER = {"userID": "u-1", "customIDs": {"companyID": "c-1"}, "privateAttributes": {"salary": "1"}}

pytestmark = [pytest.mark.node, pytest.mark.trackside(workspace=WORKSPACE)]


def key_of(package: str) -> str:
    return "client-local" if package == "@statsig/js-client" else "secret-local"


def started(lab: Lab, driver: Callable[..., Driver], package: str, user: Any) -> Driver:
    """Return an SDK that has its flags."""
    sdk = driver(DRIVERS[package])
    sdk.ask("start", key=key_of(package), options=lab.statsig.options(package), streaming=False, user=user)
    return sdk


def exported_of(lab: Lab) -> dict[str, Any]:
    """Return the calls that Statsig made for Segment, by event name."""
    found = [journey.call for journey in lab.journeys() if journey.origin]
    by_name = {call["event"]: call for call in found}
    assert len(by_name) == len(found)
    return by_name


@pytest.mark.rule(
    "statsig.out.event",
    "statsig.out.names",
    "statsig.out.names.group",
    "statsig.out.names.hash",
    "statsig.out.filter",
    "statsig.out.loop",
    "statsig.contract",
)
@pytest.mark.parametrize("package", DRIVERS)
def test_what_an_sdk_logs_arrives_at_the_segment_source(
    trackside: Lab, driver: Callable[..., Driver], package: str
) -> None:
    sdk = started(trackside, driver, package, USER)
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

    calls = exported_of(trackside)
    assert sorted(calls) == [
        "purchase",
        "statsig::config_exposure",
        "statsig::experiment_exposure",
        "statsig::gate_exposure",
        "statsig::layer_exposure",
    ]
    assert [fault for call in calls.values() for fault in catalog.faults("statsig/segment-track", call)] == []
    assert {call["userId"] for call in calls.values()} == {"u-1"}
    assert {type(call["timestamp"]) for call in calls.values()} == {int}
    assert calls["purchase"]["properties"] == {"value": 42.5, "metadata": {"sku": "s-1"}}
    told = {name: call["properties"]["metadata"] for name, call in calls.items()}
    assert (told["statsig::gate_exposure"]["gate"], told["statsig::gate_exposure"]["gateValue"]) == ("new_checkout", "true")  # fmt: skip
    assert told["statsig::config_exposure"]["config"] == "banner"
    assert told["statsig::experiment_exposure"]["experimentGroupName"] == "test"
    assert told["statsig::layer_exposure"]["allocatedExperiment"] == "checkout"
    assert "salary" not in str(calls)
    stopped = [journey.delivery("to-statsig").all_steps() for journey in trackside.journeys()]
    assert ["statsig.out.loop" in [step.rule for step in steps] for steps in stopped] == [True] * 5
    trackside.expect_no_findings()


def view(lab: Lab, anonymous_id: str) -> None:
    """Let Segment track an anonymous visitor."""
    body = {"writeKey": "wk_web", "event": "Product Viewed", "anonymousId": anonymous_id}
    assert urllib3.request("POST", f"{lab.segment.url}/v1/track", json=body).status == 200


@pytest.mark.rule("statsig.in.anonymous-join")
def test_a_server_sdks_user_with_segments_anonymous_id_joins_segments_events(
    trackside: Lab, driver: Callable[..., Driver]
) -> None:
    user = {"userID": "", "customIDs": {"segmentAnonymousId": "a-1"}}
    sdk = started(trackside, driver, "statsig", user)
    shown = sdk.ask("evaluate", kind="experiment", flag="landing", user=user, default={})
    sdk.ask("flush")
    sdk.ask("close")
    view(trackside, "a-1")
    view(trackside, "a-2")

    found = trackside.statsig.joined("segmentAnonymousId", "a-1")
    [exposure], [event] = found.exposures, found.events
    assert (exposure["exposure"]["name"], exposure["exposure"]["group"]) == (
        "landing",
        {1: "control", 2: "test"}[shown["n"]],
    )
    assert event["eventName"] == "segment::Product Viewed"


@pytest.mark.rule("statsig.in.anonymous-join", "statsig.out.anonymous")
def test_js_clients_user_joins_once_update_user_has_brought_the_anonymous_id(
    trackside: Lab, driver: Callable[..., Driver]
) -> None:
    sdk = started(trackside, driver, "@statsig/js-client", {})
    sdk.ask("track", event="before", metadata={})
    known = {"customIDs": {"segmentAnonymousId": "a-1"}}
    sdk.ask("refresh", user=known)
    sdk.ask("evaluate", kind="experiment", flag="landing", user=known, default={})
    sdk.ask("track", event="after", metadata={})
    sdk.ask("flush")
    sdk.ask("close")
    view(trackside, "a-1")

    found = trackside.statsig.joined("segmentAnonymousId", "a-1")
    assert [one["exposure"]["name"] for one in found.exposures] == ["landing"]
    assert [one["eventName"] for one in found.events] == ["after", "segment::Product Viewed"]
    calls = exported_of(trackside)
    assert calls["before"]["anonymousId"] == calls["before"]["context"]["stableID"] != ""
    trackside.expect_no_findings()
