"""Where ``trackside verdict``, ``results`` and ``audit`` look: a running lab, a recording, or a journal's file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from trackside.cli.control import Control
from trackside.cli.output import printable, remark
from trackside.errors import TracksideError

if TYPE_CHECKING:
    from trackside.counting.audit import Audit
    from trackside.counting.model import ExperimentResult

_FIX = "start trackside serve, or name a recording or the file of serve --data"
_ALL = 999_999_999
_COLLECTED_AFTER = 200_000
"""Objects between two looks for cycles of garbage, of which rows make none."""


class Counted(Protocol):
    """What is asked.

    Attributes:
        name: of the source, as findings name their file.
        faults: what of it could not be read.
    """

    name: str
    faults: list[TracksideError]

    def verdicts(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        """Return verdicts as JSON; see `trackside.counting.of_lab.Count.verdicts`."""

    def results(self, vendor: str, experiment: str, environment: str) -> list[ExperimentResult]:
        """Return what experiments have counted."""

    def audit(self) -> Audit:
        """Return what is wrong with their wiring."""


def counted(source: str, workspace: str, token: str) -> Counted:
    """Return what a source counts.

    Args:
        source: an address, or a file.
        workspace: a file, to count a recording under; empty for the demo workspace, or a journal's own.
        token: what a control API wants off loopback.

    Raises:
        TracksideError: it does not answer, or is neither; or a running lab is given a workspace.
    """
    import gc

    if source.startswith(("http://", "https://")):
        if workspace:
            raise TracksideError("a running lab has its own workspace", "--workspace", "leave it out")
        return _Running(source, token)
    gc.set_threshold(_COLLECTED_AFTER, 50, 50)
    return _File(source, workspace)


class _Running:
    def __init__(self, address: str, token: str) -> None:
        self._control = Control(address, token, _FIX)
        self.name, self.faults = self._control.address, list[TracksideError]()

    @contextlib.contextmanager
    def _of_a_lab(self) -> Iterator[None]:
        """Tell of an answer that has another shape than this version's, as that of another program."""
        try:
            yield
        except (LookupError, TypeError, ValueError) as error:
            what = "what answers there is no control API of this version of trackside"
            raise TracksideError(what, self.name, _FIX) from error

    def _ask(self, path: str, **asked: str | int) -> Any:
        told = urlencode({name: value for name, value in asked.items() if value})
        return self._control.ask("GET", f"{path}?{told}" if told else path)

    def verdicts(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        from trackside.counting.verdicts import Verdict

        found, names = self._ask("/verdicts", limit=_ALL, **asked), [one.name for one in fields(Verdict)]
        with self._of_a_lab():
            return [{name: one[name] for name in names} for one in found]

    def results(self, vendor: str, experiment: str, environment: str) -> list[ExperimentResult]:
        from trackside.counting.as_json import read_result

        told = self._ask("/results", vendor=vendor, experiment=experiment, environment=environment)
        with self._of_a_lab():
            return [*map(read_result, told)]

    def audit(self) -> Audit:
        from trackside.counting.as_json import read_result
        from trackside.counting.audit import Audit
        from trackside.validation.findings import Finding

        told = self._ask("/audit")
        with self._of_a_lab():
            return Audit([Finding(**one) for one in told["findings"]], [*map(read_result, told["results"])])


class _File:
    def __init__(self, name: str, workspace: str) -> None:
        from trackside.counting.offline import counted as counted_file
        from trackside.sqlite import is_journal
        from trackside.workspace import load

        self.name = name
        if not workspace and not is_journal(Path(name)):
            remark(f"{printable(name)} is counted under the demo workspace; name its own with --workspace")
        self._count, self.faults = counted_file(Path(name), load(Path(workspace)) if workspace else None)

    def verdicts(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        return [one.as_json() for one in self._count.verdicts(**asked)]

    def results(self, vendor: str, experiment: str, environment: str) -> list[ExperimentResult]:
        return self._count.results(vendor, experiment, environment)

    def audit(self) -> Audit:
        return self._count.audit(self.name)
