"""Represent a study's search space: a dimension for each searched hyperparameter, and conditions.

The dimensions follow the order of the trainer's hyperparameters, not of the file, so that moving a line
changes no proposal. ``sections.search`` reads a space from a study file; ``grid`` counts its cells.
"""

from collections.abc import Iterator, Mapping

from sweep.definition.dimension import Dimension, stored_dimension
from sweep.definition.plain import as_read
from sweep.values import Json, Params, Value

Conditions = Mapping[str, Mapping[str, tuple[Value, ...]]]
"""Hyperparameter -> each other one that it needs -> the values that activate it."""


class Space(Mapping[str, Dimension]):
    """The searched hyperparameters with their dimensions; some may be active only under a condition.

    A hyperparameter with a condition is active in a trial if every other one that the condition names is
    active and has one of the given values. An inactive one is not a parameter of the trial.
    """

    def __init__(self, dimensions: Mapping[str, Dimension], conditions: Conditions | None = None):
        self._dimensions = dict(dimensions)
        self.conditions: Conditions = conditions or {}

    def __getitem__(self, name: str) -> Dimension:
        return self._dimensions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._dimensions)

    def __len__(self) -> int:
        return len(self._dimensions)

    def __repr__(self) -> str:
        return f"Space({self._dimensions!r}, {self.conditions!r})"

    def asking_order(self) -> list[str]:
        """Return the names in the space's order, but each after those that its condition needs."""
        order: dict[str, None] = {}

        def add(name: str) -> None:
            for other in self.conditions.get(name, ()):
                add(other)
            order[name] = None

        for name in self:
            add(name)
        return list(order)

    def is_active(self, name: str, params: Params) -> bool:
        """Return whether a hyperparameter is active, given the active parameters of a trial."""
        needed = self.conditions.get(name, {})
        return all(other in params and params[other] in values for other, values in needed.items())

    def active_part(self, point: Params) -> dict[str, Value]:
        """Return a complete point without its inactive hyperparameters."""
        active: dict[str, Value] = {}
        for name in self.asking_order():
            if self.is_active(name, active):
                active[name] = point[name]
        return {name: active[name] for name in self if name in active}

    def point_at(self, unit: float) -> dict[str, Value]:
        """Return the configuration with the same position in [0, 1) in every dimension."""
        return self.active_part({name: dimension.value_at(unit) for name, dimension in self.items()})

    def spoken_condition(self, name: str) -> str:
        """Return a hyperparameter's condition in words; empty if it is always active.

        Examples:
            >>> needed = {"decay_at": {"schedule": ("step",), "block_size": (3, 4)}}
            >>> Space({}, needed).spoken_condition("decay_at")
            "schedule = 'step' and block_size = 3 or 4"
        """
        needed = self.conditions.get(name, {})
        return " and ".join(f"{other} = {either(values)}" for other, values in needed.items())


def either(values: tuple[Value, ...]) -> str:
    """Return values in words: ``3 or 4``."""
    return " or ".join(map(repr, values))


def space_of_identity(identity: Mapping[str, Json]) -> Space:
    """Return the space that a study's identity describes.

    Raises:
        ValueError: If a dimension is malformed; likewise KeyError, TypeError.
    """
    dimensions = {name: stored_dimension(stored) for name, stored in identity["search"].items()}
    conditions = {
        name: {other: tuple(map(as_read, values)) for other, values in needed.items()}
        for name, needed in identity.get("when", {}).items()
    }
    return Space(dimensions, conditions)
