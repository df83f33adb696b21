"""Run segments in worker processes on this machine.

A task that trains one segment at a time has a process for each place. A task that trains many at a
time has a process for each device, which takes jobs as they come and returns each segment when it has
ended. So a place that becomes free is filled at once, whatever the others do.

``worker`` decides which jobs a process has, and what its death means.
"""

import contextlib
import functools
import queue
import time

from sweep.execution.pools.messages import Leave, Message, Stop
from sweep.execution.pools.pool import PoolRequest, SegmentOutcome, usable_cores
from sweep.execution.pools.worker import Worker
from sweep.execution.pools.worker_process import News, WorkerProcess
from sweep.task import RunsPrograms, SegmentJob, places

LEAVING_S = 5.0
"""Seconds beyond a program's own time after which its worker is killed."""


class LocalPool:
    """Worker processes on this machine, with one place or many each."""

    def __init__(self, asked: PoolRequest) -> None:
        """Start the workers; they load their libraries while the caller continues.

        Raises:
            MachineError: If the system refuses a process.
        """
        self._news: News = queue.SimpleQueue()
        self._workers: list[Worker] = []
        task = asked.workload.task
        self._grace_s = task.grace_s if isinstance(task, RunsPrograms) else None
        self._of_trial: dict[int, Worker] = {}
        try:
            for device, places in _share_out(asked):
                start = functools.partial(_start_process, asked, device, self._news)
                has_programs = self._grace_s is not None
                self._workers.append(Worker(start, device, places, has_programs=has_programs))
        except BaseException:
            self.close()
            raise
        self.places = sum(worker.places for worker in self._workers)
        self.devices: tuple[str, ...] = tuple(dict.fromkeys(worker.device for worker in self._workers))

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

    def _emptiest(self) -> Worker:
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


def _share_out(asked: PoolRequest) -> list[tuple[str, int]]:
    """Return the device of each process and how many places it has."""
    devices = asked.workload.devices
    most = places(asked.workload.task, asked.workload.engine, devices[0])
    if isinstance(asked.workload.task, RunsPrograms):
        count = asked.workers or (usable_cores() if devices == ("cpu",) else len(devices))
        return [(devices[k % len(devices)], 1) for k in range(min(count, asked.at_most))]
    if most == 1:
        return [(devices[0], 1)] * min(asked.workers or usable_cores(), asked.at_most)
    total = min(asked.workers or most * len(devices), asked.at_most)
    devices = devices[:total]
    return [(device, len(range(k, total, len(devices)))) for k, device in enumerate(devices)]


def _start_process(asked: PoolRequest, device: str, news: News) -> WorkerProcess:
    many = places(asked.workload.task, asked.workload.engine, device) > 1
    return WorkerProcess(asked.workload, device, many=many, news=news)
