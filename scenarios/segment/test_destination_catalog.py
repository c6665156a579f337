"""Segment's catalogue of destinations: what each type is called, takes and needs; and what a workspace says of it."""

import pytest

from trackside import catalog, workspace
from trackside.errors import WorkspaceError
from trackside.segment.actions import compile_destination
from trackside.segment.destinations import CATALOG
from trackside.segment.routing import NAMES, blocked_by_integrations

pytestmark = pytest.mark.rule("segment.catalog")


@pytest.fixture
def rows(segment):
    """The catalogue's rows by type."""
    return {row["type"]: row for row in segment.lab.segment.catalog()}


def test_each_destination_has_its_name_its_slug_and_its_id(rows):
    assert {type_: (row["name"], row["slug"], row["id"]) for type_, row in rows.items()} == {
        "statsig": ("Statsig", "statsig", "613ba8c0114797213a8eff94"),
        "split": ("Split", "split", "5c6e2b9d79daff00017ec990"),
        "launchdarkly": ("LaunchDarkly (Actions)", "actions-launchdarkly", "624dddd054ced46facfdb9c0"),
        "webhook": ("Webhooks (Actions)", "actions-webhook", "614a3c7d791c91c41bae7599"),
    }


def test_statsig_and_split_get_raw_messages_the_others_are_mapped_by_segment(rows):
    assert {type_: row["kind"] for type_, row in rows.items()} == {
        "statsig": "direct",
        "split": "direct",
        "launchdarkly": "actions",
        "webhook": "actions",
    }
    assert (rows["statsig"]["actions"], rows["split"]["actions"]) == ([], [])


@pytest.mark.rule("segment.unsupported-type")
def test_it_lists_the_call_types_of_each(rows):
    assert rows["split"]["methods"] == ["track", "identify"]
    assert rows["statsig"]["methods"] == ["track", "identify", "group", "alias", "page"]


def test_a_setting_has_segments_name_and_the_workspaces_key(rows):
    assert rows["statsig"]["settings"] == [
        {
            "name": "apiKey",
            "label": "API Key",
            "type": "password",
            "required": True,
            "description": "the server secret key of the Statsig project",
            "default": None,
            "key": "api_key",
        }
    ]
    named = {setting["name"]: setting["key"] for setting in rows["launchdarkly"]["settings"]}
    assert named == {"client_id": "client_side_id", "events_host_name": None}


@pytest.mark.rule("segment.mappings")
def test_an_action_has_its_fields_and_presets_with_trigger_and_mapping(rows):
    track, alias = rows["launchdarkly"]["actions"]

    [preset] = track["presets"]
    assert (track["slug"], preset["name"], preset["trigger"], preset["enabled"]) == ("trackEvent", "Track Event", 'type = "track"', True)  # fmt: skip
    assert preset["mapping"]["event_name"] == {"@path": "$.event"}
    assert alias["presets"][0]["trigger"] == 'type = "identify" or type = "alias"'
    [send] = rows["webhook"]["actions"]
    assert (send["presets"], {field["name"]: field["key"] for field in send["fields"]}["url"]) == ([], "url")


@pytest.mark.rule("segment.integrations")
@pytest.mark.parametrize("type_", ["statsig", "split", "launchdarkly", "webhook"])
def test_integrations_know_a_destination_by_each_name_of_the_catalogue(rows, type_):
    for name in (rows[type_]["name"], *rows[type_]["previous_names"]):
        assert name in NAMES[type_]
        assert blocked_by_integrations({"All": False, name: True}, type_) is None


@pytest.mark.parametrize("type_", ["statsig", "split", "launchdarkly", "webhook"])
def test_a_workspace_is_refused_without_a_setting_that_the_catalogue_requires(type_):
    required = CATALOG[type_].required
    given = {key: "http://127.0.0.1:1/hook" if key == "url" else "k" for key in required}

    assert workspace.load({"segment": {"destinations": {"to": {"type": type_, **given}}}})
    for key in required:
        row = {name: value for name, value in given.items() if name != key}
        with pytest.raises(WorkspaceError) as caught:
            workspace.load({"segment": {"destinations": {"to": {"type": type_, **row}}}})
        [fault] = caught.value.faults
        assert key in str(fault)


@pytest.mark.rule("segment.actions.settings")
def test_settings_that_segment_refuses_discard_every_event_with_its_own_code():
    send = compile_destination("actions-launchdarkly", {}, None)

    [result] = send({"type": "track", "event": "A", "userId": "u-1"}, 0.0)

    assert (result.outgoing, result.steps[0].code) == (None, "INVALID_SETTINGS")


def test_a_setting_of_another_type_is_noted():
    row = {"type": "statsig", "api_key": "k", "client_side_id": "abc"}

    [note] = workspace.load({"segment": {"destinations": {"to": row}}}).notes

    assert (note.level, note.at) == ("note", "$.segment.destinations.to.client_side_id")
    assert note.text == "Statsig has no setting that is called client_side_id here: it is not used"


def test_the_workspaces_contract_knows_the_same_types():
    destination = catalog.load("trackside/workspace")["properties"]["segment"]["properties"]["destinations"]

    assert destination["additionalProperties"]["properties"]["type"]["enum"] == list(CATALOG)
