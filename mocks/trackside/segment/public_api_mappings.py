"""The Public API's endpoints of mappings, which it calls subscriptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trackside.segment.actions import DESTINATIONS
from trackside.segment.destinations import CATALOG
from trackside.segment.ids import stable_id
from trackside.segment.public_api import Call, invalid, route, row_with
from trackside.segment.public_api_destinations import action_id, preset_rows

if TYPE_CHECKING:
    from trackside.segment.routes import Segment
    from trackside.wire import Route


def _subscriptions(call: Call, name: str) -> list[dict[str, Any]]:
    """Return a destination's mappings as rows of the workspace, each with its id; its presets where none are given."""
    row = call.block["destinations"][name]
    entry = CATALOG[row["type"]]
    if entry.kind != "actions":
        return []
    presets = {one["action"]: one for one in preset_rows(entry)}
    rows = [{**presets.get(one["action"], {}), **one} for one in row.get("mappings", presets.values())]
    seen: dict[str, int] = {}
    for one in rows:
        of = f"{one['action']}\n{one.get('name', '')}"
        seen[of] = seen.get(of, 0) + 1
        one.setdefault("id", stable_id("subscription", name, of, str(seen[of])))
    return rows


def _subscription_row(call: Call, name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping as the API has it: ``settings`` is the mapping (segment.public-api.mappings)."""
    entry = CATALOG[call.block["destinations"][name]["type"]]
    return {
        "id": row["id"],
        "name": row.get("name") or row["action"],
        "actionId": action_id(entry, row["action"]),
        "actionSlug": row["action"],
        "destinationId": stable_id("destination", name),
        "enabled": row.get("enabled", True),
        "settings": row.get("mapping", {}),
        "trigger": row.get("trigger", ""),
    }


def _one_subscription(call: Call) -> tuple[str, list[dict[str, Any]], dict[str, Any]]:
    """Return a destination's name, its mappings, and the one that is asked for."""
    name = call.destination(call.params["id"])
    rows = _subscriptions(call, name)
    return name, rows, row_with(call.params["subscription"], rows, "subscription")


def list_subscriptions(call: Call) -> dict[str, Any]:
    """Return the mappings of a destination."""
    name = call.destination(call.params["id"])
    return call.page("subscriptions", [_subscription_row(call, name, row) for row in _subscriptions(call, name)])


def create_subscription(call: Call) -> dict[str, Any]:
    """Make a mapping; ``settings`` that are left out are those of the action's preset (segment.public-api.mappings)."""
    name = call.destination(call.params["id"])
    entry = CATALOG[call.block["destinations"][name]["type"]]
    asked = call.given("actionId", str, needed=True)
    known = DESTINATIONS[entry.slug].actions if entry.slug in DESTINATIONS else ()
    action = next((one.slug for one in known if action_id(entry, one.slug) == asked), "")
    if not action:
        raise invalid("actionId", f"{entry.names[0]} has no action with the id {asked}")
    row = {
        "action": action,
        "name": call.given("name", str, needed=True),
        "trigger": call.given("trigger", str, needed=True),
        "enabled": call.given("enabled", bool, needed=True),
    }
    if (mapping := call.given("settings", dict)) is not None:
        row["mapping"] = mapping
    rows = _subscriptions(call, name)
    row["id"] = stable_id("subscription", name, action, row["name"], str(call.request.at), str(len(rows)))
    call.block["destinations"][name]["mappings"] = [*rows, row]
    call.put()
    return {"destinationSubscription": _subscription_row(call, name, {**_subscriptions(call, name)[-1]})}


def get_subscription(call: Call) -> dict[str, Any]:
    """Return a mapping."""
    name, _rows, row = _one_subscription(call)
    return {"subscription": _subscription_row(call, name, row)}


def update_subscription(call: Call) -> dict[str, Any]:
    """Change a mapping; the changes are the body's ``input``."""
    name, rows, row = _one_subscription(call)
    call.body = call.given("input", dict, needed=True)
    changes = {"name": str, "trigger": str, "enabled": bool, "settings": dict}
    for field, kind in changes.items():
        if (value := call.given(field, kind)) is not None:
            row["mapping" if field == "settings" else field] = value
    call.block["destinations"][name]["mappings"] = rows
    call.put()
    return {"subscription": _subscription_row(call, name, row)}


def delete_subscription(call: Call) -> dict[str, Any]:
    """Take a mapping away."""
    name, rows, row = _one_subscription(call)
    call.block["destinations"][name]["mappings"] = [one for one in rows if one is not row]
    call.put()
    return {"status": "SUCCESS"}


ROUTES: list[Route[Segment]] = [
    route("GET", "/destinations/<id>/subscriptions", list_subscriptions),
    route("POST", "/destinations/<id>/subscriptions", create_subscription),
    route("GET", "/destinations/<id>/subscriptions/<subscription>", get_subscription),
    route("PATCH", "/destinations/<id>/subscriptions/<subscription>", update_subscription),
    route("DELETE", "/destinations/<id>/subscriptions/<subscription>", delete_subscription),
]
