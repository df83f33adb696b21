"""Jobs run in worker processes whose death takes nothing along but the segment in training."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sweep_command import children, is_alive, kill, wait_until, workers
from toy_task import TOY, ToyConfig, ToyTask

from sweep.errors import MachineError
from sweep.search.pool import LocalPool, SegmentJob, SegmentOutcome
from sweep.task.protocol import Segment

DATA = TOY.load_data({"words": ""})
LINUX = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads children from /proc")


@contextlib.contextmanager
def pool_of(n: int, task: ToyTask = TOY) -> Iterator[LocalPool]:
    pool = LocalPool(task, DATA, workers=n, engine="toy", device="cpu")
    try:
        yield pool
    finally:
        pool.close()


def job(trial: int, conduct: str = "learn", state: bytes | None = b"[300, 5]") -> SegmentJob:
    return SegmentJob(trial=trial, config=ToyConfig(conduct=conduct, seed=trial), state=state, until_step=900)


def wait_for(pool: LocalPool, n: int = 1) -> list[SegmentOutcome]:
    """Wait until so many jobs have ended."""
    ended: list[SegmentOutcome] = []
    end = time.monotonic() + 60
    while len(ended) < n and time.monotonic() < end:
        ended += pool.wait(0.1)
    return ended


def trained(trial: int) -> Segment:
    """The segment of a job as this process makes it."""
    one = job(trial)
    return TOY.train_segment(one.config, DATA, one.state, one.until_step, engine="toy", device="cpu")


@LINUX
def test_an_idle_worker_that_was_killed_is_a_death_of_its_next_job() -> None:
    """The driver is told and can submit the job again; nothing hangs."""
    with pool_of(1) as pool:
        pool.submit(job(0))
        wait_for(pool)
        for pid in workers(os.getpid()):
            kill(pid)
        time.sleep(0.3)
        pool.submit(job(1))
        assert wait_for(pool) == [SegmentOutcome(trial=1)]
        pool.submit(job(1))
        assert wait_for(pool)[0].segment is not None


@LINUX
def test_a_worker_that_dies_in_the_middle_of_its_answer_is_a_death_of_its_job() -> None:
    """Half an answer is none: the next job is trained, and nobody waits for the other half."""
    with pool_of(1) as pool:
        pool.submit(job(0, "half"))
        assert wait_for(pool) == [SegmentOutcome(trial=0)]
        pool.submit(job(1))
        assert [outcome.trial for outcome in wait_for(pool)] == [1]


@LINUX
def test_a_worker_killed_while_it_starts_costs_no_trial_a_death() -> None:
    """Its job is given to another worker, and comes back trained."""
    with pool_of(1, ToyTask(start_s=1.0)) as pool:
        pool.submit(job(0))
        for pid in workers(os.getpid()):
            kill(pid)
        (outcome,) = wait_for(pool)
        assert outcome.segment is not None


@LINUX
def test_workers_that_always_die_at_their_start_are_an_error_of_the_machine() -> None:
    """After three in a row the pool gives up, rather than failing one trial after another."""
    with pool_of(1, ToyTask(start_s=30)) as pool:
        pool.submit(job(0))

        def kill_all() -> None:
            while True:
                for pid in workers(os.getpid()):
                    kill(pid)
                assert pool.wait(0.2) == []

        with pytest.raises(MachineError, match="cannot start: 3 died"):
            kill_all()


def test_a_worker_that_hangs_at_its_start_is_an_error_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of a job does not pass before its worker is ready, so this wait has a limit of its own."""
    monkeypatch.setattr("sweep.search.pool.START_LIMIT_S", 0.5)
    with pool_of(1, ToyTask(start_s=600)) as pool:
        assert pool.wait(0.7) == []  # nobody waits for a worker without a job
        pool.submit(job(0))
        with pytest.raises(MachineError, match=r"cannot start: it was not ready after 0\.5 s"):
            wait_for(pool)


@LINUX
def test_a_job_can_be_ended_without_an_outcome() -> None:
    """Its worker is gone, another one takes its place, and the other job is not touched."""
    with pool_of(2) as pool:
        pool.submit(job(0, "sleep"))
        before = set(workers(os.getpid()))
        pool.submit(job(1))
        assert wait_for(pool)[0].trial == 1
        pool.kill(0)
        assert pool.free() == 2
        assert len(before & set(workers(os.getpid()))) == 1
        pool.submit(job(2))
        assert [outcome.trial for outcome in wait_for(pool)] == [2]


@LINUX
@pytest.mark.parametrize("start_s", [0, 30])
def test_closing_ends_all_workers_at_once(start_s: float) -> None:
    """Whether they train, idle or still start, they are gone in two seconds; closing twice is harmless."""
    before = set(children(os.getpid()))
    with pool_of(2, ToyTask(start_s=start_s)) as pool:
        pool.submit(job(0, "sleep"))
        assert wait_until(lambda: len(set(workers(os.getpid())) - before) == 2, 10)
        pids = set(workers(os.getpid())) - before
        started = time.monotonic()
        pool.close()
        assert time.monotonic() - started < 2
        assert wait_until(lambda: not any(map(is_alive, pids)), 2)


@LINUX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_workers_leave_signals_of_the_group_to_the_driver(number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM reach the whole group; a training worker ends its segment."""
    with pool_of(1) as pool:
        pool.submit(job(0))
        wait_for(pool)
        for pid in workers(os.getpid()):
            os.kill(pid, number)
        time.sleep(0.2)
        pool.submit(job(1))
        assert wait_for(pool)[0].segment is not None
