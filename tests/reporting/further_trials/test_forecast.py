"""What further trials may bring: by hand, and against searches that really go on."""

import numpy as np
import pytest

from sweep.reporting.further_trials.forecast import Tail, latest, tail_of


def test_a_uniform_tail_has_the_moments_of_the_uniform_distribution():
    """Shape -1, two dimensions, is uniform: in 2 to 3 one trial has mean 2.5, the lowest of three 2.25."""
    tail = Tail(start=3.0, share=1.0, scale=1.0, shape=-1.0)
    assert tail.lowest == 2.0
    assert tail.chance_below(np.array([2.0, 2.25, 3.0])) == pytest.approx([0, 0.25, 1])
    assert tail.expected_best(3.0, 1) == pytest.approx(2.5, abs=1e-4)
    assert tail.expected_best(3.0, 3) == pytest.approx(2.25, abs=1e-3)
    assert tail.quantile_of_best(3.0, 1, 0.1) == pytest.approx(2.1)
    assert tail.quantile_of_best(2.05, 1, 0.1) == 2.05


def test_the_forecast_falls_with_more_trials_and_never_below_the_end_of_the_tail():
    tail = tail_of(list(np.linspace(2, 3, 30)), 3)
    found = [tail.expected_best(2.0, k) for k in (1, 5, 20, 1_000)]
    assert found == sorted(found, reverse=True)
    assert tail.lowest < found[-1] < found[0] < 2.0


@pytest.mark.parametrize("losses", [[], [2.0] * 40, list(np.linspace(2, 3, 7))], ids=["none", "equal", "few"])
def test_too_little_gives_no_forecast(losses):
    assert tail_of(losses, 2) is None


def test_a_sampler_that_learns_is_judged_by_its_latter_half():
    assert latest([5.0, 4.0, 3.0, 2.0], "tpe") == [3.0, 2.0]
    assert latest([5.0, 4.0, 3.0, 2.0], "random") == [5.0, 4.0, 3.0, 2.0]


@pytest.mark.parametrize("dimensions", [1, 2, 4, 8])
def test_random_searches_that_go_on_end_within_the_band_and_near_the_expectation(dimensions):
    """400 searches of a quadratic, 40 trials and 40 more; the band from 10 to 90 % should hold 80 %."""
    draw, inside, errors, gains = np.random.default_rng(0), 0, [], []
    for _ in range(400):
        losses = (draw.uniform(-1, 1, (80, dimensions)) ** 2).sum(axis=1)
        tail, best, end = tail_of(losses[:40].tolist(), dimensions), losses[:40].min(), losses.min()
        low, high = (tail.quantile_of_best(best, 40, quantile) for quantile in (0.1, 0.9))
        inside += low <= end <= high
        errors.append(tail.expected_best(best, 40) - end)
        gains.append(best - end)
    assert 0.65 < inside / 400 < 0.95
    assert abs(np.mean(errors)) < 0.8 * np.mean(gains)
