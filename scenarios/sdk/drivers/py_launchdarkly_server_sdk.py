"""Drives ``launchdarkly-server-sdk``, LaunchDarkly's SDK for Python."""

from __future__ import annotations

from typing import Any

from drive import changed, drive
from ldclient import Config, Context, LDClient
from ldclient.version import VERSION

POLL_SECONDS = 0.3
"""Between two polls; the SDK lets nobody ask for less than 30 seconds, and a scenario cannot wait."""

running: dict[str, LDClient] = {}


def start(command: dict[str, Any]) -> dict[str, Any]:
    options = {"initial_reconnect_delay": 0.1, **command["options"], "sdk_key": command["key"]}
    config = Config(**options, stream=command.get("streaming", True), **command.get("config", {}))
    config._Config__poll_interval = POLL_SECONDS  # noqa: SLF001 - see there
    client = running["client"] = LDClient(config, start_wait=command["seconds"])
    client.flag_tracker.add_listener(changed)
    return {"ready": client.is_initialized(), "version": VERSION}


def _context(command: dict[str, Any]) -> Context:
    user = command.get("user", "user-1")
    return Context.create(user) if isinstance(user, str) else Context.from_dict(user)


def evaluate(command: dict[str, Any]) -> Any:
    client = running["client"]
    if command.get("kind") == "detail":
        detail = client.variation_detail(command["flag"], _context(command), command["default"])
        return {"value": detail.value, "variation": detail.variation_index, "reason": detail.reason}
    return client.variation(command["flag"], _context(command), command["default"])


def track(command: dict[str, Any]) -> None:
    running["client"].track(command["event"], _context(command), {"from": "Python"}, command.get("value"))


def flush(_command: dict[str, Any]) -> None:
    running["client"].flush()


def close(_command: dict[str, Any]) -> None:
    if "client" in running:
        running.pop("client").close()


drive(start=start, evaluate=evaluate, track=track, flush=flush, close=close)
