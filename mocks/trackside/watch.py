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
        files: what to look at; one that is being written or replaced is read when two looks have found it the same.
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

    def look(self) -> None:
        """Take what the files are now as seen: somebody else reads them."""
        self._seen = self._states()

    def stop(self, *, wait: bool = True) -> None:
        """End the thread; it may be the caller's own.

        Args:
            wait: whether to return only when it has ended.
        """
        self._stopped.set()
        if wait and threading.current_thread() is not self._thread:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        before = self._states()
        while not self._stopped.wait(SECONDS):
            now = self._states()
            if now == before and now != self._seen:
                self._seen = now
                self._changed()
            before = now

    def _states(self) -> list[tuple[int, int, int] | None]:
        return [_state(file) for file in self.files]


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
