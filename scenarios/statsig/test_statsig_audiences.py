"""Segment's Engage audiences in Statsig: an identify call lets its user enter or leave the ID list of that key."""

from __future__ import annotations

import base64
import json

import pytest

from trackside.explain import explain
from trackside.lab import Lab
from trackside.statsig.audiences import memberships
from trackside.wire import Request

NOW = 1767322800.0
WORKSPACE = {
    "segment": {
        "sources": {"web": {"write_key": "wk_web", "destinations": ["statsig"]}},
        "destinations": {"statsig": {"type": "statsig", "api_key": "secret-local"}},
        "audiences": {
            "big_spenders": {"destinations": ["statsig"]},
            "big_spender": {"destinations": ["statsig"]},
            "companies": {"destinations": ["statsig"]},
        },
    },
    "statsig": {
        "server_secret": "secret-local",
        "console_key": "console-local",
        "id_types": ["companyID"],
        "gates": {"vip": {"if": {"passes_segment": "big_spenders"}}},
        "id_lists": {"big_spenders": ["u-0"], "companies": {"ids": [], "id_type": "companyID"}},
    },
}


def personas(key):
    return {"personas": {"computation_class": "audience", "computation_id": "aud_1", "computation_key": key}}


ENTERS = {
    "type": "identify",
    "userId": "u-1",
    "traits": {"big_spenders": True},
    "context": personas("big_spenders"),
}


def with_inbound(**inbound):
    """Return the workspace with other settings of the incoming side."""
    return {**WORKSPACE, "statsig": {**WORKSPACE["statsig"], "segment_inbound": inbound}}


@pytest.fixture
def made():
    """Return a function that makes a lab whose clock stands still; stopped at the end."""
    labs = []

    def make(workspace=WORKSPACE, **options):
        labs.append(Lab(workspace, **{"start_at": NOW, **options}))
        return labs[-1]

    yield make
    for lab in labs:
        lab.stop()


def post(lab, call, path="/v1/webhooks/segment", key="secret-local"):
    """Post a call straight to Statsig, and return the answer's status."""
    head = {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
    return lab.receive("statsig", Request("POST", path, head, json.dumps(call).encode())).status


def by_segment(lab, **call):
    """Send a call through Segment, and return its journey's delivery to Statsig."""
    body = {"writeKey": "wk_web", "messageId": "m-1", **call}
    lab.receive("segment", Request("POST", f"/v1/{call['type']}", {}, json.dumps(body).encode()))
    return lab.journey(body["messageId"]).delivery("statsig")


def ids(lab, name="big_spenders"):
    return lab.statsig.id_list(name).ids


def told(lab):
    """Return the rule and level of each finding, notes too."""
    return [(finding.step.rule, finding.step.level) for finding in lab.findings(notes=True)]


# ---- who enters and who leaves


@pytest.mark.rule("statsig.in.audience")
def test_a_user_who_enters_the_audience_enters_the_id_list(made):
    lab = made()

    lab.segment.audience("big_spenders").add("u-1", "u-2")

    assert ids(lab) == ["u-0", "u-1", "u-2"]


@pytest.mark.rule("statsig.in.audience")
def test_a_user_who_leaves_the_audience_leaves_the_id_list(made):
    lab = made()
    lab.segment.audience("big_spenders").add("u-1", "u-2")

    lab.segment.audience("big_spenders").remove("u-1")

    assert ids(lab) == ["u-0", "u-2"]


@pytest.mark.rule("statsig.in.audience")
def test_over_http_who_enters_and_leaves_at_once_has_left(made):
    lab = made(deliveries="http").start()
    for number in range(30):
        lab.segment.audience("big_spenders").add(f"u-{number}").remove(f"u-{number}")
    lab.settle()

    assert ids(lab) == []


@pytest.mark.rule("statsig.in.audience", "statsig.in.types")
def test_the_journey_says_which_list_the_user_enters(made):
    lab = made()

    lab.segment.audience("big_spenders").add("u-1")

    [journey] = lab.journeys()
    delivery = journey.delivery("statsig")
    assert delivery.outcome == "delivered"
    assert [(step.rule, step.text, step.level) for step in delivery.all_steps()] == [
        ("statsig.in.audience", "u-1 enters the ID list big_spenders", None)
    ]
    assert lab.statsig.events() == []
    assert told(lab) == []


@pytest.mark.rule("statsig.in.audience")
def test_who_is_in_the_list_already_stays_in_it(made):
    lab = made()
    before = lab.statsig.live.time

    delivery = by_segment(lab, **{**ENTERS, "userId": "u-0"})

    assert [step.text for step in delivery.all_steps()] == ["u-0 is in the ID list big_spenders already"]
    assert (ids(lab), lab.statsig.live.time) == (["u-0"], before)


@pytest.mark.rule("statsig.in.audience")
def test_who_is_not_in_the_list_cannot_leave_it(made):
    lab = made()

    delivery = by_segment(lab, **{**ENTERS, "traits": {"big_spenders": False}})

    assert [step.text for step in delivery.all_steps()] == ["u-1 is not in the ID list big_spenders"]


@pytest.mark.rule("statsig.in.audience", "statsig.in.id-text")
def test_a_user_id_that_is_a_number_enters_as_text(made):
    lab = made()

    post(lab, {**ENTERS, "userId": 7})

    assert ids(lab) == ["u-0", "7"]


@pytest.mark.rule("statsig.in.audience")
@pytest.mark.parametrize("path", ["/v1/webhooks/segment", "/v1/webhooks/segment_webhook"])
def test_a_call_that_is_posted_straight_to_statsig_does_the_same(made, path):
    lab = made()

    assert post(lab, ENTERS, path) == 200

    assert ids(lab) == ["u-0", "u-1"]
    [row] = lab.exchanges("statsig")
    assert [step.text for step in lab.steps_of(row)] == ["u-1 enters the ID list big_spenders"]


@pytest.mark.rule("statsig.in.audience")
def test_a_list_that_the_console_api_made_takes_an_audience_too(made):
    lab = made()
    head = {"statsig-api-key": "console-local"}
    new = json.dumps({"name": "big_spender", "type": "id_list"}).encode()
    assert lab.receive("statsig", Request("POST", "/console/v1/segments", head, new)).status == 201

    lab.segment.audience("big_spender").add("u-1")

    assert ids(lab, "big_spender") == ["u-1"]


@pytest.mark.rule("statsig.in.audience")
def test_a_list_that_a_test_made_takes_an_audience_too(made):
    lab = made()
    lab.statsig.id_list("big_spender").add("u-5")

    lab.segment.audience("big_spender").add("u-1")

    assert ids(lab, "big_spender") == ["u-5", "u-1"]


@pytest.mark.rule("statsig.in.audience", "segment.audiences.track")
def test_by_track_calls_an_audience_is_an_ordinary_event(made):
    audience = {"destinations": ["statsig"], "sync": "track"}
    lab = made({**WORKSPACE, "segment": {**WORKSPACE["segment"], "audiences": {"big_spenders": audience}}})

    lab.segment.audience("big_spenders").add("u-1")

    [event] = lab.statsig.events()
    assert (event["eventName"], event["metadata"]["audience_key"]) == ("segment::Audience Entered", "big_spenders")
    assert ids(lab) == ["u-0"]


@pytest.mark.rule("statsig.in.audience", "segment.dedup")
def test_a_repeated_message_changes_nothing_again(made):
    lab = made()
    by_segment(lab, **ENTERS)
    lab.statsig.id_list("big_spenders").remove("u-1")

    body = {"writeKey": "wk_web", "messageId": "m-1", **ENTERS}
    lab.receive("segment", Request("POST", "/v1/identify", {}, json.dumps(body).encode()))

    assert ids(lab) == ["u-0"]


@pytest.mark.rule("statsig.in.audience", "statsig.sdk.reset")
def test_a_reset_gives_the_list_back_as_it_is_declared(made):
    lab = made()
    lab.segment.audience("big_spenders").add("u-1")

    lab.reset()

    assert ids(lab) == ["u-0"]


# ---- calls that are no audience's


@pytest.mark.rule("statsig.in.types")
def test_an_ordinary_identify_call_makes_no_event_and_changes_no_list(made):
    lab = made()

    delivery = by_segment(lab, type="identify", userId="u-1", traits={"plan": "gold", "newsletter": True})

    assert delivery.outcome == "dropped"
    assert [(step.rule, step.level) for step in delivery.all_steps()] == [("statsig.in.types", "note")]
    assert ids(lab) == ["u-0"]


@pytest.mark.rule("statsig.in.audience.traits")
@pytest.mark.parametrize(("value", "expected"), [(True, ["u-0", "u-1"]), (False, ["u-0"])])
def test_without_personas_a_trait_that_names_a_list_counts(made, value, expected):
    lab = made()

    delivery = by_segment(lab, type="identify", userId="u-1", traits={"plan": "gold", "big_spenders": value})

    assert ids(lab) == expected
    assert delivery.outcome == "delivered"
    assert [(step.rule, step.at) for step in delivery.all_steps()] == [("statsig.in.audience", "$.traits.big_spenders")]


@pytest.mark.rule("statsig.in.audience.traits")
def test_without_personas_a_trait_that_is_no_boolean_does_not_count(made):
    lab = made()

    by_segment(lab, type="identify", userId="u-1", traits={"big_spenders": "true"}, context={"active": True})

    assert ids(lab) == ["u-0"]
    assert told(lab) == [("statsig.in.types", "note")]


@pytest.mark.rule("statsig.in.audience.traits")
def test_traits_can_be_left_alone(made):
    lab = made(with_inbound(audience_traits=False))

    by_segment(lab, type="identify", userId="u-1", traits={"big_spenders": True})
    by_segment(lab, **{**ENTERS, "messageId": "m-2", "userId": "u-2"})

    assert ids(lab) == ["u-0", "u-2"]


@pytest.mark.rule("statsig.in.audience.traits")
@pytest.mark.parametrize("kind", ["track", "group"])
def test_traits_of_other_calls_do_not_count(made, kind):
    lab = made()

    by_segment(
        lab, type=kind, userId="u-1", event="E", groupId="g-1", traits={"big_spenders": True}, context=personas("x")
    )

    assert ids(lab) == ["u-0"]
    assert len(lab.statsig.events()) == 1


# ---- what changes nothing


@pytest.mark.rule("statsig.in.audience.mismatch")
def test_a_key_that_matches_no_list_changes_nothing_and_names_the_nearest(made):
    lab = made()

    lab.segment.audience("big_spender").add("u-1")

    [journey] = lab.journeys()
    [step] = journey.delivery("statsig").all_steps()
    assert (step.kind, step.rule, step.level) == ("drop", "statsig.in.audience.mismatch", "warning")
    assert step.text == 'the audience "big_spender" matches no ID list, so that no list changes'
    assert step.at == "$.context.personas.computation_key"
    assert step.fix == "give the audience the ID of an ID list segment; the nearest is big_spenders"
    assert journey.delivery("statsig").outcome == "dropped"
    assert sorted(lab.statsig.live.id_lists()) == ["big_spenders", "companies"]


@pytest.mark.rule("statsig.in.audience.mismatch")
def test_where_no_list_is_near_those_that_there_are_are_named():
    call = {"type": "identify", "userId": "u-1", "traits": {"x": True}, "context": personas("x")}

    assert memberships(call, ["b", "a"])[1][0].fix.endswith("; there are: a, b")
    assert memberships(call, [])[1][0].fix.endswith("; there are: none")
    assert memberships(call, [f"list-{number}" for number in range(20)])[1][0].fix.endswith("list-14, list-15, …")


@pytest.mark.rule("statsig.in.audience.mismatch")
@pytest.mark.parametrize("key", [None, 7, "", ["big_spenders"]])
def test_an_audience_without_a_key_changes_nothing(made, key):
    lab = made()

    by_segment(lab, **{**ENTERS, "context": personas(key)})

    assert ids(lab) == ["u-0"]
    assert told(lab)[-1] == ("statsig.in.audience.mismatch", "warning")


@pytest.mark.rule("statsig.in.audience.value")
@pytest.mark.parametrize("traits", [{}, {"other": True}, {"big_spenders": "true"}, {"big_spenders": None}])
def test_a_trait_that_says_neither_true_nor_false_changes_nothing(made, traits):
    lab = made()

    by_segment(lab, **{**ENTERS, "traits": traits})

    assert ids(lab) == ["u-0"]
    assert told(lab) == [("statsig.in.audience.value", "warning")]


@pytest.mark.rule("statsig.in.audience.user-id")
def test_a_member_without_a_user_id_changes_nothing(made):
    lab = made()

    lab.segment.audience("big_spenders").add({"anonymousId": "a-1"})

    assert ids(lab) == ["u-0"]
    assert told(lab) == [("statsig.in.audience.user-id", "warning")]


@pytest.mark.rule("statsig.in.audience.id-type")
def test_a_list_of_another_id_type_is_not_changed(made):
    lab = made()

    lab.segment.audience("companies").add("u-1")

    assert ids(lab, "companies") == []
    assert told(lab) == [("statsig.in.audience.id-type", "warning")]


@pytest.mark.rule("statsig.in.audience.id-type")
def test_a_list_of_another_id_type_can_be_treated_as_any_other(made):
    lab = made(with_inbound(other_id_types="user_id"))

    lab.segment.audience("companies").add("u-1")

    assert ids(lab, "companies") == ["u-1"]


@pytest.mark.rule("statsig.in.audience", "statsig.in.enabled")
def test_a_disabled_integration_refuses_an_audience_as_it_does_events(made):
    lab = made(with_inbound(enabled=False))

    lab.segment.audience("big_spenders").add("u-1")
    event = by_segment(lab, type="track", event="Sign Up", userId="u-1")

    [first, _] = lab.journeys()
    audience = first.delivery("statsig")
    assert audience.outcome == event.outcome == "failed"
    assert audience.sent[0].attempts[0].status == 403
    assert [step.rule for step in audience.all_steps()] == [step.rule for step in event.all_steps()]
    assert ids(lab) == ["u-0"]


@pytest.mark.rule("statsig.in.audience", "statsig.in.enabled")
def test_a_disabled_integration_that_keeps_events_syncs_audiences(made):
    lab = made(with_inbound(enabled=False, when_disabled="keep"))

    lab.segment.audience("big_spenders").add("u-1")

    assert ids(lab) == ["u-0", "u-1"]


@pytest.mark.rule("statsig.in.audience", "statsig.in.enabled")
def test_a_disabled_integration_does_not_look_at_traits(made):
    lab = made(with_inbound(enabled=False))

    by_segment(lab, type="identify", userId="u-1", traits={"big_spenders": True})

    assert ids(lab) == ["u-0"]
    assert told(lab) == [("statsig.in.types", "note")]


@pytest.mark.rule("statsig.in.audience", "statsig.in.auth")
def test_a_wrong_key_changes_nothing(made):
    lab = made()

    assert post(lab, ENTERS, key="stale") == 401

    assert ids(lab) == ["u-0"]


# ---- the same by every way


@pytest.mark.rule("statsig.in.audience", "statsig.in.audience.mismatch", "statsig.in.audience.traits")
def test_over_http_everything_is_told_as_it_is_inside_the_lab(made):
    def run(way):
        lab = made(deliveries=way).start()
        lab.segment.audience("big_spenders").add("u-1")
        lab.segment.audience("big_spender").add("u-2", {"anonymousId": "a-1"})
        by_segment(lab, type="identify", userId="u-3", traits={"big_spenders": True})
        by_segment(lab, messageId="m-2", type="identify", userId="u-4", traits={"plan": "gold"})
        lab.settle()
        journeys = [journey.delivery("statsig").as_json() for journey in lab.journeys()]
        return sorted(ids(lab)), journeys, [finding.as_json() for finding in lab.findings(notes=True)]

    direct, over_http = run("direct"), run("http")

    assert direct[0] == over_http[0] == ["u-0", "u-1", "u-3"]
    for journeys in (direct[1], over_http[1]):  # one lab numbers the exchanges of both vendors
        for row in journeys:
            row["requests"][0]["request"]["body"].pop("messageId", None)
    assert [row["outcome"] for row in direct[1]] == ["delivered", "dropped", "dropped", "delivered", "dropped"]
    assert over_http[1] == direct[1]
    rules = [[finding["rule"] for finding in found] for found in (direct[2], over_http[2])]
    assert rules[0] == rules[1] != []


@pytest.mark.rule("statsig.in.audience", "statsig.in.audience.mismatch")
@pytest.mark.parametrize(
    ("key", "outcome", "rule"),
    [
        ("big_spenders", "delivered", "statsig.in.audience"),
        ("big_spender", "dropped", "statsig.in.audience.mismatch"),
        ("plan", "dropped", "statsig.in.types"),
    ],
)
def test_an_explanation_tells_what_would_become_of_an_audience(key, outcome, rule):
    call = {"type": "identify", "userId": "u-1", "traits": {key: True}, "messageId": "m-1"}
    explained = explain(call if key == "plan" else {**call, "context": personas(key)}, WORKSPACE, at=NOW)

    [at] = explained.calls[0].destinations
    assert (at.outcome, [step.rule for step in at.steps]) == (outcome, [rule])


@pytest.mark.rule("statsig.in.audience", "segment.delivery.retry")
@pytest.mark.parametrize("way", ["direct", "http"])
def test_an_audience_that_statsig_did_not_take_is_sent_again(made, way):
    lab = made(deliveries=way).start()
    lab.statsig.fail(503)

    lab.segment.audience("big_spenders").add("u-1")
    lab.settle()
    assert ids(lab) == ["u-0"]

    lab.advance(60)
    lab.settle()
    assert ids(lab) == ["u-0", "u-1"]
    [journey] = lab.journeys()
    delivery = journey.delivery("statsig")
    assert [attempt.status for attempt in delivery.sent[0].attempts] == [503, 200]
    assert delivery.outcome == "delivered"
    assert [step.text for step in delivery.all_steps()][-1] == "u-1 enters the ID list big_spenders"


@pytest.mark.rule("statsig.in.audience")
def test_after_a_restart_the_journey_is_told_and_the_list_is_as_declared(made, tmp_path):
    first = made(data=tmp_path / "journal.sqlite")
    first.segment.audience("big_spenders").add("u-1")
    before = [journey.as_json() for journey in first.journeys()]
    first.stop()

    second = made(data=tmp_path / "journal.sqlite")

    assert [journey.as_json() for journey in second.journeys()] == before
    assert (ids(second), second.segment.audience("big_spenders").members) == (["u-0"], [])


@pytest.mark.rule("statsig.in.audience", "segment.delivery.retry")
def test_an_audience_that_waits_for_another_attempt_arrives_after_a_restart(made, tmp_path):
    first = made(data=tmp_path / "journal.sqlite")
    first.statsig.fail(503)
    first.segment.audience("big_spenders").add("u-1")
    first.stop()

    second = made(data=tmp_path / "journal.sqlite")
    second.advance(60)

    assert ids(second) == ["u-0", "u-1"]


@pytest.mark.rule("statsig.in.audience", "segment.tracking-api")
@pytest.mark.trackside(workspace=WORKSPACE)
def test_segments_own_python_sdk_can_bring_an_audience(trackside):
    from segment.analytics import Client

    client = Client("wk_web", host=trackside.segment.url, sync_mode=True)
    client.identify("u-1", {"big_spenders": True}, context=personas("big_spenders"))
    client.track("u-2", "Order Completed")

    trackside.settle()
    assert ids(trackside) == ["u-0", "u-1"]
    assert len(trackside.statsig.events()) == 1


@pytest.mark.rule("statsig.in.audience", "statsig.sdk.id-lists.file")
@pytest.mark.trackside(workspace=WORKSPACE)
def test_an_sdk_downloads_only_the_lines_that_an_audience_added(trackside, call):
    listed = call("/v1/get_id_lists", {}, statsig_api_key="secret-local").json()["big_spenders"]

    trackside.segment.audience("big_spenders").add("u-1").remove("u-1").add("u-1")

    after = call("/v1/get_id_lists", {}, statsig_api_key="secret-local").json()["big_spenders"]
    assert (after["fileID"], after["size"] - listed["size"]) == (listed["fileID"], 30)
    tail = call(after["url"], method="GET", range=f"bytes={listed['size']}-").data.decode().splitlines()
    assert [line[0] for line in tail] == ["+", "-", "+"]
