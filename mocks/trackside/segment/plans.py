"""Tracking plans: read from the workspace or a file, checked, and compiled once, when the workspace is loaded.

A rule is as in Segment's Public API: ``{type, key, jsonSchema, version}``, its schema JSON Schema draft-07 over the whole
message (segment.protocols.rules).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import orjson

from trackside.catalog import json_path
from trackside.errors import TracksideError
from trackside.segment.settings import SegmentSettings
from trackside.steps import Message

if TYPE_CHECKING:
    from jsonschema_rs import Validator

DRAFT = "http://json-schema.org/draft-07/schema#"
_COMPILED = 1_000
"""Schemas whose validators are kept."""

_LOOK_AROUND = re.compile(r"\(\?<?[!=]")
NAMED = ("TRACK", "PAGE", "SCREEN")
"""Types of rules whose key is the name of the message; of another type's rule, a key says nothing."""

_VIEWED = {"page": "Page Viewed", "screen": "Screen Viewed"}
"""The track events by which a plan may describe page and screen calls (segment.protocols.page)."""


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """One version of one rule.

    Attributes:
        type: ``TRACK``, ``IDENTIFY`` and so on.
        key: the event's name; empty where its type has none.
        version: counted from 1.
        schema: as written.
        validator: of it.
    """

    type: str
    key: str
    version: int
    schema: Mapping[str, Any]
    validator: Validator

    @property
    def name(self) -> str:
        """How a person knows it, such as ``Order Completed`` or ``IDENTIFY``."""
        return self.key or self.type

    def plans(self, container: str, name: str) -> bool:
        """Whether it plans a property or trait: names it, or has a pattern for its name."""
        return plans(parts_of(self.schema, container), name)


def plans(parts: Iterable[Mapping[str, Any]], name: str) -> bool:
    """Return whether a property is planned by subschemas: one names it, or has a pattern for its name."""
    return any(
        name in part.get("properties", ()) or any(_matches(one, name) for one in part.get("patternProperties", ()))
        for part in parts
    )


def parts_of(schema: Mapping[str, Any], *path: str) -> list[Mapping[str, Any]]:
    """Return the subschemas of a place, such as ``properties``: all that are joined there, each once.

    >>> parts_of({"allOf": [{"properties": {"traits": {"type": "object"}}}]}, "traits")
    [{'type': 'object'}]
    """
    parts = list(_joined([schema], schema))
    for name in path:
        parts = list(_joined([part.get("properties", {}).get(name) for part in parts], schema))
    return parts


def _joined(parts: list[Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield subschemas and all that are joined to them at the same place, each once, as a $ref may lead to itself."""
    waiting, seen = list(parts), set()
    while waiting:
        part = waiting.pop()
        if not isinstance(part, dict) or id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        waiting += [one for keyword in ("allOf", "anyOf", "oneOf") for one in part.get(keyword, ())]
        waiting += [part[keyword] for keyword in ("then", "else") if keyword in part]
        if "$ref" in part:
            waiting.append(_pointed_at(part["$ref"], schema))


def _pointed_at(ref: str, schema: Any) -> Any:
    """Return what a ``$ref`` into the schema itself names; None for any other.

    >>> _pointed_at("#/definitions/a~1b", {"definitions": {"a/b": {"type": "object"}}})
    {'type': 'object'}
    """
    start, *names = ref.split("/")
    for name in names:
        key = unquote(name).replace("~1", "/").replace("~0", "~")
        if isinstance(schema, list) and key.isdecimal() and int(key) < len(schema):
            schema = schema[int(key)]
        else:
            schema = schema.get(key) if isinstance(schema, dict) else None
    return schema if start == "#" else None


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:  # fine for the validator, unknown to Python: better planned than left out
        return True


class CompiledPlan:
    """A tracking plan, ready to be held against messages.

    Attributes:
        key: in the workspace.
        name: for people.
    """

    def __init__(self, key: str, rules: Iterable[CompiledRule], name: str = "") -> None:
        self.key = key
        self.name = name or key
        self._rules: dict[tuple[str, str], dict[int, CompiledRule]] = {}
        for rule in rules:
            self._rules.setdefault((rule.type, rule.key), {})[rule.version] = rule

    def rule(self, message: Message) -> CompiledRule | None:
        """Return the rule for a message, in the version that it asks for; None for an unplanned one."""
        kind = message["type"]
        for at in _keys(message, kind):
            if versions := self._rules.get(at):
                return _of_version(versions, message)
        return None

    def common(self, message: Message) -> CompiledRule | None:
        """Return the rule for every message."""
        versions = self._rules.get(("COMMON", ""))
        return _of_version(versions, message) if versions else None


def _keys(message: Message, kind: str) -> list[tuple[str, str]]:
    """Return where a plan may have the rule for a message: most telling first (segment.protocols.page)."""
    if kind == "track":
        return [("TRACK", message.get("event", ""))]
    if kind in _VIEWED:
        return [(kind.upper(), message.get("name") or ""), (kind.upper(), ""), ("TRACK", _VIEWED[kind])]
    return [(kind.upper(), "")]


def _of_version(versions: Mapping[int, CompiledRule], message: Message) -> CompiledRule:
    """Return the version that ``context.protocols.event_version`` asks for, else the oldest (segment.protocols.version)."""
    context = message.get("context")
    protocols = context.get("protocols") if isinstance(context, dict) else None
    asked = protocols.get("event_version") if isinstance(protocols, dict) else None
    if isinstance(asked, int) and not isinstance(asked, bool) and asked in versions:
        return versions[asked]
    return versions[min(versions)]


def compile_plans(settings: SegmentSettings) -> tuple[dict[str, CompiledPlan], list[TracksideError]]:
    """Return every tracking plan compiled, by name, and what is wrong with them, each fault with its place."""
    plans, faults = {}, []
    for name, plan in settings.tracking_plans.items():
        rules, seen = [], set()
        for index, row in enumerate(plan.rules):
            at = f"{json_path(['segment', 'tracking_plans', name])}.rules[{index}]"
            key = (row["type"], row.get("key", "") if row["type"] in NAMED else "", row.get("version", 1))
            if key in seen:
                what = f"version {key[2]} of the rule {key[1] or key[0]} is given twice"
                faults.append(TracksideError(what, at, "give each version of a rule once"))
            seen.add(key)
            try:
                rules.append(CompiledRule(*key, row["jsonSchema"], compile_schema(row["jsonSchema"])))
            except TracksideError as error:
                where = at + ".jsonSchema" + error.where.removeprefix("$")
                faults.append(TracksideError(error.what, where, error.fix))
        plans[name] = CompiledPlan(name, rules, plan.name)
    return plans, faults


def compile_schema(schema: Mapping[str, Any]) -> Validator:
    """Return the validator of a rule's schema.

    Raises:
        TracksideError: it is no draft-07 schema, asks for another file or address, or has a pattern that Segment's
            validator cannot read, such as one with a negative look-ahead (segment.protocols.look-ahead).
    """
    try:
        text = orjson.dumps(schema)
    except TypeError as error:
        fix = "write text, numbers up to 64 bits, lists and mappings"
        raise TracksideError(f"the schema holds what JSON cannot: {error}", "$", fix) from error
    return _compiled(text)


@functools.lru_cache(maxsize=_COMPILED)
def _compiled(text: bytes) -> Validator:
    """Return the validator of a schema as JSON: each workspace of a lab has most in common with the one before."""
    import jsonschema_rs  # noqa: PLC0415 - see catalog

    schema: dict[str, Any] = orjson.loads(text)
    draft = schema.get("$schema", DRAFT)
    if str(draft).rstrip("#") != DRAFT.rstrip("#"):
        raise TracksideError(
            f"the schema is of another draft, {draft}", json_path(["$schema"]), f"write it for {DRAFT}"
        )
    try:
        return jsonschema_rs.Draft7Validator(
            schema, offline=True, validate_formats=True, pattern_options=jsonschema_rs.RegexOptions()
        )
    except (jsonschema_rs.ValidationError, ValueError) as error:
        raise _fault(error) from error


def _fault(error: Any) -> TracksideError:
    kind = getattr(getattr(error, "kind", None), "name", "")
    path = list(getattr(error, "instance_path", ()))
    where = json_path(path)
    if kind == "$ref":
        what = f"the schema refers to what it does not hold: {error.message}"
        return TracksideError(what, where, "write it into the schema's own definitions, and refer to #/definitions/…")
    pattern = str(path[-1]) if path[-2:-1] == ["patternProperties"] else str(getattr(error, "instance", ""))
    if kind == "format" and _LOOK_AROUND.search(pattern):
        what = f"the pattern {pattern} looks ahead or behind, which Segment's validator cannot"
        return TracksideError(what, where, "say it with `not` around a pattern without look-around")
    return TracksideError(
        f"it is no JSON Schema of draft-07: {getattr(error, 'message', error)}", where, "mend it there"
    )


def read_files(
    segment: Mapping[str, Any], folder: Path | None
) -> tuple[dict[str, Any], list[TracksideError], list[Path]]:
    """Return a workspace's Segment block with each tracking plan's ``file`` replaced by its rules.

    Args:
        segment: as the workspace has it, checked.
        folder: what file names are relative to; None: do not read files.

    Returns:
        The block, what is wrong with the files, and the files.
    """
    plans: Mapping[str, Any] = segment.get("tracking_plans", {})
    if folder is None or not any("file" in plan for plan in plans.values()):
        return dict(segment), [], []
    read, faults, files = {}, [], []
    for name, plan in plans.items():
        read[name] = {key: value for key, value in plan.items() if key != "file"}
        if "file" not in plan:
            continue
        files.append(folder / plan["file"])
        try:
            read[name]["rules"] = [*plan.get("rules", ()), *_rules_of(files[-1])]
        except TracksideError as error:
            faults.append(error)
    return {**segment, "tracking_plans": read}, faults, files


def _rules_of(file: Path) -> list[dict[str, Any]]:
    """Return the rules of a file as the Public API lists them, in its ``data`` envelope or without (segment.protocols.file)."""
    from trackside import catalog  # noqa: PLC0415 - most workspaces name no file

    try:
        document = orjson.loads(file.read_bytes())
    except OSError as error:
        raise TracksideError(f"the file cannot be read: {error.strerror}", str(file), "name a JSON file") from error
    except orjson.JSONDecodeError as error:
        raise TracksideError(f"the file is not JSON: {error.msg}", f"{file}:{error.lineno}:{error.colno}", "mend it there") from error  # fmt: skip
    plan = document.get("data", document) if isinstance(document, dict) else document
    if faults := catalog.faults("segment/tracking-plan", plan, limit=1):
        raise TracksideError(faults[0].what, f"{file}: {faults[0].at}", faults[0].fix)
    names = ("type", "key", "jsonSchema", "version")
    return [{name: rule[name] for name in names if rule.get(name) is not None} for rule in plan["rules"]]
