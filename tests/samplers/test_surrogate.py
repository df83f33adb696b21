"""The process of gp_cost: what it takes from the fit, and how sure it is of what it has not seen."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from sweep.samplers.gaussian_process import Data, fit_quickly, predict
from sweep.samplers.surrogate import fitted

SCALES = np.arange(2)


def plane(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return points of one corner of the square, and losses that the first axis explains."""
    points = np.random.default_rng(0).random((n, 2)) / 2
    return points, points[:, 0] ** 2


def test_length_scales_are_shorter_than_fitted_and_the_noise_is_as_fitted() -> None:
    """Two thirds of those of the highest posterior density."""
    points, losses = plane(10)
    model = fitted(points, losses, SCALES)
    theta = fit_quickly(Data(points, model.data.means, np.ones(10), np.zeros(10), SCALES))
    assert_allclose(np.exp(model.theta[:-1]), np.exp(theta[:-1]) / 1.5)
    assert model.theta[-1] == theta[-1]


def test_it_is_less_sure_than_the_fit_of_what_was_not_seen() -> None:
    """Outside the corner, though the losses inside are predicted as well."""
    points, losses = plane(12)
    model = fitted(points, losses, SCALES)
    as_fitted = np.append(model.theta[:-1] + np.log(1.5), model.theta[-1])
    outside = np.array([[0.7, 0.7]])
    assert model.predict(outside)[1] > 1.2 * predict(as_fitted, model.data, outside)[1]
    assert_allclose(model.predict(points)[0], model.data.means, atol=0.1)


def test_equal_losses_teach_nothing() -> None:
    """All means are 0, and nothing is divided by a spread of 0."""
    points, _ = plane(6)
    model = fitted(points, np.full(6, 2.5), SCALES)
    assert_array_equal(model.predict(points)[0], np.zeros(6))
