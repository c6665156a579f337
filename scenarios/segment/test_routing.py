"""From a message to the requests of each destination: toggles, filters, mappings, and what partners get."""

import base64
import json

import pytest

TRACK = {"userId": "u-1", "event": "Order Completed", "messageId": "m-1", "properties": {"value": 42, "email": "a@b.c"}}
STATSIG = {"type": "statsig", "api_key": "secret-local"}
LAUNCHDARKLY = {"type": "launchdarkly", "client_side_id": "57be1db38b75bf0772d11384"}
HOOK = {"type": "webhook", "url": "http://127.0.0.1:9/hook"}
ENVIRONMENT = {"launchdarkly": {"environments": {"production": {"client_side_id": "57be1db38b75bf0772d11384"}}}}


@pytest.fixture
def feeding(make_segment):
    """Return a function that makes a Segment whose one source feeds these destinations."""

    def make(**destinations):
        sources = {"web": {"write_key": "wk_web", "destinations": list(destinations)}}
        return make_segment(ENVIRONMENT, sources=sources, destinations=destinations)

    return make


def steps_of(journey, destination):
    return [(step.kind, step.rule, step.code) for step in journey.delivery(destination).all_steps()]


# ---- sources, destinations and their toggles


@pytest.mark.rule("segment.sources", "segment.catalog")
def test_a_source_feeds_the_destinations_that_it_names_in_their_order(feeding):
    journey = feeding(ld=LAUNCHDARKLY, statsig=STATSIG).send("track", **TRACK)

    assert [(row.destination, row.vendor) for row in journey.deliveries] == [
        ("ld", "launchdarkly"),
        ("statsig", "statsig"),
    ]


@pytest.mark.rule("segment.sources")
def test_two_destinations_of_one_vendor_each_get_the_message(feeding):
    journey = feeding(one=STATSIG, two=STATSIG).send("track", **TRACK)

    assert [row.outcome for row in journey.deliveries] == ["delivered", "delivered"]


@pytest.mark.rule("segment.sources")
def test_a_destination_that_is_switched_off_gets_nothing(feeding):
    journey = feeding(statsig={**STATSIG, "enabled": False}).send("track", **TRACK)

    assert steps_of(journey, "statsig") == [("drop", "segment.sources", "")]


@pytest.mark.rule("launchdarkly.in.mapping-enabled")
def test_launchdarkly_switched_off_gets_nothing(feeding):
    journey = feeding(ld={**LAUNCHDARKLY, "enabled": False}).send("track", **TRACK)

    assert steps_of(journey, "ld") == [("drop", "launchdarkly.in.mapping-enabled", "")]


@pytest.mark.rule("segment.sources")
def test_what_the_user_switched_off_is_no_finding(feeding):
    segment = feeding(statsig={**STATSIG, "enabled": False})
    segment.send("track", **TRACK)

    assert list(segment.lab.findings(notes=True)) == []


# ---- what partners get


@pytest.mark.rule("segment.direct")
def test_a_partner_gets_the_raw_message_with_the_api_key_as_basic_user_name(feeding):
    request = feeding(statsig=STATSIG).send("track", **TRACK).delivery("statsig").sent[0].outgoing

    key = base64.b64encode(b"secret-local:").decode()
    assert request.method == "POST"
    assert request.headers == {
        "Accept": "*/*",
        "Authorization": f"Basic {key}",
        "Cache-Control": "no-cache",
        "Connection": "Keep-Alive",
        "Content-Length": str(len(request.body)),
        "Content-Type": "application/json",
        "User-Agent": "Segment.io/1.0",
    }


@pytest.mark.rule("segment.direct", "segment.timestamp")
def test_the_raw_message_is_the_call_with_what_segment_adds(feeding):
    request = feeding(statsig=STATSIG).send("track", **TRACK).delivery("statsig").sent[0].outgoing

    assert json.loads(request.body) == {
        **TRACK,
        "type": "track",
        "timestamp": "2026-01-02T03:00:00.000Z",
        "originalTimestamp": None,
        "sentAt": None,
        "receivedAt": "2026-01-02T03:00:00.000Z",
        "version": 2,
        "channel": "server",
        "projectId": "web",
    }


@pytest.mark.rule("segment.direct")
def test_a_partner_gets_one_request_per_message(feeding):
    segment = feeding(statsig=STATSIG)

    journeys = segment.batch({"type": "track", **TRACK}, {"type": "track", **TRACK, "messageId": "m-2"})

    assert [len(journey.delivery("statsig").sent) for journey in journeys] == [1, 1]


@pytest.mark.rule("segment.direct")
def test_what_the_browser_sdk_sent_comes_by_the_channel_client(feeding):
    context = {"library": {"name": "analytics.js", "version": "npm:next-1.84.3"}}

    request = feeding(statsig=STATSIG).send("track", **TRACK, context=context).delivery("statsig").sent[0].outgoing

    assert json.loads(request.body)["channel"] == "client"


@pytest.mark.rule("segment.nulls")
def test_a_null_id_is_passed_on_as_it_came(feeding):
    journey = feeding(statsig=STATSIG).send("track", **TRACK, anonymousId=None)

    assert json.loads(journey.delivery("statsig").sent[0].outgoing.body)["anonymousId"] is None


@pytest.mark.rule("segment.nulls")
def test_a_setting_takes_nulls_away_before_destinations(make_segment):
    journey = make_segment(nulls="strip").send("track", **TRACK, anonymousId=None)

    assert "anonymousId" not in json.loads(journey.delivery("statsig").sent[0].outgoing.body)


# ---- the catalogue's call types


@pytest.mark.rule("segment.unsupported-type")
def test_by_default_the_vendors_own_page_decides_about_call_types(feeding):
    journey = feeding(statsig=STATSIG).send("screen", userId="u-1", name="Home")

    assert journey.delivery("statsig").outcome == "delivered"
    [note] = [step for step in journey.delivery("statsig").steps if step.rule == "segment.unsupported-type"]
    assert (note.kind, note.level) == ("assumed", "note")


@pytest.mark.rule("segment.unsupported-type")
def test_a_setting_discards_what_the_catalogue_does_not_list(make_segment):
    journey = make_segment(catalog_methods="enforce").send("screen", userId="u-1", name="Home")

    assert steps_of(journey, "statsig") == [("drop", "segment.unsupported-type", "UNSUPPORTED_EVENT_TYPE")]


@pytest.mark.rule("segment.unsupported-type")
def test_unlisted_types_are_discarded_before_filters(make_segment):
    statsig = {**STATSIG, "filters": [{"if": "all", "actions": [{"type": "drop"}]}]}
    segment = make_segment(catalog_methods="enforce", destinations={"statsig": statsig})

    assert steps_of(segment.send("screen", userId="u-1", name="Home"), "statsig") == [
        ("drop", "segment.unsupported-type", "UNSUPPORTED_EVENT_TYPE")
    ]


# ---- filters


@pytest.mark.rule("segment.filter.drop")
def test_a_filter_keeps_a_message_from_its_own_destination_alone(feeding):
    filtered = {**STATSIG, "filters": [{"if": "event = 'Order Completed'", "actions": [{"type": "drop"}]}]}

    journey = feeding(one=filtered, two=STATSIG).send("track", **TRACK)

    assert steps_of(journey, "one")[-1][2] == "FILTERED_BY_RULES"
    assert [row.outcome for row in journey.deliveries] == ["dropped", "delivered"]


@pytest.mark.rule("segment.filter.drop-properties")
def test_what_a_filter_takes_away_does_not_reach_the_destination(feeding):
    filters = [{"if": "all", "actions": [{"type": "drop_properties", "fields": {"properties": ["email"]}}]}]

    journey = feeding(statsig={**STATSIG, "filters": filters}).send("track", **TRACK)

    assert json.loads(journey.delivery("statsig").sent[0].outgoing.body)["properties"] == {"value": 42}
    assert journey.message["properties"]["email"] == "a@b.c"


@pytest.mark.rule("segment.filter.allow-properties", "launchdarkly.in.mapping-enabled")
def test_a_message_whose_type_a_filter_takes_away_matches_no_trigger(feeding):
    filters = [{"if": "all", "actions": [{"type": "allow_properties", "fields": {"": ["event", "userId"]}}]}]

    journey = feeding(ld={**LAUNCHDARKLY, "filters": filters}).send("track", **TRACK)

    assert [step[1] for step in steps_of(journey, "ld")][-1] == "launchdarkly.in.mapping-enabled"


@pytest.mark.rule("segment.integrations")
def test_the_integrations_object_is_looked_at_before_filters(feeding):
    filtered = {**STATSIG, "filters": [{"if": "all", "actions": [{"type": "drop"}]}]}

    journey = feeding(statsig=filtered).send("track", **TRACK, integrations={"All": False})

    assert [code for _, _, code in steps_of(journey, "statsig")] == ["FILTERED_BY_INTEGRATIONS_OBJECT"]


# ---- mappings


@pytest.mark.rule("segment.mappings", "launchdarkly.in.mapping-enabled")
def test_a_destination_without_mappings_of_its_own_has_the_vendors_presets(feeding):
    segment = feeding(ld=LAUNCHDARKLY)

    track, identify = segment.send("track", **TRACK), segment.send("identify", userId="u-1", anonymousId="a-1")

    assert [sent.mapping for sent in track.delivery("ld").sent] == ["Track Event"]
    assert [sent.mapping for sent in identify.delivery("ld").sent] == ["Alias User"]


@pytest.mark.rule("segment.mappings", "launchdarkly.in.mapping-enabled")
def test_an_empty_list_of_mappings_sends_nothing(feeding):
    journey = feeding(ld={**LAUNCHDARKLY, "mappings": []}).send("track", **TRACK)

    assert steps_of(journey, "ld") == [("drop", "launchdarkly.in.mapping-enabled", "NO_MATCHING_MAPPING")]


@pytest.mark.rule("segment.mappings", "launchdarkly.in.mapping-enabled")
def test_a_mapping_that_is_switched_off_sends_nothing(feeding):
    mappings = [{"action": "trackEvent", "enabled": False}]

    journey = feeding(ld={**LAUNCHDARKLY, "mappings": mappings}).send("track", **TRACK)

    assert journey.delivery("ld").sent == []


@pytest.mark.rule("segment.mappings")
def test_what_a_mapping_leaves_out_is_as_in_the_preset_of_its_action(feeding):
    mappings = [{"action": "trackEvent", "name": "Orders", "trigger": 'event = "Order Completed"'}]

    [sent] = feeding(ld={**LAUNCHDARKLY, "mappings": mappings}).send("track", **TRACK).delivery("ld").sent

    assert sent.mapping == "Orders"
    [event] = json.loads(sent.outgoing.body)
    assert (event["key"], event["metricValue"], event["contextKeys"]) == ("Order Completed", 42, {"user": "u-1"})


@pytest.mark.rule("segment.mappings", "segment.triggers")
def test_a_mapping_takes_only_what_its_trigger_matches(feeding):
    mappings = [{"action": "trackEvent", "trigger": 'event = "Signed Up"'}]

    journey = feeding(ld={**LAUNCHDARKLY, "mappings": mappings}).send("track", **TRACK)

    assert steps_of(journey, "ld") == [("drop", "launchdarkly.in.mapping-enabled", "NO_MATCHING_MAPPING")]


@pytest.mark.rule("segment.mappings")
def test_each_matching_mapping_makes_a_request_of_its_own(feeding):
    mappings = [{"action": "trackEvent", "name": "One"}, {"action": "trackEvent", "name": "Two"}]

    delivery = feeding(ld={**LAUNCHDARKLY, "mappings": mappings}).send("track", **TRACK).delivery("ld")

    assert [(sent.mapping, sent.outcome) for sent in delivery.sent] == [("One", "delivered"), ("Two", "delivered")]


@pytest.mark.rule("segment.triggers.invalid")
def test_a_trigger_that_cannot_be_read_matches_nothing_and_says_so(feeding):
    mappings = [{"action": "trackEvent", "trigger": 'event = "Order Completed'}]

    journey = feeding(ld={**LAUNCHDARKLY, "mappings": mappings}).send("track", **TRACK)

    [(kind, rule, _)] = steps_of(journey, "ld")
    assert (kind, rule) == ("drop", "segment.triggers.invalid")


@pytest.mark.rule("launchdarkly.in.other-calls")
@pytest.mark.parametrize("kind", ["page", "screen", "group"])
def test_calls_that_match_no_preset_of_launchdarkly_are_a_note(feeding, kind):
    segment = feeding(ld=LAUNCHDARKLY)

    journey = segment.send(kind, userId="u-1", name="Home", groupId="g-1")

    [step] = journey.delivery("ld").all_steps()
    assert (step.rule, step.code, step.level) == ("launchdarkly.in.other-calls", "NO_MATCHING_MAPPING", "note")


# ---- webhooks (nobody listens there: these scenarios look only at the request)


def hook_request(segment, kind="track", **call):
    return segment.send(kind, **(call or TRACK)).delivery("hook").sent[0].outgoing


@pytest.mark.rule("segment.webhook.request", "segment.mappings")
def test_a_webhook_without_mappings_gets_every_call_as_it_is(feeding):
    segment = feeding(hook=HOOK)

    request = hook_request(segment)

    assert (request.method, request.url) == ("POST", "http://127.0.0.1:9/hook")
    assert json.loads(request.body)["event"] == "Order Completed"
    assert (
        json.loads(hook_request(segment, "identify", userId="u-1", traits={"plan": "pro"}).body)["type"] == "identify"
    )


@pytest.mark.rule("segment.webhook.request")
def test_a_webhook_has_a_method_and_headers_of_the_users(feeding):
    request = hook_request(feeding(hook={**HOOK, "method": "PUT", "headers": {"Authorization": "Bearer local"}}))

    assert request.method == "PUT"
    assert request.headers == {
        "user-agent": "Segment (Actions)",
        "authorization": "Bearer local",
        "content-type": "application/json",
    }


@pytest.mark.rule("segment.mappings")
def test_a_webhooks_mapping_takes_address_and_method_from_the_destination(feeding):
    mappings = [{"action": "send", "trigger": 'type = "track"', "mapping": {"data": {"name": {"@path": "$.event"}}}}]

    request = hook_request(feeding(hook={**HOOK, "method": "PATCH", "mappings": mappings}))

    assert (request.method, request.url) == ("PATCH", "http://127.0.0.1:9/hook")
    assert json.loads(request.body) == {"name": "Order Completed"}


@pytest.mark.rule("segment.delivery.address")
def test_a_mapping_may_name_another_address(feeding):
    mappings = [{"action": "send", "mapping": {"url": "http://127.0.0.1:7/other"}}]

    assert hook_request(feeding(hook={**HOOK, "mappings": mappings})).url == "http://127.0.0.1:7/other"


@pytest.mark.rule("segment.delivery.address")
def test_an_event_cannot_name_one(feeding):
    mappings = [{"action": "send", "mapping": {"url": {"@path": "$.properties.callback"}}}]
    segment = feeding(hook={**HOOK, "mappings": mappings})

    delivery = segment.send("track", userId="u-1", event="E", properties={"callback": "http://10.0.0.1/"}).delivery(
        "hook"
    )

    assert delivery.sent == []
    assert [(step.kind, step.rule, step.level) for step in delivery.steps] == [
        ("drop", "segment.delivery.address", "warning")
    ]


@pytest.mark.rule("segment.delivery.address")
def test_an_event_may_choose_the_path_on_a_named_host(feeding):
    mappings = [{"action": "send", "mapping": {"url": {"@path": "$.properties.callback"}}}]
    segment = feeding(hook={**HOOK, "mappings": mappings})

    journey = segment.send("track", userId="u-1", event="E", properties={"callback": "http://127.0.0.1:9/orders"})

    assert [sent.outgoing.url for sent in journey.delivery("hook").sent] == ["http://127.0.0.1:9/orders"]
