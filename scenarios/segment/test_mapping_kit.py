"""Mapping-kit: the directives that make an action's payload out of an event."""

from __future__ import annotations

from typing import Any

import pytest

from trackside.segment.actions.mapping_kit import compile_mapping
from trackside.segment.actions.mapping_values import InvalidMapping

EVENT = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u1",
    "properties": {
        "total": 0,
        "coupon": "",
        "note": None,
        "address": {"city": "Paris", "street": None},
        "products": [{"sku": "a", "price": 1}, {"sku": "b", "price": 2.5}],
    },
}


def resolved(value: Any, event: Any = EVENT) -> Any:
    return compile_mapping({"field": value})(event).get("field", "gone")


@pytest.mark.rule("segment.mapping-kit")
def test_a_path_finds_a_value_with_and_without_the_dollar():
    assert resolved({"@path": "$.properties.address.city"}) == "Paris"
    assert resolved({"@path": "properties.products[1].price"}) == 2.5


@pytest.mark.rule("segment.mapping-kit")
def test_the_dollar_with_a_dot_is_the_whole_event_and_alone_it_is_nothing():
    assert resolved({"@path": "$."}) == EVENT
    assert resolved({"@path": "$"}) == "gone"


@pytest.mark.rule("segment.mapping-kit")
def test_a_path_through_a_falsy_value_gives_that_value():
    assert resolved({"@path": "properties.total.cents"}) == 0


@pytest.mark.rule("segment.mapping-kit")
def test_an_array_knows_its_length():
    assert resolved({"@path": "properties.products.length"}) == 2


@pytest.mark.rule("segment.mapping-kit")
def test_a_key_that_comes_out_undefined_vanishes_and_null_stays():
    assert compile_mapping({"a": {"@path": "nowhere"}, "b": {"@path": "properties.note"}})(EVENT) == {"b": None}


@pytest.mark.rule("segment.mapping-kit")
def test_a_template_fills_in_paths_and_leaves_missing_ones_empty():
    assert resolved({"@template": "{{userId}}/{{{ properties.address.city }}}/{{nowhere}}"}) == "u1/Paris/"


@pytest.mark.rule("segment.mapping-kit")
def test_a_template_prints_an_object_as_javascript_does():
    assert resolved({"@template": "{{properties.address}}"}) == "[object Object]"


@pytest.mark.rule("segment.mapping-kit")
def test_a_template_does_not_strip_the_dollar():
    assert resolved({"@template": "{{$.userId}}"}) == ""


@pytest.mark.rule("segment.mapping-kit")
def test_an_empty_text_and_zero_exist():
    for path in ("properties.coupon", "properties.total"):
        assert resolved({"@if": {"exists": {"@path": path}, "then": "there", "else": "not"}}) == "there"


@pytest.mark.rule("segment.mapping-kit")
def test_an_empty_text_and_zero_are_blank():
    for path in ("properties.coupon", "properties.total"):
        assert resolved({"@if": {"blank": {"@path": path}, "then": "filled", "else": "blank"}}) == "blank"


@pytest.mark.rule("segment.mapping-kit")
def test_a_falsy_else_is_ignored():
    assert resolved({"@if": {"exists": {"@path": "nowhere"}, "then": 1, "else": 0}}) == "gone"


@pytest.mark.rule("segment.mapping-kit")
def test_an_array_path_shapes_each_element_from_itself():
    shape = {"id": {"@path": "$.sku"}, "cost": {"@path": "$.price"}}
    assert resolved({"@arrayPath": ["$.properties.products", shape]}) == [
        {"id": "a", "cost": 1},
        {"id": "b", "cost": 2.5},
    ]


@pytest.mark.rule("segment.mapping-kit")
def test_an_array_path_makes_one_object_an_array():
    assert resolved({"@arrayPath": ["$.properties.address", {"city": {"@path": "$.city"}}]}) == [{"city": "Paris"}]


@pytest.mark.rule("segment.mapping-kit")
def test_case_changes_texts_and_passes_the_rest():
    assert resolved({"@case": {"operator": "upper", "value": {"@path": "$.event"}}}) == "ORDER COMPLETED"
    assert resolved({"@case": {"operator": "upper", "value": {"@path": "$.properties.total"}}}) == 0


@pytest.mark.rule("segment.mapping-kit")
def test_replace_takes_its_pattern_literally_and_all_occurrences():
    assert resolved({"@replace": {"pattern": ".", "replacement": "[$&]", "value": "a.b.c"}}) == "a[.]b[.]c"
    assert resolved({"@replace": {"pattern": ".", "replacement": "", "global": False, "value": "a.b.c"}}) == "ab.c"


@pytest.mark.rule("segment.mapping-kit")
def test_replace_turns_a_missing_value_into_an_empty_text():
    assert resolved({"@replace": {"pattern": "a", "value": {"@path": "nowhere"}}}) == ""


@pytest.mark.rule("segment.mapping-kit")
def test_merge_lets_the_later_object_win_when_it_goes_right():
    objects = [{"a": 1, "b": 1}, {"b": 2}]
    assert resolved({"@merge": {"direction": "right", "objects": objects}}) == {"a": 1, "b": 2}
    assert resolved({"@merge": {"direction": "left", "objects": objects}}) == {"a": 1, "b": 1}


@pytest.mark.rule("segment.mapping-kit")
def test_an_undefined_key_takes_the_earlier_value_away_in_a_merge():
    assert resolved({"@merge": {"direction": "right", "objects": [{"a": 1, "b": 1}, {"a": {"@path": "nowhere"}}]}}) == {
        "b": 1
    }


@pytest.mark.rule("segment.mapping-kit")
def test_transform_maps_what_was_mapped_before():
    assert (
        resolved({"@transform": {"apply": {"who": {"@path": "$.userId"}}, "mapping": {"@template": "<{{who}}>"}}})
        == "<u1>"
    )


@pytest.mark.rule("segment.mapping-kit")
def test_flatten_joins_keys_with_its_separator():
    flat = {"address_city": "Paris", "address_street": None}
    assert resolved({"@flatten": {"separator": "_", "value": {"address": {"@path": "properties.address"}}}}) == flat


@pytest.mark.rule("segment.mapping-kit")
def test_json_encodes_as_javascript_and_leaves_what_it_cannot_decode():
    assert resolved({"@json": {"mode": "encode", "value": {"b": 5.0, "1": None}}}) == '{"1":null,"b":5}'
    assert resolved({"@json": {"mode": "decode", "value": "{broken"}}) == "{broken"


@pytest.mark.rule("segment.mapping-kit")
def test_exclude_when_null_clears_objects_and_not_arrays():
    assert resolved({"@excludeWhenNull": {"@path": "properties.note"}}) == "gone"
    assert resolved({"@excludeWhenNull": {"@path": "properties.address"}}) == {"city": "Paris"}
    assert resolved({"@excludeWhenNull": {"list": [None, {"a": None}]}}) == {"list": [None, {"a": None}]}


@pytest.mark.rule("segment.mapping-kit")
def test_the_internal_root_directive_wraps_the_other_fields():
    mapping = {
        "__segment_internal_directive": {"@transform": {"apply": {"a": {"@path": "userId"}}}},
        "b": {"@path": "a"},
    }
    assert compile_mapping(mapping)(EVENT) == {"b": "u1"}


@pytest.mark.rule("segment.mapping-kit.invalid")
@pytest.mark.parametrize(
    ("directive", "reason"),
    [
        ({"@nosuch": 1}, "invalid directive: @nosuch"),
        ({"@path": "a", "@template": "b"}, "should only have one @-prefixed key but it has 2 keys"),
        ({"@path": "a", "plain": 1}, "should only have one @-prefixed key but it has 2 keys"),
        ({"@path": 5}, "/field/@path should be a string or a mapping directive but it is a number"),
        ({"@replace": {"pattern": "longer than ten", "value": "x"}}, "of length 1 to 10"),
        ({"@merge": {"direction": "up", "objects": []}}, 'should be one of left, right but it is "up"'),
        ({"@json": {"mode": "encode"}}, 'should have field "value" but it doesn\'t'),
    ],
)
def test_a_wrong_directive_is_refused_with_its_place(directive, reason):
    with pytest.raises(InvalidMapping) as refusal:
        compile_mapping({"field": directive})
    assert reason in refusal.value.what


@pytest.mark.rule("segment.mapping-kit.invalid")
def test_a_path_that_is_no_text_only_fails_when_it_is_resolved():
    to_payload = compile_mapping({"field": {"@path": {"@path": "$.properties"}}})
    with pytest.raises(InvalidMapping, match="@path: expected string, got object"):
        to_payload(EVENT)


@pytest.mark.rule("segment.mapping-kit.invalid")
def test_a_wrong_directive_inside_an_array_only_fails_when_it_is_reached():
    mapping = {"field": {"@if": {"exists": {"@path": "nowhere"}, "then": [{"@nosuch": 1}], "else": "fine"}}}
    assert compile_mapping(mapping)(EVENT) == {"field": "fine"}


@pytest.mark.rule("segment.mapping-kit.liquid")
def test_liquid_reads_the_events_own_keys():
    pytest.importorskip("liquid")
    assert (
        resolved({"@liquid": "{{ properties.address.city | upcase }} {{ properties.products[1].price | times: 2 }}"})
        == "PARIS 5"
    )


@pytest.mark.rule("segment.mapping-kit.liquid")
@pytest.mark.parametrize(
    "template", ["{% for p in properties.products %}{% endfor %}", "{{ properties.products | sort }}", "x" * 1001]
)
def test_liquid_refuses_what_segment_switched_off(template):
    pytest.importorskip("liquid")
    with pytest.raises(InvalidMapping):
        resolved({"@liquid": template})
