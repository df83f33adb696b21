"""Handle Ctrl-C, SIGTERM and SIGHUP during a run.

The first signal is recorded; at its next check, the driver stores everything and stops. A further signal ends
the process at once, which loses no stored result. A signal right after the first one is ignored, because it
is the same request: ``timeout`` signals the process and then its group, and a batch system signals each
process of a job. It may arrive after the run has stopped, while the last lines are printed, so the handlers
stay once a signal came.

A signal that the process was started to ignore stays ignored: SIGHUP under ``nohup``, SIGINT in a background
job of a script.
"""

import os
import signal
import time
from collections.abc import Callable
from types import FrameType
from typing import Self

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

_SAME_WISH_S = 0.5
"""Seconds after the first signal within which another one says nothing new."""


class StopSignal:
    """Remembers a signal while it is entered; ``bool()`` says whether one came."""

    def __init__(self, before_exit: Callable[[], None] = lambda: None) -> None:
        """Take what must be done, in a signal handler, before the process ends at once."""
        self._before_exit = before_exit
        self.number: int | None = None
        self._since = 0.0

    def __bool__(self) -> bool:
        return self.number is not None

    @property
    def exit_status(self) -> int:
        """128 and the signal's number, as a shell reports it; 0 where none came."""
        return 0 if self.number is None else 128 + self.number

    def __enter__(self) -> Self:
        heeded = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._remember) for number in heeded}
        return self

    def __exit__(self, *_: object) -> None:
        if self._has_come:
            return  # the same wish, sent again, must not end the process before it has said how to go on
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def _has_come(self) -> bool:
        return self._since > 0

    def leave(self, number: int) -> None:
        """Let the run end as if a signal had come."""
        self.number = self.number or number

    def _remember(self, number: int, _: FrameType | None) -> None:
        if self.number is None:
            self.number, self._since = number, time.monotonic()
        elif time.monotonic() - self._since > _SAME_WISH_S:
            self._before_exit()
            os._exit(128 + number)
