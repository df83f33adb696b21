"""Track the time of a run, and predict whether another trial will end in time.

A trial that the timeout interrupts is not lost: the next run resumes it. But a run of ten minutes should not
spend its last ones on a trial that it cannot finish.
"""

import math
import statistics
import time
from collections.abc import Callable

FEWEST = 3
"""Number of finished trials from which the time of another one is predicted."""


class Budget:
    """The time of one run, which begins when this object is created."""

    def __init__(self, timeout: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow ``timeout`` seconds; None means no limit."""
        self._clock = clock
        self._timeout = math.inf if timeout is None else timeout
        self._end = clock() + self._timeout
        self._paces: list[float] = []

    def is_over(self) -> bool:
        """Return whether the time is up."""
        return self._clock() > self._end

    @property
    def ends_at(self) -> float | None:
        """End of the time, in seconds since 1970; None for never."""
        return None if self._end == math.inf else time.time() + self._end - self._clock()

    def learn(self, work: float, seconds: float) -> None:
        """Record a finished trial.

        Args:
            work: The trial's work, in the task's unit.
            seconds: The trial's training time.
        """
        if work > 0:
            self._paces.append(seconds / work)

    def fits(self, work: float) -> bool:
        """Return whether a trial is likely to end in time.

        A trial longer than the whole timeout always fits, because it needs several runs anyway.

        Args:
            work: The trial's work, in the task's unit.
        """
        if len(self._paces) < FEWEST:
            return True
        seconds = work * statistics.median(self._paces)
        return seconds > self._timeout or seconds <= self._end - self._clock()
