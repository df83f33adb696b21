"""Which configurations may stop getting further seeds?

Kim and Nelson's fully sequential procedure, as a pure function of all losses so far, so that a
race can be resumed from what is stored. Dropping whatever a 95 % test calls worse after each seed
would not do: each look is another chance to drop the best one.

After round r, configuration i leaves if for some j that was alive before the round

    mean[i] - mean[j] > max(0, delta / (2 r) * (h2 * var[i, j] / delta**2 - r)),
    h2 = (n0 - 1) * ((2 alpha / (k - 1)) ** (-2 / (n0 - 1)) - 1),

where var[i, j] is the sample variance of the paired differences in the n0 first rounds. If the
best mean is better than every other by at least delta, the best one stays with a probability
of at least 1 - alpha, whatever the variances and the correlation between configurations;
ending at ``most_rounds`` takes nothing from that. Where the lead is smaller, the best one may lose
to one that does not matter for being worse by less than delta.

References:
    Kim, Nelson, "A Fully Sequential Procedure for Indifference-Zone Selection in Simulation",
    ACM Transactions on Modeling and Computer Simulation 11, 2001 (procedure KN with c = 1).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sweep.certify.statistics.selection import ALPHA

Losses = Mapping[int, Sequence[float]]
"""Configuration -> its losses by round; one round is one seed for all."""

FIRST_ROUNDS = 5
"""Seeds that every configuration gets before the first comparison."""


class Elimination(NamedTuple):
    """After which round a configuration left the race, and which other one put it out."""

    round: int
    by: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceState:
    """How a race stands."""

    rounds: int
    """Rounds that have been judged; 0 before the first comparison."""
    alive: tuple[int, ...]
    """Configurations still in the race, in the order given; several at the end are tied."""
    eliminated: Mapping[int, Elimination]
    is_over: bool
    """One is left, or the most rounds are done."""
    rounds_to_decide: int | None
    """Rounds after which the survivors' lowest mean stands alone; None before the first comparison."""


def race(
    losses: Losses, *, most_rounds: int, delta: float, alpha: float = ALPHA, first_rounds: int = FIRST_ROUNDS
) -> RaceState:
    """Replay a race over its rounds and say who is still in it; the module has the rule.

    Args:
        losses: Losses of all configurations, also of those that have left. Rounds that not all
            survivors have, and whatever was run after an elimination, are not looked at.
        most_rounds: Rounds after which the race ends.
        delta: Difference that does not matter, in the unit of the losses (the indifference zone).
        alpha: Chance that the best one leaves.
        first_rounds: Rounds before the first comparison (n0), at least 2.
    """
    assert 2 <= first_rounds <= most_rounds, "variances come from the first rounds"
    names = list(losses)
    if len(names) == 1 or min(map(len, losses.values())) < first_rounds:
        return RaceState(
            rounds=0, alive=tuple(names), eliminated={}, is_over=len(names) == 1, rounds_to_decide=None
        )
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
        rounds_to_decide=max(rounds, math.ceil(deadlines[np.ix_(alive, alive)].max())),
    )


def _deadlines(first: np.ndarray, delta: float, alpha: float) -> np.ndarray:
    """Return h2 * var / delta**2, the round from which on the lower mean of two wins, shape (k, k)."""
    k, n0 = first.shape
    h2 = (n0 - 1) * ((2 * alpha / (k - 1)) ** (-2 / (n0 - 1)) - 1)
    variance = (first[:, None] - first[None]).var(axis=2, ddof=1)
    return np.asarray(h2 * variance / delta**2)


def _running_means(losses: Losses, most_rounds: int) -> np.ndarray:
    """Return the mean after each round, shape (k, most_rounds); nan where it was not run."""
    block = np.full((len(losses), most_rounds), np.nan)
    for row, values in zip(block, losses.values(), strict=True):
        kept = values[:most_rounds]
        assert np.isfinite(kept).all(), "a diverged configuration has no place in a race"
        row[: len(kept)] = kept
    return np.cumsum(block, axis=1) / np.arange(1, most_rounds + 1)


def _excess(means: np.ndarray, deadlines: np.ndarray, rounds: int, delta: float) -> np.ndarray:
    """Return by how much i is above j beyond the width, shape (k, k)."""
    width = np.maximum(delta / (2 * rounds) * (deadlines - rounds), 0)
    return np.asarray(means[:, None] - means[None] - width)
