"""``trackside serve``: every vendor on its port, until it is stopped."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trackside.cli.output import out, out_json, printable, remark
from trackside.errors import TracksideError
from trackside.wire import LOOPBACK

if TYPE_CHECKING:
    from trackside.cli.live import LiveLog
    from trackside.lab import Lab

_GARBAGE = 20_000
READER_SECONDS = 2.0
"""How long the end waits for whoever reads the log."""


Beside = Callable[["Lab"], contextlib.AbstractContextManager[object]]
Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--workspace", metavar="FILE", help="A workspace file; the demo workspace without one."),
    click.option("--ephemeral", is_flag=True, help="Listen on free ports instead of the fixed ones (8800 to 8805)."),
    click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on."),
    click.option("--ports-file", metavar="FILE", help="Write the addresses there, as JSON, once every port answers."),
    click.option("--strict", is_flag=True, help="Refuse Segment calls that break their contract."),
    click.option("--limit", type=click.IntRange(min=1), default=100_000, show_default=True, help="Messages to keep."),
    click.option("--quiet", is_flag=True, help="No live log."),
    click.option("--json", "as_json", is_flag=True, help="Addresses and live log as JSON, a line each."),
)


def serve_options(function: Command) -> Command:
    """Give a command the options of `serve_lab`, but for ``data``."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command("serve")
@click.option("--data", metavar="FILE", help="Keep what happened in a SQLite file, across restarts.")
@serve_options
def command(*, data: str | None, **options: Any) -> int:
    """Run Segment, Statsig, Split, LaunchDarkly and OwnLayer here, until SIGINT or SIGTERM.

    Segment listens on port 8801, Statsig on 8802, Split on 8803, LaunchDarkly on 8804, OwnLayer on 8805, the control API
    on 8800.
    """
    return serve_lab(data=data, **options)


def serve_lab(
    *,
    workspace: str | None,
    ephemeral: bool,
    host: str,
    ports_file: str | None,
    strict: bool,
    limit: int,
    quiet: bool,
    as_json: bool,
    data: str | None = None,
    beside: Beside = contextlib.nullcontext,
) -> int:
    """Run a lab until SIGINT or SIGTERM, and return the exit code.

    Args:
        workspace: its file.
        ephemeral: whether it listens on free ports.
        host: the address to listen on.
        ports_file: where its addresses are written.
        strict: whether Segment refuses calls that break their contract.
        limit: messages to keep.
        quiet: whether there is no live log.
        as_json: whether addresses and log are JSON.
        data: the file of the journal.
        beside: gives what is entered before the lab listens and left when it has stopped.
    """
    # The process is ours: what is imported is never garbage, and what a request makes seldom outlives it.
    gc.disable()
    from trackside.cli.live import LiveLog
    from trackside.lab import Lab

    ports = Path(ports_file) if ports_file else None
    if ports:
        _forget_ports(ports)
    with _stop_signals() as stopped:
        lab = Lab(
            Path(workspace) if workspace else None,
            host=host,
            ports={} if ephemeral else fixed_ports(),
            strict=strict,
            data=data,
            limit=limit,
        )
        lab.on_finding = lambda finding: remark(printable(finding))
        log = None if quiet else LiveLog(lab, _writer(as_json=as_json))
        with beside(lab), lab:
            gc.freeze()
            gc.set_threshold(_GARBAGE, 20, 50)
            gc.enable()
            if ports:
                _write_ports(ports, lab)
            _introduce(lab, as_json=as_json)
            if log:
                log.start()
            stopped.wait()
    _end(lab, log)
    return 0


def fixed_ports() -> dict[str, int]:
    """Return the port of each vendor and of ``admin``, where no free ones are asked for."""
    from trackside.lab import VENDORS
    from trackside.server import ADMIN_PORT

    return {**{name: vendor.port for name, vendor in VENDORS.items()}, "admin": ADMIN_PORT}


@contextlib.contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Give an event that SIGINT and SIGTERM set; a second signal ends the process as usual."""
    stopped = threading.Event()

    def stop(number: int, _frame: object) -> None:
        signal.signal(number, before[number])
        stopped.set()

    before: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, stop)
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _forget_ports(file: Path) -> None:
    """Take away what an earlier run left: it would send its readers to ports that are gone."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(file, error) from error


def _write_ports(file: Path, lab: Lab) -> None:
    """Write the addresses, so that a reader finds all of them or no file."""
    import orjson

    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(orjson.dumps(lab.urls, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        unfinished.replace(file)
    except OSError as error:
        raise _unwritable(file, error) from error


def _unwritable(file: Path, error: OSError) -> TracksideError:
    return TracksideError(
        f"the ports file cannot be written: {error.strerror}", str(file), "name a file in a folder of yours"
    )


def _introduce(lab: Lab, *, as_json: bool) -> None:
    """Print the addresses, and what the workspace has that this version does not use."""
    token = {} if lab.host in LOOPBACK else {"admin_token": lab.admin_token}
    with contextlib.suppress(BrokenPipeError):
        if as_json:
            out_json({"kind": "addresses", **lab.urls, **token})
        else:
            _show(lab, token)
        sys.stdout.flush()
    for note in lab.workspace.notes:
        remark(f"{note.level}: {note}")


def _show(lab: Lab, token: dict[str, str]) -> None:
    from trackside.cli import addresses

    addresses.show(lab)
    if token:
        out(f"The control API wants Authorization: Bearer {token['admin_token']}")
    out("Stop with Ctrl-C.\n")


def _writer(*, as_json: bool) -> Callable[[dict[str, Any]], None]:
    from trackside.cli.rows import line

    return out_json if as_json else lambda row: out(line(row))


def _end(lab: Lab, log: LiveLog | None) -> None:
    stats = lab.stats()
    remark(
        f"stopped: {stats['accepted']} messages accepted, {stats['evicted']} evicted (limit {stats['limit']}), "
        f"{stats['deliveries_waiting']} deliveries waiting"
    )
    if log is not None and not log.finish(READER_SECONDS):
        os._exit(0)  # the log still waits for a reader of standard output, and so would the interpreter's own end
