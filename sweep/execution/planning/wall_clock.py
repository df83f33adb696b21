"""Estimate the wall-clock time of a whole run, with its spread, from the seconds of some trials."""

import dataclasses
import heapq
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

_DRAWS = 400
_TAILS = (5, 50, 95)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A median with its 5th and 95th percentile."""

    low: float
    middle: float
    high: float


def drawn_runs(seconds: np.ndarray, count: int) -> Iterator[list[float]]:
    """Yield the seconds of the trials of runs that are drawn from timed trials.

    Each run first resamples the timed configurations (the bootstrap), so that few of them give a wide range,
    and then draws its trials.
    """
    draw = np.random.default_rng(0)
    for _ in range(_DRAWS if count * _DRAWS <= 1_000_000 else 50):
        yield draw.choice(draw.choice(seconds, len(seconds)), count).tolist()


def simulate(
    runs: Iterable[list[float]], left: int, workers: int, timeout: float | None
) -> tuple[Range, int]:
    """Return the wall-clock times of runs, which may train only some trials, and how many trials fit."""
    walls, fits = [], []
    for run in runs:
        ended = ends(run, workers)
        walls.append(max(ended, default=0.0) * (left / len(run) if run else 0))
        fits.append(sum(end <= timeout for end in ended) if timeout else left)
    low, middle, high = (float(value) for value in np.percentile(walls, _TAILS))
    return Range(low=low, middle=middle, high=high), int(np.median(fits))


def ends(seconds: Sequence[float], workers: int) -> list[float]:
    """Return the end of each trial, if every worker starts the next one as soon as it is free."""
    free, ends = [0.0] * workers, []
    for duration in seconds:
        ends.append(free[0] + duration)
        heapq.heapreplace(free, ends[-1])
    return ends
