"""Each example of studies/examples from run to report, as commands in a folder of its own.

They need the libraries of the dependency group ``examples``; `make examples` installs them and runs this.
A library that is missing is a failure here, not a skip.
"""

import dataclasses
import json
import math
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import optuna
import pytest

from tests.examples.fetch import FETCHED, is_here, sources
from tests.support.sweep_command import REPOSITORY, sweep

EXAMPLES = Path("studies/examples")


@dataclasses.dataclass(frozen=True)
class Example:
    """A study file and what must come of it."""

    file: str
    low: float
    """The worst and best value that a trial may have."""
    high: float
    best: float
    """What the winner of the few trials must reach."""
    trials: int = 4
    is_exact: bool = True
    """Whether one seed gives one result."""

    @property
    def path(self) -> Path:
        return EXAMPLES / self.file

    def __str__(self) -> str:
        return Path(self.file).stem


OURS = [
    Example("digits-svm/digits-svm.toml", 0.05, 1.0, best=0.95),
    Example("names-mlp/names-mlp.toml", 1.95, 3.5, best=2.6),
    Example("torch-script/digits-torch.toml", 0.05, 1.0, best=0.85),
    Example("lightgbm/diabetes-lgbm.toml", 40, 90, best=62),
    Example("hydra/cancer-hydra.toml", 0.01, 5.0, best=0.3),
    Example("lightning/digits-lightning.toml", 0.01, 6.0, best=1.0),
    Example("transformers/pattern-gpt.toml", 0.0, 4.0, best=2.0),
    Example("xgboost/diabetes-xgb.toml", 40, 110, best=65),
]

THEIRS = [
    Example("theirs/names-lstm.toml", 0.3, 1.0, best=0.5, is_exact=False),
    Example("theirs/makemore.toml", 1.9, 3.5, best=2.8, trials=3),
    Example("theirs/glow.toml", -10, 60, best=8, trials=3, is_exact=False),
]
NEEDS = {
    "names-lstm": ("opacus", ("char-lstm-classification.py",)),
    "makemore": ("tensorboard", ("makemore.py",)),
    "glow": ("torchvision", ("glow/train.py", "glow/model.py")),
}
"""Study -> a library that it needs, and the scripts."""


def spec(example: Example) -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / example.path).read_text())


def ran(folder: Path, *arguments: str) -> str:
    """The output of a command that must end well."""
    done = sweep(folder, *arguments)
    assert done.returncode == 0, f"{arguments}: {done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def lies_in(value: Any, entry: dict[str, Any]) -> bool:
    """Whether a value is one of an entry of [search], or none because of its condition."""
    if value is None:
        return "when" in entry
    return value in entry["choices"] if "choices" in entry else entry["low"] <= value <= entry["high"]


def confirmed(folder: Path, example: Example) -> None:
    """Run an example and confirm, replay, report, export and log it, checking each."""
    shutil.copytree(REPOSITORY / EXAMPLES, folder / EXAMPLES)
    shutil.copytree(REPOSITORY / "data", folder / "data")
    study = spec(example)
    name, search = study["name"], study["search"]
    lines = ran(folder, "run", str(example.path), "--trials", str(example.trials), "--json").splitlines()
    ended = [json.loads(line) for line in lines if line.startswith("{")]
    assert len(ended) == example.trials
    assert {trial["state"] for trial in ended} <= {"complete", "pruned"}
    values = [trial["value"] for trial in ended if trial["state"] == "complete"]
    assert values
    assert all(example.low <= value <= example.high and math.isfinite(value) for value in values)

    rows = [row for row in json.loads(ran(folder, "table", name, "--format", "json")) if row["rank"]]
    sign = 1 if study.get("direction", "minimize") == "minimize" else -1
    assert rows[0]["value"] == min(values, key=lambda value: sign * value)
    assert sign * rows[0]["value"] <= sign * example.best
    assert all(lies_in(rows[0][key], entry) for key, entry in search.items())

    amount = ("--top", "2", "--seeds", "2", "--certify", "2")
    candidates = json.loads(ran(folder, "confirm", name, *amount, "--format", "json"))
    [chosen] = [row for row in candidates if row["certified_n"]]
    assert chosen["certified_n"] == 2
    assert example.low <= chosen["certified_mean"] <= example.high

    replay = sweep(folder, "replay", name)
    assert replay.returncode == 0 if example.is_exact else replay.returncode in {0, 1}
    assert not example.is_exact or replay.stdout.startswith(("equal", "within"))
    ran(folder, "export", name, "-o", "best.toml")
    assert "certificate" in tomllib.loads((folder / "best.toml").read_text())
    ran(folder, "log", name, str(rows[0]["trial"]))
    ran(folder, "report", name)
    page = (folder / "reports" / name / "report.html").read_text()
    assert study["metric"] in page
    assert study["goal"] in page.replace("&#x27;", "'")


@pytest.mark.parametrize("example", OURS, ids=str)
def test_an_example_comes_to_a_confirmed_winner(example: Example, tmp_path: Path) -> None:
    """All commands exit 0, values lie in the range, the winner in its space, and it comes out again."""
    confirmed(tmp_path, example)


@pytest.mark.parametrize("example", THEIRS, ids=str)
def test_a_script_that_others_wrote_comes_to_a_confirmed_winner(example: Example, tmp_path: Path) -> None:
    """The same with scripts as their authors left them; those without a seed cannot come out again."""
    library, files = NEEDS[str(example)]
    missing = [source["file"] for source in sources() if source["file"] in files and not is_here(source)]
    if missing:
        pytest.skip(f"{', '.join(missing)} not in {FETCHED}: tests/examples/fetch.py could not reach it")
    try:
        __import__(library)
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"{library} does not work here: {error}")
    confirmed(tmp_path, example)


def test_plain_optuna_trains_the_same_function(tmp_path: Path) -> None:
    """The twin of names-mlp suggests the nine hyperparameters of the study file, with the same ranges."""
    example = OURS[1]
    source = (REPOSITORY / example.path.parent / "plain_optuna.py").read_text()
    twin = tmp_path / "twin.py"
    shutil.copytree(REPOSITORY / "data", tmp_path / "data")
    shutil.copy(REPOSITORY / example.path.parent / "trainers.py", tmp_path)
    twin.write_text(source.replace("n_trials=12", "n_trials=2").replace("steps=1000", "steps=100"))
    subprocess.run([sys.executable, str(twin)], cwd=tmp_path, check=True, timeout=600)
    study = optuna.load_study(study_name="names-mlp", storage=f"sqlite:///{tmp_path}/names-mlp.db")
    suggested = {name: d for trial in study.trials for name, d in trial.distributions.items()}
    search = spec(example)["search"]
    assert suggested.keys() <= search.keys()
    assert len(suggested) >= 7
    for name, distribution in suggested.items():
        if "choices" in search[name]:
            assert list(distribution.choices) == search[name]["choices"]
        else:
            assert (distribution.low, distribution.high) == (search[name]["low"], search[name]["high"])
