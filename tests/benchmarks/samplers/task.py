"""A task that samplers are judged on: a search space, a loss with noise, and a scale of how good a loss is.

Losses of different tasks have different units. They are compared on the task's *scale*: the true losses of
its configurations. The *quantile* of a result is the share of the configurations that are truly better.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sweep.definition.grid import grid_cell, grid_size
from sweep.definition.seeds import derive_seed
from sweep.definition.space import Space
from sweep.samplers.make_samplers import Work, equal_work

Params = Mapping[str, Any]
"""Searched hyperparameters of a configuration, the active ones only."""


def equal_seconds(params: Params) -> float:
    """Return one second for every configuration."""
    return 1.0


def one_seed(params: Params) -> int:
    """Return 1: the loss has no noise."""
    return 1


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task."""

    space: Space
    loss: Callable[[Params, int], float]
    """(configuration, seed) -> the loss of one training; lower is better."""
    scale: np.ndarray
    """True losses of the configurations, or of a sample of them, ascending, shape (configurations,)."""
    n_seeds: Callable[[Params], int] = one_seed
    """Configuration -> how many seeds it has; they are counted from 0."""
    seconds: Callable[[Params], float] = equal_seconds
    """Configuration -> seconds of a training."""
    work: Work = equal_work
    """What the trainer knows of the cost before a training."""

    def true_loss(self, params: Params) -> float:
        """Return the mean loss of a configuration over all of its seeds."""
        return mean(self.loss(params, seed) for seed in range(self.n_seeds(params)))

    def quantile(self, true_loss: float) -> float:
        """Return the share of the configurations that have a lower true loss."""
        return float(np.searchsorted(self.scale, true_loss) / len(self.scale))


class Luck:
    """Which seed a training draws: one order for each configuration, the same for all searches of a seed."""

    def __init__(self, task: Task, seed: int) -> None:
        self._task, self._seed = task, seed
        self._drawn: dict[tuple[Any, ...], int] = {}

    def draw(self, params: Params) -> int:
        """Return the configuration's next seed; all of them come before one comes again."""
        key = tuple((name, params[name]) for name in self._task.space if name in params)
        n = self._task.n_seeds(params)
        before = self._drawn.get(key, 0)
        self._drawn[key] = before + 1
        order = np.random.default_rng(derive_seed("luck", self._seed, key)).permutation(n)
        return int(order[before % n])


def mean(values: Iterable[float]) -> float:
    """Return the mean, exactly rounded, so that equal losses have equal means in any order."""
    listed = list(values)
    return math.fsum(listed) / len(listed)


def cells(space: Space) -> Iterator[dict[str, Any]]:
    """Yield every configuration of a grid."""
    return (grid_cell(space, number) for number in range(grid_size(space)))


def draws(space: Space, n: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Yield uniform random configurations."""
    generator = np.random.default_rng(derive_seed("scale", seed))
    for _ in range(n):
        units = dict(zip(space, generator.random(len(space)).tolist(), strict=True))
        yield space.active_part({name: space[name].value_at(unit) for name, unit in units.items()})
