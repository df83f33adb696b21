"""A metric knows which of two values is better, and which value is no result."""

import math

import pytest

from sweep.metric import MAXIMIZE, MINIMIZE, Metric
from sweep.trainers.mlp.config import METRIC

ACCURACY = Metric(name="acc", label="accuracy", direction=MAXIMIZE, diverged=0.1)


def test_a_direction_is_one_of_two() -> None:
    """Anything else is refused at once, with both names."""
    with pytest.raises(ValueError, match="direction must be one of minimize, maximize; got 'up'"):
        Metric(name="acc", label="accuracy", direction="up")


@pytest.mark.parametrize("metric", [ACCURACY, METRIC], ids=[MAXIMIZE, MINIMIZE])
def test_the_loss_form_is_its_own_inverse(metric: Metric) -> None:
    """Twice applied it gives the value back, bit for bit, and lower is better in it."""
    for value in (0.3, -2.5, 1e300, 0.0):
        assert metric.as_loss(metric.as_loss(value)) == value
    better, worse = (0.9, 0.5) if metric is ACCURACY else (0.5, 0.9)
    assert metric.as_loss(better) < metric.as_loss(worse)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_has_always_diverged(value: float) -> None:
    """Infinity too, though it would be the best of values that are maximised."""
    assert ACCURACY.has_diverged(value)
    assert METRIC.has_diverged(value)


def test_the_bound_lies_on_the_bad_side() -> None:
    """Below it an accuracy has diverged, above it a loss; a training loss is no accuracy."""
    assert [ACCURACY.has_diverged(value) for value in (0.09, 0.1, 0.11, 62_000)] == [True, True, False, False]
    assert [METRIC.has_diverged(value) for value in (9_999, 1e4, -1e9)] == [False, True, False]
    assert not ACCURACY.has_diverged_in_training(0.0)
    assert METRIC.has_diverged_in_training(1e4)


def test_without_a_bound_every_finite_value_is_a_result() -> None:
    """A root mean square error of 62,000 is one."""
    assert not Metric(name="rmse", label="RMSE").has_diverged(62_000)
