"""Files of payloads, opened and cut into parts that can be judged on their own, in constant memory.

NDJSON is cut into blocks of whole lines, a JSON array into its elements. What is packed with gzip or zstd is unpacked on
the way, whatever the file's name. A fault ends its own file only.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path

from trackside.errors import TracksideError
from trackside.validation.arrays import ArrayReader
from trackside.validation.locate import DECODER
from trackside.validation.parts import Lines, Part, Whole, fault, single, too_long
from trackside.validation.reading import BLOCK, STDIN, Reader, opened

ENDINGS = (".json", ".ndjson", ".jsonl", ".har")
"""How the names of files end that are looked for in a folder, ``.gz`` and ``.zst`` aside."""

LABS = ("http://", "https://")
"""How the addresses of labs begin."""

_LINES = (".ndjson", ".jsonl")
_BOM = b"\xef\xbb\xbf"
_WIDE = {
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
    **dict.fromkeys((b"{\0\0\0", b"[\0\0\0", b"\0\0\0{", b"\0\0\0["), "UTF-32"),
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    **dict.fromkeys((b"{\0", b"[\0", b"\0{", b"\0["), "UTF-16"),
}
"""How texts begin that are not UTF-8, with a byte order mark or without one."""

_HAR = re.compile(rb'\{\s*"log"\s*:\s*\{')
_FIRST_LINES, _LOOKED_LINES = 3, 8
_LOOKED_AT = 1_000
"""Bytes of a file among which a zero says that it is no text."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is to be checked, or the journal of a running lab.

    Attributes:
        name: as findings call it.
        size: in bytes, as it lies on the disk; 0 where that is unknown.
        token: what the lab's control API wants.
    """

    name: str
    size: int = 0
    token: str = ""


# ---- names


def sources(names: Sequence[str], token: str = "") -> tuple[list[Source], list[TracksideError]]:
    """Return the files of names, each once, and what is wrong with the names.

    Args:
        names: files, folders (searched for `ENDINGS`, hidden ones aside), patterns with ``*``, ``-`` for standard input,
            the addresses of labs.
        token: what the control API of a lab wants off loopback.
    """
    found: dict[str, Source] = {}
    faults = []
    for name in names:
        if name == STDIN or name.startswith(LABS):
            found.setdefault(name, Source(name, token=token if name != STDIN else ""))
            continue
        paths = _paths(name)
        if not paths:
            fix = f"name a file, a folder with {', '.join(ENDINGS)}, a pattern, or - for standard input"
            what = "no file in the folder is one of payloads" if _is_folder(name) else "there is no such file"
            faults.append(TracksideError(what, name, fix))
        for path in paths:
            found.setdefault(os.path.normpath(path), Source(path, _size(path)))
    return list(found.values()), faults


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def _paths(name: str) -> list[str]:
    try:
        path = Path(name)
        if _is_folder(name):
            inside = (one for one in sorted(path.rglob("*")) if _is_payloads(one.relative_to(path)) and one.is_file())
            return [str(one) for one in inside]
        if os.path.lexists(path):
            return [name]
        return sorted(one for one in glob.glob(name, recursive=True) if not Path(one).is_dir())  # noqa: PTH207 - patterns may be absolute
    except (OSError, ValueError):  # a name too long, or with a zero byte
        return []


def _is_folder(name: str) -> bool:
    try:
        return Path(name).is_dir()
    except (OSError, ValueError):
        return False


def _is_payloads(path: Path) -> bool:
    name = _plain_name(path.name)
    hidden = any(part.startswith(".") or part == "node_modules" for part in path.parts)
    return name.endswith(ENDINGS) and not hidden


def _plain_name(name: str) -> str:
    """Return a name without what packing adds to it."""
    return name.lower().removesuffix(".gz").removesuffix(".zst")


# ---- what stands in a file


def parts(source: Source, limit: int, whole: Whole) -> Iterator[Part]:
    """Yield what stands in a file, in its order.

    Args:
        source: the file.
        limit: bytes of one payload; a longer one is reported and not read.
        whole: takes the first element of an array, and says whether the array is one payload.

    Raises:
        TracksideError: the control API of a lab does not answer.
    """
    name = source.name
    if name.startswith(LABS):
        from trackside.validation.journal import exchanges  # noqa: PLC0415 - see the package

        yield from exchanges(name, source.token)
        return
    try:
        with opened(name) as reader:
            yield from _cut(name, reader, limit, whole)
            if reader.fault:
                what, fix = (
                    f"the file cannot be unpacked: {reader.fault}",
                    "pack it again; what came before was checked",
                )
                yield fault(name, "trackside.input.packed", what, fix, line=reader.line)
    except OSError as error:
        what = f"the file cannot be read: {error.strerror or error}"
        yield fault(name, "trackside.input.unreadable", what, "name a file that this user may read")


def _cut(name: str, reader: Reader, limit: int, whole: Whole) -> Iterator[Part]:
    begin = _begin(reader).removeprefix(_BOM)
    plain = _plain_name(name)
    text = begin.lstrip()
    if (found := _not_utf8(name, begin)) is not None:
        yield found
    elif not text and len(begin) < BLOCK:
        if not reader.fault:
            yield fault(name, "trackside.input.empty", "the file is empty", "name a file with payloads", level="warn")
    elif plain.endswith(".har") or _HAR.match(text):
        from trackside.validation.har_entries import entries  # noqa: PLC0415 - see the package

        yield from entries(name, reader, begin)
    elif plain.endswith(_LINES) or _is_lines(text) or _is_one_long_line(begin, text):
        yield from _lines(name, reader, begin, limit)
    elif text.startswith(b"["):
        yield from ArrayReader(name, reader, begin, limit).parts(whole)
    elif (document := single(name, reader, [begin], limit)) is not None:
        yield document


def _begin(reader: Reader) -> bytes:
    """Return as much of a file as tells what stands in it: its first three lines, where they are not too long."""
    pieces: list[bytes] = []
    size = breaks = 0
    while size < BLOCK and breaks < _FIRST_LINES and (more := reader.read()):
        pieces.append(more)
        size += len(more)
        breaks += (more if breaks else more.lstrip()).count(b"\n")
    return b"".join(pieces)


def _not_utf8(name: str, begin: bytes) -> Part | None:
    """Return that a file is no text, or one in UTF-16 or UTF-32; None for all others, also with a broken character."""
    wide = next((form for mark, form in _WIDE.items() if begin.startswith(mark)), "")
    if wide:
        return fault(name, "trackside.input.encoding", f"the file is {wide}", "save it as UTF-8")
    if b"\0" in begin[:_LOOKED_AT] and begin.lstrip()[:1] not in (b"{", b"["):
        what, fix = "the file is no text: it has zero bytes", "name a file with JSON"
        return fault(name, "trackside.input.encoding", what, fix)
    return None


def _is_lines(text: bytes) -> bool:
    r"""Return whether the first lines of a file are JSON documents of their own, or were meant to be.

    >>> _is_lines(b'{"a": 1}\n{"a": 2}\n'), _is_lines(b'[\n{"a": 1}\n]'), _is_lines(b'{"a": 1}\n')
    (True, False, False)
    """
    first, _, rest = text.partition(b"\n")
    rest = rest.lstrip()
    if not rest:
        return False
    end = _end_of_json(first)
    if end is None:
        return True
    others = [line for line in rest.split(b"\n", _LOOKED_LINES)[:_LOOKED_LINES] if line.strip()]
    objects = [line.lstrip().startswith(b"{") and _end_of_json(line) is None for line in others[:2]]
    if end == len(first):  # a document goes on: only two objects without a comma between them say otherwise
        return first.strip() != b"[" and objects == [True, True]
    return objects[0]


def _is_one_long_line(begin: bytes, text: bytes) -> bool:
    """Return whether a file begins with a line so long that others may follow; it makes no difference where none do."""
    return len(begin) >= BLOCK and text[:1] != b"[" and b"\n" not in text


def _end_of_json(line: bytes) -> int | None:
    """Return how far a line can be read as JSON, its end where more may follow; None where it is a whole document."""
    text = line.decode("utf-8", "replace").rstrip()
    try:
        DECODER.decode(text)
    except JSONDecodeError as error:
        return len(line) if error.pos >= len(text) else error.pos
    except RecursionError:
        return 0
    return None


# ---- lines


def _lines(name: str, reader: Reader, begin: bytes, limit: int) -> Iterator[Part]:
    """Yield blocks of whole lines; of a line over the limit only the number is told."""
    held: list[bytes] = []
    number, size, chunk, skipping = 1, 0, begin, False
    while chunk:
        if skipping:
            _, end, chunk = chunk.partition(b"\n")
            skipping = not end
            number += not skipping
        whole, end, rest = chunk.rpartition(b"\n")
        if end:
            block = b"".join((*held, whole))
            yield from _block(name, number, block, limit)
            number += block.count(b"\n") + 1
            held, size = [], 0
        held.append(rest)
        size += len(rest)
        if size > limit:
            yield too_long(name, limit, line=number)
            held, size, skipping = [], 0, True
        chunk = reader.read()
    reader.line = number
    if size and not reader.fault:
        yield from _block(name, number, b"".join(held), limit)


def _block(name: str, number: int, data: bytes, limit: int) -> Iterator[Part]:
    """Yield lines without those that are too long, of which there are none in a block as short as the limit."""
    if len(data) <= limit:
        yield Lines(name, number, data)
        return
    held: list[bytes] = []
    for index, line in enumerate(data.split(b"\n"), number):
        if len(line) <= limit:
            held.append(line)
            continue
        if held:
            yield Lines(name, index - len(held), b"\n".join(held))
        held = []
        yield too_long(name, limit, line=index)
    if held:
        yield Lines(name, number + data.count(b"\n") + 1 - len(held), b"\n".join(held))
