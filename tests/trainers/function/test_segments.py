"""A task class trains from rung to rung; another process continues from the state of the last rung."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from sweep.trainers.program.live import state_of, stored_state
from tests.support.command_line import untitled
from tests.support.hosted_functions import Functions
from tests.support.program_home import Home

TASK = """
import sweep

class Train:
    def __init__(self):
        self.segments = 0

    def train_segment(self, config, state, until):
        self.segments += 1
        done = int.from_bytes(state) if state else 0
        print(f"{done} to {until}")
        for step in range(done + 1, until + 1):
            sweep.report(config.lr * step, step=step, segments=self.segments)
        value = config.lr * until
        return sweep.Segment(until.to_bytes(2), {"accuracy": value, "half": value / 2})

ready = Train()
"""


@pytest.fixture
def functions(tmp_path: Path) -> Functions:
    return Functions(tmp_path)


@pytest.mark.parametrize("target", ["trainers:Train", "trainers:ready"])
def test_a_trial_is_a_chain_of_segments(functions: Functions, target: str) -> None:
    """It waits at each rung with the segment's value, and its own figures of that step are kept."""
    functions.write(TASK)
    rungs = iter([3, 9, None])
    with functions.host(target) as host:
        outcome = functions.train(
            host, until=1, length=10, decide=lambda trial, report: trial.go_on(next(rungs))
        )
    assert outcome.stdout.splitlines() == ["0 to 1", "1 to 3", "3 to 9", "9 to 10"]
    assert outcome.steps == list(range(1, 11))
    ends = [report.values for report in outcome.reports if report.step in (1, 3, 9, 10)]
    assert [(values["accuracy"], values["half"], values["segments"]) for values in ends] == [
        (pytest.approx(0.1 * step), pytest.approx(0.05 * step), n)
        for n, step in enumerate((1, 3, 9, 10), start=1)
    ]
    assert outcome.end.values == {"accuracy": pytest.approx(1.0), "half": pytest.approx(0.5)}


def test_it_goes_on_from_a_state(functions: Functions) -> None:
    """From step 9 only one step is left, and steps that are not named count on from there."""
    functions.write(TASK.replace(", step=step", ""))
    with functions.host("trainers:Train") as host:
        outcome = functions.train(host, length=10, since=9, state=(9).to_bytes(2))
    assert outcome.stdout == "9 to 10\n"
    assert outcome.steps == [10]


def test_a_state_is_stored_as_tensors() -> None:
    """What another program stores, or nothing, is no state of a task class."""
    assert state_of(stored_state(b"\x00any bytes")) == b"\x00any bytes"
    assert state_of(stored_state(b"")) == b""
    assert state_of(None) is None
    assert state_of(safetensors.numpy.save({"value": np.array([0.5])})) is None


BAD = """
import sweep

class Nothing:
    pass

class Other:
    def train_segment(self, config, state):
        pass

class Needs:
    def __init__(self, path):
        pass

    def train_segment(self, config, state, until):
        pass

class Returns:
    def train_segment(self, config, state, until):
        return WHAT

class Beyond:
    def train_segment(self, config, state, until):
        sweep.report(1.0, step=until + 1)

class Raises:
    def train_segment(self, config, state, until):
        raise ValueError("too small")
"""

REFUSED = {
    "Nothing": "Nothing is a class without train_segment(config, state, until)",
    "Other": "Other.train_segment must take (config, state, until)",
    "Needs": "Needs must take no arguments",
    "Beyond": "ValueError: step 11 was reported in a segment that ends at step 10 (trainers.py:24)",
    "Raises": "ValueError: too small (trainers.py:28)",
}


@pytest.mark.parametrize("name", REFUSED)
def test_another_class_is_refused(functions: Functions, name: str) -> None:
    """In one line that names the rule, or the place of the error."""
    outcome = functions.run(BAD, target=f"trainers:{name}", length=10)
    assert REFUSED[name] in outcome.fault


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ("0.5", "Returns.train_segment must return sweep.Segment(state, value) with bytes, got 0.5"),
        ("sweep.Segment('a', 0.5)", "got a state of type str"),
        ("sweep.Segment(b'', None)", "the result of Returns.train_segment must be one number, got None"),
        ("sweep.Segment(b'', {'loss': 1.0})", "lacks the metric 'accuracy'"),
    ],
)
def test_another_result_is_refused(functions: Functions, returned: str, words: str) -> None:
    """A segment is its state as bytes, and the metric."""
    outcome = functions.run(BAD.replace("WHAT", returned), target="trainers:Returns", length=10)
    assert words in outcome.fault


def test_a_task_class_needs_a_budget(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its segments end at steps; one line, before anything is trained."""
    home = Home(tmp_path)
    home.write("trainers.py", TASK)
    study = 'name = "m"\ntrainer = "trainers:Train"\nmetric = "accuracy"\ntrials = 1\n'
    home.write("m.toml", study + "search.lr = { low = 0.0, high = 1.0 }\n")
    assert home.command("run", "m.toml", "--workers", "1") == 1
    (line,) = untitled(capsys.readouterr().err)
    assert "budget must name the hyperparameter that counts the steps" in line


def test_a_run_goes_on_from_the_last_rung(tmp_path: Path) -> None:
    """The first process ends at step 5 of ten; the next one begins at step 3, and no curve is lost."""
    home = Home(tmp_path)
    home.write("trainers.py", RESUMED)
    home.write("m.toml", RESUMED_STUDY)
    (trial,) = home.run("m.toml", workers=1).trials
    assert [(part.step, part.dev_loss) for part in trial.segments] == [
        (step, 0.5 * step) for step in (1, 3, 9, 10)
    ]
    assert (tmp_path / "calls").read_text().split() == ["0-1", "1-3", "3-9", "3-9", "9-10"]
    reported = (home.trial_folder("m", 0) / "reports.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in reported] == list(range(1, 11))
    assert trial.dev_loss == 5.0


RESUMED = """
import os
import sweep

class Train:
    def train_segment(self, config, state, until):
        done, total = (int(part) / 2 for part in (state or b"0 0").split())
        done = int(done)
        with open("calls", "a") as file:
            file.write(f"{done}-{until} ")
        for step in range(done + 1, until + 1):
            if step == 5 and not os.path.exists("fell"):
                open("fell", "w").close()
                os.kill(os.getpid(), 9)
            total += config.x
            sweep.report(total, step=step)
        return sweep.Segment(f"{2 * until} {round(2 * total)}".encode(), total)
"""

RESUMED_STUDY = """
name = "m"
trainer = "trainers:Train"
metric = "loss"
budget = "epochs"
fixed.epochs = 10
trials = 1
trial = [{ x = 0.5 }]
"""


def test_a_class_is_given_from_python(tmp_path: Path) -> None:
    """From a script of its own; replay trains the winner in one piece, to the same value."""
    script = tmp_path / "script.py"
    script.write_text(GIVEN)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "5.0 equal"


GIVEN = """
import sweep

class Train:
    def train_segment(self, config, state, until):
        return sweep.Segment(b"state", config.x * until)

study = sweep.study(
    name="given", trainer=Train, metric="loss", budget="epochs", fixed={"epochs": 10},
    search={"x": dict(choices=[0.5])},
)
study.run(workers=1, trials=1)
print(study.best["value"], study.replay().verdict)
"""
