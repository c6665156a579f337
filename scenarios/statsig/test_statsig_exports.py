"""Statsig to Segment: what becomes of custom events and exposures, what is left out, and where exports end."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from trackside import Lab, WorkspaceError, catalog
from trackside.statsig.export import exported
from trackside.statsig.hashes import djb2
from trackside.statsig.settings import SegmentOutbound, StatsigSettings
from trackside.statsig.specs import Specs, spec
from trackside.wire import Answer, Request
from trackside.workspace import load

NOW = 1_767_322_800.0
MS = 1_655_231_253_265
KEY = "wk_statsig"
WORKSPACE: dict[str, Any] = {
    "segment": {
        "sources": {"statsig": {"write_key": KEY, "destinations": ["to-statsig"]}},
        "destinations": {"to-statsig": {"type": "statsig", "api_key": "secret-local"}},
    },
    "statsig": {
        "server_secret": "secret-local",
        "client_key": "client-local",
        "id_types": ["companyID"],
        "gates": {"new_checkout": True},
        "dynamic_configs": {"banner": {"color": "blue"}},
        "experiments": {
            "checkout": {"groups": {"control": {"color": "red"}, "test": {"color": "blue"}}, "layer": "page"}
        },
        "layers": {"page": {"color": "grey"}},
        "segment_outbound": {"enabled": True, "write_key": KEY},
    },
}
USER = {"userID": "u-1"}
PURCHASE = {"eventName": "purchase", "user": USER, "value": 42.5, "metadata": {"sku": "s-1"}, "time": MS}


def gate(name: str = "new_checkout") -> dict[str, Any]:
    metadata = {"gate": name, "gateValue": "true", "ruleID": "everyone", "reason": "Network"}
    return {"eventName": "statsig::gate_exposure", "user": USER, "metadata": metadata, "time": MS}


def config(name: str, rule_id: str = "default") -> dict[str, Any]:
    metadata = {"config": name, "ruleID": rule_id, "rulePassed": "true", "reason": "Network"}
    return {"eventName": "statsig::config_exposure", "user": USER, "metadata": metadata, "time": MS}


def layer(experiment: str) -> dict[str, Any]:
    metadata = {"config": "page", "ruleID": "test", "allocatedExperiment": experiment, "parameterName": "color"}
    return {"eventName": "statsig::layer_exposure", "user": USER, "metadata": metadata, "time": MS}


def with_outbound(**settings: Any) -> dict[str, Any]:
    """Return the workspace with other settings of the outgoing side."""
    changed = copy.deepcopy(WORKSPACE)
    changed["statsig"]["segment_outbound"].update(settings)
    return changed


@pytest.fixture
def make_lab(new_lab: Callable[..., Lab]) -> Callable[..., Lab]:
    """Return what makes a lab without sockets, with this workspace unless told otherwise."""
    return lambda workspace=WORKSPACE, **options: new_lab(workspace, **options)


@pytest.fixture
def lab(make_lab: Callable[..., Lab]) -> Lab:
    return make_lab()


def post(lab: Lab, *events: Any, **about: Any) -> Answer:
    """Post events as an SDK does."""
    body = orjson.dumps({"events": list(events), "statsigMetadata": {"sdkType": "py-server", **about}})
    return lab.receive("statsig", Request("POST", "/v1/log_event", {"statsig-api-key": "secret-local"}, body))


def sent(lab: Lab) -> list[Any]:
    """Return the calls as Segment receives them."""
    return [journey.call for journey in lab.journeys()]


def steps(lab: Lab) -> list[tuple[str, str, str | None]]:
    """Return the kind, rule and level of what befell the SDK's request."""
    row = lab.exchanges("statsig")[0]
    return [(step.kind, step.rule, step.level) for step in lab.steps_of(row)]


# ---- the calls


@pytest.mark.rule("statsig.out.event", "statsig.out.write-key")
def test_a_custom_event_becomes_a_track_call_in_the_documented_schema(lab: Lab) -> None:
    post(lab, PURCHASE)

    assert sent(lab) == [
        {
            "type": "track",
            "userId": "u-1",
            "timestamp": 1655231253265,
            "event": "purchase",
            "context": {
                "user": {"userID": "u-1"},
                "value": 42.5,
                "metadata": {"sku": "s-1"},
                "library": {"name": "statsig", "version": "1.0"},
            },
            "properties": {"value": 42.5, "metadata": {"sku": "s-1"}},
        }
    ]
    [journey] = lab.journeys()
    assert (journey.exchange.intake.source, str(journey.origin)) == (
        "statsig",
        "made by statsig of POST /v1/log_event (exchange 1)",
    )
    lab.expect_no_findings()


@pytest.mark.rule("statsig.out.event")
def test_the_stable_id_of_a_client_sdk_is_in_the_context(lab: Lab) -> None:
    post(lab, PURCHASE, stableID="s-1")

    [call] = sent(lab)
    assert (call["userId"], call["context"]["stableID"], "anonymousId" in call) == ("u-1", "s-1", False)


@pytest.mark.rule("statsig.out.event")
def test_segment_reads_the_timestamp_as_milliseconds_and_gives_the_call_an_id(lab: Lab) -> None:
    post(lab, PURCHASE)

    [message] = lab.segment.events()
    assert (message["timestamp"], message["messageId"]) == ("2022-06-14T18:27:33.265Z", "trackside-2-0")


@pytest.mark.rule("statsig.out.value")
@pytest.mark.parametrize(("setting", "value"), [("null", None), ("text", "")])
def test_an_event_without_a_value_has_null_or_an_empty_text(make_lab: Any, setting: str, value: Any) -> None:
    lab = make_lab(with_outbound(empty_value=setting))
    post(lab, {**PURCHASE, "value": None})

    [call] = sent(lab)
    assert (call["properties"]["value"], call["context"]["value"]) == (value, value)


@pytest.mark.rule("statsig.out.names", "statsig.out.names.group")
@pytest.mark.parametrize(
    ("logged", "name", "group"),
    [
        (gate(), "statsig::gate_exposure", None),
        (config("banner"), "statsig::config_exposure", None),
        (config("checkout", "test"), "statsig::experiment_exposure", "test"),
        (config("checkout", "control:userID:id_override"), "statsig::experiment_exposure", "control"),
        (config("checkout", "layerAssignment"), "statsig::experiment_exposure", None),
        (config("of_another_project"), "statsig::config_exposure", None),
        (layer("checkout"), "statsig::layer_exposure", None),
    ],
    ids=["gate", "config", "experiment", "override", "not in the experiment", "unknown", "layer"],
)
def test_an_exposure_is_named_after_what_was_seen(lab: Lab, logged: Any, name: str, group: str | None) -> None:
    post(lab, logged)

    [call] = sent(lab)
    told = logged["metadata"] if group is None else {**logged["metadata"], "experimentGroupName": group}
    assert (call["event"], call["properties"]["metadata"], call["context"]["metadata"]) == (name, told, told)
    lab.expect_no_findings()


@pytest.mark.rule("statsig.out.names")
@pytest.mark.parametrize(
    ("entity", "logged", "name"),
    [
        ("holdout", gate("one"), "statsig::holdout_exposure"),
        ("feature_gate", gate("one"), "statsig::gate_exposure"),
        ("autotune", config("one"), "statsig::experiment_exposure"),
    ],
)
def test_holdouts_and_autotunes_of_a_specs_file_are_told_apart(entity: str, logged: Any, name: str) -> None:
    one = {"one": spec("one", entity, False, [])}
    specs = Specs(feature_gates=one) if entity != "autotune" else Specs(dynamic_configs=one)
    of = "gate" if "gate" in logged["metadata"] else "config"
    record = {"kind": "exposure", **logged, "exposure": {"of": of, "name": "one", "ruleID": "default"}}
    settings = StatsigSettings(segment_outbound=SegmentOutbound(True, KEY))

    found = exported([record], settings, specs)

    assert [call["event"] for call in found.messages[KEY]] == [name]
    assert catalog.faults("statsig/segment-track", found.messages[KEY][0]) == []


@pytest.mark.rule("statsig.out.names")
def test_an_experiment_that_the_console_api_makes_is_one(lab: Lab) -> None:
    lab.statsig.experiment("pricing").serve("high")
    post(lab, config("pricing", "high"))

    call = sent(lab)[-1]
    assert (call["event"], call["properties"]["metadata"]["experimentGroupName"]) == (
        "statsig::experiment_exposure",
        "high",
    )


@pytest.mark.rule("statsig.out.names", "statsig.out.filter")
def test_what_was_sent_stays_so_when_its_config_becomes_an_experiment(make_lab: Any) -> None:
    lab = make_lab(with_outbound(exposures=["config"]))
    post(lab, config("banner"))
    lab.settle()
    lab.statsig.experiment("banner").serve("blue")

    [row] = [one for one in lab.exchanges("statsig") if one.request.path == "/v1/log_event"]
    assert [step.rule for step in lab.steps_of(row) if step.kind == "drop"] == []
    assert sent(lab)[0]["event"] == "statsig::config_exposure"


@pytest.mark.rule("statsig.out.names.hash")
def test_js_clients_hash_of_a_layers_experiment_becomes_its_name(lab: Lab) -> None:
    post(lab, layer(djb2("checkout")), layer("12345"))

    assert [call["properties"]["metadata"]["allocatedExperiment"] for call in sent(lab)] == ["checkout", "12345"]


# ---- who


ANONYMOUS = {**PURCHASE, "user": {"customIDs": {"companyID": "c-1"}}}


@pytest.mark.rule("statsig.out.anonymous")
def test_without_a_user_id_the_stable_id_is_the_anonymous_id(lab: Lab) -> None:
    post(lab, ANONYMOUS, stableID="s-1")

    [call] = sent(lab)
    assert (call["anonymousId"], "userId" in call) == ("s-1", False)
    assert ("assumed", "statsig.out.anonymous", "note") in steps(lab)
    lab.expect_no_findings()


@pytest.mark.rule("statsig.out.map-identifier", "statsig.out.anonymous")
def test_a_mapped_id_is_the_anonymous_id_ahead_of_the_stable_id(make_lab: Any) -> None:
    lab = make_lab(with_outbound(map_identifiers={"companyID": "anonymousId"}))
    post(lab, ANONYMOUS, stableID="s-1")

    [call] = sent(lab)
    assert (call["anonymousId"], call["context"]["stableID"]) == ("c-1", "s-1")


@pytest.mark.rule("statsig.out.map-identifier")
def test_a_mapped_id_fills_any_field_that_names_somebody_but_not_one_that_is_filled(make_lab: Any) -> None:
    lab = make_lab(with_outbound(map_identifiers={"companyID": "groupId", "stableID": "userId"}))
    post(lab, {**ANONYMOUS, "user": {**ANONYMOUS["user"], "userID": "u-1"}}, ANONYMOUS, stableID="s-1")

    assert [(call["userId"], call["groupId"]) for call in sent(lab)] == [("u-1", "c-1"), ("s-1", "c-1")]


@pytest.mark.rule("statsig.out.anonymous")
@pytest.mark.parametrize(("about", "setting"), [({}, True), ({"stableID": "s-1"}, False)])
def test_an_event_of_nobody_is_not_sent_and_the_reason_says_so(make_lab: Any, about: Any, setting: bool) -> None:
    lab = make_lab(with_outbound(anonymous_stable_id=setting))
    answer = post(lab, ANONYMOUS, **about)

    assert (answer.status, sent(lab), len(lab.statsig.events())) == (202, [], 1)
    [finding] = lab.findings()
    assert (finding.step.rule, finding.step.level, finding.step.at) == (
        "statsig.out.anonymous",
        "warning",
        "$.user.userID",
    )
    assert (
        finding.step.text == '"purchase" has neither a user ID nor an ID to send as anonymousId, and Segment wants one'
    )


# ---- what is left out


@pytest.mark.rule("statsig.out.filter")
@pytest.mark.parametrize(
    ("settings", "left"),
    [
        ({"categories": ["exposures"]}, ["statsig::gate_exposure"]),
        ({"categories": ["custom_events"]}, ["purchase", "statsig::app_error"]),
        ({"categories": []}, []),
        ({"refuse_events": ["purchase"]}, ["statsig::app_error", "statsig::gate_exposure"]),
        ({"include_new_events": False, "events": ["purchase"]}, ["purchase", "statsig::gate_exposure"]),
        ({"include_new_events": False}, ["statsig::gate_exposure"]),
        ({"exposures": ["experiment"]}, ["purchase", "statsig::app_error"]),
    ],
    ids=str,
)
def test_the_filter_chooses_categories_and_custom_events_by_name(make_lab: Any, settings: Any, left: list[str]) -> None:
    lab = make_lab(with_outbound(**settings))
    post(lab, PURCHASE, {**PURCHASE, "eventName": "statsig::app_error"}, gate())

    assert [call["event"] for call in sent(lab)] == left
    assert steps(lab).count(("drop", "statsig.out.filter", None)) == 3 - len(left)
    lab.expect_no_findings(notes=False)


@pytest.mark.rule("statsig.out.filter")
def test_what_sdks_tell_of_themselves_is_never_sent(lab: Lab) -> None:
    post(lab, {"eventName": "statsig::diagnostics", "user": USER, "metadata": {"context": "initialize"}, "time": MS})

    assert (sent(lab), steps(lab)) == ([], [("drop", "statsig.out.filter", None)])


@pytest.mark.rule("statsig.out.write-key")
def test_while_it_is_disabled_nothing_is_sent(make_lab: Any) -> None:
    lab = make_lab(with_outbound(enabled=False))
    post(lab, PURCHASE, gate())
    lab.statsig.gate("new_checkout").serve(False)

    assert (sent(lab), lab.statsig.config_changes(), list(lab.findings(notes=True))) == ([], [], [])


# ---- the write key


@pytest.mark.rule("statsig.out.write-key")
def test_a_workspace_that_enables_it_without_a_write_key_is_refused() -> None:
    with pytest.raises(WorkspaceError) as raised:
        load({"statsig": {"segment_outbound": {"enabled": True}}})

    [fault] = raised.value.faults
    assert fault.where == "the workspace: $.statsig.segment_outbound.write_key"


@pytest.mark.rule("statsig.out.map-identifier")
@pytest.mark.parametrize("field", ["event", "messageId"])  # by the other one, Segment would drop all but the first
def test_a_row_cannot_fill_what_the_schema_fills_itself_nor_what_tells_calls_apart(field: str) -> None:
    with pytest.raises(WorkspaceError) as raised:
        load(with_outbound(map_identifiers={"companyID": field}))

    [fault] = raised.value.faults
    assert fault.where == "the workspace: $.statsig.segment_outbound.map_identifiers.companyID"


@pytest.mark.rule("statsig.out.write-key")
def test_a_write_key_that_no_source_has_is_warned_of_and_segment_says_so_of_each_request(make_lab: Any) -> None:
    workspace = with_outbound(write_key="wk_elsewhere")
    [note] = load(workspace).notes
    assert (note.rule, note.at, note.level) == (
        "statsig.out.write-key",
        "$.statsig.segment_outbound.write_key",
        "warning",
    )

    lab = make_lab(workspace)
    post(lab, PURCHASE)

    assert sent(lab) == []
    assert [finding.step.rule for finding in lab.findings()] == ["segment.write-key.unknown"]


# ---- the loop guard


@pytest.mark.rule("statsig.out.loop")
@pytest.mark.parametrize("way", ["direct", "http"])
def test_an_event_that_comes_round_stops_at_statsig_and_its_journey_says_why(make_trackside: Any, way: str) -> None:
    lab = make_trackside(WORKSPACE, start_at=NOW, deliveries=way)
    post(lab, PURCHASE)
    lab.settle()

    [journey] = lab.journeys()
    assert (journey.call["event"], journey.origin.vendor, journey.delivery("to-statsig").outcome) == (
        "purchase",
        "statsig",
        "delivered",
    )
    [stop] = [step for step in journey.delivery("to-statsig").all_steps() if step.rule == "statsig.out.loop"]
    assert (stop.kind, stop.level) == ("drop", "note")
    assert (
        stop.text
        == '"segment::purchase" came from Segment, and is not sent back there, where it would come round again'
    )
    assert [event["eventName"] for event in lab.statsig.events()] == ["purchase", "segment::purchase"]
    lab.expect_no_findings()


@pytest.mark.rule("statsig.out.loop")
def test_a_segment_call_of_another_source_is_not_sent_back_either(make_lab: Any) -> None:
    workspace = copy.deepcopy(WORKSPACE)
    workspace["segment"]["sources"]["web"] = {"write_key": "wk_web", "destinations": ["to-statsig"]}
    lab = make_lab(workspace)
    call = {"writeKey": "wk_web", "messageId": "m-1", "userId": "u-1", "event": "Order Completed"}
    lab.receive("segment", Request("POST", "/v1/track", {}, orjson.dumps(call)))

    assert [one["event"] for one in sent(lab)] == ["Order Completed"]
    assert "statsig.out.loop" in [step.rule for _, step in lab.journey("m-1").all_steps()]


# ---- the contract


@pytest.mark.rule("statsig.contract", "statsig.out.event")
def test_every_call_keeps_its_contract(make_lab: Any) -> None:
    lab = make_lab(with_outbound(map_identifiers={"companyID": "groupId"}))
    anonymous = {**ANONYMOUS, "value": "pro", "metadata": None}
    post(
        lab, PURCHASE, gate(), config("banner"), config("checkout", "test"), layer("checkout"), anonymous, stableID="s"
    )
    lab.statsig.gate("new_checkout").serve(False)

    calls = sent(lab)
    changes = [call for call in calls if call["event"] == "statsig::config_change"]
    assert (len(calls), len(changes)) == (7, 1)
    assert [fault for call in changes for fault in catalog.faults("statsig/segment-config-change", call)] == []
    others = [call for call in calls if call not in changes]
    assert [fault for call in others for fault in catalog.faults("statsig/segment-track", call)] == []


# ---- when Segment does not take it


@pytest.mark.rule("statsig.out.retry")
def test_while_segment_is_down_the_sdk_is_answered_and_nothing_is_lost(lab: Lab) -> None:
    lab.segment.fail(503, times=2)
    assert post(lab, PURCHASE).status == 202

    assert (sent(lab), lab.stats()["deliveries_waiting"]) == ([], 1)
    [finding] = lab.findings()
    assert (finding.step.rule, finding.step.level, finding.where) == (
        "statsig.out.retry",
        "warning",
        "POST /v1/log_event",
    )
    lab.advance(60)
    assert [call["event"] for call in sent(lab)] == ["purchase"]
    assert lab.stats()["deliveries_waiting"] == 0


@pytest.mark.rule("statsig.out.refused")
def test_where_segment_refuses_an_export_for_good_an_error_says_so(lab: Lab) -> None:
    lab.segment.fail(400)
    assert post(lab, PURCHASE).status == 202

    [finding] = lab.findings()
    assert (finding.step.rule, finding.step.level) == ("statsig.out.refused", "error")
    lab.advance(3600)
    assert sent(lab) == []


@pytest.mark.rule("statsig.out.retry")
def test_after_a_restart_exports_go_on(make_lab: Any, tmp_path: Path) -> None:
    file = tmp_path / "journal.sqlite"
    before = make_lab(data=file)
    before.segment.fail(503, times=None)
    post(before, PURCHASE)
    before.statsig.gate("new_checkout").serve(False)
    assert sent(before) == []
    before.stop()

    after = make_lab(data=file)
    after.advance(60)

    assert sorted(call["event"] for call in sent(after)) == ["purchase", "statsig::config_change"]
    assert [one["metadata"]["name"] for one in after.statsig.config_changes()] == ["new_checkout"]


@pytest.mark.rule("statsig.out.retry")
def test_a_lab_that_listens_again_after_a_restart_sends_what_waits_once(make_lab: Any, tmp_path: Path) -> None:
    file = tmp_path / "journal.sqlite"
    before = make_lab(data=file)
    before.segment.fail(503, times=None)
    post(before, PURCHASE)
    before.stop()

    after = make_lab(data=file).start()
    after.advance(60)

    assert [call["event"] for call in sent(after)] == ["purchase"]


@pytest.mark.rule("statsig.out.retry")
def test_what_was_under_way_when_the_process_ended_is_sent_after_a_restart(make_lab: Any, tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    before = make_lab(data=tmp_path / "before" / "journal.sqlite", deliveries="http").start()
    before.segment.fail(error="ETIMEDOUT")
    post(before, PURCHASE)
    assert before.journal.wait(lambda: not before.segment.faults, 5)  # its export hangs, and the next waits for it
    post(before, gate())
    shutil.copytree(tmp_path / "before", tmp_path / "as-killed")

    after = make_lab(data=tmp_path / "as-killed" / "journal.sqlite", deliveries="http").start()
    after.settle()

    assert [call["event"] for call in sent(after)] == ["purchase", "statsig::gate_exposure"]


@pytest.mark.rule("statsig.events.body")
def test_an_event_of_too_many_levels_to_be_passed_on_is_refused_and_takes_no_other_with_it(lab: Lab) -> None:
    body = b'{"events": [{"eventName": "purchase"}], "user": {"userID": "u-1", "custom": %s}}'
    body %= b'{"a":' * 252 + b"1" + b"}" * 252
    answer = lab.receive("statsig", Request("POST", "/v1/log_event", {"statsig-api-key": "secret-local"}, body))

    assert (answer.status, sent(lab), lab.errors) == (400, [], [])
    assert "253 levels" in answer.steps[0].text
