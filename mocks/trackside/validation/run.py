"""A run over files: parts are read here and judged here or in other processes, and told to reports in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from trackside.errors import TracksideError
from trackside.validation.checker import Checked, Checker
from trackside.validation.findings import FileResult, Finding
from trackside.validation.identity import IdentityLint
from trackside.validation.inputs import Source, parts
from trackside.validation.options import Options
from trackside.validation.parts import Document, Lines, Part
from trackside.validation.problems import Place, Problem, finding_at

if TYPE_CHECKING:
    from concurrent.futures import Future
    from multiprocessing.context import BaseContext

AHEAD = 2
"""Handings-over for each process that are made before their turn."""

HANDED_OVER = 1_000_000
"""Bytes that are handed over to a process at once."""


@dataclass(slots=True)
class Summary:
    """What became of a run.

    Attributes:
        files: one for each file, in their order.
        faults: what of the command could not be used: a file that is not there, a plan in a wrong shape.
    """

    files: list[FileResult] = field(default_factory=list)
    faults: list[TracksideError] = field(default_factory=list)

    @property
    def checked(self) -> int:
        """How many payloads were checked, or of what was checked instead."""
        return sum(one.checked for one in self.files)

    @property
    def noun(self) -> str:
        """What was checked."""
        return self.files[0].noun if self.files else "payload"

    @property
    def strict(self) -> int:
        """Findings that fail the run."""
        return sum(one.strict for one in self.files)

    @property
    def warned(self) -> int:
        """Findings that are only told."""
        return sum(one.warned for one in self.files)

    @property
    def old(self) -> int:
        """Findings that the baseline has."""
        return sum(one.old for one in self.files)

    @property
    def exit_code(self) -> int:
        """2 for wrong use, else 1 where a finding is strict, else 0."""
        return 2 if self.faults else int(self.strict > 0)


class Report(Protocol):
    """Writes what is found as it is found; `trackside.validation.reports` has one for each format."""

    def finding(self, finding: Finding) -> None:
        """Take a finding; those of a file come before the file's result."""

    def file(self, result: FileResult) -> None:
        """Take the result of a file, when it is read to its end."""

    def finish(self, summary: Summary) -> None:
        """Write what comes last."""


class Run:
    """One run.

    Args:
        options: what to hold payloads against.
        reports: that are told.
        is_old: whether a finding is known, and not told; every finding is shown to it once.
        jobs: processes that judge; 1 for this one alone.
        progress: is told how many bytes more were looked at.
    """

    def __init__(
        self,
        options: Options,
        reports: Sequence[Report] = (),
        *,
        is_old: Callable[[Finding], bool] = lambda _: False,
        jobs: int = 1,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._options, self._reports, self._is_old = options, reports, is_old
        self._jobs, self._progress = jobs, progress
        self._checker = Checker(options)
        self._lint = IdentityLint()
        self._faults: list[TracksideError] = []

    def over(self, files: Iterable[Source], faults: Sequence[TracksideError] = ()) -> Summary:
        """Judge files and return what became of them.

        Args:
            files: in the order in which they are told.
            faults: what is wrong with the command already.
        """
        return self.over_parts(self._parts(files), faults)

    def over_parts(self, found: Iterable[tuple[str, Part | None]], faults: Sequence[TracksideError] = ()) -> Summary:
        """Judge parts, each with the name of its file, as `over` does; None begins a file, which may be empty."""
        summary = Summary(faults=[*faults, *self._checker.faults])
        results: dict[str, FileResult] = {}
        for name, checked in self._judged(found):
            result = results.get(name)
            if result is None:
                self._end(summary)
                result = results[name] = FileResult(name)
                summary.files.append(result)
            if checked is not None:
                self._take(checked, result)
        for place, problem in self._lint.finish():
            self._tell(place, problem, results[place.file])
        summary.faults += self._faults
        self._end(summary)
        for report in self._reports:
            report.finish(summary)
        return summary

    def _end(self, summary: Summary) -> None:
        """Tell that the last file was read."""
        if summary.files:
            for report in self._reports:
                report.file(summary.files[-1])

    def _take(self, checked: Checked, result: FileResult) -> None:
        for known, count in checked.payloads.items():
            result.payloads[known.contract, known.how] += count
        for finding in checked.findings:
            self._told(finding, result)
        for place, problem in self._lint.take(checked.file, checked.identities):
            self._tell(place, problem, result)
        self._progress(checked.size)

    def _tell(self, place: Place, problem: Problem, result: FileResult) -> None:
        level = self._options.level(problem.code, problem.level)
        if level != "off":
            self._told(finding_at(place, problem, level), result)

    def _told(self, finding: Finding, result: FileResult) -> None:
        if self._is_old(finding):
            result.old += 1
            return
        if finding.level == "strict":
            result.strict += 1
        else:
            result.warned += 1
        for report in self._reports:
            report.finding(finding)

    # ---- judging

    def _judged(self, found: Iterable[tuple[str, Part | None]]) -> Iterator[tuple[str, Checked | None]]:
        """Yield each part judged, in order."""
        if self._jobs == 1:
            for name, part in found:
                yield name, self._checker.check(part) if part is not None else None
            return
        from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 - for --jobs only

        try:
            yield from self._judged_by_others(found)
        except BrokenProcessPool as error:
            what, fix = (
                "one of the processes that judge was ended by the system",
                "ask for fewer jobs, or for more memory",
            )
            raise TracksideError(what, f"--jobs {self._jobs}", fix) from error

    def _judged_by_others(self, found: Iterable[tuple[str, Part | None]]) -> Iterator[tuple[str, Checked | None]]:
        """Yield each part judged by other processes, in order."""
        from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 - for --jobs only

        waiting: deque[tuple[list[tuple[str, Part | None]], Future[list[Checked]]]] = deque()
        with ProcessPoolExecutor(
            self._jobs, mp_context=_context(), initializer=_start, initargs=(self._options,)
        ) as pool:
            try:
                for several in _by_size(found):
                    waiting.append((several, pool.submit(_check, [part for _, part in several if part is not None])))
                    if len(waiting) > AHEAD * self._jobs:
                        yield from _results(*waiting.popleft())
                while waiting:
                    yield from _results(*waiting.popleft())
            except (SystemExit, GeneratorExit):  # nobody asks for the rest, and some of them may be gone
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _parts(self, files: Iterable[Source]) -> Iterator[tuple[str, Part | None]]:
        for file in files:
            yield file.name, None
            try:
                for part in parts(file, self._options.limit, self._checker.is_whole):
                    yield file.name, part
            except TracksideError as error:  # a lab that does not answer
                self._faults.append(error)


def tell(
    findings: Iterable[Finding],
    result: FileResult,
    options: Options,
    reports: Sequence[Report],
    is_old: Callable[[Finding], bool],
    faults: Sequence[TracksideError] = (),
) -> Summary:
    """Tell reports findings that were made elsewhere, at the levels of a run, and return what became of them.

    Args:
        findings: all of one file.
        result: of that file, its findings not yet counted.
        options: of which the levels are used.
        reports: that are told.
        is_old: whether a finding is known, and not told.
        faults: what could not be read.
    """
    for finding in findings:
        level = options.level(finding.code, finding.level)
        if level == "off":
            continue
        if is_old(finding):
            result.old += 1
            continue
        result.strict += level == "strict"
        result.warned += level == "warn"
        for report in reports:
            report.finding(replace(finding, level=level))
    summary = Summary([result], [*faults])
    for report in reports:
        report.file(result)
        report.finish(summary)
    return summary


def _by_size(found: Iterable[tuple[str, Part | None]]) -> Iterator[list[tuple[str, Part | None]]]:
    """Yield several parts at a time: to hand over each costs as much as to judge a small one."""
    several: list[tuple[str, Part | None]] = []
    size = 0
    for name, part in found:
        several.append((name, part))
        size += len(part.data) if isinstance(part, Lines | Document) else 1_000
        if size >= HANDED_OVER:
            yield several
            several, size = [], 0
    yield several


def _results(
    several: list[tuple[str, Part | None]], future: Future[list[Checked]]
) -> Iterator[tuple[str, Checked | None]]:
    judged = iter(future.result())
    for name, part in several:
        yield name, next(judged) if part is not None else None


def _context() -> BaseContext:
    """Return how processes start: as copies of this one where the system can, as that takes no time."""
    import multiprocessing  # noqa: PLC0415 - for --jobs only

    return multiprocessing.get_context("fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn")


_checkers: list[Checker] = []
"""The one of this process, where it is one of several."""


def _start(options: Options) -> None:
    """Begin a process that judges: Ctrl-C and the end of the first process end it, without a word."""
    import signal  # noqa: PLC0415 - for --jobs only, as those below
    import threading  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_first, daemon=True).start()
    _checkers.append(Checker(options))


def _end_with_first() -> None:
    """Wait until the first process is gone, however it ended, and end this one."""
    import multiprocessing  # noqa: PLC0415 - for --jobs only
    import os  # noqa: PLC0415

    if (first := multiprocessing.parent_process()) is not None:
        first.join()
        os._exit(1)


def _check(parts: list[Part]) -> list[Checked]:
    return [_checkers[0].check(part) for part in parts]
