"""The vendors' published packages: run by Node on the cases of a scenario, or driven line by line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # the modules of this folder that are no tests

from driver import Driver  # noqa: E402 - found by the line above

NOW = 1_700_000_000.0
"""The clock of the oracle, in epoch seconds."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

Oracle = Callable[[Iterable[dict[str, Any]]], list[Any]]


def _missing() -> str:
    if shutil.which("node") is None:
        return "node is not installed"
    packages = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    absent = [name for name in packages if not (HERE / "node_modules" / name).is_dir()]
    return f"not installed: {', '.join(absent)}; run npm ci in scenarios/sdk" if absent else ""


def _need(reason: str, variable: str) -> None:
    """Skip where something is missing; fail where the environment says that it must be there."""
    if reason:
        if os.environ.get(variable) == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def need_node() -> None:
    _need(_missing(), "TRACKSIDE_REQUIRE_NODE")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium."""
    found = next(filter(None, map(shutil.which, BROWSERS)), "")
    _need("" if found else "chromium is not installed", "TRACKSIDE_REQUIRE_CHROMIUM")
    return found


@pytest.fixture
def driver(request: pytest.FixtureRequest) -> Iterator[Callable[..., Driver]]:
    """Return what starts a driver; its process has ended when the test has."""
    with ExitStack() as started:

        def start(script: str, *arguments: str) -> Driver:
            if script.endswith(".cjs"):
                request.getfixturevalue("need_node")
            return started.enter_context(Driver(script, *arguments))

        yield start


@pytest.fixture(scope="session")
def node(need_node: None) -> Callable[..., Any]:
    """Return what runs a script of this folder with Node and gives the JSON line that it ends with."""

    def run(script: str, *arguments: str) -> Any:
        command = ["node", str(HERE / script), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr[-2000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="session")
def oracle(node: object) -> Oracle:
    """Return what answers a list of cases as Segment's packages do (see oracle.cjs)."""

    def ask(cases: Iterable[dict[str, Any]]) -> list[Any]:
        environment = {**os.environ, "TZ": "UTC", "ORACLE_NOW": str(int(NOW * 1000))}
        lines = "\n".join(json.dumps(case) for case in cases)
        command = ["node", str(HERE / "oracle.cjs")]
        run = subprocess.run(command, input=lines, env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr[-2000:]
        return [json.loads(line) for line in run.stdout.split("\n") if line]

    return ask
