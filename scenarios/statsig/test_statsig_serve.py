"""What a test or the control API changes in a running lab, evaluated by Statsig's own SDK."""

from __future__ import annotations

from typing import Any

import pytest

from trackside.errors import TracksideError

STATSIG: dict[str, Any] = {
    "server_secret": "secret-local",
    "client_key": "client-local",
    "gates": {"new_checkout": True, "beta": {"pass": 0, "users": ["u-1"]}, "off": {"enabled": False}},
    "dynamic_configs": {"banner": {"color": "blue"}},
    "experiments": {
        "checkout": {
            "groups": {"control": {"color": "red"}, "test": {"color": "blue"}},
            "layer": "page",
            "allocation": 10,
        },
        "alone": {"groups": {"a": {"x": 1}, "b": {"x": 2}}},
    },
    "layers": {"page": {"color": "grey", "size": 1}},
    "id_lists": {"members": ["u-1"]},
}

pytestmark = [pytest.mark.trackside(workspace={"statsig": STATSIG}), pytest.mark.rule("statsig.sdk.serve")]


@pytest.fixture
def values(call):
    """Return what gives the values of a user, as a client SDK gets them."""

    def of(user: str = "u-7") -> dict[str, Any]:
        answer = call("/v1/initialize?k=client-local", {"user": {"userID": user}, "hash": "none"}).json()
        return {
            kind: {name: one["value"] for name, one in answer[kind].items()}
            for kind in ("feature_gates", "dynamic_configs", "layer_configs")
        } | {"whole": answer}

    return of


def passing(values: Any, gate: str, users: int = 200) -> int:
    return sum(values(f"u{number}")["feature_gates"][gate] for number in range(users))


# ---- gates


@pytest.mark.parametrize("value", [True, False])
def test_a_gate_serves_everyone(trackside, values, value):
    trackside.statsig.gate("new_checkout").serve(value)

    assert values()["feature_gates"]["new_checkout"] is value


def test_a_gate_serves_a_percentage(trackside, values):
    trackside.statsig.gate("new_checkout").serve(25)

    assert 30 <= passing(values, "new_checkout") <= 70


def test_a_gate_serves_one_unit(trackside, values):
    trackside.statsig.gate("new_checkout").serve(False).serve(True, user="u-7")

    assert (values("u-7")["feature_gates"]["new_checkout"], values("u-8")["feature_gates"]["new_checkout"]) == (
        True,
        False,
    )


def test_the_latest_change_for_everyone_counts_and_takes_single_units_away(trackside, values):
    trackside.statsig.gate("beta").serve(False, user="u-1").serve(True)

    assert values("u-1")["feature_gates"]["beta"] is True


def test_a_gate_that_is_served_is_enabled(trackside, values):
    trackside.statsig.gate("off").serve(True)

    assert values()["feature_gates"]["off"] is True


def test_a_gate_is_disabled_and_enabled(trackside, values):
    gate = trackside.statsig.gate("new_checkout").disable()
    assert values()["whole"]["feature_gates"]["new_checkout"]["rule_id"] == "disabled"

    gate.enable()
    assert values()["feature_gates"]["new_checkout"] is True


def test_a_gate_that_does_not_exist_is_made(trackside, values):
    trackside.statsig.gate("brand_new").serve(True)

    assert values()["feature_gates"]["brand_new"] is True


@pytest.mark.parametrize("value", ["yes", 101, -1, None, {"a": 50}])
def test_a_gate_cannot_serve_anything_else(trackside, value):
    with pytest.raises(TracksideError, match="serve true, false, or a percentage from 0 to 100"):
        trackside.statsig.gate("new_checkout").serve(value)


# ---- dynamic configs and layers


def test_a_config_serves_other_parameters(trackside, values):
    trackside.statsig.config("banner").serve({"color": "green"})

    assert values()["dynamic_configs"]["banner"] == {"color": "green"}


def test_a_config_serves_one_unit(trackside, values):
    trackside.statsig.config("banner").serve({"color": "green"}, user="u-7")

    assert values("u-7")["dynamic_configs"]["banner"] == {"color": "green"}
    assert values("u-8")["dynamic_configs"]["banner"] == {"color": "blue"}


def test_a_layer_keeps_the_parameters_that_are_not_served(trackside, values):
    trackside.statsig.layer("page").serve({"color": "green"})

    assert values()["layer_configs"]["page"] == {"color": "green", "size": 1}


def test_a_config_cannot_serve_what_is_no_mapping(trackside):
    with pytest.raises(TracksideError, match="serve a mapping of its parameters"):
        trackside.statsig.config("banner").serve("green")


# ---- experiments


@pytest.mark.parametrize("group", ["control", "test"])
def test_everyone_is_put_into_a_group(trackside, values, group):
    trackside.statsig.experiment("checkout").serve(group)

    for user in ("u-1", "u-2", "u-3"):
        found = values(user)["whole"]["dynamic_configs"]["checkout"]
        assert (found["group_name"], found["rule_id"], found["is_user_in_experiment"]) == (group, group, True)


def test_the_layer_of_an_experiment_follows_for_units_that_were_not_allocated_too(trackside, values):
    assert values()["layer_configs"]["page"] == {"color": "grey", "size": 1}

    trackside.statsig.experiment("checkout").serve("test")

    found = values()["whole"]["layer_configs"]["page"]
    assert (found["value"], found["allocated_experiment_name"]) == ({"color": "blue", "size": 1}, "checkout")


def test_a_unit_is_put_into_a_group(trackside, values):
    trackside.statsig.experiment("alone").serve("a").serve("b", user="u-7")

    assert values("u-7")["dynamic_configs"]["alone"] == {"x": 2}
    assert values("u-8")["dynamic_configs"]["alone"] == {"x": 1}


def test_groups_get_other_sizes(trackside, values):
    trackside.statsig.experiment("alone").serve({"a": 90, "b": 10})

    of_a = sum(values(f"u{number}")["dynamic_configs"]["alone"] == {"x": 1} for number in range(200))
    assert 160 <= of_a <= 198


def test_a_group_that_was_served_can_be_followed_by_another(trackside, values):
    trackside.statsig.experiment("alone").serve("a").serve("b")

    assert values()["dynamic_configs"]["alone"] == {"x": 2}


@pytest.mark.parametrize("group", ["c", {"a": 50}, {"a": 50, "c": 50}])
def test_an_experiment_cannot_serve_a_group_that_it_does_not_have(trackside, group):
    with pytest.raises(TracksideError, match=r"its groups are: a, b|add up to 100"):
        trackside.statsig.experiment("alone").serve(group)


def test_an_experiment_that_does_not_exist_is_made_with_the_group(trackside, values):
    trackside.statsig.experiment("brand_new").serve("test")

    assert values()["whole"]["dynamic_configs"]["brand_new"]["group_name"] == "test"


# ---- what the control API lists and sets


def rows(trackside: Any) -> dict[str, Any]:
    return {row["name"]: (row["kind"], row["on"], row["serves"]) for row in trackside.statsig.flags()}


def test_every_spec_and_list_is_a_row(trackside):
    assert rows(trackside) == {
        "new_checkout": ("gate", True, True),
        "beta": ("gate", True, False),
        "off": ("gate", False, False),
        "banner": ("dynamic_config", True, {"color": "blue"}),
        "checkout": ("experiment", True, ["control", "test"]),
        "alone": ("experiment", True, ["a", "b"]),
        "page": ("layer", True, "by rules"),
        "members": ("id_list", True, ["u-1"]),
    }


@pytest.mark.parametrize(
    ("name", "change", "row"),
    [
        ("new_checkout", {"serve": False}, ("gate", True, False)),
        ("new_checkout", {"serve": 12.5}, ("gate", True, 12.5)),
        ("new_checkout", {"on": False}, ("gate", False, False)),
        ("banner", {"serve": {"a": 1}}, ("dynamic_config", True, {"a": 1})),
        ("checkout", {"serve": "test"}, ("experiment", True, "test")),
        ("page", {"serve": {"size": 2}}, ("layer", True, {"color": "grey", "size": 2})),
        ("members", {"serve": ["u-2"]}, ("id_list", True, ["u-2"])),
        ("made", {"serve": 5}, ("gate", True, 5)),
        ("made", {"serve": {"a": 1}}, ("dynamic_config", True, {"a": 1})),
        ("made", {"serve": {"a": 1}, "kind": "layer"}, ("layer", True, {"a": 1})),
        ("made", {"serve": ["u-1"]}, ("id_list", True, ["u-1"])),
        ("made", {"on": True}, ("gate", True, False)),
    ],
)
def test_a_row_is_set_by_its_name(trackside, name, change, row):
    version = next((row["version"] for row in trackside.statsig.flags() if row["name"] == name), 0)

    told = trackside.statsig.set_flag(name, **change)

    assert (told["kind"], told["on"], told["serves"]) == row == rows(trackside)[name]
    assert told["version"] > version


def test_a_unit_is_set_through_a_row(trackside, values):
    trackside.statsig.set_flag("new_checkout", serve=False, user="u-7")

    assert (values("u-7")["feature_gates"]["new_checkout"], values("u-8")["feature_gates"]["new_checkout"]) == (
        False,
        True,
    )


@pytest.mark.parametrize(
    ("name", "change", "fix"),
    [
        ("a", {"serve": True, "kind": "flag"}, "use one of: gate, dynamic_config, experiment, layer, id_list"),
        ("members", {"serve": True}, "serve a list"),
        ("new_checkout", {"serve": {"a": 1}}, "serve true, false, or a percentage from 0 to 100"),
        ("new_checkout", {"serve": True, "environment": "staging"}, "leave it out"),
    ],
)
def test_what_cannot_be_set_is_told(trackside, name, change, fix):
    before = rows(trackside)

    with pytest.raises(TracksideError) as caught:
        trackside.statsig.set_flag(name, **change)

    assert fix in caught.value.fix
    assert rows(trackside) == before


@pytest.mark.rule("statsig.sdk.reset")
def test_a_reset_takes_every_change_back(trackside, values):
    before = rows(trackside)
    trackside.statsig.gate("new_checkout").serve(False)
    trackside.statsig.experiment("checkout").serve("test")
    trackside.statsig.id_list("members").add("u-9")
    trackside.statsig.id_list("others").add("u-9")
    trackside.statsig.config("made").serve({})

    trackside.reset()

    assert rows(trackside) == before
    assert values()["feature_gates"]["new_checkout"] is True


def in_groups(values: Any, experiment: str) -> set[str]:
    """Return the groups that twenty users are in."""
    found = [values(f"u{number}")["whole"]["dynamic_configs"][experiment] for number in range(20)]
    return {str(one.get("group_name")) for one in found}


@pytest.mark.parametrize("group", ["a", "b"])
def test_a_group_that_gets_all_is_the_only_one(trackside, values, group):
    trackside.statsig.experiment("alone").serve({group: 100})

    assert in_groups(values, "alone") == {group}
    trackside.statsig.experiment("alone").serve({"a": 0, "b": 100})
    assert in_groups(values, "alone") == {"b"}


@pytest.mark.parametrize("experiment", ["checkout", "later"])
def test_percentages_are_of_everyone_allocated_or_not_and_started_or_not(make_trackside, call, experiment):
    groups = {"a": {"x": 1}, "b": {"x": 2}}
    block = {"checkout": {"groups": groups, "allocation": 10}, "later": {"groups": groups, "active": False}}
    lab = make_trackside({"statsig": {**STATSIG, "layers": {}, "experiments": block}})

    lab.statsig.experiment(experiment).serve({"a": 50, "b": 50})

    asked = [{"user": {"userID": f"u{number}"}, "hash": "none"} for number in range(20)]
    found = [call(f"{lab.statsig.url}/v1/initialize?k=client-local", one).json() for one in asked]
    assert {one["dynamic_configs"][experiment]["group_name"] for one in found} == {"a", "b"}


def test_units_that_are_forced_into_a_group_stay_there_when_sizes_change(make_trackside, call):
    block = {"e": {"groups": {"a": {"x": 1}, "b": {"x": 2}}, "users": {"b": ["u-1"]}}}
    lab = make_trackside({"statsig": {**STATSIG, "layers": {}, "experiments": block}})

    lab.statsig.experiment("e").serve({"a": 100})

    answer = call(f"{lab.statsig.url}/v1/initialize?k=client-local", {"user": {"userID": "u-1"}, "hash": "none"})
    assert answer.json()["dynamic_configs"]["e"]["group_name"] == "b"


@pytest.mark.parametrize(
    "value",
    [{"a": -50, "b": 150}, {"a": float("nan"), "b": 100}, {"a": "50", "b": 100}, {"a": True, "b": 99}, ["a"], {}],
)
def test_an_experiment_cannot_serve_what_are_no_percentages_and_no_group(trackside, value):
    with pytest.raises(TracksideError, match="the experiment alone cannot serve"):
        trackside.statsig.experiment("alone").serve(value)


def _endless() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["a"] = value
    return value


@pytest.mark.parametrize(
    "value",
    [{1: 2}, {"a": object()}, {"a": {1, 2}}, {"a": 2**70}, {"a": "\ud800"}, _endless()],
    ids=["number-as-key", "object", "set", "huge", "half-a-character", "endless"],
)
def test_what_no_json_can_hold_is_refused_before_an_sdk_is_given_it(trackside, values, call, value):
    with pytest.raises(TracksideError, match="the dynamic_config banner cannot be sent as JSON"):
        trackside.statsig.config("banner").serve(value)

    assert values()["dynamic_configs"]["banner"] == {"color": "blue"}
    assert call("/v2/download_config_specs/secret-local.json").status == 200


def test_a_value_that_is_changed_after_it_was_served_stays_as_it_was(trackside, values):
    parameters = {"sizes": [1]}
    trackside.statsig.config("banner").serve(parameters)

    parameters["sizes"].append(2)

    assert values()["dynamic_configs"]["banner"] == {"sizes": [1]}


@pytest.mark.parametrize("name", [5, "", None])
def test_what_is_no_name_is_refused(trackside, call, name):
    with pytest.raises(TracksideError, match="is no name"):
        trackside.statsig.gate(name).serve(True)

    assert call("/v2/download_config_specs/secret-local.json").status == 200


@pytest.mark.parametrize("unit", [5, ["u-1"], "\ud800", ""])
def test_what_is_no_id_is_refused_and_the_list_stays_as_it_was(trackside, call, unit):
    with pytest.raises(TracksideError, match="is no ID"):
        trackside.statsig.id_list("members").add("u-2", unit)

    assert trackside.statsig.id_list("members").ids == ["u-1"]
    assert call("/v2/download_config_specs/secret-local.json").status == 200
