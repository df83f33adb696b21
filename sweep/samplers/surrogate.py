"""Predict the losses of a search for ``cost_aware``: a Gaussian process over compressed losses.

The hyperparameters of the process are fitted to the first trials up to a number that grows in steps of a
tenth, and kept in this process: other proposals from the same trials use the same fit. They are a
function of the trials, so a proposal does not depend on the proposals before it.

Length scales that are fitted to few trials tend to be too long. The process is then too sure of what it has
not seen, and a search stays where it is. So the fitted ones are shortened.

References:
    Berkenkamp, Schoellig, Krause, "No-Regret Bayesian Optimization with Unknown Hyperparameters", 2019
    (shorter length scales explore more).
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from sweep.samplers.compression import compression_of
from sweep.samplers.gaussian_process import Data, fit_quickly, predict

_KEPT = 32
"""Number of fits that are kept."""

_SHORTER = 1.5
"""Factor by which fitted length scales are divided."""


@dataclass(frozen=True, slots=True)
class Surrogate:
    """A fitted process."""

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


def fitted(points: np.ndarray, losses: np.ndarray, scales: np.ndarray) -> Surrogate:
    """Fit a process.

    Args:
        points: Points of the trials, in the order of their numbers, shape (n, axes).
        losses: Their losses, shape (n,).
        scales: Length scale of each axis, shape (axes,).
    """
    n = len(losses)
    early = n - n % (1 + n // 10)
    theta = _theta(points[:early].tobytes(), losses[:early].tobytes(), scales.tobytes())
    shorter = np.append(theta[:-1] - math.log(_SHORTER), theta[-1])
    return Surrogate(shorter, _standard(points, losses, scales))


@functools.lru_cache(maxsize=_KEPT)
def _theta(points: bytes, losses: bytes, scales: bytes) -> np.ndarray:
    lengths = np.frombuffer(scales, dtype=np.int64)
    known = np.frombuffer(losses)
    return fit_quickly(_standard(np.frombuffer(points).reshape(len(known), len(lengths)), known, lengths))


def _standard(points: np.ndarray, losses: np.ndarray, scales: np.ndarray) -> Data:
    """Return losses as the process takes them: compressed, with mean 0 and variance 1."""
    if np.ptp(losses) == 0:
        return _data(points, np.zeros(len(losses)), scales)
    means = compression_of(losses).compressed(losses)
    return _data(points, (means - means.mean()) / means.std(), scales)


def _data(points: np.ndarray, means: np.ndarray, scales: np.ndarray | None) -> Data:
    return Data(points, means, np.ones(len(means)), np.zeros(len(means)), scales)
