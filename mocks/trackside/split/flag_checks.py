"""What keeps SDKs from evaluating definitions that keep their contract. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from trackside.errors import TracksideError
from trackside.split.changes import Definition


def pattern_faults(definition: Definition) -> Iterator[TracksideError]:
    """Yield each pattern of a definition that Python's SDK cannot compile: it would never be ready (split.sdk.patterns)."""
    for index, condition in enumerate(definition["conditions"]):
        for number, matcher in enumerate(condition["matcherGroup"]["matchers"]):
            if matcher["matcherType"] == "MATCHES_STRING":
                at = f"$.conditions[{index}].matcherGroup.matchers[{number}].stringMatcherData"
                yield from pattern_fault(matcher["stringMatcherData"], at)


def pattern_fault(pattern: str, at: str) -> Iterator[TracksideError]:
    """Yield why a pattern cannot be compiled, nothing where it can."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        what = f"the pattern {pattern!r} cannot be compiled: {error}"
        yield TracksideError(what, at, "write one that Python and JavaScript both take")


def circles(flags: Mapping[str, Definition]) -> dict[str, str]:
    """Return the flags that depend on themselves, each with the way round: ``a, b, a`` (split.sdk.circles).

    A flag depends on its prerequisites, and on the flags whose treatments its rules ask for.
    """
    depends = {name: list(_depends(flag)) for name, flag in flags.items()}
    return {name: ", ".join(way) for name in flags if (way := _way_round(name, depends))}


def _depends(flag: Definition) -> Iterator[str]:
    yield from (one["n"] for one in flag.get("prerequisites") or ())
    for condition in flag["conditions"]:
        for matcher in condition["matcherGroup"]["matchers"]:
            if matcher["matcherType"] == "IN_SPLIT_TREATMENT":
                yield matcher["dependencyMatcherData"]["split"]


def _way_round(name: str, depends: Mapping[str, list[str]]) -> list[str]:
    """Return a shortest way from a flag to itself, empty where there is none."""
    came_from: dict[str, str] = {}
    waiting = [name]
    for one in waiting:  # grows while it is gone through
        for other in depends.get(one, ()):
            if other not in came_from:
                came_from[other] = one
                waiting.append(other)
    way = [name] if name in came_from else []
    while way and (len(way) == 1 or way[0] != name):
        way.insert(0, came_from[way[0]])
    return way
