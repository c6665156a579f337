"""What the pytest plugin promises, each seen in a project of its own."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from trackside import workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from trackside.lab import Lab

    Send = Callable[..., Any]

SEND = """
import json, urllib.error, urllib.request
import pytest

def send(lab, event, write_key="wk_web"):
    call = {"writeKey": write_key, "userId": "user-1", "event": event}
    request = urllib.request.Request(lab.segment.url + "/v1/track", json.dumps(call).encode())
    urllib.request.urlopen(request).close()
"""

WORKSPACE = """
segment:
  sources: {%s: {write_key: wk_%s, destinations: []}}
  destinations: {}
"""


def run(pytester: pytest.Pytester, test: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(test_it=SEND + test)
    return pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:cacheprovider", *options)


def test_loading_it_imports_nothing_but_itself() -> None:
    code = (
        "import sys, pytest, traceback; before = set(sys.modules); import trackside.pytest_plugin; "
        "print(sorted(name.partition('.')[0] for name in set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['trackside', 'trackside']"


def test_a_run_that_does_not_use_it_starts_no_lab(pytester: pytest.Pytester) -> None:
    result = run(pytester, "import sys\ndef test_it():\n    assert not {'flask', 'trackside.lab'} & set(sys.modules)")
    result.assert_outcomes(passed=1)


def test_the_marker_and_the_options_are_registered(pytester: pytest.Pytester) -> None:
    shown = pytester.runpytest_inprocess("--markers").stdout
    shown.fnmatch_lines(["@pytest.mark.trackside(workspace=None, strict=False): *"])
    pytester.runpytest_inprocess("--help").stdout.fnmatch_lines(
        ["*--trackside-workspace=FILE*", "*trackside_workspace*"]
    )
    pytester.runpytest_inprocess("--fixtures").stdout.fnmatch_lines(["trackside -- *", "make_trackside -- *"])


def test_every_test_gets_the_same_lab_as_new(pytester: pytest.Pytester) -> None:
    test = """
URLS = set()

@pytest.mark.parametrize("number", range(3))
def test_it(trackside, number):
    URLS.add(trackside.segment.url)
    assert len(URLS) == 1
    trackside.split.expect_none()
    send(trackside, "Sign Up")
    trackside.split.fail(500)
    trackside.advance(60)
    trackside.statsig.expect_only("segment::Sign Up")
"""
    run(pytester, test).assert_outcomes(passed=3)


def test_a_further_lab_stops_with_its_test_and_the_first_one_with_the_run(pytester: pytest.Pytester) -> None:
    test = """
URLS = []

def test_starts_another(trackside, make_trackside):
    print("URL", trackside.segment.url)
    URLS.append(make_trackside().segment.url)

def test_it_has_stopped():
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(URLS[0])
"""
    result = run(pytester, test, "-s")
    result.assert_outcomes(passed=2)
    [url] = [line.split("URL ")[1] for line in result.outlines if "URL " in line]
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(url)  # noqa: S310 - a loopback address that the lab had


@pytest.mark.trackside(workspace={**workspace.DEMO, "accept_any_key": False})
@pytest.mark.rule("segment.write-key.unknown")
def test_a_marker_puts_a_workspace_in_force(trackside: Lab, send: Send) -> None:
    send("Sign Up", writeKey="wk_other")
    trackside.segment.expect_none()


@pytest.mark.trackside(strict=True)
@pytest.mark.rule("segment.contract")
def test_a_marker_asks_for_strict(send: Send) -> None:
    assert send("Sign Up", properties="none").status == 400


def test_without_it_strict_is_off_again(send: Send) -> None:
    assert send("Sign Up", properties="none").status == 200


def test_a_file_is_found_beside_the_test_then_from_the_root(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("tests")
    (folder / "near.yaml").write_text(WORKSPACE % ("near", "near"), encoding="utf-8")
    (pytester.path / "far.yaml").write_text(WORKSPACE % ("far", "far"), encoding="utf-8")
    test = """
import pytest
from pathlib import Path

@pytest.mark.trackside(workspace="near.yaml")
def test_near(trackside):
    assert trackside.segment.keys == {"near": "wk_near"}

@pytest.mark.trackside("far.yaml")
def test_far(trackside):
    assert trackside.segment.keys == {"far": "wk_far"}

@pytest.mark.trackside(workspace="nowhere.yaml")
def test_nowhere(trackside):
    pass

def test_made(make_trackside):
    assert make_trackside("near.yaml").segment.keys == {"near": "wk_near"}

def test_without_a_marker(trackside):
    assert trackside.segment.keys == {"web": "wk_web"}
"""
    (folder / "test_files.py").write_text(test, encoding="utf-8")
    result = pytester.runpytest_subprocess("-p", "no:randomly")
    result.assert_outcomes(passed=4, errors=1)
    result.stdout.fnmatch_lines(
        ["there is no workspace file nowhere.yaml: neither */tests/nowhere.yaml nor */nowhere.yaml"]
    )


def test_the_command_line_goes_before_the_configuration_file_and_the_marker_before_both(
    pytester: pytest.Pytester,
) -> None:
    for name in ("ini", "option", "marker"):
        (pytester.path / f"{name}.yaml").write_text(WORKSPACE % (name, name), encoding="utf-8")
    pytester.makeini("[pytest]\ntrackside_workspace = ini.yaml")
    test = """
def test_plain(trackside):
    print("PLAIN", *trackside.segment.keys)

@pytest.mark.trackside(workspace="marker.yaml")
def test_marked(trackside):
    print("MARKED", *trackside.segment.keys)
"""
    run(pytester, test, "-s").stdout.fnmatch_lines(["*PLAIN ini*", "*MARKED marker*"])
    shown = run(pytester, test, "-s", "--trackside-workspace=option.yaml").stdout
    shown.fnmatch_lines(["*PLAIN option*", "*MARKED marker*"])


def test_a_wrong_marker_or_workspace_fails_the_test_without_a_traceback(pytester: pytest.Pytester) -> None:
    test = """
@pytest.mark.trackside(worspace="x.yaml")
def test_marker(trackside):
    pass

@pytest.mark.trackside(workspace={"segment": {"sorces": {}}})
def test_workspace(trackside):
    pass
"""
    result = run(pytester, test)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        ["@pytest.mark.trackside does not know worspace: give workspace or strict", "*did you mean sources?*"]
    )
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_a_failing_test_shows_what_became_of_its_messages(pytester: pytest.Pytester) -> None:
    test = """
@pytest.fixture
def shop(trackside):
    return trackside

def test_passing(trackside):
    send(trackside, "Passing Event")

def test_failing(shop):
    send(shop, "Sign Up")
    send(shop, "Half % Off")
    assert False

def test_silent(trackside):
    assert False
"""
    result = run(pytester, test)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*- trackside journey -*",
            'track "Sign Up" of user-1 (* source web): statsig delivered, split (fme-user) delivered, *',
            'track "Half % Off" of user-1 (* source web): statsig dropped, *',
            "  statsig dropped it: * (statsig.in.name-characters), at $.event. *",
            "*- trackside journey -*",
            "no request has come to the lab",
        ]
    )
    result.stdout.no_fnmatch_line("*Passing Event*")


def test_a_test_that_fails_twice_shows_it_once(pytester: pytest.Pytester) -> None:
    test = """
@pytest.fixture
def broken(trackside):
    yield
    assert False

def test_it(broken):
    assert False
"""
    result = run(pytester, test)
    result.assert_outcomes(failed=1, errors=1)
    assert result.stdout.str().count("- trackside journey -") == 1


def test_a_report_of_many_messages_ends_with_the_latest(pytester: pytest.Pytester) -> None:
    test = """
def test_it(trackside):
    for number in range(60):
        send(trackside, f"Event {number}")
    assert False
"""
    result = run(pytester, test)
    lines = [line for line in result.outlines if line.startswith('track "Event ')]
    assert len(lines) == 49
    assert lines[-1].startswith('track "Event 59"')
    result.stdout.fnmatch_lines(["… earlier messages are left out*"])


def test_a_failing_test_shows_its_own_frame_last(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_it(trackside):\n    trackside.split.expect_event('Sign_Up', timeout=0)")
    result.stdout.fnmatch_lines(
        [">   *trackside.split.expect_event('Sign_Up', timeout=0)", "test_it.py:*: ExpectationError"]
    )
    result.stdout.no_fnmatch_line("*vendor.py*")


def test_what_goes_wrong_in_the_server_is_raised_in_the_test_that_caused_it(pytester: pytest.Pytester) -> None:
    test = """
def test_causing(trackside, monkeypatch):
    monkeypatch.setattr(trackside, "receive", lambda vendor, request: 1 / 0)
    with pytest.raises(Exception, match="500"):
        send(trackside, "Sign Up")

def test_next(trackside):
    send(trackside, "Sign Up")
"""
    result = run(pytester, test)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        ["*ERROR at teardown of test_causing*", "E *ZeroDivisionError*", "*trackside server error*"]
    )


def test_further_labs_share_nothing_with_the_first(trackside: Lab, make_trackside: Any, send_to: Send) -> None:
    other = make_trackside(strict=True)
    send_to(trackside, "Sign Up")
    other.split.expect_none()
    assert other.segment.url != trackside.segment.url
    assert other.strict
    assert not trackside.strict


def test_workers_run_side_by_side(pytester: pytest.Pytester) -> None:
    test = """
@pytest.mark.parametrize("number", range(6))
def test_it(trackside, number):
    send(trackside, f"Event {number}")
    trackside.split.expect_only(f"Event_{number}")

def test_failing(trackside):
    send(trackside, "Sign Up")
    assert False
"""
    result = run(pytester, test, "-n", "2")
    result.assert_outcomes(passed=6, failed=1)
    result.stdout.fnmatch_lines(["*- trackside journey -*", 'track "Sign Up" of user-1 *'])


def test_a_project_with_folders_named_mocks_and_contracts_keeps_them(pytester: pytest.Pytester) -> None:
    for name in ("mocks", "contracts"):
        pytester.mkpydir(name).joinpath("own.py").write_text("MINE = True", encoding="utf-8")
    test = """
def test_it(trackside):
    from contracts.own import MINE as contracts
    from mocks.own import MINE as mocks
    assert mocks and contracts
    send(trackside, "Sign Up")
    trackside.split.expect_event("Sign_Up")
"""
    for mode in ("prepend", "importlib"):
        run(pytester, test, f"--import-mode={mode}", "-o", "pythonpath=.").assert_outcomes(passed=1)


def test_keys_are_those_of_the_workspace(trackside: Lab) -> None:
    assert trackside.segment.keys == {"web": "wk_web"}
    assert trackside.statsig.keys == {"server_secret": "secret-local", "client_key": "client-local", "console_key": ""}
    assert trackside.split.keys["production"]["sdk_key"] == "sdk-local-0123456789"
    assert trackside.launchdarkly.keys["production"]["client_side_id"] == "57be1db38b75bf0772d11384"
    assert trackside.launchdarkly.keys["production"]["sdk_key"] == "sdk-local"
