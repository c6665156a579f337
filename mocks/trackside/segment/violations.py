"""What breaks a JSON Schema of a tracking plan, in the words in which Segment tells of it. Pure functions.

The pages show ``Required``, ``Invalid Type`` and the descriptions of conditions; they are those of gojsonschema, the Go
validator that Segment's messages come from, and so are all others here (segment.protocols.violation-words).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from trackside.catalog import json_path

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError, Validator

ROOT = "(root)"
"""How Segment calls the whole message."""

_CONSUMES_TWO = ("properties", "patternProperties")
_CONSUMES_ONE = ("additionalProperties", "additionalItems", "contains")
_BRANCHES = {
    "allOf": ("Number All Of", "Must validate all the schemas"),
    "then": ("Condition Then", 'Must validate "then" as "if" was valid'),
    "else": ("Condition Else", 'Must validate "else" as "if" was not valid'),
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule of a tracking plan.

    Attributes:
        type: in Segment's words, such as ``Required``.
        field: the place in the message, such as ``properties.products``.
        description: such as ``properties.products is required``.
        path: of the value in question, part by part; of an additional property its own, where ``field`` has its object.
    """

    type: str
    field: str
    description: str
    path: tuple[str | int, ...]

    @property
    def at(self) -> str:
        """The place as a JSON path: ``$.properties.products``."""
        return json_path(self.path)

    def as_json(self) -> dict[str, str]:
        """Return it as ``context.protocols.violations`` holds it."""
        return {"type": self.type, "field": self.field, "description": self.description}


def violations(validator: Validator, message: Mapping[str, Any]) -> list[Violation]:
    """Return how a message breaks a compiled schema, each violation once, in the schema's order.

    >>> import jsonschema_rs
    >>> plan = jsonschema_rs.Draft7Validator({"properties": {"properties": {"required": ["products"]}}})
    >>> violations(plan, {"properties": {}})[0].as_json()
    {'type': 'Required', 'field': 'properties.products', 'description': 'properties.products is required'}
    """
    if validator.is_valid(message):
        return []
    told: dict[Violation, None] = {}
    for error in validator.iter_errors(message):
        told.update(dict.fromkeys(_told(error, message)))
    return list(told)


def _told(error: ValidationError, message: Mapping[str, Any]) -> Iterator[Violation]:
    """Yield an error in Segment's words, after the conditions and ``allOf`` that it lies in."""
    path, value = _place(error, message)
    for keyword, depth in _branches(error.schema_path):
        kind, text = _BRANCHES[keyword]
        yield Violation(kind, _field(path[:depth]), text, path[:depth])
    more = error.kind.as_dict()
    if unexpected := _unexpected(error, value):
        kind = "Additional Property Not Allowed"
        for name in unexpected:
            yield Violation(kind, _field(path), f"Additional property {name} is not allowed", (*path, name))
        return
    keyword = "dependencies" if error.schema_path[-1:] == ["dependencies"] else error.kind.name
    if keyword == "required":
        path = (*path, more["property"])
    field = _field(path)
    kind, text = _WORDS.get(keyword, _other)(field, more, error.instance, keyword)
    yield Violation(kind, field, text, path)


def _place(error: ValidationError, message: Any) -> tuple[tuple[str | int, ...], Any]:
    """Return the path of the value that an error is about, and the value; names that are digits stay text."""
    path: list[str | int] = []
    for part in error.instance_path:
        path.append(part if isinstance(message, list) else str(part))
        message = message[path[-1]]
    return tuple(path), message


def _unexpected(error: ValidationError, value: Any) -> list[str]:
    """Return the names that an error calls unknown: all that there are, where a schema allows none."""
    if error.kind.name == "additionalProperties":
        return list(error.kind.as_dict()["unexpected"])
    none_allowed = error.kind.name == "falseSchema" and error.schema_path[-1:] == ["additionalProperties"]
    return list(value) if none_allowed else []


def _field(path: Sequence[str | int]) -> str:
    return ".".join(map(str, path)) or ROOT


def _branches(schema_path: Sequence[str | int]) -> Iterator[tuple[str, int]]:
    """Yield each ``allOf``, ``then`` and ``else`` on the way to an error, with the depth of the value that it is about."""
    depth, index = 0, 0
    while index < len(schema_path):
        part = schema_path[index]
        if part == "definitions":  # behind a $ref: what led there is not told
            return
        if part in _BRANCHES:
            yield str(part), depth
        index += 2 if part in _CONSUMES_TWO else 1
        depth += part in (*_CONSUMES_TWO, *_CONSUMES_ONE, "items")


Words = Callable[[str, Mapping[str, Any], Any, str], tuple[str, str]]


def _fixed(kind: str, text: str) -> Words:
    """Return the words of a keyword: ``{field}``, ``{limit}`` and so on are filled in."""
    return lambda field, more, _value, _keyword: (kind, text.format(field=field, **more))


def _wrong_type(_field: str, more: Mapping[str, Any], value: Any, _keyword: str) -> tuple[str, str]:
    return "Invalid Type", f"Invalid type. Expected: {','.join(more['types'])}, given: {_type_of(value)}"


def _not_in_enum(field: str, more: Mapping[str, Any], _value: Any, _keyword: str) -> tuple[str, str]:
    allowed = ", ".join(orjson.dumps(option).decode() for option in more["options"])
    return "Enum", f"{field} must be one of the following: {allowed}"


def _not_const(field: str, more: Mapping[str, Any], _value: Any, _keyword: str) -> tuple[str, str]:
    return "Const", f"{field} does not match: {orjson.dumps(more['expected_value']).decode()}"


def _bad_name(_field: str, more: Mapping[str, Any], _value: Any, _keyword: str) -> tuple[str, str]:
    name = more["error"].instance
    return "Invalid Property Name", f'Property name of "{name}" does not match'


def _other(field: str, _more: Mapping[str, Any], _value: Any, keyword: str) -> tuple[str, str]:
    return keyword[:1].upper() + keyword[1:], f"{field} does not validate against {keyword}"


def _type_of(value: Any) -> str:
    """Return a value's JSON type as a schema names it.

    >>> _type_of(1), _type_of(1.5), _type_of(True)
    ('integer', 'number', 'boolean')
    """
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


_WORDS: dict[str, Words] = {
    "required": _fixed("Required", "{field} is required"),
    "dependencies": _fixed("Missing Dependency", "Has a dependency on {property}"),
    "type": _wrong_type,
    "enum": _not_in_enum,
    "const": _not_const,
    "propertyNames": _bad_name,
    "pattern": _fixed("Pattern", "Does not match pattern '{pattern}'"),
    "format": _fixed("Format", "Does not match format '{format}'"),
    "minLength": _fixed("String Gte", "String length must be greater than or equal to {limit}"),
    "maxLength": _fixed("String Lte", "String length must be less than or equal to {limit}"),
    "minimum": _fixed("Number Gte", "Must be greater than or equal to {limit}"),
    "maximum": _fixed("Number Lte", "Must be less than or equal to {limit}"),
    "exclusiveMinimum": _fixed("Number Gt", "Must be greater than {limit}"),
    "exclusiveMaximum": _fixed("Number Lt", "Must be less than {limit}"),
    "multipleOf": _fixed("Multiple Of", "Must be a multiple of {multiple_of}"),
    "minItems": _fixed("Array Min Items", "Array must have at least {limit} items"),
    "maxItems": _fixed("Array Max Items", "Array must have at most {limit} items"),
    "uniqueItems": _fixed("Unique", "Array items must be unique"),
    "contains": _fixed("Contains", "At least one of the items must match"),
    "additionalItems": _fixed("Array No Additional Items", "No additional items allowed on array"),
    "minProperties": _fixed("Array Min Properties", "Must have at least {limit} properties"),
    "maxProperties": _fixed("Array Max Properties", "Must have at most {limit} properties"),
    "anyOf": _fixed("Number Any Of", "Must validate at least one schema (anyOf)"),
    "oneOf": _fixed("Number One Of", "Must validate one and only one schema (oneOf)"),
    "not": _fixed("Number Not", "Must not validate the schema (not)"),
    "falseSchema": _fixed("False", "False always fails validation"),
}
"""The words of each keyword of JSON Schema; a keyword without a row is told by its own name."""
