"""Statsig's HTTP API: gates, configs and layers for one user, and exposures that are logged by hand."""

from __future__ import annotations

import sys
from typing import Any

import orjson
import pytest

from trackside import catalog

STATSIG: dict[str, Any] = {
    "server_secret": "secret-local",
    "client_key": "client-local",
    "console_key": "console-local",
    "gates": {"new_checkout": True, "nobody": False, "french": {"if": {"country": ["fr"]}}},
    "dynamic_configs": {"banner": {"color": "blue"}},
    "experiments": {
        "checkout": {
            "groups": {"control": {"color": "red"}, "test": {"color": "blue"}},
            "layer": "page",
            "users": {"test": ["u-1"]},
        }
    },
    "layers": {"page": {"color": "grey", "size": 1}},
}
USER = {"userID": "u-1"}

pytestmark = pytest.mark.trackside(workspace={"statsig": STATSIG})


@pytest.fixture
def ask(call: Any) -> Any:
    """Return what posts a body to a path and gives the status and the answer."""

    def post(path: str, body: Any, key: str = "secret-local") -> tuple[int, Any]:
        answer = call(path, body, statsig_api_key=key)
        return answer.status, orjson.loads(answer.data)

    return post


# ---- gates


@pytest.mark.rule("statsig.http.check-gate", "statsig.contract")
def test_a_gate_that_passes_names_its_rule(ask: Any) -> None:
    status, answer = ask("/v1/check_gate", {"gateName": "new_checkout", "user": USER})
    assert status == 200
    assert answer == {"name": "new_checkout", "value": True, "rule_id": "everyone", "group_name": "everyone"}
    assert catalog.faults("statsig/check-gate-answer", answer) == []


@pytest.mark.rule("statsig.http.check-gate")
@pytest.mark.parametrize("name", ["nobody", "unknown"])
def test_a_gate_that_fails_names_none(ask: Any, name: str) -> None:
    assert ask("/v1/check_gate", {"gateName": name, "user": USER}) == (
        200,
        {"name": name, "value": False, "rule_id": None, "group_name": None},
    )


@pytest.mark.rule("statsig.http.check-gate", "statsig.contract")
def test_several_gates_are_answered_by_name(ask: Any) -> None:
    _, answer = ask("/v1/check_gate", {"gateNames": ["new_checkout", "french"], "user": {**USER, "country": "fr"}})
    assert {name: gate["value"] for name, gate in answer.items()} == {"new_checkout": True, "french": True}
    assert catalog.faults("statsig/check-gate-answer", answer) == []


@pytest.mark.rule("statsig.http.check-gate")
def test_a_change_shows_at_once(trackside: Any, ask: Any) -> None:
    trackside.statsig.gate("nobody").serve(True)
    assert ask("/v1/check_gate", {"gateName": "nobody", "user": USER})[1]["value"] is True


@pytest.mark.rule("statsig.http.body")
def test_a_user_of_more_levels_than_can_be_kept_is_refused(trackside: Any, call: Any) -> None:
    body = b'{"gateName": "new_checkout", "user": {"custom": ' + b'{"a": ' * 252 + b"1" + b"}" * 254
    assert call("/v1/check_gate", body, statsig_api_key="secret-local").status == 400
    assert trackside.errors == []


# ---- configs


@pytest.mark.rule("statsig.http.get-config", "statsig.contract")
def test_an_experiment_gives_the_parameters_of_the_group(ask: Any) -> None:
    status, answer = ask("/v1/get_config", {"configName": "checkout", "user": USER})
    assert status == 200
    rule = "test:userID:id_override"
    assert answer == {
        "name": "checkout",
        "value": {"color": "blue", "size": 1},
        "group": rule,
        "rule_id": rule,
        "group_name": "test",
    }
    assert catalog.faults("statsig/get-config-answer", answer) == []


@pytest.mark.rule("statsig.http.get-config")
def test_a_dynamic_config_gives_its_parameters(ask: Any) -> None:
    assert ask("/v1/get_config", {"configName": "banner", "user": USER})[1]["value"] == {"color": "blue"}


@pytest.mark.rule("statsig.http.get-config", "statsig.contract")
def test_an_unknown_config_is_empty(ask: Any) -> None:
    status, answer = ask("/v1/get_config", {"configName": "unknown", "user": USER})
    assert (status, answer) == (
        200,
        {"name": "unknown", "value": {}, "group": "", "rule_id": None, "group_name": None},
    )
    assert catalog.faults("statsig/get-config-answer", answer) == []


# ---- layers, ranked lists


@pytest.mark.rule("statsig.http.get-layer", "statsig.contract")
def test_a_layer_spells_its_fields_otherwise(ask: Any) -> None:
    status, answer = ask("/v1/get_layer", {"layerName": "page", "user": USER})
    assert status == 200
    assert answer["value"] == {"color": "blue", "size": 1}
    assert (answer["ruleID"], answer["allocatedExperimentName"]) == ("test:userID:id_override", "checkout")
    assert catalog.faults("statsig/get-layer-answer", answer) == []


@pytest.mark.rule("statsig.http.get-layer", "statsig.http.unknown")
def test_an_unknown_layer_is_not_found(trackside: Any, ask: Any) -> None:
    status, answer = ask("/v1/get_layer", {"layerName": "unknown", "user": USER})
    assert status == 404
    assert catalog.faults("statsig/error-answer", answer) == []
    assert [finding.step.rule for finding in trackside.findings()] == ["statsig.http.unknown"]


@pytest.mark.rule("statsig.http.get-ranked-list", "statsig.http.unknown")
def test_no_config_is_a_contextual_bandit(ask: Any) -> None:
    assert ask("/v1/get_ranked_list", {"configName": "checkout", "user": USER})[0] == 404


# ---- exposures


@pytest.mark.rule("statsig.http.exposures")
def test_a_check_logs_an_exposure(trackside: Any, ask: Any) -> None:
    ask("/v1/check_gate", {"gateNames": ["new_checkout", "nobody"], "user": USER})
    trackside.statsig.expect_exposure("new_checkout", user_id="u-1", value=True, count=1)
    trackside.statsig.expect_exposure("nobody", user_id="u-1", value=False, count=1)


@pytest.mark.rule("statsig.http.exposures", "statsig.contract")
def test_an_experiment_logs_an_exposure_with_the_group(trackside: Any, ask: Any) -> None:
    ask("/v1/get_config", {"configName": "checkout", "user": USER})
    exposure = trackside.statsig.expect_exposure("checkout", user_id="u-1", group="test", count=1)
    assert catalog.faults("statsig/exposure", exposure) == []


@pytest.mark.rule("statsig.http.exposures")
def test_a_layer_logs_an_exposure_for_each_parameter(trackside: Any, ask: Any) -> None:
    ask("/v1/get_layer", {"layerName": "page", "user": USER})
    trackside.statsig.expect_exposure("page", parameter="color", experiment="checkout", count=1)
    trackside.statsig.expect_exposure("page", parameter="size", experiment=None, count=1)


@pytest.mark.rule("statsig.http.exposures")
@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/v1/check_gate", {"gateName": "new_checkout"}),
        ("/v1/get_config", {"configName": "banner"}),
        ("/v1/get_layer", {"layerName": "page"}),
    ],
)
def test_exposures_can_be_switched_off(trackside: Any, ask: Any, path: str, named: dict[str, Any]) -> None:
    assert ask(path, {**named, "user": USER, "statsigMetadata": {"exposureLoggingDisabled": True}})[0] == 200
    assert trackside.statsig.exposures() == []
    trackside.expect_no_findings(notes=True)


@pytest.mark.rule("statsig.http.custom-exposure", "statsig.contract")
def test_exposures_can_be_logged_by_hand(trackside: Any, ask: Any) -> None:
    rows = [
        {"user": USER, "experimentName": "checkout", "group": "test", "time": 1},
        {
            "user": USER,
            "gateName": "new_checkout",
            "passes": True,
            "ruleID": "everyone",
            "time": "2026-11-22T12:00:00Z",
        },
    ]
    status, answer = ask("/v1/log_custom_exposure", {"exposures": rows})
    assert status == 202
    assert catalog.faults("statsig/log-event-answer", answer) == []
    experiment = trackside.statsig.expect_exposure("checkout", group="test", count=1)
    gate = trackside.statsig.expect_exposure("new_checkout", value=True, rule_id="everyone", count=1)
    assert gate["time"] == 1_795_348_800_000
    assert [catalog.faults("statsig/exposure", one) for one in (experiment, gate)] == [[], []]
    trackside.expect_no_findings(notes=True)


@pytest.mark.rule("statsig.http.shared-user")
def test_one_user_may_stand_for_all_exposures(trackside: Any, ask: Any) -> None:
    rows = [{"experimentName": "checkout", "group": "test", "time": 1}]
    ask("/v1/log_custom_exposure", {"exposures": rows, "user": USER})
    trackside.statsig.expect_exposure("checkout", user_id="u-1")


@pytest.mark.rule("statsig.http.custom-exposure", "statsig.contract")
@pytest.mark.parametrize(
    "row", [{"gateName": "new_checkout", "group": "a"}, {"experimentName": "checkout"}, {"group": "a"}, "checkout"]
)
def test_an_exposure_that_does_not_say_what_was_seen_is_an_error(trackside: Any, ask: Any, row: Any) -> None:
    assert ask("/v1/log_custom_exposure", {"exposures": [row]})[0] == 202
    assert trackside.statsig.exposures() == []
    assert [finding.step.rule for finding in trackside.findings()] == ["statsig.http.custom-exposure"]


# ---- refusals


@pytest.mark.rule("statsig.sdk.key")
@pytest.mark.parametrize("path", ["/v1/check_gate", "/v1/get_config", "/v1/get_layer", "/v1/log_custom_exposure"])
def test_a_client_key_will_do_and_another_key_will_not(ask: Any, path: str) -> None:
    body = {"gateName": "nobody", "configName": "banner", "layerName": "page", "exposures": [{"experimentName": "banner", "group": "a"}]}  # fmt: skip
    assert ask(path, body, key="client-local")[0] in (200, 202)
    assert ask(path, body, key="console-local")[0] == 401


@pytest.mark.rule("statsig.http.names")
@pytest.mark.parametrize("name", ["g", "g" * 101, "a#b", 7, ""])
def test_a_name_that_cannot_be_is_refused(ask: Any, name: object) -> None:
    assert ask("/v1/check_gate", {"gateName": name, "user": USER})[0] == 400


@pytest.mark.rule("statsig.http.names", "statsig.contract")
def test_a_refused_name_is_told_once(trackside: Any, ask: Any) -> None:
    ask("/v1/get_config", {"configName": "a#b", "user": USER})
    assert [finding.step.rule for finding in trackside.findings()] == ["statsig.http.names"]


@pytest.mark.rule("statsig.http.body")
@pytest.mark.parametrize(
    "body", [b"{", b"[]", {}, {"gateNames": []}, {"gateNames": "beta"}, {"gateNames": ["beta"] * 101}]
)
def test_a_body_without_names_is_refused(ask: Any, body: Any) -> None:
    status, answer = ask("/v1/check_gate", body)
    assert status == 400
    assert catalog.faults("statsig/error-answer", answer) == []


@pytest.mark.rule("statsig.http.body")
@pytest.mark.parametrize("rows", [None, [], {}])
def test_exposures_by_hand_have_to_be_a_list(ask: Any, rows: object) -> None:
    assert ask("/v1/log_custom_exposure", {"exposures": rows})[0] == 400


@pytest.mark.rule("statsig.extra-missing")
def test_without_the_extra_the_answer_is_an_error_that_names_it(
    trackside: Any, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    trackside.statsig.live.close()
    monkeypatch.setitem(sys.modules, "statsig_python_core", None)
    assert ask("/v1/check_gate", {"gateName": "new_checkout", "user": USER})[0] == 500
    [finding] = trackside.findings()
    assert finding.step.rule == "statsig.extra-missing"
