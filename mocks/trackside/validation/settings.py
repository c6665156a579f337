"""What a workspace file says about validation. The field names are the keys of its ``validate`` block."""

from __future__ import annotations

from dataclasses import dataclass, field

from trackside.validation.options import Asked


@dataclass(frozen=True, slots=True)
class ValidateSettings:
    """The ``validate`` block.

    Attributes:
        levels: the level of each code, or of several by a pattern with ``*``; the longest one that fits wins.
        specs: Segment's semantic specs that track calls are held against too.
        plan: the file of a tracking plan, or a folder of schemas, from the workspace file's folder; empty for none.
        baseline: the file of old faults, from the workspace file's folder; empty for none.
    """

    levels: dict[str, Asked] = field(default_factory=dict)
    specs: tuple[str, ...] = ()
    plan: str = ""
    baseline: str = ""
