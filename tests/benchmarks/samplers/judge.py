"""Judge searches by their results on several tasks.

Searches are compared by the true loss of their incumbent after equal numbers of trials. All intervals are
bootstraps that draw tasks and, within each, seeds, with replacement: 2.5 % to 97.5 %.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tests.benchmarks.samplers.results import Result

Results = Mapping[str, Mapping[str, Sequence[Result]]]
"""Task -> search -> its results, one per seed."""

N_BOOTSTRAP = 1000


class Estimate(NamedTuple):
    """A statistic with its 95 % interval."""

    value: float
    low: float
    high: float


def long_enough(results: Results, count: int) -> dict[str, dict[str, list[Result]]]:
    """Return the results that reach a number of trials; searches without any are left out."""
    return {
        task: {
            search: reaching
            for search, found in searches.items()
            if (reaching := [result for result in found if result.trials >= count])
        }
        for task, searches in results.items()
    }


def on_every_task(results: Results) -> list[str]:
    """Return the searches that have results on all tasks."""
    shared = set.intersection(*(set(searches) for searches in results.values()))
    return [search for search in next(iter(results.values())) if search in shared]


def median_quantile(found: Sequence[Result], count: int) -> Estimate:
    """Return the median over seeds of the quantile after ``count`` trials; seeds are drawn."""
    return _over_tasks([[result.at(count).quantile for result in found]], lambda medians: medians[0])


def typical_quantile(results: Results, search: str, count: int) -> Estimate:
    """Return the median over tasks of the median quantile after ``count`` trials."""
    quantiles = [[r.at(count).quantile for r in searches[search]] for searches in results.values()]
    return _over_tasks(quantiles, lambda medians: np.median(medians, axis=0))


def _over_tasks(values: Sequence[Sequence[float]], together: Callable[[np.ndarray], np.ndarray]) -> Estimate:
    """Return a statistic of the medians over seeds, with its interval.

    Args:
        values: One value per seed for each task.
        together: Medians, shape (tasks, draws), to the statistic, shape (draws,).
    """
    generator = np.random.default_rng(0)
    arrays = [np.array(each) for each in values]
    exact = together(np.array([[np.median(each)] for each in arrays]))
    medians = [
        np.median(each[generator.integers(len(each), size=(N_BOOTSTRAP, len(each)))], axis=1)
        for each in arrays
    ]
    tasks = generator.integers(len(arrays), size=(len(arrays), N_BOOTSTRAP))
    return _estimate(float(exact[0]), together(np.array(medians)[tasks, np.arange(N_BOOTSTRAP)]))


def better(found: Sequence[float], than: Sequence[float]) -> np.ndarray:
    """Return 1 for each pair whose first loss is lower, 1/2 for equal ones, else 0, shape (found, than)."""
    first, second = np.array(found)[:, None], np.array(than)[None, :]
    return np.asarray((first < second) + (first == second) / 2)


def chance_of_winning(found: Sequence[Result], than: Sequence[Result], count: int) -> Estimate:
    """Return the probability that a search beats another after ``count`` trials, each with a random seed."""
    pairs = better(_losses(found, count), _losses(than, count))
    draws = np.random.default_rng(0)
    ours = draws.integers(len(found), size=(N_BOOTSTRAP, len(found), 1))
    theirs = draws.integers(len(than), size=(N_BOOTSTRAP, 1, len(than)))
    return _estimate(float(pairs.mean()), pairs[ours, theirs].mean(axis=(1, 2)))


def worst_against(results: Results, search: str, baseline: str, count: int) -> tuple[str, Estimate]:
    """Return the task on which a search beats the baseline least often, and how often that is."""
    chances = {
        task: chance_of_winning(searches[search], searches[baseline], count)
        for task, searches in results.items()
    }
    return min(chances.items(), key=lambda item: item[1].value)


def mean_ranks(results: Results, count: int) -> dict[str, Estimate]:
    """Return each search's mean rank over tasks after ``count`` trials, 1 for the best.

    On a task, the rank of a search is the expected one if every search draws one of its seeds: 1 plus the sum
    of the others' probabilities to beat it. Only searches with results on all tasks are ranked. Ranks of two
    searches whose intervals do not overlap differ; the interval takes the place of a critical difference.

    References:
        Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", 2006.
    """
    results = long_enough(results, count)
    searches = on_every_task(results)
    if not searches:
        return {}
    generator = np.random.default_rng(0)
    exact, drawn = [], []
    for found in results.values():
        losses = [_losses(found[search], count) for search in searches]
        exact.append(_ranks(losses, [np.ones((1, len(each))) for each in losses])[0])
        drawn.append(_ranks(losses, [_counts(generator, len(each)) for each in losses]))
    tasks = generator.integers(len(drawn), size=(N_BOOTSTRAP, len(drawn)))
    means = np.stack(drawn)[tasks, np.arange(N_BOOTSTRAP)[:, None]].mean(axis=1)
    value = np.mean(exact, axis=0)
    return {search: _estimate(float(value[place]), means[:, place]) for place, search in enumerate(searches)}


def _ranks(losses: Sequence[Sequence[float]], counts: Sequence[np.ndarray]) -> np.ndarray:
    """Return expected ranks, shape (draws, searches).

    Args:
        losses: One loss per seed for each search.
        counts: How often each draw holds each seed, shape (draws, seeds) for each search.
    """
    weights = np.hstack([each / each.sum(axis=1, keepdims=True) for each in counts])
    together = np.concatenate(losses)
    beaten = weights @ better(
        together, together
    )  # by how many searches each seed is beaten, shape (draws, all)
    ends = np.cumsum([0, *map(len, losses)])
    # a search beats itself in half of the cases, which is no rank: 1 - 1/2
    return 0.5 + np.add.reduceat(weights * beaten, ends[:-1], axis=1)


def _counts(generator: np.random.Generator, n: int) -> np.ndarray:
    return np.asarray(generator.multinomial(n, np.full(n, 1 / n), size=N_BOOTSTRAP), dtype=float)


def relative_trials(results: Results, search: str, reference: str, count: int) -> tuple[Estimate, int]:
    """Return how many trials a search needs to the reference's result, divided by ``count``.

    The target of a task is the median true loss of the reference after ``count`` trials. The geometric mean
    over tasks is taken of the median over seeds. A search that does not come as far counts with one trial
    more than it had, so its ratio is too low.

    Returns:
        The ratio, and the number of tasks on which the median did not reach the target.
    """
    trials, missed = [], 0
    for searches in results.values():
        target = float(np.median(_losses(searches[reference], count)))
        trials.append([min(result.trials_to(target), result.trials + 1) for result in searches[search]])
        missed += bool(np.median(trials[-1]) > min(result.trials for result in searches[search]))
    ratio = _over_tasks(trials, lambda medians: np.exp(np.log(medians / count).mean(axis=0)))
    return ratio, missed


def own_ms(found: Sequence[Result], first: int, last: int) -> float:
    """Return the median over seeds of the searcher's milliseconds per trial between two counts."""
    return float(np.median([1000 * (r.own_s[last] - r.own_s.get(first, 0)) / (last - first) for r in found]))


def _losses(found: Sequence[Result], count: int) -> list[float]:
    return [result.at(count).true_loss for result in found]


def _estimate(value: float, drawn: np.ndarray) -> Estimate:
    low, high = np.quantile(drawn, [0.025, 0.975], method="nearest")
    return Estimate(value, float(low), float(high))
