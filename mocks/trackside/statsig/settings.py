"""What a Statsig project is set to, as the workspace's ``statsig:`` block names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

NAME_PRESETS: dict[str, dict[str, str]] = {
    "current": dict.fromkeys(("track", "page", "screen", "group"), "segment::{name}"),
    "older": {
        "track": "segment_track:{name}",
        "page": "segment_page:{name}",
        "screen": "segment_screen:{name}",
        "group": "segment_group:{name}",
    },
}
"""Templates per call type: Statsig's own page (``current``) and Segment's page of 2021 (``older``, which has no group)."""


@dataclass(frozen=True, slots=True)
class SegmentInbound:
    """The incoming side of the Segment integration; each choice where documents are silent is a field here.

    Attributes:
        enabled: whether the integration is switched on in Statsig's console (statsig.in.enabled).
        when_disabled: ``refuse`` answers 403; ``keep`` takes events without mappings and filters.
        map_identifiers: "Map Identifier" rows: a top-level field of the call, and the custom ID it fills.
        refuse_events: raw Segment names that the Event Filtering dialog has unticked.
        names: a preset (``current``, ``older``), or templates with ``{name}`` per call type; a type left out is as
            in ``current`` (statsig.in.names).
        unnamed: a page or screen without a name is named after its call ``type``, or dropped (``drop``).
        unsupported: ``alias`` and unknown types are answered 200 (``ignore``) or 501 (``refuse``).
        group_traits: whether a group call without properties brings its traits as properties.
        keep_statsig_properties: whether ``statsigCustomIDs`` and its like stay in the metadata too.
        nested_properties: objects and arrays become JSON text (``json``) or are left out (``omit``).
        null_properties: null properties are left out (``omit``) or become the text ``null`` (``text``).
        value_property: the property that becomes the event's value; empty for none, as Statsig's page shows.
        audience_traits: whether an identify call without ``context.personas`` too changes the ID lists that its true and
            false traits name (statsig.in.audience.traits).
        other_id_types: what an audience does to an ID list whose ID type is not userID: nothing (``drop``), or its userId
            goes into it as into any other (``user_id``).
        replay_days: how many days back events may lie that Segment replays (statsig.in.replay).
    """

    enabled: bool = True
    when_disabled: Literal["refuse", "keep"] = "refuse"
    map_identifiers: dict[str, str] = field(default_factory=dict)
    refuse_events: tuple[str, ...] = ()
    names: Literal["current", "older"] | dict[str, str] = "current"
    unnamed: Literal["type", "drop"] = "type"
    unsupported: Literal["ignore", "refuse"] = "ignore"
    group_traits: bool = True
    keep_statsig_properties: bool = False
    nested_properties: Literal["json", "omit"] = "json"
    null_properties: Literal["omit", "text"] = "omit"
    value_property: str = ""
    audience_traits: bool = True
    other_id_types: Literal["drop", "user_id"] = "drop"
    replay_days: float = 7

    def template(self, call: str) -> str:
        """Return the template of a call type's stored name, such as ``segment::{name}`` for ``track``."""
        templates = NAME_PRESETS[self.names] if isinstance(self.names, str) else self.names
        return templates.get(call) or NAME_PRESETS["current"][call]


@dataclass(frozen=True, slots=True)
class SegmentOutbound:
    """The outgoing side of the Segment integration.

    Attributes:
        enabled: whether it is switched on in Statsig's console (statsig.out.write-key).
        write_key: of the Segment source that exports go to.
        categories: what is exported: ``exposures``, ``custom_events``, ``config_changes`` (statsig.out.filter).
        exposures: which of them the category has; Segment's page lists the first three (statsig.out.names).
        include_new_events: whether custom events are exported that neither list names.
        events: names of custom events that the filter dialog has ticked.
        refuse_events: names of custom events that it has unticked.
        map_identifiers: "Map Identifiers" rows: an ID type, and the Segment field that it fills (statsig.out.map-identifier).
        anonymous_stable_id: whether the stable ID is the anonymousId of events without a user ID (statsig.out.anonymous).
        empty_value: what an event without a value has: null, or an empty text (statsig.out.value).
        config_change_author: the author of config changes; trackside knows no console users.
        config_change_user_id: their userId.
        config_change_environment: their environment.
    """

    enabled: bool = False
    write_key: str = ""
    categories: tuple[str, ...] = ("exposures", "custom_events", "config_changes")
    exposures: tuple[str, ...] = ("gate", "config", "experiment", "layer", "holdout")
    include_new_events: bool = True
    events: tuple[str, ...] = ()
    refuse_events: tuple[str, ...] = ()
    map_identifiers: dict[str, str] = field(default_factory=dict)
    anonymous_stable_id: bool = True
    empty_value: Literal["null", "text"] = "null"
    config_change_author: str = "trackside"
    config_change_user_id: str = "trackside"
    config_change_environment: str = "production"


@dataclass(frozen=True, slots=True)
class StatsigSettings:
    """One Statsig project.

    Attributes:
        server_secret: the server secret key; Segment's destination holds it as its API key.
        client_key: the client key.
        console_key: the key of the Console API.
        id_types: the ID types of the project beside ``userID``.
        segment_inbound: the incoming side of the Segment integration.
        segment_outbound: its outgoing side.
        specs_file: an answer of download_config_specs, in either format; relative to the workspace's folder.
        gates: by name: true, false, a percentage, or a mapping of ``pass``, ``users``, ``if``, ``id_type``, ``enabled``.
        dynamic_configs: by name, the parameters that everyone gets.
        experiments: by name: ``groups``, and ``sizes``, ``allocation``, ``layer``, ``id_type``, ``active``, ``users``,
            ``primary_metrics``, ``secondary_metrics``, ``start_time``, ``end_time``, ``environments``.
        layers: by name, the parameters that everyone gets who is in no experiment of the layer.
        id_lists: by name: IDs, or a mapping of ``ids`` and ``id_type``.
        metrics: custom metrics by name: ``event`` or ``metric_events``, and ``type``, ``unit_types``, ``directionality``,
            ``rollup_time_window``, ``description``, ``tags``; each event has its event_count metric without.
        exposure_join: whether a unit's events count from the beginning of the day of its first exposure (``date``) or from
            the exposure on (``timestamp``) (statsig.counting.exposure-first).
        day_utc_offset: how many hours the project's days are ahead of UTC (statsig.counting.day).
        any_key: whether any key is taken for the server secret, as in the demo workspace.
    """

    server_secret: str = ""
    client_key: str = ""
    console_key: str = ""
    id_types: tuple[str, ...] = ()
    segment_inbound: SegmentInbound = SegmentInbound()
    segment_outbound: SegmentOutbound = SegmentOutbound()
    specs_file: str = ""
    gates: dict[str, Any] = field(default_factory=dict)
    dynamic_configs: dict[str, Any] = field(default_factory=dict)
    experiments: dict[str, Any] = field(default_factory=dict)
    layers: dict[str, Any] = field(default_factory=dict)
    id_lists: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    exposure_join: Literal["date", "timestamp"] = "date"
    day_utc_offset: float = -8
    any_key: bool = False
