"""Values that were damaged where SQLite cannot notice are refused, never shown."""

import contextlib
import json
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from toy_runs import database_in, run_toy, toy_study

from sweep.errors import NotFoundError, StorageError
from sweep.search.records import StudyRecord
from sweep.search.study_store import load_study


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
