"""Events as SDKs and the HTTP API post them to log_event and rgstr: answers, what is kept, what is dropped."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from trackside import catalog
from trackside.statsig.events import log_event
from trackside.statsig.settings import StatsigSettings
from trackside.wire import Answer, Request

SETTINGS = StatsigSettings("secret-local", "client-local", "console-local")
AT = 1_795_313_700.0
PURCHASE: dict[str, Any] = {
    "eventName": "purchase",
    "user": {"userID": "u-1", "custom": {"plan": "pro"}},
    "value": 42.5,
    "metadata": {"items": 3},
    "time": 1_795_313_690_627,
}
SDK = {"sdkType": "py-server", "sdkVersion": "0.72.1"}

pytestmark = pytest.mark.trackside(
    workspace={"statsig": {"server_secret": "secret-local", "client_key": "client-local"}}
)


def post(*events: Any, settings: StatsigSettings = SETTINGS, **more: Any) -> Answer:
    """Return the answer to events of the Python SDK."""
    headers = {"statsig-api-key": "secret-local", **more.pop("headers", {})}
    body = orjson.dumps({"events": list(events), "statsigMetadata": SDK, **more})
    return log_event(Request("POST", "/v1/log_event", headers, body, at=AT), settings)


def rules(answer: Answer) -> list[str]:
    return [step.rule for step in answer.steps]


# ---- answers


@pytest.mark.rule("statsig.events.answer")
def test_events_are_answered_with_success_true() -> None:
    answer = post(PURCHASE)
    assert (answer.status, answer.body) == (202, b'{"success":true}')
    assert catalog.faults("statsig/log-event-answer", orjson.loads(answer.body)) == []


@pytest.mark.rule("statsig.events.answer")
def test_the_answer_is_the_same_where_every_event_is_dropped() -> None:
    answer = post({**PURCHASE, "eventName": "a#b"})
    assert (answer.status, answer.body, answer.records) == (202, b'{"success":true}', [])


@pytest.mark.rule("statsig.events.answer")
def test_a_post_without_events_is_fine() -> None:
    assert post().status == 202


@pytest.mark.rule("statsig.events.older-paths")
@pytest.mark.parametrize("path", ["/v1/log_event", "/v1/rgstr", "/v1/log_event_beacon"])
def test_events_are_taken_at_each_path(trackside: Any, call: Any, path: str) -> None:
    assert call(path, {"events": [PURCHASE]}, statsig_api_key="client-local").status == 202
    trackside.statsig.expect_only("purchase", user_id="u-1")


@pytest.mark.rule("statsig.sdk.key")
@pytest.mark.parametrize("key", ["secret-local", "client-local"])
def test_the_server_and_the_client_key_log_events(key: str) -> None:
    assert post(PURCHASE, headers={"statsig-api-key": key}).status == 202


@pytest.mark.rule("statsig.sdk.key")
@pytest.mark.parametrize("key", ["secret-wrong", "console-local", ""])
def test_any_other_key_is_refused(key: str) -> None:
    answer = post(PURCHASE, headers={"statsig-api-key": key})
    assert (answer.status, answer.records) == (401, [])
    assert catalog.faults("statsig/error-answer", orjson.loads(answer.body)) == []
    assert answer.steps[0].level == "error"


@pytest.mark.rule("statsig.sdk.key")
def test_a_refused_key_is_repeated_nowhere() -> None:
    answer = post(PURCHASE, headers={"statsig-api-key": "secret-wrong"})
    assert "secret-wrong" not in f"{answer.body!r} {answer.steps[0]}"


@pytest.mark.rule("statsig.sdk.key")
def test_the_demo_project_takes_any_key_but_not_none() -> None:
    demo = StatsigSettings("secret-local", any_key=True)
    assert post(PURCHASE, settings=demo, headers={"statsig-api-key": "secret-mine"}).status == 202
    assert post(PURCHASE, settings=demo, headers={"statsig-api-key": ""}).status == 401


@pytest.mark.rule("statsig.events.body")
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"events": {}}'])
def test_a_body_without_a_list_of_events_is_refused(body: bytes) -> None:
    answer = log_event(Request("POST", "/v1/log_event", {"statsig-api-key": "secret-local"}, body), SETTINGS)
    assert answer.status == 400
    assert rules(answer) == ["statsig.events.body"]


@pytest.mark.rule("statsig.events.body")
def test_a_body_of_more_levels_than_can_be_shown_is_refused() -> None:
    body = b'{"events": [{"eventName": "deep", "metadata": ' + b'{"a": ' * 300 + b"1" + b"}" * 301 + b"]}"
    answer = log_event(Request("POST", "/v1/log_event", {"statsig-api-key": "secret-local"}, body), SETTINGS)
    assert answer.status == 400
    assert "253 levels" in answer.steps[0].text


# ---- what is kept


@pytest.mark.rule("statsig.events.record", "statsig.contract")
def test_an_event_is_kept_as_the_sdk_sends_it() -> None:
    [record] = post(PURCHASE).records
    assert record == {
        "eventName": "purchase",
        "time": 1_795_313_690_627,
        "value": 42.5,
        "user": {"userID": "u-1", "custom": {"plan": "pro"}},
        "metadata": {"items": 3},
        "statsigMetadata": SDK,
    }
    assert catalog.faults("statsig/event", record) == []


@pytest.mark.rule("statsig.events.record")
def test_nulls_and_absent_keys_make_the_same_event() -> None:
    nulls = {"value": None, "metadata": None, "statsigMetadata": None, "secondaryExposures": None}
    least = {"eventName": "bare", "user": {"userID": "u-2"}, "time": 1}
    assert post({**least, **nulls}).records == post(least).records


@pytest.mark.rule("statsig.events.record")
def test_what_the_event_says_of_the_sdk_is_added_to_the_batch() -> None:
    [record] = post({**PURCHASE, "statsigMetadata": {"currentPage": "http://127.0.0.1/"}}).records
    assert record["statsigMetadata"] == {**SDK, "currentPage": "http://127.0.0.1/"}


@pytest.mark.rule("statsig.events.private")
def test_private_attributes_are_not_kept() -> None:
    answer = post({**PURCHASE, "user": {"userID": "u-1", "privateAttributes": {"salary": 1}}})
    assert answer.records[0]["user"] == {"userID": "u-1"}
    assert rules(answer) == ["statsig.events.private"]


@pytest.mark.rule("statsig.events.private")
def test_private_attributes_that_are_null_are_nothing_to_speak_of() -> None:
    assert post({**PURCHASE, "user": {"userID": "u-1", "privateAttributes": None}}).steps == []


@pytest.mark.rule("statsig.in.id-text")
def test_ids_that_are_numbers_become_text() -> None:
    answer = post({**PURCHASE, "user": {"userID": 42, "customIDs": {"companyID": 7, "teamID": "t"}}})
    assert answer.records[0]["user"] == {"userID": "42", "customIDs": {"companyID": "7", "teamID": "t"}}
    assert rules(answer) == ["statsig.in.id-text"] * 2


@pytest.mark.rule("statsig.http.shared-user")
def test_the_user_of_the_body_stands_in_for_events_without_one() -> None:
    own, without = post(PURCHASE, {"eventName": "seen", "time": 1}, user={"userID": "shared"}).records
    assert (own["user"]["userID"], without["user"]["userID"]) == ("u-1", "shared")


@pytest.mark.rule("statsig.in.no-unit-id")
def test_an_event_of_nobody_is_kept_with_a_note() -> None:
    answer = post({"eventName": "seen", "time": 1})
    assert [record["eventName"] for record in answer.records] == ["seen"]
    assert [(step.rule, step.level) for step in answer.steps] == [("statsig.in.no-unit-id", "note")]


@pytest.mark.rule("statsig.in.no-unit-id")
def test_the_stable_id_of_js_client_names_a_unit() -> None:
    assert post({"eventName": "seen", "time": 1}, statsigMetadata={"stableID": "device-1"}).steps == []


@pytest.mark.rule("statsig.events.diagnostics")
@pytest.mark.parametrize("name", ["statsig::diagnostics", "statsig::non_exposed_checks"])
@pytest.mark.parametrize("markers", [[{"key": "overall"}], '[{"key": "overall"}]'])
def test_what_sdks_tell_of_themselves_is_kept_apart(trackside: Any, call: Any, name: str, markers: object) -> None:
    event = {"eventName": name, "metadata": {"markers": markers, "context": "initialize"}, "time": 1}
    call("/v1/log_event", {"events": [event, PURCHASE]}, statsig_api_key="secret-local")
    trackside.statsig.expect_only("purchase")
    [kept] = [one.record for one in trackside.kept("statsig") if one.record.get("kind")]
    assert (kept["kind"], kept["eventName"]) == ("diagnostics", name)
    assert catalog.faults("statsig/diagnostics", kept) == []
    trackside.expect_no_findings(notes=True)


# ---- time


@pytest.mark.rule("statsig.events.time")
def test_a_time_may_be_an_iso_8601_text() -> None:
    assert post({**PURCHASE, "time": "2026-11-22T02:14:50.627Z"}).records[0]["time"] == 1_795_313_690_627


@pytest.mark.rule("statsig.events.time")
def test_an_event_without_time_has_the_time_of_receipt() -> None:
    answer = post({**PURCHASE, "time": None})
    assert answer.records[0]["time"] == 1_795_313_700_000
    assert [(step.rule, step.level) for step in answer.steps] == [("statsig.events.time", "note")]


@pytest.mark.rule("statsig.events.time")
def test_a_time_that_cannot_be_read_is_an_error() -> None:
    answer = post({**PURCHASE, "time": "yesterday"})
    assert answer.records[0]["time"] == 1_795_313_700_000
    assert [(step.at, step.level) for step in answer.steps] == [("$.events[0].time", "error")]


@pytest.mark.rule("statsig.events.client-time")
def test_the_times_of_a_client_whose_clock_is_behind_are_moved() -> None:
    answer = post(PURCHASE, headers={"statsig-client-time": "1795313640000"})
    assert answer.records[0]["time"] == PURCHASE["time"] + 60_000
    assert [(step.rule, step.level) for step in answer.steps] == [("statsig.events.client-time", "note")]


@pytest.mark.rule("statsig.events.client-time")
@pytest.mark.parametrize("sent", ["1795313692000", "1795313708000", "soon", ""])
def test_a_difference_of_a_few_seconds_moves_nothing(sent: str) -> None:
    answer = post(PURCHASE, headers={"statsig-client-time": sent})
    assert answer.records[0]["time"] == PURCHASE["time"]
    assert answer.steps == []


# ---- what is dropped or warned of


@pytest.mark.rule("statsig.in.name-characters")
@pytest.mark.parametrize("character", [*"\\[]{}<>#=;&$%|", "\n", "\r", "\0"])
def test_an_event_whose_name_holds_a_forbidden_character_is_dropped(character: str) -> None:
    answer = post({**PURCHASE, "eventName": f"Sale {character} off"}, PURCHASE)
    assert [record["eventName"] for record in answer.records] == ["purchase"]
    assert [(step.rule, step.kind, step.level) for step in answer.steps] == [
        ("statsig.in.name-characters", "drop", "warning")
    ]


@pytest.mark.rule("statsig.events.name")
@pytest.mark.parametrize("name", [None, "", 7])
def test_an_event_without_a_name_is_dropped(name: object) -> None:
    answer = post({**PURCHASE, "eventName": name})
    assert answer.records == []
    assert [(step.rule, step.at) for step in answer.steps] == [("statsig.events.name", "$.events[0].eventName")]


@pytest.mark.rule("statsig.events.body")
def test_an_event_that_is_no_object_is_dropped() -> None:
    answer = post("purchase", PURCHASE)
    assert len(answer.records) == 1
    assert [(step.at, step.level) for step in answer.steps] == [("$.events[0]", "error")]


@pytest.mark.rule("statsig.events.field")
@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [("value", True, None), ("value", {"a": 1}, None), ("metadata", ["a"], {}), ("user", "u-1", {})],
)
def test_a_field_of_another_type_is_left_out(field: str, value: object, kept: object) -> None:
    answer = post({**PURCHASE, field: value}, statsigMetadata={"stableID": "device-1"})
    assert answer.records[0][field] == kept
    assert [(step.rule, step.at) for step in answer.steps] == [("statsig.events.field", f"$.events[0].{field}")]


@pytest.mark.rule("statsig.in.limit.name", "statsig.in.limit.value", "statsig.in.limit.user-id")
@pytest.mark.parametrize(
    ("event", "rule"),
    [
        ({"eventName": "n" * 65}, "statsig.in.limit.name"),
        ({"value": "v" * 65}, "statsig.in.limit.value"),
        ({"user": {"userID": "u" * 65}}, "statsig.in.limit.user-id"),
    ],
)
def test_what_is_over_64_characters_is_kept_whole_with_a_warning(event: dict[str, Any], rule: str) -> None:
    answer = post({**PURCHASE, **event})
    assert len(answer.records) == 1
    assert [(step.rule, step.level) for step in answer.steps] == [(rule, "warning")]


@pytest.mark.rule("statsig.in.limit.metadata")
def test_metadata_over_4096_characters_is_kept_whole_with_a_warning() -> None:
    answer = post({**PURCHASE, "metadata": {"text": "x" * 4096}})
    assert len(answer.records[0]["metadata"]["text"]) == 4096
    assert [(step.rule, step.level) for step in answer.steps] == [("statsig.in.limit.metadata", "warning")]


# ---- findings


@pytest.mark.rule("statsig.contract")
def test_a_body_that_breaks_its_contract_is_an_error_and_told_once(trackside: Any, call: Any) -> None:
    event = {**PURCHASE, "value": {"amount": 1}, "user": {"userID": "u-1", "email": 7}}
    call("/v1/log_event", {"events": [event]}, statsig_api_key="secret-local")
    found = [(finding.step.rule, finding.step.at) for finding in trackside.findings()]
    assert found == [
        ("statsig.events.field", "$.events[0].value"),
        ("statsig.contract", "$.events[0].user.email"),
    ]


@pytest.mark.rule("statsig.events.answer")
def test_the_same_request_gives_the_same_answer_again() -> None:
    assert post(PURCHASE) == post(PURCHASE)
