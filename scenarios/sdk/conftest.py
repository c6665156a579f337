"""Segment's published Actions packages, run by Node on the cases of a scenario."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent

NOW = 1_700_000_000.0
"""The clock of the oracle, in epoch seconds."""

Oracle = Callable[[Iterable[dict[str, Any]]], list[Any]]


def _missing() -> str:
    if shutil.which("node") is None:
        return "node is not installed"
    if not (HERE / "node_modules" / "@segment" / "action-destinations").is_dir():
        return "Segment's packages are not installed: run npm ci in scenarios/sdk"
    return ""


@pytest.fixture(scope="session")
def node() -> Callable[..., Any]:
    """Return what runs a script of this folder with Node and gives the JSON line that it ends with."""
    if reason := _missing():
        if os.environ.get("TRACKSIDE_REQUIRE_NODE") == "1":
            pytest.fail(reason)
        pytest.skip(reason)

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
