"""What a workspace says about Split (Harness FME). The field names are the keys of the workspace file.

A field that names a rule in brackets is a switch for what the vendor's pages leave open; its default is the reading
that the rule's row explains.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from trackside.split.metric_settings import Experiment, Metric

ANY_KEY = "any-key"
"""What the options of SDKs hold where no key is declared."""

GET_TREATMENT = "get_treatment"
"""The event that an impression becomes on its way to Segment (split.out.impressions)."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One FME environment.

    Attributes:
        sdk_key: the key that SDKs of this environment send; empty where none is declared.
        client_key: the key of client-side SDKs, which may not download segments; empty where ``sdk_key`` serves both
            (split.sdk.key-kinds).
    """

    sdk_key: str = ""
    client_key: str = ""


def _both_identities() -> dict[str, str]:
    return {"userId": "user", "anonymousId": "anonymous"}


@dataclass(frozen=True, slots=True)
class SegmentInbound:
    """One configuration of "Configure as a destination in Segment", by API key, by webhook, or both.

    Attributes:
        api_key: the key that Segment's *Split* destination sends (split.in.api-key).
        secret: the secret that a webhook to this configuration sends (split.in.webhook-auth).
        authorization: whether the secret may stand behind ``Bearer`` or ``Basic`` too, or alone only
            (split.in.webhook-auth.scheme).
        environment: the environment that its events and identities belong to (split.in.environment).
        identities: the traffic type of each Segment identity, ``userId`` or ``anonymousId`` (split.in.identity).
        identify: "Enable identify" (split.in.identify-toggle).
        track: "Enable track" (split.in.track-toggle).
        event_type_id: the dotted path of the property that holds a track call's event name, never the name itself
            (split.in.event-type-path).
        value: the dotted path of a track call's number; empty for none (split.in.value).
        named_pages: "Track named pages" (split.in.page-toggles).
        named_screens: "Track named screens" (split.in.page-toggles).
        page_prefix: what an event type made of a page begins with (split.in.page).
        screen_prefix: what an event type made of a screen begins with (split.in.screen).
        page_case: whether the name of a page or screen keeps its case (split.in.page.case).
        page_fields: whether page and screen calls too use ``value`` and ``properties.split`` (split.in.page.fields).
        unsupported: whether a call of another type, such as alias, is answered 501 (``refuse``) or 200 (``ignore``)
            (split.in.unsupported).
        pairs_without_id: whether the pairs of ``properties.split`` make events of a call that has none of the mapped
            ids (split.in.no-identity).
        event_type_limit: the most characters of an event type (split.in.event-type-length).
        invalid_event_type: whether an event whose type breaks the naming rules is dropped (split.in.event-type-name).
        key_limit: the most characters of a key (split.in.key).
        numeric_strings: whether the text ``"9.99"`` counts as a value (split.in.value.numeric-text).
        timestamp: which of Segment's moments becomes the event's (split.in.timestamp).
        property_limit: what happens to a property text of over 256 characters (split.in.properties.length).
        object_properties: what an object or array property becomes (split.in.properties.object).
        keep_split: whether ``properties.split`` stays in the stored properties (split.in.track-groups.kept).
        split_shape: whether an object in ``properties.split``, or an array in ``traits.split``, is read as well
            (split.in.split-shape).
        object_traits: whether an object or array trait becomes its JSON text or is left out (split.in.traits.object).
        trait_limit: what happens to a trait value of over 255 characters (split.in.traits.limit).
        invalid_attribute: whether a trait that is no valid attribute id is left out (split.in.attribute-id).
        group_traffic_type: the traffic type under which a group call without ``traits.split`` identifies its
            ``groupId``; empty for none (split.in.group).
    """

    api_key: str = ""
    secret: str = ""
    authorization: Literal["any", "bare"] = "any"
    environment: str = field(kw_only=True)
    identities: dict[str, str] = field(default_factory=_both_identities)
    identify: bool = True
    track: bool = True
    event_type_id: str = "event"
    value: str = "properties.value"
    named_pages: bool = True
    named_screens: bool = True
    page_prefix: str = "view_"
    screen_prefix: str = "viewed_"
    page_case: Literal["keep", "lower"] = "keep"
    page_fields: bool = False
    unsupported: Literal["refuse", "ignore"] = "refuse"
    pairs_without_id: Literal["drop", "keep"] = "drop"
    event_type_limit: int = 80
    invalid_event_type: Literal["drop", "keep"] = "drop"
    key_limit: int = 250
    numeric_strings: bool = False
    timestamp: Literal["timestamp", "originalTimestamp", "receivedAt"] = "timestamp"
    property_limit: Literal["cut", "drop"] = "cut"
    object_properties: Literal["text", "null", "keep"] = "text"
    keep_split: bool = False
    split_shape: Literal["any", "documented"] = "any"
    object_traits: Literal["json", "drop"] = "json"
    trait_limit: Literal["cut", "drop"] = "cut"
    invalid_attribute: Literal["drop", "keep"] = "drop"
    group_traffic_type: str = ""


@dataclass(frozen=True, slots=True)
class SegmentOutbound:
    """One configuration of FME as a source in Segment.

    Attributes:
        environments: whose impressions are sent (split.out.environments).
        identities: the Segment identity of each traffic type; None for one that is left out (split.out.identity-map).
        write_key: of the Segment source that they go to (split.out.write-keys).
        properties: whether calls have the properties of the impressions webhook, or only the four that the vendor's
            pages name (split.out.properties).
        property_names: other names of properties (split.out.properties).
        impression_properties: whether an impression's own properties are sent as JSON text, as an object, or left out
            (split.out.impression-properties).
        unknown_flags: the traffic type of flags that the lab does not have; empty where their impressions are not sent
            (split.out.unknown-flag).
    """

    environments: tuple[str, ...]
    identities: dict[str, Literal["userId", "anonymousId"] | None]
    write_key: str
    properties: Literal["all", "documented"] = "all"
    property_names: dict[str, str] = field(default_factory=dict)
    impression_properties: Literal["text", "object", "omit"] = "text"
    unknown_flags: str = ""


@dataclass(frozen=True, slots=True)
class ImpressionsWebhook:
    """The impressions webhook (split.webhook).

    Attributes:
        url: the address; with ``gzip=false`` in its query what is posted is not compressed (split.webhook.gzip).
    """

    url: str


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """The workspace's ``split`` block.

    Attributes:
        environments: the environments by name.
        traffic_types: the traffic types that the workspace knows; those that a configuration maps count as known too.
        segment_inbound: the configurations that receive from Segment; the key of a delivery, or a webhook's address,
            selects one.
        segment_outbound: the configurations that send impressions to Segment (split.out.impressions).
        flags_file: a file of flags: localhost YAML or JSON, or a dump of ``splitChanges`` (split.sdk.flags-file).
        flags: the flags by name, in short, or whole split definitions (split.sdk.flags).
        segments: the keys of each segment, in every environment.
        large_segments: the keys of each large segment, in every environment.
        rule_based_segments: the rules of each rule-based segment, in every environment.
        metrics: the metrics by name (split.counting.metric-types).
        experiments: the experiments by name (split.counting.experiment).
        admin_key: the key of the Admin API; empty where any key will do (split.admin.key).
        impressions_webhook: where the impressions that SDKs post are posted on; None for nowhere (split.webhook).
        streaming: whether SDKs are told of changes by the event stream; else they poll (split.sdk.auth.push-off).
        any_key: whether an unknown key selects the first configuration or environment, as in the demo workspace.
    """

    environments: dict[str, Environment] = field(default_factory=dict)
    traffic_types: tuple[str, ...] = ("user",)
    segment_inbound: tuple[SegmentInbound, ...] = ()
    segment_outbound: tuple[SegmentOutbound, ...] = ()
    flags_file: str = ""
    flags: dict[str, Any] = field(default_factory=dict)
    segments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    large_segments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    rule_based_segments: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Metric] = field(default_factory=dict)
    experiments: dict[str, Experiment] = field(default_factory=dict)
    admin_key: str = ""
    impressions_webhook: ImpressionsWebhook | None = None
    streaming: bool = True
    any_key: bool = False

    @property
    def environment_names(self) -> tuple[str, ...]:
        """The environments; ``production`` where none is declared and any key is accepted."""
        return tuple(self.environments) or (("production",) if self.any_key else ())

    @property
    def keys(self) -> dict[str, dict[str, str]]:
        """The keys that each environment's SDKs send; where none is declared, one that is good where any key is accepted."""
        found = {name: self.environments.get(name, Environment()) for name in self.environment_names}
        return {
            name: {
                "sdk_key": one.sdk_key or ANY_KEY,
                "client_key": one.client_key or one.sdk_key or ANY_KEY,
                "admin_key": self.admin_key or ANY_KEY,
            }
            for name, one in found.items()
        }

    def environment_of(self, key: str | None) -> str | None:
        """Return the environment that an SDK key belongs to, None where the key is not valid (split.sdk.key)."""
        if not key:
            return None
        for name, environment in self.environments.items():
            if key in (environment.sdk_key, environment.client_key):
                return name
        return self.environment_names[0] if self.any_key and self.environment_names else None

    def client_side(self, key: str | None) -> bool:
        """Return whether a key is declared for client-side SDKs only (split.sdk.key-kinds)."""
        return bool(key) and any(key == one.client_key != one.sdk_key for one in self.environments.values())

    def configuration(self, key: str) -> SegmentInbound | None:
        """Return the configuration that an API key selects, or None where the key is not valid (split.in.api-key)."""
        for inbound in self.segment_inbound:
            if key and inbound.api_key == key:
                return inbound
        return self._any_configuration

    @property
    def webhooks(self) -> dict[str, SegmentInbound]:
        """The configurations with a secret by the last part of their webhook's address (split.in.webhook-url).

        >>> inbound = SegmentInbound(secret="s", environment="Prod EU")
        >>> list(SplitSettings(segment_inbound=(inbound, inbound)).webhooks)
        ['prod-eu', 'prod-eu-2']
        """
        found: dict[str, SegmentInbound] = {}
        for inbound in self.segment_inbound:
            if inbound.secret:
                found[_free_name(inbound.environment, found)] = inbound
        return found

    def webhook(self, name: str) -> SegmentInbound | None:
        """Return the configuration of a webhook's address, None where there is none (split.in.webhook-url)."""
        return self.webhooks.get(name) or self._any_configuration

    @property
    def _any_configuration(self) -> SegmentInbound | None:
        return self.segment_inbound[0] if self.any_key and self.segment_inbound else None


def _free_name(environment: str, taken: dict[str, SegmentInbound]) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", environment.lower()).strip("-") or "environment"
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return next(one for one in (name, *numbered) if one not in taken)
