"""What Segment answers with 200 and discards later, with its own codes."""

import pytest

CONSENT = "Segment Consent Preference Updated"


def discarded(journey):
    """Return the step that ended a message's way."""
    assert journey.outcome == "discarded"
    [step] = [step for step in journey.steps if step.kind == "drop"]
    return step


# ---- ids


@pytest.mark.rule("segment.discard.no-id")
def test_a_call_without_any_id_is_discarded(segment):
    assert discarded(segment.send("track", event="Order Completed")).code == "no_user_anon_id"


@pytest.mark.rule("segment.discard.no-id")
def test_an_id_that_is_null_counts_as_absent(segment):
    journey = segment.send("track", event="Order Completed", userId=None, anonymousId=None)

    assert discarded(journey).code == "no_user_anon_id"


@pytest.mark.rule("segment.discard.no-id")
def test_one_id_is_enough_and_the_other_may_be_null(segment):
    assert segment.send("track", event="Order Completed", userId=None, anonymousId="a-1").outcome == "accepted"


@pytest.mark.rule("segment.discard.id-not-string")
@pytest.mark.parametrize("user_id", [7, "", True, ["u-1"], {"id": "u-1"}])
def test_a_user_id_that_is_empty_or_no_text_is_discarded(segment, user_id):
    step = discarded(segment.send("track", event="Order Completed", userId=user_id))

    assert (step.code, step.at) == ("id_not_string", "$.userId")


@pytest.mark.rule("segment.discard.id-not-string")
def test_an_anonymous_id_that_is_no_text_is_discarded_and_named(segment):
    step = discarded(segment.send("track", event="Order Completed", userId="u-1", anonymousId=7))

    assert (step.code, step.at) == ("id_not_string", "$.anonymousId")


# ---- what the call holds


@pytest.mark.rule("segment.discard.event")
@pytest.mark.parametrize("event", [{}, {"event": None}, {"event": ""}], ids=["absent", "null", "empty"])
def test_a_track_call_without_an_event_is_discarded(segment, event):
    assert discarded(segment.send("track", userId="u-1", **event)).code == "event_not_defined"


@pytest.mark.rule("segment.discard.event")
def test_a_track_call_whose_event_is_no_text_is_discarded(segment):
    assert discarded(segment.send("track", userId="u-1", event=42)).code == "event_not_string"


@pytest.mark.rule("segment.discard.event")
def test_other_calls_need_no_event(segment):
    assert segment.send("page", userId="u-1", name="Home").outcome == "accepted"


@pytest.mark.rule("segment.discard.properties")
@pytest.mark.parametrize("properties", [[], "plan", 7, False])
def test_properties_that_are_no_object_are_discarded(segment, properties):
    journey = segment.send("track", userId="u-1", event="E", properties=properties)

    assert discarded(journey).code == "properties_not_object"


@pytest.mark.rule("segment.discard.properties")
def test_properties_that_are_null_count_as_absent(segment):
    assert segment.send("track", userId="u-1", event="E", properties=None).outcome == "accepted"


@pytest.mark.rule("segment.discard.traits")
@pytest.mark.parametrize("kind", ["identify", "group"])
def test_traits_that_are_no_object_are_discarded(segment, kind):
    assert discarded(segment.send(kind, userId="u-1", groupId="g-1", traits=["pro"])).code == "traits_not_object"


@pytest.mark.rule("segment.discard.traits")
def test_traits_that_are_null_count_as_absent(segment):
    assert segment.send("identify", userId="u-1", traits=None).outcome == "accepted"


@pytest.mark.rule("segment.discard.name")
@pytest.mark.parametrize("kind", ["page", "screen"])
@pytest.mark.parametrize("name", ["", 7])
def test_a_page_or_screen_whose_name_is_empty_or_no_text_is_discarded(segment, kind, name):
    assert discarded(segment.send(kind, userId="u-1", name=name)).code == "name_not_string"


@pytest.mark.rule("segment.discard.name", "segment.discard.category")
def test_the_python_sdk_sends_name_and_category_as_null(segment):
    assert segment.send("page", userId="u-1", name=None, category=None).outcome == "accepted"


@pytest.mark.rule("segment.discard.category")
@pytest.mark.parametrize("category", ["", 7])
def test_a_page_whose_category_is_empty_or_no_text_is_discarded(segment, category):
    journey = segment.send("page", userId="u-1", name="Home", category=category)

    assert discarded(journey).code == "category_not_string"


AGREED = {"consent": {"categoryPreferences": {"Advertising": True, "Analytics": False}, "version": 2}}


@pytest.mark.rule("segment.discard.consent")
@pytest.mark.parametrize(
    ("context", "code"),
    [
        ({}, "consent_categoryprefences_should_exist"),
        ({"consent": {"categoryPreferences": None}}, "consent_categoryprefences_should_exist"),
        ({"consent": {"categoryPreferences": ["Advertising"]}}, "consent_categorypreferences_should_be_object"),
        ({"consent": {"categoryPreferences": {"A": "yes"}}}, "consent_categorypreferences_fields_should_be_bool"),
        ({"consent": {**AGREED["consent"], "version": "2"}}, "consent_version_should_be_number"),
        ({**AGREED, "device": {"advertisingId": 7}}, "device_advertisingid_should_be_string"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_consent_event_is_discarded_without_a_well_formed_consent(segment, context, code):
    journey = segment.send("track", userId="u-1", anonymousId="a-1", event=CONSENT, context=context)

    assert discarded(journey).code == code


@pytest.mark.rule("segment.discard.consent")
def test_the_consent_event_needs_an_anonymous_id(segment):
    journey = segment.send("track", userId="u-1", event=CONSENT, context=AGREED)

    assert discarded(journey).code == "consent_needs_anonymous_id_set"


@pytest.mark.rule("segment.discard.consent")
def test_a_well_formed_consent_event_is_taken(segment):
    journey = segment.send("track", anonymousId="a-1", event=CONSENT, context=AGREED)

    assert journey.outcome == "accepted"


@pytest.mark.rule("segment.discard.consent", "segment.batch.merge")
def test_the_consent_may_stand_in_the_batchs_own_context(segment):
    call = {"type": "track", "anonymousId": "a-1", "event": CONSENT, "messageId": "m-1"}

    [first] = segment.batch(call, context=AGREED)
    [repeat] = segment.batch(call, context=AGREED)

    assert (first.outcome, repeat.outcome) == ("accepted", "duplicate")


@pytest.mark.rule("segment.discard.consent")
def test_other_events_may_have_any_consent(segment):
    journey = segment.send("track", userId="u-1", event="E", context={"device": {"advertisingId": 7}})

    assert journey.outcome == "accepted"


# ---- batches


@pytest.mark.rule("segment.discard.type")
@pytest.mark.parametrize("typed", [{}, {"type": "purchase"}, {"type": "Track"}, {"type": 7}])
def test_a_batch_item_without_a_known_type_is_discarded(segment, typed):
    [journey] = segment.batch({"userId": "u-1", "event": "E", **typed})

    assert discarded(journey).code == "type_not_known"


@pytest.mark.rule("segment.discard.not-an-object")
@pytest.mark.parametrize("item", [7, "track", None, ["track"]])
def test_a_batch_item_that_is_no_object_is_discarded(segment, item):
    [journey] = segment.batch(item)

    assert discarded(journey).code == "not_an_object"


@pytest.mark.rule("segment.discard.empty-batch")
@pytest.mark.parametrize("body", [{"batch": []}, {"batch": None}, {"batch": {}}, {}], ids=str)
def test_a_batch_without_messages_is_answered_200_and_recorded(segment, body):
    assert segment.post("/v1/batch", body).status == 200
    assert [step.code for step in segment.exchange().steps if step.kind == "drop"] == ["empty_batch"]


@pytest.mark.rule("segment.discard.partial-batch")
def test_of_a_batch_with_bad_messages_the_good_ones_are_taken(segment):
    good, bad = segment.batch({"type": "track", "userId": "u-1", "event": "E"}, {"type": "track", "userId": "u-1"})

    assert (good.outcome, bad.outcome) == ("accepted", "discarded")
    [step] = segment.exchange().steps
    assert (step.code, step.kind) == ("multi_user_error", "info")


@pytest.mark.rule("segment.discard.partial-batch")
def test_a_batch_of_which_nothing_is_left_is_recorded(segment):
    segment.batch({"type": "track", "userId": "u-1"}, {"type": "track", "event": "E"})

    assert [step.code for step in segment.exchange().steps] == ["empty_batch_result"]


@pytest.mark.rule("segment.discard.partial-batch")
def test_a_good_batch_has_nothing_on_record(segment):
    segment.batch({"type": "track", "userId": "u-1", "event": "E"})

    assert list(segment.exchange().steps) == []


# ---- what is on record


@pytest.mark.rule("segment.discard.event")
def test_a_discarded_call_reaches_no_destination(segment):
    assert segment.send("track", userId="u-1").deliveries == []


@pytest.mark.rule("segment.discard.event")
def test_a_discard_says_what_where_and_what_to_do(segment):
    step = discarded(segment.send("track", userId="u-1", event=42))

    assert str(step) == (
        "the event is not a string (42); Segment answers 200 and discards it (segment.discard.event). "
        "$.event. send its name as a string."
    )
    assert step.level == "error"


@pytest.mark.rule("segment.dedup", "segment.discard.event")
def test_a_discarded_call_may_come_again_under_its_message_id(segment):
    segment.send("track", userId="u-1", messageId="m-1")

    assert segment.send("track", userId="u-1", event="E", messageId="m-1").outcome == "accepted"


# ---- the contract


@pytest.mark.rule("segment.contract")
def test_a_call_that_keeps_its_contract_has_the_verdict_valid(segment):
    assert segment.send("track", userId="u-1", event="E").contract == "valid"


@pytest.mark.rule("segment.contract")
def test_a_broken_contract_is_recorded_and_changes_no_answer(segment):
    journey = segment.send("group", userId="u-1")

    assert segment.exchange().status == 200
    assert (journey.outcome, journey.contract) == ("accepted", "faults")
    fault = journey.steps[0]
    assert (fault.rule, fault.kind, fault.level, fault.at) == ("segment.contract", "fault", "error", "$.groupId")


@pytest.mark.rule("segment.contract")
def test_in_a_batch_each_call_has_its_own_verdict(segment):
    good, bad = segment.batch({"type": "track", "userId": "u-1", "event": "E"}, {"type": "group", "userId": "u-1"})

    assert (good.contract, bad.contract) == ("valid", "faults")


@pytest.mark.rule("segment.contract")
@pytest.mark.parametrize("item", [7, {"userId": "u-1"}, {"type": "purchase", "userId": "u-1"}])
def test_an_item_that_is_no_call_breaks_the_contract(segment, item):
    [journey] = segment.batch(item)

    assert journey.contract == "faults"


@pytest.mark.rule("segment.contract")
def test_a_fault_of_the_batch_itself_is_recorded_with_the_request(segment):
    [journey] = segment.batch({"type": "track", "userId": "u-1", "event": "E"}, sentAt="yesterday")

    assert journey.contract == "valid"
    assert [(step.rule, step.at) for step in segment.exchange().steps] == [("segment.contract", "$.sentAt")]


@pytest.mark.rule("segment.contract")
def test_a_strict_lab_refuses_what_breaks_the_contract(make_segment):
    segment = make_segment()
    segment.lab.strict = True

    answer = segment.post("/v1/group", {"userId": "u-1"})

    assert answer.status == 400
    assert b"groupId is missing" in answer.body
    assert list(segment.lab.journeys()) == []
