"""Segment's Replay to a webhook outside the lab."""

import json

import pytest


def send(post, lab, *names):
    for name in names:
        post(lab, "/v1/track", {"writeKey": "wk_web", "messageId": f"m-{name}", "userId": "u-1", "event": name})
    lab.settle()


def rules(lab):
    return [(finding.step.level, finding.step.rule) for finding in lab.findings()]


@pytest.mark.rule("segment.replay", "segment.webhook.request")
def test_a_webhook_outside_the_lab_gets_the_messages_once_more(hooked, receiver, post):
    lab = hooked()
    send(post, lab, "A", "B", "C")
    receiver.requests.clear()

    replayed = lab.segment.replay("hook")

    assert (replayed.messages, replayed.delivered) == (3, 3)
    sent = [json.loads(request["body"]) for request in receiver.requests]
    assert sorted((body["event"], body["messageId"]) for body in sent) == [("A", "m-A"), ("B", "m-B"), ("C", "m-C")]
    assert sent[0]["integrations"] == {"All": False, "Webhooks (Actions)": True}


@pytest.mark.rule("segment.replay", "segment.delivery.retry")
def test_a_webhook_that_is_down_gets_them_later(hooked, receiver, post):
    lab = hooked()
    send(post, lab, "A")
    receiver.go()

    replayed = lab.segment.replay("hook")

    assert (replayed.delivered, [row.message_id for row in replayed.waiting]) == (0, ["m-A"])
    assert replayed.waiting[0].why.code == "errors.awaiting-retry.ECONNREFUSED"
    receiver.come_back()
    lab.advance(60)
    assert len(receiver.requests) == 2
    assert rules(lab) == [("warning", "segment.delivery.retry")]


@pytest.mark.rule("segment.replay", "segment.delivery.refused")
def test_a_refusal_for_good_is_told(hooked, receiver, post):
    lab = hooked()
    send(post, lab, "A")
    receiver.answers.append(400)

    [failed] = lab.segment.replay("hook").failed

    assert (failed.message_id, failed.why.code) == ("m-A", "errors.discarded.400")
    assert rules(lab) == [("error", "segment.delivery.refused")]


@pytest.mark.rule("segment.event-tester", "segment.webhook.request", "segment.webhook.signature")
def test_a_test_event_reaches_it_and_its_answer_is_shown(hooked, receiver, post):
    lab = hooked(shared_secret="s3cret")
    receiver.answers.append((201, {}, b'{"taken": 1}'))

    tested = lab.segment.test_event("hook", {"type": "track", "event": "A", "userId": "u-1"}).as_json()

    assert (tested["outcome"], tested["mappings"][0]["mapping"]) == ("delivered", "Send")
    [attempt] = tested["requests"][0]["attempts"]
    assert (attempt["status"], attempt["answer"]) == (201, {"taken": 1})
    [request] = receiver.requests
    assert "x-signature" in request["headers"]
