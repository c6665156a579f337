"""``trackside record``: what comes to the mocks, or has come, in a file; the keys are not in it."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
import urllib3

from trackside import catalog
from trackside.cli.record import Tap
from trackside.lab import Lab
from trackside.recording import CONTRACT
from trackside.recording_files import RecordingFile
from trackside.wire import Answer, Request

SECONDS = 20
CALL = {"writeKey": "wk_web", "userId": "u-1", "event": "A"}


@pytest.fixture
def record(serve) -> Callable[..., Any]:
    """Return a function that starts ``trackside record --ephemeral --json`` and returns once it listens."""
    return partial(serve, command="record")


def ask(url: str, body: Any = None) -> tuple[int, Any]:
    """Return the status and the JSON body of an answer."""
    answer = urllib3.request("GET" if body is None else "POST", url, json=body, retries=False, timeout=SECONDS)
    return answer.status, json.loads(answer.data or b"null")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def events(path: Path) -> list[str]:
    return [json.loads(line["request"]["body"])["event"] for line in lines(path)]


def await_lines(path: Path, count: int) -> None:
    """Return when a file has so many lines; the log is written in a thread of its own."""
    changed = threading.Event()
    for _ in range(400):
        if path.exists() and len(path.read_bytes().splitlines()) >= count:
            return
        changed.wait(0.05)
    raise AssertionError(f"{path} has fewer than {count} lines after 20 s")


# ---- between an SDK and a file


def test_each_request_is_a_line_and_a_signal_ends_it_with_a_count(record, tmp_path):
    served = record("rec.ndjson")
    served.track("First")
    served.track("Second")
    code, _, err = served.end(signal.SIGTERM)
    assert code == 0
    assert err.splitlines()[-1] == "recorded 2 requests in rec.ndjson"
    assert events(tmp_path / "rec.ndjson") == ["First", "Second"]
    assert [fault for line in lines(tmp_path / "rec.ndjson") for fault in catalog.faults(CONTRACT, line)] == []


def test_the_log_and_the_addresses_are_those_of_serve(record):
    served = record("rec.ndjson")
    assert served.first["kind"] == "addresses"
    served.track("First")
    assert served.line()["event"] == "First"


def test_a_line_is_in_the_file_as_soon_as_it_came_so_that_a_killed_process_loses_none(record, tmp_path):
    served = record("rec.ndjson", "--quiet")
    for event in ("First", "Second", "Third"):
        served.track(event)
    await_lines(tmp_path / "rec.ndjson", 3)
    served.process.kill()
    served.process.wait()
    assert events(tmp_path / "rec.ndjson") == ["First", "Second", "Third"]


def test_a_har_is_written_at_the_end(record, tmp_path):
    served = record("rec.har", "--quiet")
    served.track("First")
    assert not (tmp_path / "rec.har").exists()
    assert served.end(signal.SIGINT)[0] == 0
    (entry,) = json.loads((tmp_path / "rec.har").read_bytes())["log"]["entries"]
    assert entry["request"]["url"] == f"{served.first['segment']}/v1/track"
    assert [file.name for file in tmp_path.iterdir()] == ["rec.har"]


def test_the_workspace_of_serve_is_used_and_none_of_its_keys_is_in_the_file(record, tmp_path):
    key = "Jd8sKq02Lm4nPz7R"
    (tmp_path / "w.yaml").write_text(f"segment: {{sources: {{app: {{write_key: {key}}}}}}}")
    served = record("rec.ndjson", "--quiet", "--workspace", "w.yaml")
    served.track(f"I sent {key}", writeKey=key)
    ask(f"{served.first['segment']}/v1/projects/{key}/settings")
    served.end(signal.SIGTERM)
    text = (tmp_path / "rec.ndjson").read_text()
    assert key not in text
    assert text.count("{{segment.sources.app.write_key}}") == 4


@pytest.mark.rule("split.sdk.stream")
def test_what_real_sdks_send_is_recorded_without_their_keys(record, run_sdks, tmp_path):
    served = record("rec.ndjson", "--quiet")
    run_sdks(served)
    served.end(signal.SIGTERM)
    told = lines(tmp_path / "rec.ndjson")
    (batch,) = (line["request"] for line in told if line["vendor"] == "segment")
    assert json.loads(batch["body"])["batch"][0]["event"] == "Order Completed"
    assert batch["headers"]["content-encoding"] == "gzip"
    split = [line for line in told if line["vendor"] == "split"]
    credentials = {line["request"]["headers"].get("authorization") for line in split if "stream" not in line}
    assert credentials == {"Bearer {{split.environments.production.sdk_key}}"}
    (stream,) = (line for line in split if "stream" in line)
    assert stream["request"]["query"]["accessToken"] == "{{unknown}}"
    assert b"sdk-local-0123456789" not in (tmp_path / "rec.ndjson").read_bytes()


# ---- what is there already


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as running:
        yield running


@pytest.fixture
def track(lab) -> Callable[[str], int]:
    return lambda event: ask(f"{lab.urls['segment']}/v1/track", {**CALL, "event": event})[0]


def test_what_a_running_lab_has_is_recorded(trackside_command, lab, track, tmp_path):
    for number in range(3):
        track(f"E{number}")
    result = trackside_command("record", "--from", lab.urls["admin"], tmp_path / "rec.ndjson")
    assert (result.exit_code, result.stdout) == (0, f"3 requests recorded in {tmp_path / 'rec.ndjson'}: segment 3\n")
    assert events(tmp_path / "rec.ndjson") == ["E0", "E1", "E2"]


def test_a_running_lab_is_asked_page_by_page(trackside_command, lab, track, tmp_path, monkeypatch):
    monkeypatch.setattr("trackside.cli.record._PAGE", 2)
    for number in range(5):
        track(f"E{number}")
    trackside_command("record", "--from", lab.urls["admin"], tmp_path / "rec.ndjson")
    assert events(tmp_path / "rec.ndjson") == [f"E{number}" for number in range(5)]


def test_what_the_journal_let_go_is_told_and_ends_with_1(trackside_command, tmp_path):
    with Lab(limit=2) as lab:
        for number in range(5):
            ask(f"{lab.urls['segment']}/v1/track", {**CALL, "event": f"E{number}"})
        result = trackside_command("record", "--from", lab.urls["admin"], "--json", tmp_path / "rec.ndjson")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["missing"] == 3
    assert events(tmp_path / "rec.ndjson") == ["E3", "E4"]


def test_what_serve_kept_is_recorded_also_after_it_was_killed(serve, trackside_command, tmp_path):
    served = serve("--data", "journal.sqlite")
    served.track("First")
    served.process.kill()
    served.process.wait()
    kept = {name: (tmp_path / name).read_bytes() for name in ("journal.sqlite", "journal.sqlite-wal")}
    result = trackside_command("record", "--data", tmp_path / "journal.sqlite", tmp_path / "rec.ndjson")
    assert (result.exit_code, events(tmp_path / "rec.ndjson")) == (0, ["First"])
    assert {name: (tmp_path / name).read_bytes() for name in kept} == kept


def test_a_journal_that_a_running_serve_has_is_wrong_use_and_the_way_is_told(serve, trackside_command, tmp_path):
    serve("--data", "journal.sqlite")
    result = trackside_command("record", "--data", tmp_path / "journal.sqlite", tmp_path / "rec.ndjson")
    assert result.exit_code == 2
    assert "a running lab has the journal open" in result.stderr
    assert not (tmp_path / "rec.ndjson").exists()


# ---- wrong use


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["rec.txt"], "tells no format"),
        (["--from", "http://127.0.0.1:9", "rec.har"], "the control API does not answer"),
        (["--data", "none.sqlite", "rec.har"], "the journal cannot be read: unable to open database file"),
        (["--data", "a", "--from", "b", "rec.har"], "--from and --data name two journals"),
        (["--data", "a", "--limit", "3", "--strict", "rec.har"], "--strict, --limit is for a lab that record runs"),
        (["no/folder/rec.har", "--ephemeral"], "the recording cannot be written: No such file or directory"),
        (["rec.har", "--ephemeral", "--workspace", "none.yaml"], "the workspace has 1 fault"),
    ],
)
def test_wrong_use_says_what_was_wrong_and_leaves_no_file(arguments, text, trackside_command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = trackside_command("record", *arguments)
    assert result.exit_code == 2
    assert text in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_leaves_no_file(trackside_command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Lab() as other:
        taken = int(other.urls["admin"].rpartition(":")[2])
        monkeypatch.setattr("trackside.cli.serve.fixed_ports", lambda: {"admin": taken})
        result = trackside_command("record", "rec.ndjson")
    assert result.exit_code == 2
    assert "cannot be bound" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_kept_unless_told(trackside_command, lab, track, tmp_path):
    file = tmp_path / "rec.ndjson"
    file.write_text("mine")
    arguments = ("record", "--from", lab.urls["admin"], file)
    assert trackside_command(*arguments).exit_code == 2
    assert file.read_text() == "mine"
    track("New")
    assert trackside_command(*arguments, "--overwrite").exit_code == 0
    assert events(file) == ["New"]


# ---- the tap


def post(lab: Lab, event: str) -> Answer:
    return lab.receive("segment", Request("POST", "/v1/track", {}, orjson.dumps({**CALL, "event": event})))


@pytest.fixture
def tapped(tmp_path) -> Iterator[Callable[..., tuple[Lab, Tap]]]:
    """Return a function that makes a lab and its tap, which does not run yet."""
    made: list[Lab] = []

    def make(**options: Any) -> tuple[Lab, Tap]:
        made.append(Lab(**options))
        return made[-1], Tap(made[-1], RecordingFile(tmp_path / "rec.ndjson", "ndjson", {}, at_once=True))

    yield make
    for lab in made:
        lab.stop()


def test_requests_that_are_evicted_before_they_are_written_are_counted(tapped, tmp_path, capsys):
    lab, tap = tapped(limit=2)
    for number in range(5):
        post(lab, f"E{number}")
    tap.start()
    tap.finish()
    assert (tap.missing, events(tmp_path / "rec.ndjson")) == (3, ["E3", "E4"])
    assert tap.told() == 1
    assert "up to 3 requests are missing" in capsys.readouterr().err


def test_requests_that_a_reset_took_before_they_are_written_are_counted(tapped, tmp_path):
    lab, tap = tapped()
    post(lab, "Before")
    lab.reset()
    post(lab, "After")
    tap.start()
    tap.finish()
    assert (tap.missing, events(tmp_path / "rec.ndjson")) == (1, ["After"])


def test_requests_that_a_reset_took_are_counted_though_none_came_after(tapped, tmp_path):
    lab, tap = tapped()
    post(lab, "Before")
    lab.reset()
    tap.start()
    tap.finish()
    assert (tap.missing, events(tmp_path / "rec.ndjson")) == (1, [])


def test_a_disk_that_is_full_is_told_and_the_lab_goes_on(monkeypatch, tmp_path, capsys, lab):
    recording = RecordingFile(tmp_path / "rec.har", "har", {"segment": "http://127.0.0.1:8801"})
    tap = Tap(lab, recording)

    def full(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    file = recording._file  # noqa: SLF001 - a disk cannot be filled here
    monkeypatch.setattr(recording, "_file", SimpleNamespace(write=full, close=file.close))
    tap.start()
    assert post(lab, "A").status == 200
    tap.finish()
    told = capsys.readouterr().err
    assert "the recording cannot be written: No space left on device" in told
    assert f"What was written is in {recording.written}." in told
    assert recording.written.exists()
    with pytest.raises(Exception, match="No space left"):
        tap.told()
