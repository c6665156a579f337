"""What ships: the built wheel and sdist, the public names, and what importing costs.

The files are looked at where ``TRACKSIDE_DIST`` names the folder that ``python -m build`` filled.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path, PurePosixPath

import pytest

import trackside
from trackside import catalog

DIST = os.environ.get("TRACKSIDE_DIST", "")
ROOT = Path(__file__).parents[1]
HEAVY = ("flask", "faker", "jsonschema", "jsonschema_rs", "click", "yaml", "waitress", "urllib3", "rich", "lark")

built = pytest.mark.skipif(not DIST, reason="TRACKSIDE_DIST names no folder with a built wheel and sdist")


def only(pattern: str) -> Path:
    (found,) = Path(DIST).glob(pattern)
    return found


@pytest.fixture
def wheel() -> dict[str, bytes]:
    """Return the files of the wheel by their path in it."""
    with zipfile.ZipFile(only("trackside-*.whl")) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


@pytest.fixture
def sdist() -> set[str]:
    """Return the paths of the sdist, without its top folder."""
    with tarfile.open(only("trackside-*.tar.gz")) as archive:
        return {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}


def in_checkout(folder: str, pattern: str) -> set[str]:
    files = (file for file in (ROOT / folder).rglob(pattern) if file.is_file())
    return {
        file.relative_to(ROOT).as_posix() for file in files if not {"node_modules", "__pycache__"} & set(file.parts)
    }


# ---- the built files


@built
def test_the_wheel_holds_the_package_and_nothing_else(wheel: dict[str, bytes]) -> None:
    assert {PurePosixPath(name).parts[0] for name in wheel} == {
        "trackside",
        f"trackside-{trackside.__version__}.dist-info",
    }
    words = {part for name in wheel for part in PurePosixPath(name).parts}
    assert words & {"scenarios", "tests", "docs", "mocks", "conftest.py", "__pycache__", "node_modules"} == set()


@built
def test_the_wheel_holds_every_file_of_the_package_and_every_contract_byte_for_byte(wheel: dict[str, bytes]) -> None:
    files = {name: name.removeprefix("mocks/") for name in in_checkout("mocks", "*")}
    contracts = in_checkout("contracts", "*") - in_checkout("contracts", "examples/*/*/*")
    files |= {name: f"trackside/{name}" for name in contracts}
    assert len(contracts) > len(catalog.names())
    assert {"trackside/py.typed", "trackside/segment/fql.lark"} <= set(files.values())
    assert {name for name, inside in files.items() if wheel.get(inside) != (ROOT / name).read_bytes()} == set()


@built
def test_the_examples_of_the_contracts_are_in_the_sdist_and_not_in_the_wheel(
    wheel: dict[str, bytes], sdist: set[str]
) -> None:
    examples = in_checkout("contracts", "examples/*/*/*")
    assert examples
    assert examples - sdist == set()
    assert [name for name in wheel if "/examples/" in name] == []


@built
def test_the_wheel_brings_the_command_the_plugin_and_the_licence(wheel: dict[str, bytes]) -> None:
    info = f"trackside-{trackside.__version__}.dist-info"
    entry_points = wheel[f"{info}/entry_points.txt"].decode().splitlines()
    assert "trackside = trackside.cli:main" in entry_points
    assert "trackside.pytest_plugin = trackside.pytest_plugin" in entry_points
    assert f"{info}/licenses/LICENSE" in wheel


@built
def test_the_wheels_description_is_the_readme(wheel: dict[str, bytes]) -> None:
    metadata = Parser().parsestr(wheel[f"trackside-{trackside.__version__}.dist-info/METADATA"].decode())
    assert metadata["Version"] == trackside.__version__
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata.get_payload() == (ROOT / "README.md").read_text(encoding="utf-8")


@built
def test_the_sdist_holds_all_that_its_tests_need(sdist: set[str]) -> None:
    needed = {
        "pyproject.toml",
        "conftest.py",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "docs/generate.py",
    }
    for folder, pattern in (
        ("mocks", "*.py"),
        ("scenarios", "*.py"),
        ("scenarios", "*.cjs"),
        ("docs", "*.md"),
        ("contracts", "*.json"),
        ("docs", "*.py"),
    ):
        needed |= in_checkout(folder, pattern)
    assert needed - sdist == set()


@built
def test_the_sdist_holds_nothing_that_was_made_on_the_way(sdist: set[str]) -> None:
    made = {"node_modules", "__pycache__", ".git", ".venv", "dist", ".hypothesis", ".pytest_cache", ".mypy_cache"}
    assert [name for name in sdist if made & set(PurePosixPath(name).parts)] == []


# ---- names


@pytest.mark.parametrize("name", trackside.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(trackside, name) is not None


def test_the_public_names_are_all_that_is_listed() -> None:
    assert trackside.__all__ == [
        "RULES",
        "ExpectationError",
        "Finding",
        "Kept",
        "Lab",
        "TracksideError",
        "Workspace",
        "WorkspaceError",
        "__version__",
        "load_workspace",
    ]


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Labs'"):
        trackside.Labs  # noqa: B018 - the attribute's look-up is what is tried


# ---- what importing costs


def imported(program: str, *arguments: str) -> set[str]:
    """Return the top names of the modules that a program has imported when it ends."""
    told = "import sys, atexit; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); " + program
    done = subprocess.run([sys.executable, "-c", told, *arguments], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stderr.split()}


def test_importing_the_package_imports_nothing_heavy() -> None:
    found = imported("import trackside")
    assert "trackside" in found
    assert found & set(HEAVY) == set()


def test_loading_the_pytest_plugin_imports_nothing_heavy() -> None:
    found = imported("import trackside.pytest_plugin")
    assert "trackside" in found
    assert found & set(HEAVY) == set()


def test_a_run_of_pytest_without_the_fixtures_imports_nothing_heavy(tmp_path: Path) -> None:
    test = tmp_path / "test_plain.py"
    test.write_text("def test_plain():\n    pass\n", encoding="utf-8")
    others = [f"-pno:{name}" for name in ("faker", "randomly", "xdist", "hypothesispytest", "cacheprovider")]
    run = "import pytest; raise SystemExit(pytest.main(sys.argv[1:]))"
    found = imported(run, "-q", *others, "--rootdir", str(tmp_path), str(test))
    assert "trackside" in found
    assert found & set(HEAVY) == set()


def test_asking_for_the_version_imports_neither_flask_nor_faker() -> None:
    found = imported("from trackside.cli import main; main()", "--version")
    assert "click" in found
    assert found & (set(HEAVY) - {"click"}) == set()
