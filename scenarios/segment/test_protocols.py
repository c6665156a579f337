"""Protocols: what a tracking plan finds in messages, and what a source lets it block and omit."""

import pytest

from trackside.errors import TracksideError
from trackside.explain import explain

DRAFT = "http://json-schema.org/draft-07/schema#"


def schema(holds="properties", required=(), **properties):
    inner = {"type": "object", "properties": properties, "required": list(required)}
    return {"$schema": DRAFT, "type": "object", "properties": {holds: inner}}


ORDER = {
    "type": "TRACK",
    "key": "Order Completed",
    "jsonSchema": schema(required=["products"], products={"type": "array"}, total={"type": "integer"}),
}
IDENTIFY = {"type": "IDENTIFY", "jsonSchema": schema("traits", plan={"enum": ["free", "pro"]})}
COMMON = {
    "type": "COMMON",
    "jsonSchema": {"type": "object", "properties": {"context": {"type": "object", "required": ["device"]}}},
}
FINE = {"userId": "u-1", "event": "Order Completed", "messageId": "m-1", "properties": {"products": []}}
BAD = {**FINE, "properties": {"total": 1.5}}


def workspace_of(*rules, **schema_settings):
    source = {"write_key": "wk_web", "destinations": ["statsig"], "tracking_plan": "Acme", "schema": schema_settings}
    return {"sources": {"web": source}, "tracking_plans": {"Acme": {"rules": list(rules)}}}


@pytest.fixture
def planned(make_segment):
    """Return a function that makes a Segment whose source is held against these rules, with these schema settings."""

    def make(*rules, **schema_settings):
        return make_segment(**workspace_of(*rules, **schema_settings))

    return make


def steps_of(journey):
    return [(step.kind, step.rule, step.level, step.code) for step in journey.steps if "protocols" in step.rule]


def violations_of(journey):
    return [(one.type, one.field, one.description) for one in journey.verdict.violations]


def delivered(journey):
    return [row.outcome for row in journey.deliveries]


# ---- what is planned and kept


@pytest.mark.rule("segment.protocols.rules")
def test_a_message_that_keeps_its_rule_goes_on_as_it_came(planned):
    journey = planned(ORDER).send("track", **FINE)

    assert (journey.outcome, steps_of(journey), delivered(journey)) == ("accepted", [], ["delivered"])
    assert "context" not in journey.message


@pytest.mark.rule("segment.protocols.rules")
def test_a_source_without_a_plan_checks_nothing(make_segment):
    journey = make_segment(tracking_plans={"Acme": {"rules": [ORDER]}}).send("track", **BAD)

    assert (journey.verdict, steps_of(journey)) == (None, [])


@pytest.mark.rule("segment.protocols.rules")
def test_the_name_of_the_event_counts_with_its_case(planned):
    journey = planned(ORDER).send("track", **{**BAD, "event": "order completed"})

    assert steps_of(journey) == [("info", "segment.protocols.unplanned", "note", "unplanned")]


@pytest.mark.rule("segment.protocols.rules")
def test_a_schema_sees_the_whole_message(planned):
    rule = {"type": "GROUP", "jsonSchema": {"properties": {"groupId": {"pattern": "^org-"}}}}

    journey = planned(rule).send("group", userId="u-1", groupId="g-1")

    assert violations_of(journey) == [("Pattern", "groupId", "Does not match pattern '^org-'")]


# ---- violations


@pytest.mark.rule("segment.protocols.violation")
@pytest.mark.parametrize(
    ("properties", "at"),
    [
        ({"order.id": 5}, '$.properties["order.id"]'),
        ({"items": ["a", 5]}, "$.properties.items[1]"),
        ({"items": []}, '$.properties["order.id"]'),
    ],
)
def test_a_step_tells_the_place_of_a_violation_as_a_json_path(planned, properties, at):
    inner = {"order.id": {"type": "string"}, "items": {"type": "array", "items": {"type": "string"}}}
    required = ["order.id"] if not properties.get("items", [1]) else []
    segment = planned({"type": "TRACK", "key": "E", "jsonSchema": schema(required=required, **inner)})

    journey = segment.send("track", userId="u-1", event="E", properties=properties)

    assert [step.at for step in journey.steps if step.rule == "segment.protocols.violation"] == [at]


@pytest.mark.rule("segment.protocols.rules")
@pytest.mark.parametrize("kind", ["IDENTIFY", "COMMON"])
def test_the_key_of_a_rule_counts_only_where_messages_have_names(planned, kind):
    rule = {"type": kind, "key": "Users", "jsonSchema": schema("traits", required=["plan"])}

    journey = planned(rule).send("identify", userId="u-1", traits={})

    assert violations_of(journey) == [("Required", "traits.plan", "traits.plan is required")]


@pytest.mark.rule("segment.protocols.violation", "segment.protocols.context")
def test_a_message_with_violations_goes_on_and_carries_them(planned):
    journey = planned(ORDER).send("track", **BAD)

    assert delivered(journey) == ["delivered"]
    assert journey.message["context"]["protocols"]["violations"] == [
        {"type": "Required", "field": "properties.products", "description": "properties.products is required"},
        {
            "type": "Invalid Type",
            "field": "properties.total",
            "description": "Invalid type. Expected: integer, given: number",
        },
    ]


@pytest.mark.rule("segment.protocols.violation")
def test_each_violation_is_one_warning_with_its_place(planned):
    segment = planned(ORDER, track={"allow_event_on_violations": False})
    segment.send("track", **BAD)

    told = [(finding.step.level, finding.step.at, finding.step.code) for finding in segment.lab.findings()]
    assert told == [("warning", "$.properties.products", "Required"), ("warning", "$.properties.total", "Invalid Type")]


@pytest.mark.rule("segment.protocols.violation")
def test_what_a_rule_and_the_common_schema_say_alike_is_told_once(planned):
    journey = planned(ORDER, {**COMMON, "jsonSchema": ORDER["jsonSchema"]}).send("track", **{**FINE, "properties": {}})

    assert violations_of(journey) == [("Required", "properties.products", "properties.products is required")]


@pytest.mark.rule("segment.protocols.violation-words")
@pytest.mark.parametrize(
    ("keyword", "value", "told"),
    [
        ({"type": ["string", "null"]}, 5, ("Invalid Type", "Invalid type. Expected: null,string, given: integer")),
        ({"type": "string"}, None, ("Invalid Type", "Invalid type. Expected: string, given: null")),
        ({"enum": ["a", 1]}, "b", ("Enum", 'properties.x must be one of the following: "a", 1')),
        ({"const": 5}, 6, ("Const", "properties.x does not match: 5")),
        ({"pattern": "^a"}, "b", ("Pattern", "Does not match pattern '^a'")),
        ({"format": "date-time"}, "now", ("Format", "Does not match format 'date-time'")),
        ({"minLength": 2}, "b", ("String Gte", "String length must be greater than or equal to 2")),
        ({"maximum": 2}, 3, ("Number Lte", "Must be less than or equal to 2")),
        ({"minItems": 1}, [], ("Array Min Items", "Array must have at least 1 items")),
        ({"propertyNames": {"maxLength": 1}}, {"ab": 1}, ("Invalid Property Name", 'Property name of "ab" does not match')),
        ({"additionalProperties": False}, {"b": 1}, ("Additional Property Not Allowed", "Additional property b is not allowed")),
        ({"dependencies": {"a": ["b"]}}, {"a": 1}, ("Missing Dependency", "Has a dependency on b")),
        ({"oneOf": [{}, {}]}, 1, ("Number One Of", "Must validate one and only one schema (oneOf)")),
    ],
)  # fmt: skip
def test_a_violation_is_told_as_segments_validator_tells_it(planned, keyword, value, told):
    rule = {"type": "TRACK", "key": "E", "jsonSchema": schema(x=keyword)}

    journey = planned(rule).send("track", userId="u-1", event="E", properties={"x": value})

    assert violations_of(journey) == [(told[0], "properties.x", told[1])]


@pytest.mark.rule("segment.protocols.violation-words")
def test_a_condition_that_is_not_met_is_a_violation_of_the_root(planned):
    common = {"if": {"required": ["userId"]}, "then": {"allOf": [{"required": ["anonymousId"]}]}}

    journey = planned({"type": "COMMON", "jsonSchema": common}, ORDER).send("track", **FINE)

    assert violations_of(journey) == [
        ("Condition Then", "(root)", 'Must validate "then" as "if" was valid'),
        ("Number All Of", "(root)", "Must validate all the schemas"),
        ("Required", "anonymousId", "anonymousId is required"),
    ]


@pytest.mark.rule("segment.protocols.violation-words")
def test_a_place_in_a_list_is_told_by_its_number(planned):
    rule = {"type": "TRACK", "key": "E", "jsonSchema": schema(products={"items": {"required": ["sku"]}})}

    journey = planned(rule).send("track", userId="u-1", event="E", properties={"products": [{"sku": "a"}, {}]})

    assert violations_of(journey) == [
        ("Required", "properties.products.1.sku", "properties.products.1.sku is required")
    ]


# ---- blocking


@pytest.mark.rule("segment.protocols.block")
def test_a_blocked_message_goes_to_no_destination(planned):
    journey = planned(ORDER, track={"allow_event_on_violations": False}).send("track", **BAD)

    assert (journey.outcome, journey.deliveries, journey.dropped("segment")) == ("blocked", [], True)
    assert steps_of(journey)[-1] == ("drop", "segment.protocols.block", None, "schema_violation")
    assert journey.as_json()["outcome"] == "blocked"


@pytest.mark.rule("segment.protocols.block")
def test_segment_keeps_no_blocked_message_and_says_why(planned):
    segment = planned(ORDER, track={"allow_event_on_violations": False})
    segment.send("track", **BAD)

    assert segment.lab.segment.events() == []
    with pytest.raises(AssertionError, match="the source web blocks it"):
        segment.lab.segment.expect_event("Order Completed", timeout=0)


@pytest.mark.rule("segment.protocols.block", "segment.dedup")
def test_a_blocked_message_that_comes_again_is_a_repeat(planned):
    segment = planned(ORDER, track={"allow_event_on_violations": False})
    segment.send("track", **BAD)

    assert segment.send("track", **BAD).outcome == "duplicate"


@pytest.mark.rule("segment.protocols.unplanned", "segment.protocols.block")
def test_an_unplanned_event_is_blocked_with_one_warning(planned):
    journey = planned(ORDER, track={"allow_unplanned_events": False}).send("track", userId="u-1", event="Other")

    assert journey.outcome == "blocked"
    assert steps_of(journey) == [("drop", "segment.protocols.block", "warning", "unplanned")]


@pytest.mark.rule("segment.protocols.unplanned", "segment.protocols.block")
def test_an_unplanned_event_that_breaks_the_common_schema_has_a_code_of_its_own(planned):
    segment = planned(ORDER, COMMON, track={"allow_unplanned_events": False})

    journey = segment.send("track", userId="u-1", event="Other", context={})

    assert journey.verdict.blocked == "unplanned_and_schema_violation"
    assert violations_of(journey) == [("Required", "context.device", "context.device is required")]


@pytest.mark.rule("segment.protocols.block")
def test_the_command_without_a_server_tells_of_a_block(planned):
    workspace = {
        "segment": {
            **workspace_of(ORDER, track={"allow_event_on_violations": False}),
            "destinations": {"statsig": {"type": "statsig", "api_key": "secret-local"}},
        }
    }

    call = explain({"type": "track", **BAD}, workspace).calls[0]

    assert (call.outcome, call.destinations) == ("blocked", [])
    assert [step.code for step in call.steps if step.kind == "drop"] == ["schema_violation"]


# ---- omitting


@pytest.mark.rule("segment.protocols.unplanned-names", "segment.protocols.context")
def test_unplanned_properties_are_omitted_and_named(planned):
    segment = planned(ORDER, track={"allow_unplanned_event_properties": False})

    journey = segment.send("track", **{**FINE, "properties": {"products": [], "coupon": "x", "note": "y"}})

    assert journey.message["properties"] == {"products": []}
    assert journey.message["context"]["protocols"]["omitted"] == ["coupon", "note"]
    assert steps_of(journey) == [("cut", "segment.protocols.unplanned-names", "warning", "")]


@pytest.mark.rule("segment.protocols.unplanned-names")
def test_a_name_is_planned_by_a_pattern_or_a_joined_schema_too(planned):
    joined = {"allOf": [{"properties": {"sku": {}}}, {"$ref": "#/definitions/more"}], "patternProperties": {"^x_": {}}}
    rule = {"definitions": {"more": {"properties": {"size": {}}}}, "properties": {"properties": joined}}
    segment = planned(
        {"type": "TRACK", "key": "E", "jsonSchema": rule}, track={"allow_unplanned_event_properties": False}
    )

    journey = segment.send("track", userId="u-1", event="E", properties={"sku": 1, "size": 2, "x_a": 3, "other": 4})

    assert list(journey.message["properties"]) == ["sku", "size", "x_a"]


@pytest.mark.rule("segment.protocols.unplanned-names")
@pytest.mark.parametrize(
    "rule",
    [
        {"allOf": [schema(sku={})]},
        {"definitions": {"a/b": schema(sku={})}, "$ref": "#/definitions/a~1b"},
        {"properties": {"other": schema(sku={}), "properties": {"$ref": "#/properties/other/properties/properties"}}},
    ],
)
def test_a_name_is_planned_wherever_the_schema_of_properties_stands(planned, rule):
    segment = planned(
        {"type": "TRACK", "key": "E", "jsonSchema": rule}, track={"allow_unplanned_event_properties": False}
    )

    journey = segment.send("track", userId="u-1", event="E", properties={"sku": 1, "other": 4})

    assert journey.message["properties"] == {"sku": 1}


@pytest.mark.rule("segment.protocols.unplanned-names")
def test_of_an_event_without_a_rule_every_property_is_unplanned(planned):
    segment = planned(ORDER, track={"allow_unplanned_event_properties": False})

    journey = segment.send("track", userId="u-1", event="Other", properties={"a": 1})

    assert (journey.outcome, journey.message["properties"]) == ("accepted", {})


@pytest.mark.rule("segment.protocols.unplanned-names")
@pytest.mark.parametrize("kind", ["identify", "group"])
def test_unplanned_traits_are_omitted_by_their_own_setting(planned, kind):
    rule = {"type": kind.upper(), "jsonSchema": schema("traits", plan={})}
    segment = planned(rule, **{kind: {"allow_unplanned_traits": False}})

    journey = segment.send(kind, userId="u-1", groupId="g-1", traits={"plan": "pro", "age": 4})

    assert journey.message["traits"] == {"plan": "pro"}


@pytest.mark.rule("segment.protocols.omit", "segment.protocols.context")
def test_properties_with_violations_are_omitted_and_named(planned):
    journey = planned(ORDER, track={"allow_properties_on_violations": False}).send("track", **BAD)

    assert journey.message["properties"] == {}
    assert journey.message["context"]["protocols"]["omitted_on_violation"] == ["total"]
    assert ("cut", "segment.protocols.omit", None, "") in steps_of(journey)


@pytest.mark.rule("segment.protocols.omit")
def test_a_property_with_dots_in_its_name_is_omitted_and_no_other(planned):
    rule = {"type": "TRACK", "key": "E", "jsonSchema": schema(**{"order.id": {"type": "string"}})}
    segment = planned(rule, track={"allow_properties_on_violations": False})

    journey = segment.send("track", userId="u-1", event="E", properties={"order.id": 5, "order": {"id": 1}})

    assert journey.message["properties"] == {"order": {"id": 1}}
    assert violations_of(journey)[0][1] == "properties.order.id"


@pytest.mark.rule("segment.protocols.omit")
def test_a_property_that_a_schema_does_not_allow_is_omitted(planned):
    rule = {"type": "TRACK", "key": "E", "jsonSchema": schema(a={})}
    rule["jsonSchema"]["properties"]["properties"]["additionalProperties"] = False
    segment = planned(rule, track={"allow_properties_on_violations": False})

    journey = segment.send("track", userId="u-1", event="E", properties={"a": 1, "coupon": "x"})

    assert journey.message["properties"] == {"a": 1}
    assert violations_of(journey)[0][1] == "properties"


@pytest.mark.rule("segment.protocols.omit")
def test_of_a_violation_deep_inside_the_whole_property_is_omitted(planned):
    rule = {"type": "TRACK", "key": "E", "jsonSchema": schema(cart={"properties": {"size": {"type": "integer"}}})}
    segment = planned(rule, track={"allow_properties_on_violations": False})

    journey = segment.send("track", userId="u-1", event="E", properties={"cart": {"size": "x", "id": 1}, "ok": True})

    assert journey.message["properties"] == {"ok": True}


@pytest.mark.rule("segment.protocols.omit")
def test_traits_with_violations_are_omitted(planned):
    segment = planned(IDENTIFY, identify={"allow_traits_on_violations": False})

    journey = segment.send("identify", userId="u-1", traits={"plan": "gold", "age": 4})

    assert journey.message["traits"] == {"age": 4}


@pytest.mark.rule("segment.protocols.context")
def test_the_version_that_was_asked_for_stays_in_the_context(planned):
    journey = planned(ORDER).send("track", **BAD, context={"protocols": {"event_version": 1}, "ip": "203.0.113.7"})

    assert journey.message["context"]["ip"] == "203.0.113.7"
    assert sorted(journey.message["context"]["protocols"]) == ["event_version", "sourceId", "violations"]


# ---- the common schema


@pytest.mark.rule("segment.protocols.common")
@pytest.mark.parametrize(("setting", "outcome"), [("ALLOW", "accepted"), ("BLOCK", "blocked")])
def test_a_call_that_breaks_the_common_schema_meets_its_setting(planned, setting, outcome):
    segment = planned(ORDER, COMMON, track={"common_event_on_violations": setting})

    journey = segment.send("track", **FINE, context={})

    assert journey.outcome == outcome
    assert journey.verdict.blocked == ("common_schema_violation" if outcome == "blocked" else "")


@pytest.mark.rule("segment.protocols.common")
def test_properties_that_break_the_common_schema_are_omitted(planned):
    common = {"type": "COMMON", "jsonSchema": schema(email={"not": {}})}
    segment = planned(ORDER, common, track={"common_event_on_violations": "OMIT_PROPERTIES"})

    journey = segment.send("track", **{**FINE, "properties": {"products": [], "email": "a@b.c"}})

    assert journey.message["properties"] == {"products": []}


@pytest.mark.rule("segment.protocols.common")
def test_identify_calls_have_a_setting_of_their_own_for_the_common_schema(planned):
    segment = planned(COMMON, track={"common_event_on_violations": "BLOCK"})

    assert segment.send("identify", userId="u-1", context={}).outcome == "accepted"


@pytest.mark.rule("segment.protocols.order", "segment.protocols.common")
def test_what_the_standard_controls_omit_does_not_reach_the_common_schema(planned):
    common = {"type": "COMMON", "jsonSchema": schema(email={"not": {}})}
    segment = planned(
        ORDER, common, track={"allow_unplanned_event_properties": False, "common_event_on_violations": "BLOCK"}
    )

    journey = segment.send("track", **{**FINE, "properties": {"products": [], "email": "a@b.c"}})

    assert (journey.outcome, violations_of(journey)) == ("accepted", [])


# ---- versions, pages


@pytest.mark.rule("segment.protocols.version")
@pytest.mark.parametrize(("asked", "broken"), [(2, True), (1, False), (7, False), ("2", False), (2.5, False), (True, False), (None, False)])  # fmt: skip
def test_the_version_of_the_event_picks_the_rule_else_the_oldest(planned, asked, broken):
    second = {**ORDER, "version": 2, "jsonSchema": schema(required=["subtotal"])}
    context = {"protocols": {"event_version": asked}}

    journey = planned(second, {**ORDER, "version": 1}).send("track", **FINE, context=context)

    assert bool(violations_of(journey)) == broken


@pytest.mark.rule("segment.protocols.page")
@pytest.mark.parametrize(
    ("name", "wanted"), [("Home", "properties.hero"), ("Other", "properties.any"), (None, "properties.any")]
)
def test_a_page_is_held_against_the_rule_of_its_name_else_against_that_of_all_pages(planned, name, wanted):
    home = {"type": "PAGE", "key": "Home", "jsonSchema": schema(required=["hero"])}
    pages = {"type": "PAGE", "jsonSchema": schema(required=["any"])}

    journey = planned(home, pages).send("page", userId="u-1", name=name, properties={})

    assert [one.field for one in journey.verdict.violations] == [wanted]


@pytest.mark.rule("segment.protocols.page")
def test_a_screen_is_held_against_the_event_screen_viewed(planned):
    rule = {"type": "TRACK", "key": "Screen Viewed", "jsonSchema": schema(required=["name"])}

    journey = planned(rule).send("screen", userId="u-1", name="Home", properties={})

    assert [one.field for one in journey.verdict.violations] == ["properties.name"]


@pytest.mark.rule("segment.protocols.page")
def test_a_page_with_violations_is_never_blocked(planned):
    pages = {"type": "PAGE", "jsonSchema": schema(required=["any"])}
    segment = planned(pages, track={"allow_event_on_violations": False, "common_event_on_violations": "BLOCK"})

    assert segment.send("page", userId="u-1", properties={}).outcome == "accepted"


def test_a_message_that_is_checked_is_not_changed():
    from trackside.segment.plans import CompiledPlan, CompiledRule, compile_schema
    from trackside.segment.protocols import Guard
    from trackside.segment.settings import Source, SourceSchema, TrackControls

    rule = CompiledRule("TRACK", "E", 1, ORDER["jsonSchema"], compile_schema(ORDER["jsonSchema"]))
    controls = TrackControls(allow_unplanned_event_properties=False, allow_properties_on_violations=False)
    guard = Guard("web", Source("wk", schema=SourceSchema(controls)), CompiledPlan("Acme", [rule]))
    message = {"type": "track", "event": "E", "properties": {"total": "x", "other": 1}}

    checked = guard.check(message).message

    assert checked["properties"] == {}
    assert message == {"type": "track", "event": "E", "properties": {"total": "x", "other": 1}}


def test_a_schema_of_another_draft_is_refused():
    from trackside.segment.plans import compile_schema

    with pytest.raises(TracksideError, match="of another draft"):
        compile_schema({"$schema": "https://json-schema.org/draft/2020-12/schema"})
