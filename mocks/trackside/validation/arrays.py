"""A JSON array read element by element, so that one of any length takes no more memory than its longest element."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

from trackside.validation.locate import BLANK, DECODER, excerpt
from trackside.validation.parts import Document, Elements, Part, Whole, fault, single, too_long
from trackside.validation.reading import Reader

_JSON = "trackside.input.json"
_TOGETHER = 1 << 18
"""Bytes of elements that are judged together."""

_IN_TEXT, _OUTSIDE = re.compile(r'["\\]'), re.compile(r'["\[\]{},]')


class ArrayReader:
    """Reads the elements of an array.

    Args:
        file: as it was named.
        reader: of the file.
        begin: what was read of it; ``[`` is its first character that is not blank.
        limit: bytes of one element.
    """

    def __init__(self, file: str, reader: Reader, begin: bytes, limit: int) -> None:
        self._file, self._reader, self._limit = file, reader, limit
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = self._decoder.decode(begin)
        self._seen: list[bytes] | None = [begin]
        self._line = self._column = 1
        self._at = 0
        self._after_comma = False
        self._move(self._text.index("[") + 1)

    def parts(self, whole: Whole) -> Iterator[Part]:
        """Yield the elements, many at once; the array itself where its first element says that it is one payload."""
        held: list[Document] = []
        size = 0
        for found in self._found(whole):
            if isinstance(found, Document) and found.at != "$":
                held.append(found)
                size += len(found.data)
                if size < _TOGETHER:
                    continue
            if held:
                yield Elements(self._file, tuple(held))
                held, size = [], 0
            if not isinstance(found, Document) or found.at == "$":
                yield found
        if held:
            yield Elements(self._file, tuple(held))

    def _found(self, whole: Whole) -> Iterator[Part]:
        """Yield each element, and what is wrong."""
        index, place = 0, "$[0]"
        while (first := self._next()) and not (first == "]" and index == 0):
            found = self._element()
            if found == "broken":
                break
            if isinstance(found, str):
                yield self._skipped(found, place)
            elif index == 0 and self._seen is not None and whole(found[0]):
                if (document := single(self._file, self._reader, self._seen, self._limit)) is not None:
                    yield document
                return
            else:
                yield self._document(found[1], place)
            self._seen = None
            self._after_comma = False
            index += 1
            place = f"$[{index}]"
            if self._next() != ",":
                break
            self._move(self._at + 1)
            self._after_comma = True
        self._reader.line = self._line
        yield from self._end(index, place)

    def _document(self, end: int, place: str) -> Document:
        data = self._text[self._at : end].encode("utf-8", "surrogateescape")
        document = Document(self._file, self._line, self._column, place, data)
        self._move(end)
        return document

    def _end(self, index: int, place: str) -> Iterator[Part]:
        """Yield what is wrong with the end of the array, or with what follows it."""
        if self._reader.fault:
            return
        if self._next() != "]" or self._after_comma:
            yield self._broken(place)
            return
        self._move(self._at + 1)
        if self._next():
            yield self._told("there is more after the end of the array", "$")
        elif index == 0:
            what, fix = "the array is empty", "name a file with payloads"
            yield fault(self._file, "trackside.input.empty", what, fix, line=self._line, level="warn")

    # ---- reading

    def _move(self, to: int) -> None:
        passed = self._text[self._at : to]
        breaks = passed.count("\n")
        self._column = len(passed) - passed.rfind("\n") if breaks else self._column + len(passed)
        self._line += breaks
        self._at = to

    def _next(self) -> str:
        """Go to the next character that is not blank, and return it; an empty text at the end."""
        while True:
            match = BLANK.match(self._text, self._at)
            self._move(match.end() if match else self._at)
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def _more(self, wanted: int = 1) -> bool:
        """Read on, so many bytes at least where there are so many, and forget what lies behind."""
        pieces, size = [], 0
        while size < wanted and (more := self._reader.read()):
            pieces.append(more)
            size += len(more)
        self._text = self._text[self._at :] + self._decoder.decode(b"".join(pieces), final=not pieces)
        self._at = 0
        if self._seen is not None:
            self._seen += pieces
        return bool(pieces)

    def _element(self) -> tuple[Any, int] | Literal["long", "deep", "broken"]:
        """Return the element that begins here, and where it ends; or why it cannot be read."""
        while True:
            broken = deep = False
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                broken, deep, value, end = True, isinstance(error, RecursionError), None, len(self._text)
            if end < len(self._text) and not (
                isinstance(value, float) and self._text[end] in ".eE"
            ):  # else it may go on
                return "long" if end - self._at > self._limit else (value, end)
            start, length = self._at, len(self._text) - self._at
            if length > self._limit:
                return "long"
            if deep:
                return "deep"
            if not self._more(min(length, self._limit - length + 1)):
                return "broken" if broken else (value, end - start)  # what lies behind was forgotten

    def _skipped(self, why: Literal["long", "deep"], place: str) -> Part:
        """Return why an element was not read, and go behind it."""
        line, column, self._seen = self._line, self._column, None
        self._skip()
        if why == "long":
            return too_long(self._file, self._limit, line=line, column=column, at=place)
        what, fix = "the payload has too many levels of objects and arrays", "send values of fewer levels"
        return fault(self._file, _JSON, what, fix, line=line, column=column, at=place)

    def _skip(self) -> None:
        """Go behind an element without keeping it, as far as its brackets and strings tell where that is."""
        depth, at, within = 0, self._at, False
        while True:
            match = (_IN_TEXT if within else _OUTSIDE).search(self._text, at)
            sign = match[0] if match else ""
            if match is None or (sign == "\\" and match.end() == len(self._text)):
                self._move(match.start() if match else len(self._text))
                at = 0
                if not self._more():
                    return
                continue
            if sign in ",]}" and depth == 0:
                self._move(match.start())
                return
            at = match.end() + (sign == "\\")
            within ^= sign == '"'
            depth += (sign in "[{") - (sign in "]}")

    # ---- what is broken

    def _broken(self, place: str) -> Part:
        """Return why nothing can be read from here on."""
        if self._at == len(self._text):
            return self._told("the file ends before its array does", place)
        try:
            DECODER.raw_decode(self._text, self._at)
        except ValueError as error:
            self._move(getattr(error, "pos", self._at))
            what = str(getattr(error, "msg", error))
            if self._text[self._at : self._at + 1] == "]":
                what = "there is a comma before the end of the array"
            return self._told(f"the file is not JSON: {what[:1].lower()}{what[1:]}", place)
        return self._told("the file is not JSON: there is no comma between two elements", place)

    def _told(self, what: str, place: str) -> Part:
        fix = "mend it there; what follows was not read"
        found = fault(self._file, _JSON, what, fix, line=self._line, column=self._column, at=place)
        shown, caret = excerpt(self._text, self._at)
        return replace(found, excerpt=shown.encode("utf-8", "replace").decode(), caret=caret)
