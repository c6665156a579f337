"""What a workspace says about Split's metrics and experiments. The field names are those of the v4 API in snake case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class PropertyFilter:
    """What a metric asks of a property of its events (split.counting.filters).

    Attributes:
        property: its name.
        operator: such as ``IN`` or ``MATCHES``.
        values: what it is compared with; none for ``EXISTS`` and ``NOT_EXISTS``.
    """

    property: str
    operator: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class BaseEventType:
    """The events that a metric takes.

    Attributes:
        event_type_id: their event type.
        property_for_value: the property that holds the number; empty for the event's own value.
        property_filters: all of which an event has to pass.
    """

    event_type_id: str
    property_for_value: str = ""
    property_filters: tuple[PropertyFilter, ...] = ()


Aggregation = Literal["COUNT", "TOTAL", "AVERAGE", "RATE"]
Format = Literal["NUMBER", "DOLLAR", "PERCENTAGE", "SECONDS", "MILLISECONDS", "BYTES"]
Status = Literal["ACTIVE", "PAUSED", "COMPLETED", "ARCHIVED"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric (split.counting.metric-types).

    Attributes:
        traffic_type: whose keys it is about.
        aggregation: how a key's events add up: how many (``COUNT``), the sum or the average of their values, or whether
            there is one (``RATE``).
        base_event_types: the events that it takes.
        event_type: the same in short.
        property_for_value: of ``event_type``: the property that holds the number; empty for the event's own value.
        filter_event_type: a second event, which is not emulated: it is refused.
        trigger_event_type: the same for one that has to come before.
        is_positive: whether more of it is better.
        format: how its value is shown.
        category: whether it is a guardrail, which every experiment has (split.counting.experiment).
        description: what it is for.
    """

    traffic_type: str = "user"
    aggregation: Aggregation = "COUNT"
    base_event_types: tuple[BaseEventType, ...] = ()
    event_type: str = ""
    property_for_value: str = ""
    filter_event_type: Any = None
    trigger_event_type: Any = None
    is_positive: bool = True
    format: Format = "NUMBER"
    category: Literal["none", "guardrail"] = "none"
    description: str = ""

    @property
    def events(self) -> tuple[BaseEventType, ...]:
        """The events that it takes, however they are written."""
        short = (BaseEventType(self.event_type, self.property_for_value),) if self.event_type else ()
        return self.base_event_types or short


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment on a flag (split.counting.experiment).

    Attributes:
        flag: whose treatments it compares.
        environment: where; empty for the first one.
        rule: the label of the rule whose impressions count (split.counting.rule-label).
        baseline_treatment: what the others are compared with; empty for the flag's default treatment.
        comparison_treatments: the others; none for all that the rule serves.
        key_metrics: its metrics; where neither these nor others are named, every metric of the flag's traffic type.
        supporting_metrics: further ones.
        start_at: ISO 8601; empty for always.
        end_at: ISO 8601; empty while it goes on.
        status: only an active one goes on; of another one what came until its end counts.
        hypothesis: what it is to show.
    """

    flag: str
    environment: str = ""
    rule: str = "default rule"
    baseline_treatment: str = ""
    comparison_treatments: tuple[str, ...] = ()
    key_metrics: tuple[str, ...] = ()
    supporting_metrics: tuple[str, ...] = ()
    start_at: str = ""
    end_at: str = ""
    status: Status = "ACTIVE"
    hypothesis: str = ""
