"""The Admin API's workspaces, environments, traffic types and tags."""

from __future__ import annotations

from typing import Any

from trackside.split.admin_calls import Call, RefusedError, patched, route, traffic_type_ref, traffic_types
from trackside.split.admin_state import WORKSPACE, id_of, named
from trackside.split.changes import Environment
from trackside.steps import Step

ORGANIZATION = id_of("organization", "trackside")

# ---- workspaces


def _workspaces(call: Call) -> dict[str, Any]:
    """The one workspace, ``Default``, with paging."""
    own = {
        "id": id_of("workspace", WORKSPACE),
        "name": WORKSPACE,
        "type": "workspace",
        "requiresTitleAndComments": False,
    }
    return call.page([own], dict)


# ---- environments


def _environment(call: Call, name: str) -> dict[str, Any]:
    known = call.live.admin.environments.get(name, {})
    return {
        "id": id_of("environment", name),
        "name": name,
        "type": "environment",
        "production": known.get("production", name.lower().startswith("prod")),
        "orgId": ORGANIZATION,
        "workspaceIds": [id_of("workspace", WORKSPACE)],
        "status": "ACTIVE",
        "creationTime": known.get("creationTime", 0),
        "changePermissions": {"areApprovalsRequired": False, "areApproversRestricted": False, "approvers": []},
        "dataExportPermissions": {"areExportersRestricted": False, "exporters": []},
    }


def _rollout_statuses(_call: Call) -> list[Any]:
    """Rollout statuses: there are none."""
    return []


def _environments(call: Call) -> list[dict[str, Any]]:
    """Every environment, as a plain array."""
    call.workspace()
    return [_environment(call, name) for name in call.live.environments]


def _add_environment(call: Call) -> dict[str, Any]:
    """Make an environment; SDKs cannot use it, as the workspace has no key of it (split.admin.environments)."""
    call.workspace()
    body = call.body(dict)
    name = body["name"]
    if named("environment", name, call.live.environments):
        raise RefusedError(409, f"the environment {name!r} exists already", "$.name")
    call.live.environments[name] = Environment(name, call.live.next_number())
    made = {"production": bool(body.get("production")), "creationTime": call.now}
    call.live.admin.environments[name] = made
    text = f"the environment {name!r} has no SDK key, so that no SDK can use it"
    fix = "declare it under split.environments to give it one"
    call.steps.append(Step("info", "split.admin.environments", text, "$.name", fix, "note"))
    return {**_environment(call, name), "apiTokens": []}


def _change_environment(call: Call) -> dict[str, Any]:
    """Say whether an environment is production; it keeps its name."""
    call.workspace()
    name = call.environment().name
    row = patched(_environment(call, name), call, {"production": bool})
    call.live.admin.environments[name] = {key: row[key] for key in ("production", "creationTime")}
    return _environment(call, name)


def _delete_environment(call: Call) -> None:
    """Delete an environment that the API made."""
    call.workspace()
    name = call.environment().name
    if name in call.live.settings.environment_names:
        raise RefusedError(
            409, f"the environment {name!r} is declared in the workspace file", "environment", "delete it there"
        )
    del call.live.environments[name]
    call.live.admin.environments.pop(name, None)


# ---- traffic types


def _traffic_type(name: str) -> dict[str, str]:
    return {**traffic_type_ref(name), "displayAttributeId": "name"}


def _traffic_types(call: Call) -> list[dict[str, str]]:
    """Every traffic type, as a plain array."""
    call.workspace()
    return [_traffic_type(name) for name in traffic_types(call.live)]


def _add_traffic_type(call: Call) -> dict[str, str]:
    """Make a traffic type."""
    call.workspace()
    name = call.body(dict)["name"]
    if name in traffic_types(call.live):
        raise RefusedError(409, f"the traffic type {name!r} exists already", "$.name")
    call.live.admin.gone.discard(name)
    call.live.admin.traffic_types.append(name)
    return _traffic_type(name)


def _delete_traffic_type(call: Call) -> None:
    """Delete a traffic type that no flag belongs to (split.admin.traffic-types)."""
    name = call.traffic_type()
    flags = [row for state in call.live.environments.values() for row in state.flags.active()]
    users = [row["name"] for row in flags if row["trafficTypeName"] == name]
    if users:
        raise RefusedError(
            409, f"the traffic type {name!r} has flags, such as {users[0]!r}", "traffic type", "delete them"
        )
    call.live.admin.gone.add(name)


ROUTES = [
    *route("GET", "/workspaces", _workspaces),
    *route("GET", "/rolloutStatuses", _rollout_statuses),
    *route("GET", "/environments/ws/<ws>", _environments),
    *route("POST", "/environments/ws/<ws>", _add_environment, 201, "split/admin-environment-request"),
    *route("PATCH", "/environments/ws/<ws>/<env>", _change_environment),
    *route("DELETE", "/environments/ws/<ws>/<env>", _delete_environment, 204),
    *route("GET", "/trafficTypes/ws/<ws>", _traffic_types),
    *route("POST", "/trafficTypes/ws/<ws>", _add_traffic_type, 201, "split/admin-named-request"),
    *route("DELETE", "/trafficTypes/<tt>", _delete_traffic_type, 204),
]
