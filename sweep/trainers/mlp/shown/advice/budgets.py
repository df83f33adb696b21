"""Check whether the best configuration won only because it saw more examples.

It is compared with the best configuration of at most half its budget, at equal examples seen and before their
learning rates fall: a lowered rate lowers the loss, so losses before and after the drop are not comparable.
"""

import bisect
import dataclasses
import math
from collections.abc import Sequence

from sweep.definition.records import StudyRecord, TrialRecord
from sweep.reporting.advice.configurations import Configuration
from sweep.trainers.mlp.trainer import MLP

AHEAD = 0.03
"""Nats per character by which the other must be ahead: before its rate falls, a run's loss fluctuates more
than at its end, and small models learn slightly faster at first."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class LongerBudget:
    """A configuration of a smaller budget was ahead at equal examples; losses in nats per character."""

    trial: int
    rival: int
    """Number of the other trial."""
    examples: int
    """Number of examples seen by both at the comparison."""
    loss: float
    """Loss of the best trial at the comparison."""
    rival_loss: float
    budget: int
    """Number of examples of the best trial's budget."""
    rival_budget: int


def find_budgets(study: StudyRecord, ranked: Sequence[Configuration]) -> LongerBudget | None:
    """Return the comparison at equal examples, if the smaller budget was ahead."""
    if not ranked:
        return None
    best = ranked[0].trials[0]
    budget = _budget(study, best)
    rivals = (c.trials[0] for c in ranked if 2 * _budget(study, c.trials[0]) <= budget)
    rival = next(rivals, None)
    if rival is None:
        return None
    ours, theirs = _before_drop(study, best), _before_drop(study, rival)
    examples = max((n for n in theirs if ours and min(ours) <= n <= max(ours)), default=None)
    if examples is None:
        return None
    loss = _at(ours, examples)
    if loss - theirs[examples] < AHEAD:
        return None
    return LongerBudget(
        trial=best.number,
        rival=rival.number,
        examples=examples,
        loss=loss,
        rival_loss=theirs[examples],
        budget=budget,
        rival_budget=_budget(study, rival),
    )


def _budget(study: StudyRecord, trial: TrialRecord) -> int:
    values = study.config_values(trial)
    examples: int = values["num_steps"] * values["batch_size"]
    return examples


def _before_drop(study: StudyRecord, trial: TrialRecord) -> dict[int, float]:
    """Return examples seen -> dev loss before the rate falls; empty except for schedule ``step``."""
    config = MLP.make_config(study.config_values(trial))
    if config.schedule != "step":
        return {}
    return {
        segment.step * config.batch_size: segment.dev_loss
        for segment in trial.segments
        if segment.step - 1 < config.decay_step or config.final_learning_rate == config.learning_rate
    }


def _at(curve: dict[int, float], examples: int) -> float:
    """Interpolate a curve, linearly in the logarithm of the examples; beyond its ends it is constant."""
    places = sorted(curve)
    after = bisect.bisect_left(places, examples)
    if after in (0, len(places)):
        return curve[places[min(after, len(places) - 1)]]
    low, high = places[after - 1], places[after]
    return curve[low] + (curve[high] - curve[low]) * math.log(examples / low) / math.log(high / low)
