"""What lies beside a database, or hides in its schema, is refused before SQLite acts on it."""

import contextlib
import os
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from sweep.cli import main
from sweep.errors import StorageError
from sweep.storage.study_names import study_names
from sweep.storage.study_store import open_study
from tests.support.database_files import database_at, die_in_commit, in_process
from tests.support.toy_runs import toy_study
from tests.support.toy_task import TOY

MAGIC = bytes.fromhex("d9d505f920a163d7")
"""End of a super-journal's name in a journal: https://www.sqlite.org/fileformat2.html section 3."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A database with the study ``toy``; the same in mid-commit, and the journal that would undo it."""
    path = tmp_path_factory.mktemp("made") / "sweep.db"
    add_toy(path)
    whole = path.read_bytes()
    assert in_process(die_in_commit, path) == 9
    return {"whole": whole, "cut off": path.read_bytes(), "journal": beside(path, "-journal").read_bytes()}


@pytest.fixture
def path(made: dict[str, bytes], tmp_path: Path) -> Path:
    """A database with the study ``toy``."""
    path = tmp_path / "work" / "sweep.db"
    path.parent.mkdir()
    path.write_bytes(made["whole"])
    return path


def add_toy(path: Path) -> None:
    open_study(database_at(path).open_for_writing(), toy_study(), TOY, TOY.load_data({"words": ""}))


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def lay(path: Path, content: bytes, journal: bytes) -> None:
    path.write_bytes(content)
    beside(path, "-journal").write_bytes(journal)


def super_journal_record(victim: Path) -> bytes:
    """Return what SQLite appends to a journal for a transaction over several files."""
    name = str(victim).encode()
    return struct.pack(">I", 0x40000000 // 4096 + 1) + name + struct.pack(">II", len(name), sum(name)) + MAGIC


def padded(journal: bytes, record: bytes) -> bytes:
    """Return a journal whose super-journal record begins at the next sector, as with full synchronisation."""
    return journal + bytes(-len(journal) % 512) + record


JOURNALS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "after the last page": lambda journal, record: journal + record,
    "at the next sector": padded,
    "after an empty second header": lambda journal, record: padded(
        journal, journal[:8] + bytes(504) + record
    ),
}


def list_studies(path: Path, *_: object) -> int:
    return main(["list", "--storage", f"sqlite:///{path}"])


def doctor(path: Path, *_: object) -> int:
    return main(["doctor", "--storage", f"sqlite:///{path}"])


def copy_from(path: Path, tmp_path: Path) -> int:
    return main(["copy", "toy", "--storage", f"sqlite:///{path}", "--to", f"sqlite:///{tmp_path}/other.db"])


def copy_to(path: Path, tmp_path: Path) -> int:
    return main(["copy", "toy", "--storage", f"sqlite:///{tmp_path}/whole.db", "--to", f"sqlite:///{path}"])


def dashboard(path: Path, *_: object) -> int:
    return main(["dashboard", "--port", "0", "--storage", f"sqlite:///{path}"])


def run(path: Path, tmp_path: Path) -> int:
    study, words = tmp_path / "one.toml", tmp_path / "words.txt"
    words.write_text("".join(f"a{first}{second}\n" for first in "bcdef" for second in "ghijk"))
    study.write_text(f'[data]\nwords = "{words}"\n[search]\nblock_size = {{ low = 2, high = 4 }}\n')
    return main(["run", str(study), "--storage", f"sqlite:///{path}"])


DOORS = [list_studies, doctor, copy_from, copy_to, dashboard, run]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("form", JOURNALS)
def test_a_journal_that_names_another_file_does_not_delete_it(  # noqa: PLR0917  fixtures
    form: str,
    door: Callable[..., int],
    path: Path,
    made: dict[str, bytes],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No command opens the database; neither it nor its journal nor the named file changes."""
    (tmp_path / "whole.db").write_bytes(made["whole"])
    victim = tmp_path / "precious"
    victim.write_text("the only copy")
    before = made["cut off"], JOURNALS[form](made["journal"], super_journal_record(victim))
    lay(path, *before)
    assert door(path, tmp_path) == 3
    assert victim.read_text() == "the only copy"
    assert (path.read_bytes(), beside(path, "-journal").read_bytes()) == before
    assert "sweep.db-journal makes SQLite delete another file" in "".join(capsys.readouterr())


def test_the_made_up_journal_deletes_a_file_where_nobody_looks(
    path: Path, made: dict[str, bytes], tmp_path: Path
) -> None:
    """SQLite itself deletes the named file, so that the test above tests something."""
    victim = tmp_path / "precious"
    victim.write_text("the only copy")
    lay(path, made["cut off"], padded(made["journal"], super_journal_record(victim)))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    assert not victim.exists()


def test_the_journal_of_a_linked_database_is_the_one_beside_its_target(path: Path, tmp_path: Path) -> None:
    """A link to a database is opened, but not when SQLite would find such a journal."""
    link = tmp_path / "link.db"
    link.symlink_to(path)
    assert study_names(database_at(link).open_read_only()) == ["toy"]
    beside(path, "-journal").write_bytes(b"\xd9" * 512 + super_journal_record(tmp_path / "precious"))
    with pytest.raises(StorageError, match="makes SQLite delete another file"):
        database_at(link).open_read_only()


@pytest.mark.parametrize("how", ["open_for_writing", "open_read_only"])
@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder", "hard link"])
def test_what_is_no_plain_file_beside_a_database_is_refused(
    kind: str, suffix: str, how: str, path: Path, tmp_path: Path
) -> None:
    """Neither is a link followed nor a pipe waited for; what it names is as it was."""
    victim = tmp_path / "precious"
    victim.write_bytes(b"\0the only copy")
    make: dict[str, Callable[[Path], object]] = {
        "link": lambda side: side.symlink_to(victim),
        "dangling link": lambda side: side.symlink_to(tmp_path / "nowhere"),
        "pipe": os.mkfifo,
        "folder": Path.mkdir,
        "hard link": lambda side: side.hardlink_to(victim),
    }
    make[kind](beside(path, suffix))
    with pytest.raises(StorageError, match=rf"sweep\.db{suffix} .*; move it away"):
        getattr(database_at(path), how)()
    assert victim.read_bytes() == b"\0the only copy"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("suffix", ["-journal", "-wal", "-shm"])
def test_no_database_is_made_beside_what_an_older_one_left(
    suffix: str, path: Path, made: dict[str, bytes]
) -> None:
    """A journal would be played back into the new database."""
    beside(path, suffix).write_bytes(made["journal"])
    path.unlink()
    with pytest.raises(StorageError, match=rf"sweep\.db{suffix} exists without its database"):
        database_at(path).open_for_writing()
    assert not path.exists()


FOREIGN = {
    "a trigger": (
        "CREATE TRIGGER gift AFTER UPDATE ON studies BEGIN UPDATE studies SET study_name = 'x'; END",
        "trigger 'gift'",
    ),
    "a view": ("CREATE VIEW gift AS SELECT 1", "view 'gift'"),
    "a view in place of a table": (
        "ALTER TABLE trials RENAME TO kept; CREATE VIEW trials AS WITH RECURSIVE r(n) AS "
        "(SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n AS trial_id FROM r",
        "view 'trials'",
    ),
    "a temporary name": ("CREATE VIEW 'a\nb\x1b[2J' AS SELECT 1", r"view 'a\\nb\\x1b\[2J'"),
    "a virtual table": ("CREATE VIRTUAL TABLE gift USING fts4(text)", "virtual table 'gift'"),
    "a computed column": (
        "ALTER TABLE studies ADD COLUMN gift AS (hex(zeroblob(9)))",
        r"computed column 'studies\.gift'",
    ),
    "an index of an expression": (
        "CREATE INDEX gift ON studies (hex(study_name))",
        "index of an expression 'gift'",
    ),
    "a partial index": ("CREATE INDEX gift ON studies (study_id) WHERE study_id > 1", "partial index 'gift'"),
    "many": (
        ";".join(f"CREATE VIEW gift{n} AS SELECT 1" for n in range(9)),
        "view 'gift4', 4 more",
    ),
}


@pytest.mark.parametrize("how", ["open_for_writing", "open_read_only"])
@pytest.mark.parametrize("what", FOREIGN)
def test_what_runs_by_itself_in_a_schema_is_refused(what: str, how: str, path: Path) -> None:
    """One printable line names it; nothing of it runs, and the file is as it was."""
    statements, named = FOREIGN[what]
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(statements)
    before = path.read_bytes()
    with pytest.raises(StorageError, match=named) as refusal:
        getattr(database_at(path), how)()
    assert str(refusal.value).isprintable()
    assert path.read_bytes() == before


def test_tables_and_plain_indexes_of_others_are_accepted(path: Path) -> None:
    """They run nothing."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE mine (a INTEGER PRIMARY KEY, b TEXT UNIQUE); CREATE INDEX other ON mine (b, a)"
        )
    assert study_names(database_at(path).open_read_only()) == ["toy"]
    assert study_names(database_at(path).open_for_writing()) == ["toy"]


def test_a_constraint_of_the_file_is_not_run_by_reading(path: Path) -> None:
    """The check of the whole file leaves it out: here it would be broken."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "PRAGMA ignore_check_constraints = ON; CREATE TABLE mine (a CHECK (length(hex(a)) < 9));"
            "INSERT INTO mine VALUES ('far too long')"
        )
    assert study_names(database_at(path).open_read_only()) == ["toy"]
