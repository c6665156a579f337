"""Segment of a running lab, as tests see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trackside.exports import Exported
from trackside.journeys import Journey
from trackside.segment.destinations import CATALOG
from trackside.segment.engage import AudienceHandle
from trackside.segment.forwarding import forwarded
from trackside.segment.replay import Replayed, replay
from trackside.segment.replay_choice import asked_for
from trackside.segment.settings import SegmentSettings
from trackside.segment.tester import Tested, send_test
from trackside.steps import Record
from trackside.vendor import Mock

if TYPE_CHECKING:
    from trackside.journal import Exchange


class SegmentMock(Mock):
    """Segment of a running lab: beside the messages that it takes, the tools around them."""

    # ---- Engage

    def audience(self, key: str) -> AudienceHandle:
        """Return the handle of an Engage audience, by which users enter and leave it (segment.audiences).

        Raises:
            TracksideError: the workspace declares no such audience.
        """
        return AudienceHandle(self._lab, key)

    # ---- its tools

    def catalog(self) -> list[dict[str, Any]]:
        """Return Segment's catalogue, as far as the lab has it (segment.catalog).

        Each row is JSON: ``type`` (as in the workspace), ``name``, ``previous_names``, ``id``, ``slug``, ``kind``
        (``direct`` or ``actions``), ``methods``, ``settings`` (``name``, ``label``, ``type``, ``required``,
        ``description``, ``default``, and ``key``: the workspace's key of it), and ``actions``, each with ``fields`` of
        the same form and ``presets`` (``name``, ``trigger``, ``mapping``, ``enabled``).
        """
        return [entry.as_json() for entry in CATALOG.values()]

    def test_event(self, destination: str, event: Mapping[str, Any] | Journey) -> Tested:
        """Send one real event to one destination, and return what was sent and answered (segment.event-tester).

        The destination may be switched off, and its filters and the event's ``integrations`` do not apply. It is tried
        once. A vendor of the lab keeps what it gets; the event is none of Segment's messages.

        Args:
            destination: its name in the workspace.
            event: one call with its ``type``, as an SDK sends it, or a message or a journey of the lab's.

        Raises:
            TracksideError: there is no such destination, or the event is no JSON object.
        """
        return send_test(self._lab, destination, event)

    def replay(
        self,
        destination: str,
        *,
        since: str | float | datetime | None = None,
        until: str | float | datetime | None = None,
        source: str | None = None,
        event: str | Sequence[str] | None = None,
        type: str | Sequence[str] | None = None,  # noqa: A002 - Segment's word
    ) -> Replayed:
        """Send messages of the past to one destination once more, and return what became of them (segment.replay).

        They keep their messageIds and times; the destination's filters apply, it may be switched off, and need not be
        fed by the messages' source. What it refuses for now is tried again on the lab's clock.

        Args:
            destination: its name in the workspace.
            since: received at this moment or later: ISO 8601, epoch seconds or a datetime.
            until: received before this moment.
            source: the name of the source that they came through.
            event: a name, or several: of track calls the event, of page and screen calls their name.
            type: a call type, or several.

        Raises:
            TracksideError: there is no such destination, source or type, a moment cannot be read, or the journal holds no
                such message; the error says what it holds.
        """
        return replay(self._lab, asked_for(self._lab, destination, since, until, source, event, type))

    # ---- Protocols

    def exports(self, settings: SegmentSettings) -> bool:
        """Return whether a source forwards violations or blocked events to another one."""
        schemas = [source.schema for source in settings.sources.values()]
        return any(one.forwarding_violations_to or one.forwarding_blocked_events_to for one in schemas)

    def exportable(self, row: Exchange, records: list[Record]) -> list[Record]:  # noqa: ARG002 - Segment's has none
        """Return the number of a row whose source forwards, nothing of any other."""
        guard = self._lab.guard_of(row)
        return [{"exchange": row.seq}] if guard is not None and guard.forwards else []

    def exported(self, records: list[Record], settings: SegmentSettings, _state: None) -> Exported:
        """Return what is forwarded of rows."""
        for record in records:
            row = self._lab.journal.row(record["exchange"])
            guard = self._lab.guard_of(row) if row is not None else None
            if row is not None and guard is not None:
                verdicts = [one.verdict for one in self._lab.journeys_of.of(row) if one.verdict is not None]
                return forwarded(verdicts, guard, settings)
        return Exported()
