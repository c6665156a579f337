"""Write keys: the ways to give one, and what becomes of a request without a good one."""

import base64
import json

import pytest

TRACK = {"userId": "u-1", "event": "Order Completed", "messageId": "m-1"}

TWO_SOURCES = {
    "web": {"write_key": "wk_web", "destinations": ["statsig"]},
    "server": {"write_key": "wk_server", "destinations": []},
}


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def source_of(segment):
    return segment.exchange().intake.source


# ---- the three ways


@pytest.mark.rule("segment.write-key")
def test_the_write_key_may_stand_in_the_body(segment):
    segment.request("POST", "/v1/track", {**TRACK, "writeKey": "wk_web"})

    assert source_of(segment) == "web"


@pytest.mark.rule("segment.write-key")
def test_the_write_key_may_stand_beside_a_batch(segment):
    segment.request("POST", "/v1/batch", {"batch": [{**TRACK, "type": "track"}], "writeKey": "wk_web"})

    assert source_of(segment) == "web"


@pytest.mark.rule("segment.write-key")
def test_the_write_key_may_be_the_user_name_of_basic_authentication(segment):
    segment.request("POST", "/v1/track", TRACK, authorization=basic("wk_web:"))

    assert source_of(segment) == "web"


@pytest.mark.rule("segment.write-key")
def test_old_clients_leave_the_colon_out(segment):
    segment.request("POST", "/v1/track", TRACK, authorization=basic("wk_web"))

    assert source_of(segment) == "web"


@pytest.mark.rule("segment.write-key", "segment.oauth.token")
def test_the_write_key_may_stand_in_the_body_beside_a_bearer_token(segment):
    token = segment.lab.settings("segment").tokens.issue("oauth-app", expires_at=segment.lab.clock.now() + 60)

    segment.request("POST", "/v1/track", {**TRACK, "writeKey": "wk_web"}, authorization=f"Bearer {token}")

    assert source_of(segment) == "web"


@pytest.mark.rule("segment.write-key")
def test_where_basic_and_body_disagree_basic_is_used(make_segment):
    segment = make_segment(sources=TWO_SOURCES)

    segment.request("POST", "/v1/track", {**TRACK, "writeKey": "wk_web"}, authorization=basic("wk_server:"))

    assert source_of(segment) == "server"


@pytest.mark.rule("segment.write-key")
def test_an_empty_user_name_leaves_the_key_to_the_body(segment):
    segment.request("POST", "/v1/track", {**TRACK, "writeKey": "wk_web"}, authorization=basic(":"))

    assert source_of(segment) == "web"


@pytest.mark.rule("segment.write-key")
def test_the_write_key_does_not_reach_destinations(segment):
    journey = segment.send("track", **TRACK, writeKey="wk_web")

    assert "writeKey" not in journey.message
    assert b"wk_web" not in journey.delivery("statsig").sent[0].outgoing.body


# ---- no key, or none that is known


@pytest.mark.rule("segment.write-key.missing")
@pytest.mark.parametrize(
    "authorization",
    [None, "Basic ???", "Basic \xff\xfe", "Basic //8=", "Digest wk_web"],
    ids=["none", "no base64", "no ASCII", "no UTF-8 in it", "another scheme"],
)
def test_a_request_without_a_write_key_is_answered_400(segment, authorization):
    headers = {} if authorization is None else {"authorization": authorization}

    answer = segment.request("POST", "/v1/track", TRACK, **headers)

    assert answer.status == 400
    assert json.loads(answer.body)["message"] == "the request carries no write key"


@pytest.mark.rule("segment.write-key.missing")
@pytest.mark.parametrize("key", ["", 7, None])
def test_a_write_key_in_the_body_is_text(segment, key):
    assert segment.request("POST", "/v1/track", {**TRACK, "writeKey": key}).status == 400


@pytest.mark.rule("segment.write-key.missing")
def test_a_missing_key_is_an_error_on_record_that_names_the_ways_to_give_one(segment):
    segment.request("POST", "/v1/track", TRACK)

    [finding] = segment.lab.findings()
    assert finding.step.fix == "send it as Basic user name, as writeKey in the body, or beside a bearer token"


@pytest.mark.rule("segment.write-key.unknown")
def test_a_request_with_an_unknown_key_is_answered_200_and_dropped(segment):
    answer = segment.post("/v1/track", TRACK, key="wk_of_nobody")

    assert (answer.status, answer.body) == (200, b'{"success":true}')
    assert list(segment.lab.journeys()) == []


@pytest.mark.rule("segment.write-key.unknown")
def test_the_drop_is_on_record_and_repeats_only_the_ends_of_the_key(segment):
    segment.post("/v1/track", TRACK, key="wk_of_nobody")

    [finding] = segment.lab.findings()
    assert (finding.step.kind, finding.step.level, finding.step.code) == ("drop", "error", "project_not_found")
    assert "wk_…dy" in finding.step.text
    assert "wk_of_nobody" not in str(finding)


@pytest.mark.rule("segment.write-key.unknown")
def test_a_setting_gives_unknown_keys_to_a_source(make_segment):
    segment = make_segment(unknown_write_key="web")

    segment.post("/v1/track", TRACK, key="wk_of_nobody")

    assert source_of(segment) == "web"


@pytest.mark.rule("segment.write-key.unknown")
def test_the_demo_workspace_takes_any_key(trackside, http_call):
    body = json.dumps({**TRACK, "writeKey": "whatever"}).encode()

    http_call("POST", f"{trackside.segment.url}/v1/track", body)

    assert trackside.journey("m-1").exchange.intake.source == "web"


@pytest.mark.rule("segment.source.disabled")
def test_what_comes_to_a_source_that_is_switched_off_is_answered_200_and_discarded(make_segment):
    segment = make_segment(sources={"web": {"write_key": "wk_web", "enabled": False}})

    answer = segment.post("/v1/track", TRACK)

    assert answer.status == 200
    [step] = segment.exchange().steps
    assert (step.kind, step.code, step.rule) == ("drop", "source_disabled", "segment.source.disabled")


@pytest.mark.rule("segment.source.disabled")
def test_a_source_that_the_user_switched_off_is_no_finding(make_segment):
    segment = make_segment(sources={"web": {"write_key": "wk_web", "enabled": False}})

    segment.post("/v1/track", TRACK)

    assert list(segment.lab.findings(notes=True)) == []


@pytest.mark.rule("segment.sources", "segment.write-key")
def test_a_write_key_feeds_the_destinations_of_its_own_source(make_segment):
    segment = make_segment(sources=TWO_SOURCES)

    segment.post("/v1/track", {**TRACK, "messageId": "m-web"}, key="wk_web")
    segment.post("/v1/track", {**TRACK, "messageId": "m-server"}, key="wk_server")

    assert [delivery.destination for delivery in segment.lab.journey("m-web").deliveries] == ["statsig"]
    assert segment.lab.journey("m-server").deliveries == []
