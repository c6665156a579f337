"""LaunchDarkly's REST API: metrics and experiments that are made, started, changed and stopped while SDKs are connected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
import urllib3

from trackside import catalog
from trackside.lab import Lab

CLIENT_SIDE_ID = "57be1db38b75bf0772d11384"
WORKSPACE: dict[str, Any] = {
    "launchdarkly": {
        "environments": {"production": {"client_side_id": CLIENT_SIDE_ID, "sdk_key": "sdk-production"}},
        "access_token": "api-token",
        "flags": {"banner": {"variations": ["control", "blue", "green"], "serve": "control"}},
        "metrics": {"orders": {"event_key": "Order Completed"}},
    }
}
SEMANTIC = "application/json; domain-model=launchdarkly.semanticpatch"
EXPERIMENTS = "/projects/default/environments/production/experiments"
FLAGS = {"banner": {"ruleId": "fallthrough", "flagConfigVersion": 1}}

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


def call(lab: Lab, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Any:
    headers = {"Content-Type": content_type, "Authorization": "api-token"}
    content = orjson.dumps(body) if body is not None else None
    return urllib3.request(method, f"{lab.urls['launchdarkly']}/api/v2{path}", headers=headers, body=content)


def change(lab: Lab, *instructions: dict[str, Any], key: str = "banner-test") -> Any:
    return call(lab, "PATCH", f"{EXPERIMENTS}/{key}", {"instructions": list(instructions)}, SEMANTIC)


def changed(lab: Lab, *instructions: dict[str, Any]) -> Any:
    """Return an experiment after instructions, which are taken and answered as documented."""
    answer = change(lab, *instructions)
    assert answer.status == 200, answer.data
    assert catalog.faults("launchdarkly/experiment", answer.json()) == []
    return answer.json()


def refused(lab: Lab, *instructions: dict[str, Any]) -> str:
    """Return why instructions are refused; they change nothing."""
    path = f"{EXPERIMENTS}/banner-test"
    before = call(lab, "GET", path).json(), fallthrough(lab)
    answer = change(lab, *instructions)
    assert (answer.status, answer.json()["code"]) == (400, "invalid_request")
    assert catalog.faults("launchdarkly/error-answer", answer.json()) == []
    assert (call(lab, "GET", path).json(), fallthrough(lab)) == before
    return str(answer.json()["message"])


def variations(lab: Lab) -> dict[str, str]:
    """Return the ids of the flag's variations by their values."""
    shown = call(lab, "GET", "/flags/default/banner").json()
    return {one["value"]: one["_id"] for one in shown["variations"]}


def fallthrough(lab: Lab) -> Any:
    """Return what the flag serves by default, as SDKs have it."""
    flag = lab.mocks["launchdarkly"].live.item("production", "flags", "banner")
    return flag and flag["fallthrough"]


def iteration(lab: Lab, allocation: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    """Return a new iteration of treatments with percentages, which are named after their variations."""
    ids = variations(lab)
    treatments = [
        {
            "name": value,
            "baseline": value == "control",
            "allocationPercent": percent,
            "parameters": [{"flagKey": "banner", "variationId": ids[value]}],
        }
        for value, percent in (allocation or {"control": "50", "blue": "50"}).items()
    ]
    chosen = {"metrics": [{"key": "orders"}], "primarySingleMetricKey": "orders"}
    return {"hypothesis": "More orders", **chosen, "treatments": treatments, "flags": FLAGS, **fields}


@pytest.fixture
def experiment(trackside: Lab) -> Callable[..., Any]:
    """Return a function that makes the experiment ``banner-test`` of an iteration like `iteration`."""

    def make(allocation: dict[str, str] | None = None, **fields: Any) -> Any:
        posted = {"name": "Banner", "key": "banner-test", "iteration": iteration(trackside, allocation, **fields)}
        answer = call(trackside, "POST", EXPERIMENTS, posted)
        assert answer.status == 201, answer.data
        return answer.json()

    return make


START = {"kind": "startIteration"}


# ---- starting


@pytest.mark.rule("launchdarkly.rest.start-iteration", "launchdarkly.rest.iterations")
def test_an_iteration_that_starts_is_the_current_one_and_the_flag_serves_its_treatments(
    trackside: Lab, experiment: Any
) -> None:
    experiment({"control": "40", "blue": "60"})

    shown = changed(trackside, START)

    current = shown["currentIteration"]
    assert (current["status"], "startedAt" in current, "draftIteration" in shown) == ("running", True, False)
    assert fallthrough(trackside) == {
        "rollout": {
            "kind": "experiment",
            "contextKind": "user",
            "variations": [{"variation": 0, "weight": 40_000}, {"variation": 1, "weight": 60_000}],
        }
    }


@pytest.mark.rule("launchdarkly.rest.start-iteration")
@pytest.mark.parametrize(("other", "variation"), [(None, 0), ("green", 2)])
def test_traffic_that_no_treatment_has_gets_the_baseline_or_another_variation_untracked(
    trackside: Lab, experiment: Any, other: str | None, variation: int
) -> None:
    rest = {"notInExperimentVariationId": variations(trackside)[other]} if other else {}
    experiment({"blue": "10", "control": "10"}, flags={"banner": {**FLAGS["banner"], **rest}})

    changed(trackside, START)

    assert fallthrough(trackside)["rollout"]["variations"] == [
        {"variation": 1, "weight": 10_000},
        {"variation": 0, "weight": 10_000},
        {"variation": variation, "weight": 80_000, "untracked": True},
    ]


@pytest.mark.rule("launchdarkly.rest.start-iteration", "launchdarkly.rest.invalid-request")
def test_an_iteration_does_not_start_while_its_flag_is_off(trackside: Lab, experiment: Any) -> None:
    experiment()
    trackside.launchdarkly.flag("banner").off()

    assert refused(trackside, START) == "the flag 'banner' is off"


@pytest.mark.rule("launchdarkly.rest.start-iteration", "launchdarkly.rest.invalid-request")
@pytest.mark.parametrize(
    ("allocation", "fields", "reason"),
    [
        ({"control": "0", "blue": "0"}, {}, "no treatment has any traffic"),
        ({"control": "60", "blue": "60"}, {}, "the treatments have 120 percent of the traffic"),
        (None, {"flags": {"banner": {"ruleId": "rule-9", "flagConfigVersion": 1}}}, "the flag 'banner' has no rule"),
        (None, {"flags": {}}, "there is no flag ''"),
    ],
)
def test_an_iteration_does_not_start_without_what_it_needs(
    trackside: Lab, experiment: Any, allocation: Any, fields: dict[str, Any], reason: str
) -> None:
    experiment(allocation, **fields)

    assert reason in refused(trackside, START)


@pytest.mark.rule("launchdarkly.rest.start-iteration")
def test_a_treatment_serves_a_variation_of_the_flag(trackside: Lab, experiment: Any) -> None:
    other = {"name": "red", "baseline": True, "allocationPercent": "50"}
    experiment(treatments=[{**other, "parameters": [{"flagKey": "banner", "variationId": "none-such"}]}])

    assert refused(trackside, START) == "the treatment 'red' serves no variation of banner"


@pytest.mark.rule("launchdarkly.rest.start-iteration")
def test_an_experiment_without_a_draft_has_nothing_to_start(trackside: Lab, experiment: Any) -> None:
    experiment()
    changed(trackside, START)

    assert refused(trackside, START) == "the experiment has no iteration to start"


@pytest.mark.rule("launchdarkly.rest.start-iteration", "launchdarkly.rest.iterations")
def test_another_iteration_starts_for_a_reason_and_ends_the_one_before(trackside: Lab, experiment: Any) -> None:
    experiment()
    first = changed(trackside, START)["currentIteration"]
    posted = iteration(trackside, {"control": "20", "green": "80"})
    created = call(trackside, "POST", f"{EXPERIMENTS}/banner-test/iterations", posted)

    assert (created.status, created.json()["status"]) == (200, "not_started")
    assert catalog.faults("launchdarkly/iteration", created.json()) == []
    assert refused(trackside, START) == "an iteration is running, and nothing says why another one starts"
    shown = changed(trackside, {**START, "changeJustification": "Green looks better"})

    assert shown["currentIteration"]["_id"] == created.json()["_id"] != first["_id"]
    [before] = shown["previousIterations"]
    assert (before["_id"], before["status"], "endedAt" in before) == (first["_id"], "stopped", True)


@pytest.mark.rule("launchdarkly.rest.iterations", "launchdarkly.rest.not-found")
def test_an_iteration_of_what_is_not_there_is_refused(trackside: Lab, experiment: Any) -> None:
    posted = iteration(trackside, flags={"nope": FLAGS["banner"]})
    experiment()

    assert call(trackside, "POST", f"{EXPERIMENTS}/nope/iterations", posted).status == 404
    answer = call(trackside, "POST", f"{EXPERIMENTS}/banner-test/iterations", posted)
    assert (answer.status, answer.json()["message"]) == (400, "there is no flag 'nope'")


# ---- stopping


@pytest.mark.rule("launchdarkly.rest.stop-iteration", "launchdarkly.rest.iterations")
def test_a_stopped_iteration_serves_the_treatment_that_won(trackside: Lab, experiment: Any) -> None:
    experiment()
    running = changed(trackside, START)["currentIteration"]
    blue = next(one["_id"] for one in running["treatments"] if one["name"] == "blue")

    stopped = changed(trackside, {"kind": "stopIteration", "winningTreatmentId": blue, "winningReason": "It sells"})

    over = stopped["currentIteration"]
    assert (over["status"], over["winningTreatmentId"], over["winningReason"]) == ("stopped", blue, "It sells")
    assert over["endedAt"] >= over["startedAt"]
    assert fallthrough(trackside) == {"variation": 1}


@pytest.mark.rule("launchdarkly.rest.stop-iteration", "launchdarkly.rest.invalid-request")
def test_a_stop_needs_a_winner_and_an_iteration_that_runs(trackside: Lab, experiment: Any) -> None:
    experiment()
    stop = {"kind": "stopIteration"}

    assert refused(trackside, stop) == "no iteration is running"
    changed(trackside, START)
    assert refused(trackside, stop) == "winningTreatmentId is missing"
    assert refused(trackside, {**stop, "winningTreatmentId": "red"}) == "winningTreatmentId is 'red'"


@pytest.mark.rule("launchdarkly.rest.stop-iteration", "launchdarkly.rest.experiment-patch")
def test_save_and_start_makes_another_iteration_with_changes(trackside: Lab, experiment: Any) -> None:
    experiment()
    first = changed(trackside, START)["currentIteration"]
    treatments = iteration(trackside, {"control": "50", "green": "50"})["treatments"]
    value = {
        "hypothesis": {"operation": "update", "value": "Green sells"},
        "treatments": {"operation": "update", "value": treatments},
        "metrics": {"operation": "add", "value": [{"key": "visits"}]},
    }

    shown = changed(trackside, {"kind": "saveAndStartNewIteration", "value": value})

    second = shown["currentIteration"]
    assert (second["status"], second["hypothesis"]) == ("running", "Green sells")
    assert [one["key"] for one in second["metrics"]] == ["orders", "visits"]
    assert second["_id"] != first["_id"]
    assert [one["status"] for one in shown["previousIterations"]] == ["stopped"]
    assert [one["variation"] for one in fallthrough(trackside)["rollout"]["variations"]] == [0, 2]


@pytest.mark.rule("launchdarkly.rest.stop-iteration")
def test_save_and_start_needs_an_iteration_that_runs(trackside: Lab, experiment: Any) -> None:
    experiment()

    assert refused(trackside, {"kind": "saveAndStartNewIteration"}) == "no iteration is running"


# ---- fields


@pytest.mark.rule("launchdarkly.rest.experiment-patch")
def test_an_experiment_can_be_renamed_described_archived_and_restored(trackside: Lab, experiment: Any) -> None:
    experiment()

    shown = changed(
        trackside,
        {"kind": "updateName", "value": "New"},
        {"kind": "updateDescription", "value": "Why"},
        {"kind": "archiveExperiment"},
    )

    assert (shown["name"], shown["description"], "archivedDate" in shown) == ("New", "Why", True)
    assert refused(trackside, START) == "the experiment is archived"
    assert "archivedDate" not in changed(trackside, {"kind": "restoreExperiment"}, START)


@pytest.mark.rule("launchdarkly.rest.experiment-patch")
def test_fields_of_an_experiment_and_its_draft_are_updated_added_to_and_removed(
    trackside: Lab, experiment: Any
) -> None:
    experiment(randomizationUnit="user")
    value = {
        "name": {"operation": "update", "value": "New"},
        "tags": {"operation": "add", "value": ["web", "shop"]},
        "randomizationUnit": {"operation": "update", "value": "org"},
        "metrics": {"operation": "update", "value": [{"key": "orders"}, {"key": "visits"}]},
        "primarySingleMetricKey": {"operation": "update", "value": "visits"},
    }

    shown = changed(
        trackside,
        {"kind": "updateExperimentFields", "value": value},
        {"kind": "updateExperimentFields", "value": {"tags": {"operation": "remove", "value": ["web"]}}},
    )

    draft = shown["draftIteration"]
    assert (shown["name"], shown["tags"], draft["randomizationUnit"]) == ("New", ["shop"], "org")
    assert ([one["key"] for one in draft["metrics"]], draft["primarySingleMetric"]["key"]) == (["orders", "visits"], "visits")  # fmt: skip


@pytest.mark.rule("launchdarkly.rest.experiment-patch", "launchdarkly.rest.invalid-request")
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"tags": {"operation": "update", "value": "web"}}, "the value of tags is 'web'"),
        ({"tags": {"value": ["web"]}}, "the update of tags has no operation"),
        ({"key": {"operation": "update", "value": "other"}}, "key cannot be changed here"),
        ({"treatments": {"operation": "update", "value": [{"name": "red"}]}}, "is missing"),
        ({"treatments": {"operation": "add", "value": []}}, "treatments have the operation add"),
        ("New", "value is no object of fields"),
    ],
)
def test_fields_that_cannot_be_changed_so_are_refused_with_all_else(
    trackside: Lab, experiment: Any, value: Any, reason: str
) -> None:
    experiment()

    told = refused(
        trackside, {"kind": "updateName", "value": "New"}, {"kind": "updateExperimentFields", "value": value}
    )

    assert reason in told


@pytest.mark.rule("launchdarkly.rest.experiment-patch")
def test_what_is_measured_cannot_be_changed_while_an_iteration_is_running(trackside: Lab, experiment: Any) -> None:
    experiment()
    changed(trackside, START)
    value = {"hypothesis": {"operation": "update", "value": "Fewer orders"}}

    told = refused(trackside, {"kind": "updateExperimentFields", "value": value})

    assert told == "hypothesis cannot be changed of an iteration that has begun"


@pytest.mark.rule("launchdarkly.rest.experiment-patch", "launchdarkly.rest.invalid-request")
def test_a_patch_of_an_experiment_says_that_it_is_semantic(trackside: Lab, experiment: Any) -> None:
    experiment()

    answer = call(trackside, "PATCH", f"{EXPERIMENTS}/banner-test", {"instructions": [START]})

    assert answer.status == 400
    assert "semantic patch" in answer.json()["message"]


# ---- metrics


@pytest.mark.rule("launchdarkly.counting.metrics", "launchdarkly.rest.metrics")
def test_a_metric_of_the_workspace_is_among_the_projects(trackside: Lab) -> None:
    listed = call(trackside, "GET", "/metrics/default").json()

    assert [(one["key"], one["eventKey"]) for one in listed["items"]] == [("orders", "Order Completed")]
    assert call(trackside, "POST", "/metrics/default", {"key": "orders", "kind": "custom", "isNumeric": False, "eventKey": "x"}).status == 409  # fmt: skip


@pytest.mark.rule("launchdarkly.counting.filters", "launchdarkly.rest.invalid-request")
@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        ({"type": "eventProperty", "attribute": "plan", "op": "semVerEqual", "values": ["1.0"]}, "there is no operator 'semVerEqual'"),
        ({"type": "group", "op": "or", "values": [{"type": "eventProperty", "attribute": "plan", "op": "in", "values": ["gold"], "negate": False}]}, "a group of filters is joined by 'or'"),
    ],
)  # fmt: skip
def test_filters_that_cannot_be_counted_are_refused(trackside: Lab, method: str, filters: Any, reason: str) -> None:
    given = {**filters, "negate": False}
    posted: Any = {"key": "gold", "kind": "custom", "isNumeric": False, "eventKey": "Order Completed", "filters": given}
    path, body = ("", posted) if method == "POST" else ("/orders", [{"op": "add", "path": "/filters", "value": given}])

    answer = call(trackside, method, f"/metrics/default{path}", body)

    assert (answer.status, answer.json()["message"]) == (400, reason)


# ---- what counts


@pytest.mark.rule(
    "launchdarkly.rest.start-iteration", "launchdarkly.rest.reaches-sdks", "launchdarkly.counting.iteration"
)
def test_a_connected_sdk_reports_who_is_in_an_iteration_from_its_start_to_its_end(
    trackside: Lab, experiment: Any, soon: Any
) -> None:
    from ldclient import Config, Context, LDClient

    experiment({"blue": "100"})
    user = Context.create("u-1")
    own = trackside.launchdarkly.experiment("banner-test")
    with LDClient(Config(**trackside.launchdarkly.python_options(), diagnostic_opt_out=True)) as client:
        assert client.variation("banner", user, "none") == "control"
        client.track("Order Completed", user)
        client.flush()
        trackside.launchdarkly.expect_event("Order Completed")
        own.expect_not_counted("u-1", because="recording")

        trackside.advance(60)
        running = changed(trackside, START)["currentIteration"]
        assert soon(lambda: client.variation("banner", user, "none") == "blue")
        client.track("Order Completed", user)
        client.flush()
        own.expect_counted("u-1", variation="blue", metric="orders")

        trackside.advance(60)
        changed(trackside, {"kind": "stopIteration", "winningTreatmentId": running["treatments"][0]["_id"]})
        assert soon(lambda: "inExperiment" not in client.variation_detail("banner", user, "none").reason)
        trackside.advance(60)
        client.track("Order Completed", user)

    assert [(one.counted, [unmet.condition for unmet in one.unmet]) for one in own.verdicts("u-1")] == [
        (False, ["outside-iteration"]),
        (True, []),
        (False, ["outside-iteration"]),
    ]
