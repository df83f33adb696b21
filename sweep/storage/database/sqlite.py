"""Open an SQLite file safely.

It uses a rollback journal (the write-ahead log had a race in 3.7.0 to 3.51.2 that loses commits), waits up to
60 s for locks, begins transactions with ``BEGIN IMMEDIATE`` so that no decision is based on values that
another process is about to change, and holds a file lock while opening and creating.

References:
    https://www.sqlite.org/lang_transaction.html, https://www.sqlite.org/wal.html
"""

import contextlib
import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

from sweep.errors import MachineError, NotFoundError, StorageAddressError, StudyConflictError
from sweep.storage.database.faults import machine_errors, storage_errors
from sweep.storage.database.interface import Database
from sweep.storage.database.reading import Snapshot, sqlite_snapshot
from sweep.storage.database.schema import TABLES_VERSION, check_version
from sweep.storage.database.sqlite_file import PATIENCE_S, check_file, check_side_files, connect
from sweep.storage.folders import LOCK, LocalFolder

if TYPE_CHECKING:
    from sweep.storage.database.optuna_schema import Storage

_PREFIX = "sqlite:///"
_OPTIONS = re.compile(r"\?(\w+=|[^/]*$)")
_OWNER = f"{LOCK}json"
"""Name of the file that names the driver of a study."""


class SQLiteDatabase(Database):
    """A database in a file; one driver at a time runs a study."""

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
        self.address = f"{_PREFIX}{self.path}"
        self.files = LocalFolder(self.path.with_name(self.path.name + ".d"))
        self.programs = self.path.with_name(self.path.name + ".programs")

    def exists(self) -> bool:
        """Return whether there is a database, or anything else at its path."""
        return self.path.exists()

    def open_for_writing(self) -> "Storage":
        """Open the database, creating it if there is none.

        Raises:
            StorageError: If the file is damaged, locked, or not a database of studies.
            MachineError: If the folder cannot be written.
        """
        from sweep.storage.database.optuna_schema import open_file

        with machine_errors(self.path):
            self.files.open()
        with machine_errors(self.path), storage_errors(self.path), self._opening_lock():
            if self.exists():
                check_file(self.path)
            elif not os.access(self.path.parent, os.W_OK):
                raise MachineError(f"folder {self.path.parent} is not writable; choose another database")
            else:
                self._create()
            return open_file(self.path, "rw")

    def open_read_only(self) -> "SQLiteReader":
        """Open the database for reading only, without blocking writers.

        Raises:
            NotFoundError: If there is no database.
            StorageError: If the file is damaged, locked, or not a database of studies.
        """
        with self._reading():
            return SQLiteReader(self.path)

    def open_for_dashboard(self) -> "Storage":
        """Open the database for reading by Optuna's own programs; raises the same errors."""
        from sweep.storage.database.optuna_schema import open_file

        with self._reading():
            return open_file(self.path, "ro")

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Check the file before it is opened for reading."""
        if not self.exists():
            raise NotFoundError(f"no database at {self.path}; `sweep run STUDY.toml` creates one")
        with machine_errors(self.path), storage_errors(self.path):
            check_file(self.path, repairs=self.files.path.exists())  # sweep has never written a guest's file
            yield

    @contextlib.contextmanager
    def driver_lock(self, study_name: str) -> Iterator[None]:
        """Lock a study for one driver; the lock ends with the process.

        Raises:
            StudyConflictError: If another driver holds the lock; the message names its host and process.
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
                folder.remove(())  # a driver that was killed here left half of its record
                folder.write(
                    {_OWNER: json.dumps({"host": socket.gethostname(), "pid": os.getpid()}).encode()}
                )
            yield
        finally:
            lock.release()

    def _opening_lock(self) -> filelock.BaseFileLock:
        return self.files.lock(".open.lock", timeout_s=PATIENCE_S)

    def _create(self) -> None:
        """Create the database under another name and rename it, so that a kill never leaves half of one."""
        from sweep.storage.database.optuna_schema import make_file

        check_side_files(self.path)
        aside = self.files.path / ".new.db"
        for left_over in self.files.path.glob(f"{aside.name}*"):
            left_over.unlink()
        make_file(aside)
        with machine_errors(self.path):
            os.replace(aside, self.path)


class SQLiteReader:
    """Reads from a file; see ``Reader``."""

    def __init__(self, path: Path) -> None:
        """Open a checked file; raises the errors of ``schema.check_version``."""
        self._connection = connect(path, "ro")
        self._connection.isolation_level = None
        with self.snapshot() as snapshot:
            check_version(str(path), snapshot.rows(TABLES_VERSION))

    def snapshot(self) -> contextlib.AbstractContextManager[Snapshot]:
        """Begin reading; see ``Reader``."""
        return sqlite_snapshot(self._connection)


def _read_owner(folder: LocalFolder) -> str:
    try:
        owner = json.loads(folder.read(_OWNER) or b"")
        return f"process {int(owner['pid'])} on {owner['host']!r}"
    except (OSError, ValueError, LookupError, TypeError, ArithmeticError, RecursionError):
        return "another process"
