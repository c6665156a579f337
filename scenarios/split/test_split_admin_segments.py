"""The Admin API's segments, by its published client: their keys reach SDKs."""

from __future__ import annotations

from typing import Any

import pytest

from trackside import Lab

WORKSPACE = {
    "split": {
        "admin_key": "admin-local",
        "environments": {"production": {"sdk_key": "sdk-local"}, "staging": {"sdk_key": "sdk-staging"}},
        "traffic_types": ["user", "account"],
        "flags": {"banner": {"treatments": ["blue", "green"], "serve": "blue", "default": "green"}},
        "segments": {"beta": ["u-1", "u-2"]},
    }
}
V2 = "/internal/api/v2"

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


# ---- segments


@pytest.mark.rule("split.admin.segments", "split.admin.segment-keys")
def test_a_segment_is_made_put_into_an_environment_and_filled(
    client: Any, workspace: Any, production: Any, trackside: Lab, ask: Any
) -> None:
    segment = workspace.add_segment({"name": "vip", "description": "Customers"}, "user")
    there = segment.add_to_environment(production.id)
    there.import_keys_from_json("false", {"keys": ["u-8", "u-9"], "comment": "first"})

    assert there.get_keys() == ["u-8", "u-9"]
    assert trackside.split.segment("vip").keys == ("u-8", "u-9")
    assert [one.name for one in client.segment_definitions.list(production.id, workspace.id)] == ["beta", "vip"]
    ask("GET", f"{V2}/segments/ws/Default", "admin-segments")
    ask("GET", f"{V2}/segments/ws/Default/environments/production", "admin-segments")
    ask("GET", f"{V2}/segments/production/vip/keys", "admin-segment-keys")


@pytest.mark.rule("split.admin.segment-keys")
def test_an_upload_adds_keys_or_replaces_them(client: Any, trackside: Lab) -> None:
    client.segment_definitions.import_keys_from_json("beta", "production", "false", {"keys": ["u-3"]})
    assert set(trackside.split.segment("beta").keys) == {"u-1", "u-2", "u-3"}
    client.segment_definitions.import_keys_from_json("beta", "production", "true", {"keys": ["u-2", "u-4"]})

    assert set(trackside.split.segment("beta").keys) == {"u-2", "u-4"}


@pytest.mark.rule("split.admin.segment-keys")
def test_keys_are_removed(client: Any, trackside: Lab) -> None:
    client.segment_definitions.remove_keys("beta", "production", {"keys": ["u-1", "u-7"]})

    assert trackside.split.segment("beta").keys == ("u-2",)


@pytest.mark.rule("split.admin.segment-keys")
def test_every_key_of_a_long_segment_is_read(client: Any) -> None:
    keys = [f"k-{number}" for number in range(250)]
    client.segment_definitions.import_keys_from_json("beta", "production", "true", {"keys": keys})

    assert client.segment_definitions.get_keys("beta", "production") == keys
    assert client.segment_definitions.get_key_count("beta", "production") == 250


@pytest.mark.rule("split.admin.segment-keys", "split.admin.errors")
def test_over_10000_keys_at_once_are_refused_with_400(ask: Any) -> None:
    path = f"{V2}/segments/production/beta/uploadKeys"

    assert ask("PUT", path, json={"keys": [str(number) for number in range(10_000)]}).status == 200
    assert ask("PUT", path, "admin-error", json={"keys": [str(number) for number in range(10_001)]}).status == 400


@pytest.mark.rule("split.admin.segments")
def test_a_segment_taken_out_of_an_environment_loses_its_keys_there(
    client: Any, workspace: Any, production: Any, trackside: Lab
) -> None:
    client.segments.find("beta", workspace.id).remove_from_environment(production.id)

    assert trackside.split.segment("beta", "production").keys == ()
    assert trackside.split.segment("beta", "staging").keys == ("u-1", "u-2")
    assert client.segment_definitions.list(production.id, workspace.id) == []
    assert [one.name for one in client.segments.list(workspace.id)] == ["beta"]


@pytest.mark.rule("split.admin.segments")
def test_a_deleted_segment_is_gone_from_every_environment(client: Any, workspace: Any, trackside: Lab) -> None:
    workspace.delete_segment("beta")

    assert client.segments.list(workspace.id) == []
    assert trackside.split.segment("beta", "staging").keys == ()
