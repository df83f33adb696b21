"""A database that sweep makes is the one that Optuna makes, and only Optuna's tables are accepted."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from optuna.storages import RDBStorage

from sweep.storage.database.optuna_schema import make_file, open_file
from sweep.storage.database.schema import VERSION


def dump(path: Path) -> list[str]:
    """Return the statements that would make the database again, and what its header holds."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        header = ["page_size", "encoding", "auto_vacuum", "journal_mode", "user_version"]
        values = [f"{name} {connection.execute(f'PRAGMA {name}').fetchone()}" for name in header]
        return [*values, *connection.iterdump()]


def leave(storage: RDBStorage) -> None:
    storage.remove_session()
    storage.engine.dispose()


def test_a_made_file_holds_what_optuna_makes(tmp_path: Path) -> None:
    """Tables, indexes, versions and header are the same, also of the second one of a process."""
    leave(RDBStorage(f"sqlite:///{tmp_path}/optuna.db"))
    for name in ("first.db", "second.db"):
        make_file(tmp_path / name)
        assert dump(tmp_path / name) == dump(tmp_path / "optuna.db")
    assert 'INSERT INTO "alembic_version"' in "".join(dump(tmp_path / "first.db"))


def test_opening_a_made_file_changes_nothing(tmp_path: Path) -> None:
    """Optuna finds all its tables there."""
    make_file(tmp_path / "made.db")
    before = (tmp_path / "made.db").read_bytes()
    leave(open_file(tmp_path / "made.db", "rw"))
    assert (tmp_path / "made.db").read_bytes() == before


def test_the_version_that_statements_read_is_the_one_that_optuna_makes(tmp_path: Path) -> None:
    """A newer Optuna with other tables fails here, by its version."""
    make_file(tmp_path / "made.db")
    storage = open_file(tmp_path / "made.db", "ro")
    assert storage.get_head_version() == VERSION
    leave(storage)


@pytest.mark.parametrize(("version", "advice"), [("v2.6.0.a", "storage upgrade"), ("v9", "updating optuna")])
@pytest.mark.parametrize("mode", ["ro", "rw"])
def test_tables_of_another_version_are_refused_after_others_were_accepted(
    tmp_path: Path, version: str, advice: str, mode: str
) -> None:
    """What is remembered is the version, not that the check was passed; a refusal is not remembered."""
    for name in ("good.db", "other.db"):
        make_file(tmp_path / name)
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [version])
    leave(open_file(tmp_path / "good.db", mode))
    for _ in range(2):
        with pytest.raises(RuntimeError, match=advice):
            open_file(tmp_path / "other.db", mode)
