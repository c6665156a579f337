"""Which vendors count, and how each does: its own ``counting.py``, imported when it is asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from trackside.counting.model import Counting

COUNTED = ("statsig", "split", "launchdarkly")
"""The vendors that have experiments; Segment only passes events on, and OwnLayer has none."""


@cache
def counting_of(vendor: str) -> Counting:
    """Return how a vendor counts."""
    return cast("Counting", import_module(f"trackside.{vendor}.counting").COUNTING)
