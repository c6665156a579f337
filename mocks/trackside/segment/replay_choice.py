"""What is asked of a replay: which of Segment's messages, and to which destination; checked, and shown (segment.replay)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from trackside.errors import TracksideError
from trackside.journeys import Journey, may_hold
from trackside.segment.discards import KINDS
from trackside.segment.tester import unknown_destination
from trackside.times import epoch_ms, in_ms, iso

if TYPE_CHECKING:
    from trackside.journal import Exchange
    from trackside.lab import Lab

_NAMES_TOLD = 8
_SECONDS_BELOW = 100_000_000_000
"""Numbers from here on were surely meant as milliseconds: as seconds they lie after the year 5000."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which messages are to be replayed, and where to; the time is that of receipt (segment.replay.range).

    Attributes:
        destination: its name.
        since: received at this moment or later, epoch seconds; None from the first on.
        until: received before this moment, epoch seconds; None up to the last.
        source: the name of the source that they came through; None for every one.
        event: names of events, pages or screens; empty for every one.
        type: call types; empty for every one.
    """

    destination: str
    since: float | None = None
    until: float | None = None
    source: str | None = None
    event: tuple[str, ...] = ()
    type: tuple[str, ...] = ()

    def takes_row(self, row: Exchange) -> bool:
        """Return whether a request may hold messages that are asked for."""
        at = row.request.at
        in_time = (self.since is None or at >= self.since) and (self.until is None or at < self.until)
        in_source = self.source in (None, row.intake.source)
        return in_time and in_source and (not self.event or any(may_hold(row, name) for name in self.event))

    def takes(self, journey: Journey) -> bool:
        """Return whether a message is asked for; one that was discarded, blocked or a repeat never is."""
        if journey.outcome != "accepted" or (self.type and journey.get("type") not in self.type):
            return False
        return not self.event or name_of(journey) in self.event

    def __str__(self) -> str:
        parts = [
            f"received since {shown(self.since)}" if self.since is not None else "",
            f"received before {shown(self.until)}" if self.until is not None else "",
            f"of the source {self.source}" if self.source is not None else "",
            f"named {' or '.join(map(repr, self.event))}" if self.event else "",
            f"of type {' or '.join(self.type)}" if self.type else "",
        ]
        return ", ".join(part for part in parts if part)


def asked_for(
    lab: Lab, destination: str, since: Any, until: Any, source: str | None, event: Any, type_: Any
) -> Asked:  # fmt: skip
    """Return what is asked for, checked.

    Raises:
        TracksideError: there is no such destination, source or type, or a moment cannot be read.
    """
    if destination not in lab.workspace.plan.destinations:
        raise unknown_destination(destination, lab)
    sources = lab.workspace.segment.with_engage()
    if source is not None and source not in sources:
        known = ", ".join(sources) or "none"
        raise TracksideError(f"there is no source {source!r}", "segment.sources", f"declared are: {known}")
    types = _texts("type", type_)
    if unknown := [one for one in types if one not in KINDS]:
        raise TracksideError(f"there is no call type {unknown[0]!r}", "type", "use: " + ", ".join(KINDS))
    start, end = _moment("since", since), _moment("until", until)
    if start is not None and end is not None and start >= end:
        raise TracksideError(f"until is {shown(end)}, not after since, {shown(start)}", "until", "name a later moment")
    return Asked(destination, start, end, source, _texts("event", event), types)


def _texts(name: str, value: Any) -> tuple[str, ...]:
    texts = () if value is None else tuple(value) if isinstance(value, list | tuple) else (value,)
    if all(isinstance(text, str) and text for text in texts):
        return texts
    raise TracksideError(f"{name} is {value!r}", name, "give a name, or a list of names")


def _moment(name: str, value: Any) -> float | None:
    """Return a moment as epoch seconds."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=timezone.utc)).timestamp()
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _SECONDS_BELOW:
        return float(value)
    read = epoch_ms(value, 0) if isinstance(value, str) else None
    if read is None:
        fix = "give ISO 8601, such as 2026-01-02T03:04:05Z, or epoch seconds"
        raise TracksideError(f"{name} is {value!r}", name, fix)
    return read / 1000


def shown(moment: float | None) -> str:
    """Return a moment in epoch seconds as ISO 8601; empty for none."""
    return "" if moment is None else iso(in_ms(moment)) or str(moment)


def name_of(journey: Journey) -> str:
    """Return the name of a message: its event's, its page's or its screen's."""
    name = journey.get("event" if journey.get("type") == "track" else "name")
    return name if isinstance(name, str) else ""


def nothing_found(lab: Lab, asked: Asked) -> TracksideError:
    """Return the error of a replay of nothing: what was asked for, and what there is."""
    what = f"there is no message to replay that was {asked}" if str(asked) else "there is no message to replay"
    held, sources, names = 0, Counter[str](), Counter[str]()
    first = last = None
    for journey in lab.journeys_of.all():
        if journey.outcome == "accepted":
            held += 1
            sources[journey.exchange.intake.source] += 1
            names[name_of(journey) or str(journey.get("type"))] += 1
            last = journey.exchange.request.at
            first = last if first is None else first
    gone = f"; {lab.journal.evicted} were evicted" if lab.journal.evicted else ""
    if not held:
        return TracksideError(what, "the journal", f"it holds no message that was accepted{gone}: send some first")
    fix = f"it holds {held}, received {shown(first)} to {shown(last)}, of {_listed(sources)}: {_listed(names)}{gone}"
    return TracksideError(what, "the journal", fix)


def _listed(counts: Counter[str]) -> str:
    told = ", ".join(f"{name} ({count})" for name, count in counts.most_common(_NAMES_TOLD))
    return f"{told} and {len(counts) - _NAMES_TOLD} more" if len(counts) > _NAMES_TOLD else told
