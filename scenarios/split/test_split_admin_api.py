"""The Admin API by its published client, ``splitapiclient``: keys, pages, workspaces, environments, traffic types."""

from __future__ import annotations

from typing import Any

import pytest
from splitapiclient.main import get_client
from splitapiclient.util.exceptions import HTTPResponseError, HTTPUnauthorizedError

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


# ---- who may call, and how it answers


@pytest.mark.rule("split.admin.key")
@pytest.mark.parametrize("headers", [{"Authorization": "Bearer admin-local"}, {"x-api-key": "admin-local"}])
def test_either_header_may_carry_the_admin_key(headers: Any, ask: Any) -> None:
    assert ask("GET", f"{V2}/workspaces", "admin-workspaces", headers=headers).status == 200


@pytest.mark.rule("split.admin.key", "split.admin.errors")
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer sdk-local"}, {"x-api-key": "admin-of-nobody"}])
def test_another_key_is_refused_with_401(headers: Any, ask: Any, found: Any) -> None:
    answer = ask("GET", f"{V2}/workspaces", "admin-error", headers=headers)

    assert (answer.status, answer.json()["code"]) == (401, 401)
    assert found() == [("split.admin.errors", "error", "Authorization")]


@pytest.mark.rule("split.admin.key")
def test_the_client_raises_its_own_error_for_a_wrong_key(trackside: Lab) -> None:
    options = {**trackside.split.admin_options(), "apikey": "admin-of-nobody"}
    with pytest.raises(HTTPUnauthorizedError):
        get_client(options).workspaces.list()


@pytest.mark.rule("split.admin.key")
@pytest.mark.trackside(workspace={"split": {"environments": {"production": {"sdk_key": "sdk-local"}}}})
def test_any_key_will_do_where_none_is_declared(ask: Any) -> None:
    assert ask("GET", f"{V2}/workspaces", headers={"Authorization": "Bearer whatever"}).status == 200


@pytest.mark.rule("split.admin.rate-limits")
def test_each_answer_tells_of_the_rate_limits(ask: Any) -> None:
    headers = ask("GET", f"{V2}/workspaces").headers

    assert (headers["X-RateLimit-Remaining-Org"], headers["X-RateLimit-Remaining-IP"]) == ("100", "100")
    assert (headers["X-RateLimit-Reset-Seconds-Org"], headers["X-RateLimit-Reset-Seconds-IP"]) == ("60", "60")


@pytest.mark.rule("split.admin.errors")
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7"])
def test_a_body_of_another_kind_is_refused_with_400(body: bytes, ask: Any, workspace: Any) -> None:
    answer = ask("POST", f"{V2}/environments/ws/{workspace.id}", "admin-error", body=body)

    assert (answer.status, answer.json()["code"]) == (400, 400)


@pytest.mark.rule("split.admin.errors")
def test_what_is_not_there_is_a_note_only_as_a_harness_looks_before_it_makes(ask: Any, found: Any) -> None:
    assert ask("GET", f"{V2}/splits/ws/Default/nothing", "admin-error").status == 404
    assert found() == [("split.admin.errors", "note", "flag")]


@pytest.mark.rule("split.admin.errors")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/environments/ws/other"),
        ("GET", "/splits/ws/Default/environments/other"),
        ("GET", "/splits/ws/Default/banner/environments/other"),
        ("POST", "/splits/ws/Default/trafficTypes/other"),
        ("DELETE", "/trafficTypes/other"),
        ("GET", "/segments/production/other/keys"),
        ("POST", "/segments/production/other"),
        ("DELETE", "/schema/ws/Default/trafficTypes/user/other"),
        ("PATCH", "/schema/ws/Default/trafficTypes/user/other"),
        ("PUT", "/trafficTypes/user/environments/other/identities/u-1"),
    ],
)
def test_what_a_path_names_and_is_not_there_is_answered_404(method: str, path: str, ask: Any) -> None:
    assert ask(method, V2 + path, "admin-error", json={"name": "x"}).status == 404


@pytest.mark.rule("split.admin.paging")
def test_a_page_begins_at_the_offset_and_ends_at_the_limit(ask: Any, trackside: Lab) -> None:
    for number in range(5):
        trackside.split.flag(f"flag_{number}").serve("on")
    page = ask("GET", f"{V2}/splits/ws/Default?offset=2&limit=2", "admin-flags").json()

    assert [one["name"] for one in page["objects"]] == ["flag_1", "flag_2"]
    assert (page["offset"], page["limit"], page["totalCount"]) == (2, 2, 6)


@pytest.mark.rule("split.admin.paging")
def test_the_client_reads_every_page(client: Any, workspace: Any, production: Any, trackside: Lab) -> None:
    for number in range(45):
        trackside.split.flag(f"flag_{number}").serve("on")

    assert len(client.splits.list(workspace.id)) == 46
    assert len(client.split_definitions.list(production.id, workspace.id)) == 46


@pytest.mark.rule("split.admin.paging")
@pytest.mark.parametrize("query", ["offset=-1", "limit=many", "limit=" + "9" * 5000])
def test_an_offset_that_is_no_number_is_refused_with_400(query: str, ask: Any) -> None:
    assert ask("GET", f"{V2}/splits/ws/Default?{query}", "admin-error").status == 400


# ---- workspaces, environments, traffic types


@pytest.mark.rule("split.admin.workspaces", "split.admin.path")
def test_there_is_one_workspace(client: Any) -> None:
    assert [one.name for one in client.workspaces.list()] == ["Default"]


@pytest.mark.rule("split.admin.workspaces", "split.admin.ids")
def test_ids_are_the_same_in_every_lab(client: Any, make_trackside: Any) -> None:
    other = get_client(make_trackside(WORKSPACE).split.admin_options())

    assert client.workspaces.list()[0].id == other.workspaces.list()[0].id


@pytest.mark.rule("split.admin.environments")
def test_the_declared_environments_are_listed(client: Any, workspace: Any, ask: Any) -> None:
    assert [(one.name, one.production) for one in client.environments.list(workspace.id)] == [
        ("production", True),
        ("staging", False),
    ]
    ask("GET", f"{V2}/environments/ws/{workspace.id}", "admin-environments")


@pytest.mark.rule("split.admin.environments")
def test_an_environment_is_made_changed_and_deleted(client: Any, workspace: Any, found: Any) -> None:
    made = workspace.add_environment({"name": "qa", "production": False})
    assert made.update("production", True).production is True
    made.delete()

    assert [one.name for one in client.environments.list(workspace.id)] == ["production", "staging"]
    assert found() == [("split.admin.environments", "note", "$.name")]


@pytest.mark.rule("split.admin.environments", "split.admin.errors")
def test_an_environment_that_is_there_is_refused_with_409(workspace: Any) -> None:
    with pytest.raises(HTTPResponseError, match="409"):
        workspace.add_environment({"name": "production", "production": True})


@pytest.mark.rule("split.admin.environments")
def test_a_declared_environment_cannot_be_deleted(workspace: Any) -> None:
    with pytest.raises(HTTPResponseError, match=r"409.*declared in the workspace file"):
        workspace.delete_environment("staging")


@pytest.mark.rule("split.admin.patch")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([{"op": "replace", "path": "/production", "value": False}], 200),
        ({"production": False}, 200),
        ([{"op": "replace", "path": "/production", "value": "no"}], 400),
        ([{"op": "remove", "path": "/production"}], 400),
        ([{"op": "replace", "path": "/name", "value": "prod"}], 400),
        (["production"], 400),
        ("production", 400),
    ],
)
def test_a_field_is_replaced_by_json_patch_or_by_itself(body: Any, status: int, ask: Any) -> None:
    assert ask("PATCH", f"{V2}/environments/ws/Default/production", json=body).status == status


@pytest.mark.rule("split.admin.traffic-types")
def test_traffic_types_are_listed_made_and_deleted(client: Any, workspace: Any, ask: Any) -> None:
    ask("POST", f"{V2}/trafficTypes/ws/{workspace.id}", json={"name": "device"})
    assert [one.name for one in client.traffic_types.list(workspace.id)] == ["user", "account", "device"]
    ask("GET", f"{V2}/trafficTypes/ws/{workspace.id}", "admin-traffic-types")
    client.traffic_types.delete(client.traffic_types.find("device", workspace.id).id)

    assert [one.name for one in client.traffic_types.list(workspace.id)] == ["user", "account"]


@pytest.mark.rule("split.admin.traffic-types")
def test_a_traffic_type_with_flags_cannot_be_deleted(client: Any, workspace: Any) -> None:
    with pytest.raises(HTTPResponseError, match=r"409.*banner"):
        client.traffic_types.delete(client.traffic_types.find("user", workspace.id).id)
