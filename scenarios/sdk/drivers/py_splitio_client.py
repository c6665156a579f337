"""Drives ``splitio_client``, Split's SDK for Python."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Any

from drive import drive
from splitio import get_factory
from splitio.client.client import Client
from splitio.client.factory import SplitFactory
from splitio.exceptions import TimeoutException
from splitio.version import __version__

os.environ.pop("HTTPS_PROXY", None)  # its stream goes through this one whatever NO_PROXY says

EVERY = {"featuresRefreshRate": 1, "segmentsRefreshRate": 1, "impressionsRefreshRate": 1, "eventsPushRate": 1}
running: dict[str, Any] = {}


def start(command: dict[str, Any]) -> dict[str, Any]:
    streaming = command.get("streaming", True)
    config = {"impressionsMode": "DEBUG", "streamingEnabled": streaming, **({} if streaming else EVERY)}
    config.update(command.get("config", {}))
    factory: SplitFactory = get_factory(**{**command["options"], "api_key": command["key"]}, config=config)
    running["factory"], running["client"] = factory, factory.client()
    with contextlib.suppress(TimeoutException):
        factory.block_until_ready(command["seconds"])
    return {"ready": factory.ready, "version": __version__}


def evaluate(command: dict[str, Any]) -> Any:
    client: Client = running["client"]
    flag, user, attributes = command["flag"], command.get("user", "user-1"), command.get("attributes")
    if command.get("kind") == "config":
        return list(client.get_treatment_with_config(user, flag, attributes))
    return client.get_treatment(user, flag, attributes)


def track(command: dict[str, Any]) -> None:
    client: Client = running["client"]
    client.track(command.get("user", "user-1"), "user", command["event"], command.get("value"))


def flush(_command: dict[str, Any]) -> None:
    """Nothing: this SDK posts what it has when it is closed, and in a thread of its own until then."""


def close(_command: dict[str, Any]) -> None:
    if "factory" in running:
        done = threading.Event()
        running.pop("factory").destroy(done)
        done.wait(10)


drive(start=start, evaluate=evaluate, track=track, flush=flush, close=close)
