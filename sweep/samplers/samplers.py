"""Which configuration is tried next?

A sampler is made afresh for each proposal, from the study's seed and the number of the
proposal alone, so a resumed study neither repeats its first draws nor differs from an
uninterrupted one.

Some weigh the work of a trial, a function of its hyperparameters that the driver gives to all.

Where hyperparameters have conditions, the mirror asks define-by-run: each only where it is active,
after those that its condition needs. See ``ConditionalSampler`` for what tpe and gp make of that.

``cmaes`` is left out: Optuna's keeps a pickle in the database and loads what it finds there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from sweep.definition.grid import grid_cell
from sweep.definition.seeds import derive_seed
from sweep.definition.space import Space

Work = Callable[[Mapping[str, Any]], float]
"""Searched hyperparameters -> work of a trial, in any unit."""


def equal_work(params: Mapping[str, Any]) -> float:
    """Let every trial cost the same."""
    return 1.0


class MakeSampler(Protocol):
    """Makes what proposes configuration ``number`` of a study."""

    def __call__(self, space: Space, seed: int, number: int, work: Work = ...) -> BaseSampler:
        """Return the sampler for one proposal."""


class PointSampler(BaseSampler):
    """Proposes one given point of the space."""

    def __init__(self, params: dict[str, Any]) -> None:
        self._params = params

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return no common space: each parameter is asked for by its name."""
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return nothing, as the common space is empty."""
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Return the point's value of one parameter."""
        return self._params[param_name]


class ProposingSampler(PointSampler):
    """Proposes the point that a function makes of all other trials, when its trial begins."""

    def __init__(self, propose: Callable[[Sequence[FrozenTrial]], dict[str, Any]]) -> None:
        super().__init__({})
        self._propose = propose

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Choose the point; there is no common space."""
        others = [other for other in study.get_trials(deepcopy=False) if other.number != trial.number]
        self._params = self._propose(others)
        return {}


class ConditionalSampler(BaseSampler):
    """Lets one sampler propose what is always active, together, and one each conditional hyperparameter.

    A model over all hyperparameters would need a value for those that a trial lacks. Optuna models
    what all trials so far have in common and draws the rest singly, tpe by a Parzen estimator made of
    the trials that had the hyperparameter, gp at random. Here what is modelled together follows from
    the study alone: what trials happen to have in common changes with the few that came first, and
    with those in training. The rest is drawn by tpe's estimator for gp as well, so that it learns.
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
        """Return what the joint model proposes."""
        return self._joint.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Return a conditional hyperparameter's value, or any one's before there is a model."""
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
    """Return our own Gaussian process: expected improvement for the work; see ``cost_aware``."""
    from sweep.samplers import cost_aware  # noqa: PLC0415  scipy is a second's work that not every sampler needs

    def propose(trials: Sequence[FrozenTrial]) -> dict[str, Any]:
        seen = [
            cost_aware.Seen(
                params=trial.params,
                rungs=trial.intermediate_values,
                loss=trial.value if trial.state is TrialState.COMPLETE else None,
                is_running=trial.state is TrialState.RUNNING,
            )
            for trial in trials
        ]
        generator = np.random.default_rng(derive_seed(seed, "gp_cost", number))
        return cost_aware.propose(space, seen, work, number, generator)

    return ProposingSampler(propose)


def random(space: Space, seed: int, number: int, work: Work = equal_work) -> BaseSampler:
    """Return independent uniform draws.

    References:
        Bergstra, Bengio, "Random Search for Hyper-Parameter Optimization", 2012.
    """
    return RandomSampler(seed=derive_seed(seed, "random", number))


def qmc(space: Space, seed: int, number: int, work: Work = equal_work) -> BaseSampler:
    """Return point ``number`` of one Sobol sequence, scrambled by the study's seed."""
    return PointSampler(qmc_point(space, seed, number))


def qmc_point(space: Space, seed: int, number: int) -> dict[str, Any]:
    """Return that point, with a value for every dimension, active or not.

    References:
        Owen, "Scrambling Sobol' and Niederreiter-Xing Points", 1998.
    """
    from scipy.stats import qmc as scipy_qmc  # noqa: PLC0415  a second's work that no other sampler needs

    sequence = scipy_qmc.Sobol(d=len(space), scramble=True, rng=derive_seed(seed, "qmc"))
    if number:
        sequence.fast_forward(number)
    units = sequence.random(1)[0].tolist()
    return {name: space[name].value_at(unit) for name, unit in zip(space, units, strict=True)}


def grid(space: Space, seed: int, number: int, work: Work = equal_work) -> BaseSampler:
    """Return cell ``number`` of the grid.

    Optuna's own stops its study at the end, which is an error under ask and tell.
    """
    return PointSampler(grid_cell(space, number))


def listed(space: Space, seed: int, number: int, work: Work = equal_work) -> BaseSampler:
    """Never asked: a study of listed configurations ends with its list."""
    raise AssertionError(f"proposal {number} lies beyond the list")


NOT_LEARNING = frozenset({"random", "qmc", "grid", "listed"})
"""Samplers whose proposals do not depend on what came out of the trials before."""
