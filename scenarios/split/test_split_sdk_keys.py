"""Which keys SDKs may use, and where they ask."""

from __future__ import annotations

import json

import pytest
import urllib3

from trackside import catalog
from trackside.errors import TracksideError

WORKSPACE = {
    "split": {
        "environments": {
            "production": {"sdk_key": "server-key", "client_key": "client-key"},
            "staging": {"sdk_key": "staging-key"},
        },
        "flags": {"banner": {"serve": "on", "environments": {"staging": "off"}}},
        "segments": {"beta": ["user-1"]},
    }
}
TWO_KEYS = {"environments": {"production": {"sdk_key": "server-key", "client_key": "client-key"}}}


def default_of(sdk, key):
    [flag] = json.loads(sdk.ask("/api/splitChanges", key, s="1.3").body)["ff"]["d"]
    return [row["treatment"] for row in flag["conditions"][-1]["partitions"] if row["size"] == 100]


@pytest.mark.rule("split.sdk.key")
@pytest.mark.parametrize(
    "path", ["/api/splitChanges", "/api/segmentChanges/beta", "/api/memberships/u", "/api/v2/auth"]
)
@pytest.mark.parametrize("key", ["wrong-key", ""])
def test_a_key_that_no_environment_has_is_refused_with_a_json_text(make_sdk, path, key):
    answer = make_sdk().ask(path, key)

    assert (answer.status, answer.body) == (401, b'"Invalid credentials"')
    assert catalog.faults("split/error-answer", json.loads(answer.body)) == []
    [step] = answer.steps
    assert (step.rule, step.level, step.at) == ("split.sdk.key", "error", "the Authorization header")


@pytest.mark.rule("split.sdk.key")
def test_a_key_belongs_to_one_environment(make_sdk):
    sdk = make_sdk(**WORKSPACE["split"])

    assert (default_of(sdk, "server-key"), default_of(sdk, "staging-key")) == (["on"], ["off"])


@pytest.mark.rule("split.sdk.key")
@pytest.mark.trackside(workspace={"accept_any_key": True, "split": {"flags": {"banner": "on"}}})
def test_any_key_is_good_where_the_workspace_says_so(trackside):
    url = trackside.split.url + "/api/splitChanges?s=1.3"
    answer = urllib3.request("GET", url, headers={"Authorization": "Bearer whatever"})

    assert [row["name"] for row in answer.json()["ff"]["d"]] == ["banner"]
    assert trackside.split.python_options()["api_key"] == "any-key"


@pytest.mark.rule("split.sdk.key")
@pytest.mark.trackside(workspace={"accept_any_key": True, "split": {"flags": {"banner": "on"}}})
def test_a_request_without_a_key_is_refused_all_the_same(trackside):
    assert urllib3.request("GET", trackside.split.url + "/api/splitChanges?s=1.3").status == 401


# ---- keys of kinds


@pytest.mark.rule("split.sdk.key-kinds")
def test_a_client_side_key_may_not_download_segments(make_sdk):
    sdk = make_sdk(**TWO_KEYS)

    assert sdk.ask("/api/segmentChanges/beta", "client-key").status == 403
    assert sdk.ask("/api/segmentChanges/beta", "server-key").status == 200


@pytest.mark.rule("split.sdk.key-kinds")
def test_a_client_side_key_names_its_users_when_it_asks_for_a_token(make_sdk):
    sdk = make_sdk(**TWO_KEYS)

    assert sdk.ask("/api/v2/auth", "client-key").status == 400
    assert sdk.ask("/api/v2/auth", "client-key", users="user-1").status == 200


@pytest.mark.rule("split.sdk.key-kinds")
def test_a_refused_client_side_key_is_a_finding_that_says_what_to_do(make_sdk):
    sdk = make_sdk(**TWO_KEYS)
    sdk.ask("/api/segmentChanges/beta", "client-key")

    [finding] = sdk.lab.findings()
    assert finding.step.text == "a client-side key may not download segments"
    assert finding.step.fix == "give a server-side SDK the sdk_key of its environment"


@pytest.mark.rule("split.sdk.key-kinds")
def test_one_key_serves_both_kinds_where_no_other_is_declared(make_sdk):
    assert make_sdk().ask("/api/segmentChanges/beta").status == 200


# ---- addresses


@pytest.mark.rule("split.sdk.paths")
@pytest.mark.parametrize("base", ["/api", "", "/api/v1", "/v1"])
@pytest.mark.parametrize("path", ["/splitChanges", "/segmentChanges/beta", "/memberships/user-1", "/mySegments/user-1"])
def test_what_sdks_download_is_under_each_base_that_they_use(make_sdk, base, path):
    assert make_sdk().ask(base + path).status == 200


@pytest.mark.rule("split.sdk.version")
@pytest.mark.parametrize("path", ["/api/version", "/version"])
def test_the_version_is_answered_to_anybody(make_sdk, path):
    assert make_sdk().ask(path, "wrong-key").status == 200


@pytest.mark.rule("split.sdk.options")
@pytest.mark.trackside(workspace=WORKSPACE)
def test_options_for_python_are_the_arguments_of_get_factory(trackside):
    url = trackside.split.url

    assert trackside.split.python_options("staging") == {
        "api_key": "staging-key",
        "sdk_api_base_url": f"{url}/api",
        "events_api_base_url": f"{url}/api",
        "auth_api_base_url": f"{url}/api",
        "telemetry_api_base_url": f"{url}/api",
        "streaming_api_base_url": url,
    }


@pytest.mark.rule("split.sdk.options")
@pytest.mark.trackside(workspace=WORKSPACE)
def test_options_for_javascript_are_the_settings_of_the_factory(trackside):
    url = trackside.split.url

    assert trackside.split.node_options() == {
        "core": {"authorizationKey": "server-key"},
        "urls": {
            "sdk": f"{url}/api",
            "events": f"{url}/api",
            "auth": f"{url}/api",
            "telemetry": f"{url}/api",
            "streaming": url,
        },
    }


@pytest.mark.rule("split.sdk.options")
@pytest.mark.trackside(workspace=WORKSPACE)
def test_a_browser_gets_the_client_side_key_where_there_is_one(trackside):
    keys = [trackside.split.browser_options(name)["core"]["authorizationKey"] for name in ("production", "staging")]

    assert keys == ["client-key", "staging-key"]


@pytest.mark.rule("split.sdk.options")
@pytest.mark.trackside(workspace=WORKSPACE)
def test_options_for_the_admin_client_name_both_versions_of_the_api(trackside):
    url = trackside.split.url

    assert trackside.split.admin_options() == {
        "apikey": "any-key",
        "base_url": f"{url}/internal/api/v2",
        "base_url_v3": f"{url}/internal/api/v3",
    }


@pytest.mark.rule("split.sdk.options")
@pytest.mark.trackside(workspace=WORKSPACE)
def test_an_environment_that_is_not_there_has_no_options(trackside):
    with pytest.raises(TracksideError, match=r"there is no environment 'prod'"):
        trackside.split.python_options("prod")
