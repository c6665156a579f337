"""Triggers of mappings: the small and forgiving language in which Segment's Actions framework reads them."""

from __future__ import annotations

import pytest

from trackside.segment.actions.triggers import InvalidTrigger, compile_trigger

ORDER = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u1",
    "properties": {"total": 12, "plan": "pro", "paid": True},
}


def matches(trigger: str, message: dict[str, object] = ORDER) -> bool:
    return compile_trigger(trigger)(message)


@pytest.mark.rule("segment.triggers")
@pytest.mark.parametrize(
    "trigger",
    [
        'type = "track"',
        'type = track and event = "Order Completed"',
        'event != "Order Cancelled"',
        "properties.total >= 12",
        "properties.total = 12",
        "properties.paid = true",
        'contains(event, "Completed")',
        'match(event, "Order*")',
        'match(event, "*Completed")',
        '!contains(event, "Cancelled")',
        "userId != null",
        "properties.coupon = null",
        'type = "identify" or (event = "Order Completed" and userId = "u1")',
    ],
)
def test_what_the_app_writes_matches_as_it_reads(trigger):
    assert matches(trigger)


@pytest.mark.rule("segment.triggers")
def test_the_last_connective_joins_every_condition():
    assert not matches('type = "track" or event = "Other" and userId = "someone else"')
    assert matches('type = "page" and event = "Other" or userId = "u1"')


@pytest.mark.rule("segment.triggers")
def test_only_double_quotes_make_a_text():
    assert not matches("type = 'track'")


@pytest.mark.rule("segment.triggers")
def test_connectives_in_capitals_are_skipped_like_any_unknown_word():
    assert not matches('type = "page" OR type = "track"')


@pytest.mark.rule("segment.triggers")
def test_a_number_never_equals_the_text_of_it():
    assert not matches('properties.total = "12"')
    assert not matches("properties.plan != 12")


@pytest.mark.rule("segment.triggers")
def test_a_missing_value_differs_from_every_text_but_from_no_number():
    assert matches('properties.coupon != "SUMMER"')
    assert not matches("properties.coupon != 5")


@pytest.mark.rule("segment.triggers")
def test_a_negated_function_needs_a_text():
    assert not matches('!contains(properties.coupon, "x")')
    assert not matches('!match(properties.total, "1*")')


@pytest.mark.rule("segment.triggers")
def test_a_star_inside_a_match_is_no_wildcard():
    assert not matches('match(event, "O*d")')


@pytest.mark.rule("segment.triggers")
def test_the_event_is_compared_with_null_as_a_text():
    assert matches("event != null", {"type": "track"})
    assert matches("event = null", {"type": "track", "event": "null"})


@pytest.mark.rule("segment.triggers")
def test_a_negation_before_parentheses_is_ignored():
    assert matches('!(type = "track")')


@pytest.mark.rule("segment.triggers")
def test_an_escaped_blank_belongs_to_the_name():
    assert matches("properties.product\\ 1.price = 5", {"type": "track", "properties": {"product 1": {"price": 5}}})


@pytest.mark.rule("segment.triggers")
def test_an_index_does_not_reach_into_an_array():
    assert not matches('properties.list.0 = "a"', {"type": "track", "properties": {"list": ["a"]}})


@pytest.mark.rule("segment.triggers")
def test_conditions_on_other_fields_are_passed_over():
    assert matches('anonymousId = "nobody" and type = "track"')


@pytest.mark.rule("segment.triggers")
@pytest.mark.parametrize("trigger", ['type = "track" and', 'type = "track" )', 'type = "track"'])
def test_what_hangs_on_at_the_end_is_ignored(trigger):
    assert matches(trigger)


@pytest.mark.rule("segment.triggers.invalid")
@pytest.mark.parametrize(
    "trigger",
    [
        "",
        "   ",
        'anonymousId = "a1"',
        'type!="track"',
        'type = "track',
        "type",
        "((type = track))",
        "(type = track",
        "#",
    ],
)
def test_a_trigger_that_segment_cannot_read_is_refused(trigger):
    with pytest.raises(InvalidTrigger, match="nothing matches it"):
        compile_trigger(trigger)
