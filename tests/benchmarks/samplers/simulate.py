"""Simulate one search: asynchronous workers, as under ``sweep run``, until a number of trials has ended.

Which trial ends first follows from the seconds of the trainings alone. The searcher's own seconds are
measured but delay nobody, so a search gives the same results on any machine.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from tests.benchmarks.samplers.task import Luck, Params, Task
from tests.benchmarks.tabular.asynchronous import run_workers, timed

WORKERS = 2
"""Trials at once. A search with k times as many ends k trials for each one that is counted."""


class Searcher(Protocol):
    """Chooses what is trained next."""

    def ask(self) -> tuple[int, Params]:
        """Return the number of a new trial, and its configuration."""

    def tell(self, trial: int, loss: float, seconds: float) -> None:
        """Hear a trial's loss, and how long its training took."""


MakeSearcher = Callable[[Task, int, int], Searcher]
"""(task, seed, number of trials) -> a searcher; some share out their trials and must know the number."""


class Step(NamedTuple):
    """A change of the incumbent, the trial with the lowest loss seen so far."""

    count: int
    """Number of trials, the new incumbent included."""
    seconds: float
    """Simulated seconds since the start."""
    quantile: float
    """Share of the task's configurations whose true loss is lower."""
    true_loss: float
    """Mean loss of the incumbent's configuration over all seeds."""


class Outcome(NamedTuple):
    """What one search found, and when."""

    curve: list[Step]
    own_s: list[float]
    """Processor seconds of the searcher until the end of each counted trial."""
    seconds: float
    """Simulated seconds of the whole search."""


def simulate(
    task: Task, make_searcher: MakeSearcher, seed: int, *, trials: int, workers: int = WORKERS
) -> Outcome:
    """Search a task once.

    Args:
        task: What is trained.
        make_searcher: Makes the searcher.
        seed: The searcher's seed; searches with the same seed share the luck of the trainings.
        trials: Counted trials after which the search ends.
        workers: Trials at once.
    """
    factor = workers // WORKERS
    search = _Search(task, make_searcher, seed, trials * factor)
    run_workers(search, workers, lambda now: search.ended < trials * factor)
    curve = [step._replace(count=-(-step.count // factor)) for step in search.curve]
    return Outcome(curve=curve, own_s=search.own_s[factor - 1 :: factor], seconds=search.now)


class _Search:
    """One search on its way."""

    def __init__(self, task: Task, make_searcher: MakeSearcher, seed: int, trials: int) -> None:
        self._task, self._luck = task, Luck(task, seed)
        self._searcher, self._spent = timed(lambda: make_searcher(task, seed, trials))
        self._params: dict[int, Params] = {}
        self._best = np.inf
        self.curve: list[Step] = []
        self.own_s: list[float] = []
        self.ended, self.now = 0, 0.0

    def take(self, now: float, trial: int | None) -> tuple[int, float]:
        """End a worker's trial and start its next one."""
        if trial is not None:
            self._end(now, trial)
        number, params = self._charge(self._searcher.ask)
        self._params[number] = params
        return number, now + self._task.seconds(params)

    def _end(self, now: float, trial: int) -> None:
        params = self._params.pop(trial)
        loss = self._task.loss(params, self._luck.draw(params))
        self._charge(lambda: self._searcher.tell(trial, loss, self._task.seconds(params)))
        self.ended, self.now = self.ended + 1, now
        self.own_s.append(self._spent)
        if loss < self._best:
            self._best = loss
            true_loss = self._task.true_loss(params)
            self.curve.append(Step(self.ended, now, self._task.quantile(true_loss), true_loss))

    def _charge(self, work: Callable[[], Any]) -> Any:
        result, seconds = timed(work)
        self._spent += seconds
        return result
