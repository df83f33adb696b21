"""Scripts of every bad habit, as the trials of one study: how each ends, and that nothing is left of it."""

import pytest

from sweep.definition.records import TrialRecord
from tests.support.program_home import Home, by_choice

SCRIPT = """
import os, signal, subprocess, sys, time
kind = sys.argv[1]

def say(loss):
    print(f"loss: {loss}", flush=True)

def note(name):
    open(os.path.join(os.environ["SWEEP_DIR"], name), "w").close()

def child(*argv, **more):
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", *argv], **more)

def asleep():
    time.sleep(600)

def hangs():
    say(1)
    asleep()

def ignores_term():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note("begun")
    say(1)
    while True:
        asleep()

def catches_term():
    def leave(*_):
        with open(os.path.join(os.environ["SWEEP_CHECKPOINT"], "state"), "w") as file:
            file.write("whole")
        say(0.001)
        sys.exit(0)
    signal.signal(signal.SIGTERM, leave)
    say(1)
    asleep()

def forks():
    child()
    say(1.25)

def becomes_a_daemon():
    if not os.fork():
        os.setsid()
        if not os.fork():
            null = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            asleep()
        os._exit(0)
    os.wait()
    say(1.5)

def holds_stdout():
    child(stdin=subprocess.DEVNULL, start_new_session=True)
    say(1.75)

def aborts():
    say(1)
    os.abort()

def fails_after_its_figure():
    say(0.002)
    print("Traceback: no such luck", file=sys.stderr)
    sys.exit(1)

def is_nan():
    say(2)
    say("nan")

def prints_nothing():
    pass

def prints_another_name():
    print("val_loss: 3, accuracy=0.5")

def logs_another_name():
    print("bye")
    print("Loss 0.5", file=sys.stderr)

def reports_another_name():
    with open(os.environ["SWEEP_REPORT"], "w") as file:
        file.write('{"step": 1, "Loss": 0.5, "size": 3}\\n')

def reports_no_json():
    with open(os.environ["SWEEP_REPORT"], "w") as file:
        file.write("loss: 0.5\\n{}\\n")

def prints_garbage():
    sys.stdout.buffer.write(bytes(range(256)) * 64 + b"\\n")
    sys.stdout.flush()
    say(2.5)

def prints_much():
    for _ in range(10):
        print(("x" * 99 + "\\n") * 10486, end="")
    say(3.5)

def returns_carriages():
    for loss in (6, 5, 4.5):
        sys.stdout.write(f"\\r loss: {loss} eta 3s")
        sys.stdout.flush()

globals()[kind]()
"""

KINDS = (
    "hangs",
    "ignores_term",
    "catches_term",
    "forks",
    "becomes_a_daemon",
    "holds_stdout",
    "aborts",
    "fails_after_its_figure",
    "is_nan",
    "prints_nothing",
    "prints_another_name",
    "logs_another_name",
    "reports_another_name",
    "reports_no_json",
    "prints_garbage",
    "prints_much",
    "returns_carriages",
)

COMPLETE = {
    "forks": 1.25,
    "becomes_a_daemon": 1.5,
    "holds_stdout": 1.75,
    "prints_garbage": 2.5,
    "prints_much": 3.5,
    "returns_carriages": 4.5,
}

FAILED = {
    "aborts": "failed in training: ended by SIGABRT; loss: 1",
    "fails_after_its_figure": "failed in training: exit code 1; Traceback: no such luck",
    "prints_nothing": "failed in training: exit 0, but it printed nothing, so 'loss' is missing",
    "prints_another_name": (
        "failed in training: exit 0, but none of its 1 lines names 'loss'; did you mean val_loss? "
        "it printed: val_loss, accuracy"
    ),
    "logs_another_name": (
        "failed in training: exit 0, but none of its 2 lines names 'loss'; did you mean Loss? "
        "it printed: Loss"
    ),
    "reports_another_name": (
        "failed in training: exit 0, but no report names 'loss' or 'value'; did you mean Loss? "
        "it reported: Loss, size"
    ),
    "reports_no_json": (
        "failed in training: exit 0, but 'loss' is missing; lines of $SWEEP_REPORT that were ignored: 2, "
        "the first because a report must be one JSON object on one line, got 'loss: 0.5'"
    ),
}

STUDY = """
name = "bad"
command = ["python", "script.py", "{kind}"]
metric = "loss"
grace = "1s"
trial_timeout = "12s"
sampler = "random"
checkpoint = true
env.HOME_MARK = "MARK"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("bad"))
    home.write("script.py", SCRIPT)
    home.write(
        "bad.toml",
        f"trials = {len(KINDS)}" + STUDY + "".join(f'[[trial]]\nkind = "{kind}"\n' for kind in KINDS),
    )
    return home


@pytest.fixture(scope="module")
def trials(home: Home) -> dict[str, TrialRecord]:
    return by_choice(home.run("bad.toml", workers=4), "kind")


@pytest.mark.parametrize("kind", COMPLETE)
def test_it_is_complete_with_its_last_figure(trials: dict[str, TrialRecord], kind: str) -> None:
    """Whatever it leaves behind or prints beside its figure."""
    trial = trials[kind]
    assert (trial.state, trial.dev_loss, trial.reason) == ("complete", COMPLETE[kind], None)


@pytest.mark.parametrize("kind", FAILED)
def test_it_fails_and_says_why(trials: dict[str, TrialRecord], kind: str) -> None:
    """A figure before a failure is no result."""
    trial = trials[kind]
    assert (trial.state, trial.dev_loss, trial.reason) == ("failed", None, FAILED[kind])


def test_no_number_is_diverged(trials: dict[str, TrialRecord]) -> None:
    trial = trials["is_nan"]
    assert (trial.state, trial.dev_loss) == ("diverged", None)
    assert trial.reason == "diverged: the loss was nan at step 2"


@pytest.mark.parametrize("kind", ["hangs", "ignores_term", "catches_term"])
def test_what_it_says_after_its_time_is_no_result(trials: dict[str, TrialRecord], kind: str) -> None:
    """Also if it then prints a figure and exits with 0."""
    trial = trials[kind]
    assert (trial.state, trial.dev_loss) == ("timeout", None)
    assert trial.reason is not None
    assert trial.reason.startswith("timeout after 12 s")


def test_what_follows_a_trial_that_ignores_its_end_gets_its_whole_time(
    trials: dict[str, TrialRecord],
) -> None:
    """Three of fifteen are over time: no other one lost its time waiting for the grace of those."""
    assert sorted(kind for kind, trial in trials.items() if trial.state == "timeout") == [
        "catches_term",
        "hangs",
        "ignores_term",
    ]


def test_a_checkpoint_written_in_the_grace_is_kept(home: Home, trials: dict[str, TrialRecord]) -> None:
    """And a copy of it that is known to be whole."""
    folder = home.trial_folder("bad", trials["catches_term"].number)
    assert (folder / "checkpoint" / "state").read_text() == "whole"
    assert (folder / "checkpoint.1" / "state").read_text() == "whole"


def test_much_output_is_kept_in_part(home: Home, trials: dict[str, TrialRecord]) -> None:
    """Of 10 MB the first 1 MiB and the last 4 MiB, with a line that counts the rest."""
    kept = (home.trial_folder("bad", trials["prints_much"].number) / "stdout").read_bytes()
    assert len(kept) < 6 << 20
    assert kept.endswith(b"loss: 3.5\n")
    assert b"bytes left out here]" in kept


def test_reports_are_numbered(home: Home, trials: dict[str, TrialRecord]) -> None:
    """From 1, where lines name no step."""
    lines = (home.trial_folder("bad", trials["returns_carriages"].number) / "reports.jsonl").read_text()
    steps = [line.split(",")[0] for line in lines.splitlines()]
    assert steps == ['{"step": 1', '{"step": 2', '{"step": 3']


@pytest.mark.usefixtures("trials")
def test_nothing_is_left(home: Home) -> None:
    """No process of any of them."""
    assert home.all_end()
