"""Segment's Event Tester: one real event to one destination, and what was sent, answered and matched."""

import pytest

from trackside.errors import TracksideError

WORKSPACE = {
    "segment": {
        "sources": {"web": {"write_key": "wk_web", "destinations": ["statsig", "fme", "ld"]}},
        "destinations": {
            "statsig": {"type": "statsig", "api_key": "secret-local"},
            "fme": {"type": "split", "api_key": "fme-key"},
            "ld": {"type": "launchdarkly", "client_side_id": "57be1db38b75bf0772d11384"},
        },
    },
    "statsig": {"server_secret": "secret-local"},
    "split": {
        "environments": {"production": {"sdk_key": "sdk-local-0123456789"}},
        "segment_inbound": [{"api_key": "fme-key", "environment": "production", "identities": {"userId": "user"}}],
    },
    "launchdarkly": {"environments": {"production": {"client_side_id": "57be1db38b75bf0772d11384"}}},
}
TRACK = {"type": "track", "event": "Order Completed", "userId": "u-1"}


@pytest.fixture
def make_lab(changed_lab):
    """Return a function that makes a lab, some destinations of which are changed."""
    return lambda options=None, **changed: changed_lab(WORKSPACE, changed, **(options or {}))


@pytest.fixture
def lab(make_lab):
    return make_lab()


def found(lab, **which):
    return [(finding.step.level, finding.step.rule) for finding in lab.findings(**which)]


# ---- what it shows


@pytest.mark.rule("segment.event-tester")
def test_it_shows_the_request_and_the_answer(lab):
    tested = lab.segment.test_event("statsig", TRACK).as_json()

    assert tested["outcome"] == "delivered"
    [sent] = tested["requests"]
    assert sent["request"]["url"] == "https://api.statsig.com/v1/webhooks/segment_webhook"
    assert sent["request"]["body"]["event"] == "Order Completed"
    [attempt] = sent["attempts"]
    assert (attempt["status"], attempt["answer"]) == (200, {"success": True})


@pytest.mark.rule("segment.event-tester")
def test_credentials_are_redacted(lab):
    [sent] = lab.segment.test_event("statsig", TRACK).as_json()["requests"]

    assert sent["request"]["headers"]["Authorization"] == "Basic c2Vj…"


@pytest.mark.rule("segment.event-tester")
def test_a_key_in_a_header_of_a_webhooks_own_is_redacted(make_lab):
    hook = {"type": "webhook", "url": "http://127.0.0.1:9/hook", "headers": {"X-Api-Key": "key-of-hook", "X-Team": "a"}}

    [sent] = make_lab(hook=hook).segment.test_event("hook", TRACK).as_json()["requests"]

    headers = {name.lower(): value for name, value in sent["request"]["headers"].items()}
    assert (headers["x-api-key"], headers["x-team"]) == ("key-…", "a")


@pytest.mark.rule("segment.event-tester")
@pytest.mark.parametrize("levels", [246, 248, 250, 251])
def test_an_event_with_as_many_levels_as_segment_takes_is_sent(lab, levels):
    nested = 1
    for _ in range(levels):
        nested = [nested]

    tested = lab.segment.test_event("statsig", {**TRACK, "properties": {"deep": nested}})

    assert tested.outcome == "delivered"


@pytest.mark.rule("segment.event-tester")
def test_the_vendor_keeps_the_event_as_any_other(lab):
    tested = lab.segment.test_event("statsig", TRACK)

    lab.statsig.expect_only("segment::Order Completed", user_id="u-1")
    assert tested.requests[0].records == lab.statsig.events()
    assert [row.request.path for row in lab.exchanges("statsig")] == ["/v1/webhooks/segment_webhook"]


@pytest.mark.rule("segment.event-tester.off")
def test_it_is_none_of_segments_messages(lab):
    lab.segment.test_event("statsig", TRACK)

    assert lab.segment.events() == []
    assert list(lab.journeys()) == []
    assert lab.exchanges("segment") == []


@pytest.mark.rule("segment.event-tester")
def test_it_goes_to_the_one_destination_only(lab):
    lab.segment.test_event("fme", TRACK)

    assert (len(lab.split.events()), lab.statsig.events(), lab.launchdarkly.events()) == (1, [], [])


@pytest.mark.rule("segment.event-tester", "segment.mappings")
def test_it_says_of_each_mapping_whether_it_matched_and_why_not(make_lab):
    rows = [
        {"action": "trackEvent"},
        {"action": "aliasUser"},
        {"action": "trackEvent", "name": "Twice", "enabled": False},
    ]
    tested = make_lab(ld={"mappings": rows}).segment.test_event("ld", TRACK)

    assert [(row.mapping, row.matched, row.why) for row in tested.mappings] == [
        ("Track Event", True, ""),
        ("Alias User", False, "its trigger does not match this event"),
        ("Twice", False, "it is switched off"),
    ]
    assert [sent.mapping for sent in tested.requests] == ["Track Event"]


@pytest.mark.rule("segment.event-tester", "segment.mappings")
def test_an_event_that_several_mappings_match_makes_a_request_for_each(make_lab):
    rows = [{"action": "trackEvent"}, {"action": "trackEvent", "name": "Every call", "trigger": 'type != ""'}]
    tested = make_lab(ld={"mappings": rows}).segment.test_event("ld", TRACK)

    assert [sent.mapping for sent in tested.requests] == ["Track Event", "Every call"]
    assert [len(sent.records) for sent in tested.requests] == [1, 1]


@pytest.mark.rule("segment.event-tester", "segment.fields.invalid")
def test_a_mapping_that_matched_and_sent_nothing_says_why(lab):
    tested = lab.segment.test_event("ld", {**TRACK, "properties": {"value": "much"}})

    assert (tested.outcome, tested.requests) == ("dropped", [])
    assert tested.mappings[0].matched
    assert tested.mappings[0].why == "it matched, and sent nothing: Metric Value must be a number but it was a string."


@pytest.mark.rule("segment.event-tester", "launchdarkly.in.other-calls")
def test_an_event_that_no_mapping_matches_is_shown_with_the_reason(lab):
    tested = lab.segment.test_event("ld", {"type": "page", "name": "Home", "userId": "u-1"})

    assert (tested.outcome, tested.requests) == ("dropped", [])
    assert tested.steps[-1].code == "NO_MATCHING_MAPPING"
    assert [row.matched for row in tested.mappings] == [False, False]


# ---- the event


@pytest.mark.rule("segment.event-tester.off", "segment.timestamp", "segment.message-id")
def test_it_gets_a_message_id_and_times_as_ingest_gives_them(lab):
    message = lab.segment.test_event("statsig", {**TRACK, "timestamp": "2026-01-01T00:00:00Z"}).message

    assert message["messageId"].startswith("trackside-test-")
    assert (message["timestamp"], message["originalTimestamp"], message["receivedAt"]) == (
        "2026-01-01T00:00:00.000Z",
        "2026-01-01T00:00:00Z",
        "2026-01-02T03:00:00.000Z",
    )


@pytest.mark.rule("segment.event-tester.off")
def test_a_message_of_segments_keeps_its_id_and_its_timestamp(lab, segment_track):
    segment_track(lab, messageId="m-1", timestamp="2026-01-01T00:00:00Z", sentAt="2026-01-01T00:00:01Z")
    [message] = lab.segment.events()

    tested = lab.segment.test_event("statsig", message)

    assert tested.message["messageId"] == "m-1"
    assert tested.message["timestamp"] == message["timestamp"]
    assert lab.segment.test_event("statsig", lab.journey("m-1")).message["timestamp"] == message["timestamp"]


@pytest.fixture
def segment_track():
    """Return a function that sends one track call to a lab's Segment."""
    import json

    from trackside.wire import Request

    def send(lab, **fields):
        body = json.dumps({"writeKey": "wk_web", **TRACK, **fields}).encode()
        lab.receive("segment", Request("POST", "/v1/track", {}, body))

    return send


@pytest.mark.rule("segment.event-tester.off", "segment.discard.event")
def test_an_event_that_ingest_would_discard_is_shown_as_discarded(lab):
    tested = lab.segment.test_event("statsig", {"type": "track", "userId": "u-1"})

    assert (tested.outcome, tested.requests, tested.message) == ("discarded", [], None)
    assert tested.steps[0].rule == "segment.discard.event"
    assert lab.exchanges("statsig") == []


@pytest.mark.rule("segment.event-tester.off")
def test_a_call_without_a_type_is_discarded_as_one_of_a_batch_would_be(lab):
    assert lab.segment.test_event("statsig", {"event": "A", "userId": "u-1"}).outcome == "discarded"


@pytest.mark.rule("segment.event-tester.off", "segment.limit.event-size-in-batch")
def test_an_event_over_the_limit_is_discarded(lab):
    tested = lab.segment.test_event("statsig", {**TRACK, "properties": {"text": "x" * 40_000}})

    assert [step.rule for step in tested.steps] == ["segment.limit.event-size-in-batch"]


@pytest.mark.rule("segment.event-tester", "split.in.unsupported")
def test_a_call_type_that_the_vendor_refuses_is_told_by_the_vendor_alone(lab):
    tested = lab.segment.test_event("fme", {"type": "alias", "userId": "u-1", "previousId": "a-1"})

    assert (tested.outcome, tested.requests[0].attempts[0].status) == ("failed", 501)
    assert found(lab) == [("warning", "split.in.unsupported")]


@pytest.mark.rule("segment.event-tester", "split.contract")
def test_what_breaks_the_contract_of_the_request_is_told(lab):
    tested = lab.segment.test_event("fme", {**TRACK, "context": "none"})

    assert [step.rule for step in tested.requests[0].attempts[0].steps] == ["split.contract"]
    assert ("error", "split.contract") in found(lab)


@pytest.mark.rule("segment.event-tester", "segment.unsupported-type")
def test_a_call_type_that_the_catalogue_does_not_list_is_discarded_where_it_decides(make_lab):
    lab = make_lab()
    lab.configure({**WORKSPACE, "segment": {**WORKSPACE["segment"], "catalog_methods": "enforce"}})

    tested = lab.segment.test_event("fme", {"type": "page", "name": "Home", "userId": "u-1"})

    assert (tested.outcome, tested.steps[-1].code) == ("dropped", "UNSUPPORTED_EVENT_TYPE")


# ---- what does not keep it back


@pytest.mark.rule("segment.event-tester")
def test_destination_filters_do_not_apply(make_lab):
    filters = [{"title": "nothing", "if": "all", "actions": [{"type": "drop"}]}]
    lab = make_lab(statsig={"filters": filters})

    tested = lab.segment.test_event("statsig", TRACK)

    assert tested.outcome == "delivered"
    assert "the filters of statsig are not applied to test events" in [step.text for step in tested.steps]


@pytest.mark.rule("segment.event-tester.off")
def test_the_destination_may_be_switched_off(make_lab):
    tested = make_lab(statsig={"enabled": False}).segment.test_event("statsig", TRACK)

    assert tested.outcome == "delivered"
    assert tested.steps[-1].text == "the destination statsig is switched off, and gets test events all the same"


@pytest.mark.rule("segment.event-tester.off")
def test_the_integrations_object_does_not_keep_it_back(lab):
    tested = lab.segment.test_event("statsig", {**TRACK, "integrations": {"All": False}})

    assert tested.outcome == "delivered"
    assert tested.steps[-1].at == "$.integrations.All"


# ---- what goes wrong


@pytest.mark.rule("segment.event-tester", "statsig.in.auth")
def test_a_wrong_key_is_seen_in_the_answer_and_told_once(make_lab):
    lab = make_lab(statsig={"api_key": "stale"})

    tested = lab.segment.test_event("statsig", TRACK)

    assert (tested.outcome, tested.requests[0].attempts[0].status) == ("failed", 401)
    assert found(lab) == [("error", "statsig.in.auth")]


@pytest.mark.rule("segment.event-tester.off", "segment.delivery.refused")
@pytest.mark.parametrize(("fault", "seen"), [({"status": 503}, (503, "")), ({"error": "ETIMEDOUT"}, (0, "ETIMEDOUT"))])
def test_a_vendor_that_is_down_is_shown_and_not_tried_again(lab, fault, seen):
    lab.statsig.fail(**fault)

    tested = lab.segment.test_event("statsig", TRACK)

    [attempt] = tested.requests[0].attempts
    assert ((attempt.status, attempt.error), attempt.due) == (seen, None)
    assert found(lab) == [("error", "segment.delivery.refused")]
    lab.advance(5 * 3600)
    assert lab.statsig.events() == []


@pytest.mark.rule("segment.event-tester", "segment.delivery.refused")
def test_a_webhook_that_nobody_answers_is_shown(make_lab):
    lab = make_lab(hook={"type": "webhook", "url": "http://127.0.0.1:9/hook"})

    tested = lab.segment.test_event("hook", TRACK)

    assert (tested.outcome, tested.requests[0].attempts[0].error) == ("failed", "ECONNREFUSED")
    assert found(lab) == [("error", "segment.delivery.refused")]


@pytest.mark.rule("segment.event-tester", "segment.fields.invalid")
def test_what_the_mapping_found_is_told_once(lab):
    lab.segment.test_event("ld", {**TRACK, "properties": {"value": "much"}})

    assert found(lab) == [("warning", "launchdarkly.in.metric-value")]


@pytest.mark.rule("segment.event-tester")
def test_a_destination_that_is_not_there_is_an_error_with_those_that_are(lab):
    with pytest.raises(TracksideError) as caught:
        lab.segment.test_event("amplitude", TRACK)

    assert caught.value.what == "there is no destination 'amplitude'"
    assert caught.value.fix == "declared are: statsig, fme, ld"


@pytest.mark.rule("segment.event-tester")
@pytest.mark.parametrize(
    "event", ["Order Completed", ["track"], None, 1, {"type": "track", "properties": {"at": object()}}]
)
def test_an_event_that_is_no_json_object_is_an_error_in_three_clauses(lab, event):
    with pytest.raises(TracksideError) as caught:
        lab.segment.test_event("statsig", event)

    assert (caught.value.where, bool(caught.value.fix)) == ("$.event", True)
    assert lab.exchanges() == []


@pytest.mark.rule("segment.event-tester", "segment.protocols.forwarded")
def test_a_workspace_that_forwards_violations_does_not_mind(make_lab):
    lab = make_lab()
    sources = {
        "web": {"write_key": "wk_web", "tracking_plan": "plan", "schema": {"forwarding_violations_to": "bad"}},
        "bad": {"write_key": "wk_bad"},
    }
    plans = {"plan": {"rules": []}}
    lab.configure({**WORKSPACE, "segment": {**WORKSPACE["segment"], "sources": sources, "tracking_plans": plans}})

    assert lab.segment.test_event("statsig", TRACK).outcome == "delivered"
    assert list(lab.journeys()) == []
    assert lab.errors == []


# ---- over HTTP, and after a restart


@pytest.mark.rule("segment.event-tester", "split.in.unnamed")
@pytest.mark.parametrize("deliveries", ["direct", "http"])
def test_it_is_the_same_where_deliveries_go_over_http(make_lab, deliveries):
    lab = make_lab({"deliveries": deliveries}).start()

    tested = lab.segment.test_event("fme", {"type": "page", "userId": "u-1"})

    assert (tested.outcome, tested.requests[0].attempts[0].status) == ("dropped", 200)
    assert len(lab.exchanges("split")) == 1
    assert [rule for _, rule in found(lab)] == ["split.in.unnamed"]
    lab.segment.test_event("fme", TRACK)
    lab.split.expect_only("Order_Completed")


@pytest.mark.rule("segment.event-tester")
def test_what_the_vendor_kept_of_it_survives_a_restart(make_lab, tmp_path):
    options = {"data": tmp_path / "lab.sqlite"}
    lab = make_lab(options, statsig={"api_key": "secret-local"})
    lab.segment.test_event("statsig", TRACK)
    lab.segment.test_event("ld", {**TRACK, "properties": {"value": "much"}})
    before = found(lab, notes=True)
    lab.stop()

    again = make_lab(options)

    assert len(again.statsig.events()) == 1
    assert found(again, notes=True) == before
