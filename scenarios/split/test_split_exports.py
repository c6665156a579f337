"""Harness FME to Segment: what becomes of impressions, what is left out, and where exports end."""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest

from trackside import Lab, WorkspaceError, catalog
from trackside.split.admin_state import id_of
from trackside.wire import Answer, Request
from trackside.workspace import load

NOW = 1_767_322_800.0
MS = 1_735_787_045_000
WORKSPACE: dict[str, Any] = {
    "segment": {
        "sources": {
            "fme": {"write_key": "wk_fme"},
            "fme-staging": {"write_key": "wk_staging"},
        },
        "destinations": {"to-fme": {"type": "split", "api_key": "fme-key"}},
    },
    "split": {
        "environments": {"production": {"sdk_key": "sdk-prod"}, "staging": {"sdk_key": "sdk-staging"}},
        "traffic_types": ["user", "anonymous", "account"],
        "flags": {
            "banner": "on",
            "landing": {"serve": "on", "traffic_type": "anonymous"},
            "plan_page": {"serve": "on", "traffic_type": "account"},
        },
        "segment_inbound": [{"api_key": "fme-key", "environment": "production"}],
        "segment_outbound": [
            {
                "environments": ["production"],
                "identities": {"user": "userId", "anonymous": "anonymousId"},
                "write_key": "wk_fme",
            }
        ],
    },
}
PROPERTIES = ("split", "treatment", "label", "environmentName")


def configured(*changes: dict[str, Any]) -> dict[str, Any]:
    """Return the workspace with a configuration for each change, made of its own."""
    changed = copy.deepcopy(WORKSPACE)
    [usual] = changed["split"]["segment_outbound"]
    changed["split"]["segment_outbound"] = [{**usual, **change} for change in changes]
    return changed


def impression(flag: str, key: str = "u-1", **more: Any) -> dict[str, Any]:
    """Return one impression as SDKs post it."""
    return {"f": flag, "i": [{"k": key, "t": "on", "m": MS, "c": 1500000000001, "r": "default rule", **more}]}


@pytest.fixture
def make_lab(new_lab: Callable[..., Lab]) -> Callable[..., Lab]:
    """Return what makes a lab without sockets, with this workspace unless told otherwise."""
    return lambda workspace=WORKSPACE, **options: new_lab(workspace, **options)


@pytest.fixture
def lab(make_lab: Callable[..., Lab]) -> Lab:
    return make_lab()


def post(
    lab: Lab, *groups: Any, key: str = "sdk-prod", path: str = "/api/testImpressions/bulk", **headers: str
) -> Answer:
    """Post impressions as an SDK does."""
    sent = {"authorization": f"Bearer {key}", "splitsdkversion": "python-10.7.0", **headers}
    return lab.receive("split", Request("POST", path, sent, orjson.dumps(list(groups))))


def sent(lab: Lab, source: str = "") -> list[Any]:
    """Return the calls as Segment receives them, all or those of one source."""
    return [one.call for one in lab.journeys() if source in ("", one.exchange.intake.source)]


def told(lab: Lab) -> list[tuple[str, str, str | None]]:
    """Return the kind, rule and level of what is told of the SDK's first request, the assumed properties aside."""
    steps = lab.steps_of(lab.exchanges("split")[0])
    return [(step.kind, step.rule, step.level) for step in steps if step.rule != "split.out.properties"]


# ---- the calls


@pytest.mark.rule("split.out.impressions", "split.out.write-keys", "split.out.properties")
def test_an_impression_becomes_a_get_treatment_call(lab: Lab) -> None:
    assert post(lab, impression("banner")).status == 200

    assert sent(lab) == [
        {
            "type": "track",
            "event": "get_treatment",
            "userId": "u-1",
            "timestamp": "2025-01-02T03:04:05.000Z",
            "properties": {
                "key": "u-1",
                "split": "banner",
                "environmentName": "production",
                "treatment": "on",
                "time": 1735787045000,
                "label": "default rule",
                "splitVersionNumber": 1500000000001,
                "sdk": "python",
                "sdkVersion": "10.7.0",
                "environmentId": id_of("environment", "production"),
            },
        }
    ]
    lab.expect_no_findings()


@pytest.mark.rule("split.out.impressions")
def test_its_journey_says_of_which_request_it_was_made(lab: Lab) -> None:
    post(lab, impression("banner"))

    [journey] = lab.journeys()
    assert (journey.exchange.intake.source, str(journey.origin)) == (
        "fme",
        "made by split of POST /api/testImpressions/bulk (exchange 1)",
    )
    assert lab.segment.expect_event("get_treatment")["timestamp"] == "2025-01-02T03:04:05.000Z"


@pytest.mark.rule("split.out.impressions")
def test_the_impressions_of_a_beacon_are_sent_too(lab: Lab) -> None:
    body = orjson.dumps({"entries": [impression("banner")], "token": "sdk-prod", "sdk": "browserjs-1.7.1"})
    lab.receive("split", Request("POST", "/api/testImpressions/beacon", {}, body))

    assert [call["properties"]["sdk"] for call in sent(lab)] == ["browserjs"]


@pytest.mark.rule("split.out.impressions")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/testImpressions/count", {"pf": [{"f": "banner", "m": MS - MS % 3_600_000, "rc": 4}]}),
        ("/api/v1/keys/ss", {"keys": [{"f": "banner", "ks": ["u-1"]}]}),
        ("/api/events/bulk", [{"key": "u-1", "trafficTypeName": "user", "eventTypeId": "paid", "timestamp": MS}]),
    ],
    ids=["counts", "unique keys", "events"],
)
def test_counts_unique_keys_and_events_are_not_sent_and_nothing_is_said_of_it(lab: Lab, path: str, body: Any) -> None:
    lab.receive("split", Request("POST", path, {"authorization": "Bearer sdk-prod"}, orjson.dumps(body)))

    assert (len(list(lab.kept("split"))), sent(lab), told(lab)) == (1, [], [])
    lab.expect_no_findings()


@pytest.mark.rule("split.out.impressions")
def test_a_moment_that_no_date_holds_is_left_to_segment(lab: Lab) -> None:
    post(lab, impression("banner", m=10**17))

    [call] = sent(lab)
    assert ("timestamp" in call, call["properties"]["time"]) == (False, 10**17)


@pytest.mark.rule("split.out.properties")
def test_only_the_documented_properties_are_sent_where_the_workspace_says_so(make_lab: Any) -> None:
    lab = make_lab(configured({"properties": "documented"}))
    post(lab, impression("banner", b="b-1", properties='{"screen":"cart"}'))

    [call] = sent(lab)
    assert call["properties"] == {
        "split": "banner",
        "treatment": "on",
        "label": "default rule",
        "environmentName": "production",
    }
    lab.expect_no_findings(notes=True)


@pytest.mark.rule("split.out.properties")
def test_the_other_properties_are_told_to_be_assumed_once_for_each_post(lab: Lab) -> None:
    post(lab, impression("banner"), impression("landing"))

    [finding] = lab.findings(notes=True)
    assert (finding.step.kind, finding.step.rule, finding.step.level) == ("assumed", "split.out.properties", "note")
    assert finding.step.text == (
        "2 impressions sent with the properties of the impressions webhook; "
        "the vendor's pages name split, treatment, label, environmentName only"
    )


@pytest.mark.rule("split.out.properties")
def test_properties_can_have_other_names(make_lab: Any) -> None:
    lab = make_lab(configured({"properties": "documented", "property_names": {"split": "flag", "label": "rule"}}))
    post(lab, impression("banner"))

    assert list(sent(lab)[0]["properties"]) == ["flag", "treatment", "rule", "environmentName"]


@pytest.mark.rule("split.out.properties")
def test_an_impression_without_a_label_has_null_there(lab: Lab) -> None:
    post(lab, impression("banner", r=None))

    assert sent(lab)[0]["properties"]["label"] is None
    assert catalog.faults("split/segment-track", sent(lab)[0]) == []


@pytest.mark.rule("split.out.impression-properties")
@pytest.mark.parametrize(
    ("setting", "properties"), [("text", '{"screen":"cart"}'), ("object", {"screen": "cart"}), ("omit", None)]
)
def test_the_properties_of_an_evaluation_are_text_an_object_or_left_out(
    make_lab: Any, setting: str, properties: Any
) -> None:
    lab = make_lab(configured({"impression_properties": setting}))
    post(lab, impression("banner", properties='{"screen":"cart"}'))

    [call] = sent(lab)
    assert call["properties"].get("properties") == properties
    assert catalog.faults("split/segment-track", call) == []


@pytest.mark.rule("split.impressions.properties", "split.out.impression-properties")
@pytest.mark.parametrize("sent_as", ["text", "object"])
@pytest.mark.parametrize("levels", [252, 254, 255, 900])
def test_properties_of_too_many_levels_are_left_out_and_nothing_else_is_lost(
    make_lab: Any, levels: int, sent_as: str
) -> None:
    lab = make_lab(configured({"impression_properties": sent_as}))
    nested = '{"a":' * levels + "1" + "}" * levels
    assert post(lab, impression("banner", properties=nested), impression("banner", "u-2")).status == 200

    assert [call["userId"] for call in sent(lab)] == ["u-1", "u-2"]
    assert len(list(lab.kept("split"))) == 2
    assert [finding.step.rule for finding in lab.findings()] == ["split.impressions.properties"]


@pytest.mark.rule("split.contract", "split.out.properties")
def test_every_call_keeps_its_contract(lab: Lab) -> None:
    machine = {"splitsdkmachinename": "web-1", "splitsdkmachineip": "10.0.0.1"}
    post(lab, impression("banner", b="b-1", properties='{"screen":"cart"}'), impression("landing"), **machine)

    calls = sent(lab)
    assert [catalog.faults("split/segment-track", call) for call in calls] == [[], []]
    assert calls[0]["properties"]["machineName"] == "web-1"


# ---- who


@pytest.mark.rule("split.out.identity-map")
def test_the_traffic_type_of_the_flag_chooses_which_id_carries_the_key(lab: Lab) -> None:
    post(lab, impression("banner", "k-1"), impression("landing", "k-2"))

    assert [(call.get("userId"), call.get("anonymousId")) for call in sent(lab)] == [("k-1", None), (None, "k-2")]
    assert all(("userId" in call) != ("anonymousId" in call) for call in sent(lab))
    lab.expect_no_findings()


@pytest.mark.rule("split.out.identity-map")
def test_a_flag_made_while_the_lab_runs_is_of_its_traffic_type(lab: Lab) -> None:
    lab.split.flag("new_flag").serve("on")
    post(lab, impression("new_flag"))

    assert [call["userId"] for call in sent(lab)] == ["u-1"]


@pytest.mark.rule("split.out.identity-map")
def test_a_traffic_type_that_is_not_mapped_is_not_sent_and_the_reason_says_so(lab: Lab) -> None:
    post(lab, impression("plan_page", "acme"), impression("plan_page", "initech"))

    assert (sent(lab), len(lab.split.impressions())) == ([], 2)
    [finding] = lab.findings()
    step = finding.step
    assert (step.kind, step.rule, step.level) == ("drop", "split.out.identity-map", "warning")
    assert (step.text, step.at, step.fix) == (
        "2 impressions of the traffic type account, which is not mapped: not sent to Segment",
        "split.segment_outbound[0].identities",
        "map account to userId or anonymousId, or to null to leave it out",
    )


@pytest.mark.rule("split.out.identity-map")
def test_a_traffic_type_mapped_to_null_is_left_out_without_a_finding(make_lab: Any) -> None:
    lab = make_lab(configured({"identities": {"user": "userId", "account": None}}))
    post(lab, impression("plan_page"))

    assert (sent(lab), told(lab)) == ([], [("drop", "split.out.identity-map", None)])


@pytest.mark.rule("split.out.unknown-flag")
def test_impressions_of_a_flag_that_the_lab_does_not_have_are_not_sent(lab: Lab) -> None:
    post(lab, impression("of_another_project"))

    assert (sent(lab), told(lab)) == ([], [("drop", "split.out.unknown-flag", "warning")])


@pytest.mark.rule("split.out.unknown-flag")
def test_the_workspace_can_name_the_traffic_type_of_unknown_flags(make_lab: Any) -> None:
    lab = make_lab(configured({"unknown_flags": "anonymous"}))
    post(lab, impression("of_another_project"))

    assert ([call["anonymousId"] for call in sent(lab)], told(lab)) == (
        ["u-1"],
        [("assumed", "split.out.unknown-flag", "note")],
    )


@pytest.mark.rule("split.out.unknown-flag")
def test_a_deleted_flag_keeps_its_traffic_type(lab: Lab) -> None:
    lab.split.flag("landing").archive()
    post(lab, impression("landing"))

    assert [call["anonymousId"] for call in sent(lab)] == ["u-1"]


@pytest.mark.rule("split.out.unknown-flag")
def test_a_flag_of_another_environment_has_the_same_traffic_type(make_lab: Any) -> None:
    lab = make_lab(configured({"environments": ["staging"]}))
    lab.split.flag("only_in_production", "production").serve("on")
    post(lab, impression("only_in_production"), key="sdk-staging")

    assert [call["userId"] for call in sent(lab)] == ["u-1"]


@pytest.mark.rule("split.out.unknown-flag", "split.out.identity-map")
def test_what_was_not_sent_says_why_also_once_the_flag_is_there(lab: Lab) -> None:
    post(lab, impression("new_page"))
    lab.split.flag("new_page").serve("on")
    post(lab, impression("new_page", key="u-2"))

    assert [call["userId"] for call in sent(lab)] == ["u-2"]
    assert told(lab)[0] == ("drop", "split.out.unknown-flag", "warning")


# ---- which environments, which write keys


@pytest.mark.rule("split.out.environments")
def test_impressions_of_an_environment_that_is_not_selected_stay(lab: Lab) -> None:
    post(lab, impression("banner"), key="sdk-staging")

    assert (sent(lab), told(lab)) == ([], [("drop", "split.out.environments", None)])
    lab.expect_no_findings()


@pytest.mark.rule("split.out.environments", "split.out.write-keys")
def test_two_environments_go_to_two_sources(make_lab: Any) -> None:
    lab = make_lab(configured({}, {"environments": ["staging"], "write_key": "wk_staging"}))
    post(lab, impression("banner", "u-1"))
    post(lab, impression("banner", "u-2"), key="sdk-staging")

    assert [call["userId"] for call in sent(lab, "fme")] == ["u-1"]
    assert [call["userId"] for call in sent(lab, "fme-staging")] == ["u-2"]
    lab.expect_no_findings()


@pytest.mark.rule("split.out.write-keys")
def test_an_environment_of_two_configurations_goes_to_both(make_lab: Any) -> None:
    lab = make_lab(configured({}, {"environments": ["production", "staging"], "write_key": "wk_staging"}))
    post(lab, impression("banner"))

    assert (len(sent(lab, "fme")), len(sent(lab, "fme-staging"))) == (1, 1)


@pytest.mark.rule("split.out.write-keys", "split.out.identity-map")
def test_two_configurations_can_share_the_traffic_types_of_an_environment(make_lab: Any) -> None:
    account = {"identities": {"account": "anonymousId"}, "write_key": "wk_staging"}
    lab = make_lab(configured({}, account))
    post(lab, impression("banner"), impression("plan_page", "acme"))

    assert ([one["userId"] for one in sent(lab, "fme")], [one["anonymousId"] for one in sent(lab, "fme-staging")]) == (
        ["u-1"],
        ["acme"],
    )
    assert told(lab) == [("drop", "split.out.identity-map", None)] * 2
    lab.expect_no_findings()


@pytest.mark.rule("split.out.impressions")
def test_without_a_configuration_nothing_is_sent(make_lab: Any) -> None:
    lab = make_lab(configured())
    post(lab, impression("banner"))

    assert (sent(lab), list(lab.findings(notes=True))) == ([], [])


# ---- the loop


def circular() -> dict[str, Any]:
    """Return the workspace with a source that FME exports to and that feeds FME too."""
    changed = copy.deepcopy(WORKSPACE)
    changed["segment"]["sources"]["fme"]["destinations"] = ["to-fme"]
    return changed


@pytest.mark.rule("split.out.loop", "split.in.get-treatment")
@pytest.mark.parametrize("way", ["direct", "http"])
def test_a_get_treatment_that_comes_back_is_an_event_and_goes_no_further(make_trackside: Any, way: str) -> None:
    lab = make_trackside(circular(), start_at=NOW, deliveries=way)
    post(lab, impression("banner"))
    lab.settle()

    [journey] = lab.journeys()
    delivery = journey.delivery("to-fme")
    assert (journey.call["event"], journey.origin.vendor, delivery.outcome) == ("get_treatment", "split", "delivered")
    [stop] = [step for step in delivery.all_steps() if step.rule == "split.out.loop"]
    assert (stop.kind, stop.level) == ("info", None)
    assert stop.text == (
        "get_treatment came back from Segment as an event: impressions alone are sent there, and it goes round no further"
    )
    [event] = lab.split.events()
    assert (event["eventTypeId"], event["key"], event["properties"]["split"]) == ("get_treatment", "u-1", "banner")
    assert len(lab.split.impressions()) == 1
    lab.expect_no_findings()


@pytest.mark.rule("split.in.get-treatment")
def test_the_text_split_of_another_event_names_no_flag(make_lab: Any) -> None:
    lab = make_lab(circular())
    call = {
        "writeKey": "wk_fme",
        "messageId": "m-1",
        "userId": "u-1",
        "event": "Bid",
        "properties": {"split": "banner"},
    }
    lab.receive("segment", Request("POST", "/v1/track", {}, orjson.dumps(call)))

    assert [finding.step.rule for finding in lab.findings()] == ["split.contract", "split.in.split-shape"]
    assert "split" not in lab.split.events()[0]["properties"]


# ---- the workspace


def faults(workspace: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the place and the text of each fault."""
    with pytest.raises(WorkspaceError) as raised:
        load(workspace)
    return [(fault.where.removeprefix("the workspace: "), fault.what) for fault in raised.value.faults]


@pytest.mark.rule("split.out.environments")
def test_an_environment_that_is_not_declared_is_a_fault() -> None:
    assert faults(configured({"environments": ["production", "prod"]})) == [
        ("$.split.segment_outbound[0].environments[1]", "there is no environment 'prod'")
    ]


@pytest.mark.rule("split.out.identity-map")
def test_an_identity_that_segment_does_not_know_is_a_fault() -> None:
    assert faults(configured({"identities": {"account": "groupId"}})) == [
        ("$.split.segment_outbound[0].identities.account", 'account is "groupId"')
    ]


@pytest.mark.rule("split.out.write-keys")
def test_a_configuration_without_a_write_key_is_a_fault() -> None:
    workspace = configured({})
    del workspace["split"]["segment_outbound"][0]["write_key"]

    assert faults(workspace) == [("$.split.segment_outbound[0].write_key", "write_key is missing")]


@pytest.mark.rule("split.out.write-keys")
def test_what_would_be_sent_twice_to_one_source_is_a_fault() -> None:
    [(where, what)] = faults(configured({}, {"identities": {"user": "anonymousId"}}))

    assert where == "$.split.segment_outbound[1]"
    assert what == (
        "the write key, production and user are also those of split.segment_outbound[0]: "
        "each such impression would be sent twice"
    )


@pytest.mark.rule("split.out.properties")
def test_two_properties_of_one_name_are_a_fault() -> None:
    assert faults(configured({"property_names": {"time": "key"}})) == [
        ("$.split.segment_outbound[0].property_names", "2 properties would be called 'key'")
    ]


@pytest.mark.rule("split.out.properties")
def test_a_property_that_there_is_not_cannot_be_renamed() -> None:
    assert faults(configured({"property_names": {"flag": "name"}})) == [
        ("$.split.segment_outbound[0].property_names.flag", "no property is called 'flag'")
    ]


@pytest.mark.rule("split.out.write-keys")
def test_a_write_key_that_no_source_has_is_warned_of_and_segment_says_so_of_each_request(make_lab: Any) -> None:
    workspace = configured({"write_key": "wk_elsewhere"})
    [note] = load(workspace).notes
    assert (note.rule, note.at, note.level) == (
        "split.out.write-keys",
        "$.split.segment_outbound[0].write_key",
        "warning",
    )

    lab = make_lab(workspace)
    post(lab, impression("banner"))
    assert sent(lab) == []
    assert [finding.step.rule for finding in lab.findings()] == ["segment.write-key.unknown"]


@pytest.mark.rule("split.out.identity-map")
def test_a_traffic_type_that_nothing_else_names_is_warned_of() -> None:
    [note] = load(configured({"identities": {"usr": "userId"}})).notes

    assert (note.rule, note.at, note.level) == (
        "split.out.identity-map",
        "$.split.segment_outbound[0].identities",
        "warning",
    )
    assert note.fix == "use one of account, anonymous, user, or add it to split.traffic_types"


# ---- when Segment does not take it


@pytest.mark.rule("split.out.retry")
@pytest.mark.parametrize("way", ["direct", "http"])
def test_while_segment_is_down_the_sdk_is_answered_and_nothing_is_lost(make_trackside: Any, way: str) -> None:
    lab = make_trackside(WORKSPACE, start_at=NOW, deliveries=way)
    lab.segment.fail(503, times=2)
    assert post(lab, impression("banner")).status == 200
    lab.settle()

    assert (sent(lab), lab.stats()["deliveries_waiting"]) == ([], 1)
    assert [(one.step.rule, one.step.level) for one in lab.findings() if one.vendor == "split"] == [
        ("split.out.retry", "warning")
    ]
    lab.advance(60)
    assert [call["event"] for call in sent(lab)] == ["get_treatment"]
    assert lab.stats()["deliveries_waiting"] == 0


@pytest.mark.rule("split.out.refused")
def test_where_segment_refuses_an_export_for_good_an_error_says_so(lab: Lab) -> None:
    lab.segment.fail(400)
    assert post(lab, impression("banner")).status == 200

    [finding] = lab.findings()
    assert (finding.step.rule, finding.step.level) == ("split.out.refused", "error")
    lab.advance(3600)
    assert sent(lab) == []


@pytest.mark.rule("split.out.retry")
def test_after_a_restart_exports_go_on(make_lab: Any, tmp_path: Path) -> None:
    file = tmp_path / "journal.sqlite"
    before = make_lab(data=file)
    before.segment.fail(503, times=None)
    post(before, impression("banner"), impression("landing", "a-1"))
    assert sent(before) == []
    before.stop()

    after = make_lab(data=file)
    after.advance(60)

    assert [(call.get("userId"), call.get("anonymousId")) for call in sent(after)] == [("u-1", None), (None, "a-1")]
    assert [finding.step.rule for finding in after.findings()] == ["split.out.retry"]


@pytest.mark.rule("split.out.retry")
def test_a_post_that_was_sent_in_part_when_the_process_was_killed_is_sent_to_its_end(
    make_lab: Any, tmp_path: Path
) -> None:
    file = tmp_path / "journal.sqlite"
    before = make_lab(data=file)
    post(before, {"f": "banner", "i": [{"k": f"u-{number}", "t": "on", "m": MS} for number in range(2_500)]})
    assert len(sent(before)) == 2_500
    before.stop()
    with closing(sqlite3.connect(file, isolation_level=None)) as rows:
        rows.execute("DELETE FROM exchange WHERE seq > 2")  # Segment had got the first of three requests

    after = make_lab(data=file)

    assert [call["userId"] for call in sent(after)] == [f"u-{number}" for number in range(2_500)]


@pytest.mark.rule("split.out.retry")
def test_after_a_restart_an_export_that_another_one_overtook_is_made_too(make_lab: Any, tmp_path: Path) -> None:
    file = tmp_path / "journal.sqlite"
    before = make_lab(data=file)
    with before.lock:  # over HTTP they are under way at once
        post(before, impression("banner", "u-1"))
        post(before, impression("banner", "u-2"))
    assert [call["userId"] for call in sent(before)] == ["u-1", "u-2"]
    before.stop()
    with closing(sqlite3.connect(file, isolation_level=None)) as rows:
        rows.execute("DELETE FROM exchange WHERE seq = 3")
        rows.execute("UPDATE exchange SET seq = 3 WHERE seq = 4")

    after = make_lab(data=file)

    assert [call["userId"] for call in sent(after)] == ["u-2", "u-1"]


@pytest.mark.rule("split.out.retry")
def test_a_retry_that_segment_took_just_before_the_process_was_killed_is_not_made_again(
    make_lab: Any, tmp_path: Path
) -> None:
    file = tmp_path / "journal.sqlite"
    before = make_lab(data=file)
    before.segment.fail(503)
    post(before, impression("banner"))
    assert sent(before) == []
    before.advance(60)
    assert len(sent(before)) == 1
    before.stop()
    with closing(sqlite3.connect(file, isolation_level=None)) as rows:
        rows.execute("DELETE FROM attempt WHERE id = (SELECT max(id) FROM attempt)")

    after = make_lab(data=file)
    after.advance(3600)

    assert len(sent(after)) == 1


@pytest.mark.rule("split.out.refused", "segment.limit.batch-size")
@pytest.mark.parametrize("way", ["direct", "http"])
def test_an_impression_that_segment_refuses_for_its_size_takes_no_other_with_it(make_trackside: Any, way: str) -> None:
    lab = make_trackside(WORKSPACE, start_at=NOW, deliveries=way)
    post(lab, impression("banner", properties=orjson.dumps({"a": "x" * 600_000}).decode()), impression("banner", "u-2"))
    lab.settle()

    assert [call["userId"] for call in sent(lab)] == ["u-2"]
    assert [one.step.rule for one in lab.findings()] == ["split.out.refused", "segment.limit.batch-size"]


# ---- in which order


@pytest.mark.rule("split.out.retry")
def test_an_export_that_waits_is_tried_before_the_clock_moves(lab: Lab) -> None:
    lab.segment.fail(503)
    with lab.lock:  # as if the thread that exports had no time yet
        post(lab, impression("banner"))
        lab.advance(60)

    assert len(sent(lab)) == 1


@pytest.mark.rule("split.out.impressions")
def test_a_fault_meets_no_export_of_an_impression_from_before_it(lab: Lab) -> None:
    with lab.lock:
        post(lab, impression("banner"))
        lab.segment.fail(503)

    assert (len(sent(lab)), len(lab.segment.faults)) == (1, 1)


@pytest.mark.rule("split.out.retry")
def test_a_fault_that_is_taken_away_was_met_by_the_exports_before(lab: Lab) -> None:
    lab.segment.fail(503, times=None)
    with lab.lock:
        post(lab, impression("banner"))
        lab.segment.recover()

    assert (sent(lab), lab.stats()["deliveries_waiting"]) == ([], 1)


@pytest.mark.rule("split.out.write-keys")
def test_an_impression_goes_to_the_source_of_its_time(lab: Lab) -> None:
    with lab.lock:
        post(lab, impression("banner"))
        lab.configure({"split": WORKSPACE["split"]})

    assert len(sent(lab)) == 1
    lab.expect_no_findings()


@pytest.mark.rule("split.out.impressions", "segment.protocols.forward")
def test_however_many_wait_each_is_sent_and_each_violation_forwarded(make_lab: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("trackside.exports._WAITING", 300)
    workspace = copy.deepcopy(WORKSPACE)
    segment = workspace["segment"]
    segment["tracking_plans"] = {"All": {"rules": [{"type": "COMMON", "jsonSchema": {"required": ["never"]}}]}}
    segment["sources"]["fme"] |= {"tracking_plan": "All", "schema": {"forwarding_violations_to": "fme-staging"}}
    lab = make_lab(workspace)
    with lab.lock:  # as if the thread that exports had no time
        for number in range(500):
            post(lab, impression("banner", f"u-{number}"))

    assert (len(sent(lab, "fme")), len(sent(lab, "fme-staging"))) == (500, 500)
