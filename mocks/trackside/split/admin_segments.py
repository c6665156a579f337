"""The Admin API's segments: made in the workspace, put into environments, filled with keys."""

from __future__ import annotations

from typing import Any

from trackside.split.admin_calls import Call, RefusedError, environment_ref, route, traffic_type_ref
from trackside.split.admin_state import Described
from trackside.split.changes import Segment
from trackside.split.store import Split

MOST_KEYS = 10_000
"""The most keys of one upload; the vendor's client sends more in several (split.admin.segment-keys)."""

_KEYS = "split/admin-keys-request"


def _known(live: Split) -> dict[str, Described]:
    """Return every segment of the workspace: those in some environment, and those made by the API."""
    there = (name for environment in live.environments for name in _active(live, environment))
    return {**{name: Described() for name in there}, **live.admin.segments}


def _active(live: Split, environment: str) -> list[str]:
    """Return the names of the segments of an environment, without the empty ones that were taken out of it."""
    segments, inactive = live.environments[environment].segments, live.admin.inactive
    return [name for name, one in segments.items() if one.keys or (environment, name) not in inactive]


def _shown(name: str, segment: Described) -> dict[str, Any]:
    return {
        "name": name,
        "description": segment.description,
        "trafficType": traffic_type_ref(segment.traffic_type),
        "creationTime": segment.created_at,
        "tags": [],
    }


def _there(call: Call, name: str, environment: str) -> dict[str, Any]:
    one = _known(call.live).get(name, Described())
    ref = {"environment": environment_ref(environment), "trafficType": traffic_type_ref(one.traffic_type)}
    return {"name": name, **ref, "creationTime": one.created_at}


def _name(call: Call) -> str:
    name = call.param("segment")
    if name not in _known(call.live):
        raise RefusedError(404, f"there is no segment {name!r}", "segment")
    return name


def _segment(call: Call) -> tuple[str, str, Segment]:
    """Return a segment of an environment with both their names; 404 where it is not in there."""
    name, environment = _name(call), call.environment().name
    found = call.live.segment(name, environment)
    if found is None or name not in _active(call.live, environment):
        raise RefusedError(
            404, f"the segment {name!r} is not in the environment {environment!r}", "segment", "add it first"
        )
    return name, environment, found


def _list(call: Call) -> dict[str, Any]:
    """Every segment of the workspace, with paging."""
    call.workspace()
    return call.page(list(_known(call.live).items()), lambda row: _shown(*row))


def _list_there(call: Call) -> dict[str, Any]:
    """Every segment of one environment, with paging."""
    call.workspace()
    environment = call.environment().name
    return call.page(_active(call.live, environment), lambda name: _there(call, name, environment))


def _get(call: Call) -> dict[str, Any]:
    """One segment."""
    call.workspace()
    name = _name(call)
    return _shown(name, _known(call.live)[name])


def _create(call: Call) -> dict[str, Any]:
    """Make a segment that no environment has yet: SDKs do not see it (split.admin.segments)."""
    call.workspace()
    traffic_type, body = call.traffic_type(), call.body(dict)
    name = body["name"]
    if name in _known(call.live):
        raise RefusedError(409, f"the segment {name!r} exists already", "$.name")
    made = call.live.admin.segments[name] = Described(traffic_type, str(body.get("description") or ""), call.now)
    return _shown(name, made)


def _delete(call: Call) -> bool:
    """Delete a segment everywhere."""
    call.workspace()
    name = _name(call)
    for environment in call.live.environments:
        _empty(call, name, environment)
    call.live.admin.segments.pop(name, None)
    return True


def _activate(call: Call) -> dict[str, Any]:
    """Put a segment into an environment, empty; nothing changes where it is there already."""
    name, environment = _name(call), call.environment().name
    call.live.change_segment(name, (), (), environment)
    call.live.admin.inactive.discard((environment, name))
    return _there(call, name, environment)


def _deactivate(call: Call) -> bool:
    """Take a segment out of an environment."""
    name, environment, _ = _segment(call)
    call.live.admin.segments.setdefault(name, _known(call.live)[name])
    _empty(call, name, environment)
    return True


def _empty(call: Call, name: str, environment: str) -> None:
    """Take every key out of a segment, which SDKs hear of, and the segment out of its environment."""
    found = call.live.segment(name, environment)
    if found is not None:
        call.live.change_segment(name, (), found.keys, environment)
        call.live.admin.inactive.add((environment, name))


def _keys(call: Call) -> dict[str, Any]:
    """The keys of a segment in an environment, with paging."""
    _, _, segment = _segment(call)
    return call.page(segment.keys, lambda key: {"key": key}, "keys", "count")


def _upload(call: Call) -> dict[str, Any]:
    """Add keys; with ``replace=true`` those that are not among them go (split.admin.segment-keys)."""
    name, environment, segment = _segment(call)
    keys = _asked(call)
    replace = call.request.query.get("replace", "").lower() == "true"
    gone = [key for key in segment.keys if key not in set(keys)] if replace else []
    call.live.change_segment(name, keys, gone, environment)
    return _there(call, name, environment)


def _remove(call: Call) -> dict[str, Any]:
    """Take keys out of a segment; SDKs are told."""
    name, environment, _ = _segment(call)
    call.live.change_segment(name, (), _asked(call), environment)
    return _there(call, name, environment)


def _asked(call: Call) -> list[str]:
    keys: list[str] = call.body(dict)["keys"]
    if len(keys) > MOST_KEYS:
        raise RefusedError(400, f"{len(keys)} keys are sent at once", "$.keys", f"send up to {MOST_KEYS}")
    return keys


ROUTES = [
    *route("GET", "/segments/ws/<ws>", _list),
    *route("GET", "/segments/ws/<ws>/environments/<env>", _list_there),
    *route("GET", "/segments/ws/<ws>/<segment>", _get),
    *route("POST", "/segments/ws/<ws>/trafficTypes/<tt>", _create, 201, "split/admin-named-request"),
    *route("DELETE", "/segments/ws/<ws>/<segment>", _delete),
    *route("POST", "/segments/<env>/<segment>", _activate),
    *route("DELETE", "/segments/<env>/<segment>", _deactivate),
    *route("GET", "/segments/<env>/<segment>/keys", _keys),
    *route("PUT", "/segments/<env>/<segment>/uploadKeys", _upload, 200, _KEYS),
    *route("PUT", "/segments/<env>/<segment>/removeKeys", _remove, 200, _KEYS),
]
