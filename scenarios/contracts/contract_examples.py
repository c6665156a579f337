"""The payloads beside the contracts, which stand in the repository only: ``contracts/<vendor>/examples/<payload>/``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from trackside import catalog

CONTRACTS = Path(__file__).parents[2] / "contracts"
VERDICTS = ("valid", "invalid")


def files(contract: str, verdict: str) -> list[Path]:
    """Return the files of a contract's examples that are valid or invalid."""
    vendor, payload = contract.split("/")
    return sorted(CONTRACTS.glob(f"{vendor}/examples/{payload}/{verdict}/*.json"))


@cache
def payloads(contract: str, verdict: str) -> dict[str, Any]:
    """Return the payloads of a contract's examples by the names of their files."""
    return {file.name: orjson.loads(file.read_bytes()) for file in files(contract, verdict)}


def every_contract(*wanted: str) -> list[Any]:
    """Return a parameter for each contract, or for each of one vendor's, with the rule that its vendor's carry."""
    names = [name for name in catalog.names() if not wanted or name.partition("/")[0] in wanted]
    return [pytest.param(name, marks=_marks(name)) for name in names]


def _marks(contract: str) -> Any:
    vendor = contract.partition("/")[0]
    return pytest.mark.rule(f"{vendor}.contract") if vendor != "trackside" else ()
