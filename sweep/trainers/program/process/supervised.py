"""Start a command under its own supervisor, and end it with all its descendants.

The supervisor (``supervisor.py``) ends the command if this process dies. If the supervisor itself is killed,
the kernel kills the command (on Linux), and this process kills the command's group and every process with the
command's mark in its environment.
"""

import contextlib
import errno
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sweep.errors import MachineError, NotFoundError
from sweep.trainers.program.process import supervisor

MARK = "SWEEP_SUPERVISED"
"""Variable with a value unique to the command, which its descendants inherit."""

_PATIENCE_S = supervisor.SETTLE_S + supervisor.GIVE_UP_S + 5
"""Seconds after the grace period at which a supervisor counts as hanging and is killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a command ended.

    If code and signal are both None, the supervisor was killed and the command's end is unknown.
    """

    code: int | None
    """Exit status; None if a signal ended the command."""
    signal: int | None
    """The signal that ended the command."""
    left: int = 0
    """Number of descendants that had to be ended after the command exited by itself; 0 after ``stop``."""
    alive: int = 0
    """Number of processes that KILL did not end within 10 s, such as those of another user."""
    peak_bytes: int | None = None
    """Largest resident memory of one process among the command and its descendants, in bytes; at least 9 MB,
    because the command begins as a copy of the supervisor."""

    @property
    def was_killed(self) -> bool:
        """Whether KILL ended the command or its supervisor, so the cause was outside the program."""
        return self.code is None and self.signal in (None, signal.SIGKILL)


class Supervised:
    """A command that runs under a supervisor, in its own session.

    One thread may stop it while another waits for its end.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        grace: float,
        stdin: int | None = None,
        stdout: int,
        stderr: int,
        pass_fds: Sequence[int] = (),
        held: Sequence[int] = (),
    ) -> None:
        """Start the command and wait until it runs.

        Args:
            argv: The command and its arguments, without a shell; a bare name is looked up in ``env``'s PATH.
            cwd: The working folder.
            env: The complete environment; ``MARK`` is added.
            grace: Seconds between TERM and KILL.
            stdin: Descriptor, or None for ``/dev/null``.
            stdout: Descriptor.
            stderr: Descriptor.
            pass_fds: Further descriptors that the command inherits, with the same numbers.
            held: Descriptors, such as of a lock, that only the supervisor inherits and holds until the end.

        Raises:
            NotFoundError: If the command or the folder does not exist, or cannot be executed or entered.
            MachineError: If the machine cannot start the command.
        """
        self._mark = secrets.token_hex(16)
        self._grace_s = grace
        self._exit: Exit | None = None
        self._lines = b""
        self._lock = threading.Lock()
        head = (str(grace), str(-1 if stdin is None else stdin), ",".join(map(str, pass_fds)), os.fspath(cwd))
        request = _request(head, argv, {**env, MARK: self._mark})
        self._supervisor, self._status = _start_supervisor((stdin, stdout, stderr), pass_fds, held)
        self.pid = self._begin(request, argv[0], cwd, env)
        """Process id of the command, which is also its group and session."""

    def __enter__(self) -> Self:
        """Return this object; leaving the context stops the command."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the command, unless it has ended."""
        self.stop()

    def exit(self) -> Exit | None:
        """Return how the command ended, or None if it or a descendant still runs, without waiting."""
        return self.wait(0)

    def wait(self, timeout: float) -> Exit | None:
        """Return how the command ended, or None if that takes longer than ``timeout`` seconds."""
        with self._lock:
            if self._exit is None and (line := self._line(timeout)) is not None:
                self._exit = self._ended(line)
            return self._exit

    def stop(self) -> Exit:
        """Send TERM to the group, and after the grace KILL to all that remain; wait until all have ended."""
        if self._exit is None:
            self._close_control()
            self.wait(self._grace_s + _PATIENCE_S)
        with self._lock:
            if self._exit is None:
                self._exit = self._ended("")
            return self._exit

    def _begin(self, request: bytes, command: str, cwd: Path, env: Mapping[str, str]) -> int:
        """Send the request to the supervisor and return the pid of the command, or raise its error."""
        assert self._supervisor.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # the missing answer below leads to the same error
            self._supervisor.stdin.write(request)
            self._supervisor.stdin.flush()
        line = self._line(None) or ""
        what, *numbers = line.split()
        if what == "started":
            return int(numbers[0])
        self._close()
        if what == "failed":
            raise _failure(numbers[0], int(numbers[1]), command, cwd, env)
        raise MachineError(f"{command} was not started: its supervisor ended at once")

    def _line(self, timeout: float | None) -> str | None:
        """Return the supervisor's next line; "" if it has died, None after ``timeout`` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while b"\n" not in self._lines:
            remaining_ms = None if end is None else max(0, (end - time.monotonic()) * 1000)
            poll = select.poll()
            poll.register(self._status, select.POLLIN)
            if not poll.poll(remaining_ms):
                return None
            more = os.read(self._status, 4096)
            if not more:
                return ""
            self._lines += more
        line, _, self._lines = self._lines.partition(b"\n")
        return line.decode()

    def _ended(self, line: str) -> Exit:
        """Parse the supervisor's last line; without one, kill the remaining processes."""
        if not line:
            self._supervisor.kill()
            _kill_marked(self.pid, self._mark)
            self._close()
            return Exit(code=None, signal=None)
        status, left, alive, peak_bytes = map(int, line.split()[1:])
        self._close()
        code = os.waitstatus_to_exitcode(status) if status >= 0 else -signal.SIGKILL
        return Exit(
            code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            left=left,
            alive=alive,
            peak_bytes=peak_bytes or None,
        )

    def _close_control(self) -> None:
        """Close the control pipe, so that the supervisor ends the command."""
        assert self._supervisor.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._supervisor.stdin.close()

    def _close(self) -> None:
        self._close_control()
        os.close(self._status)
        self._supervisor.wait()


def _request(head: Sequence[str], argv: Sequence[str], env: Mapping[str, str]) -> bytes:
    """Return the message that ``supervisor.read_request`` reads."""
    fields = [*head, str(len(argv)), *argv, *(f"{name}={value}" for name, value in env.items())]
    if any("\0" in field for field in fields):
        raise NotFoundError(f"{argv[0]!r} cannot be started: an argument or variable has a NUL character")
    body = b"\0".join(map(os.fsencode, fields))
    return b"%010d" % len(body) + body


def _start_supervisor(
    streams: tuple[int | None, int, int], pass_fds: Sequence[int], held: Sequence[int]
) -> tuple[subprocess.Popen[bytes], int]:
    """Start ``supervisor.py`` with the control pipe as its standard input.

    Args:
        streams: Standard input, output and error of the command.
        pass_fds: Further descriptors for the command.
        held: Descriptors for the supervisor only.

    Returns:
        The process, and the descriptor of its status lines.
    """
    stdin, stdout, stderr = streams
    given = [*pass_fds] if stdin is None else [*pass_fds, stdin]
    status, write_end = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603  sweep's own file
            [sys.executable, "-I", "-S", supervisor.__file__, *map(str, (write_end, *held))],
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
            pass_fds=sorted({write_end, *given, *held}),
            start_new_session=True,
        )
    except OSError as error:
        os.close(status)
        raise MachineError(f"no process can be started: {error.strerror}") from None
    finally:
        os.close(write_end)
    return process, status


def _failure(stage: str, number: int, command: str, cwd: Path, env: Mapping[str, str]) -> Exception:
    """Return the error for a command that could not be started."""
    reason = os.strerror(number)
    if stage == "cwd":
        return NotFoundError(f"{command!r} cannot start in {cwd}: {reason}", key="no-folder")
    if stage != "exec" or number not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ENOEXEC):
        return MachineError(f"{command!r} cannot be started: {reason}")
    path = env.get("PATH", os.defpath)
    found = cwd / command if "/" in command else shutil.which(command, os.F_OK, path)
    if found is None:
        return NotFoundError(f"command {command!r} not found; searched {path}", key="no-command")
    if not os.path.exists(found):
        return NotFoundError(f"command {command!r} not found in {cwd}", key="no-command")
    hint = {
        errno.ENOEXEC: "it is not a program; name its interpreter first, or begin the file with a #! line",
        errno.EACCES: "it is not executable; chmod +x it, or name its interpreter first",
    }
    advice = hint.get(number, "the interpreter in its #! line does not exist")
    return NotFoundError(f"{found} cannot be executed: {advice}", key="not-executable")


def _kill_marked(group: int, mark: str) -> None:
    """Kill a command's group and all processes with its mark, until none is found."""
    end = time.monotonic() + supervisor.GIVE_UP_S
    while time.monotonic() < end:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
        marked = _marked(f"{MARK}={mark}".encode())
        if not marked:
            return
        for pid in marked:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _marked(entry: bytes) -> list[int]:
    """Return the living processes whose initial environment contains an entry."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # the process has ended, or belongs to another user
            if entry in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found
