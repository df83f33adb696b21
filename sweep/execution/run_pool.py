"""The pool of one run, from before the study is read until what follows the trials is done.

The first worker loads its libraries while the driver opens the database and reads the study. After the last
trial a worker has them still, so that it can compute notes for a driver that has loaded none.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from sweep.execution.pools.pool import Pool, PoolRequest
from sweep.execution.pools.pools import PoolKind


class RunPool:
    """Starts a pool, perhaps its first worker early, and closes it."""

    def __init__(self, kind: PoolKind, asked: PoolRequest, *, is_early: bool) -> None:
        """Take what is asked of the pool; start one worker at once if ``is_early``.

        Raises:
            MachineError: If the system refuses a process.
        """
        self._kind, self._asked = kind, asked
        self._waiting = kind.start(dataclasses.replace(asked, at_most=1)) if is_early else None
        self._started: Pool | None = None

    def start(self, at_most: int) -> Pool:
        """Return a pool for ``at_most`` jobs; a new one if the last was closed.

        Raises:
            MachineError: If it cannot be started.
        """
        if self._waiting is not None:
            self._started, self._waiting = self._waiting, None
            self._started.grow(at_most)
        else:
            self._started = self._kind.start(dataclasses.replace(self._asked, at_most=at_most))
        return self._started

    def call(self, function: Callable[..., Any], *arguments: object) -> Any:
        """Return what a function returns, called in a worker if there is one left, else here."""
        called = None if self._started is None else self._started.call(function, *arguments)
        return function(*arguments) if called is None else called.value

    def close(self) -> None:
        """End all workers."""
        for pool in (self._waiting, self._started):
            if pool is not None:
                pool.close()
