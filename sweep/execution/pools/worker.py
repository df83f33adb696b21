"""The process that trains for a driver on this machine: it takes jobs and returns segments until its end.

``worker_process`` starts it and is the driver's side.
"""

import gc
import math
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from sweep.execution.pools.messages import (
    Answer,
    Began,
    Call,
    CannotStart,
    Drop,
    Leave,
    Message,
    Progress,
    Ready,
    Returned,
    Stop,
)
from sweep.execution.pools.pool import DiedError, Reported, describe, train_job
from sweep.execution.workload import Workload
from sweep.task import AnyTask, ManyAtATime, RunsPrograms, Segment, SegmentJob, prepare_worker

REPORT_S = 0.5
"""Seconds between two reports of a program that are handed to the driver."""


def _work(connection: Connection, device: str, *, many: bool) -> None:
    """Train what comes until the driver ends this process."""
    gc.disable()  # what the libraries make lives to the end; looking for garbage takes a fifth of their load
    try:
        sys.path[:] = connection.recv()
        workload: Workload = connection.recv()
        jobs = _Inbox(connection, workload.task)
        prepare_worker(workload.task, workload.data, engine=workload.engine, device=device)
    except Exception as fault:  # noqa: BLE001  the driver prints it
        _report(connection, CannotStart(describe(fault)))
        return
    gc.enable()
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
    workload: Workload, device: str, inbox: "_Inbox", connection: Connection
) -> Iterator[tuple[int, Segment | Exception]]:
    """Train jobs in their order, and make calls; yield what ``ManyAtATime.train_segments`` yields."""
    while True:
        job = inbox.next()
        if isinstance(job, Call):
            _report(connection, _call(job))
            continue
        _report(connection, Began(job.trial))
        try:
            yield job.trial, train_job(workload, device, job, _Reporter(connection, job.trial))
        except Exception as fault:  # noqa: BLE001  it ends this job and no other
            yield job.trial, fault


def _call(asked: Call) -> Returned:
    try:
        return Returned(asked.function(*asked.arguments))
    except Exception:  # noqa: BLE001  the driver calls the function again, and has the error
        return Returned(None, is_done=False)


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
    """Jobs, calls and dropped tickets, as the driver sends them. It ends programs when told to.

    A task that trains many at a time takes jobs from it as from a ``JobQueue``; it is sent no calls.
    """

    def __init__(self, connection: Connection, task: AnyTask) -> None:
        self._programs = task if isinstance(task, RunsPrograms) else None
        self._came: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._dropped: set[int] = set()
        threading.Thread(target=self._listen, args=(connection,), daemon=True).start()

    def next(self) -> SegmentJob | Call:
        """Wait for the next job or call."""
        asked: SegmentJob | Call = self._came.get()
        return asked

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

    def _take(self, message: SegmentJob | Call | Drop | Leave | Stop) -> None:
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


def _live_with_driver(leash: int) -> None:
    """Leave signals to the driver, and end with it, also if it is killed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_die_with_driver, args=(leash,), daemon=True).start()


def _die_with_driver(leash: int) -> None:
    """Wait until the driver closes its end of the pipe, or has ended."""
    os.read(leash, 1)
    os._exit(1)


def main() -> None:
    """Work for a driver; the arguments are two descriptors, the device, and 1 if the task takes many jobs."""
    connection, leash, device, many = sys.argv[1:]
    _live_with_driver(int(leash))
    _work(Connection(int(connection)), device, many=many == "1")
