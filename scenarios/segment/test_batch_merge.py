"""A batch's own context and integrations are merged into each of its items."""

import pytest

TRACK = {"type": "track", "userId": "u-1", "event": "Order Completed"}


@pytest.mark.rule("segment.batch.merge")
def test_every_item_gets_the_batchs_context(segment):
    journeys = segment.batch(TRACK, TRACK, context={"ip": "203.0.113.7"})

    assert [journey.message["context"] for journey in journeys] == [{"ip": "203.0.113.7"}] * 2


@pytest.mark.rule("segment.batch.merge")
def test_an_items_own_context_is_kept_beside_the_batchs(segment):
    [journey] = segment.batch({**TRACK, "context": {"locale": "de-DE"}}, context={"ip": "203.0.113.7"})

    assert journey.message["context"] == {"ip": "203.0.113.7", "locale": "de-DE"}


@pytest.mark.rule("segment.batch.merge")
def test_where_both_have_a_key_the_items_is_used(segment):
    [journey] = segment.batch({**TRACK, "context": {"locale": "de-DE"}}, context={"locale": "en-GB"})

    assert journey.message["context"] == {"locale": "de-DE"}


@pytest.mark.rule("segment.batch.merge")
def test_a_setting_lets_the_batchs_key_win(make_segment):
    segment = make_segment(batch_merge="batch")

    [journey] = segment.batch({**TRACK, "context": {"locale": "de-DE", "ip": "::1"}}, context={"locale": "en-GB"})

    assert journey.message["context"] == {"locale": "en-GB", "ip": "::1"}


@pytest.mark.rule("segment.batch.merge", "segment.integrations")
def test_the_batchs_integrations_select_destinations_for_every_item(segment):
    blocked, allowed = segment.batch(TRACK, {**TRACK, "integrations": {"Statsig": True}}, integrations={"All": False})

    assert blocked.deliveries[0].outcome == "dropped"
    assert allowed.message["integrations"] == {"All": False, "Statsig": True}
    assert allowed.deliveries[0].outcome == "delivered"


@pytest.mark.rule("segment.batch.merge")
def test_nothing_else_of_the_batch_reaches_its_items(segment):
    [journey] = segment.batch(TRACK, writeKey="wk_web", name="Home", properties={"plan": "pro"})

    assert {"writeKey", "name", "properties", "batch"} & set(journey.message) == set()


@pytest.mark.rule("segment.batch.merge")
def test_the_call_is_kept_as_it_came(segment):
    [journey] = segment.batch(TRACK, context={"ip": "203.0.113.7"})

    assert journey.call == TRACK
