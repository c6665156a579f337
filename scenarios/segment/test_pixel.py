"""The pixel: a call in a query, for e-mails and pages without scripts."""

import base64
import json

import pytest

CALL = {"writeKey": "wk_web", "userId": "u-1", "event": "E-mail Opened", "messageId": "m-1"}


def encoded(call, *, url_safe=False, padded=False):
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    text = encode(json.dumps(call).encode()).decode()
    return text if padded else text.rstrip("=")


def taken(segment, data, kind="track"):
    segment.request("GET", f"/v1/pixel/{kind}", query={"data": data})
    return segment.lab.journey("m-1").message


@pytest.mark.rule("segment.pixel")
@pytest.mark.parametrize("kind", ["identify", "group", "alias", "page", "screen", "track"])
def test_a_pixel_takes_a_call_of_each_type(segment, kind):
    assert taken(segment, encoded(CALL), kind)["type"] == kind


@pytest.mark.rule("segment.pixel")
@pytest.mark.parametrize("padded", [False, True])
def test_base64_comes_with_and_without_padding(segment, padded):
    assert taken(segment, encoded(CALL, padded=padded))["event"] == "E-mail Opened"


@pytest.mark.rule("segment.pixel")
@pytest.mark.parametrize("url_safe", [False, True])
def test_base64_comes_in_both_alphabets(segment, url_safe):
    call = {**CALL, "event": "???>>>"}
    assert ("/" if not url_safe else "_") in encoded(call, url_safe=url_safe)

    assert taken(segment, encoded(call, url_safe=url_safe))["event"] == "???>>>"


@pytest.mark.rule("segment.pixel")
def test_a_call_may_come_as_plain_parameters_with_dotted_names(trackside, http_call):
    query = "writeKey=wk_web&userId=u-1&messageId=m-1&event=E-mail+Opened&properties.subject=Hello&properties.list.id=7"

    http_call("GET", f"{trackside.segment.url}/v1/pixel/track?{query}")

    message = trackside.journey("m-1").message
    assert message["event"] == "E-mail Opened"
    assert message["properties"] == {"subject": "Hello", "list": {"id": "7"}}


@pytest.mark.rule("segment.pixel.query")
def test_false_under_integrations_of_a_plain_query_switches_destinations_off(segment):
    query = {"writeKey": "wk_web", "userId": "u-1", "messageId": "m-1", "event": "E", "integrations.All": "false"}

    segment.request("GET", "/v1/pixel/track", query=query)

    journey = segment.lab.journey("m-1")
    assert journey.message["integrations"] == {"All": False}
    assert journey.delivery("statsig").outcome == "dropped"
    assert [step.level for step in journey.steps if step.rule == "segment.pixel.query"] == ["note"]


@pytest.mark.rule("segment.pixel.query")
def test_true_and_false_elsewhere_in_a_plain_query_stay_text(segment):
    query = {"writeKey": "wk_web", "userId": "u-1", "messageId": "m-1", "event": "E", "properties.gift": "true"}

    segment.request("GET", "/v1/pixel/track", query=query)

    assert segment.lab.journey("m-1").message["properties"] == {"gift": "true"}


@pytest.mark.rule("segment.pixel.query")
def test_texts_under_integrations_of_base64_stay_text(segment):
    assert taken(segment, encoded({**CALL, "integrations": {"All": "false"}}))["integrations"] == {"All": "false"}


@pytest.mark.rule("segment.limit.event-size-in-pixel")
def test_a_pixels_call_over_32_kb_is_discarded_behind_the_gif(segment):
    answer = segment.request("GET", "/v1/pixel/track", query={"data": encoded({**CALL, "fill": "x" * 33 * 1024})})

    [journey] = segment.lab.journeys()
    assert (answer.status, answer.body[:3]) == (200, b"GIF")
    assert (journey.outcome, journey.steps[-1].code) == ("discarded", "event_too_large")
    assert journey.steps[-1].rule == "segment.limit.event-size-in-pixel"


@pytest.mark.rule("segment.limit.event-size-in-pixel", "segment.dedup")
def test_a_pixels_call_that_was_too_large_may_come_again_under_its_message_id(segment):
    segment.request("GET", "/v1/pixel/track", query={"data": encoded({**CALL, "fill": "x" * 33 * 1024})})
    taken(segment, encoded(CALL))

    assert [journey.outcome for journey in segment.lab.journeys()] == ["discarded", "accepted"]


@pytest.mark.rule("segment.pixel")
def test_the_answer_is_a_gif_of_one_pixel(trackside, http_call):
    status, headers, body = http_call("GET", f"{trackside.segment.url}/v1/pixel/track?data={encoded(CALL)}")

    assert (status, headers["Content-Type"]) == (200, "image/gif")
    assert body[:6] in (b"GIF87a", b"GIF89a")
    assert body[6:10] == b"\x01\x00\x01\x00"


@pytest.mark.rule("segment.pixel")
@pytest.mark.parametrize(
    ("kind", "query", "rule"),
    [
        ("track", {"data": "%%%"}, "segment.pixel"),
        ("track", {"data": "é"}, "segment.pixel"),
        ("track", {"data": encoded("no object")}, "segment.pixel"),
        ("track", {"userId": "u-1", "event": "E"}, "segment.write-key.missing"),
        ("track", {"writeKey": "wk_of_nobody", "userId": "u-1"}, "segment.write-key.unknown"),
        ("purchase", {"data": encoded(CALL)}, "segment.pixel"),
    ],
    ids=["no base64", "no ASCII", "no object", "no write key", "unknown write key", "unknown type"],
)
def test_errors_get_the_same_gif_and_are_on_record(segment, kind, query, rule):
    answer = segment.request("GET", f"/v1/pixel/{kind}", query=query)

    assert (answer.status, answer.body[:3]) == (200, b"GIF")
    assert [(step.rule, step.level) for step in segment.exchange().steps] == [(rule, "error")]


@pytest.mark.rule("segment.pixel")
def test_a_call_that_is_discarded_gets_the_same_gif(segment):
    answer = segment.request("GET", "/v1/pixel/track", query={"data": encoded({"writeKey": "wk_web", "userId": "u-1"})})

    assert answer.status == 200
    assert [journey.outcome for journey in segment.lab.journeys()] == ["discarded"]


@pytest.mark.rule("segment.pixel", "segment.dedup")
def test_a_pixel_that_is_loaded_again_is_a_repeat(segment):
    taken(segment, encoded(CALL))
    taken(segment, encoded(CALL))

    assert [journey.outcome for journey in segment.lab.journeys()] == ["accepted", "duplicate"]
