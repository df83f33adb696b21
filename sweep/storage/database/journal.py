"""Read a file of Optuna's ``JournalFileBackend``, whose lines are operations in JSON.

The operations are replayed into tables in memory that have the columns of Optuna's own, so that everything
that reads a database reads a journal. Nothing is written: no lock is taken, and Optuna's snapshots, which are
pickles, are neither read nor made. A journal is never run, only shown.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from sweep.errors import NotFoundError, StorageAddressError, StorageError
from sweep.storage.database.faults import machine_errors, storage_errors
from sweep.storage.database.interface import Database
from sweep.storage.database.journal_replay import Replay
from sweep.storage.database.reading import Snapshot, sqlite_snapshot
from sweep.storage.files import open_plain
from sweep.storage.folders import LocalFolder

if TYPE_CHECKING:
    from sweep.storage.database.optuna_schema import Storage

_PREFIX = "journal:///"


class JournalDatabase(Database):
    """A journal of Optuna's; it can be read only."""

    def __init__(self, url: str, files: Path | str | None = None) -> None:
        """See ``Database``."""
        if len(url) == len(_PREFIX):
            raise StorageAddressError("storage must be journal:///PATH, got one without a path")
        if files is not None:
            raise StorageAddressError("--files goes with postgresql://; a journal of Optuna's has no files")
        self.path = Path(url.removeprefix(_PREFIX))
        self.where = str(self.path)
        self.address = f"{_PREFIX}{self.path}"
        self.files = LocalFolder(self.path.with_name(self.path.name + ".d"))
        self.programs = self.path.with_name(self.path.name + ".programs")

    def exists(self) -> bool:
        """Return whether there is anything at its path."""
        return self.path.exists()

    def open_for_writing(self) -> "Storage":
        """Refuse; raises StorageAddressError."""
        self._refuse_to_write()

    def open_read_only(self) -> "JournalReader":
        """Replay the journal.

        Raises:
            NotFoundError: If there is no file.
            StorageError: If a line is not an operation of Optuna's; the message names the line.
        """
        if not self.exists():
            raise NotFoundError(f"no journal at {self.path}")
        with machine_errors(self.path), storage_errors(self.path), open_plain(self.path) as file:
            return JournalReader(self.path, file)

    def open_for_dashboard(self) -> "Storage":
        """Refuse; raises StorageAddressError."""
        raise StorageAddressError(
            f"sweep serves no dashboard of a journal; run `optuna-dashboard {self.path}`"
        )

    def driver_lock(self, study_name: str) -> contextlib.AbstractContextManager[None]:
        """Refuse; raises StorageAddressError."""
        self._refuse_to_write()

    def _refuse_to_write(self) -> NoReturn:
        raise StorageAddressError(
            f"{self.path} is a journal of Optuna's, which sweep reads and never writes; "
            "choose sqlite:///PATH or postgresql://USER@HOST/DATABASE"
        )


class JournalReader:
    """Reads the tables of a replayed journal, as it was when it was opened; see ``Reader``."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        """Replay all complete lines of a journal; raises StorageError for a damaged one."""
        replay = Replay()
        for number, line in enumerate(_complete_lines(file), start=1):
            with _damage_named(path, number):
                replay.apply(json.loads(line))
        replay.finish()
        self._connection = replay.connection

    def snapshot(self) -> contextlib.AbstractContextManager[Snapshot]:
        """Begin reading; see ``Reader``."""
        return sqlite_snapshot(self._connection)


def _complete_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines that a file has now; a writer may still be writing the last one."""
    left = os.fstat(file.fileno()).st_size
    for line in file:
        left -= len(line)
        if left < 0 or not line.endswith(b"\n"):
            return
        yield line


@contextlib.contextmanager
def _damage_named(path: Path, number: int) -> Iterator[None]:
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise StorageError(
            f"{path}: line {number:,} is not an operation of Optuna's journal ({_reason(error)}); "
            "restore a copy"
        ) from error


def _reason(error: Exception) -> str:
    return "not JSON" if isinstance(error, json.JSONDecodeError | UnicodeDecodeError) else f"{error!r:.120}"
