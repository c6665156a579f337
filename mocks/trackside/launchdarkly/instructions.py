"""The instructions of LaunchDarkly's semantic patch, one short function for each kind. Pure.

Each changes a feature flag as the REST API shows it; `trackside.launchdarkly.semantic_patch` applies them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trackside.errors import TracksideError
from trackside.launchdarkly.representation import Representation, made_id

Instruction = Mapping[str, Any]
"""One instruction: its ``kind``, and the parameters that the kind takes."""


@dataclass(slots=True)
class Target:
    """What the instructions of one patch change.

    Attributes:
        flag: the flag as the REST API shows it; the instructions change it.
        environment: whose configuration; empty where the patch names none.
        variations: gives the variations of another flag, for prerequisites; None for a flag that there is not.
        at: the place of the instruction at hand.
    """

    flag: Representation
    environment: str
    variations: Callable[[str], Sequence[Mapping[str, Any]] | None]
    at: str = "$"

    @property
    def configuration(self) -> Representation:
        """The configuration of the patch's environment.

        Raises:
            TracksideError: the patch names no environment, or one that is not there.
        """
        found: Representation | None = self.flag["environments"].get(self.environment)
        if found is None:
            given = repr(self.environment) if self.environment else "missing"
            fix = f"name one of: {', '.join(self.flag['environments'])}"
            raise TracksideError(f"environmentKey is {given}, and the instruction needs one", "$.environmentKey", fix)
        return found

    def variation(self, value: Any, name: str = "variationId") -> int:
        """Return the number of a variation by its ``_id``."""
        return self._variation(self.flag["variations"], value, name)

    def variation_of(self, flag: Any, value: Any) -> int:
        """Return the number of another flag's variation."""
        variations = self.variations(flag) if isinstance(flag, str) else None
        if variations is None:
            raise self.fault(f"there is no flag {flag!r}", "key", "name a flag of this project")
        return self._variation(variations, value, "variationId")

    def _variation(self, variations: Sequence[Mapping[str, Any]], value: Any, name: str) -> int:
        for index, variation in enumerate(variations):
            if variation["_id"] == value:
                return index
        known = ", ".join(f"{one['_id']} ({one['value']!r})" for one in variations)
        raise self.fault(f"no variation has the _id {value!r}", name, f"use one of: {known}")

    def rule(self, value: Any, name: str = "ruleId") -> dict[str, Any]:
        """Return a rule by its ``_id``."""
        for rule in self.configuration["rules"]:
            if rule["_id"] == value:
                found: dict[str, Any] = rule
                return found
        known = ", ".join(rule["_id"] for rule in self.configuration["rules"]) or "there is none"
        raise self.fault(f"no rule has the _id {value!r}", name, f"use one of: {known}")

    def texts(self, instruction: Instruction) -> list[str]:
        """Return the ``values`` of an instruction that takes nothing but text, such as keys of contexts."""
        values = instruction["values"]
        for index, value in enumerate(values):
            if not isinstance(value, str):
                raise self.fault(f"{value!r} is no text", f"values[{index}]", "give text")
        return list(values)

    def fault(self, what: str, name: str, fix: str) -> TracksideError:
        """Return what is wrong with a parameter of the instruction at hand."""
        return TracksideError(what, f"{self.at}.{name}" if name else self.at, fix)


# ---- on and off, what is served


def _turn(on: bool) -> Callable[[Target, Instruction], None]:
    def apply(target: Target, _instruction: Instruction) -> None:
        target.configuration["on"] = on

    return apply


def _update_fallthrough(target: Target, instruction: Instruction) -> None:
    target.configuration["fallthrough"] = _served(target, instruction)


def _update_off_variation(target: Target, instruction: Instruction) -> None:
    target.configuration["offVariation"] = target.variation(instruction["variationId"])


def _served(target: Target, instruction: Instruction) -> dict[str, Any]:
    """Return the variation or rollout that an instruction asks for."""
    weights = instruction.get("rolloutWeights")
    if weights is None:
        return {"variation": target.variation(instruction["variationId"])}
    if not isinstance(weights, dict) or not all(type(weight) is int for weight in weights.values()):
        raise target.fault("rolloutWeights is no object of whole numbers", "rolloutWeights", "give each variation's _id a weight; all add up to 100000")  # fmt: skip
    by = {"bucketBy": instruction["rolloutBucketBy"]} if instruction.get("rolloutBucketBy") else {}
    parts = [
        {"variation": target.variation(name, "rolloutWeights"), "weight": weight} for name, weight in weights.items()
    ]
    return {"rollout": {"contextKind": instruction.get("rolloutContextKind", "user"), **by, "variations": parts}}


# ---- targets


def _add_targets(target: Target, instruction: Instruction) -> None:
    variation, name = target.variation(instruction["variationId"]), _targets_name(instruction)
    keys = target.texts(instruction)
    lists = target.configuration[name]
    for one in lists:
        taken = sorted(set(one["values"]) & set(keys))
        if taken and _is_kind(one, instruction) and one["variation"] != variation:
            fix = f"remove it from variation {one['variation']} first"
            raise target.fault(f"{taken[0]!r} is a target of another variation", "values", fix)
    found = next((one for one in lists if one["variation"] == variation and _is_kind(one, instruction)), None)
    if found is None:
        found = {"values": [], "variation": variation, "contextKind": instruction.get("contextKind", "user")}
        lists.append(found)
    found["values"] = list(dict.fromkeys([*found["values"], *keys]))


def _remove_targets(target: Target, instruction: Instruction) -> None:
    variation = target.variation(instruction["variationId"])
    for one in target.configuration[_targets_name(instruction)]:
        if one["variation"] == variation and _is_kind(one, instruction):
            one["values"] = [value for value in one["values"] if value not in instruction["values"]]


def _clear_targets(target: Target, instruction: Instruction) -> None:
    variation = target.variation(instruction["variationId"])
    for name in ("targets", "contextTargets"):
        target.configuration[name] = [one for one in target.configuration[name] if one["variation"] != variation]


def _replace_targets(target: Target, instruction: Instruction) -> None:
    target.configuration["targets"], target.configuration["contextTargets"] = [], []
    for one in instruction["targets"]:
        _add_targets(target, one)


def _is_kind(one: Mapping[str, Any], instruction: Instruction) -> bool:
    return bool(one.get("contextKind", "user") == instruction.get("contextKind", "user"))


def _targets_name(instruction: Instruction) -> str:
    return "targets" if instruction.get("contextKind", "user") == "user" else "contextTargets"


# ---- rules and clauses


def _add_rule(target: Target, instruction: Instruction) -> None:
    rules = target.configuration["rules"]
    number = target.configuration["version"], len(rules)
    rule = {
        "_id": made_id(target.flag["key"], target.environment, number, instruction),
        **_served(target, instruction),
        "clauses": [_clause(clause) for clause in instruction["clauses"]],
        "trackEvents": bool(instruction.get("trackEvents", False)),
    }
    before = instruction.get("beforeRuleId")
    position = len(rules) if before is None else rules.index(target.rule(before, "beforeRuleId"))
    rules.insert(position, rule)


def _clause(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"contextKind": "user", "negate": False, **{name: value for name, value in given.items() if name != "_id"}}


def _remove_rule(target: Target, instruction: Instruction) -> None:
    kept = [rule for rule in target.configuration["rules"] if rule["_id"] != instruction["ruleId"]]
    target.configuration["rules"] = kept


def _replace_rules(target: Target, instruction: Instruction) -> None:
    target.configuration["rules"] = []
    for rule in instruction["rules"]:
        _add_rule(target, rule)


def _reorder_rules(target: Target, instruction: Instruction) -> None:
    if sorted(instruction["ruleIds"]) != sorted(rule["_id"] for rule in target.configuration["rules"]):
        raise target.fault("ruleIds are not those of the flag's rules", "ruleIds", "name each rule once")
    target.configuration["rules"] = [target.rule(name, "ruleIds") for name in instruction["ruleIds"]]


def _update_rule(target: Target, instruction: Instruction) -> None:
    rule = target.rule(instruction["ruleId"])
    served = _served(target, instruction)
    for name in ("variation", "rollout"):
        rule.pop(name, None)
    rule.update(served)


def _update_rule_track_events(target: Target, instruction: Instruction) -> None:
    target.rule(instruction["ruleId"])["trackEvents"] = instruction["trackEvents"]


def _add_clauses(target: Target, instruction: Instruction) -> None:
    target.rule(instruction["ruleId"])["clauses"] += [_clause(clause) for clause in instruction["clauses"]]


def _remove_clauses(target: Target, instruction: Instruction) -> None:
    rule = target.rule(instruction["ruleId"])
    rule["clauses"] = [clause for clause in rule["clauses"] if clause.get("_id") not in instruction["clauseIds"]]


def _clause_of(target: Target, instruction: Instruction) -> dict[str, Any]:
    for clause in target.rule(instruction["ruleId"])["clauses"]:
        if clause.get("_id") == instruction["clauseId"]:
            found: dict[str, Any] = clause
            return found
    raise target.fault(
        f"no clause of the rule has the _id {instruction['clauseId']!r}", "clauseId", "get the flag again"
    )


def _update_clause(target: Target, instruction: Instruction) -> None:
    clause = _clause_of(target, instruction)
    new = _clause(instruction["clause"])
    clause.clear()
    clause.update(new)


def _add_values(target: Target, instruction: Instruction) -> None:
    clause = _clause_of(target, instruction)
    clause["values"] = [*clause["values"], *(one for one in instruction["values"] if one not in clause["values"])]


def _remove_values(target: Target, instruction: Instruction) -> None:
    clause = _clause_of(target, instruction)
    clause["values"] = [value for value in clause["values"] if value not in instruction["values"]]


# ---- prerequisites, events


def _add_prerequisite(target: Target, instruction: Instruction) -> None:
    key = instruction["key"]
    variation = target.variation_of(key, instruction["variationId"])
    target.configuration["prerequisites"] = [*_prerequisites_without(target, key), {"key": key, "variation": variation}]


def _update_prerequisite(target: Target, instruction: Instruction) -> None:
    key = instruction["key"]
    if len(_prerequisites_without(target, key)) == len(target.configuration["prerequisites"]):
        raise target.fault(f"{key!r} is no prerequisite of the flag", "key", "add it with addPrerequisite")
    _add_prerequisite(target, instruction)


def _remove_prerequisite(target: Target, instruction: Instruction) -> None:
    target.configuration["prerequisites"] = _prerequisites_without(target, instruction["key"])


def _prerequisites_without(target: Target, key: Any) -> list[dict[str, Any]]:
    return [one for one in target.configuration["prerequisites"] if one["key"] != key]


def _update_track_events(target: Target, instruction: Instruction) -> None:
    target.configuration["trackEvents"] = instruction["trackEvents"]


def _update_track_events_fallthrough(target: Target, instruction: Instruction) -> None:
    target.configuration["trackEventsFallthrough"] = instruction["trackEvents"]


# ---- the flag as a whole


def _availability(available: bool) -> Callable[[Target, Instruction], None]:
    def apply(target: Target, instruction: Instruction) -> None:
        value, known = instruction["value"], ("usingMobileKey", "usingEnvironmentId")
        if value not in known:
            raise target.fault(f"value is {value!r}", "value", f"use one of: {', '.join(known)}")
        target.flag["clientSideAvailability"][value] = available

    return apply


def _replace(name: str) -> Callable[[Target, Instruction], None]:
    def apply(target: Target, instruction: Instruction) -> None:
        target.flag[name] = instruction["value"]

    return apply


def _temporary(value: bool) -> Callable[[Target, Instruction], None]:
    def apply(target: Target, _instruction: Instruction) -> None:
        target.flag["temporary"] = value

    return apply


def _add_tags(target: Target, instruction: Instruction) -> None:
    target.flag["tags"] = list(dict.fromkeys([*target.flag["tags"], *target.texts(instruction)]))


def _remove_tags(target: Target, instruction: Instruction) -> None:
    target.flag["tags"] = [tag for tag in target.flag["tags"] if tag not in instruction["values"]]


def _add_variation(target: Target, instruction: Instruction) -> None:
    told = {name: instruction[name] for name in ("name", "description") if name in instruction}
    made = made_id(target.flag["key"], instruction["value"])
    target.flag["variations"].append({"_id": made, "value": instruction["value"], **told})


def _update_variation(target: Target, instruction: Instruction) -> None:
    variation = target.flag["variations"][target.variation(instruction["variationId"])]
    variation.update({name: instruction[name] for name in ("name", "value", "description") if name in instruction})


KINDS: dict[str, Callable[[Target, Instruction], None]] = {
    "turnFlagOn": _turn(True),
    "turnFlagOff": _turn(False),
    "updateFallthroughVariationOrRollout": _update_fallthrough,
    "updateOffVariation": _update_off_variation,
    "addTargets": _add_targets,
    "removeTargets": _remove_targets,
    "replaceTargets": _replace_targets,
    "clearTargets": _clear_targets,
    "addUserTargets": _add_targets,
    "removeUserTargets": _remove_targets,
    "addRule": _add_rule,
    "removeRule": _remove_rule,
    "replaceRules": _replace_rules,
    "reorderRules": _reorder_rules,
    "updateRuleVariationOrRollout": _update_rule,
    "updateRuleTrackEvents": _update_rule_track_events,
    "addClauses": _add_clauses,
    "removeClauses": _remove_clauses,
    "updateClause": _update_clause,
    "addValuesToClause": _add_values,
    "removeValuesFromClause": _remove_values,
    "addPrerequisite": _add_prerequisite,
    "updatePrerequisite": _update_prerequisite,
    "removePrerequisite": _remove_prerequisite,
    "updateTrackEvents": _update_track_events,
    "updateTrackEventsFallthrough": _update_track_events_fallthrough,
    "turnOnClientSideAvailability": _availability(True),
    "turnOffClientSideAvailability": _availability(False),
    "addVariation": _add_variation,
    "updateVariation": _update_variation,
    "addTags": _add_tags,
    "removeTags": _remove_tags,
    "updateName": _replace("name"),
    "updateDescription": _replace("description"),
    "makeFlagTemporary": _temporary(True),
    "makeFlagPermanent": _temporary(False),
}
"""The instructions that are known here, by their kinds."""
