"""How many paired seeds show a difference of a given size?

The test is the one behind ``selection.py``: the mean paired difference against
t(1 - alpha / (k - 1), n - 1) of its standard errors. Its power against a true difference is a
tail of the noncentral t distribution.

References:
    Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, chapter 2.
"""

import math
from bisect import bisect_left

from sweep.certify.statistics.selection import ALPHA, critical_value

POWER = 0.8
"""Chance that a difference is shown, if it is there."""

MOST_SEEDS = 10_000
"""Where the search for a number of seeds ends."""


def smallest_difference(sd: float, n: int, k: int, alpha: float = ALPHA, power: float = POWER) -> float:
    """Return the true difference between two configurations that n paired seeds show with a given power.

    Args:
        sd: Standard deviation of the paired differences between seeds. For
            independent losses it is sqrt(2) times that of one loss.
        n: Seeds, at least 2.
        k: Configurations compared, at least 2.
        alpha: Chance of being wrong over all comparisons with the best.
        power: Chance that the difference is shown.

    Returns:
        In the unit of ``sd``.

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
    """Return the fewest paired seeds that show a difference with a given power; None beyond 10,000.

    The arguments are those of ``smallest_difference``; the difference is above 0.

    Examples:
        >>> [seeds_needed(sd=0.005 * 2**0.5, difference=0.005, k=k) for k in (2, 5, 10)]
        [14, 22, 27]
    """
    assert difference > 0, "no number of seeds shows that there is no difference"
    counts = range(2, MOST_SEEDS + 1)
    place = bisect_left(counts, -difference, key=lambda n: -smallest_difference(sd, n, k, alpha, power))
    return counts[place] if place < len(counts) else None
