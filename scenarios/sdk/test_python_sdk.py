"""segment-analytics-python, unmodified, over a real socket: the version that is installed, 2.4 or 2.2."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
import segment.analytics as sdk
from segment.analytics.version import VERSION

from trackside import Lab

OLDER = VERSION.startswith("2.2")


@pytest.fixture
def client(trackside: Lab) -> Iterator[sdk.Client]:
    client = sdk.Client("wk_web", host=trackside.segment.url, upload_interval=0.01)
    yield client
    client.join()


@pytest.mark.rule("segment.answer.success", "segment.tracking-api")
def test_every_call_of_the_sdk_arrives(trackside: Lab, client: sdk.Client) -> None:
    client.identify("user-1", {"plan": "gold"})
    client.track("user-1", "Order Completed", {"revenue": 12.5})
    client.page("user-1", "Docs", "Home")
    client.screen("user-1", "Docs", "Welcome")
    client.group("user-1", "acme", {"seats": 12})
    client.alias("user-1", "user-2")
    client.flush()
    arrived = [journey.get("type") for journey in trackside.journeys()]
    assert sorted(arrived) == ["alias", "group", "identify", "page", "screen", "track"]
    assert {journey.outcome for journey in trackside.journeys()} == {"accepted"}


@pytest.mark.rule("segment.write-key")
def test_the_sdk_gives_its_write_key_in_its_own_way(trackside: Lab, client: sdk.Client) -> None:
    client.track("user-1", "Order Completed")
    client.flush()
    (exchange,) = trackside.exchanges("segment")
    assert ("authorization" in exchange.request.headers) is True
    assert ("writeKey" in exchange.request.json()) is not OLDER
    assert exchange.intake.source == "web"


@pytest.mark.rule("segment.content-type")
def test_gzip_is_undone(trackside: Lab) -> None:
    client = sdk.Client("wk_web", host=trackside.segment.url, gzip=True, upload_interval=0.01)
    client.track("user-1", "Order Completed")
    client.flush()
    client.join()
    (exchange,) = trackside.exchanges("segment")
    assert exchange.request.headers["content-encoding"] == "gzip"
    assert not exchange.request.body.startswith(gzip.compress(b"")[:2])
    trackside.statsig.expect_event("segment::Order Completed", user_id="user-1")


@pytest.mark.rule("segment.discard.no-id")
def test_the_unused_id_that_the_sdk_sends_as_null_is_an_absent_one(trackside: Lab, client: sdk.Client) -> None:
    client.track("user-1", "Order Completed")
    client.flush()
    (journey,) = trackside.journeys()
    assert journey.call["anonymousId"] is None
    assert journey.outcome == "accepted"


@pytest.mark.rule("segment.dedup")
def test_a_retry_of_the_sdk_is_no_second_event(trackside: Lab, client: sdk.Client) -> None:
    trackside.segment.fail(500, times=1)
    client.track("user-1", "Order Completed")
    client.flush()
    first, second = trackside.exchanges("segment")
    assert (first.status, second.status) == (500, 200)
    assert len(list(trackside.journeys())) == 1


def test_a_checkout_counts_everywhere(trackside: Lab, client: sdk.Client) -> None:
    client.track("user-1", "Checkout Completed", {"value": 42})
    client.flush()
    trackside.launchdarkly.expect_event("Checkout Completed", user="user-1", value=42)
    trackside.statsig.expect_event("segment::Checkout Completed", user_id="user-1")
    trackside.split.expect_event("Checkout_Completed", key="user-1", traffic_type="user")
    trackside.expect_no_findings()
