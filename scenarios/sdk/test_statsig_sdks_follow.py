"""Statsig's published SDKs follow a lab: every kind of change, a reset, and a lab that is started after them."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from driver import Driver
from sdks import STATSIG_DRIVERS as DRIVERS

from trackside import Lab

STATSIG: dict[str, Any] = {
    "server_secret": "secret-local",
    "client_key": "client-local",
    "gates": {"new_checkout": False, "listed": {"if": {"passes_segment": "members"}}},
    "dynamic_configs": {"banner": {"color": "blue"}},
    "experiments": {"checkout": {"groups": {"control": {"color": "red"}, "test": {"color": "green"}}, "layer": "page"}},
    "layers": {"page": {"color": "grey", "size": 1}},
    "id_lists": {"members": ["someone"]},
}
EACH = [pytest.param(package, id=package.rpartition("/")[2]) for package in DRIVERS]

pytestmark = [pytest.mark.node, pytest.mark.trackside(workspace={"statsig": STATSIG})]


class Sdk:
    """One SDK on a lab."""

    def __init__(self, package: str, driver: Driver) -> None:
        self._package, self._driver = package, driver

    def start(self, lab: Lab, url: str = "") -> bool:
        options = lab.statsig.options(self._package) if not url else options_at(self._package, url)
        key = STATSIG["client_key" if "js-client" in self._package else "server_secret"]
        return bool(self._driver.ask("start", key=key, options=options, user="user-1")["ready"])

    def evaluate(self, kind: str, name: str) -> Any:
        return self._driver.ask("evaluate", kind=kind, flag=name, user="user-1", default={"color": "?", "size": 0})

    def wait(self, kind: str, name: str, until: Any) -> Any:
        if self._package == "statsig-node":  # it asks every 5 seconds, for ID lists every 30
            self._driver.ask("sync")
        command = {"kind": kind, "flag": name, "user": "user-1", "default": {"color": "?", "size": 0}}
        return self._driver.ask("wait", until=until, seconds=8, **command)


def options_at(package: str, url: str) -> dict[str, Any]:
    from trackside.sdks import sdk_named
    from trackside.statsig.sdks import SDKS

    return dict(sdk_named(SDKS, package).options(url, ""))


@pytest.fixture
def sdk(driver: Callable[..., Driver]) -> Callable[[str], Sdk]:
    return lambda package: Sdk(package, driver(DRIVERS[package]))


@pytest.mark.rule("statsig.sdk.serve", "statsig.sdk.specs.time", "statsig.sdk.id-lists.file", "statsig.sdk.reset")
@pytest.mark.parametrize("package", EACH)
def test_an_sdk_follows_every_kind_of_change_and_a_reset(trackside, sdk, package):
    running, statsig = sdk(package), trackside.statsig
    assert running.start(trackside)
    declared = {kind: running.evaluate(*kind) for kind in (("layer", "page"), ("experiment", "checkout"))}
    other = {"red": "test", "green": "control"}[declared["experiment", "checkout"]["color"]]

    statsig.gate("new_checkout").serve(True)
    assert running.wait("gate", "new_checkout", True) is True

    statsig.config("banner").serve({"color": "green"})
    assert running.wait("config", "banner", {"color": "green"})

    statsig.experiment("checkout").serve(other)
    color = {"test": "green", "control": "red"}[other]
    assert running.wait("experiment", "checkout", {"color": color, "size": 1})
    assert running.wait("layer", "page", {"color": color, "size": 1})

    statsig.layer("page").serve({"color": "black"})
    assert running.wait("layer", "page", {"color": "black", "size": 1})

    statsig.id_list("members").add("user-1")
    assert running.wait("gate", "listed", True) is True
    statsig.id_list("members").remove("user-1")
    assert running.wait("gate", "listed", False) is False
    statsig.id_list("members").add("user-1")
    assert running.wait("gate", "listed", True) is True

    trackside.reset()
    assert running.wait("gate", "new_checkout", False) is False
    assert running.wait("gate", "listed", False) is False
    assert running.wait("config", "banner", {"color": "blue"})
    for (kind, name), value in declared.items():
        assert running.wait(kind, name, value) == value
    assert [str(finding) for finding in trackside.findings()] == []


@pytest.mark.rule("statsig.sdk.specs.time")
@pytest.mark.parametrize("package", EACH)
def test_an_sdk_that_was_started_first_finds_the_lab(sdk, package):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    running = sdk(package)
    lab = Lab({"statsig": {**STATSIG, "gates": {"new_checkout": True}}}, ports={"statsig": port})

    assert not running.start(lab, f"http://127.0.0.1:{port}")
    assert running.evaluate("gate", "new_checkout") is False
    with lab:
        assert running.wait("gate", "new_checkout", True) is True


@pytest.mark.rule("statsig.sdk.specs.no-updates")
@pytest.mark.parametrize("package", [one for one in DRIVERS if "js-client" not in one])
def test_an_sdk_that_was_refused_for_a_while_goes_on(trackside, sdk, package):
    running = sdk(package)
    assert running.start(trackside)

    trackside.statsig.gate("new_checkout").serve(True)
    trackside.statsig.fail(500, times=2)

    assert running.wait("gate", "new_checkout", True) is True
