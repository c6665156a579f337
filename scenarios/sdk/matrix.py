"""What an SDK was seen to do, written down as it passes: the lines that ``docs/sdk-matrix.json`` is made of."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

FILE = "TRACKSIDE_SDK_MATRIX"
"""The variable that names the file; nothing is written without it."""


@dataclass(frozen=True, slots=True)
class Passed:
    """One capability of one SDK in one mode, which a test has just seen.

    Attributes:
        vendor: whose SDK it is.
        package: its name in the registry, with the path that is imported where one package holds two SDKs.
        registry: ``PyPI`` or ``npm``.
        version: as the SDK tells it.
        mode: ``streaming``, ``polling`` or ``fetching``.
        capability: what it did.
        note: what the test does beyond the options.
    """

    vendor: str
    package: str
    registry: str
    version: str
    mode: str
    capability: str
    note: str = ""

    def write(self) -> None:
        """Append it to the file as one line, in one call, so that tests which run side by side do not mix theirs."""
        if path := os.environ.get(FILE):
            line = json.dumps(asdict(self)) + "\n"
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(file, line.encode())
            finally:
                os.close(file)
