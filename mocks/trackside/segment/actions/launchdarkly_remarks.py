"""What a person should know about a request to LaunchDarkly that Segment makes without complaint.

Each remark is a `Step` at the place in the message where the surprise begins. They are found by comparing what was
mapped with what is sent, so they hold for users' own mappings too.
"""

from __future__ import annotations

import math
import re

from trackside.segment.actions.dates import milliseconds
from trackside.segment.actions.fields import Payload
from trackside.steps import Level, Message, Step

_DIGITS = re.compile(r"[+-]?[0-9.]+")
_OFFSET = re.compile(r"(?:Z|[+-][0-9]{2}:?[0-9]{2}|GMT|UTC)\s*$", re.IGNORECASE)
_SECONDS_BELOW = 100_000_000_000
"""Numbers below this are taken for seconds by whoever sent them: as milliseconds they lie before March 1973."""


def track_remarks(message: Message, mapped: Payload, sent: Payload) -> list[Step]:
    """Return the remarks on one custom event."""
    steps: list[Step] = []
    if message.get("userId") is None or "additional_context_keys" in sent:
        _key_remarks(message, mapped, sent, steps)
    name = sent["event_name"]
    if name is not mapped["event_name"] or name != name.strip():
        _name_remark(mapped["event_name"], name, steps)
    if mapped.get("metric_value") is not sent.get("metric_value"):
        _value_remark(message, mapped["metric_value"], sent.get("metric_value"), steps)
    if "timestamp" in sent:
        _timestamp_remark(sent["timestamp"], steps)
    return steps


def alias_remarks(message: Message, mapped: Payload, sent: Payload) -> list[Step]:
    """Return the remarks on one alias event; that no metric uses it is LaunchDarkly's to say."""
    del message, mapped
    steps: list[Step] = []
    if "timestamp" in sent:
        _timestamp_remark(sent["timestamp"], steps)
    return steps


def _key_remarks(message: Message, mapped: Payload, sent: Payload, steps: list[Step]) -> None:
    user_id, anonymous_id = message.get("userId"), message.get("anonymousId")
    if user_id is None and mapped["user_key"] == anonymous_id:
        text = (
            "there is no userId, so the anonymousId is the key of both kinds, unauthenticatedUser and the context's own"
        )
        fix = "evaluate flags with the anonymousId too, or send a userId"
        steps.append(Step("info", "launchdarkly.in.context-key", text, "$.anonymousId", fix, "note"))
    kind = sent.get("context_kind") or "user"
    for other, key in sent.get("additional_context_keys", {}).items():
        if type(key) is not str or other == kind:
            _other_key_remark(other, key, kind, steps)


def _other_key_remark(other: str, key: object, kind: str, steps: list[Step]) -> None:
    at = "$.anonymousId" if other == "unauthenticatedUser" else f"additional context key {other}"
    rule = "launchdarkly.in.additional-context-keys"
    if other == kind:
        text = f"the additional context key of kind {kind!r} gives way to the event's own key of that kind"
        steps.append(Step("cut", rule, text, at, "give it another kind", "note"))
    elif key is None:
        text = f"null becomes the text 'null' as key of kind {other!r}, the same for everyone"
        fix = "set segment.nulls to strip, or leave the field out instead of sending null"
        # Only a note: Segment's own Python SDK sends the unused id as null with every call.
        steps.append(Step("assumed", "segment.nulls", text, at, fix, "note"))
    elif isinstance(key, (dict, list)):
        text = f"{key!r} becomes a text as key of kind {other!r}: objects all give '[object Object]'"
        steps.append(Step("rename", rule, text, at, "map a text", "warning"))


def _name_remark(given: object, name: str, steps: list[Step]) -> None:
    rule, fix = "launchdarkly.in.event-key-exact", "the metric's event key has to be exactly that"
    if name is not given:
        steps.append(Step("rename", rule, f"{given!r} becomes the text {name!r}", "$.event", fix, "note"))
    else:
        text = f"the blanks around {name!r} are kept, so a metric's event key without them does not match"
        steps.append(Step("info", rule, text, "$.event", "send the name without them", "warning"))


def _value_remark(message: Message, given: object, value: float | None, steps: list[Step]) -> None:
    rule, at = "launchdarkly.in.metric-value", _value_at(message)
    if value is None and given == "":
        text = "an empty text is removed: the event has no metricValue, and nothing else is used in its place"
        steps.append(Step("cut", rule, text, at, "leave it out, or send a number", "warning"))
    elif value is not None and not math.isfinite(value):
        text = f"{given!r} is infinite, which JSON cannot hold: metricValue is null"
        steps.append(Step("cut", rule, text, at, "send a finite number", "warning"))
    elif value is not None:
        level: Level = "note" if isinstance(given, str) and given.strip() else "warning"
        steps.append(Step("rename", rule, f"{given!r} is read as the number {value!r}", at, "send a number", level))


def _value_at(message: Message) -> str:
    properties = message.get("properties")
    revenue = isinstance(properties, dict) and properties.get("revenue") is not None
    return "$.properties.revenue" if revenue else "$.properties.value"


def _timestamp_remark(timestamp: str | float, steps: list[Step]) -> None:
    if isinstance(timestamp, str) and timestamp.endswith("Z"):
        return
    date = milliseconds(timestamp)
    rule, fix = "launchdarkly.in.timestamp", "send ISO 8601 with an offset, such as 2024-05-01T10:00:00.000Z"
    if date is None:
        text = f"{timestamp!r} is beyond JavaScript's dates: the event counts as happening now"
        steps.append(Step("assumed", rule, text, "$.timestamp", fix, "warning"))
    elif isinstance(timestamp, str) and _DIGITS.fullmatch(timestamp):
        text = f"the digits {timestamp!r} are misread as a calendar date, {date} in epoch milliseconds"
        steps.append(Step("rename", rule, text, "$.timestamp", fix, "warning"))
    elif not isinstance(timestamp, str) and abs(timestamp) < _SECONDS_BELOW:
        text = f"{timestamp!r} is taken as milliseconds, so the event lies near 1970"
        steps.append(Step("info", rule, text, "$.timestamp", fix, "warning"))
    elif isinstance(timestamp, str) and not _OFFSET.search(timestamp):
        text = f"{timestamp!r} has no offset and is read in UTC; Segment reads it in its process's own time zone"
        steps.append(Step("assumed", rule, text, "$.timestamp", fix, "note"))
