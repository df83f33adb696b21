"""Select the configurations of a study that deserve a confirmation.

These have the best estimated means (``samplers.configuration_means``), not the best single values: among many
trials, the best single value is mostly luck.
"""

import statistics
from collections.abc import Sequence

import numpy as np

from sweep.certify.confirm_plan import Candidate
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.samplers.coordinates import unit_points
from sweep.values import Value, key_of


def rank_configurations(study: StudyRecord) -> list[Candidate]:
    """Return every configuration with a final value, best estimated mean first."""
    from sweep.samplers.configuration_means import smoothed_means  # noqa: PLC0415  SciPy, which a run does not need

    trials = sorted(study.complete_trials(), key=lambda trial: trial.number)
    points = unit_points(study.space, [trial.params for trial in trials])
    losses = [study.as_loss(trial.dev_loss) for trial in trials if trial.dev_loss is not None]
    estimates = smoothed_means(points, np.array(losses))
    of_trial = {
        trial.number: study.as_loss(float(mean)) for trial, mean in zip(trials, estimates, strict=True)
    }
    candidates = [_candidate(pool, of_trial[pool[0].number]) for pool in _pools(trials)]
    return sorted(candidates, key=lambda c: (study.as_loss(c.estimate), c.trial))


def _candidate(pool: Sequence[TrialRecord], estimate: float) -> Candidate:
    return Candidate(
        trial=pool[0].number,
        estimate=estimate,
        search_loss=statistics.fmean(trial.dev_loss for trial in pool if trial.dev_loss is not None),
        seconds=statistics.fmean(trial.train_seconds for trial in pool),
    )


def _pools(trials: Sequence[TrialRecord]) -> list[list[TrialRecord]]:
    """Group the trials by equal hyperparameters, in order of number."""
    pools: dict[tuple[tuple[str, Value], ...], list[TrialRecord]] = {}
    for trial in trials:
        pools.setdefault(key_of(trial.params), []).append(trial)
    return list(pools.values())
