"""The control API's paths for what counts: experiments, verdicts, results and the audit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trackside.admin.asking import limited, query

if TYPE_CHECKING:
    from trackside.lab import Lab


def _asked(*names: str) -> dict[str, str]:
    return {name: query(name) or "" for name in names}


def _results(lab: Lab) -> Any:
    """What experiments have counted: ``?vendor= &experiment= &environment=``; units, events and means by variation, what was left out and why."""
    from trackside.counting.as_json import result_json  # noqa: PLC0415 - only these paths need it

    asked = _asked("vendor", "experiment", "environment")
    return [
        result_json(one) for one in lab.counting.results(asked["vendor"], asked["experiment"], asked["environment"])
    ]


def _verdicts(lab: Lab) -> Any:
    """Whether the events of a person, or of a message, count: ``?user= &message_id= &event= &vendor= &experiment= &environment= &limit=``; each with every condition that is not met, its rule, source, confidence and fix."""
    asked = _asked("user", "message_id", "event", "vendor", "experiment", "environment")
    return [one.as_json() for one in limited(lab.counting.verdicts(**asked))]


def _audit(lab: Lab) -> Any:
    """What is wrong with how experiments are wired: ``findings`` and ``results``."""
    from trackside.counting.as_json import result_json  # noqa: PLC0415 - only these paths need it

    found = lab.counting.audit("lab")
    findings = [one.as_json() for one in found.findings]
    return {"findings": findings, "results": [result_json(one) for one in found.results]}


PATHS: dict[str, tuple[str, Callable[..., Any]]] = {
    "/results": ("GET", _results),
    "/verdicts": ("GET", _verdicts),
    "/audit": ("GET", _audit),
}
"""The paths of what counts, with their methods."""
