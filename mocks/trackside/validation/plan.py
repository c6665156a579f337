"""A tracking plan held against Segment calls, as Protocols does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trackside.catalog import UNKNOWN_FIELDS, Contract
from trackside.errors import TracksideError
from trackside.nearest import bare, difference
from trackside.segment.plans import CompiledPlan, CompiledRule, compile_schema, parts_of, plans
from trackside.segment.violations import violations
from trackside.validation.locate import parts_of as path_of
from trackside.validation.plan_files import Row, read_plan
from trackside.validation.problems import Path, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trackside.steps import Message
    from trackside.validation.checker import CallCheck

HOLDERS = ("properties", "traits")
HOLDERS_OF = {"track": "properties", "identify": "traits", "group": "traits"}
"""Where unplanned names are looked for; SDKs add properties to page and screen calls by themselves."""

_REMEMBERED = 1_000
"""Names of properties that are remembered for each rule, so that a plan is not searched again."""

_VIOLATION, _UNPLANNED, _NAMES = (
    "segment.protocols.violation",
    "segment.protocols.unplanned",
    "segment.protocols.unplanned-names",
)


def plan_check(name: str) -> CallCheck:
    """Return what holds Segment calls against a tracking plan, a file or a folder; see `read_plan` for its forms.

    What breaks a rule is ``strict`` (segment.protocols.violation). An event that the plan does not have, and a property or
    trait that its rule does not, are ``warn`` (segment.protocols.unplanned, segment.protocols.unplanned-names).

    Raises:
        TracksideError: the plan cannot be read, or a rule of it is no JSON Schema; with file, line and column.
    """
    return _Plan([_compiled(row) for row in _without_repeats(read_plan(name))]).check


def _without_repeats(rows: list[Row]) -> Iterator[Row]:
    seen = set()
    for row in rows:
        key = (row.type, row.key, row.version)
        if key in seen:
            what = f"version {row.version} of the rule {row.key or row.type} is given twice"
            raise row.document.fault(what, row.path, "give each version of a rule once")
        seen.add(key)
        yield row


@dataclass(frozen=True, slots=True)
class _Rule(CompiledRule):
    """A rule, and what it plans.

    Attributes:
        planned: the subschemas of ``properties`` and of ``traits``; none for one that may have any names.
        names: whether a name in one of them is planned, as found out so far.
        contract: of a team's own JSON Schema.
        whole: whether its schema is one of the whole message.
    """

    planned: dict[str, list[Mapping[str, Any]]]
    names: dict[tuple[str, str], bool]
    contract: Contract | None
    whole: bool

    def broken(self, message: Message) -> Iterator[tuple[str, Path, str]]:
        """Yield what breaks it: what was wrong, where, and what to do."""
        if self.contract is None:
            for violation in violations(self.validator, message):
                said = violation.description
                said = said if said.startswith(violation.field) else f"{violation.field}: {said}"
                yield said, violation.path, "send what the rule asks for, or change the rule"
            return
        held = message if self.whole else message.get("properties") or {}
        if not self.contract.is_valid(held):
            for fault in self.contract.faults(held):
                yield fault.what, fault.path if self.whole else ("properties", *fault.path), fault.fix

    def knows(self, holder: str, name: str) -> bool:
        """Return whether it plans a property or a trait."""
        parts = self.planned.get(holder)
        if parts is None:
            return True
        if (known := self.names.get((holder, name))) is None:
            known = plans(parts, name)
            if len(self.names) < _REMEMBERED:
                self.names[holder, name] = known
        return known


def _compiled(row: Row) -> _Rule:
    """Return a rule that can be held against messages; only one that is a JSON Schema is looked into."""
    if row.contract is not None:
        validator = row.contract.validator
    else:
        try:
            validator = compile_schema(row.schema)
        except TracksideError as error:
            path = (*row.path, *path_of(error.where))
            raise row.document.fault(error.what, path, error.fix) from error
    planned = {holder: parts_of(row.schema, *((holder,) if row.whole else ())) for holder in HOLDERS}
    if row.contract is not None:
        planned = {holder: parts for holder, parts in planned.items() if not _is_open(parts)}
    return _Rule(row.type, row.key, row.version, row.schema, validator, planned, {}, row.contract, row.whole)


def _is_open(parts: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether a team's own schema names no fields there, or says itself that others may stand there."""
    named = any("properties" in part or "patternProperties" in part for part in parts)
    return not named or any(part.get(keyword) not in (None, False) for part in parts for keyword in UNKNOWN_FIELDS)


class _Plan:
    def __init__(self, rules: list[_Rule]) -> None:
        self._plan = CompiledPlan("", rules)
        self._events = {rule.key: bare(rule.key) for rule in rules if rule.type == "TRACK"}

    def check(self, call: Message) -> Iterator[Problem]:
        """Yield how a call departs from the plan; one whose type, event, properties or traits is of no use, its contract tells."""
        kind, event = call.get("type"), call.get("event")
        if not isinstance(kind, str) or (kind == "track" and not isinstance(event, str)) or not _is_usable(call):
            return
        rule: Any = self._plan.rule(call)
        common: Any = self._plan.common(call)
        told: dict[tuple[str, Path], None] = {}
        for one in (rule, common):
            for what, path, fix in one.broken(call) if one is not None else ():
                if (what, path) not in told:
                    yield Problem(_VIOLATION, "strict", f"{what} (rule {one.name} of the tracking plan)", path, fix)
                    told[what, path] = None
        if rule is None and kind == "track":
            yield self._unplanned_event(str(event))
        elif rule is not None and (holder := HOLDERS_OF.get(kind)):
            broken = {path for _, path in told}
            for name in call.get(holder) or ():
                known = rule.knows(holder, name) or (common is not None and common.knows(holder, name))
                if not known and (holder, name) not in broken:
                    yield _unplanned(rule, holder, name)

    def _unplanned_event(self, event: str) -> Problem:
        same = bare(event)
        near = next((one for one, stripped in self._events.items() if stripped == same and one != event), "")
        what = f"the tracking plan has no event {event}"
        if near:
            what += f"; it has {near}, which differs by {difference(near, event)}"
        return Problem(_UNPLANNED, "warn", what, ("event",), "add a rule of that very name, or correct the name")


def _unplanned(rule: _Rule, holder: str, name: str) -> Problem:
    what = f"the rule {rule.name} of the tracking plan has no {name} in {holder}"
    return Problem(_NAMES, "warn", what, (holder, name), "add it to the rule, or stop sending it")


def _is_usable(call: Message) -> bool:
    return all(call.get(holder) is None or isinstance(call[holder], dict) for holder in HOLDERS)
