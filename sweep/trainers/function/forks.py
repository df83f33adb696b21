"""Remove the host's channel and signal handler from processes that the user's code forks."""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Any

from sweep.client import Reporter, connect

_TERM = frozenset({signal.SIGTERM})


def make_ordinary(handler: Callable[..., Any], close_channel: Callable[[], None]) -> None:
    """Register hooks that detach forked children from the host.

    A pool may end its children by SIGTERM right after the fork, when Python would lose the signal. So the
    signal is blocked from before the fork until the child has the system's default handler.

    Args:
        handler: This process's handler of SIGTERM; a handler that the user installed instead is kept.
        close_channel: Closes the child's copy of the channel.
    """
    before = threading.local()

    def block() -> None:
        before.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _TERM)

    def unblock() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, before.mask)

    def leave() -> None:
        close_channel()
        connect(Reporter(_refuse))
        if signal.getsignal(signal.SIGTERM) == handler:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        unblock()

    os.register_at_fork(before=block, after_in_parent=unblock, after_in_child=leave)


def _refuse(_step: int, _values: Mapping[str, float]) -> None:
    raise RuntimeError(
        "sweep.report was called in a child process; report from the one that runs the function"
    )
