"""``trackside validate``: payload files held against contracts, tracking plans and mappings."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trackside.cli.output import forget_output, printable, remark
from trackside.cli.reporting import levels_of, report_options
from trackside.errors import TracksideError
from trackside.validation.options import LIMIT, SPECS, Options

if TYPE_CHECKING:
    from trackside.validation.inputs import Source
    from trackside.validation.settings import ValidateSettings

_SHOWN_FROM = 20_000_000
"""Bytes of input from which a progress bar is shown, and of which standard input counts as more."""

_NOBODY_READS, _TERMINATED = 141, 143
"""Exit codes as a shell has them for a pipe that nobody reads on, and for SIGTERM."""

_COLLECTED_AFTER = 200_000
"""Objects between two looks for cycles of garbage, of which payloads make none."""


@click.command("validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--contract", metavar="NAME", default="", help="The contract of every payload, or a JSON Schema's file.")
@click.option(
    "--spec",
    "specs",
    multiple=True,
    type=click.Choice(("all", *SPECS)),
    help="A semantic spec of Segment's for track calls; repeat it for more.",
)
@click.option("--plan", metavar="FILE", default="", help="A tracking plan: its export, or a schema for each event.")
@click.option("--workspace", metavar="FILE", default="", help="A workspace: what its mappings would drop is told too.")
@click.option("--source", default="", help="The workspace's source that calls come through.  [default: the first one]")
@report_options
@click.option(
    "--jobs", default=1, show_default=True, type=click.IntRange(1, 64), metavar="N", help="Processes that judge."
)
@click.option(
    "--limit",
    default=LIMIT,
    show_default=True,
    type=click.IntRange(1),
    metavar="BYTES",
    help="A longer payload is reported unread.",
)
@click.option("--admin-token", envvar="TRACKSIDE_ADMIN_TOKEN", default="", help="What serve printed, off loopback.")
def command(
    *,
    files: tuple[str, ...],
    contract: str,
    specs: tuple[str, ...],
    plan: str,
    workspace: str,
    source: str,
    reports: tuple[str, ...],
    as_json: bool,
    levels: tuple[str, ...],
    strict: bool,
    baseline: str,
    write_baseline: str,
    jobs: int,
    limit: int,
    admin_token: str,
) -> int:
    """Hold the payloads of each FILE against their contracts, and look at their ids.

    FILE is a file, a folder, a pattern in quotes, - for standard input, or the control API of a running lab
    (http://127.0.0.1:8800) for its journal. It holds JSON, an array, one payload on each line (NDJSON), a recording or
    a HAR, packed with gzip or zstd or not. The contract of each payload is found from its form, or is --contract.

    Exit code 1 when a finding is strict; 2 when a file, plan, schema or workspace cannot be used: all else was checked.
    """
    import gc

    from trackside.validation import reports as formats
    from trackside.validation.baseline import Baseline
    from trackside.validation.inputs import sources
    from trackside.validation.run import Run

    gc.set_threshold(_COLLECTED_AFTER, 50, 50)
    said, maps, faults = _settings(workspace)
    if source and not workspace:
        raise TracksideError(f"no workspace has the source {source!r}", "--source", "name its file with --workspace")
    options = Options(
        contract=contract,
        specs=specs or said.specs,
        plan=plan or said.plan,
        workspace=workspace if maps or source else "",
        source=source,
        levels={**said.levels, **levels_of(levels)},
        strict=strict,
        limit=limit,
    )
    found, unknown = sources(files, admin_token)
    try:
        old = Baseline(baseline or said.baseline, write_baseline)
    except TracksideError as error:
        old, unknown = Baseline(), [error, *unknown]
    asked, read = [*reports, *(["json"] if as_json else [])], [one.name for one in found]
    read += [
        name for name in (workspace, options.contract, options.plan, baseline or said.baseline, write_baseline) if name
    ]
    try:
        with _ended_by_term(), _progress(found) as progress, formats.opened(asked, taken=read) as told:
            run = Run(options, told, is_old=old.has, jobs=jobs, progress=progress)
            summary = run.over(found, [*faults, *unknown])
            sys.stdout.flush()
    except BrokenPipeError:
        forget_output()
        return _NOBODY_READS
    for fault in summary.faults:
        remark(f"trackside: {printable(fault)}")
    old.close(summary)
    return 2 if summary.faults else 0 if write_baseline else summary.exit_code


def _settings(workspace: str) -> tuple[ValidateSettings, bool, list[TracksideError]]:
    """Return the ``validate`` block of a workspace file, whether the file has sources to map from, and its faults."""
    from trackside.validation.settings import ValidateSettings

    if not workspace:
        return ValidateSettings(), False, []
    import dataclasses

    from trackside.errors import WorkspaceError
    from trackside.workspace import load

    try:
        loaded = load(workspace)
    except WorkspaceError as error:
        return ValidateSettings(), False, error.faults
    said, folder = loaded.validate, Path(workspace).parent
    plan, baseline = (str(folder / name) if name else "" for name in (said.plan, said.baseline))
    return dataclasses.replace(said, plan=plan, baseline=baseline), bool(loaded.segment.sources), []


@contextmanager
def _ended_by_term() -> Iterator[None]:
    """Let SIGTERM, with which CI systems cancel, end the run as an exception does: no half report stays."""
    import signal
    import threading

    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise SystemExit(_TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except SystemExit:
        os._exit(_TERMINATED)  # other processes see to their own end, and may be gone: nothing to wait for
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _progress(files: list[Source]) -> Iterator[Callable[[int], None]]:
    """Give what is told how many bytes more were looked at; on a terminal it shows them, where there are many."""
    size = sum(file.size for file in files)
    unknown = any(not file.size or file.name.lower().endswith((".gz", ".zst")) for file in files)
    if not sys.stderr.isatty() or (size < _SHOWN_FROM and not unknown):
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("checked"), BarColumn(), DownloadColumn(), TimeElapsedColumn()
    console, apart = Console(stderr=True), not sys.stdout.isatty()
    with Progress(*columns, console=console, transient=True, redirect_stdout=not apart) as bar:
        task = bar.add_task("checked", total=None if unknown else size)
        yield lambda more: bar.advance(task, more)
