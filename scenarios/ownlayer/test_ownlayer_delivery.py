"""An evaluation's way: over Segment to the vendors behind its source, over failures and over restarts."""

from __future__ import annotations

import orjson
import pytest

from trackside import Lab

SEGMENT = {"segment": {"user_id": "u-1", "event": "Answer Judged", "properties": {"value": 42}}}


@pytest.mark.rule("ownlayer.metadata")
def test_it_reaches_every_vendor_behind_the_source(lab, post):
    post(lab, {"additional_metadata": SEGMENT})

    evaluation = lab.ownlayer.evaluate()

    assert [row.outcome for row in evaluation.journey.deliveries] == ["delivered"] * 3
    lab.statsig.expect_event("segment::Answer Judged", user_id="u-1")
    lab.split.expect_event("Answer_Judged", key="u-1", value=42)
    lab.launchdarkly.expect_event("Answer Judged", user="u-1", value=42)


@pytest.mark.rule("ownlayer.metadata")
def test_a_journey_tells_what_its_message_was_made_of(lab, post):
    post(lab, {"additional_metadata": SEGMENT})
    lab.ownlayer.evaluate()

    [journey] = lab.journeys()
    assert (journey.origin.vendor, journey.origin.what) == ("ownlayer", "evaluation")


@pytest.mark.rule("ownlayer.integrations")
def test_the_integrations_object_selects_among_them(lab, post):
    segment = {**SEGMENT["segment"], "integrations": {"Split": False}}
    post(lab, {"additional_metadata": {"segment": segment}})
    lab.ownlayer.evaluate()

    lab.statsig.expect_event("segment::Answer Judged")
    lab.split.expect_none()


@pytest.mark.trackside
@pytest.mark.rule("ownlayer.metadata")
def test_with_deliveries_over_http_it_arrives_as_well(make_trackside, post, lab):
    running = make_trackside(lab.workspace.document, deliveries="http")
    post(running, {"additional_metadata": SEGMENT})

    evaluation = running.ownlayer.evaluate()

    assert evaluation.sent["event"] == "Answer Judged"
    running.statsig.expect_event("segment::Answer Judged", user_id="u-1")


# ---- failures


@pytest.mark.rule("ownlayer.out.retry")
def test_a_request_that_segment_fails_is_sent_again(lab, post, found):
    post(lab, {"additional_metadata": SEGMENT})
    lab.segment.fail(503)

    evaluation = lab.ownlayer.evaluate()

    assert evaluation.sent is None
    assert ("ownlayer.out.retry", "warning") in [row[:2] for row in found(lab)]
    lab.advance(3600)
    assert evaluation.sent["event"] == "Answer Judged"
    lab.statsig.expect_event("segment::Answer Judged")
    assert len(list(lab.journeys())) == 1


@pytest.mark.rule("ownlayer.out.refused")
def test_a_request_that_segment_refuses_for_good_is_given_up(lab, post, found):
    post(lab, {"additional_metadata": SEGMENT})
    lab.segment.fail(400)

    evaluation = lab.ownlayer.evaluate()
    lab.advance(24 * 3600)

    assert evaluation.sent is None
    assert ("ownlayer.out.refused", "error") in [row[:2] for row in found(lab)]


@pytest.mark.rule("ownlayer.out.refused")
def test_a_request_that_fails_to_the_end_is_given_up(lab, post, found):
    post(lab, {"additional_metadata": SEGMENT})
    lab.segment.fail(error="ECONNREFUSED", times=None)

    lab.ownlayer.evaluate()
    lab.advance(24 * 3600)

    assert [row[:2] for row in found(lab)][-1] == ("ownlayer.out.refused", "error")


# ---- restarts


def again(lab: Lab, file) -> Lab:
    lab.stop()
    return Lab(lab.workspace.document, data=file, start_at=lab.clock.now())


@pytest.mark.rule("ownlayer.inference", "ownlayer.evaluation")
def test_inferences_and_evaluations_are_there_after_a_restart_and_nothing_is_sent_twice(make_lab, post, tmp_path):
    file = tmp_path / "journal.sqlite"
    first = make_lab({"data": file})
    own = orjson.loads(post(first, {"additional_metadata": SEGMENT}).body)["id"]
    first.ownlayer.evaluate(evaluator="toxicity")
    before = (first.ownlayer.inferences(), first.ownlayer.evaluations(), [one.as_json() for one in first.journeys()])

    second = again(first, file)

    after = (second.ownlayer.inferences(), second.ownlayer.evaluations(), [one.as_json() for one in second.journeys()])
    assert after == before
    assert second.ownlayer.evaluate(own, passed=False).sent["event"] == "Answer Judged"
    second.stop()


@pytest.mark.rule("ownlayer.out.retry")
def test_a_request_that_waited_for_its_retry_goes_on_after_a_restart(make_lab, post, tmp_path):
    file = tmp_path / "journal.sqlite"
    first = make_lab({"data": file})
    post(first, {"additional_metadata": SEGMENT})
    first.segment.fail(503)
    first.ownlayer.evaluate()

    second = again(first, file)
    second.advance(3600)

    assert [journey.get("event") for journey in second.journeys()] == ["Answer Judged"]
    second.stop()


@pytest.mark.rule("ownlayer.user-id-required")
def test_why_nothing_was_sent_is_told_after_a_restart_too(make_lab, post, tmp_path, found):
    file = tmp_path / "journal.sqlite"
    first = make_lab({"data": file})
    post(first, {"additional_metadata": {"segment": {"userId": "u-1"}}})
    first.ownlayer.evaluate()
    before = found(first)

    second = again(first, file)

    assert found(second) == before
    assert [row[1] for row in before] == ["warning", "note"]
    second.stop()
