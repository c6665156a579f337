"""What JSON Schema cannot say of flags and segments: that what they name exists. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trackside import catalog
from trackside.errors import TracksideError
from trackside.launchdarkly.model import Item

CONTRACT = "launchdarkly/flag-file"


def contract_faults(data: Mapping[str, Any]) -> list[TracksideError]:
    """Return where flags and segments are not what every SDK takes (launchdarkly.flags.contract).

    One wrong type makes an SDK refuse all flags, and wait: such data must never be served.

    Args:
        data: as a flag file has it: ``flags``, ``flagValues``, ``segments``.
    """
    if catalog.validator(CONTRACT).is_valid(data):
        return []
    return [TracksideError(fault.what, fault.at, fault.fix) for fault in catalog.faults(CONTRACT, data)]


def reference_faults(flags: Mapping[str, Item], segments: Mapping[str, Item]) -> Iterator[TracksideError]:
    """Yield each variation, prerequisite and segment that a flag names and that is not there (launchdarkly.flags.references).

    Args:
        flags: by key; they keep their contract.
        segments: likewise.
    """
    for key, flag in flags.items():
        yield from _key_faults(["flags", key], key, flag)
        yield from _variation_faults(["flags", key], flag)
        for index, wanted in enumerate(flag.get("prerequisites") or ()):
            place: list[str | int] = ["flags", key, "prerequisites", index]
            yield from _known([*place, "key"], "flag", wanted["key"], flags)
            yield from _wanted_faults([*place, "variation"], wanted, flags)
        yield from _clause_faults(["flags", key], flag, segments)
        yield from _circle_faults(key, flags)
    for key, segment in segments.items():
        yield from _key_faults(["segments", key], key, segment)
        yield from _clause_faults(["segments", key], segment, segments)


def _key_faults(place: list[str | int], key: str, item: Item) -> Iterator[TracksideError]:
    if item.get("key", key) != key:
        what = f"the key is {item['key']!r}, and it stands under {key!r}"
        yield TracksideError(
            what, catalog.json_path([*place, "key"]), "give both the same name, or take the inner key away"
        )


def _variation_faults(place: list[str | int], flag: Item) -> Iterator[TracksideError]:
    count = len(flag.get("variations") or ())
    for path, index in _variations_named(flag):
        if not 0 <= index < count:
            what = f"variation {index} is none of the flag's {count}"
            fix = "name one by its number, which counts from 0"
            yield TracksideError(what, catalog.json_path([*place, *path]), fix)
    for path, part in _serving(flag):
        if (flag.get("on") or path != ["fallthrough"]) and part.get("variation") is None and not part.get("rollout"):
            what, fix = "it serves nothing: there is neither a variation nor a rollout", "add variation: 0"
            yield TracksideError(what, catalog.json_path([*place, *path]), fix)


def _wanted_faults(place: list[str | int], wanted: Item, flags: Mapping[str, Item]) -> Iterator[TracksideError]:
    """Yield a prerequisite that no context fulfils, as its flag has no such variation."""
    flag, index = flags.get(wanted["key"]), wanted["variation"]
    count = len((flag or {}).get("variations") or ())
    if flag is not None and index >= count:
        what = f"variation {index} is none of the {count} of {wanted['key']}"
        yield TracksideError(what, catalog.json_path(place), "name one by its number, which counts from 0")


def _serving(flag: Item) -> Iterator[tuple[list[str | int], Item]]:
    """Yield each part of a flag that serves a variation or a rollout, with its place in the flag."""
    yield ["fallthrough"], flag.get("fallthrough") or {}
    for index, rule in enumerate(flag.get("rules") or ()):
        yield ["rules", index], rule


def _variations_named(flag: Item) -> Iterator[tuple[list[str | int], int]]:
    """Yield each variation that a flag names, with its place in the flag."""
    if flag.get("offVariation") is not None:
        yield ["offVariation"], flag["offVariation"]
    for name in ("targets", "contextTargets"):
        for index, target in enumerate(flag.get(name) or ()):
            yield [name, index, "variation"], target["variation"]
    for path, part in _serving(flag):
        if part.get("variation") is not None:
            yield [*path, "variation"], part["variation"]
        for index, weighted in enumerate((part.get("rollout") or {}).get("variations") or ()):
            yield [*path, "rollout", "variations", index, "variation"], weighted["variation"]


def _clause_faults(place: list[str | int], item: Item, segments: Mapping[str, Item]) -> Iterator[TracksideError]:
    for number, rule in enumerate(item.get("rules") or ()):
        for index, clause in enumerate(rule.get("clauses") or ()):
            if clause["op"] == "segmentMatch":
                for position, name in enumerate(clause["values"]):
                    path = [*place, "rules", number, "clauses", index, "values", position]
                    yield from _known(path, "segment", name, segments)


def _circle_faults(key: str, flags: Mapping[str, Item]) -> Iterator[TracksideError]:
    """Yield a flag that is, over whatever others, its own prerequisite."""
    seen: set[str] = set()
    rest = [key]
    while rest:
        for wanted in (flags.get(rest.pop()) or {}).get("prerequisites") or ():
            if wanted["key"] == key:
                what, fix = (
                    f"{key} is its own prerequisite, by way of others",
                    "take one prerequisite of the circle away",
                )
                yield TracksideError(what, catalog.json_path(["flags", key, "prerequisites"]), fix)
                return
            if wanted["key"] not in seen:
                seen.add(wanted["key"])
                rest.append(wanted["key"])


def _known(path: Sequence[str | int], what: str, name: Any, known: Mapping[str, Item]) -> Iterator[TracksideError]:
    if not isinstance(name, str) or name not in known:
        yield TracksideError(f"there is no {what} {name!r}", catalog.json_path(path), did_you_mean(str(name), known))


def did_you_mean(name: str, known: Mapping[str, Any] | Sequence[str]) -> str:
    """Return the advice for a name that is none of the known ones."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.75)
    return f"did you mean {close[0]}?" if close else f"use one of: {', '.join(known) or 'none is declared'}"
