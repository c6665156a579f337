"""The entries of a HAR, which is one JSON document and read as a whole."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

from trackside.errors import TracksideError
from trackside.recording_files import HAR_BYTES
from trackside.recording_files import entries as found_in
from trackside.validation.findings import Finding
from trackside.validation.parts import Part, Recorded, fault
from trackside.validation.reading import Reader

_PLACE = re.compile(r".*:(\d+):(\d+)", re.DOTALL)


def entries(name: str, reader: Reader, begin: bytes) -> Iterator[Part]:
    """Yield the entries of a HAR, and why one cannot be read; of one that concerns no vendor only that it is there.

    Args:
        name: the file.
        reader: of it.
        begin: what was read of it.
    """
    pieces, size = [begin], len(begin)
    while size <= HAR_BYTES and (more := reader.read()):
        pieces.append(more)
        size += len(more)
    if reader.fault:
        return
    try:
        for found in found_in(Path(name), io.BytesIO(b"".join(pieces)), {}):
            at = found.where.rpartition(": ")[2]
            yield _fault(name, found.fault, at) if found.fault is not None else Recorded(name, at, found.line)
    except TracksideError as error:
        yield _fault(name, error, "")


def _fault(name: str, error: TracksideError, at: str) -> Finding:
    place = _PLACE.fullmatch(error.where)
    line, column = (int(place[1]), int(place[2])) if place else (0, 0)
    return fault(name, "trackside.input.har", error.what, error.fix, line=line, column=column, at=at)
