"""The best trials keep their files whole, whatever the order of the ends; the others keep a thinned curve."""

import random
from pathlib import Path

import numpy as np
import pytest

from sweep.definition.records import TrialRecord
from sweep.execution.trials.kept_files import KeptFiles
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.folders import LocalFolder
from tests.support import study_records as records

LOSSES = [2.4, 2.1, None, 2.3, 2.1, 2.9, None, 2.0]
"""Of trials 0, 1, ...; two have none, two are equal."""


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    """One segment of each trial, as a driver that was killed leaves it."""
    checkpoints = Checkpoints(LocalFolder(tmp_path / "study"))
    for number in range(len(LOSSES)):
        checkpoints.write_segment(number, 0, 9, b"state", np.zeros(9, np.float32))
    return checkpoints


def with_state(checkpoints: Checkpoints) -> list[int]:
    names = {number: checkpoints.folder(number).names() for number in range(len(LOSSES))}
    return [number for number, found in names.items() if any("state" in name for name in found)]


def untidied(checkpoints: Checkpoints) -> list[int]:
    names = {number: checkpoints.folder(number).names() for number in range(len(LOSSES))}
    return [number for number, found in names.items() if any("losses" in name for name in found)]


def best(keep: int) -> list[int]:
    """The oracle: sort by loss, then number."""
    ranked = sorted((loss, number) for number, loss in enumerate(LOSSES) if loss is not None)
    return sorted(number for _, number in ranked[:keep])


def ended() -> list[TrialRecord]:
    return [
        records.trial(number, loss, state="complete" if loss is not None else "failed")
        for number, loss in enumerate(LOSSES)
    ]


@pytest.mark.parametrize("keep", [0, 1, 3, 20])
def test_the_best_keep_their_files_in_whatever_order_trials_end(checkpoints: Checkpoints, keep: int) -> None:
    """Of equal losses the lower number counts as better; no segment of a finished trial is left."""
    files = KeptFiles(checkpoints, keep, is_alone=True)
    order = list(enumerate(LOSSES))
    random.Random(keep).shuffle(order)  # noqa: S311  no secret
    for number, loss in order:
        files.close(number, loss)
    assert with_state(checkpoints) == best(keep)
    assert untidied(checkpoints) == []


def test_a_new_start_tidies_what_a_killed_run_left(checkpoints: Checkpoints) -> None:
    """Starting from the stored trials keeps the same files, also the second time; running trials are left."""
    running = records.trial(3, None, state="running")
    stored = [running if trial.number == 3 else trial for trial in ended()]
    files = KeptFiles(checkpoints, 2, is_alone=True)
    for _ in range(2):
        files.start_from(stored)
        assert with_state(checkpoints) == sorted([*best(2), 3])
        assert untidied(checkpoints) == [3]


def test_beside_others_a_driver_tidies_only_what_ended_here(checkpoints: Checkpoints) -> None:
    """It counts the others' trials for the rank; the last driver tidies the rest."""
    files = KeptFiles(checkpoints, 1, is_alone=False)
    files.start_from(ended()[:4])
    assert untidied(checkpoints) == list(range(8))
    for number in (5, 6):
        files.take_charge(number)
        files.close(number, LOSSES[number])
    assert untidied(checkpoints) == [0, 1, 2, 3, 4, 7]
    assert with_state(checkpoints) == [0, 1, 2, 3, 4, 7]
    files.tidy_all(ended())
    assert untidied(checkpoints) == []
    assert with_state(checkpoints) == best(1)


def test_a_trial_that_ended_here_loses_its_state_to_a_better_one_of_another_driver(
    checkpoints: Checkpoints,
) -> None:
    """Its own files are thinned when it is displaced; the files of the better trial are left alone."""
    files = KeptFiles(checkpoints, 1, is_alone=False)
    files.take_charge(1)
    files.close(1, 2.1)
    assert 1 in with_state(checkpoints)
    files.close(7, 2.0)
    assert 1 not in with_state(checkpoints)
    assert 7 in untidied(checkpoints)
