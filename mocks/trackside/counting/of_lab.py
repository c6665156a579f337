"""What a lab counts: its ledger, read on as requests come, and the questions that are asked of it."""

from __future__ import annotations

import difflib
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

from trackside.counting.audit import Audit, audit
from trackside.counting.judging import Judge, Project
from trackside.counting.ledger import Dropped, EventSeries, Ledger, Row
from trackside.counting.model import Experiment, ExperimentResult, Unmet
from trackside.counting.reading import Needs, Reader, needs_of
from trackside.counting.results import results_of
from trackside.counting.vendors import COUNTED, counting_of
from trackside.counting.verdicts import Facts, Verdict, judged
from trackside.errors import TracksideError
from trackside.nearest import bare
from trackside.times import iso

if TYPE_CHECKING:
    from trackside.journal import Exchange
    from trackside.lab import Lab
    from trackside.wire import Answer
    from trackside.workspace import Workspace


def project_of(lab: Lab, vendor: str) -> Project:
    """Return what a vendor's project is wired to count, as it stands; the caller has the lab's lock."""
    counting, settings = counting_of(vendor), getattr(lab.workspace, vendor)
    live = lab.mocks[vendor].live
    types = counting.unit_types(settings, live)
    return Project(
        vendor,
        counting,
        tuple(counting.metrics(settings, live)),
        tuple(counting.experiments(settings, live)),
        None if types is None else tuple(types),
    )


class Count:
    """Counts what came to a lab.

    Args:
        lab: whose vendors, workspace and journal.
        follow: whether it reads the lab's journal by itself; else it is given rows by `take`.
        needs: what metrics read of events; by default what those read that there are now.
    """

    def __init__(self, lab: Lab, *, follow: bool = True, needs: Needs | None = None) -> None:
        self._lab, self._follow = lab, follow
        self._lock = threading.RLock()
        self._standing: tuple[int, Workspace, int] | None = None
        self._made_at: tuple[int, Workspace, int] | None = None
        self._made: dict[tuple[str, str, str], ExperimentResult] = {}
        self._look_at_projects()
        self.needs: Needs = self._needed() if needs is None else needs
        self._begin()

    def _begin(self) -> None:
        self._ledger = Ledger()
        self._reader = Reader(self._lab, self._ledger, self.needs)
        self._seen = 0
        self._open: set[int] = set()
        self._refused: dict[int, tuple[str, str, int]] = {}

    # ---- reading on

    def refresh(self) -> None:
        """Read what came since the last time, and the metrics and experiments as they stand."""
        if not self._follow:
            return
        lab = self._lab
        lab.dispatch.exporter.finish()
        with self._lock:
            standing = (lab.journal.version, lab.workspace, lab.split.live.last_number)
            if standing == self._standing:
                return
            self._look_at_projects()
            if (needs := self._needed()) != self.needs:
                self.needs = needs
                self._begin()
            first = lab.journal.next_seq - len(lab.journal)
            if self._seen and (not len(lab.journal) or first > self._seen + 1):
                self._begin()  # it was reset, or more came meanwhile than it holds
            elif self._seen:
                self._forget_before(first)
            for seq in sorted(self._open):
                self._open.discard(seq)
                self._ledger.forget(seq)
                if (row := lab.journal.row(seq)) is not None:
                    self.take(row)
            for row in lab.journal.since(self._seen):
                self.take(row)
            self._standing = standing

    def _forget_before(self, first: int) -> None:
        """Drop what was reset, or evicted."""
        self._ledger.forget_before(first)
        self._open = {seq for seq in self._open if seq >= first}
        for seq in list(takewhile(lambda seq: seq < first, self._refused)):
            del self._refused[seq]

    def _look_at_projects(self) -> None:
        with self._lab.lock:
            self._projects = [project_of(self._lab, vendor) for vendor in COUNTED]

    def _needed(self) -> Needs:
        return needs_of({one.vendor: one.metrics for one in self._projects})

    def read_whole(self) -> Count:
        """Return itself when every row was given: experiments and metrics are taken as they stand now."""
        self._look_at_projects()
        self.needs = self._needed()
        return self

    def take(self, row: Exchange, answer: Answer | None = None) -> None:
        """Read a row; ``answer`` is its vendor's to it, where that is at hand."""
        self._seen = max(self._seen, row.seq)
        if row.status >= 400 and row.request.method == "POST":
            self._refused[row.seq] = (row.vendor, f"POST {row.request.shown_path}", row.status)
        if row.queued and self._waits(row):
            self._open.add(row.seq)
        self._reader.take(row, answer)

    def _waits(self, row: Exchange) -> bool:
        sendings = (
            sent for journey in self._lab.journeys_of.of(row) for one in journey.deliveries for sent in one.sent
        )
        return any(sent.outcome in ("under_way", "awaiting_retry") for sent in sendings)

    # ---- what is asked

    def projects(self) -> list[Project]:
        """Return what each vendor's project is wired to count, as it stands."""
        self.refresh()
        return self._projects

    def _in_use(self) -> list[Project]:
        """Return the projects without the experiments that nobody declared and nobody was exposed to."""
        return [
            replace(
                project,
                experiments=tuple(
                    one
                    for one in project.experiments
                    if not one.implied or self._ledger.has_exposures(project.vendor, one.exposed_by)
                ),
            )
            for project in self.projects()
        ]

    def experiments(self, vendor: str = "", key: str = "", environment: str = "") -> list[tuple[Project, Experiment]]:
        """Return the experiments as asked; empty texts ask for all that are in use.

        Raises:
            TracksideError: there is none of this key, or no such vendor that counts.
        """
        if vendor and vendor not in COUNTED:
            raise TracksideError(f"{vendor} has no experiments", "vendor", f"use one of: {', '.join(sorted(COUNTED))}")
        found = [
            (project, one)
            for project in (self.projects() if key else self._in_use())
            for one in project.experiments
            if vendor in ("", project.vendor) and key in ("", one.key) and environment in ("", one.environment)
        ]
        if not found and key:
            raise self._unknown(vendor, key, environment)
        return found

    def _unknown(self, vendor: str, key: str, environment: str) -> TracksideError:
        every = [one for project in self._projects if vendor in ("", project.vendor) for one in project.experiments]
        if places := [one.environment for one in every if one.key == key]:
            what, fix = f"the experiment {key!r} is not in {environment!r}", f"it is in: {', '.join(places)}"
            return TracksideError(what, vendor or "any vendor", fix)
        known = [one.key for one in every]
        near = difflib.get_close_matches(key, known, 1)
        fix = f"did you mean {near[0]!r}?" if near else f"declare it; known are: {', '.join(known) or 'none'}"
        where = f"{vendor or 'any vendor'}{f' in {environment}' if environment else ''}"
        return TracksideError(f"there is no experiment {key!r}", where, fix)

    def results(self, vendor: str = "", key: str = "", environment: str = "") -> list[ExperimentResult]:
        """Return what experiments have counted; empty texts ask for all."""
        with self._lock:
            return [self._result(project, one) for project, one in self.experiments(vendor, key, environment)]

    def _result(self, project: Project, one: Experiment) -> ExperimentResult:
        """Return what an experiment has counted; until something changes the same one."""
        name = (project.vendor, one.key, one.environment)
        if self._made_at != self._standing:
            self._made, self._made_at = {}, self._standing
        if name not in self._made:
            self._made[name] = results_of(project, one, self._ledger, self.needs)
        return self._made[name]

    def audit(self, source: str) -> Audit:
        """Return what is wrong with the wiring of all experiments; ``source`` is what findings name as their file."""
        with self._lock:
            results = self.results()
            return audit(self._in_use(), results, self._ledger, source, Counter(self._refused.values()))

    # ---- verdicts

    def verdicts(
        self,
        *,
        user: str = "",
        message_id: str = "",
        event: str = "",
        vendor: str = "",
        experiment: str = "",
        environment: str = "",
    ) -> Iterator[Verdict]:
        """Yield a verdict for each event of a person, or of a message, and each experiment that it could be about.

        Args:
            user: any id of theirs.
            message_id: of a Segment message, in place of a person.
            event: only events of this name, as the vendor or as Segment has it; where there are none, of one spelt otherwise.
            vendor: only this vendor's experiments.
            experiment: only this experiment; then also events that none of its metrics takes.
            environment: of the experiment.

        Raises:
            TracksideError: there is no such experiment, or neither a person nor a message is named.
        """
        if not user and not message_id:
            raise TracksideError("nobody is named", "verdict", "name a user, or a message by its messageId")
        with self._lock:
            judges = [Judge(project, one) for project, one in self.experiments(vendor, experiment, environment)]
            ledger, needs = self._ledger, self.needs
            rows, dropped = _called(event, *self._events(user, message_id))
        types = _types_of(rows)
        for row in rows:
            of_row = [one for one in judges if not _is_twin(one, row, types)]
            with self._lock:  # and none while the caller looks at a verdict
                found = list(self._of_row(row, of_row, ledger, needs, anything=bool(experiment)))
            yield from found
        for one in dropped:
            yield from self._of_dropped(one, judges)

    def _events(self, user: str, message_id: str) -> tuple[list[Row], list[Dropped]]:
        if not message_id:
            return list(self._ledger.events_of(user)), self._ledger.dropped_of(user)
        rows, dropped = self._ledger.of_message(message_id), self._ledger.dropped_message(message_id)
        if not rows and not dropped and self._follow:
            self._lab.journey(message_id)  # which says so where it never came
        return rows, dropped

    def _of_row(
        self, row: Row, judges: Iterable[Judge], ledger: Ledger, needs: Needs, *, anything: bool
    ) -> Iterator[Verdict]:
        wanted = needs.get((row.series.vendor, row.series.name), ())
        facts = Facts(list(zip(wanted, row.facts or (), strict=True)))
        for judge in judges:
            if judge.project.vendor == row.series.vendor and (anything or judge.fit(row.series).concerns):
                yield judged(judge, ledger, row, facts, row.message or "")

    def _of_dropped(self, one: Dropped, judges: Iterable[Judge]) -> Iterator[Verdict]:
        for judge in judges:
            wanted = {bare(metric.event) for metric in judge.metrics if metric.event}
            if judge.project.vendor == one.vendor and (bare(one.name) in wanted or judge.project.makes_metrics):
                step = one.step
                what = "message" if one.message else "event"
                text = f"the {what} ended on its way to {one.vendor}: {step.get('text', '')}"
                unmet = Unmet("dropped", step.get("rule", ""), text, step.get("at", ""), step.get("fix", ""))
                yield Verdict(
                    one.vendor,
                    judge.experiment.key,
                    judge.experiment.environment,
                    one.name,
                    one.user or one.anonymous or "",
                    "not_counted",
                    unmet=(unmet,),
                    message_id=one.message or "",
                    at=iso(one.at),
                )


def _called(event: str, rows: list[Row], dropped: list[Dropped]) -> tuple[list[Row], list[Dropped]]:
    """Return the events of a name, letter for letter; where there are none, those of another spelling."""
    if not event:
        return rows, dropped
    exact = [row for row in rows if _is_called(row.series.name, event)], [one for one in dropped if one.name == event]
    if any(exact):
        return exact
    near = bare(event)
    return [row for row in rows if bare(row.series.name) == near], [one for one in dropped if bare(one.name) == near]


def _types_of(rows: Iterable[Row]) -> dict[tuple[int, str | None, EventSeries], set[str]]:
    """Return the ID types that the events of each message have, those of one name together."""
    found: dict[tuple[int, str | None, EventSeries], set[str]] = {}
    for row in rows:
        found.setdefault(_message(row), set()).update(row.series.types)
    return found


def _message(row: Row) -> tuple[int, str | None, EventSeries]:
    return row.seq, row.message, row.series._replace(types=())


def _is_twin(judge: Judge, row: Row, types: Mapping[tuple[int, str | None, EventSeries], set[str]]) -> bool:
    """Return whether an event is the twin, for another traffic type, of one that the experiment looks at."""
    unit = judge.experiment.unit
    return judge.counting.fans_out and unit not in row.series.types and unit in types[_message(row)]


def _is_called(name: str, asked: str) -> bool:
    """Return whether a vendor's event is called so, or made of a Segment event that is.

    >>> _is_called("segment::Order Completed", "Order Completed"), _is_called("Order_Completed", "Order Completed")
    (True, True)
    >>> _is_called("Order Completed", "order completed")
    False
    """
    return name in (asked, f"segment::{asked}", asked.replace(" ", "_"))
