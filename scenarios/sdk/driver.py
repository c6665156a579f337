"""A published SDK in a process of its own, told what to do line by line (see ``drivers/drive.py``)."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).parent
DRIVERS = HERE / "drivers"

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
    # Requests of native code are not seen by the drivers' own guard: let those to vendors' hosts end nowhere.
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1,localhost",
}
"""What an SDK's process is started with: no proxy for this machine, and no way out of it."""


class DriverError(AssertionError):
    """A command that an SDK failed, or did not answer in time; the text ends with what the SDK printed."""


class Driver:
    """One process that runs ``drivers/<script>``; a context manager that ends it, and only it.

    Args:
        script: ``py_<name>.py`` or ``node_<name>.cjs``.
        arguments: of its command line.
    """

    def __init__(self, script: str, *arguments: str) -> None:
        self.script = script
        program = [sys.executable] if script.endswith(".py") else ["node"]
        self.process = subprocess.Popen(
            [*program, str(DRIVERS / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
            text=True,
            encoding="utf-8",
            errors="replace",
            cwd=DRIVERS,
        )
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._printed: list[str] = []
        self._readers = [
            threading.Thread(target=self._read_answers, args=(self.process.stdout,), daemon=True),
            threading.Thread(target=self._read_rest, args=(self.process.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def ask(self, do: str, *, limit: float = 20.0, **command: Any) -> Any:
        """Return the result of one command; :class:`DriverError` when it failed, or after ``limit`` seconds."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"do": do, **command}) + "\n")
            self.process.stdin.flush()
            told = self._answers.get(timeout=limit)
        except queue.Empty:
            raise DriverError(self._failure(f"{do}: no answer in {limit} s")) from None
        except OSError as error:
            raise DriverError(self._failure(f"{do}: {error}")) from None
        if told is None:
            raise DriverError(self._failure(f"{do}: the process ended with exit code {self.process.wait()}"))
        if not told["ok"]:
            raise DriverError(self._failure(f"{do}: {told['error']}"))
        return told.get("result")

    @property
    def printed(self) -> str:
        """What the SDK printed so far."""
        return "".join(self._printed)

    def close(self) -> None:
        """End the process: by the end of its stdin, and by force when that takes longer than five seconds."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            with contextlib.suppress(OSError):  # it may have ended already
                self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for reader in self._readers:
            reader.join()

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _read_answers(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                if line.startswith('{"ok"'):
                    self._answers.put(json.loads(line))
                else:
                    self._printed.append(line)
        self._answers.put(None)

    def _read_rest(self, lines: IO[str]) -> None:
        with lines:
            self._printed.extend(lines)

    def _failure(self, text: str) -> str:
        return f"{self.script}: {text}\n{self.printed[-4000:]}"
