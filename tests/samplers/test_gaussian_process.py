"""The process: its density and estimates against scipy's multivariate normal over single trials."""

import dataclasses

import numpy as np
import pytest
import scipy
from numpy.testing import assert_allclose
from scipy.optimize import approx_fprime
from scipy.spatial.distance import cdist

from sweep.samplers.gaussian_process import (
    Data,
    fit,
    fit_quickly,
    negative_log_posterior,
    posterior_means,
    predict,
    spread,
    surprises,
)

LENGTHS, NOISE = np.array([0.4, 0.9]), 0.05
THETA = np.log([*LENGTHS, NOISE])


def kernel(points: np.ndarray) -> np.ndarray:
    """Matern 5/2, written out (Rasmussen, Williams, 2006, equation 4.17)."""
    distance = np.sqrt(5) * cdist(points / LENGTHS, points / LENGTHS)
    return (1 + distance + distance**2 / 3) * np.exp(-distance)


@pytest.fixture
def trials() -> tuple[np.ndarray, np.ndarray]:
    """Twelve configurations, the first four with three replicates each, and their losses."""
    rng = np.random.default_rng(0)
    points = rng.random((12, 2)).repeat([3] * 4 + [1] * 8, axis=0)
    return points, rng.normal(size=20) + 2 * points[:, 0]


@pytest.fixture
def data(trials: tuple[np.ndarray, np.ndarray]) -> Data:
    """The same, pooled by configuration."""
    points, losses = trials
    starts = np.array([0, 3, 6, 9, *range(12, 20)])
    counts = np.diff([*starts, 20])
    means = np.add.reduceat(losses, starts) / counts
    within = np.add.reduceat((losses - means.repeat(counts)) ** 2, starts)
    return Data(points[starts], means, counts, within)


def test_density_is_that_of_the_single_trials(trials: tuple[np.ndarray, np.ndarray], data: Data) -> None:
    """Between two thetas it changes as scipy's normal over all replicates and the normal priors do."""
    points, losses = trials

    def expected(noise: float) -> float:
        covariance = kernel(points) + noise * np.eye(20)
        likelihood = scipy.stats.multivariate_normal(np.zeros(20), covariance).logpdf(losses)
        return -likelihood - scipy.stats.norm(-4, 1).logpdf(np.log(noise))

    values = [negative_log_posterior(np.log([*LENGTHS, noise]), data)[0] for noise in (NOISE, 0.3)]
    assert values[1] - values[0] == pytest.approx(expected(0.3) - expected(NOISE))


def test_gradient_is_that_of_finite_differences(data: Data) -> None:
    """In every direction, away from the optimum."""
    numerical = approx_fprime(THETA, lambda theta: negative_log_posterior(theta, data)[0], 1e-6)
    assert negative_log_posterior(THETA, data)[1] == pytest.approx(numerical, rel=1e-3)


def test_fit_ends_where_the_density_is_flat(data: Data) -> None:
    """No direction leads further up."""
    assert negative_log_posterior(fit(data), data)[1] == pytest.approx(0, abs=2e-3)


def test_spread_is_a_root_of_the_inverse_of_the_curvature(data: Data) -> None:
    """With the second derivatives of scipy's finite differences, where both axes explain losses."""
    waves = np.sin(4 * data.points).sum(axis=1)
    data = dataclasses.replace(data, means=(waves - waves.mean()) / waves.std(), within=data.within / 100)
    theta = fit(data)

    def slope(at: np.ndarray) -> np.ndarray:
        return approx_fprime(at, lambda each: negative_log_posterior(each, data)[0], 1e-5)

    curvature = approx_fprime(theta, slope, 1e-3)
    root = spread(theta, data)
    assert_allclose(root @ root.T, np.linalg.inv(curvature), rtol=0.05, atol=0.01)


def test_spread_along_an_axis_without_variation_is_the_priors(data: Data) -> None:
    """And less along one that explains the losses."""
    points = np.column_stack([data.points[:, 0], np.full(len(data.points), 0.3)])
    one_sided = dataclasses.replace(data, points=points)
    root = spread(fit(one_sided), one_sided)
    assert np.linalg.norm(root[1]) == pytest.approx(np.sqrt(3))
    assert np.linalg.norm(root[0]) < 1


def test_estimates_are_those_of_the_single_trials(trials: tuple[np.ndarray, np.ndarray], data: Data) -> None:
    """The conditional mean given all replicates one by one (equation 2.25)."""
    points, losses = trials
    expected = kernel(points) @ np.linalg.solve(kernel(points) + NOISE * np.eye(20), losses)
    assert posterior_means(THETA, data)[4:] == pytest.approx(expected[12:])
    assert posterior_means(THETA, data)[:4] == pytest.approx(expected[:12:3])


def test_surprise_is_the_distance_from_the_prediction_without_it(data: Data) -> None:
    """The last configuration, conditioned on all others by hand."""
    covariance = kernel(data.points) + NOISE * np.diag(1 / data.counts)
    gain = np.linalg.solve(covariance[:-1, :-1], covariance[:-1, -1])
    sd = np.sqrt(covariance[-1, -1] - gain @ covariance[:-1, -1])
    assert surprises(THETA, data)[-1] == pytest.approx((data.means[-1] - gain @ data.means[:-1]) / sd)


def test_prediction_is_the_textbooks(data: Data) -> None:
    """Equations 2.25 and 2.26 of Rasmussen and Williams with a plain inverse; at its own points the means."""
    at = np.array([[0.2, 0.9], [0.7, 0.1]])
    n = len(data.means)
    joint = kernel(np.vstack([data.points, at]))
    cross = joint[n:, :n] @ np.linalg.inv(joint[:n, :n] + np.diag(NOISE / data.counts))
    means, deviations = predict(THETA, data, at)
    assert means == pytest.approx(cross @ data.means)
    assert deviations**2 == pytest.approx(1 - np.diag(cross @ joint[:n, n:]))
    assert predict(THETA, data, data.points)[0] == pytest.approx(posterior_means(THETA, data))


def test_axes_that_share_a_length_scale_are_those_with_equal_ones(data: Data) -> None:
    """Prediction and surprise as with each axis' length written out; the gradient by finite differences."""
    rng = np.random.default_rng(1)
    points, at = rng.random((12, 3)), rng.random((5, 3))
    shared = dataclasses.replace(data, points=points, scales=np.array([1, 0, 0]))
    apart = dataclasses.replace(data, points=points)
    written_out = np.log([LENGTHS[1], LENGTHS[0], LENGTHS[0], NOISE])
    for ours, theirs in zip(predict(THETA, shared, at), predict(written_out, apart, at), strict=True):
        assert ours == pytest.approx(theirs)
    assert surprises(THETA, shared) == pytest.approx(surprises(written_out, apart))
    numerical = approx_fprime(THETA, lambda theta: negative_log_posterior(theta, shared)[0], 1e-6)
    assert negative_log_posterior(THETA, shared)[1] == pytest.approx(numerical, rel=1e-3)
    assert len(fit(shared)) == 3


@pytest.mark.parametrize("d", [1, 4, 10])
def test_a_quick_fit_is_nearly_as_good(d: int) -> None:
    """On a smooth surface with noise its density is within 0.05 of the best of the three starts."""
    rng = np.random.default_rng(d)
    points = rng.random((40, d))
    losses = np.sin(4 * points[:, 0]) + points.sum(axis=1) / 3 + 0.1 * rng.standard_normal(40)
    data = Data(points, (losses - losses.mean()) / losses.std(), np.ones(40), np.zeros(40))
    quick, thorough = (negative_log_posterior(f(data), data)[0] for f in (fit_quickly, fit))
    assert quick == pytest.approx(thorough, abs=0.05)


def test_points_that_coincide_without_noise_are_refused() -> None:
    """The covariance of the same loss twice has no factor."""
    data = Data(np.zeros((2, 1)), np.zeros(2), np.ones(2), np.zeros(2))
    with pytest.raises(np.linalg.LinAlgError, match="minor of order 2"):
        predict(np.array([0.0, -100.0]), data, np.zeros((1, 1)))
