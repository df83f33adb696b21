"""How many segments a second do drivers and their database take?

Workers that train in no time hand back a segment as soon as one is submitted, so that what is
measured is all the rest: asking, claiming, writing files and rows. On SQLite with one driver, on a
PostgreSQL started for this with one driver and with several, each in a process of its own.

    python tests/benchmarks/bench_cluster.py [--trials 200] [--drivers 4] [--json]
"""

import argparse
import concurrent.futures
import json
import multiprocessing
import tempfile
import time
from typing import Any

import numpy as np

from sweep.execution.how import How
from sweep.execution.pools.pool import SegmentOutcome
from sweep.execution.pools.pools import POOLS, PoolKind
from sweep.execution.run import run_study
from sweep.execution.rungs import cuts
from sweep.storage.database import Database
from sweep.task import Segment, SegmentJob
from tests.support.postgres_server import running_server
from tests.support.toy_runs import toy_study
from tests.support.toy_task import ToyTask

STEPS = 3_000
LENGTHS = dict(zip((ends := [cut.step for cut in cuts(STEPS)]), np.diff([0, *ends]).tolist(), strict=True))
"""Last step of each segment -> its steps."""

STATE = bytes(10_000)
"""As large as the state of a small model."""


class InstantPool:
    """Eight workers that train in no time."""

    devices: tuple[str, ...] = ("cpu",)
    places = 8

    def __init__(self, *_: Any, **__: Any) -> None:
        self._jobs: list[SegmentJob] = []

    def free(self) -> int:
        return self.places - len(self._jobs)

    def next_device(self) -> str:
        return "cpu"

    def submit(self, job: SegmentJob) -> None:
        self._jobs.append(job)

    def wait(self, timeout: float) -> list[SegmentOutcome]:
        jobs, self._jobs = self._jobs, []
        return [SegmentOutcome(trial=job.trial, segment=segment_of(job)) for job in jobs]

    def elapsed(self, trial: int) -> float:
        return 0.0

    def kill(self, trial: int) -> None:
        """Nothing to kill."""

    def leave(self, trial: int) -> None:
        """Nothing to drop."""

    def close(self) -> None:
        """Nothing to close."""


def segment_of(job: SegmentJob) -> Segment:
    """Return what a worker hands back that has trained nothing."""
    losses = np.zeros(LENGTHS[job.until_step], np.float32)
    return Segment(state=STATE, dev_loss=1.0 + job.trial / 1e6, losses=losses, seconds=0.0)


def drive(url: str, files: str | None, name: str, trials: int) -> tuple[float, float]:
    """Run a study; return when it began and ended, seconds."""
    POOLS["instant"] = PoolKind(list_devices=lambda *_, **__: ("cpu",), start=InstantPool)
    spec = toy_study(name=name, trials=trials, keep=5, fixed={"num_steps": STEPS})
    began = time.time()
    run_study(ToyTask(), spec, Database(url, files), how=How(pool="instant"))
    return began, time.time()


def rate(url: str, files: str | None, name: str, trials: int, drivers: int) -> float:
    """Return segments a second of several drivers of one study."""
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(drivers, spawn) as processes:
        runs = [processes.submit(drive, url, files, name, trials) for _ in range(drivers)]
        times = [run.result() for run in runs]
    return 4 * trials / (max(ended for _, ended in times) - min(began for began, _ in times))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--drivers", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    n, several = arguments.trials, arguments.drivers
    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        url = server.make_database("bench")
        figures = {
            "SQLite, 1 driver": rate(f"sqlite:///{folder}/sweep.db", None, "one", n, 1),
            "PostgreSQL, 1 driver": rate(url, folder, "one", n, 1),
            f"PostgreSQL, {several} drivers": rate(url, folder, "several", n, several),
        }
    if arguments.json:
        print(json.dumps({name: round(value, 1) for name, value in figures.items()}))
        return
    print(f"{n} trials of four segments; segments stored a second, workers that train in no time:")
    for name, value in figures.items():
        print(f"  {name:<24} {value:7.0f}")


if __name__ == "__main__":
    main()
