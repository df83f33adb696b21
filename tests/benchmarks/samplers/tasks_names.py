"""The MLP on a list of names: the table of 108 cells that ``tests/benchmarks/tabular/make_grid.py`` trained.

The only task whose work is known before a training, as it is to the product.
"""

from pathlib import Path

import numpy as np

from tests.benchmarks.samplers.task import Params, Task, mean
from tests.benchmarks.tabular.table import read_table

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
