"""Programs that run at a time: one for each set of GPUs, no GPU in two sets, and cores without GPUs."""

import pytest

from sweep.definition.resources import Resources
from sweep.errors import DeviceError
from sweep.execution.pools import local_pool, pools
from sweep.execution.pools.pool import PoolRequest
from sweep.execution.workload import Workload
from sweep.task import AnyTask, program_kind_named
from sweep.trainers.program.process import gpus
from sweep.trainers.program.trainer import program_of_study


@pytest.fixture
def task(tmp_path) -> AnyTask:
    raw = {"trainer": "trainers:train", "metric": "loss", "search": {"x": {"low": 0.0, "high": 1.0}}}
    return program_of_study(program_kind_named("function"), raw, tmp_path)


def places(
    task: AnyTask, devices: tuple[str, ...], resources: Resources, workers: int | None = None
) -> list[str]:
    """Return the device of each program that runs at a time."""
    workload = Workload(task=task, data=task.load_data({}), engine="function", devices=devices)
    asked = PoolRequest(workload=workload, at_most=99, workers=workers, resources=resources)
    return [device for device, count in local_pool._share_out(asked, 99) for _ in range(count)]


FOUR = ("cuda:0", "cuda:1", "cuda:2", "cuda:3")


@pytest.mark.parametrize(
    ("n_gpus", "expected"),
    [
        (0, [*FOUR]),
        (1, [*FOUR]),
        (2, ["cuda:0,cuda:1", "cuda:2,cuda:3"]),
        (3, ["cuda:0,cuda:1,cuda:2"]),
        (0.5, [*FOUR, *FOUR]),
    ],
)
def test_no_gpu_is_shared_unless_the_study_says_so(task: AnyTask, n_gpus: float, expected: list[str]) -> None:
    """Whole GPUs make disjoint sets; with half of one each is there twice."""
    found = places(task, FOUR, Resources(gpus=n_gpus))
    assert found == expected
    if n_gpus >= 1:
        each = ",".join(found).split(",")
        assert len(each) == len(set(each))


def test_fewer_workers_use_the_first_sets(task: AnyTask) -> None:
    assert places(task, FOUR, Resources(gpus=2), workers=1) == ["cuda:0,cuda:1"]


def test_more_workers_than_gpus_are_refused(task: AnyTask) -> None:
    """In one line that says how to share."""
    with pytest.raises(DeviceError, match=r"5 workers are asked for, .* room for 4; .* gpus = 0.5"):
        places(task, FOUR, Resources(), workers=5)


def test_a_trial_of_two_cores_has_half_the_workers(task: AnyTask, monkeypatch: pytest.MonkeyPatch) -> None:
    """On eight cores four; at least one, and as many as are asked for."""
    monkeypatch.setattr(local_pool, "usable_cores", lambda: 8)
    found = [len(places(task, ("cpu",), Resources(cpus=cpus))) for cpus in (1, 2, 3, 16)]
    assert found == [8, 4, 2, 1]
    assert places(task, ("cpu",), Resources(cpus=16), workers=3) == ["cpu"] * 3


@pytest.mark.parametrize("here", [0, 1])
def test_too_few_gpus_are_refused(task: AnyTask, monkeypatch: pytest.MonkeyPatch, here: int) -> None:
    """Before anything is trained; the CPU may still be asked for."""
    monkeypatch.setattr(gpus, "n_gpus", lambda: here)
    listed = pools.POOLS["local"].list_devices
    with pytest.raises(DeviceError, match=f"gives a trial 2 GPUs, but there are {here} here; --device cpu"):
        listed(task, "auto", Resources(gpus=2))
    assert listed(task, "cpu", Resources(gpus=2)) == ("cpu",)
    assert listed(task, "auto", Resources()) == (("cuda:0",) if here else ("cpu",))
