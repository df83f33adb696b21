"""Values that were damaged where SQLite cannot notice are refused, never shown."""

import contextlib
import json
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from sweep.definition.records import StudyRecord
from sweep.errors import NotFoundError, StorageError
from sweep.storage.study_reader import load_study
from tests.support.toy_runs import Watcher, database_in, run_toy, toy_study
from tests.support.toy_task import ToyTask


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The database of a study of six trials."""
    folder = tmp_path_factory.mktemp("damage")
    run_toy(folder, toy_study(pruner="median"))
    return database_in(folder).path.read_bytes()


def load(folder: Path) -> StudyRecord:
    return load_study(database_in(folder).open_read_only(), "toy")


def change(folder: Path, statement: str, *values: Any) -> None:
    with contextlib.closing(sqlite3.connect(database_in(folder).path)) as connection, connection:
        assert connection.execute(statement, values).rowcount > 0


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("UPDATE trial_values SET value = ? WHERE trial_id = 1", 0.5),
        ("UPDATE trial_params SET param_value = ? WHERE trial_id = 2 AND param_name = 'x'", 0.25),
        ("UPDATE trials SET state = ? WHERE trial_id = 1", "FAIL"),
        ("UPDATE trials SET state = ? WHERE trial_id = 1", "COMPLEE"),
        ("UPDATE trial_user_attributes SET value_json = ? WHERE trial_id = 1 AND key = 'seed'", "17"),
        ("UPDATE trial_user_attributes SET value_json = ? WHERE trial_id = 1 AND key = 'seed'", "{"),
        ("UPDATE trial_system_attributes SET value_json = ? WHERE trial_id = 1", json.dumps("5" * 64)),
        ("UPDATE study_user_attributes SET value_json = ? WHERE key = 'keep'", "\ud800"),
        (
            "UPDATE study_user_attributes SET value_json = ? WHERE key = 'identity'",
            '{"search": {}, "seed": 1}',
        ),
        ("UPDATE studies SET study_name = ?", b"toy\xff"),
        ("UPDATE study_directions SET direction = ?", "MINIMISE"),
    ],
)
def test_a_changed_value_is_refused(statement: str, value: Any, whole: bytes, tmp_path: Path) -> None:
    """The line names the study, and tells to restore a copy."""
    database_in(tmp_path).path.write_bytes(whole)
    if value == "\ud800":
        value = b'"\xed\xa0\x80'
    change(tmp_path, statement, value)
    with pytest.raises(StorageError, match=r"restore a copy|database error"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("UPDATE trial_user_attributes SET value_json = ? WHERE key = 'seed'", "17"),
        ("UPDATE trial_user_attributes SET value_json = ? WHERE key = 'found'", '{"x": 0.25}'),
        ("UPDATE trial_params SET param_value = ? WHERE param_name = 'y'", 3),
        ("UPDATE trial_system_attributes SET value_json = replace(value_json, '[300', ?)", "[301"),
    ],
)
def test_a_changed_value_of_an_unfinished_trial_is_refused(
    statement: str, value: Any, tmp_path: Path
) -> None:
    """Nothing is trained from it: a run that goes on is refused like one that only reads."""
    search = {"y": {"low": 1, "high": 9}, "conduct": {"choices": ["learn", "raise"]}}
    spec = toy_study(trials=1, fixed={"x": "auto"}, search=search)
    run_toy(tmp_path, spec, Watcher(stop_after=1))
    (trial,) = load(tmp_path).trials
    assert (trial.state, len(trial.segments)) == ("waiting", 1)
    change(tmp_path, statement, value)
    with pytest.raises(StorageError, match="trial 0 was changed after it was stored"):
        run_toy(tmp_path, spec)


def test_a_trial_that_starts_again_and_fails_is_stored_without_its_lost_segments(tmp_path: Path) -> None:
    """Its seal is that of a trial that never stored one."""
    spec = toy_study(trials=1)
    run_toy(tmp_path, spec, Watcher(stop_after=1))
    for state in database_in(tmp_path).files.path.rglob("state-*"):
        state.unlink()
    run_toy(tmp_path, spec, task=ToyTask(breaks=True))
    (trial,) = load(tmp_path).trials
    assert (trial.state, trial.segments) == ("failed", ())


def test_optuna_says_nothing_of_its_own(
    whole: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A table without one of its columns is refused in our line, without Optuna's many beside it."""
    path = database_in(tmp_path).path
    path.write_bytes(whole.replace(b"value_type", b"value_tipe"))
    assert path.read_bytes() != whole
    with pytest.raises(StorageError):
        load(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_no_flipped_bit_changes_a_result(whole: bytes, tmp_path: Path) -> None:
    """A database with one bit flipped anywhere is refused, or its trials are as they were."""
    path = database_in(tmp_path).path
    path.write_bytes(whole)
    draw, refused = random.Random(5), []  # noqa: S311  no secret
    before = [trial.seal() for trial in load(tmp_path).trials]
    for _ in range(60):
        damaged, place = bytearray(whole), draw.randrange(len(whole))
        damaged[place] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        try:
            after = load(tmp_path).trials
        except (StorageError, NotFoundError) as error:  # the latter where the study's name was hit
            refused.append(str(error))
        else:
            assert [trial.seal() for trial in after] == before
    assert refused
    assert not any("\n" in line for line in refused)
