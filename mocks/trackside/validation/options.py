"""What a run of validation is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from trackside.validation.findings import Level

MEGABYTE = 1_000_000
LIMIT = 10 * MEGABYTE
"""Bytes of one payload, unless told otherwise."""

SPECS = ("ecommerce", "b2b-saas", "mobile", "video", "email", "live-chat")
"""Segment's semantic specs, whose contracts are held on demand."""

Asked: TypeAlias = Literal["off", "warn", "strict"]
LEVELS: tuple[Asked, ...] = ("off", "warn", "strict")


@dataclass(frozen=True, slots=True)
class Options:
    """What to hold payloads against; sent to each process that checks.

    Attributes:
        contract: the name of one for every payload, or a file with a JSON Schema; empty to find it from the payload.
        specs: Segment's semantic specs that track calls are held against too, by name (see `SPECS`).
        plan: the file of a tracking plan, or a folder of schemas; empty for none.
        workspace: a workspace file, to tell what its mappings would drop; empty for none.
        source: that workspace's source; empty for its first one.
        levels: the level of a code, or of several by a pattern with ``*``; what is longest wins.
        strict: whether ``warn`` counts as ``strict``.
        identity: whether ids are looked at.
        limit: bytes of one payload; a longer one is reported unread.
    """

    contract: str = ""
    specs: tuple[str, ...] = ()
    plan: str = ""
    workspace: str = ""
    source: str = ""
    levels: Mapping[str, Asked] = field(default_factory=dict)
    strict: bool = False
    identity: bool = True
    limit: int = LIMIT

    def level(self, code: str, default: Level) -> Asked:
        """Return the level that a code has in this run.

        >>> Options(levels={"segment/*": "off", "segment/track.*": "warn"}).level("segment/track.type", "strict")
        'warn'
        """
        fitting = [pattern for pattern in self.levels if fnmatchcase(code, pattern)]
        found = self.levels[max(fitting, key=len)] if fitting else default
        return "strict" if found == "warn" and self.strict else found
