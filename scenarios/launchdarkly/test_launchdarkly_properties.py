"""What holds for every Segment call that ingest accepts, through Segment's own mappings into LaunchDarkly."""

from __future__ import annotations

import copy
import math
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackside import catalog
from trackside.launchdarkly.mapping import kept_event
from trackside.rules import RULES
from trackside.segment.actions import ActionResult, compile_destination
from trackside.segment.ingest import Envelope, open_call
from trackside.segment.settings import SegmentSettings
from trackside.steps import Message

quick = settings(max_examples=100, deadline=None)

RECEIVED = 1_767_600_000.0
CLIENT_SIDE_ID = "57be1db38b75bf0772d11384"
send = compile_destination("actions-launchdarkly", {"client_id": CLIENT_SIDE_ID}, None)

NESTED = [[], {}, [None], {"": {"a": [1, "x"]}}]
ODD = [None, True, False, 0, -1, 2**63, 0.1, 1e-7, 1e300, "", " ", "9.99", "$9.99", "null", "\u4e70\U0001f600", *NESTED]
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.sampled_from(ODD) | st.sampled_from(ODD) | st.text(max_size=20) | NUMBERS
JSON = VALUES | VALUES | st.lists(VALUES, max_size=3) | st.dictionaries(st.text(max_size=3), VALUES, max_size=2)
IDS = st.sampled_from(["u-1", " u-1 "]) | st.text(min_size=1, max_size=20)
NAMES = st.sampled_from(["Order Completed", " blanks ", "ORDER"]) | st.text(min_size=1, max_size=20)
TIMES = (
    st.sampled_from(["2026-01-05T09:00:00Z", "2026-01-05 10:00:00.123456+01:00", "yesterday", 1_767_600_000_123]) | JSON
)
KEYS = ["value", "revenue", "plan"]
PROPERTIES = st.none() | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), JSON, max_size=4)
CONTEXTS = JSON | st.fixed_dictionaries({}, optional={"personas": JSON, "traits": JSON})
OPTIONAL = {
    "userId": st.none() | IDS,
    "traits": PROPERTIES,
    "previousId": JSON,
    "context": CONTEXTS,
    "timestamp": TIMES,
}


def calls(*kinds: str) -> st.SearchStrategy[Message]:
    """Return calls of these types that ingest accepts; nearly everything else about them is odd."""
    fields = {
        "type": st.sampled_from(kinds),
        "event": NAMES,
        "name": st.none() | NAMES,
        "anonymousId": IDS,
        "properties": PROPERTIES,
    }
    return st.fixed_dictionaries(fields, optional=OPTIONAL)


CALLS = calls("track", "track", "page", "screen", "group", "identify", "alias")


def accepted(call: Message) -> Message:
    """Return the message that destinations get of a call."""
    message = open_call(call, 0, Envelope(RECEIVED, "", "web", "made"), SegmentSettings()).message
    assert message is not None
    return message


def results(call: Message) -> list[ActionResult]:
    return send(accepted(call), RECEIVED)


def posted(call: Message) -> list[Any]:
    """Return the bodies that Segment posts of a call."""
    return [orjson.loads(result.outgoing.body) for result in results(call) if result.outgoing]


@pytest.mark.rule("launchdarkly.in.mapping-enabled", "launchdarkly.in.metric-value", "launchdarkly.in.context-key")
@quick
@given(CALLS)
def test_a_mapping_that_takes_a_call_sends_one_request_or_drops_it_by_a_rule_that_exists(call: Message) -> None:
    for result in results(call):
        assert {step.rule for step in result.steps} <= set(RULES)
        dropped = [step for step in result.steps if step.kind == "drop"]
        assert bool(result.outgoing) != bool(dropped) or not result.matched


@quick
@given(CALLS)
def test_the_call_is_left_as_it_came(call: Message) -> None:
    message = accepted(call)
    before = copy.deepcopy(message)
    send(message, RECEIVED)
    assert message == before


@quick
@given(CALLS)
def test_every_finding_says_where_and_what_to_do(call: Message) -> None:
    for step in (step for result in results(call) for step in result.steps):
        if step.level in ("error", "warning"):
            assert step.text
            assert step.at
            assert step.fix


@pytest.mark.rule("launchdarkly.contract")
@quick
@given(CALLS)
def test_every_request_keeps_its_contract_where_the_ids_are_text(call: Message) -> None:
    for body in posted({**call, "previousId": "a-1"}):
        assert catalog.faults("launchdarkly/segment-events", body) == []


@pytest.mark.rule("launchdarkly.contract", "launchdarkly.events.required-field", "launchdarkly.events.context")
@quick
@given(CALLS)
def test_launchdarkly_keeps_every_event_that_segment_sends_of_ids_that_are_text(call: Message) -> None:
    for body in posted({**call, "previousId": "a-1"}):
        for index, event in enumerate(body):
            (record,) = kept_event(event, index, "production").records
            assert catalog.faults("launchdarkly/event", record) == []


@pytest.mark.rule("launchdarkly.in.event-key-exact")
@quick
@given(st.text(min_size=1))
def test_the_event_key_is_the_events_name_to_the_letter(name: str) -> None:
    ((event,),) = posted({"type": "track", "event": name, "userId": "u-1"})
    assert event["key"] == name


@pytest.mark.rule("launchdarkly.in.context-key", "launchdarkly.in.additional-context-keys")
@quick
@given(st.none() | IDS, IDS)
def test_the_context_keys_are_the_calls_ids(user_id: str | None, anonymous_id: str) -> None:
    ((event,),) = posted({"type": "track", "event": "A", "userId": user_id, "anonymousId": anonymous_id})
    assert event["contextKeys"] == {"user": user_id or anonymous_id, "unauthenticatedUser": anonymous_id}


@pytest.mark.rule("launchdarkly.in.metric-value")
@quick
@given(calls("track"))
def test_a_metric_value_is_a_finite_number(call: Message) -> None:
    for event in (event for body in posted(call) for event in body):
        value = event.get("metricValue", 0)
        assert type(value) in (int, float)
        assert math.isfinite(value)


@pytest.mark.rule("launchdarkly.in.identify")
@quick
@given(calls("identify", "alias"))
def test_what_identify_and_alias_calls_become_counts_in_no_metric(call: Message) -> None:
    for event in (event for body in posted(call) for event in body):
        assert {record["effect"] for record in kept_event(event, 0, "production").records} <= {"none"}


@pytest.mark.rule("launchdarkly.in.other-calls")
@quick
@given(calls("page", "screen", "group"))
def test_nothing_is_sent_of_page_screen_and_group_calls(call: Message) -> None:
    assert posted(call) == []
