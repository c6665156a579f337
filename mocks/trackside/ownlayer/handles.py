"""An evaluation of a running lab, as tests hold it: why it did or did not go to Segment, and what became of it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackside.journeys import showable, step_json
from trackside.steps import Message, Record, Step

if TYPE_CHECKING:
    from trackside.journal import Exchange
    from trackside.journeys import Journey
    from trackside.lab import Lab


class Evaluation:
    """One evaluation. What it tells is as things stand when it is asked.

    Args:
        lab: where it was made.
        row: the journal's.
        record: as OwnLayer keeps it.
    """

    def __init__(self, lab: Lab, row: Exchange, record: Record) -> None:
        self._lab = lab
        self._row = row
        self.record = record

    def __repr__(self) -> str:
        return f"<Evaluation {self.record['event']!r} of inference {self.record['inference']}>"

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.record["id"])

    @property
    def steps(self) -> list[Step]:
        """What happened on its way to Segment, each with its rule."""
        self._lab.settle()
        return list(self._lab.steps_of(self._row))

    @property
    def dropped(self) -> Step | None:
        """Why nothing goes to Segment; None where something does."""
        return next((step for step in self.steps if step.kind == "drop"), None)

    @property
    def journey(self) -> Journey | None:
        """The way of its event through Segment; None where Segment has not got it, or not yet."""
        self._lab.settle()
        rows = self._lab.journal.caused_by(self._row.seq)
        return next((journey for row in rows for journey in self._lab.journeys_of.of(row)), None)

    @property
    def sent(self) -> Message | None:
        """The ``track`` call as Segment received it; None where it did not, or not yet."""
        journey = self.journey
        return journey.call if journey else None

    def as_json(self) -> dict[str, Any]:
        """Return the record, the steps, and what Segment got, as the control API tells it."""
        return {
            "evaluation": showable(self.record),
            "steps": [step_json(step) for step in self.steps],
            "sent": showable(self.sent),
        }
