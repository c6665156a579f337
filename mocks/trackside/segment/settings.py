"""Segment's block of the workspace, typed: sources, destinations, and the switches for what is assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class TrackingPlan:
    """A tracking plan of Protocols.

    Attributes:
        rules: as Segment's Public API has them, ``{type, key, jsonSchema, version}``.
        file: of more rules; read when the workspace is loaded, and empty from then on.
        name: for people; its key in the workspace where empty.
        description: what it is for.
    """

    rules: tuple[Mapping[str, Any], ...] = ()
    file: str = ""
    name: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class TrackControls:
    """What a source does with track calls that depart from its tracking plan; by default all goes on.

    Attributes:
        allow_unplanned_events: else they are blocked.
        allow_unplanned_event_properties: else they are omitted.
        allow_event_on_violations: else a call that breaks its rule is blocked.
        allow_properties_on_violations: else the properties that break it are omitted.
        common_event_on_violations: what becomes of a call that breaks the common schema.
    """

    allow_unplanned_events: bool = True
    allow_unplanned_event_properties: bool = True
    allow_event_on_violations: bool = True
    allow_properties_on_violations: bool = True
    common_event_on_violations: Literal["ALLOW", "BLOCK", "OMIT_PROPERTIES"] = "ALLOW"


@dataclass(frozen=True, slots=True)
class TraitControls:
    """What a source does with identify or group calls that depart from its tracking plan; by default all goes on."""

    allow_unplanned_traits: bool = True
    allow_traits_on_violations: bool = True
    common_event_on_violations: Literal["ALLOW", "BLOCK", "OMIT_TRAITS"] = "ALLOW"


@dataclass(frozen=True, slots=True)
class SourceSchema:
    """The Schema Configuration of a source; ``forwarding_*`` name the sources that get what departs from the plan."""

    track: TrackControls = TrackControls()
    identify: TraitControls = TraitControls()
    group: TraitControls = TraitControls()
    forwarding_violations_to: str = ""
    forwarding_blocked_events_to: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A source: where calls with its write key come in, and the destinations that it feeds, by name.

    Attributes:
        name: for people; its key in the workspace where empty.
        tracking_plan: the name of the plan that its messages are held against; empty for none.
        schema: what becomes of those that depart from it.
    """

    write_key: str
    destinations: tuple[str, ...] = ()
    enabled: bool = True
    name: str = ""
    tracking_plan: str = ""
    schema: SourceSchema = SourceSchema()


@dataclass(frozen=True, slots=True)
class Destination:
    """A destination as it is configured in Segment.

    Attributes:
        type: ``statsig``, ``split``, ``launchdarkly`` or ``webhook``.
        name: for people; its key in the workspace where empty.
        api_key: the API Key setting of Statsig and Split.
        client_side_id: LaunchDarkly's setting, called ``client_id`` in Segment's own API.
        url: for a webhook its address; for another type an address to deliver to instead of the lab's own vendor.
        method: of a webhook: POST, PUT or PATCH.
        headers: of a webhook.
        shared_secret: of a webhook: makes the ``X-Signature`` header.
        filters: destination filters, as in Segment's Public API or in short.
        mappings: Actions mappings; None means the vendor's presets, an empty tuple none at all.
    """

    type: str
    enabled: bool = True
    name: str = ""
    api_key: str = ""
    client_side_id: str = ""
    url: str = ""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    shared_secret: str = ""
    filters: tuple[Mapping[str, Any], ...] = ()
    mappings: tuple[Mapping[str, Any], ...] | None = None


@dataclass(frozen=True, slots=True)
class Audience:
    """An audience of Segment Engage, which syncs to destinations of its own.

    Attributes:
        destinations: that it syncs to, by name.
        sync: whether they get an ``identify`` call for each user who enters or leaves, a ``track`` call, or ``both``.
        id: its ``computation_id``; made of its key when empty.
        space: of Engage: ``space_id`` and ``namespace`` of its calls.
    """

    destinations: tuple[str, ...] = ()
    sync: Literal["identify", "track", "both"] = "identify"
    id: str = ""
    space: str = "spa_local"


@dataclass(frozen=True, slots=True)
class Dedup:
    """How repeated messageIds are found: within ``hours``, and within the last ``ids`` of them, per ``scope``."""

    hours: float = 24
    ids: int = 100_000
    scope: Literal["all", "source"] = "all"


@dataclass(frozen=True, slots=True)
class Retry:
    """How a failed delivery is tried again; Segment documents the four hours, not the steps.

    Attributes:
        hours: no further attempt later than this after the first.
        first: seconds until the second attempt.
        factor: by which each wait grows, at most to ``longest`` seconds.
        longest: the longest wait, in seconds.
        jitter: the part of a wait that varies from message to message, 0 to 1.
    """

    hours: float = 4
    first: float = 10
    factor: float = 2
    longest: float = 1800
    jitter: float = 0.2


@dataclass(frozen=True, slots=True)
class SegmentSettings:
    """Segment's block of the workspace.

    Attributes:
        sources: by name.
        destinations: by name.
        audiences: of Segment Engage, by key (segment.audiences).
        tracking_plans: of Protocols, by name.
        public_api_token: what the Public API wants as bearer token; empty for none, which refuses every call.
        unknown_write_key: ``discard`` what comes with an unknown key (behind Segment's 200), or the name of a source that
            takes it.
        nulls: ``keep`` top-level fields that are null, such as an unused id, as they came, or ``strip`` them before
            destinations.
        catalog_methods: ``advise`` notes where a vendor's page and Segment's catalogue disagree about call types;
            ``enforce`` discards by the catalogue.
        batch_merge: whether the ``item`` or the ``batch`` wins where both have a key of ``context`` or ``integrations``.
        kilobyte: bytes in the KB of the documented limits, 1024 or 1000.
        long_message_id: what happens to a messageId over 100 characters: ``discard`` or ``keep``.
        server_ip: whether client-side events get ``context.ip`` from the connection.
        dedup: the window of deduplication.
        retry: how failed deliveries are tried again.
    """

    sources: Mapping[str, Source] = field(default_factory=dict)
    destinations: Mapping[str, Destination] = field(default_factory=dict)
    audiences: Mapping[str, Audience] = field(default_factory=dict)
    tracking_plans: Mapping[str, TrackingPlan] = field(default_factory=dict)
    public_api_token: str = ""
    unknown_write_key: str = "discard"
    nulls: Literal["keep", "strip"] = "keep"
    catalog_methods: Literal["advise", "enforce"] = "advise"
    batch_merge: Literal["item", "batch"] = "item"
    kilobyte: Literal[1024, 1000] = 1024
    long_message_id: Literal["discard", "keep"] = "discard"
    server_ip: bool = True
    dedup: Dedup = Dedup()
    retry: Retry = Retry()

    def with_engage(self) -> dict[str, Source]:
        """Return every source, with one for each audience, which feeds exactly its destinations (segment.audiences.source)."""
        own = {engage_source(key): Source(engage_source(key), row.destinations) for key, row in self.audiences.items()}
        return {**own, **self.sources}


def engage_source(audience: str) -> str:
    """Return the name of the source that Engage makes an audience's calls through, which is its write key too.

    >>> engage_source("big_spenders"), engage_source("vip: all")
    ('engage/big_spenders', 'engage/vip%3A%20all')
    """
    return f"engage/{quote(audience, safe='')}"  # a colon would end the user name of Basic authentication
