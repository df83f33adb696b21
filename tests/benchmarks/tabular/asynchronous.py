"""Run simulated workers side by side: each trains a trial for some simulated seconds, then asks again."""

import heapq
import time
from collections.abc import Callable
from typing import Any, Protocol


class Workers(Protocol):
    """What the workers train."""

    def take(self, now: float, trial: int | None) -> tuple[int, float]:
        """Give a free worker its next trial.

        Args:
            now: The moment, in simulated seconds.
            trial: The trial that the worker trained until now; None at its start.

        Returns:
            The trial that the worker trains next, and the moment at which it is free again.
        """


def run_workers(work: Workers, n_workers: int, goes_on: Callable[[float], bool]) -> None:
    """Let workers train until ``goes_on``, asked with the moment of the next free worker, says no.

    Workers that are free at the same moment are served in the order in which they began to train.
    """
    events: list[tuple[float, int, int | None]] = [(0.0, order, None) for order in range(n_workers)]
    order = n_workers
    while goes_on(events[0][0]):
        now, _, trial = heapq.heappop(events)
        trial, free_at = work.take(now, trial)
        order += 1
        heapq.heappush(events, (free_at, order, trial))


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return the result of ``work`` and the processor seconds that this process spent on it."""
    started = time.process_time()
    result = work()
    return result, time.process_time() - started
