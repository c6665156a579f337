"""The JSON control API: what happened, as the Python API tells it, and the lab's controls.

Reads are GET, controls are POST; every answer is JSON, every error ``{"error": {"what", "where", "fix"}}``, that of a
workspace with ``faults`` in the same form. It answers no cross-origin request, and on loopback only to loopback names (DNS rebinding); bound elsewhere it wants its token as
``Authorization: Bearer``.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson
from flask import Flask, Response
from flask import request as flask_request

from trackside import rules
from trackside.errors import TracksideError, WorkspaceError
from trackside.journeys import redacted, showable, step_json
from trackside.times import in_ms, iso
from trackside.wire import LOOPBACK

if TYPE_CHECKING:
    from trackside.journal import Exchange
    from trackside.lab import Lab

DEFAULT_ROWS = 100
FAULT_ERRORS = ("ETIMEDOUT", "ECONNREFUSED", "ECONNRESET")
"""What can go wrong at a vendor instead of an answer."""


def make_admin(lab: Lab, *, local: bool) -> Flask:
    """Return the Flask application of the control API.

    Args:
        lab: what it controls.
        local: whether it is bound to loopback; elsewhere it wants ``lab.admin_token``.
    """
    app = Flask("trackside-admin", static_folder=None)
    app.url_map.merge_slashes = False

    @app.before_request
    def guard() -> Response | None:
        return _guard(lab, local=local)

    @app.errorhandler(TracksideError)
    def told(error: TracksideError) -> Response:
        asked_wrongly = flask_request.method != "GET" or error.where.startswith("?")
        return _error(error, 400 if asked_wrongly else 404)

    @app.errorhandler(500)
    def broken(error: Exception) -> Response:
        original = getattr(error, "original_exception", None) or error
        lab.errors.append(original)
        text = f"{type(original).__name__}: {original}"
        return _error(TracksideError(text, flask_request.path, "this is a fault of trackside: please report it"), 500)

    @app.errorhandler(404)
    @app.errorhandler(405)
    def unknown(error: Exception) -> Response:  # noqa: ARG001 - Flask hands it over
        paths = sorted(f"{path}" for path in PATHS)
        text = f"{flask_request.method} {flask_request.path} does not exist here"
        return _error(TracksideError(text, "admin", "use one of: " + ", ".join(paths)), 404)

    for path, (method, function) in PATHS.items():
        app.add_url_rule(path, path, _bound(function, lab), methods=[method])
    return app


def _bound(function: Callable[..., Any], lab: Lab) -> Callable[..., Response]:
    def view(**parts: str) -> Response:
        return _json(function(lab, **parts))

    return view


def _guard(lab: Lab, *, local: bool) -> Response | None:
    host = urlsplit(f"//{flask_request.host}").hostname
    if local and host not in LOOPBACK:
        return _error(TracksideError(f"the host {host!r} is not this machine", "Host", "ask 127.0.0.1"), 403)
    if flask_request.headers.get("Origin") and flask_request.headers["Origin"] != flask_request.host_url.rstrip("/"):
        return _error(TracksideError("cross-origin requests are not answered", "Origin", "ask from a program"), 403)
    if not local:
        given = flask_request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), lab.admin_token.encode()):
            return _error(TracksideError("the token is missing or wrong", "Authorization", "send Bearer and the token that serve printed"), 401)  # fmt: skip
    return None


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE), status, mimetype="application/json")


def _error(error: TracksideError, status: int) -> Response:
    return _json({"error": _clauses(error)}, status)


def _clauses(error: TracksideError) -> dict[str, Any]:
    told: dict[str, Any] = {"what": error.what, "where": error.where, "fix": error.fix}
    if isinstance(error, WorkspaceError):
        told["faults"] = [_clauses(fault) for fault in error.faults]
    return told


def _query(name: str) -> str | None:
    return flask_request.args.get(name) or None


def _flag(name: str) -> bool:
    return flask_request.args.get(name, "").lower() in ("1", "true", "yes")


def _limited(rows: Iterable[Any]) -> list[Any]:
    """Return at most ``?limit=`` rows."""
    text = flask_request.args.get("limit") or str(DEFAULT_ROWS)
    if not text.isdecimal() or len(text) > 9:
        raise TracksideError(f"limit is {text!r}", "?limit=", "give a whole number from 0 to 999999999")
    return list(islice(rows, int(text)))


def _body() -> dict[str, Any]:
    try:
        value = orjson.loads(flask_request.get_data() or b"{}")
    except orjson.JSONDecodeError as error:
        raise TracksideError(f"the body is not JSON: {error}", "$", "send a JSON object") from error
    if not isinstance(value, dict):
        raise TracksideError("the body is not a JSON object", "$", "send a JSON object")
    return value


def _given(body: dict[str, Any], name: str, default: Any, kind: type, wanted: str) -> Any:
    """Return a field of a body, checked; a whole number will do where a number is wanted."""
    value = body.get(name, default)
    kinds = (int, float) if kind is float else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and kind is not bool):
        raise TracksideError(f"{name} is {value!r}", f"$.{name}", f"give {wanted}")
    if isinstance(value, int | float) and not 0 <= value < float("inf"):
        raise TracksideError(f"{name} is {value!r}", f"$.{name}", f"give {wanted}")
    return value


def _known_fields(body: dict[str, Any], *names: str) -> None:
    """Raise a `TracksideError` for a field that nobody reads."""
    for name in body:
        if name not in names:
            raise TracksideError(f"{name!r} is not known", f"$.{name}", "use: " + ", ".join(names))


def _vendor_name(lab: Lab, vendor: str) -> str:
    if vendor not in lab.mocks:
        raise TracksideError(f"there is no vendor {vendor!r}", "the path", "use one of: " + ", ".join(lab.mocks))
    return vendor


def _health(lab: Lab) -> Any:
    """Whether it is up, and every address."""
    return {"status": "ok", "urls": lab.urls}


def _stats(lab: Lab) -> Any:
    """Counts: what the journal holds, and what waits for a retry."""
    return lab.stats()


def _journeys(lab: Lab) -> Any:
    """All journeys, the newest first: ``?message_id= &user= &vendor= &drops=1 &limit=``."""
    found = lab.journeys(
        message_id=_query("message_id"),
        user=_query("user"),
        vendor=_query("vendor"),
        drops=_flag("drops"),
        newest_first=True,
    )
    return [journey.as_json() for journey in _limited(found)]


def _journey(lab: Lab, message_id: str) -> Any:
    """The first journey of a messageId; 404 where there is none."""
    return lab.journey(message_id).as_json()


def _records(lab: Lab, vendor: str) -> Any:
    """What a vendor keeps, the newest first: ``?limit=``."""
    return [showable(kept.record) for kept in _limited(lab.kept(_vendor_name(lab, vendor), newest_first=True))]


def _exchanges(lab: Lab) -> Any:
    """Requests as they came, the newest first: ``?vendor= &limit=``."""
    rows = reversed(lab.exchanges(_query("vendor")))
    return [_shown(lab, row) for row in _limited(rows)]


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
    }


def _findings(lab: Lab) -> Any:
    """Errors and warnings, oldest first: ``?notes=1 &limit=``."""
    return [finding.as_json() for finding in _limited(lab.findings(notes=_flag("notes")))]


def _workspace(lab: Lab) -> Any:
    """The workspace in force, as it was written."""
    return lab.workspace.document


def _configure(lab: Lab) -> Any:
    """Put another workspace in force, the body as JSON; the answer has the notes on it."""
    lab.configure(_body())
    return {"notes": [step_json(note) for note in lab.workspace.notes]}


def _reset(lab: Lab) -> Any:
    """Forget every message, record, fault and seen id; the workspace stays."""
    lab.reset()
    return lab.stats()


def _settle(lab: Lab) -> Any:
    """Wait until nothing is due and nothing under way: ``{timeout}`` in seconds."""
    body = _body()
    _known_fields(body, "timeout")
    lab.settle(_given(body, "timeout", 10, float, "seconds"))
    return lab.stats()


def _advance(lab: Lab) -> Any:
    """Move the lab's clock ahead: ``{seconds}``."""
    body = _body()
    _known_fields(body, "seconds")
    lab.advance(_given(body, "seconds", None, float, "a number of seconds, not below 0"))
    return {"now": iso(in_ms(lab.clock.now()))}


def _fail(lab: Lab, vendor: str) -> Any:
    """Let a vendor's next requests fail: ``{status, times, error, body, headers, seconds}``; ``times`` null for all."""
    mock, body = lab.mocks[_vendor_name(lab, vendor)], _body()
    _known_fields(body, "status", "times", "error", "body", "headers", "seconds")
    status = _given(body, "status", 500, int, "an HTTP status from 200 to 599")
    error = _given(body, "error", "", str, "one of " + ", ".join(FAULT_ERRORS))
    times = None if body.get("times", 1) is None else _given(body, "times", 1, int, "a whole number, or null for all")
    if times == 0:
        raise TracksideError("times is 0", "$.times", "give a number above 0, or null for all")
    if not 200 <= status <= 599:
        raise TracksideError(f"status is {status}", "$.status", "give an HTTP status from 200 to 599")
    if error and error not in FAULT_ERRORS:
        raise TracksideError(f"error is {error!r}", "$.error", "give one of " + ", ".join(FAULT_ERRORS))
    headers = _given(body, "headers", {}, dict, "an object of texts")
    mock.fail(
        status,
        times=times,
        error=error,
        body=_given(body, "body", "", str, "text").encode(),
        headers={str(name): str(value) for name, value in headers.items()},
        seconds=_given(body, "seconds", 30.0, float, "seconds"),
    )
    return {"faults": len(mock.faults)}


def _recover(lab: Lab, vendor: str) -> Any:
    """Take every fault of a vendor away."""
    lab.mocks[_vendor_name(lab, vendor)].recover()
    return {"faults": 0}


def _wait(lab: Lab) -> Any:
    """Wait until a vendor keeps ``count`` records that match: ``{vendor, match, count, timeout}``."""
    from trackside.expect import wait_for  # noqa: PLC0415 - only this path needs it

    body = _body()
    _known_fields(body, "vendor", "match", "count", "timeout")
    return wait_for(
        lab,
        _vendor_name(lab, _given(body, "vendor", None, str, "one of " + ", ".join(lab.mocks))),
        _given(body, "match", {}, dict, "an object"),
        count=_given(body, "count", 1, int, "a whole number"),
        timeout=_given(body, "timeout", 5, float, "seconds"),
    )


def _flags(lab: Lab) -> Any:
    """Every flag as it stands: ``?vendor=``; gates, dynamic configs, experiments and layers of Statsig among them."""
    vendor = _query("vendor")
    names = [_vendor_name(lab, vendor)] if vendor else list(lab.mocks)
    return [row for name in names for row in lab.mocks[name].flags()]


def _set_flag(lab: Lab, vendor: str, name: str) -> Any:
    """Change a flag, and tell connected SDKs: ``{serve, on, environment, kind, user}``; ``serve`` is a value, or percentages by value."""
    body = _body()
    _known_fields(body, "serve", "on", "environment", "kind", "user")
    if "serve" not in body and "on" not in body:
        raise TracksideError("the body says neither serve nor on", "$", 'send {"serve": …} or {"on": true}')
    return lab.mocks[_vendor_name(lab, vendor)].set_flag(name, **body)


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
"""Every path of the control API, with its method."""
