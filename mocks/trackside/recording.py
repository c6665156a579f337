"""Recordings: one JSON line for each request that came to a lab and its answer, keys redacted; and back.

A line keeps the contract ``trackside/recording``. Only what came from outside is recorded: what the lab sent itself,
deliveries and exports, it sends again when the recording is replayed.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from trackside import catalog
from trackside.errors import TracksideError
from trackside.journal import NO_CAUSE
from trackside.redaction import Redactor, Restorer, UnknownKeyError, keys_of
from trackside.statsig.encodings import plain_body
from trackside.times import epoch_ms, in_ms, iso
from trackside.wire import Request

if TYPE_CHECKING:
    from trackside.journal import Exchange
    from trackside.lab import Lab

CONTRACT = "trackside/recording"
VERSION = 1
"""Of the lines; the field ``recording`` of each has it."""

Line = dict[str, Any]

STREAMS = {
    "launchdarkly": re.compile(r"/(?:all|flags|meval|mping)|/(?:eval|meval|ping)/.+|/sdk/stream(?:/.+)?"),
    "split": re.compile(r"/(?:sse|event-stream)"),
}
"""The paths of event streams, whose answers do not end."""

_CREDENTIAL_QUERY = {"statsig": "k"}
_OWN_HEADER = "x-trackside-"
"""How headers begin that only a lab sends, to itself: of deliveries over HTTP."""

_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
"""How gzip and zstd begin."""

_NOT_SENT = frozenset(
    (
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Headers of one connection, which the next one has anew."""


def is_stream(vendor: str, path: str) -> bool:
    """Return whether a path is that of an event stream.

    >>> is_stream("launchdarkly", "/sdk/stream"), is_stream("launchdarkly", "/sdk/latest-all")
    (True, False)
    """
    return vendor in STREAMS and STREAMS[vendor].fullmatch(path) is not None


# ---- from the journal


class Lines:
    """Makes lines of a journal's rows, each redacted by the workspace that was in force when it came.

    Args:
        document_of: gives the workspace of a number, as it was written.
    """

    def __init__(self, document_of: Callable[[int], Mapping[str, Any]]) -> None:
        self._document_of = document_of
        self._number = -1
        self._redactor = Redactor({})

    def of(self, row: Exchange) -> Line | None:
        """Return the line of a row; None for what no request from outside brought."""
        if not row.is_request or row.cause != NO_CAUSE or _OWN_HEADER in ",".join(row.request.headers):
            return None
        if row.workspace != self._number:
            self._redactor = Redactor(keys_of(self._document_of(row.workspace)))
            self._number = row.workspace
        return line_of(row, self._redactor)


def lines_of(lab: Lab) -> Lines:
    """Return what makes lines of a lab's rows."""
    return Lines(lambda number: lab.in_force(number).workspace.document)


def rows_after(lab: Lab, seq: int) -> Iterator[Exchange]:
    """Yield the rows after a number, oldest first, as far as the journal still has them."""
    journal = lab.journal
    for number in range(max(seq + 1, journal.next_seq - len(journal)), journal.next_seq):
        row = journal.row(number)
        if row is not None:  # else it was evicted meanwhile
            yield row


def line_of(row: Exchange, redactor: Redactor) -> Line:
    """Return an exchange as a line, without a key in it."""
    request, told = row.request, redactor.at(row.vendor)
    key = _CREDENTIAL_QUERY.get(row.vendor, "")
    content_type = request.headers.get("content-type", "")
    line: Line = {
        "recording": VERSION,
        "vendor": row.vendor,
        "at": iso(in_ms(request.at)),
        "request": {
            "method": request.method,
            "path": told.path(request.path, request.params),
            "query": {told.within(name): told.query(name, value, key=key) for name, value in request.query.items()},
            "headers": {name: told.header(name, value) for name, value in request.headers.items()},
            **_request_body(row, lambda text: told.body(text, content_type)),
        },
        "answer": {"status": row.status, **_written(row.answer, lambda text: told.body(text, answer=True))},
    }
    if is_stream(row.vendor, request.path):
        line["stream"] = True
    return line


def _request_body(row: Exchange, redact: Callable[[str], str]) -> dict[str, str]:
    """Return the body; one that is packed and cannot be unpacked is left out, as nobody sees the keys in it."""
    request = row.request
    if request.undecodable:
        kept = _written(request.body, redact)
        return {**({} if "encoding" in kept else kept), "undecodable": request.undecodable}
    body = plain_body(request)[0] if row.vendor == "statsig" else request.body
    return _written(body, redact)


def _written(body: bytes, redact: Callable[[str], str]) -> dict[str, str]:
    if not body:
        return {}
    try:
        return {"body": redact(body.decode())}
    except UnicodeDecodeError:
        plain = redact(body.decode("latin-1")).encode("latin-1")
        return {"body": base64.b64encode(plain).decode(), "encoding": "base64"}


# ---- and back


def faults_of(line: Any, where: str) -> list[TracksideError]:
    """Return what keeps a line of a recording from being read.

    Args:
        line: parsed.
        where: its file and line.
    """
    if catalog.validator(CONTRACT).is_valid(line):
        return []
    faults = catalog.faults(CONTRACT, line, 3)
    return [TracksideError(fault.what, f"{where}: {fault.at}", fault.fix) for fault in faults]


def received_at(line: Line) -> float | None:
    """Return when the request of a line came, epoch seconds; None where that cannot be read."""
    moment = epoch_ms(line.get("at"), 0.0)
    return moment / 1000 if moment else None


def request_of(line: Line, keys: Restorer | None) -> Request:
    """Return the request of a line as a lab gets it, its body plain.

    Args:
        line: which keeps the contract.
        keys: puts in the keys of the workspace that it goes to; None for a line that was never redacted.

    Raises:
        UnknownKeyError: the workspace has no such key.
        ValueError: the body is not base64, as the line says.
    """
    said = line["request"]
    text, value = (keys.text, keys.value) if keys else (str, str)
    headers = {name.lower(): value(given) for name, given in said["headers"].items() if _is_sent(name.lower())}
    body = _body(said, keys, headers.get("content-type", ""))
    if "undecodable" not in said and not body.startswith(_PACKED):  # as another program's HAR may have it
        headers.pop("content-encoding", None)
    query = {text(name): value(given) for name, given in said["query"].items()}
    return Request(said["method"], text(said["path"]), headers, body, query, undecodable=said.get("undecodable", ""))


def _is_sent(header: str) -> bool:
    return header not in _NOT_SENT and not header.startswith((_OWN_HEADER, ":"))


def _body(said: Mapping[str, Any], keys: Restorer | None, content_type: str) -> bytes:
    text = said.get("body", "")
    if said.get("encoding") == "base64":
        plain = base64.b64decode(text, validate=True).decode("latin-1")
        return (keys.body(plain, content_type) if keys else plain).encode("latin-1", "replace")
    return (keys.body(text, content_type) if keys else str(text)).encode()


def unknown_key(error: UnknownKeyError, where: str) -> TracksideError:
    """Return the fault of a line whose placeholder the workspace has no key for."""
    name = str(error)
    text = f"the workspace has no key for the placeholder {{{{{name}}}}}, so the request is not sent"
    return TracksideError(text, where, f"declare {name} in the workspace, or replay against one that has it")
