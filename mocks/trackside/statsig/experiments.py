"""Experiments as the Console API makes and changes them, put among the specs that SDKs download.

What it knows of an experiment beside its spec is a row in the workspace's short form; one that came from a specs file
has none, and only its spec is changed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trackside.errors import TracksideError
from trackside.statsig.changes import groups_of
from trackside.statsig.console_rules import is_override
from trackside.statsig.short import project_of
from trackside.statsig.specs import PUBLIC, Spec, condition, rule, unit_in

if TYPE_CHECKING:
    from trackside.statsig.store import Statsig

Row = dict[str, Any]


def row_of(live: Statsig, name: str) -> Row | None:
    """Return the row of an experiment that the workspace declares or the Console API made; a copy."""
    row = live.console.get("experiments", {}).get(name) or live.settings.experiments.get(name)
    return None if row is None else dict(row)


def put(live: Statsig, name: str, row: Row) -> None:
    """Put the experiment of a row among the specs; its layer asks it from then on.

    Args:
        live: the project.
        name: of the experiment.
        row: ``groups``, ``sizes``, ``allocation``, ``layer``, ``id_type``, ``active``, ``users``, and ``gate``, the
            targeting gate.
    """
    rows = live.console.setdefault("experiments", {})
    rows[name] = row
    layers = {key: one["defaultValue"] for key, one in live.specs("layer").items()}
    settings = dataclasses.replace(live.settings, experiments={**live.settings.experiments, **rows}, layers=layers)
    specs = project_of(dataclasses.replace(settings, gates={}, dynamic_configs={}, id_lists={})).specs
    live.put("experiment", _targeted(specs.dynamic_configs[name], row.get("gate", "")))
    if layer := row.get("layer"):
        live.join_layer(name, layer)
        _delegate(live, name, layer, specs.layer_configs[layer]["rules"])


def _targeted(one: Spec, gate: str) -> Spec:
    """Return an experiment that only those are in who pass a gate (statsig.console.experiments.targeting)."""
    if not gate:
        return one
    others = condition("fail_gate", None, gate, id_type=one["idType"])
    targeting = rule("targetingGate", [others], one["defaultValue"], 100, one["idType"])
    overrides = [row for row in one["rules"] if is_override(row)]
    return {**one, "rules": [*overrides, targeting, *one["rules"][len(overrides) :]]}


def _delegate(live: Statsig, name: str, layer: str, rules: list[dict[str, Any]]) -> None:
    """Let a layer ask an experiment by these rules; those for other experiments stay."""
    held = live.spec("layer", layer)
    if held is not None:
        mine = [row for row in rules if row.get("configDelegate") == name]
        others = [row for row in held["rules"] if row.get("configDelegate") != name]
        live.put("layer", {**held, "rules": sorted([*mine, *others], key=lambda row: not is_override(row))})


def remove(live: Statsig, name: str) -> None:
    """Take an experiment away, from its layer too."""
    if layer := live.layer_of(name):
        _delegate(live, name, layer, [])
        live.join_layer(name, "")
    live.remove("experiment", name)
    live.console.get("experiments", {}).pop(name, None)


def activate(live: Statsig, one: Spec, *, active: bool) -> None:
    """Start an experiment, or take it back to before its start: everyone then gets the default (statsig.console.experiments.start)."""
    row = row_of(live, one["name"])
    if row is not None:
        put(live, one["name"], {**row, "active": active})
        return
    rules = [each for each in one["rules"] if each["id"] != "prestart"]
    overrides = [each for each in rules if is_override(each)]
    if not active:
        everyone = [{**PUBLIC, "idType": one["idType"]}]
        overrides.append(rule("prestart", everyone, one["defaultValue"], 100, one["idType"]))
    live.put(
        "experiment", {**one, "isActive": active, "rules": [*overrides, *(r for r in rules if not is_override(r))]}
    )


def group_named(one: Spec, asked: str, at: str) -> str:
    """Return the name of a group that is given by name or ID.

    Raises:
        TracksideError: there is none.
    """
    groups = groups_of(one)
    for name, row in groups.items():
        if asked in (name, row["id"]):
            return name
    raise TracksideError(f"there is no group {asked!r}", at, f"its groups are: {', '.join(groups)}")


def groups(one: Spec) -> list[Row]:
    """Return the groups of an experiment as the Console API lists them, each with its share in percent."""
    found: list[Row] = []
    before = 0.0
    for name, row in groups_of(one).items():
        bounds = (each["targetValue"] for each in row["conditions"] if each["type"] == "user_bucket")
        upto = next((bound for bound in bounds if isinstance(bound, int | float)), before)
        size = (upto - before) / 10
        found.append(
            {"name": name, "id": row["id"], "size": size, "parameterValues": row["returnValue"], "description": ""}
        )
        before = upto
    return found


def overridden(one: Spec) -> dict[str, list[str]]:
    """Return the IDs that overrides put into each group."""
    found: dict[str, list[str]] = {}
    for row in filter(is_override, one["rules"]):
        ids = [unit for each in row["conditions"] if each["type"] == "unit_id" for unit in each["targetValue"]]
        found.setdefault(row.get("groupName") or str(row["id"]).partition(":")[0], []).extend(ids)
    return found


def override(live: Statsig, one: Spec, ids: Mapping[str, list[str]]) -> None:
    """Put these IDs into these groups, whatever their buckets; all other overrides go (statsig.console.overrides)."""
    name, id_type = one["name"], one["idType"]
    wanted = {group: units for group, units in ids.items() if units}
    row = row_of(live, name)
    if row is not None:
        put(live, name, {**row, "users": wanted})
        return
    known = groups_of(one)
    rules = [
        rule(f"{group}:{id_type}:id_override", [unit_in(units, id_type)], known[group]["returnValue"], 100, id_type, groupName=group)
        for group, units in wanted.items()
    ]  # fmt: skip
    live.put("experiment", {**one, "rules": [*rules, *(each for each in one["rules"] if not is_override(each))]})
    if layer := live.layer_of(name):
        units = [unit for group in wanted.values() for unit in group]
        held = live.spec("layer", layer) or {"rules": (), "defaultValue": {}}
        mine = [each for each in held["rules"] if each.get("configDelegate") == name and not is_override(each)]
        more = {"configDelegate": name}
        forced = rule(
            f"{name}:{id_type}:id_override", [unit_in(units, id_type)], held["defaultValue"], 100, id_type, **more
        )
        _delegate(live, name, layer, [forced, *mine] if units else mine)
