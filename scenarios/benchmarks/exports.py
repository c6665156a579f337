"""What the benchmark of exports sends: exposures as an SDK posts them, and a workspace that exports them or does not."""

from __future__ import annotations

import json
from typing import Any

import load

WRITE_KEY = "wk_back"


def workspace(*, enabled: bool) -> dict[str, Any]:
    """Return a workspace whose Statsig sends exposures to a Segment source, or does not."""
    return {
        "accept_any_key": True,
        "segment": {"sources": {"back": {"write_key": WRITE_KEY}, "web": {"write_key": "wk_web"}}},
        "statsig": {"server_secret": "secret-local", "segment_outbound": {"enabled": enabled, "write_key": WRITE_KEY}},
    }


def exposures(size: int) -> bytes:
    """Return a post of gate exposures as Statsig's server SDKs make it: about 560 bytes of JSON each."""
    one = {
        "eventName": "statsig::gate_exposure",
        "user": {"userID": "user-000001", "email": "user-000001@example.com", "customIDs": {"companyID": "company-1"}},
        "value": None,
        "metadata": {"gate": "new_checkout", "gateValue": "true", "ruleID": "everyone", "reason": "Network:Recognized"},
        "secondaryExposures": [],
        "time": 1_795_000_000_000,
        "statsigMetadata": {"sdkType": "py-server", "sdkVersion": "0.72.1"},
    }
    metadata = {"sdkType": "py-server", "sdkVersion": "0.72.1", "sessionID": load.ID.decode()}
    return json.dumps({"events": [one] * size, "statsigMetadata": metadata}).encode()
