"""OwnLayer of a running lab as tests see it: its inferences, and the evaluators that trackside stands in for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trackside import expect
from trackside.errors import TracksideError
from trackside.exports import Exported
from trackside.ownlayer import export, records
from trackside.ownlayer.handles import Evaluation
from trackside.ownlayer.settings import OwnLayerSettings, Result
from trackside.ownlayer.store import OwnLayer
from trackside.steps import Record
from trackside.vendor import Mock


class OwnLayerMock(Mock):
    """OwnLayer of a running lab. Its events are evaluations; nothing is evaluated before a test says so."""

    live: OwnLayer

    # ---- its SDK

    def sdk_environment(self) -> dict[str, str]:
        """Return ``OWNLAYER_API_URL``, the whole endpoint, and ``OWNLAYER_API_KEY``, which the SDK reads at each call."""
        return self.options("ownlayer")

    # ---- what it keeps

    def inferences(self, **match: Any) -> list[Record]:
        """Return the inferences that it keeps, in the order of arrival.

        Args:
            match: ``input``, ``output``, ``messages``, ``model``, ``provider``, ``tags``, ``error``, ``feedback``,
                ``metadata``, ``user_id`` and ``event`` (of the ``segment`` attribute), ``id`` or ``where``.
        """
        return expect.records(self._lab, self.name, match, sort="inference")

    def expect_inference(
        self, *, timeout: float = expect.TIMEOUT_SECONDS, count: int | None = None, **match: Any
    ) -> Record:
        """Wait for an inference and return it, the first where there are several.

        Args:
            timeout: seconds to wait at most.
            count: exactly so many, where given.
            match: as `inferences` takes it.
        """
        __tracebackhide__ = True
        return expect.expect(self._lab, self.name, match, count=count, timeout=timeout, sort="inference")

    def evaluations(self, **match: Any) -> list[Record]:
        """Return the evaluations that it keeps, as `events` does: OwnLayer's events are its evaluations.

        Args:
            match: ``name`` (OwnLayer's own event), ``result``, ``inference``, ``evaluator``, ``score``, ``user_id``,
                ``metadata``, ``id`` or ``where``.
        """
        return self.events(**match)

    def waiting(self) -> list[Record]:
        """Return the inferences that were not evaluated yet, in the order of arrival."""
        records = [one.record for one in self._lab.kept(self.name)]
        evaluated = {record["inference"] for record in records if record["kind"] == "evaluation"}
        return [record for record in records if record["kind"] == "inference" and record["id"] not in evaluated]

    # ---- evaluating

    def evaluate(
        self,
        inference: str | Record | Callable[[Record], Any] | None = None,
        *,
        passed: bool = True,
        event: str = "",
        evaluator: str = "",
        score: float | None = None,
    ) -> Evaluation:
        """Let an evaluator end on an inference; what Segment gets of it has arrived when this returns.

        Args:
            inference: its id, its record, or a predicate, of which the latest that it accepts is taken; the latest one
                of all by default.
            passed: how it ends.
            event: OwnLayer's own event, where that is not ``Evaluation Pass`` or ``Evaluation Fail`` (or what
                ``ownlayer.segment.names`` calls them).
            evaluator: the evaluator's name.
            score: what it gave.

        Raises:
            TracksideError: there is no such inference.
        """
        result: Result = "pass" if passed else "fail"
        return self._evaluated(self._chosen(inference), result, event, evaluator, score)

    def evaluate_waiting(self, *, passed: bool = True, **more: Any) -> list[Evaluation]:
        """Evaluate every inference that was not yet, in the order of arrival; ``more`` as `evaluate` takes it."""
        return [self.evaluate(record, passed=passed, **more) for record in self.waiting()]

    def _chosen(self, inference: str | Record | Callable[[Record], Any] | None) -> Record:
        if isinstance(inference, dict):
            inference = str(inference.get("id"))
        for kept in self._lab.kept(self.name, newest_first=True):
            record = kept.record
            if record["kind"] == "inference" and (
                inference is None or (inference(record) if callable(inference) else record["id"] == inference)
            ):
                return record
        asked = f" with the id {inference!r}" if isinstance(inference, str) else ""
        asked = " that the predicate accepts" if callable(inference) else asked
        raise TracksideError(f"there is no inference{asked}", "evaluate", "wait for it with expect_inference()")

    def _evaluated(
        self, inference: Record, result: Result, event: str, evaluator: str, score: float | None
    ) -> Evaluation:
        lab = self._lab
        with lab.lock:
            own = event or self.live.settings.segment.name(result)
            record = records.evaluation(
                inference,
                self.live.new_id(),
                lab.clock.now(),
                result=result,
                event=own,
                evaluator=evaluator,
                score=score,
            )
            row = lab.happened(self.name, "evaluation", record)
        lab.settle()
        return Evaluation(lab, row, record)

    # ---- its exports

    def exports(self, settings: OwnLayerSettings) -> bool:  # noqa: ARG002 - where the integration is off, a step says so
        """Return whether evaluations are looked at on their way to Segment: always."""
        return True

    def exported(self, records: list[Record], settings: OwnLayerSettings, _state: None) -> Exported:
        """Return what goes to Segment of evaluations."""
        return export.exported(records, settings)
