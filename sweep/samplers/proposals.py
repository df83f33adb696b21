"""Which configurations could be proposed?

All of a small space; of a large one draws, and neighbours of what is known to be good. Choices that are
numbers keep their order, so 64 has the neighbours 32 and 128.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from sweep.definition.grid import grid_cell, grid_size
from sweep.definition.space import Space, n_values, value_at
from sweep.samplers.coordinates import unit_at

_STEP = 0.1
"""Deviation of a move along a range, as a part of it."""


def all_cells(space: Space, most: int) -> list[dict[str, Any]] | None:
    """Return every configuration of the space, or None if there are more than ``most``."""
    if any(isinstance(dimension, FloatDistribution) and not dimension.step for dimension in space.values()):
        return None
    if math.prod(n_values(dimension) for dimension in space.values()) > most:
        return None
    return [grid_cell(space, number) for number in range(grid_size(space))]


def drawn(space: Space, generator: np.random.Generator) -> dict[str, Any]:
    """Return a uniform draw."""
    return space.active_part({name: value_at(space[name], generator.random()) for name in space})


def moved(space: Space, params: Mapping[str, Any], generator: np.random.Generator) -> dict[str, Any]:
    """Return a configuration near another one: about half of its hyperparameters have moved a little."""
    point = {name: value_at(space[name], generator.random()) for name in space}  # for what becomes active
    for name in space:  # in this order: a trial's own is another one after a resume
        if name in params:
            moves = generator.random() < 1 / 2
            point[name] = _moved(space[name], params[name], generator) if moves else params[name]
    return space.active_part(point)


def _ordered(dimension: CategoricalDistribution) -> Sequence[Any] | None:
    """Return the choices by size, or None where they have none."""
    numbers = all(type(choice) in (int, float) for choice in dimension.choices)
    return sorted(dimension.choices) if numbers else None


def _moved(dimension: BaseDistribution, value: Any, generator: np.random.Generator) -> Any:
    if not isinstance(dimension, CategoricalDistribution):
        part = unit_at(dimension, value) + _STEP * generator.standard_normal()
        return value_at(dimension, min(max(part, 0.0), math.nextafter(1, 0)))
    ordered = _ordered(dimension)
    if ordered is None:
        return value_at(dimension, generator.random())
    place = ordered.index(value) + int(generator.choice([-1, 1]))
    return ordered[min(max(place, 0), len(ordered) - 1)]
