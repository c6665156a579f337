"""Segment calls from a file or standard input: one call, a batch body, an array of them, or one per line (NDJSON)."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
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
        body: the same as compact JSON.
        where: its file with its line or its place in the array.
    """

    payload: dict[str, Any]
    body: bytes
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
    if isinstance(document, list):
        reading = read_calls(document, name)
    else:
        reading = Reading()
        _take(document, name, reading)
    if reading.faults and not reading.found:
        raise reading.faults[0]
    return reading


def read_calls(calls: Iterable[Any], name: str) -> Reading:
    """Return the payloads of an array, each with its place in it."""
    reading = Reading()
    for index, part in enumerate(calls):
        _take(part, f"{name}: $[{index}]", reading)
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
    if not isinstance(part, dict):
        reading.faults.append(TracksideError(f"{shown(part)} is no Segment call", where, _FIX))
        return
    try:
        # Sixteen levels of room for what is written around it; beyond 254 levels there is no JSON of it.
        body = orjson.dumps([[[[[[[[[[[[[[[[part]]]]]]]]]]]]]]]])[16:-16]
    except orjson.JSONEncodeError:
        reading.faults.append(TracksideError("the call is nested too deeply to be passed on", where, "flatten it"))
    else:
        reading.found.append(Found(part, body, where))
