from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from trackside.wire import Request

if TYPE_CHECKING:
    from trackside.lab import Lab
    from trackside.wire import Answer

Send = Callable[..., "Answer"]


def post(lab: Lab, vendor: str, path: str, body: Any, **headers: str) -> Answer:
    return lab.receive(vendor, Request("POST", path, headers, orjson.dumps(body)))


def track(lab: Lab, user: str, event: str, **fields: Any) -> Answer:
    """Send one track call as Segment gets it; other fields, such as messageId or properties, by name."""
    call = {"writeKey": "wk_web", "userId": user, "event": event, **fields}
    return post(lab, "segment", "/v1/track", call)


@pytest.fixture
def send(trackside: Lab) -> Send:
    """Return a function that sends a track call of user-1 to the lab: an event name, then fields of the call."""

    def of_user(event: str, user: str = "user-1", **fields: Any) -> Answer:
        return track(trackside, user, event, **fields)

    return of_user


@pytest.fixture
def post_to(trackside: Lab) -> Send:
    """Return a function that posts JSON to a path of a vendor."""

    def to(vendor: str, path: str, body: Any, **headers: str) -> Answer:
        return post(trackside, vendor, path, body, **headers)

    return to
