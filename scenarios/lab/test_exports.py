"""What vendors send back to Segment, as the lab tells it: what was made of what, and how much may wait."""

from __future__ import annotations

import orjson
import pytest

from trackside.admin import make_admin
from trackside.cli.rows import event_row, line
from trackside.wire import Request

WORKSPACE = {
    "segment": {"sources": {"back": {"write_key": "wk_back"}}},
    "statsig": {"server_secret": "secret", "segment_outbound": {"enabled": True, "write_key": "wk_back"}},
}

pytestmark = [pytest.mark.rule("statsig.out.event")]


@pytest.fixture
def lab(new_lab):
    return new_lab(WORKSPACE)


def post(lab, count=1):
    events = [{"eventName": "Paid", "user": {"userID": "u-1"}, "time": 1767322800000}] * count
    body = orjson.dumps({"events": events, "statsigMetadata": {}})
    lab.receive("statsig", Request("POST", "/v1/log_event", {"statsig-api-key": "secret"}, body))


def test_a_message_tells_what_it_was_made_of_and_the_request_what_was_made_of_it(lab):
    post(lab)
    admin = make_admin(lab, local=True).test_client()

    [journey] = admin.get("/journeys", headers={"Host": "127.0.0.1"}).json
    made, asked = admin.get("/exchanges", headers={"Host": "127.0.0.1"}).json

    assert journey["origin"] == {"exchange": asked["seq"], "vendor": "statsig", "what": "POST /v1/log_event"}
    assert (asked["made"], made["made"], journey["exchange"]) == ([made["seq"]], [], made["seq"])


def test_the_log_names_the_vendor_that_sent_an_event(lab):
    post(lab)

    [journey] = lab.journeys()

    assert "from statsig" in line(event_row(journey.as_json()))


def test_so_many_exports_may_wait_and_no_more(lab):
    with lab.lock:  # so that the thread that makes them has to wait
        for _ in range(2):
            post(lab, 5_000)
        assert [row.vendor for row in lab.journal.rows()] == ["statsig", "statsig"]
        post(lab)
        assert sum(row.vendor == "segment" for row in lab.journal.rows()) == 11

    assert len(lab.segment.events()) == 10_001
