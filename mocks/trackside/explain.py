"""What would become of a Segment call under a workspace: no server, no delivery, nothing kept.

The call runs through the same functions as a call to a running lab. Pure: the time of receipt is an argument.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from trackside.counting.forecast import Forecast
from trackside.counting.verdicts import Verdict
from trackside.errors import TracksideError
from trackside.journal import Attempt, Exchange
from trackside.journeys import Delivery, Journey, Sent, as_request, step_json
from trackside.lab import FIRST_WORKSPACE, Lab
from trackside.origins import Origin, origins
from trackside.segment.discards import KINDS
from trackside.segment.settings import Destination
from trackside.steps import Message, Record, Step
from trackside.vendor import Mock
from trackside.wire import Answer, Request
from trackside.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ExplainedRecord:
    """One record that a vendor would keep, and where its fields come from."""

    record: Record
    origins: list[Origin]

    def as_json(self) -> dict[str, Any]:
        """Return the record with its fields' origins as JSON."""
        return {"record": self.record, "fields": [origin.as_json() for origin in self.origins]}


@dataclass(frozen=True, slots=True)
class AtDestination:
    """What one destination would get.

    Attributes:
        destination: its name in the workspace.
        vendor: whose destination it is.
        outcome: ``delivered``, ``dropped``, ``failed``; or ``outside`` where the request leaves the lab, so that only
            its receiver knows.
        steps: each drop, cut, rename, split, fault and assumption, in order.
        records: what the vendor would keep.
        requests: what Segment would send outside, as ``method``, ``url``, ``headers`` (credentials redacted) and ``body``.
        verdicts: whether the records would count in each of the vendor's experiments that they are about.
    """

    destination: str
    vendor: str
    outcome: str
    steps: list[Step]
    records: list[ExplainedRecord]
    requests: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "destination": self.destination,
            "vendor": self.vendor,
            "outcome": self.outcome,
            "records": [record.as_json() for record in self.records],
            "requests": self.requests,
            "verdicts": [verdict.as_json() for verdict in self.verdicts],
            "steps": [step_json(step) for step in self.steps],
        }


@dataclass(frozen=True, slots=True)
class ExplainedCall:
    """What would become of one call.

    Attributes:
        call: as it was given.
        message: as destinations would get it; None where Segment's ingest discards it.
        outcome: ``accepted``, ``discarded``, ``duplicate`` or ``blocked``.
        steps: of Segment's ingest and of the contract.
        destinations: one per destination of the source, in its order.
    """

    call: Any
    message: Message | None
    outcome: str
    steps: list[Step]
    destinations: list[AtDestination]

    def all_steps(self) -> Iterator[tuple[str, Step]]:
        """Yield each step with the vendor that takes it, ``segment`` for its ingest."""
        yield from (("segment", step) for step in self.steps)
        for at in self.destinations:
            yield from ((at.vendor, step) for step in at.steps)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "call": self.call,
            "message": self.message,
            "outcome": self.outcome,
            "steps": [step_json(step) for step in self.steps],
            "destinations": [at.as_json() for at in self.destinations],
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would become of one request.

    Attributes:
        source: the source that it would come through.
        status: of Segment's answer.
        steps: what would happen to the request as a whole.
        calls: one per call that Segment would accept; none where it refuses the request.
    """

    source: str
    status: int
    steps: list[Step]
    calls: list[ExplainedCall]

    def all_steps(self) -> Iterator[tuple[str, Step]]:
        """Yield each step with the vendor that takes it."""
        yield from (("segment", step) for step in self.steps)
        for call in self.calls:
            yield from call.all_steps()

    @property
    def has_findings(self) -> bool:
        """Whether there is an error or a warning."""
        return any(step.level in ("error", "warning") for _, step in self.all_steps())

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "source": self.source,
            "status": self.status,
            "steps": [step_json(step) for step in self.steps],
            "calls": [call.as_json() for call in self.calls],
        }


class Explainer:
    """Explains calls under one workspace; a messageId that it met before is a repeat, as at Segment.

    Args:
        workspace: a file, its content as a mapping, or None for the demo workspace.
        source: the name of the source that calls come through; the first one when empty.
        at: when they are received, epoch seconds.

    Raises:
        TracksideError: the workspace has faults, or no such source.
    """

    def __init__(
        self,
        workspace: Workspace | Mapping[str, Any] | Path | str | None = None,
        *,
        source: str = "",
        at: float = 0.0,
    ) -> None:
        self._lab = Lab(workspace, start_at=at, limit=1)
        self.workspace = self._lab.workspace
        self.source = self._known(source)
        self._at = at
        self._forecast = Forecast(self._lab)

    def _known(self, source: str) -> str:
        known = list(self.workspace.segment.sources)
        if not known:
            raise TracksideError("the workspace has no source", "segment.sources", "declare one with its write key")
        if source and source not in known:
            raise TracksideError(f"there is no source {source!r}", "segment.sources", f"use one of: {', '.join(known)}")
        return source or known[0]

    def explain(self, payload: Mapping[str, Any], kind: str = "") -> Explanation:
        """Return what would become of a call, or of the body of a batch.

        Args:
            payload: as it would be posted.
            kind: the type of a call that does not name its own.
        """
        answer, journeys = self.follow(payload, kind)
        calls = [self._call(journey) for journey in journeys]
        return Explanation(self.source, answer.status, answer.steps, calls)

    def follow(self, payload: Mapping[str, Any], kind: str = "") -> tuple[Answer, list[Journey]]:
        """Return Segment's answer and the calls' journeys alone, for who does not ask where records' fields come from.

        Args:
            payload: as it would be posted.
            kind: the type of a call that does not name its own.
        """
        lab, request = self._lab, self._request(payload, kind)
        answer = lab.segment.answer(request, lab.settings("segment"))
        # Not received but only appended: a queued row without attempts shows what would be sent, and nothing is.
        acts = any(mock.acts_on(request.body) for mock in lab.mocks.values())
        queued = acts or self.workspace.plan.external(self.source)
        row = lab.journal.append("segment", request, answer, FIRST_WORKSPACE, queued=queued)
        if acts:
            self._act(row)
        journeys = lab.journeys_of.of(row)
        lab.journeys_of.clear()  # nobody asks for them again
        return answer, journeys

    def _act(self, row: Exchange) -> None:
        """Let the calls of a row change what this lab's vendors serve, such as ID lists: what is told depends on it."""
        for journey in self._lab.journeys_of.of(row):
            for delivery in journey.deliveries:
                mock = self._lab.mocks[delivery.vendor]
                for number, sent in enumerate(delivery.sent):
                    if sent.outcome in ("delivered", "dropped") and mock.acts_on(sent.outgoing.body):
                        key = (row.seq, journey.index, delivery.destination, number)
                        self._lab.journal.add_attempt(key, self._attempt(mock, sent))

    def _attempt(self, mock: Mock, sent: Sent) -> Attempt:
        request = as_request(sent.outgoing, self._at)
        derived = mock.answer(request, self._lab.settings(mock.name))
        steps = mock.after(request, derived).steps
        added = tuple(step for step in steps if step not in derived.steps)
        return Attempt(self._at, derived.status, derived.body, steps=added)

    def _request(self, payload: Mapping[str, Any], kind: str) -> Request:
        """Return the request that an SDK would make: one call to its own path, everything else to the batch's."""
        body = dict(payload)
        if kind and isinstance(body.get("batch"), list):
            body["batch"] = [{"type": kind, **call} if isinstance(call, dict) else call for call in body["batch"]]
        elif "batch" not in body:
            own = body.get("type") or kind
            if own not in KINDS:
                body, own = {"batch": [body]}, "batch"
        path = "/v1/batch" if "batch" in body else f"/v1/{own}"
        key = self.workspace.segment.sources[self.source].write_key
        credentials = base64.b64encode(f"{key}:".encode()).decode()
        headers = {"authorization": f"Basic {credentials}", "content-type": "application/json"}
        return Request("POST", path, headers, orjson.dumps(body), at=self._at)

    def _call(self, journey: Journey) -> ExplainedCall:
        destinations = [self._at_destination(delivery, journey) for delivery in journey.deliveries]
        return ExplainedCall(journey.call, journey.message, journey.outcome, journey.steps, destinations)

    def _at_destination(self, delivery: Delivery, journey: Journey) -> AtDestination:
        destination = self.workspace.segment.destinations[delivery.destination]
        records, requests = [], []
        for sent in delivery.sent:
            records += [self._record(record, journey, destination, sent.mapping) for record in sent.records]
            if not sent.attempts:
                requests.append(sent.as_json()["request"])
        outcome = "outside" if requests else delivery.outcome
        kept = [record.record for record in records]
        verdicts = self._forecast.of(delivery.vendor, kept, journey) if kept else []
        return AtDestination(
            delivery.destination, delivery.vendor, outcome, list(delivery.all_steps()), records, requests, verdicts
        )

    def _record(self, record: Record, journey: Journey, destination: Destination, mapping: str) -> ExplainedRecord:
        return ExplainedRecord(record, origins(record, journey.message or {}, destination, self.workspace, mapping))


def explain(
    payload: Mapping[str, Any],
    workspace: Workspace | Mapping[str, Any] | Path | str | None = None,
    *,
    source: str = "",
    kind: str = "",
    at: float = 0.0,
) -> Explanation:
    """Return what would become of one call, or of the body of a batch; see `Explainer`.

    >>> explained = explain({"type": "track", "event": "Signed Up", "userId": "u-1"}, at=1767600000.0)
    >>> [(at.destination, at.outcome) for at in explained.calls[0].destinations]
    [('statsig', 'delivered'), ('fme-user', 'delivered'), ('ld', 'delivered')]
    >>> [origin.rule for origin in explained.calls[0].destinations[0].records[0].origins][:2]
    ['statsig.in.prefix', 'statsig.in.time']
    """
    return Explainer(workspace, source=source, at=at).explain(payload, kind)
