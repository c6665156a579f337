"""Where reports go, and how JSON gets there."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import orjson

from trackside.errors import TracksideError


class Writer(Protocol):
    """What a report is given to write to."""

    def write(self, text: str, /) -> object:
        """Write a text."""

    def isatty(self) -> bool:
        """Return whether somebody sees it on a terminal."""


class ReportFile:
    """A file that is written beside its own name, which it takes at the end of a ``with`` that raised nothing.

    What is no regular file, such as ``/dev/stderr``, is written at once.

    Args:
        path: the file; its folder must be there.

    Raises:
        TracksideError: it cannot be written; so too when a text is written, and at the end.
    """

    def __init__(self, path: Path) -> None:
        at_once = path.exists() and not path.is_file()
        self._path = path
        self._written = path if at_once else path.with_name(f".{path.name}.{os.getpid()}")
        try:
            self._file = self._written.open("w", encoding="utf-8", errors="backslashreplace", newline="\n")
        except OSError as error:
            raise self._unwritable(error) from error

    def __enter__(self) -> ReportFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._keep()
        else:
            self._give_up()

    def write(self, text: str, /) -> None:
        """Write a text."""
        try:
            self._file.write(text)
        except OSError as error:
            raise self._unwritable(error) from error

    def isatty(self) -> bool:
        """Return whether it is a terminal, as ``/dev/tty`` is."""
        return self._file.isatty()

    def _keep(self) -> None:
        try:
            self._file.close()
            if self._written != self._path:
                self._written.replace(self._path)
        except OSError as error:
            self._give_up()
            raise self._unwritable(error) from error

    def _give_up(self) -> None:
        with suppress(OSError):
            self._file.close()
        if self._written != self._path:
            with suppress(OSError):
                self._written.unlink(missing_ok=True)

    def _unwritable(self, error: OSError) -> TracksideError:
        what = f"the file cannot be written: {error.strerror or error}"
        return TracksideError(what, str(self._path), "name a file in a folder that is there, on a disk with room")


def dumps(value: Any) -> str:
    """Return a value as JSON in one line; what of a file's name is no UTF-8 becomes ``?``."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()


def number(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> number(1, "fault"), number(1200, "fault")
    ('1 fault', '1,200 faults')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"
