"""Run segments on a Ray cluster.

Each segment is a Ray task, for which Ray finds a machine with room. The trainer and its data are put into
Ray's object store once, and each worker process fetches them once. If a machine is lost, only the segments in
training there are lost; they are submitted again and do not count as deaths of their trials. If only a worker
dies, that counts as a death of its trial, as in any pool.

References:
    https://docs.ray.io/en/latest/ray-core/fault-tolerance.html
"""

import contextlib
import dataclasses
import itertools
import math
import os
import time
from collections.abc import Callable
from typing import Any

import ray
from ray import exceptions

from sweep.errors import MachineError, StudyConflictError
from sweep.execution.one_program import spoken_files
from sweep.execution.pools.pool import Called, DiedError, PoolRequest, SegmentOutcome, describe, train_job
from sweep.execution.pools.ray_connection import connected, knock, ray_errors
from sweep.execution.workload import Workload
from sweep.task import AnyTask, RunsPrograms, Segment, SegmentJob, prepare_worker, program_changes
from sweep.version import __version__

LOOK_S = 5.0
"""Seconds between two queries of the cluster's size."""

HEAD_PATIENCE_S = 30.0
"""Seconds for which the head may be unreachable while it restarts; after 60 s, Ray gives up."""

ASK_CLOCK_S = 0.5
"""Seconds between two queries of which jobs have begun."""

_LOST = (exceptions.NodeDiedError, exceptions.ObjectLostError)
"""Errors of a task whose machine or result is lost."""

_DIED = (exceptions.WorkerCrashedError, exceptions.OutOfMemoryError)
"""Errors of a task whose process has died."""


@dataclasses.dataclass(slots=True)
class _Sent:
    """A job that was submitted to Ray."""

    job: SegmentJob
    result: Any
    ticket: int
    """Number of this attempt; a job that is submitted again gets another."""
    began: float | None = None
    """When a worker began the job, if known."""


class RayPool:
    """Runs segments as tasks on a Ray cluster, as many at a time as fit."""

    def __init__(self, asked: PoolRequest) -> None:
        """Connect, and put the workload into the object store.

        Raises:
            MachineError: If there is no cluster at the address, or it has no room for a segment.
        """
        self._devices: tuple[str, ...] = asked.workload.devices[:1]
        self._connection = contextlib.ExitStack()
        self._head = self._connection.enter_context(connected(asked.address))
        self._resources, self._workers, self._at_most = asked.resources, asked.workers, asked.at_most
        self._sent: dict[int, _Sent] = {}
        self._tickets = itertools.count()
        self._room, self._looked, self._heard = 0, -math.inf, time.monotonic()
        self._asked_clock = -math.inf
        try:
            self._look()
            self._refuse_no_room()
            with ray_errors():
                self._shared = [ray.put((asked.workload, __version__))]
                self._clock = ray.remote(num_cpus=0, max_restarts=-1)(_Clock).remote()
        except BaseException:
            self.close()
            raise
        self._train = ray.remote(num_cpus=asked.resources.cpus, num_gpus=asked.resources.gpus, max_retries=0)(
            _train
        )

    @property
    def devices(self) -> tuple[str, ...]:
        """Return the kind of device that Ray gives a task."""
        return self._devices

    @property
    def places(self) -> int:
        """Return the number of jobs for which there is room now, which changes with the machines."""
        self._look()
        return min(self._workers or self._room, self._at_most)

    def grow(self, at_most: int) -> None:
        """Allow ``at_most`` jobs at a time."""
        self._at_most = at_most

    def free(self) -> int:
        """Return the number of empty places."""
        return max(0, self.places - len(self._sent))

    def next_device(self) -> str:
        """Return the kind of device; Ray assigns a device to each task."""
        return self.devices[0]

    def submit(self, job: SegmentJob) -> None:
        """Submit the job to Ray."""
        ticket = next(self._tickets)
        with ray_errors():
            result = self._train.remote(self._shared, self._clock, ticket, job)
        self._sent[job.trial] = _Sent(job, result, ticket)

    def call(self, function: Callable[..., Any], *arguments: object) -> Called | None:
        """Return None: a function of the driver is not for a cluster."""
        return None

    def wait(self, timeout: float) -> list[SegmentOutcome]:
        """Return the outcomes of jobs; jobs that were lost with a machine are submitted again."""
        if not self._sent:
            return []
        of_result = {sent.result: sent for sent in self._sent.values()}
        with ray_errors():
            ended, waiting = ray.wait(list(of_result), num_returns=1, timeout=timeout)
            if ended and waiting:
                more, _ = ray.wait(waiting, num_returns=len(waiting), timeout=0)
                ended += more
        found = [self._take(of_result[result]) for result in ended]
        return [outcome for outcome in found if outcome is not None]

    def elapsed(self, trial: int) -> float:
        """Return the seconds for which the trial's job has run, without waiting and the worker's start."""
        sent = self._sent[trial]
        if sent.began is None:
            self._ask_clock()
        return 0.0 if sent.began is None else time.monotonic() - sent.began

    def kill(self, trial: int) -> None:
        """End the trial's task, and its process."""
        self._cancel(self._sent.pop(trial))

    def leave(self, trial: int) -> None:
        """Do nothing: a program ends with its job here."""

    def close(self) -> None:
        """End all tasks and disconnect; a cluster that was started here ends."""
        for sent in self._sent.values():
            self._cancel(sent)
        self._sent.clear()
        self._connection.close()

    def _take(self, sent: _Sent) -> SegmentOutcome | None:
        """Return the outcome of a job; None if it must be repeated."""
        del self._sent[sent.job.trial]
        try:
            result = ray.get(sent.result)
        except _LOST:
            self.submit(sent.job)
            return None
        except _DIED:
            return SegmentOutcome(trial=sent.job.trial)
        except exceptions.RayTaskError as error:
            fault = error.cause if isinstance(error.cause, Exception) else error
            if isinstance(fault, StudyConflictError):
                raise fault from None
            raise MachineError(f"a Ray worker cannot start: {describe(fault)}") from None
        except (exceptions.RayError, ConnectionError) as error:
            raise MachineError(f"Ray cannot train: {describe(error)}") from error
        if isinstance(result, Segment):
            return SegmentOutcome(trial=sent.job.trial, segment=result)
        fault, has_died = result
        return SegmentOutcome(trial=sent.job.trial, fault=fault, has_died=has_died)

    def _cancel(self, sent: _Sent) -> None:
        with contextlib.suppress(exceptions.RayError, ConnectionError):
            ray.cancel(sent.result, force=True)

    def _ask_clock(self) -> None:
        """Query which jobs have begun, for all jobs at once."""
        now = time.monotonic()
        if now < self._asked_clock + ASK_CLOCK_S:
            return
        self._asked_clock = now
        waiting = {sent.ticket: sent for sent in self._sent.values() if sent.began is None}
        with contextlib.suppress(exceptions.RayError):  # it is being restarted elsewhere
            ages = ray.get(self._clock.ages.remote(list(waiting)), timeout=1)
            for ticket, age in ages.items():
                waiting[ticket].began = now - age

    def _look(self) -> None:
        """Update the number of segments for which the cluster has room, once per period.

        Raises:
            MachineError: If the head does not answer, in which case Ray would end this process.
        """
        now = time.monotonic()
        if now < self._looked + LOOK_S:
            return
        self._looked = now
        try:
            knock(self._head)
        except MachineError as error:
            if now > self._heard + HEAD_PATIENCE_S:
                raise MachineError(f"{error}; run the same command to resume") from error
            return
        self._heard = now
        with ray_errors():
            machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        self._room = sum(self._resources.places_on(m.get("CPU", 0), m.get("GPU", 0)) for m in machines)

    def _refuse_no_room(self) -> None:
        if self._workers is None and not self._room:
            asked = f"cpus = {self._resources.cpus:g}, gpus = {self._resources.gpus:g}"
            raise MachineError(
                f"no machine of the Ray cluster has room for a segment ([resources]: {asked}); "
                "pass --workers N if machines will join"
            )


# The code below runs on the cluster.


class _Clock:
    """Records the start times of attempts, which the workers report."""

    def __init__(self) -> None:
        self._began: dict[int, float] = {}

    def begin(self, ticket: int) -> None:
        self._began[ticket] = time.monotonic()

    def ages(self, tickets: list[int]) -> dict[int, float]:
        """Return the running seconds of the given attempts that have begun; forget all others."""
        now = time.monotonic()
        self._began = {ticket: self._began[ticket] for ticket in tickets if ticket in self._began}
        return {ticket: now - began for ticket, began in self._began.items()}


def refuse_other_code(task: AnyTask) -> None:
    """Refuse to train if the program here differs from the driver's; raises ``StudyConflictError``."""
    if changes := program_changes(task):
        raise StudyConflictError(
            f"the program on {os.uname().nodename} differs from the driver's: {spoken_files(changes)}; "
            "copy the files there and run again",
            key="code-differs",
        )


_prepared: tuple[bytes, Workload] | None = None
"""The object in the store for which this process is prepared, and its content."""


def _train(shared: list[Any], clock: Any, ticket: int, job: SegmentJob) -> Segment | tuple[str, bool]:
    """Train a job; return a fault in training as one line, and whether it was a death."""
    workload = _prepare(shared[0])
    refuse_other_code(workload.task)
    clock.begin.remote(ticket)
    try:
        return train_job(workload, workload.devices[0], job)
    except Exception as fault:  # noqa: BLE001  the driver reports it
        return describe(fault), isinstance(fault, DiedError)
    finally:
        if isinstance(workload.task, RunsPrograms):
            workload.task.leave_all()


def _prepare(reference: Any) -> Workload:
    """Prepare this process for training, once."""
    global _prepared  # noqa: PLW0603  a process is prepared once for all tasks
    key = reference.binary()
    if _prepared is None or _prepared[0] != key:
        workload, version = ray.get(reference)
        if version != __version__:
            raise MachineError(f"{os.uname().nodename} has sweep {__version__}, the driver {version}")
        place = {"engine": workload.engine, "device": workload.devices[0]}
        prepare_worker(workload.task, workload.data, **place)
        _prepared = key, workload
    return _prepared[1]
