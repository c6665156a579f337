"""Memory does not grow with the input: 300 MB through a pipe to the real command take what 3 MB take."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import zstandard

pytestmark = pytest.mark.skipif(not hasattr(os, "wait4"), reason="the system does not tell the memory of a child")

MEGABYTE = 1_000_000
ALLOWED = 60 * MEGABYTE
"""Of a Python that takes a third of it before it has read anything."""

WINDOW = 16 * MEGABYTE
"""What zstd keeps of what it unpacked, and a block of it."""

FEW = 200


def call(number: int, size: int) -> bytes:
    """Return a track call with ids of its own and a property of so many characters."""
    ids = {"userId": f"u-{number}", "anonymousId": f"a-{number}", "messageId": f"m-{number}"}
    return json.dumps({"type": "track", "event": "A", **ids, "properties": {"text": "x" * size}}).encode()


def calls(count: int, size: int) -> Iterator[bytes]:
    """Yield so many small calls, then large ones, about as many bytes as wanted in all."""
    yield from (call(number, 10) for number in range(count))
    large = call(0, 100_000)
    yield from (large for _ in range((size - count * 130) // len(large)))


MEASURE = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-m", "trackside", "validate", "-"])
_, status, usage = os.wait4(child.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, file=sys.stderr)
"""
"""Runs the command, and tells its exit code and its most memory: a child's begins with that of the process it was made from,
so that this one must be small."""


def validate(blocks: Iterable[bytes]) -> tuple[str, int, int]:
    """Return what the command prints, its exit code, and the most memory that it took."""
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", MEASURE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    feeding = threading.Thread(target=feed, args=(process.stdin, blocks))
    feeding.start()
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout as told, process.stderr as measured:
        text, numbers = told.read().decode(), measured.read().decode().split()
    process.wait(timeout=60)
    feeding.join(timeout=60)
    return text, int(numbers[-2]), int(numbers[-1]) * (1 if sys.platform == "darwin" else 1024)


def feed(pipe: Any, blocks: Iterable[bytes]) -> None:
    with suppress(BrokenPipeError), pipe:  # it may have seen enough
        for block in blocks:
            pipe.write(block)


def lines(found: Iterable[bytes]) -> Iterator[bytes]:
    for one in found:
        yield one + b"\n"


def array(found: Iterable[bytes]) -> Iterator[bytes]:
    yield b"["
    for one in found:
        yield one + b",\n "
    yield call(0, 10) + b"]"


@pytest.mark.parametrize("form", [lines, array])
def test_memory_is_that_of_a_short_input(form: Any) -> None:
    small, _, few = validate(form(calls(FEW, 3 * MEGABYTE)))
    told, code, memory = validate(form(calls(15_000, 300 * MEGABYTE)))
    assert (small.count("segment/track"), told.count("segment/track"), code) == (1, 1, 0)
    assert "17,9" in told or "18,0" in told
    assert memory < ALLOWED
    assert memory < few + 12 * MEGABYTE


def packed(plain: Iterable[bytes], packer: Any) -> Iterator[bytes]:
    for block in plain:
        yield packer.compress(block)
    yield packer.flush()


@pytest.mark.rule("trackside.input.too-long", "trackside.input.packed")
@pytest.mark.parametrize("form", ["gzip", "zstd"])
@pytest.mark.parametrize("text", [b'{"a": "', b'[{"a": "', b'{"type": "page", "userId": "u"}\n{"a": "'])
def test_a_bomb_is_passed_over_unread(form: str, text: bytes) -> None:
    zeros = b"0" * MEGABYTE
    if form == "gzip":
        once = gzip.compress(zeros * 20)
        bomb: Iterable[bytes] = [gzip.compress(text), *([once] * 5), gzip.compress(b'"}\n')]
    else:
        packer = zstandard.ZstdCompressor(level=19).compressobj()
        bomb = packed([text, *([zeros] * 100), b'"}\n'], packer)
    told, code, memory = validate(bomb)
    assert "trackside.input.too-long" in told
    assert code == 1
    assert memory < ALLOWED + (WINDOW if form == "zstd" else 0)


@pytest.mark.rule("trackside.input.too-long")
def test_a_line_of_any_length_takes_no_memory() -> None:
    block = b"x" * MEGABYTE
    told, code, memory = validate([b'{"type": "page", "userId": "u"}\n{"a": "', *([block] * 300), b'"}\n', b"{}\n"])
    assert "-:2: strict trackside.input.too-long" in told
    assert "-:3:1: strict trackside.input.no-contract" in told
    assert (code, memory < ALLOWED) == (1, True)
