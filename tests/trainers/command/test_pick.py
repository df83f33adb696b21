"""The key ``pick``: the last or the best of all that a command prints or reports, however fast it does."""

import math

import pytest

from sweep.definition.records import TrialRecord
from tests.support.program_home import Home, by_choice

SCRIPT = """
import json, os, signal, sys, time
kind, sign = sys.argv[1], float(sys.argv[2])

def say(loss, *, step=None, end="\\n"):
    print(("" if step is None else f"epoch {step} ") + f"loss: {sign * float(loss)!r}", end=end, flush=True)

def tell(**values):
    with open(os.environ["SWEEP_REPORT"], "a") as file:
        file.write(json.dumps({k: sign * v if k == "loss" else v for k, v in values.items()}) + "\\n")

def prints_fast():
    sys.stdout.write("".join(f"loss: {sign * (1 + abs(k - 6000) / 100)!r}\\n" for k in range(20_000)))

def reports_fast():
    with open(os.environ["SWEEP_REPORT"], "w") as file:
        for k in range(20_000):
            file.write(json.dumps({"loss": sign * (2 + abs(k - 6000) / 100)}) + "\\n")

def prints_slowly():
    for loss in (3, 1.5, 2.5):
        say(loss)
        time.sleep(0.12)

def prints_a_bar():
    for k in range(2000):
        print(f"\\r{k}/2000 loss: {sign * (4 + abs(k - 700))!r}", end="")

def begins_with_nan():
    for loss in ("nan", 2.5, 1.25, 3):
        say(loss)

def holds_nan_and_infinity():
    for loss in (2.5, "nan", "-inf", "inf", 1.75, 3, "nan"):
        say(loss)

def prints_once():
    say(0.5)

def reports_other_figures():
    for loss in (3, 0.75, 4):
        tell(loss=loss)
        tell(latency=7)
    tell(latency=8)

def prints_and_reports():
    say(0.001)
    time.sleep(0.3)
    for loss in (3, 2.25, 4):
        tell(loss=loss)
        say(0.002)

def prints_steps():
    for step, loss in enumerate((5, 3.5, "nan", 6, 7, 8, 2.75, 9, 9, 9), 1):
        say(loss, step=step)

def resumes():
    if os.environ["SWEEP_RESUMED"] == "1":
        say(6, step=3)
        return
    open(os.path.join(os.environ["SWEEP_CHECKPOINT"], "state"), "w").close()
    say(5.5, step=1)
    say(8, step=2)
    time.sleep(2.5)
    os.kill(os.getpid(), signal.SIGKILL)

def is_never_finite():
    for loss in ("nan", "inf", "nan"):
        say(loss)

globals()[kind]()
"""

BEST = {
    "prints_fast": 1.0,
    "reports_fast": 2.0,
    "prints_slowly": 1.5,
    "prints_a_bar": 4.0,
    "begins_with_nan": 1.25,
    "holds_nan_and_infinity": 1.75,
    "prints_once": 0.5,
    "reports_other_figures": 0.75,
    "prints_and_reports": 2.25,
    "prints_steps": 2.75,
    "resumes": 5.5,
}
"""What a trial does -> the lowest finite loss that counts, worked out by hand."""

LAST = {"prints_fast": 1 + 13_999 / 100, "begins_with_nan": 3.0, "reports_other_figures": 4.0, "resumes": 6.0}

STUDY = """
command = ["python", "script.py", "{kind}", "{sign}"]
metric = "loss"
step = "epoch"
checkpoint = true
sampler = "random"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("pick"))
    home.write("script.py", SCRIPT)
    return home


def trained(
    home: Home, name: str, kinds: list[str], *, sign: int = 1, more: str = ""
) -> dict[str, TrialRecord]:
    """Run a study with a trial of each kind; return the trials by kind."""
    listed = "".join(f'[[trial]]\nkind = "{kind}"\n' for kind in kinds)
    direction = "minimize" if sign == 1 else "maximize"
    home.write(
        f"{name}.toml",
        f'name = "{name}"\ntrials = {len(kinds)}\ndirection = "{direction}"\n{more}'
        f"{STUDY}fixed.sign = {sign}\n{listed}",
    )
    return by_choice(home.run(f"{name}.toml", workers=4), "kind")


@pytest.mark.parametrize("sign", [1, -1])
def test_the_best_is_the_best_of_all(home: Home, sign: int) -> None:
    """Of 20,000 lines at once as of a few, minimised or maximised; what is not finite is passed over."""
    kinds = [*BEST, "is_never_finite"]
    trials = trained(home, f"best{sign + 1}", kinds, sign=sign, more='pick = "best"\n')
    found = {kind: (trials[kind].state, trials[kind].dev_loss) for kind in BEST}
    assert found == {kind: ("complete", sign * loss) for kind, loss in BEST.items()}
    never = trials["is_never_finite"]
    assert (never.state, never.dev_loss) == ("diverged", None)


def test_the_last_is_the_last(home: Home) -> None:
    """Which is the default."""
    trials = trained(home, "last", [*LAST])
    assert {kind: trial.dev_loss for kind, trial in trials.items()} == LAST


def test_a_rung_has_the_best_before_it(home: Home) -> None:
    """Pruners compare what the trials would have if they ended there; a loss of nan there is passed over."""
    more = 'pick = "best"\nbudget = "epochs"\nfixed.epochs = 10\narguments.epochs = "skip"\n'
    trial = trained(home, "rungs", ["prints_steps"], more=more)["prints_steps"]
    assert dict(trial.rungs) == {10: 5.0, 30: 3.5, 90: 2.75, 100: 2.75}
    assert trial.dev_loss == 2.75


def test_the_curve_keeps_what_was_printed(home: Home) -> None:
    """The best is the trial's value alone."""
    trained(home, "curve", ["begins_with_nan"], more='pick = "best"\n')
    lines = (home.trial_folder("curve", 0) / "reports.jsonl").read_text().splitlines()
    losses = [float(line.split('"loss": ')[1].split(",")[0]) for line in lines]
    assert math.isnan(losses[0])
    assert losses[1:] == [2.5, 1.25, 3.0]
