"""Compare the best trial's learning rate with the range test."""

import dataclasses
from collections.abc import Sequence

from sweep.definition.records import StudyRecord
from sweep.reporting.advice.configurations import Configuration
from sweep.trainers.mlp.shown.note_kinds import RangeTested


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OutsideBand:
    """The best trial's learning rate is outside the suggestions of the range test."""

    study: str
    trial: int
    learning_rate: float
    low: float
    """Lowest suggestion."""
    high: float
    """Highest suggestion."""
    what: str
    """Description of the tested configuration."""
    is_searched: bool


def find_rates(study: StudyRecord, ranked: Sequence[Configuration]) -> OutsideBand | None:
    """Compare with the last range test; nothing if none was run, or if one chose the rate."""
    test = study.note(RangeTested)
    if test is None or not test.suggestions or not ranked:
        return None
    rate = study.config_values(ranked[0].trials[0]).get("learning_rate")
    low, high = min(test.suggestions.values()), max(test.suggestions.values())
    if "learning_rate" in study.found or not isinstance(rate, float) or low <= rate <= high:
        return None
    return OutsideBand(
        study=study.name,
        trial=ranked[0].trial,
        learning_rate=rate,
        low=low,
        high=high,
        what=test.what,
        is_searched="learning_rate" in study.space,
    )
