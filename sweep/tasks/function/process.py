"""A host's process and the worker's end of its channel."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweep.errors import MachineError
from sweep.tasks.function.launch import module_argv
from sweep.tasks.function.target import Target
from sweep.tasks.function.wire import Wire

_ANSWER_S = 5.0
"""Within which an idle host answers."""

_TOLD_S = 1.0
"""Within which a host that waits at a rung answers that it was told to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a process ended: by itself with a code, or by a signal."""

    code: int | None
    signal: int | None

    def __str__(self) -> str:
        """Return it as words that follow "the process"."""
        if self.signal is None:
            return f"ended with exit code {self.code}"
        name = signal.Signals(self.signal).name if self.signal in signal.valid_signals() else str(self.signal)
        hint = " (out of memory?)" if self.signal == signal.SIGKILL else ""
        return f"was ended by {name}{hint}"


class HostProcess:
    """A process that runs a function's trials."""

    def __init__(self, target: Target, env: Mapping[str, str], grace: float) -> None:
        """Start it.

        Args:
            target: The function.
            env: Its environment.
            grace: Seconds between SIGTERM and SIGKILL when it is to end.

        Raises:
            MachineError: If the system refuses.
        """
        self.first_memory: int | None = None
        """Bytes that it held after its first trial."""
        ours, theirs = socket.socketpair()
        arguments = (str(theirs.fileno()), target.text, str(target.folder), str(target.cwd))
        argv = module_argv("sweep.tasks.function.host", *arguments)
        try:
            self._process = _start(argv, cwd=target.cwd, env=env, grace=grace, pass_fds=[theirs.fileno()])
        except OSError as error:
            ours.close()
            raise MachineError(
                f"a process for {target.text} cannot start in {target.cwd}: {error}"
            ) from error
        finally:
            theirs.close()
        self.wire = Wire(ours)

    def exit(self) -> Exit | None:
        """Return how it ended, None while it runs; does not wait."""
        return self._process.exit()

    def wait(self, timeout: float) -> Exit | None:
        """Return how it ended, None if it still runs after ``timeout`` seconds."""
        return self._process.wait(timeout)

    def is_ready(self) -> bool:
        """Return whether an idle process answers; it may have been killed."""
        try:
            self.wire.send({"ready": None})
            return self.wire.receive(_ANSWER_S) == {"ready": None}
        except (OSError, EOFError, ValueError):
            return False

    def tell(self, end: str) -> None:
        """Tell a host that waits at a rung how its trial ends, and wait until it has heard."""
        with contextlib.suppress(OSError, EOFError, ValueError):
            self.wire.send({"stop": end})
            self.wire.receive(_TOLD_S)

    def stop(self) -> Exit:
        """End it and all below it: SIGTERM, the grace, SIGKILL."""
        exit_ = self._process.stop()
        self.wire.close()
        return exit_


def _start(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], grace: float, pass_fds: Sequence[int]
) -> "_Started":
    """Start a process in a session of its own, with no input and no output."""
    null = subprocess.DEVNULL
    popen: subprocess.Popen[Any] = subprocess.Popen(  # noqa: S603  our own module
        list(argv),
        cwd=cwd,
        env=dict(env),
        stdin=null,
        stdout=null,
        stderr=null,
        pass_fds=list(pass_fds),
        start_new_session=True,
    )
    return _Started(popen, grace)


class _Started:
    """A process and its group."""

    def __init__(self, popen: "subprocess.Popen[Any]", grace: float) -> None:
        self._popen, self._grace = popen, grace

    def exit(self) -> Exit | None:
        return None if self._popen.poll() is None else self._ended()

    def wait(self, timeout: float) -> Exit | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout)
        return self.exit()

    def stop(self) -> Exit:
        if self._popen.poll() is None:
            self._signal(signal.SIGTERM)
            self.wait(self._grace)
        self._signal(signal.SIGKILL)
        self._popen.wait()
        return self._ended()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(
            ProcessLookupError, PermissionError
        ):  # macOS refuses where only zombies are left
            os.killpg(self._popen.pid, number)

    def _ended(self) -> Exit:
        code = self._popen.returncode
        return Exit(code=code, signal=None) if code >= 0 else Exit(code=None, signal=-code)
