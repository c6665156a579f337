"""What is wrong with the payloads that came to a lab in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackside.errors import TracksideError
from trackside.recording import lines_of, rows_after
from trackside.validation.findings import FileResult, Finding
from trackside.validation.options import LEVELS, Options
from trackside.validation.parts import Recorded
from trackside.validation.run import Run

if TYPE_CHECKING:
    from trackside.lab import Lab
    from trackside.validation.run import Summary


class _Kept:
    """A report that keeps the findings which fail a run."""

    def __init__(self) -> None:
        self.strict: list[Finding] = []

    def finding(self, finding: Finding) -> None:
        """Keep a strict one."""
        if finding.level == "strict":
            self.strict.append(finding)

    def file(self, result: FileResult) -> None:
        """Take no result: a test wants the findings."""

    def finish(self, summary: Summary) -> None:
        """Take no summary."""


def findings(lab: Lab, vendor: str | None, asked: Mapping[str, Any]) -> list[Finding]:
    """Return the strict findings of a lab's journal, oldest first.

    Args:
        lab: whose journal.
        vendor: only of requests to this one; None for all.
        asked: of `Options`, beside what the workspace's ``validate`` block says.

    Raises:
        TracksideError: a plan or a schema that cannot be used, or a keyword that is no option.
    """
    said = lab.workspace.validate
    known = {"levels", "specs", "plan", "strict", "identity"}
    if unknown := sorted(set(asked) - known):
        fix = f"use {', '.join(sorted(known))}"
        raise TracksideError(f"expect_valid does not know {', '.join(unknown)}", "expect_valid", fix)
    for code, level in (levels := asked.get("levels", {})).items():
        if level not in LEVELS:
            raise TracksideError(f"{level!r} is no level", f"levels of {code}", f"use {', '.join(LEVELS)}")
    specs = asked.get("specs", said.specs)
    options = Options(
        specs=(specs,) if isinstance(specs, str) else tuple(specs),
        plan=str(asked.get("plan", _beside(lab, said.plan))),
        levels={**said.levels, **levels},
        strict=bool(asked.get("strict", False)),
        identity=bool(asked.get("identity", True)),
    )
    kept = _Kept()
    run = Run(options, [kept])
    summary = run.over_parts((part.file, part) for part in _parts(lab, vendor))
    if summary.faults:
        raise summary.faults[0]
    return kept.strict


def _beside(lab: Lab, name: str) -> str:
    """Return a file that a workspace names, from the folder of the workspace's own file where it has one."""
    source = lab.workspace.source
    return str(source.parent / name) if name and isinstance(source, Path) else name


def _parts(lab: Lab, vendor: str | None) -> Iterator[Recorded]:
    """Yield each request, named by its vendor, method and path."""
    lines = lines_of(lab)
    for row in rows_after(lab, 0):
        if vendor in (None, row.vendor) and (line := lines.of(row)) is not None:
            yield Recorded(f"{row.vendor} {row.request.method} {row.request.shown_path}", "$", line)
