"""``trackside validate --workspace``: what the mappings of a workspace would drop or change."""

from __future__ import annotations

import json

import pytest

from trackside.validation.mappings import mapping_check
from trackside.validation.options import Options

WORKSPACE = {
    "segment": {
        "sources": {
            "web": {"write_key": "wk_web", "destinations": ["statsig", "fme"]},
            "app": {"write_key": "wk_app", "destinations": ["statsig"]},
        },
        "destinations": {
            "statsig": {"type": "statsig", "api_key": "secret-local"},
            "fme": {"type": "split", "api_key": "fme-key"},
        },
    },
    "statsig": {"server_secret": "secret-local"},
    "split": {
        "environments": {"production": {"sdk_key": "sdk-local-0123456789"}},
        "traffic_types": ["user"],
        "segment_inbound": [{"api_key": "fme-key", "environment": "production", "identities": {"userId": "user"}}],
    },
}


def track(**fields):
    return {"type": "track", "userId": "user-7", "event": "Order Completed", "messageId": "m-1", **fields}


@pytest.fixture
def path(tmp_path):
    """Return a function that writes a workspace, and gives its path."""

    def write(workspace=WORKSPACE):
        file = tmp_path / "trackside.json"
        file.write_text(json.dumps(workspace))
        return str(file)

    return write


@pytest.fixture
def told(judged, path):
    """Return a function that tells what would become of calls: code, level and place of each finding."""

    def run(*calls, workspace=WORKSPACE, source=""):
        found = judged(Options(workspace=path(workspace), source=source), *calls)
        assert found.summary.faults == []
        return [(finding.code, finding.level, finding.at) for finding in found.findings]

    return run


@pytest.mark.rule("split.in.unnamed")
def test_what_a_destination_drops_is_a_warning_that_names_the_destination(judged, path):
    found = judged(Options(workspace=path()), {"type": "page", "userId": "user-7"})

    assert [(one.code, one.level, one.at) for one in found.findings] == [("split.in.unnamed", "warn", "$.name")]
    assert found.findings[0].text == "the page call has no name: it makes no event (destination fme)"
    assert found.summary.exit_code == 0


def test_a_call_that_arrives_everywhere_as_it_is_tells_nothing(told):
    assert told(track()) == []


@pytest.mark.rule("split.in.unnamed")
def test_only_destinations_of_the_source_are_looked_at(told):
    assert told({"type": "page", "userId": "user-7"}, source="app") == []


@pytest.mark.rule("segment.discard.no-id", "segment.discard.id-not-string", "segment.discard.event")
@pytest.mark.parametrize(
    ("call", "code"),
    [
        ({"type": "track", "event": "E"}, "segment/track.anyOf"),
        ({"type": "track", "event": "E", "userId": 5}, "segment/track.type"),
        ({"type": "track", "userId": "user-7"}, "segment/track.required"),
        ({"type": "track", "userId": "user-7", "event": "E", "properties": [1]}, "segment/track.type"),
        ({"type": "track", "userId": "user-7", "event": "E", "timestamp": "noon"}, "segment/track.pattern"),
    ],
)
def test_what_the_contract_tells_is_not_told_again(told, call, code):
    assert [one[0] for one in told(call)] == [code]


@pytest.mark.rule("segment.protocols.block")
def test_what_the_sources_tracking_plan_blocks_is_told(told):
    source = {
        "write_key": "wk_web",
        "tracking_plan": "Acme",
        "schema": {"track": {"allow_unplanned_events": False}},
    }
    workspace = {"segment": {"sources": {"web": source}, "tracking_plans": {"Acme": {"rules": []}}}}

    assert told(track(), workspace=workspace) == [("segment.protocols.block", "warn", "$.event")]


@pytest.mark.rule("segment.discard.consent")
def test_a_call_that_keeps_its_contract_and_that_segment_discards_fails(told):
    assert told(track(event="Segment Consent Preference Updated", anonymousId="a-7")) == [
        ("segment.discard.consent", "strict", "$.context.consent.categoryPreferences")
    ]


@pytest.mark.rule("segment.dedup")
def test_a_messageid_that_comes_twice_is_judged_twice(told):
    page = {"type": "page", "userId": "user-7", "messageId": "m-1"}

    assert told(page, page) == [("split.in.unnamed", "warn", "$.name")] * 2


@pytest.mark.rule("segment.delivery.refused")
def test_what_a_destination_refuses_is_a_warning_too(told):
    wrong = {**WORKSPACE["segment"]["destinations"], "fme": {"type": "split", "api_key": "another"}}
    workspace = {**WORKSPACE, "segment": {**WORKSPACE["segment"], "destinations": wrong}}

    assert {level for _, level, _ in told(track(), workspace=workspace)} == {"warn"}


@pytest.mark.rule("segment.timestamp")
@pytest.mark.parametrize("name", ["timestamp", "sentAt"])
def test_a_call_of_long_ago_is_judged_as_one_of_today(told, name):
    assert told(track(**{name: "2019-01-02T03:04:05.000Z"})) == []


def test_a_call_whose_path_names_its_type_is_judged_by_it(told, judged, path):
    call = {name: value for name, value in track().items() if name != "type"}
    found = judged(Options(workspace=path(), contract="segment/track"), call)

    assert (found.findings, found.summary.exit_code) == ([], 0)


@pytest.mark.rule("segment.batch.merge")
def test_the_integrations_of_a_batch_are_those_of_its_calls(told):
    page = {"type": "page", "userId": "user-7"}

    assert told({"batch": [page], "integrations": {"All": False}}) == []


def test_a_place_in_a_batch_is_the_calls_own(told):
    assert told({"batch": [track(), {"type": "page", "userId": "user-7"}]}) == [
        ("split.in.unnamed", "warn", "$.batch[1].name")
    ]


@pytest.mark.rule("segment.limit.depth")
def test_a_call_that_is_nested_beyond_reason_is_told(path):
    deep = None
    for _ in range(300):
        deep = [deep]

    assert [problem.code for problem in mapping_check(path())(track(properties={"deep": deep}))] == [
        "segment.limit.depth"
    ]


def test_every_fault_of_a_workspace_is_told_and_ends_with_2(judged, path):
    found = judged(Options(workspace=path({"segment": {"sources": {"web": {}}}, "statsgi": {}})), track())

    assert len(found.summary.faults) == 2
    assert found.summary.exit_code == 2


def test_a_source_that_is_not_there_ends_with_2(judged, path):
    found = judged(Options(workspace=path(), source="shop"), track())

    assert [fault.what for fault in found.summary.faults] == ["there is no source 'shop'"]
    assert found.summary.exit_code == 2


def test_a_workspace_that_is_not_there_ends_with_2(judged):
    found = judged(Options(workspace="/no/such/trackside.yaml"), track())

    assert found.summary.exit_code == 2


def test_what_was_judged_is_forgotten(path):
    import tracemalloc

    check = mapping_check(path())

    def judge(count):
        for number in range(count):
            list(check(track(messageId=f"m-{number}", userId=f"user-{number}", properties={"text": "x" * 1000})))

    judge(300)
    tracemalloc.start()
    judge(300)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 200_000
