"""Whether another trial may begin: asked before each one, and once refused, refused for the whole run.

Trials in training end normally; afterwards the run raises the fault.
"""

from collections.abc import Callable

from sweep.errors import SweepError

Check = Callable[[], SweepError | None]
"""Returns why no trial may begin, None if one may."""


class Gate:
    """Asks its checks before each trial."""

    def __init__(self, *checks: Check) -> None:
        """Begin open."""
        self._checks = checks
        self.fault: SweepError | None = None
        """Why it is shut."""

    def is_shut(self) -> bool:
        """Ask the checks until one refuses; return whether one has refused."""
        if self.fault is None:
            self.fault = next(filter(None, (check() for check in self._checks)), None)
        return self.fault is not None

    def refuse(self) -> None:
        """Raise the fault, if there is one."""
        if self.fault is not None:
            raise self.fault
