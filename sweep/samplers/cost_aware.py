"""Propose the configuration with the greatest expected improvement for its work.

The first proposals are cheap random ones. Then a Gaussian process is fitted to all losses, and the
configuration that maximises EI / work**a is proposed. The power a falls from 1 with the number of the
proposal: early on, cheap trials teach most; later, the best configuration may be expensive. Work is computed
from the configuration, never measured, so proposals are reproducible.

References:
    Snoek, Larochelle, Adams, "Practical Bayesian Optimization of Machine Learning Algorithms", 2012 (EI per
    second).
    Lee et al., "Cost-aware Bayesian Optimization", 2020 (cost cooling).
    Ament et al., "Unexpected Improvements to Expected Improvement", 2023 (log EI).
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr

from sweep.definition.space import Space
from sweep.samplers.coordinates import unit_points
from sweep.samplers.gaussian_process import Data, fit, predict
from sweep.samplers.proposals import all_cells, drawn, moved

CHEAP_OF = 16
"""Number of draws of which each early proposal is the cheapest."""

LAST_POWER = 0.1
"""Lowest power of the work; above 0, so that the cheaper of two equally good configurations wins."""

_N_DRAWN, _N_MOVED, _N_PARENTS = 256, 256, 8
_MAX_CELLS = _N_DRAWN + _N_MOVED
_MAX_POINTS = 200
"""Number of best losses that a model is fitted to; its time grows with the cube of the number."""

_OUTLIER = 3.0
"""Losses are limited to the median plus this many times its distance from the best: otherwise a diverged
trial would make all others look alike."""


class Seen(NamedTuple):
    """The data of a trial that the sampler uses."""

    params: Mapping[str, Any]
    rungs: Mapping[int, float]
    """Rung in percent -> loss."""
    loss: float | None = None
    """Final loss, if it has one."""
    is_running: bool = False


def propose(
    space: Space,
    trials: Sequence[Seen],
    work: Callable[[Mapping[str, Any]], float],
    number: int,
    generator: np.random.Generator,
) -> dict[str, Any]:
    """Return the searched hyperparameters of proposal ``number``.

    Args:
        space: The searched hyperparameters.
        trials: All earlier trials, including running ones.
        work: Function that returns the work of a trial.
        number: Number of earlier proposals.
        generator: Source of random numbers.
    """
    tried = {_key(trial.params) for trial in trials}
    known = _known_losses(trials)
    if len(trials) <= len(space) or not known:
        draws = [drawn(space, generator) for _ in range(CHEAP_OF)]
        return min(draws, key=lambda params: (_key(params) in tried, work(params)))
    candidates = _candidates(space, known, generator)
    candidates = [params for params in candidates if _key(params) not in tried] or candidates
    power = max(LAST_POWER, 1 - number / (2 * len(space)))
    log_work = np.log([work(params) for params in candidates])
    improvement = _log_improvement(space, candidates, known, [t.params for t in trials if t.is_running])
    return candidates[int(np.argmax(improvement - power * log_work))]


def _key(params: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(sorted(params.items()))


def _known_losses(trials: Sequence[Seen]) -> list[tuple[Mapping[str, Any], float]]:
    """Return configurations with their losses, best first.

    The final loss of a pruned trial is predicted from its last rung, with the median fall of complete trials.
    """
    complete = [trial for trial in trials if trial.loss is not None]
    known = [(trial.params, trial.loss) for trial in complete if trial.loss is not None]
    for trial in trials:
        if trial.loss is None and not trial.is_running and trial.rungs:
            percent, loss = max(trial.rungs.items())
            falls = [t.rungs[percent] - t.loss for t in complete if percent in t.rungs and t.loss is not None]
            known.append((trial.params, loss - (statistics.median(falls) if falls else 0)))
    return sorted(known, key=lambda pair: pair[1])[:_MAX_POINTS]


def _candidates(
    space: Space, known: Sequence[tuple[Mapping[str, Any], float]], generator: np.random.Generator
) -> list[dict[str, Any]]:
    """Return every configuration of a small space; of a large one, draws and neighbours of the best."""
    cells = all_cells(space, _MAX_CELLS)
    if cells is not None:
        return cells
    parents = [params for params, _ in known[:_N_PARENTS]]
    return [drawn(space, generator) for _ in range(_N_DRAWN)] + [
        moved(space, parents[k % len(parents)], generator) for k in range(_N_MOVED)
    ]


def _log_improvement(
    space: Space,
    candidates: Sequence[Mapping[str, Any]],
    known: Sequence[tuple[Mapping[str, Any], float]],
    running: Sequence[Mapping[str, Any]],
) -> np.ndarray:
    """Return the log of each candidate's expected improvement on the best mean, shape (candidates,)."""
    configurations = [*(params for params, _ in known), *running, *candidates]
    points = unit_points(space, configurations)
    data = _in_standard_units(points[: len(known)], np.array([loss for _, loss in known]))
    theta = fit(data)
    best = predict(theta, data, data.points)[0].min()
    beside = points[len(known) : len(known) + len(running)]
    if running:
        data = _believing(data, beside, predict(theta, data, beside)[0])
    mean, deviation = predict(theta, data, points[len(known) + len(running) :])
    return np.asarray(np.log(deviation) + _log_unit_improvement((best - mean) / deviation))


def _in_standard_units(points: np.ndarray, losses: np.ndarray) -> Data:
    losses = _without_outliers(losses)
    standard = (losses - losses.mean()) / (losses.std() or 1)
    return Data(points, standard, np.ones(len(losses)), np.zeros(len(losses)))


def _believing(data: Data, points: np.ndarray, means: np.ndarray) -> Data:
    """Add the predicted losses of running trials, so that no similar trial runs beside them.

    References:
        Ginsbourger et al., "Kriging Is Well-Suited to Parallelize Optimization", 2010 (kriging believer).
    """
    n = len(means)
    return Data(
        np.vstack([data.points, points]),
        np.concatenate([data.means, means]),
        np.concatenate([data.counts, np.ones(n)]),
        np.concatenate([data.within, np.zeros(n)]),
    )


def _without_outliers(losses: np.ndarray) -> np.ndarray:
    middle = np.median(losses)
    return np.asarray(np.minimum(losses, middle + _OUTLIER * (middle - losses.min())))


def _log_unit_improvement(z: np.ndarray) -> np.ndarray:
    """Return log(phi(z) + z Phi(z)), by its asymptote phi(z) / z**2 if the sum would cancel."""
    log_density = -(z**2) / 2 - np.log(2 * np.pi) / 2
    near = np.maximum(z, -5)
    direct = np.log(np.exp(-(near**2) / 2) / np.sqrt(2 * np.pi) + near * ndtr(near))
    return np.asarray(np.where(z > -5, direct, log_density - 2 * np.log(np.maximum(-z, 1))))
