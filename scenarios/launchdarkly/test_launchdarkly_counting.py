"""What counts at LaunchDarkly: who is exposed to what, for which variation an event counts, by which metric, and how long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import urllib3

from trackside.counting.filters import passes
from trackside.counting.model import Event, Experiment, Exposure, Filter, Metric, Period, Span, Variation
from trackside.lab import Lab
from trackside.launchdarkly.counting import COUNTING, WINDOW
from trackside.times import epoch_ms

AT = 1_795_338_000_000  # 2026-11-22T09:00:00Z
CAME = AT + 5_000
DAY = 86_400_000
CLIENT_SIDE_ID = "57be1db38b75bf0772d11384"
ENVIRONMENTS = {
    "production": {"client_side_id": CLIENT_SIDE_ID, "sdk_key": "sdk-production"},
    "staging": {"client_side_id": "67be1db38b75bf0772d11385", "sdk_key": "sdk-staging"},
}
BANNER = {"variations": ["control", "blue"], "serve": {"control": 50, "blue": 50}}
ORDERS = {"event_key": "Order Completed"}
TEST = {"flag": "banner", "metrics": ["orders"]}
USER = {"kind": "user", "key": "u-1"}
RUNNING = Experiment(
    "launchdarkly",
    "banner-test",
    "production",
    "banner",
    "user",
    (Variation("0", "control", 0.5), Variation("1", "blue", 0.5)),
    ("orders",),
    (Period(),),
)


def block(**more: Any) -> dict[str, Any]:
    """Return a workspace with the flag ``banner``, the metric ``orders`` and the experiment ``banner-test``."""
    own = {"flags": {"banner": BANNER}, "metrics": {"orders": ORDERS}, "experiments": {"banner-test": TEST}}
    return {"launchdarkly": {"environments": ENVIRONMENTS, "access_token": "api-token", **own, **more}}


def kept(kind: str, **fields: Any) -> dict[str, Any]:
    """Return an event as LaunchDarkly keeps it."""
    head = {"kind": kind, "creationDate": AT, "environment": "production", "contextKeys": {"user": "u-1"}}
    return {**head, **fields}


def read(record: dict[str, Any]) -> list[Any]:
    return list(COUNTING.read(record, CAME))


def wired(lab: Lab) -> tuple[dict[str, Metric], dict[str, Experiment]]:
    """Return the metrics and experiments of a lab by key."""
    settings, live = lab.workspace.launchdarkly, lab.mocks["launchdarkly"].live
    metrics = {one.key: one for one in COUNTING.metrics(settings, live)}
    return metrics, {one.key: one for one in COUNTING.experiments(settings, live)}


def exposed(variation: str, day: float) -> Exposure:
    """Return an exposure of a user that arrived so many days after the first one."""
    arrived = AT + int(day * DAY)
    return Exposure("production", "banner", "user", "u-1", variation, "fallthrough", True, arrived - 100, arrived)


def spans(*exposures: Exposure) -> list[tuple[str, float, float]]:
    """Return when events count: the variation, from which day, to which day."""
    found = COUNTING.assigned(RUNNING, exposures).spans
    return [(one.variation, (one.start - AT) // DAY, ((one.end or 0) - AT) // DAY) for one in found]


# ---- records


@pytest.mark.rule("launchdarkly.in.experiment")
def test_an_evaluation_is_an_exposure_of_each_context_in_it() -> None:
    reason = {"kind": "FALLTHROUGH", "inExperiment": True}
    keys = {"user": "u-1", "org": "o-1"}

    assert read(kept("feature", key="banner", variation=1, reason=reason, contextKeys=keys)) == [
        Exposure("production", "banner", "user", "u-1", "1", "fallthrough", True, AT, CAME),
        Exposure("production", "banner", "org", "o-1", "1", "fallthrough", True, AT, CAME),
    ]


@pytest.mark.rule("launchdarkly.in.experiment")
@pytest.mark.parametrize(
    ("reason", "label", "included"),
    [
        ({"kind": "RULE_MATCH", "ruleIndex": 0, "ruleId": "rule-1", "inExperiment": True}, "rule-1", True),
        ({"kind": "FALLTHROUGH"}, "fallthrough", False),
        ({"kind": "TARGET_MATCH"}, "TARGET_MATCH", False),
        ({"kind": "OFF"}, "OFF", False),
        (None, "fallthrough", False),
    ],
)
def test_only_who_the_sdk_says_is_in_the_experiment_is_included(reason: Any, label: str, included: bool) -> None:
    [found] = read(kept("feature", key="banner", variation=0, reason=reason))

    assert (found.label, found.included) == (label, included)


@pytest.mark.rule("launchdarkly.in.experiment")
@pytest.mark.parametrize("kind", ["debug", "summary", "alias", "migration_op", "click_pageview", "diagnostic-init"])
def test_other_events_are_neither_exposures_nor_metric_events(kind: str) -> None:
    assert read(kept(kind, key="banner", variation=0, reason={"kind": "FALLTHROUGH", "inExperiment": True})) == []


@pytest.mark.rule("launchdarkly.in.context-match")
@pytest.mark.parametrize("kind", ["index", "identify"])
def test_a_context_that_an_sdk_sends_is_known(kind: str) -> None:
    assert read(kept(kind, context=USER)) == [Exposure("production", "", "user", "u-1", "", "", False, AT, CAME)]


@pytest.mark.rule("launchdarkly.in.context-match")
def test_a_custom_event_of_an_sdk_makes_its_context_known_and_one_of_segment_does_not() -> None:
    event = kept("custom", key="Order Completed", data={"sku": "A1"})
    of_sdk = {**event, "context": USER}

    assert read(event) == [Event("production", "Order Completed", {"user": "u-1"}, AT, CAME, event)]
    assert read(of_sdk) == [
        Exposure("production", "", "user", "u-1", "", "", False, AT, CAME),
        Event("production", "Order Completed", {"user": "u-1"}, AT, CAME, of_sdk),
    ]


@pytest.mark.rule("launchdarkly.in.metric-kinds")
@pytest.mark.parametrize("kind", ["click", "pageview"])
def test_what_a_browser_sdk_sends_of_itself_is_told_apart(kind: str) -> None:
    record = kept(kind, key="buy", url="https://shop.test/")

    assert read(record) == [Event("production", "buy", {"user": "u-1"}, AT, CAME, record, clicked=True)]


# ---- metrics


@pytest.mark.rule(
    "launchdarkly.counting.metrics", "launchdarkly.in.metric-kinds", "launchdarkly.counting.numeric-value"
)
@pytest.mark.parametrize(
    ("declared", "kind", "measure", "value"),
    [
        ({}, "custom conversion binary", "conversion", ()),
        ({"unit_aggregation_type": "sum"}, "custom conversion count", "count", ()),
        ({"is_numeric": True}, "custom numeric", "mean", ("metricValue",)),
        ({"is_numeric": True, "unit_aggregation_type": "sum"}, "custom numeric", "sum", ("metricValue",)),
    ],
)
def test_a_metric_is_of_a_kind_by_what_it_adds_up(
    new_lab: Any, declared: dict[str, Any], kind: str, measure: str, value: tuple[str, ...]
) -> None:
    lab = new_lab(block(metrics={"orders": {**ORDERS, **declared}}))

    orders = wired(lab)[0]["orders"]

    assert (orders.event, orders.kind, orders.measure, orders.value) == ("Order Completed", kind, measure, value)
    assert (orders.clicks, orders.place) == (False, "$.launchdarkly.metrics.orders")


@pytest.mark.rule("launchdarkly.in.metric-kinds")
def test_a_click_metric_takes_clicks_that_name_it_by_its_key(new_lab: Any) -> None:
    urls = [{"kind": "exact", "url": "https://shop.test/"}]
    lab = new_lab(block(metrics={"orders": ORDERS, "buy": {"kind": "click", "urls": urls, "selector": ".buy"}}))

    buy = wired(lab)[0]["buy"]

    assert (buy.event, buy.kind, buy.clicks) == ("buy", "clicked or tapped conversion binary", True)


@pytest.mark.rule("launchdarkly.counting.numeric-value")
@pytest.mark.parametrize(
    ("declared", "left_out"),
    [
        ({}, False),
        ({"event_default": {"disabled": True}}, True),
        ({"analysis_type": "percentile", "percentile_value": 95}, True),
    ],
)
def test_units_without_events_count_as_nothing_unless_they_are_left_out(
    new_lab: Any, declared: dict[str, Any], left_out: bool
) -> None:
    lab = new_lab(block(metrics={"orders": {**ORDERS, "is_numeric": True, **declared}}))

    assert wired(lab)[0]["orders"].leave_out == left_out


@pytest.mark.rule("launchdarkly.counting.randomization-unit")
def test_a_metric_is_analysed_by_the_context_kinds_that_it_names(new_lab: Any) -> None:
    lab = new_lab(block(metrics={"orders": {**ORDERS, "randomization_units": ["org", "user"]}}))

    assert wired(lab)[0]["orders"].units == ("org", "user")
    assert COUNTING.unit_types(lab.workspace.launchdarkly, None) is None


@pytest.mark.rule("launchdarkly.counting.filters")
def test_filters_are_on_properties_of_an_event_or_attributes_of_its_context(new_lab: Any) -> None:
    filters = {
        "type": "group",
        "values": [
            {"type": "eventProperty", "attribute": "plan", "op": "in", "values": ["gold", "silver"]},
            {"type": "eventProperty", "attribute": "price", "op": "lessThan", "values": [10], "negate": True},
            {"type": "contextAttribute", "attribute": "country", "values": ["fr"], "negate": True},
            {"type": "contextAttribute", "context_kind": "org", "attribute": "key", "values": ["o-1"]},
        ],
    }
    lab = new_lab(block(metrics={"orders": {**ORDERS, "filters": filters}}))

    assert wired(lab)[0]["orders"].filters == (
        Filter(("data", "plan"), "in", ("gold", "silver")),
        Filter(("data", "price"), ">=", (10,)),
        Filter(("context", "country"), "not in", ("fr",), ("context", "user", "country")),
        Filter(("contextKeys", "org"), "in", ("o-1",)),
    )


@pytest.mark.rule("launchdarkly.counting.filters")
@pytest.mark.parametrize(
    ("op", "plan", "passed"),
    [
        ("startsWith", "gold-1", False),
        ("startsWith", "a-gold", True),
        ("endsWith", "a-gold", False),
        ("endsWith", "gold-1", True),
        ("matches", "a-gold-1", False),
        ("matches", "silver", True),
        ("contains", "a-gold-1", False),
    ],
)
def test_a_negated_filter_asks_for_the_opposite(new_lab: Any, op: str, plan: str, passed: bool) -> None:
    negated = {"type": "eventProperty", "attribute": "plan", "op": op, "values": ["gold", "go.d"], "negate": True}
    lab = new_lab(block(metrics={"orders": {**ORDERS, "filters": negated}}))

    assert passes(wired(lab)[0]["orders"].filters, {"data": {"plan": plan}}) == passed


# ---- experiments


@pytest.mark.rule("launchdarkly.counting.experiments", "launchdarkly.counting.environment")
def test_an_experiment_compares_the_variations_of_its_flag(new_lab: Any) -> None:
    served = {**BANNER, "variations": ["control", "blue", "green"], "serve": {"blue": 25, "control": 75}}
    lab = new_lab(block(flags={"banner": served}))

    found = wired(lab)[1]["banner-test"]

    assert (found.environment, found.exposed_by, found.unit, found.label) == ("production", "banner", "user", "fallthrough")  # fmt: skip
    assert found.variations == (Variation("1", "blue", 0.25), Variation("0", "control", 0.75))
    assert (found.metrics, found.periods, found.status, found.problems) == (("orders",), (Period(),), "running", ())
    assert found.place == '$.launchdarkly.experiments["banner-test"]'


@pytest.mark.rule("launchdarkly.counting.iteration")
def test_an_experiment_records_while_an_iteration_is_running(new_lab: Any) -> None:
    first = {"status": "stopped", "started_at": "2026-11-01T00:00:00Z", "ended_at": "2026-11-08T00:00:00Z"}
    second = {"started_at": "2026-11-10T00:00:00Z"}
    lab = new_lab(block(experiments={"banner-test": {**TEST, "iterations": [first, second]}}))

    found = wired(lab)[1]["banner-test"]

    starts = [epoch_ms(text, 0) for text in ("2026-11-01", "2026-11-10")]
    assert found.periods == (Period(starts[0], epoch_ms("2026-11-08", 0)), Period(starts[1]))
    assert found.recording(starts[1] or 0)


@pytest.mark.rule("launchdarkly.counting.iteration", "launchdarkly.in.experiment")
@pytest.mark.parametrize("status", ["not_started", "stopped"])
def test_an_experiment_that_says_of_no_time_when_it_ran_never_recorded(new_lab: Any, status: str) -> None:
    lab = new_lab(block(experiments={"banner-test": {**TEST, "status": status}}))

    found = wired(lab)[1]["banner-test"]

    assert (found.periods, found.recording(0), found.status) == ((), False, status)


@pytest.mark.rule("launchdarkly.rest.experiments")
def test_a_flag_that_serves_an_experiment_which_nobody_declares_is_one_without_metrics(new_lab: Any) -> None:
    lab = new_lab(block(flags={"banner": {**BANNER, "experiment": True}}, experiments={}))

    [found] = wired(lab)[1].values()

    assert (found.key, found.metrics, found.periods) == ("banner", (), (Period(),))
    assert found.place == "$.launchdarkly.flags.banner"


@pytest.mark.rule("launchdarkly.rest.experiments")
def test_a_flag_of_a_declared_experiment_is_no_experiment_of_its_own(new_lab: Any) -> None:
    assert list(wired(new_lab(block()))[1]) == ["banner-test"]


@pytest.mark.rule("launchdarkly.counting.flag")
def test_a_running_experiment_on_a_flag_that_is_off_is_told(new_lab: Any) -> None:
    lab = new_lab(block(flags={"banner": {**BANNER, "on": False}}))

    [problem] = wired(lab)[1]["banner-test"].problems

    assert (problem.condition, problem.rule) == ("flag", "launchdarkly.counting.flag")
    assert str(problem).startswith("the flag banner is off: nobody is in the experiment banner-test")


@pytest.mark.rule("launchdarkly.counting.flag", "launchdarkly.counting.experiments")
@pytest.mark.parametrize(
    "served",
    [
        {"variations": ["control", "blue"], "serve": "blue"},
        {
            "version": 1,
            "on": True,
            "variations": ["control", "blue"],
            "offVariation": 0,
            "fallthrough": {
                "rollout": {"variations": [{"variation": 0, "weight": 50_000}, {"variation": 1, "weight": 50_000}]}
            },
        },
    ],
)
def test_a_running_experiment_on_a_flag_that_serves_none_is_told(new_lab: Any, served: dict[str, Any]) -> None:
    lab = new_lab(block(flags={"banner": served}))

    [problem] = wired(lab)[1]["banner-test"].problems

    assert (
        problem.text == "fallthrough of the flag banner serves no experiment: SDKs report nobody as part of banner-test"
    )


@pytest.mark.rule("launchdarkly.counting.flag")
def test_a_running_experiment_on_a_flag_that_was_deleted_is_told(new_lab: Any) -> None:
    lab = new_lab(block())
    lab.launchdarkly.flag("banner").delete()

    [problem] = wired(lab)[1]["banner-test"].problems

    assert problem.text == "there is no flag banner any more, by which banner-test is exposed"


@pytest.mark.rule("launchdarkly.counting.randomization-unit")
def test_a_flag_that_divides_up_another_context_kind_is_told(new_lab: Any) -> None:
    parts = [{"variation": 0, "weight": 50_000}, {"variation": 1, "weight": 50_000}]
    rollout = {"kind": "experiment", "contextKind": "org", "variations": parts}
    raw = {"version": 1, "on": True, "variations": ["control", "blue"], "offVariation": 0}
    lab = new_lab(block(flags={"banner": {**raw, "fallthrough": {"rollout": rollout}}}))

    [problem] = wired(lab)[1]["banner-test"].problems

    assert (problem.condition, problem.rule) == ("unit-type", "launchdarkly.counting.randomization-unit")


# ---- the variation that gets the credit


@pytest.mark.rule("launchdarkly.counting.window", "launchdarkly.counting.arrival")
def test_an_event_counts_from_the_arrival_of_the_exposure_for_90_days() -> None:
    first = exposed("1", 0)

    found = COUNTING.assigned(RUNNING, [first])

    assert found.spans == (Span("1", "fallthrough", first.arrived, first.arrived + WINDOW),)
    assert (COUNTING.clock, WINDOW, found.unmet, found.remark) == ("arrived", 90 * DAY, None, None)


@pytest.mark.rule("launchdarkly.counting.first-variation")
def test_the_first_of_several_variations_gets_the_credit() -> None:
    found = COUNTING.assigned(RUNNING, [exposed("0", 0), exposed("1", 1)])

    assert [one.variation for one in found.spans if one.start <= AT + 2 * DAY] == ["0"]
    assert found.remark is not None
    assert (found.remark.condition, found.remark.rule) == ("switched", "launchdarkly.counting.first-variation")
    assert found.remark.text.startswith("the unit had the variation control first, and blue since 2026-11-23T09:00:00")


@pytest.mark.rule("launchdarkly.counting.window")
@pytest.mark.parametrize(
    ("exposures", "expected"),
    [
        ([exposed("0", 0), exposed("0", 10)], [("0", 0, 100)]),
        ([exposed("0", 0), exposed("0", 200)], [("0", 0, 90), ("0", 200, 290)]),
        ([exposed("0", 0), exposed("1", 10)], [("0", 0, 90), ("1", 90, 100)]),
        ([exposed("0", 0), exposed("1", 10), exposed("0", 80)], [("0", 0, 90), ("1", 90, 100), ("0", 100, 170)]),
    ],
)
def test_the_first_variation_is_that_of_the_90_days_before_an_event(
    exposures: list[Exposure], expected: list[tuple[str, float, float]]
) -> None:
    assert spans(*exposures) == expected


@pytest.mark.rule("launchdarkly.counting.first-variation")
def test_another_variation_after_more_than_90_days_is_no_switch() -> None:
    assert COUNTING.assigned(RUNNING, [exposed("0", 0), exposed("1", 200)]).remark is None


# ---- the vendor's own SDK


@contextmanager
def python_client(lab: Lab, environment: str = "") -> Iterator[Any]:
    """Give LaunchDarkly's Python SDK; at the end all of its events have been posted."""
    from ldclient import Config, LDClient

    with LDClient(Config(**lab.launchdarkly.python_options(environment), diagnostic_opt_out=True)) as client:
        assert client.is_initialized()
        yield client


@pytest.mark.rule("launchdarkly.counting.experiments", "launchdarkly.in.experiment", "launchdarkly.in.event-key-exact")
@pytest.mark.trackside(workspace=block())
def test_an_event_of_who_an_sdk_evaluated_the_flag_for_counts(trackside: Lab) -> None:
    from ldclient import Context

    user = Context.create("u-1")
    with python_client(trackside) as client:
        variation = client.variation("banner", user, "none")
        client.track("Order Completed", user)
        client.variation("banner", Context.create("u-2"), "none")
        client.track("order completed", Context.create("u-2"))

    own = trackside.launchdarkly.experiment("banner-test")
    own.expect_counted("u-1", variation=variation, metric="orders")
    own.expect_not_counted("u-2", because="event-key-case")


@pytest.mark.rule("launchdarkly.in.context-match", "launchdarkly.in.experiment")
@pytest.mark.trackside(workspace=block())
def test_an_event_that_is_posted_counts_for_who_an_sdk_evaluated_the_flag_for_and_nobody_else(trackside: Lab) -> None:
    from ldclient import Context

    with python_client(trackside) as client:
        client.variation("banner", Context.create("u-1"), "none")
        client.identify(Context.create("u-2"))
    post(trackside, "u-1")
    post(trackside, "u-2")
    post(trackside, "u-3")

    own = trackside.launchdarkly.experiment("banner-test")
    own.expect_counted("u-1")
    own.expect_not_counted("u-2", because="not-exposed")
    own.expect_not_counted("u-3", because="unknown-id")


def post(lab: Lab, user: str, environment: str = CLIENT_SIDE_ID) -> None:
    """Post a metric event as Segment's destination does."""
    event = {"kind": "custom", "key": "Order Completed", "creationDate": AT, "contextKeys": {"user": user}}
    url = f"{lab.urls['launchdarkly']}/events/bulk/{environment}"
    headers = {"X-LaunchDarkly-Event-Schema": "4"}
    assert urllib3.request("POST", url, json=[event], headers=headers).status == 202


@pytest.mark.rule("launchdarkly.counting.environment")
@pytest.mark.trackside(workspace=block())
def test_what_comes_to_another_environment_does_not_count(trackside: Lab) -> None:
    from ldclient import Context

    with python_client(trackside) as client:
        client.variation("banner", Context.create("u-1"), "none")
    post(trackside, "u-1", "67be1db38b75bf0772d11385")

    trackside.launchdarkly.experiment("banner-test").expect_not_counted("u-1", because="environment")


@pytest.mark.rule("launchdarkly.counting.randomization-unit", "launchdarkly.counting.experiments")
@pytest.mark.trackside(workspace=block(
    metrics={"orders": {**ORDERS, "randomization_units": ["user", "org"]}},
    experiments={"banner-test": {**TEST, "randomization_unit": "org"}},
))  # fmt: skip
def test_an_experiment_on_organizations_divides_up_organizations(trackside: Lab) -> None:
    from ldclient import Context

    both = Context.create_multi(Context.create("u-1"), Context.create("o-1", "org"))
    with python_client(trackside) as client:
        assert client.variation_detail("banner", both, "none").reason["inExperiment"]
        assert "inExperiment" not in client.variation_detail("banner", Context.create("u-2"), "none").reason
        client.track("Order Completed", both)
        client.track("Order Completed", Context.create("u-1"))

    own = trackside.launchdarkly.experiment("banner-test")
    own.expect_counted("o-1")
    [missed] = [one for one in own.verdicts("u-1") if not one.counted]
    assert [one.condition for one in missed.unmet] == ["unit-type"]
