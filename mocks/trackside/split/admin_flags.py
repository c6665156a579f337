"""The Admin API's flags, their definitions by environment, and flag sets."""

from __future__ import annotations

import re
from typing import Any

from trackside.split.admin_calls import (
    BASES_V3,
    Call,
    RefusedError,
    environment_ref,
    route,
    traffic_type_ref,
)
from trackside.split.admin_definitions import to_admin, to_wire
from trackside.split.admin_state import WORKSPACE, Described, Notes, id_of, named
from trackside.split.changes import Definition
from trackside.split.store import Split

DEFINITION = "split/admin-definition-request"
_SET_NAME = re.compile(r"[a-z0-9][_a-z0-9]{0,49}").fullmatch


# ---- flags


def known(live: Split) -> dict[str, Described]:
    """Return every flag of the workspace: those in some environment, and those made by the API."""
    found = dict(live.admin.flags)
    for state in live.environments.values():
        for row in state.flags.active():
            found.setdefault(row["name"], Described(row["trafficTypeName"]))
    return found


def _flag_of(call: Call) -> tuple[str, Described]:
    call.workspace()
    name, flags = call.param("flag"), known(call.live)
    if name not in flags:
        raise RefusedError(404, f"there is no flag {name!r}", "flag")
    return name, flags[name]


def _shown(name: str, flag: Described) -> dict[str, Any]:
    return {
        "id": id_of("split", name),
        "name": name,
        "description": flag.description,
        "trafficType": traffic_type_ref(flag.traffic_type),
        "creationTime": flag.created_at,
        "tags": [{"name": tag} for tag in flag.tags],
        "owners": [],
    }


def _list(call: Call) -> dict[str, Any]:
    """Every flag of the workspace, with paging; ``?tag=``."""
    call.workspace()
    tag = call.request.query.get("tag")
    rows = [(name, flag) for name, flag in known(call.live).items() if not tag or tag in flag.tags]
    return call.page(rows, lambda row: _shown(*row))


def _get(call: Call) -> dict[str, Any]:
    """One flag."""
    return _shown(*_flag_of(call))


def _create(call: Call) -> dict[str, Any]:
    """Make a flag that no environment has yet: SDKs do not see it (split.admin.flags)."""
    call.workspace()
    traffic_type, body = call.traffic_type(), call.body(dict)
    name = body["name"]
    if name in known(call.live):
        raise RefusedError(409, f"the flag {name!r} exists already", "$.name")
    made = call.live.admin.flags[name] = Described(traffic_type, str(body.get("description") or ""), call.now)
    return _shown(name, made)


def _describe(call: Call) -> dict[str, Any]:
    """Give a flag another description."""
    name, flag = _flag_of(call)
    flag.description = call.body(str)
    call.live.admin.flags[name] = flag
    return _shown(name, flag)


def _tag(call: Call) -> list[dict[str, str]]:
    """Give a flag its tags."""
    name, flag = _flag_of(call)
    flag.tags = list(dict.fromkeys([*flag.tags, *(str(tag) for tag in call.body(list))]))
    call.live.admin.flags[name] = flag
    return [{"name": tag} for tag in flag.tags]


def _delete(call: Call) -> bool:
    """Take a flag out of every environment; SDKs get it once more, archived."""
    name, _ = _flag_of(call)
    for environment, state in call.live.environments.items():
        if state.flags.get(name):
            call.live.archive(name, environment)
        call.live.admin.notes.pop((environment, name), None)
    call.live.admin.flags.pop(name, None)
    return True


# ---- definitions


def _defined(call: Call) -> Definition:
    """Return the definition of a flag in an environment; 404 where it has none there."""
    name, _ = _flag_of(call)
    environment = call.environment().name
    found = call.live.flag(name, environment)
    if found is None:
        raise RefusedError(404, f"the flag {name!r} is not in the environment {environment!r}", "flag")
    return found


def _definition(call: Call, wire: Definition) -> dict[str, Any]:
    environment = call.environment().name
    notes = call.live.admin.notes.get((environment, wire["name"]), Notes())
    flag = call.live.admin.flags.get(wire["name"], Described())
    return {
        "id": id_of("definition", f"{environment}/{wire['name']}"),
        "name": wire["name"],
        "environment": environment_ref(environment),
        "trafficType": traffic_type_ref(wire["trafficTypeName"]),
        **to_admin(wire, notes),
        "flagSets": [{"id": id_of("flagSet", name), "type": "FLAG_SET"} for name in wire.get("sets") or ()],
        "creationTime": flag.created_at,
        "lastUpdateTime": wire["changeNumber"],
    }


def _definitions(call: Call) -> dict[str, Any]:
    """Every definition of one environment, with paging."""
    call.workspace()
    return call.page(call.environment().flags.active(), lambda row: _definition(call, row))


def _get_definition(call: Call) -> dict[str, Any]:
    """The definition of a flag in one environment."""
    return _definition(call, _defined(call))


def _add_definition(call: Call) -> dict[str, Any]:
    """Define a flag in one environment; SDKs get it at once."""
    name, flag = _flag_of(call)
    environment = call.environment().name
    if call.live.flag(name, environment):
        raise RefusedError(409, f"the flag {name!r} is in the environment {environment!r} already", "flag")
    return _put(call, name, flag.traffic_type, None)


def _update_definition(call: Call) -> dict[str, Any]:
    """Change the definition of a flag in one environment; SDKs get it at once."""
    before = _defined(call)
    return _put(call, before["name"], before["trafficTypeName"], before)


def _put(call: Call, name: str, traffic_type: str, before: Definition | None) -> dict[str, Any]:
    """Put a definition in force: SDKs of the environment hear of it at once (split.admin.definition)."""
    body, environment = call.body(dict), call.environment().name
    made = to_wire(name, body, before, traffic_type, _sets(call, body, before))
    kept = call.live.put(made, environment)
    described = {one["name"]: one["description"] for one in body["treatments"] if one.get("description")}
    call.live.admin.notes[environment, name] = Notes(
        body.get("baselineTreatment") or "", [one["name"] for one in body["treatments"]], described
    )
    return _definition(call, kept)


def _sets(call: Call, body: dict[str, Any], before: Definition | None) -> list[str]:
    """Return the flag sets of a definition by name: as they were where the body does not name any."""
    if "flagSets" not in body:
        return list(before.get("sets") or ()) if before else []
    found = []
    for index, one in enumerate(body["flagSets"] or ()):
        name = named("flagSet", one.get("id") or one.get("name") or "", _flag_sets(call.live))
        if name is None:
            raise RefusedError(400, "there is no such flag set", f"$.flagSets[{index}]", "make it first")
        found.append(name)
    return found


def _remove_definition(call: Call) -> bool:
    """Take a flag out of one environment; SDKs get it as archived."""
    wire, environment = _defined(call), call.environment().name
    call.live.admin.flags.setdefault(wire["name"], Described(wire["trafficTypeName"]))
    call.live.archive(wire["name"], environment)
    call.live.admin.notes.pop((environment, wire["name"]), None)
    return True


def _kill(call: Call) -> dict[str, Any]:
    """Let everybody have the default treatment (split.admin.kill)."""
    return _definition(call, call.live.kill(_defined(call)["name"], call.environment().name))


def _restore(call: Call) -> dict[str, Any]:
    """Take a kill back."""
    return _definition(call, call.live.restore(_defined(call)["name"], call.environment().name))


# ---- flag sets


def _flag_sets(live: Split) -> dict[str, Described]:
    """Return the flag sets: those made by the API, and those that flags are in."""
    rows = [row for state in live.environments.values() for row in state.flags.active()]
    used = (name for row in rows for name in row.get("sets") or ())
    return {**{name: Described() for name in used}, **live.admin.flag_sets}


def _shown_set(name: str, one: Described) -> dict[str, Any]:
    workspace = {"id": id_of("workspace", WORKSPACE), "type": "WORKSPACE"}
    return {"id": id_of("flagSet", name), "name": name, "description": one.description, "workspace": workspace,
            "createdAt": str(one.created_at), "type": "FLAG_SET"}  # fmt: skip


def _list_sets(call: Call) -> dict[str, Any]:
    """Return a page of flag sets; ``after`` is the id of the last one of the page before (split.admin.flag-sets)."""
    rows = [_shown_set(name, one) for name, one in sorted(_flag_sets(call.live).items())]
    after, limit = call.request.query.get("after"), call.number("limit", 50, 200)
    start = next((index + 1 for index, row in enumerate(rows) if row["id"] == after), 0)
    page = rows[start : start + limit]
    more = start + limit < len(rows)
    return {"data": page, "nextMarker": page[-1]["id"] if more and page else None, "previousMarker": None,
            "limit": limit, "count": len(page)}  # fmt: skip


def _set_of(call: Call) -> str:
    name = named("flagSet", call.param("id"), _flag_sets(call.live))
    if name is None:
        raise RefusedError(404, "there is no such flag set", "flag set")
    return name


def _get_set(call: Call) -> dict[str, Any]:
    """One flag set."""
    name = _set_of(call)
    return _shown_set(name, _flag_sets(call.live)[name])


def _create_set(call: Call) -> dict[str, Any]:
    """Make a flag set."""
    body = call.body(dict)
    name = body["name"]
    if not _SET_NAME(name):
        fix = "use up to 50 lower-case letters, digits and underscores, no underscore first"
        raise RefusedError(400, f"{name!r} is no name of a flag set", "$.name", fix)
    if name in _flag_sets(call.live):
        raise RefusedError(409, f"the flag set {name!r} exists already", "$.name")
    made = call.live.admin.flag_sets[name] = Described("", str(body.get("description") or ""), call.now)
    return _shown_set(name, made)


def _delete_set(call: Call) -> None:
    """Delete a flag set."""
    name = _set_of(call)
    rows = [row for state in call.live.environments.values() for row in state.flags.active()]
    users = [row["name"] for row in rows if name in (row.get("sets") or ())]
    if users:
        raise RefusedError(
            409, f"the flag set {name!r} has flags, such as {users[0]!r}", "flag set", "take them out first"
        )
    call.live.admin.flag_sets.pop(name, None)


_ONE = "/splits/ws/<ws>/<flag>"
_THERE = _ONE + "/environments/<env>"

ROUTES = [
    *route("GET", "/splits/ws/<ws>", _list),
    *route("GET", _ONE, _get),
    *route("POST", "/splits/ws/<ws>/trafficTypes/<tt>", _create, 201, "split/admin-named-request"),
    *route("PUT", f"{_ONE}/updateDescription", _describe),
    *route("DELETE", _ONE, _delete),
    *route("POST", "/tags/ws/<ws>/object/<flag>/objecttype/Split", _tag),
    *route("GET", "/splits/ws/<ws>/environments/<env>", _definitions),
    *route("GET", _THERE, _get_definition),
    *route("POST", _THERE, _add_definition, 201, DEFINITION),
    *route("PUT", _THERE, _update_definition, 200, DEFINITION),
    *route("DELETE", _THERE, _remove_definition),
    *route("PUT", f"{_THERE}/kill", _kill),
    *route("PUT", f"{_THERE}/restore", _restore),
    *route("GET", "/flag-sets", _list_sets, bases=BASES_V3),
    *route("POST", "/flag-sets", _create_set, 201, "split/admin-named-request", BASES_V3),
    *route("GET", "/flag-sets/<id>", _get_set, bases=BASES_V3),
    *route("DELETE", "/flag-sets/<id>", _delete_set, 204, bases=BASES_V3),
]
