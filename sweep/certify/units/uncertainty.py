"""Compute how much losses would vary on other units of the same kind.

A held-out part is a sample of units. Predictions within one unit are not independent, so whole units are
resampled (a cluster bootstrap). A run is given as the loss of each distinct unit, summed over the unit and
its repeats, and the unit's size: for a word, the negative log-likelihood and the number of characters. The
loss of the run is the ratio of the two sums. The denominator is the same for all runs, so passing
``losses[i] - losses[j]`` instead of ``losses`` compares two configurations on the same units and seeds; most
of the variation in the difficulty of units then cancels.
"""

import collections
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sweep.certify.statistics.selection import ALPHA

RESAMPLES = 2_000
"""Resamples for an interval; its ends are then accurate to about 3 % of its width."""

_CHUNK = 200
"""Most resamples at a time: 200 x 3,000 units are 5 MB of counts."""

_CHUNK_COUNTS = 8_000_000
"""Most counts at a time, 64 MB: fewer resamples at a time for more than 40,000 units."""


class Uncertainty(NamedTuple):
    """Standard errors and bounds of intervals in the metric's unit, arrays of one shape."""

    standard_error: np.ndarray
    low: np.ndarray
    high: np.ndarray


def distinct_units(units: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Return the distinct units, and how often each occurs, shape (U,)."""
    counts = collections.Counter(units)
    return list(counts), np.array(list(counts.values()))


def mean_losses(losses: np.ndarray, sizes: np.ndarray, taken: np.ndarray | None = None) -> np.ndarray:
    """Return losses in the metric's unit, on all units or on some of them.

    Args:
        losses: Summed loss of each distinct unit, shape (..., U).
        sizes: Size of each unit, shape (U,).
        taken: Which units to use, such as those that do not occur in train; boolean, shape (U,).

    Returns:
        The losses, shape (...).
    """
    taken = np.ones(len(sizes), dtype=bool) if taken is None else taken
    assert taken.any(), "a loss needs at least one unit"
    return np.asarray(losses[..., taken].sum(axis=-1) / sizes[taken].sum())


def over_units(
    losses: np.ndarray, sizes: np.ndarray, *, seed: int, alpha: float = ALPHA, resamples: int = RESAMPLES
) -> Uncertainty:
    """Return the uncertainty of the mean loss of these runs over units, by resampling units.

    All leading axes share their resamples. The interval is the percentile interval.

    Args:
        losses: Summed loss of each distinct unit, shape (..., n, U), n runs.
        sizes: Size of each unit, shape (U,).
        seed: Seed of the resamples.
        alpha: Probability that a single interval misses.
        resamples: Number of resamples.

    Returns:
        Arrays of shape (...).

    References:
        Davison, Hinkley, "Bootstrap Methods and their Application", 1997, sections 3.8 and 5.3.
    """
    rng = np.random.default_rng(seed)
    n_units, mean = len(sizes), losses.mean(axis=-2)
    step = min(_CHUNK, max(1, _CHUNK_COUNTS // n_units))
    chunks = [min(step, resamples - done) for done in range(0, resamples, step)]
    found = []
    for size in chunks:
        counts = rng.multinomial(n_units, np.full(n_units, 1 / n_units), size=size).astype(np.float64)
        found.append(mean.reshape(-1, n_units) @ counts.T / (counts @ sizes))
    resampled = np.concatenate(found, axis=1).reshape(*mean.shape[:-1], resamples)
    low, high = np.quantile(resampled, [alpha / 2, 1 - alpha / 2], axis=-1)
    return Uncertainty(resampled.std(axis=-1, ddof=1), low, high)


def over_seeds_and_units(losses: np.ndarray, sizes: np.ndarray, *, alpha: float = ALPHA) -> Uncertainty:
    """Return the uncertainty of the mean loss over seeds and units together.

    Runs and units are crossed: every run is evaluated on every unit. To first order, a run's loss on a
    unit moves the mean by its influence, (loss - mean loss * size) * U / sum of sizes. The variance of the
    mean is that over seeds, plus that over units, minus that of their interaction, which the two count
    twice. Resampling seeds and units would count it three times. The interval is Student's, with the
    degrees of freedom of Welch and Satterthwaite, because percentiles over a few seeds are too narrow.

    Args:
        losses: Summed loss of each distinct unit, shape (..., n, U), n runs, at least 2.
        sizes: Size of each unit, shape (U,).
        alpha: Probability that a single interval misses.

    Returns:
        Arrays of shape (...).

    References:
        Cameron, Gelbach, Miller, "Robust Inference with Multiway Clustering", 2011. Owen, "The
        Pigeonhole Bootstrap", 2007.
    """
    from scipy.special import stdtrit  # noqa: PLC0415  a run that only trains loads no SciPy

    n, n_units = losses.shape[-2:]
    assert n >= 2, "one seed has no spread"
    mean = mean_losses(losses, sizes).mean(axis=-1)
    influence = (losses - mean[..., None, None] * sizes) * (n_units / sizes.sum())
    over_seeds = influence.mean(axis=-1).var(axis=-1, ddof=1) / n
    over_units = influence.mean(axis=-2).var(axis=-1, ddof=1) / n_units
    variance = over_seeds + over_units - _crossed(influence)
    standard_error = np.sqrt(np.maximum(variance, np.maximum(over_seeds, over_units)))
    freedom = _satterthwaite((over_seeds, n - 1), (over_units, n_units - 1))
    margin = stdtrit(freedom, 1 - alpha / 2) * standard_error
    return Uncertainty(standard_error, mean - margin, mean + margin)


def _crossed(influence: np.ndarray) -> np.ndarray:
    """Return the variance of the mean that comes from the interaction of rows and columns."""
    n, n_units = influence.shape[-2:]
    rows, columns = influence.mean(axis=-1, keepdims=True), influence.mean(axis=-2, keepdims=True)
    squares = ((influence - rows - columns) ** 2).sum(axis=(-2, -1))
    return np.asarray(squares / ((n - 1) * (n_units - 1)) / (n * n_units))


def _satterthwaite(*parts: tuple[np.ndarray, int]) -> np.ndarray:
    """Return the degrees of freedom of a sum of variances, given those of each."""
    total = sum(variance for variance, _ in parts)
    smallest = np.finfo(np.float64).tiny  # a configuration minus itself has no variance
    spread = np.maximum(sum(variance**2 / freedom for variance, freedom in parts), smallest)
    return np.maximum(total**2 / spread, min(freedom for _, freedom in parts))
