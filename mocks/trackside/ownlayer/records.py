"""What OwnLayer keeps: inferences as they came, and their evaluations. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trackside.steps import Record
from trackside.times import in_ms

FIELDS = (
    "input",
    "output",
    "input_messages",
    "user_prompt",
    "system_prompt",
    "context",
    "start_time",
    "end_time",
    "error",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cost",
    "latency",
    "settings",
    "additional_metadata",
    "tags",
    "feedback",
)
"""The fields of an inference, in the order of the SDK; each may be left out or null (ownlayer.inference)."""


def inference(fields: Mapping[str, Any], own_id: str, at: float) -> Record:
    """Return an inference as it is kept: its fields as they came, with ``kind``, ``id`` and ``received_at`` (epoch ms).

    >>> inference({"output": "Paris"}, "i-1", 1.5)
    {'output': 'Paris', 'kind': 'inference', 'id': 'i-1', 'received_at': 1500}
    """
    return {**fields, "kind": "inference", "id": own_id, "received_at": in_ms(at)}


def evaluation(
    of: Record, own_id: str, at: float, *, result: str, event: str, evaluator: str = "", score: float | None = None
) -> Record:
    """Return an evaluation as it is kept, with all of its inference that an event to Segment is made of.

    Args:
        of: the inference.
        own_id: of the evaluation.
        at: when, epoch seconds.
        result: ``pass`` or ``fail``.
        event: OwnLayer's own event, such as ``Evaluation Pass``.
        evaluator: the name of the evaluator.
        score: what it gave.
    """
    taken: Record = {name: of[name] for name in ("additional_metadata", "end_time", "received_at") if name in of}
    told = {"evaluator": evaluator or None, "score": score}
    return {
        "kind": "evaluation",
        "id": own_id,
        "at": in_ms(at),
        "inference": of["id"],
        "result": result,
        "event": event,
        **{name: value for name, value in told.items() if value is not None},
        **taken,
    }
