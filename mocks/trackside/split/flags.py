"""The flags and segments that a workspace declares: its short form, and the vendor's own files."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trackside.catalog import json_path
from trackside.errors import TracksideError
from trackside.live import Declared
from trackside.split import definitions, localhost
from trackside.split.changes import Content, Definition
from trackside.split.flag_checks import circles
from trackside.split.settings import SplitSettings

BASE = "$.split"


def declared(settings: SplitSettings, folder: Path | None) -> Declared:
    """Return what each environment serves, a `Content` by its name, with what is wrong with it (split.sdk.flags).

    Args:
        settings: the workspace's block.
        folder: what ``flags_file`` is relative to; None where files are not to be read.
    """
    faults: list[TracksideError] = []
    path = folder / settings.flags_file if folder is not None and settings.flags_file else None
    read = localhost.read(path) if path is not None else localhost.Read()
    faults += read.faults
    faults += _twice(settings.flags, read.flags, "flags", settings.flags_file)
    faults += _twice(settings.rule_based_segments, read.rule_based_segments, "rule_based_segments", settings.flags_file)
    rule_based = {**read.rule_based_segments, **_rule_based(settings, faults)}
    contents = {}
    for environment in settings.environment_names:
        flags = {**read.flags, **_flags(settings, environment, faults)}
        ways = {name: way for name, way in circles(flags).items() if name in settings.flags}
        faults += [localhost.circle_fault(way, BASE + json_path(["flags", name])[1:]) for name, way in ways.items()]
        contents[environment] = Content(flags, rule_based, settings.segments, settings.large_segments)
    return Declared(contents, _once(faults), [path] if path is not None else [])


def _flags(settings: SplitSettings, environment: str, faults: list[TracksideError]) -> dict[str, Definition]:
    """Return the flags of the short form as one environment serves them; what is wrong goes to ``faults``."""
    made: dict[str, Definition] = {}
    for name, row in settings.flags.items():
        place = BASE + json_path(["flags", name])[1:]
        try:
            made[name] = _flag(settings, name, row, environment, place)
        except TracksideError as fault:
            faults.append(fault)
        faults += _reference_faults(settings, row, place)
    return made


def _flag(settings: SplitSettings, name: str, row: Any, environment: str, place: str) -> Definition:
    if not isinstance(row, Mapping):
        return definitions.flag(name, {"serve": row}, place)
    if "conditions" in row:
        flag = localhost.sanitized_flag({**row, "name": name})
        for fault in localhost.flag_faults(flag):
            raise TracksideError(fault.what, place + fault.where.removeprefix("$"), fault.fix)
        return flag
    own = row.get("environments", {})
    for other in own:
        if other not in settings.environment_names:
            known = ", ".join(settings.environment_names) or "none"
            raise TracksideError(
                f"there is no environment {other!r}", f"{place}.environments", f"declared are: {known}"
            )
    if environment not in own:
        return definitions.flag(name, row, place)
    changed = own[environment] if isinstance(own[environment], Mapping) else {"serve": own[environment]}
    at = place + json_path(["environments", environment])[1:]
    return definitions.flag(name, {**row, **changed}, at)


def _rule_based(settings: SplitSettings, faults: list[TracksideError]) -> dict[str, Definition]:
    made: dict[str, Definition] = {}
    for name, row in settings.rule_based_segments.items():
        place = BASE + json_path(["rule_based_segments", name])[1:]
        try:
            made[name] = definitions.rule_based_segment(name, row, place)
        except TracksideError as fault:
            faults.append(fault)
        faults += _reference_faults(settings, row, place)
    return made


def _reference_faults(settings: SplitSettings, row: Any, place: str) -> Iterator[TracksideError]:
    """Yield each segment that a short rule names and that is not declared; a file may hold the rule-based ones."""
    known = {"segment": settings.segments, "large_segment": settings.large_segments}
    if not settings.flags_file:
        known["rule_based_segment"] = settings.rule_based_segments
    for index, rule in enumerate(row.get("rules", ()) if isinstance(row, Mapping) else ()):
        for word, there in known.items():
            if word in rule and rule[word] not in there:
                close = difflib.get_close_matches(rule[word], there, n=1)
                fix = f"did you mean {close[0]}?" if close else f"declared are: {', '.join(there) or 'none'}"
                text = f"there is no {word.replace('_', ' ')} {rule[word]!r}"
                yield TracksideError(text, f"{place}.rules[{index}].{word}", fix)


def _twice(short: Mapping[str, Any], read: Mapping[str, Any], word: str, file: str) -> Iterator[TracksideError]:
    for name in short:
        if name in read:
            fix = "take one of the two away"
            yield TracksideError(f"{name} is also in {file}", BASE + json_path([word, name])[1:], fix)


def _once(faults: list[TracksideError]) -> list[TracksideError]:
    """Return faults that differ: each environment has those of the flags that it shares with others."""
    return list({str(fault): fault for fault in faults}.values())
