"""Coordinates of configurations: the inverse of proposing at a point, and what is inactive."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweep.definition.dimension import Choices, Dimension, Range
from sweep.samplers.coordinates import unit_points


@pytest.mark.parametrize(
    "dimension",
    [
        Range(2, 8),
        Range(10, 500, log=True),
        Range(100, 1_000, step=100),
        Range(0.1, 0.7, step=0.2),
        Range(-1.0, 5.0),
        Range(0.001, 1.0, log=True),
        Choices((64, 16, 32)),
        Range(3, 3),
        Range(0.5, 0.5),
    ],
)
@given(unit=st.floats(0, 1, exclude_max=True))
@settings(max_examples=40, deadline=None)
def test_proposing_at_a_value_gives_it_back(dimension: Dimension, unit: float) -> None:
    """The coordinate of whatever is proposed lies in the cube and is proposed from again."""
    value = dimension.value_at(unit)
    assert 0 <= dimension.unit_at(value) <= 1
    assert dimension.value_at(dimension.unit_at(value)) == pytest.approx(value, rel=1e-12)


def test_axes_are_worked_out() -> None:
    """A logarithmic range, numbers among choices in order, one axis for each text, and an inactive one."""
    space: dict[str, Dimension] = {
        "learning_rate": Range(0.001, 0.1, log=True),
        "batch_size": Choices((64, 16)),
        "schedule": Choices(("step", "cosine")),
        "decay_at": Range(0.0, 1.0),
    }
    configurations: list[dict[str, Any]] = [
        {"learning_rate": 0.01, "batch_size": 64, "schedule": "step", "decay_at": 0.25},
        {"learning_rate": 0.001, "batch_size": 16, "schedule": "cosine"},
    ]
    expected = [[0.5, 0.75, 1.0, 0.0, 0.25, 1.0], [0.0, 0.25, 0.0, 1.0, 0.5, 0.0]]
    np.testing.assert_allclose(unit_points(space, configurations), expected, atol=1e-12)


def test_nothing_searched_is_no_axis() -> None:
    """Configurations of an empty space are points without coordinates."""
    assert unit_points({}, [{}, {}]).shape == (2, 0)
