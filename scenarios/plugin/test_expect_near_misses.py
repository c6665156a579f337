"""What a failing expectation tells: what was asked, what came nearest, and what became of the message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from trackside import workspace
from trackside.errors import TracksideError
from trackside.expect import ExpectationError, wait_for
from trackside.nearest import difference

if TYPE_CHECKING:
    from collections.abc import Callable

    from trackside.lab import Lab

    Send = Callable[..., Any]

NAME_IN_A_PROPERTY = {
    **workspace.DEMO,
    "split": {
        **workspace.DEMO["split"],
        "segment_inbound": [
            {"api_key": "fme-key", "environment": "production", "event_type_id": "properties.eventName"}
        ],
    },
}


def fails(expectation: Any, *args: Any, **match: Any) -> ExpectationError:
    with pytest.raises(ExpectationError) as caught:
        expectation(*args, timeout=0, **match)
    return caught.value


def test_the_nearest_record_is_compared_field_by_field(trackside: Lab, send: Send) -> None:
    send("Sign Up", messageId="m-1", properties={"value": 42, "plan": "free"})
    send("Sign In", messageId="m-2", user="user-2")
    error = fails(trackside.split.expect_event, "Sign_Up", key="user-1", value=43, properties={"plan": "pro"})
    assert str(error) == (
        "split kept no event with this, within 0 s:\n"
        '    name = "Sign_Up"\n'
        '    key = "user-1"\n'
        "    value = 43\n"
        '    properties = {"plan": "pro"}\n'
        "The nearest record, 2 of 4 fields as expected:\n"
        '    name = "Sign_Up"\n'
        '    key = "user-1"\n'
        "    value: expected 43, got 42 at $.value\n"
        '    properties.plan: expected "pro", got "free" at $.properties.plan\n'
        "What became of the message:\n"
        '    track "Sign Up" of user-1 (messageId m-1, source web)\n'
        "      split (fme-user): delivered\n"
        '        split renamed it: the event type "Sign Up" is stored as "Sign_Up" (split.in.event-type-spaces), '
        "at $.event. Look for the name with underscores."
    )


def test_its_parts_are_attributes(trackside: Lab, send: Send) -> None:
    send("Sign Up", messageId="m-1", properties={"value": 42})
    error = fails(trackside.split.expect_event, "Sign_Up", value=43)
    assert error.expected == {"name": "Sign_Up", "value": 43}
    assert error.nearest is not None
    assert error.nearest["value"] == 42
    assert [(field.name, field.at, field.expected, field.got) for field in error.differing] == [
        ("value", "$.value", 43, 42)
    ]
    assert [journey.get("messageId") for journey in error.journeys] == ["m-1"]
    assert isinstance(error, AssertionError)


@pytest.mark.trackside(workspace=NAME_IN_A_PROPERTY)
@pytest.mark.rule("split.in.event-type-required")
def test_a_drop_is_told_with_its_rule_and_what_to_do(trackside: Lab, send: Send) -> None:
    send("Sign Up")
    error = fails(trackside.split.expect_event, "Sign_Up", key="user-1")
    assert "split (fme-user): dropped" in str(error)
    assert "split dropped it: " in str(error)
    assert "(split.in.event-type-required), at $.properties.eventName. " in str(error)
    assert error.fix
    assert f"{error.fix[0].upper()}{error.fix[1:].rstrip('.')}." in str(error)


@pytest.mark.rule("segment.discard.id-not-string")
def test_a_message_that_segment_discarded_is_told(trackside: Lab, send: Send) -> None:
    send("Sign Up", user="")
    error = fails(trackside.split.expect_event, "Sign_Up")
    assert "segment dropped it: " in str(error)
    assert "(segment.discard.id-not-string)" in str(error)


@pytest.mark.rule("segment.dedup")
def test_a_repeat_is_told(trackside: Lab, send: Send) -> None:
    send("Sign Up", messageId="m-1")
    send("Sign Up", messageId="m-1")
    assert "(segment.dedup)" in str(fails(trackside.segment.expect_event, "Sign Up", count=2))


@pytest.mark.rule("segment.delivery.retry")
def test_a_delivery_that_waits_for_its_retry_says_how_far_to_move_the_clock(trackside: Lab, send: Send) -> None:
    trackside.split.fail(503, times=1)
    send("Sign Up")
    error = fails(trackside.split.expect_event, "Sign_Up")
    assert "split (fme-user): awaiting a retry that falls due in " in str(error)
    told = str(error).partition("advance(")[2].partition(")")[0]
    trackside.advance(int(told))
    trackside.split.expect_event("Sign_Up")


@pytest.mark.rule("segment.delivery.refused")
def test_a_delivery_that_was_refused_is_told(trackside: Lab, send: Send) -> None:
    trackside.split.fail(403, times=1)
    send("Sign Up")
    error = fails(trackside.split.expect_event, "Sign_Up")
    assert "split (fme-user): failed" in str(error)
    assert "segment found a fault: the destination refused the message for good: status 403" in str(error)
    assert "(segment.delivery.refused)" in str(error)


@pytest.mark.trackside(
    workspace={"segment": {"sources": {"web": {"write_key": "wk_web", "destinations": []}}, "destinations": {}}}
)
def test_a_source_that_feeds_no_such_destination_is_told(trackside: Lab, send: Send) -> None:
    send("Sign Up")
    error = fails(trackside.split.expect_event, "Sign_Up")
    assert "the source web feeds no split destination. Name one in segment.sources.web.destinations." in str(error)


@pytest.mark.trackside(workspace={**workspace.DEMO, "accept_any_key": False})
@pytest.mark.rule("segment.write-key.unknown")
def test_an_unknown_write_key_is_told(trackside: Lab, send: Send) -> None:
    send("Sign Up", writeKey="wk_wrong")
    error = fails(trackside.split.expect_event, "Sign_Up")
    assert "POST /v1/track to segment, answered 200" in error.remarks
    assert "(segment.write-key.unknown)" in str(error)


def test_a_path_that_does_not_exist_is_told(trackside: Lab, post_to: Send) -> None:
    post_to("segment", "/v2/track", {})
    assert "POST /v2/track does not exist here" in str(fails(trackside.split.expect_event, "Sign_Up"))


def test_an_event_that_launchdarkly_drops_from_a_post_of_its_own_is_told(trackside: Lab, post_to: Send) -> None:
    post_to("launchdarkly", "/events/bulk/57be1db38b75bf0772d11384", [{"kind": "custom", "key": "Sign Up"}])
    error = fails(trackside.launchdarkly.expect_event, "Sign Up")
    assert "(launchdarkly.events.required-field)" in str(error)


def test_nothing_at_all_asks_to_flush_and_names_the_host(trackside: Lab) -> None:
    error = fails(trackside.split.expect_event, "Sign_Up")
    assert error.remarks == [
        (
            "Nothing has come to the lab. Flush the SDK before asserting, and point its host at "
            f"{trackside.segment.url} or {trackside.split.url}."
        )
    ]


def test_requests_without_a_record_are_named(trackside: Lab, post_to: Send) -> None:
    post_to("split", "/api/v1/metrics/config", {})
    remark = fails(trackside.split.expect_event, "Sign_Up").remarks[0]
    assert remark.startswith('1 requests have come, no message and no record: "POST /api/v1/metrics/config" (1).')


def test_other_events_are_named_where_none_is_near(trackside: Lab, send: Send) -> None:
    send("Page Scrolled")
    send("Page Scrolled")
    error = fails(trackside.split.expect_event, "Checkout", key="user-9")
    assert error.nearest is None
    assert error.remarks == [
        'split keeps 2 other records: "Page_Scrolled" (2).',
        'Segment got 2 messages, none with this name or id: "Page Scrolled" (2).',
    ]


@pytest.mark.parametrize(
    ("got", "differs"),
    [
        ("checkout completed", "upper or lower case"),
        ("Checkout_Completed", "blanks or underscores"),
        ("CheckoutCompleted", "blanks or underscores"),
        (" Checkout Completed", "blanks or underscores"),
        ("segment::Checkout Completed", 'the prefix "segment::"'),
        (
            "segment_track:checkout_completed",
            'the prefix "segment_track:" and blanks or underscores and upper or lower case',
        ),
        ("Checkout Started", ""),
        ("Checkout Completed", ""),
    ],
)
def test_two_spellings_of_a_name_are_told_apart(got: str, differs: str) -> None:
    assert difference("Checkout Completed", got) == differs


@pytest.mark.rule("statsig.in.prefix")
def test_a_name_that_is_spelt_otherwise_is_hinted_at(trackside: Lab, send: Send) -> None:
    send("Sign Up")
    error = fails(trackside.statsig.expect_event, "Sign Up")
    assert 'statsig keeps "segment::Sign Up": it differs from "Sign Up" by the prefix "segment::".' in error.remarks


def test_a_name_with_a_slip_of_the_pen_is_hinted_at(trackside: Lab, send: Send) -> None:
    send("Checkout Completed")
    error = fails(trackside.launchdarkly.expect_event, "Chekout Completed")
    assert 'launchdarkly keeps "Checkout Completed": was that meant?' in error.remarks


def test_the_dropped_message_comes_before_those_that_arrived(trackside: Lab, send: Send) -> None:
    send("Sign Up", messageId="m-1")
    trackside.split.fail(403, times=1)
    send("Sign Up", messageId="m-2")
    send("Sign Up", messageId="m-3")
    error = fails(trackside.split.expect_event, "Sign_Up", count=3)
    assert [journey.get("messageId") for journey in error.journeys] == ["m-2", "m-3", "m-1"]


def test_the_message_of_the_user_that_is_asked_for_comes_before_those_of_others(trackside: Lab, send: Send) -> None:
    trackside.split.fail(403, times=1)
    send("Sign Up", messageId="m-1", user="user-1")
    send("Sign Up", messageId="m-2", user="user-2")
    error = fails(trackside.split.expect_event, "Sign_Up", key="user-1")
    assert [journey.get("messageId") for journey in error.journeys] == ["m-1"]


def test_a_message_of_the_same_user_is_near_where_no_name_is(trackside: Lab, post_to: Send, send: Send) -> None:
    send("Other", user="user-2", messageId="m-1")
    post_to(
        "segment", "/v1/identify", {"writeKey": "wk_web", "userId": "user-1", "messageId": "m-2", "traits": {"a": 1}}
    )
    error = fails(trackside.split.expect_identity, "user-1", plan="pro")
    assert [journey.get("messageId") for journey in error.journeys] == ["m-2"]
    assert [field.name for field in error.differing] == ["values.plan"]


def test_a_predicate_that_cannot_take_the_value_says_so(trackside: Lab, send: Send) -> None:
    send("Sign Up")
    error = fails(trackside.split.expect_event, "Sign_Up", value=lambda value: value > 3)
    assert "value: expected what the predicate accepts, got null at $.value, which the predicate cannot take" in str(
        error
    )


def test_an_event_that_should_not_be_there_is_shown_with_its_message(trackside: Lab, send: Send) -> None:
    send("Sign Up", messageId="m-1")
    with pytest.raises(ExpectationError) as caught:
        trackside.split.expect_none("Sign_Up")
    assert 'name = "Sign_Up", key = "user-1", traffic_type = "user", environment = "production"' in str(caught.value)
    assert 'track "Sign Up" of user-1 (messageId m-1, source web)' in str(caught.value)
    assert [record["foreignId"] for record in caught.value.unwanted] == ["m-1"]


def test_messages_that_were_evicted_end_every_claim_about_all_of_them(make_trackside: Any, send_to: Send) -> None:
    lab = make_trackside(limit=1)
    send_to(lab, "Sign Up")
    send_to(lab, "Sign In")
    lab.split.expect_event("Sign_In")
    assert "(1 evicted)" in str(fails(lab.split.expect_event, "Sign_Up"))
    for claim in (lab.split.expect_none, lab.split.events, lab.expect_no_findings):
        with pytest.raises(TracksideError, match=r"1 evicted"):
            claim()


def test_the_control_api_waits_by_the_same_words(trackside: Lab, send: Send) -> None:
    send("Sign Up")
    answer = wait_for(trackside, "split", {"name": "Sign_Up", "key": "user-1"}, count=1, timeout=0)
    assert [record["key"] for record in answer["matched"]] == ["user-1"]
    with pytest.raises(TracksideError, match='it differs from "Sign Up" by blanks or underscores'):
        wait_for(trackside, "split", {"name": "Sign Up"}, count=1, timeout=0)
