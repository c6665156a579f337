"""The Tracking API on a port of its own: its paths, its answers, and what it accepts as a body."""

import gzip
import json

import pytest

CALLS = {
    "track": {"event": "Order Completed"},
    "identify": {"traits": {"plan": "pro"}},
    "page": {"name": "Home"},
    "screen": {"name": "Home"},
    "group": {"groupId": "g-1"},
    "alias": {"previousId": "a-1"},
}
TRACK = {"writeKey": "wk_web", "messageId": "m-1", "userId": "u-1", "event": "Order Completed"}


def body_of(**changes):
    return json.dumps({**TRACK, **changes}).encode()


# ---- paths


@pytest.mark.rule("segment.tracking-api")
@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("short", [False, True], ids=["in full", "by its first letter"])
def test_each_call_type_has_its_own_path(trackside, http_call, kind, short):
    path = f"/v1/{kind[0]}" if short else f"/v1/{kind}"
    body = json.dumps({"writeKey": "wk_web", "messageId": "m-1", "userId": "u-1", **CALLS[kind]}).encode()

    status, _, _ = http_call("POST", trackside.segment.url + path, body)

    assert status == 200
    assert trackside.journey("m-1").message["type"] == kind


@pytest.mark.rule("segment.tracking-api")
@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import"])
def test_a_batch_has_three_paths(trackside, http_call, path):
    body = json.dumps({"batch": [{**TRACK, "type": "track"}], "writeKey": "wk_web"}).encode()

    status, _, _ = http_call("POST", trackside.segment.url + path, body)

    assert status == 200
    assert trackside.journey("m-1").message["event"] == "Order Completed"


@pytest.mark.rule("segment.tracking-api")
def test_the_path_decides_the_type_whatever_the_body_says(segment):
    journey = segment.send("track", type="page", userId="u-1", event="Order Completed", messageId="m-1")

    assert journey.message["type"] == "track"


@pytest.mark.rule("segment.metrics")
def test_the_browser_sdks_own_metrics_are_answered_and_go_nowhere(trackside, http_call):
    body = b'{"series": [{"type": "Counter", "metric": "analytics_js.invoke", "value": 1, "tags": {}}]}'

    status, _, answer = http_call("POST", f"{trackside.segment.url}/v1/m", body, {"Content-Type": "text/plain"})

    assert (status, answer) == (200, b'{"success":true}')
    assert list(trackside.journeys()) == []


@pytest.mark.rule("segment.unknown-path")
def test_an_unknown_path_is_answered_404_in_segments_shape(trackside, http_call):
    status, headers, answer = http_call("POST", f"{trackside.segment.url}/v1/tracks", body_of())

    assert (status, json.loads(answer)) == (404, {"success": False})
    assert headers["Content-Type"] == "application/json"


@pytest.mark.rule("segment.unknown-path")
def test_an_unknown_path_is_on_record_with_the_paths_that_exist(trackside, http_call):
    http_call("POST", f"{trackside.segment.url}/v1/tracks", body_of())

    [finding] = trackside.findings()
    assert finding.step.text == "POST /v1/tracks does not exist here"
    assert "POST /v1/batch," in finding.step.fix


@pytest.mark.rule("segment.unknown-path")
def test_a_path_that_exists_for_another_method_is_unknown_for_this_one(segment):
    answer = segment.request("GET", "/v1/track")

    assert answer.status == 404
    assert segment.exchange().steps[0].rule == "segment.unknown-path"


# ---- answers


@pytest.mark.rule("segment.answer.success")
def test_an_accepted_call_is_answered_with_exactly_200_and_success_true(trackside, http_call):
    status, headers, answer = http_call("POST", f"{trackside.segment.url}/v1/track", body_of())

    assert (status, json.loads(answer)) == (200, {"success": True})
    assert headers["Content-Type"] == "application/json"
    assert headers["Content-Length"] == str(len(answer))
    assert "Date" in headers


@pytest.mark.rule("segment.answer.success")
def test_a_call_that_is_discarded_later_gets_the_same_200(trackside, http_call):
    status, _, answer = http_call("POST", f"{trackside.segment.url}/v1/track", body_of(event=None))

    assert (status, answer) == (200, b'{"success":true}')
    assert trackside.journey("m-1").outcome == "discarded"


@pytest.mark.rule("segment.answer.success")
def test_an_event_is_on_record_before_its_answer_arrives(trackside, http_call):
    for number in range(20):
        http_call("POST", f"{trackside.segment.url}/v1/track", body_of(messageId=f"m-{number}"))
        assert trackside.journey(f"m-{number}").outcome == "accepted"


@pytest.mark.rule("segment.answer.bad-request")
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is not JSON"),
        (b'{"event": ', "the body is not JSON"),
        (b"event=Order", "the body is not JSON"),
        (b'{"event": "\xe9t\xe9"}', "the body is not JSON"),
        ('{"event": "Été"}'.encode("utf-16"), "the body is not JSON"),
        (b'{"event": NaN}', "the body is not JSON"),
        (b'[{"event": "Order"}]', "the body is not a JSON object"),
        (b'"Order"', "the body is not a JSON object"),
        (b"null", "the body is not a JSON object"),
    ],
    ids=["empty", "cut short", "a form", "Latin-1", "UTF-16", "NaN", "an array", "text", "null"],
)
def test_a_body_that_is_no_json_object_is_answered_400(segment, body, message):
    answer = segment.post("/v1/track", body)

    assert answer.status == 400
    assert json.loads(answer.body)["message"].startswith(message)


@pytest.mark.rule("segment.answer.bad-request")
def test_a_400_has_the_code_and_message_that_older_python_sdks_read(segment):
    answer = segment.post("/v1/batch", b"no JSON")

    assert sorted(json.loads(answer.body)) == ["code", "message"]
    assert json.loads(answer.body)["code"] == "invalid_request"


@pytest.mark.rule("segment.answer.bad-request")
def test_a_refused_body_is_an_error_on_record(segment):
    segment.post("/v1/track", b"no JSON")

    [finding] = segment.lab.findings()
    assert (finding.step.rule, finding.step.level) == ("segment.answer.bad-request", "error")
    assert (finding.where, finding.step.fix) == ("POST /v1/track", "send one JSON object in UTF-8")


# ---- bodies


@pytest.mark.rule("segment.content-type")
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_is_json_whatever_its_content_type_says(trackside, http_call, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}

    http_call("POST", f"{trackside.segment.url}/v1/track", body_of(), headers)

    assert trackside.journey("m-1").outcome == "accepted"


@pytest.mark.rule("segment.content-type")
def test_gzip_is_undone(trackside, http_call):
    body = gzip.compress(body_of())

    status, _, _ = http_call("POST", f"{trackside.segment.url}/v1/track", body, {"Content-Encoding": "gzip"})

    assert status == 200
    assert trackside.journey("m-1").message["event"] == "Order Completed"


@pytest.mark.rule("segment.content-type")
def test_gzip_in_several_parts_is_one_body(trackside, http_call):
    body = body_of()
    parts = gzip.compress(body[:30]) + gzip.compress(body[30:])

    http_call("POST", f"{trackside.segment.url}/v1/track", parts, {"Content-Encoding": "gzip"})

    assert trackside.journey("m-1").message["event"] == "Order Completed"


@pytest.mark.rule("segment.content-type")
def test_a_chunked_body_arrives_whole(trackside, http_call):
    body = body_of()

    http_call(
        "POST", f"{trackside.segment.url}/v1/track", iter([body[:10], body[10:]]), {"Transfer-Encoding": "chunked"}
    )

    assert trackside.journey("m-1").message["event"] == "Order Completed"


@pytest.mark.rule("segment.answer.bad-request")
@pytest.mark.parametrize(
    ("encoding", "body", "message"),
    [
        ("gzip", body_of(), "the body is not gzip"),
        ("gzip", gzip.compress(body_of())[:-12], "the gzip body is cut short"),
        ("br", body_of(), "the content encoding 'br' is not supported"),
    ],
    ids=["not gzip", "cut short", "unknown"],
)
def test_a_body_that_is_not_in_the_encoding_that_it_names_is_answered_400(
    trackside, http_call, encoding, body, message
):
    status, _, answer = http_call("POST", f"{trackside.segment.url}/v1/track", body, {"Content-Encoding": encoding})

    assert status == 400
    assert json.loads(answer)["message"].startswith(message)


# ---- browsers

PREFLIGHT = {
    "Origin": "http://shop.test",
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, x-retry-count",
}


@pytest.mark.rule("segment.cors")
@pytest.mark.parametrize("path", ["/v1/t", "/v1/b", "/v1/m", "/v1/projects/wk_web/settings"])
def test_a_preflight_is_allowed_what_it_asks_for_by_name(trackside, http_call, path):
    status, headers, _ = http_call("OPTIONS", trackside.segment.url + path, None, PREFLIGHT)

    assert status == 204
    assert headers["Access-Control-Allow-Headers"] == "authorization, x-retry-count"
    assert headers["Access-Control-Allow-Origin"] == "http://shop.test"


@pytest.mark.rule("segment.cors")
def test_a_preflight_is_no_event_and_no_finding(trackside, http_call):
    http_call("OPTIONS", f"{trackside.segment.url}/v1/t", None, PREFLIGHT)

    assert trackside.exchanges() == []


@pytest.mark.rule("segment.cors")
def test_an_answer_names_the_pages_origin(trackside, http_call):
    _, headers, _ = http_call("POST", f"{trackside.segment.url}/v1/t", body_of(), {"Origin": "http://shop.test"})

    assert headers["Access-Control-Allow-Origin"] == "http://shop.test"


@pytest.mark.rule("segment.cors", "segment.unknown-path")
def test_a_preflight_to_an_unknown_path_is_on_record(trackside, http_call):
    status, headers, _ = http_call("OPTIONS", f"{trackside.segment.url}/v1/tracks", None, PREFLIGHT)

    assert status == 404
    assert "Access-Control-Allow-Origin" not in headers
    assert [finding.step.text for finding in trackside.findings()] == ["OPTIONS /v1/tracks does not exist here"]


# ---- alias


@pytest.mark.rule("segment.alias.same-id")
def test_an_alias_of_an_id_to_itself_is_taken_with_a_warning(segment):
    journey = segment.send("alias", userId="u-1", previousId="u-1")

    assert journey.outcome == "accepted"
    [step] = [step for step in journey.steps if step.rule == "segment.alias.same-id"]
    assert (step.level, step.at) == ("warning", "$.userId")
    assert "reset()" in step.fix


@pytest.mark.rule("segment.alias.same-id")
@pytest.mark.parametrize("call", [{"userId": "u-2", "previousId": "u-1"}, {"anonymousId": "a-1"}])
def test_an_alias_of_two_ids_gets_no_warning(segment, call):
    assert "segment.alias.same-id" not in [step.rule for step in segment.send("alias", **call).steps]
