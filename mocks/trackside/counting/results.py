"""What experiments have counted: units, events and means by variation, and what was left out, for any number of rows.

Units come in order from the ledger, their exposures beside their events, so that only one unit is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from trackside.counting.filters import Fact
from trackside.counting.ids import Ids
from trackside.counting.judging import AUTO, Fit, Judge, Project, View
from trackside.counting.ledger import EventSeries, Ledger, Row
from trackside.counting.model import (
    Condition,
    Experiment,
    ExperimentResult,
    Exposure,
    Metric,
    MetricResult,
    Uncounted,
    Unmet,
    VariationResult,
)
from trackside.counting.reading import Needs
from trackside.counting.sample_ratio import sample_ratio
from trackside.counting.verdicts import Facts, by_metric
from trackside.times import iso

LOOKED_AT = 10_000
"""Units without an exposure that are looked into one by one; those beyond are counted like the last of them."""

DAY_MS = 86_400_000


def results_of(project: Project, experiment: Experiment, ledger: Ledger, needs: Needs) -> ExperimentResult:
    """Return what an experiment has counted in its latest period."""
    return _Counter(project, experiment, ledger, needs).run()


@dataclass(slots=True)
class _Sums:
    """What one unit has of one metric in one variation."""

    events: int = 0
    total: float = 0.0
    days: set[int] = field(default_factory=set)


class _Counter:
    """Counts one experiment."""

    def __init__(self, project: Project, experiment: Experiment, ledger: Ledger, needs: Needs) -> None:
        self._judge = Judge(project, replace(experiment, periods=experiment.periods[-1:]))
        self._earlier = experiment.periods[:-1]
        self._ledger, self._needs = ledger, needs
        self._ids = Ids(self._judge, ledger)
        self.result = ExperimentResult(experiment, [VariationResult(one) for one in experiment.variations])
        self._of = {one.variation.key: one for one in self.result.variations}
        for each in self._of.values():
            each.metrics = {one.key: MetricResult(one.key, one.measure) for one in self._judge.metrics}
        self._metrics = {one.key: one for one in self._judge.metrics}
        self._means: dict[tuple[str, str], list[float]] = {}
        self._plans: dict[EventSeries, list[tuple[Metric, int | None]]] = {}
        self._several: set[EventSeries] = set()  # of which one metric has several rows; an event is none of it twice
        self._strangers = 0
        self._stranger: Unmet | None = None

    def run(self) -> ExperimentResult:
        """Count, and return the result."""
        series = self._series()
        clock, unit_type, own = self._judge.clock, self._judge.experiment.unit, self._judge.experiment
        exposed = self._ledger.exposed(self._judge.project.vendor, own.exposed_by, own.environment, unit_type, clock)
        for exposures, events in _merged(exposed, self._ledger.events(series, unit_type, clock)):
            self._unit(exposures, events)
        self._finish()
        return self.result

    def _series(self) -> list[EventSeries]:
        """Return the kinds of events that may count; the others are told as not counted."""
        concerned = [
            (one, fit)
            for one in self._ledger.series(self._judge.project.vendor)
            if (fit := self._judge.fit(one)).concerns
        ]
        fitting = [one for one, fit in concerned if not fit.unmet]
        named = {one.name for one in fitting}
        for one, fit in concerned:
            if fit.unmet and not (one.name in named and self._beside(fit)) and not (named and _of_nobody(fit)):
                count = self._ledger.count(one)
                self.result.events += count
                for unmet in fit.unmet:
                    self._left_out(unmet, count, 0)
        return fitting

    def _beside(self, fit: Fit) -> bool:
        """Return whether events that do not fit are none that were to count here.

        Those of another environment where it has its own, or the twins of one message for another traffic type.
        """
        conditions = {one.condition for one in fit.unmet}
        twins = self._judge.counting.fans_out
        return conditions == {"environment"} or (
            twins and conditions <= {"unit-type", "id-type-unknown", "environment"}
        )

    # ---- one unit

    def _unit(self, exposures: Sequence[Exposure], events: Sequence[Row]) -> None:
        view = self._judge.view(exposures)
        if not view.seen:
            self._not_exposed(events)
            return
        variations: dict[str, int] = {}
        for _, assigned in view.periods:
            if assigned.unmet is not None:
                self._exclude(assigned.unmet.condition)
            if assigned.remark is not None:
                self._switch(assigned.remark)
            for number, span in enumerate(assigned.spans):
                if not number or span.start <= self._ledger.latest:  # else nothing counts for it yet
                    variations.setdefault(span.variation, span.start)
        day = _day(self._day_of(view.first))
        for key in variations:
            found = self._of[key]
            found.units += 1
            if day:  # a clock may tell of a moment that no calendar has
                found.by_day[day] = found.by_day.get(day, 0) + 1
        sums: dict[tuple[str, str], _Sums] = {}
        missed: set[Condition] = set()
        for row in events:
            self._event(row, view, sums, missed)
        for (key, metric), one in sums.items():
            self._add(key, self._metrics[metric], one, view.first)

    def _event(self, row: Row, view: View, sums: dict[tuple[str, str], _Sums], missed: set[Condition]) -> None:
        """Count one event of a unit; ``missed`` are the conditions that the unit was told of already."""
        moment, other = (row.at, row.arrived) if self._judge.clock == "at" else (row.arrived, row.at)
        if self._earlier and any(period.holds(moment) for period in self._earlier):
            return  # it counts, or not, in the results of that one
        self.result.events += 1
        hits = self._judge.hits(view, moment)
        if not hits:
            self._miss([self._judge.missed(view, moment, other)], missed)
            return
        taking = self._taking(row, missed)
        if not taking:
            return
        self.result.counted += 1
        for hit in hits:
            for metric, value in taking:
                found = sums.get((hit.variation, metric.key))
                if found is None:
                    found = sums[hit.variation, metric.key] = _Sums()
                found.events += 1
                if metric.value:
                    found.total += value or 0.0
                elif metric.measure == "days":
                    found.days.add(self._day_of(row.at))

    def _taking(self, row: Row, missed: set[Condition]) -> list[tuple[Metric, Fact]]:
        """Return the metrics that take an event, each with its value; what keeps it from others is told as not counted."""
        plan = self._plans.get(row.series)
        if plan is None:
            plan = self._plans[row.series] = self._plan(row.series)
        facts = row.facts
        if facts is None:
            return [(metric, True) for metric, _ in plan]
        told = [(metric, True if place is None else facts[place]) for metric, place in plan]
        if row.series not in self._several and all(fact is not None and fact is not False for _, fact in told):
            return told
        of = Facts(told)
        metrics, unmet = by_metric(self._judge, [metric for metric, _ in told], of)
        self._miss(unmet, missed)
        return [(metric, of.get(metric)) for metric in metrics]

    def _plan(self, series: EventSeries) -> list[tuple[Metric, int | None]]:
        """Return the metrics that take a kind of events, each with the place of what it read among a row's facts."""
        wanted = self._needs.get((series.vendor, series.name), ())
        metrics = self._judge.fit(series).metrics
        keys = {one.key: one for one in metrics}
        self._metrics.update(keys)
        if len(keys) < len(metrics):
            self._several.add(series)
        return [(one, wanted.index(one) if one.value or one.filters else None) for one in metrics]

    def _add(self, variation: str, metric: Metric, one: _Sums, first: int) -> None:
        found = self._of[variation].metrics.setdefault(metric.key, MetricResult(metric.key, metric.measure))
        found.units += 1
        found.events += one.events
        if metric.measure == "conversion":
            found.total += 1
        elif metric.measure == "count":
            found.total += one.events
        elif metric.measure == "days":
            found.total += len(one.days)
            lasted = self._day_of(self._ledger.latest) - self._day_of(first) + 1
            self._means.setdefault((variation, metric.key), []).append(len(one.days) / max(lasted, 1))
        else:
            found.total += one.total
            if metric.measure == "mean" and not metric.pooled:
                self._means.setdefault((variation, metric.key), []).append(one.total / one.events)

    def _day_of(self, moment: int) -> int:
        """Return the project's day of a moment, counted from 1970."""
        return (moment + self._judge.experiment.day_offset) // DAY_MS

    # ---- what does not count

    def _exclude(self, condition: Condition) -> None:
        self.result.excluded[condition] = self.result.excluded.get(condition, 0) + 1

    def _switch(self, remark: Unmet) -> None:
        if remark.condition == "switched":
            found = self.result.switched = self.result.switched or Uncounted(remark)
            found.units += 1

    def _not_exposed(self, events: Sequence[Row]) -> None:
        """Say why events of a unit without exposures do not count."""
        rows = [one for one in events if not any(period.holds(self._judge.moment(one)) for period in self._earlier)]
        if not rows:
            return
        self.result.events += len(rows)
        self._strangers += 1
        if self._strangers <= LOOKED_AT or self._stranger is None:
            self._stranger = self._ids.why(rows[0])
        self._left_out(self._stranger, len(rows), 1)

    def _miss(self, unmet: Sequence[Unmet], missed: set[Condition]) -> None:
        """Leave out an event of a unit: once for each condition, of however many metrics."""
        for one in {one.condition: one for one in reversed(unmet)}.values():
            self._left_out(one, 1, int(one.condition not in missed))
            missed.add(one.condition)

    def _left_out(self, unmet: Unmet, events: int, units: int) -> None:
        found = self.result.uncounted.get(unmet.condition)
        if found is None:
            found = self.result.uncounted[unmet.condition] = Uncounted(unmet)
        found.events += events
        found.units += units

    # ---- at the end

    def _finish(self) -> None:
        for one in self.result.variations:
            for found in one.metrics.values():
                self._finish_metric(one, found)
        self.result.recording = self._judge.experiment.recording(self._ledger.latest)
        shares = [one.variation.share for one in self.result.variations]
        self.result.sample_ratio = sample_ratio([one.units for one in self.result.variations], shares)

    def _finish_metric(self, one: VariationResult, found: MetricResult) -> None:
        metric = self._metrics[found.metric]
        among = found.units if metric.leave_out else one.units
        means = self._means.get((one.variation.key, metric.key), [])
        if metric.measure == "mean" and metric.pooled:
            found.mean = found.total / found.events if found.events else None
        elif metric.measure in ("mean", "days"):
            found.mean = sum(means) / among if among else None
        else:
            found.mean = found.total / among if among else None


def _of_nobody(fit: Fit) -> bool:
    """Return whether events of another ID type or tier are only of the metric that they make of themselves.

    A project of several ID types has such at all times, and no one meant them for this experiment.
    """
    conditions = {one.condition for one in fit.unmet}
    by_themselves = bool(fit.metrics) and all(one.key.endswith(AUTO) for one in fit.metrics)
    return by_themselves and conditions <= {"unit-type", "id-type-unknown", "environment"}


@cache
def _day(number: int) -> str:
    """Return a day, counted from 1970, as text."""
    return iso(number * DAY_MS)[:10]


def _merged(
    exposed: Iterator[tuple[str, list[Exposure]]], events: Iterator[tuple[str, list[Row]]]
) -> Iterator[tuple[list[Exposure], list[Row]]]:
    """Yield what two iterators, both in the units' order, have of each unit."""
    one, other = next(exposed, None), next(events, None)
    while one is not None or other is not None:
        exposures: list[Exposure] = []
        rows: list[Row] = []
        unit = other[0] if one is None or (other is not None and other[0] < one[0]) else one[0]  # type: ignore[index]
        if one is not None and one[0] == unit:
            exposures, one = one[1], next(exposed, None)
        if other is not None and other[0] == unit:
            rows, other = other[1], next(events, None)
        yield exposures, rows
