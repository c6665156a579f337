"""OwnLayer's published SDK, in an environment of its own: it needs Python 3.12, and an older httpx than other SDKs."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from trackside import Lab, catalog

DRIVER = Path(__file__).parent / "drivers" / "ownlayer_calls.py"
VERSION = "0.3.0"
PACKAGES = ["httpx<0.28", "openai<2", "pydantic<3", "python-dotenv", "requests", "wrapt<2"]
"""What the SDK imports; it asks for more than that."""

NEWEST = "import sys; print(sys.version_info >= (3, 12))"
PATH = "/api/v1/inferences/"


# ---- its environment


def python() -> str:
    """Return a Python that runs the SDK; empty for none."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    named = [shutil.which(name) for name in ("python3.12", "python3.13", "python3")]
    managed = [str(path) for version in ("3.12", "3.13") for path in sorted(root.glob(f"{version}*/bin/python"))]
    return next((path for path in [sys.executable, *named, *managed] if path and fits(path)), "")


def fits(path: str) -> bool:
    told = subprocess.run([path, "-c", NEWEST], capture_output=True, text=True, check=False)
    return told.stdout.strip() == "True"


def install(folder: Path) -> str:
    """Make the environment and return why it is not there; empty where it is."""
    found = python()
    if not found:
        return "no Python 3.12 or newer is installed, which OwnLayer's SDK needs"
    pip = [str(folder / "bin" / "pip"), "install", "-q", "--disable-pip-version-check"]
    for command in ([found, "-m", "venv", str(folder)], [*pip, *PACKAGES], [*pip, "--no-deps", f"ownlayer=={VERSION}"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return f"ownlayer {VERSION} cannot be installed: {done.stderr.strip().splitlines()[-1]}"
    return ""


@pytest.fixture(scope="session")
def sdk_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the Python of the SDK's environment; the first worker that asks makes it, and the others wait."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    told = shared / "ownlayer.txt"
    with (shared / "ownlayer.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            told.write_text(install(shared / "ownlayer"), encoding="utf-8")
    if reason := told.read_text(encoding="utf-8"):
        missing = pytest.fail if os.environ.get("TRACKSIDE_REQUIRE_OWNLAYER") == "1" else pytest.skip
        missing(reason)
    return str(shared / "ownlayer" / "bin" / "python")


@pytest.fixture
def use(sdk_python: str, trackside: Lab, tmp_path: Path) -> Callable[..., list[str]]:
    """Return a function that uses the SDK as the driver says, and gives the lines that it prints."""

    def run(asked: dict[str, Any], **environment: str) -> list[str]:
        given = {**os.environ, **trackside.ownlayer.options("ownlayer"), **environment}
        command = [sdk_python, str(DRIVER), json.dumps(asked)]
        # Away from the project, as the SDK reads a file .env of the folder that it is run in.
        done = subprocess.run(command, env=given, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


# ---- the model


class Model(BaseHTTPRequestHandler):
    """Answers every question as OpenAI's chat completions would: Paris."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        usage = {"prompt_tokens": 24, "completion_tokens": 2, "total_tokens": 26}
        whole = {"id": "c-1", "created": 1767322800, "model": asked["model"]}
        if asked.get("stream"):
            texts = ["Par", "is."]
            chunks = [
                {**whole, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": text}}]}
                for text in texts
            ]
            self.reply(
                "text/event-stream", "".join(f"data: {json.dumps(one)}\n\n" for one in chunks) + "data: [DONE]\n\n"
            )
            return
        message = {"role": "assistant", "content": "Paris."}
        choices = [{"index": 0, "finish_reason": "stop", "message": message}]
        self.reply(
            "application/json", json.dumps({**whole, "object": "chat.completion", "choices": choices, "usage": usage})
        )

    def reply(self, kind: str, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def model() -> Iterator[dict[str, str]]:
    """The environment of a client of a model that runs here."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield {"OPENAI_BASE_URL": f"http://127.0.0.1:{server.server_port}/v1", "OPENAI_API_KEY": "model-key"}
    server.shutdown()
    thread.join()
    server.server_close()


# ---- an inference that the application posts itself


@pytest.mark.rule("ownlayer.inference", "ownlayer.contract")
def test_an_inference_comes_with_all_its_fields_and_keeps_its_contract(use, trackside: Lab) -> None:
    assert use({"fields": {"input": "What is the capital of France?", "output": "Paris."}}) == [""]

    [row] = trackside.exchanges("ownlayer")
    assert (row.request.method, row.request.path, row.status) == ("POST", PATH, 201)
    posted = row.request.json()
    assert sorted(posted) == sorted(catalog.load("ownlayer/inference")["properties"])
    assert {name: value for name, value in posted.items() if value is not None} == {
        "input": "What is the capital of France?",
        "output": "Paris.",
        "tags": [],
    }
    trackside.expect_no_findings(notes=True)


@pytest.mark.rule("ownlayer.metadata", "ownlayer.evaluation", "ownlayer.event-optional")
def test_its_segment_attribute_becomes_an_event_once_it_is_evaluated(use, trackside: Lab) -> None:
    segment = {"user_id": "u-1", "properties": {"value": 42}, "integrations": {"Split": False}}
    use({"fields": {"output": "Paris.", "additional_metadata": {"segment": segment}}})
    assert list(trackside.journeys()) == []

    trackside.ownlayer.evaluate(passed=False)

    trackside.statsig.expect_event("segment::Evaluation Fail", user_id="u-1")
    trackside.launchdarkly.expect_event("Evaluation Fail", user="u-1", value=42)
    trackside.split.expect_none()


@pytest.mark.rule("ownlayer.user-id-required")
def test_the_sdk_lets_a_misspelt_user_id_out_and_trackside_tells(use, trackside: Lab) -> None:
    assert use({"fields": {"additional_metadata": {"segment": {"userId": "u-1"}}}}) == [""]

    [finding] = trackside.findings()
    assert finding.step.fix == "call userId user_id"


@pytest.mark.rule("ownlayer.path")
def test_an_address_without_the_last_slash_will_do(use, trackside: Lab) -> None:
    use({"fields": {"output": "Paris."}}, OWNLAYER_API_URL=trackside.ownlayer.url + PATH.rstrip("/"))

    assert len(trackside.ownlayer.inferences()) == 1


@pytest.mark.rule("ownlayer.auth", "ownlayer.errors")
@pytest.mark.trackside(workspace={"ownlayer": {"api_key": "ownlayer-local"}})
def test_the_sdk_prints_the_refusal_of_a_wrong_key(use, trackside: Lab) -> None:
    told = use({"fields": {"output": "Paris."}}, OWNLAYER_API_KEY="another")

    assert told[0] == 'Error tracing call {"detail":"Invalid API key."}'
    assert trackside.ownlayer.inferences() == []


# ---- a model that is called through the SDK


@pytest.mark.rule("ownlayer.inference", "ownlayer.contract")
@pytest.mark.parametrize("how", ["plain", "stream", "async", "async stream"])
def test_a_call_of_a_model_is_told_by_the_wrapped_client(how: str, use, model, trackside: Lab) -> None:
    assert use({"chat": how}, **model) == ["Paris."]

    [inference] = trackside.ownlayer.inferences(provider="OpenAI", model="gpt-4o", output="Paris.")
    tokens = (0, 0) if "stream" in how else (24, 2)
    assert (inference["prompt_tokens"], inference["completion_tokens"]) == tokens
    assert inference["additional_metadata"] == {"_source": "ownlayer_py_sdk", "_sdk_version": VERSION}
    assert inference["start_time"] <= inference["end_time"]
    trackside.expect_no_findings(notes=True)


@pytest.mark.rule("ownlayer.silent")
def test_the_wrapped_client_cannot_carry_the_attribute_so_that_segment_hears_nothing(
    use, model, trackside: Lab
) -> None:
    use({"chat": "plain"}, **model)

    evaluation = trackside.ownlayer.evaluate()

    assert (evaluation.sent, evaluation.dropped.rule) == (None, "ownlayer.silent")


@pytest.mark.rule("ownlayer.errors")
def test_the_application_gets_its_answer_where_ownlayer_fails(use, model, trackside: Lab) -> None:
    trackside.ownlayer.fail(500, body=b"no")

    assert use({"chat": "plain"}, **model) == ["Error tracing call no", "Paris."]
