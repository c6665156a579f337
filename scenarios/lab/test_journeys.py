"""Journeys: what became of each message, from its receipt to what every vendor keeps, and how to find one."""

import json

import pytest

from trackside.errors import TracksideError
from trackside.journal import Journal
from trackside.lab import Lab
from trackside.rules import RULES
from trackside.wire import Answer, Request

DIRECT = {
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
        "environments": {"production": {}},
        "segment_inbound": [{"api_key": "fme-key", "environment": "production"}],
    },
    "launchdarkly": {"environments": {"production": {"client_side_id": "57be1db38b75bf0772d11384"}}},
}


def changed(**destinations):
    """Return the workspace with other settings of some destinations."""
    segment = DIRECT["segment"]
    merged = {name: {**row, **destinations.get(name, {})} for name, row in segment["destinations"].items()}
    return {**DIRECT, "segment": {**segment, "destinations": merged}}


# ---- what a journey tells


@pytest.mark.rule("segment.tracking-api")
def test_a_journey_begins_with_the_call_as_it_was_received(lab, track):
    journey = track(lab, properties={"value": 42}).as_json()

    assert journey["call"] == {
        "writeKey": "wk_web",
        "messageId": "m-1",
        "userId": "u-1",
        "event": "Order Completed",
        "properties": {"value": 42},
    }
    names = ("message_id", "type", "event", "user_id", "source", "received_at", "outcome")
    assert {name: journey[name] for name in names} == {
        "message_id": "m-1",
        "type": "track",
        "event": "Order Completed",
        "user_id": "u-1",
        "source": "web",
        "received_at": "2026-01-02T03:00:00.000Z",
        "outcome": "accepted",
    }


@pytest.mark.rule("segment.contract")
def test_it_has_the_contracts_verdict_and_each_fault(lab, post, track):
    assert track(lab).as_json()["contract"] == "valid"

    post(lab, "/v1/group", {"writeKey": "wk_web", "messageId": "m-2", "userId": "u-1"})

    journey = lab.journey("m-2").as_json()
    assert journey["contract"] == "faults"
    assert (journey["steps"][0]["rule"], journey["steps"][0]["at"]) == ("segment.contract", "$.groupId")


@pytest.mark.rule("segment.dedup", "segment.discard.event")
def test_it_says_whether_the_message_was_repeated_or_discarded(lab, track):
    track(lab)
    track(lab)
    track(lab, event="", messageId="m-2")

    told = [(row["message_id"], row["outcome"], row["deliveries"]) for row in map(as_json, lab.journeys())]
    assert told[1:] == [("m-1", "duplicate", []), ("m-2", "discarded", [])]


def as_json(journey):
    return journey.as_json()


@pytest.mark.rule("segment.filter.drop")
def test_it_says_per_destination_what_was_filtered(make_lab, track):
    filters = [{"title": "No orders", "if": "event = 'Order Completed'", "actions": [{"type": "drop"}]}]

    deliveries = track(make_lab(changed(statsig={"filters": filters}))).as_json()["deliveries"]

    assert [(row["destination"], row["outcome"]) for row in deliveries] == [
        ("statsig", "dropped"),
        ("fme", "delivered"),
        ("ld", "delivered"),
    ]
    [step] = deliveries[0]["steps"]
    assert (step["rule"], step["code"]) == ("segment.filter.drop", "FILTERED_BY_RULES")


@pytest.mark.rule("segment.mappings")
def test_it_says_which_mapping_made_a_request(make_lab, track):
    delivery = track(make_lab(DIRECT)).as_json()["deliveries"][2]

    [request] = delivery["requests"]
    assert request["mapping"] == "Track Event"
    assert request["request"]["url"] == "https://events.launchdarkly.com/events/bulk/57be1db38b75bf0772d11384"
    assert request["request"]["body"][0]["key"] == "Order Completed"


@pytest.mark.rule("segment.delivery.refused", "statsig.in.auth")
def test_it_has_each_attempt_with_its_status_and_answer(make_lab, track):
    lab = make_lab(changed(statsig={"api_key": "secret-of-another-project"}))

    delivery = track(lab).as_json()["deliveries"][0]

    assert delivery["outcome"] == "failed"
    [attempt] = delivery["requests"][0]["attempts"]
    assert (attempt["status"], attempt["at"], attempt["next"]) == (401, "2026-01-02T03:00:00.000Z", None)
    assert "Invalid API key" in attempt["answer"]["message"]
    assert attempt["steps"][0]["code"] == "errors.discarded.401"


@pytest.mark.rule("statsig.in.event-name", "split.in.event-type-spaces", "launchdarkly.in.event-key-exact")
def test_it_has_what_each_vendor_keeps(make_lab, track):
    journey = track(make_lab(DIRECT)).as_json()

    records = {row["vendor"]: row["requests"][0]["records"] for row in journey["deliveries"]}
    assert [record["eventName"] for record in records["statsig"]] == ["segment::Order Completed"]
    assert [record["eventTypeId"] for record in records["split"]] == ["Order_Completed"]
    assert [record["key"] for record in records["launchdarkly"]] == ["Order Completed"]


@pytest.mark.rule("split.in.event-type-spaces")
def test_each_step_has_its_rule_with_source_and_confidence(make_lab, track):
    delivery = track(make_lab(DIRECT)).as_json()["deliveries"][1]

    [step] = [step for step in delivery["requests"][0]["steps"] if step["rule"] == "split.in.event-type-spaces"]
    assert step["kind"] == "rename"
    assert step["confidence"] == "documented"
    assert step["source"].startswith("Harness FME: Segment, developer.harness.io/")


def test_every_step_that_names_a_rule_has_its_source(lab, post):
    calls = [
        {"type": "track", "userId": "u-1", "event": "A & B", "properties": {"value": "9", "list": [1]}},
        {"type": "page", "userId": "u-1", "timestamp": "yesterday"},
        {"type": "group", "userId": None, "anonymousId": "a-1"},
        {"type": "alias", "userId": "u-1", "previousId": "a-1"},
        {"type": "purchase"},
    ]
    post(lab, "/v1/batch", {"writeKey": "wk_web", "batch": calls})

    told = [step for journey in lab.journeys() for step in steps_in(journey.as_json())]

    assert len({step["rule"] for step in told if "rule" in step}) > 15
    for step in told:
        if rule := step.get("rule"):
            assert (step["source"], step["confidence"]) == (RULES[rule].origin, RULES[rule].confidence)


def steps_in(value):
    """Yield every step of a journey's JSON."""
    if isinstance(value, dict):
        yield from value["steps"] if isinstance(value.get("steps"), list) else ()
        for inner in value.values():
            yield from steps_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from steps_in(inner)


def test_credentials_are_cut(make_lab, track):
    [request] = track(make_lab(DIRECT)).as_json()["deliveries"][0]["requests"]

    assert request["request"]["headers"]["Authorization"] == "Basic c2Vj…"


def test_the_steps_come_in_the_order_of_the_way(lab, track):
    journey = track(lab, timestamp="yesterday")

    destinations = [destination for destination, _ in journey.all_steps()]
    assert destinations == sorted(destinations, key=["", "statsig", "fme-user", "ld"].index)
    assert destinations[0] == ""


# ---- the vendors' contracts


@pytest.mark.rule("statsig.contract")
def test_a_request_that_breaks_the_vendors_contract_has_the_fault_on_record(make_lab, track):
    journey = track(make_lab(DIRECT), properties={"statsigCustomIDs": ["companyID"]})

    [fault] = [step for step in journey.delivery("statsig").all_steps() if step.rule == "statsig.contract"]
    assert (fault.kind, fault.level, fault.at) == ("fault", "error", "$.properties.statsigCustomIDs")


@pytest.mark.rule("split.contract")
def test_only_the_vendor_whose_contract_is_broken_has_the_fault(make_lab, track):
    journey = track(make_lab(DIRECT), properties={"split": {"account": "a-1"}})

    faults = [step.rule for _, step in journey.all_steps() if step.rule.endswith(".contract")]
    assert faults == ["split.contract"]


@pytest.mark.rule("segment.contract")
def test_a_fault_of_the_call_itself_is_told_once(make_lab, post):
    lab = make_lab(DIRECT)
    post(
        lab,
        "/v1/group",
        {"writeKey": "wk_web", "messageId": "m-1", "userId": "u-1", "traits": {"split": {"user": "u"}}},
    )

    faults = [step.rule for _, step in lab.journey("m-1").all_steps() if step.rule.endswith(".contract")]
    assert faults == ["segment.contract"]


@pytest.mark.rule("split.contract", "split.in.event-type-name")
def test_a_record_that_breaks_the_vendors_contract_has_the_fault_on_record(make_lab, track):
    inbound = [{**DIRECT["split"]["segment_inbound"][0], "invalid_event_type": "keep"}]
    lab = make_lab({**DIRECT, "split": {**DIRECT["split"], "segment_inbound": inbound}})

    journey = track(lab, event="A & B")

    [fault] = [step for step in journey.delivery("fme").all_steps() if step.rule == "split.contract"]
    assert (fault.at, fault.code) == ("$.eventTypeId", "split/event.pattern")


@pytest.mark.rule("split.in.unsupported")
@pytest.mark.parametrize("unsupported", ["refuse", "ignore"])
def test_a_type_that_a_vendor_does_not_take_is_told_by_the_vendors_rule_alone(make_lab, post, unsupported):
    inbound = [{**DIRECT["split"]["segment_inbound"][0], "unsupported": unsupported}]
    lab = make_lab({**DIRECT, "split": {**DIRECT["split"], "segment_inbound": inbound}})
    post(lab, "/v1/alias", {"writeKey": "wk_web", "messageId": "m-1", "userId": "u-1", "previousId": "a-1"})

    rules = [step.rule for step in lab.journey("m-1").delivery("fme").all_steps()]
    assert "split.in.unsupported" in rules
    assert "split.contract" not in rules


@pytest.mark.rule("statsig.contract", "split.contract", "launchdarkly.contract")
@pytest.mark.parametrize(
    ("kind", "call"),
    [
        ("track", {"event": "Order Completed", "properties": {"value": 42, "products": [{"sku": "A-1"}]}}),
        ("identify", {"anonymousId": "a-1", "traits": {"plan": "pro", "company": {"id": 7}}}),
        ("page", {"name": "Home"}),
        ("screen", {"name": "Home"}),
        ("group", {"groupId": "g-1", "traits": {"split": {"user": "u-1"}, "plan": "pro"}}),
        ("alias", {"previousId": "a-1"}),
    ],
)
def test_what_the_documents_show_keeps_every_contract_on_its_way(make_lab, post, kind, call):
    lab = make_lab(DIRECT)
    post(lab, f"/v1/{kind}", {"writeKey": "wk_web", "messageId": "m-1", "userId": "u-1", **call})

    assert [step for _, step in lab.journey("m-1").all_steps() if step.rule.endswith(".contract")] == []


# ---- finding one


@pytest.fixture
def three(make_lab, track):
    """Three messages: one that arrives everywhere, one that Split drops, one that is discarded."""
    lab = make_lab(DIRECT)
    track(lab, messageId="m-good", userId="u-1", anonymousId="a-1")
    track(lab, messageId="m-dropped", userId="u-2", event="A & B & C")
    track(lab, messageId="m-discarded", userId="u-1", event="")
    return lab


def ids(journeys):
    return [journey.get("messageId") for journey in journeys]


def test_journeys_come_oldest_first_or_newest_first(three):
    assert ids(three.journeys()) == ["m-good", "m-dropped", "m-discarded"]
    assert ids(three.journeys(newest_first=True)) == ["m-discarded", "m-dropped", "m-good"]


def test_a_journey_is_found_by_its_message_id(three):
    assert three.journey("m-dropped").get("userId") == "u-2"


def test_an_unknown_message_id_is_an_error_in_three_clauses(three):
    with pytest.raises(TracksideError, match=r"no message has the messageId 'm-4'. the journal. look at"):
        three.journey("m-4")


def test_the_first_of_repeated_messages_is_the_one_that_was_accepted(lab, track):
    track(lab)
    track(lab)

    assert lab.journey("m-1").outcome == "accepted"


@pytest.mark.parametrize("user", ["u-1", "a-1"])
def test_journeys_are_found_by_user_id_and_anonymous_id(three, user):
    assert "m-good" in ids(three.journeys(user=user))
    assert "m-dropped" not in ids(three.journeys(user=user))


@pytest.mark.parametrize("user", ["Zoë", 'the "one"', "a/b", "back\\slash", "日本", "tab\tbed"])
def test_a_user_is_found_however_json_writes_him(lab, post, user):
    call = {"writeKey": "wk_web", "messageId": "m-1", "userId": user, "event": "E"}
    post(lab, "/v1/track", json.dumps(call, ensure_ascii=True).replace("/", "\\/").encode())

    assert ids(lab.journeys(user=user)) == ["m-1"]


def test_an_id_that_is_written_in_escapes_is_found(lab, post):
    post(lab, "/v1/track", b'{"writeKey": "wk_web", "messageId": "m-1", "userId": "\\u0075-1", "event": "E"}')

    assert ids(lab.journeys(user="u-1")) == ["m-1"]


def test_journeys_are_found_by_vendor_or_destination(three):
    assert ids(three.journeys(vendor="split")) == ["m-good", "m-dropped"]
    assert ids(three.journeys(vendor="fme")) == ["m-good", "m-dropped"]
    assert ids(three.journeys(vendor="webhook")) == []


def test_only_drops_are_those_that_did_not_arrive_everywhere(three):
    assert ids(three.journeys(drops=True)) == ["m-dropped", "m-discarded"]


def test_only_drops_at_a_vendor_are_its_own(three):
    assert ids(three.journeys(drops=True, vendor="split")) == ["m-dropped"]
    assert ids(three.journeys(drops=True, vendor="launchdarkly")) == []
    assert ids(three.journeys(drops=True, vendor="segment")) == ["m-discarded"]


def test_a_drop_at_any_destination_of_a_vendor_counts(make_lab, track):
    filters = [{"if": "all", "actions": [{"type": "drop"}]}]
    destinations = {
        "one": {"type": "statsig", "api_key": "secret-local"},
        "two": {"type": "statsig", "api_key": "secret-local", "filters": filters},
    }
    sources = {"web": {"write_key": "wk_web", "destinations": ["one", "two"]}}
    lab = make_lab({**DIRECT, "segment": {"sources": sources, "destinations": destinations}})
    track(lab)

    assert ids(lab.journeys(drops=True, vendor="statsig")) == ["m-1"]


# ---- requests that make no journey


@pytest.mark.rule("segment.unknown-path", "statsig.unknown-path", "split.unknown-path", "launchdarkly.unknown-path")
@pytest.mark.rule("ownlayer.unknown-path")
@pytest.mark.parametrize("vendor", ["segment", "statsig", "split", "launchdarkly", "ownlayer"])
def test_an_unknown_path_at_any_vendor_is_recorded_with_the_paths_that_exist(lab, post, vendor):
    answer = post(lab, "/v9/nowhere", {}, vendor=vendor)

    assert answer.status == 404
    [finding] = lab.findings()
    assert (finding.step.rule, finding.step.level, finding.vendor) == (f"{vendor}.unknown-path", "error", vendor)
    assert finding.step.fix.startswith("use one of: ")


# ---- the journal's limit


def test_the_oldest_messages_go_first_and_are_counted(make_lab, track):
    lab = make_lab(limit=2)
    for number in range(4):
        track(lab, messageId=f"m-{number}")

    assert ids(lab.journeys()) == ["m-2", "m-3"]
    assert lab.stats()["evicted"] == 2


def test_a_vendors_own_requests_count_as_well(make_lab, post):
    lab = make_lab(limit=2)
    for _ in range(3):
        post(lab, "/events/bulk/57be1db38b75bf0772d11384", [], vendor="launchdarkly")

    assert lab.stats()["evicted"] == 1


def test_a_journey_that_was_evicted_is_told_from_one_that_never_was(make_lab, track):
    lab = make_lab(limit=2)
    for number in range(4):
        track(lab, messageId=f"m-{number}")

    with pytest.raises(TracksideError, match="2 evicted"):
        lab.journey("m-0")


@pytest.mark.rule("segment.delivery.retry")
def test_attempts_go_with_their_message(make_lab, track):
    lab = make_lab(limit=2)
    lab.statsig.fail(500, times=None)
    for number in range(4):
        track(lab, messageId=f"m-{number}")

    lab.advance(5 * 3600)

    assert [journey.delivery("statsig").outcome for journey in lab.journeys()] == ["failed", "failed"]


@pytest.mark.parametrize("read", [Lab.journeys, Lab.findings, lambda lab: lab.kept("statsig")])
def test_what_a_reset_takes_while_it_is_read_is_read_to_its_end(make_lab, track, read):
    lab = make_lab()
    for number in range(3):
        track(lab, messageId=f"m-{number}", anonymousId=7)
        track(lab, messageId=f"n-{number}")
    reading = read(lab)
    next(reading)

    lab.configure({"accept_any_key": True})
    lab.reset()

    assert list(reading) is not None
    assert list(read(lab)) == []


def test_a_reset_forgets_everything_and_keeps_the_workspace(make_lab, track):
    lab = make_lab(DIRECT)
    lab.statsig.fail(500, times=None)
    track(lab)

    lab.reset()

    assert list(lab.journeys()) == []
    assert list(lab.findings(notes=True)) == []
    assert track(lab).delivery("statsig").outcome == "delivered"


def test_the_journal_is_bounded_by_the_bytes_of_bodies_too():
    journal = Journal(limit_bytes=3_000)
    for _ in range(5):
        journal.append("segment", Request("POST", "/v1/track", body=b"x" * 1_000), Answer(400), 1)
    assert [row.seq for row in journal.rows()] == [3, 4, 5]
    assert journal.evicted == 2


def test_until_its_deliveries_are_handed_over_a_message_is_under_way_at_a_vendor():
    lab = Lab()
    lab.split.fail(500)
    body = b'{"writeKey": "wk_web", "userId": "u-1", "event": "E", "messageId": "m-1"}'
    lab.receive("segment", Request("POST", "/v1/track", body=body))
    lab.journal.opening.add(1)
    assert lab.journey("m-1").delivery("statsig").outcome == "under_way"
    lab.journal.opening.discard(1)
    assert lab.journey("m-1").delivery("statsig").outcome == "delivered"
    lab.stop()
