"""What Statsig's console shows of events: counts and units by day, the log stream, values of metrics, exposures by day. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import Any

from trackside.counting.filters import fact
from trackside.counting.model import Event, Exposure, Metric
from trackside.statsig.counting import COUNTING, DAY_MS, PRODUCTION, StatsigExperiment
from trackside.statsig.metrics import AUTO, metric_id
from trackside.steps import Record

OVERALL = "overall"
"""The unit type of a value that counts events whoever they are of (statsig.console.metric-values)."""

STREAMED = 100
"""Events that the log stream shows."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def day_of(moment: int, offset: int) -> str:
    """Return the day of a moment, such as ``2026-11-22`` (statsig.counting.day); empty outside the years 1 to 9999.

    Args:
        moment: epoch milliseconds.
        offset: milliseconds that the project's days are ahead of UTC.

    >>> day_of(1795338000000, 0), day_of(1795338000000, -10 * 3600000)
    ('2026-11-22', '2026-11-21')
    """
    try:
        return (_EPOCH + timedelta(milliseconds=moment + offset)).date().isoformat()
    except OverflowError:
        return ""


def events_of(records: Iterable[Record]) -> Iterable[Event]:
    """Yield the custom events among records."""
    return (told for record in records if "kind" not in record for told in COUNTING.read(record, 0) if isinstance(told, Event))  # fmt: skip


# ---- Metrics, events by day


def events_by_day(records: Iterable[Record], unit_type: str, environment: str, offset: int) -> list[dict[str, Any]]:
    """Return a row for each event name: how often it came, and of how many units, in all and by day (statsig.metrics.view).

    Args:
        records: what Statsig keeps.
        unit_type: the ID type whose units are counted.
        environment: the tier; empty for all.
        offset: milliseconds that the project's days are ahead of UTC.

    Returns:
        ``{"event", "metric", "unit_type", "count", "dau", "days": {"2026-11-22": {"count", "dau"}}}``, by name; ``dau``
        are units, events without an id of the type have none.
    """
    days: dict[str, dict[str, _Day]] = {}
    for one in events_of(records):
        if environment in ("", one.environment):
            days.setdefault(one.name, {}).setdefault(day_of(one.at, offset), _Day()).add(one.units.get(unit_type))
    return [_row(name, unit_type, days[name]) for name in sorted(days)]


class _Day:
    """The events of one name on one day."""

    def __init__(self) -> None:
        self.count = 0
        self.units: set[str] = set()

    def add(self, unit: str | None) -> None:
        self.count += 1
        if unit:
            self.units.add(unit)


def _row(name: str, unit_type: str, days: Mapping[str, _Day]) -> dict[str, Any]:
    head = {"event": name, "metric": metric_id(name, AUTO), "unit_type": unit_type}
    return {
        **head,
        "count": sum(one.count for one in days.values()),
        "dau": len(set().union(*(one.units for one in days.values()))),
        "days": {day: {"count": days[day].count, "dau": len(days[day].units)} for day in sorted(days)},
    }


# ---- the log stream


def log_stream(
    latest_first: Iterable[Record], limit: int | None = STREAMED, *, all_environments: bool = False
) -> list[dict[str, Any]]:
    """Return the last custom events, the latest first (statsig.metrics.log-stream).

    Args:
        latest_first: what Statsig keeps.
        limit: of events; None for all.
        all_environments: whether those of other tiers than production are shown too.

    Returns:
        ``{"timestamp" (epoch milliseconds), "event", "userID", "user", "value", "metadata", "environment", "source"}``;
        the source is the SDK with its version, such as ``segment v1.0``.
    """
    shown = (one for one in events_of(latest_first) if all_environments or one.environment == PRODUCTION)
    return [_streamed(one) for one in islice(shown, limit)]


def _streamed(one: Event) -> dict[str, Any]:
    record = one.record
    sdk = record["statsigMetadata"]
    version = f" v{sdk['sdkVersion']}" if sdk.get("sdkVersion") else ""
    return {
        "timestamp": record["time"],
        "event": record["eventName"],
        "userID": record["user"].get("userID") or "",
        "user": {key: value for key, value in record["user"].items() if key != "userID"},
        "value": record["value"],
        "metadata": record["metadata"],
        "environment": one.environment,
        "source": f"{sdk.get('sdkType', '')}{version}".strip(),
    }


# ---- values of metrics on a day


def values_on(
    records: Iterable[Record], metrics: Sequence[Metric], date: str, unit_types: Sequence[str], offset: int
) -> list[dict[str, Any]]:
    """Return what metrics come to on one day in production, by ID type and overall (statsig.console.metric-values).

    Args:
        records: what Statsig keeps.
        metrics: the declared ones; each event that came has its own besides.
        date: such as ``2026-11-22``.
        unit_types: of the project.
        offset: milliseconds that the project's days are ahead of UTC.

    Returns:
        Rows as the Console API has them: ``value``, ``unitType``, ``numerator``, ``denominator``, ``metricName``,
        ``metricType``; none for a metric without events. Metrics that count units or days have no overall value.
    """
    events = [one for one in events_of(records) if one.environment == PRODUCTION and day_of(one.at, offset) == date]
    names = sorted({one.name for one in events})
    auto = [Metric(metric_id(name, AUTO), name, tuple(unit_types), "count", AUTO) for name in names]
    declared = {one.key for one in metrics}
    sums: dict[tuple[str, str], _Sum] = {}
    for metric in [*metrics, *(one for one in auto if one.key not in declared)]:
        _add_up(metric, (one for one in events if one.name == metric.event), sums)
    return [_value_row(key, unit_type, one) for (key, unit_type), one in sums.items()]


class _Sum:
    """What a metric comes to on one day for one ID type."""

    def __init__(self, measure: str) -> None:
        self.measure = measure
        self.count, self.total = 0, 0.0
        self.units: set[str] = set()

    @property
    def value(self) -> float:
        if self.measure in ("days", "conversion"):
            return len(self.units)
        if self.measure == "count":
            return self.count
        return self.total / self.count if self.measure == "mean" else self.total


def _add_up(metric: Metric, events: Iterable[Event], sums: dict[tuple[str, str], _Sum]) -> None:
    overall = {} if metric.measure in ("days", "conversion") else {OVERALL: ""}
    for event in events:
        told = fact(metric, event.record)
        if told is None or told is False:
            continue
        ids = {key: unit for key, unit in event.units.items() if key in metric.units}
        for unit_type, unit in {**overall, **ids}.items():
            found = sums.setdefault((metric.key, unit_type), _Sum(metric.measure))
            found.count += 1
            found.total += 0 if told is True else told
            found.units.add(unit)


def _value_row(key: str, unit_type: str, one: _Sum) -> dict[str, Any]:
    name, _, kind = key.rpartition("::")
    head = {"value": one.value, "unitType": unit_type, "numerator": None, "denominator": None}
    return {**head, "metricName": name, "metricType": kind}


# ---- exposures


def exposure_count(
    records: Iterable[Record], names: Sequence[str], of: Sequence[str], now: int
) -> list[dict[str, Any]]:
    """Return how many exposures each name had in the past day and in seven days (statsig.console.exposure-counts).

    Args:
        records: what Statsig keeps.
        names: of gates, experiments or dynamic configs.
        of: what exposures are of: ``gate``, or ``config`` and ``layer``, whose experiment counts.
        now: epoch milliseconds.
    """
    found: dict[str, dict[str, Any]] = {name: {"id": name, "pastDay": 0, "past7Days": 0} for name in names}
    for record in records:
        if record.get("kind") != "exposure" or record["exposure"]["of"] not in of:
            continue
        seen, age = record["exposure"], now - record["time"]
        row = found.get(seen["name"] if seen["of"] != "layer" else seen.get("experiment", ""))
        if row is not None and age <= 7 * DAY_MS:
            row["past7Days"] += 1
            row["pastDay"] += age <= DAY_MS
    return list(found.values())


def cumulative_exposures(records: Iterable[Record], experiment: StatsigExperiment, now: int) -> list[dict[str, Any]]:
    """Return how many units each group had seen by the end of each day, from that of the first exposure on (statsig.console.exposure-counts).

    Args:
        records: what Statsig keeps.
        experiment: in production.
        now: epoch milliseconds; the last day.
    """
    offset, seen = experiment.day_offset, _first_seen(records, experiment)
    by_group = {key: [(moment + offset) // DAY_MS for moment in units.values()] for key, units in seen.items()}
    every = [day for found in by_group.values() for day in found]
    days = range(min(every), max(*every, (now + offset) // DAY_MS) + 1) if every else range(0)
    return [
        {"groupID": one.key, "groupName": one.name, "results": _cumulated(by_group[one.key], days)}
        for one in experiment.variations
    ]


def _cumulated(seen: Sequence[int], days: range) -> list[dict[str, Any]]:
    new, total, rows = Counter(seen), 0, []
    for day in days:
        total += new[day]
        rows.append({"date": day_of(day * DAY_MS, 0), "exposures": total})
    return rows


def _first_seen(records: Iterable[Record], experiment: StatsigExperiment) -> dict[str, dict[str, int]]:
    """Return when each unit was first seen in each group, by group and unit."""
    known = {one.key for one in experiment.variations}
    exposures: dict[str, list[Exposure]] = {}
    for record in records:
        for one in COUNTING.read(record, 0) if record.get("kind") == "exposure" else ():
            if isinstance(one, Exposure) and _is_of(one, experiment) and one.variation in known:
                exposures.setdefault(one.unit, []).append(one)
    found: dict[str, dict[str, int]] = {key: {} for key in known}
    for unit, seen in exposures.items():
        ordered = sorted(seen, key=lambda one: one.at)
        for span in COUNTING.assigned(experiment, ordered).spans:
            found[span.variation][unit] = next(
                one.at for one in ordered if (one.variation, one.label) == (span.variation, span.label)
            )
    return found


def _is_of(one: Exposure, experiment: StatsigExperiment) -> bool:
    return (
        one.name == experiment.exposed_by
        and one.unit_type == experiment.unit
        and one.environment == experiment.environment
        and any(period.holds(one.at) for period in experiment.periods)
    )
