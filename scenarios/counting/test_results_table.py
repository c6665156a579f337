"""Results on a terminal, and as JSON."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from trackside.counting.as_json import read_result, result_json
from trackside.counting.model import (
    Experiment,
    ExperimentResult,
    MetricResult,
    Period,
    SampleRatio,
    Uncounted,
    Unmet,
    Variation,
    VariationResult,
)
from trackside.counting.table import lines

CONTROL = Variation("0", "Control", 0.5)
GREEN = Variation("1", "Green", 0.5)
EXPERIMENT = Experiment(
    vendor="launchdarkly",
    key="checkout-button",
    environment="production",
    exposed_by="checkout-button",
    unit="user",
    variations=(CONTROL, GREEN),
    metrics=("revenue",),
    periods=(Period(0),),
    status="running",
)
LATE = Unmet(
    "before-exposure",
    "launchdarkly.metric.event-key",
    "the event came 4 s before the exposure",
    "$.creationDate",
    "evaluate the flag first",
)


def result() -> ExperimentResult:
    return ExperimentResult(
        EXPERIMENT,
        [
            VariationResult(CONTROL, 1234, {"revenue": MetricResult("revenue", "sum", 20, 30, 1500.5, 1.21597)}),
            VariationResult(GREEN, 1266, {"revenue": MetricResult("revenue", "sum", 25, 25, 250, 0.19747)}),
        ],
        SampleRatio(0.4096, 0.522, 0.0064, "ok"),
        {"switched": 3},
        {"before-exposure": Uncounted(LATE, 7, 2)},
        62,
        55,
        recording=True,
    )


def of(vendor: str = "split", *variations: str, metric: str = "m") -> ExperimentResult:
    of = tuple(Variation(name, name, 1 / len(variations)) for name in variations)
    rows = [VariationResult(one, 10, {metric: MetricResult(metric, "count", 1, 2, 2, 0.2)}) for one in of]
    return ExperimentResult(Experiment(vendor, "key", "", "key", "user", of), rows)


def test_an_experiment_is_told_in_tables() -> None:
    assert lines([result()]) == [
        "launchdarkly  checkout-button  environment production, unit user, running, recording",
        "  55 of 62 events counted.",
        "",
        "  Variation     Units      Part   Declared share",
        " ────────────────────────────────────────────────",
        "  Control (0)   1,234   49.36 %             50 %",
        "  Green (1)     1,266   50.64 %             50 %",
        "",
        "  Sample ratio: ok (p = 0.52, chi-squared 0.4096, largest deviation 0.64 %).",
        "",
        "  Metric          Variation     Units   Events      Total      Mean",
        " ───────────────────────────────────────────────────────────────────",
        "  revenue (sum)   Control (0)      20       30   1,500.50   1.21597",
        "                  Green (1)        25       25        250   0.19747",
        "",
        "  Excluded: switched 3 units.",
        "",
        "  Not counted       The first, and what to do                                       Events   Units",
        " ──────────────────────────────────────────────────────────────────────────────────────────────────",
        "  before-exposure   the event came 4 s before the exposure                               7       2",
        "                    (launchdarkly.metric.event-key). $.creationDate. evaluate the",
        "                    flag first.",
    ]


def test_an_empty_line_stands_between_experiments() -> None:
    once = lines([result()])
    assert lines([result(), result()]) == [*once, "", *once]


def test_no_results_are_told() -> None:
    assert lines([]) == ["No experiments."]


def test_an_experiment_that_nobody_saw_has_no_parts_and_no_sample_ratio() -> None:
    seen_by_none = ExperimentResult(EXPERIMENT, [VariationResult(CONTROL), VariationResult(GREEN)])
    told = lines([seen_by_none])
    assert "  Control (0)       0      -             50 %" in told
    assert any("Sample ratio: not tested" in line for line in told)


def test_a_share_that_nobody_declares_is_left_open() -> None:
    on = Variation("on", "on")
    told = lines([ExperimentResult(Experiment("split", "k", "", "k", "user", (on,)), [VariationResult(on, 4)])])
    assert "  on              4   100 %                -" in told


def test_a_metric_that_a_variation_lacks_is_left_open_there() -> None:
    given = result()
    given.variations[1].metrics.clear()
    (line,) = (line for line in lines([given]) if line.lstrip().startswith("Green (1)") and line.count("-") == 4)
    assert line.split()[2:] == ["-", "-", "-", "-"]


def test_an_experiment_that_does_not_record_is_told_so_with_its_problems() -> None:
    off = Unmet("flag", "launchdarkly.x", "the flag is off", "$.flags.k", "switch it on")
    of = Experiment("launchdarkly", "k", "", "k", "user", (), problems=(off,))
    told = lines([ExperimentResult(of, [])])
    assert told[0] == "launchdarkly  k  any environment, unit user, not recording"
    assert told[1] == "  problem: the flag is off (launchdarkly.x). $.flags.k. switch it on."


HARD_NAMES = {
    "long": "x" * 200,
    "long words": "variation " * 20,
    "wide": "名前" * 100,
    "combining": "e\u0301" * 100,
    "markup": "[red]" * 40,
    "control characters": "\x1b[2J\r\n\u2028\x85\u202e\ud800\x00" * 20,
}


@pytest.mark.parametrize("name", HARD_NAMES.values(), ids=HARD_NAMES)
def test_every_line_keeps_to_100_columns_and_steers_no_terminal(name: str) -> None:
    given = of(name, *(f"{name}{number}" for number in range(12)), metric=name)
    given.uncounted = {"unknown-id": Uncounted(Unmet("unknown-id", name, name, name, name), 10**9, 10**9)}
    for line in lines([given]):
        assert cell_len(line) <= 100
        assert line.isprintable()


def test_a_long_name_is_told_whole_once_and_shortened_beside_its_metrics() -> None:
    names = [f"{'x' * 200}{number:02}" for number in range(12)]
    told = lines([of("split", *names)])
    start = next(index for index, line in enumerate(told) if "Metric" in line)
    assert "".join(part.split()[0] for part in told[:start] if "x" * 9 in part) == "".join(names)
    assert sum("xxx" in line for line in told[start:]) == 12
    assert all(any(line.split()[-5].endswith(f"x{number:02}") for line in told[start + 2 :]) for number in range(12))


def test_brackets_and_colons_in_a_name_are_no_markup() -> None:
    assert any("[bold]new[/bold] :smile:" in line for line in lines([of("split", "[bold]new[/bold] :smile:", "off")]))


# ---- JSON


def test_a_result_as_json_has_every_number() -> None:
    given = result()
    given.variations[0].by_day = {"2026-11-22": 1000, "2026-11-21": 234}
    told = result_json(given)
    (late,) = told.pop("uncounted")
    assert told == {
        "vendor": "launchdarkly",
        "experiment": "checkout-button",
        "environment": "production",
        "unit": "user",
        "status": "running",
        "recording": True,
        "variations": [
            {
                "key": "0",
                "name": "Control",
                "share": 0.5,
                "units": 1234,
                "by_day": {"2026-11-21": 234, "2026-11-22": 1000},
                "metrics": {
                    "revenue": {"measure": "sum", "units": 20, "events": 30, "total": 1500.5, "mean": 1.21597},
                },
            },
            {
                "key": "1",
                "name": "Green",
                "share": 0.5,
                "units": 1266,
                "by_day": {},
                "metrics": {
                    "revenue": {"measure": "sum", "units": 25, "events": 25, "total": 250, "mean": 0.19747},
                },
            },
        ],
        "sample_ratio": {"statistic": 0.4096, "p_value": 0.522, "deviation": 0.0064, "level": "ok"},
        "excluded": {"switched": 3},
        "switched": None,
        "problems": [],
        "events": 62,
        "counted": 55,
    }
    assert late == {**LATE.as_json(), "events": 7, "units": 2}


def test_a_result_is_read_of_its_json_as_it_was() -> None:
    given = result()
    given.switched = Uncounted(LATE, 0, 4)
    told = result_json(given)
    assert result_json(read_result(told)) == told
    assert lines([read_result(told)]) == lines([given])


def test_units_in_several_variations_are_told_in_a_line() -> None:
    given = result()
    given.switched = Uncounted(LATE, 0, 4)
    (line,) = (line for line in lines([given]) if "several variations" in line)
    assert line.startswith("  Seen in several variations: 4 units; ")


def test_days_as_json_are_in_their_order() -> None:
    given = result()
    given.variations[0].by_day = {"2026-11-22": 1000, "2026-11-21": 234}
    assert list(result_json(given)["variations"][0]["by_day"]) == ["2026-11-21", "2026-11-22"]


def test_an_empty_result_as_json_has_the_same_keys() -> None:
    empty = ExperimentResult(Experiment("split", "k", "", "k", "user", ()), [])
    assert list(result_json(empty)) == list(result_json(result()))
    assert result_json(empty)["sample_ratio"] is None
