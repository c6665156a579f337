"""What is wrong with a payload, before it is known where that stands in the file; and the place that tells it."""

from __future__ import annotations

from typing import NamedTuple

from trackside.catalog import Fault, json_path
from trackside.steps import Step
from trackside.validation.findings import Finding, Level
from trackside.validation.locate import located, parts_of

Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """One thing that is wrong with a payload.

    Attributes:
        code: a rule's id, or ``<contract>.<keyword>``.
        level: unless the run sets another.
        text: what was wrong, with the value.
        path: where in the payload, part by part.
        fix: what to do.
    """

    code: str
    level: Level
    text: str
    path: Path
    fix: str


class Place(NamedTuple):
    """Where a payload, or a call in it, stands.

    Attributes:
        file: as it was named.
        line: of ``text``'s first character, from 1; 0 where there are no lines.
        column: of the same.
        at: JSON path of ``text`` in its document: ``$`` for one on a line of its own.
        text: the document that the payload stands in; empty where its text is not that of the file.
        path: where in it the payload stands.
        contract: of the payload.
        known_by: how that was known.
    """

    file: str
    line: int = 0
    column: int = 1
    at: str = "$"
    text: bytes = b""
    path: Path = ()
    contract: str = ""
    known_by: str = ""

    def inner(self, path: Path) -> Place:
        """Return the place of something in the payload."""
        return self._replace(path=(*self.path, *path))


def of_fault(fault: Fault) -> Problem:
    """Return a broken promise of a contract as a problem."""
    return Problem(fault.code, "strict", fault.what, fault.path, fault.fix)


def of_step(step: Step) -> Problem:
    """Return a step of a journey as a problem: an error fails a run, a warning does not."""
    level: Level = "strict" if step.level == "error" else "warn"
    return Problem(step.rule, level, step.text, parts_of(step.at), step.fix)


def finding_at(place: Place, problem: Problem, level: Level) -> Finding:
    """Return a problem as a finding, with the line, the column and the excerpt of where it stands."""
    path = (*place.path, *problem.path)
    at = place.at + json_path(path)[1:]
    told = (problem.code, level, problem.text, at, problem.fix, place.file)
    if not place.text:
        return Finding(*told, place.line, 0, place.contract, place.known_by)
    document = located(place.text)
    offset = document.offset_of(path)
    line, column = document.line_and_column(offset)
    shown, caret = document.excerpt(offset)
    column += place.column - 1 if line == 1 else 0
    return Finding(*told, place.line + line - 1, column, place.contract, place.known_by, shown, caret)
