"""What experiments have counted, as tables for a terminal."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from trackside.cli.output import printable
from trackside.counting.model import ExperimentResult, MetricResult

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

WIDTH = 100
"""Columns of a terminal that the tables keep to."""

SHORT = 40
"""Characters of a variation's name beside its metrics; the first table has all of it."""

NOTHING = "-"
"""Stands where there is no number."""


def lines(results: Sequence[ExperimentResult]) -> list[str]:
    """Return results as lines of text, of at most 100 columns, an empty one between experiments.

    Names are told whole, on several lines where they are long; what could steer a terminal in them is escaped.
    """
    from rich.console import Console  # noqa: PLC0415 - rich takes as long to import as the rest of a command

    file = io.StringIO()
    console = Console(file=file, width=WIDTH, color_system=None, force_terminal=False, legacy_windows=False)
    for result in results:
        for part in (*_parts(result), ""):
            console.print(part, highlight=False)
    if not results:
        return ["No experiments."]
    told = [line.rstrip() for line in file.getvalue().split("\n")]
    return [line for line, after in pairwise(told) if line or after]


def _parts(result: ExperimentResult) -> Iterator[RenderableType]:
    from rich.padding import Padding  # noqa: PLC0415 - see `lines`
    from rich.text import Text  # noqa: PLC0415 - see `lines`

    def note(text: str) -> Padding:
        return Padding(Text(printable(text), overflow="fold"), (0, 0, 0, 2))

    yield Text(printable(head(result)), overflow="fold")
    yield from (note(f"problem: {problem}") for problem in result.experiment.problems)
    yield note(f"{number(result.counted)} of {events(result.events)} counted.")
    yield _units(result)
    yield note(ratio_text(result))
    if metric_keys(result):
        yield _metrics(result)
    if result.excluded:
        yield note(
            f"Excluded: {', '.join(f'{condition} {units(count)}' for condition, count in result.excluded.items())}."
        )
    if result.switched is not None:
        yield note(f"Seen in several variations: {units(result.switched.units)}; {result.switched.unmet}")
    if result.uncounted:
        yield _uncounted(result)


def head(result: ExperimentResult) -> str:
    """Return what an experiment is, in a line: vendor, key, environment, unit, status, and whether it records."""
    of = result.experiment
    told = [
        f"{of.vendor}  {of.key}",
        f"environment {of.environment}" if of.environment else "any environment",
        f"unit {of.unit}",
        *([of.status] if of.status else []),
        "recording" if result.recording else "not recording",
    ]
    return "  ".join((told[0], ", ".join(told[1:])))


def _units(result: ExperimentResult) -> Table:
    total = sum(one.units for one in result.variations)
    rows = [
        (
            called(one.variation.name, one.variation.key),
            number(one.units),
            percent(one.units / total) if total else NOTHING,
            percent(one.variation.share) if one.variation.share else NOTHING,
        )
        for one in result.variations
    ]
    return _table(("Variation",), ("Units", "Part", "Declared share"), rows)


def _metrics(result: ExperimentResult) -> Table:
    rows = []
    for key in metric_keys(result):
        for index, one in enumerate(result.variations):
            told = f"{key} ({measure(result, key)})" if index == 0 else ""
            name = short(called(one.variation.name, one.variation.key), SHORT)
            rows.append((told, name, *metric_cells(one.metrics.get(key))))
    return _table(("Metric", "Variation"), ("Units", "Events", "Total", "Mean"), rows)


def _uncounted(result: ExperimentResult) -> Table:
    rows = [
        (one.unmet.condition, str(one.unmet), number(one.events), number(one.units))
        for one in result.uncounted.values()
    ]
    return _table(("Not counted", "The first, and what to do"), ("Events", "Units"), rows)


def _table(names: Sequence[str], numbers: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return a table of texts that are wrapped, then numbers that never are."""
    from rich import box  # noqa: PLC0415 - see `lines`
    from rich.table import Table  # noqa: PLC0415 - see `lines`
    from rich.text import Text  # noqa: PLC0415 - see `lines`

    table = Table(box=box.SIMPLE_HEAD, pad_edge=True)
    for name in names:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


# ---- texts that the page has too


def metric_keys(result: ExperimentResult) -> list[str]:
    """Return the metrics that any variation has, in their order."""
    return list(dict.fromkeys(key for one in result.variations for key in one.metrics))


def measure(result: ExperimentResult, key: str) -> str:
    """Return how a metric adds up a unit's events, such as ``sum``."""
    return next(one.metrics[key].measure for one in result.variations if key in one.metrics)


def metric_cells(metric: MetricResult | None) -> tuple[str, str, str, str]:
    """Return the units, events, total and mean of a metric as text."""
    if metric is None:
        return (NOTHING,) * 4
    mean = NOTHING if metric.mean is None else number(metric.mean)
    return number(metric.units), number(metric.events), number(metric.total), mean


def called(name: str, key: str) -> str:
    """Return a variation's name, and its key where that is another text.

    >>> called("Green button", "1"), called("on", "on")
    ('Green button (1)', 'on')
    """
    return name if name == key else f"{name} ({key})" if name else key


def short(text: str, width: int) -> str:
    """Return a printable text of at most ``width`` characters: of a long one the beginning and the end.

    >>> short("a very long name (12)", 13)
    'a very…e (12)'
    """
    shown = printable(text)
    half = width // 2
    return shown if len(shown) <= width else f"{shown[:half]}…{shown[half + 1 - width :]}"


def ratio_text(result: ExperimentResult) -> str:
    """Return in a sentence whether the units are divided as the shares say."""
    of = result.sample_ratio
    if of is None:
        return "Sample ratio: not tested; it takes a share for each variation, and 5 expected units in each."
    chance = f"= {of.p_value:.2g}" if of.p_value >= 1e-99 else "< 1e-99"
    found = f"p {chance}, chi-squared {number(of.statistic)}, largest deviation {percent(of.deviation)}"
    return f"Sample ratio: {of.level} ({found})."


def number(value: float) -> str:
    """Return a number for people.

    >>> number(12345.0), number(0.123456789), number(1234.5)
    ('12,345', '0.123457', '1,234.50')
    """
    if abs(value) >= 1e12:
        return f"{value:.6g}"
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 1000 else f"{value:.6g}"


def percent(part: float) -> str:
    """Return a part of 1 in percent.

    >>> percent(0.5), percent(1 / 3), percent(0.0004)
    ('50 %', '33.33 %', '0.04 %')
    """
    return f"{round(part * 100, 2):g} %"


def events(count: int) -> str:
    """Return a number of events, such as ``1 event``."""
    return f"{count:,} event{'' if count == 1 else 's'}"


def units(count: int) -> str:
    """Return a number of units, such as ``2 units``."""
    return f"{count:,} unit{'' if count == 1 else 's'}"
