"""LaunchDarkly's error answers: a status, and a JSON body whose ``message`` gives the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackside.wire import Answer, Request, json_answer

if TYPE_CHECKING:
    from trackside.launchdarkly.settings import LaunchDarklySettings
    from trackside.steps import Step


def invalid_request(*steps: Step, expected: str = "a JSON array of events") -> Answer:
    """Return the 400 of a body that is not what the path takes (launchdarkly.events.not-an-array)."""
    return json_answer(400, {"message": f"Invalid request body: {expected} is expected"}, steps=list(steps))


def unauthorized(step: Step) -> Answer:
    """Return the 401 of an SDK key, mobile key or access token that is unknown (launchdarkly.events.unknown-key)."""
    return json_answer(401, {"code": "unauthorized", "message": "Invalid credential"}, steps=[step])


def unknown_resource(step: Step) -> Answer:
    """Return the 404 of something that the path names and that does not exist."""
    return json_answer(404, {"code": "not_found", "message": "Unknown resource"}, steps=[step])


def schema_not_supported(step: Step) -> Answer:
    """Return the 406 of imported events in another schema than 4 (launchdarkly.import.schema-header)."""
    return json_answer(406, {"message": "Unsupported event schema version"}, steps=[step])


def too_large(step: Step) -> Answer:
    """Return the 413 of imported events above 10 MB (launchdarkly.import.size)."""
    return json_answer(413, {"message": "Request body is too large"}, steps=[step])


def unknown_client_side_id(step: Step) -> Answer:
    """Return the 404 of a client-side ID that no environment has (launchdarkly.events.unknown-client-side-id)."""
    return json_answer(404, {"message": "Unknown client-side ID"}, steps=[step])


def bad_request(message: str, step: Step) -> Answer:
    """Return the 400 of a context that cannot be read, or whose hash is wrong (launchdarkly.client.context)."""
    return json_answer(400, {"message": message}, steps=[step])


def not_json(step: Step) -> Answer:
    """Return the 415 of a context that is not sent as ``application/json`` (launchdarkly.client.content-type)."""
    return json_answer(415, {"message": "Content-Type must be application/json."}, steps=[step])


def not_ready(step: Step) -> Answer:
    """Return the 503 of flags that cannot be evaluated yet (launchdarkly.extra-missing)."""
    return json_answer(503, {"message": "Service not initialized"}, steps=[step])


def unknown_path(_request: Request, _settings: LaunchDarklySettings) -> Answer:
    """Return the 404 of a path that is not there (launchdarkly.unknown-path)."""
    return json_answer(404, {"message": "Invalid resource identifier"})
