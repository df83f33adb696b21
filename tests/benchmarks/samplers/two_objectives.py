"""Which sampler finds the best trade-off of dev loss and training seconds?

Three tables of trained networks of the development half. A search has two asynchronous workers. Both
objectives are scaled from 0, the best of the table, to 1, its median, the seconds by their logarithm. A
result is the area that the front of a search dominates below (1, 1), as a share of that of the table's own
front. The front consists of the trials that no other dominates, by what the search has seen; they count with
their true losses, means over all seeds. Results are appended to a file; what is there is not searched again.

    python tests/benchmarks/samplers/two_objectives.py [--seeds 30] [--print]

References:
    Zitzler, Thiele, "Multiobjective Evolutionary Algorithms: A Comparative Case Study and the Strength
    Pareto Approach", 1999 (the dominated area, or hypervolume).
"""

import os

if __name__ == "__main__":  # before numpy is loaded
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import csv
import logging
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import optuna

from sweep.definition.pareto import front_ranks_of_many
from tests.benchmarks.samplers.appending import cut_torn_line
from tests.benchmarks.samplers.own import Sweep
from tests.benchmarks.samplers.peers_optuna import Optuna
from tests.benchmarks.samplers.simulate import WORKERS, Searcher
from tests.benchmarks.samplers.task import Luck, Params, Task, cells
from tests.benchmarks.samplers.tasks import TASKS
from tests.benchmarks.tabular.asynchronous import run_workers

RESULTS = Path(__file__).parent / "results" / "two-objectives"
NAMES = ("naval", "vehicle", "cifar100")
COUNTS = (20, 50, 100)
REFERENCE = "Optuna NSGA-II"


def own(sampler: str) -> Callable[[Task, int], Searcher]:
    """Return what makes the searcher of one of the product's samplers."""
    return lambda task, seed: Sweep(task, seed, sampler, cost="train_seconds")


SEARCHES: Mapping[str, Callable[[Task, int], Searcher]] = {
    "random": own("random"),
    "tpe": own("tpe"),
    "gp_cost": own("gp_cost"),
    "Optuna TPE": lambda task, seed: Optuna(task, optuna.samplers.TPESampler(seed=seed), objectives=2),
    REFERENCE: lambda task, seed: Optuna(task, optuna.samplers.NSGAIISampler(seed=seed), objectives=2),
}


class Scale(NamedTuple):
    """What the objectives of a task are measured with; each array has a place for each objective."""

    best: np.ndarray
    median: np.ndarray
    whole: float
    """Area that the table's own front dominates."""

    def area(self, points: np.ndarray) -> float:
        """Return the dominated area, as a share of the table's; points have shape (n, 2)."""
        return dominated((points - self.best) / (self.median - self.best)) / self.whole


def scale_of(task: Task) -> Scale:
    """Measure a whole table."""
    points = np.array([true_point(task, params) for params in cells(task.space)])
    best, median = points.min(axis=0), np.median(points, axis=0)
    return Scale(best, median, dominated((points - best) / (median - best)))


def true_point(task: Task, params: Params) -> tuple[float, float]:
    """Return the true loss of a configuration and the logarithm of its seconds."""
    return task.true_loss(params), float(np.log(task.seconds(params)))


def dominated(points: np.ndarray) -> float:
    """Return the area below (1, 1) that points dominate, shape (n, 2); lower is better in both."""
    area, height = 0.0, 1.0
    for x, y in sorted(points[(points < 1).all(axis=1)].tolist()):
        if y < height:
            area += (1 - x) * (height - y)
            height = y
    return area


class Search:
    """One search on its way."""

    def __init__(self, task: Task, scale: Scale, searcher: Searcher, seed: int) -> None:
        self._task, self._scale, self._searcher, self._luck = task, scale, searcher, Luck(task, seed)
        self._open: dict[int, Params] = {}
        self._seen: list[tuple[float, float]] = []
        self._true: list[tuple[float, float]] = []
        self.areas: dict[int, float] = {}

    @property
    def ended(self) -> int:
        """Number of ended trials."""
        return len(self._seen)

    def take(self, now: float, trial: int | None) -> tuple[int, float]:
        """End a worker's trial and start its next one."""
        if trial is not None:
            self._end(trial)
        number, self._open[number] = self._searcher.ask()
        return number, now + self._task.seconds(self._open[number])

    def _end(self, trial: int) -> None:
        params = self._open.pop(trial)
        loss, seconds = self._task.loss(params, self._luck.draw(params)), self._task.seconds(params)
        self._searcher.tell(trial, loss, seconds)
        self._seen.append((loss, seconds))
        self._true.append(true_point(self._task, params))
        if self.ended in COUNTS:
            front = np.array(front_ranks_of_many(self._seen)) == 1
            self.areas[self.ended] = self._scale.area(np.array(self._true)[front])


def search(name: str, task: Task, scale: Scale, seed: int) -> list[float]:
    """Return the area after each of ``COUNTS``."""
    found = Search(task, scale, SEARCHES[name](task, seed), seed)
    run_workers(found, WORKERS, lambda now: found.ended < COUNTS[-1])
    return [found.areas[count] for count in COUNTS]


def read(path: Path) -> dict[str, dict[int, list[float]]]:
    """Return what was searched: search -> seed -> areas."""
    found: dict[str, dict[int, list[float]]] = {}
    if path.exists():
        with path.open() as file:
            for name, seed, *areas in list(csv.reader(file))[1:]:
                found.setdefault(name, {})[int(seed)] = [float(area) for area in areas]
    return found


def search_missing(path: Path, task: Task, seeds: int) -> None:
    """Search what has no results yet and append them."""
    cut_torn_line(path)
    done, scale = read(path), scale_of(task)
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        if is_new:
            csv.writer(file, lineterminator="\n").writerow(["search", "seed", *COUNTS])
        for name in SEARCHES:
            for seed in set(range(seeds)) - set(done.get(name, {})):
                areas = [f"{area:.5f}" for area in search(name, task, scale, seed)]
                csv.writer(file, lineterminator="\n").writerow([name, seed, *areas])
                file.flush()


def table(name: str, found: Mapping[str, Mapping[int, Sequence[float]]]) -> str:
    """Return a task's table: the area after each number of trials, and who beats the reference how often."""
    reference = np.array(list(found[REFERENCE].values()))
    lines = [
        f"| {name}: area, % | "
        + " | ".join(f"at {count}" for count in COUNTS)
        + f" | above {REFERENCE} at 50 |",
        "|:--|" + "--:|" * (len(COUNTS) + 1),
    ]
    for search_name, of_seeds in found.items():
        areas = np.array(list(of_seeds.values()))
        low, middle, high = 100 * np.quantile(areas, [0.25, 0.5, 0.75], axis=0)
        cells_of = [f"{m:.1f} ({a:.1f} to {b:.1f})" for a, m, b in zip(low, middle, high, strict=True)]
        above = (areas[:, None, 1] > reference[None, :, 1]).mean()
        lines.append(f"| {search_name} | " + " | ".join(cells_of) + f" | {above:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Search what is missing and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--print", action="store_true", help="only print what was searched before")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for name in NAMES:
        path = RESULTS / f"{name}.csv"
        if not arguments.print:
            path.parent.mkdir(parents=True, exist_ok=True)
            search_missing(path, TASKS[name](), arguments.seeds)
        print(table(name, read(path)), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
