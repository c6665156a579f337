"""The command line as a whole: its start, its exit codes, and what it does with a reader who leaves."""

from __future__ import annotations

import subprocess
import sys

import pytest

import trackside

COMMANDS = (
    "serve",
    "send",
    "record",
    "replay",
    "flags",
    "explain",
    "verdict",
    "results",
    "audit",
    "validate",
    "contracts",
    "generate",
    "rules",
)


def modules_after(*arguments: str) -> set[str]:
    """Return the names of the modules that a run of the command has imported."""
    code = (
        "import sys, atexit; atexit.register(lambda: print(*sys.modules, file=sys.stderr));"
        "from trackside.cli import main; main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, input=""
    )
    assert run.returncode == 0, run.stderr
    return set(run.stderr.split())


def test_the_version_is_the_packages(trackside_command):
    assert trackside_command("--version").stdout == f"trackside, version {trackside.__version__}\n"


def test_help_lists_every_command(trackside_command):
    result = trackside_command("--help")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.partition("Commands:")[2].splitlines() if line] == list(COMMANDS)


@pytest.mark.parametrize(
    "command",
    [
        "serve",
        "send",
        "record",
        "replay",
        "flags list",
        "flags set",
        "explain",
        "verdict",
        "results",
        "audit",
        "generate",
        "rules",
        "contracts",
    ],
)
def test_every_command_has_help_and_json(command, trackside_command):
    result = trackside_command(*command.split(), "--help")
    assert result.exit_code == 0
    assert "--json" in result.stdout


@pytest.mark.parametrize("arguments", [["nonsense"], ["rules", "--nonsense"], ["send", "--batch", "0", "x"]])
def test_wrong_use_ends_with_2_and_says_so_on_standard_error(arguments, trackside_command):
    result = trackside_command(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error" in result.stderr


def test_a_wrong_value_is_told_in_three_clauses(trackside_command):
    result = trackside_command("explain", "nowhere.json")
    assert result.exit_code == 2
    assert result.stderr == (
        "trackside: the file cannot be read: No such file or directory. nowhere.json. "
        "name a JSON or NDJSON file, or - for standard input.\n"
    )


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["rules", "--json"], ["contracts", "--json"]])
def test_a_light_command_imports_no_server_no_faker_and_no_schemas(arguments):
    heavy = {"flask", "faker", "jsonschema", "jsonschema_rs", "rich", "waitress", "urllib3", "yaml", "trackside.lab"}
    assert modules_after(*arguments) & heavy == set()


def test_explaining_imports_no_server_no_faker_and_no_table():
    assert modules_after("explain") & {"flask", "waitress", "faker", "rich", "urllib3"} == set()


def test_generating_imports_no_server_and_no_lab():
    assert modules_after("generate", "--count", "1") & {"flask", "waitress", "rich", "trackside.lab"} == set()


def test_a_reader_who_has_enough_ends_the_command_quietly():
    command = [sys.executable, "-m", "trackside", "generate", "--count", "50000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"{")
        process.stdout.close()
        assert process.wait(timeout=60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_text_that_the_terminal_lacks_is_escaped():
    call = '{"type": "track", "event": "\u4e70", "userId": "u"}'
    command = [sys.executable, "-m", "trackside", "explain"]
    env = {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    run = subprocess.run(command, input=call.encode(), capture_output=True, check=False, env=env)
    assert run.returncode == 1  # Split takes no such name
    assert b"segment::\\u4e70" in run.stdout
