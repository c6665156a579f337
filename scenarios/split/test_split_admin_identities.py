"""The Admin API's identities and attributes, by its published client."""

from __future__ import annotations

from typing import Any

import pytest
from splitapiclient.resources import Attribute

from trackside import Lab

WORKSPACE = {
    "split": {
        "admin_key": "admin-local",
        "environments": {"production": {"sdk_key": "sdk-local"}, "staging": {}},
        "traffic_types": ["user", "account"],
    }
}
V2 = "/internal/api/v2"
IDENTITIES = f"{V2}/trafficTypes/user/environments/production/identities"
SCHEMA = f"{V2}/schema/ws/Default/trafficTypes/user"

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


@pytest.fixture
def user(client: Any) -> str:
    """Return the id of the traffic type ``user``."""
    return str(client.traffic_types.find("user", client.workspaces.find("Default").id).id)


@pytest.mark.rule("split.admin.identities")
def test_an_identity_is_saved_and_kept_as_those_from_segment_are(
    production: Any, user: str, trackside: Lab, kept: Any, found: Any
) -> None:
    saved = production.add_identity({"key": "u-1", "trafficTypeId": user, "values": {"plan": "gold"}})

    assert (saved.key, saved.values, saved.environment_id) == ("u-1", {"plan": "gold"}, production.id)
    assert trackside.split.expect_identity("u-1", plan="gold", timeout=0)
    assert kept("identity") == [
        {"kind": "identity", "trafficTypeName": "user", "key": "u-1", "environmentName": "production", "values": {"plan": "gold"}}
    ]  # fmt: skip
    assert found() == []


@pytest.mark.rule("split.admin.identities")
def test_an_answer_keeps_its_contract(ask: Any) -> None:
    ask("PUT", f"{IDENTITIES}/u-1", "admin-identity", json={"key": "u-1", "values": {"plan": "gold"}})
    ask("POST", IDENTITIES, "admin-identities-answer", json=[{"key": "u-1"}, {"key": ""}])


@pytest.mark.rule("split.admin.identities")
def test_a_key_may_hold_slashes(ask: Any, kept: Any) -> None:
    assert ask("PUT", f"{IDENTITIES}/a%2Fb", json={"values": {}}).status == 200
    assert ask("POST", f"{IDENTITIES}/a%2Fb/patch", json={"values": {"plan": "gold"}}).status == 200
    assert [(one["key"], one["values"]) for one in kept("identity")] == [("a/b", {}), ("a/b", {"plan": "gold"})]


@pytest.mark.rule("split.admin.identities", "split.admin.errors")
@pytest.mark.parametrize(("key", "values"), [("k" * 251, {}), ("u-1", {"seats": 5}), ("u-1", [])])
def test_a_key_too_long_or_an_attribute_that_is_no_text_is_refused_with_400(
    key: str, values: Any, ask: Any, kept: Any
) -> None:
    assert ask("PUT", f"{IDENTITIES}/{key}", "admin-error", json={"values": values}).status == 400
    assert kept("identity") == []


@pytest.mark.rule("split.in.traits.limit", "split.in.attribute-id")
def test_attributes_have_the_limits_of_traits(ask: Any, kept: Any, found: Any) -> None:
    ask("PUT", f"{IDENTITIES}/u-1", json={"values": {"note": "x" * 256, "1st": "a"}})

    assert kept("identity")[0]["values"] == {"note": "x" * 255}
    assert found() == [
        ("split.in.traits.limit", "warning", "$.values.note"),
        ("split.in.attribute-id", "warning", "$.values.1st"),
    ]


@pytest.mark.rule("split.admin.identities-bulk")
def test_saved_in_bulk_each_identity_stands_for_itself(production: Any, user: str, kept: Any) -> None:
    result = production.add_identities(
        [
            {"key": "u-1", "trafficTypeId": user, "values": {"plan": "gold"}},
            {"key": "", "trafficTypeId": user, "values": {}},
            {"key": "u-3", "trafficTypeId": user, "values": {"seats": 5}},
        ]
    )

    assert [(one.key, one.values) for one in result.successful] == [("u-1", {"plan": "gold"})]
    assert [(one["object"].key, one["status"], one["message"]) for one in result.failed] == [
        ("", 400, "key is empty"),
        ("u-3", 400, "seats is a number, 5"),
    ]
    assert [one["key"] for one in kept("identity")] == ["u-1"]


@pytest.mark.rule("split.admin.identities-bulk", "split.admin.errors")
@pytest.mark.parametrize("body", [b"{}", b"7", b"["])
def test_a_bulk_that_is_no_array_is_refused_with_400(body: bytes, ask: Any) -> None:
    assert ask("POST", IDENTITIES, "admin-error", body=body).status == 400


@pytest.mark.rule("split.admin.identities-bulk")
@pytest.mark.parametrize("one", ["u-1", None, {}, {"key": None}, {"key": "  "}])
def test_what_is_no_identity_fails_alone(one: Any, ask: Any, kept: Any) -> None:
    answer = ask("POST", IDENTITIES, "admin-identities-answer", json=[one, {"key": "u-2"}]).json()

    assert [row["object"] for row in answer["failed"]] == [one]
    assert [row["key"] for row in kept("identity")] == ["u-2"]


@pytest.mark.rule("split.admin.identities-merge")
def test_an_update_adds_attributes_and_a_save_takes_their_place(client: Any, production: Any, user: str) -> None:
    identity = production.add_identity({"key": "u-1", "trafficTypeId": user, "values": {"plan": "gold"}})
    identity.values = {"seats": "5"}
    assert identity.update().values == {"plan": "gold", "seats": "5"}
    assert client.identities.patch({**identity.to_dict(), "values": {"seats": "6"}}).values == {
        "plan": "gold",
        "seats": "6",
    }

    assert identity.save().values == {"seats": "5"}


@pytest.mark.rule("split.admin.identities-merge")
def test_the_attributes_of_one_environment_are_not_those_of_another(ask: Any) -> None:
    ask("PUT", f"{IDENTITIES}/u-1", json={"values": {"plan": "gold"}})
    staging = IDENTITIES.replace("production", "staging")

    assert ask("PATCH", f"{staging}/u-1", json={"values": {"seats": "5"}}).json()["values"] == {"seats": "5"}


@pytest.mark.rule("split.admin.identities-delete")
def test_a_deleted_identity_starts_anew(production: Any, user: str, ask: Any, kept: Any) -> None:
    production.add_identity({"key": "u-1", "trafficTypeId": user, "values": {"plan": "gold"}}).delete()

    assert ask("DELETE", f"{IDENTITIES}/u-1").status == 204
    assert ask("PATCH", f"{IDENTITIES}/u-1", json={"values": {"seats": "5"}}).json()["values"] == {"seats": "5"}
    assert kept("identity")[0]["values"] == {"plan": "gold"}


@pytest.mark.rule("split.admin.identities")
@pytest.mark.trackside(
    workspace={
        "split": {
            **WORKSPACE["split"],
            "flags": {"banner": {"serve": "off", "rules": [{"if": {"plan": ["gold"]}, "serve": "on"}]}},
        }
    }
)
def test_an_identity_changes_no_definition(ask: Any, trackside: Lab) -> None:
    before = trackside.split.flag("banner").definition
    ask("PUT", f"{IDENTITIES}/u-1", json={"values": {"plan": "gold"}})

    assert trackside.split.flag("banner").definition == before


# ---- attributes


@pytest.mark.rule("split.admin.attributes")
def test_an_attribute_is_made_listed_and_deleted(client: Any, user: str, ask: Any) -> None:
    workspace = client.workspaces.find("Default").id
    plan = {"id": "plan", "displayName": "Plan", "trafficTypeId": user, "workspaceId": workspace, "dataType": "string"}
    assert client.attributes.save(Attribute(plan)).display_name == "Plan"
    ask("GET", SCHEMA, "admin-attributes")
    assert [one.id for one in client.attributes.list(user, workspace)] == ["plan"]
    client.attributes.delete("plan", workspace, user)

    assert client.attributes.list(user, workspace) == []


@pytest.mark.rule("split.admin.attributes")
def test_attributes_are_imported(client: Any, user: str, ask: Any) -> None:
    client.attributes.import_attributes_from_json(
        "Default", user, [{"id": "plan", "dataType": "STRING"}, {"id": "seats", "dataType": "NUMBER"}]
    )

    assert [(one["id"], one["dataType"]) for one in ask("GET", SCHEMA).json()] == [
        ("plan", "STRING"),
        ("seats", "NUMBER"),
    ]


@pytest.mark.rule("split.admin.attributes", "split.admin.errors")
@pytest.mark.parametrize(
    ("body", "status"),
    [({"id": "plan"}, 409), ({"id": "1st"}, 400), ({"id": "seats", "dataType": "integer"}, 400), ({}, 400)],
)
def test_an_attribute_that_cannot_be_made_is_refused(body: Any, status: int, ask: Any) -> None:
    ask("POST", SCHEMA, json={"id": "plan"})

    assert ask("POST", SCHEMA, "admin-error", json=body).status == status


@pytest.mark.rule("split.admin.attributes", "split.admin.patch")
def test_an_attribute_is_changed(ask: Any) -> None:
    ask("POST", SCHEMA, json={"id": "plan", "displayName": "Plan"})
    ask("PATCH", f"{SCHEMA}/plan", json=[{"op": "replace", "path": "/description", "value": "The plan"}])
    assert [(one["displayName"], one["description"]) for one in ask("GET", SCHEMA).json()] == [("Plan", "The plan")]
    ask("PUT", SCHEMA, json={"id": "plan", "displayName": "Tariff"})

    assert [(one["displayName"], one["description"]) for one in ask("GET", SCHEMA).json()] == [("Tariff", "")]


@pytest.mark.rule("split.admin.attributes")
def test_attributes_come_in_pages_of_50(ask: Any) -> None:
    ask("POST", f"{SCHEMA}/attribute:bulk", json=[{"id": f"a{number:02}"} for number in range(60)])
    first = ask("GET", SCHEMA).json()
    rest = ask("GET", f"{SCHEMA}?marker={first[-1]['id']}").json()

    assert (len(first), [one["id"] for one in rest]) == (50, [f"a{number}" for number in range(50, 60)])
