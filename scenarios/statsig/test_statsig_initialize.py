"""What client SDKs get: the values of one user, in every way that they ask."""

from __future__ import annotations

import base64
import gzip
import sys
from typing import Any

import orjson
import pytest

from trackside import catalog
from trackside.statsig.hashes import djb2

STATSIG: dict[str, Any] = {
    "server_secret": "secret-local",
    "client_key": "client-local",
    "gates": {
        "new_checkout": True,
        "for_device": {"if": {"stableID": ["device-1"]}, "id_type": "stableID"},
        "listed": {"if": {"passes_segment": "members"}},
        "firefox": {"if": {"browser_name": "Firefox"}},
        "staging": {"if": {"environment_tier": "staging"}},
        "gold": {"if": {"plan": "gold"}},
        "french": {"if": {"country": "fr"}},
    },
    "dynamic_configs": {"banner": {"color": "blue"}},
    "experiments": {
        "checkout": {
            "groups": {"control": {"color": "red"}, "test": {"color": "blue"}},
            "layer": "page",
            "users": {"test": ["u-1"]},
        }
    },
    "layers": {"page": {"color": "grey", "size": 1}},
    "id_lists": {"members": ["u-1"]},
}

pytestmark = pytest.mark.trackside(workspace={"statsig": STATSIG})

PATH = "/v1/initialize?k=client-local"
BODY: dict[str, Any] = {
    "user": {"userID": "u-1"},
    "hash": "none",
    "deltasResponseRequested": False,
    "full_checksum": None,
    "statsigMetadata": {"sdkType": "javascript-client", "sdkVersion": "3.33.5", "stableID": "device-1"},
}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


# ---- the answer


@pytest.mark.rule("statsig.sdk.initialize.evaluation")
def test_the_answer_keeps_its_contract(call, trackside):
    answer = call(PATH, BODY)

    assert answer.status == 200
    assert catalog.faults("statsig/initialize-answer", answer.json()) == []
    assert list(trackside.findings()) == []


@pytest.mark.rule("statsig.sdk.initialize.evaluation")
def test_a_user_gets_the_value_of_every_gate_config_experiment_and_layer(call):
    values = call(PATH, BODY).json()

    assert values["feature_gates"]["new_checkout"]["value"] is True
    assert values["dynamic_configs"]["banner"]["value"] == {"color": "blue"}
    assert values["dynamic_configs"]["checkout"]["group_name"] == "test"
    assert values["layer_configs"]["page"]["value"] == {"color": "blue", "size": 1}
    assert values["layer_configs"]["page"]["allocated_experiment_name"] == "checkout"


@pytest.mark.rule("statsig.sdk.initialize.evaluation")
@pytest.mark.parametrize(("user", "passes"), [("u-1", True), ("u-2", False)])
def test_an_id_list_decides_without_a_download(call, user, passes):
    values = call(PATH, {**BODY, "user": {"userID": user}}).json()

    assert values["feature_gates"]["listed"]["value"] is passes


@pytest.mark.rule("statsig.sdk.initialize.evaluation")
@pytest.mark.parametrize(
    ("gate", "user"),
    [
        ("gold", {"userID": "u-1", "custom": {"plan": "gold"}}),
        ("gold", {"userID": "u-1", "privateAttributes": {"plan": "gold"}}),
        ("staging", {"userID": "u-1", "statsigEnvironment": {"tier": "staging"}}),
        ("firefox", {"userID": "u-1", "userAgent": FIREFOX}),
        ("french", {"userID": "u-1", "country": "FR"}),
        ("french", {"userID": "u-1", "ip": "212.27.48.10"}),
        ("listed", {"userID": "u-1", "email": None, "custom": None}),
    ],
)
def test_whatever_the_user_brings_is_evaluated(call, gate, user):
    assert call(PATH, {**BODY, "user": user}).json()["feature_gates"][gate]["value"] is True


@pytest.mark.rule("statsig.sdk.initialize.evaluation")
def test_the_browsers_user_agent_is_taken_from_the_request(call):
    values = call(PATH, BODY, user_agent=FIREFOX).json()

    assert values["feature_gates"]["firefox"]["value"] is True


@pytest.mark.rule("statsig.sdk.initialize.evaluation")
@pytest.mark.parametrize(
    "user",
    [
        {},
        {"userID": 5},
        {"userID": {"a": 1}},
        {"customIDs": [1]},
        {"custom": {"a": {"b": [1, None]}}},
        {"custom": 5},
        None,
    ],
)
def test_a_user_of_an_odd_shape_still_gets_values(call, user):
    answer = call(PATH, {**BODY, "user": user})

    assert answer.json()["feature_gates"]["new_checkout"]["value"] is True


@pytest.mark.rule("statsig.sdk.initialize.stable-id")
def test_the_stable_id_of_the_metadata_is_the_users(call):
    assert call(PATH, BODY).json()["feature_gates"]["for_device"]["value"] is True


@pytest.mark.rule("statsig.sdk.initialize.stable-id")
def test_a_stable_id_that_the_user_brings_goes_first(call):
    user = {"userID": "u-1", "customIDs": {"stableID": "device-2"}}

    assert call(PATH, {**BODY, "user": user}).json()["feature_gates"]["for_device"]["value"] is False


# ---- names


@pytest.mark.rule("statsig.sdk.initialize.hash")
@pytest.mark.parametrize(
    ("name", "hashed"), [("rig_gate", "2850191002"), ("rig_experiment", djb2("rig_experiment")), ("", "0")]
)
def test_djb2_is_what_statsig_writes(name, hashed):
    assert djb2(name) == hashed


@pytest.mark.rule("statsig.sdk.initialize.hash")
def test_names_are_hashed_with_djb2_by_default(call):
    body = {name: value for name, value in BODY.items() if name != "hash"}

    values = call(PATH, body).json()

    assert values["hash_used"] == "djb2"
    assert values["feature_gates"][djb2("new_checkout")]["name"] == djb2("new_checkout")


@pytest.mark.rule("statsig.sdk.initialize.hash")
def test_names_that_are_hashed_with_sha256_are_warned_of(call, trackside):
    values = call(PATH, {**BODY, "hash": "sha256"}).json()

    assert values["hash_used"] == "sha256"
    [finding] = trackside.findings()
    assert (finding.step.rule, finding.step.level) == ("statsig.sdk.initialize.hash", "warning")


# ---- encodings


PLAIN = orjson.dumps(BODY)


@pytest.mark.rule("statsig.sdk.encodings")
@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", PLAIN),
        ("&se=1", base64.b64encode(PLAIN)[::-1]),
        ("&se=1", PLAIN),
        ("&gz=1", gzip.compress(PLAIN, mtime=0)),
        ("&gz=1&se=1", base64.b64encode(gzip.compress(PLAIN, mtime=0))[::-1]),
    ],
    ids=["plain", "backwards", "backwards-in-name-only", "gzip", "both"],
)
def test_a_body_is_read_in_each_encoding(call, query, body):
    answer = call(PATH + query, body, content_type="text/plain")

    assert answer.json()["user"]["userID"] == "u-1"


@pytest.mark.rule("statsig.sdk.body", "statsig.sdk.encodings")
@pytest.mark.parametrize(
    ("query", "body"),
    [("", b"user=u-1"), ("", b"[]"), ("", b""), ("&se=1", b"###"), ("&gz=1", b"\x1f\x8bnot"), ("&se=1", b"====")],
)
def test_a_body_that_cannot_be_read_is_refused_with_400_and_a_finding(call, trackside, query, body):
    answer = call(PATH + query, body, "POST")

    assert answer.status == 400
    assert catalog.faults("statsig/error-answer", answer.json()) == []
    assert [finding.step.rule for finding in trackside.findings()] == ["statsig.sdk.body"]


@pytest.mark.rule("statsig.contract")
@pytest.mark.parametrize("encode", [bytes, lambda body: base64.b64encode(body)[::-1]], ids=["plain", "backwards"])
def test_a_body_that_breaks_its_contract_is_told_once(call, trackside, encode):
    call(f"{PATH}&se=1", encode(orjson.dumps({**BODY, "hash": "md5"})))

    [finding] = trackside.findings()
    assert (finding.step.rule, finding.step.at) == ("statsig.contract", "$.hash")


# ---- changes


@pytest.mark.rule("statsig.sdk.initialize.no-updates")
def test_a_client_that_has_the_latest_values_is_told_so(call):
    time = call(PATH, BODY).json()["time"]

    answer = call(PATH, {**BODY, "sinceTime": time})

    assert (answer.status, answer.json()) == (200, {"has_updates": False})


@pytest.mark.rule("statsig.sdk.initialize.no-updates", "statsig.sdk.serve")
def test_a_client_gets_new_values_after_a_change(call, trackside):
    time = call(PATH, BODY).json()["time"]

    trackside.statsig.gate("new_checkout").serve(False)

    values = call(PATH, {**BODY, "sinceTime": time}).json()
    assert values["feature_gates"]["new_checkout"]["value"] is False
    assert values["time"] > time


@pytest.mark.rule("statsig.sdk.initialize.no-updates")
def test_a_client_gets_new_values_after_an_id_list_changed(call, trackside):
    time = call(PATH, BODY).json()["time"]

    trackside.statsig.id_list("members").remove("u-1")

    assert call(PATH, {**BODY, "sinceTime": time}).json()["feature_gates"]["listed"]["value"] is False


# ---- browsers, and without the extra


@pytest.mark.rule("statsig.sdk.initialize.evaluation")
def test_a_page_of_another_origin_may_ask(call):
    answer = call(PATH, None, "OPTIONS", origin="http://shop.test", access_control_request_method="POST")

    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "http://shop.test"


@pytest.mark.rule("statsig.extra-missing")
def test_without_the_extra_the_answer_is_500_and_a_finding_names_it(make_trackside, call, monkeypatch):
    monkeypatch.setitem(sys.modules, "statsig_python_core", None)
    lab = make_trackside({"statsig": STATSIG})

    answer = call(f"{lab.statsig.url}{PATH}", BODY)

    assert answer.status == 500
    assert catalog.faults("statsig/error-answer", answer.json()) == []
    [finding] = lab.findings()
    assert finding.step.rule == "statsig.extra-missing"
    assert "trackside[statsig]" in finding.step.fix
