"""Actions destinations: from a Segment message to the requests that a destination's enabled mappings make of it.

A mapping has a trigger; where it matches, mapping-kit builds the action's payload, the action's fields are checked, and
the action makes one request. Everything is compiled once; the results are pure data.

Rules: segment.mappings, segment.triggers.invalid, segment.mapping-kit.invalid, segment.fields.invalid,
segment.actions.settings, segment.actions.null-context, segment.actions.unknown-action.
"""

from __future__ import annotations

from collections import abc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from trackside.segment.actions.fields import Fault, Field, Payload, compile_fields
from trackside.segment.actions.javascript import UNDEFINED
from trackside.segment.actions.mapping_kit import compile_mapping, source_paths
from trackside.segment.actions.mapping_values import InvalidMapping, look_up
from trackside.segment.actions.triggers import InvalidTrigger, compile_trigger
from trackside.steps import Message, Step, drop
from trackside.wire import Outgoing


@dataclass(frozen=True, slots=True)
class Mapping:
    """One mapping of a destination: what Segment's app shows in its list of mappings.

    Attributes:
        action: the action's slug, such as ``trackEvent``.
        name: as shown, such as ``Track Event``.
        trigger: which messages it takes (`trackside.segment.actions.triggers`).
        mapping: the payload's fields (`trackside.segment.actions.mapping_kit`).
        enabled: a disabled mapping sends nothing.
    """

    action: str
    name: str
    trigger: str
    mapping: dict[str, Any]
    enabled: bool = True


@dataclass(slots=True)
class ActionResult:
    """What one mapping made of one message.

    Attributes:
        mapping: the mapping's name.
        matched: whether its trigger took the message.
        outgoing: the request, or None where there is none.
        steps: drops, and whatever a person should know about the request.
        cause: Segment's own error text where the message failed; else empty.
    """

    mapping: str
    matched: bool
    outgoing: Outgoing | None = None
    steps: list[Step] = field(default_factory=list)
    cause: str = ""


Run: TypeAlias = Callable[[Message, float], ActionResult]
Perform: TypeAlias = Callable[[Payload, float], Outgoing]
Sender: TypeAlias = Callable[[Message, float], list[ActionResult]]


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a destination.

    Attributes:
        slug: such as ``trackEvent``.
        title: such as ``Track Event``.
        fields: what its payload holds.
        perform: from settings to what makes a request of a payload and the time in epoch seconds.
        remarks: from the message, the payload as mapped and the payload as sent to what a person should know.
    """

    slug: str
    title: str
    fields: tuple[Field, ...]
    perform: Callable[[Payload], Perform]
    remarks: Callable[[Message, Payload, Payload], list[Step]] = lambda _message, _mapped, _sent: []


@dataclass(frozen=True, slots=True)
class ActionDestination:
    """A destination of Segment's Actions framework.

    Attributes:
        slug: such as ``actions-launchdarkly``.
        names: what the ``integrations`` object of a call may name it, matched exactly; the catalogue's name first.
        settings: what is configured once for all mappings.
        actions: what it can do.
        presets: the mappings a new destination has.
    """

    slug: str
    names: tuple[str, ...]
    settings: tuple[Field, ...]
    actions: tuple[Action, ...]
    presets: tuple[Mapping, ...] = ()

    def compile(self, settings: abc.Mapping[str, Any], mappings: Sequence[Mapping] | None) -> Sender:
        """Return what a message becomes with these settings and mappings; ``mappings=None`` takes the presets."""
        enabled = [mapping for mapping in (self.presets if mappings is None else mappings) if mapping.enabled]
        checked, faults = compile_fields(self.settings, keep_empty=True)(dict(settings))
        if faults:
            return _refusing(enabled, faults)
        runs = [self._run(mapping, checked) for mapping in enabled]
        return lambda message, now: [run(message, now) for run in runs]

    def _run(self, mapping: Mapping, settings: Payload) -> Run:
        action = next((action for action in self.actions if action.slug == mapping.action), None)
        if action is None:
            return _nothing_done(mapping, self)
        try:
            matches = compile_trigger(mapping.trigger)
        except InvalidTrigger as fault:
            return _never_matching(mapping, fault)
        try:
            to_payload = compile_mapping(mapping.mapping)
        except InvalidMapping as fault:
            to_payload = _raising(fault)
        return _running(mapping, action, matches, to_payload, settings)


def _running(
    mapping: Mapping,
    action: Action,
    matches: Callable[[Message], bool],
    to_payload: Callable[[Message], Any],
    settings: Payload,
) -> Run:
    name, perform, remarks = mapping.name, action.perform(settings), action.remarks
    validate = compile_fields(action.fields)

    def run(message: Message, now: float) -> ActionResult:
        if not matches(message):
            return ActionResult(name, matched=False)
        try:
            mapped = to_payload(message)
        except InvalidMapping as fault:
            return _failed(
                name, [drop("segment.mapping-kit.invalid", fault.what, at="$", fix=fault.fix, code="BAD_REQUEST")]
            )
        payload, faults = validate(mapped)
        if faults:
            return _failed(name, [_fault_step(fault, mapping, message) for fault in faults])
        if (context := message.get("context", UNDEFINED)) is None or _null_personas(context):
            return _failed(name, [_null_context(context)])
        return ActionResult(name, True, perform(payload, now), remarks(message, mapped, payload))

    return run


def _failed(name: str, steps: list[Step]) -> ActionResult:
    return ActionResult(name, matched=True, steps=steps, cause=" ".join(step.text for step in steps))


def _fault_step(fault: Fault, mapping: Mapping, message: Message) -> Step:
    """Return the drop for one fault of a payload, at the place in the message where the value came from."""
    if fault.field is None:
        return drop("segment.fields.invalid", fault.sentence, at="$", fix="map fields by name", code="BAD_REQUEST")
    at = _origin(mapping.mapping.get(fault.field.name), message)
    fix = fault.field.fix or f'send a {fault.field.type} there, or map the field "{fault.field.label}" to another place'
    return drop(fault.field.rule, fault.sentence, at=at, fix=fix, level=fault.field.level, code="BAD_REQUEST")


def _origin(mapping: Any, message: Message) -> str:
    """Return the first mapped place that holds something, else the first mapped place."""
    paths = list(source_paths(mapping))
    there = (path for path in paths if look_up(path.removeprefix("$."))(message) not in (None, UNDEFINED))
    return next(there, paths[0] if paths else "")


def _null_personas(context: Any) -> bool:
    return isinstance(context, dict) and context.get("personas", UNDEFINED) is None


def _null_context(context: Any) -> Step:
    if context is None:
        at, text = "$.context", "Cannot destructure property 'personas' of '{}' as it is null."
    else:
        at, text = "$.context.personas", "Cannot read properties of null (reading 'computation_class')"
    return drop("segment.actions.null-context", text, at=at, fix="leave it out or send an object", code="INTERNAL")


def _raising(fault: InvalidMapping) -> Callable[[Message], Any]:
    def to_payload(_message: Message) -> Any:
        raise fault

    return to_payload


def _never_matching(mapping: Mapping, fault: InvalidTrigger) -> Run:
    step = drop("segment.triggers.invalid", fault.what, at=f"trigger of {mapping.name}: {fault.where}", fix=fault.fix)
    return lambda _message, _now: ActionResult(mapping.name, matched=False, steps=[step], cause=fault.what)


def _nothing_done(mapping: Mapping, destination: ActionDestination) -> Run:
    slugs = ", ".join(action.slug for action in destination.actions)
    text = f"{destination.names[0]} has no action {mapping.action!r}, so the mapping does nothing"
    step = drop("segment.actions.unknown-action", text, at=f"mapping {mapping.name}", fix=f"use one of {slugs}")
    return lambda _message, _now: ActionResult(mapping.name, matched=False, steps=[step])


def _refusing(mappings: Sequence[Mapping], faults: list[Fault]) -> Sender:
    steps = [
        drop(
            "segment.actions.settings",
            fault.sentence,
            at=f"setting {fault.field.name}" if fault.field else "settings",
            fix="mend the destination's settings; no event is sent until then",
            code="INVALID_SETTINGS",
        )
        for fault in faults
    ]
    return lambda _message, _now: [_failed(mapping.name, steps) for mapping in mappings[:1]]
