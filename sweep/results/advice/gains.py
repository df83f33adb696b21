"""Would more trials help?

For blind draws (random, qmc) the expected gain of the last trials over all orders of the trials
bounds that of as many more: the expected best of k draws falls ever more slowly with k. A
sampler that learns has only one order, and what its last quarter gained is told as it was.
"""

import dataclasses
from collections.abc import Sequence

from sweep.results.advice.configurations import Configuration
from sweep.results.expected_best import draws, expected_best
from sweep.search.records import StudyRecord

MORE = 10
"""Trials, as many more."""

ENOUGH = 2 * MORE
"""Trials without which nothing is said."""

BLIND = ("random", "qmc")
LEARNING = ("tpe", "gp")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedGain:
    """At most this is gained by ``more`` configurations, in expectation."""

    more: int
    gain: float
    """Nats per character."""
    draws: int
    """Configurations that the estimate stands on."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RecentGain:
    """What the last trials of a sampler that learns gained."""

    last: int
    trials: int
    gain: float
    """Best loss before the last ones less the best loss, at least 0, nats per character."""


def find_gains(study: StudyRecord, ranked: Sequence[Configuration]) -> ExpectedGain | RecentGain | None:
    """Return what more trials may gain, as far as the sampler lets it be said."""
    sampler = study.identity["sampler"]
    if sampler in BLIND:
        return _expected_gain(draws(study))
    return _recent_gain(study) if sampler in LEARNING else None


def _expected_gain(losses: Sequence[float]) -> ExpectedGain | None:
    if len(losses) < ENOUGH:
        return None
    gain = expected_best(losses, len(losses) - MORE) - min(losses)
    return ExpectedGain(more=MORE, gain=gain, draws=len(losses))


def _recent_gain(study: StudyRecord) -> RecentGain | None:
    finished = sorted((t for t in study.trials if t.is_finished), key=lambda trial: trial.number)
    last = len(finished) // 4
    before, after = (
        [trial.dev_loss for trial in part if trial.dev_loss is not None]
        for part in (finished[: len(finished) - last], finished[len(finished) - last :])
    )
    if len(finished) < ENOUGH or not before:
        return None
    gain = max(0.0, min(before) - min(after, default=min(before)))
    return RecentGain(last=last, trials=len(finished), gain=gain)
