"""Propose the configuration with the greatest expected improvement for its work.

The first proposals fill the space evenly; if configurations differ in their work, cheaper points are
preferred. Then a Gaussian process is fitted to all losses, with hyperparameters that are drawn anew for each
proposal, and the configuration that maximises EI / work**a is proposed. The power a falls from 1 with the
number of the proposal: early on, cheap trials teach most; later, the best configuration may be expensive.
Work is computed from the configuration alone, except for a program, whose work is learned from the stored
seconds of its earlier trials once five of them are complete. With two objectives, EI is the expected growth
of the area that the front dominates.

What the process does not explain by hyperparameters, it takes for noise. The noise's share of the variance is
also the probability that a proposal crosses good trials and leaves the process aside, which may be wrong
about a rugged surface.

References:
    Snoek, Larochelle, Adams, "Practical Bayesian Optimization of Machine Learning Algorithms", 2012 (EI per
    second). Lee et al., "Cost-aware Bayesian Optimization", 2020 (cost cooling).
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sweep.definition.pareto import front_ranks_of_many
from sweep.definition.seeds import derive_seed
from sweep.definition.space import Space
from sweep.samplers.cube import Cube
from sweep.samplers.first_proposals import N_DRAWS, N_FIRST, first_proposal
from sweep.samplers.improvement import log_improvement, log_volume_improvement
from sweep.samplers.row_search import by_score, crossed
from sweep.samplers.surrogate import Surrogate, drawn
from sweep.values import key_of

Work = Callable[[Mapping[str, Any]], float]
"""Searched hyperparameters -> work of a trial, in any unit."""

LAST_POWER = 0.03
"""Lowest power of the work; above 0, so that the cheaper of two equally good configurations wins."""

_N_NEAR = 8
"""Number of best trials whose neighbours are candidates."""

_N_CROSSED = 16
"""Number of crossed rows, of which the first that was not tried is proposed."""

_MAX_POINTS = 200
"""Number of best trials that a model is fitted to; its time grows with the cube of the number."""


class Seen(NamedTuple):
    """The data of a trial that the sampler uses."""

    params: Mapping[str, Any]
    rungs: Mapping[int, float]
    """Rung in percent -> loss."""
    losses: tuple[float, ...] | None = None
    """Final losses, one for each objective, if it has any."""
    is_running: bool = False


class _Known(NamedTuple):
    """Trials with known or predicted losses, in the order of their numbers."""

    rows: np.ndarray
    """Rows of the cube, shape (n, d)."""
    losses: np.ndarray
    """Shape (n, objectives)."""
    best: np.ndarray
    """Their places, best first, shape (n,)."""


def propose(space: Space, trials: Sequence[Seen], work: Work, seed: int, number: int) -> dict[str, Any]:
    """Return the searched hyperparameters of proposal ``number``.

    Args:
        space: The searched hyperparameters.
        trials: All earlier trials, including running ones.
        work: Function that returns the work of a trial.
        seed: The study's seed.
        number: Number of earlier proposals.
    """
    tried = {key_of(trial.params) for trial in trials}
    losses = known_losses(trials)
    if len(losses) < N_FIRST:
        return first_proposal(space, lambda params: key_of(params) in tried, work, seed, number)
    generator = np.random.default_rng(derive_seed(seed, "gp_cost", number))
    cube = Cube(space)
    known = _known(cube, losses)
    models = [drawn(cube.axes(known.rows), each, cube.scales, generator) for each in known.losses.T]
    improvement = _improvement(cube, models, cube.rows([t.params for t in trials if t.is_running]))
    power = max(LAST_POWER, 1 - number / (2 * len(space)))
    price = _price(cube, work, generator)
    near = known.rows[known.best[:_N_NEAR]]
    rows = by_score(cube, lambda rows: improvement(rows) - power * price(rows), near, generator)
    if generator.random() < max(model.noise for model in models):
        good = known.rows[known.best[: max(N_FIRST, len(known.best) // 4)]]
        rows = np.vstack([crossed(cube, good, _N_CROSSED, generator), rows])
    proposals = map(cube.params, rows)
    return next((params for params in proposals if key_of(params) not in tried), cube.params(rows[0]))


def known_losses(trials: Sequence[Seen]) -> list[tuple[Mapping[str, Any], tuple[float, ...]]]:
    """Return configurations with their losses, in the order of the trials.

    The final loss of a pruned trial is predicted from its last rung, with the median fall of complete trials.
    """
    complete = [trial for trial in trials if trial.losses is not None]
    known = []
    for trial in trials:
        if trial.losses is not None:
            known.append((trial.params, trial.losses))
        elif not trial.is_running and trial.rungs:
            percent, loss = max(trial.rungs.items())
            falls = [t.rungs[percent] - t.losses[0] for t in complete if percent in t.rungs and t.losses]
            known.append((trial.params, (loss - (statistics.median(falls) if falls else 0),)))
    return known


def _known(cube: Cube, losses: Sequence[tuple[Mapping[str, Any], tuple[float, ...]]]) -> _Known:
    best = np.argsort(front_ranks_of_many([values for _, values in losses]), kind="stable")[:_MAX_POINTS]
    kept = np.sort(best)
    return _Known(
        cube.rows([losses[place][0] for place in kept]),
        np.array([losses[place][1] for place in kept], dtype=np.float64),
        np.searchsorted(kept, best),
    )


def _improvement(
    cube: Cube, models: Sequence[Surrogate], running: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the log of the expected improvement on what is known, as a function of rows."""
    believing = [model.believing(cube.axes(running)) for model in models]
    if len(models) == 1:
        best = models[0].best()
        return lambda rows: log_improvement(*believing[0].predict(cube.axes(rows)), best)
    front = _front(models)

    def improvement(rows: np.ndarray) -> np.ndarray:
        predicted = [model.predict(cube.axes(rows)) for model in believing]
        means, deviations = np.stack(predicted, axis=-1)
        return log_volume_improvement(means, deviations, front)

    return improvement


def _front(models: Sequence[Surrogate]) -> np.ndarray:
    """Return the front of the predicted means at known points, and the worst of each as its reference."""
    means = np.stack([model.predict(model.data.points)[0] for model in models], axis=-1)
    ranks = np.array(front_ranks_of_many([tuple(row) for row in means.tolist()]))
    return np.vstack([np.unique(means[ranks == 1], axis=0), means.max(axis=0)])


def _price(cube: Cube, work: Work, generator: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    """Return the log of the work as a function of rows; 0 if all draws have the same."""

    def log_work(rows: np.ndarray) -> np.ndarray:
        return np.log([work(cube.params(row)) for row in rows])

    some = log_work(cube.snapped(generator.random((N_DRAWS, len(cube.grains)))))
    return log_work if np.ptp(some) else lambda rows: np.zeros(len(rows))
