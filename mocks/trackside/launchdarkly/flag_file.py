"""LaunchDarkly's own flag files: the file-data format in JSON or YAML, which a dump of ``/sdk/latest-all`` is too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trackside import catalog
from trackside.errors import TracksideError
from trackside.launchdarkly import file_text
from trackside.launchdarkly.item_checks import contract_faults, reference_faults
from trackside.launchdarkly.model import Item, complete_flag, complete_segment


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
        data = file_text.parsed(text, is_json=path.suffix == ".json")
    except UnicodeDecodeError as error:
        fault = TracksideError(f"the flag file is not UTF-8: {error.reason}", str(path), "save it as UTF-8")
        return FlagFile(faults=[fault])
    except file_text.UnparsableError as error:
        return FlagFile(faults=[TracksideError(error.what, f"{path}{error.where}", error.fix)])
    except (OSError, ValueError) as error:  # a path with a NUL in it, for one
        why = getattr(error, "strerror", error)
        return FlagFile(
            faults=[TracksideError(f"the flag file cannot be read: {why}", str(path), "name a JSON or YAML file")]
        )
    found = _contents(data)
    if not found.faults and file_text.is_plain(text):  # finding places takes seconds in a big file
        return found
    places = file_text.places(text)
    faults = _placed([*found.faults, *places.faults], path, places.lines)
    return FlagFile(faults=faults) if faults else found


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


def _placed(faults: Sequence[TracksideError], path: Path, lines: Mapping[str, int]) -> list[TracksideError]:
    """Return faults with their file and line, in the order of the lines."""
    placed = []
    for fault in faults:
        line = catalog.nearest_line(fault.where, lines) or 1
        placed.append((line, TracksideError(fault.what, f"{path}:{line}: {fault.where}", fault.fix)))
    return [fault for _, fault in sorted(placed, key=lambda pair: pair[0])]
