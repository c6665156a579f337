"""One experiment as tests see it: its verdicts and results, and assertions on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trackside.counting.telling import verdict_lines
from trackside.expect import TIMEOUT_SECONDS, ExpectationError

if TYPE_CHECKING:
    from trackside.counting.model import Condition, ExperimentResult
    from trackside.counting.verdicts import Verdict
    from trackside.lab import Lab


class Counts:
    """What an experiment of a running lab can be asked; a class that has it sets these.

    Attributes:
        vendor: whose it is.
        key: as the vendor names it.
        environment: empty for any.
    """

    _lab: Lab
    vendor: str
    key: str
    environment: str = ""

    def verdicts(self, user: str = "", *, event: str = "", message_id: str = "") -> list[Verdict]:
        """Return the verdict on each event of a person, or of one message, the oldest first."""
        asked = {"user": user, "event": event, "message_id": message_id}
        return list(
            self._lab.counting.verdicts(vendor=self.vendor, experiment=self.key, environment=self.environment, **asked)
        )

    def results(self) -> ExperimentResult:
        """Return what it has counted so far."""
        return self._lab.counting.results(self.vendor, self.key, self.environment)[0]

    def expect_counted(
        self,
        user: str = "",
        *,
        event: str = "",
        message_id: str = "",
        variation: str = "",
        metric: str = "",
        timeout: float = TIMEOUT_SECONDS,
    ) -> Verdict:
        """Wait until an event counts, and return its verdict.

        Args:
            user: any id of the person.
            event: its name; empty for any.
            message_id: of a Segment message, in place of a person.
            variation: that it has to count for; empty for any.
            metric: that it has to count in; empty for any.
            timeout: seconds to wait at most.

        Raises:
            ExpectationError: none does, with every condition that is not met and what would mend it.
        """
        __tracebackhide__ = True
        found: list[Verdict] = []

        def fits(one: Verdict) -> bool:
            return one.counted and variation in ("", *one.variations) and metric in ("", *one.metrics)

        def counted() -> bool:
            found[:] = self.verdicts(user, event=event, message_id=message_id)
            return any(map(fits, found))

        if self._lab.journal.wait(counted, timeout):
            return next(filter(fits, found))
        wanted = "".join(f" {word} {value}" for word, value in (("for", variation), ("in", metric)) if value)
        raise self._failed(
            f"{self._about(user, event, message_id)} counts{wanted} in {self.vendor} {self.key}",
            found,
            user or message_id,
        )

    def expect_not_counted(
        self, user: str = "", *, event: str = "", message_id: str = "", because: Condition | None = None
    ) -> list[Verdict]:
        """Settle, then check once that no event counts, and return the verdicts.

        Args:
            user: any id of the person.
            event: its name; empty for any.
            message_id: of a Segment message, in place of a person.
            because: a condition that each verdict has to name, as `trackside.counting.conditions` does.

        Raises:
            ExpectationError: one counts, or for another reason does not; or nothing came that a reason could be told of.
        """
        __tracebackhide__ = True
        self._lab.settle()
        found = self.verdicts(user, event=event, message_id=message_id)
        if because is not None and not found:
            what = f"{self._about(user, event, message_id)} came, of which {because} was to be said"
            raise self._failed(what, found, user or message_id)
        wrong = [
            one
            for one in found
            if one.counted or (because is not None and because not in [unmet.condition for unmet in one.unmet])
        ]
        if wrong:
            reason = f" because of {because}" if because else ""
            who = self._about(user, event, message_id).replace("no ", "an ", 1)
            raise self._failed(f"{who} was not to count in {self.vendor} {self.key}{reason}", wrong, user or message_id)
        return found

    def _about(self, user: str, event: str, message_id: str) -> str:
        name = f" {event!r}" if event else ""
        return f"no event{name} of {user or message_id!r}" if user else f"no event{name} of message {message_id}"

    def _failed(self, what: str, found: Sequence[Verdict], who: str) -> ExpectationError:
        rows = [line for one in found for line in verdict_lines(one.as_json())]
        if not rows:
            rows = [
                f"nothing of {who!r} came to {self.vendor} that could count: no event of a metric, and none near it"
            ]
        return ExpectationError(what, self.vendor, rows=rows, unwanted=[one.as_json() for one in found] or [{}])

    def as_json(self) -> dict[str, Any]:
        """Return its results as JSON."""
        from trackside.counting.as_json import result_json  # noqa: PLC0415 - only for who asks

        return result_json(self.results())


class ExperimentHandle(Counts):
    """An experiment of a running lab.

    Args:
        lab: where it runs.
        vendor: whose it is.
        key: as the vendor names it.
        environment: empty for any.

    Raises:
        TracksideError: there is none of this key.
    """

    def __init__(self, lab: Lab, vendor: str, key: str, environment: str = "") -> None:
        self._lab, self.vendor, self.key, self.environment = lab, vendor, key, environment
        lab.counting.experiments(vendor, key, environment)
