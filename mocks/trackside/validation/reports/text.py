"""The report for people: each finding with the line of its source, and what was checked."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any
from unicodedata import combining, east_asian_width

from trackside.cli.output import printable
from trackside.validation.findings import FileResult, Finding, counted
from trackside.validation.reports.sinks import number

if TYPE_CHECKING:
    from trackside.validation.run import Summary

_COLOURS = {"strict": "bold red", "warn": "yellow"}
_SHOWN_FILES = 20
"""Files without findings that are told one by one."""


class Report:
    """Writes text; in colour on a terminal.

    Args:
        file: where it goes.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._console = _console(file) if file.isatty() else None
        self._clean = 0

    def finding(self, finding: Finding) -> None:
        """Write a finding: its place, level and code, what was wrong, the line of the source, and what to do."""
        where, code = printable(finding.where), printable(finding.code)
        self._line((f"{where}: ", "bold"), (finding.level, _COLOURS[finding.level]), (f" {code}", "dim"))
        held = printable(f" ({finding.contract}, as {finding.known_by})") if finding.contract else ""
        self._line((f"    {printable(finding.message)}", ""), (held, "dim"))
        if finding.excerpt:
            before = _cells(printable(finding.excerpt[: finding.caret]))
            self._line((f"    | {printable(finding.excerpt)}", "cyan"))
            self._line((f"    | {' ' * before}^", "bold red"))

    def file(self, result: FileResult) -> None:
        """Write what a file held; of many files without findings only the first ones."""
        if not (result.strict or result.warned):
            self._clean += 1
            if self._clean > _SHOWN_FILES:
                return
        held = "".join(f"\n    {printable(counted(contract, how, count))}" for contract, how, count in result.held())
        self._line((f"{printable(result.file)}: ", "bold"), (f"{number(result.checked, result.noun)}{held}", ""))

    def finish(self, summary: Summary) -> None:
        """Write the counts."""
        if self._clean > _SHOWN_FILES:
            self._line((f"… and {self._clean - _SHOWN_FILES:,} more files without findings", "dim"))
        found = [number(summary.strict, "strict finding"), number(summary.warned, "warning")]
        found += [f"{summary.old:,} in the baseline"] if summary.old else []
        colour = "bold red" if summary.strict or summary.faults else "yellow" if summary.warned else "bold green"
        total = f"{number(summary.checked, summary.noun)} in {number(len(summary.files), 'file')}: {', '.join(found)}"
        self._line((total, colour))

    def _line(self, *parts: tuple[str, str]) -> None:
        if self._console is None:
            self._file.write("".join(text for text, _ in parts) + "\n")
            return
        from rich.text import Text  # noqa: PLC0415 - a pipe needs no colour

        text = Text.assemble(*parts)
        self._console.print(text, soft_wrap=True, highlight=False)


def _console(file: IO[str]) -> Any:
    from rich.console import Console  # noqa: PLC0415 - a pipe needs no colour

    return Console(file=file)


def _cells(text: str) -> int:
    """Return how many columns of a terminal a text takes: two for a wide character, none for one that joins another."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)
