"""Drives ``statsig-python-core``, Statsig's SDK for Python."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from drive import drive
from statsig_python_core import Statsig, StatsigOptions, StatsigUser
from statsig_user import arguments

running: dict[str, Statsig] = {}


def start(command: dict[str, Any]) -> dict[str, Any]:
    running["sdk"] = sdk = Statsig(command["key"], StatsigOptions(**command["options"]))
    sdk.initialize().wait()
    details = sdk.get_initialize_details()
    return {"ready": details.is_config_spec_ready, "version": version("statsig-python-core")}


def evaluate(command: dict[str, Any]) -> Any:
    user, flag = StatsigUser(**arguments(command["user"])), command["flag"]
    sdk = running["sdk"]
    if command["kind"] == "gate":
        return sdk.check_gate(user, flag)
    if command["kind"] == "layer":
        layer = sdk.get_layer(user, flag)
        return {name: layer.get(name, default) for name, default in command["default"].items()}
    found = sdk.get_experiment(user, flag) if command["kind"] == "experiment" else sdk.get_dynamic_config(user, flag)
    return found.value


def track(command: dict[str, Any]) -> None:
    user = StatsigUser(**arguments(command["user"]))
    running["sdk"].log_event(user, command["event"], command.get("value"), command.get("metadata"))


def flush(_command: dict[str, Any]) -> None:
    running["sdk"].flush_events().wait()


def close(_command: dict[str, Any]) -> None:
    running["sdk"].shutdown().wait()


drive(start=start, evaluate=evaluate, track=track, flush=flush, close=close)
