"""The pytest plugin: fixtures around a `Lab`, and a report of what became of the messages of a failing test.

Loading it costs next to nothing: everything heavy is imported when a fixture is first used.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from trackside.lab import Lab
    from trackside.workspace import Workspace

MARKER = (
    "trackside(workspace=None, strict=False): the workspace (a file, or its content as a mapping) that the trackside "
    "fixture has in force, and whether Segment refuses calls that break their contract"
)
_LABS = pytest.StashKey[list["Lab"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the workspace file as an option of the command line and of the configuration file."""
    text = "workspace file of the trackside fixture, instead of the demo workspace"
    group = parser.getgroup("trackside", "local Segment, Statsig, Split, LaunchDarkly and OwnLayer")
    group.addoption("--trackside-workspace", metavar="FILE", help=text)
    parser.addini("trackside_workspace", f"{text}; relative to the root directory")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", MARKER)


class _Session:
    """One worker's lab, and the workspaces that were read for it."""

    def __init__(self) -> None:
        from trackside.lab import Lab

        self.lab = Lab()
        self._loaded: dict[Path | None, Workspace] = {None: self.lab.workspace}

    def hand_over(self, workspace: Path | Mapping[str, Any] | None, *, strict: bool) -> Lab:
        """Return the lab as new, with this workspace in force."""
        from trackside.errors import WorkspaceError

        try:
            self.lab.configure(workspace if isinstance(workspace, Mapping) else self._read(workspace))
        except WorkspaceError as error:
            raise _failed(str(error)) from None
        self.lab.strict = strict
        self.lab.reset()
        return self.lab

    def _read(self, path: Path | None) -> Workspace:
        if path not in self._loaded:
            from trackside.workspace import load

            self._loaded[path] = load(path)
        return self._loaded[path]


@pytest.fixture(scope="session")
def _trackside_session() -> Iterator[_Session]:
    session = _Session()
    with session.lab:
        yield session


@pytest.fixture
def trackside(request: pytest.FixtureRequest, _trackside_session: _Session) -> Iterator[Lab]:
    """A running `trackside.lab.Lab`, empty, on free ports of this machine.

    Its workspace is the marker's ``@pytest.mark.trackside(workspace=...)``, else that of ``--trackside-workspace``, else
    the ``trackside_workspace`` of the configuration file, else the demo workspace. One lab serves all tests of a worker.
    What goes wrong inside its server is raised at the end of the test.
    """
    workspace, strict = _asked_for(request.node)
    lab = _trackside_session.hand_over(workspace or _configured(request.config), strict=strict)
    _attach(request.node, lab)
    yield lab
    _raise_errors(lab)


@pytest.fixture
def make_trackside(request: pytest.FixtureRequest) -> Iterator[Callable[..., Lab]]:
    """Return a function that starts a further lab, stopped at the end of the test.

    It takes what `trackside.lab.Lab` takes: a workspace (a relative path as for the marker), and options by name.
    """
    labs: list[Lab] = []

    def make(workspace: Any = None, **options: Any) -> Lab:
        from trackside.lab import Lab

        found = _file(request.node, workspace) if isinstance(workspace, str | Path) else workspace
        lab = Lab(found, **options)
        labs.append(lab)
        _attach(request.node, lab)
        return lab.start()

    yield make
    for lab in labs:
        lab.stop()
    for lab in labs:
        _raise_errors(lab)


def _asked_for(node: pytest.Item) -> tuple[Path | Mapping[str, Any] | None, bool]:
    """Return the marker's workspace and whether it asks for strict."""
    marker = node.get_closest_marker("trackside")
    if marker is None:
        return None, False
    asked = {"workspace": marker.args[0] if marker.args else None, "strict": False, **marker.kwargs}
    if unknown := sorted(set(asked) - {"workspace", "strict"}):
        raise _failed(f"@pytest.mark.trackside does not know {', '.join(unknown)}: give workspace or strict")
    workspace = asked["workspace"]
    found = _file(node, workspace) if isinstance(workspace, str | Path) else workspace
    return found, bool(asked["strict"])


def _file(node: pytest.Item, name: str | Path) -> Path:
    """Return a file that is named from the test's folder or from the root directory."""
    places = [node.path.parent / name, node.config.rootpath / name]
    for place in places:
        if place.is_file():
            return place
    tried = " nor ".join(str(place) for place in dict.fromkeys(places))
    raise _failed(f"there is no workspace file {name}: neither {tried}")


def _failed(text: str) -> BaseException:
    """Return a failure that is shown without a traceback: it is the user's own file or marker."""
    return pytest.fail.Exception(text, pytrace=False)


def _configured(config: pytest.Config) -> Path | None:
    """Return the workspace file of the command line or the configuration file."""
    if named := config.getoption("--trackside-workspace"):
        return config.invocation_params.dir / str(named)
    named = str(config.getini("trackside_workspace"))
    return config.rootpath / named if named else None


# ---- what a failing test's report shows


def _attach(node: pytest.Item, lab: Lab) -> None:
    node.stash.setdefault(_LABS, []).append(lab)


def _raise_errors(lab: Lab) -> None:
    if lab.errors:
        raise lab.errors[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failing test what became of its messages, and what went wrong in the server."""
    report = yield
    if report.failed and (labs := item.stash.get(_LABS, [])):
        item.stash[_LABS] = []  # told once
        from trackside.telling import summary

        for lab in labs:
            lines = summary(lab) or ["no request has come to the lab"]
            report.sections.append(("trackside journey", "\n".join(lines)))
            report.sections += [("trackside server error", _trace(error)) for error in lab.errors]
    return report


def _trace(error: Exception) -> str:
    return "".join(traceback.format_exception(error))
