"""The few rules of JavaScript that Segment's Actions framework rests on: undefined, truthiness, text, numbers, JSON.

Values are what a JSON document gives in Python (dict, list, str, int, float, bool, None) and `UNDEFINED`. What only
JavaScript's prototypes would find (``properties.constructor``) is undefined here.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

WHITESPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What JavaScript trims, and what its ``\\s`` matches."""

SAFE_INTEGER = 2**53
"""Whole numbers up to here are exact in JavaScript; larger ones are rounded to a double."""

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BASES = {"0x": 16, "0o": 8, "0b": 2}
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = re.compile(r'["\\\x00-\x1f\ud800-\udfff]')


class Undefined:
    """The value of what is not there; falsy, and one of a kind (`UNDEFINED`)."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED = Undefined()


def truthy(value: Any) -> bool:
    """Return whether a value counts as true: empty arrays and objects do, unlike in Python."""
    return bool(value) or isinstance(value, (dict, list))


def type_name(value: Any) -> str:
    """Return the word of an error text: ``object array string number boolean null undefined``."""
    if value is None:
        return "null"
    if value is UNDEFINED:
        return "undefined"
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "number", float: "number", dict: "object", list: "array"}
    return names[type(value)]


def member(value: Any, key: str) -> Any:
    """Return ``value[key]``: an own key, an array's or text's index or ``length``, else `UNDEFINED`."""
    if isinstance(value, dict):
        return value.get(key, UNDEFINED)
    if isinstance(value, (list, str)):
        if key == "length":
            return len(value) if isinstance(value, list) else units(value)
        if _INDEX.fullmatch(key) and int(key) < len(value):
            return value[int(key)]
    return UNDEFINED


def units(text: str) -> int:
    """Return a text's length as JavaScript counts it, in UTF-16 units: an emoji is two."""
    return len(text) + sum(char > "\uffff" for char in text)


def number(text: str) -> float:
    """Return ``Number(text)``: NaN where the text is no number, 0 where it is blank.

    >>> number(" 12 "), number("0x10"), number("")
    (12.0, 16.0, 0.0)
    """
    text = text.strip(WHITESPACE)
    if not text:
        return 0.0
    if _DECIMAL.fullmatch(text):
        return float(text)
    if text.lstrip("+-") == "Infinity" and len(text) <= len("+Infinity"):
        return -math.inf if text[0] == "-" else math.inf
    try:
        return float(int(text[2:], _BASES[text[:2].lower()])) if re.fullmatch(r"[0-9a-fA-F]+", text[2:]) else math.nan
    except (KeyError, ValueError):
        return math.nan


def double(value: int | float) -> int | float:
    """Return a number as JavaScript holds it: whole ones exact up to 2**53, larger ones rounded."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < SAFE_INTEGER else value
    if -SAFE_INTEGER <= value <= SAFE_INTEGER:
        return value
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def number_text(value: float) -> str:
    """Return a number as JavaScript prints it.

    >>> number_text(5.0), number_text(1e21), number_text(1e-7), number_text(123456789012345680000)
    ('5', '1e+21', '1e-7', '123456789012345680000')
    """
    value = double(value)
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if 1e-6 <= abs(value) < 1e21:
        plain = f"{Decimal(repr(value)):f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def text(value: Any) -> str:
    """Return ``String(value)``: objects give ``[object Object]``, arrays their elements joined by commas.

    >>> text(None), text([1, None, "a"]), text({})
    ('null', '1,,a', '[object Object]')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number_text(value)
    if isinstance(value, list):
        return ",".join("" if item is None or item is UNDEFINED else text(item) for item in value)
    return "[object Object]" if isinstance(value, dict) else type_name(value)


def stringify(value: Any) -> str:
    """Return ``JSON.stringify(value)`` of anything but undefined, numbers and order of keys as JavaScript has them."""
    if isinstance(value, str):
        return f'"{_ESCAPED.sub(_escape, value)}"'
    if isinstance(value, bool):
        return text(value)
    if isinstance(value, (int, float)):
        return number_text(value) if math.isfinite(double(value)) else "null"
    if isinstance(value, list):
        return f"[{','.join(map(stringify, value))}]"
    if isinstance(value, dict):
        pairs = [f"{stringify(key)}:{stringify(value[key])}" for key in own_keys(value) if value[key] is not UNDEFINED]
        return f"{{{','.join(pairs)}}}"
    return "null"


def own_keys(value: dict[str, Any]) -> list[str]:
    """Return an object's keys in JavaScript's order: whole numbers first, ascending, then the rest as they came."""
    indexes = [key for key in value if _INDEX.fullmatch(key) and int(key) < 2**32 - 1]
    if not indexes:
        return list(value)
    return sorted(indexes, key=int) + [key for key in value if key not in set(indexes)]


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    return _ESCAPES.get(char) or f"\\u{ord(char):04x}"
