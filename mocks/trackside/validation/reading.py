"""The bytes of a file, plain or packed with gzip or zstd, block by block in constant memory."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, cast

BLOCK = 1 << 17
"""Bytes that are read at once, and given at once of what is packed."""

STDIN = "-"
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_OF_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 64
"""Bytes of zstd that are unpacked at once: they hold 2 MB at most."""


class PackedError(Exception):
    """A file cannot be unpacked, or not to its end; the text says why."""


class Reader:
    """The blocks of an opened file.

    Args:
        blocks: none of them empty.

    Attributes:
        fault: why a packed file ended where it did; empty for one that could be read to its end.
        line: how far it was cut into parts; 0 where that is not known.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self.fault = ""
        self.line = 0

    def read(self) -> bytes:
        """Return the next bytes, as many as are there now; none at the end.

        Raises:
            OSError: the system cannot read on.
        """
        try:
            return next(self._blocks, b"")
        except PackedError as error:
            self._blocks = iter(())
            self.fault = str(error)
            return b""


@contextmanager
def opened(name: str) -> Iterator[Reader]:
    """Give what reads a file, or standard input for ``-``, unpacked by what it begins with.

    Raises:
        OSError: it cannot be opened.
    """
    if name == STDIN:
        if sys.stdin is None:
            raise OSError("standard input is closed")
        yield Reader(_unpacked(_blocks(sys.stdin.buffer)))
        return
    with Path(name).open("rb") as file:
        yield Reader(_unpacked(_blocks(file)))


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := cast("bytes", file.read1(BLOCK)):  # type: ignore[attr-defined]  # both kinds are buffered
        yield block


def _unpacked(blocks: Iterator[bytes]) -> Iterator[bytes]:
    begin = b""
    while len(begin) < len(_ZSTD) and (block := next(blocks, b"")):
        begin += block
    blocks = chain((begin,), blocks) if begin else iter(())
    if begin.startswith(_GZIP):
        return _of_gzip(blocks)
    return _of_zstd(blocks) if begin.startswith(_ZSTD) else blocks


def _of_gzip(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what the members of a gzip file hold, one after the other; zeros between them are padding."""
    member = None
    for block in blocks:
        packed = block
        while packed or member is not None:
            if member is None:
                packed = packed.lstrip(b"\0")
                member = zlib.decompressobj(_OF_GZIP) if packed else None
                continue
            plain = _piece(member, packed)
            if plain:
                yield plain
            if member.eof:
                packed, member = member.unused_data, None
            else:
                packed = member.unconsumed_tail
                if not packed:
                    break
    if member is not None:
        raise PackedError("the gzip file ends before its data do")


def _piece(member: zlib._Decompress, packed: bytes) -> bytes:
    try:
        return member.decompress(packed, BLOCK)
    except zlib.error as error:
        raise PackedError(f"the gzip data are broken: {str(error).rpartition(': ')[2]}") from error


def _of_zstd(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what the frames of a zstd file hold, one after the other."""
    import zstandard  # noqa: PLC0415 - most files are not packed with it

    frame = None
    for block in blocks:
        plain, size, at = [], 0, 0
        while at < len(block):
            frame = frame or zstandard.ZstdDecompressor().decompressobj()
            piece = block[at : at + _PIECE]
            try:
                plain.append(frame.decompress(piece))
            except zstandard.ZstdError as error:
                yield from (b"".join(plain),) if size else ()
                raise PackedError(f"the zstd data are broken: {str(error).rpartition(': ')[2]}") from error
            size += len(plain[-1])
            at += len(piece)
            if frame.eof:
                at -= len(frame.unused_data)
                frame = None
            if size >= BLOCK:
                yield b"".join(plain)
                plain, size = [], 0
        if size:
            yield b"".join(plain)
    if frame is not None:
        raise PackedError("the zstd file ends before its data do")
