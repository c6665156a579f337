"""A batch that an SDK sends again with the same payload ID is answered like the first and kept once."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import urllib3

from trackside.lab import Lab
from trackside.launchdarkly.payloads import SeenPayloads
from trackside.wire import Request

EVENT = {"kind": "custom", "key": "Order Completed", "creationDate": 1795293287852, "contextKeys": {"user": "u-1"}}
FIRST, SECOND = "11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"
WORKSPACE = {
    "launchdarkly": {
        "environments": {
            "production": {"client_side_id": "57be1db38b75bf0772d11384", "sdk_key": "sdk-production"},
            "staging": {"client_side_id": "67be1db38b75bf0772d11385", "sdk_key": "sdk-staging"},
        }
    }
}

pytestmark = [
    pytest.mark.rule("launchdarkly.events.payload-id"),
    pytest.mark.trackside(workspace=WORKSPACE),
]


def send(lab: Lab, payload_id: str | None = FIRST, events: Any = None, key: str = "sdk-production") -> int:
    headers = {"Authorization": key, "X-LaunchDarkly-Event-Schema": "4"}
    if payload_id is not None:
        headers["X-LaunchDarkly-Payload-ID"] = payload_id
    body = orjson.dumps([EVENT] if events is None else events)
    return urllib3.request("POST", f"{lab.urls['launchdarkly']}/bulk", headers=headers, body=body).status


def test_a_repeated_payload_id_is_answered_202_and_kept_once(trackside: Lab) -> None:
    assert [send(trackside), send(trackside)] == [202, 202]

    assert len(trackside.launchdarkly.events(name="Order Completed")) == 1


def test_a_repeat_is_noted_with_its_id(trackside: Lab) -> None:
    send(trackside)
    send(trackside)

    [finding] = trackside.findings(notes=True)
    assert (finding.step.rule, finding.step.level) == ("launchdarkly.events.payload-id", "note")
    assert FIRST in finding.step.text


def test_batches_with_ids_of_their_own_are_all_kept(trackside: Lab) -> None:
    assert [send(trackside, FIRST), send(trackside, SECOND)] == [202, 202]

    assert len(trackside.launchdarkly.events()) == 2


def test_events_without_a_payload_id_are_never_a_repeat(trackside: Lab) -> None:
    assert [send(trackside, None), send(trackside, None)] == [202, 202]

    assert len(trackside.launchdarkly.events()) == 2


def test_a_refused_batch_may_be_sent_again_with_the_same_id(trackside: Lab) -> None:
    assert [send(trackside, events={}), send(trackside)] == [400, 202]

    assert len(trackside.launchdarkly.events()) == 1


def test_a_batch_that_met_a_fault_is_kept_when_it_is_sent_again(trackside: Lab) -> None:
    trackside.launchdarkly.fail(503, times=1)

    assert [send(trackside), send(trackside)] == [503, 202]
    assert len(trackside.launchdarkly.events()) == 1


def test_the_same_id_from_another_environment_is_no_repeat(trackside: Lab) -> None:
    assert [send(trackside), send(trackside, key="sdk-staging")] == [202, 202]

    assert [event["environment"] for event in trackside.launchdarkly.events()] == ["production", "staging"]


def test_a_repeat_with_a_wrong_key_is_refused(trackside: Lab) -> None:
    assert [send(trackside), send(trackside, key="sdk-wrong")] == [202, 401]


def test_ids_are_forgotten_when_the_lab_is_reset(trackside: Lab) -> None:
    send(trackside)
    trackside.reset()
    send(trackside)

    assert len(trackside.launchdarkly.events()) == 1


def test_so_many_ids_are_remembered_and_the_oldest_go_first() -> None:
    seen = SeenPayloads(limit=2)
    requests = [Request("POST", "/bulk", {"x-launchdarkly-payload-id": name}) for name in ("a", "b", "c")]

    assert [seen.repeated(request) for request in requests] == [False, False, False]
    assert len(seen) == 2
    assert [seen.repeated(requests[2]), seen.repeated(requests[0])] == [True, False]
