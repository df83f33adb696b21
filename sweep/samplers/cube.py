"""Represent configurations as rows of the unit cube, so that thousands of candidates are handled at once.

A row has one coordinate for each hyperparameter, in the order of the space: the inverse of
``Dimension.value_at``, numeric choices in their order. The coordinate of an inactive hyperparameter is NaN.
``Cube.axes`` makes points of rows, for models that need distances.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sweep.definition.dimension import Choices, Dimension
from sweep.definition.space import Space

INACTIVE_AT = 0.5
"""Coordinate of an inactive hyperparameter for models: the middle, next to all values.

References:
    Levesque, Durand, Gagne, Sabourin, "Bayesian Optimization for Conditional Hyperparameter Spaces", 2017.
"""

_ROUNDING = 1e-9
"""Largest difference of equal coordinates."""


class Cube:
    """The unit cube of a space."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._dimensions = {name: dimension.in_order() for name, dimension in space.items()}
        self._columns = {name: column for column, name in enumerate(space)}
        self.is_category = np.array([_is_category(dimension) for dimension in space.values()], dtype=bool)
        self.grains = np.array([_grain(dimension) for dimension in space.values()])
        """Share of one value of a discrete hyperparameter, on average; 0 if it is continuous."""
        axes = [name for name in space for _ in range(self._axes_of(name))]
        axes += [f"{name} is active" for name in space.conditions]
        self.scales = np.unique(axes, return_inverse=True)[1].reshape(-1)
        """Length scale that each axis of ``axes`` uses: the choices of one category share theirs."""

    def rows(self, configurations: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """Return the rows of configurations, shape (n, d)."""
        return np.array(
            [
                [
                    d.unit_at(params[name]) if name in params else math.nan
                    for name, d in self._dimensions.items()
                ]
                for params in configurations
            ],
            dtype=np.float64,
        ).reshape(len(configurations), len(self._dimensions))

    def params(self, row: np.ndarray) -> dict[str, Any]:
        """Return the configuration of a row."""
        units = zip(self._dimensions.items(), row.tolist(), strict=True)
        return {name: dimension.value_at(unit) for (name, dimension), unit in units if not math.isnan(unit)}

    def snapped(self, units: np.ndarray) -> np.ndarray:
        """Return the rows of the configurations at points of [0, 1), shape (n, d), which have no NaN."""
        rows = np.column_stack([_snapped(d, units[:, k]) for k, d in enumerate(self._dimensions.values())])
        for name in self._space.asking_order():
            for other, values in self._space.conditions.get(name, {}).items():
                at = [self._dimensions[other].unit_at(value) for value in values]
                is_met = (np.abs(rows[:, [self._columns[other]]] - at) < _ROUNDING).any(axis=1)
                rows[~is_met, self._columns[name]] = np.nan
        return rows

    def cells(self, most: int) -> np.ndarray | None:
        """Return the row of every configuration, or None if there are more than ``most``."""
        if (self.grains == 0).any() or math.prod(d.cells for d in self._dimensions.values()) > most:
            return None
        axes = [[d.unit_at(d.cell(place)) for place in range(d.cells)] for d in self._dimensions.values()]
        return self.snapped(np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes)))

    def axes(self, rows: np.ndarray) -> np.ndarray:
        """Return points at Euclidean distances that models can use, shape (n, axes).

        A category has an axis for each choice, so that any two choices are equally far apart: 1. Each
        hyperparameter with a condition has a further axis, which is 1 where it is active.
        """
        parts = [self._axes(name, rows[:, column]) for name, column in self._columns.items()]
        parts += [~np.isnan(rows[:, [self._columns[name]]]) for name in self._space.conditions]
        return np.asarray(np.hstack([*parts, np.empty((len(rows), 0))]))

    def _axes(self, name: str, units: np.ndarray) -> np.ndarray:
        if not self.is_category[self._columns[name]]:
            return np.where(np.isnan(units), INACTIVE_AT, units)[:, None]
        n = self._axes_of(name)
        return np.asarray((np.floor(units * n)[:, None] == np.arange(n)) * math.sqrt(1 / 2))

    def _axes_of(self, name: str) -> int:
        return self._dimensions[name].cells if _is_category(self._dimensions[name]) else 1


def _is_category(dimension: Dimension) -> bool:
    return isinstance(dimension, Choices) and not dimension.are_numbers


def _grain(dimension: Dimension) -> float:
    if not dimension.is_continuous:
        return 1 / dimension.cells
    return 0.0 if dimension.low < dimension.high else 1.0


def _snapped(dimension: Dimension, units: np.ndarray) -> np.ndarray:
    """Return ``unit_at(value_at(unit))`` of each unit."""
    if dimension.is_continuous:
        return (
            units if dimension.low < dimension.high else np.full_like(units, dimension.unit_at(dimension.low))
        )
    if not isinstance(dimension, Choices) and dimension.log:
        low, high = dimension.ends
        values = np.clip(np.rint(np.exp(low + units * (high - low))), dimension.low, dimension.high)
        return np.asarray((np.log(values) - low) / (high - low))
    return np.asarray((np.floor(units * dimension.cells) + 0.5) / dimension.cells)
