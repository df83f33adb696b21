"""Decide whether another trial may begin; after one refusal, none may begin in the run.

Trials in training end normally; afterwards the run raises the error.
"""

from collections.abc import Callable

from sweep.errors import SweepError

Check = Callable[[], SweepError | None]
"""Function that returns the reason why no trial may begin, or None."""


class Gate:
    """Runs its checks before each trial."""

    def __init__(self, *checks: Check) -> None:
        """Initialize without a refusal."""
        self._checks = [*checks]
        self.fault: SweepError | None = None
        """The error of the check that refused; None if none has."""

    def add(self, check: Check) -> None:
        """Add a check."""
        self._checks.append(check)

    def is_shut(self) -> bool:
        """Run the checks until one refuses; return whether one has refused."""
        if self.fault is None:
            self.fault = next(filter(None, (check() for check in self._checks)), None)
        return self.fault is not None

    def refuse(self) -> None:
        """Raise the error of the refusal, if there is one."""
        if self.fault is not None:
            raise self.fault
