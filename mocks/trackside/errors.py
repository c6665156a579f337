"""The one base of trackside's own exceptions.

Vendors' error answers live in each vendor's ``errors.py``; what is here is raised at users of trackside.
"""

from __future__ import annotations


def sentences(*clauses: str) -> str:
    """Return clauses as one text, each ended once; empty ones are left out.

    >>> sentences("destnations is not a known field", "$.destnations", "did you mean destinations?")
    'destnations is not a known field. $.destnations. did you mean destinations?'
    """
    text = ". ".join(clause.rstrip(".") for clause in clauses if clause)
    return text if text.endswith("?") else f"{text}."


class TracksideError(Exception):
    """An error in three clauses: what was wrong, where, and what to do.

    Args:
        what: what was wrong, with the value, such as ``"no source has the write key 'x'"``.
        where: its place: a file and line, a JSON path, an address.
        fix: what to do about it.
    """

    def __init__(self, what: str, where: str = "", fix: str = "") -> None:
        super().__init__(what, where, fix)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        return sentences(self.what, self.where, self.fix)


class WorkspaceError(TracksideError):
    """A workspace file that cannot be used; ``faults`` lists every fault, each with its place."""

    def __init__(self, faults: list[TracksideError], where: str = "") -> None:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__(f"the workspace has {count}", where, "mend each one listed and load it again")
        self.faults = faults

    def __str__(self) -> str:
        lines = [f"{super().__str__()}", *(f"  - {fault}" for fault in self.faults)]
        return "\n".join(lines)
