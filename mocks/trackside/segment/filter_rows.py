"""Destination filters as they are written down: in the workspace, or in the shape of Segment's Public API.

Source: Segment Public API, "Destination Filters".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias

from trackside.errors import TracksideError, WorkspaceError
from trackside.segment.fql import MAX_FQL_BYTES

MAX_FILTERS = 10
"""The most filters that a destination can have (segment.filter.limits)."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Keep the event back."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Let a share of the events through.

    Attributes:
        percent: the share, a decimal from 0 (none) to 1 (all).
        path: the field whose value decides, dotted, such as ``userId``; without one each event is a draw of its own.
    """

    percent: float
    path: str | None = None


@dataclass(frozen=True, slots=True)
class DropProperties:
    """Take the named properties away; ``fields`` holds their names by the dotted path of their object."""

    fields: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class AllowProperties:
    """Take all but the named properties away; ``fields`` holds their names by the dotted path of their object."""

    fields: Mapping[str, tuple[str, ...]]


Action: TypeAlias = Drop | Sample | DropProperties | AllowProperties


@dataclass(frozen=True, slots=True)
class Filter:
    """One destination filter, as in Segment's Public API.

    Attributes:
        condition: FQL, or ``all``; called ``if`` in the API and in the workspace.
        actions: what is done to an event that meets the condition.
        title: its name in Segment's app.
        enabled: whether it is applied.
    """

    condition: str
    actions: tuple[Action, ...]
    title: str = ""
    enabled: bool = True

    def __str__(self) -> str:
        name = f"the destination filter {self.title!r}" if self.title else "a destination filter"
        return f"{name} (if {self.condition})"


def parse_filters(rows: Sequence[Any], at: str = "$.filters") -> tuple[Filter, ...]:
    """Return the filters that a destination's ``filters`` list holds.

    Args:
        rows: as in the workspace, ``{if: "event = 'x'", actions: [{type: drop}]}``, or as in the Public API,
            ``{"if": "all", "actions": [{"type": "DROP_PROPERTIES", "fields": {"properties": ["email"]}}], "enabled": true}``.
            What the API adds for its own use (ids, a description) is passed over.
        at: the place of the list, for faults.

    Raises:
        TracksideError: the one fault found; with several a `WorkspaceError` that lists each. A condition that is no
            FQL is no fault here: Segment keeps such a filter, and it drops every event (segment.filter.fail-closed).

    Source: Segment Public API, "Destination Filters"; limits by segment.filter.limits.
    """
    faults = [*_faults(rows, at)]
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise WorkspaceError(faults, at)
    return tuple(_filter(row) for row in rows)


def _filter(row: Mapping[str, Any]) -> Filter:
    actions = tuple(_action(_given(action)) for action in row["actions"])
    return Filter(row["if"].strip(), actions, row.get("title") or "", row.get("enabled", True))


def _action(action: Mapping[str, Any]) -> Action:
    kind = _kind(action)
    if kind == "DROP":
        return Drop()
    if kind == "SAMPLE":
        return Sample(action["percent"], action.get("path") or None)
    fields = {path: tuple(names) for path, names in action["fields"].items()}
    return DropProperties(fields) if kind == "DROP_PROPERTIES" else AllowProperties(fields)


_ROW_KEYS = (
    "if",
    "actions",
    "title",
    "enabled",
    "description",
    "id",
    "sourceId",
    "destinationId",
    "createdAt",
    "updatedAt",
)
_ACTION_KEYS = {
    "DROP": ("type",),
    "SAMPLE": ("type", "percent", "path"),
    "DROP_PROPERTIES": ("type", "fields"),
    "ALLOW_PROPERTIES": ("type", "fields"),
}


def _kind(action: Mapping[str, Any]) -> str:
    """Return an action's type as the Public API spells it; the workspace may write it in lower case."""
    return str(action.get("type")).upper()


def _given(action: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the keys of an action that are set; the Public API writes null for those that are not."""
    return {key: value for key, value in action.items() if value is not None}


def _faults(rows: Sequence[Any], at: str) -> Iterator[TracksideError]:
    if len(rows) > MAX_FILTERS:
        yield TracksideError(f"{len(rows)} filters, and Segment takes {MAX_FILTERS}", at, "join conditions with or")
    for number, row in enumerate(rows):
        yield from _row_faults(row, f"{at}[{number}]")


def _row_faults(row: Any, at: str) -> Iterator[TracksideError]:
    if not isinstance(row, Mapping):
        yield TracksideError(f"the filter is {row!r}", at, "write if: with a condition and actions: with a list")
        return
    yield from _key_faults(row, _ROW_KEYS, at)
    yield from _condition_faults(row.get("if"), f"{at}.if")
    if not isinstance(row.get("title") or "", str):
        yield TracksideError(f"the title is {row['title']!r}", f"{at}.title", "write text")
    if not isinstance(row.get("enabled", True), bool):
        yield TracksideError(f"enabled is {row['enabled']!r}", f"{at}.enabled", "write true or false")
    actions = row.get("actions")
    if not isinstance(actions, Sequence) or isinstance(actions, str) or not actions:
        yield TracksideError(f"actions is {actions!r}", f"{at}.actions", "write a list, such as [{type: drop}]")
        return
    for number, action in enumerate(actions):
        yield from _action_faults(action, f"{at}.actions[{number}]")


def _condition_faults(condition: Any, at: str) -> Iterator[TracksideError]:
    if not isinstance(condition, str) or not condition.strip():
        yield TracksideError(f"the condition is {condition!r}", at, "write FQL, such as event = 'Signed Up', or all")
    elif len(condition.encode("utf-8", "surrogatepass")) > MAX_FQL_BYTES:
        yield TracksideError("the condition is longer than 5 KB", at, "split it over several filters")


def _action_faults(action: Any, at: str) -> Iterator[TracksideError]:
    kinds = ", ".join(_ACTION_KEYS)
    if not isinstance(action, Mapping):
        yield TracksideError(f"the action is {action!r}", at, f"write type: and one of {kinds}")
        return
    kind = _kind(action)
    if kind not in _ACTION_KEYS:
        yield TracksideError(f"there is no action type {action.get('type')!r}", f"{at}.type", f"use one of {kinds}")
        return
    given = _given(action)
    yield from _key_faults(given, _ACTION_KEYS[kind], at)
    if kind == "SAMPLE":
        yield from _sample_faults(given, at)
    elif kind != "DROP":
        yield from _field_faults(given.get("fields"), f"{at}.fields")


def _sample_faults(action: Mapping[str, Any], at: str) -> Iterator[TracksideError]:
    percent = action.get("percent")
    if isinstance(percent, bool) or not isinstance(percent, (int, float)) or not 0 <= percent <= 1:
        yield TracksideError(
            f"percent is {percent!r}", f"{at}.percent", "write a number from 0 to 1, 0.1 for one in ten"
        )
    if not isinstance(action.get("path", ""), str):
        yield TracksideError(f"path is {action['path']!r}", f"{at}.path", "write the field's path, such as userId")


def _field_faults(fields: Any, at: str) -> Iterator[TracksideError]:
    fix = "write lists of names by the path of their object, such as {properties: [email]}"
    if not isinstance(fields, Mapping) or not fields:
        yield TracksideError(f"fields is {fields!r}", at, fix)
        return
    for path, names in fields.items():
        if not isinstance(path, str) or not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            yield TracksideError(f"fields holds {path!r}: {names!r}", f"{at}.{path}", fix)


def _key_faults(row: Mapping[str, Any], known: Sequence[str], at: str) -> Iterator[TracksideError]:
    for key in row:
        if key not in known:
            near = get_close_matches(str(key), known, 1)
            fix = f"did you mean {near[0]}?" if near else f"take it away; known are {', '.join(known)}"
            yield TracksideError(f"there is no key {key!r} here", f"{at}.{key}", fix)
