"""Compute the expected improvement on what is known, for one loss or two.

References:
    Jones, Schonlau, Welch, "Efficient Global Optimization of Expensive Black-Box Functions", 1998. Ament et
    al., "Unexpected Improvements to Expected Improvement", 2023 (its logarithm). Emmerich, Deutz,
    Klinkenberg, "Hypervolume-Based Expected Improvement: Monotonicity Properties and Exact Computation",
    2011.
"""

import numpy as np
from scipy.special import ndtr


def log_improvement(means: np.ndarray, deviations: np.ndarray, best: float) -> np.ndarray:
    """Return log E max(best - X, 0) for normal X with these means and standard deviations, shape (n,)."""
    return np.asarray(np.log(deviations) + _log_unit_improvement((best - means) / deviations))


def log_volume_improvement(means: np.ndarray, deviations: np.ndarray, front: np.ndarray) -> np.ndarray:
    """Return the log of the expected growth of the area that a front dominates, shape (n,).

    Below the front, the area is divided into strips along the first loss. A point improves a strip from
    ``left`` to ``right`` below ``height`` by a width times a height. They are independent, and their
    expectations are expected improvements.

    Args:
        means: Of both losses, shape (n, 2).
        deviations: Their standard deviations, shape (n, 2).
        front: Losses that do not dominate each other, and the reference as last row, shape (k + 1, 2).
    """
    order = np.argsort(front[:-1, 0], kind="stable")
    rights = np.append(front[:-1, 0][order], front[-1, 0])
    heights = np.append(front[-1, 1], front[:-1, 1][order])
    up_to = np.exp([log_improvement(means[:, 0], deviations[:, 0], right) for right in rights])
    widths = np.diff(up_to, axis=0, prepend=0)
    tall = np.exp([log_improvement(means[:, 1], deviations[:, 1], height) for height in heights])
    return np.asarray(np.log(np.maximum((widths * tall).sum(axis=0), np.finfo(float).tiny)))


def _log_unit_improvement(z: np.ndarray) -> np.ndarray:
    """Return log(phi(z) + z Phi(z)), by its asymptote phi(z) / z**2 if the sum would cancel."""
    log_density = -(z**2) / 2 - np.log(2 * np.pi) / 2
    near = np.maximum(z, -5)
    direct = np.log(np.exp(-(near**2) / 2) / np.sqrt(2 * np.pi) + near * ndtr(near))
    return np.asarray(np.where(z > -5, direct, log_density - 2 * np.log(np.maximum(-z, 1))))
