"""Start and end a host process, and hold the worker's end of its channel."""

import contextlib
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from sweep.trainers.function.given.parcel import readable
from sweep.trainers.function.launch import module_argv
from sweep.trainers.function.target import Target
from sweep.trainers.function.wire import Wire
from sweep.trainers.program.process.supervised import Exit, Supervised

_ANSWER_S = 5.0
"""Seconds within which an idle host must answer."""

_TOLD_S = 1.0
"""Seconds within which a host that waits at a rung must acknowledge the request to end."""


class HostProcess:
    """A process that runs a function's trials."""

    def __init__(self, target: Target, env: Mapping[str, str], grace: float) -> None:
        """Start the process.

        Args:
            target: The function.
            env: The environment of the process.
            grace: Seconds between SIGTERM and SIGKILL.

        Raises:
            NotFoundError: If the working folder does not exist.
            MachineError: If the process cannot be started.
        """
        self.first_memory: int | None = None
        """Memory in use after the first trial, in bytes."""
        ours, theirs = socket.socketpair()
        try:
            with contextlib.ExitStack() as stack:
                parcel = [stack.enter_context(readable(target.parcel))] if target.parcel else []
                given = [theirs.fileno(), *parcel]
                arguments = (target.text, str(target.folder), str(target.cwd), *map(str, parcel))
                argv = module_argv("sweep.trainers.function.host", str(theirs.fileno()), *arguments)
                self._process = _start(argv, cwd=target.cwd, env=env, grace=grace, pass_fds=given)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self.wire = Wire(ours)

    def exit(self) -> Exit | None:
        """Return how the process ended, or None if it runs, without waiting."""
        return self._process.exit()

    def wait(self, timeout: float) -> Exit | None:
        """Return how the process ended, or None if it still runs after ``timeout`` seconds."""
        return self._process.wait(timeout)

    def is_ready(self) -> bool:
        """Return whether the idle process answers, and so has not been killed."""
        try:
            self.wire.send({"ready": None})
            return self.wire.receive(_ANSWER_S) == {"ready": None}
        except (OSError, EOFError, ValueError):
            return False

    def tell(self, end: str) -> None:
        """Send the end of a trial to a host that waits at a rung, and wait for its acknowledgement."""
        with contextlib.suppress(OSError, EOFError, ValueError):
            self.wire.send({"stop": end})
            self.wire.receive(_TOLD_S)

    def stop(self) -> Exit:
        """End the process and its descendants: SIGTERM, grace, SIGKILL; another thread may be reading."""
        return self._process.stop()

    def close(self) -> None:
        """Close the channel of a process that has ended."""
        self.wire.close()


def describe_exit(ended: Exit) -> str:
    """Return how a process ended, to follow the words "the process".

    Examples:
        >>> describe_exit(Exit(code=3, signal=None))
        'ended with exit code 3'
    """
    if ended.signal is not None:
        name = signal.Signals(ended.signal).name if ended.signal in signal.valid_signals() else ended.signal
        return f"was ended by {name}" + (" (out of memory?)" if ended.signal == signal.SIGKILL else "")
    return "lost its supervisor" if ended.code is None else f"ended with exit code {ended.code}"


def _start(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], grace: float, pass_fds: Sequence[int]
) -> Supervised:
    """Start a process under its supervisor, with no input and no output."""
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        return Supervised(argv, cwd=cwd, env=env, grace=grace, stdout=null, stderr=null, pass_fds=pass_fds)
    finally:
        os.close(null)
