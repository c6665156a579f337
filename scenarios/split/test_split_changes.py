"""What splitChanges gives to SDKs of each spec, and what it gives them next."""

from __future__ import annotations

import json

import pytest

from trackside import catalog
from trackside.split import specs

SEMVER = {
    "matcherType": "EQUAL_TO_SEMVER",
    "negate": False,
    "keySelector": {"trafficType": "user", "attribute": "version"},
    "stringMatcherData": "1.2.3",
}


def one_flag(matcher):
    condition = {
        "conditionType": "ROLLOUT",
        "matcherGroup": {"combiner": "AND", "matchers": [matcher]},
        "partitions": [{"treatment": "on", "size": 100}],
    }
    return {"conditions": [condition]}


def labels(flag):
    return [condition.get("label") for condition in flag["conditions"]]


@pytest.mark.rule("split.sdk.split-changes")
def test_the_answer_keeps_its_contract(make_sdk):
    told = make_sdk(
        flags={"banner": {"serve": {"on": 50, "off": 50}}}, rule_based_segments={"vip": {"rules": [{"if": {"a": "b"}}]}}
    ).changes()

    assert catalog.faults("split/split-changes", told) == []
    assert [row["name"] for row in told["ff"]["d"]] == ["banner"]
    assert [row["name"] for row in told["rbs"]["d"]] == ["vip"]
    assert (told["ff"]["s"], told["rbs"]["s"]) == (-1, -1)


@pytest.mark.rule("split.sdk.split-changes")
def test_an_sdk_that_is_up_to_date_gets_nothing_and_its_own_number_twice(make_sdk):
    sdk = make_sdk(flags={"banner": "on"})
    first = sdk.changes()
    again = sdk.changes(first["ff"]["t"], first["rbs"]["t"])

    assert again["ff"] == {"d": [], "s": first["ff"]["t"], "t": first["ff"]["t"]}
    assert again["rbs"] == {"d": [], "s": first["rbs"]["t"], "t": first["rbs"]["t"]}


@pytest.mark.rule("split.sdk.split-changes")
def test_a_workspace_without_flags_still_has_a_newest_number(make_sdk):
    told = make_sdk().changes()

    assert (told["ff"]["d"], told["ff"]["t"] > 0, told["rbs"]["t"] > 0) == ([], True, True)


@pytest.mark.rule("split.sdk.split-changes")
def test_only_what_changed_since_is_sent(make_sdk):
    sdk = make_sdk(flags={"banner": "on", "checkout": "on"})
    since = sdk.changes()["ff"]["t"]
    sdk.lab.split.flag("banner").serve("off")
    told = sdk.changes(since)["ff"]

    assert [row["name"] for row in told["d"]] == ["banner"]
    assert (told["s"], told["t"], told["t"] > since) == (since, told["d"][0]["changeNumber"], True)


@pytest.mark.rule("split.sdk.split-changes")
@pytest.mark.parametrize("since", ["", "abc", "-1"])
def test_a_number_that_is_none_gets_everything(make_sdk, since):
    assert len(make_sdk(flags={"banner": "on"}).changes(since)["ff"]["d"]) == 1


@pytest.mark.rule("split.sdk.since-ahead")
def test_a_number_of_a_former_run_gets_everything_and_the_newest_number(make_sdk):
    told = make_sdk(flags={"banner": "on"}).changes(9_000_000_000_000_000, 9_000_000_000_000_000)

    assert len(told["ff"]["d"]) == 1
    assert (told["ff"]["s"], told["rbs"]["s"]) == (told["ff"]["t"], told["rbs"]["t"])


# ---- change numbers


@pytest.mark.rule("split.sdk.change-numbers")
def test_numbers_grow_when_a_reset_takes_changes_back(make_sdk):
    sdk = make_sdk(flags={"banner": "on"})
    sdk.lab.split.flag("banner").serve("off")
    changed = sdk.changes()["ff"]["t"]
    sdk.lab.reset()
    told = sdk.changes(changed)["ff"]

    assert [(row["name"], row["conditions"][-1]["partitions"][0]["treatment"]) for row in told["d"]] == [
        ("banner", "on")
    ]
    assert told["t"] > changed


@pytest.mark.rule("split.sdk.change-numbers", "split.sdk.archived")
def test_a_reset_archives_what_a_test_made(make_sdk):
    sdk = make_sdk()
    sdk.lab.split.flag("made-by-a-test").serve("on")
    since = sdk.changes()["ff"]["t"]
    sdk.lab.reset()

    assert [(row["name"], row["status"]) for row in sdk.changes(since)["ff"]["d"]] == [("made-by-a-test", "ARCHIVED")]


@pytest.mark.rule("split.sdk.change-numbers")
def test_another_workspace_sends_only_what_differs(make_sdk):
    sdk = make_sdk(flags={"same": "on", "other": "on", "gone": "on"})
    since = sdk.changes()["ff"]["t"]
    environments = {"production": {"sdk_key": "sdk-key"}}
    sdk.lab.configure({"split": {"environments": environments, "flags": {"same": "on", "other": "off", "new": "on"}}})

    assert [(row["name"], row["status"]) for row in sdk.changes(since)["ff"]["d"]] == [
        ("other", "ACTIVE"),
        ("gone", "ARCHIVED"),
        ("new", "ACTIVE"),
    ]


@pytest.mark.rule("split.sdk.change-numbers")
def test_a_reset_that_takes_nothing_back_changes_no_number(make_sdk):
    sdk = make_sdk(flags={"banner": "on"}, segments={"beta": ["user-1"]})
    before = sdk.changes()
    sdk.lab.reset()

    assert sdk.changes() == before


@pytest.mark.rule("split.sdk.archived")
def test_a_deleted_flag_is_sent_once_as_archived(make_sdk):
    sdk = make_sdk(flags={"banner": "on"})
    since = sdk.changes()["ff"]["t"]
    sdk.lab.split.flag("banner").archive()
    told = sdk.changes(since)["ff"]

    assert [row["status"] for row in told["d"]] == ["ARCHIVED"]
    assert sdk.changes(told["t"])["ff"]["d"] == []


@pytest.mark.rule("split.sdk.archived")
def test_an_sdk_that_starts_does_not_hear_of_archived_flags(make_sdk):
    sdk = make_sdk(flags={"banner": "on"})
    sdk.lab.split.flag("banner").archive()

    assert sdk.changes()["ff"]["d"] == []


# ---- flag sets, names and prefixes


@pytest.mark.rule("split.sdk.sets")
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"sets": "web"}, ["banner"]),
        ({"sets": "ios,web"}, ["banner", "checkout"]),
        ({"sets": "android"}, []),
        ({"names": "banner,plain"}, ["banner", "plain"]),
        ({"prefixes": "che,pl"}, ["checkout", "plain"]),
        ({"names": "banner", "prefixes": "pl"}, ["banner", "plain"]),
        ({"sets": "web", "names": "plain"}, ["banner"]),
    ],
)
def test_only_asked_flags_are_sent(make_sdk, query, names):
    sdk = make_sdk(flags={"banner": {"sets": ["web"]}, "checkout": {"sets": ["ios"]}, "plain": "on"})

    assert list(sdk.flags(**query)) == names


@pytest.mark.rule("split.sdk.sets")
def test_a_flag_that_left_the_asked_sets_is_sent_once_without_them(make_sdk):
    sdk = make_sdk(flags={"banner": {"sets": ["web"]}, "other": {"sets": ["ios"]}})
    since = sdk.changes(sets="web")["ff"]["t"]
    live = sdk.lab.split.live
    live.put({**live.flag("banner"), "sets": []})
    live.put({**live.flag("other"), "sets": []})

    assert [(row["name"], row["sets"]) for row in sdk.changes(since, sets="web")["ff"]["d"]] == [("banner", [])]


@pytest.mark.rule("split.sdk.sets-limit")
@pytest.mark.parametrize(("count", "status"), [(50, 200), (51, 414)])
def test_at_most_50_flag_sets_are_asked_for(make_sdk, count, status):
    sets = ",".join(f"set_{number}" for number in range(count))

    assert make_sdk().ask("/api/splitChanges", s="1.3", sets=sets).status == status


# ---- specs


@pytest.mark.rule("split.sdk.spec-old")
@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", ""])
def test_older_specs_have_one_list(make_sdk, version):
    sdk = make_sdk(flags={"banner": "on"})
    told = sdk.get("/api/splitChanges", s=version, since=-1)

    assert catalog.faults("split/split-changes-older", told) == []
    assert ([row["name"] for row in told["splits"]], told["since"], told["till"]) == (
        ["banner"],
        -1,
        sdk.changes()["ff"]["t"],
    )


@pytest.mark.rule("split.sdk.spec-old")
def test_a_question_without_a_spec_is_of_the_oldest(make_sdk):
    assert "splits" in make_sdk().get("/api/splitChanges", since=-1)


@pytest.mark.rule("split.sdk.spec")
def test_an_unknown_spec_is_refused_so_that_sdks_ask_for_an_older_one(make_sdk):
    answer = make_sdk().ask("/api/splitChanges", s="9.9")

    assert (answer.status, json.loads(answer.body)) == (400, {"code": 400, "message": "there is no spec '9.9'"})
    assert catalog.faults("split/error-answer", json.loads(answer.body)) == []


@pytest.mark.rule("split.sdk.unsupported-matcher")
@pytest.mark.parametrize(
    ("rule", "since_version"),
    [({"large_segment": "big"}, "1.2"), ({"rule_based_segment": "vip"}, "1.3"), ({"segment": "beta"}, "1.0")],
)
def test_a_matcher_that_the_spec_lacks_gives_control_to_everybody(make_sdk, rule, since_version):
    flags = {"banner": {"rules": [{**rule, "serve": "on"}]}}
    sdk = make_sdk(
        flags=flags, segments={"beta": []}, large_segments={"big": []}, rule_based_segments={"vip": {"rules": []}}
    )
    for version in ("1.0", "1.1", "1.2"):
        [flag] = sdk.get("/api/splitChanges", s=version)["splits"]
        replaced = labels(flag) == [specs.UNSUPPORTED]

        assert replaced is (version < since_version)
        assert not replaced or flag["conditions"][0]["partitions"] == [{"treatment": "control", "size": 100}]
    assert labels(sdk.flags()["banner"]) != [specs.UNSUPPORTED]


@pytest.mark.rule("split.sdk.unsupported-matcher")
def test_versions_are_compared_from_spec_1_1_on(make_sdk):
    sdk = make_sdk(flags={"banner": one_flag(SEMVER)})
    told = [sdk.get("/api/splitChanges", s=version)["splits"][0] for version in ("1.0", "1.1")]

    assert [labels(flag) == [specs.UNSUPPORTED] for flag in told] == [True, False]


@pytest.mark.rule("split.sdk.unsupported-matcher")
def test_a_warning_names_the_flags_and_says_that_the_mock_has_to_be_there_first(make_sdk):
    sdk = make_sdk(flags={"banner": {"rules": [{"large_segment": "big", "serve": "on"}]}}, large_segments={"big": []})
    sdk.ask("/api/splitChanges", s="1.1", since=-1)
    sdk.ask("/api/splitChanges", s="1.1", since=sdk.changes()["ff"]["t"])  # it is told once, not with every poll

    [finding] = sdk.lab.findings()
    assert (finding.step.level, finding.step.rule) == ("warning", "split.sdk.unsupported-matcher")
    assert finding.step.text == "spec 1.1 lacks a matcher of these flags, which give control to everybody: banner"
    assert finding.step.fix.endswith("one for JavaScript that was started before the mock has to be started again")


def test_a_thousand_flags_come_in_one_answer(make_sdk):
    sdk = make_sdk(flags={f"flag-{number}": {"serve": {"on": 50, "off": 50}} for number in range(1000)})

    assert len(sdk.changes()["ff"]["d"]) == 1000


@pytest.mark.rule("split.sdk.split-changes", "split.sdk.segment-changes")
@pytest.mark.parametrize("since", [-5, -99999999999999999999])
def test_a_change_number_below_all_is_that_of_nothing_yet(make_sdk, since):
    sdk = make_sdk(flags={"a": "on"}, segments={"beta": ["user-1"]})
    changes = sdk.changes(since, since)

    assert ([row["name"] for row in changes["ff"]["d"]], changes["ff"]["s"], changes["rbs"]["s"]) == (["a"], -1, -1)
    assert sdk.get("/api/splitChanges", s="1.1", since=since)["since"] == -1
    assert sdk.get("/api/segmentChanges/beta", since=since)["since"] == -1
