"""``trackside validate`` as a process: terminals, pipes, signals, disks without room, processes that are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

GOOD = {"type": "track", "userId": "u-1", "event": "Order Completed"}
WRONG = {**GOOD, "event": 42}
COMMAND = (sys.executable, "-c", "from trackside.cli import main; main()", "validate")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a small file, one that fails throughout, and one that takes long."""
    wrong = json.dumps(WRONG) + "\n"
    (tmp_path / "small.json").write_text(json.dumps(GOOD), encoding="utf-8")
    (tmp_path / "wrong.ndjson").write_text(wrong * 5_000, encoding="utf-8")
    (tmp_path / "long.ndjson").write_text(wrong * 300_000, encoding="utf-8")
    return tmp_path


def run(folder, *arguments, **options):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run([*COMMAND, *arguments], cwd=folder, check=False, text=True, timeout=60, **pipes)


def started(folder, *arguments):
    """Return a process that has begun to write its report."""
    process = subprocess.Popen(
        [*COMMAND, *arguments, "--report", "json=report.json", "long.ndjson"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    _until(lambda: any(one.stat().st_size for one in folder.glob(".report.json.*")))
    return process


def _until(holds, seconds=20):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)  # another process cannot tell that its file or its child is there


def _children(process):
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(one) for one in found.read_text(encoding="utf-8").split()]


def _lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


# ---- pipes and disks


def test_a_reader_that_stops_ends_the_run_and_is_no_success(folder):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*COMMAND, "wrong.ndjson"], cwd=folder, **pipes) as process:
        assert process.stdout.readline() == b"wrong.ndjson:1:36: strict segment/track.type\n"
        process.stdout.close()

        assert process.stderr.read() == b""

    assert process.returncode == 141


@pytest.mark.parametrize("file", ["small.json", "wrong.ndjson"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_standard_output_without_room_is_told(folder, file):
    with Path("/dev/full").open("w") as full:
        result = run(folder, file, stdout=full)

    assert result.returncode == 2
    assert result.stderr == (
        "trackside: standard output cannot be written: No space left on device. write to a disk with room.\n"
    )


@pytest.mark.parametrize("number", [1, 2])
def test_output_that_was_closed_upsets_nothing(folder, number):
    result = subprocess.run(
        ["/bin/sh", "-c", f'"$@" {number}>&-', "sh", *COMMAND, "wrong.ndjson"],
        cwd=folder,
        check=False,
        capture_output=True,
    )

    assert result.returncode == 1
    assert b"Traceback" not in result.stdout + result.stderr


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_what_the_encoding_lacks_is_escaped(folder, encoding):
    (folder / "ü€.json").write_text(json.dumps({**WRONG, "x": "€"}, ensure_ascii=False), encoding="utf-8")

    result = subprocess.run(
        [*COMMAND, "ü€.json"],
        cwd=folder,
        check=False,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )

    assert result.returncode == 1
    assert b"\\u20ac.json:1:36: strict segment/track.type" in result.stdout


# ---- signals


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("to_group", [False, True])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_cancelled_leaves_no_report_no_process_and_no_traceback(folder, number, code, to_group, jobs):
    process = started(folder, "--jobs", jobs)
    children = _children(process)

    (os.killpg if to_group else os.kill)(process.pid, number)

    assert process.communicate(timeout=30)[1] == ""
    assert process.returncode == code
    assert not list(folder.glob("*report*"))
    assert len(children) == (2 if jobs == "2" else 0)
    _until(lambda: not any(map(_lives, children)))


def test_processes_that_judge_end_with_the_first_one(folder):
    process = started(folder, "--jobs", "2")
    children = _children(process)

    process.kill()

    process.communicate(timeout=30)
    assert len(children) == 2
    _until(lambda: not any(map(_lives, children)))


def test_a_process_that_is_killed_is_told(folder):
    process = started(folder, "--jobs", "2")

    os.kill(_children(process)[0], signal.SIGKILL)

    assert process.communicate(timeout=30)[1] == (
        "trackside: one of the processes that judge was ended by the system. --jobs 2. "
        "ask for fewer jobs, or for more memory.\n"
    )
    assert process.returncode == 2
    assert not list(folder.glob("*report*"))


# ---- terminals


def on_terminal(folder, *arguments):
    """Return what a process writes to a terminal, and its exit code."""
    import pty

    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ["TERM"] = "xterm"
        os.environ.pop("NO_COLOR", None)
        os.execv(COMMAND[0], (*COMMAND, *arguments))  # noqa: S606 - this very Python
    text = b""
    while True:
        try:
            more = os.read(terminal, 1 << 16)
        except OSError:  # Linux says so at the end
            more = b""
        if not more:
            break
        text += more
    os.close(terminal)
    return text.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_terminal_gets_colours_and_no_bar_for_little(folder):
    text, code = on_terminal(folder, "small.json")

    assert code == 0
    assert "\x1b[1;32m1 payload in 1 file: 0 strict findings, 0 warnings\x1b[0m" in text
    assert "checked" not in text


def test_a_bar_is_shown_on_a_terminal_for_much_and_wiped_at_the_end(folder):
    (folder / "much.ndjson").write_text((json.dumps({**GOOD, "properties": {"a": "b" * 500}}) + "\n") * 40_000)

    text, code = on_terminal(folder, "much.ndjson")

    assert code == 0
    assert "checked " in text
    assert "40,000 payloads in 1 file" in text
    assert text.endswith("\x1b[2K")


def test_a_pipe_gets_neither_colours_nor_a_bar(folder):
    result = run(folder, "long.ndjson", "--level", "*=off")

    assert result.stderr == ""
    assert "\x1b" not in result.stdout
    assert "300,000 payloads in 1 file: 0 strict findings" in result.stdout


def test_no_text_of_a_payload_or_a_name_steers_the_terminal(folder):
    steering = "a\x1b[2J\x9b2J\u202e"
    (folder / f"{steering}.json").write_text(
        json.dumps({**WRONG, steering: {}, "timestamp": steering}), encoding="utf-8"
    )

    text, code = on_terminal(folder, f"{steering}.json", f"gone{steering}")

    assert code == 2
    assert "[2J" in text
    assert "\x1b[2J" not in text
    assert not {"\x9b", "\u202e"} & set(text)
