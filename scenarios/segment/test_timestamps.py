"""The four times of a message, and context.ip. Every request is received at 2026-01-02T03:00:00Z."""

import pytest

RECEIVED = "2026-01-02T03:00:00.000Z"


def times_of(journey):
    names = ("timestamp", "originalTimestamp", "sentAt", "receivedAt")
    return {name: journey.message[name] for name in names}


@pytest.mark.rule("segment.timestamp")
def test_a_wrong_client_clock_does_no_harm(segment):
    # Sent one second after it happened by a clock that is seven hours behind.
    journey = segment.send(
        "track", userId="u-1", event="E", timestamp="2026-01-01T20:04:05.678Z", sentAt="2026-01-01T20:04:06.678Z"
    )

    assert times_of(journey) == {
        "timestamp": "2026-01-02T02:59:59.000Z",
        "originalTimestamp": "2026-01-01T20:04:05.678Z",
        "sentAt": "2026-01-01T20:04:06.678Z",
        "receivedAt": RECEIVED,
    }


@pytest.mark.rule("segment.timestamp")
def test_an_imported_event_stays_in_the_past(segment):
    journey = segment.send("track", userId="u-1", event="E", timestamp="2024-01-02T03:04:05Z", sentAt=RECEIVED)

    assert journey.message["timestamp"] == "2024-01-02T03:04:05.000Z"


@pytest.mark.rule("segment.timestamp")
def test_a_client_that_lies_can_reach_the_future(segment):
    journey = segment.send("track", userId="u-1", event="E", timestamp="2026-01-03T03:00:00Z", sentAt=RECEIVED)

    assert journey.message["timestamp"] == "2026-01-03T03:00:00.000Z"


@pytest.mark.rule("segment.timestamp")
def test_without_a_timestamp_it_is_the_time_of_receipt(segment):
    times = times_of(segment.send("track", userId="u-1", event="E"))

    assert (times["timestamp"], times["originalTimestamp"]) == (RECEIVED, None)


@pytest.mark.rule("segment.timestamp")
def test_without_sent_at_the_timestamp_stays(segment):
    journey = segment.send("track", userId="u-1", event="E", timestamp="2025-12-31T23:59:59.123Z")

    assert journey.message["timestamp"] == "2025-12-31T23:59:59.123Z"


@pytest.mark.rule("segment.timestamp.number")
def test_a_number_is_read_as_epoch_milliseconds_with_a_note(segment):
    journey = segment.send("track", userId="u-1", event="E", timestamp=1714557600123)

    [step] = [step for step in journey.steps if step.rule == "segment.timestamp.number"]
    assert (journey.message["timestamp"], step.level) == ("2024-05-01T10:00:00.123Z", "note")


@pytest.mark.rule("segment.timestamp.number")
def test_epoch_seconds_land_near_1970_with_a_warning(segment):
    journey = segment.send("track", userId="u-1", event="E", timestamp=1714557600)

    [step] = [step for step in journey.steps if step.rule == "segment.timestamp.number"]
    assert (journey.message["timestamp"], step.level) == ("1970-01-20T20:15:57.600Z", "warning")


@pytest.mark.rule("segment.timestamp.unreadable")
def test_a_moment_beyond_the_year_9999_cannot_be_read(segment):
    journey = segment.send("track", userId="u-1", event="E", timestamp=8_000_000_000_000_000)

    assert journey.message["timestamp"] == RECEIVED
    assert [step.rule for step in journey.steps if step.level] == ["segment.timestamp.unreadable"]


@pytest.mark.rule("segment.timestamp")
def test_sent_at_of_a_batch_counts_for_its_items(segment):
    [journey] = segment.batch(
        {"type": "track", "userId": "u-1", "event": "E", "timestamp": "2026-01-02T01:59:50Z"},
        sentAt="2026-01-02T02:00:00Z",
    )

    assert journey.message["timestamp"] == "2026-01-02T02:59:50.000Z"
    assert journey.message["sentAt"] == "2026-01-02T02:00:00Z"


@pytest.mark.rule("segment.timestamp")
@pytest.mark.parametrize("own", ["2026-01-02T03:00:00Z", None])
def test_an_items_own_sent_at_comes_first_unless_it_is_null(segment, own):
    item = {"type": "track", "userId": "u-1", "event": "E", "timestamp": "2026-01-02T01:59:50Z", "sentAt": own}

    [journey] = segment.batch(item, sentAt="2026-01-02T02:00:00Z")

    assert journey.message["timestamp"] == ("2026-01-02T01:59:50.000Z" if own else "2026-01-02T02:59:50.000Z")


@pytest.mark.rule("segment.timestamp")
@pytest.mark.parametrize(
    "timestamp",
    ["2026-01-02T04:04:05.678+01:00", "2026-01-02T03:04:05.678000+00:00", 1767323045678, "2026-01-02 03:04:05.678"],
    ids=["an offset", "microseconds", "epoch milliseconds", "a blank and no zone"],
)
def test_what_sdks_and_vendors_write_is_read_and_delivered_in_utc(segment, timestamp):
    journey = segment.send("track", userId="u-1", event="E", timestamp=timestamp)

    assert journey.message["timestamp"] == "2026-01-02T03:04:05.678Z"
    assert journey.message["originalTimestamp"] == timestamp


@pytest.mark.rule("segment.timestamp")
def test_a_clock_that_is_a_minute_off_is_noted(segment):
    journey = segment.send("track", userId="u-1", event="E", timestamp=RECEIVED, sentAt="2026-01-02T02:58:00Z")

    [note] = [step for step in journey.steps if step.rule == "segment.timestamp"]
    assert note.text == "the client's clock is +120 s off; timestamp was moved by as much"
    assert note.level == "note"


@pytest.mark.rule("segment.timestamp.unreadable")
@pytest.mark.parametrize("timestamp", ["yesterday", "1767322805678", True, "2026-13-01T00:00:00Z", []])
def test_a_timestamp_that_cannot_be_read_is_replaced_by_the_time_of_receipt(segment, timestamp):
    journey = segment.send("track", userId="u-1", event="E", timestamp=timestamp)

    assert journey.message["timestamp"] == RECEIVED
    assert journey.message["originalTimestamp"] == timestamp
    [step] = [step for step in journey.steps if step.rule == "segment.timestamp.unreadable"]
    assert (step.kind, step.level, step.at) == ("assumed", "warning", "$.timestamp")


@pytest.mark.rule("segment.timestamp.unreadable")
def test_a_time_beyond_the_year_9999_does_no_harm(segment):
    journey = segment.send("track", userId="u-1", event="E", timestamp=10**18)

    assert journey.message["timestamp"] == RECEIVED


# ---- context.ip

BROWSER = {"library": {"name": "analytics.js", "version": "npm:next-1.84.3"}}


@pytest.mark.rule("segment.context.ip")
def test_a_client_side_event_gets_the_address_of_its_connection(segment):
    journey = segment.send("track", userId="u-1", event="E", context=BROWSER)

    assert journey.message["context"] == {**BROWSER, "ip": "127.0.0.1"}


@pytest.mark.rule("segment.context.ip")
def test_behind_a_proxy_it_is_the_address_that_the_proxy_names(segment):
    body = {"userId": "u-1", "event": "E", "messageId": "m-1", "context": BROWSER}

    segment.post("/v1/track", body, x_forwarded_for="203.0.113.7, 10.0.0.1")

    assert segment.lab.journey("m-1").message["context"]["ip"] == "203.0.113.7"


@pytest.mark.rule("segment.context.ip")
def test_an_ipv6_address_is_not_filled_in(segment):
    body = {"userId": "u-1", "event": "E", "messageId": "m-1", "context": BROWSER}

    segment.post("/v1/track", body, x_forwarded_for="2001:db8::7")

    assert "ip" not in segment.lab.journey("m-1").message["context"]


@pytest.mark.rule("segment.context.ip")
def test_a_server_side_event_gets_it_only_where_it_asks(segment):
    plain = segment.send("track", userId="u-1", event="E", context={"library": {"name": "analytics-python"}})
    asking = segment.send("track", userId="u-1", event="E", context={"direct": True})

    assert "ip" not in plain.message["context"]
    assert asking.message["context"]["ip"] == "127.0.0.1"


@pytest.mark.rule("segment.context.ip")
def test_an_address_that_is_there_stays(segment):
    journey = segment.send("track", userId="u-1", event="E", context={**BROWSER, "ip": "198.51.100.1"})

    assert journey.message["context"]["ip"] == "198.51.100.1"


@pytest.mark.rule("segment.context.ip")
def test_a_setting_fills_no_address(make_segment):
    journey = make_segment(server_ip=False).send("track", userId="u-1", event="E", context=BROWSER)

    assert journey.message["context"] == BROWSER
