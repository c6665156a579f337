"""Contracts with one promise left out, to see whether their examples notice."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, reduce
from operator import getitem
from typing import Any

import jsonschema_rs
from contract_examples import payloads

from trackside import catalog

PROMISES = (
    *("$ref", "type", "enum", "const", "pattern", "not", "anyOf", "oneOf"),
    *("minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("items", "minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains"),
    *("additionalProperties", "unevaluatedProperties", "propertyNames", "minProperties", "maxProperties"),
    *("dependentRequired", "dependentSchemas"),
)
"""The keywords that refuse something; of ``required`` each name is a promise of its own."""

ONE = (
    "items",
    "additionalProperties",
    "unevaluatedProperties",
    "if",
    "then",
    "else",
    "not",
    "propertyNames",
    "contains",
)
NAMED = ("properties", "$defs", "patternProperties", "dependentSchemas")
SEVERAL = ("allOf", "anyOf", "oneOf", "prefixItems")


@dataclass(frozen=True, slots=True)
class Promise:
    """One thing that a contract asks.

    Attributes:
        place: the keys that lead to the subschema.
        keyword: what asks it there.
        name: the field, of ``required``; empty otherwise.
    """

    place: tuple[str | int, ...]
    keyword: str
    name: str = ""

    def __str__(self) -> str:
        told = "/".join(map(str, ("#", *self.place, self.keyword)))
        return f"{told}, {self.name}" if self.name else told


def unseen(contract: str) -> list[str]:
    """Return what could be left out of a contract, one by one, and all of its examples would have the same verdicts.

    What several contracts share, ``$defs`` that read alike, needs an example in one of them.
    """
    found = []
    for promise in _promises(_schema(contract)):
        sharing = _sharing(contract, promise)
        alone = any(promise in _alone(one) for one in sharing)
        if not alone and not any(_noticed(one, promise) for one in sharing):
            found.append(str(promise))
    return found


def _sharing(contract: str, promise: Promise) -> list[str]:
    """Return the contracts that have a promise because they share a part, the given one first."""
    if promise.place[:1] != ("$defs",):
        return [contract]
    others = _shared()[_read(_schema(contract), promise.place[1])]
    return [contract, *(other for other in others if other != contract)]


@cache
def _schema(contract: str) -> dict[str, Any]:
    return catalog.load(contract)


@cache
def _shared() -> dict[str, list[str]]:
    """Return the contracts that have a part of ``$defs``, by how it reads."""
    found: dict[str, list[str]] = {}
    for contract in catalog.names():
        for name in _schema(contract).get("$defs", ()):
            found.setdefault(_read(_schema(contract), name), []).append(contract)
    return found


def _read(schema: dict[str, Any], name: Any) -> str:
    return json.dumps([name, schema["$defs"][name]], sort_keys=True)


def _noticed(contract: str, promise: Promise) -> bool:
    """Return whether an example has another verdict when a contract lacks a promise."""
    judge = jsonschema_rs.validator_for(_without(_schema(contract), promise)).is_valid
    refused, kept = (payloads(contract, verdict).values() for verdict in ("invalid", "valid"))
    return any(map(judge, refused)) or not all(map(judge, kept))


@cache
def _alone(contract: str) -> set[Promise]:
    """Return each promise that is all an invalid example breaks; none of these needs to be left out to see it."""
    judge, schema = catalog.validator(contract), _schema(contract)
    told = (list(judge.iter_errors(payload)) for payload in payloads(contract, "invalid").values())
    return {promise for errors in told if len(errors) == 1 for promise in _on_the_way(schema, errors[0])}


def _on_the_way(schema: dict[str, Any], error: jsonschema_rs.ValidationError) -> Iterator[Promise]:
    """Yield what led to an error, from the outside in: without any of it, there would be no error."""
    place: tuple[str | int, ...] = ()
    part: Any = schema
    for key in error.evaluation_path:
        yield Promise(place, str(key), error.kind.as_dict().get("property", "") if key == "required" else "")
        place = tuple(part["$ref"].removeprefix("#/").split("/")) if key == "$ref" else (*place, key)
        part = reduce(getitem, place, schema)


def _without(schema: dict[str, Any], promise: Promise) -> dict[str, Any]:
    """Return a copy of a schema that lacks one promise; what is not on the way to it is shared."""
    changed = holder = copy.copy(schema)
    for key in promise.place:
        holder[key] = copy.copy(holder[key])  # type: ignore[index]  # keys of objects and indexes of lists
        holder = holder[key]  # type: ignore[index]
    if promise.name:
        holder["required"] = [name for name in holder["required"] if name != promise.name]
    else:
        del holder[promise.keyword]
    return changed


def _promises(part: Any, place: tuple[str | int, ...] = ()) -> Iterator[Promise]:
    """Yield every promise of a schema."""
    if not isinstance(part, dict):
        return
    yield from (Promise(place, keyword) for keyword in PROMISES if part.get(keyword, True) is not True)
    yield from (Promise(place, "uniqueItems") for _ in [0] if part.get("uniqueItems"))
    yield from (Promise(place, "required", name) for name in part.get("required", ()))
    for path, inner in _inner(part):
        yield from _promises(inner, (*place, *path))


def _inner(part: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the subschemas right inside a schema, with the keys that lead there."""
    yield from (((keyword,), part[keyword]) for keyword in ONE if keyword in part)
    for keyword in NAMED:
        yield from (((keyword, name), inner) for name, inner in part.get(keyword, {}).items())
    for keyword in SEVERAL:
        yield from (((keyword, index), inner) for index, inner in enumerate(part.get(keyword, ())))
