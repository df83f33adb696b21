"""Starts of ``sweep``, its workers and scripts without the seconds in which an interpreter loads libraries.

While this is installed, ``subprocess.Popen`` has such processes forked from one that has loaded everything
(``warm_server``), one for all test processes. They are processes as any other: with their own session,
folder, environment and descriptors; they read, write, die and are killed in the same way. Three things
differ: their parent is the server, ``/proc`` shows the server's command line, and no import is run again.
So a test of the start itself, or of what is loaded, starts a ``cold`` process.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]

_ADDRESS, _LIKE, _PATH = "SWEEP_TESTS_WARM", "SWEEP_TESTS_WARM_LIKE", "SWEEP_TESTS_WARM_PATH"
"""Variables that hold the server's socket, what must be here as it was at its start, and PYTHONPATH then."""

_READ_AT_START = ("PYTHON", "LC_", "LANG", "NUMBA_", "OMP_", "MKL_", "LD_", "TORCH_", "MALLOC_")
"""Beginnings of variables that an interpreter or a library reads when it starts."""

_STATUS_AT_START = ("CapEff", "CapBnd", "Umask")
"""The same of lines of ``/proc/PID/status``; the product reads the umask when it is imported."""

_WORKER = "from sweep.execution.pools.worker import main"
_MODULES = ("sweep", "tests.support.toy_driver")
_NAMED = "warm of "
"""What a forked process is called in ``/proc/PID/comm``, before the number of the process that started it."""

LAUNCHED = (
    f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); from tests.faults.launcher import main; main()"
)
"""What a process of ``launcher`` runs."""

_Popen = subprocess.Popen


def start_server() -> "subprocess.Popen[str]":
    """Start the server of this run of the tests, which ends with this process; return once it answers."""
    address = os.path.join(tempfile.mkdtemp(prefix="sweep-warm-"), "socket")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OPENBLAS_NUM_THREADS": "1"}
    server = _Popen(
        [sys.executable, str(Path(__file__).with_name("warm_server.py")), address],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    os.environ |= {
        _ADDRESS: address,
        _LIKE: _surroundings(environment),
        _PATH: os.environ.get("PYTHONPATH", ""),
    }
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n", "the server of warm processes has ended"
    server.stdout.close()
    server.stdout = None
    return server


def stop(server: "subprocess.Popen[str]") -> None:
    """End the server, and wait for its end."""
    server.communicate()  # the end of its stdin
    shutil.rmtree(os.path.dirname(os.environ.pop(_ADDRESS)))


def install() -> None:
    """Let this process start others warm, if there is a server."""
    if _ADDRESS in os.environ:
        subprocess.Popen = Popen  # type: ignore[misc]


def is_there() -> bool:
    """Return whether there is a server."""
    return _ADDRESS in os.environ


@contextlib.contextmanager
def cold() -> Iterator[None]:
    """Start interpreters as they are; those that they start too."""
    with _without(_ADDRESS):
        yield


def started_by(pid: int) -> list[int]:
    """Return the warm processes that a process has started and that have not ended."""
    found = []
    for comm in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if comm.read_text().strip() == f"{_NAMED}{pid}":
                found.append(int(comm.parent.name))
    return found


class Popen(_Popen):  # type: ignore[type-arg]
    """Starts commands, workers and scripts from stdin warm, and all else as it is."""

    _answers: socket.socket | None = None

    def _execute_child(self, args: Any, executable: Any, preexec_fn: Any, *more: Any) -> None:
        (
            close_fds, pass_fds, cwd, env, _startupinfo, _creationflags, shell,
            *pipes, restore_signals, gid, gids, uid, umask, start_new_session, process_group,
        ) = more  # fmt: skip
        environment = dict(os.environ if env is None else env)
        plain = (executable, preexec_fn, gid, gids, uid) == (None,) * 5 and not shell and close_fds
        plain = plain and restore_signals and umask == -1 and process_group == -1
        if not plain or not _is_ours(args, environment):
            super()._execute_child(args, executable, preexec_fn, *more)
            return
        numbers = {
            place: own if own != -1 else place for place, own in enumerate((pipes[0], pipes[3], pipes[5]))
        }
        numbers |= {number: number for number in pass_fds}
        self._ask(_program(args), numbers, cwd, environment, start_new_session)
        self._child_created = True
        self._close_pipe_fds(*pipes)

    def _ask(
        self, arguments: Any, numbers: dict[int, int], cwd: Any, environment: dict[str, str], session: bool
    ) -> None:
        """Have a process forked, with our descriptors under the given numbers."""
        request = {
            "arguments": [os.fspath(argument) for argument in arguments],
            "folder": os.path.abspath(cwd or "."),
            "environment": environment,
            "session": session,
            "ignored": _ignored(),
            "descriptors": list(numbers),
            "name": f"{_NAMED}{os.getpid()}",
        }
        self._answers = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._answers.connect(os.environ[_ADDRESS])
        socket.send_fds(self._answers, [json.dumps(request).encode()], list(numbers.values()))
        self.pid = int(self._answers.recv(64))

    def _internal_poll(self, *more: Any, **options: Any) -> int | None:
        if self._answers is None:
            return super()._internal_poll(*more, **options)
        if self.returncode is None:
            self._try_wait(os.WNOHANG)
        return self.returncode

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._answers is None:
            return super()._try_wait(wait_flags)
        if wait_flags & os.WNOHANG and not select.select([self._answers], [], [], 0)[0]:
            return 0, 0
        status = int(self._answers.recv(64) or b"9")  # killed, if the server is gone
        self._answers.close()
        self._handle_exitstatus(status)
        return self.pid, status


def _is_ours(args: Any, environment: Mapping[str, str]) -> bool:
    """Return whether the server can be what is to be started."""
    if _ADDRESS not in environment or _ADDRESS not in os.environ or not isinstance(args, list | tuple):
        return False
    if len(args) < 2 or args[0] != sys.executable:
        return False
    kind, what = (*_program(args), "")[:2]
    is_code = kind == "-c" and (_WORKER in what or what == LAUNCHED)
    is_module = kind == "-m" and what in _MODULES
    return (is_code or is_module or kind == "-") and _surroundings(environment) == os.environ[_LIKE]


def _program(args: Any) -> Any:
    """Return what an interpreter is to run, without the option that leaves its output unbuffered."""
    return args[2:] if args[1] == "-u" else args[1:]


def _surroundings(environment: Mapping[str, str]) -> str:
    """Return what a process takes over at its start and cannot change later."""
    read = {name: value for name, value in environment.items() if name.startswith(_READ_AT_START)}
    if read.get("PYTHONPATH", "") in ("", str(REPOSITORY), os.environ.get(_PATH)):
        read.pop("PYTHONPATH", None)  # the product that is found is the same
    read.pop("PYTHONBREAKPOINT", None)  # Ray sets it in every process that joins a cluster
    read |= {line: "" for line in _status() if line.startswith(_STATUS_AT_START)}
    return json.dumps(read, sort_keys=True)


def _ignored() -> list[int]:
    """Return the signals that this process ignores, and so does what it starts."""
    mask = next((int(line.split()[1], 16) for line in _status() if line.startswith("SigIgn")), 0)
    return [number for number in signal.valid_signals() if mask >> (number - 1) & 1]


def _status() -> list[str]:
    with contextlib.suppress(OSError):
        return Path("/proc/thread-self/status").read_text().splitlines()
    return []


@contextlib.contextmanager
def _without(name: str) -> Iterator[None]:
    value = os.environ.pop(name, None)
    try:
        yield
    finally:
        if value is not None:
            os.environ[name] = value
