"""The public Events API: events that a program posts without an SDK."""

from __future__ import annotations

from typing import Any

import pytest

WORKSPACE = {
    "split": {"environments": {"production": {"sdk_key": "sdk-local", "client_key": "client-local"}}},
}
EVENT = {"eventTypeId": "checkout", "trafficTypeName": "user", "key": "u-1", "timestamp": 1735787045000}

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


@pytest.mark.rule("split.events.single")
@pytest.mark.parametrize("key", ["sdk-local", "client-local"])
def test_one_event_is_taken_with_either_kind_of_sdk_key(key: str, post: Any, kept: Any, found: Any) -> None:
    answer = post("/api/events", EVENT, key=key)

    assert (answer.status, answer.data) == (202, b"")
    assert [(one["eventTypeId"], one["value"], one["properties"]) for one in kept("event")] == [("checkout", None, {})]
    assert found() == []


@pytest.mark.rule("split.events.source")
def test_an_event_that_no_sdk_sent_comes_from_the_api(post: Any, kept: Any) -> None:
    post("/api/events", EVENT)
    post("/api/events/bulk", [EVENT])

    assert [(one["source"], one["sdk"]) for one in kept("event")] == [("API", None), ("API", None)]


@pytest.mark.rule("split.events.single")
@pytest.mark.parametrize("name", list(EVENT))
def test_an_event_without_a_required_field_is_refused_with_400(name: str, post: Any, kept: Any, found: Any) -> None:
    answer = post("/api/events", {field: value for field, value in EVENT.items() if field != name})

    assert answer.status == 400
    assert answer.json() == {"code": 400, "message": f"{name} is missing or of another type: the event is dropped"}
    assert kept("event") == []
    assert found() == [("split.events.required", "error", f"$.{name}")]


@pytest.mark.rule("split.posts.malformed")
def test_a_list_of_events_belongs_to_the_bulk_path(post: Any, kept: Any, found: Any) -> None:
    assert post("/api/events", [EVENT]).status == 400
    assert (kept("event"), found()) == ([], [("split.posts.malformed", "error", "$")])


@pytest.mark.rule("split.events.name")
def test_a_misnamed_event_is_taken_and_dropped(post: Any, kept: Any, found: Any) -> None:
    assert post("/api/events", {**EVENT, "eventTypeId": "Bid Placed"}).status == 202
    assert (kept("event"), found()) == ([], [("split.events.name", "error", "$.eventTypeId")])


@pytest.mark.rule("split.sdk.key")
def test_the_admin_key_is_no_sdk_key(post: Any, kept: Any) -> None:
    answer = post("/api/events", EVENT, key="admin-local")

    assert (answer.status, answer.json()) == (401, "Invalid credentials")
    assert kept("event") == []
