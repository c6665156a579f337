"""The loop that every Python driver shares: one JSON command per line on stdin, one JSON answer per line on stdout.

A driver is a script of its own, so that an SDK's threads and globals stay out of the tests' process::

    from drive import changed, drive  # before the SDK, so that what it prints goes to stderr

    drive(start=start, evaluate=evaluate, track=track, flush=flush, close=close)

Each function takes the command, a dict:

- ``start``: ``key``, ``options``, ``streaming``, ``user``, ``seconds``; gives ``{"ready": bool, "version": str}``,
  and ``ready`` is false when the SDK is not ready in ``seconds``
- ``evaluate``: ``flag``, ``kind``, ``user``, ``default``; gives the value
- ``wait`` (may be left out): as ``evaluate``, with ``until`` and ``seconds``; gives the value once it equals ``until``
- ``track``: ``event``, ``user``, ``value``; ``flush`` and ``close``: nothing; their results are ignored

``changed()`` is for the SDK's change event: a command that waits looks again at once, else every 50 ms.
``outside`` gives the hosts that the SDK looked up beside this machine: it finds none of them.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

Command = dict[str, Any]
Verb = Callable[[Command], Any]

_answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
os.dup2(2, 1)  # whatever an SDK prints, from Python or not, is no answer

_change = threading.Event()
_outside: set[str] = set()
_find = socket.getaddrinfo


def _only_here(host: Any, *arguments: Any, **options: Any) -> Any:
    if host not in (None, "localhost", "127.0.0.1", "::1"):
        _outside.add(str(host))
        raise socket.gaierror(socket.EAI_NONAME, f"{host} is outside")
    return _find(host, *arguments, **options)


socket.getaddrinfo = _only_here


def changed(*_arguments: object) -> None:
    """Wake a command that waits: the SDK said that something changed."""
    _change.set()


def _reevaluate(evaluate: Verb, command: Command) -> Any:
    end = time.monotonic() + command["seconds"]
    while True:
        _change.clear()
        value = evaluate(command)
        if value == command["until"]:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"still {value!r} after {command['seconds']} s")
        _change.wait(0.05)


def _answer(verbs: dict[str, Verb], line: str) -> dict[str, Any]:
    try:
        command = {"seconds": 10, **json.loads(line)}
        told = {"ok": True, "result": verbs[command["do"]](command)}
        json.dumps(told)
    except Exception as error:  # noqa: BLE001 - whatever an SDK raises is the answer
        traceback.print_exc()
        told = {"ok": False, "error": f"{type(error).__name__}: {error}"}
    return told


def drive(*, start: Verb, evaluate: Verb, track: Verb, flush: Verb, close: Verb, wait: Verb | None = None) -> None:
    """Answer commands until stdin ends, then end the process, whatever threads an SDK left behind."""
    verbs = {"start": start, "evaluate": evaluate, "track": track, "flush": flush, "close": close}
    verbs["outside"] = lambda _command: sorted(_outside)
    verbs["wait"] = wait or (lambda command: _reevaluate(evaluate, command))
    for line in sys.stdin:
        _answers.write(json.dumps(_answer(verbs, line)) + "\n")
    sys.stderr.flush()
    os._exit(0)
