"""Why nobody with an event's id was exposed to an experiment: what is known that is nearly that id."""

from __future__ import annotations

from collections.abc import Sequence

from trackside.counting.judging import Judge
from trackside.counting.ledger import Ledger, Row, fold
from trackside.counting.model import Condition, Exposure, Unmet
from trackside.telling import shown


class Ids:
    """Says why nobody with an event's id was exposed to an experiment: what the ledger knows that is nearly it.

    Args:
        judge: of the experiment.
        ledger: which is asked.
    """

    def __init__(self, judge: Judge, ledger: Ledger) -> None:
        self._judge, self._ledger = judge, ledger
        self._vendor, self._experiment = judge.project.vendor, judge.experiment
        self._unit_word = judge.counting.words.unit_type
        self._any: bool | None = None
        self._only_counted: bool | None = None

    @property
    def anybody(self) -> bool:
        """Whether anybody was exposed to the flag or experiment."""
        if self._any is None:
            self._any = self._ledger.has_exposures(self._vendor, self._experiment.exposed_by)
        return self._any

    @property
    def _nobody_included(self) -> bool:
        """Whether SDKs tell that they evaluated the flag, and for nobody that this was an exposure."""
        if self._only_counted is None:
            asked = self._vendor, self._experiment.exposed_by, self._experiment.environment
            self._only_counted = self._ledger.has_exposures(*asked) and not self._ledger.has_exposures(
                *asked, units=True
            )
        return self._only_counted

    def why(self, row: Row) -> Unmet:
        """Return why the unit of an event counts for no variation; it carries an id of the experiment's type."""
        unit = row.ids[row.series.types.index(self._experiment.unit)]
        known = self._ledger.exposures(self._vendor, unit)
        here = [one for one in known if one.name == self._experiment.exposed_by]
        same_type = [one for one in here if one.unit_type in (self._experiment.unit, "")]
        if same_type:
            return self._not_included(unit, same_type)
        return (
            self._other_type(unit, here or known)
            or self._other_id(unit, row)
            or self._nearly(unit)
            or self._elsewhere(unit, known)
            or self._never(unit, known)
        )

    def _not_included(self, unit: str, exposures: Sequence[Exposure]) -> Unmet:
        one, word = self._experiment, self._judge.counting.words
        elsewhere = [each for each in exposures if one.environment not in ("", each.environment)]
        if len(elsewhere) == len(exposures):
            text = f"{shown(unit)} was exposed in the {word.environment} {shown(elsewhere[0].environment)}, not in {shown(one.environment)}"
            fix = f"evaluate the flag with the key or {word.environment} of {one.environment}"
            return self._judge.unmet("environment", text, one.place, fix)
        last = exposures[-1]
        got = f" (it got {shown(last.variation)} by {shown(last.label)})" if last.variation or last.label else ""
        text = f"{shown(unit)} was evaluated and is not part of the experiment {one.key}{got}"
        fix = "let the rule that serves it be the experiment's, with this unit in its allocation"
        return self._judge.unmet("not-included", text, one.place, fix)

    def _other_type(self, unit: str, seen: Sequence[Exposure]) -> Unmet | None:
        """Return the fault of a unit that SDKs sent under other types only."""
        if not seen or any(one.unit_type in (self._experiment.unit, "") for one in seen):
            return None
        text = f"{shown(unit)} was exposed as {self._unit_word} {shown(seen[0].unit_type)}, and the event carries it as {shown(self._experiment.unit)}"
        return self._judge.unmet("id-of-other-type", text, "", f"send one id under one {self._unit_word}")

    def _other_id(self, unit: str, row: Row) -> Unmet | None:
        """Return the fault of an event whose message has another id, which was exposed, or that carries Segment's anonymousId."""
        for name, other in (("userId", row.user), ("anonymousId", row.anonymous)):
            if other and other != unit and self._was_exposed(other):
                own = "anonymousId" if unit == row.anonymous else "userId" if unit == row.user else "an id"
                text = f"the event counts for {shown(unit)} ({own}), and exposures have the {name} {shown(other)}"
                return self._judge.unmet("id-of-other-type", text, "", f"map the {name} to the {self._unit_word} {self._experiment.unit}, or evaluate the flag with the other id")  # fmt: skip
        twins = [name for name, value in zip(row.series.types, row.ids, strict=True) if value == unit]
        if unit == row.anonymous and not row.user and len(twins) > 1:
            text = f"the event has no userId: the anonymousId {shown(unit)} stands for the {self._unit_word} {self._experiment.unit}"
            return self._judge.unmet("id-of-other-type", text, "", "identify the user before the event, or randomize by the anonymous id")  # fmt: skip
        return None

    def _was_exposed(self, unit: str) -> bool:
        return any(map(self._judge.includes, self._ledger.exposures(self._vendor, unit, self._experiment.exposed_by)))

    def _nearly(self, unit: str) -> Unmet | None:
        for one in self._ledger.near(self._vendor, unit, self._experiment.exposed_by, self._experiment.unit):
            how, told = _how_ids_differ(unit, one.unit)
            text = f"the event has the id {shown(unit)}, exposures have {shown(one.unit)}: they differ by {told}"
            return self._judge.unmet(how, text, "", "send the same id, letter for letter, to both")
        return None

    def _elsewhere(self, unit: str, known: Sequence[Exposure]) -> Unmet | None:
        """Return the fault of a unit that is known in other environments only."""
        wanted, word = self._experiment.environment, self._judge.counting.words.environment
        if not wanted or not known or any(one.environment == wanted for one in known):
            return None
        text = f"{shown(unit)} is known in the {word} {shown(known[0].environment)} only, not in {shown(wanted)}"
        fix = f"evaluate the flag with the key or {word} of {wanted}"
        return self._judge.unmet("environment", text, self._experiment.place, fix)

    def _never(self, unit: str, known: Sequence[Exposure]) -> Unmet:
        flag = self._experiment.exposed_by
        if known and self._nobody_included:
            text = f"{flag} was evaluated, and SDKs report nobody as part of the experiment, {shown(unit)} neither"
            fix = "let the rule that serves it be the experiment's, with this unit in its allocation"
            return self._judge.unmet("not-included", text, self._experiment.place, fix)
        if known or not self.anybody:
            who = f"{shown(unit)} is known, and" if known else "nobody, so that neither this unit,"
            text = (
                f"{who} was never exposed to {flag}"
                if known
                else f"no exposure to {flag} ever came, for this unit or another"
            )
            return self._judge.unmet("not-exposed", text, self._experiment.place, f"evaluate {flag} with an SDK, for this id, before the event; and flush or close it")  # fmt: skip
        text = f"the id {shown(unit)} is unknown: no SDK ever evaluated anything for it as {self._unit_word} {self._experiment.unit}"
        return self._judge.unmet("unknown-id", text, "", "evaluate the flag with the same id that the event carries")


def _how_ids_differ(one: str, other: str) -> tuple[Condition, str]:
    if "".join(one.split()) == "".join(other.split()):
        return "id-blanks", "blanks"
    if fold(one) == fold(other):
        return "id-case", "upper or lower case"
    return "id-prefix", "a prefix"
