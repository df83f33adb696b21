"""The configurations that ``cost_aware`` chooses from.

All of a small space; of a large one draws, and neighbours of those known to be good. Choices that are numbers
keep their order, so 64 has the neighbours 32 and 128.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from sweep.definition.dimension import Choices, Dimension
from sweep.definition.grid import grid_cell, grid_size
from sweep.definition.space import Space

_STEP = 0.1
"""Deviation of a move along a range, as a part of it."""


def all_cells(space: Space, most: int) -> list[dict[str, Any]] | None:
    """Return every configuration of the space, or None if there are more than ``most``."""
    if any(dimension.is_continuous for dimension in space.values()):
        return None
    if math.prod(dimension.cells for dimension in space.values()) > most:
        return None
    return [grid_cell(space, number) for number in range(grid_size(space))]


def drawn(space: Space, generator: np.random.Generator) -> dict[str, Any]:
    """Return a uniform draw."""
    return space.active_part({name: space[name].value_at(generator.random()) for name in space})


def moved(space: Space, params: Mapping[str, Any], generator: np.random.Generator) -> dict[str, Any]:
    """Return a configuration near another one: about half of its hyperparameters have moved a little."""
    point = {name: space[name].value_at(generator.random()) for name in space}  # for what becomes active
    for name in space:  # in this order: a trial's own is another one after a resume
        if name in params:
            moves = generator.random() < 1 / 2
            point[name] = _moved(space[name], params[name], generator) if moves else params[name]
    return space.active_part(point)


def _moved(dimension: Dimension, value: Any, generator: np.random.Generator) -> Any:
    if not isinstance(dimension, Choices):
        part = dimension.unit_at(value) + _STEP * generator.standard_normal()
        return dimension.value_at(min(max(part, 0.0), math.nextafter(1, 0)))
    if not dimension.are_numbers:
        return dimension.value_at(generator.random())
    ordered = dimension.in_order().choices
    place = ordered.index(value) + int(generator.choice([-1, 1]))
    return ordered[min(max(place, 0), len(ordered) - 1)]
