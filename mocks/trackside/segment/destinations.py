"""Segment's catalogue of destinations, as far as the lab has them: names, call types, settings, actions (segment.catalog).

All that routing and the workspace need of a type of destination is said here, or in `trackside.segment.actions` for those
of Segment's Actions framework, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from trackside.segment.actions import DESTINATIONS, ActionDestination
from trackside.segment.actions.destination import Action
from trackside.segment.actions.destination import Mapping as ActionMapping
from trackside.segment.actions.fields import Field
from trackside.segment.actions.javascript import UNDEFINED

_API_KEY = "API Key"


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One type of destination in Segment's catalogue.

    Attributes:
        type: as the workspace names it.
        id: in the catalogue.
        slug: in the catalogue.
        names: that ``integrations`` knows it by, current first, then previous ones.
        methods: the call types that the catalogue lists for it; its vendor's page may say otherwise.
        settings: what is configured once for all messages, by Segment's names.
        keys: the workspace's key of a setting, or of an action's field, by Segment's name for it.
        url: where Segment posts to; empty where a setting, a field or the vendor's own environment says it.
    """

    type: str
    id: str
    slug: str
    names: tuple[str, ...]
    methods: frozenset[str]
    settings: tuple[Field, ...]
    keys: MappingProxyType[str, str]
    url: str = ""

    @property
    def kind(self) -> Literal["direct", "actions"]:
        """Whether its vendor gets raw messages and maps them itself, or Segment maps them by its Actions framework."""
        return "actions" if self.slug in DESTINATIONS else "direct"

    @property
    def required(self) -> tuple[str, ...]:
        """The workspace's keys that a destination of this type cannot do without."""
        actions = DESTINATIONS[self.slug].actions if self.slug in DESTINATIONS else ()
        fields = [*self.settings, *(field for action in actions for field in action.fields)]
        needed = (field.name for field in fields if field.required and field.default is UNDEFINED)
        return tuple(self.keys[name] for name in needed if name in self.keys)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON: settings and actions by Segment's names, each with the workspace's key for it."""
        known = DESTINATIONS.get(self.slug)
        return {
            "type": self.type,
            "name": self.names[0],
            "previous_names": list(self.names[1:]),
            "id": self.id,
            "slug": self.slug,
            "kind": self.kind,
            "methods": [kind for kind in _KINDS if kind in self.methods],
            "settings": [self._field(field) for field in self.settings],
            "actions": [self._action(known, action) for action in known.actions] if known else [],
        }

    def _field(self, field: Field) -> dict[str, Any]:
        return {
            "name": field.name,
            "label": field.label,
            "type": field.type,
            "required": field.required,
            "description": field.description,
            "default": None if field.default is UNDEFINED else field.default,
            "key": self.keys.get(field.name),
        }

    def _action(self, known: ActionDestination, action: Action) -> dict[str, Any]:
        return {
            "slug": action.slug,
            "name": action.title,
            "fields": [self._field(field) for field in action.fields],
            "presets": [_preset(preset) for preset in known.presets if preset.action == action.slug],
        }


def _preset(preset: ActionMapping) -> dict[str, Any]:
    return {"name": preset.name, "trigger": preset.trigger, "mapping": preset.mapping, "enabled": preset.enabled}


_KINDS = ("track", "identify", "group", "alias", "page", "screen")
_LISTED = frozenset(("track", "identify", "group", "alias", "page"))


def _of_actions(type_: str, id_: str, slug: str, **keys: str) -> CatalogEntry:
    known = DESTINATIONS[slug]
    return CatalogEntry(type_, id_, slug, known.names, _LISTED, known.settings, MappingProxyType(keys))


def _direct(type_: str, id_: str, name: str, methods: frozenset[str], description: str, url: str) -> CatalogEntry:
    setting = Field("apiKey", _API_KEY, "password", required=True, description=description)
    return CatalogEntry(type_, id_, type_, (name,), methods, (setting,), MappingProxyType({"apiKey": "api_key"}), url)


CATALOG: dict[str, CatalogEntry] = {
    entry.type: entry
    for entry in (
        _direct(
            "statsig",
            "613ba8c0114797213a8eff94",
            "Statsig",
            _LISTED,
            "the server secret key of the Statsig project",
            "https://api.statsig.com/v1/webhooks/segment_webhook",
        ),
        _direct(
            "split",
            "5c6e2b9d79daff00017ec990",
            "Split",
            frozenset(("track", "identify")),
            "the key of the Segment configuration in Harness FME",
            "https://events.split.io/segment",  # the real one is not public (split.in.path)
        ),
        _of_actions("launchdarkly", "624dddd054ced46facfdb9c0", "actions-launchdarkly", client_id="client_side_id"),
        _of_actions(
            "webhook",
            "614a3c7d791c91c41bae7599",
            "actions-webhook",
            sharedSecret="shared_secret",
            url="url",
            method="method",
            headers="headers",
        ),
    )
}
"""The destinations that a workspace can have, by their type."""

_ANY_TYPE = frozenset(("type", "enabled", "name", "filters", "url"))
"""Keys that every destination may have; a ``url`` of one that is no webhook says where to deliver instead of its vendor."""


def unused_keys(type_: str, keys: Iterator[str]) -> list[str]:
    """Return the keys of a destination that its type has no setting for.

    >>> unused_keys("statsig", iter(["type", "api_key", "client_side_id"]))
    ['client_side_id']
    """
    entry = CATALOG[type_]
    known = _ANY_TYPE | set(entry.keys.values()) | {"mappings"}  # those of a direct one have a note of their own
    return [key for key in keys if key not in known]
