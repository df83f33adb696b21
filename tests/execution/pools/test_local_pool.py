"""Jobs run in worker processes, and a process that dies takes nothing along but its own jobs."""

import contextlib
import dataclasses
import itertools
import os
import resource
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sweep.cli import main
from sweep.errors import MachineError
from sweep.execution.events import TrialEnded
from sweep.execution.how import How
from sweep.execution.pools import local_worker
from sweep.execution.pools.pool import Pool, PoolRequest, SegmentOutcome
from sweep.execution.pools.pools import POOLS
from sweep.execution.run import run_study
from sweep.execution.workload import Workload
from sweep.storage.study_reader import load_study
from tests.support.pool_jobs import DATA, LARGE, job, trained, wait_for
from tests.support.programs import SOON_S
from tests.support.sweep_command import is_alive, kill, wait_until, workers
from tests.support.toy_runs import Watcher, database_in, run_toy, toy_study
from tests.support.toy_task import TOY, ToyConfig, ToyTask, UnreadableTask

MANY = ToyTask(many=4)
pytestmark = pytest.mark.usefixtures("cold_starts")
LINUX = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads children from /proc")
EITHER = pytest.mark.parametrize("many", [1, 4], ids=["one a process", "many a process"])


@contextlib.contextmanager
def pool_of(places: int, task: ToyTask = TOY, devices: Sequence[str] = ("toy:0",)) -> Iterator[Pool]:
    workload = Workload(task=task, data=DATA, engine="toy", devices=tuple(devices))
    pool = POOLS["local"].start(PoolRequest(workload=workload, workers=places, at_most=99))
    try:
        yield pool
    finally:
        pool.close()


# Births: what a new process does before it is ready.

BIRTHS = {
    "dies": "os._exit(9)",
    "is killed": "os.kill(os.getpid(), 9)",
    "dies after half of the data": "C.recv = lambda c: os.read(c.fileno(), 100_000) and os._exit(9)",
}
"""What a process that dies at birth does -> as Python, which each process runs first."""

HANG = "time.sleep(600)"


def give_birth(folder: Path, monkeypatch: pytest.MonkeyPatch, conduct: str) -> None:
    """Let every worker process that is started from now on behave so, as in a broken installation."""
    (folder / "sitecustomize.py").write_text(
        "import os, sys, time\n"
        "if any('sweep.execution.pools.worker' in part for part in sys.orig_argv):\n"
        "    from multiprocessing.connection import Connection as C\n"
        f"    {conduct}\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(folder))


@EITHER
@pytest.mark.parametrize("conduct", BIRTHS.values(), ids=BIRTHS)
def test_processes_that_die_at_birth_end_the_run(many, conduct, tmp_path, monkeypatch) -> None:
    """Three are tried; the driver, which has megabytes for them, is never blocked."""
    give_birth(tmp_path, monkeypatch, conduct)
    with pool_of(1, ToyTask(many=many)) as pool:
        pool.submit(job(0))
        with pytest.raises(MachineError, match=r"cannot start: 3 died .* exit code -?9; `sweep doctor`"):
            wait_for(pool)


@EITHER
def test_a_process_that_hangs_before_it_reads_does_not_block_the_driver(many, tmp_path, monkeypatch) -> None:
    """Waiting takes as long as it was asked to, until the start limit is over."""
    give_birth(tmp_path, monkeypatch, HANG)
    started = time.monotonic()
    with pool_of(1, ToyTask(many=many)) as pool:
        pool.submit(job(0))
        assert pool.wait(0.1) == []
        assert time.monotonic() - started < SOON_S
        monkeypatch.setattr(local_worker, "START_LIMIT_S", 0.5)
        with pytest.raises(MachineError, match=r"cannot start: it was not ready after 0\.5 s"):
            wait_for(pool)
    assert time.monotonic() - started < 60  # it hangs ten minutes


@EITHER
def test_a_stop_is_obeyed_while_processes_hang_at_birth(many, tmp_path, monkeypatch) -> None:
    """The trials wait for the next run, which trains them."""
    spec, looks = toy_study(trials=2), itertools.count()
    task = ToyTask(many=many, data_bytes=LARGE)
    with monkeypatch.context() as broken:
        give_birth(tmp_path, broken, HANG)
        run = run_study(
            task, spec, database_in(tmp_path), how=How(workers=1, should_stop=lambda: next(looks) == 5)
        )
    assert run.stopped_by == "signal"
    study = run_toy(tmp_path, spec, task=task).study
    assert [trial.state for trial in study.trials] == ["complete"] * 2


def test_the_command_ends_with_3_and_one_line_if_processes_die_at_birth(
    tmp_path, monkeypatch, capsys, names_file
) -> None:
    """On the names, whose encoded words are larger than a pipe."""
    give_birth(tmp_path, monkeypatch, BIRTHS["dies"])
    study = tmp_path / "small.toml"
    study.write_text(
        f'name = "small"\nsampler = "random"\ntrials = 2\n[data]\nwords = "{names_file}"\n'
        "[fixed]\nnum_steps = 20\n[search]\nblock_size = { low = 1, high = 2 }\n"
    )
    place = ("--storage", f"sqlite:///{tmp_path}/sweep.db", "--device", "cpu")
    assert main(["run", str(study), "--workers", "1", *place]) == 3
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("sweep: ")]
    assert len(errors) == 1
    assert "cannot start: 3 died" in errors[0]


@EITHER
@pytest.mark.parametrize("unreadable", ["task", "job"])
def test_what_the_process_cannot_read_ends_the_run(many, unreadable) -> None:
    """The error names what the process lacks."""
    task = (UnreadableTask if unreadable == "task" else ToyTask)(many=many)
    config = UnreadableTask() if unreadable == "job" else ToyConfig()
    with pool_of(1, task) as pool:
        pool.submit(dataclasses.replace(job(0), config=config))
        with pytest.raises(MachineError, match="cannot start: ImportError: the toy is not installed here"):
            wait_for(pool)


def test_a_task_that_cannot_be_sent_ends_the_run() -> None:
    """Whatever fails in a thread of the driver reaches the driver."""
    task = ToyTask()
    object.__setattr__(task, "split_rule", lambda: "a function without a name")
    with pool_of(1, task) as pool, pytest.raises(MachineError, match=r"cannot start: \w+Error: Can't"):
        wait_for(pool)


@contextlib.contextmanager
def open_files_left(n: int) -> Iterator[None]:
    """Let this process open so many more files."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    opened = []
    try:
        with contextlib.suppress(OSError):
            while True:
                opened.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(n):
            os.close(opened.pop())
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for descriptor in opened:
            os.close(descriptor)


@LINUX
def test_a_system_that_refuses_a_process_ends_the_run() -> None:
    """The limit of open files is reached at the second or third one; those before it are gone."""
    expected = pytest.raises(MachineError, match=r"cannot start: OSError: .*Too many open files")
    with open_files_left(9), expected, pool_of(9):
        pass
    assert workers(os.getpid()) == []


@LINUX
@EITHER
def test_a_process_killed_while_it_starts_costs_no_trial_a_death(many) -> None:
    """Its job is given to another process, and comes back trained."""
    with pool_of(1, ToyTask(many=many, start_s=1.0)) as pool:
        pool.submit(job(0))
        kill_workers()
        (outcome,) = wait_for(pool)
        assert outcome.segment is not None


@LINUX
@EITHER
def test_processes_that_are_killed_again_and_again_while_they_start_end_the_run(many) -> None:
    """After three in a row the pool gives up, rather than failing one trial after another."""
    with pool_of(1, ToyTask(many=many, start_s=30)) as pool:
        pool.submit(job(0))

        def kill_all() -> None:
            while True:
                kill_workers()
                assert pool.wait(0.2) == []

        with pytest.raises(MachineError, match="cannot start: 3 died"):
            kill_all()


@EITHER
def test_a_process_that_is_not_ready_in_time_ends_the_run(many, monkeypatch) -> None:
    """The time of a job does not pass before its process is ready, so this wait has a limit of its own."""
    monkeypatch.setattr(local_worker, "START_LIMIT_S", 0.5)
    with pool_of(1, ToyTask(many=many, start_s=600)) as pool:
        assert pool.wait(0.7) == []  # nobody waits for a process without a job
        pool.submit(job(0))
        with pytest.raises(MachineError, match=r"cannot start: it was not ready after 0\.5 s"):
            wait_for(pool)


# Deaths of a process that was ready.


def kill_workers() -> None:
    """Kill all worker processes of this process, and wait until they are gone."""
    pids = workers(os.getpid())
    for pid in pids:
        kill(pid)
    assert wait_until(lambda: not any(map(is_alive, pids)))


@LINUX
@EITHER
def test_a_process_that_dies_idle_is_replaced_and_costs_no_trial_a_death(many) -> None:
    """The next job is trained, whether the driver has looked in between or not."""
    with pool_of(1, ToyTask(many=many)) as pool:
        pool.submit(job(0))
        assert wait_for(pool)[0].segment is not None
        for trial, looks in ((1, False), (2, True)):
            kill_workers()
            if looks:
                assert wait_until(lambda: not pool.wait(0.01) and bool(workers(os.getpid())))
            pool.submit(job(trial))
            (outcome,) = wait_for(pool)
            assert outcome.segment is not None


@LINUX
@EITHER
def test_half_an_answer_is_a_death_of_its_job(many) -> None:
    """The next job is trained, and nobody waits for the other half."""
    with pool_of(1, ToyTask(many=many)) as pool:
        pool.submit(job(0, "half"))
        assert wait_for(pool) == [SegmentOutcome(trial=0)]
        pool.submit(job(1))
        assert [outcome.trial for outcome in wait_for(pool)] == [1]


@LINUX
def test_a_process_that_is_stopped_does_not_block_the_driver() -> None:
    """A job larger than a pipe waits until the process continues, and the driver does not."""
    with pool_of(1) as pool:
        pool.submit(job(0))
        wait_for(pool)
        (pid,) = workers(os.getpid())
        os.kill(pid, signal.SIGSTOP)
        started = time.monotonic()
        large = dataclasses.replace(job(1), state=b"[300, 5]" + b" " * 3_000_000)
        pool.submit(large)
        assert pool.wait(0.1) == []
        assert time.monotonic() - started < SOON_S
        os.kill(pid, signal.SIGCONT)
        assert wait_for(pool)[0].segment is not None


def test_a_death_among_many_is_blamed_on_the_one_that_dies_alone() -> None:
    """All are lost with the process; one at a time again, and only the one to blame has died."""
    with pool_of(4, MANY) as pool:
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


# Jobs that are ended, and the pool's end.


@LINUX
def test_a_hanging_training_is_ended_with_its_process() -> None:
    """Another process takes its place, and the other job is not touched."""
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
def test_a_dropped_job_leaves_its_process_to_the_others() -> None:
    """The process is the same, and its place is free at once."""
    with pool_of(2, MANY) as pool:
        pool.submit(job(0, "sleep"))
        assert wait_until(lambda: not pool.wait(0.05) and pool.elapsed(0) > 0.1)
        before = workers(os.getpid())
        pool.kill(0)
        assert pool.free() == 2
        pool.submit(job(1))
        assert [outcome.trial for outcome in wait_for(pool)] == [1]
        assert workers(os.getpid()) == before


@LINUX
@EITHER
@pytest.mark.parametrize("start_s", [0, 3 * SOON_S])
def test_closing_ends_all_processes_at_once(many: int, start_s: float) -> None:
    """Whether they train, idle or still start, they are gone long before they would end by themselves."""
    with pool_of(2, ToyTask(many=many, start_s=start_s), devices=("toy:0", "toy:1")) as pool:
        pool.submit(job(0, "sleep"))
        assert wait_until(lambda: len(workers(os.getpid())) == 2)
        pids = workers(os.getpid())
        started = time.monotonic()
        pool.close()
        assert time.monotonic() - started < SOON_S
        assert wait_until(lambda: not any(map(is_alive, pids)), SOON_S)


@LINUX
@EITHER
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_processes_leave_signals_of_the_group_to_the_driver(number: signal.Signals, many: int) -> None:
    """Ctrl-C and SIGTERM reach the whole group; a process that trains ends its segment."""
    with pool_of(1, ToyTask(many=many)) as pool:
        pool.submit(job(0))
        wait_for(pool)
        before = workers(os.getpid())
        for pid in before:
            os.kill(pid, number)
        time.sleep(0.2)
        pool.submit(job(1))
        assert wait_for(pool)[0].segment is not None
        assert workers(os.getpid()) == before


@LINUX
def test_a_wait_ends_though_a_signal_is_handled_slowly() -> None:
    """A handler that ends after the timeout makes no wait endless; else a stopped run would go on."""
    before = signal.signal(signal.SIGALRM, lambda *_: time.sleep(0.4))
    with pool_of(1) as pool:
        pool.submit(job(0, "sleep"))
        assert wait_until(lambda: not pool.wait(0.05) and pool.elapsed(0) > 0.1)
        rescue = threading.Timer(SOON_S, lambda: list(map(kill, workers(os.getpid()))))
        rescue.start()
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            started = time.monotonic()
            assert pool.wait(0.2) == []
            assert time.monotonic() - started < SOON_S
        finally:
            rescue.cancel()
            signal.signal(signal.SIGALRM, before)


# Processes and places.


@LINUX
def test_a_task_decides_how_many_jobs_a_process_has() -> None:
    """One job a process, all on the first device; or many, with a process for each device."""
    for task, processes, devices in ((TOY, 3, ("toy:0",)), (MANY, 2, ("toy:0", "toy:1"))):
        with pool_of(3, task, ("toy:0", "toy:1")) as pool:
            assert (pool.places, pool.devices) == (3, devices)
            assert len(workers(os.getpid())) == processes


def test_jobs_are_shared_out_among_devices_and_come_back_as_trained_here() -> None:
    """Two processes, five places; each job's numbers are those of a call, its trial stays on its device."""
    with pool_of(5, MANY, ("toy:0", "toy:1")) as pool:
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


def test_a_study_has_the_same_numbers_however_many_jobs_a_process_has(tmp_path) -> None:
    """One of six dies: the others have the losses of one job a process, each trial with its device."""
    listed = [{"x": 0.1 * n, "y": 1 + n, "conduct": "die" if n == 1 else "learn"} for n in range(6)]
    spec = toy_study(sampler="listed", trials=6, trial=listed)
    alone, many = tmp_path / "alone", tmp_path / "many"
    watcher = Watcher()
    for folder, task, watch in ((alone, TOY, Watcher()), (many, MANY, watcher)):
        folder.mkdir()
        run_toy(folder, spec, watch, task=task, workers=4)
    records = [load_study(database_in(folder).open_read_only(), "toy") for folder in (alone, many)]
    expected, found = [{t.number: (t.state, t.params, t.dev_loss) for t in r.trials} for r in records]
    assert found == expected
    assert [state for state, *_ in found.values()].count("complete") == 5
    assert {trial.device for trial in records[1].trials} == {"toy:0", "toy:1"}
    stored = {trial.number: trial.device for trial in records[1].trials}
    assert {event.trial.number: event.trial.device for event in watcher.of(TrialEnded)} == stored
