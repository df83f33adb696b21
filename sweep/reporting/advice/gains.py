"""Estimate the gain of more trials.

For random draws (``random``, ``qmc``), the expected gain of the last trials over all orders of the trials is
an upper bound for the gain of as many more, because the expected best of k draws falls ever more slowly with
k. The trials of a sampler that learns have one order only, so the gain of its last quarter is reported.
"""

import dataclasses
from collections.abc import Sequence

from sweep.definition.records import StudyRecord
from sweep.metric import MAXIMIZE
from sweep.reporting.advice.configurations import Configuration
from sweep.reporting.contributions import contributions_of
from sweep.reporting.further_trials.expected_best import draws, expected_best

MORE = 10
"""Number of further configurations that the estimate is for."""

ENOUGH = 2 * MORE
"""Fewest trials for an estimate."""

BLIND = ("random", "qmc")
LEARNING = ("tpe", "gp", "gp_cost")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedGain:
    """At most this is gained by ``more`` configurations, in expectation."""

    more: int
    gain: float
    """In the metric's unit."""
    draws: int
    """Configurations that the estimate rests on."""
    negligible: float = 0.0
    """A gain below this is lost among seeds."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RecentGain:
    """What the last trials of a sampler that learns gained."""

    last: int
    trials: int
    gain: float
    """By how much the best configuration is better than the best one before the last ones, at least 0."""
    is_raised: bool = False
    """Whether the metric is maximised."""
    negligible: float = 0.0
    """A gain below this is lost among seeds."""


def find_gains(study: StudyRecord, ranked: Sequence[Configuration]) -> ExpectedGain | RecentGain | None:
    """Return what more trials may gain, as far as the sampler lets it be said."""
    sampler = study.sampler
    if sampler in BLIND:
        return _expected_gain(draws(study), _negligible(study))
    is_plain = sampler in LEARNING and study.cost is None  # one number is best
    return _recent_gain(study, ranked) if is_plain else None


def _negligible(study: StudyRecord) -> float:
    """Return the gain that seeds hide: as the trainer states it, else the difference that matters."""
    known = contributions_of(study).negligible
    return known if known is not None else study.metric.matters or 0.0


def _expected_gain(losses: Sequence[float], negligible: float) -> ExpectedGain | None:
    if len(losses) < ENOUGH:
        return None
    gain = expected_best(losses, len(losses) - MORE) - min(losses)
    return ExpectedGain(more=MORE, gain=gain, draws=len(losses), negligible=negligible)


def _recent_gain(study: StudyRecord, ranked: Sequence[Configuration]) -> RecentGain | None:
    """Compare the configurations that were begun in the last quarter with those before."""
    numbers = sorted(trial.number for trial in study.trials if trial.is_finished)
    if len(numbers) < ENOUGH:
        return None
    first = numbers[-(len(numbers) // 4)]
    before = [c.loss for c in ranked if c.trial < first]
    after = [c.loss for c in ranked if c.trial >= first]
    if not before:
        return None
    gain = max(0.0, min(before) - min(after, default=min(before)))
    last = len(numbers) // 4
    return RecentGain(
        last=last,
        trials=len(numbers),
        gain=gain,
        is_raised=study.direction == MAXIMIZE,
        negligible=_negligible(study),
    )
