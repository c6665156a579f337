"""What holds for every Segment call that ingest accepts, whatever is in it, on its way into a Statsig event."""

from __future__ import annotations

import copy
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackside import catalog
from trackside.rules import RULES
from trackside.segment.ingest import Envelope, open_call
from trackside.segment.settings import SegmentSettings
from trackside.statsig.mapping import segment_event
from trackside.statsig.settings import SegmentInbound, StatsigSettings
from trackside.steps import Mapped, Message

quick = settings(max_examples=100, deadline=None)

RECEIVED = 1_767_600_000.0

NESTED = [
    [],
    {},
    [None],
    {"": {"a": [1, "x"]}},
    ["companyID", "c-1", "planID"],
    ["companyID", {}, 5, 6, "", 7, "companyID", 8],
]
ODD = [None, True, False, 0, -1, 2**63, 0.1, 1e-7, 1e300, "", " ", "null", "a" * 65, "\u4e70\U0001f600\x00", *NESTED]
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.sampled_from(ODD) | st.sampled_from(ODD) | st.text(max_size=20) | NUMBERS
JSON = VALUES | VALUES | st.lists(VALUES, max_size=3) | st.dictionaries(st.text(max_size=3), VALUES, max_size=2)
IDS = st.sampled_from(["u-1", "a" * 65, " "]) | st.text(min_size=1, max_size=70)
NAMES = st.sampled_from(["Order Completed", "a{b}", "50% off", "R&D", "line\nbreak", "segment::twice", " "]) | st.text(
    min_size=1
)
TIMES = (
    st.sampled_from(["2026-01-05T09:00:00Z", "2026-01-05 10:00:00.123456+01:00", "yesterday", 1_767_600_000_123]) | JSON
)
KEYS = ["value", "revenue", "plan", "statsigCustomIDs", "statsigCustom", "statsigEnvironment"]
TIERS = st.fixed_dictionaries({"tier": VALUES})
PROPERTIES = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), JSON | TIERS, min_size=2, max_size=6)
CONTEXTS = JSON | st.fixed_dictionaries({}, optional={"ip": JSON, "locale": JSON, "userAgent": JSON})
OPTIONAL = {"userId": st.none() | IDS, "traits": PROPERTIES, "context": CONTEXTS, "timestamp": TIMES, "userID": JSON}


def calls(*kinds: str) -> st.SearchStrategy[Message]:
    """Return calls of these types that ingest accepts; nearly everything else about them is odd."""
    fields = {
        "type": st.sampled_from(kinds),
        "event": NAMES,
        "name": st.none() | NAMES,
        "anonymousId": IDS,
        "properties": st.none() | PROPERTIES | PROPERTIES,
    }
    return st.fixed_dictionaries(fields, optional=OPTIONAL)


CALLS = calls("track", "page", "screen", "group", "identify", "alias")
EVENTS = calls("track", "page", "screen", "group")
INBOUNDS = st.builds(
    SegmentInbound,
    map_identifiers=st.just({"anonymousId": "segmentAnonymousId", "context.ip": "address"}),
    unnamed=st.sampled_from(["type", "drop"]),
    group_traits=st.booleans(),
    keep_statsig_properties=st.booleans(),
    nested_properties=st.sampled_from(["json", "omit"]),
    null_properties=st.sampled_from(["omit", "text"]),
    value_property=st.sampled_from(["", "value", "revenue"]),
    names=st.sampled_from(["current", "older"]),
)


def accepted(call: Message) -> Message:
    """Return the message that destinations get of a call."""
    message = open_call(call, 0, Envelope(RECEIVED, "", "web", "made"), SegmentSettings()).message
    assert message is not None
    return message


def mapped(message: Message, inbound: SegmentInbound | None = None) -> Mapped:
    return segment_event(message, StatsigSettings(segment_inbound=inbound or SegmentInbound()), RECEIVED)


@pytest.mark.rule("statsig.in.types", "statsig.in.unsupported", "statsig.in.event-name.missing")
@quick
@given(CALLS, INBOUNDS)
def test_every_call_makes_one_event_or_is_dropped_by_a_rule_that_exists(call: Message, inbound: SegmentInbound) -> None:
    made = mapped(accepted(call), inbound)
    assert len(made.records) <= 1
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
def test_the_same_call_makes_the_same_event(call: Message, inbound: SegmentInbound) -> None:
    message = accepted(call)
    assert mapped(message, inbound) == mapped(message, inbound)


@quick
@given(CALLS, INBOUNDS)
def test_every_finding_says_where_and_what_to_do(call: Message, inbound: SegmentInbound) -> None:
    for step in mapped(accepted(call), inbound).steps:
        if step.level in ("error", "warning"):
            assert step.text
            assert step.at
            assert step.fix


@pytest.mark.rule("statsig.contract")
@quick
@given(EVENTS, INBOUNDS)
def test_every_event_keeps_its_contract(call: Message, inbound: SegmentInbound) -> None:
    for record in mapped(accepted(call), inbound).records:
        assert catalog.faults("statsig/event", record) == []


@pytest.mark.rule("statsig.in.metadata", "statsig.in.metadata.nested", "statsig.in.metadata.null")
@quick
@given(EVENTS, INBOUNDS)
def test_every_value_of_the_metadata_is_text(call: Message, inbound: SegmentInbound) -> None:
    for record in mapped(accepted(call), inbound).records:
        assert {type(value) for value in record["metadata"].values()} <= {str}


@pytest.mark.rule("statsig.in.prefix", "statsig.in.name-characters")
@quick
@given(calls("track"))
def test_a_track_call_keeps_its_own_name_behind_the_prefix_unless_statsig_forbids_it(call: Message) -> None:
    message = accepted(call)
    forbidden = set(message["event"]) & set("\\[]{}<>#=;&$%|\0\n\r")
    expected = [] if forbidden else [f"segment::{message['event']}"]
    assert [record["eventName"] for record in mapped(message).records] == expected


@pytest.mark.rule("statsig.in.user-id")
@quick
@given(EVENTS)
def test_the_user_id_is_segments_own(call: Message) -> None:
    message = accepted({**call, "userId": "user-1"})
    assert {record["user"]["userID"] for record in mapped(message).records} <= {"user-1"}


@pytest.mark.rule("statsig.in.custom-ids", "statsig.in.id-text")
@quick
@given(EVENTS, INBOUNDS)
def test_every_id_is_text_that_is_not_empty(call: Message, inbound: SegmentInbound) -> None:
    for record in mapped(accepted(call), inbound).records:
        ids: list[Any] = [*record["user"].get("customIDs", {}).values(), record["user"].get("userID", "none")]
        assert all(isinstance(one, str) and one for one in ids)


@pytest.mark.rule("statsig.in.time")
@quick
@given(EVENTS)
def test_the_time_is_that_of_the_message(call: Message) -> None:
    message = accepted(call)
    moment = datetime.strptime(message["timestamp"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    since = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
    milliseconds = (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
    assert [record["time"] for record in mapped(message).records] in ([], [milliseconds])
