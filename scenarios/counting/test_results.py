"""What experiments count: units, events and means by variation, and what is left out, for what reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from counted_by_hand import (
    DAY,
    MINUTE,
    ORDERS,
    START,
    TEST,
    VARIATIONS,
    Acme,
    event,
    exposure,
    ledger_of,
    project,
    result,
)

from trackside.counting import results
from trackside.counting.as_json import read_result, result_json
from trackside.counting.model import (
    Assigned,
    Event,
    Experiment,
    ExperimentResult,
    Exposure,
    Filter,
    MetricResult,
    Period,
    Span,
    Variation,
)

CONTROL, BLUE = 0, 1
REVENUE = replace(ORDERS, measure="sum", value=("value",))


def paid(unit: str, value: Any, minute: float = 1, **more: Any) -> Event:
    return event(unit, minute=minute, record={"value": value}, **more)


def orders(of: ExperimentResult, variation: int = BLUE, key: str = "orders") -> MetricResult:
    return of.variations[variation].metrics[key]


def units(of: ExperimentResult) -> list[int]:
    return [one.units for one in of.variations]


def left_out(of: ExperimentResult) -> dict[str, tuple[int, int]]:
    """Return how many events, of how many units, did not count, by condition."""
    return {condition: (one.events, one.units) for condition, one in of.uncounted.items()}


THREE = [exposure("u-1"), exposure("u-2"), exposure("u-3"), exposure("u-4", "0")]
"""Three units see blue, one control."""


# ---- units


def test_units_are_counted_by_the_variation_that_they_saw() -> None:
    assert units(result(project(), *THREE)) == [1, 3]


@pytest.mark.rule("statsig.counting.groups")
def test_a_unit_is_one_however_often_it_was_exposed() -> None:
    found = result(project(), *[exposure(minute=minute) for minute in range(50)], event(minute=60), event(minute=60))

    assert units(found) == [0, 1]
    assert (orders(found).units, orders(found).events, orders(found).total) == (1, 2, 1)


def test_exposures_that_are_no_part_of_it_count_nobody() -> None:
    others = [
        exposure("u-1", included=False),
        exposure("u-2", name="menu"),
        exposure("u-3", environment="staging"),
        exposure("u-4", unit_type="device"),
        exposure("u-5", variation="9"),
    ]

    assert units(result(project(), *others)) == [0, 0]


def test_environments_are_kept_apart() -> None:
    staging = replace(TEST, environment="staging")
    came = [*THREE, exposure("u-1", "0", environment="staging"), event("u-1", environment="staging")]

    assert units(result(project(), *came)) == [1, 3]
    found = result(project(staging), *came)
    assert units(found) == [1, 0]
    assert (found.events, found.counted, left_out(found)) == (1, 1, {})


@pytest.mark.rule("trackside.audit.environment")
def test_events_that_only_came_to_another_environment_are_told() -> None:
    found = result(project(), *THREE, event(environment="staging"))

    assert (found.events, found.counted, left_out(found)) == (1, 0, {"environment": (1, 0)})


@pytest.mark.rule("split.in.two-identities")
def test_the_twins_of_one_message_for_another_traffic_type_are_not_told_where_a_vendor_makes_them() -> None:
    twins = [event("u-1"), event(units={"anonymous": "a-1"})]

    class FansOut(Acme):
        fans_out = True

    assert left_out(result(project(acme=FansOut()), *THREE, *twins)) == {}
    assert left_out(result(project(), *THREE, *twins)) == {"unit-type": (1, 0)}
    assert left_out(result(project(acme=FansOut()), *THREE, twins[1])) == {"unit-type": (1, 0)}


def test_units_are_told_by_the_utc_day_of_their_first_exposure() -> None:
    night = exposure("u-1", arrived=START + 21 * 3_600_000 - 1)
    found = result(
        project(),
        exposure("u-3"),
        night,
        exposure("u-1", arrived=START + 3 * DAY),
        exposure("u-2", arrived=START + DAY),
    )

    assert found.variations[BLUE].by_day == {"2026-01-02": 2, "2026-01-03": 1}


# ---- metrics


def test_a_conversion_is_one_for_each_unit_that_has_the_event() -> None:
    found = result(project(), *THREE, event("u-1"), event("u-1"), event("u-2"))

    assert orders(found) == MetricResult("orders", "conversion", units=2, events=3, total=2, mean=2 / 3)
    assert orders(found, CONTROL) == MetricResult("orders", "conversion", units=0, events=0, total=0, mean=0.0)


def test_a_count_is_of_all_events() -> None:
    metric = replace(ORDERS, measure="count")
    found = result(project(metrics=[metric]), *THREE, event("u-1"), event("u-1"), event("u-2"))

    assert orders(found) == MetricResult("orders", "count", units=2, events=3, total=3, mean=1.0)


def test_a_sum_is_of_the_values_by_all_units() -> None:
    found = result(project(metrics=[REVENUE]), *THREE, paid("u-1", 2), paid("u-1", "1.5"), paid("u-2", 4))

    assert orders(found) == MetricResult("orders", "sum", units=2, events=3, total=7.5, mean=2.5)


def test_a_mean_is_of_the_units_own_means() -> None:
    metric = replace(REVENUE, measure="mean")
    found = result(project(metrics=[metric]), *THREE, paid("u-1", 2), paid("u-1", 4), paid("u-2", 9))

    assert (orders(found).total, orders(found).mean) == (15, (3 + 9) / 3)


def test_a_pooled_mean_is_of_all_values() -> None:
    metric = replace(REVENUE, measure="mean", pooled=True)
    found = result(project(metrics=[metric]), *THREE, paid("u-1", 2), paid("u-1", 4), paid("u-2", 9))

    assert orders(found).mean == 5
    assert orders(found, CONTROL).mean is None


@pytest.mark.parametrize(("measure", "mean"), [("conversion", 1), ("count", 1.5), ("sum", 5), ("mean", 4)])
def test_units_without_the_metric_may_be_left_out_of_the_mean(measure: Any, mean: float) -> None:
    value = () if measure in ("conversion", "count") else ("value",)
    metric = replace(ORDERS, measure=measure, value=value, leave_out=True)
    found = result(project(metrics=[metric]), *THREE, paid("u-1", 4), paid("u-1", 4), paid("u-2", 2))

    expected = {"mean": 3}.get(measure, mean)
    assert orders(found).mean == expected
    assert orders(found, CONTROL).mean is None


def test_days_are_those_on_which_a_unit_has_the_event() -> None:
    metric = replace(ORDERS, measure="days")
    days = [event("u-1", minute=0.5), event("u-1", minute=1), event("u-1", minute=2 * 24 * 60)]
    found = result(project(metrics=[metric]), exposure("u-1"), exposure("u-2"), *days)

    assert (orders(found).total, orders(found).events) == (2, 3)
    assert orders(found).mean == pytest.approx((2 / 3 + 0) / 2)


def test_the_days_of_a_unit_begin_with_its_own_exposure() -> None:
    metric = replace(ORDERS, measure="days")
    late = 3 * 24 * 60
    found = result(project(metrics=[metric]), exposure("u-1", minute=late), event("u-1", minute=late + 1))

    assert orders(found).mean == 1


def test_sums_of_decimals_are_those_of_floating_point() -> None:
    found = result(project(metrics=[REVENUE]), exposure(), *[paid("u-1", 0.1, minute) for minute in range(10)])

    assert orders(found).total == pytest.approx(1.0)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "1e999", True, [], 10**400], ids=lambda one: str(one)[:9]
)
def test_a_value_that_is_no_number_spoils_no_sum(value: Any) -> None:
    found = result(project(metrics=[REVENUE]), *THREE, paid("u-1", 3), paid("u-2", value))

    assert (orders(found).total, orders(found).events, found.counted) == (3, 1, 1)
    assert left_out(found) == {"metric-value": (1, 1)}


@pytest.mark.rule("split.counting.value")
def test_an_event_without_a_value_counts_as_0_where_the_vendor_asks_for_none() -> None:
    acme = Acme()
    acme.rules = {condition: rule for condition, rule in acme.rules.items() if condition != "metric-value"}
    found = result(project(metrics=[REVENUE], acme=acme), *THREE, paid("u-1", 3), paid("u-2", None))

    assert (orders(found).units, orders(found).events, orders(found).total) == (2, 2, 3)


@pytest.mark.rule("trackside.audit.metric-filter")
def test_an_event_that_one_metric_takes_and_a_filter_of_another_keeps_out_counts_and_is_told() -> None:
    gold = replace(ORDERS, key="gold", filters=(Filter(("plan",), "exists"),))
    wired = project(replace(TEST, metrics=("orders", "gold")), metrics=[ORDERS, gold])
    found = result(wired, *THREE, event("u-1"))

    assert (found.events, found.counted) == (1, 1)
    assert (orders(found).events, orders(found, key="gold").events) == (1, 0)
    assert left_out(found) == {"metric-filter": (1, 1)}


@pytest.mark.rule("trackside.audit.metric-value")
def test_an_event_that_has_no_number_for_two_metrics_is_told_once_and_its_unit_too() -> None:
    mean = replace(REVENUE, key="mean", measure="mean")
    wired = project(replace(TEST, metrics=("orders", "mean")), metrics=[REVENUE, mean])
    found = result(wired, *THREE, event("u-1"), event("u-1", minute=2), paid("u-2", 4))

    assert (found.events, found.counted) == (3, 1)
    assert left_out(found) == {"metric-value": (2, 1)}


GOLD = replace(REVENUE, filters=(Filter(("plan",), "in", ("gold", "both")),))
SILVER = replace(REVENUE, filters=(Filter(("plan",), "in", ("silver", "both")),))


@pytest.mark.rule("statsig.counting.criteria")
@pytest.mark.parametrize(
    ("plans", "total", "missed"),
    [
        (("gold", "silver"), 12, {}),
        (("both", "both"), 12, {}),
        (("silver", "none"), 5, {"metric-filter": (1, 1)}),
    ],
)
def test_a_metric_of_two_rows_takes_an_event_once_by_the_row_that_lets_it_pass(
    plans: tuple[str, str], total: int, missed: dict[str, tuple[int, int]]
) -> None:
    records = [{"value": value, "plan": plan} for value, plan in zip((5, 7), plans, strict=True)]
    found = result(project(metrics=[GOLD, SILVER]), *THREE, *[event("u-1", record=one) for one in records])

    assert orders(found).total == total
    assert orders(found).events == 2 - bool(missed)
    assert left_out(found) == missed


def test_a_metric_that_names_an_event_twice_counts_it_once() -> None:
    count = replace(ORDERS, measure="count")
    found = result(project(metrics=[count, count]), *THREE, event("u-1"))

    assert (orders(found).events, orders(found).total) == (1, 1)


@pytest.mark.rule("statsig.counting.auto-metrics")
def test_events_of_another_id_type_that_no_declared_metric_takes_are_nothing_to_an_experiment() -> None:
    class Statsig(Acme):
        auto_metric = True

    wired = project(replace(TEST, metrics=None), acme=Statsig())
    others = [event(name="Page", units={"device": "d-1"}), event(name="Debug", environment="staging")]

    assert left_out(result(wired, *THREE, *others)) == {"unit-type": (1, 0), "environment": (1, 0)}
    assert left_out(result(wired, *THREE, event("u-1"), *others)) == {}
    assert left_out(result(wired, *THREE, event("u-1"), event(units={"device": "d-1"}))) == {"unit-type": (1, 0)}


@pytest.mark.rule("statsig.counting.auto-metrics")
def test_a_metric_that_an_event_makes_of_itself_has_a_result_where_it_came() -> None:
    class Statsig(Acme):
        auto_metric = True

    found = result(project(replace(TEST, metrics=None), acme=Statsig()), *THREE, event("u-1", name="Signed Up"))

    assert list(found.variations[BLUE].metrics) == ["orders", "Signed Up::event_count"]
    assert orders(found, key="Signed Up::event_count").mean == pytest.approx(1 / 3)


# ---- what does not count


@pytest.mark.rule("trackside.audit.before-exposure", "trackside.audit.unknown-id")
def test_events_that_do_not_count_are_told_by_condition_with_the_first_of_them() -> None:
    early = [event("u-1", minute=-2), event("u-2", minute=-3), event("u-2", minute=-1)]
    found = result(project(), *THREE, *early, event("nobody"), event("nobody"), event("u-3"))

    assert (found.events, found.counted) == (6, 1)
    assert left_out(found) == {"before-exposure": (3, 2), "unknown-id": (2, 1)}
    assert "2026-01-02T02:58" in found.uncounted["before-exposure"].unmet.text


def test_an_event_for_which_two_conditions_are_not_met_is_told_under_both_and_looked_at_once() -> None:
    found = result(project(), *THREE, event("u-1", "order completed", environment="staging"))

    assert found.events == 1
    assert left_out(found) == {"environment": (1, 0), "event-key-case": (1, 0)}


def test_events_of_other_names_are_not_looked_at() -> None:
    found = result(project(), *THREE, event("u-1", name="Signed Up"))

    assert (found.events, left_out(found)) == (0, {})


@pytest.mark.rule("trackside.audit.excluded")
def test_units_that_the_vendor_leaves_out_are_counted_apart() -> None:
    wired = project(replace(TEST, variations=(*VARIATIONS, Variation("2", "green"))))
    crossed = [exposure(variation=key, minute=index) for index, key in enumerate("012")]
    found = result(wired, *crossed, event(minute=5), exposure("u-2", minute=1), event("u-2", minute=5))

    assert (found.excluded, units(found)) == ({"excluded": 1}, [0, 1, 0])
    assert left_out(found) == {"excluded": (1, 1)}


def test_a_unit_that_is_in_two_variations_counts_in_both() -> None:
    class Both(Acme):
        def assigned(self, experiment: Experiment, exposures: Sequence[Exposure]) -> Assigned:  # noqa: ARG002 - as asked
            return Assigned(tuple(Span(one.variation, one.label, one.arrived) for one in exposures))

    found = result(project(acme=Both()), exposure(variation="0"), exposure(variation="1"), event())

    assert units(found) == [1, 1]
    assert [orders(found, one).total for one in (CONTROL, BLUE)] == [1, 1]
    assert (found.events, found.counted) == (1, 1)


def test_units_without_an_exposure_are_looked_into_up_to_a_number_and_those_beyond_are_like_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(results, "LOOKED_AT", 2)
    found = result(project(), exposure("U-3"), event("s-1"), event("s-2"), event("u-3"), event("u-3"))

    assert left_out(found) == {"unknown-id": (4, 3)}


# ---- iterations


ITERATIONS = (Period(START, START + 10 * MINUTE), Period(START + 10 * MINUTE))


@pytest.mark.rule("launchdarkly.counting.iteration")
def test_an_earlier_iteration_is_no_part_of_the_results() -> None:
    wired = project(replace(TEST, periods=ITERATIONS))
    former = [exposure("u-1", minute=1), event("u-1", minute=2), event("stranger", minute=3)]
    found = result(wired, *former, exposure("u-2", minute=11), event("u-2", minute=12))

    assert units(found) == [0, 1]
    assert (found.events, found.counted, left_out(found)) == (1, 1, {})


@pytest.mark.rule("trackside.audit.outside-iteration")
def test_an_event_of_who_was_exposed_in_an_earlier_iteration_alone_is_told() -> None:
    wired = project(replace(TEST, periods=ITERATIONS))
    found = result(wired, exposure("u-1", minute=1), event("u-1", minute=12))

    assert (units(found), left_out(found)) == ([0, 0], {"outside-iteration": (1, 1)})


def test_the_day_of_a_unit_is_that_of_its_first_exposure_in_the_iteration() -> None:
    wired = project(replace(TEST, periods=(Period(START, START + DAY), Period(START + DAY))))
    found = result(wired, exposure("u-1"), exposure("u-1", arrived=START + 2 * DAY))

    assert found.variations[BLUE].by_day == {"2026-01-04": 1}


def test_an_experiment_that_never_started_has_its_events_told_and_no_units() -> None:
    found = result(project(replace(TEST, periods=())), exposure(), event())

    assert (units(found), found.events, left_out(found)) == ([0, 0], 1, {"recording": (1, 0)})


# ---- the whole


@pytest.mark.rule("trackside.audit.sample-ratio")
def test_units_are_held_against_the_shares() -> None:
    found = result(project(), *[exposure(f"u-{number}") for number in range(40)])

    assert found.sample_ratio is not None
    assert (found.sample_ratio.level, found.sample_ratio.deviation) == ("alert", 0.5)
    assert result(project(), *THREE).sample_ratio is None


def test_nothing_at_all_is_a_result_too() -> None:
    found = result(project())

    assert (units(found), found.events, found.excluded, found.uncounted) == ([0, 0], 0, {}, {})
    assert orders(found).mean is None


def test_what_is_forgotten_is_counted_no_longer() -> None:
    wired = project()
    ledger = ledger_of(wired, exposure("u-1"), event("u-1"), event("u-1", "order completed"), exposure("u-2"))
    ledger.forget_before(4)

    found = results.results_of(wired, TEST, ledger, {})

    assert (units(found), found.events, left_out(found)) == ([0, 1], 0, {})


def test_results_come_back_from_their_json_as_tables_show_them() -> None:
    found = result(project(metrics=[REVENUE]), *THREE, paid("u-1", 3), event("nobody"), event("u-2", minute=-1))
    told = result_json(found)

    assert result_json(read_result(told)) == told
    assert [list(one["metrics"]) for one in told["variations"]] == [["orders"], ["orders"]]
    assert [(one["condition"], one["events"], one["units"]) for one in told["uncounted"]] == [
        ("unknown-id", 1, 1),
        ("before-exposure", 1, 1),
    ]


def test_a_unit_of_a_day_that_no_calendar_has_is_counted_and_has_no_day() -> None:
    acme = Acme("at")
    found = result(project(acme=acme), exposure("u-1", at=-(10**15)), exposure("u-2"))

    assert units(found) == [0, 2]
    assert found.variations[BLUE].by_day == {"2026-01-02": 1}
