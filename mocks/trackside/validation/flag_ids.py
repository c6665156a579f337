"""The ids that payloads of flag SDKs carry, by contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

Ids: TypeAlias = Iterator[tuple[str, Any]]

PERSONS = frozenset(("userID", "key", "user"))
"""Kinds of ids that stand for a person, as Segment's userId and anonymousId do; a ``stableID`` is the SDK's own."""


def ids_of(contract: str, payload: Any) -> Iterator[tuple[str, str, str]]:
    """Yield the ids in a payload of a flag SDK: vendor, kind and id; none for a contract that has none.

    A kind is ``userID`` or ``stableID`` of Statsig, ``key`` or the traffic type of Split, and the kind of a context of
    LaunchDarkly. Numbers are given as text.

    >>> list(ids_of("split/impressions", [{"f": "banner", "i": [{"k": "u-1", "t": "on"}]}]))
    [('split', 'key', 'u-1')]
    """
    reader = _READERS.get(contract)
    if reader is None:
        return
    vendor = contract.partition("/")[0]
    for kind, one in reader(payload):
        text = str(one) if isinstance(one, int) and not isinstance(one, bool) else one
        if isinstance(text, str) and text:
            yield vendor, kind, text


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _rows(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


# ---- Statsig


def _statsig(payload: Any) -> Ids:
    """Yield the ids of a ``user``, of those of ``events`` or ``exposures``, and the stableID that the SDK made."""
    user = _get(payload, "user")
    yield "userID", _get(user, "userID")
    yield "stableID", _get(_get(user, "customIDs"), "stableID")
    yield "stableID", _get(_get(payload, "statsigMetadata"), "stableID")
    for row in (*_rows(_get(payload, "events")), *_rows(_get(payload, "exposures"))):
        yield from _statsig(row)


# ---- Split


def _keys(payload: Any) -> Ids:
    """Yield the keys of events and impressions, one or a list; an event's kind is its traffic type, ``user`` or another."""
    for row in payload if isinstance(payload, list) else [payload]:
        kind = _get(row, "trafficTypeName")
        yield kind if isinstance(kind, str) and kind else "key", _get(row, "key")


def _impressions(payload: Any) -> Ids:
    for flag in _rows(payload):
        yield from (("key", _get(row, "k")) for row in _rows(_get(flag, "i")))


def _unique_keys(payload: Any) -> Ids:
    for row in _rows(_get(payload, "keys")):
        yield "key", _get(row, "k")
        yield from (("key", one) for one in _rows(_get(row, "ks")))


def _entries(read: Callable[[Any], Ids]) -> Callable[[Any], Ids]:
    """Return the reader of a beacon, whose rows are its ``entries``."""
    return lambda payload: read(_get(payload, "entries"))


# ---- LaunchDarkly


def _context(context: Any) -> Ids:
    """Yield the key of a context, or of each of a multi-context; one without a kind is a user."""
    if not isinstance(context, dict):
        return
    kind = context.get("kind")
    if kind == "multi":
        yield from ((name, _get(one, "key")) for name, one in context.items() if name != "kind")
    else:
        yield kind if isinstance(kind, str) and kind else "user", context.get("key")


def _launchdarkly(payload: Any) -> Ids:
    for event in payload if isinstance(payload, list) else [payload]:
        yield from _context(_get(event, "context"))
        yield "user", _get(_get(event, "user"), "key")
        keys = _get(event, "contextKeys")
        yield from keys.items() if isinstance(keys, dict) else ()


_READERS: dict[str, Callable[[Any], Ids]] = {
    **dict.fromkeys(
        (
            "statsig/log-event",
            "statsig/event",
            "statsig/exposure",
            "statsig/initialize-request",
            "statsig/check-gate",
            "statsig/get-config",
            "statsig/get-layer",
            "statsig/log-custom-exposure",
        ),
        _statsig,
    ),
    **dict.fromkeys(
        ("split/event", "split/event-post", "split/events-bulk", "split/impression", "split/impressions-webhook"), _keys
    ),
    "split/events-beacon": _entries(_keys),
    "split/impressions": _impressions,
    "split/impressions-beacon": _entries(_impressions),
    "split/unique-keys-client": _unique_keys,
    "split/unique-keys-server": _unique_keys,
    "split/unique-keys-beacon": _entries(_unique_keys),
    "launchdarkly/sdk-events": _launchdarkly,
    "launchdarkly/event": _launchdarkly,
    "launchdarkly/context": _context,
}
