"""Bodies of events in every encoding that Statsig's SDKs use."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import orjson
import pytest
import zstandard

BODY = orjson.dumps({"events": [{"eventName": "purchase", "user": {"userID": "u-1"}, "time": 1}]})
BROKEN = orjson.dumps({"events": [{"eventName": "purchase", "user": {"userID": "u-1"}, "time": 1, "value": True}]})

pytestmark = pytest.mark.trackside(
    workspace={"statsig": {"server_secret": "secret-local", "client_key": "client-local"}}
)


def backwards(body: bytes) -> bytes:
    return base64.b64encode(body)[::-1]


@pytest.mark.rule("statsig.sdk.encodings")
def test_js_client_posts_text_plain_with_its_key_in_the_query(trackside: Any, call: Any) -> None:
    answer = call("/v1/rgstr?k=client-local&st=javascript-client&ec=1", BODY, Content_Type="text/plain;charset=UTF-8")
    assert (answer.status, answer.data) == (202, b'{"success":true}')
    trackside.statsig.expect_only("purchase", user_id="u-1")


@pytest.mark.rule("statsig.sdk.encodings")
@pytest.mark.parametrize(
    ("encoding", "body"), [("gzip", gzip.compress(BODY, mtime=0)), ("zstd", zstandard.ZstdCompressor().compress(BODY))]
)
def test_a_content_encoding_is_undone(trackside: Any, call: Any, encoding: str, body: bytes) -> None:
    call("/v1/log_event", body, Content_Encoding=encoding, statsig_api_key="secret-local")
    trackside.statsig.expect_only("purchase", user_id="u-1")


@pytest.mark.rule("statsig.sdk.encodings")
@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("gz=1", gzip.compress(BODY, mtime=0)),
        ("se=1", backwards(BODY)),
        ("se=1&gz=1", backwards(gzip.compress(BODY, mtime=0))),
    ],
)
def test_an_encoding_that_the_query_names_is_undone(trackside: Any, call: Any, query: str, body: bytes) -> None:
    call(f"/v1/rgstr?k=client-local&{query}", body)
    trackside.statsig.expect_only("purchase", user_id="u-1")
    trackside.expect_no_findings(notes=True)


@pytest.mark.rule("statsig.contract")
@pytest.mark.parametrize(("query", "body"), [("gz=1", gzip.compress(BROKEN, mtime=0)), ("se=1", backwards(BROKEN))])
def test_an_encoded_body_is_held_against_its_contract(trackside: Any, call: Any, query: str, body: bytes) -> None:
    call(f"/v1/rgstr?k=client-local&{query}", body)
    assert [(finding.step.at, finding.step.level) for finding in trackside.findings()] == [
        ("$.events[0].value", "error")
    ]


@pytest.mark.rule("statsig.contract")
def test_only_what_the_contract_alone_sees_of_an_encoded_body_is_its_finding(trackside: Any, call: Any) -> None:
    body = orjson.dumps({"events": [{"eventName": "seen", "user": {"userID": "u-1", "ip": 1}, "time": 1}]})
    call("/v1/rgstr?k=client-local&gz=1", gzip.compress(body, mtime=0))
    assert [(finding.step.rule, finding.step.at) for finding in trackside.findings()] == [
        ("statsig.contract", "$.events[0].user.ip")
    ]


@pytest.mark.rule("statsig.events.body", "statsig.sdk.encodings")
@pytest.mark.parametrize(
    ("query", "body", "what"),
    [
        ("gz=1", gzip.compress(BODY, mtime=0)[:-9], "cut short"),
        ("se=1", b"?!", "not reversed base64"),
        ("", gzip.compress(BODY, mtime=0), "not JSON"),
    ],
)
def test_a_body_that_cannot_be_undone_is_refused_with_its_reason(
    trackside: Any, call: Any, query: str, body: bytes, what: str
) -> None:
    assert call(f"/v1/rgstr?k=client-local&{query}", body).status == 400
    [finding] = trackside.findings()
    assert finding.step.rule == "statsig.events.body"
    assert what in finding.step.text


@pytest.mark.rule("statsig.sdk.encodings")
def test_a_browser_may_send_the_headers_that_it_asks_for(call: Any) -> None:
    asked = "statsig-event-count,statsig-retry-count,statsig-sdk-type,statsig-sdk-version"
    headers = {"Origin": "http://127.0.0.1:9999", "Access-Control-Request-Headers": asked}
    answer = call("/v1/rgstr?k=client-local", method="OPTIONS", **headers)
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Headers"] == asked


@pytest.mark.rule("statsig.sdk.encodings")
def test_a_browser_may_read_the_answer(call: Any) -> None:
    answer = call("/v1/rgstr?k=client-local", BODY, Origin="http://127.0.0.1:9999")
    assert answer.headers["Access-Control-Allow-Origin"] == "http://127.0.0.1:9999"
