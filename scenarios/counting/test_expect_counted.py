"""Assertions on what counts: they wait, return the verdict, and fail with every condition and what would mend it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from small_lab import LAUNCHDARKLY, bulk, custom, feature, impression, track, workspace

from trackside.counting.model import ExperimentResult
from trackside.errors import TracksideError
from trackside.expect import ExpectationError
from trackside.lab import Lab

NewLab = Callable[..., Lab]


@pytest.fixture
def lab(new_lab: NewLab) -> Lab:
    """A lab whose source feeds LaunchDarkly and Split."""
    return new_lab(workspace("ld", "fme"))


def failed(of: Callable[..., Any], *arguments: Any, **asked: Any) -> str:
    """Return the text with which an expectation fails at once."""
    with pytest.raises(ExpectationError) as raised:
        of(*arguments, **asked)
    return str(raised.value)


# ---- counted


def test_an_event_that_counts_is_returned(lab: Lab) -> None:
    bulk(lab, feature("u-1"))
    track(lab)

    found = lab.launchdarkly.experiment("banner-test").expect_counted("u-1")

    assert (found.event, found.variations, found.metrics) == ("Order Completed", ("blue",), ("orders",))


def test_splits_experiments_have_the_same(lab: Lab) -> None:
    impression(lab, "u-1")
    track(lab)

    found = lab.split.experiment("menu-test").expect_counted("u-1", variation="on", metric="paid")

    assert (found.vendor, found.event) == ("split", "Order_Completed")
    assert lab.split.experiment("menu-test", "production").expect_counted(message_id="m-1") == found


def test_it_waits_for_what_is_still_on_its_way(lab: Lab) -> None:
    bulk(lab, feature("u-1"))
    late = threading.Timer(0.05, track, [lab])
    late.start()

    assert lab.launchdarkly.experiment("banner-test").expect_counted("u-1").counted
    late.join()


def test_the_event_that_fits_is_returned_of_several(lab: Lab) -> None:
    bulk(lab, feature("u-1"), custom("u-1", "order completed"), custom("u-1"))

    experiment = lab.launchdarkly.experiment("banner-test")

    assert experiment.expect_counted("u-1").event == "Order Completed"
    assert [one.outcome for one in experiment.verdicts("u-1")] == ["not_counted", "counted"]


def test_it_fails_with_the_condition_its_rule_and_the_fix(lab: Lab) -> None:
    bulk(lab, feature("U-1"))
    track(lab)

    told = failed(lab.launchdarkly.experiment("banner-test").expect_counted, "u-1", timeout=0)

    lines = told.splitlines()
    assert lines[:2] == ["no event of 'u-1' counts in launchdarkly banner-test", "There is:"]
    assert 'launchdarkly banner-test (production): "Order Completed" of "u-1", message m-1, does not count' in lines[2]
    assert (
        'id-case: the event has the id "u-1", exposures have "U-1": they differ by upper or lower case '
        "(launchdarkly.in.context-match)"
    ) in lines[3]
    assert "send the same id, letter for letter, to both." in lines[3]
    assert "documented: " in lines[4]
    assert "launchdarkly.com" in lines[4]


def test_it_fails_where_nothing_came(lab: Lab) -> None:
    told = failed(lab.launchdarkly.experiment("banner-test").expect_counted, "u-1", event="Order Completed", timeout=0)

    assert told.splitlines() == [
        "no event 'Order Completed' of 'u-1' counts in launchdarkly banner-test",
        "There is:",
        "    nothing of 'u-1' came to launchdarkly that could count: no event of a metric, and none near it",
    ]


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"variation": "control"}, "counts for control in"),
        ({"metric": "revenue"}, "counts in revenue in"),
        ({"variation": "blue", "metric": "revenue"}, "counts for blue in revenue in"),
    ],
)
def test_it_fails_where_it_counts_for_another_variation_or_metric(lab: Lab, asked: dict[str, str], wanted: str) -> None:
    bulk(lab, feature("u-1"))
    track(lab)

    told = failed(lab.launchdarkly.experiment("banner-test").expect_counted, "u-1", timeout=0, **asked)

    assert told.startswith(f"no event of 'u-1' {wanted} launchdarkly banner-test")
    assert "counts for blue, in orders" in told


def test_a_failure_has_the_verdicts_as_its_parts(lab: Lab) -> None:
    bulk(lab, custom("u-1"))
    with pytest.raises(ExpectationError) as raised:
        lab.launchdarkly.experiment("banner-test").expect_counted("u-1", timeout=0)

    [told] = raised.value.unwanted
    assert [one["condition"] for one in told["unmet"]] == ["not-exposed"]
    assert raised.value.where == "launchdarkly"


# ---- not counted


def test_what_does_not_count_is_returned_with_its_reason(lab: Lab) -> None:
    bulk(lab, feature("U-1"))
    track(lab)

    [found] = lab.launchdarkly.experiment("banner-test").expect_not_counted("u-1", because="id-case")

    assert found.outcome == "not_counted"


def test_nothing_that_came_does_not_count_either_unless_a_reason_is_asked_for(lab: Lab) -> None:
    experiment = lab.launchdarkly.experiment("banner-test")

    assert experiment.expect_not_counted("u-1") == []
    assert failed(experiment.expect_not_counted, "u-1", because="id-case").startswith(
        "no event of 'u-1' came, of which id-case was to be said"
    )


def test_an_event_that_counts_after_all_fails(lab: Lab) -> None:
    bulk(lab, feature("u-1"))
    track(lab)

    told = failed(lab.launchdarkly.experiment("banner-test").expect_not_counted, "u-1", event="Order Completed")

    assert told.startswith("an event 'Order Completed' of 'u-1' was not to count in launchdarkly banner-test\n")
    assert "counts for blue, in orders" in told


def test_another_reason_fails(lab: Lab) -> None:
    bulk(lab, feature("U-1"))
    track(lab)

    told = failed(lab.launchdarkly.experiment("banner-test").expect_not_counted, message_id="m-1", because="unknown-id")

    assert told.startswith("an event of message m-1 was not to count in launchdarkly banner-test because of unknown-id")
    assert "id-case: " in told


def test_what_is_under_way_is_waited_for(new_lab: NewLab) -> None:
    lab = new_lab(workspace(), deliveries="http").start()
    bulk(lab, feature("u-1"))
    track(lab)

    assert "counts for blue" in failed(lab.launchdarkly.experiment("banner-test").expect_not_counted, "u-1")


def test_it_settles_first(lab: Lab) -> None:
    bulk(lab, feature("u-1"))
    lab.launchdarkly.fail(500)
    track(lab)

    [found] = lab.launchdarkly.experiment("banner-test").expect_not_counted("u-1", because="dropped")
    assert found.unmet[0].text.startswith("the message ended on its way to launchdarkly")
    lab.advance(3600)
    assert lab.launchdarkly.experiment("banner-test").expect_counted("u-1")


# ---- the experiment


def test_its_results_are_those_of_the_lab(lab: Lab) -> None:
    bulk(lab, feature("u-1"), custom("u-1"))
    experiment = lab.launchdarkly.experiment("banner-test")

    found = experiment.results()

    assert isinstance(found, ExperimentResult)
    assert (found.events, found.counted) == (1, 1)
    assert experiment.as_json()["experiment"] == "banner-test"


def test_an_experiment_that_is_none_is_said_so_at_once(lab: Lab) -> None:
    with pytest.raises(TracksideError, match="did you mean 'banner-test'"):
        lab.launchdarkly.experiment("banner-tset")
    with pytest.raises(TracksideError, match="the experiment 'banner-test' is not in"):
        lab.launchdarkly.experiment("banner-test", "staging")


@pytest.mark.parametrize("vendor", ["segment", "ownlayer"])
def test_a_vendor_without_experiments_says_so(lab: Lab, vendor: str) -> None:
    with pytest.raises(TracksideError, match="has no experiments"):
        lab.mocks[vendor].experiment("banner-test")


def test_an_experiment_that_went_away_is_said_so(lab: Lab) -> None:
    experiment = lab.launchdarkly.experiment("banner-test")
    lab.configure(workspace("ld", launchdarkly={**LAUNCHDARKLY, "experiments": {}}))

    with pytest.raises(TracksideError, match="there is no experiment"):
        experiment.results()


def test_nobody_is_named(lab: Lab) -> None:
    with pytest.raises(TracksideError, match="nobody is named"):
        lab.launchdarkly.experiment("banner-test").expect_counted(timeout=0)
