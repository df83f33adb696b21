"""Predict the mean loss of a configuration from its neighbours, with a Gaussian process.

The process is over the unit cube, with Matern's kernel of smoothness 5/2, a length scale for each axis,
which several axes can share, and a noise term, fitted by its posterior density. Replicates enter by their
mean, with the noise variance divided by their number, and by their spread around it, which depends on the
noise only.

References:
    Rasmussen, Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2, 4 and 5. Hvarfner,
    Hellsten, Nardi, "Vanilla Bayesian Optimization Performs Great in High Dimensions", 2024 (the
    prior of the length scales; they fix the signal's variance at 1 too).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError
from scipy.linalg.lapack import dpotrf, dpotrs, dtrtrs
from scipy.optimize import OptimizeResult, minimize
from scipy.spatial.distance import cdist

_LENGTH_SD = math.sqrt(3)
"""Standard deviation of a log length scale's normal prior; its mean is sqrt(2) + log(d) / 2."""

_NOISE_MEAN, _NOISE_SD = -4.0, 1.0
"""Mean and standard deviation of the log noise variance's normal prior, relative to the means' variance."""

_LENGTH_BOUNDS, _NOISE_BOUNDS = (-3.0, 6.0), (-10.0, 1.0)
"""Bounds of the logarithms."""

_STARTS = ((0.5, -4.0), (-0.5, -1.0), (1.5, -2.0))
"""Log length scales and log noise variances at which the fit starts; the best result is used."""

_STEP = 0.05
"""Step of theta for the second derivatives of the density."""

_QUICK_START = _STARTS[1]
"""Start of a quick fit: short lengths and much noise, from where the density rises steeply."""


@dataclass(frozen=True, slots=True)
class Data:
    """Losses of m configurations, scaled so that their means have mean 0 and variance 1."""

    points: np.ndarray
    """Coordinates in the unit cube, shape (m, d)."""
    means: np.ndarray
    """Mean loss over each configuration's replicates, shape (m,)."""
    counts: np.ndarray
    """Number of replicates of each configuration, shape (m,)."""
    within: np.ndarray
    """Sum of squared deviations of each configuration's replicates from their mean, shape (m,)."""
    scales: np.ndarray | None = None
    """Place of each axis' length scale in theta, shape (d,); None if each axis has its own."""

    def part(self, kept: np.ndarray) -> "Data":
        """Return some of the configurations, in the same units."""
        return Data(self.points[kept], self.means[kept], self.counts[kept], self.within[kept], self.scales)

    @property
    def n_scales(self) -> int:
        """Number of length scales."""
        return self.points.shape[1] if self.scales is None else int(self.scales.max()) + 1


def fit(data: Data) -> np.ndarray:
    """Return theta with the highest posterior density: the log length scales, and the log noise variance."""
    return np.asarray(min((_climb(data, start) for start in _STARTS), key=lambda result: result.fun).x)


def fit_quickly(data: Data) -> np.ndarray:
    """Return nearly the same theta as ``fit`` in an eighth of its time, from one start."""
    return np.asarray(_climb(data, _QUICK_START, ftol=1e-5, gtol=1e-2).x)


def spread(theta: np.ndarray, data: Data) -> np.ndarray:
    """Return what the posterior density leaves open about its most probable theta: a root of the covariance.

    Theta plus this matrix times standard normal numbers is a draw from the normal density that has the same
    curvature (Laplace's approximation), in no direction wider than the prior.
    """
    steps = _STEP * np.eye(len(theta))
    slopes = [
        negative_log_posterior(theta + step, data)[1] - negative_log_posterior(theta - step, data)[1]
        for step in steps
    ]
    curvature = np.array(slopes) / (2 * _STEP)
    sd = _prior(len(theta) - 1)[1]
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2 * np.outer(sd, sd))
    return np.asarray(sd[:, None] * (vectors / np.sqrt(np.maximum(values, 1)) @ vectors.T))


def bounded(theta: np.ndarray) -> np.ndarray:
    """Return theta within its bounds."""
    return np.append(np.clip(theta[:-1], *_LENGTH_BOUNDS), np.clip(theta[-1:], *_NOISE_BOUNDS))


def _climb(data: Data, start: tuple[float, float], **options: float) -> OptimizeResult:
    """Return the optimum of the density near a log length scale and a log noise variance."""
    d = data.n_scales
    bounds = [_LENGTH_BOUNDS] * d + [_NOISE_BOUNDS]
    return minimize(
        negative_log_posterior,
        [start[0]] * d + [start[1]],
        (data,),
        jac=True,
        bounds=bounds,
        method="L-BFGS-B",
        options=options,
    )


def posterior_means(theta: np.ndarray, data: Data) -> np.ndarray:
    """Return the estimated mean loss at each configuration, shape (m,)."""
    kernel, _ = _matern(theta, data)
    return np.asarray(kernel @ np.linalg.solve(kernel + _noise(theta, data), data.means))


def predict(theta: np.ndarray, data: Data, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean loss predicted at other points, shape (n, d), and its standard deviation, each (n,).

    Rasmussen, Williams, equations 2.25 and 2.26.
    """
    lower = _cholesky(_matern(theta, data)[0], theta, data)
    cross = _correlation(np.exp(-_lengths(theta, data)), data.points, points)
    means = cross.T @ dpotrs(lower, data.means, lower=1)[0]
    explained = (dtrtrs(lower, cross, lower=1)[0] ** 2).sum(axis=0)
    return np.asarray(means), np.sqrt(np.maximum(1 - explained, 1e-12))


def surprises(theta: np.ndarray, data: Data) -> np.ndarray:
    """Return the standard deviations by which each mean is above the prediction of all others.

    Leave one out, in closed form: Rasmussen, Williams, equations 5.10 to 5.12.
    """
    precision = np.linalg.inv(_matern(theta, data)[0] + _noise(theta, data))
    return np.asarray(precision @ data.means / np.sqrt(np.diag(precision)))


def negative_log_posterior(theta: np.ndarray, data: Data) -> tuple[float, np.ndarray]:
    """Return the negative log posterior density of theta, up to a constant, and its gradient."""
    kernel, by_square = _matern(theta, data)
    noise, within = np.exp(theta[-1]), data.within.sum()
    extra = data.counts.sum() - len(data.counts)
    lower = _cholesky(kernel, theta, data)
    weights = dpotrs(lower, data.means, lower=1)[0]
    value = data.means @ weights / 2 + np.log(np.diag(lower)).sum()
    value += (extra * theta[-1] + within / noise) / 2
    pull = (dpotrs(lower, np.eye(len(lower)), lower=1)[0] - np.outer(weights, weights)) / 2
    by_length = -2 * np.exp(-2 * _lengths(theta, data)) * _weighted_squares(pull * by_square, data.points)
    slope = np.append(
        by_length if data.scales is None else np.bincount(data.scales, by_length),
        noise * (np.diag(pull) / data.counts).sum() + (extra - within / noise) / 2,
    )
    centre, sd = _prior(len(theta) - 1)
    deviations = (theta - centre) / sd
    return float(value + deviations @ deviations / 2), slope + deviations / sd


def _matern(theta: np.ndarray, data: Data) -> tuple[np.ndarray, np.ndarray]:
    """Return the kernel matrix and its derivative by the scaled squared distance."""
    scaled = data.points * np.exp(-_lengths(theta, data))
    square = 5 * cdist(scaled, scaled, "sqeuclidean")
    root = np.sqrt(square)
    decay = np.exp(-root)
    return (1 + root + square / 3) * decay, -5 / 6 * (1 + root) * decay


def _lengths(theta: np.ndarray, data: Data) -> np.ndarray:
    """Return the log length scale of each axis, shape (d,)."""
    return theta[:-1] if data.scales is None else theta[data.scales]


def _correlation(rates: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the kernel between points of shapes (m, d) and (n, d), shape (m, n)."""
    square = 5 * cdist(a * rates, b * rates, "sqeuclidean")
    root = np.sqrt(square)
    return np.asarray((1 + root + square / 3) * np.exp(-root))


def _cholesky(kernel: np.ndarray, theta: np.ndarray, data: Data) -> np.ndarray:
    """Return the lower factor of the losses' covariance, straight from LAPACK: matrices are small."""
    lower, failed = dpotrf(kernel + _noise(theta, data), lower=1)
    if failed:
        raise LinAlgError(f"the leading minor of order {failed} is not positive")
    return np.asarray(lower)


def _weighted_squares(weights: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the sum over i and j of weights[i, j] (points[i] - points[j])^2, for each axis.

    The weights are symmetric, so expanding the square avoids a tensor of distances.
    """
    return np.asarray(2 * (weights.sum(axis=0) @ points**2 - (weights @ points * points).sum(axis=0)))


def _noise(theta: np.ndarray, data: Data) -> np.ndarray:
    return np.diag(np.exp(theta[-1]) / data.counts)


def _prior(d: int) -> tuple[np.ndarray, np.ndarray]:
    """Return means and standard deviations of theta."""
    lengths = math.sqrt(2) + math.log(d) / 2
    return np.append(np.full(d, lengths), _NOISE_MEAN), np.append(np.full(d, _LENGTH_SD), _NOISE_SD)
