"""Flag files: LaunchDarkly's file-data format in JSON and YAML, and dumps of an environment."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest
from ldclient import Context
from ldclient.client import LDClient
from ldclient.config import Config
from ldclient.integrations import Files

from trackside import workspace
from trackside.errors import WorkspaceError

ENVIRONMENTS = {
    "production": {"client_side_id": "57be1db38b75bf0772d11384", "sdk_key": "sdk-local"},
    "staging": {"client_side_id": "67be1db38b75bf0772d11385", "sdk_key": "sdk-staging"},
}

LAUGHS = "\n".join(["a0: &a0 [1]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 50)}]" for n in range(1, 6))])
"""Each line stands for fifty times the one before."""

BANNER = {"key": "banner", "version": 7, "on": True, "variations": ["a", "b"], "fallthrough": {"variation": 1}}


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Return a function from a flag file's content to what a workspace beside it declares."""
    monkeypatch.chdir(tmp_path)

    def loaded(content, name="flags.json", **block):
        text = content if isinstance(content, str) else json.dumps(content, indent=2)
        (tmp_path / name).write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        found = workspace.load({"launchdarkly": {"environments": ENVIRONMENTS, "flags_file": name, **block}})
        return found.declared["launchdarkly"]

    return loaded


@pytest.fixture
def faults_of(load):
    def faults(content, name="flags.json", **block):
        with pytest.raises(WorkspaceError) as caught:
            load(content, name, **block)
        return [(fault.where.rpartition("/")[2], fault.what, fault.fix) for fault in caught.value.faults]

    return faults


# ---- what is read


@pytest.mark.rule("launchdarkly.flags.file")
@pytest.mark.parametrize("name", ["flags.json", "flags.yaml"])
def test_a_file_of_flags_values_and_segments_is_read(load, name):
    json_text = {
        "flags": {"banner": BANNER},
        "flagValues": {"new-checkout": True},
        "segments": {"beta": {"version": 2}},
    }
    yaml_text = """
        flags:
          banner: {key: banner, version: 7, "on": true, variations: [a, b], fallthrough: {variation: 1}}
        flagValues:
          new-checkout: true
        segments:
          beta: {version: 2}
    """
    data = load(json_text if name == "flags.json" else yaml_text, name).data["production"]

    assert data["flags"]["banner"].items() >= BANNER.items()
    assert data["flags"]["new-checkout"]["variations"] == [True]
    assert (data["segments"]["beta"]["key"], data["segments"]["beta"]["version"]) == ("beta", 2)


@pytest.mark.rule("launchdarkly.flags.file")
def test_the_sdks_own_file_data_source_reads_a_file_alike(load, tmp_path):
    content = {
        "flags": {
            "banner": {
                **BANNER,
                "rules": [
                    {"clauses": [{"attribute": "country", "op": "in", "values": ["fr"]}], "variation": 0},
                    {"clauses": [{"attribute": "", "op": "segmentMatch", "values": ["beta"]}], "variation": 0},
                ],
            }
        },
        "flagValues": {"limits": {"items": 3}},
        "segments": {"beta": {"key": "beta", "included": ["user-2"], "version": 1}},
    }
    data = load(content).data["production"]
    again = tmp_path / "again.json"
    again.write_text(json.dumps(data))

    def answers(path):
        source = Files.new_data_source(paths=[str(path)], auto_update=False)
        with LDClient(Config("sdk-local", update_processor_class=source, send_events=False)) as client:
            contexts = [
                Context.create("user-1"),
                Context.create("user-2"),
                Context.builder("u").set("country", "fr").build(),
            ]
            return [client.all_flags_state(one, with_reasons=False).to_values_map() for one in contexts]

    assert answers(tmp_path / "flags.json") == answers(again)
    assert [values["banner"] for values in answers(again)] == ["b", "a", "a"]


@pytest.mark.rule("launchdarkly.flags.file")
@pytest.mark.trackside(workspace={"launchdarkly": {"environments": ENVIRONMENTS, "flags": {"banner": "blue"}}})
def test_a_dump_of_an_environment_is_a_flag_file(load, ask):
    dump = json.loads(ask("GET", "/sdk/latest-all", "sdk-local").data)
    assert load(dump).data["production"] == dump


@pytest.mark.rule("launchdarkly.flags.file")
def test_what_a_dump_holds_of_deleted_flags_is_left_out(load):
    assert load({"flags": {"banner": {"version": 3, "deleted": True}}}).data["production"]["flags"] == {}


@pytest.mark.rule("launchdarkly.flags.file-per-environment")
def test_an_environment_may_have_a_file_of_its_own(load, tmp_path):
    (tmp_path / "staging.json").write_text('{"flagValues": {"banner": "blue"}}')
    environments = {**ENVIRONMENTS, "staging": {**ENVIRONMENTS["staging"], "flags_file": "staging.json"}}

    found = load({"flagValues": {"banner": "green"}}, environments=environments)

    assert found.data["production"]["flags"]["banner"]["variations"] == ["green"]
    assert found.data["staging"]["flags"]["banner"]["variations"] == ["blue"]
    assert [path.name for path in found.files] == ["flags.json", "staging.json"]


@pytest.mark.rule("launchdarkly.flags.key-twice")
def test_flags_of_the_workspace_and_the_file_are_merged(load):
    found = load({"flagValues": {"banner": "green"}}, flags={"new-checkout": True}).data["production"]["flags"]
    assert sorted(found) == ["banner", "new-checkout"]


# ---- what is wrong with a file


@pytest.mark.rule("launchdarkly.flags.key-twice")
def test_a_flag_of_the_workspace_and_the_file_is_told(faults_of):
    told = faults_of({"flagValues": {"banner": "green"}}, flags={"banner": "blue"})
    assert told == [
        (
            "the workspace: $.launchdarkly.flags.banner",
            "banner is declared here and in the flag file",
            "take one of them away",
        )
    ]


@pytest.mark.rule("launchdarkly.flags.contract")
def test_every_wrong_type_is_told_with_its_line(faults_of):
    told = faults_of("""
        {
          "flags": {
            "banner": {
              "version": "7",
              "variations": ["a"],
              "rules": [
                {"clauses": [{"attribute": "country", "op": "is", "values": ["fr"]}], "variation": 0}
              ]
            }
          },
          "flagvalues": {}
        }
    """)
    assert [(where, what) for where, what, _ in told] == [
        ("flags.json:4: $.flags.banner.version", 'version is a string, "7"'),
        ("flags.json:7: $.flags.banner.rules[0].clauses[0].op", 'op is "is"'),
        ("flags.json:11: $.flagvalues", "flagvalues is not a known field"),
    ]


@pytest.mark.rule("launchdarkly.flags.references")
def test_what_is_named_and_not_there_is_told_with_its_line(faults_of):
    told = faults_of(
        """
        flags:
          banner:
            version: 1
            "on": true
            variations: [a, b]
            fallthrough: {variation: 2}
            prerequisites:
              - {key: new-chekout, variation: 0}
        flagValues:
          new-checkout: true
        """,
        "flags.yaml",
    )
    assert told == [
        (
            "flags.yaml:6: $.flags.banner.fallthrough.variation",
            "variation 2 is none of the flag's 2",
            "name one by its number, which counts from 0",
        ),
        (
            "flags.yaml:8: $.flags.banner.prerequisites[0].key",
            "there is no flag 'new-chekout'",
            "did you mean new-checkout?",
        ),
    ]


@pytest.mark.rule("launchdarkly.flags.file-key-twice")
def test_a_key_in_flags_and_in_flag_values_is_told(faults_of):
    told = faults_of({"flags": {"banner": BANNER}, "flagValues": {"banner": "blue"}})
    [(where, what, fix)] = told
    assert where.endswith("$.flagValues.banner")
    assert (what, fix) == ("banner is declared in flags and in flagValues", "take one of them away")


@pytest.mark.rule("launchdarkly.flags.file-key-twice")
def test_a_key_given_twice_in_one_mapping_is_told(faults_of):
    [(where, what, fix)] = faults_of('{"flagValues": {\n"banner": "blue",\n"banner": "green"}}')
    assert where.endswith("$.flagValues.banner")
    assert (what, fix) == ("the key banner is given twice", "take this one or that of line 2 away")


@pytest.mark.rule("launchdarkly.flags.file-key-twice")
@pytest.mark.parametrize("value", ['"\\ud83d\\ude00"', '"http:\\/\\/x"', '"\x7f"', "[[], {}, [{}]]", '"{,:}\\""'])
@pytest.mark.parametrize("blank", ["\t", "", " \t "])
def test_a_key_given_twice_is_told_whatever_json_stands_between(faults_of, value, blank):
    lines = ['{"flagValues": {', f'"banner":{value},', '"b": [1, {"banner": 2}],', '"banner": 1}}']
    [(where, what, fix)] = faults_of(f"\n{blank}".join(lines))
    assert where == "flags.json:4: $.flagValues.banner"
    assert (what, fix) == ("the key banner is given twice", "take this one or that of line 2 away")


@pytest.mark.rule("launchdarkly.flags.contract")
@pytest.mark.parametrize("blank", ["\t", "", " \t "])
def test_a_wrong_type_has_its_line_whatever_json_stands_before_it(faults_of, blank):
    lines = ['{"flagValues": {"a.b": ["\\ud83d\\ude00", [], {}]}, "flags": {', '"banner": {"version": 1,']
    lines += ['"fallthrough": {"variation": 0}, "variations": ["a"],', '"targets": [{"variation": 0, "values": [']
    lines += ['"u-1",', "5]}]}}}"]
    [(where, what, _)] = faults_of(f"\n{blank}".join(lines))
    assert where == "flags.json:6: $.flags.banner.targets[0].values[1]"
    assert what == "item 1 is a number, 5"


@pytest.mark.rule("launchdarkly.flags.contract")
@pytest.mark.parametrize("wrong", [[], {}, 5, None, True, 1e300])
def test_a_segment_is_named_by_its_key(faults_of, wrong):
    clause = {"attribute": "", "op": "segmentMatch", "values": [wrong]}
    [(where, what, _)] = faults_of({"flags": {"banner": {**BANNER, "rules": [{"clauses": [clause], "variation": 0}]}}})
    assert where.endswith("$.flags.banner.rules[0].clauses[0].values[0]")
    assert what.startswith("there is no segment")


@pytest.mark.rule("launchdarkly.flags.contract")
def test_a_number_that_python_has_as_no_integer_is_told(faults_of):
    banner = {
        **BANNER,
        "fallthrough": {"rollout": {"seed": 1e300, "variations": [{"variation": 0, "weight": 100_000}]}},
    }
    [(where, what, _)] = faults_of({"flags": {"banner": banner}})
    assert where.endswith("$.flags.banner.fallthrough.rollout.seed")
    assert what == "seed is 1e+300"


@pytest.mark.rule("launchdarkly.flags.references")
def test_the_variation_of_a_prerequisite_is_one_of_its_flag(faults_of):
    flags = {
        "banner": {**BANNER, "prerequisites": [{"key": "other", "variation": 2}]},
        "other": BANNER | {"key": "other"},
    }
    [(where, what, _)] = faults_of({"flags": flags})
    assert where.endswith("$.flags.banner.prerequisites[0].variation")
    assert what == "variation 2 is none of the 2 of other"


@pytest.mark.rule("launchdarkly.flags.file")
def test_a_key_that_yaml_reads_as_no_text_is_told(faults_of):
    told = faults_of(
        """
        flags:
          banner:
            on: true
            variations: [a]
            fallthrough: {variation: 0}
        """,
        "flags.yaml",
    )
    assert told == [("flags.yaml:3: $.flags.banner.on", "the key on is read as bool", "put it in quotes")]


@pytest.mark.rule("launchdarkly.flags.file")
@pytest.mark.parametrize(
    ("name", "content", "where", "what"),
    [
        ("a.json", '{"flags": {', "a.json:1:12", "the flag file is not JSON"),
        ("a.json", '{"flags": {"a": {"variations": [1 2]}}}', "a.json:1:35", "the flag file is not JSON"),
        ("a.json", "", "a.json:1:1", "the flag file is not JSON"),
        ("a.json", '{"flagValues": {"a": 1%s}}' % ("0" * 30), "a.json:1: $.flagValues.a", "the number 1000"),
        ("a.json", '{"flagValues": {"a": 1%s}}' % ("0" * 5000), "a.json:1:22", "the flag file is not JSON"),
        ("a.json", '{"flagValues":\n{"a": NaN}}', "a.json:2:7", "the flag file is not JSON"),
        ("a.json", '{"flagValues":\n{"a": "\\ud800"}}', "a.json:2:8", "the flag file is not JSON"),
        ("a.json", "[" * 100_000, "a.json:1:1026", "the flag file is not JSON: depth"),
        ("a.json", "[" * 300 + "]" * 300, "a.json:1:1", "the flag file is not JSON: it has over 254 levels"),
        ("a.json", "[]", "a.json:1: $", "the payload is an array"),
        ("a.yaml", "flags: @x", "a.yaml:1:8", "the flag file is not YAML"),
        ("a.yaml", "flags: !python/name:os.system", "a.yaml:1:8", "the flag file is not YAML"),
        ("a.yaml", "flags:\n  !!set {a}", "a.yaml:2", "the flag file holds what JSON cannot"),
        ("a.yaml", "flags:\n  &a [*a]", "a.yaml:2", "the flag file holds what JSON cannot: an alias"),
        ("a.yaml", "flags:\n  a: 1%s" % ("0" * 5000), "a.yaml:2", "the flag file holds what JSON cannot"),
        ("a.yaml", "flags:\n  a: 1%s" % ("0" * 30), "a.yaml:2", "the flag file holds what JSON cannot"),
        ("a.yaml", "flagValues:\n  a: -.inf", "a.yaml:2: $.flagValues.a", "JSON has no -.inf"),
        ("a.yaml", "flags:\n  " + "[" * 100_000, "a.yaml:2", "the flag file holds what JSON cannot: it has over"),
        ("a.yaml", LAUGHS, "a.yaml:5", "the flag file holds what JSON cannot: its aliases"),
        ("a.yaml", "- flags", "a.yaml:1: $", "the payload is an array"),
        ("a.yaml", "", "a.yaml:1: $", "the payload is null"),
    ],
)
def test_a_file_of_another_kind_is_told(faults_of, name, content, where, what):
    [(told_where, told, _)] = faults_of(content, name)
    assert told_where == where
    assert told.startswith(what)


@pytest.mark.rule("launchdarkly.flags.file")
def test_a_file_that_is_not_there_or_not_utf8_is_told(load, tmp_path):
    (tmp_path / "latin.json").write_bytes(b'{"flagValues": {"a": "\xe4"}}')
    for name, what in (("nowhere.json", "the flag file cannot be read"), ("latin.json", "the flag file is not UTF-8")):
        block = {"environments": ENVIRONMENTS, "flags_file": name}
        with pytest.raises(WorkspaceError, match=what):
            workspace.load({"launchdarkly": block})


@pytest.mark.rule("launchdarkly.flags.file")
def test_a_json_file_indented_by_tabs_is_read(load):
    assert list(load('{\n\t"flagValues": {\n\t\t"banner": "blue"\n\t}\n}').data["production"]["flags"]) == ["banner"]


# ---- a file that changes


@pytest.mark.rule("launchdarkly.flags.file", "launchdarkly.sdk.stream")
def test_a_changed_file_reaches_connected_sdks(tmp_path, make_trackside, http):
    (tmp_path / "flags.json").write_text(json.dumps({"flagValues": {"banner": "blue"}}))
    file = tmp_path / "trackside.json"
    file.write_text(json.dumps({"launchdarkly": {"environments": ENVIRONMENTS, "flags_file": "flags.json"}}))
    lab = make_trackside(file)
    with LDClient(Config(**lab.launchdarkly.python_options(), send_events=False)) as client:
        changed = _changes(client)
        (tmp_path / "flags.json").write_text(json.dumps({"flagValues": {"banner": "green"}}))

        assert changed.wait(2)
        assert client.variation("banner", Context.create("user-1"), "") == "green"


@pytest.mark.rule("launchdarkly.flags.contract")
def test_a_file_that_is_changed_for_the_worse_leaves_the_flags_in_force(tmp_path, make_trackside):
    flags = tmp_path / "flags.json"
    flags.write_text(json.dumps({"flagValues": {"banner": "blue"}}))
    file = tmp_path / "trackside.json"
    file.write_text(json.dumps({"launchdarkly": {"environments": ENVIRONMENTS, "flags_file": "flags.json"}}))
    lab = make_trackside(file)

    flags.write_text('{"flags": {"banner": {"version": "8"}}}')

    assert lab.journal.wait(lambda: list(lab.findings()), timeout=2)
    [finding] = lab.findings()
    assert finding.step.at.endswith("flags.json:1: $.flags.banner.version")
    assert lab.launchdarkly.flags()[0]["serves"] == "blue"


def _changes(client):
    import threading

    event = threading.Event()
    client.flag_tracker.add_listener(lambda _change: event.set())
    return event
