"""What counts at Statsig: who is exposed to what, from when on events count, for which group, by which metric."""

from __future__ import annotations

from typing import Any

import pytest

from trackside import workspace
from trackside.counting.model import Event, Experiment, Exposure, Period
from trackside.errors import WorkspaceError
from trackside.statsig.counting import COUNTING, StatsigExperiment, joined_from, period_of
from trackside.times import epoch_ms, iso

NINE = 1_795_338_000_000  # 2026-11-22T09:00:00Z, which is one o'clock in the night at UTC-8
USER = {"userID": "u-1"}
GROUPS = {"control": {"color": "red"}, "test": {"color": "blue"}}


def record(name: str, user: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a custom event as Statsig keeps it."""
    head = {"eventName": name, "time": NINE, "value": None, "user": user, "metadata": {}, "statsigMetadata": {}}
    return {**head, **more}


def exposure(of: str, name: str, rule_id: str, user: dict[str, Any], **seen: Any) -> dict[str, Any]:
    """Return an exposure as Statsig keeps it."""
    told = {"of": of, "name": name, "ruleID": rule_id, **seen}
    return {"kind": "exposure", **record(f"statsig::{of}_exposure", user), "exposure": told}


def read(one: dict[str, Any]) -> list[Any]:
    return list(COUNTING.read(one, NINE + 50))


def settings(**block: Any) -> Any:
    """Return the settings of a workspace that has to be faultless."""
    return workspace.load({"statsig": {"server_secret": "secret-local", **block}}).statsig


def experiments(**block: Any) -> dict[tuple[str, str], Experiment]:
    """Return what a workspace tests, by name and tier."""
    return {(one.key, one.environment): one for one in COUNTING.experiments(settings(**block), None)}


def seen(group: str, at: str, label: str = "", unit: str = "u-1") -> Exposure:
    """Return an exposure to the experiment ``checkout``."""
    moment = epoch_ms(at, 0) or 0
    return Exposure("production", "checkout", "userID", unit, group, label or group, True, moment, moment)


CHECKOUT = experiments(experiments={"checkout": {"groups": GROUPS}})["checkout", "production"]
BY_TIMESTAMP = experiments(experiments={"checkout": {"groups": GROUPS}}, exposure_join="timestamp")[
    "checkout", "production"
]

# ---- records


@pytest.mark.rule("statsig.counting.unit")
def test_an_event_has_all_ids_of_its_user() -> None:
    user = {"userID": "u-1", "customIDs": {"companyID": "c-1", "empty": ""}}
    one = record("purchase", user, statsigMetadata={"stableID": "s-1"})

    assert read(one) == [
        Event("production", "purchase", {"userID": "u-1", "companyID": "c-1", "stableID": "s-1"}, NINE, NINE + 50, one)
    ]


@pytest.mark.rule("statsig.counting.unit")
def test_an_exposure_counts_by_each_id_of_its_user() -> None:
    one = exposure("config", "checkout", "test", {"userID": "u-1", "customIDs": {"companyID": "c-1"}})

    assert read(one) == [
        Exposure("production", "checkout", "companyID", "c-1", "test", "test", True, NINE, NINE + 50),
        Exposure("production", "checkout", "userID", "u-1", "test", "test", True, NINE, NINE + 50),
    ]


@pytest.mark.rule("statsig.counting.unit")
def test_the_stable_id_of_a_client_sdk_is_one_of_its_ids() -> None:
    one = {**exposure("config", "checkout", "test", {}), "statsigMetadata": {"stableID": "s-1"}}

    assert [(told.unit_type, told.unit) for told in read(one)] == [("stableID", "s-1")]


@pytest.mark.rule("statsig.counting.environment")
@pytest.mark.parametrize(
    ("user", "tier"),
    [
        (USER, "production"),
        ({**USER, "statsigEnvironment": {"tier": "staging"}}, "staging"),
        ({**USER, "statsigEnvironment": {}}, "production"),
        ({**USER, "statsigEnvironment": None}, "production"),
    ],
)
def test_what_names_no_tier_is_of_production(user: dict[str, Any], tier: str) -> None:
    assert [one.environment for one in read(record("purchase", user))] == [tier]
    assert [one.environment for one in read(exposure("config", "checkout", "test", user))] == [tier]


@pytest.mark.rule("statsig.counting.groups")
def test_a_layers_exposure_is_one_to_the_experiment_that_was_allocated() -> None:
    one = exposure("layer", "page", "test", USER, experiment="checkout", parameter="color")

    assert [(told.name, told.variation) for told in read(one)] == [("checkout", "test")]


@pytest.mark.rule("statsig.counting.groups")
def test_a_layers_exposure_without_an_experiment_tells_only_that_its_unit_is_known() -> None:
    [one] = read(exposure("layer", "page", "default", USER, parameter="color"))

    assert (one.name, one.variation, one.unit) == ("", "", "u-1")


@pytest.mark.rule("statsig.counting.groups")
def test_an_exposure_that_is_logged_by_hand_may_name_only_its_group() -> None:
    assert [one.variation for one in read(exposure("config", "checkout", "", USER, group="test"))] == ["test"]


@pytest.mark.rule("statsig.counting.gates")
@pytest.mark.parametrize(("value", "group"), [(True, "pass"), (False, "fail")])
def test_a_gate_puts_units_into_pass_and_fail(value: bool, group: str) -> None:
    [one] = read(exposure("gate", "half", "everyone", USER, value=value))

    assert (one.name, one.variation, one.label) == ("half", group, "everyone")


@pytest.mark.rule("statsig.counting.gates")
def test_a_gate_that_gave_neither_true_nor_false_tells_only_that_its_unit_is_known() -> None:
    [one] = read(exposure("gate", "half", "everyone", USER))

    assert (one.name, one.variation, one.unit) == ("", "", "u-1")


@pytest.mark.rule("statsig.counting.unit")
@pytest.mark.parametrize("kind", ["diagnostics", "config_change"])
def test_other_records_tell_nothing(kind: str) -> None:
    assert read({**record("statsig::diagnostics", USER), "kind": kind}) == []


# ---- from when on


@pytest.mark.rule("statsig.counting.exposure-first", "statsig.counting.day")
def test_events_count_from_the_beginning_of_the_day_of_the_first_exposure() -> None:
    found = COUNTING.assigned(CHECKOUT, [seen("test", "2026-11-22T20:15:00Z"), seen("test", "2026-11-23T20:15:00Z")])

    [span] = found.spans
    assert (span.variation, iso(span.start), span.end) == ("test", "2026-11-22T08:00:00.000Z", None)


@pytest.mark.rule("statsig.counting.day")
def test_an_exposure_before_eight_oclock_utc_is_of_the_day_before() -> None:
    [span] = COUNTING.assigned(CHECKOUT, [seen("test", "2026-11-22T07:59:59.999Z")]).spans

    assert iso(span.start) == "2026-11-21T08:00:00.000Z"


@pytest.mark.rule("statsig.counting.day")
def test_days_begin_where_the_project_says() -> None:
    in_berlin = experiments(experiments={"checkout": {"groups": GROUPS}}, day_utc_offset=1)["checkout", "production"]
    [span] = COUNTING.assigned(in_berlin, [seen("test", "2026-11-22T20:15:00Z")]).spans

    assert iso(span.start) == "2026-11-21T23:00:00.000Z"


@pytest.mark.rule("statsig.counting.exposure-first")
def test_a_project_that_joins_by_timestamp_counts_from_the_exposure_on() -> None:
    [span] = COUNTING.assigned(BY_TIMESTAMP, [seen("test", "2026-11-22T20:15:00Z")]).spans

    assert iso(span.start) == "2026-11-22T20:15:00.000Z"


@pytest.mark.rule("statsig.counting.exposure-first")
def test_a_foreign_experiment_is_joined_by_timestamp() -> None:
    assert joined_from(Experiment("other", "a", "", "a", "", ()), 5) == 5


# ---- which group


@pytest.mark.rule("statsig.counting.crossover")
def test_a_unit_that_crosses_over_stays_in_both_groups_and_is_told_of() -> None:
    found = COUNTING.assigned(
        BY_TIMESTAMP, [seen("test", "2026-11-22T09:00:00Z"), seen("control", "2026-11-22T10:00:00Z")]
    )

    assert [(span.variation, iso(span.start)[11:16], span.end) for span in found.spans] == [
        ("test", "09:00", None),
        ("control", "10:00", None),
    ]
    assert found.remark is not None
    assert (found.remark.condition, found.remark.rule) == ("switched", "statsig.counting.crossover")
    assert found.remark.text == "the unit was seen in 2 groups (test, control) and counts in each"


@pytest.mark.rule("statsig.counting.crossover")
def test_a_unit_that_stays_in_its_group_is_not_told_of() -> None:
    found = COUNTING.assigned(CHECKOUT, [seen("test", "2026-11-22T09:00:00Z"), seen("test", "2026-11-25T09:00:00Z")])

    assert (len(found.spans), found.remark, found.unmet) == (1, None, None)


@pytest.mark.rule("statsig.counting.overrides")
def test_a_unit_whose_first_exposure_is_an_override_is_left_out() -> None:
    forced = seen("test", "2026-11-22T09:00:00Z", "test:userID:id_override")
    found = COUNTING.assigned(CHECKOUT, [forced, seen("control", "2026-11-23T09:00:00Z")])

    assert found.spans == ()
    assert found.unmet is not None
    assert (found.unmet.condition, found.unmet.rule) == ("excluded", "statsig.counting.overrides")
    assert (
        found.unmet.text == "the first exposure of userID u-1 was controlled by an override (test:userID:id_override)"
    )


@pytest.mark.rule("statsig.counting.overrides")
def test_an_override_that_comes_later_changes_no_group() -> None:
    forced = seen("test", "2026-11-23T09:00:00Z", "test:userID:id_override")
    found = COUNTING.assigned(CHECKOUT, [seen("control", "2026-11-22T09:00:00Z"), forced])

    assert [span.variation for span in found.spans] == ["control"]
    assert found.remark is not None
    assert found.remark.rule == "statsig.counting.overrides"


@pytest.mark.rule("statsig.counting.overrides")
def test_the_group_of_an_override_stands_before_the_id_type() -> None:
    [one] = read(exposure("config", "checkout", "test:userID:id_override", USER))

    assert (one.variation, one.label) == ("test", "test:userID:id_override")


# ---- what is tested


@pytest.mark.rule("statsig.in.metrics", "statsig.counting.groups")
def test_an_experiment_of_the_workspace_has_its_groups_and_their_shares() -> None:
    found = experiments(experiments={"checkout": {"groups": GROUPS, "sizes": {"control": 90, "test": 10}}})

    one = found["checkout", "production"]
    assert [(each.key, each.name, each.share) for each in one.variations] == [
        ("control", "control", 0.9),
        ("test", "test", 0.1),
    ]
    assert (one.unit, one.exposed_by, one.metrics, one.periods) == ("userID", "checkout", None, (Period(),))
    assert (one.status, one.recording(0), one.problems) == ("active", True, ())
    assert one.place == "$.statsig.experiments.checkout"


@pytest.mark.rule("statsig.counting.period")
def test_an_experiment_that_was_not_started_has_no_period() -> None:
    one = experiments(experiments={"checkout": {"groups": GROUPS, "active": False}})["checkout", "production"]

    assert (one.periods, one.status) == ((), "setup")


@pytest.mark.rule("statsig.counting.period")
def test_an_experiment_counts_from_its_start_to_its_end() -> None:
    times = {"start_time": "2026-11-20T00:00:00Z", "end_time": "2026-11-22T09:00:00Z"}
    one = experiments(experiments={"checkout": {"groups": GROUPS, **times}})["checkout", "production"]

    assert one.periods == (Period(1_795_132_800_000, NINE),)


@pytest.mark.rule("statsig.counting.period")
def test_an_experiment_of_a_specs_file_that_is_not_active_was_not_started() -> None:
    assert (period_of({}, {}, "setup"), period_of({}, {}, "active")) == (None, Period())


@pytest.mark.rule("statsig.counting.environment")
def test_an_experiment_has_results_for_each_tier_that_it_is_enabled_for() -> None:
    found = experiments(experiments={"checkout": {"groups": GROUPS, "environments": ["staging", "production"]}})

    assert list(found) == [("checkout", "production"), ("checkout", "staging")]


@pytest.mark.rule("statsig.counting.gates")
def test_a_gate_that_passes_for_a_part_of_its_units_is_a_test() -> None:
    one = experiments(gates={"half": 25}, id_types=["companyID"])["half", "production"]

    assert [(each.key, each.share) for each in one.variations] == [("pass", 0.25), ("fail", 0.75)]
    assert (one.label, one.unit, one.exposed_by, one.recording(0)) == ("everyone", "userID", "half", True)


@pytest.mark.rule("statsig.counting.gates")
@pytest.mark.parametrize("gate", [True, False, 0, 100])
def test_a_gate_for_everyone_or_nobody_is_none(gate: Any) -> None:
    assert experiments(gates={"a": gate}) == {}


@pytest.mark.rule("statsig.counting.gates")
def test_a_disabled_gate_tests_nothing() -> None:
    one = experiments(gates={"half": {"pass": 50, "enabled": False}})["half", "production"]

    assert (one.periods, [each.condition for each in one.problems]) == ((), ["flag"])


# ---- metrics


def metrics(**rows: Any) -> dict[str, Any]:
    return {one.key: one for one in COUNTING.metrics(settings(id_types=["companyID"], metrics=rows), None)}


@pytest.mark.rule("statsig.counting.metric-types", "statsig.counting.event-name")
def test_a_metric_counts_the_events_of_its_name() -> None:
    one = metrics(orders={"event": "segment::Order Completed"})["orders::event_count_custom"]

    assert (one.event, one.measure, one.units, one.value) == ("segment::Order Completed", "count", ("userID",), ())
    assert one.place == "$.statsig.metrics.orders"


@pytest.mark.rule("statsig.counting.metric-types", "statsig.counting.metric-value")
@pytest.mark.parametrize(
    ("kind", "event", "value"),
    [
        ("sum", {"name": "purchase"}, ("value",)),
        ("sum", {"name": "purchase", "type": "value"}, ("value",)),
        ("mean", {"name": "purchase", "type": "metadata", "metadata_key": "price"}, ("metadata", "price")),
    ],
)
def test_a_sum_or_mean_reads_the_value_or_a_key_of_the_metadata(kind: str, event: Any, value: Any) -> None:
    [one] = metrics(revenue={"type": kind, "metric_events": [event]}).values()

    assert (one.key, one.measure, one.value) == (f"revenue::{kind}", kind, value)
    assert (one.leave_out, one.pooled) == (kind == "mean", kind == "mean")


@pytest.mark.rule("statsig.counting.event-user")
@pytest.mark.parametrize(("window", "measure"), [({}, "days"), ({"rollup_time_window": "max"}, "conversion")])
def test_an_event_user_metric_counts_days_or_whether_it_ever_came(window: Any, measure: str) -> None:
    [one] = metrics(buyers={"type": "event_user", "event": "purchase", **window}).values()

    assert one.measure == measure


@pytest.mark.rule("statsig.counting.auto-metrics", "statsig.counting.unit")
def test_a_metric_that_is_named_after_its_event_has_every_id_type() -> None:
    [one] = metrics(purchase={"type": "event_dau"}).values()

    assert (one.key, one.event, one.measure) == ("purchase::event_dau", "purchase", "days")
    assert one.units == ("userID", "stableID", "companyID")


@pytest.mark.rule("statsig.counting.unit")
def test_a_metric_that_is_named_after_its_event_can_be_limited_to_an_id_type() -> None:
    [one] = metrics(purchase={"type": "event_dau", "unit_types": ["companyID"]}).values()

    assert one.units == ("companyID",)


@pytest.mark.rule("statsig.counting.metric-types")
def test_a_metric_of_several_events_counts_them_together() -> None:
    found = COUNTING.metrics(settings(metrics={"any": {"metric_events": [{"name": "a"}, {"name": "b"}]}}), None)

    assert [(one.key, one.event) for one in found] == [
        ("any::event_count_custom", "a"),
        ("any::event_count_custom", "b"),
    ]


@pytest.mark.rule("statsig.counting.criteria")
@pytest.mark.parametrize(
    ("criterion", "path", "operator", "values"),
    [
        ({"type": "value", "condition": ">", "values": [500]}, ("value",), ">", (500,)),
        ({"type": "metadata", "column": "plan", "condition": "=", "values": ["a"]}, ("metadata", "plan"), "in", ("a",)),
        ({"type": "user", "column": "country", "condition": "not_in", "values": ["DE"]}, ("user", "country"), "not in", ("DE",)),
        ({"type": "user_custom", "column": "vip", "condition": "is_true"}, ("user", "custom", "vip"), "in", (True,)),
        ({"type": "metadata", "column": "plan", "condition": "is_null"}, ("metadata", "plan"), "not exists", ()),
    ],
)  # fmt: skip
def test_criteria_of_a_metric_are_its_filters(criterion: Any, path: Any, operator: str, values: Any) -> None:
    [one] = metrics(some={"metric_events": [{"name": "purchase", "criteria": [criterion]}]}).values()

    assert [(each.path, each.operator, each.values) for each in one.filters] == [(path, operator, values)]


# ---- what is wired so that it never counts


@pytest.mark.rule("statsig.counting.unit")
def test_a_metric_of_the_scorecard_that_has_another_id_type_is_a_problem() -> None:
    [one] = experiments(
        id_types=["companyID"],
        metrics={"orders": {"event": "purchase", "unit_types": ["stableID"]}},
        experiments={"checkout": {"groups": GROUPS, "id_type": "companyID", "primary_metrics": ["orders"]}},
    ).values()

    assert [(each.condition, each.text, each.fix) for each in one.problems] == [
        (
            "metric-unit",
            "the metric orders::event_count_custom is analyzed by stableID, and the experiment divides up companyID",
            "add companyID to the metric's unit types",
        )
    ]


@pytest.mark.rule("statsig.counting.auto-metrics")
@pytest.mark.parametrize("asked", ["segment::Order Completed", "segment::Order Completed::event_count"])
def test_a_metric_that_nobody_declares_is_that_of_the_event(asked: str) -> None:
    [one] = experiments(experiments={"checkout": {"groups": GROUPS, "secondary_metrics": [asked]}}).values()

    assert one.problems == ()


@pytest.mark.rule("statsig.in.id-type-known")
def test_the_id_types_of_the_project_are_those_it_declares() -> None:
    assert COUNTING.unit_types(settings(id_types=["companyID"]), None) == ["userID", "stableID", "companyID"]


# ---- faults of a workspace


@pytest.mark.rule("statsig.console.metrics")
@pytest.mark.parametrize(
    ("block", "where", "what"),
    [
        ({"metrics": {"a": {}}}, "metrics.a", "the metric has no event"),
        (
            {"metrics": {"a": {"event": "x", "metric_events": [{"name": "x"}]}}},
            "metrics.a",
            "event and metric_events are both given",
        ),
        (
            {"metrics": {"a": {"type": "event_dau", "event": "x"}}},
            "metrics.a.event",
            "a metric of the type event_dau is named after its event",
        ),
        (
            {"metrics": {"a": {"event": "x", "unit_types": ["companyID"]}}},
            "metrics.a.unit_types[0]",
            "there is no ID type 'companyID'",
        ),
        (
            {"metrics": {"a": {"type": "sum", "metric_events": [{"name": "x", "type": "count"}]}}},
            "metrics.a.metric_events[0].type",
            "a sum needs a number",
        ),
        (
            {"metrics": {"a": {"metric_events": [{"name": "x", "type": "metadata"}]}}},
            "metrics.a.metric_events[0]",
            "no key of the metadata is named",
        ),
        (
            {"metrics": {"a": {"metric_events": [{"name": "x", "criteria": [{"type": "user", "condition": "is_null"}]}]}}},
            "metrics.a.metric_events[0].criteria[0]",
            "no field is named",
        ),
        (
            {"metrics": {"a": {"metric_events": [{"name": "x", "criteria": [{"type": "value", "condition": "="}]}]}}},
            "metrics.a.metric_events[0].criteria[0]",
            "= compares with nothing",
        ),
        (
            {"experiments": {"e": {"groups": GROUPS, "id_type": "companyID"}}},
            "experiments.e.id_type",
            "there is no ID type 'companyID'",
        ),
        (
            {"experiments": {"e": {"groups": GROUPS, "primary_metrics": ["revenue::sum"]}}},
            "experiments.e.primary_metrics[0]",
            "there is no metric 'revenue::sum'",
        ),
        (
            {"experiments": {"e": {"groups": GROUPS, "start_time": "soon"}}},
            "experiments.e.start_time",
            "start_time is 'soon', no moment",
        ),
        (
            {"experiments": {"e": {"groups": GROUPS, "start_time": "2026-11-22", "end_time": "2026-11-22"}}},
            "experiments.e.end_time",
            "it ended before it started",
        ),
    ],
)  # fmt: skip
def test_what_leads_nowhere_is_a_fault_of_the_workspace(block: Any, where: str, what: str) -> None:
    with pytest.raises(WorkspaceError) as raised:
        workspace.load({"statsig": block})

    assert [(one.where, one.what) for one in raised.value.faults] == [(f"the workspace: $.statsig.{where}", what)]


@pytest.mark.rule("statsig.counting.exposure-first")
def test_an_experiment_joins_by_date_unless_it_is_told_otherwise() -> None:
    assert isinstance(CHECKOUT, StatsigExperiment)
    assert (CHECKOUT.join, CHECKOUT.day_offset) == ("date", -8 * 3_600_000)
