"""Continue a study's sampler with guessed losses, to predict which configurations it will propose.

What a sampler that learns will propose depends on losses that are not known yet. A rehearsal starts from the
trials so far and guesses the loss of each proposal: that of the nearest known trials, or before there are
any, that of a random bowl over the search space. Listed configurations, and those of samplers that do not
learn, need no guess.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np

from sweep.definition.records import TrialRecord
from sweep.definition.registries import SAMPLERS
from sweep.definition.space import Space
from sweep.definition.spec import StudySpec
from sweep.samplers.coordinates import unit_points
from sweep.values import Params

Work = Callable[[Params], float]
"""Searched hyperparameters -> work of a trial, in any unit."""

_NEAREST = 2
"""Known trials whose mean loss is the guess."""

_UNLIKE = 0.15
"""Standard deviation of a guess around that mean, in those of the known losses."""

RUNS, FEWEST_RUNS, SECONDS, MOST = 12, 3, 3.0, 40
"""Rehearsals of a study without trials, unless they take so long; the fewest; configurations of each."""

_MARGIN = 0.3
"""How far outside of its range the optimum of a hyperparameter may be, in ranges: a bound is often best."""


class Guess(Protocol):
    """Guesses what comes of a configuration."""

    def __call__(self, params: Params) -> tuple[float, float]:
        """Return its loss and its cost."""


def rehearsed(
    spec: StudySpec,
    work: Work,
    known: Sequence[TrialRecord],
    configurations: Sequence[int],
    *,
    guess: Guess,
    seed: int = 0,
) -> list[Params]:
    """Return what the sampler proposes as configurations of these numbers.

    Args:
        spec: The study.
        work: Work of a trial.
        known: The trials that have ended; none for configurations that depend on no result.
        configurations: Numbers of configurations, ascending; those between them are left out.
        guess: Guesses what the sampler learns of each proposal.
        seed: Added to the study's own.
    """
    from sweep.samplers.mirror import Mirror  # noqa: PLC0415  loads Optuna
    from sweep.samplers.samplers import fixed_point  # noqa: PLC0415

    mirror = Mirror(spec.space, None, known, spec.cost, spec.direction)
    found = list[Params]()
    for place, number in enumerate(configurations, start=len(known)):
        proposal = number - len(spec.listed)
        if proposal < 0:
            sampler = fixed_point(spec.listed[number])
        else:
            sampler = SAMPLERS[spec.sampler](spec.space, spec.seed + seed, proposal, work)
        params = mirror.ask(place, sampler)
        loss, cost = guess(params)
        mirror.end(place, "complete", spec.as_loss(loss), None if spec.cost is None else cost)
        found.append(params)
    return found


class Neighbours:
    """Guesses the mean of the nearest known trials, with some noise."""

    def __init__(self, spec: StudySpec, known: Sequence[TrialRecord], seed: int) -> None:
        """Take the trials that have ended, at least one of them with a value."""
        scored = [trial for trial in known if trial.is_scored]
        self._space, self._params = spec.space, [trial.params for trial in scored]
        self._losses = np.array([spec.as_loss(trial.dev_loss or 0.0) for trial in scored])
        self._costs = np.array([0.0 if spec.cost is None else trial.cost(spec.cost) for trial in scored])
        self._generator = np.random.default_rng(seed)

    def __call__(self, params: Params) -> tuple[float, float]:
        """Return the loss and the cost."""
        *points, point = unit_points(self._space, [*self._params, params])
        near = ((np.array(points) - point) ** 2).sum(axis=1).argsort()[:_NEAREST]
        noise = _UNLIKE * self._losses.std() * self._generator.standard_normal()
        return float(self._losses[near].mean() + noise), float(self._costs[near].mean())


class Bowl:
    """Guesses from a random bowl: the weighted squared distance from an optimum, and the work."""

    def __init__(self, space: Space, work: Work, seed: int) -> None:
        """Draw the optimum and the weights of the coordinates."""
        self._space, self._work = space, work
        generator = np.random.default_rng([seed, len(space)])
        axes = 1 + max(unit_points(space, [space.point_at(0.5), {}]).shape[1], 1)
        self._optimum = generator.uniform(-_MARGIN, 1 + _MARGIN, axes)
        self._weights = generator.exponential(size=axes)

    def __call__(self, params: Params) -> tuple[float, float]:
        """Return the loss and the cost."""
        point = unit_points(self._space, [params, {}])[0]
        size = len(point)
        return float(self._weights[:size] @ (point - self._optimum[:size]) ** 2), self._work(params)


def thinned(numbers: range, most: int) -> list[int]:
    """Return some numbers of a range, evenly spaced.

    Examples:
        >>> thinned(range(10, 16), 3), thinned(range(4, 6), 3)
        ([10, 12, 14], [4, 5])
    """
    places = np.linspace(0, len(numbers), min(most, len(numbers)), endpoint=False).astype(int)
    return [numbers[place] for place in places]


def distinct_configurations(numbers: range, replicates: int) -> range:
    """Return the configurations of the trials of these numbers.

    Examples:
        >>> distinct_configurations(range(5, 9), 3)
        range(1, 3)
    """
    return range(numbers.start // replicates, -(-numbers.stop // replicates))


def from_the_start(spec: StudySpec, work: Work, configurations: range) -> Iterator[list[Params]]:
    """Yield rehearsals of a study without trials, each on losses of another bowl, while there is time."""
    deadline = time.monotonic() + SECONDS
    for run in range(RUNS):
        if run >= FEWEST_RUNS and time.monotonic() > deadline:
            return
        first = thinned(range(configurations.stop), MOST)
        found = rehearsed(spec, work, (), first, guess=Bowl(spec.space, work, run), seed=run)
        yield [
            params for number, params in zip(first, found, strict=True) if number >= configurations.start
        ] or (found[-1:])
