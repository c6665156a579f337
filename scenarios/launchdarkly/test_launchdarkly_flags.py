"""Flags declared in the workspace, and changed while SDKs run."""

from __future__ import annotations

import orjson
import pytest

from trackside import workspace
from trackside.errors import TracksideError, WorkspaceError

ENVIRONMENTS = {
    "production": {"client_side_id": "57be1db38b75bf0772d11384", "sdk_key": "sdk-local"},
    "staging": {"client_side_id": "67be1db38b75bf0772d11385", "sdk_key": "sdk-staging"},
}


def declare(flags, segments=None, environment="production"):
    """Return the flags of an environment as SDKs download them."""
    block = {"environments": ENVIRONMENTS, "flags": flags, "segments": segments or {}}
    return workspace.load({"launchdarkly": block}).declared["launchdarkly"].data[environment]["flags"]


def faults_of(flags, segments=None):
    with pytest.raises(WorkspaceError) as caught:
        declare(flags, segments)
    return [(fault.where.removeprefix("the workspace: "), fault.what, fault.fix) for fault in caught.value.faults]


def with_flags(flags, **more):
    return pytest.mark.trackside(workspace={"launchdarkly": {"environments": ENVIRONMENTS, "flags": flags, **more}})


# ---- the short form


@pytest.mark.rule("launchdarkly.flags.short", "launchdarkly.flags.complete")
def test_a_value_alone_is_a_whole_flag_that_serves_it_to_everyone():
    assert declare({"new-checkout": True})["new-checkout"] == {
        "key": "new-checkout",
        "version": 1,
        "on": True,
        "deleted": False,
        "variations": [True, False],
        "offVariation": 1,
        "fallthrough": {"variation": 0},
        "prerequisites": [],
        "targets": [],
        "contextTargets": [],
        "rules": [],
        "salt": "new-checkout",
        "trackEvents": False,
        "trackEventsFallthrough": False,
        "debugEventsUntilDate": None,
        "clientSideAvailability": {"usingMobileKey": True, "usingEnvironmentId": True},
        "clientSide": True,
    }


@pytest.mark.rule("launchdarkly.flags.short")
@pytest.mark.parametrize(
    ("value", "variations", "served", "off"),
    [(False, [True, False], 1, 1), ("blue", ["blue"], 0, 0), (7, [7], 0, 0), (["a"], [["a"]], 0, 0)],
)
def test_a_value_is_among_the_variations(value, variations, served, off):
    flag = declare({"banner": value})["banner"]
    assert (flag["variations"], flag["fallthrough"], flag["offVariation"]) == (variations, {"variation": served}, off)


@pytest.mark.rule("launchdarkly.flags.short")
def test_percentages_are_weights_of_a_rollout():
    flag = declare({"banner": {"variations": ["control", "blue", "green"], "serve": {"control": 50, "green": 50}}})
    assert flag["banner"]["fallthrough"] == {
        "rollout": {
            "kind": "rollout",
            "contextKind": "user",
            "variations": [{"variation": 0, "weight": 50000}, {"variation": 2, "weight": 50000}],
        }
    }


@pytest.mark.rule("launchdarkly.flags.short")
def test_percentages_of_true_and_false_are_those_of_a_boolean_flag():
    flag = declare({"beta": {"serve": {"true": 12.5, "false": 87.5}}})["beta"]
    assert flag["variations"] == [True, False]
    assert [part["weight"] for part in flag["fallthrough"]["rollout"]["variations"]] == [12500, 87500]


@pytest.mark.rule("launchdarkly.flags.short")
def test_an_experiment_is_a_rollout_of_that_kind():
    flag = declare({"banner": {"serve": {"a": 50, "b": 50}, "experiment": True}})["banner"]
    assert flag["fallthrough"]["rollout"]["kind"] == "experiment"


@pytest.mark.rule("launchdarkly.flags.short")
def test_targets_name_the_keys_of_users():
    flag = declare({"banner": {"serve": "a", "targets": {"b": ["user-1"]}}})["banner"]
    assert (flag["targets"], flag["contextTargets"]) == ([{"variation": 1, "values": ["user-1"]}], [])


@pytest.mark.rule("launchdarkly.flags.short")
def test_context_targets_come_after_those_of_users_which_they_point_to():
    flag = declare(
        {
            "banner": {
                "serve": "a",
                "targets": {"b": ["user-1"]},
                "context_targets": {"organization": {"b": ["org-1"]}},
            }
        }
    )["banner"]
    assert flag["targets"] == [{"variation": 1, "values": ["user-1"]}]
    assert flag["contextTargets"] == [
        {"contextKind": "user", "variation": 1, "values": []},
        {"contextKind": "organization", "variation": 1, "values": ["org-1"]},
    ]


@pytest.mark.rule("launchdarkly.flags.short")
def test_rules_compare_attributes_and_ask_for_segments():
    flag = declare(
        {
            "banner": {
                "variations": ["a", "b"],
                "rules": [
                    {"if": {"country": ["fr", "de"], "age": {"greaterThan": 17}}, "serve": "b"},
                    {"kind": "organization", "if": {"plan": "gold"}, "serve": {"a": 10, "b": 90}},
                    {"segment": "beta", "serve": "b"},
                ],
            }
        },
        {"beta": ["user-1"]},
    )["banner"]
    assert [rule["clauses"] for rule in flag["rules"]] == [
        [
            {"attribute": "country", "op": "in", "values": ["fr", "de"], "negate": False},
            {"attribute": "age", "op": "greaterThan", "values": [17], "negate": False},
        ],
        [{"contextKind": "organization", "attribute": "plan", "op": "in", "values": ["gold"], "negate": False}],
        [{"attribute": "", "op": "segmentMatch", "values": ["beta"], "negate": False}],
    ]
    assert [rule.get("variation") for rule in flag["rules"]] == [1, None, 1]


@pytest.mark.rule("launchdarkly.flags.short")
def test_an_environment_has_what_differs_there():
    flags = {
        "banner": {"variations": ["a", "b"], "serve": "a", "environments": {"staging": {"serve": "b", "on": False}}}
    }
    assert [declare(flags, environment=name)["banner"]["fallthrough"]["variation"] for name in ENVIRONMENTS] == [0, 1]
    assert [declare(flags, environment=name)["banner"]["on"] for name in ENVIRONMENTS] == [True, False]


@pytest.mark.rule("launchdarkly.flags.short")
def test_variations_may_have_names():
    flag = declare({"limits": {"variations": {"few": {"items": 3}, "many": {"items": 9}}, "serve": "many"}})["limits"]
    assert (flag["variations"], flag["fallthrough"]) == ([{"items": 3}, {"items": 9}], {"variation": 1})


@pytest.mark.rule("launchdarkly.flags.short")
def test_a_whole_flag_is_taken_as_it_is():
    raw = {"version": 7, "on": True, "variations": ["a", "b"], "fallthrough": {"variation": 1}, "salt": "beef"}
    flag = declare({"banner": raw})["banner"]
    assert {name: flag[name] for name in raw} == raw
    assert flag["key"] == "banner"


@pytest.mark.rule("launchdarkly.flags.complete")
def test_a_whole_number_is_sent_as_one():
    flag = declare({"banner": {"version": 7.0, "variations": ["a"], "fallthrough": {"variation": 0.0}}})["banner"]
    assert orjson.dumps([flag["version"], flag["fallthrough"]]) == b'[7,{"variation":0}]'


@pytest.mark.rule("launchdarkly.flags.availability")
@pytest.mark.parametrize(
    ("told", "mobile", "environment_id"),
    [
        ({}, True, True),
        ({"clientSide": False}, True, False),
        ({"clientSideAvailability": {"usingMobileKey": False, "usingEnvironmentId": True}}, False, True),
        ({"clientSideAvailability": {"usingMobileKey": True}, "clientSide": False}, True, False),
    ],
)
def test_which_client_side_sdks_get_a_flag(told, mobile, environment_id):
    flag = declare({"banner": {"version": 1, "variations": ["a"], "fallthrough": {"variation": 0}, **told}})["banner"]
    assert flag["clientSideAvailability"] == {"usingMobileKey": mobile, "usingEnvironmentId": environment_id}
    assert flag["clientSide"] is environment_id


# ---- faults, each with its place


@pytest.mark.rule("launchdarkly.flags.short")
@pytest.mark.parametrize(
    ("flag", "at", "what", "fix"),
    [
        ({"variations": ["blue"], "serve": "blu"}, ".serve", "blu is none of the variations", "did you mean blue?"),
        ({"serve": {"a": 50, "b": 40}}, ".serve", "the percentages add up to 90", "let them add up to 100"),
        ({"variations": ["a"], "off": "b"}, ".off", "b is none of the variations", "use one of: a"),
        (
            {"variations": ["a"], "targets": {"b": ["u"]}},
            ".targets.b",
            "b is none of the variations",
            "use one of: a",
        ),
        (
            {"serve": "a", "experiment": True},
            ".experiment",
            "there is an experiment without percentages",
            "serve percentages, such as {a: 50, b: 50}",
        ),
        (
            {"serve": "a", "rules": [{"serve": "a"}]},
            ".rules[0]",
            "the rule has no condition",
            "add if: {country: [fr]}, or segment: beta",
        ),
        (
            {"serve": "a", "rules": [{"if": {"age": {"greaterthan": 1}}, "serve": "a"}]},
            ".rules[0].if.age.greaterthan",
            "there is no operator 'greaterthan'",
            "did you mean greaterThan?",
        ),
        (
            {"serve": "a", "environments": {"stagin": {}}},
            ".environments.stagin",
            "there is no environment 'stagin'",
            "did you mean staging?",
        ),
        (
            {"variations": ["a"], "environments": {"staging": {"serve": "b"}}},
            ".environments.staging.serve",
            "b is none of the variations",
            "use one of: a",
        ),
        (
            {"serve": {"a": -10, "b": 110}},
            ".serve.a",
            "a has -10 percent",
            "give it a percentage from 0 to 100",
        ),
        (
            {"serve": {"a": float("inf"), "b": float("nan")}},
            ".serve.a",
            "a has inf percent",
            "give it a percentage from 0 to 100",
        ),
        (
            {"serve": 2**70},
            "",
            "banner holds what JSON cannot: Integer exceeds 64-bit range",
            "write text, numbers up to 64 bits, lists and mappings",
        ),
        ({"serve": "a", "sevre": "a"}, ".sevre", "sevre is not a known field", "did you mean serve?"),
    ],
)
def test_a_mistake_in_the_short_form_is_told_with_its_place(flag, at, what, fix):
    assert faults_of({"banner": flag}) == [(f"$.launchdarkly.flags.banner{at}", what, fix)]


@pytest.mark.rule("launchdarkly.flags.references")
def test_a_segment_that_a_rule_names_is_declared():
    [(where, what, fix)] = faults_of(
        {"banner": {"serve": "a", "rules": [{"segment": "beto", "serve": "a"}]}}, {"beta": []}
    )
    assert where.startswith("$.launchdarkly.flags.banner.rules[0]")
    assert (what, fix) == ("there is no segment 'beto'", "did you mean beta?")


@pytest.mark.rule("launchdarkly.flags.contract")
def test_a_wrong_type_in_a_whole_flag_is_told_with_its_place():
    raw = {"version": "7", "variations": ["a"], "fallthrough": {"variation": 0}}
    [(where, what, _)] = faults_of({"banner": raw})
    assert (where, what) == ("$.launchdarkly.flags.banner.version", 'version is a string, "7"')


@pytest.mark.rule("launchdarkly.flags.references")
@pytest.mark.parametrize(
    ("more", "at", "what"),
    [
        ({"fallthrough": {"variation": 3}}, ".fallthrough.variation", "variation 3 is none of the flag's 2"),
        ({"offVariation": 2}, ".offVariation", "variation 2 is none of the flag's 2"),
        (
            {"fallthrough": {}},
            ".fallthrough",
            "it serves nothing: there is neither a variation nor a rollout",
        ),
        ({"prerequisites": [{"key": "x", "variation": 0}]}, ".prerequisites[0].key", "there is no flag 'x'"),
        (
            {"prerequisites": [{"key": "banner", "variation": 0}]},
            ".prerequisites",
            "banner is its own prerequisite, by way of others",
        ),
        ({"key": "other"}, ".key", "the key is 'other', and it stands under 'banner'"),
    ],
)
def test_what_a_whole_flag_names_is_there(more, at, what):
    raw = {"version": 1, "on": True, "variations": ["a", "b"], "fallthrough": {"variation": 0}, **more}
    assert [(where, told) for where, told, _ in faults_of({"banner": raw})] == [
        (f"$.launchdarkly.flags.banner{at}", what)
    ]


@pytest.mark.rule("launchdarkly.client.secure-mode")
def test_secure_mode_wants_an_sdk_key():
    block = {"environments": {"production": {"client_side_id": "57be", "secure_mode": True}}}
    with pytest.raises(WorkspaceError, match="production is in secure mode and has no SDK key"):
        workspace.load({"launchdarkly": block})


@pytest.mark.parametrize("key", ["sdk local", "sdk:local", "sdk-ä"])
@pytest.mark.rule("launchdarkly.sdk.options")
def test_an_sdk_key_that_sdks_throw_away_is_refused(key):
    block = {"environments": {"production": {"client_side_id": "57be", "sdk_key": key}}}
    with pytest.raises(WorkspaceError, match="letters, digits, dots, underscores and hyphens"):
        workspace.load({"launchdarkly": block})


# ---- changes


@with_flags({"banner": {"variations": ["blue", "green"], "serve": "blue"}})
@pytest.mark.rule("launchdarkly.client.evaluation")
def test_a_flag_serves_what_a_test_says(trackside):
    banner = trackside.launchdarkly.flag("banner")

    assert banner.value_for("user-1") == "blue"
    assert banner.serve("green").value_for("user-1") == "green"
    assert banner.off().value_for("user-1") == "blue"
    assert banner.on().value_for("user-1") == "green"
    assert banner.target("user-1", "blue").value_for("user-1") == "blue"
    assert banner.value_for({"kind": "user", "key": "user-2"}) == "green"


@with_flags({"banner": {"variations": ["blue", "green"], "serve": "blue", "targets": {"green": ["user-1"]}}})
@pytest.mark.rule("launchdarkly.client.evaluation")
def test_a_context_is_targeted_once(trackside):
    banner = trackside.launchdarkly.flag("banner")
    banner.target("user-1", "blue").target("org-1", "green", kind="organization")

    assert banner.value_for("user-1") == "blue"
    assert banner.value_for({"kind": "organization", "key": "org-1"}) == "green"
    flag = trackside.launchdarkly.live.item("production", "flags", "banner")
    assert [target["values"] for target in flag["targets"]] == [[], ["user-1"]]


@with_flags({})
@pytest.mark.rule("launchdarkly.flags.new")
def test_a_new_flag_is_made_in_every_environment_and_off_in_the_others(trackside):
    trackside.launchdarkly.flag("banner", "staging").serve("green")

    rows = {row["environment"]: (row["name"], row["on"], row["serves"]) for row in trackside.launchdarkly.flags()}
    assert rows == {"production": ("banner", False, "green"), "staging": ("banner", True, "green")}


@with_flags({"banner": "blue"})
@pytest.mark.rule("launchdarkly.flags.new-variation")
def test_a_value_of_the_same_kind_becomes_a_variation(trackside):
    trackside.launchdarkly.flag("banner").serve({"blue": 50, "green": 50})

    flag = trackside.launchdarkly.live.item("production", "flags", "banner")
    assert flag["variations"] == ["blue", "green"]
    assert trackside.launchdarkly.flags()[0]["serves"] == {"blue": 50, "green": 50}


@with_flags({"new-checkout": True})
@pytest.mark.rule("launchdarkly.flags.new-variation")
@pytest.mark.parametrize("value", ["green", 1, {"color": "blue"}, None])
def test_a_value_of_another_kind_is_refused(trackside, value):
    with pytest.raises(TracksideError, match="its variations are of another kind") as caught:
        trackside.launchdarkly.flag("new-checkout").serve(value)
    assert caught.value.fix == "serve one of: true, false"


@with_flags({"banner": "blue"})
@pytest.mark.rule("launchdarkly.flags.new-variation")
@pytest.mark.parametrize("value", [object(), {1, 2}])
def test_a_value_that_json_does_not_have_is_refused(trackside, value):
    with pytest.raises(TracksideError, match="banner cannot serve"):
        trackside.launchdarkly.flag("banner").serve(value)


@with_flags({"banner": "blue"})
@pytest.mark.rule("launchdarkly.flags.short")
def test_percentages_that_do_not_add_up_are_refused(trackside):
    with pytest.raises(TracksideError, match="the percentages add up to 90"):
        trackside.launchdarkly.flag("banner").serve({"blue": 50, "green": 40})


@with_flags({})
@pytest.mark.rule("launchdarkly.flags.new")
def test_a_new_flag_for_one_context_is_not_for_everyone(trackside):
    beta = trackside.launchdarkly.flag("beta").target("user-1", True)
    assert (beta.value_for("user-1"), beta.value_for("user-2")) == (True, False)


@with_flags({})
@pytest.mark.rule("launchdarkly.flags.short")
def test_percentages_may_be_rounded(trackside):
    thirds = trackside.launchdarkly.flag("banner").serve({"a": 100 / 3, "b": 100 / 3, "c": 100 / 3})
    assert thirds.row["serves"] == {"a": 33.333, "b": 33.333, "c": 33.334}


@with_flags({})
@pytest.mark.rule("launchdarkly.flags.short")
@pytest.mark.parametrize("serve", [{True: 50, False: 50}, {"true": 50, "false": 50}])
def test_percentages_of_true_and_false_are_said_in_either_way(trackside, serve):
    assert trackside.launchdarkly.flag("new-checkout").serve(serve).row["serves"] == {"true": 50.0, "false": 50.0}


@with_flags({"banner": {"variations": ["blue", "green"], "serve": "blue"}})
@pytest.mark.rule("launchdarkly.flags.contract")
@pytest.mark.parametrize("key", [5, None, ["user-1"]])
def test_a_change_that_sdks_could_not_take_is_refused(trackside, key):
    before = trackside.launchdarkly.flags()
    with pytest.raises(TracksideError, match="item 0 is"):
        trackside.launchdarkly.flag("banner").target(key, "green")
    with pytest.raises(TracksideError, match="key is empty"):
        trackside.launchdarkly.flag("").serve("green")

    assert trackside.launchdarkly.flags() == before
    assert trackside.launchdarkly.flag("banner").value_for("user-1") == "blue"


@with_flags({"banner": {"variations": ["blue", "green"], "serve": "blue"}})
@pytest.mark.rule("launchdarkly.flags.versions")
def test_versions_never_go_back(trackside):
    banner = trackside.launchdarkly.flag("banner")
    versions = [banner.row["version"]]
    banner.serve("green")
    versions.append(banner.row["version"])
    trackside.reset()
    versions.append(banner.row["version"])
    banner.delete()
    banner.serve("green")
    versions.append(banner.row["version"])

    assert versions == sorted(set(versions))


@with_flags({"banner": {"variations": ["blue", "green"], "serve": "blue"}})
@pytest.mark.rule("launchdarkly.flags.versions")
def test_a_change_that_changes_nothing_leaves_the_version(trackside):
    banner = trackside.launchdarkly.flag("banner")
    before = banner.row["version"]
    assert banner.serve("blue").row["version"] == before


@with_flags({"banner": {"variations": ["blue", "green"], "serve": "blue"}})
@pytest.mark.rule("launchdarkly.sdk.reset")
def test_a_reset_brings_the_declared_flags_back(trackside):
    trackside.launchdarkly.flag("banner").serve("green")
    trackside.launchdarkly.flag("fresh").serve(True)
    trackside.reset()

    assert [
        (row["name"], row["serves"]) for row in trackside.launchdarkly.flags() if row["environment"] == "production"
    ] == [("banner", "blue")]


@with_flags({"banner": {"variations": ["blue", "green"], "serve": "blue"}})
@pytest.mark.rule("launchdarkly.flags.new")
def test_the_control_api_changes_a_flag(trackside):
    row = trackside.launchdarkly.set_flag("banner", serve="green", environment="staging")
    assert row == {
        "vendor": "launchdarkly",
        "kind": "flag",
        "name": "banner",
        "environment": "staging",
        "on": True,
        "serves": "green",
        "version": row["version"],
    }
    assert trackside.launchdarkly.set_flag("banner", on=False)["serves"] == "blue"


@with_flags({"banner": "blue"})
@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"serves": "blue"}, "'serves' is not known"),
        ({"kind": "gate", "on": True}, "LaunchDarkly has no 'gate'"),
        ({"environment": "nowhere", "on": True}, "there is no environment 'nowhere'"),
    ],
)
@pytest.mark.rule("launchdarkly.flags.new")
def test_a_change_that_makes_no_sense_is_told(trackside, change, what):
    with pytest.raises(TracksideError, match=what):
        trackside.launchdarkly.set_flag("banner", **change)


@with_flags({})
@pytest.mark.rule("launchdarkly.sdk.options")
def test_each_sdk_has_options_that_point_it_here(trackside):
    url = trackside.launchdarkly.url

    assert trackside.launchdarkly.python_options("staging") == {
        "sdk_key": "sdk-staging",
        "base_uri": url,
        "stream_uri": url,
        "events_uri": url,
    }
    assert trackside.launchdarkly.node_options() == {"baseUri": url, "streamUri": url, "eventsUri": url}
    assert trackside.launchdarkly.browser_options() == {"baseUrl": url, "streamUrl": url, "eventsUrl": url}
