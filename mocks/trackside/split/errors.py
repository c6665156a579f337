"""Split's error answers, and the 501 and 403 that Segment's partner contract asks of a destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackside.steps import Step
from trackside.wire import Answer, Request, json_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trackside.split.settings import SplitSettings


def bad_event(step: Step) -> Answer:
    """Return the 400 of a body that is no Segment call (split.in.malformed)."""
    return _refused(400, step.text, step)


def key_missing() -> Answer:
    """Return the 401 of a delivery without an API key (split.in.api-key)."""
    text = "the delivery carries no API key"
    fix = "put the configuration's key in the Split destination's API Key setting"
    return _refused(401, "API key missing", _key_fault(text, fix))


def key_not_valid() -> Answer:
    """Return the 403 of a delivery whose key no configuration has (split.in.api-key)."""
    text = "no configuration of Harness FME has this API key"
    fix = "copy the key of one of split.segment_inbound into the Split destination's API Key setting"
    return _refused(403, "API key not valid", _key_fault(text, fix))


def _key_fault(text: str, fix: str) -> Step:
    return Step("fault", "split.in.api-key", text, "the Authorization header's user name", fix, "error")


def call_not_supported(kind: str, steps: list[Step]) -> Answer:
    """Return the 501 of a call type that FME does not process, such as alias (split.in.unsupported)."""
    return json_answer(501, {"message": f"{kind} calls are not supported"}, steps=steps)


def unknown_path(request: Request, _settings: SplitSettings, paths: Sequence[str] = ()) -> Answer:
    """Return the 404 of a path that is not there (split.unknown-path).

    Args:
        request: what was asked.
        paths: the paths that exist, for the finding.
    """
    text = f"{request.method} {request.path} does not exist here"
    fix = f"use one of: {', '.join(paths)}" if paths else "see the list of paths in the documentation"
    step = Step("fault", "split.unknown-path", text, request.path, fix, "error")
    return json_answer(404, {"code": 404, "message": "Not found"}, steps=[step])


def _refused(status: int, message: str, step: Step) -> Answer:
    return json_answer(status, {"message": message}, steps=[step])
