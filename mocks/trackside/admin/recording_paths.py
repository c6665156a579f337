"""The control API's path that gives a lab's traffic as a recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson

from trackside.admin.asking import DEFAULT_ROWS, query
from trackside.errors import TracksideError
from trackside.recording import lines_of, rows_after

if TYPE_CHECKING:
    from trackside.lab import Lab
    from trackside.recording import Line

PAGE_BYTES = 4 * 1024 * 1024
"""Bytes of lines after which a page ends, however few they are."""


def _recording(lab: Lab) -> Any:
    """Requests from outside as lines of a recording, keys redacted, oldest first: ``?after= &limit=``; ``after`` of the answer asks for the next page, ``more`` says whether there is one, ``missing`` how many requests were evicted before it."""
    after, limit = _number("after", 0), _number("limit", DEFAULT_ROWS)
    last, first = lab.journal.next_seq - 1, lab.journal.next_seq - len(lab.journal)
    lines: list[Line] = []
    size, made, reached = 0, lines_of(lab), after
    for row in rows_after(lab, after):
        if len(lines) >= limit or size >= PAGE_BYTES:
            break
        reached = row.seq
        if (line := made.of(row)) is not None:
            lines.append(line)
            size += len(orjson.dumps(line))
    else:
        reached = max(after, last)  # also where the rows up to it are gone
    missing = max(0, first - after - 1) if after else lab.journal.evicted  # what a reset forgot is not missed
    return {"lines": lines, "after": reached, "more": reached < last, "missing": missing}


def _number(name: str, default: int) -> int:
    text = query(name) or str(default)
    if not text.isdecimal() or len(text) > 15:
        raise TracksideError(f"{name} is {text!r}", f"?{name}=", "give a whole number, not below 0")
    return int(text)


PATHS: dict[str, tuple[str, Callable[..., Any]]] = {"/recording": ("GET", _recording)}
"""The path of recordings, with its method."""
