"""Generate the configurations that ``cost_aware`` chooses from.

For a small space, these are all configurations; for a large one, random draws and neighbours of good ones.
Numeric choices keep their order, so 64 has the neighbours 32 and 128.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from sweep.definition.dimension import Choices, Dimension
from sweep.definition.grid import grid_cell, grid_size
from sweep.definition.space import Space

_STEP = 0.1
"""Standard deviation of a move, as a fraction of the range."""


def all_cells(space: Space, most: int) -> list[dict[str, Any]] | None:
    """Return every configuration of the space, or None if there are more than ``most``."""
    if any(dimension.is_continuous for dimension in space.values()):
        return None
    if math.prod(dimension.cells for dimension in space.values()) > most:
        return None
    return [grid_cell(space, number) for number in range(grid_size(space))]


def drawn(space: Space, generator: np.random.Generator) -> dict[str, Any]:
    """Draw a configuration uniformly."""
    return space.active_part({name: space[name].value_at(generator.random()) for name in space})


def moved(space: Space, params: Mapping[str, Any], generator: np.random.Generator) -> dict[str, Any]:
    """Return a neighbour of a configuration: about half of its hyperparameters change slightly."""
    point = {name: space[name].value_at(generator.random()) for name in space}  # for newly active ones
    for name in space:  # the order of a trial's params changes after a resume, that of the space does not
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
