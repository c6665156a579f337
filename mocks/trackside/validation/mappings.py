"""What the mappings of a workspace would drop or change of Segment calls, as ``trackside explain`` tells it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from trackside.explain import Explainer
from trackside.journeys import Journey
from trackside.segment.settings import Dedup
from trackside.steps import Step
from trackside.validation.problems import Problem, of_step
from trackside.workspace import load

if TYPE_CHECKING:
    from trackside.validation.checker import CallCheck

_CONTRACT = "segment.contract"
_LEVELS = ("error", "warning")


def mapping_check(workspace: str, source: str = "") -> CallCheck:
    """Return what tells what would become of Segment calls under a workspace.

    What Segment refuses or discards has the level that it has for `trackside.explain`, what destinations drop or change is
    a warning. Calls are received when the check is made, whatever they say; what is told does not depend on it. Repeated
    messageIds are not looked for, so that a call is judged alike wherever it stands, and what its own contract tells is
    not told again.

    Args:
        workspace: its file.
        source: that calls come through; the first one when empty.

    Raises:
        WorkspaceError: with every fault of the workspace.
        TracksideError: it has no such source.
    """
    loaded = load(Path(workspace))
    without_dedup = dataclasses.replace(loaded.segment, dedup=Dedup(ids=0))
    explainer = Explainer(dataclasses.replace(loaded, segment=without_dedup), source=source, at=time.time())

    def check(call: dict[str, Any]) -> Iterable[Problem]:
        try:
            answer, journeys = explainer.follow(call)
        except orjson.JSONEncodeError:
            return [Problem("segment.limit.depth", "strict", "the call is nested too deeply", (), "flatten it")]
        found = [of_step(step) for step in answer.steps if _is_told(step)]
        for journey in journeys:
            found += _of_journey(journey)
        return dict.fromkeys(found)

    return check


def _of_journey(journey: Journey) -> Iterator[Problem]:
    faulty = {step.at for step in journey.steps if step.rule == _CONTRACT}
    for step in journey.steps:
        # Of a call without ids, the contract speaks of the whole call, and the discard of userId.
        if _is_told(step) and step.at not in faulty and not (step.kind == "drop" and "$" in faulty):
            yield of_step(step)
    for delivery in journey.deliveries:
        for step in delivery.all_steps():
            if _is_told(step):
                text = f"{step.text} (destination {delivery.destination})"
                yield of_step(dataclasses.replace(step, text=text, level="warning"))


def _is_told(step: Step) -> bool:
    return step.level in _LEVELS and step.rule != _CONTRACT
