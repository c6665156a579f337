"""How Harness FME answers Segment's Split destination."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from trackside.split.errors import unknown_path
from trackside.split.routes import ROUTES
from trackside.split.segment_destination import SEGMENT_DESTINATION
from trackside.split.settings import Environment, SegmentInbound, SplitSettings
from trackside.wire import Answer, Request, Router

SETTINGS = SplitSettings(
    environments={"production": Environment("sdk-local"), "staging": Environment()},
    segment_inbound=(
        SegmentInbound("fme-key", environment="production"),
        SegmentInbound("other-key", environment="staging"),
    ),
)
TRACK = {"type": "track", "event": "Checkout", "userId": "u-1", "properties": {"value": 42}}


def deliver(body: object, key: str | None = "fme-key", settings: SplitSettings = SETTINGS, **request: Any) -> Answer:
    """Post a call to the destination's endpoint as Segment does, with the key as Basic user name."""
    found = Router(ROUTES).find("POST", SEGMENT_DESTINATION)
    assert found is not None
    headers = {} if key is None else {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return found[0].endpoint(Request("POST", SEGMENT_DESTINATION, headers, content, **request), settings)


@pytest.mark.rule("split.in.api-key", "split.in.path")
def test_a_delivery_with_the_configurations_key_is_accepted() -> None:
    answer = deliver(TRACK)
    assert (answer.status, json.loads(answer.body)) == (200, {})
    assert [(record["eventTypeId"], record["key"]) for record in answer.records] == [("Checkout", "u-1")]


@pytest.mark.rule("split.in.api-key")
def test_a_delivery_without_a_key_is_refused_with_401() -> None:
    answer = deliver(TRACK, key=None)
    assert (answer.status, json.loads(answer.body)) == (401, {"message": "API key missing"})
    assert answer.records == []


@pytest.mark.rule("split.in.api-key")
def test_a_delivery_with_an_empty_key_is_refused_with_401() -> None:
    assert deliver(TRACK, key="").status == 401


@pytest.mark.rule("split.in.api-key")
def test_a_delivery_with_a_wrong_key_is_refused_with_403() -> None:
    answer = deliver(TRACK, key="stale-key")
    assert (answer.status, json.loads(answer.body)) == (403, {"message": "API key not valid"})
    assert [(step.rule, step.level) for step in answer.steps] == [("split.in.api-key", "error")]


@pytest.mark.rule("split.in.api-key")
def test_a_refused_key_is_not_repeated_in_the_reason() -> None:
    answer = deliver(TRACK, key="stale-key")
    assert "stale-key" not in answer.body.decode() + str(answer.steps[0])


@pytest.mark.rule("split.in.api-key", "split.in.environment")
def test_the_key_selects_one_configuration_and_its_environment() -> None:
    assert {record["environmentName"] for record in deliver(TRACK, key="other-key").records} == {"staging"}


@pytest.mark.rule("split.in.api-key")
def test_any_key_selects_the_first_configuration_in_a_demo_workspace() -> None:
    demo = SplitSettings(segment_inbound=SETTINGS.segment_inbound, any_key=True)
    assert {record["environmentName"] for record in deliver(TRACK, "whatever", demo).records} == {"production"}


@pytest.mark.rule("split.in.api-key")
def test_a_known_key_is_not_overruled_by_any_key() -> None:
    demo = SplitSettings(segment_inbound=SETTINGS.segment_inbound, any_key=True)
    assert {record["environmentName"] for record in deliver(TRACK, "other-key", demo).records} == {"staging"}


@pytest.mark.rule("split.in.api-key")
def test_a_workspace_without_configurations_accepts_no_key() -> None:
    assert deliver(TRACK, settings=SplitSettings(any_key=True)).status == 403


@pytest.mark.rule("split.in.malformed")
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", [TRACK], "track", {"event": "Checkout"}, {"type": 7}])
def test_a_body_that_is_no_call_is_refused_with_400(body: object) -> None:
    answer = deliver(body)
    assert answer.status == 400
    assert list(json.loads(answer.body)) == ["message"]
    assert [(step.rule, step.level) for step in answer.steps] == [("split.in.malformed", "error")]


@pytest.mark.rule("split.in.malformed")
def test_a_body_that_could_not_be_decoded_is_refused_with_400() -> None:
    answer = deliver(b"\x1f\x8b", undecodable="not a gzip stream")
    assert json.loads(answer.body) == {"message": "the body cannot be decoded: not a gzip stream"}


@pytest.mark.rule("split.in.unsupported")
@pytest.mark.parametrize("kind", ["alias", "delete"])
def test_a_type_that_is_not_processed_is_refused_with_501(kind: str) -> None:
    answer = deliver({"type": kind, "previousId": "a-1", "userId": "u-1"})
    assert (answer.status, json.loads(answer.body)) == (501, {"message": f"{kind} calls are not supported"})
    assert [(step.kind, step.rule) for step in answer.steps] == [("drop", "split.in.unsupported")]


@pytest.mark.rule("split.in.unsupported")
def test_a_type_that_is_not_processed_is_answered_200_where_the_workspace_says_so() -> None:
    settings = SplitSettings(
        segment_inbound=(SegmentInbound("fme-key", environment="production", unsupported="ignore"),)
    )
    answer = deliver({"type": "alias", "previousId": "a-1", "userId": "u-1"}, settings=settings)
    assert (answer.status, json.loads(answer.body), answer.records) == (200, {}, [])
    assert [(step.kind, step.rule) for step in answer.steps] == [("drop", "split.in.unsupported")]


@pytest.mark.rule("split.in.specs")
@pytest.mark.parametrize("kind", ["identify", "group", "track", "page", "screen"])
def test_the_five_call_types_are_processed(kind: str) -> None:
    assert deliver({"type": kind, "userId": "u-1"}).status == 200


@pytest.mark.rule("split.in.event-type-required")
def test_a_call_that_is_dropped_is_answered_as_success() -> None:
    answer = deliver({"type": "track", "userId": "u-1"})
    assert (answer.status, answer.records) == (200, [])
    assert [step.kind for step in answer.steps] == ["drop"]


@pytest.mark.rule("split.in.timestamp")
def test_a_call_without_a_moment_gets_the_requests() -> None:
    assert deliver(TRACK, at=1735787045.5).records[0]["timestamp"] == 1735787045500


@pytest.mark.rule("split.unknown-path")
def test_an_unknown_path_is_answered_in_the_vendors_shape() -> None:
    answer = unknown_path(Request("GET", "/nowhere"), SETTINGS, Router(ROUTES).paths())
    assert (answer.status, json.loads(answer.body)) == (404, {"code": 404, "message": "Not found"})
    assert answer.steps[0].fix.startswith("use one of: ")
    assert "POST /segment" in answer.steps[0].fix
