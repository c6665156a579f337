"""When Split counts an event in an experiment: by key, traffic type, targeting rule, and the moments of impressions."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, get_args

import pytest

from trackside.counting.model import Assigned, Condition, Event, Experiment, Exposure
from trackside.rules import RULES
from trackside.split.counting import COUNTING, RETENTION_MS
from trackside.split.flag_experiments import FlagExperiment
from trackside.workspace import load

MINUTE = 60_000
QUARTER = 15 * MINUTE
START = 1_767_322_800_000
IMPRESSION: dict[str, Any] = {
    "kind": "impression",
    "split": "banner",
    "treatment": "blue",
    "key": "u-1",
    "label": "default rule",
    "splitVersionNumber": 7,
    "time": START,
    "environmentName": "production",
}
EVENT: dict[str, Any] = {
    "kind": "event",
    "eventTypeId": "checkout",
    "trafficTypeName": "user",
    "key": "u-1",
    "value": 9.99,
    "timestamp": START + MINUTE,
    "properties": {"plan": "gold"},
    "environmentName": "production",
}
SPLIT: dict[str, Any] = {
    "environments": {"production": {"sdk_key": "sdk-local"}, "staging": {"sdk_key": "sdk-staging"}},
    "traffic_types": ["user", "account"],
    "flags": {
        "banner": {"treatments": ["blue", "plain"], "serve": {"blue": 60, "plain": 40}, "default": "plain"},
        "menu": "on",
    },
    "metrics": {"paid": {"event_type": "checkout"}},
}


def settings(**more: Any) -> Any:
    return load({"split": {**SPLIT, **more}}).split


def experiments(**more: Any) -> dict[tuple[str, str], Experiment]:
    return {(one.key, one.environment): one for one in COUNTING.experiments(settings(**more), None)}


def shown(*told: tuple[int, str, str]) -> list[Exposure]:
    """Return exposures of one key: minute, treatment, label."""
    return [
        Exposure("production", "banner", "", "u-1", treatment, label, True, START + minute * MINUTE, 0)
        for minute, treatment, label in told
    ]


def assigned(*told: tuple[int, str, str], rule: str = "default rule") -> Assigned:
    own = FlagExperiment("split", "banner", "production", "banner", "user", (), rule=rule)
    return COUNTING.assigned(own, shown(*told))


def spans(found: Assigned) -> list[tuple[str, float, float | None]]:
    """Return each span's treatment and minutes from the start; None for an end that nothing but retention sets."""
    return [
        (one.variation, (one.start - START) / MINUTE, None if one.end >= START + RETENTION_MS else (one.end - START) / MINUTE)
        for one in found.spans
        if one.end is not None
    ]  # fmt: skip


# ---- what records tell


@pytest.mark.rule("split.counting.key")
def test_an_impression_is_an_exposure_of_its_key() -> None:
    assert list(COUNTING.read(IMPRESSION, START + 5)) == [
        Exposure("production", "banner", "", "u-1", "blue", "default rule", True, START, START + 5)
    ]


@pytest.mark.rule("split.counting.key", "split.counting.traffic-type")
def test_an_event_has_the_key_of_its_traffic_type() -> None:
    assert list(COUNTING.read(EVENT, START + 5)) == [
        Event("production", "checkout", {"user": "u-1"}, START + MINUTE, START + 5, EVENT)
    ]


@pytest.mark.parametrize("kind", ["impression_count", "unique_keys", "identity"])
def test_other_records_tell_nothing(kind: str) -> None:
    assert list(COUNTING.read({"kind": kind}, START)) == []


@pytest.mark.rule("split.counting.control")
@pytest.mark.parametrize(
    ("treatment", "label"),
    [("control", "exception"), ("plain", "not in split"), ("blue", "fallback - definition not found")],
)
def test_who_was_given_a_treatment_by_no_rule_takes_no_part(treatment: str, label: str) -> None:
    [found] = COUNTING.read({**IMPRESSION, "treatment": treatment, "label": label}, START)

    assert isinstance(found, Exposure)
    assert not found.included


def test_each_condition_has_a_rule_with_a_row() -> None:
    assert {one for one in get_args(Condition) if one not in COUNTING.rules} <= {"metric-value", "sample-ratio"}
    assert [rule for rule in COUNTING.rules.values() if rule not in RULES] == []


# ---- one key's impressions


@pytest.mark.rule("split.counting.window")
def test_events_count_from_15_minutes_before_the_first_impression_on() -> None:
    assert spans(assigned((0, "blue", "default rule"), (90, "blue", "default rule"))) == [("blue", -15, None)]


@pytest.mark.rule("split.counting.retention")
def test_events_count_until_90_days_after_the_last_impression() -> None:
    [one] = assigned((0, "blue", "default rule"), (90, "blue", "default rule")).spans

    assert one.end == START + 90 * MINUTE + RETENTION_MS


@pytest.mark.rule("split.counting.switch-once")
def test_around_a_switch_of_treatment_30_minutes_count_for_both() -> None:
    found = assigned((0, "blue", "default rule"), (60, "plain", "default rule"))

    assert spans(found) == [("blue", -15, 75), ("plain", 45, None)]
    assert found.remark is not None
    assert found.remark.text.startswith("the key had 'blue' by 'default rule' and then 'plain' by 'default rule'")


@pytest.mark.rule("split.counting.switch-once", "split.counting.rule-label")
def test_a_switch_to_another_rule_ends_what_counts_for_the_experiments_own() -> None:
    assert spans(assigned((0, "blue", "default rule"), (60, "blue", "in segment beta"))) == [("blue", -15, 75)]


@pytest.mark.rule("split.counting.switch-once", "split.counting.rule-label")
def test_a_switch_from_another_rule_begins_what_counts_for_the_experiments_own() -> None:
    assert spans(assigned((0, "blue", "in segment beta"), (60, "blue", "default rule"))) == [("blue", 45, None)]


@pytest.mark.rule("split.counting.excluded")
def test_a_second_switch_leaves_the_key_out() -> None:
    found = assigned((0, "blue", "default rule"), (60, "blue", "in segment beta"), (90, "blue", "default rule"))

    assert found.spans == ()
    assert found.unmet is not None
    assert (found.unmet.condition, found.unmet.rule) == ("excluded", "split.counting.excluded")
    assert found.unmet.text == (
        "the key switched its rule or treatment 2 times, and may once: it had 'blue' by 'default rule', "
        "'blue' by 'in segment beta', 'blue' by 'default rule'"
    )


@pytest.mark.rule("split.counting.rule-label")
@pytest.mark.parametrize(
    ("label", "fix"),
    [
        ("in segment beta", "set the experiment's rule to 'in segment beta', or evaluate the flag for a key that meets 'default rule'"),
        ("killed", "restore the flag"),
        ("", "switch the SDK's labels on (labelsEnabled)"),
    ],
)  # fmt: skip
def test_who_never_met_the_experiments_rule_is_told_which_rule_it_was(label: str, fix: str) -> None:
    found = assigned((0, "blue", label))

    assert found.unmet is not None
    assert (found.unmet.rule, found.unmet.fix) == ("split.counting.rule-label", fix)


@pytest.mark.rule("split.counting.rule-label")
def test_without_a_rule_to_look_for_labels_make_no_switch() -> None:
    found = assigned((0, "blue", "a"), (60, "blue", "b"), (90, "blue", "c"), rule="")

    assert spans(found) == [("blue", -15, None)]


# ---- metrics


@pytest.mark.rule("split.counting.metric-types")
@pytest.mark.parametrize(
    ("aggregation", "measure", "kind", "leave_out"),
    [
        ("COUNT", "count", "count of events per key", False),
        ("TOTAL", "sum", "sum of event values per key", False),
        ("AVERAGE", "mean", "average of event values per key", True),
        ("RATE", "conversion", "percent of unique keys", False),
    ],
)
def test_an_aggregation_is_a_way_to_add_up(aggregation: str, measure: str, kind: str, *, leave_out: bool) -> None:
    row = {"event_type": "checkout", "aggregation": aggregation, "traffic_type": "account"}
    [found] = COUNTING.metrics(settings(metrics={"paid": row}), None)

    assert (found.key, found.event, found.units) == ("paid", "checkout", ("account",))
    assert (found.measure, found.kind, found.leave_out, found.place) == (
        measure,
        kind,
        leave_out,
        "$.split.metrics.paid",
    )


@pytest.mark.rule("split.counting.value")
@pytest.mark.parametrize(
    ("aggregation", "named", "path"),
    [
        ("TOTAL", "", ("value",)),
        ("AVERAGE", "price", ("properties", "price")),
        ("COUNT", "price", ()),
        ("RATE", "", ()),
    ],
)
def test_the_value_is_the_events_own_or_that_of_a_property(aggregation: str, named: str, path: Sequence[str]) -> None:
    row = {"event_type": "checkout", "aggregation": aggregation, "property_for_value": named}
    [found] = COUNTING.metrics(settings(metrics={"paid": row}), None)

    assert found.value == path


@pytest.mark.rule("split.counting.filters")
def test_a_filter_looks_at_a_property() -> None:
    rows = [{"property": "plan", "operator": "IN", "values": ["gold", "pro"]}, {"property": "coupon", "operator": "NOT_EXISTS"}]  # fmt: skip
    event = {"event_type_id": "checkout", "property_filters": rows}
    [found] = COUNTING.metrics(settings(metrics={"paid": {"base_event_types": [event]}}), None)

    assert [(one.path, one.operator, one.values) for one in found.filters] == [
        (("properties", "plan"), "in", ("gold", "pro")),
        (("properties", "coupon"), "not exists", ()),
    ]


@pytest.mark.rule("split.counting.traffic-type")
def test_the_traffic_types_are_those_declared_mapped_and_used() -> None:
    inbound = [{"api_key": "k", "environment": "production", "identities": {"anonymousId": "anonymous"}}]
    flags = {**SPLIT["flags"], "limit": {"serve": "on", "traffic_type": "company"}}

    found = COUNTING.unit_types(settings(segment_inbound=inbound, flags=flags), None)
    assert found == ["user", "account", "anonymous", "company"]


# ---- experiments


@pytest.mark.rule("split.counting.experiment")
def test_a_flag_with_a_percentage_rule_is_an_experiment_in_each_environment() -> None:
    found = experiments()

    assert list(found) == [("banner", "production"), ("banner", "staging")]
    one = found["banner", "production"]
    assert isinstance(one, FlagExperiment)
    assert (one.exposed_by, one.unit, one.metrics, one.rule, one.label) == ("banner", "user", None, "default rule", "")
    assert [(each.key, each.share) for each in one.variations] == [("blue", 0.6), ("plain", 0.4)]
    assert one.recording(0)


@pytest.mark.rule("split.counting.experiment")
def test_a_flag_of_another_traffic_type_than_every_metric_is_none() -> None:
    assert experiments(metrics={"paid": {"event_type": "checkout", "traffic_type": "account"}}) == {}


@pytest.mark.rule("split.counting.rule-label")
def test_the_percentages_of_a_targeting_rule_make_an_experiment_too() -> None:
    flag = {"serve": "plain", "rules": [{"if": {"plan": "pro"}, "serve": {"blue": 50, "plain": 50}}]}
    found = experiments(flags={"banner": flag})["banner", "production"]

    assert isinstance(found, FlagExperiment)
    assert found.rule == "plan is pro"


@pytest.mark.rule("split.counting.experiment")
def test_a_declared_experiment_takes_the_place_of_its_flags_own() -> None:
    found = experiments(experiments={"banner_test": {"flag": "banner", "baseline_treatment": "plain"}})

    assert list(found) == [("banner", "staging"), ("banner_test", "production")]
    one = found["banner_test", "production"]
    assert [(each.key, each.share) for each in one.variations] == [("plain", 0.4), ("blue", 0.6)]
    assert (one.metrics, one.status, one.place) == (None, "ACTIVE", "$.split.experiments.banner_test")


@pytest.mark.rule("split.counting.experiment", "split.counting.environment")
def test_an_experiment_belongs_to_the_environment_that_it_names() -> None:
    found = experiments(experiments={"banner_test": {"flag": "banner", "environment": "staging"}})

    assert list(found) == [("banner", "production"), ("banner_test", "staging")]


@pytest.mark.rule("split.counting.experiment")
def test_an_experiment_that_names_metrics_has_these_and_every_guardrail() -> None:
    metrics = {
        "paid": {"event_type": "checkout"},
        "seen": {"event_type": "view"},
        "left": {"event_type": "leave"},
        "slow": {"event_type": "load", "category": "guardrail"},
    }
    row = {"flag": "banner", "key_metrics": ["paid"], "supporting_metrics": ["seen"]}
    found = experiments(metrics=metrics, experiments={"banner_test": row})

    assert found["banner_test", "production"].metrics == ("paid", "seen", "slow")


@pytest.mark.rule("split.counting.experiment")
def test_an_experiment_goes_on_from_its_start_to_its_end() -> None:
    row = {"flag": "banner", "start_at": "2026-01-02T03:00:00Z", "end_at": "2026-01-03T03:00:00Z"}
    [period] = experiments(experiments={"banner_test": row})["banner_test", "production"].periods

    assert (period.start, period.end) == (START, START + 24 * 60 * MINUTE)


@pytest.mark.rule("split.counting.experiment")
def test_a_paused_experiment_without_an_end_never_went_on() -> None:
    row = {"flag": "banner", "status": "PAUSED"}

    assert experiments(experiments={"banner_test": row})["banner_test", "production"].periods == ()


@pytest.mark.rule("split.counting.experiment", "split.counting.rule-label", "split.counting.control")
@pytest.mark.parametrize(
    ("flag", "row", "text"),
    [
        ({"killed": True}, {}, "the flag is killed in 'production': everybody has 'plain', and no rule decides"),
        ({"track": False}, {}, "the flag sends no impressions, so that nobody is known to have had a treatment"),
        ({"allocation": 0}, {}, "the flag's traffic allocation is 0: every key is outside of it"),
        ({}, {"rule": "vip"}, "no rule of the flag has the label 'vip', so that no impression has it"),
        ({"serve": "plain"}, {"comparison_treatments": ["blue"]}, "the rule 'default rule' gives nobody 'blue'"),
    ],
)
def test_a_flag_that_cannot_have_results_is_told(flag: dict[str, Any], row: dict[str, Any], text: str) -> None:
    flags = {"banner": {**SPLIT["flags"]["banner"], **flag}}
    found = experiments(flags=flags, experiments={"banner_test": {"flag": "banner", **row}})

    assert [one.text for one in found["banner_test", "production"].problems] == [text]


# ---- in a lab

WORKSPACE = {
    "segment": {
        "sources": {"web": {"write_key": "wk_web", "destinations": ["fme"]}},
        "destinations": {"fme": {"type": "split", "api_key": "fme-key"}},
    },
    "split": {
        **SPLIT,
        "metrics": {
            "paid": {"event_type": "checkout"},
            "revenue": {"event_type": "checkout", "aggregation": "TOTAL"},
            "price": {"event_type": "checkout", "aggregation": "AVERAGE"},
            "buyers": {"event_type": "checkout", "aggregation": "RATE"},
        },
        "segment_inbound": [{"api_key": "fme-key", "environment": "production", "identities": {"userId": "user"}}],
    },
}


def impressions(*rows: tuple[str, str, int]) -> list[dict[str, Any]]:
    """Return a post of impressions of the flag banner: key, treatment, moment."""
    return [{"f": "banner", "i": [{"k": key, "t": treatment, "m": at, "c": 1, "r": "default rule"} for key, treatment, at in rows]}]  # fmt: skip


def sent(key: str, at: int, value: float | None = 10.0, **more: Any) -> dict[str, Any]:
    return {"key": key, "trafficTypeName": "user", "eventTypeId": "checkout", "value": value, "timestamp": at, **more}


@pytest.mark.trackside(workspace=WORKSPACE)
@pytest.mark.rule("split.counting.key", "split.counting.window")
def test_an_event_counts_for_the_treatment_that_its_key_had(trackside: Any, post: Any) -> None:
    post("/api/testImpressions/bulk", impressions(("u-1", "blue", START)))
    post("/api/events/bulk", [sent("u-1", START - QUARTER)])

    found = trackside.split.experiment("banner", "production").expect_counted("u-1", variation="blue", timeout=0)
    assert found.metrics == ("buyers", "paid", "price", "revenue")


@pytest.mark.trackside(workspace=WORKSPACE)
@pytest.mark.rule("split.counting.window")
def test_an_event_before_that_does_not_count(trackside: Any, post: Any) -> None:
    post("/api/testImpressions/bulk", impressions(("u-1", "blue", START)))
    post("/api/events/bulk", [sent("u-1", START - QUARTER - 1)])

    banner = trackside.split.experiment("banner", "production")
    [verdict] = banner.expect_not_counted("u-1", because="before-exposure")
    assert [one.rule for one in verdict.unmet] == ["split.counting.window"]


@pytest.mark.trackside(workspace=WORKSPACE)
@pytest.mark.rule("split.counting.switch-once")
def test_within_15_minutes_of_a_switch_an_event_counts_for_both(trackside: Any, post: Any) -> None:
    post("/api/testImpressions/bulk", impressions(("u-1", "blue", START), ("u-1", "plain", START + 60 * MINUTE)))
    post("/api/events/bulk", [sent("u-1", START + 50 * MINUTE)])

    found = trackside.split.experiment("banner", "production").expect_counted("u-1", timeout=0)
    assert found.variations == ("blue", "plain")


@pytest.mark.trackside(workspace=WORKSPACE)
@pytest.mark.rule("split.counting.value", "split.counting.metric-types")
def test_an_event_without_a_value_counts_as_0(trackside: Any, post: Any) -> None:
    post("/api/testImpressions/bulk", impressions(("u-1", "blue", START), ("u-2", "blue", START)))
    post("/api/events/bulk", [sent("u-1", START, 10.0), sent("u-1", START + 1, None)])

    [blue, _] = trackside.split.experiment("banner", "production").results().variations
    assert {name: one.mean for name, one in blue.metrics.items()} == {"paid": 1.0, "revenue": 5.0, "price": 5.0, "buyers": 0.5}  # fmt: skip


@pytest.mark.trackside(workspace=WORKSPACE)
@pytest.mark.rule("split.counting.environment")
def test_an_event_of_another_environment_does_not_count(trackside: Any, post: Any) -> None:
    post("/api/testImpressions/bulk", impressions(("u-1", "blue", START)))
    post("/api/events/bulk", [sent("u-1", START)], key="sdk-staging")

    banner = trackside.split.experiment("banner", "production")
    [verdict] = banner.expect_not_counted("u-1", because="environment")
    assert "split.counting.environment" in [one.rule for one in verdict.unmet]


@pytest.mark.trackside(workspace=WORKSPACE)
@pytest.mark.rule("split.counting.traffic-type")
def test_an_event_of_another_traffic_type_does_not_count(trackside: Any, post: Any) -> None:
    post("/api/testImpressions/bulk", impressions(("u-1", "blue", START)))
    post("/api/events/bulk", [sent("u-1", START, trafficTypeName="account")])

    trackside.split.experiment("banner", "production").expect_not_counted("u-1", because="unit-type")


@pytest.mark.trackside(workspace=WORKSPACE)
@pytest.mark.rule("split.counting.version")
def test_what_came_before_a_change_of_the_flag_does_not_count(trackside: Any, post: Any) -> None:
    post("/api/testImpressions/bulk", impressions(("u-1", "blue", START)))
    post("/api/events/bulk", [sent("u-1", START)])
    banner = trackside.split.experiment("banner", "production")
    banner.expect_counted("u-1", timeout=0)

    trackside.split.flag("banner").serve({"blue": 80, "plain": 20})
    post("/api/events/bulk", [sent("u-1", START + 1)])

    found = banner.expect_not_counted("u-1", because="outside-iteration")
    assert [one.rule for verdict in found for one in verdict.unmet] == ["split.counting.version"] * 2


# The SDK starts one of its threads in a way that Python has deprecated.
@pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning")
@pytest.mark.trackside(workspace=WORKSPACE)
@pytest.mark.rule("split.counting.key")
def test_what_pythons_sdk_tracks_counts_for_the_treatment_that_it_gave(trackside: Any) -> None:
    from splitio import get_factory

    config = {"impressionsMode": "DEBUG", "streamingEnabled": False, "impressionsRefreshRate": 1, "eventsPushRate": 1}
    factory = get_factory(**trackside.split.python_options("production"), config=config)
    factory.block_until_ready(5)
    treatment = factory.client().get_treatment("u-1", "banner")
    factory.client().track("u-1", "user", "checkout", 9.99)

    # Destroyed before its threads run, this SDK forgets what it has: it posts every second until then.
    found = trackside.split.experiment("banner", "production").expect_counted("u-1", event="checkout")
    done = threading.Event()
    factory.destroy(done)
    assert done.wait(5)
    assert found.variations == (treatment,)
