"""Segment's semantic specs held against track calls, by the names of their events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from trackside import catalog
from trackside.errors import TracksideError
from trackside.nearest import bare, difference
from trackside.validation.options import SPECS
from trackside.validation.problems import Problem, of_fault

if TYPE_CHECKING:
    from trackside.validation.checker import CallCheck

ALL = "all"
"""Stands for every spec."""


def spec_check(specs: Iterable[str]) -> CallCheck:
    """Return what holds track calls against semantic specs: those of an event that a spec names (segment.spec.semantic).

    A name that differs from a spec's in nothing but case, blanks, underscores or hyphens is a warning
    (segment.spec.event-name).

    Args:
        specs: names of `trackside.validation.options.SPECS`, or ``all``.

    Raises:
        TracksideError: there is no such spec.
    """
    asked = list(dict.fromkeys(specs))
    for spec in asked:
        if spec not in (*SPECS, ALL):
            raise TracksideError(f"there is no semantic spec {spec!r}", "--spec", f"name {', '.join(SPECS)} or {ALL}")
    contracts = _by_event(SPECS if ALL in asked else asked)
    names = {bare(event): event for event in contracts}

    def check(call: dict[str, Any]) -> Iterator[Problem]:
        event, properties = call.get("event"), call.get("properties")
        if call.get("type") != "track" or not isinstance(event, str) or not isinstance(properties, (dict, type(None))):
            return  # which its contract tells, where it is wrong
        if held := contracts.get(event):
            for name in held:
                contract = catalog.contract(name)
                if not contract.is_valid(call):
                    yield from map(of_fault, contract.faults(call))
        elif near := names.get(bare(event)):
            what = f"the event {event} is not {near}, as the spec writes it: it differs by {difference(near, event)}"
            yield Problem("segment.spec.event-name", "warn", what, ("event",), f"call it {near}")

    return check


def _by_event(specs: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of the contracts of specs by event; only their files are read, and compiled when first used."""
    found: dict[str, list[str]] = defaultdict(list)
    for spec in specs:
        for name in catalog.names():
            if name.startswith(f"segment/{spec}-") and (schema := catalog.load(name)).get("x-spec") == spec:
                found[schema["properties"]["event"]["const"]].append(name)
    return dict(found)
