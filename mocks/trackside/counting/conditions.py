"""The conditions that an event has to meet: what each means, and when the audit fails for it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from trackside.counting.model import Condition

Weight = Literal["wiring", "timing"]


class About(NamedTuple):
    """What a condition means.

    Attributes:
        weight: ``wiring`` never mends itself, and one such event is a finding; ``timing`` also happens where all is well
            (not everybody who buys was in the experiment), and is a finding where nothing counts, or much does not.
        text: what is not met.
    """

    weight: Weight
    text: str


ABOUT: dict[Condition, About] = {
    "recording": About("wiring", "The experiment does not record: no iteration is running, or it was never started."),
    "flag": About("wiring", "The flag does not serve the experiment: it is off, killed, or serves no experiment."),
    "metric-event": About("timing", "No metric takes an event of this name."),
    "event-key-case": About("wiring", "The event's name and the metric's differ by upper or lower case."),
    "event-key-blanks": About("wiring", "They differ by blanks."),
    "event-key-underscores": About("wiring", "They differ by underscores in place of blanks."),
    "event-key-prefix": About("wiring", "They differ by the prefix that a vendor puts before Segment's names."),
    "metric-attached": About("timing", "A metric takes the event and is not attached to the experiment."),
    "metric-kind": About(
        "wiring", "The metric is of a kind that takes no such event: a click or page view metric, say."
    ),
    "metric-unit": About("wiring", "The metric is not analysed by the unit that the experiment divides up."),
    "metric-value": About("timing", "The metric adds up numbers, and the event has none."),
    "metric-filter": About("timing", "A filter of the metric keeps the event out."),
    "environment": About("wiring", "Event or exposure belong to another environment or tier."),
    "unit-type": About("timing", "The event has no id of the experiment's context kind, traffic type or ID type."),
    "id-type-unknown": About("wiring", "The project does not declare the ID type or traffic type."),
    "id-of-other-type": About(
        "timing", "Event and exposure have ids of different types: an anonymousId and a userId, say."
    ),
    "id-case": About("wiring", "Their ids differ only by upper or lower case."),
    "id-blanks": About("wiring", "Their ids differ only by blanks."),
    "id-prefix": About("wiring", "Their ids differ only by a prefix."),
    "unknown-id": About("timing", "No SDK ever evaluated anything for the id."),
    "not-exposed": About("timing", "The id is known, and was never exposed to the experiment."),
    "not-included": About("timing", "The flag was evaluated for the id, and the id is not part of the experiment."),
    "before-exposure": About("timing", "The event came before the exposure."),
    "outside-window": About("timing", "The event came later after the exposure than the vendor attributes it."),
    "outside-iteration": About(
        "timing", "The event, or the exposure, lies outside the time in which the experiment recorded."
    ),
    "switched": About("timing", "The unit saw another variation."),
    "sample-ratio": About("wiring", "The units are not divided among the variations as their shares say."),
    "excluded": About("timing", "The vendor leaves the unit out."),
    "dropped": About("wiring", "The event ended on its way: filtered, refused, or dropped by a mapping."),
}
"""Every condition, in the order in which it is looked at."""
