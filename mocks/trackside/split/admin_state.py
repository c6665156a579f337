"""What the Admin API knows beside the flags and segments that SDKs download; forgotten by every reset."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trackside.split.metrics import KeptExperiment, KeptMetric

WORKSPACE = "Default"
"""The name of the one workspace; the vendor too gives the first one this name."""

_IDS = uuid.UUID("6f1c1a3e-2f57-5c4e-9d55-0a5b7f3f9a11")


def id_of(kind: str, name: str) -> str:
    """Return the id of a named thing, the same in every run (split.admin.ids).

    >>> id_of("environment", "production") == id_of("environment", "production") != id_of("trafficType", "production")
    True
    """
    return str(uuid.uuid5(_IDS, f"{kind}:{name}"))


def named(kind: str, wanted: str, names: Iterable[str]) -> str | None:
    """Return the name that an id or a name stands for, None where it is none of these (split.admin.ids)."""
    return next((name for name in names if wanted in (name, id_of(kind, name))), None)


@dataclass(slots=True)
class Described:
    """A flag, a segment or a flag set of the workspace, whatever its environments hold.

    Attributes:
        traffic_type: its name.
        description: as it was given.
        created_at: epoch milliseconds; 0 for what the workspace file declares.
        tags: their names.
    """

    traffic_type: str = "user"
    description: str = ""
    created_at: int = 0
    tags: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Notes:
    """What the Admin API keeps of a flag in one environment and SDKs never see.

    Attributes:
        baseline: the treatment that others are compared with.
        treatments: their names in the order in which they were given.
        descriptions: of the treatments, by name.
    """

    baseline: str = ""
    treatments: list[str] = field(default_factory=list)
    descriptions: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Admin:
    """The state of the Admin API.

    Attributes:
        environments: those made by the API, and what was changed of others: ``production`` and ``creationTime``.
        traffic_types: those made by the API.
        gone: traffic types that were deleted.
        attributes: by traffic type, then by id.
        flags: by name.
        notes: by environment and flag.
        segments: by name.
        inactive: environments and segments that are not in them, though SDKs may know them from before.
        identities: attributes by traffic type, environment and key.
        flag_sets: by name.
        metrics: those that the API made or changed, by name; None for one that it deleted.
        experiments: the same.
    """

    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    traffic_types: list[str] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    attributes: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    flags: dict[str, Described] = field(default_factory=dict)
    notes: dict[tuple[str, str], Notes] = field(default_factory=dict)
    segments: dict[str, Described] = field(default_factory=dict)
    inactive: set[tuple[str, str]] = field(default_factory=set)
    identities: dict[tuple[str, str, str], Mapping[str, str]] = field(default_factory=dict)
    flag_sets: dict[str, Described] = field(default_factory=dict)
    metrics: dict[str, KeptMetric | None] = field(default_factory=dict)
    experiments: dict[str, KeptExperiment | None] = field(default_factory=dict)
