"""Compute the power of paired comparisons: how many seeds detect a difference of a given size.

The test is that of ``selection.py``: the mean paired difference against t(1 - alpha / (k - 1), n - 1)
standard errors. Its power against a true difference is a tail of the noncentral t distribution.

References:
    Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, chapter 2.
"""

import math
from bisect import bisect_left
from typing import Any

import numpy as np

from sweep.certify.statistics.selection import ALPHA, critical_value, is_constant

POWER = 0.8
"""Probability of detecting a true difference."""

MOST_SEEDS = 10_000
"""Upper limit of the search for a number of seeds."""


def smallest_difference(sd: float, n: int, k: int, alpha: float = ALPHA, power: float = POWER) -> float:
    """Return the true difference between two configurations that n paired seeds detect with a given power.

    Args:
        sd: Standard deviation of the paired differences between seeds. For
            independent losses it is sqrt(2) times that of one loss.
        n: Number of seeds, at least 2.
        k: Number of compared configurations, at least 2.
        alpha: Probability of any error in the comparisons with the best.
        power: Probability of detecting the difference.

    Returns:
        The difference, in the unit of ``sd``.

    Examples:
        >>> round(smallest_difference(sd=0.0071, n=5, k=5), 4)
        0.0146
    """
    from scipy.special import nctdtrinc  # noqa: PLC0415  a run that only trains loads no SciPy

    standard_errors = nctdtrinc(n - 1, 1 - power, critical_value(k, n, alpha))
    return float(standard_errors) * sd / math.sqrt(n)


def seeds_needed(
    sd: float, difference: float, k: int, alpha: float = ALPHA, power: float = POWER
) -> int | None:
    """Return the fewest paired seeds that detect a difference with a given power; None beyond 10,000.

    The arguments are those of ``smallest_difference``; the difference is above 0.

    Examples:
        >>> [seeds_needed(sd=0.005 * 2**0.5, difference=0.005, k=k) for k in (2, 5, 10)]
        [14, 22, 27]
    """
    assert difference > 0, "the difference must be positive"
    counts = range(2, MOST_SEEDS + 1)
    place = bisect_left(counts, -difference, key=lambda n: -smallest_difference(sd, n, k, alpha, power))
    return counts[place] if place < len(counts) else None


def detectable(block: np.ndarray, alpha: float) -> dict[str, Any]:
    """Return the smallest detectable difference, and the seeds needed to separate the best two."""
    if len(block) < 2 or block.shape[1] < 2:
        return {"smallest_difference": None, "seeds_to_decide": None}
    k, n = block.shape
    first, second = block[np.argsort(block.mean(axis=1))[:2]]
    if is_constant(second - first):
        return {"smallest_difference": None, "seeds_to_decide": None}
    sd, found = float((second - first).std(ddof=1)), float((second - first).mean())
    return {
        "smallest_difference": smallest_difference(sd, n, k, alpha),
        "seeds_to_decide": seeds_needed(sd, found, k, alpha) if sd > 0 and found > 0 else None,
    }
