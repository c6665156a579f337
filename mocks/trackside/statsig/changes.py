"""What a test, the control API or the Console API makes of a spec: other values for everyone, or for one unit. Pure.

Each change is a rule that goes ahead of the spec's own, so that taking it away gives the spec back (statsig.sdk.serve).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from trackside.errors import TracksideError
from trackside.statsig.specs import PUBLIC, Kind, Spec, Specs, rule, spec, unit_in

SERVED = "served"
"""The name of a rule that a change put in front; rules are told apart by their ids, and SDKs do not read the name."""

ENTITIES = {"gate": "feature_gate", "dynamic_config": "dynamic_config", "experiment": "experiment", "layer": "layer"}
WHERE = {
    "gate": "feature_gates",
    "dynamic_config": "dynamic_configs",
    "experiment": "dynamic_configs",
    "layer": "layer_configs",
}
"""Where a document has the specs of a kind."""


def put(specs: Specs, kind: Kind, name: str, one: Spec | None) -> Specs:
    """Return specs with one of them set, or taken out where it is None; a gate's name may be that of a segment.

    Raises:
        TracksideError: it cannot be sent to SDKs.
    """
    where = WHERE[kind]
    held = {key: value for key, value in getattr(specs, where).items() if key != name or one is not None}
    if one is not None:
        before = held.get(name)
        version = (before or one).get("version", 0) + (before is not None)
        held[name] = {**sendable(kind, name, one), "version": version}
    return dataclasses.replace(specs, **{where: held})


def sendable(kind: str, name: str, one: Spec) -> Spec:
    """Return a spec as it is sent: what a test does with its value later does not change it.

    Raises:
        TracksideError: its name is no text, or no JSON text can hold it.
    """
    if not isinstance(name, str) or not name:
        raise TracksideError(f"{name!r} is no name of a {kind}", f"statsig.{kind}s", "name it by a text")
    try:
        text = orjson.dumps([[[[[one]]]]])  # as deep as in a document of specs
    except TypeError as error:
        fix = "use texts as keys, numbers of 64 bits, and no more than 200 levels"
        named = name.encode(errors="backslashreplace").decode()
        raise TracksideError(f"the {kind} {named} cannot be sent as JSON: {error}", f"statsig.{kind}s", fix) from None
    sent: Spec = orjson.loads(text)[0][0][0][0][0]
    return sent


def switch(specs: Specs, kind: Kind, name: str, *, on: bool) -> Specs:
    """Return specs in which one is enabled or disabled; it is made where there is none."""
    one = specs.of(kind).get(name) or made(kind, name)
    return put(specs, kind, name, {**one, "enabled": on})


def serve(specs: Specs, kind: Kind, name: str, value: Any, unit: str = "") -> Specs:
    """Return specs in which one serves a value, enabled; it is made where there is none.

    Args:
        specs: as they are.
        kind: of the spec.
        name: of the spec.
        value: of a gate, whether it passes, or the percentage that passes; of a dynamic config or layer, its
            parameters; of an experiment, a group's name, or groups with their percentages.
        unit: only for this ID; everyone where empty.

    Raises:
        TracksideError: it cannot serve that.
    """
    if kind == "experiment":
        return _serve_group(specs, name, value, unit)
    one = specs.of(kind).get(name) or made(kind, name)
    if kind == "gate":
        served = [_rule_for(one, unit, True, gate_percentage(name, value))]
    elif not isinstance(value, Mapping):
        raise _cannot(kind, name, value, "serve a mapping of its parameters")
    else:
        served = [_rule_for(one, unit, {**one["defaultValue"], **value} if kind == "layer" else dict(value))]
    return put(specs, kind, name, _in_front(one, served, unit))


def made(kind: Kind, name: str) -> Spec:
    """Return a new spec of a kind: a gate that nobody passes, a config or layer without parameters."""
    default: Any = False if kind == "gate" else {}
    more: dict[str, Any] = {"isActive": True, "hasSharedParams": False} if kind == "experiment" else {}
    return spec(name, ENTITIES[kind], default, [], **more)


def gate_percentage(name: str, value: Any) -> float:
    """Return the percentage that passes a gate.

    Raises:
        TracksideError: it is neither true, false, nor from 0 to 100.
    """
    if isinstance(value, bool):
        return 100 if value else 0
    if isinstance(value, (int, float)) and 0 <= value <= 100:
        return value
    raise _cannot("gate", name, value, "serve true, false, or a percentage from 0 to 100")


def groups_of(one: Spec) -> dict[str, dict[str, Any]]:
    """Return the rules of an experiment's groups by the name of the group, or its rule's ID where it has none."""
    own = [row for row in one["rules"] if row.get("isExperimentGroup") and row["name"] != SERVED]
    found = {str(row.get("groupName") or row["id"]): row for row in own}
    return found or {row["groupName"]: row for row in one["rules"] if row.get("groupName") and row["name"] != SERVED}


def _serve_group(specs: Specs, name: str, value: Any, unit: str) -> Specs:
    one = specs.of("experiment").get(name) or made("experiment", name)
    groups = groups_of(one)
    if isinstance(value, Mapping):
        specs = put(specs, "experiment", name, _resized(one, groups, name, value, unit))
    else:
        if not isinstance(value, str) or (groups and value not in groups):
            raise _cannot("experiment", name, value, f"its groups are: {', '.join(groups) or 'none'}")
        group = groups.get(value) or rule(str(value), [], {}, groupName=str(value), isExperimentGroup=True)
        served = {**_rule_for(one, unit, group["returnValue"]), "id": group["id"], "salt": group["salt"]}
        served |= {"groupName": group.get("groupName"), "isExperimentGroup": not unit}
        if unit:
            served["id"] = f"{group['id']}:{one['idType']}:id_override"
        active = {
            **one,
            "isActive": True,
            "rules": one["rules"] if groups else [*one["rules"], {**group, "conditions": [PUBLIC]}],
        }
        specs = put(specs, "experiment", name, _in_front(active, [served], unit))
    layer = specs.experiment_to_layer.get(name, "")
    if layer not in specs.layer_configs:
        return specs
    over = specs.layer_configs[layer]
    served = {**_rule_for(over, unit, over["defaultValue"]), "id": "experimentAssignment", "configDelegate": name}
    return put(specs, "layer", layer, _in_front(over, [served], unit))


def _resized(one: Spec, groups: Mapping[str, Any], name: str, sizes: Mapping[str, Any], unit: str) -> Spec:
    """Return an experiment in which everyone is in a group, but for units that are forced into one."""
    unknown = [group for group in sizes if groups and group not in groups]
    if unit or unknown or not _are_percentages(sizes.values()):
        fix = "percentages are for everyone and add up to 100"
        raise _cannot("experiment", name, dict(sizes), f"its groups are: {', '.join(groups)}" if unknown else fix)
    rules = [row for row in one["rules"] if row["name"] != SERVED and str(row["id"]).endswith("override")]
    upto = 0.0
    for group in {**groups, **sizes}:
        upto += sizes.get(group, 0)
        base = groups.get(group) or rule(group, [], {}, groupName=group, isExperimentGroup=True)
        rules.append({**base, "conditions": [bucket_below(round(upto * 10), one["salt"], one["idType"])]})
    return {**one, "enabled": True, "isActive": True, "rules": rules}


def _are_percentages(sizes: Iterable[Any]) -> bool:
    given = list(sizes)
    numbers = [size for size in given if isinstance(size, (int, float)) and not isinstance(size, bool) and size >= 0]
    return len(numbers) == len(given) and abs(sum(numbers) - 100) <= 0.01


def bucket_below(bound: int, salt: str, id_type: str) -> dict[str, Any]:
    """Return the condition that a unit's bucket, of a thousand, is below a bound."""
    head = {"type": "user_bucket", "targetValue": bound, "operator": "lt", "field": None}
    return {**head, "additionalValues": {"salt": salt}, "idType": id_type}


def _rule_for(one: Spec, unit: str, value: Any, percentage: float = 100) -> dict[str, Any]:
    id_type = one["idType"]
    conditions = [unit_in([unit], id_type)] if unit else [{**PUBLIC, "idType": id_type}]
    rule_id = f"{unit}:{id_type}:id_override" if unit else "everyone"
    return {**rule(rule_id, conditions, value, percentage, id_type), "name": SERVED}


def _in_front(one: Spec, served: list[dict[str, Any]], unit: str) -> Spec:
    """Return a spec, enabled, with rules ahead of its own; what was put there before for the same units goes."""
    before = [row for row in one["rules"] if row["name"] == SERVED]
    own = [row for row in one["rules"] if row["name"] != SERVED]
    if unit:
        others = [row for row in before if row["conditions"] != served[0]["conditions"]]
        return {**one, "enabled": True, "rules": [*served, *others, *own]}
    return {**one, "enabled": True, "rules": [*served, *own]}


def _cannot(kind: str, name: str, value: Any, fix: str) -> TracksideError:
    return TracksideError(f"the {kind} {name} cannot serve {value!r}", f"statsig.{kind}s.{name}", fix)
