"""OwnLayer's error answers. Their codes and their shape are not public: ``{"detail": …}`` is assumed (ownlayer.errors)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackside.steps import Step
from trackside.wire import Answer, Request, json_answer

if TYPE_CHECKING:
    from trackside.ownlayer.settings import OwnLayerSettings


def no_key() -> Answer:
    """Return the 401 of a request without a key (ownlayer.auth)."""
    text = "the request carries no API key"
    return _refused(401, "Authentication credentials were not provided.", _key_fault(text))


def wrong_key(settings: OwnLayerSettings) -> Answer:
    """Return the 401 of a key that is not the organization's (ownlayer.auth)."""
    if settings.api_key:
        return _refused(401, "Invalid API key.", _key_fault("the API key is not that of the workspace"))
    return _refused(401, "Invalid API key.", _key_fault("the workspace declares no API key, so that none is right"))


def _key_fault(text: str) -> Step:
    fix = "send Authorization: Bearer and the workspace's ownlayer.api_key; the SDK takes it from OWNLAYER_API_KEY"
    return Step("fault", "ownlayer.auth", text, "the Authorization header", fix, "error")


def malformed(step: Step) -> Answer:
    """Return the 400 of a body that is no inference (ownlayer.malformed)."""
    return _refused(400, step.text, step)


def unknown_path(_request: Request, _settings: OwnLayerSettings) -> Answer:
    """Return the 404 of a path that is not there (ownlayer.unknown-path)."""
    return json_answer(404, {"detail": "Not found."})


def _refused(status: int, detail: str, step: Step) -> Answer:
    return json_answer(status, {"detail": detail}, steps=[step])
