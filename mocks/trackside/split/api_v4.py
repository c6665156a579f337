"""The v4 API of Harness FME: where it stands, how it lists and changes; its calls are in the other files.

Its paths, bodies and answers are those that the published Harness CLI sends and reads (split.v4.path).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from trackside.split.admin_calls import Call, RefusedError, traffic_types
from trackside.split.admin_state import id_of, named

BASES = ("/fme/api/v4",)
PAGE = 100
"""How many rows a page has, and may have (split.v4.paging)."""

Row = TypeVar("Row")


def page(call: Call, rows: Sequence[Row], show: Callable[[Row], Any]) -> dict[str, Any]:
    """Return the part of a list that the query's ``offset`` and ``limit`` ask for (split.v4.paging)."""
    ordered = rows[::-1] if call.request.query.get("sort_order", "").upper().startswith("DESC") else rows
    offset, limit = call.number("offset", 0, len(rows)), call.number("limit", PAGE, PAGE)
    return {
        "data": [show(row) for row in ordered[offset : offset + limit]],
        "limit": limit,
        "offset": offset,
        "totalCount": len(rows),
    }


def asked(call: Call, name: str) -> list[str]:
    """Return the values of a query's filter, which may be several with commas; none where it is not asked for."""
    return [one for one in call.request.query.get(name, "").split(",") if one]


def changed(entity: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to what makes or changes something (split.v4.answers)."""
    return {"entity": entity, "governance": None}


def deleted() -> dict[str, Any]:
    """Return the answer to what deletes something (split.v4.answers)."""
    return {"governance": None}


def found(call: Call, kind: str, names: Iterable[str]) -> str:
    """Return the name of what the path names by its id, or by its name.

    Raises:
        RefusedError: 404, there is none.
    """
    wanted = call.param("id")
    name = named(kind, wanted, names)
    if name is None:
        raise RefusedError(404, f"there is no {kind} {wanted!r}", kind)
    return name


def merged(document: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a JSON Merge Patch makes of a document, by RFC 7396 (split.v4.patch).

    >>> merged({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": 4}})
    {'b': {'c': 4, 'd': 3}}
    """
    made = dict(document)
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        elif isinstance(value, dict):
            before = made.get(name)
            made[name] = merged(before if isinstance(before, dict) else {}, value)
        else:
            made[name] = value
    return made


def tags(rows: Any) -> list[dict[str, str]]:
    """Return tags as answers show them: written with their name only, read with their id too."""
    return [{"id": id_of("tag", row["name"]), "name": row["name"]} for row in rows or ()]


def owners(rows: Any) -> list[dict[str, str]]:
    """Return owners as answers show them: a user by id or e-mail address, a group by its identifier."""
    names = ((row["type"], row.get("id") or row.get("email") or row.get("identifier")) for row in rows or ())
    return [{"id": str(name), "type": str(kind), "name": str(name)} for kind, name in names]


def traffic_type(call: Call, wanted: str, at: str) -> str:
    """Return the name of a traffic type by id or name.

    Raises:
        RefusedError: 400, there is none.
    """
    known = traffic_types(call.live)
    name = named("trafficType", wanted, known)
    if name is None:
        raise RefusedError(400, f"there is no traffic type {wanted!r}", at, f"use one of: {', '.join(known)}")
    return name
