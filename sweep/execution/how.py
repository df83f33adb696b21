"""Define the options of a run that do not change the study: workers, devices, pool, observer, stop."""

import dataclasses
from collections.abc import Callable

from sweep.execution.events import Observer
from sweep.execution.pools.pools import DEFAULT_POOL


def ignore(event: object) -> None:
    """Ignore an event."""


def never() -> bool:
    """Return False: a run continues to its end."""
    return False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """The caller's options for a run."""

    workers: int | None = None
    """Number of trials in training at a time; None means as many as fit into the pool."""
    device: str = "auto"
    """``auto``, ``cpu``, ``cuda`` or ``cuda:N``."""
    engine: str | None = None
    """The engine; None means the device's default."""
    pool: str = DEFAULT_POOL
    """The pool that runs segments: a name of ``POOLS``, or ``ray://HOST:PORT``."""
    observe: Observer = ignore
    """Called with each event, after the event is on disk."""
    should_stop: Callable[[], bool] = never
    """Called several times a second; True stops the run at once, with running trials stored."""
    code_changed: str | None = None
    """The user's reason for a change of the study's program; None if the program must not have changed."""
