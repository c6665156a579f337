"""``trackside validate --plan``: a tracking plan of any form held against calls."""

from __future__ import annotations

import json

import pytest

from trackside.validation.options import Options

ORDER = {
    "type": "object",
    "properties": {
        "properties": {
            "type": "object",
            "properties": {"total": {"type": "number"}, "coupon": {"type": "string", "pattern": "^[A-Z]+$"}},
            "required": ["total"],
        },
        "traits": {},
    },
    "required": ["properties"],
}
"""A rule of Segment's for the event Order Completed: over the whole call."""

OWN = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}
"""The same as a team writes it: over ``properties``."""

LISTED = {"rules": [{"type": "TRACK", "key": "Order Completed", "version": 1, "jsonSchema": ORDER}]}
EXPORTED = {
    "name": "workspaces/acme/tracking-plans/rs_123",
    "display_name": "Kicks App",
    "rules": {
        "identify_traits": [],
        "group_traits": [],
        "global": {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"},
        "events": [{"name": "Order Completed", "description": "Who bought what", "version": 1, "rules": ORDER}],
    },
}


def track(event="Order Completed", **properties):
    return {"type": "track", "userId": "user-7", "event": event, "properties": properties}


@pytest.fixture
def check(judged, tmp_path):
    """Return a function that holds calls against a plan, and keeps what is told of them."""

    def run(plan, *calls):
        if not isinstance(plan, str):
            path = tmp_path / "plan.json"
            path.write_text(json.dumps(plan, indent=2))
            plan = str(path)
        return judged(Options(plan=plan), *calls)

    return run


@pytest.fixture
def told(check):
    """Return a function that holds calls against a plan, and gives code, level and place of each finding."""

    def run(plan, *calls):
        found = check(plan, *calls)
        assert found.summary.faults == []
        return [(finding.code, finding.level, finding.at) for finding in found.findings]

    return run


@pytest.fixture
def fault(check, tmp_path):
    """Return a function that gives the one fault of a plan: what is wrong, and where behind the folder."""

    def run(plan):
        summary = check(plan, track(total=1)).summary
        assert summary.exit_code == 2
        (found,) = summary.faults
        assert found.fix
        return found.what, found.where.removeprefix(f"{tmp_path}/")

    return run


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes files by name into a folder, and gives its path."""

    def write(**files):
        path = tmp_path / "plan"
        path.mkdir()
        for name, value in files.items():
            (path / f"{name.replace('_', ' ')}.json").write_text(json.dumps(value))
        return str(path)

    return write


# ---- forms


@pytest.mark.rule("segment.protocols.file")
@pytest.mark.parametrize("wrap", [lambda plan: plan, lambda plan: {"data": plan}], ids=["bare", "in data"])
def test_rules_as_the_public_api_lists_them_are_a_plan(told, wrap):
    assert told(wrap(LISTED), track(total="12")) == [("segment.protocols.violation", "strict", "$.properties.total")]


@pytest.mark.rule("segment.protocols.export")
@pytest.mark.parametrize(
    "wrap", [lambda plan: plan, lambda plan: {"tracking_plan": plan}], ids=["bare", "in a request"]
)
def test_a_plan_of_the_config_api_is_a_plan(told, wrap):
    assert told(wrap(EXPORTED), track(total="12")) == [("segment.protocols.violation", "strict", "$.properties.total")]


@pytest.mark.rule("segment.protocols.export")
def test_schemas_of_an_export_that_call_themselves_draft_04_are_taken(told):
    rules = {
        "events": [
            {"name": "Order Completed", "rules": {**ORDER, "$schema": "http://json-schema.org/draft-04/schema#"}}
        ]
    }

    assert told({"rules": rules}, track(total="12")) == [
        ("segment.protocols.violation", "strict", "$.properties.total")
    ]


@pytest.mark.rule("segment.protocols.export", "segment.protocols.common")
def test_the_global_rule_of_an_export_is_held_against_every_call(told):
    plan = {"rules": {"global": {"required": ["context"]}, "events": []}}

    assert told(plan, {"type": "identify", "userId": "user-7"}) == [
        ("segment.protocols.violation", "strict", "$.context")
    ]


@pytest.mark.rule("segment.protocols.export")
def test_the_identify_rule_of_an_export_is_held_against_identify_calls(told):
    plan = {
        "rules": {"identify": {"properties": {"traits": {"properties": {"age": {"type": "number"}}}}}, "events": []}
    }

    assert told(plan, {"type": "identify", "userId": "user-7", "traits": {"age": "12"}}) == [
        ("segment.protocols.violation", "strict", "$.traits.age")
    ]


@pytest.mark.rule("segment.protocols.schemas")
def test_an_object_of_schemas_by_event_is_a_plan(told):
    assert told({"Order Completed": OWN}, track(total="12")) == [
        ("segment.protocols.violation", "strict", "$.properties.total")
    ]


@pytest.mark.rule("segment.protocols.schemas")
def test_a_folder_of_schemas_is_a_plan_whose_events_are_the_names_of_its_files(told, folder):
    assert told(folder(Order_Completed=OWN), track(total="12")) == [
        ("segment.protocols.violation", "strict", "$.properties.total")
    ]


@pytest.mark.rule("segment.protocols.schemas")
def test_a_schema_that_knows_properties_is_one_of_the_whole_call(told):
    assert told({"Order Completed": ORDER}, track()) == [
        ("segment.protocols.violation", "strict", "$.properties.total")
    ]


@pytest.mark.rule("segment.protocols.schemas")
def test_a_schema_of_the_whole_call_names_its_event_itself(told, folder):
    schema = {"properties": {"event": {"const": "Order Completed"}, "properties": {"required": ["total"]}}}

    assert told(folder(order=schema), track()) == [("segment.protocols.violation", "strict", "$.properties.total")]


@pytest.mark.rule("segment.protocols.schemas")
def test_a_schema_may_be_one_of_identify_calls(told, folder):
    schema = {"properties": {"type": {"const": "identify"}, "traits": {"required": ["email"]}}}

    assert told(folder(identify=schema), {"type": "identify", "userId": "user-7", "traits": {}}) == [
        ("segment.protocols.violation", "strict", "$.traits.email")
    ]


@pytest.mark.rule("segment.protocols.schemas")
def test_a_schema_of_properties_is_held_against_a_call_without_any(told):
    call = {"type": "track", "userId": "user-7", "event": "Order Completed"}

    assert told({"Order Completed": OWN}, call) == [("segment.protocols.violation", "strict", "$.properties.total")]


@pytest.mark.rule("segment.protocols.schemas")
def test_own_schemas_may_be_of_the_newest_draft(told):
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "dependentRequired": {"coupon": ["total"]}}

    assert told({"Order Completed": schema}, track(coupon="ABC")) == [
        ("segment.protocols.violation", "strict", "$.properties.total")
    ]


@pytest.mark.rule("segment.protocols.schemas")
def test_an_own_schema_may_refer_to_another_file(told, folder, tmp_path):
    path = folder(Order_Completed={"$ref": "../money.json"})
    (tmp_path / "money.json").write_text(json.dumps(OWN))

    assert told(path, track(total="12")) == [("segment.protocols.violation", "strict", "$.properties.total")]


# ---- what is told


@pytest.mark.rule("segment.protocols.violation", "segment.protocols.violation-words")
def test_a_violation_is_told_in_segments_words_with_its_line(check):
    found = check(LISTED, track(total=1), track(total="12"))

    assert found.findings[0].text == (
        "properties.total: Invalid type. Expected: number, given: string (rule Order Completed of the tracking plan)"
    )
    assert (found.findings[0].line, found.summary.exit_code) == (2, 1)


@pytest.mark.rule("segment.protocols.unplanned")
def test_an_event_that_the_plan_does_not_have_is_a_warning(told):
    assert told(LISTED, track("Signed Up")) == [("segment.protocols.unplanned", "warn", "$.event")]


@pytest.mark.rule("segment.protocols.unplanned")
def test_an_event_that_is_spelt_otherwise_is_told_with_the_plans_own_name(check):
    found = check(LISTED, track("order_completed", total=1))

    assert found.findings[0].text == (
        "the tracking plan has no event order_completed; it has Order Completed, "
        "which differs by blanks or underscores and upper or lower case"
    )


@pytest.mark.rule("segment.protocols.unplanned-names")
def test_a_property_that_its_rule_does_not_have_is_a_warning(told):
    assert told(LISTED, track(total=1, colour="red")) == [
        ("segment.protocols.unplanned-names", "warn", "$.properties.colour")
    ]


@pytest.mark.rule("segment.protocols.unplanned-names", "segment.protocols.common")
def test_a_property_that_the_common_schema_has_is_planned(told):
    unit = {"properties": {"properties": {"properties": {"unit": {"type": "string"}}}}}
    plan = {"rules": [*LISTED["rules"], {"type": "COMMON", "jsonSchema": unit}]}

    assert told(plan, track(total=1, unit="eu")) == []


@pytest.mark.rule("segment.protocols.unplanned-names")
def test_a_property_that_its_rule_forbids_is_told_once(told):
    closed = {"properties": {"properties": {"properties": {}, "additionalProperties": False}}}

    assert told({"rules": [{"type": "TRACK", "key": "E", "jsonSchema": closed}]}, track("E", colour="red")) == [
        ("segment.protocols.violation", "strict", "$.properties.colour")
    ]


@pytest.mark.rule("segment.protocols.schemas")
def test_an_own_schema_that_is_open_by_its_own_word_plans_every_property(told):
    assert told({"E": {**OWN, "additionalProperties": True}}, track("E", total=1, colour="red")) == []


@pytest.mark.rule("segment.protocols.unplanned-names")
def test_properties_that_sdks_add_to_pages_are_not_told(told):
    plan = {"rules": [{"type": "PAGE", "jsonSchema": {"properties": {"properties": {"properties": {}}}}}]}

    assert told(plan, {"type": "page", "userId": "user-7", "properties": {"url": "https://example.com/"}}) == []


@pytest.mark.rule("segment.protocols.violation")
def test_what_a_rule_and_the_common_schema_say_is_told_once(told):
    plan = {"rules": [*LISTED["rules"], {"type": "COMMON", "jsonSchema": ORDER}]}

    assert told(plan, track(total="12")) == [("segment.protocols.violation", "strict", "$.properties.total")]


def test_what_breaks_the_calls_own_contract_is_not_told_again(told):
    call = {"type": "track", "userId": "user-7", "event": "Order Completed", "properties": [1]}

    assert told(LISTED, call) == [("segment/track.type", "strict", "$.properties")]


@pytest.mark.rule("segment.batch.merge", "segment.protocols.common")
def test_a_call_of_a_batch_is_held_with_the_context_of_the_batch(told):
    plan = {"rules": [{"type": "COMMON", "jsonSchema": {"required": ["context"]}}, *LISTED["rules"]]}
    batch = {"batch": [track(total=1)], "context": {"locale": "en-US"}}

    assert told(plan, batch) == []


@pytest.mark.rule("segment.protocols.version")
def test_a_call_is_held_against_the_version_that_it_asks_for(told):
    second = {"type": "TRACK", "key": "Order Completed", "version": 2, "jsonSchema": {"required": ["anonymousId"]}}
    call = {**track(), "context": {"protocols": {"event_version": 2}}}

    assert told({"rules": [*LISTED["rules"], second]}, call) == [
        ("segment.protocols.violation", "strict", "$.anonymousId")
    ]


# ---- plans that cannot be used


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"rules": [\n  {"type": "TRAK", "jsonSchema": {}}\n]}', ('type is "TRAK"', "plan.json:2:4")),
        ('{"rules": [\n', ("the tracking plan is not JSON: unexpected end of data", "plan.json:2:1")),
        ("[1]", ("the file has no form of a tracking plan", "plan.json:1:1")),
        ('{"rules": {"events": [\n  {"name": "E"}]}}', ("the event has no name, or no rules", "plan.json:2:3")),
        ('{"rules": {"events": [],\n "identify_traits": [1]}}', ("identify_traits has rows, whose form is documented nowhere", "plan.json:2:2")),
        ('{"Order Completed":\n 5}', ("Order Completed is neither an event with a JSON Schema nor a plan's field", "plan.json:1:2")),
        ('{"tracking_plans": [{}, {}]}', ("the file lists several tracking plans", "plan.json:1:2")),
        ('{"data": {"rules": [], "pagination": {"current": "MA==",\n "next": "Mg=="}}}', ("the file has one page of the plan's rules, and more follow", "plan.json:2:2")),
    ],
    ids=["contract", "no JSON", "no form", "event", "traits", "no schema", "several", "one page"],
)  # fmt: skip
def test_a_plan_in_the_wrong_shape_is_an_error_with_file_line_and_column(fault, tmp_path, text, expected):
    (tmp_path / "plan.json").write_text(text)

    assert fault(str(tmp_path / "plan.json")) == expected


@pytest.mark.rule("segment.protocols.rules")
def test_a_schema_of_a_rule_that_is_none_is_an_error_at_its_place(fault):
    plan = {"rules": [{"type": "TRACK", "key": "E", "jsonSchema": {"properties": {"a": {"type": "text"}}}}]}

    what, where = fault(plan)

    assert what.startswith("it is no JSON Schema of draft-07")
    assert where == "plan.json:9:13"


def test_a_reference_that_leads_nowhere_is_an_error(fault):
    what, where = fault({"rules": [{"type": "TRACK", "key": "E", "jsonSchema": {"$ref": "#/definitions/no"}}]})

    assert what.startswith("the schema refers to what it does not hold")
    assert where.startswith("plan.json:")


@pytest.mark.rule("segment.protocols.schemas")
@pytest.mark.parametrize("ref", ["#/$defs/no", "other.json", "https://example.com/x.json"])
def test_a_reference_of_an_own_schema_that_leads_nowhere_is_an_error(fault, ref):
    what, where = fault({"E": {"$ref": ref}})

    assert what.startswith("$ref ")
    assert where.startswith("plan.json:")


@pytest.mark.rule("segment.protocols.schemas")
def test_an_own_schema_that_is_none_is_an_error_at_its_place(fault):
    assert fault({"E": {"properties": ["a"]}})[1] == "plan.json:3:5"


def test_a_rule_that_is_given_twice_is_an_error(fault, folder):
    what, where = fault(folder(a={**LISTED}, b={**LISTED}))

    assert what == "version 1 of the rule Order Completed is given twice"
    assert where.startswith("plan/b.json:1:")


def test_a_plan_that_is_not_there_is_an_error(fault):
    assert fault("/no/such/plan.json") == (
        "the tracking plan cannot be read: No such file or directory",
        "/no/such/plan.json",
    )


def test_an_empty_folder_is_an_error(fault, folder):
    assert fault(folder()) == ("no file in the folder ends with .json", "plan")


def test_a_plan_that_cannot_be_used_leaves_the_contracts_in_force(check):
    found = check("/no/such/plan.json", {"type": "track", "userId": "user-7"})

    assert [finding.code for finding in found.findings] == ["segment/track.required"]
    assert found.summary.exit_code == 2


def test_several_pages_of_rules_are_one_plan_in_a_folder(told, folder):
    first = {"data": {**LISTED, "pagination": {"current": "MA==", "next": "Mg=="}}}
    second = {
        "data": {"rules": [{"type": "TRACK", "key": "Signed Up", "jsonSchema": {}}], "pagination": {"current": "Mg=="}}
    }

    assert told(folder(one=first, two=second), track(total=1), track("Signed Up")) == []
