"""LaunchDarkly's semantic patch: what each instruction does to a feature flag as the REST API shows it."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from trackside.errors import TracksideError
from trackside.launchdarkly.instructions import KINDS, Target
from trackside.launchdarkly.model import complete_flag
from trackside.launchdarkly.representation import flag_representation
from trackside.launchdarkly.semantic_patch import patched

FRANCE = {"contextKind": "user", "attribute": "country", "op": "in", "values": ["fr"], "negate": False}
BETA = {"contextKind": "user", "attribute": "beta", "op": "in", "values": [True], "negate": False}
ITEM = complete_flag(
    {
        "key": "banner",
        "on": True,
        "variations": ["control", "blue", "green"],
        "fallthrough": {"variation": 0},
        "offVariation": 0,
        "targets": [{"variation": 1, "values": ["u-9"]}],
        "rules": [{"id": "r-1", "variation": 1, "clauses": [FRANCE]}, {"id": "r-2", "variation": 2, "clauses": [BETA]}],
        "prerequisites": [{"key": "allowed", "variation": 0}],
    }
)
FLAG = flag_representation("default", "banner", {"production": ITEM, "staging": ITEM}, {"tags": ["web"]})
CONTROL, BLUE, GREEN = (variation["_id"] for variation in FLAG["variations"])
CLAUSE = FLAG["environments"]["production"]["rules"][0]["clauses"][0]["_id"]
OTHERS = {
    "allowed": [{"_id": "yes", "value": True}, {"_id": "no", "value": False}],
    "other": [{"_id": "o", "value": 1}],
}

pytestmark = pytest.mark.rule("launchdarkly.rest.semantic-patch")


def applied(*instructions: dict[str, Any], environment: str = "production") -> dict[str, Any]:
    return patched(Target(FLAG, environment, OTHERS.get), instructions)


def production(*instructions: dict[str, Any]) -> dict[str, Any]:
    return applied(*instructions)["environments"]["production"]


def refused(*instructions: dict[str, Any], environment: str = "production") -> TracksideError:
    with pytest.raises(TracksideError) as caught:
        applied(*instructions, environment=environment)
    return caught.value


def rule_ids(configuration: dict[str, Any]) -> list[str]:
    return [rule["_id"] for rule in configuration["rules"]]


def test_a_flag_is_turned_on_and_off() -> None:
    assert production({"kind": "turnFlagOff"})["on"] is False
    assert production({"kind": "turnFlagOff"}, {"kind": "turnFlagOn"})["on"] is True


def test_the_other_environment_and_the_given_flag_stay_as_they_are() -> None:
    before = copy.deepcopy(FLAG)

    assert applied({"kind": "turnFlagOff"})["environments"]["staging"]["on"] is True
    assert before == FLAG


def test_the_default_rule_serves_a_variation() -> None:
    instruction = {"kind": "updateFallthroughVariationOrRollout", "variationId": GREEN}

    assert production(instruction)["fallthrough"] == {"variation": 2}


def test_the_default_rule_serves_percentages() -> None:
    weights = {CONTROL: 60_000, BLUE: 40_000}
    more = {"rolloutContextKind": "organization", "rolloutBucketBy": "city"}
    instruction = {"kind": "updateFallthroughVariationOrRollout", "rolloutWeights": weights, **more}

    assert production(instruction)["fallthrough"] == {
        "rollout": {
            "contextKind": "organization",
            "bucketBy": "city",
            "variations": [{"variation": 0, "weight": 60_000}, {"variation": 1, "weight": 40_000}],
        }
    }


def test_the_off_variation_is_named_by_its_id() -> None:
    assert production({"kind": "updateOffVariation", "variationId": BLUE})["offVariation"] == 1


@pytest.mark.parametrize("kind", ["addTargets", "addUserTargets"])
def test_targets_are_added_once(kind: str) -> None:
    instruction = {"kind": kind, "variationId": BLUE, "values": ["u-9", "u-1"]}

    assert production(instruction)["targets"] == [{"values": ["u-9", "u-1"], "variation": 1, "contextKind": "user"}]


def test_targets_of_another_kind_have_a_list_of_their_own() -> None:
    instruction = {"kind": "addTargets", "contextKind": "organization", "variationId": BLUE, "values": ["o-1"]}

    target = {"values": ["o-1"], "variation": 1, "contextKind": "organization"}
    assert production(instruction)["contextTargets"] == [target]


def test_a_key_is_the_target_of_one_variation_only() -> None:
    fault = refused({"kind": "addTargets", "variationId": GREEN, "values": ["u-9"]})

    assert (fault.what, fault.where) == ("'u-9' is a target of another variation", "$.instructions[0].values")


@pytest.mark.parametrize("wrong", [[], {}, 5, None, True])
@pytest.mark.parametrize("instruction", [{"kind": "addTargets", "variationId": BLUE}, {"kind": "addTags"}])
def test_keys_and_tags_are_text(instruction: dict[str, Any], wrong: Any) -> None:
    fault = refused({**instruction, "values": ["a", wrong]})
    assert (fault.what, fault.where) == (f"{wrong!r} is no text", "$.instructions[0].values[1]")


@pytest.mark.parametrize("kind", ["removeTargets", "removeUserTargets"])
def test_targets_are_removed(kind: str) -> None:
    assert production({"kind": kind, "variationId": BLUE, "values": ["u-9", "u-0"]})["targets"][0]["values"] == []


def test_the_targets_of_a_variation_are_cleared() -> None:
    assert production({"kind": "clearTargets", "variationId": BLUE})["targets"] == []


def test_targets_are_replaced() -> None:
    targets = [{"variationId": GREEN, "values": ["u-9"]}]

    assert production({"kind": "replaceTargets", "targets": targets})["targets"] == [
        {"values": ["u-9"], "variation": 2, "contextKind": "user"}
    ]


def test_a_rule_is_added_behind_the_others() -> None:
    clause = {"attribute": "plan", "op": "in", "values": ["pro"]}

    added = production({"kind": "addRule", "variationId": GREEN, "clauses": [clause]})["rules"][-1]

    assert (added["variation"], added["trackEvents"]) == (2, False)
    assert added["clauses"] == [{"contextKind": "user", "negate": False, **clause}]
    assert added["_id"] not in ("r-1", "r-2")


def test_a_rule_is_added_before_another() -> None:
    rules = rule_ids(production({"kind": "addRule", "variationId": GREEN, "clauses": [], "beforeRuleId": "r-2"}))

    assert (rules[0], rules[2], len(rules)) == ("r-1", "r-2", 3)


def test_two_rules_that_are_alike_have_ids_of_their_own() -> None:
    instruction = {"kind": "addRule", "variationId": GREEN, "clauses": [FRANCE]}

    assert len(set(rule_ids(production(instruction, instruction)))) == 4


def test_a_rule_is_removed_and_one_that_is_not_there_is_no_fault() -> None:
    kind = "removeRule"

    assert rule_ids(production({"kind": kind, "ruleId": "r-1"}, {"kind": kind, "ruleId": "r-0"})) == ["r-2"]


def test_rules_are_replaced() -> None:
    rules = [{"variationId": BLUE, "clauses": [BETA]}]

    assert [rule["variation"] for rule in production({"kind": "replaceRules", "rules": rules})["rules"]] == [1]


def test_rules_are_put_in_another_order() -> None:
    assert rule_ids(production({"kind": "reorderRules", "ruleIds": ["r-2", "r-1"]})) == ["r-2", "r-1"]


@pytest.mark.parametrize("ids", [["r-1"], ["r-1", "r-1"], ["r-1", "r-2", "r-3"]])
def test_an_order_names_each_rule_once(ids: list[str]) -> None:
    assert refused({"kind": "reorderRules", "ruleIds": ids}).where == "$.instructions[0].ruleIds"


def test_a_rule_serves_percentages_instead_of_its_variation() -> None:
    weights = {BLUE: 100_000}

    rule = production({"kind": "updateRuleVariationOrRollout", "ruleId": "r-1", "rolloutWeights": weights})["rules"][0]

    assert "variation" not in rule
    assert rule["rollout"]["variations"] == [{"variation": 1, "weight": 100_000}]


def test_a_rule_tracks_events() -> None:
    instruction = {"kind": "updateRuleTrackEvents", "ruleId": "r-2", "trackEvents": True}

    assert [rule["trackEvents"] for rule in production(instruction)["rules"]] == [False, True]


def test_clauses_are_added_to_a_rule() -> None:
    rule = production({"kind": "addClauses", "ruleId": "r-1", "clauses": [BETA]})["rules"][0]

    assert [clause["attribute"] for clause in rule["clauses"]] == ["country", "beta"]


def test_clauses_are_removed_from_a_rule() -> None:
    instruction = {"kind": "removeClauses", "ruleId": "r-1", "clauseIds": [CLAUSE]}

    assert production(instruction)["rules"][0]["clauses"] == []


def test_a_clause_is_replaced() -> None:
    instruction = {"kind": "updateClause", "ruleId": "r-1", "clauseId": CLAUSE, "clause": BETA}

    assert production(instruction)["rules"][0]["clauses"] == [BETA]


def test_values_are_added_to_and_removed_from_a_clause() -> None:
    of = {"ruleId": "r-1", "clauseId": CLAUSE}
    added = {"kind": "addValuesToClause", **of, "values": ["fr", "de"]}
    removed = {"kind": "removeValuesFromClause", **of, "values": ["fr"]}

    assert production(added)["rules"][0]["clauses"][0]["values"] == ["fr", "de"]
    assert production(added, removed)["rules"][0]["clauses"][0]["values"] == ["de"]


def test_a_prerequisite_names_the_other_flags_variation() -> None:
    instruction = {"kind": "addPrerequisite", "key": "other", "variationId": "o"}

    assert production(instruction)["prerequisites"] == [
        {"key": "allowed", "variation": 0},
        {"key": "other", "variation": 0},
    ]


def test_a_prerequisite_is_changed_and_removed() -> None:
    changed = {"kind": "updatePrerequisite", "key": "allowed", "variationId": "no"}
    removed = {"kind": "removePrerequisite", "key": "allowed"}

    assert production(changed)["prerequisites"] == [{"key": "allowed", "variation": 1}]
    assert production(removed)["prerequisites"] == []


def test_only_a_prerequisite_can_be_changed() -> None:
    fault = refused({"kind": "updatePrerequisite", "key": "other", "variationId": "o"})

    assert fault.what == "'other' is no prerequisite of the flag"


def test_events_of_the_flag_and_of_its_default_rule_are_tracked() -> None:
    assert production({"kind": "updateTrackEvents", "trackEvents": True})["trackEvents"] is True
    assert production({"kind": "updateTrackEventsFallthrough", "trackEvents": True})["trackEventsFallthrough"] is True


@pytest.mark.parametrize("value", ["usingMobileKey", "usingEnvironmentId"])
def test_availability_is_turned_off_and_on_for_the_flag_as_a_whole(value: str) -> None:
    off, on = ({"kind": f"turn{way}ClientSideAvailability", "value": value} for way in ("Off", "On"))

    assert applied(off, environment="")["clientSideAvailability"][value] is False
    assert applied(off, on, environment="")["clientSideAvailability"][value] is True


def test_availability_is_of_one_of_two_kinds() -> None:
    assert refused({"kind": "turnOnClientSideAvailability", "value": "everywhere"}).where == "$.instructions[0].value"


def test_a_variation_is_added_and_renamed() -> None:
    added = applied({"kind": "addVariation", "value": "red", "name": "Red"}, environment="")["variations"]
    changed = applied({"kind": "updateVariation", "variationId": BLUE, "name": "Blue"}, environment="")["variations"]

    assert (added[3]["value"], added[3]["name"]) == ("red", "Red")
    assert changed[1] == {"_id": BLUE, "value": "blue", "name": "Blue"}


def test_tags_name_description_and_life_are_changed() -> None:
    shown = applied(
        {"kind": "addTags", "values": ["web", "app"]},
        {"kind": "removeTags", "values": ["web"]},
        {"kind": "updateName", "value": "Banner"},
        {"kind": "updateDescription", "value": "Above the list"},
        {"kind": "makeFlagTemporary"},
        environment="",
    )

    assert (shown["tags"], shown["name"], shown["description"]) == (["app"], "Banner", "Above the list")
    assert (shown["temporary"], applied({"kind": "makeFlagPermanent"})["temporary"]) == (True, False)


@pytest.mark.parametrize(
    ("instruction", "at"),
    [
        ({"kind": "updateOffVariation", "variationId": "nope"}, "variationId"),
        ({"kind": "updateOffVariation"}, "variationId"),
        ({"kind": "addTargets", "variationId": BLUE}, "values"),
        ({"kind": "updateFallthroughVariationOrRollout", "rolloutWeights": {"nope": 1}}, "rolloutWeights"),
        ({"kind": "updateFallthroughVariationOrRollout", "rolloutWeights": {BLUE: "1"}}, "rolloutWeights"),
        ({"kind": "updateRuleTrackEvents", "ruleId": "nope", "trackEvents": True}, "ruleId"),
        ({"kind": "addRule", "variationId": BLUE, "clauses": [], "beforeRuleId": "nope"}, "beforeRuleId"),
        ({"kind": "addValuesToClause", "ruleId": "r-1", "clauseId": "nope", "values": []}, "clauseId"),
        ({"kind": "addPrerequisite", "key": "nope", "variationId": "o"}, "key"),
        ({"kind": "addPrerequisite", "key": "other", "variationId": "nope"}, "variationId"),
    ],
)
def test_what_an_instruction_lacks_or_names_in_vain_is_told_with_its_place(instruction: Any, at: str) -> None:
    assert refused({"kind": "turnFlagOn"}, instruction).where == f"$.instructions[1].{at}"


@pytest.mark.parametrize("environment", ["", "nope"])
def test_an_instruction_about_targeting_needs_an_environment(environment: str) -> None:
    assert refused({"kind": "turnFlagOff"}, environment=environment).where == "$.environmentKey"


def test_there_are_as_many_instructions_as_the_rule_says() -> None:
    assert len(KINDS) == 36
