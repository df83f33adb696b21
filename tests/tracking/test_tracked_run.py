"""A trial as a run: what identifies it, and what it holds."""

import dataclasses
import datetime
import math
from pathlib import Path

import pytest

from sweep.definition.records import SegmentRecord
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.folders import LocalFolder
from sweep.tracking.tracked_run import run_key, tracked_run
from tests.support.study_records import study, trial


@pytest.fixture
def files(tmp_path: Path) -> Checkpoints:
    return Checkpoints(LocalFolder(tmp_path))


def segment(step: int, value: float) -> SegmentRecord:
    return SegmentRecord(step=step, percent=None, dev_loss=value, seconds=1.0, state_sha256="")


IDENTITY = {"sampler": "random", "seed": 0, "data_sha256": "5" * 64}


def made(*trials, **changes):
    record = study(*trials, **changes)
    return dataclasses.replace(record, identity={**record.identity, **IDENTITY})


def test_values_are_those_of_the_segments_and_numbers_are_finite(files: Checkpoints) -> None:
    """A trainer without a program has a value at each rung; NaN is no value."""
    one = trial(
        4, 2.0, segments=(segment(10, 3.0), segment(30, math.nan), segment(100, 2.0)), facts={"n_params": 7}
    )
    run = tracked_run(made(one), one, files)
    assert run.values == ((10, 3.0), (100, 2.0))
    assert run.numbers == {"n_params": 7.0, "train_seconds": 3.0, "dev_loss": 2.0}
    assert run.params["hidden_neurons"] == 200
    assert run.params["seed"] == one.seed
    assert run.tags["sweep.trial"] == "4"
    assert "sweep.reason" not in run.tags


def test_the_key_is_the_same_for_the_same_trial_alone(files: Checkpoints) -> None:
    """Another trial, seed, study, search space or start has another one."""
    one, two = trial(0, 2.0), trial(1, 2.0)
    mine = made(one, two)
    renamed = dataclasses.replace(mine, name="other")
    widened = dataclasses.replace(mine, identity={**mine.identity, "seed": 1})
    again = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)
    keys = [
        run_key(mine, one),
        run_key(mine, dataclasses.replace(one, started=again)),
        run_key(mine, two),
        run_key(mine, dataclasses.replace(one, seed=5)),
        run_key(renamed, one),
        run_key(widened, one),
    ]
    assert len(set(keys)) == 6
    assert run_key(made(one, two), dataclasses.replace(one, dev_loss=3.0)) == keys[0]


def test_the_commit_is_that_of_the_code_that_trained_it(files: Checkpoints) -> None:
    """A trial that was marked when the program changed was trained by the later version."""
    versions = (
        {"hash": "aa", "files": {}, "commit": "c0ffee", "is_dirty": False, "why": None},
        {"hash": "bb", "files": {}, "commit": "facade", "is_dirty": True, "why": "a fix"},
    )
    early, late = trial(0, 2.0), trial(1, 2.0, code_changed="a fix")
    mine = made(early, late, code=versions)
    assert tracked_run(mine, early, files).tags["sweep.git_commit"] == "c0ffee"
    assert tracked_run(mine, late, files).tags["sweep.git_commit"] == "facade"
    assert tracked_run(mine, late, files).tags["sweep.git_is_dirty"] == "True"
