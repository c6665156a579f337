"""Tracking plans in the workspace: rules in place and in files, and what is wrong with them, with its place."""

import json

import pytest

from trackside import workspace
from trackside.errors import WorkspaceError
from trackside.lab import Lab
from trackside.segment.plans import compile_schema
from trackside.wire import Request

RULE = {"type": "TRACK", "key": "Order Completed", "jsonSchema": {"properties": {"properties": {"required": ["sku"]}}}}


def document(*rules, **plan):
    source = {"write_key": "wk_web", "tracking_plan": "Acme"}
    return {"segment": {"sources": {"web": source}, "tracking_plans": {"Acme": {"rules": list(rules), **plan}}}}


def faults_of(given):
    with pytest.raises(WorkspaceError) as caught:
        workspace.load(given)
    return [(fault.where.removeprefix("the workspace: "), fault.what) for fault in caught.value.faults]


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes a workspace file beside a plan's file, and gives the workspace file's path."""

    def write(plan):
        (tmp_path / "plan.json").write_text(plan if isinstance(plan, str) else json.dumps(plan))
        path = tmp_path / "trackside.yaml"
        path.write_text(
            "segment:\n  sources: {web: {write_key: wk_web, tracking_plan: Acme}}\n"
            "  tracking_plans:\n    Acme: {file: plan.json}\n"
        )
        return path

    return write


def violations_of(lab):
    body = {"writeKey": "wk_web", "userId": "u-1", "event": "Order Completed", "properties": {}}
    lab.receive("segment", Request("POST", "/v1/track", body=json.dumps(body).encode()))
    return [one.field for one in next(lab.journeys(newest_first=True)).verdict.violations]


# ---- files


@pytest.mark.rule("segment.protocols.file")
@pytest.mark.parametrize("wrap", [lambda rules: {"rules": rules}, lambda rules: {"data": {"rules": rules}}])
def test_a_plan_is_read_from_a_file_beside_the_workspace(folder, wrap):
    lab = Lab(folder(wrap([{**RULE, "version": 1, "createdAt": "2026-01-02T03:00:00.000Z"}])))

    assert violations_of(lab) == ["properties.sku"]


@pytest.mark.rule("segment.protocols.file")
def test_a_plans_file_is_looked_at_for_changes(folder):
    path = folder({"rules": [RULE]})

    assert [file.name for file in workspace.load(path).files] == ["trackside.yaml", "plan.json"]


@pytest.mark.rule("segment.protocols.file")
def test_rules_of_the_workspace_and_of_the_file_are_one_plan(folder):
    path = folder({"rules": [RULE]})
    path.write_text(
        path.read_text().replace("file: plan.json", "file: plan.json, rules: [{type: PAGE, jsonSchema: {}}]")
    )

    assert [row["type"] for row in workspace.load(path).segment.tracking_plans["Acme"].rules] == ["PAGE", "TRACK"]


@pytest.mark.rule("segment.protocols.file")
def test_a_journal_is_read_back_with_the_rules_of_its_time(folder, tmp_path):
    lab = Lab(folder({"rules": [RULE]}), data=tmp_path / "journal.sqlite")
    violations_of(lab)
    lab.stop()

    again = Lab(folder({"rules": []}), data=tmp_path / "journal.sqlite")

    assert [one.field for one in next(again.journeys()).verdict.violations] == ["properties.sku"]
    again.stop()


@pytest.mark.rule("segment.protocols.file")
@pytest.mark.parametrize(
    ("content", "where", "what"),
    [
        ("{", "plan.json:1:2", "the file is not JSON"),
        ({}, "plan.json: $.rules", "rules is missing"),
        ({"rules": [{"type": "TRACK", "jsonSchema": {}}]}, "plan.json: $.rules[0].key", "key is missing"),
    ],
)
def test_a_file_that_is_no_plan_is_a_fault_with_its_place(folder, content, where, what):
    [(at, told)] = faults_of(folder(content))

    assert at.endswith(where)
    assert told.startswith(what)


@pytest.mark.rule("segment.protocols.file")
def test_a_plans_file_that_is_not_there_is_a_fault(folder):
    path = folder({"rules": []})
    (path.parent / "plan.json").unlink()

    assert [what for _, what in faults_of(path)] == ["the file cannot be read: No such file or directory"]


# ---- faults of rules


@pytest.mark.rule("segment.protocols.look-ahead")
@pytest.mark.parametrize(
    ("schema", "at"),
    [
        ({"properties": {"event": {"pattern": "^(?!x)"}}}, ".properties.event.pattern"),
        ({"patternProperties": {"(?<!x)y": {}}}, '.patternProperties["(?<!x)y"]'),
    ],
)
def test_a_pattern_that_looks_around_is_a_fault_with_its_place(schema, at):
    [(where, what)] = faults_of(document({**RULE, "jsonSchema": schema}))

    assert where == f"$.segment.tracking_plans.Acme.rules[0].jsonSchema{at}"
    assert "looks ahead or behind" in what


@pytest.mark.rule("segment.protocols.rules")
@pytest.mark.parametrize(
    ("schema", "at", "what"),
    [
        ({"properties": {"event": {"type": "txt"}}}, ".properties.event.type", "it is no JSON Schema of draft-07"),
        ({"pattern": "("}, ".pattern", "it is no JSON Schema of draft-07"),
        ({"$ref": "http://127.0.0.1:9/a.json"}, "", "the schema refers to what it does not hold"),
        ({"$ref": "#/definitions/a"}, "", "the schema refers to what it does not hold"),
        ({"const": 2**70}, "", "the schema holds what JSON cannot"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, '["$schema"]', "the schema is of another draft"),
    ],
)
def test_a_schema_that_cannot_be_used_is_a_fault_with_its_place(schema, at, what):
    [(where, told)] = faults_of(document({**RULE, "jsonSchema": schema}))

    assert where == f"$.segment.tracking_plans.Acme.rules[0].jsonSchema{at}"
    assert told.startswith(what)


@pytest.mark.rule("segment.protocols.rules", "segment.protocols.version")
def test_a_version_that_is_given_twice_is_a_fault():
    rule = {**RULE, "version": 2}

    assert faults_of(document(RULE, rule, rule)) == [
        ("$.segment.tracking_plans.Acme.rules[2]", "version 2 of the rule Order Completed is given twice")
    ]


@pytest.mark.rule("segment.protocols.rules")
@pytest.mark.parametrize("missing", ["type", "key", "jsonSchema"])
def test_a_rule_needs_a_type_a_schema_and_for_track_a_key(missing):
    rule = {name: value for name, value in RULE.items() if name != missing}

    assert faults_of(document(rule)) == [(f"$.segment.tracking_plans.Acme.rules[0].{missing}", f"{missing} is missing")]


@pytest.mark.rule("segment.protocols.rules")
def test_a_source_that_names_no_plan_of_the_workspace_is_a_fault():
    given = document(RULE)
    given["segment"]["sources"]["web"]["tracking_plan"] = "Acmee"

    assert faults_of(given) == [("$.segment.sources.web.tracking_plan", "there is no tracking plan 'Acmee'")]


@pytest.mark.rule("segment.protocols.forward", "segment.protocols.forward-blocked")
@pytest.mark.parametrize("key", ["forwarding_violations_to", "forwarding_blocked_events_to"])
def test_forwarding_to_no_source_of_the_workspace_is_a_fault(key):
    given = document(RULE)
    given["segment"]["sources"]["web"]["schema"] = {key: "elsewhere"}

    assert faults_of(given) == [(f"$.segment.sources.web.schema.{key}", "there is no source 'elsewhere'")]


@pytest.mark.rule("segment.protocols.rules")
def test_a_schema_that_stays_the_same_is_compiled_once():
    schema = {"type": "object", "required": ["event"]}

    assert compile_schema(schema) is compile_schema({**schema})
