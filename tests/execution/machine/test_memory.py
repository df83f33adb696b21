"""What fits into a machine, and what is refused, with the hyperparameter to lower."""

import math
from pathlib import Path

import pytest

from sweep.errors import TooLargeError
from sweep.execution.machine import memory
from sweep.execution.machine.memory import check_fits, machine_bytes
from sweep.execution.machine.study_memory import describe_memory, study_memory
from sweep.execution.planning.study_plan import plan_study
from sweep.execution.pools.pool import train_job
from sweep.execution.workload import Workload
from sweep.task import SegmentJob
from tests.support.toy_runs import toy_study
from tests.support.toy_task import ToyTask

GB = 1_000_000_000
Y = {"y": {"low": 1, "high": 8, "step": 1}}


@pytest.fixture
def four_gb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with 4 GB."""
    (tmp_path / "meminfo").write_text(f"MemTotal: {4 * GB // 1024} kB\nSwapTotal: 0 kB\n")
    own = machine_bytes
    for module in (memory, "sweep.execution.planning.study_plan", "sweep.execution.machine.study_memory"):
        monkeypatch.setattr(
            module if module is memory else __import__(module, fromlist=["x"]),
            "machine_bytes",
            lambda: own(tmp_path, tmp_path),
        )


def meminfo(folder: Path, total_kb: int, swap_kb: int = 0) -> None:
    (folder / "meminfo").write_text(f"MemTotal: {total_kb} kB\nMemFree: 1 kB\nSwapTotal: {swap_kb} kB\n")


def test_swap_counts_as_memory(tmp_path: Path) -> None:
    """What ran with swap must run again."""
    meminfo(tmp_path, 1_000, 500)
    assert machine_bytes(tmp_path, tmp_path) == 1_500 * 1024


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("0::/a/b", "a/b/memory.max"),
        ("0::/a/b", "a/memory.max"),
        ("0::/", "memory.max"),
        ("5:memory:/a", "memory/a/memory.limit_in_bytes"),
        ("5:cpu,memory:/a", "memory/memory.limit_in_bytes"),
    ],
)
def test_the_limit_of_a_container_counts(tmp_path: Path, line: str, file: str) -> None:
    """That of its own control group, or of one above it, in both versions of control groups."""
    meminfo(tmp_path, 1_000)
    (tmp_path / "self").mkdir()
    (tmp_path / "self/cgroup").write_text(f"3:cpu:/x\n{line}\n")
    limit = tmp_path / "groups" / file
    limit.parent.mkdir(parents=True)
    for text, expected in (
        ("max\n", 1_000 * 1024),
        ("70000\n", 70_000),
        ("9223372036854771712\n", 1_024_000),
    ):
        limit.write_text(text)
        assert machine_bytes(tmp_path, tmp_path / "groups") == expected


def test_this_machine_has_memory() -> None:
    """A finite amount, on Linux."""
    assert 100_000_000 < machine_bytes() < math.inf


@pytest.mark.usefixtures("four_gb")
def test_a_configuration_that_cannot_fit_is_refused_where_it_would_be_trained() -> None:
    """One line: what it needs, what there is, what to lower; the next smaller one is trained."""
    task = ToyTask(bytes_of_y=GB)
    data = task.load_data({"words": ""})
    job = SegmentJob(trial=0, config=task.make_config({"y": 5}), state=None, until_step=10)
    refusal = "a worker needs about 5.0 GB of memory, this machine has 4.0 GB; lower y, which is 5"
    with pytest.raises(TooLargeError, match=refusal):
        train_job(Workload(task=task, data=data, engine="toy", devices=("cpu",)), "cpu", job)
    check_fits(task, task.make_config({"y": 3}), data, device="cpu")


@pytest.mark.usefixtures("four_gb")
def test_a_study_is_refused_only_if_nothing_in_it_fits() -> None:
    """A space that reaches too far is planned from what fits, with the advice to lower its end."""
    task, spec = ToyTask(bytes_of_y=GB), toy_study(search=Y)
    data = task.load_data({"words": ""})
    found = study_memory(task, spec, data, device="cpu")
    assert (found.least, found.most) == (GB, 8 * GB)
    plan = plan_study(task, spec, data, workers=2, device="cpu")
    assert plan.memory_bytes == 8 * GB
    assert plan.memory == (
        "memory: a worker needs about 8.0 GB at most, this machine has 4.0 GB; larger trials will fail: "
        "lower y, which is 8"
    )
    assert {timing.params["y"] for timing in plan.timings} <= {1, 2, 3, 4}
    with pytest.raises(TooLargeError, match="lower y, which is 8"):
        plan_study(ToyTask(bytes_of_y=5 * GB), spec, data, workers=2, device="cpu")


def test_too_many_workers_are_answered_with_how_many_fit() -> None:
    """Each fits alone."""
    task, spec = ToyTask(bytes_of_y=GB // 8), toy_study(search=Y)
    data = task.load_data({"words": ""})
    found = study_memory(task, spec, data, device="cpu")
    assert describe_memory(task, data, found, 4, 4 * GB) == "memory: a worker needs about 1.0 GB at most"
    assert describe_memory(task, data, found, 5, 4 * GB).endswith(
        "this machine has 4.0 GB: too little for 5 at their largest; --workers 4 fit"
    )
