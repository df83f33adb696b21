"""Optuna's distributions, made from dimensions, and the private name of its trials that sweep uses.

No other module names it; those of Optuna's database are in ``storage.optuna_schema``. ``libraries``
holds the accepted versions.
"""

import warnings
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import Trial

from sweep.definition.dimension import Choices, Dimension
from sweep.libraries import OPTUNA, private_names

warnings.filterwarnings("ignore", message="Choices for a categorical distribution should be a tuple")
"""A list among the choices is stored as JSON and read back by ``plain.as_read``."""


def distribution_of(dimension: Dimension) -> BaseDistribution:
    """Return Optuna's form of a dimension."""
    if isinstance(dimension, Choices):
        return CategoricalDistribution(dimension.choices)
    if dimension.is_int:
        low, high, step = (int(value) for value in (dimension.low, dimension.high, dimension.step or 1))
        return IntDistribution(low, high, log=dimension.log, step=step)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log, step=dimension.step)


def suggest(trial: Trial, name: str, distribution: BaseDistribution) -> Any:
    """Return the value of one hyperparameter that the study's sampler proposes, as ``Study.ask`` does."""
    with private_names(OPTUNA):
        ask = trial._suggest
    return ask(name, distribution)
