"""Config specs: one model of gates, configs, experiments and layers, and the two documents that SDKs read. Pure.

The model holds each spec as the first format has it, conditions inline. The document of the first generation has arrays
of such specs; that of the second has maps, and conditions in a map of their own (statsig.sdk.specs.two-formats).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import orjson

Spec: TypeAlias = dict[str, Any]
"""A gate, dynamic config, experiment or layer, as the first format has it: with ``name``, conditions inside the rules."""

Kind = Literal["gate", "dynamic_config", "experiment", "layer"]
KINDS: tuple[Kind, ...] = ("gate", "dynamic_config", "experiment", "layer")

LISTS = ("feature_gates", "dynamic_configs", "layer_configs")
"""Where a document has its specs, in both formats."""

SEGMENT = "segment:"
"""How the name of a segment starts, which is a gate to the SDKs."""

MADE_ANEW = frozenset(
    {
        "has_updates",
        "time",
        "response_format",
        "checksum",
        "hashed_sdk_key_used",
        "id_lists",
        "condition_map",
        "layers",
        "experiment_to_layer",
        "overrides",
        "override_rules",
        *LISTS,
    }
)
"""Fields of a document that are not taken over from a file: an SDK refuses, for one, another key's hash."""

PUBLIC: dict[str, Any] = {
    "type": "public",
    "targetValue": None,
    "operator": None,
    "field": None,
    "additionalValues": {},
    "idType": "userID",
}


@dataclass(frozen=True, slots=True)
class Specs:
    """All specs of a project; values are never changed in place.

    Attributes:
        feature_gates: gates, segments and holdouts by name.
        dynamic_configs: dynamic configs and experiments by name.
        layer_configs: layers by name.
        experiment_to_layer: the layer of each experiment that is in one.
        more: further fields of a document, such as ``sdk_configs`` and ``param_stores``.
    """

    feature_gates: dict[str, Spec] = field(default_factory=dict)
    dynamic_configs: dict[str, Spec] = field(default_factory=dict)
    layer_configs: dict[str, Spec] = field(default_factory=dict)
    experiment_to_layer: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def of(self, kind: Kind) -> dict[str, Spec]:
        """Return the specs of a kind by name: segments are no gates, experiments no dynamic configs."""
        if kind == "gate":
            return {name: spec for name, spec in self.feature_gates.items() if not name.startswith(SEGMENT)}
        if kind == "layer":
            return self.layer_configs
        return {
            name: spec for name, spec in self.dynamic_configs.items() if (kind == "experiment") == is_experiment(spec)
        }

    def all(self) -> Iterable[Spec]:
        """Yield every spec."""
        for where in LISTS:
            yield from getattr(self, where).values()


def is_experiment(spec: Mapping[str, Any]) -> bool:
    """Return whether a config is an experiment: its entity says so (an autotune is none)."""
    return spec.get("entity") == "experiment"


def document(specs: Specs, version: int, time: int, id_lists: Iterable[str]) -> dict[str, Any]:
    """Return the document of ``/v1`` or ``/v2/download_config_specs``.

    A disabled spec has no rules in the second format: SDKs that read it look at the rules only
    (statsig.sdk.specs.disabled). The second generation knows no ``multi_pass_gate`` and ``multi_fail_gate``: there, a
    segment of one rule per gate stands for each (statsig.sdk.specs.multi-gates).

    Args:
        specs: of the project.
        version: 1 for ``statsig`` and ``statsig-node``, 2 for the SDKs built on Statsig's core.
        time: of the last change, epoch milliseconds; SDKs take no document with a lower one than they have.
        id_lists: the names of the project's ID lists.
    """
    head = {"has_updates": True, "time": time, "response_format": f"dcs-v{version}"}
    return {**specs.more, **head, **(_first(specs, id_lists) if version == 1 else _second(specs))}


def _first(specs: Specs, id_lists: Iterable[str]) -> dict[str, Any]:
    layers: dict[str, list[str]] = {}
    for experiment, layer in specs.experiment_to_layer.items():
        layers.setdefault(layer, []).append(experiment)
    return {
        **{where: list(getattr(specs, where).values()) for where in LISTS},
        "layers": layers,
        "id_lists": dict.fromkeys(id_lists, True),
        "diagnostics": specs.more.get("diagnostics", {}),
    }


def _second(specs: Specs) -> dict[str, Any]:
    conditions = _Conditions()
    maps = {where: {name: conditions.spec(one) for name, one in getattr(specs, where).items()} for where in LISTS}
    maps["feature_gates"].update(conditions.helpers)
    return {**maps, "experiment_to_layer": specs.experiment_to_layer, "condition_map": conditions.map}


class _Conditions:
    """Collects conditions while specs are turned into the second format."""

    def __init__(self) -> None:
        self.map: dict[str, Any] = {}
        self.helpers: dict[str, Spec] = {}

    def spec(self, spec: Spec) -> Spec:
        rules = [self.rule(rule) for rule in spec["rules"]] if spec["enabled"] else []
        return {**{key: value for key, value in spec.items() if key != "name"}, "rules": rules}

    def rule(self, rule: Mapping[str, Any]) -> dict[str, Any]:
        return {**rule, "conditions": [self.key(condition) for condition in rule["conditions"]]}

    def key(self, condition: Mapping[str, Any]) -> str:
        """Return the key of a condition, which it has in every document."""
        condition = self._second(condition)
        key = condition_key(condition)
        self.map[key] = condition
        return key

    def _second(self, condition: Mapping[str, Any]) -> dict[str, Any]:
        kind, target = condition["type"], condition.get("targetValue")
        if kind == "user_bucket" and isinstance(target, list):
            return {**condition, "targetValue": {str(bucket): True for bucket in target}}
        if kind in ("multi_pass_gate", "multi_fail_gate"):
            return {**condition, "type": "pass_gate", "targetValue": self._any_of(kind[6:], target or [])}
        return dict(condition)

    def _any_of(self, kind: str, gates: list[str]) -> str:
        name = f"{SEGMENT}{kind}:{condition_key({'gates': gates})}"
        if name not in self.helpers:
            conditions = [{**PUBLIC, "type": kind, "targetValue": gate} for gate in gates]
            rules = [rule(f"{kind}-{index}", [one], True) for index, one in enumerate(conditions)]
            self.helpers[name] = self.spec(spec(name, "segment", False, rules))
        return name


def condition_key(condition: Mapping[str, Any]) -> str:
    """Return the key of a condition in a ``condition_map``: a number, made of its content."""
    digest = hashlib.sha256(orjson.dumps(condition, option=orjson.OPT_SORT_KEYS)).digest()
    return str(int.from_bytes(digest[:8], "big"))


def spec(
    name: str, entity: str, default: object, rules: list[dict[str, Any]], id_type: str = "userID", **more: Any
) -> Spec:
    """Return a spec with every field that SDKs ask for; its salt is its name.

    Args:
        name: as SDKs ask for it.
        entity: ``feature_gate``, ``segment``, ``dynamic_config``, ``experiment`` or ``layer``.
        default: what is served where no rule passes.
        rules: in their order.
        id_type: the unit that decides.
        more: further fields, such as ``isActive``.
    """
    of_gate = entity in ("feature_gate", "segment", "holdout")
    return {
        "name": name,
        "type": "feature_gate" if of_gate else "dynamic_config",
        "salt": name,
        "enabled": True,
        "defaultValue": default,
        "rules": rules,
        "idType": id_type,
        "entity": entity,
        "version": 1,
        **more,
    }


def rule(
    rule_id: str,
    conditions: list[dict[str, Any]],
    value: object,
    percentage: float = 100,
    id_type: str = "userID",
    **more: Any,
) -> dict[str, Any]:
    """Return a rule with every field that SDKs ask for; its salt is its id.

    Args:
        rule_id: as exposures name it.
        conditions: all have to hold.
        value: what a user gets who passes.
        percentage: of those for whom the conditions hold, how many pass.
        id_type: the unit that decides.
        more: further fields, such as ``groupName``.
    """
    return {
        "name": rule_id,
        "id": rule_id,
        "salt": rule_id,
        "passPercentage": percentage,
        "conditions": conditions,
        "returnValue": value,
        "idType": id_type,
        **more,
    }


def condition(
    kind: str, operator: str | None, target: object, name: str | None = None, id_type: str = "userID", **more: Any
) -> dict[str, Any]:
    """Return a condition with every field that SDKs ask for; ``more`` goes into its ``additionalValues``."""
    head = {"type": kind, "targetValue": target, "operator": operator, "field": name}
    return {**head, "additionalValues": more, "idType": id_type}


def unit_in(ids: Iterable[str], id_type: str) -> dict[str, Any]:
    """Return the condition that a unit is one of these, as overrides have it."""
    return condition("unit_id", "any", list(ids), id_type=id_type)


@dataclass(frozen=True, slots=True)
class Listed:
    """An ID list as it is declared.

    Attributes:
        ids: that are in it.
        id_type: what kind of IDs they are.
    """

    ids: tuple[str, ...] = ()
    id_type: str = "userID"


@dataclass(frozen=True, slots=True)
class Project:
    """What a workspace declares of a Statsig project: its specs, and its ID lists by name."""

    specs: Specs = Specs()
    id_lists: dict[str, Listed] = field(default_factory=dict)


def segment(name: str, id_type: str) -> Spec:
    """Return the segment of an ID list, by which gates ask whether a unit is in it."""
    listed = condition("unit_id", "in_segment_list", name, id_type=id_type)
    return spec(f"{SEGMENT}{name}", "segment", False, [rule("in_list", [listed], True, id_type=id_type)], id_type)
