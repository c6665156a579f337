"""Which key may download what, where it travels, and the options that carry it."""

from __future__ import annotations

import pytest

from trackside import catalog

STATSIG = {"server_secret": "secret-local", "client_key": "client-local", "console_key": "console-local"}

pytestmark = pytest.mark.trackside(workspace={"statsig": STATSIG})

DOWNLOADS = ["/v1/download_config_specs", "/v2/download_config_specs", "/v1/get_id_lists"]


@pytest.mark.rule("statsig.sdk.key")
@pytest.mark.parametrize("path", DOWNLOADS)
def test_the_server_secret_in_the_path_is_enough(call, path):
    assert call(f"{path}/secret-local.json").status == 200


@pytest.mark.rule("statsig.sdk.key")
@pytest.mark.parametrize("path", DOWNLOADS)
@pytest.mark.parametrize("key", ["secret-wrong", "client-local", "console-local"])
def test_any_other_key_is_refused(call, trackside, path, key):
    answer = call(f"{path}/{key}.json", statsig_api_key=key)

    assert answer.status == 401
    assert catalog.faults("statsig/error-answer", answer.json()) == []
    [finding] = trackside.findings()
    assert (finding.step.rule, finding.step.level) == ("statsig.sdk.key", "error")
    assert key not in str(finding.step)


@pytest.mark.rule("statsig.sdk.key")
def test_a_key_of_another_kind_is_told_by_its_kind(call, trackside):
    call("/v2/download_config_specs/client-local.json")

    [finding] = trackside.findings()
    assert finding.step.text == "the key in the path is the project's client key, which cannot do this"
    assert finding.step.fix == "start the SDK with the workspace's server secret key"


@pytest.mark.rule("statsig.sdk.key")
def test_a_request_without_a_key_is_refused(call):
    assert call("/v1/get_id_lists", {}).status == 401
    assert call("/v1/initialize", {"user": {}}).status == 401


@pytest.mark.rule("statsig.sdk.key")
@pytest.mark.parametrize(
    ("key", "status"), [("client-local", 200), ("secret-local", 200), ("console-local", 401), ("client-wrong", 401)]
)
def test_values_of_one_user_are_for_client_and_server_keys(call, key, status):
    assert call(f"/v1/initialize?k={key}", {"user": {"userID": "u-1"}}).status == status


@pytest.mark.trackside(workspace={"accept_any_key": True, "statsig": {"server_secret": "secret-local"}})
@pytest.mark.rule("statsig.sdk.key")
@pytest.mark.parametrize(("key", "status"), [("secret-other", 200), ("anything", 200), ("client-other", 401)])
def test_a_project_that_takes_any_key_still_tells_kinds_apart(call, key, status):
    assert call(f"/v2/download_config_specs/{key}.json").status == status


@pytest.mark.trackside(workspace={"statsig": {}})
@pytest.mark.rule("statsig.sdk.key")
def test_a_project_without_keys_refuses_every_key(call):
    assert call("/v2/download_config_specs/secret-local.json").status == 401


# ---- options


@pytest.mark.rule("statsig.sdk.options", "statsig.sdk.exception-host")
def test_the_options_of_each_sdk_point_here(trackside):
    url = trackside.statsig.url

    assert trackside.statsig.python_options()["api"] == f"{url}/v1/"
    assert trackside.statsig.python_core_options()["specs_url"] == f"{url}/v2/download_config_specs"
    assert trackside.statsig.node_options()["api"] == f"{url}/v1"
    assert trackside.statsig.node_core_options()["idListsUrl"] == f"{url}/v1/get_id_lists"
    assert trackside.statsig.browser_options()["networkConfig"] == {
        "api": f"{url}/v1",
        "sdkExceptionUrl": f"{url}/v1/sdk_exception",
    }


@pytest.mark.rule("statsig.sdk.options")
def test_the_python_sdks_take_their_options(trackside):
    import statsig_python_core

    import statsig

    assert statsig.StatsigOptions(**trackside.statsig.python_options()).rulesets_sync_interval == 1
    assert statsig_python_core.StatsigOptions(**trackside.statsig.python_core_options()).enable_id_lists is True
