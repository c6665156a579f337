"""``trackside verdict``: whether somebody's events count, in text and as JSON, of files and of a running lab."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from counted_files import ADMIN, recorded, send, some, to_workspace

from trackside.lab import Lab


def test_an_event_that_counts_ends_with_0(trackside_command, recording: Path, wired: Path) -> None:
    told = trackside_command("verdict", recording, "--workspace", wired, "--user", "u-1")

    assert told.exit_code == 0
    assert told.stdout == (
        'launchdarkly banner-test (production): "Order Completed" of "u-1", message m-1, counts for blue, in orders\n'
    )
    assert told.stderr == ""


@pytest.mark.rule("trackside.audit.id-case")
def test_an_event_that_does_not_count_ends_with_1_and_says_why(trackside_command, recording: Path, wired: Path) -> None:
    told = trackside_command("verdict", recording, "--workspace", wired, "--user", "U-2")

    assert told.exit_code == 1
    head, why, source = told.stdout.splitlines()
    assert head.endswith('"Order Completed" of "U-2", message m-2, does not count')
    assert why.startswith(
        '    id-case: the event has the id "U-2", exposures have "u-2": they differ by upper or lower'
    )
    assert why.endswith("send the same id, letter for letter, to both.")
    assert source.startswith("        documented: ")


def test_a_recording_without_a_workspace_is_counted_under_the_demo_one_and_says_so(
    trackside_command, recording: Path
) -> None:
    told = trackside_command("verdict", recording, "--user", "u-1")

    assert told.stderr.startswith(f"{recording} is counted under the demo workspace; name its own with --workspace\n")


def test_somebody_of_whom_nothing_came_ends_with_1(trackside_command, recording: Path, wired: Path) -> None:
    told = trackside_command("verdict", recording, "--workspace", wired, "--user", "nobody")

    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr == "nothing of nobody came that an experiment could count\n"


def test_a_message_that_is_not_in_the_recording_ends_with_1(trackside_command, recording: Path, wired: Path) -> None:
    told = trackside_command("verdict", recording, "--workspace", wired, "--message-id", "m-9")

    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr == "nothing of m-9 came that an experiment could count\n"


def test_verdicts_as_json_have_every_field(trackside_command, recording: Path, wired: Path) -> None:
    told = trackside_command("verdict", recording, "--workspace", wired, "--user", "U-2", "--json")

    [found] = json.loads(told.stdout)
    assert told.exit_code == 1
    assert (found["outcome"], found["unit"], found["message_id"]) == ("not_counted", "U-2", "m-2")
    assert [one["rule"] for one in found["unmet"]] == ["launchdarkly.in.context-match"]


def test_no_verdict_is_an_empty_list_as_json(trackside_command, recording: Path, wired: Path) -> None:
    told = trackside_command("verdict", recording, "--workspace", wired, "--user", "nobody", "--json")

    assert (told.exit_code, json.loads(told.stdout), told.stderr) == (1, [], "")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["--message-id", "m-1"], ["counted"]),
        (["--user", "u-1", "--event", "Order Completed"], ["counted"]),
        (["--user", "u-1", "--event", "Signed Up"], []),
        (["--user", "u-1", "--vendor", "launchdarkly"], ["counted"]),
        (["--user", "u-1", "--vendor", "split"], []),
        (["--user", "u-1", "--experiment", "banner-test", "--environment", "production"], ["counted"]),
    ],
)
def test_verdicts_are_narrowed(
    trackside_command, recording: Path, wired: Path, asked: list[str], found: list[str]
) -> None:
    told = trackside_command("verdict", recording, "--workspace", wired, "--json", *asked)

    assert [one["outcome"] for one in json.loads(told.stdout)] == found


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ([], "nobody is named. --user. name a person by any id, or a message by --message-id."),
        (["--user", "u-1", "--experiment", "baner-test"], "there is no experiment 'baner-test'. any vendor. did you mean 'banner-test'?"),
        (["--user", "u-1", "--experiment", "banner-test", "--environment", "qa"], "the experiment 'banner-test' is not in 'qa'. any vendor. it is in: production."),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_ends_with_2(
    trackside_command, recording: Path, wired: Path, asked: list[str], says: str
) -> None:
    told = trackside_command("verdict", recording, "--workspace", wired, *asked)

    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr.startswith("trackside: ")
    assert says in told.stderr


def test_a_vendor_that_does_not_count_is_wrong_use(trackside_command, recording: Path) -> None:
    told = trackside_command("verdict", recording, "--user", "u-1", "--vendor", "ownlayer")

    assert told.exit_code == 2
    assert "'ownlayer' is not one of" in told.stderr


def test_a_source_that_is_no_file_ends_with_2(trackside_command, tmp_path: Path) -> None:
    told = trackside_command("verdict", tmp_path / "none.ndjson", "--user", "u-1")

    assert told.exit_code == 2
    assert "none.ndjson" in told.stderr


def test_a_folder_is_no_source(trackside_command, tmp_path: Path) -> None:
    told = trackside_command("verdict", tmp_path, "--user", "u-1")

    assert told.exit_code == 2
    assert str(tmp_path) in told.stderr


def test_a_workspace_that_is_broken_ends_with_2_and_names_each_fault(
    trackside_command, recording: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('{"launchdarkly": {"metricks": {}}, "split": {"flags": 5}}')
    told = trackside_command("verdict", recording, "--workspace", broken, "--user", "u-1")

    assert told.exit_code == 2
    assert "metricks" in told.stderr
    assert "split" in told.stderr


def test_a_workspace_that_is_not_there_ends_with_2(trackside_command, recording: Path, tmp_path: Path) -> None:
    told = trackside_command("verdict", recording, "--workspace", tmp_path / "none.yaml", "--user", "u-1")

    assert told.exit_code == 2
    assert "none.yaml" in told.stderr


def test_a_line_that_cannot_be_read_is_a_remark_beside_the_verdicts(
    trackside_command, recording: Path, wired: Path
) -> None:
    recording.write_text(recording.read_text() + "\nhello\n")
    told = trackside_command("verdict", recording, "--workspace", wired, "--user", "u-1")

    assert "counts for blue" in told.stdout
    assert f"{recording}:" in told.stderr


def test_half_a_surrogate_pair_as_a_user_is_nobody(trackside_command, recording: Path, wired: Path) -> None:
    told = trackside_command("verdict", recording, "--workspace", wired, "--user", "u-\udc80")

    assert told.exit_code == 1


COUNTED = pytest.mark.trackside(workspace=to_workspace())


@COUNTED
def test_a_running_lab_is_asked_by_its_control_api(trackside_command, trackside: Lab) -> None:
    some(trackside)
    told = trackside_command("verdict", trackside.urls["admin"], "--user", "u-1")

    assert told.exit_code == 0
    assert "counts for blue, in orders" in told.stdout


@COUNTED
def test_a_running_lab_says_what_it_cannot_answer(trackside_command, trackside: Lab) -> None:
    some(trackside)
    told = trackside_command("verdict", trackside.urls["admin"], "--user", "u-1", "--experiment", "baner-test")

    assert told.exit_code == 2
    assert "did you mean 'banner-test'?" in told.stderr


def test_a_running_lab_is_given_no_workspace(trackside_command, wired: Path) -> None:
    told = trackside_command("verdict", ADMIN, "--workspace", wired, "--user", "u-1")

    assert told.exit_code == 2
    assert told.stderr == "trackside: a running lab has its own workspace. --workspace. leave it out.\n"


def test_a_lab_that_does_not_run_ends_with_2(trackside_command) -> None:
    told = trackside_command("verdict", "http://127.0.0.1:1", "--user", "u-1")

    assert told.exit_code == 2
    assert "start trackside serve, or name a recording" in told.stderr


def test_a_journals_file_is_counted_by_its_own_workspace(trackside_command, new_lab, tmp_path: Path) -> None:
    lab = some(new_lab(to_workspace(), data=tmp_path / "journal.db"))
    lab.stop()

    told = trackside_command("verdict", tmp_path / "journal.db", "--user", "u-1")

    assert told.exit_code == 0
    assert "counts for blue, in orders" in told.stdout


@pytest.mark.parametrize("answer", [{}, [5], [{"outcome": "counted"}], {"findings": 1}], ids=str)
@pytest.mark.parametrize("arguments", [("verdict", "--user", "u-1"), ("results",), ("audit",)], ids=lambda one: one[0])
def test_an_address_at_which_another_program_answers_is_told(trackside_command, monkeypatch, arguments, answer) -> None:
    if answer == {} and arguments[0] != "audit":
        answer = 5  # what is empty has nothing that could be of another shape
    monkeypatch.setattr("trackside.cli.counted.Control.ask", lambda *_: answer)

    told = trackside_command(arguments[0], ADMIN, *arguments[1:])

    assert told.exit_code == 2
    assert "what answers there is no control API of this version of trackside" in told.stderr


@pytest.mark.rule("trackside.audit.dropped")
def test_an_id_that_is_a_number_is_found_and_told_why_nothing_counts(trackside_command, tmp_path, new_lab) -> None:
    lab = new_lab(to_workspace())
    call = {"writeKey": "wk_web", "userId": 42, "messageId": "m-1", "event": "Order Completed"}
    send(lab, "segment", "/v1/track", call)
    wired = tmp_path / "workspace.json"
    wired.write_text(json.dumps(to_workspace()), encoding="utf-8")

    told = trackside_command("verdict", recorded(lab, tmp_path / "l.ndjson"), "--workspace", wired, "--user", "42")

    assert told.exit_code == 1
    assert "dropped: the message ended on its way to launchdarkly: an id is empty or not a string (42)" in told.stdout
