"""Compute how much each hyperparameter decided which configurations were good.

The method is PED-ANOVA: it measures how far a hyperparameter's distribution among the best configurations
differs from that among all. It shows where good configurations lie, not how the loss depends on a value.

References:
    Watanabe, Bansal, Hutter, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in
    Arbitrary Subspaces", 2023.
"""

import math
import warnings
from collections.abc import Sequence

from sweep.definition.dimension import Dimension
from sweep.definition.records import StudyRecord, TrialRecord

MIN_TRIALS = 20
"""Fewest complete trials; with fewer, the best ones are too few for a distribution."""

BEST_SHARE = 0.1
"""Share of the trials that count as the best."""

MOST = 1_000
"""Most trials that are used; of more, every second, third, ... by rank: Optuna copies each in 0.1 ms."""

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
    trials = trials[:: math.ceil(len(trials) / MOST)]
    space = _varying(study, trials)
    found = _evaluate(study, trials, space) if space else {}
    total = sum(found.values())
    return {name: found[name] / total for name in found} if total > 0 else {}


def _varying(study: StudyRecord, trials: Sequence[TrialRecord]) -> dict[str, Dimension]:
    """Return the stored dimensions with more than one value in the trials."""
    return {
        name: dimension
        for name, dimension in study.space.items()
        if len({trial.params[name] for trial in trials if name in trial.params}) > 1
    }


def _evaluate(
    study: StudyRecord, trials: Sequence[TrialRecord], space: dict[str, Dimension]
) -> dict[str, float]:
    """Return Optuna's importance of each dimension, highest first."""
    import optuna  # noqa: PLC0415  a report of noted importances does without it

    from sweep.definition.optuna_objects import distribution_of, study_in_memory  # noqa: PLC0415

    distributions = {name: distribution_of(dimension) for name, dimension in space.items()}
    mirrored = study_in_memory()
    for trial in trials:
        assert trial.dev_loss is not None, "only scored trials are used"
        params = {name: trial.params[name] for name in space if name in trial.params}
        own = {name: distributions[name] for name in params}
        value = study.as_loss(trial.dev_loss)
        mirrored.add_trial(optuna.trial.create_trial(value=value, params=params, distributions=own))
    share = max(BEST_SHARE, _FEWEST_BEST / len(trials))
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=share)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna warns about groups with one trial, which it skips
        return evaluator.evaluate(mirrored)
