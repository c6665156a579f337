"""Split definitions made of the workspace's short form, with every field that some SDK needs. Pure functions.

The strict set of fields: SDKs that miss one of them never become ready, or throw (split.sdk.strict-fields).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from trackside.catalog import json_path
from trackside.errors import TracksideError
from trackside.split.changes import Definition

CONTROL = "control"
"""The treatment that SDKs give where they cannot evaluate; no flag may serve it."""

ON_OFF = ("on", "off")


def seed(name: str) -> int:
    """Return a flag's seed, a signed 32-bit number other than 0: the same name always has the same (split.sdk.seed).

    >>> seed("banner") == seed("banner") != seed("banner:allocation")
    True
    """
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "big", signed=True) or 1


def treatment(value: Any, place: str) -> str:
    """Return a treatment's name; YAML's ``on`` and ``off`` arrive as true and false (split.sdk.flags).

    Raises:
        TracksideError: it is no name of a treatment.
    """
    if isinstance(value, bool):
        return "on" if value else "off"
    if not isinstance(value, str) or not value or value == CONTROL:
        raise TracksideError(f"{value!r} is no treatment", place, f"name a treatment, other than {CONTROL!r}")
    return value


def text(value: Any, what: str, place: str) -> str:
    """Return a name or a key.

    Raises:
        TracksideError: it is no text, or a blank one.
    """
    if not isinstance(value, str) or not value.strip():
        raise TracksideError(f"{what} is {value!r}", place, "give a text")
    return value


def partitions(serve: Any, place: str, known: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return the partitions of what a rule serves: every known treatment, together 100 percent (split.sdk.strict-fields).

    Args:
        serve: one treatment, or whole percentages by treatment.
        place: for the error.
        known: further treatments, which get nothing.

    Raises:
        TracksideError: the percentages do not add up to 100, or a name is no treatment.

    >>> partitions("on", "", ["on", "off"])
    [{'treatment': 'on', 'size': 100}, {'treatment': 'off', 'size': 0}]
    """
    rows = serve.items() if isinstance(serve, Mapping) else [(serve, 100)]
    sizes = {treatment(name, place): size for name, size in rows}
    wrong = [size for size in sizes.values() if isinstance(size, bool) or not isinstance(size, int) or size < 0]
    if wrong or sum(sizes.values()) != 100:
        shown = ", ".join(f"{name}: {size}" for name, size in sizes.items()) or "nothing"
        raise TracksideError(f"the percentages do not add up to 100: {shown}", place, "give whole percentages that do")
    sizes |= {name: 0 for name in known if name not in sizes}
    return [{"treatment": name, "size": size} for name, size in sizes.items()]


# ---- conditions


def matcher(kind: str, attribute: str | None = None, traffic_type: str = "user", **data: Any) -> dict[str, Any]:
    """Return one matcher; an attribute of None is the key itself."""
    selector = {"trafficType": traffic_type, "attribute": attribute}
    return {"keySelector": selector, "matcherType": kind, "negate": False, **data}


def whitelist(keys: Iterable[str], served: str) -> dict[str, Any]:
    """Return the condition that gives keys a treatment, whatever the rules say."""
    one = matcher("WHITELIST", whitelistMatcherData={"whitelist": list(keys)})
    return {
        "conditionType": "WHITELIST",
        "label": "whitelisted",
        "matcherGroup": {"combiner": "AND", "matchers": [{**one, "keySelector": None}]},
        "partitions": [{"treatment": served, "size": 100}],
    }


def rollout(matchers: list[dict[str, Any]], served: list[dict[str, Any]], label: str) -> dict[str, Any]:
    """Return the condition of a rule, or of the default rule."""
    group = {"combiner": "AND", "matchers": matchers}
    return {"conditionType": "ROLLOUT", "label": label, "matcherGroup": group, "partitions": served}


def default_rule(served: list[dict[str, Any]], traffic_type: str = "user") -> dict[str, Any]:
    """Return the condition that every key meets which met none before."""
    return rollout([matcher("ALL_KEYS", None, traffic_type)], served, "default rule")


_SEGMENTS = {
    "segment": ("IN_SEGMENT", "userDefinedSegmentMatcherData", "segmentName"),
    "rule_based_segment": ("IN_RULE_BASED_SEGMENT", "userDefinedSegmentMatcherData", "segmentName"),
    "large_segment": ("IN_LARGE_SEGMENT", "userDefinedLargeSegmentMatcherData", "largeSegmentName"),
}
"""By the word of the short form: the matcher and where it holds the segment's name."""


def rule_matchers(rule: Mapping[str, Any], place: str, traffic_type: str = "user") -> tuple[list[dict[str, Any]], str]:
    """Return the matchers of a short rule, all of which have to match, and their label.

    Raises:
        TracksideError: an attribute is compared with what no matcher takes.
    """
    matchers, labels = [], []
    for word, (kind, field, inner) in _SEGMENTS.items():
        if word in rule:
            matchers.append(matcher(kind, None, traffic_type, **{field: {inner: rule[word]}}))
            labels.append(f"in segment {rule[word]}")
    for attribute, value in rule.get("if", {}).items():
        matchers.append(_attribute_matcher(attribute, value, traffic_type, place + json_path(["if", attribute])[1:]))
        labels.append(f"{attribute} {'in list' if isinstance(value, list) else 'is'} {value}")
    if not matchers:
        raise TracksideError("the rule matches nobody", place, f"give it one of: if, {', '.join(_SEGMENTS)}")
    return matchers, " and ".join(labels)


def _attribute_matcher(attribute: str, value: Any, traffic_type: str, place: str) -> dict[str, Any]:
    if isinstance(value, bool):
        return matcher("EQUAL_TO_BOOLEAN", attribute, traffic_type, booleanMatcherData=value)
    if isinstance(value, int):
        data = {"dataType": "NUMBER", "value": value}
        return matcher("EQUAL_TO", attribute, traffic_type, unaryNumericMatcherData=data)
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise TracksideError(f"{attribute} is compared with {value!r}", place, "give a text, texts, a whole number, true or false")  # fmt: skip
    return matcher("WHITELIST", attribute, traffic_type, whitelistMatcherData={"whitelist": texts})


# ---- flags


def flag(name: str, row: Mapping[str, Any], place: str) -> Definition:
    """Return the definition of a flag's short form (split.sdk.flags).

    Args:
        name: of the flag.
        row: ``serve`` and what else the workspace's contract has.
        place: of the flag, for errors.

    Raises:
        TracksideError: it cannot be served as it is written.
    """
    known, traffic_type = treatments(row, place), row.get("traffic_type", "user")
    served = partitions(row.get("serve", "off"), f"{place}.serve", known)
    conditions = [whitelist(keys, treatment(to, f"{place}.keys")) for to, keys in row.get("keys", {}).items()]
    for index, rule in enumerate(row.get("rules", ())):
        at = f"{place}.rules[{index}]"
        matchers, label = rule_matchers(rule, at, traffic_type)
        conditions.append(rollout(matchers, partitions(rule["serve"], f"{at}.serve", known), label))
    default = treatment(row["default"], f"{place}.default") if "default" in row else _default_of(known)
    return {
        "trafficTypeName": traffic_type,
        "name": name,
        "status": "ACTIVE",
        "killed": bool(row.get("killed", False)),
        "defaultTreatment": default,
        "changeNumber": 0,
        "algo": 2,
        "seed": seed(name),
        "trafficAllocation": row.get("allocation", 100),
        "trafficAllocationSeed": seed(f"{name}:allocation"),
        "configurations": configurations(row.get("config", {}), f"{place}.config"),
        "sets": list(row.get("sets", ())),
        "impressionsDisabled": not row.get("track", True),
        "prerequisites": [],
        "conditions": [*conditions, default_rule(served, traffic_type)],
    }


def new(name: str) -> Definition:
    """Return the definition of a flag that is made without being declared: it serves ``off``.

    Raises:
        TracksideError: it has no name.
    """
    name = text(name, "the name of a flag", f"split flag {name!r}")
    return flag(name, {"serve": "off"}, name)


def treatments(row: Mapping[str, Any], place: str) -> list[str]:
    """Return the treatments of a short form: those that it lists, else those that it uses.

    Raises:
        TracksideError: it lists some, and uses another one.
    """
    used: dict[str, str] = {}
    serves = [(row.get("serve", "off"), "serve")]
    serves += [(rule.get("serve"), f"rules[{index}].serve") for index, rule in enumerate(row.get("rules", ()))]
    serves += [(served, word) for word in ("keys", "config") for served in row.get(word, ())]
    serves += [(row["default"], "default")] if "default" in row else []
    for served, word in serves:
        for one in served if isinstance(served, Mapping) else [served]:
            used.setdefault(treatment(one, f"{place}.{word}"), f"{place}.{word}")
    if "treatments" not in row:
        return [*used, *(name for name in ON_OFF if name not in used and used.keys() <= set(ON_OFF))]
    listed = [treatment(one, f"{place}.treatments") for one in row["treatments"]]
    for name, at in used.items():
        if name not in listed:
            raise TracksideError(f"there is no treatment {name!r}", at, f"listed are: {', '.join(listed)}")
    return listed


def _default_of(known: list[str]) -> str:
    return "off" if "off" in known else known[-1]


def configurations(config: Mapping[Any, Any], place: str) -> dict[str, str]:
    """Return the configuration of each treatment as SDKs get it: text, JSON where it was given as a mapping or list.

    Raises:
        TracksideError: one cannot be written as JSON.
    """
    return {treatment(name, place): value if isinstance(value, str) else _as_json(value, place) for name, value in config.items()}  # fmt: skip


def _as_json(value: Any, place: str) -> str:
    import orjson  # noqa: PLC0415 - only flags with configurations need it

    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError as error:
        what = f"the configuration cannot be written as JSON: {error}"
        raise TracksideError(what, place, "write text, numbers, lists and mappings") from error


def rule_based_segment(name: str, row: Mapping[str, Any], place: str) -> Definition:
    """Return the definition of a rule-based segment's short form (split.sdk.rule-based-segments).

    Raises:
        TracksideError: one of its rules matches nobody.
    """
    conditions = []
    for index, rule in enumerate(row.get("rules", ())):
        matchers, _ = rule_matchers(rule, f"{place}.rules[{index}]")
        conditions.append({"conditionType": "ROLLOUT", "matcherGroup": {"combiner": "AND", "matchers": matchers}})
    excluded = row.get("excluded", {})
    segments = [{"name": one, "type": "standard"} for one in excluded.get("segments", ())]
    return {
        "name": name,
        "status": "ACTIVE",
        "trafficTypeName": "user",
        "changeNumber": 0,
        "excluded": {"keys": list(excluded.get("keys", ())), "segments": segments},
        "conditions": conditions,
    }


# ---- what tests and the control API change


def used_treatments(definition: Definition) -> list[str]:
    """Return the treatments of a definition, in the order of its conditions from the last to the first."""
    rows = [one["treatment"] for condition in reversed(definition["conditions"]) for one in condition["partitions"]]
    return list(dict.fromkeys([*rows, *definition.get("configurations", {})]))


def serving(definition: Definition, serve: Any, place: str) -> Definition:
    """Return a definition that serves a treatment, or percentages, to every key: rules, keys and a kill are gone.

    Raises:
        TracksideError: it cannot serve that.
    """
    served = partitions(serve, place, used_treatments(definition))
    rule = default_rule(served, definition["trafficTypeName"])
    return {**definition, "killed": False, "trafficAllocation": 100, "conditions": [rule]}


def targeting(definition: Definition, key: str, served: Any, place: str) -> Definition:
    """Return a definition that gives one key a treatment, whatever else it says.

    Raises:
        TracksideError: that is no treatment, or no key.
    """
    key = text(key, "the key", place)
    kept = [_without(condition, key) for condition in definition["conditions"]]
    conditions = [condition for condition in kept if condition is not None]
    return {**definition, "conditions": [whitelist([key], treatment(served, place)), *conditions]}


def _without(condition: dict[str, Any], key: str) -> dict[str, Any] | None:
    """Return a condition whose whitelist lacks a key; None where nobody is left."""
    matchers = condition["matcherGroup"]["matchers"]
    if condition["conditionType"] != "WHITELIST" or matchers[0]["matcherType"] != "WHITELIST":
        return condition
    keys = [one for one in matchers[0]["whitelistMatcherData"]["whitelist"] if one != key]
    changed = {**matchers[0], "whitelistMatcherData": {"whitelist": keys}}
    return {**condition, "matcherGroup": {"combiner": "AND", "matchers": [changed]}} if keys else None


def served(definition: Definition) -> str | dict[str, int]:
    """Return what the default rule serves: one treatment, or percentages."""
    if definition["killed"]:
        return str(definition["defaultTreatment"])
    sizes = {one["treatment"]: one["size"] for one in definition["conditions"][-1]["partitions"] if one["size"]}
    return next(iter(sizes)) if len(sizes) == 1 else sizes
