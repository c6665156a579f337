"""Segment calls from a file or standard input: one call, a batch body, an array of them, or one per line (NDJSON)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from trackside.errors import TracksideError
from trackside.telling import shown

STDIN = "-"
_FIX = "write one Segment call as a JSON object, or one on each line"


@dataclass(frozen=True, slots=True)
class Found:
    """One payload of a file.

    Attributes:
        payload: a call, or a batch body.
        where: its file with its line or its place in the array.
    """

    payload: dict[str, Any]
    where: str

    @property
    def is_batch(self) -> bool:
        """Whether it is the body of a batch, and not one call."""
        return isinstance(self.payload.get("batch"), list)


@dataclass(slots=True)
class Reading:
    """What a file holds: payloads in order, and a fault for each line that is none."""

    found: list[Found] = field(default_factory=list)
    faults: list[TracksideError] = field(default_factory=list)


def read(file: str) -> Reading:
    """Return the payloads of a file, or of standard input for ``-``.

    Raises:
        TracksideError: the file cannot be read, or nothing in it is a call.
    """
    name = "standard input" if file == STDIN else file
    data = _bytes(file).removeprefix(b"\xef\xbb\xbf")
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        return _lines(data, name, error)
    parts = document if isinstance(document, list) else [document]
    places = [f"{name}: $[{index}]" for index in range(len(parts))] if isinstance(document, list) else [name]
    reading = Reading()
    for part, where in zip(parts, places, strict=True):
        _take(part, where, reading)
    if reading.faults and not reading.found:
        raise reading.faults[0]
    return reading


def _bytes(file: str) -> bytes:
    if file == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        text = f"the file cannot be read: {error.strerror}"
        raise TracksideError(text, file, "name a JSON or NDJSON file, or - for standard input") from error


def _lines(data: bytes, name: str, whole: orjson.JSONDecodeError) -> Reading:
    """Return the payloads of a file with one on each line; it is not one where no line is an object."""
    reading = Reading()
    for number, line in _numbered(data):
        _take_line(line, f"{name}:{number}", reading)
    if reading.faults and not reading.found:
        text = f"the file is not JSON: {whole.msg}"
        raise TracksideError(text, f"{name}:{whole.lineno}:{whole.colno}", _FIX) from whole
    return reading


def _numbered(data: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            yield number, line


def _take_line(line: bytes, where: str, reading: Reading) -> None:
    try:
        part = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        text = f"the line is not JSON: {error.msg} at column {error.colno}"
        reading.faults.append(TracksideError(text, where, "mend the line; the others are used"))
    else:
        _take(part, where, reading)


def _take(part: Any, where: str, reading: Reading) -> None:
    if isinstance(part, dict):
        reading.found.append(Found(part, where))
    else:
        reading.faults.append(TracksideError(f"{shown(part)} is no Segment call", where, _FIX))
