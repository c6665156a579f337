"""What a source with Protocols makes of violations and blocked events: calls into another source. Pure functions.

What Segment does not take is handed to it again, and lost where it is refused for good (segment.out.retry,
segment.out.refused).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trackside.exports import Exported
from trackside.segment.ids import plan_id, stable_id
from trackside.segment.protocols import Guard, Verdict
from trackside.segment.settings import SegmentSettings
from trackside.segment.violations import Violation
from trackside.steps import Message

AGENT = "Segment.io/1.0 (protocols)"
"""The user agent of what is forwarded: it bypasses the target's own tracking plan (segment.protocols.forwarded)."""

EVENT, USER = "Violation Generated", "schema-violations"
_NO_TIME = "0001-01-01T00:00:00Z"
"""What Segment writes for a time that the event did not have."""

_MADE_ON_RECEIPT = ("receivedAt", "originalTimestamp", "sentAt", "version")
"""Fields of a message that the other source makes anew; its timestamp was corrected once, by sentAt."""


def forwarded(verdicts: Iterable[Verdict], guard: Guard, settings: SegmentSettings) -> Exported:
    """Return the calls that are made of some messages: one a violation, and each blocked event.

    Args:
        verdicts: of one request's messages, in their order.
        guard: of the source that they came to.
        settings: Segment's block of the workspace.
    """
    exported = Exported(agent=AGENT)
    for verdict in verdicts:
        if guard.violations_to:
            key = settings.sources[guard.violations_to].write_key
            for number, violation in enumerate(verdict.violations):
                exported.add(key, violation_call(verdict.message, violation, number, guard))
        if guard.blocked_to and verdict.blocked:
            exported.add(settings.sources[guard.blocked_to].write_key, _blocked_call(verdict.message, guard))
    return exported


def violation_call(message: Message, violation: Violation, number: int, guard: Guard) -> dict[str, Any]:
    """Return the ``Violation Generated`` call of one violation (segment.protocols.forward).

    Args:
        message: that has it.
        violation: the violation.
        number: of it among the message's.
        guard: of the source that the message came to.
    """
    context = message.get("context")
    context = context if isinstance(context, dict) else {}
    app = context.get("app")
    return {
        "type": "track",
        "event": EVENT,
        "userId": USER,
        "messageId": "sch-"
        + stable_id(guard.source, str(message["messageId"]), message["receivedAt"], str(number), length=32),
        "timestamp": message["receivedAt"],
        "context": {"app": app, "library": context.get("library")},
        "integrations": {},
        "properties": {
            "appVersion": str(app.get("version") or "") if isinstance(app, dict) else "",
            "eventMessageID": message["messageId"],
            "eventName": message.get("event") or message.get("name") or "",
            "eventSentAt": message.get("sentAt") or _NO_TIME,
            "eventTimestamp": message.get("originalTimestamp") or _NO_TIME,
            "eventType": message["type"],
            "sourceID": guard.source_id,
            "sourceName": guard.source_name,
            "sourceSlug": guard.source,
            "trackingPlanID": plan_id(guard.plan.key),
            "trackingPlanName": guard.plan.name,
            "violationDescription": violation.description,
            "violationField": violation.field,
            "violationType": violation.type,
        },
        "forwardedFromProject": guard.source_id,
    }


def _blocked_call(message: Message, guard: Guard) -> dict[str, Any]:
    """Return a blocked event as the other source gets it: under a new messageId, else it would be a repeat.

    (segment.protocols.forward-blocked)
    """
    message_id = stable_id(guard.source, str(message["messageId"]), message["receivedAt"], "blocked", length=32)
    call = {name: value for name, value in message.items() if name not in _MADE_ON_RECEIPT}
    return {**call, "messageId": f"sch-{message_id}", "forwardedFromProject": guard.source_id}
