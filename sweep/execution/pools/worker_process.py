"""Start a worker process and exchange messages with it, without ever waiting for it.

A process is started with small arguments only. The workload follows on the process's own
connection, written by a thread: a pipe holds 64 KiB, and a writer whose reader has died or hangs is
blocked. A second thread reads what comes back. Which job a process is given, and what its end means,
is decided in ``local_worker``.
"""

import contextlib
import multiprocessing
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from sweep.errors import MachineError
from sweep.execution.pools.messages import CannotStart, Ended, Message
from sweep.execution.pools.pool import describe
from sweep.execution.workload import Workload

_ROOT = str(Path(__file__).parents[3])

_START = (
    "import sys; root = sys.argv.pop(1); root in sys.path or sys.path.append(root); "
    "from sweep.execution.pools.worker import main; main()"
)
"""Starts a worker; the folder that ``sweep`` is in may be that of a checkout."""

News = queue.Queue[tuple["WorkerProcess", Message]]
"""Where the messages of many processes arrive.

``SimpleQueue.get`` is not used with a timeout: until Python 3.12 it waits for ever if a signal's handler
ends after the timeout, so that a run that was told to stop would not.
"""


class WorkerProcess:
    """A process that trains, and the driver's end of its connection."""

    def __init__(self, workload: Workload, device: str, *, many: bool, news: News) -> None:
        """Start the process; it loads its libraries while the caller continues.

        Args:
            workload: What the process trains.
            device: The device that it uses.
            many: Whether the task trains many jobs at a time, or one after the other.
            news: Where to put what the process sends, and its end.

        Raises:
            MachineError: If the system refuses a process, a thread or a connection.
        """
        self._news = news
        self._leash = -1
        self._outbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        try:
            self._start(device, many)
        except (OSError, RuntimeError) as error:
            raise MachineError(f"a worker process cannot start: {describe(error)}") from error
        self.started_at = time.monotonic()
        self.send(workload)

    def send(self, message: object) -> None:
        """Send a message as soon as the process takes it; one to a dead process is lost."""
        self._outbox.put(message)

    def is_alive(self) -> bool:
        """Return whether the process runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()

    def wait(self, timeout: float) -> None:
        """Wait until the process has ended, at most ``timeout`` seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)

    def end(self) -> int | None:
        """Kill the process if it still runs, and return its exit code; a signal's is negative."""
        self.kill()
        code = self._process.wait()
        self._outbox.put(None)
        self._let_go()
        return code

    def _let_go(self) -> None:
        """Close the leash, once."""
        leash, self._leash = self._leash, -1
        if leash >= 0:
            os.close(leash)

    def _start(self, device: str, many: bool) -> None:
        """Start ``worker`` in a session of its own, so that a terminal's Ctrl-C reaches the driver alone.

        The program that runs the driver is not run again, as ``multiprocessing`` would: a script that calls
        ``sweep.run`` needs no guard.
        """
        self._connection, theirs = multiprocessing.Pipe()
        leash, self._leash = os.pipe()
        given = (theirs.fileno(), leash)
        argv = [sys.executable, "-c", _START, _ROOT, *map(str, given), device, str(int(many))]
        try:
            self._process = subprocess.Popen(  # noqa: S603  our own module
                argv, stdin=subprocess.DEVNULL, pass_fds=given, start_new_session=True
            )
        except BaseException:
            os.close(self._leash)
            raise
        finally:
            theirs.close()
            os.close(leash)
        self.send(sys.path)
        for carry in (self._write, self._read):
            threading.Thread(target=carry, daemon=True).start()

    def _write(self) -> None:
        """Write what is to be sent, until ``None`` or the end of the process, which ``_read`` reports."""
        try:
            while (message := self._outbox.get()) is not None:
                self._connection.send(message)
        except OSError:
            return
        except Exception as fault:  # noqa: BLE001  the driver prints it
            self._news.put((self, CannotStart(describe(fault))))

    def _read(self) -> None:
        """Read until the process ends. The driver must hear of any end, so also of a message's damage."""
        try:
            with contextlib.suppress(EOFError, OSError):
                while True:
                    self._news.put((self, self._connection.recv()))
        finally:
            self._news.put((self, Ended()))
