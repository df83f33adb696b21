"""Define the request of a run's caller, apart from the study."""

import dataclasses
from collections.abc import Callable

from sweep.code import Code
from sweep.execution.events import Observer
from sweep.execution.pools.pool import Pool
from sweep.execution.workload import Workload


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """The workload of a run, its pool, its observer and its stop function."""

    workload: Workload
    start_pool: Callable[[int], Pool]
    """Starts a pool for at most the given number of jobs at a time."""
    observe: Observer
    """Called with each event, after the event is stored."""
    should_stop: Callable[[], bool]
    code: Code | None
    """Current code of the trainer's program; None for an installed trainer."""
    code_changed: str | None
    """The user's reason for a change of the program; None if it must not have changed."""
    describe_memory: Callable[[int], str]
    """Returns one line about the memory of the given number of workers; empty if unknown."""
