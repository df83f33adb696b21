"""Kill -9 of a driver, a worker, a supervisor and a program: the same trials with the same numbers.

A task class continues from its last segment; the others start again.
"""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.program_home import Home
from tests.support.sweep_command import children, kill, start_sweep, wait_until, workers

EPOCHS = 10
XS = (0.5, 1.5, 2.5, 3.5)

SCRIPT = """
import sys, time
x = float(sys.argv[1])
for epoch in range(1, 11):
    print(f"epoch {epoch} loss: {x * epoch}", flush=True)
    with open("progress", "a") as file:
        file.write("1")
    time.sleep(0.2)
"""

TRAINERS = """
import time

import sweep

def train(config, report):
    for epoch in range(1, config.epochs + 1):
        report(config.x * epoch, step=epoch)
        with open("progress", "a") as file:
            file.write("1")
        time.sleep(0.2)
    return config.x * config.epochs

class Train:
    def train_segment(self, config, state, until):
        total = float(state or 0)
        for epoch in range(round(total / config.x) + 1, until + 1):
            total += config.x
            with open("progress", "a") as file:
                file.write("1")
            time.sleep(0.2)
            sweep.report(total, step=epoch)
        return sweep.Segment(repr(total).encode(), total)
"""

STUDY = """
name = "killed"
metric = "loss"
budget = "epochs"
pruner = "median"
fixed.epochs = 10
grace = "1s"
env.HOME_MARK = "MARK"
trials = 4
trial = [{ x = 0.5 }, { x = 1.5 }, { x = 2.5 }, { x = 3.5 }]
"""

PROGRAMS = {
    "command": 'command = ["python", "script.py", "{x}"]\nstep = "epoch"\narguments.epochs = "skip"\n',
    "function": 'trainer = "trainers:train"\n',
    "class": 'trainer = "trainers:Train"\n',
}


def home_with(folder: Path, program: str) -> Home:
    home = Home(folder)
    home.write("script.py", SCRIPT)
    home.write("trainers.py", TRAINERS)
    home.write("killed.toml", PROGRAMS[program] + STUDY)
    return home


def progress(home: Home) -> int:
    """Return how many epochs have been trained."""
    path = home.folder / "progress"
    return path.stat().st_size if path.exists() else 0


def supervisors() -> list[int]:
    """Return the supervisors below this process's workers."""
    found = [child for worker in workers(os.getpid()) for child in children(worker)]
    return [pid for pid in found if b"supervisor.py" in Path(f"/proc/{pid}/cmdline").read_bytes()]


class Killer:
    """Kills one process after the other, each once so many more epochs have been trained."""

    def __init__(self, home: Home, victims: list[Callable[[], list[int]]], seed: int) -> None:
        self._home, self._victims, self._draw = home, victims, random.Random(seed)  # noqa: S311  no secret
        self._next = self._draw.randint(1, 4)
        self.killed: list[int] = []

    def __call__(self) -> bool:
        """Take a look, as often as the driver asks whether to stop; never stop it."""
        if self._victims and progress(self._home) >= self._next and (found := self._victims[0]()):
            self._victims.pop(0)
            kill(found[0])
            self.killed.append(found[0])
            self._next = (
                progress(self._home) + EPOCHS + self._draw.randint(2, 6)
            )  # another trial: three kills fail one
        return False


def check(home: Home) -> None:
    """Compare the stored trials with what each must give, and look for processes that are left."""
    trials = home.run("killed.toml", workers=1).trials
    assert [trial.params["x"] for trial in trials] == list(XS)
    for trial, x in zip(trials, XS, strict=True):
        if trial.state == "complete":
            assert trial.dev_loss == pytest.approx(x * EPOCHS)
            assert [(segment.step, segment.dev_loss) for segment in trial.segments] == [
                (step, pytest.approx(x * step)) for step in (1, 3, 9, 10)
            ]
    assert [trial.state for trial in trials] == ["complete"] * len(XS)
    assert home.all_end()


@pytest.mark.parametrize("program", PROGRAMS)
def test_whatever_is_killed_starts_again(tmp_path: Path, program: str) -> None:
    """A worker, a supervisor, and the process that trains."""
    home = home_with(tmp_path, program)
    home.write("killed.toml", (home.folder / "killed.toml").read_text().replace('"median"', '"none"'))
    victims = [lambda: workers(os.getpid()), supervisors, home.alive]
    killer = Killer(home, victims, seed=len(program))
    trials = home.run("killed.toml", workers=1, should_stop=killer).trials
    assert len(killer.killed) == 3
    assert [(trial.reason, trial.dev_loss) for trial in trials] == [
        (None, pytest.approx(x * EPOCHS)) for x in XS
    ]
    assert home.all_end()
    for number in range(len(trials)):
        lines = (home.trial_folder("killed", number) / "reports.jsonl").read_text().splitlines()
        assert len(lines) == EPOCHS


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_killed_run_goes_on(tmp_path: Path, program: str) -> None:
    """Nothing of it lives on, and the next run ends with the same trials."""
    home = home_with(tmp_path, program)
    process = start_sweep(home.folder, "run", "killed.toml", "--workers", "1")
    draw = random.Random(program)  # noqa: S311  no secret
    wanted = draw.randint(1, EPOCHS + 3)
    assert wait_until(lambda: progress(home) >= wanted or process.poll() is not None)
    kill(process.pid)
    process.communicate()
    assert home.all_end()
    check(home)


@pytest.mark.parametrize(
    ("program", "keys", "line"),
    [
        ("class", "", "trial 0 resumes from step 3"),
        ("function", "", "trial 0 starts again"),
        ("command", "", "trial 0 starts again"),
        ("function", "checkpoint = true\n", "trial 0 starts again, from its own checkpoint if it kept one"),
    ],
)
def test_only_what_continues_is_said_to_resume(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], program: str, keys: str, line: str
) -> None:
    """A run stops after the rung at step 3 is stored; the next run says whether the trial continues there."""
    home = home_with(tmp_path, program)
    home.write("killed.toml", keys + (home.folder / "killed.toml").read_text())
    stopped = home.run("killed.toml", workers=1, should_stop=lambda: progress(home) >= 5)
    (trial,) = stopped.trials
    assert [segment.step for segment in trial.segments] == [1, 3]
    capsys.readouterr()
    assert home.command("run", "killed.toml", "--workers", "1") == 0
    said = [text for text in capsys.readouterr().err.splitlines() if text.startswith("trial 0")]
    assert said[0] == line
