"""Exposures of Statsig's published Python SDKs, and Segment's events: what counts in an experiment, and what does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from statsig_python_core import Statsig
from statsig_python_core import StatsigOptions as CoreOptions
from statsig_python_core import StatsigUser as CoreUser

from statsig import StatsigEnvironmentTier, StatsigEvent, StatsigOptions, StatsigServer, StatsigUser
from trackside import Lab

WORKSPACE: dict[str, Any] = {
    "segment": {
        "sources": {"web": {"write_key": "wk_web", "destinations": ["to-statsig"]}},
        "destinations": {"to-statsig": {"type": "statsig", "api_key": "secret-local"}},
    },
    "statsig": {
        "server_secret": "secret-local",
        "id_types": ["segmentAnonymousId"],
        "segment_inbound": {"map_identifiers": {"anonymousId": "segmentAnonymousId"}},
        "metrics": {
            "revenue": {
                "type": "sum",
                "metric_events": [{"name": "segment::Order Completed", "type": "metadata", "metadata_key": "revenue"}],
            }
        },
        "gates": {"half": 50},
        "experiments": {
            "checkout": {
                "groups": {"control": {"color": "red"}, "test": {"color": "blue"}},
                "sizes": {"control": 0, "test": 100},
                "users": {"control": ["u-forced"]},
                "layer": "page",
            },
            "landing": {"groups": {"one": {"n": 1}}, "id_type": "segmentAnonymousId"},
        },
        "layers": {"page": {"color": "grey"}},
    },
}

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


@pytest.fixture
def server(trackside: Lab) -> Iterator[StatsigServer]:
    """Return the older SDK, with its specs."""
    sdk = StatsigServer()
    sdk.initialize("secret-local", StatsigOptions(**trackside.statsig.python_options()))
    yield sdk
    sdk.shutdown()


def order(lab: Lab, **call: Any) -> None:
    """Send a track call to Segment."""
    body = {"writeKey": "wk_web", "event": "Order Completed", "properties": {"revenue": 12.5}, **call}
    assert urllib3.request("POST", f"{lab.segment.url}/v1/track", json=body).status == 200


@pytest.mark.rule("statsig.in.metrics", "statsig.counting.metric-value", "statsig.counting.groups")
def test_an_order_of_an_exposed_user_counts_in_its_group(trackside: Lab, server: StatsigServer) -> None:
    assert server.get_layer(StatsigUser("u-1"), "page").get("color", "") == "blue"
    server.flush()
    order(trackside, userId="u-1")
    checkout = trackside.statsig.experiment("checkout")

    counted = checkout.expect_counted("u-1", event="segment::Order Completed")
    assert (list(counted.variations), "revenue::sum" in counted.metrics) == (["test"], True)
    [_, test] = checkout.results().variations
    assert (test.units, test.metrics["revenue::sum"].total) == (1, 12.5)


@pytest.mark.rule("statsig.counting.overrides")
def test_who_is_forced_into_a_group_is_left_out(trackside: Lab, server: StatsigServer) -> None:
    assert server.get_experiment(StatsigUser("u-forced"), "checkout").get_value() == {"color": "red"}
    server.flush()
    order(trackside, userId="u-forced")
    trackside.statsig.expect_event("segment::Order Completed")

    trackside.statsig.experiment("checkout").expect_not_counted("u-forced", because="excluded")


@pytest.mark.rule("statsig.counting.environment")
def test_what_a_staging_sdk_sees_is_not_in_productions_results(trackside: Lab) -> None:
    sdk, staging = StatsigServer(), StatsigOptions(**trackside.statsig.python_options())
    staging.set_environment_parameter("tier", StatsigEnvironmentTier.staging.value)
    sdk.initialize("secret-local", staging)
    sdk.get_experiment(StatsigUser("u-1"), "checkout")
    sdk.log_event(StatsigEvent(StatsigUser("u-1"), "purchase"))
    sdk.shutdown()
    trackside.statsig.expect_exposure("checkout", environment="staging")

    trackside.statsig.experiment("checkout").expect_not_counted("u-1", because="environment")


@pytest.mark.rule("statsig.counting.gates")
def test_a_gate_for_a_part_of_its_units_has_results(trackside: Lab, server: StatsigServer) -> None:
    passed = {unit: server.check_gate(StatsigUser(unit), "half") for unit in ("u0", "u3")}
    for unit in passed:
        server.log_event(StatsigEvent(StatsigUser(unit), "purchase"))
    server.flush()
    half = trackside.statsig.experiment("half")

    assert passed == {"u0": True, "u3": False}
    half.expect_counted("u0", variation="pass", metric="purchase::event_count")
    half.expect_counted("u3", variation="fail")


@pytest.mark.rule("statsig.counting.unit", "statsig.in.anonymous-join", "statsig.counting.auto-metrics")
def test_an_anonymous_visitor_counts_by_segments_anonymous_id(trackside: Lab) -> None:
    sdk = Statsig("secret-local", CoreOptions(**trackside.statsig.python_core_options()))
    sdk.initialize().wait()
    visitor = CoreUser(user_id="", custom_ids={"segmentAnonymousId": "a-1"})
    assert sdk.get_experiment(visitor, "landing").value == {"n": 1}
    sdk.shutdown().wait()
    order(trackside, anonymousId="a-1")

    counted = trackside.statsig.experiment("landing").expect_counted("a-1")
    assert (list(counted.variations), list(counted.metrics)) == (["one"], ["segment::Order Completed::event_count"])
