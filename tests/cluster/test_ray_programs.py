"""A user's own program on a cluster of Ray: its code is compared on the node that is to train it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweep.definition.study_file import load_study_file
from sweep.errors import DeviceError, StudyConflictError
from sweep.execution.pools.pool import PoolRequest, SegmentOutcome
from sweep.execution.pools.pools import POOLS
from sweep.execution.workload import Workload
from sweep.task import SegmentJob, TrialPlace, check_program, in_one_piece
from tests.support.ray_cluster import RayCluster, running_cluster

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves files and sockets open
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

STUDY = """
name = "own"
command = ["python", "train.py", "{x}"]
metric = "loss"
search.x = { low = 0.0, high = 1.0 }
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    """A head without a core and a node with one."""
    with running_cluster(nodes=1) as cluster:
        yield cluster


def test_another_program_on_a_node_ends_the_run_in_one_line(
    tmp_path: Path, cluster: RayCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node trains as long as its files are the driver's, and names the file that is not."""
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    script = tmp_path / "train.py"
    script.write_text("import sys\nprint('loss:', sys.argv[1])\n")
    (tmp_path / "own.toml").write_text(STUDY)
    with contextlib.chdir(tmp_path):
        task = load_study_file("own.toml").task
        check_program(task, {})
    task = in_one_piece(task, "none", "ray")
    data = task.load_data({})
    place = TrialPlace(study="own", folder=str(tmp_path / "programs"))
    workload = Workload(task=task, data=data, engine="command", devices=("cpu",), place=place)
    config = task.make_config({"x": 0.5, "seed": 1})
    pool = POOLS["ray"].start(PoolRequest(workload=workload, at_most=2, workers=1))
    with contextlib.closing(pool):
        pool.submit(SegmentJob(trial=0, config=config, state=None, until_step=1))
        (outcome,) = wait_for(pool)
        assert outcome.segment is not None
        assert outcome.segment.dev_loss == 0.5
        script.write_text("import sys\nprint('loss:', 2.0)\n")
        pool.submit(SegmentJob(trial=1, number=1, config=config, state=None, until_step=1))
        with pytest.raises(StudyConflictError) as refused:
            wait_for(pool)
    (line,) = refused.value.lines
    assert "differs from the driver's: train.py; copy the files" in line


TASK = """
import os
import sweep

class Train:
    def train_segment(self, config, state, until):
        done = int(state or 0)
        return sweep.Segment(str(until).encode(), {"loss": config.x * until, "from": done})
"""

TASK_STUDY = """
name = "own"
trainer = "trainers:Train"
metric = "loss"
budget = "epochs"
pruner = "median"
fixed.epochs = 10
search.x = { low = 0.0, high = 1.0 }
"""


def test_a_task_class_is_pruned_between_its_segments(
    tmp_path: Path, cluster: RayCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each segment is a separate job, which continues from the state of the previous one."""
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    (tmp_path / "trainers.py").write_text(TASK)
    (tmp_path / "own.toml").write_text(TASK_STUDY)
    with contextlib.chdir(tmp_path):
        task = load_study_file("own.toml").task
        check_program(task, {})
    assert in_one_piece(task, "median", "ray") is task
    place = TrialPlace(study="own", folder=str(tmp_path / "programs"))
    data = task.load_data({})
    workload = Workload(task=task, data=data, engine="function", devices=("cpu",), place=place)
    config = task.make_config({"x": 0.5, "epochs": 10, "seed": 1})
    pool = POOLS["ray"].start(PoolRequest(workload=workload, at_most=1, workers=1))
    state, since = None, 0
    with contextlib.closing(pool):
        for until in (1, 3, 9, 10):
            pool.submit(
                SegmentJob(
                    trial=0, config=config, state=state, from_step=since, until_step=until, averaged=True
                )
            )
            (outcome,) = wait_for(pool)
            assert outcome.segment is not None, outcome.fault
            assert outcome.segment.dev_loss == 0.5 * until
            assert outcome.segment.figures == {"from": since}
            state, since = outcome.segment.state, until


def test_a_pruner_is_refused_at_the_start(tmp_path: Path) -> None:
    """A program does not live on between two jobs of Ray, so that nothing could be compared."""
    (tmp_path / "own.toml").write_text(STUDY)
    task = load_study_file(tmp_path / "own.toml").task
    with pytest.raises(
        DeviceError, match="pruner asha compares running programs, which pool ray does not keep alive"
    ):
        in_one_piece(task, "asha", "ray")


def wait_for(pool) -> list[SegmentOutcome]:
    """Wait for the next outcome."""
    while not (found := pool.wait(1.0)):
        pass
    return found
