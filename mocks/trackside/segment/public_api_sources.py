"""The Public API's endpoints of sources: the catalogue of sources, sources, and their schema settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from trackside.segment.ids import plan_id, stable_id
from trackside.segment.public_api import Call, Refused, invalid, missing, route
from trackside.segment.public_api_destinations import destination_row, fed_by

if TYPE_CHECKING:
    from trackside.segment.routes import Segment
    from trackside.wire import Route

_CALLS = ("track", "identify", "group")
_FORWARDING = ("forwarding_violations_to", "forwarding_blocked_events_to")


def _metadata(id_: str, name: str, slug: str, category: str, description: str) -> dict[str, Any]:
    logo = f"https://cdn.filepicker.io/api/file/{slug}"
    return {
        "id": id_,
        "name": name,
        "slug": slug,
        "description": description,
        "logos": {"default": logo, "mark": None, "alt": None},
        "options": [],
        "categories": [category],
        "isCloudEventSource": False,
    }


CATALOG = {
    row["slug"]: row
    for row in (
        _metadata("IqDTy1TpoU", "Javascript", "javascript", "Website", "Calls of a website, by analytics.js."),
        _metadata(stable_id("catalog", "http-api"), "HTTP API", "http-api", "Server", "Calls of any program, by HTTP."),
    )
}
"""Types of sources (segment.public-api.catalog); a source of the workspace is of the second one."""


def source_row(call: Call, name: str) -> dict[str, Any]:
    """Return a source as the API has it (segment.public-api.sources)."""
    row, more = call.block["sources"][name], call.api.more.get(name, {})
    metadata = {**CATALOG["http-api"], **_known(more.get("metadataId", ""))}
    return {
        "id": stable_id("source", name),
        "slug": name,
        "name": row.get("name") or name,
        "metadata": metadata,
        "workspaceId": stable_id("workspace"),
        "enabled": row.get("enabled", True),
        "writeKeys": [row["write_key"]],
        "settings": more.get("settings", {}),
        "labels": [],
    }


def _known(metadata_id: str) -> dict[str, Any]:
    """Return the catalogue's row of an id; of an id that the lab does not know, that alone."""
    found = next((row for row in CATALOG.values() if row["id"] == metadata_id), None)
    return found or ({"id": metadata_id} if metadata_id else {})


def workspace(_call: Call) -> dict[str, Any]:
    """Return the workspace that the token is of."""
    return {"workspace": {"id": stable_id("workspace"), "slug": "trackside", "name": "trackside"}}


def list_catalog(call: Call) -> dict[str, Any]:
    """Return the types of sources."""
    return call.page("sourcesCatalog", list(CATALOG.values()))


def get_metadata(call: Call) -> dict[str, Any]:
    """Return a type of source."""
    id_ = call.params["id"]
    found = next((row for row in CATALOG.values() if row["id"] == id_), None)
    if found is None:
        raise missing("source metadata", id_)
    return {"sourceMetadata": found}


def list_sources(call: Call) -> dict[str, Any]:
    """Return the sources of the workspace."""
    return call.page("sources", [source_row(call, name) for name in call.block["sources"]])


def create_source(call: Call) -> dict[str, Any]:
    """Make a source; its write key is made of its slug (segment.public-api.sources)."""
    slug = call.given("slug", str, needed=True)
    _check_free(call, slug)
    metadata_id = call.given("metadataId", str, needed=True)
    enabled = call.given("enabled", bool, needed=True)
    call.block["sources"][slug] = {"write_key": stable_id("write-key", slug, length=32), "enabled": enabled}
    settings = call.given("settings", dict, {})
    call.put()
    call.api.more[slug] = {"metadataId": metadata_id, "settings": settings}
    return {"source": source_row(call, slug)}


def _check_free(call: Call, slug: str) -> None:
    if not re.fullmatch(r"[\w.:-]+", slug):
        raise invalid("slug", '"slug" must be letters, digits, -, _, . and :')
    if slug in call.block["sources"]:
        raise Refused(409, "conflict", f"there is a source with the slug {slug} already", "slug")


def get_source(call: Call) -> dict[str, Any]:
    """Return a source, and the id of the tracking plan that it is connected to."""
    name = call.source(call.params["id"])
    plan = call.block["sources"][name].get("tracking_plan")
    return {"source": source_row(call, name), "trackingPlanId": plan_id(plan) if plan else None}


def update_source(call: Call) -> dict[str, Any]:
    """Change a source's name, slug, settings, or switch it on or off; a new slug makes a new id."""
    name = call.source(call.params["id"])
    row = call.block["sources"][name]
    row["enabled"] = call.given("enabled", bool, row.get("enabled", True))
    row["name"] = call.given("name", str, row.get("name", ""))
    slug = call.given("slug", str, name)
    if slug != name:
        _check_free(call, slug)
        _rename(call, name, slug)
    settings = call.given("settings", dict, call.api.more.get(name, {}).get("settings", {}))
    call.put()
    call.api.more[slug] = {**call.api.more.pop(name, {}), "settings": settings}
    return {"source": source_row(call, slug)}


def _rename(call: Call, name: str, slug: str) -> None:
    block = call.block
    block["sources"] = {slug if one == name else one: row for one, row in block["sources"].items()}
    if block.get("unknown_write_key") == name:
        block["unknown_write_key"] = slug
    for row in block["sources"].values():
        schema = row.get("schema", {})
        schema.update({key: slug for key in _FORWARDING if schema.get(key) == name})


def delete_source(call: Call) -> dict[str, Any]:
    """Take a source away, with the destinations that no other one feeds."""
    name = call.source(call.params["id"])
    gone = call.block["sources"].pop(name)
    fed = {one for row in call.block["sources"].values() for one in row.get("destinations", ())}
    fed |= {one for row in call.block.get("audiences", {}).values() for one in row.get("destinations", ())}
    for destination in gone.get("destinations", ()):
        if destination not in fed:
            call.block["destinations"].pop(destination, None)
    call.put()
    call.api.more.pop(name, None)
    return {"status": "SUCCESS"}


def connected_destinations(call: Call) -> dict[str, Any]:
    """Return the destinations that a source feeds."""
    name = call.source(call.params["id"])
    rows = [destination_row(call, one) for one in fed_by(call.block, name)]
    return call.page("destinations", rows)


def get_settings(call: Call) -> dict[str, Any]:
    """Return a source's Schema Configuration (segment.public-api.settings)."""
    name = call.source(call.params["id"])
    return _settings(call, name)


def _settings(call: Call, name: str) -> dict[str, Any]:
    schema = call.api.workspace().segment.sources[name].schema
    told: dict[str, Any] = {}
    for kind in _CALLS:
        controls = getattr(schema, kind)
        told[kind] = {camel(key): getattr(controls, key) for key in controls.__dataclass_fields__}
    told.update({camel(key): stable_id("source", target) for key in _FORWARDING if (target := getattr(schema, key))})
    return {"sourceId": stable_id("source", name), "settings": told}


def update_settings(call: Call) -> dict[str, Any]:
    """Change a source's Schema Configuration; what is not named stays (segment.public-api.settings)."""
    name = call.source(call.params["id"])
    schema = call.block["sources"][name].setdefault("schema", {})
    for kind in _CALLS:
        given = call.given(kind, dict, {})
        schema.setdefault(kind, {}).update({snake(key): value for key, value in given.items()})
    for key in _FORWARDING:
        if (id_ := call.given(camel(key), str)) is not None:
            schema[key] = call.source(id_, camel(key)) if id_ else ""
    call.put()
    return _settings(call, name)


def camel(name: str) -> str:
    """Return a name as the API writes it.

    >>> camel("allow_unplanned_events")
    'allowUnplannedEvents'
    """
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def snake(name: str) -> str:
    """Return a name as the workspace writes it.

    >>> snake("allowUnplannedEvents")
    'allow_unplanned_events'
    """
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


ROUTES: list[Route[Segment]] = [
    route("GET", "/", workspace),
    route("GET", "/catalog/sources", list_catalog),
    route("GET", "/catalog/sources/<id>", get_metadata),
    route("GET", "/sources", list_sources),
    route("POST", "/sources", create_source, 201),
    route("GET", "/sources/<id>", get_source),
    route("PATCH", "/sources/<id>", update_source),
    route("DELETE", "/sources/<id>", delete_source),
    route("GET", "/sources/<id>/connected-destinations", connected_destinations),
    route("GET", "/sources/<id>/settings", get_settings),
    route("PATCH", "/sources/<id>/settings", update_settings),
]
