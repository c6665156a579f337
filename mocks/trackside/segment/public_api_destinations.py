"""The Public API's endpoints of destinations: the catalogue, and destinations; their mappings are in `public_api_mappings`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from trackside.segment.actions import DESTINATIONS
from trackside.segment.actions.fields import Field
from trackside.segment.actions.javascript import UNDEFINED
from trackside.segment.destinations import CATALOG, CatalogEntry
from trackside.segment.ids import stable_id
from trackside.segment.public_api import Call, invalid, missing, route

if TYPE_CHECKING:
    from trackside.segment.actions.destination import Action
    from trackside.segment.routes import Segment
    from trackside.wire import Route

_METHODS = {"pageview": "page", "identify": "identify", "alias": "alias", "track": "track", "group": "group"}


# ---- the catalogue


def metadata(entry: CatalogEntry) -> dict[str, Any]:
    """Return a type of destination as the API has it (segment.public-api.catalog)."""
    known = DESTINATIONS.get(entry.slug)
    return {
        "id": entry.id,
        "name": entry.names[0],
        "slug": entry.slug,
        "description": f"{entry.names[0]}, as the lab has it.",
        "logos": {"default": f"https://cdn.filepicker.io/api/file/{entry.slug}", "mark": None, "alt": None},
        "options": [_option(one) for one in entry.settings],
        "status": "PUBLIC",
        "previousNames": list(entry.names),
        "categories": [],
        "website": "https://segment.com/docs/connections/destinations/catalog/" + entry.slug,
        "components": [],
        "supportedFeatures": {"cloudModeInstances": "MULTIPLE", "deviceModeInstances": "NONE", "replay": True},
        "supportedMethods": {name: kind in entry.methods for name, kind in _METHODS.items()},
        "supportedPlatforms": {"browser": True, "server": True, "mobile": True, "warehouse": False},
        "actions": [_action(entry, action) for action in known.actions] if known else [],
        "presets": [_preset(entry, row) for row in preset_rows(entry)],
        "partnerOwned": entry.type != "webhook",
    }


def _option(one: Field) -> dict[str, Any]:
    row = {
        "name": one.name,
        "type": "string",
        "required": one.required,
        "description": one.description,
        "label": one.label,
    }
    return row if one.default is UNDEFINED else {**row, "defaultValue": one.default}


def action_id(entry: CatalogEntry, slug: str) -> str:
    """Return the id of an action; the real ones are not public."""
    return stable_id("action", entry.slug, slug)


def _action(entry: CatalogEntry, action: Action) -> dict[str, Any]:
    triggers = [row["trigger"] for row in preset_rows(entry) if row["action"] == action.slug]
    return {
        "id": action_id(entry, action.slug),
        "slug": action.slug,
        "name": action.title,
        "description": action.title,
        "platform": "CLOUD",
        "hidden": False,
        "defaultTrigger": next(iter(triggers), None),
        "fields": [_field(entry, action.slug, number, one) for number, one in enumerate(action.fields)],
    }


def _field(entry: CatalogEntry, action: str, number: int, one: Field) -> dict[str, Any]:
    return {
        "id": stable_id("field", entry.slug, action, one.name),
        "sortOrder": number,
        "fieldKey": one.name,
        "label": one.label,
        "type": one.type.upper(),
        "description": one.description,
        "defaultValue": None if one.default is UNDEFINED else one.default,
        "required": one.required,
        "multiple": one.multiple,
        "choices": [{"label": choice, "value": choice} for choice in one.choices] or None,
        "dynamic": False,
        "allowNull": False,
    }


def _preset(entry: CatalogEntry, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "actionId": action_id(entry, row["action"]),
        "name": row["name"],
        "fields": row["mapping"],
        "trigger": row["trigger"],
    }


def preset_rows(entry: CatalogEntry) -> list[dict[str, Any]]:
    """Return the presets of a type of destination, as a workspace would write them."""
    presets = DESTINATIONS[entry.slug].presets if entry.slug in DESTINATIONS else ()
    names = ("action", "name", "trigger", "mapping", "enabled")
    return [{name: getattr(one, name) for name in names} for one in presets]


def list_catalog(call: Call) -> dict[str, Any]:
    """Return the types of destinations."""
    return call.page("destinationsCatalog", [metadata(entry) for entry in CATALOG.values()])


def get_metadata(call: Call) -> dict[str, Any]:
    """Return a type of destination."""
    id_ = call.params["id"]
    entry = _entry(id_)
    if entry is None:
        raise missing("destination metadata", id_)
    return {"destinationMetadata": metadata(entry)}


def _entry(id_: str) -> CatalogEntry | None:
    return next((entry for entry in CATALOG.values() if entry.id == id_), None)


# ---- destinations


def fed_by(block: Mapping[str, Any], source: str) -> list[str]:
    """Return the names of the destinations that a source feeds, in its order."""
    return list(block["sources"][source].get("destinations", ()))


def source_of(block: Mapping[str, Any], destination: str) -> str:
    """Return the first source that feeds a destination; empty for none."""
    return next((name for name in block["sources"] if destination in fed_by(block, name)), "")


def destination_row(call: Call, name: str) -> dict[str, Any]:
    """Return a destination as the API has it (segment.public-api.destinations)."""
    row = call.block["destinations"][name]
    entry, source = CATALOG[row["type"]], source_of(call.block, name)
    return {
        "id": stable_id("destination", name),
        "name": row.get("name") or name,
        "enabled": row.get("enabled", True),
        "metadata": metadata(entry),
        "sourceId": stable_id("source", source) if source else "",
        "settings": {one.name: row[key] for one in entry.settings if (key := entry.keys.get(one.name, "")) in row},
    }


def list_destinations(call: Call) -> dict[str, Any]:
    """Return the destinations of the workspace."""
    return call.page("destinations", [destination_row(call, name) for name in call.block["destinations"]])


def create_destination(call: Call) -> dict[str, Any]:
    """Make a destination that a source feeds; one of the Actions framework has no mappings yet (segment.public-api.mappings)."""
    source = call.source(call.given("sourceId", str, needed=True), "sourceId")
    entry = _entry(call.given("metadataId", str, needed=True))
    if entry is None:
        raise invalid("metadataId", "the lab has no such type of destination; see /catalog/destinations")
    shown = call.given("name", str, "")
    name = _free(call.block["destinations"], re.sub(r"[^\w.-]+", "-", shown).strip("-").lower() or entry.type)
    row: dict[str, Any] = {"type": entry.type, "enabled": call.given("enabled", bool, True), "name": shown}
    row.update(_settings(entry, call.given("settings", dict, needed=True)))
    if entry.kind == "actions":
        row["mappings"] = []
    call.block["destinations"][name] = row
    call.block["sources"][source].setdefault("destinations", []).append(name)
    call.put()
    return {"destination": destination_row(call, name)}


def _free(taken: Mapping[str, Any], name: str) -> str:
    number = 2
    wanted = name
    while wanted in taken:
        wanted, number = f"{name}-{number}", number + 1
    return wanted


def _settings(entry: CatalogEntry, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by the workspace's keys; one that its vendor has and the lab does not is passed over."""
    known = {one.name for one in entry.settings}
    for name in given:
        if name not in known:
            raise invalid(
                f"settings.{name}", f"{entry.names[0]} has no setting {name}; it has: {', '.join(sorted(known))}"
            )
    return {entry.keys[name]: value for name, value in given.items() if name in entry.keys}


def get_destination(call: Call) -> dict[str, Any]:
    """Return a destination."""
    return {"destination": destination_row(call, call.destination(call.params["id"]))}


def update_destination(call: Call) -> dict[str, Any]:
    """Change a destination's name or settings, or switch it on or off."""
    name = call.destination(call.params["id"])
    row = call.block["destinations"][name]
    row["enabled"] = call.given("enabled", bool, row.get("enabled", True))
    row["name"] = call.given("name", str, row.get("name", ""))
    row.update(_settings(CATALOG[row["type"]], call.given("settings", dict, {})))
    call.put()
    return {"destination": destination_row(call, name)}


def delete_destination(call: Call) -> dict[str, Any]:
    """Take a destination away from the sources and audiences that feed it."""
    name = call.destination(call.params["id"])
    del call.block["destinations"][name]
    for row in _feeding(call.block):
        row["destinations"] = [one for one in row.get("destinations", ()) if one != name]
    call.put()
    return {"status": "SUCCESS"}


def _feeding(block: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    yield from block["sources"].values()
    yield from block.get("audiences", {}).values()


ROUTES: list[Route[Segment]] = [
    route("GET", "/catalog/destinations", list_catalog),
    route("GET", "/catalog/destinations/<id>", get_metadata),
    route("GET", "/destinations", list_destinations),
    route("POST", "/destinations", create_destination),
    route("GET", "/destinations/<id>", get_destination),
    route("PATCH", "/destinations/<id>", update_destination),
    route("DELETE", "/destinations/<id>", delete_destination),
]
