"""Where do segments run, many at a time on each device?

One worker process a device, to which jobs are sent as they come and which sends each segment back
when it has ended; the task decides what it trains together (``Task.train_segments``). So a place
that becomes free is filled at once, whatever the others do.

A worker that dies takes all its segments along, and only one of them can be to blame. They are
trained again one at a time; who dies alone has died.
"""

import collections
import dataclasses
import math
import multiprocessing
import multiprocessing.connection
import queue
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from sweep.errors import MachineError
from sweep.search.pool import (
    MAX_FAILED_STARTS,
    SegmentOutcome,
    describe,
    interrupts_ignored,
    live_with_driver,
    refuse_slow_start,
)
from sweep.task.protocol import AnyTask, Segment, SegmentJob

_READY = "ready"
_CANNOT_START = "cannot start"


class DevicePool:
    """A worker process for each device, with many jobs."""

    def __init__(
        self, task: AnyTask, data: Any, *, workers: int, engine: str, devices: Sequence[str]
    ) -> None:
        """Start the workers; they load their libraries while the caller goes on.

        Args:
            task: The trainer.
            data: What it trains on.
            workers: Places, shared out among the devices.
            engine: What trains.
            devices: One worker for each.
        """
        self.devices = used = tuple(devices[:workers])
        self.places = workers
        places = [len(range(k, workers, len(used))) for k in range(len(used))]
        self._workers = [
            _Worker((task, data, engine, device), n) for device, n in zip(used, places, strict=True)
        ]
        self._of_trial: dict[int, _Worker] = {}

    def free(self) -> int:
        """Return the number of empty places."""
        return sum(worker.free() for worker in self._workers)

    def next_device(self) -> str:
        """Return the device with the most empty places."""
        return self._emptiest().device

    def submit(self, job: SegmentJob) -> None:
        """Hand the job to the worker that had the trial before, or to the one with the most empty places."""
        worker = self._of_trial.setdefault(job.trial, self._emptiest())
        worker.submit(job)

    def wait(self, timeout: float) -> list[SegmentOutcome]:
        """Return what ended; a worker that died is replaced."""
        sources = [source for worker in self._workers for source in worker.sources()]
        multiprocessing.connection.wait(sources, timeout)
        return [outcome for worker in self._workers for outcome in worker.receive()]

    def elapsed(self, trial: int) -> float:
        """Return for how many seconds the trial's job has run; waiting and a worker's start do not count."""
        return self._of_trial[trial].elapsed(trial)

    def kill(self, trial: int) -> None:
        """Drop a trial's job; its device goes on with the others after the present slice."""
        self._of_trial[trial].drop(trial)

    def close(self) -> None:
        """Kill all workers."""
        for worker in self._workers:
            worker.kill()
        self._workers = []

    def _emptiest(self) -> "_Worker":
        return max(self._workers, key=lambda worker: worker.free())


@dataclasses.dataclass(slots=True)
class _Sent:
    """A job in the hands of a worker process."""

    job: SegmentJob
    since: float


class _Worker:
    """One process, the jobs that it has, and those that wait for it."""

    def __init__(self, arguments: tuple[Any, ...], places: int) -> None:
        self.device: str = arguments[-1]
        self._arguments, self._places = arguments, places
        self._sent: dict[int, _Sent] = {}
        self._unsent: collections.deque[SegmentJob] = collections.deque()
        self._alone: set[int] = set()
        self._failed_starts = 0
        self._start()

    def free(self) -> int:
        return self._places - len(self._sent) - len(self._unsent)

    def submit(self, job: SegmentJob) -> None:
        self._unsent.append(job)
        self._send()

    def elapsed(self, trial: int) -> float:
        if trial not in self._sent:
            return 0.0
        return max(0.0, time.monotonic() - max(self._sent[trial].since, self._ready_at))

    def drop(self, trial: int) -> None:
        self._unsent = collections.deque(job for job in self._unsent if job.trial != trial)
        if self._sent.pop(trial, None) is not None:
            self._tell(trial)
        self._send()

    def sources(self) -> list[Any]:
        """Return what becomes readable when there is something to receive."""
        return [self._connection, self._process.sentinel]

    def receive(self) -> list[SegmentOutcome]:
        """Return what the process sent, and what its death means."""
        messages, has_died = [], False
        try:
            while self._connection.poll():
                messages.append(self._connection.recv())
        except (EOFError, OSError):
            has_died = True
        outcomes = [outcome for message in messages for outcome in self._take(*message)]
        if has_died:
            outcomes += self._take_death()
        elif self._sent and self._ready_at == math.inf:
            refuse_slow_start(self._started_at)
        self._send()
        return outcomes

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self._connection.close()

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._connection, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_work, args=(theirs, *self._arguments), daemon=True)
        with interrupts_ignored():
            self._process.start()
        theirs.close()
        self._started_at, self._ready_at = time.monotonic(), math.inf

    def _send(self) -> None:
        """Send what waits; trials that must be alone one by one, with nothing beside them."""
        if self._alone & self._sent.keys():
            return
        suspects = [job for job in self._unsent if job.trial in self._alone]
        if suspects and self._sent:
            return
        for job in suspects[:1] or list(self._unsent):
            self._unsent.remove(job)
            self._sent[job.trial] = _Sent(job, time.monotonic())
            self._tell(job)

    def _tell(self, message: SegmentJob | int) -> None:
        try:
            self._connection.send(message)
        except OSError:  # it has died, and will be found dead
            return

    def _take(self, what: int | str, result: Segment | str | None) -> list[SegmentOutcome]:
        if what == _CANNOT_START:
            raise MachineError(f"a worker process cannot start: {result}")
        if what == _READY:
            self._ready_at, self._failed_starts = time.monotonic(), 0
            return []
        trial = int(what)
        if self._sent.pop(trial, None) is None:  # dropped meanwhile
            return []
        self._alone.discard(trial)
        if isinstance(result, Segment):
            return [SegmentOutcome(trial=trial, segment=result)]
        return [SegmentOutcome(trial=trial, fault=result)]

    def _take_death(self) -> list[SegmentOutcome]:
        """Start another process; say who died, or find out by trying one at a time."""
        was_ready, lost = self._ready_at < math.inf, [sent.job for sent in self._sent.values()]
        if not was_ready:
            self._failed_starts += 1
            if self._failed_starts == MAX_FAILED_STARTS:
                raise MachineError(
                    f"a worker process cannot start: {MAX_FAILED_STARTS} died before they were ready"
                )
        self.kill()
        self._sent.clear()
        self._start()
        if was_ready:
            self._alone.update(job.trial for job in lost)
            if len(lost) == 1:
                return [SegmentOutcome(trial=lost[0].trial)]
        self._unsent.extendleft(reversed(lost))
        return []


# What follows runs in the worker process.


def _work(connection: Connection, task: AnyTask, data: Any, engine: str, device: str) -> None:
    """Train what comes until the driver ends this process."""
    live_with_driver()
    jobs = _Inbox(connection)
    try:
        task.prepare_worker(data, engine=engine, device=device)
    except Exception as fault:  # noqa: BLE001  the driver says it
        connection.send((_CANNOT_START, describe(fault)))
        return
    connection.send((_READY, None))
    for trial, result in task.train_segments(data, jobs, engine=engine, device=device):
        connection.send((trial, result if isinstance(result, Segment) else describe(result)))


class _Inbox:
    """Jobs and dropped trials, as the driver sends them; a ``JobQueue``."""

    def __init__(self, connection: Connection) -> None:
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
        while True:
            try:
                message = connection.recv()
            except (EOFError, OSError):  # the driver is gone, and this process follows
                return
            if isinstance(message, int):
                self._dropped.add(message)
            else:
                self._came.put(message)
