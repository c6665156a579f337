"""Segment's own limits: what is one byte below them is taken, what is one byte above them is not."""

import gzip
import json

import pytest

from trackside.segment.ingest import Envelope, open_call
from trackside.segment.settings import SegmentSettings

KB = 1024


def sized(bytes_, **call):
    """Return a call as JSON of exactly so many bytes."""
    call = {"messageId": "m-1", "userId": "u-1", "event": "Order Completed", "properties": {"fill": ""}, **call}
    empty = len(json.dumps(call).encode())
    call["properties"]["fill"] = "x" * (bytes_ - empty)
    return json.dumps(call).encode()


def nested(levels):
    return '{"a":' * levels + "1" + "}" * levels


# ---- 32 KB a call


@pytest.mark.rule("segment.limit.event-size")
def test_a_call_of_32_kb_is_taken(segment):
    assert segment.post("/v1/track", sized(32 * KB)).status == 200
    assert segment.lab.journey("m-1").outcome == "accepted"


@pytest.mark.rule("segment.limit.event-size")
def test_a_call_of_one_byte_more_is_answered_400(segment):
    answer = segment.post("/v1/track", sized(32 * KB + 1))

    assert answer.status == 400
    assert json.loads(answer.body)["message"] == "the request has 32769 bytes, the limit is 32768"


@pytest.mark.rule("segment.limit.event-size")
def test_a_kb_may_be_set_to_1000_bytes(make_segment):
    segment = make_segment(kilobyte=1000)

    assert segment.post("/v1/track", sized(32_000)).status == 200
    assert segment.post("/v1/track", sized(32_001)).status == 400


@pytest.mark.rule("segment.limit.event-size-in-batch")
def test_a_call_over_32_kb_inside_a_batch_is_discarded_behind_the_200_and_the_others_are_taken(segment):
    large = json.loads(sized(33 * KB, type="track", messageId="m-large"))

    large, small = segment.batch(large, {"type": "track", "userId": "u-1", "event": "Small"})

    assert segment.exchange().status == 200
    assert (large.outcome, large.steps[-1].code) == ("discarded", "event_too_large")
    assert large.steps[-1].rule == "segment.limit.event-size-in-batch"
    assert small.outcome == "accepted"


# ---- 500 KB and 2,500 events a batch


def batch_of(bytes_):
    """Return a batch of calls below 32 KB that has exactly so many bytes."""
    calls = [{"type": "track", "userId": "u-1", "event": "E", "properties": {"fill": "x" * 30_000}} for _ in range(17)]
    empty = len(json.dumps({"batch": calls})) - 30_000
    calls[-1]["properties"]["fill"] = "x" * (bytes_ - empty)
    return json.dumps({"batch": calls}).encode()


@pytest.mark.rule("segment.limit.batch-size")
def test_a_batch_of_500_kb_is_taken(segment):
    assert segment.post("/v1/batch", batch_of(500 * KB)).status == 200
    assert {journey.outcome for journey in segment.lab.journeys()} == {"accepted"}


@pytest.mark.rule("segment.limit.batch-size")
def test_a_batch_of_one_byte_more_is_answered_400(segment):
    answer = segment.post("/v1/batch", batch_of(500 * KB + 1))

    assert answer.status == 400
    assert segment.exchange().steps[0].rule == "segment.limit.batch-size"


@pytest.mark.rule("segment.limit.batch-size")
def test_a_batch_of_1000_byte_kb_ends_at_500000_bytes(make_segment):
    segment = make_segment(kilobyte=1000)

    assert segment.post("/v1/batch", batch_of(500_000)).status == 200
    assert segment.post("/v1/batch", batch_of(500_001)).status == 400


@pytest.mark.rule("segment.limit.batch-size")
def test_the_size_counts_before_compression(trackside, http_call):
    body = gzip.compress(json.dumps({"writeKey": "wk_web", "batch": ["x" * 600_000]}).encode())
    assert len(body) < 2_000

    status, _, _ = http_call("POST", f"{trackside.segment.url}/v1/batch", body, {"Content-Encoding": "gzip"})

    assert status == 400


@pytest.mark.rule("segment.limit.batch-events")
def test_a_batch_of_2500_events_is_taken(make_segment):
    segment = make_segment(sources={"web": {"write_key": "wk_web"}})

    journeys = segment.batch(*[{"type": "track", "userId": "u-1", "event": "E"}] * 2_500)

    assert {journey.outcome for journey in journeys} == {"accepted"}


@pytest.mark.rule("segment.limit.batch-events")
def test_the_events_after_the_2500th_are_rejected_behind_the_200(make_segment):
    segment = make_segment(sources={"web": {"write_key": "wk_web"}})

    journeys = segment.batch(*[{"type": "track", "userId": "u-1", "event": "E"}] * 2_501)

    assert segment.exchange().status == 200
    assert [journey.index for journey in journeys if journey.outcome == "discarded"] == [2_500]
    assert journeys[2_500].steps[-1].rule == "segment.limit.batch-events"


@pytest.mark.rule("segment.limit.batch-events", "segment.dedup")
def test_a_rejected_event_may_come_again_under_its_message_id(make_segment):
    segment = make_segment(sources={"web": {"write_key": "wk_web"}})
    filling = [{"type": "track", "userId": "u-1", "event": "E"}] * 2_500
    segment.batch(*filling, {"type": "track", "userId": "u-1", "event": "Late", "messageId": "m-late"})

    assert segment.send("track", userId="u-1", event="Late", messageId="m-late").outcome == "accepted"


# ---- messageId, properties, depth


@pytest.mark.rule("segment.limit.message-id")
def test_a_message_id_of_100_characters_is_taken(segment):
    assert segment.send("track", userId="u-1", event="E", messageId="m" * 100).outcome == "accepted"


@pytest.mark.rule("segment.limit.message-id")
def test_a_call_with_a_longer_message_id_is_discarded(segment):
    journey = segment.send("track", userId="u-1", event="E", messageId="m" * 101)

    assert (journey.outcome, journey.steps[-1].code) == ("discarded", "message_id_too_long")


@pytest.mark.rule("segment.limit.message-id")
def test_a_setting_keeps_calls_with_a_longer_message_id(make_segment):
    journey = make_segment(long_message_id="keep").send("track", userId="u-1", event="E", messageId="m" * 101)

    assert journey.message["messageId"] == "m" * 101


@pytest.mark.rule("segment.limit.properties")
@pytest.mark.parametrize(("kind", "name"), [("track", "properties"), ("identify", "traits")])
def test_what_is_over_10000_properties_is_left_out(kind, name):
    many = {f"p{number}": 1 for number in range(10_001)}  # more than fit into 32 KB, so only the function shows it

    opened = open_call({"userId": "u-1", "event": "E", name: many}, 0, Envelope(0, kind, "web"), SegmentSettings())

    assert list(opened.message[name]) == [f"p{number}" for number in range(10_000)]
    assert (opened.steps[-1].kind, opened.steps[-1].rule) == ("cut", "segment.limit.properties")


@pytest.mark.rule("segment.limit.depth")
def test_a_call_of_254_levels_is_taken(segment):
    answer = segment.post("/v1/track", f'{{"userId": "u-1", "event": "E", "properties": {nested(253)}}}'.encode())

    assert answer.status == 200
    assert [journey.outcome for journey in segment.lab.journeys()] == ["accepted"]


@pytest.mark.rule("segment.limit.depth")
def test_a_call_of_more_levels_is_discarded(segment):
    segment.post("/v1/track", f'{{"userId": "u-1", "event": "E", "properties": {nested(254)}}}'.encode())

    [journey] = segment.lab.journeys()
    assert (journey.outcome, journey.steps[-1].code) == ("discarded", "nested_too_deeply")


@pytest.mark.rule("segment.limit.depth")
def test_a_batch_whose_own_context_has_more_levels_is_answered_400(segment):
    answer = segment.post("/v1/batch", f'{{"context": {nested(254)}, "batch": []}}'.encode())

    assert answer.status == 400
