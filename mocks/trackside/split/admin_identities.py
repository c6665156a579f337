"""The Admin API's identities, the attributes of keys, and the attributes that a traffic type has.

Identities feed the vendor's pages only: they never take part in an evaluation (split.admin.identities).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trackside import catalog
from trackside.split.admin_calls import Call, RefusedError, patched, route
from trackside.split.admin_state import id_of
from trackside.split.limits import attributes, key
from trackside.split.settings import SegmentInbound
from trackside.steps import Step

_LIMITS = SegmentInbound(api_key="", environment="")
"""The limits of attributes, none of them switched."""

DATA_TYPES = ("STRING", "DATETIME", "NUMBER", "SET")
PAGE, LONGEST_PAGE = 50, 200
_BULK = "split/admin-identities-request"
_IDENTITY = "split/admin-identity-request"
_ATTRIBUTE = "split/admin-attribute-request"


# ---- identities


def _values(call: Call, body: Mapping[str, Any]) -> dict[str, str]:
    """Return attributes as they are kept: texts of at most 255 characters (split.admin.identities)."""
    steps: list[Step] = []
    found = attributes(dict(body.get("values") or {}), _LIMITS, steps)
    call.steps.extend(replace(step, at=step.at.replace("$.traits", "$.values", 1)) for step in steps)
    return found


def _save(call: Call, name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Keep an identity, as a record too, and return it as it is answered."""
    traffic_type, environment = call.traffic_type(), call.environment().name
    call.live.admin.identities[traffic_type, environment, name] = values
    record = {"kind": "identity", "trafficTypeName": traffic_type, "key": name, "environmentName": environment}
    call.records.append({**record, "values": dict(values)})
    return _shown(call, name, values)


def _shown(call: Call, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "key": name,
        "trafficTypeId": id_of("trafficType", call.traffic_type()),
        "environmentId": id_of("environment", call.environment().name),
        "values": dict(values),
    }


def _save_many(call: Call) -> dict[str, Any]:
    """Save identities, each overwriting what there was; those without a usable key fail alone (split.admin.identities-bulk)."""
    objects: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    rows = call.parsed()
    if not isinstance(rows, list):
        raise RefusedError(400, "the body is no array")
    for index, one in enumerate(rows):
        fault = next(iter(catalog.faults(_IDENTITY, one, 1)), None) or _key_fault(call, one, index)
        if fault is not None:
            failed.append({"object": one, "status": 400, "message": fault if isinstance(fault, str) else fault.what})
        else:
            objects.append(_save(call, one["key"].strip(), _values(call, one)))
    return {"objects": objects, "failed": failed, "metadata": {"total": len(rows)}}


def _key_fault(call: Call, one: Mapping[str, Any], index: int) -> str | None:
    steps: list[Step] = []
    found = key(one.get("key"), f"$[{index}].key", _LIMITS, steps)
    call.steps.extend(steps)
    return None if found else "; ".join(step.text for step in steps) or "the key is missing"


def _key(call: Call) -> str:
    name, steps = call.param("key"), list[Step]()
    found = key(name, "key", _LIMITS, steps)
    if found is None:
        raise RefusedError(400, steps[0].text, "key", steps[0].fix)
    call.steps.extend(steps)
    return found


def _overwrite(call: Call) -> dict[str, Any]:
    """Keep an identity, whatever was there."""
    return _save(call, _key(call), _values(call, call.body(dict)))


def _merge(call: Call) -> dict[str, Any]:
    """Add attributes to those that calls to this API gave the key before (split.admin.identities-merge)."""
    name = _key(call)
    before = call.live.admin.identities.get((call.traffic_type(), call.environment().name, name), {})
    return _save(call, name, {**before, **_values(call, call.body(dict))})


def _forget(call: Call) -> None:
    """Forget a key's attributes; the records of what was saved before stay (split.admin.identities-delete)."""
    call.live.admin.identities.pop((call.traffic_type(), call.environment().name, call.param("key")), None)


# ---- attributes of a traffic type


def _of_type(call: Call) -> dict[str, dict[str, Any]]:
    call.workspace()
    return call.live.admin.attributes.setdefault(call.traffic_type(), {})


def _attributes(call: Call) -> list[dict[str, Any]]:
    """Return a page of attributes; ``marker`` is the id of the last one of the page before (split.admin.attributes)."""
    rows, limit = _of_type(call), call.number("limit", PAGE, LONGEST_PAGE)
    marker = call.request.query.get("marker", "")
    return [rows[name] for name in sorted(rows) if name > marker][:limit]


def _attribute(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    data_type = body.get("dataType")
    if data_type is not None and data_type.upper() not in DATA_TYPES:
        raise RefusedError(
            400, f"there is no data type {data_type!r}", "$.dataType", f"use one of {', '.join(DATA_TYPES)}"
        )
    names = ("displayName", "description", "isSearchable", "suggestedValues")
    fields = {name: body[name] for name in names if body.get(name) is not None}
    defaults = {"displayName": body["id"], "description": "", "isSearchable": False, "suggestedValues": []}
    owner = {
        "trafficTypeId": id_of("trafficType", call.traffic_type()),
        "organizationId": id_of("organization", "trackside"),
    }
    return {"id": body["id"], **defaults, **fields, "dataType": data_type, **owner}


def _create(call: Call) -> dict[str, Any]:
    """Make an attribute."""
    rows, body = _of_type(call), call.body(dict)
    if body["id"] in rows:
        raise RefusedError(409, f"the attribute {body['id']!r} exists already", "$.id")
    made = rows[body["id"]] = _attribute(call, body)
    return made


def _update(call: Call) -> dict[str, Any]:
    """Change an attribute."""
    rows, body = _of_type(call), call.body(dict)
    made = rows[body["id"]] = _attribute(call, body)
    return made


def _create_many(call: Call) -> list[dict[str, Any]]:
    """Make several attributes."""
    rows = _of_type(call)
    made = [_attribute(call, one) for one in call.body(list)]
    rows.update({one["id"]: one for one in made})
    return made


def _change(call: Call) -> dict[str, Any]:
    """Change some fields of an attribute."""
    rows, name = _of_type(call), call.param("attribute")
    if name not in rows:
        raise RefusedError(404, f"there is no attribute {name!r}", "attribute")
    fields: dict[str, type[Any]] = {"displayName": str, "description": str, "dataType": str, "isSearchable": bool, "suggestedValues": list}  # fmt: skip
    rows[name] = _attribute(call, patched(rows[name], call, fields))
    return rows[name]


def _delete(call: Call) -> None:
    """Delete an attribute."""
    rows, name = _of_type(call), call.param("attribute")
    if name not in rows:
        raise RefusedError(404, f"there is no attribute {name!r}", "attribute")
    del rows[name]


_IDENTITIES = "/trafficTypes/<tt>/environments/<env>/identities"
_SCHEMA = "/schema/ws/<ws>/trafficTypes/<tt>"

ROUTES = [
    *route("POST", _IDENTITIES, _save_many, 200, _BULK),
    *route("POST", f"{_IDENTITIES}/<path:key>/patch", _merge, 200, _IDENTITY),
    *route("PUT", f"{_IDENTITIES}/<path:key>", _overwrite, 200, _IDENTITY),
    *route("PATCH", f"{_IDENTITIES}/<path:key>", _merge, 200, _IDENTITY),
    *route("DELETE", f"{_IDENTITIES}/<path:key>", _forget, 204),
    *route("GET", _SCHEMA, _attributes),
    *route("POST", _SCHEMA, _create, 201, _ATTRIBUTE),
    *route("PUT", _SCHEMA, _update, 200, _ATTRIBUTE),
    *route("POST", f"{_SCHEMA}/attribute:bulk", _create_many, 200, "split/admin-attributes-request"),
    *route("PATCH", f"{_SCHEMA}/<attribute>", _change),
    *route("DELETE", f"{_SCHEMA}/<attribute>", _delete, 204),
]
