"""Segment's destination "LaunchDarkly": track calls become custom events, identify and alias calls alias events.

Follows `actions-launchdarkly` of @segment/action-destinations. Each event is one request to LaunchDarkly's events
service, whose only credential is the client-side ID in the path.

Rules: launchdarkly.in.track, .client-side-id, .context-key, .additional-context-keys, .event-key-exact,
.metric-value, .properties, .timestamp, .identify; segment.nulls.
"""

from __future__ import annotations

import math
from typing import Any

import orjson

from trackside.segment.actions.dates import milliseconds
from trackside.segment.actions.destination import Action, ActionDestination, Mapping, Perform
from trackside.segment.actions.fields import Field, Payload, defaults
from trackside.segment.actions.javascript import double, stringify, text
from trackside.segment.actions.launchdarkly_remarks import alias_remarks, track_remarks
from trackside.times import in_ms
from trackside.wire import Outgoing

DEFAULT_HOST = "events.launchdarkly.com"

HEADERS = {
    "user-agent": "SegmentDestination/2.2.0",
    "content-type": "application/json",
    "x-launchdarkly-event-schema": "4",
}

SETTINGS = (
    Field(
        "client_id",
        "LaunchDarkly client-side ID",
        "string",
        required=True,
        description="the environment that events go to",
        rule="launchdarkly.in.client-side-id",
    ),
    Field(
        "events_host_name",
        "LaunchDarkly events host name",
        "string",
        default=DEFAULT_HOST,
        description="where LaunchDarkly takes events",
        format="hostname",
    ),
)


def _first(path: str, other: str) -> dict[str, Any]:
    """Return the mapping of a value that exists, else another."""
    return {"@if": {"exists": {"@path": path}, "then": {"@path": path}, "else": {"@path": other}}}


_TIMESTAMP_FIX = "send ISO 8601 with an offset, such as 2024-05-01T10:00:00.000Z"

TRACK_FIELDS = (
    Field("context_kind", "Context Kind", "string", default="user", description="the kind of the event's context"),
    Field(
        "user_key",
        "Context Key",
        "string",
        required=True,
        default=_first("$.userId", "$.anonymousId"),
        description="the key of that context",
        rule="launchdarkly.in.context-key",
        fix="send a userId or an anonymousId; an empty userId hides the anonymousId",
    ),
    Field(
        "additional_context_keys",
        "Additional Context Keys",
        "object",
        default={"unauthenticatedUser": {"@path": "$.anonymousId"}},
        description="further context kinds, each with its key",
        rule="launchdarkly.in.additional-context-keys",
    ),
    Field(
        "event_name",
        "Event Name",
        "string",
        required=True,
        default={"@path": "$.event"},
        description="the event key of a LaunchDarkly metric",
        rule="launchdarkly.in.event-key-exact",
        fix="send the metric's event key as the event's name",
    ),
    Field(
        "metric_value",
        "Metric Value",
        "number",
        default=_first("$.properties.revenue", "$.properties.value"),
        description="the value that numeric metrics measure",
        rule="launchdarkly.in.metric-value",
        fix="send a number without currency or separators; the whole event is lost, not only its value",
    ),
    Field(
        "event_properties",
        "Event Properties",
        "object",
        default={"@path": "$.properties"},
        description="kept for LaunchDarkly's data export",
        rule="launchdarkly.in.properties",
    ),
    Field(
        "timestamp",
        "Event timestamp",
        "datetime",
        default={"@path": "$.timestamp"},
        description="when the event happened; now, where there is none",
        rule="launchdarkly.in.timestamp",
        fix=_TIMESTAMP_FIX,
    ),
)

_ALIAS_FIX = (
    "no metric is the poorer: LaunchDarkly does not use alias events. Disable the mapping Alias User to be rid of it"
)

ALIAS_FIELDS = (
    Field(
        "user_key",
        "User key",
        "string",
        required=True,
        default={"@path": "$.userId"},
        description="the user's key",
        rule="launchdarkly.in.identify",
        fix=_ALIAS_FIX,
        level="note",
    ),
    Field(
        "previous_key",
        "Anonymous ID",
        "string",
        required=True,
        default=_first("$.previousId", "$.anonymousId"),
        description="the key that the user had before",
        rule="launchdarkly.in.identify",
        fix=_ALIAS_FIX,
        level="note",
    ),
    Field(
        "timestamp",
        "Event Timestamp",
        "datetime",
        default={"@path": "$.timestamp"},
        description="when the event happened; now, where there is none",
        rule="launchdarkly.in.timestamp",
        fix=_TIMESTAMP_FIX,
        level="note",
    ),
)


def _events_url(settings: Payload) -> str:
    return f"https://{settings.get('events_host_name') or DEFAULT_HOST}/events/bulk/{settings['client_id']}"


def _body(events: list[dict[str, Any]]) -> bytes:
    try:
        return orjson.dumps(events)
    except TypeError:  # undefined inside an array, half a surrogate pair, a whole number beyond 64 bits
        return stringify(events).encode()


def _creation_date(payload: Payload, now: float) -> int:
    date = milliseconds(payload["timestamp"]) if "timestamp" in payload else None
    return in_ms(now) if date is None else date


def track_event(settings: Payload) -> Perform:
    """Return what the action Track Event does: it sends one custom event (launchdarkly.in.track)."""
    url = _events_url(settings)
    return lambda payload, now: Outgoing("POST", url, HEADERS.copy(), _body([_custom_event(payload, now)]))


def _custom_event(payload: Payload, now: float) -> dict[str, Any]:
    event: dict[str, Any] = {
        "kind": "custom",
        "key": payload["event_name"],
        "contextKeys": _context_keys(payload),
        "creationDate": _creation_date(payload, now),
    }
    if (value := payload.get("metric_value")) is not None:
        event["metricValue"] = double(value) if math.isfinite(value) else None  # as JSON.stringify has it
    event["data"] = payload.get("event_properties", {})
    return event


def _context_keys(payload: Payload) -> dict[str, str]:
    keys = {
        kind: key if type(key) is str else text(key) for kind, key in payload.get("additional_context_keys", {}).items()
    }
    keys[payload.get("context_kind") or "user"] = payload["user_key"]
    return keys


def alias_user(settings: Payload) -> Perform:
    """Return what the action Alias User does: it sends one alias event (launchdarkly.in.identify)."""
    url = _events_url(settings)
    return lambda payload, now: Outgoing("POST", url, HEADERS.copy(), _body([_alias_event(payload, now)]))


def _alias_event(payload: Payload, now: float) -> dict[str, Any]:
    return {
        "kind": "alias",
        "key": payload["user_key"],
        "previousKey": payload["previous_key"],
        "contextKind": "user",
        "previousContextKind": "anonymousUser",
        "creationDate": _creation_date(payload, now),
    }


TRACK_EVENT = Action("trackEvent", "Track Event", TRACK_FIELDS, track_event, track_remarks)
ALIAS_USER = Action("aliasUser", "Alias User", ALIAS_FIELDS, alias_user, alias_remarks)

LAUNCHDARKLY = ActionDestination(
    slug="actions-launchdarkly",
    names=("LaunchDarkly (Actions)", "LaunchDarkly", "LaunchDarkly (Actions) Destination"),
    settings=SETTINGS,
    actions=(TRACK_EVENT, ALIAS_USER),
    presets=(
        Mapping("trackEvent", "Track Event", 'type = "track"', defaults(TRACK_FIELDS)),
        Mapping("aliasUser", "Alias User", 'type = "identify" or type = "alias"', defaults(ALIAS_FIELDS)),
    ),
)
"""Both presets are on in a new destination (launchdarkly.in.mapping-enabled)."""
