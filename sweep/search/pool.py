"""Where do segments run?

In worker processes on this machine, each an executor of its own, so that one worker's death
takes nothing along but the segment it was training. Workers only train: they are handed a
configuration, a state and the train and dev parts, and hand back a segment.
"""

import concurrent.futures
import dataclasses
import math
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Protocol

from sweep.errors import MachineError
from sweep.search.memory import check_fits
from sweep.search.resources import Resources
from sweep.task.protocol import AnyTask, Segment, SegmentJob


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SegmentOutcome:
    """What became of a job: a segment, a fault in training, or neither as the worker died."""

    trial: int
    segment: Segment | None = None
    fault: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PoolRequest:
    """What a run asks of a pool that is to be started."""

    task: AnyTask
    data: Any
    """What it trains on."""
    engine: str
    devices: tuple[str, ...]
    at_most: int
    """Jobs that there will be, so that no more workers than these are started."""
    workers: int | None = None
    """Jobs at a time; None is as many as there is room for."""
    resources: Resources = dataclasses.field(default_factory=Resources)
    """What a segment occupies, where the pool asks."""
    address: str | None = None
    """Of a cluster; None is the pool's own default."""


class Pool(Protocol):
    """Where segments run."""

    devices: tuple[str, ...]
    """What it trains on."""

    @property
    def places(self) -> int:
        """How many jobs can run at a time."""

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

    def close(self) -> None:
        """End all jobs and workers at once."""


MAX_FAILED_STARTS = 3
"""Workers that may die in a row before they are ready; then the machine is at fault, no trial."""


START_LIMIT_S = 300.0
"""Seconds after which a worker that trains nothing yet, since it is not ready, counts as hanging."""


def refuse_slow_start(since: float) -> None:
    """End the run where a worker that was started at ``since`` has not got ready in time.

    Raises:
        MachineError: If the limit is over.
    """
    if time.monotonic() - since > START_LIMIT_S:
        raise MachineError(
            f"a worker process cannot start: it was not ready after {START_LIMIT_S:g} s; "
            f"`sweep doctor` looks at this machine"
        )


class LocalPool:
    """Worker processes on this machine."""

    def __init__(self, task: AnyTask, data: Any, *, workers: int, engine: str, device: str) -> None:
        """Start the workers; they load their libraries while the caller goes on."""
        self._start_slot: Callable[[], _Slot] = lambda: _Slot((task, data, engine, device))
        self._slots = [self._start_slot() for _ in range(workers)]
        self.devices: tuple[str, ...] = (device,)
        self._failed_starts = 0

    @property
    def places(self) -> int:
        """Return the number of workers."""
        return len(self._slots)

    def next_device(self) -> str:
        """Return the device of all workers."""
        return self.devices[0]

    def free(self) -> int:
        """Return the number of idle workers."""
        return sum(slot.job is None for slot in self._slots)

    def submit(self, job: SegmentJob) -> None:
        """Hand the job to an idle worker."""
        next(slot for slot in self._slots if slot.job is None).submit(job)

    def wait(self, timeout: float) -> list[SegmentOutcome]:
        """Return what ended; a worker that died is replaced."""
        busy = {slot.future: place for place, slot in enumerate(self._slots) if slot.future is not None}
        done, _ = concurrent.futures.wait(busy, timeout, concurrent.futures.FIRST_COMPLETED)
        places = sorted(busy[future] for future in done)
        for place in [place for place in places if not self._slots[place].became_ready()]:
            places.remove(place)
            self._start_again(place)
        outcomes = [self._slots[place].take_outcome() for place in places]
        for place in places:
            self._failed_starts = 0
            if self._slots[place].is_dead:
                self._replace(place)
        for slot in self._slots:
            if slot.is_awaited:
                refuse_slow_start(slot.started_at)
        return outcomes

    def elapsed(self, trial: int) -> float:
        """Return for how many seconds the trial's job has run; a worker's start does not count."""
        return self._slots[self._place_of(trial)].elapsed()

    def kill(self, trial: int) -> None:
        """Kill the worker that trains the trial and start another."""
        self._replace(self._place_of(trial))

    def close(self) -> None:
        """Kill all workers."""
        for slot in self._slots:
            slot.kill()
        self._slots = []

    def _place_of(self, trial: int) -> int:
        return next(p for p, slot in enumerate(self._slots) if slot.job and slot.job.trial == trial)

    def _start_again(self, place: int) -> None:
        """Give the job of a worker that died before it was ready to another one."""
        self._failed_starts += 1
        if self._failed_starts == MAX_FAILED_STARTS:
            raise MachineError(
                f"a worker process cannot start: {MAX_FAILED_STARTS} died before they were ready"
            )
        job = self._slots[place].job
        assert job is not None, "only a job's end is waited for"
        self._replace(place)
        self._slots[place].submit(job)

    def _replace(self, place: int) -> None:
        self._slots[place].kill()
        self._slots[place] = self._start_slot()


class _Slot:
    """One worker process with at most one job."""

    def __init__(self, worker_arguments: tuple[Any, ...]) -> None:
        self._executor = concurrent.futures.ProcessPoolExecutor(
            max_workers=1,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=worker_arguments,
        )
        others = set(multiprocessing.active_children())
        with interrupts_ignored():
            self._ready: concurrent.futures.Future[None] = self._executor.submit(_prepare_worker)
        self._processes = set(multiprocessing.active_children()) - others
        # The worker alone holds the end that it writes to. Were ours open too, a worker's death in the
        # middle of an answer would not end it, and the executor would wait for the rest for ever.
        self._executor._result_queue._writer.close()  # type: ignore[attr-defined]
        self.started_at, self._ready_at = time.monotonic(), math.inf
        self._ready.add_done_callback(self._note_ready)
        self.job: SegmentJob | None = None
        self.future: concurrent.futures.Future[Segment] | None = None
        self._since = 0.0
        self.is_dead = False

    def submit(self, job: SegmentJob) -> None:
        self.job, self._since = job, time.monotonic()
        try:
            self.future = self._executor.submit(_train, job)
        except BrokenProcessPool as error:  # it died while it was idle
            self.future = concurrent.futures.Future()
            self.future.set_exception(error)

    @property
    def is_awaited(self) -> bool:
        """Whether it has a job that cannot begin, as the worker is not ready."""
        return self.job is not None and not self._ready.done()

    def elapsed(self) -> float:
        """Return for how long the job has run, not counting the worker's own start."""
        return max(0.0, time.monotonic() - max(self._since, self._ready_at))

    def became_ready(self) -> bool:
        """Tell a worker that may have died in training from one that died before; its job has ended.

        Raises:
            MachineError: If it lives but could not get ready: what it trains would not be ours.
        """
        fault = self._ready.exception()
        if fault is not None and not isinstance(fault, BrokenProcessPool):
            raise MachineError(f"a worker process cannot start: {describe(fault)}") from fault
        return fault is None

    def take_outcome(self) -> SegmentOutcome:
        assert self.job is not None, "only a job's end is taken"
        assert self.future is not None, "a job has a future"
        trial, fault = self.job.trial, self.future.exception()
        segment = None if fault else self.future.result()
        self.job = self.future = None
        if isinstance(fault, BrokenProcessPool):
            self.is_dead = True
            return SegmentOutcome(trial=trial)
        return SegmentOutcome(trial=trial, segment=segment, fault=describe(fault) if fault else None)

    def kill(self) -> None:
        """End the process, whatever it does; the executor's own threads end with it."""
        with interrupts_ignored():
            for process in self._processes:
                process.kill()
            self._executor.shutdown(wait=True, cancel_futures=True)

    def _note_ready(self, _: concurrent.futures.Future[None]) -> None:
        self._ready_at = time.monotonic()


class interrupts_ignored:  # noqa: N801  reads as a statement
    """Let a child inherit that Ctrl-C is not for it; the driver hears it and ends its workers."""

    def __enter__(self) -> None:
        self._in_main = threading.current_thread() is threading.main_thread()
        if self._in_main:
            self._before = signal.signal(signal.SIGINT, signal.SIG_IGN)

    def __exit__(self, *_: object) -> None:
        if self._in_main:
            signal.signal(signal.SIGINT, self._before)


def usable_cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe(fault: BaseException) -> str:
    """Return an exception as one line: its kind and its first line."""
    text = str(fault).strip().partition("\n")[0]
    return f"{type(fault).__name__}: {text}" if text else type(fault).__name__


# What follows runs in the worker process.

_worker: tuple[AnyTask, Any, str, str] | None = None
"""(task, data, engine, device) of this worker process."""


def _start_worker(task: AnyTask, data: Any, engine: str, device: str) -> None:
    global _worker  # noqa: PLW0603  a process has one task, and jobs find it here
    live_with_driver()
    _worker = (task, data, engine, device)


def live_with_driver() -> None:
    """Let only the driver end this process, and its end also when it was killed."""
    for number in (signal.SIGINT, signal.SIGTERM):  # sent to the whole group; the driver ends its workers
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_die_with_driver, daemon=True).start()


def _die_with_driver() -> None:
    driver = multiprocessing.parent_process()
    assert driver is not None, "a worker was started by a driver"
    multiprocessing.connection.wait([driver.sentinel])
    os._exit(1)


def _prepare_worker() -> None:
    assert _worker is not None, "the initialiser ran"
    task, data, engine, device = _worker
    task.prepare_worker(data, engine=engine, device=device)


def _train(job: SegmentJob) -> Segment:
    assert _worker is not None, "the initialiser ran"
    return train_job(*_worker, job)


def train_job(task: AnyTask, data: Any, engine: str, device: str, job: SegmentJob) -> Segment:
    """Train a job in a process that is prepared for it; what is still to be found is found first."""
    started = time.perf_counter()
    place = {"engine": engine, "device": device}
    check_fits(task, job.config, data, device=device)
    found = task.find_auto(job.config, data, job.find, **place) if job.find else {}
    config = job.config.replace(**found) if found else job.config
    finding = time.perf_counter() - started
    segment = task.train_segment(config, data, job.state, job.until_step, averaged=job.averaged, **place)
    if not found:
        return segment
    return dataclasses.replace(segment, found=found, seconds=segment.seconds + finding)
