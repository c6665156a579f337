"""The Console API: events read back, and gates, experiments, configs, layers and segments that SDKs see changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import urllib3

from trackside import catalog
from trackside.errors import TracksideError
from trackside.statsig.console_rules import TYPES, as_conditions, as_rows, as_rules
from trackside.statsig.id_lists import id_hash
from trackside.statsig.settings import StatsigSettings
from trackside.statsig.short import project_of
from trackside.statsig.specs import document, spec

STATSIG: dict[str, Any] = {
    "server_secret": "secret-local",
    "client_key": "client-local",
    "console_key": "console-local",
    "id_types": ["companyID"],
    "gates": {"new_checkout": True, "for_company": {"id_type": "companyID", "pass": 0}},
    "dynamic_configs": {"banner": {"color": "blue"}},
    "experiments": {
        "checkout": {
            "groups": {"control": {"color": "red"}, "test": {"color": "blue"}},
            "layer": "page",
            "users": {"test": ["u-1"]},
        },
        "later": {"groups": {"a": {"n": 1}, "b": {"n": 2}}, "active": False},
    },
    "layers": {"page": {"color": "grey", "size": 1}},
    "id_lists": {"members": ["u-1"]},
}
TWO = [
    {"name": "a", "size": 100, "parameterValues": {"n": 1}},
    {"name": "b", "size": 0, "parameterValues": {"n": 2}},
]
STAFF = {
    "name": "Staff",
    "passPercentage": 100,
    "conditions": [{"type": "email", "operator": "str_ends_with_any", "targetValue": ["@example.com"]}],
}

pytestmark = pytest.mark.trackside(workspace={"statsig": STATSIG})


class Console:
    """The Console API and what SDKs see of it."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def __call__(self, method: str, path: str, body: Any = None, key: str = "console-local") -> tuple[int, Any]:
        headers = {"statsig_api_key": key} if key else {}
        answer = self._call(f"/console/v1{path}", body, method, **headers)
        return answer.status, orjson.loads(answer.data)

    def data(self, method: str, path: str, body: Any = None) -> Any:
        """Return the data of an answer that has to be a success."""
        status, answer = self(method, path, body)
        assert status in (200, 201), answer
        return answer.get("data")

    def evaluate(self, path: str, **body: Any) -> Any:
        """Return what the HTTP API evaluates."""
        return orjson.loads(self._call(f"/v1/{path}", body, statsig_api_key="secret-local").data)

    def gate(self, name: str, **user: Any) -> bool:
        passes: bool = self.evaluate("check_gate", gateName=name, user=user)["value"]
        return passes

    def config(self, name: str, **user: Any) -> Any:
        return self.evaluate("get_config", configName=name, user=user)["value"]

    def layer(self, name: str, **user: Any) -> Any:
        return self.evaluate("get_layer", layerName=name, user=user)["value"]


@pytest.fixture
def console(call: Any) -> Console:
    return Console(call)


# ---- keys, errors, pages


@pytest.mark.rule("statsig.console.key", "statsig.contract")
@pytest.mark.parametrize("key", ["secret-local", "client-local", "console-wrong"])
def test_any_other_key_is_refused_in_the_apis_words(console: Console, key: str) -> None:
    status, answer = console("GET", "/gates", key=key)
    assert status == 401
    assert answer["message"].startswith("This endpoint only accepts an active CONSOLE key")
    assert key not in answer["message"]
    assert catalog.faults("statsig/console-error", answer) == []


@pytest.mark.rule("statsig.console.key")
def test_a_request_without_key_is_forbidden(console: Console) -> None:
    assert console("GET", "/gates", key="") == (403, {"status": 403, "message": "Forbidden resource"})


@pytest.mark.rule("statsig.console.not-found", "statsig.contract")
@pytest.mark.parametrize(
    "path",
    ["/gates/no", "/experiments/no", "/dynamic_configs/no", "/layers/no", "/segments/no", "/segments/no/id_list"],
)
def test_what_does_not_exist_is_not_found(trackside: Any, console: Console, path: str) -> None:
    status, answer = console("GET", path)
    assert status == 404
    assert catalog.faults("statsig/console-error", answer) == []
    trackside.expect_no_findings()


@pytest.mark.rule("statsig.console.body", "statsig.contract")
def test_a_body_that_breaks_its_contract_is_refused_and_told_once(trackside: Any, console: Console) -> None:
    status, answer = console("POST", "/gates", {"name": "beta", "isEnabled": "yes"})
    assert status == 400
    assert catalog.faults("statsig/console-error", answer) == []
    assert [(finding.step.rule, finding.step.at) for finding in trackside.findings()] == [
        ("statsig.contract", "$.isEnabled")
    ]


@pytest.mark.rule("statsig.console.body")
@pytest.mark.parametrize("body", [b"{", b"[]", None])
def test_a_body_that_is_no_object_is_refused(console: Console, body: Any) -> None:
    assert console("POST", "/gates", body)[0] == 400


@pytest.mark.rule("statsig.console.body")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/gates", {"name": "new_checkout"}),
        ("/dynamic_configs", {"name": "checkout"}),
        ("/layers", {"name": "page", "idType": "userID"}),
        ("/experiments", {"name": "banner"}),
        ("/segments", {"name": "members", "type": "id_list"}),
        ("/unit_id_types", {"name": "companyID"}),
    ],
)
def test_a_name_that_is_taken_is_refused(console: Console, path: str, body: dict[str, Any]) -> None:
    assert console("POST", path, body)[0] == 400


@pytest.mark.rule("statsig.console.pages", "statsig.contract")
def test_a_list_comes_in_pages(console: Console) -> None:
    _, answer = console("GET", "/gates?limit=1&page=2")
    assert [row["id"] for row in answer["data"]] == ["for_company"]
    assert answer["pagination"] == {
        "itemsPerPage": 1,
        "pageNumber": 2,
        "totalItems": 2,
        "nextPage": None,
        "previousPage": "/console/v1/gates?page=1&limit=1",
        "all": "/console/v1/gates",
    }
    assert catalog.faults("statsig/console-list", answer) == []


@pytest.mark.rule("statsig.console.pages")
@pytest.mark.parametrize("query", ["limit=0", "limit=x", "page=-1", "page=0"])
def test_a_page_that_cannot_be_is_refused(console: Console, query: str) -> None:
    assert console("GET", f"/gates?{query}")[0] == 400


# ---- events, unit ID types


@pytest.mark.rule("statsig.console.events", "statsig.contract")
def test_events_are_read_back_the_latest_first(console: Console, call: Any) -> None:
    user, sdk = {"userID": "u-1"}, {"sdkType": "statsig-node"}
    events = [
        {"eventName": "purchase", "user": user, "time": 1720567284328, "value": 42.0, "metadata": {"sku": "s-1"}},
        {"eventName": "seen", "time": 1720567284329, "user": {"customIDs": {"companyID": "c-1"}}},
        {"eventName": "statsig::gate_exposure", "user": user, "time": 3, "metadata": {"gate": "new_checkout", "gateValue": "true", "ruleID": "r"}},
    ]  # fmt: skip
    call("/v1/log_event", {"events": events, "statsigMetadata": sdk}, statsig_api_key="secret-local")
    _, answer = console("GET", "/events")
    source = {"source": "statsig-node"}
    assert answer["data"] == [
        {"timestamp": "1720567284329", "name": "seen", **source, "value": "", "userID": "", "metadata": {}},
        {"timestamp": "1720567284328", "name": "purchase", **source, "value": "42", "userID": "u-1", "metadata": {"sku": "s-1"}},
    ]  # fmt: skip
    assert catalog.faults("statsig/console-events", answer) == []


@pytest.mark.rule("statsig.console.events", "statsig.console.pages")
def test_events_are_read_back_by_name(console: Console, call: Any) -> None:
    events = [{"eventName": name, "user": {"userID": "u-1"}, "time": 1} for name in ("purchase", "seen", "purchase")]
    call("/v1/log_event", {"events": events}, statsig_api_key="secret-local")
    assert [row["name"] for row in console.data("GET", "/events/purchase")] == ["purchase"] * 2
    assert console.data("GET", "/events/other") == []
    _, answer = console("GET", "/events?limit=2")
    assert answer["pagination"]["nextPage"] == "/console/v1/events?page=2&limit=2"
    assert "totalItems" not in answer["pagination"]


@pytest.mark.rule("statsig.console.events")
def test_an_event_from_segment_is_read_back_as_well(trackside: Any) -> None:
    from trackside.statsig.console import list_events
    from trackside.wire import Request

    record = {"eventName": "segment::Sign Up", "time": 1, "value": None, "user": {}, "metadata": {}}
    trackside.statsig.live.records, kept = lambda: iter([record]), trackside.statsig.live.records
    answer = list_events(Request("GET", "/console/v1/events"), trackside.statsig.live, {})
    trackside.statsig.live.records = kept
    assert [row["name"] for row in orjson.loads(answer.body)["data"]] == ["segment::Sign Up"]


@pytest.mark.rule("statsig.console.unit-id-types")
def test_unit_id_types_can_be_made(console: Console) -> None:
    assert console("POST", "/unit_id_types", {"name": "teamID", "description": "A team."})[0] == 201
    assert console.data("GET", "/unit_id_types") == [
        {"name": "companyID", "description": ""},
        {"name": "teamID", "description": "A team."},
    ]


# ---- gates


@pytest.mark.rule("statsig.console.gates", "statsig.console.ids", "statsig.contract")
def test_a_gate_that_is_made_is_seen_by_sdks(console: Console) -> None:
    status, answer = console("POST", "/gates", {"name": "Staff Only", "description": "For us.", "rules": [STAFF]})
    assert (status, answer["data"]["id"], answer["data"]["name"]) == (201, "staff_only", "Staff Only")
    assert catalog.faults("statsig/console-gate-answer", answer) == []
    assert console.gate("staff_only", email="ada@example.com")
    assert not console.gate("staff_only", email="ada@elsewhere.com")


@pytest.mark.rule("statsig.console.gates")
def test_a_gate_without_rules_passes_for_nobody(console: Console) -> None:
    console("POST", "/gates", {"name": "beta"})
    assert not console.gate("beta", userID="u-1")


@pytest.mark.rule("statsig.console.gates", "statsig.contract")
def test_a_gate_of_the_workspace_can_be_read(console: Console) -> None:
    _, answer = console("GET", "/gates/new_checkout")
    assert answer["message"] == "Gate read successfully."
    assert [rule["conditions"][0]["type"] for rule in answer["data"]["rules"]] == ["public"]
    assert catalog.faults("statsig/console-gate-answer", answer) == []


@pytest.mark.rule("statsig.console.gates")
def test_a_changed_gate_keeps_what_the_body_does_not_name(console: Console) -> None:
    console("POST", "/gates", {"name": "beta", "description": "Old.", "rules": [STAFF]})
    row = console.data("PATCH", "/gates/beta", {"description": "New."})
    assert (row["description"], row["rules"][0]["name"], row["version"]) == ("New.", "Staff", 2)
    assert console.data("PATCH", "/gates/beta", {"rules": []})["rules"] == []
    assert not console.gate("beta", email="ada@example.com")


@pytest.mark.rule("statsig.console.gates")
def test_the_rules_of_an_answer_can_be_sent_again(console: Console) -> None:
    row = console.data("POST", "/gates", {"name": "beta", "rules": [STAFF]})
    assert console.data("PATCH", "/gates/beta", {"rules": row["rules"]})["rules"] == row["rules"]


@pytest.mark.rule("statsig.console.gates")
def test_a_gate_that_is_deleted_is_gone(console: Console) -> None:
    assert console("DELETE", "/gates/new_checkout") == (200, {"message": "Gate deleted successfully."})
    assert not console.gate("new_checkout", userID="u-1")
    assert console("GET", "/gates/new_checkout")[0] == 404


@pytest.mark.rule("statsig.sdk.reset")
def test_a_reset_forgets_what_the_console_changed(trackside: Any, console: Console) -> None:
    console("DELETE", "/gates/new_checkout")
    console("PATCH", "/gates/for_company", {"description": "Changed."})
    trackside.reset()
    assert console.gate("new_checkout", userID="u-1")
    assert console.data("GET", "/gates/for_company")["description"] == ""


@pytest.mark.rule("statsig.console.gates.switch", "statsig.contract")
@pytest.mark.parametrize(
    ("action", "status", "passes"),
    [
        ("enable", "In Progress", True),
        ("disable", "Disabled", False),
        ("archive", "Archived", False),
        ("unarchive", "In Progress", True),
        ("launch", "Launched", True),
    ],
)
def test_a_gate_can_be_switched(console: Console, action: str, status: str, passes: bool) -> None:
    code, answer = console("PUT", f"/gates/new_checkout/{action}")
    assert (code, answer["data"]["status"]) == (200, status)
    assert catalog.faults("statsig/console-gate-answer", answer) == []
    assert console.gate("new_checkout", userID="u-1") is passes


@pytest.mark.rule("statsig.console.gates.switch")
def test_a_launched_gate_passes_for_everyone(console: Console) -> None:
    console("POST", "/gates", {"name": "beta", "rules": [STAFF]})
    console("PUT", "/gates/beta/launch")
    assert console.gate("beta", userID="anybody")


@pytest.mark.rule("statsig.console.overrides")
def test_an_override_decides_ahead_of_the_rules(console: Console) -> None:
    ids = {"passingUserIDs": [], "failingUserIDs": ["u-1"]}
    status, answer = console("POST", "/gates/new_checkout/overrides", ids)
    assert (status, answer["data"]["failingUserIDs"]) == (201, ["u-1"])
    assert not console.gate("new_checkout", userID="u-1")
    assert console.gate("new_checkout", userID="u-2")


@pytest.mark.rule("statsig.console.overrides")
def test_overrides_are_set_added_and_taken_away(console: Console) -> None:
    path = "/gates/for_company/overrides"
    console("POST", path, {"passingCustomIDs": ["c-1"]})
    console("PATCH", path, {"passingCustomIDs": ["c-2"], "environmentOverrides": []})
    assert console.data("GET", path)["passingCustomIDs"] == ["c-1", "c-2"]
    console("DELETE", path, {"passingCustomIDs": ["c-1"]})
    assert console.data("GET", path)["passingCustomIDs"] == ["c-2"]
    assert console.gate("for_company", customIDs={"companyID": "c-2"})
    console("POST", path, {"environmentOverrides": [{"unitID": "companyID", "passingIDs": ["c-3"], "failingIDs": []}]})
    assert console.data("GET", path)["passingCustomIDs"] == ["c-3"]


@pytest.mark.rule("statsig.console.overrides")
def test_an_override_for_one_environment_is_refused(console: Console) -> None:
    row = {"environment": "staging", "unitID": "userID", "passingIDs": ["u-1"], "failingIDs": []}
    assert console("POST", "/gates/new_checkout/overrides", {"environmentOverrides": [row]})[0] == 400


# ---- conditions


@pytest.mark.rule("statsig.console.conditions")
@pytest.mark.parametrize(
    ("condition", "user"),
    [
        ({"type": "public"}, {"userID": "u-1"}),
        ({"type": "user_id", "operator": "any", "targetValue": ["u-1"]}, {"userID": "u-1"}),
        ({"type": "unit_id", "operator": "any", "targetValue": ["c-1"], "customID": "companyID"}, {"customIDs": {"companyID": "c-1"}}),
        ({"type": "email", "operator": "str_contains_any", "targetValue": ["ada"]}, {"email": "ada@example.com"}),
        ({"type": "custom_field", "operator": "gte", "targetValue": 3, "field": "level"}, {"custom": {"level": 3}}),
        ({"type": "country", "operator": "any", "targetValue": ["FR"]}, {"country": "FR"}),
        ({"type": "ip_address", "operator": "any", "targetValue": ["203.0.113.7"]}, {"ip": "203.0.113.7"}),
        ({"type": "app_version", "operator": "version_gte", "targetValue": "1.2.0"}, {"appVersion": "1.10.0"}),
        ({"type": "locale", "operator": "any", "targetValue": ["fr_FR"]}, {"locale": "fr_FR"}),
        ({"type": "environment_tier", "operator": "any", "targetValue": ["staging"]}, {"statsigEnvironment": {"tier": "staging"}}),
        ({"type": "passes_gate", "targetValue": "new_checkout"}, {"userID": "u-1"}),
        ({"type": "passes_gate", "targetValue": ["for_company", "new_checkout"]}, {"userID": "u-1"}),
        ({"type": "fails_gate", "targetValue": ["for_company"]}, {"userID": "u-1"}),
        ({"type": "passes_segment", "targetValue": "members"}, {"userID": "u-1"}),
        ({"type": "fails_segment", "targetValue": "members"}, {"userID": "u-2"}),
        ({"type": "time", "operator": "after", "targetValue": "2020-01-01T00:00:00Z"}, {"userID": "u-1"}),
        ({"type": "browser_name", "operator": "any", "targetValue": ["Firefox"]}, {"userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}),
    ],
    ids=lambda value: value.get("type", "") if isinstance(value, dict) else "",
)  # fmt: skip
def test_a_condition_holds_at_sdks(console: Console, condition: dict[str, Any], user: dict[str, Any]) -> None:
    console("POST", "/gates", {"name": "beta", "rules": [{"name": "rule", "conditions": [condition]}]})
    assert console.gate("beta", **user)
    assert console.data("GET", "/gates/beta")["rules"][0]["conditions"][0]["type"] == condition["type"]


@pytest.mark.rule("statsig.console.conditions")
@pytest.mark.parametrize("kind", TYPES)
def test_a_type_is_the_same_there_and_back(kind: str) -> None:
    row = {"type": kind, "operator": None, "targetValue": None, "field": None, "customID": None}
    if kind not in ("public", "target_app"):
        row |= {"operator": None if "gate" in kind or "segment" in kind else "any", "targetValue": ["x"]}
    if kind == "time":
        row |= {"operator": "before", "targetValue": 1}
    elif kind == "custom_field":
        row["field"] = "plan"
    elif kind == "unit_id":
        row["customID"] = "companyID"
    elif kind.startswith(("passes", "fails")):
        row["targetValue"] = "x"
    rules = as_rules([{"name": "rule", "conditions": [row]}], "$.rules", "userID")
    assert as_rows(spec("beta", "feature_gate", False, rules))[0]["conditions"] == [row]


@pytest.mark.rule("statsig.console.conditions")
@pytest.mark.parametrize(
    ("condition", "at"),
    [
        ({"type": "url", "operator": "any", "targetValue": ["/"]}, "$.type"),
        ({"type": "email", "operator": "like", "targetValue": "a"}, "$.operator"),
        ({"type": "custom_field", "operator": "any", "targetValue": ["a"]}, "$.field"),
        ({"type": "custom_field", "operator": "gt", "targetValue": "many", "field": "level"}, "$.targetValue"),
        ({"type": "custom_field", "operator": "gt", "targetValue": [1, 2], "field": "level"}, "$.targetValue"),
        ({"type": "time", "operator": "after", "targetValue": "soon"}, "$.targetValue"),
        ({"type": "passes_gate", "targetValue": []}, "$.targetValue"),
    ],
)
def test_a_condition_that_cannot_be_is_refused_with_its_place(condition: dict[str, Any], at: str) -> None:
    with pytest.raises(TracksideError) as refused:
        as_conditions(condition, "$", "userID")
    assert refused.value.where == at


@pytest.mark.rule("statsig.console.body")
@pytest.mark.parametrize("asked", ["beta", "new_checkout"])
def test_gates_that_ask_each_other_in_a_circle_are_refused(console: Console, asked: str) -> None:
    rule = {"name": "rule", "conditions": [{"type": "passes_gate", "targetValue": asked}]}
    back = {"name": "rule", "conditions": [{"type": "fails_gate", "targetValue": "beta"}]}
    first, _ = console("POST", "/gates", {"name": "beta", "rules": [rule]})
    second, _ = console("PATCH", "/gates/new_checkout", {"rules": [back]})
    assert 400 in (first, second)
    assert console.gate("beta", userID="u-1") in (True, False)


@pytest.mark.rule("statsig.console.conditions")
def test_a_rule_may_hold_in_some_environments_only(console: Console) -> None:
    rule = {"name": "everyone", "conditions": [{"type": "public"}], "environments": ["staging"]}
    console("POST", "/gates", {"name": "beta", "rules": [rule]})
    assert console.gate("beta", userID="u-1", statsigEnvironment={"tier": "staging"})
    assert not console.gate("beta", userID="u-1")


# ---- dynamic configs, layers


@pytest.mark.rule("statsig.console.configs", "statsig.contract")
def test_a_dynamic_config_is_made_changed_and_deleted(console: Console) -> None:
    rule = {**STAFF, "returnValue": {"color": "green"}}
    status, answer = console(
        "POST", "/dynamic_configs", {"name": "theme", "defaultValue": {"color": "red"}, "rules": [rule]}
    )
    assert status == 201
    assert catalog.faults("statsig/console-dynamic-config-answer", answer) == []
    assert console.config("theme", userID="u-1") == {"color": "red"}
    assert console.config("theme", email="ada@example.com") == {"color": "green"}
    console("PATCH", "/dynamic_configs/theme", {"defaultValue": {"color": "blue"}, "rules": []})
    assert console.config("theme", email="ada@example.com") == {"color": "blue"}
    console("DELETE", "/dynamic_configs/theme")
    assert console.config("theme") == {}


@pytest.mark.rule("statsig.console.configs")
@pytest.mark.parametrize(
    ("action", "status"), [("disable", "Disabled"), ("archive", "Disabled"), ("enable", "Enabled")]
)
def test_a_dynamic_config_can_be_switched(console: Console, action: str, status: str) -> None:
    assert console.data("PUT", f"/dynamic_configs/banner/{action}")["status"] == status


@pytest.mark.rule("statsig.console.configs")
def test_an_experiment_is_no_dynamic_config(console: Console) -> None:
    assert [row["id"] for row in console.data("GET", "/dynamic_configs")] == ["banner"]
    assert console("GET", "/dynamic_configs/checkout")[0] == 404


@pytest.mark.rule("statsig.console.layers", "statsig.contract")
def test_a_layer_is_made_and_given_parameters(console: Console) -> None:
    assert console("POST", "/layers", {"name": "Search Page", "idType": "userID"})[0] == 201
    _, answer = console("PATCH", "/layers/search_page", {"parameters": [{"name": "rows", "defaultValue": 10}]})
    assert answer["data"]["parameters"] == [{"name": "rows", "type": "number", "defaultValue": 10}]
    assert catalog.faults("statsig/console-layer-answer", answer) == []
    assert console.layer("search_page", userID="u-1") == {"rows": 10}
    assert [row["id"] for row in console.data("GET", "/layers")] == ["page", "search_page"]
    console("DELETE", "/layers/search_page")
    assert console("GET", "/layers/search_page")[0] == 404


# ---- experiments


@pytest.mark.rule("statsig.console.experiments", "statsig.console.experiments.start", "statsig.contract")
def test_an_experiment_gives_the_default_until_it_is_started(console: Console) -> None:
    status, answer = console("POST", "/experiments", {"name": "pricing", "groups": TWO, "hypothesis": "Dear sells."})
    assert (status, answer["data"]["status"]) == (201, "setup")
    assert catalog.faults("statsig/console-experiment-answer", answer) == []
    assert console.config("pricing", userID="u-1") == {}
    assert console("PUT", "/experiments/pricing/start") == (200, {"message": "Experiment successfully started."})
    assert console.config("pricing", userID="u-1") == {"n": 1}
    row = console.data("GET", "/experiments/pricing")
    assert (row["status"], row["startTime"] > 0) == ("active", True)
    assert [(group["name"], group["size"]) for group in row["groups"]] == [("a", 100), ("b", 0)]


@pytest.mark.rule("statsig.console.experiments.start")
def test_an_experiment_that_runs_cannot_be_started(console: Console) -> None:
    assert console("PUT", "/experiments/checkout/start")[0] == 400


@pytest.mark.rule("statsig.console.experiments.start")
def test_a_declared_experiment_that_is_not_active_can_be_started(console: Console) -> None:
    assert console.data("GET", "/experiments/later")["status"] == "setup"
    console("PUT", "/experiments/later/start")
    assert console.config("later", userID="u-1") in ({"n": 1}, {"n": 2})


@pytest.mark.rule("statsig.console.experiments.start")
@pytest.mark.parametrize(
    ("action", "body", "status"),
    [("reset", None, "setup"), ("abandon", {"decisionReason": "No."}, "abandoned"), ("archive", None, "archived")],
)
def test_an_experiment_can_be_taken_out_of_force(console: Console, action: str, body: Any, status: str) -> None:
    console("PUT", f"/experiments/checkout/{action}", body)
    assert console.data("GET", "/experiments/checkout")["status"] == status
    assert console.layer("page", userID="u-2") == {"color": "grey", "size": 1}


@pytest.mark.rule("statsig.console.experiments.start")
def test_a_reset_experiment_can_be_started_again(console: Console) -> None:
    console("PUT", "/experiments/checkout/reset")
    console("PUT", "/experiments/checkout/start")
    assert console.layer("page", userID="u-1")["color"] == "blue"


@pytest.mark.rule("statsig.console.experiments.decision")
@pytest.mark.parametrize("group", ["control", "test"])
def test_a_decision_gives_everyone_the_group(console: Console, group: str) -> None:
    body = {"id": group, "decisionReason": "It sells."}
    assert console("PUT", "/experiments/checkout/make_decision", body)[0] == 200
    color = {"control": "red", "test": "blue"}[group]
    assert {console.layer("page", userID=f"u-{n}")["color"] for n in range(2, 12)} == {color}
    row = console.data("GET", "/experiments/checkout")
    assert (row["status"], row["launchedGroupID"], row["decisionReason"]) == ("decision_made", group, "It sells.")


@pytest.mark.rule("statsig.console.experiments.decision")
def test_a_decision_for_an_unknown_group_is_refused(console: Console) -> None:
    assert console("PUT", "/experiments/checkout/make_decision", {"id": "c", "decisionReason": ""})[0] == 400


@pytest.mark.rule("statsig.console.experiments")
def test_an_experiment_can_be_in_a_layer_that_was_made(console: Console) -> None:
    console("POST", "/layers", {"name": "search", "idType": "userID"})
    console("PATCH", "/layers/search", {"parameters": [{"name": "n", "defaultValue": 0}]})
    console("POST", "/experiments", {"name": "order", "layerID": "search", "groups": TWO, "status": "active"})
    assert console.layer("search", userID="u-1") == {"n": 1}
    assert console.data("GET", "/experiments/order")["layerID"] == "search"
    console("DELETE", "/experiments/order")
    assert console.layer("search", userID="u-1") == {"n": 0}


@pytest.mark.rule("statsig.console.experiments")
def test_a_deleted_experiment_is_in_no_layer_any_more(console: Console, call: Any) -> None:
    console("DELETE", "/experiments/checkout")
    specs = orjson.loads(call("/v1/download_config_specs/secret-local.json").data)
    [page] = specs["layer_configs"]
    assert (specs["layers"], page["rules"]) == ({}, [])


@pytest.mark.rule("statsig.console.experiments")
def test_an_experiment_in_a_layer_leaves_the_others_in_it_alone(console: Console) -> None:
    console("POST", "/experiments", {"name": "second", "layerID": "page", "groups": TWO, "allocation": 0})
    console("PUT", "/experiments/second/start")
    assert console.layer("page", userID="u-1")["color"] == "blue"


@pytest.mark.rule("statsig.console.experiments")
def test_the_groups_of_an_experiment_can_be_changed(console: Console) -> None:
    console("POST", "/experiments", {"name": "pricing", "groups": TWO, "status": "active"})
    swapped = [{**TWO[0], "size": 0}, {**TWO[1], "size": 100}]
    console("PATCH", "/experiments/pricing", {"groups": swapped, "description": "Swapped."})
    assert console.config("pricing", userID="u-1") == {"n": 2}


@pytest.mark.rule("statsig.console.experiments")
@pytest.mark.parametrize(
    "body", [{"layerID": "no"}, {"targetingGateID": "no"}, {"groups": [{**TWO[0], "size": 50}, TWO[1]]}]
)
def test_an_experiment_that_cannot_be_is_refused(console: Console, body: dict[str, Any]) -> None:
    assert console("POST", "/experiments", {"name": "pricing", **body})[0] == 400
    assert console("GET", "/experiments/pricing")[0] == 404


@pytest.mark.rule("statsig.console.experiments.targeting")
def test_who_fails_the_targeting_gate_gets_the_default(console: Console) -> None:
    console("POST", "/gates", {"name": "staff", "rules": [STAFF]})
    body = {"name": "pricing", "groups": TWO, "status": "active", "targetingGateID": "staff"}
    assert console.data("POST", "/experiments", body)["targetingGateID"] == "staff"
    assert console.config("pricing", userID="u-1", email="ada@example.com") == {"n": 1}
    assert console.config("pricing", userID="u-1", email="ada@elsewhere.com") == {}


@pytest.mark.rule("statsig.console.overrides")
def test_an_override_puts_an_id_into_a_group(console: Console) -> None:
    path, row = "/experiments/checkout/overrides", {"groupID": "control", "ids": ["u-7"]}
    assert console.data("GET", path)["userIDOverrides"] == [{"groupID": "test", "ids": ["u-1"]}]
    console("PATCH", path, {"overrides": [], "userIDOverrides": [row]})
    assert (console.layer("page", userID="u-1")["color"], console.layer("page", userID="u-7")["color"]) == (
        "blue",
        "red",
    )
    console("POST", path, {"userIDOverrides": [{"groupID": "control", "ids": ["u-1"]}]})
    assert console.layer("page", userID="u-1")["color"] == "red"
    console("DELETE", path, {"userIDOverrides": [{"groupID": "control", "ids": ["u-1"]}]})
    assert console.data("GET", path)["userIDOverrides"] == []


@pytest.mark.rule("statsig.console.overrides")
def test_an_override_by_gate_is_refused(console: Console) -> None:
    body = {"overrides": [{"type": "gate", "id": "new_checkout", "groupID": "test"}], "userIDOverrides": []}
    assert console("POST", "/experiments/checkout/overrides", body)[0] == 400


# ---- experiments of a specs file


@pytest.fixture
def of_a_file(make_trackside: Any, tmp_path: Path) -> Iterator[Console]:
    """Return the Console API of a project whose specs come from a file."""
    keys = {"server_secret": "secret-local", "console_key": "console-local"}
    short = {name: STATSIG[name] for name in ("gates", "experiments", "layers")}
    file = tmp_path / "specs.json"
    file.write_bytes(orjson.dumps(document(project_of(StatsigSettings(**keys, **short)).specs, 1, 1, ())))
    lab = make_trackside({"statsig": {**keys, "specs_file": str(file)}})
    pool = urllib3.PoolManager()

    def send(path: str, body: Any = None, method: str = "POST", **headers: str) -> urllib3.BaseHTTPResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else orjson.dumps(body)
        return pool.request(method, lab.statsig.url + path, body=content, headers=named)

    yield Console(send)
    pool.clear()


@pytest.mark.rule("statsig.console.experiments.start")
def test_an_experiment_of_a_specs_file_can_be_reset_and_started(of_a_file: Console) -> None:
    of_a_file("PUT", "/experiments/checkout/reset")
    assert of_a_file.config("checkout", userID="u-2") == {"color": "grey", "size": 1}
    of_a_file("PUT", "/experiments/checkout/start")
    assert of_a_file.config("checkout", userID="u-2")["color"] in ("red", "blue")
    of_a_file("PUT", "/experiments/later/start")
    assert of_a_file.config("later", userID="u-2") in ({"n": 1}, {"n": 2})


@pytest.mark.rule("statsig.console.overrides")
def test_an_experiment_of_a_specs_file_can_be_overridden(of_a_file: Console) -> None:
    path = "/experiments/checkout/overrides"
    rows = [{"groupID": "control", "ids": ["u-1"]}, {"groupID": "test", "ids": ["u-7"]}]
    of_a_file("POST", path, {"userIDOverrides": rows})
    assert of_a_file.layer("page", userID="u-1")["color"] == "red"
    assert of_a_file.layer("page", userID="u-7")["color"] == "blue"
    assert of_a_file.data("GET", path)["userIDOverrides"] == rows
    of_a_file("DELETE", path, {"userIDOverrides": rows})
    assert of_a_file.data("GET", path)["userIDOverrides"] == []


@pytest.mark.rule("statsig.console.experiments")
def test_an_experiment_of_a_specs_file_keeps_its_groups(of_a_file: Console) -> None:
    row = of_a_file.data("PATCH", "/experiments/checkout", {"description": "Seen."})
    assert (row["description"], [group["name"] for group in row["groups"]]) == ("Seen.", ["control", "test"])
    assert of_a_file("PATCH", "/experiments/checkout", {"groups": TWO})[0] == 400


@pytest.mark.rule("statsig.console.experiments.decision")
def test_an_experiment_of_a_specs_file_can_be_decided(of_a_file: Console) -> None:
    of_a_file("PUT", "/experiments/checkout/make_decision", {"id": "test", "decisionReason": "It sells."})
    assert {of_a_file.layer("page", userID=f"u-{n}")["color"] for n in range(2, 12)} == {"blue"}


# ---- segments


def lines(call: Any, name: str) -> bytes:
    """Return the file of an ID list as running SDKs download it."""
    manifest = orjson.loads(call("/v1/get_id_lists", {}, statsig_api_key="secret-local").data)
    content: bytes = call(manifest[name]["url"]).data
    return content


@pytest.mark.rule("statsig.console.segments", "statsig.console.id-lists", "statsig.contract")
def test_the_ids_of_a_segment_reach_running_sdks(console: Console, call: Any) -> None:
    status, answer = console("POST", "/segments", {"name": "Big Spenders", "type": "id_list"})
    assert (status, answer["data"]["id"]) == (201, "big_spenders")
    assert catalog.faults("statsig/console-segment-answer", answer) == []
    console("PATCH", "/segments/big_spenders/id_list", {"ids": ["u-1", "u-2"]})
    console("DELETE", "/segments/big_spenders/id_list", {"ids": ["u-1"]})
    expected = f"+{id_hash('u-1')}\n+{id_hash('u-2')}\n-{id_hash('u-1')}\n"
    assert lines(call, "big_spenders") == expected.encode()
    _, listed = console("GET", "/segments/big_spenders/id_list")
    assert listed["data"] == {"name": "big_spenders", "count": 1, "ids": ["u-2"]}
    assert catalog.faults("statsig/console-id-list-answer", listed) == []


@pytest.mark.rule("statsig.console.id-lists")
def test_a_list_that_is_reset_starts_a_new_file(console: Console, call: Any) -> None:
    console("POST", "/segments/members/id_list/reset", {"ids": ["u-9"]})
    assert lines(call, "members") == f"+{id_hash('u-9')}\n".encode()


@pytest.mark.rule("statsig.console.id-lists.delete")
def test_a_delete_without_ids_takes_nothing_out(console: Console) -> None:
    assert console("DELETE", "/segments/members/id_list")[0] == 400
    assert console.data("GET", "/segments/members/id_list")["ids"] == ["u-1"]


@pytest.mark.rule("statsig.console.id-lists")
def test_a_patch_without_ids_adds_nothing(console: Console) -> None:
    assert console("PATCH", "/segments/members/id_list")[0] == 400
    assert console.data("GET", "/segments/members/id_list")["ids"] == ["u-1"]


@pytest.mark.rule("statsig.console.segments", "statsig.contract")
def test_a_segment_of_rules_is_asked_by_gates(console: Console) -> None:
    _, answer = console("POST", "/segments", {"name": "staff", "type": "rule_based", "rules": [STAFF]})
    assert catalog.faults("statsig/console-segment-answer", answer) == []
    condition = {"type": "passes_segment", "targetValue": "staff"}
    console("POST", "/gates", {"name": "beta", "rules": [{"name": "staff", "conditions": [condition]}]})
    assert console.gate("beta", email="ada@example.com")
    assert console("PATCH", "/segments/staff/id_list", {"ids": ["u-1"]})[0] == 400


@pytest.mark.rule("statsig.console.segments")
def test_segments_are_listed_and_deleted(console: Console) -> None:
    assert [(row["id"], row["type"], row["count"]) for row in console.data("GET", "/segments")] == [
        ("members", "id_list", 1)
    ]
    console("DELETE", "/segments/members")
    assert console("GET", "/segments/members")[0] == 404


@pytest.mark.rule("statsig.console.segments")
def test_a_segment_of_another_type_is_refused(console: Console) -> None:
    assert console("POST", "/segments", {"name": "spenders", "type": "user_store_id_list"})[0] == 400
