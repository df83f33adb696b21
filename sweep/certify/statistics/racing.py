"""Race configurations: eliminate those that are clearly worse before all seeds are used.

This is Kim and Nelson's fully sequential procedure, as a pure function of all losses so far, so that a race
resumes from stored results. Dropping a configuration whenever a 95 % test calls it worse would not be valid:
each look is another chance to drop the best one.

After round r, configuration i is eliminated if, for some j that was in the race before the round,

    mean[i] - mean[j] > max(0, delta / (2 r) * (h2 * var[i, j] / delta**2 - r)),
    h2 = (n0 - 1) * ((2 alpha / (k - 1)) ** (-2 / (n0 - 1)) - 1),

where var[i, j] is the sample variance of the paired differences in the first n0 rounds. If the best mean
leads every other by at least delta, the best configuration stays with probability at least 1 - alpha,
whatever the variances and the correlation between configurations; stopping at ``most_rounds`` does not
lower it. If the lead is smaller, the best may lose to one that is worse by less than delta.

References:
    Kim, Nelson, "A Fully Sequential Procedure for Indifference-Zone Selection in Simulation",
    ACM Transactions on Modeling and Computer Simulation 11, 2001 (procedure KN with c = 1).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sweep.certify.statistics.selection import ALPHA

Losses = Mapping[int, Sequence[float]]
"""Configuration -> its losses by round; all configurations have the same seed in a round."""

FIRST_ROUNDS = 5
"""Seeds that every configuration gets before the first comparison."""


class Elimination(NamedTuple):
    """The round after which a configuration was eliminated, and the configuration that eliminated it."""

    round: int
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceState:
    """The state of a race."""

    rounds: int
    """Number of evaluated rounds; 0 before the first comparison."""
    alive: tuple[int, ...]
    """Configurations still in the race, in the given order; if several remain at the end, they are tied."""
    eliminated: Mapping[int, Elimination]
    is_over: bool
    """Whether one configuration is left, or all rounds are done."""


def race(
    losses: Losses, *, most_rounds: int, delta: float, alpha: float = ALPHA, first_rounds: int = FIRST_ROUNDS
) -> RaceState:
    """Replay a race over its rounds and return its state; see the module for the rule.

    Args:
        losses: Losses of all configurations, including eliminated ones. Rounds that some survivor lacks,
            and rounds run after a configuration's elimination, are ignored.
        most_rounds: Rounds after which the race ends.
        delta: Difference that does not matter, in the unit of the losses (the indifference zone).
        alpha: Probability of eliminating the best one.
        first_rounds: Rounds before the first comparison (n0), at least 2.
    """
    assert 2 <= first_rounds <= most_rounds, "the first rounds give the variances"
    names = list(losses)
    if len(names) == 1 or min(map(len, losses.values())) < first_rounds:
        return RaceState(rounds=0, alive=tuple(names), eliminated={}, is_over=len(names) == 1)
    deadlines = _deadlines(np.array([losses[i][:first_rounds] for i in names]), delta, alpha)
    means = _running_means(losses, most_rounds)
    alive, rounds, eliminated = np.arange(len(names)), first_rounds - 1, dict[int, Elimination]()
    while len(alive) > 1 and rounds < most_rounds and not np.isnan(means[alive, rounds]).any():
        rounds += 1
        excess = _excess(means[alive, rounds - 1], deadlines[np.ix_(alive, alive)], rounds, delta)
        leaves = (excess > 0).any(axis=1)
        for i in np.flatnonzero(leaves):
            eliminated[names[alive[i]]] = Elimination(rounds, names[alive[excess[i].argmax()]])
        alive = alive[~leaves]
    return RaceState(
        rounds=rounds,
        alive=tuple(names[i] for i in alive),
        eliminated=eliminated,
        is_over=len(alive) == 1 or rounds == most_rounds,
    )


def _deadlines(first: np.ndarray, delta: float, alpha: float) -> np.ndarray:
    """Return h2 * var / delta**2, the round from which the lower mean of two wins, shape (k, k)."""
    k, n0 = first.shape
    h2 = (n0 - 1) * ((2 * alpha / (k - 1)) ** (-2 / (n0 - 1)) - 1)
    variance = (first[:, None] - first[None]).var(axis=2, ddof=1)
    return np.asarray(h2 * variance / delta**2)


def _running_means(losses: Losses, most_rounds: int) -> np.ndarray:
    """Return the mean after each round, shape (k, most_rounds); nan for missing rounds."""
    block = np.full((len(losses), most_rounds), np.nan)
    for row, values in zip(block, losses.values(), strict=True):
        kept = values[:most_rounds]
        assert np.isfinite(kept).all(), "diverged configurations cannot race"
        row[: len(kept)] = kept
    return np.cumsum(block, axis=1) / np.arange(1, most_rounds + 1)


def _excess(means: np.ndarray, deadlines: np.ndarray, rounds: int, delta: float) -> np.ndarray:
    """Return how far the mean of i is above that of j, minus the width, shape (k, k)."""
    width = np.maximum(delta / (2 * rounds) * (deadlines - rounds), 0)
    return np.asarray(means[:, None] - means[None] - width)
