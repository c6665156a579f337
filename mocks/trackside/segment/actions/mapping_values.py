"""What the directives of a mapping do to values: look-ups, templates, replacements, flattening. No directive here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from trackside.errors import TracksideError
from trackside.segment.actions.javascript import UNDEFINED, WHITESPACE, double, member, own_keys, text, truthy, units
from trackside.segment.actions.mapping_check import LONGEST

Resolver: TypeAlias = Callable[[Any], Any]

_SEPARATORS = re.compile(r"\[(?=[\"'0-9])|\.|(?<=[\"'0-9])\]+")
_PLACEHOLDERS = (re.compile(r"\{\{\{([^}]+)\}\}\}"), re.compile(r"\{\{([^}]+)\}\}"))
_REPLACEMENT = re.compile(r"\$([$&`'])")


class InvalidMapping(TracksideError):  # noqa: N818  a state of the user's mapping, in Segment's own words
    """A mapping that Segment cannot resolve: the whole event fails; ``what`` is Segment's reason."""

    def __init__(self, what: str) -> None:
        super().__init__(what, "the mapping", "mend the directive; until then every event that reaches it fails")


def look_up(path: str) -> Resolver:
    """Return the look-up of a path such as ``properties.products[0].price``.

    It walks while the value is truthy: ``""`` gives the whole event, ``a.b`` through a 0 gives that 0.

    >>> look_up("properties.list[1]")({"properties": {"list": ["a", "b"]}})
    'b'
    """
    if path in ("", "."):
        return lambda event: event
    keys = [key.replace("'", "").replace('"', "") for key in _SEPARATORS.split(path) if key]
    if len(keys) != 1:
        return lambda event: _walk(event, keys)
    key = keys[0]
    return lambda event: event.get(key, UNDEFINED) if isinstance(event, dict) else _walk(event, keys)


def _walk(value: Any, keys: list[str]) -> Any:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key, UNDEFINED)
        elif truthy(value):
            value = member(value, key)
        else:
            return value
    return value


def is_blank(value: Any) -> bool:
    """Return JavaScript's ``value == ''``: 0, false and an empty array are blank too."""
    return not isinstance(value, dict) and (not value or text(value) == "")


def render(template: str, event: Any) -> str:
    """Return a template with its ``{{{path}}}`` and then its ``{{path}}`` filled in; what is missing or null is empty."""

    def value(match: re.Match[str]) -> str:
        found = look_up(match[1].strip(WHITESPACE))(event)
        return "" if found is None or found is UNDEFINED else text(found)

    for placeholder in _PLACEHOLDERS:
        template = placeholder.sub(value, template)
    return template


def replaced(value: str, pattern: str, replacement: str, *, ignorecase: bool, everywhere: bool) -> str:
    """Return a text with a pattern replaced, the pattern literal and the replacement with JavaScript's ``$&`` and so on."""
    for name, word in (("pattern", pattern), ("replacement", replacement)):
        if units(word) > LONGEST:
            raise InvalidMapping(f'@replace requires a "{name}" less than {LONGEST} characters')

    def expand(match: re.Match[str]) -> str:
        parts = {"$": "$", "&": match.group(), "`": value[: match.start()], "'": value[match.end() :]}
        return _REPLACEMENT.sub(lambda mark: parts[mark[1]], replacement)

    flags = re.IGNORECASE if ignorecase else re.RegexFlag(0)
    return re.sub(re.escape(pattern), expand, value, count=0 if everywhere else 1, flags=flags)


def entries(value: Any) -> dict[str, Any]:
    """Return what ``Object.assign`` copies: an object's keys, an array's or text's indexes, nothing of the rest."""
    if isinstance(value, dict):
        return value
    return {str(place): item for place, item in enumerate(value)} if isinstance(value, (list, str)) else {}


def flat(value: Any, prefix: str, between: str, *, omit_arrays: bool) -> Iterator[tuple[str, Any]]:
    """Yield the leaves of an object with their keys joined."""
    if not isinstance(value, dict) and (omit_arrays or not isinstance(value, list)):
        yield prefix, value
        return
    inside = entries(value)
    for key in own_keys(inside):
        name = f"{prefix}{between}{key}" if prefix else key
        yield from flat(inside[key], name, between, omit_arrays=omit_arrays)


def decoded(value: Any) -> Any:
    """Return a JSON text's value; anything that is no JSON text as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_int=lambda digits: double(int(digits)), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return value


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def nulls_undefined(value: Any) -> Any:
    """Return a value with null made undefined, in nested objects too but not in arrays."""
    if isinstance(value, dict):
        return {key: nulls_undefined(item) for key, item in value.items()}
    return UNDEFINED if value is None else value


def without_undefined(value: Any) -> Any:
    """Return a value whose objects have lost their undefined keys; arrays keep theirs, and JSON makes them null."""
    if isinstance(value, list):
        return [without_undefined(item) for item in value]
    if isinstance(value, dict):
        return {key: without_undefined(item) for key, item in value.items() if item is not UNDEFINED}
    return value
