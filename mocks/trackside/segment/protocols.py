"""Segment Protocols: a source's tracking plan held against its messages, before any destination sees them.

Everything is compiled when a workspace is loaded; `Guard.check` is pure. Only a source with a plan has a guard.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from trackside.catalog import json_path
from trackside.errors import TracksideError
from trackside.segment.ids import stable_id
from trackside.segment.plans import CompiledPlan, CompiledRule, compile_plans
from trackside.segment.settings import SegmentSettings, Source
from trackside.segment.violations import Violation, violations
from trackside.steps import Message, Step, drop

SHOWN = 5
"""Names of unplanned properties that a step tells."""

_BECAUSE = {
    "unplanned": "the tracking plan {plan} has no event {event}",
    "schema_violation": "the message breaks the rule {rule} of the tracking plan {plan}",
    "unplanned_and_schema_violation": "the tracking plan {plan} has no event {event}, and the message breaks its common schema",
    "common_schema_violation": "the message breaks the common schema of the tracking plan {plan}",
}
_SWITCHES = {
    "unplanned": "track.allow_unplanned_events",
    "schema_violation": "track.allow_event_on_violations",
    "unplanned_and_schema_violation": "track.allow_unplanned_events",
}


@dataclass(frozen=True, slots=True)
class Controls:
    """What a source does with one type of call that departs from the plan.

    Attributes:
        holds: ``properties`` or ``traits``.
        unplanned: whether a call that the plan does not have goes on.
        unplanned_names: whether properties that it does not have stay.
        violating: whether a call that breaks its rule goes on.
        violating_names: whether properties that break it stay.
        common: what a call that breaks the common schema meets.
    """

    holds: str = "properties"
    unplanned: bool = True
    unplanned_names: bool = True
    violating: bool = True
    violating_names: bool = True
    common: Literal["ALLOW", "BLOCK", "OMIT"] = "ALLOW"


@dataclass(slots=True)
class Verdict:
    """What a guard made of a message.

    Attributes:
        message: as it goes on; as it came where it is blocked.
        blocked: Segment's discard code; empty for a message that goes on.
        violations: what was wrong, in Segment's words.
        steps: the same for people.
    """

    message: Message
    blocked: str = ""
    violations: list[Violation] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    omitted: list[str] = field(default_factory=list)
    omitted_on_violation: list[str] = field(default_factory=list)


class Guard:
    """A source's tracking plan and schema settings, ready to check messages.

    Attributes:
        source: the source's name.
        source_id: its id in Segment's Public API.
        source_name: its name for people.
        plan: the tracking plan.
        violations_to: the source that violations are forwarded to; empty for none.
        blocked_to: the source that blocked events are forwarded to.
    """

    def __init__(self, name: str, source: Source, plan: CompiledPlan) -> None:
        self.source = name
        self.source_id = stable_id("source", name)
        self.source_name = source.name or name
        self.plan = plan
        self.violations_to = source.schema.forwarding_violations_to
        self.blocked_to = source.schema.forwarding_blocked_events_to
        self._controls = _controls(source)

    @property
    def forwards(self) -> bool:
        """Whether anything is made of what it finds."""
        return bool(self.violations_to or self.blocked_to)

    def check(self, message: Message) -> Verdict:
        """Return what becomes of a message: standard controls first, then the common schema (segment.protocols.order).

        The message given is never changed.
        """
        verdict = Verdict(message)
        controls = self._controls.get(message["type"], _ALLOWED)
        rule = self.plan.rule(message)
        if rule is None and message["type"] == "track":
            self._unplanned(verdict, controls)
        if not verdict.blocked:
            self._unplanned_names(verdict, rule, controls)
            self._rule(verdict, rule, controls)
        if not verdict.blocked:
            self._common(verdict, controls)
        if verdict.blocked:
            verdict.message = message
        else:
            verdict.message = _recorded(verdict, self.source_id)
        self._forwarding(verdict)
        return verdict

    def _unplanned(self, verdict: Verdict, controls: Controls) -> None:
        """Block an event that the plan does not have, or only note it (segment.protocols.unplanned)."""
        if not controls.unplanned:
            common = self._broken(verdict.message, self.plan.common(verdict.message))
            self._tell(verdict, common, "COMMON")
            self._block(verdict, "unplanned_and_schema_violation" if common else "unplanned", level="warning")
            return
        text = f"the tracking plan {self.plan.name} has no event {verdict.message['event']}; it goes on all the same"
        fix = "add a rule of that very name, or correct the name: case and spaces count"
        verdict.steps.append(Step("info", "segment.protocols.unplanned", text, "$.event", fix, "note", "unplanned"))

    def _unplanned_names(self, verdict: Verdict, rule: CompiledRule | None, controls: Controls) -> None:
        """Omit the properties or traits that the plan does not have (segment.protocols.unplanned-names)."""
        if controls.unplanned_names:
            return
        held = verdict.message.get(controls.holds)
        names = [name for name in held or () if rule is None or not rule.plans(controls.holds, name)]
        if not names or not isinstance(held, dict):
            return
        verdict.message = _without(verdict.message, controls.holds, names)
        verdict.omitted += names
        shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
        text = f"{shown}: {controls.holds} that the tracking plan {self.plan.name} does not have are omitted"
        at, fix = json_path([controls.holds, names[0]]), "add them to the rule, or stop sending them"
        verdict.steps.append(Step("cut", "segment.protocols.unplanned-names", text, at, fix, "warning"))

    def _rule(self, verdict: Verdict, rule: CompiledRule | None, controls: Controls) -> None:
        """Hold a message against the rule for it (segment.protocols.violation)."""
        found = self._broken(verdict.message, rule)
        if rule is None or not found:
            return
        self._tell(verdict, found, rule.name)
        if not controls.violating:
            self._block(verdict, "schema_violation", rule.name)
        elif not controls.violating_names:
            self._omit(verdict, found, controls)

    def _common(self, verdict: Verdict, controls: Controls) -> None:
        """Hold what is left of a message against the plan's common schema (segment.protocols.common)."""
        found = self._broken(verdict.message, self.plan.common(verdict.message))
        self._tell(verdict, found, "COMMON")
        if found and controls.common == "BLOCK":
            self._block(verdict, "common_schema_violation")
        elif found and controls.common == "OMIT":
            self._omit(verdict, found, controls)

    def _broken(self, message: Message, rule: CompiledRule | None) -> list[Violation]:
        return violations(rule.validator, message) if rule else []

    def _tell(self, verdict: Verdict, found: Iterable[Violation], rule: str) -> None:
        """Take violations on, each once: a rule and the common schema may say the same."""
        for violation in found:
            if violation in verdict.violations:
                continue
            verdict.violations.append(violation)
            text = f"{violation.description} by the rule {rule} of the tracking plan {self.plan.name}"
            fix = "send what the rule asks for, or change the rule"
            verdict.steps.append(
                Step("fault", "segment.protocols.violation", text, violation.at, fix, "warning", violation.type)
            )

    def _omit(self, verdict: Verdict, found: Iterable[Violation], controls: Controls) -> None:
        """Omit the properties or traits that violations are about (segment.protocols.omit)."""
        held = verdict.message.get(controls.holds)
        about = dict.fromkeys(one.path[1] for one in found if one.path[:1] == (controls.holds,) and len(one.path) > 1)
        names = [str(name) for name in about if isinstance(held, dict) and name in held]
        if not names:
            return
        verdict.message = _without(verdict.message, controls.holds, names)
        verdict.omitted_on_violation += names
        text = f"{', '.join(names)}: {controls.holds} with violations are omitted, as the source {self.source} asks"
        verdict.steps.append(Step("cut", "segment.protocols.omit", text, json_path([controls.holds, names[0]])))

    def _block(self, verdict: Verdict, code: str, rule: str = "", level: Literal["warning"] | None = None) -> None:
        """Block a message; the violations before say why, so that this is a finding only without one (segment.protocols.block)."""
        verdict.blocked = code
        event = verdict.message.get("event", "")
        because = _BECAUSE[code].format(plan=self.plan.name, event=event, rule=rule)
        kind = verdict.message["type"]
        switch = _SWITCHES.get(code, f"{kind}.common_event_on_violations")
        text = f"{because}; the source {self.source} blocks it, and no destination gets it"
        at = "$.event" if code.startswith("unplanned") else "$"
        fix = f"mend the message or the plan, or allow it by segment.sources.{self.source}.schema.{switch}"
        verdict.steps.append(drop("segment.protocols.block", text, at=at, fix=fix, level=level, code=code))

    def _forwarding(self, verdict: Verdict) -> None:
        """Tell what else is made of a message (segment.protocols.forward, segment.protocols.forward-blocked)."""
        count = len(verdict.violations)
        if self.violations_to and count:
            text = f"{count} {'violation is' if count == 1 else 'violations are'} forwarded to the source {self.violations_to}"
            verdict.steps.append(Step("info", "segment.protocols.forward", text))
        if self.blocked_to and verdict.blocked:
            text = f"the blocked event is forwarded to the source {self.blocked_to}"
            verdict.steps.append(Step("info", "segment.protocols.forward-blocked", text))


_ALLOWED = Controls()
"""For page, screen and alias, which have no settings: their violations are told, and they go on."""


def _controls(source: Source) -> dict[str, Controls]:
    """Return a source's controls by the type of call."""
    track = source.schema.track
    events = Controls(
        "properties",
        track.allow_unplanned_events,
        track.allow_unplanned_event_properties,
        track.allow_event_on_violations,
        track.allow_properties_on_violations,
        _common(track.common_event_on_violations),
    )
    traits = {
        kind: Controls(
            "traits",
            unplanned_names=row.allow_unplanned_traits,
            violating_names=row.allow_traits_on_violations,
            common=_common(row.common_event_on_violations),
        )
        for kind, row in (("identify", source.schema.identify), ("group", source.schema.group))
    }
    return {"track": events, **traits}


def _common(setting: str) -> Literal["ALLOW", "BLOCK", "OMIT"]:
    return "OMIT" if setting.startswith("OMIT") else "BLOCK" if setting == "BLOCK" else "ALLOW"


def _without(message: Message, holds: str, names: Iterable[str]) -> Message:
    return {**message, holds: {name: value for name, value in message[holds].items() if name not in names}}


def _recorded(verdict: Verdict, source_id: str) -> Message:
    """Return a message with what was found and omitted in its ``context.protocols`` (segment.protocols.context)."""
    told: dict[str, Any] = {
        "omitted": verdict.omitted,
        "omitted_on_violation": verdict.omitted_on_violation,
        "violations": [one.as_json() for one in verdict.violations],
    }
    told = {name: value for name, value in told.items() if value}
    if not told:
        return verdict.message
    context = verdict.message.get("context")
    context = context if isinstance(context, dict) else {}
    before = context.get("protocols")
    before = before if isinstance(before, dict) else {}
    return {**verdict.message, "context": {**context, "protocols": {**before, "sourceId": source_id, **told}}}


def compile_guards(settings: SegmentSettings) -> tuple[dict[str, Guard], list[TracksideError]]:
    """Return the guard of each source that has a tracking plan, and what is wrong with the plans."""
    if not settings.tracking_plans:
        return {}, []
    plans, faults = compile_plans(settings)
    named = {name: source for name, source in settings.sources.items() if source.tracking_plan in plans}
    guards = {name: Guard(name, source, plans[source.tracking_plan]) for name, source in named.items()}
    return guards, faults
