"""The contracts: find, read and check the JSON Schemas of the documented payloads.

A contract is the file ``contracts/<vendor>/<payload>.schema.json`` and is named ``<vendor>/<payload>``, such as
``segment/track``. The verdict is `validator`, compiled once and fast; `faults` is the slow path, for the payloads that
the verdict refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import orjson

from trackside.errors import TracksideError
from trackside.steps import Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from jsonschema_rs import ValidationError, Validator

SUFFIX = ".schema.json"

UNKNOWN_FIELDS = ("additionalProperties", "unevaluatedProperties")
SIZES = {
    "minLength": "character",
    "maxLength": "character",
    "minItems": "item",
    "maxItems": "item",
    "minProperties": "field",
    "maxProperties": "field",
}
KINDS = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}
SHORT = 60
LEVELS = 255


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken promise of a contract.

    Attributes:
        contract: the contract's name, such as ``segment/batch``.
        keyword: the JSON Schema keyword that refused, such as ``required``.
        at: the place as a JSON path, such as ``$.batch[0].event``; for a missing field, where it should be.
        what: what was wrong, with the value.
        fix: what to do about it.
        value: the value at that place; None where the field is missing.
        path: the place, part by part.
    """

    contract: str
    keyword: str
    at: str
    what: str
    fix: str
    value: Any
    path: tuple[str | int, ...] = field(default=(), compare=False)

    @property
    def code(self) -> str:
        """The contract and the keyword, such as ``segment/batch.required``."""
        return f"{self.contract}.{self.keyword}"

    @property
    def text(self) -> str:
        """The three clauses: what was wrong, where, what to do."""
        return f"{self.what}. {self.at}. {self.fix}."


def folder() -> Path:
    """Return the folder of the contracts: inside the installed package, else beside ``mocks/`` in the repository."""
    package = Path(__file__).resolve().parent
    shipped = package / "contracts"
    return shipped if shipped.is_dir() else package.parents[1] / "contracts"


@cache
def _files() -> dict[str, Path]:
    root = folder()
    found = sorted(root.glob(f"*/*{SUFFIX}"))
    return {f"{file.parent.name}/{file.name.removesuffix(SUFFIX)}": file for file in found}


def names() -> list[str]:
    """Return every contract's name, sorted by vendor and payload."""
    return list(_files())


def load(name: str) -> dict[str, Any]:
    """Return a contract's JSON Schema, read afresh.

    Raises:
        TracksideError: if there is no contract of that name.
    """
    file = _files().get(name)
    if file is None:
        known = ", ".join(names()) or "none"
        raise TracksideError(f"there is no contract {name!r}", str(folder()), f"use one of these: {known}")
    schema: dict[str, Any] = orjson.loads(file.read_bytes())
    return schema


class Contract:
    """A JSON Schema with its name, compiled once; may be used by several threads.

    Args:
        name: ``segment/track``, or the file of a user's own schema.
        schema: of any draft.
        validator: of it.
    """

    def __init__(self, name: str, schema: dict[str, Any], validator: Validator) -> None:
        self.name = name
        self.schema = schema
        self.validator = validator
        self.is_valid: Callable[[Any], bool] = validator.is_valid
        """The verdict; a batch of 100 track calls takes it 0.2 ms."""

    def faults(self, instance: Any, limit: int | None = None) -> list[Fault]:
        """Return what breaks the contract, in its order; an empty list for a payload that keeps it.

        Args:
            instance: the payload, as parsed from JSON.
            limit: the most faults wanted; None for all.
        """
        try:
            errors = list(self.validator.iter_errors(instance))
        except ValueError:  # the validator copies each value that it refuses, down to 255 levels
            what, fix = f"what breaks the contract has more than {LEVELS} levels", "Send values of fewer levels"
            return [Fault(self.name, "depth", "$", what, fix, None)]
        told = {(fault.at, fault.what): fault for fault in islice(_told(self, instance, errors), limit)}
        return list(told.values())

    @property
    def is_array(self) -> bool:
        """Whether a payload is an array, so that one is not taken for an array of payloads."""
        return self.schema.get("type") == "array"

    @cached_property
    def declared(self) -> frozenset[str]:
        """Every field name that the contract declares anywhere."""
        found: set[str] = set()
        rest: list[Any] = [self.schema]
        while rest:
            part = rest.pop()
            if isinstance(part, dict):
                found.update(part.get("properties", ()))
                rest.extend(part.values())
            elif isinstance(part, list):
                rest.extend(part)
        return frozenset(found)


@cache
def contract(name: str) -> Contract:
    """Return a contract, compiled once in a process.

    Raises:
        TracksideError: if there is no contract of that name.
    """
    import jsonschema_rs  # noqa: PLC0415 - 23 ms that a command without contracts need not pay

    schema = load(name)
    return Contract(name, schema, jsonschema_rs.validator_for(schema))


def validator(name: str) -> Validator:
    """Return the compiled validator of a contract; ``is_valid(instance)`` is the verdict.

    Raises:
        TracksideError: if there is no contract of that name.
    """
    return contract(name).validator


def faults(name: str, instance: Any, limit: int | None = None) -> list[Fault]:
    """Return what breaks the contract of a name; see `Contract.faults`.

    Raises:
        TracksideError: if there is no contract of that name.

    >>> faults("segment/track", {"userId": "u1"})[0].text
    'event is missing. $.event. Add event: Name of what the user did, such as Order Completed.'
    """
    return contract(name).faults(instance, limit)


def as_step(fault: Fault) -> Step:
    """Return a fault as a step of a journey, an error under the rule ``<vendor>.contract``."""
    rule = f"{fault.contract.partition('/')[0]}.contract"
    return Step("fault", rule, fault.what, fault.at, fault.fix, "error", fault.code)


def nearest_line(place: str, lines: Mapping[str, int]) -> int:
    """Return the line of a JSON path in a file, or of the nearest place around it that has one; 0 where none has.

    >>> nearest_line("$.flags.banner.on", {"$": 1, "$.flags": 2})
    2
    """
    while place and place not in lines:
        place = place.rpartition("." if place.rfind(".") > place.rfind("[") else "[")[0]
    return lines.get(place, 0)


def json_path(parts: Sequence[str | int]) -> str:
    """Return the JSON path of a place: ``["batch", 0, "my key"]`` is ``$.batch[0]["my key"]``."""
    return "$" + "".join(_part(part) for part in parts)


def _part(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if part.isidentifier() else f"[{json.dumps(part)}]"


def _told(contract: Contract, payload: Any, errors: list[ValidationError]) -> Iterator[Fault]:
    """Yield a fault for each error, or several for one error that names several unknown fields."""
    name = contract.name
    for error in errors:
        keyword, place, value = error.kind.name, _place(payload, error.instance_path), cast("Any", error.instance)
        if keyword in UNKNOWN_FIELDS:
            for field in _unknown_fields(contract, error, errors):
                what, fix, path = f"{field} is not a known field", "Remove it or correct its name", (*place, field)
                yield Fault(name, keyword, json_path(path), what, fix, value[field], path)
            continue
        if keyword == "required":
            place, value = [*place, error.kind.as_dict()["property"]], None
        what, fix = _what(error, place), _fix(contract.schema, error)
        yield Fault(name, keyword, json_path(place), what, fix, value, tuple(place))


def _place(payload: Any, path: Sequence[str | int]) -> list[str | int]:
    """Return an error's path, the names of fields as text: the validator makes a number of a name such as ``"0"``."""
    place: list[str | int] = []
    for part in path:
        place.append(str(part) if isinstance(payload, dict) else part)
        known = isinstance(payload, list) or (isinstance(payload, dict) and place[-1] in payload)
        payload = payload[place[-1]] if known else None
    return place


def _unknown_fields(contract: Contract, error: ValidationError, errors: list[ValidationError]) -> list[str]:
    """Return the fields that an error calls unknown, without those that only look so.

    Behind a failing ``$ref``, validators count the fields declared there as unevaluated: such a field is no fault.
    """
    unexpected: list[str] = error.kind.as_dict()["unexpected"]
    if error.kind.name == "unevaluatedProperties" and _others_below(error, errors):
        return [field for field in unexpected if field not in contract.declared]
    return unexpected


def _others_below(error: ValidationError, errors: list[ValidationError]) -> bool:
    place = error.instance_path
    return any(other.kind.name not in UNKNOWN_FIELDS and other.instance_path[: len(place)] == place for other in errors)


def _what(error: ValidationError, place: Sequence[str | int]) -> str:
    """Return what was wrong, with the value: ``event is a number, 42``."""
    keyword, value, more = error.kind.name, cast("Any", error.instance), error.kind.as_dict()
    field = _field(place)
    if keyword == "required":
        return f"{more['property']} is missing"
    if keyword == "type" and value is not None:
        return f"{field} is {_kind(value)}, {_short(value)}"
    if keyword == "falseSchema":
        return f"{field} is not allowed here"
    if keyword == "propertyNames":
        return f"{field} has a field whose name cannot be {_short(more['error'].instance)}"
    if branches := [branch[0] for branch in more.get("context", ()) if branch]:
        return " and ".join(dict.fromkeys(_what(branch, branch.instance_path or place) for branch in branches))
    if keyword in SIZES:
        return f"{field} has {_count(len(value), SIZES[keyword])}" if value else f"{field} is empty"
    return f"{field} is {_short(value)}"


def _fix(schema: dict[str, Any], error: ValidationError) -> str:
    """Return what to do, with what the contract says of the field: ``Send a string: Name of what the user did``."""
    keyword, more = error.kind.name, error.kind.as_dict()
    if keyword == "falseSchema":
        return "Remove it"
    part = _at(schema, error.schema_path[:-1])
    if keyword == "required":
        field = more["property"]
        declared = part.get("properties", {}).get(field) or schema.get("properties", {}).get(field, {})
        return _about(f"Add {field}", _followed(schema, declared))
    if keyword == "uniqueItems":
        return "Send each item once"
    if keyword in SIZES:
        bound = "at least" if keyword.startswith("min") else "at most"
        return _about(f"Send {bound} {_count(more['limit'], SIZES[keyword])}", part)
    return _about(f"Send {_expected(part)}", part)


def _about(advice: str, part: dict[str, Any]) -> str:
    """Return an advice with the first sentence of what the contract says of the field."""
    said = part.get("description", "").partition(". ")[0].rstrip(".")
    return f"{advice}: {said}" if said else advice


def _expected(part: dict[str, Any]) -> str:
    """Return what a subschema wants, in words."""
    if "title" in part and "$schema" not in part:
        return str(part["title"])
    if "enum" in part:
        return "one of " + ", ".join(_short(choice) for choice in part["enum"])
    if "const" in part:
        return _short(part["const"])
    if "minimum" in part or "maximum" in part or "exclusiveMinimum" in part:
        bounds = ("exclusiveMinimum", "above"), ("minimum", "at least"), ("maximum", "at most")
        return "a number " + " and ".join(f"{word} {part[key]}" for key, word in bounds if key in part)
    types = part.get("type", [])
    wanted = " or ".join(KINDS[kind] for kind in ([types] if isinstance(types, str) else types))
    return wanted or "what the contract describes"


def _at(schema: Any, path: Sequence[str | int]) -> dict[str, Any]:
    """Return the subschema of a place; an empty one where it stands in another file."""
    try:
        for step in path:
            schema = schema[step]
    except (KeyError, IndexError, TypeError):
        return {}
    return schema if isinstance(schema, dict) else {}


def _followed(schema: dict[str, Any], part: Any) -> dict[str, Any]:
    """Return what a ``$ref`` inside the same file leads to, under what is written beside it."""
    if not isinstance(part, dict):
        return {}
    target = part.get("$ref", "")
    return {**_at(schema, target[2:].split("/")), **part} if target.startswith("#/") else part


def _field(place: Sequence[str | int]) -> str:
    if not place:
        return "the payload"
    return place[-1] if isinstance(place[-1], str) else f"item {place[-1]}"


def _kind(value: Any) -> str:
    """Return the JSON type of a value, in words."""
    if isinstance(value, bool):
        return "a boolean"
    kinds = {str: "string", dict: "object", list: "array", type(None): "null"}
    return KINDS[kinds.get(type(value), "number")]


def _count(number: int, unit: str) -> str:
    return f"{number:,} {unit}" + ("" if number == 1 else "s")


def _short(value: Any) -> str:
    """Return a value as JSON, cut to a line's length."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHORT else text[: SHORT - 1] + "…"
