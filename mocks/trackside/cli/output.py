"""Where commands write: results to standard output, remarks to standard error, every text safe for a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

JSON_HELP = "Write JSON for programs."


def out(text: str = "") -> None:
    """Write a line of the result."""
    click.echo(text)


def remark(text: str) -> None:
    """Write a line that is not the result."""
    click.echo(text, err=True)


def forget_output() -> None:
    """Lead standard output nowhere, so that nothing is left to write at the end."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def out_json(value: Any) -> None:
    """Write a result as one line of JSON."""
    import orjson

    click.echo(orjson.dumps(value).decode())


def printable(text: object) -> str:
    """Return a text that came from outside as one that cannot steer a terminal.

    >>> printable("a" + chr(0x1B) + "[2J" + chr(0x202E)) == "a" + chr(92) + "x1b[2J" + chr(92) + "u202e"
    True
    """
    shown = str(text)
    if shown.isprintable():
        return shown
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in shown)


def reason(error: Exception) -> str:
    """Return the last part of an HTTP client's error, such as ``[Errno 111] Connection refused``."""
    return str(error).rpartition(": ")[2] or type(error).__name__


def cut(text: object, width: int) -> str:
    """Return a printable text of exactly ``width`` characters: padded, or cut with an ellipsis."""
    shown = printable(text)
    return shown.ljust(width) if len(shown) <= width else f"{shown[: width - 1]}…"


def out_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table; wide cells are wrapped on a terminal, and left whole where output goes to a file or a pipe."""
    if not sys.stdout.isatty():  # a script waits for us, and rich takes as long to import as the rest of a command
        _plain_table(columns, rows)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    Console().print(table)


def _plain_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table without wrapping or colour."""
    cells = [[printable(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    cells.insert(1, ["─" * width for width in widths])
    for row in cells:
        out("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
