"""What becomes of the events that SDKs track, beside those made from Segment."""

from __future__ import annotations

from typing import Any

import pytest
import urllib3

WORKSPACE = {
    "segment": {
        "sources": {"web": {"write_key": "wk_web", "destinations": ["fme"]}},
        "destinations": {"fme": {"type": "split", "api_key": "fme-key"}},
    },
    "split": {
        "environments": {"production": {"sdk_key": "sdk-local"}, "staging": {"sdk_key": "sdk-staging"}},
        "traffic_types": ["user", "account"],
        "segment_inbound": [{"api_key": "fme-key", "environment": "production"}],
    },
}
EVENT = {
    "key": "u-1",
    "trafficTypeName": "user",
    "eventTypeId": "checkout",
    "value": 9.99,
    "timestamp": 1735787045000,
    "properties": {"plan": "gold", "items": 2},
}
PYTHON = {"SplitSDKVersion": "python-10.7.0", "SplitSDKMachineName": "host", "SplitSDKMachineIP": "10.0.0.1"}

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


@pytest.mark.rule("split.events.source", "split.posts.status")
def test_events_are_answered_202_without_a_body(post: Any, found: Any) -> None:
    answer = post("/api/events/bulk", [EVENT], **PYTHON)

    assert (answer.status, answer.data) == (202, b"")
    assert found() == []


@pytest.mark.rule("split.events.source")
def test_an_event_is_kept_as_those_from_segment_are_with_its_source(post: Any, kept: Any) -> None:
    post("/api/events/bulk", [EVENT], **PYTHON)

    assert kept("event") == [
        {
            "kind": "event",
            "eventTypeId": "checkout",
            "trafficTypeName": "user",
            "key": "u-1",
            "value": 9.99,
            "timestamp": 1735787045000,
            "properties": {"plan": "gold", "items": 2},
            "environmentName": "production",
            "source": "SDK",
            "foreignId": None,
            "sdk": "python",
            "sdkVersion": "10.7.0",
            "machineName": "host",
            "machineIp": "10.0.0.1",
        }
    ]


@pytest.mark.rule("split.events.source")
def test_a_test_expects_the_event_of_an_sdk(trackside: Any, post: Any) -> None:
    post("/api/events/bulk", [EVENT], **PYTHON)

    found = trackside.split.expect_event("checkout", key="u-1", traffic_type="user", value=9.99, timeout=0)
    assert found["properties"] == {"plan": "gold", "items": 2}


@pytest.mark.rule("split.events.source")
def test_the_source_tells_sdk_and_segment_apart(trackside: Any, post: Any) -> None:
    call = {"writeKey": "wk_web", "userId": "u-1", "event": "checkout", "properties": {"value": 5}}
    urllib3.request("POST", f"{trackside.segment.url}/v1/track", json=call)
    post("/api/events/bulk", [EVENT], **PYTHON)

    assert [(one["source"], one["value"]) for one in trackside.split.events(name="checkout")] == [
        ("Segment", 5),
        ("SDK", 9.99),
    ]


@pytest.mark.rule("split.events.environment")
def test_the_key_tells_the_environment(post: Any, kept: Any) -> None:
    post("/api/events/bulk", [EVENT], key="sdk-staging")

    assert kept("event")[0]["environmentName"] == "staging"


@pytest.mark.rule("split.events.environment")
def test_an_environment_in_the_event_is_not_followed(post: Any, kept: Any, found: Any) -> None:
    post("/api/events/bulk", [{**EVENT, "environmentName": "staging"}])

    assert kept("event")[0]["environmentName"] == "production"
    assert found() == [("split.events.environment", "warning", "$[0].environmentName")]


@pytest.mark.rule("split.events.value", "split.events.properties")
def test_null_for_value_and_properties_is_as_good_as_nothing(post: Any, kept: Any, found: Any) -> None:
    post("/api/events/bulk", [{**EVENT, "value": None, "properties": None}])

    assert [(one["value"], one["properties"]) for one in kept("event")] == [(None, {})]
    assert found() == []


@pytest.mark.rule("split.events.value")
@pytest.mark.parametrize("value", ["9.99", True, {"amount": 9.99}])
def test_a_value_that_is_no_number_is_stored_as_null(value: Any, post: Any, kept: Any, found: Any) -> None:
    post("/api/events/bulk", [{**EVENT, "value": value}])

    assert kept("event")[0]["value"] is None
    assert found() == [("split.events.value", "warning", "$[0].value")]


@pytest.mark.rule("split.events.properties")
def test_properties_that_are_no_object_are_left_out(post: Any, kept: Any, found: Any) -> None:
    post("/api/events/bulk", [{**EVENT, "properties": "gold"}])

    assert kept("event")[0]["properties"] == {}
    assert found() == [("split.events.properties", "warning", "$[0].properties")]


@pytest.mark.rule("split.in.properties.length")
def test_a_long_property_is_cut_as_segments_are(post: Any, kept: Any, found: Any) -> None:
    post("/api/events/bulk", [EVENT, {**EVENT, "properties": {"note": "x" * 257}}])

    assert kept("event")[1]["properties"] == {"note": "x" * 256}
    assert found() == [("split.in.properties.length", "warning", "$[1].properties.note")]


@pytest.mark.rule("split.in.properties.object")
def test_an_object_in_a_property_is_stored_as_text_as_segments_are(post: Any, kept: Any, found: Any) -> None:
    post("/api/events/bulk", [{**EVENT, "properties": {"cart": {"items": 2}}}])

    assert kept("event")[0]["properties"] == {"cart": '{"items":2}'}
    assert found() == [("split.in.properties.object", "note", "$[0].properties.cart")]


@pytest.mark.rule("split.events.name")
@pytest.mark.parametrize("name", ["Bid Placed", 42])
def test_an_event_type_with_a_blank_is_not_mended(name: Any, post: Any, kept: Any, found: Any) -> None:
    post("/api/events/bulk", [{**EVENT, "eventTypeId": name}])

    assert kept("event") == []
    assert found() == [("split.events.name", "error", "$[0].eventTypeId")]


@pytest.mark.rule("split.in.event-type-name")
def test_an_event_type_that_breaks_the_naming_rules_is_dropped(post: Any, kept: Any, found: Any) -> None:
    post("/api/events/bulk", [{**EVENT, "eventTypeId": "checkout!"}])

    assert kept("event") == []
    assert found() == [("split.in.event-type-name", "warning", "$[0].eventTypeId")]


@pytest.mark.rule("split.in.event-type-length")
def test_an_event_type_of_80_characters_is_kept_and_of_81_dropped(post: Any, kept: Any) -> None:
    post("/api/events/bulk", [{**EVENT, "eventTypeId": "e" * 80}, {**EVENT, "eventTypeId": "e" * 81}])

    assert [one["eventTypeId"] for one in kept("event")] == ["e" * 80]


@pytest.mark.rule("split.events.required")
@pytest.mark.parametrize("name", ["eventTypeId", "trafficTypeName", "key", "timestamp"])
def test_an_event_without_a_required_field_is_dropped_and_the_others_are_kept(
    name: str, post: Any, kept: Any, found: Any
) -> None:
    without = {field: value for field, value in EVENT.items() if field != name}
    answer = post("/api/events/bulk", [without, EVENT])

    assert answer.status == 202
    assert len(kept("event")) == 1
    assert found() == [("split.events.required", "error", f"$[0].{name}")]


@pytest.mark.rule("split.events.required")
@pytest.mark.parametrize("name", [["user"], 42])
def test_a_traffic_type_that_is_no_text_drops_the_event(name: Any, post: Any, kept: Any, found: Any) -> None:
    post("/api/events/bulk", [{**EVENT, "trafficTypeName": name}])

    assert kept("event") == []
    assert found() == [("split.events.required", "error", "$[0].trafficTypeName")]


@pytest.mark.rule("split.in.key", "split.events.required")
def test_a_key_of_251_characters_drops_the_event(post: Any, kept: Any, found: Any) -> None:
    post("/api/events/bulk", [{**EVENT, "key": "k" * 250}, {**EVENT, "key": "k" * 251}])

    assert [len(one["key"]) for one in kept("event")] == [250]
    assert ("split.events.required", "warning", "$[1].key") in found()


@pytest.mark.rule("split.events.traffic-type")
def test_an_unknown_traffic_type_is_kept_with_a_warning_that_names_the_known_ones(trackside: Any, post: Any) -> None:
    post("/api/events/bulk", [{**EVENT, "trafficTypeName": "planet"}])

    assert trackside.split.events(traffic_type="planet")
    [finding] = trackside.findings()
    assert (finding.step.rule, finding.step.at) == ("split.events.traffic-type", "$[0].trafficTypeName")
    assert "use one of account, anonymous, user" in finding.step.fix


@pytest.mark.rule("split.events.traffic-type")
def test_a_traffic_type_may_be_that_of_a_flag_in_a_file(trackside: Any, post: Any, found: Any, tmp_path: Any) -> None:
    flags = tmp_path / "splits.json"
    flags.write_text('{"splits": [{"name": "a", "trafficTypeName": "device", "conditions": []}]}', encoding="utf-8")
    environments = {"production": {"sdk_key": "sdk-local"}}
    trackside.configure({"split": {"environments": environments, "flags_file": str(flags)}})
    post("/api/events/bulk", [{**EVENT, "trafficTypeName": "device"}])

    assert found() == []


@pytest.mark.rule("split.events.traffic-type")
@pytest.mark.trackside(
    workspace={
        "split": {
            "environments": {"production": {"sdk_key": "sdk-local"}},
            "flags": {"banner": {"serve": "on", "traffic_type": "device"}, "plain": "on"},
        }
    }
)
def test_the_traffic_type_of_a_declared_flag_is_known(post: Any, found: Any) -> None:
    post("/api/events/bulk", [{**EVENT, "trafficTypeName": "device"}, EVENT])

    assert found() == []


@pytest.mark.rule("split.events.timestamp")
@pytest.mark.parametrize(
    ("written", "stored"),
    [
        (1735787045, 1735787045000),
        ("1735787045", 1735787045000),
        ("1735787045000", 1735787045000),
    ],
)
def test_a_timestamp_in_seconds_or_as_text_is_understood_with_a_warning(
    written: Any, stored: int, post: Any, kept: Any, found: Any
) -> None:
    post("/api/events/bulk", [{**EVENT, "timestamp": written}])

    assert kept("event")[0]["timestamp"] == stored
    assert found() == [("split.events.timestamp", "warning", "$[0].timestamp")]


@pytest.mark.rule("split.events.timestamp")
@pytest.mark.parametrize("written", ["yesterday", True, 1e300, "9" * 5000])
def test_a_timestamp_that_is_no_moment_becomes_the_time_of_reception(
    written: Any, post: Any, kept: Any, found: Any
) -> None:
    post("/api/events/bulk", [{**EVENT, "timestamp": written}])

    assert kept("event")[0]["timestamp"] > EVENT["timestamp"]
    assert found() == [("split.events.timestamp", "warning", "$[0].timestamp")]


@pytest.mark.rule("split.sdk.key")
def test_events_with_an_unknown_key_are_refused(post: Any, kept: Any) -> None:
    answer = post("/api/events/bulk", [EVENT], key="sdk-of-nobody")

    assert (answer.status, answer.json(), kept("event")) == (401, "Invalid credentials", [])


@pytest.mark.rule("split.posts.path")
@pytest.mark.parametrize("base", ["/api", "", "/api/v1", "/v1"])
def test_events_are_taken_under_each_base(base: str, post: Any, kept: Any) -> None:
    assert post(f"{base}/events/bulk", [EVENT]).status == 202
    assert len(kept("event")) == 1
