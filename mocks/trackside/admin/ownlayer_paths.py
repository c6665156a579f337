"""The control API's path for OwnLayer: what an evaluator says of inferences."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trackside.admin.asking import body, given, known_fields
from trackside.errors import TracksideError
from trackside.ownlayer.settings import NAMES

if TYPE_CHECKING:
    from trackside.lab import Lab


def _evaluate(lab: Lab) -> Any:
    """Evaluate inferences, and see what Segment got: ``{inference, result, event, evaluator, score}``; ``inference`` is an id, ``latest`` (as when left out) or ``waiting`` for all that were not evaluated yet, ``result`` is ``pass`` or ``fail``."""
    fields = body()
    known_fields(fields, "inference", "result", "event", "evaluator", "score")
    inference = given(fields, "inference", "latest", str, "an id, latest or waiting")
    result = given(fields, "result", None, str, "pass or fail")
    if result not in NAMES:
        raise TracksideError(f"result is {result!r}", "$.result", "give pass or fail")
    more = {
        "passed": result == "pass",
        "event": given(fields, "event", "", str, "the name of one of OwnLayer's events"),
        "evaluator": given(fields, "evaluator", "", str, "the evaluator's name"),
        "score": _score(fields),
    }
    if inference == "waiting":
        made = lab.ownlayer.evaluate_waiting(**more)
    else:
        made = [lab.ownlayer.evaluate(None if inference == "latest" else inference, **more)]
    return {"evaluations": [one.as_json() for one in made]}


def _score(fields: dict[str, Any]) -> float | None:
    score = fields.get("score")
    if score is not None and (isinstance(score, bool) or not isinstance(score, int | float)):
        raise TracksideError(f"score is {score!r}", "$.score", "give a number, or leave it out")
    return score


PATHS: dict[str, tuple[str, Callable[..., Any]]] = {"/ownlayer/evaluations": ("POST", _evaluate)}
"""OwnLayer's path, with its method."""
