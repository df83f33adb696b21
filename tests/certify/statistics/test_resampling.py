"""The corrected resampled t interval, against SciPy and by simulation."""

import numpy as np
import pytest
from scipy import stats

from sweep.certify.statistics.resampling import corrected_interval


def test_it_is_students_with_another_variance() -> None:
    """1 / R becomes 1 / R + n_dev / n_train; with a ratio of 0 it is the usual interval."""
    values = [2.01, 1.98, 2.05, 2.00, 1.97, 2.03, 1.99, 2.02, 2.04, 1.96]
    usual = corrected_interval(values, 0.0)
    low, high = stats.t.interval(0.95, df=9, loc=np.mean(values), scale=stats.sem(values))
    assert (usual.low, usual.high) == pytest.approx((low, high))
    found = corrected_interval(values, 0.125)
    assert found.standard_error == pytest.approx(usual.standard_error * np.sqrt((0.1 + 0.125) / 0.1))
    assert found.high - found.mean == pytest.approx((high - usual.mean) * 1.5)


def test_it_covers_where_the_usual_one_does_not() -> None:
    """A model that learns the mean of 80 units and is judged on 20: in 500 samples 92 % against 74 %."""
    rng, hits, usual = np.random.default_rng(0), 0, 0
    true = 1 + 1 / 80  # of the squared error, units from N(0, 1)
    for _ in range(500):
        units, errors = rng.standard_normal(100), []
        for _ in range(10):
            cut = rng.permutation(units)
            errors.append(float(np.mean((cut[80:] - cut[:80].mean()) ** 2)))
        found = corrected_interval(errors, 20 / 80)
        plain = corrected_interval(errors, 0.0)
        hits += found.low <= true <= found.high
        usual += plain.low <= true <= plain.high
    assert hits / 500 >= 0.90
    assert usual / 500 < 0.80
