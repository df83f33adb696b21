"""The MLP on a list of names: the table of 108 cells that ``tests/benchmarks/tabular/make_grid.py`` trained.

The only task whose work is known before a training, as it is to the product.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "tabular"))

import numpy as np
from table import read_table
from task import Params, Task, mean

TABLE = Path(__file__).resolve().parents[1] / "tabular" / "names.csv"


def names() -> Task:
    """Load the table."""
    table = read_table(TABLE, TABLE)
    final = table.losses["raw"][:, :, -1]

    def cell(params: Params) -> int:
        return table.places[tuple(params[name] for name in table.space)]

    return Task(
        space=table.space,
        loss=lambda params, seed: float(final[cell(params), seed]),
        n_seeds=lambda params: final.shape[1],
        seconds=lambda params: float(table.seconds[cell(params)]),
        work=table.work,
        scale=np.sort([mean(losses) for losses in final.tolist()]),
    )
