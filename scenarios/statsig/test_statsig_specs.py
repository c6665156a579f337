"""Config specs: the two documents that server SDKs download, and how they follow changes."""

from __future__ import annotations

from typing import Any

import pytest

from trackside import catalog
from trackside.statsig.reading import read
from trackside.statsig.specs import document

STATSIG: dict[str, Any] = {
    "server_secret": "secret-local",
    "client_key": "client-local",
    "id_types": ["companyID"],
    "gates": {
        "new_checkout": True,
        "half": 50,
        "beta": {"pass": 20, "users": ["u-1"], "if": {"country": "fr", "plan": ["gold"]}},
        "off": {"enabled": False},
        "by_company": {"if": {"companyID": ["c-1"]}, "id_type": "companyID"},
        "listed": {"if": {"passes_segment": "members"}},
    },
    "dynamic_configs": {"banner": {"color": "blue"}},
    "experiments": {
        "checkout": {
            "groups": {"control": {"color": "red"}, "test": {"color": "blue"}},
            "layer": "page",
            "allocation": 40,
        },
        "second": {"groups": {"control": {}, "test": {"size": 2}}, "layer": "page", "allocation": 60},
        "sized": {"groups": {"a": {}, "b": {}}, "sizes": {"a": 10, "b": 90}},
        "later": {"groups": {"a": {}}, "active": False},
    },
    "layers": {"page": {"color": "grey", "size": 1}},
    "id_lists": {"members": ["u-1"]},
}

pytestmark = pytest.mark.trackside(workspace={"statsig": STATSIG})

V1 = "/v1/download_config_specs/secret-local.json"
V2 = "/v2/download_config_specs/secret-local.json"


def by_name(specs: list[dict[str, Any]]) -> dict[str, Any]:
    return {one["name"]: one for one in specs}


# ---- the two formats


@pytest.mark.rule("statsig.sdk.specs.two-formats")
@pytest.mark.parametrize(("path", "contract"), [(V1, "statsig/specs-v1"), (V2, "statsig/specs-v2")])
def test_each_format_keeps_its_contract(call, path, contract):
    answer = call(path)

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert catalog.faults(contract, answer.json()) == []


@pytest.mark.rule("statsig.sdk.specs.two-formats")
def test_the_first_format_has_arrays_and_conditions_inside_the_rules(call):
    gates = by_name(call(V1).json()["feature_gates"])

    [rule] = gates["half"]["rules"]
    assert rule["passPercentage"] == 50
    assert [condition["type"] for condition in rule["conditions"]] == ["public"]


@pytest.mark.rule("statsig.sdk.specs.two-formats")
def test_the_second_format_has_maps_and_a_map_of_conditions(call):
    specs = call(V2).json()

    [rule] = specs["feature_gates"]["half"]["rules"]
    [key] = rule["conditions"]
    assert specs["condition_map"][key]["type"] == "public"
    assert "name" not in specs["feature_gates"]["half"]
    assert specs["experiment_to_layer"] == {"checkout": "page", "second": "page"}


@pytest.mark.rule("statsig.sdk.specs.two-formats")
def test_the_first_format_lists_the_experiments_of_each_layer(call):
    assert call(V1).json()["layers"] == {"page": ["checkout", "second"]}


@pytest.mark.rule("statsig.sdk.specs.disabled")
def test_a_disabled_gate_has_rules_in_the_first_format_only(call):
    first, second = by_name(call(V1).json()["feature_gates"])["off"], call(V2).json()["feature_gates"]["off"]

    assert (first["enabled"], len(first["rules"])) == (False, 1)
    assert (second["enabled"], second["rules"]) == (False, [])


@pytest.mark.rule("statsig.sdk.specs.two-formats")
def test_the_buckets_of_a_layer_are_a_list_in_one_format_and_a_map_in_the_other(call):
    first, second = call(V1).json(), call(V2).json()

    [layer] = first["layer_configs"]
    assert layer["rules"][0]["conditions"][0]["targetValue"] == list(range(400))
    [key] = second["layer_configs"]["page"]["rules"][0]["conditions"]
    assert second["condition_map"][key]["targetValue"] == {str(bucket): True for bucket in range(400)}


MULTI = {
    "has_updates": True,
    "time": 1,
    "feature_gates": [
        {
            "name": "either",
            "enabled": True,
            "defaultValue": False,
            "rules": [
                {
                    "id": "r",
                    "passPercentage": 100,
                    "returnValue": True,
                    "conditions": [{"type": "multi_pass_gate", "targetValue": ["a", "b"]}],
                }
            ],
        }
    ],
    "dynamic_configs": [],
    "layer_configs": [],
}


@pytest.mark.rule("statsig.sdk.specs.multi-gates")
def test_a_condition_on_several_gates_becomes_a_segment_with_a_rule_for_each():
    second = document(read(MULTI)[0], 2, 1, ())

    [key] = second["feature_gates"]["either"]["rules"][0]["conditions"]
    condition = second["condition_map"][key]
    assert condition["type"] == "pass_gate"
    assert condition["targetValue"].startswith("segment:")
    rules = second["feature_gates"][condition["targetValue"]]["rules"]
    assert [second["condition_map"][rule["conditions"][0]]["targetValue"] for rule in rules] == ["a", "b"]


@pytest.mark.rule("statsig.sdk.specs.multi-gates")
def test_a_condition_on_several_gates_stays_as_it_is_in_the_first_format():
    first = document(read(MULTI)[0], 1, 1, ())

    [gate] = first["feature_gates"]
    assert gate["rules"][0]["conditions"][0]["type"] == "multi_pass_gate"


# ---- nothing new, and time


@pytest.mark.rule("statsig.sdk.specs.no-updates")
@pytest.mark.parametrize("path", [V1, V2])
def test_an_sdk_that_has_the_latest_specs_is_told_so_with_200(call, path):
    time = call(path).json()["time"]

    answer = call(f"{path}?sinceTime={time}")

    assert (answer.status, answer.data) == (200, b'{"has_updates":false}')
    assert catalog.faults("statsig/no-updates", answer.json()) == []


@pytest.mark.rule("statsig.sdk.specs.time")
def test_a_change_has_a_later_time(call, trackside):
    before = call(V2).json()["time"]

    trackside.statsig.gate("half").serve(True)

    after = call(f"{V2}?sinceTime={before}").json()
    assert after["time"] > before
    assert after["feature_gates"]["half"]["rules"][0]["passPercentage"] == 100


@pytest.mark.rule("statsig.sdk.specs.time")
def test_an_sdk_with_specs_from_the_future_gets_still_later_ones(call):
    ahead = call(V2).json()["time"] + 1_000_000

    assert call(f"{V2}?sinceTime={ahead}").json()["time"] > ahead
    assert call(V1).json()["time"] > ahead


@pytest.mark.rule("statsig.sdk.reset")
def test_a_reset_serves_what_is_declared_under_a_later_time(call, trackside):
    trackside.statsig.gate("half").serve(True)
    changed = call(V2).json()

    trackside.reset()

    declared = call(f"{V2}?sinceTime={changed['time']}").json()
    assert declared["time"] > changed["time"]
    assert declared["feature_gates"]["half"]["rules"][0]["passPercentage"] == 50


@pytest.mark.rule("statsig.sdk.reset")
def test_a_reset_that_changes_nothing_sends_nothing(call, trackside):
    time = call(V2).json()["time"]

    trackside.reset()

    assert call(f"{V2}?sinceTime={time}").json() == {"has_updates": False}


@pytest.mark.rule("statsig.sdk.specs.time")
def test_another_workspace_reaches_an_sdk_that_had_the_first(call, trackside):
    time = call(V2).json()["time"]

    trackside.configure({"statsig": {"server_secret": "secret-local", "gates": {"other": True}}})

    assert list(call(f"{V2}?sinceTime={time}").json()["feature_gates"]) == ["other"]


# ---- ways to ask


@pytest.mark.rule("statsig.sdk.specs.post")
@pytest.mark.parametrize("path", [V1, "/v1/download_config_specs"])
def test_an_older_sdk_posts_the_time_that_it_has(call, path):
    time = call(path, {"sinceTime": 0}, statsig_api_key="secret-local").json()["time"]

    assert call(path, {"sinceTime": time}, statsig_api_key="secret-local").json() == {"has_updates": False}


@pytest.mark.rule("statsig.sdk.body")
def test_a_time_that_is_no_number_gets_every_spec_and_a_finding(call, trackside):
    answer = call(f"{V1}?sinceTime=yesterday")

    assert answer.json()["has_updates"] is True
    [finding] = trackside.findings()
    assert finding.step.rule == "statsig.sdk.body"
    assert "yesterday" in finding.step.text


@pytest.mark.rule("statsig.sdk.body")
def test_a_post_that_is_no_json_gets_every_spec_and_a_finding(call, trackside):
    answer = call(V1, b"sinceTime=5")

    assert answer.json()["has_updates"] is True
    assert [finding.step.rule for finding in trackside.findings()] == ["statsig.sdk.body"]


# ---- the short form


@pytest.mark.rule("statsig.sdk.short-form")
def test_a_gate_with_users_and_a_condition_has_a_rule_for_each(call):
    override, targeted = by_name(call(V1).json()["feature_gates"])["beta"]["rules"]

    assert override["id"] == "beta:userID:id_override"
    assert override["conditions"][0]["targetValue"] == ["u-1"]
    assert targeted["passPercentage"] == 20
    assert [(one["type"], one["field"], one["targetValue"]) for one in targeted["conditions"]] == [
        ("ip_based", "country", ["fr"]),
        ("user_field", "plan", ["gold"]),
    ]


@pytest.mark.rule("statsig.sdk.short-form")
def test_a_gate_asks_for_a_custom_id_by_its_type(call):
    [rule] = by_name(call(V1).json()["feature_gates"])["by_company"]["rules"]

    assert (rule["idType"], rule["conditions"][0]["type"], rule["conditions"][0]["idType"]) == (
        "companyID",
        "unit_id",
        "companyID",
    )


@pytest.mark.rule("statsig.sdk.short-form")
def test_an_id_list_is_a_segment_that_gates_ask_for(call):
    gates = by_name(call(V1).json()["feature_gates"])

    assert gates["listed"]["rules"][0]["conditions"][0]["targetValue"] == "segment:members"
    [rule] = gates["segment:members"]["rules"]
    assert (rule["conditions"][0]["operator"], rule["conditions"][0]["targetValue"]) == ("in_segment_list", "members")


@pytest.mark.rule("statsig.sdk.short-form")
def test_the_groups_of_an_experiment_share_a_thousand_buckets(call):
    configs = by_name(call(V1).json()["dynamic_configs"])

    bounds = {
        name: [rule["conditions"][0]["targetValue"] for rule in configs[name]["rules"] if rule.get("isExperimentGroup")]
        for name in ("checkout", "sized")
    }
    assert bounds == {"checkout": [500, 1000], "sized": [100, 1000]}


@pytest.mark.rule("statsig.sdk.short-form")
def test_a_group_in_a_layer_has_the_layers_other_parameters_too(call):
    experiment = by_name(call(V1).json()["dynamic_configs"])["second"]

    assert [rule["returnValue"] for rule in experiment["rules"] if rule.get("isExperimentGroup")] == [
        {"color": "grey", "size": 1},
        {"color": "grey", "size": 2},
    ]
    assert experiment["explicitParameters"] == ["size"]


@pytest.mark.rule("statsig.sdk.short-form")
def test_experiments_in_a_layer_have_its_buckets_one_after_the_other(call):
    [layer] = call(V1).json()["layer_configs"]

    assert [(rule["configDelegate"], rule["conditions"][0]["targetValue"]) for rule in layer["rules"]] == [
        ("checkout", list(range(400))),
        ("second", list(range(400, 1000))),
    ]


@pytest.mark.rule("statsig.sdk.short-form")
def test_an_experiment_that_has_not_started_gives_everyone_its_default(call):
    experiment = by_name(call(V1).json()["dynamic_configs"])["later"]

    assert experiment["isActive"] is False
    assert [rule["id"] for rule in experiment["rules"]] == ["prestart", "a"]


@pytest.mark.trackside(workspace={"statsig": {"server_secret": "secret-local"}})
@pytest.mark.rule("statsig.sdk.specs.two-formats")
@pytest.mark.parametrize(("path", "contract"), [(V1, "statsig/specs-v1"), (V2, "statsig/specs-v2")])
def test_a_project_without_anything_has_specs_that_sdks_can_read(call, path, contract):
    assert catalog.faults(contract, call(path).json()) == []
