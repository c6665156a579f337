"""The anonymous join: SDK users who carry Segment's anonymousId are the units of Segment's anonymous events."""

from __future__ import annotations

from typing import Any

import pytest
import urllib3

from trackside import Lab
from trackside.errors import TracksideError
from trackside.statsig.units import joined, unit_of

STATSIG: dict[str, Any] = {
    "server_secret": "secret-local",
    "console_key": "console-local",
    "id_types": ["segmentAnonymousId"],
    "segment_inbound": {"map_identifiers": {"anonymousId": "segmentAnonymousId"}},
    "experiments": {
        "checkout": {
            "groups": {"control": {"color": "red"}, "test": {"color": "blue"}},
            "id_type": "segmentAnonymousId",
        }
    },
}
WORKSPACE = {
    "segment": {
        "sources": {"web": {"write_key": "wk_web", "destinations": ["to-statsig"]}},
        "destinations": {"to-statsig": {"type": "statsig", "api_key": "secret-local"}},
    },
    "statsig": STATSIG,
}
METADATA = {"config": "checkout", "ruleID": "test", "rulePassed": "true"}

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


def log(call: Any, name: str, user: dict[str, Any], **more: Any) -> None:
    """Post an event as an SDK does."""
    event = {"eventName": name, "user": user, "time": 1_795_313_690_626, **more}
    assert call("/v1/log_event", {"events": [event]}, statsig_api_key="secret-local").status == 202


def track(lab: Lab, event: str, **ids: str) -> None:
    """Send a track call to Segment."""
    body = {"writeKey": "wk_web", "event": event, **ids}
    assert urllib3.request("POST", f"{lab.segment.url}/v1/track", json=body).status == 200


@pytest.mark.rule("statsig.in.anonymous-join", "statsig.in.map-identifier")
def test_an_sdk_user_with_segments_anonymous_id_joins_segments_events(trackside: Lab, call: Any) -> None:
    log(call, "statsig::config_exposure", {"customIDs": {"segmentAnonymousId": "a-1"}}, metadata=METADATA)
    track(trackside, "Product Viewed", anonymousId="a-1")
    track(trackside, "Product Viewed", anonymousId="a-2")

    found = trackside.statsig.joined("segmentAnonymousId", "a-1")

    [exposure], [event] = found.exposures, found.events
    assert (exposure["exposure"]["name"], exposure["exposure"]["unitID"], exposure["exposure"]["group"]) == (
        "checkout",
        "segmentAnonymousId",
        "test",
    )
    assert (event["eventName"], event["user"]["customIDs"]) == (
        "segment::Product Viewed",
        {"segmentAnonymousId": "a-1"},
    )


@pytest.mark.rule("statsig.in.anonymous-join")
def test_who_signs_up_is_joined_by_both_ids(trackside: Lab, call: Any) -> None:
    track(trackside, "Product Viewed", anonymousId="a-1")
    track(trackside, "Signed Up", anonymousId="a-1", userId="u-1")
    log(call, "purchase", {"userID": "u-1", "customIDs": {"segmentAnonymousId": "a-1"}})
    log(call, "refund", {"userID": "u-1"})

    def names(id_type: str, unit: str) -> list[str]:
        return [event["eventName"] for event in trackside.statsig.joined(id_type, unit).events]

    assert names("segmentAnonymousId", "a-1") == ["segment::Product Viewed", "segment::Signed Up", "purchase"]
    assert names("userID", "u-1") == ["segment::Signed Up", "purchase", "refund"]


@pytest.mark.rule("statsig.in.anonymous-join")
def test_a_user_without_the_id_joins_nothing(trackside: Lab, call: Any) -> None:
    log(call, "statsig::config_exposure", {"userID": "a-1"}, metadata=METADATA)

    found = trackside.statsig.joined("segmentAnonymousId", "a-1")
    assert (found.exposures, found.events) == ([], [])


@pytest.mark.rule("statsig.in.anonymous-join", "statsig.in.id-type-known")
def test_an_id_type_that_the_project_does_not_have_is_told(trackside: Lab) -> None:
    with pytest.raises(TracksideError) as raised:
        trackside.statsig.joined("segmentAnonymousID", "a-1")

    assert str(raised.value) == (
        "the project has no ID type 'segmentAnonymousID'. statsig.id_types. "
        "declare it; known are: userID, stableID, segmentAnonymousId."
    )


@pytest.mark.rule("statsig.in.anonymous-join")
def test_an_id_type_that_the_console_api_made_is_known(trackside: Lab, call: Any) -> None:
    made = call("/console/v1/unit_id_types", {"name": "deviceID"}, statsig_api_key="console-local")
    assert made.status == 201
    log(call, "purchase", {"customIDs": {"deviceID": "d-1"}})

    assert [event["eventName"] for event in trackside.statsig.joined("deviceID", "d-1").events] == ["purchase"]


@pytest.mark.rule("statsig.in.anonymous-join")
@pytest.mark.parametrize(
    ("record", "id_type", "unit"),
    [
        ({"user": {"userID": "u-1"}}, "userID", "u-1"),
        ({"user": {"customIDs": {"companyID": "c-1"}}}, "companyID", "c-1"),
        ({"user": {"customIDs": {"companyid": "c-1"}}}, "companyID", "c-1"),
        ({"user": {}, "statsigMetadata": {"stableID": "s-1"}}, "stableID", "s-1"),
        ({"user": {"customIDs": {"stableID": "s-2"}}}, "stableID", "s-2"),
        ({"user": {"userID": None}}, "userID", None),
        ({"user": {}}, "companyID", None),
    ],
)
def test_the_unit_of_a_record_is_found_by_its_id_type(record: Any, id_type: str, unit: str | None) -> None:
    assert unit_of(record, id_type) == unit


@pytest.mark.rule("statsig.in.anonymous-join")
def test_what_is_neither_exposure_nor_event_is_not_joined() -> None:
    records = [{"kind": kind, "user": {"userID": "u-1"}} for kind in ("diagnostics", "config_change")]

    found = joined(records, "userID", "u-1", ())
    assert (found.exposures, found.events) == ([], [])
