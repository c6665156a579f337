"""The parts of a file that are judged on their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from trackside.validation.findings import Finding, Level
from trackside.validation.reading import Reader

if TYPE_CHECKING:
    from trackside.recording import Line

Whole: TypeAlias = Callable[[Any], bool]
"""Takes the first element of an array, and says whether the array is one payload."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines of NDJSON.

    Attributes:
        file: as it was named.
        line: the number of the first one, from 1.
        data: as they stand in the file, without the last line break.
    """

    file: str
    line: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Document:
    """One payload that may stand on several lines.

    Attributes:
        file: as it was named.
        line: where it begins, from 1.
        column: where it begins, from 1.
        at: its JSON path in the file.
        data: its own text.
    """

    file: str
    line: int
    column: int
    at: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Elements:
    """Payloads of an array that follow each other.

    Attributes:
        file: as it was named.
        documents: one or more.
    """

    file: str
    documents: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry of a HAR, or an exchange of a running lab.

    Attributes:
        file: the file, or the lab's address.
        at: its place in a HAR, such as ``$.log.entries[3]``; that of an exchange is when it came.
        request: as `trackside.recording` has it; None for an entry that concerns no vendor.
    """

    file: str
    at: str
    request: Line | None


Part: TypeAlias = Lines | Document | Elements | Recorded | Finding
"""A finding is a fault of the file itself."""


def fault(
    file: str,
    rule: str,
    what: str,
    fix: str,
    *,
    line: int = 0,
    column: int = 0,
    at: str = "",
    level: Level = "strict",
) -> Finding:
    """Return a fault of a file, or of what stands in it and is no payload; ``rule`` is its id."""
    return Finding(rule, level, what, at, fix, file, line, column)


def too_long(file: str, limit: int, *, line: int, column: int = 0, at: str = "") -> Finding:
    """Return that a payload was not read."""
    what, fix = f"the payload has more than {limit:,} bytes, and was not read", "send less in one, or raise --limit"
    return fault(file, "trackside.input.too-long", what, fix, line=line, column=column, at=at)


def single(file: str, reader: Reader, pieces: list[bytes], limit: int) -> Part | None:
    """Return a whole file as one payload; None where it cannot be unpacked to its end.

    Args:
        file: as it was named.
        reader: of it.
        pieces: what was read of it.
        limit: bytes of one payload.
    """
    size = sum(map(len, pieces))
    while size <= limit and (more := reader.read()):
        pieces.append(more)
        size += len(more)
    if size > limit:
        return too_long(file, limit, line=1)
    return None if reader.fault else Document(file, 1, 1, "$", b"".join(pieces))
