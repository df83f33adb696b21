"""What the caller of a run asks for, apart from the study."""

import dataclasses
from collections.abc import Callable

from sweep.code import Code
from sweep.execution.events import Observer
from sweep.execution.pools.pool import Pool
from sweep.execution.workload import Workload


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What trains, in which pool, and who watches and stops it."""

    workload: Workload
    start_pool: Callable[[int], Pool]
    """Starts a pool for at most so many jobs at a time."""
    observe: Observer
    """Is called with each event, after the event is stored."""
    should_stop: Callable[[], bool]
    code: Code | None
    """Of the trainer's program, now; None for an installed trainer."""
    code_changed: str | None
    """Why it may be another one than the study's; None if it must not be."""
    describe_memory: Callable[[int], str]
    """Returns one line about the memory that so many workers need; empty if it is unknown."""
