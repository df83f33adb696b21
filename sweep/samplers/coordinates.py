"""Map configurations to coordinates in the unit cube, for models that need distances.

The coordinates invert ``Dimension.value_at``: equally likely parts of a dimension have equal lengths, and
numeric choices keep their order. Other choices have one axis each, with 1 for the chosen one. If some trials
lack a hyperparameter, its coordinate there is 0.5, and a second axis is 1 if it is active, else 0.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sweep.definition.dimension import Choices, Dimension


def unit_points(space: Mapping[str, Dimension], configurations: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Return the coordinates of configurations, which may lack inactive hyperparameters.

    Returns:
        Values from 0 to 1, shape (number of configurations, axes).
    """
    axes = [axis for name in space for axis in _axes(name, space[name], configurations)]
    return np.array(axes, dtype=np.float64).reshape(len(axes), len(configurations)).T


def _axes(name: str, dimension: Dimension, configurations: Sequence[Mapping[str, Any]]) -> list[list[float]]:
    """Return the axes of one hyperparameter, each with a coordinate for every configuration."""
    if isinstance(dimension, Choices) and not dimension.are_numbers:
        return [
            [float(name in values and values[name] == choice) for values in configurations]
            for choice in dimension.choices
        ]
    ordered = dimension.in_order()
    axis = [ordered.unit_at(values[name]) if name in values else 0.5 for values in configurations]
    active = [float(name in values) for values in configurations]
    return [axis] if all(active) else [axis, active]
