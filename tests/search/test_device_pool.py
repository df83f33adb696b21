"""Many jobs a worker: a place is filled when it is free, and a death is blamed on nobody else."""

import contextlib
import os
import time
from collections.abc import Iterator

import pytest
from sweep_command import is_alive, kill, wait_until, workers
from test_pool import DATA, LINUX, job, trained, wait_for
from toy_runs import Watcher, database_in, run_toy, toy_study
from toy_task import TOY, ToyTask

from sweep.errors import MachineError
from sweep.search.device_pool import DevicePool
from sweep.search.events import TrialEnded
from sweep.search.pool import LocalPool, PoolRequest, SegmentOutcome
from sweep.search.pools import POOLS
from sweep.search.study_store import load_study

MANY = ToyTask(many=4)


@contextlib.contextmanager
def pool_of(places: int, task: ToyTask = MANY, devices: tuple[str, ...] = ("toy:0",)) -> Iterator[DevicePool]:
    pool = DevicePool(task, DATA, workers=places, engine="toy", devices=devices)
    try:
        yield pool
    finally:
        pool.close()


def test_jobs_are_shared_out_among_devices_and_come_back_as_trained_here() -> None:
    """Two workers, five places; each job's numbers are those of a call, its trial stays on its device."""
    with pool_of(5, devices=("toy:0", "toy:1")) as pool:
        assert pool.free() == 5
        taken = []
        for trial in range(5):
            taken.append(pool.next_device())
            pool.submit(job(trial))
        assert sorted(taken) == ["toy:0"] * 3 + ["toy:1"] * 2
        assert pool.free() == 0
        outcomes = {outcome.trial: outcome.segment for outcome in wait_for(pool, 5)}
        assert pool.free() == 5
        pool.submit(job(1))
        assert pool.free() == 4
        assert wait_for(pool)[0].trial == 1
    assert outcomes.keys() == set(range(5))
    for trial, segment in outcomes.items():
        assert segment is not None
        assert (segment.state, segment.dev_loss) == (trained(trial).state, trained(trial).dev_loss)


def test_a_death_among_many_is_blamed_on_the_one_that_dies_alone() -> None:
    """All are lost with the worker; one at a time again, and only the one to blame has died."""
    with pool_of(4) as pool:
        for trial in range(4):
            pool.submit(job(trial, "die" if trial == 1 else "learn"))
        outcomes = {outcome.trial: outcome for outcome in wait_for(pool, 4)}
        assert outcomes[1] == SegmentOutcome(trial=1)
        assert all(outcomes[trial].segment is not None for trial in (0, 2, 3))
        pool.submit(job(1, "die"))  # as the driver does
        pool.submit(job(5))
        outcomes = {outcome.trial: outcome for outcome in wait_for(pool, 2)}
        assert outcomes[1] == SegmentOutcome(trial=1)
        assert outcomes[5].segment is not None


@LINUX
def test_a_dropped_job_leaves_its_place_and_closing_ends_the_worker() -> None:
    """No outcome comes for it; the time of the job in training has passed, that of the next has not."""
    with pool_of(2) as pool:
        pool.submit(job(0, "sleep"))
        pool.submit(job(1))
        assert wait_until(lambda: not pool.wait(0.05) and pool.elapsed(0) > 0.1, 60)
        pool.kill(1)
        assert pool.free() == 1
        (pid,) = workers(os.getpid())
        pool.close()
        assert wait_until(lambda: not is_alive(pid), 2)


@LINUX
def test_workers_that_die_at_their_start_are_an_error_of_the_machine() -> None:
    """One death costs nothing but time; the third in a row is an error."""
    with pool_of(1, ToyTask(many=4, start_s=30)) as pool:
        pool.submit(job(0))

        def kill_all() -> None:
            while True:
                for pid in workers(os.getpid()):
                    kill(pid)
                assert pool.wait(0.2) == []
                time.sleep(0.05)

        with pytest.raises(MachineError, match="cannot start: 3 died"):
            kill_all()


def test_a_worker_that_hangs_at_its_start_is_an_error_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of a job does not pass before its worker is ready, so this wait has a limit of its own."""
    monkeypatch.setattr("sweep.search.pool.START_LIMIT_S", 0.5)
    with pool_of(1, ToyTask(many=4, start_s=600)) as pool:
        assert pool.wait(0.7) == []  # nobody waits for a worker without a job
        pool.submit(job(0))
        with pytest.raises(MachineError, match=r"cannot start: it was not ready after 0\.5 s"):
            wait_for(pool)


def test_the_engine_decides_which_pool_it_is() -> None:
    """A task with one place has a process a job, one with more a process a device."""
    for task, kind in ((TOY, LocalPool), (MANY, DevicePool)):
        asked = PoolRequest(task=task, data=DATA, engine="toy", devices=("toy:0",), workers=1, at_most=1)
        pool = POOLS["local"].start(asked)
        pool.close()
        assert type(pool) is kind


def test_a_study_has_the_same_numbers_whichever_pool_trains_it(tmp_path) -> None:
    """Sampler random, workers on two devices: losses as with one worker, each trial with its device."""
    spec = toy_study(trials=6, trial=[{"x": 0.1, "y": 1, "conduct": "die"}])
    alone, many = tmp_path / "alone", tmp_path / "many"
    watcher = Watcher()
    for folder, task, watch in ((alone, TOY, Watcher()), (many, MANY, watcher)):
        folder.mkdir()
        run_toy(folder, spec, watch, task=task, workers=8)
    records = [load_study(database_in(folder).open_read_only(), "toy") for folder in (alone, many)]
    expected, found = [{t.number: (t.state, t.params, t.dev_loss) for t in r.trials} for r in records]
    assert found == expected
    assert {trial.device for trial in records[1].trials} == {"toy:0", "toy:1"}
    stored = {trial.number: trial.device for trial in records[1].trials}
    assert {event.trial.number: event.trial.device for event in watcher.of(TrialEnded)} == stored
