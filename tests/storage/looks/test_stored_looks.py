"""Looks at the test split are kept in the database, and outlive what happens in between."""

import dataclasses
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sweep.errors import StorageError
from sweep.storage.database import Database
from sweep.storage.looks.look_writer import write_look
from sweep.storage.looks.stored_looks import SeedLook, TestLook, first_finished_look, read_looks
from sweep.storage.looks.unit_sketch import UnitSketch
from tests.support.study_evidence import made_study, made_trial

LOOK = TestLook(
    look_id="0" * 32,
    started="2025-03-01T12:00:00+00:00",
    test_sha256="a" * 64,
    data_sha256="b" * 64,
    config_sha256="c" * 64,
    study="names",
    trial=7,
    dev_loss=0.1 + 0.2,
    test_loss=None,
    why="",
    version="1.0",
    sketch=UnitSketch.of(map(str, range(3_000)), b"k" * 32),
)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path}/sweep.db")


def test_a_database_without_looks_has_none(database: Database) -> None:
    """Neither reading nor writing studies makes the table."""
    database.open_for_writing()
    assert read_looks(database.open_read_only()) == []


def test_a_look_is_read_as_it_was_written(database: Database) -> None:
    """Losses to the last bit, a reason in any script, and one that never ended without a loss."""
    storage = database.open_for_writing()
    other = dataclasses.replace(
        LOOK, look_id="1" * 32, started="2025-03-02T12:00:00+00:00", test_loss=1 / 3, why="wärmer: 'x'; --"
    )
    write_look(storage, other)
    write_look(storage, LOOK)
    assert read_looks(database.open_read_only()) == [LOOK, other]


def test_a_look_is_completed_in_its_place(database: Database) -> None:
    """The same look written again replaces itself, and is still one look."""
    storage = database.open_for_writing()
    write_look(storage, LOOK)
    done = dataclasses.replace(LOOK, test_loss=2.25)
    write_look(storage, done)
    assert read_looks(storage) == [done]


def test_a_database_of_an_earlier_release_is_read_and_written(database: Database) -> None:
    """It has no table of sketches or groups: its looks come without, and a new look adds the tables."""
    old = dataclasses.replace(LOOK, look_id="1" * 32, sketch=None)
    storage = database.open_for_writing()
    write_look(storage, old)
    with closing(sqlite3.connect(database.path)) as connection:
        for table in ("sketches", "groups"):
            connection.execute(f"DROP TABLE sweep_test_look_{table}")
    assert read_looks(database.open_read_only()) == [old]
    new = dataclasses.replace(LOOK, group="2" * 32)
    write_look(database.open_for_writing(), new)
    assert sorted(read_looks(database.open_read_only()), key=lambda look: look.look_id) == [new, old]


def test_an_earlier_release_reads_the_looks_of_this_one(database: Database) -> None:
    """The columns of its table are the same; the sketches and groups are in tables that it does not know."""
    write_look(database.open_for_writing(), LOOK)
    with closing(sqlite3.connect(database.path)) as connection:
        names = {row[1] for row in connection.execute("PRAGMA table_info(sweep_test_looks)")}
    fields = {field.name for field in dataclasses.fields(TestLook)}
    assert names == fields - {"seeds", "sketch", "group"}  # these have tables of their own


@pytest.mark.parametrize("lowest", ["", "?", "AAAAAAAAAAA="])
def test_a_damaged_sketch_is_an_error(lowest: str, database: Database) -> None:
    """It is refused in one line; skipped, it would make used words unused."""
    write_look(database.open_for_writing(), LOOK)
    with closing(sqlite3.connect(database.path)) as connection, connection:
        connection.execute("UPDATE sweep_test_look_sketches SET lowest = ?", [lowest])
    with pytest.raises(StorageError, match=f"sketch of test look {'0' * 32} is damaged; restore a copy"):
        read_looks(database.open_read_only())


def test_looks_leave_the_studies_sound(database: Database) -> None:
    """The database with a table of ours is still one of studies, and whole."""
    write_look(database.open_for_writing(), LOOK)
    with closing(sqlite3.connect(database.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert read_looks(database.open_for_writing()) == [LOOK]


def test_a_look_cannot_be_written_to_a_read_only_database(database: Database) -> None:
    """It is an error, as a look that is not recorded must not happen."""
    database.open_for_writing()
    with pytest.raises(StorageError, match="read-only"):
        write_look(database.open_for_dashboard(), LOOK)


def test_a_look_is_told_in_one_line() -> None:
    """It names trial, study, loss and the reason for looking again."""
    again = dataclasses.replace(LOOK, test_loss=2.25, why="new seed")
    assert again.describe().endswith("trial 7 of 'names': test loss 2.2500, again because 'new seed'")
    assert LOOK.describe().endswith("test loss unknown (interrupted)")


def test_a_look_counts_for_the_configuration_that_it_evaluated() -> None:
    """Whatever the study is called now; not for another configuration with the same study and number."""
    trial, other = made_trial(7, 2.1), made_trial(7, 2.0, params=made_trial(3).params)
    study = made_study(trial)
    config = study.task.make_config(study.config_values(trial))
    of_search = dataclasses.replace(LOOK, config_sha256=config.sha256(), test_loss=2.2)
    certified = dataclasses.replace(
        of_search,
        config_sha256=config.replace(seed=11).sha256(),
        seeds=(SeedLook(seed=11, dev_loss=2.1, test_loss=2.2),),
    )
    for look in (of_search, certified):
        assert first_finished_look([LOOK, look], study, trial) == look
        assert first_finished_look([look], dataclasses.replace(study, name="renamed"), trial) == look
        assert first_finished_look([look], study, other) is None
        assert first_finished_look([dataclasses.replace(look, test_loss=None)], study, trial) is None
