"""Whether events that were not sent yet would count: all but what only exposures can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from trackside.counting.judging import Judge
from trackside.counting.ledger import EventSeries
from trackside.counting.model import Event
from trackside.counting.of_lab import project_of
from trackside.counting.vendors import COUNTED
from trackside.counting.verdicts import Verdict, by_metric, facts_of
from trackside.times import in_ms, iso

if TYPE_CHECKING:
    from trackside.journeys import Journey
    from trackside.lab import Lab
    from trackside.steps import Record


class Forecast:
    """Judges records that a vendor would keep, under a lab's workspace.

    Args:
        lab: whose workspace; nothing is read of its journal.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    @cached_property
    def _judges(self) -> dict[str, list[Judge]]:
        with self._lab.lock:
            projects = [project_of(self._lab, vendor) for vendor in COUNTED]
        return {one.vendor: [Judge(one, each) for each in one.experiments] for one in projects}

    def of(self, vendor: str, records: Sequence[Record], journey: Journey) -> list[Verdict]:
        """Return the verdicts on what a vendor would keep of a message; ``once_exposed`` where only an exposure is missing."""
        return [verdict for record in records for verdict in self._of_record(vendor, record, journey)]

    def _of_record(self, vendor: str, record: Record, journey: Journey) -> Iterator[Verdict]:
        for judge in self._judges.get(vendor, ()):
            for event in judge.counting.read(record, in_ms(journey.exchange.request.at)):
                if isinstance(event, Event):
                    yield from _verdict(judge, event, str(journey.get("messageId") or ""))


def _verdict(judge: Judge, event: Event, message_id: str) -> Iterator[Verdict]:
    series = EventSeries(judge.project.vendor, event.environment, event.name, tuple(sorted(event.units)), event.clicked)
    fit = judge.fit(series)
    if not fit.concerns:
        return
    metrics, by_value = by_metric(judge, fit.metrics, facts_of(fit.metrics, event.record))
    unmet = [*judge.experiment.problems, *fit.unmet]
    if fit.metrics and not metrics:
        unmet += by_value
    yield Verdict(
        judge.project.vendor,
        judge.experiment.key,
        judge.experiment.environment,
        event.name,
        event.units.get(judge.experiment.unit, ""),
        "not_counted" if unmet else "once_exposed",
        metrics=() if unmet else tuple(one.key for one in metrics),
        unmet=tuple(unmet),
        message_id=message_id,
        at=iso(event.at),
    )
