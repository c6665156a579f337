"""A flag's definition as the Admin API writes it, and as SDKs download it: either made of the other. Pure functions.

The two name matchers differently, and the Admin API puts the keys and segments of a treatment beside its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trackside.errors import TracksideError
from trackside.split.admin_state import Notes
from trackside.split.changes import Definition
from trackside.split.definitions import default_rule, flag, matcher, rollout, whitelist
from trackside.split.flag_checks import pattern_fault

Matcher = dict[str, Any]

_TEXTS = {
    "IN_LIST_STRING": "WHITELIST",
    "STARTS_WITH_STRING": "STARTS_WITH",
    "ENDS_WITH_STRING": "ENDS_WITH",
    "CONTAINS_STRING": "CONTAINS_STRING",
    "EQUAL_SET": "EQUAL_TO_SET",
    "ANY_OF_SET": "CONTAINS_ANY_OF_SET",
    "ALL_OF_SET": "CONTAINS_ALL_OF_SET",
    "PART_OF_SET": "PART_OF_SET",
    "IN_LIST_SEMVER": "IN_LIST_SEMVER",
}
_TEXT = {
    name: name
    for name in (
        "MATCHES_STRING",
        "EQUAL_TO_SEMVER",
        "GREATER_THAN_OR_EQUAL_TO_SEMVER",
        "LESS_THAN_OR_EQUAL_TO_SEMVER",
    )
}
_NUMBER = {
    "EQUAL_NUMBER": ("EQUAL_TO", "NUMBER"),
    "GREATER_THAN_OR_EQUAL_NUMBER": ("GREATER_THAN_OR_EQUAL_TO", "NUMBER"),
    "LESS_THAN_OR_EQUAL_NUMBER": ("LESS_THAN_OR_EQUAL_TO", "NUMBER"),
    "ON_DATE": ("EQUAL_TO", "DATETIME"),
    "ON_OR_AFTER_DATE": ("GREATER_THAN_OR_EQUAL_TO", "DATETIME"),
    "ON_OR_BEFORE_DATE": ("LESS_THAN_OR_EQUAL_TO", "DATETIME"),
}
_BETWEEN = {"BETWEEN_NUMBER": "NUMBER", "BETWEEN_DATE": "DATETIME"}
_SEGMENT = {
    "IN_SEGMENT": ("userDefinedSegmentMatcherData", "segmentName"),
    "IN_RULE_BASED_SEGMENT": ("userDefinedSegmentMatcherData", "segmentName"),
    "IN_LARGE_SEGMENT": ("userDefinedLargeSegmentMatcherData", "largeSegmentName"),
}
_FIELD = {
    **dict.fromkeys(_TEXTS, "strings"),
    **dict.fromkeys((*_TEXT, *_SEGMENT), "string"),
    **{name: "date" if kind[1] == "DATETIME" else "number" for name, kind in _NUMBER.items()},
    **dict.fromkeys((*_BETWEEN, "BETWEEN_SEMVER"), "between"),
    "BOOLEAN": "bool",
    "IN_SPLIT": "depends",
}
"""By type of matcher, the field of an Admin matcher that holds what it compares with."""

TYPES = (*_FIELD, "ALL_KEYS")


def to_wire(
    name: str, admin: Mapping[str, Any], before: Definition | None, traffic_type: str, sets: list[str]
) -> Definition:
    """Return the definition that SDKs download (split.admin.definition).

    Args:
        name: of the flag.
        admin: as the Admin API takes it; its contract is kept.
        before: the definition that it takes the place of, whose seeds stay.
        traffic_type: of the flag.
        sets: its flag sets, by name.

    Raises:
        TracksideError: a rule names a treatment that is not there, or its sizes do not add up to 100.
    """
    names = [one["name"] for one in admin["treatments"]]
    for field in ("defaultTreatment", "baselineTreatment"):
        _known(admin.get(field) or names[0], names, f"$.{field}")
    configurations = {one["name"]: one["configurations"] for one in admin["treatments"] if one.get("configurations")}
    base = before or flag(name, {"serve": "off", "traffic_type": traffic_type}, "$")
    return {
        **base,
        "trafficTypeName": traffic_type,
        "defaultTreatment": admin["defaultTreatment"],
        "trafficAllocation": admin.get("trafficAllocation", 100),
        "configurations": configurations,
        "sets": sets,
        "impressionsDisabled": bool(admin.get("impressionsDisabled")),
        "conditions": list(_conditions(admin, names, traffic_type)),
    }


def _conditions(admin: Mapping[str, Any], names: list[str], traffic_type: str) -> Iterable[dict[str, Any]]:
    for one in admin["treatments"]:
        if one.get("keys"):
            yield whitelist(one["keys"], one["name"])
        for segment in one.get("segments") or ():
            yield _in_segment(segment, one["name"], traffic_type)
    for index, rule in enumerate(admin.get("rules") or ()):
        at = f"$.rules[{index}]"
        matchers = rule["condition"]["matchers"]
        wire = [_to_wire(one, traffic_type, f"{at}.condition.matchers[{n}]") for n, one in enumerate(matchers)]
        label = " and ".join(_label(one) for one in matchers)
        yield rollout(wire, _sizes(rule["buckets"], names, f"{at}.buckets"), label)
    yield default_rule(_sizes(admin["defaultRule"], names, "$.defaultRule"), traffic_type)


def _in_segment(segment: str, treatment: str, traffic_type: str) -> dict[str, Any]:
    """Return the condition that gives everybody in a segment a treatment, whatever the rules say."""
    one = matcher("IN_SEGMENT", None, traffic_type, userDefinedSegmentMatcherData={"segmentName": segment})
    condition = rollout([one], [{"treatment": treatment, "size": 100}], f"whitelisted segment {segment}")
    return {**condition, "conditionType": "WHITELIST"}


def _sizes(buckets: list[dict[str, Any]], names: list[str], at: str) -> list[dict[str, Any]]:
    for index, one in enumerate(buckets):
        _known(one["treatment"], names, f"{at}[{index}].treatment")
    if sum(one["size"] for one in buckets) != 100:
        sizes = " + ".join(str(one["size"]) for one in buckets)
        raise TracksideError(f"the sizes do not add up to 100: {sizes}", at, "give sizes that do")
    rest = [name for name in names if name not in {one["treatment"] for one in buckets}]
    given = [{"treatment": one["treatment"], "size": one["size"]} for one in buckets]
    return given + [{"treatment": name, "size": 0} for name in rest]


def _known(treatment: str, names: list[str], at: str) -> None:
    if treatment not in names:
        raise TracksideError(f"there is no treatment {treatment!r}", at, f"use one of: {', '.join(names)}")


def _to_wire(admin: Mapping[str, Any], traffic_type: str, at: str) -> Matcher:
    """Return one matcher as SDKs know it (split.admin.matchers).

    Raises:
        TracksideError: what it compares with is missing.
    """
    kind = admin["type"]
    field = _FIELD.get(kind)
    if field and admin.get(field) in (None, "", [], {}):
        raise TracksideError(f"a {kind} matcher has no {field}", f"{at}.{field}", "give it what to compare with")
    value: Any = admin[field] if field else None
    if kind == "MATCHES_STRING":
        for fault in pattern_fault(value, f"{at}.string"):
            raise fault
    if field == "between":
        _check_between(kind, value, f"{at}.between")
    wire, data = _wire_data(kind, value)
    made = matcher(wire, admin.get("attribute") or None, traffic_type, **data)
    return {**made, "negate": bool(admin.get("negate"))}


def _check_between(kind: str, value: Mapping[str, Any], at: str) -> None:
    wanted, words = (str, "texts") if kind == "BETWEEN_SEMVER" else ((int, float), "numbers")
    if not all(isinstance(value[end], wanted) for end in ("from", "to")):
        raise TracksideError(f"a {kind} matcher is between {value['from']!r} and {value['to']!r}", at, f"give {words}")


def _wire_data(kind: str, value: Any) -> tuple[str, dict[str, Any]]:
    """Return the name that SDKs know a matcher by, and what it compares with."""
    if kind in _TEXTS:
        return _TEXTS[kind], {"whitelistMatcherData": {"whitelist": value}}
    if kind in _TEXT:
        return kind, {"stringMatcherData": value}
    if kind in _NUMBER:
        wire, data_type = _NUMBER[kind]
        return wire, {"unaryNumericMatcherData": {"dataType": data_type, "value": value}}
    if kind in _BETWEEN:
        data = {"dataType": _BETWEEN[kind], "start": value["from"], "end": value["to"]}
        return "BETWEEN", {"betweenMatcherData": data}
    if kind == "BETWEEN_SEMVER":
        return kind, {"betweenStringMatcherData": {"start": value["from"], "end": value["to"]}}
    if kind in _SEGMENT:
        field, inner = _SEGMENT[kind]
        return kind, {field: {inner: value}}
    if kind == "BOOLEAN":
        return "EQUAL_TO_BOOLEAN", {"booleanMatcherData": value}
    if kind == "IN_SPLIT":
        data = {"split": value["splitName"], "treatments": value.get("treatments") or [value["treatment"]]}
        return "IN_SPLIT_TREATMENT", {"dependencyMatcherData": data}
    return "ALL_KEYS", {}


def _label(admin: Mapping[str, Any]) -> str:
    """Return a rule's label, which impressions carry: ``plan in list string [gold]``."""
    words = str(admin["type"]).lower().replace("_", " ")
    value = admin.get(_FIELD.get(admin["type"], ""))
    shown = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else "" if value is None else str(value)
    parts = (admin.get("attribute") or "", "not" if admin.get("negate") else "", words, shown)
    return " ".join(part for part in parts if part)


# ---- and back


def to_admin(wire: Definition, notes: Notes) -> dict[str, Any]:
    """Return what the Admin API shows of a definition: treatments, rules and the default rule (split.admin.definition).

    Args:
        wire: as SDKs download it, whoever wrote it.
        notes: what they do not see of it.
    """
    rules, default = list(wire["conditions"]), [{"treatment": wire["defaultTreatment"], "size": 100}]
    if rules and _is_for_all(rules[-1]):
        default = rules.pop()["partitions"]
    treatments = {name: _treatment(name, wire, notes) for name in _names(wire, notes)}
    return {
        "killed": wire["killed"],
        "treatments": list(treatments.values()),
        "defaultTreatment": wire["defaultTreatment"],
        "baselineTreatment": notes.baseline or wire["defaultTreatment"],
        "trafficAllocation": wire.get("trafficAllocation", 100),
        "rules": [_rule(one) for one in rules if not _targets(one, treatments)],
        "defaultRule": _used(default),
        "impressionsDisabled": bool(wire.get("impressionsDisabled")),
    }


def _names(wire: Definition, notes: Notes) -> list[str]:
    """Return the treatments of a definition as they were given; of another writer's those of its default rule first."""
    rows = [one["treatment"] for condition in reversed(wire["conditions"]) for one in condition["partitions"]]
    found = dict.fromkeys([*rows, *wire.get("configurations", {}), wire["defaultTreatment"]])
    return [
        *(name for name in notes.treatments if name in found),
        *(name for name in found if name not in notes.treatments),
    ]


def _treatment(name: str, wire: Definition, notes: Notes) -> dict[str, Any]:
    configuration, description = wire.get("configurations", {}).get(name), notes.descriptions.get(name)
    told = {"configurations": configuration, "description": description}
    return {"name": name, **{field: text for field, text in told.items() if text}}


def _is_for_all(condition: Mapping[str, Any]) -> bool:
    matchers = condition["matcherGroup"]["matchers"]
    return [(one["matcherType"], one.get("negate", False)) for one in matchers] == [("ALL_KEYS", False)]


def _targets(condition: Mapping[str, Any], treatments: Mapping[str, dict[str, Any]]) -> bool:
    """Put the keys or the segment of a condition beside their treatment; returns False for a rule."""
    matchers = condition["matcherGroup"]["matchers"]
    selector = matchers[0].get("keySelector") or {}
    if condition.get("conditionType") != "WHITELIST" or len(matchers) != 1 or matchers[0].get("negate"):
        return False
    if selector.get("attribute") or len(_used(condition["partitions"])) != 1:
        return False
    to = treatments[_used(condition["partitions"])[0]["treatment"]]
    if matchers[0]["matcherType"] == "WHITELIST":
        to.setdefault("keys", []).extend(matchers[0]["whitelistMatcherData"]["whitelist"])
    elif matchers[0]["matcherType"] == "IN_SEGMENT":
        to.setdefault("segments", []).append(matchers[0]["userDefinedSegmentMatcherData"]["segmentName"])
    else:
        return False
    return True


def _rule(condition: Mapping[str, Any]) -> dict[str, Any]:
    matchers = [_to_admin(one) for one in condition["matcherGroup"]["matchers"]]
    return {"condition": {"combiner": "AND", "matchers": matchers}, "buckets": _used(condition["partitions"])}


def _used(partitions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what somebody gets of a rule; the wire form also lists treatments of no size."""
    return [dict(one) for one in partitions if one["size"]]


_BACK = {
    **{(wire, ""): name for name, wire in _TEXTS.items()},
    **{(name, ""): name for name in (*_TEXT, *_SEGMENT, "BETWEEN_SEMVER", "ALL_KEYS")},
    **{(wire, data_type): name for name, (wire, data_type) in _NUMBER.items()},
    **{("BETWEEN", data_type): name for name, data_type in _BETWEEN.items()},
    ("EQUAL_TO_BOOLEAN", ""): "BOOLEAN",
    ("IN_SPLIT_TREATMENT", ""): "IN_SPLIT",
}


def _to_admin(wire: Matcher) -> dict[str, Any]:
    """Return one matcher as the Admin API shows it (split.admin.matchers); one that it has no name for by its own."""
    data = wire.get("unaryNumericMatcherData") or wire.get("betweenMatcherData") or {}
    kind = str(_BACK.get((wire["matcherType"], data.get("dataType") or ""), wire["matcherType"]))
    made = {"type": kind, "negate": bool(wire.get("negate"))}
    attribute = (wire.get("keySelector") or {}).get("attribute")
    if attribute:
        made["attribute"] = attribute
    if field := _FIELD.get(kind):
        made[field] = _admin_value(kind, wire)
    return made


def _admin_value(kind: str, wire: Matcher) -> Any:
    if kind in _TEXTS:
        return wire["whitelistMatcherData"]["whitelist"]
    if kind in _TEXT:
        return wire["stringMatcherData"]
    if kind in _NUMBER:
        return wire["unaryNumericMatcherData"]["value"]
    if kind in _SEGMENT:
        field, inner = _SEGMENT[kind]
        return wire[field][inner]
    if kind == "BOOLEAN":
        return wire["booleanMatcherData"]
    if kind == "IN_SPLIT":
        data = wire["dependencyMatcherData"]
        return {"splitName": data["split"], "treatment": data["treatments"][0], "treatments": data["treatments"]}
    data = wire["betweenStringMatcherData" if kind == "BETWEEN_SEMVER" else "betweenMatcherData"]
    return {"from": data["start"], "to": data["end"]}
