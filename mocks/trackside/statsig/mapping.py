"""One Segment call as Statsig maps it to an event of its own. Pure: the time of receipt is an argument."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from trackside.statsig.audiences import audience_of
from trackside.statsig.settings import NAME_PRESETS, SegmentInbound, StatsigSettings
from trackside.statsig.user import statsig_user
from trackside.statsig.values import STRING_LIMIT, check_object, number_text, over_limit, shown, unlike_text
from trackside.steps import Level, Mapped, Message, Step, drop
from trackside.times import epoch_ms, in_ms

STATSIG_KEYS = frozenset(("statsigCustomIDs", "statsigCustom", "statsigEnvironment"))

FORBIDDEN = re.compile(r"[\\\[\]{}<>#=;&$%|\x00\n\r]")
_KEPT_OUT = Step(
    "assumed",
    "statsig.in.metadata.statsig-keys",
    "the statsig… properties are not repeated in the metadata",
    "$.properties",
    "set keep_statsig_properties to keep them there as well",
    "note",
)
_NO_VALUE = tuple(
    (
        name,
        Step(
            "assumed",
            "statsig.in.value",
            f"{name} stays in the metadata and the event value is empty",
            f"$.properties.{name}",
            f'set value_property to "{name}" to read the event value from it',
            "note",
        ),
    )
    for name in ("value", "revenue")
)


def segment_event(message: Message, settings: StatsigSettings, received: float = 0.0) -> Mapped:
    """Return the Statsig event of one Segment call, or why there is none.

    Args:
        message: one Segment call as Segment posts it.
        settings: the Statsig project.
        received: when the call arrived, epoch seconds; the event's time where the call names none.

    Returns:
        At most one record, which holds all that the Log Stream shows (statsig.in.log-stream), as ``log_event`` has it:
        ``eventName``, ``time`` (epoch milliseconds), ``value``, ``user`` (``userID``, ``ip``, ``locale``,
        ``userAgent``, ``customIDs``, ``custom``, ``statsigEnvironment``, each only where known), ``metadata`` (all
        values text) and ``statsigMetadata``. An event without ``user.statsigEnvironment`` counts as production
        (statsig.in.environment).

    Source: Statsig, "Segment"; each step names its rule.

    >>> call = {"type": "track", "event": "Sign Up", "userId": "u-1", "timestamp": "2022-01-24T17:03:29Z"}
    >>> segment_event(call, StatsigSettings()).records[0]["eventName"]
    'segment::Sign Up'
    """
    inbound = settings.segment_inbound
    steps: list[Step] = []
    name = _event_name(message, inbound, steps)
    if name is None:
        return Mapped([], steps)
    properties, where = _properties(message, inbound, steps)
    _note_unread(message, properties, inbound, steps)
    record = {
        "eventName": name,
        "time": _time(message, received, steps),
        "value": _value(properties, where, inbound, steps),
        "user": statsig_user(message, properties, where, inbound, steps),
        "metadata": _metadata(properties, where, inbound, steps),
        "statsigMetadata": {"sdkType": "segment", "sdkVersion": "1.0"},
    }
    return Mapped([record], steps)


def _event_name(message: Message, inbound: SegmentInbound, steps: list[Step]) -> str | None:
    """Return the name that is stored, or None after a step that says why the call makes no event."""
    call = message.get("type")
    if audience_of(message) is not None and not inbound.enabled and inbound.when_disabled == "refuse":
        _kept_while_disabled(inbound, steps)  # it is not: an audience is refused as events are
        return None
    if not isinstance(call, str) or call not in NAME_PRESETS["current"]:
        steps.append(_no_event(call))
        return None
    if not inbound.enabled and not _kept_while_disabled(inbound, steps):
        return None
    name = _raw_name(message, call, inbound, steps)
    if name is None:
        return None
    if inbound.enabled and name in inbound.refuse_events:
        steps.append(drop("statsig.in.filter", f"{shown(name)} is filtered out by refuse_events", at="$", level=None))
        return None
    stored, told = _stored_name(call, name, inbound.template(call))
    steps.extend(told)
    return stored


def _no_event(call: object) -> Step:
    if call == "identify":
        text = "an identify call makes no event: Statsig takes it only to sync Engage audiences"
        return drop("statsig.in.types", text, at="$.type", fix="send what should count as a track call", level="note")
    text = f"a call of type {shown(call)} makes no event"
    return drop("statsig.in.unsupported", text, at="$.type", fix="send track, page, screen or group")


def _kept_while_disabled(inbound: SegmentInbound, steps: list[Step]) -> bool:
    text, where = "the Segment integration is not enabled in this Statsig project", "statsig.segment_inbound.enabled"
    if inbound.when_disabled == "keep":
        text += ": the event is kept, without identifier mappings and filters"
        steps.append(Step("assumed", "statsig.in.enabled", text, where, "enable it to use them"))
        return True
    steps.append(drop("statsig.in.enabled", text, at=where, fix="enable it, or set when_disabled to keep", level=None))
    return False


def _raw_name(message: Message, call: str, inbound: SegmentInbound, steps: list[Step]) -> str | None:
    if call == "track":
        return _track_name(message, steps)
    if call == "group":
        return call  # a group call has no name: the group's own (traits.name) would make an event per customer
    name = message.get("name")
    if name and isinstance(name, str):
        return name
    if inbound.unnamed == "drop":
        steps.append(drop("statsig.in.unnamed", f"the {call} has no name", at="$.name", fix="name it", level=None))
        return None
    text = f"the {call} has no name and is named {call} after its type"
    steps.append(Step("assumed", "statsig.in.unnamed", text, "$.name", f"give the {call} call a name", "note"))
    return call


def _track_name(message: Message, steps: list[Step]) -> str | None:
    name = message.get("event")
    if name and isinstance(name, str):
        return name
    text = f"event is {shown(name)}, which names no event"
    steps.append(drop("statsig.in.event-name.missing", text, at="$.event", fix="name the track call in event, as text"))
    return None


@lru_cache(maxsize=1024)
def _stored_name(call: str, name: str, template: str) -> tuple[str | None, tuple[Step, ...]]:
    stored = template.replace("{name}", name)
    at = "$.event" if call == "track" else "$.name"
    if (found := FORBIDDEN.search(stored)) is not None:
        text = f"Statsig drops names that hold {shown(found[0])}: {shown(stored)}"
        return None, (drop("statsig.in.name-characters", text, at=at, fix="rename the event"),)
    text = f"{shown(name)} is stored as {shown(stored)}"
    if template != NAME_PRESETS["current"][call]:
        steps = [Step("rename", "statsig.in.names", text, at)]
    elif call == "track":
        steps = [Step("rename", "statsig.in.prefix", text, at, level="note")]
    else:
        steps = [Step("assumed", "statsig.in.names", text, at, "set names to change it", "note")]
    if len(stored) > STRING_LIMIT:
        steps.append(over_limit("statsig.in.limit.name", stored, at))
    return stored, tuple(steps)


def _properties(message: Message, inbound: SegmentInbound, steps: list[Step]) -> tuple[dict[str, Any], str]:
    """Return the properties and their place; a group call without any brings its traits."""
    properties = message.get("properties")
    if isinstance(properties, dict):
        if message["type"] == "group" and inbound.group_traits and message.get("traits"):
            steps.append(_TRAITS_UNREAD)
        return properties, "$.properties"
    if properties is not None:
        text = f"properties is {shown(properties)}, not an object, and is left out"
        steps.append(Step("cut", "statsig.in.metadata", text, "$.properties", "send an object", "warning"))
    traits = message.get("traits") if message["type"] == "group" and inbound.group_traits else None
    if not isinstance(traits, dict):
        return {}, "$.properties"
    text = "the traits of the group call are read as its properties"
    steps.append(Step("assumed", "statsig.in.group", text, "$.traits", "set group_traits to false if not", "note"))
    return traits, "$.traits"


_TRAITS_UNREAD = Step(
    "assumed",
    "statsig.in.group",
    "the group call has properties, so its traits are left out",
    "$.traits",
    "send them as properties, or send no properties",
    "note",
)


def _note_unread(message: Message, properties: dict[str, Any], inbound: SegmentInbound, steps: list[Step]) -> None:
    kind, mapped = message["type"], inbound.map_identifiers if inbound.enabled else {}
    group_id, category = message.get("groupId"), message.get("category")
    if kind == "group" and group_id is not None and "groupId" not in mapped:
        text, fix = f"the groupId {shown(group_id)} is left out", "map groupId to a custom ID under map_identifiers"
        steps.append(Step("assumed", "statsig.in.group-id", text, "$.groupId", fix, "note"))
    if kind in ("page", "screen") and category not in (None, "", properties.get("category")):
        text, fix = f"the {kind}'s category {shown(category)} is left out", "send it as a property too"
        steps.append(Step("assumed", "statsig.in.category", text, "$.category", fix, "note"))


def _time(message: Message, received: float, steps: list[Step]) -> int:
    timestamp = message.get("timestamp")
    moment = epoch_ms(timestamp, received) if timestamp is not None else None
    if moment is not None:
        return moment
    text = f"timestamp is {shown(timestamp)}: the event has the time of receipt"
    level: Level = "note" if timestamp is None else "warning"
    fix = "send an ISO 8601 text, such as 2026-11-21T12:00:00.000Z"
    steps.append(Step("assumed", "statsig.in.time.missing", text, "$.timestamp", fix, level))
    return in_ms(received)


def _value(properties: dict[str, Any], where: str, inbound: SegmentInbound, steps: list[Step]) -> str | float | None:
    name = inbound.value_property
    if not name:
        for unused, step in _NO_VALUE:
            if unused in properties:
                steps.append(step)
        return None
    value = properties.get(name)
    if isinstance(value, str) and len(value) > STRING_LIMIT:
        steps.append(over_limit("statsig.in.limit.value", value, f"{where}.{name}"))
    if value is None or (isinstance(value, (str, int, float)) and not isinstance(value, bool)):
        return value
    text = f"{name} is {shown(value)}, neither text nor number: the event value is empty"
    steps.append(Step("cut", "statsig.in.value", text, f"{where}.{name}", "send a number or a text", "warning"))
    return None


def _metadata(properties: dict[str, Any], where: str, inbound: SegmentInbound, steps: list[Step]) -> dict[str, str]:
    if not inbound.keep_statsig_properties and not STATSIG_KEYS.isdisjoint(properties):
        steps.append(_KEPT_OUT)
        properties = {key: value for key, value in properties.items() if key not in STATSIG_KEYS}
    metadata = {}
    for key, value in properties.items():
        kind = type(value)
        if kind is str:
            metadata[key] = value
        elif kind is bool:
            metadata[key] = "true" if value else "false"
        elif kind is int or kind is float:
            metadata[key] = number_text(value)
        elif (text := unlike_text(value, f"{where}.{key}", inbound, steps)) is not None:
            metadata[key] = text
    check_object(metadata, where, steps)
    return metadata
