"""Forwarding: violations as calls of their own, blocked events into another source, and why neither circles."""

import json

import pytest

from trackside import catalog
from trackside.delivery import Fault
from trackside.lab import Lab
from trackside.wire import Request

NOW = 1767322800.0

RULE = {
    "type": "TRACK",
    "key": "Order Completed",
    "jsonSchema": {
        "properties": {"properties": {"required": ["products"], "properties": {"total": {"type": "integer"}}}}
    },
}
EVERYTHING = {"type": "COMMON", "jsonSchema": {"required": ["never"]}}
BAD = {"userId": "u-1", "event": "Order Completed", "messageId": "m-1", "properties": {"total": "x"}}
BOTH = {"forwarding_violations_to": "violations", "forwarding_blocked_events_to": "blocked"}


@pytest.fixture
def forwarding(make_segment):
    """Return a function that makes a Segment whose source web forwards as its schema settings say."""

    def make(_target=None, **schema):
        plans = {"Acme": {"rules": [RULE]}, "All": {"rules": [EVERYTHING]}}
        web = {"write_key": "wk_web", "destinations": ["statsig"], "tracking_plan": "Acme", "schema": schema}
        target = {"destinations": ["statsig"], **(_target or {})}
        sources = {
            "web": {**web, "name": "Web shop"},
            "violations": {"write_key": "wk_violations", **target},
            "blocked": {"write_key": "wk_blocked", **target},
        }
        return make_segment(sources=sources, tracking_plans=plans)

    return make


def calls_at(segment, source):
    return [journey.call for journey in segment.lab.journeys() if journey.exchange.intake.source == source]


# ---- violations


@pytest.mark.rule("segment.protocols.forward")
def test_each_violation_becomes_a_call_into_the_other_source(forwarding):
    segment = forwarding(forwarding_violations_to="violations")
    segment.send("track", **BAD, timestamp="2026-01-02T02:59:00.000Z", sentAt="2026-01-02T03:00:00.000Z")

    first, second = calls_at(segment, "violations")
    assert (first["event"], first["userId"]) == ("Violation Generated", "schema-violations")
    assert second["properties"]["violationType"] == "Invalid Type"
    told = first["properties"]
    assert (told["violationType"], told["violationField"]) == ("Required", "properties.products")
    assert (told["eventMessageID"], told["eventName"], told["eventType"]) == ("m-1", "Order Completed", "track")
    assert (told["sourceName"], told["sourceSlug"], told["trackingPlanName"]) == ("Web shop", "web", "Acme")
    assert told["eventTimestamp"] == "2026-01-02T02:59:00.000Z"


@pytest.mark.rule("segment.protocols.forward")
def test_a_forwarded_violation_keeps_its_contract(forwarding):
    segment = forwarding(forwarding_violations_to="violations")
    segment.send("track", **BAD, context={"app": {"version": "1.2"}})

    for call in calls_at(segment, "violations"):
        assert catalog.faults("segment/violation-generated", call) == []
        assert call["properties"]["appVersion"] == "1.2"


@pytest.mark.rule("segment.protocols.forward")
def test_a_forwarded_violation_goes_to_the_destinations_of_its_source(forwarding):
    segment = forwarding(forwarding_violations_to="violations")
    segment.send("track", **BAD)

    forwarded = segment.lab.statsig.events(name="segment::Violation Generated")
    assert len(forwarded) == 2


@pytest.mark.rule("segment.protocols.forward")
def test_a_forwarded_violation_names_the_request_that_it_was_made_of(forwarding):
    segment = forwarding(forwarding_violations_to="violations")
    segment.send("track", **BAD)

    origins = {journey.call["event"]: journey.origin for journey in segment.lab.journeys()}
    assert origins["Order Completed"] is None
    assert str(origins["Violation Generated"]).startswith("made by segment of POST /v1/track")


@pytest.mark.rule("segment.protocols.forward")
def test_a_message_without_violations_makes_no_call(forwarding):
    segment = forwarding(**BOTH)
    segment.send("track", **{**BAD, "properties": {"products": []}})

    assert [journey.call["event"] for journey in segment.lab.journeys()] == ["Order Completed"]


@pytest.mark.rule("segment.protocols.forward")
def test_a_repeat_is_not_forwarded_again(forwarding):
    segment = forwarding(**BOTH)
    segment.send("track", **BAD)
    segment.send("track", **BAD)

    assert len(calls_at(segment, "violations")) == 2


@pytest.mark.rule("segment.protocols.forward")
def test_a_journey_says_that_violations_are_forwarded(forwarding):
    segment = forwarding(forwarding_violations_to="violations")
    segment.send("track", **BAD)

    steps = segment.lab.journey("m-1").steps
    assert steps[-1].text == "2 violations are forwarded to the source violations"


# ---- blocked events


@pytest.mark.rule("segment.protocols.forward-blocked")
def test_a_blocked_event_goes_into_the_other_source_under_a_messageid_of_its_own(forwarding):
    segment = forwarding(forwarding_blocked_events_to="blocked", track={"allow_event_on_violations": False})
    segment.send("track", **BAD)

    [call] = calls_at(segment, "blocked")
    assert (call["event"], call["userId"], call["properties"]) == ("Order Completed", "u-1", {"total": "x"})
    assert call["messageId"].startswith("sch-")
    assert len(segment.lab.statsig.events(name="segment::Order Completed", user_id="u-1")) == 1


@pytest.mark.rule("segment.protocols.forward-blocked")
def test_a_blocked_event_keeps_its_time(forwarding):
    segment = forwarding(forwarding_blocked_events_to="blocked", track={"allow_event_on_violations": False})
    segment.send("track", **BAD, timestamp="2026-01-02T02:00:00.000Z", sentAt="2026-01-02T03:00:00.000Z")

    assert (
        segment.lab.journey(calls_at(segment, "blocked")[0]["messageId"]).message["timestamp"]
        == "2026-01-02T02:00:00.000Z"
    )


@pytest.mark.rule("segment.protocols.forward-blocked")
def test_an_event_whose_properties_were_omitted_is_not_forwarded(forwarding):
    segment = forwarding(forwarding_blocked_events_to="blocked", track={"allow_properties_on_violations": False})
    segment.send("track", **BAD)

    assert calls_at(segment, "blocked") == []


# ---- no circles, no losses


@pytest.mark.rule("segment.protocols.forwarded")
def test_what_was_forwarded_meets_no_tracking_plan_again(forwarding):
    target = {"tracking_plan": "All", "schema": {**BOTH, "track": {"common_event_on_violations": "BLOCK"}}}
    segment = forwarding(target, **BOTH, track={"allow_event_on_violations": False})
    segment.send("track", **BAD)

    assert [(journey.exchange.intake.source, journey.outcome) for journey in segment.lab.journeys()] == [
        ("web", "blocked"),
        ("violations", "accepted"),
        ("violations", "accepted"),
        ("blocked", "accepted"),
    ]


@pytest.mark.rule("segment.protocols.forwarded")
def test_a_client_cannot_pass_for_forwarded(forwarding):
    segment = forwarding({"tracking_plan": "All"})
    body = {"userId": "u-1", "event": "E", "forwardedFromProject": "x"}
    segment.post("/v1/track", body, key="wk_blocked", user_agent="Segment.io/1.0 (protocols)")

    assert next(segment.lab.journeys()).verdict.violations


@pytest.mark.rule("segment.out.retry")
def test_a_call_that_segment_does_not_take_is_handed_to_it_again(forwarding):
    segment = forwarding(forwarding_violations_to="violations")
    with segment.lab.lock:  # until the fault is there, nothing is forwarded
        segment.post("/v1/track", BAD)
        segment.lab.segment.faults.append(Fault(503))  # `fail` would let it be forwarded first
    segment.lab.settle()

    assert calls_at(segment, "violations") == []
    assert "segment.out.retry" in [one.step.rule for one in segment.lab.findings()]
    segment.lab.advance(60)
    assert len(calls_at(segment, "violations")) == 2


@pytest.mark.rule("segment.out.refused")
def test_a_call_that_segment_refuses_for_good_is_a_finding(forwarding):
    segment = forwarding(forwarding_violations_to="violations")
    with segment.lab.lock:
        segment.post("/v1/track", BAD)
        segment.lab.segment.faults.append(Fault(400))
    segment.lab.settle()

    told = [(one.step.rule, one.step.level) for one in segment.lab.findings()]
    assert ("segment.out.refused", "error") in told


@pytest.mark.rule("segment.protocols.forward", "segment.protocols.forward-blocked")
def test_forwarding_works_over_http_as_inside_the_lab(forwarding):
    inside = forwarding(**BOTH, track={"allow_event_on_violations": False})
    over_http = Lab(inside.lab.workspace.document, start_at=NOW, deliveries="http")
    with over_http:
        for lab in (inside.lab, over_http):
            lab.receive(
                "segment", Request("POST", "/v1/track", body=json.dumps({**BAD, "writeKey": "wk_web"}).encode())
            )
        over_http.settle()

        assert sorted(map(told, over_http.journeys()), key=str) == sorted(map(told, inside.lab.journeys()), key=str)


@pytest.mark.rule("segment.protocols.forward")
def test_what_was_not_yet_forwarded_is_forwarded_after_a_restart(forwarding, tmp_path):
    document = forwarding(**BOTH).lab.workspace.document
    lab = Lab(document, start_at=NOW, data=tmp_path / "journal.sqlite")
    lab.segment.exportable = lambda *_given: []  # as if the process had ended before
    lab.receive("segment", Request("POST", "/v1/track", body=json.dumps({**BAD, "writeKey": "wk_web"}).encode()))
    lab.stop()

    again = Lab(document, start_at=NOW, data=tmp_path / "journal.sqlite")

    assert [journey.call["event"] for journey in again.journeys()][1:] == ["Violation Generated"] * 2
    again.stop()


def told(journey):
    call = {name: value for name, value in journey.call.items() if name != "writeKey"}
    return journey.exchange.intake.source, journey.outcome, call
