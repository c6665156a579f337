"""Where Segment's Statsig destination posts: credentials, answers, refusals."""

from __future__ import annotations

import base64

import orjson
import pytest

from trackside.statsig.errors import unknown_path
from trackside.statsig.routes import ROUTES, segment_webhook
from trackside.statsig.settings import SegmentInbound, StatsigSettings
from trackside.wire import Request, Router

SETTINGS = StatsigSettings(server_secret="secret-local", client_key="client-local", console_key="console-local")
CALL = {"type": "track", "event": "Sign Up", "userId": "u-1", "timestamp": "2026-11-21T12:00:00.000Z"}


def basic(user: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:".encode()).decode()}


def post(body: object = CALL, settings: StatsigSettings = SETTINGS, headers: dict[str, str] | None = None, **more):
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    headers = basic("secret-local") if headers is None else headers
    return segment_webhook(Request("POST", "/v1/webhooks/segment", headers, content, **more), settings)


@pytest.mark.rule("statsig.in.auth", "statsig.in.answer")
def test_a_delivery_with_the_server_secret_is_answered_with_success_true():
    answer = post()
    assert answer.status == 200
    assert answer.body == b'{"success":true}'
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "X-Statsig-Region" in answer.headers


@pytest.mark.rule("statsig.in.log-stream")
def test_the_event_that_statsig_keeps_is_in_the_answer():
    assert [record["eventName"] for record in post().records] == ["segment::Sign Up"]


@pytest.mark.rule("statsig.in.auth")
def test_the_server_secret_is_taken_from_the_statsig_api_key_header():
    assert post(headers={"statsig-api-key": "secret-local"}).status == 200


@pytest.mark.rule("statsig.in.auth")
def test_the_server_secret_is_taken_from_the_query():
    assert post(headers={}, query={"statsig-api-key": "secret-local"}).status == 200


@pytest.mark.rule("statsig.in.auth")
def test_a_wrong_key_is_refused_with_401_and_a_message():
    answer = post(headers=basic("secret-wrong"))
    assert answer.status == 401
    assert list(orjson.loads(answer.body)) == ["message"]
    assert answer.records == []
    assert answer.steps[0].rule == "statsig.in.auth"
    assert answer.steps[0].level == "error"


@pytest.mark.rule("statsig.in.auth")
def test_a_refused_key_is_not_repeated_in_the_report():
    answer = post(headers=basic("secret-wrong"))
    assert "secret-wrong" not in f"{answer.body!r} {answer.steps[0]}"


@pytest.mark.rule("statsig.in.auth")
def test_a_missing_key_is_refused():
    answer = post(headers={})
    assert answer.status == 401
    assert "carries no key" in answer.steps[0].text


@pytest.mark.rule("statsig.in.auth")
@pytest.mark.parametrize(("key", "name"), [("client-local", "client key"), ("console-local", "Console API key")])
def test_another_key_of_the_project_is_refused_and_recognised(key, name):
    answer = post(headers=basic(key))
    assert answer.status == 401
    assert name in answer.steps[0].text


@pytest.mark.rule("statsig.in.auth")
def test_a_project_without_a_server_secret_takes_no_key():
    assert post(settings=StatsigSettings(), headers=basic("")).status == 401


@pytest.mark.rule("statsig.in.auth")
def test_the_demo_project_takes_any_key_but_not_none():
    demo = StatsigSettings(server_secret="secret-local", any_key=True)
    assert post(settings=demo, headers=basic("anything")).status == 200
    assert post(settings=demo, headers={}).status == 401


@pytest.mark.rule("statsig.in.json")
@pytest.mark.parametrize("body", [b"", b"{", b'"text"', b"null", b"[]"])
def test_a_body_that_is_no_json_object_is_refused_with_400(body):
    answer = post(body)
    assert answer.status == 400
    assert list(orjson.loads(answer.body)) == ["message"]
    assert answer.steps[0].rule == "statsig.in.json"


@pytest.mark.rule("statsig.in.json")
def test_a_body_that_could_not_be_decompressed_is_refused_with_its_reason():
    answer = post(b"\x1f\x8b", undecodable="gzip: the stream is cut off")
    assert answer.status == 400
    assert answer.steps[0].text == "gzip: the stream is cut off"


@pytest.mark.rule("statsig.in.auth", "statsig.in.json")
def test_the_key_is_looked_at_before_the_body():
    assert post(b"{", headers={}).status == 401


@pytest.mark.rule("statsig.in.enabled")
def test_a_disabled_integration_refuses_with_403():
    answer = post(settings=StatsigSettings("secret-local", segment_inbound=SegmentInbound(enabled=False)))
    assert answer.status == 403
    assert answer.records == []
    assert answer.steps[0].rule == "statsig.in.enabled"


@pytest.mark.rule("statsig.in.unsupported", "statsig.in.answer.no-event")
def test_an_alias_call_is_accepted_and_makes_no_event():
    answer = post({"type": "alias", "userId": "u-1", "previousId": "a-1"})
    assert (answer.status, answer.body, answer.records) == (200, b'{"success":true}', [])
    assert answer.steps[0].rule == "statsig.in.unsupported"


@pytest.mark.rule("statsig.in.unsupported")
def test_an_alias_call_is_refused_with_501_where_the_workspace_asks_for_it():
    settings = StatsigSettings("secret-local", segment_inbound=SegmentInbound(unsupported="refuse"))
    assert post({"type": "alias", "userId": "u-1", "previousId": "a-1"}, settings).status == 501


@pytest.mark.rule("statsig.in.types", "statsig.in.answer.no-event")
def test_an_identify_call_is_answered_200():
    answer = post({"type": "identify", "userId": "u-1", "traits": {}})
    assert (answer.status, answer.records) == (200, [])


@pytest.mark.rule("statsig.in.time.missing")
def test_an_event_without_timestamp_has_the_time_of_the_request():
    assert (
        post({"type": "track", "event": "Sign Up", "userId": "u-1"}, at=1795262400.5).records[0]["time"]
        == 1795262400500
    )


@pytest.mark.rule("statsig.in.answer")
def test_the_same_request_gives_the_same_answer_again():
    assert post(at=1.0) == post(at=1.0)


@pytest.mark.rule("statsig.in.auth")
@pytest.mark.parametrize("path", ["/v1/webhooks/segment", "/v1/webhooks/segment_webhook"])
def test_both_paths_lead_to_the_endpoint(path):
    found = Router(ROUTES).find("POST", path)
    assert found is not None
    assert found[0].endpoint is segment_webhook


@pytest.mark.rule("statsig.unknown-path")
def test_an_unknown_path_is_answered_with_status_and_message():
    answer = unknown_path(Request("GET", "/v1/nothing"), SETTINGS)
    assert answer.status == 404
    assert orjson.loads(answer.body) == {"status": 404, "message": "Cannot GET /v1/nothing"}
