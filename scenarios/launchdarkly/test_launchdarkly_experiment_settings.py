"""Metrics and experiments as a workspace declares them, and what is wrong with one that cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trackside import catalog, workspace
from trackside.errors import WorkspaceError
from trackside.launchdarkly.rest import resources

ENVIRONMENTS = {
    "production": {"client_side_id": "57be1db38b75bf0772d11384"},
    "staging": {"client_side_id": "67be1db38b75bf0772d11385"},
}
BANNER = {
    "variations": ["control", "blue"],
    "serve": {"control": 50, "blue": 50},
    "rules": [{"if": {"country": "fr"}, "serve": {"control": 90, "blue": 10}}],
}
ORDERS = {"event_key": "Order Completed"}
TEST: dict[str, Any] = {"flag": "banner", "metrics": ["orders"]}


def block(*, test: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    own = {"flags": {"banner": BANNER}, "metrics": {"orders": ORDERS}}
    experiments = {"experiments": {"banner-test": {**TEST, **(test or {})}}}
    return {"launchdarkly": {"environments": ENVIRONMENTS, **own, **experiments, **more}}


def faults(document: dict[str, Any]) -> list[str]:
    with pytest.raises(WorkspaceError) as caught:
        workspace.load(document)
    return [str(fault) for fault in caught.value.faults]


def rollouts(document: dict[str, Any], environment: str = "production") -> list[dict[str, Any] | None]:
    """Return what the default rule and the first rule of ``banner`` serve."""
    flag = workspace.load(document).declared["launchdarkly"].data[environment]["flags"]["banner"]
    return [flag["fallthrough"].get("rollout"), flag["rules"][0].get("rollout")]


# ---- what they make of flags


@pytest.mark.rule("launchdarkly.counting.experiments")
def test_a_running_experiment_makes_the_percentages_of_its_flag_an_experiment() -> None:
    default, rule = rollouts(block(test={"randomization_unit": "org"}))

    assert default is not None
    assert rule is not None
    assert (default["kind"], default["contextKind"], rule["kind"]) == ("experiment", "org", "rollout")


@pytest.mark.rule("launchdarkly.counting.experiments")
def test_an_experiment_is_on_one_rule_of_its_flag() -> None:
    default, rule = rollouts(block(test={"rule": "rule-1"}))

    assert default is not None
    assert rule is not None
    assert (default["kind"], rule["kind"]) == ("rollout", "experiment")


@pytest.mark.rule("launchdarkly.counting.experiments", "launchdarkly.counting.environment")
@pytest.mark.parametrize(
    ("test", "environment"),
    [({"status": "not_started"}, "production"), ({"status": "stopped"}, "production"), ({}, "staging")],
)
def test_a_flag_whose_experiment_is_not_running_there_serves_a_plain_rollout(
    test: dict[str, Any], environment: str
) -> None:
    default, _ = rollouts(block(test=test), environment)

    assert default is not None
    assert default["kind"] == "rollout"


@pytest.mark.rule("launchdarkly.counting.experiments")
def test_a_flag_of_a_flag_file_stays_as_it_is(tmp_path: Path) -> None:
    rollout = '{"variations": [{"variation": 0, "weight": 50000}, {"variation": 1, "weight": 50000}]}'
    flag = f'{{"key": "menu", "version": 1, "on": true, "variations": [1, 2], "fallthrough": {{"rollout": {rollout}}}}}'
    (tmp_path / "flags.json").write_text(f'{{"flags": {{"menu": {flag}}}}}', encoding="utf-8")
    file = tmp_path / "trackside.yaml"
    file.write_text(
        "launchdarkly:\n"
        "  environments: {production: {client_side_id: 57be1db38b75bf0772d11384}}\n"
        "  flags_file: flags.json\n"
        "  experiments: {menu-test: {flag: menu}}\n",
        encoding="utf-8",
    )

    menu = workspace.load(file).declared["launchdarkly"].data["production"]["flags"]["menu"]

    assert "kind" not in menu["fallthrough"]["rollout"]


# ---- as the REST API has them


@pytest.mark.rule("launchdarkly.counting.metrics", "launchdarkly.counting.experiments")
def test_what_is_declared_is_as_the_api_would_have_made_it(new_lab: Any) -> None:
    filters = {"type": "eventProperty", "attribute": "plan", "values": ["gold"]}
    clicks = {"kind": "click", "urls": [{"kind": "exact", "url": "https://shop.test/"}], "selector": ".buy"}
    numeric = {**ORDERS, "is_numeric": True, "unit": "EUR", "filters": filters, "name": "Orders"}
    lab = new_lab(block(metrics={"orders": numeric, "buy": clicks}))

    own = resources(lab.mocks["launchdarkly"].live)

    assert [fault for one in own.metrics.values() for fault in catalog.faults("launchdarkly/metric", one)] == []
    posted = {name: value for name, value in own.metrics["orders"].items() if not name.startswith("_")}
    assert catalog.faults("launchdarkly/metric-post", posted) == []
    assert (posted["unit"], posted["eventKey"], posted["filters"]["op"]) == ("EUR", "Order Completed", "in")
    [shown] = own.experiments.values()
    assert catalog.faults("launchdarkly/experiment", shown) == []
    assert shown["currentIteration"]["primarySingleMetric"]["key"] == "orders"


@pytest.mark.rule("launchdarkly.rest.iterations", "launchdarkly.counting.iteration")
def test_iterations_that_are_over_are_shown_as_previous_ones(new_lab: Any) -> None:
    over = {"status": "stopped", "started_at": "2026-11-01", "ended_at": "2026-11-02"}
    iterations = [over, {"started_at": "2026-11-03"}]
    lab = new_lab(block(test={"iterations": iterations}))

    [shown] = resources(lab.mocks["launchdarkly"].live).experiments.values()

    assert [one["status"] for one in shown["previousIterations"]] == ["stopped"]
    assert shown["currentIteration"]["status"] == "running"
    assert catalog.faults("launchdarkly/experiment", shown) == []


@pytest.mark.rule("launchdarkly.counting.metrics")
def test_a_reset_and_another_workspace_bring_back_what_is_declared(new_lab: Any) -> None:
    lab = new_lab(block())
    live = lab.mocks["launchdarkly"].live
    del resources(live).metrics["orders"]

    lab.reset()

    assert list(resources(live).metrics) == ["orders"]
    lab.configure(block(metrics={"orders": ORDERS, "clicks": {"event_key": "Clicked"}}))
    assert list(resources(live).metrics) == ["orders", "clicks"]


# ---- what cannot be


@pytest.mark.rule("launchdarkly.counting.experiments")
@pytest.mark.parametrize(
    ("test", "what", "field", "fix"),
    [
        ({"flag": "baner"}, "there is no flag 'baner'", "flag", "did you mean banner?"),
        ({"environment": "prod"}, "there is no environment 'prod'", "environment", "use one of: production, staging"),
        ({"rule": "rule-2"}, "the flag 'banner' has no rule 'rule-2'", "rule", "did you mean rule-1?"),
        ({"metrics": ["orders", "order"]}, "there is no metric 'order'", "metrics[1]", "did you mean orders?"),
        (
            {"primary_metric": "revenue"},
            "the primary metric 'revenue' is none of the experiment's",
            "primary_metric",
            "use one of: orders",
        ),
    ],
)
def test_what_an_experiment_names_has_to_be_there(test: dict[str, Any], what: str, field: str, fix: str) -> None:
    with pytest.raises(WorkspaceError) as caught:
        workspace.load(block(test=test))

    [fault] = caught.value.faults
    assert (fault.what, fault.fix) == (what, fix)
    assert fault.where.endswith(f'$.launchdarkly.experiments["banner-test"].{field}')


@pytest.mark.rule("launchdarkly.counting.iteration")
@pytest.mark.parametrize(
    ("test", "fault", "at"),
    [
        ({"started_at": "yesterday"}, "started_at is 'yesterday', which is no moment", ".started_at"),
        ({"status": "stopped", "started_at": "2026-11-01", "ended_at": "soon"}, "ended_at is 'soon'", ".ended_at"),
        ({"status": "stopped", "started_at": "2026-11-02", "ended_at": "2026-11-01"}, "before it started", ".ended_at"),
        ({"ended_at": "2026-11-01"}, "it is running and ended at 2026-11-01", ".ended_at"),
        ({"status": "stopped", "started_at": "2026-11-01"}, "it is stopped, and nothing says when", ".ended_at"),
        ({"status": "not_started", "started_at": "2026-11-01"}, "it has not started and has started_at", ".started_at"),
        ({"iterations": [{}], "status": "stopped"}, "banner-test has iterations, and a status", '["banner-test"]'),
        ({"iterations": [{}, {}]}, "the iteration before it is running", ".iterations[1]"),
        (
            {
                "iterations": [
                    {"status": "stopped", "started_at": "2026-11-01", "ended_at": "2026-11-05"},
                    {"started_at": "2026-11-04"},
                ]
            },
            "it started at 2026-11-04, before the one before it ended at 2026-11-05",
            ".iterations[1].started_at",
        ),
    ],
)
def test_iterations_have_moments_that_follow_on_one_another(test: dict[str, Any], fault: str, at: str) -> None:
    [told] = faults(block(test=test))

    assert fault in told
    assert at in told


@pytest.mark.rule("launchdarkly.counting.experiments")
def test_two_experiments_cannot_run_on_the_same_rule() -> None:
    both = {"banner-test": TEST, "banner-again": TEST}

    assert "banner-test runs on the same rule of the flag 'banner'" in faults(block(experiments=both))[0]
    over = {"banner-test": {**TEST, "status": "stopped"}, "banner-again": TEST}
    workspace.load(block(experiments=over))
    elsewhere = {"banner-test": TEST, "banner-again": {**TEST, "environment": "staging"}}
    workspace.load(block(experiments=elsewhere))


@pytest.mark.rule("launchdarkly.in.event-key-exact", "launchdarkly.in.metric-kinds", "launchdarkly.counting.filters")
@pytest.mark.parametrize(
    ("metric", "at"),
    [
        ({}, "$.launchdarkly.metrics.orders.event_key"),
        ({"kind": "click", "selector": ".buy"}, "$.launchdarkly.metrics.orders.urls"),
        (
            {**ORDERS, "filters": {"type": "group", "op": "or", "values": [{"type": "eventProperty"}]}},
            "$.launchdarkly.metrics.orders.filters.op",
        ),
    ],
)
def test_a_metric_has_what_its_kind_needs(metric: dict[str, Any], at: str) -> None:
    assert any(at in fault for fault in faults(block(metrics={"orders": metric})))
