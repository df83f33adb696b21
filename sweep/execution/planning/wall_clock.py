"""From the seconds of some trials to those of a whole run, with their spread."""

import dataclasses
import heapq
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

_DRAWS = 400
_TAILS = (5, 50, 95)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A middle with its 5 and 95 per cent."""

    low: float
    middle: float
    high: float


def drawn_runs(seconds: np.ndarray, count: int) -> Iterator[list[float]]:
    """Yield the seconds of each trial in runs that are drawn from the timed ones.

    Each run first redraws which configurations were timed (the bootstrap), so that few of them
    give a wide range, and then its trials.
    """
    draw = np.random.default_rng(0)
    for _ in range(_DRAWS if count * _DRAWS <= 1_000_000 else 50):
        yield draw.choice(draw.choice(seconds, len(seconds)), count).tolist()


def simulate(
    runs: Iterable[list[float]], left: int, workers: int, timeout: float | None
) -> tuple[Range, int]:
    """Return the wall-clock of runs, which may hold a part of the trials, and how many trials fit."""
    walls, fits = [], []
    for run in runs:
        ended = ends(run, workers)
        walls.append(max(ended, default=0.0) * (left / len(run) if run else 0))
        fits.append(sum(end <= timeout for end in ended) if timeout else left)
    low, middle, high = (float(value) for value in np.percentile(walls, _TAILS))
    return Range(low=low, middle=middle, high=high), int(np.median(fits))


def ends(seconds: Sequence[float], workers: int) -> list[float]:
    """Return when each trial ends if every worker takes the next one as soon as it is free."""
    free, ends = [0.0] * workers, []
    for duration in seconds:
        ends.append(free[0] + duration)
        heapq.heapreplace(free, ends[-1])
    return ends
