"""The spec versions of ``splitChanges``: what each one's answer looks like, and what it does not know yet. Pure functions.

SDKs that are given another base address fall back to an older spec after a 400, and some after a network error too.
"""

from __future__ import annotations

from typing import Any

from trackside.split.changes import Definition, Environment, Filter, asked_flags

VERSIONS = ("1.0", "1.1", "1.2", "1.3")
"""What ``s`` may be; without it the oldest is meant (split.sdk.spec)."""

TWO_PARTS = "1.3"
"""From here on the answer has flags and rule-based segments, each with its own change numbers."""

UNSUPPORTED = "targeting rule type unsupported by sdk"

_SINCE = {
    **dict.fromkeys(
        (
            "EQUAL_TO_SEMVER",
            "GREATER_THAN_OR_EQUAL_TO_SEMVER",
            "LESS_THAN_OR_EQUAL_TO_SEMVER",
            "BETWEEN_SEMVER",
            "IN_LIST_SEMVER",
        ),
        "1.1",
    ),
    "IN_LARGE_SEGMENT": "1.2",
    "IN_RULE_BASED_SEGMENT": "1.3",
}
"""The spec that a matcher came with, of those that were not there from the beginning."""


def split_changes(environment: Environment, version: str, since: int, rb_since: int, ask: Filter) -> dict[str, Any]:
    """Return the answer to ``splitChanges``: what changed after a change number, and the newest one.

    ``s`` and ``since`` repeat what was asked, except a number of the future, which becomes the newest one; SDKs ask again
    until they are the same as the newest (split.sdk.split-changes, split.sdk.since-ahead).

    Args:
        environment: whose.
        version: the spec, one of `VERSIONS` (split.sdk.spec, split.sdk.spec-old).
        since: the SDK's change number of flags.
        rb_since: that of rule-based segments; older specs have none.
        ask: which flags it wants.
    """
    flags, rule_based = environment.flags, environment.rule_based_segments
    changed = [understood(flag, version) for flag in asked_flags(environment, since, ask)]
    if version != TWO_PARTS:
        return {"splits": changed, "since": min(since, flags.number), "till": flags.number}
    return {
        "ff": {"d": changed, "s": min(since, flags.number), "t": flags.number},
        "rbs": {
            "d": rule_based.since(rb_since),
            "s": min(rb_since, rule_based.number),
            "t": rule_based.number,
        },
    }


def understood(flag: Definition, version: str) -> Definition:
    """Return a flag as an older spec can evaluate it: ``control`` for everybody where it has a matcher of a newer one.

    All of its conditions are then replaced, also those that the older spec knows (split.sdk.unsupported-matcher).
    """
    if version == TWO_PARTS or all(_known(condition, version) for condition in flag["conditions"]):
        return flag
    everybody = {"keySelector": None, "matcherType": "ALL_KEYS", "negate": False}
    replaced = {
        "conditionType": "WHITELIST",
        "label": UNSUPPORTED,
        "matcherGroup": {"combiner": "AND", "matchers": [everybody]},
        "partitions": [{"treatment": "control", "size": 100}],
    }
    return {**flag, "conditions": [replaced]}


def _known(condition: dict[str, Any], version: str) -> bool:
    return all(_SINCE.get(one["matcherType"], "1.0") <= version for one in condition["matcherGroup"]["matchers"])
