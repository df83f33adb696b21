"""Estimate a mean over random cuts of train and dev, which share most of their units."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sweep.certify.statistics.selection import ALPHA, t_quantile


class Resampled(NamedTuple):
    """A mean over cuts, with its corrected interval."""

    mean: float
    standard_error: float
    low: float
    high: float


def corrected_interval(values: Sequence[float], dev_to_train: float, alpha: float = ALPHA) -> Resampled:
    """Return the mean of a value over cuts, with the corrected resampled t interval.

    Trainings on cuts of the same units are not independent, so their variance over R is too small for that of
    the mean. Nadeau and Bengio replace 1 / R by 1 / R + n_dev / n_train:

        standard error = sd sqrt(1 / R + n_dev / n_train),    R - 1 degrees of freedom.

    Args:
        values: One for each cut, in the metric's unit, R at least 2.
        dev_to_train: Number of dev units over that of train units.
        alpha: Probability that the interval misses.

    References:
        Nadeau, Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003.

    Examples:
        >>> [round(number, 4) for number in corrected_interval([1.0, 2.0, 3.0], 0.125)]
        [2.0, 0.677, -0.9129, 4.9129]
    """
    assert len(values) >= 2, "one cut has no spread"
    mean, sd = float(np.mean(values)), float(np.std(values, ddof=1))
    error = sd * math.sqrt(1 / len(values) + dev_to_train)
    margin = t_quantile(len(values) - 1, 1 - alpha / 2) * error
    return Resampled(mean, error, mean - margin, mean + margin)
