"""One fault is told once, where it began; what the user set up himself is no finding."""

import pytest

DESTINATIONS = {
    "statsig": {"type": "statsig", "api_key": "secret-local"},
    "fme": {"type": "split", "api_key": "fme-key"},
}
VENDORS = {
    "statsig": {"server_secret": "secret-local"},
    "split": {
        "environments": {"production": {}},
        "segment_inbound": [{"api_key": "fme-key", "environment": "production"}],
    },
}


@pytest.fixture
def two_vendors(make_segment):
    """Return a function that makes a Segment whose source feeds Statsig and Split; it takes more of Statsig's block."""

    def make(**statsig):
        sources = {"web": {"write_key": "wk_web", "destinations": list(DESTINATIONS)}}
        vendors = {**VENDORS, "statsig": {**VENDORS["statsig"], **statsig}}
        return make_segment(vendors, sources=sources, destinations=DESTINATIONS)

    return make


def errors(segment):
    return [(found.step.rule, found.step.at) for found in segment.lab.findings() if found.step.level == "error"]


@pytest.mark.rule("segment.contract", "segment.timestamp.unreadable")
def test_an_unreadable_timestamp_is_no_fault_of_the_original_timestamp_that_destinations_get(two_vendors):
    segment = two_vendors()
    segment.send("track", userId="u-1", event="E", timestamp="yesterday")

    assert errors(segment) == [("segment.contract", "$.timestamp")]


@pytest.mark.rule("segment.contract", "segment.batch.merge")
def test_a_fault_in_what_a_batch_gives_its_items_is_told_of_the_batch_only(two_vendors):
    segment = two_vendors()
    call = {"type": "track", "userId": "u-1", "event": "E"}
    segment.batch(call, call, sentAt="just now", context={"locale": 7})

    assert sorted(errors(segment)) == [("segment.contract", "$.context.locale"), ("segment.contract", "$.sentAt")]


@pytest.mark.rule("statsig.in.enabled", "segment.delivery.refused")
def test_an_integration_that_the_user_switched_off_refuses_without_a_finding(two_vendors):
    segment = two_vendors(segment_inbound={"enabled": False})
    journey = segment.send("track", userId="u-1", event="E")

    assert journey.delivery("statsig").outcome == "failed"
    assert list(segment.lab.findings()) == []


@pytest.mark.rule("launchdarkly.in.identify")
@pytest.mark.parametrize(
    ("kind", "call"),
    [("identify", {"anonymousId": "a-1"}), ("alias", {"previousId": "a-1"})],
    ids=["identify", "alias"],
)
def test_that_an_alias_event_is_without_effect_is_told_once(make_segment, kind, call):
    segment = make_segment(
        {"launchdarkly": {"environments": {"production": {"client_side_id": "ld-client-side-id"}}}},
        sources={"web": {"write_key": "wk_web", "destinations": ["ld"]}},
        destinations={"ld": {"type": "launchdarkly", "client_side_id": "ld-client-side-id"}},
    )
    journey = segment.send(kind, userId="u-1", **call)

    assert [step.rule for _, step in journey.all_steps()].count("launchdarkly.in.identify") == 1
