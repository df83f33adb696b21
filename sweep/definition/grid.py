"""Count and index the cells of a grid: every distinct combination of active hyperparameters.

Cells are never listed. The code enumerates the combinations of the hyperparameters that conditions refer to;
for each combination, the other active hyperparameters form a plain product.
"""

import math
from collections.abc import Iterator, Sequence

from sweep.definition.space import Space
from sweep.values import Value

MAX_DECISIONS = 1_000
"""Largest number of combinations of deciding hyperparameters; each cell lookup enumerates them."""


def is_countable(space: Space) -> bool:
    """Return whether the space is a grid with at most ``MAX_DECISIONS`` combinations to enumerate."""
    if any(dimension.is_continuous for dimension in space.values()):
        return False
    return n_decisions(space) <= MAX_DECISIONS


def grid_size(space: Space) -> int:
    """Return the number of cells."""
    return sum(_size(space, free) for _, free in _blocks(space))


def grid_cell(space: Space, number: int) -> dict[str, Value]:
    """Return cell ``number``; deciding hyperparameters vary slowest, the last dimension fastest."""
    for decided, free in _blocks(space):
        size = _size(space, free)
        if number < size:
            return _cell(space, decided, free, number)
        number -= size
    raise AssertionError("the study ends with its last cell")


def n_decisions(space: Space) -> int:
    """Return an upper bound on the combinations of the hyperparameters that conditions refer to."""
    return math.prod(space[name].cells for name in _deciding(space))


def _deciding(space: Space) -> list[str]:
    needed = {other for others in space.conditions.values() for other in others}
    return [name for name in space.asking_order() if name in needed]


def _blocks(space: Space) -> Iterator[tuple[dict[str, Value], list[str]]]:
    """Yield each combination of deciding values, and the names of the other active hyperparameters."""
    deciding = _deciding(space)
    for decided in _decisions(space, deciding, {}):
        yield decided, [name for name in space if name not in deciding and space.is_active(name, decided)]


def _decisions(space: Space, names: Sequence[str], decided: dict[str, Value]) -> Iterator[dict[str, Value]]:
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


def _cell(space: Space, decided: dict[str, Value], free: Sequence[str], number: int) -> dict[str, Value]:
    cell = dict(decided)
    for name in reversed(free):
        number, place = divmod(number, space[name].cells)
        cell[name] = space[name].cell(place)
    return {name: cell[name] for name in space if name in cell}
