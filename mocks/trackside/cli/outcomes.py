"""What a running lab made of calls that were sent to it, asked of its control API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from trackside.cli.control import Control
from trackside.cli.output import out, out_table, printable
from trackside.cli.rows import event_row, line, telling
from trackside.errors import TracksideError
from trackside.steps import Step
from trackside.telling import step_line

LIMIT = 1_000
"""Calls up to which `send` asks by itself."""

_SHOWN_EVENTS = 20


class ControlApi(Control):
    """The control API of the lab that was sent to, and the number of its last request when this was made.

    Args:
        admin: its address.
        token: what it wants off loopback.
        segment: an address at which the lab's Segment listens.

    Raises:
        TracksideError: it does not answer, refuses, or is another lab's.
    """

    def __init__(self, admin: str, token: str, segment: str) -> None:
        super().__init__(admin, token, "name the lab's control API with --admin, or send with --no-explain")
        urls = self.ask("GET", "/health")["urls"]
        if urlsplit(urls["segment"]).port != urlsplit(segment).port:
            raise TracksideError(f"the lab's Segment listens at {urls['segment']}", segment, "name its own --admin")
        last = self.ask("GET", "/exchanges?limit=1")
        self.last = last[0]["seq"] if last else 0

    def outcomes(self, calls: int, requests: int, message_ids: set[str]) -> dict[str, Any]:
        """Return what became of calls that were sent since this was made.

        Args:
            calls: how many were sent.
            requests: in how many requests.
            message_ids: of those that have one.

        Returns:
            ``events`` (rows of `trackside.cli.rows`, oldest first), ``outcomes`` (counts by ``segment`` and destination)
            and ``findings`` (errors and warnings, each with ``destination``, ``vendor`` and ``message_id``). Where others
            send at the same time, some events may be missing.
        """
        self.ask("POST", "/settle")
        journeys = self.ask("GET", f"/journeys?limit={calls}")
        rows = [
            event_row(journey)
            for journey in reversed(journeys)
            if journey["exchange"] > self.last and _is_ours(journey, message_ids)
        ]
        exchanges = self.ask("GET", f"/exchanges?vendor=segment&limit={requests}")
        steps = [step for one in exchanges if one["seq"] > self.last for step in telling(one["steps"])]
        findings = [{"destination": "segment", "vendor": "segment", "message_id": None, **step} for step in steps]
        findings += [finding for row in rows for finding in _findings(row)]
        return {"events": rows, "outcomes": _counts(rows), "findings": findings}


def _is_ours(journey: Mapping[str, Any], message_ids: set[str]) -> bool:
    call = journey["call"]
    own = call.get("messageId") if isinstance(call, dict) else None
    return own in message_ids if isinstance(own, str) else True


def _findings(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    ingest = {"destination": "segment", "vendor": "segment", "steps": row["steps"]}
    for place in (ingest, *row["deliveries"]):
        for step in place["steps"]:
            if step.get("level") in ("error", "warning"):
                named = {name: place[name] for name in ("destination", "vendor")}
                yield {**named, "message_id": row["message_id"], **step}


def _counts(rows: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {"segment": Counter(row["outcome"] for row in rows)}
    for row in rows:
        for delivery in row["deliveries"]:
            counts.setdefault(delivery["destination"], Counter())[delivery["outcome"]] += 1
    return {name: dict(counter) for name, counter in counts.items()}


def show(outcomes: Mapping[str, Any]) -> None:
    """Print a line for each of a few events, or counts by destination, and then each finding's rule once."""
    if len(outcomes["events"]) <= _SHOWN_EVENTS:
        for row in outcomes["events"]:
            out(line(row))
    else:
        counts = outcomes["outcomes"].items()
        out_table(("destination", "outcomes"), [(name, _words(counter)) for name, counter in counts])
    by_rule: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for finding in outcomes["findings"]:
        by_rule.setdefault((finding["destination"], finding["rule"]), []).append(finding)
    for first, *others in by_rule.values():
        count = f" ({len(others) + 1} times)" if others else ""
        step = Step(**{name: first.get(name, "") for name in ("kind", "rule", "text", "at", "fix")})
        out(f"{first['level']}{count}: {printable(step_line(step, first['vendor']))}")


def _words(counter: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in counter.items())
