"""What experiments have counted, as one static HTML page with its plots inside; no script, nothing to load."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from functools import cache
from itertools import accumulate, pairwise
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from trackside.cli.output import printable
from trackside.counting.conditions import ABOUT
from trackside.counting.model import ExperimentResult, MetricResult, VariationResult
from trackside.counting.table import (
    NOTHING,
    called,
    measure,
    metric_cells,
    metric_keys,
    number,
    percent,
    ratio_text,
    short,
    units,
)

BAR = 120
"""How long the longest bar is."""

LEFT, RIGHT, TOP = 48, 400, 10
POINTS = 24
"""Days of which a line is made at most."""

LABEL = 26
"""Characters of a variation's name beside its line."""

LEADING = 12
"""How far labels of lines stand apart."""


def page(results: Sequence[ExperimentResult], *, title: str, made_at: str, source: str) -> str:
    """Return results as an HTML document: for each experiment its numbers, plots, and what did not count and why.

    The same arguments give the same text. Whatever comes from outside is escaped, control characters too.

    Args:
        results: of the experiments, in the order in which they are shown.
        title: of the page.
        made_at: when it was made, in words for people.
        source: what was counted, such as the name of a journal.
    """
    experiments = [_experiment(result) for result in results]
    return _template().render(title=title, made_at=made_at, source=source, experiments=experiments)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("trackside.counting", ""),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    return environment.get_template("page.html")


def _experiment(result: ExperimentResult) -> dict[str, Any]:
    from trackside.lab import VENDORS  # noqa: PLC0415 - a lab counts, too

    of = result.experiment
    vendor = VENDORS[of.vendor].title if of.vendor in VENDORS else of.vendor
    about = [
        vendor,
        f"environment {of.environment}" if of.environment else "any environment",
        f"unit {of.unit}",
        of.status,
        "recording" if result.recording else "not recording",
    ]
    return {
        "key": of.key,
        "vendor": vendor,
        "status": of.status,
        "about": ", ".join(part for part in about if part),
        "units": number(sum(one.units for one in result.variations)),
        "counted": f"{number(result.counted)} of {number(result.events)}",
        "level": result.sample_ratio.level if result.sample_ratio else "",
        "ratio": ratio_text(result),
        "problems": [str(problem) for problem in of.problems],
        "variations": _variations(result.variations),
        "chart": _chart(result.variations),
        "metrics": [_metric(result, key) for key in metric_keys(result)],
        "switched": (units(result.switched.units), str(result.switched.unmet)) if result.switched else None,
        "excluded": [(condition, units(count), ABOUT[condition].text) for condition, count in result.excluded.items()],
        "uncounted": [
            {
                "condition": one.unmet.condition,
                "rule": one.unmet.rule,
                "text": one.unmet.text,
                "at": one.unmet.at,
                "fix": one.unmet.fix,
                "events": number(one.events),
                "units": number(one.units),
            }
            for one in result.uncounted.values()
        ],
    }


# ---- bars


def _variations(of: Sequence[VariationResult]) -> list[dict[str, Any]]:
    total, whole = sum(one.units for one in of), math.fsum(one.variation.share for one in of)
    declared = all(one.variation.share for one in of)
    dues = [total * one.variation.share / whole if declared else None for one in of]
    most = max((*(one.units for one in of), *(due for due in dues if due is not None), 1))
    rows = []
    for one, due in zip(of, dues, strict=True):
        expected = NOTHING if due is None else number(round(due, 1))
        cells = (
            number(one.units),
            percent(one.units / total) if total else NOTHING,
            percent(one.variation.share) if one.variation.share else NOTHING,
            expected,
        )
        bar = {
            "title": units(one.units) if due is None else f"{units(one.units)}, expected {expected}",
            "start": 0,
            "length": round(BAR * one.units / most),
            "mark": None if due is None else round(BAR * due / most),
        }
        rows.append({"called": _called(one), "cells": cells, "bar": bar})
    return rows


def _metric(result: ExperimentResult, key: str) -> dict[str, Any]:
    found = [one.metrics.get(key) for one in result.variations]
    means = [one.mean for one in found if one and one.mean is not None and math.isfinite(one.mean)]
    low, high = min([0.0, *means]), max([0.0, *means])
    rows = [
        {"called": _called(one), "cells": metric_cells(metric), "bar": _mean_bar(metric, low, high)}
        for one, metric in zip(result.variations, found, strict=True)
    ]
    return {"key": key, "measure": measure(result, key), "rows": rows}


def _mean_bar(metric: MetricResult | None, low: float, high: float) -> dict[str, Any] | None:
    """Return the bar of a mean, from 0 to it, where ``low`` to ``high`` is the whole length; None where there is none."""
    if metric is None or metric.mean is None or not math.isfinite(metric.mean):
        return None
    whole, mean = (high - low) or 1.0, metric.mean
    return {
        "title": f"mean {number(mean)}",
        "start": round(BAR * ((min(mean, 0) - low) / whole)),
        "length": round(BAR * (abs(mean) / whole)),
        "mark": round(BAR * (-low / whole)) if low < 0 else None,
    }


def _called(one: VariationResult) -> str:
    return called(one.variation.name, one.variation.key)


# ---- units by day


def _chart(of: Sequence[VariationResult]) -> dict[str, Any] | None:
    """Return the lines of units by day, added up; None for fewer than two days: there is no line."""
    days = sorted({date.fromisoformat(day).toordinal() for one in of for day in one.by_day})
    if len(days) < 2:
        return None
    first, last = days[0], days[-1]
    shown = [*range(first, last, math.ceil((last - first) / POINTS)), last]
    counts = [_added_up(one, shown) for one in of]
    most = max(1, *(count for line in counts for count in line))
    bottom = TOP + max(120, LEADING * len(of))
    across = [round(LEFT + (RIGHT - LEFT) * (day - first) / (last - first)) for day in shown]
    down = [[round(bottom - (bottom - TOP) * count / most) for count in line] for line in counts]
    places = _apart([line[-1] for line in down], bottom)
    ends = ", ".join(f"{_called(one)}: {number(line[-1])}" for one, line in zip(of, counts, strict=True))
    return {
        "title": "Units by day",
        "desc": f"By {date.fromordinal(last).isoformat()}: {ends}",
        "wide": RIGHT + 200,
        "high": bottom + 22,
        "left": LEFT,
        "right": RIGHT,
        "top": TOP,
        "bottom": bottom,
        "most": number(most),
        "first": date.fromordinal(first).isoformat(),
        "last": date.fromordinal(last).isoformat(),
        "lines": [
            {
                "path": _path(across, line),
                "end": line[-1],
                "label_at": place,
                "label": short(_called(one), LABEL),
            }
            for one, line, place in zip(of, down, places, strict=True)
        ],
    }


def _added_up(one: VariationResult, days: Sequence[int]) -> list[int]:
    """Return how many units a variation has on each of some days, those of the days before included."""
    known = sorted((date.fromisoformat(day).toordinal(), count) for day, count in one.by_day.items())
    totals = [0, *accumulate(count for _, count in known)]
    return [totals[bisect_right(known, (day, math.inf))] for day in days]


def _path(across: Sequence[int], down: Sequence[int]) -> str:
    """Return a line as SVG draws it, each step from the one before, which is shortest.

    >>> _path([48, 60, 72], [130, 120, 125])
    'M48 130l12-10 12 5'
    """
    points = list(zip(across, down, strict=True))
    steps = [(x - x_before, y - y_before) for (x_before, y_before), (x, y) in pairwise(points)]
    return f"M{across[0]} {down[0]}l{' '.join(f'{x}{y}' if y < 0 else f'{x} {y}' for x, y in steps)}"


def _apart(ends: Sequence[int], bottom: int) -> list[int]:
    """Return where labels stand so that none covers another, each near the end of its line, in the order of the lines.

    >>> _apart([50, 50, 10], 120), _apart([119, 120], 120)
    ([50, 62, 10], [108, 120])
    """
    places, ceiling, floor = list(ends), TOP, bottom
    order = sorted(range(len(ends)), key=lambda index: (ends[index], index))
    for index in order:
        places[index] = max(places[index], ceiling)
        ceiling = places[index] + LEADING
    for index in reversed(order):
        places[index] = min(places[index], floor)
        floor = places[index] - LEADING
    return places
