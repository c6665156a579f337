"""What Segment discards behind its 200, and why: the quick verdict on each call, and the drop that tells it. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from trackside.segment.settings import SegmentSettings
from trackside.steps import Step, drop

KINDS = ("track", "identify", "page", "screen", "group", "alias")
EVENT_KB, BATCH_KB, BATCH_EVENTS, MESSAGE_ID_CHARACTERS, PROPERTIES = 32, 500, 2_500, 100, 10_000
CONSENT_EVENT = "Segment Consent Preference Updated"


def kind_of(call: Any, kind: str) -> str:
    """Return the type of a call: the path's, else its own ``type``; empty for a type that Segment does not know."""
    named = kind or (call.get("type") if isinstance(call, dict) else None)
    return named if named in KINDS else ""


def merged(own: Any, shared: Any, settings: SegmentSettings) -> Any:
    """Return an item's object with the batch's own merged into it, key by key; the item's as it is where there is none.

    >>> merged({"ip": "203.0.113.7"}, {"ip": "192.0.2.1", "locale": "en-US"}, SegmentSettings())
    {'ip': '203.0.113.7', 'locale': 'en-US'}
    """
    if not isinstance(shared, dict) or not shared:
        return own
    own = own if isinstance(own, dict) else {}
    return {**shared, **own} if settings.batch_merge == "item" else {**own, **shared}


def discard_code(
    call: Any, kind: str, settings: SegmentSettings, *, weigh: bool = False, outer: Mapping[str, Any] | None = None
) -> str:
    """Return why a call is discarded behind Segment's 200, in Segment's own code; empty when it is taken.

    ``weigh`` checks the call's own size, as a batch or a pixel has no limit of one call; ``outer`` holds a batch's own
    fields.

    Codes that no document gives are assumed: ``not_an_object``, ``type_not_known``, ``event_too_large``,
    ``nested_too_deeply``, ``message_id_too_long``. Null ids and null names are absent ones: the Python SDK sends them with every call.

    >>> discard_code({"event": "Signed Up", "userId": None, "anonymousId": None}, "track", SegmentSettings())
    'no_user_anon_id'
    """
    if not isinstance(call, dict):
        return "not_an_object"
    kind = kind_of(call, kind)
    if not kind:
        return "type_not_known"
    user_id, anonymous_id = call.get("userId"), call.get("anonymousId")
    if user_id is None and anonymous_id is None:
        return "no_user_anon_id"
    if not _id_is_good(user_id) or not _id_is_good(anonymous_id):
        return "id_not_string"
    if kind == "track":
        event = call.get("event")
        if event is None or event == "":
            return "event_not_defined"
        if not isinstance(event, str):
            return "event_not_string"
        if event == CONSENT_EVENT and (code := _consent_code(call, outer or {}, settings)):
            return code
    elif kind in ("page", "screen"):
        for name in ("name", "category"):
            value = call.get(name)
            if value is not None and (not isinstance(value, str) or not value):
                return f"{name}_not_string"
    if _is_no_object(call.get("properties")):
        return "properties_not_object"
    if _is_no_object(call.get("traits")):
        return "traits_not_object"
    message_id = call.get("messageId")
    if (
        isinstance(message_id, str)
        and len(message_id) > MESSAGE_ID_CHARACTERS
        and settings.long_message_id == "discard"
    ):
        return "message_id_too_long"
    try:
        size = len(orjson.dumps(call))
    except orjson.JSONEncodeError:
        return "nested_too_deeply"
    return "event_too_large" if weigh and size > EVENT_KB * settings.kilobyte else ""


def _id_is_good(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value != "")


def _is_no_object(value: Any) -> bool:
    return value is not None and not isinstance(value, dict)


def _consent_code(call: Mapping[str, Any], outer: Mapping[str, Any], settings: SegmentSettings) -> str:
    context = merged(call.get("context"), outer.get("context"), settings)
    context = context if isinstance(context, dict) else {}
    consent, device = context.get("consent"), context.get("device")
    consent = consent if isinstance(consent, dict) else {}
    if code := _preferences_code(consent.get("categoryPreferences")):
        return code
    version = consent.get("version")
    if version is not None and (isinstance(version, bool) or not isinstance(version, int | float)):
        return "consent_version_should_be_number"
    advertising_id = device.get("advertisingId") if isinstance(device, dict) else None
    if advertising_id is not None and not isinstance(advertising_id, str):
        return "device_advertisingid_should_be_string"
    return "" if call.get("anonymousId") is not None else "consent_needs_anonymous_id_set"


def _preferences_code(preferences: Any) -> str:
    if preferences is None:
        return "consent_categoryprefences_should_exist"  # spelt so on Segment's page
    if not isinstance(preferences, dict):
        return "consent_categorypreferences_should_be_object"
    if not all(isinstance(agreed, bool) for agreed in preferences.values()):
        return "consent_categorypreferences_fields_should_be_bool"
    return ""


_REASONS: dict[str, tuple[str, str, str, str]] = {
    # code: rule, what was wrong, where, what to do
    "not_an_object": ("segment.discard.not-an-object", "a call is not a JSON object", "$", "send an object"),
    "type_not_known": (
        "segment.discard.type",
        "the call's type is none that Segment knows",
        "$.type",
        "name one of " + ", ".join(KINDS),
    ),
    "no_user_anon_id": (
        "segment.discard.no-id",
        "neither userId nor anonymousId is set",
        "$.userId",
        "set at least one of them",
    ),
    "id_not_string": (
        "segment.discard.id-not-string",
        "an id is empty or not a string",
        "$.userId",
        "send ids as non-empty strings, or leave them out",
    ),
    "event_not_defined": ("segment.discard.event", "a track call has no event", "$.event", "name the event"),
    "event_not_string": ("segment.discard.event", "the event is not a string", "$.event", "send its name as a string"),
    "properties_not_object": (
        "segment.discard.properties",
        "properties is not an object",
        "$.properties",
        "send an object, or leave it out",
    ),
    "traits_not_object": (
        "segment.discard.traits",
        "traits is not an object",
        "$.traits",
        "send an object, or leave it out",
    ),
    "name_not_string": ("segment.discard.name", "the name is empty or not a string", "$.name", "send a non-empty name"),
    "category_not_string": (
        "segment.discard.category",
        "the category is empty or not a string",
        "$.category",
        "send a non-empty category, or leave it out",
    ),
    "consent_categoryprefences_should_exist": (
        "segment.discard.consent",
        "the consent event has no category preferences",
        "$.context.consent.categoryPreferences",
        'send an object such as {"Advertising": true}',
    ),
    "consent_categorypreferences_should_be_object": (
        "segment.discard.consent",
        "the category preferences are not an object",
        "$.context.consent.categoryPreferences",
        'send an object such as {"Advertising": true}',
    ),
    "consent_categorypreferences_fields_should_be_bool": (
        "segment.discard.consent",
        "a category preference is neither true nor false",
        "$.context.consent.categoryPreferences",
        "send true or false for each category",
    ),
    "consent_needs_anonymous_id_set": (
        "segment.discard.consent",
        "the consent event has no anonymousId",
        "$.anonymousId",
        "send an anonymousId with it",
    ),
    "consent_version_should_be_number": (
        "segment.discard.consent",
        "the consent version is not a number",
        "$.context.consent.version",
        "send a number",
    ),
    "device_advertisingid_should_be_string": (
        "segment.discard.consent",
        "the advertising id is not a string",
        "$.context.device.advertisingId",
        "send a string",
    ),
    "message_id_too_long": (
        "segment.limit.message-id",
        f"the messageId has over {MESSAGE_ID_CHARACTERS} characters",
        "$.messageId",
        "shorten it, or leave it out",
    ),
    "nested_too_deeply": ("segment.limit.depth", "the call is nested too deeply", "$", "flatten it"),
    "event_too_large": (
        "segment.limit.event-size-in-batch",
        f"the call has over {EVENT_KB} KB",
        "$",
        "send less in one call",
    ),
}


def discarded(code: str, call: Any, *, by_pixel: bool = False) -> Step:
    """Return the drop that a discard code stands for, with the value where there is one."""
    rule, text, at, fix = _REASONS[code]
    if code == "event_too_large" and by_pixel:
        rule = "segment.limit.event-size-in-pixel"
    if code == "id_not_string" and isinstance(call, dict) and _id_is_good(call.get("userId")):
        at = "$.anonymousId"
    value = _short(call, at)
    return drop(rule, f"{text}{value}; Segment answers 200 and discards it", at=at, fix=fix, level="error", code=code)


def _short(call: Any, at: str) -> str:
    """Return `` (the value)`` of a top-level field, cut to 40 characters; nothing where it is absent."""
    name = at.removeprefix("$.")
    if not isinstance(call, dict) or call.get(name) is None:
        return ""
    return f" ({as_text(call[name])})"


def as_text(value: Any) -> str:
    """Return a value as JSON, cut to 40 characters."""
    try:
        text = orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return "a value nested too deeply"
    return text if len(text) <= 40 else text[:39] + "…"
