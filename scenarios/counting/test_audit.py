"""The audit: what is a finding, how grave it is, and what is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from counted_by_hand import ORDERS, START, TEST, Acme, event, exposure, ledger_of, project

from trackside.counting import audit as audits
from trackside.counting.judging import Project
from trackside.counting.ledger import Dropped
from trackside.counting.model import Event, Exposure, Filter, Period, Unmet
from trackside.counting.reading import needs_of
from trackside.counting.results import results_of
from trackside.validation.findings import Finding

PEOPLE = [f"u-{number}" for number in range(40)]
ALL_IS_WELL = [one for number, unit in enumerate(PEOPLE) for one in (exposure(unit, str(number % 2)), event(unit))]


def audited(
    wired: Project, *came: Exposure | Event, dropped: Any = (), refused: Any = None, others: Any = ()
) -> list[Finding]:
    ledger = ledger_of(wired, *came)
    for one in dropped:
        ledger.add_dropped(one)
    projects = [wired, *others]
    needs = needs_of({one.vendor: one.metrics for one in projects})
    found = [results_of(each, one, ledger, needs) for each in projects for one in each.experiments]
    return audits.audit(projects, found, ledger, "lab", refused).findings


def told(*arguments: Any, **more: Any) -> list[tuple[str, str]]:
    """Return the condition and level of each finding."""
    return [(one.code.removeprefix("trackside.audit."), one.level) for one in audited(*arguments, **more)]


# ---- nothing is wrong


def test_a_lab_to_which_nothing_came_has_no_finding() -> None:
    assert told(project()) == []


def test_where_all_is_well_there_is_no_finding() -> None:
    assert told(project(), *ALL_IS_WELL) == []


def test_an_experiment_that_nobody_sends_anything_for_is_no_finding_while_nothing_came() -> None:
    other = replace(TEST, key="menu-test", exposed_by="menu")

    assert told(project(TEST, other)) == []


@pytest.mark.rule("trackside.audit.metric-event")
def test_a_metric_of_two_events_of_which_one_comes_is_no_finding() -> None:
    wired = project(metrics=[ORDERS, replace(ORDERS, event="Order Paid")])

    assert told(wired, *ALL_IS_WELL) == []


def test_an_experiment_that_is_over_is_no_finding() -> None:
    over = replace(TEST, key="menu-test", exposed_by="menu", periods=(), status="stopped", metrics=("signups",))
    signups = replace(ORDERS, key="signups", event="Signed Up")
    wired = project(TEST, over, metrics=[ORDERS, signups])

    assert told(wired, *ALL_IS_WELL) == []
    assert ("recording", "strict") in told(wired, *ALL_IS_WELL, event("u-1", "Signed Up"))


def test_experiments_with_metrics_of_their_own_have_nothing_to_say_of_each_others() -> None:
    menu = replace(TEST, key="menu-test", exposed_by="menu", metrics=("signups",))
    signups = replace(ORDERS, key="signups", event="Signed Up")
    came = [one._replace(name="menu" if isinstance(one, Exposure) else "Signed Up") for one in ALL_IS_WELL]

    assert told(project(TEST, menu, metrics=[ORDERS, signups]), *ALL_IS_WELL, *came) == []


def test_experiments_by_different_units_have_nothing_to_say_of_each_others_metrics() -> None:
    by_user, by_company = (replace(TEST, key=unit, unit=unit, metrics=None) for unit in ("user", "company"))
    of_company = replace(ORDERS, key="seats", event="Seat Added", units=("company",))
    came = [
        one._replace(unit_type="company")
        if isinstance(one, Exposure)
        else one._replace(name="Seat Added", units={"company": one.units["user"]})
        for one in ALL_IS_WELL
    ]

    assert told(project(by_user, by_company, metrics=[ORDERS, of_company]), *ALL_IS_WELL, *came) == []


def test_a_few_events_of_strangers_are_no_finding() -> None:
    strangers = [event(f"stranger-{number}") for number in range(4)]

    assert told(project(), *ALL_IS_WELL, *strangers) == []


# ---- wiring and timing


@pytest.mark.rule("trackside.audit.id-case")
def test_one_event_of_many_that_fails_by_its_wiring_is_strict() -> None:
    assert told(project(), *ALL_IS_WELL, event("U-1")) == [("id-case", "strict")]


@pytest.mark.rule("trackside.audit.unknown-id")
@pytest.mark.parametrize(
    ("strangers", "expected"), [(4, []), (5, [("unknown-id", "warn")]), (60, [("unknown-id", "warn")])]
)
def test_what_also_happens_where_all_is_well_is_a_warning_from_a_tenth_on(strangers: int, expected: Any) -> None:
    came = [event(f"stranger-{number}") for number in range(strangers)]

    assert told(project(), *ALL_IS_WELL, *came) == expected


@pytest.mark.rule("trackside.audit.before-exposure")
def test_what_also_happens_where_all_is_well_is_strict_where_nothing_counts() -> None:
    came = [one for unit in PEOPLE for one in (exposure(unit, str(PEOPLE.index(unit) % 2)), event(unit, minute=-1))]

    assert told(project(), *came) == [("before-exposure", "strict")]


@pytest.mark.rule("trackside.audit.metric-value")
def test_a_metric_that_never_has_a_value_is_strict_though_others_count() -> None:
    revenue = replace(ORDERS, key="revenue", measure="sum", value=("value",))
    wired = project(replace(TEST, metrics=("orders", "revenue")), metrics=[ORDERS, revenue])

    assert told(wired, *ALL_IS_WELL) == [("metric-value", "strict")]
    with_value = [one._replace(record={"value": 1}) if isinstance(one, Event) else one for one in ALL_IS_WELL]
    assert told(wired, *with_value, event("u-1")) == []


@pytest.mark.rule("trackside.audit.metric-filter")
def test_a_filter_that_keeps_much_out_is_a_warning() -> None:
    metric = replace(ORDERS, filters=(Filter(("plan",), "exists"),))
    some = [one._replace(record={"plan": "gold"}) if isinstance(one, Event) else one for one in ALL_IS_WELL]

    assert told(project(metrics=[metric]), *some) == []
    assert told(project(metrics=[metric]), *some, *[event("u-1")] * 10) == [("metric-filter", "warn")]
    assert told(project(metrics=[metric]), *ALL_IS_WELL) == [("metric-filter", "strict")]


def test_a_finding_names_vendor_experiment_environment_rule_fix_and_how_often() -> None:
    [found] = audited(project(), *ALL_IS_WELL, event("U-1"), event("U-1"), event("U-2"))

    assert found.text == (
        'acme banner-test in production: the event has the id "U-1", exposures have "u-1": '
        "they differ by upper or lower case; so 3 events of 2 units"
    )
    assert (found.fix, found.file, found.known_by) == (
        "send the same id, letter for letter, to both",
        "lab",
        "acme.id-case",
    )


# ---- the experiment itself


@pytest.mark.rule("trackside.audit.recording")
@pytest.mark.parametrize("came", [[event()], [exposure()]])
def test_an_experiment_that_does_not_record_is_told_once_something_came_for_it(came: Any) -> None:
    wired = project(replace(TEST, periods=(), status="draft"))

    assert ("recording", "strict") in told(wired, *came)
    assert ("recording", "strict") not in told(wired)


@pytest.mark.rule("trackside.audit.flag")
@pytest.mark.parametrize(("came", "level"), [([], "strict"), (ALL_IS_WELL, "warn")])
def test_what_keeps_exposures_from_coming_is_strict_unless_something_counts(came: Any, level: str) -> None:
    off = Unmet("flag", "acme.flag", "the flag is off", "$.flags.banner", "turn it on")

    [found] = audited(project(replace(TEST, problems=(off,))), *came)

    assert (found.code, found.level, found.at, found.fix) == (
        "trackside.audit.flag",
        level,
        "$.flags.banner",
        "turn it on",
    )


@pytest.mark.rule("trackside.audit.metric-attached")
def test_an_experiment_without_metrics_is_told() -> None:
    found = audited(project(replace(TEST, metrics=())), exposure())

    assert [(one.code, one.text) for one in found] == [
        ("trackside.audit.metric-attached", "acme banner-test in production: no metric is attached to banner-test")
    ]


@pytest.mark.rule("trackside.audit.metric-attached")
def test_a_metric_that_takes_the_events_and_is_not_attached_is_told_once() -> None:
    assert told(project(replace(TEST, metrics=())), *ALL_IS_WELL) == [("metric-attached", "strict")]


@pytest.mark.rule("trackside.audit.metric-attached")
def test_a_metric_that_no_experiment_has_is_a_warning_where_others_count() -> None:
    signups = replace(ORDERS, key="signups", event="Signed Up")
    came = [event(unit, "Signed Up") for unit in PEOPLE]

    assert told(project(metrics=[ORDERS, signups]), *ALL_IS_WELL, *came) == [("metric-attached", "warn")]


@pytest.mark.rule("trackside.audit.metric-unit")
def test_a_metric_of_a_unit_that_no_experiment_divides_up_is_told_where_any_metric_counts() -> None:
    of_company = replace(ORDERS, units=("company",))

    found = told(project(replace(TEST, metrics=None), metrics=[of_company]), *ALL_IS_WELL)

    assert ("metric-unit", "strict") in found


@pytest.mark.rule("trackside.audit.metric-event")
def test_a_metric_that_no_event_comes_for_is_strict_where_it_is_the_only_one() -> None:
    signups = replace(ORDERS, key="signups", event="Signed Up")
    only = project(replace(TEST, metrics=("signups",)), metrics=[ORDERS, signups])
    one_of_two = project(replace(TEST, metrics=("signups", "orders")), metrics=[ORDERS, signups])

    assert ("metric-event", "strict") in told(only, *ALL_IS_WELL)
    assert told(one_of_two, *ALL_IS_WELL) == [("metric-event", "warn")]


@pytest.mark.rule("trackside.audit.metric-event")
def test_a_metric_that_names_no_event_is_strict() -> None:
    empty = replace(ORDERS, key="empty", event="")
    wired = project(replace(TEST, metrics=("orders", "empty")), metrics=[ORDERS, empty])

    found = [one for one in audited(wired, *ALL_IS_WELL) if one.level == "strict"]

    assert [one.text for one in found] == [
        "acme banner-test in production: the metric empty names no event key, and takes nothing"
    ]


@pytest.mark.rule("trackside.audit.event-key-case")
def test_a_metric_whose_events_come_spelt_otherwise_is_told_as_that_alone() -> None:
    came = [one._replace(name="order completed") if isinstance(one, Event) else one for one in ALL_IS_WELL]

    assert told(project(), *came) == [("event-key-case", "strict")]


# ---- exposures and units


@pytest.mark.rule("trackside.audit.not-exposed")
def test_a_flag_that_nobody_evaluates_is_told_of_its_events() -> None:
    assert told(project(), *map(event, PEOPLE)) == [("not-exposed", "strict")]


@pytest.mark.rule("trackside.audit.not-exposed")
def test_a_flag_that_nobody_evaluates_is_told_where_other_events_come() -> None:
    assert ("not-exposed", "strict") in told(project(), event(name="Signed Up"))


@pytest.mark.rule("trackside.audit.not-included")
def test_a_flag_that_is_evaluated_for_nobody_in_the_experiment_is_told() -> None:
    assert told(project(), *[exposure(unit, included=False) for unit in PEOPLE])[-1] == ("not-included", "strict")


@pytest.mark.rule("trackside.audit.not-included")
@pytest.mark.parametrize(("units", "expected"), [(19, []), (20, ["not-included"])])
def test_an_empty_variation_is_a_warning_from_20_units_on(units: int, expected: list[str]) -> None:
    shares = tuple(replace(one, share=share) for one, share in zip(TEST.variations, (0.01, 0.99), strict=True))
    came = [one for unit in PEOPLE[:units] for one in (exposure(unit), event(unit))]

    assert [code for code, _ in told(project(replace(TEST, variations=shares)), *came)] == expected


@pytest.mark.rule("trackside.audit.sample-ratio")
@pytest.mark.parametrize(("blue", "level"), [(26, None), (29, "warn"), (31, "strict")])
def test_units_that_are_not_divided_as_the_shares_say_are_a_finding(blue: int, level: str | None) -> None:
    came = [one for number, unit in enumerate(PEOPLE) for one in (exposure(unit, str(int(number < blue))), event(unit))]

    assert told(project(), *came) == ([("sample-ratio", level)] if level else [])


@pytest.mark.rule("trackside.audit.excluded")
def test_units_that_are_left_out_are_a_warning() -> None:
    class Strict(Acme):
        def assigned(self, experiment: Any, exposures: Any) -> Any:
            found = super().assigned(experiment, exposures)
            return replace(found, spans=(), unmet=found.remark, remark=None) if found.remark else found

    class Excluding(Strict):
        def assigned(self, experiment: Any, exposures: Any) -> Any:
            found = super().assigned(experiment, exposures)
            return replace(found, unmet=replace(found.unmet, condition="excluded")) if found.unmet else found

    crossed = [exposure("u-x", "0"), exposure("u-x", "1")]

    [found] = audited(project(acme=Excluding()), *ALL_IS_WELL, *crossed)

    assert (found.code, found.level) == ("trackside.audit.excluded", "warn")
    assert "1 of 41 units are left out" in found.text


# ---- what ended on the way


def lost(name: str = "Order Completed", **more: Any) -> Dropped:
    step = {"text": "the filter drops it", "rule": "segment.filter.drop", "at": "$.event", "fix": "switch it off"}
    return Dropped("acme", name, "u-1", None, "m-1", 1, START, step)._replace(**more)


@pytest.mark.rule("trackside.audit.dropped")
def test_messages_that_ended_on_the_way_are_told_with_the_rule_that_ended_them() -> None:
    [found] = audited(project(), *ALL_IS_WELL, dropped=[lost(), lost(), lost("order_completed")])

    assert (found.code, found.level, found.known_by, found.at, found.fix) == (
        "trackside.audit.dropped",
        "strict",
        "segment.filter.drop",
        "$.event",
        "switch it off",
    )
    assert found.text.endswith('3 "Order Completed" ended on the way: the filter drops it')


@pytest.mark.rule("trackside.audit.dropped")
def test_each_reason_for_which_messages_ended_is_a_finding() -> None:
    dropped = [lost(), lost(step={"text": "refused"})]

    assert told(project(), *ALL_IS_WELL, dropped=dropped) == [("dropped", "strict")] * 2


@pytest.mark.rule("trackside.audit.dropped")
def test_a_reason_that_tells_each_messages_value_is_one_finding() -> None:
    steps = [
        {"text": f"an id is not a string ({number})", "rule": "segment.id", "at": "$.userId"} for number in range(9)
    ]

    [found] = audited(project(), *ALL_IS_WELL, dropped=[lost(step=one) for one in steps])

    assert found.text.endswith('9 "Order Completed" ended on the way, the first: an id is not a string (0)')


@pytest.mark.rule("trackside.audit.dropped")
def test_messages_of_other_names_that_ended_are_nobodys_concern() -> None:
    assert told(project(), *ALL_IS_WELL, dropped=[lost("Signed Up"), lost(vendor="rival")]) == []


@pytest.mark.rule("trackside.audit.dropped")
def test_a_metric_whose_messages_all_ended_on_the_way_is_told_as_that_alone() -> None:
    came = [one for one in ALL_IS_WELL if isinstance(one, Exposure)]

    assert told(project(), *came, dropped=[lost()]) == [("dropped", "strict")]


# ---- the lab


@pytest.mark.rule("trackside.audit.unused-event")
def test_an_event_that_no_metric_takes_is_a_warning() -> None:
    [found] = audited(project(), *ALL_IS_WELL, event(name="Signed Up"), event(name="signed_up"))

    assert (found.code, found.level) == ("trackside.audit.unused-event", "warn")
    assert found.text == 'nobody uses the event "Signed Up": 2 came to acme, and no metric takes it'


@pytest.mark.rule("trackside.audit.unused-event")
def test_an_event_that_another_vendors_metric_takes_is_used() -> None:
    signups = replace(ORDERS, key="signups", event="Signed Up")
    rival, signed_up = Project("rival", Acme(), (signups,), (), None), event(name="Signed Up")
    ledger = ledger_of(project(), *ALL_IS_WELL, signed_up)
    results = [results_of(project(), TEST, ledger, {})]
    assert len(audits.audit([project(), rival], results, ledger, "lab").findings) == 1

    ledger.add_event("rival", signed_up, 99, 0, None)

    assert audits.audit([project(), rival], results, ledger, "lab").findings == []


def test_a_lab_without_experiments_has_no_events_that_nobody_uses() -> None:
    assert told(Project("acme", Acme(), (), (), None), *ALL_IS_WELL) == []


@pytest.mark.rule("trackside.audit.refused")
def test_posts_that_a_vendor_refused_are_a_warning() -> None:
    refused = {("acme", "POST /events", 401): 3}

    [found] = audited(project(), *ALL_IS_WELL, refused=refused)

    assert (found.code, found.level, found.at) == ("trackside.audit.refused", "warn", "POST /events")
    assert found.text == "acme refused 3 of POST /events with 401, and keeps nothing of them"


# ---- several environments


STAGING = replace(TEST, environment="staging")


def test_an_experiment_in_two_environments_is_none_where_only_one_is_used() -> None:
    assert told(project(TEST, STAGING), *ALL_IS_WELL) == []


@pytest.mark.rule("trackside.audit.environment")
def test_exposures_in_one_environment_and_events_in_another_are_told_of_both() -> None:
    came = [one._replace(environment="staging") if isinstance(one, Event) else one for one in ALL_IS_WELL]

    found = audited(project(TEST, STAGING), *came)

    assert [(one.code, one.level) for one in found] == [("trackside.audit.environment", "strict")] * 2
    assert [one.text.split(":")[0] for one in found] == [
        "acme banner-test in production",
        "acme banner-test in staging",
    ]


@pytest.mark.rule("trackside.audit.environment")
def test_events_of_the_wrong_environment_are_told_once_where_the_experiment_is_in_one() -> None:
    came = [one._replace(environment="staging") if isinstance(one, Event) else one for one in ALL_IS_WELL]

    assert told(project(), *came) == [("environment", "strict")]


def test_a_later_iteration_to_which_nothing_came_yet_is_told_of_nothing_of_the_former() -> None:
    start = exposure().arrived
    wired = project(replace(TEST, periods=(Period(start, start + 3_600_000), Period(start + 3_600_000))))

    assert told(wired, *ALL_IS_WELL) == []
