"""LaunchDarkly experiments that are wired wrongly."""

from __future__ import annotations

from functools import partial
from typing import Any

import urllib3
from people import Person, anonymous_id, behind_a_blank, both_ids, by_email, prefixed, signed_out, upper
from shops import EXPERIMENT, FLAG, Shop
from wirings import DROPPING, Plan, Wiring, destination, experiment, flag, later, metric

VENDOR = "launchdarkly"
EXACT = "launchdarkly.in.event-key-exact"
MATCH = "launchdarkly.in.context-match"
IN_EXPERIMENT = "launchdarkly.in.experiment"
UNIT = "launchdarkly.counting.randomization-unit"
AS_WANTED = 'send the event as "Order Completed"'
LETTERS = "letter for letter"

wiring = partial(Wiring, VENDOR)

CLICKS = {"kind": "click", "selector": ".buy", "urls": [{"kind": "exact", "url": "https://shop.example/cart"}]}
REVENUE = metric(VENDOR, is_numeric=True, unit_aggregation_type="sum", event_default={"disabled": True})
PAID_AT = destination(
    mappings=[
        {
            "action": "trackEvent",
            "mapping": {
                "event_name": {"@path": "$.event"},
                "user_key": {"@path": "$.userId"},
                "timestamp": {"@path": "$.properties.paid_at"},
            },
        }
    ]
)


def paid(moment: str) -> Any:
    return lambda _person: {"paid_at": moment}


def only(name: str) -> dict[str, Any]:
    """Return a workspace with one metric of this key, attached to the experiment."""
    return {VENDOR: {"metrics": {"orders": None, name: {}}, "experiments": {EXPERIMENT: {"metrics": [name]}}}}


def stop(shop: Shop) -> None:
    """Stop the iteration by the REST API."""
    path = f"/api/v2/projects/default/environments/production/experiments/{EXPERIMENT}"
    address, named = shop.lab.urls[VENDOR] + path, {"Authorization": "api-token"}
    running = urllib3.request("GET", address, headers=named).json()["currentIteration"]
    told = {"kind": "stopIteration", "winningTreatmentId": running["treatments"][0]["_id"]}
    shop.lab.advance(60)
    shop.send(
        "PATCH",
        path,
        {"instructions": [told]},
        **named,
        Content_Type="application/json; domain-model=launchdarkly.semanticpatch",
    )
    shop.lab.advance(60)


def roll_out(shop: Shop) -> None:
    """Give everybody green while the experiment goes on, and let them come back."""
    shop.lab.launchdarkly.flag(FLAG).serve({"blue": 0, "green": 100})
    shop.visit()


def company(person: Person) -> dict[str, str]:
    return {"company": person.company}


WIRINGS = [
    # names of events
    wiring("the event is in lower case", "event-key-case", EXACT, AS_WANTED, Plan(order={"event": "order completed"})),
    wiring(
        *("the SDK tracks the event with a blank behind it", "event-key-blanks", EXACT, AS_WANTED),
        Plan(order={"event": "Order Completed "}),
        plan=Plan(order={"by": "sdk"}),
    ),
    wiring(
        *("the event is imported with an underscore", "event-key-underscores", EXACT, AS_WANTED),
        Plan(order={"event": "Order_Completed"}),
        plan=Plan(order={"by": "api"}),
    ),
    wiring(
        *("the metric takes an event that nobody sends", "metric-event", EXACT, "send it, or"),
        Plan(metric(VENDOR, event_key="Checkout Done")),
        also=["unused-event"],
    ),
    # ids
    wiring("the SDK has ids in upper case", "id-case", MATCH, LETTERS, Plan(visit={"as_": upper})),
    wiring("the SDK has ids behind a blank", "id-blanks", MATCH, LETTERS, Plan(visit={"as_": behind_a_blank})),
    wiring("the SDK has ids behind a prefix", "id-prefix", MATCH, LETTERS, Plan(visit={"as_": prefixed})),
    wiring(
        *("the event has the anonymousId, the SDK the userId", "id-of-other-type", UNIT, "identify the user"),
        Plan(order={"ids": signed_out}),
        Plan(order={"ids": both_ids}),
    ),
    wiring(
        *("the event has the userId, the SDK the anonymousId", "id-of-other-type", UNIT, "map the anonymousId"),
        Plan(order={"ids": both_ids}),
        Plan(order={"ids": signed_out}),
        Plan(visit={"as_": anonymous_id}),
    ),
    wiring("the event has an address for an id", "unknown-id", MATCH, "the same id", Plan(order={"ids": by_email})),
    wiring(
        *("the event has a company for its context", "unit-type", UNIT, "context kind user"),
        Plan(order={"keys": company}),
        plan=Plan(order={"by": "api"}),
    ),
    wiring(
        *("the flag is evaluated for a device", "id-of-other-type", UNIT, "one context kind"),
        Plan(visit={"kind": "device"}),
    ),
    # metrics
    wiring(
        *("no metric is attached", "metric-attached", IN_EXPERIMENT, "attach orders"),
        Plan(experiment(VENDOR, metrics=[])),
    ),
    wiring(
        *("the metric is for clicks", "metric-kind", "launchdarkly.in.metric-kinds", "make a custom metric"),
        Plan({VENDOR: {"metrics": {"order-completed": CLICKS}}}),
        Plan({VENDOR: {"metrics": {"order-completed": {"event_key": "order-completed"}}}}),
        Plan(only("order-completed"), order={"event": "order-completed"}),
    ),
    wiring(
        *("the metric adds up a number that no event has", "metric-value", "launchdarkly.counting.numeric-value"),
        *("send a number", Plan(order={"properties": lambda one: {"total": one.spends}})),
        plan=Plan(REVENUE),
    ),
    wiring(
        *("the metric is analysed by companies", "metric-unit", UNIT, "give the metric the context kind user"),
        Plan(metric(VENDOR, randomization_units=["company"])),
    ),
    # the experiment and its flag
    wiring(
        *("the experiment was not started", "recording", IN_EXPERIMENT, "start it"),
        Plan(experiment(VENDOR, status="not_started")),
    ),
    wiring(
        *("the iteration is stopped before people order", "outside-iteration", "launchdarkly.counting.iteration"),
        *("while the experiment is on", Plan(between=stop)),
    ),
    wiring(
        *("the flag is off", "flag", "launchdarkly.counting.flag", "turn the flag on"),
        Plan(flag(VENDOR, on=False)),
    ),
    wiring(
        *("the flag serves everybody the same", "flag", "launchdarkly.counting.flag", "let it serve percentages"),
        Plan(flag(VENDOR, serve="blue")),
    ),
    wiring(
        *("a rule ahead of the experiment serves everybody", "not-included", IN_EXPERIMENT, "let the rule"),
        Plan(flag(VENDOR, rules=[{"if": {"plan": ["free", "pro"]}, "serve": "blue"}])),
        Plan(flag(VENDOR, rules=[{"if": {"plan": ["trial"]}, "serve": "blue"}])),
    ),
    wiring(
        *("the flag is evaluated in staging", "environment", "launchdarkly.counting.environment", "of production"),
        Plan(visit={"environment": "staging"}),
    ),
    wiring(
        *("the events are imported into staging", "environment", "launchdarkly.counting.environment", "of production"),
        Plan(order={"environment": "staging"}),
        plan=Plan(order={"by": "api"}),
    ),
    # on the way
    wiring("a filter drops the event", "dropped", "segment.filter.drop", "switch the filter off", Plan(DROPPING)),
    wiring(
        *("the mapping of track calls is disabled", "dropped", "launchdarkly.in.mapping-enabled", "mapping on"),
        Plan(destination(mappings=[{"action": "trackEvent", "enabled": False}])),
        Plan(destination(mappings=[{"action": "trackEvent"}])),
    ),
    wiring(
        *("the call switches all destinations off", "dropped", "segment.integrations", ""),
        Plan(order={"integrations": {"All": False}}),
        Plan(order={"integrations": {"All": False, "LaunchDarkly": True}}),
    ),
    wiring(
        *("the revenue is a text", "dropped", "launchdarkly.in.metric-value", "number"),
        Plan(order={"properties": lambda one: {"revenue": f"{one.spends} EUR"}}),
    ),
    wiring(
        *("the mapping reads a timestamp that is none", "dropped", "launchdarkly.in.timestamp", "ISO 8601"),
        Plan(order={"properties": paid("at noon")}),
        Plan(order={"properties": paid("2026-11-22T12:00:00Z")}),
        Plan(PAID_AT),
    ),
    wiring(
        *(
            "the destination has an ID of nobody",
            "dropped",
            "launchdarkly.events.unknown-client-side-id",
            "use one of the workspace's",
        ),
        Plan(destination(client_side_id="0123456789abcdef01234567")),
    ),
    # exposures, and when
    wiring(
        *("the SDK sends no events", "not-exposed", IN_EXPERIMENT, "evaluate banner"),
        Plan(visit={"config": {"send_events": False}}),
    ),
    wiring(
        *("all flags are evaluated at once, which is no exposure", "not-exposed", IN_EXPERIMENT, "evaluate banner"),
        Plan(visit={"all_flags": True}),
    ),
    wiring(
        *("people order before they see the flag", "before-exposure", "launchdarkly.counting.arrival"),
        *("evaluate the flag before", Plan(order_first=True)),
    ),
    wiring(
        *("people order 91 days later", "outside-window", "launchdarkly.counting.window", "within the window"),
        Plan(between=later(91)),
        Plan(between=later(89)),
    ),
    wiring(
        *("the allocation changes while people come", "switched", "launchdarkly.counting.first-variation"),
        *("keep a unit in one variation", Plan(between=roll_out)),
        level="warn",
        verdict="",
    ),
]
