"""Reports of a run, one module for each format; each writes as findings come."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from trackside.errors import TracksideError

if TYPE_CHECKING:
    from trackside.validation.reports.sinks import Writer
    from trackside.validation.run import Report

FORMATS = ("text", "json", "junit", "github", "gitlab", "sarif")
"""Each is the class ``Report`` in the module of its name."""

STDOUT = "-"


def report(form: str, file: Writer) -> Report:
    """Return a report of a format that writes to a file."""
    return cast("Report", importlib.import_module(f"{__name__}.{form}").Report(file))


@contextmanager
def opened(asked: Sequence[str], stdout: TextIO | None = None, taken: Collection[str] = ()) -> Iterator[list[Report]]:
    """Give the reports that are asked for; their files are there when the ``with`` ends, and none where it raised.

    Args:
        asked: each a format, with ``=FILE`` for a report that does not go to standard output. Where none goes there,
            the text does.
        stdout: in place of standard output.
        taken: files that no report may take the place of: those that are read.

    Raises:
        TracksideError: a format is unknown, two go to one place, or a file cannot be written.
    """
    wanted = [_wanted(one) for one in asked]
    if STDOUT not in (name for _, name in wanted):
        wanted.insert(0, ("text", STDOUT))
    _alone([name for _, name in wanted], taken)
    with ExitStack() as files:
        yield [report(form, _writer(form, name, stdout or sys.stdout, files)) for form, name in wanted]


def _wanted(asked: str) -> tuple[str, str]:
    """Return the format of a report, and its file."""
    form, equals, name = asked.partition("=")
    where = f"--report {asked}"
    if form not in FORMATS:
        raise TracksideError(f"{form!r} is no format of reports", where, f"say one of {', '.join(FORMATS)}")
    if equals and not name:
        raise TracksideError("the report has no file", where, f"name one, as in {form}=report, or leave the = out")
    return form, name or STDOUT


def _alone(names: list[str], taken: Collection[str]) -> None:
    """Refuse two reports that go to one place, and one that goes where something is read from."""
    places = [name if name == STDOUT else os.path.abspath(name) for name in names]  # noqa: PTH100 - a link is its own
    read = {os.path.abspath(name) for name in taken if name != STDOUT}  # noqa: PTH100
    for name, place in zip(names, places, strict=True):
        if place in read:
            raise TracksideError(
                f"a report goes to {name}, which this run reads or writes", "--report", "give it another file"
            )
        if places.count(place) > 1:
            shown = "standard output" if name == STDOUT else name
            raise TracksideError(
                f"{places.count(place)} reports go to {shown}", "--report", "give each its file, as in json=report.json"
            )


def _writer(form: str, name: str, stdout: TextIO, files: ExitStack) -> Writer:
    if name != STDOUT:
        from trackside.validation.reports.sinks import ReportFile  # noqa: PLC0415 - only where one is asked for

        return files.enter_context(ReportFile(Path(name)))
    if form != "text" and hasattr(stdout, "reconfigure"):
        stdout.reconfigure(encoding="utf-8")  # what reads a format for programs takes it for UTF-8
    return stdout
