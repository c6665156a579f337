"""What the project's own scenarios share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from trackside import Lab

pytest_plugins = ["pytester"]

NOW = 1767322800.0
"""2026-01-02T03:00:00Z, where the clock of a lab without sockets stands."""


@pytest.fixture
def new_lab() -> Iterator[Callable[..., Lab]]:
    """Return a function from a workspace and options to a lab without sockets, its clock standing still.

    Each is stopped at the end, and nothing went wrong inside it.
    """
    labs: list[Lab] = []

    def make(workspace: Any = None, **options: Any) -> Lab:
        labs.append(Lab(workspace, **{"start_at": NOW, **options}))
        return labs[-1]

    yield make
    for lab in labs:
        lab.stop()
        assert lab.errors == []
