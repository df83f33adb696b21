"""Which search finds the good configurations in the fewest seconds?

Simulates every search below on a trained grid, fifty times each, and prints the seconds until the best
configuration found is within 0.01 and 0.005 nats of the best there is: median, quartiles, and the ratio of
medians to random search with a 95 % bootstrap interval over repeats. Results are appended to a file beside
the table, so a search that was simulated is not simulated again; remove its lines to do so.

    python tests/benchmarks/tabular/compare.py [--table tests/benchmarks/tabular/names.csv] [--only NAME ...]
"""

import os

if __name__ == "__main__":  # before numpy is loaded; tests import this module and keep their surroundings
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import csv
import importlib.util
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import optuna

from tests.benchmarks.tabular.chart import write_chart
from tests.benchmarks.tabular.peers import Hyperopt, OptunaDefaults, OptunaOrdered, syne_tune
from tests.benchmarks.tabular.searchers import sweep
from tests.benchmarks.tabular.simulate import Outcome, Searcher, simulate
from tests.benchmarks.tabular.table import Table, read_table
from tests.benchmarks.tabular.variants import Promotion, StepsAsFidelity

HERE = Path(__file__).parent
REPEATS = 50
HORIZON = 500.0
"""Simulated seconds after which a search ends."""

REGRETS = (0.01, 0.005)
BASELINE = "random"


class Search(NamedTuple):
    """One way to search."""

    make: Callable[[Table, int], Searcher]
    workers: int = 2
    kind: str = "raw"
    needs: str = "optuna"
    """Module without which it is left out."""


def _own() -> dict[str, Search]:
    searches = {}
    for sampler in ("random", "qmc", "tpe", "gp", "gp_cost"):
        for pruner in ("none", "median", "asha") if sampler != "gp" else ("none",):
            name = sampler if pruner == "none" else f"{sampler} + {pruner}"
            searches[name] = Search(sweep(sampler, pruner))
            if pruner != "none":
                searches[f"{name}, averaged"] = Search(sweep(sampler, pruner), kind="avg10")
    return searches


SEARCHES: dict[str, Search] = {
    **_own(),
    "random, twice the workers": Search(sweep("random", "none"), workers=4),
    "random + asha, promotion": Search(lambda table, seed: Promotion(table, seed, "random")),
    "tpe + asha, promotion": Search(lambda table, seed: Promotion(table, seed, "tpe")),
    "random, steps as fidelity": Search(lambda table, seed: StepsAsFidelity(table, seed, "random")),
    "tpe, steps as fidelity": Search(lambda table, seed: StepsAsFidelity(table, seed, "tpe")),
    "Optuna's defaults": Search(OptunaDefaults),
    "Optuna's defaults, ordered": Search(OptunaOrdered),
    "Hyperopt TPE": Search(Hyperopt, needs="hyperopt"),
    "Syne Tune TPE": Search(syne_tune("TPE"), needs="syne_tune"),
    "Syne Tune ASHA": Search(
        syne_tune("ASHA", time_attr="percent", max_t=100, grace_period=10), needs="syne_tune"
    ),
    "Syne Tune BOHB": Search(
        syne_tune("BOHB", time_attr="percent", max_t=100, grace_period=10), needs="syne_tune"
    ),
}


class Result(NamedTuple):
    """A simulated search as it is kept."""

    search: str
    repeat: int
    trials: int
    own_s: float
    curve: tuple[tuple[float, float], ...]

    def time_to(self, regret: float) -> float:
        """Return the seconds until the incumbent's regret was first as small; infinity if never."""
        return Outcome(curve=list(self.curve), trials=0, own_s=0).time_to(regret)


def read_results(path: Path) -> dict[str, list[Result]]:
    """Return what was simulated, by search, in the order of repeats."""
    results: dict[str, list[Result]] = {}
    if path.exists():
        with path.open() as file:
            for row in csv.DictReader(file):
                points = [point.split(":") for point in row["curve"].split()]
                curve = tuple((float(seconds), float(regret)) for seconds, regret in points)
                result = Result(
                    row["search"], int(row["repeat"]), int(row["trials"]), float(row["own_s"]), curve
                )
                results.setdefault(result.search, []).append(result)
    return {name: sorted(found, key=lambda result: result.repeat) for name, found in results.items()}


def simulate_missing(table: Table, path: Path, names: list[str]) -> None:
    """Simulate what has no results yet and append them."""
    done = {(result.search, result.repeat) for found in read_results(path).values() for result in found}
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(Result._fields)
        for name in names:
            search = SEARCHES[name]
            if importlib.util.find_spec(search.needs) is None:
                print(f"{name}: {search.needs} is not installed; left out")
                continue
            for repeat in range(REPEATS):
                if (name, repeat) not in done:
                    outcome = simulate(
                        table, search.make, repeat, horizon=HORIZON, kind=search.kind, workers=search.workers
                    )
                    curve = " ".join(f"{seconds:.2f}:{regret:.5f}" for seconds, regret in outcome.curve)
                    writer.writerow([name, repeat, outcome.trials, f"{outcome.own_s:.3f}", curve])
                    file.flush()


def ratio_interval(times: np.ndarray, baseline: np.ndarray) -> tuple[float, float, float]:
    """Return the ratio of medians and its 95 % bootstrap interval; repeats are drawn in pairs."""
    draws = np.random.default_rng(0).integers(len(times), size=(4000, len(times)))
    ratios = np.median(times[draws], axis=1) / np.median(baseline[draws], axis=1)
    low, high = np.quantile(ratios, [0.025, 0.975], method="nearest")
    return float(np.median(times) / np.median(baseline)), float(low), float(high)


def describe(results: dict[str, list[Result]]) -> str:
    """Return the comparison as a markdown table, the quickest first."""
    times = {
        name: {regret: np.array([r.time_to(regret) for r in found]) for regret in REGRETS}
        for name, found in results.items()
        if len(found) == REPEATS
    }
    lines = [
        "| search | s to 0.01 nats (quartiles) | to random's | 95 % interval | s to 0.005 | trials | own s |",
        "|:--|--:|--:|--:|--:|--:|--:|",
    ]
    for name in sorted(times, key=lambda name: float(np.median(times[name][REGRETS[0]]))):
        columns = [_quartiles(times[name][regret]) for regret in REGRETS]
        ratio, low, high = ratio_interval(times[name][REGRETS[0]], times[BASELINE][REGRETS[0]])
        trials = np.mean([r.trials for r in results[name]])
        own = np.mean([r.own_s / r.trials for r in results[name]])
        lines.append(
            f"| {name} | {columns[0]} | {ratio:.2f} | {low:.2f} to {high:.2f} | {columns[1]} "
            f"| {trials:.0f} | {own:.3f} |"
        )
    return "\n".join(lines)


def _quartiles(times: np.ndarray) -> str:
    low, middle, high = np.quantile(times, [0.25, 0.5, 0.75], method="nearest")
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"


def main() -> None:
    """Simulate what is missing; print the table; draw the chart."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--table", type=Path, default=HERE / "names.csv")
    parser.add_argument("--timed", type=Path, help="table of the same grid whose seconds count")
    parser.add_argument("--only", nargs="*", choices=list(SEARCHES), metavar="NAME", help="searches, by name")
    parser.add_argument("--price", type=float, default=0, help="nats added for each factor of e of work")
    parser.add_argument("--print", action="store_true", help="only print what was simulated before")
    parser.add_argument("--chart", type=Path, help="where the chart is written, an SVG file")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    priced = f"-price-{arguments.price:g}" if arguments.price else ""
    path = arguments.table.with_name(f"{arguments.table.stem}{priced}-searches.csv")
    if not arguments.print:
        table = read_table(arguments.table, arguments.timed).priced(arguments.price)
        simulate_missing(table, path, arguments.only or list(SEARCHES))
    results = read_results(path)
    print(describe(results))
    if arguments.chart:
        write_chart(arguments.chart, results)


if __name__ == "__main__":
    main()
