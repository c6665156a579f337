"""What Split sends to Segment sources of the impressions that SDKs post. Pure functions.

`trackside.exports` makes requests of it, and tries again where Segment fails (split.out.retry, split.out.refused).
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from trackside.exports import Exported
from trackside.split.limits import shown
from trackside.split.settings import GET_TREATMENT
from trackside.split.webhook import FIELDS, row_of
from trackside.steps import Message, Record, Step, drop
from trackside.times import iso

if TYPE_CHECKING:
    from trackside.split.settings import SegmentOutbound, SplitSettings

AGENT = "split"
DOCUMENTED = ("split", "treatment", "label", "environmentName")
"""The properties that the vendor's pages name (split.out.properties)."""

TrafficType: TypeAlias = Callable[[str, str], str]
"""Gives the traffic type of a flag in an environment; empty where there is no such flag."""


def exported(records: Iterable[Record], settings: SplitSettings, traffic_type: TrafficType) -> Exported:
    """Return the track calls of impressions, and why others are not sent.

    Each impression goes to the source of every configuration that selects its environment and maps its flag's traffic type
    (split.out.environments, split.out.identity-map, split.out.write-keys). Counts, unique keys and events are never sent
    (split.out.impressions).

    Args:
        records: what Split keeps, of any kind.
        settings: the workspace's ``split`` block.
        traffic_type: tells a flag's traffic type.

    >>> from trackside.split.settings import SegmentOutbound, SplitSettings
    >>> outbound = SegmentOutbound(("production",), {"user": "userId"}, "wk_fme", properties="documented")
    >>> impression = {"kind": "impression", "split": "banner", "treatment": "on", "key": "u-1", "label": "default rule",
    ...               "time": 1735787045000, "environmentName": "production"}
    >>> found = exported([impression], SplitSettings(segment_outbound=(outbound,)), lambda flag, environment: "user")
    >>> [call] = found.messages["wk_fme"]
    >>> call["event"], call["userId"], call["timestamp"], call["properties"]["treatment"]
    ('get_treatment', 'u-1', '2025-01-02T03:04:05.000Z', 'on')
    """
    found, told = Exported(agent=AGENT), Counter[Step]()
    for record in records:
        if record["kind"] == "impression":
            told.update(_send(record, settings, traffic_type, found))
        elif record.get("eventTypeId") == GET_TREATMENT and record.get("source") == "Segment":
            found.steps.append(_CAME_BACK)
    found.steps += [_counted(step, count) for step, count in told.items()]
    return found


def get_treatment(record: Record, outbound: SegmentOutbound, identity: str) -> Message:
    """Return the track call of an impression, its key in one field only (split.out.impressions, split.out.identity-map).

    Args:
        record: the impression.
        outbound: the configuration that sends it.
        identity: ``userId`` or ``anonymousId``.
    """
    moment = iso(record["time"])
    return {
        "type": "track",
        "event": GET_TREATMENT,
        identity: record["key"],
        **({"timestamp": moment} if moment else {}),
        "properties": _properties(record, outbound),
    }


def sent_properties(outbound: SegmentOutbound) -> tuple[str, ...]:
    """Return the properties that a configuration sends, by the vendor's names (split.out.properties)."""
    if outbound.properties == "documented":
        return DOCUMENTED
    return FIELDS if outbound.impression_properties != "omit" else FIELDS[:-1]


def _properties(record: Record, outbound: SegmentOutbound) -> dict[str, Any]:
    """Return the properties of a call under their names, without those that are not known (split.out.impression-properties)."""
    row = row_of(record)
    if "properties" in row and outbound.impression_properties == "object":
        row["properties"] = record["properties"]
    return {outbound.property_names.get(name, name): row[name] for name in sent_properties(outbound) if name in row}


def _send(record: Record, settings: SplitSettings, traffic_type: TrafficType, found: Exported) -> list[Step]:
    """Add an impression's calls, and return what is to be told of it: its drops where it is not sent, its assumptions."""
    environment = record["environmentName"]
    chosen = [(index, one) for index, one in enumerate(settings.segment_outbound) if environment in one.environments]
    if not chosen:
        return [_not_selected(environment)]
    kind, sent, steps = traffic_type(record["split"], environment), False, list[Step]()
    for index, outbound in chosen:
        of = kind or outbound.unknown_flags
        identity = outbound.identities.get(of) if of else None
        if identity is None:
            steps.append(_unmapped(of, index, outbound) if of else _unknown(record["split"], index))
            continue
        found.add(outbound.write_key, get_treatment(record, outbound, identity))
        sent = True
        steps += _assumed(record, outbound, guessed=not kind)
    return [_as_wished(step) if sent and step.kind == "drop" else step for step in steps]


def _assumed(record: Record, outbound: SegmentOutbound, *, guessed: bool) -> Iterator[Step]:
    if outbound.properties == "all":
        yield _ASSUMED
    if guessed:
        text = f"of the flag {shown(record['split'])}, which the lab does not have: taken to be of the traffic type {outbound.unknown_flags}"
        yield Step("assumed", "split.out.unknown-flag", text, "$[].f", "declare the flag under split.flags", "note")


def _not_selected(environment: str) -> Step:
    text = f"of the environment {environment}, which no configuration selects: not sent to Segment"
    fix = f"add {environment} to the environments of one of split.segment_outbound"
    return drop("split.out.environments", text, at="split.segment_outbound", fix=fix, level=None)


def _unmapped(traffic_type: str, index: int, outbound: SegmentOutbound) -> Step:
    """Return the drop of an impression whose traffic type is not mapped; no finding where the file says so itself."""
    wished = traffic_type in outbound.identities
    text = f"of the traffic type {traffic_type}, which is not mapped: not sent to Segment"
    fix = f"map {traffic_type} to userId or anonymousId, or to null to leave it out"
    at = f"split.segment_outbound[{index}].identities"
    return drop("split.out.identity-map", text, at=at, fix=fix, level=None if wished else "warning")


def _unknown(flag: str, index: int) -> Step:
    text = f"of the flag {shown(flag)}, which the lab does not have, so that its traffic type is not known: not sent to Segment"
    fix = f"declare the flag under split.flags, or set split.segment_outbound[{index}].unknown_flags to a traffic type"
    return drop("split.out.unknown-flag", text, at="$[].f", fix=fix)


def _as_wished(step: Step) -> Step:
    """Return a drop as no finding: another configuration sent the impression, so that they share the traffic types."""
    return dataclasses.replace(step, level=None)


def _counted(step: Step, count: int) -> Step:
    return dataclasses.replace(step, text=f"{count} impression{'' if count == 1 else 's'} {step.text}")


_ASSUMED = Step(
    "assumed",
    "split.out.properties",
    "sent with the properties of the impressions webhook; the vendor's pages name " + ", ".join(DOCUMENTED) + " only",
    "$.properties",
    "set properties to documented to send only those",
    "note",
)

_CAME_BACK = Step(
    "info",
    "split.out.loop",
    "get_treatment came back from Segment as an event: impressions alone are sent there, and it goes round no further",
    "$.event",
)
