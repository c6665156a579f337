"""Drives ``statsig``, Statsig's older SDK for Python."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from drive import changed, drive
from statsig_user import arguments

from statsig import StatsigEvent, StatsigOptions, StatsigUser, statsig


def start(command: dict[str, Any]) -> dict[str, Any]:
    options = StatsigOptions(**command["options"], rules_updated_callback=changed)
    details = statsig.initialize(command["key"], options)
    return {"ready": details.init_success and details.source == "Network", "version": version("statsig")}


def user_of(command: dict[str, Any]) -> StatsigUser:
    # A user's own environment is a private field of this SDK, which has a `tier` for all.
    return StatsigUser(**arguments(command["user"], "_statsig_environment"))


def evaluate(command: dict[str, Any]) -> Any:
    user, flag = user_of(command), command["flag"]
    if command["kind"] == "gate":
        return statsig.check_gate(user, flag)
    if command["kind"] == "layer":
        layer = statsig.get_layer(user, flag)
        return {name: layer.get(name, default) for name, default in command["default"].items()}
    found = statsig.get_experiment(user, flag) if command["kind"] == "experiment" else statsig.get_config(user, flag)
    return found.get_value()


def track(command: dict[str, Any]) -> None:
    user = user_of(command)
    statsig.log_event(StatsigEvent(user, command["event"], command.get("value"), command.get("metadata")))


def flush(_command: dict[str, Any]) -> None:
    statsig.flush()


def close(_command: dict[str, Any]) -> None:
    statsig.shutdown()


drive(start=start, evaluate=evaluate, track=track, flush=flush, close=close)
