"""From an evaluated inference to a Segment track call, or why there is none."""

from __future__ import annotations

import pytest

from trackside import catalog
from trackside.errors import WorkspaceError
from trackside.workspace import load

SEGMENT = {"user_id": "82az9ddoi34fski29375fjnafd", "event": "Evaluation Pass", "properties": {}, "integrations": {}}


def rules(evaluation):
    return [(step.kind, step.rule, step.level) for step in evaluation.steps]


@pytest.mark.rule("ownlayer.metadata")
def test_an_evaluated_inference_becomes_one_track_call(evaluated):
    evaluation = evaluated(SEGMENT)

    assert evaluation.sent == {
        "type": "track",
        "messageId": f"ownlayer-{evaluation.id}",
        "userId": "82az9ddoi34fski29375fjnafd",
        "event": "Evaluation Pass",
        "properties": {},
        "integrations": {},
        "timestamp": "2026-01-02T02:59:50.000Z",
        "context": {"library": {"name": "ownlayer"}},
    }
    assert evaluation.dropped is None
    assert catalog.faults("segment/track", evaluation.sent) == []


@pytest.mark.rule("ownlayer.metadata")
def test_the_name_of_the_library_can_be_set(make_lab, post):
    lab = make_lab(segment={"write_key": "wk_llm", "library": "ownlayer-server"})
    post(lab, {"additional_metadata": {"segment": SEGMENT}})

    assert lab.ownlayer.evaluate().sent["context"] == {"library": {"name": "ownlayer-server"}}


@pytest.mark.rule("ownlayer.write-key")
def test_segment_gets_it_with_the_write_key_of_the_integration(lab, evaluated):
    evaluation = evaluated(SEGMENT)

    [request] = [row.request for row in lab.exchanges("segment")]
    assert (request.method, request.path, request.basic_user()) == ("POST", "/v1/batch", "wk_llm")
    assert evaluation.journey.exchange.intake.source == "llm"


@pytest.mark.rule("ownlayer.write-key")
@pytest.mark.parametrize("block", [{"segment": {}}, {"segment": {"events": ["Evaluation Pass"]}}])
def test_without_a_write_key_nothing_is_sent_and_the_inference_is_kept(block, make_lab, post):
    lab = make_lab(**block)
    post(lab, {"additional_metadata": {"segment": SEGMENT}})

    evaluation = lab.ownlayer.evaluate()

    assert (evaluation.sent, evaluation.dropped.rule) == (None, "ownlayer.write-key")
    assert (len(lab.ownlayer.inferences()), lab.exchanges("segment")) == (1, [])


@pytest.mark.rule("ownlayer.write-key")
def test_a_write_key_that_no_source_has_is_a_remark_on_the_workspace():
    loaded = load({"ownlayer": {"segment": {"write_key": "wk_elsewhere"}}})

    [note] = loaded.notes
    assert (note.rule, note.level, note.at) == ("ownlayer.write-key", "warning", "$.ownlayer.segment.write_key")


# ---- which events


@pytest.mark.rule("ownlayer.event-choice")
def test_an_event_that_is_not_chosen_is_not_sent_and_that_is_no_finding(make_lab, post, found):
    lab = make_lab(segment={"write_key": "wk_llm", "events": ["Evaluation Fail"]})
    post(lab, {"additional_metadata": {"segment": SEGMENT}})

    evaluation = lab.ownlayer.evaluate()

    assert (evaluation.sent, rules(evaluation)) == (None, [("drop", "ownlayer.event-choice", None)])
    assert found(lab) == []


@pytest.mark.rule("ownlayer.event-choice")
def test_the_choice_is_of_ownlayers_own_event_whatever_it_is_renamed_to(make_lab, post):
    lab = make_lab(segment={"write_key": "wk_llm", "events": ["Evaluation Fail"]})
    post(lab, {"additional_metadata": {"segment": {"user_id": "u-1", "event": "Bad Answer"}}})

    assert lab.ownlayer.evaluate(passed=True).sent is None
    assert lab.ownlayer.evaluate(passed=False).sent["event"] == "Bad Answer"


@pytest.mark.rule("ownlayer.event-choice")
def test_no_event_may_be_chosen(make_lab, post):
    lab = make_lab(segment={"write_key": "wk_llm", "events": []})
    post(lab, {"additional_metadata": {"segment": SEGMENT}})

    assert lab.ownlayer.evaluate().dropped.text.endswith("sent to Segment: none")


@pytest.mark.rule("ownlayer.event-choice")
def test_a_chosen_event_that_no_evaluation_has_by_itself_is_a_remark_on_the_workspace():
    block = {"write_key": "wk_web", "events": ["Evaluation Pass", "Evaluation pass"]}

    loaded = load({"segment": {"sources": {"web": {"write_key": "wk_web"}}}, "ownlayer": {"segment": block}})

    assert [(note.rule, note.at) for note in loaded.notes] == [
        ("ownlayer.event-choice", "$.ownlayer.segment.events[1]")
    ]


@pytest.mark.rule("ownlayer.event-optional")
def test_the_attribute_names_the_event_and_that_is_recorded_as_a_rename(evaluated):
    evaluation = evaluated({"user_id": "u-1", "event": "Answer Judged"})

    assert evaluation.sent["event"] == "Answer Judged"
    assert rules(evaluation) == [("rename", "ownlayer.event-optional", None)]


@pytest.mark.rule("ownlayer.event-optional")
@pytest.mark.parametrize(("passed", "name"), [(True, "Evaluation Pass"), (False, "Evaluation Fail")])
@pytest.mark.parametrize("segment", [{"user_id": "u-1"}, {"user_id": "u-1", "event": None}])
def test_without_a_name_the_event_is_called_by_its_result(segment, passed, name, lab, evaluated):
    evaluated(segment)

    evaluation = lab.ownlayer.evaluate(passed=passed)

    assert evaluation.sent["event"] == name
    assert rules(evaluation) == [("assumed", "ownlayer.event-optional", "note")]


@pytest.mark.rule("ownlayer.event-optional")
def test_the_default_names_can_be_set(make_lab, post):
    lab = make_lab(segment={"write_key": "wk_llm", "names": {"pass": "LLM Fine"}})
    post(lab, {"additional_metadata": {"segment": {"user_id": "u-1"}}})

    assert lab.ownlayer.evaluate().sent["event"] == "LLM Fine"
    assert lab.ownlayer.evaluate(passed=False).sent["event"] == "Evaluation Fail"


@pytest.mark.rule("ownlayer.event-optional")
@pytest.mark.parametrize("event", [7, "", " ", ["Evaluation Pass"], {}])
def test_a_name_that_is_no_text_is_passed_over_with_a_warning(event, lab, evaluated, found):
    evaluation = evaluated({"user_id": "u-1", "event": event})

    assert evaluation.sent["event"] == "Evaluation Pass"
    assert ("ownlayer.event-optional", "warning", "$.additional_metadata.segment.event") in found(lab)


# ---- whom it is about


@pytest.mark.rule("ownlayer.user-id-required")
@pytest.mark.parametrize("user_id", [None, "", "  ", 7, True, ["u-1"], {}])
def test_without_a_text_that_names_a_user_nothing_is_sent(user_id, evaluated):
    evaluation = evaluated({**SEGMENT, "user_id": user_id})

    assert (evaluation.sent, evaluation.dropped.rule) == (None, "ownlayer.user-id-required")
    assert evaluation.dropped.at == "$.additional_metadata.segment.user_id"


@pytest.mark.rule("ownlayer.user-id-required")
@pytest.mark.parametrize("name", ["userId", "userID", "user-id", "UserId", "USER_ID", "user id", "userid"])
def test_another_spelling_of_user_id_is_named_as_the_mistake(name, lab, post):
    post(lab, {"additional_metadata": {"segment": {name: "u-1", "event": "Evaluation Pass"}}})

    [finding] = lab.findings()
    assert (finding.step.rule, finding.step.level) == ("ownlayer.user-id-required", "warning")
    assert f"{name} is not read: the names here are snake case" in finding.step.text
    assert finding.step.fix == f"call {name} user_id"


@pytest.mark.rule("ownlayer.user-id-required")
@pytest.mark.parametrize("name", ["anonymous_id", "anonymousId"])
def test_an_anonymous_id_does_not_do(name, lab, evaluated):
    evaluation = evaluated({name: "a-1"})

    assert evaluation.sent is None
    assert f"{name} is not read: no other id is known here" in evaluation.dropped.text


@pytest.mark.rule("ownlayer.user-id-required")
def test_a_missing_user_id_is_told_when_the_inference_arrives_and_once(lab, post, found):
    post(lab, {"additional_metadata": {"segment": {"event": "Evaluation Pass"}}})

    told = [("ownlayer.user-id-required", "warning", "$.additional_metadata.segment.user_id")]
    assert found(lab) == told
    lab.ownlayer.evaluate()
    assert [row for row in found(lab) if row[1] == "warning"] == told


# ---- what is carried


@pytest.mark.rule("ownlayer.properties")
def test_properties_are_carried_as_they_are(evaluated):
    properties = {"topic": "geography", "score": 0.93, "nested": {"list": [1, None, {"deep": True}]}, "null": None}

    assert evaluated({"user_id": "u-1", "properties": properties}).sent["properties"] == properties


@pytest.mark.rule("ownlayer.properties", "ownlayer.integrations")
@pytest.mark.parametrize("name", ["properties", "integrations"])
@pytest.mark.parametrize("segment", [{}, None], ids=["absent", "null"])
def test_what_the_caller_leaves_out_is_left_out(name, segment, evaluated):
    given = {"user_id": "u-1"} if segment == {} else {"user_id": "u-1", name: None}

    assert name not in evaluated(given).sent


@pytest.mark.rule("ownlayer.properties", "ownlayer.integrations")
@pytest.mark.parametrize("name", ["properties", "integrations"])
@pytest.mark.parametrize("value", ["Amplitude", ["Amplitude"], 7, True])
def test_what_is_no_object_is_left_out_with_a_warning(name, value, lab, evaluated, found):
    evaluation = evaluated({"user_id": "u-1", name: value})

    assert name not in evaluation.sent
    assert (f"ownlayer.{name}", "warning", f"$.additional_metadata.segment.{name}") in found(lab)
    assert not [row for row in found(lab) if row[0] == "ownlayer.contract"]


@pytest.mark.rule("ownlayer.integrations")
def test_integrations_are_carried_and_select_the_destinations(evaluated):
    evaluation = evaluated({"user_id": "u-1", "integrations": {"All": False, "Statsig": True}})

    assert evaluation.sent["integrations"] == {"All": False, "Statsig": True}
    assert [row.destination for row in evaluation.journey.deliveries if row.sent] == ["statsig"]


@pytest.mark.rule("ownlayer.properties.added")
def test_nothing_is_added_by_itself(lab, evaluated):
    evaluated({"user_id": "u-1", "properties": {"topic": "geography"}})

    assert lab.ownlayer.evaluate(evaluator="toxicity", score=0.5).sent["properties"] == {"topic": "geography"}


@pytest.mark.rule("ownlayer.properties.added")
def test_what_ownlayer_knows_is_added_under_the_one_property_that_the_workspace_names(make_lab, post):
    lab = make_lab(segment={"write_key": "wk_llm", "added_properties": "ownlayer"})
    post(lab, {"additional_metadata": {"segment": {"user_id": "u-1", "properties": {"topic": "geography"}}}})
    [inference] = lab.ownlayer.inferences()

    sent = lab.ownlayer.evaluate(passed=False, evaluator="toxicity", score=0.5).sent

    own = {"inference": inference["id"], "result": "fail", "evaluator": "toxicity", "score": 0.5}
    assert sent["properties"] == {"topic": "geography", "ownlayer": own}


@pytest.mark.rule("ownlayer.unknown-fields")
def test_a_misspelt_attribute_is_told(lab, evaluated):
    evaluation = evaluated({"user_id": "u-1", "propertys": {"topic": "geography"}, "plan": "pro"})

    [finding] = lab.findings()
    assert (finding.step.rule, finding.step.fix) == ("ownlayer.unknown-fields", "did you mean properties?")
    assert "properties" not in evaluation.sent


# ---- when it happened


@pytest.mark.rule("ownlayer.timestamp")
@pytest.mark.parametrize("end_time", [None, "2026-01-01T00:00:00Z", True, 10**18, -(10**18), 1e300])
def test_without_an_end_that_can_be_read_it_happened_when_it_was_received(end_time, evaluated):
    evaluation = evaluated(SEGMENT, end_time=end_time)

    assert evaluation.sent["timestamp"] == "2026-01-02T03:00:00.000Z"
    assert ("assumed", "ownlayer.timestamp", "note") in rules(evaluation)


@pytest.mark.rule("ownlayer.timestamp")
def test_it_is_the_receipt_of_the_inference_and_not_the_moment_of_the_evaluation(lab, post):
    post(lab, {"additional_metadata": {"segment": SEGMENT}})
    lab.advance(3600)

    assert lab.ownlayer.evaluate().sent["timestamp"] == "2026-01-02T03:00:00.000Z"


@pytest.mark.rule("ownlayer.timestamp")
def test_an_end_in_seconds_is_told(lab, evaluated):
    evaluation = evaluated(SEGMENT, end_time=1767322790)

    assert evaluation.sent["timestamp"] == "1970-01-21T10:55:22.790Z"
    [finding] = lab.findings()
    assert finding.step.fix == "give it in epoch milliseconds"


# ---- inferences that send nothing


@pytest.mark.rule("ownlayer.silent")
@pytest.mark.parametrize("metadata", [None, {}, {"_source": "ownlayer_py_sdk"}, {"segment": None}])
def test_an_inference_without_the_attribute_sends_nothing_and_is_no_fault(metadata, lab, post):
    post(lab, {"output": "Paris.", "additional_metadata": metadata})

    evaluation = lab.ownlayer.evaluate()

    assert (evaluation.sent, rules(evaluation)) == (None, [("drop", "ownlayer.silent", "note")])
    lab.expect_no_findings()


@pytest.mark.rule("ownlayer.silent")
@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"segment": {"user_id": "u-1"}}, "$.segment"),
        ({"additional_metadata": {"Segment": {"user_id": "u-1"}}}, "$.additional_metadata.Segment"),
    ],
)
def test_the_attribute_in_another_place_is_told_when_it_arrives(fields, place, lab, post, found):
    post(lab, fields)

    assert found(lab) == [("ownlayer.silent", "warning", place)]
    assert lab.ownlayer.evaluate().sent is None


@pytest.mark.rule("ownlayer.metadata")
@pytest.mark.parametrize("segment", ["u-1", ["u-1"], 7, True])
def test_an_attribute_that_is_no_object_sends_nothing_and_is_told(segment, lab, evaluated, found):
    evaluation = evaluated(segment)

    assert (evaluation.sent, evaluation.dropped.rule) == (None, "ownlayer.metadata")
    assert ("ownlayer.metadata", "warning", "$.additional_metadata.segment") in found(lab)


@pytest.mark.rule("ownlayer.metadata")
@pytest.mark.parametrize("metadata", ["segment", ["segment"], 7])
def test_metadata_that_is_no_object_sends_nothing_and_is_told(metadata, lab, post, found):
    post(lab, {"additional_metadata": metadata})

    assert lab.ownlayer.evaluate().dropped.rule == "ownlayer.metadata"
    assert found(lab)[0] == ("ownlayer.metadata", "warning", "$.additional_metadata")


# ---- its settings


@pytest.mark.parametrize(
    "block",
    [
        {"evaluate": "always"},
        {"segment": {"writeKey": "wk_llm"}},
        {"segment": {"names": {"passed": "LLM Fine"}}},
        {"segment": {"events": "Evaluation Pass"}},
    ],
)
def test_a_setting_that_cannot_be_is_refused(block):
    with pytest.raises(WorkspaceError):
        load({"ownlayer": block})
