"""``trackside generate``: made-up calls as NDJSON."""

from __future__ import annotations

import json
import subprocess
import sys

from trackside.events import generate


def test_each_line_is_one_call(trackside_command):
    result = trackside_command("generate", "--count", "30", "--seed", "7")
    assert result.exit_code == 0
    assert [json.loads(line) for line in result.stdout.splitlines()] == list(generate(30, seed=7))


def test_the_same_seed_gives_the_same_bytes_in_another_process():
    command = [sys.executable, "-m", "trackside", "generate", "--count", "200", "--seed", "3"]
    first, second = (subprocess.run(command, capture_output=True, check=True).stdout for _ in range(2))
    assert first == second
    assert first.count(b"\n") == 200


def test_another_seed_gives_other_calls(trackside_command):
    assert trackside_command("generate", "--seed", "1").stdout != trackside_command("generate", "--seed", "2").stdout


def test_the_traffic_begins_when_asked(trackside_command):
    result = trackside_command("generate", "--count", "1", "--start", "2027-02-03T04:05:06Z")
    assert json.loads(result.stdout)["timestamp"] == "2027-02-03T04:05:06.000Z"


def test_a_start_that_is_no_moment_is_wrong_use(trackside_command):
    result = trackside_command("generate", "--start", "soon")
    assert result.exit_code == 2
    assert result.stderr.startswith("trackside: 'soon' is no moment.")


def test_the_json_is_one_array(trackside_command):
    result = trackside_command("generate", "--count", "5", "--seed", "7", "--json")
    assert json.loads(result.stdout) == list(generate(5, seed=7))
