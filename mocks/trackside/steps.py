"""What a journey is made of: steps, and what a mapping gives back.

Mappings, filters and endpoint functions return these; the journal and the reports show them. Pure data; of the other
parts of trackside only `trackside.errors` is imported.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from trackside.errors import sentences

Message: TypeAlias = dict[str, Any]
"""One Segment call after its batch is opened, as JSON: a ``track`` body with its ``type``, and so on."""

Record: TypeAlias = dict[str, Any]
"""What a vendor keeps in the end, as JSON: a Statsig event, a Split event or identity, a LaunchDarkly event."""

Kind: TypeAlias = Literal["info", "drop", "cut", "rename", "split", "fault", "assumed"]
Level: TypeAlias = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a message, with the rule that says so.

    Attributes:
        kind: ``drop`` (nothing goes on from here), ``cut`` (something was shortened or left out), ``rename`` (a name or
            value was changed), ``split`` (one message became several), ``fault`` (a broken contract or a failed
            delivery), ``assumed`` (a choice where documents are silent), ``info`` (all else).
        rule: the rule's id, a row of `trackside.rules`; empty for plain information.
        text: what was wrong or what was done, one clause, with the value.
        at: the place in the payload as a JSON path, such as ``$.properties.eventName``.
        fix: what the user can change, one clause; empty where there is nothing to change.
        level: ``error``, ``warning`` or ``note`` where a person should know (a finding); None for the normal course,
            which includes every drop that the user configured himself.
        code: the vendor's own code for it, such as Segment's ``FILTERED_BY_RULES``.
    """

    kind: Kind
    rule: str
    text: str
    at: str = ""
    fix: str = ""
    level: Level | None = None
    code: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the step as a JSON object, empty fields left out."""
        names = ("kind", "rule", "text", "at", "fix", "level", "code")
        return {name: value for name in names if (value := getattr(self, name))}

    def __str__(self) -> str:
        what = f"{self.text} ({self.rule})" if self.rule else self.text
        return sentences(what, self.at, self.fix)


@dataclass(slots=True)
class Mapped:
    """What a pure mapping made of one payload: the records, and the steps on the way there.

    A dropped payload has no records and a step of kind ``drop`` that says why.
    """

    records: list[Record] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def dropped(self) -> Step | None:
        """The drop's step, if there are no records."""
        if self.records:
            return None
        return next((step for step in self.steps if step.kind == "drop"), None)


def drop(rule: str, text: str, *, at: str = "", fix: str = "", level: Level | None = "warning", code: str = "") -> Step:
    """Return a step that ends the way; pass ``level=None`` where the user's own configuration asked for it."""
    return Step("drop", rule, text, at, fix, level, code)
