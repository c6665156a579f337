"""Deliveries that fail: which are tried again, when, for how long, and what is on record."""

from itertools import pairwise

import pytest

DEMO_DESTINATIONS = {"statsig": "delivered", "fme-user": "delivered", "ld": "delivered"}


def sent_to(journey, destination="statsig"):
    [sent] = journey.delivery(destination).sent
    return sent


def outcome(lab, message_id="m-1"):
    return lab.journey(message_id).delivery("statsig").outcome


def codes(lab):
    return [step.code for attempt in sent_to(lab.journey("m-1")).attempts for step in attempt.steps]


# ---- what is tried again


@pytest.mark.rule("segment.delivery.retry")
@pytest.mark.parametrize("status", [408, 423, 429, 500, 502, 503, 504, 511])
def test_a_status_that_may_pass_is_tried_again(lab, track, status):
    lab.statsig.fail(status)
    assert sent_to(track(lab)).outcome == "awaiting_retry"

    lab.advance(10)

    assert outcome(lab) == "delivered"
    assert [attempt.status for attempt in sent_to(lab.journey("m-1")).attempts] == [status, 200]


@pytest.mark.rule("segment.delivery.retry")
@pytest.mark.parametrize("error", ["ETIMEDOUT", "ECONNREFUSED", "ECONNRESET"])
def test_a_destination_that_gives_no_answer_is_tried_again(lab, track, error):
    lab.statsig.fail(error=error)
    assert [(attempt.status, attempt.error) for attempt in sent_to(track(lab)).attempts] == [(0, error)]

    lab.advance(10)

    assert outcome(lab) == "delivered"


@pytest.mark.rule("segment.delivery.refused")
@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410, 413, 422, 501])
def test_any_other_status_is_final(lab, track, status):
    lab.statsig.fail(status)
    track(lab)

    lab.advance(5 * 3600)

    assert outcome(lab) == "failed"
    assert [attempt.status for attempt in sent_to(lab.journey("m-1")).attempts] == [status]


@pytest.mark.rule("segment.delivery.refused")
def test_a_refusal_is_an_error_with_segments_code(lab, track):
    lab.statsig.fail(404)
    track(lab)

    assert codes(lab) == ["errors.discarded.404"]
    assert [finding.step.rule for finding in lab.findings() if finding.step.level == "error"] == [
        "segment.delivery.refused"
    ]


@pytest.mark.rule("segment.delivery.retry")
@pytest.mark.parametrize(
    ("fault", "code"),
    [({"status": 429}, "errors.awaiting-retry.429"), ({"error": "ECONNREFUSED"}, "errors.awaiting-retry.ECONNREFUSED")],
)
def test_a_delivery_that_waits_is_a_warning_with_segments_code(lab, track, fault, code):
    lab.statsig.fail(**fault)
    track(lab)

    assert codes(lab) == [code]
    assert [finding.step.level for finding in lab.findings() if finding.step.code == code] == ["warning"]


@pytest.mark.rule("segment.delivery.retry")
def test_other_destinations_are_not_kept_waiting(lab, track):
    lab.statsig.fail(500)

    outcomes = {row.destination: row.outcome for row in track(lab).deliveries}

    assert outcomes == {**DEMO_DESTINATIONS, "statsig": "awaiting_retry"}


@pytest.mark.rule("segment.delivery.retry")
def test_the_vendor_keeps_the_event_once_it_has_taken_it_and_once_only(lab, track):
    lab.statsig.fail(500, times=2)
    track(lab)
    assert lab.statsig.events() == []

    lab.advance(3600)

    assert [event["eventName"] for event in lab.statsig.events()] == ["segment::Order Completed"]


@pytest.mark.rule("segment.delivery.refused", "statsig.in.unsupported")
def test_what_the_vendor_refuses_after_a_retry_has_the_vendors_reason(make_lab, post):
    lab = make_lab({
        "segment": {
            "sources": {"web": {"write_key": "wk_web", "destinations": ["statsig"]}},
            "destinations": {"statsig": {"type": "statsig", "api_key": "secret-local"}},
        },
        "statsig": {"server_secret": "secret-local", "segment_inbound": {"unsupported": "refuse"}},
    })  # fmt: skip
    lab.statsig.fail(503)
    post(lab, "/v1/alias", {"writeKey": "wk_web", "messageId": "m-1", "userId": "u-1", "previousId": "a-1"})

    lab.advance(60)

    sent = sent_to(lab.journey("m-1"))
    assert [attempt.status for attempt in sent.attempts] == [503, 501]
    assert "statsig.in.unsupported" in [step.rule for step in sent.steps]


# ---- when, and for how long


def waits(lab):
    attempts = sent_to(lab.journey("m-1")).attempts
    return [round(later.at - earlier.at, 3) for earlier, later in pairwise(attempts)]


def retrying(make_lab, track, **retry):
    lab = make_lab({
        "segment": {
            "sources": {"web": {"write_key": "wk_web", "destinations": ["statsig"]}},
            "destinations": {"statsig": {"type": "statsig", "api_key": "secret-local"}},
            "retry": retry,
        },
        "statsig": {"server_secret": "secret-local"},
    })  # fmt: skip
    lab.statsig.fail(500, times=None)
    track(lab)
    return lab


@pytest.mark.rule("segment.delivery.retry")
def test_the_waits_grow_up_to_the_longest(make_lab, track):
    lab = retrying(make_lab, track, hours=1, first=10, factor=3, longest=300, jitter=0)

    lab.advance(1000)

    assert waits(lab) == [10, 30, 90, 270, 300, 300]


@pytest.mark.rule("segment.delivery.retry")
def test_after_four_hours_the_delivery_has_failed_for_good(make_lab, track):
    lab = retrying(make_lab, track)
    lab.advance(4 * 3600 - 1800)
    assert outcome(lab) == "awaiting_retry"

    lab.advance(1800)

    assert outcome(lab) == "failed"
    assert codes(lab)[-1] == "errors.discarded.500"
    attempts = sent_to(lab.journey("m-1")).attempts
    assert attempts[-1].at - attempts[0].at <= 4 * 3600
    assert len(attempts) > 10


@pytest.mark.rule("segment.delivery.retry")
def test_the_clock_moved_at_once_or_in_steps_makes_the_same_attempts(make_lab, track):
    at_once, in_steps = retrying(make_lab, track), retrying(make_lab, track)

    at_once.advance(3600)
    for _ in range(60):
        in_steps.advance(60)

    assert waits(at_once) == waits(in_steps)
    assert len(waits(at_once)) > 5


@pytest.mark.rule("segment.delivery.retry")
def test_waits_vary_from_message_to_message_and_not_from_run_to_run(make_lab, track):
    def two_waits():
        lab = retrying(make_lab, track, jitter=0.5)
        track(lab, messageId="m-2")
        return [lab.journey(name).delivery("statsig").sent[0].attempts[0].due for name in ("m-1", "m-2")]

    first, second = two_waits()
    assert first != second
    assert two_waits() == [first, second]


@pytest.mark.rule("segment.delivery.retry")
def test_a_destinations_retry_after_is_not_heeded(make_lab, track):
    lab = retrying(make_lab, track, jitter=0)
    lab.reset()
    lab.statsig.fail(429, headers={"Retry-After": "3600"})
    track(lab)

    lab.advance(10)

    assert outcome(lab) == "delivered"


@pytest.mark.rule("segment.delivery.retry")
def test_attempts_are_dated_by_the_labs_clock(make_lab, track):
    lab = retrying(make_lab, track, jitter=0)
    lab.advance(10)

    attempts = sent_to(lab.journey("m-1")).as_json()["attempts"]

    assert [attempt["at"] for attempt in attempts] == ["2026-01-02T03:00:00.000Z", "2026-01-02T03:00:10.000Z"]
    assert attempts[-1]["next"] == "2026-01-02T03:00:30.000Z"


# ---- the lab's controls


@pytest.mark.rule("segment.delivery.retry")
def test_recover_takes_faults_away(lab, track):
    lab.statsig.fail(500, times=None)
    track(lab)
    lab.statsig.recover()

    lab.advance(10)

    assert outcome(lab) == "delivered"


@pytest.mark.rule("segment.delivery.retry")
def test_settle_returns_while_a_retry_waits_for_its_moment(lab, track):
    lab.statsig.fail(500)
    track(lab)

    lab.settle()

    assert outcome(lab) == "awaiting_retry"
    assert lab.stats()["deliveries_waiting"] == 1


@pytest.mark.rule("segment.delivery.retry")
def test_a_reset_forgets_deliveries_that_wait(lab, track):
    lab.statsig.fail(500)
    track(lab)

    lab.reset()
    lab.advance(4 * 3600)

    assert lab.stats()["deliveries_waiting"] == 0
    assert lab.statsig.events() == []


@pytest.mark.rule("segment.delivery.retry")
def test_the_clock_does_not_go_back(lab):
    with pytest.raises(ValueError, match="cannot go back by 1 s"):
        lab.advance(-1)


@pytest.mark.rule("segment.delivery.retry")
def test_a_vendor_told_to_fail_answers_sdks_so_too_and_says_why_on_record(lab, post):
    lab.launchdarkly.fail(503, body=b"maintenance")

    answer = post(lab, "/events/bulk/57be1db38b75bf0772d11384", [], vendor="launchdarkly")

    assert (answer.status, answer.body) == (503, b"maintenance")
    [row] = lab.exchanges("launchdarkly")
    assert [step.text for step in lab.steps_of(row)] == ["answered 503, as the lab was told to"]
