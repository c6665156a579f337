"""What FME reads from a Segment call by the configuration's paths: name, value, moment, traffic types and keys.

Pure functions of a `Call`. Each adds to its steps why something was not found or not taken.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from trackside.split.limits import key, shown
from trackside.steps import Message, Step, drop
from trackside.times import epoch_ms, in_ms

if TYPE_CHECKING:
    from trackside.split.settings import SegmentInbound, SplitSettings

Target: TypeAlias = tuple[str, str]
"""A traffic type and a key: where one record belongs."""


@dataclass(slots=True)
class Call:
    """One Segment call on its way through the mapping.

    Attributes:
        message: as it was delivered; never changed.
        inbound: the configuration that reads it.
        settings: the workspace's ``split`` block.
        received_at: epoch seconds.
        steps: what happened so far.
    """

    message: Message
    inbound: SegmentInbound
    settings: SplitSettings
    received_at: float = 0.0
    steps: list[Step] = field(default_factory=list)


_NUMBER = re.compile(r"\s*-?\d+(\.\d+)?([eE][-+]?\d+)?\s*", re.ASCII).fullmatch


@lru_cache(maxsize=256)
def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def lookup(message: Message, path: str) -> Any:
    """Return what stands at a dotted path; None where it leads nowhere.

    >>> lookup({"event": "Bid Placed", "properties": {"amount": 12.5}}, "properties.amount")
    12.5
    """
    if "." not in path:
        return message.get(path)
    found: Any = message
    for part in _parts(path):
        if type(found) is not dict:
            return None
        found = found.get(part)
    return found


def event_name(call: Call) -> str | None:
    """Return a track call's event name from the configured path, or None where the event is dropped.

    Rules split.in.event-type-path and split.in.event-type-required. Where the configuration holds the name itself
    instead of its path, the drop's reason says which path to put there.

    >>> from trackside.split.settings import SegmentInbound, SplitSettings
    >>> inbound = SegmentInbound("fme-key", environment="production", event_type_id="checkout")
    >>> call = Call({"type": "track", "event": "checkout"}, inbound, SplitSettings())
    >>> event_name(call)
    >>> call.steps[0].fix
    'set event_type_id to "event", the property that holds the name'
    """
    path = call.inbound.event_type_id
    name = lookup(call.message, path)
    if isinstance(name, str) and name:
        return name
    literal = _place_of(call.message, path) if name is None else ""
    if literal:
        text = f"the event's name {shown(path)} is configured where its path belongs: the event is dropped"
        fix = f'set event_type_id to "{literal}", the property that holds the name'
    else:
        what = "nothing stands there" if name is None else f"{shown(name)} is no name"
        text = f"the event type is read from {shown(path)} and {what}: the event is dropped"
        fix = 'set event_type_id to "event" to use Segment\'s event name (a path, never the name itself)'
    if path == "event":
        fix = "give the track call an event name"
    call.steps.append(drop("split.in.event-type-required", text, at=f"$.{literal or path}", fix=fix))
    return None


def _place_of(message: Message, configured: str) -> str:
    """Return the path of the property whose value was configured in place of its path; empty if there is none."""
    wanted = configured.replace(" ", "_")
    properties = message.get("properties")
    inside = properties.items() if isinstance(properties, dict) else ()
    places = [("event", message.get("event")), *((f"properties.{name}", value) for name, value in inside)]
    for path, value in places:
        if isinstance(value, str) and value.replace(" ", "_") == wanted:
            return path
    return ""


def event_value(call: Call) -> float | None:
    """Return the number at the configured path, or None: the event is kept without one (split.in.value).

    Text such as ``"9.99"`` is a number only where the configuration says so (split.in.value.numeric-text).
    """
    path = call.inbound.value
    if not path:
        return None
    found = lookup(call.message, path)
    if type(found) is float or type(found) is int:
        return found
    if found is None:
        call.steps.append(_no_value(path))
    elif isinstance(found, str) and _NUMBER(found) and math.isfinite(float(found)):
        return _numeric_text(found, call)
    else:
        text = f"the value {shown(found)} is no number: the event is kept with the value null"
        call.steps.append(Step("cut", "split.in.value", text, f"$.{path}", "send a number", "warning"))
    return None


@lru_cache(maxsize=256)
def _no_value(path: str) -> Step:
    return Step("info", "split.in.value", "the call has no value: null is stored", f"$.{path}")


def _numeric_text(found: str, call: Call) -> float | None:
    rule, at = "split.in.value.numeric-text", f"$.{call.inbound.value}"
    if call.inbound.numeric_strings:
        text = f"the value {shown(found)} is a text and taken as a number"
        call.steps.append(Step("assumed", rule, text, at, "send a number", "note"))
        return float(found)
    text = f"the value {shown(found)} is a text: the event is kept with the value null"
    call.steps.append(Step("cut", rule, text, at, "send a number, or set numeric_strings to true", "warning"))
    return None


def moment(call: Call) -> int:
    """Return the event's moment in epoch milliseconds (split.in.timestamp).

    That of the configured field; where it is missing ``receivedAt``, else the time of reception.
    """
    name = call.inbound.timestamp
    written = call.message.get(name)
    found = epoch_ms(call.message.get("receivedAt") if written is None else written, call.received_at)
    if found is not None:
        return found
    text = f"{shown(written)} is no moment: the time of reception is used"
    call.steps.append(Step("fault", "split.in.timestamp", text, f"$.{name}", "send an ISO 8601 text", "warning"))
    return in_ms(call.received_at)


def identities(call: Call, *, needed: bool = True) -> list[Target]:
    """Return the traffic type and key of each mapped id that the call carries; where one is needed, none drops the call.

    Rules split.in.identity, split.in.two-identities and split.in.no-identity.

    >>> from trackside.split.settings import SegmentInbound, SplitSettings
    >>> message = {"userId": "u-1", "anonymousId": "a-1"}
    >>> identities(Call(message, SegmentInbound("fme-key", environment="production"), SplitSettings()))
    [('user', 'u-1'), ('anonymous', 'a-1')]
    """
    found = []
    for name, traffic_type in call.inbound.identities.items():
        value = call.message.get(name)
        if value is not None:
            text = key(value, f"$.{name}", call.inbound, call.steps)
            if text is not None:
                found.append((traffic_type, text))
    if not found and needed:
        call.steps.append(no_identity(call.message, call.inbound))
    elif len(found) > 1:
        call.steps.append(_TWO_IDENTITIES)
    return found


_TWO_IDENTITIES = Step(
    "split", "split.in.two-identities", "the call carries both mapped ids: each makes a record under its traffic type"
)


def no_identity(message: Message, inbound: SegmentInbound) -> Step:
    """Return the drop of a call that carries none of the mapped ids (split.in.no-identity)."""
    mapped = " or ".join(inbound.identities) or "no identity"
    text = f"this configuration maps {mapped} and finds no key there: the call is dropped"
    unmapped = [name for name in ("userId", "anonymousId") if message.get(name) and name not in inbound.identities]
    fix = f"map {unmapped[0]} to a traffic type in identities, or send {mapped}" if unmapped else f"send {mapped}"
    return drop("split.in.no-identity", text, at=f"$.{next(iter(inbound.identities), 'userId')}", fix=fix)


def pairs(value: object, documented: type[Any], at: str, call: Call) -> list[Target]:
    """Return the traffic types and keys of ``properties.split`` (an array of pairs) or ``traits.split`` (an object).

    Args:
        value: what stands there, not None.
        documented: ``list`` or ``dict``: the shape that the vendor's page shows at this place.
        at: the place, as a JSON path.
        call: its configuration says whether the other shape is read too (split.in.split-shape); its steps take the
            reason for each pair that is skipped (split.in.unknown-traffic-type).

    >>> from trackside.split.settings import SegmentInbound, SplitSettings
    >>> settings = SplitSettings(traffic_types=("user", "account"))
    >>> call = Call({}, SegmentInbound("fme-key", environment="production"), settings)
    >>> pairs([{"account": "acme"}, {"planet": "mars"}], list, "$.properties.split", call)
    [('account', 'acme')]
    """
    if not _shape_taken(value, documented, at, call):
        return []
    places = (
        [(f"{at}[{index}]", part) for index, part in enumerate(value)] if isinstance(value, list) else [(at, value)]
    )
    found = []
    for place, part in places:
        if not isinstance(part, dict):
            call.steps.append(_odd(f"{shown(part)} is no pair: it is skipped", place))
            continue
        for traffic_type, name in part.items():
            text = _pair_key(traffic_type, name, f"{place}.{traffic_type}", call)
            if text is not None:
                found.append((traffic_type, text))
    return found


_SHAPES: dict[type[Any], str] = {
    list: 'an array such as [{"account": "a-1"}]',
    dict: 'an object such as {"account": "a-1"}',
}


def _shape_taken(value: object, documented: type[Any], at: str, call: Call) -> bool:
    if isinstance(value, documented):
        return True
    shape = _SHAPES[documented]
    if not isinstance(value, (dict, list)) or call.inbound.split_shape == "documented":
        call.steps.append(_odd(f"{shown(value)} is not {shape}: it is skipped", at))
        return False
    text = f"{shown(value)} is not {shape}, as the vendor's page shows it: it is read all the same"
    call.steps.append(Step("assumed", "split.in.split-shape", text, at, f"send {shape}", "note"))
    return True


def _odd(text: str, at: str) -> Step:
    return Step("cut", "split.in.split-shape", text, at, "name a traffic type and a key", "warning")


def _pair_key(traffic_type: str, name: object, at: str, call: Call) -> str | None:
    known = {*call.settings.traffic_types, *call.inbound.identities.values()}
    if traffic_type in known:
        if name is None:
            call.steps.append(_odd(f"the key of {shown(traffic_type)} is null: the pair is skipped", at))
        return key(name, at, call.inbound, call.steps)
    text = f"the workspace has no traffic type {shown(traffic_type)}: the pair is skipped"
    near = traffic_type.lower()
    fix = f'write "{near}"' if near in known else f"use one of {', '.join(sorted(known))}, or add it to traffic_types"
    call.steps.append(Step("cut", "split.in.unknown-traffic-type", text, at, fix, "warning"))
    return None
