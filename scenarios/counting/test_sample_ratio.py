"""Are the units divided as the shares say: the test, its thresholds, and when there is none."""

from __future__ import annotations

import pytest

from trackside.counting.sample_ratio import sample_ratio, tail

CRITICAL_VALUES = [
    # as tables of the chi-squared distribution print them: value, degrees of freedom, upper tail
    (3.841, 1, 0.05),
    (6.635, 1, 0.01),
    (10.828, 1, 0.001),
    (5.991, 2, 0.05),
    (9.210, 2, 0.01),
    (13.816, 2, 0.001),
    (7.815, 3, 0.05),
    (11.345, 3, 0.01),
    (16.266, 3, 0.001),
    (16.812, 6, 0.01),
    (18.307, 10, 0.05),
    (31.264, 11, 0.001),
    (50.892, 30, 0.01),
]


@pytest.mark.parametrize(("value", "freedom", "chance"), CRITICAL_VALUES)
def test_the_tail_agrees_with_the_published_critical_values(value: float, freedom: int, chance: float) -> None:
    assert tail(value, freedom) == pytest.approx(chance, rel=1e-3)


@pytest.mark.parametrize("freedom", [1, 2, 3, 10, 59])
def test_a_statistic_of_0_is_always_reached(freedom: int) -> None:
    assert tail(0.0, freedom) == 1.0


@pytest.mark.parametrize("freedom", [1, 2, 11, 50])
def test_an_enormous_statistic_has_no_chance(freedom: int) -> None:
    assert tail(1e12, freedom) == 0.0


@pytest.mark.parametrize("freedom", [1, 2, 3, 10, 59])
def test_a_larger_statistic_is_less_likely(freedom: int) -> None:
    chances = [round(tail(value / 4, freedom), 12) for value in range(400)]
    assert chances == sorted(chances, reverse=True)


def test_units_as_the_shares_say_are_ok() -> None:
    found = sample_ratio([500, 500], [0.5, 0.5])
    assert found is not None
    assert (found.statistic, found.p_value, found.deviation, found.level) == (0.0, 1.0, 0.0, "ok")


def test_the_statistic_p_value_and_deviation_are_those_of_pearsons_test() -> None:
    found = sample_ratio([480, 520], [0.5, 0.5])
    assert found is not None
    assert found.statistic == pytest.approx(1.6)
    assert found.p_value == pytest.approx(0.2059032)
    assert found.deviation == pytest.approx(0.02)


THRESHOLDS = [
    # 10,000 units, half of them expected: the statistic is (difference / 50) squared
    (5128, "ok"),  # 6.554, p = 0.0105
    (5129, "warning"),  # 6.656, p = 0.0099
    (5164, "warning"),  # 10.758, p = 0.00104
    (5165, "alert"),  # 10.890, p = 0.00097
]


@pytest.mark.rule("statsig.counting.sample-ratio")
@pytest.mark.parametrize(("first", "level"), THRESHOLDS)
def test_a_p_value_under_1_in_100_warns_and_one_under_1_in_1000_alerts(first: int, level: str) -> None:
    found = sample_ratio([first, 10_000 - first], [0.5, 0.5])
    assert found is not None
    assert found.level == level


DEVIATIONS = [
    (5_009_990, "warning"),  # off by 0.0999 %, p = 2.6e-10
    (5_010_000, "alert"),  # off by 0.1 %, p = 2.5e-10
]


@pytest.mark.rule("statsig.counting.sample-ratio")
@pytest.mark.parametrize(("first", "level"), DEVIATIONS)
def test_an_unlikely_deviation_of_less_than_a_tenth_of_a_percent_only_warns(first: int, level: str) -> None:
    found = sample_ratio([first, 10_000_000 - first], [0.5, 0.5])
    assert found is not None
    assert found.p_value < 0.001
    assert found.level == level


def test_shares_of_a_part_of_the_traffic_are_taken_in_proportion() -> None:
    assert sample_ratio([90, 10], [0.45, 0.05]) == sample_ratio([90, 10], [0.9, 0.1])


def test_the_deviation_is_the_largest_of_all_variations() -> None:
    found = sample_ratio([600, 250, 150], [0.5, 0.25, 0.25])
    assert found is not None
    assert found.deviation == pytest.approx(0.1)


def test_a_variation_without_any_unit_is_found() -> None:
    found = sample_ratio([100, 0], [0.5, 0.5])
    assert found is not None
    assert found.level == "alert"


@pytest.mark.parametrize(
    ("units", "shares"),
    [([], []), ([100], [1.0]), ([50, 50], [1.0, 0.0]), ([50, 50], [0.0, 0.0]), ([0, 0], [0.5, 0.5])],
    ids=["no variation", "one variation", "a share of 0", "no shares", "no units"],
)
def test_there_is_no_test_without_two_variations_their_shares_and_units(units: list[int], shares: list[float]) -> None:
    assert sample_ratio(units, shares) is None


def test_a_variation_needs_5_expected_units() -> None:
    assert sample_ratio([96, 3], [0.95, 0.05]) is None  # 4.95 are due
    assert sample_ratio([97, 3], [0.95, 0.05]) is not None


def test_units_and_shares_have_to_be_of_the_same_variations() -> None:
    with pytest.raises(ValueError, match="shorter"):
        sample_ratio([50, 50, 50], [0.5, 0.5])
