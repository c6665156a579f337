"""Experiments that are wired wrongly in one way each: the audit names the way, and finds nothing where it is mended.

People from Faker meet each experiment through the vendors' published SDKs, and order through Segment's, over sockets.
"""

from __future__ import annotations

from typing import Any

import launchdarkly_wirings
import pytest
import split_wirings
import statsig_wirings
from wirings import Wiring, played

from trackside.counting.conditions import ABOUT

WIRINGS: list[Wiring] = [*launchdarkly_wirings.WIRINGS, *statsig_wirings.WIRINGS, *split_wirings.WIRINGS]

# splitio_client starts one of its threads in a way that Python has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:setDaemon:DeprecationWarning")


def case(one: Wiring) -> Any:
    """Return a wiring as a case that carries the rules of its fault."""
    rules = pytest.mark.rule(f"trackside.audit.{one.condition}", one.rule)
    return pytest.param(one, id=f"{one.vendor}: {one.fault}", marks=rules)


FIRST = [one for index, one in enumerate(WIRINGS) if one.twin not in [other.twin for other in WIRINGS[:index]]]
"""Of the faults whose wiring is the same without them, the first."""


@pytest.mark.parametrize("wiring", [case(one) for one in WIRINGS])
def test_the_audit_and_the_verdict_name_the_fault(wiring: Wiring) -> None:
    with played(wiring, wiring.wrong) as shop:
        findings = shop.lab.counting.audit("lab").findings
        verdicts = wiring.of(shop).verdicts(next(iter(shop.ordered_as.values())))

    told, code = list(map(str, findings)), f"trackside.audit.{wiring.condition}"
    own = [one for one in findings if one.code == code and f"{wiring.experiment} in production:" in one.text]
    assert [(one.level, one.known_by) for one in own] == [(wiring.level, wiring.rule)], told
    assert wiring.fix in own[0].fix
    assert {one.code.removeprefix("trackside.audit.") for one in findings} == {wiring.condition, *wiring.also}, told
    expected = wiring.condition if wiring.verdict is None else wiring.verdict
    named = {unmet.condition for one in verdicts for unmet in one.unmet}
    assert (any(one.counted for one in verdicts), expected in named) == (not expected, bool(expected))


@pytest.mark.parametrize("wiring", [case(one) for one in FIRST])
def test_without_the_fault_everybody_counts_and_the_audit_finds_nothing(wiring: Wiring) -> None:
    with played(wiring, wiring.right) as shop:
        assert list(map(str, shop.lab.counting.audit("lab").findings)) == []
        someone = {variation: person for person, variation in shop.saw.items()}
        assert len(someone) == 2
        for variation, person in someone.items():
            wiring.of(shop).expect_counted(shop.ordered_as[person], variation=variation, timeout=0)


@pytest.mark.rule("trackside.audit.recording", "trackside.audit.flag", "trackside.audit.metric-event")
@pytest.mark.rule("trackside.audit.event-key-case", "trackside.audit.event-key-blanks")
@pytest.mark.rule("trackside.audit.event-key-underscores", "trackside.audit.event-key-prefix")
@pytest.mark.rule("trackside.audit.metric-attached", "trackside.audit.metric-kind", "trackside.audit.metric-unit")
@pytest.mark.rule("trackside.audit.metric-value", "trackside.audit.metric-filter", "trackside.audit.environment")
@pytest.mark.rule("trackside.audit.unit-type", "trackside.audit.id-type-unknown", "trackside.audit.id-of-other-type")
@pytest.mark.rule("trackside.audit.id-case", "trackside.audit.id-blanks", "trackside.audit.id-prefix")
@pytest.mark.rule("trackside.audit.unknown-id", "trackside.audit.not-exposed", "trackside.audit.not-included")
@pytest.mark.rule("trackside.audit.before-exposure", "trackside.audit.outside-window")
@pytest.mark.rule("trackside.audit.outside-iteration", "trackside.audit.sample-ratio", "trackside.audit.excluded")
@pytest.mark.rule("trackside.audit.dropped", "trackside.audit.switched")
def test_every_condition_that_the_audit_tells_is_planted_somewhere() -> None:
    assert {one.condition for one in WIRINGS} == set(ABOUT)
