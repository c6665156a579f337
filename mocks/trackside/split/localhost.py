"""The vendor's files of flags: localhost YAML, localhost JSON, and dumps of ``splitChanges``.

Fields that a file leaves out are filled in as the SDKs' own localhost mode does (split.sdk.flags-file.filled).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from trackside import catalog
from trackside.errors import TracksideError
from trackside.split import definitions
from trackside.split.changes import ARCHIVED, Definition

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
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        return Read(faults=[TracksideError(f"the file cannot be read: {error.strerror}", str(path), "name a file of flags")])  # fmt: skip
    except UnicodeDecodeError as error:
        return Read(faults=[TracksideError(f"the file is not UTF-8: {error.reason}", str(path), "save it as UTF-8")])
    document = _parsed(text, path)
    if isinstance(document, TracksideError):
        return Read(faults=[document])
    found = _of_document(document)
    if found.faults:
        lines = _lines(text)
        found.faults = [
            TracksideError(fault.what, _placed(path, fault.where, lines), fault.fix) for fault in found.faults
        ]
    return found


def _parsed(text: str, path: Path) -> Any:
    """Return the content of a file, or why it has none: JSON where it begins as such or is named so, else YAML."""
    if path.suffix == ".json" or text.lstrip().startswith("{"):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            where = f"{path}:{error.lineno}:{error.colno}"
            return TracksideError(f"the file is not JSON: {error.msg}", where, "mend the syntax there")
    import yaml  # noqa: PLC0415 - only a YAML file needs it

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        return TracksideError(f"the file is not YAML: {getattr(error, 'problem', None) or error}", where, "mend the syntax there")  # fmt: skip


def _of_document(document: Any) -> Read:
    if isinstance(document, list):
        return _of_statements(document)
    if isinstance(document, Mapping) and "splits" in document:
        return _of_lists(document["splits"], [], "$.splits", "")
    if isinstance(document, Mapping) and isinstance(document.get("ff"), Mapping):
        rule_based = document.get("rbs")
        rule_based = rule_based.get("d", []) if isinstance(rule_based, Mapping) else []
        return _of_lists(document["ff"].get("d", []), rule_based, "$.ff.d", "$.rbs.d")
    fix = 'write a list of flags as for localhost mode, or {"ff": {"d": [...]}}, or {"splits": [...]}'
    return Read(faults=[TracksideError("the file holds no flags", "$", fix)])


def _placed(path: Path, at: str, lines: Mapping[str, int]) -> str:
    place = at
    while place and place not in lines:
        place = place.rpartition("." if place.rfind(".") > place.rfind("[") else "[")[0]
    return f"{path}:{lines[place]}: {at}" if place in lines else f"{path}: {at}"


def _lines(text: str) -> dict[str, int]:
    """Return the line of each place, by its JSON path; JSON is read as YAML here, and has none where that cannot be."""
    import yaml  # noqa: PLC0415 - only a file with faults needs it

    try:
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError:
        return {}
    return dict(_places(node, "$")) if node is not None else {}


def _places(node: Any, at: str) -> Iterator[tuple[str, int]]:
    yield at, node.start_mark.line + 1
    pairs = node.value if node.id == "mapping" else ()
    for key, value in pairs:
        inner = at + catalog.json_path([str(key.value)])[1:]
        yield from _places(value, inner)
        yield inner, key.start_mark.line + 1
    for index, item in enumerate(node.value if node.id == "sequence" else ()):
        yield from _places(item, f"{at}[{index}]")


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
    config = definitions.configurations({treatment: data["config"]}, place) if data.get("config") is not None else {}
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
    return found


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
        "changeNumber": 0,
        "algo": 2,
        "status": row.get("status") if row.get("status") in ("ACTIVE", ARCHIVED) else "ACTIVE",
        "defaultTreatment": row.get("defaultTreatment") or "control",
        "seed": row.get("seed") or definitions.seed(name),
        "trafficAllocation": _allocation(row.get("trafficAllocation")),
        "trafficAllocationSeed": row.get("trafficAllocationSeed") or definitions.seed(f"{name}:allocation"),
    }
    conditions = row.get("conditions") or []
    if isinstance(conditions, list) and not _ends_with_everybody(conditions):
        sizes = [{"treatment": "on", "size": 0}, {"treatment": "off", "size": 100}]
        conditions = [*conditions, definitions.default_rule(sizes)]
    return {**flag, "conditions": conditions}


def sanitized_segment(row: Mapping[str, Any]) -> Definition:
    """Return a rule-based segment with what it leaves out."""
    excluded = row.get("excluded")
    parts = excluded if isinstance(excluded, Mapping) else {}
    return {
        "trafficTypeName": "user",
        **row,
        "status": row.get("status") if row.get("status") in ("ACTIVE", ARCHIVED) else "ACTIVE",
        "changeNumber": 0,
        "excluded": {"keys": parts.get("keys") or [], "segments": parts.get("segments") or []},
        "conditions": row.get("conditions") or [],
    }


def _allocation(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value <= 100 else 100


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
    """Return where a definition breaks its contract."""
    if catalog.validator(contract).is_valid(definition):
        return []
    return [TracksideError(fault.what, fault.at, fault.fix) for fault in catalog.faults(contract, definition)]
