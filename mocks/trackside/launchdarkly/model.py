"""A flag and a segment as LaunchDarkly's SDKs download them: every field filled in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import orjson

Item: TypeAlias = dict[str, Any]
"""A flag or a segment as SDKs have it. Items are never changed in place: SDK evaluators and streams hold them too."""

Kind: TypeAlias = Literal["flags", "segments"]

MOST = 2**53 - 1
"""The highest whole number that every SDK's language has."""

WHOLE = 100_000
"""All weights of a rollout together: thousandths of a percent."""


def complete_flag(flag: Item) -> Item:
    """Return a flag with every field that any SDK wants; what it has stays as it is (launchdarkly.flags.complete).

    A flag that says nothing of client-side SDKs is there for all of them (launchdarkly.flags.availability).

    Args:
        flag: with at least its ``key``.

    >>> complete_flag({"key": "banner", "variations": ["a"], "fallthrough": {"variation": 0}})["version"]
    1
    """
    given, key = _given(flag), flag["key"]
    whole: Item = {
        "key": key,
        "version": 1,
        "on": False,
        "deleted": False,
        "variations": [],
        "offVariation": None,
        "fallthrough": {},
        "prerequisites": [],
        "targets": [],
        "contextTargets": [],
        "salt": key,
        "trackEvents": False,
        "trackEventsFallthrough": False,
        "debugEventsUntilDate": None,
        **given,
    }
    whole["rules"] = [_complete_rule(rule, number) for number, rule in enumerate(given.get("rules", ()))]
    available = availability(given)
    return {**whole, "clientSideAvailability": available, "clientSide": available["usingEnvironmentId"]}


def complete_segment(segment: Item) -> Item:
    """Return a segment with every field that any SDK wants (launchdarkly.flags.complete)."""
    given = _given(segment)
    whole: Item = {
        "key": segment["key"],
        "version": 1,
        "deleted": False,
        "included": [],
        "excluded": [],
        "includedContexts": [],
        "excludedContexts": [],
        "salt": segment["key"],
        "unbounded": False,
        **given,
    }
    whole["rules"] = [_complete_rule(rule, number) for number, rule in enumerate(given.get("rules", ()))]
    return whole


def availability(flag: Item) -> dict[str, bool]:
    """Return which client-side SDKs get a flag, ``usingEnvironmentId`` and ``usingMobileKey``.

    Old data has only ``clientSide``, which is about client-side IDs. A flag that says nothing is available to all of
    them (launchdarkly.flags.availability).
    """
    told = flag.get("clientSideAvailability")
    by_id = flag.get("clientSide", True) is True
    if not isinstance(told, dict):
        return {"usingMobileKey": True, "usingEnvironmentId": by_id}
    names = ("usingMobileKey", "usingEnvironmentId")
    return {name: told.get(name, default) is True for name, default in zip(names, (True, by_id), strict=True)}


def is_same(one: Item, other: Item) -> bool:
    """Return whether two items differ in nothing but their version."""
    return one is other or _but_version(one) == _but_version(other)


def _but_version(item: Item) -> bytes:
    """Return an item as JSON: to Python, a variation of 1 would be the same as one of true."""
    return orjson.dumps({**item, "version": 0}, option=orjson.OPT_SORT_KEYS)


def name_of(value: Any) -> str:
    """Return how a variation is named where only text can stand: text as it is, the rest as JSON.

    >>> [name_of(value) for value in ("blue", True, 7, None)]
    ['blue', 'true', '7', 'null']
    """
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def served(flag: Item) -> Any:
    """Return what a flag serves to whom no target and no rule is about: a value, or percentages by value.

    >>> flag = {"on": True, "variations": ["a", "b"], "fallthrough": {"variation": 1}}
    >>> served(flag), served({**flag, "on": False, "offVariation": 0})
    ('b', 'a')
    """
    if not flag["on"]:
        return _variation(flag, flag.get("offVariation"))
    rollout = flag["fallthrough"].get("rollout")
    if rollout is None:
        return _variation(flag, flag["fallthrough"].get("variation"))
    return {
        name_of(_variation(flag, part["variation"])): part["weight"] * 100 / WHOLE for part in rollout["variations"]
    }


def _variation(flag: Item, index: int | None) -> Any:
    return flag["variations"][index] if index is not None and 0 <= index < len(flag["variations"]) else None


def _given(item: Item) -> Item:
    """Return an item without what is null, and whole numbers as such: Python's SDK refuses all data for a 1.0."""
    return {name: whole_numbers(value) for name, value in item.items() if value is not None}


def whole_numbers(value: Any) -> Any:
    """Return JSON in which a number such as 1.0 is 1."""
    if isinstance(value, float) and value.is_integer() and abs(value) <= MOST:
        return int(value)
    if isinstance(value, Mapping):
        return {name: whole_numbers(inner) for name, inner in value.items()}
    return [whole_numbers(inner) for inner in value] if isinstance(value, list | tuple) else value


def _complete_rule(rule: Item, number: int) -> Item:
    clauses = [{"negate": False, **clause} for clause in rule.get("clauses", ())]
    return {"id": f"rule-{number + 1}", **rule, "clauses": clauses}
