"""Search the space for the configurations with the highest score, or cross good ones without a score.

A small space is scored whole. In a large one, random draws and neighbours of good trials are scored, and then
neighbours of those with the highest scores, round by round.

References:
    Hutter, Hoos, Leyton-Brown, "Sequential Model-Based Optimization for General Algorithm Configuration",
    2011 (local search over neighbours in mixed spaces).
"""

from collections.abc import Callable

import numpy as np

from sweep.samplers.cube import Cube

Score = Callable[[np.ndarray], np.ndarray]
"""Rows of the cube, shape (n, d) -> their scores, shape (n,)."""

_MOST_CELLS = 1_000
_DRAWN, _NEAR = 384, 128
_ROUNDS, _PARENTS, _CHILDREN = 4, 8, 16
_STEPS = (0.01, 0.3)
"""Smallest and largest standard deviation of a move, as a share of the range."""


def by_score(cube: Cube, score: Score, good: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return rows, highest score first.

    Args:
        cube: The space.
        score: What is maximised.
        good: Rows of good trials, shape (k, d), at least one.
        generator: Source of random numbers.
    """
    cells = cube.cells(_MOST_CELLS)
    if cells is not None:
        return cells[np.argsort(-score(cells), kind="stable")]
    draws = cube.snapped(generator.random((_DRAWN, good.shape[1])))
    rows = np.vstack([draws, neighbours(cube, np.resize(good, (_NEAR, good.shape[1])), generator)])
    scores = score(rows)
    for _ in range(_ROUNDS):
        best = rows[np.argsort(-scores, kind="stable")[:_PARENTS]]
        children = neighbours(cube, np.repeat(best, _CHILDREN, axis=0), generator)
        rows, scores = np.vstack([rows, children]), np.append(scores, score(children))
    return rows[np.argsort(-scores, kind="stable")]


def crossed(cube: Cube, good: np.ndarray, n: int, generator: np.random.Generator) -> np.ndarray:
    """Return ``n`` rows that take each hyperparameter from a random good row, and then move to a neighbour.

    Hyperparameters are drawn from good trials independently, as a univariate Parzen estimator does.
    """
    d = good.shape[1]
    return neighbours(cube, good[generator.integers(len(good), size=(n, d)), np.arange(d)], generator)


def neighbours(cube: Cube, rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return a neighbour of each row: one hyperparameter or more moved, by at least one value.

    The moves of a row have one size, drawn on a logarithmic scale. A category moves to any choice. A
    hyperparameter that becomes active is drawn.
    """
    n, d = rows.shape
    drawn = generator.random((n, d))
    moves = generator.random((n, d)) < generator.random((n, 1)) / 2
    moves[np.arange(n), generator.integers(d, size=n)] = True
    smallest, largest = _STEPS
    sizes = smallest * (largest / smallest) ** generator.random((n, 1))
    steps = sizes * generator.standard_normal((n, d))
    steps = np.copysign(np.maximum(np.abs(steps), cube.grains), steps)
    moved = np.clip(rows + steps, 0, np.nextafter(1, 0))
    moved = np.where(cube.is_category | np.isnan(rows), drawn, moved)
    return cube.snapped(np.where(moves | np.isnan(rows), moved, rows))
