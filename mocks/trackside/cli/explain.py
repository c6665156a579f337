"""``trackside explain``: what each vendor would get of a call, and which rule drops what; no server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trackside.cli.output import JSON_HELP, out, out_json, printable, remark

if TYPE_CHECKING:
    from trackside.explain import AtDestination, ExplainedCall, ExplainedRecord, Explanation

KINDS = ("track", "identify", "page", "screen", "group", "alias")
_COLUMN = 52
"""Where the origins beside a record's fields begin."""


@click.command("explain")
@click.argument("file", default="-")
@click.option("--workspace", metavar="FILE", help="A workspace file; the demo workspace without one.")
@click.option("--source", default="", help="The source that the calls come through.  [default: the first one]")
@click.option("--type", "kind", type=click.Choice(KINDS), default=None, help="The type of calls that name none.")
@click.option("--at", metavar="ISO", help="When the calls are received.  [default: now]")
@click.option("--json", "as_json", is_flag=True, help=JSON_HELP)
def command(*, file: str, workspace: str | None, source: str, kind: str | None, at: str | None, as_json: bool) -> int:
    """Explain the Segment calls of FILE (- for standard input) without sending them.

    FILE holds one call, the body of a batch, an array of either, or one of them on each line (NDJSON). For each vendor:
    what it would get, the origin and the rule of each field, what is dropped or changed, and what to do about it.

    Exit code 1 when there is an error or a warning.
    """
    from trackside.cli.generate import moment
    from trackside.cli.reading import read
    from trackside.explain import Explainer

    explainer = Explainer(
        Path(workspace) if workspace else None,
        source=source,
        at=moment(at).timestamp() if at else time.time(),
    )
    reading = read(file)
    for fault in reading.faults:
        remark(f"trackside: {fault}")
    explained = [(found.where, explainer.explain(found.payload, kind or "")) for found in reading.found]
    if as_json:
        out_json([{"where": where, **explanation.as_json()} for where, explanation in explained])
    else:
        for where, explanation in explained:
            for line in lines(where, explanation):
                out(line)
    return int(bool(reading.faults) or any(explanation.has_findings for _, explanation in explained))


def lines(where: str, explanation: Explanation) -> Iterator[str]:
    """Yield an explanation as text: a paragraph for each call, then each destination."""
    yield f"{where}: Segment answers {explanation.status}, source {explanation.source}"
    yield from _step_lines([("segment", step) for step in explanation.steps])
    for call in explanation.calls:
        yield f"  {_title(call)}: {call.outcome}"
        yield from _step_lines([("segment", step) for step in call.steps])
        for at in call.destinations:
            yield from _destination_lines(at)
    yield ""


def _title(call: ExplainedCall) -> str:
    shown: dict[str, Any] = call.message or (call.call if isinstance(call.call, dict) else {})
    name = shown.get("event") or shown.get("name")
    of = shown.get("userId") or shown.get("anonymousId")
    words = [
        shown.get("type") or "call",
        json.dumps(name, ensure_ascii=False) if name else "",
        f"of {of}" if of else "",
    ]
    return printable(" ".join(str(word) for word in words if word))


def _destination_lines(at: AtDestination) -> Iterator[str]:
    from trackside.lab import VENDORS

    title = VENDORS[at.vendor].title if at.vendor in VENDORS else at.vendor.capitalize()
    wording = "would be sent to it, outside the lab" if at.outcome == "outside" else at.outcome
    yield f"    {title}, destination {at.destination}: {wording}"
    for record in at.records:
        yield from _record_lines(record)
    for request in at.requests:
        yield f"      {request['method']} {request['url']}"
        yield from (f"      {line}" for _, line in _json_lines(request["body"], "$", ""))
    yield from _step_lines([(at.vendor, step) for step in at.steps], indent=6)
    yield from _verdict_lines(at)


def _verdict_lines(at: AtDestination) -> Iterator[str]:
    """Yield whether the records would count in the vendor's experiments."""
    from trackside.counting.telling import verdict_lines

    for verdict in at.verdicts:
        yield from (f"      {printable(line)}" for line in verdict_lines(verdict.as_json()))


def _record_lines(record: ExplainedRecord) -> Iterator[str]:
    """Yield a record as JSON, beside each field its origin and rule."""
    notes = {
        origin.field: " ".join(
            part for part in (f"<- {origin.source}" if origin.source else "", f"({origin.rule})") if part
        )
        for origin in record.origins
    }
    for place, line in _json_lines(record.record, "$", ""):
        note = notes.get(place, "")
        yield f"      {line:<{_COLUMN}} {note}" if note else f"      {line}"


def _json_lines(value: Any, place: str, before: str, after: str = "") -> Iterator[tuple[str, str]]:
    """Yield indented JSON line by line, each with the JSON path of what begins there; a list stays on one line."""
    from trackside.catalog import json_path

    if not isinstance(value, dict) or not value:
        yield place, printable(f"{before}{json.dumps(value, ensure_ascii=False)}{after}")
        return
    indent = " " * (len(before) - len(before.lstrip()))
    yield place, printable(f"{before}{{")
    for index, (name, inner) in enumerate(value.items(), 1):
        key = f"{indent}  {json.dumps(name, ensure_ascii=False)}: "
        comma = "," if index < len(value) else ""
        yield from _json_lines(inner, place + json_path([name]).removeprefix("$"), key, comma)
    yield "", f"{indent}}}{after}"


def _step_lines(steps: list[tuple[str, Any]], indent: int = 4) -> Iterator[str]:
    from trackside.telling import step_line

    for vendor, step in steps:
        level = f"{step.level}: " if step.level else ""
        yield f"{' ' * indent}{level}{printable(step_line(step, vendor))}"
