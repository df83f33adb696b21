"""Train many segments at a time that end at different times.

A launch lasts until its slowest block has ended, so segments are cut into slices of about equal duration.
After each slice, waiting segments replace the finished ones. The cuts of a run do not change its results, so
slices may depend on measured time.
"""

import collections
import dataclasses
import time
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from sweep.task import JobQueue, Segment, SegmentJob
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines import BATCH_ENGINES
from sweep.trainers.mlp.engines.batch import Job
from sweep.trainers.mlp.engines.population import batch_bytes, free_bytes
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.training import OpenSegment
from sweep.trainers.mlp.words.corpus import Corpus
from sweep.values import Params, Value

SLICE_S = 0.25
"""Target duration of a slice, in seconds: the longest that a finished segment keeps its place."""

FIRST_PACE = 1e8
"""Multiply-adds per run in the first slice, about a hundred steps; later slices depend on measured time."""

MEMORY_SHARE = 0.8
"""Fraction of a device's free memory that a batch may use."""

_MOST_CHANGE = 4.0
"""Largest factor by which the pace may change from one slice to the next."""


class Trainer(Protocol):
    """The methods of the task that batching needs."""

    def find_auto(self, config: Any, data: Any, names: Any, *, engine: str, device: str) -> dict[str, Value]:
        """Find the open hyperparameters of a configuration."""

    def work(self, config: Any, data: Any) -> float:
        """Return the multiply-adds of a run."""


class _Run(NamedTuple):
    """A job that has begun."""

    trial: int
    segment: OpenSegment
    found: Params


class Batching:
    """Trains segments from a queue, as many at a time as fit into the device."""

    def __init__(self, trainer: Trainer, corpus: Corpus, jobs: JobQueue, *, engine: str, device: str) -> None:
        """Measure the device's free memory."""
        self._trainer, self._corpus, self._jobs = trainer, corpus, jobs
        self._place: dict[str, str] = {"engine": engine, "device": device}
        self._train = BATCH_ENGINES[engine]
        self._device = device
        self._room = MEMORY_SHARE * free_bytes(device)
        self._most: int | None = None
        self._pace = FIRST_PACE
        self._running: list[_Run] = []
        self._waiting: collections.deque[_Run] = collections.deque()

    def run(self) -> Iterator[tuple[int, Segment | Exception]]:
        """Yield each trial's segment, or its error, as soon as it has ended."""
        while True:
            is_idle = not self._running and not self._waiting
            jobs = self._jobs.take(wait=is_idle)
            if is_idle and not jobs:
                return
            yield from self._accept(jobs)
            self._admit()
            if self._running:
                yield from self._train_slice()
                yield from self._finish()

    def _accept(self, jobs: list[SegmentJob]) -> Iterator[tuple[int, Exception]]:
        """Begin the jobs that have arrived."""
        for job in jobs:
            try:
                self._waiting.append(self._begin(job))
            except Exception as fault:  # noqa: BLE001  it ends this job and no other
                yield job.trial, fault

    def _begin(self, job: SegmentJob) -> _Run:
        config: TrainConfig = job.config
        found = self._trainer.find_auto(config, self._corpus, job.find, **self._place) if job.find else {}
        config = config.replace(**found)
        V = self._corpus.vocabulary_size
        state = TrainState.from_bytes(job.state, config, V) if job.state is not None else None
        segment = OpenSegment(config, self._corpus, state, job.until_step, averaged=job.averaged)
        return _Run(job.trial, segment, found)

    def _admit(self) -> None:
        """Admit waiting runs in order while there is room, and always at least one."""
        self._running = [run for run in self._running if not self._jobs.is_dropped(run.trial)]
        while self._waiting and (self._most is None or len(self._running) < self._most):
            run = self._waiting[0]
            if self._running and self._bytes([*self._running, run]) > self._room:
                return
            self._waiting.popleft()
            if not self._jobs.is_dropped(run.trial):
                self._running.append(run)

    def _bytes(self, runs: list[_Run]) -> int:
        return batch_bytes([self._next_job(run) for run in runs])

    def _next_job(self, run: _Run) -> Job:
        """Return the next slice of a run: as many steps as its work allows at the current pace."""
        segment = run.segment
        of_a_step = self._trainer.work(segment.config, self._corpus) / segment.config.num_steps
        rates = segment.learning_rates(max(1, int(self._pace / of_a_step)))
        return Job(segment.config, segment.examples, segment.state, rates)

    def _train_slice(self) -> Iterator[tuple[int, Exception]]:
        """Train a slice of all active runs; if memory runs out, continue with half of them."""
        jobs = [self._next_job(run) for run in self._running]
        started = time.perf_counter()
        try:
            results = self._train(jobs, self._device)
        except MemoryError as fault:
            yield from self._shrink(fault)
            return
        for run, (state, losses) in zip(self._running, results, strict=True):
            run.segment.take(state, losses)
        change = SLICE_S / max(time.perf_counter() - started, 1e-9)
        self._pace *= min(max(change, 1 / _MOST_CHANGE), _MOST_CHANGE)

    def _shrink(self, fault: MemoryError) -> Iterator[tuple[int, Exception]]:
        """Return the later half of the runs to the queue; a run that does not fit alone fails."""
        if len(self._running) == 1:
            yield self._running.pop().trial, fault
            return
        self._most = len(self._running) // 2
        self._waiting.extendleft(reversed(self._running[self._most :]))
        del self._running[self._most :]

    def _finish(self) -> Iterator[tuple[int, Segment]]:
        """Evaluate and remove the finished segments."""
        done = [run for run in self._running if run.segment.is_done]
        self._running = [run for run in self._running if not run.segment.is_done]
        for run in done:
            segment = run.segment.close(self._device).to_segment()
            yield run.trial, dataclasses.replace(segment, found=run.found)
