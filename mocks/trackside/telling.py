"""Journeys as lines of text, for failing expectations and test reports."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from trackside.steps import Step

if TYPE_CHECKING:
    from trackside.journal import Exchange
    from trackside.journeys import Delivery, Journey
    from trackside.lab import Lab

WIDTH = 160
"""Characters of a value that are shown."""

_VERBS = {
    "drop": "dropped it",
    "cut": "cut it",
    "rename": "renamed it",
    "split": "made several of it",
    "fault": "found a fault",
    "assumed": "assumed",
    "info": "notes",
}


def shown(value: Any) -> str:
    """Return a value as JSON, cut to a readable length; a predicate or type by its name.

    >>> shown({"plan": "pro"}), shown(int)
    ('{"plan": "pro"}', 'any int')
    """
    if isinstance(value, type):
        return f"any {value.__name__}"
    if callable(value):
        name = getattr(value, "__name__", type(value).__name__)
        return "what the predicate accepts" if name == "<lambda>" else f"what {name} accepts"
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def step_line(step: Step, vendor: str) -> str:
    """Return who did what to a message, by which rule, where, and what to do about it.

    >>> step_line(Step("drop", "split.in.unnamed", "the page has no name", "$.name", "name it"), "split")
    'split dropped it: the page has no name (split.in.unnamed), at $.name. Name it.'
    """
    who = "segment" if step.rule.startswith("segment.") else vendor
    rule = f" ({step.rule})" if step.rule else ""
    at = f", at {step.at}" if step.at else ""
    fix = f" {step.fix[:1].upper()}{step.fix[1:].rstrip('.')}." if step.fix else ""
    return f"{who} {_VERBS[step.kind]}: {step.text.rstrip('.')}{rule}{at}.{fix}"


def title(journey: Journey) -> str:
    """Return a message in a few words, such as ``track "Sign Up" of u-1 (messageId m-1, source web)``."""
    kind = journey.get("type") or journey.exchange.intake.kind or "call"
    name = journey.get("event") or journey.get("name")
    of = journey.get("userId") or journey.get("anonymousId")
    words = [str(kind), shown(name) if name else "", f"of {of}" if of else ""]
    message_id = f"messageId {journey.get('messageId')}, " if journey.get("messageId") else ""
    origin = f", {journey.origin}" if journey.origin else ""
    return " ".join(word for word in words if word) + f" ({message_id}source {journey.exchange.intake.source}{origin})"


def journey_lines(journey: Journey, vendor: str, now: float) -> Iterator[str]:
    """Yield what became of a message at one vendor: Segment's own steps, then each delivery with every step.

    Args:
        journey: the message's.
        vendor: whose deliveries are told.
        now: epoch seconds on the lab's clock.
    """
    yield title(journey)
    for step in journey.steps:
        yield "  " + step_line(step, "segment")
    deliveries = [delivery for delivery in journey.deliveries if delivery.vendor == vendor]
    for delivery in deliveries:
        yield f"  {place(delivery)}: {standing(delivery, now)}"
        for step in delivery.all_steps():
            yield "    " + step_line(step, vendor)
    if journey.outcome == "accepted" and not deliveries and vendor != "segment":
        source = journey.exchange.intake.source
        yield f"  the source {source} feeds no {vendor} destination. Name one in segment.sources.{source}.destinations."


def place(delivery: Delivery) -> str:
    """Return a destination by its vendor, and its own name where that is another."""
    named = delivery.destination != delivery.vendor
    return f"{delivery.vendor} ({delivery.destination})" if named else delivery.vendor


def standing(delivery: Delivery, now: float) -> str:
    """Return a delivery's outcome in words; for one that waits, when its next attempt is due on the lab's clock."""
    if delivery.outcome != "awaiting_retry":
        return delivery.outcome.replace("_", " ")
    due = min(sent.attempts[-1].due or now for sent in delivery.sent if sent.outcome == "awaiting_retry")
    wait = max(0, math.ceil(due - now))
    return f"awaiting a retry that falls due in {wait} s. Move the lab's clock there: advance({wait})."


def request_lines(lab: Lab, row: Exchange) -> Iterator[str]:
    """Yield a request with what went wrong with it as a whole; nothing where all went well."""
    steps = [step for step in lab.steps_of(row) if step.kind in ("drop", "fault") or step.level in ("error", "warning")]
    if steps:
        request = f"{row.request.method} {row.request.shown_path} to {row.vendor}, answered {row.status}"
        yield request if row.is_request else f"{row.request.path} at {row.vendor}"
        yield from ("  " + step_line(step, row.vendor) for step in steps)


def summary(lab: Lab, limit: int = 50) -> list[str]:
    """Return what came to the lab, oldest first: a line a message, and a line for each drop or fault.

    Args:
        lab: whose journal is told.
        limit: lines at most; where there are more, the oldest are left out and a first line says so.
    """
    now = lab.clock.now()
    newest_first: list[str] = []
    for row in lab.journal.rows(newest_first=True):
        told = list(request_lines(lab, row))
        told += [line for journey in lab.journeys_of.of(row) for line in _brief(journey, now)]
        newest_first += reversed(told)
        if len(newest_first) > limit:
            break
    if len(newest_first) <= limit and not lab.journal.evicted:
        return newest_first[::-1]
    return [
        "… earlier messages are left out; Lab.journeys() has what the journal holds",
        *newest_first[limit - 2 :: -1],
    ]


def _brief(journey: Journey, now: float) -> Iterator[str]:
    """Yield a message's line with its outcome everywhere, then its drops and faults."""
    outcomes = [f"{place(delivery)} {delivery.outcome.replace('_', ' ')}" for delivery in journey.deliveries]
    ending = ", ".join(outcomes) or ("fed to no destination" if journey.outcome == "accepted" else journey.outcome)
    yield f"{title(journey)}: {ending}"
    vendors = {delivery.destination: delivery.vendor for delivery in journey.deliveries}
    for destination, step in journey.all_steps():
        if step.kind in ("drop", "fault") or step.level in ("error", "warning"):
            yield "  " + step_line(step, vendors.get(destination, "segment"))
    for delivery in journey.deliveries:
        if delivery.outcome == "awaiting_retry":
            yield f"  {place(delivery)}: {standing(delivery, now)}"
