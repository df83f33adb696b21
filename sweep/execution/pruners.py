"""Decide which trials to prune.

A pruner is a pure function of the losses reported so far: it compares a trial with the others at the same
rung, a percentage of each trial's own budget. Budgets differ, so this is a heuristic. At 100 %, no trial is
pruned.

References:
    Li et al., "A System for Massively Parallel Hyperparameter Tuning" (ASHA), 2020.
    Golovin et al., "Google Vizier", 2017, section 3.2.2 (the median rule).
"""

import statistics
from collections.abc import Mapping

Rungs = Mapping[int, Mapping[int, float]]
"""Rung in per cent -> trial number -> value as a loss: lower is better."""

REDUCTION_FACTOR = 3
"""Under ``asha``, the best of this many trials continues from a rung."""

MEDIAN_STARTUP = 5
"""Number of other trials that must have reached a rung before ``median`` prunes there."""


def never(rungs: Rungs, trial: int, rung: int) -> bool:
    """Keep every trial."""
    return False


def median(rungs: Rungs, trial: int, rung: int) -> bool:
    """Prune a trial whose loss is above the median of the other trials at this rung.

    Examples:
        >>> rungs = {10: {0: 2.1, 1: 2.2, 2: 2.3, 3: 2.4, 4: 2.5, 5: 2.29, 6: 2.31}}
        >>> median(rungs, 5, 10), median(rungs, 6, 10)
        (False, True)
    """
    others = [loss for other, loss in rungs[rung].items() if other != trial]
    return len(others) >= MEDIAN_STARTUP and rungs[rung][trial] > statistics.median(others)


def asha(rungs: Rungs, trial: int, rung: int) -> bool:
    """Prune a trial that is not in the best third at this rung so far.

    With n trials at the rung, the best max(1, n // 3) continue, so the first always does.

    Examples:
        >>> rungs = {10: {0: 2.4, 1: 2.3, 2: 2.5}}
        >>> [asha(rungs, trial, 10) for trial in (0, 1, 2)]
        [True, False, True]
    """
    losses = sorted(rungs[rung].values())
    promoted = max(1, len(losses) // REDUCTION_FACTOR)
    return rungs[rung][trial] > losses[promoted - 1]
