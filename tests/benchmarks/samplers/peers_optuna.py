"""Optuna's samplers as its users call them: define-by-run, conditional hyperparameters only if active."""

from collections.abc import Callable
from typing import Any

import optuna
from optuna.samplers import BaseSampler

from sweep.definition.dimension import Dimension
from tests.benchmarks.samplers.axes import CATEGORY, REAL, axis, value
from tests.benchmarks.samplers.simulate import MakeSearcher
from tests.benchmarks.samplers.task import Params, Task


class Optuna:
    """A study with one of Optuna's samplers."""

    def __init__(self, task: Task, sampler: BaseSampler, objectives: int = 1) -> None:
        self._space, self._objectives = task.space, objectives
        self._study = optuna.create_study(sampler=sampler, directions=["minimize"] * objectives)
        self._open: dict[int, optuna.Trial] = {}

    def ask(self) -> tuple[int, Params]:
        """Suggest every active hyperparameter."""
        trial = self._study.ask()
        self._open[trial.number] = trial
        params: dict[str, Any] = {}
        for name in self._space.asking_order():
            if self._space.is_active(name, params):
                params[name] = _suggest(trial, name, self._space[name])
        return trial.number, {name: params[name] for name in self._space if name in params}

    def tell(self, trial: int, loss: float, seconds: float) -> None:
        """Tell the loss, and the seconds if they are the second objective."""
        self._study.tell(self._open.pop(trial), [loss, seconds][: self._objectives])


def _suggest(trial: optuna.Trial, name: str, dimension: Dimension) -> Any:
    line = axis(dimension)
    if line.kind == CATEGORY:
        return value(dimension, trial.suggest_categorical(name, line.places))
    if line.kind == REAL:
        return value(dimension, trial.suggest_float(name, line.low, line.high, log=line.log))
    return value(dimension, trial.suggest_int(name, int(line.low), int(line.high), log=line.log))


def optuna_search(make_sampler: Callable[..., BaseSampler], **settings: Any) -> MakeSearcher:
    """Return what makes a search with one of Optuna's samplers."""
    return lambda task, seed, trials: Optuna(task, make_sampler(seed=seed, **settings))
