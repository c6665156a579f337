"""What a Statsig event holds of a Segment call: the whole of it, its metadata, value and time."""

from __future__ import annotations

import pytest

from trackside.rules import RULES
from trackside.statsig.mapping import segment_event
from trackside.statsig.settings import SegmentInbound, StatsigSettings
from trackside.steps import Mapped, Step

CALL = {"type": "track", "event": "Sign Up", "userId": "u-1", "timestamp": "2026-11-21T12:00:00.000Z"}


def mapped(fields: dict, **inbound) -> Mapped:
    return segment_event({**CALL, **fields}, StatsigSettings(segment_inbound=SegmentInbound(**inbound)), 1.5)


def metadata(properties: dict, **inbound) -> dict:
    return mapped({"properties": properties}, **inbound).records[0]["metadata"]


def told(result: Mapped, rule: str) -> list[Step]:
    return [step for step in result.steps if step.rule == rule]


@pytest.mark.rule("statsig.in.log-stream", "statsig.in.prefix", "statsig.in.metadata", "statsig.in.time")
def test_a_whole_track_call_becomes_a_whole_event():
    message = {
        "type": "track",
        "event": "Application Opened",
        "userId": "827",
        "anonymousId": "a-1",
        "timestamp": "2022-01-24T17:03:29Z",
        "context": {"ip": "203.0.113.7", "locale": "en-US", "userAgent": "Mozilla/5.0"},
        "properties": {
            "build": 288,
            "from_background": True,
            "statsigCustomIDs": ["companyID", "co-1"],
            "statsigCustom": ["isVIP", "true"],
            "statsigEnvironment": {"tier": "staging"},
        },
    }
    inbound = SegmentInbound(map_identifiers={"anonymousId": "segmentAnonymousId"})
    assert segment_event(message, StatsigSettings(segment_inbound=inbound)).records == [
        {
            "eventName": "segment::Application Opened",
            "time": 1643043809000,
            "value": None,
            "user": {
                "userID": "827",
                "ip": "203.0.113.7",
                "locale": "en-US",
                "userAgent": "Mozilla/5.0",
                "customIDs": {"segmentAnonymousId": "a-1", "companyID": "co-1"},
                "custom": {"isVIP": "true"},
                "statsigEnvironment": {"tier": "staging"},
            },
            "metadata": {"build": "288", "from_background": "true"},
            "statsigMetadata": {"sdkType": "segment", "sdkVersion": "1.0"},
        }
    ]


@pytest.mark.rule("statsig.in.metadata")
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (True, "true"),
        (False, "false"),
        (49.95, "49.95"),
        (42.0, "42"),
        (1e-5, "0.00001"),
        ("", ""),
        (-0.5, "-0.5"),
    ],
)
def test_every_property_becomes_text(value, text):
    assert metadata({"field": value}) == {"field": text}


@pytest.mark.rule("statsig.in.metadata.nested")
def test_nested_properties_become_json_text():
    result = mapped({"properties": {"items": [{"sku": "A1", "n": 2}], "address": {"city": "Köln"}}})
    assert result.records[0]["metadata"] == {"items": '[{"sku":"A1","n":2}]', "address": '{"city":"Köln"}'}
    assert [step.at for step in told(result, "statsig.in.metadata.nested")] == [
        "$.properties.items",
        "$.properties.address",
    ]


@pytest.mark.rule("statsig.in.metadata.nested")
def test_nested_properties_are_left_out_where_the_workspace_asks_for_it():
    assert metadata({"items": [1], "sku": "A1"}, nested_properties="omit") == {"sku": "A1"}


@pytest.mark.rule("statsig.in.metadata.null")
def test_a_null_property_is_left_out():
    result = mapped({"properties": {"coupon": None, "sku": "A1"}})
    assert result.records[0]["metadata"] == {"sku": "A1"}
    assert [step.at for step in told(result, "statsig.in.metadata.null")] == ["$.properties.coupon"]


@pytest.mark.rule("statsig.in.metadata.null")
def test_a_null_property_becomes_text_where_the_workspace_asks_for_it():
    assert metadata({"coupon": None}, null_properties="text") == {"coupon": "null"}


@pytest.mark.rule("statsig.in.metadata.statsig-keys")
def test_the_properties_meant_for_statsig_are_not_repeated_in_the_metadata():
    result = mapped({"properties": {"statsigCustomIDs": ["companyID", "c-1"], "sku": "A1"}})
    assert result.records[0]["metadata"] == {"sku": "A1"}
    assert len(told(result, "statsig.in.metadata.statsig-keys")) == 1


@pytest.mark.rule("statsig.in.metadata.statsig-keys")
def test_the_properties_meant_for_statsig_can_be_kept_in_the_metadata():
    properties = {"statsigCustomIDs": ["companyID", "c-1"]}
    assert metadata(properties, keep_statsig_properties=True) == {"statsigCustomIDs": '["companyID","c-1"]'}


@pytest.mark.rule("statsig.in.metadata")
@pytest.mark.parametrize("properties", [None, {}])
def test_an_event_without_properties_has_empty_metadata(properties):
    assert metadata(properties) == {}


@pytest.mark.rule("statsig.in.metadata")
def test_properties_that_are_no_object_are_left_out_with_a_warning():
    result = mapped({"properties": ["a"]})
    assert result.records[0]["metadata"] == {}
    assert [step.level for step in told(result, "statsig.in.metadata")] == ["warning"]


@pytest.mark.rule("statsig.in.group")
def test_the_traits_of_a_group_call_are_its_metadata():
    group = {"type": "group", "groupId": "g-1", "traits": {"plan": "pro", "statsigCustomIDs": ["companyID", "g-1"]}}
    result = mapped(group)
    assert result.records[0]["metadata"] == {"plan": "pro"}
    assert result.records[0]["user"]["customIDs"] == {"companyID": "g-1"}
    assert len(told(result, "statsig.in.group")) == 1


@pytest.mark.rule("statsig.in.group")
def test_the_traits_of_a_group_call_are_left_where_the_workspace_asks_for_it():
    assert mapped({"type": "group", "traits": {"plan": "pro"}}, group_traits=False).records[0]["metadata"] == {}


@pytest.mark.rule("statsig.in.group")
def test_the_traits_of_a_group_call_with_properties_are_left_out_with_a_note():
    result = mapped({"type": "group", "properties": {"seats": 3}, "traits": {"plan": "pro"}})
    assert result.records[0]["metadata"] == {"seats": "3"}
    assert [(step.at, step.level) for step in told(result, "statsig.in.group")] == [("$.traits", "note")]


@pytest.mark.rule("statsig.in.group-id")
def test_a_group_id_is_left_out_with_a_note_that_says_what_to_map():
    [step] = told(mapped({"type": "group", "groupId": "g-1"}), "statsig.in.group-id")
    assert (step.at, step.level) == ("$.groupId", "note")
    assert "map groupId" in step.fix


@pytest.mark.rule("statsig.in.group-id", "statsig.in.map-identifier")
def test_a_group_id_that_is_mapped_gets_no_note():
    result = mapped({"type": "group", "groupId": "g-1"}, map_identifiers={"groupId": "companyID"})
    assert told(result, "statsig.in.group-id") == []


@pytest.mark.rule("statsig.in.category")
@pytest.mark.parametrize("call", ["page", "screen"])
def test_a_category_is_left_out_with_a_note(call):
    result = mapped({"type": call, "name": "Home", "category": "Docs"})
    assert result.records[0]["metadata"] == {}
    assert [(step.at, step.level) for step in told(result, "statsig.in.category")] == [("$.category", "note")]


@pytest.mark.rule("statsig.in.category")
def test_a_category_that_is_a_property_as_well_gets_no_note():
    result = mapped({"type": "page", "name": "Home", "category": "Docs", "properties": {"category": "Docs"}})
    assert told(result, "statsig.in.category") == []


@pytest.mark.rule("statsig.in.group")
def test_the_traits_of_another_call_are_not_read():
    assert mapped({"traits": {"plan": "pro"}}).records[0]["metadata"] == {}


@pytest.mark.rule("statsig.in.value")
@pytest.mark.parametrize("name", ["value", "revenue"])
def test_the_value_is_empty_and_the_amount_stays_in_the_metadata(name):
    result = mapped({"properties": {name: 49.95}})
    assert result.records[0]["value"] is None
    assert result.records[0]["metadata"] == {name: "49.95"}
    assert [step.level for step in told(result, "statsig.in.value")] == ["note"]


@pytest.mark.rule("statsig.in.value")
@pytest.mark.parametrize("value", [49.95, 0, "gold"])
def test_the_value_can_be_read_from_a_property(value):
    assert mapped({"properties": {"revenue": value}}, value_property="revenue").records[0]["value"] == value


@pytest.mark.rule("statsig.in.value")
@pytest.mark.parametrize("value", [[1], {}, True])
def test_a_property_that_is_neither_text_nor_number_gives_no_value(value):
    result = mapped({"properties": {"revenue": value}}, value_property="revenue")
    assert result.records[0]["value"] is None
    assert [step.level for step in told(result, "statsig.in.value")] == ["warning"]


@pytest.mark.rule("statsig.in.limit.value")
def test_a_value_over_64_characters_is_kept_whole_with_a_warning():
    result = mapped({"properties": {"plan": "p" * 65}}, value_property="plan")
    assert result.records[0]["value"] == "p" * 65
    assert [step.level for step in told(result, "statsig.in.limit.value")] == ["warning"]


@pytest.mark.rule("statsig.in.limit.metadata")
@pytest.mark.parametrize(("length", "warnings"), [(4085, 0), (4086, 1)])
def test_metadata_over_4096_characters_of_json_is_kept_whole_with_a_warning(length, warnings):
    result = mapped({"properties": {"note": "ü" * length}})  # {"note":"…"} adds eleven
    assert len(result.records[0]["metadata"]["note"]) == length
    assert len(told(result, "statsig.in.limit.metadata")) == warnings


@pytest.mark.rule("statsig.in.time")
def test_the_time_is_the_timestamp_in_milliseconds():
    assert mapped({"timestamp": "2022-01-24T18:03:29.123456+01:00"}).records[0]["time"] == 1643043809123


@pytest.mark.rule("statsig.in.time.missing")
def test_an_event_without_timestamp_has_the_time_of_receipt():
    result = mapped({"timestamp": None})
    assert result.records[0]["time"] == 1500
    assert [step.level for step in told(result, "statsig.in.time.missing")] == ["note"]


@pytest.mark.rule("statsig.in.time.missing")
def test_a_timestamp_that_cannot_be_read_is_replaced_with_a_warning():
    result = mapped({"timestamp": "yesterday"})
    assert result.records[0]["time"] == 1500
    assert [step.level for step in told(result, "statsig.in.time.missing")] == ["warning"]


@pytest.mark.rule("statsig.in.log-stream")
def test_the_message_and_the_settings_are_left_as_they_were():
    properties = {"statsigCustomIDs": ["companyID", "c-1", "tail"], "items": [1], "coupon": None}
    message = {**CALL, "properties": properties}
    settings = StatsigSettings()
    first = segment_event(message, settings)
    assert message == {**CALL, "properties": properties}
    assert segment_event(message, settings) == first


@pytest.mark.rule("statsig.in.log-stream")
def test_every_step_of_a_faulty_call_names_a_rule_that_exists():
    faulty = {
        "type": "page",
        "name": None,
        "userId": 7,
        "userID": "",
        "context": {"ip": 1},
        "timestamp": 1e400,
        "properties": {
            "statsigCustomIDs": [1, 2, 3],
            "statsigCustom": "x",
            "statsigEnvironment": "x",
            "n": None,
            "o": {},
            "value": "v" * 5000,
        },
    }
    steps = segment_event(faulty, StatsigSettings()).steps
    assert len(steps) > 10
    assert [step.rule for step in steps if step.rule not in RULES] == []
