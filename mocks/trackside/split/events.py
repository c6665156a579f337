"""Events as SDKs track them and as programs post them to the Events API. Pure functions.

Names, keys and properties follow the rules that events made from Segment follow (`trackside.split.limits`).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trackside.split.limits import event_properties, event_type, key, shown
from trackside.split.posts import Post, beaconed, posted, routes, under_bases
from trackside.split.settings import SegmentInbound
from trackside.steps import Mapped, Record, Step, drop
from trackside.times import in_ms
from trackside.wire import Answer, Request, json_answer

if TYPE_CHECKING:
    from trackside.split.settings import SplitSettings

_LIMITS = SegmentInbound(api_key="", environment="")
"""The limits of events, none of them switched."""

_REQUIRED = {
    "eventTypeId": "the event type, such as checkout",
    "trafficTypeName": "the traffic type, such as user",
    "key": "the key, such as a user's id",
    "timestamp": "the moment in epoch milliseconds",
}
FURTHEST_MS = 8_640_000_000_000_000
"""As far from 1970 as a JavaScript date reaches."""

SECONDS_BELOW = 10_000_000_000
"""A smaller number is taken as a moment in seconds: in milliseconds it would be before May 1970."""


def events(post: Post) -> Mapped:
    """Return the events of one bulk post; what is no event is dropped, the others are kept (split.events.required)."""
    found = [_event(one, f"$[{index}]", post) for index, one in enumerate(post.payload)]
    return Mapped([record for record in found if record is not None], post.steps)


def event(post: Post) -> Mapped:
    """Return the event of one single post to the Events API (split.events.single)."""
    found = _event(post.payload, "$", post)
    return Mapped([] if found is None else [found], post.steps)


def _event(one: Any, at: str, post: Post) -> Record | None:
    """Return an event as FME keeps it, beside Segment's; None where it is dropped, the steps say why.

    Its ``source`` tells where it came from: ``SDK``, or ``API`` where no SDK names itself (split.events.source).
    """
    if (missing := _missing(one, at)) is not None:
        post.steps.append(missing)
        return None
    steps: list[Step] = []
    type_id, text = _event_type(one["eventTypeId"], steps), _key(one["key"], steps)
    record = None
    if type_id is not None and text is not None:
        record = {
            "kind": "event",
            "eventTypeId": type_id,
            "trafficTypeName": _traffic_type(one["trafficTypeName"], post.settings, steps),
            "key": text,
            "value": _value(one.get("value"), steps),
            "timestamp": _timestamp(one["timestamp"], post.at, steps),
            "properties": _properties(one.get("properties"), steps),
            "environmentName": _environment(one.get("environmentName"), post.environment, steps),
            "source": "SDK" if post.sender["sdk"] else "API",
            "foreignId": None,
            **post.sender,
        }
    post.steps.extend(replace(step, at=at + step.at[1:]) for step in steps)
    return record


def _missing(one: Any, at: str) -> Step | None:
    if not isinstance(one, dict):
        return drop("split.events.required", f"{shown(one)} is no event", at=at, fix="send objects", level="error")
    for name, meaning in _REQUIRED.items():
        if one.get(name) in (None, "") or (name == "trafficTypeName" and not isinstance(one[name], str)):
            text = f"{name} is missing or of another type: the event is dropped"
            return drop("split.events.required", text, at=f"{at}.{name}", fix=f"send {meaning}", level="error")
    return None


def _event_type(name: Any, steps: list[Step]) -> str | None:
    """Return the event type; unlike Segment's, one with a blank is not mended but dropped (split.events.name)."""
    if isinstance(name, str) and " " not in name:
        return event_type(name, "$.eventTypeId", _LIMITS, steps)
    text = (
        f"the event type {shown(name)} {'has blanks' if isinstance(name, str) else 'is no text'}: the event is dropped"
    )
    fix = "use up to 63 letters, digits, hyphens, underscores and periods, a letter or digit first"
    steps.append(drop("split.events.name", text, at="$.eventTypeId", fix=fix, level="error"))
    return None


def _key(value: Any, steps: list[Step]) -> str | None:
    text = key(value, "$.key", _LIMITS, steps)
    if text is None:
        what, fix = "without a key there is nobody to count the event for: it is dropped", "send who did it"
        steps.append(drop("split.events.required", what, at="$.key", fix=fix))
    return text


def _traffic_type(name: Any, settings: SplitSettings, steps: list[Step]) -> str:
    """Return the traffic type, with a warning where the workspace has none of that name (split.events.traffic-type).

    A file of flags is not looked into here, and may have it.
    """
    mapped = {one for inbound in settings.segment_inbound for one in inbound.identities.values()}
    flags = [row for row in settings.flags.values() if isinstance(row, dict)]
    used = {row.get("traffic_type") or row.get("trafficTypeName") or "user" for row in flags}
    known: set[str] = {*settings.traffic_types, *mapped, *used}
    if name not in known and not settings.flags_file:
        text = f"the workspace has no traffic type {shown(name)}: the event is kept, and FME may not show it"
        fix = f"use one of {', '.join(sorted(known))}, or add it to split.traffic_types"
        steps.append(Step("assumed", "split.events.traffic-type", text, "$.trafficTypeName", fix, "warning"))
    return str(name)


def _value(value: Any, steps: list[Step]) -> float | None:
    """Return the number; whatever else stands there is stored as null (split.events.value)."""
    if value is None or (type(value) in (int, float) and math.isfinite(value)):
        return value  # type: ignore[no-any-return]  # parsed JSON
    text = f"the value {shown(value)} is no number: the event is kept with the value null"
    steps.append(Step("cut", "split.events.value", text, "$.value", "send a number", "warning"))
    return None


def _timestamp(written: Any, received_at: float, steps: list[Step]) -> int:
    """Return the moment in epoch milliseconds; one in seconds is taken as such (split.events.timestamp)."""
    found = written
    if isinstance(written, str) and len(written) < 20 and written.isascii() and written.isdigit():
        found = int(written)
    if type(found) not in (int, float) or abs(found) > FURTHEST_MS:
        text, found = f"{shown(written)} is no moment: the time of reception is used", in_ms(received_at)
    elif found < SECONDS_BELOW:
        text, found = f"{shown(written)} is taken as a moment in seconds", found * 1000
    elif found is not written:
        text = f"the moment {shown(written)} is a text and taken as a number"
    else:
        return int(found)
    fix = "send the number of milliseconds since 1970"
    steps.append(Step("assumed", "split.events.timestamp", text, "$.timestamp", fix, "warning"))
    return int(found)


def _properties(found: Any, steps: list[Step]) -> dict[str, Any]:
    if isinstance(found, dict):
        return event_properties(found, _LIMITS, steps)
    if found is not None:
        text = f"the properties {shown(found)} are no object: the event is kept without them"
        steps.append(Step("cut", "split.events.properties", text, "$.properties", "send an object", "warning"))
    return {}


def _environment(named: Any, environment: str, steps: list[Step]) -> str:
    """Return the key's environment, whatever the event itself names (split.events.environment)."""
    if named not in (None, environment):
        text = f"the event names the environment {shown(named)}, and its key belongs to {shown(environment)}"
        fix = "leave environmentName out, or use the other environment's key"
        steps.append(Step("assumed", "split.events.environment", text, "$.environmentName", fix, "warning"))
    return environment


_taken = posted(202, event, dict)


def single(request: Request, settings: SplitSettings) -> Answer:
    """Return the answer to one event for the Events API: 202; 400 where a required field is missing (split.events.single)."""
    answer = _taken(request, settings)
    faults = [step for step in answer.steps if step.rule == "split.events.required"]
    if not faults:
        return answer
    return json_answer(400, {"code": 400, "message": faults[0].text}, steps=answer.steps)


ROUTES = [
    *routes(under_bases("/events/bulk"), posted(202, events), "split/events-bulk"),
    *routes(under_bases("/events"), single, "split/event-post"),
    *routes(under_bases("/events/beacon"), beaconed(events), "split/events-beacon"),
]
