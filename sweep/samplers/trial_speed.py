"""Predict the seconds of a configuration from those of others, with their uncertainty.

The logarithm of the seconds is linear in the logarithm of the work and in the coordinates of the searched
hyperparameters. The seconds of a study without known work depend on the coordinates alone.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

_WORK_SD = 0.3
"""Standard deviation of the power of the work in the seconds; its mean is 1, proportional."""

_EFFECTS = (0.1, 0.4, 1.0, 2.5)
"""Standard deviations that the effect of a coordinate, from 0 to 1, may have on the log seconds."""

_NOISES = (0.01, 0.04, 0.12, 0.3, 0.8)
"""Standard deviations that the log seconds of one trial may have around the line."""

_CONSTANTS = (0.0, 0.5, 0.8, 0.95)
"""Seconds that every trial takes whatever it trains, in those of the shortest trial."""

_ANY = 30.0
"""Standard deviation of the constant, which is unknown."""


class Sample(NamedTuple):
    """Configurations: the logarithm of each one's work, shape (n,), and their coordinates, shape (n, d)."""

    log_work: np.ndarray
    points: np.ndarray

    def features(self) -> np.ndarray:
        """Return the columns of the linear model: constant, log work, coordinates; shape (n, 2 + d)."""
        return np.column_stack([np.ones(len(self.points)), self.log_work, self.points - 0.5])


def drawn_log_seconds(
    timed: Sample, log_seconds: np.ndarray, asked: Sample, count: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw the log seconds of configurations from their posterior distribution.

    Args:
        timed: Configurations of known seconds, at least one.
        log_seconds: Their log seconds, shape (n,).
        asked: Configurations to predict, m of them.
        count: Number of draws. The configurations of one draw share its line.
        generator: Source of random numbers.

    Returns:
        Log seconds, each with the noise of one trial, shape (count, m).

    References:
        Bishop, "Pattern Recognition and Machine Learning", 2006, equations 3.49 to 3.51 (the posterior) and
        3.86 (the evidence).
    """
    posteriors, weights = _weighed(timed, log_seconds)
    picked = generator.choice(len(posteriors), count, p=weights)
    lines = np.array([posteriors[k].draw(generator) for k in picked])
    noise = np.array([posteriors[k].noise for k in picked])[:, None]
    constant = np.array([posteriors[k].constant for k in picked])[:, None]
    drawn = lines @ asked.features().T
    return np.asarray(np.log(constant + np.exp(drawn + noise * generator.standard_normal(drawn.shape))))


def expected_log_seconds(timed: Sample, log_seconds: np.ndarray) -> Callable[[Sample], np.ndarray]:
    """Return a function from configurations to their expected log seconds, shape (m,).

    Args:
        timed: Configurations of known seconds, at least one.
        log_seconds: Their log seconds, shape (n,).
    """
    posteriors, weights = _weighed(timed, log_seconds)
    lines = np.array([posterior.mean for posterior in posteriors])
    constants = np.array([posterior.constant for posterior in posteriors])[:, None]
    return lambda asked: weights @ np.log(constants + np.exp(lines @ asked.features().T))


def _weighed(timed: Sample, log_seconds: np.ndarray) -> tuple[list["_Posterior"], np.ndarray]:
    """Return the posterior for each size of effects and noise, and their probabilities by the evidence."""
    posteriors = [
        _posterior(timed.features(), log_seconds, constant * np.exp(log_seconds.min()), effect, noise)
        for constant in _CONSTANTS
        for effect in _EFFECTS
        for noise in _NOISES
    ]
    evidence = np.array([posterior.log_evidence for posterior in posteriors])
    weights = np.exp(evidence - evidence.max())
    return posteriors, weights / weights.sum()


class _Posterior(NamedTuple):
    """A normal distribution of lines, for one size of effects and of noise."""

    mean: np.ndarray
    root: np.ndarray
    """Matrix R, with the covariance R R^T."""
    constant: float
    noise: float
    log_evidence: float

    def draw(self, generator: np.random.Generator) -> np.ndarray:
        """Draw a line."""
        return self.mean + self.root @ generator.standard_normal(len(self.mean))


def _posterior(
    features: np.ndarray, log_seconds: np.ndarray, constant: float, effect: float, noise: float
) -> _Posterior:
    n, d = features.shape
    log_seconds = np.log(np.exp(log_seconds) - constant)
    prior_mean = np.r_[0.0, 1.0, np.zeros(d - 2)]
    prior_sd = np.r_[_ANY, _WORK_SD, np.full(d - 2, effect)]
    scaled = features * prior_sd / noise
    rest = (log_seconds - features @ prior_mean) / noise
    precision = scaled.T @ scaled + np.eye(d)
    solved = np.linalg.solve(precision, scaled.T @ rest)
    log_evidence = -(rest @ rest - rest @ scaled @ solved) / 2
    log_evidence -= np.linalg.slogdet(precision)[1] / 2 + n * np.log(noise) + log_seconds.sum()
    root = prior_sd[:, None] * np.linalg.inv(np.linalg.cholesky(precision)).T
    return _Posterior(prior_mean + prior_sd * solved, root, constant, noise, float(log_evidence))
