"""Which configurations of a search deserve to be run again?

The lowest loss of a search was low by luck too, the more so the more were tried. So each
configuration is judged by a mean that borrows from its replicates and from its neighbours in the
space (``gaussian_process.py``), which takes off what luck has given to a single trial.
"""

from dataclasses import dataclass

import numpy as np

from sweep.samplers.gaussian_process import Data, fit, posterior_means, surprises

FEWEST = 20
"""Configurations below which nothing is borrowed: so few points do not tell luck from a bend."""

MOST = 2_000
"""Configurations that the surface is drawn from, the best ones; the others keep their plain means."""

SAMPLE = 200
"""Of these, the configurations that length scales and noise are fitted to, from the best to the worst."""

SURPRISE = 4.0
"""Standard deviations above what the others predict from which on a mean is left out of the fit."""


@dataclass(frozen=True, slots=True)
class _Pooled:
    """Trials pooled by configuration: m of them, in the order of their coordinates."""

    points: np.ndarray
    """Shape (m, d)."""
    first: np.ndarray
    """First trial of each, shape (m,)."""
    index: np.ndarray
    """Configuration of each trial, shape (n,)."""
    counts: np.ndarray
    """Trials of each, shape (m,)."""

    def means(self, losses: np.ndarray) -> np.ndarray:
        """Return the mean over the replicates of each configuration, shape (m,)."""
        return np.asarray(np.bincount(self.index, losses) / self.counts)


def best_configurations(points: np.ndarray, losses: np.ndarray, most: int) -> list[int]:
    """Return the first trial of each configuration, lowest smoothed mean first.

    Args:
        points: Coordinates of the trials in the unit cube, shape (n, d); replicates are equal rows.
        losses: Their final values in loss form, shape (n,), finite.
        most: How many to return at most.
    """
    first = np.sort(_pool(points).first)
    order = np.argsort(smoothed_means(points, losses)[first], kind="stable")
    return [int(trial) for trial in first[order][:most]]


def smoothed_means(points: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """Return each trial's estimate of the mean loss of its configuration over seeds.

    Losses above the median are drawn together, so that bad regions do not bend the surface around
    the good ones, and one that is far above what its neighbours predict is left out of the fit and
    keeps its plain mean. With fewer than ``FEWEST`` configurations, or means that are all the same,
    the estimate is the plain mean over replicates.

    Args:
        points: Coordinates of the trials in the unit cube, shape (n, d); replicates are equal rows.
        losses: Their final values in loss form, shape (n,), finite.

    Returns:
        Nats per character, shape (n,); equal for replicates.
    """
    assert np.isfinite(losses).all(), "a diverged trial is no candidate"
    pooled = _pool(points)
    plain = pooled.means(losses)
    if len(plain) < FEWEST or np.ptp(plain) == 0:
        return np.asarray(plain[pooled.index])
    centre = float(np.median(plain))
    width = centre - float(plain.min()) or float(plain.std())
    kept = np.sort(np.argsort(plain, kind="stable")[:MOST])
    data, mean, sd = _in_standard_units(pooled, kept, _drawn_together(losses, centre, width))
    usual = surprises(fit(_sample(data)), data) <= SURPRISE
    kept, data = kept[usual], data.part(usual)
    smoothed = plain.copy()
    smoothed[kept] = _spread_out(mean + sd * posterior_means(fit(_sample(data)), data), centre, width)
    return np.asarray(smoothed[pooled.index])


def _pool(points: np.ndarray) -> _Pooled:
    distinct, first, index, counts = np.unique(
        points, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    return _Pooled(distinct, first, index.reshape(-1), counts)


def _drawn_together(losses: np.ndarray, centre: float, width: float) -> np.ndarray:
    """Let losses above the centre grow like the logarithm of their distance in widths."""
    above = np.maximum(losses - centre, 0)
    return np.where(losses > centre, centre + width * np.log1p(above / width), losses)


def _spread_out(values: np.ndarray, centre: float, width: float) -> np.ndarray:
    """Undo ``_drawn_together``."""
    above = np.maximum(values - centre, 0)
    return np.where(values > centre, centre + width * np.expm1(above / width), values)


def _in_standard_units(pooled: _Pooled, kept: np.ndarray, losses: np.ndarray) -> tuple[Data, float, float]:
    """Return the kept configurations' losses as the process takes them, and their mean and spread."""
    means = pooled.means(losses)
    mean, sd = float(means[kept].mean()), float(means[kept].std())
    squares = np.bincount(pooled.index, (losses - means[pooled.index]) ** 2)
    standard = (means[kept] - mean) / sd
    return Data(pooled.points[kept], standard, pooled.counts[kept], squares[kept] / sd**2), mean, sd


def _sample(data: Data) -> Data:
    """Return so many configurations that fitting is quick: evenly by rank, as the best alone are lucky."""
    places = np.linspace(0, len(data.means) - 1, min(len(data.means), SAMPLE)).round().astype(np.int64)
    return data.part(np.sort(np.argsort(data.means, kind="stable")[places]))
