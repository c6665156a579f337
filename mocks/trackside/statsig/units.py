"""The units of a record by ID type, and what joins a unit: its exposures and its events. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from trackside.errors import TracksideError
from trackside.steps import Record

EVERYWHERE = ("userID", "stableID")
"""ID types that every project has."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What Statsig keeps of one unit, in the order of arrival.

    Attributes:
        id_type: the kind of ID, such as ``segmentAnonymousId``.
        unit: the ID.
        exposures: what SDKs logged of it.
        events: custom events, of SDKs and of Segment.
    """

    id_type: str
    unit: str
    exposures: list[Record] = field(default_factory=list)
    events: list[Record] = field(default_factory=list)


def unit_of(record: Record, id_type: str) -> str | None:
    """Return the unit of a record for an ID type, or None.

    A user ID is ``user.userID``; a stable ID comes with what client SDKs tell of themselves; other IDs are in
    ``user.customIDs``, under their type as it is written or in lower case, as SDKs look for them.

    >>> unit_of({"user": {"customIDs": {"companyid": "c-1"}}}, "companyID")
    'c-1'
    """
    user = record.get("user") or {}
    if id_type == "userID":
        found: Any = user.get("userID")
    else:
        custom = user.get("customIDs") or {}
        found = custom.get(id_type) or custom.get(id_type.lower())
    if id_type == "stableID":
        found = record.get("statsigMetadata", {}).get("stableID") or found
    return found if isinstance(found, str) and found else None


def joined(records: Iterable[Record], id_type: str, unit: str, known: Collection[str]) -> Joined:
    """Return the exposures and events of a unit (statsig.in.anonymous-join).

    Args:
        records: what Statsig keeps.
        id_type: ``userID``, ``stableID``, or a custom ID of the project.
        unit: the ID.
        known: the custom ID types of the project.

    Raises:
        TracksideError: the project has no such ID type, so that Statsig would join nothing by it (statsig.in.id-type-known).
    """
    if id_type not in (*EVERYWHERE, *known):
        told = ", ".join([*EVERYWHERE, *known])
        raise TracksideError(f"the project has no ID type {id_type!r}", "statsig.id_types", f"declare it; known are: {told}")  # fmt: skip
    found = Joined(id_type, unit)
    for record in records:
        if record.get("kind") in (None, "exposure") and unit_of(record, id_type) == unit:
            (found.exposures if "kind" in record else found.events).append(record)
    return found
