"""Segment's destination "Webhooks (Actions)": each matching event is posted as JSON to an address of the user's.

Rules: segment.webhook.request, segment.webhook.signature.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from trackside.segment.actions.destination import Action, ActionDestination, Mapping, Perform
from trackside.segment.actions.fields import Field, Payload, defaults
from trackside.segment.actions.javascript import stringify, text
from trackside.wire import Outgoing

USER_AGENT = "Segment (Actions)"

EVERY_CALL = " or ".join(f'type = "{kind}"' for kind in ("track", "identify", "page", "screen", "group", "alias"))

SETTINGS = (Field("sharedSecret", "Shared Secret", "password", description="signs each request"),)

SEND_FIELDS = (
    Field("url", "URL", "string", required=True, format="uri", description="where the request goes"),
    Field("method", "Method", "string", required=True, default="POST", choices=("POST", "PUT", "PATCH")),
    Field(
        "batch_size", "Batch Size", "number", default=0, description="the most events in one request; 0 for no batches"
    ),
    Field("headers", "Headers", "object", description="sent with each request"),
    Field("data", "Data", "object", default={"@path": "$."}, description="the body"),
    Field("batch_keys", "Batch Keys", "string", default=["url", "method", "headers"], multiple=True),
)


def send(settings: Payload) -> Perform:
    """Return what the action Send does: it sends the data as JSON (segment.webhook.request).

    With a shared secret, ``X-Signature`` is the hexadecimal HMAC-SHA1 of the body (segment.webhook.signature).
    """
    secret = settings.get("sharedSecret", "").encode()
    return lambda payload, _now: _request(payload, secret)


def _request(payload: Payload, secret: bytes) -> Outgoing:
    headers = {"user-agent": USER_AGENT}
    body = b""
    data = payload.get("data")
    if data is not None:
        body = stringify(data).encode()
        if secret:
            headers["x-signature"] = hmac.new(secret, body, hashlib.sha1).hexdigest()
    headers |= {name.lower(): text(value) for name, value in payload.get("headers", {}).items()}
    if data is not None:
        headers["content-type"] = "application/json"
    return Outgoing(payload["method"], payload["url"], headers, body)


def send_mapping(url: str, trigger: str = EVERY_CALL, headers: dict[str, str] | None = None) -> Mapping:
    """Return a mapping that posts whole events to an address; the vendor's catalogue has no preset for it."""
    mapping: dict[str, Any] = {**defaults(SEND_FIELDS), "url": url}
    return Mapping("send", "Send", trigger, mapping | ({"headers": dict(headers)} if headers else {}))


WEBHOOK = ActionDestination(
    slug="actions-webhook",
    names=("Webhooks (Actions)", "Webhook", "Webhooks"),
    settings=SETTINGS,
    actions=(Action("send", "Send", SEND_FIELDS, send),),
)
