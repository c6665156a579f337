"""The vendor's own files of flags: localhost YAML, localhost JSON, dumps of splitChanges."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest

from trackside import catalog, workspace
from trackside.errors import WorkspaceError
from trackside.lab import Lab


@pytest.fixture
def read(tmp_path):
    """Return a function from a flag file's text to what the first environment serves."""

    def of(text, name="splits.yaml", **split):
        (tmp_path / name).write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        path = tmp_path / "trackside.yaml"
        block = {"environments": {"production": {"sdk_key": "k"}, "staging": {"sdk_key": "s"}}, "flags_file": name}
        path.write_text(json.dumps({"split": {**block, **split}}), encoding="utf-8")
        return workspace.load(path).declared["split"].data["production"]

    return of


@pytest.fixture
def faults_of(read, tmp_path):
    """Return a function from a flag file's text to its faults: place, what is wrong, what to do."""

    def of(text, name="splits.yaml", **split):
        with pytest.raises(WorkspaceError) as caught:
            read(text, name, **split)
        return [(one.where.replace(f"{tmp_path}/", ""), one.what, one.fix) for one in caught.value.faults]

    return of


def treatments(flag):
    return [
        (condition["matcherGroup"]["matchers"][0].get("whitelistMatcherData", {}).get("whitelist"), row["treatment"])
        for condition in flag["conditions"]
        for row in condition["partitions"]
        if row["size"]
    ]


LOCALHOST_YAML = """
    - checkout:
        treatment: "on"
        keys: [user-1, user-2]
        config: '{"color": "blue"}'
    - checkout:
        treatment: "off"
    - banner:
        treatment: on
    - only_keys:
        treatment: "on"
        keys: user-1
"""


@pytest.mark.rule("split.sdk.flags-file")
def test_localhost_yaml_gives_keys_their_treatment_and_everybody_else_theirs(read):
    flags = read(LOCALHOST_YAML).flags

    assert treatments(flags["checkout"]) == [(["user-1", "user-2"], "on"), (None, "off")]
    assert flags["checkout"]["configurations"] == {"on": '{"color": "blue"}'}
    assert treatments(flags["banner"]) == [(None, "on")]
    assert all(catalog.faults("split/split-definition", flag) == [] for flag in flags.values())


@pytest.mark.rule("split.sdk.flags-file")
def test_keys_that_localhost_yaml_does_not_name_get_control(read):
    flag = read(LOCALHOST_YAML).flags["only_keys"]

    assert treatments(flag) == [(["user-1"], "on"), (None, "control")]
    assert flag["defaultTreatment"] == "control"


ROLLOUT = {
    "conditionType": "ROLLOUT",
    "matcherGroup": {"combiner": "AND", "matchers": [{"matcherType": "ALL_KEYS", "negate": False}]},
    "partitions": [{"treatment": "on", "size": 100}],
}
SEGMENT = {"name": "vip", "conditions": [{"matcherGroup": ROLLOUT["matcherGroup"]}]}


@pytest.mark.rule("split.sdk.flags-file", "split.sdk.flags-file.filled")
@pytest.mark.parametrize(
    "dump",
    [
        {"ff": {"d": [{"name": "a", "conditions": [ROLLOUT]}], "s": -1, "t": 7}, "rbs": {"d": [SEGMENT]}},
        {"splits": [{"name": "a", "conditions": [ROLLOUT]}], "since": -1, "till": 7},
        {"splits": [{"name": "a", "conditions": [ROLLOUT]}]},
    ],
)
def test_a_dump_of_any_spec_is_read(read, dump):
    content = read(json.dumps(dump), "splits.json")

    assert treatments(content.flags["a"]) == [(None, "on")]
    assert list(content.rule_based_segments) == (["vip"] if "rbs" in dump else [])


@pytest.mark.rule("split.sdk.flags-file.filled")
def test_what_a_definition_leaves_out_is_filled_in_as_in_localhost_mode(read):
    flag = read(json.dumps({"splits": [{"name": "a", "conditions": [ROLLOUT]}]}), "splits.json").flags["a"]

    assert catalog.faults("split/split-definition", flag) == []
    assert {name: flag[name] for name in ("trafficTypeName", "status", "killed", "defaultTreatment", "algo")} == {
        "trafficTypeName": "user",
        "status": "ACTIVE",
        "killed": False,
        "defaultTreatment": "control",
        "algo": 2,
    }
    assert flag["trafficAllocation"] == 100


@pytest.mark.rule("split.sdk.flags-file.filled")
@pytest.mark.parametrize("conditions", [[], [{**ROLLOUT, "conditionType": "WHITELIST"}]])
def test_a_last_condition_for_everybody_is_added_where_there_is_none(read, conditions):
    flag = read(json.dumps({"splits": [{"name": "a", "conditions": conditions}]}), "splits.json").flags["a"]

    assert (len(flag["conditions"]), treatments(flag)[-1]) == (len(conditions) + 1, (None, "off"))


@pytest.mark.rule("split.sdk.flags-file.filled")
def test_seeds_of_a_dump_are_kept(read):
    row = {"name": "a", "seed": -1222652054, "trafficAllocationSeed": 1012950810, "conditions": [ROLLOUT]}
    flag = read(json.dumps({"splits": [row]}), "splits.json").flags["a"]

    assert (flag["seed"], flag["trafficAllocationSeed"]) == (-1222652054, 1012950810)


@pytest.mark.rule("split.sdk.flags-file")
def test_archived_flags_of_a_dump_are_left_out(read):
    rows = [{"name": "a", "conditions": [ROLLOUT], "status": "ARCHIVED"}, {"name": "b", "conditions": [ROLLOUT]}]

    assert list(read(json.dumps({"splits": rows}), "splits.json").flags) == ["b"]


@pytest.mark.rule("split.sdk.flags-file")
def test_a_file_and_the_workspace_are_put_together(read):
    assert list(read(LOCALHOST_YAML, flags={"here": "on"}).flags) == ["checkout", "banner", "only_keys", "here"]


# ---- mistakes


@pytest.mark.rule("split.sdk.flags-file")
def test_a_flag_in_both_places_is_a_fault(faults_of):
    told = faults_of("- banner: {treatment: on}", flags={"banner": "on"})

    assert [(what, fix) for _, what, fix in told] == [("banner is also in splits.yaml", "take one of the two away")]
    assert told[0][0].endswith("$.split.flags.banner")


@pytest.mark.rule("split.sdk.flags-file")
def test_every_mistake_of_a_yaml_file_is_told_with_its_line(faults_of):
    told = faults_of("""
        - checkout:
            treatment: "on"
        - banner:
            keys: [user-1]
        - 7
        - other:
            treatment: control
        - third:
            treatment: "on"
            keys: [{}]
    """)

    assert told == [
        ("splits.yaml:3: $[1].banner.treatment", "the flag has no treatment", "say what it serves"),
        ("splits.yaml:5: $[2]", "the entry is no flag with its treatment", 'write "- my_flag: {treatment: on}"'),
        ("splits.yaml:7: $[3].other.treatment", "'control' is no treatment", "name a treatment, other than 'control'"),
        ("splits.yaml:10: $[4].third.keys", "the keys are [{}]", "give texts"),
    ]


@pytest.mark.rule("split.sdk.flags-file", "split.sdk.strict-fields")
def test_every_mistake_of_a_dump_is_told_with_its_line(faults_of):
    told = faults_of(
        """
        {"ff": {"d": [
          {"name": "a", "conditions": [{"conditionType": "ROLLOUT",
            "matcherGroup": {"combiner": "AND", "matchers": [{"matcherType": "ALL_KEYS", "negate": false}]},
            "partitions": [{"treatment": "on", "size": 60}]}]},
          {"conditions": []},
          {"name": "b", "conditions": [{"conditionType": "ROLLOUT",
            "matcherGroup": {"combiner": "AND", "matchers": [{"matcherType": "ALL_KEYS"}]},
            "partitions": [{"treatment": "on", "size": 100}]}]},
          {"name": "b", "conditions": []}
        ], "s": -1, "t": 1}, "rbs": {"d": [{"name": "vip", "conditions": 7}]}}
        """,
        "splits.json",
    )

    assert [(place, what) for place, what, _ in told] == [
        ("splits.json:4: $.ff.d[0].conditions[0].partitions", "the partitions add up to 60"),
        ("splits.json:5: $.ff.d[1].name", "the definition has no name"),
        ("splits.json:7: $.ff.d[2].conditions[0].matcherGroup.matchers[0].negate", "negate is missing"),
        ("splits.json:10: $.rbs.d[0].conditions", "conditions is a number, 7"),
    ]


@pytest.mark.rule("split.sdk.flags-file")
def test_a_flag_that_a_dump_holds_twice_is_a_fault(faults_of):
    rows = [{"name": "a", "conditions": [ROLLOUT]}] * 2

    assert faults_of(json.dumps({"splits": rows}), "splits.json")[0][1:] == (
        "a is given twice",
        "take one of the two away",
    )


@pytest.mark.rule("split.sdk.flags-file")
@pytest.mark.parametrize(
    ("text", "name", "place", "what"),
    [
        ('{"splits": [', "splits.json", "splits.json:1:", "the file is not JSON"),
        ("- a: {treatment: on", "splits.yaml", "splits.yaml:", "the file is not YAML"),
        ("", "splits.yaml", "splits.yaml: $", "the file holds no flags"),
        ("7", "splits.yaml", "splits.yaml:1: $", "the file holds no flags"),
        ('{"splits": {}}', "splits.json", "splits.json:1: $.splits", "this is no list of definitions"),
        ('{"ff": {"d": null}}', "splits.json", "splits.json:1: $.ff.d", "this is no list of definitions"),
        ('{"splits": [{"name": "a", "conditions": 7}]}', "splits.json", "splits.json:1: $.splits[0].conditions", "conditions is a number, 7"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_one_fault(faults_of, text, name, place, what):
    [(where, told, fix)] = faults_of(text, name)

    assert where.startswith(place)
    assert told.startswith(what)
    assert fix


@pytest.mark.rule("split.sdk.flags-file")
def test_a_file_that_is_not_there_is_a_fault(tmp_path):
    path = tmp_path / "trackside.yaml"
    path.write_text("split: {environments: {production: {sdk_key: k}}, flags_file: nowhere.yaml}", encoding="utf-8")
    with pytest.raises(WorkspaceError, match=r"the file cannot be read: No such file or directory\. .*nowhere\.yaml"):
        workspace.load(path)


@pytest.mark.rule("split.sdk.flags-file")
@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("- a: {treatment: on, config: {a: 99999999999999999999}}", "1: $[0].a.config", "the configuration cannot be written as JSON: Integer exceeds 64-bit range"),
        ("- a: {treatment: on, config: !!binary aGVsbG8=}", "1: $[0].a.config", "the configuration cannot be written as JSON: Type is not JSON serializable: bytes"),
        ("- &a [*a]", "1", "the file unfolds to more than 1000000 values, or 200 levels"),
        ("- a: {treatment: on, config: " + "{a: " * 300 + "1" + "}" * 301, "1", "the file unfolds to more than 1000000 values, or 200 levels"),
        ("[" * 2000, "1", "the file is not YAML: it is nested too deep"),
        ("- a: {treatment: !!timestamp 2020-13-45}", "1", "the file is not YAML: month must be in 1..12"),
        ("- a: \x00", "1", "the file is not YAML: special characters are not allowed"),
    ],
)  # fmt: skip
def test_yaml_that_json_cannot_hold_is_a_mistake_with_its_line(faults_of, text, place, what):
    [(where, told, fix)] = faults_of(text)

    assert (where, told) == (f"splits.yaml:{place}", what)
    assert fix


@pytest.mark.rule("split.sdk.flags-file")
def test_aliases_that_unfold_without_end_are_a_mistake_and_no_hang(faults_of):
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    assert faults_of("\n".join([*rows, "splits: *a11"]))[0][1].startswith(
        "the file unfolds to more than 1000000 values"
    )


@pytest.mark.rule("split.sdk.flags-file")
def test_a_date_and_a_number_as_keys_of_yaml_are_text_as_in_json(read):
    flags = read("- a: {treatment: 2020-01-01, config: {1: b, 2020-01-01: c}}").flags

    assert (treatments(flags["a"]), flags["a"]["configurations"]) == (
        [(None, "2020-01-01")],
        {"2020-01-01": '{"1":"b","2020-01-01":"c"}'},
    )


@pytest.mark.rule("split.sdk.flags-file")
def test_a_byte_order_mark_is_no_mistake(read):
    assert list(read("\ufeff" + json.dumps({"splits": [{"name": "a", "conditions": [ROLLOUT]}]}), "s.json").flags) == [
        "a"
    ]


@pytest.mark.rule("split.sdk.flags-file")
def test_a_mistake_in_json_that_is_indented_with_tabs_has_its_line(faults_of):
    text = json.dumps({"splits": [{"name": "a", "conditions": 7}]}, indent="\t")

    assert faults_of(text, "splits.json")[0][0] == "splits.json:5: $.splits[0].conditions"


@pytest.mark.rule("split.sdk.flags-file", "split.sdk.flags-file.filled")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", 5),
        ("defaultTreatment", 0),
        ("changeNumber", "7"),
        ("algo", "2"),
        ("seed", ""),
        ("trafficAllocation", "50"),
        ("trafficAllocationSeed", []),
        ("conditions", {}),
    ],
)
def test_a_field_of_another_type_is_not_filled_in_but_a_mistake(faults_of, field, value):
    row = {"name": "a", "conditions": [ROLLOUT], field: value}
    [(where, what, _)] = faults_of(json.dumps({"splits": [row]}), "splits.json")

    assert where == f"splits.json:1: $.splits[0].{field}"
    assert what.startswith(f"{field} is ")


@pytest.mark.rule("split.sdk.flags-file", "split.sdk.flags-file.filled")
@pytest.mark.parametrize(
    ("rule_based", "place"),
    [
        (7, "$.rbs"),
        ({"d": [{**SEGMENT, "excluded": []}]}, "$.rbs.d[0].excluded"),
        ({"d": [{**SEGMENT, "excluded": {"keys": ""}}]}, "$.rbs.d[0].excluded.keys"),
        ({"d": [{**SEGMENT, "conditions": {}}]}, "$.rbs.d[0].conditions"),
        ({"d": [{**SEGMENT, "status": True}]}, "$.rbs.d[0].status"),
    ],
)
def test_so_is_one_of_a_rule_based_segment(faults_of, rule_based, place):
    [(where, _, _)] = faults_of(json.dumps({"ff": {"d": []}, "rbs": rule_based}), "splits.json")

    assert where == f"splits.json:1: {place}"


def asking(matcher, **more):
    rule = {**ROLLOUT, "matcherGroup": {"combiner": "AND", "matchers": [{"negate": False, **matcher}]}}
    return {"conditions": [rule, ROLLOUT], **more}


@pytest.mark.rule("split.sdk.patterns")
def test_a_pattern_that_cannot_be_compiled_is_a_mistake(faults_of):
    row = {"name": "a", **asking({"matcherType": "MATCHES_STRING", "stringMatcherData": "("})}

    assert [(where, what) for where, what, _ in faults_of(json.dumps({"splits": [row]}), "splits.json")] == [
        (
            "splits.json:1: $.splits[0].conditions[0].matcherGroup.matchers[0].stringMatcherData",
            "the pattern '(' cannot be compiled: missing ), unterminated subpattern at position 0",
        )
    ]


def on_treatment_of(name):
    return asking({"matcherType": "IN_SPLIT_TREATMENT", "dependencyMatcherData": {"split": name, "treatments": ["on"]}})


@pytest.mark.rule("split.sdk.circles")
def test_flags_that_depend_on_themselves_are_mistakes(faults_of):
    first = {"name": "a", "conditions": [ROLLOUT], "prerequisites": [{"n": "b", "ts": ["on"]}]}
    rows = [first, {"name": "b", **on_treatment_of("a")}, {"name": "c", **on_treatment_of("b")}]

    assert [(where, what) for where, what, _ in faults_of(json.dumps({"splits": rows}), "splits.json")] == [
        ("splits.json:1: $.splits[0]", "the flag depends on itself: a, b, a"),
        ("splits.json:1: $.splits[1]", "the flag depends on itself: b, a, b"),
    ]


@pytest.mark.rule("split.sdk.circles")
def test_a_circle_by_way_of_the_file_is_told_where_the_workspace_has_its_flag(faults_of):
    rows = [{"name": "a", **on_treatment_of("here")}]
    [(where, what, _)] = faults_of(json.dumps({"splits": rows}), "splits.json", flags={"here": on_treatment_of("a")})

    assert (where.rpartition(" ")[2], what) == ("$.split.flags.here", "the flag depends on itself: here, a, here")


# ---- a file that changes


@pytest.mark.rule("split.sdk.flags-file", "split.sdk.change-numbers")
def test_a_changed_file_changes_what_differs(tmp_path):
    path, flags = tmp_path / "trackside.yaml", tmp_path / "splits.yaml"
    path.write_text("split: {environments: {production: {sdk_key: k}}, flags_file: splits.yaml}", encoding="utf-8")
    flags.write_text("[{a: {treatment: on}}, {b: {treatment: on}}]", encoding="utf-8")
    lab = Lab(path)
    before = lab.split.live.environment().flags.number
    flags.write_text("[{a: {treatment: on}}, {b: {treatment: off}}]", encoding="utf-8")
    lab.reread()

    changed = lab.split.live.environment().flags.since(before)
    assert [(row["name"], treatments(row)) for row in changed] == [("b", [(None, "off")])]


@pytest.mark.rule("split.sdk.flags-file")
def test_a_file_that_becomes_wrong_leaves_the_flags_as_they_were(tmp_path):
    path, flags = tmp_path / "trackside.yaml", tmp_path / "splits.yaml"
    path.write_text("split: {environments: {production: {sdk_key: k}}, flags_file: splits.yaml}", encoding="utf-8")
    flags.write_text("[{a: {treatment: on}}]", encoding="utf-8")
    lab = Lab(path)
    flags.write_text("[{a: {}}]", encoding="utf-8")
    lab.reread()

    assert [row["serves"] for row in lab.split.flags()] == ["on"]
    [finding] = lab.findings()
    assert finding.step.at == f"{flags}:1: $[0].a.treatment"
