"""Predict the mean loss of a configuration from its neighbours, with a Gaussian process.

The process is over the unit cube, with Matern's kernel of smoothness 5/2, a length scale for each axis and a
noise term, fitted by its posterior density. Replicates enter by their mean, with the noise variance divided
by their number, and by their spread around it, which depends on the noise only.

References:
    Rasmussen, Williams, "Gaussian Processes for Machine Learning", 2006, chapters 2, 4 and 5. Hvarfner,
    Hellsten, Nardi, "Vanilla Bayesian Optimization Performs Great in High Dimensions", 2024 (the
    prior of the length scales; they fix the signal's variance at 1 too).
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

_LENGTH_SD = math.sqrt(3)
"""Standard deviation of a log length scale's normal prior; its mean is sqrt(2) + log(d) / 2."""

_NOISE_MEAN, _NOISE_SD = -4.0, 1.0
"""Mean and standard deviation of the log noise variance's normal prior, relative to the means' variance."""

_LENGTH_BOUNDS, _NOISE_BOUNDS = (-3.0, 6.0), (-10.0, 1.0)
"""Bounds of the logarithms."""

_STARTS = ((0.5, -4.0), (-0.5, -1.0), (1.5, -2.0))
"""Log length scales and log noise variances at which the fit starts; the best result is used."""


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

    def part(self, kept: np.ndarray) -> "Data":
        """Return some of the configurations, in the same units."""
        return Data(self.points[kept], self.means[kept], self.counts[kept], self.within[kept])


def fit(data: Data) -> np.ndarray:
    """Return theta with the highest posterior density: d log length scales, and the log noise variance."""
    d = data.points.shape[1]
    bounds = [_LENGTH_BOUNDS] * d + [_NOISE_BOUNDS]
    found = [
        minimize(
            negative_log_posterior,
            [length] * d + [noise],
            (data,),
            jac=True,
            bounds=bounds,
            method="L-BFGS-B",
        )
        for length, noise in _STARTS
    ]
    return np.asarray(min(found, key=lambda result: result.fun).x)


def posterior_means(theta: np.ndarray, data: Data) -> np.ndarray:
    """Return the estimated mean loss at each configuration, shape (m,)."""
    kernel, _ = _matern(theta, data)
    return np.asarray(kernel @ np.linalg.solve(kernel + _noise(theta, data), data.means))


def predict(theta: np.ndarray, data: Data, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean loss predicted at other points, shape (n, d), and its standard deviation, each (n,).

    Rasmussen, Williams, equations 2.25 and 2.26.
    """
    lower = cholesky(_matern(theta, data)[0] + _noise(theta, data), lower=True)
    cross = _correlation(theta, data.points, points)
    means = cross.T @ cho_solve((lower, True), data.means)
    explained = (solve_triangular(lower, cross, lower=True) ** 2).sum(axis=0)
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
    lower = cholesky(kernel + _noise(theta, data), lower=True)
    weights = cho_solve((lower, True), data.means)
    value = data.means @ weights / 2 + np.log(np.diag(lower)).sum()
    value += (extra * theta[-1] + within / noise) / 2
    pull = (cho_solve((lower, True), np.eye(len(lower))) - np.outer(weights, weights)) / 2
    slope = np.append(
        -2 * np.exp(-2 * theta[:-1]) * _weighted_squares(pull * by_square, data.points),
        noise * (np.diag(pull) / data.counts).sum() + (extra - within / noise) / 2,
    )
    centre, sd = _prior(len(theta) - 1)
    deviations = (theta - centre) / sd
    return float(value + deviations @ deviations / 2), slope + deviations / sd


def _matern(theta: np.ndarray, data: Data) -> tuple[np.ndarray, np.ndarray]:
    """Return the kernel matrix and its derivative by the scaled squared distance."""
    scaled = data.points * np.exp(-theta[:-1])
    square = 5 * cdist(scaled, scaled, "sqeuclidean")
    root = np.sqrt(square)
    decay = np.exp(-root)
    return (1 + root + square / 3) * decay, -5 / 6 * (1 + root) * decay


def _correlation(theta: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the kernel between points of shapes (m, d) and (n, d), shape (m, n)."""
    scales = np.exp(-theta[:-1])
    square = 5 * cdist(a * scales, b * scales, "sqeuclidean")
    return np.asarray((1 + np.sqrt(square) + square / 3) * np.exp(-np.sqrt(square)))


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
