"""Expected improvements against integrals and simulated draws."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from sweep.definition.pareto import hypervolume
from sweep.samplers.improvement import log_improvement, log_volume_improvement


def test_improvement_is_its_integral() -> None:
    """E max(best - X, 0) by quadrature."""
    for mean, deviation, best in ((0.0, 1.0, 0.5), (2.0, 0.5, 1.0), (-1.0, 2.0, -4.0)):
        integral = quad(lambda x, m=mean, s=deviation, b=best: (b - x) * norm.pdf(x, m, s), -np.inf, best)[0]
        found = np.exp(log_improvement(np.array([mean]), np.array([deviation]), best))[0]
        assert found == pytest.approx(integral, rel=1e-5)


def test_improvement_is_smooth_far_below_what_can_be_represented() -> None:
    """Forty standard deviations away its logarithm still has a slope, and the asymptote joins at five."""
    far = log_improvement(np.array([40.0, 39.0, 5.001, 4.999]), np.ones(4), 0.0)
    assert np.isfinite(far).all()
    assert far[1] > far[0]
    assert far[3] - far[2] == pytest.approx(0.01, abs=0.15)


def test_volume_improvement_is_that_of_simulated_draws() -> None:
    """The mean growth of the hypervolume over 100,000 draws, within four standard errors."""
    front, reference = [(0.2, 0.9), (0.4, 0.5), (0.9, 0.1)], (1.2, 1.0)
    means, deviations = (
        np.array([[0.3, 0.6], [0.6, 0.2], [1.0, 1.0]]),
        np.array([[0.2, 0.3], [0.1, 0.1], [0.3, 0.2]]),
    )
    found = np.exp(log_volume_improvement(means, deviations, np.array([*front, reference])))
    generator = np.random.default_rng(0)
    before = hypervolume(front, reference)
    for k in range(3):
        draws = means[k] + deviations[k] * generator.standard_normal((4_000, 2))
        grown = [hypervolume([*front, (x, y)], reference) - before for x, y in draws.tolist()]
        assert found[k] == pytest.approx(np.mean(grown), abs=4 * np.std(grown) / np.sqrt(len(grown)))


def test_volume_improvement_of_a_single_point_is_a_product() -> None:
    """Without anything known, the area up to the reference is a width times a height."""
    mean, deviation, reference = np.array([[0.5, 0.2]]), np.array([[0.1, 0.3]]), np.array([[1.0, 0.8]])
    found = log_volume_improvement(mean, deviation, reference)
    each = [log_improvement(mean[:, k], deviation[:, k], reference[0, k]) for k in range(2)]
    assert found == pytest.approx(each[0] + each[1])


def test_volume_improvement_keeps_its_order_far_away() -> None:
    """Points too far to improve anything are finite."""
    found = log_volume_improvement(np.full((1, 2), 99.0), np.full((1, 2), 0.01), np.array([[1.0, 1.0]]))
    assert np.isfinite(found).all()
