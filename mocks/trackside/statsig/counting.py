"""How Statsig counts: which exposures and events join, by which unit, and from when on.

What is here follows Statsig Cloud; Warehouse Native differs. Pure, but for the live state of specs and of the Console API.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from trackside import catalog
from trackside.counting.model import (
    Assigned,
    Condition,
    Event,
    Experiment,
    Exposure,
    Metric,
    Period,
    Read,
    Span,
    Unmet,
    Variation,
    Words,
)
from trackside.errors import TracksideError
from trackside.statsig import experiments as console_experiments
from trackside.statsig.changes import SERVED
from trackside.statsig.metrics import Row, counted, declared_rows, resolved
from trackside.statsig.short import project_of
from trackside.statsig.units import EVERYWHERE
from trackside.times import epoch_ms

if TYPE_CHECKING:
    from trackside.statsig.settings import StatsigSettings
    from trackside.statsig.specs import Spec, Specs
    from trackside.statsig.store import Statsig
    from trackside.steps import Record

PRODUCTION = "production"
"""The tier of what names none (statsig.counting.environment)."""

PASS, FAIL = "pass", "fail"
"""The groups of a gate that passes for a part of its units (statsig.counting.gates)."""

DAY_MS, HOUR_MS = 86_400_000, 3_600_000


@dataclass(frozen=True, slots=True)
class StatsigExperiment(Experiment):
    """One experiment, or a rule of a gate, in one tier.

    Attributes:
        join: ``date`` or ``timestamp`` (statsig.counting.exposure-first).
    """

    join: Literal["date", "timestamp"] = "date"


class StatsigCounting:
    """Statsig's `trackside.counting.model.Counting`."""

    words = Words("ID type", "group", "event name", "environment tier", "active")
    clock: Literal["arrived", "at"] = "at"
    grace = 0
    fans_out = False
    auto_metric = True
    """Whether an event that no metric is declared for counts all the same, as ``name::event_count``."""

    rules: ClassVar[Mapping[Condition, str]] = {
        "dropped": "statsig.in.metrics",
        "environment": "statsig.counting.environment",
        "event-key-blanks": "statsig.counting.event-name",
        "event-key-case": "statsig.counting.event-name",
        "event-key-prefix": "statsig.counting.event-name",
        "event-key-underscores": "statsig.counting.event-name",
        "excluded": "statsig.counting.overrides",
        "flag": "statsig.counting.gates",
        "id-blanks": "statsig.counting.unit",
        "id-case": "statsig.counting.unit",
        "id-of-other-type": "statsig.counting.unit",
        "id-prefix": "statsig.counting.unit",
        "id-type-unknown": "statsig.in.id-type-known",
        "metric-attached": "statsig.in.metrics",
        "metric-event": "statsig.counting.auto-metrics",
        "metric-filter": "statsig.counting.criteria",
        "metric-kind": "statsig.counting.metric-types",
        "metric-unit": "statsig.counting.unit",
        "metric-value": "statsig.counting.metric-value",
        "not-exposed": "statsig.counting.exposure-first",
        "not-included": "statsig.counting.groups",
        "before-exposure": "statsig.counting.exposure-first",
        "outside-iteration": "statsig.counting.period",
        "recording": "statsig.counting.period",
        "switched": "statsig.counting.crossover",
        "unit-type": "statsig.counting.unit",
        "unknown-id": "statsig.counting.unit",
    }

    # ---- records

    def read(self, record: Record, arrived: int) -> Read:
        """Yield a custom event with all its ids, or an exposure for each id of its user; nothing for other records."""
        kind = record.get("kind")
        if kind is None:
            user = record["user"]
            yield Event(_tier(user), record["eventName"], _ids(user, record), record["time"], arrived, record)
        elif kind == "exposure":
            seen = record["exposure"]
            user, at, label = record["user"], record["time"], seen["ruleID"]
            tier, told = _tier(user), _told(seen)
            for unit_type, unit in _ids(user, record).items():
                yield Exposure(tier, told[0], unit_type, unit, told[1], label, True, at, arrived)

    def posted(self, item: Mapping[str, Any]) -> tuple[str, str]:
        """Return the name of an event as it was posted, and its user's ID."""
        name, user = item.get("eventName"), item.get("user")
        unit = user.get("userID") if isinstance(user, dict) else None
        return name if isinstance(name, str) else "", unit if isinstance(unit, str) else ""

    # ---- what is declared

    def metrics(self, settings: StatsigSettings, live: Statsig | None) -> Sequence[Metric]:
        """Return the declared metrics, one for each event that they take; see `metric_rows`."""
        return [
            metric
            for key, row in sorted(metric_rows(settings, live).items())
            for metric in counted(key, _with_every_unit(row, settings, live), _metric_place(key, row, settings, live))
        ]

    def experiments(self, settings: StatsigSettings, live: Statsig | None) -> Sequence[Experiment]:
        """Return the experiments, and the gates of which a rule passes for a part of its units; one for each tier."""
        specs = live.all_specs if live is not None else project_of(settings).specs
        found = [
            *(one for spec in specs.of("experiment").values() for one in _experiments(spec, settings, live)),
            *(one for spec in specs.of("gate").values() for one in _gates(spec, specs, settings)),
        ]
        return sorted(found, key=lambda one: (one.key, one.environment != PRODUCTION, one.environment))

    def unit_types(self, settings: StatsigSettings, live: Statsig | None) -> Sequence[str]:
        """Return the ID types of the project (statsig.in.id-type-known)."""
        return unit_types(settings, live)

    def assigned(self, experiment: Experiment, exposures: Sequence[Exposure]) -> Assigned:
        """Return a span for each group that a unit was seen in, which none ends (statsig.counting.crossover).

        A unit whose first exposure an override controls is left out; one that comes later changes nothing in the results
        (statsig.counting.overrides).
        """
        first = exposures[0]
        if is_override(first.label):
            return Assigned(unmet=_overridden(first))
        spans: dict[str, Span] = {}
        later = None
        for one in exposures:
            if is_override(one.label):
                later = later or one
            elif one.variation not in spans:
                spans[one.variation] = Span(one.variation, one.label, joined_from(experiment, one.at))
        remark = _switched(experiment, list(spans)) if len(spans) > 1 else later and _overridden_later(later, first)
        return Assigned(tuple(spans.values()), remark=remark)


COUNTING = StatsigCounting()


# ---- records


def _tier(user: Mapping[str, Any]) -> str:
    environment = user.get("statsigEnvironment")
    tier = environment.get("tier") if environment and isinstance(environment, dict) else None
    return tier if tier and isinstance(tier, str) else PRODUCTION


def _ids(user: Mapping[str, Any], record: Record) -> dict[str, str]:
    """Return the ids of a user by ID type; a stable ID comes with what client SDKs tell of themselves too."""
    custom = user.get("customIDs")
    ids = {key: one for key, one in custom.items() if one and isinstance(one, str)} if custom else {}
    if user_id := user.get("userID"):
        ids["userID"] = user_id
    stable = record["statsigMetadata"].get("stableID")
    if stable and isinstance(stable, str):
        ids["stableID"] = stable
    return ids


_KNOWN = ("", "")
"""What an exposure tells that is of no experiment: that its unit is known."""


def _told(seen: Mapping[str, Any]) -> tuple[str, str]:
    """Return what was seen and the group; `_KNOWN` where nobody can tell, as of a layer that allocates no experiment."""
    of = seen["of"]
    if of == "gate":
        value = seen.get("value")
        return (seen["name"], PASS if value else FAIL) if value is not None else _KNOWN
    name = seen["name"] if of == "config" else seen.get("experiment")
    return (name, group_key(seen)) if name else _KNOWN


def group_key(seen: Mapping[str, Any]) -> str:
    """Return the group of an exposure to an experiment: its rule's ID, of an override what stands before the ID type.

    >>> group_key({"ruleID": "test:userID:id_override"}), group_key({"ruleID": "", "group": "test"})
    ('test', 'test')
    """
    rule_id: str = seen["ruleID"]
    return rule_id.partition(":")[0] if is_override(rule_id) else rule_id or seen.get("group") or ""


def is_override(label: str) -> bool:
    """Return whether a rule's ID is that of an override."""
    return label.endswith("override")


# ---- units, days


def unit_types(settings: StatsigSettings, live: Statsig | None) -> list[str]:
    """Return the ID types of the project: those that every one has, those of the workspace and of the Console API."""
    made = live.console.get("unit_id_types", {}) if live is not None else {}
    found = dict.fromkeys([*EVERYWHERE, *settings.id_types, *made])
    return [name for name in found if made.get(name, "declared") is not None]


def day_offset(settings: StatsigSettings) -> int:
    """Return how many milliseconds the project's days are ahead of UTC (statsig.counting.day)."""
    return round(settings.day_utc_offset * HOUR_MS)


def joined_from(experiment: Experiment, moment: int) -> int:
    """Return from when on a unit's events count that was exposed at a moment (statsig.counting.exposure-first)."""
    if not isinstance(experiment, StatsigExperiment) or experiment.join == "timestamp":
        return moment
    return moment - (moment + experiment.day_offset) % DAY_MS


# ---- metrics


def metric_rows(settings: StatsigSettings, live: Statsig | None) -> dict[str, Row]:
    """Return the declared metrics by ID, as the Console API has them; those that it made, and changed, too."""
    made: Mapping[str, Row | None] = live.console.get("metrics", {}) if live is not None else {}
    return {key: row for key, row in {**declared_rows(settings), **made}.items() if row is not None}


def _with_every_unit(row: Row, settings: StatsigSettings, live: Statsig | None) -> Row:
    """Return a metric with its unit types: one that is named after its event has all where it names none."""
    return row if row["unitTypes"] else {**row, "unitTypes": unit_types(settings, live)}


def _metric_place(key: str, row: Row, settings: StatsigSettings, live: Statsig | None) -> str:
    if live is not None and key in live.console.get("metrics", {}):
        return f"/console/v1/metrics/{key}"
    return catalog.json_path(["statsig", "metrics", row["name"]]) if row["name"] in settings.metrics else ""


# ---- experiments


def _experiments(spec: Spec, settings: StatsigSettings, live: Statsig | None) -> Iterator[Experiment]:
    name, declared = spec["name"], settings.experiments.get(spec["name"], {})
    kept = live.console.get("experiment", {}).get(name, {}) if live is not None else {}
    status = str(kept.get("status") or ("active" if spec.get("isActive") else "setup"))
    period = period_of(kept, declared, status)
    for tier in dict.fromkeys((PRODUCTION, *declared.get("environments", ()))):
        yield StatsigExperiment(
            "statsig",
            name,
            tier,
            name,
            spec["idType"],
            variations_of(spec),
            None,
            (period,) if period is not None else (),
            status,
            problems=tuple(_problems(spec, _scorecard(kept, declared), settings, live)),
            place=catalog.json_path(["statsig", "experiments", name])
            if declared
            else f"/console/v1/experiments/{name}",
            join=settings.exposure_join,
            day_offset=day_offset(settings),
        )


def period_of(kept: Mapping[str, Any], declared: Mapping[str, Any], status: str) -> Period | None:
    """Return when an experiment was active, or None where it was not started (statsig.counting.period).

    Args:
        kept: what the Console API keeps of it: ``startTime`` and ``endTime`` where it started or ended it.
        declared: as the workspace has it.
        status: of it.
    """
    start, end = _moment(declared.get("start_time")), _moment(declared.get("end_time"))
    if "startTime" in kept:
        started, start, end = kept["startTime"] is not None, kept["startTime"], None
    else:
        started = status == "active" or declared.get("active", True)
    if status == "setup" or not started:
        return None
    return Period(start, kept.get("endTime") or end)


def _moment(text: str | None) -> int | None:
    return epoch_ms(text, 0) if text else None


def variations_of(spec: Spec) -> tuple[Variation, ...]:
    """Return the groups of an experiment; nobody says their shares while one is served to everyone, or chosen by hand."""
    forced = any(row["name"] == SERVED and not is_override(str(row["id"])) for row in spec["rules"])
    rows = console_experiments.groups(spec)
    return tuple(Variation(row["id"], row["name"], 0.0 if forced else row["size"] / 100) for row in rows)


def _scorecard(kept: Mapping[str, Any], declared: Mapping[str, Any]) -> list[str]:
    """Return the primary and secondary metrics of an experiment, by name or ID."""
    if "primaryMetrics" in kept or "secondaryMetrics" in kept:
        rows = [*kept.get("primaryMetrics", ()), *kept.get("secondaryMetrics", ())]
        return [f"{row['name']}::{row['type']}" for row in rows]
    return [*declared.get("primary_metrics", ()), *declared.get("secondary_metrics", ())]


def _problems(spec: Spec, scorecard: Sequence[str], settings: StatsigSettings, live: Statsig | None) -> Iterator[Unmet]:
    place, unit = catalog.json_path(["statsig", "experiments", spec["name"]]), spec["idType"]
    if not spec["enabled"]:
        text, fix = "the experiment is disabled: everyone gets its default value", "enable it"
        yield Unmet("recording", "statsig.counting.period", text, place, fix)
    known = unit_types(settings, live)
    if unit not in known:
        text, fix = (
            f"the project has no ID type {unit}",
            f"declare it under statsig.id_types; known are: {', '.join(known)}",
        )
        yield Unmet("id-type-unknown", "statsig.in.id-type-known", text, place, fix)
    rows = metric_rows(settings, live)
    for asked in scorecard:
        yield from _scorecard_problem(asked, unit, rows, place)


def _scorecard_problem(asked: str, unit: str, rows: Mapping[str, Row], place: str) -> Iterator[Unmet]:
    try:
        key = resolved(asked, rows)
    except TracksideError as fault:
        yield Unmet("metric-event", "statsig.counting.auto-metrics", fault.what, place, fault.fix)
        return
    row = rows.get(key, {"unitTypes": []})
    if row["unitTypes"] and unit not in row["unitTypes"]:
        text = f"the metric {key} is analyzed by {', '.join(row['unitTypes'])}, and the experiment divides up {unit}"
        yield Unmet("metric-unit", "statsig.counting.unit", text, place, f"add {unit} to the metric's unit types")


# ---- gates


def _gates(spec: Spec, specs: Specs, settings: StatsigSettings) -> Iterator[Experiment]:
    """Yield each rule of a gate that passes for a part of its units, as an experiment of ``pass`` and ``fail``."""
    name = spec["name"]
    partial = [row for row in spec["rules"] if 0 < row["passPercentage"] < 100]
    place = catalog.json_path(["statsig", "gates", name]) if name in settings.gates else f"/console/v1/gates/{name}"
    for row in partial if specs.feature_gates[name].get("entity") != "holdout" else ():
        share = row["passPercentage"] / 100
        yield StatsigExperiment(
            "statsig",
            name if len(partial) == 1 else f"{name}:{row['id']}",
            PRODUCTION,
            name,
            spec["idType"],
            (Variation(PASS, PASS, share), Variation(FAIL, FAIL, 1 - share)),
            None,
            (Period(),) if spec["enabled"] else (),
            "In Progress" if spec["enabled"] else "Disabled",
            row["id"],
            () if spec["enabled"] else (_disabled(name, place),),
            place,
            day_offset(settings),
            implied=True,
            join=settings.exposure_join,
        )


def _disabled(name: str, place: str) -> Unmet:
    return Unmet("flag", "statsig.counting.gates", f"the gate {name} is disabled: nobody passes", place, "enable it")


# ---- what is told


def _overridden(first: Exposure) -> Unmet:
    text = f"the first exposure of {first.unit_type} {first.unit} was controlled by an override ({first.label})"
    fix = "take the override away and let the unit fall into its group, or look at another unit"
    return Unmet("excluded", "statsig.counting.overrides", text, "$.metadata.ruleID", fix)


def _overridden_later(later: Exposure, first: Exposure) -> Unmet:
    text = f"an override put {later.unit_type} {later.unit} into {later.variation} after it was seen in {first.variation}, for which its events still count"
    fix = "set overrides before the experiment starts"
    return Unmet("switched", "statsig.counting.overrides", text, "$.metadata.ruleID", fix)


def _switched(experiment: Experiment, groups: Sequence[str]) -> Unmet:
    names = ", ".join(experiment.named(group) for group in groups)
    text, fix = (
        f"the unit was seen in {len(groups)} groups ({names}) and counts in each",
        "find out why it crosses over",
    )
    return Unmet("switched", "statsig.counting.crossover", text, "", fix)
