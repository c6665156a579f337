"""LaunchDarkly's published client for its REST API, which refuses every answer that is not as documented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from trackside.lab import Lab

api = pytest.importorskip("launchdarkly_api", reason="LaunchDarkly's client for its REST API is not installed")

ACCESS = "api-token"
WORKSPACE: dict[str, Any] = {
    "launchdarkly": {
        "environments": {
            "production": {"client_side_id": "57be1db38b75bf0772d11384", "sdk_key": "sdk-production"},
            "staging": {"client_side_id": "67be1db38b75bf0772d11385", "sdk_key": "sdk-staging"},
        },
        "access_token": ACCESS,
        "flags": {
            "banner": {"variations": ["control", "blue"], "serve": {"control": 50, "blue": 50}, "experiment": True}
        },
    }
}

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


@pytest.fixture
def client(trackside: Lab) -> Iterator[Any]:
    """The client with the access token; at the end no call has met a path that there is not."""
    yield connected(trackside, ACCESS)
    assert [finding for finding in trackside.findings() if finding.step.rule == "launchdarkly.unknown-path"] == []


def connected(lab: Lab, token: str) -> Any:
    return api.ApiClient(api.Configuration(host=lab.urls["launchdarkly"], api_key={"ApiKey": token}))


@pytest.mark.rule("launchdarkly.rest.flags", "launchdarkly.rest.flag-list")
def test_the_client_reads_flags(client: Any) -> None:
    flags = api.FeatureFlagsApi(client)

    assert flags.get_feature_flags("default", env="production").total_count == 1
    shown = flags.get_feature_flag("default", "banner")
    assert [one.value for one in shown.variations] == ["control", "blue"]
    assert shown.environments["production"].fallthrough.rollout.experiment_allocation.can_reshuffle


@pytest.mark.rule("launchdarkly.rest.flag-create", "launchdarkly.rest.json-patch", "launchdarkly.rest.flag-delete")
def test_the_client_creates_patches_and_deletes_a_flag(client: Any) -> None:
    flags = api.FeatureFlagsApi(client)
    created = flags.post_feature_flag("default", api.FeatureFlagBody(name="New", key="new", tags=["web"]))
    operation = api.PatchOperation(op="replace", path="/environments/staging/on", value=True)

    changed = flags.patch_feature_flag("default", "new", api.PatchWithComment(patch=[operation], comment="why"))

    assert [one.on for one in created.environments.values()] == [False, False]
    assert [one.on for one in changed.environments.values()] == [False, True]
    flags.delete_feature_flag("default", "new")
    with pytest.raises(api.exceptions.NotFoundException):
        flags.get_feature_flag("default", "new")


@pytest.mark.rule("launchdarkly.rest.metrics", "launchdarkly.rest.json-patch")
def test_the_client_manages_metrics(client: Any) -> None:
    metrics = api.MetricsApi(client)
    posted = api.MetricPost(key="orders", kind="custom", isNumeric=False, eventKey="Order Completed")

    assert metrics.post_metric("default", posted).event_key == "Order Completed"
    assert metrics.get_metrics("default").total_count == 1
    operation = api.PatchOperation(op="replace", path="/name", value="Orders")
    assert metrics.patch_metric("default", "orders", [operation]).name == "Orders"
    assert metrics.get_metric("default", "orders").version == 2
    metrics.delete_metric("default", "orders")
    assert metrics.get_metrics("default").items == []


@pytest.mark.rule("launchdarkly.rest.environments")
def test_the_client_reads_the_project_and_its_environments(client: Any) -> None:
    environments, projects = api.EnvironmentsApi(client), api.ProjectsApi(client)

    assert [one.key for one in environments.get_environments_by_project("default").items] == ["production", "staging"]
    assert environments.get_environment("default", "staging").api_key == "sdk-staging"
    assert [one.key for one in projects.get_projects().items] == ["default"]
    assert projects.get_project("default", expand="environments").environments.total_count == 2


@pytest.mark.rule("launchdarkly.rest.experiments", "launchdarkly.rest.experiment-create")
def test_the_client_reads_and_creates_experiments(client: Any) -> None:
    experiments = api.ExperimentsApi(client)
    [running] = experiments.get_experiments("default", "production").items
    variation = running.current_iteration.treatments[0].parameters[0].variation_id
    parameters = [api.TreatmentParameterInput(flagKey="banner", variationId=variation)]
    treatment = api.TreatmentInput(name="control", baseline=True, allocationPercent="100", parameters=parameters)
    iteration = api.IterationInput(
        hypothesis="More orders",
        metrics=[api.MetricInput(key="orders")],
        primarySingleMetricKey="orders",
        treatments=[treatment],
        flags={"banner": api.FlagInput(ruleId="fallthrough", flagConfigVersion=1)},
    )

    posted = api.ExperimentPost(name="Banner test", key="banner-test", iteration=iteration)
    created = experiments.create_experiment("default", "production", posted)

    assert (running.key, running.current_iteration.status) == ("banner", "running")
    assert created.draft_iteration.status == "not_started"
    assert experiments.get_experiment("default", "production", "banner-test").name == "Banner test"


@pytest.mark.rule(
    "launchdarkly.rest.start-iteration", "launchdarkly.rest.stop-iteration", "launchdarkly.rest.iterations"
)
def test_the_client_starts_and_stops_iterations(client: Any) -> None:
    experiments, where = api.ExperimentsApi(client), ("default", "production", "banner")
    semantic = "application/json; domain-model=launchdarkly.semanticpatch"

    def patch(**instruction: Any) -> Any:
        body = api.ExperimentPatchInput(instructions=[instruction])
        return experiments.patch_experiment(*where, body, _content_type=semantic)

    first = experiments.get_experiment(*where).current_iteration
    second = patch(kind="saveAndStartNewIteration", changeJustification="Once more")
    stopped = patch(kind="stopIteration", winningTreatmentId=first.treatments[1].id)

    assert [one.id for one in second.previous_iterations] == [first.id]
    assert (second.current_iteration.status, stopped.current_iteration.status) == ("running", "stopped")
    assert stopped.current_iteration.winning_treatment_id == first.treatments[1].id


@pytest.mark.rule("launchdarkly.rest.evaluate")
def test_the_client_has_flags_evaluated(client: Any) -> None:
    context = {"kind": "user", "key": "u-1"}

    [banner] = api.ContextsApi(client).evaluate_context_instance("default", "production", context).items

    assert banner.value in ("control", "blue")
    assert (banner.reason.kind, banner.reason.in_experiment) == ("FALLTHROUGH", True)


@pytest.mark.rule("launchdarkly.rest.token-checks")
def test_the_client_checks_its_token(client: Any) -> None:
    other = api.OtherApi(client)

    assert other.get_versions().current_version == 20240415
    assert other.get_caller_identity().auth_kind == "token"


@pytest.mark.rule("launchdarkly.access-token", "launchdarkly.rest.conflict")
def test_the_client_knows_the_errors(trackside: Lab, client: Any) -> None:
    with pytest.raises(api.exceptions.UnauthorizedException):
        api.FeatureFlagsApi(connected(trackside, "api-wrong")).get_feature_flags("default")
    with pytest.raises(api.exceptions.ConflictException):
        api.FeatureFlagsApi(client).post_feature_flag("default", api.FeatureFlagBody(name="x", key="banner"))
    test = api.PatchOperation(op="test", path="/_version", value=99)
    with pytest.raises(api.exceptions.ConflictException):
        api.FeatureFlagsApi(client).patch_feature_flag("default", "banner", api.PatchWithComment(patch=[test]))
