"""What an expectation accepts: the vendor's words, values, counts, and waiting for what is still on its way."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from trackside.errors import TracksideError
from trackside.expect import ExpectationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trackside.lab import Lab

    Send = Callable[..., Any]


@pytest.mark.rule("launchdarkly.in.metric-value")
def test_launchdarkly_is_asked_for_key_user_and_value(trackside: Lab, send: Send) -> None:
    send("Checkout Completed", properties={"value": 42})
    record = trackside.launchdarkly.expect_event("Checkout Completed", user="user-1", value=42, data={"value": 42})
    assert record["key"] == "Checkout Completed"


def test_launchdarkly_is_asked_for_any_kind_of_context(trackside: Lab, post_to: Send) -> None:
    event = {"kind": "custom", "key": "Seen", "creationDate": 1, "contextKeys": {"organization": "o-1"}}
    post_to("launchdarkly", "/events/bulk/57be1db38b75bf0772d11384", [event])
    trackside.launchdarkly.expect_event("Seen", context={"organization": "o-1"}, environment="production")


@pytest.mark.rule("statsig.in.prefix")
def test_statsig_is_asked_for_user_id_custom_ids_and_metadata(trackside: Lab, send: Send) -> None:
    send("Sign Up", anonymousId="a-1", properties={"plan": "pro"})
    trackside.statsig.expect_event(
        "segment::Sign Up", user_id="user-1", custom_ids={"segmentAnonymousId": "a-1"}, metadata={"plan": "pro"}
    )


@pytest.mark.rule("statsig.in.environment")
def test_a_statsig_event_without_a_tier_is_found_as_production(trackside: Lab, send: Send) -> None:
    send("Sign Up")
    trackside.statsig.expect_event("segment::Sign Up", environment="production")


@pytest.mark.rule("split.in.event-type-spaces")
def test_split_is_asked_for_key_traffic_type_and_properties(trackside: Lab, send: Send) -> None:
    send("Sign Up", properties={"value": 3, "plan": "pro"})
    trackside.split.expect_event(
        "Sign_Up", key="user-1", traffic_type="user", value=3, environment="production", properties={"plan": "pro"}
    )


def test_split_is_asked_for_an_identity_and_its_attributes(trackside: Lab, post_to: Send) -> None:
    post_to(
        "segment", "/v1/identify", {"writeKey": "wk_web", "userId": "user-1", "traits": {"plan": "pro", "seats": 3}}
    )
    record = trackside.split.expect_identity("user-1", traffic_type="user", plan="pro")
    assert trackside.split.identities(key="user-1") == [record]
    assert trackside.split.events() == []


def test_segment_is_asked_for_the_messages_that_it_accepted(trackside: Lab, send: Send, post_to: Send) -> None:
    send("Sign Up", messageId="m-1")
    send("Sign Up", messageId="m-1")  # a repeat, dropped
    send("", messageId="m-2")  # discarded
    post_to("segment", "/v1/page", {"writeKey": "wk_web", "anonymousId": "a-1", "name": "Home"})
    assert [call.get("event") for call in trackside.segment.events(type="track")] == ["Sign Up"]
    trackside.segment.expect_event("Home", type="page", anonymous_id="a-1")


def test_a_name_is_that_of_a_launchdarkly_event_that_counts_in_metrics(trackside: Lab, post_to: Send) -> None:
    evaluated = {"kind": "feature", "key": "new-checkout", "creationDate": 1, "contextKeys": {"user": "u"}}
    post_to("launchdarkly", "/events/bulk/57be1db38b75bf0772d11384", [evaluated])
    trackside.launchdarkly.expect_none("new-checkout")
    trackside.launchdarkly.expect_event("new-checkout", kind="feature")
    assert len(trackside.launchdarkly.events()) == 1


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        (1, True),
        (1.0, True),
        ("1", False),
        (True, False),
        (None, False),
        (int, True),
        (str, False),
        (lambda value: value > 0, True),
        (lambda value: value > 5, False),
        (lambda value: value.startswith("1"), False),
    ],
    ids=["int", "float", "text", "true", "none", "type", "other type", "predicate", "false predicate", "bad predicate"],
)
def test_values_are_compared_as_json_has_them(trackside: Lab, send: Send, asked: Any, fits: bool) -> None:
    send("Sign Up", properties={"value": 1})
    assert bool(trackside.split.events(name="Sign_Up", value=asked)) is fits


def test_none_asks_that_there_be_no_value(trackside: Lab, send: Send) -> None:
    send("Sign Up")
    trackside.launchdarkly.expect_event("Sign Up", value=None)


def test_a_mapping_asks_only_for_the_keys_that_it_names(trackside: Lab, send: Send) -> None:
    send("Sign Up", properties={"cart": {"items": [{"sku": "a", "price": 1}], "coupon": "X"}})
    assert trackside.segment.events(properties={"cart": {"items": [{"sku": "a"}]}})
    assert not trackside.segment.events(properties={"cart": {"items": [{"sku": "b"}]}})
    assert not trackside.segment.events(properties={"cart": {"items": []}})


def test_where_reaches_every_field_of_a_record_by_its_own_name(trackside: Lab, send: Send) -> None:
    send("Sign Up", properties={"statsigCustomIDs": ["companyID", "c-1"]})
    trackside.statsig.expect_event("segment::Sign Up", where={"user.customIDs.companyID": "c-1"})
    trackside.statsig.expect_none("segment::Sign Up", where={"user.customIDs.companyID": "c-2"})


def test_an_unknown_keyword_is_an_error_that_names_the_known_ones(trackside: Lab) -> None:
    with pytest.raises(TracksideError) as caught:
        trackside.statsig.expect_event("segment::Sign Up", userid="user-1")
    assert caught.value.what == "'userid' is no keyword of statsig's event records"
    assert caught.value.fix.startswith("did you mean user_id? use name, user_id, custom_ids, ")


def test_an_expectation_waits_for_an_event_that_comes_later(trackside: Lab, send: Send) -> None:
    send("First")
    looked = threading.Event()

    def is_second(name: str) -> bool:
        looked.set()
        return name == "Second"

    later = threading.Thread(target=lambda: looked.wait(10) and send("Second"))
    later.start()
    trackside.split.expect_event(is_second, timeout=10)
    later.join()


@pytest.mark.rule("segment.delivery.retry")
def test_an_expectation_waits_for_a_retry_of_an_older_message(trackside: Lab, send: Send) -> None:
    trackside.split.fail(503, times=1)
    send("First")
    send("Second")
    looked = threading.Event()

    def is_first(name: str) -> bool:
        looked.set()
        return name == "First"

    later = threading.Thread(target=lambda: looked.wait(10) and trackside.advance(3600))
    later.start()
    trackside.split.expect_event(is_first, timeout=10)
    later.join()


def test_a_count_is_exact(trackside: Lab, send: Send) -> None:
    send("Sign Up")
    send("Sign Up")
    trackside.split.expect_event("Sign_Up", count=2)
    with pytest.raises(ExpectationError, match=r"^split kept 2 events with this, 1 expected:"):
        trackside.split.expect_event("Sign_Up", count=1)
    with pytest.raises(ExpectationError, match=r"^split kept 2 of 3 events with this, within 0 s:"):
        trackside.split.expect_event("Sign_Up", count=3, timeout=0)


def test_a_count_below_one_points_to_expect_none(trackside: Lab) -> None:
    with pytest.raises(TracksideError, match="use expect_none"):
        trackside.split.expect_event("Sign_Up", count=0)


def test_expect_none_passes_while_there_is_no_such_event(trackside: Lab, send: Send) -> None:
    trackside.split.expect_none()
    send("Sign Up")
    trackside.split.expect_none("Sign_Up", key="user-2")
    with pytest.raises(ExpectationError, match=r"^split was to keep no event with this:"):
        trackside.split.expect_none("Sign_Up")


def test_expect_none_counts_what_falls_due_before_it_looks(trackside: Lab, send: Send) -> None:
    trackside.split.fail(503, times=1)
    send("Sign Up")
    trackside.split.expect_none()
    trackside.advance(3600)
    with pytest.raises(ExpectationError):
        trackside.split.expect_none()


def test_expect_none_waits_for_what_is_under_way(make_trackside: Any, send_to: Send) -> None:
    lab = make_trackside(deliveries="http")
    send_to(lab, "Sign Up")
    with pytest.raises(ExpectationError):
        lab.split.expect_none()


def test_expect_only_wants_one_event_and_no_other(trackside: Lab, send: Send) -> None:
    send("Sign Up")
    assert trackside.split.expect_only("Sign_Up", key="user-1")["key"] == "user-1"
    send("Sign In")
    with pytest.raises(ExpectationError, match=r"(?s)^split was to keep only one event.*name = \"Sign_In\""):
        trackside.split.expect_only("Sign_Up")


def test_expect_no_findings_lists_each_one(trackside: Lab, send: Send) -> None:
    trackside.expect_no_findings()
    send("Sign Up", user="")
    with pytest.raises(ExpectationError) as caught:
        trackside.expect_no_findings()
    assert caught.value.what.startswith("no findings were expected")
    assert "segment.discard.id-not-string" in str(caught.value)


def test_notes_are_findings_only_where_they_are_asked_for(trackside: Lab, send: Send) -> None:
    send("Sign Up", anonymousId="a-1")
    trackside.expect_no_findings()
    with pytest.raises(ExpectationError, match=r"statsig\.in\.prefix"):
        trackside.expect_no_findings(notes=True)


def test_records_that_came_over_http_are_found_as_well(make_trackside: Any, send_to: Send) -> None:
    lab = make_trackside(deliveries="http")
    send_to(lab, "Sign Up")
    lab.split.expect_only("Sign_Up", key="user-1")
