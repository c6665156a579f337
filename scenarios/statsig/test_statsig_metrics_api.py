"""The Console API's metrics and counts, and what the console shows of events: Metrics, the log stream, exposures by day."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import urllib3

from trackside import Lab, catalog
from trackside.counting.model import Period
from trackside.errors import TracksideError
from trackside.statsig.counting import COUNTING
from trackside.statsig.metrics import named, resolved
from trackside.statsig.metrics_view import day_of, events_by_day, log_stream
from trackside.statsig.settings import StatsigSettings
from trackside.statsig.specs import spec

STATSIG: dict[str, Any] = {
    "server_secret": "secret-local",
    "console_key": "console-local",
    "id_types": ["companyID"],
    "metrics": {"revenue": {"type": "sum", "metric_events": [{"name": "purchase"}], "tags": ["shop"]}},
    "gates": {"half": 50},
    "dynamic_configs": {"banner": {"color": "blue"}},
    "experiments": {
        "checkout": {
            "groups": {"control": {"color": "red"}, "test": {"color": "blue"}},
            "primary_metrics": ["revenue", "segment::Order Completed"],
            "start_time": "2026-11-01T00:00:00Z",
        },
        "later": {"groups": {"a": {}, "b": {}}, "active": False},
    },
    "day_utc_offset": 0,
}
SOURCE = {
    "sources": {"web": {"write_key": "wk_web", "destinations": ["to-statsig"]}},
    "destinations": {"to-statsig": {"type": "statsig", "api_key": "secret-local"}},
}
NOON = 1_795_348_800_000  # 2026-11-22T12:00:00Z
DAY = 86_400_000

pytestmark = pytest.mark.trackside(workspace={"segment": SOURCE, "statsig": STATSIG})


@pytest.fixture
def console(call: Any) -> Any:
    """Return a function that asks the Console API: status and answer."""

    def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = call(f"/console/v1{path}", body, method, statsig_api_key="console-local")
        return answer.status, orjson.loads(answer.data)

    return ask


def log(call: Any, name: str, user: dict[str, Any], at: int = NOON, **more: Any) -> None:
    """Post an event as an SDK does."""
    event = {"eventName": name, "user": user, "time": at, **more}
    assert call("/v1/log_event", {"events": [event]}, statsig_api_key="secret-local").status == 202


def expose(call: Any, rule_id: str, unit: str, at: int = NOON) -> None:
    metadata = {"config": "checkout", "ruleID": rule_id, "rulePassed": "true"}
    log(call, "statsig::config_exposure", {"userID": unit}, at, metadata=metadata)


def counted(lab: Lab) -> dict[str, Any]:
    return {one.key: one for one in COUNTING.metrics(lab.workspace.statsig, lab.statsig.live)}


# ---- metrics

ORDERS = {
    "name": "orders over 10",
    "type": "event_count_custom",
    "unitTypes": ["companyID"],
    "metricEvents": [
        {"name": "purchase", "criteria": [{"type": "value", "condition": ">", "values": ["10"]}]},
    ],
}


@pytest.mark.rule("statsig.console.metrics")
def test_a_metric_is_made_and_counted(console: Any, trackside: Lab) -> None:
    status, answer = console("POST", "/metrics", ORDERS)

    assert (status, answer["message"]) == (201, "Metric created successfully.")
    data = answer["data"]
    assert (data["id"], data["unitTypes"]) == ("orders over 10::event_count_custom", ["companyID"])
    assert data["lineage"] == {"events": ["purchase"], "metrics": []}
    assert not list(catalog.faults("statsig/console-metric-answer", answer))
    one = counted(trackside)["orders over 10::event_count_custom"]
    assert (one.event, one.units, [each.operator for each in one.filters]) == ("purchase", ("companyID",), [">"])
    assert one.place == "/console/v1/metrics/orders over 10::event_count_custom"


@pytest.mark.rule("statsig.console.metrics")
def test_a_dry_run_makes_nothing(console: Any) -> None:
    assert console("POST", "/metrics", {**ORDERS, "dryRun": True})[0] == 201
    assert console("GET", "/metrics/orders%20over%2010::event_count_custom")[0] == 404


@pytest.mark.rule("statsig.console.metrics")
def test_metrics_are_listed_and_found_by_tag(console: Any) -> None:
    console("POST", "/metrics", {**ORDERS, "tags": "big"})

    def ids(query: str = "") -> list[str]:
        status, answer = console("GET", f"/metrics/list{query}")
        assert status == 200
        return [row["id"] for row in answer["data"]]

    assert ids() == ["orders over 10::event_count_custom", "revenue::sum"]
    assert (ids("?tags=shop"), ids("?tags=big")) == (["revenue::sum"], ["orders over 10::event_count_custom"])


@pytest.mark.rule("statsig.console.metrics")
@pytest.mark.parametrize("path", ["/metrics/revenue::sum", "/metrics/revenue/sum"])
def test_a_metric_of_the_workspace_is_read_by_its_id_or_name_and_type(console: Any, path: str) -> None:
    status, answer = console("GET", path)

    assert (status, answer["data"]["id"], answer["data"]["metricEvents"]) == (
        200,
        "revenue::sum",
        [{"name": "purchase", "type": "value", "criteria": []}],
    )


@pytest.mark.rule("statsig.console.metrics")
def test_a_metric_that_is_renamed_stays_under_its_id(console: Any, trackside: Lab) -> None:
    change = {"name": "income", "unitTypes": ["userID", "companyID"], "directionality": "decrease"}
    status, answer = console("POST", "/metrics/revenue::sum", change)

    assert (status, answer["message"]) == (200, "Metric updated successfully.")
    assert (answer["data"]["id"], answer["data"]["name"]) == ("revenue::sum", "income")
    assert counted(trackside)["revenue::sum"].units == ("userID", "companyID")


@pytest.mark.rule("statsig.console.metrics")
def test_a_deleted_metric_is_gone_until_the_lab_is_reset(console: Any, trackside: Lab) -> None:
    assert console("DELETE", "/metrics/revenue::sum") == (200, {"message": "Metric deleted successfully."})
    assert console("GET", "/metrics/revenue::sum")[0] == 404
    assert counted(trackside) == {}

    trackside.reset()
    assert list(counted(trackside)) == ["revenue::sum"]


@pytest.mark.rule("statsig.console.metrics", "statsig.counting.metric-types")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "ratio"}, "metrics of the type ratio are not counted here"),
        ({"name": "revenue", "type": "sum"}, 'the metric "revenue::sum" exists'),
        ({"unitTypes": ["teamID"]}, 'there is no unit type "teamID"'),
        ({"metricEvents": []}, "the metric has no event"),
        ({"type": "sum", "metricEvents": [{"name": "a", "type": "count"}]}, "a sum of count is not counted here"),
        ({"metricEvents": [{"name": "a", "type": "count_distinct"}]}, "a event_count_custom of count_distinct is not"),
        ({"type": "mean", "metricEvents": [{"name": "a", "type": "metadata"}]}, "no key of the metadata is named"),
        (
            {"metricEvents": [{"name": "a", "criteria": [{"type": "user", "condition": "is_null"}]}]},
            "no field is named",
        ),
        ({"type": "event_user", "rollupTimeWindow": "custom"}, 'the window "custom" is not counted here'),
    ],
)
def test_what_cannot_be_counted_is_refused(console: Any, change: Any, message: str) -> None:
    status, answer = console("POST", "/metrics", {**ORDERS, **change})

    assert (status, answer["message"][: len(message)]) == (400, message)


@pytest.mark.rule("statsig.console.metrics", "statsig.counting.criteria")
def test_a_criterion_of_warehouse_native_is_refused(console: Any) -> None:
    events = [{"name": "a", "criteria": [{"type": "value", "condition": "sql_filter", "values": ["1=1"]}]}]
    status, answer = console("POST", "/metrics", {**ORDERS, "metricEvents": events})

    assert (status, answer["message"][:26]) == (400, 'condition is "sql_filter".')


@pytest.mark.rule("statsig.console.metrics", "statsig.counting.event-user")
def test_an_event_user_metric_of_one_time_events_is_a_conversion(console: Any, trackside: Lab) -> None:
    body = {"name": "buyers", "type": "event_user", "rollupTimeWindow": "max", "metricEvents": [{"name": "purchase"}]}
    assert console("POST", "/metrics", body)[0] == 201

    assert counted(trackside)["buyers::event_user"].measure == "conversion"


# ---- values


@pytest.mark.rule("statsig.console.metric-values", "statsig.counting.auto-metrics")
def test_the_values_of_a_day_are_listed_by_unit_type(console: Any, call: Any) -> None:
    log(call, "purchase", {"userID": "u-1"}, value=5)
    log(call, "purchase", {"userID": "u-2", "customIDs": {"companyID": "c-1"}}, value="2.5")
    log(call, "purchase", {"userID": "u-1"}, NOON - DAY, value=100)
    log(call, "purchase", {"userID": "u-1", "statsigEnvironment": {"tier": "staging"}}, value=100)
    status, answer = console("GET", "/metrics/values?date=2026-11-22")

    assert status == 200
    assert not list(catalog.faults("statsig/console-metric-values", answer))
    rows = {(row["metricName"], row["metricType"], row["unitType"]): row["value"] for row in answer["data"]}
    assert rows == {
        ("purchase", "event_count", "overall"): 2,
        ("purchase", "event_count", "userID"): 2,
        ("purchase", "event_count", "companyID"): 1,
        ("revenue", "sum", "overall"): 7.5,
        ("revenue", "sum", "userID"): 7.5,
    }


@pytest.mark.rule("statsig.console.metric-values", "statsig.counting.criteria")
def test_events_that_do_not_meet_the_criteria_have_no_value(console: Any, call: Any) -> None:
    console("POST", "/metrics", {**ORDERS, "unitTypes": ["userID"]})
    for value in (5, 50, None):
        log(call, "purchase", {"userID": "u-1"}, value=value)

    _, answer = console("GET", "/metrics?id=orders%20over%2010::event_count_custom&date=2026-11-22")
    assert [(row["unit_type"], row["value"]) for row in answer["data"]] == [("overall", 1), ("userID", 1)]


@pytest.mark.rule("statsig.console.metric-values")
def test_values_are_chosen_by_name_and_type(console: Any, call: Any) -> None:
    log(call, "purchase", {"userID": "u-1"}, value=5)

    _, answer = console("GET", "/metrics/values?date=2026-11-22&metricName=revenue")
    assert {row["metricName"] for row in answer["data"]} == {"revenue"}
    _, answer = console("GET", "/metrics/values?date=2026-11-22&metricType=event_count")
    assert {row["metricName"] for row in answer["data"]} == {"purchase"}


@pytest.mark.rule("statsig.console.metric-values")
def test_the_value_of_one_metric_is_read_by_its_id(console: Any, call: Any) -> None:
    log(call, "purchase", {"userID": "u-1"}, value=5)
    status, answer = console("GET", "/metrics?id=revenue::sum&date=2026-11-22")

    assert status == 200
    assert not list(catalog.faults("statsig/console-metric-value", answer))
    assert [(row["unit_type"], row["value"]) for row in answer["data"]] == [("overall", 5), ("userID", 5)]


@pytest.mark.rule("statsig.console.metric-values")
@pytest.mark.parametrize("metric", ["revenue::sum", "nothing::event_count"])
def test_a_day_without_events_has_the_value_0(console: Any, metric: str) -> None:
    _, answer = console("GET", f"/metrics?id={metric}&date=2026-11-22")

    assert [(row["unit_type"], row["value"]) for row in answer["data"]] == [("overall", 0)]


@pytest.mark.rule("statsig.console.metric-values")
@pytest.mark.parametrize(
    ("query", "status"), [("id=other::sum&date=2026-11-22", 404), ("id=revenue::sum", 400), ("id=revenue::sum&date=2026-13-01", 400)]
)  # fmt: skip
def test_an_unknown_metric_or_day_is_told(console: Any, query: str, status: int) -> None:
    assert console("GET", f"/metrics?{query}")[0] == status


@pytest.mark.rule("statsig.console.metric-values", "statsig.counting.event-user")
def test_metrics_of_units_count_them_and_have_no_overall_value(console: Any, call: Any) -> None:
    console("POST", "/metrics", {"name": "buyers", "type": "event_user", "metricEvents": [{"name": "purchase"}]})
    for unit in ("u-1", "u-1", "u-2"):
        log(call, "purchase", {"userID": unit})

    _, answer = console("GET", "/metrics/values?date=2026-11-22&metricName=buyers")
    assert [(row["unitType"], row["value"]) for row in answer["data"]] == [("userID", 2)]


# ---- unit ID types


@pytest.mark.rule("statsig.console.unit-id-types", "statsig.in.id-type-known")
def test_a_unit_id_type_is_read_changed_and_deleted(console: Any, trackside: Lab) -> None:
    assert console("GET", "/unit_id_types/companyID")[1]["data"] == {"name": "companyID", "description": ""}
    changed = console("PATCH", "/unit_id_types/companyID", {"description": "A customer's company."})
    assert (changed[0], changed[1]["data"]["description"]) == (200, "A customer's company.")
    assert console("DELETE", "/unit_id_types/companyID")[0] == 200

    assert console("GET", "/unit_id_types/companyID")[0] == 400
    assert COUNTING.unit_types(trackside.workspace.statsig, trackside.statsig.live) == ["userID", "stableID"]
    with pytest.raises(TracksideError, match="has no ID type"):
        trackside.statsig.joined("companyID", "c-1")
    [checkout] = [
        one
        for one in COUNTING.experiments(trackside.workspace.statsig, trackside.statsig.live)
        if one.key == "checkout"
    ]
    assert checkout.problems == ()


@pytest.mark.rule("statsig.console.unit-id-types", "statsig.in.id-type-known")
def test_a_unit_id_type_that_is_made_counts_as_declared(console: Any, trackside: Lab) -> None:
    assert console("POST", "/unit_id_types", {"name": "teamID"})[0] == 201
    assert console("GET", "/unit_id_types/teamID")[0] == 200

    assert COUNTING.unit_types(trackside.workspace.statsig, trackside.statsig.live)[-1] == "teamID"


# ---- exposures


@pytest.mark.rule("statsig.console.exposure-counts")
def test_exposures_of_the_past_days_are_counted(console: Any, call: Any, trackside: Lab) -> None:
    now = round(trackside.clock.now() * 1000)
    for days in (0, 0.5, 3, 8):
        expose(call, "test", "u-1", now - round(days * DAY))
    log(call, "statsig::gate_exposure", {"userID": "u-1"}, now, metadata={"gate": "half", "gateValue": "true", "ruleID": "everyone"})  # fmt: skip
    status, answer = console("GET", "/exposure_count?experiments=checkout,later&gates=half&dynamicConfigs=banner")

    assert (status, answer["message"]) == (200, "Exposure count fetched successfully.")
    assert not list(catalog.faults("statsig/console-exposure-count", answer))
    assert answer["data"] == {
        "gates": [{"id": "half", "pastDay": 1, "past7Days": 1}],
        "experiments": [
            {"id": "checkout", "pastDay": 2, "past7Days": 3},
            {"id": "later", "pastDay": 0, "past7Days": 0},
        ],
        "dynamicConfigs": [{"id": "banner", "pastDay": 0, "past7Days": 0}],
    }


@pytest.mark.rule("statsig.console.exposure-counts")
def test_a_layers_exposure_is_one_of_its_experiment(console: Any, call: Any, trackside: Lab) -> None:
    metadata = {"config": "page", "ruleID": "test", "allocatedExperiment": "checkout", "parameterName": "color"}
    now = round(trackside.clock.now() * 1000)
    log(call, "statsig::layer_exposure", {"userID": "u-1"}, now, metadata=metadata)

    [row] = console("GET", "/exposure_count?experiments=checkout")[1]["data"]["experiments"]
    assert row["pastDay"] == 1


@pytest.mark.rule("statsig.console.exposure-counts")
def test_more_than_25_names_are_refused(console: Any) -> None:
    assert console("GET", f"/exposure_count?gates={','.join(map(str, range(26)))}")[0] == 400


@pytest.mark.rule("statsig.console.exposure-counts", "statsig.counting.day")
def test_units_of_each_group_are_cumulated_by_day(console: Any, call: Any, trackside: Lab) -> None:
    today = round(trackside.clock.now() * 1000) // DAY * DAY
    expose(call, "test", "u-1", today - 2 * DAY)
    expose(call, "test", "u-1", today)
    expose(call, "control", "u-2", today - DAY)
    expose(call, "test", "u-3", today)
    expose(call, "test:userID:id_override", "u-4", today)
    expose(call, "test", "u-5", 1_793_491_200_000 - 1)  # before its start
    metadata = {"config": "checkout", "ruleID": "test"}
    log(call, "statsig::config_exposure", {"customIDs": {"companyID": "c-1"}}, today, metadata=metadata)
    staging = {"userID": "u-6", "statsigEnvironment": {"tier": "staging"}}
    log(call, "statsig::config_exposure", staging, today, metadata=metadata)
    status, answer = console("GET", "/experiments/checkout/cumulative_exposures")

    assert (status, answer["message"]) == (200, "Successfully loaded Cumulative Exposures")
    assert not list(catalog.faults("statsig/console-cumulative-exposures", answer))
    assert {row["groupName"]: [day["exposures"] for day in row["results"]] for row in answer["data"]} == {
        "control": [0, 1, 1],
        "test": [1, 1, 2],
    }
    assert [day["date"] for day in answer["data"][0]["results"]] == [
        day_of(today - back * DAY, 0) for back in (2, 1, 0)
    ]


@pytest.mark.rule("statsig.console.exposure-counts")
def test_an_experiment_without_exposures_has_no_days(console: Any) -> None:
    _, answer = console("GET", "/experiments/later/cumulative_exposures")

    assert [row["results"] for row in answer["data"]] == [[], []]


# ---- an experiment's life


def period(lab: Lab, name: str) -> tuple[Period, ...]:
    every = COUNTING.experiments(lab.workspace.statsig, lab.statsig.live)
    return next(one.periods for one in every if one.key == name)


@pytest.mark.rule("statsig.counting.period", "statsig.console.experiments.start")
def test_an_experiment_that_the_api_starts_counts_from_then_on(console: Any, trackside: Lab) -> None:
    assert period(trackside, "later") == ()
    console("PUT", "/experiments/later/start")
    [started] = period(trackside, "later")

    assert started.end is None
    assert started.start == console("GET", "/experiments/later")[1]["data"]["startTime"]


@pytest.mark.rule("statsig.counting.period", "statsig.console.experiments.decision")
def test_a_decision_ends_the_period_and_archiving_does_not_move_its_end(console: Any, trackside: Lab) -> None:
    console("PUT", "/experiments/checkout/make_decision", {"id": "test", "decisionReason": "it won"})
    [decided] = period(trackside, "checkout")
    trackside.advance(60)
    console("PUT", "/experiments/checkout/archive")

    assert decided.end is not None
    assert decided.start == 1_793_491_200_000  # 2026-11-01, as the workspace has it
    assert period(trackside, "checkout") == (decided,)


@pytest.mark.rule("statsig.counting.period")
def test_after_a_reset_it_begins_anew(console: Any, trackside: Lab) -> None:
    console("PUT", "/experiments/checkout/reset")
    assert period(trackside, "checkout") == ()
    console("PUT", "/experiments/checkout/start")

    [again] = period(trackside, "checkout")
    assert again.start is not None
    assert again.start > 1_793_491_200_000


@pytest.mark.rule("statsig.counting.period")
def test_an_experiment_that_never_started_counts_nothing_when_it_is_archived(console: Any, trackside: Lab) -> None:
    of_a_file = spec("of_a_file", "experiment", {}, [], isActive=False)
    trackside.statsig.live.put("experiment", of_a_file)
    for name in ("later", "of_a_file"):
        console("PUT", f"/experiments/{name}/archive")

        assert period(trackside, name) == ()


@pytest.mark.rule("statsig.counting.period", "statsig.counting.auto-metrics")
def test_the_api_shows_the_scorecard_and_times_of_the_workspace(console: Any) -> None:
    data = console("GET", "/experiments/checkout")[1]["data"]

    assert (data["startTime"], data["endTime"]) == (1_793_491_200_000, None)
    assert data["primaryMetrics"] == [
        {"name": "revenue", "type": "sum"},
        {"name": "segment::Order Completed", "type": "event_count"},
    ]


@pytest.mark.rule("statsig.counting.unit")
def test_the_scorecard_of_an_experiment_that_the_api_made_is_looked_at(console: Any, trackside: Lab) -> None:
    groups = [{"name": name, "size": 50, "parameterValues": {}} for name in ("a", "b")]
    body = {"name": "by company", "idType": "companyID", "groups": groups, "status": "active"}
    console("POST", "/experiments", {**body, "primaryMetrics": [{"name": "revenue", "type": "sum"}]})

    every = COUNTING.experiments(trackside.workspace.statsig, trackside.statsig.live)
    [made] = [one for one in every if one.key == "by_company"]
    assert [each.condition for each in made.problems] == ["metric-unit"]
    assert made.place == "/console/v1/experiments/by_company"


@pytest.mark.rule("statsig.counting.groups")
def test_a_group_that_everyone_is_served_has_no_share(trackside: Lab) -> None:
    trackside.statsig.experiment("checkout").serve("test")

    every = COUNTING.experiments(trackside.workspace.statsig, trackside.statsig.live)
    [one] = [each for each in every if each.key == "checkout"]
    assert [(each.name, each.share) for each in one.variations] == [("control", 0), ("test", 0)]


# ---- what a metric is asked for by


@pytest.mark.rule("statsig.counting.auto-metrics")
def test_a_name_of_several_metrics_needs_its_type() -> None:
    rows: Any = {"orders::sum": {"name": "orders"}, "orders::mean": {"name": "orders"}}

    with pytest.raises(TracksideError, match="orders is the name of several metrics: orders::sum, orders::mean"):
        resolved("orders", rows)
    assert resolved("orders::sum", rows) == "orders::sum"
    assert named("gone::sum", rows) == {"name": "gone", "type": "sum"}


# ---- Metrics and the log stream


@pytest.mark.rule("statsig.metrics.view", "statsig.in.metrics")
def test_events_are_counted_by_name_and_day(call: Any, trackside: Lab) -> None:
    for unit in ("u-1", "u-1", "u-2"):
        log(call, "purchase", {"userID": unit})
    log(call, "purchase", {"userID": "u-1"}, NOON - DAY)
    log(call, "purchase", {"userID": "u-9", "statsigEnvironment": {"tier": "staging"}})
    log(call, "anonymous", {"customIDs": {"companyID": "c-1"}})

    assert trackside.statsig.metrics() == [
        {
            "event": "anonymous",
            "metric": "anonymous::event_count",
            "unit_type": "userID",
            "count": 1,
            "dau": 0,
            "days": {"2026-11-22": {"count": 1, "dau": 0}},
        },
        {
            "event": "purchase",
            "metric": "purchase::event_count",
            "unit_type": "userID",
            "count": 4,
            "dau": 2,
            "days": {"2026-11-21": {"count": 1, "dau": 1}, "2026-11-22": {"count": 3, "dau": 2}},
        },
    ]
    assert [row["dau"] for row in trackside.statsig.metrics("companyID")] == [1, 0]
    assert [row["count"] for row in trackside.statsig.metrics(environment="")] == [1, 5]


@pytest.mark.rule("statsig.metrics.view", "statsig.in.id-type-known")
def test_units_of_an_unknown_id_type_cannot_be_counted(trackside: Lab) -> None:
    with pytest.raises(TracksideError, match="the project has no ID type 'teamID'"):
        trackside.statsig.metrics("teamID")


@pytest.mark.rule("statsig.metrics.log-stream", "statsig.in.log-stream")
def test_the_log_stream_shows_segments_events_with_their_source(trackside: Lab) -> None:
    body = {"writeKey": "wk_web", "event": "Order Completed", "userId": "u-1", "properties": {"revenue": 5}, "timestamp": "2026-11-22T12:00:00Z", "context": {"locale": "de"}}  # fmt: skip
    urllib3.request("POST", f"{trackside.segment.url}/v1/track", json=body)
    trackside.statsig.expect_event("segment::Order Completed")

    assert trackside.statsig.log_stream() == [
        {
            "timestamp": NOON,
            "event": "segment::Order Completed",
            "userID": "u-1",
            "user": {"locale": "de"},
            "value": None,
            "metadata": {"revenue": "5"},
            "environment": "production",
            "source": "segment v1.0",
        }
    ]


@pytest.mark.rule("statsig.metrics.log-stream")
def test_the_log_stream_is_of_production_unless_it_is_switched(call: Any, trackside: Lab) -> None:
    log(call, "first", {"userID": "u-1"})
    log(call, "second", {"userID": "u-1", "statsigEnvironment": {"tier": "staging"}})
    log(call, "third", {"userID": "u-1"})

    assert [one["event"] for one in trackside.statsig.log_stream()] == ["third", "first"]
    assert [one["event"] for one in trackside.statsig.log_stream(all_environments=True)] == ["third", "second", "first"]


def kept(name: str) -> dict[str, Any]:
    return {"eventName": name, "time": 0, "value": None, "user": {}, "metadata": {}, "statsigMetadata": {}}


@pytest.mark.rule("statsig.metrics.log-stream")
def test_the_log_stream_has_the_last_hundred() -> None:
    found = log_stream(kept(str(number)) for number in range(150, 0, -1))

    assert (len(found), found[0]["event"], found[-1]["event"], found[0]["source"]) == (100, "150", "51", "")


@pytest.mark.rule("statsig.counting.day", "statsig.metrics.view")
def test_days_begin_at_utc_minus_8_by_default() -> None:
    offset = round(StatsigSettings().day_utc_offset * 3_600_000)
    [row] = events_by_day([{**kept("late"), "time": NOON - 5 * 3_600_000}], "userID", "production", offset)

    assert list(row["days"]) == ["2026-11-21"]
    assert day_of(10**18, 0) == ""


@pytest.mark.rule("statsig.metrics.view", "statsig.metrics.log-stream")
def test_the_control_api_tells_the_same(call: Any, trackside: Lab) -> None:
    log(call, "purchase", {"userID": "u-1"})
    log(call, "purchase", {"userID": "u-1", "statsigEnvironment": {"tier": "staging"}})

    def ask(path: str) -> Any:
        return urllib3.request("GET", f"{trackside.urls['admin']}/statsig/{path}").json()

    assert ask("metrics") == trackside.statsig.metrics()
    assert ask("metrics?environment=all&unit_type=stableID")[0]["count"] == 2
    assert ask("log-stream") == trackside.statsig.log_stream()
    assert len(ask("log-stream?environment=all")) == 2
    assert len(ask("log-stream?environment=all&limit=1")) == 1
    assert ask("metrics?unit_type=teamID")["error"]["what"] == "the project has no ID type 'teamID'"
