"""Verdicts as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trackside.errors import sentences
from trackside.telling import shown

_WORDS = {"counted": "counts", "not_counted": "does not count", "once_exposed": "counts once the unit is exposed"}


def verdict_lines(verdict: Mapping[str, Any]) -> Iterator[str]:
    """Yield a verdict, as its JSON has it, as lines: what it says, then every condition that is not met, its fix and source."""
    of = f" of {shown(verdict['unit'])}" if verdict["unit"] else ""
    message = f", message {verdict['message_id']}," if verdict["message_id"] else ""
    where = f" ({verdict['environment']})" if verdict["environment"] else ""
    head = f"{verdict['vendor']} {verdict['experiment']}{where}: {shown(verdict['event'])}{of}{message} {_WORDS[verdict['outcome']]}"
    if verdict["outcome"] == "counted":
        head += f" for {' and '.join(verdict['variations'])}, in {', '.join(verdict['metrics'])}"
    yield head
    besides = [("", one) for one in verdict["unmet"]] + [("besides, ", one) for one in verdict["remarks"]]
    for word, one in besides:
        rule = f" ({one['rule']})" if one["rule"] else ""
        yield f"    {word}{one['condition']}: {sentences(one['text'] + rule, one['at'], one['fix'])}"
        if one["source"]:
            yield f"        {one['confidence']}: {one['source']}"
