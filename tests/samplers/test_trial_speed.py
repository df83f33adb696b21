"""Seconds of configurations that were not trained, against laws that are known."""

import numpy as np
import pytest

from sweep.samplers.trial_speed import Sample, drawn_log_seconds


def sample(generator: np.random.Generator, count: int, shift: float = 0.0) -> Sample:
    return Sample(generator.normal(20 + shift, 1.5, count), generator.random((count, 3)))


def law(made: Sample) -> np.ndarray:
    """Seconds that grow with a power of the work and with the first coordinate."""
    return np.asarray(np.exp(-18 + 0.9 * made.log_work + 0.7 * made.points[:, 0]))


@pytest.mark.parametrize("constant", [0.0, 3.0])
def test_the_truth_lies_within_the_draws(constant: float) -> None:
    """Of other configurations, with more work than those timed; with and without a constant part."""
    generator = np.random.default_rng(0)
    timed, asked = sample(generator, 16), sample(generator, 200, shift=1.0)
    seconds = constant + law(timed) * np.exp(0.05 * generator.standard_normal(16))
    draws = drawn_log_seconds(timed, np.log(seconds), asked, 400, generator)
    truth = np.log(constant + law(asked))
    low, middle, high = np.percentile(draws, (5, 50, 95), axis=0)
    assert np.mean((low < truth) & (truth < high)) > 0.8
    assert np.abs(middle - truth).mean() < 0.25


def test_a_single_trial_says_that_the_time_grows_with_the_work() -> None:
    """Ten times the work takes some ten times as long, within a wide range."""
    timed = Sample(np.array([5.0]), np.array([[0.5]]))
    asked = Sample(np.array([5.0 + np.log(10)]), np.array([[0.5]]))
    draws = np.exp(drawn_log_seconds(timed, np.log([2.0]), asked, 1_000, np.random.default_rng(0)))
    low, middle, high = np.percentile(draws, (10, 50, 90))
    assert 2 < low < middle < 25
    assert high > 1.5 * middle


def test_equal_seconds_are_predicted_with_little_noise() -> None:
    """Sixteen trials of 40 ms, whatever they trained."""
    generator = np.random.default_rng(0)
    timed = sample(generator, 16)
    timed = Sample(np.zeros(16), timed.points)
    draws = np.exp(drawn_log_seconds(timed, np.log(np.full(16, 0.04)), timed, 400, generator))
    assert np.percentile(draws, (5, 95)) == pytest.approx((0.04, 0.04), rel=0.05)
