"""The marks of `trackside.validation.marks`, read: which one a payload bears."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

from trackside.validation.detection import SEGMENT_CALLS, Known
from trackside.validation.marks import ARRAYS, OBJECTS

Fields: TypeAlias = Mapping[str, Any]
ANY = "*"
"""Stands for the first field, whatever its name is."""

KINDS = ("kind", "type")
"""Fields whose values are looked up as fields are, such as ``kind=exposure``: most forms are told by them."""

_CONDITION = re.compile(
    r"(?P<lacks>!)?(?P<field>\*|[\w-]+)(?P<items>\[\])?(?P<object>\{\})?(?:\.(?P<inner>[\w.-]+))?"
    r"(?:(?P<how>\^?=)(?P<value>.+))?"
)
_NEAREST = 3
_KEPT = 1_000
"""Forms whose marks are remembered, the latest ones: the payloads of a file have few."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of the table.

    Attributes:
        known: what it tells.
        fields: that it asks for, among them ``kind=exposure``.
        least: how many of them are enough.
        lacks: fields that must not be there.
        only: whether no other field may be there.
        tests: what must hold of the values beside.
    """

    known: Known
    fields: frozenset[str]
    least: int
    lacks: frozenset[str] = frozenset()
    only: bool = False
    tests: tuple[Callable[[Fields], bool], ...] = ()

    def may_be_borne(self, fields: frozenset[str], *, others: bool) -> bool:
        """Return whether a payload with these fields, and perhaps with others that no mark names, may bear it."""
        enough = len(self.fields & fields) >= self.least and self.lacks.isdisjoint(fields)
        return enough and not (self.only and (others or not fields <= self.fields))


class Forms:
    """The marks of objects, or of the items of arrays.

    Args:
        rows: of the table.
        item: whether they speak of the items of an array.
    """

    def __init__(self, rows: Sequence[tuple[str, str]], *, item: bool = False) -> None:
        marks = [mark for contract, line in rows for mark in _marks(contract, line, item=item)]
        self._marks = sorted(marks, key=lambda mark: not mark.fields)  # those of any field come last
        self._fields = frozenset().union(*(mark.fields | mark.lacks for mark in marks))
        self._candidates = lru_cache(_KEPT)(self._all_candidates)

    def of(self, payload: Fields) -> Known | None:
        """Return what the first mark tells that an object bears."""
        fields = self._fields.intersection(payload)
        others = len(fields) < len(payload)
        for name in KINDS:
            value = payload.get(name)
            if value.__class__ is str and (kind := f"{name}={value}") in self._fields:
                fields |= {kind}
        for mark in self._candidates(fields, others):
            for test in mark.tests:
                if not test(payload):
                    break
            else:
                return mark.known
        return None

    def _all_candidates(self, fields: frozenset[str], others: bool) -> tuple[Mark, ...]:
        return tuple(mark for mark in self._marks if mark.may_be_borne(fields, others=others))

    def nearest(self, payload: Fields) -> list[str]:
        """Return the contracts whose marks name most of an object's fields, and few others, best first."""
        near = []
        for contract, named in self._named.items():
            if common := len(named.intersection(payload)):
                near.append((-common, len(named), contract))
        return [contract for _, _, contract in sorted(near)[:_NEAREST]]

    @cached_property
    def _named(self) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for mark in self._marks:
            found[mark.known.contract] = found.get(mark.known.contract, frozenset()) | mark.fields
        return found


# ---- one line of the table


def _marks(contract: str, line: str, *, item: bool) -> Iterator[Mark]:
    """Yield the mark of a line; of one that says ``kind=flag|segment``, a mark for each of the values."""
    for one in line.split():
        name, _, values = one.partition("=")
        if name in KINDS and "|" in values:
            for value in values.split("|"):
                yield _mark(contract, line.replace(one, f"{name}={value}"), item=item)
            return
    yield _mark(contract, line, item=item)


def _mark(contract: str, line: str, *, item: bool) -> Mark:
    prefix, _, rest = line.rpartition(": ")
    if prefix:
        names = tuple(rest.split())
        if prefix == "only":
            told = f"{_whose(item=item)} {_listed(names, 'or')}, and nothing else"
            return Mark(Known(contract, told), frozenset(names), 1, only=True)
        told = f"{_whose(item=item)} {prefix} or more of {_listed(names, 'or')}"
        return Mark(Known(contract, told), frozenset(names), int(prefix))
    conditions = [_condition(one) for one in rest.split()]
    wanted = [one for one in conditions if not one["lacks"]]
    fields = frozenset(one[0] if _is_kind(one) else one["field"] for one in wanted if one["field"] != ANY)
    lacks = frozenset(one["field"] for one in conditions if one["lacks"] and not one["inner"])
    tests = tuple(test for one in conditions if (test := _test(one)) is not None)
    return Mark(Known(contract, _told(wanted, item=item)), fields, len(fields), lacks, tests=tests)


def _condition(text: str) -> re.Match[str]:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text} is no condition")
    return found


def _is_kind(condition: re.Match[str]) -> bool:
    return condition["field"] in KINDS and condition["how"] == "=" and not condition["inner"]


def _test(condition: re.Match[str]) -> Callable[[Fields], bool] | None:
    """Return what tells whether a condition holds of a payload's values; None where it asks for a field alone."""
    field, inner = condition["field"], condition["inner"]
    if _is_kind(condition):
        return None
    if condition["how"]:
        return _value_test(condition)
    if inner:
        read, wanted = _inside(condition), not condition["lacks"]
        return lambda payload: (inner in read(payload)) is wanted
    if condition["items"] or condition["object"]:
        kind: type = list if condition["items"] else dict
        return lambda payload: isinstance(payload.get(field), kind)
    return None


def _value_test(condition: re.Match[str]) -> Callable[[Fields], bool]:
    key, read = condition["inner"] or condition["field"], _inside(condition)
    if condition["how"] == "^=":
        begin = condition["value"]
        return lambda payload: str(read(payload).get(key)).startswith(begin)
    values = frozenset(condition["value"].split("|"))
    return lambda payload: isinstance(value := read(payload).get(key), str) and value in values


def _inside(condition: re.Match[str]) -> Callable[[Fields], Fields]:
    """Return what gives the object that a condition speaks of; an empty one where the payload has none there."""
    field, items = condition["field"], condition["items"]
    if not condition["inner"]:
        return lambda payload: payload

    def inside(payload: Fields) -> Fields:
        value = next(iter(payload.values()), None) if field == ANY else payload.get(field)
        if items:
            value = value[0] if isinstance(value, list) and value else None
        return value if isinstance(value, dict) else {}

    return inside


# ---- how it was known, in words


def _told(wanted: list[re.Match[str]], *, item: bool) -> str:
    plain = [one["field"] for one in wanted if not (one["inner"] or one["how"] or one["items"] or one["object"])]
    told = [f"{_whose(item=item)} {_listed(plain)}"] if plain else []
    told += [_words(one) for one in wanted if one["field"] not in plain]
    return _listed(told)


def _whose(*, item: bool) -> str:
    return "its items have" if item else "it has"


def _words(condition: re.Match[str]) -> str:
    field, inner, how = condition["field"], condition["inner"], condition["how"]
    name = f"{field}.{inner}" if inner and not condition["items"] else inner or field
    if how == "^=":
        return f"{name} begins with {condition['value']}"
    if how:
        values = condition["value"].split("|")
        return f"{name} is {_listed(values, 'or') if len(values) <= _NEAREST else f'one of its {len(values)}'}"
    if field == ANY:
        return f"what its fields hold has {inner}"
    if condition["items"] and inner:
        return f"the items of {field} have {inner}"
    if inner:
        return f"{field} has {inner}"
    return f"{field} is {'an array' if condition['items'] else 'an object'}"


def _listed(words: Iterable[str], last: str = "and") -> str:
    *others, end = words
    return f"{', '.join(others)} {last} {end}" if others else end


# ---- all of them

objects = Forms(OBJECTS)
_arrays = Forms(ARRAYS, item=True)


def of_array(payload: Sequence[Any]) -> Known | None:
    """Return what the first item of an array tells; None for an array of payloads."""
    first = payload[0] if payload else None
    return _arrays.of(first) if isinstance(first, dict) and not _is_call(first) else None


def nearest(payload: Any) -> list[str]:
    """Return the contracts that a payload looks most like, best first."""
    if isinstance(payload, list) and payload and isinstance(payload[0], dict):
        return _arrays.nearest(payload[0])
    return objects.nearest(payload) if isinstance(payload, dict) else []


def _is_call(payload: Fields) -> bool:
    kind = payload.get("type")
    return isinstance(kind, str) and kind in SEGMENT_CALLS
