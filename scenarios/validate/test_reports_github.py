"""``--report github``: annotations of GitHub Actions, and the summary of the step."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from trackside.errors import TracksideError
from trackside.validation.findings import FileResult, Finding
from trackside.validation.reports import report
from trackside.validation.run import Summary

MEBIBYTE = 1_048_576
NO_EVENT = '{"type": "track", "userId": "u-1"}\n'


@pytest.fixture
def summary(tmp_path: Path, validate, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file of the step's summary, in which another command has written already."""
    file = tmp_path / "summary.md"
    file.write_text("# The step\n\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    return file


def commands(*findings: Finding) -> list[str]:
    file = io.StringIO()
    told = report("github", file)
    for finding in findings:
        told.finding(finding)
    strict = sum(finding.level == "strict" for finding in findings)
    told.finish(Summary([FileResult("a.json", strict=strict, warned=len(findings) - strict)]))
    return file.getvalue().splitlines()


def test_a_strict_finding_is_an_error_with_its_place(validate):
    told = validate("events.ndjson", "--report", "github", events='{"type": "track", "event": 5, "userId": "u-1"}\n')
    assert told.stdout == (
        "::error file=events.ndjson,line=1,col=19,endColumn=26,title=segment/track.type::"
        "event is a number, 5. $.event. Send a string: Name of what the user did, such as Order Completed.\n"
    )


def test_a_warning_is_a_warning():
    assert commands(Finding("a.b", "warn", "odd", file="a.json")) == ["::warning file=a.json,title=a.b::odd."]


def test_nothing_found_is_nothing_written(validate):
    good = '{"type": "track", "userId": "u-1", "event": "A"}\n'
    assert validate("events.ndjson", "--report", "github", events=good).stdout == ""


@pytest.mark.parametrize("name", ["-", "http://127.0.0.1:8800"])
def test_standard_input_and_a_lab_are_no_files_of_the_repository(name):
    assert commands(Finding("a.b", "strict", "wrong", file=name, line=1)) == ["::error title=a.b::wrong."]


def test_percent_and_line_breaks_are_escaped_in_the_message():
    [line] = commands(Finding("a.b", "strict", "100%\r\n::error::no, yes: %0A", file="a.json"))
    assert line == "::error file=a.json,title=a.b::100%25%0D%0A::error::no, yes: %250A."


def test_colons_and_commas_are_escaped_in_properties_too():
    [line] = commands(Finding("C:\\a,b.json.type", "strict", "wrong", file="a,b:50%\n.json", line=1))
    assert line == "::error file=a%2Cb%3A50%25%0A.json,line=1,title=C%3A\\a%2Cb.json.type::wrong."


def test_ten_errors_and_ten_warnings_are_shown_and_a_notice_counts_the_others(validate):
    findings = [
        Finding("a.b", level, "wrong", file="a.json", line=line)
        for line in range(1, 1201)
        for level in ("strict", "warn")
    ]
    lines = commands(*findings)
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::warning"] * 10 + ["::notice"]
    assert "1,190 more errors and 1,190 more warnings" in lines[-1]


def test_names_are_relative_to_the_checkout_where_the_command_runs_in_a_folder_of_it(validate, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    (tmp_path / "web").mkdir()
    monkeypatch.chdir(tmp_path / "web")
    told = validate("./events.ndjson", "--report", "github", events=NO_EVENT)
    assert told.stdout.startswith("::error file=web/events.ndjson,line=1")


def test_what_cannot_be_used_is_an_error_too(validate):
    told = validate("nowhere.json", "--report", "github")
    assert told.stdout.startswith("::error title=trackside validate::there is no such file. nowhere.json.")


# ---- the summary of the step


def test_the_summary_is_appended_with_counts_and_a_row_for_each_finding(validate, summary):
    validate("events.ndjson", "--report", "github", events=NO_EVENT)
    assert summary.read_text() == (
        "# The step\n\n"
        "### trackside validate\n\n1 payload in 1 file, 1 strict, 0 warnings, 0 in the baseline.\n\n\n"
        "| level | place | code | what |\n|---|---|---|---|\n"
        "| strict | <code>events.ndjson&#58;1&#58;1</code> | <code>segment/track.required</code> "
        "| event is missing. &#36;.event. Add event&#58; Name of what the user did, such as Order Completed. |\n"
    )


def test_the_summary_is_written_where_nothing_was_found_too(validate, summary):
    validate("events.ndjson", "--report", "github", events='{"type": "track", "userId": "u-1", "event": "A"}\n')
    assert summary.read_text().endswith("1 payload in 1 file, 0 strict, 0 warnings, 0 in the baseline.\n\n\n")


def test_no_payload_adds_markdown_or_html_to_the_summary(summary):
    commands(Finding("a.b", "strict", "<img src=x> | `a` **b** [c](//d) @octocat #1 \n $x$", file="a.json"))
    row = summary.read_text().splitlines()[-1]
    assert row.count("|") == 5
    assert not set("<>`*[]@$!\\_~") & set(row.split(" | ")[3])


def test_the_summary_shows_a_hundred_findings_and_counts_the_others(summary):
    commands(*[Finding("a.b", "strict", "wrong", file="a.json", line=line) for line in range(1, 151)])
    assert summary.read_text().count("| strict |") == 100
    assert summary.read_text().endswith("\nNot shown here: 50 findings.\n")


@pytest.mark.parametrize("before", [0, MEBIBYTE - 200_000, MEBIBYTE - 100])
def test_the_summary_stays_below_what_a_step_may_have(summary, before):
    summary.write_text("x" * before)
    commands(*[Finding("\U0001f680" * 500, "strict", "\U0001f680" * 5000, file="a.json") for _ in range(150)])
    assert before <= summary.stat().st_size <= MEBIBYTE


def test_a_summary_that_cannot_be_written_is_told(validate, monkeypatch, tmp_path):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with pytest.raises(TracksideError, match="the summary of the step cannot be written"):
        commands()
