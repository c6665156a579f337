"""ID lists: their files, which SDKs read by range and which only ever grow. Pure but for the state of each list."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Any

from trackside.errors import TracksideError


def id_hash(unit_id: str) -> str:
    """Return an ID as the file of a list has it: eight characters of the base64 of its SHA-256 (statsig.sdk.id-lists.file).

    >>> id_hash("listed-user")
    'bxRGHDtx'
    """
    return base64.b64encode(hashlib.sha256(unit_id.encode()).digest())[:8].decode()


class IdList:
    """One ID list of a project.

    Args:
        name: of the segment that it belongs to.
        ids: that are in it.
        id_type: what kind of IDs they are.
        time: when the file is made, epoch milliseconds; a later file has a higher one.

    Attributes:
        ids: in the order that they were added.
        file: what SDKs download: a line ``+HASH`` for each ID that came, ``-HASH`` for each that went.
        file_id: of the file; a list that starts afresh has another.
        created: when the file was made, epoch milliseconds.
    """

    def __init__(self, name: str, ids: Iterable[str] = (), id_type: str = "userID", time: int = 0) -> None:
        self.name = name
        self.id_type = id_type
        self.version = 0
        self.replace(ids, time)

    def replace(self, ids: Iterable[str], time: int) -> None:
        """Start a new file that holds exactly these IDs; SDKs forget the old one (statsig.sdk.id-lists.reset)."""
        self.ids: dict[str, None] = {}
        self.file = b""
        self.created = time
        self.file_id = f"{hashlib.sha256(self.name.encode()).hexdigest()[:12]}-{time}"
        self.add(ids)

    def add(self, ids: Iterable[str]) -> bool:
        """Append the IDs that are not in the list yet; returns whether there were any (statsig.sdk.id-lists.file).

        Raises:
            TracksideError: one of them is no ID; then none is added.
        """
        fresh = [one for one in dict.fromkeys(map(self._checked, ids)) if one not in self.ids]
        self.ids.update(dict.fromkeys(fresh))
        return self._append("+", fresh)

    def remove(self, ids: Iterable[str]) -> bool:
        """Take IDs out by a line of their own; returns whether any was in the list."""
        gone = [one for one in dict.fromkeys(map(self._checked, ids)) if one in self.ids]
        for one in gone:
            del self.ids[one]
        return self._append("-", gone)

    def _checked(self, unit_id: object) -> str:
        try:
            if isinstance(unit_id, str) and unit_id.encode():
                return unit_id
        except UnicodeEncodeError:  # half of a character
            pass
        raise TracksideError(f"{unit_id!a} is no ID", f"statsig.id_lists.{self.name}", "give each ID as a text")

    def _append(self, sign: str, ids: list[str]) -> bool:
        self.file += "".join(f"{sign}{id_hash(one)}\n" for one in ids).encode()
        self.version += bool(ids)
        return bool(ids)

    def manifest(self, base: str) -> dict[str, Any]:
        """Return the list's row in the answer of ``get_id_lists``; ``base`` is the address that the SDK asked."""
        return {
            "name": self.name,
            "size": len(self.file),
            "url": f"{base}/v1/download_id_list_file/{self.file_id}",
            "creationTime": self.created,
            "fileID": self.file_id,
        }
