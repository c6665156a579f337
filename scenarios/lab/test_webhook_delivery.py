"""Deliveries to a server of the user's, over HTTP: it answers, fails, redirects, hangs, or is gone."""

import base64
import hashlib
import hmac
import json
import threading
import time

import pytest

from trackside import delivery


def attempts_of(lab, message_id="m-1", destination="hook"):
    return [attempt for sent in lab.journey(message_id).delivery(destination).sent for attempt in sent.attempts]


def outcome(lab, message_id="m-1", destination="hook"):
    return lab.journey(message_id).delivery(destination).outcome


@pytest.fixture
def soon_over(monkeypatch):
    """Segment's ten seconds for an answer, cut to a fifth of one."""
    monkeypatch.setattr(delivery, "TIMEOUT_SECONDS", 0.2)


# ---- it answers


@pytest.mark.rule("segment.webhook.request")
def test_the_server_gets_the_message_as_json(hooked, track, receiver):
    lab = hooked()
    track(lab)
    lab.settle()

    [request] = receiver.requests
    assert (request["method"], request["path"]) == ("POST", "/hook")
    assert json.loads(request["body"]) == lab.journey("m-1").message
    assert request["headers"]["content-type"] == "application/json"
    assert request["headers"]["user-agent"] == "Segment (Actions)"


@pytest.mark.rule("segment.webhook.request")
def test_the_server_gets_the_users_headers_and_method(hooked, track, receiver):
    lab = hooked(method="PATCH", headers={"Authorization": "Bearer local"})
    track(lab)
    lab.settle()

    [request] = receiver.requests
    assert (request["method"], request["headers"]["authorization"]) == ("PATCH", "Bearer local")


@pytest.mark.rule("segment.webhook.signature")
def test_a_shared_secret_signs_the_body(hooked, track, receiver):
    lab = hooked(shared_secret="s3cret")
    track(lab)
    lab.settle()

    [request] = receiver.requests
    assert request["headers"]["x-signature"] == hmac.new(b"s3cret", request["body"], hashlib.sha1).hexdigest()


@pytest.mark.rule("segment.delivery.retry")
@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_a_success(hooked, track, receiver, status):
    receiver.answers = [status]
    lab = hooked()
    track(lab)
    lab.settle()

    assert outcome(lab) == "delivered"
    assert [attempt.status for attempt in attempts_of(lab)] == [status]


@pytest.mark.rule("segment.delivery.refused")
def test_what_the_server_answered_is_on_record(hooked, track, receiver):
    receiver.answers = [(422, {"Content-Type": "application/json"}, b'{"error": "no such shop"}')]
    lab = hooked()
    track(lab)
    lab.settle()

    [sent] = lab.journey("m-1").as_json()["deliveries"][0]["requests"]
    assert sent["attempts"][0]["answer"] == {"error": "no such shop"}
    assert sent["attempts"][0]["steps"][0]["code"] == "errors.discarded.422"


@pytest.mark.rule("segment.delivery.refused")
def test_a_long_answer_is_cut(hooked, track, receiver):
    receiver.answers = [(200, {}, b"x" * 200_000)]
    lab = hooked()
    track(lab)
    lab.settle()

    assert [len(attempt.answer) for attempt in attempts_of(lab)] == [delivery.ANSWER_BYTES]


@pytest.mark.rule("segment.dedup")
def test_a_repeated_message_is_delivered_once(hooked, track, receiver):
    lab = hooked()
    track(lab)
    track(lab)
    lab.settle()

    assert len(receiver.requests) == 1


@pytest.mark.rule("segment.direct")
def test_another_destination_may_be_given_an_address_too(hooked, track, receiver):
    lab = hooked(more={"mine": {"type": "statsig", "api_key": "secret-local", "url": receiver.url}})
    track(lab)
    lab.settle()

    basic = "Basic " + base64.b64encode(b"secret-local:").decode()
    assert basic in [request["headers"].get("authorization") for request in receiver.requests]
    assert outcome(lab, destination="mine") == "delivered"


@pytest.mark.rule("segment.delivery.retry")
def test_until_the_server_answers_the_delivery_is_under_way(hooked, track, receiver):
    receiver.answers = ["hang"]
    lab = hooked()

    assert track(lab).delivery("hook").outcome == "under_way"


# ---- it fails


@pytest.mark.rule("segment.delivery.retry")
def test_after_a_500_it_is_asked_again(hooked, track, receiver):
    receiver.answers = [500, 503]
    lab = hooked()
    track(lab)
    lab.settle()
    assert outcome(lab) == "awaiting_retry"

    lab.advance(60)

    assert [attempt.status for attempt in attempts_of(lab)] == [500, 503, 200]
    assert len({request["body"] for request in receiver.requests}) == 1


@pytest.mark.rule("segment.delivery.redirect")
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(hooked, track, receiver, status):
    receiver.answers = [(status, {"Location": receiver.url.replace("/hook", "/elsewhere")}, b"")]
    lab = hooked()
    track(lab)
    lab.settle()

    assert [request["path"] for request in receiver.requests] == ["/hook"]
    assert outcome(lab) == "failed"
    [step] = attempts_of(lab)[0].steps
    assert (step.rule, step.level, step.fix) == (
        "segment.delivery.redirect",
        "error",
        "name the address that it leads to",
    )


@pytest.mark.rule("segment.delivery.retry")
def test_a_server_that_hangs_is_given_up_and_asked_again(hooked, track, receiver, soon_over):
    receiver.answers = ["hang"]
    lab = hooked()
    track(lab)
    lab.settle()
    assert [(attempt.error, outcome(lab)) for attempt in attempts_of(lab)] == [("ETIMEDOUT", "awaiting_retry")]

    lab.advance(10)

    assert outcome(lab) == "delivered"


@pytest.mark.rule("segment.delivery.retry")
def test_a_server_whose_answer_drips_is_given_up_and_asked_again(hooked, track, receiver, soon_over):
    receiver.answers = ["drip"]
    lab = hooked()
    track(lab)
    lab.settle()

    assert [(attempt.error, outcome(lab)) for attempt in attempts_of(lab)] == [("ETIMEDOUT", "awaiting_retry")]


@pytest.mark.rule("segment.delivery.retry")
def test_a_server_that_is_gone_is_asked_again_and_gets_it_when_it_is_back(hooked, track, receiver):
    receiver.go()
    lab = hooked()
    track(lab)
    lab.settle()
    assert [(attempt.error, outcome(lab)) for attempt in attempts_of(lab)] == [("ECONNREFUSED", "awaiting_retry")]

    receiver.come_back()
    lab.advance(10)

    assert outcome(lab) == "delivered"
    assert len(receiver.requests) == 1


@pytest.mark.rule("segment.delivery.retry")
def test_a_server_that_hangs_up_is_asked_again(hooked, track, receiver):
    receiver.answers = ["close"]
    lab = hooked()
    track(lab)
    lab.settle()

    assert [(attempt.error, outcome(lab)) for attempt in attempts_of(lab)] == [("ECONNRESET", "awaiting_retry")]


@pytest.mark.rule("segment.delivery.refused")
def test_a_request_that_http_cannot_carry_is_not_tried_again(hooked, track, receiver):
    lab = hooked(headers={"X-Shop": "two\nlines"})
    track(lab)
    lab.settle()

    assert outcome(lab) == "failed"
    assert [step.code for attempt in attempts_of(lab) for step in attempt.steps] == ["errors.discarded.EINVAL"]


@pytest.mark.rule("segment.delivery.retry")
def test_it_is_tried_for_four_hours(hooked, track, receiver):
    receiver.go()
    lab = hooked()
    track(lab)

    lab.advance(4 * 3600)

    assert outcome(lab) == "failed"
    assert attempts_of(lab)[-1].steps[0].code == "errors.discarded.ECONNREFUSED"


@pytest.mark.rule("segment.delivery.retry")
def test_other_destinations_have_the_message_all_the_same(hooked, track, receiver):
    receiver.go()
    lab = hooked(more={"statsig": {"type": "statsig", "api_key": "secret-local"}})

    assert track(lab).delivery("statsig").outcome == "delivered"


@pytest.mark.rule("segment.delivery.retry")
def test_ingest_answers_while_a_server_hangs(hooked, track, receiver):
    receiver.answers = ["hang"] * 20
    lab = hooked()

    began = time.monotonic()
    for number in range(20):
        track(lab, messageId=f"m-{number}")

    assert time.monotonic() - began < 2
    assert len(list(lab.journeys())) == 20


# ---- reset and stop


@pytest.mark.rule("segment.delivery.retry")
def test_after_a_reset_nobody_waits_for_a_server_that_hangs(hooked, track, receiver):
    receiver.answers = ["hang"]
    lab = hooked()
    track(lab)
    receiver.await_requests()

    lab.reset()
    began = time.monotonic()
    lab.settle()

    assert time.monotonic() - began < 1
    assert list(lab.journeys()) == []


@pytest.mark.rule("segment.delivery.retry")
def test_a_server_that_hangs_does_not_hold_up_the_stop(hooked, track, receiver):
    receiver.answers = ["hang"]
    lab = hooked()
    track(lab)
    receiver.await_requests()

    began = time.monotonic()
    lab.stop()

    assert time.monotonic() - began < 1
    waiting = [
        thread.name for thread in threading.enumerate() if thread.name.startswith("trackside-") and not thread.daemon
    ]
    assert waiting == []
