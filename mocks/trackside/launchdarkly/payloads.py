"""The payload IDs of events that came before: a repeat is answered like the first and kept once."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from trackside.steps import Step
from trackside.wire import Answer, Request

if TYPE_CHECKING:
    from trackside.launchdarkly.store import LaunchDarkly

LIMIT = 10_000
"""IDs that are remembered; the oldest go first. An SDK repeats a batch after a second, a test sooner."""

HEADER = "x-launchdarkly-payload-id"


class SeenPayloads:
    """The payload IDs that were accepted, each for the path that it came to.

    Args:
        limit: how many are remembered.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._seen: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    def repeated(self, request: Request) -> bool:
        """Return whether a request's payload ID came before with the same credential, and remember it."""
        key = (request.path, request.headers.get("authorization", ""), request.headers[HEADER])
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > self._limit:
            self._seen.popitem(last=False)
        return False

    def reset(self) -> None:
        """Forget every ID."""
        self._seen.clear()

    def __len__(self) -> int:
        return len(self._seen)


def ignore_repeated(request: Request, answer: Answer, live: LaunchDarkly) -> Answer:
    """Return the answer to accepted events, without records where their payload ID came before (launchdarkly.events.payload-id).

    An SDK that saw no answer sends a batch once more with the same ID; LaunchDarkly answers 202 and counts it once. What
    was refused is not remembered, and events without an ID are never taken for a repeat.
    """
    if answer.status >= 300 or not request.headers.get(HEADER) or not live.payloads.repeated(request):
        return answer
    text = f"the payload ID {request.headers[HEADER]} came before; the events are accepted and not kept again"
    fix = "send a new UUID with each new batch; repeat one only to try again"
    step = Step("info", "launchdarkly.events.payload-id", text, "X-LaunchDarkly-Payload-ID header", fix, "note")
    return Answer(answer.status, answer.body, answer.headers, steps=[step], told=True)
