"""The flags that a workspace declares."""

from __future__ import annotations

from pathlib import Path

from trackside.live import Declared
from trackside.split.settings import SplitSettings


def declared(settings: SplitSettings, folder: Path | None) -> Declared:  # noqa: ARG001 - under construction
    """Return the flags that a workspace declares."""
    return Declared(None)
