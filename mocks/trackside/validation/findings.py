"""What validation tells: a finding, and the counts of a file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from trackside.errors import sentences

Level: TypeAlias = Literal["strict", "warn"]
"""``strict`` fails the run (exit code 1), ``warn`` is told and fails nothing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a payload, or with the file that it stands in.

    Attributes:
        code: a rule's id, or ``<contract>.<keyword>`` such as ``segment/track.required``.
        level: ``strict`` or ``warn``.
        text: what was wrong, with the value, one clause.
        at: where in the payload, as a JSON path; in a document of several payloads from the document's root. Empty for
            a fault of the file itself.
        fix: what to do, one clause.
        file: as it was named, ``-`` for standard input.
        line: in the file, from 1; 0 where it has none, as in a HAR.
        column: in characters, from 1; 0 where unknown.
        contract: that the payload was held against; empty where none was.
        known_by: how that contract was known, such as ``type is track``.
        excerpt: the line of the source, cut to a screen's width around the column; empty where there is none.
        caret: where in the excerpt the column is, from 0.
    """

    code: str
    level: Level
    text: str
    at: str = ""
    fix: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    contract: str = ""
    known_by: str = ""
    excerpt: str = ""
    caret: int = 0

    @property
    def where(self) -> str:
        """The file with line and column as far as they are known: ``events.ndjson:12:40``."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part)

    @property
    def message(self) -> str:
        """The three clauses: what was wrong, where in the payload, what to do."""
        return sentences(self.text, self.at, self.fix)

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object; what is empty is left out."""
        names = ("code", "level", "text", "at", "fix", "file", "line", "column", "contract", "known_by")
        return {name: value for name in names if (value := getattr(self, name))}


def counted(contract: str, how: str, count: int) -> str:
    """Return a count of payloads as text.

    >>> counted("segment/track", "type is track", 1200), counted("", "requests that concern no vendor", 3)
    ('1,200 segment/track, as type is track', '3 requests that concern no vendor')
    """
    return f"{count:,} {contract}, as {how}" if contract else f"{count:,} {how or 'of no known contract'}"


@dataclass(slots=True)
class FileResult:
    """What became of one file.

    Attributes:
        file: as it was named.
        payloads: how many payloads were checked, by contract and by how it was known.
        strict: findings that fail the run.
        warned: findings that are only told.
        old: findings that the baseline has.
        noun: what was checked, where that is no payload.
        others: how many of these.
    """

    file: str
    payloads: Counter[tuple[str, str]] = field(default_factory=Counter)
    strict: int = 0
    warned: int = 0
    old: int = 0
    noun: str = "payload"
    others: int = 0

    def held(self) -> list[tuple[str, str, int]]:
        """Return how many payloads had each contract, and how it was known: the most first, whoever judged them."""
        by_count = sorted(self.payloads.items(), key=lambda item: (-item[1], item[0]))
        return [(contract, how, count) for (contract, how), count in by_count]

    @property
    def checked(self) -> int:
        """How many payloads were checked, what concerns no vendor being none; or how many of what was checked instead."""
        return self.others + sum(count for (contract, how), count in self.payloads.items() if contract or not how)

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        contracts = [
            {"contract": contract, "known_by": known_by, "payloads": count}
            for (contract, known_by), count in sorted(self.payloads.items())
        ]
        counts = {"strict": self.strict, "warn": self.warned, "baseline": self.old}
        payloads = self.checked - self.others
        others = {f"{self.noun}s": self.others} if self.noun != "payload" else {}
        return {"file": self.file, "payloads": payloads, **others, "contracts": contracts, "findings": counts}
