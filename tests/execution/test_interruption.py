"""Kill -9 of a worker, of the driver, and of both: the study ends with the table it would have had."""

import contextlib
import dataclasses
import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from sweep.cli import main
from tests.faults import launcher
from tests.support.once import made_once
from tests.support.programs import SOON_S
from tests.support.sweep_command import (
    count_trials,
    database,
    is_alive,
    kill,
    rows,
    states,
    table,
    wait_for_segments,
    wait_until,
    workers,
    write_words,
)

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
        num_steps = 8_000
        """
RUN = ("run", "study.toml", "--workers", "1")
LIVES = [["worker", "driver"], ["worker", "worker", "both"]]
"""What is killed in each run of the command, before the last one, which ends by itself."""

SIGNALLED = "grid"
"""The study that is interrupted by signals as well, in a folder of its own."""

MOST_TRIALS = 6
"""Half of its trials: while there are fewer, it is interrupted again if no trial was left waiting."""


@dataclasses.dataclass
class Chain:
    """A study that was killed again and again, and what was seen on the way."""

    kills: int
    orphans: int
    """Workers that outlived their driver for ``SOON_S``."""
    status: int | None
    """Of the last run, which nobody killed."""
    complaints: str
    """What that run wrote to stderr."""


@dataclasses.dataclass
class Interruption:
    """One run that was told to leave."""

    signals: list[int]
    status: int | None
    stdout: str
    stderr: str
    states: list[str]
    """Of the trials afterwards."""
    left_s: float
    """Seconds from the first signal to the end."""
    orphans: list[int]


@dataclasses.dataclass
class Runs:
    """The runs of one study, each in a folder of its own."""

    name: str
    undisturbed: Path
    killed: Path
    chain: Chain
    signalled: Path
    interruptions: list[Interruption]
    """None but in the study that is interrupted by signals as well."""

    def table(self, folder: Path) -> list[dict[str, Any]]:
        return table(folder, self.name)


def _lay_out(folder: Path, name: str) -> Path:
    folder.mkdir()
    write_words(folder / "words.txt")
    # The settings first, then the sections that all studies share.
    own, _, sections = STUDIES[name].partition("[")
    common, _, common_sections = COMMON.partition("[")
    (folder / "study.toml").write_text(f'name = "{name}"\n{own}{common}[{common_sections}[{sections}')
    return folder


def _run_to_the_end(folder: Path) -> None:
    """Run the study undisturbed, and in this process, where everything is loaded already."""
    place = ("--storage", f"sqlite:///{database(folder)}", "--device", "cpu")
    with contextlib.chdir(folder):
        assert main([*RUN, *place]) == 0


def _run_killed(folder: Path, name: str) -> Chain:
    _lay_out(folder, name)
    moment = random.Random(name)  # noqa: S311  no secret
    kills = orphans = 0
    for life in LIVES:
        process = launcher.start(folder, *RUN)
        for victim in life:
            if not wait_for_segments(process.is_alive, folder, moment.randint(1, 3)):
                break
            time.sleep(moment.uniform(0, 0.15))
            trainers = workers(process.pid)
            kills += process.is_alive()
            if victim != "driver":
                for pid in trainers:
                    kill(pid)
            if victim != "worker":
                kill(process.pid)
                process.wait()
                gone = wait_until(lambda: not any(map(is_alive, trainers)), SOON_S)  # noqa: B023  used at once
                orphans += 0 if gone else 1
        kill(process.pid)
        process.wait()
    last = launcher.run(folder, *RUN)
    return Chain(kills, orphans, last.status, last.err)


def _run_interrupted(folder: Path, name: str) -> list[Interruption]:
    _lay_out(folder, name)
    seen = []
    for signals in ([signal.SIGTERM], [signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]):
        one = _interrupt(folder, signals)
        while one.status is not None and "WAITING" not in one.states and len(one.states) < MOST_TRIALS:
            one = _interrupt(folder, signals)  # its trial ended before the signals came, on a busy machine
        seen.append(one)
    _run_to_the_end(folder)
    return seen


def _interrupt(folder: Path, signals: list[signal.Signals]) -> Interruption:
    """Run the study, and send signals when a trial has begun."""
    process = launcher.start(folder, *RUN)
    claimed = count_trials(folder)
    # Right after a trial began, so that there is one to be left waiting.
    assert wait_until(lambda: count_trials(folder) > claimed)
    trainers, sent = workers(process.pid), time.monotonic()
    for number in signals:
        # To the whole group, as a terminal and a service manager do.
        os.killpg(process.pid, number)
        time.sleep(0.02)
    ended = process.wait()
    left_s = time.monotonic() - sent
    wait_until(lambda: not any(map(is_alive, trainers)), SOON_S)
    return Interruption(
        signals=[*map(int, signals)],
        status=process.process.returncode,  # as it is, so that an end by a signal is none by a status
        stdout=ended.out,
        stderr=ended.err,
        states=states(folder),
        left_s=left_s,
        orphans=[pid for pid in trainers if is_alive(pid)],
    )


def _run_all(folder: Path, name: str) -> None:
    """Run one study in every way, and note what was seen next to what the runs left."""
    _run_to_the_end(_lay_out(folder / "undisturbed", name))
    chain = _run_killed(folder / "killed", name)
    interruptions = _run_interrupted(folder / "signalled", name) if name == SIGNALLED else []
    seen = {"chain": dataclasses.asdict(chain), "interruptions": [*map(dataclasses.asdict, interruptions)]}
    (folder / "seen.json").write_text(json.dumps(seen))


@pytest.fixture(scope="module", params=STUDIES)
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """All runs of one study that this module looks at."""
    name = request.param
    folder = made_once(tmp_path_factory, f"kills-{name}", lambda folder: _run_all(folder, name))
    seen = json.loads((folder / "seen.json").read_text())
    return Runs(
        name=name,
        undisturbed=folder / "undisturbed",
        killed=folder / "killed",
        chain=Chain(**seen["chain"]),
        signalled=folder / "signalled",
        interruptions=[Interruption(**one) for one in seen["interruptions"]],
    )


def of_study(name: str) -> pytest.MarkDecorator:
    """Let a test look at the runs of this study alone."""
    return pytest.mark.parametrize("runs", [name], indirect=True)


def test_five_kills_leave_the_table_of_an_undisturbed_run(runs: Runs) -> None:
    """Every number of the final table but the seconds is bitwise the same, after at least five kills."""
    undisturbed = runs.table(runs.undisturbed)
    assert runs.chain.status == 0, runs.chain.complaints
    assert runs.chain.kills >= 5
    assert runs.table(runs.killed) == undisturbed
    assert len(undisturbed) > 4
    assert sum(row["state"] == "complete" for row in undisturbed) >= 3


def test_workers_die_with_a_killed_driver(runs: Runs) -> None:
    """Soon after the driver's kill -9 none of its workers is left."""
    assert runs.chain.orphans == 0


def test_nothing_unfinished_is_left_after_the_last_run(runs: Runs) -> None:
    """No trial is running or waiting, no number is missing or twice, no half-written file remains."""
    assert set(states(runs.killed)) <= {"COMPLETE", "PRUNED"}
    with rows(runs.killed) as connection:
        numbers = [number for (number,) in connection.execute("SELECT number FROM trials ORDER BY trial_id")]
    assert numbers == list(range(len(numbers)))
    assert [path for path in runs.killed.rglob("*") if path.name.startswith(".tmp-")] == []


def test_the_database_is_whole_after_the_kills(runs: Runs) -> None:
    """SQLite finds no fault in the file, and no journal waits to be rolled back."""
    with rows(runs.killed) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert not database(runs.killed).with_name("sweep.db-journal").exists()


def test_the_files_of_a_killed_study_are_those_of_an_undisturbed_one(runs: Runs) -> None:
    """Kept weights and loss curves are the same files with the same bytes, kills or not."""
    files = _trial_files(runs.killed, runs.name)
    assert files
    assert files == _trial_files(runs.undisturbed, runs.name)


def test_every_rung_is_reported_for_the_dashboard(runs: Runs) -> None:
    """The intermediate values that Optuna's tools show are those of an undisturbed run."""
    reports = _reports(runs.killed)
    assert reports
    assert reports == _reports(runs.undisturbed)


@of_study("listed")
def test_a_diverged_trial_never_ranks(runs: Runs) -> None:
    """A learning rate that is far too large gives rows of their own, without rank and loss."""
    diverged = [row for row in runs.table(runs.undisturbed) if row["state"] == "diverged"]
    assert [row["trial"] for row in diverged] == [4, 5]
    assert {(row["rank"], row["dev_loss"]) for row in diverged} == {(None, None)}
    assert all(row["reason"].startswith("diverged") for row in diverged)


@of_study("asha")
def test_asha_gives_trials_up(runs: Runs) -> None:
    """The study under asha has pruned trials with the rung in their reason, or nothing was compared."""
    reasons = [row["reason"] for row in runs.table(runs.undisturbed) if row["state"] == "pruned"]
    assert "pruned at 10 % by asha" in reasons


@of_study(SIGNALLED)
def test_a_signal_ends_the_run_with_its_status_and_running_trials_waiting(runs: Runs) -> None:
    """SIGTERM gives 143 and Ctrl-C 130, soon, with a word on how to go on; also if sent twice."""
    assert [run.signals[0] for run in runs.interruptions] == [signal.SIGTERM, signal.SIGINT, signal.SIGTERM]
    for run in runs.interruptions:
        assert run.status == 128 + run.signals[0], run.stderr
        assert "Traceback" not in run.stderr
        assert "interrupted" in run.stderr
        assert "WAITING" in run.states
        assert "RUNNING" not in run.states
        assert run.orphans == []
        assert run.left_s < 2 * SOON_S


@of_study(SIGNALLED)
def test_interrupted_runs_end_with_the_table_of_an_undisturbed_one(runs: Runs) -> None:
    """Every number is bitwise the same after three interruptions by signals."""
    assert len(runs.interruptions) == 3
    assert runs.table(runs.signalled) == runs.table(runs.undisturbed)


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
