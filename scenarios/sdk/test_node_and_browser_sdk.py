"""Segment's Node and browser SDKs, unmodified, over real sockets; the browser's in jsdom, which keeps to CORS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from trackside import Lab

pytestmark = pytest.mark.node


@pytest.mark.rule("segment.tracking-api", "segment.answer.success")
def test_every_call_of_the_node_sdk_arrives(trackside: Lab, node: Callable[..., Any]) -> None:
    assert node("analytics_node.cjs", trackside.segment.url, "wk_web") == {"errors": []}
    assert {exchange.request.path for exchange in trackside.exchanges("segment")} == {"/v1/batch"}
    arrived = [journey.get("type") for journey in trackside.journeys()]
    assert arrived == ["identify", "track", "page", "screen", "group", "alias"]
    trackside.launchdarkly.expect_event("Order Completed", user="user-1", value=12.5)


@pytest.mark.rule("segment.cdn", "segment.cors", "segment.content-type")
def test_the_browser_sdk_boots_from_the_settings_document_and_posts_each_call(
    trackside: Lab, node: Callable[..., Any]
) -> None:
    told = node("analytics_browser.cjs", trackside.segment.url, "wk_web")
    assert told["errors"] == []
    paths = sorted(exchange.request.path for exchange in trackside.exchanges("segment"))
    assert paths == ["/v1/i", "/v1/p", "/v1/projects/wk_web/settings", "/v1/t"]
    event = trackside.statsig.expect_event("segment::Order Completed", user_id="user-1")
    assert event["user"]["customIDs"] == {"segmentAnonymousId": told["anonymousId"]}
    assert all(exchange.status == 200 for exchange in trackside.exchanges("segment"))


@pytest.mark.rule("segment.cors", "segment.batch.merge")
def test_the_browser_sdk_batches(trackside: Lab, node: Callable[..., Any]) -> None:
    told = node("analytics_browser.cjs", trackside.segment.url, "wk_web", "batching")
    assert told["errors"] == []
    posted = [exchange for exchange in trackside.exchanges("segment") if exchange.request.method == "POST"]
    assert [(exchange.request.path, exchange.intake.calls) for exchange in posted] == [("/v1/b", 3)]
    trackside.split.expect_event("Order_Completed", key="user-1", traffic_type="user", value=None)


@pytest.mark.rule("segment.cdn")
def test_the_browser_sdk_notices_a_wrong_write_key(make_trackside: Any, node: Callable[..., Any]) -> None:
    lab = make_trackside({"segment": {"sources": {"web": {"write_key": "wk_web"}}}})
    with pytest.raises(AssertionError, match="errors"):
        node("analytics_browser.cjs", lab.segment.url, "wk_wrong")
    assert [exchange.status for exchange in lab.exchanges("segment")] == [404]
