"""Are the units divided as the shares say? The chi-squared test of experimentation platforms, with math alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from trackside.counting.model import SampleRatio

LEAST_EXPECTED = 5
"""Units that every variation has to be due, for chi-squared to come close to the exact test."""


def sample_ratio(units: Sequence[int], shares: Sequence[float]) -> SampleRatio | None:
    """Return whether units are divided as the shares say (statsig.counting.sample-ratio).

    The thresholds are those that Statsig publishes, taken for every vendor: a p-value under 0.01 is a warning; one under
    0.001 is an alert, unless no variation is off by 0.1 % of all units.

    Args:
        units: of each variation.
        shares: of each variation, in the same order; what they do not add up to 1 is made up for in proportion.

    Returns:
        The test; or None for fewer than two variations, for a share of 0 (nobody says it), and where a variation is
        due fewer than 5 units: the approximation by chi-squared is unfit below.

    Raises:
        ValueError: there are more of one than of the other.

    Source: Statsig, "Monitor an Experiment", the check that exposures are balanced.

    >>> found = sample_ratio([480, 520], [0.5, 0.5])
    >>> round(found.statistic, 2), round(found.p_value, 4), round(found.deviation, 2), found.level
    (1.6, 0.2059, 0.02, 'ok')
    >>> sample_ratio([4, 5], [0.5, 0.5]) is None
    True
    """
    pairs = list(zip(units, shares, strict=True))
    if len(pairs) < 2 or min(shares) <= 0:
        return None
    total, whole = sum(units), math.fsum(shares)
    expected = [total * share / whole for share in shares]
    if min(expected) < LEAST_EXPECTED:
        return None
    statistic = math.fsum((count - due) ** 2 / due for count, due in zip(units, expected, strict=True))
    p_value = tail(statistic, len(pairs) - 1)
    deviation = max(abs(count / total - share / whole) for count, share in pairs)
    return SampleRatio(statistic, p_value, deviation, _level(p_value, deviation))


def tail(statistic: float, freedom: int) -> float:
    """Return how likely chi-squared is above a value by chance, 0 to 1, for whole degrees of freedom from 1.

    The closed form: for even degrees a sum of Poisson's terms, for odd ones a like sum at the halves and ``erfc``.

    >>> round(tail(5.991, 2), 4)
    0.05
    """
    if statistic <= 0:
        return 1.0
    half = statistic / 2
    powers = [freedom / 2 - step for step in range(1, freedom // 2 + 1)]
    terms = (math.exp(power * math.log(half) - half - math.lgamma(power + 1)) for power in powers)
    return min(1.0, math.fsum(terms) + (math.erfc(math.sqrt(half)) if freedom % 2 else 0.0))


def _level(p_value: float, deviation: float) -> Literal["ok", "warning", "alert"]:
    if p_value >= 0.01:
        return "ok"
    matters = round(deviation, 9) >= 0.001  # 0.501 - 0.5 is a little off 0.001
    return "alert" if p_value < 0.001 and matters else "warning"
