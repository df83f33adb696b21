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
import re
import socket
import sqlite3
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
from sweep.storage.folders import LOCK, Folder, LocalFolder
from sweep.storage.optuna_schema import make_file, open_file
from sweep.storage.sqlite_file import PATIENCE_S, check_file, check_side_files

Storage = RDBStorage
"""An opened database, for rooms that only hand it on."""

_Result = TypeVar("_Result")

_PREFIX = "sqlite:///"
_OPTIONS = re.compile(r"\?(\w+=|[^/]*$)")
_OWNER = f"{LOCK}json"
"""Name of the file that says who runs a study."""


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
    programs: Path
    """Folder of this machine where the programs of studies write; see ``program_folder``."""

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

    def program_folder(self, study_name: str) -> Path:
        """Return the folder in which the programs of a study have one for each trial, absolute."""
        return self.programs.absolute() / study_name

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
        if options := _OPTIONS.search(str(self.path)):
            raise StorageAddressError(
                f"storage must be sqlite:///PATH without options, got {str(self.path)[options.start() :]!r} "
                "at its end; remove it, or rename the file if it is part of the name"
            )
        self.where = str(self.path)
        self.files = LocalFolder(self.path.with_name(self.path.name + ".d"))
        self.programs = self.path.with_name(self.path.name + ".programs")

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
                check_file(self.path)
            elif not os.access(self.path.parent, os.W_OK):
                raise MachineError(f"folder {self.path.parent} is not writable; choose another database")
            else:
                self._create()
            storage = open_file(self.path, "rw")
        _begin_with(storage.engine, "BEGIN IMMEDIATE")
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
        with machine_errors(self.path), storage_errors(self.path):
            check_file(self.path)
            storage = open_file(self.path, "ro", skip_table_creation=True)
        _begin_with(storage.engine, "BEGIN")
        return storage

    @contextlib.contextmanager
    def driver_lock(self, study_name: str) -> Iterator[None]:
        """Hold the right to run a study's trials; it ends with the process, however that dies.

        Raises:
            StudyConflictError: If another driver holds it, with its host and process.
        """
        folder = self.files / study_name
        with machine_errors(folder.where):
            lock = folder.lock(f"{LOCK}lock", timeout_s=0)
            try:
                lock.acquire()
            except filelock.Timeout as error:
                raise StudyConflictError(
                    f"study {study_name!r} is being run by {_read_owner(folder)}; wait for it or stop it "
                    "(several drivers share a study on PostgreSQL: docs/cluster.md)"
                ) from error
        try:
            with machine_errors(folder.where):
                folder.write(
                    {_OWNER: json.dumps({"host": socket.gethostname(), "pid": os.getpid()}).encode()}
                )
            yield
        finally:
            lock.release()

    def _opening_lock(self) -> filelock.BaseFileLock:
        return self.files.lock(".open.lock", timeout_s=PATIENCE_S)

    def _create(self) -> None:
        """Make the database aside and move it into place, so that a kill leaves none, never half of one."""
        check_side_files(self.path)
        aside = self.files.path / ".new.db"
        for left_over in self.files.path.glob(f"{aside.name}*"):
            left_over.unlink()
        make_file(aside)
        with machine_errors(self.path):
            os.replace(aside, self.path)


def _kind_of(url: str) -> type[Database]:
    from sweep.storage.postgres import SCHEMES, PostgresDatabase  # which builds on what stands here

    kinds: dict[type[Database], tuple[str, ...]] = {SQLiteDatabase: (_PREFIX,), PostgresDatabase: SCHEMES}
    for kind, prefixes in kinds.items():
        if url.startswith(prefixes):
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
    "SQLITE_READONLY_DBMOVED": "the file was moved, replaced or deleted while it was open; run again to "
    "use the file that is there now",
    "permission denied for schema": "this user may not make tables; as the owner of the database run "
    "GRANT USAGE, CREATE ON SCHEMA public TO the user",
    "permission denied for": "this user may not use the tables; as their owner run "
    "GRANT ALL ON ALL TABLES, and ON ALL SEQUENCES, IN SCHEMA public TO the user",
    "no password supplied": "the server wants a password; write it after the user, USER:PASSWORD@HOST, "
    "or in ~/.pgpass",
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
    """Return what an error says, then its cause, then the cause's, each after SQLite's name for it."""
    texts = []
    cause: BaseException | None = error
    while cause is not None:
        texts += [getattr(cause, "sqlite_errorname", ""), str(cause)]
        cause = cause.__cause__
    return texts


_PASSING_CODES = ("08", "40", "57P")
"""How codes of PostgreSQL begin that say: connection lost, transaction lost to another, shutting down."""

_FINAL_WORDS = (
    "FATAL",
    "no password supplied",
    "authentication",
    "certificate",
    "does not support SSL",
    "invalid",
)
"""How a connection failed that will fail again, unless one of ``_PASSING_WORDS`` is said as well."""

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
            if code is None:  # the connection itself failed
                text = str(error.orig)
                is_final = any(words in text for words in _FINAL_WORDS)
                return not is_final or any(words in text for words in _PASSING_WORDS)
            return bool(code) and code.startswith(_PASSING_CODES)
        error = error.__cause__
    return False


def _begin_with(engine: sqlalchemy.Engine, statement: str) -> None:
    """Let SQLAlchemy, not Python's sqlite3, begin transactions."""

    def take_over(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None

    def begin(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql(statement)

    engine.dispose()
    sqlalchemy.event.listen(engine, "connect", take_over)
    sqlalchemy.event.listen(engine, "begin", begin)


def _read_owner(folder: LocalFolder) -> str:
    try:
        owner = json.loads(folder.read(_OWNER) or b"")
        return f"process {int(owner['pid'])} on {owner['host']!r}"
    except (OSError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError):
        return "another process"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
