"""The control API's paths that are Segment's tools: the catalogue, the Event Tester, Replay."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trackside.admin.asking import body, given, known_fields
from trackside.errors import TracksideError

if TYPE_CHECKING:
    from trackside.lab import Lab


def _catalog(lab: Lab) -> Any:
    """Segment's catalogue: each type of destination with its names, call types, settings, actions and presets."""
    return lab.segment.catalog()


def _event_tester(lab: Lab) -> Any:
    """Send one event to one destination: ``{destination, event}``; the answer has the requests, answers and mappings."""
    fields = body()
    known_fields(fields, "destination", "event")
    destination = given(fields, "destination", None, str, "the name of a destination")
    event = given(fields, "event", None, dict, "one Segment call as an object")
    return lab.segment.test_event(destination, event).as_json()


def _replay(lab: Lab) -> Any:
    """Send past messages to one destination: ``{destination, since, until, source, event, type}``."""
    fields = body()
    known_fields(fields, "destination", "since", "until", "source", "event", "type")
    given(fields, "destination", None, str, "the name of a destination")
    if fields.get("source") is not None and not isinstance(fields["source"], str):
        raise TracksideError(f"source is {fields['source']!r}", "$.source", "give the name of a source")
    return lab.segment.replay(**fields).as_json()


PATHS: dict[str, tuple[str, Callable[..., Any]]] = {
    "/catalog": ("GET", _catalog),
    "/event-tester": ("POST", _event_tester),
    "/replay": ("POST", _replay),
}
"""The paths of Segment's tools, each with its method."""
