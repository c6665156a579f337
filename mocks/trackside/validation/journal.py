"""The journal of a running lab, read page by page through its control API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trackside.cli.control import Control
from trackside.errors import TracksideError
from trackside.validation.parts import Part, Recorded, fault

_FIX = "start trackside serve, and name the address that it prints for the control API"
_FIELDS = {"lines": list, "after": int, "more": bool, "missing": int}
_ROWS = 500
"""Exchanges of a page."""


def exchanges(address: str, token: str) -> Iterator[Part]:
    """Yield the requests that came to a lab from outside, oldest first, up to those that are there now.

    Args:
        address: of its control API.
        token: what that wants off loopback.

    Raises:
        TracksideError: it does not answer, refuses, or is none.
    """
    control = Control(address, token, _FIX)
    after, missing = 0, 0
    while True:
        page = control.ask("GET", f"/recording?after={after}&limit={_ROWS}")
        if not _is_page(page) or (page["more"] and page["after"] <= after):
            raise TracksideError("what answers is no control API of trackside", address, _FIX)
        missing += page["missing"]
        for line in page["lines"]:
            yield Recorded(address, str(line.get("at", "")) if isinstance(line, dict) else "", line)
        after = page["after"]
        if not page["more"]:
            break
    if missing:
        what, fix = f"the journal no longer has {missing:,} requests", "serve with a higher --limit, or ask more often"
        yield fault(address, "trackside.input.evicted", what, fix, level="warn")


def _is_page(page: Any) -> bool:
    return isinstance(page, dict) and all(type(page.get(name)) is kind for name, kind in _FIELDS.items())
