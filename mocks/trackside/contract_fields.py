"""The fields that a contract describes, and what it asks of each, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trackside import catalog
from trackside.contract_places import Place, below, places, type_words
from trackside.markdown import code, value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PAYLOAD = "The payload itself."


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a contract.

    Attributes:
        at: its place, such as ``$.batch[*].event``; ``$`` for the payload itself.
        type: its JSON types, such as ``string or null``; ``any`` where the contract leaves it open.
        required: ``yes``, the conditions under which it is, or empty.
        limits: what else is asked of its value.
        description: what it is for.
    """

    at: str
    type: str
    required: str
    limits: str
    description: str


def fields_of(contract: str) -> list[Field]:
    """Return the fields that a contract describes, in its order, the payload itself first.

    Raises:
        TracksideError: if there is no contract of that name.

    >>> fields_of("segment/success-answer")[1].at
    '$.success'
    """
    seen: dict[str, list[Place]] = {}
    needed: dict[str, list[str]] = {}
    for place in places(catalog.load(contract)):
        if isinstance(place.part, dict):
            seen.setdefault(place.at, []).append(place)
            for name in place.part.get("required", ()) if place.told else ():
                needed.setdefault(below(place.at, name), []).append(place.condition)
    return [_field(at, found, needed.get(at, [])) for at, found in seen.items()]


def unknown_fields(schema: dict[str, Any]) -> str:
    """Return whether a contract's payload, or each item of a list, may have fields that it does not name.

    It is ``pass``, ``refused``, ``as $.* says`` where such a field must have a form, or empty where there are no fields.
    """
    at = "$[*]" if "items" in schema else "$"
    parts = [place.part for place in places(schema) if place.at == at and isinstance(place.part, dict)]
    told = [part[keyword] for part in parts for keyword in catalog.UNKNOWN_FIELDS if keyword in part]
    if not told:
        return ""
    return "refused" if False in told else "pass" if told[0] is True else f"as {at}.* says"


def limits_of(part: Mapping[str, Any]) -> dict[str, str]:
    """Return what a subschema asks beside types and required fields, in words by keyword.

    >>> limits_of({"type": "string", "minLength": 1})
    {'minLength': 'at least 1 character'}
    """
    said = {keyword: say(part[keyword]) for keyword, say in SAID.items() if keyword in part}
    if "title" in part and "$schema" not in part:
        said |= {keyword: part["title"] for keyword in ("anyOf", "oneOf") if keyword in said}
        said |= {keyword: _titled(part["title"], said[keyword]) for keyword in ("pattern", "not") if keyword in said}
    return {keyword: words for keyword, words in said.items() if words}


def _field(at: str, found: list[Place], needed: list[str]) -> Field:
    parts: list[dict[str, Any]] = [place.part for place in found]
    types = dict.fromkeys(kind for part in parts for kind in _kinds(part))
    limits = dict.fromkeys(words for place in found if place.told for words in _limits(place))
    said = [PAYLOAD if "$schema" in part else part["description"] for part in parts if "description" in part]
    required = "yes" if "" in needed else "; ".join(dict.fromkeys(needed))
    return Field(at, " or ".join(types) or "any", required, "; ".join(limits), said[0] if said else "")


def _kinds(part: Mapping[str, Any]) -> list[str]:
    """Return the JSON types that a subschema allows; an empty list where it leaves them open."""
    if "type" in part:
        return [part["type"]] if isinstance(part["type"], str) else list(part["type"])
    if "pattern" in part.get("not", {}) and "type" not in part["not"]:
        return ["string"]  # whatever is no text keeps a pattern
    values = part.get("enum", [part["const"]] if "const" in part else [])
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return list(dict.fromkeys(names.get(type(value), "null") for value in values))


def _limits(place: Place) -> Iterator[str]:
    """Yield what is asked at a place; a subschema's title says it for all of its keywords."""
    titled = "title" in place.part and "$schema" not in place.part
    for words in [place.part["title"]] if titled else limits_of(place.part).values():
        yield f"{words} ({place.condition})" if place.when else words


def _titled(title: str, words: str) -> str:
    return f"{title}: {words}" if words else title


def _refused(part: dict[str, Any]) -> str:
    """Return what ``not`` refuses in words; empty where it refuses everything, which only a title can explain."""
    if part.get("pattern") == r"\n":
        return "no line break"
    return f"not {value(part)}" if part else ""


def _size(keyword: str) -> Callable[[int], str]:
    """Return what says a limit of a size in words: ``at most 100 characters``."""
    bound, unit = "at least" if keyword.startswith("min") else "at most", catalog.SIZES[keyword]
    return lambda number: f"{bound} {number:,} {unit}{'' if number == 1 else 's'}"


def _choice(branches: list[dict[str, Any]]) -> str:
    """Return the choice of ``anyOf`` or ``oneOf`` in words, as far as its branches have any."""
    words = [_branch(branch) for branch in branches]
    return " or ".join(words) if all(words) else f"one of {len(words)} forms"


def _branch(branch: dict[str, Any]) -> str:
    if set(branch) == {"required"}:
        return f"with {' and '.join(branch['required'])}"
    if "enum" in branch:
        return ", ".join(map(value, branch["enum"]))
    if "const" in branch:
        return value(branch["const"])
    return type_words(branch) if "type" in branch else ""


SAID: dict[str, Callable[[Any], str]] = {
    "const": lambda only: f"only {value(only)}",
    "enum": lambda values: f"one of {', '.join(map(value, values))}",
    "pattern": lambda pattern: f"matches {code(pattern)}",
    **{keyword: _size(keyword) for keyword in catalog.SIZES},
    "minimum": lambda number: f"at least {number:,}",
    "maximum": lambda number: f"at most {number:,}",
    "exclusiveMinimum": lambda number: f"above {number:,}",
    "exclusiveMaximum": lambda number: f"below {number:,}",
    "multipleOf": lambda number: f"a multiple of {number:,}",
    "uniqueItems": lambda unique: "no item twice" if unique else "",
    "anyOf": _choice,
    "oneOf": lambda branches: f"exactly one of: {_choice(branches)}",
    "not": _refused,
    "propertyNames": lambda part: f"names of fields: {part.get('title') or value(part)}",
    "contains": lambda part: f"an item such as {part.get('title') or value(part)}",
}
"""What a keyword asks of a value, in words."""
