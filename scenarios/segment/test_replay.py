"""Segment's Replay: messages of the past to one destination, once more, with their own ids and times."""

import json
from datetime import datetime, timezone

import pytest

from trackside.errors import TracksideError
from trackside.wire import Request

WORKSPACE = {
    "segment": {
        "sources": {
            "web": {"write_key": "wk_web", "destinations": ["statsig", "fme", "ld"]},
            "app": {"write_key": "wk_app"},
        },
        "destinations": {
            "statsig": {"type": "statsig", "api_key": "secret-local"},
            "fme": {"type": "split", "api_key": "fme-key"},
            "ld": {"type": "launchdarkly", "client_side_id": "57be1db38b75bf0772d11384"},
            "later": {"type": "statsig", "api_key": "secret-local"},
        },
    },
    "statsig": {"server_secret": "secret-local"},
    "split": {
        "environments": {"production": {"sdk_key": "sdk-local-0123456789"}},
        "segment_inbound": [{"api_key": "fme-key", "environment": "production", "identities": {"userId": "user"}}],
    },
    "launchdarkly": {"environments": {"production": {"client_side_id": "57be1db38b75bf0772d11384"}}},
}
NOW = 1767322800.0
"""2026-01-02T03:00:00Z."""


@pytest.fixture
def make_lab(changed_lab):
    """Return a function that makes a lab, some destinations of which are changed."""
    return lambda options=None, **changed: changed_lab(WORKSPACE, changed, **(options or {}))


@pytest.fixture
def lab(make_lab):
    """A lab whose destination ``later`` was never fed."""
    return make_lab()


def send(lab, event, key="wk_web", kind="track", **fields):
    """Send one call; its messageId is that of its event."""
    call = {"writeKey": key, "messageId": f"m-{event}", "userId": "u-1"}
    if event is not None:
        call["event" if kind == "track" else "name"] = event
    lab.receive("segment", Request("POST", f"/v1/{kind}", {}, json.dumps({**call, **fields}).encode()))


def names(lab):
    return [record["eventName"] for record in lab.statsig.events()]


def found(lab, **which):
    return [(finding.step.level, finding.step.rule) for finding in lab.findings(**which)]


def raised(ask):
    with pytest.raises(TracksideError) as caught:
        ask()
    return caught.value


# ---- which messages


@pytest.mark.rule("segment.replay")
def test_every_message_goes_to_the_one_destination_once_more(lab):
    send(lab, "A")
    send(lab, "B")

    replayed = lab.segment.replay("fme")

    assert (replayed.messages, replayed.delivered) == (2, 2)
    assert [record["eventTypeId"] for record in lab.split.events()] == ["A", "B", "A", "B"]
    assert (names(lab), len(lab.launchdarkly.events())) == (["segment::A", "segment::B"], 2)
    assert len(lab.exchanges("split")) == 2


@pytest.mark.rule("segment.replay.range")
@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"since": NOW + 60}, ["B", "C"]),
        ({"until": NOW + 60}, ["A"]),
        ({"since": "2026-01-02T03:01:00Z", "until": "2026-01-02T03:02:00Z"}, ["B"]),
        ({"since": datetime(2026, 1, 2, 3, 2, tzinfo=timezone.utc)}, ["C"]),
        ({"since": datetime(2026, 1, 2, 3, 2)}, ["C"]),  # noqa: DTZ001 - without a zone it is UTC
    ],
)
def test_a_range_is_of_the_time_of_receipt_and_ends_before_its_end(lab, asked, wanted):
    for name in "ABC":
        send(lab, name, timestamp="2026-01-01T00:00:00Z")
        lab.advance(60)
    seen = len(names(lab))

    lab.segment.replay("later", **asked)

    assert names(lab)[seen:] == [f"segment::{name}" for name in wanted]


@pytest.mark.rule("segment.replay")
def test_messages_of_a_source(lab):
    send(lab, "A")
    send(lab, "B", key="wk_app")

    assert lab.segment.replay("statsig", source="app").messages == 1
    assert names(lab) == ["segment::A", "segment::B"]


@pytest.mark.rule("segment.replay")
@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"event": "A"}, 1),
        ({"event": ["A", "Home"]}, 2),
        ({"type": "page"}, 1),
        ({"type": ["track", "page"]}, 3),
        ({"type": "track", "event": "Home"}, 0),
    ],
)
def test_messages_by_the_name_of_the_event_or_page_and_by_call_type(lab, asked, count):
    send(lab, "A")
    send(lab, "B")
    send(lab, "Home", kind="page")

    if count:
        assert lab.segment.replay("later", **asked).messages == count
    else:
        assert "no message to replay" in raised(lambda: lab.segment.replay("later", **asked)).what


@pytest.mark.rule("segment.replay.range", "segment.dedup")
def test_what_was_discarded_or_a_repeat_is_not_replayed(lab):
    send(lab, "A")
    send(lab, "A")
    send(lab, "")

    assert lab.segment.replay("later").messages == 1


@pytest.mark.rule("segment.replay")
def test_calls_of_one_batch_are_replayed_one_by_one(lab):
    calls = [{"type": "track", "event": name, "userId": "u-1"} for name in "AB"]
    lab.receive(
        "segment", Request("POST", "/v1/batch", {}, json.dumps({"writeKey": "wk_app", "batch": calls}).encode())
    )

    assert lab.segment.replay("later", event="B").delivered == 1
    assert names(lab) == ["segment::B"]


# ---- what is sent


@pytest.mark.rule("segment.replay", "segment.integrations")
def test_integrations_name_the_destination_alone_and_consent_is_kept(lab):
    consent = {"categoryPreferences": {"Advertising": False}}
    send(lab, "A", "wk_app", integrations={"All": True, "Split": {"x": 1}}, context={"consent": consent})

    lab.segment.replay("statsig")

    sent = lab.exchanges("statsig")[0].request.json()
    assert sent["integrations"] == {"All": False, "Statsig": True}
    assert sent["context"]["consent"] == consent


@pytest.mark.rule("segment.replay")
def test_a_message_that_its_integrations_kept_from_the_destination_gets_there(lab):
    send(lab, "A", integrations={"Statsig": False})
    assert names(lab) == []

    lab.segment.replay("statsig")

    assert names(lab) == ["segment::A"]


@pytest.mark.rule("segment.replay", "segment.timestamp")
def test_ids_and_times_are_those_of_the_message(lab):
    send(lab, "A", timestamp="2026-01-02T02:59:00Z")
    [message] = lab.segment.events()
    lab.advance(3600)

    lab.segment.replay("later")

    sent = lab.exchanges("statsig")[0].request.json()
    for name in ("messageId", "timestamp", "originalTimestamp", "receivedAt", "sentAt"):
        assert sent[name] == message[name]


@pytest.mark.rule("segment.replay", "launchdarkly.in.timestamp", "split.in.event-type-spaces")
def test_each_vendor_keeps_a_replayed_event_at_its_own_time(lab):
    send(lab, "A", key="wk_app", timestamp="2026-01-02T02:00:00Z")
    lab.advance(86_400)

    for destination in ("statsig", "fme", "ld"):
        assert lab.segment.replay(destination).delivered == 1

    assert [lab.statsig.events()[0]["time"], lab.split.events()[0]["timestamp"]] == [1767319200000, 1767319200000]
    assert lab.launchdarkly.events()[0]["creationDate"] == 1767319200000


@pytest.mark.rule("segment.replay", "segment.filter.drop")
def test_the_destinations_filters_apply(make_lab):
    filters = [{"title": "No A", "if": "event = 'A'", "actions": [{"type": "drop"}]}]
    lab = make_lab(later={"filters": filters})
    send(lab, "A", key="wk_app")
    send(lab, "B", key="wk_app")

    replayed = lab.segment.replay("later")

    assert (replayed.delivered, names(lab)) == (1, ["segment::B"])
    [dropped] = replayed.dropped
    assert (dropped.message_id, dropped.why.code) == ("m-A", "FILTERED_BY_RULES")


@pytest.mark.rule("segment.replay")
def test_the_destination_may_be_switched_off(make_lab):
    lab = make_lab(later={"enabled": False})
    send(lab, "A", key="wk_app")

    replayed = lab.segment.replay("later")

    assert (replayed.delivered, names(lab)) == (1, ["segment::A"])
    assert replayed.remarks[0].text == "the destination later is switched off, and gets replayed messages all the same"


@pytest.mark.rule("segment.replay.off")
def test_the_source_need_not_feed_the_destination(lab):
    send(lab, "A", key="wk_app")

    [remark] = lab.segment.replay("statsig").remarks

    assert (remark.level, remark.at) == ("note", "segment.sources.app.destinations")


@pytest.mark.rule("segment.replay")
def test_the_messages_own_journey_does_not_show_it(lab):
    send(lab, "A")
    before = lab.journey("m-A").as_json()

    lab.segment.replay("statsig")

    assert lab.journey("m-A").as_json() == before
    assert len(lab.segment.events()) == 1


@pytest.mark.rule("segment.replay", "launchdarkly.in.mapping-enabled")
def test_every_mapping_that_matches_gets_it(make_lab):
    rows = [{"action": "trackEvent"}, {"action": "trackEvent", "name": "Again"}]
    lab = make_lab(ld={"mappings": rows})
    send(lab, "A", key="wk_app")

    assert lab.segment.replay("ld").delivered == 1
    assert len(lab.launchdarkly.events()) == 2


# ---- what becomes of it


@pytest.mark.rule("segment.replay", "split.in.unnamed")
def test_a_message_that_the_vendor_drops_is_counted_with_the_vendors_reason(lab):
    send(lab, None, key="wk_app", kind="page", messageId="m-1")

    replayed = lab.segment.replay("fme")

    assert (replayed.messages, replayed.delivered) == (1, 0)
    assert [(row.message_id, row.type, row.why.rule) for row in replayed.dropped] == [
        ("m-1", "page", "split.in.unnamed")
    ]
    assert found(lab) == [("warning", "split.in.unnamed")]


@pytest.mark.rule("segment.replay", "segment.fields.invalid")
def test_what_the_routing_finds_is_told_once_for_each_rule(lab):
    for name in "ABC":
        send(lab, name, key="wk_app", properties={"value": "much"})

    replayed = lab.segment.replay("ld")

    assert [row.why.rule for row in replayed.dropped] == ["launchdarkly.in.metric-value"] * 3
    [finding] = lab.findings()
    assert finding.step.text.endswith("(and 2 other messages of the replay)")


@pytest.mark.rule("segment.replay", "launchdarkly.in.event-key-exact")
def test_what_a_mapping_remarks_on_a_request_that_it_sends_is_told_too(lab):
    send(lab, " A ", key="wk_app")

    assert lab.segment.replay("ld").delivered == 1
    assert found(lab) == [("warning", "launchdarkly.in.event-key-exact")]


@pytest.mark.rule("segment.replay", "statsig.in.auth")
def test_a_refusal_for_good_is_a_failure_with_its_reason(make_lab):
    lab = make_lab(later={"api_key": "stale"})
    send(lab, "A", key="wk_app")

    [failed] = lab.segment.replay("later").failed

    assert (failed.message_id, failed.why.rule) == ("m-A", "statsig.in.auth")
    assert found(lab) == [("error", "statsig.in.auth")]


@pytest.mark.rule("segment.replay", "segment.delivery.retry")
@pytest.mark.parametrize("fault", [{"status": 503}, {"error": "ECONNREFUSED"}])
def test_what_a_vendor_refuses_for_now_is_tried_again_on_the_labs_clock(lab, fault):
    send(lab, "A", key="wk_app")
    send(lab, "B", key="wk_app")
    lab.statsig.fail(times=1, **fault)

    replayed = lab.segment.replay("statsig")

    assert (replayed.delivered, [row.message_id for row in replayed.waiting]) == (1, ["m-A"])
    assert replayed.waiting[0].why.rule == "segment.delivery.retry"
    assert lab.stats()["deliveries_waiting"] == 1
    lab.advance(60)
    assert names(lab) == ["segment::B", "segment::A"]
    assert found(lab) == [("warning", "segment.delivery.retry")]


@pytest.mark.rule("segment.replay", "segment.delivery.retry")
def test_the_attempts_that_fail_are_told_until_the_hours_are_over(lab):
    send(lab, "A", key="wk_app")
    lab.statsig.fail(503, times=None)
    lab.segment.replay("statsig")

    lab.advance(5 * 3600)

    assert found(lab)[-1] == ("error", "segment.delivery.refused")
    assert {rule for _, rule in found(lab)[:-1]} == {"segment.delivery.retry"}
    assert lab.stats()["deliveries_waiting"] == 0


@pytest.mark.rule("segment.replay", "segment.delivery.retry")
def test_after_a_restart_it_says_which_replay_was_not_over(make_lab, tmp_path):
    options = {"data": tmp_path / "lab.sqlite"}
    lab = make_lab(options)
    send(lab, "A", key="wk_app")
    lab.statsig.fail(503)
    replayed = lab.segment.replay("statsig")
    lab.stop()

    again = make_lab(options)

    [step] = [finding.step for finding in again.findings() if finding.step.rule == "segment.replay"]
    assert step.text == f"1 requests of the replay {replayed.exchange} were to be tried again when the lab was stopped"
    again.segment.replay("statsig")
    assert names(again) == ["segment::A"]


@pytest.mark.rule("segment.replay", "split.in.unnamed")
def test_over_http_it_is_the_same_and_findings_are_told_once(make_lab):
    lab = make_lab({"deliveries": "http"}).start()
    send(lab, None, key="wk_app", kind="page")
    send(lab, "A", key="wk_app")

    replayed = lab.segment.replay("fme")

    assert (replayed.delivered, len(replayed.dropped)) == (1, 1)
    assert [record["eventTypeId"] for record in lab.split.events()] == ["A"]
    assert [rule for _, rule in found(lab)] == ["split.in.unnamed"]


@pytest.mark.rule("segment.replay")
def test_what_was_replayed_survives_a_restart(make_lab, tmp_path):
    options = {"data": tmp_path / "lab.sqlite"}
    lab = make_lab(options)
    send(lab, "A")
    lab.segment.replay("statsig")
    lab.stop()

    assert names(make_lab(options)) == ["segment::A", "segment::A"]


# ---- what the journal no longer holds


@pytest.mark.rule("segment.replay.evicted")
def test_messages_that_were_evicted_are_told_of(make_lab):
    lab = make_lab({"limit": 6})
    for name in "ABCDEFGH":
        send(lab, name, key="wk_app")

    remarks = lab.segment.replay("statsig", event="H").remarks

    assert [(step.rule, step.level) for step in remarks][:1] == [("segment.replay.evicted", "warning")]
    assert remarks[0].text.startswith(
        "2 messages or requests before 2026-01-02T03:00:00.000Z are no longer in the journal"
    )
    assert found(lab) == [("warning", "segment.replay.evicted")]


@pytest.mark.rule("segment.replay.evicted")
def test_they_are_not_where_the_range_begins_later(make_lab):
    lab = make_lab({"limit": 3})
    for name in "ABCDE":
        send(lab, name, key="wk_app")
        lab.advance(60)

    replayed = lab.segment.replay("statsig", since=NOW + 200)

    assert (replayed.messages, [step.rule for step in replayed.remarks]) == (1, ["segment.replay.off"])


@pytest.mark.rule("segment.replay.evicted")
def test_a_replay_that_fills_the_journal_reaches_every_message_all_the_same(make_lab):
    lab = make_lab({"limit": 40})
    for number in range(40):
        send(lab, f"E{number}", key="wk_app")

    assert lab.segment.replay("statsig").delivered == 40


# ---- a replay of nothing, and bad input


@pytest.mark.rule("segment.replay")
def test_a_replay_of_nothing_says_what_was_asked_and_what_there_is(lab):
    send(lab, "A")
    send(lab, "A", messageId="m-2")
    send(lab, "Home", kind="page")
    lab.advance(60)

    error = raised(
        lambda: lab.segment.replay("statsig", since="2026-01-02T03:01:00Z", source="app", event="Z", type="track")
    )

    assert error.what == (
        "there is no message to replay that was received since 2026-01-02T03:01:00.000Z, of the source app, named 'Z', of type track"
    )
    assert error.where == "the journal"
    assert error.fix == (
        "it holds 3, received 2026-01-02T03:00:00.000Z to 2026-01-02T03:00:00.000Z, of web (3): A (2), Home (1)"
    )
    assert len(lab.exchanges("statsig")) == 0


@pytest.mark.rule("segment.replay")
def test_a_replay_from_an_empty_journal_says_so(lab):
    error = raised(lambda: lab.segment.replay("statsig"))

    assert error.what == "there is no message to replay"
    assert error.fix == "it holds no message that was accepted: send some first"


@pytest.mark.rule("segment.replay")
@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ({"destination": "amplitude"}, "there is no destination 'amplitude'"),
        ({"source": "ios"}, "there is no source 'ios'"),
        ({"type": "tracks"}, "there is no call type 'tracks'"),
        ({"since": "yesterday"}, "since is 'yesterday'"),
        ({"until": True}, "until is True"),
        ({"since": 1767322800000}, "since is 1767322800000"),
        ({"event": ""}, "event is ''"),
        ({"event": [1]}, "event is [1]"),
        ({"event": 1}, "event is 1"),
        (
            {"since": "2026-01-02", "until": "2026-01-01"},
            "until is 2026-01-01T00:00:00.000Z, not after since, 2026-01-02T00:00:00.000Z",
        ),
    ],
)
def test_what_cannot_be_asked_for_is_an_error_in_three_clauses(lab, asked, what):
    send(lab, "A")

    error = raised(lambda: lab.segment.replay(**{"destination": "statsig", **asked}))

    assert (error.what, bool(error.where), bool(error.fix)) == (what, True, True)
