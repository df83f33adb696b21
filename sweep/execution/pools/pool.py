"""What a pool is: the place where segments run.

Workers only train: they receive a configuration, a state and the train and dev parts, and return a
segment. ``pools`` lists the kinds of pool; each has a module of its own.
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
    """What trained a segment was killed from outside: another attempt may end well."""

    key = "died"


class Reported(NamedTuple):
    """What a program reported while it trains."""

    step: int
    value: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SegmentOutcome:
    """News of a job: its segment, its fault, what its program reports meanwhile, or its worker's death."""

    trial: int
    segment: Segment | None = None
    fault: str | None = None
    has_died: bool = False
    """Whether ``fault`` says what was killed, so that the segment is to be trained again."""
    reported: Reported | None = None
    """Step and value that the job's program has reported; the job goes on."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PoolRequest:
    """What a run asks of a pool that is to be started."""

    workload: Workload
    at_most: int
    """Jobs that there will be, so that no more workers than these are started; ``grow`` allows more."""
    workers: int | None = None
    """Jobs at a time; None is as many as there is room for."""
    resources: Resources = dataclasses.field(default_factory=Resources)
    """What a segment occupies, where the pool asks."""
    address: str | None = None
    """Of a cluster; None is the pool's own default."""


class Called(NamedTuple):
    """What a function returned that a pool called."""

    value: Any


class Pool(Protocol):
    """Where segments run."""

    @property
    def devices(self) -> tuple[str, ...]:
        """What it trains on."""

    @property
    def places(self) -> int:
        """How many jobs can run at a time."""

    def grow(self, at_most: int) -> None:
        """Make room for so many jobs at a time, as far as was asked for; never for fewer than before."""

    def free(self) -> int:
        """Return how many more jobs can start at once."""

    def next_device(self) -> str:
        """Return where the next new trial will be trained."""

    def submit(self, job: SegmentJob) -> None:
        """Start a job; there must be a free place."""

    def wait(self, timeout: float) -> list[SegmentOutcome]:
        """Return what ended, waiting at most ``timeout`` seconds for something to end."""

    def elapsed(self, trial: int) -> float:
        """Return for how many seconds a trial's job has run."""

    def kill(self, trial: int) -> None:
        """End a trial's job at once, without an outcome."""

    def leave(self, trial: int) -> None:
        """Let go of what a worker keeps of a trial that has ended."""

    def call(self, function: Callable[..., Any], *arguments: Any) -> Called | None:
        """Call a function where libraries are loaded already; None if there is no such place, or it raised.

        All jobs have ended, and none follows.
        """

    def close(self) -> None:
        """End all jobs and workers at once."""


def usable_cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe(fault: BaseException) -> str:
    """Return an exception as one line: its kind and its first line; of an error of ours the line alone."""
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
    """Train a job in a process that is prepared for it, after finding what its configuration leaves open.

    ``report`` is called with step and value of what a program reports meanwhile.
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
