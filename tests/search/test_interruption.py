"""Kill -9 of a worker, of the driver, and of both: the study ends with the table it would have had."""

import concurrent.futures
import dataclasses
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from sweep_command import (
    count_trials,
    database,
    is_alive,
    kill,
    rows,
    start_sweep,
    states,
    sweep,
    table,
    wait_for_segments,
    wait_until,
    workers,
    write_words,
)

from sweep.search.database import Database

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads children from /proc")

STUDIES = {
    "tpe": """
        sampler = "tpe"
        trials = 14
        [search]
        block_size = { low = 2, high = 4 }
        hidden_neurons = { low = 64, high = 128, log = true }
        learning_rate = { low = 0.01, high = 0.3, log = true }
        """,
    "asha": """
        sampler = "tpe"
        pruner = "asha"
        trials = 24
        [search]
        block_size = { low = 2, high = 4 }
        hidden_neurons = { low = 64, high = 128, log = true }
        learning_rate = { low = 0.01, high = 0.3, log = true }
        """,
    "grid": """
        sampler = "grid"
        [search]
        block_size = { choices = [2, 3, 4] }
        batch_size = { choices = [16, 32] }
        hidden_neurons = { choices = [64, 128] }
        """,
    "listed": """
        sampler = "listed"
        replicates = 2
        [[trial]]
        hidden_neurons = 128
        learning_rate = 0.1
        [[trial]]
        hidden_neurons = 64
        learning_rate = 0.3
        [[trial]]
        hidden_neurons = 64
        learning_rate = 1e30
        [[trial]]
        hidden_neurons = 96
        learning_rate = 0.05
        [[trial]]
        hidden_neurons = 100
        learning_rate = 0.2
        [[trial]]
        hidden_neurons = 110
        learning_rate = 0.02
        """,
}
COMMON = """
        keep = 3
        [data]
        words = "words.txt"
        [fixed]
        embedding_dim = 8
        num_steps = 12_000
        """
LIVES = [["worker", "driver"], ["worker", "worker", "both"]]
"""What is killed in each run of the command, before the last one, which ends by itself."""

SIGNALLED = "grid"
"""The study that is interrupted by signals as well, in a folder of its own."""


@dataclasses.dataclass
class Chain:
    """A study that was killed again and again, and what was seen on the way."""

    folder: Path
    kills: int
    orphans: int
    """Workers that were still there 2 s after their driver."""
    last: subprocess.CompletedProcess[str]


@dataclasses.dataclass
class Interruption:
    """One run that was told to leave."""

    signals: list[signal.Signals]
    status: int
    stdout: str
    stderr: str
    states: list[str]
    """Of the trials afterwards."""
    left_s: float
    """Seconds from the first signal to the end."""
    orphans: list[int]


@dataclasses.dataclass
class Runs:
    """All that this module looks at."""

    undisturbed: dict[str, list[dict[str, Any]]]
    """Study -> table."""
    killed: dict[str, Chain]
    interrupted: list[Interruption]
    table_after_signals: list[dict[str, Any]]


def _lay_out(folder: Path, name: str) -> Path:
    folder.mkdir()
    write_words(folder / "words.txt")
    # The settings first, then the sections that all studies share.
    own, _, sections = STUDIES[name].partition("[")
    common, _, common_sections = COMMON.partition("[")
    (folder / "study.toml").write_text(f'name = "{name}"\n{own}{common}[{common_sections}[{sections}')
    return folder


def _run_through(folder: Path, name: str) -> Path:
    done = sweep(_lay_out(folder, name), "run", "study.toml", "--workers", "1")
    assert done.returncode == 0, done.stderr
    return folder


def _run_killed(folder: Path, name: str) -> Chain:
    _lay_out(folder, name)
    moment = random.Random(name)  # noqa: S311  no secret
    kills = orphans = 0
    for life in LIVES:
        process = start_sweep(folder, "run", "study.toml", "--workers", "1")
        for victim in life:
            if not wait_for_segments(process, folder, moment.randint(1, 3)):
                break
            time.sleep(moment.uniform(0, 0.15))
            trainers = workers(process.pid)
            kills += process.poll() is None
            if victim != "driver":
                for pid in trainers:
                    kill(pid)
            if victim != "worker":
                kill(process.pid)
                process.communicate()
                gone = wait_until(lambda: not any(map(is_alive, trainers)), 2)  # noqa: B023  used at once
                orphans += 0 if gone else 1
        process.kill()
        process.communicate()
    last = sweep(folder, "run", "study.toml", "--workers", "1")
    return Chain(folder, kills, orphans, last)


def _run_interrupted(folder: Path) -> list[Interruption]:
    _lay_out(folder, SIGNALLED)
    seen = []
    for signals in ([signal.SIGTERM], [signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]):
        process = start_sweep(folder, "run", "study.toml", "--workers", "1")
        claimed = count_trials(folder)
        # Right after a trial began, so that there is one to be left waiting.
        assert wait_until(lambda: count_trials(folder) > claimed)  # noqa: B023  used at once
        trainers, sent = workers(process.pid), time.monotonic()
        for number in signals:
            # To the whole group, as a terminal and a service manager do.
            os.killpg(process.pid, number)
            time.sleep(0.02)
        stdout, stderr = process.communicate(timeout=60)
        left_s = time.monotonic() - sent
        wait_until(lambda: not any(map(is_alive, trainers)), 2)  # noqa: B023  used at once
        orphans = [pid for pid in trainers if is_alive(pid)]
        seen.append(
            Interruption(
                signals=signals,
                status=process.returncode,
                stdout=stdout,
                stderr=stderr,
                states=states(folder),
                left_s=left_s,
                orphans=orphans,
            )
        )
    assert sweep(folder, "run", "study.toml", "--workers", "1").returncode == 0
    return seen


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """All runs that this module looks at, side by side."""
    folder = tmp_path_factory.mktemp("kills")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as both:
        killed = {name: both.submit(_run_killed, folder / f"{name}-killed", name) for name in STUDIES}
        through = {name: both.submit(_run_through, folder / name, name) for name in STUDIES}
        interrupted = both.submit(_run_interrupted, folder / "interrupted")
        return Runs(
            undisturbed={name: table(future.result(), name) for name, future in through.items()},
            killed={name: future.result() for name, future in killed.items()},
            interrupted=interrupted.result(),
            table_after_signals=table(folder / "interrupted", SIGNALLED),
        )


@pytest.mark.parametrize("name", STUDIES)
def test_five_kills_leave_the_table_of_an_undisturbed_run(runs: Runs, name: str) -> None:
    """Every number of the final table but the seconds is bitwise the same, after at least five kills."""
    undisturbed, killed = runs.undisturbed[name], runs.killed[name]
    assert killed.last.returncode == 0, killed.last.stderr
    assert killed.kills >= 5
    assert table(killed.folder, name) == undisturbed
    assert len(undisturbed) > 4
    assert sum(row["state"] == "complete" for row in undisturbed) >= 3


@pytest.mark.parametrize("name", STUDIES)
def test_workers_die_with_a_killed_driver(runs: Runs, name: str) -> None:
    """Two seconds after the driver's kill -9 none of its workers is left."""
    assert runs.killed[name].orphans == 0


@pytest.mark.parametrize("name", STUDIES)
def test_nothing_unfinished_is_left_after_the_last_run(runs: Runs, name: str) -> None:
    """No trial is running or waiting, no number is missing or twice, no half-written file remains."""
    folder = runs.killed[name].folder
    assert set(states(folder)) <= {"COMPLETE", "PRUNED"}
    with rows(folder) as connection:
        numbers = [number for (number,) in connection.execute("SELECT number FROM trials ORDER BY trial_id")]
    assert numbers == list(range(len(numbers)))
    assert [path for path in folder.rglob("*") if path.name.startswith(".tmp-")] == []


@pytest.mark.parametrize("name", STUDIES)
def test_the_database_is_whole_after_the_kills(runs: Runs, name: str) -> None:
    """SQLite finds no fault in the file, and no journal waits to be rolled back."""
    folder = runs.killed[name].folder
    with rows(folder) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert not database(folder).with_name("sweep.db-journal").exists()


@pytest.mark.parametrize("name", STUDIES)
def test_the_files_of_a_killed_study_are_those_of_an_undisturbed_one(runs: Runs, name: str) -> None:
    """Kept weights and loss curves are the same files with the same bytes, kills or not."""
    folder = runs.killed[name].folder
    assert _trial_files(folder, name) == _trial_files(folder.with_name(name), name)


@pytest.mark.parametrize("name", STUDIES)
def test_every_rung_is_reported_for_the_dashboard(runs: Runs, name: str) -> None:
    """The intermediate values that Optuna's tools show are those of an undisturbed run."""
    folder = runs.killed[name].folder
    assert _reports(folder) == _reports(folder.with_name(name))


def test_a_diverged_trial_never_ranks(runs: Runs) -> None:
    """A learning rate that is far too large gives rows of their own, without rank and loss."""
    diverged = [row for row in runs.undisturbed["listed"] if row["state"] == "diverged"]
    assert [row["trial"] for row in diverged] == [4, 5]
    assert {(row["rank"], row["dev_loss"]) for row in diverged} == {(None, None)}
    assert all(row["reason"].startswith("diverged") for row in diverged)


def test_asha_gives_trials_up(runs: Runs) -> None:
    """The study under asha has pruned trials with the rung in their reason, or nothing was compared."""
    reasons = [row["reason"] for row in runs.undisturbed["asha"] if row["state"] == "pruned"]
    assert "pruned at 10 % by asha" in reasons


def test_a_signal_ends_the_run_with_its_status_and_running_trials_waiting(runs: Runs) -> None:
    """SIGTERM gives 143 and Ctrl-C 130, soon, with a word on how to go on and no traceback."""
    for run in runs.interrupted[:2]:
        assert run.status == 128 + run.signals[0], run.stderr
        assert "Traceback" not in run.stderr
        assert "interrupted" in run.stderr
        assert "WAITING" in run.states
        assert "RUNNING" not in run.states
        assert run.orphans == []
        assert run.left_s < 10


def test_a_second_signal_ends_the_run_at_once(runs: Runs) -> None:
    """Nothing more is printed, the status is the signal's, and no worker is left."""
    run = runs.interrupted[2]
    assert run.status == 143
    assert "Traceback" not in run.stderr
    assert "interrupted" not in run.stderr
    assert run.left_s < 2
    assert run.orphans == []


def test_interrupted_runs_end_with_the_table_of_an_undisturbed_one(runs: Runs) -> None:
    """Every number is bitwise the same after three interruptions by signals."""
    assert runs.table_after_signals == runs.undisturbed[SIGNALLED]


def test_a_second_driver_is_refused_with_the_process_of_the_first(runs: Runs) -> None:
    """Only one process at a time may run a study's trials; the refusal says which one does."""
    folder = runs.killed["grid"].folder
    with Database(f"sqlite:///{database(folder)}").driver_lock("grid"):
        second = sweep(folder, "run", "study.toml")
    assert second.returncode == 1
    assert f"is being run by process {os.getpid()} on " in second.stderr
    assert "Traceback" not in second.stderr


def _trial_files(folder: Path, name: str) -> dict[str, bytes]:
    root = folder / "studies" / "sweep.db.d" / name
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.safetensors")}


def _reports(folder: Path) -> list[tuple[Any, ...]]:
    query = (
        "SELECT number, step, intermediate_value FROM trial_intermediate_values JOIN trials USING (trial_id) "
        "ORDER BY number, step"
    )
    with rows(folder) as connection:
        return connection.execute(query).fetchall()
