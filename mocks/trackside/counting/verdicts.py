"""Verdicts: whether one event counts in one experiment, and every condition that it does not meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trackside.counting.filters import Fact, fact
from trackside.counting.ids import Ids
from trackside.counting.judging import Hit, Judge
from trackside.counting.ledger import Ledger, Row
from trackside.counting.model import Metric, Unmet
from trackside.steps import Record
from trackside.times import iso


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one event counts in one experiment.

    Attributes:
        vendor: whose experiment it is.
        experiment: its key.
        environment: the experiment's.
        event: its name.
        unit: its id of the experiment's type; empty where it has none.
        outcome: ``counted``, ``not_counted``, or ``once_exposed`` for an event that was not sent yet, and that only
            lacks an exposure.
        variations: the names of those that it counts for.
        metrics: the keys of those that it counts in.
        unmet: every condition that it does not meet.
        remarks: what should be known although it counts.
        message_id: of the Segment message; empty where there is none.
        at: when it happened, ISO 8601; empty where that is not known.
    """

    vendor: str
    experiment: str
    environment: str
    event: str
    unit: str
    outcome: Literal["counted", "not_counted", "once_exposed"]
    variations: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    remarks: tuple[Unmet, ...] = ()
    message_id: str = ""
    at: str = ""

    @property
    def counted(self) -> bool:
        """Whether it counts."""
        return self.outcome == "counted"

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as JSON."""
        names = ("vendor", "experiment", "environment", "event", "unit", "outcome", "variations", "metrics")
        return {
            **{name: getattr(self, name) for name in names},
            "unmet": [one.as_json() for one in self.unmet],
            "remarks": [one.as_json() for one in self.remarks],
            "message_id": self.message_id,
            "at": self.at,
        }


@dataclass(slots=True)
class Facts:
    """What each metric that reads values or filters made of an event; those that read none are True.

    Attributes:
        of: the metrics with what they made of it. Several may have one key: Statsig's take an event by several rows.
    """

    of: Sequence[tuple[Metric, Fact]] = ()

    def get(self, metric: Metric) -> Fact:
        """Return what a metric made of it."""
        return next((told for one, told in self.of if one == metric), True)


def facts_of(metrics: Sequence[Metric], record: Record) -> Facts:
    """Return what metrics make of a record."""
    return Facts([(one, fact(one, record)) for one in metrics if one.value or one.filters])


def by_metric(judge: Judge, metrics: Sequence[Metric], facts: Facts) -> tuple[list[Metric], list[Unmet]]:
    """Return the metrics that take an event by its value and filters, each key once, and what keeps it from the others."""
    taking: dict[str, Metric] = {}
    unmet: dict[str, Unmet] = {}
    for metric in metrics:
        if metric.key in taking:
            continue
        told = facts.get(metric)
        if told is False:
            text = f"a filter of the metric {metric.key} keeps the event out"
            fix = "send what the filter asks for, or take it away"
            unmet.setdefault(metric.key, judge.unmet("metric-filter", text, metric.place, fix))
        elif told is None and "metric-value" in judge.counting.rules:
            at = f"$.{'.'.join(metric.value)}"
            text = f"the metric {metric.key} adds up numbers, and the event has none"
            unmet[metric.key] = judge.unmet("metric-value", text, at, "send a number there")
        else:
            taking[metric.key] = metric
    return list(taking.values()), [one for key, one in unmet.items() if key not in taking]


def judged(judge: Judge, ledger: Ledger, row: Row, facts: Facts, message_id: str = "") -> Verdict:
    """Return the verdict on one event of the ledger."""
    fit = judge.fit(row.series)
    unmet = list(fit.unmet)
    metrics, by_value = by_metric(judge, fit.metrics, facts)
    if fit.metrics and not metrics:
        unmet += by_value
    unit, hits, remarks = "", list[Hit](), list[Unmet]()
    if judge.experiment.unit in row.series.types:
        unit = row.ids[row.series.types.index(judge.experiment.unit)]
        hits, more, remarks = _timed(judge, ledger, row, unit)
        unmet += more
    if metrics:
        remarks += by_value  # which keeps it from some metrics only
    return Verdict(
        judge.project.vendor,
        judge.experiment.key,
        judge.experiment.environment,
        row.series.name,
        unit,
        "not_counted" if unmet or not hits else "counted",
        tuple(dict.fromkeys(judge.experiment.named(hit.variation) for hit in hits)) if not unmet else (),
        tuple(one.key for one in metrics) if not unmet else (),
        tuple(unmet),
        tuple(remarks),
        message_id,
        iso(row.at),
    )


def _timed(judge: Judge, ledger: Ledger, row: Row, unit: str) -> tuple[list[Hit], list[Unmet], list[Unmet]]:
    exposures = ledger.exposures(judge.project.vendor, unit, judge.experiment.exposed_by)
    exposures.sort(key=judge.moment)
    view = judge.view(exposures)
    if not view.seen:
        return [], [*judge.experiment.problems, Ids(judge, ledger).why(row)], []
    moment, other = (row.at, row.arrived) if judge.clock == "at" else (row.arrived, row.at)
    hits = judge.hits(view, moment)
    remarks = [assigned.remark for _, assigned in view.periods if assigned.remark is not None]
    if hits or not judge.experiment.periods:
        return hits, [], remarks
    return [], [judge.missed(view, moment, other)], remarks
