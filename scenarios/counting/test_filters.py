"""What a metric reads of an event: its value, and whether its filters let it pass."""

from __future__ import annotations

from typing import Any

import pytest

from trackside.counting.filters import OPERATORS, fact, number_at, passes
from trackside.counting.model import Filter, Metric

EVENT: dict[str, Any] = {
    "metadata": {
        "plan": "gold",
        "price": "9.5",
        "count": 3,
        "paid": True,
        "none": None,
        "list": [1],
        "empty": "",
        "wild": float("nan"),
        "endless": "inf",
    }
}
CASES = [
    # operator, field, values, whether it passes
    ("in", "plan", ["silver", "gold"], True),
    ("in", "plan", ["Gold"], False),
    ("in", "plan", [], False),
    ("in", "price", [9.5], True),
    ("in", "price", ["9.50"], False),
    ("in", "count", ["3"], True),
    ("in", "count", [3.0], True),
    ("in", "plan", [3], False),
    ("in", "paid", [True], True),
    ("in", "paid", ["true"], True),
    ("in", "paid", [1], False),
    ("in", "count", [True], False),
    ("in", "none", ["None"], False),
    ("not in", "plan", ["silver"], True),
    ("not in", "plan", ["gold"], False),
    ("not in", "absent", ["gold"], True),
    ("<", "price", [10], True),
    ("<", "price", ["9.5"], False),
    ("<=", "price", [9.5], True),
    ("<=", "price", [9], False),
    (">", "count", [2], True),
    (">", "count", [3], False),
    (">=", "count", ["3"], True),
    (">=", "count", [4], False),
    (">", "plan", [1], False),
    (">", "absent", [0], False),
    (">", "paid", [0], False),
    (">", "wild", [0], False),
    (">", "endless", [0], False),
    (">", "count", ["two"], False),
    (">", "count", [], False),
    ("contains", "plan", ["ol"], True),
    ("contains", "plan", ["x", "old"], True),
    ("contains", "plan", ["OL"], False),
    ("contains", "absent", [""], False),
    ("contains", "count", [3], True),
    ("not contains", "plan", ["ol"], False),
    ("not contains", "absent", ["ol"], True),
    ("starts with", "plan", ["go"], True),
    ("starts with", "plan", ["ld"], False),
    ("ends with", "plan", ["ld"], True),
    ("ends with", "plan", ["go"], False),
    ("matches", "plan", ["^g.ld$"], True),
    ("matches", "plan", ["^old"], False),
    ("matches", "plan", ["old"], True),
    ("matches", "plan", ["("], False),
    ("matches", "plan", ["(", "gold"], True),
    ("exists", "plan", [], True),
    ("exists", "empty", [], True),
    ("exists", "none", [], False),
    ("exists", "absent", [], False),
    ("not exists", "absent", [], True),
    ("not exists", "plan", [], False),
]


@pytest.mark.rule(
    "trackside.audit.metric-filter",
    "statsig.counting.criteria",
    "split.counting.filters",
    "launchdarkly.counting.filters",
)
@pytest.mark.parametrize(("operator", "name", "values", "expected"), CASES)
def test_an_operator_compares_text_as_text_and_numbers_as_numbers(
    operator: str, name: str, values: list[Any], expected: bool
) -> None:
    assert passes([Filter(("metadata", name), operator, tuple(values))], EVENT) is expected


def test_every_operator_has_a_case_that_passes_and_one_that_does_not() -> None:
    seen = {(operator, expected) for operator, *_, expected in CASES}

    assert seen == {(operator, expected) for operator in OPERATORS for expected in (True, False)}


def test_all_filters_have_to_let_an_event_pass() -> None:
    gold, cheap = Filter(("metadata", "plan"), "in", ("gold",)), Filter(("metadata", "price"), "<", (1,))

    assert passes([gold], EVENT)
    assert not passes([gold, cheap], EVENT)
    assert passes([], EVENT)


@pytest.mark.parametrize(
    "path", [("metadata", "plan", "deeper"), ("metadata", "list", "0"), ("gone", "plan"), ("", "")]
)
def test_a_path_that_leads_nowhere_is_a_field_that_is_not_there(path: tuple[str, ...]) -> None:
    assert passes([Filter(path, "not exists")], EVENT)
    assert number_at(EVENT, path) is None


@pytest.mark.rule("trackside.audit.metric-value", "statsig.counting.metric-value")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (9, 9.0),
        (-0.5, -0.5),
        (0, 0.0),
        ("9.5", 9.5),
        (" 9 ", 9.0),
        ("1e3", 1000.0),
        ("", None),
        ("nine", None),
        ("1_000", None),
        ("nan", None),
        ("inf", None),
        (float("nan"), None),
        (float("inf"), None),
        pytest.param(10**400, None, id="a number of 401 digits"),
        (True, None),
        (None, None),
        ([1], None),
        ({}, None),
    ],
)
def test_a_value_is_a_number_or_text_that_is_one(value: Any, expected: float | None) -> None:
    assert number_at({"value": value}, ("value",)) == expected


REVENUE = Metric("revenue", "buy", ("user",), "sum", "sum", value=("value",), filters=(Filter(("plan",), "exists"),))


def test_an_event_is_a_number_to_a_metric_that_adds_up_and_true_to_one_that_counts() -> None:
    counts = Metric("buys", "buy", ("user",), "count", "count")

    assert fact(REVENUE, {"plan": "gold", "value": 0}) == 0.0
    assert fact(REVENUE, {"plan": "gold", "value": 0}) is not False
    assert fact(counts, {}) is True


def test_a_filter_keeps_an_event_out_before_its_value_is_looked_at() -> None:
    assert fact(REVENUE, {"value": 3}) is False
    assert fact(REVENUE, {"plan": "gold"}) is None
