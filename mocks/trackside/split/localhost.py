"""The vendor's files of flags: localhost YAML, localhost JSON, and dumps of ``splitChanges``.

Fields that a file leaves out are filled in as the SDKs' own localhost mode does (split.sdk.flags-file.filled).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trackside import catalog
from trackside.errors import TracksideError
from trackside.split import definitions, flag_text
from trackside.split.changes import ARCHIVED, Definition
from trackside.split.flag_checks import circles, pattern_faults

_STATUSES = ("ACTIVE", ARCHIVED)
FLAG, RULE_BASED_SEGMENT = "split/split-definition", "split/rule-based-segment"


@dataclass(slots=True)
class Read:
    """What a file holds: split definitions and rule-based segments by name, and what is wrong with it."""

    flags: dict[str, Definition] = field(default_factory=dict)
    rule_based_segments: dict[str, Definition] = field(default_factory=dict)
    faults: list[TracksideError] = field(default_factory=list)


def read(path: Path) -> Read:
    """Return the flags of a file, complete, or what is wrong with them (split.sdk.flags-file).

    A fault's place is ``FILE:LINE: $.path``.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        return Read(faults=[TracksideError(f"the file is not UTF-8: {error.reason}", str(path), "save it as UTF-8")])
    except (OSError, ValueError) as error:  # a path with a NUL in it, for one
        why = getattr(error, "strerror", error)
        return Read(faults=[TracksideError(f"the file cannot be read: {why}", str(path), "name a file of flags")])
    document = flag_text.parsed(text, path)
    if isinstance(document, TracksideError):
        return Read(faults=[document])
    found = _of_document(document)
    if found.faults:
        lines = flag_text.lines(text)
        found.faults = [
            TracksideError(fault.what, _placed(path, fault.where, lines), fault.fix) for fault in found.faults
        ]
    return found


def _of_document(document: Any) -> Read:
    if isinstance(document, list):
        return _of_statements(document)
    if isinstance(document, Mapping) and "splits" in document:
        return _of_lists(document["splits"], [], "$.splits", "")
    if isinstance(document, Mapping) and isinstance(document.get("ff"), Mapping):
        rule_based = {} if document.get("rbs") is None else document["rbs"]
        if not isinstance(rule_based, Mapping):
            return Read(faults=[TracksideError("this is no object", "$.rbs", 'give {"d": [...]}, or leave it out')])
        rule_based = rule_based.get("d", [])
        return _of_lists(document["ff"].get("d", []), rule_based, "$.ff.d", "$.rbs.d")
    fix = 'write a list of flags as for localhost mode, or {"ff": {"d": [...]}}, or {"splits": [...]}'
    return Read(faults=[TracksideError("the file holds no flags", "$", fix)])


def _placed(path: Path, at: str, lines: Mapping[str, int]) -> str:
    line = catalog.nearest_line(at, lines)
    return f"{path}:{line}: {at}" if line else f"{path}: {at}"


# ---- localhost YAML


def _of_statements(rows: list[Any]) -> Read:
    """Return the flags of localhost YAML: each entry gives a flag's treatment to some keys or to everybody."""
    found, statements = Read(), dict[str, list[Mapping[str, Any]]]()
    for index, row in enumerate(rows):
        at = f"$[{index}]"
        if not isinstance(row, Mapping) or len(row) != 1:
            fix = 'write "- my_flag: {treatment: on}"'
            found.faults.append(TracksideError("the entry is no flag with its treatment", at, fix))
            continue
        [(name, data)] = row.items()
        try:
            statement = _statement(data, at + catalog.json_path([str(name)])[1:])
        except TracksideError as fault:
            found.faults.append(fault)
        else:
            statements.setdefault(str(name), []).append(statement)
    found.flags = {name: _of_flag(name, entries) for name, entries in statements.items()}
    return found


def _statement(data: Any, place: str) -> dict[str, Any]:
    if not isinstance(data, Mapping) or "treatment" not in data:
        raise TracksideError("the flag has no treatment", f"{place}.treatment", "say what it serves")
    keys = data.get("keys")
    keys = keys if isinstance(keys, list) or keys is None else [keys]
    if keys is not None and not all(isinstance(key, str | int) for key in keys):
        raise TracksideError(f"the keys are {keys!r}", f"{place}.keys", "give texts")
    treatment = definitions.treatment(data["treatment"], f"{place}.treatment")
    config = (
        definitions.configurations({treatment: data["config"]}, f"{place}.config")
        if data.get("config") is not None
        else {}
    )
    return {"treatment": treatment, "keys": keys and [str(key) for key in keys], "config": config}


def _of_flag(name: str, entries: list[Mapping[str, Any]]) -> Definition:
    """Return the definition of a flag's entries: those with keys first, as SDKs read them."""
    config: dict[str, str] = {}
    for entry in entries:
        config |= entry["config"]
    everybody = [entry["treatment"] for entry in entries if entry["keys"] is None]
    whitelists = [definitions.whitelist(entry["keys"], entry["treatment"]) for entry in entries if entry["keys"]]
    known = list(dict.fromkeys(entry["treatment"] for entry in entries))
    flag = definitions.flag(name, {"serve": everybody[0] if everybody else known[0], "treatments": known}, "$")
    if not everybody:  # keys that are not listed get what an SDK in localhost mode gives them
        flag = {**flag, "conditions": [_everybody("control")]}
    return {**flag, "defaultTreatment": "control", "configurations": config, "conditions": [*whitelists, *flag["conditions"]]}  # fmt: skip


def _everybody(treatment: str) -> dict[str, Any]:
    return definitions.default_rule([{"treatment": treatment, "size": 100}])


# ---- the wire format


def _of_lists(flags: Any, rule_based: Any, flags_at: str, rule_based_at: str) -> Read:
    found = Read()
    for rows, at, contract, kept in (
        (flags, flags_at, FLAG, found.flags),
        (rule_based, rule_based_at, RULE_BASED_SEGMENT, found.rule_based_segments),
    ):
        if not isinstance(rows, list):
            found.faults.append(TracksideError("this is no list of definitions", at, "give a list"))
            continue
        for index, row in enumerate(rows):
            found.faults += _take(row, f"{at}[{index}]", contract, kept)
    for name, way in circles(found.flags).items():
        index = next(index for index, row in enumerate(flags) if isinstance(row, Mapping) and row.get("name") == name)
        found.faults.append(circle_fault(way, f"{flags_at}[{index}]"))
    return found


def circle_fault(way: str, at: str) -> TracksideError:
    """Return the fault of a flag that depends on itself."""
    return TracksideError(f"the flag depends on itself: {way}", at, "take one of these dependencies away")


def _take(row: Any, at: str, contract: str, kept: dict[str, Definition]) -> Iterator[TracksideError]:
    """Keep a definition, or yield what is wrong with it."""
    name = row.get("name") if isinstance(row, Mapping) else None
    if not isinstance(name, str) or not name.strip():
        yield TracksideError("the definition has no name", f"{at}.name", "name it")
        return
    if name in kept:
        yield TracksideError(f"{name} is given twice", at, "take one of the two away")
    whole = sanitized_flag(row) if contract == FLAG else sanitized_segment(row)
    faults = flag_faults(whole) if contract == FLAG else contract_faults(whole, contract)
    for fault in faults:
        yield TracksideError(fault.what, at + fault.where.removeprefix("$"), fault.fix)
    if not faults and whole["status"] != ARCHIVED:
        kept[name] = whole


def sanitized_flag(row: Mapping[str, Any]) -> Definition:
    """Return a definition with what it leaves out, as SDKs fill it in (split.sdk.flags-file.filled).

    A definition without a last condition for everybody gets one that serves ``off``.
    """
    name = str(row["name"])
    flag = {
        "trafficTypeName": "user",
        "killed": False,
        "configurations": {},
        "sets": [],
        "impressionsDisabled": False,
        "prerequisites": [],
        **{key: value for key, value in row.items() if value is not None},
        "changeNumber": _filled(row.get("changeNumber"), 0, int),
        "algo": _filled(row.get("algo"), 2, int),
        "status": _filled(row.get("status"), "ACTIVE", str, _STATUSES.__contains__),
        "defaultTreatment": _filled(row.get("defaultTreatment"), "control", str, bool),
        "seed": _filled(row.get("seed"), definitions.seed(name), int, bool),
        "trafficAllocation": _filled(row.get("trafficAllocation"), 100, int, range(101).__contains__),
        "trafficAllocationSeed": _filled(
            row.get("trafficAllocationSeed"), definitions.seed(f"{name}:allocation"), int, bool
        ),
    }
    conditions = _filled(row.get("conditions"), [], list, bool)
    if isinstance(conditions, list) and not _ends_with_everybody(conditions):
        sizes = [{"treatment": "on", "size": 0}, {"treatment": "off", "size": 100}]
        conditions = [*conditions, definitions.default_rule(sizes)]
    return {**flag, "conditions": conditions}


def sanitized_segment(row: Mapping[str, Any]) -> Definition:
    """Return a rule-based segment with what it leaves out."""
    excluded = _filled(row.get("excluded"), {}, dict, bool)
    if isinstance(excluded, dict):
        excluded = {**excluded, **{part: _filled(excluded.get(part), [], list, bool) for part in ("keys", "segments")}}
    return {
        "trafficTypeName": "user",
        **row,
        "status": _filled(row.get("status"), "ACTIVE", str, _STATUSES.__contains__),
        "changeNumber": _filled(row.get("changeNumber"), 0, int),
        "excluded": excluded,
        "conditions": _filled(row.get("conditions"), [], list, bool),
    }


def _filled(value: Any, otherwise: Any, kind: type[Any], good: Callable[[Any], object] = lambda _: False) -> Any:
    """Return a field as SDKs fill it in: ``otherwise`` where it is missing or not ``good``.

    One of another type stays as it is, so that its contract is seen to be broken.
    """
    fits = type(value) is kind
    return otherwise if value is None or (fits and not good(value)) else value


def _ends_with_everybody(conditions: list[Any]) -> bool:
    last = conditions[-1] if conditions else None
    if not isinstance(last, Mapping) or last.get("conditionType") != "ROLLOUT":
        return False
    group = last.get("matcherGroup")
    matchers = group.get("matchers") if isinstance(group, Mapping) else None
    return isinstance(matchers, list) and any(
        isinstance(one, Mapping) and one.get("matcherType") == "ALL_KEYS" for one in matchers
    )


def flag_faults(flag: Definition) -> list[TracksideError]:
    """Return what is wrong with a definition; its partitions have to add up to 100 (split.sdk.strict-fields)."""
    if faults := contract_faults(flag, FLAG):
        return faults
    for index, condition in enumerate(flag["conditions"]):
        total = sum(one["size"] for one in condition["partitions"])
        if total != 100:
            at = f"$.conditions[{index}].partitions"
            faults.append(TracksideError(f"the partitions add up to {total}", at, "let them add up to 100"))
    return faults


def contract_faults(definition: Definition, contract: str) -> list[TracksideError]:
    """Return where a definition breaks its contract, or has a pattern that is none."""
    if catalog.validator(contract).is_valid(definition):
        return list(pattern_faults(definition))
    return [TracksideError(fault.what, fault.at, fault.fix) for fault in catalog.faults(contract, definition)]
