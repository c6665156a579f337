"""``trackside record``: what comes to the mocks, or has come, as a file of NDJSON or HAR with the keys replaced."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trackside.cli.control import Control
from trackside.cli.output import out, out_json, printable, remark
from trackside.cli.serve import fixed_ports, serve_lab, serve_options
from trackside.errors import TracksideError

if TYPE_CHECKING:
    from trackside.lab import Lab
    from trackside.recording import Line
    from trackside.recording_files import RecordingFile

_ONE_HOUR = 3600.0
_PAGE = 500
_FIX = "start trackside serve, or name the control API of a lab that runs"


@click.command("record")
@click.argument("file")
@click.option("--from", "admin", metavar="URL", help="Record what a running lab has, by its control API.")
@click.option("--data", metavar="FILE", help="Record what serve --data kept; the file is only read.")
@click.option("--format", "form", type=click.Choice(["ndjson", "har"]), help="Of FILE.  [default: by its name]")
@click.option("--overwrite", is_flag=True, help="Replace FILE where it is there.")
@click.option("--admin-token", envvar="TRACKSIDE_ADMIN_TOKEN", default="", help="What serve printed, off loopback.")
@serve_options
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    file: str,
    admin: str | None,
    data: str | None,
    form: str | None,
    overwrite: bool,
    admin_token: str,
    **options: Any,
) -> int:
    """Run the mocks as serve does, and write every request of an SDK and its answer to FILE, keys replaced.

    FILE ends with .ndjson (or .jsonl; a line each, written as it comes) or .har (written at the end); .gz after that
    packs it. With --from or --data nothing is run: what is there already is written, and that is all.

    Exit code 1 when requests are missing, as the journal let go of them before they were written.
    """
    if admin or data:
        _refuse_both(context, admin, data)
        recorded = _recorded(_file(file, form, overwrite=overwrite), admin, admin_token, data)
        out_json(recorded) if options["as_json"] else _show(file, recorded)
        return int(recorded["missing"] > 0)
    taps: list[Tap] = []

    @contextlib.contextmanager
    def beside(lab: Lab) -> Iterator[None]:
        tap = Tap(lab, _file(file, form, overwrite=overwrite, at_once=True))
        taps.append(tap)
        tap.start()
        try:
            yield
        except BaseException:
            tap.finish(started=False)
            raise
        tap.finish()

    serve_lab(beside=beside, **options)
    return taps[0].told()


def _refuse_both(context: click.Context, admin: str | None, data: str | None) -> None:
    if admin and data:
        raise TracksideError("--from and --data name two journals", "record", "record each to a file of its own")
    names = {option.name: option.opts[0] for option in context.command.params if isinstance(option, click.Option)}
    ours = ("admin", "data", "form", "overwrite", "admin_token", "as_json")
    given = click.core.ParameterSource.COMMANDLINE
    source = context.get_parameter_source
    idle = [opt for name, opt in names.items() if name and name not in ours and source(name) is given]
    if idle:
        text = f"{', '.join(idle)} is for a lab that record runs, and with --from or --data it runs none"
        raise TracksideError(text, "record", "leave it out")


def _file(file: str, form: str | None, *, overwrite: bool, at_once: bool = False) -> RecordingFile:
    from trackside.recording_files import RecordingFile, format_of

    bases = {name: f"http://127.0.0.1:{port}" for name, port in fixed_ports().items()}
    path = Path(file)
    return RecordingFile(path, format_of(path, form), bases, at_once=at_once, overwrite=overwrite)


def _missing_text(count: int) -> str:
    return f"warning: up to {count} requests are missing, as the journal no longer had them; raise --limit of that lab"


class Tap(threading.Thread):
    """Writes what comes into a lab's journal to a recording, beside the lab and never in its way, until `finish`.

    Args:
        lab: whose journal is recorded; what it holds already is not.
        recording: where to.

    Attributes:
        missing: requests that were evicted, or reset, before they were written.
        error: why it could not go on.
    """

    def __init__(self, lab: Lab, recording: RecordingFile) -> None:
        from trackside.recording import lines_of

        super().__init__(name="trackside-recording", daemon=True)
        self.missing = 0
        self.error: Exception | None = None
        self._journal = lab.journal
        self._lines = lines_of(lab)
        self._recording = recording
        self._ended = threading.Event()
        self._last = lab.journal.next_seq - 1

    def run(self) -> None:
        """Write what is there, and wait for more."""
        try:
            while not self._ended.is_set():
                self._write()
                self._journal.wait(self._news, _ONE_HOUR)
            self._write()
        except Exception as error:  # noqa: BLE001 - told at once, and again by the exit code
            self.error = error
            remark(f"trackside: {printable(error)} What was written is in {printable(self._recording.written)}.")

    def finish(self, *, started: bool = True) -> None:
        """Write what is left, and finish the recording; of a lab that did not start there is none."""
        self._ended.set()
        self._journal.poke()
        self.join()
        if self.error is None and (started or self._recording.lines):
            self._recording.close()
        else:
            self._recording.give_up(keep=self.error is not None)

    def told(self) -> int:
        """Say how many requests were recorded; returns the exit code.

        Raises:
            TracksideError: why it could not go on.
        """
        if self.error is not None:
            raise self.error
        remark(f"recorded {self._recording.lines} requests in {printable(self._recording.path)}")
        if self.missing:
            remark(_missing_text(self.missing))
        return int(self.missing > 0)

    def _news(self) -> bool:
        return self._ended.is_set() or self._journal.next_seq - 1 > self._last

    def _write(self) -> None:
        newest = self._journal.next_seq - 1
        for row in self._journal.since(self._last):
            self.missing += row.seq - self._last - 1
            self._last = row.seq
            if (line := self._lines.of(row)) is not None:
                self._recording.write(line)
        if newest > self._last:  # a reset took them
            self.missing += newest - self._last
            self._last = newest


# ---- what is there already


def _recorded(recording: RecordingFile, admin: str | None, token: str, data: str | None) -> dict[str, Any]:
    """Write what is there to a file; returns how many requests by vendor, and how many are missing."""
    counts: Counter[str] = Counter()
    missing = [0]
    try:
        for line in _of_lab(Control(admin, token, _FIX), missing) if admin else _of_data(str(data)):
            counts[line["vendor"]] += 1
            recording.write(line)
    except BaseException:
        recording.give_up()
        raise
    recording.close()
    return {"file": str(recording.path), "requests": dict(counts), "missing": missing[0]}


def _of_lab(control: Control, missing: list[int]) -> Iterable[Line]:
    after, more = 0, True
    while more:
        page = control.ask("GET", f"/recording?after={after}&limit={_PAGE}")
        missing[0] += page["missing"]
        after, more = page["after"], page["more"]
        yield from page["lines"]


def _of_data(file: str) -> Iterable[Line]:
    from trackside.recording import Lines
    from trackside.sqlite import SqliteReader

    reader = SqliteReader(file)
    with contextlib.closing(reader):
        lines = Lines(lambda number: reader.documents.get(number, {}))
        yield from (line for row in reader.rows() if (line := lines.of(row)) is not None)


def _show(file: str, recorded: dict[str, Any]) -> None:
    counts = recorded["requests"]
    by_vendor = ", ".join(f"{vendor} {count}" for vendor, count in counts.items())
    out(f"{sum(counts.values())} requests recorded in {printable(file)}" + (f": {by_vendor}" if by_vendor else ""))
    if recorded["missing"]:
        remark(_missing_text(recorded["missing"]))
