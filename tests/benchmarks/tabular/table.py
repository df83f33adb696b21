"""What does a trained grid say of each cell, as a world in which searches can be simulated?

A cell is one configuration of the grid. Its seconds are a model, not what each run happened to take:
the least microseconds a step of all runs of that shape (nearly what a quiet machine needs) times the steps.
"""

import csv
import dataclasses
import itertools
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sweep.definition.dimension import Choices
from sweep.definition.space import Space
from sweep.trainers.mlp.trainer import MLP
from tests.benchmarks.tabular.grids import KNOBS, Grid, grid_of
from tests.benchmarks.tabular.make_grid import PERCENTS

KINDS = ("raw", "avg3", "avg10")
"""Weights that a dev loss was taken of: as they stand, or a running average of them."""


FEWEST_SEEDS = 2
"""One that a search sees, and one that its choice is judged by."""


class _Vocabulary:
    """As much of a corpus as the work depends on."""

    vocabulary_size = 27


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """Dev losses of every cell on every seed, and what a cell costs."""

    grid: Grid
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
        return Space({name: Choices(tuple(choices)) for name, choices in self.grid.choices.items()})

    def work(self, params: Mapping[str, Any]) -> float:
        """Return what the product takes a cell to cost."""
        return MLP.work(MLP.make_config({**self.grid.fixed, **params}), _Vocabulary())  # type: ignore[arg-type]

    def loss(self, kind: str, cell: int, seed: int, percent: int) -> float:
        """Return the dev loss of one run at a percentage of its steps."""
        return float(self.losses[kind][cell, seed, PERCENTS.index(percent)])

    def priced(self, price: float) -> "Table":
        """Return a world in which work has a price, nats for each factor of e above the cheapest cell.

        Its best cell lies in the middle, not in the corner where everything is largest.
        """
        log_work = np.log([self.work(cell) for cell in self.cells])
        added = price * (log_work - log_work.min())[:, None, None]
        return dataclasses.replace(
            self, losses={kind: losses + added for kind, losses in self.losses.items()}
        )

    def regret(self, kind: str, cell: int, seed: int) -> float:
        """Return how far a cell is behind the best: its mean over the seeds that were *not* seen."""
        final = self.losses[kind][:, :, -1]
        others = np.delete(final[cell], seed)
        return float(others.mean() - final.mean(axis=1).min())


def read_table(path: Path, timed: Path | None = None) -> Table:
    """Read the complete seeds of a table of ``make_grid.py``; there must be two at least.

    Args:
        path: The table.
        timed: The table of the same grid whose step times count; None for the one that the grid names. Words
            do not change them, other load does.
    """
    rows = _read_rows(path)
    grid = grid_of(rows[0])
    cells = [dict(zip(KNOBS, values, strict=True)) for values in itertools.product(*grid.choices.values())]
    places = {tuple(cell.values()): place for place, cell in enumerate(cells)}
    complete = [seed for seed, n in Counter(row["seed"] for row in rows).items() if n == len(cells)]
    losses = {kind: np.empty((len(cells), len(complete), len(PERCENTS))) for kind in KINDS}
    for row in rows:
        if row["seed"] in complete:
            cell = places[tuple(int(row[name]) for name in KNOBS)]
            place = cell, complete.index(row["seed"])
            for kind, array in losses.items():
                array[place] = [float(row[f"{kind}_{p}"]) for p in PERCENTS]
    if len(complete) < FEWEST_SEEDS:
        raise SystemExit(f"{path} holds {len(complete)} complete seeds and needs 2: go on with make_grid.py")
    step_s = _step_seconds(_read_rows(timed or path.with_name(grid.timed)))
    cost = [step_s[tuple(cell.values())[:-1]] * cell["num_steps"] for cell in cells]
    return Table(grid=grid, cells=cells, losses=losses, seconds=np.array(cost))


def _read_rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def _step_seconds(rows: list[dict[str, str]]) -> dict[tuple[int, ...], float]:
    """Return the least seconds a step of each shape, over all runs of it."""
    step_s: dict[tuple[int, ...], float] = {}
    for row in rows:
        *shape, num_steps = (int(row[name]) for name in KNOBS)
        seconds = float(row["train_seconds"]) / num_steps
        step_s[tuple(shape)] = min(seconds, step_s.get(tuple(shape), seconds))
    return step_s
