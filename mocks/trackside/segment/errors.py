"""Segment's answers: the one success body, and the errors its clients can see.

A JSON error body holds both ``code`` and ``message``: older Python clients fail on one that does not, and send again.
"""

from __future__ import annotations

from trackside.segment import public_api
from trackside.steps import Step
from trackside.wire import Answer, Request, json_answer

SUCCESS = b'{"success":true}'


def success() -> Answer:
    """Return Segment's answer to every accepted call: exactly 200, as older clients take others for failures (segment.answer.success)."""
    return Answer(200, SUCCESS, {"Content-Type": "application/json"})


def bad_request(message: str, step: Step) -> Answer:
    """Return the 400 of an oversized or unreadable request (the body's wording is assumed: segment.answer.bad-request)."""
    return json_answer(400, {"code": "invalid_request", "message": message}, steps=[step])


def unauthorized(message: str, step: Step) -> Answer:
    """Return the 401 that makes a client with OAuth fetch a new token."""
    return json_answer(401, {"code": "unauthorized", "message": message}, steps=[step])


def unknown_path(request: Request, segment: object) -> Answer:  # noqa: ARG001 - every vendor's takes both
    """Return Segment's 404 (segment.unknown-path), to a program that calls the Public API in that one's shape."""
    if request.bearer() is not None and not request.path.startswith("/v1/"):
        return public_api.unknown_path(request)
    return json_answer(404, {"success": False})
