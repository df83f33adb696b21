"""Make the samplers, which propose the configurations of a study.

A new sampler is made for each proposal, from the study's seed and the proposal's number only, so a resumed
study neither repeats its first draws nor differs from an uninterrupted one.

Some samplers use the work of a trial, a function of its hyperparameters that the driver passes to all.

With conditions, the mirror asks define-by-run: for each hyperparameter only if it is active, and after those
that its condition needs. ``ConditionalSampler`` describes how tpe and gp handle that.

There is no ``cmaes``: Optuna's implementation stores a pickle in the database and loads it from there.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from sweep.definition.grid import grid_cell
from sweep.definition.seeds import derive_seed
from sweep.definition.space import Space

Work = Callable[[Mapping[str, Any]], float]
"""Searched hyperparameters -> work of a trial, in any unit."""

HAS_ASSUMED_LOSS = "has_assumed_loss"
"""Attribute of a trial in the mirror whose loss was not measured, so that it says nothing of its rungs."""


def equal_work(params: Mapping[str, Any]) -> float:
    """Return the same work for every trial."""
    return 1.0


class MakeSampler(Protocol):
    """A function that makes the sampler for configuration ``number`` of a study."""

    def __call__(self, space: Space, seed: int, number: int, work: Work = ...) -> BaseSampler:
        """Return the sampler for one proposal."""


class PointSampler(BaseSampler):
    """Proposes a point that a function returns for the study and the trial when the trial starts."""

    def __init__(self, propose: Callable[[Study, FrozenTrial], dict[str, Any]]) -> None:
        self._propose = propose

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Choose the point, and return an empty common space: each parameter is proposed separately."""
        self._params = self._propose(study, trial)
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return no parameters, because the common space is empty."""
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Return the point's value of one parameter."""
        return self._params[param_name]


def fixed_point(params: dict[str, Any]) -> BaseSampler:
    """Return the sampler that proposes one given point of the space."""
    return PointSampler(lambda study, trial: params)


class ConditionalSampler(BaseSampler):
    """Proposes always active hyperparameters jointly with one sampler, and conditional ones singly.

    A joint model of all hyperparameters would need values for those that a trial lacks. Optuna models the
    hyperparameters that all trials so far have in common and draws the rest singly: tpe by a Parzen
    estimator from the trials that had the hyperparameter, gp at random. That set depends on the first trials
    and on those in training. Here the jointly modelled set depends on the study only. The rest is drawn by
    tpe's estimator for gp as well, so that it learns.
    """

    def __init__(self, joint: BaseSampler, apart: BaseSampler, space: Space) -> None:
        self._joint, self._apart, self._space = joint, apart, space

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the part of the common space that is always active."""
        common = self._joint.infer_relative_search_space(study, trial)
        return {name: common[name] for name in common if name not in self._space.conditions}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the joint sampler's proposal."""
        return self._joint.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Return the value of a conditional hyperparameter, or of any one before a joint model exists."""
        sampler = self._apart if param_name in self._space.conditions else self._joint
        return sampler.sample_independent(study, trial, param_name, param_distribution)


def _with_conditions(sampler: BaseSampler, space: Space, seed: int, number: int) -> BaseSampler:
    if not space.conditions:
        return sampler
    return ConditionalSampler(sampler, TPESampler(seed=derive_seed(seed, "conditional", number)), space)


def tpe(space: Space, seed: int, number: int, work: Work = equal_work) -> BaseSampler:
    """Return Optuna's tree-structured Parzen estimator, multivariate.

    References:
        Bergstra et al., "Algorithms for Hyper-Parameter Optimization", 2011.
        Watanabe, "Tree-Structured Parzen Estimator: Understanding Its Algorithm Components", 2023.
    """
    return _with_conditions(TPESampler(seed=derive_seed(seed, "tpe", number)), space, seed, number)


def gp(space: Space, seed: int, number: int, work: Work = equal_work) -> BaseSampler:
    """Return Optuna's Gaussian-process sampler; it learns from complete trials only."""
    return _with_conditions(GPSampler(seed=derive_seed(seed, "gp", number)), space, seed, number)


def gp_cost(space: Space, seed: int, number: int, work: Work = equal_work) -> BaseSampler:
    """Return sweep's own Gaussian process, with expected improvement per work; see ``cost_aware``."""
    from sweep.samplers import cost_aware  # noqa: PLC0415  loading scipy takes a second

    def propose(study: Study, trial: FrozenTrial) -> dict[str, Any]:
        seen = [
            cost_aware.Seen(
                params=other.params,
                rungs=_rungs_to_learn_from(other),
                losses=tuple(other.values) if other.state is TrialState.COMPLETE else None,
                is_running=other.state is TrialState.RUNNING,
            )
            for other in study.get_trials(deepcopy=False)
            if other.number != trial.number
        ]
        return cost_aware.propose(space, seen, work, seed, number)

    return PointSampler(propose)


def _rungs_to_learn_from(trial: FrozenTrial) -> dict[int, float]:
    """Return a trial's losses at its rungs; none if it failed, or its final loss was not measured.

    A pruned trial's final loss is predicted from its rungs, by the falls of complete trials. A failed trial
    has no final loss, and the fall to an assumed one is none.
    """
    is_measured = trial.state is not TrialState.FAIL and HAS_ASSUMED_LOSS not in trial.user_attrs
    return trial.intermediate_values if is_measured else {}


def random(space: Space, seed: int, number: int, work: Work = equal_work) -> BaseSampler:
    """Return independent uniform draws.

    References:
        Bergstra, Bengio, "Random Search for Hyper-Parameter Optimization", 2012.
    """
    return RandomSampler(seed=derive_seed(seed, "random", number))


def qmc(space: Space, seed: int, number: int, work: Work = equal_work) -> BaseSampler:
    """Return point ``number`` of one Sobol sequence, scrambled by the study's seed."""
    return fixed_point(qmc_point(space, seed, number))


def qmc_point(space: Space, seed: int, number: int) -> dict[str, Any]:
    """Return point ``number`` of the Sobol sequence, with a value for every dimension, active or not.

    References:
        Owen, "Scrambling Sobol' and Niederreiter-Xing Points", 1998.
    """
    from scipy.stats import qmc as scipy_qmc  # noqa: PLC0415  loading scipy takes a second

    sequence = scipy_qmc.Sobol(d=len(space), scramble=True, rng=derive_seed(seed, "qmc"))
    if number:
        sequence.fast_forward(number)
    units = sequence.random(1)[0].tolist()
    return {name: space[name].value_at(unit) for name, unit in zip(space, units, strict=True)}


def grid(space: Space, seed: int, number: int, work: Work = equal_work) -> BaseSampler:
    """Return cell ``number`` of the grid.

    Optuna's own grid sampler stops its study at the end, which fails with ask and tell.
    """
    return fixed_point(grid_cell(space, number))


def listed(space: Space, seed: int, number: int, work: Work = equal_work) -> BaseSampler:
    """Raise an error: a study of listed configurations ends with its list."""
    raise AssertionError(f"proposal {number} is beyond the end of the list")


NOT_LEARNING = frozenset({"random", "qmc", "grid", "listed"})
"""Samplers whose proposals do not depend on the results of earlier trials."""
