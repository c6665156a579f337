"""Split experiments that are wired wrongly."""

from __future__ import annotations

from functools import partial
from typing import Any

from people import Person, anonymous_id, both_ids, by_email, prefixed, signed_out, upper, user_id, with_a_blank
from shops import FLAG, Shop
from wirings import DROPPING, Plan, Wiring, destination, experiment, flag, later, metric

VENDOR = "split"
TYPES = "split.counting.metric-types"
KEY = "split.counting.key"
TRAFFIC_TYPE = "split.counting.traffic-type"
WINDOW = "split.counting.window"
LABEL = "split.counting.rule-label"
LETTERS = "letter for letter"
AS_WANTED = "send the event as"

wiring = partial(Wiring, VENDOR)

ORDER = metric(VENDOR, event_type="order")
BY_SDK = Plan(ORDER, order={"by": "sdk", "event": "order"})
BY_API = Plan(ORDER, order={"by": "api", "event": "order"})


def plan_of(person: Person) -> dict[str, Any]:
    return {"plan": person.plan}


def inbound(**more: Any) -> dict[str, Any]:
    """Return a workspace whose configuration for Segment differs."""
    return {VENDOR: {"segment_inbound": [{"api_key": "fme-key", "environment": "production", **more}]}}


def of_plans(*plans: str) -> dict[str, Any]:
    """Return a workspace whose metric takes orders of these plans."""
    row = {"property": "plan", "operator": "IN", "values": list(plans)}
    events = [{"event_type_id": "Order_Completed", "property_filters": [row]}]
    return metric(VENDOR, event_type=None, base_event_types=events)


def switch_twice(shop: Shop) -> None:
    """Let everybody meet another rule, and then the first one again."""
    shop.visit(attributes=plan_of)
    shop.visit()


ANOTHER_RULE = flag(VENDOR, rules=[{"if": {"plan": ["free", "pro"]}, "serve": "blue"}])

WIRINGS = [
    # event types
    wiring("the event is in lower case", "event-key-case", TYPES, AS_WANTED, Plan(order={"event": "order completed"})),
    wiring(
        *("the metric's event type has no underscore", "event-key-blanks", TYPES, AS_WANTED),
        Plan(metric(VENDOR, event_type="OrderCompleted")),
    ),
    wiring(
        *("the metric's event type has a blank, which FME replaces", "event-key-underscores"),
        *("split.in.event-type-spaces", AS_WANTED, Plan(metric(VENDOR, event_type="Order Completed"))),
    ),
    # keys and traffic types
    wiring("the SDK has keys in upper case", "id-case", KEY, LETTERS, Plan(visit={"as_": upper})),
    wiring("the SDK has keys with a blank", "id-blanks", KEY, LETTERS, Plan(visit={"as_": with_a_blank})),
    wiring("the SDK has keys behind a prefix", "id-prefix", KEY, LETTERS, Plan(visit={"as_": prefixed})),
    wiring("the event has an address for a key", "unknown-id", KEY, "the same id", Plan(order={"ids": by_email})),
    wiring(
        *("the event has the anonymousId, the SDK the userId", "unit-type", TRAFFIC_TYPE, "traffic type user"),
        Plan(order={"ids": signed_out}),
        Plan(order={"ids": both_ids}),
    ),
    wiring(
        *("the event has the userId, the SDK the anonymousId", "id-of-other-type", TRAFFIC_TYPE, "map the anonymousId"),
        Plan(visit={"as_": anonymous_id}),
        Plan(visit={"as_": user_id}),
        Plan(order={"ids": both_ids}),
    ),
    wiring(
        *("the SDK tracks the event for another traffic type", "unit-type", TRAFFIC_TYPE, "traffic type user"),
        Plan(order={"traffic_type": "account"}),
        plan=Plan({VENDOR: {"traffic_types": ["user", "account"]}}).over(BY_SDK),
    ),
    wiring(
        *("the SDK tracks the event for a traffic type that nobody declared", "id-type-unknown", TRAFFIC_TYPE),
        *("declare it", Plan(order={"traffic_type": "client"})),
        plan=BY_SDK,
        also=["unit-type"],
    ),
    # metrics
    wiring(
        *("the metric is not one of the experiment's", "metric-attached", "split.counting.experiment", "attach orders"),
        Plan(experiment(VENDOR, key_metrics=["refunds"])),
        Plan(experiment(VENDOR, key_metrics=["orders"])),
        Plan({VENDOR: {"metrics": {"refunds": {"event_type": "Order_Refunded"}}}}),
        also=["metric-event"],
    ),
    wiring(
        *("the metric is of accounts", "metric-unit", TRAFFIC_TYPE, "give the metric the traffic type user"),
        Plan(metric(VENDOR, traffic_type="account")),
        plan=Plan({VENDOR: {"traffic_types": ["user", "account"]}}).over(
            Plan(experiment(VENDOR, key_metrics=["orders"]))
        ),
    ),
    wiring(
        *("a filter of the metric asks for what no event has", "metric-filter", "split.counting.filters"),
        *("send what the filter asks for", Plan(of_plans("enterprise")), Plan(of_plans("free", "pro"))),
        plan=Plan(order={"properties": plan_of}),
    ),
    # the experiment and its flag
    wiring(
        *("the experiment was over", "outside-iteration", "split.counting.version", "while the experiment is on"),
        Plan(experiment(VENDOR, status="COMPLETED", end_at="2026-01-01T00:00:00Z")),
    ),
    wiring(
        *("the flag is changed after the visits", "outside-iteration", "split.counting.version", "expose it while"),
        Plan(between=lambda shop: shop.lab.split.flag(FLAG).serve({"blue": 51, "green": 49})),
    ),
    wiring(
        *("the flag is killed", "flag", LABEL, "restore the flag", Plan(flag(VENDOR, killed=True))),
        verdict="not-included",
    ),
    wiring(
        *("nobody is allocated", "flag", "split.counting.control", "give it an allocation"),
        Plan(flag(VENDOR, allocation=0)),
    ),
    wiring(
        *("the flag sends no impressions", "flag", "split.impressions.keys", "set track to true"),
        Plan(flag(VENDOR, track=False), visit={"posts": 0}),
    ),
    wiring(
        *("a rule ahead of the experiment's serves everybody", "not-included", LABEL, "set the experiment's rule"),
        Plan(visit={"attributes": plan_of}),
        plan=Plan(ANOTHER_RULE),
    ),
    wiring(
        *("the SDK sends no labels", "not-included", LABEL, "labelsEnabled"),
        Plan(visit={"labelsEnabled": False}),
    ),
    wiring(
        *("everybody switches twice", "excluded", "split.counting.excluded", "same attributes"),
        Plan(between=switch_twice),
        plan=Plan(ANOTHER_RULE),
    ),
    wiring(
        *("everybody switches once", "switched", "split.counting.switch-once", "same attributes"),
        Plan(between=lambda shop: shop.visit(attributes=plan_of)),
        plan=Plan(ANOTHER_RULE),
        level="warn",
        verdict="",
    ),
    # environments
    wiring(
        *("the flag is evaluated in staging", "environment", "split.counting.environment", "of production"),
        Plan(visit={"environment": "staging"}),
    ),
    wiring(
        *("the events go to staging", "environment", "split.counting.environment", "of production"),
        Plan(inbound(environment="staging")),
    ),
    # on the way
    wiring("a filter drops the event", "dropped", "segment.filter.drop", "switch the filter off", Plan(DROPPING)),
    wiring(
        *("the configuration takes no track calls", "dropped", "split.in.track-toggle", "set track to true"),
        Plan(inbound(track=False)),
    ),
    wiring(
        *("the event type begins with a hyphen", "dropped", "split.in.event-type-name", ""),
        Plan(order={"event": "-Order Completed"}),
    ),
    wiring(
        *("the event type is read where nothing stands", "dropped", "split.in.event-type-required"),
        *("set event_type_id", Plan(inbound(event_type_id="properties.eventName"))),
    ),
    wiring(
        *("the destination has a key of nobody", "dropped", "split.in.api-key", "copy the key"),
        Plan(destination(api_key="key-of-nobody")),
    ),
    # impressions, and when
    wiring(
        *("the SDK only counts impressions", "not-exposed", KEY, "evaluate banner"),
        Plan(visit={"impressionsMode": "NONE", "posts": 0}),
    ),
    wiring(
        *("the events are of an hour before", "before-exposure", WINDOW, "its timestamp decides"),
        Plan(order={"days": -1 / 24}),
        Plan(order={"days": -1 / 144}),
        BY_API,
    ),
    wiring(
        *("the events are of 91 days later", "outside-window", WINDOW, "within the window"),
        Plan(order={"days": 91}),
        Plan(order={"days": 89}),
        BY_API,
    ),
    wiring(
        *("people order 91 days later", "outside-window", WINDOW, "within the window"),
        Plan(between=later(91)),
        Plan(between=later(89)),
    ),
]
