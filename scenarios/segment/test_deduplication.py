"""Deduplication by messageId."""

import pytest

CALL = {"userId": "u-1", "event": "Order Completed", "messageId": "m-1"}


@pytest.mark.rule("segment.dedup")
def test_a_repeated_message_id_is_dropped_behind_the_200(segment):
    segment.send("track", **CALL)

    again = segment.send("track", **CALL)

    assert segment.exchange().status == 200
    assert (again.outcome, again.deliveries) == ("duplicate", [])


@pytest.mark.rule("segment.dedup")
def test_the_drop_is_recorded_as_a_note(segment):
    segment.send("track", **CALL)
    step = segment.send("track", **CALL).steps[-1]

    assert (step.kind, step.rule, step.level, step.at) == ("drop", "segment.dedup", "note", "$.messageId")


@pytest.mark.rule("segment.dedup")
def test_only_the_message_id_decides_not_what_else_the_call_holds(segment):
    segment.send("track", **CALL)

    assert segment.send("page", userId="u-2", name="Home", messageId="m-1").outcome == "duplicate"


@pytest.mark.rule("segment.dedup")
def test_a_repeat_inside_one_batch_is_dropped(segment):
    first, second = segment.batch({"type": "track", **CALL}, {"type": "track", **CALL})

    assert (first.outcome, second.outcome) == ("accepted", "duplicate")


@pytest.mark.rule("segment.dedup")
def test_a_retried_batch_counts_once(segment):
    batch = [{"type": "track", **CALL, "messageId": f"m-{number}"} for number in range(3)]
    segment.batch(*batch)

    assert {journey.outcome for journey in segment.batch(*batch)} == {"duplicate"}


@pytest.mark.rule("segment.dedup")
def test_the_window_is_24_hours(segment):
    segment.send("track", **CALL)

    segment.lab.advance(24 * 3600 - 1)
    assert segment.send("track", **CALL).outcome == "duplicate"

    segment.lab.advance(1)
    assert segment.send("track", **CALL).outcome == "accepted"


@pytest.mark.rule("segment.dedup")
def test_a_repeat_does_not_open_the_window_anew(segment):
    segment.send("track", **CALL)
    segment.lab.advance(23 * 3600)
    segment.send("track", **CALL)

    segment.lab.advance(3600)

    assert segment.send("track", **CALL).outcome == "accepted"


TWO_SOURCES = {"web": {"write_key": "wk_web"}, "server": {"write_key": "wk_server"}}


@pytest.mark.rule("segment.dedup")
def test_a_repeat_at_another_source_is_a_repeat(make_segment):
    segment = make_segment(sources=TWO_SOURCES)
    segment.send("track", **CALL)

    segment.post("/v1/track", CALL, key="wk_server")

    assert [journey.outcome for journey in segment.lab.journeys()] == ["accepted", "duplicate"]


@pytest.mark.rule("segment.dedup")
def test_a_setting_keeps_the_ids_of_sources_apart(make_segment):
    segment = make_segment(sources=TWO_SOURCES, dedup={"scope": "source"})
    segment.send("track", **CALL)

    segment.post("/v1/track", CALL, key="wk_server")
    segment.post("/v1/track", CALL, key="wk_web")

    assert [journey.outcome for journey in segment.lab.journeys()] == ["accepted", "accepted", "duplicate"]


@pytest.mark.rule("segment.dedup")
def test_the_window_also_ends_after_a_number_of_ids(make_segment):
    segment = make_segment(dedup={"ids": 2})
    for number in (1, 2, 3):
        segment.send("track", **{**CALL, "messageId": f"m-{number}"})

    assert segment.send("track", **{**CALL, "messageId": "m-2"}).outcome == "duplicate"
    assert segment.send("track", **{**CALL, "messageId": "m-1"}).outcome == "accepted"


@pytest.mark.rule("segment.dedup")
def test_that_ids_age_out_early_is_noted_once(make_segment):
    segment = make_segment(dedup={"ids": 2})
    for number in range(5):
        segment.send("track", **{**CALL, "messageId": f"m-{number}"})

    notes = [finding.step for finding in segment.lab.findings(notes=True) if finding.step.rule == "segment.dedup"]
    assert [note.text for note in notes] == ["over 2 messageIds came within 24 hours: the oldest are forgotten"]


@pytest.mark.rule("segment.dedup")
def test_hours_of_zero_switch_deduplication_off(make_segment):
    segment = make_segment(dedup={"hours": 0})
    segment.send("track", **CALL)

    assert segment.send("track", **CALL).outcome == "accepted"


@pytest.mark.rule("segment.dedup")
def test_a_reset_forgets_every_id(segment):
    segment.send("track", **CALL)

    segment.lab.reset()

    assert segment.send("track", **CALL).outcome == "accepted"


@pytest.mark.rule("segment.message-id")
def test_a_call_without_a_message_id_gets_one_and_is_never_a_repeat(segment):
    first = segment.send("track", userId="u-1", event="E")
    second = segment.send("track", userId="u-1", event="E")

    assert (first.outcome, second.outcome) == ("accepted", "accepted")
    assert first.message["messageId"] != second.message["messageId"]


@pytest.mark.rule("segment.message-id")
def test_a_message_that_got_its_id_here_is_found_by_it(segment):
    made = segment.send("track", userId="u-1", event="E").message["messageId"]

    assert segment.lab.journey(made).message["event"] == "E"


@pytest.mark.rule("segment.message-id")
@pytest.mark.parametrize("given", [7, ["m-1"], True])
def test_a_message_id_that_is_no_text_counts_as_missing(segment, given):
    journey = segment.send("track", userId="u-1", event="E", messageId=given)

    assert journey.message["messageId"].startswith("trackside-")
    assert (journey.steps[-1].rule, journey.steps[-1].level) == ("segment.message-id", "note")


@pytest.mark.rule("segment.message-id")
@pytest.mark.parametrize("given", ["", None])
def test_an_empty_message_id_counts_as_missing(segment, given):
    journey = segment.send("track", userId="u-1", event="E", messageId=given)

    assert journey.message["messageId"].startswith("trackside-")
