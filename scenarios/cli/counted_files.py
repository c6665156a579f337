"""An experiment at LaunchDarkly, and traffic of three people, for the commands that count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trackside.lab import Lab
from trackside.recording import lines_of, rows_after
from trackside.wire import Request

ADMIN = "http://127.0.0.1:8800"
CLIENT_SIDE_ID = "57be1db38b75bf0772d11384"


def to_workspace(**more: Any) -> dict[str, Any]:
    """Return a workspace whose source feeds LaunchDarkly, which has the experiment ``banner-test``."""
    return {
        "segment": {
            "sources": {"web": {"write_key": "wk_web", "destinations": ["ld"]}},
            "destinations": {"ld": {"type": "launchdarkly", "client_side_id": CLIENT_SIDE_ID}},
        },
        "launchdarkly": {
            "environments": {"production": {"client_side_id": CLIENT_SIDE_ID, "sdk_key": "sdk-local"}},
            "flags": {"banner": {"variations": ["control", "blue"], "serve": {"control": 50, "blue": 50}}},
            "metrics": {"orders": {"event_key": "Order Completed"}},
            "experiments": {"banner-test": {"flag": "banner", "metrics": ["orders"]}},
            **more,
        },
    }


def some(lab: Lab) -> Lab:
    """Let u-1 and u-2 see the banner, and u-1 and U-2 order."""
    send(lab, "launchdarkly", "/bulk", [seen("u-1", 1), seen("u-2", 0)], authorization="sdk-local")
    for number, user in enumerate(("u-1", "U-2"), 1):
        call = {"writeKey": "wk_web", "userId": user, "messageId": f"m-{number}", "event": "Order Completed"}
        send(lab, "segment", "/v1/track", call)
    return lab


def seen(unit: str, variation: int) -> dict[str, Any]:
    """Return the event with which a LaunchDarkly SDK says that somebody is in the experiment."""
    one = {"kind": "feature", "creationDate": 1_767_322_800_000, "key": "banner", "variation": variation, "version": 1}
    who = {"value": "blue", "default": "control", "context": {"kind": "user", "key": unit}}
    return {**one, **who, "reason": {"kind": "FALLTHROUGH", "inExperiment": True}}


def send(lab: Lab, vendor: str, path: str, body: Any, **headers: str) -> None:
    """Send a body as JSON."""
    lab.receive(vendor, Request("POST", path, headers, json.dumps(body).encode()))


def recorded(lab: Lab, path: Path) -> Path:
    """Write what came to a lab as a recording, and return the file."""
    lines = lines_of(lab)
    told = [json.dumps(line) for row in rows_after(lab, 0) if (line := lines.of(row)) is not None]
    path.write_text("\n".join(told), encoding="utf-8")
    return path
