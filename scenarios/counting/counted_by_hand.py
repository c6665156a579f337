"""Experiments, exposures and events written out by hand, and counted without a lab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from trackside.counting.filters import fact
from trackside.counting.judging import Judge, Project
from trackside.counting.ledger import Ledger
from trackside.counting.model import (
    Assigned,
    Condition,
    Event,
    Experiment,
    ExperimentResult,
    Exposure,
    Metric,
    Period,
    Span,
    Unmet,
    Variation,
    Words,
)
from trackside.counting.reading import needs_of
from trackside.counting.results import results_of
from trackside.counting.verdicts import Facts, Verdict, judged

START = 1_767_322_800_000
"""2026-01-02T03:00:00Z."""

MINUTE, DAY = 60_000, 86_400_000
VARIATIONS = (Variation("0", "control", 0.5), Variation("1", "blue", 0.5))
ORDERS = Metric("orders", "Order Completed", ("user",), "conversion", "conversion", place="$.metrics.orders")
TEST = Experiment(
    "acme",
    "banner-test",
    "production",
    "banner",
    "user",
    VARIATIONS,
    ("orders",),
    (Period(),),
    "running",
    place="$.experiments.banner-test",
)


class Acme:
    """A vendor that counts an event for the first variation that its unit saw, for a week."""

    words = Words("unit type", "variation", "event key", "environment", "recording")
    grace = 0
    auto_metric = False
    fans_out = False
    rules: Mapping[Condition, str] = {one: f"acme.{one}" for one in get_args(Condition)}

    def __init__(self, clock: Literal["arrived", "at"] = "arrived", window: int | None = 7 * DAY) -> None:
        self.clock, self.window = clock, window

    def assigned(self, experiment: Experiment, exposures: Sequence[Exposure]) -> Assigned:  # noqa: ARG002 - as asked
        """Return one span from the first exposure on; none for who saw three variations."""
        first = exposures[0]
        start = getattr(first, self.clock)
        seen = list(dict.fromkeys(one.variation for one in exposures))
        if len(seen) > 2:
            return Assigned(unmet=Unmet("excluded", "acme.excluded", "the unit saw three variations", "", "keep it"))
        end = start + self.window if self.window is not None else None
        remark = Unmet("switched", "acme.switched", "the unit saw two variations") if len(seen) > 1 else None
        return Assigned((Span(first.variation, first.label, start, end),), remark=remark)


def project(
    *experiments: Experiment, metrics: Sequence[Metric] = (ORDERS,), acme: Any = None, types: Any = None
) -> Project:
    """Return what Acme's project is wired to count."""
    return Project("acme", acme or Acme(), tuple(metrics), experiments or (TEST,), types)


def exposure(unit: str = "u-1", variation: str = "1", minute: float = 0, **more: Any) -> Exposure:
    """Return an exposure to the flag ``banner``, so many minutes after the start."""
    moment = START + round(minute * MINUTE)
    one = Exposure("production", "banner", "user", unit, variation, "fallthrough", True, moment, moment)
    return one._replace(**more)


def event(unit: str = "u-1", name: str = "Order Completed", minute: float = 1, units: Any = None, **more: Any) -> Event:
    """Return an event of one person, so many minutes after the start."""
    moment = START + round(minute * MINUTE)
    return Event("production", name, {"user": unit} if units is None else units, moment, moment, {})._replace(**more)


def ledger_of(wired: Project, *came: Exposure | Event) -> Ledger:
    """Return a ledger in which each exposure and event came in an exchange of its own, the first numbered 1."""
    ledger, needs = Ledger(), needs_of({wired.vendor: wired.metrics})
    for seq, one in enumerate(came, 1):
        if isinstance(one, Exposure):
            ledger.add_exposure(wired.vendor, one, seq)
        else:
            wanted = needs.get((wired.vendor, one.name))
            facts = [fact(each, one.record) for each in wanted] if wanted else None
            ledger.add_event(wired.vendor, one, seq, 0, facts, message=f"m-{seq}")
        ledger.latest = max(ledger.latest, one.arrived)
    return ledger


def verdict(wired: Project, *came: Exposure | Event) -> Verdict:
    """Return the verdict on the last one that came, an event, in the project's first experiment."""
    ledger = ledger_of(wired, *came)
    [row] = ledger.of_message(f"m-{len(came)}")
    wanted = needs_of({wired.vendor: wired.metrics}).get((wired.vendor, row.series.name), ())
    facts = Facts(list(zip(wanted, row.facts or (), strict=True)))
    return judged(Judge(wired, wired.experiments[0]), ledger, row, facts)


def conditions(wired: Project, *came: Exposure | Event) -> list[Condition]:
    """Return the conditions that the last event does not meet."""
    return [one.condition for one in verdict(wired, *came).unmet]


def result(wired: Project, *came: Exposure | Event) -> ExperimentResult:
    """Return what the project's first experiment counts."""
    needs = needs_of({wired.vendor: wired.metrics})
    return results_of(wired, wired.experiments[0], ledger_of(wired, *came), needs)
