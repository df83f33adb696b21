"""Find losses that are so far from all others that they alone would decide every mean and spread.

The intervals of ``selection.py`` assume normal means. One seed on which a configuration explodes makes its
spread as large as its mean, so that it is never shown to be worse than any other, and bounds the distance of
all others from the best with its own huge margin.

The bound follows from Markov's inequality. Let m be a mean that the best configuration does not exceed, and
let no loss be lower than m - s. A configuration whose mean is m or lower reaches m + 1000 s with a
probability of at most 1 / 1001 in a training. So a configuration with such a loss is not the best, whatever
its distribution. Here m is the median of all losses, and s its distance from the lowest one, or the
difference that does not matter if that is larger.
"""

import math
from collections.abc import Iterable

TIMES = 1000.0
"""Distance from the median, in multiples of s, from which a loss has exploded."""


def explosion_bound(losses: Iterable[float], delta: float) -> float:
    """Return the loss above which a training has exploded.

    Args:
        losses: All losses of a comparison, at least one.
        delta: Difference that does not matter, 0 or more, in the unit of the losses.

    Returns:
        Infinity if nothing sets a scale: ``delta`` is 0, and half of the losses are equal to the lowest.

    Examples:
        >>> explosion_bound([2.0, 2.5, 2.25, 2.7e10], delta=0.001)
        252.25
    """
    ordered = sorted(losses)
    median = ordered[(len(ordered) - 1) // 2]
    return median + (TIMES * max(delta, median - ordered[0]) or math.inf)
