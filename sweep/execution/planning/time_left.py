"""Predict how long a run still takes, as a range: which configurations come, and how fast they train."""

import functools
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sweep.definition.records import TrialRecord
from sweep.definition.spec import StudySpec
from sweep.execution.events import InTraining, Standing
from sweep.execution.planning.rehearsal import (
    Neighbours,
    Work,
    distinct_configurations,
    from_the_start,
    rehearsed,
    thinned,
)
from sweep.samplers.coordinates import unit_points
from sweep.samplers.first_proposals import configuration_at
from sweep.samplers.trial_speed import Sample, drawn_log_seconds
from sweep.values import Params

REHEARSED = 10
"""Most configurations of a rehearsal of a sampler that learns."""

KNOWN = 200
"""Most configurations that are asked of one that does not."""

_TIME_SHARE = 0.02
"""Share of a run's time that rehearsals may take."""

_FIRST_S = 0.3
"""Seconds that the first rehearsal is expected to take."""

_AGED = 1.2
"""Growth of the number of ended trials after which a rehearsal is made again."""

_SCENARIOS, _DRAWS, _LIKE = 200, 128, 5
"""Number of scenarios; configurations that represent the space; trials that end about as early."""

_SIMULATED = 500
"""Most trials to come that are simulated; more are taken to go on like them."""

_DRAWN_RUNS = 30
"""Runs that are drawn from one rehearsal of a plan."""

_SURPRISE = 0.6
"""Standard deviation of the log seconds by which the trials to come differ from those rehearsed, in the
standard deviations of the space, for e times the trials so far."""

_EXPLORES = 0.05
"""Share of the proposals of a sampler that learns that may lie anywhere in the space."""

_TAILS = (8, 92)
"""Percentiles of the scenarios that are shown."""
_SLACK = 1.05
"""Factor by which the range is widened, for what the scenarios leave out."""


class Prediction:
    """What comes in a run of a study."""

    def __init__(self, spec: StudySpec, work: Work, *, time_share: float = _TIME_SHARE) -> None:
        """Predict the run of a study; ``work`` returns the work of a trial.

        Args:
            spec: The study.
            work: Work of a trial.
            time_share: Share of the time that rehearsals may take.
        """
        self._time_share = time_share
        self._spec, self._work = spec, work
        self._began, self._rehearsing = time.monotonic(), 0.0
        self._known: dict[int, Params] = {}
        self._expected: list[Params] = []
        self._seen = 0

    def seconds_left(self, now: Standing) -> tuple[float, float] | None:
        """Return the seconds until all trials have ended, at least and at most; None if nothing is known."""
        timed = [
            each for each in (*map(_timed, now.ended), *map(_projected, now.training)) if each.seconds > 0
        ]
        if not timed:
            return None
        generator = np.random.default_rng(len(timed))
        expected = self._expectation(now.ended, now.numbers) if now.numbers else []
        expected = expected or [*(each.params for each in timed), *self._space]
        pool = [
            *(each.params for each in timed),
            *(each.params for each in now.training),
            *expected,
            *self._space,
        ]
        logs = self.log_seconds(pool, np.array([each.seconds for each in timed]), generator)
        ends = np.cumsum([len(timed), len(now.training), len(expected)])
        count = min(len(now.numbers), _SIMULATED)
        coming = self._coming(logs, ends, count, len(now.ended), generator)
        shares = _shares(timed, logs, coming, generator)
        coming = (np.exp(coming) * shares + now.overhead) * (len(now.numbers) / max(count, 1))
        total = [trial.total or 0.0 for trial in now.training]
        whole = np.where(total, total, np.exp(logs[:, ends[0] : ends[1]]))
        rests = np.maximum(whole - [trial.spent for trial in now.training], 0.02 * whole)
        low, high = np.percentile(_wall(rests, coming, now.workers), _TAILS)
        return float(low) / _SLACK, float(high) * _SLACK

    @functools.cached_property
    def _space(self) -> list[Params]:
        generator = np.random.default_rng(0)
        space = self._spec.space
        return [configuration_at(space, unit) for unit in generator.random((_DRAWS, len(space)))]

    def log_seconds(
        self, pool: Sequence[Params], seconds: np.ndarray, generator: np.random.Generator
    ) -> np.ndarray:
        """Draw the log seconds of configurations, of which the first take ``seconds``."""
        every = Sample(
            np.log([max(self._work(params), 1e-9) for params in pool]), unit_points(self._spec.space, pool)
        )
        timed = Sample(every.log_work[: len(seconds)], every.points[: len(seconds)])
        return drawn_log_seconds(timed, np.log(seconds), every, _SCENARIOS, generator)

    def _coming(
        self, logs: np.ndarray, ends: np.ndarray, count: int, ended: int, generator: np.random.Generator
    ) -> np.ndarray:
        """Draw the log seconds of the trials to come, shape (scenarios, count)."""
        first, last = int(ends[1]), int(ends[2])
        along = np.linspace(first, last, count, endpoint=False).astype(int)
        jitter = generator.integers(-1, 2, size=(_SCENARIOS, count)) * self._learns
        places = (along + jitter).clip(first, last - 1)
        explores = (generator.random(places.shape) < _EXPLORES) & self._learns
        places = np.where(explores, generator.integers(last, logs.shape[1], places.shape), places)
        spread = logs[:, last:].mean(axis=0).std() * self._learns
        growth = np.log1p(count / max(ended, 1))
        surprise = _SURPRISE * spread * np.sqrt(growth) * generator.standard_normal((_SCENARIOS, 1))
        return np.asarray(np.take_along_axis(logs, places, axis=1) + surprise)

    @functools.cached_property
    def _learns(self) -> bool:
        from sweep.samplers.make_samplers import NOT_LEARNING  # noqa: PLC0415  loads Optuna

        return self._spec.sampler not in NOT_LEARNING

    def _expectation(self, ended: Sequence[TrialRecord], numbers: range) -> list[Params]:
        """Return the configurations that are expected, made anew from time to time; retries come last."""
        total, retried = self._spec.total_trials, [*self._spec.retried.values()]
        own = range(max(0, total - max(0, len(numbers) - len(retried))), total)
        return [*(self._own_ones(ended, own) if own else ()), *retried]

    def _own_ones(self, ended: Sequence[TrialRecord], numbers: range) -> list[Params]:
        configurations = distinct_configurations(numbers, self._spec.replicates)
        if not self._learns or configurations.stop <= len(self._spec.listed):
            return self._known_ones(configurations)
        scored = sum(trial.is_scored for trial in ended)
        is_old = scored and len(ended) >= _AGED * self._seen
        if is_old and self._may_rehearse():
            began = time.monotonic()
            some = thinned(configurations, REHEARSED)
            seed = len(ended)
            guess = Neighbours(self._spec, ended, seed)
            self._expected = rehearsed(self._spec, self._work, ended, some, guess=guess, seed=seed)
            self._seen = len(ended)
            self._rehearsing += time.monotonic() - began
        return self._expected

    def _known_ones(self, configurations: range) -> list[Params]:
        """Return the configurations that depend on no result; of many, every second, third and so on."""
        stride = -(-self._spec.total_trials // KNOWN)
        some = [number for number in configurations if number % stride == 0] or [configurations[0]]
        new = [number for number in some if number not in self._known]
        self._known |= zip(new, rehearsed(self._spec, self._work, (), new, guess=_no_guess), strict=True)
        return [self._known[number] for number in some]

    def _may_rehearse(self) -> bool:
        if self._time_share >= 1:
            return True
        return (self._rehearsing or _FIRST_S) <= self._time_share * (time.monotonic() - self._began)


def rehearsed_runs(
    spec: StudySpec, work: Work, timed: Sequence[tuple[Params, float]], left: int, most: int
) -> Iterator[list[float]]:
    """Yield the seconds of the trials that are left of a study, in whole runs whose sampler learns.

    Args:
        spec: The study.
        work: Work of a trial.
        timed: Configurations with their seconds.
        left: Number of trials that are left.
        most: Trials of a run at most; the others are taken to go on like them.
    """
    outlook = Prediction(spec, work)
    numbers = range(spec.total_trials - left, spec.total_trials)
    for params in from_the_start(spec, work, distinct_configurations(numbers, spec.replicates)):
        generator = np.random.default_rng(len(params))
        pool = [*(each for each, _ in timed), *params]
        logs = outlook.log_seconds(pool, np.array([seconds for _, seconds in timed]), generator)
        along = np.linspace(len(timed), len(pool), min(left, most), endpoint=False).astype(int)
        yield from np.exp(logs[:_DRAWN_RUNS, along]).tolist()


def _no_guess(params: Params) -> tuple[float, float]:
    """Return a loss and a cost that nothing depends on."""
    return 0.0, 0.0


class _Timed(NamedTuple):
    """A configuration of known seconds."""

    params: Params
    seconds: float
    """Of its whole length; 0 if unknown."""
    share: float = 1.0
    """Share of its length after which it ended."""


def _timed(trial: TrialRecord) -> _Timed:
    percent = trial.segments[-1].percent if trial.segments else None
    share = 1.0 if percent is None or trial.state in ("complete", "infeasible") else percent / 100
    return _Timed(trial.params, trial.train_seconds / share, share)


def _projected(trial: InTraining) -> _Timed:
    return _Timed(trial.params, trial.total or 0.0)


def _shares(
    timed: Sequence[_Timed], logs: np.ndarray, coming: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Draw the share of its length after which each trial ends, as trials of about its length did."""
    shares = np.array([each.share for each in timed])
    if shares.min() == 1:
        return np.ones_like(coming)
    own = logs[:, : len(timed)].mean(axis=0)
    order = own.argsort()
    near = generator.integers(-_LIKE // 2, _LIKE // 2 + 1, coming.shape)
    at = (np.searchsorted(own[order], coming) + near).clip(0, len(shares) - 1)
    return np.asarray(shares[order][at])


def _wall(rests: np.ndarray, coming: np.ndarray, workers: int) -> np.ndarray:
    """Return when the last trial ends in each scenario, if a free worker takes the next one."""
    free = np.zeros((_SCENARIOS, max(workers, rests.shape[1], 1)))
    free[:, : rests.shape[1]] = rests
    rows = np.arange(_SCENARIOS)
    for seconds in coming.T:
        free[rows, free.argmin(axis=1)] += seconds
    return np.asarray(free.max(axis=1))
