"""What becomes of the impressions, counts and unique keys that SDKs post."""

from __future__ import annotations

import json
from typing import Any

import pytest

WORKSPACE = {
    "split": {
        "environments": {
            "production": {"sdk_key": "sdk-local", "client_key": "client-local"},
            "staging": {"sdk_key": "sdk-staging"},
        }
    }
}
BULK = [
    {
        "f": "checkout_v2",
        "i": [
            {"k": "u-1", "t": "on", "m": 1735787045000, "c": 1500000000001, "r": "default rule", "b": None, "pt": None},
            {"k": "u-2", "t": "off", "m": 1735787046000, "c": 1500000000001, "r": "default rule", "b": "b-2"},
        ],
    },
    {"f": "banner", "i": [{"k": "u-1", "t": "on", "m": 1735787047000, "c": 1500000000002}]},
]
PYTHON = {
    "SplitSDKVersion": "python-10.7.0",
    "SplitSDKMachineName": "host",
    "SplitSDKMachineIP": "10.0.0.1",
    "SplitSDKImpressionsMode": "DEBUG",
}

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


@pytest.mark.rule("split.impressions", "split.posts.status")
def test_a_bulk_post_is_answered_200_without_a_body(post: Any, found: Any) -> None:
    answer = post("/api/testImpressions/bulk", BULK, **PYTHON)

    assert (answer.status, answer.data) == (200, b"")
    assert found() == []


@pytest.mark.rule("split.impressions")
def test_an_impression_is_kept_with_what_the_sdk_tells_of_itself(post: Any, kept: Any) -> None:
    post("/api/testImpressions/bulk", BULK, **PYTHON)

    assert kept("impression")[0] == {
        "kind": "impression",
        "split": "checkout_v2",
        "treatment": "on",
        "key": "u-1",
        "bucketingKey": None,
        "label": "default rule",
        "splitVersionNumber": 1500000000001,
        "time": 1735787045000,
        "previousTime": None,
        "properties": None,
        "environmentName": "production",
        "impressionsMode": "DEBUG",
        "sdk": "python",
        "sdkVersion": "10.7.0",
        "machineName": "host",
        "machineIp": "10.0.0.1",
    }


@pytest.mark.rule("split.impressions")
def test_a_repeat_tells_of_the_impression_before(post: Any, kept: Any) -> None:
    post("/api/testImpressions/bulk", [{"f": "banner", "i": [{**BULK[1]["i"][0], "pt": 1735787040000}]}])

    assert [one["previousTime"] for one in kept("impression")] == [1735787040000]


@pytest.mark.rule("split.impressions")
def test_impressions_of_one_flag_come_as_records_of_their_own(post: Any, kept: Any) -> None:
    post("/api/testImpressions/bulk", BULK)

    assert [(one["split"], one["key"]) for one in kept("impression")] == [
        ("checkout_v2", "u-1"),
        ("checkout_v2", "u-2"),
        ("banner", "u-1"),
    ]


@pytest.mark.rule("split.impressions")
def test_an_impression_belongs_to_the_environment_of_the_key(post: Any, kept: Any) -> None:
    post("/api/testImpressions/bulk", BULK, key="sdk-staging")

    assert {one["environmentName"] for one in kept("impression")} == {"staging"}


@pytest.mark.rule("split.impressions")
def test_a_client_side_key_may_post_impressions(post: Any, kept: Any) -> None:
    post("/api/testImpressions/bulk", BULK, key="client-local", SplitSDKVersion="browserjs-1.7.1")

    assert {(one["environmentName"], one["sdk"]) for one in kept("impression")} == {("production", "browserjs")}


@pytest.mark.rule("split.impressions")
def test_a_test_expects_an_impression_by_flag_key_and_treatment(trackside: Any, post: Any) -> None:
    post("/api/testImpressions/bulk", BULK)

    found = trackside.split.expect_impression("checkout_v2", key="u-2", treatment="off", bucketing_key="b-2", timeout=0)
    assert found["label"] == "default rule"
    assert len(trackside.split.impressions(key="u-1")) == 2


@pytest.mark.rule("split.impressions")
def test_an_impression_that_is_missing_shows_the_nearest_one(trackside: Any, post: Any) -> None:
    post("/api/testImpressions/bulk", BULK)

    with pytest.raises(AssertionError, match=r'treatment: expected "on", got "off"'):
        trackside.split.expect_impression("checkout_v2", key="u-2", treatment="on", timeout=0)


@pytest.mark.rule("split.impressions")
def test_impressions_are_no_events(trackside: Any, post: Any) -> None:
    post("/api/testImpressions/bulk", BULK)

    assert trackside.split.events() == []
    assert trackside.split.identities() == []


@pytest.mark.rule("split.impressions.properties")
def test_the_properties_of_an_impression_are_read(post: Any, kept: Any) -> None:
    properties = json.dumps({"screen": "cart"})
    post("/api/testImpressions/bulk", [{"f": "banner", "i": [{**BULK[1]["i"][0], "properties": properties}]}])

    assert [one["properties"] for one in kept("impression")] == [{"screen": "cart"}]


@pytest.mark.rule("split.impressions.properties")
@pytest.mark.parametrize("properties", ["screen=cart", "[1]", {"screen": "cart"}])
def test_properties_that_are_no_object_as_text_are_left_out(properties: Any, post: Any, kept: Any, found: Any) -> None:
    post("/api/testImpressions/bulk", [{"f": "banner", "i": [{**BULK[1]["i"][0], "properties": properties}]}])

    assert [one["properties"] for one in kept("impression")] == [None]
    assert found() == [("split.impressions.properties", "warning", "$[0].i[0].properties")]


@pytest.mark.rule("split.impressions.required")
@pytest.mark.parametrize("name", ["k", "t", "m"])
def test_an_impression_without_a_required_field_is_dropped_and_the_others_are_kept(
    name: str, post: Any, kept: Any, found: Any
) -> None:
    without = {field: value for field, value in BULK[0]["i"][0].items() if field != name}
    answer = post("/api/testImpressions/bulk", [{"f": "checkout_v2", "i": [without, BULK[0]["i"][1]]}])

    assert answer.status == 200
    assert [one["key"] for one in kept("impression")] == ["u-2"]
    assert found() == [("split.impressions.required", "error", f"$[0].i[0].{name}")]


@pytest.mark.rule("split.impressions.required")
@pytest.mark.parametrize(("group", "at"), [({"i": []}, "$[0].f"), ({"f": "banner"}, "$[0].i"), ("banner", "$[0]")])
def test_a_group_without_flag_or_impressions_is_dropped(group: Any, at: str, post: Any, kept: Any, found: Any) -> None:
    post("/api/testImpressions/bulk", [group, BULK[1]])

    assert [one["split"] for one in kept("impression")] == ["banner"]
    assert found() == [("split.impressions.required", "error", at)]


@pytest.mark.rule("split.contract")
def test_a_broken_contract_is_an_error_and_the_impression_is_kept(post: Any, kept: Any, found: Any) -> None:
    seconds = {"k": "u-1", "t": "on", "m": 1735787045, "c": 1500000000001}
    post("/api/testImpressions/bulk", [{"f": "banner", "i": [seconds]}])

    assert [one["time"] for one in kept("impression")] == [1735787045]
    assert found() == [("split.contract", "error", "$[0].i[0].m")]


# ---- who may post, and how


@pytest.mark.rule("split.sdk.key")
@pytest.mark.parametrize("key", [None, "", "sdk-of-nobody"])
def test_a_post_with_an_unknown_key_is_refused_and_nothing_is_kept(key: Any, post: Any, kept: Any, found: Any) -> None:
    answer = post("/api/testImpressions/bulk", BULK, key=key)

    assert (answer.status, answer.json()) == (401, "Invalid credentials")
    assert kept("impression") == []
    assert found() == [("split.sdk.key", "error", "the Authorization header")]


@pytest.mark.rule("split.posts.path")
@pytest.mark.parametrize("base", ["/api", "", "/api/v1", "/v1"])
def test_impressions_are_taken_under_each_base(base: str, post: Any, kept: Any) -> None:
    assert post(f"{base}/testImpressions/bulk", BULK).status == 200
    assert len(kept("impression")) == 3


@pytest.mark.rule("split.posts.malformed")
@pytest.mark.parametrize("body", [b"", b"{", b"null", b'{"f": "banner"}', b"[" * 300 + b"]" * 300])
def test_a_body_that_is_no_array_is_refused_with_400(body: bytes, post: Any, kept: Any, found: Any) -> None:
    answer = post("/api/testImpressions/bulk", body)

    assert (answer.status, answer.json()["code"]) == (400, 400)
    assert kept("impression") == []
    assert ("split.posts.malformed", "error", "$") in found()


@pytest.mark.rule("split.posts.malformed")
def test_a_body_that_cannot_be_decoded_is_refused_with_400(post: Any, found: Any) -> None:
    answer = post("/api/testImpressions/bulk", b"no gzip", **{"Content-Encoding": "gzip"})

    assert answer.status == 400
    assert found() == [("split.posts.malformed", "error", "$")]


@pytest.mark.rule("split.posts.size")
def test_a_body_of_over_one_megabyte_is_taken_with_a_warning(post: Any, kept: Any, found: Any) -> None:
    answer = post("/api/testImpressions/bulk", [{**BULK[1], "padding": "x" * 1024 * 1024}])

    assert answer.status == 200
    assert len(kept("impression")) == 1
    assert found() == [("split.posts.size", "warning", "$")]


# ---- counts and unique keys


@pytest.mark.rule("split.impressions.counts", "split.posts.status")
def test_counts_are_kept_apart_from_impressions(post: Any, kept: Any, found: Any) -> None:
    answer = post("/api/testImpressions/count", {"pf": [{"f": "banner", "m": 1735786800000, "rc": 4}]}, **PYTHON)

    assert (answer.status, answer.data) == (200, b"")
    [record] = kept("impression_count")
    assert (record["split"], record["time"], record["count"]) == ("banner", 1735786800000, 4)
    assert (kept("impression"), found()) == ([], [])


@pytest.mark.rule("split.impressions.keys")
def test_the_unique_keys_of_a_server_are_kept_by_flag(post: Any, kept: Any, found: Any) -> None:
    answer = post("/api/v1/keys/ss", {"keys": [{"f": "banner", "ks": ["u-1", "u-2"]}]}, **PYTHON)

    assert answer.status == 200
    assert [(one["split"], one["keys"]) for one in kept("unique_keys")] == [("banner", ["u-1", "u-2"])]
    assert found() == []


@pytest.mark.rule("split.impressions.keys")
def test_the_unique_keys_of_clients_are_kept_by_flag_too(post: Any, kept: Any, found: Any) -> None:
    rows = [{"k": "u-1", "fs": ["banner", "checkout_v2"]}, {"k": "u-2", "fs": ["banner"]}]
    answer = post("/api/v1/keys/cs", {"keys": rows}, key="client-local")

    assert answer.status == 200
    assert [(one["split"], one["keys"]) for one in kept("unique_keys")] == [
        ("banner", ["u-1", "u-2"]),
        ("checkout_v2", ["u-1"]),
    ]
    assert found() == []


@pytest.mark.rule("split.impressions.required")
@pytest.mark.parametrize(
    ("path", "body", "at"),
    [
        ("/api/testImpressions/count", {"pf": [{"f": "banner", "rc": "4"}]}, "$.pf[0]"),
        ("/api/testImpressions/count", {"pf": {}}, "$.pf"),
        ("/api/v1/keys/ss", {"keys": [{"k": "u-1", "fs": []}]}, "$.keys[0]"),
        ("/api/v1/keys/cs", {"keys": [{"f": "banner", "ks": []}]}, "$.keys[0]"),
    ],
)
def test_rows_of_another_form_are_dropped(path: str, body: Any, at: str, trackside: Any, post: Any, found: Any) -> None:
    assert post(path, body).status == 200
    assert [one.record for one in trackside.kept("split")] == []
    assert ("split.impressions.required", "error", at) in found()


@pytest.mark.rule("split.impressions")
def test_an_impression_of_another_flag_is_told_by_its_flag(trackside: Any, post: Any) -> None:
    post(
        "/api/testImpressions/bulk", [{"f": "checkout_v2", "i": [{"k": "u-1", "t": "on", "m": 1735787045000, "c": 1}]}]
    )
    with pytest.raises(AssertionError, match='split keeps 1 other record: "checkout_v2"'):
        trackside.split.expect_impression("banner", timeout=0)
    with pytest.raises(AssertionError, match=r'checkout_v2.* differs from "checkout-v2"'):
        trackside.split.expect_impression("checkout-v2", timeout=0)
