"""From an evaluated inference to Segment: one ``track`` call, or why there is none. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trackside.exports import Exported
from trackside.ownlayer import metadata
from trackside.steps import Message, Record, Step, drop
from trackside.telling import shown
from trackside.times import epoch_ms, iso

if TYPE_CHECKING:
    from trackside.ownlayer.metadata import Attributes
    from trackside.ownlayer.settings import OwnLayerSettings, SegmentIntegration

AGENT = "OwnLayer"
"""The user agent of what goes to Segment; assumed (ownlayer.metadata)."""

MILLISECONDS = 100_000_000_000
"""Moments below this many milliseconds, in March 1973, were written in seconds."""


def exported(records: Iterable[Record], settings: OwnLayerSettings) -> Exported:
    """Return the Segment calls of the evaluations among some records, and a step for each that makes none.

    Requests that fail are sent again on Segment's schedule (ownlayer.out.retry), but for those that it refuses for good
    (ownlayer.out.refused).
    """
    made = Exported(agent=AGENT)
    for record in records:
        if record["kind"] == "evaluation":
            message, steps = segment_call(record, settings.segment)
            made.steps.extend(steps)
            if message is not None:
                made.add(settings.segment.write_key, message)
    return made


def segment_call(evaluation: Record, integration: SegmentIntegration) -> tuple[Message | None, list[Step]]:
    """Return the ``track`` call of an evaluation, or None and a drop; with what was assumed.

    Args:
        evaluation: as `trackside.ownlayer.records.evaluation` makes it.
        integration: the organization's settings.

    Source: OwnLayer, "Segment".
    """
    if refused := _refused(evaluation, integration):
        return None, [refused]
    attributes, steps = metadata.read(evaluation)
    steps = [replace(step, level="note") for step in steps]  # what is a warning was one when the inference came
    if attributes is None:
        return None, steps
    event, named = _event(attributes, evaluation["event"])
    timestamp, timed = _timestamp(evaluation)
    message: Message = {
        "type": "track",
        "messageId": f"ownlayer-{evaluation['id']}",
        "userId": attributes.user_id,
        "event": event,
        "timestamp": timestamp,
        "context": {"library": {"name": integration.library}},
    }
    properties = _properties(attributes, evaluation, integration.added_properties)
    optional = {"properties": properties, "integrations": attributes.integrations}
    message.update((name, value) for name, value in optional.items() if value is not None)
    return message, [*steps, *named, *timed]


def _refused(evaluation: Record, integration: SegmentIntegration) -> Step | None:
    if not integration.write_key:
        text = "the Segment integration is not set up: nothing goes to Segment"
        fix = "set ownlayer.segment.write_key in the workspace to the write key of a source"
        return drop("ownlayer.write-key", text, fix=fix, level="note")
    event = evaluation["event"]
    if integration.events is not None and event not in integration.events:
        chosen = ", ".join(integration.events) or "none"
        text = f"{shown(event)} is not among the events that are sent to Segment: {chosen}"
        return drop("ownlayer.event-choice", text, fix="choose it in ownlayer.segment.events", level=None)
    return None


def _event(attributes: Attributes, own: str) -> tuple[str, list[Step]]:
    """Return the name of the event (ownlayer.event-optional)."""
    at = f"{metadata.SEGMENT}.event"
    if not attributes.event:
        text = f"segment names no event: it is called {shown(own)}"
        return own, [Step("assumed", "ownlayer.event-optional", text, at, "give segment.event", "note")]
    if attributes.event == own:
        return own, []
    text = f"{shown(own)} is called {shown(attributes.event)}"
    return attributes.event, [Step("rename", "ownlayer.event-optional", text, at)]


def _timestamp(evaluation: Record) -> tuple[str, list[Step]]:
    """Return when it happened: the end of the inference, else its receipt (ownlayer.timestamp)."""
    end = evaluation.get("end_time")
    milliseconds = epoch_ms(end, 0) if isinstance(end, int | float) else None
    ended = iso(milliseconds) if milliseconds is not None else ""
    if milliseconds is None or not ended:
        text = f"the inference has no end_time that can be read ({shown(end)}): the time of its receipt is used"
        return iso(evaluation["received_at"]), [_time_step("assumed", text, "note")]
    if milliseconds < MILLISECONDS:
        return ended, [_time_step("info", f"end_time {shown(end)} is {ended}, read as milliseconds", "warning")]
    return ended, []


def _time_step(kind: Any, text: str, level: Any) -> Step:
    return Step(kind, "ownlayer.timestamp", text, "$.end_time", "give it in epoch milliseconds", level)


def _properties(attributes: Attributes, evaluation: Record, added: str) -> dict[str, Any] | None:
    """Return the caller's properties as they came (ownlayer.properties), with OwnLayer's own (ownlayer.properties.added)."""
    if not added:
        return attributes.properties
    own = {name: evaluation[name] for name in ("inference", "result", "evaluator", "score") if name in evaluation}
    return {added: own, **(attributes.properties or {})}
