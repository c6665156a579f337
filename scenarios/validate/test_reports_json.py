"""``--report json``: one document with a contract."""

from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path

import orjson
import pytest

from trackside import catalog
from trackside.validation.findings import FileResult, Finding
from trackside.validation.reports import report
from trackside.validation.run import Summary

NO_EVENT = '{"type": "track", "userId": "u-1"}\n'


def faults(text: str) -> list[str]:
    return [fault.text for fault in catalog.faults("trackside/validation", orjson.loads(text))]


def test_a_finding_has_its_code_place_and_contract(validate):
    told = json.loads(validate("events.ndjson", "--report", "json", events=NO_EVENT).stdout)
    assert told["findings"] == [
        {
            "code": "segment/track.required",
            "level": "strict",
            "text": "event is missing",
            "at": "$.event",
            "fix": "Add event: Name of what the user did, such as Order Completed",
            "file": "events.ndjson",
            "line": 1,
            "column": 1,
            "contract": "segment/track",
            "known_by": "type is track",
        }
    ]


def test_the_files_and_the_summary_count_what_was_found(validate):
    told = json.loads(validate("events.ndjson", "nowhere.json", "--report", "json", events=NO_EVENT * 2).stdout)
    assert [(file["file"], file["payloads"], file["findings"]["strict"]) for file in told["files"]] == [
        ("events.ndjson", 2, 2)
    ]
    assert told["summary"]["exit_code"] == 2
    assert [fault["what"] for fault in told["summary"]["faults"]] == ["there is no such file"]


@pytest.mark.parametrize("events", ["", NO_EVENT, "{\n[]\n5\n", '{"type": "trac'])
def test_the_report_keeps_its_contract(validate, events):
    assert faults(validate("events.ndjson", "nowhere.json", "--report", "json", events=events).stdout) == []


def test_each_finding_stands_on_a_line_of_its_own(validate):
    lines = validate("events.ndjson", "--report", "json", events=NO_EVENT * 3).stdout.splitlines()
    assert [json.loads(line.rstrip(","))["line"] for line in lines[1:4]] == [1, 2, 3]


def test_a_file_name_that_is_no_utf8_leaves_the_report_readable():
    written = io.StringIO()
    told = report("json", written)
    told.finding(Finding("trackside.input.unreadable", "strict", "the file cannot be read", file="a\udcff.json"))
    told.finish(Summary([FileResult("a\udcff.json")]))
    assert orjson.loads(written.getvalue())["findings"][0]["file"] == "a?.json"


@pytest.mark.parametrize("form", ["json", "junit", "github", "gitlab", "sarif"])
def test_memory_does_not_grow_with_the_findings(form, tmp_path, monkeypatch):
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    with Path(tmp_path / "report").open("w", encoding="utf-8") as file:
        told = report(form, file)
        _tell(told, 1_500)
        tracemalloc.start()
        try:
            _tell(told, 3_000)
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        told.finish(Summary([FileResult("a.ndjson", strict=4_500)]))
    assert held < 1_000_000


def _tell(told, count: int) -> None:
    for number in range(count):
        at = f"$.properties.field_{number}"
        told.finding(
            Finding("segment/track.type", "strict", "a field is wrong" * 20, at, "mend it", "a.ndjson", number)
        )
