"""The JSON control API: what happened, as the Python API tells it, and the lab's controls.

Reads are GET, controls are POST; every answer is JSON, every error ``{"error": {"what", "where", "fix"}}``, that of a
workspace with ``faults`` in the same form. It answers no cross-origin request, and on loopback only to loopback names (DNS rebinding); bound elsewhere it wants its token as
``Authorization: Bearer``.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson
from flask import Flask, Response
from flask import request as flask_request

from trackside.admin import (
    audience_paths,
    counting_paths,
    lab_paths,
    ownlayer_paths,
    recording_paths,
    segment_paths,
    statsig_paths,
)
from trackside.errors import TracksideError, WorkspaceError
from trackside.wire import LOOPBACK

if TYPE_CHECKING:
    from trackside.lab import Lab

PATHS: dict[str, tuple[str, Callable[..., Any]]] = {
    **lab_paths.PATHS,
    **audience_paths.PATHS,
    **counting_paths.PATHS,
    **ownlayer_paths.PATHS,
    **recording_paths.PATHS,
    **segment_paths.PATHS,
    **statsig_paths.PATHS,
}
"""Every path of the control API, with its method."""


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
