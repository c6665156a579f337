"""Segment's block of the workspace, typed: sources, destinations, and the switches for what is assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

DIRECT_TYPES = ("statsig", "split")
"""Destinations that get the raw message from Segment and map it themselves."""

ACTION_TYPES = {"launchdarkly": "actions-launchdarkly", "webhook": "actions-webhook"}
"""Destinations that Segment maps by its Actions framework, and their slugs in its catalogue."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source: where calls with its write key come in, and the destinations that it feeds, by name."""

    write_key: str
    destinations: tuple[str, ...] = ()
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Destination:
    """A destination as it is configured in Segment.

    Attributes:
        type: ``statsig``, ``split``, ``launchdarkly`` or ``webhook``.
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
    api_key: str = ""
    client_side_id: str = ""
    url: str = ""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    shared_secret: str = ""
    filters: tuple[Mapping[str, Any], ...] = ()
    mappings: tuple[Mapping[str, Any], ...] | None = None


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
    unknown_write_key: str = "discard"
    nulls: Literal["keep", "strip"] = "keep"
    catalog_methods: Literal["advise", "enforce"] = "advise"
    batch_merge: Literal["item", "batch"] = "item"
    kilobyte: Literal[1024, 1000] = 1024
    long_message_id: Literal["discard", "keep"] = "discard"
    server_ip: bool = True
    dedup: Dedup = Dedup()
    retry: Retry = Retry()
