"""Config changes: whatever changes a gate, config, experiment, layer or segment tells Segment of it, once."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import urllib3

from trackside import Lab, catalog
from trackside.errors import TracksideError
from trackside.wire import Request

NOW = 1_767_322_800.0
STATSIG: dict[str, Any] = {
    "server_secret": "secret-local",
    "console_key": "console-local",
    "gates": {"new_checkout": True, "beta": {"if": {"passes_segment": "members"}}},
    "dynamic_configs": {"banner": {"color": "blue"}},
    "experiments": {"checkout": {"groups": {"control": {"color": "red"}, "test": {"color": "blue"}}, "layer": "page"}},
    "layers": {"page": {"color": "grey"}},
    "id_lists": {"members": ["u-1"]},
    "segment_outbound": {"enabled": True, "write_key": "wk_statsig"},
}
WORKSPACE = {"segment": {"sources": {"statsig": {"write_key": "wk_statsig"}}}, "statsig": STATSIG}

pytestmark = pytest.mark.trackside(workspace=WORKSPACE)


def calls(lab: Lab) -> list[Any]:
    """Return the calls as Segment receives them."""
    return [journey.call for journey in lab.journeys()]


def told(lab: Lab) -> list[tuple[str, str]]:
    """Return name and description of each config change that Segment receives."""
    return [(call["properties"]["configName"], call["properties"]["description"]) for call in calls(lab)]


def with_statsig(**changes: Any) -> dict[str, Any]:
    changed = copy.deepcopy(WORKSPACE)
    changed["statsig"].update(changes)
    return changed


# ---- what is sent


@pytest.mark.rule("statsig.out.config-change", "statsig.out.config-change.author", "statsig.contract")
def test_a_changed_gate_makes_one_call_in_the_documented_schema(make_trackside: Callable[..., Lab]) -> None:
    lab = make_trackside(WORKSPACE, start_at=NOW)
    lab.statsig.gate("new_checkout").serve(False)

    [call] = calls(lab)
    assert call == {
        "type": "track",
        "userId": "trackside",
        "timestamp": 1767322800000,
        "event": "statsig::config_change",
        "context": {"library": {"name": "statsig", "version": "1.0"}},
        "properties": {
            "author": "trackside",
            "configName": "new_checkout",
            "description": "Gate new_checkout updated: rules",
            "environment": "production",
        },
    }
    assert catalog.faults("statsig/segment-config-change", call) == []
    [journey] = lab.journeys()
    assert str(journey.origin) == "made by statsig of config_change (exchange 1)"
    lab.expect_no_findings()


@pytest.mark.rule("statsig.out.config-change.author")
def test_author_user_id_and_environment_are_settings(make_trackside: Callable[..., Lab]) -> None:
    who = {"config_change_author": "Ada", "config_change_user_id": "ada-1", "config_change_environment": "staging"}
    lab = make_trackside(with_statsig(segment_outbound={**STATSIG["segment_outbound"], **who}))
    lab.statsig.gate("new_checkout").disable()

    [call] = calls(lab)
    assert (call["userId"], call["properties"]["author"], call["properties"]["environment"]) == (
        "ada-1",
        "Ada",
        "staging",
    )


@pytest.mark.rule("statsig.out.config-change", "statsig.contract")
def test_statsig_keeps_what_was_changed_beside_its_events(trackside: Lab) -> None:
    trackside.statsig.config("banner").serve({"color": "green"})

    [kept] = trackside.statsig.config_changes()
    assert (kept["metadata"]["type"], kept["metadata"]["name"], kept["metadata"]["action"]) == (
        "Dynamic Config",
        "banner",
        "updated",
    )
    assert catalog.faults("statsig/config_change", kept) == []
    assert (trackside.statsig.events(), trackside.statsig.exposures(), trackside.exchanges("statsig")) == ([], [], [])


# ---- what makes one


CHANGES: dict[str, tuple[Callable[[Any], Any], tuple[str, str]]] = {
    "gate": (
        lambda statsig: statsig.gate("new_checkout").serve(50),
        ("new_checkout", "Gate new_checkout updated: rules"),
    ),
    "gate disabled": (
        lambda statsig: statsig.gate("new_checkout").disable(),
        ("new_checkout", "Gate new_checkout updated: enabled"),
    ),
    "new gate": (lambda statsig: statsig.gate("fresh").serve(True), ("fresh", "Gate fresh created")),
    "config": (
        lambda statsig: statsig.config("banner").serve({"color": "red"}),
        ("banner", "Dynamic Config banner updated: rules"),
    ),
    "experiment in a layer": (
        lambda statsig: statsig.experiment("checkout").serve("test"),
        ("checkout", "Experiment checkout updated: rules"),
    ),
    "layer": (lambda statsig: statsig.layer("page").serve({"color": "red"}), ("page", "Layer page updated: rules")),
    "id list": (lambda statsig: statsig.id_list("members").add("u-2"), ("members", "Segment members updated: ids")),
    "new id list": (lambda statsig: statsig.id_list("fresh").add("u-2"), ("fresh", "Segment fresh created")),
}


@pytest.mark.rule("statsig.out.config-change", "statsig.out.config-change.description")
@pytest.mark.parametrize("which", CHANGES)
def test_each_sort_of_change_makes_one_that_says_what_was_done(trackside: Lab, which: str) -> None:
    change, expected = CHANGES[which]
    change(trackside.statsig)

    assert told(trackside) == [expected]
    trackside.expect_no_findings()


@pytest.mark.rule("statsig.out.config-change")
def test_over_http_changes_arrive_in_their_order(make_trackside: Callable[..., Lab]) -> None:
    lab = make_trackside(WORKSPACE, deliveries="http")
    for number in range(30):
        lab.statsig.gate(f"gate_{number}").serve(True)
    lab.settle()

    assert [name for name, _ in told(lab)] == [f"gate_{number}" for number in range(30)]


@pytest.mark.rule("statsig.out.config-change")
def test_the_control_api_makes_one(trackside: Lab) -> None:
    url = f"{trackside.urls['admin']}/flags/statsig/new_checkout"
    assert urllib3.request("POST", url, json={"serve": False}).status == 200

    assert told(trackside) == [("new_checkout", "Gate new_checkout updated: rules")]


@pytest.mark.rule("statsig.out.config-change")
def test_an_event_that_an_sdk_posts_meanwhile_takes_none_away(trackside: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    body = orjson.dumps({"events": [{"eventName": "purchase", "user": {"userID": "u-1"}, "time": 1}]})
    event = Request("POST", "/v1/log_event", {"statsig-api-key": "secret-local"}, body)
    monkeypatch.setattr(trackside.journal, "poke", lambda: trackside.receive("statsig", event))
    trackside.statsig.set_flag("new_checkout", serve=False)

    assert len(trackside.statsig.config_changes()) == 1


@pytest.mark.rule("statsig.out.config-change")
@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("PUT", "/gates/new_checkout/disable", None, ("new_checkout", "Gate new_checkout updated: enabled")),
        ("POST", "/gates", {"name": "Fresh"}, ("fresh", "Gate fresh created")),
        ("DELETE", "/gates/new_checkout", None, ("new_checkout", "Gate new_checkout deleted")),
        ("PATCH", "/segments/members/id_list", {"ids": ["u-9"]}, ("members", "Segment members updated: ids")),
        ("DELETE", "/segments/members", None, ("members", "Segment members deleted")),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_the_console_api_makes_one_that_names_its_request(
    trackside: Lab, call: Any, method: str, path: str, body: Any, expected: Any
) -> None:
    assert call(f"/console/v1{path}", body, method, statsig_api_key="console-local").status < 300

    assert told(trackside) == [expected]
    [journey] = trackside.journeys()
    assert (journey.origin.vendor, journey.origin.what) == ("statsig", f"{method} /console/v1{path}")


@pytest.mark.rule("statsig.out.config-change")
def test_another_workspace_makes_one_per_spec_that_differs(trackside: Lab) -> None:
    changed = with_statsig(gates={**STATSIG["gates"], "new_checkout": False}, dynamic_configs={})
    trackside.configure(changed)

    assert told(trackside) == [
        ("new_checkout", "Gate new_checkout updated: rules"),
        ("banner", "Dynamic Config banner deleted"),
    ]


@pytest.mark.rule("statsig.out.config-change")
def test_a_changed_file_makes_one(make_trackside: Callable[..., Lab], tmp_path: Path) -> None:
    file = tmp_path / "trackside.json"
    file.write_bytes(orjson.dumps(WORKSPACE))
    lab = make_trackside(file)
    file.write_bytes(orjson.dumps(with_statsig(gates={**STATSIG["gates"], "new_checkout": False})))

    until = time.monotonic() + 10
    while not calls(lab) and time.monotonic() < until:
        lab.settle()
    assert told(lab) == [("new_checkout", "Gate new_checkout updated: rules")]


# ---- what makes none


@pytest.mark.rule("statsig.out.config-change")
@pytest.mark.parametrize(
    "nothing",
    [
        lambda lab: lab.settle(),
        lambda lab: lab.configure(copy.deepcopy(WORKSPACE)),
        lambda lab: lab.statsig.flags(),
        lambda lab: lab.statsig.id_list("members").add("u-1"),
        lambda lab: (lab.statsig.gate("new_checkout").serve(False), lab.reset()),
    ],
    ids=["start", "the same workspace", "reading", "an id that is in the list", "reset"],
)
def test_what_changes_nothing_makes_none(trackside: Lab, nothing: Callable[[Lab], Any]) -> None:
    nothing(trackside)

    assert (told(trackside), trackside.statsig.config_changes()) == ([], [])


@pytest.mark.rule("statsig.out.config-change")
def test_serving_the_same_again_makes_no_other(trackside: Lab) -> None:
    for _ in range(2):
        trackside.statsig.gate("new_checkout").serve(False)

    assert len(told(trackside)) == 1


@pytest.mark.rule("statsig.out.config-change")
def test_a_change_that_is_refused_makes_none(trackside: Lab) -> None:
    with pytest.raises(TracksideError):
        trackside.statsig.set_flag("new_checkout", serve="sometimes")

    assert told(trackside) == []


@pytest.mark.rule("statsig.out.filter")
def test_the_filter_leaves_config_changes_out(make_trackside: Callable[..., Lab]) -> None:
    outbound = {**STATSIG["segment_outbound"], "categories": ["exposures"]}
    lab = make_trackside(with_statsig(segment_outbound=outbound))
    lab.statsig.gate("new_checkout").serve(False)

    assert (calls(lab), len(lab.statsig.config_changes())) == ([], 1)
    lab.expect_no_findings()


@pytest.mark.rule("statsig.out.config-change.audience")
def test_an_id_list_that_segment_changes_makes_none(make_trackside: Callable[..., Lab]) -> None:
    workspace = with_statsig()
    workspace["segment"] = {
        "sources": {
            "web": {"write_key": "wk_web", "destinations": ["to-statsig"]},
            **workspace["segment"]["sources"],
        },
        "destinations": {"to-statsig": {"type": "statsig", "api_key": "secret-local"}},
    }
    lab = make_trackside(workspace)
    personas = {"computation_class": "audience", "computation_key": "members"}
    identify = {"writeKey": "wk_web", "userId": "u-7", "traits": {"members": True}, "context": {"personas": personas}}
    lab.receive("segment", Request("POST", "/v1/identify", {}, orjson.dumps(identify)))
    lab.settle()

    assert "u-7" in lab.statsig.id_list("members").ids
    assert (lab.statsig.config_changes(), [call.get("event") for call in calls(lab)]) == ([], [None])
