"""What keeps a text from being JSON that every reader understands alike: syntax, encoding, NaN, a key given twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson

from trackside.validation.findings import Finding
from trackside.validation.locate import located
from trackside.validation.parts import fault
from trackside.validation.problems import Path, Place, Problem

_TWICE = "trackside.input.duplicate-key"
_NO_VALUES = ("NaN", "Infinity")
_LEVELS = ("depth limit", "recursion limit", "allocate memory")
"""How the parser says that a text has too many levels."""


def syntax_fault(place: Place, error: orjson.JSONDecodeError) -> Finding:
    """Return why the text of a place is no JSON, with the line and column where that shows."""
    try:
        text = place.text.decode()
    except UnicodeDecodeError as wrong:
        before = place.text[: wrong.start]
        what = f"the text is not UTF-8: byte 0x{place.text[wrong.start]:02x} at offset {len(before):,}"
        return _told(place, len(before.decode()), "trackside.input.encoding", what, "save it as UTF-8")
    at = error.pos
    if name := next((name for name in _NO_VALUES if text.startswith(name, at)), ""):
        at -= text[at - 1 : at] == "-"
        what, fix = f"{text[at : error.pos]}{name} is no JSON value", "send null, or leave the field out"
        return _told(place, at, "trackside.input.nan", what, fix)
    what, fix = f"the text is not JSON: {error.msg}", "mend it there; the other payloads were checked"
    if any(words in error.msg for words in _LEVELS):
        what, fix = "the payload has too many levels of objects and arrays", "send values of fewer levels"
    return _told(place, at, "trackside.input.json", what, fix)


def _told(place: Place, offset: int, rule: str, what: str, fix: str) -> Finding:
    document = located(place.text)
    line, column = document.line_and_column(offset)
    shown, caret = document.excerpt(offset)
    column += place.column - 1 if line == 1 else 0
    at = place.at if place.at != "$" else ""
    found = fault(place.file, rule, what, fix, line=place.line + line - 1 if place.line else 0, column=column, at=at)
    return replace(found, excerpt=shown, caret=caret)


# ---- keys given twice


def may_have_twice(text: bytes, payload: Any) -> bool:
    """Return whether a key may stand twice in an object of a text: its colons are then more than those of what was read.

    A colon written as an escape is the one exception, so that a text with one is always looked at.
    """
    try:
        written = orjson.dumps(payload)
    except orjson.JSONEncodeError:  # too many levels to be written
        return True
    escaped = b"\\" in text and b"\\u003a" in text.lower()  # a single byte is found much faster than six
    return escaped or written.count(b":") != text.count(b":")


class _Twice(dict[str, Any]):
    """An object, and the keys that it was given twice."""

    keys_twice: tuple[str, ...] = ()


def keys_twice(text: bytes) -> Iterator[Problem]:
    """Yield each key that an object of a JSON text is given twice, in values that count: of two equal keys the last one's."""
    try:
        document = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return
    fix = "give it once: readers differ in which one they take, and here it is the last"
    for path, key in _paths(document):
        what = f"the key {json.dumps(key, ensure_ascii=False)} is given twice"
        yield Problem(_TWICE, "strict", what, (*path, key), fix)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = _Twice(pairs)
    if len(found) != len(pairs):
        found.keys_twice = tuple(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
    return found


def _paths(document: Any) -> Iterator[tuple[Path, str]]:
    """Yield where an object with keys given twice stands, and each of the keys; without calls within calls."""
    waiting: list[tuple[Path, Any]] = [((), document)]
    while waiting:
        path, value = waiting.pop()
        inner: list[tuple[Path, Any]] = []
        if isinstance(value, _Twice):
            yield from ((path, key) for key in value.keys_twice)
            inner = [((*path, name), one) for name, one in value.items() if isinstance(one, (dict, list))]
        elif isinstance(value, list):
            inner = [((*path, index), one) for index, one in enumerate(value) if isinstance(one, (dict, list))]
        waiting += reversed(inner)
