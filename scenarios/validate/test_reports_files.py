"""``--report FORMAT[=FILE]``: any number at once, and no half of a file."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from trackside.errors import TracksideError
from trackside.validation.reports import FORMATS, opened

NO_EVENT = '{"type": "track", "userId": "u-1"}\n'


def test_without_a_report_the_text_goes_to_standard_output(validate):
    assert "events.ndjson:1:1" in validate("events.ndjson", events=NO_EVENT).stdout


def test_with_reports_to_files_only_the_text_still_goes_to_standard_output(validate):
    told = validate("events.ndjson", "--report", "json=r.json", "--report", "gitlab=g.json", events=NO_EVENT)
    assert "events.ndjson:1:1" in told.stdout
    assert json.loads(Path("r.json").read_text())["summary"]["strict"] == 1
    assert len(json.loads(Path("g.json").read_text())) == 1


def test_a_report_on_standard_output_takes_the_place_of_the_text(validate):
    assert json.loads(validate("events.ndjson", "--report", "json", events=NO_EVENT).stdout)["version"] == 1


def test_a_minus_sign_is_standard_output(validate):
    assert json.loads(validate("events.ndjson", "--report", "json=-", events=NO_EVENT).stdout)["version"] == 1


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_goes_to_a_file(validate, form):
    assert validate("events.ndjson", "--report", f"{form}=report", events=NO_EVENT).exit_code == 1
    assert "event is missing" in Path("report").read_text(encoding="utf-8")


def test_an_unknown_format_is_told_with_those_that_there_are(validate):
    told = validate("events.ndjson", "--report", "xml=r.xml", events=NO_EVENT)
    assert told.exit_code == 2
    assert told.stderr == (
        "trackside: 'xml' is no format of reports. --report xml=r.xml. "
        "say one of text, json, junit, github, gitlab, sarif.\n"
    )


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (["json", "github"], "2 reports go to standard output"),
        (["json=out", "sarif=./out"], "2 reports go to out"),
        (["json="], "the report has no file"),
    ],
)
def test_reports_that_cannot_all_be_written_are_refused(asked, what):
    with pytest.raises(TracksideError, match=what), opened(asked, io.StringIO()):
        pass


@pytest.mark.parametrize("name", ["missing/report.json", "folder"])
def test_a_file_that_cannot_be_written_is_told_before_anything_is_read(validate, name):
    Path("folder").mkdir()
    told = validate("events.ndjson", "--report", f"json={name}", events=NO_EVENT)
    assert told.exit_code == 2
    assert told.stdout == ""
    assert (
        f"the file cannot be written: {'Is a' if name == 'folder' else 'No such file or'} directory. {name}."
        in told.stderr
    )


def test_the_file_has_its_name_only_when_the_report_is_whole(tmp_path):
    with opened([f"json={tmp_path / 'report.json'}"], io.StringIO()):
        assert not (tmp_path / "report.json").exists()
    assert os.listdir(tmp_path) == ["report.json"]  # noqa: PTH208 - the names are meant


def test_after_an_exception_the_file_that_was_there_still_is(tmp_path):
    (tmp_path / "report.json").write_text("the last one")
    with pytest.raises(KeyboardInterrupt), opened([f"json={tmp_path / 'report.json'}"], io.StringIO()):
        raise KeyboardInterrupt
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]
    assert (tmp_path / "report.json").read_text() == "the last one"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_is_told_in_three_clauses(validate):
    told = validate("events.ndjson", "--report", "json=/dev/full", events=NO_EVENT)
    assert told.exit_code == 2
    assert "the file cannot be written: No space left on device. /dev/full. name a file" in told.stderr
