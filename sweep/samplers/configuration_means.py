"""Estimate the mean loss of each configuration of a search, to select those that deserve a repetition.

The lowest loss of a search is partly luck, more so the more configurations were tried. So each configuration
is judged by a mean that also uses its replicates and its neighbours in the space (``gaussian_process``).
That reduces the luck of single trials.
"""

from dataclasses import dataclass

import numpy as np

from sweep.samplers.compression import compression_of
from sweep.samplers.gaussian_process import Data, fit, posterior_means, surprises

FEWEST = 20
"""Fewest configurations for smoothing; with fewer, noise cannot be separated from the surface."""

MOST = 2_000
"""Number of best configurations that the surface uses; the others keep their plain means."""

SAMPLE = 200
"""Number of these configurations, evenly by rank, that length scales and noise are fitted to."""

SURPRISE = 4.0
"""Standard deviations above the others' prediction at which a mean is excluded from the fit."""


@dataclass(frozen=True, slots=True)
class _Pooled:
    """Trials pooled into m configurations, in the order of their coordinates."""

    points: np.ndarray
    """Coordinates of each configuration, shape (m, d)."""
    first: np.ndarray
    """First trial of each configuration, shape (m,)."""
    index: np.ndarray
    """Configuration of each trial, shape (n,)."""
    counts: np.ndarray
    """Number of trials of each configuration, shape (m,)."""

    def means(self, losses: np.ndarray) -> np.ndarray:
        """Return the mean over the replicates of each configuration, shape (m,)."""
        return np.asarray(np.bincount(self.index, losses) / self.counts)


def smoothed_means(points: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """Return each trial's estimate of the mean loss of its configuration over seeds.

    Losses above the median are compressed, so that bad regions do not distort the surface around the good
    ones. A mean far above its neighbours' prediction is excluded from the fit and keeps its plain value.
    With fewer than ``FEWEST`` configurations, or if all means are equal, the estimate is the plain mean
    over replicates.

    Args:
        points: Coordinates of the trials in the unit cube, shape (n, d); replicates are equal rows.
        losses: Their final values as losses, shape (n,), finite.

    Returns:
        Nats per character, shape (n,); equal for replicates.
    """
    assert np.isfinite(losses).all(), "diverged trials are not candidates"
    pooled = _pool(points)
    plain = pooled.means(losses)
    if len(plain) < FEWEST or np.ptp(plain) == 0:
        return np.asarray(plain[pooled.index])
    scale = compression_of(plain)
    kept = np.sort(np.argsort(plain, kind="stable")[:MOST])
    data, mean, sd = _in_standard_units(pooled, kept, scale.compressed(losses))
    usual = surprises(fit(_sample(data)), data) <= SURPRISE
    kept, data = kept[usual], data.part(usual)
    smoothed = plain.copy()
    smoothed[kept] = scale.spread_out(mean + sd * posterior_means(fit(_sample(data)), data))
    return np.asarray(smoothed[pooled.index])


def _pool(points: np.ndarray) -> _Pooled:
    distinct, first, index, counts = np.unique(
        points, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    return _Pooled(distinct, first, index.reshape(-1), counts)


def _in_standard_units(pooled: _Pooled, kept: np.ndarray, losses: np.ndarray) -> tuple[Data, float, float]:
    """Return the kept configurations' standardised losses, and their mean and standard deviation."""
    means = pooled.means(losses)
    mean, sd = float(means[kept].mean()), float(means[kept].std())
    squares = np.bincount(pooled.index, (losses - means[pooled.index]) ** 2)
    standard = (means[kept] - mean) / sd
    return Data(pooled.points[kept], standard, pooled.counts[kept], squares[kept] / sd**2), mean, sd


def _sample(data: Data) -> Data:
    """Return ``SAMPLE`` configurations, evenly by rank: the best alone would be biased by luck."""
    places = np.linspace(0, len(data.means) - 1, min(len(data.means), SAMPLE)).round().astype(np.int64)
    return data.part(np.sort(np.argsort(data.means, kind="stable")[places]))
