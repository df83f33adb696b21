"""Count the configurations that the sampler proposed more often than asked for."""

import collections
import dataclasses
from collections.abc import Sequence

from sweep.definition.grid import grid_size, is_countable
from sweep.definition.records import StudyRecord
from sweep.reporting.advice.configurations import Configuration
from sweep.values import key_of

SHARE = 0.1
"""Share of repeats among the trials from which they are reported."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """Trials of configurations that had their replicates already."""

    repeats: int
    trials: int
    sampler: str
    tried: int
    """Distinct configurations."""
    possible: int | None
    """Distinct configurations of the space; None if they cannot be counted."""


def find_repeats(study: StudyRecord, ranked: Sequence[Configuration]) -> Repeats | None:
    """Count the trials beyond the asked replicates of each configuration; a failed one is no replicate."""
    if study.is_guest:  # each of its trials has a row of its own
        return None
    counts = collections.Counter(key_of(trial.params) for trial in study.trials)
    failed = collections.Counter(key_of(trial.params) for trial in study.trials if trial.state == "failed")
    repeats = sum(max(0, count - failed[key] - study.replicates) for key, count in counts.items())
    if not study.trials or repeats < SHARE * len(study.trials):
        return None
    return Repeats(
        repeats=repeats,
        trials=len(study.trials),
        sampler=study.sampler,
        tried=len(counts),
        possible=grid_size(study.space) if is_countable(study.space) else None,
    )
