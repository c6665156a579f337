"""Recordings and journals' files counted as if they came to a lab: nobody serves it, and it sends nothing.

Requests go through the same functions as in a running lab, those of vendors' APIs too, so that an experiment that was
started in the recording is started here. Rows are read one by one and not kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trackside.counting.of_lab import Count
from trackside.counting.reading import Needs
from trackside.errors import TracksideError
from trackside.lab import FIRST_WORKSPACE, HOST, Lab, is_delivery
from trackside.recording import received_at, request_of, unknown_key
from trackside.recording_files import Found, read
from trackside.redaction import Restorer, UnknownKeyError, keys_of
from trackside.sqlite import SqliteReader, is_journal

if TYPE_CHECKING:
    from trackside.journal import Exchange
    from trackside.wire import Request
    from trackside.workspace import Workspace

_PORTS = {8801: "segment", 8802: "statsig", 8803: "split", 8804: "launchdarkly", 8805: "ownlayer"}


def counted(path: Path, workspace: Workspace | None) -> tuple[Count, list[TracksideError]]:
    """Return what a recording or a journal's file counts, and what of it could not be read.

    Args:
        path: of the file.
        workspace: to count under; for a recording the demo workspace where None, for a journal's file its own.

    Raises:
        TracksideError: it is neither.
    """
    source = _Journal(path, workspace) if is_journal(path) else _Recording(path, workspace)
    needs: Needs | None = None
    while True:
        count = source.count(needs)
        asked, needed = count.needs, count.read_whole().needs
        if asked == needed:
            return count, source.faults
        needs = needed  # an API made metrics on the way, and what they read was not known from the beginning


class _Recording:
    """A recording."""

    def __init__(self, path: Path, workspace: Workspace | None) -> None:
        self._path, self._workspace = path, workspace
        self.faults: list[TracksideError] = []

    def count(self, needs: Needs | None) -> Count:
        """Read the file, and return what it counts; None reads the values that metrics of the workspace ask for."""
        self.faults = []
        lab = Lab(self._workspace, start_at=0.0, limit=1)
        keys = Restorer(keys_of(lab.workspace.document))
        count = Count(lab, follow=False, needs=needs)
        places = {f"{host}:{port}": name for port, name in _PORTS.items() for host in (HOST, "localhost")}
        for found in read(self._path, places):
            if found.fault is not None:
                self.faults.append(found.fault)
            elif found.line is not None and (request := self._request(found, keys)) is not None:
                request.at = received_at(found.line) or 0.0
                self._take(lab, count, found.line["vendor"], request)
        return count

    def _request(self, found: Found, keys: Restorer) -> Request | None:
        assert found.line is not None  # noqa: S101 - the caller looked
        try:
            return request_of(found.line, keys if found.redacted else None)
        except UnknownKeyError as error:
            self.faults.append(unknown_key(error, found.where))
        except ValueError as error:
            self.faults.append(TracksideError(f"the body is not base64: {error}", found.where, "record it again"))
        return None

    def _take(self, lab: Lab, count: Count, vendor: str, request: Request) -> None:
        if vendor not in lab.mocks:
            return
        with lab.lock:
            lab.split.live.at = request.at
            answer = lab.mocks[vendor].handle(request)
            external = bool(answer.intake and lab.workspace.plan.external(answer.intake.source))
            row = lab.journal.append(vendor, request, answer, FIRST_WORKSPACE, queued=external)
        count.take(row, answer)


class _Journal:
    """The file of a lab's journal, as ``serve --data`` keeps it."""

    def __init__(self, path: Path, workspace: Workspace | None) -> None:
        self._path, self._workspace = path, workspace
        self.faults: list[TracksideError] = []

    def count(self, needs: Needs | None) -> Count:
        """Read the file, and return what it counts; see `_Recording.count`."""
        with contextlib.closing(SqliteReader(self._path)) as reader:
            deliveries: Literal["direct", "http"] = "http" if _over_http(reader.rows(bodies=False)) else "direct"
            lab = Lab(self._workspace or _last(reader.documents), start_at=0.0, limit=1, deliveries=deliveries)
            for number, document in reader.documents.items():
                lab.remember_workspace(number, document)
            count = Count(lab, follow=False, needs=needs)
            for row in self._rows(reader, lab):
                count.take(row)
        return count

    def _rows(self, reader: SqliteReader, lab: Lab) -> Iterator[Exchange]:
        for row in reader.rows():
            if row.told and row.is_request and row.request.method != "GET" and row.status < 300:
                with contextlib.suppress(TracksideError), lab.lock:  # an API that changes experiments does it again
                    lab.split.live.at = row.request.at
                    lab.mocks[row.vendor].handle(row.request)
            lab.journal.restore(row, reader.attempts_of(row.seq) if row.queued else {})
            yield row


def _over_http(rows: Iterable[Exchange]) -> bool:
    """Return whether a lab delivered over HTTP, so that what vendors got is among the rows too."""
    queued = False
    for row in rows:
        if row.intake.calls and not row.queued:
            return False
        queued = queued or bool(row.intake.calls)
        if queued and is_delivery(row):
            return True
    return False


def _last(documents: Mapping[int, dict[str, Any]]) -> dict[str, Any] | None:
    return documents[max(documents)] if documents else None
