"""The cells of a grid: every distinct combination of active hyperparameters.

Cells are counted, never listed. The values of the hyperparameters that conditions need are run through; the
others that are active beside them are a plain product.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from sweep.definition.space import Space

MAX_DECISIONS = 1_000
"""Combinations of the deciding hyperparameters that a grid may have: they are run through at each cell."""


def is_countable(space: Space) -> bool:
    """Return whether the space is a grid, of which not too much must be run through to count its cells."""
    if any(dimension.is_continuous for dimension in space.values()):
        return False
    return n_decisions(space) <= MAX_DECISIONS


def grid_size(space: Space) -> int:
    """Return how many cells the grid has."""
    return sum(_size(space, free) for _, free in _blocks(space))


def grid_cell(space: Space, number: int) -> dict[str, Any]:
    """Return cell ``number``: deciding hyperparameters change slowest, then the last dimension fastest."""
    for decided, free in _blocks(space):
        size = _size(space, free)
        if number < size:
            return _cell(space, decided, free, number)
        number -= size
    raise AssertionError("the study ends with its last cell")


def n_decisions(space: Space) -> int:
    """Return an upper bound on the combinations of those hyperparameters that others depend on."""
    return math.prod(space[name].cells for name in _deciding(space))


def _deciding(space: Space) -> list[str]:
    needed = {other for others in space.conditions.values() for other in others}
    return [name for name in space.asking_order() if name in needed]


def _blocks(space: Space) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Yield the deciding values, and the names of the other hyperparameters that are active then."""
    deciding = _deciding(space)
    for decided in _decisions(space, deciding, {}):
        yield decided, [name for name in space if name not in deciding and space.is_active(name, decided)]


def _decisions(space: Space, names: Sequence[str], decided: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if not names:
        yield decided
    elif not space.is_active(names[0], decided):
        yield from _decisions(space, names[1:], decided)
    else:
        for place in range(space[names[0]].cells):
            value = space[names[0]].cell(place)
            yield from _decisions(space, names[1:], {**decided, names[0]: value})


def _size(space: Space, free: Sequence[str]) -> int:
    return math.prod(space[name].cells for name in free)


def _cell(space: Space, decided: dict[str, Any], free: Sequence[str], number: int) -> dict[str, Any]:
    cell = dict(decided)
    for name in reversed(free):
        number, place = divmod(number, space[name].cells)
        cell[name] = space[name].cell(place)
    return {name: cell[name] for name in space if name in cell}
