"""LaunchDarkly's events service for client-side IDs, and the goals by which Segment checks one."""

from __future__ import annotations

import orjson
import pytest

from trackside.launchdarkly.errors import unknown_path
from trackside.launchdarkly.events import ROUTES, bulk_events, goals
from trackside.launchdarkly.settings import Environment, LaunchDarklySettings
from trackside.rules import RULES
from trackside.steps import Step
from trackside.wire import Answer, Request, Router

PRODUCTION = "57be1db38b75bf0772d11384"
STAGING = "67be1db38b75bf0772d11385"
SETTINGS = LaunchDarklySettings(
    {"production": Environment(PRODUCTION, "sdk-local", "mob-local"), "staging": Environment(STAGING)}
)
EVENT = {"kind": "custom", "key": "Order Completed", "creationDate": 1714557600123, "contextKeys": {"user": "u-1"}}


def post(body: object, client_side_id: str = PRODUCTION, settings=SETTINGS, schema: str | None = "4", **more) -> Answer:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    headers = {"x-launchdarkly-event-schema": schema} if schema else {}
    path = f"/events/bulk/{client_side_id}"
    return bulk_events(
        Request("POST", path, headers, content, params={"client_side_id": client_side_id}, **more), settings
    )


def ask_goals(method: str, client_side_id: str) -> Answer:
    path = f"/sdk/goals/{client_side_id}"
    return goals(Request(method, path, params={"client_side_id": client_side_id}), SETTINGS)


def event_with(**fields: object) -> dict:
    return {**EVENT, **fields}


def event_without(name: str) -> dict:
    return {field: value for field, value in EVENT.items() if field != name}


def only_step(answer: Answer) -> Step:
    [step] = answer.steps
    return step


@pytest.mark.rule("launchdarkly.events.accepted")
def test_an_array_of_events_is_answered_202_with_an_empty_body():
    answer = post([EVENT])
    assert (answer.status, answer.body, answer.steps) == (202, b"", [])


@pytest.mark.rule("launchdarkly.events.accepted")
def test_an_event_is_kept_whole_for_the_environment_of_its_client_side_id():
    event = {
        "kind": "custom",
        "key": "Order Completed",
        "contextKeys": {"unauthenticatedUser": "a-1", "user": "u-1"},
        "creationDate": 1714557600123,
        "metricValue": 49.95,
        "data": {"revenue": 49.95, "sku": "A1"},
    }
    assert post([event], STAGING).records == [{**event, "environment": "staging", "effect": "metric"}]


@pytest.mark.rule("launchdarkly.events.accepted")
def test_an_empty_array_is_accepted():
    assert (post([]).status, post([]).records) == (202, [])


@pytest.mark.rule("launchdarkly.events.accepted")
def test_a_bad_event_is_dropped_in_silence_and_the_others_are_kept():
    answer = post([event_with(key="first"), event_without("key"), event_with(key="third")])
    assert answer.status == 202
    assert [record["key"] for record in answer.records] == ["first", "third"]
    assert (only_step(answer).kind, only_step(answer).at) == ("drop", "$[1].key")


@pytest.mark.rule("launchdarkly.events.not-an-array")
@pytest.mark.parametrize("body", [b"", b"{", b"null", b'"text"', orjson.dumps(EVENT)])
def test_a_body_that_is_no_json_array_is_answered_400_with_a_reason(body):
    answer = post(body)
    assert answer.status == 400
    assert list(orjson.loads(answer.body)) == ["message"]
    assert answer.records == []
    assert (only_step(answer).rule, only_step(answer).level) == ("launchdarkly.events.not-an-array", "error")


@pytest.mark.rule("launchdarkly.events.not-an-array")
def test_a_body_that_could_not_be_decompressed_is_answered_400():
    answer = post(b"\x1f\x8b", undecodable="gzip: the stream is cut off")
    assert answer.status == 400
    assert only_step(answer).text == "gzip: the stream is cut off"


@pytest.mark.rule("launchdarkly.events.unknown-client-side-id")
def test_an_unknown_client_side_id_is_answered_404_and_not_401():
    answer = post([EVENT], "000000000000000000000000")
    assert answer.status == 404
    assert answer.records == []
    assert only_step(answer).rule == "launchdarkly.events.unknown-client-side-id"
    assert PRODUCTION in only_step(answer).fix


@pytest.mark.rule("launchdarkly.events.unknown-client-side-id")
@pytest.mark.parametrize("key", ["sdk-local", "mob-local"])
def test_a_secret_in_the_path_is_refused_and_not_repeated(key):
    answer = post([EVENT], key)
    assert answer.status == 404
    assert key not in f"{answer.body!r} {only_step(answer)}"


@pytest.mark.rule("launchdarkly.events.unknown-client-side-id")
def test_the_client_side_id_is_looked_at_before_the_body():
    assert post(b"{", "000000000000000000000000").status == 404


@pytest.mark.rule("launchdarkly.events.unknown-client-side-id")
def test_the_demo_project_takes_any_client_side_id_for_its_first_environment():
    demo = LaunchDarklySettings(SETTINGS.environments, any_key=True)
    assert post([EVENT], "anything", demo).records[0]["environment"] == "production"
    assert post([EVENT], STAGING, demo).records[0]["environment"] == "staging"


@pytest.mark.rule("launchdarkly.events.required-field")
@pytest.mark.parametrize("name", ["key", "creationDate"])
def test_a_custom_event_without_a_required_field_is_dropped(name):
    step = only_step(post([event_without(name)]))
    assert (step.rule, step.at, step.level) == ("launchdarkly.events.required-field", f"$[0].{name}", "error")
    assert step.text == f"{name} is missing"


@pytest.mark.rule("launchdarkly.events.required-field")
@pytest.mark.parametrize(
    "fields", [{"key": ""}, {"key": 7}, {"creationDate": "2026-11-21"}, {"creationDate": True}, {"creationDate": None}]
)
def test_a_custom_event_with_a_field_of_another_type_is_dropped(fields):
    answer = post([event_with(**fields)])
    assert answer.records == []
    assert only_step(answer).rule == "launchdarkly.events.required-field"


@pytest.mark.rule("launchdarkly.events.kind")
@pytest.mark.parametrize(
    "event", [7, None, [EVENT], {}, {"kind": "metric"}, {"kind": ["custom"]}, {"kind": "diagnostic"}]
)
def test_an_item_of_no_known_kind_is_dropped(event):
    answer = post([event])
    assert (answer.status, answer.records) == (202, [])
    assert only_step(answer).rule == "launchdarkly.events.kind"


@pytest.mark.rule("launchdarkly.events.context")
@pytest.mark.parametrize(
    ("context", "keys"),
    [
        ({"kind": "user", "key": "u-1", "name": "Ann"}, {"user": "u-1"}),
        ({"kind": "multi", "user": {"key": "u-1"}, "org": {"key": "o-1"}}, {"user": "u-1", "org": "o-1"}),
    ],
)
def test_an_event_with_a_whole_context_is_kept_with_its_context_keys(context, keys):
    event = {**event_without("contextKeys"), "context": context}
    [record] = post([event]).records
    assert record["contextKeys"] == keys
    assert record["context"] == context


@pytest.mark.rule("launchdarkly.events.context")
@pytest.mark.parametrize(
    "fields",
    [
        {"contextKeys": None},
        {"contextKeys": {}},
        {"contextKeys": {"user": ""}},
        {"contextKeys": {"user": 7}},
        {"contextKeys": "u-1"},
        {"contextKeys": None, "context": {"key": "u-1"}},
        {"contextKeys": None, "context": {"kind": "user"}},
        {"contextKeys": None, "context": {"kind": "multi"}},
        {"contextKeys": None, "context": {"kind": "multi", "user": "u-1"}},
    ],
)
def test_an_event_that_names_no_context_key_is_dropped(fields):
    answer = post([event_with(**fields)])
    assert answer.records == []
    assert (only_step(answer).rule, only_step(answer).level) == ("launchdarkly.events.context", "error")


@pytest.mark.rule("launchdarkly.events.metric-value")
@pytest.mark.parametrize("value", ["49.95", True, [1], {}])
def test_an_event_whose_metric_value_is_no_number_is_dropped(value):
    answer = post([event_with(metricValue=value)])
    assert answer.records == []
    assert (only_step(answer).rule, only_step(answer).at) == ("launchdarkly.events.metric-value", "$[0].metricValue")


@pytest.mark.rule("launchdarkly.events.metric-value")
@pytest.mark.parametrize("value", [0, -1, 49.95])
def test_zero_and_negative_metric_values_are_kept(value):
    assert post([event_with(metricValue=value)]).records[0]["metricValue"] == value


@pytest.mark.rule("launchdarkly.events.metric-value-null")
def test_a_null_metric_value_counts_as_none():
    answer = post([event_with(metricValue=None)])
    assert len(answer.records) == 1
    assert (only_step(answer).rule, only_step(answer).level) == ("launchdarkly.events.metric-value-null", "note")


@pytest.mark.rule("launchdarkly.in.identify")
def test_an_alias_event_is_accepted_and_has_no_effect_on_metrics():
    alias = {
        "kind": "alias",
        "key": "u-1",
        "previousKey": "a-1",
        "contextKind": "user",
        "previousContextKind": "anonymousUser",
        "creationDate": 1714557600123,
    }
    answer = post([alias])
    assert answer.status == 202
    assert answer.records == [{**alias, "environment": "production", "effect": "none"}]
    assert (only_step(answer).rule, only_step(answer).level) == ("launchdarkly.in.identify", "note")


@pytest.mark.rule("launchdarkly.events.accepted", "launchdarkly.events.kind")
@pytest.mark.parametrize(
    ("event", "effect"),
    [
        ({"kind": "index", "creationDate": 1, "context": {"kind": "user", "key": "u-1"}}, "none"),
        ({"kind": "identify", "creationDate": 1, "context": {"kind": "user", "key": "u-1"}}, "none"),
        ({"kind": "feature", "creationDate": 1, "key": "f", "value": True, "contextKeys": {"user": "u-1"}}, "none"),
        ({"kind": "summary", "startDate": 1, "endDate": 2, "features": {}}, "none"),
        (
            {"kind": "pageview", "creationDate": 1, "key": "g", "url": "http://x/", "contextKeys": {"user": "u"}},
            "metric",
        ),
        ({"kind": "click", "creationDate": 1, "key": "g", "contextKeys": {"user": "u"}, "data": None}, "metric"),
    ],
)
def test_what_browser_sdks_post_beside_custom_events_is_kept_too(event, effect):
    answer = post([event])
    assert answer.steps == []
    assert [record["effect"] for record in answer.records] == [effect]


@pytest.mark.rule("launchdarkly.events.schema-header")
@pytest.mark.parametrize("schema", [None, "3"])
def test_another_event_schema_is_accepted_with_a_note(schema):
    answer = post([EVENT], schema=schema)
    assert (answer.status, len(answer.records)) == (202, 1)
    assert (only_step(answer).rule, only_step(answer).level) == ("launchdarkly.events.schema-header", "note")


@pytest.mark.rule("launchdarkly.events.goals")
def test_the_goals_of_a_known_client_side_id_are_an_empty_array():
    answer = ask_goals("GET", PRODUCTION)
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, b"[]", "application/json")


@pytest.mark.rule("launchdarkly.events.goals")
@pytest.mark.parametrize(("client_side_id", "status"), [(PRODUCTION, 200), ("000000000000000000000000", 404)])
def test_segment_checks_a_client_side_id_by_head(client_side_id, status):
    answer = ask_goals("HEAD", client_side_id)
    assert (answer.status, answer.body) == (status, b"")


@pytest.mark.rule("launchdarkly.events.accepted", "launchdarkly.events.goals")
def test_browsers_may_call_both_paths():
    router = Router(ROUTES)
    for method, path in (("POST", f"/events/bulk/{PRODUCTION}"), ("HEAD", f"/sdk/goals/{PRODUCTION}")):
        found = router.find(method, path)
        assert found is not None
        assert found[0].browser
        assert found[1] == {"client_side_id": PRODUCTION}


@pytest.mark.rule("launchdarkly.events.unknown-client-side-id")
def test_an_unknown_path_is_answered_404_with_a_message():
    answer = unknown_path(Request("GET", "/nothing"), SETTINGS)
    assert answer.status == 404
    assert list(orjson.loads(answer.body)) == ["message"]


@pytest.mark.rule("launchdarkly.events.accepted")
def test_every_rule_of_the_endpoint_exists_and_has_its_source():
    bodies = [None, {}, event_without("key"), event_without("contextKeys"), event_with(metricValue="x")]
    rules = {step.rule for step in post([*bodies, event_with(metricValue=None)], schema=None).steps}
    assert len(rules) == 6
    assert [rule for rule in rules if not RULES[rule].source.address] == []
