"""Start a worker process and exchange messages with it, without ever waiting for it.

A process is spawned with small arguments only. The workload follows on the process's own
connection, written by a thread: a pipe holds 64 KiB, and a writer whose reader has died or hangs is
blocked. A second thread reads what comes back. Which job a process is given, and what its end means,
is decided in ``local_pool``.
"""

import contextlib
import math
import multiprocessing
import multiprocessing.connection
import os
import queue
import signal
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from sweep.errors import MachineError
from sweep.execution.pools.messages import (
    Answer,
    Began,
    CannotStart,
    Drop,
    Ended,
    Leave,
    Message,
    Progress,
    Ready,
    Stop,
)
from sweep.execution.pools.pool import DiedError, Reported, describe, train_job
from sweep.execution.workload import Workload
from sweep.task import AnyTask, JobQueue, ManyAtATime, RunsPrograms, Segment, SegmentJob, prepare_worker

REPORT_S = 0.5
"""Seconds between two reports of a program that are handed to the driver."""


News = queue.SimpleQueue[tuple["WorkerProcess", Message]]
"""Where the messages of many processes arrive."""


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
        self._outbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        try:
            self._start(device, many)
        except (OSError, RuntimeError) as error:
            raise MachineError(f"a worker process cannot start: {describe(error)}") from error
        self.started_at = time.monotonic()
        self.send(workload)

    def send(self, message: Any) -> None:
        """Send a message as soon as the process takes it; one to a dead process is lost."""
        self._outbox.put(message)

    def is_alive(self) -> bool:
        """Return whether the process runs."""
        return self._process.is_alive()

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()

    def wait(self, timeout: float) -> None:
        """Wait until the process has ended, at most ``timeout`` seconds."""
        self._process.join(timeout)

    def end(self) -> int | None:
        """Kill the process if it still runs, and return its exit code; a signal's is negative."""
        self.kill()
        self._process.join()
        self._outbox.put(None)
        return self._process.exitcode

    def _start(self, device: str, many: bool) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._connection, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_work, args=(theirs, device, many))
        with theirs, interrupts_ignored():
            self._process.start()
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


class interrupts_ignored:  # noqa: N801  reads as a statement
    """Start children that ignore Ctrl-C: the driver handles it and ends its workers."""

    def __enter__(self) -> None:
        self._in_main = threading.current_thread() is threading.main_thread()
        if self._in_main:
            self._before = signal.signal(signal.SIGINT, signal.SIG_IGN)

    def __exit__(self, *_: object) -> None:
        if self._in_main:
            signal.signal(signal.SIGINT, self._before)


# What follows runs in the worker process.


def _work(connection: Connection, device: str, many: bool) -> None:
    """Train what comes until the driver ends this process."""
    _live_with_driver()
    try:
        workload: Workload = connection.recv()
        jobs = _Inbox(connection, workload.task)
        prepare_worker(workload.task, workload.data, engine=workload.engine, device=device)
    except Exception as fault:  # noqa: BLE001  the driver prints it
        _report(connection, CannotStart(describe(fault)))
        return
    _report(connection, Ready())
    if many:
        assert isinstance(workload.task, ManyAtATime), "only such a task has many places"
        place = {"engine": workload.engine, "device": device}
        results = workload.task.train_segments(workload.data, jobs, **place)
    else:
        results = _train_in_turn(workload, device, jobs, connection)
    for ticket, result in results:
        _report(connection, _answer(ticket, result))


def _train_in_turn(
    workload: Workload, device: str, jobs: JobQueue, connection: Connection
) -> Iterator[tuple[int, Segment | Exception]]:
    """Train jobs in their order; yield what ``ManyAtATime.train_segments`` yields."""
    while True:
        for job in jobs.take(wait=True):
            _report(connection, Began(job.trial))
            try:
                yield job.trial, train_job(workload, device, job, _Reporter(connection, job.trial))
            except Exception as fault:  # noqa: BLE001  it ends this job and no other
                yield job.trial, fault


class _Reporter:
    """Tells the driver what a job's program reports, now and then."""

    def __init__(self, connection: Connection, ticket: int) -> None:
        self._connection, self._ticket = connection, ticket
        self._last = -math.inf

    def __call__(self, step: int, value: float) -> None:
        if (now := time.monotonic()) - self._last >= REPORT_S:
            self._last = now
            _report(self._connection, Progress(self._ticket, Reported(step, value)))


def _answer(ticket: int, result: Segment | Exception) -> Answer:
    if isinstance(result, Segment):
        return Answer(ticket, result, None)
    return Answer(ticket, None, describe(result), isinstance(result, DiedError))


def _report(connection: Connection, message: Message) -> None:
    try:
        connection.send(message)
    except OSError:  # the driver has ended
        os._exit(1)


class _Inbox:
    """Jobs and dropped tickets, as the driver sends them; a ``JobQueue``. It ends programs when told to."""

    def __init__(self, connection: Connection, task: AnyTask) -> None:
        self._programs = task if isinstance(task, RunsPrograms) else None
        self._came: queue.SimpleQueue[SegmentJob] = queue.SimpleQueue()
        self._dropped: set[int] = set()
        threading.Thread(target=self._listen, args=(connection,), daemon=True).start()

    def take(self, *, wait: bool) -> list[SegmentJob]:
        jobs = [self._came.get()] if wait else []
        while not self._came.empty():
            jobs.append(self._came.get())
        return jobs

    def is_dropped(self, trial: int) -> bool:
        return trial in self._dropped

    def _listen(self, connection: Connection) -> None:
        """Sort what comes. Without it no job arrives, so that its end is the end of this process."""
        try:
            while True:
                self._take(connection.recv())
        except (EOFError, OSError):  # the driver has ended
            pass
        except Exception as fault:  # noqa: BLE001  the driver prints it
            _report(connection, CannotStart(describe(fault)))
        finally:
            self._end()

    def _take(self, message: SegmentJob | Drop | Leave | Stop) -> None:
        match message:
            case Drop(ticket):
                self._dropped.add(ticket)
            case Leave(number):
                if self._programs is not None:
                    self._programs.leave(number)
            case Stop():
                self._end()
            case _:
                self._came.put(message)

    def _end(self) -> None:
        """End every program, and this process."""
        try:
            if self._programs is not None:
                self._programs.leave_all()
        finally:
            os._exit(1)


def _live_with_driver() -> None:
    """Leave signals of the process group to the driver, and end with it, also if it is killed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_die_with_driver, daemon=True).start()


def _die_with_driver() -> None:
    driver = multiprocessing.parent_process()
    assert driver is not None, "a worker was started by a driver"
    multiprocessing.connection.wait([driver.sentinel])
    os._exit(1)
