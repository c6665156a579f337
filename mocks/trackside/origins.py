"""Where the fields of a vendor's record come from: the place in the Segment message, and the rule that says so.

A table per kind of record. It explains what the mappings did and maps nothing itself; a field that no table names, such
as a constant, has no origin. Pure functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from trackside.catalog import json_path
from trackside.segment.actions import DESTINATIONS
from trackside.segment.actions import Mapping as ActionMapping
from trackside.segment.actions.javascript import UNDEFINED
from trackside.segment.actions.mapping_kit import source_paths
from trackside.segment.actions.mapping_values import look_up
from trackside.segment.destinations import CATALOG
from trackside.segment.routing import mapping_of, vendor_at
from trackside.segment.settings import Destination
from trackside.split.settings import SegmentInbound as SplitInbound
from trackside.split.settings import SplitSettings
from trackside.statsig.settings import NAME_PRESETS
from trackside.statsig.settings import SegmentInbound as StatsigInbound
from trackside.steps import Message, Record
from trackside.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one field of a record comes from.

    Attributes:
        field: its JSON path in the record, such as ``$.user.userID``.
        source: a JSON path in the message, or a place in the workspace; empty where there is none.
        rule: the rule's id.
    """

    field: str
    source: str
    rule: str

    def as_json(self) -> dict[str, str]:
        """Return the origin as JSON."""
        return {"field": self.field, "source": self.source, "rule": self.rule}


Told: TypeAlias = tuple[str, str]
"""A source and a rule."""

Table: TypeAlias = Mapping[str, "Told | Callable[[str], Told]"]
"""By a record's dotted path, whose last part may be ``*``: what is told of it, or a function of the last part."""


def origins(
    record: Record, message: Message, destination: Destination, workspace: Workspace, mapping: str = ""
) -> list[Origin]:
    """Return the origin of each field of a record that has one, in the record's order.

    Args:
        record: what the destination's vendor keeps.
        message: the Segment message that it was made of.
        destination: that it was delivered to.
        workspace: in force.
        mapping: the name of the Actions mapping that made the request; empty for a raw message.
    """
    return list(_walk(record, (), _table(record, message, destination, workspace, mapping)))


def _walk(value: Any, path: tuple[str, ...], table: Table) -> Iterator[Origin]:
    told = table.get(".".join(path)) or (table.get(".".join((*path[:-1], "*"))) if path else None)
    if told is not None:
        source, rule = told if isinstance(told, tuple) else told(path[-1])
        yield Origin(json_path(list(path)), source, rule)
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(inner, (*path, name), table)


def _table(
    record: Record, message: Message, destination: Destination, workspace: Workspace, mapping: str
) -> Table:  # fmt: skip
    if destination.type == "statsig":
        return _statsig(message, workspace.statsig.segment_inbound)
    if destination.type == "split" or (destination.type == "webhook" and vendor_at(destination.url) == "split"):
        inbound = _split_configuration(destination, workspace.split)
        if inbound is None:
            return {}
        place = f"split.segment_inbound[{workspace.split.segment_inbound.index(inbound)}].environment"
        return {**_split(record, message, inbound), "environmentName": (place, "split.in.environment")}
    if destination.type == "launchdarkly":
        return _launchdarkly(record, message, _mapping(destination, mapping))
    return {}


def _below(place: str, name: str) -> str:
    return place + json_path([name]).removeprefix("$")


# ---- Statsig


def _statsig(message: Message, inbound: StatsigInbound) -> Table:
    kind = str(message.get("type"))
    where = "$.properties" if isinstance(message.get("properties"), dict) or kind != "group" else "$.traits"
    usual = kind == "track" and inbound.template(kind) == NAME_PRESETS["current"][kind]
    name = {"track": "$.event", "group": "$.type"}.get(kind, "$.name" if message.get("name") else "$.type")
    valued = _below(where, inbound.value_property) if inbound.value_property else ""
    return {
        "eventName": (name, "statsig.in.prefix" if usual else "statsig.in.names"),
        "time": ("$.timestamp", "statsig.in.time"),
        "value": (valued, "statsig.in.value"),
        "user.userID": ("$.userId", "statsig.in.user-id")
        if message.get("userId")
        else ("$.userID", "statsig.in.user-id.capital"),
        "user.customIDs.*": lambda id_type: _custom_id(id_type, where, message, inbound),
        "user.custom.*": lambda name: (_paired(name, "statsigCustom", where, message), "statsig.in.custom"),
        "user.statsigEnvironment": (f"{where}.statsigEnvironment", "statsig.in.environment"),
        **{f"user.{name}": (f"$.context.{name}", "statsig.in.context") for name in ("ip", "locale", "userAgent")},
        "metadata.*": lambda name: (_below(where, name), "statsig.in.metadata"),
    }


def _custom_id(id_type: str, where: str, message: Message, inbound: StatsigInbound) -> Told:
    if place := _paired(id_type, "statsigCustomIDs", where, message):
        return place, "statsig.in.custom-ids"
    fields = [name for name, mapped in inbound.map_identifiers.items() if mapped == id_type and message.get(name)]
    return (_below("$", fields[-1]) if fields else ""), "statsig.in.map-identifier"


def _paired(name: str, key: str, where: str, message: Message) -> str:
    """Return the place of a name's value in an array such as ``["companyID", "c-1"]``; the last one counts."""
    properties = message.get(where.removeprefix("$."))
    pairs = properties.get(key) if isinstance(properties, dict) else None
    pairs = pairs if isinstance(pairs, list) else []
    places = [place for place in range(0, len(pairs) - 1, 2) if pairs[place] == name]
    return f"{where}.{key}[{places[-1] + 1}]" if places and pairs[places[-1] + 1] not in (None, "") else ""


# ---- Split


def _split_configuration(destination: Destination, split: SplitSettings) -> SplitInbound | None:
    if destination.type == "webhook":
        return split.webhook(destination.url.rpartition("/")[2])
    return split.configuration(destination.api_key)


def _split(record: Record, message: Message, inbound: SplitInbound) -> Table:
    kind = str(message.get("type"))
    target = _split_target(record, message, inbound)
    named = {
        "track": (f"$.{inbound.event_type_id}", "split.in.event-type-path"),
        "page": ("$.name", "split.in.page"),
        "screen": ("$.name", "split.in.screen"),
    }
    return {
        "eventTypeId": named.get(kind, ("", "split.in.specs")),
        "trafficTypeName": target,
        "key": target,
        "value": (f"$.{inbound.value}" if record.get("value") is not None else "", "split.in.value"),
        "timestamp": (f"$.{inbound.timestamp}", "split.in.timestamp"),
        "properties.*": lambda name: (_below("$.properties", name), "split.in.properties"),
        "values.*": lambda name: (
            _below("$.traits", name),
            "split.in.group.attributes" if kind == "group" else "split.in.traits",
        ),
        "foreignId": ("$.messageId", "split.in.foreign-id"),
    }


def _split_target(record: Record, message: Message, inbound: SplitInbound) -> Told:
    traffic_type, key = record.get("trafficTypeName"), record.get("key")
    if message.get("type") == "group":
        traits = message.get("traits")
        named = isinstance(traits, dict) and "split" in traits
        return ("$.traits.split" if named else "$.groupId"), "split.in.group"
    for name, mapped in inbound.identities.items():
        if mapped == traffic_type and str(message.get(name)).strip() == key:
            return f"$.{name}", "split.in.identity"
    return "$.properties.split", "split.in.track-groups"


# ---- LaunchDarkly

_LAUNCHDARKLY = {
    "trackEvent": {
        "key": "event_name",
        "creationDate": "timestamp",
        "metricValue": "metric_value",
        "data": "event_properties",
    },
    "aliasUser": {"key": "user_key", "previousKey": "previous_key", "creationDate": "timestamp"},
}
"""By action, then by a record's field: the field of the action's payload that fills it."""


def _launchdarkly(record: Record, message: Message, mapping: ActionMapping | None) -> Table:
    fixed: Table = {
        "environment": (f"launchdarkly.environments.{record['environment']}", "launchdarkly.in.client-side-id"),
    }
    if mapping is None or mapping.action not in _LAUNCHDARKLY:
        return fixed
    rules = _field_rules(mapping.action)

    def told(name: str, part: str = "") -> Told:
        value = mapping.mapping.get(name)
        value = value.get(part) if part and isinstance(value, dict) else value
        return _first_there(value, message), rules[name]

    def context_key(kind: str) -> Told:
        more = mapping.mapping.get("additional_context_keys")
        further = isinstance(more, dict) and kind in more and kind != mapping.mapping.get("context_kind", "user")
        return told("additional_context_keys", kind) if further else told("user_key")

    filled = {name: told(payload) for name, payload in _LAUNCHDARKLY[mapping.action].items()}
    return {**fixed, **filled, "contextKeys.*": context_key}


def _mapping(destination: Destination, name: str) -> ActionMapping | None:
    presets = DESTINATIONS[CATALOG[destination.type].slug].presets
    own = destination.mappings
    rows = presets if own is None else [mapping_of(row, destination.type) for row in own]
    return next((row for row in rows if row.name == name), None)


def _field_rules(action: str) -> dict[str, str]:
    actions = DESTINATIONS[CATALOG["launchdarkly"].slug].actions
    return {field.name: field.rule for row in actions if row.slug == action for field in row.fields}


def _first_there(mapping: Any, message: Message) -> str:
    """Return the first place that a mapping reads and that holds something, else the first place that it reads."""
    paths = list(source_paths(mapping))
    there = (path for path in paths if look_up(path.removeprefix("$."))(message) not in (None, UNDEFINED))
    return next(there, paths[0] if paths else "")
