"""``--report junit``: a suite for each file, which keeps the schemas that CI systems read by."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from trackside.errors import TracksideError
from trackside.validation.findings import FileResult, Finding
from trackside.validation.reports import report
from trackside.validation.run import Summary

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parent / "official" / "junit-10.xsd"))
NO_EVENT = '{"type": "track", "userId": "u-1"}\n'
GOOD = '{"type": "track", "userId": "u-1", "event": "Order Completed"}\n'


def read(text: str) -> Any:
    """Return the root of a report that keeps Jenkins' schema."""
    root = etree.fromstring(text.encode())
    SCHEMA.assertValid(root)
    return root


def written(*findings: Finding, results: tuple[FileResult, ...] = (), faults: tuple[TracksideError, ...] = ()) -> Any:
    file = io.StringIO()
    told = report("junit", file)
    for finding in findings:
        told.finding(finding)
    for result in results:
        told.file(result)
    told.finish(Summary(list(results), list(faults)))
    return read(file.getvalue())


def test_a_strict_finding_is_a_failed_test(validate):
    root = read(validate("events.ndjson", "--report", "junit", events=GOOD + NO_EVENT).stdout)
    [case] = root.iter("testcase")
    assert case.get("name") == "events.ndjson:2:1 $.event segment/track.required"
    assert case.get("classname") == "segment/track"
    assert case.find("failure").get("type") == "segment/track.required"
    assert case.find("failure").get("message").startswith("event is missing. $.event. Add event")
    assert '    {"type": "track", "userId": "u-1"}\n    ^' in case.find("failure").text


def test_each_file_is_a_suite_with_its_counts(validate):
    root = read(validate("a.ndjson", "b.ndjson", "--report", "junit", a=GOOD, b=NO_EVENT * 2).stdout)
    assert [[suite.get(name) for name in ("name", "id", "tests", "failures")] for suite in root] == [
        ["a.ndjson", "0", "1", "0"],
        ["b.ndjson", "1", "2", "2"],
    ]


def test_a_file_without_strict_findings_has_a_test_that_passes(validate):
    root = read(validate("events.ndjson", "--report", "junit", events=GOOD * 3).stdout)
    [case] = root.iter("testcase")
    assert case.get("name") == "events.ndjson: 3 payloads"
    assert len(case) == 0


def test_a_warning_is_a_test_that_passes_and_is_told_in_the_output_of_the_suite(validate):
    told = validate("a.ndjson", "--level", "segment/track.required=warn", "--report", "junit", a=NO_EVENT)
    root = read(told.stdout)
    assert told.exit_code == 0
    assert list(root.iter("failure")) == []
    assert root.find("testsuite").get("tests") == "2"
    assert "warn: a.ndjson:1:1: event is missing" in root.find("testsuite/system-out").text


def test_what_cannot_be_used_is_a_test_with_an_error(validate):
    root = read(validate("nowhere.json", "--report", "junit").stdout)
    [error] = root.iter("error")
    assert root.find("testsuite").get("errors") == "1"
    assert error.get("message").startswith("there is no such file. nowhere.json.")


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\ufffe", "\udcff", "\U0001f680", "\r", "<&>\"']]>"])
def test_no_character_breaks_the_xml(character):
    text = f"the value is {character}!"
    root = written(
        Finding("a.b", "strict", text, f"$.{character}", "mend it", f"{character}.json", 1, 1, excerpt=character)
    )
    shown = root.find(".//failure").get("message")
    escaped = character.encode("unicode_escape").decode() if character in "\x00\x1b\ufffe\udcff" else character
    assert f"the value is {escaped}!" in shown


def test_what_is_found_in_a_file_after_another_one_is_a_suite_of_its_own():
    findings = [Finding("a.b", "strict", "wrong", file=name) for name in ("b.json", "a.json", "b.json")]
    root = written(*findings, results=(FileResult("b.json", strict=2),))
    assert [(suite.get("name"), suite.get("id"), suite.get("failures")) for suite in root] == [
        ("b.json", "0", "1"),
        ("a.json", "1", "1"),
        ("b.json", "2", "1"),
    ]


def test_a_suite_has_what_ants_schema_asks_for_in_its_order():
    suite = written(Finding("a.b", "strict", "wrong", file="a.json"), results=(FileResult("a.json", strict=1),))[0]
    asked = {"name", "package", "id", "timestamp", "hostname", "time", "tests", "failures", "errors"}
    assert set(suite.keys()) == asked
    assert [child.tag for child in suite] == ["properties", "testcase", "system-out", "system-err"]
    assert set(suite.find("testcase").keys()) == {"name", "classname", "time"}
    assert set(suite.find("testcase/failure").keys()) == {"type", "message"}
    assert len(suite.get("timestamp")) == len("2026-11-22T08:00:00")


def test_tests_that_no_longer_fit_in_memory_are_all_there():
    findings = [Finding("a.b", "strict", "wrong " * 50, file="a.json", line=number) for number in range(1, 3001)]
    root = written(*findings, results=(FileResult("a.json", strict=3000),))
    assert root[0].get("tests") == "3000"
    assert [case.get("name") for case in root.iter("testcase")] == [f"a.json:{number} a.b" for number in range(1, 3001)]
