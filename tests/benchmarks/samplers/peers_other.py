"""Hyperopt, Nevergrad and Syne Tune behind one interface, ``peers.Library``."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from sweep.definition.space import Space
from tests.benchmarks.samplers.axes import CATEGORY, REAL, Axis, axes


class Hyperopt:
    """Hyperopt's TPE with its defaults."""

    def __init__(self, space: Space, seed: int, trials: int) -> None:
        import hyperopt
        from hyperopt.base import Domain

        self._hyperopt, self._generator = hyperopt, np.random.default_rng(seed)
        self._trials = hyperopt.Trials()
        lines = axes(space)
        self._domain = Domain(lambda point: 0.0, {name: self._dimension(name, lines[name]) for name in lines})

    def _dimension(self, name: str, line: Axis) -> Any:
        hp = self._hyperopt.hp
        if line.kind == CATEGORY:
            return hp.choice(name, line.places)
        if line.log:
            ends = math.log(line.low), math.log(line.high)
            return hp.loguniform(name, *ends) if line.kind == REAL else hp.qloguniform(name, *ends, 1)
        return (hp.uniform if line.kind == REAL else hp.uniformint)(name, line.low, line.high)

    def suggest(self) -> tuple[int, Mapping[str, Any]]:
        """Let TPE suggest one trial beside those that run."""
        ids = self._trials.new_trial_ids(1)
        self._trials.refresh()
        seed = int(self._generator.integers(2**31))
        documents = self._hyperopt.tpe.suggest(ids, self._domain, self._trials, seed)
        self._trials.insert_trial_docs(documents)
        self._trials.refresh()
        values = documents[0]["misc"]["vals"]
        return ids[0], {name: found[0] for name, found in values.items()}

    def learn(self, handle: int, loss: float) -> None:
        """Enter the loss."""
        document = next(d for d in self._trials._dynamic_trials if d["tid"] == handle)
        document["state"] = self._hyperopt.JOB_STATE_DONE
        document["result"] = {"status": "ok", "loss": loss}
        self._trials.refresh()


class Nevergrad:
    """Nevergrad's NGOpt, which chooses an algorithm by the space, the budget and the workers."""

    def __init__(self, space: Space, seed: int, trials: int) -> None:
        import nevergrad

        parameters = {name: _nevergrad_parameter(nevergrad, line) for name, line in axes(space).items()}
        parametrization = nevergrad.p.Dict(**parameters)
        parametrization.random_state = np.random.RandomState(seed)
        self._optimizer = nevergrad.optimizers.NGOpt(parametrization, budget=trials, num_workers=2)

    def suggest(self) -> tuple[Any, Mapping[str, Any]]:
        """Ask for a candidate."""
        candidate = self._optimizer.ask()
        return candidate, candidate.value

    def learn(self, handle: Any, loss: float) -> None:
        """Tell a candidate's loss."""
        self._optimizer.tell(handle, loss)


def _nevergrad_parameter(nevergrad: Any, line: Axis) -> Any:
    if line.kind == CATEGORY:
        return nevergrad.p.Choice(line.places)
    parameter = (nevergrad.p.Log if line.log else nevergrad.p.Scalar)(lower=line.low, upper=line.high)
    return parameter if line.kind == REAL else parameter.set_integer_casting()


class SyneTune:
    """One of Syne Tune's schedulers of a single fidelity, by its name in ``syne_tune.optimizer.baselines``.

    ``TPE`` is the density model of BOHB, which needs no rungs.
    """

    def __init__(self, space: Space, seed: int, trials: int, scheduler: str) -> None:
        from syne_tune.backend.trial_status import Trial
        from syne_tune.optimizer import baselines

        self._make_trial = Trial
        self._scheduler = getattr(baselines, scheduler)(
            {name: _syne_tune_domain(line) for name, line in axes(space).items()},
            metric="loss",
            do_minimize=True,
            random_seed=seed,
        )
        self._suggested = 0

    def suggest(self) -> tuple[Any, Mapping[str, Any]]:
        """Take the scheduler's suggestion."""
        config = dict(self._scheduler.suggest().config)
        trial = self._make_trial(self._suggested, config, datetime(2026, 1, 1))
        self._suggested += 1
        self._scheduler.on_trial_add(trial)
        return trial, config

    def learn(self, handle: Any, loss: float) -> None:
        """Report the only result and the end."""
        self._scheduler.on_trial_result(handle, {"loss": loss})
        self._scheduler.on_trial_complete(handle, {"loss": loss})


def _syne_tune_domain(line: Axis) -> Any:
    from syne_tune import config_space

    if line.kind == CATEGORY:
        return config_space.choice(line.places)
    if line.kind == REAL:
        return (config_space.loguniform if line.log else config_space.uniform)(line.low, line.high)
    return (config_space.lograndint if line.log else config_space.randint)(int(line.low), int(line.high))
