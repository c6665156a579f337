"""Harness FME as a Segment destination by webhook: its address, its secret, and the same mapping as by API key."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
import urllib3

from trackside import Lab, TracksideError, WorkspaceError
from trackside.checks import request_faults
from trackside.cli.addresses import options
from trackside.explain import explain
from trackside.split.settings import SegmentInbound, SplitSettings
from trackside.wire import Answer, Request
from trackside.workspace import load

NOW = 1_767_322_800.0
HOOK = "https://events.split.io/segment/webhook/production"
WORKSPACE: dict[str, Any] = {
    "segment": {
        "sources": {
            "by-key": {"write_key": "wk_key", "destinations": ["key"]},
            "by-webhook": {"write_key": "wk_hook", "destinations": ["hook"]},
        },
        "destinations": {
            "key": {"type": "split", "api_key": "fme-key"},
            "hook": {"type": "webhook", "url": HOOK, "headers": {"Authorization": "s3cret"}},
        },
    },
    "split": {
        "environments": {"production": {}, "staging": {}},
        "traffic_types": ["user", "account"],
        "segment_inbound": [{"api_key": "fme-key", "secret": "s3cret", "environment": "production"}],
    },
}
TRACK = {"type": "track", "event": "Checkout", "userId": "u-1", "properties": {"value": 42}}
CALLS = [
    TRACK,
    {"type": "track", "event": "Bid", "userId": "u-1", "anonymousId": "a-1", "properties": {"split": [{"account": "acme"}]}},
    {"type": "identify", "userId": "u-1", "traits": {"plan": "pro", "company": {"id": 7}}},
    {"type": "page", "userId": "u-1", "name": "Home"},
    {"type": "page", "userId": "u-1"},
    {"type": "screen", "userId": "u-1", "name": "Home"},
    {"type": "group", "userId": "u-1", "groupId": "g-1", "traits": {"split": {"account": "acme"}, "plan": "pro"}},
    {"type": "alias", "userId": "u-1", "previousId": "a-1"},
]  # fmt: skip


def configured(**inbound: Any) -> dict[str, Any]:
    """Return the workspace with another configuration at FME."""
    changed = copy.deepcopy(WORKSPACE)
    changed["split"]["segment_inbound"][0].update(inbound)
    return changed


@pytest.fixture
def make_lab(new_lab: Callable[..., Lab]) -> Callable[..., Lab]:
    """Return what makes a lab without sockets, with this workspace unless told otherwise."""
    return lambda workspace=WORKSPACE, **options: new_lab(workspace, **options)


@pytest.fixture
def lab(make_lab: Callable[..., Lab]) -> Lab:
    return make_lab()


def deliver(
    lab: Lab, body: Any, authorization: str | None = "s3cret", name: str = "production", **headers: str
) -> Answer:
    """Post a body to a webhook's address as Segment does."""
    sent = headers if authorization is None else {"authorization": authorization, **headers}
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return lab.receive("split", Request("POST", f"/segment/webhook/{name}", sent, content))


def told(lab: Lab) -> list[tuple[str, str | None, str]]:
    """Return the rule, level and place of each finding."""
    return [(one.step.rule, one.step.level, one.step.at) for one in lab.findings(notes=True)]


# ---- the secret


@pytest.mark.rule("split.in.webhook-auth")
def test_a_delivery_with_the_configurations_secret_is_accepted(lab: Lab) -> None:
    answer = deliver(lab, TRACK)

    assert (answer.status, json.loads(answer.body)) == (200, {})
    assert [(event["eventTypeId"], event["key"], event["value"]) for event in lab.split.events()] == [
        ("Checkout", "u-1", 42)
    ]
    assert told(lab) == []


@pytest.mark.rule("split.in.webhook-auth")
@pytest.mark.parametrize(
    ("authorization", "status", "message"),
    [(None, 401, "secret missing"), (" ", 401, "secret missing"), ("stale", 403, "secret not valid")],
)
def test_a_delivery_without_the_secret_is_refused(lab: Lab, authorization: Any, status: int, message: str) -> None:
    answer = deliver(lab, TRACK, authorization)

    assert (answer.status, json.loads(answer.body), lab.split.events()) == (status, {"message": message}, [])
    assert told(lab) == [("split.in.webhook-auth", "error", "the Authorization header")]


@pytest.mark.rule("split.in.webhook-auth")
def test_a_refused_secret_is_not_repeated_in_the_reason(lab: Lab) -> None:
    answer = deliver(lab, TRACK, "stale-secret")

    [step] = answer.steps
    assert "stale-secret" not in answer.body.decode() + str(step)


@pytest.mark.rule("split.in.webhook-auth")
def test_the_api_key_is_no_secret_and_the_secret_no_api_key(lab: Lab) -> None:
    assert deliver(lab, TRACK, "fme-key").status == 403
    assert deliver(lab, TRACK, "Basic Zm1lLWtleTo=").status == 403
    by_key = Request("POST", "/segment", {"authorization": "Basic czNjcmV0Og=="}, orjson.dumps(TRACK))
    assert lab.receive("split", by_key).status == 403


@pytest.mark.rule("split.in.webhook-auth")
def test_segments_signature_is_not_looked_at(lab: Lab) -> None:
    assert deliver(lab, TRACK, **{"x-signature": "0" * 40}).status == 200


@pytest.mark.rule("split.in.webhook-auth.scheme")
@pytest.mark.parametrize("authorization", ["Bearer s3cret", "bearer s3cret", "Basic s3cret", "Basic czNjcmV0Og=="])
def test_a_secret_behind_a_scheme_is_taken_with_a_note(lab: Lab, authorization: str) -> None:
    assert deliver(lab, TRACK, authorization).status == 200
    assert told(lab) == [("split.in.webhook-auth.scheme", "note", "the Authorization header")]


@pytest.mark.rule("split.in.webhook-auth.scheme")
def test_a_scheme_is_refused_where_the_workspace_says_so(make_lab: Any) -> None:
    lab = make_lab(configured(authorization="bare"))

    assert (deliver(lab, TRACK, "Bearer s3cret").status, deliver(lab, TRACK).status) == (403, 200)


@pytest.mark.rule("split.in.webhook-auth")
def test_any_secret_will_do_where_any_key_does(make_lab: Any) -> None:
    lab = make_lab({**WORKSPACE, "accept_any_key": True})

    assert [deliver(lab, TRACK, "whatever").status, deliver(lab, TRACK, None).status] == [200, 401]
    assert deliver(lab, TRACK, "whatever", "elsewhere").status == 200


# ---- the address


@pytest.mark.rule("split.in.webhook-url")
def test_an_address_that_no_configuration_has_is_answered_404(lab: Lab) -> None:
    answer = deliver(lab, TRACK, name="staging")

    assert (answer.status, json.loads(answer.body)) == (404, {"message": "webhook not found"})
    [finding] = lab.findings()
    assert (finding.step.rule, finding.step.level) == ("split.in.webhook-url", "error")
    assert finding.step.fix == "use one of: /segment/webhook/production"


@pytest.mark.rule("split.in.webhook-url")
def test_a_configuration_without_a_secret_has_no_webhook() -> None:
    settings = SplitSettings(segment_inbound=(SegmentInbound("fme-key", environment="production"),))

    assert (settings.webhooks, settings.webhook("production")) == ({}, None)


@pytest.mark.rule("split.in.webhook-url")
def test_the_configurations_of_an_environment_have_an_address_each() -> None:
    inbound = [
        SegmentInbound(secret=f"s-{number}", environment=name) for number, name in enumerate(("prod", "EU 2/3", "prod"))
    ]
    settings = SplitSettings(segment_inbound=tuple(inbound))

    assert {name: one.secret for name, one in settings.webhooks.items()} == {
        "prod": "s-0",
        "eu-2-3": "s-1",
        "prod-2": "s-2",
    }


@pytest.mark.rule("split.in.environment", "split.in.webhook-url")
def test_the_address_selects_the_configuration_and_its_environment(make_lab: Any) -> None:
    workspace = copy.deepcopy(WORKSPACE)
    workspace["split"]["segment_inbound"].append({"secret": "other", "environment": "staging"})
    lab = make_lab(workspace)

    assert (deliver(lab, TRACK, "other", "staging").status, deliver(lab, TRACK, "other").status) == (200, 403)
    assert [event["environmentName"] for event in lab.split.events()] == ["staging"]


@pytest.mark.rule("split.in.webhook-url")
def test_a_running_lab_tells_the_address_to_post_to(make_trackside: Any) -> None:
    lab = make_trackside(WORKSPACE, start_at=NOW)
    url = lab.split.webhook_url("production")

    assert url == f"{lab.split.url}/segment/webhook/production" == lab.split.webhook_url()
    answer = urllib3.request("POST", url, body=json.dumps(TRACK), headers={"Authorization": "s3cret"}, retries=False)
    assert answer.status == 200
    lab.split.expect_event("Checkout", key="u-1", environment="production")


@pytest.mark.rule("split.in.webhook-url")
def test_trackside_serve_prints_the_address_and_not_the_secret(make_trackside: Any) -> None:
    lab = make_trackside(WORKSPACE)

    assert dict(options(lab))["Split inbound by webhook"] == (
        f"POST {lab.split.webhook_url()} (environment production), Authorization: secret of split.segment_inbound"
    )


@pytest.mark.rule("split.in.webhook-url")
def test_an_environment_without_a_webhook_has_no_address_to_tell(make_trackside: Any) -> None:
    with pytest.raises(TracksideError, match="no configuration of staging has a secret"):
        make_trackside(WORKSPACE).split.webhook_url("staging")


# ---- the body


@pytest.mark.rule("split.in.webhook.batch")
def test_an_array_holds_several_calls_and_each_is_mapped_on_its_own(lab: Lab) -> None:
    answer = deliver(lab, [TRACK, {"type": "track", "userId": "u-2"}, {**TRACK, "event": "Paid", "userId": "u-3"}])

    assert (answer.status, json.loads(answer.body)) == (200, {})
    assert [(event["eventTypeId"], event["key"]) for event in lab.split.events()] == [
        ("Checkout", "u-1"),
        ("Paid", "u-3"),
    ]
    assert told(lab) == [("split.in.event-type-required", "warning", "$[1].event")]


@pytest.mark.rule("split.in.webhook.batch", "split.in.malformed")
def test_what_is_no_call_in_an_array_is_told_and_the_others_are_taken(lab: Lab) -> None:
    assert deliver(lab, [7, {"event": "Paid"}, TRACK]).status == 200

    assert len(lab.split.events()) == 1
    assert told(lab) == [("split.in.malformed", "error", "$[0]"), ("split.in.malformed", "error", "$[1].type")]


@pytest.mark.rule("split.in.webhook.batch", "split.in.unsupported")
def test_an_alias_call_is_refused_alone_and_dropped_in_an_array(lab: Lab) -> None:
    alias = {"type": "alias", "userId": "u-1", "previousId": "a-1"}

    assert (deliver(lab, alias).status, deliver(lab, [alias]).status, deliver(lab, []).status) == (501, 200, 200)
    assert [rule for rule, _, _ in told(lab)] == ["split.in.unsupported", "split.in.unsupported"]


@pytest.mark.rule("split.in.malformed")
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", "track", 7, None, {"event": "Checkout"}])
def test_a_body_that_is_no_call_is_refused_with_400(lab: Lab, body: Any) -> None:
    assert deliver(lab, body).status == 400
    assert [(rule, level) for rule, level, _ in told(lab)] == [("split.in.malformed", "error")]


# ---- through Segment


def send(lab: Lab, write_key: str, calls: Any = CALLS) -> None:
    batch = [
        {**call, "messageId": f"m-{number}", "timestamp": "2025-01-02T03:04:05Z"} for number, call in enumerate(calls)
    ]
    body = orjson.dumps({"writeKey": write_key, "batch": batch})
    assert lab.receive("segment", Request("POST", "/v1/batch", {}, body)).status == 200
    lab.settle()


def kept(lab: Lab) -> list[str]:
    """Return what FME keeps, in an order of its own: deliveries over HTTP come in any."""
    return sorted(json.dumps(one.record) for one in lab.kept("split"))


@pytest.mark.rule("split.in.webhook-auth", "split.in.specs", "split.in.api-key")
@pytest.mark.parametrize("way", ["direct", "http"])
def test_a_webhook_destination_gives_the_same_records_as_the_api_key(make_trackside: Any, way: str) -> None:
    by_key, by_webhook = (make_trackside(WORKSPACE, start_at=NOW, deliveries=way) for _ in range(2))
    send(by_key, "wk_key")
    send(by_webhook, "wk_hook")

    assert kept(by_webhook) == kept(by_key)
    assert len(kept(by_webhook)) == 8

    def steps(lab: Lab) -> list[list[tuple[str, str, str | None]]]:
        """Return what FME tells of each message, without what Segment's catalogue says of either destination."""
        return [
            [(step.rule, step.at, step.level) for _, step in one.all_steps() if step.rule.startswith("split.")]
            for one in lab.journeys()
        ]

    assert steps(by_webhook) == steps(by_key)
    outcomes = [
        [one.outcome for journey in lab.journeys() for one in journey.deliveries] for lab in (by_key, by_webhook)
    ]
    assert outcomes[0] == outcomes[1] == [*["delivered"] * 4, "dropped", *["delivered"] * 2, "failed"]


@pytest.mark.rule("split.in.webhook-auth")
def test_what_becomes_of_a_message_is_told_the_same_both_ways(make_trackside: Any) -> None:
    direct, over_http = (make_trackside(WORKSPACE, start_at=NOW, deliveries=way) for way in ("direct", "http"))
    for lab in (direct, over_http):
        send(lab, "wk_hook")

    assert [one.as_json()["deliveries"] for one in over_http.journeys()] == [
        one.as_json()["deliveries"] for one in direct.journeys()
    ]
    assert [str(finding) for finding in over_http.findings()] == [str(finding) for finding in direct.findings()]


@pytest.mark.rule("split.in.webhook-auth")
@pytest.mark.parametrize("way", ["direct", "http"])
def test_a_wrong_secret_fails_the_delivery_and_an_error_says_why(make_trackside: Any, way: str) -> None:
    lab = make_trackside(configured(secret="another"), start_at=NOW, deliveries=way)
    send(lab, "wk_hook", [TRACK])

    delivery = lab.journey("m-0").delivery("hook")
    assert (delivery.vendor, delivery.outcome, delivery.sent[0].attempts[-1].status) == ("split", "failed", 403)
    assert [(one.step.rule, one.step.level, one.vendor) for one in lab.findings()] == [
        ("split.in.webhook-auth", "error", "split")
    ]
    assert "s3cret" not in json.dumps(lab.journey("m-0").as_json())


@pytest.mark.rule("split.in.webhook-auth")
def test_while_fme_is_down_the_webhooks_delivery_is_tried_again(make_lab: Any) -> None:
    lab = make_lab()
    lab.split.fail(503, times=2)
    send(lab, "wk_hook", [TRACK])

    assert lab.split.events() == []
    lab.advance(60)
    assert [event["eventTypeId"] for event in lab.split.events()] == ["Checkout"]


@pytest.mark.rule("split.contract")
def test_a_webhook_whose_mapping_sends_a_part_of_the_call_is_checked_by_what_it_sends(make_lab: Any) -> None:
    workspace = copy.deepcopy(WORKSPACE)
    mapping = {"action": "send", "trigger": 'type = "track"', "mapping": {"data": {"@path": "$.properties.call"}}}
    workspace["segment"]["destinations"]["hook"]["mappings"] = [mapping]
    lab = make_lab(workspace)
    send(lab, "wk_hook", [{**TRACK, "properties": {"call": {**TRACK, "userId": 7}}}])

    assert [event["key"] for event in lab.split.events()] == ["7"]
    [step] = [step for _, step in lab.journey("m-0").all_steps() if step.rule == "split.contract"]
    assert (step.at, step.level) == ("$.userId", "error")


@pytest.mark.rule("split.in.webhook.batch", "split.contract")
def test_each_call_of_an_array_is_held_against_the_contract() -> None:
    [step] = request_faults("split", orjson.dumps([TRACK, {**TRACK, "userId": 7}]))

    assert (step.rule, step.at, step.text) == ("split.contract", "$[1].userId", "userId is a number, 7")


@pytest.mark.rule("split.in.webhook-url", "segment.delivery.address")
def test_a_webhook_whose_mapping_alone_names_fme_is_delivered_inside_the_lab(make_lab: Any) -> None:
    workspace = copy.deepcopy(WORKSPACE)
    mapping = {"action": "send", "mapping": {"url": HOOK, "headers": {"Authorization": "s3cret"}}}
    workspace["segment"]["destinations"]["hook"] = {"type": "webhook", "mappings": [mapping]}
    lab = make_lab(workspace)
    send(lab, "wk_hook", [TRACK])

    assert [event["eventTypeId"] for event in lab.split.events()] == ["Checkout"]
    assert lab.journey("m-0").delivery("split").outcome == "delivered"


@pytest.mark.rule("split.in.webhook-url", "segment.delivery.address")
@pytest.mark.parametrize(("url", "mapped"), [(HOOK, "http://127.0.0.1:9/"), ("http://127.0.0.1:9/", HOOK)])
def test_a_webhook_that_posts_to_fme_and_elsewhere_is_refused(url: str, mapped: str) -> None:
    workspace = copy.deepcopy(WORKSPACE)
    workspace["segment"]["destinations"]["hook"] |= {
        "url": url,
        "mappings": [{"action": "send", "mapping": {"url": mapped}}],
    }
    with pytest.raises(WorkspaceError) as caught:
        load(workspace)

    [fault] = caught.value.faults
    assert (fault.where, fault.fix) == (
        "the workspace: $.segment.destinations.hook.mappings",
        "make a destination of its own for each",
    )


@pytest.mark.rule("segment.delivery.address")
def test_an_address_that_cannot_be_read_is_refused() -> None:
    workspace = copy.deepcopy(WORKSPACE)
    workspace["segment"]["destinations"]["hook"]["url"] = "https://[::1"
    with pytest.raises(WorkspaceError) as caught:
        load(workspace)

    assert [fault.where for fault in caught.value.faults] == ["the workspace: $.segment.destinations.hook.url"]


@pytest.mark.rule("split.in.malformed")
def test_a_webhook_that_sends_nothing_is_refused(make_lab: Any) -> None:
    workspace = copy.deepcopy(WORKSPACE)
    mapping = {"action": "send", "trigger": 'type = "track"', "mapping": {"data": {"@path": "$.properties.call"}}}
    workspace["segment"]["destinations"]["hook"]["mappings"] = [mapping]
    lab = make_lab(workspace)
    send(lab, "wk_hook", [TRACK])

    assert lab.journey("m-0").delivery("hook").sent[0].attempts[-1].status == 400
    assert [finding.step.rule for finding in lab.findings()] == ["split.in.malformed"]


@pytest.mark.rule("split.in.environment", "split.in.identity")
def test_the_origin_of_each_field_is_told_as_by_api_key() -> None:
    def told_of(source: str) -> list[tuple[str, str, str]]:
        [at] = explain(TRACK, WORKSPACE, source=source, at=NOW).calls[0].destinations
        return [(origin.field, origin.source, origin.rule) for origin in at.records[0].origins]

    assert told_of("by-webhook") == told_of("by-key")
    assert ("$.environmentName", "split.segment_inbound[0].environment", "split.in.environment") in told_of(
        "by-webhook"
    )


# ---- the workspace


@pytest.mark.rule("split.in.webhook-auth", "split.in.api-key")
def test_a_configuration_has_an_api_key_a_secret_or_both() -> None:
    workspace = configured()
    inbound = workspace["split"]["segment_inbound"][0]
    del inbound["api_key"]
    assert load(workspace).split.segment_inbound[0].secret == "s3cret"

    del inbound["secret"]
    with pytest.raises(WorkspaceError, match="api_key is missing and secret is missing"):
        load(workspace)


@pytest.mark.rule("split.in.api-key", "split.in.webhook-auth")
def test_configurations_with_a_secret_alone_share_no_api_key(make_lab: Any) -> None:
    workspace = copy.deepcopy(WORKSPACE)
    workspace["split"]["segment_inbound"] = [
        {"secret": "one", "environment": "production"},
        {"secret": "two", "environment": "production"},
    ]
    lab = make_lab(workspace)

    assert deliver(lab, TRACK, "two", "production-2").status == 200
    assert lab.workspace.split.configuration("") is None
    without = Request("POST", "/segment", {"authorization": "Basic Og=="}, orjson.dumps(TRACK))
    assert lab.receive("split", without).status == 401
