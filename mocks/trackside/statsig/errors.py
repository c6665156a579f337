"""Statsig's error answers. Their shape toward Segment is not public: Segment asks its partners for ``message``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackside.wire import Answer, Request, json_answer

if TYPE_CHECKING:
    from trackside.statsig.settings import StatsigSettings
    from trackside.steps import Step


def refusal(status: int, message: str, steps: list[Step]) -> Answer:
    """Return a refusal as Segment asks its partners to word it: a status and ``{"message": …}`` (statsig.in.auth).

    Args:
        status: 400 malformed, 401 bad key, 403 not allowed, 501 call type not supported.
        message: what was wrong, for Segment's delivery log.
        steps: why, for the journey.
    """
    return json_answer(status, {"message": message}, steps=steps, headers=_headers())


def unknown_path(request: Request, _settings: StatsigSettings) -> Answer:
    """Return Statsig's 404, in the shape its Console API documents: ``status`` and ``message`` (statsig.unknown-path)."""
    value = {"status": 404, "message": f"Cannot {request.method} {request.path}"}
    return json_answer(404, value, headers=_headers())


def _headers() -> dict[str, str]:
    return {"Content-Type": "application/json; charset=utf-8"}
