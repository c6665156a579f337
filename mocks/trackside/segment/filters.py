"""Destination filters: which messages, and how much of them, reach one destination.

Compiled once per destination and applied as pure functions; `trackside.segment.filter_rows` reads them. Segment applies them after the ``integrations`` object and before mappings, and not at all to
events of the Event Tester.

Sources: Segment, "Destination Filters" and "Destination Filter Query Language"; Segment Public API, "Destination Filters".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from trackside.segment.filter_rows import (
    Action,
    AllowProperties,
    Drop,
    DropProperties,
    Filter,
    Sample,
    parse_filters,
)
from trackside.segment.fql import Condition, EvaluationError, InvalidFQL, compile_fql, field_reader
from trackside.segment.fql_functions import json_text
from trackside.steps import Message, Step, drop

if TYPE_CHECKING:
    from trackside.errors import TracksideError

__all__ = [
    "Action",
    "AllowProperties",
    "Apply",
    "Drop",
    "DropProperties",
    "Filter",
    "Sample",
    "compile_filters",
    "condition_fault",
    "parse_filters",
    "sampling_number",
]

CODE = "FILTERED_BY_RULES"
"""Segment's discard code for an event that a destination filter kept back."""


Outcome: TypeAlias = tuple[Message | None, list[Step]]
Apply: TypeAlias = Callable[[Message], Outcome]


def compile_filters(filters: Sequence[Filter]) -> Apply:
    """Return the function that applies all filters of one destination to a message.

    Args:
        filters: in the workspace's order; those switched off are left out.

    Returns:
        A function from a message to what is left of it, None where it was dropped, and the steps. The message given
        is never changed; where nothing is taken away it is handed on as it is. Samples come first, then drops, then
        properties are dropped, then allowed (segment.filter.order). A condition that is no FQL, or cannot be evaluated
        for an event, drops the event (segment.filter.fail-closed).

    >>> apply = compile_filters([Filter("type = 'track'", (DropProperties({"properties": ("email",)}),))])
    >>> apply({"type": "track", "properties": {"email": "jo@acme.com", "plan": "pro"}})[0]
    {'type': 'track', 'properties': {'plan': 'pro'}}
    """
    stages: list[_Stage] = []
    for number, chosen in enumerate(filters):
        if not chosen.enabled:
            continue
        try:
            applies = _condition(chosen.condition)
        except InvalidFQL as error:
            failed = _failed(chosen, error)
            return lambda _message: (None, [failed])
        stages += [_stage(chosen, applies, action, number) for action in chosen.actions]
    stages.sort(key=lambda stage: stage.rank)
    return lambda message: _run(stages, message)


def condition_fault(chosen: Filter) -> InvalidFQL | None:
    """Return why a filter's condition cannot be read, so that it drops every event (segment.filter.fail-closed)."""
    try:
        _condition(chosen.condition)
    except InvalidFQL as error:
        return error
    return None


@dataclass(frozen=True, slots=True)
class _Stage:
    """One action of one filter, ready to run."""

    rank: int
    chosen: Filter
    applies: Condition
    act: Apply


def _stage(chosen: Filter, applies: Condition, action: Action, number: int) -> _Stage:
    if isinstance(action, Sample):
        return _Stage(0, chosen, applies, _sample(chosen, action, number))
    if isinstance(action, Drop):
        return _Stage(1, chosen, applies, _drop(chosen))
    if isinstance(action, DropProperties):
        return _Stage(2, chosen, applies, _take_away(chosen, action.fields, keep=False))
    return _Stage(3, chosen, applies, _take_away(chosen, action.fields, keep=True))


def _condition(text: str) -> Condition:
    """Return the test of a filter: every message meets ``all`` (segment.filter.all)."""
    if text.strip() == "all":
        return lambda _message: True
    return compile_fql(text)


def _run(stages: list[_Stage], message: Message) -> Outcome:
    """Return what the stages leave of a message; every condition sees it as it arrived (segment.filter.order)."""
    left: Message | None = message
    steps: list[Step] = []
    for stage in stages:
        try:
            met = stage.applies(message)
        except EvaluationError as error:
            return None, [*steps, _failed(stage.chosen, error)]
        if met and left is not None:
            left, more = stage.act(left)
            steps += more
        if left is None:
            break
    return left, steps


def _failed(chosen: Filter, error: TracksideError) -> Step:
    """Return the drop for a condition that is broken (segment.filter.fail-closed)."""
    where = f" at {error.where}" if error.where else ""
    text = f"{chosen} cannot be evaluated, and then Segment drops the event: {error.what}{where}"
    return drop("segment.filter.fail-closed", text, fix=error.fix, code=CODE)


def _drop(chosen: Filter) -> Apply:
    fix = "switch the filter off, or narrow its condition, if the event should reach the destination"
    step = drop("segment.filter.drop", f"{chosen} drops the event", fix=fix, level=None, code=CODE)
    return lambda _message: (None, [step])


def _sample(chosen: Filter, action: Sample, number: int) -> Apply:
    """Return the draw of a sample: by a field's value (segment.filter.sample) or by event (segment.filter.sample-random)."""
    path = action.path or "messageId"
    read = field_reader(path.split("."))
    salt = "" if action.path else f"#{number}"  # so that two samples without a path draw independently

    def act(message: Message) -> Outcome:
        drawn = sampling_number(json_text(read(message)) + salt)
        if drawn < action.percent:
            return message, []
        text = f"{chosen} samples {action.percent:g} of the events and drops this one, which drew {drawn:.4f}"
        rule = "segment.filter.sample" if action.path else "segment.filter.sample-random"
        fix = "raise the percent to let more events through"
        return None, [drop(rule, text, at=f"$.{path}", fix=fix, level=None, code=CODE)]

    return act


def sampling_number(text: str) -> float:
    """Return the number from 0 to 1 that a JSON text draws, always the same: its MD5 read as a binary fraction.

    >>> round(sampling_number('"user-1"'), 4)
    0.717
    """
    digest = hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    return float(int.from_bytes(digest, "big") / 2**128)


_CUT_FIX = "change the filter's fields if the destination should get them"


def _take_away(chosen: Filter, fields: Mapping[str, tuple[str, ...]], *, keep: bool) -> Apply:
    """Return the cut of the named properties (segment.filter.drop-properties), or of all others (..allow-properties)."""
    rule = "segment.filter.allow-properties" if keep else "segment.filter.drop-properties"
    places = [(path, path.split(".") if path else [], frozenset(names)) for path, names in fields.items()]

    def act(message: Message) -> Outcome:
        left: Any = message
        steps = []
        for path, keys, names in places:
            taken: dict[str, None] = {}
            edited = _edited(left, keys, partial(_without, names=names, keep=keep, taken=taken))
            if taken:
                left = edited
                text = f"{chosen} takes away {', '.join(taken)}"
                steps.append(Step("cut", rule, text, at=f"$.{path}" if path else "$", fix=_CUT_FIX))
        return left, steps

    return act


def _edited(value: Any, keys: Sequence[str], edit: Callable[[Message], Message]) -> Any:
    """Return a copy with the object at a path edited, or each object of the list there (segment.filter.arrays).

    What stays as it was is shared with the original; a path that leads nowhere changes nothing.
    """
    if not keys:
        if isinstance(value, list):
            return [edit(item) if isinstance(item, dict) else item for item in value]
        return edit(value) if isinstance(value, dict) else value
    if not isinstance(value, dict) or keys[0] not in value:
        return value
    return {**value, keys[0]: _edited(value[keys[0]], keys[1:], edit)}


def _without(properties: Message, names: frozenset[str], keep: bool, taken: dict[str, None]) -> Message:
    gone = [name for name in properties if (name in names) is not keep]
    taken.update(dict.fromkeys(gone))
    return {name: value for name, value in properties.items() if name not in gone}
