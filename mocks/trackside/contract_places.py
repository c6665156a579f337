"""The places of a contract: each subschema, the place of the payload that it is about, and when it holds.

A place is a JSON path in which ``[*]`` stands for every item of a list and ``.*`` for every field of an object that has
no place of its own, such as ``$.batch[*].event``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trackside import catalog
from trackside.markdown import code, value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SOMETIMES = "in some cases"


@dataclass(frozen=True, slots=True)
class Place:
    """One subschema of a contract, at a place of the payload.

    Attributes:
        at: the place, such as ``$.batch[*].event``.
        part: the subschema; False for what may not be there.
        when: what must be true for it to hold, in words by the place that this is about; empty where it always holds.
        told: whether its own keywords are told; False inside ``anyOf`` and ``oneOf``, which are told as a whole.
        ways: the references that led here.
        whole: whether what is inside is told too; False for a subschema inside itself, so that this ends.
    """

    at: str
    part: Any
    when: Mapping[str, str] = field(default_factory=dict)
    told: bool = True
    ways: tuple[str, ...] = ()
    whole: bool = True

    @property
    def condition(self) -> str:
        """When it holds, in one phrase: ``where `$.type` is `"track"` ``; empty where it always holds."""
        known = [f"{code(subject)} {verb}" for subject, verb in self.when.items() if subject != SOMETIMES]
        where = [f"where {' and '.join(known)}"] if known else []
        return " ".join([SOMETIMES] * (SOMETIMES in self.when) + where)


def places(schema: dict[str, Any]) -> Iterator[Place]:
    """Yield every subschema that describes values, with the place that it is about, outer ones first."""
    waiting = [Place("$", schema)]
    while waiting:
        place = waiting.pop()
        yield place
        if isinstance(place.part, dict):
            waiting += reversed([*(_inner(place) if place.whole else ()), *_same(schema, place)])


def below(at: str, name: str) -> str:
    """Return the place of a field in an object's place.

    >>> below("$.context", "my key")
    '$.context["my key"]'
    """
    return at + catalog.json_path([name])[1:]


def type_words(part: Mapping[str, Any]) -> str:
    """Return the types that a subschema names, in words.

    >>> type_words({"type": ["string", "null"]})
    'a string or null'
    """
    kinds = part["type"]
    return " or ".join(catalog.KINDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _same(root: dict[str, Any], place: Place) -> Iterator[Place]:
    """Yield what else a contract says of the same value."""
    part = place.part
    target = part.get("$ref", "")
    if target and place.ways.count(target) < 2:
        whole = place.whole and target not in place.ways
        yield replace(place, part=_led_to(root, target), ways=(*place.ways, target), whole=whole)
    yield from (replace(place, part=one) for one in part.get("allOf", ()))
    yield from (replace(place, part=one, told=False) for word in ("anyOf", "oneOf") for one in part.get(word, ()))
    for name, one in part.get("dependentSchemas", {}).items():
        yield replace(place, part=one, when=_and(place.when, {below(place.at, name): "is there"}))
    if "if" in part:
        met = _condition(place.at, part["if"])
        for word, when in (("then", met), ("else", _negated(met))):
            if word in part:
                yield replace(place, part=part[word], when=_and(place.when, when))


def _inner(place: Place) -> Iterator[Place]:
    """Yield what a subschema says of the values inside."""
    part, at = place.part, place.at
    for name, one in part.get("properties", {}).items():
        yield replace(place, at=below(at, name), part=one)
    for one in (*part.get("patternProperties", {}).values(), *(part.get(word) for word in catalog.UNKNOWN_FIELDS)):
        if isinstance(one, dict):
            yield replace(place, at=f"{at}.*", part=one)
    for one in (*part.get("prefixItems", ()), *(part[word] for word in ("items",) if word in part)):
        yield replace(place, at=f"{at}[*]", part=one)


def _led_to(root: Any, target: str) -> Any:
    """Return what a reference such as ``#/$defs/id`` leads to."""
    for step in target.removeprefix("#/").split("/"):
        root = root[step]
    return root


def _condition(at: str, test: dict[str, Any]) -> dict[str, str]:
    """Return what an ``if`` asks, in words by place: ``{"$.type": 'is `"track"`'}``; `SOMETIMES` for what has no words."""
    found: dict[str, str] = {}
    for keyword, asked in test.items():
        if keyword == "properties":
            for name, one in asked.items():
                found |= _condition(below(at, name), one)
        elif keyword == "required":
            found |= {below(at, name): "is there" for name in asked if name not in test.get("properties", ())}
        elif keyword in ("const", "enum"):
            found[at] = f"is {' or '.join(map(value, asked if keyword == 'enum' else [asked]))}"
        elif keyword == "type":
            found[at] = f"is {type_words(test)}"
        elif keyword == "not":
            found |= _negated(_condition(at, asked))
        elif keyword not in ("title", "description"):
            found[SOMETIMES] = ""
    return found


def _negated(met: dict[str, str]) -> dict[str, str]:
    """Return the opposite of a condition of one part; of several it is not told which one fails."""
    if len(met) != 1 or SOMETIMES in met:
        return {SOMETIMES: ""}
    [(subject, verb)] = met.items()
    opposite = verb.replace("is not ", "is ", 1) if verb.startswith("is not ") else verb.replace("is ", "is not ", 1)
    return {subject: opposite}


def _and(outer: Mapping[str, str], inner: Mapping[str, str]) -> dict[str, str]:
    """Return two conditions as one; what something is says more than what it is not."""
    both = dict(outer)
    for subject, verb in inner.items():
        before = both.get(subject, "")
        both[subject] = f"{before} and {verb}" if before and verb.startswith("is not ") else verb
    return both
