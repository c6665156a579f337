"""LaunchDarkly's error answers: a status, and a JSON body whose ``message`` gives the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackside.wire import Answer, Request, json_answer

if TYPE_CHECKING:
    from trackside.launchdarkly.settings import LaunchDarklySettings
    from trackside.steps import Step


def invalid_request(step: Step) -> Answer:
    """Return the 400 of a body that is no JSON array (launchdarkly.events.not-an-array)."""
    return json_answer(400, {"message": "Invalid request body: a JSON array of events is expected"}, steps=[step])


def unknown_client_side_id(step: Step) -> Answer:
    """Return the 404 of a client-side ID that no environment has (launchdarkly.events.unknown-client-side-id)."""
    return json_answer(404, {"message": "Unknown client-side ID"}, steps=[step])


def unknown_path(_request: Request, _settings: LaunchDarklySettings) -> Answer:
    """Return the 404 of a path that is not there (launchdarkly.unknown-path)."""
    return json_answer(404, {"message": "Invalid resource identifier"})
