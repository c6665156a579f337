"""Segment track calls as Harness FME keeps them."""

from __future__ import annotations

from typing import Any

import pytest

from trackside.split.mapping import segment_call
from trackside.split.settings import SegmentInbound, SplitSettings
from trackside.steps import Mapped


def receive(call: dict[str, Any], received_at: float = 0.0, **configuration: Any) -> Mapped:
    """Map a track call of user u-1 with a configuration that maps userId only, unless told otherwise."""
    configuration.setdefault("identities", {"userId": "user"})
    inbound = SegmentInbound("fme-key", environment="production", **configuration)
    message = {"type": "track", "userId": "u-1", "timestamp": "2025-01-02T03:04:05.000Z", **call}
    return segment_call(message, inbound, SplitSettings(), received_at)


@pytest.mark.rule("split.in.properties", "split.in.environment", "split.in.foreign-id", "split.in.identity")
def test_a_track_call_becomes_an_event_of_the_configured_environment() -> None:
    call = {"event": "Checkout", "messageId": "ajs-1", "properties": {"value": 42, "plan": "gold", "new": True}}
    assert receive(call).records == [
        {
            "kind": "event",
            "eventTypeId": "Checkout",
            "trafficTypeName": "user",
            "key": "u-1",
            "value": 42,
            "timestamp": 1735787045000,
            "properties": {"value": 42, "plan": "gold", "new": True},
            "environmentName": "production",
            "source": "Segment",
            "foreignId": "ajs-1",
        }
    ]


@pytest.mark.rule("split.in.properties")
def test_a_call_that_needs_no_change_makes_no_step() -> None:
    assert receive({"event": "Checkout", "properties": {"value": 42}}).steps == []


@pytest.mark.rule("split.in.properties")
def test_a_call_without_properties_stores_an_empty_object() -> None:
    assert receive({"event": "Checkout"}).records[0]["properties"] == {}


@pytest.mark.rule("split.in.track-toggle")
def test_track_calls_are_dropped_without_a_finding_where_track_is_off() -> None:
    mapped = receive({"event": "Checkout"}, track=False)
    assert mapped.dropped is not None
    assert (mapped.dropped.rule, mapped.dropped.level) == ("split.in.track-toggle", None)


# ---- the event type


@pytest.mark.rule("split.in.event-type-path")
def test_the_event_type_is_read_from_its_configured_path() -> None:
    call = {"eventId": "231344", "properties": {"eventName": "checkout"}}
    assert receive(call, event_type_id="properties.eventName").records[0]["eventTypeId"] == "checkout"


@pytest.mark.rule("split.in.event-type-required")
def test_a_path_that_leads_nowhere_drops_the_event() -> None:
    mapped = receive({"event": "checkout"}, event_type_id="properties.eventName")
    assert mapped.records == []
    assert str(mapped.dropped) == (
        'the event type is read from "properties.eventName" and nothing stands there: the event is dropped '
        "(split.in.event-type-required). $.properties.eventName. "
        'set event_type_id to "event" to use Segment\'s event name (a path, never the name itself).'
    )


@pytest.mark.rule("split.in.event-type-required")
def test_a_name_configured_in_place_of_its_path_is_recognised() -> None:
    dropped = receive({"event": "checkout"}, event_type_id="checkout").dropped
    assert dropped is not None
    assert dropped.text == 'the event\'s name "checkout" is configured where its path belongs: the event is dropped'
    assert dropped.at == "$.event"
    assert dropped.fix == 'set event_type_id to "event", the property that holds the name'


@pytest.mark.rule("split.in.event-type-required")
def test_a_configured_name_is_found_where_the_call_has_it() -> None:
    dropped = receive({"properties": {"eventName": "sample event"}}, event_type_id="sample_event").dropped
    assert dropped is not None
    assert dropped.fix == 'set event_type_id to "properties.eventName", the property that holds the name'


@pytest.mark.rule("split.in.event-type-required")
@pytest.mark.parametrize("event", [None, "", 7, {"name": "checkout"}])
def test_an_event_without_a_text_for_a_name_is_dropped(event: object) -> None:
    dropped = receive({"event": event}).dropped
    assert dropped is not None
    assert (dropped.rule, dropped.fix) == ("split.in.event-type-required", "give the track call an event name")


@pytest.mark.rule("split.in.event-type-spaces")
def test_spaces_in_the_event_name_become_underscores() -> None:
    mapped = receive({"event": "sample event", "properties": {"value": 1}})
    assert mapped.records[0]["eventTypeId"] == "sample_event"
    assert [(step.kind, step.rule, step.at) for step in mapped.steps] == [
        ("rename", "split.in.event-type-spaces", "$.event")
    ]


@pytest.mark.rule("split.in.event-type-name")
@pytest.mark.parametrize("event", ["_private", "naïve", "50%", " leading", "tab\there", "Checkout\n"])
def test_a_name_that_breaks_the_naming_rules_is_dropped(event: str) -> None:
    dropped = receive({"event": event}).dropped
    assert dropped is not None
    assert dropped.rule == "split.in.event-type-name"


@pytest.mark.rule("split.in.event-type-name")
@pytest.mark.parametrize("event", ["[web]checkout", "app:checkout"])
def test_a_character_that_only_some_pages_allow_is_kept_and_noted(event: str) -> None:
    mapped = receive({"event": event})
    assert mapped.records[0]["eventTypeId"] == event
    assert mapped.steps[0].rule == "split.in.event-type-name"


@pytest.mark.rule("split.in.event-type-name")
def test_a_name_against_the_rules_is_kept_where_the_workspace_says_so() -> None:
    assert receive({"event": "50%"}, invalid_event_type="keep").records[0]["eventTypeId"] == "50%"


@pytest.mark.rule("split.in.event-type-length")
def test_a_name_of_63_characters_is_kept_in_silence() -> None:
    assert receive({"event": "e" * 63, "properties": {"value": 1}}).steps == []


@pytest.mark.rule("split.in.event-type-length")
@pytest.mark.parametrize("length", [64, 80])
def test_a_name_of_64_to_80_characters_is_kept_with_a_warning(length: int) -> None:
    mapped = receive({"event": "e" * length})
    assert len(mapped.records[0]["eventTypeId"]) == length
    assert (mapped.steps[0].rule, mapped.steps[0].level) == ("split.in.event-type-length", "warning")


@pytest.mark.rule("split.in.event-type-length")
def test_a_name_of_81_characters_is_dropped() -> None:
    dropped = receive({"event": "e" * 81}).dropped
    assert dropped is not None
    assert dropped.rule == "split.in.event-type-length"


@pytest.mark.rule("split.in.event-type-length")
@pytest.mark.parametrize("limit", [40, 63])
def test_a_shorter_limit_can_be_set(limit: int) -> None:
    assert len(receive({"event": "e" * limit}, event_type_limit=limit).records) == 1
    assert receive({"event": "e" * (limit + 1)}, event_type_limit=limit).records == []


# ---- the value


@pytest.mark.rule("split.in.value")
@pytest.mark.parametrize("value", [0, -3, 12.5])
def test_the_value_is_the_number_at_the_configured_path(value: float) -> None:
    call = {"event": "Bid", "properties": {"amount": value}}
    assert receive(call, value="properties.amount").records[0]["value"] == value


@pytest.mark.rule("split.in.value")
@pytest.mark.parametrize(
    "properties", [{}, {"amount": None}, {"amount": {"usd": 1}}, {"amount": True}, {"amount": "x"}]
)
def test_an_event_whose_value_is_no_number_is_kept_with_null(properties: dict[str, Any]) -> None:
    mapped = receive({"event": "Bid", "properties": properties}, value="properties.amount")
    assert mapped.records[0]["value"] is None
    assert "split.in.value" in [step.rule for step in mapped.steps]


@pytest.mark.rule("split.in.value")
def test_a_call_without_a_value_is_no_finding() -> None:
    assert receive({"event": "Bid"}).steps[0].level is None


@pytest.mark.rule("split.in.value")
def test_no_value_path_means_no_value() -> None:
    mapped = receive({"event": "Bid", "properties": {"value": 1}}, value="")
    assert (mapped.records[0]["value"], mapped.steps) == (None, [])


@pytest.mark.rule("split.in.value.numeric-text")
def test_a_number_written_as_text_is_no_value() -> None:
    mapped = receive({"event": "Bid", "properties": {"value": "9.99"}})
    assert mapped.records[0]["value"] is None
    assert (mapped.steps[0].rule, mapped.steps[0].level) == ("split.in.value.numeric-text", "warning")


@pytest.mark.rule("split.in.value.numeric-text")
def test_a_number_written_as_text_counts_where_the_workspace_says_so() -> None:
    mapped = receive({"event": "Bid", "properties": {"value": "9.99"}}, numeric_strings=True)
    assert mapped.records[0]["value"] == 9.99


@pytest.mark.rule("split.in.value.numeric-text")
def test_a_text_beyond_all_numbers_is_never_a_value() -> None:
    mapped = receive({"event": "Bid", "properties": {"value": "1e999"}}, numeric_strings=True)
    assert mapped.records[0]["value"] is None


# ---- the moment


@pytest.mark.rule("split.in.timestamp")
def test_the_moment_is_the_timestamp_in_milliseconds() -> None:
    call = {"event": "Bid", "timestamp": "2025-01-02T03:04:05.678Z", "originalTimestamp": "2020-01-01T00:00:00Z"}
    assert receive(call).records[0]["timestamp"] == 1735787045678


@pytest.mark.rule("split.in.timestamp")
def test_another_of_segments_moments_can_be_chosen() -> None:
    call = {"event": "Bid", "originalTimestamp": "2020-01-01T00:00:00Z"}
    assert receive(call, timestamp="originalTimestamp").records[0]["timestamp"] == 1577836800000


@pytest.mark.rule("split.in.timestamp")
def test_a_call_without_a_timestamp_has_the_moment_of_its_reception() -> None:
    assert receive({"event": "Bid", "timestamp": None}, received_at=1.5).records[0]["timestamp"] == 1500


@pytest.mark.rule("split.in.timestamp")
def test_segments_own_moment_of_reception_comes_first() -> None:
    call = {"event": "Bid", "timestamp": None, "receivedAt": "2020-01-01T00:00:00.000Z"}
    assert receive(call, received_at=1.5).records[0]["timestamp"] == 1577836800000


@pytest.mark.rule("split.in.timestamp")
def test_a_timestamp_that_cannot_be_read_is_reported() -> None:
    mapped = receive({"event": "Bid", "timestamp": "yesterday", "properties": {"value": 1}}, received_at=1.5)
    assert mapped.records[0]["timestamp"] == 1500
    assert [(step.rule, step.at) for step in mapped.steps] == [("split.in.timestamp", "$.timestamp")]


# ---- the properties


@pytest.mark.rule("split.in.properties.count")
def test_properties_after_the_300th_are_left_out() -> None:
    mapped = receive({"event": "Bid", "properties": {f"p{number}": number for number in range(301)}})
    assert list(mapped.records[0]["properties"])[-1] == "p299"
    assert ("cut", "split.in.properties.count") in [(step.kind, step.rule) for step in mapped.steps]


@pytest.mark.rule("split.in.properties.length")
@pytest.mark.parametrize(("length", "stored"), [(256, 256), (257, 256)])
def test_a_property_text_is_cut_to_256_characters(length: int, stored: int) -> None:
    assert receive({"event": "Bid", "properties": {"note": "n" * length}}).records[0]["properties"] == {
        "note": "n" * stored
    }


@pytest.mark.rule("split.in.properties.length")
def test_a_longer_property_text_can_be_left_out_instead() -> None:
    mapped = receive({"event": "Bid", "properties": {"note": "n" * 257, "a": 1}}, property_limit="drop")
    assert mapped.records[0]["properties"] == {"a": 1}


@pytest.mark.rule("split.in.properties.object")
@pytest.mark.parametrize(("reading", "stored"), [("text", '{"sku":"s-1"}'), ("null", None), ("keep", {"sku": "s-1"})])
def test_an_object_property_is_stored_as_the_workspace_says(reading: str, stored: object) -> None:
    mapped = receive({"event": "Bid", "properties": {"product": {"sku": "s-1"}}}, object_properties=reading)
    assert mapped.records[0]["properties"] == {"product": stored}


@pytest.mark.rule("split.in.properties.object")
def test_an_array_property_is_stored_as_text_with_a_note() -> None:
    mapped = receive({"event": "Bid", "properties": {"value": 1, "tags": ["a", "b"]}})
    assert mapped.records[0]["properties"]["tags"] == '["a","b"]'
    assert [(step.rule, step.at, step.level) for step in mapped.steps] == [
        ("split.in.properties.object", "$.properties.tags", "note")
    ]


@pytest.mark.rule("split.in.properties")
def test_the_message_itself_is_left_as_it_came() -> None:
    properties = {"split": [{"user": "u-2"}], "note": "n" * 300, "product": {"sku": "s-1"}}
    receive({"event": "Bid", "properties": properties})
    assert properties == {"split": [{"user": "u-2"}], "note": "n" * 300, "product": {"sku": "s-1"}}


@pytest.mark.rule("split.in.properties")
def test_a_record_does_not_share_its_properties_with_the_message() -> None:
    properties = {"value": 42}
    receive({"event": "Bid", "properties": properties}).records[0]["properties"]["value"] = 0
    assert properties == {"value": 42}
