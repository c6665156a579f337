"""From a message to the requests that Segment makes of it: destinations, integrations object, filters, mappings.

Everything is compiled once, when a workspace is loaded; `route` is pure.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson

from trackside.catalog import json_path
from trackside.errors import TracksideError, WorkspaceError
from trackside.segment.actions import DESTINATIONS, ActionResult, compile_destination
from trackside.segment.actions import Mapping as ActionMapping
from trackside.segment.actions.webhook import EVERY_CALL, send_mapping
from trackside.segment.destinations import CATALOG
from trackside.segment.filters import compile_filters, parse_filters
from trackside.segment.protocols import Guard, compile_guards
from trackside.segment.settings import Destination, SegmentSettings
from trackside.steps import Message, Step, drop
from trackside.wire import Outgoing

NAMES: dict[str, tuple[str, ...]] = {type_: entry.names for type_, entry in CATALOG.items()}
"""The names that ``integrations`` knows each type of destination by: current and previous (segment.catalog)."""

HOSTS = {
    "statsig": ("api.statsig.com",),
    "split": ("events.split.io",),
    "launchdarkly": ("events.launchdarkly.com",),
}
"""The public hosts that the lab itself stands for; a delivery to any other address leaves the lab."""


def vendor_at(url: str) -> str:
    """Return the vendor of the lab whose public address this is; empty for any other.

    >>> vendor_at("https://events.split.io/segment"), vendor_at("http://127.0.0.1:9000")
    ('split', '')
    """
    host = urlsplit(url).hostname or ""
    return next((vendor for vendor, hosts in HOSTS.items() if host in hosts), "")


@dataclass(slots=True)
class Sending:
    """One request to a destination, with the mapping that made it (empty for a raw message)."""

    outgoing: Outgoing
    mapping: str = ""
    steps: list[Step] = field(default_factory=list)


@dataclass(slots=True)
class Routed:
    """A message on its way to one destination: what was decided, and the requests to make; none when it was dropped.

    Attributes:
        destination: its name.
        type: of the destination.
        vendor: who is there: its type, but for a webhook to a vendor of the lab.
        steps: what was decided.
        sendings: the requests.
    """

    destination: str
    type: str
    vendor: str
    steps: list[Step] = field(default_factory=list)
    sendings: list[Sending] = field(default_factory=list)

    @property
    def dropped(self) -> Step | None:
        """The drop's step, if no request is made."""
        if self.sendings:
            return None
        return next((step for step in self.steps if step.kind == "drop"), None)


class CompiledDestination:
    """One destination of the workspace, ready to route messages.

    Raises:
        TracksideError: a filter or a mapping that cannot be read, naming the destination.
    """

    def __init__(self, name: str, destination: Destination, settings: SegmentSettings) -> None:
        self.name = name
        self.destination = destination
        self.type = destination.type
        self.mappings: list[ActionMapping] = []
        self._methods = CATALOG[destination.type].methods
        self._enforce = settings.catalog_methods == "enforce"
        at = json_path(["segment", "destinations", name])
        self.vendor = _vendor(destination, at)
        self._filter = compile_filters(parse_filters([dict(row) for row in destination.filters], f"{at}.filters"))
        self._actions: Callable[[Message, float], list[ActionResult]] | None = None
        if CATALOG[destination.type].kind == "actions":
            slug = CATALOG[destination.type].slug
            mappings = _mappings(destination, f"{at}.mappings")
            self.mappings = list(DESTINATIONS[slug].presets) if mappings is None else mappings
            self._actions = compile_destination(slug, _action_settings(destination), self.mappings)
            named = (row.mapping.get("url") for row in mappings or ())
            self._named = {_origin(url) for url in (destination.url, *named) if isinstance(url, str)}

    @property
    def external(self) -> bool:
        """Whether it is delivered to over HTTP, outside the lab."""
        return self.vendor == "webhook" or bool(self.destination.url and not vendor_at(self.destination.url))

    def route(self, message: Message, source: str, now: float) -> Routed:
        """Return what becomes of a message: its requests, or why there are none.

        Args:
            message: as ingest opened it.
            source: the name of the source that it came through.
            now: when Segment received it, epoch seconds.
        """
        routed = Routed(self.name, self.type, self.vendor)
        if not self.destination.enabled:
            routed.steps.append(_disabled(self.name, self.type))
            return routed
        return self._passed(message, source, now, routed)

    def replay(self, message: Message, source: str, now: float) -> Routed:
        """Return what becomes of a message that is replayed to this destination alone (segment.replay).

        Its ``integrations`` are replaced; the destination may be switched off, its filters apply.
        """
        chosen = {**message, "integrations": {"All": False, NAMES[self.type][0]: True}}
        return self._passed(chosen, source, now, Routed(self.name, self.type, self.vendor))

    def test(self, message: Message, source: str, now: float) -> tuple[Routed, list[ActionResult]]:
        """Return what becomes of a test event, and what each enabled mapping made of it (segment.event-tester).

        Neither its ``integrations``, nor the destination's switch and filters, keep it back.
        """
        routed = Routed(self.name, self.type, self.vendor)
        if message["type"] not in self._methods and self._unlisted(message["type"], routed):
            return routed, []
        return routed, self._send(message, message["type"], source, now, routed)

    def _passed(self, message: Message, source: str, now: float, routed: Routed) -> Routed:
        """Let a message pass the integrations object, the catalogue and the filters, then make its requests."""
        integrations = message.get("integrations")
        blocked = blocked_by_integrations(integrations, self.type)
        if blocked is not None:
            routed.steps.append(blocked)
            return routed
        if integrations and (vain := _blocked_in_vain(integrations, self.type)):
            routed.steps.append(vain)
        if message["type"] not in self._methods and self._unlisted(message["type"], routed):
            return routed
        passed, steps = self._filter(message)
        routed.steps += steps
        if passed is not None:
            self._send(passed, message["type"], source, now, routed)
        return routed

    def _send(self, message: Message, kind: str, source: str, now: float, routed: Routed) -> list[ActionResult]:
        """Make the requests of a message, and return what each enabled mapping made of it."""
        if self._actions is not None:
            return self._map(message, kind, now, routed)
        routed.sendings.append(self._direct(message, source))
        return []

    def _unlisted(self, kind: str, routed: Routed) -> bool:
        """Note that the catalogue does not list a call type; return whether that discards it."""
        if self._enforce:
            text = f"Segment's catalogue does not list {kind} for {NAMES[self.type][0]}"
            fix = "set segment.catalog_methods to advise to follow the vendor's own page"
            routed.steps.append(
                drop("segment.unsupported-type", text, at="$.type", fix=fix, code="UNSUPPORTED_EVENT_TYPE")
            )
        elif self.type != "launchdarkly":  # whose own page says what becomes of each type
            text = f"Segment's catalogue does not list {kind} for {NAMES[self.type][0]}, the vendor's page does or is silent"
            fix = "set segment.catalog_methods to enforce to follow the catalogue"
            routed.steps.append(Step("assumed", "segment.unsupported-type", text, "$.type", fix, "note"))
        return self._enforce

    def _direct(self, message: Message, source: str) -> Sending:
        """Return the raw message as Segment posts it to a partner (segment.direct)."""
        library = message.get("context", {}).get("library") if isinstance(message.get("context"), dict) else None
        browser = isinstance(library, dict) and library.get("name") == "analytics.js"
        body = orjson.dumps({**message, "channel": "client" if browser else "server", "projectId": source})
        key = base64.b64encode(f"{self.destination.api_key}:".encode()).decode()
        headers = {
            "Accept": "*/*",
            "Authorization": f"Basic {key}",
            "Cache-Control": "no-cache",
            "Connection": "Keep-Alive",
            "Content-Length": str(len(body)),
            "Content-Type": "application/json",
            "User-Agent": "Segment.io/1.0",
        }
        return Sending(Outgoing("POST", self.destination.url or CATALOG[self.type].url, headers, body))

    def _map(self, message: Message, kind: str, now: float, routed: Routed) -> list[ActionResult]:
        """Run every mapping whose trigger matches; each makes a request of its own (segment.mappings).

        The call's ``kind`` is told beside the message, as a filter may have taken its type away.
        """
        assert self._actions is not None  # noqa: S101 - for the type checker: only action destinations come here
        matched = False
        results = self._actions(message, now)
        for result in results:
            matched = matched or result.matched
            outgoing = result.outgoing
            if outgoing is None:
                routed.steps += result.steps
            elif self.type == "webhook" and _origin(outgoing.url) not in self._named:
                routed.steps.append(_not_named(outgoing.url))
            else:
                if self.destination.url and self.type != "webhook":
                    outgoing = outgoing.moved(self.destination.url)
                routed.sendings.append(Sending(outgoing, result.mapping, result.steps))
        if not matched and not any(step.kind == "drop" for step in routed.steps):
            routed.steps.append(_no_mapping(kind, self.type, configured=self.destination.mappings is not None))
        return results


def _vendor(destination: Destination, at: str) -> str:
    """Return the vendor of the lab that a destination delivers to; its type where it delivers elsewhere.

    Raises:
        TracksideError: an address cannot be read, or a webhook's are of several vendors.
    """
    mapped = (row.get("mapping", {}).get("url") for row in destination.mappings or () if destination.type == "webhook")
    urls = [url for url in (destination.url, *mapped) if url and isinstance(url, str)]
    try:
        vendors = {vendor_at(url) for url in urls}
    except ValueError as error:
        raise TracksideError(
            f"the address cannot be read: {error}", f"{at}.url", "write it as https://host/path"
        ) from error
    if len(vendors) > 1:
        told = ", ".join(sorted(vendor or "none" for vendor in vendors))
        what = f"the destination's addresses are of several vendors of the lab: {told}"
        raise TracksideError(what, f"{at}.mappings", "make a destination of its own for each")
    return next(iter(vendors), "") or destination.type


def _mappings(destination: Destination, at: str) -> list[ActionMapping] | None:
    """Return the mappings of a destination; None for its vendor's presets. A webhook's preset sends it every call.

    Raises:
        WorkspaceError: with every mapping that names no known action and holds no fields.
    """
    webhook = _webhook_preset(destination) if destination.type == "webhook" else None
    if destination.mappings is None:
        return [webhook] if webhook else None
    mappings, faults = [], []
    for index, row in enumerate(destination.mappings):
        if webhook and row["action"] == webhook.action:
            row = {**row, "mapping": {**webhook.mapping, **row.get("mapping", {})}}  # noqa: PLW2901 - completed
        try:
            mappings.append(mapping_of(row, destination.type))
        except TracksideError as error:
            faults.append(TracksideError(error.what, f"{at}[{index}].action", error.fix))
    if faults:
        raise WorkspaceError(faults, at)
    return mappings


def _webhook_preset(destination: Destination) -> ActionMapping:
    preset = send_mapping(destination.url, headers=dict(destination.headers))
    preset.mapping["method"] = destination.method
    return preset


def mapping_of(row: Mapping[str, Any], kind: str) -> ActionMapping:
    """Return a mapping of the workspace; what it leaves out is as in the preset of its action."""
    destination = DESTINATIONS[CATALOG[kind].slug]
    preset = next((preset for preset in destination.presets if preset.action == row["action"]), None)
    if preset is None and "mapping" not in row:
        known = ", ".join(action.slug for action in destination.actions)
        raise TracksideError(f"no preset is for the action {row['action']!r}", "mappings", f"actions are: {known}")
    base = preset or ActionMapping(row["action"], row["action"], EVERY_CALL, {})
    return ActionMapping(
        row["action"],
        row.get("name", base.name),
        row.get("trigger", base.trigger),
        row.get("mapping", base.mapping),
        row.get("enabled", True),
    )


def _action_settings(destination: Destination) -> dict[str, Any]:
    if destination.type == "launchdarkly":
        return {"client_id": destination.client_side_id}
    return {"sharedSecret": destination.shared_secret}


def _origin(url: str) -> str:
    """Return the scheme, host and port of an address."""
    return "/".join(url.split("/", 3)[:3]).lower()


def _not_named(url: str) -> Step:
    text = f"the event names the address {_origin(url)}, which the workspace does not: nothing is sent there"
    fix = "write the address into the destination's url, or into a mapping of its own"
    return drop("segment.delivery.address", text, at="mappings", fix=fix)


def _disabled(name: str, kind: str) -> Step:
    rule = "launchdarkly.in.mapping-enabled" if kind == "launchdarkly" else "segment.sources"
    at = f"segment.destinations.{name}.enabled"
    return drop(rule, f"the destination {name} is switched off", at=at, fix="switch it on", level=None)


def _no_mapping(kind: str, destination: str, *, configured: bool) -> Step:
    """Return the drop of a message that no trigger matched; no finding where the type has no preset at all."""
    if destination == "launchdarkly" and kind in ("page", "screen", "group"):
        text = f"{kind} calls match no preset of LaunchDarkly: nothing is sent"
        fix = "add a mapping whose trigger names this type, or send a track call"
        return drop("launchdarkly.in.other-calls", text, at="$.type", fix=fix, level="note", code="NO_MATCHING_MAPPING")
    text = f"no enabled mapping's trigger matches this {kind} call"
    fix = "switch a mapping on, or widen its trigger"
    rule = "launchdarkly.in.mapping-enabled" if destination == "launchdarkly" else "segment.mappings"
    level = None if configured else "warning"
    return drop(rule, text, at="mappings", fix=fix, level=level, code="NO_MATCHING_MAPPING")  # type: ignore[arg-type]


def blocked_by_integrations(integrations: Any, kind: str) -> Step | None:
    """Return the drop by a message's ``integrations`` object, or None where it lets the message pass.

    Keys are the destination's catalogue names, exactly spelled; a named value beats ``All``; an object counts as true
    (segment.integrations).

    >>> blocked_by_integrations({"All": False, "Split": True}, "split") is None
    True
    >>> blocked_by_integrations({"All": False}, "split").code
    'FILTERED_BY_INTEGRATIONS_OBJECT'
    """
    if not isinstance(integrations, Mapping) or not integrations:
        return None
    named = next((name for name in NAMES[kind] if name in integrations), "")
    value = integrations[named] if named else integrations.get("All", True)
    if value or isinstance(value, Mapping):
        return None
    misspelt = _misspelt(integrations, kind)
    fix = f"spell {misspelt[0]} as {NAMES[kind][0]}" if misspelt else f'set integrations["{NAMES[kind][0]}"] to true'
    return drop(
        "segment.integrations",
        f"the call's integrations object has {named or 'All'}: {orjson.dumps(value).decode()}",
        at=f"$.integrations.{named or 'All'}",
        fix=fix,
        level="warning" if misspelt else None,
        code="FILTERED_BY_INTEGRATIONS_OBJECT",
    )


def _misspelt(integrations: Mapping[str, Any], kind: str) -> list[str]:
    """Return the keys that differ from a destination's names by upper and lower case only."""
    lowered = {name.lower() for name in NAMES[kind]}
    return [key for key in integrations if key not in NAMES[kind] and key.lower() in lowered]


def _blocked_in_vain(integrations: Any, kind: str) -> Step | None:
    """Return the warning of a message that was to be kept from a destination under a name that it does not have."""
    if not isinstance(integrations, Mapping):
        return None
    key = next((key for key in _misspelt(integrations, kind) if integrations[key] is False), None)
    if key is None:
        return None
    text = f"the call's integrations object has {key}: false, a name that no destination has: it blocks nothing"
    return Step("info", "segment.integrations", text, f"$.integrations.{key}", f"spell it {NAMES[kind][0]}", "warning")


@dataclass(slots=True)
class Plan:
    """Every source's destinations and the guards of those with a tracking plan, compiled; and all destinations by name."""

    sources: dict[str, list[CompiledDestination]]
    guards: dict[str, Guard] = field(default_factory=dict)
    destinations: dict[str, CompiledDestination] = field(default_factory=dict)

    def external(self, source: str) -> bool:
        """Whether a source feeds a destination outside the lab."""
        return any(destination.external for destination in self.sources.get(source, ()))

    def route(self, message: Message, source: str, now: float, only: str = "") -> list[Routed]:
        """Return what becomes of a message at each destination that its source feeds, in their order.

        Args:
            message: as ingest opened it.
            source: the name of the source that it came through.
            now: when Segment received it, epoch seconds.
            only: a vendor, for who wants no other destinations.
        """
        destinations = self.sources.get(source, ())
        return [to.route(message, source, now) for to in destinations if not only or to.vendor == only]

    def feeds(self, source: str, vendor: str) -> bool:
        """Whether a source has a destination at a vendor."""
        return any(destination.vendor == vendor for destination in self.sources.get(source, ()))


def compile_plan(settings: SegmentSettings) -> Plan:
    """Return the plan of a workspace's Segment block; a source's destination that is not declared is left out.

    Raises:
        WorkspaceError: with every filter, mapping and tracking plan that cannot be compiled, each with its place.
    """
    compiled: dict[str, CompiledDestination] = {}
    faults: list[TracksideError] = []
    for name, row in settings.destinations.items():
        try:
            compiled[name] = CompiledDestination(name, row, settings)
        except TracksideError as error:  # noqa: PERF203 - each destination has faults of its own
            faults += error.faults if isinstance(error, WorkspaceError) else [error]
    guards, more = compile_guards(settings)
    faults += more
    if faults:
        raise WorkspaceError(faults, "segment")
    return Plan(
        {
            name: [compiled[destination] for destination in source.destinations if destination in compiled]
            for name, source in settings.with_engage().items()
        },
        guards,
        compiled,
    )
