"""Data that server-side SDKs fetch."""

from __future__ import annotations

import json

import pytest

from trackside import catalog
from trackside.launchdarkly.settings import Environment, LaunchDarklySettings

ENVIRONMENTS = {
    "production": {"client_side_id": "57be1db38b75bf0772d11384", "sdk_key": "sdk-local", "mobile_key": "mob-local"},
    "staging": {"client_side_id": "67be1db38b75bf0772d11385"},
}
FLAGS = {
    "new-checkout": True,
    "banner": {
        "serve": {"blue": 50, "green": 50},
        "experiment": True,
        "targets": {"green": ["user-9"]},
        "context_targets": {"organization": {"blue": ["org-1"]}},
        "rules": [{"if": {"country": ["fr"]}, "serve": "green"}, {"segment": "beta", "serve": "blue"}],
    },
}
BLOCK = {"environments": ENVIRONMENTS, "flags": FLAGS, "segments": {"beta": ["user-1"]}}

pytestmark = pytest.mark.trackside(workspace={"launchdarkly": BLOCK})


@pytest.mark.rule("launchdarkly.sdk.all-data", "launchdarkly.contract")
def test_all_data_has_flags_and_segments(ask):
    answer = ask("GET", "/sdk/latest-all", "sdk-local")

    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    data = answer.json()
    assert (sorted(data["flags"]), sorted(data["segments"])) == (["banner", "new-checkout"], ["beta"])
    assert catalog.faults("launchdarkly/server-data", data) == []


@pytest.mark.trackside(workspace={"launchdarkly": {"environments": ENVIRONMENTS}})
@pytest.mark.rule("launchdarkly.sdk.all-data", "launchdarkly.contract")
def test_all_data_has_both_also_where_nothing_is_declared(ask):
    assert ask("GET", "/sdk/latest-all", "sdk-local").json() == {"flags": {}, "segments": {}}


@pytest.mark.rule("launchdarkly.sdk.environment-id")
@pytest.mark.parametrize("path", ["/sdk/latest-all", "/sdk/flags"])
def test_answers_name_the_environment(ask, path):
    assert ask("GET", path, "sdk-local").headers["X-LD-EnvID"] == "57be1db38b75bf0772d11384"


@pytest.mark.rule("launchdarkly.sdk.etag")
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}'])
def test_unchanged_data_is_answered_304(ask, form):
    etag = ask("GET", "/sdk/latest-all", "sdk-local").headers["ETag"]
    answer = ask("GET", "/sdk/latest-all", "sdk-local", headers={"If-None-Match": form.format(etag)})
    assert (answer.status, answer.data, answer.headers["ETag"]) == (304, b"", etag)


@pytest.mark.rule("launchdarkly.sdk.etag")
def test_changed_data_has_another_etag(trackside, ask):
    etag = ask("GET", "/sdk/latest-all", "sdk-local").headers["ETag"]
    trackside.launchdarkly.flag("new-checkout").serve(False)

    answer = ask("GET", "/sdk/latest-all", "sdk-local", headers={"If-None-Match": etag})
    assert answer.status == 200
    assert answer.headers["ETag"] != etag


@pytest.mark.rule("launchdarkly.sdk.etag")
def test_the_same_data_has_the_same_etag_in_another_lab(make_trackside, http):
    def etag():
        url = make_trackside({"launchdarkly": BLOCK}).launchdarkly.url
        return http.request("GET", f"{url}/sdk/latest-all", headers={"Authorization": "sdk-local"}).headers["ETag"]

    assert etag() == etag()


@pytest.mark.rule("launchdarkly.sdk.payload-filter")
def test_a_payload_filter_is_noted_and_everything_served(trackside, ask):
    assert sorted(ask("GET", "/sdk/latest-all?filter=shop", "sdk-local").json()["flags"]) == ["banner", "new-checkout"]

    [finding] = trackside.findings(notes=True)
    assert (finding.step.level, finding.step.rule) == ("note", "launchdarkly.sdk.payload-filter")
    assert "'shop'" in finding.step.text


@pytest.mark.rule("launchdarkly.sdk.php")
def test_the_php_sdk_fetches_flags_and_segments_one_by_one(ask):
    every = ask("GET", "/sdk/flags", "sdk-local").json()

    assert sorted(every) == ["banner", "new-checkout"]
    assert ask("GET", "/sdk/flags/banner", "sdk-local").json() == every["banner"]
    assert ask("GET", "/sdk/segments/beta", "sdk-local").json()["included"] == ["user-1"]


@pytest.mark.rule("launchdarkly.sdk.php")
@pytest.mark.parametrize("path", ["/sdk/flags/nothing", "/sdk/segments/nothing"])
def test_what_is_not_there_is_answered_404_with_a_note(trackside, ask, path):
    assert ask("GET", path, "sdk-local").status == 404
    assert [finding.step.level for finding in trackside.findings(notes=True)] == ["note"]


# ---- keys


SERVER_PATHS = ["/sdk/latest-all", "/sdk/flags", "/sdk/flags/banner", "/sdk/segments/beta", "/all", "/flags"]


@pytest.mark.rule("launchdarkly.events.unknown-key")
@pytest.mark.parametrize("path", SERVER_PATHS)
@pytest.mark.parametrize("key", ["", "sdk-other", "mob-local", "57be1db38b75bf0772d11384"])
def test_an_unknown_sdk_key_is_answered_401(trackside, ask, path, key):
    answer = ask("GET", path, key)

    assert answer.status == 401
    assert answer.json()["message"]
    [finding] = trackside.findings()
    assert (finding.step.level, finding.step.rule) == ("error", "launchdarkly.events.unknown-key")
    assert not key or key not in str(finding)


@pytest.mark.rule("launchdarkly.events.unknown-key")
def test_an_environment_without_a_key_has_no_empty_one(ask):
    assert ask("GET", "/sdk/latest-all", " ").status == 401
    assert ask("GET", "/mping", "").status == 401


@pytest.mark.rule("launchdarkly.events.unknown-key")
def test_where_any_key_is_taken_it_stands_for_the_first_environment():
    settings = LaunchDarklySettings(
        {"production": Environment("a", "sdk-a"), "staging": Environment("b", "sdk-b")}, any_key=True
    )

    assert settings.environment_with("sdk_key", "sdk-b") == "staging"
    assert settings.environment_with("sdk_key", "anything") == "production"
    assert settings.environment_with("sdk_key", "") is None


@pytest.mark.trackside(workspace={"accept_any_key": True})
@pytest.mark.rule("launchdarkly.sdk.all-data")
def test_a_lab_that_declares_nothing_still_serves_sdks(trackside, ask):
    trackside.launchdarkly.flag("banner").serve("blue")
    assert list(ask("GET", "/sdk/latest-all", "any-key").json()["flags"]) == ["banner"]


# ---- whole flags, and environments


@pytest.mark.trackside(
    workspace={
        "launchdarkly": {
            "environments": {**ENVIRONMENTS, "staging": {"client_side_id": "67be", "sdk_key": "sdk-staging"}},
            "flags": {"banner": {"variations": ["a", "b"], "serve": "a", "environments": {"staging": {"serve": "b"}}}},
        }
    }
)
@pytest.mark.rule("launchdarkly.flags.short")
def test_each_sdk_key_has_the_flags_of_its_environment(ask):
    answers = [ask("GET", "/sdk/flags/banner", key).json() for key in ("sdk-local", "sdk-staging")]
    assert [flag["fallthrough"]["variation"] for flag in answers] == [0, 1]


@pytest.mark.rule("launchdarkly.flags.contract")
def test_what_python_and_node_refuse_is_nowhere_in_the_data(ask):
    """Both build their model of what is served; Python's refuses a wrong type, which this would raise."""
    from ldclient.versioned_data_kind import FEATURES, SEGMENTS

    data = json.loads(ask("GET", "/sdk/latest-all", "sdk-local").data)
    assert [FEATURES.decode(flag).key for flag in data["flags"].values()] == list(data["flags"])
    assert [SEGMENTS.decode(segment).key for segment in data["segments"].values()] == list(data["segments"])
