"""Segment identify and group calls as Harness FME keeps them."""

from __future__ import annotations

from typing import Any

import pytest

from trackside.split.mapping import segment_call
from trackside.split.settings import SegmentInbound, SplitSettings
from trackside.steps import Mapped

SETTINGS = SplitSettings(traffic_types=("user", "account", "partner"))


def identify(traits: object, **configuration: Any) -> Mapped:
    inbound = SegmentInbound("fme-key", environment="production", **configuration)
    return segment_call({"type": "identify", "userId": "u-1", "traits": traits}, inbound, SETTINGS)


def group(traits: object, **configuration: Any) -> Mapped:
    inbound = SegmentInbound("fme-key", environment="production", **configuration)
    call = {"type": "group", "userId": "u-1", "groupId": "acme", "traits": traits}
    return segment_call(call, inbound, SETTINGS)


def values(mapped: Mapped) -> dict[str, str]:
    [record] = mapped.records
    stored: dict[str, str] = record["values"]
    return stored


@pytest.mark.rule("split.in.traits", "split.in.environment", "split.in.specs")
def test_traits_become_attributes_of_the_traffic_type() -> None:
    assert identify({"plan": "gold", "city": "Oslo"}).records == [
        {
            "kind": "identity",
            "trafficTypeName": "user",
            "key": "u-1",
            "environmentName": "production",
            "values": {"plan": "gold", "city": "Oslo"},
        }
    ]


@pytest.mark.rule("split.in.traits")
@pytest.mark.parametrize("traits", [None, {}, "gold"])
def test_a_call_without_traits_identifies_the_key_alone(traits: object) -> None:
    assert values(identify(traits)) == {}


@pytest.mark.rule("split.in.identify-toggle")
def test_identify_calls_are_dropped_without_a_finding_where_identify_is_off() -> None:
    dropped = identify({"plan": "gold"}, identify=False).dropped
    assert dropped is not None
    assert (dropped.rule, dropped.level) == ("split.in.identify-toggle", None)


@pytest.mark.rule("split.in.two-identities")
def test_a_call_with_both_mapped_ids_identifies_both() -> None:
    call = {"type": "identify", "userId": "u-1", "anonymousId": "a-1", "traits": {"plan": "gold"}}
    mapped = segment_call(call, SegmentInbound("fme-key", environment="production"), SETTINGS)
    assert [(record["trafficTypeName"], record["key"]) for record in mapped.records] == [
        ("user", "u-1"),
        ("anonymous", "a-1"),
    ]


@pytest.mark.rule("split.in.no-identity")
def test_an_identify_call_without_a_mapped_id_is_dropped() -> None:
    dropped = identify({"plan": "gold"}, identities={"anonymousId": "anonymous"}).dropped
    assert dropped is not None
    assert dropped.rule == "split.in.no-identity"


@pytest.mark.rule("split.in.traits.object")
def test_an_object_trait_is_received_as_text() -> None:
    mapped = identify({"company": {"name": "Acme", "size": 12}})
    assert values(mapped) == {"company": '{"name":"Acme","size":12}'}
    assert (mapped.steps[0].kind, mapped.steps[0].at) == ("assumed", "$.traits.company")


@pytest.mark.rule("split.in.traits.object")
@pytest.mark.parametrize("trait", [{"name": "Acme"}, ["a", "b"]])
def test_an_object_trait_is_left_out_where_the_workspace_says_so(trait: object) -> None:
    mapped = identify({"company": trait, "plan": "gold"}, object_traits="drop")
    assert values(mapped) == {"plan": "gold"}
    [step] = mapped.steps
    assert (step.kind, step.rule, step.level) == ("cut", "split.in.traits.object", None)


@pytest.mark.rule("split.in.traits.text")
def test_number_and_boolean_traits_are_received_as_text() -> None:
    assert values(identify({"seats": 12, "rate": 0.5, "paid": True})) == {"seats": "12", "rate": "0.5", "paid": "true"}


@pytest.mark.rule("split.in.traits.null")
def test_a_null_trait_is_left_out() -> None:
    mapped = identify({"plan": None, "city": "Oslo"})
    assert values(mapped) == {"city": "Oslo"}
    assert [step.rule for step in mapped.steps] == ["split.in.traits.null"]


@pytest.mark.rule("split.in.traits.limit")
@pytest.mark.parametrize(("length", "stored"), [(255, 255), (256, 255)])
def test_a_trait_value_is_cut_to_255_characters(length: int, stored: int) -> None:
    assert values(identify({"bio": "b" * length})) == {"bio": "b" * stored}


@pytest.mark.rule("split.in.traits.limit")
def test_the_cut_of_a_trait_is_a_finding() -> None:
    step = identify({"bio": "b" * 256}).steps[0]
    assert (step.kind, step.rule, step.level) == ("cut", "split.in.traits.limit", "warning")
    assert step.text == 'the trait "bio" has 256 characters: cut to 255'


@pytest.mark.rule("split.in.traits.limit")
def test_a_longer_trait_value_can_be_left_out_instead() -> None:
    assert values(identify({"bio": "b" * 256, "plan": "gold"}, trait_limit="drop")) == {"plan": "gold"}


@pytest.mark.rule("split.in.attribute-id")
@pytest.mark.parametrize("name", ["first name", "$email", "1st", "_id", ""])
def test_a_trait_whose_name_is_no_attribute_id_is_left_out(name: str) -> None:
    mapped = identify({name: "x", "plan": "gold"})
    assert values(mapped) == {"plan": "gold"}
    assert (mapped.steps[0].rule, mapped.steps[0].level) == ("split.in.attribute-id", "warning")


@pytest.mark.rule("split.in.attribute-id")
def test_a_trait_with_such_a_name_is_kept_where_the_workspace_says_so() -> None:
    assert values(identify({"first name": "Ada"}, invalid_attribute="keep")) == {"first name": "Ada"}


# ---- group


@pytest.mark.rule("split.in.group", "split.in.group.attributes")
def test_a_group_call_identifies_the_key_that_its_split_trait_names() -> None:
    mapped = group({"split": {"account": "acme"}, "plan": "gold", "seats": 12})
    assert mapped.records == [
        {
            "kind": "identity",
            "trafficTypeName": "account",
            "key": "acme",
            "environmentName": "production",
            "values": {"plan": "gold", "seats": "12"},
        }
    ]


@pytest.mark.rule("split.in.group")
def test_each_known_traffic_type_of_a_group_call_is_identified() -> None:
    mapped = group({"split": {"account": "acme", "partner": "p-3"}})
    assert [(record["trafficTypeName"], record["key"]) for record in mapped.records] == [
        ("account", "acme"),
        ("partner", "p-3"),
    ]


@pytest.mark.rule("split.in.group")
@pytest.mark.parametrize("traits", [None, {}, {"plan": "gold"}, {"split": None}])
def test_a_group_call_without_its_split_trait_changes_nothing(traits: object) -> None:
    dropped = group(traits).dropped
    assert dropped is not None
    assert (dropped.rule, dropped.level, dropped.at) == ("split.in.group", "warning", "$.traits.split")


@pytest.mark.rule("split.in.group")
def test_no_toggle_governs_group_calls() -> None:
    mapped = group({"split": {"account": "acme"}}, identify=False, track=False)
    assert len(mapped.records) == 1


@pytest.mark.rule("split.in.group")
def test_a_group_call_needs_no_mapped_id() -> None:
    call = {"type": "group", "groupId": "acme", "traits": {"split": {"account": "acme"}}}
    assert len(segment_call(call, SegmentInbound("fme-key", environment="production"), SETTINGS).records) == 1


@pytest.mark.rule("split.in.group")
def test_the_group_id_identifies_where_the_workspace_names_its_traffic_type() -> None:
    mapped = group({"plan": "gold"}, group_traffic_type="account")
    assert [(record["trafficTypeName"], record["key"]) for record in mapped.records] == [("account", "acme")]


@pytest.mark.rule("split.in.unknown-traffic-type", "split.in.group")
def test_a_group_call_that_names_only_unknown_traffic_types_changes_nothing() -> None:
    mapped = group({"split": {"planet": "mars"}, "plan": "gold"})
    assert [step.rule for step in mapped.steps] == ["split.in.unknown-traffic-type", "split.in.group"]
    assert mapped.records == []


@pytest.mark.rule("split.in.split-shape", "split.in.group")
def test_an_array_in_place_of_the_object_is_read_with_a_note() -> None:
    mapped = group({"split": [{"account": "acme"}]})
    assert [record["key"] for record in mapped.records] == ["acme"]
    assert (mapped.steps[0].rule, mapped.steps[0].level) == ("split.in.split-shape", "note")


@pytest.mark.rule("split.in.group.attributes")
def test_the_traits_of_the_message_are_left_as_they_came() -> None:
    traits = {"split": {"account": "acme"}, "plan": "gold"}
    group(traits)
    assert traits == {"split": {"account": "acme"}, "plan": "gold"}
