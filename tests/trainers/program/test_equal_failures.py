"""A study whose program fails in every trial: stopped early, mended, continued, retried."""

import collections
from pathlib import Path

import pytest

import sweep
from sweep.errors import TrialsFailedError
from tests.support.program_home import Home

TRAINERS = {
    "function": ('trainer = "trainers:train"\n', "def train(config):\n    {}\n    return config.x\n"),
    "command": (
        'command = ["python", "trainers.py", "{x}"]\n',
        "import sys\n{}\nprint('loss:', float(sys.argv[1]))\n",
    ),
}

STUDY = """
name = "typo"
metric = "loss"
sampler = "random"
trials = 12
search.x = { low = 0.0, high = 1.0 }
"""


HINT = (
    "10 trials failed with earlier versions of the program; `sweep run typo --retry-failed` trains the "
    "configurations again"
)


@pytest.mark.parametrize("program", TRAINERS)
def test_a_typo_stops_the_run_early(tmp_path: Path, program: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Five failed trials of each run are kept; the mended script trains the others, then these again."""
    home, (keys, source) = Home(tmp_path), TRAINERS[program]
    home.write("typo.toml", keys + STUDY)
    home.write("trainers.py", source.format("import torhc"))
    assert home.command("run", "typo.toml", "--workers", "1") == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(
        "sweep: 5 trials failed in the same way and none succeeded, the first with: failed in"
    )
    assert "No module named 'torhc'" in last
    assert "`sweep log typo 0`" in last
    with pytest.raises(TrialsFailedError):
        home.run("typo.toml", workers=1)
    home.write("trainers.py", source.format("pass"))
    capsys.readouterr()
    assert home.command("run", "typo.toml", "--workers", "1", "--code-changed", "typo") == 0
    assert HINT in capsys.readouterr().err.splitlines()
    assert home.command("run", "typo.toml", "--workers", "2", "--retry-failed") == 0
    assert HINT not in capsys.readouterr().err.splitlines()
    with home.entered():
        trials = sweep.load_study("typo").trials
    assert [trial.state for trial in trials] == ["failed"] * 10 + ["complete"] * 12
    assert [trial.params for trial in trials[12:]] == [trial.params for trial in trials[:10]]
    assert len({trial.seed for trial in trials}) == 22
    assert home.command("run", "typo.toml", "--retry-failed") == 1
    assert "no trial of study 'typo' failed, or all were retried" in capsys.readouterr().err


FLAKY = """
import pathlib

def train(config):
    done = pathlib.Path(__file__).with_name(f"{config.x}.done")
    if config.x in (2, 4) and not done.exists():
        done.touch()
        raise OSError("flaky")
    return config.x
"""

GRID = """
name = "grid"
trainer = "trainers:train"
metric = "loss"
sampler = "grid"
search.x = { choices = [1, 2, 3, 4, 5, 6, 7, 8, 9] }
"""


@pytest.mark.parametrize("replicates", [1, 2])
def test_a_study_that_grows_after_retries_leaves_out_no_cell(tmp_path: Path, replicates: int) -> None:
    """Half of the grid, the failed ones again, then the whole: each cell has all its seeds."""
    home = Home(tmp_path)
    home.write("grid.toml", f"replicates = {replicates}\n{GRID}")
    home.write("trainers.py", FLAKY)
    part = ["--set", f"trials={5 * replicates}", "--workers", "1"]
    assert home.command("run", "grid.toml", *part) == 0
    assert home.command("run", "grid.toml", *part, "--retry-failed") == 0
    assert home.command("run", "grid.toml", "--workers", "2") == 0
    with home.entered():
        study = sweep.load_study("grid")
    found = collections.Counter(t.params["x"] for t in study.trials if t.state == "complete")
    assert found == dict.fromkeys(range(1, 10), replicates)
    assert len(study.trials) == 9 * replicates + 2
    assert [t.retries for t in study.trials if t.retries is not None] == [
        t.number for t in study.trials if t.state == "failed"
    ]
    assert home.command("run", "grid.toml") == 0
    with home.entered():
        assert len(sweep.load_study("grid").trials) == 9 * replicates + 2
