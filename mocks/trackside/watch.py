"""Files that a lab reads again when they change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

SECONDS = 0.25
"""Between two looks; a change reaches SDKs within a second."""


class Watch:
    """Looks at files in a thread of its own.

    Args:
        files: what to look at; each may be missing for a moment, as editors replace files.
        changed: called once after a change.
        since: when they were read, epoch nanoseconds: what was written later counts as a change.
    """

    def __init__(self, files: Sequence[Path], changed: Callable[[], None], since: int) -> None:
        self.files = tuple(files)
        self._changed = changed
        self._seen = [state if state is None or state[0] < since else None for state in self._states()]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trackside-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; it may be the caller's own."""
        self._stopped.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopped.wait(SECONDS):
            now = self._states()
            if now != self._seen and None not in now:
                self._seen = now
                self._changed()

    def _states(self) -> list[tuple[int, int, int] | None]:
        return [_state(file) for file in self.files]


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
