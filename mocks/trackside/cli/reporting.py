"""The options of commands that report findings: ``validate`` and ``audit``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from trackside.errors import TracksideError
from trackside.validation.options import LEVELS, Asked

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--report",
        "reports",
        multiple=True,
        metavar="FORMAT[=FILE]",
        help="text, json, junit, github, gitlab or sarif; repeat it for more.",
    ),
    click.option("--json", "as_json", is_flag=True, help="The same as --report json."),
    click.option(
        "--level",
        "levels",
        multiple=True,
        metavar="CODE=LEVEL",
        help="off, warn or strict for a code, or for several by a pattern such as segment/* or trackside.audit.id-*.",
    ),
    click.option("--strict", is_flag=True, help="Fail on warnings too."),
    click.option("--baseline", metavar="FILE", default="", help="Old findings, which are counted and not told."),
    click.option("--write-baseline", metavar="FILE", default="", help="Write what is found as old, and end with 0."),
)


def report_options(command: F) -> F:
    """Give a command the options of reports, levels and baseline: ``reports``, ``as_json``, ``levels``, ``strict``, ``baseline``, ``write_baseline``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def levels_of(asked: tuple[str, ...]) -> dict[str, Asked]:
    """Return the levels of ``--level``.

    Raises:
        TracksideError: one is not written as ``code=level``.
    """
    found: dict[str, Asked] = {}
    for one in asked:
        code, _, level = one.rpartition("=")
        if not code or level not in LEVELS:
            raise TracksideError(f"{one!r} sets no level", "--level", f"write a code, = and one of {', '.join(LEVELS)}")
        found[code] = level
    return found
