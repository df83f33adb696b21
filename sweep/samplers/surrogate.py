"""Predict the losses of a search for ``cost_aware``: a Gaussian process over compressed losses.

Few trials leave much open about the length scales of the process and its noise. A process with the most
probable ones is too sure of what it has not seen: a hyperparameter that the first trials hardly varied looks
as if it did not matter, and the search stays where it is. So each proposal draws them from their posterior
density, by Laplace's approximation, and the drawn length scales are shortened.

The density is a function of the first trials, up to a number that grows in steps of a tenth. It is kept in
this process for other proposals from the same trials, and does not depend on the proposals before it.

References:
    Snoek, Larochelle, Adams, "Practical Bayesian Optimization of Machine Learning Algorithms", 2012 (the mean
    over draws of hyperparameters; here each proposal has one draw). Berkenkamp, Schoellig, Krause, "No-Regret
    Bayesian Optimization with Unknown Hyperparameters", 2019 (shorter length scales explore more).
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from sweep.samplers.compression import compression_of
from sweep.samplers.gaussian_process import Data, bounded, fit_quickly, predict, spread

_KEPT = 32
"""Number of densities that are kept."""

_SHORTER = 1.5
"""Factor by which drawn length scales are divided."""


@dataclass(frozen=True, slots=True)
class Surrogate:
    """A process with drawn hyperparameters, and its data."""

    theta: np.ndarray
    data: Data

    def predict(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations at points, shape (n, axes), each (n,)."""
        return predict(self.theta, self.data, points)

    @property
    def noise(self) -> float:
        """Variance of the noise, as a share of the losses' variance."""
        return math.exp(self.theta[-1])

    def best(self) -> float:
        """Return the lowest predicted mean at a known point."""
        return float(self.predict(self.data.points)[0].min())

    def believing(self, points: np.ndarray) -> "Surrogate":
        """Add the predicted losses of running trials, so that no similar trial runs beside them.

        References:
            Ginsbourger et al., "Kriging Is Well-Suited to Parallelize Optimization", 2010 (kriging believer).
        """
        if not len(points):
            return self
        points = np.vstack([self.data.points, points])
        means = np.append(self.data.means, self.predict(points[len(self.data.means) :])[0])
        return Surrogate(self.theta, _data(points, means, self.data.scales))


def drawn(
    points: np.ndarray, losses: np.ndarray, scales: np.ndarray, generator: np.random.Generator
) -> Surrogate:
    """Draw a process from the posterior density of its hyperparameters.

    Args:
        points: Points of the trials, in the order of their numbers, shape (n, axes).
        losses: Their losses, shape (n,).
        scales: Place of each axis' length scale in theta, shape (axes,).
        generator: Source of random numbers.
    """
    n = len(losses)
    early = n - n % (1 + n // 10)
    centre, root = _density(points[:early].tobytes(), losses[:early].tobytes(), scales.tobytes())
    theta = bounded(centre + root @ generator.standard_normal(len(centre)))
    shorter = np.append(theta[:-1] - math.log(_SHORTER), theta[-1])
    return Surrogate(shorter, _standard(points, losses, scales))


@functools.lru_cache(maxsize=_KEPT)
def _density(points: bytes, losses: bytes, scales: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Return the most probable theta, and a root of its covariance."""
    lengths = np.frombuffer(scales, dtype=np.int64)
    known = np.frombuffer(losses)
    data = _standard(np.frombuffer(points).reshape(len(known), len(lengths)), known, lengths)
    theta = fit_quickly(data)
    return theta, spread(theta, data)


def _standard(points: np.ndarray, losses: np.ndarray, scales: np.ndarray) -> Data:
    """Return losses as the process takes them: compressed, with mean 0 and variance 1."""
    if np.ptp(losses) == 0:
        return _data(points, np.zeros(len(losses)), scales)
    means = compression_of(losses).compressed(losses)
    return _data(points, (means - means.mean()) / means.std(), scales)


def _data(points: np.ndarray, means: np.ndarray, scales: np.ndarray | None) -> Data:
    return Data(points, means, np.ones(len(means)), np.zeros(len(means)), scales)
