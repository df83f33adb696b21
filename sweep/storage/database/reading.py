"""Read a database in plain statements, without Optuna and SQLAlchemy, whose import takes longer than reading.

A ``Reader`` is an opened database: a file (``sqlite``), a server (``postgres``), or a storage that writes
(``optuna_schema``). What one ``snapshot`` reads is of one moment.
"""

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol

_TABLE = {
    "?": "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
    "%s": "SELECT 1 FROM pg_class WHERE oid = to_regclass(%s)",
}
"""Mark of a parameter -> the question for a table, as SQLite and as PostgreSQL understand it."""


class Snapshot:
    """Statements on one moment of a database."""

    def __init__(self, cursor: Any, mark: str) -> None:
        """Take a cursor of a transaction.

        Args:
            cursor: Of a DB-API connection.
            mark: How the database marks a parameter, ``?`` or ``%s``.
        """
        self._cursor, self._mark = cursor, mark

    def rows(self, statement: str, *values: Any) -> list[Any]:
        """Return all rows of a constant statement whose parameters are marked by ``?``."""
        self._cursor.execute(statement.replace("?", self._mark), values)
        found: list[Any] = self._cursor.fetchall()
        return found

    def has_table(self, name: str) -> bool:
        """Return whether there is a table."""
        return bool(self.rows(_TABLE[self._mark], name))


class Reader(Protocol):
    """An opened database that can be read."""

    def snapshot(self) -> contextlib.AbstractContextManager[Snapshot]:
        """Begin to read; every statement inside sees the same moment."""


@contextlib.contextmanager
def sqlite_snapshot(connection: Any) -> Iterator[Snapshot]:
    """Read on a connection to SQLite that begins no transactions by itself."""
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute("BEGIN")
        try:
            yield Snapshot(cursor, "?")
        finally:
            if connection.in_transaction:  # some errors have ended it
                cursor.execute("ROLLBACK")


@contextlib.contextmanager
def postgres_snapshot(connection: Any) -> Iterator[Snapshot]:
    """Read on a connection to PostgreSQL, whose transactions are of one moment; after an error it is lost."""
    with contextlib.closing(connection.cursor()) as cursor:
        yield Snapshot(cursor, "%s")
    connection.rollback()
