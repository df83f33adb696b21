"""The private names of Optuna's trials and distributions that sweep uses.

No other module names them; those of its database are in ``storage.optuna_schema``. ``libraries`` holds the
accepted versions.
"""

from typing import Any

from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, Trial

from sweep.libraries import OPTUNA, private_names


def trial_id(trial: FrozenTrial) -> int:
    """Return a stored trial's number in the database."""
    with private_names(OPTUNA):
        return trial._trial_id


def suggest(trial: Trial, name: str, dimension: BaseDistribution) -> Any:
    """Return the value of one hyperparameter that the study's sampler proposes, as ``Study.ask`` does."""
    with private_names(OPTUNA):
        ask = trial._suggest
    return ask(name, dimension)


def contains(dimension: BaseDistribution, internal: float) -> bool:
    """Say whether a dimension has a value, given as Optuna stores it; its step counts."""
    with private_names(OPTUNA):
        check = dimension._contains
    return bool(check(internal))
