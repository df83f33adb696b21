"""Seeds and differences: against scipy's noncentral t, and by simulation."""

import numpy as np
import pytest
import scipy

from sweep.certify.statistics.power import seeds_needed, smallest_difference
from sweep.certify.statistics.selection import critical_value, tied_set
from tests.support.simulated_losses import simulated_losses


@pytest.mark.parametrize(("n", "k"), [(2, 10), (5, 2), (5, 5), (20, 10), (1_000, 3)])
def test_smallest_difference_has_its_power_by_scipy(n: int, k: int) -> None:
    """The tail of scipy's noncentral t beyond the critical value is the power asked for."""
    shift = smallest_difference(0.007, n, k, power=0.8) * np.sqrt(n) / 0.007
    quantile = scipy.stats.t.ppf(1 - 0.05 / (k - 1), n - 1)
    assert critical_value(k, n) == pytest.approx(quantile)
    assert scipy.stats.nct.sf(quantile, n - 1, shift) == pytest.approx(0.8, abs=1e-4)


def test_the_difference_is_shown_as_often_as_promised() -> None:
    """Two configurations that differ by it: the worse one leaves the tied set 80 times in a hundred."""
    difference = smallest_difference(0.005 * np.sqrt(2), n=8, k=2)
    draws = simulated_losses(np.array([0.0, difference]), np.full(2, 0.005), 0.0, 8, 20_000)
    assert (~tied_set(draws)[:, 1]).mean() == pytest.approx(0.8, abs=3.1 * np.sqrt(0.8 * 0.2 / 20_000))


def test_seeds_needed_are_the_fewest() -> None:
    """That many show the difference, one less does not."""
    n = seeds_needed(0.01, 0.004, k=5)
    assert n is not None
    assert smallest_difference(0.01, n, 5) <= 0.004 < smallest_difference(0.01, n - 1, 5)


def test_a_difference_as_large_as_the_spread_takes_11_to_22_seeds() -> None:
    """0.005 at a spread of 0.005: two configurations with a power of 70 %, five with 80 %."""
    assert seeds_needed(0.005 * np.sqrt(2), 0.005, k=2, power=0.7) == 11
    assert seeds_needed(0.005 * np.sqrt(2), 0.005, k=5, power=0.8) == 22


def test_bounds_of_the_search() -> None:
    """Without spread two seeds are enough; what 10,000 do not show has no number."""
    assert seeds_needed(0.0, 0.001, k=5) == 2
    assert seeds_needed(0.01, 0.00001, k=3) is None
