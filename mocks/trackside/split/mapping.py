"""What FME makes of a Segment call. Pure functions: the call and its configuration in, records and steps out.

Source: Harness FME, "Segment", and its guides "Send events" and "Verify events".
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trackside.split.fields import Call, Target, event_name, event_value, identities, lookup, moment, no_identity, pairs
from trackside.split.limits import attributes, event_properties, event_type, key, shown
from trackside.split.settings import GET_TREATMENT
from trackside.steps import Mapped, Message, Record, Step, drop

if TYPE_CHECKING:
    from collections.abc import Callable

    from trackside.split.settings import SegmentInbound, SplitSettings


def segment_call(
    message: Message, inbound: SegmentInbound, settings: SplitSettings, received_at: float = 0.0
) -> Mapped:
    """Return what FME keeps of one Segment call, or why it keeps nothing.

    Args:
        message: one call; identify, group, track, page and screen are processed (split.in.specs), any other type is
            dropped (split.in.unsupported; ``inbound.unsupported`` says whether it is refused).
        inbound: the configuration whose key the delivery carried.
        settings: the workspace's ``split`` block.
        received_at: epoch seconds; stands in where the call's own moment is missing or cannot be read.

    Returns:
        Events ``{kind, eventTypeId, trafficTypeName, key, value, timestamp, properties, environmentName, source,
        foreignId}`` with the timestamp in epoch milliseconds and the messageId as foreign id (split.in.foreign-id), or
        identities ``{kind, trafficTypeName, key, environmentName, values}``. The events of one call share one
        ``properties`` object, the identities of one call one ``values`` object.

    >>> from trackside.split.settings import SegmentInbound, SplitSettings
    >>> inbound = SegmentInbound("fme-key", environment="production")
    >>> call = {"type": "track", "event": "Bid Placed", "userId": "u-1", "timestamp": "2025-01-02T03:04:05Z"}
    >>> [event] = segment_call(call, inbound, SplitSettings()).records
    >>> event["eventTypeId"], event["trafficTypeName"], event["key"], event["timestamp"]
    ('Bid_Placed', 'user', 'u-1', 1735787045000)
    """
    kind = message.get("type")
    mapping = _CALLS.get(kind) if isinstance(kind, str) else None
    if mapping is None:
        text = f"FME does not process {shown(kind)} calls"
        fix = "send identify, group, track, page or screen"
        return Mapped([], [drop("split.in.unsupported", text, at="$.type", fix=fix)])
    call = Call(message, inbound, settings, received_at)
    return Mapped(mapping(call), call.steps)


def supported(message: Message) -> bool:
    """Return whether FME processes calls of this type (split.in.specs)."""
    return message.get("type") in _CALLS


def _switched_off(call: Call, rule: str, toggle: str) -> list[Record]:
    text = f"this configuration has {toggle} switched off"
    fix = f"set {toggle} to true to process these calls"
    call.steps.append(drop(rule, text, at="$.type", fix=fix, level=None))
    return []


# ---- track, page and screen make events


def _track(call: Call) -> list[Record]:
    inbound = call.inbound
    if not inbound.track:
        return _switched_off(call, "split.in.track-toggle", "track")
    name = event_name(call)
    type_id = event_type(name, f"$.{inbound.event_type_id}", inbound, call.steps) if name else None
    targets = _event_targets(call, type_id)
    return _events(call, type_id, event_value(call), targets) if type_id and targets else []


def _page(call: Call) -> list[Record]:
    if not call.inbound.named_pages:
        return _switched_off(call, "split.in.page-toggles", "named_pages")
    return _named(call, "page", call.inbound.page_prefix)


def _screen(call: Call) -> list[Record]:
    if not call.inbound.named_screens:
        return _switched_off(call, "split.in.page-toggles", "named_screens")
    return _named(call, "screen", call.inbound.screen_prefix)


def _named(call: Call, kind: str, prefix: str) -> list[Record]:
    type_id = _named_event_type(call, kind, prefix)
    if call.inbound.page_fields:
        targets = _event_targets(call, type_id)
        return _events(call, type_id, event_value(call), targets) if type_id and targets else []
    targets = identities(call)
    if type_id is None or not targets:
        return []
    _note_page_fields(call, kind)
    return _events(call, type_id, None, targets)


def _named_event_type(call: Call, kind: str, prefix: str) -> str | None:
    name = call.message.get("name")
    if not isinstance(name, str) or not name.strip():
        text = f"the {kind} call has no name: it makes no event"
        fix = f"give the call a name, or set named_{kind}s to false"
        call.steps.append(drop("split.in.unnamed", text, at="$.name", fix=fix))
        return None
    made = f"{prefix}{name.lower() if call.inbound.page_case == 'lower' else name}_{kind}"
    call.steps.append(_made_of_name(kind, name, made))
    return event_type(made, "$.name", call.inbound, call.steps)


@lru_cache(maxsize=1024)
def _made_of_name(kind: str, name: str, made: str) -> Step:
    text = f"the {kind} {shown(name)} makes the event type {shown(made)}; the vendors' pages disagree on its prefix"
    fix = f"set {kind}_prefix where FME shows you another"
    return Step("assumed", f"split.in.{kind}", text, "$.name", fix, "note")


def _note_page_fields(call: Call, kind: str) -> None:
    for path in (call.inbound.value, "properties.split"):
        if path and lookup(call.message, path) is not None:
            text = f"{path} of a {kind} call is not used: the field mapping is taken to be for track calls only"
            fix = "set page_fields to true to use it"
            call.steps.append(Step("assumed", "split.in.page.fields", text, f"$.{path}", fix, "note"))


def _event_targets(call: Call, type_id: str | None) -> list[Target]:
    """Return where an event counts: under its mapped ids and under its pairs; none where it is dropped."""
    keep = call.inbound.pairs_without_id == "keep"
    found = identities(call, needed=not keep)
    if type_id is None or not (found or keep):
        return []
    named = _event_groups(call)
    if named and not found:
        call.steps.append(_PAIRS_ALONE)
    elif not found:
        call.steps.append(no_identity(call.message, call.inbound))
    for traffic_type, text in sorted(target for target, times in Counter(found + named).items() if times > 1):
        call.steps.append(_repeated(traffic_type, text))
    return found + named


_PAIRS_ALONE = Step(
    "assumed",
    "split.in.no-identity",
    "the call carries none of the mapped ids: the pairs of properties.split alone make its events",
    "$.properties.split",
    "set pairs_without_id to drop if FME drops such a call",
    "note",
)


def _repeated(traffic_type: str, text: str) -> Step:
    what = f"the {traffic_type} {shown(text)} is named more than once: the event is stored for it as often"
    fix = "name each traffic type and key once, and no mapped id again"
    return Step("assumed", "split.in.track-groups", what, "$.properties.split", fix, "note")


def _event_groups(call: Call) -> list[Target]:
    properties = call.message.get("properties")
    value = properties.get("split") if isinstance(properties, dict) else None
    if value is None:
        return []
    if _names_a_flag(call.message, value):
        call.steps.append(_FLAG_NAMED)
        return []
    found = pairs(value, list, "$.properties.split", call)
    if found:
        text = f"the event counts for {len(found)} more: {', '.join(traffic_type for traffic_type, _ in found)}"
        call.steps.append(Step("split", "split.in.track-groups", text, "$.properties.split"))
    return found


def _events(call: Call, type_id: str, value: float | None, targets: list[Target]) -> list[Record]:
    stored = _stored_properties(call)
    timestamp = moment(call)
    environment, message_id = call.inbound.environment, call.message.get("messageId")
    return [
        {
            "kind": "event",
            "eventTypeId": type_id,
            "trafficTypeName": traffic_type,
            "key": text,
            "value": value,
            "timestamp": timestamp,
            "properties": stored,
            "environmentName": environment,
            "source": "Segment",
            "foreignId": message_id,
        }
        for traffic_type, text in targets
    ]


def _stored_properties(call: Call) -> dict[str, Any]:
    properties = call.message.get("properties")
    if not isinstance(properties, dict):
        return {}
    kept = call.inbound.keep_split or _names_a_flag(call.message, properties.get("split"))
    if "split" in properties and not kept:
        properties = {name: properties[name] for name in properties if name != "split"}
        call.steps.append(_SPLIT_TAKEN_OUT)
    return event_properties(properties, call.inbound, call.steps)


def _names_a_flag(message: Message, split: object) -> bool:
    """Return whether the property split is the flag of an impression that FME sent to Segment (split.in.get-treatment)."""
    return isinstance(split, str) and message.get("event") == GET_TREATMENT


_FLAG_NAMED = Step(
    "assumed",
    "split.in.get-treatment",
    "the property split of FME's own get_treatment is the flag's name: it is kept, and names no traffic types",
    "$.properties.split",
    "nothing to do; have Segment send get_treatment to Split no more where FME shows you otherwise",
    "note",
)

_SPLIT_TAKEN_OUT = Step(
    "assumed",
    "split.in.track-groups.kept",
    "the property split is not among the stored properties",
    "$.properties.split",
    "set keep_split to true to keep it there",
    "note",
)


# ---- identify and group make identities


def _identify(call: Call) -> list[Record]:
    if not call.inbound.identify:
        return _switched_off(call, "split.in.identify-toggle", "identify")
    return _identified(call, identities(call), _traits(call))


def _group(call: Call) -> list[Record]:
    """Return the identities that ``traits.split`` names, with all other traits (split.in.group.attributes)."""
    traits = _traits(call)
    named = traits.pop("split", None)
    targets = _group_id(call) if named is None else pairs(named, dict, "$.traits.split", call)
    if not targets:
        text = "the group call names no traffic type and key that FME can identify: it changes nothing"
        fix = 'send traits.split such as {"account": "a-1"}'
        call.steps.append(drop("split.in.group", text, at="$.traits.split", fix=fix))
    return _identified(call, targets, traits)


def _group_id(call: Call) -> list[Target]:
    if not call.inbound.group_traffic_type:
        return []
    text = key(call.message.get("groupId"), "$.groupId", call.inbound, call.steps)
    return [] if text is None else [(call.inbound.group_traffic_type, text)]


def _traits(call: Call) -> dict[str, Any]:
    traits = call.message.get("traits")
    return dict(traits) if isinstance(traits, dict) else {}


def _identified(call: Call, targets: list[Target], traits: dict[str, Any]) -> list[Record]:
    values = attributes(traits, call.inbound, call.steps) if targets else {}
    return [
        {
            "kind": "identity",
            "trafficTypeName": traffic_type,
            "key": text,
            "environmentName": call.inbound.environment,
            "values": values,
        }
        for traffic_type, text in targets
    ]


_CALLS: dict[str, Callable[[Call], list[Record]]] = {
    "identify": _identify,
    "group": _group,
    "track": _track,
    "page": _page,
    "screen": _screen,
}
