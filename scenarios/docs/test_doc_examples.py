"""Every example of the README and the pages is run here, and prints what the page says."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from trackside import Lab, load_workspace

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PORTS = {"admin": 8800, "segment": 8801, "statsig": 8802, "split": 8803, "launchdarkly": 8804, "ownlayer": 8805}


@dataclass(frozen=True)
class Block:
    """One fenced block of a page.

    Attributes:
        shows: the block right below it, of what it prints; None where the page goes on with words.
    """

    page: str
    line: int
    language: str
    text: str
    shows: Block | None

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str:
        """The file name that its first line gives as a comment; empty without one."""
        found = re.match(r"# ([\w./-]+\.\w+)\n", self.text)
        return found[1] if found else ""


def blocks_of(path: Path) -> list[Block]:
    text = path.read_text(encoding="utf-8")
    found: list[Block] = []
    for match in reversed(list(BLOCK.finditer(text))):
        below = found[0] if found and not text[match.end() : _start(text, found[0])].strip() else None
        shows = below if below and below.language in ("json", "text") else None
        line = text.count("\n", 0, match.start()) + 1
        found.insert(0, Block(path.name, line, match[1], match[2], shows))
    return found


def _start(text: str, block: Block) -> int:
    return sum(len(line) + 1 for line in text.split("\n")[: block.line - 1])


BLOCKS = {path.name: blocks_of(path) for path in PAGES}
EVERY = [block for blocks in BLOCKS.values() for block in blocks]


def of(*languages: str) -> list[Any]:
    return [pytest.param(block, id=block.name) for block in EVERY if block.language in languages]


def examples(*, failing: bool) -> list[Block]:
    """Return the blocks that hold a test; one that fails is followed by its output."""
    found = [block for block in EVERY if block.language == "python" and "def test_" in block.text]
    return [block for block in found if (block.shows is not None) == failing]


def test_every_block_has_a_language_that_is_looked_at_here() -> None:
    known = {"python", "sh", "json", "yaml", "toml", "js", "ts", "text"}
    assert [block.name for block in EVERY if block.language not in known] == []


def run(pytester: pytest.Pytester, blocks: list[Block]) -> pytest.RunResult:
    """Run the tests of blocks, each in a file of its own named after its place."""
    files = {f"test_{re.sub(r'[.:]', '_', block.name)}": block.text for block in blocks}
    pytester.makepyfile(**files)
    return pytester.runpytest_subprocess(
        "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-W", "ignore::DeprecationWarning"
    )


def test_every_test_that_is_shown_passes(pytester: pytest.Pytester) -> None:
    blocks = examples(failing=False)
    run(pytester, blocks).assert_outcomes(passed=sum(block.text.count("def test_") for block in blocks))


def test_every_test_that_is_shown_with_its_failure_fails_so(pytester: pytest.Pytester) -> None:
    blocks = examples(failing=True)
    result = run(pytester, blocks)
    result.assert_outcomes(failed=len(blocks))
    for block in blocks:
        assert block.shows is not None
        assert block.shows.text in "\n".join(result.outlines) + "\n"


@pytest.mark.parametrize("block", [one for one in of("python") if "def test_" not in one.values[0].text])
def test_a_program_that_is_shown_runs(block: Block, trackside: Lab) -> None:
    program = pointed(block.text, trackside)
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, capture_output=True, timeout=60)
    assert_reached(block, trackside)


@pytest.mark.node
@pytest.mark.parametrize("block", [one for one in of("js") if "require(" in one.values[0].text])
def test_a_node_program_that_is_shown_runs(block: Block, trackside: Lab) -> None:
    modules = ROOT / "scenarios" / "sdk" / "node_modules"
    node = shutil.which("node")
    if node is None or not modules.is_dir():
        missing = pytest.fail if os.environ.get("TRACKSIDE_REQUIRE_NODE") == "1" else pytest.skip
        missing("node or the packages of scenarios/sdk are not there: npm ci --prefix scenarios/sdk")
    environment = {**os.environ, "NODE_PATH": str(modules)}
    program = pointed(block.text, trackside)
    subprocess.run([node, "-e", program], check=True, capture_output=True, timeout=60, env=environment)
    assert_reached(block, trackside)


def pointed(text: str, lab: Lab) -> str:
    """Return a program with the lab's addresses instead of the documented ones."""
    for name, port in PORTS.items():
        text = text.replace(f"http://127.0.0.1:{port}", lab.urls[name])
    return text


def assert_reached(block: Block, lab: Lab) -> None:
    """Check that what a program sends has arrived: Segment's message, or a vendor's event."""
    assert bool(list(lab.journeys())) == ("8801" in block.text)
    expected = {
        "8802": ("statsig", "checkout"),
        "8803": ("split", "checkout"),
        "8804": ("launchdarkly", "Checkout Completed"),
    }
    for port, (vendor, name) in expected.items():
        if port in block.text and "track(" in block.text.replace("log_event(", "track("):
            lab.mocks[vendor].expect_event(name, value=42)
            lab.expect_no_findings()


@pytest.mark.parametrize("block", of("js", "ts"))
def test_a_javascript_example_points_here(block: Block) -> None:
    assert any(f"127.0.0.1:{port}" in block.text for port in PORTS.values())


CI_FILES = {
    ".github/workflows/analytics.yml": "vendor.github-workflows",
    ".gitlab-ci.yml": "vendor.gitlab-ci",
    ".pre-commit-config.yaml": "",
}
"""Files of CI systems that are shown, with check-jsonschema's schema for each."""


@pytest.mark.parametrize("block", [one for one in of("yaml") if one.values[0].file in CI_FILES])
def test_a_file_for_a_ci_system_is_one(block: Block, tmp_path: Path) -> None:
    import check_jsonschema
    import yaml

    schema = CI_FILES[block.file]
    (file := tmp_path / "ci.yml").write_text(block.text, encoding="utf-8")
    if schema:
        with pytest.raises(SystemExit) as ended:
            check_jsonschema.main(["--builtin-schema", schema, str(file)])
        assert ended.value.code == 0
    else:
        (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
        assert yaml.safe_load(block.text)["repos"][0]["hooks"][0]["id"] == hook["id"]


def test_the_commands_of_the_pipelines_run(shell: Shell) -> None:
    import yaml

    shell.run("trackside generate --count 20 > events.ndjson")
    shown = {block.file: yaml.safe_load(block.text) for block in BLOCKS["ci.md"] if block.file in CI_FILES}
    for command in shown[".gitlab-ci.yml"]["analytics contracts"]["script"]:
        shell.run(command)
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"][-1]
    (shell.folder / "trackside" / "bin").mkdir(parents=True)
    (shell.folder / "trackside" / "bin" / "pip").symlink_to("/bin/true")
    (shell.folder / "trackside" / "bin" / "trackside").symlink_to(Path(sys.executable).parent / "trackside")
    given = {"FILES": "events.ndjson\n", "SARIF": "trackside.sarif", "CONTRACT": "", "PLAN": "", "WORKSPACE": ""}
    script = action["run"].replace('python -m venv "$RUNNER_TEMP/trackside"', "true")
    subprocess.run(
        ["bash", "-e", "-c", script],
        env={**os.environ, **given, "RUNNER_TEMP": str(shell.folder), "ACTION": str(ROOT)},
        cwd=shell.folder,
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert set(given) | {"ACTION"} == set(action["env"])
    assert json.loads((shell.folder / "trackside.sarif").read_bytes())["version"] == "2.1.0"
    assert (shell.folder / "junit.xml").is_file()


@pytest.mark.parametrize("block", [one for one in of("yaml") if one.values[0].file not in CI_FILES])
def test_a_workspace_that_is_shown_can_be_loaded(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "workspace.yaml"
    file.write_text(block.text, encoding="utf-8")
    assert load_workspace(file).notes == []


@pytest.mark.parametrize("block", of("json"))
def test_json_that_is_shown_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", of("toml"))
def test_toml_that_is_shown_is_toml(block: Block) -> None:
    pytest.importorskip("tomllib", reason="tomllib comes with Python 3.11").loads(block.text)


# ---- shell


class Shell:
    """Runs the commands of one page, in order, against a lab on free ports.

    Args:
        folder: where the page's files are, and where the commands run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._served: list[subprocess.Popen[bytes]] = []
        self._urls: dict[str, str] = {}

    def run(self, command: str) -> str:
        """Return what a command prints; commands of the checkout are only looked at."""
        words = shlex.split(command, comments=True)
        if words[:2] == ["trackside", "serve"]:
            self._serve(words[2:])
            return ""
        if words[0] in ("pip", "pytest", "npm", "python"):
            looked_at(words)
            return ""
        assert "trackside" in words or words[0] == "curl", command
        return self._bash(command, may_find="trackside" in words)

    def _serve(self, options: list[str]) -> None:
        ports = self.folder / f"ports-{len(self._served)}.json"
        command = [
            sys.executable,
            "-m",
            "trackside",
            "serve",
            "--ephemeral",
            "--json",
            "--ports-file",
            str(ports),
            *options,
        ]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.folder)
        self._served.append(process)
        assert process.stdout is not None
        first = process.stdout.readline().decode()
        assert first.startswith('{"kind":"addresses"'), first
        self._urls = json.loads(ports.read_bytes())

    def _bash(self, command: str, *, may_find: bool) -> str:
        if not self._urls:
            self._serve([])
        if "trackside send" in command:
            command += " --to http://127.0.0.1:8801 --admin http://127.0.0.1:8800"
        if command.startswith("trackside flags"):
            command = f"{command.strip().partition('#')[0]} --admin http://127.0.0.1:8800"
        for name, port in PORTS.items():
            command = command.replace(f"http://127.0.0.1:{port}", self._urls[name])
        bin_first = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PATH": bin_first, "PYTHONUTF8": "1", "TRACKSIDE_ADMIN": self._urls["admin"]}
        done = subprocess.run(
            ["bash", "-c", command], capture_output=True, cwd=self.folder, env=environment, timeout=60, check=False
        )
        assert done.returncode in ((0, 1) if may_find else (0,)), done.stderr.decode()
        return done.stdout.decode()

    def close(self) -> None:
        for process in self._served:
            process.terminate()
            process.communicate(timeout=20)


def looked_at(words: list[str]) -> None:
    """Check a command of the checkout without running it: its files and extras exist."""
    if words[0] == "pip":
        project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        assert all(f"\n{extra} = [" in project for extra in re.findall(r"\[(\w+)\]", " ".join(words)))
    elif words[0] == "npm":
        assert (ROOT / words[words.index("--prefix") + 1] / "package-lock.json").is_file()
    elif words[0] == "python":
        program = ROOT / words[1]
        done = subprocess.run(
            [sys.executable, program, "--help"], capture_output=True, text=True, timeout=60, check=True
        )
        assert all(word in done.stdout for word in words[2:] if not word.isdecimal())


def commands(block: Block) -> Iterator[str]:
    """Yield the commands of a block; one goes on while a quotation is open, and ``&&`` ends one."""
    waiting = ""
    for line in block.text.splitlines():
        waiting += line + "\n"
        try:
            shlex.split(waiting, comments=True)
        except ValueError:
            continue
        if waiting.strip():
            yield from (part.strip() for part in waiting.split(" && "))
        waiting = ""
    assert not waiting, f"{block.name}: a quotation stays open"


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    if shutil.which("bash") is None or shutil.which("curl") is None:
        pytest.skip("bash or curl is not there")
    shell = Shell(tmp_path)
    yield shell
    shell.close()


def alike(text: str) -> Any:
    """Return printed text without what differs from run to run: moments and addresses; JSON as its value."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "MOMENT", text)
    text = re.sub(r"\b1[0-9]{12}\b", "1000000000000", text)
    text = re.sub(r"http://127\.0\.0\.1:\d+", "ADDRESS", text)
    try:
        return json.loads(text)
    except ValueError:
        return text.rstrip().splitlines()


@pytest.mark.parametrize(
    "page", [name for name, blocks in BLOCKS.items() if any(one.language == "sh" for one in blocks)]
)
def test_the_commands_of_a_page_run_and_print_what_it_shows(page: str, shell: Shell) -> None:
    for block in BLOCKS[page]:
        if block.file and block.file not in CI_FILES:
            (shell.folder / block.file).write_text(block.text, encoding="utf-8")
    for block in (block for block in BLOCKS[page] if block.language == "sh"):
        printed = [shell.run(command) for command in commands(block)]
        if block.shows is not None and printed[-1]:
            assert alike(printed[-1]) == alike(block.shows.text), block.name
