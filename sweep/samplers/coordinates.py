"""Where does a configuration stand in the unit cube?

The inverse of ``space.value_at``, for models that need distances: equally likely parts of a
dimension are equally long, and numbers among choices keep their order. A text's choices have an axis
each, 1 for the one taken. A hyperparameter that is inactive in some trials stands at 0.5 there, and an
axis of its own says where it is active.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from sweep.definition.space import n_values


def unit_points(
    space: Mapping[str, BaseDistribution], configurations: Sequence[Mapping[str, Any]]
) -> np.ndarray:
    """Return the coordinates of configurations, each with the searched hyperparameters it has.

    Returns:
        Values from 0 to 1, shape (number of configurations, axes).
    """
    axes = [axis for name in space for axis in _axes(name, space[name], configurations)]
    return np.array(axes, dtype=np.float64).reshape(len(axes), len(configurations)).T


def unit_at(dimension: BaseDistribution, value: Any) -> float:
    """Return the point of [0, 1] at which ``space.value_at`` has the value; the middle of its share.

    Choices stand in their order.
    """
    if isinstance(dimension, CategoricalDistribution):
        return (dimension.choices.index(value) + 0.5) / len(dimension.choices)
    assert isinstance(dimension, (IntDistribution, FloatDistribution)), "Optuna has three kinds"
    if dimension.step and not dimension.log:
        place = round((float(value) - dimension.low) / dimension.step)
        return (place + 0.5) / n_values(dimension)
    margin = 0.5 if isinstance(dimension, IntDistribution) else 0.0
    scale = math.log if dimension.log else float
    low, high = scale(dimension.low - margin), scale(dimension.high + margin)
    return (scale(float(value)) - low) / (high - low) if high > low else 0.5


def _axes(
    name: str, dimension: BaseDistribution, configurations: Sequence[Mapping[str, Any]]
) -> list[list[float]]:
    """Return one hyperparameter's axes, each with a coordinate for every configuration."""
    if isinstance(dimension, CategoricalDistribution) and not _are_numbers(dimension.choices):
        return [
            [float(name in values and values[name] == choice) for values in configurations]
            for choice in dimension.choices
        ]
    axis = [
        unit_at(_in_order(dimension), values[name]) if name in values else 0.5 for values in configurations
    ]
    active = [float(name in values) for values in configurations]
    return [axis] if all(active) else [axis, active]


def _in_order(dimension: BaseDistribution) -> BaseDistribution:
    if isinstance(dimension, CategoricalDistribution):
        numbers: Any = dimension.choices
        return CategoricalDistribution(sorted(numbers))
    return dimension


def _are_numbers(choices: Sequence[Any]) -> bool:
    return all(isinstance(choice, (int, float)) and not isinstance(choice, bool) for choice in choices)
