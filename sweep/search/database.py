"""Where do studies live, and how is their database opened safely?

A database is given by a URL: a file of SQLite, or a server of PostgreSQL (``postgres``). For
SQLite: a rollback journal (its write-ahead log had a race in 3.7.0 to 3.51.2 that loses
commits), 60 s of patience, ``BEGIN IMMEDIATE`` so that nobody decides on what another is about to
change, and a file lock around opening and creating.

References:
    https://www.sqlite.org/lang_transaction.html, https://www.sqlite.org/wal.html
"""

import contextlib
import json
import os
import socket
import sqlite3
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self, TypeVar, cast

import filelock
import optuna
import sqlalchemy
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage

from sweep.errors import (
    MachineError,
    NotFoundError,
    StorageAddressError,
    StorageError,
    StorageUnreachableError,
    StudyConflictError,
)
from sweep.search.folders import Folder, LocalFolder

PATIENCE_S = 60
"""How long a statement waits for another process's transaction."""

Storage = RDBStorage
"""An opened database, for rooms that only hand it on."""

_Result = TypeVar("_Result")

_PREFIX = "sqlite:///"
_HEADER = b"SQLite format 3\x00"
_NOT_IN_PATHS = "?%#{}"


class Database:
    """One database of studies, with the folder of files that belong to it.

    ``Database(url)`` is of the kind that the URL names, as ``pathlib.Path`` is of the system's.
    """

    is_shared = False
    """Whether several drivers may run a study at the same time."""
    where: str
    """What it is called in messages; never shows a password."""
    files: Folder
    """Where files of studies stand."""

    def __new__(cls, url: str, files: Path | str | None = None) -> Self:
        """Choose the kind.

        Raises:
            StorageAddressError: If the URL is of a kind that is not supported.
        """
        return object.__new__(cast("type[Self]", _kind_of(url)) if cls is Database else cls)

    def __init__(self, url: str, files: Path | str | None = None) -> None:
        """Check the URL; nothing is opened yet.

        Args:
            url: ``sqlite:///PATH`` or ``postgresql://USER@HOST:PORT/DATABASE``.
            files: Folder of the files, or ``s3://BUCKET/PREFIX``, for a server, which has none beside it.

        Raises:
            StorageAddressError: If the URL cannot be understood, or the two do not go together.
        """

    def exists(self) -> bool:
        """Say whether there is a database, or something in its place."""
        raise NotImplementedError

    def open_for_writing(self) -> RDBStorage:
        """Open the database, creating it where there is none.

        Raises:
            StorageError: If it is damaged, locked, out of reach, or no database of studies.
            MachineError: If the folder of files cannot be written.
        """
        raise NotImplementedError

    def open_read_only(self) -> RDBStorage:
        """Open the database so that nothing can be changed and no writer is held up.

        Raises:
            NotFoundError: If there is no database.
            StorageError: If it is damaged, locked, out of reach, or no database of studies.
        """
        raise NotImplementedError

    def driver_lock(self, study_name: str) -> contextlib.AbstractContextManager[None]:
        """Hold a study alone, so that no driver runs it; it ends with the process, however that dies.

        Raises:
            StudyConflictError: If a driver runs it, with its host and process.
        """
        raise NotImplementedError

    def opening(self) -> contextlib.AbstractContextManager[None]:
        """Be the only one who makes, opens or leaves a study; may be entered again inside."""
        return contextlib.nullcontext()

    def patiently(self, work: Callable[[], _Result]) -> _Result:
        """Do what may be done again, until the database can be reached."""
        return work()


class SQLiteDatabase(Database):
    """A file; one driver at a time runs a study."""

    files: LocalFolder

    def __init__(self, url: str, files: Path | str | None = None) -> None:
        """See ``Database``."""
        if len(url) == len(_PREFIX):
            raise StorageAddressError("storage must be sqlite:///PATH, got one without a path")
        if files is not None:
            raise StorageAddressError(
                "--files goes with postgresql://; SQLite keeps files beside its database"
            )
        self.path = Path(url.removeprefix(_PREFIX))
        found = sorted(set(_NOT_IN_PATHS) & set(str(self.path)))
        if found:
            raise StorageAddressError(
                f"database path {self.path} contains {' '.join(found)}; rename the file"
            )
        self.where = str(self.path)
        self.files = LocalFolder(self.path.with_name(self.path.name + ".d"))

    def exists(self) -> bool:
        """Say whether there is a database, or something in its place."""
        return self.path.exists()

    def open_for_writing(self) -> RDBStorage:
        """Open the database, creating it where there is none.

        Raises:
            StorageError: If the file is damaged, locked, or no database of studies.
            MachineError: If the folder cannot be written.
        """
        optuna.logging.set_verbosity(optuna.logging.ERROR)  # what fails is told by us, in one line
        with machine_errors(self.path):
            self.files.open()
        with machine_errors(self.path), storage_errors(self.path), self._opening_lock():
            if self.exists():
                self._check_file()
            elif not os.access(self.path.parent, os.W_OK):
                raise MachineError(f"folder {self.path.parent} is not writable; choose another database")
            else:
                self._create()
            storage = RDBStorage(f"{_PREFIX}{self.path}", {"connect_args": {"timeout": PATIENCE_S}})
        _begin_with(storage, "BEGIN IMMEDIATE")
        return storage

    def open_read_only(self) -> RDBStorage:
        """Open the database so that nothing can be changed and no writer is held up.

        Raises:
            NotFoundError: If there is no database.
            StorageError: If the file is damaged, locked, or no database of studies.
        """
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        if not self.exists():
            raise NotFoundError(f"no database at {self.path}; `sweep run STUDY.toml` makes one")
        with storage_errors(self.path):
            self._roll_back_hot_journal()
            self._check_file()
            storage = RDBStorage(
                f"{_PREFIX}{self.path}", {"creator": self._connect_read_only}, skip_table_creation=True
            )
        _begin_with(storage, "BEGIN")
        return storage

    @contextlib.contextmanager
    def driver_lock(self, study_name: str) -> Iterator[None]:
        """Hold the right to run a study's trials; it ends with the process, however that dies.

        Raises:
            StudyConflictError: If another driver holds it, with its host and process.
        """
        folder = self.files.path / study_name
        with machine_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        lock, owner = filelock.FileLock(folder / "driver.lock"), folder / "driver.json"
        try:
            with machine_errors(folder):
                lock.acquire(blocking=False)
        except filelock.Timeout as error:
            raise StudyConflictError(
                f"study {study_name!r} is being run by {_read_owner(owner)}; wait for it or stop it "
                "(several drivers share a study on PostgreSQL: docs/cluster.md)"
            ) from error
        try:
            owner.write_text(json.dumps({"host": socket.gethostname(), "pid": os.getpid()}))
            yield
        finally:
            lock.release()

    def _opening_lock(self) -> filelock.BaseFileLock:
        return filelock.FileLock(self.files.path / ".open.lock", timeout=PATIENCE_S)

    def _create(self) -> None:
        """Make the database aside and move it into place, so that a kill leaves none, never half of one."""
        aside = self.files.path / ".new.db"
        for left_over in self.files.path.glob(f"{aside.name}*"):
            left_over.unlink()
        storage = RDBStorage(f"{_PREFIX}{aside}")
        storage.remove_session()
        storage.engine.dispose()
        with machine_errors(self.path):
            os.replace(aside, self.path)

    def _connect_read_only(self) -> sqlite3.Connection:
        """Connect past SQLAlchemy, which would read the name of a folder above as part of its URL."""
        uri = f"{self.path.resolve().as_uri()}?mode=ro"
        return sqlite3.connect(uri, uri=True, timeout=PATIENCE_S, check_same_thread=False)

    def _check_file(self) -> None:
        """Refuse what is no sound database of studies; never create or repair."""
        if not self.path.is_file():
            raise StorageError(f"{self.path} is not a file; choose another database")
        with self.path.open("rb") as file:
            header = file.read(len(_HEADER))
        if header != _HEADER:
            what = "empty" if not header else "not an SQLite database"
            raise StorageError(f"{self.path} is {what}; restore a copy, or choose another database")
        with contextlib.closing(sqlite3.connect(self.path, timeout=PATIENCE_S)) as connection:
            faults = connection.execute("PRAGMA integrity_check(1)").fetchall()
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if faults != [("ok",)]:
            raise StorageError(f"{self.path} is damaged ({_first_line(faults[0][0])}); restore a copy")
        if tables and not {"studies", "trials"} <= tables:
            raise StorageError(f"{self.path} belongs to another program; choose another database")

    def _roll_back_hot_journal(self) -> None:
        """After a kill in mid-commit only a connection that may write can make the file whole."""
        if self.path.with_name(self.path.name + "-journal").exists() and os.access(self.path, os.W_OK):
            with contextlib.closing(sqlite3.connect(self.path, timeout=PATIENCE_S)) as connection:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _kind_of(url: str) -> type[Database]:
    from sweep.search.postgres import PostgresDatabase  # which builds on what stands here

    kinds = {_PREFIX: SQLiteDatabase, "postgresql://": PostgresDatabase}
    for prefix, kind in kinds.items():
        if url.startswith(prefix):
            return kind
    start = url.partition(":")[0]
    known = "sqlite:///PATH or postgresql://USER@HOST/DATABASE"
    raise StorageAddressError(f"storage must be {known}, got one that starts with {start!r}")


@contextlib.contextmanager
def storage_errors(where: Path | str) -> Iterator[None]:
    """Turn what goes wrong in the database into one line that says what to do."""
    try:
        yield
    except filelock.Timeout as error:
        raise StorageError(f"{where} is being opened by another process; try again") from error
    except (StorageInternalError, sqlalchemy.exc.SQLAlchemyError, sqlite3.Error) as error:
        if _is_passing(error):
            raise StorageUnreachableError(
                f"{where} does not answer: {_first_line(_texts(error)[-1])}"
            ) from error
        raise StorageError(f"{where}: {_advice(error)}") from error
    except RuntimeError as error:
        if "incompatible" not in str(error) and "table schema" not in str(error):
            raise
        raise StorageError(
            f"{where} was made by another version of Optuna: {_first_line(str(error))}"
        ) from error


@contextlib.contextmanager
def machine_errors(where: Path | str) -> Iterator[None]:
    """Turn what the operating system refuses into one line."""
    try:
        yield
    except OSError as error:
        if isinstance(error, (MachineError, BrokenPipeError, filelock.Timeout)):
            raise
        raise MachineError(f"{error.filename or where}: {error.strerror or error}") from error


_ADVICE = {
    "locked": f"locked by another process for more than {PATIENCE_S} s; stop that process or wait",
    "disk is full": "the disk is full; free some space and run again, nothing stored is lost",
    "readonly": "the database or its folder is read-only; choose another database",
    "unable to open": "cannot be opened; check the path and its permissions",
    "malformed": "the database is damaged; restore a copy",
    "not a database": "not an SQLite database; choose another",
}


def _advice(error: BaseException) -> str:
    texts = _texts(error)
    for symptom, advice in _ADVICE.items():
        if any(symptom in text for text in texts):
            return advice
    return f"database error: {_first_line(texts[-1])}"


def _texts(error: BaseException) -> list[str]:
    """Return what an error says, then its cause, then the cause's."""
    texts = []
    cause: BaseException | None = error
    while cause is not None:
        texts.append(str(cause))
        cause = cause.__cause__
    return texts


_PASSING_CODES = ("08", "40", "57P")
"""How codes of PostgreSQL begin that say: connection lost, transaction lost to another, shutting down."""

_PASSING_WORDS = (
    "starting up",
    "shutting down",
    "recovery",
    "too many",
    "not yet accepting",
    "remaining connection",
)


def _is_passing(error: BaseException | None) -> bool:
    """Say whether a server was out of reach or busy, so that the same may succeed later."""
    while error is not None:
        if isinstance(error, sqlalchemy.exc.OperationalError | sqlalchemy.exc.InterfaceError):
            code = getattr(error.orig, "sqlstate", "")  # SQLite's errors have none
            if code is None:  # the connection itself failed; a server that says no says FATAL
                text = str(error.orig)
                return "FATAL" not in text or any(words in text for words in _PASSING_WORDS)
            return bool(code) and code.startswith(_PASSING_CODES)
        error = error.__cause__
    return False


def _begin_with(storage: RDBStorage, statement: str) -> None:
    """Let SQLAlchemy, not Python's sqlite3, begin transactions; close the connections with the storage.

    Python 3.13 warns about a connection that is collected while it is open.
    """
    engine = storage.engine

    def take_over(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None

    def begin(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql(statement)

    engine.dispose()
    sqlalchemy.event.listen(engine, "connect", take_over)
    sqlalchemy.event.listen(engine, "begin", begin)
    weakref.finalize(storage, engine.dispose)


def _read_owner(path: Path) -> str:
    try:
        owner = json.loads(path.read_text())
        return f"process {int(owner['pid'])} on {owner['host']!r}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
