"""Findings: what a person should know, and nothing else."""

import pytest

from trackside.cli.rows import line, request_row
from trackside.wire import Request


def levels(lab, **which):
    return [(finding.step.level, finding.step.rule) for finding in lab.findings(**which)]


# ---- errors


@pytest.mark.rule("segment.contract", "segment.discard.event")
def test_a_broken_contract_and_a_discard_are_errors(lab, track):
    track(lab, event=42)

    assert levels(lab) == [("error", "segment.contract"), ("error", "segment.discard.event")]


@pytest.mark.rule("segment.delivery.refused", "statsig.in.auth")
def test_a_refused_delivery_is_an_error_told_once_by_the_vendors_rule(make_lab, track):
    lab = make_lab({
        "segment": {
            "sources": {"web": {"write_key": "wk_web", "destinations": ["statsig"]}},
            "destinations": {"statsig": {"type": "statsig", "api_key": "stale"}},
        },
        "statsig": {"server_secret": "secret-local"},
    })  # fmt: skip
    track(lab)

    assert levels(lab) == [("error", "statsig.in.auth")]


@pytest.mark.rule("segment.delivery.refused")
def test_a_refusal_without_a_reason_of_the_vendors_is_an_error_of_its_own(lab, track):
    lab.statsig.fail(418)
    track(lab)

    assert ("error", "segment.delivery.refused") in levels(lab)


# ---- warnings


@pytest.mark.rule("split.in.unnamed")
def test_a_drop_that_nobody_configured_is_a_warning(lab, post):
    post(lab, "/v1/page", {"writeKey": "wk_web", "userId": "u-1"})

    assert levels(lab) == [("warning", "split.in.unnamed")]


@pytest.mark.rule("segment.timestamp.unreadable")
def test_a_value_that_had_to_be_replaced_is_a_warning(lab, track):
    track(lab, timestamp="yesterday")

    assert ("warning", "segment.timestamp.unreadable") in levels(lab)


# ---- what is no finding


@pytest.mark.rule("segment.filter.drop", "segment.integrations", "segment.sources")
@pytest.mark.parametrize(
    ("destination", "call"),
    [
        ({"filters": [{"if": "all", "actions": [{"type": "drop"}]}]}, {}),
        ({"enabled": False}, {}),
        ({}, {"integrations": {"All": False}}),
    ],
    ids=["a filter", "a toggle", "the integrations object"],
)
def test_a_drop_that_the_user_asked_for_is_none(make_lab, track, destination, call):
    lab = make_lab({
        "segment": {
            "sources": {"web": {"write_key": "wk_web", "destinations": ["statsig"]}},
            "destinations": {"statsig": {"type": "statsig", "api_key": "secret-local", **destination}},
        },
        "statsig": {"server_secret": "secret-local"},
    })  # fmt: skip
    track(lab, **call)

    assert levels(lab, notes=True) == []
    assert lab.journey("m-1").delivery("statsig").outcome == "dropped"


def test_an_event_that_arrives_everywhere_leaves_none(lab, track):
    track(lab, properties={"value": 42})

    assert levels(lab) == []
    lab.expect_no_findings()


# ---- notes


@pytest.mark.rule("segment.dedup")
def test_a_repeat_is_a_note(lab, track):
    track(lab)
    track(lab)

    assert levels(lab) == []
    assert ("note", "segment.dedup") in levels(lab, notes=True)


@pytest.mark.rule("split.in.event-type-spaces")
def test_a_rename_is_a_note(lab, track):
    track(lab)

    assert ("note", "split.in.event-type-spaces") in levels(lab, notes=True)


@pytest.mark.rule("split.in.page")
def test_an_assumption_that_was_used_is_a_note(lab, post):
    post(lab, "/v1/page", {"writeKey": "wk_web", "userId": "u-1", "name": "Home"})

    assert ("note", "split.in.page") in levels(lab, notes=True)


# ---- how a finding reads


@pytest.mark.rule("split.in.unnamed")
def test_a_finding_names_vendor_message_and_request(lab, post):
    post(lab, "/v1/page", {"writeKey": "wk_web", "messageId": "m-1", "userId": "u-1"})

    [finding] = lab.findings()
    assert (finding.vendor, finding.message_id, finding.where) == ("split", "m-1", "POST /v1/page")
    assert str(finding) == (
        "warning split: the page call has no name: it makes no event (split.in.unnamed). $.name. "
        "give the call a name, or set named_pages to false. [POST /v1/page, message m-1]"
    )


@pytest.mark.rule("split.in.unnamed")
def test_a_finding_as_json_has_the_source_and_confidence_of_its_rule(lab, post):
    post(lab, "/v1/page", {"writeKey": "wk_web", "messageId": "m-1", "userId": "u-1"})

    [finding] = [finding.as_json() for finding in lab.findings()]
    assert (finding["level"], finding["rule"], finding["confidence"]) == ("warning", "split.in.unnamed", "documented")
    assert finding["source"].startswith("Harness FME: Segment")


@pytest.mark.rule("segment.write-key.missing")
def test_a_finding_of_a_request_as_a_whole_has_no_message(lab, post):
    post(lab, "/v1/track", {"userId": "u-1"})

    [finding] = lab.findings()
    assert (finding.vendor, finding.message_id, finding.where) == ("segment", "", "POST /v1/track")


@pytest.mark.rule("statsig.in.auth")
def test_a_vendors_own_requests_have_findings_too(make_lab, post):
    lab = make_lab({"statsig": {"server_secret": "secret-local"}})
    post(lab, "/v1/webhooks/segment_webhook", {}, vendor="statsig", authorization="Basic c3RhbGU6")

    assert [(finding.vendor, finding.step.rule) for finding in lab.findings()] == [("statsig", "statsig.in.auth")]


def test_findings_come_oldest_first(lab, track):
    track(lab, messageId="m-1", event="")
    track(lab, messageId="m-2", userId="")

    assert [finding.message_id for finding in lab.findings() if finding.step.kind == "drop"] == ["m-1", "m-2"]


@pytest.mark.rule("segment.contract")
def test_findings_of_a_batch_name_the_message_that_they_belong_to(lab, post):
    calls = [
        {"type": "track", "messageId": "m-good", "userId": "u-1", "event": "E"},
        {"type": "group", "messageId": "m-bad", "userId": "u-1"},
    ]
    post(lab, "/v1/batch", {"writeKey": "wk_web", "batch": calls})

    assert {finding.message_id for finding in lab.findings() if finding.step.level == "error"} == {"m-bad"}


def test_a_finding_on_an_unknown_path_names_the_paths_most_like_it(lab, post):
    post(lab, "/api/testImpression/bulk", [], vendor="split")
    (finding,) = lab.findings()
    assert "POST /api/testImpressions/bulk" in finding.step.fix
    assert finding.step.fix.count("/") < 60
    assert "others" in finding.step.fix


def test_a_secret_that_stands_in_a_path_is_shown_nowhere(lab):
    lab.receive("statsig", Request("GET", "/v1/download_config_specs/secret-of-mine.json"))
    lab.receive("statsig", Request("GET", "/v1/get_id_lists/secret-of-mine.json"))
    shown = [row.request.shown_path for row in lab.exchanges("statsig")]
    assert shown == ["/v1/download_config_specs/<secret>.json", "/v1/get_id_lists/<secret>.json"]
    rows = [request_row(row, lab.steps_of(row), "2026-01-02T03:00:00Z") for row in lab.exchanges("statsig")]
    told = [*map(str, lab.findings(notes=True)), *map(line, rows)]
    assert not any("secret-of-mine" in text for text in told)
