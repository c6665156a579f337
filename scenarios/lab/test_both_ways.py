"""Each delivery inside the lab is a function call or goes over HTTP, and both tell the same."""

import base64
import json

import pytest

from trackside.wire import Request

NOW = 1767322800.0
CALLS = [
    {"type": "track", "userId": "u-1", "event": "Order Completed", "properties": {"value": 42, "list": [1]}},
    {
        "type": "track",
        "userId": "u-2",
        "event": "A & B",
        "properties": {"value": "9", "statsigCustomIDs": ["companyID"]},
    },
    {"type": "track", "anonymousId": "a-1", "userId": None, "event": "Zoë bought 日本"},
    {"type": "identify", "userId": "u-1", "anonymousId": "a-1", "traits": {"plan": "pro", "company": {"id": 7}}},
    {"type": "page", "userId": "u-1", "name": "Home"},
    {"type": "page", "userId": "u-1"},
    {"type": "screen", "userId": "u-1", "name": "Home"},
    {"type": "group", "userId": "u-1", "groupId": "g-1", "traits": {"split": {"account": "acc-1"}, "plan": "pro"}},
    {"type": "alias", "userId": "u-1", "previousId": "a-1"},
    {"type": "track", "userId": "u-1"},
]
BATCH = [{**call, "messageId": f"m-{number}"} for number, call in enumerate(CALLS)]

WRONG_KEYS = {
    "segment": {
        "sources": {"web": {"write_key": "wk_web", "destinations": ["statsig", "fme-user", "ld"]}},
        "destinations": {
            "statsig": {"type": "statsig", "api_key": "stale"},
            "fme-user": {"type": "split", "api_key": "stale"},
            "ld": {"type": "launchdarkly", "client_side_id": "stale"},
        },
    },
    "statsig": {"server_secret": "secret-local"},
    "split": {
        "environments": {"production": {}},
        "segment_inbound": [{"api_key": "fme-key", "environment": "production"}],
    },
    "launchdarkly": {"environments": {"production": {"client_side_id": "57be1db38b75bf0772d11384"}}},
}

TAKEN = {"statsig": {"server_secret": "secret-local", "id_lists": {"members": []}}}


@pytest.fixture
def both_ways(make_trackside, post):
    """Return a function that sends the batch through a lab with direct deliveries and one with deliveries over HTTP."""

    def run(workspace=None):
        labs = [make_trackside(workspace, start_at=NOW, deliveries=way) for way in ("direct", "http")]
        for lab in labs:
            post(lab, "/v1/batch", {"writeKey": "wk_web", "batch": BATCH})
            lab.settle()
        return labs

    return run


def told(lab, destination):
    """Return all that a lab tells of one destination, message by message."""
    deliveries = [journey.delivery(destination) for journey in lab.journeys()]
    return [delivery.as_json() if delivery else None for delivery in deliveries]


LEGS = {"statsig": "statsig", "fme-user": "split", "ld": "launchdarkly"}


@pytest.mark.rule("segment.direct", "segment.mappings")
@pytest.mark.parametrize("destination", LEGS)
def test_a_leg_tells_the_same_both_ways(both_ways, destination):
    direct, over_http = both_ways()

    assert told(over_http, destination) == told(direct, destination)
    assert [row["outcome"] for row in told(direct, destination) if row] != []


@pytest.mark.rule("statsig.in.auth", "split.in.api-key", "launchdarkly.events.unknown-client-side-id")
@pytest.mark.parametrize("destination", LEGS)
def test_a_refused_leg_tells_the_same_both_ways(both_ways, destination):
    direct, over_http = both_ways(WRONG_KEYS)

    assert told(over_http, destination) == told(direct, destination)
    assert {row["outcome"] for row in told(direct, destination) if row and row["requests"]} == {"failed"}


@pytest.mark.parametrize("vendor", LEGS.values())
def test_a_vendor_keeps_the_same_both_ways(both_ways, vendor):
    direct, over_http = both_ways()

    def kept(lab):
        return sorted(json.dumps(one.record, sort_keys=True) for one in lab.kept(vendor))

    assert kept(over_http) == kept(direct) != []


@pytest.mark.parametrize("workspace", [None, WRONG_KEYS], ids=["demo", "wrong keys"])
def test_the_findings_are_the_same_both_ways(both_ways, workspace):
    direct, over_http = both_ways(workspace)

    findings = [[finding.as_json() for finding in lab.findings(notes=True)] for lab in (direct, over_http)]

    assert findings[1] == findings[0] != []


@pytest.mark.rule("segment.direct")
def test_over_http_the_vendor_gets_exactly_the_request_of_the_journey(both_ways):
    _, lab = both_ways()

    shown = lab.journey("m-0").delivery("statsig").sent[0].outgoing
    [row] = [row for row in lab.exchanges("statsig") if row.request.body == shown.body]
    assert (row.request.method, row.request.path) == ("POST", "/v1/webhooks/segment_webhook")
    key = base64.b64encode(b"secret-local:").decode()
    assert (row.request.headers["authorization"], row.request.headers["user-agent"]) == (
        f"Basic {key}",
        "Segment.io/1.0",
    )


@pytest.mark.rule("segment.delivery.retry")
@pytest.mark.parametrize("way", ["direct", "http"])
def test_a_fault_of_the_vendor_is_met_both_ways(make_trackside, track, way):
    lab = make_trackside(start_at=NOW, deliveries=way)
    lab.split.fail(503)
    track(lab)
    lab.settle()
    assert lab.journey("m-1").delivery("split").outcome == "awaiting_retry"

    lab.advance(10)

    sent = lab.journey("m-1").delivery("split").sent[0]
    assert ([attempt.status for attempt in sent.attempts], len(sent.records)) == ([503, 200], 1)


@pytest.mark.parametrize("name", ["x-trackside-cause", "x-trackside-delivery"])
@pytest.mark.parametrize("value", ["abc", "1", "1 2 3", "[1]", '["a", "b", "c", {}]', "9" * 30 + " 0"])
def test_a_header_of_the_labs_own_that_somebody_else_wrote_changes_nothing(make_trackside, name, value):
    lab = make_trackside(TAKEN, deliveries="http")
    headers = {"authorization": "Basic " + base64.b64encode(b"secret-local:").decode(), name: value}
    body = b'{"type": "identify", "userId": "u-1", "traits": {"members": true}}'
    answer = lab.receive("statsig", Request("POST", "/v1/webhooks/segment", headers, body))

    assert (answer.status, lab.statsig.id_list("members").ids, lab.errors) == (200, ["u-1"], [])
