"""Define the interface of a pool, which runs segments.

Workers only train: they receive a configuration, a state and the train and dev parts, and return a
segment. ``pools`` lists the kinds of pool; each has its own module.
"""

import dataclasses
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from sweep.definition.resources import Resources
from sweep.errors import SweepError
from sweep.execution.machine.memory import check_fits
from sweep.execution.workload import Workload
from sweep.task import RunsPrograms, Segment, SegmentJob, find_auto


class DiedError(SweepError):
    """The process that trained a segment was killed from outside; another attempt may succeed."""

    key = "died"


class Reported(NamedTuple):
    """A value that a program reported during training."""

    step: int
    value: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SegmentOutcome:
    """An event of a job: its segment, its fault, a report of its program, or its worker's death."""

    trial: int
    segment: Segment | None = None
    fault: str | None = None
    has_died: bool = False
    """Whether ``fault`` is a kill, so that the segment should be trained again."""
    reported: Reported | None = None
    """Step and value that the job's program has reported; the job continues."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PoolRequest:
    """The requirements of a run for a pool to be started."""

    workload: Workload
    at_most: int
    """Total number of jobs, which limits the number of workers; ``grow`` raises the limit."""
    workers: int | None = None
    """Number of jobs at a time; None means as many as fit."""
    resources: Resources = dataclasses.field(default_factory=Resources)
    """The resources of a segment, for pools that need them."""
    address: str | None = None
    """Address of a cluster; None means the pool's default."""


class Called(NamedTuple):
    """What a function returned that a pool called."""

    value: Any


class Pool(Protocol):
    """Runs segments."""

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices of the pool."""

    @property
    def places(self) -> int:
        """Number of jobs that can run at a time."""

    def grow(self, at_most: int) -> None:
        """Make room for ``at_most`` jobs at a time, within the asked limit; never for fewer than before."""

    def free(self) -> int:
        """Return the number of jobs that can start now."""

    def next_device(self) -> str:
        """Return the device of the next new trial."""

    def submit(self, job: SegmentJob) -> None:
        """Start a job; requires a free place."""

    def wait(self, timeout: float) -> list[SegmentOutcome]:
        """Return the outcomes of jobs, waiting at most ``timeout`` seconds for one."""

    def elapsed(self, trial: int) -> float:
        """Return the seconds for which a trial's job has run."""

    def kill(self, trial: int) -> None:
        """End a trial's job at once, without an outcome."""

    def leave(self, trial: int) -> None:
        """Release the program that a worker keeps for a trial that has ended."""

    def call(self, function: Callable[..., Any], *arguments: Any) -> Called | None:
        """Call a function where libraries are loaded already; None if there is no such place, or it raised.

        All jobs have ended, and none follows.
        """

    def close(self) -> None:
        """End all jobs and workers at once."""


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe(fault: BaseException) -> str:
    """Return an exception as one line: its type and its first line; for a ``SweepError`` only the line."""
    text = str(fault).strip().partition("\n")[0]
    if isinstance(fault, SweepError) and text:
        return text
    return f"{type(fault).__name__}: {text}" if text else type(fault).__name__


def train_job(
    workload: Workload,
    device: str,
    job: SegmentJob,
    report: Callable[[int, float], None] = lambda step, value: None,
) -> Segment:
    """Train a job in a prepared process, after finding the open hyperparameters of its configuration.

    ``report`` is called with step and value of each report of a program.
    """
    if isinstance(workload.task, RunsPrograms):
        assert workload.place is not None, "a program has a place"
        return workload.task.train_live(
            job.config, workload.data, job, workload.place, device=device, report=report
        )
    started = time.perf_counter()
    task, data, place = (
        workload.task,
        workload.data_of(job.config),
        {"engine": workload.engine, "device": device},
    )
    check_fits(task, job.config, data, device=device)
    found = find_auto(task, job.config, data, job.find, **place)
    config = job.config.replace(**found) if found else job.config
    finding = time.perf_counter() - started
    segment = task.train_segment(config, data, job.state, job.until_step, averaged=job.averaged, **place)
    if not found:
        return segment
    return dataclasses.replace(segment, found=found, seconds=segment.seconds + finding)
