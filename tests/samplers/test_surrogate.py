"""The process of gp_cost: what it draws from the density, and how sure it is of what it has not seen."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sweep.samplers.gaussian_process import Data, fit_quickly, predict
from sweep.samplers.surrogate import Surrogate, drawn

SCALES = np.arange(2)


def plane(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return points of one edge of the square, and losses that the first axis explains."""
    points = np.random.default_rng(0).random((n, 2)) * [1, 0.05]
    return points, points[:, 0] ** 2


def draws(points: np.ndarray, losses: np.ndarray, n: int) -> list[Surrogate]:
    """Return processes of ``n`` proposals."""
    generator = np.random.default_rng(0)
    return [drawn(points, losses, SCALES, generator) for _ in range(n)]


@pytest.fixture(scope="module")
def models() -> list[Surrogate]:
    """Processes of 400 proposals from the same ten trials."""
    return draws(*plane(10), n=400)


def test_length_scales_are_drawn_around_two_thirds_of_the_most_probable(models: list[Surrogate]) -> None:
    """In the mean of their logarithms, up to what bounds cut off; the noise around the most probable."""
    points, _ = plane(10)
    theta = fit_quickly(Data(points, models[0].data.means, np.ones(10), np.zeros(10), SCALES))
    mean = np.mean([model.theta for model in models], axis=0)
    assert_allclose(mean, theta - np.log([1.5, 1.5, 1]), atol=0.25)


def test_what_was_hardly_varied_has_the_wider_draws(models: list[Surrogate]) -> None:
    """The second axis stays within a twentieth of its range."""
    explaining, unvaried, _ = np.std([model.theta for model in models], axis=0)
    assert unvaried > 2 * explaining


def test_some_draws_are_unsure_where_the_most_probable_process_is_sure(models: list[Surrogate]) -> None:
    """At the far end of the axis that was hardly varied; at known points all agree."""
    points, _ = plane(10)
    theta = fit_quickly(Data(points, models[0].data.means, np.ones(10), np.zeros(10), SCALES))
    far = np.array([[0.5, 1.0]])
    deviations = np.array([model.predict(far)[1][0] for model in models])
    assert (deviations > 3 * predict(theta, models[0].data, far)[1]).mean() > 0.1
    assert_allclose(np.mean([m.predict(points)[0] for m in models], axis=0), models[0].data.means, atol=0.1)


def test_the_same_numbers_draw_the_same_process() -> None:
    """Bit for bit, with and without the density that was kept."""
    points, losses = plane(8)
    first = drawn(points, losses, SCALES, np.random.default_rng(1))
    drawn(points[:6], losses[:6], SCALES, np.random.default_rng(2))
    again = drawn(points.copy(), losses.copy(), SCALES, np.random.default_rng(1))
    assert_array_equal(first.theta, again.theta)


def test_equal_losses_teach_nothing() -> None:
    """All means are 0, and nothing is divided by a spread of 0."""
    points, _ = plane(6)
    (model,) = draws(points, np.full(6, 2.5), n=1)
    assert_array_equal(model.predict(points)[0], np.zeros(6))
