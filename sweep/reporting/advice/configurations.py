"""List the ranked configurations, best first, for all checks."""

import dataclasses
import math
from collections.abc import Sequence

from sweep.definition.ranking import ranked_replicates
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.values import Value

MIN_TOP = 5
"""Fewest configurations that a check treats as a group."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One configuration that has a final value."""

    trials: tuple[TrialRecord, ...]
    """Its complete replicates, lowest number first."""
    dev_loss: float
    """Mean over the replicates, in the metric's unit."""
    loss: float
    """The same in its loss form, as it is compared."""
    spread: float | None
    """Sample standard deviation between the replicates; None for one."""

    @property
    def params(self) -> dict[str, Value]:
        """The searched hyperparameters."""
        return self.trials[0].params

    @property
    def trial(self) -> int:
        """Its number in the table."""
        return self.trials[0].number


def ranked_configurations(study: StudyRecord) -> list[Configuration]:
    """Return the configurations in the table's order."""
    return [
        Configuration(
            trials=group.trials, dev_loss=group.value, loss=study.as_loss(group.value), spread=group.spread
        )
        for group in ranked_replicates(study)
    ]


def top_group(ranked: Sequence[Configuration]) -> Sequence[Configuration]:
    """Return the best tenth, at least ``MIN_TOP`` if there are as many."""
    return ranked[: max(MIN_TOP, math.ceil(len(ranked) / 10))]
