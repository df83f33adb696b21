"""The private names of Optuna that sweep uses: its tables, and what it has no public name for.

No other module names them. The schema is Optuna 5.0's; ``libraries`` holds the accepted versions.
"""

from collections.abc import Callable
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial

from sweep.libraries import OPTUNA, private_names

with private_names(OPTUNA):
    from optuna.storages._rdb import models

    STUDIES = models.StudyModel.__table__
    DIRECTIONS = models.StudyDirectionModel.__table__
    STUDY_ATTRS = models.StudyUserAttributeModel.__table__
    STUDY_HIDDEN = models.StudySystemAttributeModel.__table__
    """Attributes of a study that the dashboard does not show as its own."""
    TRIALS = models.TrialModel.__table__
    TRIAL_ATTRS = models.TrialUserAttributeModel.__table__
    TRIAL_HIDDEN = models.TrialSystemAttributeModel.__table__
    """Attributes of a trial that the dashboard shows neither on its page nor in its table."""
    PARAMS = models.TrialParamModel.__table__
    VALUES = models.TrialValueModel.__table__
    REPORTS = models.TrialIntermediateValueModel.__table__
    FINITE = models.TrialValueModel.TrialValueType.FINITE
    FINITE_REPORT = models.TrialIntermediateValueModel.TrialIntermediateValueType.FINITE
    TrialModel = models.TrialModel


def trial_id(trial: FrozenTrial) -> int:
    """Return a stored trial's number in the database."""
    with private_names(OPTUNA):
        return trial._trial_id


def trial_builder(storage: RDBStorage) -> Callable[[TrialModel], FrozenTrial]:
    """Return the function that makes a trial from its row."""
    with private_names(OPTUNA):
        build: Callable[[TrialModel], FrozenTrial] = storage._build_frozen_trial_from_trial_model
    return build


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
