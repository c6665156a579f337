"""``trackside generate``: made-up Segment calls as NDJSON."""

from __future__ import annotations

import sys
from datetime import datetime, timezone

import click

from trackside.errors import TracksideError


@click.command("generate")
@click.option("--count", type=click.IntRange(min=0), default=100, show_default=True, help="How many calls.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same calls.")
@click.option("--start", metavar="ISO", help="When the traffic begins.  [default: 2026-01-05T09:00:00Z]")
@click.option("--json", "as_array", is_flag=True, help="One JSON array instead of a line per call.")
def command(count: int, seed: int, start: str | None, as_array: bool) -> None:
    """Write made-up users and their sessions as Segment calls: NDJSON, one call per line.

    Visitors are anonymous first, then identified; they view pages, shop, and join companies.
    """
    import orjson

    from trackside.events import generate

    calls = generate(count, seed=seed, start=moment(start) if start else None)
    write = sys.stdout.buffer.write
    if as_array:
        write(orjson.dumps(list(calls), option=orjson.OPT_APPEND_NEWLINE))
        return
    for call in calls:
        write(orjson.dumps(call, option=orjson.OPT_APPEND_NEWLINE))


def moment(text: str) -> datetime:
    """Return an ISO 8601 moment, UTC where it names no zone.

    Raises:
        TracksideError: the text is none.

    >>> moment("2026-01-05T09:00:00Z").isoformat()
    '2026-01-05T09:00:00+00:00'
    """
    from trackside.times import epoch_ms

    milliseconds = epoch_ms(text, 0)
    if milliseconds is None:
        raise TracksideError(
            f"{text!r} is no moment", "the option's value", "write ISO 8601, such as 2026-01-05T09:00:00Z"
        )
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
