"""What comes nearest to a record that is missing: another record, a name spelt otherwise, a message that was dropped."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from trackside.errors import TracksideError
from trackside.matching import Field, Match
from trackside.steps import Record
from trackside.telling import journey_lines, request_lines, shown

if TYPE_CHECKING:
    from trackside.journeys import Journey
    from trackside.lab import Kept, Lab

MESSAGES = 5_000
"""Messages and records that are looked at for a near-miss, the newest first."""

_JOURNEYS = 3
_REQUESTS = 3
_NAMES = 8
_PREFIX = re.compile(r"segment(_track|_page|_screen|_group)?::?")
_BLANKS = re.compile(r"[\s_-]+")


@dataclass(slots=True)
class NearMiss:
    """What came nearest to what was asked.

    Attributes:
        record: the nearest record; None where none has anything in common.
        fields: its fields against what was asked.
        journeys: of the messages that it was probably about, the best first.
        told: these journeys as lines of text.
        remarks: hints, a line each.
        fix: what to do, from the first drop; empty where nothing was dropped.
    """

    record: Record | None = None
    fields: list[Field] = field(default_factory=list)
    journeys: list[Journey] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    fix: str = ""


def look(lab: Lab, match: Match) -> NearMiss:
    """Return what comes nearest to what is asked; records that are as asked are not among it."""
    near = NearMiss()
    newest = islice(lab.kept(match.vendor, newest_first=True), MESSAGES)
    others = [one for one in newest if match.concerns(one.record) and not match.holds(one.record)]
    # OwnLayer gets nothing from Segment, so that no message can be on its way there.
    messages = [] if match.vendor == "ownlayer" else list(islice(lab.journeys(newest_first=True), MESSAGES))
    journey = _nearest_record(near, match, others)
    near.journeys = _near_journeys(match, messages) or ([journey] if journey else [])
    near.remarks = [
        *_name_hint(match, [match.name_of(one.record) for one in others]),
        *([] if near.journeys else _what_came(lab, match, messages, others)),
        *_not_evaluated(lab, match),
        *_bad_requests(lab, match.vendor),
        *_evicted(lab, match),
    ]
    tell(near, lab, match.vendor)
    return near


def tell(near: NearMiss, lab: Lab, vendor: str) -> None:
    """Put the journeys into words, and take the fix of the first drop or fault on the way to the vendor."""
    now = lab.clock.now()
    near.told = [line for journey in near.journeys for line in journey_lines(journey, vendor, now)]
    fixes = (
        step.fix
        for journey in near.journeys
        for steps in (journey.steps, *(one.all_steps() for one in journey.deliveries if one.vendor == vendor))
        for step in steps
        if step.kind in ("drop", "fault")
    )
    near.fix = next((fix for fix in fixes if fix), "")


# ---- records


def _nearest_record(near: NearMiss, match: Match, others: Iterable[Kept]) -> Journey | None:
    """Set the record with the most fitting fields, of equal ones the likest in name, and return its journey."""
    best, found = (0, 0.6), None
    for one in others:
        fields = list(match.fields(one.record))
        score = (sum(field.fits for field in fields), _likeness(match.name, match.name_of(one.record)))
        if score > best:
            best, found, near.record, near.fields = score, one.journey, one.record, fields
    return found


def _likeness(expected: str, got: str) -> float:
    """Return how alike two names are, 0 to 1."""
    if not expected or not got:
        return 0.0
    return 1.0 if expected == got else difflib.SequenceMatcher(None, bare(expected), bare(got)).ratio()


# ---- names


def _name_hint(match: Match, names: Iterable[str]) -> list[str]:
    """Return a line on a kept name that is another spelling of the expected one."""
    if match.name in (names := dict.fromkeys(names)):
        return []
    for name in names:
        if differs := difference(match.name, name):
            return [f"{match.vendor} keeps {shown(name)}: it differs from {shown(match.name)} by {differs}."]
    close = difflib.get_close_matches(match.name, names, n=1, cutoff=0.8) if match.name else []
    return [f"{match.vendor} keeps {shown(close[0])}: was that meant?"] if close else []


def difference(expected: str, got: str) -> str:
    """Return in what two spellings of one name differ; empty where they are two names.

    >>> difference("Checkout Completed", "segment::checkout completed")
    'the prefix "segment::" and upper or lower case'
    """
    if expected == got or bare(expected) != bare(got):
        return ""
    prefixes = [_prefix(expected), _prefix(got)]
    one, other = expected.removeprefix(prefixes[0]), got.removeprefix(prefixes[1])
    differences = {
        f'the prefix "{prefixes[1] or prefixes[0]}"': prefixes[0] != prefixes[1],
        "blanks or underscores": _BLANKS.findall(one) != _BLANKS.findall(other),
        "upper or lower case": _BLANKS.sub("", one) != _BLANKS.sub("", other),
    }
    return " and ".join(text for text, differs in differences.items() if differs)


def _prefix(name: str) -> str:
    found = _PREFIX.match(name)
    return found[0] if found else ""


def bare(name: str) -> str:
    """Return a name without what vendors add or change: prefix, blanks, underscores, case."""
    return _BLANKS.sub("", name.removeprefix(_prefix(name))).casefold()


# ---- messages


def _near_journeys(match: Match, newest_first: Iterable[Journey]) -> list[Journey]:
    """Return the messages that the record was probably to come from: the same name, the same person."""
    name, ids = bare(match.name), match.ids()
    scored = [(_nearness(journey, name, ids, match), journey) for journey in newest_first]
    best = max((score for score, _ in scored), default=0)
    found = [journey for score, journey in scored if score == best and best > 0]
    found.sort(key=lambda journey: _left_a_record(journey, match.vendor))
    return found[:_JOURNEYS]


def _nearness(journey: Journey, name: str, ids: set[str], match: Match) -> int:
    own = journey.get("event") or journey.get("name")
    stripped = bare(own) if isinstance(own, str) else ""
    score = 4 if stripped and stripped == name else 0
    if stripped and not score and stripped in name and journey.get("type") in ("page", "screen"):
        score = 3  # Split makes view_Home_page of the page Home
    if ids.intersection(str(journey.get(one)) for one in ("userId", "anonymousId", "groupId")):
        score += 2
    return score + (score > 0 and match.sort == "identity" and journey.get("type") in ("identify", "group"))


def _left_a_record(journey: Journey, vendor: str) -> bool:
    return any(delivery.vendor == vendor and delivery.records() for delivery in journey.deliveries)


def _what_came(lab: Lab, match: Match, messages: list[Journey], others: list[Kept]) -> list[str]:
    """Return what came instead: the names of other records and messages, or that nothing came at all."""
    lines = []
    if others:
        names = _counted(filter(None, (match.name_of(one.record) or str(one.record.get("key", "")) for one in others)))
        what = f"{len(others)} other {'records' if len(others) > 1 else 'record'}"
        lines.append(f"{match.vendor} keeps {what}{': ' if names else ''}{names}.")
    if messages:
        names = _counted(str(one.get("event") or one.get("name") or one.get("type")) for one in messages)
        lines.append(f"Segment got {len(messages)} messages, none with this name or id: {names}.")
    if not lines:
        lines = [_nothing_came(lab, match.vendor)]
    return lines


def _nothing_came(lab: Lab, vendor: str) -> str:
    """Return which requests came instead of a message or a record, and where SDKs are to be pointed."""
    rows = [row for row in lab.journal.rows() if row.vendor in ("segment", vendor)]
    paths = _counted(f"{row.request.method} {row.request.shown_path}" for row in rows)
    what = (
        f"{len(rows)} requests have come, no message and no record: {paths}" if rows else "Nothing has come to the lab"
    )
    addresses = " or ".join(dict.fromkeys((_address(lab, "segment"), _address(lab, vendor))))
    return f"{what}. Flush the SDK before asserting, and point its host at {addresses}."


def _counted(names: Iterable[str]) -> str:
    counts = Counter(names)
    text = ", ".join(f"{shown(name)} ({count})" for name, count in counts.most_common(_NAMES))
    return f"{text} and {len(counts) - _NAMES} more" if len(counts) > _NAMES else text


def _address(lab: Lab, vendor: str) -> str:
    try:
        return lab.urls[vendor]
    except TracksideError:
        return "the lab, once it is started"


def _not_evaluated(lab: Lab, match: Match) -> list[str]:
    """Return how many inferences wait to be evaluated, as nothing goes to Segment of them before (ownlayer.evaluation)."""
    waiting = len(lab.ownlayer.waiting()) if match.sort == "event" else 0
    of = f"{waiting} inferences were" if waiting > 1 else "1 inference was"
    return [f"OwnLayer: {of} not evaluated, and sends no event. Call ownlayer.evaluate()."] if waiting else []


def _bad_requests(lab: Lab, vendor: str) -> list[str]:
    """Return the latest requests to Segment or the vendor that went wrong as a whole."""
    rows = (row for row in lab.journal.rows(newest_first=True) if row.vendor in ("segment", vendor))
    told = (list(request_lines(lab, row)) for row in islice(rows, MESSAGES))
    return [line for lines in islice(filter(None, told), _REQUESTS) for line in lines]


def _evicted(lab: Lab, match: Match) -> list[str]:
    try:
        lab.journal.require_complete(f"to say that there is no such {match.noun}")
    except TracksideError as error:
        return [str(error)]
    return []
