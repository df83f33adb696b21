"""Functions of every bad habit, as the trials of one study: how each ends, and that nothing is left of it."""

import pytest

from sweep.definition.records import TrialRecord
from tests.support.program_home import Home, by_choice

TRAINERS = """
import os, subprocess, sys, time
import sweep

def train(config, report):
    return globals()[config.kind](config, report)

def is_good(config, report):
    return 1.5

def hangs(config, report):
    report(1)
    time.sleep(600)

def swallows_its_end(config, report):
    while True:
        try:
            time.sleep(600)
        except BaseException:
            pass

def returns_after_its_end(config, report):
    report(1)
    try:
        time.sleep(600)
    except sweep.Stopped:
        with open(os.path.join(config.checkpoint, "state"), "w") as file:
            file.write("whole")
        return 0.001

def forks(config, report):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    return 1.25

def aborts(config, report):
    report(1)
    os.abort()

def exits(config, report):
    report(1)
    sys.exit(0)

def raises(config, report):
    report(0.002)
    raise ValueError("no such luck")

def tells_a_secret(config, report):
    raise ValueError("no login with " + os.environ["BAD_TOKEN"])

def interrupts_itself(config, report):
    raise KeyboardInterrupt

def is_nan(config, report):
    return float("nan")

def returns_none(config, report):
    report(1)

def returns_true(config, report):
    return True

def returns_text(config, report):
    return "0.5"

def returns_a_list(config, report):
    return [0.5]

def goes_back(config, report):
    report(1, step=3)
    report(1, step=2)
    return 1

def lacks_the_metric(config, report):
    return {"losses": 1.0}

def prints_garbage(config, report):
    os.write(1, bytes(range(256)) * 64)
    print("loss: 0.001")
    return 2.5

def changes_its_process(config, report):
    os.chdir("/")
    os.environ["HOME_MARK"] = "another"
    sys.stdout = None
    return 3.5
"""

COMPLETE = {"is_good": 1.5, "forks": 1.25, "prints_garbage": 2.5, "changes_its_process": 3.5}

FAILED = {
    "aborts": "the function's process was ended by SIGABRT, without a result; see the trial's stderr",
    "exits": "SystemExit",
    "raises": "ValueError: no such luck",
    "tells_a_secret": "ValueError: no login with ***",
    "interrupts_itself": "KeyboardInterrupt",
    "returns_none": "the result of train must be one number, got None",
    "returns_true": "the result of train must be one number, got the bool True",
    "returns_text": "the result of train must be one number, got the str '0.5'",
    "returns_a_list": "the result of train must be one number, got an object of type list",
    "goes_back": "step 2 was reported after step 3; steps must rise strictly",
    "lacks_the_metric": "lacks the metric 'loss'",
}

TIMED_OUT = ("hangs", "swallows_its_end", "returns_after_its_end")

STUDY = """
name = "bad"
trainer = "trainers:train"
metric = "loss"
grace = "1s"
trial_timeout = "12s"
sampler = "random"
checkpoint = true
secrets = ["BAD_TOKEN"]
env.HOME_MARK = "MARK"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("bad"))
    home.write("trainers.py", TRAINERS)
    kinds = (*TIMED_OUT, *FAILED, *COMPLETE, "is_nan")
    home.write(
        "bad.toml",
        f"trials = {len(kinds)}" + STUDY + "".join(f'[[trial]]\nkind = "{kind}"\n' for kind in kinds),
    )
    return home


@pytest.fixture(scope="module")
def trials(home: Home) -> dict[str, TrialRecord]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BAD_TOKEN", "sesame99")
        return by_choice(home.run("bad.toml", workers=4), "kind")


@pytest.mark.parametrize("kind", COMPLETE)
def test_it_is_complete_with_what_it_returned(trials: dict[str, TrialRecord], kind: str) -> None:
    """Whatever it leaves behind or prints."""
    trial = trials[kind]
    assert (trial.state, trial.dev_loss, trial.reason) == ("complete", COMPLETE[kind], None)


@pytest.mark.parametrize("kind", FAILED)
def test_it_fails_and_says_why(trials: dict[str, TrialRecord], kind: str) -> None:
    """In one line; a report before a failure is no result."""
    trial = trials[kind]
    assert (trial.state, trial.dev_loss) == ("failed", None), trial
    assert trial.reason is not None
    assert trial.reason.startswith("failed in training: ")
    assert FAILED[kind] in trial.reason
    assert "\n" not in trial.reason


def test_no_number_is_diverged(trials: dict[str, TrialRecord]) -> None:
    assert (trials["is_nan"].state, trials["is_nan"].dev_loss) == ("diverged", None)


@pytest.mark.parametrize("kind", TIMED_OUT)
def test_what_it_returns_after_its_time_is_no_result(trials: dict[str, TrialRecord], kind: str) -> None:
    """Also if it catches the exception that tells it."""
    trial = trials[kind]
    assert (trial.state, trial.dev_loss) == ("timeout", None)
    assert trial.reason is not None
    assert trial.reason.startswith("timeout after 12 s")


def test_a_checkpoint_written_in_the_grace_is_kept(home: Home, trials: dict[str, TrialRecord]) -> None:
    """And a copy of it that is known to be whole."""
    folder = home.trial_folder("bad", trials["returns_after_its_end"].number)
    assert (folder / "checkpoint" / "state").read_text() == "whole"
    assert (folder / "checkpoint.1" / "state").read_text() == "whole"


def test_what_it_prints_is_kept(home: Home, trials: dict[str, TrialRecord]) -> None:
    """As bytes, and of the trial that printed it alone."""
    folder = home.trial_folder("bad", trials["prints_garbage"].number)
    assert (folder / "stdout").read_bytes() == bytes(range(256)) * 64 + b"loss: 0.001\n"
    assert (home.trial_folder("bad", trials["is_good"].number) / "stdout").read_bytes() == b""


@pytest.mark.usefixtures("trials")
def test_nothing_is_left(home: Home) -> None:
    """No process of any of them."""
    assert home.all_end()
