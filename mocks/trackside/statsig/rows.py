"""Specs and ID lists as the control API lists them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trackside.statsig.changes import SERVED, groups_of
from trackside.statsig.specs import Kind, Spec

if TYPE_CHECKING:
    from trackside.statsig.id_lists import IdList


def spec_row(kind: Kind, one: Spec) -> dict[str, Any]:
    """Return a spec's row; ``serves`` is what everyone gets, or ``by rules`` where that depends on the user."""
    serves = _serves(kind, one)
    head = {"vendor": "statsig", "kind": kind, "name": one["name"], "environment": "", "on": one["enabled"]}
    return {**head, "serves": serves, "version": one.get("version", 1)}


def list_row(one: IdList) -> dict[str, Any]:
    """Return an ID list's row; ``serves`` are its IDs."""
    head = {"vendor": "statsig", "kind": "id_list", "name": one.name, "environment": "", "on": True}
    return {**head, "serves": list(one.ids), "version": one.version}


def _serves(kind: Kind, one: Spec) -> Any:
    if not one["enabled"]:
        return one["defaultValue"]
    own = [row for row in one["rules"] if not _for_single_units(row)]
    first = own[0] if own else None
    if kind == "experiment":
        if first and first["name"] == SERVED:
            return first.get("groupName") or first["id"]
        return list(groups_of(one)) or one["defaultValue"]
    if first is None:
        return one["defaultValue"]
    if not all(condition["type"] == "public" for condition in first["conditions"]):
        return "by rules"
    if kind == "gate":
        return {0: False, 100: True}.get(first["passPercentage"], first["passPercentage"])
    return first["returnValue"]


def _for_single_units(row: dict[str, Any]) -> bool:
    return str(row["id"]).endswith("override")
