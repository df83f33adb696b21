"""Read a database with plain statements, without the slow import of Optuna and SQLAlchemy.

A ``Reader`` is an open database: a file (``sqlite``), a server (``postgres``), or a storage for writing
(``optuna_schema``). All statements within one ``snapshot`` see the same state.
"""

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol

_TABLE = {
    "?": "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
    "%s": "SELECT 1 FROM pg_class WHERE oid = to_regclass(%s)",
}
"""Parameter mark -> statement that looks for a table, for SQLite and for PostgreSQL."""


class Snapshot:
    """Runs statements on a snapshot of a database."""

    def __init__(self, cursor: Any, mark: str) -> None:
        """Initialize with the cursor of a transaction.

        Args:
            cursor: Cursor of a DB-API connection.
            mark: The database's parameter mark, ``?`` or ``%s``.
        """
        self._cursor, self._mark = cursor, mark

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """Return all rows of a constant statement, whose parameter mark is ``?``."""
        self._cursor.execute(statement.replace("?", self._mark), values)
        found: list[Any] = self._cursor.fetchall()
        return found

    def has_table(self, name: str) -> bool:
        """Return whether a table exists."""
        return bool(self.rows(_TABLE[self._mark], name))


class Reader(Protocol):
    """An open database that can be read."""

    def snapshot(self) -> contextlib.AbstractContextManager[Snapshot]:
        """Begin reading; all statements inside the context see the same state."""


@contextlib.contextmanager
def sqlite_snapshot(connection: Any) -> Iterator[Snapshot]:
    """Read from SQLite, on a connection that begins no transactions by itself."""
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute("BEGIN")
        try:
            yield Snapshot(cursor, "?")
        finally:
            if connection.in_transaction:  # some errors end the transaction
                cursor.execute("ROLLBACK")


@contextlib.contextmanager
def postgres_snapshot(connection: Any) -> Iterator[Snapshot]:
    """Read from PostgreSQL, on a connection whose transactions read snapshots; an error makes it unusable."""
    with contextlib.closing(connection.cursor()) as cursor:
        yield Snapshot(cursor, "%s")
    connection.rollback()
