"""SMAC3, HEBO, Ax and scikit-optimize behind one interface, ``peers.Library``."""

import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from sweep.definition.dimension import Choices
from sweep.definition.space import Space
from tests.benchmarks.samplers.axes import CATEGORY, REAL, WHOLE, Axis, axes, axis


class Smac:
    """SMAC3's facade for hyperparameters: random forests. It is told the conditions."""

    def __init__(self, space: Space, seed: int, trials: int) -> None:
        from smac import HyperparameterOptimizationFacade, Scenario

        self._axes = axes(space)
        scenario = Scenario(
            _smac_space(space, seed),
            deterministic=True,
            n_trials=trials,
            seed=seed,
            output_directory=tempfile.mkdtemp(prefix="smac-"),
        )
        self._facade = HyperparameterOptimizationFacade(
            scenario, lambda config, seed=0: 0.0, overwrite=True, logging_level=False
        )

    def suggest(self) -> tuple[Any, Mapping[str, Any]]:
        """Ask for a trial; inactive hyperparameters get any value, as it will be dropped."""
        info = self._facade.ask()
        return info, {name: line.low for name, line in self._axes.items()} | dict(info.config)

    def learn(self, handle: Any, loss: float) -> None:
        """Tell a trial's loss."""
        from smac.runhistory import TrialValue

        self._facade.tell(handle, TrialValue(cost=loss))


def _smac_space(space: Space, seed: int) -> Any:
    from ConfigSpace import AndConjunction, ConfigurationSpace, InCondition

    made = ConfigurationSpace(seed=seed)
    made.add([_smac_hyperparameter(name, line) for name, line in axes(space).items()])
    for name, needed in space.conditions.items():
        conditions = [
            InCondition(made[name], made[other], [_place(space, other, value) for value in values])
            for other, values in needed.items()
        ]
        made.add(conditions[0] if len(conditions) == 1 else AndConjunction(*conditions))
    return made


def _place(space: Space, name: str, value: Any) -> Any:
    dimension = space[name]
    return dimension.in_order().choices.index(value) if isinstance(dimension, Choices) else value


def _smac_hyperparameter(name: str, line: Axis) -> Any:
    from ConfigSpace import Categorical, Float, Integer

    if line.kind == CATEGORY:
        return Categorical(name, line.places)
    if line.kind == WHOLE:
        return Integer(name, (int(line.low), int(line.high)), log=line.log)
    return Float(name, (line.low, line.high), log=line.log)


class Hebo:
    """HEBO with its defaults; it knows nothing of trials that run."""

    def __init__(self, space: Space, seed: int, trials: int) -> None:
        import torch
        from hebo.design_space.design_space import DesignSpace
        from hebo.optimizers.hebo import HEBO

        torch.manual_seed(seed)
        lines = [{"name": name} | _hebo_axis(line) for name, line in axes(space).items()]
        self._optimizer = HEBO(DesignSpace().parse(lines), scramble_seed=seed)

    def suggest(self) -> tuple[Any, Mapping[str, Any]]:
        """Ask for one row."""
        row = self._optimizer.suggest(n_suggestions=1)
        return row, row.iloc[0].to_dict()

    def learn(self, handle: Any, loss: float) -> None:
        """Observe a row's loss."""
        self._optimizer.observe(handle, np.array([[loss]]))


def _hebo_axis(line: Axis) -> dict[str, Any]:
    if line.kind == CATEGORY:
        return {"type": "cat", "categories": line.places}
    kind = {(REAL, False): "num", (REAL, True): "pow", (WHOLE, False): "int", (WHOLE, True): "pow_int"}
    return {"type": kind[line.kind, line.log], "lb": line.low, "ub": line.high}


class Ax:
    """Ax with its defaults: a Sobol start, then BoTorch's Gaussian process."""

    def __init__(self, space: Space, seed: int, trials: int) -> None:
        from ax.api.client import Client

        self._client = Client(random_seed=seed)
        self._client.configure_experiment([_ax_parameter(name, line) for name, line in axes(space).items()])
        self._client.configure_optimization(objective="-loss")

    def suggest(self) -> tuple[int, Mapping[str, Any]]:
        """Ask for one trial."""
        [(number, point)] = self._client.get_next_trials(max_trials=1).items()
        return number, point

    def learn(self, handle: int, loss: float) -> None:
        """Complete a trial."""
        self._client.complete_trial(handle, raw_data={"loss": loss})


def _ax_parameter(name: str, line: Axis) -> Any:
    from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

    if line.kind == CATEGORY:
        return ChoiceParameterConfig(name=name, values=line.places, parameter_type="int", is_ordered=False)
    kind, cast = ("float", float) if line.kind == REAL else ("int", int)
    return RangeParameterConfig(
        name=name,
        bounds=(cast(line.low), cast(line.high)),
        parameter_type=kind,
        scaling="log" if line.log else "linear",
    )


class Skopt:
    """scikit-optimize's ``Optimizer`` with its defaults; running trials get a constant lie."""

    def __init__(self, space: Space, seed: int, trials: int) -> None:
        from skopt import Optimizer

        self._names = list(space)
        self._optimizer = Optimizer(
            [_skopt_dimension(axis(space[name])) for name in space], random_state=seed
        )
        self._running = 0

    def suggest(self) -> tuple[list[Any], Mapping[str, Any]]:
        """Ask for as many points as run, and one more."""
        self._running += 1
        point = self._optimizer.ask(n_points=self._running)[-1]
        return point, dict(zip(self._names, point, strict=True))

    def learn(self, handle: list[Any], loss: float) -> None:
        """Tell a point's loss."""
        self._running -= 1
        self._optimizer.tell(handle, loss)


def _skopt_dimension(line: Axis) -> Any:
    from skopt.space import Categorical, Integer, Real

    if line.kind == CATEGORY:
        return Categorical(line.places)
    prior = "log-uniform" if line.log else "uniform"
    if line.kind == REAL:
        return Real(line.low, line.high, prior=prior)
    return Integer(int(line.low), int(line.high), prior=prior)
