"""When does one driver no longer keep a thousand workers busy?

The driver, its files and a PostgreSQL started for this are real; only the workers are pretended: each
holds a segment for so many seconds (within a third, so that they do not end together) and hands back a
loss. What is measured, once every worker has had a trial for the length of a segment: segments stored
a second against those that the workers could do, the share of their time in which the workers had
one, and the processor time of the driver for each.

    python tests/benchmarks/simulate_cluster.py [--workers 1000] [--drivers 1]
"""

import argparse
import concurrent.futures
import heapq
import math
import multiprocessing
import random
import tempfile
import time
from typing import Any, NamedTuple

from bench_cluster import STEPS, segment_of

from sweep.execution.how import How
from sweep.execution.pools.pool import SegmentOutcome
from sweep.execution.pools.pools import POOLS, PoolKind
from sweep.execution.run import run_study
from sweep.storage.database import Database
from sweep.task import SegmentJob
from tests.support.postgres_server import running_server
from tests.support.toy_runs import toy_study
from tests.support.toy_task import ToyTask

SECONDS = (20.0, 10.0, 5.0, 2.0)
"""Lengths of a segment that are tried."""

LEAST_S = 20.0
"""How long is measured at least; else it is the time of two segments."""


class Figures(NamedTuple):
    """What one driver did in the measured time."""

    segments: int
    wall_s: float
    busy_s: float
    """Summed over workers: how long they had a segment."""
    cpu_s: float


class PacedPool:
    """Workers that hold each segment for a while; it notes when the measured time begins."""

    devices: tuple[str, ...] = ("cpu",)

    def __init__(self, places: int, seconds: float) -> None:
        self.places, self._seconds = places, seconds
        self._jobs: list[tuple[float, int, SegmentJob]] = []
        self._draw = random.Random(0)  # noqa: S311  no secret
        self._had_one: set[int] = set()
        self._begins = math.inf
        self._began: tuple[float, float] | None = None
        self._segments, self._busy_s = 0, 0.0

    def free(self) -> int:
        return self.places - len(self._jobs)

    def next_device(self) -> str:
        return "cpu"

    def submit(self, job: SegmentJob) -> None:
        held = self._seconds * self._draw.uniform(2 / 3, 4 / 3)
        heapq.heappush(self._jobs, (time.monotonic() + held, job.trial, job))
        if self._began is not None:
            self._busy_s += held
            return
        self._had_one.add(job.trial)
        if len(self._had_one) == self.places:
            self._begins = time.monotonic() + self._seconds

    def wait(self, timeout: float) -> list[SegmentOutcome]:
        time.sleep(max(0.0, min(timeout, self._jobs[0][0] - time.monotonic())))
        ended = []
        while self._jobs and self._jobs[0][0] <= time.monotonic():
            ended.append(heapq.heappop(self._jobs)[2])
        if self._began is not None:
            self._segments += len(ended)
        elif time.monotonic() > self._begins:
            now = time.monotonic()
            self._began = now, time.process_time()
            self._busy_s = sum(max(0.0, until - now) for until, *_ in self._jobs)
        return [SegmentOutcome(trial=job.trial, segment=segment_of(job)) for job in ended]

    def elapsed(self, trial: int) -> float:
        return 0.0

    def kill(self, trial: int) -> None:
        """Nothing to kill."""

    def leave(self, trial: int) -> None:
        """Nothing to drop."""

    def close(self) -> None:
        """Nothing to close."""

    def is_over(self) -> bool:
        return self._began is not None and time.monotonic() - self._began[0] > max(LEAST_S, 2 * self._seconds)

    def figures(self) -> Figures:
        assert self._began is not None, "the run ended after the measured time"
        wall, cpu = time.monotonic() - self._began[0], time.process_time() - self._began[1]
        still = sum(max(0.0, until - time.monotonic()) for until, *_ in self._jobs)
        return Figures(self._segments, wall, self._busy_s - still, cpu)


def drive(url: str, files: str, name: str, places: int, seconds: float) -> Figures:
    """Run a study with so many workers until enough is measured."""
    pools: list[PacedPool] = []

    def start(*_: Any, **__: Any) -> PacedPool:
        pools.append(PacedPool(places, seconds))
        return pools[0]

    POOLS["paced"] = PoolKind(list_devices=lambda *_, **__: ("cpu",), start=start)
    spec = toy_study(name=name, trials=1_000_000, keep=5, fixed={"num_steps": STEPS})
    kept: list[Figures] = []

    def should_stop() -> bool:
        if pools and pools[0].is_over() and not kept:
            kept.append(pools[0].figures())
        return bool(kept)

    run_study(ToyTask(), spec, Database(url, files), how=How(pool="paced", should_stop=should_stop))
    return kept[0]


def simulate(workers: int, drivers: int, seconds: float) -> list[Figures]:
    """Share the workers out among drivers of one study."""
    spawn = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server() as server,
        concurrent.futures.ProcessPoolExecutor(drivers, spawn) as processes,
    ):
        url = server.make_database("simulated")
        runs = [
            processes.submit(drive, url, folder, "simulated", workers // drivers, seconds)
            for _ in range(drivers)
        ]
        return [run.result() for run in runs]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, default=1_000)
    parser.add_argument("--drivers", type=int, default=1)
    arguments = parser.parse_args()
    print(f"{arguments.workers:,} pretended workers, {arguments.drivers} driver(s), one PostgreSQL")
    print("seconds a segment   possible/s   stored/s   workers busy   processor ms a segment")
    for seconds in SECONDS:
        found = simulate(arguments.workers, arguments.drivers, seconds)
        stored = sum(figures.segments / figures.wall_s for figures in found)
        busy = sum(figures.busy_s for figures in found) / sum(f.wall_s for f in found) / arguments.workers
        cpu = sum(figures.cpu_s for figures in found) / max(1, sum(figures.segments for figures in found))
        print(
            f"{seconds:17g}   {arguments.workers / seconds:10.0f}   {stored:8.0f}"
            f"   {busy * arguments.drivers:12.0%}   {1e3 * cpu:22.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
