"""Every kind of pool keeps the same contract: local, local with many jobs a process, and Ray."""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sweep.definition.resources import Resources
from sweep.errors import DeviceError, MachineError
from sweep.execution.events import Event, RunStarted, SegmentStored, Warned
from sweep.execution.how import How
from sweep.execution.pools.pool import Pool, PoolRequest, SegmentOutcome
from sweep.execution.pools.pools import POOLS, choose_pool, local_places
from sweep.execution.run import run_study
from sweep.execution.workload import Workload
from sweep.task import load_task
from tests.support.pool_jobs import DATA, job, trained, wait_for
from tests.support.programs import SOON_S
from tests.support.ray_cluster import RayCluster, running_cluster
from tests.support.sweep_command import wait_until
from tests.support.toy_runs import Watcher, database_in, run_toy, toy_study
from tests.support.toy_task import TOY, ToyTask

pytestmark = [
    pytest.mark.usefixtures("cold_starts"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves files and sockets open
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
KINDS = ["local", "local, many a process", "ray"]

PoolOf = Callable[..., contextlib.AbstractContextManager[Pool]]


def request_of(task: ToyTask, **changes: Any) -> PoolRequest:
    workload = Workload(task=task, data=DATA, engine="toy", devices=changes.pop("devices", ("cpu",)))
    return PoolRequest(workload=workload, **({"workers": 1, "at_most": 1} | changes))


@pytest.fixture(scope="module")
def ray_cluster() -> Iterator[RayCluster]:
    """A cluster of three nodes, two of which train."""
    with running_cluster(nodes=2) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def ray_connection(ray_cluster: RayCluster) -> Iterator[contextlib.ExitStack]:
    """A connection to the cluster that pools share while it is open, and with it the cluster's processes."""
    with contextlib.ExitStack() as opened:
        yield opened


@pytest.fixture
def own_connection(ray_connection: contextlib.ExitStack) -> None:
    """Let the pools of a test connect for themselves."""
    ray_connection.close()


@pytest.fixture(params=KINDS)
def pool_of(request: pytest.FixtureRequest) -> PoolOf:
    """Function that starts a pool of a kind with so many places."""
    kind, _, many = request.param.partition(", ")
    if kind == "ray":
        _share_connection(request.getfixturevalue("ray_connection"), request.getfixturevalue("ray_cluster"))

    @contextlib.contextmanager
    def start(places: int, **conduct: float) -> Iterator[Pool]:
        task = ToyTask(many=4 if many else 1, **conduct)
        devices = POOLS[kind].list_devices(task, "auto", Resources())[:1]
        pool = POOLS[kind].start(request_of(task, workers=places, at_most=9, devices=devices))
        try:
            yield pool
        finally:
            pool.close()

    return start


def _share_connection(opened: contextlib.ExitStack, cluster: RayCluster) -> None:
    import ray

    from sweep.execution.pools.ray_connection import connected

    if not ray.is_initialized():
        opened.enter_context(connected(cluster.address))


def test_a_job_gives_what_it_gives_in_this_process(pool_of: PoolOf) -> None:
    """State, loss and losses are bitwise those of a call; every job comes back under its trial."""
    with pool_of(2) as pool:
        assert pool.places == pool.free() == 2
        assert pool.next_device() in pool.devices
        pool.submit(job(0))
        pool.submit(job(1))
        assert pool.free() == 0
        outcomes = {outcome.trial: outcome.segment for outcome in wait_for(pool, 2)}
        assert pool.free() == 2
    assert outcomes.keys() == {0, 1}
    for trial, segment in outcomes.items():
        here = trained(trial)
        assert segment is not None
        assert (segment.state, segment.dev_loss) == (here.state, here.dev_loss)
        assert segment.losses.tobytes() == here.losses.tobytes()


def test_what_a_study_leaves_open_is_found_where_it_is_trained(pool_of: PoolOf) -> None:
    """The segment says what was found, and is that of the configuration with it."""
    with pool_of(1) as pool:
        pool.submit(dataclasses.replace(job(0), find=("x",)))
        (outcome,) = wait_for(pool)
    asked = job(0)
    config = asked.config.replace(x=asked.config.y / 10)
    here = TOY.train_segment(config, DATA, asked.state, asked.until_step, engine="", device="")
    assert outcome.segment is not None
    assert dict(outcome.segment.found) == {"x": asked.config.y / 10}
    assert outcome.segment.dev_loss == here.dev_loss


def test_an_exception_comes_back_as_one_line_and_the_pool_goes_on(pool_of: PoolOf) -> None:
    """The fault has the kind and the first line; the next job is trained."""
    with pool_of(1) as pool:
        pool.submit(job(0, "raise"))
        assert wait_for(pool) == [SegmentOutcome(trial=0, fault="ValueError: the toy broke")]
        pool.submit(job(1))
        assert wait_for(pool)[0].segment is not None


def test_a_death_in_training_is_told_of_the_one_that_died(pool_of: PoolOf) -> None:
    """The outcome has neither segment nor fault; the other job is trained, and both places are free."""
    with pool_of(2) as pool:
        pool.submit(job(0, "die"))
        pool.submit(job(1))
        outcomes = sorted(wait_for(pool, 2), key=lambda outcome: outcome.trial)
        assert outcomes[0] == SegmentOutcome(trial=0)
        assert outcomes[1].segment is not None
        assert pool.free() == 2
        pool.submit(job(2))
        assert wait_for(pool)[0].segment is not None


def test_a_worker_that_cannot_get_ready_trains_nothing(pool_of: PoolOf) -> None:
    """It is an error of the machine: what an unprepared process trains would be other numbers."""
    with pool_of(1, cannot_start=True) as pool:
        pool.submit(job(0))
        with pytest.raises(MachineError, match="cannot start: OSError: no such engine"):
            wait_for(pool)


def test_the_time_of_a_job_begins_when_its_worker_is_ready(pool_of: PoolOf) -> None:
    """While the worker starts, no time of the job has passed."""
    with pool_of(1, start_s=0.6) as pool:
        pool.submit(job(0, "sleep"))
        assert pool.elapsed(0) == 0
        assert wait_until(lambda: not pool.wait(0.05) and pool.elapsed(0) > 0.2)
        time.sleep(0.3)
        assert 0.4 < pool.elapsed(0) < 30


@pytest.mark.parametrize("begun", [False, True], ids=["before it begins", "in training"])
def test_a_job_can_be_ended_without_an_outcome(pool_of: PoolOf, begun: bool) -> None:
    """The next job is trained, and the place is free again."""
    with pool_of(2) as pool:
        pool.submit(job(0, "sleep"))
        assert not begun or wait_until(lambda: not pool.wait(0.05) and pool.elapsed(0) > 0.1)
        pool.kill(0)
        assert pool.free() == 2
        pool.submit(job(1))
        assert [outcome.trial for outcome in wait_for(pool)] == [1]
        assert pool.wait(0.2) == []


def test_a_trial_whose_job_was_ended_can_be_submitted_again(pool_of: PoolOf) -> None:
    """What comes is the segment of the later job."""
    with pool_of(1) as pool:
        pool.submit(job(0, "sleep"))
        pool.kill(0)
        pool.submit(job(0))
        (outcome,) = wait_for(pool)
    assert outcome.segment is not None
    assert outcome.segment.dev_loss == trained(0).dev_loss


def test_a_trial_that_ended_is_left_and_the_pool_goes_on(pool_of: PoolOf) -> None:
    """Also one that the pool never had, which ended before it was submitted; all places stay free."""
    with pool_of(1) as pool:
        pool.submit(job(0))
        assert wait_for(pool)[0].segment is not None
        for trial in (0, 7):
            pool.leave(trial)
        assert pool.free() == pool.places == 1
        pool.submit(job(1))
        assert [outcome.trial for outcome in wait_for(pool)] == [1]


def test_closing_twice_is_harmless(pool_of: PoolOf) -> None:
    """What trains is left behind at once."""
    with pool_of(1) as pool:
        pool.submit(job(0, "sleep"))
        started = time.monotonic()
        pool.close()
        assert time.monotonic() - started < SOON_S


def test_no_more_places_than_jobs(pool_of: PoolOf) -> None:
    """Workers that would have nothing to do are not started."""
    with pool_of(20) as pool:
        assert pool.places == 9


@pytest.mark.parametrize(
    "name", ["", "dask", "ray://", "ray://host", "ray://host:", "local://here", "raylocal"]
)
def test_a_pool_that_is_not_known_is_refused(name: str) -> None:
    """The known ones are named."""
    with pytest.raises(DeviceError, match=r"local, ray or ray://HOST:PORT"):
        choose_pool(name)


def test_names_of_pools_and_what_they_mean() -> None:
    """An address goes to the kind as it stands."""
    assert choose_pool("local") == (POOLS["local"], None)
    assert choose_pool("ray") == (POOLS["ray"], None)
    assert choose_pool("ray://head:10001") == (POOLS["ray"], "ray://head:10001")


@pytest.mark.usefixtures("own_connection")
def test_a_study_on_ray_is_the_study_on_this_machine(tmp_path, ray_cluster, monkeypatch) -> None:
    """Listed trials with deaths and faults: states and losses are to the last bit those of local workers."""
    monkeypatch.setenv("RAY_ADDRESS", ray_cluster.address)
    conducts = ["learn", "die", "raise", "learn", "nan", "stumble"]
    listed = [
        {"x": 0.1 * place, "y": 1 + place, "conduct": conduct} for place, conduct in enumerate(conducts)
    ]
    spec = toy_study(sampler="listed", trials=6, trial=listed, data={"words": str(tmp_path)})
    outcomes = []
    for pool in ("local", "ray"):
        folder = tmp_path / pool
        folder.mkdir()
        study = run_toy(folder, spec, pool=pool, workers=2).study
        outcomes.append([(t.number, t.state, t.params, t.dev_loss, t.reason) for t in study.trials])
        for fell in tmp_path.glob("fell-*"):
            fell.unlink()
    assert outcomes[1] == outcomes[0]
    assert [state for _, state, *_ in outcomes[0]].count("complete") == 3


@pytest.mark.usefixtures("own_connection")
def test_a_node_that_is_killed_delays_and_costs_nothing(tmp_path, ray_cluster, monkeypatch) -> None:
    """No trial is to blame for it; the table is to the last bit that of local workers."""
    monkeypatch.setenv("RAY_ADDRESS", ray_cluster.address)
    listed = [{"x": 0.1 * place, "y": 1} for place in range(5)]
    spec = toy_study(sampler="listed", trials=5, trial=listed)
    slow = ToyTask(segment_s=0.2)
    watcher = Watcher()

    def watch(event: Event) -> None:
        watcher(event)
        if isinstance(event, SegmentStored) and len(watcher.of(SegmentStored)) == 3:
            ray_cluster.kill_node()

    on_ray = run_study(slow, spec, database_in(tmp_path), how=How(pool="ray", observe=watch)).study
    ray_cluster.add_node()
    (tmp_path / "local").mkdir()
    here = run_toy(tmp_path / "local", spec, workers=2).study
    assert watcher.of(RunStarted)[0].workers == 2
    assert not watcher.of(Warned)
    told = [[dataclasses.astuple(segment) for segment in t.segments] for t in on_ray.trials]
    assert told == [[dataclasses.astuple(segment) for segment in t.segments] for t in here.trials]
    assert [t.dev_loss for t in on_ray.trials] == [t.dev_loss for t in here.trials]


@pytest.mark.usefixtures("own_connection")
def test_no_cluster_at_an_address_is_one_line(monkeypatch) -> None:
    """It is said at once, with the address."""
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(MachineError, match=r"no Ray cluster listens at 127\.0\.0\.1:1"):
        POOLS["ray"].start(request_of(TOY))


@pytest.mark.parametrize(
    ("cpus", "workers", "places"), [(1, None, 8), (3, None, 2), (64, None, 1), (3, 5, 5)]
)
def test_a_plan_counts_the_workers_that_a_run_would_have(
    monkeypatch: pytest.MonkeyPatch, cpus: int, workers: int | None, places: int
) -> None:
    """A machine of eight cores has room for eight divided by ``cpus``, unless the user asks for a number."""
    monkeypatch.setattr("sweep.execution.pools.pools.usable_cores", lambda: 8)
    program = load_task("command", {"command": ["true"], "metric": "loss"}, {})
    assert local_places(program, Resources(cpus=cpus), "cpu", workers) == places
    assert local_places(TOY, Resources(cpus=cpus), "cpu", None) == 8  # its engine uses one core
