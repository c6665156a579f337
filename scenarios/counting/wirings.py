"""Experiments as they are wired, rightly and wrongly: workspaces, traffic, and what the audit has to say of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from people import people
from shops import CLIENT_SIDE_IDS, EVENT, EXPERIMENT, FLAG, SHOPS, Shop

from trackside import Lab
from trackside.counting.handles import ExperimentHandle
from trackside.counting.model import Condition

Patch = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """How an experiment is wired, and what happens; what it leaves out is as in `WORKSPACES`, and as the shop does it.

    Attributes:
        workspace: a merge patch, in which None takes a key away.
        visit: the arguments of the shop's `visit`.
        order: those of its `order`.
        between: what happens after the visits, before the orders.
        order_first: whether people order before they visit.
    """

    workspace: Patch = field(default_factory=dict)
    visit: Patch = field(default_factory=dict)
    order: Patch = field(default_factory=dict)
    between: Callable[[Shop], object] | None = None
    order_first: bool = False

    def over(self, other: Plan) -> Plan:
        """Return another plan with the differences of this one."""
        return Plan(
            merged(other.workspace, self.workspace),
            {**other.visit, **self.visit},
            {**other.order, **self.order},
            self.between or other.between,
            self.order_first or other.order_first,
        )


@dataclass(frozen=True, slots=True)
class Wiring:
    """One fault that is planted, and the same wiring without.

    Attributes:
        vendor: whose experiment it is.
        fault: in a sentence.
        condition: that events do not meet for it.
        rule: the vendor's, which asks for it.
        fix: a part of what the finding says that mends it.
        wrong: the plan with the fault, as it differs from `plan`.
        right: the plan without, as it differs from `plan`.
        plan: what both have in common.
        also: the conditions of further findings, which follow from the fault.
        verdict: the condition that the verdict on an event names; empty where the event counts all the same, and only the
            metric that was meant has nothing of it.
        level: of the finding.
        people: how many come.
        experiment: its key.
    """

    vendor: str
    fault: str
    condition: Condition
    rule: str
    fix: str
    wrong: Plan
    right: Plan = Plan()
    plan: Plan = Plan()
    also: Sequence[Condition | str] = ()
    verdict: str | None = None
    level: str = "strict"
    people: int = 12
    experiment: str = EXPERIMENT

    @property
    def twin(self) -> tuple[object, ...]:
        """All that the wiring without the fault consists of; many faults have the same."""
        return self.vendor, self.right.over(self.plan), self.people, self.experiment

    def of(self, shop: Shop) -> ExperimentHandle:
        """Return the experiment."""
        return ExperimentHandle(shop.lab, self.vendor, self.experiment, "production")


WEB = {"web": {"write_key": "wk_web", "destinations": ["vendor"]}}

WORKSPACES: dict[str, Patch] = {
    "launchdarkly": {
        "segment": {
            "sources": WEB,
            "destinations": {"vendor": {"type": "launchdarkly", "client_side_id": CLIENT_SIDE_IDS["production"]}},
        },
        "launchdarkly": {
            "environments": {
                name: {"client_side_id": one, "sdk_key": f"sdk-{name}"} for name, one in CLIENT_SIDE_IDS.items()
            },
            "flags": {FLAG: {"variations": ["blue", "green"], "serve": {"blue": 50, "green": 50}}},
            "metrics": {"orders": {"event_key": EVENT}},
            "experiments": {EXPERIMENT: {"flag": FLAG, "metrics": ["orders"]}},
        },
    },
    "statsig": {
        "segment": {"sources": WEB, "destinations": {"vendor": {"type": "statsig", "api_key": "secret-local"}}},
        "statsig": {
            "server_secret": "secret-local",
            "console_key": "console-local",
            "metrics": {"orders": {"event": f"segment::{EVENT}"}},
            "experiments": {
                EXPERIMENT: {
                    "groups": {"control": {"color": "blue"}, "test": {"color": "green"}},
                    "primary_metrics": ["orders"],
                }
            },
        },
    },
    "split": {
        "segment": {"sources": WEB, "destinations": {"vendor": {"type": "split", "api_key": "fme-key"}}},
        "split": {
            "environments": {"production": {"sdk_key": "sdk-production"}, "staging": {"sdk_key": "sdk-staging"}},
            "segment_inbound": [{"api_key": "fme-key", "environment": "production"}],
            "flags": {
                FLAG: {"treatments": ["blue", "green"], "serve": {"blue": 50, "green": 50}, "default": "blue"},
            },
            "metrics": {"orders": {"event_type": "Order_Completed"}},
            "experiments": {EXPERIMENT: {"flag": FLAG, "environment": "production"}},
        },
    },
}
"""By vendor, an experiment and its metric, and what Segment sends there. Whoever visits and orders counts."""


def merged(base: Any, patch: Any) -> Any:
    """Return JSON with a merge patch on it; its None stays where there is nothing to take away yet."""
    if not isinstance(base, Mapping) or not isinstance(patch, Mapping):
        return patch
    left = {key: value for key, value in base.items() if patch.get(key, value) is not None}
    new = {key: merged(base.get(key), value) for key, value in patch.items() if value is not None or key not in base}
    return {**left, **new}


def without_none(value: Any) -> Any:
    return (
        {key: without_none(one) for key, one in value.items() if one is not None}
        if isinstance(value, Mapping)
        else value
    )


@contextmanager
def played(wiring: Wiring, plan: Plan) -> Iterator[Shop]:
    """Give the shop of a wiring after everybody has visited and ordered."""
    plan = plan.over(wiring.plan)
    workspace = without_none(merged(WORKSPACES[wiring.vendor], plan.workspace))
    with Lab(workspace) as lab:
        shop = SHOPS[wiring.vendor](lab, people(wiring.people))
        if plan.order_first:
            shop.order(**plan.order)
        shop.visit(**plan.visit)
        if plan.between is not None:
            plan.between(shop)
        if not plan.order_first:
            shop.order(**plan.order)
        lab.settle()
        yield shop
        assert lab.errors == []


# ---- small words for what differs


def experiment(vendor: str, **more: Any) -> dict[str, Any]:
    """Return a workspace whose experiment differs."""
    return {vendor: {"experiments": {EXPERIMENT: more}}}


def flag(vendor: str, **more: Any) -> dict[str, Any]:
    """Return a workspace whose flag differs."""
    return {vendor: {"flags": {FLAG: more}}}


def metric(vendor: str, **more: Any) -> dict[str, Any]:
    """Return a workspace whose metric differs."""
    return {vendor: {"metrics": {"orders": more}}}


def destination(**more: Any) -> dict[str, Any]:
    """Return a workspace whose destination in Segment differs."""
    return {"segment": {"destinations": {"vendor": more}}}


def later(days: float) -> Callable[[Shop], None]:
    """Let days go by."""
    return lambda shop: shop.lab.advance(days * 86_400)


DROPPING = destination(filters=[{"if": f'event = "{EVENT}"', "actions": [{"type": "drop"}]}])
"""A destination filter that drops the orders."""
