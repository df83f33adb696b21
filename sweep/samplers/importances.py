"""Compute how much each hyperparameter decided which configurations were good.

The method is PED-ANOVA: it measures how far a hyperparameter's distribution among the best configurations
differs from that among all. It shows where good configurations lie, not how the loss depends on a value.


References:
    Watanabe, Bansal, Hutter, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in
    Arbitrary Subspaces", 2023.
"""

import warnings
from collections.abc import Sequence

import optuna
from optuna.distributions import BaseDistribution
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import create_trial

from sweep.definition.optuna_objects import distribution_of
from sweep.definition.records import StudyRecord, TrialRecord

MIN_TRIALS = 20
"""Fewest complete trials; with fewer, the best ones are too few for a distribution."""

BEST_SHARE = 0.1
"""Share of the trials that count as the best."""

_FEWEST_BEST = 5
"""Fewest best trials, as the evaluator's documentation requires."""


def parameter_importances(study: StudyRecord) -> dict[str, float]:
    """Return the importance of each searched hyperparameter, highest first; the importances sum to 1.

    Returns:
        Empty if there are fewer than ``MIN_TRIALS`` complete trials, all losses are equal, or no
        hyperparameter varies.
    """
    trials = [trial for trial in study.complete_trials() if trial.is_scored]
    if len(trials) < MIN_TRIALS or len({trial.dev_loss for trial in trials}) == 1:
        return {}
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # Optuna logs every new study
    space = _varying(study, trials)
    mirrored = optuna.create_study(direction="minimize")
    mirrored.add_trials([_mirrored(study, trial, space) for trial in trials])
    evaluator = PedAnovaImportanceEvaluator(target_quantile=max(BEST_SHARE, _FEWEST_BEST / len(trials)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna warns about groups with one trial, which it skips
        found = evaluator.evaluate(mirrored)
    total = sum(found.values())
    return {name: found[name] / total for name in found} if total > 0 else {}


def _varying(study: StudyRecord, trials: Sequence[TrialRecord]) -> dict[str, BaseDistribution]:
    """Return the stored dimensions with more than one value in the trials."""
    return {
        name: distribution_of(dimension)
        for name, dimension in study.space.items()
        if len({trial.params[name] for trial in trials if name in trial.params}) > 1
    }


def _mirrored(
    study: StudyRecord, trial: TrialRecord, space: dict[str, BaseDistribution]
) -> optuna.trial.FrozenTrial:
    assert trial.dev_loss is not None, "only scored trials are used"
    present = {name: space[name] for name in space if name in trial.params}
    params = {name: trial.params[name] for name in present}
    return create_trial(value=study.as_loss(trial.dev_loss), params=params, distributions=present)
