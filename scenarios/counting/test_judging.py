"""Whether an event counts: every condition with an event that fails it, what is told of it, and several at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import pytest
from counted_by_hand import (
    DAY,
    MINUTE,
    ORDERS,
    START,
    TEST,
    VARIATIONS,
    Acme,
    conditions,
    event,
    exposure,
    ledger_of,
    project,
    verdict,
)

from trackside.counting.conditions import ABOUT
from trackside.counting.judging import Judge
from trackside.counting.model import Assigned, Condition, Experiment, Exposure, Filter, Period, Unmet, Variation
from trackside.counting.vendors import COUNTED, counting_of
from trackside.rules import RULES

WIRED = project()
REVENUE = replace(ORDERS, measure="sum", kind="sum", value=("value",))
GOLD = replace(ORDERS, filters=(Filter(("plan",), "in", ("gold",)),))


def test_an_event_after_its_units_exposure_counts() -> None:
    found = verdict(WIRED, exposure(variation="1"), event())

    assert found.counted
    assert (found.vendor, found.experiment, found.environment) == ("acme", "banner-test", "production")
    assert (found.event, found.unit) == ("Order Completed", "u-1")
    assert (found.variations, found.metrics) == (("blue",), ("orders",))
    assert (found.unmet, found.remarks, found.at) == ((), (), "2026-01-02T03:01:00.000Z")


# ---- each condition


def unmet(wired: Any, *came: Any) -> Unmet:
    """Return the one condition that the last event does not meet; its rule is the vendor's for it, and a fix is told."""
    found = verdict(wired, *came)
    assert found.outcome == "not_counted"
    assert (found.variations, found.metrics) == ((), ())
    [one] = found.unmet
    assert one.rule == f"acme.{one.condition}"
    assert one.fix
    return one


@pytest.mark.rule("trackside.audit.recording")
def test_an_experiment_that_never_started_counts_nothing() -> None:
    found = unmet(project(replace(TEST, periods=(), status="draft")), exposure(), event())

    assert (found.condition, found.at) == ("recording", "$.experiments.banner-test")
    assert found.text == "the experiment banner-test is not recording: it is draft"


@pytest.mark.rule("trackside.audit.flag")
def test_what_keeps_exposures_from_coming_is_told_of_units_that_have_none() -> None:
    off = Unmet("flag", "acme.flag", "the flag is off", "", "turn it on")
    wired = project(replace(TEST, problems=(off,)))

    assert conditions(wired, exposure("u-2"), event()) == ["flag", "unknown-id"]
    assert verdict(wired, exposure(), event()).counted


@pytest.mark.rule("trackside.audit.metric-event")
def test_a_name_that_no_metric_takes() -> None:
    found = unmet(WIRED, exposure(), event(name="Signed Up"))

    assert (found.condition, found.text) == ("metric-event", 'no metric takes the event key "Signed Up"')


@pytest.mark.rule(
    "trackside.audit.event-key-case",
    "trackside.audit.event-key-blanks",
    "trackside.audit.event-key-underscores",
    "trackside.audit.event-key-prefix",
)
@pytest.mark.parametrize(
    ("name", "condition", "by"),
    [
        ("order completed", "event-key-case", "upper or lower case"),
        ("Order Completed ", "event-key-blanks", "blanks"),
        ("Order_Completed", "event-key-underscores", "underscores"),
        ("segment::Order Completed", "event-key-prefix", "the prefix segment::"),
    ],
)
def test_a_name_that_is_spelt_otherwise(name: str, condition: str, by: str) -> None:
    found = unmet(WIRED, exposure(), event(name=name))

    assert (found.condition, found.at) == (condition, "$.metrics.orders")
    assert found.text == (
        f'the event key "{name}" is not "Order Completed", which the metric orders takes: they differ by {by}'
    )
    assert found.fix == f'send the event as "Order Completed", or give the metric the event key "{name}"'


def test_a_name_that_one_metric_takes_is_no_other_spelling_of_another_metrics() -> None:
    lower = replace(ORDERS, key="lower", event="order completed")
    wired = project(replace(TEST, metrics=("orders", "lower")), metrics=[ORDERS, lower])

    assert verdict(wired, exposure(), event(name="order completed")).metrics == ("lower",)


@pytest.mark.rule("trackside.audit.metric-attached")
def test_a_metric_that_is_not_attached() -> None:
    found = unmet(project(replace(TEST, metrics=())), exposure(), event())

    assert found.condition == "metric-attached"
    assert found.fix == "attach orders to the experiment"


def test_where_any_metric_counts_it_is_every_one_with_the_unit() -> None:
    of_company = replace(ORDERS, key="by-company", units=("company",))
    wired = project(replace(TEST, metrics=None), metrics=[ORDERS, of_company])

    assert verdict(wired, exposure(), event()).metrics == ("orders",)


@pytest.mark.rule("trackside.audit.metric-kind")
@pytest.mark.parametrize(
    ("clicks", "clicked", "takes"),
    [(True, False, "only clicks and page views of a browser SDK"), (False, True, "only custom events")],
)
def test_a_metric_of_another_kind(clicks: bool, clicked: bool, takes: str) -> None:
    metric = replace(ORDERS, clicks=clicks, kind="page viewed")
    found = unmet(project(metrics=[metric]), exposure(), event(clicked=clicked))

    assert found.condition == "metric-kind"
    assert found.text == f"the metric orders is a page viewed metric and takes {takes}"


@pytest.mark.rule("trackside.audit.metric-unit")
def test_a_metric_that_is_analysed_by_another_unit() -> None:
    found = unmet(project(metrics=[replace(ORDERS, units=("company", "team"))]), exposure(), event())

    assert found.condition == "metric-unit"
    assert found.text == "the metric orders is analysed by the unit type company, team, the experiment by user"


@pytest.mark.rule("trackside.audit.metric-value")
def test_a_metric_that_adds_up_numbers_where_there_is_none() -> None:
    found = unmet(project(metrics=[REVENUE]), exposure(), event(record={"value": "much"}))

    assert (found.condition, found.at) == ("metric-value", "$.value")


@pytest.mark.rule("split.counting.value")
def test_an_event_without_a_value_counts_where_the_vendor_asks_for_none() -> None:
    acme = Acme()
    acme.rules = {condition: rule for condition, rule in acme.rules.items() if condition != "metric-value"}

    assert verdict(project(metrics=[REVENUE], acme=acme), exposure(), event()).counted


@pytest.mark.rule("trackside.audit.metric-filter")
def test_a_filter_that_keeps_an_event_out() -> None:
    wired = project(metrics=[GOLD])

    assert unmet(wired, exposure(), event(record={"plan": "free"})).condition == "metric-filter"
    assert verdict(wired, exposure(), event(record={"plan": "gold"})).counted


def test_an_event_counts_in_the_metrics_that_take_it_whatever_others_say() -> None:
    wired = project(
        replace(TEST, metrics=("orders", "gold", "sum")),
        metrics=[ORDERS, replace(GOLD, key="gold"), replace(REVENUE, key="sum")],
    )

    assert verdict(wired, exposure(), event(record={"value": 3})).metrics == ("orders", "sum")


@pytest.mark.rule("trackside.audit.environment")
def test_an_event_of_another_environment() -> None:
    found = unmet(WIRED, exposure(), event(environment="staging"))

    assert found.condition == "environment"
    assert found.text == 'the event belongs to the environment "staging", the experiment to "production"'


@pytest.mark.rule("trackside.audit.environment")
def test_an_exposure_in_another_environment() -> None:
    found = unmet(WIRED, exposure(environment="staging"), event())

    assert found.condition == "environment"
    assert found.text == '"u-1" was exposed in the environment "staging", not in "production"'


def test_an_experiment_of_any_environment_counts_what_comes_in_all() -> None:
    wired = project(replace(TEST, environment=""))

    assert verdict(wired, exposure(environment="staging"), event(environment="qa")).counted


@pytest.mark.rule("trackside.audit.unit-type")
@pytest.mark.parametrize(("units", "has"), [({"device": "d-1"}, '"device"'), ({}, "no id at all")])
def test_an_event_without_an_id_of_the_experiments_type(units: dict[str, str], has: str) -> None:
    found = unmet(WIRED, exposure(), event(units=units))

    assert found.condition == "unit-type"
    assert found.text.endswith(f"by which the experiment counts; it has {has}")


@pytest.mark.rule("trackside.audit.id-type-unknown")
def test_an_experiment_by_an_id_type_that_the_project_does_not_declare() -> None:
    found = unmet(project(types=("device",)), exposure(), event())

    assert found.condition == "id-type-unknown"
    assert found.fix == "declare it; known are: device"


@pytest.mark.rule("trackside.audit.id-type-unknown", "trackside.audit.unit-type")
def test_an_event_by_an_id_type_that_the_project_does_not_declare_has_none_of_the_experiments_either() -> None:
    found = verdict(project(types=("user",)), exposure(), event(units={"device": "d-1"}))

    assert [one.condition for one in found.unmet] == ["unit-type", "id-type-unknown"]


@pytest.mark.rule("trackside.audit.id-of-other-type")
def test_an_id_that_was_exposed_as_another_type() -> None:
    found = unmet(WIRED, exposure(unit_type="device"), event())

    assert found.condition == "id-of-other-type"
    assert found.text == '"u-1" was exposed as unit type "device", and the event carries it as "user"'


@pytest.mark.rule("trackside.audit.id-case", "trackside.audit.id-blanks", "trackside.audit.id-prefix")
@pytest.mark.parametrize(
    ("exposed", "condition", "by"),
    [
        ("U-1", "id-case", "upper or lower case"),
        ("u-1 ", "id-blanks", "blanks"),
        ("auth0|u-1", "id-prefix", "a prefix"),
        ("1", "id-prefix", "a prefix"),
    ],
)
def test_an_id_that_is_nearly_the_one_that_was_exposed(exposed: str, condition: str, by: str) -> None:
    found = unmet(WIRED, exposure(exposed), event("u-1"))

    assert found.condition == condition
    assert found.text == f'the event has the id "u-1", exposures have "{exposed}": they differ by {by}'


@pytest.mark.rule("trackside.audit.unknown-id")
def test_an_id_for_which_nothing_was_ever_sent() -> None:
    found = unmet(WIRED, exposure("somebody"), event("nobody"))

    assert found.condition == "unknown-id"
    assert found.text == 'the id "nobody" is unknown: no SDK ever evaluated anything for it as unit type user'


@pytest.mark.rule("trackside.audit.not-exposed")
def test_an_id_that_is_known_and_was_never_exposed() -> None:
    found = unmet(WIRED, exposure(name="", included=False), exposure(name="menu"), event())

    assert found.condition == "not-exposed"
    assert found.text == '"u-1" is known, and was never exposed to banner'


@pytest.mark.rule("trackside.audit.not-exposed")
def test_a_flag_to_which_nobody_was_exposed() -> None:
    found = unmet(WIRED, event())

    assert found.condition == "not-exposed"
    assert found.text == "no exposure to banner ever came, for this unit or another"


@pytest.mark.rule("trackside.audit.not-included")
@pytest.mark.parametrize(
    "seen",
    [
        exposure(included=False),
        exposure(variation="7"),
        exposure(label="TARGET_MATCH"),
    ],
    ids=["the SDK says so", "a variation that is not compared", "another rule"],
)
def test_a_unit_that_is_not_part_of_the_experiment(seen: Exposure) -> None:
    wired = project(replace(TEST, label="fallthrough"))
    found = unmet(wired, seen, event())

    assert found.condition == "not-included"
    assert f"(it got {seen.variation!r} by {seen.label!r})".replace("'", '"') in found.text


@pytest.mark.rule("trackside.audit.before-exposure")
def test_an_event_before_the_exposure() -> None:
    found = unmet(WIRED, exposure(minute=5), event(minute=4))

    assert found.condition == "before-exposure"
    assert found.text == (
        "the event of 2026-01-02T03:04:00.000Z came before the first exposure at 2026-01-02T03:05:00.000Z"
    )
    assert found.fix == "evaluate the flag before the event is sent, and flush its SDK; the arrival of both decides"
    assert unmet(project(acme=Acme("at")), exposure(minute=5), event(minute=4)).fix == (
        "evaluate the flag before the event is sent"
    )


@pytest.mark.rule("trackside.audit.before-exposure", "statsig.counting.exposure-first")
def test_an_event_whose_sender_says_that_it_came_before_although_it_arrived_after() -> None:
    wired = project(acme=Acme("at"))
    found = unmet(wired, exposure(minute=5), event(minute=4, arrived=START + 6 * MINUTE))

    assert found.condition == "before-exposure"
    assert found.text == (
        "the event says that it happened at 2026-01-02T03:04:00.000Z, "
        "before the first exposure at 2026-01-02T03:05:00.000Z, and came after it"
    )
    assert found.fix == "set the clock of who sends it; its timestamp decides, not its arrival"


@pytest.mark.rule("trackside.audit.before-exposure", "split.counting.window")
def test_an_event_before_what_counts_of_the_time_ahead_of_the_exposure_is_told_both_moments() -> None:
    class Split(Acme):
        def assigned(self, experiment: Experiment, exposures: Sequence[Exposure]) -> Assigned:
            [span] = super().assigned(experiment, exposures).spans
            return Assigned((span._replace(start=span.start - 15 * MINUTE),))

    found = unmet(project(acme=Split("at")), exposure(minute=30), event(minute=14))

    assert found.text == (
        "the event of 2026-01-02T03:14:00.000Z came before 2026-01-02T03:15:00.000Z, from when on those of the unit "
        "count, by its first exposure at 2026-01-02T03:30:00.000Z"
    )


@pytest.mark.rule("trackside.audit.before-exposure", "launchdarkly.counting.arrival")
def test_an_event_that_arrives_before_the_exposure_although_its_sender_says_that_it_happened_after() -> None:
    found = unmet(WIRED, exposure(minute=5), event(minute=6, arrived=START + 4 * MINUTE))

    assert found.condition == "before-exposure"
    assert found.text == (
        "the event arrived at 2026-01-02T03:04:00.000Z, before the first exposure at 2026-01-02T03:05:00.000Z, "
        "and says that it happened after it"
    )
    assert found.fix == "evaluate the flag before the event is sent, and flush its SDK; the arrival of both decides"


@pytest.mark.rule("trackside.audit.before-exposure")
@pytest.mark.parametrize(
    ("clock", "moments", "counted"),
    [
        ("at", {"at": START + MINUTE}, False),
        ("at", {"arrived": START + MINUTE}, True),
        ("arrived", {"at": START + MINUTE}, True),
        ("arrived", {"arrived": START + MINUTE}, False),
    ],
)
def test_the_vendors_clock_decides_what_came_before(clock: Any, moments: dict[str, int], counted: bool) -> None:
    wired = project(acme=Acme(clock))

    assert verdict(wired, exposure(minute=2), event(minute=3, **moments)).counted is counted


@pytest.mark.rule("trackside.audit.outside-window")
def test_an_event_after_the_window() -> None:
    last, after = START + 7 * DAY, START + 7 * DAY + 1

    assert verdict(WIRED, exposure(), event(arrived=last)).counted
    found = unmet(WIRED, exposure(), event(arrived=after))
    assert found.condition == "outside-window"
    assert found.text == (
        "the event of 2026-01-09T03:00:00.001Z lies outside the window after the exposure, "
        "which ends at 2026-01-09T03:00:00.000Z"
    )


@pytest.mark.rule("trackside.audit.outside-iteration")
def test_an_event_after_the_experiment_ended() -> None:
    ended = START + 10 * MINUTE
    wired = project(replace(TEST, periods=(Period(START, ended),)))

    assert verdict(wired, exposure(), event(arrived=ended - 1)).counted
    found = unmet(wired, exposure(), event(arrived=ended))
    assert found.condition == "outside-iteration"
    assert found.text == (
        "the event of 2026-01-02T03:10:00.000Z lies outside the time in which banner-test is recording"
    )


@pytest.mark.rule("trackside.audit.outside-iteration")
def test_an_exposure_before_the_experiment_started() -> None:
    wired = project(replace(TEST, periods=(Period(START),)))

    found = unmet(wired, exposure(minute=-1), event())

    assert found.condition == "outside-iteration"
    assert found.text == "the unit was exposed outside the time in which banner-test is recording"


@pytest.mark.rule("trackside.audit.outside-iteration", "launchdarkly.counting.iteration")
def test_an_exposure_in_one_iteration_is_none_in_the_next() -> None:
    wired = project(replace(TEST, periods=(Period(START, START + 10 * MINUTE), Period(START + 10 * MINUTE))))

    assert verdict(wired, exposure(minute=1), event(minute=9)).variations == ("blue",)
    found = verdict(wired, exposure(minute=1), event(minute=11))
    assert found.outcome == "not_counted"
    assert [(one.condition, one.text) for one in found.unmet] == [
        (
            "outside-iteration",
            "at 2026-01-02T03:11:00.000Z another iteration of banner-test was on than those in which the unit was exposed",
        )
    ]


@pytest.mark.rule("trackside.audit.excluded", "trackside.audit.before-exposure")
def test_a_unit_that_one_iteration_leaves_out_is_judged_anew_in_the_next() -> None:
    wired = project(
        replace(
            TEST,
            variations=(*VARIATIONS, Variation("2", "green")),
            periods=(Period(START, START + 10 * MINUTE), Period(START + 10 * MINUTE)),
        )
    )
    seen = [exposure(variation=key, minute=int(key)) for key in "012"]

    assert conditions(wired, *seen, exposure(minute=15), event(minute=9)) == ["excluded"]
    assert conditions(wired, *seen, exposure(minute=15), event(minute=14)) == ["before-exposure"]
    assert verdict(wired, *seen, exposure(minute=15), event(minute=16)).counted


@pytest.mark.rule("trackside.audit.excluded")
def test_a_unit_that_the_vendor_leaves_out() -> None:
    third = Variation("2", "green")
    wired = project(replace(TEST, variations=(*VARIATIONS, third)))
    seen = [exposure(variation=key, minute=index / 10) for index, key in enumerate("012")]

    found = unmet(wired, *seen, event())

    assert (found.condition, found.text) == ("excluded", "the unit saw three variations")


@pytest.mark.rule("trackside.audit.switched")
def test_what_should_be_known_although_an_event_counts_is_a_remark() -> None:
    found = verdict(WIRED, exposure(variation="0"), exposure(variation="1", minute=0.5), event())

    assert (found.outcome, found.variations) == ("counted", ("control",))
    assert [one.condition for one in found.remarks] == ["switched"]


@pytest.mark.rule("trackside.audit.switched")
def test_an_event_between_two_spans_belongs_to_neither() -> None:
    class Gap(Acme):
        def assigned(self, experiment: Any, exposures: Any) -> Any:
            one, two = exposures
            first, second = (super(Gap, self).assigned(experiment, [each]).spans[0] for each in (one, two))
            return type(super().assigned(experiment, exposures))((first._replace(end=first.start + MINUTE), second))

    wired = project(acme=Gap())
    found = unmet(wired, exposure(variation="0"), exposure(variation="1", minute=9), event(minute=5))

    assert found.condition == "switched"


# ---- spans and periods


def test_an_event_at_the_moment_of_the_exposure_counts() -> None:
    assert verdict(WIRED, exposure(minute=1), event(minute=1)).counted


def test_a_span_without_an_end_goes_on_until_its_period_ends() -> None:
    wired = project(replace(TEST, periods=(Period(None, START + 400 * DAY),)), acme=Acme(window=None))

    assert verdict(wired, exposure(), event(arrived=START + 399 * DAY)).counted
    assert conditions(wired, exposure(), event(arrived=START + 400 * DAY)) == ["outside-iteration"]


def test_an_event_counts_for_each_span_that_holds_it() -> None:
    class Both(Acme):
        def assigned(self, experiment: Any, exposures: Any) -> Any:
            found = [super(Both, self).assigned(experiment, [one]) for one in exposures]
            return replace(found[0], spans=tuple(one.spans[0] for one in found))

    found = verdict(project(acme=Both()), exposure(variation="0"), exposure(variation="1"), event())

    assert found.variations == ("control", "blue")


@pytest.mark.rule("split.counting.window")
@pytest.mark.parametrize(("minute", "outcome"), [(9, "counted"), (24, "counted"), (25, "not_counted")])
def test_an_event_counts_until_the_grace_of_its_period_is_over(minute: int, outcome: str) -> None:
    acme = Acme("at", window=None)
    acme.grace = 15 * MINUTE
    wired = project(replace(TEST, periods=(Period(START, START + 10 * MINUTE),)), acme=acme)

    assert verdict(wired, exposure(), event(minute=minute)).outcome == outcome


@pytest.mark.rule("split.counting.window")
def test_an_event_of_two_periods_names_its_variation_once() -> None:
    acme = Acme("at", window=None)
    acme.grace = 15 * MINUTE
    periods = (Period(START, START + 10 * MINUTE), Period(START + 12 * MINUTE))
    found = verdict(
        project(replace(TEST, periods=periods), acme=acme), exposure(), exposure(minute=12), event(minute=13)
    )

    assert found.variations == ("blue",)


# ---- several conditions at once


@pytest.mark.rule("trackside.audit.environment", "trackside.audit.event-key-case", "trackside.audit.id-case")
def test_all_conditions_that_are_not_met_are_told() -> None:
    wired = project(replace(TEST, periods=(), status="stopped"))
    came = event("u-1", "order completed", environment="staging")

    assert conditions(wired, exposure("U-1"), came) == ["recording", "environment", "event-key-case", "id-case"]


@pytest.mark.rule("trackside.audit.metric-value", "trackside.audit.unknown-id")
def test_a_missing_value_and_an_unknown_id_are_both_told() -> None:
    assert conditions(project(metrics=[REVENUE]), exposure(), event("u-2")) == ["metric-value", "unknown-id"]


def test_an_experiment_that_is_not_recording_has_no_iteration_to_be_outside_of() -> None:
    assert conditions(project(replace(TEST, periods=())), exposure(), event()) == ["recording"]


# ---- kinds of events


def fit(wired: Any, one: Any) -> Any:
    [series] = ledger_of(wired, one).series("acme")
    return Judge(wired, TEST).fit(series)


@pytest.mark.parametrize(
    ("name", "concerns"), [("Order Completed", True), ("order_completed", True), ("Signed Up", False)]
)
def test_events_concern_an_experiment_by_the_names_of_its_metrics(name: str, concerns: bool) -> None:
    assert fit(WIRED, event(name=name)).concerns is concerns


def test_an_event_of_a_metric_that_is_not_attached_concerns_the_experiment() -> None:
    other = replace(ORDERS, key="signups", event="Signed Up")

    assert fit(project(metrics=[ORDERS, other]), event(name="Signed Up")).concerns


@pytest.mark.rule("statsig.counting.auto-metrics")
def test_where_every_event_is_a_metric_of_itself_any_name_counts() -> None:
    acme = Acme()
    acme.auto_metric = True
    wired = project(acme=acme)

    assert verdict(wired, exposure(), event(name="Signed Up")).metrics == ("Signed Up::event_count",)
    assert conditions(wired, exposure(), event(name="order completed")) == ["event-key-case"]
    assert conditions(wired, exposure(), event(name="Signed Up", clicked=True)) == ["metric-event"]


# ---- what is told


@pytest.mark.parametrize("vendor", COUNTED)
def test_every_condition_of_a_vendor_has_a_rule_with_a_source(vendor: str) -> None:
    rules = counting_of(vendor).rules

    assert set(rules) <= set(get_args(Condition))
    assert [rule for rule in rules.values() if rule not in RULES] == []


def test_every_condition_is_described() -> None:
    assert set(get_args(Condition)) == set(ABOUT)


def test_a_verdict_as_json_has_every_field_and_the_source_of_each_rule() -> None:
    told = verdict(WIRED, exposure(minute=5), event(minute=4)).as_json()

    assert {name: value for name, value in told.items() if name != "unmet"} == {
        "vendor": "acme",
        "experiment": "banner-test",
        "environment": "production",
        "event": "Order Completed",
        "unit": "u-1",
        "outcome": "not_counted",
        "variations": (),
        "metrics": (),
        "remarks": [],
        "message_id": "",
        "at": "2026-01-02T03:04:00.000Z",
    }
    assert [sorted(one) for one in told["unmet"]] == [
        ["at", "condition", "confidence", "fix", "rule", "source", "text"]
    ]


def test_the_source_and_confidence_of_a_rule_stand_beside_a_condition() -> None:
    told = Unmet("before-exposure", "launchdarkly.counting.arrival", "late").as_json()

    assert told["source"] == RULES["launchdarkly.counting.arrival"].origin
    assert told["confidence"] == RULES["launchdarkly.counting.arrival"].confidence
