"""The Admin API's flags, definitions and flag sets, by its published client: what is changed reaches SDKs."""

from __future__ import annotations

from typing import Any

import pytest
from splitapiclient.main import get_client
from splitapiclient.util.exceptions import HTTPNotFoundError, HTTPResponseError

from trackside import Lab, catalog

WORKSPACE = {
    "split": {
        "admin_key": "admin-local",
        "environments": {"production": {"sdk_key": "sdk-local"}, "staging": {"sdk_key": "sdk-staging"}},
        "traffic_types": ["user", "account"],
        "flags": {"banner": {"treatments": ["blue", "green"], "serve": "blue", "default": "green"}},
        "segments": {"beta": ["u-1", "u-2"]},
    }
}
DEFINITION: dict[str, Any] = {
    "treatments": [
        {"name": "on", "configurations": '{"color":"blue"}', "description": "The new one", "keys": ["alice"], "segments": ["beta"]},
        {"name": "off"},
    ],
    "defaultTreatment": "off",
    "baselineTreatment": "off",
    "trafficAllocation": 100,
    "rules": [
        {
            "condition": {"combiner": "AND", "matchers": [{"type": "IN_LIST_STRING", "attribute": "plan", "strings": ["gold"]}]},
            "buckets": [{"treatment": "on", "size": 100}],
        }
    ],
    "defaultRule": [{"treatment": "on", "size": 30}, {"treatment": "off", "size": 70}],
}  # fmt: skip

V2 = "/internal/api/v2"

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


# ---- flags


@pytest.mark.rule("split.admin.flags")
def test_a_flag_without_a_definition_is_seen_by_nobody(client: Any, workspace: Any, trackside: Lab) -> None:
    made = workspace.add_split({"name": "checkout_v2", "description": "The second checkout"}, "user")

    assert client.splits.get("checkout_v2", workspace.id).description == "The second checkout"
    assert made.id == client.splits.find("checkout_v2", workspace.id).id
    assert [row["name"] for row in trackside.split.flags()] == ["banner", "banner"]


@pytest.mark.rule("split.admin.flags")
def test_a_declared_flag_is_listed(ask: Any) -> None:
    [flag] = ask("GET", f"{V2}/splits/ws/Default", "admin-flags").json()["objects"]

    assert (flag["name"], flag["trafficType"]["name"]) == ("banner", "user")


@pytest.mark.rule("split.admin.flags", "split.admin.errors")
def test_a_flag_of_the_same_name_is_refused_with_409(workspace: Any) -> None:
    with pytest.raises(HTTPResponseError, match="409"):
        workspace.add_split({"name": "banner", "description": ""}, "user")


@pytest.mark.rule("split.admin.flags")
def test_a_flag_is_described_and_tagged(client: Any, workspace: Any) -> None:
    flag = client.splits.get("banner", workspace.id)

    assert flag.update_description("For the start page").description == "For the start page"
    assert flag.associate_tags(["web", "start"]) is True
    assert [one.name for one in client.splits.list(workspace.id, tags=["web"])] == ["banner"]
    assert client.splits.list(workspace.id, tags=["mobile"]) == []


@pytest.mark.rule("split.admin.flags")
def test_a_deleted_flag_is_archived_for_sdks(client: Any, workspace: Any, ask: Any) -> None:
    headers = {"Authorization": "Bearer sdk-local"}
    before = ask("GET", "/api/splitChanges?s=1.3&since=-1", headers=headers).json()["ff"]["t"]
    client.splits.delete("banner", workspace.id)

    changes = ask("GET", f"/api/splitChanges?s=1.3&since={before}", headers=headers).json()["ff"]["d"]
    assert [(one["name"], one["status"]) for one in changes] == [("banner", "ARCHIVED")]
    assert client.splits.list(workspace.id) == []


# ---- definitions


@pytest.mark.rule("split.admin.definition")
def test_a_flag_with_a_definition_reaches_the_sdks_of_the_environment(
    workspace: Any, production: Any, trackside: Lab
) -> None:
    workspace.add_split({"name": "checkout_v2", "description": ""}, "user").add_to_environment(
        production.id, DEFINITION
    )

    wire = trackside.split.flag("checkout_v2", "production").definition
    assert catalog.faults("split/split-definition", wire) == []
    assert [one["label"] for one in wire["conditions"]] == [
        "whitelisted",
        "whitelisted segment beta",
        "plan in list string [gold]",
        "default rule",
    ]
    assert wire["conditions"][-1]["partitions"] == [{"treatment": "on", "size": 30}, {"treatment": "off", "size": 70}]
    assert wire["configurations"] == {"on": '{"color":"blue"}'}
    assert [row["environment"] for row in trackside.split.flags() if row["name"] == "checkout_v2"] == ["production"]


@pytest.mark.rule("split.admin.definition")
def test_a_definition_is_read_back_as_it_was_given(workspace: Any, production: Any, ask: Any) -> None:
    workspace.add_split({"name": "checkout_v2", "description": ""}, "user").add_to_environment(
        production.id, DEFINITION
    )

    shown = ask("GET", f"{V2}/splits/ws/Default/checkout_v2/environments/production", "admin-definition").json()
    rules = [{**rule, "condition": {**rule["condition"], "matchers": [{**rule["condition"]["matchers"][0], "negate": False}]}}
             for rule in DEFINITION["rules"]]  # fmt: skip
    assert {name: shown[name] for name in DEFINITION} == {**DEFINITION, "rules": rules}


@pytest.mark.rule("split.admin.definition")
def test_a_definition_that_is_put_back_as_it_was_read_changes_nothing(ask: Any, trackside: Lab) -> None:
    path = f"{V2}/splits/ws/Default/banner/environments/production"
    before = trackside.split.flag("banner", "production").definition
    shown = ask("GET", path, "admin-definition").json()

    assert ask("PUT", path, "admin-definition", json=shown).json() == shown
    assert trackside.split.flag("banner", "production").definition == before


@pytest.mark.rule("split.admin.definition")
def test_a_changed_definition_gets_a_higher_change_number(
    client: Any, workspace: Any, production: Any, trackside: Lab
) -> None:
    before = trackside.split.flag("banner").definition["changeNumber"]
    found = client.split_definitions.find("banner", production.id, workspace.id)
    changed = found.update_definition(
        {"treatments": [{"name": "blue"}, {"name": "green"}], "defaultTreatment": "blue", "rules": [], "defaultRule": [{"treatment": "green", "size": 100}]}
    )  # fmt: skip

    assert [one.export_dict() for one in changed.default_rule] == [{"treatment": "green", "size": 100}]
    assert trackside.split.flag("banner").definition["changeNumber"] > before


@pytest.mark.rule("split.admin.definition")
def test_a_flag_is_defined_once_in_an_environment(client: Any, workspace: Any, production: Any) -> None:
    with pytest.raises(HTTPResponseError, match="409"):
        client.splits.add_to_environment("banner", production.id, workspace.id, DEFINITION)


@pytest.mark.rule("split.admin.definition")
def test_a_definition_is_changed_only_where_there_is_one(client: Any, workspace: Any, production: Any) -> None:
    workspace.add_split({"name": "checkout_v2", "description": ""}, "user")
    with pytest.raises(HTTPNotFoundError):
        client.split_definitions.update_definition("checkout_v2", production.id, workspace.id, DEFINITION)


@pytest.mark.rule("split.admin.definition", "split.admin.errors")
@pytest.mark.parametrize(
    ("wrong", "at"),
    [
        ({"defaultTreatment": "blue"}, "$.defaultTreatment"),
        ({"baselineTreatment": "blue"}, "$.baselineTreatment"),
        ({"defaultRule": [{"treatment": "blue", "size": 100}]}, "$.defaultRule[0].treatment"),
        ({"defaultRule": [{"treatment": "on", "size": 99}]}, "$.defaultRule"),
        ({"treatments": []}, "$.treatments"),
        ({"flagSets": [{"id": "other"}]}, "$.flagSets[0]"),
        (
            {"rules": [{"condition": {"matchers": [{"type": "BOOLEAN"}]}, "buckets": [{"treatment": "on", "size": 100}]}]},
            "$.rules[0].condition.matchers[0].bool",
        ),
    ],
)  # fmt: skip
def test_a_definition_that_cannot_be_served_is_refused_with_400(
    wrong: Any, at: str, ask: Any, found: Any, trackside: Lab
) -> None:
    before = trackside.split.flag("banner").definition
    answer = ask(
        "PUT", f"{V2}/splits/ws/Default/banner/environments/production", "admin-error", json={**DEFINITION, **wrong}
    )

    assert answer.status == 400
    assert ("split.admin.errors", "error", at) in found()
    assert trackside.split.flag("banner").definition == before


@pytest.mark.rule("split.admin.kill")
def test_a_killed_flag_gives_its_default_treatment_until_it_is_restored(
    client: Any, workspace: Any, production: Any, trackside: Lab
) -> None:
    definition = client.split_definitions.get_definition("banner", production.id, workspace.id)
    definition.kill()
    assert trackside.split.flags()[0]["serves"] == "green"
    definition.restore()

    assert trackside.split.flags()[0]["serves"] == "blue"


@pytest.mark.rule("split.admin.flags")
def test_a_flag_taken_out_of_an_environment_stays_in_the_workspace(
    client: Any, workspace: Any, production: Any, trackside: Lab
) -> None:
    client.splits.get("banner", workspace.id).remove_from_environment(production.id)
    client.splits.get("banner", workspace.id).remove_from_environment("staging")

    assert trackside.split.flags() == []
    assert client.split_definitions.get_definition("banner", production.id, workspace.id) is None
    assert client.splits.get("banner", workspace.id).name == "banner"


@pytest.mark.rule("split.admin.flag-sets")
def test_flag_sets_are_made_listed_and_deleted(client: Any, workspace: Any, ask: Any) -> None:
    made = client.flag_sets.add({"name": "web", "description": "The web application"}, workspace.id)
    assert client.flag_sets.get(made.id).name == "web"
    ask("GET", "/internal/api/v3/flag-sets", "admin-flag-sets")
    client.flag_sets.delete(made.id)

    assert client.flag_sets.list(workspace.id) == []


@pytest.mark.rule("split.admin.flag-sets", "split.admin.path")
@pytest.mark.parametrize("base", ["/internal/api/v3", "/api/v3"])
def test_the_client_reads_every_page_of_flag_sets(base: str, trackside: Lab, workspace: Any) -> None:
    client = get_client({**trackside.split.admin_options(), "base_url_v3": trackside.split.url + base})
    for number in range(60):
        client.flag_sets.add({"name": f"set_{number:02}"}, workspace.id)

    assert [one.name for one in client.flag_sets.list(workspace.id)] == [f"set_{number:02}" for number in range(60)]


@pytest.mark.rule("split.admin.flag-sets")
def test_a_definition_puts_a_flag_into_flag_sets(client: Any, workspace: Any, ask: Any, trackside: Lab) -> None:
    made = client.flag_sets.add({"name": "web"}, workspace.id)
    body = {**DEFINITION, "flagSets": [{"id": made.id, "type": "FLAG_SET"}]}
    ask("PUT", f"{V2}/splits/ws/Default/banner/environments/production", "admin-definition", json=body)

    assert trackside.split.flag("banner").definition["sets"] == ["web"]
    with pytest.raises(HTTPResponseError, match=r"409.*banner"):
        client.flag_sets.delete(made.id)


@pytest.mark.rule("split.admin.flag-sets")
@pytest.mark.parametrize("name", ["Web", "_web", "w" * 51])
def test_a_misnamed_flag_set_is_refused_with_400(name: str, ask: Any) -> None:
    assert ask("POST", "/internal/api/v3/flag-sets", "admin-error", json={"name": name}).status == 400


# ---- between tests


@pytest.mark.rule("split.admin.flags", "split.admin.environments", "split.admin.segments")
def test_a_reset_takes_back_what_the_api_changed(client: Any, workspace: Any, production: Any, trackside: Lab) -> None:
    workspace.add_environment({"name": "qa"})
    workspace.add_split({"name": "checkout_v2", "description": ""}, "user").add_to_environment(
        production.id, DEFINITION
    )
    workspace.add_segment({"name": "vip", "description": ""}, "user").add_to_environment(production.id)
    trackside.reset()

    assert [one.name for one in client.environments.list(workspace.id)] == ["production", "staging"]
    assert [one.name for one in client.splits.list(workspace.id)] == ["banner"]
    assert [one["name"] for one in trackside.split.flags()] == ["banner", "banner"]
    assert [one.name for one in client.segments.list(workspace.id)] == ["beta"]
