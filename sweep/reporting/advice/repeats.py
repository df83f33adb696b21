"""Count the configurations that the sampler proposed more often than asked for."""

import collections
import dataclasses
from collections.abc import Sequence

from sweep.definition.grid import grid_size, is_countable
from sweep.definition.records import StudyRecord
from sweep.reporting.advice.configurations import Configuration

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
    """Count the trials beyond the asked replicates of each configuration."""
    if study.is_guest:  # each of its trials has a row of its own
        return None
    counts = collections.Counter(tuple(sorted(trial.params.items())) for trial in study.trials)
    repeats = sum(max(0, count - study.replicates) for count in counts.values())
    if not study.trials or repeats < SHARE * len(study.trials):
        return None
    return Repeats(
        repeats=repeats,
        trials=len(study.trials),
        sampler=study.sampler,
        tried=len(counts),
        possible=grid_size(study.space) if is_countable(study.space) else None,
    )
