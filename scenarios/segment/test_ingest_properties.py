"""What holds for every call that comes to Segment's ingest, whatever is in it, and for its deduplication window."""

from __future__ import annotations

import copy
import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackside import workspace
from trackside.rules import RULES
from trackside.segment.discards import discard_code
from trackside.segment.ingest import Envelope, Opened, open_call, open_calls
from trackside.segment.routing import NAMES, blocked_by_integrations
from trackside.segment.settings import Dedup, SegmentSettings
from trackside.segment.store import SeenIds
from trackside.steps import Message

quick = settings(max_examples=100, deadline=None)

RECEIVED = 1_767_600_000.5
ENVELOPE = Envelope(RECEIVED, "", "web", "made", remote="203.0.113.9")
SETTINGS = SegmentSettings()
DEMO = workspace.load()

KINDS = ("track", "page", "screen", "group", "identify", "alias")
ODD = [None, True, 0, 2**63, 0.1, "", " ", "a" * 101, "\u4e70\U0001f600", [], {}, [None], {"": {"a": [1, "x"]}}]
VALUES = (
    st.sampled_from(ODD)
    | st.text(max_size=20)
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)
JSON = VALUES | st.lists(VALUES, max_size=3) | st.dictionaries(st.text(max_size=3), VALUES, max_size=2)
TEXT = st.text(min_size=1, max_size=20)
TIMES = st.sampled_from(["2026-01-05T09:00:00Z", "2026-01-05", "yesterday", 1_767_600_000_123, -1e300]) | JSON
FIELDS = {"userId": TEXT | JSON, "anonymousId": TEXT | JSON, "event": TEXT | JSON, "name": TEXT | JSON}
FIELDS |= {"category": JSON, "messageId": TEXT | JSON, "timestamp": TIMES, "sentAt": TIMES, "version": JSON}
FIELDS |= {"properties": JSON, "traits": JSON, "context": JSON, "integrations": JSON, "writeKey": JSON}
ANYTHING = JSON | st.fixed_dictionaries({}, optional={"type": st.sampled_from(KINDS) | JSON, **FIELDS})
OBJECTS = st.none() | st.dictionaries(st.text(max_size=3), JSON, max_size=3)
REST = {"timestamp": TIMES, "sentAt": TIMES, "context": JSON, "integrations": JSON, "traits": OBJECTS, "version": JSON}
GOOD = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS), "userId": TEXT, "event": TEXT, "messageId": TEXT},
    optional=REST | {"properties": OBJECTS},
)


def opened(call: Any, envelope: Envelope = ENVELOPE) -> Opened:
    return open_call(call, 0, envelope, SETTINGS)


def message_of(call: Any) -> Message:
    message = opened(call).message
    assert message is not None
    return message


def text_of(milliseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# ---- one call


@pytest.mark.rule("segment.discard.no-id", "segment.discard.type", "segment.discard.not-an-object")
@quick
@given(ANYTHING)
def test_the_quick_verdict_and_the_whole_story_agree(call: Any) -> None:
    code = discard_code(call, "", SETTINGS)
    told = opened(call)
    assert (told.message is None) == bool(code)
    if code:
        (step,) = told.steps
        assert (step.kind, step.code, step.level) == ("drop", code, "error")
        assert step.rule in RULES


@quick
@given(ANYTHING)
def test_the_call_is_left_as_it_came(call: Any) -> None:
    before = copy.deepcopy(call)
    opened(call)
    assert call == before


@pytest.mark.rule("segment.timestamp")
@quick
@given(
    st.integers(946_684_800_000, 1_893_456_000_000),
    st.integers(0, 10**9),
    st.integers(-(10**9), 10**9),
)
def test_timestamp_is_received_at_less_the_time_from_the_call_to_its_sending(
    happened: int, waited: int, skew: int
) -> None:
    """The client's clock is off by the skew; the call waited before it was sent. All in milliseconds."""
    on_client, sent, received = happened + skew, happened + skew + waited, happened + waited
    call = {"type": "track", "event": "A", "userId": "u-1", "timestamp": text_of(on_client), "sentAt": text_of(sent)}
    message = opened(call, Envelope(received / 1000, "", "web")).message
    assert message is not None
    assert message["timestamp"] == text_of(happened)
    assert message["originalTimestamp"] == text_of(on_client)
    assert message["receivedAt"] == text_of(received)


@pytest.mark.rule("segment.timestamp", "segment.timestamp.unreadable")
@quick
@given(GOOD)
def test_destinations_get_a_moment_that_can_be_read_whatever_the_client_sent(call: Message) -> None:
    message = message_of(call)
    for name in ("timestamp", "receivedAt"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message[name])
        assert datetime.fromisoformat(message[name].replace("Z", "+00:00"))


@pytest.mark.rule("segment.message-id")
@quick
@given(GOOD, JSON)
def test_a_message_id_is_kept_and_one_is_made_where_there_is_none(call: Message, message_id: Any) -> None:
    assert message_of(call)["messageId"] == call["messageId"]
    if not (isinstance(message_id, str) and message_id):
        assert message_of({**call, "messageId": message_id})["messageId"] == "made-0"


@pytest.mark.rule("segment.tracking-api")
@quick
@given(st.lists(ANYTHING, max_size=4))
def test_a_call_in_a_batch_is_opened_as_it_is_alone(calls: list[Any]) -> None:
    in_batch = list(open_calls({"batch": calls}, ENVELOPE, SETTINGS))
    alone = [open_call(call, index, ENVELOPE, SETTINGS) for index, call in enumerate(calls)]
    assert in_batch == alone


@pytest.mark.rule("segment.batch.merge")
@quick
@given(
    GOOD,
    st.dictionaries(st.text(max_size=1), VALUES, max_size=3),
    st.dictionaries(st.text(max_size=1), VALUES, max_size=3),
)
def test_what_a_call_says_itself_beats_what_its_batch_says(call: Message, own: Message, shared: Message) -> None:
    payload = {"batch": [{**call, "context": own}], "context": shared}
    (told,) = open_calls(payload, Envelope(RECEIVED, "", "web"), SETTINGS)
    assert told.message is not None
    assert told.message["context"] == {name: own.get(name, shared.get(name)) for name in own.keys() | shared.keys()}


# ---- routing


@pytest.mark.rule("segment.sources", "segment.integrations", "segment.direct")
@quick
@given(GOOD)
def test_an_accepted_call_is_sent_to_each_destination_or_dropped_on_the_way_by_a_rule_that_exists(
    call: Message,
) -> None:
    routed = DEMO.plan.route(message_of(call), "web", RECEIVED)
    assert [way.destination for way in routed] == ["statsig", "fme-user", "ld"]
    for way in routed:
        assert {step.rule for step in way.steps} <= set(RULES)
        assert bool(way.sendings) != (way.dropped is not None)


@pytest.mark.rule("segment.integrations")
@quick
@given(
    st.sampled_from(sorted(NAMES)),
    st.dictionaries(
        st.sampled_from(["All", "Statsig", "Split", "LaunchDarkly", "LaunchDarkly (Actions)", "Webhook", "split"]),
        st.booleans() | st.just({}) | st.just({"key": "value"}),
    ),
)
def test_a_destinations_own_name_beats_all_and_all_beats_silence(kind: str, integrations: Message) -> None:
    named = [integrations[name] for name in NAMES[kind] if name in integrations]
    value = (named or [integrations.get("All", True)])[0]
    passes = value is not False
    assert (blocked_by_integrations(integrations, kind) is None) == passes


# ---- deduplication, against a model that is a plain list


@pytest.mark.rule("segment.dedup")
@quick
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcdef"), st.sampled_from(["web", "ios"]), st.sampled_from([0, 1, 599, 600, 1200, 1800])
        ),
        max_size=40,
    ),
    st.integers(1, 5),
    st.sampled_from(["all", "source"]),
)
def test_an_id_repeats_within_the_hours_and_the_last_ids(
    calls: list[tuple[str, str, int]], ids: int, scope: Any
) -> None:
    seen, model, now = SeenIds(Dedup(hours=1, ids=ids, scope=scope)), [], 0
    for message_id, source, later in calls:
        now += later
        key = (message_id, source if scope == "source" else "")
        model = [(one, at) for one, at in model if now - at < 3600]
        expected = any(one == key for one, _ in model)
        if not expected:
            model = [*model, (key, now)][-ids:]
        assert bool(seen.repeated([(0, message_id)], source, now)) == expected
        assert len(seen) == len(model)


@pytest.mark.rule("segment.dedup")
@quick
@given(st.lists(st.sampled_from("abc"), max_size=12))
def test_within_one_request_the_first_call_of_an_id_counts(ids: list[str]) -> None:
    repeated = SeenIds(Dedup()).repeated(list(enumerate(ids)), "web", RECEIVED)
    assert repeated == tuple(index for index, one in enumerate(ids) if one in ids[:index])
