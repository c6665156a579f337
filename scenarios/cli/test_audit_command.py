"""``trackside audit``: findings in the report formats of ``validate``, levels, baselines, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from counted_files import some, to_workspace

from trackside.lab import Lab

CODE = "trackside.audit.id-case"
COUNTED = pytest.mark.trackside(workspace=to_workspace())


@pytest.fixture
def audit(trackside_command, recording: Path, wired: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that audits the recording under its workspace, in a folder of its own."""
    for name in ("GITHUB_WORKSPACE", "GITHUB_STEP_SUMMARY", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: trackside_command("audit", "lab.ndjson", "--workspace", "workspace.json", *arguments)


@pytest.mark.rule("trackside.audit.id-case")
def test_a_strict_finding_ends_with_1(audit) -> None:
    told = audit()

    assert told.exit_code == 1
    assert told.stdout.startswith(f"lab.ndjson: strict {CODE}")
    assert 'launchdarkly banner-test in production: the event has the id "U-2"' in told.stdout
    assert "send the same id, letter for letter, to both" in told.stdout


def test_units_are_told_beside_the_findings(audit) -> None:
    assert "launchdarkly banner-test: 1 of 2 events counted; units: control 1, blue 1\n" in audit().stderr


def test_a_code_that_is_off_ends_with_0(audit) -> None:
    told = audit("--level", f"{CODE}=off")

    assert told.exit_code == 0
    assert CODE not in told.stdout


@pytest.mark.parametrize(("more", "code"), [((), 0), (("--strict",), 1)])
def test_a_warning_fails_only_where_that_is_asked_for(audit, more: tuple[str, ...], code: int) -> None:
    told = audit("--level", "trackside.audit.id-*=warn", *more)

    assert told.exit_code == code
    assert CODE in told.stdout


@pytest.mark.parametrize("level", ["trackside.audit.id-case", "trackside.audit.id-case=loud", "=off"])
def test_a_level_that_is_none_ends_with_2(audit, level: str) -> None:
    told = audit("--level", level)

    assert told.exit_code == 2
    assert "sets no level" in told.stderr


def test_findings_as_json(audit) -> None:
    told = audit("--json")

    report = json.loads(told.stdout)
    assert told.exit_code == 1
    [found] = report["findings"]
    assert (found["code"], found["level"], found["file"], found["known_by"]) == (
        CODE,
        "strict",
        "lab.ndjson",
        "launchdarkly.in.context-match",
    )
    assert report["summary"]["strict"] == 1


@pytest.mark.parametrize(
    ("name", "within"),
    [
        ("text", CODE),
        ("json", CODE),
        ("junit", "<failure"),
        ("github", "::error"),
        ("gitlab", '"check_name"'),
        ("sarif", '"ruleId"'),
    ],
)
def test_every_report_of_validate_is_there(audit, tmp_path: Path, name: str, within: str) -> None:
    told = audit("--report", f"{name}=report.out")

    assert told.exit_code == 1
    assert within in (tmp_path / "report.out").read_text(encoding="utf-8")


def test_a_sarif_report_has_the_rule_and_the_file(audit, tmp_path: Path) -> None:
    audit("--report", "sarif=audit.sarif")

    [run] = json.loads((tmp_path / "audit.sarif").read_text())["runs"]
    [found] = run["results"]
    assert (found["ruleId"], found["level"]) == (CODE, "error")
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "lab.ndjson"


def test_a_report_that_is_none_ends_with_2(audit) -> None:
    assert audit("--report", "pdf").exit_code == 2


@pytest.mark.parametrize("name", ["lab.ndjson", "workspace.json"])
def test_a_report_is_not_written_over_what_is_read(audit, tmp_path: Path, name: str) -> None:
    before = (tmp_path / name).read_bytes()

    assert audit("--report", f"json={name}").exit_code == 2
    assert (tmp_path / name).read_bytes() == before


# ---- baselines


def test_a_baseline_has_old_findings_that_are_counted_and_not_told(audit) -> None:
    written = audit("--write-baseline", "old.json")
    assert (written.exit_code, CODE in written.stdout) == (0, False)

    told = audit("--baseline", "old.json")

    assert told.exit_code == 0
    assert CODE not in told.stdout


def test_a_baseline_does_not_hide_what_is_new(audit, wired: Path) -> None:
    audit("--write-baseline", "old.json")
    wired.write_text(json.dumps(to_workspace(metrics={"orders": {"event_key": "order completed"}})))

    told = audit("--baseline", "old.json")

    assert told.exit_code == 1
    assert "trackside.audit.event-key-case" in told.stdout


def test_a_baseline_that_is_none_ends_with_2(audit, tmp_path: Path) -> None:
    assert audit("--baseline", "none.json").exit_code == 2
    (tmp_path / "broken.json").write_text("{")
    assert audit("--baseline", "broken.json").exit_code == 2


# ---- sources


def test_nothing_that_is_wrong_ends_with_0(audit, recording: Path) -> None:
    lines = recording.read_text().splitlines()
    recording.write_text("\n".join(line for line in lines if "U-2" not in line))

    told = audit()

    assert told.exit_code == 0
    assert "trackside.audit" not in told.stdout


def test_an_empty_recording_ends_with_0(audit, recording: Path) -> None:
    recording.write_text("")

    assert audit().exit_code == 0


def test_a_line_that_cannot_be_read_ends_with_2_and_the_rest_is_told(audit, recording: Path) -> None:
    recording.write_text(recording.read_text() + "\nhello\n")

    told = audit()

    assert told.exit_code == 2
    assert CODE in told.stdout
    assert "lab.ndjson:4" in told.stderr
    assert audit("--write-baseline", "old.json").exit_code == 2


def test_a_source_that_is_no_file_ends_with_2(trackside_command, tmp_path: Path) -> None:
    told = trackside_command("audit", tmp_path / "none.ndjson")

    assert (told.exit_code, told.stdout) == (2, "")
    assert "none.ndjson" in told.stderr


def test_a_workspace_that_is_broken_ends_with_2(trackside_command, recording: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("launchdarkly: [")
    told = trackside_command("audit", recording, "--workspace", broken)

    assert (told.exit_code, told.stdout) == (2, "")
    assert "broken.yaml" in told.stderr


@COUNTED
def test_a_running_lab_is_audited_by_its_control_api(trackside_command, trackside: Lab) -> None:
    some(trackside)
    told = trackside_command("audit", trackside.urls["admin"], "--json")

    assert told.exit_code == 1
    [found] = json.loads(told.stdout)["findings"]
    assert (found["code"], found["file"]) == (CODE, "lab")
    assert "1 of 2 events counted" in told.stderr


@COUNTED
def test_a_running_lab_to_which_nothing_came_has_no_finding(trackside_command, trackside: Lab) -> None:
    told = trackside_command("audit", trackside.urls["admin"], "--json")

    assert (told.exit_code, json.loads(told.stdout)["findings"]) == (0, [])
