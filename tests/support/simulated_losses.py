"""Losses with known means, for simulations of how often a statement about them is right."""

import math

import numpy as np


def simulated_losses(
    means: np.ndarray, sds: np.ndarray, correlation: float, n: int, repeats: int
) -> np.ndarray:
    """Normal losses of shape (repeats, k, n); one seed's share is common to all configurations."""
    rng = np.random.default_rng(0)
    own, common = rng.standard_normal((repeats, len(means), n)), rng.standard_normal((repeats, 1, n))
    mixed = math.sqrt(correlation) * common + math.sqrt(1 - correlation) * own
    return means[:, None] + sds[:, None] * mixed


def at_least(share: float, repeats: int) -> float:
    """The share that is seen, but for one time in a thousand, if the true one is this or higher."""
    return share - 3.1 * math.sqrt(share * (1 - share) / repeats)
