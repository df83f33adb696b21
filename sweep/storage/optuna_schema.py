"""The private names of Optuna's database that sweep uses: its tables, and how a trial is made from a row.

No other module names them; those of its objects are in ``definition.optuna_objects``. The schema is Optuna
5.0's; ``libraries`` holds the accepted versions.
"""

from collections.abc import Callable

from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial

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


def trial_builder(storage: RDBStorage) -> Callable[[TrialModel], FrozenTrial]:
    """Return the function that makes a trial from its row."""
    with private_names(OPTUNA):
        build: Callable[[TrialModel], FrozenTrial] = storage._build_frozen_trial_from_trial_model
    return build
