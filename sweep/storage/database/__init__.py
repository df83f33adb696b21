"""A database of studies: a file of SQLite or a server of PostgreSQL, opened safely.

Other modules import the names of this file from here. What writes is an ``optuna_schema.Storage``, which
loads Optuna and SQLAlchemy; reading does without both.
"""

from sweep.storage.database.faults import machine_errors, storage_errors
from sweep.storage.database.interface import Database
from sweep.storage.database.reading import Reader, Snapshot

__all__ = ["Database", "Reader", "Snapshot", "machine_errors", "storage_errors"]
