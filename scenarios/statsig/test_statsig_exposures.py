"""Exposures: what an SDK logs when a gate, config, experiment or layer is read, and what Statsig keeps of it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from trackside import catalog
from trackside.expect import ExpectationError
from trackside.statsig.events import log_event
from trackside.statsig.hashes import djb2
from trackside.statsig.settings import StatsigSettings
from trackside.wire import Answer, Request

STATSIG: dict[str, Any] = {
    "server_secret": "secret-local",
    "gates": {"new_checkout": True, "for_company": {"pass": 50, "id_type": "companyID"}},
    "id_types": ["companyID"],
    "experiments": {
        "checkout": {"groups": {"control": {"color": "red"}, "test": {"color": "blue"}}, "layer": "page"},
        "pricing": {"groups": {"low": {"price": 1}, "high": {"price": 2}}, "id_type": "companyID"},
    },
    "layers": {"page": {"color": "grey"}},
}
SETTINGS = StatsigSettings(**STATSIG)
GATE = {"gate": "new_checkout", "gateValue": "true", "ruleID": "everyone", "reason": "Network"}
CONFIG = {"config": "checkout", "ruleID": "test", "rulePassed": "true", "reason": "Network:Recognized"}
LAYER = {
    "config": "page",
    "ruleID": "test",
    "allocatedExperiment": "checkout",
    "parameterName": "color",
    "isExplicitParameter": "true",
}

pytestmark = pytest.mark.trackside(workspace={"statsig": STATSIG})


def event(of: str, metadata: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return an exposure as an SDK logs it."""
    head = {"eventName": f"statsig::{of}_exposure", "user": {"userID": "u-1"}, "time": 1_795_313_690_626}
    return {**head, "metadata": metadata, "secondaryExposures": [], **more}


def post(*events: Any) -> Answer:
    body = orjson.dumps({"events": list(events), "statsigMetadata": {"sdkType": "py-server"}})
    return log_event(Request("POST", "/v1/log_event", {"statsig-api-key": "secret-local"}, body), SETTINGS)


def seen(of: str, metadata: dict[str, Any]) -> dict[str, Any]:
    """Return what is kept of an exposure in one place."""
    [record] = post(event(of, metadata)).records
    found: dict[str, Any] = record["exposure"]
    return found


@pytest.mark.rule("statsig.events.exposure")
def test_the_exposure_of_a_gate_says_what_it_gave() -> None:
    expected = {"of": "gate", "name": "new_checkout", "ruleID": "everyone", "value": True, "unitID": "userID"}
    assert seen("gate", GATE) == expected


@pytest.mark.rule("statsig.events.exposure")
def test_the_exposure_of_a_gate_that_fails_is_false() -> None:
    assert seen("gate", {**GATE, "gateValue": "false"})["value"] is False


@pytest.mark.rule("statsig.events.exposure", "statsig.events.exposure.group")
def test_the_exposure_of_an_experiment_says_the_group() -> None:
    expected = {"of": "config", "name": "checkout", "ruleID": "test", "group": "test", "unitID": "userID"}
    assert seen("config", CONFIG) == {**expected, "passed": True}


@pytest.mark.rule("statsig.events.exposure.group")
def test_an_override_counts_as_its_group() -> None:
    assert seen("config", {**CONFIG, "ruleID": "control:userID:id_override"})["group"] == "control"


@pytest.mark.rule("statsig.events.exposure.group")
def test_who_is_in_no_group_has_none() -> None:
    assert "group" not in seen("config", {**CONFIG, "ruleID": "layerAssignment"})


@pytest.mark.rule("statsig.events.exposure.group")
@pytest.mark.parametrize(
    ("of", "metadata"), [("gate", {**GATE, "gate": "for_company"}), ("config", {**CONFIG, "config": "pricing"})]
)
def test_an_exposure_counts_for_the_id_type_that_is_declared(of: str, metadata: dict[str, Any]) -> None:
    assert seen(of, metadata)["unitID"] == "companyID"


@pytest.mark.rule("statsig.events.exposure.group")
def test_of_what_the_workspace_does_not_declare_only_the_rule_is_known() -> None:
    assert seen("config", {**CONFIG, "config": "other"}) == {
        "of": "config",
        "name": "other",
        "ruleID": "test",
        "passed": True,
    }


@pytest.mark.rule("statsig.events.exposure")
def test_the_exposure_of_a_layer_says_the_parameter_and_the_experiment() -> None:
    assert seen("layer", LAYER) == {
        "of": "layer",
        "name": "page",
        "ruleID": "test",
        "parameter": "color",
        "explicit": True,
        "experiment": "checkout",
        "group": "test",
        "unitID": "userID",
    }


@pytest.mark.rule("statsig.events.exposure")
def test_a_layer_without_an_experiment_names_none() -> None:
    assert "experiment" not in seen("layer", {**LAYER, "allocatedExperiment": "", "isExplicitParameter": "false"})


@pytest.mark.rule("statsig.events.exposure.hash")
def test_the_hash_of_js_client_is_turned_back_into_the_experiments_name() -> None:
    found = seen("layer", {**LAYER, "allocatedExperiment": djb2("checkout")})
    assert (found["experiment"], found["group"]) == ("checkout", "test")


@pytest.mark.rule("statsig.events.exposure.hash")
def test_the_hash_of_an_unknown_experiment_stays() -> None:
    assert seen("layer", {**LAYER, "allocatedExperiment": "3122040747"})["experiment"] == "3122040747"


@pytest.mark.rule("statsig.events.exposure", "statsig.contract")
@pytest.mark.parametrize(("of", "metadata"), [("gate", GATE), ("config", CONFIG), ("layer", LAYER)])
def test_an_exposure_is_kept_with_all_that_the_sdk_said(of: str, metadata: dict[str, Any]) -> None:
    secondary = [{"gate": "employees", "gateValue": "false", "ruleID": "default"}]
    [record] = post(event(of, metadata, secondaryExposures=secondary)).records
    assert record["kind"] == "exposure"
    assert record["metadata"] == metadata
    assert record["secondaryExposures"] == secondary
    assert catalog.faults("statsig/exposure", record) == []


@pytest.mark.rule("statsig.events.exposure")
@pytest.mark.parametrize(("of", "name"), [("gate", "gate"), ("config", "config"), ("layer", "config")])
def test_an_exposure_of_nothing_is_dropped(of: str, name: str) -> None:
    answer = post(event(of, {"ruleID": "r", "gateValue": "true", "parameterName": "color"}))
    assert (answer.status, answer.records) == (202, [])
    assert [(step.at, step.level) for step in answer.steps] == [(f"$.events[0].metadata.{name}", "error")]


@pytest.mark.rule("statsig.events.exposure")
def test_events_and_exposures_are_looked_for_apart(trackside: Any, call: Any) -> None:
    purchase = {"eventName": "purchase", "user": {"userID": "u-1"}, "time": 1}
    events = [event("gate", GATE), purchase, event("config", CONFIG), event("layer", LAYER)]
    call("/v1/log_event", {"events": events}, statsig_api_key="secret-local")
    trackside.statsig.expect_only("purchase", user_id="u-1")
    trackside.statsig.expect_exposure("new_checkout", user_id="u-1", value=True, count=1)
    trackside.statsig.expect_exposure("checkout", value="test", group="test", of="config")
    trackside.statsig.expect_exposure("page", parameter="color", experiment="checkout")
    assert len(trackside.statsig.exposures()) == 3
    assert len(trackside.statsig.exposures(user_id="u-2")) == 0
    trackside.expect_no_findings(notes=True)


@pytest.mark.rule("statsig.events.exposure")
def test_an_exposure_that_is_missing_shows_the_nearest(trackside: Any, call: Any) -> None:
    call("/v1/log_event", {"events": [event("gate", GATE)]}, statsig_api_key="secret-local")
    with pytest.raises(ExpectationError) as failed:
        trackside.statsig.expect_exposure("new_checkout", user_id="u-1", value=False, timeout=0)
    assert "value: expected false, got true" in str(failed.value)
