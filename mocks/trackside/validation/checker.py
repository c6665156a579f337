"""Judges one part of a file: which contract each payload has, and what breaks it, the plan, or the mappings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import orjson

from trackside import catalog
from trackside.errors import TracksideError, WorkspaceError
from trackside.validation.broken import keys_twice, may_have_twice, syntax_fault
from trackside.validation.detection import SEGMENT_CALLS, Known, detect, is_whole, nearest
from trackside.validation.findings import Finding
from trackside.validation.identity import Identities, any_may_be_wrong, call_problems, ids_of, pair_problems
from trackside.validation.options import Options
from trackside.validation.parts import Document, Elements, Lines, Part, fault
from trackside.validation.problems import Path, Place, Problem, finding_at, of_fault

CallCheck: TypeAlias = Callable[[dict[str, Any]], Iterable[Problem]]
"""Takes one Segment call, and gives what is wrong with it beside its contract."""

CALLS = frozenset(("segment/call", *(known.contract for known in SEGMENT_CALLS.values())))
"""The contracts of a single Segment call."""

_OF_PAIRS = frozenset(known for kind, known in SEGMENT_CALLS.items() if kind not in ("alias", "group"))
"""Those of calls that have no other ids than userId and anonymousId."""

_NO_CONTRACT = "trackside.input.no-contract"
_OF_OTHERS = Known("", "requests that concern no vendor")


@dataclass(slots=True)
class Checked:
    """What was found in one part.

    Attributes:
        file: that it is a part of.
        findings: by line.
        payloads: how many were checked, by contract and by how it was known.
        identities: the ids in it.
        size: bytes that were looked at.
    """

    file: str
    findings: list[Finding] = field(default_factory=list)
    payloads: Counter[Known] = field(default_factory=Counter)
    identities: Identities = field(default_factory=Identities)
    size: int = 0


class Checker:
    """Judges parts of files; one for each process.

    Args:
        options: what to hold payloads against.

    Attributes:
        faults: what cannot be used of what the options name; everything else is.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self.faults: list[TracksideError] = []
        self._forced: catalog.Contract | None = None
        if options.contract:
            self._forced = self._attempt(lambda: named_contract(options.contract))
        self._of_calls: list[CallCheck] = list(self._call_checks())
        self._usual: dict[Any, tuple[Known, Callable[[Any], bool]]] = {}

    def _attempt(self, make: Callable[[], Any]) -> Any:
        """Return what is made; None where that fails, and keep the fault."""
        try:
            return make()
        except TracksideError as error:
            self.faults += error.faults if isinstance(error, WorkspaceError) else [error]
            return None

    def _call_checks(self) -> Iterator[CallCheck]:
        options = self._options
        if options.specs:
            from trackside.validation.semantic import spec_check  # noqa: PLC0415 - on demand, as those below

            yield spec_check(options.specs)
        if options.plan:
            from trackside.validation.plan import plan_check  # noqa: PLC0415

            if (check := self._attempt(lambda: plan_check(options.plan))) is not None:
                yield check
        if options.workspace:
            from trackside.validation.mappings import mapping_check  # noqa: PLC0415

            if (check := self._attempt(lambda: mapping_check(options.workspace, options.source))) is not None:
                yield check

    def is_whole(self, first: Any) -> bool:
        """Return whether an array that begins with this element is one payload."""
        return self._forced.is_array if self._forced is not None else is_whole(first)

    def check(self, part: Part) -> Checked:
        """Return what is wrong with a part."""
        checked = Checked(part.file)
        if isinstance(part, Finding):
            self._add(part, checked)
        elif isinstance(part, Lines):
            checked.size = len(part.data) + 1
            self._lines(part, checked)
        elif isinstance(part, Elements):
            self._elements(part, checked)
        elif isinstance(part, Document):
            checked.size = len(part.data)
            self._text(Place(part.file, part.line, part.column, part.at, part.data), checked)
        elif part.request is None:
            checked.payloads[_OF_OTHERS] += 1
        else:
            self._recorded(part.request, Place(part.file, at=part.at), checked)
        checked.findings.sort(key=lambda finding: (finding.line, finding.column))
        return checked

    # ---- texts

    def _lines(self, part: Lines, checked: Checked) -> None:
        lines = part.data.split(b"\n")
        numbers = range(part.line, part.line + len(lines))

        def place(index: int) -> Place:
            return Place(part.file, numbers[index], 1, "$", lines[index])

        self._many(lines, numbers, place, part.data, checked)

    def _elements(self, part: Elements, checked: Checked) -> None:
        texts = [one.data for one in part.documents]
        data = b"\n".join(texts)
        checked.size = len(data)

        def place(index: int) -> Place:
            one = part.documents[index]
            return Place(one.file, one.line, one.column, one.at, one.data)

        self._many(texts, [one.line for one in part.documents], place, data, checked)

    def _many(
        self,
        texts: list[bytes],
        numbers: Sequence[int],
        place: Callable[[int], Place],
        data: bytes,
        checked: Checked,
    ) -> None:
        """Judge each text; the usual ones, Segment calls that keep their contract, at little more than that costs.

        Args:
            texts: of a payload each.
            numbers: their lines.
            place: gives that of a text.
            data: all of them.
            checked: is told.
        """
        try:
            payloads = list(map(orjson.loads, texts))
        except orjson.JSONDecodeError:  # a blank line, or a broken one
            indices, payloads = self._readable(texts, place, checked)
            data = b"\n".join(texts[index] for index in indices)
            numbers, of_all = [numbers[index] for index in indices], place

            def place(index: int) -> Place:
                return of_all(indices[index])

        for index in self._usual_ones(payloads, numbers, place, checked):
            self._payload(payloads[index], place(index), checked)
        if may_have_twice(data, payloads):
            for index, payload in enumerate(payloads):
                self._twice(place(index), payload, checked)

    def _readable(
        self, texts: list[bytes], place: Callable[[int], Place], checked: Checked
    ) -> tuple[list[int], list[Any]]:
        """Return which texts are JSON, and what they hold; the others are told."""
        indices, payloads = [], []
        for index, text in enumerate(texts):
            try:
                payloads.append(orjson.loads(text))
            except orjson.JSONDecodeError as error:
                if text and not text.isspace():
                    self._add(syntax_fault(place(index), error), checked)
                continue
            indices.append(index)
        return indices, payloads

    def _usual_ones(
        self, payloads: list[Any], numbers: Sequence[int], place: Callable[[int], Place], checked: Checked
    ) -> list[int]:
        """Judge the lines that are Segment calls and keep their contract; return the indices of the others."""
        usual = self._usual
        others: list[int] = []
        for index, payload in enumerate(payloads):
            try:
                if payload.__class__ is dict and (found := usual.get(payload.get("type"))) and found[1](payload):
                    continue
            except TypeError:  # its type is an array or an object
                pass
            others.append(index)
        indices: Sequence[int] = range(len(payloads))
        if others:
            left_out = set(others)
            indices = [index for index in indices if index not in left_out]
        calls = [payloads[index] for index in indices] if others else payloads
        for kind, count in Counter([call["type"] for call in calls]).items():
            checked.payloads[usual[kind][0]] += count
        if self._options.identity:
            self._usual_ids(calls, indices, numbers, place, checked)
        return others

    def _usual_ids(
        self,
        calls: list[Any],
        indices: Sequence[int],
        numbers: Sequence[int],
        place: Callable[[int], Place],
        checked: Checked,
    ) -> None:
        """Look at the ids of calls that keep their contract; each pair of ids once, and most of them all together."""
        lines = numbers if len(calls) == len(numbers) else [numbers[index] for index in indices]
        ids = checked.identities
        pairs = ids.take_many(calls, lines)
        if not any_may_be_wrong(ids.users, ids.anonymous):
            return
        wrong = {pair: problems for pair in set(pairs) if (problems := pair_problems(pair))}
        for index, pair, call in zip(indices, pairs, calls, strict=True):
            for problem in wrong.get(pair, ()):
                known = self._usual[call["type"]][0]
                self._tell(place(index)._replace(contract=known.contract, known_by=known.how), problem, checked)

    def _text(self, place: Place, checked: Checked) -> None:
        """Judge a text that should be one payload."""
        try:
            payload = orjson.loads(place.text)
        except orjson.JSONDecodeError as error:
            self._add(syntax_fault(place, error), checked)
            return
        self._twice(place, payload, checked)
        self._payload(payload, place, checked)

    def _twice(self, place: Place, payload: Any, checked: Checked) -> None:
        if may_have_twice(place.text, payload):
            for problem in keys_twice(place.text):
                self._tell(place, problem, checked)

    # ---- payloads

    def _payload(self, payload: Any, place: Place, checked: Checked) -> None:
        """Judge a payload, or each element of an array of payloads."""
        if isinstance(payload, dict) and "recording" in payload and "request" in payload:
            self._recorded(payload, place, checked)
            return
        known = Known(self._forced.name, "--contract") if self._forced is not None else detect(payload)
        if known is not None:
            self._hold(payload, known, place, checked)
        elif isinstance(payload, list) and payload:
            for index, element in enumerate(payload):
                self._payload(element, place.inner((index,)), checked)
        else:
            what, near = "no contract is known for a payload of this form", nearest(payload)
            fix = "name one with --contract" + (f", such as {' or '.join(near)}" if near else "")
            checked.payloads[Known("", "")] += 1
            self._tell(place, Problem(_NO_CONTRACT, "strict", what, (), fix), checked)

    def _hold(self, payload: Any, known: Known, place: Place, checked: Checked) -> None:
        """Hold a payload against its contract, and each Segment call in it against all else."""
        contract = self._forced if self._forced is not None else catalog.contract(known.contract)
        checked.payloads[known] += 1
        place = place._replace(contract=known.contract, known_by=known.how)
        if not contract.is_valid(payload):
            for found in contract.faults(payload):
                if place.text or not _is_redacted(found.value):
                    self._tell(place, of_fault(found), checked)
        elif self._is_usual(known):
            self._usual[payload["type"]] = (known, contract.is_valid)
        for path, call in calls_in(known.contract, payload):
            self._call(call, place.inner(path), checked)
        if self._options.identity:
            for vendor, kind, one in ids_of(known.contract, payload):
                checked.identities.flags.setdefault((vendor, kind, one), place.line)

    def _is_usual(self, known: Known) -> bool:
        """Return whether payloads of a contract may be judged by it and their pair of ids alone."""
        return known in _OF_PAIRS and not self._of_calls

    def _call(self, call: dict[str, Any], place: Place, checked: Checked) -> None:
        for check in self._of_calls:
            for problem in check(call):
                self._tell(place, problem, checked)
        if self._options.identity:
            checked.identities.take(call, place.line)
            for problem in call_problems(call):
                self._tell(place, problem, checked)

    def _recorded(self, line: Any, place: Place, checked: Checked) -> None:
        """Judge the bodies of a recorded request and its answer."""
        from trackside.validation import recorded  # noqa: PLC0415 - it loads every vendor's routes

        for found in recorded.payloads(line):
            at = place._replace(at=f"{place.at}.{found.side}" if found.side else place.at, text=b"")
            if isinstance(found.payload, TracksideError):
                what, fix = found.payload.what, found.payload.fix
                self._add(fault(at.file, "trackside.input.recording", what, fix, line=at.line, at=at.at), checked)
            elif self._forced is None:
                self._hold(found.payload, found.known, at, checked)
            elif found.side == recorded.REQUEST:
                self._payload(found.payload, at, checked)

    # ---- findings

    def _tell(self, place: Place, problem: Problem, checked: Checked) -> None:
        level = self._options.level(problem.code, problem.level)
        if level != "off":
            checked.findings.append(finding_at(place, problem, level))

    def _add(self, finding: Finding, checked: Checked) -> None:
        """Keep a fault of the file itself, in the level that it has in this run."""
        level = self._options.level(finding.code, finding.level)
        if level != "off":
            checked.findings.append(finding if level == finding.level else replace(finding, level=level))


def _is_redacted(value: Any) -> bool:
    """Return whether a value of a recording stands in for a key, which is as good as the key was."""
    return isinstance(value, str) and "{{" in value


def calls_in(contract: str, payload: Any) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the Segment calls of a payload as Segment opens them, and where in it they stand; only those that are objects.

    One whose path names its type gets it, and one of a batch what it shares with the others (segment.batch.merge).

    >>> list(calls_in("segment/batch", {"batch": [{"type": "track"}, 5]}))
    [(('batch', 0), {'type': 'track'})]
    >>> list(calls_in("segment/track", {"event": "Order Completed"}))
    [((), {'event': 'Order Completed', 'type': 'track'})]
    """
    if not isinstance(payload, dict):
        return
    if contract == "segment/batch":
        batch = payload.get("batch")
        shared = {name: payload[name] for name in _SHARED if payload.get(name)}
        for index, call in enumerate(batch if isinstance(batch, list) else ()):
            if isinstance(call, dict):
                yield ("batch", index), _with_shared(call, shared) if shared else call
    elif contract in CALLS:
        typed = "type" in payload or contract == "segment/call"
        yield (), payload if typed else {**payload, "type": contract.partition("/")[2]}


_SHARED = ("context", "integrations", "sentAt")


def _with_shared(call: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """Return a call with the fields of its batch, key by key; its own win."""
    merged = dict(call)
    for name, value in shared.items():
        own = call.get(name)
        if isinstance(value, dict):
            merged[name] = {**value, **own} if isinstance(own, dict) else value
        elif own is None:
            merged[name] = value
    return merged


def named_contract(name: str) -> catalog.Contract:
    """Return a contract of ours by its name, or a user's own JSON Schema by its file.

    Raises:
        TracksideError: there is neither, or it is no JSON Schema.
    """
    if name in catalog.names():
        return catalog.contract(name)
    from trackside.validation.schemas import read_schema  # noqa: PLC0415 - for users' own ones only

    return read_schema(name)
