"""Which losses are so far from all others that they would decide every interval."""

import math

import numpy as np
import pytest

from sweep.certify.statistics.explosions import explosion_bound


def test_the_bound_is_a_thousand_distances_above_the_median() -> None:
    """By hand: the median of 2.0, 2.5, 3.0 is 2.5, half a unit above the lowest."""
    assert explosion_bound([3.0, 2.0, 2.5], delta=0.001) == 2.5 + 1000 * 0.5
    assert explosion_bound([3.0, 2.0, 2.5], delta=2.0) == 2.5 + 1000 * 2.0


def test_exploded_losses_do_not_move_the_bound() -> None:
    """Up to half of the losses may explode without raising it."""
    sound = [2.0, 2.1, 2.2, 2.3]
    assert explosion_bound([*sound, 1e10, 1e300, 1e12], 0.001) < 2.3 + 1000 * 0.3 + 1e-9
    assert explosion_bound([2.0, 2.1, 1e9, 1e9], 0.001) < 1e6


@pytest.mark.parametrize("losses", [[2.0], [2.0, 2.0, 9.0]])
def test_equal_losses_without_a_difference_that_matters_set_no_bound(losses: list[float]) -> None:
    """There is no scale, so nothing has exploded."""
    assert explosion_bound(losses, delta=0.0) == math.inf
    assert explosion_bound(losses, delta=0.1) == pytest.approx(102.0)


@pytest.mark.parametrize("draw", ["normal", "standard_t3", "lognormal"])
def test_ordinary_spreads_explode_nowhere(draw: str) -> None:
    """Heavy tails included: none of 2,000 comparisons of five candidates on five seeds has such a loss."""
    rng = np.random.default_rng(3)
    draws = {
        "normal": rng.normal(size=(2000, 25)),
        "standard_t3": rng.standard_t(3, size=(2000, 25)),
        "lognormal": rng.lognormal(size=(2000, 25)),
    }[draw]
    assert all(row.max() <= explosion_bound(row.tolist(), 1e-9) for row in draws)
