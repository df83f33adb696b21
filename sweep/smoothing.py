"""Smooth a curve of losses, for the range test and the learning curve."""

import itertools

import numpy as np


def smooth(losses: np.ndarray, window: int) -> np.ndarray:
    """Return the exponential moving average, corrected for its start; ``losses`` is not modified.

    With b = 1 - 1/window: avg_i = b avg_{i-1} + (1 - b) loss_i, and the result is
    avg_i / (1 - b^(i+1)), so that the first value is the first loss. After a loss that is not finite,
    the average is infinite.

    Examples:
        >>> smooth(np.array([4.0, 1.0, 1.0]), 2).round(3).tolist()
        [4.0, 2.0, 1.429]
    """
    kept = 1 - 1 / window
    finite = np.logical_and.accumulate(np.isfinite(losses))
    shares = ((1 - kept) * np.where(finite, losses, 0).astype(np.float64)).tolist()
    average = np.array([*itertools.accumulate(shares, lambda before, share: kept * before + share)])
    return np.where(finite, average / (1 - kept ** np.arange(1, len(losses) + 1)), np.inf)
