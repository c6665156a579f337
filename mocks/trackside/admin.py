"""The JSON control API: what happened, as the Python API tells it, and the lab's controls.

Reads are GET, controls are POST; every answer is JSON, every error ``{"error": {"what", "where", "fix"}}``. It answers
no cross-origin request, and on loopback only to loopback names (DNS rebinding); bound elsewhere it wants its token as
``Authorization: Bearer``.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, Response
from flask import request as flask_request

from trackside import rules
from trackside.errors import TracksideError
from trackside.journeys import redacted
from trackside.segment.ingest import iso

if TYPE_CHECKING:
    from trackside.journal import Exchange
    from trackside.lab import Lab

DEFAULT_ROWS = 100
_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
_FAULT_FIELDS = ("status", "times", "error", "body", "headers", "seconds")


def make_admin(lab: Lab, *, local: bool) -> Flask:
    """Return the Flask application of the control API.

    Args:
        lab: what it controls.
        local: whether it is bound to loopback; elsewhere it wants ``lab.admin_token``.
    """
    app = Flask("trackside-admin", static_folder=None)

    @app.before_request
    def guard() -> Response | None:
        return _guard(lab, local=local)

    @app.errorhandler(TracksideError)
    def told(error: TracksideError) -> Response:
        return _error(error, 404 if flask_request.method == "GET" else 400)

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
    host = flask_request.host.rpartition(":")[0] or flask_request.host
    if local and host not in _LOCAL_NAMES:
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
    return _json({"error": {"what": error.what, "where": error.where, "fix": error.fix}}, status)


def _query(name: str) -> str | None:
    return flask_request.args.get(name) or None


def _flag(name: str) -> bool:
    return flask_request.args.get(name, "").lower() in ("1", "true", "yes")


def _number(name: str, default: float) -> float:
    text = flask_request.args.get(name)
    try:
        return float(text) if text else default
    except ValueError as error:
        raise TracksideError(f"{name} is {text!r}, no number", f"?{name}=", "give a number") from error


def _limited(rows: Iterable[Any]) -> list[Any]:
    """Return at most ``?limit=`` rows."""
    return list(islice(rows, int(_number("limit", DEFAULT_ROWS))))


def _body() -> dict[str, Any]:
    try:
        value = orjson.loads(flask_request.get_data() or b"{}")
    except orjson.JSONDecodeError as error:
        raise TracksideError(f"the body is not JSON: {error}", "$", "send a JSON object") from error
    if not isinstance(value, dict):
        raise TracksideError("the body is not a JSON object", "$", "send a JSON object")
    return value


def _vendor_name(lab: Lab, vendor: str) -> str:
    if vendor not in lab.mocks:
        raise TracksideError(f"there is no vendor {vendor!r}", "the path", "use one of: " + ", ".join(lab.mocks))
    return vendor


def _health(lab: Lab) -> Any:
    return {"status": "ok", "urls": lab.urls}


def _stats(lab: Lab) -> Any:
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
    return lab.journey(message_id).as_json()


def _records(lab: Lab, vendor: str) -> Any:
    """What a vendor keeps, the newest first: ``?limit=``."""
    return [kept.record for kept in _limited(lab.kept(_vendor_name(lab, vendor), newest_first=True))]


def _exchanges(lab: Lab) -> Any:
    """Requests as they came, the newest first: ``?vendor= &limit=``."""
    rows = reversed(lab.exchanges(_query("vendor")))
    return [_shown(lab, row) for row in _limited(rows)]


def _shown(lab: Lab, row: Exchange) -> dict[str, Any]:
    request = row.request
    return {
        "seq": row.seq,
        "vendor": row.vendor,
        "at": iso(int(request.at * 1000)),
        "method": request.method,
        "path": request.path,
        "query": dict(request.query),
        "headers": redacted(request.headers),
        "body": request.body.decode("utf-8", "replace"),
        "status": row.status,
        "answer": row.answer.decode("utf-8", "replace"),
        "steps": [step.as_json() for step in lab.steps_of(row)],
    }


def _findings(lab: Lab) -> Any:
    """Errors and warnings, oldest first: ``?notes=1 &limit=``."""
    return [finding.as_json() for finding in _limited(lab.findings(notes=_flag("notes")))]


def _workspace(lab: Lab) -> Any:
    return lab.workspace.document


def _configure(lab: Lab) -> Any:
    lab.configure(_body())
    return {"notes": [note.as_json() for note in lab.workspace.notes]}


def _reset(lab: Lab) -> Any:
    lab.reset()
    return lab.stats()


def _settle(lab: Lab) -> Any:
    lab.settle(float(_body().get("timeout", 10)))
    return lab.stats()


def _advance(lab: Lab) -> Any:
    seconds = _body().get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        raise TracksideError(f"seconds is {seconds!r}", "$.seconds", "give a number of seconds, not below 0")
    lab.advance(seconds)
    return {"now": iso(int(lab.clock.now() * 1000))}


def _fail(lab: Lab, vendor: str) -> Any:
    body = _body()
    unknown = sorted(set(body) - set(_FAULT_FIELDS))
    if unknown:
        raise TracksideError(f"{unknown[0]!r} is not known", "$", "use: " + ", ".join(_FAULT_FIELDS))
    if "body" in body:
        body["body"] = str(body["body"]).encode()
    lab.mocks[_vendor_name(lab, vendor)].fail(**body)
    return {"faults": len(lab.mocks[vendor].faults)}


def _recover(lab: Lab, vendor: str) -> Any:
    lab.mocks[_vendor_name(lab, vendor)].recover()
    return {"faults": 0}


def _wait(lab: Lab) -> Any:
    """Wait until a vendor keeps ``count`` records that match: ``{vendor, match, count, timeout}``."""
    from trackside.expect import wait_for  # noqa: PLC0415 - only this path needs it

    body = _body()
    return wait_for(
        lab,
        _vendor_name(lab, str(body.get("vendor", ""))),
        dict(body.get("match", {})),
        count=int(body.get("count", 1)),
        timeout=float(body.get("timeout", 5)),
    )


def _rules(lab: Lab) -> Any:  # noqa: ARG001 - every path has this shape
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
