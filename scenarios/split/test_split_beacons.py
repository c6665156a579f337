"""What browsers send when their page is left: a beacon has no headers of its own."""

from __future__ import annotations

from typing import Any

import pytest

from trackside import Lab

CLIENT_KEY = "client-local"
WORKSPACE = {"split": {"environments": {"production": {"sdk_key": "sdk-local", "client_key": CLIENT_KEY}}}}
IMPRESSIONS = [{"f": "banner", "i": [{"k": "u-1", "t": "on", "m": 1735787045000, "c": 1500000000001}]}]
COUNTS = {"pf": [{"f": "banner", "m": 1735786800000, "rc": 4}]}
KEYS = {"keys": [{"k": "u-1", "fs": ["banner"]}]}
EVENTS = [{"key": "u-1", "trafficTypeName": "user", "eventTypeId": "checkout", "timestamp": 1735787045000}]
BEACONS = [
    ("/api/testImpressions/beacon", IMPRESSIONS, "impression"),
    ("/api/testImpressions/count/beacon", COUNTS, "impression_count"),
    ("/api/v1/keys/cs/beacon", KEYS, "unique_keys"),
    ("/api/events/beacon", EVENTS, "event"),
]

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


@pytest.fixture
def beacon(post: Any) -> Any:
    """Return a function that posts as ``navigator.sendBeacon`` does."""

    def send(path: str, entries: Any, token: Any = CLIENT_KEY, **more: Any) -> Any:
        body = {"entries": entries, "token": token, "sdk": "browserjs-1.7.1", **more}
        return post(path, body, None, **{"Content-Type": "text/plain;charset=UTF-8", "Origin": "http://localhost:3000"})

    return send


@pytest.mark.rule("split.beacons", "split.posts.status")
@pytest.mark.parametrize(("path", "entries", "kind"), BEACONS, ids=[row[0] for row in BEACONS])
def test_a_beacon_is_answered_204_and_kept_as_an_ordinary_post(
    path: str, entries: Any, kind: str, beacon: Any, kept: Any, found: Any
) -> None:
    answer = beacon(path, entries)

    assert (answer.status, answer.data) == (204, b"")
    assert [(one["environmentName"], one["sdk"], one["sdkVersion"]) for one in kept(kind)] == [
        ("production", "browserjs", "1.7.1")
    ]
    assert found() == []


@pytest.mark.rule("split.beacons", "split.telemetry")
def test_a_beacon_of_telemetry_is_answered_204(beacon: Any, found: Any) -> None:
    assert beacon("/api/v1/metrics/usage/beacon", {"iQ": 1, "t": []}).status == 204
    assert found() == []


@pytest.mark.rule("split.beacons")
def test_a_beacon_tells_the_impressions_mode(beacon: Any, kept: Any) -> None:
    beacon("/api/testImpressions/beacon", IMPRESSIONS, sim="OPTIMIZED")

    assert [one["impressionsMode"] for one in kept("impression")] == ["OPTIMIZED"]


@pytest.mark.rule("split.beacons", "split.sdk.key")
@pytest.mark.parametrize("token", ["sdk-of-nobody", None, 7, ""])
def test_a_beacon_with_an_unknown_token_is_refused(token: Any, beacon: Any, kept: Any, found: Any) -> None:
    answer = beacon("/api/events/beacon", EVENTS, token)

    assert (answer.status, answer.json()) == (401, "Invalid credentials")
    assert kept("event") == []
    assert ("split.sdk.key", "error", "$.token") in found()


@pytest.mark.rule("split.beacons", "split.posts.malformed")
@pytest.mark.parametrize("entries", [None, {}, "x"])
def test_a_beacon_without_entries_is_refused_with_400(entries: Any, beacon: Any, found: Any) -> None:
    assert beacon("/api/events/beacon", entries).status == 400
    assert found() == [("split.posts.malformed", "error", "$.entries")]


@pytest.mark.rule("split.beacons")
def test_a_beacon_comes_from_another_origin(beacon: Any) -> None:
    answer = beacon("/api/events/beacon", EVENTS)

    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"


@pytest.mark.rule("split.beacons")
def test_an_ordinary_post_of_a_browser_may_send_its_headers(trackside: Lab) -> None:
    import urllib3

    asked = "authorization,content-type,splitsdkversion"
    headers = {"Origin": "http://localhost:3000", "Access-Control-Request-Headers": asked}
    answer = urllib3.request("OPTIONS", f"{trackside.split.url}/api/events/bulk", headers=headers)

    assert (answer.status, answer.headers["Access-Control-Allow-Headers"]) == (204, asked)
