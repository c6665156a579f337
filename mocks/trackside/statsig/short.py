"""The workspace's short form of gates, dynamic configs, experiments, layers and ID lists, as specs. Pure.

What stands there has kept the workspace's contract; only names that lead nowhere and sums are left to check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from trackside.errors import TracksideError
from trackside.statsig.changes import bucket_below, gate_percentage
from trackside.statsig.specs import (
    PUBLIC,
    SEGMENT,
    Listed,
    Project,
    Spec,
    Specs,
    condition,
    rule,
    segment,
    spec,
    unit_in,
)

if TYPE_CHECKING:
    from trackside.statsig.settings import StatsigSettings

BUCKETS = 1000
"""Of an experiment or layer; each unit falls into one (statsig.sdk.bucketing)."""

GATES = {
    "passes_gate": "pass_gate",
    "fails_gate": "fail_gate",
    "passes_segment": "pass_gate",
    "fails_segment": "fail_gate",
}
BY_ADDRESS, BY_AGENT = ("country",), ("os_name", "os_version", "browser_name", "browser_version")


def project_of(settings: StatsigSettings) -> Project:
    """Return the specs and ID lists of a workspace's short form (statsig.sdk.short-form)."""
    lists = {name: _listed(row) for name, row in settings.id_lists.items()}
    experiments = {name: _experiment(name, row, settings) for name, row in settings.experiments.items()}
    layer_of = {name: row["layer"] for name, row in settings.experiments.items() if row.get("layer")}
    specs = Specs(
        {
            **{name: _gate(name, row, settings) for name, row in settings.gates.items()},
            **{f"{SEGMENT}{name}": segment(name, one.id_type) for name, one in lists.items()},
        },
        {
            **{name: spec(name, "dynamic_config", row, []) for name, row in settings.dynamic_configs.items()},
            **experiments,
        },
        {name: _layer(name, row, settings) for name, row in settings.layers.items()},
        layer_of,
    )
    return Project(specs, lists)


def faults_of(settings: StatsigSettings, others: Specs, lists: Mapping[str, Any]) -> Iterator[TracksideError]:
    """Yield what is wrong with a short form beyond its contract.

    Args:
        settings: that hold it.
        others: the specs of a file beside it, which it may name.
        lists: all ID lists.
    """
    gates = {*settings.gates, *others.of("gate")}
    for name, row in settings.gates.items():
        for kind, targets in _gate_names(row):
            known = sorted(gates) if kind.endswith("gate") else sorted(lists)
            for target in targets:
                if target not in known:
                    what = f"there is no {'gate' if kind.endswith('gate') else 'ID list'} {target!r}"
                    yield _fault(what, "gates", name, f"if.{kind}", f"declared are: {', '.join(known) or 'none'}")
    for name, row in settings.experiments.items():
        yield from _experiment_faults(name, row, settings)
    for layer in settings.layers:
        yield from _layer_faults(layer, settings)
    for name in sorted({*settings.dynamic_configs} & {*settings.experiments}):
        yield _fault(f"{name} is a dynamic config too", "experiments", name, "", "give each a name of its own")


def _experiment_faults(name: str, row: Mapping[str, Any], settings: StatsigSettings) -> Iterator[TracksideError]:
    layer = row.get("layer")
    if layer and layer not in settings.layers:
        known = ", ".join(settings.layers) or "none"
        yield _fault(f"there is no layer {layer!r}", "experiments", name, "layer", f"declared are: {known}")
    for place in ("users", "sizes"):
        for group in row.get(place, {}):
            if group not in row["groups"]:
                known = ", ".join(row["groups"])
                yield _fault(
                    f"there is no group {group!r}", "experiments", name, f"{place}.{group}", f"its groups are: {known}"
                )
    sizes = row.get("sizes")
    if sizes and abs(sum(sizes.values()) - 100) > 0.01:
        what = f"the sizes add up to {sum(sizes.values()):g}"
        yield _fault(what, "experiments", name, "sizes", "percentages of all groups add up to 100")


def _layer_faults(layer: str, settings: StatsigSettings) -> Iterator[TracksideError]:
    within = _within(layer, settings)
    whole = sum(row.get("allocation", 100) for row in within.values())
    if whole > 100:
        what = f"the experiments in the layer {layer} are allocated {whole:g} % of it: {', '.join(within)}"
        fix = "give each an allocation, so that they add up to 100 or less"
        yield _fault(what, "experiments", next(iter(within)), "allocation", fix)
    kinds = {row.get("id_type", "userID") for row in within.values()}
    if len(kinds) > 1:
        what = f"the experiments in the layer {layer} have several ID types: {', '.join(sorted(kinds))}"
        yield _fault(what, "experiments", next(iter(within)), "id_type", "give those of one layer the same")


def _fault(what: str, block: str, name: str, more: str, fix: str) -> TracksideError:
    at = f".{name}" if name.isidentifier() else f"[{orjson.dumps(name).decode()}]"
    return TracksideError(what, f"$.statsig.{block}{at}" + (f".{more}" if more else ""), fix)


def _listed(row: Any) -> Listed:
    if isinstance(row, Mapping):
        return Listed(tuple(dict.fromkeys(row.get("ids", ()))), row.get("id_type", "userID"))
    return Listed(tuple(dict.fromkeys(row)))


# ---- gates


def _gate(name: str, row: Any, settings: StatsigSettings) -> Spec:
    """Return a gate: ``true``, a percentage, or a mapping of ``pass``, ``users``, ``if``, ``id_type``, ``enabled``."""
    given = row if isinstance(row, Mapping) else {"pass": row}
    id_type = given.get("id_type", "userID")
    rules = []
    if users := given.get("users"):
        rules.append(rule(f"{name}:{id_type}:id_override", [unit_in(users, id_type)], True, id_type=id_type))
    conditions = list(_conditions(given.get("if", {}), settings))
    percentage = gate_percentage(name, given.get("pass", True))
    if percentage or not users or conditions:
        rule_id, conditions = ("targeted", conditions) if conditions else ("everyone", [{**PUBLIC, "idType": id_type}])
        rules.append(rule(rule_id, conditions, True, percentage, id_type))
    return {**spec(name, "feature_gate", False, rules, id_type), "enabled": given.get("enabled", True)}


def _gate_names(row: Any) -> Iterator[tuple[str, list[str]]]:
    asked = row.get("if", {}) if isinstance(row, Mapping) else {}
    for key in GATES:
        if key in asked:
            yield key, [str(one) for one in _many(asked[key])]


def _conditions(asked: Mapping[str, Any], settings: StatsigSettings) -> Iterator[dict[str, Any]]:
    """Yield the conditions of ``if``, all of which have to hold: a field of the user, and the values that it may have."""
    for key, value in asked.items():
        if key in GATES:
            prefix = SEGMENT if key.endswith("segment") else ""
            yield from (condition(GATES[key], None, f"{prefix}{target}") for target in _many(value))
        elif key in ("userID", "stableID", *settings.id_types):
            yield condition("unit_id", "any", _texts(value), key, key)
        elif key == "environment_tier":
            yield condition("environment_field", "any", _texts(value), "tier")
        else:
            kind = "ip_based" if key in BY_ADDRESS else "ua_based" if key in BY_AGENT else "user_field"
            yield condition(kind, "any", _texts(value), key)


def _many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _texts(value: Any) -> list[str]:
    """Return values as SDKs compare them, as text; a whole number in both ways that SDKs write it."""
    found: list[str] = []
    for one in _many(value):
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, (int, float)) and not isinstance(one, bool) and float(one).is_integer():
            found += [str(int(one)), f"{int(one)}.0"]
        else:
            found.append(orjson.dumps(one).decode())
    return found


# ---- experiments and layers


def _experiment(name: str, row: Mapping[str, Any], settings: StatsigSettings) -> Spec:
    """Return an experiment: units forced into a group, those not allocated, then each group's part of the buckets."""
    id_type, layer, active = row.get("id_type", "userID"), row.get("layer", ""), row.get("active", True)
    default = settings.layers.get(layer, {})
    groups = {group: {**default, **values} for group, values in row["groups"].items()}
    rules = []
    for group, users in row.get("users", {}).items():
        rule_id = f"{group}:{id_type}:id_override"
        values = groups.get(group, default)
        rules.append(rule(rule_id, [unit_in(users, id_type)], values, 100, id_type, groupName=group))
    if not active:
        rules.append(rule("prestart", [{**PUBLIC, "idType": id_type}], default, 100, id_type))
    elif left := _not_allocated(name, row, settings):
        rules.append(rule("layerAssignment", [left], default, 100, id_type))
    rules += _group_rules(name, row, groups, id_type)
    more: dict[str, Any] = {"isActive": active, "hasSharedParams": bool(layer)}
    if layer:
        more["explicitParameters"] = sorted({key for values in row["groups"].values() for key in values})
    return spec(name, "experiment", default, rules, id_type, **more)


def _group_rules(
    name: str, row: Mapping[str, Any], groups: Mapping[str, Any], id_type: str
) -> Iterator[dict[str, Any]]:
    sizes = row.get("sizes") or {group: 100 / len(groups) for group in groups}
    upto = 0.0
    for group, values in groups.items():
        upto += sizes.get(group, 0)
        below = bucket_below(round(upto * BUCKETS / 100), name, id_type)
        yield rule(group, [below], values, 100, id_type, groupName=group, isExperimentGroup=True)


def _within(layer: str, settings: StatsigSettings) -> dict[str, Any]:
    return {name: row for name, row in settings.experiments.items() if row.get("layer") == layer}


def _allocated(name: str, row: Mapping[str, Any], settings: StatsigSettings) -> list[int]:
    """Return the buckets of an experiment; those in one layer share its buckets, one after the other."""
    start = 0.0
    for other, its in _within(row["layer"], settings).items() if row.get("layer") else ():
        if other == name:
            break
        start += its.get("allocation", 100) * BUCKETS / 100
    end = start + row.get("allocation", 100) * BUCKETS / 100
    return list(range(round(start), min(round(end), BUCKETS)))


def _not_allocated(name: str, row: Mapping[str, Any], settings: StatsigSettings) -> dict[str, Any] | None:
    """Return the condition that a unit is in none of the experiment's buckets; None where all are its own."""
    buckets = _allocated(name, row, settings)
    if len(buckets) == BUCKETS:
        return None
    return _in_buckets("none", buckets, row.get("layer") or f"{name}.allocation", row.get("id_type", "userID"))


def _in_buckets(operator: str, buckets: list[int], salt: str, id_type: str) -> dict[str, Any]:
    return condition("user_bucket", operator, buckets, id_type=id_type, salt=salt)


def _layer(name: str, values: Mapping[str, Any], settings: StatsigSettings) -> Spec:
    """Return a layer, which asks the experiment that a unit's bucket is allocated to."""
    rules, id_type = [], "userID"
    within = {key: row for key, row in _within(name, settings).items() if row.get("active", True)}
    forced = [(key, row) for key, row in within.items() if row.get("users")]
    for key, row in forced:
        id_type = row.get("id_type", "userID")
        units = [unit for units in row["users"].values() for unit in units]
        more = {"configDelegate": key}
        rules.append(
            rule(f"{key}:{id_type}:id_override", [unit_in(units, id_type)], dict(values), 100, id_type, **more)
        )
    for key, row in within.items():
        id_type = row.get("id_type", "userID")
        mine = _in_buckets("any", _allocated(key, row, settings), name, id_type)
        rules.append(rule("experimentAssignment", [mine], dict(values), 100, id_type, configDelegate=key))
    return spec(name, "layer", dict(values), rules, id_type)
