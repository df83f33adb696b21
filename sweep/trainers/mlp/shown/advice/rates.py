"""Compare the best trial's learning rate with the range test."""

import dataclasses
from collections.abc import Sequence

from sweep.definition.records import StudyRecord
from sweep.reporting.advice.configurations import Configuration
from sweep.trainers.mlp.learning_rate.recommendation import RULE, agrees
from sweep.trainers.mlp.shown.note_kinds import RangeTested, best_trial_text


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FarFromRecommended:
    """The best trial's learning rate is far from what the range test recommends."""

    study: str
    trial: int
    learning_rate: float
    recommended: float
    what: str
    """Description of the tested configuration."""
    is_of_best: bool
    """Whether that configuration is the best trial itself, so that another test would give the same."""
    is_searched: bool


def find_rates(study: StudyRecord, ranked: Sequence[Configuration]) -> FarFromRecommended | None:
    """Compare with the last range test; nothing if none was run, or if one chose the rate."""
    test = study.note(RangeTested)
    if test is None or not test.suggestions or not ranked:
        return None
    rate = study.config_values(ranked[0].trials[0]).get("learning_rate")
    recommended = test.suggestions.get(RULE)
    if "learning_rate" in study.found or not isinstance(rate, float) or not recommended or rate <= 0:
        return None
    if agrees(rate, recommended):
        return None
    return FarFromRecommended(
        study=study.name,
        trial=ranked[0].trial,
        learning_rate=rate,
        recommended=recommended,
        what=test.what,
        is_of_best=test.what == best_trial_text(ranked[0].trial),
        is_searched="learning_rate" in study.space,
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AutoRates:
    """The learning rates that range tests found for the ranked configurations."""

    low: float
    high: float


def find_auto_rates(study: StudyRecord, ranked: Sequence[Configuration]) -> AutoRates | None:
    """Return the range of the found rates; None if the study does not set them to ``auto``."""
    rates = [each.trials[0].found.get("learning_rate") for each in ranked]
    known = [rate for rate in rates if rate is not None]
    return AutoRates(low=min(known), high=max(known)) if "learning_rate" in study.found and known else None
