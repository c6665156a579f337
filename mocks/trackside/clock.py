"""The lab's clock: real time, moved forward by tests."""

from __future__ import annotations

import time


class Clock:
    """Tells epoch seconds; `advance` moves it, so that retries fall due without waiting.

    Args:
        start: epoch seconds to start from, after which it stands still but for `advance`; real time when None.
    """

    def __init__(self, start: float | None = None) -> None:
        self._start = start
        self._ahead = 0.0

    @property
    def frozen(self) -> bool:
        """Whether only `advance` moves it."""
        return self._start is not None

    def now(self) -> float:
        """Return the time in epoch seconds."""
        return (time.time() if self._start is None else self._start) + self._ahead

    def advance(self, seconds: float) -> None:
        """Move the clock ahead by ``seconds``; it never goes back."""
        if seconds < 0:
            raise ValueError(f"the lab's clock cannot go back by {-seconds} s; pass a positive number of seconds")
        self._ahead += seconds

    def reset(self) -> None:
        """Undo every `advance`."""
        self._ahead = 0.0
