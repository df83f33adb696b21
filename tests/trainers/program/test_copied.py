"""A study whose folder is copied to another place runs there as the same program."""

import shutil
from pathlib import Path

import pytest

from tests.support.program_home import Home

SOURCE = """
import sys

sys.path.insert(0, "lib")
import helper

def train(config):
    return helper.square(config.x)

if __name__ == "__main__":
    print("loss:", helper.square(float(sys.argv[1])))
"""

STUDY = """
name = "moved"
metric = "loss"
sampler = "random"
trials = 1
search.x = { low = 0.0, high = 1.0 }
"""


@pytest.mark.parametrize(
    "program",
    ['trainer = "train:train"\n', 'command = ["python", "train.py", "{x}"]\n'],
    ids=["function", "command"],
)
def test_a_copied_folder_continues_its_study(tmp_path: Path, program: str) -> None:
    """The second trial is trained in the copy, by the program that is there."""
    (tmp_path / "first" / "lib").mkdir(parents=True)
    home = Home(tmp_path / "first")
    home.write("train.py", SOURCE)
    home.write("lib/helper.py", "def square(x):\n    return x * x\n")
    home.write("moved.toml", program + STUDY)
    home.run("moved.toml", workers=1)
    shutil.copytree(home.folder, tmp_path / "second")
    shutil.rmtree(home.folder)
    trials = Home(tmp_path / "second").run("moved.toml", workers=1, trials=2).trials
    assert [trial.dev_loss for trial in trials] == [pytest.approx(trial.params["x"] ** 2) for trial in trials]
    assert [trial.code_changed for trial in trials] == [None, None]
