"""Tracking plans read from files, in each of the forms that they come in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any, NamedTuple

import orjson

from trackside import catalog
from trackside.errors import TracksideError
from trackside.segment.plans import DRAFT, NAMED, parts_of
from trackside.validation.locate import line_and_column, offset_of
from trackside.validation.problems import Path
from trackside.validation.schemas import as_contract

KINDS = ("track", "identify", "group", "page", "screen", "alias")

_RULES = "segment/tracking-plan"
_DRAFT_04 = "http://json-schema.org/draft-04/schema"
_NOTES = ("$schema", "$id", "$comment")
_KEYWORDS = (
    "properties",
    "patternProperties",
    "required",
    "additionalProperties",
    "$ref",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
)
_FORMS = (
    "name the rules of a plan as Segment's Public API lists them, an export of its Config API, or JSON Schemas: "
    "a folder with one file for each event, or an object of them by event"
)


class Row(NamedTuple):
    """One rule as it was read.

    Attributes:
        type: ``TRACK``, ``IDENTIFY`` and so on, ``COMMON`` for every call.
        key: the event's name; empty where its type has none.
        version: counted from 1.
        schema: JSON Schema; of the whole message, or of ``properties``.
        document: the file that it stands in.
        path: where in the file the schema stands.
        contract: of a JSON Schema of the team's own, compiled; None for a rule of Segment's.
        whole: whether it is a schema of the whole message.
    """

    type: str
    key: str
    version: int
    schema: Any
    document: Document
    path: Path
    contract: catalog.Contract | None = None
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Document:
    """A file of a plan."""

    file: File
    text: bytes
    value: Any

    def fault(self, what: str, path: Path, fix: str) -> TracksideError:
        """Return an error with the line and column of a place."""
        text = self.text.decode("utf-8", "replace")
        line, column = line_and_column(text, offset_of(text, path))
        return TracksideError(what, f"{self.file}:{line}:{column}", fix)


def read_plan(name: str) -> list[Row]:
    """Return the rules of a file, or of all JSON files of a folder.

    A file holds one of these:

    - rules as Segment's Public API lists them, in their ``data`` envelope or without (segment.protocols.file),
    - a tracking plan of Segment's older Config API, ``{"display_name", "rules": {"events": […], "global": {…}}}``, in its
      ``tracking_plan`` envelope or without (segment.protocols.export),
    - a JSON Schema, of the event that ``properties.event`` names as its ``const``, or else the file's name, or an object
      of JSON Schemas by event (segment.protocols.schemas). A schema that knows ``properties.properties``,
      ``properties.event`` or a ``const`` of ``type`` is one of the whole call, any other one of its ``properties``.

    Raises:
        TracksideError: the file cannot be read or has another form, with the line where that shows.
    """
    path = File(name)
    if not path.is_dir():
        return list(_rows(_document(path), alone=True))
    found = [one for one in sorted(path.rglob("*.json")) if _is_visible(one.relative_to(path))]
    if not found:
        raise TracksideError("no file in the folder ends with .json", name, _FORMS)
    return [row for one in found for row in _rows(_document(one), alone=False)]


def _is_visible(path: File) -> bool:
    return not any(part.startswith(".") or part == "node_modules" for part in path.parts)


def _document(file: File) -> Document:
    try:
        text = file.read_bytes().removeprefix(b"\xef\xbb\xbf")
        return Document(file, text, orjson.loads(text))
    except OSError as error:
        what = f"the tracking plan cannot be read: {error.strerror}"
        raise TracksideError(what, str(file), "name a file that is there, or a folder") from error
    except orjson.JSONDecodeError as error:
        what = f"the tracking plan is not JSON: {error.msg}"
        raise TracksideError(what, f"{file}:{error.lineno}:{error.colno}", "mend it there") from error


def _rows(document: Document, *, alone: bool) -> Iterator[Row]:
    """Yield the rules of a document, whatever its form; ``alone`` where no other file belongs to the plan."""
    plan: Any = document.value
    at: Path = ()
    for envelope in ("data", "tracking_plan"):
        if isinstance(plan, dict) and isinstance(plan.get(envelope), dict) and "rules" in plan[envelope]:
            plan, at = plan[envelope], (envelope,)
    if isinstance(plan, dict) and isinstance(plan.get("rules"), list):
        return _listed(document, plan, at, alone=alone)
    if isinstance(plan, dict) and isinstance(plan.get("rules"), dict):
        return _exported(document, plan["rules"], (*at, "rules"))
    if isinstance(plan, dict) and isinstance(plan.get("tracking_plans"), list):
        raise document.fault(
            "the file lists several tracking plans", ("tracking_plans",), "write the one that is meant to a file"
        )
    if isinstance(plan, dict) and _is_schema(plan):
        return iter([_own(document, document.file.name.removesuffix(".json").removesuffix(".schema"), plan, ())])
    if isinstance(plan, dict) and plan:
        return _by_event(document, plan)
    raise document.fault("the file has no form of a tracking plan", (), _FORMS)


# ---- Segment's forms


def _listed(document: Document, plan: Mapping[str, Any], at: Path, *, alone: bool) -> Iterator[Row]:
    """Yield the rules of a list (segment.protocols.file)."""
    for fault in catalog.faults(_RULES, plan, limit=1):
        raise document.fault(fault.what, (*at, *fault.path), fault.fix)
    pagination = plan.get("pagination")
    if alone and isinstance(pagination, dict) and pagination.get("next"):
        what, fix = (
            "the file has one page of the plan's rules, and more follow",
            "put all pages into one folder, and name that",
        )
        raise document.fault(what, (*at, "pagination", "next"), fix)
    for index, rule in enumerate(plan["rules"]):
        key = (rule.get("key") or "") if rule["type"] in NAMED else ""
        path = (*at, "rules", index, "jsonSchema")
        yield Row(rule["type"], key, rule.get("version") or 1, rule["jsonSchema"], document, path)


def _exported(document: Document, rules: Mapping[str, Any], at: Path) -> Iterator[Row]:
    """Yield the rules of the Config API's form (segment.protocols.export)."""
    for name in ("identify_traits", "group_traits"):
        if rules.get(name):
            what, fix = (
                f"{name} has rows, whose form is documented nowhere",
                f"describe them in rules.{name.partition('_')[0]}",
            )
            raise document.fault(what, (*at, name), fix)
    for name in ("global", "identify", "group", "page", "screen"):
        if rules.get(name) is not None:
            kind = "COMMON" if name == "global" else name.upper()
            yield Row(kind, "", 1, _as_draft_07(document, rules[name], (*at, name)), document, (*at, name))
    events = rules.get("events", [])
    if not isinstance(events, list):
        raise document.fault("events is no list", (*at, "events"), "list the rules of the events")
    for index, event in enumerate(events):
        path = (*at, "events", index)
        if not isinstance(event, dict) or not isinstance(event.get("name"), str) or "rules" not in event:
            raise document.fault(
                "the event has no name, or no rules", path, "give its name, and its JSON Schema as rules"
            )
        version = event.get("version") or 1
        if not isinstance(version, int):
            raise document.fault(f"version is {version!r}", (*path, "version"), "count versions from 1")
        schema = _as_draft_07(document, event["rules"], (*path, "rules"))
        yield Row("TRACK", event["name"], version, schema, document, (*path, "rules"))


def _as_draft_07(document: Document, schema: Any, path: Path) -> dict[str, Any]:
    """Return a schema that older exports call draft-04; what they use of it is the same in draft-07."""
    if not isinstance(schema, dict):
        raise document.fault("the rule is no object", path, "write a JSON Schema")
    return {**schema, "$schema": DRAFT} if str(schema.get("$schema", "")).startswith(_DRAFT_04) else schema


# ---- JSON Schemas of a team's own


def _is_schema(value: Mapping[str, Any]) -> bool:
    """Return whether an object is one JSON Schema, and not several by the names of events."""
    return isinstance(value.get("type"), (str, list)) or any(keyword in value for keyword in _KEYWORDS)


def _by_event(document: Document, schemas: Mapping[str, Any]) -> Iterator[Row]:
    for name, schema in schemas.items():
        if name in _NOTES:
            continue
        if not isinstance(schema, dict):
            raise document.fault(f"{name} is neither an event with a JSON Schema nor a plan's field", (name,), _FORMS)
        yield _own(document, name, schema, (name,))


def _own(document: Document, name: str, schema: dict[str, Any], path: Path) -> Row:
    """Return the rule of a JSON Schema: of the whole call where it knows one, else of ``properties`` (segment.protocols.schemas)."""
    contract = as_contract(name, schema, str(document.file), document.text, path)
    kind = _const(schema, "type")
    kind = kind if kind in KINDS else ""
    whole = bool(kind) or any(
        name in part.get("properties", ()) for part in parts_of(schema) for name in ("properties", "event")
    )
    event = (not path and whole and _const(schema, "event")) or name
    key = event if (kind or "track").upper() in NAMED else ""
    return Row((kind or "track").upper(), key, 1, schema, document, path, contract, whole)


def _const(schema: Mapping[str, Any], name: str) -> str:
    """Return the one text that a field may be; an empty one where the schema says no such thing."""
    found = (part.get("const") for part in parts_of(schema, name))
    return next((one for one in found if isinstance(one, str)), "")
