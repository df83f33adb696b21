"""The real command and the real trainer on a cluster of three nodes, one of which is killed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.ray_cluster import RayCluster, running_cluster
from tests.support.sweep_command import wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Ray leaves files and sockets open
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
CLIENT_PORT = 9_731
"""Below those that Ray gives its workers."""

ROWS = [
    {"block_size": 3 + row % 3, "embedding_dim": 8, "hidden_neurons": 100 + 20 * row, "batch_size": 64}
    for row in range(6)
]
STUDY = """
name = "listed"
sampler = "listed"
[data]
words = "{words}"
[fixed]
num_steps = {steps}
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    """A head without a core, two nodes with one each."""
    with running_cluster(nodes=2, client_port=CLIENT_PORT) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """The study's table as local workers make it."""
    folder = lay_out(tmp_path_factory.mktemp("local"))
    subprocess.run(command("run", "listed.toml"), cwd=folder, check=True, capture_output=True, timeout=300)
    return table(folder)


def lay_out(folder: Path, steps: int = 60_000) -> Path:
    """Write the study into a folder."""
    study = STUDY.format(words=REPOSITORY / "data" / "names.txt", steps=steps)
    for row in ROWS:
        study += "[[trial]]\n" + "".join(f"{name} = {value}\n" for name, value in row.items())
    (folder / "listed.toml").write_text(study)
    return folder


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "sweep", *arguments]


def table(folder: Path) -> list[dict[str, object]]:
    """The ranked trials as they are told, but for what they took."""
    told = subprocess.run(
        command("table", "listed", "--format", "json"), cwd=folder, check=True, capture_output=True, text=True
    )
    rows: list[dict[str, object]] = json.loads(told.stdout)
    return [{key: value for key, value in row.items() if "seconds" not in key} for row in rows]


@contextlib.contextmanager
def running(folder: Path, cluster: RayCluster, pool: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Run the study on the cluster."""
    run = subprocess.Popen(
        command("run", "listed.toml", "--json", "--pool", *pool),
        cwd=folder,
        env={**os.environ, "RAY_ADDRESS": cluster.address},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield run
    finally:
        run.kill()
        run.communicate()


def free_cpus(cluster: RayCluster) -> float:
    """Return how many cores no task has, as a driver of its own sees it."""
    ask = "import ray; ray.init(logging_level='ERROR'); print(ray.available_resources().get('CPU', 0))"
    told = subprocess.run(
        [sys.executable, "-c", ask],
        env={**os.environ, "RAY_ADDRESS": cluster.address},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(told.stdout.splitlines()[-1])


def first_trial(run: subprocess.Popen[str]) -> str:
    assert run.stdout is not None
    return run.stdout.readline()


def test_a_node_killed_in_mid_run_only_delays(tmp_path: Path, cluster: RayCluster, here) -> None:
    """Only results are on stdout, nothing is lost, and the table is that of local workers to the last bit."""
    with running(lay_out(tmp_path), cluster, ["ray"]) as run:
        told = [first_trial(run)]
        time.sleep(0.5)
        cluster.kill_node()
        rest, complaints = run.communicate(timeout=300)
    cluster.add_node()
    assert run.returncode == 0, complaints
    assert "raylet" not in complaints
    told += rest.splitlines()
    assert sorted(json.loads(line)["trial"] for line in told) == list(range(len(ROWS)))
    assert table(tmp_path) == here


def test_ctrl_c_cancels_what_runs_and_the_next_run_goes_on(tmp_path: Path, cluster: RayCluster, here) -> None:
    """Exit status 130, no task is left on the cluster, and the table comes out the same."""
    with running(lay_out(tmp_path), cluster, ["ray"]) as run:
        first_trial(run)
        run.send_signal(signal.SIGINT)
        _, complaints = run.communicate(timeout=60)
    assert run.returncode == 130, complaints
    assert "Traceback" not in complaints
    assert wait_until(lambda: free_cpus(cluster) == 2)
    with running(tmp_path, cluster, ["ray"]) as run:
        told, complaints = run.communicate(timeout=300)
    assert run.returncode == 0, complaints
    assert len(told.splitlines()) < len(ROWS)
    assert table(tmp_path) == here


def test_a_driver_elsewhere_comes_in_through_the_client_port(
    tmp_path: Path, cluster: RayCluster, here
) -> None:
    """``ray://HOST:PORT`` needs no Ray node where the driver runs."""
    with running(lay_out(tmp_path), cluster, [f"ray://127.0.0.1:{CLIENT_PORT}"]) as run:
        _, complaints = run.communicate(timeout=300)
    assert run.returncode == 0, complaints
    assert table(tmp_path) == here


def test_a_token_that_ray_makes_is_for_its_user_alone(tmp_path: Path) -> None:
    """Whoever has it can run code as that user; Ray itself lets all users of the machine read it."""
    lay_out(tmp_path, steps=100)
    own = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    subprocess.run(
        command("run", "listed.toml", "--pool", "ray"),
        cwd=tmp_path,
        env={**own, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(Path.home() / ".cache")},
        check=True,
        capture_output=True,
        timeout=300,
    )
    assert (tmp_path / ".ray" / "auth_token").stat().st_mode & 0o077 == 0


def test_a_head_that_is_gone_is_one_line(tmp_path: Path) -> None:
    """The driver says so and ends; what ended is stored."""
    lay_out(tmp_path, steps=1_000_000)
    with running_cluster(nodes=1) as cluster, running(tmp_path, cluster, ["ray"]) as run:
        told = first_trial(run)
        cluster.kill_head()
        rest, complaints = run.communicate(timeout=180)
        assert run.returncode == 3, complaints
        assert "Ray" in complaints.splitlines()[-1]
        assert "Traceback" not in complaints
        assert len(table(tmp_path)) >= len([told, *rest.splitlines()])
