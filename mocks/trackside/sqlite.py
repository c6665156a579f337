"""The journal kept in a SQLite file, so that nothing accepted is lost when the process is killed.

One transaction per request, in WAL mode with ``synchronous=NORMAL``: a killed process loses nothing, and a batch costs
about as much as a single event.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from trackside.errors import TracksideError
from trackside.journal import NO_CAUSE, Attempt, DeliveryKey, Exchange
from trackside.steps import Step
from trackside.wire import Intake, Request

_SCHEMA = """
CREATE TABLE IF NOT EXISTS workspace (number INTEGER PRIMARY KEY, document BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS exchange (seq INTEGER PRIMARY KEY, head BLOB NOT NULL, body BLOB NOT NULL, answer BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS attempt (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, delivery BLOB NOT NULL, row BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS attempt_seq ON attempt (seq);
"""


_APPLICATION = 0x74726B73
"""The application id in the file's head: what another program wrote is left alone."""


_MAGIC = b"SQLite format 3\0"
"""How every file of SQLite begins."""


def _opened(path: Path) -> sqlite3.Connection:
    """Return a connection that has the file for itself, tables made.

    Raises:
        sqlite3.Error: the file is no journal, or another process has it open.
    """
    db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=0.2)
    try:
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and db.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
            raise sqlite3.DatabaseError("another program wrote the file")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute(f"PRAGMA application_id={_APPLICATION}")
        db.executescript(_SCHEMA)
    except sqlite3.Error:
        db.close()
        raise
    return db


class SqliteKeeper:
    """Keeps the rows of one lab in a file.

    Args:
        path: the file; made when missing.

    Raises:
        TracksideError: the file is no journal of trackside, or another process has it open.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        try:
            self._db = _opened(self.path)
        except sqlite3.Error as error:
            raise TracksideError(
                f"the journal cannot be kept: {error}",
                str(self.path),
                "name a new file, or one that trackside wrote and nothing else has open",
            ) from error

    def keep_workspace(self, number: int, document: dict[str, Any]) -> None:
        """Keep a workspace under its number, so that later readers derive with the one that was in force."""
        with self._lock:
            self._db.execute("INSERT OR REPLACE INTO workspace VALUES (?, ?)", (number, orjson.dumps(document)))

    def workspaces(self) -> dict[int, dict[str, Any]]:
        """Return every workspace that was kept, by number."""
        with self._lock:
            rows = self._db.execute("SELECT number, document FROM workspace ORDER BY number").fetchall()
        return {number: orjson.loads(document) for number, document in rows}

    def keep_exchange(self, exchange: Exchange) -> None:
        """Keep a row; on return it survives the end of the process."""
        request = exchange.request
        head = {
            "vendor": exchange.vendor,
            "method": request.method,
            "path": request.path,
            "headers": dict(request.headers),
            "query": dict(request.query),
            "params": dict(request.params),
            "at": request.at,
            "undecodable": request.undecodable,
            "remote": request.remote,
            "status": exchange.status,
            "workspace": exchange.workspace,
            "intake": asdict(exchange.intake),
            "steps": [step.as_json() for step in exchange.steps],
            "queued": exchange.queued,
            "told": exchange.told,
            "kept": exchange.kept.decode(),
            "cause": exchange.cause,
        }
        with self._lock:
            self._db.execute(
                "INSERT INTO exchange VALUES (?, ?, ?, ?)",
                (exchange.seq, orjson.dumps(head), request.body, exchange.answer),
            )

    def keep_attempt(self, key: DeliveryKey, attempt: Attempt) -> None:
        """Keep an attempt in the same way."""
        row = {
            "at": attempt.at,
            "status": attempt.status,
            "answer": attempt.answer.decode("latin-1"),
            "error": attempt.error,
            "due": attempt.due,
            "steps": [step.as_json() for step in attempt.steps],
        }
        with self._lock:
            self._db.execute(
                "INSERT INTO attempt (seq, delivery, row) VALUES (?, ?, ?)",
                (key[0], orjson.dumps(key[1:]), orjson.dumps(row)),
            )

    def forget(self, before: int) -> None:
        """Drop every row whose number is below ``before``."""
        with self._lock:
            self._db.execute("BEGIN")
            self._db.execute("DELETE FROM exchange WHERE seq < ?", (before,))
            self._db.execute("DELETE FROM attempt WHERE seq < ?", (before,))
            self._db.execute("COMMIT")

    def rows(self) -> Iterator[tuple[Exchange, dict[DeliveryKey, list[Attempt]]]]:
        """Yield every row that was kept, oldest first, with its deliveries' attempts."""
        with self._lock:
            exchanges = self._db.execute("SELECT seq, head, body, answer FROM exchange ORDER BY seq").fetchall()
            attempts = self._db.execute("SELECT seq, delivery, row FROM attempt ORDER BY id").fetchall()
        of: dict[int, dict[DeliveryKey, list[Attempt]]] = {}
        for seq, delivery, row in attempts:
            _add_attempt(of.setdefault(seq, {}), seq, delivery, row)
        for seq, head, body, answer in exchanges:
            yield _exchange(seq, orjson.loads(head), body, answer), of.get(seq, {})

    def close(self) -> None:
        """Finish."""
        with self._lock:
            self._db.close()


def is_journal(path: Path) -> bool:
    """Return whether a file is a SQLite database, which a recording never is."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


class SqliteReader:
    """The rows of a journal's file, which stays as it is: also one whose process was killed.

    Args:
        path: the file.

    Attributes:
        documents: every workspace that was in force, by number.

    Raises:
        TracksideError: the file is no journal of trackside, or a running lab has it open.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        with self._told():
            self._db = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.2)
        with self._told(), ExitStack() as refused:
            refused.callback(self._db.close)
            if self._db.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
                raise sqlite3.DatabaseError("another program wrote the file")
            rows = self._db.execute("SELECT number, document FROM workspace").fetchall()
            self.documents: dict[int, dict[str, Any]] = {number: orjson.loads(document) for number, document in rows}
            refused.pop_all()

    def rows(self, *, bodies: bool = True) -> Iterator[Exchange]:
        """Yield every row, oldest first, one at a time; empty bodies where nobody wants them, as they are most of a file."""
        columns = "body, answer" if bodies else "x'', x''"
        select = f"SELECT seq, head, {columns} FROM exchange ORDER BY seq"  # noqa: S608 - our own text
        with self._told():
            for seq, head, body, answer in self._db.execute(select):
                yield _exchange(seq, orjson.loads(head), body, answer)

    def attempts_of(self, seq: int) -> dict[DeliveryKey, list[Attempt]]:
        """Return the attempts of a row's deliveries, oldest first."""
        found: dict[DeliveryKey, list[Attempt]] = {}
        with self._told():
            for delivery, row in self._db.execute(
                "SELECT delivery, row FROM attempt WHERE seq = ? ORDER BY id", (seq,)
            ):
                _add_attempt(found, seq, delivery, row)
        return found

    def close(self) -> None:
        """Finish."""
        self._db.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, KeyError, TypeError, ValueError) as error:
            locked = "locked" in str(error)
            what = "a running lab has the journal open" if locked else f"the journal cannot be read: {error}"
            fix = "stop that lab, or ask it by its control API" if locked else "name a file that serve --data wrote"
            raise TracksideError(what, str(self.path), fix) from error


def _exchange(seq: int, head: dict[str, Any], body: bytes, answer: bytes) -> Exchange:
    names = ("method", "path", "headers", "query", "params", "at", "undecodable", "remote")
    intake = head["intake"]
    intake["duplicates"] = tuple(intake["duplicates"])
    return Exchange(
        seq,
        head["vendor"],
        Request(body=body, **{name: head[name] for name in names}),
        head["status"],
        answer,
        head["workspace"],
        Intake(**intake),
        [Step(**{"rule": "", **step}) for step in head["steps"]],
        head["queued"],
        head.get("told", bool(head["steps"]) and head["vendor"] != "segment"),  # a file of 0.1 does not say
        head.get("kept", "").encode(),
        tuple(head.get("cause", NO_CAUSE)),
    )


def _add_attempt(found: dict[DeliveryKey, list[Attempt]], seq: int, delivery: bytes, row: bytes) -> None:
    call, destination, number = orjson.loads(delivery)
    found.setdefault((seq, call, destination, number), []).append(_attempt(orjson.loads(row)))


def _attempt(row: dict[str, Any]) -> Attempt:
    steps = tuple(Step(**{"rule": "", **step}) for step in row["steps"])
    return Attempt(row["at"], row["status"], row["answer"].encode("latin-1"), row["error"], row["due"], steps)
