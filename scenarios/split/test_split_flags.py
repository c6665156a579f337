"""What a flag of the workspace becomes: a split definition with everything that SDKs need."""

from __future__ import annotations

import json

import pytest

from trackside import catalog, workspace
from trackside.errors import TracksideError, WorkspaceError
from trackside.split import definitions

ENVIRONMENTS = {"production": {"sdk_key": "sdk-key"}, "staging": {"sdk_key": "staging-key"}}


def declared(environment="production", **split):
    loaded = workspace.load({"split": {"environments": ENVIRONMENTS, **split}})
    return loaded.declared["split"].data[environment]


def flag(row, environment="production", **split):
    return declared(environment, flags={"banner": row}, **split).flags["banner"]


def sizes(condition):
    return {row["treatment"]: row["size"] for row in condition["partitions"]}


def matchers(condition):
    return condition["matcherGroup"]["matchers"]


def fault(**split):
    with pytest.raises(WorkspaceError) as caught:
        declared(**split)
    [one] = caught.value.faults
    return one.where.removeprefix("the workspace: "), one.what, one.fix


# ---- what it serves


@pytest.mark.rule("split.sdk.flags")
@pytest.mark.parametrize(("row", "served"), [("on", "on"), (True, "on"), (False, "off"), ("blue", "blue")])
def test_one_treatment_is_served_to_everybody(row, served):
    [rule] = flag(row)["conditions"]

    assert (sizes(rule)[served], rule["label"], matchers(rule)[0]["matcherType"]) == (100, "default rule", "ALL_KEYS")


@pytest.mark.rule("split.sdk.flags")
def test_percentages_are_the_sizes_of_the_partitions():
    assert sizes(flag({"serve": {"on": 30, "off": 70}})["conditions"][0]) == {"on": 30, "off": 70}


@pytest.mark.rule("split.sdk.flags")
def test_keys_come_before_rules_and_rules_before_the_default():
    row = {"keys": {"on": ["user-1"]}, "rules": [{"if": {"plan": ["gold"]}, "serve": {"on": 50, "off": 50}}]}
    keys, rule, default = flag({**row, "serve": "off"})["conditions"]

    assert (keys["conditionType"], keys["label"], sizes(keys)) == ("WHITELIST", "whitelisted", {"on": 100})
    assert matchers(keys)[0]["whitelistMatcherData"] == {"whitelist": ["user-1"]}
    assert (rule["conditionType"], rule["label"], sizes(rule)) == (
        "ROLLOUT",
        "plan in list ['gold']",
        {"on": 50, "off": 50},
    )
    assert sizes(default) == {"off": 100, "on": 0}


@pytest.mark.rule("split.sdk.flags")
@pytest.mark.parametrize(
    ("value", "kind", "data"),
    [
        (["gold", "silver"], "WHITELIST", {"whitelistMatcherData": {"whitelist": ["gold", "silver"]}}),
        ("gold", "WHITELIST", {"whitelistMatcherData": {"whitelist": ["gold"]}}),
        (5, "EQUAL_TO", {"unaryNumericMatcherData": {"dataType": "NUMBER", "value": 5}}),
        (True, "EQUAL_TO_BOOLEAN", {"booleanMatcherData": True}),
    ],
)
def test_an_attribute_is_compared_with_what_the_rule_names(value, kind, data):
    [matcher] = matchers(flag({"rules": [{"if": {"plan": value}, "serve": "on"}]})["conditions"][0])

    assert matcher == {
        "keySelector": {"trafficType": "user", "attribute": "plan"},
        "matcherType": kind,
        "negate": False,
        **data,
    }


@pytest.mark.rule("split.sdk.flags")
@pytest.mark.parametrize(
    ("word", "kind", "data"),
    [
        ("segment", "IN_SEGMENT", {"userDefinedSegmentMatcherData": {"segmentName": "beta"}}),
        ("large_segment", "IN_LARGE_SEGMENT", {"userDefinedLargeSegmentMatcherData": {"largeSegmentName": "beta"}}),
        ("rule_based_segment", "IN_RULE_BASED_SEGMENT", {"userDefinedSegmentMatcherData": {"segmentName": "beta"}}),
    ],
)
def test_a_rule_may_ask_for_a_segment_of_each_kind(word, kind, data):
    kinds = {"segments": {"beta": []}, "large_segments": {"beta": []}, "rule_based_segments": {"beta": {"rules": []}}}
    [matcher] = matchers(flag({"rules": [{word: "beta", "serve": "on"}]}, **kinds)["conditions"][0])

    assert matcher["matcherType"] == kind
    assert data.items() <= matcher.items()


@pytest.mark.rule("split.sdk.flags")
def test_everything_that_a_rule_names_has_to_match():
    rule = {"segment": "beta", "if": {"plan": "gold", "admin": True}, "serve": "on"}
    condition = flag({"rules": [rule]}, segments={"beta": []})["conditions"][0]

    assert [one["matcherType"] for one in matchers(condition)] == ["IN_SEGMENT", "WHITELIST", "EQUAL_TO_BOOLEAN"]
    assert (condition["matcherGroup"]["combiner"], condition["label"]) == (
        "AND",
        "in segment beta and plan is gold and admin is True",
    )


@pytest.mark.rule("split.sdk.flags")
@pytest.mark.parametrize(
    ("row", "default"),
    [
        ({"serve": "on"}, "off"),
        ({"serve": "blue"}, "blue"),
        ({"treatments": ["blue", "green"], "serve": "blue"}, "green"),
        ({"serve": {"blue": 50, "green": 50}, "default": "blue"}, "blue"),
    ],
)
def test_the_default_treatment_is_off_or_the_last_one(row, default):
    assert flag(row)["defaultTreatment"] == default


@pytest.mark.rule("split.sdk.flags")
def test_the_other_fields_are_the_definitions_own():
    made = flag(
        {
            "serve": "on",
            "config": {"on": {"color": "blue"}, "off": "plain"},
            "traffic_type": "account",
            "sets": ["web"],
            "killed": True,
            "track": False,
            "allocation": 30,
        }
    )

    assert {name: made[name] for name in made if name not in ("conditions", "seed", "trafficAllocationSeed")} == {
        "name": "banner",
        "trafficTypeName": "account",
        "status": "ACTIVE",
        "killed": True,
        "defaultTreatment": "off",
        "changeNumber": 0,
        "algo": 2,
        "trafficAllocation": 30,
        "configurations": {"on": '{"color":"blue"}', "off": "plain"},
        "sets": ["web"],
        "impressionsDisabled": True,
        "prerequisites": [],
    }


@pytest.mark.rule("split.sdk.flags")
def test_an_environment_says_only_what_differs():
    row = {"serve": "on", "keys": {"off": ["user-1"]}, "environments": {"staging": {"serve": "off"}}}
    production, staging = flag(row), flag(row, "staging")

    assert (sizes(production["conditions"][-1])["on"], sizes(staging["conditions"][-1])["off"]) == (100, 100)
    assert production["conditions"][0] == staging["conditions"][0]


@pytest.mark.rule("split.sdk.flags")
def test_an_environment_may_name_just_the_treatment():
    assert sizes(flag({"serve": "on", "environments": {"staging": False}}, "staging")["conditions"][0])["off"] == 100


@pytest.mark.rule("split.sdk.flags", "split.sdk.flags-file.filled")
def test_a_whole_definition_is_taken_as_it_is():
    condition = {
        "conditionType": "ROLLOUT",
        "matcherGroup": {"combiner": "AND", "matchers": [{"matcherType": "ALL_KEYS", "negate": False}]},
        "partitions": [{"treatment": "v7", "size": 100}],
    }
    made = flag({"seed": 7, "defaultTreatment": "v1", "conditions": [condition]})

    assert (made["seed"], made["defaultTreatment"], made["conditions"]) == (7, "v1", [condition])
    assert catalog.faults("split/split-definition", made) == []


# ---- what SDKs need


@pytest.mark.rule("split.sdk.strict-fields")
@pytest.mark.parametrize(
    "row", ["on", {"serve": {"on": 1, "off": 99}, "keys": {"on": ["u"]}}, {"treatments": ["a", "b"], "serve": "a"}]
)
def test_a_definition_has_every_field_that_some_sdk_needs(row):
    made = flag(row)

    assert catalog.faults("split/split-definition", made) == []
    assert [sum(sizes(condition).values()) for condition in made["conditions"]] == [100] * len(made["conditions"])


@pytest.mark.rule("split.sdk.seed")
def test_seeds_are_made_of_the_name_so_that_every_run_is_the_same():
    one, again, other = definitions.seed("banner"), definitions.seed("banner"), definitions.seed("checkout")

    assert one == again != other
    assert (flag("on")["seed"], flag("on", "staging")["seed"]) == (one, one)
    assert flag("on")["trafficAllocationSeed"] != one


@pytest.mark.rule("split.sdk.rule-based-segments")
def test_a_rule_based_segment_has_rules_and_exclusions():
    row = {"rules": [{"if": {"plan": ["gold"]}}], "excluded": {"keys": ["user-9"], "segments": ["beta"]}}
    made = declared(rule_based_segments={"vip": row}).rule_based_segments["vip"]

    assert catalog.faults("split/rule-based-segment", made) == []
    assert made["excluded"] == {"keys": ["user-9"], "segments": [{"name": "beta", "type": "standard"}]}
    assert matchers(made["conditions"][0])[0]["whitelistMatcherData"] == {"whitelist": ["gold"]}


# ---- mistakes


@pytest.mark.rule("split.sdk.flags", "split.sdk.strict-fields")
@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            {"serve": {"on": 30, "off": 60}},
            ("$.split.flags.banner.serve", "the percentages do not add up to 100: on: 30, off: 60", "give whole percentages that do"),
        ),
        ({"serve": {}}, ("$.split.flags.banner.serve", "the percentages do not add up to 100: nothing", "give whole percentages that do")),
        (
            {"treatments": ["on", "off"], "serve": "blue"},
            ("$.split.flags.banner.serve", "there is no treatment 'blue'", "listed are: on, off"),
        ),
        ("control", ("$.split.flags.banner.serve", "'control' is no treatment", "name a treatment, other than 'control'")),
        (
            {"rules": [{"segment": "bta", "serve": "on"}]},
            ("$.split.flags.banner.rules[0].segment", "there is no segment 'bta'", "did you mean beta?"),
        ),
        (
            {"rules": [{"serve": "on"}]},
            (
                "$.split.flags.banner.rules[0]",
                "the rule matches nobody",
                "give it one of: if, segment, rule_based_segment, large_segment",
            ),
        ),
        (
            {"environments": {"prod": "on"}},
            ("$.split.flags.banner.environments", "there is no environment 'prod'", "declared are: production, staging"),
        ),
        ({"server": "on"}, ("$.split.flags.banner.server", "server is not a known field", "did you mean serve?")),
        (
            {"conditions": [{"matcherGroup": {"combiner": "AND", "matchers": [{"matcherType": "ALL_KEYS", "negate": False}]},
                             "conditionType": "ROLLOUT", "partitions": [{"treatment": "on", "size": 60}]}]},
            ("$.split.flags.banner.conditions[0].partitions", "the partitions add up to 60", "let them add up to 100"),
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_told_once_with_its_place(row, told):
    assert fault(flags={"banner": row}, segments={"beta": []}) == told


# ---- what tests change


@pytest.mark.rule("split.sdk.flags")
@pytest.mark.parametrize(
    ("serve", "served"), [("on", "on"), (True, "on"), ({"on": 25, "off": 75}, {"on": 25, "off": 75})]
)
def test_a_line_in_a_test_changes_what_everybody_gets(make_sdk, serve, served):
    sdk = make_sdk(flags={"banner": {"serve": "off", "keys": {"off": ["user-1"]}, "allocation": 5}})
    sdk.lab.split.flag("banner").serve(serve)
    made = sdk.flags()["banner"]

    assert (len(made["conditions"]), made["trafficAllocation"]) == (1, 100)
    assert [row["serves"] for row in sdk.lab.split.flags()] == [served]
    assert catalog.faults("split/split-definition", made) == []


@pytest.mark.rule("split.sdk.flags")
def test_a_flag_that_does_not_exist_is_made(make_sdk):
    sdk = make_sdk()
    sdk.lab.split.flag("new").serve("on")
    sdk.lab.split.flag("killed").kill()

    assert sizes(sdk.flags()["new"]["conditions"][0]) == {"on": 100, "off": 0}
    assert sdk.flags()["killed"]["killed"] is True


@pytest.mark.rule("split.sdk.flags")
def test_a_target_is_before_everything_and_moves_with_its_last_treatment(make_sdk):
    sdk = make_sdk(flags={"banner": {"serve": "off", "keys": {"on": ["user-1", "user-2"]}}})
    sdk.lab.split.flag("banner").target("user-1", "off").target("user-1", "blue")
    whitelists = sdk.flags()["banner"]["conditions"][:-1]

    assert [(matchers(one)[0]["whitelistMatcherData"]["whitelist"], sizes(one)) for one in whitelists] == [
        (["user-1"], {"blue": 100}),
        (["user-2"], {"on": 100}),
    ]


@pytest.mark.rule("split.sdk.kill")
def test_a_killed_flag_serves_its_default_until_it_is_restored(make_sdk):
    sdk = make_sdk(flags={"banner": {"serve": "on"}})
    handle = sdk.lab.split.flag("banner").kill()
    killed = sdk.flags()["banner"]
    handle.restore()

    assert (killed["killed"], killed["defaultTreatment"], sdk.flags()["banner"]["killed"]) == (True, "off", False)


@pytest.mark.rule("split.sdk.kill")
def test_a_kill_may_name_its_treatment(make_sdk):
    sdk = make_sdk(flags={"banner": {"serve": "on"}})
    sdk.lab.split.flag("banner").kill("sorry")

    assert sdk.flags()["banner"]["defaultTreatment"] == "sorry"


@pytest.mark.rule("split.sdk.flags")
def test_a_change_is_of_one_environment(make_sdk):
    sdk = make_sdk(environments={"production": {"sdk_key": "sdk-key"}, "staging": {"sdk_key": "s"}}, flags={"a": "on"})
    sdk.lab.split.flag("a", "staging").serve("off")

    assert [(row["environment"], row["serves"]) for row in sdk.lab.split.flags()] == [
        ("production", "on"),
        ("staging", "off"),
    ]


@pytest.mark.rule("split.sdk.flags")
@pytest.mark.parametrize(
    ("change", "row"),
    [
        ({"serve": "on"}, {"on": True, "serves": "on"}),
        ({"on": False}, {"on": False, "serves": "off"}),
        ({"serve": {"on": 10, "off": 90}}, {"on": True, "serves": {"on": 10, "off": 90}}),
    ],
)
def test_a_flag_is_set_by_what_it_serves_or_whether_it_is_on(make_sdk, change, row):
    told = make_sdk(flags={"banner": "off"}).lab.split.set_flag("banner", **change)

    assert told == {**told, "vendor": "split", "kind": "flag", "name": "banner", "environment": "production", **row}


@pytest.mark.rule("split.sdk.flags")
@pytest.mark.parametrize("serve", ["control", {"on": 50}, {"on": 50.5, "off": 49.5}, 7])
def test_what_cannot_be_served_is_an_error_and_changes_nothing(make_sdk, serve):
    sdk = make_sdk(flags={"banner": "off"})
    before = sdk.changes()
    with pytest.raises(TracksideError):
        sdk.lab.split.flag("banner").serve(serve)

    assert sdk.changes() == before


def test_a_definition_is_shown_to_tests(make_sdk):
    handle = make_sdk(flags={"banner": "on"}).lab.split.flag("banner")

    assert json.dumps(handle.definition)
    with pytest.raises(TracksideError, match="there is no flag 'other'"):
        _ = make_sdk().lab.split.flag("other").definition


@pytest.mark.rule("split.sdk.kill")
@pytest.mark.parametrize("treatment", ["control", 5])
def test_a_kill_to_what_is_no_treatment_is_an_error(make_sdk, treatment):
    handle = make_sdk(flags={"banner": "on"}).lab.split.flag("banner")
    with pytest.raises(TracksideError, match="is no treatment"):
        handle.kill(treatment)

    assert handle.definition["killed"] is False


@pytest.mark.rule("split.sdk.flags", "split.sdk.segment-update")
def test_a_name_or_a_key_that_is_no_text_is_an_error(make_sdk):
    split = make_sdk(flags={"banner": "on"}, segments={"beta": ["user-1"]}).lab.split
    with pytest.raises(TracksideError, match=r"the name of a flag is 5"):
        split.flag(5).serve("on")
    with pytest.raises(TracksideError, match=r"the name of a flag is ' '"):
        split.set_flag(" ", serve="on")
    with pytest.raises(TracksideError, match=r"the key is \['user-2'\]"):
        split.flag("banner").target(["user-2"], "off")
    with pytest.raises(TracksideError, match=r"the key is \['user-2'\]\. split segment beta"):
        split.segment("beta").add(["user-2"])

    assert (split.segment("beta").keys, [row["name"] for row in split.flags()]) == (("user-1",), ["banner"])
