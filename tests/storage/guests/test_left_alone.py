"""A guest's file that SQLite could read only by writing is refused; others are read without a trace."""

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweep.errors import StorageError
from sweep.storage.database import Database
from sweep.storage.study_names import study_names
from tests.support.guest_studies import Guests, guests

__all__ = ["guests"]

CUT_OFF = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN")
connection.execute("UPDATE trial_params SET param_name = param_name || 'x'")
connection.execute("UPDATE trial_values SET value = 1")
os._exit(9)
"""


@pytest.fixture
def path(guests: Guests, tmp_path: Path) -> Path:
    """A copy of a file of guests, alone in its folder."""
    folder = tmp_path / "alone"
    folder.mkdir()
    return Path(shutil.copy(guests.path, folder / "g.db"))


@contextlib.contextmanager
def untouched(folder: Path) -> Iterator[None]:
    """Compare all bytes and names in a folder, except the index of a log: readers write to it."""
    before = {each.name: each.read_bytes() for each in folder.iterdir() if each.suffix != ".db-shm"}
    yield
    assert {each.name: each.read_bytes() for each in folder.iterdir() if each.suffix != ".db-shm"} == before


def names_in(path: Path) -> list[str]:
    return study_names(Database(f"sqlite:///{path}").open_read_only())


def test_a_hot_journal_is_refused_and_kept(path: Path) -> None:
    """Sweep rolls back only what it has written itself."""
    subprocess.run([sys.executable, "-c", CUT_OFF, path], check=False)
    assert path.with_name("g.db-journal").stat().st_size > 0
    with untouched(path.parent), pytest.raises(StorageError, match=r"its writer was interrupted") as refusal:
        names_in(path)
    assert (refusal.value.exit_status, "\n" in str(refusal.value)) == (3, False)


def test_a_closed_log_is_read_without_a_trace(path: Path) -> None:
    """A file in WAL mode that nobody has open gets no log and no index."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    with untouched(path.parent):
        assert "mixed" in names_in(path)


def test_a_log_in_use_is_read_and_one_without_its_index_refused(path: Path, tmp_path: Path) -> None:
    """What is in the log alone is read too, if its index is there."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE studies SET study_name = 'new' WHERE study_name = 'mixed'")
        connection.commit()
        with untouched(path.parent):
            assert "new" in names_in(path)
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", tmp_path / f"copy.db{suffix}")
    with pytest.raises(StorageError, match="has no -shm file beside it") as refusal:
        names_in(tmp_path / "copy.db")
    assert (refusal.value.exit_status, "\n" in str(refusal.value)) == (3, False)
    assert not (tmp_path / "copy.db-shm").exists()
