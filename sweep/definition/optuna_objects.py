"""Make Optuna's studies and distributions, and wrap the private names of its trials that sweep uses.

No other module uses those names; ``storage.database.optuna_schema`` wraps those of Optuna's database.
``libraries`` holds the accepted versions.
"""

import warnings

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

from sweep.definition.dimension import Choices, Dimension
from sweep.libraries import OPTUNA, private_names
from sweep.values import Value

warnings.filterwarnings("ignore", message="Choices for a categorical distribution should be a tuple")
"""Choices may contain lists: they are stored as JSON and read back by ``plain.as_read``."""


def study_in_memory(n_objectives: int = 1) -> optuna.Study:
    """Return an empty study in memory, whose objectives are minimized and of which Optuna logs nothing."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(directions=["minimize"] * n_objectives)


def distribution_of(dimension: Dimension) -> BaseDistribution:
    """Return Optuna's distribution for a dimension."""
    if isinstance(dimension, Choices):
        return CategoricalDistribution(dimension.choices)
    if dimension.is_int:
        low, high, step = (int(value) for value in (dimension.low, dimension.high, dimension.step or 1))
        return IntDistribution(low, high, log=dimension.log, step=step)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log, step=dimension.step)


def suggest(trial: Trial, name: str, distribution: BaseDistribution) -> Value:
    """Return the sampler's proposal for one hyperparameter, as ``Study.ask`` does."""
    with private_names(OPTUNA):
        ask = trial._suggest
    return ask(name, distribution)
