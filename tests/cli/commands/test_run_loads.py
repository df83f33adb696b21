"""Which libraries a run does without: what takes a second to load is loaded by what needs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sweep.certify.config_file import choose_trial
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from sweep.trainers.mlp.shown.note_kinds import LearnedModel
from sweep.trainers.mlp.shown.notes import take_notes
from tests.support.program_studies import lay_out
from tests.support.small_study import environment
from tests.support.sweep_command import REPOSITORY

BLOCKED = ("torch", "numba", "scipy.linalg", "scipy.optimize", "scipy.signal", "scipy.special", "scipy.stats")

CODE = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name in NAMES:
            raise ImportError(f"a run loads {name}")

sys.meta_path.insert(0, Blocked())
from sweep.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_the_driver_of_the_mlp_loads_no_torch(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its worker trains, and computes the notes, which are those of a driver that has torch."""
    names = ("torch", "boto3", *BLOCKED[2:])
    command = ["run", "small", "--trials", "7", "--workers", "1", "--device", "cpu"]
    done = subprocess.run(
        [sys.executable, "-c", CODE.replace("NAMES", repr(names)), *command],
        cwd=small,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "a run loads" not in done.stderr
    assert "warning" not in done.stderr
    study = load_study(Database(f"sqlite:///{small}/studies/sweep.db").open_read_only(), "small")
    noted = study.note(LearnedModel)
    assert noted is not None
    assert noted.is_of(choose_trial(study, None))
    checkpoints = Checkpoints(Database(f"sqlite:///{small}/studies/sweep.db").files / "small")
    monkeypatch.chdir(small)
    assert noted in list(take_notes(study, study.task.load_data(study.data), checkpoints))


def test_a_run_of_a_program_loads_neither_torch_nor_scipy(tmp_path: Path) -> None:
    """From the study file to the advice; with the module's name if one is loaded."""
    lay_out(tmp_path, "function")
    done = subprocess.run(
        [sys.executable, "-c", CODE.replace("NAMES", repr(BLOCKED)), "run", "own.toml", "--workers", "1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "SWEEP_LEDGER": str(tmp_path / "ledger.jsonl")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "a run loads" not in done.stderr
    assert "3 of 3 trials done" in done.stdout
