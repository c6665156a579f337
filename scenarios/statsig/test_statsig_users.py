"""Who a Segment event belongs to at Statsig: user ID, custom IDs, properties, environment."""

from __future__ import annotations

import pytest

from trackside.statsig.mapping import segment_event
from trackside.statsig.settings import SegmentInbound, StatsigSettings
from trackside.steps import Mapped, Step

ANONYMOUS = {"anonymousId": "segmentAnonymousId"}


def mapped(fields: dict, properties: dict | None = None, **inbound) -> Mapped:
    message = {"type": "track", "event": "Sign Up", "timestamp": "2026-11-21T12:00:00.000Z", **fields}
    if properties is not None:
        message["properties"] = properties
    return segment_event(message, StatsigSettings(segment_inbound=SegmentInbound(**inbound)))


def user(fields: dict, properties: dict | None = None, **inbound) -> dict:
    return mapped(fields, properties, **inbound).records[0]["user"]


def told(result: Mapped, rule: str) -> list[Step]:
    return [step for step in result.steps if step.rule == rule]


@pytest.mark.rule("statsig.in.user-id")
def test_the_user_id_becomes_the_user_id():
    assert user({"userId": "827"}) == {"userID": "827"}


@pytest.mark.rule("statsig.in.user-id.capital")
def test_userid_with_a_capital_d_is_read_where_userid_is_missing():
    result = mapped({"userID": "827"})
    assert result.records[0]["user"] == {"userID": "827"}
    assert [(step.kind, step.level) for step in told(result, "statsig.in.user-id.capital")] == [("assumed", "note")]


@pytest.mark.rule("statsig.in.user-id.capital")
def test_userid_wins_over_userid_with_a_capital_d():
    result = mapped({"userId": "827", "userID": "other"})
    assert result.records[0]["user"] == {"userID": "827"}
    assert len(told(result, "statsig.in.user-id.capital")) == 1


@pytest.mark.rule("statsig.in.empty-id")
@pytest.mark.parametrize("empty", [None, ""])
def test_no_event_is_kept_for_an_empty_or_null_user(empty):
    assert user({"userId": empty}) == {}


@pytest.mark.rule("statsig.in.empty-id")
def test_an_empty_user_id_is_noted():
    assert [step.at for step in told(mapped({"userId": ""}), "statsig.in.empty-id")] == ["$.userId"]


@pytest.mark.rule("statsig.in.id-text")
@pytest.mark.parametrize(("number", "text"), [(827, "827"), (827.0, "827"), (0, "0")])
def test_a_numeric_id_is_kept_as_text(number, text):
    result = mapped({"userId": number})
    assert result.records[0]["user"] == {"userID": text}
    assert len(told(result, "statsig.in.id-text")) == 1


@pytest.mark.rule("statsig.in.id-text")
@pytest.mark.parametrize("value", [True, ["u-1"], {"id": "u-1"}])
def test_what_is_no_id_is_left_out_with_a_warning(value):
    result = mapped({"userId": value})
    assert result.records[0]["user"] == {}
    assert [step.level for step in told(result, "statsig.in.id-text")] == ["warning"]


@pytest.mark.rule("statsig.in.no-unit-id")
def test_an_unmapped_anonymous_id_is_not_used_and_a_note_says_what_to_map():
    result = mapped({"anonymousId": "a-1", "email": "ann@example.com"})
    assert result.records[0]["user"] == {}
    assert "map anonymousId" in told(result, "statsig.in.no-unit-id")[0].fix


@pytest.mark.rule("statsig.in.map-identifier")
def test_the_anonymous_id_fills_the_custom_id_it_is_mapped_to():
    result = mapped({"anonymousId": "a-1"}, map_identifiers=ANONYMOUS)
    assert result.records[0]["user"] == {"customIDs": {"segmentAnonymousId": "a-1"}}
    assert told(result, "statsig.in.no-unit-id") == []


@pytest.mark.rule("statsig.in.map-identifier")
def test_any_top_level_field_can_be_mapped():
    fields = {"userId": "u-1", "groupId": "g-1", "messageId": "m-1"}
    mapping = {"groupId": "companyID", "messageId": "callID", "nothing": "noID"}
    assert user(fields, map_identifiers=mapping)["customIDs"] == {"companyID": "g-1", "callID": "m-1"}


@pytest.mark.rule("statsig.in.map-identifier")
def test_of_two_rows_for_one_custom_id_the_last_counts_with_a_note():
    mapping = {"groupId": "companyID", "company": "companyID"}
    result = mapped({"userId": "u-1", "groupId": "g-1", "company": "c-1"}, map_identifiers=mapping)
    assert result.records[0]["user"]["customIDs"] == {"companyID": "c-1"}
    assert [(step.at, step.level) for step in told(result, "statsig.in.map-identifier")] == [("$.company", "note")]


@pytest.mark.rule("statsig.in.map-identifier.path")
def test_a_path_is_no_top_level_field():
    result = mapped(
        {"userId": "u-1", "context": {"device": {"id": "d-1"}}}, map_identifiers={"context.device.id": "deviceID"}
    )
    assert "customIDs" not in result.records[0]["user"]
    assert len(told(result, "statsig.in.map-identifier.path")) == 1


@pytest.mark.rule("statsig.in.custom-ids")
def test_statsig_custom_ids_fill_the_custom_ids_in_pairs():
    properties = {"statsigCustomIDs": ["companyID", "c-1", "stableID", "s-1"]}
    assert user({"userId": "u-1"}, properties)["customIDs"] == {"companyID": "c-1", "stableID": "s-1"}


@pytest.mark.rule("statsig.in.custom-ids.malformed")
def test_the_unpaired_tail_of_an_odd_array_is_ignored_and_reported():
    result = mapped({"userId": "u-1"}, {"statsigCustomIDs": ["companyID", "c-1", "stableID"]})
    assert result.records[0]["user"]["customIDs"] == {"companyID": "c-1"}
    [step] = told(result, "statsig.in.custom-ids.malformed")
    assert (step.kind, step.at, step.level) == ("cut", "$.properties.statsigCustomIDs[2]", "warning")


@pytest.mark.rule("statsig.in.custom-ids.malformed")
@pytest.mark.parametrize("value", [{"companyID": "c-1"}, "companyID,c-1", 7, True])
def test_custom_ids_that_are_no_array_are_left_out_and_the_event_is_kept(value):
    result = mapped({"userId": "u-1"}, {"statsigCustomIDs": value})
    assert result.records[0]["user"] == {"userID": "u-1"}
    assert [step.level for step in told(result, "statsig.in.custom-ids.malformed")] == ["warning"]


@pytest.mark.rule("statsig.in.custom-ids.malformed")
def test_a_pair_whose_value_is_null_is_left_out_and_reported():
    result = mapped({"userId": "u-1"}, {"statsigCustomIDs": ["companyID", None, "stableID", "s-1"]})
    assert result.records[0]["user"]["customIDs"] == {"stableID": "s-1"}
    [step] = told(result, "statsig.in.custom-ids.malformed")
    assert (step.kind, step.at, step.level) == ("cut", "$.properties.statsigCustomIDs", "warning")


@pytest.mark.rule("statsig.in.custom-ids.malformed")
def test_a_pair_whose_type_is_no_text_is_left_out():
    result = mapped({"userId": "u-1"}, {"statsigCustomIDs": [7, "c-1", "", "c-2", "stableID", "s-1"]})
    assert result.records[0]["user"]["customIDs"] == {"stableID": "s-1"}
    assert len(told(result, "statsig.in.custom-ids.malformed")) == 2


@pytest.mark.rule("statsig.in.custom-ids.malformed")
def test_the_last_value_of_a_type_given_twice_counts():
    result = mapped({}, {"statsigCustomIDs": ["companyID", "c-1", "companyID", "c-2"]})
    assert result.records[0]["user"]["customIDs"] == {"companyID": "c-2"}
    assert len(told(result, "statsig.in.custom-ids.malformed")) == 1


@pytest.mark.rule("statsig.in.custom-ids", "statsig.in.id-text")
def test_a_custom_id_that_is_a_number_is_kept_as_text():
    assert user({}, {"statsigCustomIDs": ["companyID", 42]})["customIDs"] == {"companyID": "42"}


@pytest.mark.rule("statsig.in.custom-ids")
def test_null_properties_of_statsig_count_as_missing():
    properties = {"statsigCustomIDs": None, "statsigCustom": None, "statsigEnvironment": None}
    result = mapped({"userId": "u-1"}, properties)
    assert result.records[0]["user"] == {"userID": "u-1"}
    assert [step for step in result.steps if step.level == "warning"] == []


@pytest.mark.rule("statsig.in.map-precedence")
def test_statsig_custom_ids_take_precedence_over_mapped_identifiers():
    properties = {"statsigCustomIDs": ["segmentAnonymousId", "explicit"]}
    result = mapped({"anonymousId": "a-1"}, properties, map_identifiers=ANONYMOUS)
    assert result.records[0]["user"]["customIDs"] == {"segmentAnonymousId": "explicit"}
    assert len(told(result, "statsig.in.map-precedence")) == 1


@pytest.mark.rule("statsig.in.map-precedence")
def test_a_null_custom_id_leaves_the_mapped_identifier():
    properties = {"statsigCustomIDs": ["segmentAnonymousId", None]}
    assert user({"anonymousId": "a-1"}, properties, map_identifiers=ANONYMOUS)["customIDs"] == {
        "segmentAnonymousId": "a-1"
    }


@pytest.mark.rule("statsig.in.custom")
def test_statsig_custom_fills_the_custom_properties_in_pairs():
    properties = {"statsigCustom": ["isVIP", "true", "marketing_campaign", "abx343", "seats", 4]}
    assert user({"userId": "u-1"}, properties)["custom"] == {
        "isVIP": "true",
        "marketing_campaign": "abx343",
        "seats": 4,
    }


@pytest.mark.rule("statsig.in.custom.malformed")
@pytest.mark.parametrize("value", [{"isVIP": "true"}, ["isVIP"], [1, 2]])
def test_malformed_custom_properties_are_left_out_with_a_warning(value):
    result = mapped({"userId": "u-1"}, {"statsigCustom": value})
    assert result.records[0]["user"] == {"userID": "u-1"}
    assert [step.level for step in told(result, "statsig.in.custom.malformed")] == ["warning"]


@pytest.mark.rule("statsig.in.context")
def test_ip_locale_and_user_agent_come_from_the_context():
    context = {"ip": "203.0.113.7", "locale": "en-US", "userAgent": "Mozilla/5.0", "os": {"name": "iOS"}}
    assert user({"userId": "u-1", "context": context}) == {
        "userID": "u-1",
        "ip": "203.0.113.7",
        "locale": "en-US",
        "userAgent": "Mozilla/5.0",
    }


@pytest.mark.rule("statsig.in.context")
def test_a_context_field_that_is_no_text_is_left_out():
    result = mapped({"userId": "u-1", "context": {"ip": 7, "locale": "", "userAgent": None}})
    assert result.records[0]["user"] == {"userID": "u-1"}
    assert [step.at for step in told(result, "statsig.in.context")] == ["$.context.ip"]


@pytest.mark.rule("statsig.in.environment")
def test_the_tier_sets_the_environment():
    properties = {"statsigEnvironment": {"tier": "staging"}}
    assert user({"userId": "u-1"}, properties)["statsigEnvironment"] == {"tier": "staging"}


@pytest.mark.rule("statsig.in.environment")
def test_an_event_without_environment_counts_as_production_and_carries_none():
    assert "statsigEnvironment" not in user({"userId": "u-1"}, {})


@pytest.mark.rule("statsig.in.environment.malformed")
@pytest.mark.parametrize("value", ["staging", {}, {"tier": ""}, {"tier": 1}, ["tier", "staging"]])
def test_an_environment_that_names_no_tier_counts_as_production_with_a_warning(value):
    result = mapped({"userId": "u-1"}, {"statsigEnvironment": value})
    assert "statsigEnvironment" not in result.records[0]["user"]
    assert [step.level for step in told(result, "statsig.in.environment.malformed")] == ["warning"]


@pytest.mark.rule("statsig.in.limit.user-id")
def test_a_user_id_over_64_characters_is_kept_whole_with_a_warning():
    result = mapped({"userId": "u" * 65})
    assert result.records[0]["user"]["userID"] == "u" * 65
    assert [step.level for step in told(result, "statsig.in.limit.user-id")] == ["warning"]
