"""What do others find? Optuna as it comes, Hyperopt, Syne Tune; a peer that is not installed is left out.

Each is asked as its own documentation has it, with two workers and nothing tuned. None of them is needed by
the product: `pip install hyperopt syne-tune` brings the last two.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import optuna

from tests.benchmarks.tabular.grids import KNOBS
from tests.benchmarks.tabular.simulate import Searcher
from tests.benchmarks.tabular.table import Table


class OptunaDefaults:
    """``optuna.create_study()`` with each choice suggested by its name; should_prune asked at the rungs."""

    def __init__(self, table: Table, seed: int) -> None:
        self._table = table
        self._study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        self._open: dict[int, optuna.Trial] = {}

    def ask(self) -> tuple[int, int]:
        """Suggest every hyperparameter."""
        trial = self._study.ask()
        self._open[trial.number] = trial
        return trial.number, self._table.places[tuple(self._suggest(trial, name) for name in KNOBS)]

    def report(self, trial: int, percent: int, loss: float) -> bool:
        """Ask the default pruner."""
        self._open[trial].report(loss, percent)
        gives_up = self._open[trial].should_prune()
        if gives_up:
            self._study.tell(self._open.pop(trial), state=optuna.trial.TrialState.PRUNED)
        return gives_up

    def end(self, trial: int, loss: float) -> None:
        """Tell the loss."""
        self._study.tell(self._open.pop(trial), loss)

    def _suggest(self, trial: optuna.Trial, name: str) -> int:
        return int(trial.suggest_categorical(name, list(self._table.grid.choices[name])))


class OptunaOrdered(OptunaDefaults):
    """The same by a user who knows that a place in the ordered choices says more than a category."""

    def _suggest(self, trial: optuna.Trial, name: str) -> int:
        choices = self._table.grid.choices[name]
        return choices[trial.suggest_int(name, 0, len(choices) - 1)]


class Hyperopt:
    """Hyperopt's TPE over ``hp.choice``; it has no pruner."""

    def __init__(self, table: Table, seed: int) -> None:
        import hyperopt
        from hyperopt.base import Domain

        self._table, self._hyperopt = table, hyperopt
        self._draw = np.random.default_rng(seed)
        self._trials = hyperopt.Trials()
        space = {
            name: hyperopt.hp.choice(name, list(choices)) for name, choices in table.grid.choices.items()
        }
        self._domain = Domain(lambda point: 0.0, space)

    def ask(self) -> tuple[int, int]:
        """Let TPE suggest one trial beside those that run."""
        ids = self._trials.new_trial_ids(1)
        self._trials.refresh()
        seed = int(self._draw.integers(2**31))
        documents = self._hyperopt.tpe.suggest(ids, self._domain, self._trials, seed)
        self._trials.insert_trial_docs(documents)
        self._trials.refresh()
        places, choices = documents[0]["misc"]["vals"], self._table.grid.choices
        return ids[0], self._table.places[tuple(choices[name][places[name][0]] for name in KNOBS)]

    def report(self, trial: int, percent: int, loss: float) -> bool:
        """Go on."""
        return False

    def end(self, trial: int, loss: float) -> None:
        """Enter the loss."""
        document = next(d for d in self._trials._dynamic_trials if d["tid"] == trial)
        document["state"] = self._hyperopt.JOB_STATE_DONE
        document["result"] = {"status": "ok", "loss": loss}
        self._trials.refresh()


class SyneTune:
    """One of Syne Tune's schedulers, by its name in ``syne_tune.optimizer.baselines``."""

    def __init__(self, table: Table, seed: int, scheduler: str, **arguments: Any) -> None:
        from syne_tune.backend.trial_status import Trial
        from syne_tune.config_space import ordinal
        from syne_tune.optimizer import baselines

        self._table, self._make_trial = table, Trial
        space = {name: ordinal(list(choices), kind="equal") for name, choices in table.grid.choices.items()}
        self._scheduler = getattr(baselines, scheduler)(
            space, metric="dev_loss", do_minimize=True, random_seed=seed, **arguments
        )
        self._trials: list[Any] = []

    def ask(self) -> tuple[int, int]:
        """Take the scheduler's suggestion: a new trial, or one that was paused."""
        suggestion = self._scheduler.suggest()
        if not suggestion.spawn_new_trial_id:
            trial = self._trials[suggestion.checkpoint_trial_id]
        else:
            config = dict(suggestion.config)
            trial = self._make_trial(len(self._trials), config, datetime(2026, 1, 1))
            self._trials.append(trial)
            self._scheduler.on_trial_add(trial)
        return trial.trial_id, self._table.places[tuple(int(trial.config[name]) for name in KNOBS)]

    def report(self, trial: int, percent: int, loss: float) -> bool:
        """Follow the scheduler's decision."""
        result = {"dev_loss": loss, "percent": percent}
        return str(self._scheduler.on_trial_result(self._trials[trial], result)) != "CONTINUE"

    def end(self, trial: int, loss: float) -> None:
        """Report the last result and the end."""
        result = {"dev_loss": loss, "percent": 100}
        self._scheduler.on_trial_result(self._trials[trial], result)
        self._scheduler.on_trial_complete(self._trials[trial], result)


def syne_tune(scheduler: str, **arguments: Any) -> Callable[[Table, int], Searcher]:
    """Return what makes a searcher of one of Syne Tune's schedulers."""
    return lambda table, repeat: SyneTune(table, repeat, scheduler, **arguments)
