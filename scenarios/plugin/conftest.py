from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from trackside.wire import Request

if TYPE_CHECKING:
    from trackside.lab import Lab
    from trackside.wire import Answer


def post(lab: Lab, vendor: str, path: str, body: Any) -> Answer:
    return lab.receive(vendor, Request("POST", path, {}, orjson.dumps(body)))


@pytest.fixture
def send_to() -> Callable[..., Answer]:
    """Return a function that sends a track call of user-1 to a lab: an event name, then fields of the call."""

    def of_user(lab: Lab, event: str, user: str = "user-1", **fields: Any) -> Answer:
        return post(lab, "segment", "/v1/track", {"writeKey": "wk_web", "userId": user, "event": event, **fields})

    return of_user


@pytest.fixture
def send(trackside: Lab, send_to: Callable[..., Answer]) -> Callable[..., Answer]:
    """Return the same for the lab of the trackside fixture."""
    return lambda *words, **fields: send_to(trackside, *words, **fields)


@pytest.fixture
def post_to(trackside: Lab) -> Callable[..., Answer]:
    """Return a function that posts JSON to a path of a vendor."""
    return lambda vendor, path, body: post(trackside, vendor, path, body)
