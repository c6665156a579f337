"""The codes of contracts: what can break, where, and what each code means in words."""

from __future__ import annotations

import re
from typing import Any

import pytest
from contract_examples import every_contract, payloads

from trackside import catalog
from trackside.codes import KEYWORDS, Held, codes_of, find, page
from trackside.contract_fields import Field, fields_of, unknown_fields
from trackside.errors import TracksideError
from trackside.rules import RULES

segment = pytest.mark.rule("segment.contract")


def stands_for(place: str, at: str) -> bool:
    """Return whether a place of a contract stands for a place of a payload: ``$.batch[*]`` does for ``$.batch[0]``."""
    parts = re.split(r"(\[\*\]|\.\*)", place)
    wild = {"[*]": r"\[\d+\]", ".*": r"(\.[^.\[]+|\[\"([^\"\\]|\\.)*\"\])"}
    return re.fullmatch("".join(wild.get(part) or re.escape(part) for part in parts), at) is not None


def holder(fault: catalog.Fault) -> str:
    """Return the place that a fault is asked of: an unknown field's is the object that it stands in."""
    return catalog.json_path(fault.path[:-1]) if fault.keyword in catalog.UNKNOWN_FIELDS else fault.at


@pytest.mark.parametrize("contract", every_contract())
def test_every_fault_of_an_example_has_a_code_that_holds_at_its_place(contract: str) -> None:
    codes = {code.id: [at for held in code.held for at in held.at] for code in codes_of(contract)}
    faults = [
        fault for payload in payloads(contract, "invalid").values() for fault in catalog.faults(contract, payload)
    ]

    wrong = [fault.text for fault in faults if not any(stands_for(at, holder(fault)) for at in codes[fault.code])]

    assert wrong == []


@pytest.mark.parametrize("contract", every_contract())
def test_every_code_of_a_contract_has_a_page_of_its_own(contract: str) -> None:
    for code in codes_of(contract):
        lines = page(code.id).splitlines()

        assert lines[0] == f"# {code.id}"
        assert "| asked | where |" in lines
        assert all(held.asks and held.at for held in code.held)


@pytest.fixture
def contract_of(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes a schema the contract ``scenario/payload``."""

    def make(schema: dict[str, Any]) -> str:
        monkeypatch.setattr(catalog, "load", lambda _: schema)
        return "scenario/payload"

    return make


def held(contract: str) -> dict[str, tuple[Held, ...]]:
    return {code.keyword: code.held for code in codes_of(contract) if code.keyword != "depth"}


@segment
def test_a_field_that_only_some_payloads_need_is_told_with_the_condition() -> None:
    asked = held("segment/batch")["required"]

    assert Held('must be there (where `$.batch[*].type` is `"track"`)', ("$.batch[*].event",)) in asked


@segment
def test_the_second_of_two_conditions_says_more_than_that_the_first_is_not_met(contract_of: Any) -> None:
    def kind(name: str) -> dict[str, Any]:
        return {"properties": {"kind": {"const": name}}, "required": ["kind"]}

    schema = {
        "if": kind("a"),
        "then": {"required": ["x"]},
        "else": {"if": kind("b"), "then": {"required": ["y"]}, "else": {"required": ["z"]}},
    }

    assert held(contract_of(schema))["required"] == (
        Held('must be there (where `$.kind` is `"a"`)', ("$.x",)),
        Held('must be there (where `$.kind` is `"b"`)', ("$.y",)),
        Held('must be there (where `$.kind` is not `"a"` and is not `"b"`)', ("$.z",)),
    )


@segment
def test_what_depends_on_a_field_is_told_with_it(contract_of: Any) -> None:
    schema = {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"properties": {"d": False}}}}

    assert held(contract_of(schema)) == {
        "required": (Held("must be there where `$.a` is", ("$.b",)),),
        "falseSchema": (Held("not allowed (where `$.c` is there)", ("$.d",)),),
    }


@segment
def test_a_condition_without_words_is_told_as_some_cases(contract_of: Any) -> None:
    schema = {"if": {"properties": {"n": {"minimum": 3}}}, "then": {"required": ["x"]}}

    assert held(contract_of(schema)) == {"required": (Held("must be there (in some cases)", ("$.x",)),)}


@segment
def test_the_branches_of_a_choice_are_told_as_one(contract_of: Any) -> None:
    schema = {"anyOf": [{"type": "string", "minLength": 1}, {"const": 0}]}

    assert held(contract_of(schema)) == {"anyOf": (Held("a string or `0`", ("$",)),)}


@segment
def test_what_may_not_be_is_told_in_words_where_there_are_some(contract_of: Any) -> None:
    one = {"title": "one word", "pattern": "^[a-z]+\\n?$", "not": {"pattern": "\\n"}}
    none = {"title": "no b beside an a", "not": {}}

    asked = held(contract_of({"properties": {"a": one, "b": none}}))["not"]

    assert asked == (Held("one word: no line break", ("$.a",)), Held("no b beside an a", ("$.b",)))


@segment
def test_limits_of_zero_and_false_are_told_too(contract_of: Any) -> None:
    schema = {"properties": {"a": {"minimum": 0}, "b": {"const": False}, "c": {"uniqueItems": False}}}

    assert held(contract_of(schema)) == {
        "const": (Held("only `false`", ("$.b",)),),
        "minimum": (Held("at least 0", ("$.a",)),),
    }


@segment
def test_a_closed_object_is_told_by_the_keyword_that_its_faults_have(contract_of: Any) -> None:
    contract = contract_of({"properties": {"a": {"additionalProperties": False}}, "additionalProperties": False})

    assert held(contract) == {
        "additionalProperties": (Held("no other fields", ("$",)),),
        "falseSchema": (Held("no other fields", ("$.a",)),),
    }


@segment
def test_a_schema_that_holds_itself_is_told_once(contract_of: Any) -> None:
    tree = {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}

    fields = fields_of(contract_of({"$ref": "#/$defs/tree", "$defs": {"tree": tree}}))

    assert [(field.at, field.type) for field in fields] == [
        ("$", "object"),
        ("$.children", "array"),
        ("$.children[*]", "object"),
    ]


@segment
def test_a_field_is_told_with_its_type_its_limits_and_what_it_is_for() -> None:
    assert fields_of("segment/track")[2] == Field(
        at="$.event",
        type="string",
        required="yes",
        limits="at least 1 character",
        description="Name of what the user did, such as Order Completed.",
    )


@pytest.mark.rule("split.contract")
def test_a_field_that_only_a_pattern_says_to_be_text_is_told_as_text() -> None:
    types = {field.at: field.type for field in fields_of("split/admin-flag-set")}

    assert types["$.name"] == "string"


@segment
def test_whether_unknown_fields_pass_is_told_in_a_word() -> None:
    assert unknown_fields(catalog.load("segment/track")) == "pass"
    assert unknown_fields(catalog.load("segment/success-answer")) == "refused"


@pytest.mark.rule("launchdarkly.contract")
def test_whether_unknown_fields_of_a_list_pass_is_that_of_its_items() -> None:
    assert unknown_fields(catalog.load("launchdarkly/segment-events")) == "refused"
    assert unknown_fields(catalog.load("launchdarkly/goals")) == "pass"


@pytest.mark.rule("statsig.contract")
def test_unknown_fields_that_must_have_a_form_neither_pass_nor_are_refused() -> None:
    assert unknown_fields(catalog.load("statsig/segment-track")) == "as $.* says"


@pytest.mark.parametrize("contract", every_contract())
def test_a_contract_says_in_words_whether_unknown_fields_pass(contract: str) -> None:
    schema = catalog.load(contract)
    told = unknown_fields(schema)

    said = re.findall(r"nknown \w+[^.:;]*? (do not pass|are refused|pass)", schema["description"])

    words = {"pass": ["pass"], "refused": ["do not pass", "are refused"]}.get(told, said)
    assert said[:1] == [word for word in words if word in said[:1]]
    assert said or not told


@segment
def test_every_meaning_says_what_is_wrong_and_what_to_do() -> None:
    assert [text for text in KEYWORDS.values() if not re.fullmatch(r"[A-Z][^.]+\. [A-Z][^.]+\.", text)] == []


@pytest.mark.rule("split.in.page")
def test_the_page_of_a_rule_has_its_source_its_setting_and_what_else_is_said() -> None:
    rule = RULES["split.in.page"]

    assert page("split.in.page") == (
        "# split.in.page\n\n"
        "A named page call becomes the event view_\\<name>_page.\n\n"
        f"- Source: {rule.origin}\n"
        "- Confidence: documented\n"
        "- Setting: `split.segment_inbound[].page_prefix`\n\n"
        "What else is said, or left open:\n"
        "Segment's page has viewed_\\<name>_page.\n"
    )


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_page(rule: str) -> None:
    assert page(rule).startswith(f"# {rule}\n\n")


@segment
def test_a_code_that_does_not_exist_is_told_with_those_that_are_like_it() -> None:
    with pytest.raises(TracksideError, match=r"no rule or code 'segment/track.requierd'.*segment/track.required"):
        find("segment/track.requierd")


@segment
def test_a_keyword_that_a_contract_does_not_use_is_no_code_of_it() -> None:
    with pytest.raises(TracksideError, match=r"no rule or code 'segment/track.maximum'"):
        page("segment/track.maximum")
