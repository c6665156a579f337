"""Where in a JSON text the value of a JSON path begins."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from json import loads
from json.decoder import JSONDecoder, scanstring  # type: ignore[attr-defined]  # the decoder's own, not in its stubs

DECODER = JSONDecoder(strict=False, parse_int=float)
"""Reads values to find their ends: what is wrong within them is told elsewhere, and numbers of any length are read."""

BLANK = re.compile(r"[ \t\r\n]*")
_BLANKS = frozenset(" \t\r\n")
_PART = re.compile(r'\.([^.\[\]"]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]')
_BREAK = re.compile("\n")
WIDTH = 100
"""Characters of an excerpt."""


def parts_of(place: str) -> tuple[str | int, ...]:
    """Return the parts of a JSON path as `trackside.catalog.json_path` writes it; none for what is no such path.

    >>> parts_of('$.batch[0]["my key"].event')
    ('batch', 0, 'my key', 'event')
    """
    parts: list[str | int] = []
    at = 1
    while at < len(place):
        match = _PART.match(place, at)
        if match is None:
            return ()
        name, index, quoted = match.groups()
        parts.append(name or (int(index) if index else loads(quoted)))
        at = match.end()
    return tuple(parts)


class Located:
    """A JSON text in which any number of places are looked up: each object and array of it is gone through once.

    Args:
        text: of one document.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._breaks = array("q", (match.start() for match in _BREAK.finditer(text)))
        self._members: dict[int, dict[str, tuple[int, int]]] = {}
        self._items: dict[int, array[int]] = {}

    def offset_of(self, path: Sequence[str | int]) -> int:
        """Return where the value of a path begins; see `offset_of`."""
        told = start = _after_blank(self.text, 0)
        for part in path:
            try:
                found = self._inside(start, part)
            except (ValueError, IndexError, RecursionError):
                return start
            if found is None:
                return start
            told, start = found
        return told

    def line_and_column(self, offset: int) -> tuple[int, int]:
        """Return the line and the column of an offset, both from 1."""
        breaks = bisect_left(self._breaks, offset)
        return breaks + 1, offset - self._line(breaks)[0] + 1

    def excerpt(self, offset: int) -> tuple[str, int]:
        """Return the line around an offset, cut to `WIDTH` characters, and where in it the offset is."""
        begin, end = self._line(bisect_left(self._breaks, offset))
        if end > begin and self.text[end - 1] == "\r":
            end -= 1
        if end - begin <= WIDTH:
            return self.text[begin:end], offset - begin
        first = max(begin, min(offset - WIDTH // 2, end - WIDTH))
        cut = self.text[first : first + WIDTH]
        before, after = "…" if first > begin else "", "…" if first + WIDTH < end else ""
        return f"{before}{cut}{after}", offset - first + len(before)

    def _line(self, breaks: int) -> tuple[int, int]:
        """Return where the line after so many line breaks begins and ends."""
        begin = self._breaks[breaks - 1] + 1 if breaks else 0
        return begin, self._breaks[breaks] if breaks < len(self._breaks) else len(self.text)

    def _inside(self, start: int, part: str | int) -> tuple[int, int] | None:
        """Return where a part of the value at ``start`` is told, and where its value is; for an item both are one."""
        sign = self.text[start]
        if sign == "{" and isinstance(part, str):
            if start not in self._members:
                self._members[start] = {key: (at, value) for key, at, value in _members(self.text, start)}
            return self._members[start].get(part)
        if sign == "[" and isinstance(part, int):
            if start not in self._items:
                self._items[start] = array("q", _items(self.text, start))
            items = self._items[start]
            return (items[part], items[part]) if 0 <= part < len(items) else None
        return None


@lru_cache(1)
def located(text: bytes) -> Located:
    """Return a document, decoded; the last one is kept, as one with a fault often has more."""
    return Located(text.decode("utf-8", "replace"))


def offset_of(text: str, path: Sequence[str | int]) -> int:
    """Return where the value of a path begins in a JSON text; where the path leads nowhere, the nearest value around it.

    Of a key that stands twice, the last one counts, as it does for parsers. A member's value is told by its key.

    >>> offset_of('{"batch": [{"event": 1}]}', ["batch", 0, "event"])
    12
    """
    return Located(text).offset_of(path)


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return the line and the column of an offset, both from 1."""
    return Located(text).line_and_column(offset)


def excerpt(text: str, offset: int) -> tuple[str, int]:
    """Return the line around an offset, cut to `WIDTH` characters, and where in it the offset is.

    >>> excerpt("a" * 300, 250)[1]
    51
    """
    return Located(text).excerpt(offset)


def _members(text: str, start: int) -> Iterator[tuple[str, int, int]]:
    """Yield key, its offset, and the offset of its value, for each member of an object."""
    at = _after_blank(text, start + 1)
    while text[at] == '"':
        key, after = scanstring(text, at + 1, False)
        value = (after if text[after] == ":" else _after_blank(text, after)) + 1
        value = value if text[value] not in _BLANKS else _after_blank(text, value)
        yield key, at, value
        end = _end(text, value)
        end = end if text[end] == "," else _after_blank(text, end)
        if text[end] != ",":
            return
        at = end + 1 if text[end + 1] == '"' else _after_blank(text, end + 1)


def _items(text: str, start: int) -> Iterator[int]:
    at = _after_blank(text, start + 1)
    while text[at] != "]":
        yield at
        end = _after_blank(text, _end(text, at))
        if text[end] != ",":
            return
        at = _after_blank(text, end + 1)


def _end(text: str, start: int) -> int:
    return DECODER.raw_decode(text, start)[1]


def _after_blank(text: str, at: int) -> int:
    if text[at : at + 1] not in _BLANKS:  # as most often in what a program wrote
        return at
    match = BLANK.match(text, at)
    return match.end() if match else at
