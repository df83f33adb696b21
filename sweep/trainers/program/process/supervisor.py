"""Run one command in its own session, and end all its descendants.

``supervised.Supervised`` starts this file as ``python -I -S supervisor.py STATUS_FD [HELD_FD ...]``. It
imports little of the standard library, because each trial waits for it. It keeps the HELD_FDs open until it
exits.

Standard input is the control pipe. The worker writes the request to it (see ``read_request``); when the pipe
closes, because the worker wants the command to stop or has died, the supervisor stops the command. SIGTERM,
SIGINT and SIGHUP have the same effect. To stop the command, the supervisor sends TERM to the command's group,
TERM to the remaining processes once the command has ended, and KILL to all after the grace. On Linux the
supervisor is the subreaper of all descendants, so that none escapes by a new session. Elsewhere it ends only
the command's process group.

The supervisor writes two lines to STATUS_FD: ``started PID`` or ``failed STAGE ERRNO``, and at the end ``exit
STATUS LEFT ALIVE PEAK_BYTES``.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterable

IS_LINUX = sys.platform.startswith("linux")
SETTLE_S = 0.5
"""Seconds after the command's end at which a running process counts as left; helper processes end sooner."""
GIVE_UP_S = 10.0
"""Seconds after which KILL has failed: the process hangs in the kernel, or belongs to another user."""
STOPPING = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


class Request:
    """The command to run: argv, environment, folder, descriptors, and the grace in seconds."""

    def __init__(self, fields: list[bytes]) -> None:
        """Initialize from the fields of the message, in order."""
        grace, stdin, passed, self.cwd, n_arguments, *rest = fields
        self.grace_s = float(grace)
        self.stdin = int(stdin)
        """Descriptor; -1 means /dev/null."""
        self.passed = [int(fd) for fd in passed.split(b",") if fd]
        self.argv = rest[: int(n_arguments)]
        self.environment = dict(entry.split(b"=", 1) for entry in rest[int(n_arguments) :])


def read_request() -> Request | None:
    """Read the request from standard input: a length in 10 digits, then fields separated by NUL.

    Returns:
        The request, or None if the worker died before it was complete.
    """
    header = _read(10)
    body = _read(int(header)) if len(header) == 10 else b""
    return Request(body.split(b"\0")) if body and len(body) == int(header) else None


def _read(n: int) -> bytes:
    parts = []
    while n and (part := os.read(0, n)):
        parts.append(part)
        n -= len(part)
    return b"".join(parts)


def start(request: Request, libc: ctypes.CDLL | None) -> tuple[int, bytes]:
    """Start the command; return its pid, and the stage and error of a failure, empty if it runs."""
    failures, write_end = os.pipe()
    supervisor = os.getpid()
    pid = os.fork()
    if not pid:
        stage = b"start"
        try:
            _become_child(request, libc, supervisor)
            stage = b"cwd"
            os.chdir(request.cwd)
            stage = b"exec"
            os.execvpe(request.argv[0], request.argv, request.environment)  # noqa: S606  the requested command
        except OSError as error:
            os.write(write_end, b"%s %d" % (stage, error.errno or 0))
        finally:
            os._exit(127)
    os.close(write_end)
    failure = os.read(failures, 64)  # empty as soon as the command runs, because exec closes the other end
    os.close(failures)
    return pid, failure


def _become_child(request: Request, libc: ctypes.CDLL | None, supervisor: int) -> None:
    """Set the command's session, signals and standard input; the kernel kills it if the supervisor dies."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (*STOPPING, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    if libc is not None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != supervisor:
            os._exit(127)
    os.dup2(request.stdin if request.stdin >= 0 else os.open(os.devnull, os.O_RDONLY), 0)
    if request.stdin > 2 and request.stdin not in request.passed:
        os.close(request.stdin)


class Family:
    """The command and its descendants."""

    def __init__(self, command: int) -> None:
        """Initialize with the command's pid, which is also its group and session."""
        self.command = command
        self.status: int | None = None
        """The command's wait status; None while it runs."""
        self.peak_bytes = 0
        """Peak memory of the largest process that has ended, in bytes."""
        self._asked: set[int] = set()

    def reap(self) -> bool:
        """Wait for each child that has ended, adopted ones included; return whether any child remains."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if not pid:
                return True
            unit = 1 if sys.platform == "darwin" else 1024
            self.peak_bytes = max(self.peak_bytes, usage.ru_maxrss * unit)
            if pid == self.command:
                self.status = status

    def living(self) -> list[int]:
        """Return the pids of all processes not yet reaped; without ``/proc``, the negative group id."""
        has_children = self.reap()
        if IS_LINUX and os.path.exists("/proc/self/stat"):
            return _descendants(os.getpid()) if has_children else []  # all descendants are below children
        return [-self.command] if self.status is None or _signal(-self.command, 0) else []

    def ask_to_end(self) -> None:
        """Send TERM to each process once: first to the group, after the command's end to all others."""
        if self.status is not None:
            self._ask(pid for pid in self.living() if pid not in self._asked)
        elif -self.command not in self._asked:
            self._asked |= {pid for pid in self.living() if _is_in_group(pid, self.command)}
            self._ask([-self.command])

    def _ask(self, pids: Iterable[int]) -> None:
        for pid in pids:
            self._asked.add(pid)
            _signal(pid, signal.SIGTERM)
            _signal(pid, signal.SIGCONT)  # a stopped process would not handle the signal

    def kill(self) -> None:
        """Send KILL to all."""
        _signal(-self.command, signal.SIGKILL)
        for pid in self.living():
            _signal(pid, signal.SIGKILL)


def _descendants(ancestor: int) -> list[int]:
    """Return the pids of a process's descendants, from ``/proc``."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue  # the process has ended meanwhile
            children.setdefault(parent, []).append(int(name))
    found, new = [], [ancestor]
    while new:
        new = [child for pid in new for child in children.get(pid, ())]
        found += new
    return found


def _is_in_group(pid: int, group: int) -> bool:
    try:
        return pid > 0 and os.getpgid(pid) == group
    except OSError:
        return False  # the process has ended


def _signal(pid: int, number: int) -> bool:
    """Send a signal to a process, or to a group if negative; return whether it exists."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # belongs to another user
    return True


class Waiting:
    """Waits until a child ends or the control pipe closes."""

    def __init__(self) -> None:
        """Redirect signals to a pipe."""
        self.must_stop = False
        """Whether to stop the command."""
        self._wake, wake_end = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake_end, False)
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
        for number in (*STOPPING, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def wait(self, timeout_s: float | None) -> None:
        """Return after a signal, the control pipe's end, or the timeout in seconds."""
        sources = [self._wake] if self.must_stop else [self._wake, 0]
        ready = select.select(sources, [], [], timeout_s)[0]
        if 0 in ready and not os.read(0, 4096):
            self.must_stop = True
        if self._wake in ready and not STOPPING.isdisjoint(os.read(self._wake, 4096)):
            self.must_stop = True


def watch(family: Family, waiting: Waiting, grace_s: float) -> tuple[int, int]:
    """Wait until the command ends or must stop, then end all remaining processes.

    Returns:
        The number of processes that outlived a command that exited by itself, and that survived KILL.
    """
    while family.status is None and not waiting.must_stop:
        waiting.wait(None)
        family.reap()
    left = 0
    if family.status is not None:
        _until_none(family, waiting, SETTLE_S)
        left = len(family.living())
    _until_none(family, waiting, grace_s, family.ask_to_end)
    _until_none(family, waiting, GIVE_UP_S, family.kill)
    return left, len(family.living())


def _until_none(
    family: Family, waiting: Waiting, timeout_s: float, act: Callable[[], None] | None = None
) -> None:
    """Repeat an action until no process remains, or until the timeout in seconds."""
    end = time.monotonic() + timeout_s
    pause_s = 0.002
    while family.living():
        if act is not None:
            act()
        remaining_s = end - time.monotonic()
        if remaining_s <= 0:
            return
        waiting.wait(min(pause_s, remaining_s))
        pause_s = min(2 * pause_s, 0.1)


def main() -> None:
    """Serve one request."""
    status, *held = map(int, sys.argv[1:])
    for fd in (status, *held):
        os.set_inheritable(fd, False)
    waiting = Waiting()
    libc = ctypes.CDLL(None) if IS_LINUX else None
    if libc is not None:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    request = read_request()
    if request is None:
        return
    pid, failure = start(request, libc)
    if failure:
        _report(status, f"failed {failure.decode()}\n")
        return
    _release(request)
    family = Family(pid)
    _report(status, f"started {pid}\n")
    left, alive = watch(family, waiting, request.grace_s)
    _report(
        status, f"exit {-1 if family.status is None else family.status} {left} {alive} {family.peak_bytes}\n"
    )


def _release(request: Request) -> None:
    """Close this process's copies of the command's descriptors, so that readers see the command's close."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    for fd in {*request.passed, request.stdin} - {-1, 0, 1, 2}:
        os.close(fd)


def _report(status: int, line: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # the worker has died
        os.write(status, line.encode())


if __name__ == "__main__":
    main()
    os._exit(0)  # skips the interpreter's shutdown, for which the worker would wait
