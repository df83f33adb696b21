"""A database is opened safely, and whatever else lies in its place is refused in one line."""

import contextlib
import gc
import os
import random
import sqlite3
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock
import pytest
from optuna.exceptions import StorageInternalError
from optuna.study import StudyDirection

from sweep.errors import MachineError, NotFoundError, StorageError, StudyConflictError, SweepError
from sweep.storage.database import Database, storage_errors
from sweep.storage.study_names import study_names
from tests.faults import launcher
from tests.support.database_files import database_at, die_in_commit, in_process
from tests.support.file_modes import obey_file_modes, read_only
from tests.support.sweep_command import DEADLINE_S


def add_study(database: Database, name: str) -> None:
    database.open_for_writing().create_new_study([StudyDirection.MINIMIZE], name)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """A database with one study."""
    database = database_at(tmp_path / "sweep.db")
    add_study(database, "first")
    return database


@pytest.mark.parametrize(
    "url",
    ["", "sweep.db", "sqlite:///", "sqlite://sweep.db", "mysql://user:secret@host/db", "redis://host"],
)
def test_other_kinds_of_storage_are_refused(url: str) -> None:
    """The refusal says what is supported and shows no password."""
    with pytest.raises(StorageError, match="sqlite:///PATH") as refusal:
        Database(url)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("options", ["?timeout=30", "?", "?mode=ro&uri=true", "?cache=/tmp/x"])
def test_options_after_a_path_are_refused(tmp_path: Path, options: str) -> None:
    """What other programs read as options is named, and no file is made under such a name."""
    with pytest.raises(StorageError, match=r"without options, got '\?") as refusal:
        database_at(tmp_path / f"sweep.db{options}")
    assert options in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    ["50%/sweep.db", "%20.db", "{a}.db", "a{SCHEMA_VERSION}/b.db", "#1/s#2.db", "why?/s.db", "a b/ü.db"],
)
def test_a_path_may_hold_any_character(tmp_path: Path, name: str) -> None:
    """Written and read at the very path that was given, though a URL would read some characters otherwise."""
    add_study(database_at(tmp_path / name), "first")
    assert study_names(database_at(tmp_path / name).open_read_only()) == ["first"]
    assert (tmp_path / name).is_file()
    assert {path.name for path in (tmp_path / name).parent.iterdir()} == {
        Path(name).name,
        f"{Path(name).name}.d",
    }


def test_a_folder_of_any_name_may_be_worked_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is opened where it is meant, whatever the folders above it are called."""
    folder = tmp_path / "50% of {all} #1, why?"
    folder.mkdir()
    monkeypatch.chdir(folder)
    database = Database("sqlite:///studies/sweep.db")
    add_study(database, "first")
    assert study_names(database.open_read_only()) == ["first"]
    assert (folder / "studies" / "sweep.db").is_file()


def test_what_is_written_is_read(database: Database) -> None:
    """A second connection, read-only, sees what the first one stored."""
    assert study_names(database.open_read_only()) == ["first"]
    add_study(database, "second")
    assert study_names(database.open_read_only()) == ["first", "second"]


def test_reading_a_missing_database_makes_no_file(tmp_path: Path) -> None:
    """The error names the path and what makes a database."""
    with pytest.raises(NotFoundError, match=r"no database at .*nowhere\.db; `sweep run"):
        database_at(tmp_path / "nowhere.db").open_read_only()
    assert list(tmp_path.iterdir()) == []


def _other_program(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text TEXT)")


def _cut_in_half(path: Path) -> None:
    add_study(database_at(path), "first")
    os.truncate(path, path.stat().st_size // 2)


def _overwritten_inside(path: Path) -> None:
    add_study(database_at(path), "first")
    content = bytearray(path.read_bytes())
    content[4096:] = random.Random(3).randbytes(len(content) - 4096)  # noqa: S311  no secret
    path.write_bytes(content)


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda path: path.write_text("goal = 'none'\n" * 100), "not an SQLite database"),
    "zero bytes": (lambda path: path.write_bytes(b""), "empty"),
    "header only": (lambda path: path.write_bytes(b"SQLite format 3\x00"), "not an SQLite database"),
    "cut in half": (_cut_in_half, "damaged"),
    "overwritten inside": (_overwritten_inside, "damaged"),
    "another program's": (_other_program, "belongs to another program"),
    "a directory": (Path.mkdir, "is not a file"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("how", ["open_for_writing", "open_read_only"])
def test_what_is_no_sound_database_is_refused_and_left_as_it_is(tmp_path: Path, fault: str, how: str) -> None:
    """One line says what is wrong; no byte of the file changes."""
    path = tmp_path / "sweep.db"
    make, word = FAULTS[fault]
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StorageError, match=word) as refusal:
        getattr(database_at(path), how)()
    assert "\n" not in str(refusal.value)
    assert str(path) in str(refusal.value)
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_read_only_connection_refuses_writes(database: Database) -> None:
    """Nobody who only looks can change a study."""
    storage = database.open_for_dashboard()
    with pytest.raises(StorageInternalError):
        storage.create_new_study([StudyDirection.MINIMIZE], "second")
    assert study_names(database.open_read_only()) == ["first"]


def test_a_writer_begins_immediately(database: Database) -> None:
    """Inside a writer's transaction, before its first write, another connection cannot begin one."""
    storage = database.open_for_writing()
    with (
        contextlib.closing(sqlite3.connect(database.path, timeout=0, isolation_level=None)) as other,
        storage.engine.begin(),
    ):
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT study_name FROM studies").fetchall() == [("first",)]


@pytest.mark.parametrize("how", ["open_for_writing", "open_read_only"])
def test_a_locked_database_is_waited_for(database: Database, how: str) -> None:
    """Another process's transaction holds opening up until it ends, and is no error."""
    with contextlib.closing(
        sqlite3.connect(database.path, isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("BEGIN EXCLUSIVE")
        release = threading.Timer(1.2, other.execute, ["ROLLBACK"])
        started = time.monotonic()
        release.start()
        storage = getattr(database, how)()
        assert study_names(storage) == ["first"]
        assert 1 < time.monotonic() - started < 30
        release.join()


def test_a_hot_journal_is_rolled_back_before_reading(database: Database) -> None:
    """A transaction that was cut off by a kill is undone by the next reader."""
    assert in_process(die_in_commit, database.path) == 9
    journal = database.path.with_name("sweep.db-journal")
    assert journal.stat().st_size > 0
    assert study_names(database.open_read_only()) == ["first"]
    with contextlib.closing(sqlite3.connect(database.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_sixteen_processes_open_a_new_database_at_once(tmp_path: Path) -> None:
    """All of them succeed and add their study."""
    path = tmp_path / "studies" / "sweep.db"
    context = launcher.loaded()
    start = context.Barrier(16)
    processes = [context.Process(target=_open_together, args=(path, start, n)) for n in range(16)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(DEADLINE_S)
    assert [process.exitcode for process in processes] == [0] * 16
    assert sorted(study_names(database_at(path).open_read_only())) == sorted(f"study-{n}" for n in range(16))


def test_a_kill_while_the_database_is_made_leaves_none_or_a_whole_one(tmp_path: Path) -> None:
    """Killed at twelve moments of its making, it can be opened by the next run."""
    moment = random.Random(4)  # noqa: S311  no secret
    context = launcher.loaded()
    for attempt in range(12):
        path = tmp_path / str(attempt) / "sweep.db"
        start = context.Barrier(2)
        process = context.Process(target=_open_together, args=(path, start, 0))
        process.start()
        start.wait(60)
        while process.is_alive() and not list(path.parent.rglob("*.db*")):
            time.sleep(0.001)  # until its first file is there
        time.sleep(moment.uniform(0, 0.06))
        process.kill()
        process.join(DEADLINE_S)
        names = study_names(database_at(path).open_for_writing())
        assert names in ([], ["study-0"])


def test_a_folder_that_cannot_be_written_is_an_error_of_the_machine(
    database: Database, tmp_path: Path
) -> None:
    """The error names the file that cannot be made or locked; a database in the folder can still be read."""
    with database.driver_lock("first"):
        pass  # its file stays
    elsewhere = database_at(tmp_path / "other.db")
    refused = {
        elsewhere.files.path: elsewhere.open_for_writing,
        database.files.path / ".open.lock": lambda: add_study(database, "second"),
        database.files.path / "first" / "driver.lock": lambda: database.driver_lock("first").__enter__(),
    }
    with read_only(tmp_path):
        for path, action in refused.items():
            assert _bound_by_modes(action) == f"MachineError: {path}: Permission denied"
        assert _bound_by_modes(lambda: study_names(database.open_read_only())) == "['first']"
    with pytest.raises(MachineError):
        database_at(Path("/proc/sweep.db")).open_for_writing()


def test_a_database_that_another_process_opens_for_too_long_is_refused(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal says why, and that another try may help."""
    monkeypatch.setattr("sweep.storage.database.sqlite.PATIENCE_S", 0.1)
    with (
        filelock.FileLock(database.files.path / ".open.lock", is_singleton=False),
        pytest.raises(StorageError, match=r"sweep\.db is being opened by another process; try again"),
    ):
        database.open_for_writing()


@pytest.mark.skipif(sys.version_info < (3, 13), reason="Python warns of open connections from 3.13 on")
@pytest.mark.parametrize(
    "change", ["", "DROP TABLE version_info", "UPDATE alembic_version SET version_num = 'x'"]
)
def test_no_connection_is_collected_while_it_is_open(database: Database, change: str) -> None:
    """Neither of a storage that nobody uses any more nor of a database that is refused."""
    with contextlib.closing(sqlite3.connect(database.path)) as connection, connection:
        connection.execute(change)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for opened in (database.open_read_only, database.open_for_writing):
            with contextlib.suppress(StorageError):
                assert study_names(opened()) == ["first"]
            gc.collect()
    assert warned == []


def test_a_study_has_one_driver_at_a_time(database: Database) -> None:
    """The second one is refused with the first one's process; other studies are free."""
    with database.driver_lock("first"):
        with (
            pytest.raises(StudyConflictError, match=f"run by process {os.getpid()} on "),
            database.driver_lock("first"),
        ):
            pass
        with database.driver_lock("second"):
            pass
    with database.driver_lock("first"):
        pass


def test_a_driver_lock_ends_with_its_process(database: Database) -> None:
    """A driver that was killed leaves its name behind, but not its lock."""
    assert in_process(_lock_and_die, database.path) == 9
    with database.driver_lock("first"):
        assert str(os.getpid()) in (database.files.path / "first" / "driver.json").read_text()


def test_any_study_name_goes_with_the_files_beside_the_database(database: Database) -> None:
    """No file of ours stands where the folder of a study would."""
    taken = [path.name for path in database.files.path.iterdir() if not path.is_dir()]
    assert all(name.startswith(".") for name in taken)
    with database.driver_lock("open.lock"):
        pass


# What runs in processes of its own.


def _open_together(path: Path, start: "threading.Barrier", number: int) -> None:
    start.wait(60)
    add_study(database_at(path), f"study-{number}")


def _lock_and_die(path: Path) -> None:
    with database_at(path).driver_lock("first"):
        os._exit(9)


@contextlib.contextmanager
def _fork_allowed() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child does one thing and ends
        yield


def _bound_by_modes(action: Callable[[], object]) -> str:
    """Do it in a process that file modes bind; return its answer or its error as text."""
    reading, writing = os.pipe()
    with _fork_allowed():
        pid = os.fork()
    if pid == 0:
        try:
            obey_file_modes()
            answer = repr(action())
        except SweepError as error:
            answer = f"{type(error).__name__}: {error}"
        except BaseException as error:  # noqa: BLE001  whatever it is, the parent is told
            answer = f"not foreseen: {error!r}"
        os.write(writing, answer.encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return pipe.read()


@pytest.mark.parametrize("change", ["deleted", "replaced", "renamed"])
def test_a_database_that_is_taken_away_while_open_is_called_that(database: Database, change: str) -> None:
    """A writer whose file is no longer at its path learns so; that is no matter of permissions."""
    storage = database.open_for_writing()
    storage.get_all_studies()
    path = Path(database.where)
    kept = path.read_bytes()
    if change == "renamed":
        path.rename(path.with_name("elsewhere.db"))
    else:
        path.unlink()
    if change == "replaced":
        path.write_bytes(kept)
    with pytest.raises(StorageError, match="moved, replaced or deleted") as refusal, storage_errors(path):
        storage.create_new_study([StudyDirection.MINIMIZE], "second")
    assert "read-only" not in str(refusal.value)


def test_a_writer_makes_no_file_where_its_database_was(database: Database) -> None:
    """A connection that comes after the file was deleted fails, instead of beginning an empty database."""
    storage = database.open_for_writing()
    Path(database.where).unlink()
    with pytest.raises(StorageError, match="cannot be opened"), storage_errors(database.where):
        storage.get_all_studies()
    assert not database.exists()


def test_the_next_driver_removes_what_a_killed_one_left_of_its_record(tmp_path: Path) -> None:
    """Whoever had the file's process number before: nobody else writes beside the record under the lock."""
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    with database.driver_lock("small"):
        pass
    folder = tmp_path / "a.db.d" / "small"
    (folder / f".tmp-{os.getpid()}-1-0123456789abcdef").write_bytes(b'{"host')
    with database.driver_lock("small"):
        assert [path.name for path in folder.iterdir() if path.name.startswith(".tmp-")] == []
        assert (folder / "driver.json").exists()
