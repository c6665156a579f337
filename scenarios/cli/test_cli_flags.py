"""``trackside flags`` on a running lab."""

from __future__ import annotations

import json

import pytest

WORKSPACE = {
    "launchdarkly": {
        "environments": {"production": {"client_side_id": "57be1db38b75bf0772d11384", "sdk_key": "sdk-local"}},
        "flags": {"new-checkout": False, "banner": {"variations": ["control", "blue"], "serve": "control"}},
    },
    "statsig": {"server_secret": "secret-local", "gates": {"new_checkout": False}},
}

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


@pytest.fixture
def flags(trackside_command, trackside):
    """Return a function that runs ``trackside flags`` against the lab."""
    return lambda command, *arguments: trackside_command(
        "flags", command, *arguments, "--admin", trackside.urls["admin"]
    )


def test_flags_are_listed_with_what_they_serve(flags):
    result = flags("list")
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["launchdarkly", "flag", "banner", "production", "true", "control"] in rows


def test_one_vendors_flags_are_listed_as_json(flags):
    rows = json.loads(flags("list", "--vendor", "statsig", "--json").stdout)
    assert [(row["name"], row["serves"]) for row in rows] == [("new_checkout", False)]


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (("new-checkout", "true"), "new-checkout", True),
        (("banner", "blue"), "banner", "blue"),
        (("banner", '{"control": 25, "blue": 75}'), "banner", {"control": 25, "blue": 75}),
    ],
)
def test_a_flag_is_set_to_json_or_text(flags, trackside, arguments, name, value):
    result = flags("set", "launchdarkly", *arguments)
    assert result.exit_code == 0, result.stderr
    assert f"launchdarkly flag {name}" in result.stdout
    (row,) = [row for row in trackside.launchdarkly.flags() if row["name"] == name]
    assert row["serves"] == value


def test_a_flag_is_turned_off(flags, trackside):
    row = json.loads(flags("set", "launchdarkly", "banner", "--off", "--json").stdout)
    assert row["on"] is False


def test_setting_nothing_is_wrong_use(flags):
    result = flags("set", "launchdarkly", "banner")
    assert result.exit_code == 2
    assert "wants a value, or --on or --off" in result.stderr


def test_a_refusal_of_the_lab_is_wrong_use_and_told(flags):
    result = flags("set", "amplitude", "banner", "true")
    assert result.exit_code == 2
    assert "there is no vendor 'amplitude'" in result.stderr


def test_a_lab_that_is_not_there_is_told_with_what_to_do(trackside_command):
    result = trackside_command("flags", "list", "--admin", "http://127.0.0.1:9")
    assert result.exit_code == 2
    assert "start trackside serve" in result.stderr


@pytest.mark.parametrize("name", [("b\udcff", "true"), ("banner", "\udcff"), ("banner", "[" * 500 + "]" * 500)])
def test_what_cannot_be_sent_is_wrong_use(flags, name):
    result = flags("set", "launchdarkly", *name)
    assert result.exit_code == 2
    assert result.stderr.startswith("trackside: ")
