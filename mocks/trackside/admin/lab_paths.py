"""The control API's paths that concern the lab as a whole: what happened, flags, faults, time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trackside import rules
from trackside.admin.asking import body, flag, given, known_fields, limited, query, vendor_name
from trackside.errors import TracksideError
from trackside.journeys import redacted, showable, step_json
from trackside.times import in_ms, iso

if TYPE_CHECKING:
    from trackside.journal import Exchange
    from trackside.lab import Lab

FAULT_ERRORS = ("ETIMEDOUT", "ECONNREFUSED", "ECONNRESET")
"""What can go wrong at a vendor instead of an answer."""


def _health(lab: Lab) -> Any:
    """Whether it is up, and every address."""
    return {"status": "ok", "urls": lab.urls}


def _stats(lab: Lab) -> Any:
    """Counts: what the journal holds, and what waits for a retry."""
    return lab.stats()


def _journeys(lab: Lab) -> Any:
    """All journeys, the newest first: ``?message_id= &user= &vendor= &drops=1 &limit=``."""
    found = lab.journeys(
        message_id=query("message_id"),
        user=query("user"),
        vendor=query("vendor"),
        drops=flag("drops"),
        newest_first=True,
    )
    return [journey.as_json() for journey in limited(found)]


def _journey(lab: Lab, message_id: str) -> Any:
    """The first journey of a messageId; 404 where there is none."""
    return lab.journey(message_id).as_json()


def _records(lab: Lab, vendor: str) -> Any:
    """What a vendor keeps, the newest first: ``?limit=``."""
    return [showable(kept.record) for kept in limited(lab.kept(vendor_name(lab, vendor), newest_first=True))]


def _exchanges(lab: Lab) -> Any:
    """Requests as they came, the newest first: ``?vendor= &limit=``."""
    rows = reversed(lab.exchanges(query("vendor")))
    return [_shown(lab, row) for row in limited(rows)]


def _shown(lab: Lab, row: Exchange) -> dict[str, Any]:
    request = row.request
    return {
        "seq": row.seq,
        "vendor": row.vendor,
        "at": iso(in_ms(request.at)),
        "method": request.method,
        "path": request.shown_path,
        "query": dict(request.query),
        "headers": redacted(request.headers),
        "body": request.body.decode("utf-8", "replace"),
        "status": row.status,
        "answer": row.answer.decode("utf-8", "replace"),
        "steps": [step_json(step) for step in lab.steps_of(row)],
        "made": [made.seq for made in lab.journal.caused_by(row.seq)],
    }


def _findings(lab: Lab) -> Any:
    """Errors and warnings, oldest first: ``?notes=1 &limit=``."""
    return [finding.as_json() for finding in limited(lab.findings(notes=flag("notes")))]


def _workspace(lab: Lab) -> Any:
    """The workspace in force, as it was written."""
    return lab.workspace.document


def _configure(lab: Lab) -> Any:
    """Put another workspace in force, the body as JSON; the answer has the notes on it."""
    lab.configure(body())
    return {"notes": [step_json(note) for note in lab.workspace.notes]}


def _reset(lab: Lab) -> Any:
    """Forget every message, record, fault and seen id; the workspace stays."""
    lab.reset()
    return lab.stats()


def _settle(lab: Lab) -> Any:
    """Wait until nothing is due and nothing under way: ``{timeout}`` in seconds."""
    fields = body()
    known_fields(fields, "timeout")
    lab.settle(given(fields, "timeout", 10, float, "seconds"))
    return lab.stats()


def _advance(lab: Lab) -> Any:
    """Move the lab's clock ahead: ``{seconds}``."""
    fields = body()
    known_fields(fields, "seconds")
    lab.advance(given(fields, "seconds", None, float, "a number of seconds, not below 0"))
    return {"now": iso(in_ms(lab.clock.now()))}


def _fail(lab: Lab, vendor: str) -> Any:
    """Let a vendor's next requests fail: ``{status, times, error, body, headers, seconds}``; ``times`` null for all."""
    mock, fields = lab.mocks[vendor_name(lab, vendor)], body()
    known_fields(fields, "status", "times", "error", "body", "headers", "seconds")
    status = given(fields, "status", 500, int, "an HTTP status from 200 to 599")
    error = given(fields, "error", "", str, "one of " + ", ".join(FAULT_ERRORS))
    times = (
        None if fields.get("times", 1) is None else given(fields, "times", 1, int, "a whole number, or null for all")
    )
    if times == 0:
        raise TracksideError("times is 0", "$.times", "give a number above 0, or null for all")
    if not 200 <= status <= 599:
        raise TracksideError(f"status is {status}", "$.status", "give an HTTP status from 200 to 599")
    if error and error not in FAULT_ERRORS:
        raise TracksideError(f"error is {error!r}", "$.error", "give one of " + ", ".join(FAULT_ERRORS))
    headers = given(fields, "headers", {}, dict, "an object of texts")
    mock.fail(
        status,
        times=times,
        error=error,
        body=given(fields, "body", "", str, "text").encode(),
        headers={str(name): str(value) for name, value in headers.items()},
        seconds=given(fields, "seconds", 30.0, float, "seconds"),
    )
    return {"faults": len(mock.faults)}


def _recover(lab: Lab, vendor: str) -> Any:
    """Take every fault of a vendor away."""
    lab.mocks[vendor_name(lab, vendor)].recover()
    return {"faults": 0}


def _wait(lab: Lab) -> Any:
    """Wait until a vendor keeps ``count`` records that match: ``{vendor, match, count, timeout}``."""
    from trackside.expect import wait_for  # noqa: PLC0415 - only this path needs it

    fields = body()
    known_fields(fields, "vendor", "match", "count", "timeout")
    return wait_for(
        lab,
        vendor_name(lab, given(fields, "vendor", None, str, "one of " + ", ".join(lab.mocks))),
        given(fields, "match", {}, dict, "an object"),
        count=given(fields, "count", 1, int, "a whole number"),
        timeout=given(fields, "timeout", 5, float, "seconds"),
    )


def _flags(lab: Lab) -> Any:
    """Every flag as it stands: ``?vendor=``; gates, dynamic configs, experiments and layers of Statsig among them."""
    vendor = query("vendor")
    names = [vendor_name(lab, vendor)] if vendor else list(lab.mocks)
    return [row for name in names for row in lab.mocks[name].flags()]


def _set_flag(lab: Lab, vendor: str, name: str) -> Any:
    """Change a flag, and tell connected SDKs: ``{serve, on, environment, kind, user}``; ``serve`` is a value, or percentages by value."""
    fields = body()
    known_fields(fields, "serve", "on", "environment", "kind", "user")
    if "serve" not in fields and "on" not in fields:
        raise TracksideError("the body says neither serve nor on", "$", 'send {"serve": …} or {"on": true}')
    return lab.mocks[vendor_name(lab, vendor)].set_flag(name, **fields)


def _rules(lab: Lab) -> Any:  # noqa: ARG001 - every path has this shape
    """The rules: id, vendor, text, source and confidence of each."""
    return [rule.as_json() for rule in rules.RULES.values()]


PATHS: dict[str, tuple[str, Callable[..., Any]]] = {
    "/health": ("GET", _health),
    "/ready": ("GET", _health),
    "/stats": ("GET", _stats),
    "/journeys": ("GET", _journeys),
    "/journeys/<path:message_id>": ("GET", _journey),
    "/records/<vendor>": ("GET", _records),
    "/exchanges": ("GET", _exchanges),
    "/findings": ("GET", _findings),
    "/flags": ("GET", _flags),
    "/flags/<vendor>/<path:name>": ("POST", _set_flag),
    "/rules": ("GET", _rules),
    "/workspace": ("GET", _workspace),
    "/configure": ("POST", _configure),
    "/reset": ("POST", _reset),
    "/settle": ("POST", _settle),
    "/advance": ("POST", _advance),
    "/wait": ("POST", _wait),
    "/faults/<vendor>": ("POST", _fail),
    "/recover/<vendor>": ("POST", _recover),
}
"""The paths of a lab as a whole, each with its method."""
