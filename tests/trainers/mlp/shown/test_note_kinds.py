"""Notes of a study: stored, read back, and refused where they are not what was stored."""

from pathlib import Path
from typing import Any

import optuna
import pytest

from sweep.definition.notes import Note
from sweep.errors import NotFoundError, StorageError
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from sweep.storage.study_store import store_note
from sweep.trainers.mlp.shown.note_kinds import KINDS, Baselines, NewWords, RangeTested
from tests.support.small_study import _own_ledger, small, trained

__all__ = ["_own_ledger", "small", "trained"]  # fixtures

NOTES: list[Note] = [
    Baselines(uniform=3.25, count_tables=(2.5, 2.25)),
    NewWords(trial=3, dev_words=40, new_words=30, new_loss=2.5, seen_loss=2.25),
    RangeTested(what="the best trial, number 3", suggestions={"valley": 0.1}),
]


@pytest.fixture
def database(small: Path) -> Database:
    """The database of the small study, in the working directory."""
    assert Path.cwd() == small
    return Database("sqlite:///studies/sweep.db")


@pytest.mark.parametrize("note", NOTES, ids=lambda note: note.key)
def test_a_note_comes_back_as_it_was_stored(note: Note, database: Database) -> None:
    """A later note takes the place of an earlier one of its kind; trials stay as they are."""
    before = load_study(database.open_read_only(), "small")
    store_note(database.open_for_writing(), "small", note)
    after = load_study(database.open_read_only(), "small")
    assert after.note(KINDS[note.key]) == note
    assert after.trials == before.trials


def test_an_equal_note_is_not_written_again(database: Database) -> None:
    """The file stays the same to the byte."""
    storage = database.open_for_writing()
    store_note(storage, "small", NOTES[0])
    before = database.path.read_bytes()
    store_note(storage, "small", NOTES[0])
    assert database.path.read_bytes() == before


def test_a_note_needs_its_study(database: Database) -> None:
    """None is made for it."""
    with pytest.raises(NotFoundError, match="no study 'other'"):
        store_note(database.open_for_writing(), "other", NOTES[0])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("baselines", {"uniform": "much", "count_tables": []}),
        ("baselines", [1]),
        ("new_words", {"trial": 1}),
        ("range_test", {"what": "x", "suggestions": {"valley": None}}),
        ("range_test", {"what": "x", "suggestions": {"valley": "nan"}}),
    ],
)
def test_a_damaged_note_is_told_in_one_line(key: str, value: Any, database: Database) -> None:
    """What another program has put in its place is not shown as ours."""
    optuna.load_study(study_name="small", storage=database.open_for_writing()).set_user_attr(key, value)
    with pytest.raises(StorageError, match=r"study 'small' is stored incompletely \(.*\); restore a copy"):
        load_study(database.open_read_only(), "small")
