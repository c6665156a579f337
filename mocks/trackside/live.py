"""What a vendor of a running lab knows beyond its settings: its flags as they stand, and the streams that are open."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trackside.errors import TracksideError

Lock = threading.RLock
"""The lab's one lock: a vendor's endpoints are called under it, and whatever else changes its state takes it."""


@dataclass(frozen=True, slots=True)
class Declared:
    """The flags that a workspace declares for one vendor, read and checked.

    Attributes:
        data: in the vendor's own form; only the vendor's folder looks into it.
        faults: what is wrong with them, each with its place: ``FILE:LINE: $.path`` or ``$.vendor.flags.name``.
        files: the files they were read from, which are looked at for changes.
    """

    data: Any
    faults: Sequence[TracksideError] = ()
    files: Sequence[Path] = ()


class Live(Protocol):
    """The live state of one vendor. Every method is called under the lab's lock."""

    def configure(self, settings: Any, declared: Declared) -> None:
        """Put a workspace's settings and flags in force; connected SDKs are told of what differs."""

    def reset(self) -> None:
        """Take back what tests, the control API and vendors' APIs changed, and forget seen ids; flags are as declared."""

    def close(self) -> None:
        """End every stream and every evaluator."""

    def rows(self) -> list[dict[str, Any]]:
        """Return every flag as ``{"vendor", "kind", "name", "environment", "on", "serves", "version"}``."""

    def change(self, name: str, change: Mapping[str, Any]) -> dict[str, Any]:
        """Change a flag and return its row.

        Args:
            name: of the flag; where it does not exist it is made.
            change: ``serve`` (a value, or a mapping of values to percentages), ``on``, ``environment`` (the first one by
                default), ``kind``; of Statsig also ``user``, for one user only.

        Raises:
            TracksideError: it cannot serve that.
        """
