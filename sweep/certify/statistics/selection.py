"""Select the best of several configurations, with error bounds.

Losses come as blocks of shape (k, n): k configurations, each trained on the same n seeds, so that column r is
one seed and differences are paired. Lower is better. All functions rest on one event, which has probability
at least 1 - alpha: for every configuration j, the truly best one, b, does not look worse against j than it is
by more than the margin

    margin[b, j] = t(1 - alpha / (k - 1), n - 1) * sd[b, j] / sqrt(n),

where sd[b, j] is the standard deviation of the paired differences. This takes k - 1 one-sided comparisons
(Bonferroni), not k (k - 1) or two-sided ones, because only comparisons with the truly best one enter; its
identity need not be known. So the tied set, the intervals and the choice hold simultaneously, whatever the
variances and the correlation between configurations. Means of losses over seeds are assumed to be normal.

The number of seeds must be fixed in advance and equal for all. After a race (``racing.py``) that ended at
``most_rounds``, compare only the s survivors, at the level alpha (s - 1) / (k - 1), which keeps the margins
of all k; the levels of race and comparison add up.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sweep.metric import MAXIMIZE, MINIMIZE

ALPHA = 0.05
"""Default probability of error."""


class Intervals(NamedTuple):
    """Lower and upper bounds, arrays of one shape."""

    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen configuration, the one with the best mean, and the reason for the choice."""

    index: int
    best: int
    reason: str


def mean_interval(losses: np.ndarray, alpha: float = ALPHA) -> Intervals:
    """Return Student's interval for each configuration's mean over seeds.

    Args:
        losses: Losses, shape (..., n), n at least 2.
        alpha: Probability that a single interval misses.

    Returns:
        Bounds of shape (...).
    """
    n = losses.shape[-1]
    assert n >= 2, "one seed has no spread"
    margin = t_quantile(n - 1, 1 - alpha / 2) * losses.std(axis=-1, ddof=1) / np.sqrt(n)
    mean = losses.mean(axis=-1)
    return Intervals(mean - margin, mean + margin)


def tied_set(losses: np.ndarray, alpha: float = ALPHA) -> np.ndarray:
    """Return which configurations are tied with the best: the subset-selection screen.

    Configuration i stays if mean[i] - mean[j] <= margin[i, j] for every j. The truly best one stays
    with a probability of at least 1 - alpha. The remaining ones are not shown to be equal: with too few
    seeds, all remain tied.

    Args:
        losses: Losses, paired by seed, shape (..., k, n), n at least 2.
        alpha: Probability of screening out the truly best one.

    Returns:
        True for the remaining ones, shape (..., k); the lowest mean is always among them.

    References:
        Nelson, Swann, Goldsman, Song, "Simple Procedures for Selecting the Best Simulated System
        When the Number of Alternatives Is Large", 2001. Boesel, Nelson, Kim, "Using Ranking and
        Selection to 'Clean Up' after Simulation Optimization", 2003.
    """
    difference, margin = _differences(losses, alpha)
    return np.asarray(np.all(difference <= margin, axis=-1))


def mcb_intervals(losses: np.ndarray, alpha: float = ALPHA) -> Intervals:
    """Return multiple comparisons with the best: intervals for mean[i] - min(mean[j] for j != i).

    The value is negative only for the truly best configuration (its lead); for any other it is the
    distance from the best. All k intervals hold together with a probability of at least 1 - alpha:

        low[i]  = min(0, max over j != i of mean[i] - mean[j] - margin[i, j]),
        high[i] = max(0, max over tied j != i of mean[i] - mean[j] + margin[i, j]).

    They always contain 0, as an end or inside: a configuration outside the tied set has low = 0, and one
    that is tied alone has high = 0. With one configuration both ends are 0.

    Args:
        losses: Losses, paired by seed, shape (..., k, n), n at least 2.
        alpha: Probability that any of the k intervals misses.

    Returns:
        Bounds of shape (..., k).

    References:
        Hsu, "Constrained Simultaneous Confidence Intervals for Multiple Comparisons with the
        Best", 1984; "Multiple Comparisons", 1996, chapter 4. Edwards, Hsu, "Multiple Comparisons
        with the Best Treatment", 1983 (only tied ones in the upper bound).
    """
    difference, margin = _differences(losses, alpha)
    tied = np.all(difference <= margin, axis=-1)
    other = ~np.eye(losses.shape[-2], dtype=bool)
    low = np.max(difference - margin, axis=-1, where=other, initial=-np.inf)
    high = np.max(difference + margin, axis=-1, where=other & tied[..., None, :], initial=0.0)
    return Intervals(np.minimum(low, 0.0) if len(other) > 1 else np.zeros_like(low), high)


def choose(
    losses: np.ndarray,
    costs: np.ndarray,
    *,
    delta: float,
    alpha: float = ALPHA,
    direction: str = MINIMIZE,
) -> Choice:
    """Choose the best mean, or a cheaper configuration that is shown to be as good within delta.

    A cheaper one is chosen only if it is not inferior: if the upper end of its interval of
    ``mcb_intervals``, which bounds its distance from the truly best one, is below delta. Being tied is not
    enough: it only means that no difference was shown.

    Args:
        losses: Losses, paired by seed, shape (k, n), n at least 2.
        costs: Cost of one training, in any one unit, shape (k,).
        delta: Difference that does not matter, in the unit of the losses.
        alpha: Probability of choosing a configuration that is worse by delta or more.
        direction: Direction of the metric; used in the wording of the reason.

    Returns:
        The cheapest configuration that qualifies; at equal cost, the one with the lower mean.
    """
    means, high = losses.mean(axis=1), mcb_intervals(losses, alpha).high
    best = int(means.argmin())
    lowest, above = ("highest", "below") if direction == MAXIMIZE else ("lowest", "above")
    cheaper = np.flatnonzero((costs < costs[best]) & (high < delta))
    if not len(cheaper):
        return Choice(best, best, f"the {lowest} mean")
    index = int(min(cheaper, key=lambda i: (costs[i], means[i])))
    return Choice(
        index, best, f"cheaper, and {above} the best by less than {delta:g}: at most {high[index]:.4f}"
    )


def critical_value(k: int, n: int, alpha: float = ALPHA) -> float:
    """Return t(1 - alpha / (k - 1), n - 1): the margin of a difference in standard errors."""
    return t_quantile(n - 1, 1 - alpha / max(k - 1, 1))


def t_quantile(freedom: int, probability: float) -> float:
    """Return the quantile of Student's t distribution."""
    from scipy.special import stdtrit  # noqa: PLC0415  a run that only trains loads no SciPy

    return float(stdtrit(freedom, probability))


def _differences(losses: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Return mean paired differences i - j and their margins, both of shape (..., k, k).

    The margin is infinite if a difference other than 0 is the same on every seed; see ``is_constant``.
    """
    k, n = losses.shape[-2:]
    assert n >= 2, "one seed has no spread"
    assert np.isfinite(losses).all(), "diverged configurations cannot be compared"
    paired = losses[..., :, None, :] - losses[..., None, :, :]
    difference, margin = paired.mean(axis=-1), critical_value(k, n, alpha) * paired.std(axis=-1, ddof=1)
    return difference, np.where(is_constant(paired) & (difference != 0), np.inf, margin / np.sqrt(n))


def is_constant(paired: np.ndarray) -> np.ndarray:
    """Return which paired differences, shape (..., n), are equal on every seed, so their spread is unknown.

    A few equal values, common for metrics that are counts, do not show that the spread is zero, so no
    comparison may rest on them.
    """
    return np.asarray((paired == paired[..., :1]).all(axis=-1))
