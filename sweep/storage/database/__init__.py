"""Open a database of studies, an SQLite file or a PostgreSQL server, safely.

Other modules import its public names from here. Writing uses ``optuna_schema.Storage``, which loads Optuna
and SQLAlchemy; reading needs neither.
"""

from sweep.storage.database.faults import machine_errors, storage_errors
from sweep.storage.database.interface import Database
from sweep.storage.database.reading import Reader, Snapshot

__all__ = ["Database", "Reader", "Snapshot", "machine_errors", "storage_errors"]
