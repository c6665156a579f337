"""Which traffic types and keys a Segment call counts for in Harness FME."""

from __future__ import annotations

from typing import Any

import pytest

from trackside.split.mapping import segment_call
from trackside.split.settings import SegmentInbound, SplitSettings
from trackside.steps import Mapped

SETTINGS = SplitSettings(traffic_types=("user", "anonymous", "account", "auction", "partner"))


def receive(call: dict[str, Any], **configuration: Any) -> Mapped:
    """Map a track call with a configuration that maps both ids, unless told otherwise."""
    inbound = SegmentInbound("fme-key", environment="production", **configuration)
    return segment_call(
        {"type": "track", "event": "Bid", "timestamp": "2025-01-02T03:04:05Z", **call}, inbound, SETTINGS
    )


def counted(mapped: Mapped) -> list[tuple[str, str]]:
    return [(record["trafficTypeName"], record["key"]) for record in mapped.records]


@pytest.mark.rule("split.in.identity")
def test_the_user_id_is_the_key_of_its_traffic_type() -> None:
    assert counted(receive({"userId": "u-1"})) == [("user", "u-1")]


@pytest.mark.rule("split.in.identity")
def test_the_anonymous_id_is_the_key_of_its_traffic_type() -> None:
    assert counted(receive({"userId": None, "anonymousId": "a-1"})) == [("anonymous", "a-1")]


@pytest.mark.rule("split.in.identity")
def test_an_id_that_is_not_mapped_is_not_used() -> None:
    mapped = receive({"userId": "u-1", "anonymousId": "a-1"}, identities={"anonymousId": "visitor"})
    assert counted(mapped) == [("visitor", "a-1")]


@pytest.mark.rule("split.in.two-identities")
def test_a_call_with_both_mapped_ids_counts_for_both() -> None:
    mapped = receive({"userId": "u-1", "anonymousId": "a-1"})
    assert counted(mapped) == [("user", "u-1"), ("anonymous", "a-1")]
    assert ("split", "split.in.two-identities") in [(step.kind, step.rule) for step in mapped.steps]


@pytest.mark.rule("split.in.no-identity")
def test_a_call_without_any_id_is_dropped() -> None:
    mapped = receive({"userId": None, "anonymousId": None})
    assert mapped.dropped is not None
    assert (mapped.dropped.rule, mapped.dropped.fix) == ("split.in.no-identity", "send userId or anonymousId")


@pytest.mark.rule("split.in.no-identity")
def test_the_reason_names_the_id_that_is_there_but_not_mapped() -> None:
    dropped = receive({"anonymousId": "a-1"}, identities={"userId": "user"}).dropped
    assert dropped is not None
    assert dropped.fix == "map anonymousId to a traffic type in identities, or send userId"


@pytest.mark.rule("split.in.no-identity", "split.in.event-type-required")
def test_every_reason_for_a_drop_is_given() -> None:
    mapped = receive({"event": None, "userId": None})
    assert [step.rule for step in mapped.steps] == ["split.in.event-type-required", "split.in.no-identity"]


@pytest.mark.rule("split.in.key")
@pytest.mark.parametrize("empty", ["", "   ", False, {}, []])
def test_an_id_without_text_makes_no_key(empty: object) -> None:
    mapped = receive({"userId": empty, "anonymousId": "a-1"})
    assert counted(mapped) == [("anonymous", "a-1")]
    assert (mapped.steps[0].rule, mapped.steps[0].at) == ("split.in.key", "$.userId")


@pytest.mark.rule("split.in.key")
def test_a_numeric_id_is_written_as_text_and_noted() -> None:
    mapped = receive({"userId": 42})
    assert counted(mapped) == [("user", "42")]
    assert (mapped.steps[0].rule, mapped.steps[0].level) == ("split.in.key", "note")


@pytest.mark.rule("split.in.key")
def test_blanks_around_an_id_are_taken_off() -> None:
    assert counted(receive({"userId": " u-1 "})) == [("user", "u-1")]


@pytest.mark.rule("split.in.key")
def test_the_text_null_is_a_key_like_any_other() -> None:
    assert counted(receive({"userId": "null"})) == [("user", "null")]


@pytest.mark.rule("split.in.key")
@pytest.mark.parametrize(("length", "count"), [(250, 1), (251, 0)])
def test_a_key_has_at_most_250_characters(length: int, count: int) -> None:
    assert len(receive({"userId": "u" * length}).records) == count


@pytest.mark.rule("split.in.key")
def test_the_limit_of_a_key_can_be_set() -> None:
    assert len(receive({"userId": "u" * 251}, key_limit=300).records) == 1


# ---- properties.split


@pytest.mark.rule("split.in.track-groups", "split.in.two-identities")
def test_a_call_with_both_ids_and_two_pairs_makes_four_events() -> None:
    properties = {"value": 12.5, "split": [{"auction": "auc-9"}, {"partner": "p-3"}]}
    mapped = receive({"userId": "u-1", "anonymousId": "a-1", "properties": properties})
    assert counted(mapped) == [("user", "u-1"), ("anonymous", "a-1"), ("auction", "auc-9"), ("partner", "p-3")]
    assert {record["value"] for record in mapped.records} == {12.5}


@pytest.mark.rule("split.in.track-groups.kept")
def test_the_pairs_are_not_stored_as_a_property() -> None:
    mapped = receive({"userId": "u-1", "properties": {"plan": "gold", "split": [{"account": "acme"}]}})
    assert [record["properties"] for record in mapped.records] == [{"plan": "gold"}, {"plan": "gold"}]


@pytest.mark.rule("split.in.track-groups.kept")
def test_the_pairs_stay_a_property_where_the_workspace_says_so() -> None:
    mapped = receive({"userId": "u-1", "properties": {"split": [{"account": "acme"}]}}, keep_split=True)
    assert mapped.records[0]["properties"] == {"split": '[{"account":"acme"}]'}


@pytest.mark.rule("split.in.unknown-traffic-type")
def test_a_pair_of_an_unknown_traffic_type_is_skipped() -> None:
    mapped = receive({"userId": "u-1", "properties": {"value": 1, "split": [{"planet": "mars"}, {"account": "acme"}]}})
    assert counted(mapped) == [("user", "u-1"), ("account", "acme")]
    assert (mapped.steps[0].rule, mapped.steps[0].at) == (
        "split.in.unknown-traffic-type",
        "$.properties.split[0].planet",
    )


@pytest.mark.rule("split.in.unknown-traffic-type")
def test_a_traffic_type_in_the_wrong_case_is_named_in_the_fix() -> None:
    mapped = receive({"userId": "u-1", "properties": {"value": 1, "split": [{"Account": "acme"}]}})
    assert mapped.steps[0].fix == 'write "account"'


@pytest.mark.rule("split.in.unknown-traffic-type")
def test_a_mapped_traffic_type_is_known() -> None:
    mapped = receive({"userId": "u-1", "properties": {"split": [{"member": "m-1"}]}}, identities={"userId": "member"})
    assert counted(mapped) == [("member", "u-1"), ("member", "m-1")]


@pytest.mark.rule("split.in.no-identity", "split.in.track-groups")
def test_pairs_alone_do_not_keep_a_call_without_a_mapped_id() -> None:
    assert receive({"properties": {"split": [{"account": "acme"}]}}).records == []


@pytest.mark.rule("split.in.no-identity", "split.in.track-groups")
def test_pairs_alone_make_events_where_the_workspace_says_so() -> None:
    mapped = receive({"properties": {"value": 1, "split": [{"account": "acme"}]}}, pairs_without_id="keep")
    assert counted(mapped) == [("account", "acme")]
    told = [(step.kind, step.level) for step in mapped.steps if step.rule == "split.in.no-identity"]
    assert told == [("assumed", "note")]


@pytest.mark.rule("split.in.no-identity")
@pytest.mark.parametrize("properties", [{}, {"split": [{"planet": "mars"}]}])
def test_a_call_without_a_mapped_id_and_without_a_pair_is_dropped_all_the_same(properties: dict[str, Any]) -> None:
    mapped = receive({"properties": properties}, pairs_without_id="keep")
    assert mapped.dropped is not None
    assert (mapped.records, mapped.dropped.rule) == ([], "split.in.no-identity")


@pytest.mark.rule("split.in.track-groups")
@pytest.mark.parametrize("pairs", [[{"account": "acme"}, {"account": "acme"}], [{"user": "u-1"}]])
def test_a_pair_that_comes_again_makes_a_second_event_with_a_note(pairs: list[dict[str, str]]) -> None:
    mapped = receive({"userId": "u-1", "properties": {"value": 1, "split": pairs}})
    assert len(mapped.records) == 1 + len(pairs)
    notes = [step.at for step in mapped.steps if (step.rule, step.level) == ("split.in.track-groups", "note")]
    assert notes == ["$.properties.split"]


@pytest.mark.rule("split.in.track-groups")
def test_pairs_that_differ_get_no_note() -> None:
    mapped = receive({"userId": "u-1", "properties": {"value": 1, "split": [{"account": "a-1"}, {"account": "a-2"}]}})
    assert [step.level for step in mapped.steps if step.rule == "split.in.track-groups"] == [None]


@pytest.mark.rule("split.in.key", "split.in.track-groups")
def test_the_key_of_a_pair_follows_the_rules_of_keys() -> None:
    mapped = receive({"userId": "u-1", "properties": {"value": 1, "split": [{"account": 7}, {"partner": ""}]}})
    assert counted(mapped) == [("user", "u-1"), ("account", "7")]
    assert [step.at for step in mapped.steps[:2]] == ["$.properties.split[0].account", "$.properties.split[1].partner"]


@pytest.mark.rule("split.in.split-shape")
def test_an_object_in_place_of_the_array_is_read_with_a_note() -> None:
    mapped = receive({"userId": "u-1", "properties": {"value": 1, "split": {"account": "acme"}}})
    assert counted(mapped) == [("user", "u-1"), ("account", "acme")]
    assert (mapped.steps[0].kind, mapped.steps[0].rule) == ("assumed", "split.in.split-shape")


@pytest.mark.rule("split.in.split-shape")
def test_only_the_documented_shape_is_read_where_the_workspace_says_so() -> None:
    call = {"userId": "u-1", "properties": {"value": 1, "split": {"account": "acme"}}}
    mapped = receive(call, split_shape="documented")
    assert counted(mapped) == [("user", "u-1")]
    assert (mapped.steps[0].kind, mapped.steps[0].level) == ("cut", "warning")


@pytest.mark.rule("split.in.split-shape")
@pytest.mark.parametrize("odd", ["account", 7, ["account"], [None], [{"account": None}]])
def test_what_is_no_pair_is_skipped_with_a_warning(odd: object) -> None:
    mapped = receive({"userId": "u-1", "properties": {"value": 1, "split": odd}})
    assert counted(mapped) == [("user", "u-1")]
    assert (mapped.steps[0].rule, mapped.steps[0].level) == ("split.in.split-shape", "warning")


@pytest.mark.rule("split.in.track-groups")
def test_a_null_split_property_is_the_same_as_none() -> None:
    assert counted(receive({"userId": "u-1", "properties": {"split": None}})) == [("user", "u-1")]
