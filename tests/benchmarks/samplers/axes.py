"""Describe a search space to libraries that know no conditions: one axis per hyperparameter.

Numeric choices become whole numbers, the places in their order, so that every peer is told the order. A
library that proposes values for inactive hyperparameters is told nothing of it; they are dropped.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sweep.definition.dimension import Choices, Dimension
from sweep.definition.space import Space

REAL, WHOLE, CATEGORY = "real", "whole", "category"


class Axis(NamedTuple):
    """The values of one hyperparameter."""

    kind: str
    """``REAL``, ``WHOLE`` or ``CATEGORY``; categories are the whole numbers from 0."""
    low: float
    high: float
    """Highest value, included."""
    log: bool = False
    """Whether values are uniform in the logarithm."""

    @property
    def places(self) -> list[int]:
        """Return the values of a category."""
        return list(range(int(self.high) + 1))


def axis(dimension: Dimension) -> Axis:
    """Return the axis of a dimension."""
    if isinstance(dimension, Choices):
        return Axis(WHOLE if dimension.are_numbers else CATEGORY, 0, len(dimension.choices) - 1)
    return Axis(WHOLE if dimension.is_int else REAL, dimension.low, dimension.high, dimension.log)


def axes(space: Space) -> dict[str, Axis]:
    """Return the axes of a space, those of conditional hyperparameters too."""
    return {name: axis(dimension) for name, dimension in space.items()}


def value(dimension: Dimension, place: Any) -> Any:
    """Return the hyperparameter's value at a place on its axis."""
    if isinstance(dimension, Choices):
        return dimension.in_order().choices[round(float(place))]
    inside = min(max(float(place), dimension.low), dimension.high)
    return round(inside) if dimension.is_int else inside


def configuration(space: Space, point: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration at a point on all axes."""
    return space.active_part({name: value(space[name], point[name]) for name in space})
