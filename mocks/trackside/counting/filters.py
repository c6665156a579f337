"""What a metric reads of a record: its value, and whether its filters let the event pass. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from trackside.counting.model import Filter, Metric
from trackside.steps import Record

Fact = float | bool | None
"""What a metric makes of an event: its value; True where it takes none; None where the value is missing; False where a filter keeps the event out."""


def fact(metric: Metric, record: Record) -> Fact:
    """Return what a metric makes of an event that has its name."""
    if metric.filters and not passes(metric.filters, record):
        return False
    return number_at(record, metric.value) if metric.value else True


def number_at(record: Record, path: Sequence[str]) -> float | None:
    """Return the number at a path of a record; text that is a number counts as one, as Statsig keeps metadata as text.

    >>> number_at({"metadata": {"price": "9.5"}}, ("metadata", "price"))
    9.5
    """
    found = _at(record, path)
    if isinstance(found, bool) or not isinstance(found, int | float | str) or (isinstance(found, str) and "_" in found):
        return None  # Python reads 1_000 as a number
    try:
        number = float(found)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def passes(filters: Sequence[Filter], record: Record) -> bool:
    """Return whether an event passes every filter.

    >>> passes([Filter(("metadata", "plan"), "in", ("gold",))], {"metadata": {"plan": "gold"}})
    True
    """
    return all(_OPERATORS[one.operator](_found(record, one), one.values) for one in filters)


def _found(record: Record, one: Filter) -> Any:
    found = _at(record, one.path)
    return _at(record, one.elsewhere) if found is None and one.elsewhere else found


def _at(record: Any, path: Sequence[str]) -> Any:
    for name in path:
        if not isinstance(record, dict):
            return None
        record = record.get(name)
    return record


def _same(found: Any, value: Any) -> bool:
    if found is None:
        return False
    if isinstance(found, bool) or isinstance(value, bool):
        return str(found).lower() == str(value).lower()
    if isinstance(value, int | float):
        number = number_at({"": found}, ("",))
        return number is not None and number == value
    return str(found) == str(value)


def _in(found: Any, values: Sequence[Any]) -> bool:
    return any(_same(found, value) for value in values)


def _any_text(holds: Callable[[str, str], Any]) -> Callable[[Any, Sequence[Any]], bool]:
    return lambda found, values: found is not None and any(holds(str(found), str(value)) for value in values)


def _compared(holds: Callable[[float, float], bool]) -> Callable[[Any, Sequence[Any]], bool]:
    def compare(found: Any, values: Sequence[Any]) -> bool:
        numbers = [number_at({"": one}, ("",)) for one in (found, *values[:1])]
        return len(numbers) == 2 and None not in numbers and holds(numbers[0], numbers[1])  # type: ignore[arg-type]

    return compare


@lru_cache(256)
def _pattern(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text)
    except re.error:
        return None


def _matches(found: str, value: str) -> bool:
    pattern = _pattern(value)
    return pattern is not None and pattern.search(found) is not None


_CONTAINS = _any_text(lambda found, value: value in found)
_OPERATORS: dict[str, Callable[[Any, Sequence[Any]], bool]] = {
    "in": _in,
    "not in": lambda found, values: not _in(found, values),
    "<": _compared(lambda found, value: found < value),
    "<=": _compared(lambda found, value: found <= value),
    ">": _compared(lambda found, value: found > value),
    ">=": _compared(lambda found, value: found >= value),
    "contains": _CONTAINS,
    "not contains": lambda found, values: not _CONTAINS(found, values),
    "starts with": _any_text(str.startswith),
    "ends with": _any_text(str.endswith),
    "matches": _any_text(_matches),
    "exists": lambda found, _: found is not None,
    "not exists": lambda found, _: found is None,
}
OPERATORS = tuple(_OPERATORS)
"""The operators that a `Filter` may have."""
