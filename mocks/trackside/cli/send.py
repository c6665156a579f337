"""``trackside send``: Segment calls from a file, or generated ones, to a running lab or to any URL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from trackside.cli.control import ADMIN
from trackside.cli.output import JSON_HELP, out, out_json, printable, reason, remark
from trackside.errors import TracksideError

if TYPE_CHECKING:
    from trackside.cli.outcomes import ControlApi
    from trackside.cli.reading import Found, Reading

LAB = "http://127.0.0.1:8801"
BATCH_BYTES = 475_000
"""Bytes of calls in one request: Segment takes 500 KB, and SDKs leave the same room for the envelope."""

SECONDS = 30.0


@dataclass(slots=True)
class Sent:
    """What became of the requests.

    Attributes:
        accepted: calls in requests that were answered 2xx.
        refused: calls in the others.
        requests: how many were made.
        faults: an answer that was no 2xx, as an error.
        message_ids: of the accepted calls that have one.
    """

    accepted: int = 0
    refused: int = 0
    requests: int = 0
    faults: list[TracksideError] = field(default_factory=list)
    message_ids: set[str] = field(default_factory=set)


@click.command("send")
@click.argument("file", required=False)
@click.option("--count", type=click.IntRange(min=0), help="Send this many generated calls instead of a file.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the generated calls.")
@click.option(
    "--to", default=LAB, show_default=True, metavar="URL", help="A Segment API; /v1/batch unless it has a path."
)
@click.option("--write-key", default="wk_web", show_default=True, help="Of the source that they are sent to.")
@click.option("--batch", type=click.IntRange(1, 2500), default=100, show_default=True, help="Most calls in a request.")
@click.option("--gzip", "compress", is_flag=True, help="Compress each request.")
@click.option("--explain/--no-explain", default=None, help="Ask the lab what became of them.  [default: if it answers]")
@click.option("--admin", metavar="URL", help=f"The lab's control API.  [default: {ADMIN}, if --to is not given]")
@click.option("--admin-token", envvar="TRACKSIDE_ADMIN_TOKEN", default="", help="What serve printed, off loopback.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def command(
    *,
    file: str | None,
    count: int | None,
    seed: int,
    to: str,
    write_key: str,
    batch: int,
    compress: bool,
    explain: bool | None,
    admin: str | None,
    admin_token: str,
    as_json: bool,
) -> int:
    """Send the Segment calls of FILE (- for standard input): JSON, or NDJSON with one call on each line.

    A line that is no call is reported with its number, and the others are sent. Where the lab's control API answers,
    the outcome at each vendor follows.

    Exit code 1 when a line is no call, a request is refused, or the lab has an error or a warning about a call.
    """
    reading = _calls(file, count, seed)
    for fault in reading.faults:
        remark(f"trackside: {fault}")
    url = _batch_url(to)
    admin = admin or (ADMIN if to == LAB else None)
    lab = _control_api(admin, admin_token, url, wanted=explain)
    sent = _send(_bodies(reading, batch), url, write_key, compress=compress)
    for fault in sent.faults:
        remark(f"trackside: {fault}")
    outcomes = _outcomes(sent, lab, wanted=explain) if lab else None
    _show(sent, reading.faults, outcomes, as_json=as_json)
    found = bool(outcomes and outcomes["findings"])
    return int(bool(reading.faults or sent.refused) or found)


def _calls(file: str | None, count: int | None, seed: int) -> Reading:
    from trackside.cli.reading import read, read_calls

    if (file is None) == (count is None):
        raise TracksideError("send wants a file or --count, one of them", "send", "trackside send events.ndjson")
    if file is not None:
        return read(file)
    from trackside.events import generate

    return read_calls(generate(count or 0, seed=seed), "generated call")


def _batch_url(to: str) -> str:
    parts = urlsplit(to if "//" in to else f"//{to}")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise TracksideError(f"{to!r} is no address", "--to", f"give one such as {LAB}")
    return to if parts.path.strip("/") else f"{to.rstrip('/')}/v1/batch"


def _bodies(reading: Reading, batch: int) -> Iterator[tuple[bytes, list[Any]]]:
    """Yield each request's body with its calls; the body of a batch in the file is sent as it stands."""
    waiting: list[Found] = []
    size = 0
    for found in reading.found:
        full = len(waiting) == batch or size + len(found.body) > BATCH_BYTES
        if waiting and (full or found.is_batch):
            yield _joined(waiting)
            waiting, size = [], 0
        if found.is_batch:
            yield found.body, found.payload["batch"]
        else:
            waiting.append(found)
            size += len(found.body)
    if waiting:
        yield _joined(waiting)


def _joined(waiting: list[Found]) -> tuple[bytes, list[Any]]:
    return b'{"batch":[' + b",".join(found.body for found in waiting) + b"]}", [found.payload for found in waiting]


def _send(bodies: Iterator[tuple[bytes, list[Any]]], url: str, write_key: str, *, compress: bool) -> Sent:
    import gzip

    import urllib3

    headers = {"Content-Type": "application/json", **urllib3.make_headers(basic_auth=f"{write_key}:")}
    if compress:
        headers["Content-Encoding"] = "gzip"
    sent = Sent()
    with urllib3.PoolManager(retries=False, timeout=SECONDS) as http:
        for body, calls in bodies:
            data = gzip.compress(body, mtime=0) if compress else body
            try:
                answer = http.request("POST", url, body=data, headers=headers, redirect=False)
            except urllib3.exceptions.HTTPError as error:
                text = f"there is no answer after {sent.accepted} calls: {reason(error)}"
                raise TracksideError(text, url, "start trackside serve, or name another address with --to") from error
            _count(answer.status, answer.data, calls, url, sent)
    return sent


def _count(status: int, answer: bytes, calls: list[Any], url: str, sent: Sent) -> None:
    sent.requests += 1
    if 200 <= status < 300:
        sent.accepted += len(calls)
        ids = (call.get("messageId") for call in calls if isinstance(call, dict))
        sent.message_ids.update(one for one in ids if isinstance(one, str))
        return
    sent.refused += len(calls)
    text = f"{len(calls)} calls are refused with status {status}: {printable(answer[:200].decode('utf-8', 'replace'))}"
    sent.faults.append(TracksideError(text, url, "see what the answer says"))


def _control_api(admin: str | None, token: str, url: str, *, wanted: bool | None) -> ControlApi | None:
    """Return the control API of the lab that is sent to; None where it is not wanted or nobody can be asked."""
    if wanted is False:
        return None
    if admin is None:
        if wanted:
            raise TracksideError(
                "nobody can be asked for outcomes", "--explain", "name the lab's control API with --admin"
            )
        return None
    from trackside.cli.outcomes import ControlApi

    try:
        return ControlApi(admin, token, url)
    except TracksideError as error:
        if wanted:
            raise
        remark(f"outcomes are not told: {error}")
        return None


def _outcomes(sent: Sent, lab: ControlApi, *, wanted: bool | None) -> dict[str, Any] | None:
    from trackside.cli.outcomes import LIMIT

    if wanted is None and sent.accepted > LIMIT:
        remark(f"more than {LIMIT} calls: add --explain to be told what became of each")
        return None
    return lab.outcomes(sent.accepted, sent.requests, sent.message_ids)


def _show(sent: Sent, bad: list[TracksideError], outcomes: dict[str, Any] | None, *, as_json: bool) -> None:
    if as_json:
        faults = [{"what": fault.what, "where": fault.where, "fix": fault.fix} for fault in (*bad, *sent.faults)]
        row = {"accepted": sent.accepted, "refused": sent.refused, "bad_lines": len(bad), "faults": faults}
        out_json({**row, **(outcomes or {})})
        return
    out(f"{sent.accepted} accepted, {sent.refused} refused" + (f", {len(bad)} bad lines" if bad else ""))
    if outcomes:
        from trackside.cli.outcomes import show

        show(outcomes)
