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

from trackside import TracksideError, WorkspaceError
from trackside.watch import Watch
from trackside.workspace import load

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
        ("/flags/launchdarkly/new-checkout", {"serve": 1, "name": "other"}, "'name' is not known"),
        ("/flags/launchdarkly/new-checkout", {"serve": True, "user": "u-1"}, "'user' is not known"),
        ("/flags/launchdarkly/new-checkout", {"on": "yes"}, "on is 'yes'"),
        ("/flags/launchdarkly/new-checkout", {"on": None}, "on is None"),
        ("/flags/launchdarkly/new-checkout", {"serve": True, "environment": ["moon"]}, "environment is ['moon']"),
        ("/flags/statsig/new_checkout", {"serve": True, "kind": ["gate"]}, "kind is ['gate']"),
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


def test_a_test_that_misspells_a_change_is_told(running):
    with pytest.raises(TracksideError, match=r"'value' is not known\. \$\.value\. use: serve, on, environment, kind"):
        running.statsig.set_flag("new_checkout", value=True)


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


def test_a_workspace_file_that_goes_is_a_finding_and_changes_nothing(running, file):
    file.unlink()
    assert within_a_second(lambda: bool(list(running.findings())))
    (finding,) = running.findings()
    assert finding.step.text.startswith("the file cannot be read: No such file or directory; the flags and settings")
    file.write_text(WORKSPACE.replace("new-checkout: false", "new-checkout: true"))
    assert within_a_second(lambda: serves(running, "launchdarkly", "new-checkout") is True)


def test_a_file_that_was_read_on_demand_is_not_read_once_more(running, file, monkeypatch):
    looks = []

    def look(path: Path) -> tuple[int, int, int]:
        looks.append(path)
        return path.stat().st_mtime_ns, path.stat().st_size, path.stat().st_ino

    file.write_text(WORKSPACE.replace("new-checkout: false", "new-checkout: true"))
    running.reread()
    running.split.flag("checkout_v2").serve("on")
    monkeypatch.setattr("trackside.watch._state", look)

    assert within_a_second(lambda: len(looks) > 3)
    assert serves(running, "split", "checkout_v2") == "on"


def test_a_file_is_read_when_two_looks_have_found_it_the_same(tmp_path, monkeypatch):
    states = iter([(1, 1, 1), (1, 1, 1), (2, 0, 1), (3, 9, 1), (3, 9, 1)])  # twice before anything was written
    last, seen = [(1, 1, 1)], []

    def look(file: Path) -> tuple[int, int, int]:
        last[0] = next(states, last[0])
        seen.append(last[0])
        return last[0]

    monkeypatch.setattr("trackside.watch._state", look)
    monkeypatch.setattr("trackside.watch.SECONDS", 0.001)
    read: list[tuple[int, int, int]] = []
    watch = Watch([tmp_path / "trackside.yaml"], lambda: read.append(last[0]), since=2)
    assert within_a_second(lambda: len(seen) > 8)
    watch.stop()
    assert read == [(3, 9, 1)]


def test_a_workspace_that_is_put_in_force_while_files_are_read_stays(running, monkeypatch):
    other = load({"launchdarkly": {"environments": {"production": {"client_side_id": "another"}}}})

    def load_late(source: Any) -> Any:
        monkeypatch.undo()
        running.configure(other)
        return load(source)

    monkeypatch.setattr("trackside.lab.load", load_late)
    running.reread()
    assert running.workspace is other


def test_another_workspace_does_not_wait_for_the_files_of_the_last_one(running, file, monkeypatch):
    reading = threading.Event()

    def reread() -> None:
        reading.set()
        with running.lock:
            pass

    monkeypatch.setattr(running, "reread", reread)
    with running.lock:
        file.write_text(WORKSPACE + "\n")
        assert reading.wait(5)
        started = time.monotonic()
        running.configure(None)
        assert time.monotonic() - started < 3


def test_a_fault_while_files_are_read_is_kept_and_the_next_change_is_read_too(running, file, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(running, "reread", lambda: 1 / 0)
        file.write_text(WORKSPACE + "\n")
        assert within_a_second(lambda: bool(running.errors))
    assert isinstance(running.errors.pop(), ZeroDivisionError)
    file.write_text(WORKSPACE.replace("new-checkout: false", "new-checkout: true"))
    assert within_a_second(lambda: serves(running, "launchdarkly", "new-checkout") is True)


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


@pytest.mark.parametrize(
    ("vendor", "key"), [("launchdarkly", "flags_file"), ("split", "flags_file"), ("statsig", "specs_file")]
)
def test_a_flag_file_that_no_system_has_is_told(vendor, key):
    with pytest.raises(WorkspaceError, match="cannot be read"):
        load({vendor: {key: "a\0b.json", "environments": {}} if vendor != "statsig" else {key: "a\0b.json"}})


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


def test_variables_of_an_environment_that_there_is_not_are_refused(running):
    with pytest.raises(TracksideError, match=r"there is no environment 'stagng'.*production, staging"):
        running.env("stagng")


def test_options_of_an_sdk_that_is_not_known_name_those_that_are(running):
    with pytest.raises(Exception, match="launchdarkly-server-sdk"):
        running.launchdarkly.options("launchdarkly")
