"""``trackside replay``: the requests of recordings, sent again to a running lab or to one of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trackside.cli.output import JSON_HELP, out, out_json, printable, remark
from trackside.errors import TracksideError

if TYPE_CHECKING:
    from trackside.cli.replaying import Target
    from trackside.recording import Line
    from trackside.recording_files import Found
    from trackside.redaction import Restorer

_TOLD = 20
"""Differing answers that are told one by one."""


@dataclass(slots=True)
class Replayed:
    """What became of a replay.

    Attributes:
        sent: requests by vendor.
        streams: event streams, which are not replayed.
        skipped: entries of a HAR that concern no vendor, CORS preflights and scripts.
        differing: answers whose status is not the recorded one.
        faults: what could not be read or sent.
    """

    sent: Counter[str] = field(default_factory=Counter)
    streams: int = 0
    skipped: int = 0
    differing: list[dict[str, Any]] = field(default_factory=list)
    faults: list[TracksideError] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many requests were sent."""
        return sum(self.sent.values())


@click.command("replay")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--to", "admin", metavar="URL", help="The control API of a running lab that they are sent to.")
@click.option("--workspace", metavar="FILE", help="The workspace of a lab in this process, where --to is not given.")
@click.option("--admin-token", envvar="TRACKSIDE_ADMIN_TOKEN", default="", help="What serve printed, off loopback.")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def command(
    *, files: tuple[str, ...], admin: str | None, workspace: str | None, admin_token: str, as_json: bool
) -> int:
    """Send the requests of each FILE again, in their order, with the keys of the lab that they go to.

    FILE is what record wrote, or a HAR of a browser or proxy: entries of the vendors' public hosts are sent, others are
    skipped. Without --to they go to a lab in this process, whose clock shows the recorded times, and which ends with it.
    Event streams are not replayed.

    Exit code 1 when an answer's status is not the recorded one, a line cannot be sent, or the lab has an error or a
    warning that it did not have before.
    """
    from trackside.recording_files import read

    if admin and workspace:
        raise TracksideError("--to and --workspace name two labs", "replay", "leave one out")
    target = _target(admin, admin_token, workspace)
    with closing(target):
        found = (one for file in files for one in read(Path(file), target.places))
        replayed = _replay(found, target)
        if not replayed.count:
            _tell_faults(replayed)
            raise _nothing(files, replayed)
        findings = target.findings()
    _tell_faults(replayed)
    out_json(_as_json(replayed, findings)) if as_json else _show(replayed, findings)
    return int(bool(replayed.differing or replayed.faults or findings))


def _target(admin: str | None, token: str, workspace: str | None) -> Target:
    from trackside.cli.replaying import OwnLab, RunningLab

    return RunningLab(admin, token) if admin else OwnLab(workspace)


def _replay(found: Iterable[Found], target: Target) -> Replayed:
    from trackside.recording import is_stream
    from trackside.redaction import Restorer, keys_of

    replayed, keys = Replayed(), Restorer(keys_of(target.document))
    for one in found:
        if one.fault is not None:
            replayed.faults.append(one.fault)
        elif one.line is None:
            replayed.skipped += 1
        elif "stream" in one.line or is_stream(one.line["vendor"], one.line["request"]["path"]):
            replayed.streams += 1
        else:
            _send(one, one.line, keys, target, replayed)
    return replayed


def _send(one: Found, line: Line, keys: Restorer, target: Target, replayed: Replayed) -> None:
    from trackside.recording import received_at, request_of, unknown_key
    from trackside.redaction import UnknownKeyError

    vendor, recorded = line["vendor"], line["answer"]["status"]
    try:
        request = request_of(line, keys if one.redacted else None)
    except UnknownKeyError as error:
        replayed.faults.append(unknown_key(error, one.where))
        return
    except ValueError as error:
        fix = "record it again; the other lines are used"
        replayed.faults.append(TracksideError(f"the body is not base64: {error}", one.where, fix))
        return
    if request.undecodable and not request.body:
        text = f"the body was not recorded, as it could not be unpacked: {request.undecodable}"
        replayed.faults.append(TracksideError(text, one.where, "mend the client that sent it"))
        return
    try:
        status = target.send(vendor, request, received_at(line))
    except ValueError as error:
        fix = "take what HTTP does not allow out of its headers"
        replayed.faults.append(TracksideError(f"the request cannot be sent: {error}", one.where, fix))
        return
    replayed.sent[vendor] += 1
    if recorded and status != recorded:
        shown = {"method": request.method, "path": line["request"]["path"]}
        row = {"where": one.where, "vendor": vendor, **shown, "status": status, "recorded": recorded}
        replayed.differing.append(row)


def _nothing(files: Sequence[str], replayed: Replayed) -> TracksideError:
    held = [f"{count} {what}" for what, count in _left_out(replayed).items() if count]
    text = "there is nothing to replay" + (f" but {', '.join(held)}" if held else ": the recording is empty")
    fix = "record some requests first: trackside record FILE, and point the SDK at the addresses that it prints"
    return TracksideError(text, ", ".join(files), fix)


def _left_out(replayed: Replayed) -> dict[str, int]:
    return {
        "event streams, which are not replayed": replayed.streams,
        "entries of other hosts, preflights or scripts, which are skipped": replayed.skipped,
        "lines that could not be sent": len(replayed.faults),
    }


def _tell_faults(replayed: Replayed) -> None:
    for fault in replayed.faults:
        remark(f"trackside: {printable(fault)}")


def _as_json(replayed: Replayed, findings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "sent": dict(replayed.sent),
        "streams": replayed.streams,
        "skipped": replayed.skipped,
        "differing": replayed.differing,
        "faults": [{"what": fault.what, "where": fault.where, "fix": fault.fix} for fault in replayed.faults],
        "findings": findings,
    }


def _show(replayed: Replayed, findings: Sequence[Mapping[str, Any]]) -> None:
    by_vendor = ", ".join(f"{vendor} {count}" for vendor, count in replayed.sent.items())
    out(f"{replayed.count} requests sent: {by_vendor}")
    for what, count in _left_out(replayed).items():
        if count:
            out(f"{count} {what}")
    out(f"{len(replayed.differing)} answers differ from the recorded ones, {len(findings)} findings")
    for row in replayed.differing[:_TOLD]:
        what = f"{row['method']} {row['path']} to {row['vendor']}"
        out(f"  {printable(row['where'])}: {printable(what)} is answered {row['status']}, and was {row['recorded']}")
    if len(replayed.differing) > _TOLD:
        out(f"  … {len(replayed.differing) - _TOLD} more; --json has all of them")
    _show_findings(findings)


def _show_findings(findings: Sequence[Mapping[str, Any]]) -> None:
    """Print each finding's rule once."""
    from trackside.steps import Step
    from trackside.telling import step_line

    by_rule: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in findings:
        by_rule.setdefault((one["vendor"], one.get("rule") or one["text"]), []).append(one)
    for first, *others in by_rule.values():
        times = f" ({len(others) + 1} times)" if others else ""
        step = Step(**{name: first.get(name, "") for name in ("kind", "rule", "text", "at", "fix")})
        out(f"  {first['level']}{times}: {printable(step_line(step, first['vendor']))}")
