"""Share tools among the stages of a block's program: division of work, products, updates.

They work with any compiler of ``block_program.py``.
"""

from typing import Any, NamedTuple

import numpy as np

from sweep.trainers.mlp.engines.block_layout import TILE

TILE_ROWS, TILE_COLUMNS = TILE

at = np.uint64
"""Type of indices: unsigned, because Numba checks signed ones for negative values at each access."""


class Thread(NamedTuple):
    """A thread's share of the work: elements ``number``, ``number + threads``, ...

    In a matrix: rows ``row``, ``row + rows``, ..., and in each row columns ``lane``, ``lane + lanes``, ...
    """

    number: int
    threads: int
    row: int
    rows: int
    lane: int
    lanes: int


class Rule(NamedTuple):
    """The update rule."""

    rate: Any
    weight_decay: Any
    momentum: Any


def descend(floats: Any, place: int, gradient: Any, rule: Rule, velocity: Any, speed: int) -> None:
    """Update one parameter: g + weight_decay p; v = momentum v + g; p -= rate v."""
    old = floats[at(place)]
    direction = gradient + rule.weight_decay * old
    if rule.momentum > 0:
        direction += rule.momentum * velocity[at(speed)]
        velocity[at(speed)] = direction
    floats[at(place)] = old - rule.rate * direction


def multiply(
    tile: Any,
    floats: Any,
    a: int,
    a_row: int,
    a_step: int,
    b: int,
    b_step: int,
    b_column: int,
    m: int,
    n: int,
    columns: int,
    first: int,
    last: int,
) -> None:
    """Set a tile of A @ B, summing over k from ``first`` to ``last``.

    A has element (i, k) at ``a + i a_row + k a_step``, B element (k, j) at ``b + k b_step + j b_column``.
    The tile's rows are consecutive from m; its columns are ``columns`` apart from n, so that neighbouring
    threads read neighbouring words. Elements beyond the last row or column are also read (the room is large
    enough) but not stored by the caller, which costs less than a check.
    """
    for i in range(TILE_ROWS):
        for j in range(TILE_COLUMNS):
            tile[i, j] = np.float32(0)
    from_a = floats[a + m * a_row + first * a_step :]
    from_b = floats[b + n * b_column + first * b_step :]
    for k in range(last - first):
        for i in range(TILE_ROWS):
            x = from_a[at(k * a_step + i * a_row)]
            for j in range(TILE_COLUMNS):
                tile[i, j] += x * from_b[at(k * b_step + j * columns * b_column)]


def locate(q: int, columns: int) -> tuple[int, int]:
    """Return the first row and first column of tile number ``q``."""
    row = quotient(q, columns)
    return row * TILE_ROWS, q - row * columns


def quotient(n: int, divisor: int) -> int:
    """Return n // divisor, both below 2**32; a GPU divides 32 bits several times as fast as 64."""
    return int(np.uint32(n) // np.uint32(divisor))


def column_sum(floats: Any, first: int, stride: int, n: int) -> Any:
    """Return the sum of n elements that are ``stride`` apart."""
    total = np.float32(0)
    for i in range(n):
        total += floats[at(first + i * stride)]
    return total


def mean(floats: Any, first: int, n: int) -> Any:
    """Return the mean of n consecutive elements."""
    return column_sum(floats, first, 1, n) / np.float32(n)
