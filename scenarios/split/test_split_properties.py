"""What holds for every Segment call that ingest accepts, whatever is in it, on its way into FME."""

from __future__ import annotations

import copy
import math
from datetime import datetime, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackside import catalog
from trackside.rules import RULES
from trackside.segment.ingest import Envelope, open_call
from trackside.segment.settings import SegmentSettings
from trackside.split.mapping import segment_call
from trackside.split.settings import SegmentInbound, SplitSettings
from trackside.steps import Mapped, Message

quick = settings(max_examples=100, deadline=None)

RECEIVED = 1_767_600_000.0
PLAIN = SegmentInbound("fme-key", environment="production")
SETTINGS = SplitSettings(traffic_types=("user", "anonymous", "account"))

PAIRS = [
    [{"account": "a-1"}],
    [{"account": 7}, {"planet": "mars"}, 5],
    {"account": "a-1"},
    {"account": ""},
    {"account": None},
]
NESTED = [[], {}, [None], {"": {"a": [1, "x"]}}, *PAIRS]
ODD = [
    None,
    True,
    False,
    0,
    -1,
    2**63,
    0.1,
    1e-7,
    1e300,
    "",
    " ",
    " x ",
    "9.99",
    "1e999",
    "a" * 257,
    "\u4e70\U0001f600",
    *NESTED,
]
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
LONG = st.integers(253, 259).map(lambda length: "a" * length)
VALUES = st.sampled_from(ODD) | st.sampled_from(ODD) | st.text(max_size=20) | NUMBERS | LONG
JSON = VALUES | VALUES | st.lists(VALUES, max_size=3) | st.dictionaries(st.text(max_size=3), VALUES, max_size=2)
IDS = st.sampled_from(["u-1", "a" * 251, " ", " u-1 "]) | st.text(min_size=1, max_size=20)
NAMES = st.sampled_from(["Order Completed", "a  b", "a" * 64, "a" * 81, "-a", "50% off", "[Exp] a:b.c"]) | st.text(
    min_size=1
)
TIMES = (
    st.sampled_from(["2026-01-05T09:00:00Z", "2026-01-05 10:00:00.123456+01:00", "yesterday", 1_767_600_000_123]) | JSON
)
KEYS = ["value", "revenue", "plan", "split", "eventName"]
PROPERTIES = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), JSON, min_size=2, max_size=6)
OPTIONAL = {"userId": st.none() | IDS, "groupId": JSON, "context": JSON, "timestamp": TIMES}


def calls(*kinds: str) -> st.SearchStrategy[Message]:
    """Return calls of these types that ingest accepts; nearly everything else about them is odd."""
    fields = {
        "type": st.sampled_from(kinds),
        "event": NAMES,
        "name": st.none() | NAMES,
        "anonymousId": IDS,
        "properties": st.none() | PROPERTIES | PROPERTIES,
        "traits": st.none() | PROPERTIES | PROPERTIES,
    }
    return st.fixed_dictionaries(fields, optional=OPTIONAL)


CALLS = calls("track", "page", "screen", "group", "identify", "alias")
INBOUNDS = st.builds(
    SegmentInbound,
    api_key=st.just("fme-key"),
    environment=st.just("production"),
    identities=st.sampled_from(
        [{"userId": "user", "anonymousId": "anonymous"}, {"userId": "user"}, {"anonymousId": "user"}]
    ),
    event_type_id=st.sampled_from(["event", "properties.eventName", "name", "Order Completed"]),
    value=st.sampled_from(["properties.value", "properties.revenue.amount", ""]),
    page_fields=st.booleans(),
    page_case=st.sampled_from(["keep", "lower"]),
    numeric_strings=st.booleans(),
    property_limit=st.sampled_from(["cut", "drop"]),
    object_properties=st.sampled_from(["text", "null"]),
    keep_split=st.booleans(),
    split_shape=st.sampled_from(["any", "documented"]),
    trait_limit=st.sampled_from(["cut", "drop"]),
    group_traffic_type=st.sampled_from(["", "account"]),
)


def accepted(call: Message) -> Message:
    """Return the message that destinations get of a call."""
    message = open_call(call, 0, Envelope(RECEIVED, "", "web", "made"), SegmentSettings()).message
    assert message is not None
    return message


def mapped(message: Message, inbound: SegmentInbound = PLAIN) -> Mapped:
    return segment_call(message, inbound, SETTINGS, RECEIVED)


@pytest.mark.rule("split.in.specs", "split.in.unsupported", "split.in.no-identity", "split.in.event-type-required")
@quick
@given(CALLS, INBOUNDS)
def test_every_call_makes_records_or_is_dropped_by_a_rule_that_exists(call: Message, inbound: SegmentInbound) -> None:
    made = mapped(accepted(call), inbound)
    assert {step.rule for step in made.steps} <= set(RULES)
    if not made.records:
        assert made.dropped is not None


@quick
@given(CALLS, INBOUNDS)
def test_the_call_is_left_as_it_came(call: Message, inbound: SegmentInbound) -> None:
    message = accepted(call)
    before = copy.deepcopy(message)
    mapped(message, inbound)
    assert message == before


@quick
@given(CALLS, INBOUNDS)
def test_every_finding_says_where_and_what_to_do(call: Message, inbound: SegmentInbound) -> None:
    for step in mapped(accepted(call), inbound).steps:
        if step.level in ("error", "warning"):
            assert step.text
            assert step.at
            assert step.fix


@pytest.mark.rule("split.contract")
@quick
@given(CALLS, INBOUNDS)
def test_every_record_keeps_its_contract(call: Message, inbound: SegmentInbound) -> None:
    for record in mapped(accepted(call), inbound).records:
        assert catalog.faults(f"split/{record['kind']}", record) == []


@pytest.mark.rule("split.in.event-type-spaces")
@quick
@given(st.lists(st.sampled_from(["Order", "7", "", "a_b", "v1.2", "x-y"]), max_size=8))
def test_spaces_become_underscores_and_those_stay_as_they_are(words: list[str]) -> None:
    event = " ".join(["A", *words])
    for sent in (event, event.replace(" ", "_")):
        records = mapped(accepted({"type": "track", "event": sent, "userId": "u-1"})).records
        assert [record["eventTypeId"] for record in records] == [event.replace(" ", "_")]


@pytest.mark.rule("split.in.two-identities", "split.in.identity")
@quick
@given(calls("track", "page", "screen"))
def test_every_record_of_a_call_is_the_same_event_for_another_key(call: Message) -> None:
    records = mapped(accepted(call)).records
    rests = [
        {name: value for name, value in record.items() if name not in ("key", "trafficTypeName")} for record in records
    ]
    assert all(rest == rests[0] for rest in rests)
    assert {record["trafficTypeName"] for record in records} <= {"user", "anonymous", "account"}


@pytest.mark.rule("split.in.value")
@quick
@given(CALLS, INBOUNDS)
def test_a_value_is_a_number_or_null(call: Message, inbound: SegmentInbound) -> None:
    for record in mapped(accepted(call), inbound).records:
        value = record.get("value")
        assert value is None or (type(value) in (int, float) and math.isfinite(value))


@pytest.mark.rule("split.in.properties", "split.in.properties.length", "split.in.properties.object")
@quick
@given(calls("track", "page", "screen"), INBOUNDS)
def test_every_property_is_flat_and_within_the_limit(call: Message, inbound: SegmentInbound) -> None:
    for record in mapped(accepted(call), inbound).records:
        for value in record["properties"].values():
            assert type(value) in (str, int, float, bool, type(None))
            assert not isinstance(value, str) or len(value) <= 256


@pytest.mark.rule("split.in.traits", "split.in.traits.text", "split.in.traits.limit")
@quick
@given(calls("identify", "group"), INBOUNDS)
def test_every_attribute_is_text_within_the_limit(call: Message, inbound: SegmentInbound) -> None:
    for record in mapped(accepted(call), inbound).records:
        assert all(isinstance(value, str) and len(value) <= 255 for value in record["values"].values())


@pytest.mark.rule("split.in.timestamp")
@quick
@given(calls("track", "page", "screen"))
def test_the_timestamp_is_that_of_the_message(call: Message) -> None:
    message = accepted(call)
    moment = datetime.strptime(message["timestamp"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    since = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
    milliseconds = (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
    assert {record["timestamp"] for record in mapped(message).records} <= {milliseconds}
