"""The control API of Segment's tools: the catalogue, the Event Tester, Replay."""

import pytest

TRACK = {"type": "track", "event": "Order Completed", "userId": "u-1"}


@pytest.fixture
def admin(trackside, http_json):
    """Return a function that asks the control API of the running lab."""

    def ask(method, path, body=None):
        return http_json(method, trackside.urls["admin"] + path, body)

    return ask


@pytest.fixture
def sent(trackside, http_json):
    """A message that went through Segment."""
    http_json("POST", f"{trackside.segment.url}/v1/track", {"writeKey": "wk_web", "messageId": "m-1", **TRACK})


@pytest.mark.rule("segment.catalog")
def test_the_catalogue(trackside, admin):
    assert admin("GET", "/catalog") == (200, trackside.segment.catalog())


@pytest.mark.rule("segment.event-tester")
def test_a_test_event(trackside, admin):
    status, tested = admin("POST", "/event-tester", {"destination": "ld", "event": TRACK})

    assert (status, tested["outcome"]) == (200, "delivered")
    assert [(row["mapping"], row["matched"]) for row in tested["mappings"]] == [
        ("Track Event", True),
        ("Alias User", False),
    ]
    assert tested["requests"][0]["attempts"][0]["status"] == 202
    trackside.launchdarkly.expect_only("Order Completed")


@pytest.mark.rule("segment.replay")
def test_a_replay(trackside, admin, sent):
    body = {
        "destination": "fme-user",
        "since": "2020-01-01",
        "until": None,
        "source": "web",
        "event": ["Order Completed"],
    }

    status, replayed = admin("POST", "/replay", body)

    assert (status, replayed["messages"], replayed["delivered"]) == (200, 1, 1)
    trackside.split.expect_event("Order_Completed", count=2)


@pytest.mark.rule("segment.replay")
def test_a_replay_of_nothing_is_a_400_that_says_what_there_is(admin, sent):
    status, answer = admin("POST", "/replay", {"destination": "fme-user", "event": "Nothing"})

    assert (status, answer["error"]["what"]) == (400, "there is no message to replay that was named 'Nothing'")
    assert "Order Completed (1)" in answer["error"]["fix"]


@pytest.mark.rule("segment.replay", "segment.event-tester")
@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("/event-tester", {}, "$.destination"),
        ("/event-tester", {"destination": "ld"}, "$.event"),
        ("/event-tester", {"destination": "ld", "event": "track"}, "$.event"),
        ("/event-tester", {"destination": "nowhere", "event": TRACK}, "segment.destinations"),
        ("/event-tester", {"destination": "ld", "event": TRACK, "times": 2}, "$.times"),
        ("/replay", {}, "$.destination"),
        ("/replay", {"destination": ["ld"]}, "$.destination"),
        ("/replay", {"destination": "nowhere"}, "segment.destinations"),
        ("/replay", {"destination": "ld", "source": 1}, "$.source"),
        ("/replay", {"destination": "ld", "since": {}}, "since"),
        ("/replay", {"destination": "ld", "events": "A"}, "$.events"),
    ],
)
def test_what_cannot_be_read_is_a_400_in_three_clauses(admin, path, body, where):
    status, answer = admin("POST", path, body)

    assert (status, answer["error"]["where"]) == (400, where)
    assert answer["error"]["what"]
    assert answer["error"]["fix"]
