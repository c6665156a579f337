"""What a test, the command line or the control API makes of a flag: a new flag, the old one stays as it is. Pure."""

from __future__ import annotations

from typing import Any

import orjson

from trackside.errors import TracksideError
from trackside.launchdarkly.model import Item, name_of
from trackside.launchdarkly.short_form import flag_of, is_percentages

WHERE = "flag"


def new_flag(key: str, serve: Any) -> Item:
    """Return a flag that serves a value or percentages to everyone; true and false make a boolean flag."""
    faults: list[TracksideError] = []
    made = flag_of(key, {"serve": _as_json(key, serve)}, "", faults)
    if faults:
        raise TracksideError(faults[0].what, f"{WHERE} {key}", faults[0].fix)
    return made


def serving(flag: Item, serve: Any) -> Item:
    """Return a flag that is on and serves a value or percentages to whom no target and no rule is about.

    A value that is none of its variations becomes one where it is of the same kind, as each flag is of one kind
    (launchdarkly.flags.new-variation).

    Raises:
        TracksideError: the value is of another kind, or the percentages do not add up to 100.
    """
    serve = _as_json(flag["key"], serve)
    if not is_percentages(serve) or _index(flag, serve) is not None:
        flag, index = with_variation(flag, serve)
        return {**flag, "on": True, "fallthrough": {"variation": index}}
    made = new_flag(flag["key"], serve)
    parts = []
    for weighted in made["fallthrough"]["rollout"]["variations"]:
        flag, index = with_variation(flag, made["variations"][weighted["variation"]])
        parts.append({**weighted, "variation": index})
    before = flag["fallthrough"].get("rollout") or made["fallthrough"]["rollout"]
    return {**flag, "on": True, "fallthrough": {"rollout": {**before, "variations": parts}}}


def switched(flag: Item, *, on: bool) -> Item:
    """Return a flag that is on or off."""
    return {**flag, "on": on}


def targeting(flag: Item, key: str, value: Any, kind: str = "user") -> Item:
    """Return a flag that serves a value to one context, and is on."""
    flag, variation = with_variation(flag, _as_json(flag["key"], value))
    users = _with_key(flag["targets"], "user", variation, key) if kind == "user" else flag["targets"]
    others = [one for one in flag["contextTargets"] if one.get("contextKind", "user") != "user"]
    if kind != "user":
        others = _with_key(others, kind, variation, key)
    # Where there are context targets they give the order, and one of a user points to the target with the keys.
    pointers = [{"contextKind": "user", "variation": one["variation"], "values": []} for one in users] if others else []
    return {**flag, "on": True, "targets": users, "contextTargets": [*pointers, *others]}


def with_variation(flag: Item, value: Any) -> tuple[Item, int]:
    """Return a flag that has a variation, and the variation's number.

    Raises:
        TracksideError: its other variations are of another kind.
    """
    index = _index(flag, value)
    if index is not None:
        return flag, index
    kinds = {_kind(known) for known in flag["variations"]}
    if kinds and _kind(value) not in kinds:
        known = ", ".join(name_of(one) for one in flag["variations"])
        what = f"{flag['key']} cannot serve {name_of(value)}: its variations are of another kind"
        raise TracksideError(what, f"{WHERE} {flag['key']}", f"serve one of: {known}")
    return {**flag, "variations": [*flag["variations"], value]}, len(flag["variations"])


def _index(flag: Item, value: Any) -> int | None:
    """Return the number of a variation: by its value, else by its name, where text stands for it."""
    same = [number for number, known in enumerate(flag["variations"]) if _text(known) == _text(value)]
    named = [number for number, known in enumerate(flag["variations"]) if name_of(known) == value]
    return next(iter([*same, *named]), None)


def _with_key(targets: list[Item], kind: str, variation: int, key: str) -> list[Item]:
    """Return targets in which a key stands for one variation only."""
    named = {"contextKind": kind} if kind != "user" else {}
    kept = [
        {**one, "values": [value for value in one["values"] if value != key]} if _kind_of(one) == kind else one
        for one in targets
    ]
    for number, one in enumerate(kept):
        if _kind_of(one) == kind and one["variation"] == variation:
            return [*kept[:number], {**one, "values": [*one["values"], key]}, *kept[number + 1 :]]
    return [*kept, {**named, "variation": variation, "values": [key]}]


def _kind_of(target: Item) -> str:
    return target.get("contextKind") or "user"


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", str: "text", int: "number", float: "number"}
    return kinds.get(type(value), "JSON")


def _text(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _as_json(key: str, value: Any) -> Any:
    """Return a value as JSON has it, tuples as lists and keys as text: ``{True: 50, False: 50}`` are percentages too.

    Raises:
        TracksideError: JSON has no such value.
    """
    try:
        return orjson.loads(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))
    except TypeError as error:
        what = f"{key} cannot serve {value!r}: {error}"
        raise TracksideError(what, f"{WHERE} {key}", "serve a boolean, text, a number or JSON") from error
