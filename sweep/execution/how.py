"""How a run is to be done: on what, and who watches and stops it. None of it changes what is asked for."""

import dataclasses
from collections.abc import Callable

from sweep.execution.events import Observer
from sweep.execution.pools.pools import DEFAULT_POOL


def ignore(event: object) -> None:
    """Watch nothing."""


def never() -> bool:
    """Return False: a run goes on to its end."""
    return False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What a caller may choose of a run."""

    workers: int | None = None
    """Trials in training at a time; None is as many as the pool has room for."""
    device: str = "auto"
    """``auto``, ``cpu``, ``cuda`` or ``cuda:N``."""
    engine: str | None = None
    """What trains; None is the device's default."""
    pool: str = DEFAULT_POOL
    """Where segments run: a name of ``POOLS``, or ``ray://HOST:PORT``."""
    observe: Observer = ignore
    """Called with each event, after what it says is on disk."""
    should_stop: Callable[[], bool] = never
    """Asked several times a second; True leaves at once, with running trials stored."""
    code_changed: str | None = None
    """Why the study's program may be another one than it was; None if it must not be."""
