"""How far would the losses move on other words of the same kind?

The dev part is a sample of words, and the characters of one word are not independent, so what is
resampled is whole words (a cluster bootstrap). A run comes as the negative log-likelihood that it
gives each distinct word, summed over the word's characters and its repeats, beside the number of
those characters; its loss is the ratio of the two sums. The denominator is the same for all runs, so
``nll[i] - nll[j]`` in place of ``nll`` compares two configurations on the same words and seeds, where
most of what makes words hard cancels.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from sweep.certify.selection import ALPHA

RESAMPLES = 2_000
"""Resamples of an interval; its ends are then good to some 3 % of its width."""

_CHUNK = 200
"""Resamples at a time, at most: 200 x 3,000 words are 5 MB of counts."""

_CHUNK_COUNTS = 8_000_000
"""Counts at a time, at most, 64 MB: fewer resamples of more than 40,000 words."""


class Uncertainty(NamedTuple):
    """Standard errors and bounds of intervals in nats per character, arrays of one shape."""

    standard_error: np.ndarray
    low: np.ndarray
    high: np.ndarray


def mean_losses(nll: np.ndarray, sizes: np.ndarray, words: np.ndarray | None = None) -> np.ndarray:
    """Return losses in nats per character, on all words or on some of them.

    Args:
        nll: Negative log-likelihood of each distinct word in nats, shape (..., W).
        sizes: Characters predicted in each, shape (W,).
        words: Which to take, such as those that do not stand in train; boolean, shape (W,).

    Returns:
        Shape (...).
    """
    taken = np.ones(len(sizes), dtype=bool) if words is None else words
    assert taken.any(), "no words, no loss"
    return np.asarray(nll[..., taken].sum(axis=-1) / sizes[taken].sum())


def over_words(
    nll: np.ndarray, sizes: np.ndarray, *, seed: int, alpha: float = ALPHA, resamples: int = RESAMPLES
) -> Uncertainty:
    """Resample words: how sure is the mean loss of these runs, for words of this kind?

    All leading axes share their resamples. The interval is the percentile one.

    Args:
        nll: Negative log-likelihood of each distinct word in nats, shape (..., n, W), n runs.
        sizes: Characters predicted in each, shape (W,).
        seed: Seed of the resamples.
        alpha: Chance that one interval, taken alone, misses.
        resamples: How many.

    Returns:
        Arrays of shape (...).

    References:
        Davison, Hinkley, "Bootstrap Methods and their Application", 1997, sections 3.8 and 5.3.
    """
    rng = np.random.default_rng(seed)
    n_words, mean = len(sizes), nll.mean(axis=-2)
    step = min(_CHUNK, max(1, _CHUNK_COUNTS // n_words))
    chunks = [min(step, resamples - done) for done in range(0, resamples, step)]
    losses = []
    for size in chunks:
        counts = rng.multinomial(n_words, np.full(n_words, 1 / n_words), size=size).astype(np.float64)
        losses.append(mean.reshape(-1, n_words) @ counts.T / (counts @ sizes))
    resampled = np.concatenate(losses, axis=1).reshape(*mean.shape[:-1], resamples)
    low, high = np.quantile(resampled, [alpha / 2, 1 - alpha / 2], axis=-1)
    return Uncertainty(resampled.std(axis=-1, ddof=1), low, high)


def over_seeds_and_words(nll: np.ndarray, sizes: np.ndarray, *, alpha: float = ALPHA) -> Uncertainty:
    """Return how sure the mean loss is for other seeds and other words of the same kind, together.

    Runs and words are crossed: every run is judged on every word. To first order a run's loss on a
    word moves the mean by its influence, (nll - mean loss * size) * W / sum of sizes, and the
    variance of the mean is that over seeds, plus that over words, less that of what is particular to
    both at once, which the two have counted twice. Resampling seeds and words would count it three
    times. The interval is Student's, with the degrees of freedom of Welch and Satterthwaite, since
    percentiles over a few seeds are too narrow.

    Args:
        nll: Negative log-likelihood of each distinct word in nats, shape (..., n, W), n runs, at
            least 2.
        sizes: Characters predicted in each, shape (W,).
        alpha: Chance that one interval, taken alone, misses.

    Returns:
        Arrays of shape (...).

    References:
        Cameron, Gelbach, Miller, "Robust Inference with Multiway Clustering", 2011. Owen, "The
        Pigeonhole Bootstrap", 2007.
    """
    n, n_words = nll.shape[-2:]
    assert n >= 2, "one seed has no spread"
    mean = mean_losses(nll, sizes).mean(axis=-1)
    influence = (nll - mean[..., None, None] * sizes) * (n_words / sizes.sum())
    over_seeds = influence.mean(axis=-1).var(axis=-1, ddof=1) / n
    over_words = influence.mean(axis=-2).var(axis=-1, ddof=1) / n_words
    variance = over_seeds + over_words - _crossed(influence)
    standard_error = np.sqrt(np.maximum(variance, np.maximum(over_seeds, over_words)))
    freedom = _satterthwaite((over_seeds, n - 1), (over_words, n_words - 1))
    margin = stdtrit(freedom, 1 - alpha / 2) * standard_error
    return Uncertainty(standard_error, mean - margin, mean + margin)


def _crossed(influence: np.ndarray) -> np.ndarray:
    """Return the variance of the mean that comes from the interaction of rows and columns."""
    n, n_words = influence.shape[-2:]
    rows, columns = influence.mean(axis=-1, keepdims=True), influence.mean(axis=-2, keepdims=True)
    squares = ((influence - rows - columns) ** 2).sum(axis=(-2, -1))
    return np.asarray(squares / ((n - 1) * (n_words - 1)) / (n * n_words))


def _satterthwaite(*parts: tuple[np.ndarray, int]) -> np.ndarray:
    """Return the degrees of freedom of a sum of variances that have each their own."""
    total = sum(variance for variance, _ in parts)
    smallest = np.finfo(np.float64).tiny  # a configuration less itself varies in nothing
    spread = np.maximum(sum(variance**2 / freedom for variance, freedom in parts), smallest)
    return np.maximum(total**2 / spread, min(freedom for _, freedom in parts))
