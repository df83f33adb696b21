"""How long may a run go on, and does another trial fit into what is left?

A trial that the timeout would cut is not lost: it goes on at the next run. But a run that is asked for
ten minutes should not spend its last ones on what it cannot finish.
"""

import math
import statistics
import time
from collections.abc import Callable

FEWEST = 3
"""Finished trials from which on the time of another one is predicted."""


class Budget:
    """The time of one run; it begins when it is made."""

    def __init__(self, timeout: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow ``timeout`` seconds; None is for ever."""
        self._clock = clock
        self._timeout = math.inf if timeout is None else timeout
        self._end = clock() + self._timeout
        self._paces: list[float] = []

    def is_over(self) -> bool:
        """Say whether the time is up."""
        return self._clock() > self._end

    @property
    def ends_at(self) -> float | None:
        """When the time is up, in seconds since 1970; None for never."""
        return None if self._end == math.inf else time.time() + self._end - self._clock()

    def learn(self, work: float, seconds: float) -> None:
        """Take note of a finished trial.

        Args:
            work: What it cost, in the task's unit.
            seconds: How long it was trained.
        """
        if work > 0:
            self._paces.append(seconds / work)

    def fits(self, work: float) -> bool:
        """Say whether a trial is likely to end in time.

        A trial that is longer than the whole timeout always fits: it can only end over several runs.

        Args:
            work: What it will cost, in the task's unit.
        """
        if len(self._paces) < FEWEST:
            return True
        seconds = work * statistics.median(self._paces)
        return seconds > self._timeout or seconds <= self._end - self._clock()
