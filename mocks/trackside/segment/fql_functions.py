"""The values of the Filter Query Language: their types, how they compare, and every function on them.

Pure functions on JSON values, without the language around them (that is `trackside.segment.fql`).

Source: Segment, "Destination Filter Query Language"; where that page is silent, the published packages @segment/tsub and
segmentio/glob, each rule saying which.
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from itertools import zip_longest
from reprlib import repr as shortened
from typing import TYPE_CHECKING, Any

from trackside.errors import TracksideError

if TYPE_CHECKING:
    from collections.abc import Callable


class EvaluationError(TracksideError):
    """A condition that cannot be evaluated for one event, so that Segment drops the event (segment.filter.fail-closed)."""


_TYPES = {str: "string", int: "number", float: "number", bool: "bool", list: "list", type(None): "null", dict: "object"}


def type_of(value: Any) -> str:
    """Return the FQL type of a JSON value: string, number, list, bool, null, or object (segment.fql.typeof)."""
    return _TYPES[type(value)]


def is_number(value: Any) -> bool:
    """Return whether a value is a number; unlike in Python, true and false are none."""
    return type(value) is int or type(value) is float


def equal(left: Any, right: Any) -> bool:
    """Return whether two JSON values are of one type and the same (segment.fql.strict-types).

    Lists are compared element by element, objects with their order of keys.

    >>> equal(1, 1.0), equal(1, True), equal("1", 1)
    (True, False, False)
    """
    if type(left) is str:
        return bool(left == right)
    kind = type_of(left)
    if kind != type_of(right):
        return False
    if kind == "list":
        return len(left) == len(right) and all(map(equal, left, right))
    if kind == "object":
        return list(left) == list(right) and all(equal(left[key], right[key]) for key in left)
    return bool(left == right)


def contained(value: Any, values: Any) -> bool:
    """Return whether ``value in values`` holds; nothing is in null (segment.fql.in).

    Raises:
        EvaluationError: ``values`` is neither a list nor null.
    """
    if values is None:
        return False
    if type(values) is not list:
        raise EvaluationError(f"'in' needs a list and got {shortened(values)}", fix="compare with = or use contains()")
    for item in values:  # noqa: SIM110 - a loop is faster than any() over a generator
        if equal(value, item):
            return True
    return False


def contains(text: Any, part: Any) -> bool:
    """Return whether one string contains the other; false for anything but two strings (segment.fql.null)."""
    return type(text) is str and type(part) is str and part in text


def length(value: Any) -> float:
    """Return the bytes of a string in UTF-8, the elements of a list, or 0 for null (segment.fql.length).

    Any other value has the length NaN, which is neither equal to, less than nor greater than any number.
    """
    if type(value) is str:
        return len(value.encode("utf-8", "surrogatepass"))
    if value is None:
        return 0
    return len(value) if type(value) is list else math.nan


def lowercase(value: Any) -> str | None:
    """Return a string in lower case, or null for anything else (segment.fql.case-functions)."""
    return value.lower() if type(value) is str else None


def uppercase(value: Any) -> str | None:
    """Return a string in upper case, or null for anything else (segment.fql.case-functions)."""
    return value.upper() if type(value) is str else None


def snakecase(value: Any) -> str | None:
    """Return a string with underscores for its spaces, or null (segment.fql.case-functions)."""
    return value.replace(" ", "_") if type(value) is str else None


def kebabcase(value: Any) -> str | None:
    """Return a string with dashes for its spaces, or null (segment.fql.case-functions)."""
    return value.replace(" ", "-") if type(value) is str else None


def titlecase(value: Any) -> str | None:
    """Return a string with a capital at the start of each word, or null (segment.fql.case-functions)."""
    if type(value) is not str:
        return None
    return " ".join(word[:1].upper() + word[1:] for word in value.split(" "))


_TRUE = {"true", "True", "TRUE", "t", "T", "1"}
_FALSE = {"false", "False", "FALSE", "f", "F", "0", ""}


def to_bool(value: Any) -> bool:
    """Return a value as a boolean: null, 0, an empty list and ``"false"`` are false (segment.fql.conversions).

    Raises:
        EvaluationError: a string that names neither, such as ``"yes"``.
    """
    if type(value) is not str:
        return bool(value)
    if value not in _TRUE | _FALSE:
        raise EvaluationError(
            f"bool() cannot read {shortened(value)}", fix='give it "true" or "false", or compare with ='
        )
    return value in _TRUE


def to_string(value: Any) -> str:
    """Return a string as it is, null as an empty string, anything else as its JSON text (segment.fql.conversions)."""
    if type(value) is str:
        return value
    return "" if value is None else json_text(value)


def to_number(value: Any) -> float | None:
    """Return a number, the number that a string holds, or null for null (segment.fql.conversions).

    Raises:
        EvaluationError: anything else, such as ``"12 EUR"`` or true.
    """
    if value is None or is_number(value):
        return value  # type: ignore[no-any-return]  # is_number() has looked
    if type(value) is str and re.fullmatch(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", value, re.ASCII):
        return float(value)
    raise EvaluationError(
        f"number() cannot read {shortened(value)}", fix="test the field with match() or typeof() first"
    )


def json_text(value: Any) -> str:
    """Return the compact JSON text of a value, a whole number without a fraction, as Segment writes it."""
    if type(value) is float and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def semver(version: Any, operator: Any, other: Any) -> bool:
    """Return whether a version such as ``1.2`` is ``=``, ``!=``, ``>``, ``>=``, ``<`` or ``<=`` another (segment.fql.semver).

    At most three parts, missing ones counting as 0. Anything that is no version makes the answer false.
    """
    left, right = _version(version), _version(other)
    if left is None or right is None:
        return False
    order = (left > right) - (left < right)
    return order in _ORDERS.get(operator, ()) if type(operator) is str else False


_ORDERS = {"=": (0,), "!=": (-1, 1), ">": (1,), ">=": (0, 1), "<": (-1,), "<=": (-1, 0)}


def _version(text: Any) -> tuple[int, ...] | None:
    """Return the three numbers of a version; what follows a part's digits is not read, as in JavaScript."""
    parts = text.split(".") if type(text) is str else []
    if not 1 <= len(parts) <= 3:
        return None
    numbers = [re.match(r"\s*[+-]?[0-9]+", part) for part in parts]
    if not all(numbers):
        return None
    return tuple(int(found[0]) if found else 0 for _, found in zip_longest(range(3), numbers))


def match(text: Any, pattern: Any) -> bool:
    """Return whether a glob pattern matches a whole string; false for anything but two strings (segment.fql.match).

    Raises:
        EvaluationError: a pattern that is no glob.
    """
    return type(text) is str and type(pattern) is str and glob(pattern)(text) is not None


_CLASS_ITEM = r"(?:\\.|[^\\\]-])"
_GLOB_PART = re.compile(
    rf"(?P<star>\*+)|(?P<any>\?)|\[(?:(?P<no>\^)|(?!\^))(?P<ranges>(?:{_CLASS_ITEM}(?:-{_CLASS_ITEM})?)+)\]|\\(?P<escaped>.)|(?P<plain>[^\\\[])",
    re.DOTALL,
)
_CLASS_RANGE = re.compile(r"\\?(?P<low>.)(?:-\\?(?P<high>.))?", re.DOTALL)


@lru_cache(maxsize=1024)
def glob(pattern: str) -> Callable[[str], re.Match[str] | None]:
    r"""Return the test for a glob pattern: ``* ? [abc] [a-z] [^a] \x`` over the whole string, case-sensitive (segment.fql.match).

    Raises:
        EvaluationError: the pattern is malformed, such as ``"a["``.

    >>> bool(glob("a*[c-e]")("abcd")), bool(glob("a*")("ba"))
    (True, False)
    """
    chunks, end = [""], 0
    for part in _GLOB_PART.finditer(pattern):
        if part.start() != end:
            break
        end = part.end()
        if part["star"]:
            chunks.append("")
        else:
            chunks[-1] += _one_character(part)
    if end != len(pattern):
        raise EvaluationError(
            f"{pattern!r} is no glob pattern",
            f"its character {end + 1}",
            r"close the [ ] or write \[ for the character",
        )
    return re.compile(_expression(chunks), re.DOTALL).fullmatch


def _expression(chunks: list[str]) -> str:
    """Return one regular expression for the chunks between the stars.

    Each chunk in the middle stays where it first fits: the lookahead finds the place, the back reference takes it and
    keeps it. So the time grows with the length of the string and not with the number of ways to share it out.
    """
    if len(chunks) == 1:
        return chunks[0]
    first, *middle, last = chunks
    kept = "".join(f"(?=(.*?{chunk}))\\{number}" for number, chunk in enumerate(filter(None, middle), 1))
    return f"{first}{kept}.*{last}"


def _one_character(part: re.Match[str]) -> str:
    """Return the regular expression for one part of a glob that stands for one character."""
    if part["any"]:
        return "."
    if not part["ranges"]:
        return re.escape(part["escaped"] or part["plain"])
    pairs = [(found["low"], found["high"] or found["low"]) for found in _CLASS_RANGE.finditer(part["ranges"])]
    ranges = "".join(f"{re.escape(low)}-{re.escape(high)}" for low, high in pairs if low <= high)
    if not ranges:  # a range that runs backwards holds no character
        return "." if part["no"] else "(?!)"
    return f"[{'^' if part['no'] else ''}{ranges}]"


FUNCTIONS: dict[str, tuple[Callable[..., Any], int]] = {
    "contains": (contains, 2),
    "length": (length, 1),
    "lowercase": (lowercase, 1),
    "uppercase": (uppercase, 1),
    "snakecase": (snakecase, 1),
    "kebabcase": (kebabcase, 1),
    "titlecase": (titlecase, 1),
    "typeof": (type_of, 1),
    "match": (match, 2),
    "bool": (to_bool, 1),
    "string": (to_string, 1),
    "number": (to_number, 1),
    "semver": (semver, 3),
}
"""Every function of the language, with the number of its arguments."""
