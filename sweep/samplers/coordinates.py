"""Coordinates of configurations in the unit cube, for models that need distances.

They invert ``Dimension.value_at``: equally likely parts of a dimension are equally long, and choices that are
numbers keep their order. Other choices have an axis each, 1 for the one taken. A hyperparameter that is
inactive in some trials is at 0.5 there, and has a second axis: 1 if it is active, else 0.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sweep.definition.dimension import Choices, Dimension


def unit_points(space: Mapping[str, Dimension], configurations: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Return the coordinates of configurations, each with the searched hyperparameters it has.

    Returns:
        Values from 0 to 1, shape (number of configurations, axes).
    """
    axes = [axis for name in space for axis in _axes(name, space[name], configurations)]
    return np.array(axes, dtype=np.float64).reshape(len(axes), len(configurations)).T


def _axes(name: str, dimension: Dimension, configurations: Sequence[Mapping[str, Any]]) -> list[list[float]]:
    """Return one hyperparameter's axes, each with a coordinate for every configuration."""
    if isinstance(dimension, Choices) and not dimension.are_numbers:
        return [
            [float(name in values and values[name] == choice) for values in configurations]
            for choice in dimension.choices
        ]
    ordered = dimension.in_order()
    axis = [ordered.unit_at(values[name]) if name in values else 0.5 for values in configurations]
    active = [float(name in values) for values in configurations]
    return [axis] if all(active) else [axis, active]
