"""What a driver and a worker process on this machine tell each other."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sweep.execution.pools.pool import Reported
from sweep.task import Segment


class Ready(NamedTuple):
    """The process is prepared and will train what it is sent."""


class CannotStart(NamedTuple):
    """The process cannot be prepared, or cannot read what it is sent."""

    fault: str


class Answer(NamedTuple):
    """A job has ended, with a segment or a fault."""

    ticket: int
    segment: Segment | None
    fault: str | None
    has_died: bool = False
    """Whether ``fault`` says what was killed from outside."""


class Began(NamedTuple):
    """The process has begun a job; until then it was ending another one's program."""

    ticket: int


class Progress(NamedTuple):
    """The program of a job has reported a value; the job goes on."""

    ticket: int
    reported: Reported


class Ended(NamedTuple):
    """The process has ended, or what it sent cannot be read."""


class Drop(NamedTuple):
    """Nobody waits for this job any more."""

    ticket: int


class Leave(NamedTuple):
    """A trial has ended: its program, if it is alive, is to end."""

    number: int


class Stop(NamedTuple):
    """Every program is to end, and then the process."""


class Call(NamedTuple):
    """A function is to be called beside what the process has loaded; it has no job."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


class Returned(NamedTuple):
    """A call has ended."""

    value: Any
    is_done: bool = True
    """Whether the function returned; if it raised, the driver calls it and has the error."""


Message = Ready | CannotStart | Began | Answer | Progress | Returned | Ended
"""What comes from a process."""
