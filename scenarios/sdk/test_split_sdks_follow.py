"""Split's published SDKs follow a lab: rules and segments, every kind of change, control messages, a lab that comes late."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from driver import Driver

from trackside import Lab
from trackside.sdks import sdk_named
from trackside.split import streams
from trackside.split.sdks import SDKS

ROLLOUT = {
    "seed": -1222652054,
    "trafficAllocationSeed": 1012950810,
    "conditions": [
        {
            "conditionType": "ROLLOUT",
            "label": "default rule",
            "matcherGroup": {"combiner": "AND", "matchers": [{"matcherType": "ALL_KEYS", "negate": False}]},
            "partitions": [{"treatment": "on", "size": 50}, {"treatment": "off", "size": 50}],
        }
    ],
}
SPLIT: dict[str, Any] = {
    "environments": {"production": {"sdk_key": "sdk-key", "client_key": "client-key"}},
    "segments": {"beta": ["user-1"], "unused": ["user-1"]},
    "large_segments": {"big": ["user-1"]},
    "rule_based_segments": {"vip": {"rules": [{"if": {"plan": ["gold"]}}], "excluded": {"keys": ["user-9"]}}},
    "flags": {
        "banner": {"treatments": ["blue", "green", "off"], "serve": "blue"},
        "halves": ROLLOUT,
        "in_beta": {"rules": [{"segment": "beta", "serve": "on"}]},
        "in_big": {"rules": [{"large_segment": "big", "serve": "on"}]},
        "in_vip": {"rules": [{"rule_based_segment": "vip", "serve": "on"}]},
        "ruled": {"rules": [{"if": {"plan": ["gold"], "seats": 5, "admin": True}, "serve": "on"}]},
        "with_config": {"serve": "on", "config": {"on": {"color": "blue"}}},
        "killed": {"serve": "on", "default": "sorry", "killed": True},
    },
}
PYTHON = "splitio_client"
CLIENTS = ("@splitsoftware/splitio/client", "@splitsoftware/splitio-browserjs")
DRIVERS = {
    PYTHON: "py_splitio_client.py",
    "@splitsoftware/splitio": "node_splitio.cjs",
    CLIENTS[0]: "node_splitio_client.cjs",
    CLIENTS[1]: "node_splitio_browserjs.cjs",
}
EACH = [pytest.param(package, id=package.rpartition("@splitsoftware/")[2]) for package in DRIVERS]
ON_SERVERS = [pytest.param(package, id=package.rpartition("/")[2]) for package in DRIVERS if package not in CLIENTS]
ON_CLIENTS = [pytest.param(package, id=package.rpartition("@splitsoftware/")[2]) for package in CLIENTS]
POLLING = {"featuresRefreshRate": 1, "segmentsRefreshRate": 1}

pytestmark = [pytest.mark.node, pytest.mark.trackside(workspace={"split": SPLIT})]


class Sdk:
    """One SDK on a lab; a client-side one has the one user that it was started with."""

    def __init__(self, package: str, driver: Driver) -> None:
        self._package, self.driver = package, driver

    def start(self, url: str, *, key: str = "", **more: Any) -> bool:
        options = dict(sdk_named(SDKS, self._package).options(url, "any-key"))
        key = key or SPLIT["environments"]["production"]["client_key" if self._package in CLIENTS else "sdk_key"]
        config = POLLING if self._package == PYTHON else {}
        command = {"key": key, "options": options, "user": "user-1", "config": config, "seconds": 8, **more}
        return bool(self.driver.ask("start", **command)["ready"])

    def evaluate(self, flag: str, user: str = "user-1", **more: Any) -> Any:
        return self.driver.ask("evaluate", flag=flag, user=user, **more)

    def wait(self, flag: str, until: Any, *, seconds: float = 1, **more: Any) -> Any:
        """Return the treatment once it is as awaited; a streaming SDK has to have it within a second."""
        return self.driver.ask("wait", flag=flag, user="user-1", until=until, **{"seconds": seconds, **more})


@pytest.fixture
def sdk(driver: Callable[..., Driver]) -> Callable[[str], Sdk]:
    return lambda package: Sdk(package, driver(DRIVERS[package]))


@pytest.fixture
def started(sdk: Callable[[str], Sdk], trackside: Lab) -> Callable[..., Sdk]:
    """Return a function that starts an SDK, which streams when it returns."""

    def start(package: str, **more: Any) -> Sdk:
        one = sdk(package)
        assert one.start(trackside.split.url, **more)
        streamed(trackside, one)
        return one

    return start


def streamed(lab: Lab, sdk: Sdk) -> None:
    """Return when an SDK follows its stream: it is open, and what the SDK fetches after opening it is over."""
    wait_for(lambda: len(lab.split.live.streams) > 0)
    for treatment in ("yes", "no"):
        lab.split.flag("follows").serve(treatment)
        sdk.wait("follows", treatment, seconds=8)


def wait_for(reached: Callable[[], bool], seconds: float = 8) -> None:
    """Return when something is so; it is looked at each time that a pause ends."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if reached():
            return
        pause.wait(0.02)
    raise AssertionError("it did not come to that")


def asked(lab: Lab, word: str) -> int:
    return sum(word in row.request.path for row in lab.journal.rows())


# ---- evaluation


@pytest.mark.rule("split.sdk.flags", "split.sdk.strict-fields", "split.sdk.rule-based-segments")
@pytest.mark.parametrize("package", EACH)
def test_each_sdk_evaluates_what_the_workspace_says(started: Callable[..., Sdk], package: str) -> None:
    sdk = started(package)
    gold = {"plan": "gold", "seats": 5, "admin": True}

    assert sdk.evaluate("banner") == "blue"
    assert sdk.evaluate("killed") == "sorry"
    assert sdk.evaluate("in_beta") == "on"
    assert (sdk.evaluate("in_vip"), sdk.evaluate("in_vip", attributes=gold)) == ("off", "on")
    assert (sdk.evaluate("ruled", attributes={**gold, "seats": 6}), sdk.evaluate("ruled", attributes=gold)) == (
        "off",
        "on",
    )
    assert sdk.evaluate("with_config", kind="config") == ["on", '{"color":"blue"}']
    assert sdk.evaluate("unknown") == "control"


@pytest.mark.rule("split.sdk.seed")
@pytest.mark.parametrize("package", ON_SERVERS)
def test_a_key_falls_into_the_partition_that_its_hash_says(started: Callable[..., Sdk], package: str) -> None:
    sdk = started(package)

    assert " ".join(sdk.evaluate("halves", f"user{number}") for number in range(10)) == (
        "on off off on off off on on on on"
    )


@pytest.mark.rule("split.sdk.memberships")
@pytest.mark.parametrize("package", ON_CLIENTS)
def test_a_client_has_large_segments_too(started: Callable[..., Sdk], package: str) -> None:
    assert started(package).evaluate("in_big") == "on"


# ---- changes


@pytest.mark.rule("split.sdk.split-update", "split.sdk.kill", "split.sdk.archived", "split.sdk.change-numbers")
@pytest.mark.parametrize("package", EACH)
def test_each_kind_of_change_reaches_a_streaming_sdk_within_a_second(
    started: Callable[..., Sdk], trackside: Lab, package: str
) -> None:
    sdk, banner = started(package), trackside.split.flag("banner")

    banner.serve("green")
    sdk.wait("banner", "green")
    banner.kill()
    sdk.wait("banner", "off")
    banner.restore()
    sdk.wait("banner", "green")
    banner.target("user-1", "blue")
    sdk.wait("banner", "blue")
    trackside.split.flag("new").serve("on")
    sdk.wait("new", "on")
    trackside.split.flag("new").archive()
    sdk.wait("new", "control")
    banner.serve("green")
    sdk.wait("banner", "green")
    trackside.reset()
    sdk.wait("banner", "blue")
    assert [str(finding) for finding in trackside.findings()] == []


@pytest.mark.rule("split.sdk.split-update")
@pytest.mark.parametrize("package", EACH)
def test_a_streaming_sdk_takes_a_change_from_the_message_itself(
    started: Callable[..., Sdk], trackside: Lab, package: str
) -> None:
    sdk = started(package, config={})

    def is_taken_without_asking(treatment: str) -> bool:
        before = asked(trackside, "splitChanges")
        trackside.split.flag("banner").serve(treatment)
        sdk.wait("banner", treatment)
        return asked(trackside, "splitChanges") == before

    # An SDK that has just connected synchronizes once more, which may fall together with the first change.
    assert any(is_taken_without_asking(treatment) for treatment in ("green", "blue", "green", "blue"))


@pytest.mark.rule("split.sdk.segment-update", "split.sdk.memberships-update")
@pytest.mark.parametrize("package", EACH)
def test_a_changed_segment_reaches_a_streaming_sdk(started: Callable[..., Sdk], trackside: Lab, package: str) -> None:
    sdk = started(package)
    trackside.split.segment("beta").remove("user-1")
    sdk.wait("in_beta", "off")
    trackside.split.segment("beta").add("user-1")
    sdk.wait("in_beta", "on")


@pytest.mark.rule("split.sdk.memberships-update")
@pytest.mark.rule("split.sdk.split-update")
@pytest.mark.parametrize("package", EACH)
def test_flags_that_change_together_reach_a_streaming_sdk_with_a_segment_new_to_it(
    started: Callable[..., Sdk], trackside: Lab, package: str
) -> None:
    one = started(package)
    asks = {"rules": [{"segment": "unused", "serve": "on"}], "serve": "off", "treatments": ["on", "off"]}
    trackside.configure({"split": {**SPLIT, "flags": {**SPLIT["flags"], "banner": "green", "with_config": asks}}})

    assert one.wait("banner", "green", seconds=3) == "green"
    assert one.wait("with_config", "on", seconds=3) == "on"


@pytest.mark.parametrize("package", ON_CLIENTS)
def test_a_changed_large_segment_reaches_a_client(started: Callable[..., Sdk], trackside: Lab, package: str) -> None:
    sdk = started(package)
    trackside.split.segment("big", large=True).remove("user-1")
    sdk.wait("in_big", "off")


@pytest.mark.rule("split.sdk.rb-segment-update")
@pytest.mark.parametrize("package", EACH)
def test_a_changed_rule_based_segment_reaches_a_streaming_sdk(
    started: Callable[..., Sdk], trackside: Lab, package: str
) -> None:
    sdk, live = started(package), trackside.split.live
    with trackside.lock:
        [vip] = live.environment().rule_based_segments.active()
        live.put_rule_based_segment({**vip, "excluded": {"keys": ["user-1"], "segments": []}})
    sdk.wait("in_vip", "off", attributes={"plan": "gold"})


# ---- control messages


@pytest.mark.rule("split.sdk.control")
@pytest.mark.parametrize("package", EACH)
def test_a_paused_sdk_polls_and_a_resumed_one_streams(
    started: Callable[..., Sdk], trackside: Lab, package: str
) -> None:
    sdk = started(package)
    trackside.split.control("STREAMING_PAUSED")
    trackside.split.flag("banner").serve("green")
    sdk.wait("banner", "green", seconds=5)
    trackside.split.control("STREAMING_RESUMED")
    streamed(trackside, sdk)


@pytest.mark.rule("split.sdk.control")
@pytest.mark.parametrize("package", EACH)
def test_an_sdk_connects_again_on_a_reset_of_streaming(
    started: Callable[..., Sdk], trackside: Lab, package: str
) -> None:
    sdk, before = started(package), asked(trackside, "v2/auth")
    trackside.split.control("STREAMING_RESET")
    assert sdk.driver.ask("wait", flag="banner", user="user-1", until="blue", seconds=1) == "blue"
    wait_for(lambda: asked(trackside, "v2/auth") > before and len(trackside.split.live.streams) > 0)
    trackside.split.flag("banner").serve("green")
    sdk.wait("banner", "green", seconds=3)


@pytest.mark.rule("split.sdk.occupancy")
@pytest.mark.parametrize("package", EACH)
def test_an_sdk_polls_while_there_are_no_publishers(started: Callable[..., Sdk], trackside: Lab, package: str) -> None:
    sdk = started(package)
    trackside.split.occupancy(0)
    trackside.split.flag("banner").serve("green")
    sdk.wait("banner", "green", seconds=5)
    trackside.split.occupancy(2)
    trackside.split.flag("banner").serve("blue")
    sdk.wait("banner", "blue", seconds=5)


@pytest.mark.rule("split.sdk.auth.push-off")
@pytest.mark.parametrize("package", EACH)
@pytest.mark.trackside(workspace={"split": {**SPLIT, "streaming": False}})
def test_without_streaming_an_sdk_polls(sdk: Callable[[str], Sdk], trackside: Lab, package: str) -> None:
    one = sdk(package)
    assert one.start(trackside.split.url)
    trackside.split.flag("banner").serve("green")
    one.wait("banner", "green", seconds=5)

    assert asked(trackside, "sse") + asked(trackside, "event-stream") == 0


@pytest.mark.rule("split.sdk.token")
@pytest.mark.parametrize("package", EACH)
def test_an_sdk_that_gets_another_token_goes_on_streaming(
    started: Callable[..., Sdk], trackside: Lab, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setattr(streams, "TOKEN_SECONDS", 602)  # SDKs ask for another one ten minutes before its end
    sdk = started(package)
    before = asked(trackside, "sse") + asked(trackside, "event-stream")
    wait_for(lambda: asked(trackside, "sse") + asked(trackside, "event-stream") > before, seconds=25)
    trackside.split.flag("banner").serve("green")
    sdk.wait("banner", "green", seconds=2)


# ---- what goes wrong


@pytest.mark.rule("split.sdk.key")
@pytest.mark.parametrize("package", EACH)
def test_a_wrong_key_is_refused_and_the_sdk_never_ready(
    sdk: Callable[[str], Sdk], trackside: Lab, package: str
) -> None:
    assert not sdk(package).start(trackside.split.url, key="wrong-key", seconds=1.5)
    assert {finding.step.rule for finding in trackside.findings()} <= {"split.sdk.key", "split.posts.key"}
    assert trackside.findings()


@pytest.mark.rule("split.sdk.key-kinds")
def test_a_server_with_a_client_side_key_is_never_ready(sdk: Callable[[str], Sdk], trackside: Lab) -> None:
    assert not sdk("@splitsoftware/splitio").start(trackside.split.url, key="client-key", seconds=1.5)
    assert "split.sdk.key-kinds" in {finding.step.rule for finding in trackside.findings()}


@pytest.mark.rule("split.sdk.unknown-segment")
@pytest.mark.parametrize("package", ON_SERVERS)
def test_a_flag_of_an_unknown_segment_keeps_no_sdk_from_being_ready(
    started: Callable[..., Sdk], trackside: Lab, package: str
) -> None:
    with trackside.lock:
        flag = trackside.split.live.flag("in_beta")
        trackside.split.live.put({**flag, "conditions": [renamed(flag["conditions"][0]), flag["conditions"][1]]})

    assert started(package).evaluate("in_beta") == "off"


def renamed(condition: dict[str, Any]) -> dict[str, Any]:
    [matcher] = condition["matcherGroup"]["matchers"]
    nobody = {**matcher, "userDefinedSegmentMatcherData": {"segmentName": "nobody"}}
    return {**condition, "matcherGroup": {"combiner": "AND", "matchers": [nobody]}}


@pytest.mark.rule("split.sdk.spec-old", "split.sdk.unsupported-matcher")
@pytest.mark.parametrize("package", [EACH[1], *ON_CLIENTS])
def test_an_sdk_for_javascript_that_came_before_the_mock_asks_for_an_older_spec(
    sdk: Callable[[str], Sdk], make_trackside: Callable[..., Lab], package: str
) -> None:
    one, ready = sdk(package), list[bool]()
    with socket.socket() as nobody:  # takes questions and does not answer them
        nobody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # so that the lab may have the port next
        nobody.bind(("127.0.0.1", 0))
        nobody.listen()
        nobody.settimeout(10)
        port = nobody.getsockname()[1]
        starting = threading.Thread(target=lambda: ready.append(one.start(f"http://127.0.0.1:{port}", seconds=15)))
        starting.start()
        while b"splitChanges?s=1.2" not in hung_up(nobody):
            pass
    lab = make_trackside({"split": SPLIT}, ports={"split": port})
    starting.join()
    one.wait("in_beta", "on", seconds=5)

    assert (ready, one.evaluate("banner"), one.evaluate("in_vip")) == ([True], "blue", "control")
    assert [finding.step.rule for finding in lab.findings()] == ["split.sdk.unsupported-matcher"]
    streamed(lab, one)


def hung_up(listening: socket.socket) -> bytes:
    """Return what a client asks, after hanging up on it."""
    connection, _ = listening.accept()
    with connection:
        connection.settimeout(2)
        return connection.recv(4096)
