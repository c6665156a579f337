"""What is joined: metrics, experiments, exposures and metric events, in one form for all vendors. Pure data.

Moments are epoch milliseconds throughout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from trackside.errors import sentences
from trackside.steps import Record

Measure = Literal["conversion", "count", "sum", "mean", "days"]
"""How a metric adds up a unit's events.

``conversion``: 1 where there is one; ``count``: how many; ``sum`` and ``mean``: of their values; ``days``: on how many days.
"""

Condition = Literal[
    "dropped",
    "environment",
    "event-key-blanks",
    "event-key-case",
    "event-key-prefix",
    "event-key-underscores",
    "excluded",
    "flag",
    "id-blanks",
    "id-case",
    "id-of-other-type",
    "id-prefix",
    "id-type-unknown",
    "metric-attached",
    "metric-event",
    "metric-filter",
    "metric-kind",
    "metric-unit",
    "metric-value",
    "not-exposed",
    "not-included",
    "before-exposure",
    "outside-window",
    "outside-iteration",
    "recording",
    "sample-ratio",
    "switched",
    "unit-type",
    "unknown-id",
]
"""What an event has to meet, named after how it fails; `trackside.counting.conditions` says what each means."""


@dataclass(frozen=True, slots=True)
class Unmet:
    """One condition that an event, or an experiment as it is wired, does not meet.

    Attributes:
        condition: which.
        rule: the id of the vendor's rule that asks for it, a row of `trackside.rules`.
        text: what was wrong, one clause, with the values.
        at: where: a JSON path in the record, or in the workspace.
        fix: the change that would make it count, one clause.
    """

    condition: Condition
    rule: str
    text: str
    at: str = ""
    fix: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, with the source and confidence of its rule."""
        from trackside.rules import RULES  # noqa: PLC0415 - only needed where somebody reads

        rule = RULES.get(self.rule)
        told = {name: getattr(self, name) for name in ("condition", "rule", "text", "at", "fix")}
        return {**told, "source": rule.origin if rule else "", "confidence": rule.confidence if rule else ""}

    def __str__(self) -> str:
        return sentences(f"{self.text} ({self.rule})", self.at, self.fix)


@dataclass(frozen=True, slots=True)
class Filter:
    """What a metric asks of an event's field.

    Attributes:
        path: of the field in the record, its keys in order.
        operator: ``in``, ``not in``, ``<``, ``<=``, ``>``, ``>=``, ``contains``, ``not contains``, ``starts with``,
            ``ends with``, ``matches`` (a regular expression), ``exists``, ``not exists``.
        values: what the field is compared with; text is compared as text, numbers as numbers.
        elsewhere: another path, where the field may stand instead.
    """

    path: tuple[str, ...]
    operator: str
    values: tuple[Any, ...] = ()
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        key: as the vendor's API and experiments name it.
        event: the name of the events that it takes, as the vendor keeps it; empty where it takes none.
        units: the context kinds, traffic types or ID types that it can be analysed by.
        measure: how a unit's events add up.
        kind: what the vendor calls it, such as ``custom conversion binary``.
        value: the path of the number in a record, for ``sum`` and ``mean``.
        filters: all of which an event has to pass.
        leave_out: whether units without the metric are left out of its mean; else they count as 0.
        pooled: of a ``mean``, whether it is that of all values; else that of the units' means.
        clicks: whether it takes only clicks and page views of a browser SDK, and no custom event.
        place: where it is declared: a JSON path in the workspace, or the API's path.
    """

    key: str
    event: str
    units: tuple[str, ...]
    measure: Measure
    kind: str
    value: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    leave_out: bool = False
    pooled: bool = False
    clicks: bool = False
    place: str = ""


@dataclass(frozen=True, slots=True)
class Variation:
    """One variation (LaunchDarkly), group (Statsig) or treatment (Split) of an experiment.

    Attributes:
        key: as exposures have it: an index, a rule ID, a treatment.
        name: as people know it.
        share: of the experiment's traffic, 0 to 1; 0 where nobody says.
    """

    key: str
    name: str
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Period:
    """A time in which an experiment records: an iteration, or a flag's version.

    Attributes:
        start: its first moment; None for always.
        end: when it ended; None while it goes on.
    """

    start: int | None = None
    end: int | None = None

    def holds(self, moment: int) -> bool:
        """Return whether a moment lies in it.

        >>> Period(10, 20).holds(20), Period(10).holds(20), Period(10).holds(9)
        (False, True, False)
        """
        return (self.start is None or moment >= self.start) and (self.end is None or moment < self.end)


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment.

    Attributes:
        vendor: whose.
        key: as the vendor names it.
        environment: whose exposures and events it has; empty where any count.
        exposed_by: what its exposures name: a flag, or the experiment itself.
        unit: the context kind, traffic type or ID type that it divides up.
        variations: those that are compared.
        metrics: the keys of those that are attached; None where every metric with its unit counts.
        periods: when it recorded, oldest first; none where it never did.
        status: in the vendor's word, such as ``running``.
        label: the rule whose exposures count, as exposures name it; empty for any.
        problems: why it gets no more exposures as it stands, such as a flag that is off; what it has still counts.
        place: where it is declared.
        day_offset: milliseconds that the project's days are ahead of UTC.
        implied: whether nobody declared it, and a flag or gate is one by its percentages: without an exposure it is none.
    """

    vendor: str
    key: str
    environment: str
    exposed_by: str
    unit: str
    variations: tuple[Variation, ...]
    metrics: tuple[str, ...] | None = None
    periods: tuple[Period, ...] = ()
    status: str = ""
    label: str = ""
    problems: tuple[Unmet, ...] = ()
    place: str = ""
    day_offset: int = 0
    implied: bool = False

    def recording(self, moment: int) -> bool:
        """Return whether it records at a moment."""
        return any(period.holds(moment) for period in self.periods)

    def named(self, key: str) -> str:
        """Return the name of a variation by its key; the key where there is none."""
        return next((one.name for one in self.variations if one.key == key), key)


class Exposure(NamedTuple):
    """Somebody was shown a variation, or was at least seen.

    Attributes:
        environment: as the vendor keeps it; Statsig's tier.
        name: the flag or experiment; empty for what only tells that a unit is known.
        unit_type: the context kind or ID type; empty where the flag says it, as Split's traffic type.
        unit: the id.
        variation: its key; see `Variation`.
        label: the rule that decided, as the vendor names it.
        included: whether the SDK says that it takes part in the experiment.
        at: when it happened, as the SDK says.
        arrived: when it came.
    """

    environment: str
    name: str
    unit_type: str
    unit: str
    variation: str
    label: str
    included: bool
    at: int
    arrived: int


class Event(NamedTuple):
    """A metric event as the vendor keeps it.

    Attributes:
        environment: as the vendor keeps it; Statsig's tier.
        name: its key, name or event type.
        units: its ids by context kind, traffic type or ID type.
        at: when it happened, as its sender says.
        arrived: when it came.
        record: the whole of it.
        clicked: whether it is a click or page view of a browser SDK.
    """

    environment: str
    name: str
    units: dict[str, str]
    at: int
    arrived: int
    record: Record
    clicked: bool = False


class Span(NamedTuple):
    """A time in which a unit's events count for one variation.

    Attributes:
        variation: its key.
        label: the rule that decided.
        start: the first moment, on the vendor's clock for it (see `Counting.clock`).
        end: the last moment; None while it goes on.
    """

    variation: str
    label: str
    start: int
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Assigned:
    """What an experiment makes of one unit's exposures.

    Attributes:
        spans: when its events count, and for which variation.
        unmet: why they never do: excluded, say.
        remark: what should be known although they do: a second variation that gets no credit, say.
    """

    spans: tuple[Span, ...] = ()
    unmet: Unmet | None = None
    remark: Unmet | None = None


Read: TypeAlias = "Iterator[Exposure | Event]"


@dataclass(frozen=True, slots=True)
class Words:
    """A vendor's words.

    Attributes:
        unit_type: what a unit's type is called: ``context kind``, ``traffic type``, ``ID type``.
        variation: ``variation``, ``treatment``, ``group``.
        event_name: ``event key``, ``event type``, ``event name``.
        environment: ``environment``, ``tier``.
        recording: what an experiment does that counts: ``recording``, ``running``, ``active``.
    """

    unit_type: str
    variation: str
    event_name: str
    environment: str
    recording: str


class Counting(Protocol):
    """How one vendor counts; each vendor's folder has one in ``counting.py``.

    Attributes:
        words: the vendor's.
        clock: whether the arrival or the moment of an event and exposure decides.
        grace: milliseconds after a period's end in which events still count.
        auto_metric: whether every event is a metric of itself, as at Statsig.
        fans_out: whether a message becomes an event for each of its ids, as at Split, so that a twin of another
            traffic type is no fault.
        rules: the id of the rule behind each condition.
    """

    words: Words
    clock: Literal["arrived", "at"]
    grace: int
    auto_metric: bool
    fans_out: bool
    rules: Mapping[Condition, str]

    def read(self, record: Record, arrived: int) -> Read:
        """Yield what a record that the vendor keeps tells: exposures of each of its ids, or an event; nothing for others."""

    def posted(self, item: Mapping[str, Any]) -> tuple[str, str]:
        """Return the name and an id of an event as it was posted, of one that the vendor drops; empty where it has none."""

    def metrics(self, settings: Any, live: Any) -> Sequence[Metric]:
        """Return the metrics, those that its API made too, in the order of their keys."""

    def experiments(self, settings: Any, live: Any) -> Sequence[Experiment]:
        """Return the experiments, those that its API made too, in the order of their keys."""

    def unit_types(self, settings: Any, live: Any) -> Sequence[str] | None:
        """Return the ID types or traffic types that the project declares; None where any can be used."""

    def assigned(self, experiment: Experiment, exposures: Sequence[Exposure]) -> Assigned:
        """Return what an experiment makes of one unit's exposures, all of which it includes, ordered by the vendor's clock."""


# ---- results


@dataclass(slots=True)
class MetricResult:
    """One metric in one variation.

    Attributes:
        metric: its key.
        measure: how a unit's events add up.
        units: units that have at least one event of it.
        events: that counted.
        total: of the units' values: conversions, events, sums, days; for ``mean`` the sum of all values.
        mean: as the vendor defines it; None where nothing divides it.
    """

    metric: str
    measure: Measure
    units: int = 0
    events: int = 0
    total: float = 0.0
    mean: float | None = None


@dataclass(slots=True)
class VariationResult:
    """One variation: ``units`` that were exposed and are not excluded, and each metric by its key."""

    variation: Variation
    units: int = 0
    metrics: dict[str, MetricResult] = field(default_factory=dict)
    by_day: dict[str, int] = field(default_factory=dict)
    """Units by the project's day of their first exposure, such as ``2026-11-22``."""


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """Whether the units are divided as the shares say.

    Attributes:
        statistic: chi-squared.
        p_value: how likely a deviation like this is by chance.
        deviation: the largest absolute difference between a variation's part and its share, 0 to 1.
        level: ``ok``, ``warning`` or ``alert``.
    """

    statistic: float
    p_value: float
    deviation: float
    level: Literal["ok", "warning", "alert"]


@dataclass(slots=True)
class Uncounted:
    """Events that did not count for one condition: how many, of how many units, and the first of them as an example."""

    unmet: Unmet
    events: int = 0
    units: int = 0


@dataclass(slots=True)
class ExperimentResult:
    """What an experiment has counted so far.

    Attributes:
        experiment: which.
        variations: in its order.
        sample_ratio: None where there is too little, or nobody says the shares.
        excluded: units by the condition for which all of theirs is left out.
        uncounted: events of its metrics, or of names near theirs, that did not count, by condition.
        events: of its metrics that it looked at, counted or not.
        counted: of these, that counted.
        recording: whether it records when the results are made.
        switched: units that count, and saw another variation too; None for none.
    """

    experiment: Experiment
    variations: list[VariationResult]
    sample_ratio: SampleRatio | None = None
    excluded: dict[Condition, int] = field(default_factory=dict)
    uncounted: dict[Condition, Uncounted] = field(default_factory=dict)
    events: int = 0
    counted: int = 0
    recording: bool = False
    switched: Uncounted | None = None
