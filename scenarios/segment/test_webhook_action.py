"""Segment's destination "Webhooks (Actions)": events posted as JSON to an address of the user's."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

from trackside.segment.actions import ActionResult, Mapping, compile_destination
from trackside.segment.actions.webhook import send_mapping

URL = "http://127.0.0.1:8010/hook"
EVENT = {"type": "track", "event": "Order Completed", "userId": "u1", "properties": {"total": 5.0}}


def sent(mapping: Mapping, settings: dict[str, Any] | None = None, event: dict[str, Any] = EVENT) -> ActionResult:
    (result,) = compile_destination("actions-webhook", settings or {}, [mapping])(event, 0.0)
    return result


def mapped(**fields: Any) -> Mapping:
    return Mapping("send", "Send", 'type = "track"', {"url": URL, "method": "POST", "data": {"@path": "$."}, **fields})


@pytest.mark.rule("segment.webhook.request")
def test_the_whole_event_is_posted_as_json():
    outgoing = sent(send_mapping(URL)).outgoing
    assert outgoing is not None
    assert (outgoing.method, outgoing.url) == ("POST", URL)
    assert outgoing.body == b'{"type":"track","event":"Order Completed","userId":"u1","properties":{"total":5}}'
    assert outgoing.headers == {"user-agent": "Segment (Actions)", "content-type": "application/json"}


@pytest.mark.rule("segment.webhook.request")
def test_mapped_headers_are_sent_and_the_content_type_stays_json():
    outgoing = sent(mapped(headers={"Authorization": "secret", "X-Count": 2, "Content-Type": "text/plain"})).outgoing
    assert outgoing is not None
    assert outgoing.headers == {
        "user-agent": "Segment (Actions)",
        "authorization": "secret",
        "x-count": "2",
        "content-type": "application/json",
    }


@pytest.mark.rule("segment.webhook.signature")
def test_a_shared_secret_signs_the_body():
    outgoing = sent(mapped(), {"sharedSecret": "s3cret"}).outgoing
    assert outgoing is not None
    assert outgoing.headers["x-signature"] == hmac.new(b"s3cret", outgoing.body, hashlib.sha1).hexdigest()


@pytest.mark.rule("segment.webhook.signature")
def test_without_a_secret_there_is_no_signature():
    outgoing = sent(mapped(), {"sharedSecret": ""}).outgoing
    assert outgoing is not None
    assert "x-signature" not in outgoing.headers


@pytest.mark.rule("segment.fields.invalid")
def test_an_unknown_method_discards_the_event():
    result = sent(mapped(method="GET"))
    assert result.outgoing is None
    assert result.cause == 'Method must be one of: "POST", "PUT", or "PATCH".'


@pytest.mark.rule("segment.mappings")
def test_the_catalogue_has_no_preset_for_webhooks():
    assert compile_destination("actions-webhook", {}, None)(EVENT, 0.0) == []
