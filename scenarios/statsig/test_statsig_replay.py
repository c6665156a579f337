"""History that Segment replays to Statsig: with its own timestamps, up to seven days back."""

import pytest

from trackside.wire import Request

NOW = 1767322800.0
"""2026-01-02T03:00:00Z."""

DAY = 86_400


@pytest.fixture
def make_lab(new_lab):
    """Return a function from settings of the incoming side to a lab whose source does not feed Statsig yet."""

    def make(**inbound):
        destinations = {"statsig": {"type": "statsig", "api_key": "secret-local"}}
        segment = {"sources": {"web": {"write_key": "wk_web"}}, "destinations": destinations}
        return new_lab({"segment": segment, "statsig": {"server_secret": "secret-local", "segment_inbound": inbound}})

    return make


def send(lab, event, timestamp=None):
    at = f', "timestamp": "{timestamp}"' if timestamp else ""
    body = f'{{"writeKey": "wk_web", "messageId": "m-{event}", "userId": "u-1", "event": "{event}"{at}}}'
    lab.receive("segment", Request("POST", "/v1/track", {}, body.encode()))


@pytest.mark.rule("statsig.in.replay")
def test_a_replayed_event_keeps_its_own_timestamp(make_lab):
    lab = make_lab()
    send(lab, "A")
    lab.advance(3 * DAY)

    lab.segment.replay("statsig")

    [record] = lab.statsig.events()
    assert (record["eventName"], record["time"]) == ("segment::A", 1767322800000)


@pytest.mark.rule("statsig.in.replay")
def test_events_over_seven_days_back_are_dropped_with_the_reason(make_lab):
    lab = make_lab()
    send(lab, "Old")
    lab.advance(DAY)
    send(lab, "New")
    lab.advance(7 * DAY)

    replayed = lab.segment.replay("statsig")

    assert [record["eventName"] for record in lab.statsig.events()] == ["segment::New"]
    [dropped] = replayed.dropped
    assert (dropped.message_id, dropped.why.rule, dropped.why.at) == ("m-Old", "statsig.in.replay", "$.timestamp")
    assert dropped.why.text == (
        'the timestamp "2026-01-02T03:00:00.000Z" lies over 7 days back: Statsig takes no replayed event so old'
    )
    assert [(finding.vendor, finding.step.rule) for finding in lab.findings()] == [("statsig", "statsig.in.replay")]


@pytest.mark.rule("statsig.in.replay")
def test_the_limit_is_by_the_timestamp_and_not_by_the_receipt(make_lab):
    lab = make_lab()
    send(lab, "A", "2025-12-20T00:00:00Z")

    assert lab.segment.replay("statsig").delivered == 0


@pytest.mark.rule("statsig.in.replay")
@pytest.mark.parametrize(("days", "delivered"), [(30, 1), (0.5, 0)])
def test_the_days_are_a_setting(make_lab, days, delivered):
    lab = make_lab(replay_days=days)
    send(lab, "A", "2026-01-01T00:00:00Z")
    lab.advance(10 * DAY)

    assert lab.segment.replay("statsig").delivered == delivered


@pytest.mark.rule("statsig.in.replay")
def test_an_old_event_that_is_no_replay_is_taken(make_lab):
    lab = make_lab()
    event = {"type": "track", "event": "A", "userId": "u-1", "timestamp": "2020-01-01T00:00:00Z"}

    assert lab.segment.test_event("statsig", event).outcome == "delivered"
