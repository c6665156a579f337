"""Statsig experiments that are wired wrongly."""

from __future__ import annotations

from functools import partial
from typing import Any

from people import behind_a_blank, both_ids, by_email, company_id, people, prefixed, signed_out, upper
from shops import EVENT, EXPERIMENT, FLAG, Shop
from wirings import DROPPING, Plan, Wiring, destination, experiment, metric

VENDOR = "statsig"
NAME = "statsig.counting.event-name"
UNIT = "statsig.counting.unit"
PERIOD = "statsig.counting.period"
TIER = "statsig.counting.environment"
FIRST = "statsig.counting.exposure-first"
LETTERS = "letter for letter"
AS_WANTED = "send the event as"

wiring = partial(Wiring, VENDOR)

ORDER = metric(VENDOR, event="order")
BY_SDK = Plan(ORDER, order={"by": "sdk", "event": "order"})
BY_API = Plan(ORDER, order={"by": "api", "event": "order"})
BY_COMPANY = Plan(
    {
        VENDOR: {
            "id_types": ["companyID"],
            "experiments": {EXPERIMENT: {"id_type": "companyID"}},
            "metrics": {"orders": {"event": "order", "unit_types": ["companyID"]}},
        }
    },
    visit={"as_": company_id},
    order={"by": "sdk", "event": "order"},
)


def added_up(key: str, **more: Any) -> dict[str, Any]:
    """Return a workspace whose metric adds up a property of the orders."""
    row = {"name": f"segment::{EVENT}", "type": "metadata", "metadata_key": key}
    return metric(VENDOR, type="sum", event=None, metric_events=[row], **more)


def half_crash(shop: Shop) -> None:
    """Let only one of those in test come through; what the others see is never reported, and they do not order."""
    control = [one for one in shop.people if shop.saw[one] == "control"]
    shop.people = [*control, next(one for one in shop.people if shop.saw[one] == "test")]
    shop.visit()


def roll_out(shop: Shop) -> None:
    """Let almost everybody into test while the experiment goes on, and let them come back."""
    shop.lab.statsig.experiment(EXPERIMENT).serve({"control": 1, "test": 99})
    shop.visit()


def end(shop: Shop) -> None:
    """End the experiment by the Console API."""
    shop.lab.advance(60)
    shop.send("PUT", f"/console/v1/experiments/{EXPERIMENT}/abandon", {}, STATSIG_API_KEY="console-local")
    shop.lab.advance(60)


def gate(value: Any) -> dict[str, Any]:
    """Return a workspace with a gate in place of the experiment."""
    return {VENDOR: {"experiments": None, "gates": {FLAG: value}}}


WIRINGS = [
    # names of events
    wiring(
        *("the metric takes the name without Segment's prefix", "event-key-prefix", NAME, "segment::Order Completed"),
        Plan(metric(VENDOR, event=EVENT)),
    ),
    wiring("the event is in lower case", "event-key-case", NAME, AS_WANTED, Plan(order={"event": "order completed"})),
    wiring(
        *("the SDK logs the event with an underscore", "event-key-underscores", NAME, AS_WANTED),
        Plan(metric(VENDOR, event="order completed")),
        Plan(metric(VENDOR, event="order_completed")),
        Plan(order={"by": "sdk", "event": "order_completed"}),
    ),
    wiring(
        *("the event is posted with a blank behind it", "event-key-blanks", NAME, AS_WANTED),
        Plan(order={"event": "order "}),
        plan=BY_API,
    ),
    # ids
    wiring(
        *("the older SDK has ids in upper case", "id-case", UNIT, LETTERS),
        Plan(visit={"as_": upper}),
        plan=Plan(visit={"sdk": "legacy"}),
    ),
    wiring("the SDK has ids behind a blank", "id-blanks", UNIT, LETTERS, Plan(visit={"as_": behind_a_blank})),
    wiring("the SDK has ids behind a prefix", "id-prefix", UNIT, LETTERS, Plan(visit={"as_": prefixed})),
    wiring("the event has an address for an id", "unknown-id", UNIT, "the same id", Plan(order={"ids": by_email})),
    wiring(
        *("the event has an anonymousId and no userId", "unit-type", UNIT, "ID type userID"),
        Plan(order={"ids": signed_out}),
        Plan(order={"ids": both_ids}),
    ),
    wiring(
        *("the experiment divides up companies, and the event has none", "unit-type", UNIT, "ID type companyID"),
        Plan(),
        Plan(order={"as_": company_id}),
        BY_COMPANY,
    ),
    wiring(
        *("the event has only an ID type that nobody declared", "id-type-unknown", "statsig.in.id-type-known"),
        *("declare it", Plan(order={"as_": company_id})),
        plan=BY_SDK,
        also=["unit-type"],
    ),
    # metrics
    wiring(
        *("the metric is analysed by companies", "metric-unit", UNIT, "add userID"),
        Plan(added_up("revenue", unit_types=["companyID"])),
        Plan(added_up("revenue", unit_types=["companyID", "userID"])),
        Plan({VENDOR: {"id_types": ["companyID"]}}),
        verdict="",
    ),
    wiring(
        *("the metric adds up a property that no event has", "metric-value", "statsig.counting.metric-value"),
        *("send a number", Plan(added_up("amount")), Plan(added_up("revenue"))),
        verdict="",
    ),
    # the experiment
    wiring("the experiment was not started", "recording", PERIOD, "start it", Plan(experiment(VENDOR, active=False))),
    wiring(
        *("the experiment had ended", "outside-iteration", PERIOD, "while the experiment is on"),
        Plan(experiment(VENDOR, end_time="2026-01-01T00:00:00Z")),
    ),
    wiring(
        *("the experiment is abandoned before people order", "outside-iteration", PERIOD, "while the experiment is on"),
        Plan(between=end),
    ),
    wiring(
        *("nobody is allocated", "not-included", "statsig.counting.groups", "in its allocation"),
        Plan(experiment(VENDOR, allocation=0)),
    ),
    wiring(
        *("everybody is overridden", "excluded", "statsig.counting.overrides", "take the override away"),
        Plan(experiment(VENDOR, users={"test": [one.user_id for one in people(12)]})),
    ),
    wiring(
        *("one group crashes before it is reported", "sample-ratio", "statsig.counting.sample-ratio", "not reported"),
        Plan(between=half_crash),
        Plan(between=lambda shop: shop.visit()),
        Plan(visit={"log_exposure": False}),
        people=30,
        verdict="",
    ),
    wiring(
        *("the gate is disabled", "flag", "statsig.counting.gates", "enable it"),
        Plan(gate({"pass": 50, "enabled": False})),
        Plan(gate(50)),
        Plan(visit={"gate": True}),
        also=["recording"],
        experiment=FLAG,
    ),
    # tiers
    wiring("the SDK runs in staging", "environment", TIER, "production", Plan(visit={"tier": "staging"})),
    wiring(
        *("the events come from staging", "environment", TIER, "production"),
        Plan(order={"tier": "staging"}),
        plan=BY_SDK,
    ),
    wiring(
        *("the SDK runs in a staging that the experiment is enabled for", "environment", TIER, "production"),
        Plan(visit={"tier": "staging"}),
        plan=Plan(experiment(VENDOR, environments=["staging"])),
    ),
    # on the way
    wiring("a filter drops the event", "dropped", "segment.filter.drop", "switch the filter off", Plan(DROPPING)),
    wiring(
        *("Statsig's event filtering leaves the event out", "dropped", "statsig.in.filter", ""),
        Plan({VENDOR: {"segment_inbound": {"refuse_events": [EVENT]}}}),
    ),
    wiring(
        *("the name has a character that Statsig drops", "dropped", "statsig.in.name-characters", "rename"),
        Plan(metric(VENDOR, event="segment::Order; Completed"), order={"event": "Order; Completed"}),
        Plan(metric(VENDOR, event="segment::Order, Completed"), order={"event": "Order, Completed"}),
    ),
    wiring(
        *("the integration is not enabled", "dropped", "statsig.in.enabled", "enable it"),
        Plan({VENDOR: {"segment_inbound": {"enabled": False}}}),
    ),
    wiring(
        *("the destination has a key of nobody", "dropped", "statsig.in.auth", "put the server secret key"),
        Plan(destination(api_key="secret-of-nobody")),
    ),
    # exposures, and when
    wiring(
        *("exposure logging is disabled", "not-exposed", FIRST, "evaluate banner_test"),
        Plan(visit={"log_exposure": False}),
    ),
    wiring(
        *("the events are of two days before", "before-exposure", FIRST, "its timestamp decides"),
        Plan(order={"days": -2}),
        Plan(order={"days": 2}),
        BY_API,
    ),
    wiring(
        *("the groups change while people come", "switched", "statsig.counting.crossover", "why it crosses over"),
        Plan(between=roll_out),
        level="warn",
        verdict="",
    ),
]
