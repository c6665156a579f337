"""Segment's destination "LaunchDarkly": what each call becomes, and what is lost on the way."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from trackside.errors import TracksideError
from trackside.segment.actions import DESTINATIONS, ActionResult, Mapping, compile_destination
from trackside.steps import Step

SETTINGS = {"client_id": "57be1db38b75bf0772d11384"}
NOW = 1_700_000_000.0
ORDER = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u1",
    "anonymousId": "a1",
    "properties": {"revenue": 49.95, "sku": "A1"},
    "timestamp": "2024-05-01T10:00:00.123Z",
}


def results(message: dict[str, Any], mappings: list[Mapping] | None = None, **settings: Any) -> list[ActionResult]:
    return compile_destination("actions-launchdarkly", {**SETTINGS, **settings}, mappings)(message, NOW)


def result(message: dict[str, Any]) -> ActionResult:
    (matched,) = [row for row in results(message) if row.matched]
    return matched


def event(message: dict[str, Any]) -> dict[str, Any]:
    outgoing = result(message).outgoing
    assert outgoing is not None
    (only,) = json.loads(outgoing.body)
    return dict(only)


def dropped(message: dict[str, Any]) -> Step:
    failed = result(message)
    assert failed.outgoing is None
    (step,) = failed.steps
    return step


def without(key: str, **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**ORDER, **changes}.items() if name != key}


def revenue(value: Any) -> dict[str, Any]:
    return {**ORDER, "properties": {"revenue": value, "value": 7}}


@pytest.mark.rule("launchdarkly.in.track")
def test_a_track_call_becomes_one_custom_event():
    assert event(ORDER) == {
        "kind": "custom",
        "key": "Order Completed",
        "contextKeys": {"unauthenticatedUser": "a1", "user": "u1"},
        "creationDate": 1714557600123,
        "metricValue": 49.95,
        "data": {"revenue": 49.95, "sku": "A1"},
    }


@pytest.mark.rule("launchdarkly.in.client-side-id")
def test_the_client_side_id_in_the_path_is_the_only_credential():
    outgoing = result(ORDER).outgoing
    assert outgoing is not None
    assert outgoing.url == "https://events.launchdarkly.com/events/bulk/57be1db38b75bf0772d11384"
    assert outgoing.headers == {
        "user-agent": "SegmentDestination/2.2.0",
        "content-type": "application/json",
        "x-launchdarkly-event-schema": "4",
    }


@pytest.mark.rule("launchdarkly.in.client-side-id")
def test_another_events_host_can_be_set():
    outgoing = results(ORDER, events_host_name="events.eu.launchdarkly.com")[0].outgoing
    assert outgoing is not None
    assert outgoing.url.startswith("https://events.eu.launchdarkly.com/")


@pytest.mark.rule("segment.actions.settings")
def test_wrong_settings_fail_every_message():
    (failed,) = results({"type": "page"}, events_host_name="127.0.0.1:8010")
    assert failed.cause == "LaunchDarkly events host name must be a valid hostname string but it was not."
    assert [step.code for step in failed.steps] == ["INVALID_SETTINGS"]


@pytest.mark.rule("launchdarkly.in.mapping-enabled")
def test_both_presets_are_on_in_a_new_destination():
    assert [row.mapping for row in results(ORDER)] == ["Track Event", "Alias User"]


@pytest.mark.rule("launchdarkly.in.mapping-enabled")
def test_a_disabled_mapping_sends_nothing():
    track, alias = DESTINATIONS["actions-launchdarkly"].presets
    rows = results(ORDER, [replace(track, enabled=False), alias])
    assert [(row.mapping, row.matched) for row in rows] == [("Alias User", False)]


@pytest.mark.rule("launchdarkly.in.event-key-exact")
def test_the_event_key_keeps_its_case_and_its_blanks():
    message = {**ORDER, "event": " order COMPLETED "}
    assert event(message)["key"] == " order COMPLETED "
    assert [(step.rule, step.level) for step in result(message).steps] == [
        ("launchdarkly.in.event-key-exact", "warning")
    ]


@pytest.mark.rule("launchdarkly.in.event-key-exact")
@pytest.mark.parametrize("name", [None, ""])
def test_an_event_without_a_name_is_lost(name):
    step = dropped({**ORDER, "event": name})
    assert step.text == "The root value is missing the required field 'event_name'."
    assert (step.kind, step.at, step.code) == ("drop", "$.event", "BAD_REQUEST")


@pytest.mark.rule("launchdarkly.in.context-key")
def test_without_a_user_id_the_anonymous_id_is_the_key_of_both_kinds():
    message = without("userId")
    assert event(message)["contextKeys"] == {"unauthenticatedUser": "a1", "user": "a1"}
    assert [(step.rule, step.level) for step in result(message).steps] == [("launchdarkly.in.context-key", "note")]


@pytest.mark.rule("launchdarkly.in.context-key")
def test_an_empty_user_id_hides_the_anonymous_id_and_loses_the_event():
    step = dropped({**ORDER, "userId": ""})
    assert step.text == "The root value is missing the required field 'user_key'."
    assert (step.rule, step.at, step.level) == ("launchdarkly.in.context-key", "$.userId", "warning")


@pytest.mark.rule("launchdarkly.in.context-key")
def test_a_numeric_user_id_becomes_a_text():
    assert event({**ORDER, "userId": 42})["contextKeys"]["user"] == "42"


@pytest.mark.rule("segment.nulls")
def test_a_null_anonymous_id_becomes_the_text_null():
    message = {**ORDER, "anonymousId": None}
    assert event(message)["contextKeys"] == {"unauthenticatedUser": "null", "user": "u1"}
    (step,) = result(message).steps
    assert (step.rule, step.at) == ("segment.nulls", "$.anonymousId")


@pytest.mark.rule("launchdarkly.in.additional-context-keys")
def test_a_further_key_of_the_events_own_kind_gives_way():
    mapping = DESTINATIONS["actions-launchdarkly"].presets[0]
    own = replace(
        mapping, mapping={**mapping.mapping, "additional_context_keys": {"user": "someone else", "device": 5.0}}
    )
    (row,) = results(ORDER, [own])
    assert row.outgoing is not None
    assert json.loads(row.outgoing.body)[0]["contextKeys"] == {"user": "u1", "device": "5"}
    assert "launchdarkly.in.additional-context-keys" in [step.rule for step in row.steps]


@pytest.mark.rule("launchdarkly.in.metric-value")
@pytest.mark.parametrize(
    ("given", "value"), [(0, 0), (-3, -3), ("12.5", 12.5), (" 12 ", 12), ("1e3", 1000), (True, 1), ([5], 5), (None, 7)]
)
def test_revenue_is_read_as_javascript_reads_a_number(given, value):
    assert event(revenue(given))["metricValue"] == value


@pytest.mark.rule("launchdarkly.in.metric-value")
def test_an_empty_revenue_leaves_no_metric_value_and_does_not_fall_back():
    assert "metricValue" not in event(revenue(""))
    (step,) = result(revenue("")).steps
    assert (step.kind, step.rule, step.at, step.level) == (
        "cut",
        "launchdarkly.in.metric-value",
        "$.properties.revenue",
        "warning",
    )


@pytest.mark.rule("launchdarkly.in.metric-value")
@pytest.mark.parametrize("given", ["abc", "$12", "1,200.50"])
def test_a_revenue_that_is_no_number_loses_the_whole_event(given):
    step = dropped(revenue(given))
    assert step.text == "Metric Value must be a number but it was a string."
    assert (step.rule, step.at) == ("launchdarkly.in.metric-value", "$.properties.revenue")


@pytest.mark.rule("launchdarkly.in.properties")
def test_without_properties_the_data_is_an_empty_object():
    assert event(without("properties"))["data"] == {}


@pytest.mark.rule("launchdarkly.in.properties")
def test_properties_that_are_no_object_lose_the_event():
    assert (
        dropped({**ORDER, "properties": [{"revenue": 1}]}).text
        == "Event Properties must be an object but it was an array."
    )


@pytest.mark.rule("launchdarkly.in.timestamp")
@pytest.mark.parametrize(
    ("timestamp", "creation_date"),
    [
        ("2024-05-01T10:00:00.123456789Z", 1714557600123),
        ("2024-05-01T12:00:00.123+02:00", 1714557600123),
        ("2024-05-01", 1714521600000),
        (1714557600123, 1714557600123),
    ],
)
def test_timestamps_become_epoch_milliseconds(timestamp, creation_date):
    assert event({**ORDER, "timestamp": timestamp})["creationDate"] == creation_date


@pytest.mark.rule("launchdarkly.in.timestamp")
@pytest.mark.parametrize(("timestamp", "creation_date"), [("1714557600123", -7930223277000), (1714557600, 1714557600)])
def test_digits_and_seconds_are_misread_and_said_to_be(timestamp, creation_date):
    message = {**ORDER, "timestamp": timestamp}
    assert event(message)["creationDate"] == creation_date
    assert [(step.rule, step.at, step.level) for step in result(message).steps] == [
        ("launchdarkly.in.timestamp", "$.timestamp", "warning")
    ]


@pytest.mark.rule("launchdarkly.in.timestamp")
def test_a_missing_timestamp_is_now():
    assert event(without("timestamp"))["creationDate"] == 1_700_000_000_000


@pytest.mark.rule("launchdarkly.in.timestamp")
def test_an_unreadable_timestamp_loses_the_event():
    assert (
        dropped({**ORDER, "timestamp": "yesterday"}).text
        == "Event timestamp must be a valid date-like string but it was not."
    )


@pytest.mark.rule("launchdarkly.in.identify")
@pytest.mark.parametrize(
    ("call", "previous"), [({"type": "identify"}, "a1"), ({"type": "alias", "previousId": "p1"}, "p1")]
)
def test_identify_and_alias_become_an_alias_event_without_effect(call, previous):
    message = {"userId": "u1", "anonymousId": "a1", "timestamp": "2024-05-01T10:00:00.123Z", **call}
    assert event(message) == {
        "kind": "alias",
        "key": "u1",
        "previousKey": previous,
        "contextKind": "user",
        "previousContextKind": "anonymousUser",
        "creationDate": 1714557600123,
    }
    assert result(message).steps == []  # LaunchDarkly itself says that no metric uses it


@pytest.mark.rule("launchdarkly.in.identify")
def test_an_identify_without_an_anonymous_id_is_refused_which_is_no_loss():
    step = dropped({"type": "identify", "userId": "u1"})
    assert step.text == "The root value is missing the required field 'previous_key'."
    assert step.level == "note"


@pytest.mark.rule("launchdarkly.in.other-calls")
@pytest.mark.parametrize("kind", ["page", "screen", "group"])
def test_other_calls_match_no_preset(kind):
    assert not any(row.matched for row in results({"type": kind, "userId": "u1"}))


@pytest.mark.rule("segment.actions.null-context")
def test_a_null_context_loses_the_event():
    step = dropped({**ORDER, "context": None})
    assert step.text == "Cannot destructure property 'personas' of '{}' as it is null."
    assert step.at == "$.context"


@pytest.mark.rule("segment.triggers.invalid")
def test_a_mapping_with_an_unreadable_trigger_says_so_for_every_message():
    (row,) = results(ORDER, [Mapping("trackEvent", "Mine", 'type = "track', {})])
    assert not row.matched
    assert [step.rule for step in row.steps] == ["segment.triggers.invalid"]


@pytest.mark.rule("segment.mapping-kit.invalid")
def test_a_mapping_with_an_unknown_directive_loses_every_event_it_matches():
    (row,) = results(ORDER, [Mapping("trackEvent", "Mine", 'type = "track"', {"event_name": {"@nosuch": 1}})])
    assert row.matched
    assert row.cause == "/event_name has an invalid directive: @nosuch."


@pytest.mark.rule("segment.actions.unknown-action")
def test_a_mapping_of_an_action_that_does_not_exist_does_nothing():
    (row,) = results(ORDER, [Mapping("trackEvents", "Mine", 'type = "track"', {})])
    assert (row.matched, row.outgoing) == (False, None)
    assert [step.fix for step in row.steps] == ["use one of trackEvent, aliasUser"]


@pytest.mark.rule("segment.mappings")
def test_two_matching_mappings_make_two_requests():
    (preset, _) = DESTINATIONS["actions-launchdarkly"].presets
    rows = results(ORDER, [preset, replace(preset, name="Second", mapping={**preset.mapping, "event_name": "Other"})])
    assert [json.loads(row.outgoing.body)[0]["key"] for row in rows if row.outgoing] == ["Order Completed", "Other"]


def test_a_slug_that_is_not_in_the_catalogue_is_refused():
    with pytest.raises(TracksideError, match="actions-launchdarkly, actions-webhook"):
        compile_destination("actions-nosuch", {}, None)
