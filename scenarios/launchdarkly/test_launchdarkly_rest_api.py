"""LaunchDarkly's REST API: flags, metrics, environments and experiments, as harnesses and scripts use them."""

from __future__ import annotations

import sys
from typing import Any

import orjson
import pytest
import urllib3

from trackside import catalog
from trackside.lab import Lab
from trackside.launchdarkly.representation import changed_items, flag_representation
from trackside.launchdarkly.rest_patches import merge_patched

TOKEN = "api-token"
CLIENT_SIDE_ID = "57be1db38b75bf0772d11384"
WORKSPACE: dict[str, Any] = {
    "launchdarkly": {
        "environments": {
            "production": {
                "client_side_id": CLIENT_SIDE_ID,
                "sdk_key": "sdk-production",
                "mobile_key": "mob-production",
            },
            "staging": {"client_side_id": "67be1db38b75bf0772d11385", "sdk_key": "sdk-staging"},
        },
        "access_token": TOKEN,
        "flags": {
            "allowed": True,
            "banner": {
                "variations": ["control", "blue"],
                "serve": {"control": 50, "blue": 50},
                "experiment": True,
                "targets": {"blue": ["u-9"]},
                "context_targets": {"organization": {"blue": ["o-9"]}},
                "rules": [{"if": {"country": ["fr"]}, "serve": "blue"}],
            },
        },
    }
}
SEMANTIC = "application/json; domain-model=launchdarkly.semanticpatch"

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


def call(
    lab: Lab, method: str, path: str, body: Any = None, token: str | None = TOKEN, **headers: str
) -> urllib3.BaseHTTPResponse:
    given = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if token is not None:
        given["Authorization"] = token
    content = body if isinstance(body, bytes) or body is None else orjson.dumps(body)
    return urllib3.request(method, f"{lab.urls['launchdarkly']}/api/v2{path}", headers=given, body=content)


def flag(lab: Lab, key: str = "banner") -> Any:
    return call(lab, "GET", f"/flags/default/{key}").json()


def patch(lab: Lab, body: Any, key: str = "banner", **headers: str) -> Any:
    return call(lab, "PATCH", f"/flags/default/{key}", body, **headers)


def replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def evaluated(lab: Lab, environment: str = "production", **context: Any) -> dict[str, Any]:
    path = f"/projects/default/environments/{environment}/flags/evaluate"
    items = call(lab, "POST", path, {"kind": "user", "key": "u-1", **context}).json()["items"]
    return {item["key"]: item["_value"] for item in items}


def only_step(lab: Lab) -> Any:
    [finding] = lab.findings(notes=True)
    return finding.step


# ---- who asks


@pytest.mark.rule("launchdarkly.access-token")
@pytest.mark.parametrize("token", [None, "", "api-wrong", "sdk-production"])
def test_a_call_without_the_access_token_is_answered_401(trackside: Lab, token: str | None) -> None:
    answer = call(trackside, "GET", "/flags/default", token=token)

    assert (answer.status, answer.json()["code"]) == (401, "unauthorized")
    assert catalog.faults("launchdarkly/error-answer", answer.json()) == []
    assert only_step(trackside).rule == "launchdarkly.access-token"


@pytest.mark.rule("launchdarkly.rest.token-checks")
@pytest.mark.parametrize(
    ("path", "contract"),
    [("/versions", "launchdarkly/api-versions"), ("/caller-identity", "launchdarkly/caller-identity")],
)
def test_a_token_can_be_checked_at_small_cost(trackside: Lab, path: str, contract: str) -> None:
    answer = call(trackside, "GET", path)

    assert answer.status == 200
    assert catalog.faults(contract, answer.json()) == []
    assert call(trackside, "GET", path, token="wrong").status == 401


@pytest.mark.rule("launchdarkly.rest.cors")
def test_browsers_of_any_origin_may_call_it(trackside: Lab) -> None:
    asked = {"Origin": "http://tools.test", "Access_Control_Request_Headers": "authorization"}
    preflight = call(trackside, "OPTIONS", "/flags/default/banner", token=None, **asked)

    assert preflight.headers["Access-Control-Allow-Origin"] == "http://tools.test"
    assert {"GET", "PATCH", "DELETE"} <= set(preflight.headers["Access-Control-Allow-Methods"].split(", "))
    assert call(trackside, "GET", "/versions", Origin="http://tools.test").headers["Access-Control-Allow-Origin"]


@pytest.mark.rule("launchdarkly.rest.not-found")
@pytest.mark.parametrize(
    "path",
    [
        "/flags/default/nope",
        "/flags/other",
        "/flags/other/banner",
        "/metrics/default/nope",
        "/projects/other",
        "/projects/default/environments/nope",
        "/projects/default/environments/nope/experiments",
        "/projects/default/environments/production/experiments/nope",
    ],
)
def test_what_does_not_exist_is_answered_404_with_a_note(trackside: Lab, path: str) -> None:
    answer = call(trackside, "GET", path)

    assert (answer.status, answer.json()["code"]) == (404, "not_found")
    assert catalog.faults("launchdarkly/error-answer", answer.json()) == []
    assert (only_step(trackside).rule, only_step(trackside).level) == ("launchdarkly.rest.not-found", "note")


# ---- projects and environments


@pytest.mark.rule("launchdarkly.rest.environments")
def test_an_environment_is_shown_with_its_keys(trackside: Lab) -> None:
    shown = call(trackside, "GET", "/projects/default/environments/production").json()

    assert (shown["_id"], shown["apiKey"], shown["mobileKey"]) == (CLIENT_SIDE_ID, "sdk-production", "mob-production")
    assert catalog.faults("launchdarkly/environment", shown) == []


@pytest.mark.rule("launchdarkly.rest.environments")
def test_environments_are_listed_in_the_workspaces_order(trackside: Lab) -> None:
    listed = call(trackside, "GET", "/projects/default/environments").json()

    assert [one["key"] for one in listed["items"]] == ["production", "staging"]
    assert catalog.faults("launchdarkly/rest-list", listed) == []


@pytest.mark.rule("launchdarkly.rest.environments")
def test_the_workspaces_project_is_listed_and_shown(trackside: Lab) -> None:
    [listed] = call(trackside, "GET", "/projects").json()["items"]
    shown = call(trackside, "GET", "/projects/default?expand=environments").json()

    assert (listed["key"], "environments" in listed) == ("default", False)
    assert [one["key"] for one in shown["environments"]["items"]] == ["production", "staging"]
    assert catalog.faults("launchdarkly/project", shown) == []


# ---- reading flags


@pytest.mark.rule("launchdarkly.rest.flags")
def test_a_flag_is_shown_with_its_configuration_in_each_environment(trackside: Lab) -> None:
    shown = flag(trackside)

    assert (shown["key"], shown["kind"], list(shown["environments"])) == (
        "banner",
        "multivariate",
        ["production", "staging"],
    )
    assert [one["value"] for one in shown["variations"]] == ["control", "blue"]
    assert catalog.faults("launchdarkly/feature-flag", shown) == []


@pytest.mark.rule("launchdarkly.rest.flags")
def test_targets_of_users_and_of_other_kinds_are_shown_apart(trackside: Lab) -> None:
    shown = flag(trackside)["environments"]["production"]

    assert shown["targets"] == [{"values": ["u-9"], "variation": 1, "contextKind": "user"}]
    assert shown["contextTargets"] == [{"values": ["o-9"], "variation": 1, "contextKind": "organization"}]


@pytest.mark.rule("launchdarkly.rest.flags")
def test_an_experiment_is_shown_as_an_allocation(trackside: Lab) -> None:
    rollout = flag(trackside)["environments"]["production"]["fallthrough"]["rollout"]

    assert "kind" not in rollout
    assert rollout["experimentAllocation"] == {"defaultVariation": 0, "canReshuffle": True}
    assert [one["weight"] for one in rollout["variations"]] == [50_000, 50_000]


@pytest.mark.rule("launchdarkly.rest.flags")
def test_true_and_false_make_a_boolean_flag(trackside: Lab) -> None:
    assert flag(trackside, "allowed")["kind"] == "boolean"


@pytest.mark.rule("launchdarkly.rest.flags")
def test_a_flag_can_be_asked_for_in_one_environment(trackside: Lab) -> None:
    shown = call(trackside, "GET", "/flags/default/banner?env=staging").json()

    assert list(shown["environments"]) == ["staging"]


@pytest.mark.rule("launchdarkly.rest.ids")
def test_ids_of_variations_are_the_same_in_every_lab(trackside: Lab, make_trackside: Any) -> None:
    first = [one["_id"] for one in flag(trackside)["variations"]]

    assert first == [one["_id"] for one in flag(make_trackside(WORKSPACE))["variations"]]
    assert len(set(first)) == 2


@pytest.mark.rule("launchdarkly.rest.flag-list")
def test_flags_are_listed_by_key_without_environments(trackside: Lab) -> None:
    listed = call(trackside, "GET", "/flags/default").json()

    assert [(one["key"], "environments" in one) for one in listed["items"]] == [("allowed", False), ("banner", False)]
    assert listed["totalCount"] == 2
    assert catalog.faults("launchdarkly/rest-list", listed) == []
    assert [fault for one in listed["items"] for fault in catalog.faults("launchdarkly/feature-flag", one)] == []


@pytest.mark.rule("launchdarkly.rest.flag-list")
@pytest.mark.parametrize("query", ["env=production", "filter=filterEnv:production"])
def test_a_list_of_flags_shows_the_environment_that_is_asked_for(trackside: Lab, query: str) -> None:
    shown = call(trackside, "GET", f"/flags/default?{query}").json()["items"][1]["environments"]

    assert list(shown) == ["production"]
    assert "rules" not in shown["production"]


@pytest.mark.rule("launchdarkly.rest.flag-list")
def test_a_list_of_flags_shows_rules_without_the_summary(trackside: Lab) -> None:
    listed = call(trackside, "GET", "/flags/default?env=production&summary=0").json()

    assert listed["items"][1]["environments"]["production"]["rules"]


@pytest.mark.rule("launchdarkly.rest.flag-list")
def test_earlier_versions_of_the_api_list_environments_unasked(trackside: Lab) -> None:
    listed = call(trackside, "GET", "/flags/default", LD_API_Version="20220603").json()

    assert list(listed["items"][0]["environments"]) == ["production", "staging"]


@pytest.mark.rule("launchdarkly.rest.flag-list")
def test_a_list_of_flags_can_be_cut_down_by_text_and_tag(trackside: Lab) -> None:
    patch(trackside, [{"op": "add", "path": "/tags/-", "value": "web"}])

    def keys(query: str) -> list[str]:
        return [one["key"] for one in call(trackside, "GET", f"/flags/default?{query}").json()["items"]]

    assert keys("filter=query:BANN") == ["banner"]
    assert keys("tag=web") == ["banner"]
    assert keys("filter=tags:web%2Bother") == []


@pytest.mark.rule("launchdarkly.rest.pages")
def test_a_list_is_answered_in_pages(trackside: Lab) -> None:
    listed = call(trackside, "GET", "/flags/default?limit=1&offset=1").json()

    assert ([one["key"] for one in listed["items"]], listed["totalCount"]) == (["banner"], 2)


@pytest.mark.rule("launchdarkly.rest.pages", "launchdarkly.rest.invalid-request")
@pytest.mark.parametrize("limit", ["all", "-1", "9" * 5_000])
def test_a_limit_that_is_no_number_is_answered_400(trackside: Lab, limit: str) -> None:
    assert call(trackside, "GET", f"/flags/default?limit={limit}").status == 400
    assert only_step(trackside).rule == "launchdarkly.rest.invalid-request"


# ---- creating and deleting flags


@pytest.mark.rule("launchdarkly.rest.flag-create")
def test_a_new_flag_is_true_or_false_and_off_everywhere(trackside: Lab) -> None:
    answer = call(trackside, "POST", "/flags/default", {"name": "New checkout", "key": "new-checkout"})

    assert (answer.status, answer.json()["name"]) == (201, "New checkout")
    assert [one["value"] for one in answer.json()["variations"]] == [True, False]
    assert [one["on"] for one in answer.json()["environments"].values()] == [False, False]
    assert answer.json()["clientSideAvailability"] == {"usingMobileKey": True, "usingEnvironmentId": False}
    assert evaluated(trackside)["new-checkout"] is False


@pytest.mark.rule("launchdarkly.rest.flag-create")
def test_a_new_flag_may_be_on_and_have_variations(trackside: Lab) -> None:
    variations = [{"value": "a", "name": "A"}, {"value": "b"}]
    defaults = {"onVariation": 1, "offVariation": 0}
    posted = {"name": "Size", "key": "size", "variations": variations, "defaults": defaults, "isFlagOn": True}

    created = call(trackside, "POST", "/flags/default", {**posted, "tags": ["web"], "temporary": True}).json()

    assert (created["variations"][0]["name"], created["tags"], created["temporary"]) == ("A", ["web"], True)
    assert evaluated(trackside)["size"] == "b"


@pytest.mark.rule("launchdarkly.rest.conflict")
def test_a_key_that_is_taken_is_answered_409(trackside: Lab) -> None:
    answer = call(trackside, "POST", "/flags/default", {"name": "Banner", "key": "banner"})

    assert (answer.status, answer.json()["code"]) == (409, "conflict")
    assert only_step(trackside).rule == "launchdarkly.rest.conflict"


@pytest.mark.rule("launchdarkly.rest.invalid-request", "launchdarkly.contract")
@pytest.mark.parametrize(
    ("posted", "at"), [({"key": "new"}, "$.name"), ({"name": "New", "key": "new", "tags": "web"}, "$.tags")]
)
def test_a_new_flag_that_breaks_its_contract_is_answered_400_and_told_once(
    trackside: Lab, posted: dict[str, Any], at: str
) -> None:
    answer = call(trackside, "POST", "/flags/default", posted)

    assert (answer.status, answer.json()["code"]) == (400, "invalid_request")
    assert at in answer.json()["message"]
    assert (only_step(trackside).rule, only_step(trackside).at) == ("launchdarkly.contract", at)


@pytest.mark.rule("launchdarkly.rest.invalid-request")
@pytest.mark.parametrize("body", [b"", b"{"])
def test_a_body_that_is_no_json_is_answered_400(trackside: Lab, body: bytes) -> None:
    assert call(trackside, "POST", "/flags/default", body).status == 400
    assert only_step(trackside).rule == "launchdarkly.rest.invalid-request"


@pytest.mark.rule("launchdarkly.rest.checked")
def test_a_default_that_is_no_variation_is_refused(trackside: Lab) -> None:
    defaults = {"onVariation": 7, "offVariation": 0}

    assert call(trackside, "POST", "/flags/default", {"name": "N", "key": "n", "defaults": defaults}).status == 400
    assert call(trackside, "GET", "/flags/default/n").status == 404


@pytest.mark.rule("launchdarkly.rest.flag-delete")
def test_a_deleted_flag_is_gone_from_every_environment(trackside: Lab) -> None:
    answer = call(trackside, "DELETE", "/flags/default/banner")

    assert (answer.status, answer.data) == (204, b"")
    assert "banner" not in evaluated(trackside)
    assert call(trackside, "DELETE", "/flags/default/banner").status == 404


@pytest.mark.rule("launchdarkly.rest.flag-create", "launchdarkly.rest.flag-delete")
def test_a_reset_takes_back_what_was_created_and_deleted(trackside: Lab) -> None:
    call(trackside, "POST", "/flags/default", {"name": "New", "key": "new"})
    call(trackside, "DELETE", "/flags/default/banner")
    patch(trackside, [replace("/name", "Allowed!")], "allowed")

    trackside.reset()

    assert [one["name"] for one in call(trackside, "GET", "/flags/default").json()["items"]] == ["allowed", "banner"]


# ---- patches


@pytest.mark.rule("launchdarkly.rest.json-patch")
@pytest.mark.parametrize("wrap", [lambda operations: operations, lambda operations: {"patch": operations}])
def test_a_json_patch_changes_one_environment(trackside: Lab, wrap: Any) -> None:
    answer = patch(trackside, wrap([replace("/environments/production/on", False)]))

    assert answer.status == 200
    assert [one["on"] for one in answer.json()["environments"].values()] == [False, True]
    assert evaluated(trackside)["banner"] == "control"


@pytest.mark.rule("launchdarkly.rest.json-patch")
def test_a_json_patch_adds_a_target_as_the_documents_show(trackside: Lab) -> None:
    patch(trackside, [{"op": "add", "path": "/environments/production/targets/0/values/-", "value": "u-1"}])
    target = {"variation": 0, "values": ["u-2"]}
    patch(trackside, [{"op": "add", "path": "/environments/production/targets/-", "value": target}])

    assert evaluated(trackside, key="u-1")["banner"] == "blue"
    assert evaluated(trackside, key="u-2")["banner"] == "control"


@pytest.mark.rule("launchdarkly.rest.json-patch")
def test_a_json_patch_of_the_whole_changes_its_name_and_every_environment(trackside: Lab) -> None:
    shown = patch(trackside, [replace("/name", "Banner"), replace("/variations/1/value", "green")]).json()

    assert (shown["name"], shown["variations"][1]["value"]) == ("Banner", "green")
    assert shown["_version"] > 1
    assert [evaluated(trackside, name, key="u-9")["banner"] for name in ("production", "staging")] == ["green", "green"]


@pytest.mark.rule("launchdarkly.rest.ids")
def test_a_variation_keeps_its_id_when_its_value_changes(trackside: Lab) -> None:
    before = flag(trackside)["variations"][1]["_id"]

    patch(trackside, [replace("/variations/1/value", "green")])

    assert flag(trackside)["variations"][1] == {"_id": before, "value": "green"}


@pytest.mark.rule("launchdarkly.rest.conflict")
@pytest.mark.parametrize("path", ["/_version", "/version", "/environments/production/version"])
def test_a_test_of_a_version_that_moved_on_is_answered_409_and_nothing_changes(trackside: Lab, path: str) -> None:
    test = {"op": "test", "path": path, "value": flag(trackside)["_version"]}

    assert patch(trackside, [test, replace("/environments/production/on", False)]).status == 200
    answer = patch(trackside, [test, replace("/environments/production/on", True)])

    assert (answer.status, answer.json()["code"]) == (409, "optimistic_locking_error")
    assert flag(trackside)["environments"]["production"]["on"] is False


@pytest.mark.rule("launchdarkly.rest.invalid-request")
@pytest.mark.parametrize(
    "operation",
    [replace("/nope/here", 1), {"op": "remove", "path": "/nope"}, replace("/variations/7/value", 1), replace("", [])],
)
def test_a_patch_that_leads_nowhere_is_answered_422(trackside: Lab, operation: dict[str, Any]) -> None:
    assert patch(trackside, [operation]).status == 422
    assert only_step(trackside).rule == "launchdarkly.rest.invalid-request"


@pytest.mark.rule("launchdarkly.rest.checked")
@pytest.mark.parametrize(
    "operation",
    [
        replace("/environments/production/on", "yes"),
        replace("/environments/production/offVariation", 7),
        replace("/environments/production/fallthrough", {}),
        replace("/environments/production/fallthrough/rollout/variations/0/weight", 1),
        replace("/environments/production/rules/0/clauses/0/op", 7),
        replace("/environments/production/rules/0/clauses/0/op", "segmentMatch"),
        replace("/environments/production/prerequisites", [{"key": "nope", "variation": 0}]),
        replace("/environments/production/prerequisites", [{"key": "banner", "variation": 0}]),
        {"op": "remove", "path": "/environments/production"},
        {"op": "remove", "path": "/variations"},
    ],
)
def test_a_patch_that_sdks_could_not_take_is_refused_as_a_whole(trackside: Lab, operation: dict[str, Any]) -> None:
    before = flag(trackside)

    answer = patch(trackside, [replace("/name", "Changed"), operation])

    assert (answer.status, answer.json()["code"]) == (400, "invalid_request")
    assert flag(trackside) == before


@pytest.mark.rule("launchdarkly.extra-missing", "launchdarkly.rest.json-patch")
def test_a_json_patch_without_the_extra_is_answered_503_and_names_it(
    trackside: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jsonpatch", None)

    assert patch(trackside, [replace("/name", "x")]).status == 503
    assert (only_step(trackside).rule, only_step(trackside).fix) == (
        "launchdarkly.extra-missing",
        "install trackside[launchdarkly]",
    )


@pytest.mark.rule("launchdarkly.rest.merge-patch")
def test_a_merge_patch_puts_in_place_what_it_names(trackside: Lab) -> None:
    shown = patch(trackside, {"description": "Above the list", "environments": {"staging": {"on": False}}}).json()

    assert shown["description"] == "Above the list"
    assert [one["on"] for one in shown["environments"].values()] == [True, False]


@pytest.mark.rule("launchdarkly.rest.merge-patch")
def test_a_merge_patch_takes_away_what_is_null() -> None:
    assert merge_patched({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"c": None, "d": 3}}) == {"b": {"d": 3}}


@pytest.mark.rule("launchdarkly.rest.dry-run")
def test_a_dry_run_shows_the_flag_as_it_would_be(trackside: Lab) -> None:
    answer = call(
        trackside, "PATCH", "/flags/default/banner?dryRun=true", [replace("/environments/production/on", False)]
    )

    assert answer.json()["environments"]["production"]["on"] is False
    assert flag(trackside)["environments"]["production"]["on"] is True


@pytest.mark.rule("launchdarkly.rest.read-only")
def test_what_begins_with_an_underscore_stays_as_it_is(trackside: Lab) -> None:
    before = flag(trackside)

    patch(trackside, [replace("/_version", 10_000_000), replace("/environments/production/_environmentName", "x")])

    after = flag(trackside)
    assert after["environments"] == before["environments"]
    assert after["_version"] < 10_000_000


@pytest.mark.rule("launchdarkly.rest.read-only")
def test_what_cannot_be_changed_here_is_told(trackside: Lab) -> None:
    answer = patch(trackside, [replace("/archived", True), replace("/name", "Banner")])

    assert (answer.status, answer.json()["archived"], answer.json()["name"]) == (200, False, "Banner")
    step = only_step(trackside)
    assert (step.rule, step.at, step.level) == ("launchdarkly.rest.read-only", "$.archived", "warning")


@pytest.mark.rule("launchdarkly.rest.ids", "launchdarkly.rest.json-patch")
def test_a_rule_or_variation_that_a_patch_adds_needs_no_id(trackside: Lab) -> None:
    clause = {"contextKind": "user", "attribute": "plan", "op": "in", "values": ["gold"], "negate": False}
    rule = {"op": "add", "path": "/environments/production/rules/0", "value": {"variation": 0, "clauses": [clause]}}
    patch(trackside, [rule])
    patch(trackside, [rule, rule])
    answer = patch(trackside, [{"op": "add", "path": "/variations/-", "value": {"value": "yellow"}}] * 2)

    rules = [one["_id"] for one in answer.json()["environments"]["production"]["rules"]]
    variations = [one["_id"] for one in answer.json()["variations"]]
    assert (len(rules), len(variations)) == (len(set(rules)), len(set(variations)))
    assert len(rules) > len(flag(trackside, "banner")["environments"]["staging"]["rules"])
    assert [one["value"] for one in answer.json()["variations"]][-2:] == ["yellow", "yellow"]


@pytest.mark.rule("launchdarkly.rest.flag-list")
def test_a_version_of_the_api_that_is_no_number_is_the_latest(trackside: Lab) -> None:
    answer = call(trackside, "GET", "/flags/default", LD_API_Version="9" * 5_000)
    assert (answer.status, "environments" in answer.json()["items"][0]) == (200, False)


@pytest.mark.rule("launchdarkly.rest.flags")
def test_what_is_shown_means_the_flag_that_sdks_have(trackside: Lab) -> None:
    item = trackside.launchdarkly.live.environments["production"].flags["banner"]
    before = flag_representation("default", "banner", {"production": item}, {})
    emptied = flag_representation("default", "banner", {"production": item}, {})
    emptied["environments"]["production"] |= {
        "targets": [],
        "contextTargets": [],
        "rules": [],
        "fallthrough": {"variation": 0},
    }
    [without] = changed_items(before, emptied, {"production": item}).values()

    [again] = changed_items(emptied, before, {"production": without}).values()

    assert again["fallthrough"] == item["fallthrough"]
    assert again["contextTargets"] == item["contextTargets"]
    assert flag_representation("default", "banner", {"production": again}, {}) == before


# ---- semantic patches


def semantic(
    lab: Lab, *instructions: dict[str, Any], environment: str | None = "production", key: str = "banner"
) -> Any:
    body = {"instructions": list(instructions), "comment": "why"}
    return patch(lab, {**body, **({"environmentKey": environment} if environment else {})}, key, Content_Type=SEMANTIC)


@pytest.mark.rule("launchdarkly.rest.semantic-patch")
def test_an_instruction_turns_a_flag_off_in_one_environment(trackside: Lab) -> None:
    answer = semantic(trackside, {"kind": "turnFlagOff"})

    assert answer.status == 200
    assert [one["on"] for one in answer.json()["environments"].values()] == [False, True]


@pytest.mark.rule("launchdarkly.rest.semantic-patch")
def test_an_unknown_instruction_is_refused_and_none_of_the_others_applies(trackside: Lab) -> None:
    answer = semantic(trackside, {"kind": "turnFlagOff"}, {"kind": "makeCoffee"})

    assert (answer.status, answer.json()["code"]) == (400, "invalid_request")
    assert only_step(trackside).at == "$.instructions[1].kind"
    assert flag(trackside)["environments"]["production"]["on"] is True


@pytest.mark.rule("launchdarkly.rest.semantic-patch")
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ({"instructions": [{"kind": "turnFlagOff"}]}, "application/json"),
        ([replace("/name", "x")], SEMANTIC),
        ({"environmentKey": "production"}, SEMANTIC),
        ({"environmentKey": "nope", "instructions": [{"kind": "turnFlagOff"}]}, SEMANTIC),
        ({"instructions": [{"kind": "turnFlagOff"}]}, SEMANTIC),
    ],
)
def test_a_semantic_patch_needs_its_content_type_instructions_and_environment(
    trackside: Lab, body: Any, content_type: str
) -> None:
    assert patch(trackside, body, Content_Type=content_type).status == 400
    assert only_step(trackside).rule == "launchdarkly.rest.invalid-request"


@pytest.mark.rule("launchdarkly.rest.semantic-patch", "launchdarkly.rest.checked")
def test_weights_that_do_not_add_up_are_refused(trackside: Lab) -> None:
    control, blue = (one["_id"] for one in flag(trackside)["variations"])
    weights = {control: 50_000, blue: 40_000}

    answer = semantic(trackside, {"kind": "updateFallthroughVariationOrRollout", "rolloutWeights": weights})

    assert answer.status == 400
    assert only_step(trackside).text == "the weights add up to 90000"


# ---- SDKs see it


@pytest.mark.rule("launchdarkly.rest.reaches-sdks")
def test_a_patch_reaches_a_connected_sdk_of_that_environment(trackside: Lab) -> None:
    import threading

    from ldclient import Config, Context, LDClient

    client = LDClient(Config(**trackside.launchdarkly.python_options()))
    try:
        assert client.variation("allowed", Context.create("u-1"), None) is True
        changed = threading.Event()
        client.flag_tracker.add_listener(lambda _change: changed.set())

        patch(trackside, [replace("/environments/staging/on", False)], "allowed")
        patch(trackside, [replace("/environments/production/on", False)], "allowed")

        assert changed.wait(5)
        assert client.variation("allowed", Context.create("u-1"), None) is False
    finally:
        client.close()


@pytest.mark.rule("launchdarkly.rest.reaches-sdks")
def test_only_environments_that_changed_get_another_version(trackside: Lab) -> None:
    before = flag(trackside)["environments"]["staging"]["version"]

    patch(trackside, [replace("/environments/production/on", False)])

    assert flag(trackside)["environments"]["staging"]["version"] == before


# ---- evaluating


@pytest.mark.rule("launchdarkly.rest.evaluate")
def test_flags_are_evaluated_for_a_context_with_reasons(trackside: Lab) -> None:
    path = "/projects/default/environments/production/flags/evaluate"
    listed = call(trackside, "POST", path, {"kind": "user", "key": "u-1", "country": "fr"}).json()

    banner = listed["items"][1]
    assert (banner["key"], banner["_value"], banner["reason"]["kind"]) == ("banner", "blue", "RULE_MATCH")
    assert [fault for one in listed["items"] for fault in catalog.faults("launchdarkly/flag-evaluation", one)] == []


@pytest.mark.rule("launchdarkly.rest.evaluate", "launchdarkly.rest.invalid-request")
def test_a_context_without_a_key_is_answered_400(trackside: Lab) -> None:
    path = "/projects/default/environments/production/flags/evaluate"

    assert call(trackside, "POST", path, {"kind": "user"}).status == 400


# ---- metrics

METRIC = {"key": "orders", "kind": "custom", "isNumeric": False, "eventKey": "Order Completed"}


def create_metric(lab: Lab, **fields: Any) -> Any:
    return call(lab, "POST", "/metrics/default", {**METRIC, **fields})


@pytest.mark.rule("launchdarkly.rest.metrics")
def test_a_metric_is_created_read_and_listed(trackside: Lab) -> None:
    created = create_metric(trackside)

    assert created.status == 201
    assert call(trackside, "GET", "/metrics/default/orders").json() == created.json()
    assert call(trackside, "GET", "/metrics/default").json()["items"] == [created.json()]
    assert catalog.faults("launchdarkly/metric", created.json()) == []


@pytest.mark.rule("launchdarkly.rest.metric-defaults")
def test_a_metric_counts_units_and_units_without_events_as_zero_by_default(trackside: Lab) -> None:
    shown = create_metric(trackside).json()

    assert (shown["unitAggregationType"], shown["analysisType"]) == ("average", "mean")
    assert shown["eventDefault"] == {"disabled": False, "value": 0}
    assert (shown["randomizationUnits"], shown["name"]) == (["user"], "orders")


@pytest.mark.rule("launchdarkly.rest.metrics", "launchdarkly.rest.conflict")
def test_the_key_of_a_metric_is_taken_once(trackside: Lab) -> None:
    assert [create_metric(trackside).status, create_metric(trackside).status] == [201, 409]


@pytest.mark.rule("launchdarkly.rest.invalid-request", "launchdarkly.contract")
@pytest.mark.parametrize(
    ("posted", "at"),
    [
        ({**METRIC, "kind": "other"}, "$.kind"),
        ({"key": "orders", "kind": "custom", "isNumeric": False}, "$.eventKey"),
        ({**METRIC, "isNumeric": True}, "$.successCriteria"),
    ],
)
def test_a_metric_that_breaks_its_contract_is_answered_400(trackside: Lab, posted: dict[str, Any], at: str) -> None:
    assert call(trackside, "POST", "/metrics/default", posted).status == 400
    assert (only_step(trackside).rule, only_step(trackside).at) == ("launchdarkly.contract", at)


@pytest.mark.rule("launchdarkly.rest.json-patch", "launchdarkly.rest.metrics")
def test_a_patched_metric_has_the_next_version(trackside: Lab) -> None:
    created = create_metric(trackside).json()
    shown = call(trackside, "PATCH", "/metrics/default/orders", [replace("/name", "Orders")]).json()

    assert (shown["name"], shown["_version"]) == ("Orders", created["_version"] + 1)
    assert shown["_versionId"] != created["_versionId"]


@pytest.mark.rule("launchdarkly.rest.invalid-request")
def test_a_metric_cannot_be_patched_into_something_else(trackside: Lab) -> None:
    create_metric(trackside)

    assert call(trackside, "PATCH", "/metrics/default/orders", [replace("/kind", 7)]).status == 400
    assert call(trackside, "PATCH", "/metrics/default/orders", [replace("", 7)]).status == 422


@pytest.mark.rule("launchdarkly.rest.metrics")
def test_a_deleted_metric_is_gone(trackside: Lab) -> None:
    create_metric(trackside)

    assert call(trackside, "DELETE", "/metrics/default/orders").status == 204
    assert call(trackside, "GET", "/metrics/default/orders").status == 404


@pytest.mark.rule("launchdarkly.rest.goals", "launchdarkly.events.goals")
def test_a_click_metric_is_among_the_goals_of_browsers(trackside: Lab) -> None:
    urls = [{"kind": "exact", "url": "https://example.com/"}]
    create_metric(trackside)
    call(trackside, "POST", "/metrics/default", {"key": "buy", "kind": "click", "selector": ".buy", "urls": urls})

    goals = urllib3.request("GET", f"{trackside.urls['launchdarkly']}/sdk/goals/{CLIENT_SIDE_ID}").json()

    assert goals == [{"key": "buy", "kind": "click", "selector": ".buy", "urls": urls}]
    assert catalog.faults("launchdarkly/goals", goals) == []


# ---- experiments


@pytest.mark.rule("launchdarkly.rest.experiments")
def test_a_flag_that_serves_an_experiment_is_listed_as_one_that_runs(trackside: Lab) -> None:
    listed = call(trackside, "GET", "/projects/default/environments/production/experiments").json()

    assert (listed["total_count"], [one["key"] for one in listed["items"]]) == (1, ["banner"])
    iteration = listed["items"][0]["currentIteration"]
    assert (iteration["status"], iteration["randomizationUnit"]) == ("running", "user")
    assert [(one["name"], one["allocationPercent"]) for one in iteration["treatments"]] == [
        ("control", "50"),
        ("blue", "50"),
    ]
    assert catalog.faults("launchdarkly/experiment", listed["items"][0]) == []


@pytest.mark.rule("launchdarkly.rest.experiments")
def test_a_flag_that_is_off_runs_no_experiment(trackside: Lab) -> None:
    patch(trackside, [replace("/environments/production/on", False)])

    assert call(trackside, "GET", "/projects/default/environments/production/experiments").json()["items"] == []


def experiment(lab: Lab, **fields: Any) -> dict[str, Any]:
    variation = flag(lab)["variations"][0]["_id"]
    parameters = [{"flagKey": "banner", "variationId": variation}]
    treatment = {"name": "control", "baseline": True, "allocationPercent": "100", "parameters": parameters}
    iteration = {
        "hypothesis": "More orders",
        "metrics": [{"key": "orders"}],
        "primarySingleMetricKey": "orders",
        "treatments": [treatment],
        "flags": {"banner": {"ruleId": "fallthrough", "flagConfigVersion": 1}},
    }
    return {"name": "Banner test", "key": "banner-test", "iteration": {**iteration, **fields}}


@pytest.mark.rule("launchdarkly.rest.experiment-create")
def test_a_created_experiment_is_not_started_and_changes_no_flag(trackside: Lab) -> None:
    before = flag(trackside)
    path = "/projects/default/environments/production/experiments"

    created = call(trackside, "POST", path, experiment(trackside))

    assert created.status == 201
    assert created.json()["draftIteration"]["status"] == "not_started"
    assert call(trackside, "GET", f"{path}/banner-test").json() == created.json()
    assert catalog.faults("launchdarkly/experiment", created.json()) == []
    assert flag(trackside) == before


@pytest.mark.rule("launchdarkly.rest.experiment-create", "launchdarkly.rest.invalid-request")
def test_an_experiment_with_a_flag_that_is_not_there_is_refused(trackside: Lab) -> None:
    flags = {"nope": {"ruleId": "fallthrough", "flagConfigVersion": 1}}
    path = "/projects/default/environments/production/experiments"

    assert call(trackside, "POST", path, experiment(trackside, flags=flags)).status == 400


@pytest.mark.rule("launchdarkly.rest.conflict")
def test_the_key_of_an_experiment_is_taken_once(trackside: Lab) -> None:
    path = "/projects/default/environments/production/experiments"

    assert [call(trackside, "POST", path, experiment(trackside)).status for _ in range(2)] == [201, 409]


# ---- a path that there is not


@pytest.mark.rule("launchdarkly.unknown-path")
def test_a_resource_that_is_not_known_here_is_recorded_with_those_that_are(trackside: Lab) -> None:
    assert call(trackside, "GET", "/teams").status == 404
    assert "GET /api/v2/flags/<project>" in only_step(trackside).fix
