"""The workspace file: its contract, its errors with file and line, and the demo workspace."""

import dataclasses
import functools
import json
import typing
from textwrap import dedent

import pytest

from trackside import catalog, workspace
from trackside.errors import WorkspaceError
from trackside.lab import Lab
from trackside.launchdarkly.settings import LaunchDarklySettings
from trackside.ownlayer.settings import OwnLayerSettings
from trackside.segment.settings import SegmentSettings
from trackside.split.settings import SplitSettings
from trackside.statsig.settings import StatsigSettings

WHOLE = """
    # trackside.yaml (checked by contracts/trackside/workspace.schema.json, so editors complete it)
    segment:
      sources:
        web:
          write_key: wk_web
          destinations: [statsig, fme-user, ld]
      destinations:
        statsig:  {type: statsig, api_key: secret-local}
        fme-user: {type: split, api_key: fme-key}
        ld:       {type: launchdarkly, client_side_id: 57be1db38b75bf0772d11384}   # client_id in Segment's own API
        # each also: enabled, filters: [...], mappings: [...]
    statsig:
      server_secret: secret-local            # client_key, console_key beside it
      client_key: client-local
      gates: {new_checkout: true}            # dynamic_configs, experiments, layers, id_lists; or specs_file
      id_types: [companyID, segmentAnonymousId]
      segment_inbound: {enabled: true, map_identifiers: {anonymousId: segmentAnonymousId}, refuse_events: []}
      segment_outbound: {enabled: false, write_key: wk_statsig, categories: [exposures, custom_events, config_changes]}
    split:
      environments: {production: {sdk_key: sdk-local-0123456789}}
      flags: {new_checkout: {serve: {"on": 50, "off": 50}}}   # segments beside it; or flags_file
      traffic_types: [user, anonymous, account]
      segment_inbound:
        - {api_key: fme-key, environment: production, identities: {userId: user, anonymousId: anonymous},
           identify: true, track: true, event_type_id: event, value: properties.value, named_pages: true, named_screens: true}
      segment_outbound:
        - {environments: [production], identities: {user: userId, anonymous: anonymousId}, write_key: wk_fme}
    launchdarkly:
      environments: {production: {client_side_id: 57be1db38b75bf0772d11384, sdk_key: sdk-local}}
      flags: {new-checkout: true, banner: {serve: {control: 50, blue: 50}}}   # segments beside it; or flags_file
    ownlayer:
      api_key: ownlayer-local
      segment: {write_key: wk_web, events: [Evaluation Pass, Evaluation Fail]}
"""


@pytest.fixture
def file(tmp_path):
    """Return a function that writes a workspace file and gives its path."""

    def write(text, name="trackside.yaml"):
        path = tmp_path / name
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    return write


@pytest.fixture
def faults_of(file):
    """Return a function from a file's text to its faults: the file's line with the place, what is wrong, what to do."""

    def of(text):
        path = file(text)
        with pytest.raises(WorkspaceError) as caught:
            workspace.load(path)
        return [
            (fault.where.replace(str(path), "trackside.yaml"), fault.what, fault.fix) for fault in caught.value.faults
        ]

    return of


# ---- a file that is fine


def test_a_whole_file_loads_and_what_it_names_in_vain_is_noted(file):
    loaded = workspace.load(file(WHOLE))

    assert loaded.segment.sources["web"].destinations == ("statsig", "fme-user", "ld")
    assert loaded.split.segment_inbound[0].identities == {"userId": "user", "anonymousId": "anonymous"}
    assert loaded.split.segment_outbound[0].identities == {"user": "userId", "anonymous": "anonymousId"}
    assert [(note.at, note.level) for note in loaded.notes] == [
        ("$.split.segment_outbound[0].write_key", "warning"),
    ]


def test_a_lab_runs_by_a_file(file, make_lab, track):
    outcomes = [row.outcome for row in track(make_lab(file(WHOLE))).deliveries]

    assert outcomes == ["delivered", "delivered", "delivered"]


def test_a_path_may_be_text_and_the_file_json(file, make_lab, track):
    path = file(json.dumps({"segment": {"sources": {"web": {"write_key": "wk_web"}}}}), "trackside.json")

    assert track(make_lab(str(path))).exchange.intake.source == "web"


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}", "segment: {}\n"])
def test_every_block_is_optional(file, text):
    assert workspace.load(file(text)).segment.sources == {}


def test_anchors_and_merges_are_yamls_own(file):
    loaded = workspace.load(file("""
        segment:
          destinations:
            one: &base {type: statsig, api_key: secret-local}
            two: {<<: *base, enabled: false}
    """))  # fmt: skip

    assert (loaded.segment.destinations["two"].api_key, loaded.segment.destinations["two"].enabled) == (
        "secret-local",
        False,
    )


def test_mappings_of_a_destination_that_maps_itself_are_noted(file):
    loaded = workspace.load(file("""
        segment:
          destinations:
            statsig: {type: statsig, api_key: secret-local, mappings: []}
    """))  # fmt: skip

    [note] = loaded.notes
    assert note.text == "statsig gets raw messages and maps them itself: its mappings are not used"


@pytest.mark.rule("segment.filter.fail-closed")
def test_a_filter_that_cannot_be_read_is_warned_of(file):
    loaded = workspace.load(file("""
        segment:
          destinations:
            ld:
              type: launchdarkly
              client_side_id: 57be1db38b75bf0772d11384
              filters:
                - {if: type = "track", actions: [{type: drop}]}
                - {if: 'contans(event, "x")', actions: [{type: drop}]}
                - {if: event =, enabled: false, actions: [{type: drop}]}
    """))  # fmt: skip

    [note] = loaded.notes
    assert (note.level, note.at) == ("warning", "$.segment.destinations.ld.filters[1].if")
    assert "will drop every event: there is no function 'contans'" in note.text
    assert note.fix == "did you mean contains()?"


# ---- the demo workspace


def test_without_a_file_there_is_a_demo_workspace(make_lab, track):
    lab = make_lab()

    assert lab.workspace.document == workspace.DEMO
    assert {row.vendor: row.outcome for row in track(lab).deliveries} == {
        "statsig": "delivered",
        "split": "delivered",
        "launchdarkly": "delivered",
    }


def test_the_demo_workspace_keeps_its_contract():
    assert catalog.faults("trackside/workspace", workspace.DEMO) == []


# ---- errors: all at once, each with its place


def test_every_fault_is_told_with_its_line(faults_of):
    told = faults_of("""
        segment:
          sources:
            web:
              write_kye: wk_web
          destinations:
            statsig: {type: statsig}
            hook:
              type: webhook
              url: localhost:9000
        amplitude: {}
    """)

    assert [(where, what) for where, what, _ in told] == [
        ("trackside.yaml:3: $.segment.sources.web.write_key", "write_key is missing"),
        ("trackside.yaml:4: $.segment.sources.web.write_kye", "write_kye is not a known field"),
        ("trackside.yaml:6: $.segment.destinations.statsig.api_key", "api_key is missing"),
        ("trackside.yaml:9: $.segment.destinations.hook.url", 'url is "localhost:9000"'),
        ("trackside.yaml:10: $.amplitude", "amplitude is not a known field"),
    ]


def test_a_misspelt_key_is_told_the_right_one(faults_of):
    [(where, what, fix)] = faults_of("""
        segment:
          sources:
            web: {write_key: wk_web, destination: []}
    """)

    assert (where, what) == (
        "trackside.yaml:3: $.segment.sources.web.destination",
        "destination is not a known field",
    )
    assert fix == "did you mean destinations?"


@pytest.mark.parametrize("key", ["\x1b[31m", "a[", '["', "]"])
def test_an_unknown_key_with_brackets_is_told_as_any_other(key):
    with pytest.raises(WorkspaceError, match="is not a known field"):
        workspace.load({"launchdarkly": {"metrics": {"orders": {"event_key": "Order", key: 1}}}})


def test_a_key_that_is_known_elsewhere_is_not_its_own_correction():
    with pytest.raises(WorkspaceError) as error:
        workspace.load({"statsig": {"experiments": {"title": {"status": "active"}}}})

    assert "did you mean status?" not in str(error.value)


def test_an_error_whose_fix_is_a_question_ends_with_its_mark():
    with pytest.raises(WorkspaceError, match=r"\. did you mean segment\?$"):
        workspace.load({"segmnt": {}})


def test_what_would_deliver_twice_or_never_is_told(faults_of):
    told = faults_of("""
        segment:
          sources:
            web: {write_key: wk_web, destinations: [fme, fme]}
          destinations:
            fme: {type: split, api_key: fme-key}
        split:
          environments: {production: {}, staging: {}}
          segment_inbound:
            - {api_key: fme-key, environment: production}
            - {api_key: fme-key, environment: staging}
    """)

    assert told == [
        (
            "trackside.yaml:3: $.segment.sources.web.destinations[1]",
            "the destination 'fme' is named twice, and would get each message twice",
            "name it once",
        ),
        (
            "trackside.yaml:10: $.split.segment_inbound[1].api_key",
            "the api_key is also that of split.segment_inbound[0], which gets every delivery",
            "give each configuration its own",
        ),
    ]


def test_names_that_point_nowhere_are_told_together(faults_of):
    told = faults_of("""
        segment:
          unknown_write_key: mobile
          sources:
            web-1: {write_key: wk_web, destinations: [statsig, amplitude]}
            web-2: {write_key: wk_web}
          destinations:
            statsig: {type: statsig, api_key: secret-local}
            ld: {type: launchdarkly, client_side_id: abc, mappings: [{action: trackUser}]}
        split:
          environments: {production: {}}
          segment_inbound:
            - {api_key: fme-key, environment: staging}
    """)

    assert told == [
        (
            "trackside.yaml:2: $.segment.unknown_write_key",
            "there is no source 'mobile'",
            "use one of: discard, web-1, web-2",
        ),
        (
            'trackside.yaml:4: $.segment.sources["web-1"].destinations[1]',
            "there is no destination 'amplitude'",
            "declared are: statsig, ld",
        ),
        (
            'trackside.yaml:5: $.segment.sources["web-2"].write_key',
            "the write key of web-2 is also that of web-1",
            "give each its own",
        ),
        (
            "trackside.yaml:8: $.segment.destinations.ld.mappings[0].action",
            "no preset is for the action 'trackUser'",
            "actions are: trackEvent, aliasUser",
        ),
        (
            "trackside.yaml:12: $.split.segment_inbound[0].environment",
            "there is no environment 'staging'",
            "declared under split.environments are: production",
        ),
    ]


def test_a_filter_that_is_too_long_is_told_with_its_line(faults_of):
    text = f"""
        segment:
          destinations:
            statsig:
              type: statsig
              api_key: secret-local
              filters:
                - if: all
                  actions: [{{type: drop}}]
                - if: event = '{"x" * 6000}'
                  actions: [{{type: drop}}]
    """

    [(where, what, _)] = faults_of(text)
    assert (where, what) == (
        "trackside.yaml:9: $.segment.destinations.statsig.filters[1].if",
        "the condition is longer than 5 KB",
    )


def test_a_fault_of_syntax_is_told_with_line_and_column(faults_of):
    [(where, what, fix)] = faults_of("""
        segment:
          sources: {web: {write_key: wk_web}
        statsig: {}
    """)

    assert where == "trackside.yaml:3:1"
    assert what.startswith("the file is not YAML: ")
    assert fix == "mend the syntax there"


def test_keys_given_twice_are_told(faults_of):
    told = faults_of("""
        segment:
          destinations:
            statsig: {type: statsig, api_key: one}
            statsig: {type: statsig, api_key: two}
    """)

    assert told == [("trackside.yaml:4", "the key statsig is given twice", "take this one or that of line 3 away")]


def test_on_and_off_are_text_as_flags_have_them_for_names(tmp_path):
    file = tmp_path / "trackside.yaml"
    file.write_text("""
        launchdarkly:
          environments: {production: {client_side_id: 57be1db38b75bf0772d11384}}
          flags: {banner: {variations: [blue, plain], serve: blue, on: false}}
        split:
          environments: {production: {sdk_key: sdk-local}}
          flags: {checkout_v2: {treatments: [on, off], serve: {on: 40, off: 60}}}
    """)
    found = workspace.load(file)
    assert found.document["launchdarkly"]["flags"]["banner"]["on"] is False
    assert found.document["split"]["flags"]["checkout_v2"] == {
        "treatments": ["on", "off"],
        "serve": {"on": 40, "off": 60},
    }


def test_keys_that_yaml_reads_as_no_text_are_told(faults_of):
    told = faults_of("""
        split:
          environments:
            yes: {}
            2026: {}
    """)

    assert told == [
        ("trackside.yaml:3", "the key yes is read as bool", "put it in quotes"),
        ("trackside.yaml:4", "the key 2026 is read as int", "put it in quotes"),
    ]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"segment: \xff\n", "the file is not UTF-8"),
        (b"- segment\n", "the payload is an array"),
        (b"segment\n", "the payload is a string"),
        (b"segment: !!set {a}\n", "the file holds what JSON cannot"),
        (b"segment: &a [*a]\n", "the file holds what JSON cannot"),
        (b"segment: 2026-13-45\n", "the file holds what JSON cannot: month must be in 1..12"),
        (b"segment: 1" + b"0" * 5_000, "the file holds what JSON cannot: Exceeds the limit"),
        (b"[" * 100_000, "the file holds what JSON cannot: maximum recursion depth"),
        (b"segment: !python/object:os.system {}\n", "the file is not YAML: could not determine a constructor"),
    ],
    ids=["no UTF-8", "a list", "text", "a set", "a circle", "no date", "digits", "levels", "a Python object"],
)
def test_a_file_of_another_kind_is_told(tmp_path, content, what):
    path = tmp_path / "trackside.yaml"
    path.write_bytes(content)

    with pytest.raises(WorkspaceError) as caught:
        workspace.load(path)
    assert caught.value.faults[0].what.startswith(what)
    assert str(path) in caught.value.faults[0].where


def test_a_mapping_that_is_too_deep_for_json_is_told():
    deep = functools.reduce(lambda inner, _: [inner], range(300), 1)
    rule = {"type": "TRACK", "key": "E", "jsonSchema": {"const": deep}}

    with pytest.raises(WorkspaceError, match="has over 254 levels"):
        workspace.load({"segment": {"tracking_plans": {"Acme": {"rules": [rule]}}}})


@pytest.mark.parametrize("name", ["nowhere.yaml", "."])
def test_a_file_that_cannot_be_read_is_told(tmp_path, name):
    with pytest.raises(WorkspaceError, match="the file cannot be read: ") as caught:
        workspace.load(tmp_path / name)
    assert caught.value.faults[0].fix == "name a YAML or JSON file"


def test_the_error_lists_every_fault_in_three_clauses(faults_of, file):
    with pytest.raises(WorkspaceError) as caught:
        Lab(file("amplitude: {}\nmixpanel: {}\n"))

    lines = str(caught.value).splitlines()
    assert lines[0].startswith("the workspace has 2 faults. ")
    assert [line.partition(". ")[0] for line in lines[1:]] == [
        "  - amplitude is not a known field",
        "  - mixpanel is not a known field",
    ]


def test_a_workspace_with_faults_leaves_the_old_one_in_force(lab, track):
    with pytest.raises(WorkspaceError, match="the workspace has 1 fault"):
        lab.configure({"amplitude": {}})

    assert len(track(lab).deliveries) == 3


# ---- the contract and the settings are one


BLOCKS = {
    "segment": SegmentSettings,
    "statsig": StatsigSettings,
    "split": SplitSettings,
    "launchdarkly": LaunchDarklySettings,
    "ownlayer": OwnLayerSettings,
}
SET_ELSEWHERE = {"any_key"}  # by accept_any_key, for every vendor


def dataclass_in(hint):
    """Return the dataclass that a field's type holds, directly or inside mappings and tuples; None for none."""
    if dataclasses.is_dataclass(hint):
        return hint
    return next((found for inner in typing.get_args(hint) if (found := dataclass_in(inner))), None)


def object_in(schema):
    """Return the part of a schema that describes an object's fields, through arrays and named entries."""
    if "properties" in schema or not schema:
        return schema
    inner = schema.get("items") or schema.get("additionalProperties")
    return object_in(inner) if isinstance(inner, dict) else {}


def pairs(cls, schema, place):
    """Yield each settings dataclass with the part of the contract that describes it."""
    yield place, cls, schema
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        if (inner := dataclass_in(hints[field.name])) and field.name in schema["properties"]:
            yield from pairs(inner, object_in(schema["properties"][field.name]), f"{place}.{field.name}")


CONTRACT = catalog.load("trackside/workspace")
PAIRS = [pair for name, cls in BLOCKS.items() for pair in pairs(cls, CONTRACT["properties"][name], name)]


@pytest.mark.parametrize(("cls", "schema"), [pair[1:] for pair in PAIRS], ids=[pair[0] for pair in PAIRS])
def test_the_contract_has_every_setting_and_no_other(cls, schema):
    settings = {field.name for field in dataclasses.fields(cls)} - SET_ELSEWHERE

    assert set(schema["properties"]) == settings
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(("cls", "schema"), [pair[1:] for pair in PAIRS], ids=[pair[0] for pair in PAIRS])
def test_the_contract_tells_the_defaults_and_what_is_required(cls, schema):
    for field in dataclasses.fields(cls):
        if field.name in SET_ELSEWHERE:
            continue
        told = schema["properties"][field.name]
        missing = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        assert (field.name in schema.get("required", ())) is missing, field.name
        if "default" in told:
            default = field.default if field.default is not dataclasses.MISSING else field.default_factory()
            assert told["default"] == (list(default) if isinstance(default, tuple) else default), field.name


def described(schema, place="$"):
    """Yield each field of a schema that says nothing of itself."""
    for name, part in schema.get("properties", {}).items():
        if "then" not in place and not part.get("description") and "$ref" not in part:
            yield f"{place}.{name}"
        yield from described(part, f"{place}.{name}")
    for keyword in ("items", "additionalProperties", "$defs"):
        inner = schema.get(keyword)
        if isinstance(inner, dict):
            for name, part in inner.items() if keyword == "$defs" else [("[]", inner)]:
                yield from described(part, f"{place}.{name}")


def test_every_field_of_the_contract_says_what_it_is_for():
    assert list(described(CONTRACT)) == []
