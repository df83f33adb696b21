"""Run segments in worker processes on this machine.

A task that trains one segment at a time has a process for each place. A task that trains many at a
time has a process for each device, which takes jobs as they come and returns each segment when it has
ended. So a place that becomes free is filled at once, whatever the others do.

``local_worker`` replaces a process that dies.
"""

import contextlib
import functools
import queue
import time
from collections.abc import Callable
from typing import Any

from sweep.errors import DeviceError
from sweep.execution.pools.local_worker import LocalWorker
from sweep.execution.pools.messages import CannotStart, Ended, Leave, Message, Returned, Stop
from sweep.execution.pools.pool import Called, PoolRequest, SegmentOutcome, usable_cores
from sweep.execution.pools.worker_process import News, WorkerProcess
from sweep.task import RunsPrograms, SegmentJob

CALL_POLL_S = 1.0
"""How long the queue of news is waited for at a time, seconds, so that a signal is heard in between."""

LEAVING_S = 5.0
"""Seconds beyond a program's own time after which its worker is killed."""


class LocalPool:
    """Worker processes on this machine, with one place or many each."""

    def __init__(self, asked: PoolRequest) -> None:
        """Start the workers; they load their libraries while the caller continues.

        Raises:
            MachineError: If the system refuses a process.
        """
        self._asked = asked
        self._news: News = queue.Queue()
        self._workers: list[LocalWorker] = []
        task = asked.workload.task
        self._grace_s = task.grace_s if isinstance(task, RunsPrograms) else None
        self._of_trial: dict[int, LocalWorker] = {}
        self.grow(asked.at_most)

    def grow(self, at_most: int) -> None:
        """Start the workers that more jobs need; raises as ``__init__``."""
        try:
            for place, (device, count) in enumerate(_share_out(self._asked, at_most)):
                if place < len(self._workers):
                    self._workers[place].places = count
                else:
                    self._workers.append(self._start(device, count))
        except BaseException:
            self.close()
            raise

    @property
    def places(self) -> int:
        """Return how many jobs the workers take at a time."""
        return sum(worker.places for worker in self._workers)

    @property
    def devices(self) -> tuple[str, ...]:
        """Return the devices of the workers."""
        return tuple(dict.fromkeys(worker.device for worker in self._workers))

    def free(self) -> int:
        """Return the number of empty places."""
        return sum(worker.free() for worker in self._workers)

    def next_device(self) -> str:
        """Return the device with the most empty places."""
        return self._emptiest().device

    def submit(self, job: SegmentJob) -> None:
        """Give the job to the worker that had the trial before, or to the one with the most empty places."""
        worker = self._of_trial.get(job.trial)
        if worker is None or not worker.free():
            worker = self._of_trial[job.trial] = self._emptiest()
        worker.submit(job)

    def wait(self, timeout: float) -> list[SegmentOutcome]:
        """Return what ended; a process that died is replaced."""
        outcomes = [self._take(process, message) for process, message in self._news_within(timeout)]
        for worker in self._workers:
            worker.refuse_slow_start()
        return [outcome for outcome in outcomes if outcome is not None]

    def elapsed(self, trial: int) -> float:
        """Return for how many seconds the trial's job has run; waiting and a process's start do not count."""
        return self._of_trial[trial].elapsed(trial)

    def kill(self, trial: int) -> None:
        """End the trial's job; a process with more places continues with the others."""
        self._of_trial[trial].drop(trial)

    def leave(self, trial: int) -> None:
        """End the program of a trial that has ended, if its worker keeps one."""
        worker = self._of_trial.pop(trial, None)
        if worker is not None and self._grace_s is not None:
            worker.process.send(Leave(trial))

    def call(self, function: Callable[..., Any], *arguments: object) -> Called | None:
        """Call a function in a worker that has trained, if there is one; other news is of no use by now."""
        if self._grace_s is not None or any(map(self._trains_many, self.devices)):
            return None
        worker = next((each for each in self._workers if each.call(function, arguments)), None)
        while worker is not None:
            for process, message in self._news_within(CALL_POLL_S):
                if process is not worker.process:
                    continue
                match message:
                    case Returned(value, is_done):
                        return Called(value) if is_done else None
                    case Ended() | CannotStart():
                        process.end()  # it may not be dead yet, and must not be called again
                        return None
        return None

    def close(self) -> None:
        """Kill all processes; programs get their time to end by themselves."""
        if self._grace_s is not None:
            for worker in self._workers:
                worker.process.send(Stop())
            deadline = time.monotonic() + self._grace_s + LEAVING_S
            for worker in self._workers:
                worker.process.wait(max(0.0, deadline - time.monotonic()))
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.end()
        self._workers = []

    def _start(self, device: str, count: int) -> LocalWorker:
        workload, many = self._asked.workload, self._trains_many(device)
        start = functools.partial(WorkerProcess, workload, device, many=many, news=self._news)
        return LocalWorker(start, device, count, has_programs=self._grace_s is not None)

    def _trains_many(self, device: str) -> bool:
        return self._asked.workload.places(device) > 1

    def _emptiest(self) -> LocalWorker:
        return max(self._workers, key=lambda worker: worker.free())

    def _news_within(self, timeout: float) -> list[tuple[WorkerProcess, Message]]:
        news = []
        with contextlib.suppress(queue.Empty):
            news.append(self._news.get(timeout=timeout))
            while True:
                news.append(self._news.get_nowait())
        return news

    def _take(self, process: WorkerProcess, message: Message) -> SegmentOutcome | None:
        """Hand a message to the worker whose process sent it; a process that was replaced has none."""
        for worker in self._workers:
            if worker.process is process:
                return worker.take(message)
        return None


def _share_out(asked: PoolRequest, at_most: int) -> list[tuple[str, int]]:
    """Return the device and the number of places of each process for ``at_most`` jobs."""
    devices = asked.workload.devices
    most = asked.workload.places(devices[0])
    if isinstance(asked.workload.task, RunsPrograms):
        return [(place, 1) for place in _program_places(asked)[:at_most]]
    if most == 1:
        return [(devices[0], 1)] * min(asked.workers or usable_cores(), at_most)
    total = min(asked.workers or most * len(devices), at_most)
    devices = devices[:total]
    return [(device, len(range(k, total, len(devices)))) for k, device in enumerate(devices)]


def _program_places(asked: PoolRequest) -> list[str]:
    """Return the device of each program that runs at a time: cores, or GPUs that no other one has.

    Raises:
        DeviceError: If more workers are asked for than there are GPUs for.
    """
    devices, needed = asked.workload.devices, asked.resources
    places = needed.program_places(devices, usable_cores())
    if devices == ("cpu",):
        return ["cpu"] * (asked.workers or len(places))
    if asked.workers is not None and asked.workers > len(places):
        raise DeviceError(
            f"{asked.workers} workers are asked for, but the GPUs here ({len(devices)}) have room for "
            f"{len(places)}; in [resources], gpus = 0.5 lets two trials share a GPU"
        )
    return places[: asked.workers]
