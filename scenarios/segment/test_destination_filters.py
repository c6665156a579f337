"""Destination filters: what of an event reaches one destination."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackside.errors import TracksideError, WorkspaceError
from trackside.segment.filters import compile_filters, parse_filters, sampling_number

EVENT = {
    "type": "track",
    "event": "Order Completed",
    "messageId": "m-1",
    "userId": "u-1",
    "context": {"ip": "203.0.113.7", "locale": "de-DE"},
    "properties": {
        "email": "jo@acme.com",
        "total": 30,
        "products": [{"sku": "a", "price": 10}, {"sku": "b", "price": 20}, "gift"],
    },
}


def apply(*rows, event=EVENT):
    return compile_filters(parse_filters(list(rows)))(event)


def fault_of(*rows):
    with pytest.raises(TracksideError) as caught:
        parse_filters(list(rows))
    return caught.value


# ---- drop


@pytest.mark.rule("segment.filter.drop")
def test_an_event_that_meets_a_drop_filter_does_not_reach_the_destination():
    message, _ = apply({"if": "contains(properties.email, '@acme.com')", "actions": [{"type": "drop"}]})
    assert message is None


@pytest.mark.rule("segment.filter.drop")
def test_an_event_that_meets_no_filter_is_handed_on_as_it_is():
    message, steps = apply({"if": "event = 'Signed Up'", "actions": [{"type": "drop"}]})
    assert message is EVENT
    assert steps == []


@pytest.mark.rule("segment.filter.drop")
def test_a_drop_has_segments_discard_code_and_names_the_filter_and_its_condition():
    _, (step,) = apply({"title": "No orders", "if": "event = 'Order Completed'", "actions": [{"type": "drop"}]})
    assert step.kind == "drop"
    assert step.code == "FILTERED_BY_RULES"
    assert "'No orders'" in step.text
    assert "event = 'Order Completed'" in step.text


@pytest.mark.rule("segment.filter.drop")
def test_a_drop_that_the_user_configured_is_no_finding():
    _, (step,) = apply({"if": "all", "actions": [{"type": "drop"}]})
    assert step.level is None


@pytest.mark.rule("segment.filter.all")
def test_all_is_met_by_every_event():
    assert apply({"if": "all", "actions": [{"type": "drop"}]}, event={"type": "page"})[0] is None


@pytest.mark.rule("segment.filter.all")
def test_a_filter_that_is_switched_off_is_not_applied():
    assert apply({"if": "all", "enabled": False, "actions": [{"type": "drop"}]})[0] is EVENT


# ---- sample


@pytest.mark.rule("segment.filter.sample")
def test_a_share_of_zero_lets_nothing_through_and_of_one_everything():
    for path in (None, "userId"):
        assert apply({"if": "all", "actions": [{"type": "sample", "percent": 0, "path": path}]})[0] is None
        assert apply({"if": "all", "actions": [{"type": "sample", "percent": 1, "path": path}]})[0] is EVENT


@pytest.mark.rule("segment.filter.sample")
@pytest.mark.parametrize(("percent", "kept"), [(0.71, False), (0.72, True)])
def test_the_md5_of_the_fields_json_decides(percent, kept):
    # MD5 of "user-1" with its quotes begins b78f, which is 0.717 of ffff.
    row = {"if": "all", "actions": [{"type": "sample", "percent": percent, "path": "userId"}]}
    message, _ = apply(row, event={"type": "track", "userId": "user-1"})
    assert (message is not None) is kept


@pytest.mark.rule("segment.filter.sample")
def test_one_value_has_one_fate_whatever_else_the_event_holds():
    row = {"if": "all", "actions": [{"type": "sample", "percent": 0.5, "path": "properties.plan"}]}
    events = [{"type": "track", "messageId": f"m-{i}", "properties": {"plan": "pro", "i": i}} for i in range(50)]
    assert len({apply(row, event=event)[0] is None for event in events}) == 1


@pytest.mark.rule("segment.filter.sample")
@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_what_a_small_share_lets_through_a_larger_one_does_too(user, one, other):
    low, high = sorted((one, other))
    event = {"type": "track", "userId": user}
    kept = [
        apply({"if": "all", "actions": [{"type": "sample", "percent": p, "path": "userId"}]}, event=event)[0]
        for p in (low, high)
    ]
    assert kept[0] is None or kept[1] is not None


@pytest.mark.rule("segment.filter.sample")
def test_about_the_share_of_the_users_gets_through():
    drawn = [sampling_number(f'"user-{number}"') for number in range(5000)]
    assert 0.08 < sum(number < 0.1 for number in drawn) / len(drawn) < 0.12


@pytest.mark.rule("segment.filter.sample")
def test_a_missing_field_and_one_that_is_null_draw_the_same():
    row = {"if": "all", "actions": [{"type": "sample", "percent": 0.000001, "path": "userId"}]}
    missing, null = ({"type": "track"}, {"type": "track", "userId": None})
    assert apply(row, event=missing)[1][0].text == apply(row, event=null)[1][0].text


@pytest.mark.rule("segment.filter.sample")
def test_a_sampled_out_event_says_what_it_drew_and_from_which_field():
    _, (step,) = apply(
        {"title": "Tenth", "if": "all", "actions": [{"type": "sample", "percent": 0.1, "path": "userId"}]},
        event={"type": "track", "userId": "user-1"},
    )
    assert (step.rule, step.at, step.code, step.level) == (
        "segment.filter.sample",
        "$.userId",
        "FILTERED_BY_RULES",
        None,
    )
    assert "drew 0.7170" in step.text


@pytest.mark.rule("segment.filter.sample-random")
def test_without_a_path_each_event_draws_by_its_message_id():
    row = {"if": "all", "actions": [{"type": "sample", "percent": 0.5}]}
    events = [{"type": "track", "userId": "u-1", "messageId": f"m-{i}"} for i in range(1000)]
    kept = [apply(row, event=event)[0] is not None for event in events]
    assert 400 < sum(kept) < 600
    assert kept == [apply(row, event=event)[0] is not None for event in events]


@pytest.mark.rule("segment.filter.sample-random")
def test_two_samples_without_a_path_draw_independently():
    half = {"if": "all", "actions": [{"type": "sample", "percent": 0.5}]}
    events = [{"type": "track", "messageId": f"m-{i}"} for i in range(1000)]
    assert 180 < sum(apply(half, half, event=event)[0] is not None for event in events) < 320


# ---- drop and allow properties


@pytest.mark.rule("segment.filter.drop-properties")
def test_named_properties_are_taken_away_and_the_others_stay():
    message, _ = apply({"if": "all", "actions": [{"type": "drop_properties", "fields": {"properties": ["email"]}}]})
    assert message == {**EVENT, "properties": {"total": 30, "products": EVENT["properties"]["products"]}}


@pytest.mark.rule("segment.filter.drop-properties")
def test_an_empty_path_is_the_top_level():
    message, (step,) = apply(
        {"if": "all", "actions": [{"type": "drop_properties", "fields": {"": ["userId", "context"]}}]}
    )
    assert sorted(message) == ["event", "messageId", "properties", "type"]
    assert step.at == "$"


@pytest.mark.rule("segment.filter.drop-properties")
def test_a_whole_array_can_be_taken_away():
    message, _ = apply({"if": "all", "actions": [{"type": "drop_properties", "fields": {"properties": ["products"]}}]})
    assert sorted(message["properties"]) == ["email", "total"]


@pytest.mark.rule("segment.filter.drop-properties")
@pytest.mark.parametrize("path", ["traits", "event", "properties.missing.deep", "properties.products.price"])
def test_a_path_that_leads_nowhere_changes_nothing(path):
    message, steps = apply({"if": "all", "actions": [{"type": "drop_properties", "fields": {path: ["email"]}}]})
    assert message is EVENT
    assert steps == []


@pytest.mark.rule("segment.filter.drop-properties")
def test_the_names_taken_away_are_recorded_without_their_values():
    _, (step,) = apply(
        {
            "title": "No PII",
            "if": "all",
            "actions": [{"type": "drop_properties", "fields": {"properties": ["email", "phone"]}}],
        }
    )
    assert (step.kind, step.rule, step.at, step.level) == (
        "cut",
        "segment.filter.drop-properties",
        "$.properties",
        None,
    )
    assert step.text == "the destination filter 'No PII' (if all) takes away email"
    assert "jo@acme.com" not in str(step)


@pytest.mark.rule("segment.filter.allow-properties")
def test_all_but_the_named_properties_are_taken_away():
    message, (step,) = apply(
        {"if": "all", "actions": [{"type": "allow_properties", "fields": {"properties": ["total", "plan"]}}]}
    )
    assert message["properties"] == {"total": 30}
    assert step.text.endswith("takes away email, products")


@pytest.mark.rule("segment.filter.allow-properties")
def test_only_the_named_objects_are_looked_into():
    message, _ = apply({"if": "all", "actions": [{"type": "allow_properties", "fields": {"properties": ["total"]}}]})
    assert message["context"] == EVENT["context"]


@pytest.mark.rule("segment.filter.arrays")
def test_properties_are_dropped_from_each_object_of_an_array():
    message, _ = apply(
        {"if": "all", "actions": [{"type": "drop_properties", "fields": {"properties.products": ["price"]}}]}
    )
    assert message["properties"]["products"] == [{"sku": "a"}, {"sku": "b"}, "gift"]


@pytest.mark.rule("segment.filter.arrays")
def test_properties_are_allowed_in_each_object_of_an_array():
    message, _ = apply(
        {"if": "all", "actions": [{"type": "allow_properties", "fields": {"properties.products": ["price"]}}]}
    )
    assert message["properties"]["products"] == [{"price": 10}, {"price": 20}, "gift"]


@pytest.mark.rule("segment.filter.arrays")
def test_a_single_element_of_an_array_cannot_be_named():
    message, _ = apply(
        {"if": "all", "actions": [{"type": "drop_properties", "fields": {"properties.products.0": ["price"]}}]}
    )
    assert message is EVENT


@pytest.mark.rule("segment.filter.drop-properties", "segment.filter.allow-properties")
def test_the_event_given_is_never_changed():
    before = copy.deepcopy(EVENT)
    apply(
        {
            "if": "all",
            "actions": [{"type": "drop_properties", "fields": {"": ["userId"], "properties.products": ["price"]}}],
        },
        {"if": "all", "actions": [{"type": "allow_properties", "fields": {"context": ["locale"]}}]},
    )
    assert before == EVENT


# ---- order


@pytest.mark.rule("segment.filter.order")
def test_drops_come_before_dropped_properties_whatever_the_order_in_the_workspace():
    message, steps = apply(
        {"if": "all", "actions": [{"type": "drop_properties", "fields": {"properties": ["email"]}}]},
        {"if": "contains(properties.email, '@acme.com')", "actions": [{"type": "drop"}]},
    )
    assert message is None
    assert [step.rule for step in steps] == ["segment.filter.drop"]


@pytest.mark.rule("segment.filter.order")
def test_samples_come_before_drops():
    _, (step,) = apply(
        {"if": "all", "actions": [{"type": "drop"}]},
        {"if": "all", "actions": [{"type": "sample", "percent": 0}]},
    )
    assert step.rule == "segment.filter.sample-random"


@pytest.mark.rule("segment.filter.order")
def test_properties_are_dropped_before_others_are_allowed():
    message, steps = apply(
        {"if": "all", "actions": [{"type": "allow_properties", "fields": {"properties": ["email", "total"]}}]},
        {"if": "all", "actions": [{"type": "drop_properties", "fields": {"properties": ["email"]}}]},
    )
    assert message["properties"] == {"total": 30}
    assert [step.rule for step in steps] == ["segment.filter.drop-properties", "segment.filter.allow-properties"]


@pytest.mark.rule("segment.filter.order")
def test_each_condition_sees_the_event_as_it_arrived():
    message, _ = apply(
        {"if": "all", "actions": [{"type": "drop_properties", "fields": {"properties": ["email"]}}]},
        {"if": "properties.email != null", "actions": [{"type": "drop_properties", "fields": {"": ["userId"]}}]},
    )
    assert "userId" not in message


@pytest.mark.rule("segment.filter.order")
def test_two_only_send_filters_that_exclude_each_other_let_nothing_through():
    rows = [
        {"title": "Only send orders", "if": "!(event = 'Order Completed')", "actions": [{"type": "drop"}]},
        {"title": "Only send sign-ups", "if": "!(event = 'Signed Up')", "actions": [{"type": "drop"}]},
    ]
    assert apply(*rows)[0] is None
    assert apply(*rows, event={**EVENT, "event": "Signed Up"})[0] is None


# ---- fail closed


@pytest.mark.rule("segment.filter.fail-closed")
def test_an_invalid_condition_drops_every_event_with_a_warning():
    message, (step,) = apply(
        {"title": "No PII", "if": 'userId = oops"', "actions": [{"type": "drop_properties", "fields": {"": ["a"]}}]}
    )
    assert message is None
    assert (step.kind, step.rule, step.level, step.code) == (
        "drop",
        "segment.filter.fail-closed",
        "warning",
        "FILTERED_BY_RULES",
    )
    assert "line 1, column 14" in step.text
    assert step.fix == "close the string with the quote it began with"


@pytest.mark.rule("segment.filter.fail-closed")
def test_a_condition_that_cannot_be_evaluated_drops_the_event_with_a_warning():
    row = {"if": "number(properties.total) > 5", "actions": [{"type": "drop"}]}
    message, (step,) = apply(row, event={"type": "track", "properties": {"total": "30 EUR"}})
    assert message is None
    assert (step.rule, step.level) == ("segment.filter.fail-closed", "warning")
    assert "'30 EUR'" in step.text


@pytest.mark.rule("segment.filter.fail-closed")
def test_an_invalid_condition_of_a_filter_that_is_switched_off_does_no_harm():
    assert apply({"if": "userId = ", "enabled": False, "actions": [{"type": "drop"}]})[0] is EVENT


# ---- reading filters


@pytest.mark.rule("segment.filter.all")
def test_filters_are_read_in_the_shape_of_the_public_api():
    (chosen,) = parse_filters(
        [
            {
                "id": "f1",
                "sourceId": "s1",
                "destinationId": "d1",
                "title": "No PII",
                "description": "for the auditors",
                "if": "type = 'track'",
                "actions": [{"type": "DROP_PROPERTIES", "fields": {"": ["userId"]}, "percent": None, "path": None}],
                "enabled": True,
            }
        ]
    )
    assert (chosen.title, chosen.condition, chosen.enabled) == ("No PII", "type = 'track'", True)
    assert chosen.actions[0].fields == {"": ("userId",)}


@pytest.mark.rule("segment.filter.limits")
def test_a_destination_has_at_most_ten_filters():
    row = {"if": "all", "actions": [{"type": "drop"}]}
    assert len(parse_filters([row] * 10)) == 10
    assert fault_of(*[row] * 11).what == "11 filters, and Segment takes 10"


@pytest.mark.rule("segment.filter.limits")
def test_a_filter_with_a_condition_longer_than_5_kb_is_refused():
    assert fault_of({"if": f"event = '{'é' * 2600}'", "actions": [{"type": "drop"}]}).where == "$.filters[0].if"


@pytest.mark.rule("segment.filter.all")
@pytest.mark.parametrize(
    ("row", "where", "what"),
    [
        ("drop", "$.filters[0]", "the filter is 'drop'"),
        ({"actions": [{"type": "drop"}]}, "$.filters[0].if", "the condition is None"),
        ({"if": " ", "actions": [{"type": "drop"}]}, "$.filters[0].if", "the condition is ' '"),
        ({"if": "all"}, "$.filters[0].actions", "actions is None"),
        ({"if": "all", "actions": []}, "$.filters[0].actions", "actions is []"),
        ({"if": "all", "actions": ["drop"]}, "$.filters[0].actions[0]", "the action is 'drop'"),
        (
            {"if": "all", "actions": [{"type": "hash"}]},
            "$.filters[0].actions[0].type",
            "there is no action type 'hash'",
        ),
        (
            {"if": "all", "actions": [{"type": "sample", "percent": 10}]},
            "$.filters[0].actions[0].percent",
            "percent is 10",
        ),
        ({"if": "all", "actions": [{"type": "sample"}]}, "$.filters[0].actions[0].percent", "percent is None"),
        (
            {"if": "all", "actions": [{"type": "sample", "percent": True}]},
            "$.filters[0].actions[0].percent",
            "percent is True",
        ),
        (
            {"if": "all", "actions": [{"type": "sample", "percent": 0.1, "path": 5}]},
            "$.filters[0].actions[0].path",
            "path is 5",
        ),
        ({"if": "all", "actions": [{"type": "drop_properties"}]}, "$.filters[0].actions[0].fields", "fields is None"),
        (
            {"if": "all", "actions": [{"type": "drop_properties", "fields": {"properties": "email"}}]},
            "$.filters[0].actions[0].fields.properties",
            "fields holds 'properties': 'email'",
        ),
        (
            {"if": "all", "actions": [{"type": "drop", "percent": 0.5}]},
            "$.filters[0].actions[0].percent",
            "there is no key 'percent' here",
        ),
        ({"if": "all", "actions": [{"type": "drop"}], "enabled": "yes"}, "$.filters[0].enabled", "enabled is 'yes'"),
        ({"if": "all", "actions": [{"type": "drop"}], "title": 5}, "$.filters[0].title", "the title is 5"),
        (
            {"if": "all", "actions": [{"type": "drop"}], "enable": False},
            "$.filters[0].enable",
            "there is no key 'enable' here",
        ),
    ],
)
def test_a_fault_says_what_is_wrong_and_where(row, where, what):
    fault = fault_of(row)
    assert (fault.where, fault.what) == (where, what)
    assert fault.fix


@pytest.mark.rule("segment.filter.all")
def test_all_faults_are_listed_at_once():
    fault = fault_of({"if": "", "actions": [{"type": "sample", "percent": 2}]}, {"if": "all"})
    assert isinstance(fault, WorkspaceError)
    assert [one.where for one in fault.faults] == [
        "$.filters[0].if",
        "$.filters[0].actions[0].percent",
        "$.filters[1].actions",
    ]


@pytest.mark.rule("segment.filter.fail-closed")
def test_an_invalid_condition_is_no_fault_of_the_workspace():
    assert parse_filters([{"if": 'userId = oops"', "actions": [{"type": "drop"}]}])[0].condition == 'userId = oops"'
