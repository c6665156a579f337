"""One posted event as LaunchDarkly keeps it, or why it drops it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from trackside.catalog import json_path
from trackside.steps import Mapped, Record, Step, drop

if TYPE_CHECKING:
    from collections.abc import Callable

METRIC_KINDS = frozenset(("custom", "click", "pageview", "click_pageview"))


def kept_event(event: object, index: int, environment: str) -> Mapped:
    """Return what LaunchDarkly keeps of one event of a posted array.

    Args:
        event: one item of the array, in any kind that SDKs and Segment send.
        index: its position, for the JSON path of a step.
        environment: the name of the environment whose client-side ID it came to.

    Returns:
        One record: the event as it came, with ``environment``, with ``contextKeys`` (kind to key, also where the event
        carried a whole ``context``), and with ``effect``: ``metric`` where an event of this kind can count in a metric,
        else ``none`` (launchdarkly.events.kinds-kept). Or no record and the drop's step: LaunchDarkly answers 202 all
        the same and tells nobody.

    Source: LaunchDarkly, "Importing events".

    >>> kept_event({"kind": "custom", "key": "a", "creationDate": 1, "contextKeys": {"user": "u"}}, 0, "test").records
    [{'kind': 'custom', 'key': 'a', 'creationDate': 1, 'contextKeys': {'user': 'u'}, 'environment': 'test', 'effect': 'metric'}]
    """
    at = f"$[{index}]"
    if not isinstance(event, dict):
        return _dropped("launchdarkly.events.kind", f"{_shown(event)} is no event", at, "post objects with a kind")
    kind = event.get("kind")
    fields = _REQUIRED.get(kind) if isinstance(kind, str) else None
    if fields is None:
        text = f"{_shown(kind)} is no kind of event that LaunchDarkly knows"
        return _dropped("launchdarkly.events.kind", text, f"{at}.kind", 'send metric events as kind "custom"')
    for name in fields:
        what, fits = _CHECKS[name]
        if not fits(event.get(name)):
            text = f"{name} is {_shown(event[name])}, not {what}" if name in event else f"{name} is missing"
            fix = f"send {name} as {what}"
            return _dropped("launchdarkly.events.required-field", text, f"{at}.{name}", fix)
    return _with_context(event, index, environment)


def _with_context(event: Record, index: int, environment: str) -> Mapped:
    at = f"$[{index}]"
    record = {**event, "environment": environment, "effect": "metric" if event["kind"] in METRIC_KINDS else "none"}
    steps = []
    if event["kind"] == "alias":
        text = "the alias event is accepted and has no effect on metrics and experiments"
        fix = "evaluate flags with the user's own context, or disable Segment's mapping Alias User"
        steps.append(Step("assumed", "launchdarkly.in.identify", text, at, fix, "note"))
    elif event["kind"] != "summary":
        keys = context_keys(event)
        if keys is None:
            text, place = _context_fault(event)
            fix = 'send contextKeys such as {"user": "u-1"}, or a context with kind and key'
            return _dropped("launchdarkly.events.context", text, json_path([index, *place]), fix)
        record["contextKeys"] = keys
    elif keys := context_keys(event):  # client-side SDKs send a summary for each context
        record["contextKeys"] = keys
    if (fault := _metric_value_fault(event, at)) is not None:
        steps.append(fault)
    return Mapped([] if fault is not None and fault.kind == "drop" else [record], steps)


def kept_diagnostic(event: Record, environment: str) -> Record:
    """Return what LaunchDarkly keeps of a diagnostic event: itself, with ``environment`` (launchdarkly.diagnostics.accepted).

    It tells how an SDK is configured and how it fares; its kind begins with ``diagnostic`` and no metric sees it.
    """
    return {**event, "environment": environment, "effect": "none"}


def context_keys(event: Record) -> dict[str, str] | None:
    """Return an event's context keys by kind, from ``contextKeys`` or from a single or multi ``context``.

    None where it carries neither, or one that holds no key or an empty one (launchdarkly.events.context).

    >>> context_keys({"context": {"kind": "multi", "user": {"key": "u-1"}, "org": {"key": "o-1"}}})
    {'user': 'u-1', 'org': 'o-1'}
    """
    keys = event.get("contextKeys")
    if keys is None:
        keys = _keys_of_context(event.get("context"))
    if not isinstance(keys, dict) or not keys or not all(_is_text(key) for key in keys.values()):
        return None
    return keys


def _keys_of_context(context: object) -> dict[str, Any] | None:
    if not isinstance(context, dict) or not _is_text(context.get("kind")):
        return None
    if context["kind"] != "multi":
        return {context["kind"]: context.get("key")}
    inner = {kind: one for kind, one in context.items() if kind != "kind"}
    return {kind: one.get("key") if isinstance(one, dict) else None for kind, one in inner.items()}


def _context_fault(event: Record) -> tuple[str, list[str | int]]:
    """Return why an event names no context key, and the place in it."""
    for name in ("contextKeys", "context"):
        if event.get(name) is not None:
            return f"{name} is {_shown(event[name])}, which names no context key", [name, *_keyless(event[name], name)]
    return "the event carries neither contextKeys nor a context", []


def _keyless(value: object, name: str) -> list[str | int]:
    """Return the place inside contextKeys or a context where a key is missing."""
    if not isinstance(value, dict):
        return []
    if name == "contextKeys":
        return next(([kind] for kind, key in value.items() if not _is_text(key)), [])
    if not _is_text(value.get("kind")):
        return ["kind"]
    if value["kind"] != "multi":
        return ["key"]
    inner = ((kind, one) for kind, one in value.items() if kind != "kind")
    places = ([kind, "key"] if isinstance(one, dict) else [kind] for kind, one in inner if not _has_key(one))
    return next(places, [])


def _has_key(context: object) -> bool:
    return isinstance(context, dict) and _is_text(context.get("key"))


def _metric_value_fault(event: Record, at: str) -> Step | None:
    value = event.get("metricValue", 0)
    at = f"{at}.metricValue"
    if value is None:
        text = "metricValue is null and counts as none"
        return Step(
            "assumed", "launchdarkly.events.metric-value-null", text, at, "leave it out, or send a number", "note"
        )
    if _is_number(value):
        return None
    text = f"metricValue is {_shown(value)}, not a number"
    return drop("launchdarkly.events.metric-value", text, at=at, fix="send a number, or leave it out", level="error")


def _dropped(rule: str, text: str, at: str, fix: str) -> Mapped:
    return Mapped([], [drop(rule, text, at=at, fix=fix, level="error")])


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _shown(value: object) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 80 else f"{text[:79]}…"


_TEXT = ("a text that is not empty", _is_text)
_NUMBER = ("a number of epoch milliseconds", _is_number)
_CHECKS: dict[str, tuple[str, Callable[[object], bool]]] = {
    **dict.fromkeys(("key", "previousKey", "contextKind", "previousContextKind", "operation"), _TEXT),
    **dict.fromkeys(("creationDate", "startDate", "endDate"), _NUMBER),
    "features": ("an object", _is_object),
}
_REQUIRED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("custom", "feature", "debug", "click", "pageview", "click_pageview"), ("key", "creationDate")),
    **dict.fromkeys(("identify", "index"), ("creationDate",)),
    "migration_op": ("operation", "creationDate"),
    "summary": ("startDate", "endDate", "features"),
    "alias": ("key", "previousKey", "contextKind", "previousContextKind", "creationDate"),
}
"""The fields beside its context that an event of each kind must have, as SDKs and Segment send it."""
