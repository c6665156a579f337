"""A document of ``download_config_specs`` in either format, read into the one model of specs. Pure.

Which format it is shows in its shape: arrays of specs, or maps of them (statsig.sdk.specs.file).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypeAlias

from trackside import catalog
from trackside.errors import TracksideError
from trackside.statsig.specs import LISTS, MADE_ANEW, PUBLIC, SEGMENT, Spec, Specs

Path: TypeAlias = tuple[str | int, ...]

LISTED = (
    "any",
    "none",
    "any_case_sensitive",
    "none_case_sensitive",
    "str_starts_with_any",
    "str_ends_with_any",
    "str_contains_any",
    "str_contains_none",
    "array_contains_any",
    "array_contains_none",
    "array_contains_all",
    "not_array_contains_all",
)
NUMBERS = ("gt", "gte", "lt", "lte", "before", "after", "on")
VERSIONS = ("version_gt", "version_gte", "version_lt", "version_lte", "version_eq", "version_neq")
TEXTS = ("str_matches", "in_segment_list", "not_in_segment_list", *VERSIONS)
OPERATORS = {
    **dict.fromkeys(LISTED, "a list"),
    **dict.fromkeys(NUMBERS, "a number"),
    **dict.fromkeys(TEXTS, "text"),
    **dict.fromkeys(("eq", "neq"), ""),
}
"""The operators that SDKs know, and what each compares with; a spec that has another is false for everyone."""

GATES = {"pass_gate": "text", "fail_gate": "text", "multi_pass_gate": "a list", "multi_fail_gate": "a list"}
TYPES = {"public", "ip_based", "ua_based", "user_field", "environment_field", "current_time", "user_bucket", "unit_id"}
TYPES |= {"target_app", *GATES}
"""The types of conditions that SDKs know."""


def contract_of(document: Mapping[str, Any]) -> str:
    """Return the contract of a document by its shape: ``statsig/specs-v2`` where its gates are a map."""
    return "statsig/specs-v2" if isinstance(document.get("feature_gates"), Mapping) else "statsig/specs-v1"


def read(document: Any) -> tuple[Specs, list[TracksideError]]:
    """Return the specs of a document, and its faults, each with its JSON path as place; with faults, no specs.

    A gate's rule passes or not in the first format, whatever its ``returnValue`` says; in the second it is what counts.
    The model has it as the document's own SDKs take it, so that both generations agree (statsig.sdk.specs.agree).
    """
    if not isinstance(document, Mapping):
        return Specs(), [TracksideError("the document is no object", "$", "save an answer of download_config_specs")]
    contract = contract_of(document)
    if broken := catalog.faults(contract, document):
        second = contract.endswith("v2")
        return Specs(), [TracksideError(one.what, _named(one.at) if second else one.at, one.fix) for one in broken]
    read_one = _read_second if contract.endswith("v2") else _read_first
    specs, faults = read_one(document)
    for where in LISTS:
        faults += [*_value_faults(specs, where, document), *_condition_faults(specs, where, document)]
    if not faults:
        faults = [*_override_faults(document), *_cycle_faults(specs, document)]
    return (Specs() if faults else specs), faults


def _read_first(document: Mapping[str, Any]) -> tuple[Specs, list[TracksideError]]:
    faults: list[TracksideError] = []
    maps: dict[str, Any] = {}
    for where in LISTS:
        maps[where] = {}
        for index, row in enumerate(document.get(where, [])):
            if row["name"] in maps[where]:
                faults.append(_fault(f"{row['name']} is there twice", (where, index), "keep one of them"))
            rules = [_rule(one, one["conditions"], where, second=False) for one in row["rules"]]
            maps[where][row["name"]] = _spec(row["name"], row, rules, where)
    layer_of = {one: layer for layer, within in document.get("layers", {}).items() for one in within}
    return Specs(**maps, experiment_to_layer=layer_of, more=_more(document)), faults


def _read_second(document: Mapping[str, Any]) -> tuple[Specs, list[TracksideError]]:
    known = document["condition_map"]
    faults: list[TracksideError] = []
    maps: dict[str, Any] = {}
    for where in LISTS:
        maps[where] = {}
        for name, row in document[where].items():
            if where == "feature_gates" and row["defaultValue"] is True:
                what = f"the gate {name} is true by default, which only the SDKs of the second format follow"
                faults.append(_fault(what, (where, name, "defaultValue"), "set it to false, and let a last rule pass"))
            rules = []
            for index, one in enumerate(row["rules"]):
                for number, key in enumerate(one["conditions"]):
                    if key not in known:
                        place = (where, name, "rules", index, "conditions", number)
                        faults.append(_fault(f"there is no condition {key!r}", place, "add it to the condition_map"))
                conditions = [known[key] for key in one["conditions"] if key in known]
                rules.append(_rule(one, conditions, where, second=True))
            maps[where][name] = _spec(name, row, rules, where)
    layer_of = dict(document["experiment_to_layer"])
    return Specs(**maps, experiment_to_layer=layer_of, more=_more(document)), faults


def _more(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in MADE_ANEW}


def _spec(name: str, row: Mapping[str, Any], rules: list[dict[str, Any]], where: str) -> Spec:
    gate = where == "feature_gates"
    filled = {"salt": name, "idType": "userID", "entity": _entity(name, row, rules, where), "version": 1, **row}
    if gate:
        filled["defaultValue"] = False
    kind = "feature_gate" if gate else "dynamic_config"
    return {**filled, "name": name, "type": row.get("type", kind), "rules": rules}


def _entity(name: str, row: Mapping[str, Any], rules: list[dict[str, Any]], where: str) -> str:
    """Return what kind a spec is, for older documents that do not say."""
    if where == "feature_gates":
        return "segment" if name.startswith(SEGMENT) else "feature_gate"
    if where == "layer_configs":
        return "layer"
    return "experiment" if "isActive" in row or any(one.get("isExperimentGroup") for one in rules) else "dynamic_config"


def _rule(row: Mapping[str, Any], conditions: list[Any], where: str, *, second: bool) -> dict[str, Any]:
    filled = {"name": row["id"], "salt": row["id"], "idType": "userID", **row}
    filled["conditions"] = [_condition(one) for one in conditions]
    if where == "feature_gates":
        if second and row["returnValue"] is False:
            filled["passPercentage"] = 0
        filled["returnValue"] = True
    return filled


def _condition(row: Mapping[str, Any]) -> dict[str, Any]:
    filled = {**PUBLIC, **row, "type": row["type"].lower()}
    if filled["type"] in ("public", *GATES):  # where `statsig` looks at an operator that it does not know
        filled["operator"] = None
    elif isinstance(row.get("operator"), str):
        filled["operator"] = row["operator"].lower()
    if filled["type"] == "user_bucket" and isinstance(filled["targetValue"], Mapping):
        filled["targetValue"] = [
            int(bucket) for bucket in filled["targetValue"] if re.fullmatch(r"-?[0-9]{1,9}", bucket)
        ]
    return filled


def _override_faults(document: Mapping[str, Any]) -> Iterator[TracksideError]:
    for name in document.get("overrides") or ():
        what = f"{name} is put in another's place by overrides, which statsig-node does not follow"
        yield _fault(what, ("overrides", name), "take that out, and let the spec itself serve it")


def _value_faults(specs: Specs, where: str, document: Mapping[str, Any]) -> Iterator[TracksideError]:
    """Yield each value of a config or layer that is true or false, as only gates have it; SDKs differ in such ones."""
    if where == "feature_gates":
        return
    for position, (name, one) in enumerate(getattr(specs, where).items()):
        key = name if isinstance(document[where], Mapping) else position
        values: list[tuple[Path, Any]] = [((where, key, "defaultValue"), one["defaultValue"])]
        values += [
            ((where, key, "rules", index, "returnValue"), row["returnValue"]) for index, row in enumerate(one["rules"])
        ]
        for place, value in values:
            if not isinstance(value, Mapping):
                yield _fault(f"{name} gives {value!r}, and is no gate", place, "write an object of its parameters")


def _condition_faults(specs: Specs, where: str, document: Mapping[str, Any]) -> Iterator[TracksideError]:
    """Yield each condition that SDKs cannot evaluate, or that keeps them from reading the document at all."""
    for position, (name, one) in enumerate(getattr(specs, where).items()):
        key = name if isinstance(document[where], Mapping) else position
        for index, row in enumerate(one["rules"]):
            for number, condition in enumerate(row["conditions"]):
                place = (where, key, "rules", index, "conditions", number)
                if (wrong := _wrong(condition)) is not None:
                    yield _fault(f"{wrong[0]}: {name} would be false for everyone", place, wrong[1])


def _wrong(condition: Mapping[str, Any]) -> tuple[str, str] | None:
    kind, operator, target = condition["type"], condition["operator"], condition["targetValue"]
    if kind == "experiment_group":
        return "only SDKs built on Statsig's core know experiment_group", "ask for the experiment where it is used"
    if kind not in TYPES:
        return f"SDKs know no condition of type {kind!r}", f"use one of: {', '.join(sorted(TYPES))}"
    if kind in GATES:
        return _unlike(GATES[kind], target, kind)
    if kind == "public":
        return None
    if operator not in OPERATORS:
        return f"SDKs know no operator {operator!r}", f"use one of: {', '.join(sorted(OPERATORS))}"
    if kind == "user_bucket" and isinstance(target, list) and not all(type(one) is int for one in target):
        return f"buckets are whole numbers, and targetValue is {target!r}", "list buckets from 0 to 999"
    if operator == "str_matches" and isinstance(target, str):
        try:
            re.compile(target)
        except re.error as error:
            return f"{target!r} is no regular expression: {error}", "mend it"
    return _unlike(OPERATORS[operator], target, operator)


def _unlike(wanted: str, target: Any, name: str) -> tuple[str, str] | None:
    if isinstance(target, list) and not all(isinstance(one, (str, int, float)) for one in target):
        return f"{name} compares with texts and numbers, and its targetValue is {target!r}", "list nothing else"
    number = isinstance(target, (int, float)) or (
        isinstance(target, str) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", target)
    )
    fits = {"a list": isinstance(target, list), "text": isinstance(target, str), "a number": bool(number)}
    if fits.get(wanted, True):
        return None
    return f"{name} compares with {wanted}, and its targetValue is {target!r}", f"write {wanted} as targetValue"


def _cycle_faults(specs: Specs, document: Mapping[str, Any]) -> list[TracksideError]:
    """Return a fault where gates ask each other in a circle, or configs delegate so: that ends no SDK's evaluation."""
    delegates = {name: [*map(_delegate, one["rules"])] for name, one in specs.dynamic_configs.items()}
    found = []
    for where, circle, what, verb in (
        ("feature_gates", circle_of(specs), "gates ask each other in a circle", "asks"),
        ("dynamic_configs", _circle(delegates), "configs delegate in a circle", "delegates to"),
    ):
        if circle:
            names = list(getattr(specs, where))
            key = circle[0] if isinstance(document[where], Mapping) else names.index(circle[0])
            told = f" {verb} ".join([*circle, circle[0]])
            found.append(_fault(f"{what}: {told}", (where, key), "take one of these conditions away"))
    return found


def _delegate(row: Mapping[str, Any]) -> str:
    return row.get("configDelegate") or ""


def circle_of(specs: Specs) -> list[str]:
    """Return gates that ask each other in a circle; empty where there are none."""
    return _circle({name: _asked(one) for name, one in specs.feature_gates.items()})


def _circle(asked: Mapping[str, list[str]]) -> list[str]:
    try:
        TopologicalSorter(asked).prepare()
    except CycleError as error:
        return [*reversed(error.args[1][1:])]
    return []


def _asked(one: Spec) -> list[str]:
    found: list[str] = []
    for row in one["rules"]:
        for condition in row["conditions"]:
            if condition["type"] in GATES:
                target = condition["targetValue"]
                found += target if isinstance(target, list) else [str(target)]
    return found


def _named(at: str) -> str:
    """Return a place in the second format, whose maps may have keys of digits, which are no positions."""
    return re.sub(r"^(\$\.\w+)\[(\d+)\]", r'\1["\2"]', at)


def _fault(what: str, place: Path, fix: str) -> TracksideError:
    return TracksideError(what, catalog.json_path(place), fix)


def merged(one: Specs, other: Specs) -> Specs:
    """Return two specs as one; a name in both is the other's."""
    maps: dict[str, Any] = {where: {**getattr(one, where), **getattr(other, where)} for where in LISTS}
    layer_of = {**one.experiment_to_layer, **other.experiment_to_layer}
    return dataclasses.replace(one, **maps, experiment_to_layer=layer_of, more={**one.more, **other.more})
