"""LaunchDarkly's own flag files: the file-data format in JSON or YAML, which a dump of ``/sdk/latest-all`` is too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from trackside import catalog
from trackside.errors import TracksideError
from trackside.launchdarkly.item_checks import contract_faults, reference_faults
from trackside.launchdarkly.model import Item, complete_flag, complete_segment

_TEXT, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"


@dataclass(slots=True)
class FlagFile:
    """What a flag file holds.

    Attributes:
        flags: by key, each complete.
        segments: by key, each complete.
        faults: what is wrong, each with ``FILE:LINE: $.path``; then there are neither flags nor segments.
    """

    flags: dict[str, Item] = field(default_factory=dict)
    segments: dict[str, Item] = field(default_factory=dict)
    faults: list[TracksideError] = field(default_factory=list)


def read(path: Path) -> FlagFile:
    """Return what a flag file holds (launchdarkly.flags.file).

    A ``flagValues`` entry is a flag that is on and has one variation. A key that stands twice is a fault, as in the SDKs
    (launchdarkly.flags.file-key-twice); entries of a dump that are ``deleted`` are left out.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = _parsed(text, is_json=path.suffix == ".json")
    except OSError as error:
        fault = TracksideError(f"the flag file cannot be read: {error.strerror}", str(path), "name a JSON or YAML file")
        return FlagFile(faults=[fault])
    except UnicodeDecodeError as error:
        fault = TracksideError(f"the flag file is not UTF-8: {error.reason}", str(path), "save it as UTF-8")
        return FlagFile(faults=[fault])
    except _UnparsableError as error:
        return FlagFile(faults=[TracksideError(error.what, f"{path}{error.where}", error.fix)])
    found = _contents(data)
    found.faults += _key_faults(text)
    found.faults = _placed(found.faults, path, text) if found.faults else []
    return FlagFile(faults=found.faults) if found.faults else found


class _UnparsableError(TracksideError):
    """A file that is neither JSON nor YAML."""


def _parsed(text: str, *, is_json: bool) -> Any:
    """Return a file's content as JSON has it."""
    try:
        return orjson.loads(orjson.dumps(_document(text, is_json=is_json), option=orjson.OPT_NON_STR_KEYS))
    except TypeError as error:
        fix = "write text, numbers up to 64 bits, lists and mappings"
        raise _UnparsableError(f"the flag file holds what JSON cannot: {error}", "", fix) from error


def _document(text: str, *, is_json: bool) -> Any:
    """Return a parsed file; one that is not called JSON may be JSON all the same, with tabs, which YAML does not take."""
    import yaml  # noqa: PLC0415 - only a workspace with a flag file needs it

    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if is_json:
            where = f":{error.lineno}:{error.colno}"
            raise _UnparsableError(f"the flag file is not JSON: {error.msg}", where, "mend the syntax there") from error
    try:
        return yaml.load(text, _loader())  # noqa: S506 - a safe loader, see there
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        told = getattr(error, "problem", None) or error
        raise _UnparsableError(f"the flag file is not YAML: {told}", where, "mend the syntax there") from error


def _loader() -> Any:
    """Return YAML's safe loader, the fast one where the package was built with it."""
    import yaml  # noqa: PLC0415 - see above

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _contents(data: Any) -> FlagFile:
    """Return a parsed file's flags and segments, faults with the path alone."""
    if faults := contract_faults(data):
        return FlagFile(faults=faults)
    flags = {key: flag for key, flag in (data.get("flags") or {}).items() if not flag.get("deleted")}
    segments = {key: one for key, one in (data.get("segments") or {}).items() if not one.get("deleted")}
    values: Mapping[str, Any] = data.get("flagValues") or {}
    faults = list(reference_faults({**flags, **{key: _of_value(key, values[key]) for key in values}}, segments))
    for key in values:
        if key in flags:
            what, fix = f"{key} is declared in flags and in flagValues", "take one of them away"
            faults.append(TracksideError(what, catalog.json_path(["flagValues", key]), fix))
    return FlagFile(
        {
            **{key: complete_flag({**flag, "key": key}) for key, flag in flags.items()},
            **{key: complete_flag(_of_value(key, value)) for key, value in values.items()},
        },
        {key: complete_segment({**segment, "key": key}) for key, segment in segments.items()},
        faults,
    )


def _of_value(key: str, value: Any) -> Item:
    return {"key": key, "on": True, "variations": [value], "offVariation": 0, "fallthrough": {"variation": 0}}


# ---- places


def _placed(faults: Sequence[TracksideError], path: Path, text: str) -> list[TracksideError]:
    """Return faults with their file and line, in the order of the lines."""
    lines = dict(_lines(_node(text), "$"))
    placed = []
    for fault in faults:
        place = fault.where
        while place and place not in lines:
            place = place.rpartition("." if place.rfind(".") > place.rfind("[") else "[")[0]
        line = lines.get(place, 0)
        where = f"{path}:{line}: {fault.where}" if line else f"{path}: {fault.where}"
        placed.append((line, TracksideError(fault.what, where, fault.fix)))
    return [fault for _, fault in sorted(placed, key=lambda pair: pair[0])]


def _node(text: str) -> Any:
    """Return the file's nodes with their lines; JSON is YAML too, but for tabs, and then there are none."""
    import yaml  # noqa: PLC0415 - see above

    try:
        return yaml.compose(text, _loader())
    except yaml.YAMLError:
        return None


def _lines(node: Any, place: str) -> Iterator[tuple[str, int]]:
    """Yield the JSON path of each node with its line."""
    if node is None:
        return
    yield place, node.start_mark.line + 1
    if node.id == "mapping":
        for key, value in node.value:
            inner = place + catalog.json_path([str(key.value)]).removeprefix("$")
            yield inner, key.start_mark.line + 1
            yield from ((at, line) for at, line in _lines(value, inner) if at != inner)
    elif node.id == "sequence":
        for index, value in enumerate(node.value):
            yield from _lines(value, f"{place}[{index}]")


def _key_faults(text: str) -> list[TracksideError]:
    """Return each key that is no text, such as YAML's unquoted ``on``, and each that is given twice."""
    return [] if _is_json_of_unique_keys(text) else list(_twice_or_no_text(_node(text), "$"))


def _is_json_of_unique_keys(text: str) -> bool:
    """Return whether a file is JSON without a key given twice: finding places takes YAML seconds in a big one."""

    def unique(pairs: list[tuple[str, Any]]) -> None:
        if len(dict(pairs)) < len(pairs):
            raise ValueError

    try:
        json.loads(text, object_pairs_hook=unique)
    except ValueError:
        return False
    return True


def _twice_or_no_text(node: Any, place: str) -> Iterator[TracksideError]:
    seen: dict[str, int] = {}
    for key, value in node.value if node is not None and node.id == "mapping" else ():
        name, at = str(key.value), place + catalog.json_path([str(key.value)]).removeprefix("$")
        if key.tag not in (_TEXT, _MERGE):
            yield TracksideError(f"the key {name} is read as {key.tag.rpartition(':')[2]}", at, "put it in quotes")
        elif name in seen and key.tag == _TEXT:
            yield TracksideError(
                f"the key {name} is given twice", at, f"take this one or that of line {seen[name]} away"
            )
        seen[name] = key.start_mark.line + 1
        yield from _twice_or_no_text(value, at)
    for index, item in enumerate(node.value if node is not None and node.id == "sequence" else ()):
        yield from _twice_or_no_text(item, f"{place}[{index}]")
