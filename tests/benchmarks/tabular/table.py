"""What does a trained grid say of each cell, as a world in which searches can be simulated?

A cell is one configuration of the grid. Its seconds are a model, not what each run happened to take:
the least microseconds a step of all runs of that shape (nearly what a quiet machine needs) times the steps.
"""

import csv
import dataclasses
import itertools
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from make_grid import FIXED, GRID, PERCENTS
from optuna.distributions import CategoricalDistribution

from sweep.search.space import Space
from sweep.task.mlp import MLP

KINDS = ("raw", "avg3", "avg10")
"""Weights that a dev loss was taken of: as they stand, or a running average of them."""


class _Vocabulary:
    """As much of a corpus as the work depends on."""

    vocabulary_size = 27


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """Dev losses of every cell on every seed, and what a cell costs."""

    cells: list[dict[str, int]]
    losses: Mapping[str, np.ndarray]
    """Kind of weights -> nats per character, shape (cells, seeds, PERCENTS)."""
    seconds: np.ndarray
    """Seconds of training of one run, shape (cells,)."""

    @cached_property
    def places(self) -> dict[tuple[int, ...], int]:
        """Return the place of each cell by its values."""
        return {tuple(cell.values()): place for place, cell in enumerate(self.cells)}

    @cached_property
    def space(self) -> Space:
        """Return the space as a user writes it: five hyperparameters with choices."""
        return Space({name: CategoricalDistribution(list(choices)) for name, choices in GRID.items()})

    def work(self, params: Mapping[str, Any]) -> float:
        """Return what the product takes a cell to cost."""
        return MLP.work(MLP.make_config({**FIXED, **params}), _Vocabulary())  # type: ignore[arg-type]

    def loss(self, kind: str, cell: int, seed: int, percent: int) -> float:
        """Return the dev loss of one run at a percentage of its steps."""
        return float(self.losses[kind][cell, seed, PERCENTS.index(percent)])

    def regret(self, kind: str, cell: int, seed: int) -> float:
        """Return how far a cell is behind the best: its mean over the seeds that were *not* seen."""
        final = self.losses[kind][:, :, -1]
        others = np.delete(final[cell], seed)
        return float(others.mean() - final.mean(axis=1).min())


def read_table(path: Path) -> Table:
    """Read a complete table of ``make_grid.py``."""
    cells = [dict(zip(GRID, values, strict=True)) for values in itertools.product(*GRID.values())]
    places = {tuple(cell.values()): place for place, cell in enumerate(cells)}
    with path.open() as file:
        rows = list(csv.DictReader(file))
    n_seeds = len({row["seed"] for row in rows})
    losses = {kind: np.full((len(cells), n_seeds, len(PERCENTS)), np.nan) for kind in KINDS}
    step_s: dict[tuple[int, ...], float] = {}
    for row in rows:
        *shape, num_steps = knobs = tuple(int(row[name]) for name in GRID)
        for kind, array in losses.items():
            array[places[knobs], int(row["seed"])] = [float(row[f"{kind}_{p}"]) for p in PERCENTS]
        seconds = float(row["train_seconds"]) / num_steps
        step_s[tuple(shape)] = min(seconds, step_s.get(tuple(shape), seconds))
    if np.isnan(losses["raw"]).any():
        raise SystemExit(f"{path} is not complete: go on with make_grid.py")
    cost = [step_s[tuple(cell.values())[:-1]] * cell["num_steps"] for cell in cells]
    return Table(cells=cells, losses=losses, seconds=np.array(cost))
