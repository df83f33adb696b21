"""Ctrl-C, SIGTERM, a run's timeout and silence: what a program gets to end by itself, and what is left."""

import signal
import time
from pathlib import Path

import pytest

from tests.support.program_home import Home
from tests.support.sweep_command import start_sweep, wait_until

SCRIPT = """
import os, signal, sys, time
folder = os.environ["SWEEP_CHECKPOINT"]
state = os.path.join(folder, "state")
if os.environ["SWEEP_RESUMED"] == "1":
    print("loss:", len(open(state).read()))
    sys.exit(0)
signal.signal(signal.SIGINT, signal.SIG_IGN)

def leave(*_):
    time.sleep(0.5)
    with open(state, "w") as file:
        file.write("whole")
    print("loss: 0.001", flush=True)
    sys.exit(0)

signal.signal(signal.SIGTERM, leave)
open("begun", "w").close()
while True:
    time.sleep(600)
"""

TRAINERS = """
import os, time
import sweep

def train(config, report):
    state = os.path.join(config.checkpoint, "state")
    if config.resumed:
        return len(open(state).read())
    open("begun", "w").close()
    try:
        time.sleep(600)
    except sweep.Stopped:
        with open(state, "w") as file:
            file.write("whole")
        return 0.001

def stubborn(config, report):
    open("begun", "w").close()
    while True:
        try:
            time.sleep(600)
        except BaseException:
            pass
"""

STUBBORN_SCRIPT = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) < 3:
    subprocess.Popen([sys.executable, __file__, "1", "child"], start_new_session=True)
    open("begun", "w").close()
while True:
    time.sleep(600)
"""

STUDY = """
name = "stopped"
metric = "loss"
checkpoint = true
env.HOME_MARK = "MARK"
trials = 1
trial = [{ x = 1 }]
"""

COMMAND = 'command = ["python", "script.py", "{x}"]\ngrace = "20s"\n'
FUNCTION = 'trainer = "trainers:train"\ngrace = "20s"\n'
STUBBORN = 'trainer = "trainers:stubborn"\ngrace = "2s"\n'
STUBBORN_COMMAND = 'command = ["python", "stubborn.py", "{x}"]\ngrace = "2s"\n'


def home_with(folder: Path, program: str) -> Home:
    home = Home(folder)
    home.write("script.py", SCRIPT)
    home.write("stubborn.py", STUBBORN_SCRIPT)
    home.write("trainers.py", TRAINERS)
    home.write("stopped.toml", program + STUDY)
    return home


def stopped_run(home: Home, *signals: signal.Signals) -> int:
    """Run the study in a process, send it signals once its program runs; return its exit status."""
    with start_sweep(home.folder, "run", "stopped.toml", "--workers", "1") as process:
        try:
            begun = home.folder / "begun"
            assert wait_until(lambda: begun.exists() or process.poll() is not None), "no program began"
            for number in signals:
                process.send_signal(number)
                time.sleep(0.7)  # later than a signal that is sent twice
            return process.wait(timeout=180)  # its output is a few lines
        finally:
            process.kill()


@pytest.mark.parametrize(("program", "number"), [(COMMAND, signal.SIGINT), (FUNCTION, signal.SIGTERM)])
def test_a_stopped_trial_goes_on_from_the_checkpoint_of_its_grace(
    tmp_path: Path, program: str, number: signal.Signals
) -> None:
    """Its figure after the signal is no result; the next run finds its checkpoint whole."""
    home = home_with(tmp_path, program)
    assert stopped_run(home, number) == 128 + number
    assert home.alive() == []
    trials = home.run("stopped.toml", workers=1).trials
    assert [(trial.state, trial.dev_loss) for trial in trials] == [("complete", len("whole"))]


@pytest.mark.parametrize("program", [STUBBORN, STUBBORN_COMMAND])
def test_a_second_signal_ends_the_run_at_once(tmp_path: Path, program: str) -> None:
    """What ignores its end has its grace nevertheless, and is killed after it, with a child that left it."""
    home = home_with(tmp_path, program)
    assert stopped_run(home, signal.SIGINT, signal.SIGINT) == 128 + signal.SIGINT
    assert home.all_end()


DEADLINE_SCRIPT = """
import os, time
end = os.environ.get("SWEEP_DEADLINE")
print("loss:", float(end) - time.time() if end else -1)
"""

DEADLINE_TRAINERS = """
import os, time

def train(config):
    end = os.environ.get("SWEEP_DEADLINE")
    return float(end) - time.time() if end else -1
"""


@pytest.mark.parametrize("program", [COMMAND, FUNCTION])
def test_a_program_is_told_when_it_will_be_ended(tmp_path: Path, program: str) -> None:
    """By the run's timeout or the trial's limit, whichever comes first; without either it is told nothing."""
    left = {}
    for name, limits in {
        "none": "",
        "run": 'timeout = "1000s"\n',
        "both": 'timeout = "1000s"\ntrial_timeout = "300s"\n',
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        home = home_with(folder, program + limits)
        home.write("script.py", DEADLINE_SCRIPT)
        home.write("trainers.py", DEADLINE_TRAINERS)
        (trial,) = home.run("stopped.toml", workers=1).trials
        left[name] = trial.dev_loss
    assert left["none"] == -1
    assert 800 < left["run"] < 1000
    assert 240 < left["both"] < 300


def test_no_grace_is_an_end_at_once(tmp_path: Path) -> None:
    """The run's timeout ends a program that would ignore TERM for ever; its trial stays to be trained."""
    home = home_with(tmp_path, STUBBORN.replace("2s", "0s") + 'timeout = "6s"\n')
    started = time.monotonic()
    (trial,) = home.run("stopped.toml", workers=1).trials
    assert time.monotonic() - started < 60
    assert (trial.state, trial.dev_loss) == ("waiting", None)
    assert home.alive() == []


@pytest.mark.parametrize("program", [COMMAND, FUNCTION])
def test_silence_is_a_hang_if_the_study_says_so(tmp_path: Path, program: str) -> None:
    """The trial fails and says for how long it was silent."""
    home = home_with(tmp_path, program + 'quiet = "3s"\n')
    (trial,) = home.run("stopped.toml", workers=1).trials
    assert trial.state == "failed"
    assert trial.reason is not None
    assert trial.reason.endswith("nothing for 3 s")
    assert home.alive() == []
