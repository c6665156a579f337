"""Bodies as Statsig's SDKs send them: plain, or in the two encodings that js-client names in the query. Pure."""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from trackside.steps import Step
from trackside.wire import LEVELS

if TYPE_CHECKING:
    from trackside.wire import Request

LIMIT = 16 * 1024 * 1024
"""Bytes that a packed body may hold."""


def plain_body(request: Request) -> tuple[bytes, str]:
    """Return the body of a request with js-client's own encodings undone, and why that failed (then as it came).

    ``se=1`` in the query means base64 written backwards, ``gz=1`` gzip without a header that says so
    (statsig.sdk.encodings). A ``Content-Encoding`` was undone before. A body that is plain in spite of its query is
    taken as it is.

    >>> from trackside.wire import Request
    >>> plain_body(Request("POST", "/v1/initialize", body=b"913egojIyV2c1Jye", query={"se": "1"}))
    (b'{"user": {}}', '')
    >>> plain_body(Request("POST", "/v1/rgstr", body=b"#", query={"se": "1"}))[1][:31]
    'the body is not reversed base64'
    """
    if request.undecodable:
        return request.body, request.undecodable
    body = request.body
    if request.query.get("se") == "1" and not _is_json(body):
        body, fault = _unreversed(body)
        if fault:
            return request.body, fault
    if request.query.get("gz") == "1" and body[:2] == b"\x1f\x8b":
        body, fault = _unzipped(body)
        if fault:
            return request.body, fault
    return body, ""


def body_object(request: Request, rule: str) -> tuple[dict[str, Any], Step | None]:
    """Return the body as a JSON object, whatever its content type says, or an empty one with the step that says why.

    Args:
        request: as it came.
        rule: what the fault is reported under.
    """
    body, fault = plain_body(request)
    where = "request body"
    if not fault:
        try:
            value = replace(request, body=body).json(LEVELS - 1)  # a user for all events has one more in a record
        except orjson.JSONDecodeError as error:
            fault = f"the body is not JSON: {error}"
        else:
            if isinstance(value, dict):
                return value, None
            fault, where = "the body is JSON but no object", "$"
    fix = "send a JSON object; se=1 in the query means reversed base64, gz=1 gzip"
    return {}, Step("fault", rule, fault, where, fix, "error")


def _is_json(body: bytes) -> bool:
    return body.lstrip()[:1] in (b"{", b"[")


def _unreversed(body: bytes) -> tuple[bytes, str]:
    text = body.strip()[::-1]
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True), ""
    except binascii.Error as error:
        return body, f"the body is not reversed base64, as se=1 says: {error}"


def _unzipped(body: bytes) -> tuple[bytes, str]:
    undo = zlib.decompressobj(wbits=31)
    try:
        plain = undo.decompress(body, LIMIT + 1)
    except zlib.error as error:
        return body, f"the body is not gzip, as gz=1 says: {error}"
    if len(plain) > LIMIT:
        return body, f"the gzip body holds more than {LIMIT} bytes"
    return (plain, "") if undo.eof else (body, "the gzip body is cut short")
