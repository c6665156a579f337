"""``--report gitlab``: a Code Quality report."""

from __future__ import annotations

import io
import json
from pathlib import Path

from trackside.validation.findings import FileResult, Finding
from trackside.validation.reports import report
from trackside.validation.run import Summary

NO_EVENT = '{"type": "track", "userId": "u-1"}\n'
EVENT_5 = '{"type": "track", "userId": "u-1", "event": 5}\n'
GOOD = '{"type": "track", "userId": "u-1", "event": "A"}\n'


def found(validate, events: str, *arguments: str) -> list[dict[str, object]]:
    return json.loads(validate("events.ndjson", "--report", "gitlab", *arguments, events=events).stdout)


def fingerprints(validate, events: str) -> list[object]:
    return [row["fingerprint"] for row in found(validate, events)]


def test_a_finding_has_the_fields_that_gitlab_reads(validate):
    [row] = found(validate, GOOD + NO_EVENT)
    assert len(row.pop("fingerprint")) == 32
    assert row == {
        "description": "event is missing. $.event. Add event: Name of what the user did, such as Order Completed.",
        "check_name": "segment/track.required",
        "severity": "major",
        "location": {"path": "events.ndjson", "lines": {"begin": 2}},
    }


def test_a_warning_is_minor(validate):
    [row] = found(validate, NO_EVENT, "--level", "segment/track.*=warn")
    assert row["severity"] == "minor"


def test_nothing_found_is_an_empty_array(validate):
    assert found(validate, GOOD) == []


def test_a_path_is_relative_however_the_file_was_named(validate, tmp_path):
    validate(events=NO_EVENT)
    for name in ("./events.ndjson", str(tmp_path / "events.ndjson"), f"../{tmp_path.name}/events.ndjson"):
        [row] = json.loads(validate(name, "--report", "gitlab").stdout)
        assert row["location"]["path"] == "events.ndjson"


def test_a_file_outside_of_the_repository_has_its_whole_path(validate, tmp_path_factory):
    outside = Path(tmp_path_factory.mktemp("outside")) / "events.ndjson"
    outside.write_text(NO_EVENT)
    [row] = json.loads(validate(outside, "--report", "gitlab").stdout)
    assert row["location"]["path"] == outside.as_posix()


def test_a_finding_without_a_line_is_told_at_the_first():
    written = io.StringIO()
    told = report("gitlab", written)
    told.finding(Finding("trackside.input.unreadable", "strict", "the file cannot be read", file="a.json"))
    told.finish(Summary([FileResult("a.json", strict=1)]))
    assert json.loads(written.getvalue())[0]["location"] == {"path": "a.json", "lines": {"begin": 1}}


def test_no_two_findings_have_one_fingerprint(validate):
    told = fingerprints(validate, NO_EVENT * 500 + EVENT_5 * 500)
    assert len(set(told)) == len(told) == 1000


def test_a_fingerprint_does_not_depend_on_the_line(validate):
    assert fingerprints(validate, NO_EVENT + EVENT_5) == fingerprints(validate, GOOD * 7 + NO_EVENT + GOOD + EVENT_5)
