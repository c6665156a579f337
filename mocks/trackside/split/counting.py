"""How Split attributes events to treatments: by key, targeting rule and treatment, around the moments of impressions.

`SplitCounting.metrics`, `experiments` and `unit_types` look at live state; the rest is pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from trackside.counting.model import (
    Assigned,
    Condition,
    Event,
    Experiment,
    Exposure,
    Metric,
    Span,
    Unmet,
    Words,
)
from trackside.split import flag_experiments, metrics
from trackside.split.definitions import CONTROL

if TYPE_CHECKING:
    from trackside.split.settings import SplitSettings
    from trackside.split.store import Split
    from trackside.steps import Record

BUFFER_MS = 15 * 60_000
"""How long before a key's first impression, and after one by another rule, its events count (split.counting.window)."""

RETENTION_MS = 90 * 24 * 3_600_000
"""How long impressions and events are kept (split.counting.retention)."""

KILLED = "killed"
"""The label of impressions of a killed flag."""

OUTSIDE = "not in split"
"""The label of impressions of keys that a flag's traffic allocation leaves out."""

_NO_RULE = ("definition not found", "not ready", "exception", "archived", "targeting rule type unsupported by sdk", OUTSIDE)  # fmt: skip
_FALLBACK = "fallback - "

_KEY, _TRAFFIC_TYPE, _TYPES = "split.counting.key", "split.counting.traffic-type", "split.counting.metric-types"
_WINDOW, _EXPERIMENT = "split.counting.window", "split.counting.experiment"

RULES: dict[Condition, str] = {
    "dropped": _KEY,
    "environment": "split.counting.environment",
    "event-key-blanks": _TYPES,
    "event-key-case": _TYPES,
    "event-key-prefix": _TYPES,
    "event-key-underscores": "split.in.event-type-spaces",
    "excluded": "split.counting.excluded",
    "flag": _EXPERIMENT,
    "id-blanks": _KEY,
    "id-case": _KEY,
    "id-of-other-type": _TRAFFIC_TYPE,
    "id-prefix": _KEY,
    "id-type-unknown": _TRAFFIC_TYPE,
    "metric-attached": _EXPERIMENT,
    "metric-event": _TYPES,
    "metric-filter": "split.counting.filters",
    "metric-kind": _TYPES,
    "metric-unit": _TRAFFIC_TYPE,
    "not-exposed": _KEY,
    "not-included": "split.counting.control",
    "before-exposure": _WINDOW,
    "outside-window": _WINDOW,
    "outside-iteration": "split.counting.version",
    "recording": _EXPERIMENT,
    "switched": "split.counting.switch-once",
    "unit-type": _TRAFFIC_TYPE,
    "unknown-id": _KEY,
}
"""The rule behind each condition; none is about values, as an event without one counts as 0 (split.counting.value)."""


class Run(NamedTuple):
    """Impressions of one key that follow each other, all by one rule and with one treatment; moments of the first and last."""

    label: str
    treatment: str
    first: int
    last: int


class SplitCounting:
    """How Split counts; see `trackside.counting.model.Counting`."""

    words = Words("traffic type", "treatment", "event type", "environment", "active")
    clock: Literal["arrived", "at"] = "at"
    grace = BUFFER_MS
    auto_metric = False
    rules: Mapping[Condition, str] = RULES
    fans_out = True
    """Whether one message can make events of several traffic types (split.in.two-identities)."""

    @staticmethod
    def read(record: Record, arrived: int) -> Iterator[Exposure | Event]:
        """Yield an impression as an exposure, or an event (split.counting.key, split.counting.control)."""
        kind = record.get("kind")
        if kind == "event":
            yield Event(
                record["environmentName"],
                record["eventTypeId"],
                {record["trafficTypeName"]: record["key"]},
                record["timestamp"],
                arrived,
                record,
            )
        elif kind == "impression":
            label, treatment = record["label"] or "", record["treatment"]
            yield Exposure(
                record["environmentName"],
                record["split"],
                "",
                record["key"],
                treatment,
                label,
                treatment != CONTROL and label not in _NO_RULE and not label.startswith(_FALLBACK),
                int(record["time"]),
                arrived,
            )

    @staticmethod
    def posted(item: Mapping[str, Any]) -> tuple[str, str]:
        """Return the type of an event as it was posted, and its key."""
        name, unit = item.get("eventTypeId"), item.get("key")
        return name if isinstance(name, str) else "", unit if isinstance(unit, str) else ""

    @staticmethod
    def metrics(settings: SplitSettings, live: Split | None) -> Sequence[Metric]:
        """Return the metrics by name, those that its API made too (split.counting.metric-types)."""
        return [metrics.counted(name, kept) for name, kept in metrics.metrics(settings, live).items()]

    @staticmethod
    def experiments(settings: SplitSettings, live: Split | None) -> Sequence[Experiment]:
        """Return the experiments, and one more for each flag with a percentage rule that has none (split.counting.experiment)."""
        return flag_experiments.experiments(settings, live)

    @staticmethod
    def unit_types(settings: SplitSettings, live: Split | None) -> Sequence[str]:
        """Return the traffic types that are known (split.counting.traffic-type)."""
        mapped = (name for inbound in settings.segment_inbound for name in inbound.identities.values())
        used = (
            flag["trafficTypeName"]
            for rows in flag_experiments.served(settings, live).values()
            for flag in rows.values()
        )
        made, gone = (live.admin.traffic_types, live.admin.gone) if live is not None else ((), ())
        names = dict.fromkeys([*settings.traffic_types, *mapped, *used, *made])
        return [name for name in names if name not in gone]

    @staticmethod
    def assigned(experiment: Experiment, exposures: Sequence[Exposure]) -> Assigned:
        """Return when a key's events count: around its impressions by the experiment's rule.

        From 15 minutes before the first one on (split.counting.window); where the rule or the treatment changes once,
        until 15 minutes after the first impression by the other (split.counting.switch-once); never where it changes
        again (split.counting.excluded).
        """
        rule = experiment.rule if isinstance(experiment, flag_experiments.FlagExperiment) else experiment.label
        runs = _runs(exposures if rule else [one._replace(label="") for one in exposures])
        if len(runs) > 2:
            return Assigned(unmet=_excluded(runs))
        spans = [
            Span(one.treatment, one.label, one.first - BUFFER_MS, _end(one, runs[index + 1 :]))
            for index, one in enumerate(runs)
            if one.label == rule or not rule
        ]
        if runs and not spans:
            return Assigned(unmet=_other_rule(runs[-1].label, rule))
        return Assigned(tuple(spans), remark=_switched(*runs) if len(runs) == 2 else None)


COUNTING = SplitCounting()


# ---- one key's impressions


def _runs(exposures: Sequence[Exposure]) -> list[Run]:
    runs = []
    for (label, treatment), group in groupby(exposures, lambda one: (one.label, one.variation)):
        moments = [one.at for one in group]
        runs.append(Run(label, treatment, moments[0], moments[-1]))
    return runs


def _end(run: Run, following: Sequence[Run]) -> int:
    """Return the last moment that counts: shortly after the next rule's first impression, or as long as this one's are kept."""
    kept = run.last + RETENTION_MS
    return min(kept, following[0].first + BUFFER_MS) if following else kept


def _told(run: Run) -> str:
    return f"{run.treatment!r} by {run.label!r}"


def _excluded(runs: Sequence[Run]) -> Unmet:
    first, second, third, *_ = runs
    text = (
        f"the key switched its rule or treatment {len(runs) - 1} times, and may once: it had {_told(first)}, "
        f"{_told(second)}, {_told(third)}{' and others' if len(runs) > 3 else ''}"
    )
    fix = "evaluate the flag with the same attributes of a key every time, and give each person a key of their own"
    return Unmet("excluded", "split.counting.excluded", text, "$.label", fix)


def _switched(former: Run, latter: Run) -> Unmet:
    text = (
        f"the key had {_told(former)} and then {_told(latter)}: for 15 minutes before and after the switch its events "
        "count for both, and a second switch would leave all of them out"
    )
    fix = "evaluate the flag with the same attributes of a key every time"
    return Unmet("switched", "split.counting.switch-once", text, "$.label", fix)


def _other_rule(label: str, rule: str) -> Unmet:
    if label == KILLED:
        text, fix = "the key had its treatment while the flag was killed", "restore the flag"
    elif not label:
        text = "the key's impressions name no rule, so that no experiment has them"
        fix = "switch the SDK's labels on (labelsEnabled)"
    else:
        text = f"the key had its treatment by the rule {label!r}, and the experiment is about {rule!r}"
        fix = f"set the experiment's rule to {label!r}, or evaluate the flag for a key that meets {rule!r}"
    return Unmet("not-included", "split.counting.rule-label", text, "$.label", fix)
