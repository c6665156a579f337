"""Assertions on what a vendor keeps; one that fails shows the nearest record, what differs, and the message's journey.

Waiting is by condition (`Journal.wait`), and as long as its limit: an SDK may still be on its way with the event, so
even a message that was dropped does not end it early.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from trackside.errors import TracksideError
from trackside.matching import Field, Match, Sort
from trackside.nearest import NearMiss, look, tell
from trackside.steps import Record
from trackside.telling import shown

if TYPE_CHECKING:
    from trackside.journal import Exchange
    from trackside.journeys import Journey
    from trackside.lab import Finding, Kept, Lab
    from trackside.validation.findings import Finding as Invalid

TIMEOUT_SECONDS = 5.0
_ROWS = 20


class ExpectationError(TracksideError, AssertionError):
    """An expectation that failed.

    Attributes:
        what: what was wrong, in one line.
        where: the vendor.
        fix: what to do, from the first drop on the way; empty where nothing was dropped.
        expected: what was asked, by keyword or path.
        nearest: the record that comes nearest; None where none has anything in common.
        fields: that record's fields against what was asked.
        journeys: of the messages that it was probably about, the best first.
        unwanted: the records or findings that should not be there.
        remarks: further lines, such as a hint at a name that is spelt otherwise.
    """

    def __init__(
        self,
        what: str,
        where: str,
        *,
        expected: Mapping[str, Any] | None = None,
        near: NearMiss | None = None,
        unwanted: Sequence[Record | Finding | Invalid] = (),
        rows: Sequence[str] = (),
    ) -> None:
        near = near or NearMiss()
        super().__init__(what, where, near.fix)
        self.expected = dict(expected or {})
        self.nearest = near.record
        self.fields: list[Field] = near.fields
        self.journeys: list[Journey] = near.journeys
        self.unwanted = list(unwanted)
        self.remarks = near.remarks
        self._rows = rows
        self._told = near.told

    @property
    def differing(self) -> list[Field]:
        """The fields of the nearest record that are not as asked."""
        return [field for field in self.fields if not field.fits]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield self.what
        yield from (f"    {name} = {shown(value)}" for name, value in self.expected.items())
        if self.fields:
            fitting = len(self.fields) - len(self.differing)
            yield f"The nearest record, {fitting} of {len(self.fields)} fields as expected:"
            yield from (f"    {_compared(field)}" for field in self.fields)
        if self.unwanted:
            yield "There is:"
            yield from (f"    {row}" for row in self._rows[:_ROWS])
            if len(self._rows) > _ROWS:
                yield f"    … and {len(self._rows) - _ROWS} more"
        yield from self.remarks
        if self._told:
            yield "What became of the message:" if len(self.journeys) == 1 else "What became of the messages:"
            yield from (f"    {line}" for line in self._told)


def _compared(field: Field) -> str:
    if field.fits:
        return f"{field.name} = {shown(field.got)}"
    fault = f", which the predicate cannot take ({field.fault})" if field.fault else ""
    return f"{field.name}: expected {shown(field.expected)}, got {shown(field.got)} at {field.at}{fault}"


def records(lab: Lab, vendor: str, asked: Mapping[str, Any], *, sort: Sort = "event") -> list[Record]:
    """Return the records that a vendor keeps and that are as asked, in the order of arrival.

    Raises:
        TracksideError: for an unknown keyword; also when messages were evicted, as records could be missing.
    """
    match = Match(vendor, asked, sort=sort)
    lab.journal.require_complete(f"the list of {vendor}'s records")
    return [one.record for one in lab.kept(vendor) if match.holds(one.record)]


def expect(
    lab: Lab,
    vendor: str,
    asked: Mapping[str, Any],
    *,
    count: int | None = None,
    timeout: float = TIMEOUT_SECONDS,
    sort: Sort = "event",
) -> Record:
    """Wait for a record as asked and return the first one.

    Args:
        lab: where to look.
        vendor: whose record.
        asked: keywords in the vendor's words; see `Match`.
        count: exactly so many, once nothing is due; None for one or more.
        timeout: seconds to wait at most.
        sort: Split keeps identities and impressions beside events.

    Raises:
        ExpectationError: there is none, or another number of them.
        TracksideError: for an unknown keyword, or a count below 1.
    """
    __tracebackhide__ = True
    if count is not None and count < 1:
        raise TracksideError(f"count is {count}", "expect_event", "use expect_none to expect that there is none")
    match = Match(vendor, asked, sort=sort, counting=True)
    found = _await(lab, match, count or 1, timeout)
    if count is not None:
        _require_no_more(lab, match, count)
    return found[0]


def _await(lab: Lab, match: Match, number: int, timeout: float) -> list[Record]:
    """Return the records as asked, as soon as there are ``number`` of them."""
    __tracebackhide__ = True
    search = _Search(lab, match)
    if not lab.journal.wait(lambda: len(search.found()) >= number, timeout):
        what = f"{match.vendor} kept {_counted(match, len(search.found()), number)} with this, within {timeout:g} s:"
        raise ExpectationError(what, match.vendor, expected=match.expected, near=look(lab, match))
    return search.found()


class _Search:
    """Finds records in a journal that grows; requests whose deliveries are over are not looked at again."""

    def __init__(self, lab: Lab, match: Match) -> None:
        self._lab = lab
        self._match = match
        self._seen = 0
        self._final: list[Record] = []

    def found(self) -> list[Record]:
        """Return the records as asked that there are by now."""
        later: list[Record] = []
        waiting = False
        for row in self._unseen():
            waiting = waiting or row.queued
            kept = self._lab.kept_of(row, self._match.vendor)
            (later if waiting else self._final).extend(one.record for one in kept if self._match.holds(one.record))
            if not waiting:
                self._seen = row.seq
        return self._final + later

    def _unseen(self) -> list[Exchange]:
        newest_first = self._lab.journal.rows(newest_first=True)
        return list(takewhile(lambda row: row.seq > self._seen, newest_first))[::-1]


def _counted(match: Match, found: int, number: int) -> str:
    return f"no {match.noun}" if number == 1 else f"{found} of {number} {_plural(match)}"


def _plural(match: Match) -> str:
    return "identities" if match.sort == "identity" else f"{match.noun}s"


def _require_no_more(lab: Lab, match: Match, count: int) -> None:
    __tracebackhide__ = True
    lab.settle()
    lab.journal.require_complete(f"the count of {match.vendor}'s {_plural(match)}")
    found = [one for one in lab.kept(match.vendor) if match.holds(one.record)]
    if len(found) > count:
        what = f"{match.vendor} kept {len(found)} {_plural(match)} with this, {count} expected:"
        raise _unwanted(lab, match, what, found)


def _unwanted(lab: Lab, match: Match, what: str, found: list[Kept]) -> ExpectationError:
    """Return the error of records that should not be there, with the journeys of the latest."""
    journeys = {id(one.journey): one.journey for one in found if one.journey is not None}
    near = NearMiss(journeys=list(journeys.values())[-3:])
    tell(near, lab, match.vendor)
    unwanted = [one.record for one in found]
    rows = [", ".join(f"{name} = {shown(value)}" for name, value in match.told(one).items()) for one in unwanted]
    return ExpectationError(what, match.vendor, expected=match.expected, near=near, unwanted=unwanted, rows=rows)


def expect_none(lab: Lab, vendor: str, asked: Mapping[str, Any]) -> None:
    """Settle, then check once that a vendor keeps no event as asked.

    An SDK that buffers must have been flushed before. Of LaunchDarkly's events, those that SDKs send about themselves
    (identify, index, feature, summary) count only where ``kind`` asks for them.

    Raises:
        ExpectationError: there is one.
        TracksideError: for an unknown keyword; deliveries did not settle; messages were evicted.
    """
    __tracebackhide__ = True
    match = Match(vendor, asked, counting=True)
    lab.settle()
    lab.journal.require_complete(f"to expect none at {vendor}")
    found = [one for one in lab.kept(vendor) if match.holds(one.record)]
    if found:
        asked_for = "with this" if match.expected else "at all"
        raise _unwanted(lab, match, f"{vendor} was to keep no event {asked_for}:", found)


def expect_only(lab: Lab, vendor: str, asked: Mapping[str, Any], *, timeout: float = TIMEOUT_SECONDS) -> Record:
    """Wait for exactly one event as asked, settle, check that the vendor keeps no other event, and return it.

    Raises:
        ExpectationError: there is none, or another event beside it.
        TracksideError: as `expect` and `expect_none` do.
    """
    __tracebackhide__ = True
    record = expect(lab, vendor, asked, count=1, timeout=timeout)
    match = Match(vendor, asked, counting=True)
    others = [one for one in lab.kept(vendor) if match.concerns(one.record) and not match.holds(one.record)]
    if others:
        raise _unwanted(lab, match, f"{vendor} was to keep only one event, with this:", others)
    return record


def expect_no_findings(lab: Lab, *, notes: bool = False) -> None:
    """Settle, then check that nothing is left that a person should know.

    Args:
        lab: where to look.
        notes: whether notes count as well: assumptions that were used, and renames.

    Raises:
        ExpectationError: there are errors or warnings.
    """
    __tracebackhide__ = True
    lab.settle()
    lab.journal.require_complete("to expect no findings")
    found = list(lab.findings(notes=notes))
    if found:
        what, near = f"no findings were expected ({len(found)} found).", NearMiss(fix=found[0].step.fix)
        raise ExpectationError(what, "the lab", near=near, unwanted=found, rows=[str(one) for one in found])


def expect_valid(lab: Lab, vendor: str | None = None, **asked: Any) -> None:
    """Settle, then check that every payload so far keeps its contract, and that no id in it is one that nobody has.

    What the workspace's ``validate`` block asks for holds here too.

    Args:
        lab: where to look.
        vendor: only what came to this one and what it answered; None for all.
        asked: more of `trackside.validation.options.Options`, such as ``levels``, ``specs``, ``plan`` or ``strict``.

    Raises:
        ExpectationError: a finding is strict; all of them are listed.
        TracksideError: a plan that cannot be used; an unknown keyword; messages were evicted.
    """
    __tracebackhide__ = True
    from trackside.validation.of_lab import findings  # noqa: PLC0415 - most tests expect records only

    lab.settle()
    lab.journal.require_complete("to expect valid payloads")
    found = findings(lab, vendor, asked)
    if found:
        what = f"every payload was to be valid ({len(found)} finding{'s' * (len(found) > 1)})."
        rows = [f"{one.where}: {one.message} ({one.code})" for one in found]
        raise ExpectationError(what, vendor or "the lab", near=NearMiss(fix=found[0].fix), unwanted=found, rows=rows)


def wait_for(lab: Lab, vendor: str, match: Mapping[str, Any], *, count: int, timeout: float) -> dict[str, Any]:
    """Wait until a vendor keeps ``count`` records as asked; return them as ``{"matched": [...], "near": []}``.

    Raises:
        TracksideError: there are fewer when the time is over; its text names what came near.
    """
    try:
        found = _await(lab, Match(vendor, match), count, timeout)
    except ExpectationError as error:
        raise TracksideError(str(error), vendor, error.fix) from error
    return {"matched": found, "near": []}
