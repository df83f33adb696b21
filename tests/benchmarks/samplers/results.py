"""Keep the results of searches: one CSV file per task, one row per search and seed.

A row holds the whole search up to its number of trials, so results at fewer trials need no row of their own.
Rows are only appended; a last row that a kill has cut is dropped. If a search was repeated with more trials,
its longest row counts.
"""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.benchmarks.samplers.appending import cut_torn_line, whole_lines
from tests.benchmarks.samplers.simulate import Outcome, Step

COUNTS = (10, 20, 50, 100)
"""Numbers of trials at which searches are compared."""


class Result(NamedTuple):
    """One search of one task, as it is kept."""

    search: str
    seed: int
    trials: int
    seconds: float
    """Simulated seconds of the whole search."""
    own_s: dict[int, float]
    """Number of trials -> processor seconds of the searcher until then, at ``COUNTS`` and at the end."""
    curve: tuple[Step, ...]
    """Changes of the incumbent, in order."""

    def at(self, count: int) -> Step:
        """Return the incumbent after a number of trials."""
        return [step for step in self.curve if step.count <= count][-1]

    def trials_to(self, true_loss: float) -> float:
        """Return the number of trials after which the incumbent first had a true loss as low; or infinity."""
        return min((step.count for step in self.curve if step.true_loss <= true_loss), default=np.inf)


def kept(search: str, seed: int, outcome: Outcome) -> Result:
    """Return what is kept of a search."""
    trials = len(outcome.own_s)
    counts = [count for count in (*COUNTS, trials) if count <= trials]
    own_s = {count: outcome.own_s[count - 1] for count in sorted(set(counts))}
    return Result(search, seed, trials, outcome.seconds, own_s, tuple(outcome.curve))


def append(path: Path, results: Iterable[Result]) -> None:
    """Append rows to a task's file; it is made with its header if it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cut_torn_line(path)
    is_new = not whole_lines(path)
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(Result._fields)
        for result in results:
            own_s = " ".join(f"{count}:{seconds:.4f}" for count, seconds in result.own_s.items())
            curve = " ".join(
                f"{s.count}:{s.seconds:.6g}:{s.quantile!r}:{s.true_loss!r}" for s in result.curve
            )
            writer.writerow([*result[:3], f"{result.seconds:.6g}", own_s, curve])


def read(path: Path) -> dict[str, list[Result]]:
    """Return a task's results by search, in the order of seeds; empty if there is no file."""
    longest: dict[tuple[str, int], Result] = {}
    for result in map(_parsed, csv.DictReader(whole_lines(path))):
        key = result.search, result.seed
        if key not in longest or result.trials > longest[key].trials:
            longest[key] = result
    results: dict[str, list[Result]] = {}
    for result in sorted(longest.values(), key=lambda result: result.seed):
        results.setdefault(result.search, []).append(result)
    return results


def missing(found: Iterable[Result], seeds: int, trials: int) -> list[int]:
    """Return the seeds, counted from 0, of which no search is long enough."""
    done = {result.seed for result in found if result.trials >= trials}
    return [seed for seed in range(seeds) if seed not in done]


def _parsed(row: dict[str, str]) -> Result:
    own_s = dict(point.split(":") for point in row["own_s"].split())
    return Result(
        search=row["search"],
        seed=int(row["seed"]),
        trials=int(row["trials"]),
        seconds=float(row["seconds"]),
        own_s={int(count): float(seconds) for count, seconds in own_s.items()},
        curve=tuple(_step(*point.split(":")) for point in row["curve"].split()),
    )


def _step(count: str, seconds: str, quantile: str, true_loss: str) -> Step:
    return Step(int(count), float(seconds), float(quantile), float(true_loss))
