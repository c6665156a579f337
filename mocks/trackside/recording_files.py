"""Files of recordings: NDJSON and HAR, plain or packed with gzip, written as requests come and read line by line.

NDJSON is written and read in constant memory. A HAR is one JSON document: it is written entry by entry to a file beside
its own, which takes its name at the end, and read as a whole.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, TypeAlias

import orjson

from trackside import __version__, har
from trackside.errors import TracksideError
from trackside.recording import Line, faults_of

Binary: TypeAlias = "IO[bytes] | gzip.GzipFile"
Format = Literal["har", "ndjson"]
FORMATS: dict[str, Format] = {".har": "har", ".ndjson": "ndjson", ".jsonl": "ndjson"}
HAR_BYTES = 512 * 1024 * 1024
"""The largest HAR that is read, unpacked; it takes several times as much memory."""

LINE_BYTES = 128 * 1024 * 1024
_GZIP = b"\x1f\x8b"


def format_of(file: Path, chosen: str | None = None) -> Format:
    """Return the format of a file: as chosen, else by the end of its name, ``.gz`` aside.

    Raises:
        TracksideError: the name does not tell.
    """
    if chosen is not None:
        return "har" if chosen == "har" else "ndjson"
    name = file.name.lower().removesuffix(".gz")
    found = FORMATS.get(Path(name).suffix)
    if found is None:
        text = f"the name {file.name!r} tells no format"
        raise TracksideError(text, str(file), "end it with .ndjson or .har, or say --format")
    return found


# ---- writing


class RecordingFile:
    """A recording that is being written.

    Args:
        path: the file.
        form: its format.
        bases: the address of each vendor, for requests that name no host.
        at_once: whether each line of NDJSON is in the file itself as soon as it is written; a HAR, and NDJSON
            otherwise, is there as a whole, or not at all.
        overwrite: whether a file that is there may be replaced.

    Attributes:
        written: the file that is written: the recording's own, or one beside it that gets its name at the end.
        lines: how many were written.

    Raises:
        TracksideError: it cannot be written, or is there already.
    """

    def __init__(
        self, path: Path, form: Format, bases: Mapping[str, str], *, at_once: bool = False, overwrite: bool = False
    ) -> None:
        self.path, self.lines = path, 0
        self._form, self._bases = form, bases
        self.written = path if at_once and form == "ndjson" else path.with_name(f".{path.name}.{os.getpid()}")
        if path.exists() and not overwrite:
            fix = "name another file, or replace it with --overwrite"
            raise TracksideError("the file is there already", str(path), fix)
        try:
            self._file = _opened(self.written, packed=path.name.lower().endswith(".gz"))
            if form == "har":
                self._file.write(har.head(__version__))
        except OSError as error:
            raise _unwritable(path, error) from error

    def write(self, line: Line) -> None:
        """Write a line, and flush it.

        Raises:
            TracksideError: the disk is full, say.
        """
        separator = b"" if self._form == "ndjson" else b",\n" if self.lines else b"\n"
        text = orjson.dumps(line if self._form == "ndjson" else har.entry_of(line, self._bases))
        try:
            self._file.write(separator + text + (b"\n" if self._form == "ndjson" else b""))
            self._file.flush()
        except OSError as error:
            raise _unwritable(self.path, error) from error
        self.lines += 1

    def close(self) -> None:
        """Finish the file, under its own name."""
        try:
            if self._form == "har":
                self._file.write(b"\n]}}\n")
            self._file.close()
            if self.written != self.path:
                self.written.replace(self.path)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def give_up(self, *, keep: bool = False) -> None:
        """Take the unfinished file away, unless what it holds is to be kept; lines that were written at once stay."""
        with suppress(OSError):
            self._file.close()
        if not keep and (self.written != self.path or not self.lines):
            with suppress(OSError):
                self.written.unlink(missing_ok=True)


def _opened(path: Path, *, packed: bool) -> Binary:
    return gzip.open(path, "wb") if packed else path.open("wb")


def _unwritable(path: Path, error: OSError) -> TracksideError:
    text = f"the recording cannot be written: {error.strerror or error}"
    return TracksideError(text, str(path), "name a file in a folder of yours, on a disk with room")


# ---- reading


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at one place of a recording: a line, a fault, or an entry that concerns no vendor.

    Attributes:
        where: the file with the line, or with the place in a HAR.
        line: it keeps the contract; None for the other two.
        fault: why it cannot be read.
        redacted: whether its keys were replaced; else it is sent as it stands.
    """

    where: str
    line: Line | None = None
    fault: TracksideError | None = None
    redacted: bool = True


def read(path: Path, places: Mapping[str, str]) -> Iterator[Found]:
    """Yield what a recording holds, in its order.

    Args:
        path: the file, in NDJSON or HAR, plain or packed; told from its content where its name does not tell.
        places: a vendor by the ``host:port`` of its address in a lab, for a HAR of another program.

    Raises:
        TracksideError: the file cannot be read, or is neither.
    """
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == _GZIP
        with gzip.open(path) if packed else path.open("rb") as file:
            is_har = _is_har(path, file)
            file.seek(0)
            yield from entries(path, file, places) if is_har else _lines(path, file)
    except OSError as error:
        text = f"the recording cannot be read: {error.strerror or error}"
        raise TracksideError(text, str(path), "name a file that trackside record wrote, or a HAR") from error


def _is_har(path: Path, file: Binary) -> bool:
    """Return whether a file is a HAR: by its name, else by whether its first line is a JSON document."""
    with suppress(TracksideError):
        return format_of(path) == "har"
    try:
        first = orjson.loads(file.readline(LINE_BYTES))
    except (orjson.JSONDecodeError, EOFError, zlib.error):
        return True
    return not (isinstance(first, dict) and "recording" in first)


def _lines(path: Path, file: Binary) -> Iterator[Found]:
    number = 0
    while True:
        number += 1
        where = f"{path}:{number}"
        try:
            text = file.readline(LINE_BYTES + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            fault = TracksideError(f"the gzip file is cut short: {error}", where, "the lines before are used")
            yield Found(where, fault=fault)
            return
        if not text:
            return
        if len(text) > LINE_BYTES:
            fix = "split the file there; the lines before are used"
            yield Found(where, fault=TracksideError(f"the line has over {LINE_BYTES} bytes", where, fix))
            return
        if text.strip():
            yield _found(text, where)


def _found(text: bytes, where: str) -> Found:
    try:
        line = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        told = f"the line is not JSON: {error.msg} at column {error.colno}"
        return Found(where, fault=TracksideError(told, where, "mend the line; the others are used"))
    return _checked(line, where, redacted=True)


def _checked(line: Line, where: str, *, redacted: bool) -> Found:
    faults = faults_of(line, where)
    return Found(where, fault=faults[0]) if faults else Found(where, line, redacted=redacted)


def entries(path: Path, file: IO[bytes] | gzip.GzipFile, places: Mapping[str, str]) -> Iterator[Found]:
    """Yield what an opened HAR holds; see `read`."""
    for index, entry in enumerate(_archive(path, file)):
        where = f"{path}: $.log.entries[{index}]"
        try:
            line, redacted = har.line_of_entry(entry, places)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            told = f"the entry is none of a HAR: {type(error).__name__} {error}"
            yield Found(where, fault=TracksideError(told, where, "export it again; the other entries are used"))
            continue
        yield Found(where) if line is None else _checked(line, where, redacted=redacted)


def _archive(path: Path, file: Binary) -> list[object]:
    """Return the entries of a HAR."""
    fix = "export it again as HAR 1.2, or name a .ndjson of trackside record"
    try:
        data = file.read(HAR_BYTES + 1).removeprefix(b"\xef\xbb\xbf")
    except (EOFError, zlib.error) as error:
        raise TracksideError(f"the gzip file is cut short: {error}", str(path), "copy it again") from error
    if len(data) > HAR_BYTES:
        text = f"the HAR has over {HAR_BYTES // 2**20} MiB, and is read as a whole"
        raise TracksideError(text, str(path), "record as .ndjson, which is read line by line")
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        where = f"{path}:{error.lineno}:{error.colno}"
        raise TracksideError(f"the file is not JSON: {error.msg}", where, fix) from error
    log = document.get("log") if isinstance(document, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise TracksideError("the file is JSON and no HAR: it has no log.entries", str(path), fix)
    return entries
