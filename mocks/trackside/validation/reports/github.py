"""Annotations of GitHub Actions, and the summary of the step.

Source: docs.github.com/en/actions/reference/workflow-commands-for-github-actions. A step shows 10 errors, 10 warnings and
10 notices, and takes a summary of 1 MiB.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from trackside.errors import TracksideError
from trackside.validation.findings import FileResult, Finding
from trackside.validation.reports.places import Names, checkout, end_column, is_no_file
from trackside.validation.reports.sinks import Writer, number
from trackside.validation.run import Summary

SHOWN = 10
"""Annotations of one kind that a step shows."""

ROWS = 100
"""Findings in the summary of the step."""

SUMMARY_BYTES = 1 << 20
CELL = 400
"""Characters of a cell in the summary of the step."""

COMMANDS = {"strict": "error", "warn": "warning"}
_TABLE = "| level | place | code | what |\n|---|---|---|---|\n"
_MORE = "\nNot shown here: {}.\n"
_STEERING = re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_PLAIN = re.compile(r"[^a-zA-Z0-9 .,;/()=+-]")


class Report:
    """Writes workflow commands, and appends to the file that ``GITHUB_STEP_SUMMARY`` names, if it does.

    Args:
        file: where the commands go.
    """

    def __init__(self, file: Writer) -> None:
        self._file = file
        self._names = Names(checkout())
        self._seen: Counter[str] = Counter()
        self._rows: list[str] = []

    def finding(self, finding: Finding) -> None:
        """Write one of the first findings of a level; the others are counted."""
        if len(self._rows) < ROWS:
            self._rows.append(self._row(finding))
        properties = {"title": finding.code}
        if not is_no_file(finding.file):
            places = {"file": self._names[finding.file], "line": finding.line, "col": finding.column}
            known = {name: str(value) for name, value in places.items() if value}
            properties = {**known, **({"endColumn": str(end)} if (end := end_column(finding)) else {}), **properties}
        self._write(COMMANDS[finding.level], properties, finding.message)

    def file(self, result: FileResult) -> None:
        """Write nothing: annotations are about findings."""

    def finish(self, summary: Summary) -> None:
        """Write how many more there were, and the summary of the step."""
        for fault in summary.faults:
            self._write("error", {"title": "trackside validate"}, str(fault))
        more = [number(seen - SHOWN, f"more {kind}") for kind, seen in sorted(self._seen.items()) if seen > SHOWN]
        if more:
            text = f"{' and '.join(more)}: a step shows {SHOWN} of each; --report json=FILE has all"
            self._write("notice", {"title": "trackside validate"}, text)
        if name := os.environ.get("GITHUB_STEP_SUMMARY"):
            self._summarize(summary, Path(name))

    def _write(self, command: str, properties: dict[str, str], message: str) -> None:
        self._seen[command] += 1
        if self._seen[command] <= SHOWN:
            told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
            self._file.write(f"::{command} {told}::{_data(message)}\n")

    # ---- the summary of the step

    def _row(self, finding: Finding) -> str:
        where = finding.where.replace(finding.file, self._names[finding.file], 1)
        cells = (finding.level, _code(where), _code(finding.code), _cell(finding.message))
        return f"| {' | '.join(cells)} |\n"

    def _summarize(self, summary: Summary, path: Path) -> None:
        try:
            room = SUMMARY_BYTES - (path.stat().st_size if path.exists() else 0)
            with path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
                file.write(self._page(summary, room))
        except OSError as error:
            what = f"the summary of the step cannot be written: {error.strerror or error}"
            raise TracksideError(what, str(path), "unset GITHUB_STEP_SUMMARY, or name a file of yours in it") from error

    def _page(self, summary: Summary, room: int) -> str:
        """Return the summary in at most so many bytes: nothing where its heading needs more. It is ASCII throughout."""
        counts = [
            f"{number(summary.checked, summary.noun)} in {number(len(summary.files), 'file')}",
            f"{summary.strict:,} strict",
        ]
        counts += [number(summary.warned, "warning"), f"{summary.old:,} in the baseline"]
        faults = "".join(f"- {_cell(str(fault))}\n" for fault in summary.faults[:ROWS])
        head = f"### trackside validate\n\n{', '.join(counts)}.\n\n{faults}\n"
        room -= len(head) + len(_TABLE) + len(_MORE) + CELL
        rows = list(_fitting(self._rows, room))
        more = summary.strict + summary.warned - len(rows)
        parts = (head, _TABLE if rows else "", *rows, _MORE.format(number(more, "finding")) if more else "")
        return "".join(parts) if room >= 0 else ""


def _fitting(rows: list[str], room: int) -> Iterator[str]:
    for row in rows:
        room -= len(row)
        if room < 0:
            return
        yield row


def _data(text: str) -> str:
    """Return a message as a workflow command holds it; what would steer a terminal is escaped as in Python."""
    shown = _STEERING.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _cell(text: str) -> str:
    """Return a text that is no Markdown, no HTML and no mention, whatever it holds."""
    shown = text if len(text) <= CELL else f"{text[: CELL - 1]}…"
    return _PLAIN.sub(lambda match: f"&#{ord(match[0])};", " ".join(shown.split()))


def _code(text: str) -> str:
    return f"<code>{_cell(text)}</code>"
