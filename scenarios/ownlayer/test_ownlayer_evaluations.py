"""The step that trackside stands in for: an evaluator's word on an inference, by a test, the control API or a setting."""

from __future__ import annotations

import json

import orjson
import pytest
import urllib3

from trackside.errors import TracksideError

SEGMENT = {"segment": {"user_id": "u-1"}}

pytestmark = pytest.mark.rule("ownlayer.evaluation")


def inference(output, **metadata):
    return {"output": output, "additional_metadata": {**SEGMENT, **metadata}}


def test_an_inference_by_itself_sends_nothing(lab, post):
    post(lab, inference("Paris."))

    assert (lab.ownlayer.evaluations(), list(lab.journeys())) == ([], [])


def test_the_latest_inference_is_evaluated_where_none_is_named(lab, post):
    post(lab, inference("Paris."))
    latest = orjson.loads(post(lab, inference("Lyon.")).body)["id"]

    assert lab.ownlayer.evaluate().record["inference"] == latest


def test_an_inference_is_named_by_its_id_its_record_or_a_predicate(lab, post):
    wanted = orjson.loads(post(lab, inference("Paris.")).body)["id"]
    post(lab, inference("Lyon."))
    [record] = lab.ownlayer.inferences(output="Paris.")

    ways = (wanted, record, lambda one: one["output"] == "Paris.")
    assert [lab.ownlayer.evaluate(way).record["inference"] for way in ways] == [wanted] * 3


@pytest.mark.parametrize("asked", ["i-9", {"output": "Paris."}, lambda _: False])
def test_an_inference_that_is_not_there_is_told(asked, lab, post):
    post(lab, inference("Paris."))

    with pytest.raises(TracksideError, match="there is no inference"):
        lab.ownlayer.evaluate(asked)


def test_without_any_inference_that_is_told(lab):
    with pytest.raises(TracksideError, match="expect_inference"):
        lab.ownlayer.evaluate()


def test_an_evaluation_is_kept_with_what_it_says(lab, post):
    own = orjson.loads(post(lab, inference("Paris.")).body)["id"]

    evaluation = lab.ownlayer.evaluate(passed=False, evaluator="toxicity", score=0.25)

    assert lab.ownlayer.evaluations() == [evaluation.record]
    assert evaluation.record == {
        "kind": "evaluation",
        "id": evaluation.id,
        "at": 1767322800000,
        "inference": own,
        "result": "fail",
        "event": "Evaluation Fail",
        "evaluator": "toxicity",
        "score": 0.25,
        "additional_metadata": SEGMENT,
        "received_at": 1767322800000,
    }


def test_an_inference_may_be_evaluated_more_than_once(lab, post):
    post(lab, inference("Paris."))
    lab.ownlayer.evaluate(evaluator="toxicity")
    lab.ownlayer.evaluate(passed=False, evaluator="grounding")

    assert [journey.get("event") for journey in lab.journeys()] == ["Evaluation Pass", "Evaluation Fail"]


def test_an_evaluation_may_have_an_event_of_its_own(lab, post):
    post(lab, inference("Paris."))

    assert lab.ownlayer.evaluate(event="Hallucination").sent["event"] == "Hallucination"


def test_the_waiting_are_those_that_were_not_evaluated(lab, post):
    for output in ("Paris.", "Lyon.", "Nice."):
        post(lab, inference(output))
    lab.ownlayer.evaluate(lambda one: one["output"] == "Lyon.")

    made = lab.ownlayer.evaluate_waiting(passed=False)

    outputs = {one["id"]: one["output"] for one in lab.ownlayer.inferences()}
    assert [outputs[one.record["inference"]] for one in made] == ["Paris.", "Nice."]
    assert lab.ownlayer.waiting() == []


def test_ownlayers_events_are_its_evaluations(lab, post):
    post(lab, inference("Paris."))
    lab.ownlayer.evaluate()

    assert lab.ownlayer.expect_event("Evaluation Pass", result="pass", user_id="u-1", timeout=0)["kind"] == "evaluation"
    lab.ownlayer.expect_none("Evaluation Fail")


def test_an_evaluation_tells_what_it_is(lab, post):
    post(lab, inference("Paris."))
    evaluation = lab.ownlayer.evaluate()

    assert repr(evaluation) == f"<Evaluation 'Evaluation Pass' of inference {evaluation.record['inference']}>"


@pytest.mark.parametrize("vendor", ["segment", "statsig", "ownlayer"])
def test_an_event_that_is_missed_because_nothing_was_evaluated_is_told_so(vendor, lab, post):
    post(lab, inference("Paris."))

    with pytest.raises(AssertionError, match="1 inference was not evaluated, and sends no event"):
        lab.mocks[vendor].expect_event("Evaluation Pass", timeout=0)


def test_a_missing_inference_is_not_looked_for_among_segments_messages(lab, post):
    post(lab, inference("Paris."))
    lab.ownlayer.evaluate()

    with pytest.raises(AssertionError) as told:
        lab.ownlayer.expect_inference(output="Lyon.", timeout=0)

    assert "Segment" not in str(told.value)
    assert "ownlayer keeps 1 other record." in str(told.value)


# ---- by a setting


@pytest.mark.parametrize(("result", "event"), [("pass", "Evaluation Pass"), ("fail", "Evaluation Fail")])
def test_a_setting_evaluates_each_inference_as_it_arrives(result, event, make_lab, post):
    lab = make_lab(evaluate=result)
    own = orjson.loads(post(lab, inference("Paris.")).body)["id"]

    [evaluation] = lab.ownlayer.evaluations()
    assert (evaluation["inference"], evaluation["result"]) == (own, result)
    assert [journey.get("event") for journey in lab.journeys()] == [event]
    assert lab.ownlayer.waiting() == []


def test_a_setting_that_lets_all_pass_still_says_why_nothing_is_sent(make_lab, post):
    lab = make_lab(evaluate="pass")
    post(lab, {"output": "Paris."})

    [row] = lab.exchanges("ownlayer")
    assert [step.rule for step in lab.steps_of(row)] == ["ownlayer.silent"]


# ---- by the control API


@pytest.fixture
def admin(trackside):
    """Return a function that asks the control API for evaluations, and gives the status and the answer."""

    def ask(body):
        answer = urllib3.request("POST", f"{trackside.urls['admin']}/ownlayer/evaluations", body=json.dumps(body))
        return answer.status, answer.json()

    return ask


@pytest.fixture
def sent(trackside, post):
    """Two inferences, by their ids."""
    return [orjson.loads(post(trackside, inference(output)).body)["id"] for output in ("Paris.", "Lyon.")]


@pytest.mark.trackside
def test_the_control_api_evaluates_an_inference_and_shows_what_segment_got(admin, sent, trackside):
    status, answer = admin({"inference": sent[0], "result": "pass", "evaluator": "toxicity", "score": 1})

    [made] = answer["evaluations"]
    assert (status, made["evaluation"]["inference"]) == (200, sent[0])
    assert (made["sent"]["event"], made["sent"]["userId"]) == ("Evaluation Pass", "u-1")
    assert {step["rule"] for step in made["steps"]} == {"ownlayer.event-optional", "ownlayer.timestamp"}
    trackside.segment.expect_event("Evaluation Pass", user_id="u-1")


@pytest.mark.trackside
@pytest.mark.parametrize(("named", "count"), [({}, 1), ({"inference": "latest"}, 1), ({"inference": "waiting"}, 2)])
def test_it_takes_the_latest_or_all_that_wait(named, count, admin, sent):
    _, answer = admin({**named, "result": "fail", "event": "Hallucination"})

    inferences = [made["evaluation"]["inference"] for made in answer["evaluations"]]
    assert inferences == sent[-count:]
    assert {made["sent"]["event"] for made in answer["evaluations"]} == {"Hallucination"}


@pytest.mark.trackside
@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "$.result"),
        ({"result": "passed"}, "$.result"),
        ({"result": True}, "$.result"),
        ({"result": "pass", "inference": 7}, "$.inference"),
        ({"result": "pass", "score": "high"}, "$.score"),
        ({"result": "pass", "score": True}, "$.score"),
        ({"result": "pass", "evaluation": "toxicity"}, "$.evaluation"),
        ({"result": "pass", "inference": "i-9"}, "evaluate"),
    ],
)
def test_what_it_cannot_read_is_told(body, place, admin, sent):
    status, answer = admin(body)

    assert (status, answer["error"]["where"]) == (400, place)
