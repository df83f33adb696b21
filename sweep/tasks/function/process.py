"""A host's process and the worker's end of its channel."""

import contextlib
import os
import signal
import socket
from collections.abc import Mapping

from sweep.tasks.function.launch import module_argv
from sweep.tasks.function.target import Target
from sweep.tasks.function.wire import Wire
from sweep.tasks.program.supervised import Exit, Supervised

_TOLD_S = 1.0
"""Within which a host that waits at a rung answers that it was told to end."""


class HostProcess:
    """A process that runs a function's trials."""

    def __init__(self, target: Target, env: Mapping[str, str], grace: float) -> None:
        """Start it.

        Args:
            target: The function.
            env: Its environment.
            grace: Seconds between SIGTERM and SIGKILL when it is to end.

        Raises:
            NotFoundError: If its working folder does not exist.
            MachineError: If the system refuses.
        """
        self.first_memory: int | None = None
        """Bytes that it held after its first trial."""
        ours, theirs = socket.socketpair()
        arguments = (str(theirs.fileno()), target.text, str(target.folder), str(target.cwd))
        argv = module_argv("sweep.tasks.function.host", *arguments)
        try:
            with open(os.devnull, "w", encoding="ascii") as null:
                self._process = Supervised(
                    argv,
                    cwd=target.cwd,
                    env=env,
                    grace=grace,
                    stdout=null.fileno(),
                    stderr=null.fileno(),
                    pass_fds=[theirs.fileno()],
                )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self.wire = Wire(ours)

    def exit(self) -> Exit | None:
        """Return how it ended, None while it runs; does not wait."""
        return self._process.exit()

    def wait(self, timeout: float) -> Exit | None:
        """Return how it ended, None if it still runs after ``timeout`` seconds."""
        return self._process.wait(timeout)

    def tell(self, end: str) -> None:
        """Tell a host that waits at a rung how its trial ends, and wait until it has heard."""
        with contextlib.suppress(OSError, EOFError, ValueError):
            self.wire.send({"stop": end})
            self.wire.receive(_TOLD_S)

    def stop(self) -> Exit:
        """End it and all below it: SIGTERM, the grace, SIGKILL; another thread may read from it meanwhile."""
        return self._process.stop()

    def close(self) -> None:
        """Close the channel of a process that has ended."""
        self.wire.close()


def describe(ended: Exit) -> str:
    """Return how a process ended as words that follow "the process"."""
    if ended.code is not None:
        return f"ended with exit code {ended.code}"
    if ended.signal is None:
        return "was ended together with its supervisor"
    name = signal.Signals(ended.signal).name if ended.signal in signal.valid_signals() else str(ended.signal)
    hint = " (out of memory?)" if ended.signal == signal.SIGKILL else ""
    return f"was ended by {name}{hint}"
