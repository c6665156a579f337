"""LaunchDarkly's semantic patch: instructions that change a feature flag as the REST API shows it. Pure."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from trackside.launchdarkly.instructions import KINDS, Instruction, Target
from trackside.launchdarkly.representation import Representation

CONTENT_TYPE = "domain-model=launchdarkly.semanticpatch"
"""What the content type says of a semantic patch, behind ``application/json``."""


def patched(target: Target, instructions: Sequence[Instruction]) -> Representation:
    """Return the flag after every instruction (launchdarkly.rest.semantic-patch).

    Args:
        target: the flag and environment; what it holds stays as it is.
        instructions: in the order in which they apply; each has a ``kind`` and further fields.

    Raises:
        TracksideError: an instruction is unknown, lacks a parameter, or names what is not there.

    Source: LaunchDarkly, REST API, "Update feature flag".
    """
    changing = Target(copy.deepcopy(target.flag), target.environment, target.variations)
    for number, instruction in enumerate(instructions):
        changing.at = f"$.instructions[{number}]"
        apply = KINDS.get(instruction["kind"])
        if apply is None:
            fix = f"use one of: {', '.join(KINDS)}"
            raise changing.fault(f"there is no instruction {instruction['kind']!r} here", "kind", fix)
        try:
            apply(changing, instruction)
        except KeyError as missing:
            name = str(missing.args[0])
            raise changing.fault(f"{name} is missing", name, f"give {instruction['kind']} its {name}") from missing
    return changing.flag
