"""What one environment serves to SDKs, with the change number of each part: pure data, no HTTP and no streams.

A change number grows with every change; an SDK that has heard of one asks only for what came after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Definition: TypeAlias = dict[str, Any]
"""A split definition or a rule-based segment, as SDKs download it."""

ARCHIVED = "ARCHIVED"


@dataclass(slots=True)
class Content:
    """What an environment holds, without change numbers: as declared, or as it stands.

    Attributes:
        flags: split definitions by name.
        rule_based_segments: their definitions by name.
        segments: the keys of each segment.
        large_segments: the keys of each large segment.
    """

    flags: dict[str, Definition] = field(default_factory=dict)
    rule_based_segments: dict[str, Definition] = field(default_factory=dict)
    segments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    large_segments: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrafficTypes:
    """The traffic type of every flag at some moment: by environment, then by flag."""

    by_environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, flag: str, environment: str) -> str:
        """Return the traffic type of a flag; empty where there never was one.

        A flag has one traffic type in all environments (split.out.unknown-flag).
        """
        here = self.by_environment.get(environment, {})
        return here.get(flag) or next((row[flag] for row in self.by_environment.values() if flag in row), "")


class Definitions:
    """The split definitions, or the rule-based segments, of one environment.

    Args:
        number: the change number before anything was put here; SDKs are never told -1, which is theirs for "nothing yet".
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self._rows: dict[str, Definition] = {}
        self._sets: dict[str, set[str]] = {}

    def get(self, name: str) -> Definition | None:
        """Return a definition that is not archived."""
        found = self._rows.get(name)
        return None if found is None or found["status"] == ARCHIVED else found

    def traffic_types(self) -> dict[str, str]:
        """Return the traffic type of every definition by name, archived ones too."""
        return {name: str(row.get("trafficTypeName") or "") for name, row in list(self._rows.items())}

    def active(self) -> list[Definition]:
        """Return every definition that is not archived, in the order in which they came."""
        return [row for row in self._rows.values() if row["status"] != ARCHIVED]

    def put(self, definition: Mapping[str, Any], number: int) -> Definition:
        """Put a definition in place of the one of its name; returns it as it is kept."""
        kept = {**definition, "changeNumber": number}
        self._rows[kept["name"]] = kept
        self._sets.setdefault(kept["name"], set()).update(kept.get("sets") or ())
        self.number = number
        return kept

    def holds(self, definition: Mapping[str, Any]) -> bool:
        """Return whether a definition stands as it is, change number aside."""
        found = self.get(definition["name"])
        return found is not None and {**found, "changeNumber": 0} == {**definition, "changeNumber": 0}

    def since(self, number: int) -> list[Definition]:
        """Return what changed after a change number; archived definitions only to those that may know them.

        A number that was never given out, such as that of a former run, gets everything (split.sdk.since-ahead).
        """
        if not 0 <= number <= self.number:
            return self.active()
        return [row for row in self._rows.values() if row["changeNumber"] > number]

    def was_in(self, name: str, sets: frozenset[str]) -> bool:
        """Return whether a definition is or was in one of these flag sets (split.sdk.sets)."""
        return not sets.isdisjoint(self._sets.get(name, ()))


class Segment:
    """The keys of one segment, with the change numbers of their coming and going.

    Args:
        number: of its making.
        keys: that it begins with.
    """

    def __init__(self, number: int, keys: Iterable[str] = ()) -> None:
        self.number = number
        self._in: dict[str, int] = dict.fromkeys(keys, number)
        self._out: dict[str, int] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._in

    @property
    def keys(self) -> tuple[str, ...]:
        """Its keys, in the order in which they came."""
        return tuple(self._in)

    def change(self, added: Iterable[str], removed: Iterable[str], number: int) -> bool:
        """Add and remove keys; returns whether anything changed, as else the number stays."""
        coming = [key for key in dict.fromkeys(added) if key not in self._in]
        going = [key for key in dict.fromkeys(removed) if key in self._in]
        for key in coming:
            self._in[key] = number
            self._out.pop(key, None)
        for key in going:
            self._in.pop(key, None)
            self._out[key] = number
        if coming or going:
            self.number = number
        return bool(coming or going)

    def since(self, number: int) -> tuple[list[str], list[str]]:
        """Return the keys that came and those that went after a change number (split.sdk.segment-changes)."""
        if not 0 <= number <= self.number:
            return list(self._in), []
        added = [key for key, at in self._in.items() if at > number]
        return added, [key for key, at in self._out.items() if at > number]


class Environment:
    """What one environment serves.

    Args:
        name: as in the workspace.
        number: the change number that it begins with.
    """

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.flags = Definitions(number)
        self.rule_based_segments = Definitions(number)
        self.segments: dict[str, Segment] = {}
        self.large_segments: dict[str, Segment] = {}

    def members_of(self, key: str, *, large: bool = False) -> list[str]:
        """Return the names of the segments, or of the large segments, that hold a key."""
        return [name for name, segment in self._segments(large=large).items() if key in segment]

    def segments_number(self, *, large: bool = False) -> int:
        """Return the newest change number of the segments, or of the large segments; -1 where there are none."""
        return max((segment.number for segment in self._segments(large=large).values()), default=-1)

    def _segments(self, *, large: bool) -> dict[str, Segment]:
        return self.large_segments if large else self.segments


def asked_flags(environment: Environment, since: int, ask: Filter) -> Iterator[Definition]:
    """Yield the split definitions that changed and that an SDK asks for (split.sdk.sets).

    One that left the asked sets is given once more without them, so that SDKs drop it.
    """
    known = 0 <= since <= environment.flags.number
    for row in environment.flags.since(since):
        if ask.takes(row) or (known and ask.sets and environment.flags.was_in(row["name"], ask.sets)):
            yield row


@dataclass(frozen=True, slots=True)
class Filter:
    """Which flags an SDK asks for: those of flag sets, else those of names and prefixes, else all (split.sdk.sets)."""

    sets: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()

    def takes(self, definition: Mapping[str, Any]) -> bool:
        """Return whether a definition is asked for."""
        if self.sets:
            return not self.sets.isdisjoint(definition.get("sets") or ())
        if not self.names and not self.prefixes:
            return True
        return definition["name"] in self.names or definition["name"].startswith(self.prefixes or ("\0",))
