"""A small workspace with an experiment at each vendor, and what comes to a lab that has it."""

from __future__ import annotations

import json
from typing import Any

from trackside.lab import Lab
from trackside.wire import Answer, Request

AT = 1_767_322_800_000
"""Where the clock of a lab without sockets stands, 2026-01-02T03:00:00Z."""

CLIENT_SIDE_ID = "57be1db38b75bf0772d11384"
LAUNCHDARKLY: dict[str, Any] = {
    "environments": {"production": {"client_side_id": CLIENT_SIDE_ID, "sdk_key": "sdk-local"}},
    "access_token": "api-token",
    "flags": {"banner": {"variations": ["control", "blue"], "serve": {"control": 50, "blue": 50}}},
    "metrics": {"orders": {"event_key": "Order Completed"}},
    "experiments": {"banner-test": {"flag": "banner", "metrics": ["orders"]}},
}
STATSIG: dict[str, Any] = {
    "server_secret": "secret-local",
    "experiments": {"checkout": {"groups": {"control": {"color": "red"}, "test": {"color": "blue"}}}},
}
SPLIT: dict[str, Any] = {
    "environments": {"production": {"sdk_key": "split-key"}},
    "traffic_types": ["user", "anonymous"],
    "flags": {"menu": {"treatments": ["off", "on"], "serve": {"off": 50, "on": 50}}},
    "metrics": {"paid": {"event_type": "Order_Completed"}},
    "experiments": {"menu-test": {"flag": "menu", "key_metrics": ["paid"]}},
    "segment_inbound": [
        {
            "api_key": "fme-key",
            "environment": "production",
            "identities": {"userId": "user", "anonymousId": "anonymous"},
        }
    ],
}
DESTINATIONS: dict[str, Any] = {
    "ld": {"type": "launchdarkly", "client_side_id": CLIENT_SIDE_ID},
    "statsig": {"type": "statsig", "api_key": "secret-local"},
    "fme": {"type": "split", "api_key": "fme-key"},
}


def workspace(*destinations: str, **blocks: Any) -> dict[str, Any]:
    """Return the workspace, with these destinations of Segment's (``ld`` by default) and changed blocks of vendors."""
    names = destinations or ("ld",)
    segment = {
        "sources": {"web": {"write_key": "wk_web", "destinations": list(names)}},
        "destinations": {name: DESTINATIONS[name] for name in names},
    }
    return {"segment": segment, "launchdarkly": LAUNCHDARKLY, "statsig": STATSIG, "split": SPLIT, **blocks}


def send(lab: Lab, vendor: str, path: str, body: Any, method: str = "POST", **headers: str) -> Answer:
    """Send a request with a body as JSON, and return the answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lab.receive(vendor, Request(method, path, headers, content))


def feature(unit: str, variation: int = 1, **more: Any) -> dict[str, Any]:
    """Return an event with which a LaunchDarkly SDK tells that somebody is in the experiment on ``banner``."""
    one = {"kind": "feature", "creationDate": AT, "key": "banner", "variation": variation, "version": 1}
    who = {"value": "blue", "default": "control", "context": {"kind": "user", "key": unit}}
    return {**one, **who, "reason": {"kind": "FALLTHROUGH", "inExperiment": True}, **more}


def custom(unit: str, key: str = "Order Completed", **more: Any) -> dict[str, Any]:
    """Return a metric event of a LaunchDarkly SDK."""
    return {"kind": "custom", "creationDate": AT, "key": key, "contextKeys": {"user": unit}, **more}


def bulk(lab: Lab, *events: dict[str, Any]) -> Answer:
    """Send events as a LaunchDarkly SDK does."""
    return send(lab, "launchdarkly", "/bulk", list(events), authorization="sdk-local")


def impression(lab: Lab, key: str, treatment: str = "on") -> Answer:
    """Send an impression as a Split SDK does."""
    one = {"k": key, "t": treatment, "m": AT, "c": 1, "r": "default rule"}
    return send(
        lab, "split", "/api/testImpressions/bulk", [{"f": "menu", "i": [one]}], authorization="Bearer split-key"
    )


def track(lab: Lab, event: str = "Order Completed", **fields: Any) -> Answer:
    """Send a track call."""
    call = {"writeKey": "wk_web", "type": "track", "userId": "u-1", "messageId": "m-1", "event": event, **fields}
    return send(lab, "segment", "/v1/track", call)


def conditions(lab: Lab, **asked: str) -> list[tuple[str, list[str]]]:
    """Return each verdict as the experiment's key, or ``counted`` and the conditions that are not met."""
    return [
        (one.experiment, [one.outcome] if one.counted else [unmet.condition for unmet in one.unmet])
        for one in lab.counting.verdicts(**asked)
    ]
