"""The Admin API's matchers against those that SDKs download, one by one; as pure functions."""

from __future__ import annotations

from typing import Any

import pytest

from trackside import catalog
from trackside.errors import TracksideError
from trackside.split.admin_definitions import to_admin, to_wire
from trackside.split.admin_state import Notes

BOTH = [{"treatment": "on", "size": 100}, {"treatment": "off", "size": 0}]
MATCHERS: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({"type": "IN_LIST_STRING", "strings": ["a"]}, "WHITELIST", {"whitelistMatcherData": {"whitelist": ["a"]}}),
    ({"type": "STARTS_WITH_STRING", "strings": ["a"]}, "STARTS_WITH", {"whitelistMatcherData": {"whitelist": ["a"]}}),
    ({"type": "ENDS_WITH_STRING", "strings": ["a"]}, "ENDS_WITH", {"whitelistMatcherData": {"whitelist": ["a"]}}),
    ({"type": "CONTAINS_STRING", "strings": ["a"]}, "CONTAINS_STRING", {"whitelistMatcherData": {"whitelist": ["a"]}}),
    ({"type": "MATCHES_STRING", "string": "^a"}, "MATCHES_STRING", {"stringMatcherData": "^a"}),
    ({"type": "EQUAL_SET", "strings": ["a"]}, "EQUAL_TO_SET", {"whitelistMatcherData": {"whitelist": ["a"]}}),
    ({"type": "ANY_OF_SET", "strings": ["a"]}, "CONTAINS_ANY_OF_SET", {"whitelistMatcherData": {"whitelist": ["a"]}}),
    ({"type": "ALL_OF_SET", "strings": ["a"]}, "CONTAINS_ALL_OF_SET", {"whitelistMatcherData": {"whitelist": ["a"]}}),
    ({"type": "PART_OF_SET", "strings": ["a"]}, "PART_OF_SET", {"whitelistMatcherData": {"whitelist": ["a"]}}),
    (
        {"type": "EQUAL_NUMBER", "number": 0},
        "EQUAL_TO",
        {"unaryNumericMatcherData": {"dataType": "NUMBER", "value": 0}},
    ),
    (
        {"type": "GREATER_THAN_OR_EQUAL_NUMBER", "number": 7},
        "GREATER_THAN_OR_EQUAL_TO",
        {"unaryNumericMatcherData": {"dataType": "NUMBER", "value": 7}},
    ),
    (
        {"type": "LESS_THAN_OR_EQUAL_NUMBER", "number": 7},
        "LESS_THAN_OR_EQUAL_TO",
        {"unaryNumericMatcherData": {"dataType": "NUMBER", "value": 7}},
    ),
    (
        {"type": "BETWEEN_NUMBER", "between": {"from": 1, "to": 2}},
        "BETWEEN",
        {"betweenMatcherData": {"dataType": "NUMBER", "start": 1, "end": 2}},
    ),
    (
        {"type": "ON_DATE", "date": 1735787045000},
        "EQUAL_TO",
        {"unaryNumericMatcherData": {"dataType": "DATETIME", "value": 1735787045000}},
    ),
    (
        {"type": "ON_OR_AFTER_DATE", "date": 1735787045000},
        "GREATER_THAN_OR_EQUAL_TO",
        {"unaryNumericMatcherData": {"dataType": "DATETIME", "value": 1735787045000}},
    ),
    (
        {"type": "ON_OR_BEFORE_DATE", "date": 1735787045000},
        "LESS_THAN_OR_EQUAL_TO",
        {"unaryNumericMatcherData": {"dataType": "DATETIME", "value": 1735787045000}},
    ),
    (
        {"type": "BETWEEN_DATE", "between": {"from": 1, "to": 2}},
        "BETWEEN",
        {"betweenMatcherData": {"dataType": "DATETIME", "start": 1, "end": 2}},
    ),
    ({"type": "BOOLEAN", "bool": False}, "EQUAL_TO_BOOLEAN", {"booleanMatcherData": False}),
    ({"type": "EQUAL_TO_SEMVER", "string": "1.0.0"}, "EQUAL_TO_SEMVER", {"stringMatcherData": "1.0.0"}),
    (
        {"type": "GREATER_THAN_OR_EQUAL_TO_SEMVER", "string": "1.0.0"},
        "GREATER_THAN_OR_EQUAL_TO_SEMVER",
        {"stringMatcherData": "1.0.0"},
    ),
    (
        {"type": "LESS_THAN_OR_EQUAL_TO_SEMVER", "string": "1.0.0"},
        "LESS_THAN_OR_EQUAL_TO_SEMVER",
        {"stringMatcherData": "1.0.0"},
    ),
    (
        {"type": "BETWEEN_SEMVER", "between": {"from": "1.0.0", "to": "2.0.0"}},
        "BETWEEN_SEMVER",
        {"betweenStringMatcherData": {"start": "1.0.0", "end": "2.0.0"}},
    ),
    (
        {"type": "IN_LIST_SEMVER", "strings": ["1.0.0"]},
        "IN_LIST_SEMVER",
        {"whitelistMatcherData": {"whitelist": ["1.0.0"]}},
    ),
    (
        {"type": "IN_SEGMENT", "string": "beta"},
        "IN_SEGMENT",
        {"userDefinedSegmentMatcherData": {"segmentName": "beta"}},
    ),
    (
        {"type": "IN_RULE_BASED_SEGMENT", "string": "beta"},
        "IN_RULE_BASED_SEGMENT",
        {"userDefinedSegmentMatcherData": {"segmentName": "beta"}},
    ),
    (
        {"type": "IN_LARGE_SEGMENT", "string": "beta"},
        "IN_LARGE_SEGMENT",
        {"userDefinedLargeSegmentMatcherData": {"largeSegmentName": "beta"}},
    ),
    (
        {"type": "IN_SPLIT", "depends": {"splitName": "base", "treatment": "on", "treatments": ["on"]}},
        "IN_SPLIT_TREATMENT",
        {"dependencyMatcherData": {"split": "base", "treatments": ["on"]}},
    ),
]


def definition(*matchers: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a definition as the Admin API takes it, with one rule of these matchers."""
    rules = [
        {"condition": {"combiner": "AND", "matchers": list(matchers)}, "buckets": [{"treatment": "on", "size": 100}]}
    ]
    return {
        "treatments": [{"name": "on"}, {"name": "off"}],
        "defaultTreatment": "off",
        "rules": rules if matchers else [],
        "defaultRule": [{"treatment": "off", "size": 100}],
        **more,
    }


def test_the_cases_are_every_matcher_of_the_contract_but_the_one_for_all() -> None:
    rule = catalog.load("split/admin-definition-request")["properties"]["rules"]["items"]
    types = rule["properties"]["condition"]["properties"]["matchers"]["items"]["properties"]["type"]["enum"]

    assert sorted([admin["type"] for admin, _, _ in MATCHERS] + ["ALL_KEYS"]) == sorted(types)


@pytest.mark.rule("split.admin.matchers")
@pytest.mark.parametrize(("admin", "kind", "data"), MATCHERS, ids=[admin["type"] for admin, _, _ in MATCHERS])
def test_a_matcher_becomes_what_sdks_know_and_back(admin: dict[str, Any], kind: str, data: dict[str, Any]) -> None:
    given = {**admin, "attribute": "age", "negate": True}
    body = definition(given)
    assert catalog.faults("split/admin-definition-request", body) == []
    wire = to_wire("banner", body, None, "user", [])

    assert catalog.faults("split/split-definition", wire) == []
    assert wire["conditions"][0]["matcherGroup"]["matchers"] == [
        {"keySelector": {"trafficType": "user", "attribute": "age"}, "matcherType": kind, "negate": True, **data}
    ]
    assert to_admin(wire, Notes())["rules"][0]["condition"]["matchers"] == [given]


@pytest.mark.rule("split.admin.matchers")
def test_a_rule_for_all_stands_before_the_default_rule() -> None:
    wire = to_wire("banner", definition({"type": "ALL_KEYS"}), None, "user", [])

    assert [one["partitions"] for one in wire["conditions"]] == [
        BOTH,
        [{"treatment": "off", "size": 100}, {"treatment": "on", "size": 0}],
    ]
    assert to_admin(wire, Notes())["rules"] == definition({"type": "ALL_KEYS", "negate": False})["rules"]


@pytest.mark.rule("split.admin.definition")
def test_a_new_definition_keeps_the_seeds_of_the_one_before() -> None:
    before = {
        **to_wire("banner", definition(), None, "user", []),
        "seed": 7,
        "trafficAllocationSeed": 8,
        "killed": True,
    }
    wire = to_wire("banner", definition(trafficAllocation=50), before, "user", ["web"])

    assert (wire["seed"], wire["trafficAllocationSeed"], wire["killed"]) == (7, 8, True)
    assert (wire["trafficAllocation"], wire["sets"]) == (50, ["web"])


@pytest.mark.rule("split.admin.definition")
def test_whatever_a_flag_file_holds_can_be_shown() -> None:
    wire = to_wire("banner", definition(), None, "user", [])
    odd = {
        **wire,
        "conditions": [
            {
                "conditionType": "WHITELIST",
                "label": "two at once",
                "matcherGroup": {
                    "combiner": "AND",
                    "matchers": [
                        {"keySelector": None, "matcherType": "WHITELIST", "negate": False, "whitelistMatcherData": {"whitelist": ["u-1"]}},
                        {"keySelector": None, "matcherType": "NEW_MATCHER", "negate": False},
                    ],
                },
                "partitions": BOTH,
            }
        ],
    }  # fmt: skip
    shown = to_admin(odd, Notes())

    assert [one["type"] for one in shown["rules"][0]["condition"]["matchers"]] == ["IN_LIST_STRING", "NEW_MATCHER"]
    assert shown["defaultRule"] == [{"treatment": "off", "size": 100}]


@pytest.mark.rule("split.admin.matchers", "split.sdk.patterns")
@pytest.mark.parametrize(
    ("matcher", "place", "what"),
    [
        ({"type": "BETWEEN_NUMBER", "between": {"from": "a", "to": 2}}, "between", "a BETWEEN_NUMBER matcher is between 'a' and 2"),
        ({"type": "BETWEEN_SEMVER", "between": {"from": "1.0.0", "to": 2}}, "between", "a BETWEEN_SEMVER matcher is between '1.0.0' and 2"),
        ({"type": "MATCHES_STRING", "string": "("}, "string", "the pattern '(' cannot be compiled"),
    ],
)  # fmt: skip
def test_what_sdks_could_not_compare_with_is_refused(matcher: dict[str, Any], place: str, what: str) -> None:
    rule = {"condition": {"combiner": "AND", "matchers": [matcher]}, "buckets": BOTH}
    admin = {
        "treatments": [{"name": "on"}, {"name": "off"}],
        "defaultTreatment": "off",
        "rules": [rule],
        "defaultRule": BOTH,
    }
    with pytest.raises(TracksideError) as caught:
        to_wire("banner", admin, None, "user", [])

    assert caught.value.where == f"$.rules[0].condition.matchers[0].{place}"
    assert caught.value.what.startswith(what)
