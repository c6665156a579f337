"""``trackside results``: tables, JSON, a page; and the control API's paths of what counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from counted_files import some, to_workspace

from trackside.lab import Lab

COUNTED = pytest.mark.trackside(workspace=to_workspace())


def test_results_are_tables(trackside_command, recording: Path, wired: Path) -> None:
    told = trackside_command("results", recording, "--workspace", wired)

    assert (told.exit_code, told.stderr) == (0, "")
    assert told.stdout.startswith("launchdarkly  banner-test  environment production, unit user, running, recording\n")
    assert "1 of 2 events counted." in told.stdout
    assert "id-case" in told.stdout


def test_results_as_json_are_those_of_the_control_api(trackside_command, recording: Path, wired: Path) -> None:
    told = trackside_command("results", recording, "--workspace", wired, "--json", "--vendor", "launchdarkly")

    [found] = json.loads(told.stdout)
    assert told.exit_code == 0
    assert (found["experiment"], found["events"], found["counted"]) == ("banner-test", 2, 1)
    assert [one["units"] for one in found["variations"]] == [1, 1]
    assert [one["metrics"]["orders"]["mean"] for one in found["variations"]] == [0, 1]
    assert [(one["condition"], one["events"], one["units"]) for one in found["uncounted"]] == [("id-case", 1, 1)]


def test_an_environment_without_experiments_has_no_results(trackside_command, recording: Path, wired: Path) -> None:
    told = trackside_command("results", recording, "--workspace", wired, "--environment", "qa")

    assert (told.exit_code, told.stdout) == (0, "No experiments.\n")


def test_an_unknown_experiment_ends_with_2(trackside_command, recording: Path, wired: Path) -> None:
    told = trackside_command("results", recording, "--workspace", wired, "--experiment", "banner")

    assert (told.exit_code, told.stdout) == (2, "")
    assert "did you mean 'banner-test'?" in told.stderr


def test_a_line_that_cannot_be_read_ends_with_2_and_the_others_are_counted(
    trackside_command, recording: Path, wired: Path
) -> None:
    recording.write_text(recording.read_text() + "\nhello\n")
    told = trackside_command("results", recording, "--workspace", wired, "--json")

    assert told.exit_code == 2
    assert json.loads(told.stdout)[0]["events"] == 2
    assert f"{recording}:" in told.stderr


def test_a_source_that_is_no_file_ends_with_2(trackside_command, tmp_path: Path) -> None:
    told = trackside_command("results", tmp_path / "none.ndjson")

    assert (told.exit_code, told.stdout) == (2, "")


# ---- the page


def test_a_page_is_written_beside_the_tables(trackside_command, recording: Path, wired: Path, tmp_path: Path) -> None:
    told = trackside_command("results", recording, "--workspace", wired, "--html", tmp_path / "page.html")

    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert told.exit_code == 0
    assert "banner-test" in told.stdout
    assert "banner-test" in page
    assert page.rstrip().endswith("</html>")


def test_a_page_is_not_written_where_the_results_cannot_be_told(
    trackside_command, recording: Path, wired: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    page.write_text("the one before")
    told = trackside_command("results", recording, "--workspace", wired, "--experiment", "none", "--html", page)

    assert told.exit_code == 2
    assert page.read_text() == "the one before"


def test_a_page_that_fails_on_its_way_leaves_the_one_before(
    trackside_command, recording: Path, wired: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> str:
        raise RuntimeError("no page")

    page = tmp_path / "page.html"
    page.write_text("the one before")
    monkeypatch.setattr("trackside.counting.page.page", failing)
    with pytest.raises(RuntimeError, match="no page"):
        trackside_command("results", recording, "--workspace", wired, "--html", page)

    assert page.read_text() == "the one before"
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_a_page_in_a_folder_that_is_not_there_ends_with_2(
    trackside_command, recording: Path, wired: Path, tmp_path: Path
) -> None:
    told = trackside_command("results", recording, "--workspace", wired, "--html", tmp_path / "none" / "page.html")

    assert told.exit_code == 2
    assert "name a file in a folder that is there" in told.stderr


@pytest.mark.parametrize("name", ["lab.ndjson", "workspace.json"])
def test_a_page_is_not_written_over_what_is_read(
    trackside_command, recording: Path, wired: Path, tmp_path: Path, name: str
) -> None:
    before = (tmp_path / name).read_bytes()
    told = trackside_command("results", recording, "--workspace", wired, "--html", tmp_path / name)

    assert told.exit_code == 2
    assert (tmp_path / name).read_bytes() == before


# ---- a running lab


@COUNTED
def test_a_running_lab_has_the_same_results_as_its_control_api(trackside_command, trackside: Lab) -> None:
    some(trackside)
    admin = trackside.urls["admin"]
    text = trackside_command("results", admin)
    told = trackside_command("results", f"{admin}/", "--json")

    assert (text.exit_code, told.exit_code) == (0, 0)
    assert "1 of 2 events counted." in text.stdout
    [found] = json.loads(told.stdout)
    assert found["counted"] == 1


@COUNTED
def test_a_running_lab_gives_a_page_too(trackside_command, trackside: Lab, tmp_path: Path) -> None:
    some(trackside)
    told = trackside_command("results", trackside.urls["admin"], "--html", tmp_path / "page.html")

    assert told.exit_code == 0
    assert "banner-test" in (tmp_path / "page.html").read_text(encoding="utf-8")


# ---- the control API


def get(lab: Lab, path: str) -> tuple[int, object]:
    import urllib3

    answer = urllib3.request("GET", lab.urls["admin"] + path, retries=False, timeout=20)
    return answer.status, json.loads(answer.data)


@COUNTED
def test_the_control_api_has_results_verdicts_and_the_audit(trackside: Lab) -> None:
    some(trackside)

    assert [one["experiment"] for one in get(trackside, "/results?vendor=launchdarkly")[1]] == ["banner-test"]
    assert [one["outcome"] for one in get(trackside, "/verdicts?user=u-1")[1]] == ["counted"]
    assert [one["outcome"] for one in get(trackside, "/verdicts?message_id=m-2")[1]] == ["not_counted"]
    status, audit = get(trackside, "/audit")
    assert (status, sorted(audit)) == (200, ["findings", "results"])
    assert [one["code"] for one in audit["findings"]] == ["trackside.audit.id-case"]
    assert audit["findings"][0]["file"] == "lab"


@COUNTED
def test_the_control_api_gives_as_many_verdicts_as_are_asked_for(trackside: Lab) -> None:
    for _ in range(3):
        some(trackside)

    assert get(trackside, "/verdicts?user=u-1&limit=0") == (200, [])
    assert len(get(trackside, "/verdicts?user=u-1&limit=1")[1]) == 1


@COUNTED
@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/verdicts", "nobody is named"),
        ("/verdicts?user=", "nobody is named"),
        ("/verdicts?user=u-1&limit=-1", "limit is '-1'"),
        ("/verdicts?user=u-1&limit=many", "limit is 'many'"),
        ("/verdicts?user=u-1&experiment=nope", "there is no experiment 'nope'"),
        ("/verdicts?user=u-1&vendor=nope", "nope has no experiments"),
        ("/verdicts?message_id=nope", "nope"),
        ("/results?experiment=nope", "there is no experiment 'nope'"),
        ("/results?experiment=banner-test&environment=nope", "the experiment 'banner-test' is not in 'nope'"),
        ("/results?vendor=segment", "segment has no experiments"),
    ],
)
def test_the_control_api_refuses_what_it_cannot_answer(trackside: Lab, path: str, says: str) -> None:
    status, answer = get(trackside, path)

    assert status in (400, 404)
    assert says in answer["error"]["what"]
    assert answer["error"]["fix"]
