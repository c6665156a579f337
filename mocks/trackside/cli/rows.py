"""Events and requests in brief: one JSON row for programs, and the same row as one line for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from trackside.cli.output import cut, printable
from trackside.journeys import step_json

if TYPE_CHECKING:
    from trackside.journal import Exchange
    from trackside.steps import Step

_COLOURS = {
    "delivered": "green",
    "dropped": "yellow",
    "failed": "red",
    "awaiting_retry": "yellow",
    "under_way": "cyan",
    "discarded": "red",
    "blocked": "red",
    "duplicate": "yellow",
}


def event_row(journey: Mapping[str, Any]) -> dict[str, Any]:
    """Return a journey, as the control API tells it, in brief.

    Returns:
        ``kind`` (``event``), ``at`` (ISO 8601), ``type``, ``event`` (the name of a page, screen or group call too),
        ``user`` (userId, else anonymousId), ``message_id``, ``source``, ``made_by`` (the vendor that exported it, or
        null), ``outcome``, ``steps`` (ingest's drops, errors and warnings) and ``deliveries``, each with
        ``destination``, ``vendor``, ``outcome`` and ``steps`` of the same kind.
    """
    shown = journey["message"] or (journey["call"] if isinstance(journey["call"], dict) else {})
    return {
        "kind": "event",
        "at": journey["received_at"],
        "type": journey["type"] or None,
        "event": shown.get("event") or shown.get("name") or shown.get("groupId"),
        "user": journey["user_id"] or journey["anonymous_id"],
        "message_id": journey["message_id"],
        "source": journey["source"],
        "made_by": journey["origin"]["vendor"] if journey["origin"] else None,
        "outcome": journey["outcome"],
        "steps": telling(journey["steps"]),
        "deliveries": [_delivery_row(delivery) for delivery in journey["deliveries"]],
    }


def _delivery_row(delivery: Mapping[str, Any]) -> dict[str, Any]:
    requests = delivery["requests"]
    attempts = [attempt for request in requests for attempt in request["attempts"]]
    steps = [step for part in (delivery, *requests, *attempts) for step in part["steps"]]
    row = {name: delivery[name] for name in ("destination", "vendor", "outcome")}
    answers = [request["attempts"][-1] for request in requests if request["attempts"]]
    failed = [answer for answer in answers if not 200 <= answer["status"] < 300]
    if failed:
        row["answer"] = failed[-1]["error"] or failed[-1]["status"]
    return {**row, "steps": telling(steps)}


def telling(steps: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the steps worth a word: drops, errors and warnings."""
    return [step for step in steps if step["kind"] == "drop" or step.get("level") in ("error", "warning")]


def request_row(row: Exchange, steps: Iterable[Step], at: str, records: int = 0) -> dict[str, Any]:
    """Return a request that brought no Segment message: of an SDK to another vendor, refused, or for a document.

    Args:
        row: the request.
        steps: what happened to it.
        at: when, ISO 8601.
        records: how many records the vendor keeps of it.
    """
    return {
        "kind": "request",
        "at": at,
        "vendor": row.vendor,
        "method": row.request.method,
        "path": row.request.shown_path,
        "status": row.status,
        "records": records,
        "steps": telling(step_json(step) for step in steps),
    }


def line(row: Mapping[str, Any]) -> str:
    """Return a row of either kind, or one that counts what was left out, as one line."""
    if row["kind"] == "more":
        return f"              … {row['events']} more events"
    what = _event_words(row) if row["kind"] == "event" else _request_words(row)
    return f"{row['at'][11:23]}  {what}".rstrip()


def _request_words(row: Mapping[str, Any]) -> str:
    colour = "green" if row["status"] < 400 else "red"
    if not row["method"]:  # no request, but what happened inside a vendor
        return f"{printable(row['path'])} at {row['vendor']}{_rules(row['steps'])}"
    path = printable(f"{row['method']} {row['path']}")
    kept = f", {row['records']} kept" if row["records"] else ""
    return f"{path} to {row['vendor']}: {click.style(row['status'], fg=colour)}{kept}{_rules(row['steps'])}"


def _event_words(row: Mapping[str, Any]) -> str:
    head = f"{cut(row['type'] or '', 9)} {cut(row['event'] or '', 28)} {cut(row['user'] or '', 20)}"
    made_by = f"from {row['made_by']}  " if row["made_by"] else ""
    return f"{head}  {made_by}{'  '.join(_endings(row))}"


def _endings(row: Mapping[str, Any]) -> Iterator[str]:
    if row["outcome"] != "accepted":
        yield click.style(row["outcome"], fg=_COLOURS[row["outcome"]]) + _rules(row["steps"])
        return
    if row["steps"]:
        yield f"accepted{_rules(row['steps'])}"
    if not row["deliveries"]:
        yield "to no destination"
    for delivery in row["deliveries"]:
        outcome = click.style(delivery["outcome"].replace("_", " "), fg=_COLOURS[delivery["outcome"]])
        answer = f" {delivery['answer']}" if "answer" in delivery else ""
        yield f"{delivery['destination']}: {outcome}{answer}{_rules(delivery['steps'])}"


def _rules(steps: Iterable[Mapping[str, Any]]) -> str:
    rules = dict.fromkeys(step["rule"] for step in steps if step.get("rule"))
    return f" ({', '.join(rules)})" if rules else ""
