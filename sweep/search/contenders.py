"""Which configurations of a study deserve a confirmation?

Those whose mean loss is probably lowest, not those with the lowest single loss: among many trials
that one is mostly lucky.
"""

import statistics
from collections.abc import Sequence
from typing import Any

from sweep.search.confirm_plan import Candidate
from sweep.search.records import StudyRecord, TrialRecord


def rank_configurations(study: StudyRecord) -> list[Candidate]:
    """Return every configuration with a final loss, lowest estimated mean first."""
    pools = _pools(study)
    losses = [statistics.fmean(t.dev_loss for t in pool if t.dev_loss is not None) for pool in pools]
    candidates = [
        Candidate(
            trial=pool[0].number,
            estimate=loss,
            search_loss=loss,
            seconds=statistics.fmean(trial.train_seconds for trial in pool),
        )
        for pool, loss in zip(pools, losses, strict=True)
    ]
    return sorted(candidates, key=lambda candidate: (candidate.estimate, candidate.trial))


def _pools(study: StudyRecord) -> list[Sequence[TrialRecord]]:
    """Return the complete trials, those of equal hyperparameters together, by number."""
    pools: dict[tuple[tuple[str, Any], ...], list[TrialRecord]] = {}
    for trial in sorted(study.complete_trials(), key=lambda trial: trial.number):
        pools.setdefault(tuple(sorted(trial.params.items())), []).append(trial)
    return list(pools.values())
