"""Flags of a running lab: changed by tests, by the control API and by files; taken back by a reset."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import urllib3

from trackside import WorkspaceError

WORKSPACE = """
launchdarkly:
  environments:
    production: {client_side_id: 57be1db38b75bf0772d11384, sdk_key: sdk-local}
    staging: {client_side_id: 57be1db38b75bf0772d11385, sdk_key: sdk-staging}
  flags: {new-checkout: false}
split:
  environments: {production: {sdk_key: sdk-local-0123456789}}
  traffic_types: [user]
  flags: {checkout_v2: "off"}
statsig:
  server_secret: secret-local
  gates: {new_checkout: false}
  dynamic_configs: {banner: {color: blue}}
  layers: {page: {title: plain}}
  experiments: {title: {groups: {control: {title: plain}, test: {title: bold}}}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "trackside.yaml"
    path.write_text(WORKSPACE)
    return path


@pytest.fixture
def running(make_trackside: Any, file: Path) -> Any:
    return make_trackside(file)


def ask(lab: Any, path: str, body: Any = None) -> tuple[int, Any]:
    answer = urllib3.request(
        "GET" if body is None else "POST", lab.urls["admin"] + path, json=body, timeout=10, retries=False
    )
    return answer.status, json.loads(answer.data)


def serves(lab: Any, vendor: str, name: str, environment: str | None = None) -> Any:
    found = [row for row in lab.mocks[vendor].flags() if row["name"] == name]
    return next(row["serves"] for row in found if environment in (None, row["environment"]))


def within_a_second(holds: Callable[[], bool]) -> bool:
    """Wait for a file's change to be seen; the lab looks at its files in a thread of its own."""
    ended, deadline = threading.Event(), time.monotonic() + 5
    while not holds() and time.monotonic() < deadline:
        ended.wait(0.02)
    return holds()


def test_every_flag_is_listed_with_what_it_serves(running):
    status, rows = ask(running, "/flags")
    assert status == 200
    assert {tuple(row) for row in rows} == {("vendor", "kind", "name", "environment", "on", "serves", "version")}
    assert {(row["vendor"], row["kind"], row["name"]) for row in rows} == {
        ("launchdarkly", "flag", "new-checkout"),
        ("split", "flag", "checkout_v2"),
        ("statsig", "gate", "new_checkout"),
        ("statsig", "dynamic_config", "banner"),
        ("statsig", "layer", "page"),
        ("statsig", "experiment", "title"),
    }
    assert len(ask(running, "/flags?vendor=launchdarkly")[1]) == 2


@pytest.mark.parametrize(
    ("vendor", "name", "value"),
    [("launchdarkly", "new-checkout", True), ("split", "checkout_v2", "on"), ("statsig", "new_checkout", True)],
)
def test_the_control_api_changes_a_flag_and_a_reset_takes_it_back(running, vendor, name, value):
    before = serves(running, vendor, name)
    status, row = ask(running, f"/flags/{vendor}/{name}", {"serve": value})
    assert (status, row["serves"]) == (200, value)
    assert serves(running, vendor, name) == value
    running.reset()
    assert serves(running, vendor, name) == before


def test_a_flag_that_does_not_exist_is_made_and_gone_after_a_reset(running):
    ask(running, "/flags/launchdarkly/brand-new", {"serve": "blue"})
    assert serves(running, "launchdarkly", "brand-new") == "blue"
    running.reset()
    assert "brand-new" not in {row["name"] for row in running.launchdarkly.flags()}


def test_one_environment_can_be_changed_alone(running):
    ask(running, "/flags/launchdarkly/new-checkout", {"serve": True, "environment": "staging"})
    assert serves(running, "launchdarkly", "new-checkout", "staging") is True
    assert serves(running, "launchdarkly", "new-checkout", "production") is False


def test_the_first_environment_is_meant_where_none_is_named(running):
    assert ask(running, "/flags/launchdarkly/new-checkout", {"serve": True})[1]["environment"] == "production"
    assert serves(running, "launchdarkly", "new-checkout", "staging") is False


def test_versions_only_grow_even_when_a_change_is_taken_back(running):
    def versions() -> list[int]:
        rows = running.split.flags() + running.launchdarkly.flags()
        return [row["version"] for row in rows if row["environment"] == "production"]

    before = versions()
    ask(running, "/flags/launchdarkly/new-checkout", {"serve": True})
    ask(running, "/flags/split/checkout_v2", {"serve": "on"})
    changed = versions()
    running.reset()
    assert all(one < other < last for one, other, last in zip(before, changed, versions(), strict=True))


@pytest.mark.parametrize(
    ("path", "body", "what"),
    [
        ("/flags/amplitude/x", {"serve": 1}, "there is no vendor 'amplitude'"),
        ("/flags/segment/x", {"serve": 1}, "segment has no flags"),
        ("/flags/launchdarkly/new-checkout", {}, "the body says neither serve nor on"),
        ("/flags/launchdarkly/new-checkout", {"serves": 1}, "'serves' is not known"),
        ("/flags/launchdarkly/new-checkout", {"serve": {"true": 50}}, "50"),
        ("/flags/launchdarkly/new-checkout", {"serve": True, "environment": "moon"}, "moon"),
        ("/flags/split/checkout_v2", {"serve": 7}, "7"),
        ("/flags/statsig/new_checkout", {"serve": "often"}, "often"),
        ("/flags/statsig/title", {"serve": "third"}, "third"),
    ],
)
def test_a_change_that_cannot_be_is_told_in_three_clauses(running, path, body, what):
    status, answer = ask(running, path, body)
    assert status == 400
    assert what in answer["error"]["what"] + answer["error"]["fix"]
    assert answer["error"]["where"]
    assert answer["error"]["fix"]


def test_a_saved_workspace_is_in_force_within_a_second(running, file):
    file.write_text(WORKSPACE.replace("new-checkout: false", "new-checkout: true"))
    assert within_a_second(lambda: serves(running, "launchdarkly", "new-checkout") is True)


def test_a_mistake_in_a_saved_workspace_is_a_finding_and_changes_nothing(running, file):
    file.write_text(WORKSPACE.replace('checkout_v2: "off"', "checkout_v2: {treatments: [a], serve: b}"))
    assert within_a_second(lambda: bool(list(running.findings())))
    (finding,) = running.findings()
    assert f"{file}:" in finding.step.at
    assert "stay in force" in finding.step.text
    assert serves(running, "split", "checkout_v2") == "off"
    file.write_text(WORKSPACE.replace('checkout_v2: "off"', 'checkout_v2: "on"'))
    assert within_a_second(lambda: serves(running, "split", "checkout_v2") == "on")


def test_a_saved_flag_file_is_in_force_within_a_second(make_trackside, tmp_path):
    flags = tmp_path / "flags.json"
    flags.write_text('{"flagValues": {"new-checkout": false}}')
    workspace = tmp_path / "trackside.yaml"
    workspace.write_text(WORKSPACE.replace("flags: {new-checkout: false}", "flags_file: flags.json"))
    lab = make_trackside(workspace)
    assert serves(lab, "launchdarkly", "new-checkout") is False
    flags.write_text('{"flagValues": {"new-checkout": true}}')
    assert within_a_second(lambda: serves(lab, "launchdarkly", "new-checkout") is True)


def test_a_flag_file_that_is_not_there_is_told_with_its_place(make_trackside, tmp_path):
    workspace = tmp_path / "trackside.yaml"
    workspace.write_text(WORKSPACE.replace("flags: {new-checkout: false}", "flags_file: nowhere.json"))
    with pytest.raises(WorkspaceError, match=r"nowhere\.json"):
        make_trackside(workspace)


def test_the_variables_for_an_application_have_every_address_and_key(running):
    env = running.env()
    assert env["LAUNCHDARKLY_URI"] == running.launchdarkly.url
    assert env["LAUNCHDARKLY_SDK_KEY"] == "sdk-local"
    assert env["SPLIT_API"] == f"{running.split.url}/api"
    assert env["SPLIT_SDK_KEY"] == "sdk-local-0123456789"
    assert env["STATSIG_SERVER_SECRET"] == "secret-local"
    assert env["SEGMENT_HOST"] == running.segment.url
    assert "STATSIG_CLIENT_KEY" not in env
    assert running.env("staging")["LAUNCHDARKLY_SDK_KEY"] == "sdk-staging"
    assert all(isinstance(value, str) for value in env.values())


def test_options_of_an_sdk_that_is_not_known_name_those_that_are(running):
    with pytest.raises(Exception, match="launchdarkly-server-sdk"):
        running.launchdarkly.options("launchdarkly")
