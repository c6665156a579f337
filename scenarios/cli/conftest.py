from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3
from click.testing import CliRunner, Result

from trackside.lab import Lab

sys.path.insert(0, str(Path(__file__).parent))  # where the modules are that are no tests

COMMAND = [sys.executable, "-m", "trackside"]


@pytest.fixture
def trackside_command() -> Callable[..., Result]:
    """Return a function that runs the command line in this process: arguments, then standard input."""

    def run(*arguments: object, stdin: str | None = None) -> Result:
        from trackside.cli import group

        result = CliRunner().invoke(group, [str(one) for one in arguments], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def recording(new_lab: Callable[..., Lab], tmp_path: Path) -> Path:
    """A recording of `counted_files.some`."""
    from counted_files import recorded, some, to_workspace

    return recorded(some(new_lab(to_workspace())), tmp_path / "lab.ndjson")


@pytest.fixture
def wired(tmp_path: Path) -> Path:
    """The file of `counted_files.to_workspace`."""
    from counted_files import to_workspace

    path = tmp_path / "workspace.json"
    path.write_text(json.dumps(to_workspace()), encoding="utf-8")
    return path


@dataclass
class Served:
    """A running ``trackside serve --json``."""

    process: subprocess.Popen[str]
    first: dict[str, Any]

    def line(self) -> dict[str, Any]:
        """Return the next line of the log; it comes as soon as something happened."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def track(self, event: str, **fields: Any) -> int:
        """Post a track call and return the status."""
        call = {"writeKey": "wk_web", "event": event, "userId": "u-1", **fields}
        return ask(f"{self.first['segment']}/v1/track", call)[0]

    def admin(self, path: str) -> Any:
        """Return what the control API answers."""
        return ask(self.first["admin"] + path)[1]

    def end(self, number: int) -> tuple[int, str, str]:
        """Send a signal; return the exit code, what was left on standard output, and standard error."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


def ask(url: str, body: Any = None) -> tuple[int, Any]:
    """Return the status and the JSON body of an answer."""
    answer = urllib3.request("GET" if body is None else "POST", url, json=body, retries=False, timeout=20)
    return answer.status, json.loads(answer.data or b"null")


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Return a function that starts ``trackside serve --ephemeral --json`` (or ``record``) and returns once it listens."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object, command: str = "serve") -> Served:
        process = popen(command, "--ephemeral", "--json", *arguments, cwd=tmp_path)
        started.append(process)
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first, process.communicate()[1]
        return Served(process, json.loads(first))

    yield start
    for process in started:
        _kill(process)


@pytest.fixture
def serve_for_people(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Return a running ``trackside serve --ephemeral``, nothing of its output read yet."""
    process = popen("serve", "--ephemeral", cwd=tmp_path)
    yield process
    _kill(process)


def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()


def popen(*arguments: object, cwd: Path | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *(str(one) for one in arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
    )


SDKS = """
import json, sys, threading, urllib.request
import segment.analytics
from splitio import get_factory
urls = json.loads(sys.argv[1])
client = segment.analytics.Client("wk_web", host=urls["segment"], gzip=True, upload_interval=0.01)
client.track("u-1", "Order Completed", {"revenue": 12.5})
client.flush()
client.join()
factory = get_factory(
    "sdk-local-0123456789",
    config={"impressionsMode": "DEBUG", "streamingEnabled": True},
    sdk_api_base_url=urls["split"] + "/api",
    events_api_base_url=urls["split"] + "/api",
    auth_api_base_url=urls["split"] + "/api",
    telemetry_api_base_url=urls["split"] + "/api",
    streaming_api_base_url=urls["split"],
)
factory.block_until_ready(10)
split = factory.client()
print(split.get_treatment("u-1", "checkout_v2"))
split.track("u-1", "user", "purchase", 12.5)
for _ in range(400):  # until the lab has the stream, which the SDK opens in a thread of its own
    asked = json.load(urllib.request.urlopen(urls["admin"] + "/exchanges?vendor=split"))
    if any(one["path"] in ("/sse", "/event-stream") for one in asked):
        break
    threading.Event().wait(0.05)
done = threading.Event()
factory.destroy(done)
done.wait(10)
"""
"""An application with Segment's and Split's SDKs for Python, for a process of its own."""


@pytest.fixture
def run_sdks() -> Callable[[Served], None]:
    """Return a function that runs `SDKS` against what is served, to its end."""

    def run(served: Served) -> None:
        command = [sys.executable, "-W", "ignore", "-c", SDKS, json.dumps(served.first)]
        told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        assert told.stdout.strip() == "on"

    return run
