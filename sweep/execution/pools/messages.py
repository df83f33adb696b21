"""Define the messages between a driver and a worker process on this machine."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sweep.execution.pools.pool import Reported
from sweep.task import Segment


class Ready(NamedTuple):
    """The process is prepared to train jobs."""


class CannotStart(NamedTuple):
    """The process cannot be prepared, or cannot read a message."""

    fault: str


class Answer(NamedTuple):
    """A job has ended, with a segment or a fault."""

    ticket: int
    segment: Segment | None
    fault: str | None
    has_died: bool = False
    """Whether ``fault`` is a kill from outside."""


class Began(NamedTuple):
    """The process has begun a job; until then it was ending another job's program."""

    ticket: int


class Progress(NamedTuple):
    """The program of a job has reported a value; the job continues."""

    ticket: int
    reported: Reported


class Ended(NamedTuple):
    """The process has ended, or sent an unreadable message."""


class Drop(NamedTuple):
    """The driver no longer waits for this job."""

    ticket: int


class Leave(NamedTuple):
    """A trial has ended; end its program if it is running."""

    number: int


class Stop(NamedTuple):
    """End every program, and then the process."""


class Call(NamedTuple):
    """Call a function in the process, without a job."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


class Returned(NamedTuple):
    """A call has ended."""

    value: Any
    is_done: bool = True
    """Whether the function returned; if it raised, the driver calls it itself and gets the error."""


Message = Ready | CannotStart | Began | Answer | Progress | Returned | Ended
"""Messages from a worker process."""
