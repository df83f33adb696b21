"""Check that a file is a valid SQLite database of studies, before anything opens it for writing.

Opening an SQLite file for writing is not harmless. SQLite plays back a journal beside it, and deletes the
super-journal that a journal names. Triggers, views and computed columns run code of the file's author.
Neither Optuna nor sweep creates any of these, so they are refused.

Remaining risks: CHECK and DEFAULT expressions of the tables are accepted, because Optuna has some. They
cannot contain a subquery, run for one row at a time, and do not run on reading. Anyone who can write in the
database's folder can still replace a file between the check and the opening.

References:
    https://www.sqlite.org/fileformat2.html#the_rollback_journal, https://www.sqlite.org/security.html
"""

import contextlib
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from sweep.errors import StorageError
from sweep.storage.files import open_plain

PATIENCE_S = 60
"""Seconds that a statement waits for another process's transaction."""

_HEADER = b"SQLite format 3\x00"

_SUPER_JOURNAL = bytes.fromhex("d9d505f920a163d7")
"""Last bytes of a rollback journal that names a super-journal."""

_SIDE_FILES = ("-journal", "-wal", "-shm")
"""Suffixes that SQLite appends to a database's name for its auxiliary files."""

_FOREIGN = """
    SELECT type, name FROM sqlite_master WHERE type NOT IN ('table', 'index')
    UNION ALL SELECT 'virtual table', name FROM sqlite_master WHERE type = 'table' AND rootpage = 0
"""
"""Selects objects that run SQL or code when they are read or written."""

_COMPUTED = """
    SELECT 'computed column', t.name || '.' || c.name
        FROM sqlite_master AS t JOIN pragma_table_xinfo(t.name) AS c WHERE t.type = 'table' AND c.hidden
    UNION ALL SELECT DISTINCT 'index of an expression', i.name
        FROM sqlite_master AS i JOIN pragma_index_xinfo(i.name) AS c WHERE i.type = 'index' AND c.cid = -2
    UNION ALL SELECT 'partial index', i.name
        FROM sqlite_master AS t JOIN pragma_index_list(t.name) AS i WHERE t.type = 'table' AND i.partial
"""
"""Selects tables and indexes with expressions; to be run only if ``_FOREIGN`` finds nothing."""

_NAMED = 5
"""Number of refused objects that a message names."""


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Connect without SQLAlchemy, which would parse special characters of the path as parts of a URL.

    Args:
        path: The file.
        mode: ``ro`` reads; ``rw`` writes an existing file; ``rwc`` also creates it.
    """
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    if mode == "ro" and is_idle_log(path):
        uri += "&immutable=1"  # or SQLite makes a log and its index beside it
    connection = sqlite3.connect(
        uri, uri=True, timeout=PATIENCE_S, check_same_thread=False, factory=_Connection
    )
    _distrust_schema(connection)
    return connection


def connect_to_memory() -> sqlite3.Connection:
    """Create a database in memory, which ends with its connection."""
    return sqlite3.connect(":memory:", check_same_thread=False, factory=_Connection)


class _Connection(sqlite3.Connection):
    """A connection that is closed on garbage collection, because SQLAlchemy's pools do not close it.

    Python 3.13 warns about an open connection that is collected.
    """

    def __del__(self) -> None:
        with contextlib.suppress(sqlite3.ProgrammingError):  # the connection could not be opened
            self.close()


def _distrust_schema(connection: sqlite3.Connection) -> None:
    """Forbid expressions of the schema from calling functions with side effects."""
    connection.execute("PRAGMA trusted_schema = OFF")


def check_file(path: Path, *, repairs: bool = True) -> None:
    """Refuse a file that is not a valid database of studies.

    Args:
        path: The file.
        repairs: Whether to roll back an interrupted transaction first; otherwise nothing is written.

    Raises:
        StorageError: If the file or one beside it is unsafe to open, damaged, or of another kind.
        OSError: If the file cannot be read.
    """
    _check_header(path)
    check_side_files(path)
    if repairs:
        _roll_back_hot_journal(path)
    else:
        _check_readable(path)
    with contextlib.closing(connect(path, "ro")) as connection:
        _check_schema(path, connection)
        connection.execute("PRAGMA ignore_check_constraints = ON")
        faults = connection.execute("PRAGMA integrity_check(1)").fetchall()
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if faults != [("ok",)]:
        raise StorageError(f"{path} is damaged ({_first_line(faults[0][0])}); restore a copy")
    if tables and not {"studies", "trials"} <= tables:
        raise StorageError(f"{path} belongs to another program; choose another database")


def check_side_files(path: Path) -> None:
    """Refuse files beside a database that make SQLite follow a link, wait, or delete another file.

    Raises:
        StorageError: If there is such a file, or any auxiliary file without the database.
        OSError: If a file cannot be read.
    """
    is_there = path.exists()
    for name in {str(path), os.path.realpath(path)}:
        for side in (Path(name + suffix) for suffix in _SIDE_FILES):
            if not os.path.lexists(side):
                continue
            if not is_there:
                raise StorageError(
                    f"{side} exists without its database; restore the database or move this file away"
                )
            _check_side_file(side)


def _check_side_file(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError), open_plain(path) as file:  # a commit removes it
        if os.fstat(file.fileno()).st_nlink > 1:
            raise StorageError(f"{path} has a second name (a hard link); move it away")
        file.seek(max(0, file.seek(0, os.SEEK_END) - len(_SUPER_JOURNAL)))
        if file.read() == _SUPER_JOURNAL:
            raise StorageError(
                f"{path} makes SQLite delete another file, so sweep did not write it; move it away"
            )


def _check_header(path: Path) -> None:
    if not path.is_file():
        raise StorageError(f"{path} is not a file; choose another database")
    with path.open("rb") as file:
        header = file.read(len(_HEADER))
    if header != _HEADER:
        what = "empty" if not header else "not an SQLite database"
        raise StorageError(f"{path} is {what}; restore a copy, or choose another database")


def _roll_back_hot_journal(path: Path) -> None:
    """Roll back a commit that a kill interrupted, which needs a connection for writing."""
    if os.path.exists(os.path.realpath(path) + "-journal") and os.access(path, os.W_OK):
        with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE_S)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _check_readable(path: Path) -> None:
    """Refuse a write-ahead log that cannot be read without making its index, the ``-shm`` file."""
    log, index = (Path(os.path.realpath(path) + suffix) for suffix in ("-wal", "-shm"))
    if log.exists() and log.stat().st_size and not index.exists():
        raise StorageError(
            f"{log} has no -shm file beside it, so that it cannot be read without writing; "
            f"close its writer, or open a copy of both files {_ONCE}"
        )


_ONCE = "once with `sqlite3 COPY .tables`"
"""How a copy is repaired."""


def is_idle_log(path: Path) -> bool:
    """Return whether a file is in WAL mode and nobody has it open, so that its log is empty and gone."""
    with path.open("rb") as file:
        mode = file.read(len(_HEADER) + 3)[-1:]
    return mode == b"\x02" and not os.path.exists(os.path.realpath(path) + "-wal")


def _check_schema(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse objects that run when they are read or written."""
    for question in (_FOREIGN, _COMPUTED):
        found = connection.execute(question).fetchall()
        if found:
            raise StorageError(
                f"{path} has parts that neither sweep nor Optuna creates ({_listed(found)}); "
                "remove them with the program that made them, or restore a copy"
            )


def _listed(found: Sequence[tuple[str, str]]) -> str:
    named = [f"{kind} {str(name)[:60]!r}" for kind, name in found[:_NAMED]]
    more = [f"{len(found) - _NAMED} more"] if len(found) > _NAMED else []
    return ", ".join([*named, *more])


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
