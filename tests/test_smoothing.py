"""The moving average of losses, beside SciPy's linear filter, bit for bit."""

import numpy as np
import pytest
from scipy.signal import lfilter

from sweep.smoothing import smooth


@pytest.mark.parametrize("window", [1, 2, 7, 333])
def test_the_average_is_that_of_a_linear_filter(window: int) -> None:
    """The first value is the first loss; later ones have SciPy's bits."""
    losses = np.random.default_rng(0).normal(3, 1, 5_000)
    kept = 1 - 1 / window
    expected = lfilter([1 - kept], [1, -kept], losses) / (1 - kept ** np.arange(1, len(losses) + 1))
    assert smooth(losses, window).tolist() == expected.tolist()
    assert smooth(losses, window)[0] == pytest.approx(losses[0], rel=1e-15)


def test_a_loss_that_is_not_finite_ends_the_curve() -> None:
    assert smooth(np.array([2.0, np.nan, 2.0]), 2).tolist() == [2.0, np.inf, np.inf]
