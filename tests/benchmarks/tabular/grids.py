"""Which configurations are trained for a table?"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

KNOBS = ("block_size", "embedding_dim", "hidden_neurons", "batch_size", "num_steps")


class Grid(NamedTuple):
    """108 cells over the five knobs, and what is the same in all of them."""

    choices: Mapping[str, Sequence[int]]
    fixed: Mapping[str, Any]
    timed: str
    """File of the table whose step times count for all tables of this grid."""


def _choices(*choices: Sequence[int]) -> Mapping[str, Sequence[int]]:
    return dict(zip(KNOBS, choices, strict=True))


GRIDS = {
    "sgd": Grid(
        _choices((3, 5, 8), (6, 24), (50, 150, 400), (32, 128), (20_000, 60_000, 180_000)),
        {
            "schedule": "cosine",
            "learning_rate": 0.15,
            "final_learning_rate": 0.001,
            "weight_decay": 0.001,
            "init": "scaled",
        },
        "names.csv",
    ),
    "adamw": Grid(
        _choices((4, 6, 9), (16, 64), (64, 200, 600), (128, 512), (500, 1_500, 4_500)),
        {
            "optimizer": "adamw",
            "schedule": "cosine",
            "learning_rate": 0.005,
            "final_learning_rate": 0.0,
            "warmup": 0.02,
            "weight_decay": 0.15,
            "init": "scaled",
        },
        "names-adamw.csv",
    ),
}


def grid_of(row: Mapping[str, str]) -> Grid:
    """Return the grid that a row of a table belongs to."""
    for grid in GRIDS.values():
        if all(int(row[name]) in choices for name, choices in grid.choices.items()):
            return grid
    raise SystemExit(f"no grid has the cell {[row[name] for name in KNOBS]}")
