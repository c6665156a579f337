"""A file of specs: either format serves both generations of SDKs, and each mistake is told with its file and line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trackside import catalog, workspace
from trackside.errors import WorkspaceError

EXAMPLES = Path(__file__).parents[2] / "contracts" / "statsig" / "examples"
KEYS = {"server_secret": "secret-local"}

FIRST = """{
  "has_updates": true,
  "time": 1,
  "feature_gates": [
    {
      "name": "half",
      "enabled": true,
      "defaultValue": false,
      "rules": [
        {
          "id": "r1",
          "passPercentage": 50,
          "returnValue": true,
          "conditions": [
            {"type": "user_field", "field": "plan", "operator": "any", "targetValue": ["gold"]}
          ]
        }
      ]
    }
  ],
  "dynamic_configs": [],
  "layer_configs": []
}
"""


@pytest.fixture
def faults_of(tmp_path: Path) -> Callable[..., list[tuple[str, str]]]:
    """Return a function from a file's text to its faults: the place, and what is wrong."""

    def of(text: str | bytes, **more: Any) -> list[tuple[str, str]]:
        path = tmp_path / "specs.json"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(WorkspaceError) as caught:
            workspace.load({"statsig": {**KEYS, "specs_file": str(path), **more}})
        return [(one.where.replace(f"{path}", "specs.json"), one.what) for one in caught.value.faults]

    return of


@pytest.fixture
def served(make_trackside: Any, call: Any, tmp_path: Path) -> Callable[..., tuple[Any, Any]]:
    """Return what gives both documents of a lab whose specs are a file."""

    def of(file: Path | dict[str, Any], **more: Any) -> tuple[Any, Any]:
        if isinstance(file, dict):
            (tmp_path / "specs.json").write_text(json.dumps(file), encoding="utf-8")
            file = tmp_path / "specs.json"
        url = make_trackside({"statsig": {**KEYS, "specs_file": str(file), **more}}).statsig.url
        v1, v2 = (call(f"{url}/v{number}/download_config_specs/secret-local.json").json() for number in (1, 2))
        return v1, v2

    return of


# ---- both formats from either


@pytest.mark.rule("statsig.sdk.specs.file")
@pytest.mark.parametrize("file", ["specs-v1", "specs-v2"])
def test_a_file_of_either_format_is_served_in_both(served, file):
    first, second = served(EXAMPLES / file / "valid" / "experiment-in-a-layer.json")

    assert catalog.faults("statsig/specs-v1", first) == []
    assert catalog.faults("statsig/specs-v2", second) == []
    assert [gate["name"] for gate in first["feature_gates"]] == list(second["feature_gates"]) == ["half_gate"]
    assert first["layers"] == {"rig_layer": ["rig_experiment"]}
    assert second["experiment_to_layer"] == {"rig_experiment": "rig_layer"}


@pytest.mark.rule("statsig.sdk.specs.file", "statsig.sdk.specs.agree")
def test_both_files_of_one_project_give_the_same_documents(served):
    documents = [served(EXAMPLES / file / "valid" / "experiment-in-a-layer.json") for file in ("specs-v1", "specs-v2")]

    for number in (0, 1):
        one, other = (
            {key: pair[number][key] for key in ("feature_gates", "dynamic_configs", "layer_configs")}
            for pair in documents
        )
        assert one == other


@pytest.mark.rule("statsig.sdk.specs.file")
def test_settings_of_sdks_are_taken_over_and_the_hash_of_another_key_is_not(served):
    document = json.loads(FIRST)
    first, second = served({**document, "sdk_configs": {"event_queue_size": 7}, "hashed_sdk_key_used": "1"})

    assert first["sdk_configs"] == second["sdk_configs"] == {"event_queue_size": 7}
    assert "hashed_sdk_key_used" not in first


@pytest.mark.rule("statsig.sdk.specs.file")
def test_what_the_workspace_declares_comes_beside_the_file(served):
    first, _ = served(json.loads(FIRST), gates={"beta": {"if": {"passes_gate": "half"}}})

    assert [gate["name"] for gate in first["feature_gates"]] == ["half", "beta"]


@pytest.mark.rule("statsig.sdk.specs.file")
def test_an_id_list_that_a_file_names_exists_and_is_empty(make_trackside, call, tmp_path):
    condition = {"type": "unit_id", "operator": "in_segment_list", "targetValue": "big_list", "idType": "userID"}
    document = json.loads(FIRST)
    document["feature_gates"][0]["rules"][0]["conditions"] = [condition]
    (tmp_path / "specs.json").write_text(json.dumps(document), encoding="utf-8")
    lab = make_trackside({"statsig": {**KEYS, "specs_file": str(tmp_path / "specs.json")}})

    manifest = call(f"{lab.statsig.url}/v1/get_id_lists/secret-local.json").json()

    assert manifest["big_list"]["size"] == 0


@pytest.mark.rule("statsig.sdk.specs.agree")
def test_a_rule_of_the_second_format_that_returns_false_lets_nobody_pass_in_the_first(served):
    document = json.loads((EXAMPLES / "specs-v2" / "valid" / "experiment-in-a-layer.json").read_bytes())
    document["feature_gates"]["half_gate"]["rules"][0]["returnValue"] = False

    first, second = served(document)

    assert first["feature_gates"][0]["rules"][0]["passPercentage"] == 0
    assert second["feature_gates"]["half_gate"]["rules"][0]["passPercentage"] == 0


@pytest.mark.rule("statsig.sdk.specs.agree")
def test_a_rule_of_the_first_format_passes_whatever_it_returns(served):
    document = json.loads(FIRST)
    document["feature_gates"][0]["rules"][0]["returnValue"] = False

    first, second = served(document)

    assert first["feature_gates"][0]["rules"][0]["returnValue"] is True
    assert second["feature_gates"]["half"]["rules"][0]["returnValue"] is True


@pytest.mark.rule("statsig.sdk.specs.file")
def test_a_changed_file_is_served_within_a_second(make_trackside, call, tmp_path):
    path = tmp_path / "specs.json"
    path.write_text(FIRST, encoding="utf-8")
    lab = make_trackside({"statsig": {**KEYS, "specs_file": str(path)}})
    url = f"{lab.statsig.url}/v2/download_config_specs/secret-local.json"
    before = call(url).json()

    path.write_text(FIRST.replace('"passPercentage": 50', '"passPercentage": 60'), encoding="utf-8")
    after = _until(lambda: call(f"{url}?sinceTime={before['time']}").json(), lambda found: found["has_updates"])

    assert after["feature_gates"]["half"]["rules"][0]["passPercentage"] == 60


@pytest.mark.rule("statsig.sdk.specs.file")
def test_a_changed_file_with_a_mistake_leaves_the_specs_as_they_were(make_trackside, call, tmp_path):
    path = tmp_path / "specs.json"
    path.write_text(FIRST, encoding="utf-8")
    lab = make_trackside({"statsig": {**KEYS, "specs_file": str(path)}})
    url = f"{lab.statsig.url}/v2/download_config_specs/secret-local.json"

    path.write_text(FIRST.replace("50", "500"), encoding="utf-8")
    [finding] = _until(lambda: list(lab.findings()), bool)

    assert finding.step.at == f"{path}:12: $.feature_gates[0].rules[0].passPercentage"
    assert call(url).json()["feature_gates"]["half"]["rules"][0]["passPercentage"] == 50


def _until(look: Callable[[], Any], good: Callable[[Any], bool]) -> Any:
    """Return what a look gives once it is good; after five seconds, whatever it gives."""
    import threading
    import time

    end = time.monotonic() + 5
    pause = threading.Event()
    while not good(found := look()) and time.monotonic() < end:
        pause.wait(0.02)
    return found


# ---- mistakes


@pytest.mark.rule("statsig.sdk.specs.file")
def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(WorkspaceError) as caught:
        workspace.load({"statsig": {**KEYS, "specs_file": str(tmp_path / "specs.json")}})

    [fault] = caught.value.faults
    assert fault.what == "the file cannot be read: No such file or directory"
    assert fault.where == str(tmp_path / "specs.json")


@pytest.mark.rule("statsig.sdk.specs.file")
def test_a_file_that_is_not_json_is_told_with_line_and_column(faults_of):
    [(where, what)] = faults_of(FIRST.replace('"time": 1,', '"time": 1'))

    assert where == "specs.json:4:3"
    assert what.startswith("the file is not JSON: ")


@pytest.mark.rule("statsig.sdk.specs.file")
def test_a_file_that_is_not_utf_8_is_told(faults_of):
    [(where, what)] = faults_of(b"\xff\xfe")

    assert (where, what) == ("specs.json", "the file is not UTF-8: invalid start byte")


@pytest.mark.rule("statsig.sdk.specs.file")
@pytest.mark.parametrize(
    ("before", "after", "where", "what"),
    [
        (
            '"passPercentage": 50',
            '"passPercentage": 500',
            "specs.json:12: $.feature_gates[0].rules[0].passPercentage",
            "passPercentage is 500",
        ),
        (
            '          "returnValue": true,\n',
            "",
            "specs.json:10: $.feature_gates[0].rules[0].returnValue",
            "returnValue is missing",
        ),
        ('"name": "half",', "", "specs.json:5: $.feature_gates[0].name", "name is missing"),
        (
            '"user_field"',
            '"user_fild"',
            "specs.json:15: $.feature_gates[0].rules[0].conditions[0]",
            "SDKs know no condition of type 'user_fild': half would be false for everyone",
        ),
        (
            '"any"',
            '"anny"',
            "specs.json:15: $.feature_gates[0].rules[0].conditions[0]",
            "SDKs know no operator 'anny': half would be false for everyone",
        ),
        (
            '["gold"]',
            '"gold"',
            "specs.json:15: $.feature_gates[0].rules[0].conditions[0]",
            "any compares with a list, and its targetValue is 'gold': half would be false for everyone",
        ),
        (
            '{"type": "user_field", "field": "plan", "operator": "any", "targetValue": ["gold"]}',
            '{"type": "user_field", "field": "plan", "operator": "str_matches", "targetValue": "(gold"}',
            "specs.json:15: $.feature_gates[0].rules[0].conditions[0]",
            "'(gold' is no regular expression: missing ), unterminated subpattern at position 0: half would be false for everyone",
        ),
        (
            '{"type": "user_field", "field": "plan", "operator": "any", "targetValue": ["gold"]}',
            '{"type": "pass_gate", "targetValue": "half"}',
            "specs.json:5: $.feature_gates[0]",
            "gates ask each other in a circle: half asks half",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(faults_of, before, after, where, what):
    assert before in FIRST

    assert faults_of(FIRST.replace(before, after)) == [(where, what)]


def a_config(value: Any = None, rules: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a file with one dynamic config."""
    config = {"name": "banner", "enabled": True, "defaultValue": {} if value is None else value, "rules": rules or []}
    return {**json.loads(FIRST), "feature_gates": [], "dynamic_configs": [config], **more}


def a_rule(value: Any, *conditions: Any) -> dict[str, Any]:
    return {"id": "r", "passPercentage": 100, "returnValue": value, "conditions": list(conditions)}


BUCKETS = {"type": "user_bucket", "operator": "any", "targetValue": [1, ""], "additionalValues": {"salt": "s"}}


@pytest.mark.rule("statsig.sdk.specs.file", "statsig.sdk.specs.agree")
@pytest.mark.parametrize(
    ("document", "place", "what"),
    [
        (a_config(True), "$.dynamic_configs[0].defaultValue", "banner gives True, and is no gate"),
        (
            a_config({}, [a_rule(True)]),
            "$.dynamic_configs[0].rules[0].returnValue",
            "banner gives True, and is no gate",
        ),
        (
            a_config({}, [a_rule({}, {**BUCKETS, "additionalValues": {"salt": 5}})]),
            "$.dynamic_configs[0].rules[0].conditions[0].additionalValues.salt",
            "salt is a number, 5",
        ),
        (
            a_config({}, [a_rule({}, BUCKETS)]),
            "$.dynamic_configs[0].rules[0].conditions[0]",
            "buckets are whole numbers, and targetValue is [1, '']: banner would be false for everyone",
        ),
        (
            a_config({}, [a_rule({}, {"type": "multi_pass_gate", "targetValue": [{}]})]),
            "$.dynamic_configs[0].rules[0].conditions[0]",
            "multi_pass_gate compares with texts and numbers, and its targetValue is [{}]: banner would be false for everyone",
        ),
        (
            a_config(overrides={"banner": [{"new_config_name": "other", "rules": []}]}),
            "$.overrides.banner",
            "banner is put in another's place by overrides, which statsig-node does not follow",
        ),
        (
            a_config({}, [{**a_rule({}), "configDelegate": "banner"}]),
            "$.dynamic_configs[0]",
            "configs delegate in a circle: banner delegates to banner",
        ),
        (
            a_config(
                {}, [a_rule({}, {"type": "experiment_group", "operator": "any", "targetValue": [], "field": "e"})]
            ),
            "$.dynamic_configs[0].rules[0].conditions[0]",
            "only SDKs built on Statsig's core know experiment_group: banner would be false for everyone",
        ),
        (a_config(param_stores=5), "$.param_stores", "param_stores is a number, 5"),
        (a_config(sdk_flags={"a": "yes"}), "$.sdk_flags.a", 'a is a string, "yes"'),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("$") else "",
)
def test_what_an_sdk_would_refuse_or_read_otherwise_than_others_is_told(faults_of, document, place, what):
    [(where, told)] = faults_of(json.dumps(document))

    assert (where, told) == (f"specs.json:1: {place}", what)


@pytest.mark.rule("statsig.sdk.specs.file", "statsig.sdk.serve")
@pytest.mark.parametrize("named", [{}, {"groupName": None}])
def test_a_group_without_a_name_goes_by_the_id_of_its_rule(make_trackside, tmp_path, named):
    groups = [{**a_rule({"x": 1}), "id": one, "isExperimentGroup": True, **named} for one in ("r1", "r2")]
    (tmp_path / "specs.json").write_text(json.dumps(a_config({}, groups)), encoding="utf-8")
    lab = make_trackside({"statsig": {**KEYS, "specs_file": str(tmp_path / "specs.json")}})

    lab.statsig.experiment("banner").serve("r2")

    [row] = lab.statsig.flags()
    assert (row["kind"], row["serves"]) == ("experiment", "r2")


@pytest.mark.rule("statsig.sdk.specs.file")
def test_a_mistake_in_the_condition_map_is_told_with_the_line_of_its_condition(faults_of):
    document = json.loads((EXAMPLES / "specs-v2" / "valid" / "experiment-in-a-layer.json").read_bytes())
    document["condition_map"]["3"]["field"] = 5
    text = json.dumps(document, indent=1)
    line = next(number for number, one in enumerate(text.splitlines(), 1) if one.strip() == '"field": 5,')

    assert faults_of(text) == [(f'specs.json:{line}: $.condition_map["3"].field', "field is a number, 5")]


@pytest.mark.rule("statsig.sdk.specs.agree")
def test_an_operator_of_a_condition_that_needs_none_is_left_out(served):
    rule = a_rule({}, {"type": "public", "operator": "none of ours", "targetValue": None})

    first, _ = served(a_config({}, [rule]))

    assert first["dynamic_configs"][0]["rules"][0]["conditions"][0]["operator"] is None


@pytest.mark.rule("statsig.sdk.specs.file")
@pytest.mark.parametrize("levels", [260, 1010])
def test_a_value_of_more_levels_than_can_be_sent_is_told(faults_of, levels):
    text = json.dumps(a_config("DEEP")).replace('"DEEP"', '{"a":' * levels + "1" + "}" * levels)

    assert faults_of(text) == [("specs.json:1: $", "the file has more than 249 levels")]


@pytest.mark.rule("statsig.sdk.specs.file")
def test_a_path_that_no_file_can_have_is_told():
    with pytest.raises(WorkspaceError) as caught:
        workspace.load({"statsig": {**KEYS, "specs_file": "a\0b"}})

    assert [fault.what for fault in caught.value.faults] == ["the file cannot be read: embedded null byte"]


@pytest.mark.rule("statsig.sdk.specs.file")
def test_every_mistake_is_told_at_once(faults_of):
    text = FIRST.replace('"passPercentage": 50', '"passPercentage": "50"').replace('"enabled": true', '"enabled": 1')

    assert [where for where, _ in faults_of(text)] == [
        "specs.json:7: $.feature_gates[0].enabled",
        "specs.json:12: $.feature_gates[0].rules[0].passPercentage",
    ]


@pytest.mark.rule("statsig.sdk.specs.file")
def test_a_condition_that_is_not_in_the_map_is_told(faults_of):
    document = json.loads((EXAMPLES / "specs-v2" / "valid" / "experiment-in-a-layer.json").read_bytes())
    del document["condition_map"]["3"]

    [(where, what)] = faults_of(json.dumps(document))

    assert where == "specs.json:1: $.dynamic_configs.rig_experiment.rules[1].conditions[0]"
    assert what == "there is no condition '3'"


@pytest.mark.rule("statsig.sdk.specs.agree")
def test_a_gate_that_is_true_by_default_is_told_as_only_one_generation_follows_it(faults_of):
    document = json.loads((EXAMPLES / "specs-v2" / "valid" / "experiment-in-a-layer.json").read_bytes())
    document["feature_gates"]["half_gate"]["defaultValue"] = True

    [(where, _)] = faults_of(json.dumps(document, indent=1))

    assert where.endswith("$.feature_gates.half_gate.defaultValue")


@pytest.mark.rule("statsig.sdk.specs.file")
def test_a_spec_that_is_there_twice_is_told(faults_of):
    document = json.loads(FIRST)
    document["feature_gates"] *= 2

    assert faults_of(json.dumps(document)) == [("specs.json:1: $.feature_gates[1]", "half is there twice")]


@pytest.mark.rule("statsig.sdk.specs.file")
@pytest.mark.parametrize("text", ["[]", "5", "null", '"x"'])
def test_a_file_that_is_no_object_is_told(faults_of, text):
    assert faults_of(text) == [("specs.json:1: $", "the document is no object")]


@pytest.mark.rule("statsig.sdk.specs.file")
def test_a_name_that_file_and_workspace_both_declare_is_told(faults_of):
    [(where, what)] = faults_of(FIRST, gates={"half": True})

    assert where == "the workspace: $.statsig.gates.half"
    assert what.startswith("half is in ")


# ---- mistakes of the short form


@pytest.mark.rule("statsig.sdk.short-form")
@pytest.mark.parametrize(
    ("block", "where", "what"),
    [
        ({"gates": {"a": 101}}, "$.statsig.gates.a", "a is 101"),
        ({"gates": {"a": "yes"}}, "$.statsig.gates.a", 'a is a string, "yes"'),
        ({"gates": {"a": {"passs": 5}}}, "$.statsig.gates.a.passs", "passs is not a known field"),
        (
            {"gates": {"a": {"if": {"passes_gate": "b"}}}},
            "$.statsig.gates.a.if.passes_gate",
            "there is no gate 'b'",
        ),
        (
            {"gates": {"a": {"if": {"fails_segment": ["b"]}}}},
            "$.statsig.gates.a.if.fails_segment",
            "there is no ID list 'b'",
        ),
        (
            {"gates": {"a": {"if": {"passes_gate": "b"}}, "b": {"if": {"fails_gate": "a"}}}},
            "$.statsig.gates.a",
            "gates ask each other in a circle: a asks b asks a",
        ),
        ({"experiments": {"e": {}}}, "$.statsig.experiments.e.groups", "groups is missing"),
        ({"experiments": {"e": {"groups": {}}}}, "$.statsig.experiments.e.groups", "groups is empty"),
        (
            {"experiments": {"e": {"groups": {"a": {}}, "layer": "page"}}},
            "$.statsig.experiments.e.layer",
            "there is no layer 'page'",
        ),
        (
            {"experiments": {"e": {"groups": {"a": {}}, "users": {"b": ["u"]}}}},
            "$.statsig.experiments.e.users.b",
            "there is no group 'b'",
        ),
        (
            {"experiments": {"e": {"groups": {"a": {}, "b": {}}, "sizes": {"a": 50, "b": 40}}}},
            "$.statsig.experiments.e.sizes",
            "the sizes add up to 90",
        ),
        (
            {
                "layers": {"page": {}},
                "experiments": {
                    "e": {"groups": {"a": {}}, "layer": "page"},
                    "f": {"groups": {"a": {}}, "layer": "page", "allocation": 10},
                },
            },
            "$.statsig.experiments.e.allocation",
            "the experiments in the layer page are allocated 110 % of it: e, f",
        ),
        (
            {
                "id_types": ["companyID"],
                "layers": {"page": {}},
                "experiments": {
                    "e": {"groups": {"a": {}}, "layer": "page", "allocation": 10},
                    "f": {"groups": {"a": {}}, "layer": "page", "allocation": 10, "id_type": "companyID"},
                },
            },
            "$.statsig.experiments.e.id_type",
            "the experiments in the layer page have several ID types: companyID, userID",
        ),
        (
            {"dynamic_configs": {"e": {}}, "experiments": {"e": {"groups": {"a": {}}}}},
            "$.statsig.experiments.e",
            "e is a dynamic config too",
        ),
        (
            {"dynamic_configs": {"a": {1: 2}}},
            "$.statsig.dynamic_configs.a",
            "the dynamic_config a cannot be sent as JSON: Dict key must be str",
        ),
        ({"id_lists": {"a": [5]}}, "$.statsig.id_lists.a[0]", "item 0 is a number, 5"),
    ],
)
def test_a_mistake_of_the_short_form_is_told_with_its_place(block, where, what):
    with pytest.raises(WorkspaceError) as caught:
        workspace.load({"statsig": {**KEYS, **block}})

    assert [(one.where, one.what) for one in caught.value.faults] == [(f"the workspace: {where}", what)]
